"""World: the ranks of one job, and the few things that they say to each other."""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError, AutogradError, TrainingError, missing
from nn.distributed.guard import guard
from nn.distributed.presence import presence

T = TypeVar("T")
Array = NDArray[Any]
# An Allreduce of 10^7 float32 in one piece takes 13 ms between two processes of one machine, in such pieces 3.5 ms.
PIECE = 4 << 20
LAUNCHED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
SHOWN = 3  # so many differences are told per rank


class World:
    """Wrap a communicator of mpi4py (by default all ranks of the job)."""

    def __init__(self, comm: Any = None) -> None:
        try:
            from mpi4py import MPI
        except (ImportError, RuntimeError) as error:  # RuntimeError: mpi4py is there, but no MPI library
            also = " and an MPI library, the cluster's or the package mpich"
            raise missing("nn.distributed", "mpi", error, also) from None
        self.mpi: Any = MPI
        self.comm: Any = MPI.COMM_WORLD if comm is None else comm
        self.rank, self.size = int(self.comm.rank), int(self.comm.size)
        started = max(int(os.environ.get(name) or 1) for name in LAUNCHED)
        if comm is None and self.size == 1 < started:
            raise ArgumentError(
                f"this is one of {started} processes, but mpi4py's MPI ({MPI.get_vendor()[0]}) says that it is alone: "
                "the launcher belongs to another MPI. Use the mpiexec of that MPI, or, for independent runs, "
                "DistributedTrainer(..., comm=MPI.COMM_SELF)."
            )
        guard(MPI, self.comm)
        self.presence = presence(MPI, self.comm)

    @contextmanager
    def together(self, what: str) -> Iterator[int]:
        """Enter a call that all ranks make, and give its number; a rank that leaves it alone ends the job."""
        with self.presence.call(what) as number:
            if self.equal([zlib.crc32(what.encode()) % 1000]) is not None:  # small, so that sums are exact
                calls = [f"rank {rank}: {name}" for rank, name in enumerate(self.gather(what))]
                raise ArgumentError("the ranks make different calls, which all must make together.\n  " + listed(calls))
            yield number

    def add(self, array: Array, mark: int = 0) -> bool:
        """Replace a contiguous array, in place, by the sum over all ranks; tell, else, that their marks differ."""
        if not self._meet(mark):
            return False
        flat = array.reshape(-1)
        step = max(1, PIECE // flat.itemsize)
        for start in range(0, flat.size, step):
            self.comm.Allreduce(self.mpi.IN_PLACE, flat[start : start + step], op=self.mpi.SUM)
        return True

    def any(self, *flags: bool) -> list[bool]:
        """Tell for each flag whether some rank has set it."""
        self.presence.settle()
        said = np.array(flags, np.uint8)
        self.presence.wait(self.comm.Iallreduce(self.mpi.IN_PLACE, said, op=self.mpi.MAX))
        return [bool(flag) for flag in said]

    def _meet(self, mark: int = 0) -> bool:
        """Wait for all ranks, before a call of MPI in which waiting could not be ended; tell if all have one mark."""
        self.presence.settle()
        said = np.array([mark, -mark], np.int64)
        self.presence.wait(self.comm.Iallreduce(self.mpi.IN_PLACE, said, op=self.mpi.MAX))
        return bool(said[0] == -said[1])

    def gather(self, value: T) -> list[T]:
        """Return the values of all ranks, in their order, to every rank."""
        self._meet()
        return list(self.comm.allgather(value))

    def from_first(self, make: Callable[[], T]) -> T:
        """Run ``make`` on rank 0 and give its result to all; an error of it is raised on all."""
        value: Any = None
        error: Exception | None = None
        if self.rank == 0:
            try:
                value = make()
            except AutogradError as problem:
                error = problem
            except Exception as problem:  # another library's error may not survive the journey
                error = TrainingError(f"rank 0 failed: {problem!r}")
                error.__cause__ = problem
        self._meet()
        value, error = self.comm.bcast((value, error))
        if error is not None:
            raise error
        result: T = value
        return result

    def same(self, what: str, facts: Mapping[str, str]) -> None:
        """Raise, on all ranks alike, unless all have equal ``facts``; say who differs in which."""
        digest = hashlib.blake2b(repr(list(facts.items())).encode()).digest()
        if len(set(self.gather(digest))) == 1:
            return
        first = self.from_first(lambda: dict(facts))
        names = [name for name in {**first, **facts} if first.get(name) != facts.get(name)]
        texts = [f"{name} is {facts.get(name, 'missing')}, on rank 0 {first.get(name, 'missing')}" for name in names]
        more = [f"{len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
        said = self.gather("; ".join([*texts[:SHOWN], *more]))
        raise ArgumentError(
            f"{what} differs between the ranks. All must run the same program on the same data.\n  "
            + listed([f"rank {rank}: {text}" for rank, text in enumerate(said) if text])
        )

    def equal(self, numbers: Sequence[float]) -> list[Any] | None:
        """Return None if all ranks have the same numbers (one Allreduce), else those of all ranks."""
        x = np.array(numbers, np.float64)
        sums = np.concatenate([x, x * x])
        self.add(sums)
        half = len(x)
        if (self.size * sums[half:] == sums[:half] ** 2).all():
            return None
        return self.gather(list(numbers))


def listed(lines: Sequence[str]) -> str:
    """Join lines, the first eight of them."""
    return "\n  ".join([*lines[:8], *([f"and {len(lines) - 8} ranks more"] if len(lines) > 8 else [])])
