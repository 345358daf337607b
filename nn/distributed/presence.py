"""Presence: whether a rank for which the others wait will ever come, so that nobody waits for ever.

All ranks make the same calls together (``fit``, say) and wait for each other in them; calls and waits are numbered. A
rank that leaves a call by an exception, or ends its program, tells the next rank of the ring after which wait that was.
A rank in a later wait, which has not left that call itself, waits in vain. If there are such ranks, one of them follows
one that is away: it has the words, and ends the job. Nothing is guessed from the time that passes.
"""

import atexit
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograd.errors import TrainingError
from nn.distributed.guard import dead, end

SPIN = 1e-3  # seconds of waiting at full speed; after that a waiting rank sleeps, for 1 % of the time waited so far
LONGEST = 0.01
GRACE = 5.0  # seconds for the rank that left to say more: an uncaught exception prints its traceback and ends all
PARTING = 1.0
ENDED, DEAD = 0, -1  # in place of a call's number
LENGTH = 300

_yield = getattr(os, "sched_yield", lambda: time.sleep(0))
_keys: list[int] = []  # where a communicator keeps its Presence


def presence(mpi: Any, comm: Any) -> "Presence":
    """Return the one Presence of a communicator; the first time is a call of all its ranks together."""
    if not _keys:
        _keys.append(mpi.Comm.Create_keyval())
    found = comm.Get_attr(_keys[0])
    if found is None:
        found = Presence(mpi, comm)
        comm.Set_attr(_keys[0], found)
    return found


class Presence:
    """Track what this rank and the one before it have left."""

    def __init__(self, mpi: Any, comm: Any) -> None:
        self.mpi, self.process = mpi, os.getpid()
        self.side = comm.Dup()  # its messages and barriers do not meet those of ``comm``
        self.before, self.after = (comm.rank - 1) % comm.size, (comm.rank + 1) % comm.size
        self.calls = self.waits = 0  # alike on all ranks, as they do the same
        self.open: dict[int, str] = {}  # the calls that this rank is in
        self.left: set[int] = set()  # by an exception
        self._unsettled = False
        self._torn: Any = None  # a request that this rank stopped waiting for
        self._heard: dict[int, tuple[int, str]] = {}  # what the rank before has left, after how many waits
        self._since: float | None = None
        self._sent: list[Any] = []
        if comm.size > 1:
            self._coming = self.side.irecv(source=self.before)
            atexit.register(self._bye)

    @contextmanager
    def call(self, what: str) -> Iterator[int]:
        """Enter a call that all ranks make; give its number."""
        self.calls += 1
        number = self.calls
        self.open[number] = what
        try:
            yield number
        except BaseException as error:
            self.leave(number, error)
            raise
        self.over(number)

    def over(self, number: int) -> None:
        """Note that nothing more in the call needs the other ranks."""
        self.open.pop(number, None)

    def leave(self, number: int, error: BaseException) -> None:
        """Say that this rank has left a call before its end."""
        what = self.open.pop(number, None)
        if what is not None:
            self.left.add(number)
            self._unsettled = True
            self._tell(number, f"left {what} by {type(error).__name__}: {error}"[:LENGTH])

    def settle(self) -> None:
        """After leaving a call, wait until all have left it: what this rank does next must not meet what is in it."""
        if self._torn is not None:
            raise TrainingError(
                "an exception (Ctrl-C, say) stopped this rank while it waited for the others, so they can no longer do "
                "anything together. Start the program again, with fit(resume=...)."
            )
        if self._unsettled:
            self._unsettled = False
            self.wait(self.side.Ibarrier())

    def wait(self, request: Any) -> None:
        """Wait until what all ranks do together is done."""
        self.waits += 1
        self._torn = request
        if not request.Test():
            self._wait(request)
        self._torn = None

    def _wait(self, request: Any) -> None:
        began = time.monotonic()
        while not request.Test():
            waited = time.monotonic() - began
            if waited < SPIN:
                _yield()
            else:
                self._listen()
                time.sleep(min(waited / 100, LONGEST))

    def _receive(self) -> None:
        while ENDED not in self._heard and (came := self._coming.test())[0]:
            number, waits, words = came[1]
            self._heard[number] = waits, words
            if number != ENDED:
                self._coming = self.side.irecv(source=self.before)

    def _listen(self) -> None:
        """End the job when the rank before will not come."""
        self._receive()
        if name := dead():
            self._heard[DEAD] = 0, f"{name} died"
        gone = [words for n, (waits, words) in self._heard.items() if waits < self.waits and n not in self.left]
        if not gone:
            self._since = None
            return
        self._since = self._since or time.monotonic()
        if time.monotonic() - self._since > GRACE:
            world = self.mpi.COMM_WORLD
            place = f" in {list(self.open.values())[-1]}" if self.open else ""
            end(self.mpi, f"{gone[0]}, while rank {world.rank} waits for it{place}")

    def _tell(self, number: int, words: str) -> None:
        world = self.mpi.COMM_WORLD
        words = f"rank {world.rank} of {world.size} {words}"
        self._sent.append(self.side.isend((number, self.waits, words), dest=self.after))

    def _bye(self) -> None:
        """Say that this rank ends; mostly all do, and MPI warns of messages that nobody has received by then."""
        if self.mpi.Is_finalized() or os.getpid() != self.process:  # a fork runs this too
            return
        self._tell(ENDED, "ended its program")
        began, all_end = time.monotonic(), self.side.Ibarrier()
        while not (all_end.Test() and ENDED in self._heard) and time.monotonic() - began < PARTING:
            self._receive()
            time.sleep(1e-3)
