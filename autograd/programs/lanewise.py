"""The steps of one example, run on all: how ``vmap`` applies each op and each plain function to lanes.

A step that no example has part in runs once; an op by its rule for lanes, by its definition, or lane after lane.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.application import apart
from autograd.box import Box, unbox
from autograd.errors import ConversionError, ShapeError, TraceError
from autograd.lanes import Call, Own, batch, loop
from autograd.modes import current, no_grad
from autograd.programs.tracing import same
from autograd.programs.values import ARRAY, CLOSED, Step, Value, replaced, values_in
from autograd.rules import Op
from autograd.tree import flatten

_ARRAYS = (np.ndarray, np.generic)
_UFUNCS: dict[Any, Any] = {
    operator.and_: np.bitwise_and, operator.or_: np.bitwise_or, operator.xor: np.bitwise_xor,
    operator.invert: np.invert, operator.lt: np.less, operator.le: np.less_equal, operator.gt: np.greater,
    operator.ge: np.greater_equal, operator.eq: np.equal, operator.ne: np.not_equal,
}  # fmt: skip
Pair = tuple[Any, bool]  # a value, and whether it has lanes


class Each(Op):
    """Declare a function of values that is run lane after lane."""

    __slots__ = ()

    def __init__(self, run: Callable[..., Any], name: str) -> None:
        super().__init__(lambda *inputs: run(*inputs), name, definition=run)


class Run:
    """Run steps on lanes: ``known`` maps the Values of one example to what they are for all.

    ``mapped`` maps a function of values, as the definition of an op, in its turn.
    """

    def __init__(self, size: int, mapped: Callable[..., Any]) -> None:
        self.size, self.mapped, self.known = size, mapped, dict[Value, Pair]()
        self.wanted: set[Value] = set()

    def of(self, value: Value) -> Pair:
        found = self.known.get(value)
        if found is None:
            if value.kind not in (CLOSED, ARRAY):
                raise TraceError(f"vmap: {value} is read before it is computed; please report the function.")
            source, tracer = value.source, current().tracer
            found = self.known[value] = (source if tracer is None else tracer.boxed(source), False)
        return found

    def step(self, step: Step) -> None:
        pairs = [self.of(x) if isinstance(x, Value) else (x, False) for x in step.inputs]
        keywords = [self.of(v)[1] for v in values_in(step.kwargs)]
        nested = [self.of(v)[1] for x in step.inputs if not isinstance(x, Value) for v in values_in(x)]
        moving = any(own for _, own in pairs) or any(keywords) or any(nested)
        if step.function is same:
            x, own = pairs[0]
            if step.label == "detach" and isinstance(x, Box):
                x = x.detach()  # type: ignore[attr-defined]
            elif step.label == "constant" and current().tracer is not None and not isinstance(x, Box):
                x = current().tracer.constant(x)
            self.known[step.outputs[0]] = x, own
        elif step.op is None:
            self.plain(step, moving)
        elif moving:
            self.moving(step, [x for x, _ in pairs], [own for _, own in pairs])
        else:
            self.still(step, [x for x, _ in pairs])

    def keep(self, step: Step, y: Any, own: bool) -> None:
        parts = y if isinstance(y, tuple) else (y,)
        for value, part in zip(step.outputs, parts, strict=False):
            self.known[value] = part, own

    def recording(self, step: Step) -> Any:
        """Record nothing where the function said so."""
        return _Nothing() if step.recorded or not current().recording else no_grad()

    # --------------------------------------------------------------------------------------------- what does not move

    def still(self, step: Step, inputs: list[Any]) -> None:
        op, count = step.op, len(step.outputs) - len(step.op.cache)
        kwargs = replaced(step.kwargs, self.keyword)
        with self.recording(step):
            self.keep(step, _apply_of(op)(*inputs, **kwargs), False)
        extras = step.outputs[count:]
        if any(value in self.wanted for value in extras):
            _, *found = apart(op.forward)(*map(plain_array, inputs), **kwargs)
            for value, part in zip(extras, found, strict=True):
                self.known[value] = part, False

    # ------------------------------------------------------------------------------------------------- what does move

    def moving(self, step: Step, inputs: list[Any], moving: list[bool]) -> None:
        op, count = step.op, len(step.outputs) - len(step.op.cache)
        kwargs = replaced(step.kwargs, self.keyword)
        with self.recording(step):
            self.keep(step, self.applied(step, _apply_of(op), inputs, moving, kwargs, step.outputs[:count]), True)
        extras = step.outputs[count:]
        if any(value in self.wanted for value in extras):
            arrays = [plain_array(x) for x in inputs]

            def forward(*args: Any, **keywords: Any) -> Any:
                y, *rest = apart(op.forward)(*args, **keywords)
                return (*(y if isinstance(y, tuple) else (y,)), *rest)

            found = self.applied(step, forward, arrays, moving, kwargs, step.outputs, plainly=True)
            for value, part in zip(extras, found[count:], strict=True):
                self.known[value] = part, True

    def keyword(self, x: Any) -> Any:
        if not isinstance(x, Value):
            return x
        array, own = self.of(x)
        return Own(plain_array(array)) if own else plain_array(array)

    def applied(
        self,
        step: Step,
        run: Any,
        inputs: list[Any],
        moving: list[bool],
        kwargs: Any,
        outputs: Any,
        plainly: bool = False,
    ) -> Any:
        """Apply an op to the lanes by its rule, by its definition, or one after the other."""
        op = step.op
        shapes = [x.shape if isinstance(x, Value) else np.shape(x) for x in step.inputs]
        outs = [value.shape for value in outputs]
        y = batch(op, Call(run, inputs, moving, shapes, outs, self.size), kwargs)
        if y is not None:
            return y
        if op.definition is not None and not plainly and not isinstance(op, Each):
            try:
                return self.opened(op, inputs, moving, kwargs)
            except (TraceError, ConversionError):  # it reads numbers
                pass
        facts = [(value.shape, value.dtype) for value in outputs]
        args = tuple([Own(x) if own else x for x, own in zip(inputs, moving, strict=True)])
        return self.one_by_one(run, args, kwargs, facts)

    def opened(self, op: Any, inputs: list[Any], moving: list[bool], kwargs: Any) -> Any:
        """Map the definition of an op."""
        values, rebuild = flatten((list(inputs), kwargs))
        owns = [*moving, *[isinstance(x, Own) for x in values[len(inputs) :]]]
        pairs = [(x.array if isinstance(x, Own) else x, True) for x, own in zip(values, owns, strict=True) if own]

        def definition(*leaves: Any) -> Any:
            given = iter(leaves)  # what is the same for all stays itself: a definition may read it
            args, keywords = rebuild([next(given) if own else x for x, own in zip(values, owns, strict=True)])
            return op.definition(*args, **keywords)

        outputs, form, _ = self.mapped(definition, pairs, self.size)
        found = [y if own else np.broadcast_to(y, (self.size, *np.shape(y))) for y, own in outputs]
        return form(found)

    def one_by_one(self, run: Any, args: Any, kwargs: Any, facts: Any) -> Any:
        """Run lane after lane, and stack."""

        def lane(i: int) -> Any:
            inner, keywords = replaced((args, kwargs), lambda x: x.array[i] if isinstance(x, Own) else x)
            return run(*inner, **keywords)

        try:
            return loop(lane, self.size, facts)
        except ValueError as error:
            if "same shape" not in str(error):
                raise
            raise ShapeError(
                f"vmap: {getattr(run, '__name__', 'a step')} gives results of another shape for each example, which "
                "cannot be stacked. Use np.where in place of a mask as an index, or loop over the examples."
            ) from None

    def plain(self, step: Step, moving: bool) -> None:
        """Run a plain function on arrays: once, or lane after lane, each of which draws its own random numbers."""
        function = step.function
        args, kwargs = replaced((tuple(step.inputs), step.kwargs), self.keyword)

        def run(*inner: Any, **keywords: Any) -> Any:
            return _plainly(function, inner, keywords)

        run.__name__ = step.label
        if not moving and not step.effect:
            self.keep(step, run(*args, **kwargs), False)
            return
        y, whole = self.by_ufunc(step, args, kwargs), getattr(function, "lanes", None)
        if y is None and whole is not None and not kwargs and not any(isinstance(x, (Box, *_ARRAYS)) for x in args):
            y = _plainly(whole, [x.array if isinstance(x, Own) else x for x in args], {})
        if y is None:
            y = self.one_by_one(run, args, kwargs, [(value.shape, value.dtype) for value in step.outputs])
        self.keep(step, y, True)

    def by_ufunc(self, step: Step, args: Any, kwargs: Any) -> Any:
        function = _UFUNCS.get(step.function, step.function)
        if not isinstance(function, np.ufunc) or function.signature is not None or kwargs or len(step.outputs) != 1:
            return None
        ndim = len(step.outputs[0].shape)
        arrays = []
        for x in args:
            if isinstance(x, Own):
                x = x.array.reshape(self.size, *(1,) * (ndim - x.array.ndim + 1), *x.array.shape[1:])
            elif not isinstance(x, (*_ARRAYS, int, float, complex)):
                return None
            arrays.append(x)
        return np.broadcast_to(_plainly(function, arrays, {}), (self.size, *step.outputs[0].shape))


def _plainly(function: Any, args: Any, kwargs: Any) -> Any:
    """Call a function of plain arrays; a program that is being traced takes it as one of its steps."""
    tracer = current().tracer
    return function(*args, **kwargs) if tracer is None else tracer.called(function, tuple(args), kwargs)


def _apply_of(op: Any) -> Any:
    return op.definition if isinstance(op, Each) else op.apply


class _Nothing:
    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        pass


def plain_array(x: Any) -> Any:
    """Return what a plain function or a keyword is given: an array; of what somebody else traces, the stand-in."""
    return x if current().tracer is not None else unbox(x)
