"""Ops whose fused forward stands in a program line by line, as a person would write it, and not as a call."""

from collections.abc import Sequence
from typing import Any

from autograd.box import Box
from autograd.modes import no_grad
from autograd.programs.values import Step, Value, replaced
from autograd.programs.watching import told

LINES = "forward"  # what such an op says of itself: inline="forward"


def opened(tracer: Any, trace: Sequence[Step]) -> list[Step]:
    """Return the steps of a trace, with those of the forward itself in place of an op that says so."""
    found: list[Step] = []
    for step in trace:
        found += _lines(tracer, step) or [step]
    return found


def _lines(tracer: Any, step: Step) -> list[Step]:
    """Return the steps that the forward of an op consists of; none where it reads numbers, or is not asked for."""
    if step.op is None or step.op.inline != LINES or step.function is not step.op.forward:
        return []
    mark = tracer.mark()

    def wrap(x: Any) -> Any:
        return tracer.wrap(x) if isinstance(x, Value) else x

    try:
        with no_grad():
            y = lettered(tracer, step.function, *replaced(step.inputs, wrap), **replaced(step.kwargs, wrap))
        values = [tracer.of_box(part) for part in (y if isinstance(y, tuple) else (y,))]
    except Exception:  # it stays one step, on plain arrays
        values = []
    made: list[Step] = tracer.steps[mark[0] :]
    tracer.take_back(mark)
    known = {out for each in made for out in each.outputs}
    alike = [(v.shape, v.dtype) for v in values] == [(out.shape, out.dtype) for out in step.outputs]
    if not alike or len(set(values)) != len(values) or not known.issuperset(values):
        return []
    names = dict(zip(values, step.outputs, strict=True))
    for value, out in names.items():
        out.letter = value.letter
    for each in made:
        each.inputs = replaced(each.inputs, lambda x: names.get(x, x) if isinstance(x, Value) else x)
        each.kwargs = replaced(each.kwargs, lambda x: names.get(x, x) if isinstance(x, Value) else x)
        each.outputs = tuple([names.get(out, out) for out in each.outputs])
        for out in each.outputs:
            out.step = each
        each.line, each.scope = step.line, step.scope
    return made


def lettered(tracer: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function of an op, and let the values that it computes have the names that they have there."""
    held: dict[str, Any] = {}

    def look(frame: Any, event: str, _: Any) -> None:
        if event == "return" and frame.f_code is function.__code__:
            held.update(frame.f_locals)

    mark = len(tracer.steps)
    with told(look):
        y = function(*args, **kwargs)
    made = {out for step in tracer.steps[mark:] for out in step.outputs}
    for value in made:
        value.letter = value.letter or ""
    for name, x in held.items():
        if isinstance(x, Box) and (value := tracer.of_box(x)) in made and not value.letter:
            value.letter = name
    return y
