"""Functions given by samples: differences, slopes, integrals, values in between."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.application import real_only
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array, cases, draw, kept_shape
from autograd.ops.reductions import sum
from autograd.primitive import implements, op, opaque

# ------------------------------------------------------------------------------- differences and integrals of samples


def _diff_vjp(g: Any, shapes: Any, n: int, axis: int) -> Any:
    """Transpose Dⁿ: (-1)ⁿ Dⁿ of g with n zeros on both sides."""
    if g.size == 0:
        return np.zeros(shapes[0], g.dtype)
    widths = [(0, 0)] * g.ndim
    widths[axis] = (n, n)
    return (-1) ** n * np.diff(np.pad(g, widths), n, axis)


_diff = op(lambda a, n=1, axis=-1: np.diff(a, n, axis), name="diff", vjp=_diff_vjp, linear=True, batch=lanes.along_axis)


def _diff_samples(rng: np.random.Generator) -> Any:
    yield from cases(
        ((5,), {}), ((4, 3), {"axis": 0}), ((2, 5), {"n": 2}), ((2, 5, 2), 3, 1), ((2, 1), {}), ((3,), {"n": 0})
    )(rng)
    yield (draw(rng, (2, 3)),), {"prepend": 0.5, "append": rng.uniform(-2, 2, (2, 2))}


@implements(np.diff, domain=_diff_samples)
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Take differences of neighbours along ``axis``, ``n`` times, after joining ``prepend`` and ``append``."""
    a = as_array(a)
    if prepend is not None or append is not None:
        a = np.concatenate([*_end(prepend, a, axis), a, *_end(append, a, axis)], axis)
    return _diff(a, n, axis) if n else a[...]


def _end(value: Any, a: Any, axis: int) -> list[Any]:
    """Make what is joined to one end: a scalar stands for one slice."""
    if value is None:
        return []
    value = as_array(value)
    return [value if value.ndim else np.broadcast_to(value, kept_shape(a.shape, axis))]


def _ediff1d_samples(rng: np.random.Generator) -> Any:
    yield (draw(rng, (2, 3)),), {}
    yield (draw(rng, (4,)), draw(rng, (2,)), draw(rng, ())), {}


@implements(np.ediff1d, domain=_ediff1d_samples)
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Take differences of neighbours in the flattened array, between ``to_begin`` and ``to_end``."""
    y = diff(np.ravel(ary))
    ends = [() if end is None else (np.ravel(as_array(end)).astype(y.dtype),) for end in (to_begin, to_end)]
    return np.concatenate([*ends[0], y, *ends[1]]) if any(ends) else y


def _trapezoid_samples(rng: np.random.Generator) -> Any:
    y, x = draw(rng, (3, 4)), np.sort(draw(rng, (4,)))
    yield (y,), {}
    yield (y, x), {}
    yield (y, np.cumsum(np.abs(y) + 0.1, 0)), {"axis": 0}
    yield (y[0],), {"dx": 0.5}


@implements(np.trapezoid, domain=_trapezoid_samples)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate samples by the trapezoidal rule, Σ (yᵢ + yᵢ₊₁) / 2 · (xᵢ₊₁ - xᵢ); both may be Tensors."""
    y = as_array(y)
    step = dx
    if x is not None:
        x = as_array(x)
        step = diff(x) if x.ndim == 1 else diff(x, axis=axis)
        if x.ndim == 1:
            shape = [1] * y.ndim
            shape[axis] = step.shape[0]
            step = step.reshape(tuple(shape))
    front, back = [slice(None)] * y.ndim, [slice(None)] * y.ndim
    front[axis], back[axis] = slice(1, None), slice(None, -1)
    return sum(step * (y[tuple(front)] + y[tuple(back)]) / 2.0, axis)


# ------------------------------------------------------------------------------------------------- slopes of samples


def _gradient_samples(rng: np.random.Generator) -> Any:
    f, x = draw(rng, (4, 3)), np.array([0.0, 0.5, 2.0, 2.3])
    yield (f,), {}
    yield (f[:, 0], 0.5), {"edge_order": 2}
    yield (f, x), {"axis": 0}
    yield (f, x, 2.0), {"axis": (0, -1), "edge_order": 2}


@implements(np.gradient, domain=_gradient_samples)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Compute the slopes of samples along each axis: central differences inside, one-sided ones at the ends.

    ``varargs`` are the distances (or coordinates) of the samples: one for all axes, or one per axis. An array for one
    axis, a tuple for several. Distances and coordinates may be Tensors.
    """
    f = as_array(f)
    if f.dtype.kind not in "fc":
        f = f.astype(float)
    axes = np.lib.array_utils.normalize_axis_tuple(range(f.ndim) if axis is None else axis, f.ndim)
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"gradient: {len(varargs)} distances for {len(axes)} axes; give none, one, or one per axis.")
    spacings = varargs if len(varargs) == len(axes) else (varargs or (1.0,)) * len(axes)
    if len(varargs) == 1 < len(axes) and np.ndim(varargs[0]):
        raise ShapeError("gradient: coordinates in one array for several axes; give one array per axis.")
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient: edge_order must be 1 or 2, got {edge_order}.")
    slopes = tuple(_slopes(f, i, h, edge_order) for i, h in zip(axes, spacings, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slopes(f: Any, axis: int, spacing: Any, edge_order: int) -> Any:
    """Compute the slopes along one axis, from steps d between neighbours and the slopes s in these steps."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ArgumentError(
            f"gradient: axis {axis} has {n} samples; edge_order={edge_order} needs at least {edge_order + 1}."
        )
    spacing = as_array(spacing)
    if spacing.ndim and spacing.shape != (n,):
        raise ShapeError(f"gradient: coordinates of shape {spacing.shape} for axis {axis} of length {n}.")
    f = np.moveaxis(f, axis, -1)
    d = (diff(spacing) if spacing.ndim else spacing * np.ones(n - 1)).astype(f.dtype)
    s = diff(f) / d
    before, after = d[:-1], d[1:]
    inside = (after * s[..., :-1] + before * s[..., 1:]) / (before + after)  # exact for parabolas
    first, last = s[..., :1], s[..., -1:]
    if edge_order == 2:
        first = first + (first - s[..., 1:2]) * (d[:1] / (d[:1] + d[1:2]))
        last = last + (last - s[..., -2:-1]) * (d[-1:] / (d[-1:] + d[-2:-1]))
    return np.moveaxis(np.concatenate([first, inside, last], -1), -1, axis)


# ------------------------------------------------------------------------------------------------- values in between


def _interp_samples(rng: np.random.Generator) -> Any:
    x, xp, fp = np.array([[-0.5, 0.3], [1.7, 3.1]]), np.array([0.0, 1.0, 2.5]), draw(rng, (3,))
    yield (x, xp, fp), {}
    yield (x, xp, fp), {"left": 0.5, "right": -0.5}
    yield (x, xp[::-1], fp), {"period": 2.8}
    yield (x, xp[:1], fp[:1]), {}


_places = opaque(np.searchsorted)


@implements(np.interp, domain=_interp_samples)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """Draw straight lines through the points ``(xp, fp)`` and read their heights at ``x``, in float64.

    The slope at a point is that of the line to its right; outside it is 0. Everything but ``period`` may be a Tensor.
    """
    x, xp, fp = as_array(x).astype(float), as_array(xp).astype(float), as_array(fp)
    fp = fp.astype(np.promote_types(fp.dtype, float))
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(f"interp: xp and fp must be vectors of one length > 0, got shapes {xp.shape} and {fp.shape}.")
    if period is not None:
        if not period:
            raise ArgumentError("interp: period must not be 0.")
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    i = np.maximum(_places(xp, x, "right") - 1, 0)
    j = np.minimum(i + 1, xp.size - 1)
    width = xp[j] - xp[i]
    flat = width == 0
    y = fp[i] + np.where(flat, 0.0, (fp[j] - fp[i]) / np.where(flat, 1.0, width)) * (x - xp[i])
    y = np.where(x < xp[0], fp[0] if left is None else left, y)
    return np.where(x > xp[-1], fp[-1] if right is None else right, y)


def _unwrap_samples(rng: np.random.Generator) -> Any:
    yield (np.cumsum(rng.uniform(-5, 5, (3, 4)), -1),), {}
    yield (np.cumsum(rng.uniform(-5, 5, (3, 4)), 0),), {"axis": 0, "period": 4.0}


@opaque
def _turns(p: Any, discont: Any, axis: int, period: Any) -> Any:
    p = np.asarray(p)
    return np.unwrap(p, discont, axis, period=period) - p


@implements(np.unwrap, domain=_unwrap_samples)
def unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    """Add multiples of ``period`` so that neighbours are never more than half of it apart; they have no gradient."""
    if as_array(p).dtype.kind == "c":
        raise real_only("unwrap")
    return p + _turns(p, discont, axis, period)
