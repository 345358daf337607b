"""How the values that come into a program are called: as the function calls them."""

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from inspect import CO_OPTIMIZED
from typing import Any

from autograd.box import Box
from autograd.programs.traced import Traced
from autograd.programs.values import INPUT, Value
from autograd.tree import is_nested, parts_of


def arguments(f: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Box]]:
    """Yield the Tensors among the arguments with their names; what is inside a dict is called by its key."""
    known: Mapping[str, Any] = {}
    with suppress(TypeError, ValueError):
        known = inspect.signature(f).parameters
    names = [name for name, each in known.items() if each.kind < each.VAR_POSITIONAL]
    more = next((name for name, each in known.items() if each.kind == each.VAR_POSITIONAL), "")
    for i, x in enumerate(args):
        yield from _inside(x, names[i] if i < len(names) else f"{more}_{i - len(names)}" if more else "v")
    for name, x in kwargs.items():
        yield from _inside(x, name)


def _inside(x: Any, name: str) -> Iterator[tuple[str, Box]]:
    todo = [(x, name, True)]
    while todo:
        x, name, top = todo.pop()
        if isinstance(x, Box):
            yield name, x
        elif isinstance(x, dict):
            todo += [(part, key if top and isinstance(key, str) else f"{name}_{key}", False) for key, part in x.items()]
        elif is_nested(x):
            keys = getattr(x, "_fields", None) or range(len(parts_of(x)))
            todo += [(part, f"{name}_{key}", False) for key, part in zip(keys, parts_of(x), strict=True)]


def name_held(frames: Sequence[Any]) -> None:
    """Name values by the variables that hold them while functions run; ``frames`` are theirs, from the inside out.

    So each turn of a loop has the names of its own. What several functions hold is called as the outermost calls it.
    """
    for frame in reversed(frames):
        for name, x in frame.f_locals.items() if frame.f_code.co_flags & CO_OPTIMIZED else ():
            if type(x) is Traced:
                value: Any = x._node.value  # type: ignore[union-attr]
                value.name = value.name or name


def name_closed(inputs: Sequence[Value], paths: Mapping[int, str]) -> None:
    """Name what a function closes over by the way there; of two nets with one ``weight_0`` each by the net as well."""
    closed = [v for v in inputs if v.kind != INPUT]
    counts = Counter([v.name for v in closed])
    for v in closed:
        parts = [part for part in re.findall(r"\w+", paths.get(id(v.source), "")) if not part.startswith("_")]
        if parts and v.name and counts[v.name] > 1:
            v.name = f"{parts[0]}_{v.name}"
        elif parts and not v.name:
            v.name = "_".join(parts) if parts[-1].isdigit() else "_".join([parts[-1], *parts[1:-1]])
