"""State that holds per thread and per async task: is the graph recorded, and inside which module are we.

One context variable holds one immutable :class:`State`, so reading both costs a single look-up per op.

Floor 0: used by all of the engine.
"""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def printable(name: str) -> str:
    """Return a name in which control characters are written out, so that none of them reaches a terminal."""
    if name.isprintable():
        return name
    return "".join([c if c.isprintable() else repr(c)[1:-1] for c in name])


class Scope:
    """Name the place in the model where an op was recorded: a path such as ``layers.0`` and what stands there."""

    __slots__ = ("info", "kind", "parent", "path")

    def __init__(self, path: str, kind: str, parent: "Scope | None", info: dict[str, Any]) -> None:
        self.path = printable(path)
        self.kind = kind
        self.parent = parent
        self.info = info

    def __repr__(self) -> str:
        return f"Scope({self.path!r}, {self.kind!r})"


class State(NamedTuple):
    """Hold what every op reads once: ``recording`` and ``scope``; ``mode`` made it, and leaving goes to ``outer``.

    While a function is traced ``tracer`` notes what it computes, and ``recording`` is TRACED in place of True. A
    debugger that looks at each op as it is recorded is ``watcher``, and ``recording`` is WATCHED then: the usual path
    tests for True alone, and pays for neither.
    """

    recording: Any = True
    scope: Scope | None = None
    outer: "State | None" = None
    mode: Any = None
    tracer: Any = None
    watcher: Any = None


TRACED, WATCHED = "traced", "watched"


def _recorded(tracer: Any, watcher: Any) -> Any:
    """Tell how ops are recorded, for ``State.recording``."""
    return TRACED if tracer is not None else True if watcher is None else WATCHED


_state: ContextVar[State] = ContextVar("chainrule_state", default=State())
current = _state.get  # one C call of about 10 ns per op


def is_grad_enabled() -> bool:
    """Tell whether ops are being recorded in this thread or task.

    >>> import autograd as ag
    >>> ag.is_grad_enabled()
    True
    >>> with ag.no_grad():
    ...     ag.is_grad_enabled()
    False
    """
    return bool(current().recording)


def current_scope() -> Scope | None:
    """Return the place in the model where this thread or task is (its ``path`` and ``kind``), or None.

    >>> import autograd as ag
    >>> with ag.scope("encoder", "Encoder"):
    ...     ag.current_scope().path
    'encoder'
    >>> ag.current_scope() is None
    True
    """
    return current().scope


class _NotYet(type):
    """Say of ``with no_grad:`` that the brackets are missing."""

    def _refuse(cls, *_: Any) -> Any:
        raise TypeError(f"{cls.__name__} is a class. Call it: with {cls.__name__}():")


for _name in ("__enter__", "__exit__"):
    setattr(_NotYet, _name, _NotYet._refuse)  # a type checker, which sees neither, refuses the class itself


class _Mode(metaclass=_NotYet):
    """Replace the state while it is active.

    It remembers nothing itself: the way back stands in the state, so one instance serves several threads and tasks.
    """

    def _enter(self, state: State) -> State:
        raise TypeError(f"{type(self).__name__} is abstract; use no_grad, enable_grad or scope")

    def __enter__(self) -> "_Mode":
        _state.set(self._enter(current()))
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        """Return to the state before this mode, also past modes that a suspended generator left open inside."""
        state = current()
        while state.mode is not self and state.outer is not None:
            state = state.outer
        if state.mode is self and state.outer is not None:
            _state.set(state.outer)

    def __call__(self, function: F) -> F:
        """Decorate a function, coroutine, generator or async generator function."""
        wrap = next((wrap for test, wrap in _WRAPPERS if test(function)), _wrap_function)
        wrapped: Any = functools.wraps(function)(wrap(self, function))
        return wrapped  # type: ignore[no-any-return]  # of the function's own type


class no_grad(_Mode):
    """Record nothing inside: results need no gradient, and in-place changes are allowed.

    Works as ``with no_grad():`` and as ``@no_grad()``; the decorator also covers generator and async functions, whose
    bodies are resumed inside the mode only. (A ``with no_grad():`` inside a plain generator's body leaks to the caller
    while the generator is suspended: Python gives no hook for that.)

    >>> import autograd as ag
    >>> x = ag.Tensor(3.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def _enter(self, state: State) -> State:
        return State(False, state.scope, state, self, state.tracer, state.watcher)


class enable_grad(_Mode):
    """Record again inside a ``no_grad`` region.

    >>> import autograd as ag
    >>> x = ag.Tensor(2.0, requires_grad=True)
    >>> with ag.no_grad():
    ...     a = x * x
    ...     with ag.enable_grad():
    ...         b = x * x
    >>> a.requires_grad, b.requires_grad
    (False, True)
    """

    def _enter(self, state: State) -> State:
        recording = _recorded(state.tracer, state.watcher)
        return State(recording, state.scope, state, self, state.tracer, state.watcher)


class traced_by(_Mode):
    """Let ``tracer`` note what is computed inside; None: compute as ever."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer

    def _enter(self, state: State) -> State:
        recording = state.recording and _recorded(self.tracer, state.watcher)
        return State(recording, state.scope, state, self, self.tracer, state.watcher)


class watched_by(_Mode):
    """Let ``watcher`` see each op that is recorded inside; None: nobody."""

    def __init__(self, watcher: Any) -> None:
        self.watcher = watcher

    def _enter(self, state: State) -> State:
        recording = state.recording and _recorded(state.tracer, self.watcher)
        return State(recording, state.scope, state, self, state.tracer, self.watcher)


def unseen(function: Callable[..., Any], *args: Any) -> Any:
    """Call a function while nothing is recorded and nobody watches: what ``with`` does, for a fifth of its price."""
    state = current()
    _state.set(State(False, state.scope, state))
    try:
        return function(*args)
    finally:
        _state.set(state)


class scope(_Mode):
    """Name the place in the model of the ops recorded inside: ``name`` is appended to the enclosing path.

    ``kind`` says what stands there (``"Linear"``) and ``info`` holds facts for pictures. Modules enter a scope whenever
    they are called; a plain function may do so too. A scope can be kept and entered again, also by several threads;
    entering it at the place of the last time costs 0.3 µs. A subclass may choose its name: see ``name_under``.

    >>> import autograd as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> with ag.scope("square", "Square"):
    ...     y = x * x
    >>> ag.draw(y).view.groups[0].path
    'square'
    """

    def __init__(self, name: str, kind: str = "", **info: Any) -> None:
        self._name, self._kind, self._info = name, kind, info
        self._place: Scope | None = None
        self._states: tuple[State, State] | None = None  # outside and inside, the last time

    def name_under(self, outer: Scope | None) -> str:
        """Return the name to append to the path of ``outer``."""
        return self._name

    def _enter(self, state: State) -> State:
        outer, place = state.scope, self._place
        if place is None or place.parent is not outer:
            name = self.name_under(outer)
            path = f"{outer.path}.{name}" if outer is not None and outer.parent is not None else name
            place = self._place = Scope(path, self._kind, outer, self._info)
        inside = State(state.recording, place, state, None, state.tracer, state.watcher)
        self._states = state, inside
        return inside

    def __enter__(self) -> "scope":
        _state.set(self.inside(current()))
        return self

    def inside(self, state: State) -> State:
        """Return the state inside, were it entered from ``state``."""
        states = self._states
        return states[1] if states is not None and states[0] is state else self._enter(state)

    def run(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call ``function(*args, **kwargs)`` inside: what ``with`` does, for half its price."""
        state = current()
        _state.set(self.inside(state))
        try:
            return function(*args, **kwargs)
        finally:
            _state.set(state)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        _state.set(current().outer or State())


def _wrap_function(mode: _Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with mode:
            return function(*args, **kwargs)

    return wrapped


def _wrap_coroutine(mode: _Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        with mode:
            return await function(*args, **kwargs)

    return wrapped


def _wrap_generator(mode: _Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, value = generator.send, None
        while True:
            try:
                with mode:
                    item = step(value)
            except StopIteration as stop:
                return stop.value
            try:
                value = yield item
                step = generator.send
            except GeneratorExit:
                with mode:
                    generator.close()
                raise
            except BaseException as error:  # handed into the generator, as `yield from` does
                step, value = generator.throw, error

    return wrapped


def _wrap_async_generator(mode: _Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        step, value = generator.asend, None
        while True:
            try:
                with mode:
                    item = await step(value)
            except StopAsyncIteration:
                return
            try:
                value = yield item
                step = generator.asend
            except GeneratorExit:
                with mode:
                    await generator.aclose()
                raise
            except BaseException as error:  # handed into the generator, as `yield from` does
                step, value = generator.athrow, error

    return wrapped


_WRAPPERS: tuple[tuple[Callable[[Any], bool], Callable[..., Any]], ...] = (
    (inspect.iscoroutinefunction, _wrap_coroutine),
    (inspect.isgeneratorfunction, _wrap_generator),
    (inspect.isasyncgenfunction, _wrap_async_generator),
)
