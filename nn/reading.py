"""Reading: what ``fit``, ``evaluate`` and ``predict`` are given becomes arrays with samples along axis 0, or an error.

Several inputs or targets are a tuple or a dict of arrays. Frames lose their names here and sparse matrices stay sparse,
so what depends on that is looked at before.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.frames import is_frame
from nn.inputs import numbers

Array = NDArray[Any]


def each(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to each of several arrays, or to the one.

    >>> each(len, (np.ones(2), {"a": np.ones(3)})), each(len, np.ones(4))
    ((2, {'a': 3}), 4)
    """
    if isinstance(tree, tuple | list):
        return tuple(each(function, part) for part in tree)
    if isinstance(tree, Mapping):
        return {name: each(function, part) for name, part in tree.items()}
    return function(tree)


def leaves(tree: Any) -> list[Any]:
    """List the arrays of a tuple or dict, or the one."""
    parts = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, tuple | list) else None
    return [tree] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def size(tree: Any) -> int:
    """Count the samples."""
    return len(leaves(tree)[0])


def joined(trees: list[Any]) -> Any:
    """Put the rows of many batches one after the other."""
    first = trees[0]
    if isinstance(first, tuple | list):
        return tuple(joined([tree[i] for tree in trees]) for i in range(len(first)))
    if isinstance(first, Mapping):
        return {name: joined([tree[name] for tree in trees]) for name in first}
    shapes = {tree.shape[1:] for tree in trees}
    if len(shapes) > 1:
        raise ShapeError(
            f"batches with rows of shapes {', '.join(map(str, sorted(shapes)))} cannot be put together, as predict and "
            "metrics over all samples need. Pad them to one length."
        )
    return np.concatenate(trees)


# ------------------------------------------------------------------------------------------------------------- arrays


def samples(value: Any, name: str) -> Any:
    """Read an array of numbers with samples along axis 0; rows of a sparse matrix become dense batch by batch."""
    if hasattr(value, "tocsr"):
        return Sparse(value.tocsr())
    array = numbers(value.data if isinstance(value, ag.Tensor) else value, name)
    if not array.ndim:
        raise ShapeError(f"{name} is a single number; the first axis must count samples.")
    return array


def as_data(value: Any, name: str, who: str) -> Any:
    """Read finite numbers with samples along axis 0: an array, or a tuple or dict of them."""
    return parts(value, f"{who}: {name}", _finite)


def _finite(value: Any, name: str) -> Any:
    array = samples(value, name)
    held = array.matrix.data if isinstance(array, Sparse) else array
    if held.dtype.kind == "f" and not np.isfinite(held).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(held))[0])
        place = array.place(first[0]) if isinstance(array, Sparse) else first
        column = f" (column {list(value.columns)[place[1]]!r})" if is_frame(value) else ""
        raise ArgumentError(
            f"{name}[{', '.join(map(str, place))}]{column} is {held[first]}. Remove or replace values that are not "
            "finite."
        )
    return array


def parts(value: Any, name: str, read: Callable[[Any, str], Any]) -> Any:
    """Read several arrays, or the one."""
    if isinstance(value, tuple) and is_several(value):
        return tuple(read(part, f"{name}[{i}]") for i, part in enumerate(value))
    if isinstance(value, list) and len({part.shape for part in value if hasattr(part, "shape")}) > 1:
        raise ShapeError(f"{name} is a list of arrays of several shapes. Several inputs are a tuple (a, b) of arrays.")
    if isinstance(value, Mapping) and not hasattr(value, "__array__"):
        if not value:
            raise ArgumentError(f"{name} is an empty dict.")
        return {key: read(part, f"{name}[{key!r}]") for key, part in value.items()}
    return read(value, name)


def is_several(value: Any) -> bool:
    """Tell whether these are several arrays, and not samples: a dict, or a tuple of arrays."""
    if isinstance(value, Mapping):
        return not hasattr(value, "__array__")
    return isinstance(value, tuple) and bool(value) and all(hasattr(part, "shape") and part.shape for part in value)


def is_data(x: Any) -> bool:
    """Tell whether ``x`` is an array, or is read as one."""
    return isinstance(x, np.ndarray | ag.Tensor) or hasattr(x, "__array__") or hasattr(x, "tocsr")


def is_source(x: Any) -> bool:
    """Tell whether ``x`` gives batches: an iterable, or Keras' Sequence, which has a length and batches by number."""
    return isinstance(x, Iterable) or (isinstance(x, Sized) and hasattr(x, "__getitem__"))


def items(source: Any) -> Iterator[Any]:
    """Walk through the batches of a source."""
    return iter(source) if isinstance(source, Iterable) else (source[i] for i in range(len(source)))


def count(source: Any) -> int | None:
    """Count the batches of a source, if it knows that: a DataLoader has a length that not each of its kind can tell."""
    try:
        return len(source) if isinstance(source, Sized) else None
    except TypeError:
        return None


def equal_lengths(x: Any, y: Any, where: str) -> None:
    """Refuse inputs and targets with different numbers of samples."""
    n = size(x)
    for name, tree in (("x", x), ("y", y)):
        for leaf in leaves(tree):
            if len(leaf) != n:
                hint = " Several inputs are a tuple (a, b) of arrays." if isinstance(x, np.ndarray) else ""
                what = f"x has {n} samples and {'another part of it' if name == 'x' else name} has {len(leaf)}"
                raise ShapeError(f"{where}{what}; they must be equal.{hint if n <= 3 < len(leaf) else ''}")


class Sparse:
    """Hold a sparse matrix of which a few rows at a time become an array."""

    def __init__(self, matrix: Any) -> None:
        self.matrix, self.dtype, self.shape = matrix, matrix.dtype, matrix.shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: Any) -> Any:
        return self.matrix[rows].toarray()

    def place(self, i: int) -> tuple[int, int]:
        """Return row and column of the number that is stored as the i-th."""
        return int(np.searchsorted(self.matrix.indptr, i, side="right")) - 1, int(self.matrix.indices[i])

    def tocsr(self) -> Any:
        return self.matrix


def dense(array: Any) -> Any:
    """Return the array of a few rows, sparse or not."""
    return array[:] if isinstance(array, Sparse) else array


# -------------------------------------------------------------------------------------------- what comes with the data


def split_off(x: Any, y: Any, share: float) -> tuple[Any, Any, tuple[Any, Any, Any] | None]:
    """Take the last ``share`` of the samples for validation, before anything is shuffled."""
    if not isinstance(share, Real) or not 0 <= float(share) < 1:
        raise ArgumentError(f"fit: validation_split must be in [0, 1), got {share!r}.")
    if not share:
        return x, y, None
    if y is None:
        raise ArgumentError(
            "fit: validation_split needs arrays x and y; pass validation_data with an iterable of batches."
        )
    x, y = as_data(x, "x", "fit"), as_data(y, "y", "fit")
    equal_lengths(x, y, "fit: ")
    n = size(x)
    cut = n - int(n * share)
    if cut in (0, n):
        raise ArgumentError(f"fit: validation_split={share} of {n} samples leaves one side empty.")
    (x, held_x), (y, held_y) = (_cut(tree, cut) for tree in (x, y))
    return x, y, (held_x, held_y, None)


def _cut(tree: Any, at: int) -> tuple[Any, Any]:
    def part(array: Any, rows: slice) -> Any:
        return Sparse(array.matrix[rows]) if isinstance(array, Sparse) else array[rows]

    return each(lambda a: part(a, slice(at)), tree), each(lambda a: part(a, slice(at, None)), tree)


def as_evaluation(data: Any, several: bool) -> tuple[Any, Any, Any]:
    """Read ``validation_data`` as x, y and weights, or as (batches, None, None).

    A tuple may be (x, y), (x, y, weights) or two or three batches, as its parts are pairs of arrays; these are an x and
    a y where the model has ``several`` inputs.
    """
    if not isinstance(data, tuple) or len(data) not in (2, 3):
        return data, None, None
    batches = all(
        isinstance(item, tuple | list) and len(item) in (2, 3) and all(hasattr(part, "__array__") for part in item)
        for item in data
    )
    if batches and not several:
        return data, None, None
    return data[0], data[1], data[2] if len(data) == 3 else None


def read_weight(weight: Any, y: Any, name: str, who: str, total: int | None = None) -> Array:
    """Read weights per sample (N,) or per loss: of the shape of ``y``, or its first axes, or it without the classes.

    ``total`` counts the samples where ``y`` is only the first part of them.
    """
    n = size(y) if total is None else total
    array = as_data(weight, name, who) if np.ndim(weight) else np.empty(())
    if not isinstance(array, np.ndarray) or array.ndim == 0 or len(array) != n:
        got = (
            f"shape {array.shape}" if getattr(array, "ndim", 0) else "one number" if np.ndim(weight) == 0 else "several"
        )
        raise ShapeError(f"{who}: {name} must be {n} numbers that are not negative, one per sample, got {got}.")
    array = array.astype(np.float64)
    if (array < 0).any():
        place = tuple(int(i) for i in np.argwhere(array < 0)[0])
        raise ArgumentError(
            f"{who}: {name}[{', '.join(map(str, place))}] is {array[place]:g}; weights must be finite and not negative."
        )
    shape = y.shape[1:] if isinstance(y, np.ndarray) else ()
    deep = array.ndim - 1
    if array.shape[1:] not in (shape[:deep], shape[1:][:deep]) or deep > len(shape):
        raise ShapeError(
            f"{who}: {name} has shape {array.shape} for y of shape {(n, *shape)}. Give one per sample, ({n},), or one "
            "per element of y."
        )
    return array


# ------------------------------------------------------------------------------------------------------ names of frames


def columns_of(x: Any) -> list[Any]:
    """List the names of the columns of each table among the inputs, None for what has none."""
    return [list(part.columns) if is_frame(part) else None for part in leaves(x)] if is_data(x) or is_several(x) else []


def same_columns(there: list[Any], here: list[Any], who: str) -> None:
    """Refuse tables whose columns are not those that ``fit`` had: columns are inputs by their place."""
    for first, now in zip(there, here, strict=False):
        if first is None or now is None or first == now:
            continue
        missing = [name for name in first if name not in now]
        new = [name for name in now if name not in first]
        what = (
            f"column {missing[0]!r}, which fit had, is missing"
            if missing
            else f"column {new[0]!r} is new"
            if new
            else "the columns are in another order than in fit"
        )
        raise ArgumentError(f"{who}: {what}. Columns are read by their place: pass x[{first}].")


def same_rows(x: Any, others: Mapping[str, Any], who: str) -> None:
    """Refuse tables that have one index in two orders: rows are taken by their place, and so would not be pairs."""
    named = [part for part in leaves(x) if hasattr(part, "iloc")] if is_data(x) or is_several(x) else []
    for name, tree in others.items():
        for part in leaves(tree) if hasattr(tree, "iloc") or is_several(tree) else []:
            for table in named:
                if hasattr(part, "iloc") and _shuffled(table.index, part.index):
                    raise ArgumentError(
                        f"{who}: x and {name} are tables with the same index in two orders, but rows are taken by "
                        f"their place. Pass {name}.loc[x.index], or {name}.reset_index(drop=True) if the places are "
                        "right."
                    )


def _shuffled(one: Any, other: Any) -> bool:
    """Tell whether two indices have the same labels, each once, in two orders."""
    if len(one) != len(other) or one.equals(other) or not (one.is_unique and other.is_unique):
        return False
    return bool(one.isin(other).all())
