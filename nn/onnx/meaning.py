"""What ONNX's ops mean where NumPy's functions of the same name mean something else: integers, empty axes, defaults.

The standard leaves some of it open; then onnxruntime decides. Used by ``nn.onnx.reader``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError


def ints(values: Any) -> tuple[int, ...]:
    """Read a tensor of integers."""
    return tuple(int(n) for n in np.ravel(plain(values)))


def plain(x: Any) -> Any:
    """Return the array of a Tensor."""
    return x.data if isinstance(x, ag.Tensor) else np.asarray(x)


def is_float(x: Any) -> bool:
    """Tell whether ``x`` holds floating-point numbers."""
    return bool(x.dtype.kind == "f")


# ----------------------------------------------------------------------------------------------------------- arithmetic


def divide(a: Any, b: Any) -> Any:
    """Divide; integers are rounded towards 0."""
    if is_float(a):
        return np.divide(a, b)
    if not np.all(b):
        raise ArgumentError("integers are divided by 0")
    quotient = a // b
    return quotient + ((a % b != 0) & ((a < 0) != (b < 0)))


def power(a: Any, b: Any) -> Any:
    """Return aᵇ in the dtype of a, whatever that of b."""
    if is_float(a):
        return np.power(a, b.astype(a.dtype))
    y = np.power(a.astype(np.float64), plain(b).astype(np.float64))
    if not np.all(np.abs(y) < 2.0**53):
        raise ArgumentError("a power of integers leaves the range in which float64 is exact")
    return np.trunc(y).astype(a.dtype)


def modulo(a: Any, b: Any, fmod: int = 0) -> Any:
    """Return the rest of a division, with the sign of b, or of a with ``fmod``."""
    if not is_float(a) and not np.all(b):
        raise ArgumentError("integers are divided by 0")
    return (np.fmod if fmod else np.remainder)(a, b)


def cumsum(x: Any, axis: Any) -> Any:
    """Sum up along one axis, in the dtype of x."""
    (axis,) = ints(axis)
    return np.cumsum(x, axis) if is_float(x) else np.cumsum(x, axis, dtype=x.dtype)


# ----------------------------------------------------------------------------------------------------------- reductions


def reduction(f: Callable[..., Any], integers: bool = False) -> Callable[..., Any]:
    """Reduce over ``axes``; where there are none, over all, or over none with ``noop_with_empty_axes``."""

    def run(x: Any, axes: Any = None, keepdims: int = 1, noop_with_empty_axes: int = 0) -> Any:
        chosen = () if axes is None else ints(axes)
        if not chosen:
            if noop_with_empty_axes:
                return np.absolute(x) if f is root_of_squares else x
            chosen = tuple(range(x.ndim))
        if not x.size:
            raise ArgumentError("nothing is left to reduce")
        if is_float(x):
            return f(x, axis=chosen, keepdims=bool(keepdims))
        if not integers:
            raise ArgumentError(f"{x.dtype} has no counterpart")
        return np.asarray(f(x, axis=chosen, keepdims=bool(keepdims))).astype(x.dtype)

    return run


def root_of_squares(x: Any, axis: Sequence[int], keepdims: bool) -> Any:
    """Norm axis by axis, as each norm has the right slope at 0."""
    for a in sorted((a % x.ndim for a in axis), reverse=True):
        x = np.linalg.norm(x, axis=a, keepdims=keepdims)
    return x


# --------------------------------------------------------------------------------------------------------------- shapes


def cut(x: Any, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    """Slice; what lies outside is brought to the nearest end, whichever way the steps go."""
    n, index = len(ints(starts)), [slice(None)] * x.ndim
    axes, steps = range(n) if axes is None else ints(axes), [1] * n if steps is None else ints(steps)
    for axis, start, end, step in zip(axes, ints(starts), ints(ends), steps, strict=True):
        length = x.shape[axis]
        last = length - 1 if step < 0 else length
        start = min(max(start + length * (start < 0), 0), max(last, 0))
        end = min(max(end + length * (end < 0), -1 if step < 0 else 0), length)
        index[axis] = slice(start, None if end < 0 else end, step)
    return x[tuple(index)]


def split(x: Any, sizes: Any = None, axis: int = 0, num_outputs: int | None = None, *, count: int) -> Any:
    """Split into the given sizes, or into ``count`` parts of one size (the last one shorter, with ``num_outputs``)."""
    if sizes is None:
        each = -(-x.shape[axis] // count)
        if each * count != x.shape[axis] and num_outputs is None:
            raise ArgumentError(f"an axis of length {x.shape[axis]} is split into {count} equal parts")
        sizes = [min(each, x.shape[axis] - i * each) for i in range(count)]
    if sum(ints(sizes)) != x.shape[axis] or min(ints(sizes)) < 0:
        raise ArgumentError(f"an axis of length {x.shape[axis]} is split into parts of {ints(sizes)}")
    return tuple(np.split(x, np.cumsum(ints(sizes))[:-1], axis))


def pad(x: Any, pads: Any, value: Any = None, axes: Any = None) -> Any:
    """Pad by a constant, in the dtype of x; a negative width cuts off."""
    chosen = range(x.ndim) if axes is None else [a % x.ndim for a in ints(axes)]
    widths, given = [(0, 0)] * x.ndim, sides(ints(pads))
    for axis, pair in zip(chosen, given, strict=True):
        widths[axis] = pair
    if min(map(min, widths), default=0) < 0:
        raise ArgumentError("pads are negative")
    number = np.zeros((), x.dtype) if value is None else plain(value).reshape(())
    return np.pad(x, widths, constant_values=number[()])


def sides(pads: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Bring ONNX's order, all beginnings and then all ends, to one pair per axis."""
    return list(zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True))


def squeeze(x: Any, axes: Any = None) -> Any:
    """Drop axes of length 1: all, where none are named."""
    return np.squeeze(x, None if axes is None or not ints(axes) else ints(axes))


def reshape(x: Any, shape: Any) -> Any:
    """Reshape; 0 keeps the length of that axis."""
    return np.reshape(x, [x.shape[i] if n == 0 else n for i, n in enumerate(ints(shape))])
