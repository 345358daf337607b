"""What the code around a program does: whose it is, and what of the world outside it asks for.

Floor 13: used by the tracer.
"""

import dis
import functools
import gc
import io
from itertools import pairwise
from pathlib import Path
from sys import _getframe
from types import CodeType
from typing import Any

import numpy as np

_HERE = tuple(str(Path(__file__).parents[2] / name) + "/" for name in ("autograd", "nn"))
_TRACES = str(Path(__file__).with_name("compiled.py"))  # below its frame stands what is traced


def is_ours(file: str) -> bool:
    """Tell whether code belongs to this project, or was written by it."""
    return file.startswith((*_HERE, "<autograd"))


def user_line(*, inside: bool = False) -> tuple[str, int] | None:
    """Find the line of the user's program that is running; with ``inside`` one of what is being traced, or None."""
    frame: Any = _getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if inside and name == _TRACES:
            return None
        if not is_ours(name):
            return name, frame.f_lineno
        frame = frame.f_back
    return None


def is_numpys(frame: Any) -> bool:
    """Tell whether NumPy or SciPy runs in a frame."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in ("numpy", "scipy")


def is_incidental(frame: Any) -> bool:
    """Tell whether the garbage collector runs this, which comes when it likes (Hypothesis times it), or an import."""
    callbacks = {getattr(each, "__code__", None) for each in gc.callbacks}
    while frame is not None and frame.f_code not in callbacks and frame.f_globals.get("__name__") not in _IMPORTS:
        frame = frame.f_back
    return frame is not None


@functools.lru_cache
def types_asked(code: CodeType) -> frozenset[str]:
    """List the variables whose ``type(…)`` a function asks for: what stands for an array cannot answer that."""
    steps = list(dis.get_instructions(code))
    found = [
        b.argval for a, b in pairwise(steps) if a.argval == "type" and "GLOBAL" in a.opname and "LOAD_FAST" in b.opname
    ]
    return frozenset(filter(lambda name: isinstance(name, str), found))


_IMPORTS = ("importlib._bootstrap", "importlib._bootstrap_external", "linecache")


def outside_world(called: Any) -> str:
    """Tell what a builtin function reads that nothing here can compare, or nothing."""
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    module = getattr(called, "__module__", None)
    if type(owner).__module__ == "random":
        return "Python's random numbers"
    if module == "time" or name in ("now", "utcnow", "today"):
        return "the clock" if name != "sleep" else ""
    if module in ("posix", "nt") and name != "fspath":
        return "random numbers of the system" if name in ("urandom", "getrandom") else "the file system"
    if called in (globals, eval, exec):
        return "names by globals(), eval or exec"
    return "or writes a file" if called in (open, input, print, np.fromfile) or isinstance(owner, io.IOBase) else ""
