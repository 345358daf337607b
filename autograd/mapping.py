"""``vmap``: a function of one example made one of many, by its own steps with one axis more.

The function runs once, traced, on the first example (:mod:`autograd.programs.tracing` notes the steps), and the steps
then run on all examples, which stand along the first axis of each array: the lanes. A step that no example has part in
runs once. How an op is applied to lanes is part of its declaration (:mod:`autograd.lanes`); one that does not say it is
opened into its definition, or runs lane after lane. The results are those of ordinary ops, so they can be
differentiated, compiled, and mapped again.

Floor 13: public as ``autograd.vmap``; loaded when it is first used.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from autograd.box import Box, is_recording, needs_grad
from autograd.differentiate import differentiate_recorded, has_nan
from autograd.errors import ArgumentError, ShapeError, TraceError, call_function
from autograd.graph import Symbol, leading_to
from autograd.hints import told
from autograd.modes import current, no_grad, traced_by
from autograd.programs.lanewise import Each, Pair, Run, plain_array
from autograd.programs.traced import RunsAsItself, refusal
from autograd.programs.tracing import Tracer
from autograd.programs.values import ARRAY, CLOSED, INPUT, RESULT, Step, Value
from autograd.rules import Op
from autograd.trace import Function, Trace, Transformed, check_function
from autograd.tree import flatten, is_nested, values_like
from autograd.vjp import bundle_node

_ARRAYS = (np.ndarray, np.generic)
_NUMBERS: Any = (Box, *_ARRAYS, int, float, complex)


@told
def vmap(f: Function, in_axes: Any = 0, out_axes: Any = 0) -> Function:
    """Return the function that applies ``f`` to each example along an axis of its arguments, all at once.

    ``in_axes`` says for each argument along which axis its examples stand (None: the same for all), as one number, a
    tuple with one entry per argument, or with trees of them; ``out_axes`` where they stand in the results. Keywords are
    the same for all. It composes with all other transforms, and may be nested.

    Raises ShapeError where arguments differ in their number of examples, TraceError where ``f`` reads numbers, as in
    ``if x > 0``. What ``f`` draws from a generator itself is the same for all; in a function that is ``ag.opaque``, as
    in dropout, each example draws its own. y[i] = f(x[i]): with (N, D) the function sees (D,), N times, and results are
    stacked to (N, …).

    >>> import numpy as np, autograd as ag
    >>> X, w = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, -1.0])
    >>> vmap(lambda x, w: x @ w, in_axes=(0, None))(X, w)
    array([-1., -1.])
    >>> vmap(ag.grad(lambda x: (x**3).sum()))(X)
    array([[ 3., 12.],
           [27., 48.]])
    """
    check_function("vmap", f)
    if in_axes is None:
        raise ArgumentError("vmap: in_axes=None maps nothing. Name an axis for at least one argument.")

    def run(*args: Any, **kwargs: Any) -> Any:
        values, rebuild = flatten(args)
        axes = _axes_of(args, values, in_axes)
        size = _size_of(args, values, axes)
        inputs = [
            (x, False) if axis is None else (np.moveaxis(x, axis, 0) if axis else x, True)
            for x, axis in zip(values, axes, strict=True)
        ]

        def flat(*leaves: Any) -> Any:
            return call_function(f, rebuild(list(leaves)), kwargs)

        try:
            outputs, form, lanes = mapped(flat, inputs, size)
        except RunsAsItself:
            return _one_by_one(flat, inputs, size, out_axes)
        doubtful = lanes.differentiates and current().tracer is None
        if doubtful and any(has_nan(y._array if isinstance(y, Box) else y) for y, _ in outputs):
            return _one_by_one(flat, inputs, size, out_axes)  # a mask cuts off what is nan here; that way it is known
        places = _places_of(form, outputs, out_axes)
        return form([_placed(y, own, axis, size) for (y, own), axis in zip(outputs, places, strict=True)])

    return Transformed(run, vmap, f, in_axes, out_axes)


# ------------------------------------------------------------------------------------------------------------ the axes


def _axes_of(args: tuple[Any, ...], values: list[Any], in_axes: Any) -> list[Any]:
    """Return the axis of each value among the arguments, or None."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not isinstance(in_axes, tuple):
        in_axes = (in_axes,) * len(args)
    if len(in_axes) != len(args):
        raise ArgumentError(f"vmap: in_axes={in_axes} has {len(in_axes)} entries, but there are {len(args)} arguments.")
    found: list[Any] = []
    for i, (arg, axes) in enumerate(zip(args, in_axes, strict=True)):
        leaves = flatten(arg)[0]
        each = values_like(arg, axes, f"vmap: in_axes of argument {i}") if is_nested(axes) else [axes] * len(leaves)
        for x, axis in zip(leaves, each, strict=True):
            found.append(_axis_of(x, axis, i, alone=not is_nested(axes)))
    if all(axis is None for axis in found):
        raise ArgumentError("vmap: no argument has an axis to map along. Name one in in_axes.")
    return found


def _axis_of(x: Any, axis: Any, i: int, *, alone: bool) -> Any:
    if axis is None or (alone and not isinstance(x, _NUMBERS)) or isinstance(x, bool):
        return None
    if not isinstance(axis, int | np.integer) or isinstance(axis, bool):
        raise ArgumentError(f"vmap: in_axes must be numbers of axes, or None, got {axis!r}.")
    ndim = np.ndim(x._array if isinstance(x, Box) else x)
    if not -ndim <= axis < ndim:
        raise ShapeError(
            f"vmap: argument {i} of shape {np.shape(x)} has no axis {axis}. Say None in in_axes for what is the same "
            "for all examples."
        )
    return int(axis) % ndim


def _size_of(args: tuple[Any, ...], values: list[Any], axes: list[Any]) -> int:
    """Return the number of examples, in which all arguments have to agree."""
    owners = [i for i, arg in enumerate(args) for _ in flatten(arg)[0]]
    lengths = [(i, axis, np.shape(x)) for i, x, axis in zip(owners, values, axes, strict=True) if axis is not None]
    if len({shape[axis] for _, axis, shape in lengths}) > 1:
        said = ", ".join(f"argument {i} {shape[axis]} (axis {axis} of shape {shape})" for i, axis, shape in lengths)
        raise ShapeError(f"vmap: the arguments differ in their number of examples: {said}.")
    _, axis, shape = lengths[0]
    return int(shape[axis])


def _places_of(form: Callable[..., Any], outputs: list[Pair], out_axes: Any) -> list[Any]:
    if not is_nested(out_axes):
        return [out_axes] * len(outputs)
    result = form([y for y, _ in outputs])
    if not is_nested(result):
        raise ArgumentError(f"vmap: out_axes={out_axes!r}, but the function returns one value. Give one number.")
    if isinstance(out_axes, tuple | list) and isinstance(result, tuple | list) and len(out_axes) == len(result):
        pairs = zip(result, out_axes, strict=True)
        return [axis for part, axes in pairs for axis in _like(part, axes)]
    return values_like(result, out_axes, "vmap: out_axes")


def _like(tree: Any, axes: Any) -> list[Any]:
    return values_like(tree, axes, "vmap: out_axes") if is_nested(axes) else [axes] * len(flatten(tree)[0])


def _placed(y: Any, own: bool, axis: Any, size: int) -> Any:
    """Put the lanes where they are asked for; what is the same for all is repeated.

    The result is a Tensor where something outside records it, else an array, as that of all transforms.
    """
    if not isinstance(y, _NUMBERS):
        return y
    if isinstance(y, Box) and current().tracer is None and not is_recording(y):
        y = y._array
    if axis is None:
        if own:
            raise ArgumentError("vmap: out_axes=None is for results that are the same for all examples; this is not.")
        return y if not isinstance(y, Box) or current().tracer is None else current().tracer.result(y)
    if not own:
        y = np.broadcast_to(y, (size, *np.shape(y)))
    ndim = np.ndim(y._array if isinstance(y, Box) else y)
    if not isinstance(axis, int | np.integer) or not -ndim <= axis < ndim:
        raise ArgumentError(f"vmap: out_axes={axis!r} is no axis of a result of shape {np.shape(y)}.")
    y = np.moveaxis(y, 0, axis) if axis % ndim else y
    if isinstance(y, Box):
        return y if current().tracer is None else current().tracer.result(y)
    return y if own else np.array(y)


def _one_by_one(flat: Function, inputs: list[Pair], size: int, out_axes: Any) -> Any:
    """Run the function on example after example."""
    found = [flat(*[x[i] if own else x for x, own in inputs]) for i in range(size)]
    values, form = flatten(found[0])
    columns = [values, *[values_like(found[0], y, "vmap") for y in found[1:]]]
    outputs = [
        (np.stack(parts), True) if isinstance(parts[0], _NUMBERS) else (parts[0], False)
        for parts in zip(*columns, strict=True)
    ]
    places = _places_of(form, outputs, out_axes)
    return form([_placed(y, own, axis, size) for (y, own), axis in zip(outputs, places, strict=True)])


# ------------------------------------------------------------------------------------------------------------- the run


def mapped(flat: Function, inputs: Sequence[Pair], size: int) -> tuple[list[Pair], Any, "Lanes"]:
    """Trace a function of values on one example, and run its steps on all."""
    lanes = Lanes()
    leaves = [lanes.entering(x, own, size) for x, own in inputs]
    try:
        with traced_by(lanes):
            y = flat(*leaves)
            values, form = flatten(y)
            results = [
                lanes.of_box(x) if isinstance(x, Box) else lanes.of_array(x) if isinstance(x, _ARRAYS) else x
                for x in values
            ]
    finally:
        lanes.undo()
    if lanes.wrong:
        raise RunsAsItself(f"vmap: {lanes.wrong}")
    found = lanes.run(results, inputs, size)
    lanes.running = False
    if lanes.outer is not None and lanes.differentiates:
        lanes.outer.differentiates = True
    return found, form, lanes


class Lanes(Tracer):
    """Note the steps of one example, and run them on all."""

    what = "a function under vmap"
    advice = "Use np.where in place of an if, or loop over the examples: np.stack([f(x) for x in xs])."
    only_ops = loops = True

    def __init__(self) -> None:
        super().__init__(lambda array: True)
        self.outer = current().tracer
        self.mine: set[Value] = set()
        self.differing: set[Value] = set()  # those that are others for each example
        self.entered: list[Value | None] = []  # one for each argument; None for what is no array
        self._made: dict[int, Box] = {}  # the constants that were made in the trace, by id

    # --------------------------------------------------------------------------------------------------- the trace

    def writes_out(self) -> None:
        """Let values be printed: the text has no numbers in it."""

    def entering(self, x: Any, own: bool, size: int) -> Any:
        """Return the stand-in for an argument: of one with lanes its first example."""
        if not isinstance(x, (Box, *_ARRAYS)):
            self.entered.append(None)
            return x
        array: Any = x._array if isinstance(x, Box) else x
        if own:
            array = array[0] if size else np.zeros(array.shape[1:], array.dtype)[()]
        value = Value(INPUT, array, needs_grad(x), True)
        if own:
            self.differing.add(value)
        self.inputs.append(value)
        self.mine.add(value)
        self.entered.append(value)
        return self.wrap(value)

    def of_box(self, box: Box) -> Value:
        """Return the Value of a Tensor: of one from outside, be it traced by somebody else, one that it keeps."""
        node = box._node
        if isinstance(node, Symbol) and node.value in self.mine:
            return node.value  # type: ignore[no-any-return]
        known = self._by_box.get(id(box))
        if known is None:
            if self.made_inside(box) and not needs_grad(box):
                value = self.frozen(box)
            else:
                value = Value(CLOSED, box._array, node is not None and bool(node.needs), True, box)
                self.mine.add(value)
            known = self._by_box[id(box)] = value, box
        return known[0]

    def made(self, box: Box) -> None:
        """Note a constant Tensor that is made in the trace."""
        self._made[id(box)] = box

    def made_inside(self, box: Box) -> bool:
        """Tell whether a Tensor was made in the trace."""
        return id(box) in self._made

    def of_array(self, array: Any) -> Any:
        """Return what a plain array is: a value of the trace, or a constant."""
        known = self._by_array.get(id(array))
        if known is not None and known[1] is array:
            return known[0]
        if self.outer is None or not isinstance(array, np.ndarray) or not self.outer.reachable(array):
            return array
        value = Value(ARRAY, array, False, False, array)  # whoever traces around this reads it afresh at each call
        self.mine.add(value)
        self._by_array[id(array)] = value, array
        return value

    def does(self, function: Callable[..., Any], args: Any, kwargs: Any, values: bool) -> Any:
        """Do what the function does beside computing, once for all examples."""
        if self.outer is not None:
            raise self.outer.as_itself("a function under vmap changes gradients or parameters.")
        with traced_by(None):
            return function(*args, **kwargs)

    def reads_state(self, what: str) -> None:
        """Let gradients be read that are there."""
        if self.outer is not None:
            self.outer.reads_state(what)

    def goes_back(self, box: Any, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
        """Refuse to run backward from an example."""
        raise refusal("backward() inside", "Take the gradient with ag.grad.")

    def read(self, box: Box) -> None:
        """Refuse to give the numbers of an example; those that are the same for all may be read."""
        node = box._node
        if isinstance(node, Symbol) and (node.value not in self.mine or node.value in self.differing):
            super().read(box)

    def note(self, function: Any, label: str, inputs: Any, kwargs: Any, outputs: Any, **facts: Any) -> Step:
        """Add a step."""
        if any(isinstance(x, np.ndarray) for held in kwargs.values() for x in _held_by(held)):
            raise TraceError(
                f"{label} writes into arrays under vmap (running statistics), which every example would overwrite. "
                "Call eval() on the model, or leave that part out."
            )
        step = Step(function, label, inputs, kwargs, outputs, scope=current().scope, **facts)
        self.steps.append(step)
        self.mine.update(outputs)
        if step.effect or any(value in self.differing for value in step.values()):
            self.differing.update(outputs)
        return step

    @np.errstate(all="ignore")
    def gradients(self, roots: Sequence[Any], seeds: Sequence[Any], own: Any, owner: Any = None) -> dict[Any, Any]:
        """Return gradients as Tensors of the trace, always recorded: all steps are ops then."""
        self.differentiates = True
        if owner is not None or all(root is None or isinstance(root, Symbol) for root in roots):
            return super().gradients(roots, seeds, own, owner)
        pairs = [(root, self.boxed(seed)) for root, seed in zip(roots, seeds, strict=True) if root is not None]
        root = bundle_node([root for root, _ in pairs])
        return differentiate_recorded(
            {root: tuple([seed for _, seed in pairs])},
            own,
            wanted=leading_to(root, set(own)),
        )

    def each_of(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Note a function that reads numbers as one step, which runs lane after lane."""
        leaves, rebuild = flatten((args, kwargs))
        forms = []

        def run(*filled: Any) -> tuple[Any, ...]:
            inner, keywords = rebuild(list(filled))
            values, form = flatten(function(*inner, **keywords))
            forms.append(form)
            return tuple(values)

        made = self.each(run, leaves, function.__name__)
        return forms[0](made)

    def each(self, run: Callable[..., tuple[Any, ...]], leaves: Sequence[Any], name: str) -> list[Any]:
        """Note a function of values, which gives a tuple, as one step; it is differentiated lane after lane, too."""
        with traced_by(None), no_grad():
            parts = run(*[x._array if isinstance(x, Box) else x for x in leaves])
        values = tuple([self.value(x, x) for x in leaves])
        recorded = bool(current().recording)
        needs = recorded and any(isinstance(v, Value) and v.needs for v in values)
        arrays = [np.asarray(part._array if isinstance(part, Box) else part)[()] for part in parts]
        outputs = tuple([Value(RESULT, part, needs and part.dtype.kind in "fc", True) for part in arrays])
        self.note(run, name, values, {}, outputs, op=Each(run, name), packed=True, recorded=recorded)
        return [self.wrap(value) for value in outputs]

    def runs_each(self, op: Op) -> bool:
        """Tell whether an op stands for a function that runs lane after lane."""
        return isinstance(op, Each)

    def pulled_each(self, step: Step, parts: Sequence[Any], needs: Sequence[bool]) -> list[tuple[Value, Any]]:
        """Note the vjp of a step whose rule reads numbers as one step, which runs lane after lane."""
        op: Any = step.op
        arrived = [k for k, part in enumerate(parts) if part is not None]
        apply: Any = op.definition if isinstance(op, Each) else op.apply
        places = [i for i, needed in enumerate(needs) if needed]
        given, rebuild = flatten((list(step.inputs), step.kwargs))
        given = [self.wrap(x) if isinstance(x, Value) else x for x in given]

        def run(*leaves: Any) -> tuple[Any, ...]:
            inputs, kwargs = rebuild(list(leaves[len(arrived) :]))

            def f(*moving: Any) -> Any:
                filled = list(inputs)
                for i, x in zip(places, moving, strict=True):
                    filled[i] = x
                y = apply(*filled, **kwargs)
                y = y if isinstance(y, tuple) else (y,)
                return tuple([y[k] for k in arrived])

            trace, seeds = Trace(f, [inputs[i] for i in places], range(len(places)), {}, "vmap"), leaves[: len(arrived)]
            traced = bool(current().recording) and (trace.outside or any(map(needs_grad, seeds)))
            return tuple(trace.vjp(seeds if traced else [plain_array(g) for g in seeds], traced))

        shares = self.each(run, [*[parts[k] for k in arrived], *given], f"{op.name}_vjp")
        return [(step.inputs[i], share) for i, share in zip(places, shares, strict=True)]

    def undo(self) -> None:
        """Put generators back: what was drawn for the trace is drawn again, for each example."""
        for rng, state in reversed(self.rng):
            rng.bit_generator.state = state

    # ----------------------------------------------------------------------------------------------------- the run

    def run(self, results: list[Any], inputs: Sequence[Pair], size: int) -> list[Pair]:
        """Run the steps on all examples."""
        run = Run(size, mapped)
        run.known = {value: pair for value, pair in zip(self.entered, inputs, strict=True) if value is not None}
        steps, wanted = [], {v for v in results if isinstance(v, Value)}
        for step in reversed(self.steps):  # what leads to no result is left out
            if step.effect or any(out in wanted for out in step.outputs):
                steps.append(step)
                wanted.update(step.values())
        run.wanted = wanted
        with np.errstate(all="ignore") if self.differentiates else nullcontext():
            for step in reversed(steps):
                run.step(step)
        return [run.of(v) if isinstance(v, Value) else (v, False) for v in results]


def _held_by(x: Any) -> Iterable[Any]:
    return vars(x).values() if hasattr(x, "__dict__") and not callable(x) and not isinstance(x, Value) else ()
