"""A run of a function as a list of steps: what an exporter reads. Floor 13: public as ``autograd.record``.

>>> import autograd as ag
>>> run = record(lambda x: 2 * ag.relu(x), ag.Tensor([1.0, -1.0]))
>>> [step.label for step in run.steps]
['relu', 'multiply']
"""

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import Box, plain
from autograd.errors import NotAFunction, TraceError
from autograd.graph import Symbol
from autograd.modes import enable_grad, traced_by
from autograd.programs.traced import refusal
from autograd.programs.tracing import Tracer
from autograd.programs.values import CLOSED, Step, Value
from autograd.tree import flatten


@dataclass(frozen=True, eq=False, slots=True)
class Recording:
    """Hold a run: ``result`` as the function gave it, its ``outputs`` as Values, and the ``steps`` that lead there.

    A Step has a ``label``, ``inputs`` (Values, or arrays and numbers that are constants), ``kwargs``, ``outputs``, and
    its ``scope`` in the model; ``op`` is the declaration behind it, None of a plain function (a comparison, an
    argmax). The ``array`` of a Value is None where it depends on the inputs, else what it was.
    """

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
    """Run ``function`` on the Tensors ``inputs``, traced, and list what it computes from them, oldest step first.

    All steps that the result depends on are there, whether or not a gradient flows through them: comparisons, what is
    detached, what is done to integers. ``known`` names Tensors that may take part (parameters). With ``closed``, ops of
    other names are listed as the steps of their definition, where they have one. The Tensors of ``result`` are cut off
    from their graph. An output that is neither Tensor nor array stands as None.

    Raises TraceError where a number leaves for Python (``if x > 0``, ``x.item()``), or the function runs backward.

    >>> import numpy as np, autograd as ag
    >>> [step.label for step in ag.record(lambda x: np.sin(x) * 2.0, ag.Tensor([1.0, 2.0])).steps]
    ['sin', 'multiply']
    """
    if not callable(function):
        raise NotAFunction(f"record takes a function, and then its Tensors, got {type(function).__name__} first.")
    names = {id(x): name for name, x in (known or {}).items()}
    tracer = _Recorder({id(x): x for x in (known or {}).values()}, closed)
    leaves = [tracer.argument(x) for x in inputs]
    given = tuple(tracer.inputs)
    try:
        with traced_by(tracer), enable_grad():
            parts, form = flatten(function(*leaves))
            outputs = tuple([_value_of(tracer, x) for x in parts])
        if tracer.wrong:
            raise TraceError(f"record: {tracer.wrong}")
    finally:
        tracer.release()
    pairs = zip(parts, outputs, strict=True)
    result = form([x if v is None or v.boxed else plain(x) for x, v in pairs])  # an array where the function has one
    for value in tracer.inputs:
        value.name = names.get(id(value.source)) or value.name
    steps = _leading_to(tracer.steps, outputs)
    _forget(given, steps)
    return Recording(given, outputs, tuple([step for step in steps if step.label != "constant"]), result)


class _Recorder(Tracer):
    """Note the steps of a run that happens once: what is no input is the constant that it was."""

    what, only_ops = "a function that is recorded", True
    advice = "Use np.where in place of an if, or leave that part out."

    def __init__(self, known: Mapping[int, Box], closed: Container[str] | None) -> None:
        super().__init__(lambda array: False, known)
        self.closed = closed

    def opens(self, op: Any, data: Sequence[Any]) -> bool:
        """Tell whether the definition of an op is to stand in its place."""
        return self.closed is not None and op.name not in self.closed and op.definition is not None

    def does(self, function: Callable[..., Any], args: Any, kwargs: Any, values: bool) -> Any:
        """Do what the function does beside computing: it runs once."""
        with traced_by(None):
            return function(*args, **kwargs)

    def reads_state(self, what: str) -> None:
        """Let gradients be read."""

    def goes_back(self, box: Any, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
        """Refuse to run backward."""
        raise refusal("backward() inside", "Record the loss, or use ag.grad.")

    def read(self, box: Box) -> None:
        """Refuse to give the numbers of what is computed; those of a constant are what they are."""
        if isinstance(box._node, Symbol):
            super().read(box)

    def writes_out(self) -> None:
        """Let values be printed: the text has no numbers in it."""


def _value_of(tracer: Tracer, x: Any) -> Value | None:
    """Return the Value of an output; None for what is neither Tensor nor array."""
    if isinstance(x, Box):
        return tracer.of_box(x)
    return Value(CLOSED, np.asarray(x)) if isinstance(x, np.ndarray | np.generic) else None


def _leading_to(steps: Sequence[Step], outputs: Sequence[Value | None]) -> list[Step]:
    """List the steps that the outputs depend on, in their order."""
    wanted, found = {*outputs}, []
    for step in reversed(steps):
        if any(out in wanted for out in step.outputs):
            found.append(step)
            wanted.update(step.values())
    return found[::-1]


def _forget(inputs: Sequence[Value], steps: Sequence[Step]) -> None:
    """Keep the arrays of constants alone: what depends on the inputs is another one for others."""
    for value in inputs:
        value.array = None
    for step in steps:
        if any(value.array is None for value in step.values()):
            for value in step.outputs:
                value.array = None
