"""What a trace relied on: closures, globals, defaults, attributes, lists; noticed when it is no longer what it was.

Everything that a function can reach is walked through once. What it names is remembered by identity (numbers and
strings by value); the arrays that it reaches are read afresh at each call, and so are Tensors.
"""

import dis
import sys
import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from autograd.box import Box
from autograd.errors import TraceError
from autograd.programs.facts import EACH, EQUALS, IS, PLAIN, Facts

_LIBRARIES = {"autograd", "nn", "numpy", "scipy", *sys.stdlib_module_names} - {"os"}  # which has os.environ
_HERE = ("<autograd", str(Path(__file__).parents[1]))
_CLOSED = (*PLAIN, np.ufunc, CodeType)  # into which nothing looks
_BUILTIN = (list, dict, tuple, set, frozenset)  # whose objects have no attributes
_METHODS = (FunctionType, classmethod, staticmethod, property)
_RANDOM = (np.random.Generator, np.random.BitGenerator, np.random.SeedSequence, np.random.RandomState)
_LIMIT = 20_000  # things that are walked through
MANY = 200  # entries of a dict, above which they are compared in a loop
SMALL = 1 << 16  # bytes of arrays whose contents are compared at each call
LARGE = 1 << 20


class Guards:
    """Know what ``f`` reaches, and tell whether that is still so."""

    def __init__(self, f: Any) -> None:
        self.facts = Facts(parts=_parts_of, refers=_read_reference)
        self.arrays: dict[int, np.ndarray[Any, Any]] = {}
        self.boxes: dict[int, Box] = {}
        self.random: list[Any] = []  # sources of random numbers
        self.doubt = ""
        self.names: dict[int, str] = {}  # of arrays and Tensors
        self._seen: set[int] = set()
        self._kept: list[Any] = []
        self.walk(f, getattr(f, "__name__", type(f).__name__))

    # ------------------------------------------------------------------------------------------------------ walking

    def walk(self, root: Any, name: str) -> None:
        """Remember what ``root`` reaches."""
        stack = [(root, name)]
        while stack:
            x, name = stack.pop()
            if id(x) in self._seen or isinstance(x, _CLOSED):
                continue
            if len(self._seen) > _LIMIT:
                self.doubt = f"it reaches more than {_LIMIT} objects, {name} among them. Let it close over less."
                return
            self._seen.add(id(x))
            self._kept.append(x)
            stack += self._parts(x, name)

    def _parts(self, x: Any, name: str) -> Iterator[tuple[Any, str]]:
        if isinstance(x, Box):
            self.boxes[id(x)], self.names[id(x)] = x, name
        elif isinstance(x, np.ndarray):
            self.arrays[id(x)], self.names[id(x)] = x, name
            self._add(f"the shape of {name}", x, "{}.shape", x.shape, EQUALS)
            if x.dtype.hasobject:
                yield from self._container(x, name)
        elif isinstance(x, _RANDOM):
            self.random.append(x)
        elif isinstance(x, FunctionType):
            yield from self._function(x, name)
        elif isinstance(x, MethodType):
            yield x.__self__, name
            yield x.__func__, name
        elif isinstance(x, BuiltinFunctionType | MethodWrapperType):
            yield x.__self__, name
        elif isinstance(x, type):
            yield from self._class(x)
        elif isinstance(x, ContextVar | ref):
            held = _read_reference(x)
            self._add(name, x, "refers({})", held)
            yield held, name
        elif isinstance(x, ModuleType):
            self._module(x, name)
        else:
            yield from self._container(x, name)

    def _module(self, x: ModuleType, name: str) -> None:
        """Remember all that a module has which stands in a list, say: what it is asked for is not known."""
        if not is_library(x.__name__):
            self._dict(vars(x), name, ".{}")

    def _container(self, x: Any, name: str) -> Iterator[tuple[Any, str]]:
        """Remember what a container holds, and the attributes of any other object."""
        parts = _parts_of(x)
        if parts is not None:
            if type(x) in (dict, OrderedDict, defaultdict):
                self._dict(x, name, "[{!r}]")
            elif type(x) not in (tuple, frozenset):
                self._add(name, x, "parts({})", parts, EACH)
            labels = [*map(repr, x.keys())] * 2 if isinstance(x, Mapping) else range(len(parts))
            pairs = zip(labels, parts, strict=True)
            yield from ((part, f"{name}[{label}]") for label, part in pairs if not isinstance(part, PLAIN))
        elif hasattr(type(x), "__next__"):
            self.doubt = f"{name} is an iterator, which is another one at each call. Pass what it gives."
        if type(x) not in _BUILTIN:
            yield from self._object(x, name)

    def _function(self, f: FunctionType, name: str) -> Iterator[tuple[Any, str]]:
        inside: list[tuple[str, ModuleType]] = []
        for label, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            try:
                held = cell.cell_contents
            except ValueError:  # a name that is bound later
                continue
            self._add(label, cell, "{}.cell_contents", held)
            if isinstance(held, ModuleType):
                inside.append((label, held))
            else:
                yield held, label
        if is_library(f.__module__) or f.__code__.co_filename.startswith(_HERE):  # an op is written at first use
            return
        for part in ("__code__", "__defaults__", "__kwdefaults__"):
            self._add(f"{name}'s code or defaults", f, f"{{}}.{part}", getattr(f, part))
        yield from ((part, name) for part in (f.__defaults__, f.__kwdefaults__) if part)
        yield f.__dict__, name
        names, modules = _names(f.__code__), {id(np)}
        yield from self._space(f.__globals__, "", names, modules, _globals_of(f.__code__))
        inside += [(label, sys.modules[label]) for label in sorted(names & sys.modules.keys())]  # imported inside
        for label, module in inside:
            if not is_library(module.__name__):
                yield from self._space(vars(module), f"{label}.", names, modules)

    def _space(
        self, space: dict[str, Any], prefix: str, names: set[str], modules: set[int], here: set[str] | None = None
    ) -> Iterator[tuple[Any, str]]:
        """Remember what stands under ``names`` in a module (``here`` if given), and in the modules that stand there."""
        looked_up = names if here is None else here
        if absent := frozenset(looked_up - space.keys()):
            self._add(f"what {prefix or 'the module '}has", space, f"{self.facts.name(absent)}.isdisjoint({{}})", True)
        for name in sorted(looked_up & space.keys()):
            held, label = space[name], prefix + name
            self._add(label, space, f"{{}}[{name!r}]", held)
            if not isinstance(held, ModuleType):
                yield held, label
            elif id(held) not in modules and not is_library(held.__name__):
                modules.add(id(held))
                yield from self._space(vars(held), f"{label}.", names, modules)

    def _class(self, kind: type) -> Iterator[tuple[Any, str]]:
        """Remember the attributes of a class of the user's, and those of its bases."""
        yield from ((base, base.__name__) for base in (*kind.__bases__, type(kind)))
        if not isinstance(kind.__module__, str) or is_library(kind.__module__):  # Cython's functions have another thing
            return
        self._add(f"class {kind.__name__}", vars(kind), "[*{}]", [*vars(kind)], EQUALS, partial(_own, kind))
        for key in _own(kind, vars(kind)):
            part = vars(kind)[key]
            self._add(f"class {kind.__name__}", vars(kind), f"{{}}[{key!r}]", part)
            part = part.fget if isinstance(part, property) else getattr(part, "__func__", part)
            yield part, f"{kind.__name__}.{key}"

    def _object(self, x: Any, name: str) -> Iterator[tuple[Any, str]]:
        held: Any = getattr(x, "__dict__", None)
        if hasattr(type(x), "_reaches"):  # the rest of such an object decides nothing
            for key in type(x)._reaches:
                part = held[key]
                self._add(f"{name}.{key}", held, f"{{}}[{key!r}]", part)
                yield part, f"{name}.{key}"
            return
        if isinstance(held, dict):
            caches = getattr(type(x), "_caches", ())
            self._dict(held, name, ".{}", caches)
            yield from ((part, f"{name}.{key}") for key, part in held.items() if key not in caches)
        for kind in type(x).__mro__:
            slots = vars(kind).get("__slots__", ())
            for key in (slots,) if isinstance(slots, str) else slots:
                if isinstance(key, str) and not key.startswith("__") and hasattr(x, key):
                    part = getattr(x, key)
                    self._add(f"{name}.{key}", x, f"{{}}.{key}", part)
                    yield part, f"{name}.{key}"
        yield type(x), type(x).__name__

    def _dict(self, x: Any, name: str, label: str, caches: Sequence[str] = ()) -> None:
        """Remember what a dict holds, without its ``caches``."""
        if len(x) > MANY or {*map(type, x)} - {str}:
            self._add(name, x, "parts({})", _parts_of(x), EACH)
            return
        self._add(name, x, "[*{}]", [*x], EQUALS)
        for key in [key for key in x if key not in caches]:
            self._add(name + label.format(key), x, f"{{}}[{key!r}]", x[key])

    def _add(self, what: str, x: Any, expression: str, was: Any, how: str = IS, counts: Any = None) -> None:
        """Remember what an expression with ``x`` gives."""
        self.facts.add(what, expression.format(self.facts.name(x)), was, how, counts)

    # ----------------------------------------------------------------------------------------------------- checking

    def changed(self) -> str:
        """Return what is no longer as it was: "" for nothing."""
        return "" if self.facts.hold() else self.facts.changed()

    def reaches(self, array: Any) -> bool:
        """Tell whether an array, or the memory that it looks at, is reached by the function."""
        while isinstance(array, np.ndarray):
            if id(array) in self.arrays:
                return True
            array = array.base
        return False

    def checksums(self) -> dict[int, int]:
        """Return a number for the contents of each array that is reached, to notice who writes into one."""
        arrays = {key: a for key, a in self.arrays.items() if not a.dtype.hasobject}
        return {key: zlib.crc32(np.ascontiguousarray(a).view(np.uint8).data) for key, a in arrays.items()}

    def copies(self) -> list[tuple[Any, Any]]:
        """Return the arrays that a run may have to be taken back in, with copies of them: no large ones."""
        arrays = [a for a in self.arrays.values() if a.flags.writeable and not a.dtype.hasobject]
        return [(a, a.copy()) for a in arrays if a.nbytes <= LARGE]

    def watch_contents(self, entering: set[int]) -> None:
        """Compare the contents of arrays that the program does not read itself: they may have decided something."""
        others = [a for key, a in self.arrays.items() if key not in entering and not a.dtype.hasobject]
        if sum(a.nbytes for a in others) > SMALL:
            raise TraceError(
                "the function reaches large arrays that its program does not read; what was decided by their numbers "
                "could not be noticed. Pass them as arguments."
            )
        for a in others:
            self._add(f"an array of shape {a.shape}", a, "{}.tobytes()", a.tobytes(), EQUALS)


def _parts_of(x: Any) -> list[Any] | None:
    """Return what a container holds, or None of what is none."""
    if isinstance(x, partial):
        return [x.func, x.args, x.keywords]
    if isinstance(x, np.ndarray):
        return x.ravel().tolist() if x.dtype.hasobject else None
    if isinstance(x, Mapping):
        return [*x.keys(), *x.values()]
    return list(x) if isinstance(x, Sequence | Set) and not isinstance(x, str | bytes | range) else None


def _own(kind: type, names: Iterable[str]) -> list[str]:
    """Return those of the names in a class that a user wrote: Python puts some there itself, some of them late."""
    held = vars(kind)
    return [k for k in names if not k.startswith("__") or isinstance(held.get(k), _METHODS)]


def _read_reference(x: Any) -> Any:
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


def is_library(name: str | None) -> bool:
    """Tell whether a module belongs to Python, to NumPy or to this project."""
    return (name or "").partition(".")[0] in _LIBRARIES


def _names(code: CodeType) -> set[str]:
    """Return the names that code uses, in the functions inside it as well, and the words that may be names."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _names(constant)
        elif isinstance(constant, str) and constant.isidentifier():  # getattr(settings, "scale")
            names.add(constant)
    return names


def _globals_of(code: CodeType) -> set[str]:
    """Return those of its names that are looked up in its module: not the ``t`` of ``stats.t``."""
    steps = dis.get_instructions(code)
    names = {each.argval for each in steps if "GLOBAL" in each.opname or each.opname.endswith("_NAME")}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= _globals_of(constant)
    return names
