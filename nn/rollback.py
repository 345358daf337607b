"""Rollback: what training changes before the optimizer's step, so that a batch is done in whole or not at all.

A forward pass moves running statistics and random generators; the sums of the epoch follow. Parameters and optimizer
change in the step alone. An epoch that was interrupted goes on with the same batches.
"""

from typing import Any

import numpy as np

from autograd.errors import FileError
from nn.checkpoint import generators
from nn.module import Module


class Rollback:
    """Remember the state before the first batch of a step; ``undo`` goes back to it."""

    def __init__(self, model: Module) -> None:
        paths = dict(model.named_modules())
        held = dict(model.named_buffers())
        self._places = [(paths[path], name) for path, _, name in (name.rpartition(".") for name in held)]
        self._finite = [name for name, buffer in held.items() if np.isfinite(buffer).all()]  # a mask may hold -inf
        self._generators = generators(model)
        self._run: dict[str, Any] | None = None
        self._before: Any = None

    def remember(self, run: dict[str, Any]) -> None:
        """Take the state as it is now, unless one is held already."""
        if self._run is not None:
            return
        sums = {name: list(pair) for name, pair in run["sums"].items()}
        buffers = [getattr(module, name).copy() for module, name in self._places]
        states = [generator.bit_generator.state for generator in self._generators]
        self._run, self._before = run, ({**run, "sums": sums}, len(run["kept"]), buffers, states)

    def forget(self) -> None:
        """Let what happened since stand: the step was made."""
        self._run = self._before = None

    def broken(self, model: Module) -> str:
        """Name the first buffer that was finite in the beginning and is not now, or nothing."""
        now = dict(model.named_buffers())
        return next((name for name in self._finite if name in now and not np.isfinite(now[name]).all()), "")

    def undo(self) -> None:
        """Go back to the state that was remembered, if there is one."""
        if self._run is None:
            return
        before, kept, buffers, states = self._before
        del self._run["kept"][kept:]
        self._run.update(before)
        for (module, name), value in zip(self._places, buffers, strict=True):
            getattr(module, name)[...] = value
        for generator, state in zip(self._generators, states, strict=True):
            generator.bit_generator.state = state
        self.forget()


def same_batches(run: dict[str, Any], here: dict[str, Any]) -> None:
    """Refuse to go on in the middle of an epoch with other batches; note what the batches are."""
    there = run.get("data") or {}
    other = [f"{name} {there.get(name)}, here {value}" for name, value in here.items() if there.get(name) != value]
    if run["batch"] and other:
        raise FileError(
            f"fit(resume=...): the saved run stands after batch {run['batch']} of its epoch, which had other batches: "
            f"{'; '.join(other)}. Some samples would be seen twice, and others not. Resume with the same."
        )
    run["data"] = here
