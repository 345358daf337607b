"""What is read once, and at once, is written inside the line that reads it: ``dz = dh * (1 - h * h)``.

The same functions run in the same order on the same memory, so no bit of a result depends on it.
"""

from collections import Counter
from typing import Any

import numpy as np

from autograd.programs.passes import named
from autograd.programs.simplify import add_at
from autograd.programs.spelling import is_plain
from autograd.programs.values import NOTHING, Step, Value, is_write, values_in


def nested(program: Any) -> None:
    """Write what is read once, at once, inside the line that reads it, where neither has a name to tell."""
    every = [*program.forward, *program.backward]
    read = Counter(v for step in every for each in (step, *step.inner) for v in each.values())
    read.update(values_in([program.outputs, list(program.gradients.values())]))
    read.update(v for step in every for v in (step.out, *[each.out for each in step.inner]) if v is not None)
    told = {out.of for step in every for out in step.outputs}  # a gradient is called after it
    for steps in (program.forward, program.backward):
        i = len(steps)
        while i:
            i -= 1
            reader, wanted = steps[i], set(steps[i].values())
            while i and _reads_plainly(reader) and _fits_inside(steps[i - 1], reader, wanted - told, read):
                i -= 1
                steps[i].inside = True
                wanted.update(steps[i].values())


def _reads_plainly(step: Step) -> bool:
    """Tell whether a step writes each of its inputs once, in one expression."""
    return is_plain(step) or is_write(step) or named(step, "scatter") or step.function in (add_at, np.copyto)


def _fits_inside(step: Step, reader: Step, wanted: set[Value], read: Counter[Value]) -> bool:
    """Tell whether a step gives what the line of ``reader`` reads alone, below the same line of the user's."""
    if not is_plain(step) or step.out is not None:
        return False
    y = step.outputs[0]
    if y not in wanted or read[y] != 1 or y.name or y.letter or y.of is not None or y.kind == NOTHING:
        return False
    return step.line == reader.line and _path(step) == _path(reader)


def _path(step: Step) -> str:
    return step.scope.path if step.scope is not None else ""
