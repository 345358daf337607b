"""What a ShapeError inside a model says of the way there: its modules with their shapes, and the step that failed."""

from typing import Any

import autograd as ag
from autograd.errors import ShapeError


def note(error: ShapeError, kind: str, path: str, args: tuple[Any, ...]) -> None:
    """Add what a module knows: the innermost is the step that failed, the outermost tells the whole way as a note."""
    if error.failed_in is None:
        error.failed_in = path, kind, args
    if ag.current_scope() is None:
        error.path = ag.path_so_far(error, *error.failed_in)
        if error.path:  # else the first module has failed, and the message says all
            error.add_note(str(error.path))
