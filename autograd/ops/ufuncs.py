"""The methods of ufuncs that have derivatives: folds, running folds, segments, ``at``.

Each is the loop that NumPy's documentation gives for it, over the op that is declared for the ufunc.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import Axis, as_array, merged, no_out

Fold = Callable[..., Any]


def reduce(
    ufunc: np.ufunc,
    f: Fold,
    a: Any,
    axis: Axis = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Compute f(… f(f(x₀, x₁), x₂) …, xₙ) along ``axis``; where ``where`` does not hold, an element is left out."""
    no_out(f"{ufunc.__name__}.reduce", out)
    a = _as(a, dtype)
    options = {} if initial is None else {"initial": unbox(initial)}
    theirs = ufunc.reduce(unbox(a), axis=axis, keepdims=keepdims, where=where, **options)  # refuses what NumPy refuses
    if initial is None:
        initial = ufunc.identity if where is not True or not a.size else None
    y: Any = merged(a, axis)
    mask: Any = True if where is True else merged(np.broadcast_to(where, a.shape), axis)
    parts = [y[..., i] for i in range(y.shape[-1])]
    total: Any = np.broadcast_to(initial, y.shape[:-1]).astype(a.dtype) if initial is not None else None
    for i, part in enumerate(parts):
        folded = part if total is None else f(total, part)
        total = folded if mask is True else np.where(mask[..., i], folded, total)
    if not np.allclose(unbox(total), np.reshape(theirs, total.shape), rtol=1e-3, equal_nan=True):
        raise MissingRule(  # fast loops of some NumPys overwrite what they still read, in power and arctan2
            f"np.{ufunc.__name__}.reduce of this NumPy is not the fold that it stands for. Write a loop over the axis."
        )
    return np.reshape(total, theirs.shape) if keepdims else total


def accumulate(ufunc: np.ufunc, f: Fold, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Compute all partial results of ``reduce`` along ``axis``."""
    no_out(f"{ufunc.__name__}.accumulate", out)
    array = _as(array, dtype)
    ufunc.accumulate(unbox(array), axis=axis)
    front = np.moveaxis(array, axis, 0)
    found: list[Any] = []
    for i in range(front.shape[0]):
        found.append(f(found[-1], front[i]) if found else front[i])
    return np.stack(found, axis) if found else np.copy(array)


def reduceat(
    ufunc: np.ufunc, f: Fold, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None
) -> Any:
    """Reduce each slice from one index to the next; where that is none, the element at the index stands for it."""
    no_out(f"{ufunc.__name__}.reduceat", out)
    array, places = _as(array, dtype), np.asarray(unbox(indices))
    ufunc.reduceat(unbox(array), places, axis=axis)
    front = np.moveaxis(array, axis, 0)
    ends = [*places[1:].tolist(), front.shape[0]]
    parts = [
        getattr(ufunc, "reduce")(front[i:j], axis=0) if i < j else front[i]  # noqa: B009 (the protocol answers it)
        for i, j in zip(places.tolist(), ends, strict=True)
    ]
    return np.stack(parts, axis) if parts else np.take(array, np.zeros(0, int), axis)


def at(f: Fold, a: Any, indices: Any, *values: Any) -> None:
    """Do ``a[indices] = f(a[indices], values)`` in place, once for each time that an element is named."""
    if len(values) > 1:
        raise ArgumentError(f"ufunc.at takes an array, indices and one array of values, got {len(values)}.")
    places = np.arange(a.size).reshape(a.shape)[unbox(indices)]
    flat, order = places.ravel(), np.argsort(places.ravel(), kind="stable")
    turns = np.empty(flat.size, int)  # the how manieth time an element is named
    first = np.r_[True, np.diff(flat[order]) != 0][: flat.size]
    turns[order] = np.arange(flat.size) - np.maximum.accumulate(np.where(first, np.arange(flat.size), 0))
    given = [np.ravel(np.broadcast_to(as_array(v), places.shape)) for v in values]
    y = np.ravel(a).copy()
    for turn in range(int(turns.max(initial=-1)) + 1):
        now = turns == turn
        y[flat[now]] = f(y[flat[now]], *[v[now] for v in given])
    a[...] = np.reshape(y, a.shape)


def _as(a: Any, dtype: Any) -> Any:
    a = as_array(a)
    return a if dtype is None else a.astype(dtype)
