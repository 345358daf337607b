"""The process that tells who died first, however late it looks; no ranks needed."""

import itertools
import os
import signal
import socket
import subprocess
import sys

import pytest

from nn.distributed import witness
from tests.nn.distributed.launch import SOON, environment


@pytest.fixture
def beside(tmp_path):
    """Give three connections as ranks have them, and a function that starts the witness on their other ends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        server.listen(5)
        ranks = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for number, rank in enumerate(ranks):
            rank.settimeout(SOON)
            rank.connect(str(tmp_path / "s"))
            rank.sendall(f"rank {number} of 3 (process 1{number})\n".encode())

        def start(count="3"):
            words = [sys.executable, "-I", "-S", witness.__file__, str(server.fileno()), count, "here"]
            return subprocess.Popen(words, pass_fds=[server.fileno()], stderr=subprocess.PIPE, text=True)

        yield ranks, start
        for rank in ranks:
            rank.close()


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_a_late_witness_knows_the_order(order, read, beside):
    """It is stopped while they die, which may be before they could read that it was there."""
    ranks, start = beside
    process = start()
    for rank in ranks:
        assert rank.recv(1, 0 if read else socket.MSG_PEEK) == witness.READY
    process.send_signal(signal.SIGSTOP)
    for number in order:
        ranks[number].close()
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=SOON)
    assert said.startswith(
        f"nn.distributed: rank {order[0]} of 3 (process 1{order[0]}) was the first on here to die, at "
    )


@pytest.mark.parametrize("dead", [[1], [2, 0]])
def test_deaths_before_the_witness_have_no_order(dead, beside):
    ranks, start = beside
    for number in dead:
        ranks[number].close()
    _, said = start().communicate(timeout=SOON)
    names = " and ".join(f"rank {number} of 3 (process 1{number})" for number in sorted(dead))
    several = len(dead) > 1
    assert said.startswith(f"nn.distributed: {names} {'were' if several else 'was'} the first on here to die, at ")
    assert said.endswith(", in an order that is not known.\n") == several


FORKING = """
import os, sys, time
from nn.distributed import guard

guard._connect("s", sys.argv[1] + "\\n")
if sys.argv[1] == "parent":
    child = os.fork()
    if child:
        print(child, flush=True)
    time.sleep(60)
for _ in range(600):
    if name := guard.dead():
        print(name)
        break
    time.sleep(0.1)
"""


def test_a_child_does_not_hide_the_death_of_its_rank(beside, tmp_path):
    """It has all files of its parent open; the other ranks hear of the death."""
    _, start = beside
    others = [
        subprocess.Popen([sys.executable, "-c", FORKING, name], cwd=tmp_path, stdout=subprocess.PIPE, env=environment())
        for name in ("parent", "other")
    ]
    process = start("5")
    child = int(others[0].stdout.readline())
    others[0].kill()
    _, said = process.communicate(timeout=SOON)
    told, _ = others[1].communicate(timeout=SOON)
    os.kill(child, signal.SIGKILL)
    others[0].communicate(timeout=SOON)
    assert said.startswith("nn.distributed: parent was the first on here to die")
    assert told == b"parent\n"
