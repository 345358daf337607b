"""What is to be exported: two runs of the model, at two batch sizes and on other numbers, laid over each other.

Where the runs agree, a number is a constant of the model. A length that differs depends on the batch and becomes a
:class:`Size`. A constant that differs in its values was computed from the input behind the graph's back: an error, as
the file would be wrong for every other input.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, MissingRule

BATCHES = (2, 3)  # not 1, which broadcasts


@dataclass(frozen=True)
class Size:
    """Be a length that depends on the batch size N: per · N + plus."""

    per: int
    plus: int

    def __str__(self) -> str:
        times = "batch" if self.per == 1 else f"{self.per}*batch"
        return f"{times}{self.plus:+d}" if self.plus else times


@dataclass(frozen=True, eq=False)
class Item:
    """Be a value of the plan: an input, a result (both without ``array``) or a constant.

    A constant with a Size in its shape has length 1 there, as it is the same for all.
    """

    shape: tuple[Any, ...]
    dtype: Any
    name: str = ""
    array: Any = None


@dataclass(frozen=True, eq=False)
class Step:
    """Be one op of the plan; ``inputs`` are Items or plain numbers."""

    op: str
    inputs: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[Item, ...]
    path: str
    kind: str

    @property
    def place(self) -> str:
        """Say where the op stands, for messages."""
        return f"op {self.op!r} in {self.kind} {self.path!r}" if self.path else f"op {self.op!r}"


@dataclass(frozen=True, eq=False)
class Plan:
    """Hold inputs, outputs and the steps between them, oldest first."""

    inputs: tuple[Item, ...]
    outputs: tuple[Item, ...]
    steps: tuple[Step, ...]


class _Run:
    """Hold one recording with everything that does not depend on the inputs computed: ``arrays`` of constants."""

    def __init__(self, recording: Any) -> None:
        self.inputs, self.outputs = recording.inputs, [value for value in recording.outputs if value is not None]
        self.arrays: dict[Any, Any] = {}
        self.names: dict[Any, str] = {}
        self.steps = []
        live = set(recording.inputs)
        for step in recording.steps:
            if any(value in live for value in step.inputs):
                live.update(step.outputs)
                self.steps.append(step)
                continue
            given = [self.array(x) for x in step.inputs]
            if all(x is not None for x in given):
                self.arrays.update(zip(step.outputs, step.run(*given), strict=True))
                self.names.update(dict.fromkeys(step.outputs, next((n for n in map(self.name, step.inputs) if n), "")))
        self.live = live

    def name(self, value: Any) -> str:
        """Give the name of a constant; one that is computed is called after what it is computed from."""
        return self.names.get(value) or str(getattr(value, "name", ""))

    def array(self, value: Any) -> Any:
        """Give a constant as an array or a plain number."""
        return self.arrays.get(value, value.array) if hasattr(value, "shape") and hasattr(value, "array") else value


class _Merge:
    """Lay the second run over the first."""

    def __init__(self, first: Any, second: Any, batches: tuple[int, int]) -> None:
        self.first, self.second, self.batches = _Run(first), _Run(second), batches
        self.items: dict[Any, Item] = {}

    def plan(self) -> Plan:
        a, b = self.first, self.second
        if [s.op for s in a.steps] != [s.op for s in b.steps]:
            pairs = ((place_of(s), place_of(t)) for s, t in zip(a.steps, b.steps, strict=False) if s.op != t.op)
            what = " against ".join(next(pairs, (f"{len(a.steps)} steps", f"{len(b.steps)} steps")))
            raise ArgumentError(
                f"onnx.export: the model takes other steps for another input or batch size ({what}). An ONNX file "
                "holds one sequence of steps: take Python's if and for on values or on the first axis out of forward, "
                "or pass dynamic_batch=False."
            )
        inputs = tuple(self.result(x, y, f"input {i}") for i, (x, y) in enumerate(zip(a.inputs, b.inputs, strict=True)))
        steps = tuple(self.step(s, t) for s, t in zip(a.steps, b.steps, strict=True))
        outputs = tuple(self.item(x, y, "the output") for x, y in zip(a.outputs, b.outputs, strict=True))
        return Plan(inputs, outputs, steps)

    def step(self, s: Any, t: Any) -> Step:
        place = place_of(s)
        inputs = tuple(self.item(x, y, place) for x, y in zip(s.inputs, t.inputs, strict=True))
        kwargs = {name: self.merge(value, t.kwargs[name], f"{name} of {place}") for name, value in s.kwargs.items()}
        outputs = tuple(self.result(x, y, place) for x, y in zip(s.outputs, t.outputs, strict=True))
        return Step(s.op, inputs, kwargs, outputs, *((s.scope.path, s.scope.kind) if s.scope else ("", "")))

    def result(self, x: Any, y: Any, place: str) -> Item:
        item = self.items[x] = Item(self.merge(x.shape, y.shape, f"the shape of {place}"), x.dtype)
        return item

    def item(self, x: Any, y: Any, place: str) -> Any:
        if not hasattr(x, "array"):
            return self.merge(x, y, f"a number in {place}")
        if x not in self.items:
            arrays = self.first.array(x), self.second.array(y)
            if y in self.second.live or any(array is None for array in arrays):
                raise ArgumentError(
                    f"onnx.export: a constant of shape {x.shape} in {place} is not at hand any more. Keep it as a "
                    "Parameter or a buffer of the module, or as a NumPy array."
                )
            shape = self.merge(x.shape, y.shape, f"the shape of a constant in {place}")
            what = f"a constant of shape {x.shape} in {place}" + (f", from {x.note!r}," if x.note else "")
            self.items[x] = Item(shape, x.dtype, self.first.name(x), self.constant(*arrays, what))
        return self.items[x]

    def constant(self, a: Any, b: Any, what: str) -> Any:
        """Give a constant array; along axes of different lengths it must be the same all the way, and gets length 1."""
        for axis, (m, n) in enumerate(zip(a.shape, b.shape, strict=True)):
            if m != n:
                a, b = (
                    np.take(x, [0], axis) if _same(x, np.broadcast_to(np.take(x, [0], axis), x.shape)) else x
                    for x in (a, b)
                )
        if a.shape != b.shape or not _same(a, b):
            self.differ(what)
        return a

    def merge(self, a: Any, b: Any, what: str) -> Any:
        """Give what two keywords or shapes agree on, with Sizes for lengths that differ."""
        if isinstance(a, np.ndarray):
            return self.constant(a, b, what) if a.ndim == np.ndim(b) else self.differ(what)
        if isinstance(a, slice):
            return slice(*(self.merge(getattr(a, x), getattr(b, x), what) for x in ("start", "stop", "step")))
        if isinstance(a, tuple | list) and len(a) == len(b):
            return tuple(self.merge(x, y, what) for x, y in zip(a, b, strict=True))
        if isinstance(a, int | np.integer) and not isinstance(a, bool) and a != b:
            span = self.batches[1] - self.batches[0]
            if span == 0 or (b - a) % span:
                self.differ(what)
            per = int(b - a) // span
            return Size(per, int(a) - per * self.batches[0])
        if a is b or a == b or (a != a and b != b):
            return a
        return self.differ(what)

    def differ(self, what: str) -> Any:
        raise ArgumentError(
            f"onnx.export: {what} changes with the input or the batch, but no recorded op computes it. Comparisons, "
            "sign, argmax, detach(), .data, no_grad() and integers (but for those an Embedding reads) leave the graph. "
            "Compute it with differentiable functions (np.maximum, ag.relu, …), make it the same for every row, or "
            "pass dynamic_batch=False if only its length changes."
        )


def place_of(step: Any) -> str:
    """Say where a recorded step stands: the op and the module path."""
    return f"op {step.op!r} in {step.scope.kind} {step.scope.path!r}" if step.scope else f"op {step.op!r}"


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


def _translatable(run: Any, closed: Container[str]) -> None:
    """Refuse ops that have no translation."""
    for step in run.steps:
        if step.op not in closed:
            raise MissingRule(
                f"onnx.export: {place_of(step)} has no ONNX translation. Write the model without it, or export the "
                "part before it."
            )


def make_plan(
    function: Any,
    runs: Sequence[Sequence[Any]],
    batches: tuple[int, int],
    known: Mapping[str, Any],
    closed: Container[str],
) -> Plan:
    """Record ``function`` on two lists of arrays, of ``batches`` rows, and lay the runs over each other.

    ``closed`` are the ops that have a translation; others are opened into their definition.
    """
    recordings = [
        ag.record(
            function, *[ag.Tensor(x, requires_grad=x.dtype.kind == "f") for x in arrays], known=known, closed=closed
        )
        for arrays in runs
    ]
    merge = _Merge(recordings[0], recordings[1], batches)
    _translatable(merge.first, closed)
    return merge.plan()
