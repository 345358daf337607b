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

ADVICE = (
    "The ranks were started without '-m mpi4py'. An uncaught exception will end all of them all the same, but not "
    "sys.exit(), nor a failure before the first DistributedTrainer: the other ranks would wait for ever. "
    "Start them so: mpiexec -n {size} python -m mpi4py {program}"
)
LAST_WORDS = 0.3  # seconds; the launcher forwards stderr a moment later, and Abort would cut it off

_connections: list[socket.socket] = []


def guard(mpi: Any, comm: Any) -> None:
    """Let an uncaught exception on this rank end the job, and its sudden death be told; once per process."""
    if comm.size == 1 or getattr(sys.excepthook, "guards_ranks", False):
        return
    rank, size = comm.rank, comm.size
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        sys.stderr.write(
            f"nn.distributed: rank {rank} of {size} failed with {kind.__name__}: {error} -- ending all ranks.\n"
        )
        _end(mpi)

    hook.guards_ranks = True  # type: ignore[attr-defined]
    sys.excepthook = hook
    if hasattr(socket, "AF_UNIX"):
        _call_witness(mpi, comm)
    if rank == 0 and "mpi4py.run" not in sys.modules:
        program = os.path.basename(sys.argv[0]) or "train.py"
        warnings.warn(ADVICE.format(size=size, program=program), RuntimeWarning, stacklevel=4)


def _end(mpi: Any) -> None:
    """End all ranks of the job."""
    sys.stdout.flush()
    sys.stderr.flush()
    _say(witness.ALL)
    time.sleep(LAST_WORDS)
    mpi.COMM_WORLD.Abort(1)


def _call_witness(mpi: Any, comm: Any) -> None:
    """Let the first rank of each machine start the witness, and all ranks there connect to it."""
    local = comm.Split_type(mpi.COMM_TYPE_SHARED)
    with tempfile.TemporaryDirectory(prefix="nn-distributed-") as folder:
        path = local.bcast(os.path.join(folder, "witness"))
        if local.rank == 0:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(path)
                server.listen(local.size)
                _start_witness(server, local.size)
        local.Barrier()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        connection.sendall(f"rank {comm.rank} of {comm.size} (process {os.getpid()})\n".encode())
        local.Barrier()
    local.Free()
    _connections.append(connection)
    atexit.register(_say, witness.DONE)


def _start_witness(server: socket.socket, count: int) -> None:
    """Start it in a session of its own: a launcher kills the process groups of the ranks."""
    words = [sys.executable, "-I", "-S", str(witness.__file__), str(server.fileno()), str(count), socket.gethostname()]
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    process = subprocess.Popen(words, pass_fds=[server.fileno()], start_new_session=True, **quiet)
    process.returncode = 0  # it outlives this rank, and nobody waits for it


def _say(word: bytes) -> None:
    """Tell the witness that this rank ends in order, or ends all."""
    while _connections:
        with _connections.pop() as connection:
            try:
                connection.sendall(word)
            except OSError:  # it has gone: another rank ended all
                return
