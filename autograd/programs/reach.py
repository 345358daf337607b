"""What an object holds, and what the code of a function names: what :mod:`guards` looks at, and how it compares."""

import builtins
import dis
import gc
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, ValuesView
from functools import lru_cache, partial
from itertools import pairwise
from types import CodeType, FunctionType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from autograd.box import Box
from autograd.programs.facts import PLAIN

LIBRARIES = {"autograd", "nn", "numpy", "scipy", *sys.stdlib_module_names} - {"os"}  # which has os.environ
_DATA = ("mmap", "ctypes", "_ctypes", "sqlite3", "dbm", "_dbm", "_gdbm", "_socket", "_multiprocessing")
CACHE: Any = type(lru_cache(print))
DUNDERS = {"__name__", "__qualname__", "__doc__", "__annotations__", "__module__"}
_MANY = 1 << 16  # bytes of foreign memory that are compared at each call
LOOKUPS = {"getattr", "vars", "hasattr", "dir", "__dict__"}  # by a name that is computed


def contents_of(x: Any) -> list[Any] | None:
    """Return what a container holds, or None of what is none."""
    if isinstance(x, CACHE):  # whatever it looks at, as its dict cannot be had; in an order that no hit changes
        return sorted(gc.get_referents(x), key=id)
    if isinstance(x, partial):
        return [x.func, x.args, x.keywords]
    if isinstance(x, np.ndarray):
        return x.ravel().tolist() if x.dtype.hasobject else None
    if isinstance(x, Mapping):
        return [*x.keys(), *x.values()]
    if isinstance(x, Sequence | Set | ValuesView) and not isinstance(x, str | bytes | range | memoryview):
        return list(x)
    return (
        _bytes_of(x) if type(x).__module__ in ("mmap", "ctypes") or isinstance(x, memoryview) or _is_c_data(x) else None
    )


def _is_c_data(x: Any) -> bool:
    return any(kind.__module__ == "_ctypes" for kind in type(x).__mro__)


def _bytes_of(x: Any) -> list[Any] | None:
    """Return what lies in memory that is no array, as far as it can be looked at at each call."""
    try:
        view = memoryview(x)
    except (TypeError, ValueError):  # a function of C, a file that is closed
        return None
    return [view.tobytes()] if view.nbytes <= _MANY else None


def is_unknown(x: Any) -> bool:
    """Tell whether an object is made by code in C of which is not known what it reads: a database, a file of arrays."""
    kind = type(x)
    if isinstance(x, type) or hasattr(kind, "__get__"):
        return False
    if isinstance(x, np.ufunc):  # np.frompyfunc(f)
        return not any(getattr(space, x.__name__, None) is x for space in _ufuncs())
    if is_library(str(kind.__module__)):
        return kind.__module__ in _DATA and contents_of(x) is None
    return not isinstance(x, Box) and not any(map(_is_pythons, kind.__mro__))


def _ufuncs() -> list[Any]:
    names = ("numpy", "scipy.special", "scipy.special._ufuncs", "numpy._core.umath", "numpy.linalg._umath_linalg")
    return [module for name in names if (module := sys.modules.get(name)) is not None]


def _is_pythons(kind: type) -> bool:
    """Tell whether a class was made by a class statement, so that its objects hold what they know in the open."""
    return kind is not object and bool(_MADE & vars(kind).keys())


_MADE = {"__dict__", "__slots__", "__static_attributes__", "__firstlineno__"}


def read_reference(x: Any) -> Any:
    """Return what a weak reference or a context variable refers to."""
    try:
        return x() if isinstance(x, ref) else x.get()
    except LookupError:
        return None


def random_state(x: Any) -> str:
    """Return what a source of random numbers will give next, as a text to compare."""
    if isinstance(x, np.random.RandomState):
        return repr(x.get_state())
    source = x.bit_generator if isinstance(x, np.random.Generator) else x
    seeds = getattr(source, "seed_seq", source)
    return repr((getattr(source, "state", None), getattr(seeds, "n_children_spawned", None)))


def random_sources(given: Iterable[Any]) -> list[Callable[[], Any]]:
    """Return what puts sources of random numbers, and those of Python and NumPy, back to where they are now."""
    found: list[Callable[[], Any]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),  # noqa: NPY002
    ]
    for x in given:
        source = x.bit_generator if isinstance(x, np.random.Generator) else x
        if isinstance(x, np.random.RandomState):
            found.append(partial(x.set_state, x.get_state()))
        elif hasattr(source, "state"):
            found.append(partial(setattr, source, "state", source.state))
    return found


def is_library(name: str | None) -> bool:
    """Tell whether a module belongs to Python, to NumPy or to this project."""
    return (name or "").partition(".")[0] in LIBRARIES


def names_of(code: CodeType) -> set[str]:
    """Return the names that code uses, in the functions inside it as well, and the words that may be names."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_of(constant)
        elif isinstance(constant, str) and constant.isidentifier():  # getattr(settings, "scale")
            names.add(constant)
    return names


def loads_of(code: CodeType) -> Counter[str]:
    """Count how often code names a thing, in the functions inside it as well, and the words that may be names."""
    loads = Counter([str(step.argval) for step in dis.get_instructions(code) if step.opname.startswith("LOAD")])
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            loads += loads_of(constant)
    return loads


def globals_of(code: CodeType) -> set[str]:
    """Return those of its names that are looked up in its module: not the ``t`` of ``stats.t``."""
    steps = dis.get_instructions(code)
    names = {each.argval for each in steps if "GLOBAL" in each.opname or each.opname.endswith("_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= globals_of(constant)
    return names


def is_decimal(x: Any) -> bool:
    """Tell whether an object is of the module whose arithmetic follows a context."""
    owner = vars(x).get("__name__") if isinstance(x, ModuleType) else x.__module__ if isinstance(x, type) else ""
    return "decimal" in (owner, type(x).__module__)


def data_of_libraries(f: FunctionType) -> Iterator[tuple[ModuleType, str, Any]]:
    """Yield what f reads of Python's own modules that is no function: ``sys.path``, ``math.pi``."""
    steps = [each for each in dis.get_instructions(f.__code__) if each.opname not in ("CACHE", "PUSH_NULL", "PRECALL")]
    for first, then in pairwise(steps):
        named = "GLOBAL" in first.opname or "_DEREF" in first.opname or "NAME" in first.opname
        if named and then.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            module = f.__globals__.get(first.argval) if isinstance(first.argval, str) else None
            if isinstance(module, ModuleType) and module.__name__.partition(".")[0] in sys.stdlib_module_names:
                x = vars(module).get(then.argval)
                if isinstance(x, (*PLAIN, list, dict, tuple, set)):
                    yield module, then.argval, x


def added_builtins(names: set[str]) -> list[tuple[str, Any]]:
    """List those names that somebody has put among Python's own."""
    found = [(name, vars(builtins).get(name)) for name in sorted(names)]
    return [(name, x) for name, x in found if x is not None and getattr(x, "__module__", "") != "builtins"]
