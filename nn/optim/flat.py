"""One flat buffer per dtype: parameters live in it as views, so that an optimizer needs a dozen NumPy calls in all.

A step goes over :class:`Block` by block: many small parameters together, or a part of a large one, each small enough
that all passes of the update stay in the L2 cache (five float32 arrays of 32,768 are 640 KiB).

Whoever holds the array of a parameter sees its steps, as in PyTorch. So a parameter moves into the buffer only if
nobody else holds its array when the optimizer is made. One that stayed outside, or that was given other data since, is
changed where it lies: its values are copied into a block and back, and what it left behind is not touched again.
"""

from collections.abc import Iterator, Sequence
from operator import is_not
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError

Array = NDArray[Any]
BLOCK = 32_768
_NONE: frozenset[int] = frozenset()


class Block(NamedTuple):
    """Hold views on one stretch of the buffer: values, states, scratch, and whose gradients it needs."""

    p: Array
    states: tuple[Array, ...]
    scratch: Array
    spare: Array
    gather: Array | None  # where the gradients of several parameters are joined; None for a part of one
    members: tuple[int, ...]  # which parameters
    turned: tuple[bool, ...]  # does each lie transposed in memory
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
        self.forget(states)
        self.turned = [p.ndim == 2 and p.data.T.flags.c_contiguous for p in parameters]  # Linear keeps its weight so
        self.views = [self._view(self.values, i) for i in range(len(sizes))]
        for p, view in zip(self.parameters, self.views, strict=True):
            if not _is_held(p):
                view[...] = p.data
                p.data = view
        self._arrays: list[Any] = []  # where the parameters were in the last step
        self._away = _NONE  # parameters that are not in the buffer
        self._apart = _NONE  # parameters that share memory with another one: each is a block of its own
        self._blocks: list[Block] = []
        self._moving: list[ag.Tensor] = []  # the parameters that have a gradient
        self._numbers: Array = np.empty(0, self.dtype)
        self._known: list[float] = []
        self._constants: list[Array] = []

    def forget(self, states: Sequence[str]) -> None:
        """Start anew with these running states, at 0, and no steps taken."""
        self.states = {name: np.zeros(self.starts[-1], self.dtype) for name in states}
        self.steps = [0] * len(self.parameters)
        self._planned, self._pattern = 0, list[bool]()

    def _view(self, buffer: Array, i: int) -> Array:
        """View the part of a flat buffer that belongs to parameter ``i`` in the parameter's shape."""
        part, shape = buffer[self.starts[i] : self.starts[i + 1]], self.parameters[i].shape
        return part.reshape(shape[::-1]).T if self.turned[i] else part.reshape(shape)

    def state_of(self, i: int) -> dict[str, Array]:
        """Return the running states of parameter ``i`` as views in its shape."""
        return {name: self._view(state, i) for name, state in self.states.items()}

    def blocks(self) -> Iterator[tuple[Block, Array, int]]:
        """Yield each block with its gradients and its step number; parameters without gradient are left out.

        When all blocks are done, graphs that used the old values are told that these are gone.
        """
        arrays, grads = ag.leaf_arrays(self.parameters)
        pattern = [g is not None for g in grads]
        if pattern != self._pattern or any(map(is_not, arrays, self._arrays)):
            self._settle()
            self._pattern, self._arrays = pattern, arrays
            self._away = self._find_away(arrays, pattern)
            self._apart = _overlapping(arrays, self._away)
            self._blocks = self._plan(pattern)
            self._moving = [p for p, has in zip(self.parameters, pattern, strict=True) if has]
        self._planned += 1
        flat: Any = None
        try:
            for block in self._blocks:
                if block.gather is not None:
                    given = [grads[i] for i in block.members]
                    g = ag.gathered(given, block.turned)
                    if g is None:
                        parts = [x.T if turned else x for x, turned in zip(given, block.turned, strict=True)]
                        g = np.concatenate(parts, axis=None, out=block.gather)
                else:
                    if not block.part.start:
                        g = grads[block.members[0]]
                        flat = (g.T if block.turned[0] else g).reshape(-1)
                    g = flat[block.part]
                if self._away and any(i in self._away for i in block.members):
                    yield from self._outside(block, g)
                else:
                    yield block, g, block.t + self._planned
        finally:
            ag.mark_changed(self._moving)

    def _find_away(self, arrays: list[Any], pattern: list[bool]) -> frozenset[int]:
        """Find the parameters to be changed that are not in the buffer, and make their ``arrays`` writable."""
        away: set[int] = set()
        for i, (p, view, has) in enumerate(zip(self.parameters, self.views, pattern, strict=True)):
            if has and arrays[i] is not view:
                arrays[i] = p.data
                away.add(i)
                if p.shape != view.shape or p.dtype != view.dtype:
                    raise ArgumentError(
                        f"optimizer: parameter {i}{_named(p)} was {view.shape} {view.dtype} when it was made and is "
                        f"{p.shape} {p.dtype} now. Make the optimizer after astype and changes of shape."
                    )
        return frozenset(away)

    def _outside(self, block: Block, g: Array) -> Iterator[tuple[Block, Array, int]]:
        """Yield a block of which a part is not in the buffer: copied, and written back into the arrays when changed."""
        arrays = zip([self._arrays[i] for i in block.members], block.turned, strict=True)
        parts = [array.T if turned else array for array, turned in arrays]
        if block.gather is not None:
            p = np.concatenate(parts, axis=None, out=self._room[3, : g.size])
        else:
            p = parts[0].reshape(-1)[block.part] if parts[0].flags.c_contiguous else parts[0].flat[block.part]
        yield block._replace(p=p), g, block.t + self._planned
        if block.gather is None:
            if not parts[0].flags.c_contiguous:
                parts[0].flat[block.part] = p
            return
        at = 0
        for part in parts:
            part[...] = p[at : at + part.size].reshape(part.shape)
            at += part.size

    def keep(self, names: Sequence[str]) -> None:
        """Hold exactly the states ``names``; new ones start at 0 (momentum may be switched on later)."""
        if list(self.states) != list(names):
            self._settle()
            size = self.values.size
            self.states = {name: self.states.get(name, np.zeros(size, self.dtype)) for name in names}

    def constants(self, values: Sequence[float]) -> list[Array]:
        """Return numbers as 0-d arrays of the buffer's dtype: a call with one takes 0.4 µs, with a Python float 0.7."""
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
        """Return the number of steps that each parameter took."""
        self._settle()
        return list(self.steps)

    def _plan(self, pattern: list[bool]) -> list[Block]:
        """Cut the buffer into blocks: runs of small parameters with equal step counts, and parts of large ones."""
        self._room = np.empty((4, min(BLOCK, max(1, self.values.size))), self.dtype)
        blocks: list[Block] = []
        run: list[int] = []

        def close() -> None:
            if run:
                blocks.append(self._block(self.starts[run[0]], self.starts[run[-1] + 1], tuple(run), slice(None)))
                run.clear()

        for i, has in enumerate(pattern):
            a, b = self.starts[i], self.starts[i + 1]
            if run and not (has and self._joins(run, i)):
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

    def _joins(self, run: list[int], i: int) -> bool:
        """Tell whether parameter ``i`` can be in one block with those of ``run``."""
        alone = i in self._apart or run[-1] in self._apart
        return not alone and self.steps[i] == self.steps[run[0]] and self.starts[i + 1] - self.starts[run[0]] <= BLOCK

    def _block(self, a: int, b: int, members: tuple[int, ...], part: slice) -> Block:
        states = tuple(state[a:b] for state in self.states.values())
        scratch, spare, gather, _ = self._room[:, : b - a]
        several = gather if len(members) > 1 else None
        turned = tuple([self.turned[i] for i in members])
        return Block(self.values[a:b], states, scratch, spare, several, members, turned, part, self.steps[members[0]])


def _is_held(p: ag.Tensor) -> bool:
    """Tell whether anybody but ``p`` holds its array, or a part of it: a new Tensor like it has fewer references."""
    array = ag.leaf_arrays([p])[0][0]
    if not isinstance(array, np.ndarray):  # a NumPy scalar, which nobody can see change
        return False
    alone = array.base is None and array.flags.writeable
    del array
    like = ag.Tensor(np.empty(p.shape, p.dtype), p.requires_grad, copy=False, name=p.name)
    return not alone or _references(p) > _references(like)


def _references(p: ag.Tensor) -> int:
    return getrefcount(ag.leaf_arrays([p])[0][0])


def _overlapping(arrays: list[Any], away: frozenset[int]) -> frozenset[int]:
    """Find the parameters that have memory in common with another one (only arrays with a base, or twice one, can)."""
    if len({id(a) for a in arrays}) == len(arrays) and all(arrays[i].base is None for i in away):
        return _NONE
    found: set[int] = set()
    end, last = 0, -1
    for (low, high), i in sorted((byte_bounds(a), i) for i, a in enumerate(arrays) if isinstance(a, np.ndarray)):
        if low < end:
            found |= {i, last}
        if high > end:
            end, last = high, i
    return frozenset(found)


def _named(parameter: ag.Tensor) -> str:
    return f" {parameter.name!r}" if parameter.name else ""
