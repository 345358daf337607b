"""Functions that apply functions: to each row, over several axes, piece by piece."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from autograd.box import Box, unbox, wrap
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array, draw
from autograd.ops.indexing import setitem
from autograd.ops.joining import stack
from autograd.primitive import implements


def _rows(rng: np.random.Generator) -> Any:
    x = draw(rng, (2, 3, 4))
    yield (np.sum, 1, x), {}
    yield (lambda row, k: np.outer(row[:k], row), -1, x, 2), {}


@implements(np.apply_along_axis, domain=_rows)
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function on each vector along ``axis`` and join its results in the vectors' places (a loop in Python)."""
    arr = np.moveaxis(as_array(arr), axis, -1)
    *lead, n = arr.shape
    if not prod(lead):
        raise ArgumentError(f"apply_along_axis: there is no vector along axis {axis} in shape {(*lead, n)}.")
    y = stack([func1d(row, *args, **kwargs) for row in np.reshape(arr, (-1, n))])
    y, added, axis = np.reshape(y, (*lead, *y.shape[1:])), y.ndim - 1, axis % arr.ndim
    return np.moveaxis(y, range(len(lead), len(lead) + added), range(axis, axis + added))


def _over_axes(rng: np.random.Generator) -> Any:
    yield (np.sum, draw(rng, (2, 3, 2)), (0, -1)), {}
    yield (np.cumsum, draw(rng, (2, 3)), 1), {}


@implements(np.apply_over_axes, domain=_over_axes)
def apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    """Call ``func(a, axis)`` for one axis after the other, keeping the number of axes."""
    a = as_array(a)
    for axis in np.atleast_1d(axes).tolist():
        y = func(a, axis)
        y = np.expand_dims(y, axis % a.ndim) if y.ndim < a.ndim else y
        if y.ndim != a.ndim:
            raise ShapeError(f"apply_over_axes: the function made shape {y.shape} of shape {a.shape}.")
        a = y
    return a


def _pieces(rng: np.random.Generator) -> Any:
    x = draw(rng, (2, 3))
    yield (x, [x < -1, x > 1], [lambda z: z * z, np.sin, 0.5]), {}
    yield (x, [x > 0], [lambda z, k: z**k], 3), {}


@implements(np.piecewise, domain=_pieces)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Any:
    """Call each function on the elements where its condition holds; one function more is for where none does.

    A number instead of a function is the value itself; elsewhere the result is 0. The last condition that holds counts.
    """
    x, conditions = as_array(x), unbox(condlist)
    if np.ndim(conditions) == 0 or (x.ndim and not np.ndim(conditions[0])):
        conditions = [conditions]
    conditions = [np.asarray(condition, dtype=bool) for condition in conditions]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.logical_or.reduce(conditions))
    if len(funclist) != len(conditions):
        raise ArgumentError(
            f"piecewise: {len(funclist)} functions for {len(conditions)} conditions; give as many, or one more."
        )
    y: Any = np.zeros(x.shape, x.dtype)
    for condition, value in zip(conditions, funclist, strict=True):
        if not callable(value):
            y = setitem(y, value, condition)
        elif condition.any():
            y = setitem(y, value(x[condition], *args, **kw), condition)
    return wrap(y) if isinstance(x, Box) and not isinstance(y, Box) else y
