"""Evenly spaced numbers between ends that may be Tensors: on a line, on a scale of powers, in one ratio."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from operator import index
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError
from autograd.ops.axes import as_array, check_dtype, draw
from autograd.primitive import implements


def _parts(num: Any, endpoint: bool, ndim: int, dtype: Any) -> tuple[Any, int]:
    """Return the parts of the way from 0 to 1, along the first of ndim + 1 axes, and into how many it is cut."""
    number = index(num)
    if number < 0:
        raise ArgumentError(f"linspace, logspace, geomspace: num must not be negative, got {number}.")
    cuts = number - 1 if endpoint else number
    return (np.arange(number) / max(cuts, 1)).astype(dtype).reshape((number,) + (1,) * ndim), cuts


def _dtype(*ends: Any) -> Any:
    """Find the float dtype of what lies between; Python's numbers take on that of the other end."""
    kinds = (x if isinstance(x, int | float | complex) else as_array(x).dtype for x in ends)
    return np.result_type(*kinds, 1.0)


def _finished(y: Any, dtype: Any, axis: int) -> Any:
    """Put the new axis in its place and convert, integers being rounded down."""
    y = np.moveaxis(y, 0, axis) if axis else y
    if dtype is None:
        return y
    return (y if np.dtype(dtype).kind in "fc" else np.floor(y)).astype(dtype)


def _lines(rng: np.random.Generator) -> Any:
    yield (draw(rng, ()), draw(rng, ()), 4), {}
    yield (draw(rng, (2,)), draw(rng, (3, 1)), 3, False), {"axis": -1}
    yield (draw(rng, (2,)), 0, 1), {}


@implements(np.linspace, domain=_lines)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """Return ``num`` evenly spaced numbers (1 - t) · start + t · stop, with ``retstep`` also their distance.

    >>> import numpy as np, autograd as ag
    >>> ag.grad(lambda stop: np.linspace(0.0, stop, 5).sum())(2.0)
    np.float64(2.5)
    """
    for end in (start, stop):
        check_dtype("linspace", end, dtype)
    kind = _dtype(start, stop)
    start, stop = as_array(start).astype(kind), as_array(stop).astype(kind)
    t, cuts = _parts(num, endpoint, max(start.ndim, stop.ndim), kind)
    y = _finished((1 - t) * start + t * stop, dtype, axis)
    return (y, (stop - start) / (cuts if cuts > 0 else np.nan)) if retstep else y


def _powers(rng: np.random.Generator) -> Any:
    yield (draw(rng, (2,)), draw(rng, ()), 3), {}
    yield (draw(rng, ()), draw(rng, ()), 3, True, np.array([2.0, 3.0])), {"axis": -1}


@implements(np.logspace, domain=_powers)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """Compute ``base`` to the powers of ``linspace(start, stop, num)``."""
    for x in (start, stop, base):
        check_dtype("logspace", x, dtype)
    if np.ndim(base):
        ndim = max(np.ndim(x) for x in (start, stop, base))
        ends = [as_array(x) for x in (start, stop, base)]
        start, stop, base = (np.reshape(x, (1,) * (ndim - x.ndim) + x.shape) for x in ends)
        base = np.expand_dims(base, axis)
    y = np.power(base, linspace(start, stop, num, endpoint, axis=axis))
    return y if dtype is None else _finished(y, dtype, 0)


@implements(
    np.geomspace,
    domain=lambda rng: iter(
        [
            ((rng.uniform(1, 2, 2), rng.uniform(3, 4, (2, 1)), 4), {"axis": -1}),
            ((rng.uniform(-2, -1, ()), rng.uniform(-4, -3, ()), 3, False), {}),
        ]
    ),
)
def geomspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Return ``num`` numbers start · (stop / start)ᵗ, each the same multiple of the one before, in double precision."""
    for end in (start, stop):
        check_dtype("geomspace", end, dtype)
        if np.any(unbox(end) == 0):
            raise ArgumentError("geomspace: no end may be 0, as no ratio leads there.")
    start, stop = as_array(start), as_array(stop)
    kind = np.result_type(start.dtype, stop.dtype, float)
    start, stop = start.astype(kind), stop.astype(kind)
    t, _ = _parts(num, endpoint, max(start.ndim, stop.ndim), float)
    return _finished(start * np.power(stop / start, t), dtype, axis)
