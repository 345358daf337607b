"""What a traced function does to gradients and parameters, in order: a program does it when its arrays are computed."""

import weakref
from collections.abc import Callable, Sequence
from typing import Any

from autograd.box import Box
from autograd.modes import current, no_grad
from autograd.programs.facts import is_plain
from autograd.programs.reach import is_library
from autograd.programs.values import Value, replaced


class Halfway(Exception):
    """Report an error among effects: what is before it is done, so the function must not run again."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Effect:
    """Call a function of the user's or of an optimizer's as it stands in the traced function."""

    __slots__ = ("args", "function", "kwargs", "recording")

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.function, self.args, self.kwargs = function, args, kwargs
        self.recording = bool(current().recording)

    def __call__(self) -> Any:
        if self.recording or not current().recording:
            return self.function(*self.args, **self.kwargs)
        with no_grad():
            return self.function(*self.args, **self.kwargs)

    def __str__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        of = self.args[0] if self.args and hasattr(type(self.args[0]), name) else None
        if of is None:
            return f"{name}()"
        held = isinstance(of, Box) and of._node is not None and of._node.name
        who = held or type(of).__name__
        sets = isinstance(getattr(type(of), name), property) and len(self.args) > 1
        return f"{who}.{name} = ..." if sets else f"{who}.{name}()"


class Later:
    """Stand for what an effect gives, which is known when the program has run: it can be returned, and nothing else."""

    __slots__ = ("__weakref__", "_at", "_refuse")

    def __init__(self, at: int, refuse: Callable[[], Exception]) -> None:
        self._at, self._refuse = at, refuse

    @property
    def at(self) -> int:
        """Return which of the effects gives it."""
        return self._at

    def _read(self, *_: Any) -> Any:
        raise self._refuse()

    __getattr__ = __bool__ = __eq__ = __hash__ = __repr__ = __str__ = __format__ = _read
    __float__ = __int__ = __len__ = __iter__ = __getitem__ = __array__ = _read
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _read
    __lt__ = __le__ = __gt__ = __ge__ = __ne__ = __neg__ = __abs__ = __pow__ = _read


class Effects:
    """List what a function does, and of what it runs ``backward``, which may be once."""

    def __init__(self) -> None:
        self.before: list[Effect] = []  # before backward
        self.after: list[Effect] = []
        self.root: Value | None = None
        self.moved = False  # whether values may have been changed
        self.looks = False  # whether one of the user's own looks at what there is
        self._given: list[weakref.ref[Later]] = []

    def __bool__(self) -> bool:
        return self.root is not None or bool(self.before)

    def lines(self) -> list[str]:
        """Return in words what happens at each call, in order."""
        back = [] if self.root is None else ["backward, whose gradients are added to .grad"]
        return ["forward", *map(str, self.before), *back, *map(str, self.after)]

    def add(self, effect: Effect, values: bool, refuse: Callable[[], Exception]) -> Later:
        """Note an effect, and return what stands for its result."""
        (self.before if self.root is None else self.after).append(effect)
        self.moved = self.moved or values
        self.looks = self.looks or not is_library(effect.function.__module__)
        later = Later(len(self.before) + len(self.after) - 1, refuse)
        self._given.append(weakref.ref(later))
        return later

    def kept(self, known: Sequence[Any]) -> bool:
        """Tell whether somebody holds what stands for a result, beside those that are known."""
        ids = {id(x) for x in known}
        return any(later is not None and id(later) not in ids for later in [given() for given in self._given])


def keeps(function: Callable[..., Any], args: Sequence[Any]) -> bool:
    """Tell whether an effect leaves alone what an optimizer holds for others to read: its groups, and their rates."""
    of = getattr(type(args[0]), "_keeps", None) if args else None
    if of is None:  # a gradient, say
        return is_library(function.__module__)
    return is_library(function.__module__) and function.__name__ in of


def settled(tree: Any, knows: Callable[[Any], bool]) -> Any:
    """Return the arguments of an effect so that they can be given at each call; raise LookupError where they cannot."""

    def one(x: Any) -> Any:
        if hasattr(type(x), "__next__"):
            return settled(list(x), knows)
        if not knows(x) and (isinstance(x, Box) or not is_plain(x)):
            raise LookupError(type(x).__name__)
        return x

    return replaced(tree, one)
