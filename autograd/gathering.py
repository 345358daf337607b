"""Gradients of several leaves, one behind the other in one array: an optimizer takes them without copying any.

A program writes them there, and takes the same array again as soon as nobody holds any part of it. Floor 2: used by
the pass over a graph, by what stores gradients, and by compiled programs.
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from operator import is_
from sys import getrefcount
from typing import Any

import numpy as np

Form = tuple[tuple[int, ...], bool]  # a shape, and whether the gradient lies transposed in memory


class _Memory(np.ndarray[Any, Any]):
    """Own the memory of gathered gradients, and know who gathers them."""

    owner: Any = None


class Gathered:
    """Hold an array ``flat`` and ``views`` on it, one for each gradient."""

    __slots__ = ("__weakref__", "_at", "_fits", "_held", "_starts", "flat", "views")

    def __init__(self, forms: Sequence[Form], dtype: Any) -> None:
        self._starts = [0]
        for shape, _ in forms:
            self._starts.append(self._starts[-1] + int(np.prod(shape)))
        memory = _Memory(self._starts[-1], dtype)
        memory.owner = weakref.ref(self)  # weakly: arrays in a circle would never be freed
        size = memory.dtype.itemsize
        self.flat: Any = np.ndarray(memory.shape, dtype, memory)
        self.views = [
            np.ndarray(shape, dtype, memory, start * size, order="F" if turned else "C")
            for (shape, turned), start in zip(forms, self._starts, strict=False)
        ]
        self._at = {id(view): i for i, view in enumerate(self.views)}
        self._fits: dict[Any, bool] = {}  # whether views lie as is asked for, by the first and by what is asked
        del memory
        self._held = self._count()

    def _count(self) -> int:
        return sum(map(getrefcount, self.views)) + getrefcount(self.flat) + getrefcount(self.flat.base)

    def is_free(self) -> bool:
        """Tell whether nobody else holds a gradient, or looks at a part of one."""
        return self._count() == self._held

    def run(self, gradients: Sequence[Any], turned: tuple[bool, ...]) -> Any:
        """Return the part of ``flat`` where just these lie in this order and layout, or None."""
        at = self._at.get(id(gradients[0]), 0)
        views = self.views[at : at + len(gradients)]
        if len(views) != len(gradients) or not all(map(is_, gradients, views)):
            return None
        if (at, turned) not in self._fits:
            flags = [
                (view.flags.f_contiguous if each else view.flags.c_contiguous)
                for view, each in zip(views, turned, strict=True)
            ]
            self._fits[at, turned] = all(flags)
        if not self._fits[at, turned]:
            return None
        return self.flat[self._starts[at] : self._starts[at + len(views)]]


def gathered(gradients: Sequence[Any], turned: tuple[bool, ...]) -> Any:
    """Return the array in which these gradients lie one behind the other, each ``turned`` or not, or None.

    >>> both = Gathered([((2,), False), ((1, 3), False)], float)
    >>> both.flat[:] = range(5)
    >>> gathered(both.views, (False, False)), gathered(both.views[::-1], (False, False))
    (array([0., 1., 2., 3., 4.]), None)
    """
    base = getattr(gradients[0], "base", None)
    owner = base.owner() if base.__class__ is _Memory else None
    return None if owner is None else owner.run(gradients, turned)


def is_gathered(array: Any) -> bool:
    """Tell whether an array is a gathered gradient."""
    return array.base.__class__ is _Memory


def memories(arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield each array, and gathered gradients once, as the one array in which they lie."""
    last: Any = None
    for array in arrays:
        base = getattr(array, "base", None)
        if base.__class__ is not _Memory:
            yield array
        elif base is not last:  # those of one memory follow each other, mostly
            last = base
            yield base
