"""What ends the whole job when one rank fails, and says which one it was.

A rank that stops while the others wait for it in a collective call would leave them waiting for ever. An uncaught
exception therefore ends all ranks, and a process beside each rank tells when that rank died without a word.
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import warnings
from types import TracebackType
from typing import Any

ADVICE = (
    "The ranks were started without '-m mpi4py'. An uncaught exception will end all of them all the same, but not "
    "sys.exit(), nor a failure before the first DistributedTrainer: the other ranks would wait for ever. "
    "Start them so: mpiexec -n {size} python -m mpi4py {program}"
)
# Reads one line; without one (the pipe broke, as its writer died) it says what it was told to say.
LISTEN = 'trap "" INT; read -r word; [ -n "$word" ] || printf "%s\\n" "$0" >&2'

_guarded: list[subprocess.Popen[bytes]] = []


def guard(mpi: Any, comm: Any) -> None:
    """Let an uncaught exception on this rank end the job, and its sudden death be told; once per process."""
    if comm.size == 1 or getattr(sys.excepthook, "guards_ranks", False):
        return
    rank, size = comm.rank, comm.size
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        say(f"rank {rank} of {size} failed with {kind.__name__}: {error} -- ending all ranks.")
        end(mpi)

    hook.guards_ranks = True  # type: ignore[attr-defined]
    sys.excepthook = hook
    _listen(f"rank {rank} of {size} (process {os.getpid()} on {socket.gethostname()}) died: killed, or crashed in C.")
    if rank == 0 and "mpi4py.run" not in sys.modules:
        program = os.path.basename(sys.argv[0]) or "train.py"
        warnings.warn(ADVICE.format(size=size, program=program), RuntimeWarning, stacklevel=4)


def say(text: str) -> None:
    """Write a line to stderr at once."""
    sys.stderr.write(f"nn.distributed: {text}\n")
    sys.stderr.flush()


def end(mpi: Any) -> None:
    """End all ranks of the job."""
    sys.stdout.flush()
    _dismiss()
    mpi.COMM_WORLD.Abort(1)


def _listen(last_words: str) -> None:
    """Start the process that notices when this one dies: it sleeps in a read, and costs about a megabyte."""
    shell = shutil.which("sh")
    if shell is None or os.name != "posix":
        return
    told = f"nn.distributed: {last_words}"
    _guarded.append(subprocess.Popen([shell, "-c", LISTEN, told], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
    atexit.register(_dismiss)


def _dismiss() -> None:
    """Send the listening process home: what follows is an orderly end, or has been told already."""
    while _guarded:
        listener = _guarded.pop()
        try:
            listener.communicate(b"done\n", timeout=5)
        except (OSError, subprocess.TimeoutExpired):  # it was killed before us, with the rest of the job
            listener.kill()
