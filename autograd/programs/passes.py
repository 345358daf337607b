"""Passes over a program, each one idea; any of them can be left out, and none changes a result beyond rounding."""

import operator
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.ops.activations import BLOCK, zero_block
from autograd.ops.reductions import tied
from autograd.programs.tracing import same
from autograd.programs.values import CLOSED, RESULT, Step, Value, is_write, replaced, values_in
from autograd.vjp import row_of_ones

_AT_HAND = 1024  # bytes; NumPy keeps so small memory at hand, and a new array costs less than the word ``out=``
GATHERED = 32_768  # elements; the gradient of a larger leaf is an array of its own


class Edits:
    """Collect what is to change in a list of steps: one by one would take n² time."""

    def __init__(self) -> None:
        self.gone: set[Step] = set()
        self.before: dict[Step, Step] = {}  # what is put before a step
        self.after: dict[Step, Step] = {}
        self.instead: dict[Step, tuple[Step, ...]] = {}


@contextmanager
def edited(steps: list[Step]) -> Iterator[Edits]:
    """Change ``steps`` at the end as was said inside."""
    edits = Edits()
    yield edits
    found = [
        each
        for step in steps
        for each in (edits.before.get(step), *edits.instead.get(step, (step,)), edits.after.get(step))
    ]
    steps[:] = [step for step in found if step is not None and step not in edits.gone]


def names(program: Any) -> None:
    """Take out the steps that only give a value another name."""
    known: dict[Any, Any] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                if step.function is same or _changes_nothing(step):
                    x, y = step.inputs[0], step.outputs[0]
                    known[y] = x
                    if isinstance(x, Value) and x.kind == RESULT:
                        x.name, x.of = x.name or y.name, x.of or y.of
                    edits.gone.add(step)
    for step in (*program.forward, *program.backward):
        for out in step.outputs:
            out.of = known.get(out.of, out.of)
    results_anew(program, known)


def _changes_nothing(step: Step) -> bool:
    """Tell whether a step gives its input back: the same shape again, the same dtype."""
    if named(step, "transpose") and isinstance(step.inputs[0], Value) and len(step.inputs[0].shape) < 2:
        return True
    if step.function is np.asarray and len(step.inputs) == 2 and isinstance(step.inputs[0], Value):
        return bool(step.inputs[0].dtype == step.inputs[1]) and not step.kwargs
    none = named(step, "sum") and step.kwargs.get("axis") == ()
    if step.op is None or not (none or step.op.name in ("reshape", "broadcast_to", "astype")):
        return False
    x, y = step.inputs[0], step.outputs[0]
    return isinstance(x, Value) and x.shape == y.shape and x.dtype == y.dtype


def products(program: Any) -> None:
    """Transpose a product by its factors: (a b)ᵀ = bᵀ aᵀ and (xᵀ)ᵀ = x; gradients come in the layout of weights."""
    known: dict[Any, Any] = {}
    made: dict[Value, Step] = {}
    turned_leaves = [g for leaf, g in program.gradients.items() if _is_turned(leaf.array)]
    every = [*program.forward, *program.backward]
    read = Counter(v for step in every for v in step.values())
    read.update(values_in([program.outputs, list(program.gradients.values())]))
    for steps in (program.forward, program.backward):
        for step in list(steps):
            read_anew(step, known)
            made.update(dict.fromkeys(step.outputs, step))
            if not _transposes(step):
                continue
            before = made.get(step.inputs[0])
            if before is not None and _transposes(before):
                known[step.outputs[0]] = before.inputs[0]
                steps.remove(step)
            elif before is not None and named(before, "matmul") and read[step.inputs[0]] == 1 and before in steps:
                if step.outputs[0] in turned_leaves:
                    continue  # it lies as its leaf does
                a, b = before.inputs
                if isinstance(a, Value) and isinstance(b, Value) and len(a.shape) == len(b.shape) == 2:
                    turned = [_turned(x, made, steps, steps.index(before)) for x in (b, a)]
                    before.inputs, before.outputs = tuple(turned), step.outputs
                    made[step.outputs[0]] = before
                    steps.remove(step)
    results_anew(program, known)


def _turned(x: Value, made: dict[Value, Step], steps: list[Step], at: int) -> Value:
    """Return the transpose of a matrix: what it was made of, or a step of its own."""
    before = made.get(x)
    if before is not None and _transposes(before):
        return before.inputs[0]  # type: ignore[no-any-return]
    value = Value(RESULT, x.array.T)
    steps.insert(at, Step(np.transpose, "transpose", (x,), {}, (value,)))
    made[value] = value.step  # type: ignore[assignment]
    return value


def _transposes(step: Step) -> bool:
    x = step.inputs[0] if step.inputs else None
    turns = step.function is np.transpose or named(step, "transpose")
    return turns and isinstance(x, Value) and len(x.shape) == 2 and step.kwargs.get("axes") in (None, (1, 0))


def named(step: Step, name: str) -> bool:
    """Tell whether a step is of the op of that name."""
    return step.op is not None and step.op.name == name


def dots(program: Any) -> None:
    """Multiply matrices by ``np.dot``, which calls BLAS with less ado than ``matmul``."""
    for step in (*program.forward, *program.backward):
        dtype = step.outputs[0].dtype if step.outputs else None
        if named(step, "matmul") and all(len(x.shape) == 2 and x.dtype == dtype for x in step.inputs):
            step.function = np.dot


def sums(program: Any) -> None:
    """Fit a cotangent to the row that was added to each row of a matrix as eager backward does: by a product."""
    for step in (*program.forward, *program.backward):
        if step.fits and named(step, "sum") and step.kwargs["axis"] in (0, (0,)) and not step.kwargs.get("keepdims"):
            x = step.inputs[0]
            if isinstance(x, Value) and len(x.shape) == 2 and x.dtype.char in "fd":
                ones = row_of_ones(x.shape[0], x.dtype)
                step.function, step.label, step.inputs, step.kwargs = np.dot, "sum", (ones, x), {}


def rectifiers(program: Any) -> None:
    """Compare with an array of zeros: NumPy's ``maximum`` with a number takes two to four times as long."""
    for step in program.forward:
        y = step.outputs[0] if step.outputs else None
        if named(step, "relu") and y is not None and y.shape and 0 < y.array.size <= BLOCK and y.dtype.kind == "f":
            step.function, step.label, step.inputs = np.maximum, "relu", (step.inputs[0], zero_block(y.dtype, y.shape))


def masks(program: Any) -> None:
    """Cut off by a product on the way back: should an infinite slope make it nan, the ordinary ops run again."""
    made = {out: step for step in (*program.forward, *program.backward) for out in step.outputs}
    known: dict[Any, Any] = {}
    with edited(program.backward) as edits:
        for step in program.backward:
            read_anew(step, known)
            if not named(step, "select") or step.outputs[0].dtype.kind != "f":
                continue
            x, mask = step.inputs[0], step.kwargs["mask"]
            test, product = [made.get(each) if isinstance(each, Value) else None for each in (mask, x)]
            if test is not None and product is not None and _is_cut_by(product, test):
                known[step.outputs[0]] = x
                edits.gone.add(step)
            elif _lie_alike(x, mask):
                step.function, step.label, step.op = np.multiply, "multiply", None
                step.inputs, step.kwargs = (x, mask), {}
    results_anew(program, known)


def _lie_alike(x: Any, mask: Any) -> bool:
    """Tell whether the axes of both lie in one order in memory; else ``select`` is quicker, in that of the mask."""
    a, b = (v.array if isinstance(v, Value) else v for v in (x, mask))
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray) or a.shape != b.shape:
        return True
    return [s // a.itemsize for s in a.strides] == [s // b.itemsize for s in b.strides]


def _is_cut_by(product: Step, test: Step) -> bool:
    """Tell whether a product is 0 anyway where ``test`` fails, which says that one of its factors is not 0."""
    if product.function is not np.multiply or test.function is not np.not_equal or test.kwargs or product.kwargs:
        return False
    factor, zero = test.inputs
    return isinstance(zero, int | float | np.number) and zero == 0 and any(x is factor for x in product.inputs)


def common(program: Any) -> None:
    """Compute once what is computed twice from the same values."""
    known: dict[Any, Any] = {}
    first: dict[Any, tuple[Value, ...]] = {}
    for steps in (program.forward, program.backward):
        with edited(steps) as edits:
            for step in steps:
                read_anew(step, known)
                if step.effect or step.function is same:
                    continue
                key = _key(step)
                if key in first:
                    known.update(zip(step.outputs, first[key], strict=True))
                    edits.gone.add(step)
                else:
                    first[key] = step.outputs
    results_anew(program, known)


def dead(program: Any) -> None:
    """Take out the steps whose results nobody reads; that a form is still what it was must be seen in any case."""
    live = set(values_in(list(program.gradients.values())))
    program.backward = _living(program.backward, live)
    live |= set(values_in(program.outputs))
    program.forward = _living(program.forward, live)


def _living(steps: list[Step], live: set[Any]) -> list[Step]:
    kept = []
    for step in reversed(steps):
        if step.effect or step.dynamic or any(out in live for out in step.outputs):
            kept.append(step)
            live.update(step.values())
    return kept[::-1]


def read_anew(step: Step, known: dict[Any, Any]) -> None:
    """Let a step read what its inputs are by now."""
    if known:
        step.inputs = replaced(step.inputs, lambda x: known.get(x, x) if isinstance(x, Value) else x)
        step.kwargs = replaced(step.kwargs, lambda x: known.get(x, x) if isinstance(x, Value) else x)


def results_anew(program: Any, known: dict[Any, Any]) -> None:
    """Let the program give what its results are by now."""
    program.outputs = [known.get(v, v) if isinstance(v, Value) else v for v in program.outputs]
    program.gradients = {v: known.get(g, g) if isinstance(g, Value) else g for v, g in program.gradients.items()}


def _key(step: Step) -> Any:
    return step.function if step.op is None else step.op, _form(step.inputs), _form(step.kwargs)


def _form(tree: Any) -> Any:
    """Return something that is equal for equal inputs: Values and arrays by identity, numbers with their type."""
    if isinstance(tree, tuple | list):
        return type(tree), tuple([_form(item) for item in tree])
    if isinstance(tree, dict):
        return tuple([(key, _form(item)) for key, item in tree.items()])
    if isinstance(tree, slice):
        return slice, _form((tree.start, tree.stop, tree.step))
    if isinstance(tree, np.generic):
        return type(tree), tree.tobytes()
    if isinstance(tree, float):
        return float, tree.hex()
    if isinstance(tree, bool | int | str | type | np.dtype) or tree is None:
        return type(tree), tree
    return id(tree)


def extremes(program: Any) -> None:
    """Take the largest element by ``np.max`` alone, and see where it stands by comparing where that is at hand."""
    readers: dict[Value, list[Step]] = {}
    for step in program.steps:
        for v in step.values():
            readers.setdefault(v, []).append(step)
    for steps in (program.forward, program.backward):
        writes = any(step.effect for step in steps)  # maybe into what would be compared
        inside = set() if writes else set(steps)
        with edited(steps) as edits:
            for step in steps:
                function = {"max": np.max, "min": np.min}.get(step.op.name if step.op is not None else "")
                asked = {key: x for key, x in step.kwargs.items() if x is not None and x is not False}
                if function is None or len(step.outputs) != 2 or not asked.keys() <= {"axis", "keepdims"}:
                    continue
                asking = readers.get(step.outputs[1], ())
                if all(each in inside and _compares(each, step) for each in asking):
                    for each in asking:
                        _compare(each, step, edits)
                    step.function, step.op, step.packed, step.nested = function, None, False, False
                    step.outputs, step.kwargs = step.outputs[:1], asked


def _compares(step: Step, extreme: Step) -> bool:
    """Tell whether a step finds where the elements stand that equal an extreme, which fits beside them."""
    x, peak = extreme.inputs[0], extreme.outputs[0]
    beside = extreme.kwargs.get("axis") is None or extreme.kwargs.get("keepdims")
    at_hand = step.function is tied and isinstance(x, Value) and x.shape and x.shape == step.outputs[0].shape
    return bool(at_hand and beside and peak.dtype == x.dtype)


def _compare(step: Step, extreme: Step, edits: Edits) -> None:
    """Write x == peak, where nan is largest, and how many elements are."""
    (x,), peak, where = extreme.inputs, extreme.outputs[0], {"scope": step.scope, "line": step.line}
    (mask, number), (_, _, axis, dtype) = step.outputs, step.inputs
    along = {} if axis is None else {"axis": axis}
    equal, nan = Value(RESULT, np.equal(x.array, peak.array)), Value(RESULT, np.not_equal(x.array, x.array))
    made = (
        Step(np.equal, "equal", (x, peak), {}, (equal,), **where),
        Step(np.not_equal, "not_equal", (x, x), {}, (nan,), **where),
        Step(operator.or_, "equal", (equal, nan), {}, (mask,), **where),
        Step(np.sum, "count", (mask,), {**along, "dtype": dtype, "keepdims": True}, (number,), **where),
    )
    edits.instead[step] = made


def in_place(program: Any) -> None:
    """Write the result of an elementwise step into an input that the program made itself and reads no more."""
    kept = {*values_in(program.outputs), *values_in(list(program.gradients.values()))}
    kept |= {v for step in program.backward for v in step.values()}
    for steps in (program.forward, program.backward):
        _reuse(steps, kept if steps is program.forward else {*values_in(list(program.gradients.values()))})
        for loop in steps:
            _reuse(loop.inner, set(loop.outputs))


def _reuse(steps: list[Step], outside: set[Value]) -> None:
    """Write results into inputs that the steps made themselves, and that are not read later or ``outside``."""
    own: dict[Value, bool] = {}
    last = {v: i for i, step in enumerate(steps) for v in step.values()}
    views: dict[Value, set[Value]] = {}
    for i, step in enumerate(steps):
        step.out = None
        product = step.function is np.dot or named(step, "matmul")
        write = is_write(step)
        fresh = (
            isinstance(step.function, np.ufunc) or product or named(step, "select") or named(step, "gather") or write
        )
        for out in step.outputs:
            if fresh and not step.packed and len(out.shape or ()):
                own[out] = True
            elif not fresh and out.shape:
                for v in step.values():  # what may look at the memory of its inputs
                    views.setdefault(v, set()).add(out)
        if (not isinstance(step.function, np.ufunc) or step.function is np.matmul or step.packed) and not write:
            continue
        y = step.outputs[0]
        for x in step.inputs[:1] if write else step.inputs:
            if (
                isinstance(x, Value)
                and (write or y.array.nbytes > _AT_HAND or _grows(x, y))
                and x in own
                and x not in outside
                and last[x] == i
                and x.shape == y.shape
                and x.dtype == y.dtype
                and x.array.strides == y.array.strides  # a sum rounds by the order in which elements lie
                and not views.get(x)
            ):
                step.out = x
                break


def _grows(x: Value, y: Value) -> bool:
    """Tell whether a result is what it was made of with more added: both have one meaning."""
    return (x.name, x.of, x.letter) == (y.name, y.of, y.letter) and bool(y.name or y.of or y.letter)


def gather(program: Any) -> None:
    """Write the gradients of leaves one behind the other: an optimizer takes them at once, and none is copied."""
    _turn_large(program)
    leaves = [v for v in program.gradients if _is_small_leaf(v) and isinstance(program.gradients[v], Value)]
    dtypes = Counter(v.dtype for v in leaves).most_common(1)
    if not dtypes or dtypes[0][1] < 2:
        return
    steps, read = program.backward, Counter(values_in(list(program.gradients.values())))
    made = {out: step for step in steps for out in step.outputs}
    for leaf in sorted([v for v in leaves if v.dtype == dtypes[0][0]], key=lambda v: -v.source._node.order):
        g, array = program.gradients[leaf], leaf.array
        place = Value(RESULT, np.empty(leaf.shape, leaf.dtype, order="F" if _is_turned(array) else "C"))
        place.of = leaf
        if read[g] > 1 or not _starts_in(place, g, made, steps):
            steps.append(Step(np.copyto, "copyto", (place, g), {}, (), effect=True))
        program.gradients[leaf] = place
        program.gathered.append(place)


def _turn_large(program: Any) -> None:
    """Write the gradient of a large leaf that lies transposed into an array that lies so, too."""
    steps, read = program.backward, Counter(values_in(list(program.gradients.values())))
    made = {out: step for step in steps for out in step.outputs}
    for leaf, g in program.gradients.items():
        if leaf.kind == CLOSED and leaf.boxed and _is_turned(leaf.array) and leaf.array.size > GATHERED:
            step = made.get(g)
            place = Value(RESULT, np.empty(leaf.shape, leaf.dtype, order="F"))
            place.of = leaf
            at = None if step is None or read[g] > 1 or not _transposes(step) else made.get(step.inputs[0])
            index = steps.index(at) if at is not None and at in steps else 0
            if at is not None and step is not None and _writes_into(step, place, made, steps):
                empty = Step(np.empty, "empty", (leaf.shape, leaf.dtype), {"order": "F"}, (place,), scope=at.scope)
                empty.line = at.line
                steps.insert(index, empty)
                program.gradients[leaf] = place


def _is_turned(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 2 and bool(array.T.flags.c_contiguous)


def _is_small_leaf(v: Value) -> bool:
    if v.kind != CLOSED or not v.boxed or not isinstance(v.array, np.ndarray):
        return False
    return 0 < v.array.size <= GATHERED and v.dtype.kind == "f" and v.source._node.op is None


def _starts_in(place: Value, g: Value, made: dict[Value, Step], steps: list[Step]) -> bool:
    """Let the step that gives a gradient write into ``place``; of a sum that is added up in place, the first term."""
    step = made.get(g)
    sums = []
    while step is not None and step.function is np.add and step.out is not None:
        sums.append(step)
        step = made.get(step.out)
    if step is None or not _writes_into(step, place, made, steps):
        return False
    if _is_turned(place.array):  # the other terms, too, then lie as it does
        for each in sums:
            terms = [made.get(x) for x in each.inputs if isinstance(x, Value) and x is not each.out]
            product = terms[0] if terms else None
            if product is not None and product.function is np.dot and product.out is None and product in steps:
                a, b = [_turned(x, made, steps, steps.index(product)) for x in product.inputs]
                lying, where = Value(RESULT, product.outputs[0].array.T), (product.scope, product.line)
                turned = Step(np.transpose, "transpose", (lying,), {}, product.outputs, scope=where[0], line=where[1])
                product.inputs, product.outputs = (b, a), (lying,)
                steps.insert(steps.index(product) + 1, turned)
    return True


def _writes_into(step: Step, place: Value, made: dict[Value, Step], steps: list[Step]) -> bool:
    """Let a step write its result into ``place``, if it is one that can."""
    if step.out is not None or step.packed or step.outputs[0].shape != place.shape:
        return False
    if _transposes(step) and _is_turned(place.array):
        before = made.get(step.inputs[0])
        if before is not None and before.function is np.dot and before.out is None and before in steps:
            before.out, before.turned = place, True
            steps.remove(step)
            return True
        return False
    if step.outputs[0].dtype != place.dtype or (isinstance(step.outputs[0].array, np.generic)):
        return False
    if step.function is np.dot:
        if not place.array.flags.c_contiguous:
            if not all(isinstance(x, Value) and len(x.shape) == 2 for x in step.inputs):
                return False
            a, b = [_turned(x, made, steps, steps.index(step)) for x in step.inputs]
            step.inputs, step.turned = (b, a), True
    elif not isinstance(step.function, np.ufunc) or step.function is np.matmul:
        return False
    step.out = place
    return True
