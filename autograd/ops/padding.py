"""Making arrays larger by repeating what they hold: ``pad``, ``tile``, ``resize``."""

from math import prod
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import Shape, as_array, cases
from autograd.ops.shapes import ravel, reshape
from autograd.primitive import implements, op

# -------------------------------------------------------------------------------------------------------- repeating


def _tile_forward(A: Any, reps: tuple[int, ...] = ()) -> Any:
    return np.tile(A, reps)


def _tile_vjp(g: Any, shapes: Any, reps: tuple[int, ...]) -> Any:
    """Sum over the copies: reshape to (rep₀, n₀, rep₁, n₁, …) and sum the rep axes."""
    shape = shapes[0]
    ndim = np.maximum(len(reps), len(shape)).item()
    lengths = (1,) * (ndim - len(shape)) + shape
    times = (1,) * (ndim - len(reps)) + reps
    pairs = tuple(n for pair in zip(times, lengths, strict=True) for n in pair)
    return g.reshape(pairs).sum(axis=tuple(range(0, 2 * ndim, 2))).reshape(shape)


_tile = op(_tile_forward, name="tile", inputs=["A"], vjp=_tile_vjp)


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


_pad = op(_pad_forward, name="pad", inputs=["array"], vjp=_pad_vjp)
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
    ),
)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Any:
    """Lengthen the axes at both ends: by constants, or by the array's own elements.

    Modes ``constant`` (``constant_values=0``), ``edge``, ``reflect``, ``symmetric`` and ``wrap``; the gradient of a
    repeated element is the sum over its copies. Other modes of NumPy raise MissingRule.
    """
    array = as_array(array)
    widths = _widths(pad_width, array.ndim)
    if mode == "constant":
        return _pad(array, widths, **kwargs)
    odd = kwargs.pop("reflect_type", "even") != "even"
    if mode not in _INDEX_MODES or kwargs or odd:
        what = "reflect_type='odd'" if odd else f"mode={mode!r}" if mode not in _INDEX_MODES else ", ".join(kwargs)
        raise MissingRule(f"np.pad(…, {what}) has no gradient rule. Modes: constant, {', '.join(_INDEX_MODES)}.")
    for axis, width in enumerate(widths):
        if width != (0, 0):
            array = np.take(array, np.pad(np.arange(array.shape[axis]), width, mode), axis)
    return array if any(width != (0, 0) for width in widths) else np.copy(array)
