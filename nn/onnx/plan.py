"""What is to be exported: runs of the model, at several lengths and on other numbers, laid over each other.

Where the runs agree, a number is a constant of the model. A length that differs depends on those that vary and becomes
a :class:`Size`. A constant that differs in its values was computed from a length, or drawn at random: an error, as the
file would be wrong for every other input.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, MissingRule, TraceError
from nn.onnx.lengths import Axes

PLAIN = ("autograd", "nn", "numpy", "_operator")  # whose plain functions are known by their names


@dataclass(frozen=True, eq=False)
class Item:
    """Represent a value of the plan: an input, a result (both without ``array``) or a constant.

    A constant with a Size in its shape has length 1 there, as it is the same for all.
    """

    shape: tuple[Any, ...]
    dtype: Any
    name: str = ""
    array: Any = None


@dataclass(frozen=True, eq=False)
class Step:
    """Represent one op of the plan; ``inputs`` are Items or plain numbers."""

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
    axes: Axes


class _Run:
    """Hold one recording and the steps that depend on its inputs; what does not is computed already, a constant."""

    def __init__(self, recording: Any) -> None:
        self.inputs, self.outputs = recording.inputs, [value for value in recording.outputs if value is not None]
        self.steps = []
        for step in recording.steps:
            if any(value.array is None for value in step.values()):
                self.steps.append(step)
                continue
            for out in step.outputs:  # a constant that is computed is called after what it is computed from
                out.name = next((value.name for value in step.values() if value.name), "")


class _Merge:
    """Lay runs over each other, one for each point of the grid of lengths."""

    def __init__(self, recordings: Sequence[Any], axes: Axes) -> None:
        self.runs, self.axes = [_Run(recording) for recording in recordings], axes
        self.items: dict[Any, Item] = {}

    def plan(self) -> Plan:
        first = self.runs[0]
        for other in self.runs[1:]:
            if [s.label for s in first.steps] != [s.label for s in other.steps]:
                both = zip(first.steps, other.steps, strict=False)
                pairs = ((place_of(s), place_of(t)) for s, t in both if s.label != t.label)
                counts = f"{len(first.steps)} steps", f"{len(other.steps)} steps"
                raise ArgumentError(
                    "onnx.export: the model takes other steps for another input or batch size "
                    f"({' against '.join(next(pairs, counts))}). An ONNX file holds one sequence of steps: take "
                    "Python's if and for on values or on the first axis out of forward, or pass dynamic_batch=False."
                )
        inputs = tuple(self.result(xs, f"input {i}") for i, xs in enumerate(self.rows("inputs")))
        steps = tuple(self.step(steps) for steps in self.rows("steps"))
        return Plan(inputs, tuple(self.item(ys, "the output") for ys in self.rows("outputs")), steps, self.axes)

    def rows(self, what: str) -> Any:
        return zip(*[getattr(run, what) for run in self.runs], strict=True)

    def step(self, steps: tuple[Any, ...]) -> Step:
        first, place = steps[0], place_of(steps[0])
        inputs = tuple(self.item(xs, place) for xs in zip(*[s.inputs for s in steps], strict=True))
        kwargs = {n: self.merge([s.kwargs[n] for s in steps], f"{n} of {place}") for n in first.kwargs}
        count = len(first.outputs) - len(getattr(first.op, "cache", ()))
        outputs = tuple(self.result(ys, place) for ys in zip(*[s.outputs[:count] for s in steps], strict=True))
        scope = (first.scope.path, first.scope.kind) if first.scope else ("", "")
        return Step(first.label, inputs, kwargs, outputs, *scope)

    def result(self, values: Sequence[Any], place: str) -> Item:
        x = values[0]
        shape = self.merge([value.shape for value in values], f"the shape of a result of {place}")
        item = self.items[id(x)] = Item(shape, x.dtype)
        return item

    def item(self, values: Sequence[Any], place: str) -> Any:
        """Return an input of a step: what is an array in the run, an Item."""
        x = values[0]
        if not isinstance(x, np.ndarray) and not hasattr(x, "array"):
            return self.merge(values, f"a number in {place}")
        if id(x) not in self.items:
            shape = self.merge([value.shape for value in values], f"the shape of a constant in {place}")
            made = Item(shape, x.dtype, getattr(x, "name", ""), self.numbers(values, _constant(x, place)))
            self.items[id(x)] = made
        return self.items[id(x)]

    def numbers(self, values: Sequence[Any], what: str) -> Any:
        """Return the array of a constant: of a Value that does not depend on the inputs, or what is one itself."""
        arrays = [getattr(value, "array", value) for value in values]
        return self.differ(what) if any(array is None for array in arrays) else self.constant(arrays, what)

    def constant(self, arrays: Sequence[Any], what: str) -> Any:
        """Return a constant array; along axes of varying length it must be the same all the way, and gets length 1."""
        if len({a.ndim for a in arrays}) > 1:
            self.differ(what)
        for axis in range(arrays[0].ndim):
            if len({a.shape[axis] for a in arrays}) > 1:
                ones = [np.take(a, [0], axis) for a in arrays]
                pairs = zip(arrays, ones, strict=True)
                arrays = [one if _same(a, np.broadcast_to(one, a.shape)) else a for a, one in pairs]
        if any(a.shape != arrays[0].shape or not _same(a, arrays[0]) for a in arrays):
            self.differ(what)
        return arrays[0]

    def merge(self, values: Sequence[Any], what: str) -> Any:
        """Return what keywords or shapes agree on, with Sizes for lengths that differ."""
        a = values[0]
        if hasattr(a, "array"):
            return self.items[id(a)] if id(a) in self.items else self.numbers(values, what)
        if isinstance(a, np.ndarray):
            return self.constant([np.asarray(value) for value in values], what)
        if isinstance(a, slice):
            parts = ([getattr(value, name) for value in values] for name in ("start", "stop", "step"))
            return slice(*(self.merge(part, what) for part in parts))
        if isinstance(a, tuple | list) and len({len(value) for value in values}) == 1:
            return tuple(self.merge(items, what) for items in zip(*values, strict=True))
        if all(value is a or value == a or (value != value and a != a) for value in values):
            return a
        if self.axes.example and all(isinstance(x, int | np.integer) and not isinstance(x, bool) for x in values):
            return self.axes.solve(values)
        return self.differ(what)

    def differ(self, what: str) -> Any:
        raise ArgumentError(
            f"onnx.export: {what} changes with the input or the batch, but no recorded op computes it: Python's "
            "numbers and random draws leave the graph. Compute it from the input, make it the same for every row, or "
            "pass dynamic_batch=False if only its length changes."
        )


def place_of(step: Any) -> str:
    """Say where a recorded step stands: the op and the module path."""
    return f"op {step.label!r} in {step.scope.kind} {step.scope.path!r}" if step.scope else f"op {step.label!r}"


def _constant(x: Any, place: str) -> str:
    return f"a constant of shape {x.shape} in {place}"


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f")


def _translatable(run: Any, closed: Container[str]) -> None:
    """Refuse ops that have no translation; a plain function of the user's has none, whatever it is called."""
    for step in run.steps:
        owner = str(getattr(step.function, "__module__", "") or "numpy").partition(".")[0]
        if step.label not in closed or (step.op is None and owner not in PLAIN):
            raise MissingRule(
                f"onnx.export: {place_of(step)} has no ONNX translation. Write the model without it, or export the "
                "part before it."
            )


def make_plan(
    function: Any, runs: Sequence[Sequence[Any]], axes: Axes, known: Mapping[str, Any], closed: Container[str]
) -> Plan:
    """Record ``function`` on lists of arrays, one for each point of ``axes.grid``, and lay the runs over each other.

    ``closed`` are the ops that have a translation; others are opened into their definition.
    """
    try:
        recordings = [ag.record(function, *map(ag.Tensor, arrays), known=known, closed=closed) for arrays in runs]
    except TraceError as error:
        raise ArgumentError(f"onnx.export: {error}") from error
    merge = _Merge(recordings, axes)
    _translatable(merge.runs[0], closed)
    return merge.plan()
