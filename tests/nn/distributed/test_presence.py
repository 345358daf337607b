"""Who waits in vain, and who does not; no ranks needed."""

from types import SimpleNamespace

import pytest

from nn.distributed import presence
from nn.distributed.presence import DEAD, ENDED, Presence

IN_VAIN = [
    # what the rank before says; the calls this rank has left; the number of its wait; does it wait in vain?
    ((1, 5, "left"), set(), 6, True),
    ((1, 5, "left"), set(), 5, False),  # that rank was there
    ((1, 5, "left"), {1}, 6, False),  # all have left it, and go on together
    ((1, 5, "left"), {2}, 6, True),
    ((ENDED, 5, "ended"), {1}, 6, True),
    ((ENDED, 5, "ended"), set(), 5, False),
    ((DEAD, 0, "died"), {1}, 1, True),
]


@pytest.fixture
def make(monkeypatch):
    """Give a function that makes the Presence of rank 1 of 3, which rank 0 has sent messages."""
    monkeypatch.setattr(presence, "GRACE", -1.0)
    monkeypatch.setattr(presence, "SPIN", 0.0)
    monkeypatch.setattr(presence, "dead", lambda: "")

    def end(mpi, why):
        raise SystemExit(why)

    monkeypatch.setattr(presence, "end", end)

    def make(*messages):
        queue = list(messages)
        side = SimpleNamespace(sent=[])
        side.irecv = lambda source: SimpleNamespace(test=lambda: (bool(queue), queue.pop() if queue else None))
        side.isend = lambda words, dest: side.sent.append((dest, words))
        world = SimpleNamespace(rank=1, size=3, Dup=lambda: side)
        return Presence(SimpleNamespace(COMM_WORLD=world, Is_finalized=lambda: True), world)

    return make


def request(times):
    """Give a request of MPI that is done when it has been asked so often."""
    answers = iter([False] * times + [True])
    return SimpleNamespace(Test=lambda: next(answers))


@pytest.mark.parametrize(("message", "left", "number", "vain"), IN_VAIN)
def test_waiting_in_vain(make, message, left, number, vain):
    one = make(message)
    one.left, one.waits = left, number - 1
    if vain:
        with pytest.raises(SystemExit, match=f"{message[2]}, while rank 1 waits for it"):
            one.wait(request(5))
    else:
        one.wait(request(5))


def test_what_a_rank_says_when_it_leaves(make):
    one = make()

    def fail():
        with one.call("fit"), one.call("load"):
            one.wait(request(3))
            raise ValueError("no")

    def fail_late():
        with one.call("fit") as number:
            one.over(number)  # nobody waits any more
            raise ValueError("late")

    for act, why in ((fail, "no"), (fail_late, "late")):
        with pytest.raises(ValueError, match=why):
            act()
    words = "rank 1 of 3 left {} by ValueError: no"
    assert one.side.sent == [(2, (2, 1, words.format("load"))), (2, (1, 1, words.format("fit")))]
