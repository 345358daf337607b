"""The tracer: notes each step of one run of a function, on the arrays of a call."""

import gc
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from sys import getrefcount
from threading import get_ident
from typing import Any
from weakref import ref

import numpy as np

from autograd.application import as_arrays, rebuild
from autograd.box import Box, looked_at, needs_grad, shares_memory
from autograd.compiler import op_for
from autograd.errors import ConversionError, MissingRule, TraceError
from autograd.graph import Symbol, next_order
from autograd.modes import current, traced_by
from autograd.ops import elementwise as ew
from autograd.ops import indices
from autograd.programs.adjoint import adjoint
from autograd.programs.effects import Effect, Effects, keeps, settled
from autograd.programs.naming import name_held
from autograd.programs.outside import user_frames
from autograd.programs.pushing import pushed
from autograd.programs.reach import is_library
from autograd.programs.traced import PROGRAM, RunsAsItself, Traced, become, refusal, take
from autograd.programs.values import ARRAY, CLOSED, INPUT, NOTHING, RESULT, Step, Value, replaced, values_in
from autograd.programs.writing import write
from autograd.rules import Op
from autograd.tensor import check_needs

_ARRAYS = (np.ndarray, np.generic)
_STANDS = (Box, *_ARRAYS)
# What these tell follows from shapes and dtypes, which are part of what a program is made for.
_STATIC = {
    np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.isscalar, np.iscomplexobj, np.isrealobj,
    np.min_scalar_type, np.common_type, np.einsum_path, np.diag_indices_from, np.tril_indices_from,
    np.triu_indices_from, np.zeros_like, np.ones_like, np.empty_like, np.full_like,
}  # fmt: skip


_WAYS = ("__array_ufunc__", "__array_function__", "__mul__")


class Tracer:
    """Note the steps of one run of a function.

    ``what`` is what messages call it, ``advice`` what they say to one who reads numbers, ``only_ops`` whether each
    gradient is to be made of ops, ``loops`` whether what reads numbers may run example by example.
    """

    what, only_ops, loops = PROGRAM, False, False
    advice = "Use np.where in place of an if, a static argument, ag.opaque(function), or leave that part out."

    def __init__(
        self,
        reachable: Callable[[Any], bool],
        reached: Mapping[int, Box] | None = None,
        knows: Callable[[Any], bool] = lambda x: False,
        reads_acting: bool = False,
    ) -> None:
        self.steps: list[Step] = []
        self.inputs: list[Value] = []
        self.reachable = reachable  # whether an array belongs to what the function can reach, and so is read afresh
        self.reached = reached  # the Tensors that the function can reach, by id; None where that is not known
        self.knows = knows  # whether something was there before the call
        self.reads_acting = reads_acting  # whether the function reads what an optimizer, say, holds
        self.effects = Effects()
        self.over = False  # whether the function has returned
        self.start = next_order()
        self.fresh = False  # whether an array was frozen that was made in the trace
        self.rng: list[tuple[Any, Any]] = []  # generators that were drawn from, and their state before
        self._by_array: dict[int, tuple[Any, Any]] = {}  # id of an array -> (its Value or constant, the array)
        self._by_box: dict[int, tuple[Value, Box]] = {}
        self._shared: set[int] = set()
        self._given: set[int] = set()
        self.differentiates = False  # whether gradients or tangents are computed inside
        self.doubt = ""  # what speaks against a program
        self.wrong = ""  # what speaks against the traced run itself
        self.thread, self.running = get_ident(), True
        self._frozen: list[tuple[Any, Any]] = []  # arrays that were made in the trace, and the copies that are used
        self._boxes: list[ref[Any]] = []
        self._raises, self._filters = "raise" in np.geterr().values(), list(warnings.filters)
        self.written: set[int] = set()  # ids of arrays that steps may write into
        self.given: set[int] = set()  # ids of those that plain functions are given
        self.labels: dict[int, str] = {}  # how the function calls its constants, by id
        self._looking: dict[int, list[Any]] = {}  # id of an array -> the constants that are views of it

    def give_up(self, why: str) -> None:
        """Note that the run which is traced is not the one that the function would make."""
        self.wrong = self.wrong or why

    def as_itself(self, why: str) -> TraceError:
        """Return what to raise where the function is right, and cannot be followed; the first reason is the one."""
        self.give_up(why)
        return RunsAsItself(f"{self.wrong} That cannot be part of a program, or of a trace.")

    def failed(self) -> None:
        """Note that a step failed: whether it does depends on numbers, and the function may go on."""
        self.doubt = self.doubt or "it goes on after an error."

    def mark(self) -> tuple[int, str, str]:
        """Return where the trace is, to come back to."""
        return len(self.steps), self.wrong, self.doubt

    def take_back(self, mark: tuple[int, str, str]) -> None:
        """Forget what was tried since ``mark``, and what spoke against it."""
        del self.steps[mark[0] :]
        _, self.wrong, self.doubt = mark

    @contextmanager
    def names(self, what: str) -> Iterator[None]:
        """Say that ``what`` reads numbers, where something inside it, of which no user knows, does."""
        mark = self.mark()
        try:
            yield
        except (TraceError, ConversionError):
            self.take_back(mark)
            raise self.as_itself(f"{what} reads numbers.") from None

    def writes_out(self) -> None:
        """Note that the function makes a text of a value: what that says is not known."""
        self.give_up("it writes out the numbers of a Tensor; do so outside, or in a function that is ag.opaque.")

    def check_use(self) -> None:
        """See who reads a value: another thread computes beside the trace, and after it there is none."""
        if not self.running:
            raise TraceError("a value of a function that was compiled is used after the trace. Return what is needed.")
        if get_ident() != self.thread:
            self.give_up("it computes in another thread.")

    # ------------------------------------------------------------------------------------------ beside computing

    def does(self, function: Callable[..., Any], args: Any, kwargs: Any, values: bool) -> Any:
        """Note what the function does to gradients or parameters, and return what stands for the result."""
        name = getattr(function, "__qualname__", "a function")
        if self.reads_acting and not keeps(function, args):
            raise self.as_itself(f"it reads what an optimizer or a schedule holds, which {name}() may change.")
        try:
            given = settled((args, kwargs), self.knows)
        except LookupError as error:
            raise self.as_itself(f"{name}() is given a {error} that is made or computed inside.") from None

        def refuse() -> TraceError:
            return self.as_itself(f"it reads what {name}() gives, which is known at the end.")

        return self.effects.add(Effect(function, *given), values, refuse)

    def reads_state(self, what: str) -> None:
        """Refuse to give what an effect may change, in a program at its end."""
        raise self.as_itself(f"it reads {what}.")

    def goes_back(self, box: Any, gradient: Any, retain_graph: bool, create_graph: bool) -> None:
        """Note that the function runs backward from one of its values."""
        effects, value = self.effects, box._node.value
        if effects.root is not None:
            raise self.as_itself("it runs backward() twice. Write a function for each.")
        if gradient is not None or create_graph or retain_graph or value.kind != RESULT:
            raise self.as_itself("it runs backward() of an argument, or with more than its defaults.")
        if any(step.label == "argument" for step in self.steps):
            raise self.as_itself("it runs backward() beside a transform.")
        check_needs(value.needs)
        box.seed()
        effects.root = value

    def from_outside(self, value: Value) -> bool:
        """Tell whether a value lies in memory that an effect may write into: not in that of an array that is given."""
        return value.kind in (CLOSED, ARRAY) or (value.kind == INPUT and value.boxed) or self.is_given(value)

    # ------------------------------------------------------------------------------------------------ what comes in

    def argument(self, leaf: Any) -> Any:
        """Return the stand-in for an argument: a Tensor or an array."""
        boxed = isinstance(leaf, Box)
        self._see_kind(leaf)
        value = Value(INPUT, leaf._array if boxed else leaf, needs_grad(leaf), boxed, seen=boxed)
        self.inputs.append(value)
        return self.wrap(value)

    def wrap(self, value: Value) -> Any:
        """Return a Tensor that stands for ``value``."""
        self._by_array[id(value.array)] = value, value.array
        return self.stand_in(value)

    def stand_in(self, value: Value) -> Any:
        """Return another Tensor for a value that is known."""
        box: Any = object.__new__(Traced)
        box._node, box._array = Symbol(value, self), value.array
        self._boxes.append(ref(box))
        return box

    def value(self, x: Any, data: Any) -> Any:
        """Return the Value that an input of an op is, or the constant."""
        if isinstance(x, Box):
            return self.of_box(x)
        self._see_kind(x)
        return self.of_array(data) if isinstance(data, _ARRAYS) else data

    def of_box(self, box: Box) -> Value:
        """Return the Value of a Tensor: of one that was there before the trace, read afresh at each call."""
        node = box._node
        if isinstance(node, Symbol):
            return node.value  # type: ignore[no-any-return]
        known = self._by_box.get(id(box))
        if known is None:
            if needs_grad(box) and node is not None and node.order < self.start:
                raise refusal(
                    "a Tensor that requires a gradient and is made inside",
                    "Make it outside, or differentiate with ag.grad.",
                )
            known = self._by_box[id(box)] = self._held_by(box), box
        return known[0]

    def _held_by(self, box: Box) -> Value:
        """Return the Value of a Tensor that is no result of the trace; one that was made in it is a constant."""
        if needs_grad(box) or not self.made_inside(box):
            value = Value(CLOSED, box._array, needs_grad(box), True, box, True)
            value.name = _named(box)
            self.inputs.append(value)
            return value
        return self.frozen(box)

    def frozen(self, box: Box) -> Value:
        """Return the Value of a Tensor that was made in the trace, of what is known there: a constant."""
        found = self.of_array(box._array)
        if isinstance(found, Value):
            return found
        value = Value(RESULT, found, False, True, seen=True)
        self.note(same, "constant", (found,), {}, (value,))
        return value

    def made(self, box: Box) -> None:
        """Be told of a constant Tensor that is made in the trace."""

    def made_inside(self, box: Box) -> bool | None:
        """Tell whether a Tensor was made in the trace, None where that is not known."""
        return None if self.reached is None else id(box) not in self.reached

    def of_array(self, array: Any) -> Any:
        """Return what a plain array is: a value of the program, an array read afresh at each call, or a constant."""
        known = self._by_array.get(id(array))
        found: Any
        if known is not None and known[1] is array:
            found = known[0]
            if isinstance(found, Value) or array.__class__ is not np.ndarray or np.array_equal(found, array):
                return found
        if not isinstance(array, np.ndarray):
            return array
        if self.reachable(array):
            found = Value(ARRAY, array, False, False, array, False)
            self.inputs.append(found)
        else:
            self.fresh = True
            found = array.copy(order="K")
            found.flags.writeable = False
            self._frozen.append((array, found))
            self._looking.setdefault(id(array.base), []).append(found)
            self._by_array[id(found)] = found, found
        self._by_array[id(array)] = found, array
        return found

    def _see_kind(self, array: Any) -> None:
        """Notice an array that computes in its own way: a masked one, a matrix, one with units."""
        kind: Any = type(array)
        if isinstance(array, np.ndarray) and any(getattr(kind, k) is not getattr(np.ndarray, k) for k in _WAYS):
            self.give_up(f"it computes with a {kind.__name__}, which does so in its own way. Pass np.asarray(x).")

    def call(self, array: Any, name: str) -> None:
        """Note how the function calls an array of its own."""
        found, known = self._by_array.get(id(array), (None, None))
        if known is array and isinstance(found, np.ndarray):
            self.labels.setdefault(id(found), name)
        for view in self._looking.get(id(array), ()):
            turned = view.ndim == 2 and view.shape == array.T.shape and view.strides == array.T.strides
            self.labels.setdefault(id(view), f"{name}_{'T' if turned else 'part'}")

    def same(self, copied: Any, original: Any) -> Any:
        """Note that ``copied`` is what ``original`` was, and return it."""
        self._by_array[id(copied)] = self.of_array(original), copied
        return copied

    def keyword(self, x: Any) -> Any:
        """Return a keyword with Values in place of arrays."""
        if isinstance(x, Box):
            return self.of_box(x)
        if isinstance(x, _ARRAYS):
            return self.of_array(x)
        if hasattr(x, "__dict__") and not callable(x):  # an object that holds arrays (running statistics)
            for held in vars(x).values():
                if isinstance(held, np.ndarray):
                    self.of_array(held)
        return x

    def read(self, box: Box) -> None:
        """Refuse to give the numbers of a Tensor to the code around the program."""
        raise refusal(
            "reading the numbers of a Tensor in",
            self.advice,
        )

    # -------------------------------------------------------------------------------------------------------- steps

    def opens(self, op: Op, data: Sequence[Any]) -> bool:
        """Tell whether the definition of an op is to stand in its place."""
        if op.inline != "definition":
            return False
        return bool(np.asarray(data[0]).flags.c_contiguous)  # of another, its rule lays the gradient out alike

    def applied(self, op: Op, inputs: Sequence[Any], data: Sequence[Any], y: Any, kwargs: dict[str, Any]) -> Any:
        """Note that ``op`` was applied, and return what stands for its outputs."""
        if self.opens(op, data):
            return op.definition(*inputs, **kwargs)  # type: ignore[misc]
        values = tuple([self.value(x, d) for x, d in zip(inputs, data, strict=True)])
        keywords = {name: replaced(value, self.keyword) for name, value in kwargs.items()}
        extras: tuple[Any, ...] = ()
        if op.cache:
            y, *rest = y
            extras = tuple(rest)
        y = y if type(y) is np.ndarray or isinstance(y, np.generic) else as_arrays(op, y)
        parts, number = list(y) if isinstance(y, tuple) else [y], type(y) is np.ndarray and not y.ndim
        if not any(isinstance(v, Value) for v in values) and not _holds_value(keywords):
            return rebuild(y, parts) if isinstance(y, tuple) else y
        parts = [looked_at(part, inputs, data)[0] for part in parts]
        recorded = bool(current().recording)
        needs = recorded and any(isinstance(v, Value) and v.needs for v in values)
        boxed = any(isinstance(v, Value) and v.boxed for v in values)
        sights = {v.seen for v in values if isinstance(v, Value)}
        seen = True if True in sights else None if None in sights else False
        outputs = [Value(RESULT, part, needs and part.dtype.kind in "fc", boxed, seen=seen) for part in parts]
        cached = [Value(RESULT, part, False, False) for part in extras]
        op = op_for(op, *[part.dtype for part in parts if part.dtype.kind == "c"]) if needs else op
        for value in cached:
            self._by_array[id(value.array)] = value, value.array
        self.note(
            op.forward, op.name, values, keywords, (*outputs, *cached),
            op=op, packed=bool(op.cache) or isinstance(y, tuple), nested=bool(op.cache) and isinstance(y, tuple),
            recorded=recorded, number=number, dynamic=_takes_by_value(op, keywords),
        )  # fmt: skip
        for value, source in zip(values, data, strict=True):
            views = [out for out in outputs if shares_memory(out.array, source)]
            if views:
                self._share(value, views)
        boxes = [self.wrap(value) for value in outputs]
        return rebuild(y, boxes) if isinstance(y, tuple) else boxes[0]

    def called(self, function: Callable[..., Any], args: Any, kwargs: Any, boxed: bool = False) -> Any:
        """Run a function on plain arrays as one step of the program; constants give constants."""
        if function in _STATIC:
            with traced_by(None):
                y = function(*replaced(args, _array_of), **replaced(kwargs, _array_of))
            return self.like(y, args) if boxed and y.dtype.kind in "fc" else y
        inputs, keywords = replaced(args, self.keyword), replaced(kwargs, self.keyword)
        effect = self._draws(args, kwargs) or not is_library(getattr(function, "__module__", "numpy"))
        with traced_by(None):
            try:
                y = function(*replaced(args, _array_of), **replaced(kwargs, _array_of))
            except Exception:
                self.failed()
                raise
        if not effect and not _holds_value((inputs, keywords)):
            return y
        several = isinstance(y, tuple)
        outputs = tuple([_result(part) for part in (y if several else (y,))])
        for value in outputs:
            value.boxed = boxed
        if all(v.seen is False for v in values_in((inputs, keywords))):
            for value in outputs:
                value.seen = False
        label = getattr(function, "__name__", "call").strip("_")
        self.given.update(id(x) for x in (*args, *kwargs.values()) if isinstance(x, np.ndarray))
        self.written |= self.given
        self.note(
            function,
            label,
            inputs,
            keywords,
            outputs,
            packed=several,
            effect=effect or any(value.shape is None for value in outputs),  # that it is the same must be seen
            dynamic=_is_dynamic(function, y),
        )
        boxes = [value.array if value.shape is None else self.wrap(value) for value in outputs]
        return rebuild(y, boxes) if several else boxes[0]

    def like(self, array: Any, args: Any) -> Any:
        """Return a constant as what it is where the function runs as itself: a Tensor if one of ``args`` is."""
        given = [self.of_box(x) for x in args if isinstance(x, Box)]
        seen = True if any(v.seen for v in given) else False if all(v.seen is False for v in given) else None
        value = Value(RESULT, array, False, any(v.boxed for v in given), seen=seen)
        self.note(same, "constant", (array,), {}, (value,))
        return self.wrap(value)

    def _draws(self, args: Any, kwargs: Any) -> bool:
        """Tell whether a generator is among the arguments, and remember its state."""
        found = [x for x in (*args, *kwargs.values()) if isinstance(x, np.random.Generator)]
        self.rng += [(rng, rng.bit_generator.state) for rng in found]
        return bool(found)

    def note(self, function: Any, label: str, inputs: Any, kwargs: Any, outputs: Any, **facts: Any) -> Step:
        """Add a step."""
        writes, written = facts.get("effect"), {*_writable(kwargs.values())}
        late = self.effects.moved and not self.over
        if late and (writes or written or any(map(self.from_outside, values_in([inputs, kwargs])))):
            raise self.as_itself("it reads what an effect (a step of an optimizer) may have changed.")
        if self.effects.looks and (writes or written):
            raise self.as_itself("it writes into an array after an effect, which may read that.")
        if self._arithmetic_raises():
            self.doubt = "it has warnings of arithmetic raised as errors; do that in a function that is ag.opaque."
        frames = list(user_frames(inside=True))
        name_held(frames)
        line = (frames[0].f_code.co_filename, frames[0].f_lineno) if frames else None
        step = Step(function, label, inputs, kwargs, outputs, scope=current().scope, line=line, **facts)
        self.steps.append(step)
        self.written |= written
        return step

    def _arithmetic_raises(self) -> bool:
        """Tell whether the function itself made an overflow, say, an error: by np.errstate or a filter of warnings."""
        if not self._raises and "raise" in np.geterr().values():
            return True
        filters = warnings.filters
        return bool(filters and filters[0][0] == "error") and list(filters) != self._filters

    def identity(self, x: Any, label: str, needs: bool | None = None) -> Any:
        """Return another name for a value, through which a gradient flows or not."""
        old = self.of_box(x) if isinstance(x, Box) else self.of_array(x)
        array = x._array if isinstance(x, Box) else x
        if not isinstance(old, Value):
            old = Value(ARRAY, array, False, False, array, False)
            self.inputs.append(old)
        needs = old.needs if needs is None else needs
        value = Value(RESULT, array, needs, old.boxed, seen=None if label == "result" else True)
        self.note(same, label, (old,), {}, (value,), recorded=needs)
        self._share(old, [value])
        return self.stand_in(value)

    def _share(self, source: Any, values: Sequence[Value]) -> None:
        self._shared |= {id(source), *map(id, values)}
        if isinstance(source, Value) and (source.kind != RESULT or self.is_given(source)):
            self._given |= {*map(id, values)}

    def takes(self, box: Any) -> bool:
        """Make a stand-in of a Tensor that was made in the trace, which can be written into; tell whether it is one."""
        inside = self.made_inside(box)
        if type(box) is Traced or inside is None:
            return False
        if not inside or needs_grad(box):
            raise self.as_itself("a write into a Tensor from outside must be seen there.")
        value = self.of_box(box)
        if value.kind != RESULT:
            return False
        take(box, value, self)
        del self._by_box[id(box)]
        self._boxes.append(ref(box))
        return True

    def write(self, box: Any, value: Any) -> bool:
        """Put what was written into a stand-in, and into all that look at its memory; False where that is not known."""
        return write(self, box, value, self.looking())

    def looking(self) -> list[Any]:
        """List the stand-ins, which may look at one memory."""
        return [each for seen in self._boxes if (each := seen()) is not None]

    def value_of(self, array: Any) -> Value | None:
        """Return the value whose array this is."""
        found, known = self._by_array.get(id(array), (None, None))
        return found if known is array and isinstance(found, Value) else None

    def lies_in(self, value: Value, array: Any, source: Value) -> None:
        """Note that a value is a view of the memory of another one."""
        value.array = array
        self._by_array[id(array)] = value, array
        self._share(source, [value])

    def is_given(self, value: Value) -> bool:
        """Tell whether a value lies in the memory of one that came from outside."""
        return id(value) in self._given

    def is_shared(self, value: Value) -> bool:
        """Tell whether another value may lie in the same memory."""
        return id(value) in self._shared

    # ------------------------------------------------------------------------------------------------------- the end

    def read_what_is_kept(self, results: list[Any]) -> list[Any]:
        """Read those arrays afresh that were made in the trace and that somebody still holds, in a cache, say."""
        mine: Counter[int] = Counter()
        for array, _ in self._frozen:
            mine[id(array)] += 2  # here and by its id
            mine[id(array.base)] += 1
        for array, copied in self._frozen:
            owner = array.base if isinstance(array.base, np.ndarray) else array
            if getrefcount(owner) > mine[id(owner)] + 2 + (owner is array):
                value = Value(ARRAY, array, False, False, array, False)
                self.inputs.append(value)

                def read(x: Any, value: Value = value, copied: Any = copied) -> Any:
                    return value if x is copied else x

                results = [read(x) for x in results]
                for step in self.steps:
                    step.inputs, step.kwargs = replaced(step.inputs, read), replaced(step.kwargs, read)
        return results

    def release(self) -> None:
        """Make ordinary Tensors of all that still stand for values: the trace is over."""
        for box in [seen() for seen in self._boxes]:
            if box is not None:
                become(box, box._array)
        self.running = False

    def left(self, known: Sequence[Any]) -> list[Any]:
        """List the values that somebody holds beside those that are known: attributes that the function has set."""
        ids = {id(box) for box in known}

        def held() -> list[Any]:
            boxes = [seen() for seen in self._boxes]
            return [box for box in boxes if box is not None and id(box) not in ids]

        if held():
            gc.collect()
        return held()

    # ---------------------------------------------------------------------------------------------------- gradients

    def target(self, x: Any) -> Any:
        """Return a name of its own for the argument of a transform: a gradient flows to it, whatever it is."""
        return self.identity(x if isinstance(x, _STANDS) else self.constant(x), "argument", needs=True)

    def result(self, x: Any) -> Any:
        """Return what a transform gives: a Tensor if a gradient flows through it from outside, else an array."""
        return self.identity(x, "result", None if current().recording else False) if isinstance(x, Box) else x

    def pushed(self, roots: Sequence[Any], targets: Sequence[Any], seeds: Sequence[Any]) -> list[Any]:
        """Return the tangents of ``roots``, given those of ``targets``, as Tensors; None where none arrives."""
        self.differentiates = True
        return pushed(self, roots, targets, seeds)

    @np.errstate(all="ignore")  # an infinite derivative is a value here, as in eager backward
    def gradients(self, roots: Sequence[Any], seeds: Sequence[Any], own: Any, owner: Any = None) -> dict[Any, Any]:
        """Return the gradients of the targets ``own`` as Tensors; those that nothing reaches are absent.

        ``owner`` is the tracer whose steps lead from these to ``roots``, by default this one.
        """
        self.differentiates = True
        targets = list(own)
        cotangents: dict[Value, Any] = {}
        for root, seed in zip(roots, seeds, strict=True):
            if isinstance(root, Symbol) and seed is not None:
                g = self.boxed(seed)
                cotangents[root.value] = ew.add(cotangents[root.value], g) if root.value in cotangents else g
        values = [target.value for target in targets]
        steps = (owner or self).steps
        open_now = needed(self.inputs, steps, but=set(values))
        recorded = self.only_ops or any(v in open_now or g._node.needs for v, g in cotangents.items())
        found = adjoint(self, cotangents, values, recorded=recorded, steps=steps)
        return {target: found[target.value] for target in targets if target.value in found}

    def runs_each(self, op: Op) -> bool:
        """Tell whether an op stands for a function that runs example by example."""
        return False

    def boxed(self, x: Any) -> Any:
        """Return what is given as a Tensor of the program."""
        known = self.of_box(x) if isinstance(x, Box) else self.of_array(x) if isinstance(x, _ARRAYS) else x
        return self.wrap(known) if isinstance(known, Value) else self.constant(known)

    def constant(self, array: Any) -> Any:
        """Return a Tensor of the program that holds a constant."""
        array = np.array(array._array if isinstance(array, Box) else array)[()]
        value = Value(RESULT, array, False, False)
        self.note(same, "constant", (array,), {}, (value,))
        return self.wrap(value)

    def pulled(
        self, kernel: Callable[..., Any], label: str, inputs: Any, parents: Sequence[Value], places: Any = None
    ) -> list[Any] | None:
        """Run the rules of an op as one step, and return the cotangents of its parents.

        ``places`` are theirs in the tuple that the kernel gives; None if it gives the one array. Return None where what
        it gives is not in the form of the parents.
        """
        inputs = replaced(inputs, self.keyword)
        with traced_by(None):
            y = kernel(*replaced(inputs, lambda x: x.array if isinstance(x, Value) else x))
        packed = places is not None
        if packed != isinstance(y, tuple | list):
            return None
        y, places = (y, places) if packed else ((y,), (0,))
        for k, parent in zip(places, parents, strict=True):
            if not isinstance(y[k], (np.ndarray, np.generic)) or (y[k].shape, y[k].dtype) != (
                parent.shape,
                parent.dtype,
            ):
                return None
        outputs = tuple([Value(RESULT if k in places else NOTHING, part, False, False) for k, part in enumerate(y)])
        self.note(kernel, label, inputs, {}, outputs, packed=packed)
        return [self.wrap(outputs[k]) for k in places]


def same(x: Any) -> Any:
    """Return what is given: another name for it."""
    return x


def needed(inputs: Sequence[Value], steps: Sequence[Step], but: set[Value] = frozenset()) -> set[Value]:  # type: ignore[assignment]
    """Return the values through which a gradient flows to what needs one: inputs, or arguments of transforms."""
    found = {value for value in inputs if value.needs}
    for step in steps:
        if step.recorded and any(v in found for v in step.values()):
            found.update(out for out in step.outputs if out.needs)
        elif step.label == "argument":
            found.update(out for out in step.outputs if out not in but)
    return found


def flows(inputs: Sequence[Value], steps: Sequence[Step]) -> None:
    """Say of each value, now that all transforms are done, whether it needs a gradient and would be a Tensor."""
    for step in steps:
        values = list(step.values())
        needs = step.recorded and any(v.needs for v in values)
        boxed = any(v.boxed for v in values)
        for out in step.outputs:
            out.needs = needs if step.label == "argument" else out.needs and needs
            out.boxed = out.needs if step.label == "result" else boxed or (step.label == "constant" and out.boxed)


def _named(box: Box) -> str:
    """Name a Tensor by its own name and the place in the model where it is used first: ``weight_0``."""
    name = box._node.name if box._node is not None else None
    scope = current().scope
    return f"{name}_{scope.path}" if name and scope is not None and scope.parent is not None else name or ""


def _array_of(x: Any) -> Any:
    return x._array if isinstance(x, Box) else x


def _takes_by_value(op: Op, keywords: dict[str, Any]) -> bool:
    """Tell whether the shape of what an op gives may follow from numbers: from a mask, or as its author likes."""
    if op.name in ("getitem", "gather"):
        return any(value.dtype == bool for value in values_in(keywords))
    return not op.elementwise and not is_library(getattr(op.forward, "__module__", "numpy"))


def _is_dynamic(function: Any, y: Any) -> bool:
    """Tell whether what a plain function gives may have another form at the next call."""
    if isinstance(function, np.ufunc) or getattr(function, "__module__", "") == "_operator" or y is None:
        return False
    if isinstance(y, str):
        return True
    if function is indices.as_index.__wrapped__:  # in the form of what it is given
        return False
    return function in _BY_VALUE or not (getattr(function, "__module__", None) or "").startswith("numpy")


_BY_VALUE = {np.nonzero, np.flatnonzero, np.argwhere, np.unique}


def _writable(keywords: Iterable[Any]) -> Iterator[int]:
    """Yield the ids of arrays in objects that an op is given as keywords, such as running statistics."""
    for x in keywords:
        for part in getattr(x, "__dict__", {}).values() if not callable(x) else ():
            if isinstance(part, np.ndarray):
                yield id(part)


def _holds_value(tree: Any) -> bool:
    found: list[bool] = []
    replaced(tree, lambda x: found.append(isinstance(x, Value)))
    return True in found


def _result(part: Any) -> Value:
    """Return the Value for what a plain function gave; None and the like are no values, but must stay as they are."""
    if isinstance(part, bool | int | float | complex):
        part = np.asarray(part)[()]
    if type(part) is np.ndarray or isinstance(part, np.generic):
        return Value(RESULT, part, False, False)
    if part is None or isinstance(part, str):
        return Value(RESULT, part, False, False)
    raise MissingRule(f"a plain function gave {type(part).__name__}, which cannot be part of a program.")
