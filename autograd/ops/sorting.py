"""Sorting: the values are permuted, and the gradient follows the permutation back."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.ops.axes import as_array
from autograd.ops.indexing import Samples
from autograd.ops.picking import along
from autograd.primitive import implements, opaque


def _sort_samples(rng: np.random.Generator) -> Samples:
    x = rng.permutation(np.linspace(-2, 2, 12)).reshape(3, 4)  # no two values closer than a finite difference
    yield (x,), {}
    yield (x,), {"axis": 0}
    yield (x, None), {}


_argsort, _argpartition = opaque(np.argsort), opaque(np.argpartition)


@implements(np.sort, domain=_sort_samples)
def sort(
    a: Any, axis: int | None = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None, **newer: Any
) -> Any:
    """Sort along an axis (the flat array for None): y = x[π], so that the gradient of x[π(i)] is g[i].

    Equal values keep the gradient of the place at which the sort put them; ``stable=True`` makes that their order.
    ``descending=True`` works where NumPy has it (2.5).

    >>> import autograd as ag
    >>> ag.grad(lambda x: np.sort(x) @ np.array([1.0, 2.0, 3.0]))(np.array([5.0, 1.0, 3.0]))
    array([3., 1., 2.])
    """
    permutation = _argsort(a, axis=axis, kind=kind, stable=stable, **newer)
    return along(a, permutation, axis, unique=True)


@implements(np.sort_complex, domain=lambda rng: iter([((rng.permutation(np.linspace(-2, 2, 5)),), {})]))
def sort_complex(a: Any) -> Any:
    """Sort along the last axis by real parts, then imaginary parts, into complex numbers."""
    a = as_array(a)
    return sort(a if a.dtype.kind == "c" else a.astype(np.complex128))


def _partition_samples(rng: np.random.Generator) -> Samples:
    x = rng.permutation(np.linspace(-2, 2, 12)).reshape(3, 4)
    yield (x, 1), {}
    yield (x, [0, 2]), {"axis": 0}
    yield (x, 5, None), {}


@implements(np.partition, domain=_partition_samples)
def partition(
    a: Any, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect", order: Any = None
) -> Any:
    """Put the kth smallest elements where sorting would put them, smaller ones before, larger ones behind."""
    permutation = _argpartition(a, kth, axis=axis, kind=kind)
    return along(a, permutation, axis, unique=True)
