"""What ends the whole job when one rank fails, and says which one it was.

A rank that stops while the others wait for it in a collective call would leave them waiting for ever. An uncaught
exception therefore ends all ranks, and a process on each machine tells which rank died without a word.
"""

import atexit
import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from types import TracebackType
from typing import Any

from nn.distributed import witness

if sys.platform != "win32":
    import fcntl

ADVICE = (
    "The ranks were started without '-m mpi4py'. A rank that fails will end all of them all the same, but not before "
    "the first DistributedTrainer is made: the other ranks would wait for ever. "
    "Start them so: mpiexec -n {size} python -m mpi4py {program}"
)
LAST_WORDS = 0.3  # seconds; the launcher forwards stderr a moment later, and Abort would cut it off

_connections: list[socket.socket] = []


def guard(mpi: Any, comm: Any) -> None:
    """Let an uncaught exception on this rank end the job, and its sudden death be told; once per process."""
    if comm.size == 1 or getattr(sys.excepthook, "guards_ranks", False):
        return
    rank, size = mpi.COMM_WORLD.rank, mpi.COMM_WORLD.size  # as MPI's own messages count, also in a part of the job
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        end(mpi, f"rank {rank} of {size} failed with {kind.__name__}: {error}")

    hook.guards_ranks = True  # type: ignore[attr-defined]
    sys.excepthook = hook
    if hasattr(socket, "AF_UNIX"):
        _call_witness(mpi, comm)
    if rank == 0 and "mpi4py.run" not in sys.modules:
        program = os.path.basename(sys.argv[0]) or "train.py"
        warnings.warn(ADVICE.format(size=size, program=program), RuntimeWarning, stacklevel=4)


def end(mpi: Any, why: str) -> None:
    """End all ranks of the job and say why."""
    sys.stdout.flush()
    sys.stderr.write(f"nn.distributed: {why} -- ending all ranks.\n")
    sys.stderr.flush()
    _say(witness.ALL)
    time.sleep(LAST_WORDS)
    mpi.COMM_WORLD.Abort(1)


def _call_witness(mpi: Any, comm: Any) -> None:
    """Let the first rank of each machine start the witness, and all ranks there connect to it."""
    world = mpi.COMM_WORLD
    local = comm.Split_type(mpi.COMM_TYPE_SHARED)
    with tempfile.TemporaryDirectory(prefix="nn-") as folder:
        path = _start_witness(os.path.join(folder, "witness"), local.size) if local.rank == 0 else None
        path = local.bcast(path)
        if path is not None:
            _connect(path, f"rank {world.rank} of {world.size} (process {os.getpid()})\n")
        local.Barrier()
    local.Free()


def _connect(path: str, name: str) -> None:
    """Go on only when the witness watches all ranks of the machine: it may be late, and a rank may die at once."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(witness.LATE)
        connection.connect(path)
        connection.sendall(name.encode())
        try:
            if connection.recv(1) != witness.READY:
                return  # a rank has died
        except OSError:  # it is not to be had: training goes on without it
            return
        # Linux closes the highest number first when a process dies, so before those that the launcher watches.
        high = max(0, min(os.sysconf("SC_OPEN_MAX"), 1024) - 1)
        _connections.append(socket.socket(fileno=fcntl.fcntl(connection, fcntl.F_DUPFD_CLOEXEC, high)))
        _connections[-1].setblocking(False)
    os.register_at_fork(after_in_child=_forget)  # a child that lives on must not hide the death of its rank
    atexit.register(_say, witness.DONE)


def dead() -> str:
    """Return the name of a rank of this machine that has died since the last time, or nothing."""
    try:
        return _connections[0].recv(200).decode() if _connections else ""
    except OSError:  # no news
        return ""


def _forget() -> None:
    while _connections:
        _connections.pop().close()


def _start_witness(path: str, count: int) -> str | None:
    """Start it in its own session, as a launcher kills the process groups of the ranks; give its address."""
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "start_new_session": True}
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.bind(path)
            server.listen(count)
            number = str(server.fileno())
            words = [sys.executable, "-I", "-S", str(witness.__file__), number, str(count), socket.gethostname()]
            process = subprocess.Popen(words, pass_fds=[server.fileno()], **quiet)
        except OSError:  # a path too long for a socket, or no more processes: training goes on without it
            return None
    process.returncode = 0  # it outlives this rank, and nobody waits for it
    return path


def _say(word: bytes) -> None:
    """Tell the witness that this rank ends in order, or ends all."""
    while _connections:
        with _connections.pop() as connection:
            try:
                connection.sendall(word)
            except OSError:  # it has gone: another rank ended all
                return
