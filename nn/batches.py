"""Batches: arrays cut into pieces in a reproducible order, with weights; or any iterable of batches as it comes."""

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.inputs import numbers

Array = NDArray[Any]


class Batch(NamedTuple):
    """Hold the inputs, targets and weights of a few samples."""

    x: Any
    y: Any
    weight: Array | None

    def __len__(self) -> int:
        return len(self.x)


class Batches:
    """Read the data of ``fit`` and ``evaluate`` once, refuse what cannot work, and hand it out batch by batch."""

    def __init__(self, x: Any, y: Any, batch_size: int, weight: Array | None, who: str) -> None:
        check_size(batch_size, who)
        self.batch_size, self.weight, self.who = batch_size, weight, who
        self.source: Iterable[Any] | None = None
        if y is None and not isinstance(x, np.ndarray | ag.Tensor):
            if not isinstance(x, Iterable):
                raise ArgumentError(f"{who}: pass x and y, or an iterable of (x, y) batches; got {type(x).__name__}.")
            self.source = x
            return
        if y is None:
            raise ArgumentError(f"{who}: y is missing. Pass targets, or an iterable of (x, y) batches as x.")
        self.x, self.y = as_data(x, "x", who), as_data(y, "y", who)
        if len(self.x) != len(self.y):
            raise ShapeError(f"{who}: x has {len(self.x)} samples and y has {len(self.y)}; they must be equal.")
        if not len(self.x):
            raise ArgumentError(f"{who}: there are no samples.")

    def order(self, shuffle: bool, rng: np.random.Generator) -> Array | None:
        """Draw the order of the samples for one epoch."""
        if self.source is not None:
            return None
        return rng.permutation(len(self.x)) if shuffle else np.arange(len(self.x))

    def count(self) -> int | None:
        """Count the batches of an epoch, if that is known."""
        if self.source is None:
            return -(-len(self.x) // self.batch_size)
        return len(self.source) if isinstance(self.source, Sized) else None

    def walk(self, order: Array | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from number ``skip`` on."""
        if self.source is not None:
            for number, item in enumerate(self.source):
                if number >= skip:
                    yield self._read(item)
            return
        rows = np.arange(len(self.x)) if order is None else order
        for start in range(skip * self.batch_size, len(rows), self.batch_size):
            yield self.take(rows[start : start + self.batch_size])

    def take(self, rows: Array) -> Batch:
        """Give the batch of these rows."""
        return Batch(self.x[rows], self.y[rows], None if self.weight is None else self.weight[rows])

    def _read(self, item: Any) -> Batch:
        if not isinstance(item, tuple | list) or len(item) not in (2, 3):
            raise ArgumentError(f"{self.who}: each batch must be (x, y) or (x, y, weights), got {type(item).__name__}.")
        x, y = as_data(item[0], "x", self.who), as_data(item[1], "y", self.who)
        if len(x) != len(y):
            raise ShapeError(f"{self.who}: a batch has {len(x)} samples in x and {len(y)} in y.")
        return Batch(x, y, np.asarray(item[2]) if len(item) == 3 else None)


def check_size(batch_size: Any, who: str) -> None:
    """Refuse a batch size that is no positive integer."""
    whole = isinstance(batch_size, int | np.integer)
    if not whole or batch_size < 1:
        raise ArgumentError(
            f"{who}: batch_size must be {'at least 1' if whole else 'a whole number'}, got {batch_size!r}."
        )


def inputs_of(x: Any, batch_size: int) -> Iterator[Any]:
    """Cut the samples of ``predict`` into batches; batches of an iterator come as they are, without their targets."""
    check_size(batch_size, "predict")
    if isinstance(x, Iterable) and not (isinstance(x, ag.Tensor | list | tuple | str) or hasattr(x, "__array__")):
        for item in x:
            pair = isinstance(item, tuple) or (isinstance(item, list) and all(hasattr(p, "__array__") for p in item))
            yield samples(item[0] if pair else item, "predict: x")
        return
    array = samples(x, "predict: x")
    yield from (array[i : i + batch_size] for i in range(0, len(array), batch_size))


def samples(value: Any, name: str) -> Array:
    """Read an array of numbers with samples along axis 0."""
    array = numbers(value.data if isinstance(value, ag.Tensor) else value, name)
    if not array.ndim:
        raise ShapeError(f"{name} is a single number; the first axis must count samples.")
    return array


def as_data(value: Any, name: str, who: str) -> Array:
    """Read an array of finite numbers with samples along axis 0."""
    array = samples(value, f"{who}: {name}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ArgumentError(
            f"{who}: {name}[{', '.join(map(str, place))}] is {array[place]}. Remove or replace values that are "
            "not finite."
        )
    return array


def split_off(x: Any, y: Any, share: float) -> tuple[Any, Any, tuple[Any, Any] | None]:
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
    cut = len(x) - int(len(x) * share)
    if cut in (0, len(x)):
        raise ArgumentError(f"fit: validation_split={share} of {len(x)} samples leaves one side empty.")
    return x[:cut], y[:cut], (x[cut:], y[cut:])


def weights_of(y: Any, sample_weight: Any, class_weight: Mapping[Any, float] | None, whole: Any = None) -> Array | None:
    """Combine weights per sample and per class (of labels, or of the largest column) into one array.

    ``sample_weight`` has one entry per sample of ``whole``, of which ``y`` is the part that was not split off.
    """
    weight = None
    if sample_weight is not None:
        total = len(y if whole is None else whole)
        weight = as_data(sample_weight, "sample_weight", "fit").astype(np.float64)
        if weight.ndim != 1 or len(weight) != total or (weight < 0).any():
            raise ShapeError(
                f"fit: sample_weight must be {total} numbers that are not negative, got shape {weight.shape}."
            )
        weight = weight[: len(y)]
    if class_weight is not None:
        y = as_data(y, "y", "fit")
        labels = y.argmax(-1) if y.ndim > 1 and y.shape[-1] > 1 else y.reshape(len(y))
        unknown = sorted(set(labels.tolist()) - set(class_weight))
        if unknown:
            raise ArgumentError(
                f"fit: class_weight has no weight for class {unknown[0]}. Give one for each class that occurs."
            )
        per_class = np.array([class_weight[label] for label in labels.tolist()], dtype=np.float64)
        weight = per_class if weight is None else weight * per_class
    if weight is not None and not (weight.min(initial=0) >= 0 and 0 < weight.sum() < np.inf):
        raise ArgumentError("fit: weights must be finite and not negative, and not all of them 0.")
    return weight
