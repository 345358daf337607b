"""What must be as it was, as one written function: a program relies on it at each call.

``x1['training'] is v3 and x2.__code__ is v4 and ...`` takes a quarter of the time of loops over what was remembered.
"""

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any
from weakref import ref

import numpy as np

from autograd.compiler import run

PLAIN = (int, float, complex, str, bytes, bool, type(None), np.dtype, np.generic)  # that are what they are
_GONE = (AttributeError, KeyError, ValueError, TypeError)  # of a name, an attribute, a cell that is empty by now
_Part = Callable[[Any], Any]
IS, EQUALS, EACH, WEAK = "{} is {}", "{} == {}", "same({}, {})", "{} is {}()"  # how what is read is compared at once


def is_plain(x: Any) -> bool:
    """Tell whether something is its value and nothing else: a float is, a float of a class that adds attributes not."""
    return isinstance(x, PLAIN) and not hasattr(x, "__dict__")


class Facts:
    """Hold expressions and what each of them gave."""

    def __init__(self, **space: Any) -> None:
        self._space: dict[str, Any] = {"same": _same, "GONE": _GONE, **space}  # and what was found, as v0, v1, ...
        self._names: dict[int, str] = {}
        self._facts: list[tuple[str, str, str, _Part | None]] = []  # what, expression, how, what counts of it
        self._hold: Callable[[], bool] | None = None
        self._values: Callable[[], list[Any]] | None = None

    def name(self, x: Any) -> str:
        """Return the name of an object in expressions; it is held."""
        found = self._names.get(id(x))
        if found is None:
            found = self._names[id(x)] = f"x{len(self._names)}"
            self._space[found] = x
        return found

    def add(self, what: str, expression: str, was: Any, how: str = IS, counts: _Part | None = None) -> None:
        """Remember what an expression gives; ``counts`` takes what counts of it where it is another object now."""
        self._space[f"v{len(self._facts)}"] = ref(was) if how is WEAK else was
        self._facts.append((what, expression, how, counts))
        self._hold = self._values = None

    def hold(self) -> bool:
        """Tell whether all of it is as it was, the very same objects."""
        if self._hold is None:
            lines = [how.format(expression, f"v{i}") for i, (_, expression, how, _) in enumerate(self._facts)]
            self._hold = self._run("hold", " and\n                ".join(lines) or "True")
        return self._hold()

    def changed(self) -> str:
        """Return what is no longer as it was: "" for nothing. What equals what it was stands for it from now on."""
        now = self._read()
        for i, (what, expression, how, counts) in enumerate(self._facts):
            try:
                found = eval(expression, self._space) if now is None else now[i]  # noqa: S307  # our own
            except _GONE:
                return what
            was, alike = self._space[f"v{i}"], equal if how is IS else _each
            if found is not was and not (alike(counts(found), counts(was)) if counts else alike(found, was)):
                return what
        self._space.update((f"v{i}", found) for i, found in enumerate(now or []))
        return ""

    def note(self) -> None:
        """Take what there is now for what it was."""
        for i, ((_, _, how, _), x) in enumerate(zip(self._facts, self._read() or [], strict=True)):
            self._space[f"v{i}"] = ref(x) if how is WEAK else x

    def _read(self) -> list[Any] | None:
        """Read all of it; None where some is gone."""
        if self._values is None:
            self._values = self._run("values", f"[{', '.join([expression for _, expression, *_ in self._facts])}]")
        return self._values() or None if self._facts else []

    def _run(self, name: str, value: str) -> Any:
        lines = (
            f"def {name}():",
            "    try:",
            f"        return ({value})",
            "    except GONE:",
            "        return False",
            "",
        )
        return run("\n".join(lines), name, self, self._space)[name]


def equal(now: Any, was: Any) -> bool:
    """Tell whether two things are plain values that are the same, or tuples of such.

    A list or a dict that equals another is another one: who changes it later changes not the one that is remembered.
    """
    if isinstance(was, tuple):
        return type(now) is type(was) and _each(now, was)
    if type(now) is not type(was) or not is_plain(was):
        return False
    return repr(now) == repr(was) if isinstance(was, float | complex | np.inexact) else bool(now == was)  # -0.0, nan


def _each(now: Sequence[Any], was: Sequence[Any]) -> bool:
    return len(now) == len(was) and all(a is b or equal(a, b) for a, b in zip(now, was, strict=True))


def _same(now: list[Any], was: list[Any]) -> bool:
    return len(now) == len(was) and all(map(is_, now, was))
