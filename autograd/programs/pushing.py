"""Forward mode over the steps of a program that is being traced: what :mod:`autograd.forward` does with nodes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd.application import number_of
from autograd.box import Box, wrap
from autograd.forward import Pusher, probe
from autograd.graph import Symbol
from autograd.modes import current, enable_grad
from autograd.programs.adjoint import adjoint, vjp_of_step
from autograd.programs.values import Step, Value, replaced


class StepNode:
    """Show a step as a node: its op, its inputs as parents, and what its rule may ask for as Tensors."""

    released, order = False, 0

    def __init__(self, tracer: Any, step: Step) -> None:
        self.step, self.op = step, step.op
        outputs = step.outputs[: len(step.outputs) - len(step.op.cache)]
        several = step.nested or (step.packed and not step.op.cache)
        self.shape: Any = [out.shape for out in outputs] if several else outputs[0].shape
        self.dtype: Any = [out.dtype for out in outputs] if several else outputs[0].dtype
        self.parents = tuple([Symbol(x, tracer) if isinstance(x, Value) else _Constant(x) for x in step.inputs])
        dtype = outputs[0].dtype
        as_given = dtype.kind not in "fc" or current().tracer.runs_each(step.op)  # a keyword may be among its inputs

        def box(x: Any) -> Any:
            if isinstance(x, Value):
                return tracer.wrap(x) if x.shape is not None else x.array
            return number_of(dtype, x) if isinstance(x, bool | int | float | complex) and not as_given else x

        ys = [tracer.wrap(out) for out in outputs]
        cached = [tracer.wrap(out) for out in step.outputs[len(outputs) :]]
        self.residuals = (*[box(x) for x in step.inputs], tuple(ys) if several else ys[0], *cached)
        self.kwargs = replaced(step.kwargs, lambda x: tracer.wrap(x) if isinstance(x, Value) else x)


class _Constant:
    """Stand for an input that is no value of the program."""

    needs = False

    def __init__(self, x: Any) -> None:
        self.shape, self.dtype = np.shape(x), np.asarray(x).dtype


class StepPusher(Pusher):
    """Push tangents through steps; what is computed is traced."""

    def __init__(self, tracer: Any) -> None:
        super().__init__(True, None)
        self.tracer = tracer

    def through(self, steps: Iterable[Step], tangents: dict[Value, Any]) -> dict[Value, Any]:
        """Return the tangents of all values that these steps compute from those of some."""
        found = dict(tangents)
        for step in steps:
            given = [found.get(x) if isinstance(x, Value) else None for x in step.inputs]
            if all(t is None for t in given) or not step.recorded or any(out in tangents for out in step.outputs):
                continue
            if step.op is None:  # another name for the same value
                found[step.outputs[0]] = given[0]
                continue
            node: Any = StepNode(self.tracer, step)
            made = self.of_op(node, given)
            parts = made if isinstance(made, tuple) else (made,)
            found.update((out, t) for out, t in zip(step.outputs, parts, strict=False) if out.dtype.kind in "fc")
        return found

    def linked(self, node: Any) -> Any:
        """Return what a rule may ask for."""
        return node.residuals

    def through_definition(self, node: Any, given: Sequence[Any]) -> Any:
        """Run the definition, traced, and push the tangents through its steps."""
        tracer = current().tracer
        mark, own, inputs = len(tracer.steps), dict[Value, Any](), list(node.residuals[: len(node.parents)])
        for i, t in enumerate(given):
            if t is not None:
                inputs[i] = tracer.identity(inputs[i], "argument", needs=True)
                own[inputs[i]._node.value] = t
        with enable_grad():
            y = node.op.definition(*inputs, **node.kwargs)
        found = StepPusher(tracer).through(list(tracer.steps[mark:]), own)
        parts = y if isinstance(y, tuple) else (y,)
        several = isinstance(node.shape, list)
        facts = zip(node.shape, node.dtype, strict=True) if several else [(node.shape, node.dtype)]
        made = [
            found.get(part._node.value) if isinstance(part, Box) and isinstance(part._node, Symbol) else None
            for part in parts
        ]
        filled = [
            wrap(self.zeros(*fact)) if t is None else self.fitted(t, *fact) for t, fact in zip(made, facts, strict=True)
        ]
        return tuple(filled) if several else filled[0]

    def transposed(self, node: Any, given: Sequence[Any]) -> Any:
        """Differentiate the vjp of the step with respect to its cotangent, along the tangents."""
        tracer, step = current().tracer, node.step
        several = isinstance(node.shape, list)
        facts = [*zip(node.shape, node.dtype, strict=True)] if several else [(node.shape, node.dtype)]
        cotangents = [tracer.target(probe(shape, dtype)) if dtype.kind in "fc" else None for shape, dtype in facts]
        parts = [*cotangents, *[None] * (len(step.outputs) - len(cotangents))]
        needs = [t is not None for t in given]
        with enable_grad():
            pairs = vjp_of_step(tracer, step, parts, needs, recorded=True)
        seeds: dict[Value, Any] = {}
        tangents = {x: t for x, t in zip(step.inputs, given, strict=True) if t is not None}
        for value, cotangent in pairs:
            root = tracer.of_box(cotangent)
            seeds[root] = seeds[root] + tangents[value] if root in seeds else tangents[value]
        own = [tracer.of_box(u) for u in cotangents if u is not None]
        found = adjoint(tracer, seeds, own, recorded=True)
        made = []
        for u, fact in zip(cotangents, facts, strict=True):
            t = None if u is None else found.get(tracer.of_box(u))
            made.append(wrap(self.zeros(*fact)) if t is None else self.fitted(t, *fact))
        return tuple(made) if several else made[0]


@np.errstate(all="ignore")
def pushed(tracer: Any, roots: Sequence[Any], targets: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
    """Return the tangents of roots of ``tracer``'s trace, None where no way leads to one; they are traced now."""
    now = current().tracer
    tangents = {target.value: now.boxed(t) for target, t in zip(targets, seeds, strict=True)}
    with enable_grad():
        found = StepPusher(tracer).through(list(tracer.steps), tangents)
    return [found.get(root.value) if isinstance(root, Symbol) else None for root in roots]
