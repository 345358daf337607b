"""Running sums and products along an axis, by NumPy's names and by those of the array standard."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.errors import ArgumentError
from autograd.ops.axes import cases, check_dtype, draw, no_out
from autograd.primitive import implements, op


def _cumsum_vjp(g: Any, shapes: Any, axis: int | None) -> Any:
    """∂L/∂xᵢ = Σₖ≥ᵢ gₖ: the running sum from the end."""
    along = -1 if axis is None else axis
    return np.flip(np.cumsum(np.flip(g, along), along), along).reshape(shapes[0])


def _cumprod_vjp(g: Any, a: Any, y: Any, shapes: Any, axis: int | None) -> Any:
    """∂L/∂xᵢ = (∏ⱼ<ᵢ xⱼ) · Sᵢ with Sᵢ = gᵢ + xᵢ₊₁ Sᵢ₊₁, without division, so right at zeros.

    The recurrence is solved in ⌈log₂ n⌉ steps: after each, Sᵢ = sᵢ + pᵢ Sᵢ₊ₛₜₑₚ, with a step twice as long.
    """
    along = -1 if axis is None else axis
    x, before, s = [np.moveaxis(z, along, -1) for z in (a.reshape(g.shape), y, g)]
    n, step, p = x.shape[-1], 1, x[..., 1:]
    while step < n:
        s = np.concatenate([s[..., :-step] + p * s[..., step:], s[..., -step:]], -1)
        p, step = p[..., :-step] * p[..., step:], 2 * step
    before = np.concatenate([np.ones((*x.shape[:-1], 1 if n else 0), x.dtype), before[..., :-1]], -1)
    return np.moveaxis(before * s, -1, along).reshape(shapes[0])


_cumsum = op(
    lambda a, axis=None, dtype=None: np.cumsum(a, axis, dtype),
    name="cumsum",
    vjp=_cumsum_vjp,
    linear=True,
    batch=lanes.along_axis,
)
_cumprod = op(
    lambda a, axis=None, dtype=None: np.cumprod(a, axis, dtype),
    name="cumprod",
    vjp=_cumprod_vjp,
    batch=lanes.along_axis,
)
_RUNNING = [((5,), {}), ((3, 4), {}), ((3, 4), {"axis": 0}), ((2, 3, 2), {"axis": -2}), ((), {}), ((1, 3), {"axis": 0})]


@implements(np.cumsum, domain=cases(*_RUNNING, ((0, 3), {"axis": 0})))
def cumsum(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """Compute running sums along ``axis`` (of the flattened array by default): yₖ = Σᵢ≤ₖ xᵢ."""
    no_out("cumsum", out)
    check_dtype("cumsum", a, dtype)
    return _cumsum(a, axis, dtype)


def _cumprod_samples(rng: np.random.Generator) -> Any:
    yield from cases(*_RUNNING, ((7,), {}), ((3, 0), {"axis": 1}))(rng)
    x = draw(rng, (4, 5))
    x[0, 1] = x[1, 2] = x[1, 4] = x[2, :3] = 0.0
    yield (x,), {"axis": 1}


@implements(np.cumprod, domain=_cumprod_samples)
def cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
    """Compute running products along ``axis``; the gradient is right at zeros, one or several, to any order."""
    no_out("cumprod", out)
    check_dtype("cumprod", a, dtype)
    return _cumprod(a, axis, dtype)


# ----------------------------------------------------------------------------------- the array standard's running sums


def _with_first(y: Any, first: float, axis: int) -> Any:
    shape = list(y.shape)
    shape[axis] = 1
    return np.concatenate([np.full(tuple(shape), first, y.dtype), y], axis)


def _only_axis(name: str, x: Any, axis: int | None) -> int:
    if axis is None and np.ndim(x) != 1:
        raise ArgumentError(f"np.{name}: x has {np.ndim(x)} axes; say along which one with axis=.")
    return 0 if axis is None else axis


_CUMULATIVE = cases(((4,), {}), ((3, 4), {"axis": -1, "include_initial": True}))


@implements(*[np.cumulative_sum] if hasattr(np, "cumulative_sum") else [], domain=_CUMULATIVE)
def cumulative_sum(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Compute running sums along ``axis``, with a leading 0 if ``include_initial``."""
    axis = _only_axis("cumulative_sum", x, axis)
    y = cumsum(x, axis, dtype, out)
    return _with_first(y, 0, axis) if include_initial else y


@implements(*[np.cumulative_prod] if hasattr(np, "cumulative_prod") else [], domain=_CUMULATIVE)
def cumulative_prod(
    x: Any, /, *, axis: int | None = None, dtype: Any = None, out: Any = None, include_initial: bool = False
) -> Any:
    """Compute running products along ``axis``, with a leading 1 if ``include_initial``."""
    axis = _only_axis("cumulative_prod", x, axis)
    y = cumprod(x, axis, dtype, out)
    return _with_first(y, 1, axis) if include_initial else y
