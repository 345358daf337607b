"""What a ShapeError inside a model says of the way there: its modules with their shapes, and the step that failed."""

from collections.abc import Iterator
from typing import Any

import autograd as ag
from autograd.errors import ShapeError


def note(error: ShapeError, kind: str, path: str, args: tuple[Any, ...]) -> None:
    """Add what a module knows: the innermost says what it was given, the outermost tells the whole way as a note."""
    if not hasattr(error, "failed_in"):
        name = f"{kind} {path}" if kind != path else kind
        error.failed_in = f"{name}  {', '.join(map(str, shapes(args))) or '()'} → failed: {str(error).splitlines()[0]}"
    if ag.current_scope() is None:
        path = ag.path_so_far(error, error.failed_in)
        if path:  # else the first module has failed, and the message says all
            error.add_note(path)


def shapes(args: tuple[Any, ...]) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of arguments that have one."""
    for x in args:
        if isinstance(x, tuple | list) and any(hasattr(part, "shape") for part in x):
            yield from shapes(tuple(x))
        elif hasattr(x, "shape"):
            yield x.shape
