"""What the code around a program does: whose it is, and what of the world outside it asks for.

Floor 13: used by the tracer.
"""

import dis
import functools
import gc
import io
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from sys import _getframe
from types import CodeType
from typing import Any

import numpy as np

from autograd.programs.reach import is_library
from autograd.tensor import Tensor

_HERE = tuple(str(Path(__file__).parents[2] / name) + "/" for name in ("autograd", "nn"))
_TRACES = str(Path(__file__).with_name("compiled.py"))  # below its frame stands what is traced


def is_ours(file: str) -> bool:
    """Tell whether code belongs to this project, or was written by it."""
    return file.startswith((*_HERE, "<autograd"))


def user_frames(*, inside: bool = False) -> Iterator[Any]:
    """Yield the frames of the user's functions that are running, from the inside out; ``inside`` what is being traced.

    Python's and NumPy's own functions stand between: a decorator of contextlib's, say, has no line of the user's.
    """
    frame: Any = _getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if inside and name == _TRACES:
            return
        if not is_ours(name) and not is_library(frame.f_globals.get("__name__", "")):
            yield frame
        frame = frame.f_back


def user_line(*, inside: bool = False) -> tuple[str, int] | None:
    """Find the line of the user's program that is running; with ``inside`` one of what is being traced, or None."""
    return next(((frame.f_code.co_filename, frame.f_lineno) for frame in user_frames(inside=inside)), None)


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


def asks_for_a_tensor(frame: Any) -> bool:
    """Tell whether the user's code that runs in ``frame`` has Tensor at hand, or a tuple with it, for isinstance."""
    code = frame.f_code
    if is_library(frame.f_globals.get("__name__", "")):
        return False
    held = [frame.f_globals.get(name) for name in code.co_names]
    held += [frame.f_locals.get(name) for name in code.co_freevars]
    return "Tensor" in code.co_names or any(x is Tensor or (type(x) is tuple and Tensor in x) for x in held)


def variable_asked(frame: Any) -> str:
    """Return the variable that the call which runs in ``frame`` is about, as in ``isinstance(x, …)``; "" if none."""
    steps = [s for s in dis.get_instructions(frame.f_code) if s.offset <= frame.f_lasti and s.opname != "CACHE"]
    starts = [i for i, step in enumerate(steps) if step.argval == "isinstance"]
    about = steps[starts[-1] + 1 :] if starts else []
    if (
        len(about) < 2
        or about[0].opname != "LOAD_FAST"
        or not about[1].opname.startswith(("LOAD_GLOBAL", "LOAD_DEREF"))
    ):
        return ""
    return str(about[0].argval)


def asked_for(frame: Any) -> str:
    """Say what the user's code asks for, if ``frame`` is that of a function which tells what no program reads."""
    caller = frame.f_back
    if caller is None or is_ours(caller.f_code.co_filename) or is_library(caller.f_globals.get("__name__", "")):
        return ""
    if frame.f_globals.get("__name__") == "numpy._core.arrayprint":
        return "the text of an array"
    return _readers(len(sys.modules)).get(frame.f_code, "")


@functools.lru_cache(maxsize=1)
def _readers(loaded: int) -> dict[CodeType, str]:
    """Map the functions that read a state of Python's, NumPy's or a Tensor's to what that is."""
    found: dict[Any, str] = {vars(Tensor)[name].fget.__code__: f"the {name} of a Tensor" for name in ("grad", "name")}
    for module, names, what in _STATES:
        for name in names.split() if module in sys.modules else ():
            f: Any = getattr(sys.modules[module], name, None)
            found |= {f.__code__: what} if hasattr(f, "__code__") else {}
    return found


_STATES = (
    ("numpy", "geterr geterrcall get_printoptions", "how NumPy treats errors"),
    ("numpy", "getbufsize", "the size of a buffer"),
    ("logging", "getLogger", "a logger"),
    ("threading", "current_thread active_count enumerate", "threads"),
    ("importlib", "import_module reload", "a module by a name that is computed"),
    ("inspect", "stack currentframe", "the calls that are running"),
)
_IMPORTS = ("importlib._bootstrap", "importlib._bootstrap_external", "linecache")


def changes_in_a_trace(called: Any) -> bool:
    """Tell whether what a function tells is another thing while a program is traced: the calls that run, the hooks."""
    return called in (sys.getprofile, sys._getframe, sys.getrefcount) or called in _stacks()


def _stacks() -> list[Any]:
    module: Any = sys.modules.get("inspect")
    return [] if module is None else [module.stack.__code__, module.currentframe.__code__]


def outside_world(called: Any, by: str = "") -> str:
    """Tell what a builtin function, called by a module, reads that nothing here can compare, or nothing."""
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    module = getattr(called, "__module__", None)
    if type(owner).__module__ == "random":
        return "Python's random numbers"
    if type(owner).__module__ == "_thread" and name in ("acquire", "locked", "_is_owned"):
        return "who holds a lock"
    if module == "time" or name in ("now", "utcnow", "today"):
        return "the clock" if name != "sleep" else ""
    if module in ("posix", "nt") and name != "fspath":
        return "random numbers of the system" if name in ("urandom", "getrandom") else "the file system"
    states = module in ("sys", "gc") and name.startswith(("get", "_get", "is", "_current"))
    if (states or name == "__subclasses__") and not is_library(by):
        return "a state of Python's"
    if called in (globals, eval, exec):
        return "names by globals(), eval or exec"
    return "or writes a file" if called in (open, input, print, np.fromfile) or isinstance(owner, io.IOBase) else ""
