"""Batches: arrays cut into pieces in a reproducible order, with weights; or any source of batches as it comes.

Several inputs or targets are a tuple or a dict of arrays. What is read here is what ``fit``, ``evaluate`` and
``predict`` take.
"""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from nn.inputs import whole
from nn.reading import (
    Array,
    as_data,
    count,
    dense,
    each,
    equal_lengths,
    is_data,
    is_several,
    is_source,
    items,
    leaves,
    parts,
    read_weight,
    same_rows,
    samples,
    size,
)

USUAL = 32  # samples in a batch
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
        """Return some of the rows."""
        x, y = (each(lambda a: a[at], tree) for tree in (self.x, self.y))
        return Batch(x, y, None if self.weight is None else self.weight[at], self.classes)


class Batches:
    """Read the data of ``fit`` and ``evaluate`` once, refuse what cannot work, and hand it out batch by batch."""

    def __init__(
        self,
        x: Any,
        y: Any,
        batch_size: int | None,
        weight: Array | None,
        who: str,
        *,
        classes: Any = None,
        drop_last: bool = False,
        steps: int | None = None,
    ) -> None:
        if batch_size is not None:
            whole(batch_size, f"{who}: batch_size")
        if steps is not None:
            whole(steps, f"{who}: steps_per_epoch")
        self.batch_size, self.weight, self.who, self.classes = batch_size or USUAL, weight, who, classes
        self.drop_last, self.steps = drop_last, steps
        self.source: Any = None
        self._open: Iterator[Any] | None = None
        if y is None and not is_data(x):
            self._take_source(x)
            if batch_size is not None:
                raise ArgumentError(f"{who}: batch_size is for arrays; an iterable brings the batches that it has.")
            return
        if y is None:
            raise ArgumentError(f"{who}: y is missing. Pass targets, or an iterable of (x, y) batches as x.")
        if steps is not None:
            raise ArgumentError(f"{who}: steps_per_epoch is for iterables of batches; arrays have an end of their own.")
        same_rows(x, {"y": y}, who)
        self.x, self.y = as_data(x, "x", who), as_data(y, "y", who)
        equal_lengths(self.x, self.y, f"{who}: ")
        if not size(self.x):
            raise ArgumentError(f"{who}: there are no samples.")
        if not self.count():
            raise ArgumentError(f"{who}: drop_last=True leaves nothing of {size(self.x)} samples.")

    def _take_source(self, x: Any) -> None:
        if isinstance(x, str | Mapping) or not is_source(x):
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
        return self.steps or count(self.source)

    def skip_epochs(self, epochs: int) -> None:
        """Pass over what earlier epochs of a run took from an iterable that goes on from epoch to epoch."""
        if self.steps is not None:
            for _ in self._next(epochs * self.steps):
                pass

    def walk(self, order: Array | None, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of one epoch, from number ``skip`` on."""
        if self.source is not None:
            for number, item in enumerate(items(self.source) if self.steps is None else self._next(self.steps)):
                if number >= skip:
                    yield read_batch(item, self.who)
            if hasattr(self.source, "on_epoch_end"):  # Keras' Sequence shuffles there
                self.source.on_epoch_end()
            return
        rows = np.arange(size(self.x)) if order is None else order
        for number in range(skip, self.count() or 0):
            yield self.take(rows[number * self.batch_size : (number + 1) * self.batch_size])

    def take(self, rows: Array) -> Batch:
        """Return the batch of these rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Batch(each(lambda a: a[rows], self.x), each(lambda a: a[rows], self.y), weight, self.classes)

    def _next(self, count: int) -> Iterator[Any]:
        """Yield so many items, going on where the last epoch stopped and from the start again at the end."""
        fresh = False
        for _ in range(count):
            if self._open is None:
                self._open, fresh = items(self.source), True
            item = next(self._open, None)
            if item is None and not fresh:
                self._open, fresh = items(self.source), True
                item = next(self._open, None)
            if item is None:
                self._open = None
                raise ArgumentError(
                    f"{self.who}: the iterable ended before steps_per_epoch={self.steps}, and cannot be walked again."
                )
            fresh = False
            yield item


# --------------------------------------------------------------------------------------------------- reading the data


def read_batch(item: Any, who: str) -> Batch:
    """Read (x, y) or (x, y, weights)."""
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise ArgumentError(f"{who}: each batch must be (x, y) or (x, y, weights), got {type(item).__name__}.")
    x, y = as_data(item[0], "x", who), as_data(item[1], "y", who)
    try:
        equal_lengths(x, y, f"{who}: a batch: ")
    except ShapeError as error:
        raise ShapeError(
            f"{error} A batch holds several samples: a source of single ones, as a Dataset of PyTorch is, needs a "
            "DataLoader."
        ) from None
    weight = None if len(item) == 2 or item[2] is None else read_weight(item[2], y, "weight", who)
    return Batch(each(dense, x), y, weight)


def inputs_of(x: Any, batch_size: int) -> Iterator[Any]:
    """Cut the samples of ``predict`` into batches; batches of an iterator come as they are, without their targets."""
    whole(batch_size, "predict: batch_size")
    several = is_several(x)
    if is_source(x) and not (several or is_data(x) or isinstance(x, list | tuple | str)):
        for item in items(x):
            pair = isinstance(item, tuple) or (isinstance(item, list) and all(hasattr(p, "__array__") for p in item))
            yield each(dense, parts(item[0] if pair else item, "predict: x", samples))
        return
    data = parts(x, "predict: x", samples)
    n = size(data)
    for start in range(0, n, batch_size):
        yield Batch(data, ()).part(slice(start, start + batch_size)).x
