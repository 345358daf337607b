"""One flat buffer per dtype: parameters live in it as views, so that an optimizer needs a dozen NumPy calls in all.

A step goes over :class:`Block` by block: many small parameters together, or a part of a large one, each small enough
that all passes of the update stay in the L2 cache (five float32 arrays of 32,768 are 640 KiB).
"""

from collections.abc import Iterator, Sequence
from operator import is_not
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError

Array = NDArray[Any]
BLOCK = 32_768


class Block(NamedTuple):
    """Hold views on one stretch of the buffer: values, states, scratch, and whose gradients it needs."""

    p: Array
    states: tuple[Array, ...]
    scratch: Array
    spare: Array
    gather: Array | None  # where the gradients of several parameters are joined; None for a part of one
    members: tuple[tuple[int, bool], ...]  # (which parameter, does it lie transposed in memory)
    part: slice
    t: int  # how many steps its parameters took before this plan


class Flat:
    """Keep the parameters of one dtype and their running states in flat buffers."""

    def __init__(self, parameters: Sequence[ag.Tensor], states: Sequence[str]) -> None:
        self.parameters = list(parameters)
        self.dtype = parameters[0].dtype
        sizes = [p.size for p in parameters]
        self.starts = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
        self.values = np.empty(self.starts[-1], self.dtype)
        self.states = {name: np.zeros(self.starts[-1], self.dtype) for name in states}
        self.steps = [0] * len(sizes)
        self.turned = [p.ndim == 2 and p.data.T.flags.c_contiguous for p in parameters]  # Linear keeps its weight so
        self.views = [self._view(self.values, i) for i in range(len(sizes))]
        for i in range(len(sizes)):
            self._adopt(i)
        self._pattern: list[bool] = []
        self._blocks: list[Block] = []
        self._moving: list[ag.Tensor] = []  # the parameters that have a gradient
        self._planned = 0
        self._numbers: Array = np.empty(0, self.dtype)
        self._known: list[float] = []
        self._constants: list[Array] = []

    def _adopt(self, i: int) -> None:
        """Copy a parameter's values into the buffer and make its data a view of it."""
        parameter, view = self.parameters[i], self.views[i]
        if parameter.shape != view.shape or parameter.dtype != view.dtype:
            raise ArgumentError(
                f"optimizer: parameter {i}{_named(parameter)} was {view.shape} {view.dtype} when it was made and is "
                f"{parameter.shape} {parameter.dtype} now. Make the optimizer after astype and changes of shape."
            )
        view[...] = parameter.data
        parameter.data = view

    def _view(self, buffer: Array, i: int) -> Array:
        """View the part of a flat buffer that belongs to parameter ``i`` in the parameter's shape."""
        part, shape = buffer[self.starts[i] : self.starts[i + 1]], self.parameters[i].shape
        return part.reshape(shape[::-1]).T if self.turned[i] else part.reshape(shape)

    def state_of(self, i: int) -> dict[str, Array]:
        """Give the running states of parameter ``i`` as views in its shape."""
        return {name: self._view(state, i) for name, state in self.states.items()}

    def blocks(self) -> Iterator[tuple[Block, Array, int]]:
        """Yield each block with its gradients and its step number; parameters without gradient are left out.

        When all blocks are done, graphs that used the old values are told that these are gone.
        """
        arrays, grads = ag.leaf_arrays(self.parameters)
        pattern = [g is not None for g in grads]
        if any(map(is_not, arrays, self.views)):
            for i, (array, view) in enumerate(zip(arrays, self.views, strict=True)):
                if array is not view and pattern[i]:
                    self._adopt(i)
        if pattern != self._pattern:
            self._settle()
            self._pattern, self._blocks = pattern, self._plan(pattern)
            self._moving = [p for p, has in zip(self.parameters, pattern, strict=True) if has]
        self._planned += 1
        flat: Any = None
        try:
            for block in self._blocks:
                if block.gather is not None:
                    parts = [grads[i].T if turned else grads[i] for i, turned in block.members]
                    g = np.concatenate(parts, axis=None, out=block.gather)
                else:
                    if not block.part.start:
                        ((i, turned),) = block.members
                        flat = (grads[i].T if turned else grads[i]).reshape(-1)
                    g = flat[block.part]
                yield block, g, block.t + self._planned
        finally:
            ag.mark_changed(self._moving)

    def keep(self, names: Sequence[str]) -> None:
        """Hold exactly the states ``names``; new ones start at 0 (momentum may be switched on later)."""
        if list(self.states) != list(names):
            self._settle()
            size = self.values.size
            self.states = {name: self.states.get(name, np.zeros(size, self.dtype)) for name in names}

    def constants(self, values: Sequence[float]) -> list[Array]:
        """Give numbers as 0-d arrays of the buffer's dtype: a call with one takes 0.4 µs, with a Python float 0.7."""
        if len(self._constants) != len(values):
            self._numbers, self._known = np.zeros(len(values), self.dtype), [0.0] * len(values)
            self._constants = [self._numbers[i : i + 1].reshape(()) for i in range(len(values))]
        for i, value in enumerate(values):
            if value != self._known[i]:
                self._numbers[i] = self._known[i] = value
        return self._constants

    def _settle(self) -> None:
        """Write the steps taken under the last plan back to the parameters."""
        for i, had in enumerate(self._pattern):
            self.steps[i] += self._planned * had
        self._planned, self._pattern = 0, []

    def step_counts(self) -> list[int]:
        """Give the number of steps that each parameter took."""
        self._settle()
        return list(self.steps)

    def _plan(self, pattern: list[bool]) -> list[Block]:
        """Cut the buffer into blocks: runs of small parameters with equal step counts, and parts of large ones."""
        self._room = np.empty((3, min(BLOCK, max(1, self.values.size))), self.dtype)
        blocks: list[Block] = []
        run: list[int] = []

        def close() -> None:
            if run:
                blocks.append(self._block(self.starts[run[0]], self.starts[run[-1] + 1], tuple(run), slice(None)))
                run.clear()

        for i, has in enumerate(pattern):
            a, b = self.starts[i], self.starts[i + 1]
            if run and (not has or self.steps[i] != self.steps[run[0]] or b - self.starts[run[0]] > BLOCK):
                close()
            if not has or a == b:
                continue
            if b - a <= BLOCK:
                run.append(i)
                continue
            for at in range(0, b - a, BLOCK):
                part = slice(at, min(at + BLOCK, b - a))
                blocks.append(self._block(a + part.start, a + part.stop, (i,), part))
        close()
        return blocks

    def _block(self, a: int, b: int, members: tuple[int, ...], part: slice) -> Block:
        states = tuple(state[a:b] for state in self.states.values())
        scratch, spare, gather = self._room[:, : b - a]
        several = gather if len(members) > 1 else None
        marked = tuple([(i, self.turned[i]) for i in members])
        return Block(self.values[a:b], states, scratch, spare, several, marked, part, self.steps[members[0]])


def _named(parameter: ag.Tensor) -> str:
    return f" {parameter.name!r}" if parameter.name else ""
