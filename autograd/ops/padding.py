"""Making arrays larger by repeating what they hold: ``pad``, ``tile``, ``resize``."""

from math import prod
from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import Box, contains_box, unbox, wrap
from autograd.errors import ArgumentError
from autograd.ops.axes import Shape, as_array, cases
from autograd.ops.shapes import ravel, reshape
from autograd.primitive import implements, op

# -------------------------------------------------------------------------------------------------------- repeating


def _tile_vjp(g: Any, shapes: Any, reps: tuple[int, ...]) -> Any:
    """Sum over the copies: reshape to (rep₀, n₀, rep₁, n₁, …) and sum the rep axes."""
    shape = shapes[0]
    ndim = np.maximum(len(reps), len(shape)).item()
    lengths = (1,) * (ndim - len(shape)) + shape
    times = (1,) * (ndim - len(reps)) + reps
    pairs = tuple(n for pair in zip(times, lengths, strict=True) for n in pair)
    return g.reshape(pairs).sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(shape)


_tile = op(np.tile, inputs=["A"], vjp=_tile_vjp, linear=True, batch=lanes.tiled)


@implements(np.tile, domain=cases(((2, 3), 2), ((2, 3), (2, 1, 2)), ((2, 1, 2), (3,)), ((), 3), ((2,), {"reps": 0})))
def tile(A: Any, reps: Any) -> Any:
    """Repeat the whole array ``reps`` times along each axis."""
    return _tile(A, tuple(int(n) for n in np.atleast_1d(unbox(reps))))


@implements(np.resize, domain=cases(((2, 3), (4, 2)), ((2, 3), (2, 2)), ((3,), 5)))
def resize(a: Any, new_shape: Any) -> Any:
    """Fill a new shape, repeating the elements in order until it is full."""
    shape = (new_shape,) if np.ndim(new_shape) == 0 else tuple(new_shape)
    flat, size = ravel(a), prod(shape)
    if not flat.size and size:
        return np.zeros(shape, flat.dtype)
    return reshape(np.take(flat, np.arange(size) % max(flat.size, 1)), shape)


# ---------------------------------------------------------------------------------------------------------- padding

Widths = tuple[tuple[int, int], ...]


def _pad_forward(array: Any, widths: Widths = (), constant_values: Any = 0) -> Any:
    array = np.asarray(array)
    if np.ndim(constant_values):
        return np.pad(array, widths or 0, constant_values=constant_values)
    shape = [n + before + after for n, (before, after) in zip(array.shape, widths, strict=True)]
    full = np.full(shape, constant_values, array.dtype)
    full[_middle(array.shape, widths)] = array
    return full


def _middle(shape: Shape, widths: Widths) -> tuple[slice, ...]:
    """Return the place of the original array in the padded one."""
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))


def _pad_vjp(g: Any, shapes: Any, widths: Widths) -> Any:
    return g[_middle(shapes[0], widths)]


def _pad_lanes(call: lanes.Call, widths: Widths = (), constant_values: Any = 0) -> Any:
    if np.ndim(constant_values):
        return None
    return call.run(call.inputs[0], widths=((0, 0), *widths), constant_values=constant_values)


_pad = op(_pad_forward, name="pad", inputs=["array"], vjp=_pad_vjp, batch=_pad_lanes)
_INDEX_MODES = ("edge", "reflect", "symmetric", "wrap")


def _widths(pad_width: Any, ndim: int) -> Widths:
    """Read NumPy's many forms of ``pad_width``: a number, one or two per axis, or a dict from axes to them."""
    if isinstance(pad_width, dict):
        rows = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            rows[axis] = (width, width) if np.ndim(width) == 0 else tuple(width)
        pad_width = rows
    array = np.asarray(pad_width)
    if array.dtype.kind not in "iu":
        raise ArgumentError(f"pad: pad_width must be made of integers, got dtype {array.dtype}.")
    if array.size and array.min() < 0:
        raise ArgumentError(f"pad: pad_width must not be negative, got {pad_width}. Slice to cut elements off.")
    try:
        return tuple((before, after) for before, after in np.broadcast_to(array, (ndim, 2)).tolist())
    except ValueError:
        raise ArgumentError(
            f"pad: pad_width of shape {array.shape} does not fit an array with {ndim} axes; give a number, "
            f"(before, after), or {ndim} such pairs."
        ) from None


@implements(
    np.pad,
    domain=cases(
        ((2, 3), 1),
        ((2, 3), ((0, 1), (2, 0)), {"constant_values": 0.5}),
        ((3,), (2, 1), {"mode": "edge"}),
        ((), 1),
        ((2, 3), ((1, 1), (5, 4)), {"mode": "reflect"}),
        ((2, 3), ((3, 0), (1, 4)), {"mode": "symmetric"}),
        ((2, 3), ((0, 0), (4, 5)), {"mode": "wrap"}),
        ((2, 3), 1, {"constant_values": (0.5, 1.5)}),
        ((3, 4), ((2, 1), (5, 7)), {"mode": "reflect", "reflect_type": "odd"}),
        ((3, 4), ((2, 1), (5, 9)), {"mode": "symmetric", "reflect_type": "odd"}),
        ((3, 4), ((2, 1), (0, 3)), {"mode": "linear_ramp"}),
        ((3, 4), 2, {"mode": "maximum"}),
        ((3, 5), ((2, 1), (0, 3)), {"mode": "minimum", "stat_length": 2}),
        ((3, 4), 1, {"mode": "mean", "stat_length": ((1, 2), (3, 9))}),
        ((3, 4), ((2, 1), (0, 3)), {"mode": "median"}),
    ),
)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Lengthen the axes at both ends: by constants, or by the array's own elements.

    All of NumPy's modes; the gradient of a repeated element is the sum over its copies, ``empty`` gives zeros. A
    function as ``mode`` writes into views of the padded array, as NumPy's documentation says.
    """
    array = as_array(array)
    widths = _widths(pad_width, array.ndim)
    if mode == "constant" and not contains_box(kwargs.get("constant_values")):
        return _pad(array, widths, **kwargs)
    if callable(mode):
        return _by_function(_pad(array, widths), widths, mode, kwargs)
    known = _OPTIONS.get(mode)
    if known is None or not set(kwargs) <= set(known):
        extra = sorted(set(kwargs) - set(known or ()))
        what = f"mode={mode!r} takes no {', '.join(extra)}" if known is not None else f"mode={mode!r} is not one"
        raise ArgumentError(f"pad: {what}; modes are {', '.join(_OPTIONS)}, or a function.")
    if mode == "empty":
        return _pad(array, widths)
    if array.dtype.kind not in "fc" and (mode in _STATISTICS or mode == "linear_ramp"):  # NumPy rounds these
        y = np.pad(unbox(array), widths or 0, mode, **unbox(kwargs))
        return wrap(y) if isinstance(array, Box) else y
    odd = kwargs.get("reflect_type", "even") == "odd"
    for axis, width in enumerate(widths):
        if width == (0, 0):
            continue
        if mode in _INDEX_MODES and not odd:
            array = np.take(array, np.pad(np.arange(array.shape[axis]), width, mode), axis)
        elif odd:
            array = _reflected_oddly(array, axis, width, mode)
        else:
            array = _between(array, axis, width, mode, kwargs, len(widths))
    return array if any(width != (0, 0) for width in widths) else np.copy(array)


_STATISTICS: dict[str, Any] = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}
_OPTIONS: dict[Any, tuple[str, ...]] = {
    "constant": ("constant_values",),
    "edge": (),
    "empty": (),
    "linear_ramp": ("end_values",),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
    "wrap": (),
    **dict.fromkeys(_STATISTICS, ("stat_length",)),
}


def _by_function(padded: Any, widths: Widths, function: Any, kwargs: dict[str, Any]) -> Any:
    """Call ``function(vector, width, axis, kwargs)`` on each vector of each axis: it writes into it."""
    for axis, width in enumerate(widths):
        view = np.moveaxis(padded, axis, -1)
        for index in np.ndindex(*view.shape[:-1]):
            function(view[index], width, axis, kwargs)
    return padded


def _reflected_oddly(x: Any, axis: int, width: tuple[int, int], mode: str) -> Any:
    """Turn the array around its ends, so that it goes on in the direction that it came from.

    With the period p, place i = q p + r is x[r] + q (last - first) for even q, else first + last - x[p - r] + q (…).
    """
    n = x.shape[axis]
    if n == 1:
        return np.take(x, np.zeros(1 + sum(width), int), axis)
    period = n - 1 if mode == "reflect" else n
    q, r = np.divmod(np.arange(-width[0], n + width[1]), period)
    shape = [-1 if i == axis else 1 for i in range(x.ndim)]
    place = np.where(q % 2, n - 1 - r, r)
    first, last = np.take(x, [0], axis), np.take(x, [n - 1], axis)
    turned, times = (q % 2).reshape(shape).astype(x.dtype), q.reshape(shape).astype(x.dtype)
    return np.take(x, place, axis) * (1 - 2 * turned) + turned * (first + last) + times * (last - first)


def _between(x: Any, axis: int, width: tuple[int, int], mode: str, kwargs: dict[str, Any], ndim: int) -> Any:
    """Join what stands before and behind: a constant, a statistic of the values at that end, a ramp to a value."""
    name = _OPTIONS[mode][0]
    option, n, ends = kwargs.get(name, None if mode in _STATISTICS else 0), x.shape[axis], list[Any]()
    given: Any = None if option is None else np.broadcast_to(as_array(option), (ndim, 2))[axis]
    for side, count in enumerate(width):
        kept = [count if i == axis else k for i, k in enumerate(x.shape)]
        if mode in _STATISTICS:
            length = n if given is None else int(min(unbox(given[side]), n))
            part = np.take(x, np.arange(length) if side == 0 else np.arange(n - length, n), axis)
            value = _STATISTICS[mode](part, axis=axis, keepdims=True)
        else:
            value = given[side].astype(x.dtype)
        if mode == "linear_ramp":
            t = (np.arange(count) / max(count, 1)).astype(x.dtype)
            t = (t if side == 0 else t[::-1]).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
            value = (1 - t) * value + t * np.take(x, [0 if side == 0 else n - 1], axis)
        ends.append(np.broadcast_to(value, kept).astype(x.dtype))
    return np.concatenate([ends[0], x, ends[1]], axis)
