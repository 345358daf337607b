"""A run of a function as a list of steps: what an exporter reads. Floor 13: public as ``autograd.record``.

>>> import autograd as ag
>>> run = record(lambda x: 2 * ag.relu(x), ag.Tensor([1.0, -1.0], requires_grad=True))
>>> [step.op for step in run.steps]
['relu', 'multiply']
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import Box, keep_values, leaf_of, wrap
from autograd.errors import GraphError, NotAFunction
from autograd.graph import Leaf, Node, ancestors
from autograd.modes import Scope, enable_grad
from autograd.tree import flatten
from autograd.vjp import ITEM


@dataclass(frozen=True, eq=False, slots=True)
class Value:
    """Describe a value of a recorded run: an input, a constant, or what a step gave.

    ``array`` is the value of a constant (None for inputs and results, and where nobody holds it any more), ``name``
    its name in ``known``, ``note`` what cut it off from the graph (``"detach"``).
    """

    shape: tuple[int, ...]
    dtype: Any
    name: str = ""
    array: Any = None
    note: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """Describe one op of a run: name, inputs (Values, or plain numbers), keywords, outputs, place in the model."""

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
    """Hold a run: ``result`` as the function gave it, its ``outputs`` as Values, and the ``steps`` that lead there."""

    inputs: tuple[Value, ...]
    outputs: tuple[Value | None, ...]
    steps: tuple[Step, ...]
    result: Any


def record(
    function: Callable[..., Any],
    *inputs: Any,
    known: Mapping[str, Any] | None = None,
    closed: Container[str] | None = None,
) -> Recording:
    """Run ``function`` on the Tensors ``inputs`` and list what it computes from them, oldest step first.

    Only steps that the result depends on and that need a gradient are there: let the inputs require one. Inputs of
    integers are followed as if they did, and so is what ``astype`` makes integers of. ``known`` names Tensors that may
    take part (parameters). With ``closed``, ops of other names are listed as the steps of their definition, where they
    have one. Where an op reads the very array of an input it is recognised. An output that is no Tensor stands as None.

    Raises GraphError if the function runs backward.

    >>> import numpy as np, autograd as ag
    >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
    >>> [step.op for step in ag.record(lambda x: np.sin(x) * 2.0, x).steps]
    ['sin', 'multiply']
    """
    if not callable(function):
        raise NotAFunction(f"record takes a function, and then its Tensors, got {type(function).__name__} first.")
    with keep_values(), enable_grad(), _followed(inputs):
        result = function(*inputs)
    tensors = [x if isinstance(x, Box) else None for x in flatten(result)[0]]
    return _Reader(inputs, known or {}, closed).read(tensors, result)


@contextmanager
def _followed(inputs: Sequence[Box]) -> Iterator[None]:
    """Record what is computed from integers too: the graph is only read, and no backward runs."""
    leaves = [leaf for leaf in map(leaf_of, inputs) if leaf.op is None and leaf.dtype.kind in "iu" and not leaf.needs]
    for leaf in leaves:
        leaf.needs = True
    try:
        yield
    finally:
        for leaf in leaves:
            leaf.needs = False


class _Reader:
    """Translate nodes into Values and Steps."""

    def __init__(self, inputs: Sequence[Box], known: Mapping[str, Any], closed: Container[str] | None) -> None:
        self.inputs = tuple(Value(x._array.shape, x._array.dtype, f"input {i}") for i, x in enumerate(inputs))
        self.values = {(leaf_of(x), 0): value for x, value in zip(inputs, self.inputs, strict=True)}
        self.raw, self.closed = [x._array for x in inputs], closed
        self.known = {leaf_of(x): (name, x._array) for name, x in known.items()}
        self.held: dict[Node, Any] = {}

    def read(self, tensors: Sequence[Box | None], result: Any) -> Recording:
        for x in tensors:
            if x is not None and leaf_of(x).op is None:
                self.held[leaf_of(x)] = x._array
        roots = [None if x is None else leaf_of(x) for x in tensors]
        steps = self.steps(root for root in roots if root is not None)
        outputs = tuple(None if root is None else self.value(root) for root in roots)
        return Recording(self.inputs, outputs, tuple(steps), result)

    def steps(self, roots: Iterable[Node], scope: Scope | None = None) -> list[Step]:
        """List the steps that lead to ``roots`` from values that are known already."""
        found: set[Node] = set()
        for root in roots:
            found.update(ancestors(root, lambda node: (node, 0) not in self.values))
        nodes = [n for n in found if n.op is not None and n.op is not ITEM and (n, 0) not in self.values]
        steps: list[Step] = []
        for node in sorted(nodes, key=lambda n: -n.order):
            if node.released:
                raise GraphError("record: the function ran backward. Record the forward computation only.")
            self.held.update(
                (p, v) for p, v in zip(node.parents, node.residuals, strict=False) if p is not None and v is not None
            )
            steps += self.opened(node, scope or node.scope) or [self.step(node, scope or node.scope)]
        return steps

    def opened(self, node: Node, scope: Scope | None) -> list[Step]:
        """List the steps of the definition of an op that is not to stay closed."""
        op, count = node.op, len(node.parents)
        if self.closed is None or op.name in self.closed or op.definition is None:
            return []
        inputs = list(node.residuals[: count - op.closed_over(node)])
        for i, parent in enumerate(node.parents[: len(inputs)]):
            if parent is not None:
                stand_in = Leaf(inputs[i], parent.shape, parent.dtype, parent.needs)
                self.values[stand_in, 0] = self.value(parent)
                inputs[i] = wrap(inputs[i], stand_in)
        with keep_values(), enable_grad():
            y = op.definition(*inputs, **(node.kwargs or {}))
        roots = [leaf_of(part) for part in (y if isinstance(y, tuple) else (y,))]
        steps = self.steps(roots, scope)
        self.values.update({(node, i): self.value(root) for i, root in enumerate(roots)})
        return steps

    def step(self, node: Node, scope: Scope | None) -> Step:
        given = [node.residuals[i] if p is None else self.value(p) for i, p in enumerate(node.parents)]
        several = isinstance(node.shape, list)
        shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
        outputs = tuple(Value(tuple(shape), dtype) for shape, dtype in zip(shapes, dtypes, strict=True))
        self.values.update({(node, i): value for i, value in enumerate(outputs)})
        return Step(node.op.name, tuple(given), dict(node.kwargs or {}), outputs, scope, node.op)

    def value(self, node: Node) -> Value:
        node, i = (node.parents[0], node.kwargs["index"]) if node.op is ITEM else (node, 0)
        if (node, i) not in self.values:
            self.values[node, i] = self.constant(node)
        return self.values[node, i]

    def constant(self, node: Node) -> Value:
        name, array = self.known.get(node, (node.name or "", node.residuals[0]))
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
