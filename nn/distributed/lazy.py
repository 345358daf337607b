"""Batches that are read row by row: a rank copies its own rows of a batch, and not those of all ranks."""

from typing import Any

from numpy.typing import DTypeLike, NDArray

from nn.batches import Batch, Batches
from nn.reading import each

Array = NDArray[Any]


class Rows:
    """Represent some rows of an array, which are copied when they are asked for.

    >>> import numpy as np
    >>> rows = Rows(np.array([10, 20, 30, 40]), np.array([3, 1, 0]))
    >>> len(rows), rows[1:], np.asarray(rows)
    (3, array([20, 10]), array([40, 20, 10]))
    """

    def __init__(self, source: Array, numbers: Array) -> None:
        self.source, self.numbers = source, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, at: slice) -> Array:
        part: Array = self.source[self.numbers[at]]
        return part

    def __array__(self, dtype: "DTypeLike | None" = None, copy: bool | None = None) -> Array:
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)


class LazyBatches(Batches):
    """Hand out batches whose ``x`` and ``y`` are :class:`Rows`; those of an iterable are arrays as before."""

    def take(self, rows: Array) -> Batch:
        x, y = (each(lambda a: Rows(a, rows), tree) for tree in (self.x, self.y))
        return Batch(x, y, None if self.weight is None else self.weight[rows], self.classes)
