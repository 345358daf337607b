"""Passes that shorten arithmetic: constants, signs, squares, and what is spread out only to be multiplied."""

import operator
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from autograd.ops.indices import as_index, as_tuple, is_basic
from autograd.programs.passes import Edits, edited, named, read_anew, results_anew
from autograd.programs.values import RESULT, Step, Value, values_in

_PURE = (np.generic, int, float, bool)
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
_WITH_NUMBERS = {
    np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.greater, np.less, np.greater_equal,
    np.less_equal, np.equal, np.not_equal, operator.gt, operator.lt, operator.ge, operator.le, operator.eq, operator.ne,
}  # fmt: skip
_ELEMENTWISE = (np.add, np.subtract, np.multiply, np.divide, np.negative, np.maximum, np.minimum)


def constants(program: Any) -> None:
    """Compute now what depends on numbers alone."""
    known: dict[Any, Any] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                if not isinstance(step.function, np.ufunc) or step.kwargs or step.packed or step.effect:
                    continue
                if all(isinstance(x, _PURE) for x in step.inputs):
                    with np.errstate(all="ignore"):
                        found = step.function(*step.inputs)
                    if found.dtype == step.outputs[0].dtype and found.shape == step.outputs[0].shape:
                        known[step.outputs[0]] = found
                        edits.gone.add(step)
    results_anew(program, known)


def spreads(program: Any) -> None:
    """Leave broadcasting to the arithmetic that reads what was spread out."""
    small: dict[Any, Any] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                if named(step, "broadcast_to"):
                    small[step.outputs[0]] = _number(step.inputs[0])
                elif _is_elementwise(step) and any(isinstance(x, Value) and x in small for x in step.inputs):
                    _unspread(step, small, edits)


def _is_elementwise(step: Step) -> bool:
    if named(step, "where") or named(step, "select"):
        return step.op is not None and step.op.forward is step.function
    return step.function in _ELEMENTWISE and not step.kwargs and not step.packed


def _unspread(step: Step, small: dict[Any, Any], edits: Edits) -> None:
    """Let a step read numbers in place of arrays full of them; where all are, its result is such an array as well."""
    y = step.outputs[0]
    numbers = tuple([small.get(x, x) if isinstance(x, Value) else x for x in step.inputs])
    masks = [_array(x) for x in step.kwargs.values()]  # of where and select
    if not masks and all(np.shape(_array(x)) == () for x in numbers):
        with np.errstate(all="ignore"):
            value = Value(RESULT, step.function(*map(_array, numbers)))
        if value.dtype == y.dtype:
            edits.before[step] = Step(step.function, step.label, numbers, {}, (value,))
            small[y] = value
        return
    for i in range(len(numbers)):
        inputs = (*step.inputs[:i], numbers[i], *step.inputs[i + 1 :])
        arrays = [_array(x) for x in inputs]
        if np.broadcast_shapes(*map(np.shape, [*arrays, *masks])) == y.shape and np.result_type(*arrays) == y.dtype:
            step.inputs = inputs


def _number(x: Any) -> Any:
    """Return a constant of one number as a scalar, which is cheaper to read than an array."""
    return x[()] if isinstance(x, np.ndarray) and x.ndim == 0 else x


def _array(x: Any) -> Any:
    return x.array if isinstance(x, Value) else x


def squares(program: Any) -> None:
    """Square by a product: ``power`` takes several times as long."""
    for step in (*program.forward, *program.backward):
        if step.function is not np.power or step.kwargs or not _is(step.inputs[1], 2):
            continue
        x = step.inputs[0]
        if isinstance(x, Value) and step.outputs[0].dtype == x.dtype:
            step.function, step.inputs, step.op = np.square, (x,), None


def _is(x: Any, number: float) -> bool:
    return isinstance(x, _PURE) and x == number


def signs(program: Any) -> None:
    """Take the sign into what follows: a + (-b) = a - b, (-a) · c = a · (-c) for a number c, -(-a) = a; all exact."""
    negated: dict[Any, Any] = {}
    known: dict[Any, Any] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                f, x = step.function, step.inputs
                if f is np.negative and not step.kwargs and isinstance(x[0], Value):
                    if x[0] in negated and negated[x[0]].shape == step.outputs[0].shape:
                        known[step.outputs[0]] = negated[x[0]]
                        edits.gone.add(step)
                    else:
                        negated[step.outputs[0]] = x[0]
                elif f in (np.add, np.subtract) and len(x) == 2 and not step.kwargs:
                    a, b = x
                    if isinstance(b, Value) and b in negated:
                        step.function, step.inputs = (np.subtract if f is np.add else np.add), (a, negated[b])
                    elif f is np.add and isinstance(a, Value) and a in negated and isinstance(b, Value):
                        step.function, step.inputs = np.subtract, (b, negated[a])
                    step.op = None if step.function is not f else step.op
                elif f is np.multiply and not step.kwargs:
                    for i in (0, 1):
                        other = x[1 - i]
                        if isinstance(x[i], Value) and x[i] in negated and isinstance(other, np.floating | float):
                            step.inputs = (negated[x[i]], -other)
                            break
    results_anew(program, known)


def factors(program: Any) -> None:
    """Multiply by numbers last, and by several at once: (x · c) · y = (x · y) · c, (x · c) · d = x · (c d).

    A sign goes the same way: -x - y = -(x + y).
    """
    read = Counter(v for step in (*program.forward, *program.backward) for v in step.values())
    read.update(values_in([program.outputs, list(program.gradients.values())]))
    for steps in (program.forward, program.backward):
        made: dict[Any, _Scaled] = {}  # those of the results that are a value times a number, and read once
        with edited(steps) as edits:
            for step in steps:
                scaled = _scaled(step)
                if scaled is None:
                    scaled = _with_the_number_last(step, made, edits) or _with_the_sign_last(step, made, edits)
                elif scaled.x in made:
                    before = made[scaled.x]
                    edits.gone.add(before.step)
                    scaled = _Scaled(step, before.x, before.x.dtype.type(before.c) * before.x.dtype.type(scaled.c))
                    step.function, step.label, step.op = np.multiply, "multiply", None
                    step.inputs = scaled.x, scaled.c
                    if scaled.c == -1:
                        step.function, step.label, step.inputs = np.negative, "negative", (scaled.x,)
                if scaled is not None and read[scaled.step.outputs[0]] == 1:
                    made[scaled.step.outputs[0]] = scaled


class _Scaled(NamedTuple):
    """Say that a step computes x · c."""

    step: Step
    x: Value
    c: Any


def _scaled(step: Step) -> _Scaled | None:
    if step.kwargs or step.packed or len(step.outputs) != 1 or step.outputs[0].dtype not in _FLOATS:
        return None
    y, inputs = step.outputs[0], step.inputs
    pairs = [(inputs[0], -1)] if step.function is np.negative else []
    if step.function is np.multiply:
        pairs = [(inputs[0], inputs[1]), (inputs[1], inputs[0])]
    for x, c in pairs:
        if isinstance(x, Value) and isinstance(c, _PURE) and (x.dtype, x.shape) == (y.dtype, y.shape):
            return _Scaled(step, x, c) if 1e-6 < abs(c) < 1e6 else None
    return None


def _with_the_number_last(step: Step, made: dict[Any, _Scaled], edits: Edits) -> _Scaled | None:
    """Let a product of two values be one of the values themselves, and multiply by their numbers after it."""
    if step.function is not np.multiply or step.kwargs or step.packed or not step.outputs[0].shape:
        return None
    y, c = step.outputs[0], 1.0
    for x in step.inputs:
        scaled = made.get(x) if isinstance(x, Value) and x.shape == y.shape and x.dtype == y.dtype else None
        if scaled is not None and abs(scaled.c) >= 1:  # with a smaller one the product itself might overflow
            c = c * y.dtype.type(scaled.c)
            edits.gone.add(scaled.step)
            step.inputs = tuple([scaled.x if other is x else other for other in step.inputs])
    if c == 1:
        return None
    with np.errstate(all="ignore"):  # what the traced call gives may be this value
        product = Value(RESULT, np.multiply(*map(_array, step.inputs)))
    last = step.copy()
    last.inputs, last.outputs, last.op = (product, c), (y,), None
    step.outputs = (product,)
    if c == -1:
        last.function, last.label, last.inputs = np.negative, "negative", (product,)
    edits.after[step] = last
    return _Scaled(last, product, c)


def _with_the_sign_last(step: Step, made: dict[Any, _Scaled], edits: Edits) -> _Scaled | None:
    """Let -x - y be x + y, and turn its sign after it."""
    if step.function is not np.subtract or step.kwargs or step.packed or not step.outputs[0].shape:
        return None
    (a, b), y = step.inputs, step.outputs[0]
    if not isinstance(a, Value) or not isinstance(b, Value):
        return None
    scaled = made.get(a)
    if scaled is None or scaled.c != -1 or {(v.shape, v.dtype) for v in (a, b)} != {(y.shape, y.dtype)}:
        return None
    edits.gone.add(scaled.step)
    with np.errstate(all="ignore"):
        total = Value(RESULT, np.add(scaled.x.array, b.array))
    last = step.copy()
    last.function, last.label, last.inputs, last.outputs, last.op = np.negative, "negative", (total,), (y,), None
    step.function, step.label, step.inputs, step.outputs, step.op = np.add, "add", (scaled.x, b), (total,), None
    edits.after[step] = last
    return _Scaled(last, total, -1)


def quotients(program: Any) -> None:
    """Divide once: (1 / y) · x = x / y, where that quotient is there already."""
    known: dict[Any, Any] = {}
    made: dict[Any, Step] = {}
    quotient: dict[Any, Value] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                if step.kwargs or step.packed or len(step.outputs) != 1 or step.outputs[0].dtype not in _FLOATS:
                    continue
                y = step.outputs[0]
                if step.function is np.divide:
                    made[y] = step
                    if all(isinstance(x, Value) for x in step.inputs):
                        quotient.setdefault(step.inputs, y)
                elif step.function is np.multiply:
                    for x, other in (step.inputs, step.inputs[::-1]):
                        over = made.get(x) if isinstance(x, Value) else None
                        if over is None or not _is(over.inputs[0], 1) or not isinstance(other, Value):
                            continue
                        found = quotient.get((other, over.inputs[1]))
                        if found is not None and (found.shape, found.dtype) == (y.shape, y.dtype):
                            known[y] = found
                            edits.gone.add(step)
                            break
    results_anew(program, known)


def scatters(program: Any) -> None:
    """Add into the array where one gradient was put what would be put into zeros of its own.

    What belongs at the same place is added first, and put there once.
    """
    known: dict[Any, Any] = {}
    read = Counter(v for step in (*program.forward, *program.backward) for v in step.values())
    read.update(values_in([program.outputs, list(program.gradients.values())]))
    for steps in (program.forward, program.backward):
        made: dict[Value, Step] = {}
        grown: set[Value] = set()  # what was added into is more than what was put there first
        for step in list(steps):
            read_anew(step, known)
            made.update(dict.fromkeys(step.outputs, step))
            if step.function is not np.add or step.kwargs or not all(isinstance(x, Value) for x in step.inputs):
                continue
            a, b = reversed(step.inputs) if step.inputs[1] in grown else step.inputs
            first, second, y = made.get(a), made.get(b), step.outputs[0]
            if first is None or second is None or not (_puts(first) and _puts(second)) or a is b or b in grown:
                continue
            if read[a] == read[b] == 1 and a.shape == b.shape == y.shape and a.dtype == b.dtype == y.dtype:
                if a not in grown and first.kwargs == second.kwargs and _add_first(step, first, second):
                    steps[steps.index(step) + 1 : steps.index(step) + 1] = [second]
                    steps.remove(second)  # where it was
                    steps.remove(first)
                    made[y] = second
                    continue
                index = {"index": second.kwargs["index"]}
                steps[steps.index(step)] = Step(add_at, "add_at", (a, second.inputs[0]), index, (), effect=True)
                steps.remove(second)
                known[y], read[a] = a, read[y]
                grown.add(a)
                a.array = y.array
    results_anew(program, known)


def _add_first(step: Step, first: Step, second: Step) -> bool:
    """Let a sum of what two steps put at one place be that of their values, which the second puts there then."""
    values = first.inputs[0], second.inputs[0]
    if any(v.dtype != step.outputs[0].dtype for v in values) or values[0].shape != values[1].shape:
        return False
    total = Value(RESULT, np.add(*[v.array for v in values]))
    second.inputs, second.outputs = (total,), step.outputs
    step.inputs, step.outputs = values, (total,)
    return True


def indices(program: Any) -> None:
    """Index by whole numbers as they are, and add at once into zeros what stands in different rows."""
    known: dict[Any, Any] = {}
    every = [*program.forward, *program.backward]
    if not any(map(_may_write, every)):
        for steps in (program.forward, program.backward):
            with edited(steps) as edits:
                for step in steps:
                    read_anew(step, known)
                    if step.function is as_index.__wrapped__ and _is_row_of_places(step.inputs[0]):
                        known[step.outputs[0]] = step.inputs[0]
                        edits.gone.add(step)
        results_anew(program, known)
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                if named(step, "scatter") and _names_each_once(step.kwargs["index"]):
                    _add_into_zeros(step, edits)


def _add_into_zeros(step: Step, edits: Edits) -> None:
    (y,), shape = step.outputs, step.kwargs["shape"]
    edits.before[step] = Step(np.zeros, "zeros", (shape, y.dtype), {}, (y,), scope=step.scope, line=step.line)
    step.function, step.label, step.inputs, step.outputs = add_at, "add_at", (y, step.inputs[0]), ()
    step.kwargs, step.op, step.effect = {"index": step.kwargs["index"]}, None, True


def _may_write(step: Step) -> bool:
    """Tell whether a step might write into an index between two reads: no check of our own does."""
    ours = (getattr(step.function, "__module__", None) or "").partition(".")[0] in ("autograd", "nn")
    return step.effect and (not ours or step.function is add_at)


def _is_row_of_places(x: Any) -> bool:
    return isinstance(x, Value) and isinstance(x.array, np.ndarray) and x.array.ndim == 1 and x.dtype == np.intp


def _names_each_once(index: Any) -> bool:
    """Tell whether an index of rows of numbers has each row of an array once: one of them is 0, 1, 2, …"""
    parts = [_array(part) for part in as_tuple(index)]
    rows = all(isinstance(part, np.ndarray) and part.ndim == 1 and part.dtype == np.intp for part in parts)
    fixed = [part for part in as_tuple(index) if isinstance(part, np.ndarray)]
    return rows and any(len(part) == len(parts[0]) and (np.diff(part) == 1).all() and part[:1] == 0 for part in fixed)


def _puts(step: Step) -> bool:
    return named(step, "scatter") and is_basic(step.kwargs.get("index")) and len(step.kwargs["shape"]) > 0


def add_at(y: Any, value: Any, index: Any) -> None:
    """Add to a part of an array in place."""
    y[index] += value


def numbers(program: Any) -> None:
    """Give NumPy a number as an array without axes, in the dtype of what it meets: it converts none then.

    Beside a result without axes it is one of Python's, which takes its dtype from what it meets.
    """
    for step in (*program.forward, *program.backward):
        for each in (step, *step.inner):
            if each.function in _WITH_NUMBERS and not each.kwargs and len(each.inputs) == 2:
                a, b = each.inputs
                each.inputs = _as_array(a, b, each.outputs[0]), _as_array(b, a, each.outputs[0])


def _as_array(c: Any, x: Any, y: Value) -> Any:
    """Return the number ``c`` beside the array ``x`` as an array, if it makes ``y`` no other than it was."""
    if isinstance(c, np.float32 | np.float64) and np.isfinite(c) and y.dtype in (c.dtype, bool) and _is_scalar(x, c):
        text = float(str(c))  # 0.1 of float32, too
        return text if c.dtype.type(text) == c else c
    if not isinstance(x, Value) or not x.shape or x.dtype not in _FLOATS or y.dtype not in (x.dtype, bool):
        return c
    strong = isinstance(c, np.floating) or (isinstance(c, np.ndarray) and c.ndim == 0)
    fits = type(c) in (int, float) or (strong and c.dtype == x.dtype)
    return number(float(c).hex(), x.dtype) if fits and abs(c) < 1e30 else c


def _is_scalar(x: Any, c: Any) -> bool:
    """Tell whether a value is a number of NumPy's, of the dtype of ``c``; an argument may be one of Python's."""
    made = x.step if isinstance(x, Value) else None
    ours = made is not None and (made.op is not None or isinstance(made.function, np.ufunc))
    return ours and x.shape == () and bool(x.dtype == c.dtype)


@lru_cache(maxsize=1024)
def number(written: str, dtype: Any) -> Any:
    """Return a number, given as hexadecimal (-0.0 is another than 0.0), as an array that nobody can write into."""
    array = np.array(float.fromhex(written), dtype)
    array.flags.writeable = False
    return array
