"""Axis bookkeeping that the tables of reductions and shapes share, and the inputs on which their rows are tested."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import numpy as np

from autograd.box import KINDS, Box, is_recording
from autograd.errors import ConversionError, DTypeError

Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]

add_reduce: Any = np.add.reduce  # sums of plain arrays, in half the time of np.sum

_VIEW_FROM = 2048  # np.broadcast_to costs 2 µs; below this many elements a filled array is cheaper (0.6 µs)


def kept_shape(shape: Shape, axis: int | tuple[int, ...]) -> Shape:
    """Return the shape that a reduction over ``axis`` has with ``keepdims=True``."""
    kept = list(shape)
    for i in axis if isinstance(axis, tuple) else (axis,):
        kept[i] = 1
    return tuple(kept)


def count(shape: Shape, axis: Axis) -> int:
    """Count the elements that a reduction over ``axis`` folds into one."""
    if axis is None or not shape:
        return prod(shape)
    return prod([shape[i] for i in axis]) if isinstance(axis, tuple) else shape[axis]


def kept(z: Any, shape: Shape, axis: Axis) -> Any:
    """Put the reduced axes of an array back, with length 1, so that it broadcasts against ``shape``."""
    if axis is None or not z.ndim or z.ndim == len(shape):
        return z
    return z.reshape(kept_shape(shape, axis))


def spread(z: Any, shape: Shape, axis: Axis) -> Any:
    """Repeat a reduced array along the axes that were reduced: the transpose of a sum."""
    z = kept(z, shape, axis)
    if isinstance(z, Box) or prod(shape) >= _VIEW_FROM:
        return np.broadcast_to(z, shape)
    full = np.empty(shape, z.dtype)
    full[...] = z
    return full


def merged(x: Any, axis: Axis) -> Any:
    """Move the axes of a reduction to the end and make one of them."""
    order, split = _merge_order(x.ndim, axis)
    rest = tuple(x.shape[i] for i in order[:split])
    return x.transpose(order).reshape((*rest, count(x.shape, axis)))


def unmerged(x: Any, shape: Shape, axis: Axis) -> Any:
    """Undo :func:`merged` for an array that had ``shape`` before."""
    order, _ = _merge_order(len(shape), axis)
    return x.reshape(tuple(shape[i] for i in order)).transpose(inverse(order))


def inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    """Return the permutation that undoes ``order``."""
    return tuple(sorted(range(len(order)), key=lambda i: order[i] % len(order)))


def _merge_order(ndim: int, axis: Axis) -> tuple[tuple[int, ...], int]:
    if axis is None or not ndim:
        return tuple(range(ndim)), 0
    folded = tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,)))
    rest = tuple(i for i in range(ndim) if i not in folded)
    return (*rest, *folded), len(rest)


def by_stride(x: Any) -> list[int]:
    """Return the axes of an array in the order in which they lie in memory, that of the longest steps first."""
    return sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))


def in_memory_order(x: Any) -> Any:
    """View a dense array, whatever the order of its axes, as one axis; None if it has gaps."""
    if not x.flags.c_contiguous:
        x = x.transpose(by_stride(x))
    return x.reshape(-1) if x.flags.c_contiguous else None


# ---------------------------------------------------------------------------------------------- arguments of NumPy's


def as_array(x: Any) -> Any:
    """Return a Tensor or array as it is, and make an array of anything else."""
    return x if isinstance(x, Box | np.ndarray) else np.asarray(x)


def conjugated(x: Any) -> Any:
    """Conjugate complex numbers; real ones stay what they are."""
    return np.conjugate(x) if as_array(x).dtype.kind == "c" else x


def no_out(name: str, out: Any) -> None:
    """Refuse NumPy's ``out=``: a Tensor is a new value each time."""
    if out is not None:
        raise ConversionError(
            f"np.{name}(…, out=…): results of ops on Tensors are new arrays. Write y = np.{name}(…) without out=."
        )


def check_dtype(name: str, a: Any, dtype: Any) -> None:
    """Refuse a ``dtype=`` in which the gradient of ``a`` would be lost, or its imaginary part."""
    if dtype is None:
        return
    kind = np.dtype(dtype).kind
    if kind not in KINDS or (kind not in "fc" and is_recording(a)):
        why = "integers and booleans carry no gradient" if kind in "biu" else "only numbers have gradients"
        raise DTypeError(f"np.{name}(…, dtype={np.dtype(dtype)}): {why}. Pass a float dtype, or x.detach().")
    if kind != "c" and as_array(a).dtype.kind == "c":
        raise DTypeError(
            f"np.{name}(…, dtype={np.dtype(dtype)}) would lose the imaginary part. Pass x.real, x.imag or abs(x)."
        )


# ------------------------------------------------------------------------------------------------------ test inputs


def draw(rng: np.random.Generator, shape: Shape) -> Any:
    """Draw distinct numbers in (-2, 2), apart from each other and from 0, so that no kink is near."""
    n = prod(shape)
    return rng.permutation((np.arange(n) + 0.4) * (4 / max(n, 1)) - 2).reshape(shape)


def cases(*rows: tuple[Any, ...]) -> Callable[[np.random.Generator], Iterator[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """Make a domain: each row is a shape (or a list of shapes), then further arguments, then (if a dict) keywords."""

    def samples(rng: np.random.Generator) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
        for what, *rest in rows:
            kwargs = rest.pop() if rest and isinstance(rest[-1], dict) else {}
            first = [draw(rng, shape) for shape in what] if isinstance(what, list) else draw(rng, what)
            yield (first, *rest), kwargs

    return samples
