"""Reductions over axes, with NumPy's arguments: sums, products, means, spreads, extremes.

At kinks: ``max`` and ``min`` share ties equally, ``std`` has gradient 0 where it is 0 (and second derivative nan).
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.compiler import select
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import (
    Axis,
    add_reduce,
    as_array,
    cases,
    check_dtype,
    count,
    draw,
    kept,
    merged,
    no_out,
    spread,
    unmerged,
)
from autograd.ops.elementwise import ratio
from autograd.primitive import implements, op, opaque

_reducers: list[Any] = [f.reduce for f in (np.multiply, np.maximum, np.minimum)]
_multiply_reduce, _max_reduce, _min_reduce = _reducers

ROWS: list[tuple[Any, ...]] = [
    ((3, 4), {}),
    ((3, 4), {"axis": 0}),
    ((3, 4), {"axis": -1, "keepdims": True}),
    ((2, 3, 2), {"axis": (0, -1)}),
    ((2, 3, 2), {"axis": (2, 1), "keepdims": True}),
    ((2, 2), {"keepdims": True}),
    ((), {}),
    ((2, 3), {"axis": ()}),
]
_MASK = np.array([[True, False, True, True], [False, True, True, False], [True, True, False, True]])
_MASKED = ((3, 4), {"axis": 1, "where": _MASK})


def _chosen(a: Any, where: Any, neutral: Any) -> Any:
    """Replace what ``where=`` leaves out by a neutral element."""
    if where is True:
        return a
    own, shape = np.shape(where), np.shape(a)
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
        raise ShapeError(f"where= of shape {own} does not broadcast to the array's shape {shape}.")
    return np.where(where, a, neutral)


def _start(initial: Any, dtype: Any) -> Any:
    """Read ``initial=`` in the dtype of the result, as NumPy does."""
    return as_array(initial).astype(dtype, copy=False)


# ------------------------------------------------------------------------------------------------ sums and products


_sum = op(
    lambda a, axis=None, dtype=None, keepdims=False: add_reduce(a, axis, dtype, None, keepdims),
    name="sum",
    symbol="Σ",
    vjp=lambda g, shapes, axis: spread(g, shapes[0], axis),
    formula="1",
    linear=True,
    batch=lanes.over_axis,
)


@implements(np.sum, domain=cases(*ROWS, ((0, 3), {"axis": 0}), ((3, 4), {"axis": 0, "initial": 1.5}), _MASKED))
def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Add the elements over ``axis`` (all by default), starting from ``initial``, where ``where`` holds.

    >>> import numpy as np, autograd as ag
    >>> np.sum(ag.Tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    if dtype is not None or out is not None:
        no_out("sum", out)
        check_dtype("sum", a, dtype)
    if axis is None and where is True and not keepdims and dtype is None:
        y = _sum(a)
    else:
        y = _sum(_chosen(a, where, 0), axis, dtype, keepdims)
    return y if initial is None else y + _start(initial, y.dtype)


def _others(x: Any) -> Any:
    """Multiply, for each element of the last axis, all the others, in a tree of pairs: no division, so right at zeros.

    The tree has ⌈log₂ n⌉ levels and about 3n products; made of products only, it can be differentiated to any order.
    """
    levels = [x]
    while (n := levels[-1].shape[-1]) > 1:
        z, half = levels[-1], n // 2
        pairs = z[..., :half] * z[..., half : 2 * half]
        levels.append(np.concatenate([pairs, z[..., 2 * half :]], -1) if n % 2 else pairs)
    rest = np.ones(levels[-1].shape, x.dtype)
    for z in reversed(levels[:-1]):
        half = z.shape[-1] // 2
        above = rest[..., :half]
        rest = np.concatenate([above * z[..., half : 2 * half], above * z[..., :half], rest[..., half:]], -1)
    return rest


def _prod_vjp(g: Any, a: Any, shapes: Any, axis: Axis) -> Any:
    """∂/∂xᵢ = ∏ⱼ≠ᵢ xⱼ."""
    return kept(g, shapes[0], axis) * unmerged(_others(merged(a, axis)), shapes[0], axis)


_prod = op(
    lambda a, axis=None, dtype=None, keepdims=False: _multiply_reduce(a, axis, dtype, None, keepdims),
    name="prod",
    symbol="∏",
    vjp=_prod_vjp,
    batch=lanes.over_axis,
)


def _prod_samples(rng: np.random.Generator) -> Any:
    yield from cases(*ROWS, ((3, 0), {"axis": 1}), ((7, 2), {"axis": 0, "initial": 1.5}), _MASKED)(rng)
    x = draw(rng, (4, 5))
    x[0, 1] = x[1, 2] = x[1, 4] = x[2, :3] = 0.0  # one zero, two and three in a row
    yield (x,), {"axis": 1}
    yield (x[:2, :3],), {}


@implements(np.prod, domain=_prod_samples)
def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """Multiply the elements over ``axis``; the gradient is right at zeros, one or several, to any order."""
    no_out("prod", out)
    check_dtype("prod", a, dtype)
    y = _prod(_chosen(a, where, 1), axis, dtype, keepdims)
    return y if initial is None else y * _start(initial, y.dtype)


# ------------------------------------------------------------------------------------------------ means and spreads


def _mean_forward(a: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if dtype is None and isinstance(a, np.ndarray) and a.size and a.dtype.char in "fd":  # a third of np.mean's time
        total = add_reduce(a, axis, None, None, keepdims)
        return total / (a.size // total.size)
    return np.mean(a, axis, dtype, keepdims=keepdims)


_mean = op(
    _mean_forward,
    name="mean",
    vjp=lambda g, shapes, axis: spread(g / count(shapes[0], axis), shapes[0], axis),
    formula="g / n",
    linear=True,
    batch=lanes.over_axis,
)


@implements(np.mean, domain=cases(*ROWS, ((0, 3), {"axis": 1}), _MASKED))
def mean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Average the elements over ``axis``: Σx / n."""
    if dtype is not None or out is not None:
        no_out("mean", out)
        check_dtype("mean", a, dtype)
    if where is True:
        return _mean(a, axis, dtype, keepdims)
    total = _sum(_chosen(a, where, 0), axis, dtype, keepdims)
    return total / _number(a, axis, keepdims, where, total.dtype)


def _number(a: Any, axis: Axis, keepdims: bool, where: Any, dtype: Any) -> Any:
    """Count the elements that ``where=`` chooses, in the dtype of what they divide."""
    chosen = np.broadcast_to(where, np.shape(a))
    return add_reduce(chosen, axis, np.finfo(dtype).dtype if dtype.kind in "fc" else None, None, keepdims)


def _var_vjp(g: Any, a: Any, shapes: Any, axis: Axis, ddof: float) -> Any:
    """∂/∂xᵢ = 2 (xᵢ - x̄) / (n - ddof)."""
    n = count(shapes[0], axis) - ddof
    return kept(g, shapes[0], axis) * (2 / n if n > 0 else np.nan) * (a - np.mean(a, axis, keepdims=True))


def _std_vjp(g: Any, a: Any, y: Any, shapes: Any, axis: Axis, ddof: float) -> Any:
    """∂/∂xᵢ = (xᵢ - x̄) / (n - ddof) / y, and 0 where y = 0."""
    n = count(shapes[0], axis) - ddof
    slope = ratio(a - np.mean(a, axis, keepdims=True), kept(y, shapes[0], axis))
    return kept(g, shapes[0], axis) * (1 / n if n > 0 else np.nan) * slope


_var = op(
    lambda a, axis=None, dtype=None, ddof=0, keepdims=False: np.var(a, axis, dtype, None, ddof, keepdims),
    name="var",
    vjp=_var_vjp,
    batch=lanes.over_axis,
)
_std = op(
    lambda a, axis=None, dtype=None, ddof=0, keepdims=False: np.std(a, axis, dtype, None, ddof, keepdims),
    name="std",
    vjp=_std_vjp,
    batch=lanes.over_axis,
)
_SPREADS = [*[row for row in ROWS if row[1].get("axis") != () and row[0]], ((3, 4), {"axis": 0, "ddof": 1}), _MASKED]


@implements(np.var, domain=cases(*_SPREADS))
def var(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Average the squared distances from the mean: Σ(x - x̄)² / (n - ddof).

    ``mean`` is a mean computed before, with ``keepdims=True``; ``correction`` is another name of ``ddof``.
    """
    no_out("var", out)
    check_dtype("var", a, dtype)
    if correction is not None:
        if ddof:
            raise ArgumentError(f"var: ddof={ddof} and correction={correction} are the same thing; pass one of them.")
        ddof = correction
    if where is True and mean is None:
        return _var(a, axis, dtype, ddof, keepdims)
    center = np.mean(a, axis, dtype, keepdims=True, where=where) if mean is None else mean
    distance = _chosen(a - center, where, 0)
    squares = _sum(np.abs(distance) ** 2 if distance.dtype.kind == "c" else distance * distance, axis, dtype, keepdims)
    return squares / np.maximum(_number(a, axis, keepdims, where, squares.dtype) - ddof, 0)


@implements(np.std, domain=cases(*_SPREADS))
def std(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Compute the standard deviation √var; where it is 0 its gradient is 0, and its second derivative nan."""
    if where is True and mean is None and correction is None and out is None:
        check_dtype("std", a, dtype)
        return _std(a, axis, dtype, ddof, keepdims)
    no_out("std", out)
    return root(var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction))


# the square root of a variance: at 0 its gradient is 0, a convention that has no derivative of its own
root = op(
    lambda v: np.sqrt(v), name="root", vjp=lambda g, y: g * ratio(y, 2 * y * y), elementwise=True, domain=(0.3, 2)
)


# --------------------------------------------------------------------------------------------------------- extremes


def _ties(a: Any, y: Any, axis: Axis) -> Any:
    """Mark the elements that equal the result, by one bit each; a nan result comes from the nans."""
    y = kept(np.asarray(y), np.shape(a), axis)
    mask = a == y
    if (y != y).any():
        mask = mask | (np.isnan(a) & np.isnan(y))
    return np.packbits(np.atleast_1d(mask), axis=-1)


def tied(ties: Any, shape: tuple[int, ...], axis: Axis, dtype: Any) -> tuple[Any, Any]:
    """Return where the elements stand that equal the result, and how many share it; examples may stand in front."""
    lanes = ties.ndim - (len(shape) or 1)
    mask = np.unpackbits(ties, axis=-1, count=shape[-1] if shape else 1).view(bool)
    mask = np.reshape(mask, (*ties.shape[:lanes], *shape))
    along = tuple(range(len(shape))) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    along = tuple([i % len(shape) + lanes for i in along]) if shape else ()
    return mask, np.maximum(add_reduce(mask, axis=along, dtype=dtype, keepdims=True), 1)


tied.lanes = tied  # type: ignore[attr-defined]  # of many examples at once
_tied_in = opaque(tied)


def _extreme_vjp(g: Any, ties: Any, shapes: Any, axis: Axis) -> Any:
    """Share the cotangent equally among the elements that equal the result."""
    mask, number = _tied_in(ties, shapes[0], axis, g.dtype)
    return select(mask, np.broadcast_to(kept(g, shapes[0], axis) / number, shapes[0]))


def _max_forward(a: Any, axis: Axis = None, keepdims: bool = False, least: Any = None) -> Any:
    y = _max_reduce(a, axis, None, None, keepdims, *[] if least is None else [least])
    return y, _ties(a, y, axis)


def _min_forward(a: Any, axis: Axis = None, keepdims: bool = False, most: Any = None) -> Any:
    y = _min_reduce(a, axis, None, None, keepdims, *[] if most is None else [most])
    return y, _ties(a, y, axis)


# what is kept are the places of the largest elements, a bit for each, not the array
_max, _min = (
    op(
        forward,
        name=name,
        vjp=_extreme_vjp,
        cache=["ties"],
        selects=True,
        holomorphic=None,
        batch=lanes.over_axis,
    )
    for name, forward in (("max", _max_forward), ("min", _min_forward))
)
_EXTREMES = [*ROWS, ((3, 4), {"axis": 0, "initial": 0.05}), ((3, 4), {"axis": 1, "where": _MASK, "initial": 0.05})]


def _bounds(name: str, a: Any, initial: Any, infinite: float) -> tuple[Any, Any]:
    """Return ``initial``, and a value that never wins over it, for elements that ``where=`` leaves out."""
    if initial is None:
        raise ArgumentError(f"np.{name}(…, where=…) needs initial=, the result where nothing is chosen.")
    dtype = as_array(a).dtype
    initial = _start(initial, dtype)
    return initial, infinite if dtype.kind == "f" else initial


@implements(np.max, np.amax, domain=cases(*_EXTREMES))
def max(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Return the largest element over ``axis``; equal largest elements share the gradient equally.

    >>> import numpy as np, autograd as ag
    >>> ag.grad(np.max)(np.array([1.0, 3.0, 3.0]))
    array([0. , 0.5, 0.5])
    """
    if out is None and initial is None and where is True:
        return _max(a, axis, keepdims)
    no_out("max", out)
    initial, least = _bounds("max", a, initial, -np.inf)
    return np.maximum(_max(_chosen(a, where, least), axis, keepdims, least), initial)


@implements(np.min, np.amin, domain=cases(*_EXTREMES))
def min(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Return the smallest element over ``axis``; equal smallest elements share the gradient equally."""
    if out is None and initial is None and where is True:
        return _min(a, axis, keepdims)
    no_out("min", out)
    initial, most = _bounds("min", a, initial, np.inf)
    return np.minimum(_min(_chosen(a, where, most), axis, keepdims, most), initial)


@implements(np.ptp, domain=cases(*[row for row in ROWS if row[1].get("axis") != ()]))
def ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    """Compute the distance from the smallest to the largest element over ``axis``."""
    no_out("ptp", out)
    return _max(a, axis, keepdims) - _min(a, axis, keepdims)
