"""The line of the user's program that is running: the innermost that is neither ours nor NumPy's."""

from sys import _getframe
from types import FrameType

from autograd.graph import Site

OURS = ("autograd", "nn", "numpy", "contextlib")
COMPOSED = ("autograd.ops.", "nn.functional.")  # functions made of ops: what their steps give is not yet a result


def user_site() -> Site:
    """Find the user's line, and which call of a function of ours runs there."""
    frame: FrameType | None = _getframe(1)
    last, inside, ended = frame, 0, False
    while frame is not None:
        module = frame.f_globals.get("__name__") or ""
        written = "__name__" not in frame.f_globals and "_op" in frame.f_globals  # by the compiler
        if not written and module.partition(".")[0] not in OURS:
            return Site(frame.f_code.co_filename, frame.f_lineno, inside)
        if module.startswith(COMPOSED):
            inside = 0 if ended else id(frame)
        elif not written and module.startswith("nn."):
            ended = True  # a layer's forward: what it computes is a result
        last, frame = frame, frame.f_back
    return Site("", 0) if last is None else Site(last.f_code.co_filename, last.f_lineno, inside)
