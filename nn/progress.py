"""Progress of a training run: tqdm bars in a terminal or notebook, one plain line per epoch anywhere else."""

import sys
import time
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from autograd.errors import ArgumentError, missing, printable


class Progress:
    """Show one epoch after another; ``mode`` is "auto", "bar" (or True), "lines" or False."""

    def __init__(self, mode: Any, epochs: int) -> None:
        if mode not in ("auto", "bar", "lines", True, False, None):
            raise ArgumentError(f"fit: progress must be 'auto', 'bar', 'lines', True or False, got {mode!r}.")
        self._bar_type = self._find_bar(mode) if mode in ("auto", "bar", True) else None
        self._lines = mode == "lines" or (mode == "auto" and self._bar_type is None)
        self._epochs = epochs
        self._bar: Any = None
        self._started = 0.0

    @staticmethod
    def _find_bar(mode: Any) -> Any:
        notebook, widgets = "ipykernel" in sys.modules, find_spec("ipywidgets") is not None
        if mode == "auto" and not (widgets if notebook else sys.stderr.isatty()):
            return None  # in a notebook without widgets tqdm would warn, and write its bars as red text
        try:
            tqdm = import_module("tqdm.auto" if notebook and widgets else "tqdm").tqdm
        except ImportError:
            if mode == "auto":
                return None
            raise missing("fit(progress='bar')", "progress", "progress='lines' needs nothing") from None
        return tqdm

    def start(self, epoch: int, total: int | None, done: int) -> None:
        """Begin epoch ``epoch`` (from 0) of ``total`` batches, ``done`` of which were done before a resume."""
        self._started = time.perf_counter()
        if self._bar_type is not None:
            self._bar = self._bar_type(total=total, initial=done, desc=f"epoch {epoch + 1}/{self._epochs}", leave=True)

    def batch(self, loss: float) -> None:
        """Count one batch and show the running loss."""
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {loss:.4f}", refresh=False)
            self._bar.update()

    def end(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Show what the epoch gave."""
        text = "  ".join(f"{printable(name)} {value:.4f}" for name, value in logs.items())
        if self._bar is not None:
            self._bar.set_postfix_str(text)
            self.close()
        elif self._lines:
            sys.stdout.write(f"epoch {epoch + 1}/{self._epochs}  {text}  {time.perf_counter() - self._started:.1f} s\n")
            sys.stdout.flush()

    def close(self) -> None:
        """Let go of the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
