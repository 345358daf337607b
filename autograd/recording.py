"""A run of a function as a list of steps: what an exporter reads. Public as ``autograd.record``.

>>> import autograd as ag
>>> run = record(lambda x: 2 * ag.relu(x), ag.Tensor([1.0, -1.0], requires_grad=True))
>>> [step.op for step in run.steps]
['relu', 'multiply']
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import Box, keep_values, leaf_of
from autograd.errors import GraphError
from autograd.graph import Node, ancestors
from autograd.modes import Scope, enable_grad
from autograd.pull import ITEM
from autograd.tree import flatten


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """Describe a value of a recorded run: an input, a constant, or what a step gave.

    ``array`` is the value of a constant (None for inputs and results, and where nobody holds it any more), ``name`` that of
    a constant in ``known``, ``note`` what cut a constant off from the graph (``"detach"``).
    """

    shape: tuple[int, ...]
    dtype: Any
    name: str = ""
    array: Any = None
    note: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """Describe one op of a run: its name, inputs (Values, or plain numbers), keywords, outputs and place in the model."""

    op: str
    inputs: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    outputs: tuple[Value, ...]
    scope: Scope | None
    _op: Any

    def run(self, *arrays: Any) -> tuple[Any, ...]:
        """Compute the outputs again, from other arrays."""
        y = self._op.forward(*arrays, **self.kwargs)
        y = y[0] if self._op.cache else y
        return tuple(map(np.asarray, y)) if isinstance(y, tuple) else (np.asarray(y),)


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """Hold a run: ``result`` as the function returned it, its ``outputs`` as Values in order, and the ``steps`` that lead there."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value | None, ...]
    steps: tuple[Step, ...]
    result: Any


def record(function: Callable[..., Any], *inputs: Any, known: Mapping[str, Any] | None = None) -> Recording:
    """Run ``function`` on the Tensors ``inputs`` and list what it computes from them, oldest step first.

    Only steps that the result depends on and that need a gradient are there: let the inputs require one. ``known`` names
    Tensors that may take part (parameters). An integer Tensor cannot require a gradient; where an op reads its very array it
    is recognised all the same. An output that is no Tensor stands as None. The result must not be a released graph.
    """
    with keep_values(), enable_grad():
        result = function(*inputs)
    tensors = [x if isinstance(x, Box) else None for x in flatten(result)[0]]
    return _Reader(inputs, known or {}).read(tensors, result)


class _Reader:
    """Translate nodes into Values and Steps."""

    def __init__(self, inputs: Sequence[Box], known: Mapping[str, Any]) -> None:
        self.inputs = tuple(Value(x._data.shape, x._data.dtype, f"input {i}") for i, x in enumerate(inputs))
        self.values: dict[tuple[Node, int], Value] = {(leaf_of(x), 0): v for x, v in zip(inputs, self.inputs, strict=True)}
        self.raw = [x._data for x in inputs]
        self.known = {leaf_of(x): (name, x._data) for name, x in known.items()}
        self.held: dict[Node, Any] = {}

    def read(self, tensors: Sequence[Box | None], result: Any) -> Recording:
        roots = [leaf_of(x) for x in tensors if x is not None]
        found: set[Node] = set()
        for root in roots:
            found.update(ancestors(root))
        nodes = sorted((n for n in found if n.op is not None and n.op is not ITEM), key=lambda n: -n.order)
        for node in nodes:
            if node.released:
                raise GraphError("record: the function ran backward; record the forward computation only.")
            self.held.update(
                (p, v) for p, v in zip(node.parents, node.saved, strict=False) if p is not None and v is not None
            )
        steps = tuple(self.step(node) for node in nodes)
        for x in tensors:
            if x is not None:
                self.held.setdefault(leaf_of(x), x._data)
        outputs = tuple(None if x is None else self.value(leaf_of(x)) for x in tensors)
        return Recording(self.inputs, outputs, steps, result)

    def step(self, node: Node) -> Step:
        given = [node.saved[i] if p is None else self.value(p) for i, p in enumerate(node.parents)]
        several = isinstance(node.shape, list)
        shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
        outputs = tuple(Value(tuple(shape), dtype) for shape, dtype in zip(shapes, dtypes, strict=True))
        self.values.update({(node, i): value for i, value in enumerate(outputs)})
        return Step(node.op.name, tuple(given), dict(node.kwargs or {}), outputs, node.scope, node.op)

    def value(self, node: Node) -> Value:
        node, i = (node.a, node.kwargs["index"]) if node.op is ITEM else (node, 0)
        if (node, i) not in self.values:
            self.values[node, i] = self.constant(node)
        return self.values[node, i]

    def constant(self, node: Node) -> Value:
        name, array = self.known.get(node, (node.name or "", node.saved[0]))
        if array is None:
            array = self.held.get(node)
        for source, value in zip(self.raw, self.inputs, strict=True):
            if array is not None and _same_memory(source, array):
                return value
        return Value(tuple(node.shape), node.dtype, name, array, getattr(node, "note", ""))


def _same_memory(a: Any, b: Any) -> bool:
    """Tell whether two arrays are the same numbers at the same place."""
    facts = [(x.shape, x.strides, x.dtype, x.__array_interface__["data"][0]) for x in (np.asarray(a), np.asarray(b))]
    return facts[0] == facts[1] and np.asarray(a).size > 0
