"""NumPy's functions that pick elements: along an axis, by a condition, by the numbers of choices."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, DTypeError, ShapeError
from autograd.ops.axes import as_array, no_out
from autograd.ops.indexing import Samples, gather, getitem, scatter
from autograd.ops.indices import freeze
from autograd.primitive import implements, opaque


def _take_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    yield (x, [5, 0, 5]), {}
    yield (x, np.array([[1, 1], [-1, 0]])), {"axis": 1}
    yield (x, 2), {"axis": 0}
    yield (x, [7, -5, 1]), {"axis": -1, "mode": "wrap"}
    yield (x, [7, -5, 1]), {"axis": 0, "mode": "clip"}


_copied = opaque(np.array)


@implements(np.take, domain=_take_samples)
def take(a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Any:
    """Pick elements along an axis (of the flat array for None); the gradient adds up where one is picked repeatedly."""
    no_out("take", out)
    indices = _copied(indices)
    if indices.size == 0 or indices.dtype.kind == "b":  # NumPy takes booleans for 0 and 1 here, not for a mask
        indices = indices.astype(np.intp)
    if axis is None:
        a, axis = np.ravel(a), 0
    shape = np.shape(a)
    axis = _axis(axis, len(shape))
    if mode == "wrap":
        indices = indices % shape[axis]
    elif mode == "clip":
        indices = np.clip(indices, 0, shape[axis] - 1)
    elif mode != "raise":
        raise ArgumentError(f"take: mode must be 'raise', 'wrap' or 'clip', got {mode!r}.")
    taken = getitem(a, (slice(None),) * axis + (indices,))
    return taken if indices.ndim or len(shape) == 1 else np.copy(taken)  # a single index would give a view


def _axis(axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(axis, ndim)
    return axis % ndim


def _along_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    yield (x, np.array([[0, 0], [3, 1], [2, -1]]), 1), {}
    yield (x, np.array([[2, 0, 2, 1]])), {"axis": 0}
    yield (x, np.array([11, 3, 3]), None), {}


@implements(np.take_along_axis, domain=_along_samples)
def take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Pick ``arr[…, indices[…, i, …], …]`` along an axis: what ``argsort`` or ``argmax`` found, say."""
    return along(arr, _copied(indices), axis)


def along(x: Any, indices: Any, axis: int | None, unique: bool = False) -> Any:
    """Pick along an axis; ``unique`` says that no element is picked twice, which makes the gradient cheaper."""
    if axis is None:
        x, axis = np.ravel(x), 0
    ndim, shape = np.ndim(x), np.shape(x)
    if indices.ndim != ndim:
        raise ShapeError(
            f"take_along_axis: indices of shape {indices.shape} need as many axes as arr of shape {shape}."
        )
    axis = _axis(axis, ndim)
    mesh = [np.arange(n).reshape((n,) + (1,) * (ndim - 1 - i)) for i, n in enumerate(shape)]
    mesh[axis] = indices
    return gather(x, index=tuple(mesh), unique=unique)


def _choose_samples(rng: np.random.Generator) -> Samples:
    x, y = rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, 3)
    yield (np.array([[0, 1, 1], [1, 0, 0]]), [x, y]), {}
    yield (np.array([4, -1, 1]), [x, y]), {"mode": "clip"}
    yield (np.array([4, -1, 1]), [x, y]), {"mode": "wrap"}


@implements(np.choose, domain=_choose_samples)
def choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    """Take each element from the choice that the index array ``a`` names: ``choices[a[i]][i]``, all broadcast."""
    no_out("choose", out)
    a, n = np.asarray(unbox(a)), len(choices)
    if mode == "wrap":
        a = a % n
    elif mode == "clip":
        a = np.clip(a, 0, n - 1)
    elif mode != "raise":
        raise ArgumentError(f"choose: mode must be 'raise', 'wrap' or 'clip', got {mode!r}.")
    if a.size and (a.min() < 0 or a.max() >= n):
        raise ArgumentError(
            f"choose: a holds {a.min()} to {a.max()}, but there are {n} choices. Use mode='wrap' or 'clip'."
        )
    if a.dtype.kind not in "iub":
        raise DTypeError(f"choose: a must hold integers, got {a.dtype}.")
    return select([a == i for i in range(1, n)], [choices[i] for i in range(1, n)], choices[0], _shape=a.shape)


def _select_samples(rng: np.random.Generator) -> Samples:
    x, y = rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, 3)
    yield ([x > 0, x < -1], [x, y]), {}
    yield ([x > 0, y < 0], [x, y], 1.5), {}


@implements(np.select, domain=_select_samples)
def select(condlist: Any, choicelist: Any, default: Any = 0, *, _shape: tuple[int, ...] = ()) -> Any:
    """Take each element from the first choice whose condition holds there, else from ``default``."""
    if len(condlist) != len(choicelist):
        raise ArgumentError(
            f"select: {len(condlist)} conditions for {len(choicelist)} choices; there must be one for each."
        )
    conditions = [_copied(condition) for condition in condlist]
    for i, condition in enumerate(conditions):
        if condition.dtype.kind != "b":
            raise DTypeError(f"select: condlist[{i}] must hold booleans, got {condition.dtype}.")
    y = default
    for condition, choice in zip(reversed(conditions), reversed(list(choicelist)), strict=True):
        y = np.where(condition, choice, y)
    shape = np.broadcast_shapes(_shape, np.shape(y))
    y = y if shape == np.shape(y) else np.broadcast_to(y, shape)
    return y if condlist else np.copy(y)  # an array of its own in any case


def _compress_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    yield (np.array([False, True, True]), x), {"axis": 0}
    yield ([True, False, True], x), {"axis": 1}
    yield (np.array([True, False, True, True]), x), {}


@implements(np.compress, domain=_compress_samples)
def compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    """Pick the slices along an axis (elements of the flat array for None) where a condition holds."""
    no_out("compress", out)
    condition = np.asarray(unbox(condition))
    if condition.ndim != 1:
        raise ShapeError(f"compress: condition must have one axis, got shape {condition.shape}.")
    chosen, length = np.flatnonzero(condition), np.size(a) if axis is None else np.shape(a)[axis]
    if chosen.size and chosen[-1] >= length:
        raise ShapeError(
            f"compress: condition of shape {condition.shape} chooses element {chosen[-1]} of {length}, where a has "
            f"shape {np.shape(a)}; it must not be longer."
        )
    return take(a, chosen, axis)


def _extract_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    yield (x > 0, x), {}


@implements(np.extract, domain=_extract_samples)
def extract(condition: Any, arr: Any) -> Any:
    """Pick the elements of the flat array where a condition holds."""
    return take(arr, np.flatnonzero(unbox(condition)))


def _delete_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    yield (x, [0, 2]), {"axis": 1}
    yield (x, 1), {"axis": 0}
    yield (x, slice(0, 5)), {}


@implements(np.delete, domain=_delete_samples)
def delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    """Leave out slices along an axis (elements of the flat array for None)."""
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return take(arr, np.delete(np.arange(np.shape(arr)[axis]), unbox(obj)), axis)


def _bincount_samples(rng: np.random.Generator) -> Samples:
    yield (np.array([1, 0, 3, 1]), rng.uniform(-2, 2, 4)), {}
    yield (np.array([2, 2]), rng.uniform(-2, 2, 2), 5), {}


@implements(np.bincount, domain=_bincount_samples)
def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """Count how often each number 0, 1, 2 … occurs, or add up the weights of its places, in float64."""
    counts = np.bincount(unbox(x), minlength=minlength)
    if weights is None:
        return counts
    weights = as_array(weights)
    if weights.shape != np.shape(x):
        raise ShapeError(
            f"bincount: weights of shape {weights.shape} for numbers of shape {np.shape(x)}; they must be equal."
        )
    return scatter(weights.astype(float), shape=counts.shape, index=freeze(x)[0])


@implements(np.trim_zeros, domain=lambda rng: iter([((rng.uniform(1, 2, 4),), {}), ((rng.uniform(1, 2, 4), "f"), {})]))
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    """Cut zeros off the front ("f") and the back ("b"): a slice, whose ends do not change with small changes."""
    x = as_array(filt)
    if not set(trim.lower()) <= set("fb"):
        raise ArgumentError(f"trim_zeros: trim must be made of 'f' and 'b', got {trim!r}.")
    found = np.argwhere(unbox(x))
    axes = range(x.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, x.ndim)
    index = [slice(None)] * x.ndim
    for i in axes:
        start, stop = (found[:, i].min(), found[:, i].max() + 1) if len(found) else (0, 0)
        index[i] = slice(
            int(start) if "f" in trim.lower() or not len(found) else None,
            int(stop) if "b" in trim.lower() or not len(found) else None,
        )
    return x[tuple(index)]
