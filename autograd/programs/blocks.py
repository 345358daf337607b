"""Elementwise runs on large arrays, block by block: what one step gives the next reads from the cache.

Where a whole program is such a run with a sum at its end, its gradient is computed in the same blocks, for the
cotangent 1: nothing but the gradient itself is kept.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.programs.passes import edited, named, read_anew, results_anew
from autograd.programs.values import RESULT, Step, Value, replaced, values_in

BLOCK = 1 << 14  # elements: four blocks of float32 fit the L2 cache of any processor
LARGE = 1 << 17  # elements from which on it pays
FEW = 3  # steps in a run


def ahead(program: Any) -> None:
    """Compute the gradient with the value, where both are one elementwise run that ends in a sum."""
    if len(program.roots) != 1 or not program.gradients or program.roots[0].shape != ():
        return
    shapes = {v.shape for v in program.gradients.values() if isinstance(v, Value)}
    (cotangent,) = program.cotangents
    steps = [*program.forward, *program.backward]
    if len(shapes) != 1 or not all(isinstance(g, Value) and g.step is not None for g in program.gradients.values()):
        return
    (shape,) = shapes
    order = order_of(next(v for v in program.gradients.values() if isinstance(v, Value)))
    if math.prod(shape) < LARGE or not all(_is_elementwise(step, shape, order) or _is_small(step) for step in steps):
        return
    if any(step.outputs[0] is g for step in program.forward for g in program.gradients.values()):
        return
    one = cotangent.dtype.type(1)
    for step in program.backward:
        step.inputs = replaced(step.inputs, lambda x: one if x is cotangent else x)
    program.forward += program.backward
    program.backward = []
    for leaf, g in program.gradients.items():
        found = Value(RESULT, g.array)
        found.of = leaf
        program.backward.append(Step(scaled, "scaled", (g, cotangent), {}, (found,)))
        program.gradients[leaf] = found


def scaled(gradient: Any, cotangent: Any) -> Any:
    """Return a gradient that was computed for the cotangent 1."""
    return gradient if cotangent == 1 else gradient * cotangent


def ones(program: Any) -> None:
    """Leave out products with 1, and take the sign of those with -1."""
    known: dict[Any, Any] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                if step.function is not np.multiply or step.kwargs or step.packed:
                    continue
                for i, x in enumerate(step.inputs):
                    other, y = step.inputs[1 - i], step.outputs[0]
                    one = isinstance(x, float | np.floating) and abs(x) == 1
                    if not one or not isinstance(other, Value) or (other.shape, other.dtype) != (y.shape, y.dtype):
                        continue
                    if x == 1:
                        known[y] = other
                        edits.gone.add(step)
                    else:
                        step.function, step.label, step.inputs, step.op = np.negative, "negative", (other,), None
                    break
    results_anew(program, known)


def blocks(program: Any) -> None:
    """Run elementwise steps on large arrays together, block by block."""
    given = list(program.gradients.values())
    for steps in (program.forward, program.backward):
        read_later = {v for step in program.backward for v in step.values()} if steps is program.forward else set()
        kept = read_later | {*values_in(program.outputs), *values_in(given)}
        at = 0
        while at < len(steps):
            run, others = _run(steps, at)
            if len(run) >= FEW:
                rest = steps[at + len(run) + len(others) :]
                steps[at:] = [*others, _joined(run, kept | {v for step in rest for v in step.values()}), *rest]
                at += len(others)
            at += 1


def _run(steps: list[Step], at: int) -> tuple[list[Step], list[Step]]:
    """Return the elementwise steps on one large shape from ``at`` on, and steps among them that can stand before."""
    first = steps[at]
    shape = first.outputs[0].shape if first.outputs else None
    if not shape or math.prod(shape) < LARGE or not _is_elementwise(first, shape, order := order_of(first.outputs[0])):
        return [], []
    run, others, waiting = [first], [], list[Step]()
    made = {first.outputs[0]}
    for step in steps[at + 1 :]:
        if _is_elementwise(step, shape, order):
            run.append(step)
            others += waiting
            waiting = []
            made.add(step.outputs[0])
        elif _is_small(step) and not any(v in made for v in step.values()):
            waiting.append(step)
        else:
            break
    return run, others


def _is_small(step: Step) -> bool:
    return isinstance(step.function, np.ufunc) and len(step.outputs) == 1 and step.outputs[0].shape == ()


def order_of(value: Value) -> str:
    """Tell in which order the elements lie in memory: "C", "F", or "" for neither."""
    flags = value.array.flags
    return "C" if flags.c_contiguous else "F" if flags.f_contiguous else ""


def _is_elementwise(step: Step, shape: Any, order: str) -> bool:
    """Tell whether a step computes each element of ``shape`` from those at its place, or adds them all up.

    All arrays lie in one order, as a sum rounds by it.
    """
    if step.packed or step.dynamic or step.effect or len(step.outputs) != 1 or step.out is not None:
        return False
    if not all(_fits(x, shape, order) for x in step.inputs) or not any(isinstance(x, Value) for x in step.inputs):
        return False
    if _adds_up(step):
        return bool(step.inputs[0].shape == shape)
    if (
        not _fits(step.outputs[0], shape, order)
        or step.outputs[0].shape != shape
        or step.outputs[0].dtype.kind not in "fb"
    ):
        return False
    f = step.function
    if isinstance(f, np.ufunc):
        return f.signature is None and f.nout == 1 and not step.kwargs
    plain = step.op is not None and step.op.elementwise and not step.op.cache and f is step.op.forward
    return plain and not named(step, "broadcast_to") and not any(values_in(step.kwargs))


def _fits(x: Any, shape: Any, order: str) -> bool:
    if isinstance(x, Value):
        return x.shape == () or (x.shape == shape and order_of(x) == order != "")
    return isinstance(x, int | float | np.number)


def _adds_up(step: Step) -> bool:
    whole = all(not step.kwargs.get(key) for key in ("keepdims", "dtype", "axis"))
    return named(step, "sum") and whole and step.kwargs.get("axis") is None and step.outputs[0].dtype.kind == "f"


def _joined(run: list[Step], kept: set[Any]) -> Step:
    made = {step.outputs[0] for step in run}
    given = tuple(dict.fromkeys(v for step in run for v in step.values() if v not in made))
    outputs = tuple([step.outputs[0] for step in run if step.outputs[0] in kept or _adds_up(step)])
    order = order_of(next(v for v in (*given, *outputs) if v.shape))
    step = Step(in_blocks, "in_blocks", given, {"order": order}, outputs, packed=True, scope=run[0].scope)
    step.line, step.inner = run[0].line, run
    return step


def in_blocks(*given: Any) -> Any:
    """Stand for a run; the source of the program has its loop."""
    raise NotImplementedError


@lru_cache(maxsize=64)
def parts(size: int, start: int = 0) -> Sequence[slice]:
    """List the blocks of an array: the halves of halves that NumPy's ``sum`` adds up."""
    if size <= BLOCK:
        return [slice(start, start + size)]
    half = size // 2 - size // 2 % 8
    return [*parts(half, start), *parts(size - half, start + half)]


def added(sums: Iterator[Any], size: int) -> Any:
    """Add the sums of the blocks as NumPy does, half to half: so the total has the bits of its ``sum``."""
    if size <= BLOCK:
        return next(sums)
    half = size // 2 - size // 2 % 8
    return added(sums, half) + added(sums, size - half)
