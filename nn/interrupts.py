"""Interrupts: Ctrl-C waits until the batch is done, so that an interrupted run is a whole number of batches."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interrupts:
    """Note that somebody pressed Ctrl-C, and raise KeyboardInterrupt where it is asked for."""

    asked = False

    def check(self) -> None:
        """Raise the KeyboardInterrupt that was held back."""
        if self.asked:
            self.asked = False
            raise KeyboardInterrupt


@contextmanager
def held_back() -> Iterator[Interrupts]:
    """Hold Ctrl-C back until ``check`` is called or the block ends; the second one is raised at once.

    A handler of somebody else's, and threads other than the main one, are left alone.
    """
    interrupts = Interrupts()
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield interrupts
        return

    def note(number: int, frame: Any) -> None:
        if interrupts.asked:
            raise KeyboardInterrupt
        interrupts.asked = True

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupts.check()
