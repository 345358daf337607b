"""``ag.compile``: the function that runs as a program where it can, and as itself where it cannot.

For each kind of arguments the function is traced once. Its first call of a kind is the traced one: what that computed
is the result, so nothing is drawn or counted twice.
"""

import functools
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from enum import Enum
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, needs_grad
from autograd.compiler import run
from autograd.errors import NotAFunction, TraceError, call_function
from autograd.hints import told
from autograd.modes import current, enable_grad, no_grad, traced_by
from autograd.programs.adjoint import adjoint
from autograd.programs.effects import Halfway, Later
from autograd.programs.facts import WEAK, Facts, is_plain
from autograd.programs.guards import Guards, copies
from autograd.programs.naming import arguments, name_closed
from autograd.programs.opening import opened
from autograd.programs.program import Program
from autograd.programs.reach import is_library, random_sources, random_state
from autograd.programs.source import Changed
from autograd.programs.traced import RunsAsItself, become
from autograd.programs.tracing import Tracer, flows
from autograd.programs.values import ARRAY, CLOSED, INPUT, Step, Value
from autograd.programs.watching import watched
from autograd.tree import flatten, form_of, is_nested

KINDS = 64  # programs that are kept, the least recently used goes first
RETRACES = 8
CHANGES = 4
_ARRAYS = (np.ndarray, np.generic)
_FIXED = (int, float, complex, str, bytes, type(None), type, np.dtype, Enum, range)  # results that are what they are


@told
def compile(f: Any = None, *, off: Collection[str] = (), quiet: bool = False) -> Any:
    """Return ``f`` compiled: traced once per kind of arguments, and written out as NumPy with its backpropagation.

    ``f`` is any function of Tensors and arrays: a module, a loss, ``ag.value_and_grad(g)``. What it closes over is read
    at each call. ``off`` names passes to leave out. Also a decorator. Raises TraceError where a number leaves ``f``
    (``if t > 0``, ``t.item()``), as what is computed from it would be stale at the next call. Where f has to run as
    itself a warning says why, unless ``quiet``, and so does ``.why``; ``.traces`` counts how often f was traced.

    >>> import numpy as np, autograd as ag
    >>> f = ag.compile(ag.value_and_grad(lambda x: (x * x).sum()))
    >>> f(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    if f is None:
        return functools.partial(compile, off=off, quiet=quiet)
    if not callable(f):
        raise NotAFunction(f"compile takes a function, got {type(f).__name__}: {f!r}"[:200] + ".")
    return Compiled(f, off, quiet)


class _Entry:
    """Hold a program and what it relies on; ``program`` is None where the function runs as itself."""

    __slots__ = ("__weakref__", "_facts", "_objects", "fits", "guards", "program", "why")

    def __init__(self, guards: Guards | None, program: Program | None, why: str) -> None:
        self.guards, self.program, self.why = guards, program, why
        self.fits: Callable[..., bool] | None = None  # whether arguments are again of this kind
        boxes: dict[int, Any] = {}
        if program is not None:  # also those of which it knows the shape alone
            boxes = {} if guards is None else dict(guards.boxes)
            boxes |= {id(v.source): v.source for v in program.used if v.kind == CLOSED}
        self._facts = [(box, _facts(box)) for box in boxes.values()]
        self._objects = Facts()  # Tensors are recognized by the objects that they hold
        for box in boxes.values():
            name, array = self._objects.name(box), box._array
            self._objects.add("", f"{name}._node", leaf_of(box))
            if isinstance(array, np.ndarray):
                self._objects.add("", f"{name}._array", array, WEAK)
            else:
                self._objects.add("", f"{name}._array.__class__", array.__class__)

    def stale(self) -> str:
        """Return what is no longer as it was: "" for nothing."""
        if not self._objects.hold():
            for box, facts in self._facts:
                if _facts(box) != facts:
                    return f"{box._node.name if box._node is not None and box._node.name else 'a Tensor'}"
            self._objects.note()
            if self.program is not None:
                self.program.see_closed()
        return "" if self.guards is None else self.guards.changed()

    def expect(self, recording: bool, args: tuple[Any, ...]) -> None:
        """Recognize such arguments at once: arrays and Tensors only, one by one; None where that is not all."""
        program = self.program
        if program is None or any(step.dynamic for step in program.forward):  # what runs may have to change
            return
        if not all(type(x) is np.ndarray or isinstance(x, Box) for x in args):
            return
        space: dict[str, Any] = {"needs": needs_grad, "layout": layout}
        names, lines = [f"x{i}" for i in range(len(args))], []
        for name, x in zip(names, args, strict=True):
            array, here = (x._array, f"{name}._array") if isinstance(x, Box) else (x, name)
            space |= {f"{name}_kind": type(x), f"{name}_dtype": array.dtype}
            lines += [f"{name}.__class__ is {name}_kind", f"{here}.dtype is {name}_dtype"]
            lines += [f"{here}.shape == {array.shape}"]
            lines.append(_lies_alike(here, array))
            lines += [f"needs({name}) is {needs_grad(x)}"] if isinstance(x, Box) else []
        text = f"""def fits(recording, args, kwargs):
    if recording is not {recording} or kwargs or len(args) != {len(args)}:
        return False
    {"".join([f"{name}, " for name in names]) or "()"} = args
    return {" and ".join(lines) or "True"}
"""
        self.fits = run(text, "fits", self, space)["fits"]


def layout(array: Any) -> Any:
    """Return in which order the axes of an array lie in memory: ``"K"`` and ``"A"`` follow it."""
    if not isinstance(array, np.ndarray) or array.flags.c_contiguous:
        return True
    strides = array.strides
    return array.flags.f_contiguous, tuple(sorted(range(len(strides)), key=lambda i: -abs(strides[i])))


def _lies_alike(name: str, array: Any) -> str:
    """Return the condition that what bears a name lies in memory as an array does."""
    if not isinstance(array, np.ndarray):
        return "True"
    return f"{name}.flags.c_contiguous" if array.flags.c_contiguous else f"layout({name}) == {layout(array)}"


def _facts(box: Any) -> Any:
    """Return what a program relies on: also that a leaf is one, as gradients of leaves end where they are written."""
    array, leaf = box._array, box._node is None or box._node.op is None
    return array.shape, array.dtype, array.flags.c_contiguous, array.flags.f_contiguous, needs_grad(box), leaf


class Compiled:
    """Call a function as a program."""

    _reaches = ("function",)  # a function may reach what it was compiled to, as a method does

    def __init__(self, f: Callable[..., Any], off: Collection[str] = (), quiet: bool = False) -> None:
        functools.update_wrapper(self, f, updated=())
        self.function, self.off = f, frozenset(off)
        self.traces, self.why = 0, ""
        self._entries: OrderedDict[Any, _Entry] = OrderedDict()
        self._last: Any = None  # the kind of the last call, where arguments are recognized at once
        self._retraced = 0
        self._changed: Counter[Any] = Counter()  # how often a shape in the program of a kind was another one
        self._quiet = quiet

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return Compiled, (self.function, self.off, self._quiet)

    def __repr__(self) -> str:
        return f"<compiled {getattr(self.function, '__name__', type(self.function).__name__)}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        state = current()
        if state.tracer is not None or state.watcher is not None:
            return self.function(*args, **kwargs)
        last = self._last
        if last is not None and last.fits(state.recording, args, kwargs) and not last.stale():
            try:
                return last.program(args)
            except Exception as error:
                return self._instead(error, args, kwargs)
        values, rebuild = flatten((args, kwargs))
        key = (bool(state.recording), _form(args, kwargs), tuple(map(_kind, values)))
        entry = self._entries.get(key)
        if entry is not None:
            self._entries[key] = self._entries.pop(key, entry)  # used last
            stale = entry.stale()
            if not stale:
                if entry.program is None:
                    return self.function(*args, **kwargs)
                try:
                    if entry.fits is None and not kwargs:
                        entry.expect(bool(state.recording), args)
                    self._last = entry if entry.fits is not None else None
                    return entry.program([x for x in values if isinstance(x, (Box, *_ARRAYS))])
                except Changed:
                    stale = "a shape that follows from numbers"
                    self._changed[key] += 1
                    if self._changed[key] == CHANGES:
                        self._run_as_itself(key, f"{stale} keeps changing.")
                        return self.function(*args, **kwargs)
                except Exception as error:
                    return self._instead(error, args, kwargs)
            self._retraced += 1
            if self._retraced == RETRACES and not self._quiet:
                warnings.warn(
                    f"{self!r} was traced {RETRACES} times anew, as {stale} keeps changing. Pass it as an argument "
                    "(an array), or leave it as it is.",
                    RuntimeWarning,
                    stacklevel=2,
                )
        return self._trace(key, values, rebuild)

    def _instead(self, error: Exception, args: Any, kwargs: Any) -> Any:
        """Run the function where its program failed: it may deal with an error itself; if not, that is the error."""
        if isinstance(error, Halfway):  # what is before is done, and must not be done twice
            raise error.error from None
        try:
            return self.function(*args, **kwargs)
        except type(error):
            raise error from None

    def program(self, *args: Any, **kwargs: Any) -> Program:
        """Return the program for arguments of this kind; the function is called on them."""
        values, rebuild = flatten((args, kwargs))
        key = (bool(current().recording), _form(args, kwargs), tuple(map(_kind, values)))
        if key not in self._entries or self._entries[key].stale():
            self._trace(key, values, rebuild)
        entry = self._entries[key]
        if entry.program is None:
            raise TraceError(f"{self!r} runs as itself: {entry.why}")
        return entry.program

    def _trace(self, key: Any, values: list[Any], rebuild: Callable[[list[Any]], Any]) -> Any:
        trace = _Trace(self.function, values, rebuild)
        self.traces += 1
        program = trace.program(self.off)
        self.why = trace.why
        entry = _Entry(trace.guards, program, trace.why)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > KINDS:
            self._entries.popitem(last=False)
        if program is None:
            self._warn(trace.why)
        return trace.result

    def _run_as_itself(self, key: Any, why: str) -> None:
        self._entries[key], self.why = _Entry(None, None, why), why
        self._warn(why)

    def _warn(self, why: str) -> None:
        if not self._quiet:
            self._quiet = True
            warnings.warn(f"{self!r} runs uncompiled: {why}", RuntimeWarning, stacklevel=4)


class _Trace:
    """Run a function once, traced, and make a program of it."""

    def __init__(self, f: Any, values: list[Any], rebuild: Callable[[list[Any]], Any]) -> None:
        self.f, self.values, self.rebuild = f, values, rebuild
        self.guards = Guards(f)
        for i, x in enumerate(values):
            if not isinstance(x, (Box, *_ARRAYS)):
                self.guards.walk(x, f"argument {i}")
        self.guards.see_acting()
        self.tracer = Tracer(self.guards.reaches, self.guards.boxes, self.guards.knows, self.guards.reads_acting)
        self.why = ""
        self.result: Any = None
        self._contents = self.guards.checksums()
        self._given = copies(x._array if isinstance(x, Box) else x for x in values)
        self._before = [*self.guards.copies(), *self._given]
        self._written: set[int] = set()  # ids of arrays whose numbers the run has changed
        self._stale = ""  # what else it has changed
        self._random = [random_state(rng) for rng in self.guards.random]
        self._sources = random_sources(self.guards.random)

    def _name(self) -> str:
        return getattr(self.f, "__name__", type(self.f).__name__).strip("<>")

    def program(self, off: Collection[str]) -> Program | None:
        """Return the program, or None (``why`` says why) where the function must run as itself."""
        try:
            return self._traced(off)
        finally:
            self.tracer.running = False

    def _traced(self, off: Collection[str]) -> Program | None:
        tracer = self.tracer
        before = _global_state()
        leaves = [tracer.argument(x) if isinstance(x, (Box, *_ARRAYS)) else x for x in self.values]
        args, kwargs = self.rebuild(leaves)
        for name, box in arguments(self.f, args, kwargs):
            tracer.of_box(box).name = name
        try:
            with traced_by(tracer), watched(tracer):
                y = self.f(*args, **kwargs)
                found, form = flatten(y)
                results = [self._result(x) for x in found]
        except RunsAsItself as error:
            self.why = tracer.wrong or str(error)  # of one inside: that of a vmap
            self._run_again(self.why)
            return None
        except TraceError:
            self._undo()
            raise
        except Exception as error:
            self._failed(error)
            return None
        if why := self._returned(found, results):
            self.why = why
            self._run_again(why)
            return None
        results = tracer.read_what_is_kept(results)
        self.why = self._doubt(before)
        left = tracer.left([*leaves, *found])
        if left:
            self.why = self.why or f"it keeps a value of shape {left[0].shape} that it computes; return it instead."
        flows(tracer.inputs, tracer.steps)
        name_closed(tracer.inputs, self.guards.names)
        count, every = len(results), [*results, *map(tracer.of_box, left)]
        root = tracer.effects.root
        if root is not None and all(x is not root for x in every):
            every.append(root)
        program = self._built(every, form if len(every) == count else lambda parts: form(parts[:count]), off)
        if again := self._wrong(program):
            self._run_again(again)
        else:
            parts = self._answer(program)
            self.result = program.rebuild(parts)
            if tracer.effects.looks and (changed := self.guards.changed()):
                self.why = self.why or f"an effect changes {changed}, of which this call read what was there before it."
            for box, x in zip([*leaves, *found, *left], [*self.values, *parts], strict=False):
                become(box, x)
        for value in (*program.inputs, *_made(program)):  # the arrays of the trace are done with
            value.array = None
        return None if self.why else program  # what was computed now is right in any case, and done once

    def _wrong(self, program: Program) -> str:
        """Say why what was computed now may not stand, or its gradient: "" for nothing."""
        if program.is_doubtful([v.array if isinstance(v, Value) else v for v in program.outputs]):
            return "a nan came out, which may stand where a mask cuts off."
        read = program.inputs if program.inner else program.saved
        changed = any(id({ARRAY: v.source, INPUT: v.array}.get(v.kind)) in self._written for v in read)
        seen = self.tracer.effects and (self._written or self._stale)  # by what is done at the end
        return self.why if changed or seen else ""

    def _run_again(self, why: str) -> None:
        """Let the function run as itself, from the state that it started from, as the traced run was another one."""
        changed = self.guards.changed()
        self._undo()
        if changed:
            also = "An effect (a step, say) may see that" if self.tracer.effects else f"It changes {changed}, too"
            raise TraceError(f"{why} {also}, and so it was not run a second time. Do that outside, or in an ag.effect.")
        self.result = self._plainly()

    def _plainly(self) -> Any:
        args, kwargs = self.rebuild(self.values)
        return call_function(self.f, args, kwargs)

    def _undo(self) -> None:
        """Put generators and arrays back to where they were."""
        for rng, state in reversed(self.tracer.rng):
            rng.bit_generator.state = state
        for put_back in self._sources:
            put_back()
        for array, was in self._before:
            if array.tobytes() != was.tobytes():
                array[...] = was

    def _failed(self, error: Exception) -> None:
        """Let the function run as itself after an error: if that is its own fault, it fails again."""
        tracer = self.tracer
        if tracer.wrong:  # struct.pack, say, tells an error of ours as one of its own
            self.why = tracer.wrong
            self._run_again(self.why)
            return
        if not is_library(type(error).__module__) and not tracer.effects:  # the function's own in any case
            raise error
        self._undo()
        self.why = f"{type(error).__name__}: {error}"
        self.result = self._plainly()

    def _returned(self, found: list[Any], results: list[Any]) -> str:
        """Say what speaks against the run, now that the function has returned: "" for nothing."""
        tracer = self.tracer
        tracer.over = True
        moved = tracer.effects.moved and any(isinstance(x, Value) and tracer.from_outside(x) for x in results)
        if moved or tracer.effects.kept(found):
            tracer.give_up("it keeps what an effect (a step of an optimizer) gives or may change.")
        return tracer.wrong

    def _result(self, x: Any) -> Any:
        if isinstance(x, Box):
            return self.tracer.of_box(x)
        if isinstance(x, _ARRAYS):
            return self.tracer.of_array(x)
        if not isinstance(x, (*_FIXED, Later)):
            self.tracer.give_up(f"it returns a {type(x).__name__}, which each call makes anew.")
        return x

    def _doubt(self, before: Any) -> str:
        """Say what speaks against the program: "" for nothing."""
        self._stale = self.guards.changed()
        if self._stale:
            return f"the function changes {self._stale} while it runs."
        self.guards.see_caches()
        if self.tracer.doubt or self.guards.doubt:
            return self.tracer.doubt or self.guards.doubt
        for array, was in self._given:
            if array.tobytes() != was.tobytes():
                self._written = {id(array)}
                return f"an opaque function writes into an argument of shape {array.shape}. Let it write into a copy."
        found = self.guards.checksums()
        self._written = {key for key, number in found.items() if number != self._contents.get(key, number)}
        for key in self._written:
            shape = self.guards.arrays[key].shape
            if key not in self.tracer.written:
                return f"the function writes into an array of shape {shape}; do so in a function that is ag.opaque."
            if self.guards.uses(key) > (key in self.tracer.given):  # more than by the function that writes
                return f"the function reads an array of shape {shape} beside what writes into it."
        drawn = {id(x) for rng, _ in self.tracer.rng for x in (rng, rng.bit_generator)}
        for rng, state in zip(self.guards.random, self._random, strict=True):
            if id(rng) not in drawn and random_state(rng) != state:
                return f"it draws from a {type(rng).__name__} itself; wrap the draw in ag.opaque, or pass the numbers."
        now = _global_state()
        if now[1] != before[1] or not np.array_equal(now[0], before[0]):
            return "it draws from np.random; use a Generator in ag.opaque, or pass the numbers."
        try:
            entering = {id(v.source) for v in self.tracer.inputs if v.kind == ARRAY} if not self.tracer.fresh else set()
            self.guards.watch_contents(entering, self._written)
        except TraceError as error:
            return str(error)
        return ""

    def _built(self, results: list[Any], form: Any, off: Collection[str]) -> Program:
        tracer = self.tracer
        effects = tracer.effects
        roots = dict.fromkeys(v for v in results if isinstance(v, Value) and v.needs and v.boxed)
        released = list(roots) if effects.root is not None else []
        if effects.root is not None:
            roots = {effects.root: None}
        targets = [v for v in tracer.inputs if v.needs] if roots else []
        trace, inner = list(tracer.steps), tracer.differentiates
        cotangents = {root: Value("cotangent", np.ones(root.shape, root.dtype)[()]) for root in roots}
        for root, g in cotangents.items():
            g.of = root
        with traced_by(tracer), np.errstate(all="ignore"):
            found = adjoint(tracer, {v: tracer.wrap(g) for v, g in cotangents.items()}, targets, recorded=False)
            gradients = {v: tracer.of_box(found[v]) for v in targets if v in found}
            steps: list[Step] = tracer.steps[len(trace) :]
            forward = opened(tracer, trace)
        if not gradients:
            cotangents = {}
        return Program(
            self._name(), tracer.inputs, trace, forward, steps, results, form, cotangents, gradients, off,
            tracer.labels, inner, effects, released,
        )  # fmt: skip

    def _answer(self, program: Program) -> list[Any]:
        """Return the parts of the result of the traced call as those of the program."""
        leaves = [x for x in self.values if isinstance(x, (Box, *_ARRAYS))]
        outputs = [v.array if isinstance(v, Value) else v for v in program.outputs]
        mode = enable_grad if current().recording else no_grad
        with mode():
            arrays = [x._array if isinstance(x, Box) else x for x in (*leaves, *program.closed)]
            saved = tuple([v.array for v in program.saved])
            try:
                return program.complete(leaves, arrays, outputs, saved)
            except Halfway as half:
                raise half.error from None


def _made(program: Program) -> list[Value]:
    return [out for step in (*program.trace, *program.steps) for out in step.outputs]


def _global_state() -> Any:
    """Return the state of ``np.random`` itself."""
    return np.random.get_state()[1:3]  # type: ignore[index]  # noqa: NPY002


def _form(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the nesting of the arguments."""
    return len(args) if not kwargs and not any(map(is_nested, args)) else (form_of(args), form_of(kwargs))


def _kind(x: Any) -> Any:
    """Return what a program is made for: of arrays shape and dtype, of other things what they are."""
    if isinstance(x, np.ndarray):
        return type(x), x.dtype, x.shape, layout(x)
    if isinstance(x, Box):
        array = x._array
        node = x._node
        return type(x), array.dtype, array.shape, layout(array), node is not None and node.needs
    if isinstance(x, np.generic):
        return x.dtype, ()
    if not is_plain(x):
        return type(x), id(x)
    if isinstance(x, float):
        return type(x), x.hex()
    if isinstance(x, complex):
        return type(x), x.real.hex(), x.imag.hex()
    return (type(x), x) if isinstance(x, (int, str, bool, type(None))) else (type(x), id(x))
