"""The adjoint of a program: its gradient, as further steps, by the same rules that eager backward runs.

A rule is traced like any function, so what it computes can be read, and differentiated again. The joint rule of a
fused op is one step where no further derivative is asked for; where one is, its definition takes its place.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.application import number_of
from autograd.box import Box
from autograd.compiler import select
from autograd.errors import ConversionError, TraceError
from autograd.modes import enable_grad, is_grad_enabled, no_grad
from autograd.ops import elementwise as ew
from autograd.programs.opening import LINES, lettered
from autograd.programs.values import Step, Value, replaced
from autograd.rules import Op, Rule
from autograd.vjp import fit, missing_rule

_KEPT = (bool, int, float, complex)


def adjoint(
    tracer: Any, cotangents: dict[Value, Any], targets: Sequence[Value], *, recorded: bool, steps: Any = None
) -> dict[Value, Any]:
    """Return the gradients of ``targets``, given some cotangents; ``recorded`` if they may be differentiated.

    ``steps`` are those to go back through, by default the tracer's own.
    """
    steps = list(tracer.steps if steps is None else steps)
    wanted = set(targets)
    leading = set(targets)
    for step in steps:
        if step.recorded and any(v in leading and v.needs for v in step.values()):
            leading.update(out for out in step.outputs if out.needs and out not in wanted)
    found = dict(cotangents)
    with enable_grad() if recorded else no_grad():
        for step in reversed(steps):
            if step.outputs and not any(out in found and out in leading and out not in wanted for out in step.outputs):
                continue
            if not step.outputs:
                continue
            parts = [found.pop(out, None) if out in leading and out not in wanted else None for out in step.outputs]
            mark = len(tracer.steps)
            pairs = _vjp_of_leading(tracer, step, parts, leading, recorded)
            for value, cotangent in pairs:
                found[value] = total = ew.add(found[value], cotangent) if value in found else cotangent
                total._node.value.of = total._node.value.of or value
            for made in tracer.steps[mark:]:  # they belong to the line and the module of what they go back through
                made.line, made.scope = step.line, step.scope
    return {value: g for value, g in found.items() if value in wanted}


def _vjp_of_leading(
    tracer: Any, step: Step, parts: list[Any], leading: set[Value], recorded: bool
) -> list[tuple[Value, Any]]:
    """Return the cotangent of each input of a step that leads to a target."""
    needs = [isinstance(v, Value) and v.needs and v in leading for v in step.inputs]
    if step.op is None:  # another name for the same value
        return [(step.inputs[0], parts[0])] if needs[0] else []
    return vjp_of_step(tracer, step, parts, needs, recorded)


def vjp_of_step(
    tracer: Any, step: Step, parts: list[Any], needs: list[bool], recorded: bool
) -> list[tuple[Value, Any]]:
    """Return the cotangents of the inputs of a step that need one, given those of its outputs."""
    if not tracer.loops:
        with tracer.names(f"the gradient of {step.op.name}"):
            return _vjp_of_op(tracer, step, parts, needs, recorded)
    mark = tracer.mark()
    if tracer.runs_each(step.op):
        return tracer.pulled_each(step, parts, needs)  # type: ignore[no-any-return]
    try:
        return _vjp_of_op(tracer, step, parts, needs, recorded)
    except (TraceError, ConversionError):  # a rule that reads numbers
        tracer.take_back(mark)
        return tracer.pulled_each(step, parts, needs)  # type: ignore[no-any-return]


def _vjp_of_op(tracer: Any, step: Step, parts: list[Any], needs: list[bool], recorded: bool) -> list[tuple[Value, Any]]:
    op: Op = step.op
    outputs = step.outputs[: len(step.outputs) - len(op.cache)]
    if op.definition is not None and (recorded or (op.joint is None and not op.rules)):
        return _by_definition(tracer, step, parts, needs)
    if op.definition is None or op.inline == LINES:
        mark = tracer.mark()
        try:
            return _by_rules(tracer, step, parts, outputs, needs)
        except Exception:  # a rule that reads numbers: then it is a step itself, on plain arrays
            if recorded:
                raise
            tracer.take_back(mark)
    return _by_kernel(tracer, step, parts, outputs, needs)


def _by_rules(tracer: Any, step: Step, parts: Any, outputs: Any, needs: list[bool]) -> list[tuple[Value, Any]]:
    """Trace the rules themselves."""
    op = step.op
    g = tuple(_filled(tracer, outputs, parts)) if _several(step) else parts[0]
    arrived = tuple(part is not None for part in parts[: len(outputs)])
    asked = _Asked(tracer, step, outputs, needs, arrived)
    cotangents: list[tuple[Value, Any]] = []
    if op.joint is not None:
        rule = op.joint.function
        given = lettered(tracer, rule, g, *asked.of(op.joint)) if op.inline == LINES else rule(g, *asked.of(op.joint))
        for i, cotangent in enumerate(given):
            if needs[i]:
                cotangents.append((step.inputs[i], _fitted(tracer, cotangent, step.inputs[i], op, i)))
        return cotangents
    for i, needed in enumerate(needs):
        if not needed:
            continue
        if i not in op.rules:
            missing_rule(op, i)
        cotangent = op.rules[i].function(g, *asked.of(op.rules[i]))
        if i in op.masks:
            cotangent = select(op.masks[i].function(*asked.of(op.masks[i])), _traced(tracer, cotangent))
        cotangents.append((step.inputs[i], _fitted(tracer, cotangent, step.inputs[i], op, i)))
    return [(value, _traced(tracer, cotangent)) for value, cotangent in cotangents]


def _fitted(tracer: Any, cotangent: Any, value: Value, op: Op, i: int) -> Any:
    """Fit a cotangent, and mark the sums that do so."""
    mark = len(tracer.steps)
    found = fit(cotangent, value, op, i)
    for made in tracer.steps[mark:]:
        made.fits = not is_grad_enabled()
    return found


def _several(step: Step) -> bool:
    """Tell whether the op gives a tuple, be it of one output."""
    return step.nested or (step.packed and not step.op.cache)


def _traced(tracer: Any, cotangent: Any) -> Any:
    return cotangent if isinstance(cotangent, Box) else tracer.constant(cotangent)


def _filled(tracer: Any, outputs: Sequence[Value], parts: Sequence[Any]) -> list[Any]:
    return [
        tracer.constant(np.zeros(out.shape, out.dtype)) if part is None else part
        for out, part in zip(outputs, parts, strict=False)
    ]


class _Asked:
    """Give a rule what it asks for: Tensors of the program."""

    def __init__(self, tracer: Any, step: Step, outputs: Any, needs: Any, arrived: Any) -> None:
        self.tracer, self.step, self.outputs, self.needs, self.arrived = tracer, step, outputs, needs, arrived

    def of(self, rule: Rule) -> list[Any]:
        return [self.one(source, key) for source, key in rule.sources]

    def one(self, source: str, key: Any) -> Any:
        step = self.step
        if source == "inputs":
            return tuple([self.residual(x) for x in step.inputs])
        if source == "residuals":
            if key == -1 - len(step.op.cache):
                return self.output()
            return self.residual(step.inputs[key] if key >= 0 else step.outputs[key])
        if source == "shapes":
            return tuple([x.shape if isinstance(x, Value) else np.shape(x) for x in step.inputs])
        if source == "needs":
            return tuple(self.needs)
        if source == "alive":
            return (None,) * len(self.arrived)  # should a nan come of it, the ordinary ops run again, which know
        return self.arrived if source == "arrived" else self.keyword(step.kwargs[key])

    def output(self) -> Any:
        ys = [self.tracer.wrap(out) for out in self.outputs]
        return tuple(ys) if _several(self.step) else ys[0]

    def keyword(self, x: Any) -> Any:
        return replaced(x, lambda x: self.tracer.wrap(x) if isinstance(x, Value) else x)

    def residual(self, x: Any) -> Any:
        """Return an input as the engine keeps it: a Python number in the dtype of the result."""
        if isinstance(x, Value):
            return x.array if x.shape is None else self.tracer.wrap(x)
        if isinstance(x, _KEPT) and self.outputs[0].dtype.kind in "fc":
            return number_of(self.outputs[0].dtype, x)
        return x


def _by_kernel(tracer: Any, step: Step, parts: Any, outputs: Any, needs: list[bool]) -> list[tuple[Value, Any]]:
    """Make one step of the rules of an op, on plain arrays."""
    op = step.op
    arrived = tuple(part is not None for part in parts[: len(outputs)])
    g: Any = tuple(_filled(tracer, outputs, parts)) if _several(step) else parts[0]
    cotangents: list[tuple[Value, Any]] = []
    asked = _Plain(step, outputs, needs, arrived)
    pairs = [(None, op.joint)] if op.joint is not None else [(i, op.rules[i]) for i, n in enumerate(needs) if n]
    for i, rule in pairs:
        places = [k for k, needed in enumerate(needs) if needed] if i is None else [i]
        mask = None if i is None else op.masks.get(i)
        names = asked.of(rule)
        parents, label = [step.inputs[k] for k in places], f"{op.name}_vjp"
        found = None
        if mask is None:
            found = tracer.pulled(rule.function, label, (g, *names), parents, places if i is None else None)
        if found is None:
            kernel = kernel_of(op, rule, places, mask, parents, i)
            given = g, tuple(names), tuple(asked.of(mask)) if mask else ()
            found = tracer.pulled(kernel, label, given, parents, range(len(parents)))
        cotangents += zip(parents, found, strict=True)
    return cotangents


class _Plain(_Asked):
    """Give the Values themselves, for a step to be."""

    def __init__(self, step: Step, outputs: Any, needs: Any, arrived: Any) -> None:
        super().__init__(None, step, outputs, needs, arrived)

    def output(self) -> Any:
        return tuple(self.outputs) if _several(self.step) else self.outputs[0]

    def keyword(self, x: Any) -> Any:
        return x

    def residual(self, x: Any) -> Any:
        if isinstance(x, Value):
            return x
        return super().residual(x)


def kernel_of(op: Op, rule: Rule, places: list[int], mask: Any, parents: list[Value], i: int | None) -> Any:
    """Return the function of plain arrays that runs a rule and fits what it gives to the inputs."""
    facts = [Like(parent.shape, parent.dtype) for parent in parents]

    def kernel(g: Any, given: Any, masked: Any) -> Any:
        cotangents = rule.function(g, *given)
        cotangents = [cotangents[k] for k in places] if i is None else [cotangents]
        if mask is not None:
            cotangents = [select(mask.function(*masked), cotangents[0])]
        return tuple([fit(s, like, op, k) for s, like, k in zip(cotangents, facts, places, strict=True)])

    kernel.__name__ = f"{op.name}_vjp"
    return kernel


class Like:
    """Tell of what shape and dtype a cotangent must be."""

    __slots__ = ("dtype", "shape")

    def __init__(self, shape: Any, dtype: Any) -> None:
        self.shape, self.dtype = shape, dtype


def _by_definition(tracer: Any, step: Step, parts: Any, needs: list[bool]) -> list[tuple[Value, Any]]:
    """Run the definition of an op again, traced, and go back through it."""
    op = step.op
    inner: list[Any] = []
    own: dict[Value, int] = {}
    for i, x in enumerate(step.inputs):
        if not isinstance(x, Value):
            inner.append(x)
        elif needs[i]:
            box = tracer.identity(tracer.wrap(x), "argument", needs=True)
            inner.append(box)
            own[box._node.value] = i
        else:
            inner.append(tracer.wrap(x))
    keywords = replaced(step.kwargs, lambda x: tracer.wrap(x) if isinstance(x, Value) else x)
    with enable_grad():
        y = op.definition(*inner, **keywords)
    ys = y if isinstance(y, tuple) else (y,)
    cotangents: dict[Value, Any] = {}
    for out, part in zip(ys, parts, strict=False):
        if part is not None and isinstance(out, Box):
            value = tracer.of_box(out)
            cotangents[value] = ew.add(cotangents[value], part) if value in cotangents else part
    found = adjoint(tracer, cotangents, list(own), recorded=True)
    for value, i in own.items():
        value.needs = step.inputs[i].needs
    return [(step.inputs[i], fit(found[v], step.inputs[i], op, i)) for v, i in own.items() if v in found]
