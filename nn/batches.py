"""Batches: arrays cut into pieces in a reproducible order, with weights; or any source of batches as it comes.

Several inputs or targets are a tuple or a dict of arrays. What is read here is what ``fit``, ``evaluate`` and
``predict`` take.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.inputs import numbers

Array = NDArray[Any]
SAMPLED = 1024  # rows of which a description of data takes the checksum


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the inputs, targets and weights of a few samples; ``classes`` weighs their labels."""

    x: Any
    y: Any
    weight: Array | None = None
    classes: Any = None

    def __len__(self) -> int:
        return size(self.x)

    def part(self, at: Any) -> "Batch":
        """Give some of the rows."""
        x, y = (each(lambda a: a[at], tree) for tree in (self.x, self.y))
        return Batch(x, y, None if self.weight is None else self.weight[at], self.classes)


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


class Batches:
    """Read the data of ``fit`` and ``evaluate`` once, refuse what cannot work, and hand it out batch by batch."""

    def __init__(
        self,
        x: Any,
        y: Any,
        batch_size: int,
        weight: Array | None,
        who: str,
        *,
        classes: Any = None,
        drop_last: bool = False,
        steps: int | None = None,
    ) -> None:
        check_size(batch_size, who)
        if steps is not None and (not isinstance(steps, int | np.integer) or steps < 1):
            raise ArgumentError(f"{who}: steps_per_epoch must be a whole number, 1 or more, got {steps!r}.")
        self.batch_size, self.weight, self.who, self.classes = batch_size, weight, who, classes
        self.drop_last, self.steps = drop_last, steps
        self.source: Any = None
        self._open: Iterator[Any] | None = None
        if y is None and not _is_data(x):
            self._take_source(x)
            return
        if y is None:
            raise ArgumentError(f"{who}: y is missing. Pass targets, or an iterable of (x, y) batches as x.")
        if steps is not None:
            raise ArgumentError(f"{who}: steps_per_epoch is for iterables of batches; arrays have an end of their own.")
        self.x, self.y = as_data(x, "x", who), as_data(y, "y", who)
        _equal_lengths(self.x, self.y, f"{who}: ")
        if not size(self.x):
            raise ArgumentError(f"{who}: there are no samples.")
        if not self.count():
            raise ArgumentError(f"{who}: drop_last=True leaves nothing of {size(self.x)} samples.")

    def _take_source(self, x: Any) -> None:
        if isinstance(x, str | Mapping) or not _is_source(x):
            raise ArgumentError(f"{self.who}: pass x and y, or an iterable of (x, y) batches; got {type(x).__name__}.")
        if self.drop_last:
            raise ArgumentError(f"{self.who}: drop_last is for arrays; an iterable brings the batches that it has.")
        self.source = x

    def describe(self) -> dict[str, Any]:
        """Say what an unfinished epoch must find again: batches of one size, of the same data."""
        if self.source is not None:
            return {"batches": self.count(), "steps_per_epoch": self.steps}
        total = 0
        for array in (*leaves(self.x), *leaves(self.y), *([] if self.weight is None else [self.weight])):
            rows = array[:: max(1, len(array) // SAMPLED)]
            total = zlib.crc32(np.ascontiguousarray(rows).tobytes(), zlib.crc32(str(rows.dtype).encode(), total))
        return {
            "batch_size": int(self.batch_size),
            "samples": size(self.x),
            "drop_last": bool(self.drop_last),
            "checksum of the data": total,
        }

    def order(self, shuffle: bool, rng: np.random.Generator) -> Array | None:
        """Draw the order of the samples for one epoch."""
        if self.source is not None:
            return None
        return rng.permutation(size(self.x)) if shuffle else np.arange(size(self.x))

    def count(self) -> int | None:
        """Count the batches of an epoch, if that is known."""
        if self.source is None:
            n = size(self.x)
            return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
        return self.steps or (len(self.source) if isinstance(self.source, Sized) else None)

    def skip_epochs(self, epochs: int) -> None:
        """Pass over what earlier epochs of a run took from an iterable that goes on from epoch to epoch."""
        if self.steps is not None:
            for _ in self._next(epochs * self.steps):
                pass

    def walk(self, order: Array | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from number ``skip`` on."""
        if self.source is not None:
            for number, item in enumerate(_items(self.source) if self.steps is None else self._next(self.steps)):
                if number >= skip:
                    yield read_batch(item, self.who)
            if hasattr(self.source, "on_epoch_end"):  # Keras' Sequence shuffles there
                self.source.on_epoch_end()
            return
        rows = np.arange(size(self.x)) if order is None else order
        for number in range(skip, self.count() or 0):
            yield self.take(rows[number * self.batch_size : (number + 1) * self.batch_size])

    def take(self, rows: Array) -> Batch:
        """Give the batch of these rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Batch(each(lambda a: a[rows], self.x), each(lambda a: a[rows], self.y), weight, self.classes)

    def _next(self, count: int) -> Iterator[Any]:
        """Yield so many items, going on where the last epoch stopped and from the start again at the end."""
        fresh = False
        for _ in range(count):
            if self._open is None:
                self._open, fresh = _items(self.source), True
            item = next(self._open, None)
            if item is None and not fresh:
                self._open, fresh = _items(self.source), True
                item = next(self._open, None)
            if item is None:
                self._open = None
                raise ArgumentError(
                    f"{self.who}: the iterable ended before steps_per_epoch={self.steps}, and cannot be walked again."
                )
            fresh = False
            yield item


# --------------------------------------------------------------------------------------------------- reading the data


def check_size(batch_size: Any, who: str) -> None:
    """Refuse a batch size that is no positive integer."""
    whole = isinstance(batch_size, int | np.integer)
    if not whole or batch_size < 1:
        raise ArgumentError(
            f"{who}: batch_size must be {'at least 1' if whole else 'a whole number'}, got {batch_size!r}."
        )


def read_batch(item: Any, who: str) -> Batch:
    """Read (x, y) or (x, y, weights)."""
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise ArgumentError(f"{who}: each batch must be (x, y) or (x, y, weights), got {type(item).__name__}.")
    x, y = as_data(item[0], "x", who), as_data(item[1], "y", who)
    _equal_lengths(x, y, f"{who}: a batch: ")
    weight = None if len(item) == 2 or item[2] is None else read_weight(item[2], y, "weight", who)
    return Batch(each(_dense, x), y, weight)


def inputs_of(x: Any, batch_size: int) -> Iterator[Any]:
    """Cut the samples of ``predict`` into batches; batches of an iterator come as they are, without their targets."""
    check_size(batch_size, "predict")
    several = _is_several(x)
    if _is_source(x) and not (several or _is_data(x) or isinstance(x, list | tuple | str)):
        for item in _items(x):
            pair = isinstance(item, tuple) or (isinstance(item, list) and all(hasattr(p, "__array__") for p in item))
            yield _parts(item[0] if pair else item, "predict: x", samples)
        return
    data = _parts(x, "predict: x", samples)
    n = size(data)
    for start in range(0, n, batch_size):
        yield Batch(data, ()).part(slice(start, start + batch_size)).x


def samples(value: Any, name: str) -> Any:
    """Read an array of numbers with samples along axis 0; rows of a sparse matrix become dense batch by batch."""
    if hasattr(value, "tocsr"):
        return _Sparse(value.tocsr())
    array = numbers(value.data if isinstance(value, ag.Tensor) else value, name)
    if not array.ndim:
        raise ShapeError(f"{name} is a single number; the first axis must count samples.")
    return array


def as_data(value: Any, name: str, who: str) -> Any:
    """Read finite numbers with samples along axis 0: an array, or a tuple or dict of them."""
    return _parts(value, f"{who}: {name}", _finite)


def _finite(value: Any, name: str) -> Any:
    array = samples(value, name)
    held = array.matrix.data if isinstance(array, _Sparse) else array
    if held.dtype.kind == "f" and not np.isfinite(held).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(held))[0])
        raise ArgumentError(
            f"{name}[{', '.join(map(str, place))}] is {held[place]}. Remove or replace values that are not finite."
        )
    return array


def _parts(value: Any, name: str, read: Callable[[Any, str], Any]) -> Any:
    """Read several arrays, or the one."""
    if isinstance(value, tuple) and _is_several(value):
        return tuple(read(part, f"{name}[{i}]") for i, part in enumerate(value))
    if isinstance(value, Mapping) and not hasattr(value, "__array__"):
        if not value:
            raise ArgumentError(f"{name} is an empty dict.")
        return {key: read(part, f"{name}[{key!r}]") for key, part in value.items()}
    return read(value, name)


def _is_several(value: Any) -> bool:
    """Tell whether these are several arrays, and not samples: a dict, or a tuple of arrays."""
    if isinstance(value, Mapping):
        return not hasattr(value, "__array__")
    return isinstance(value, tuple) and bool(value) and all(hasattr(part, "shape") and part.shape for part in value)


def _is_data(x: Any) -> bool:
    return isinstance(x, np.ndarray | ag.Tensor) or hasattr(x, "__array__") or hasattr(x, "tocsr")


def _is_source(x: Any) -> bool:
    """Tell whether ``x`` gives batches: an iterable, or Keras' Sequence, which has a length and batches by number."""
    return isinstance(x, Iterable) or (isinstance(x, Sized) and hasattr(x, "__getitem__"))


def _items(source: Any) -> Iterator[Any]:
    return iter(source) if isinstance(source, Iterable) else (source[i] for i in range(len(source)))


def _equal_lengths(x: Any, y: Any, where: str) -> None:
    n = size(x)
    for name, tree in (("x", x), ("y", y)):
        for leaf in leaves(tree):
            if len(leaf) != n:
                hint = " Several inputs are a tuple (a, b) of arrays." if isinstance(x, np.ndarray) else ""
                what = f"x has {n} samples and {name} has {len(leaf)}"
                raise ShapeError(f"{where}{what}; they must be equal.{hint if n <= 3 < len(leaf) else ''}")


class _Sparse:
    """Hold a sparse matrix of which a few rows at a time become an array."""

    def __init__(self, matrix: Any) -> None:
        self.matrix, self.dtype, self.shape = matrix, matrix.dtype, matrix.shape

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, rows: Any) -> Any:
        return self.matrix[rows].toarray()

    def tocsr(self) -> Any:
        return self.matrix


def _dense(array: Any) -> Any:
    return array[:] if isinstance(array, _Sparse) else array


# -------------------------------------------------------------------------------------------- what comes with the data


def split_off(x: Any, y: Any, share: float) -> tuple[Any, Any, tuple[Any, Any, Any] | None]:
    """Take the last ``share`` of the samples for validation, before anything is shuffled."""
    if not 0 <= share < 1:
        raise ArgumentError(f"fit: validation_split must be in [0, 1), got {share}.")
    if not share:
        return x, y, None
    if y is None:
        raise ArgumentError(
            "fit: validation_split needs arrays x and y; pass validation_data with an iterable of batches."
        )
    x, y = as_data(x, "x", "fit"), as_data(y, "y", "fit")
    _equal_lengths(x, y, "fit: ")
    n = size(x)
    cut = n - int(n * share)
    if cut in (0, n):
        raise ArgumentError(f"fit: validation_split={share} of {n} samples leaves one side empty.")
    (x, held_x), (y, held_y) = (_cut(tree, cut) for tree in (x, y))
    return x, y, (held_x, held_y, None)


def _cut(tree: Any, at: int) -> tuple[Any, Any]:
    def part(array: Any, rows: slice) -> Any:
        return _Sparse(array.matrix[rows]) if isinstance(array, _Sparse) else array[rows]

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
