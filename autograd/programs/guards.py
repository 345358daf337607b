"""What a trace relied on: closures, globals, defaults, attributes, lists; noticed when it is no longer what it was.

Everything that a function can reach is walked through once. What it names is remembered by identity (numbers and
strings by value); the arrays that it reaches are read afresh at each call, and so are Tensors.
"""

import builtins
import sys
import zlib
from abc import ABCMeta, get_cache_token
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any
from weakref import ref

import numpy as np

from autograd.box import Box
from autograd.errors import TraceError
from autograd.programs.facts import EACH, EQUALS, IS, Facts, is_plain
from autograd.programs.reach import (
    CACHE,
    DUNDERS,
    LOOKUPS,
    added_builtins,
    contents_of,
    data_of_libraries,
    globals_of,
    is_decimal,
    is_library,
    is_unknown,
    loads_of,
    names_of,
    read_reference,
)  # fmt: skip

_HERE = ("<autograd", str(Path(__file__).parents[1]))
_BUILTIN = (list, dict, tuple, set, frozenset)  # whose objects have no attributes
_METHODS = (FunctionType, classmethod, staticmethod, property)
_RANDOM = (np.random.Generator, np.random.BitGenerator, np.random.SeedSequence, np.random.RandomState)
_LIMIT = 20_000  # things that are walked through
_LOOKUPS = LOOKUPS | {"asdict", "astuple", "attrgetter", "buffers", "getmembers", "named_buffers", "state_dict"}
MANY = 200  # entries of a dict, above which they are compared in a loop
SMALL = 1 << 16  # bytes of arrays whose contents are compared at each call
LARGE = 1 << 20


class Guards:
    """Know what ``f`` reaches, and tell whether that is still so."""

    def __init__(self, f: Any) -> None:
        self.facts = Facts(parts=contents_of, refers=read_reference)
        self.arrays: dict[int, np.ndarray[Any, Any]] = {}
        self.boxes: dict[int, Box] = {}
        self.random: list[Any] = []  # sources of random numbers
        self.doubt = ""
        self.names: dict[int, str] = {}  # of arrays and Tensors
        self._caches: list[tuple[Any, str]] = []  # of functools, which the function may fill
        self._seen: set[int] = set()
        self._kept: list[Any] = []
        self._names: set[str] = set()  # that the user's code uses
        self._acting: list[tuple[Any, str]] = []  # objects that act by effects: an optimizer
        self.reads_acting = False  # whether the user's code may read what these hold: a rate
        self._dunders: set[str] = set()  # what is read of functions and classes themselves
        self._loads: Counter[str] = Counter()  # how often the user's code names a thing
        self._held: defaultdict[int, set[str]] = defaultdict(set)  # under which names arrays are found, by id
        self.walk(f, getattr(f, "__name__", type(f).__name__))
        self._see_dunders()

    # ------------------------------------------------------------------------------------------------------ walking

    def walk(self, root: Any, name: str) -> None:
        """Remember what ``root`` reaches."""
        stack = [(root, name)]
        while stack:
            x, name = stack.pop()
            if id(x) in self._seen or is_plain(x) or isinstance(x, CodeType):
                continue
            if len(self._seen) > _LIMIT:
                self.doubt = f"it reaches more than {_LIMIT} objects, {name} among them. Let it close over less."
                return
            self._seen.add(id(x))
            self._kept.append(x)
            if isinstance(x, attrgetter):
                self._loads["attrgetter"] += 1
            if is_unknown(x):
                self.doubt = self.doubt or (
                    f"it reaches {name}, a {type(x).__module__}.{type(x).__name__}, of which is not known what it "
                    "reads. Use it in a function that is ag.opaque, or outside."
                )
            if is_decimal(x):
                self.doubt = self.doubt or "it computes with decimal, whose context may change. Pass float numbers."
            if _acts(x):
                self._acting.append((x, name))
            elif not isinstance(x, np.ufunc):
                parts = list(self._parts(x, name))
                stack += parts
                for part, label in parts:
                    if isinstance(part, np.ndarray):
                        named = isinstance(x, FunctionType | type) or type(x) not in _BUILTIN
                        self._held[id(part)].add(label.rpartition(".")[2] if named else "")

    def see_acting(self) -> None:
        """Remember of what acts by effects only those attributes that the function itself may read."""
        for x, name in self._acting:
            if isinstance(x, FunctionType):
                self._seen.add(id(x.__wrapped__))  # type: ignore[attr-defined]
                continue
            for kind in (kind for kind in type(x).__mro__ if not is_library(kind.__module__)):
                for key in self._looked_up(vars(kind), kind.__name__, {*_own(kind, vars(kind))}):
                    self.walk(vars(kind)[key], f"{kind.__name__}.{key}")  # it runs in the trace, if it is no effect
            for key in self._looked_up(vars(x), name, vars(x).keys()):
                held = vars(x)[key]
                self.reads_acting = self.reads_acting or not (_acts(held) or callable(held))
                self.walk(held, f"{name}.{key}")

    def _looked_up(self, space: Any, name: str, there: Collection[str]) -> list[str]:
        """Remember which of the names that the user's code uses are there, and what stands under them."""
        absent = frozenset(self._names - space.keys())
        self._add(f"what {name} has", space, f"{self.facts.name(absent)}.isdisjoint({{}})", True)
        found = sorted(self._names & set(there))
        for key in found:
            self._name(space, key, f"{name}.{key}", space[key])
        return found

    def knows(self, x: Any) -> bool:
        """Tell whether something is reached."""
        return id(x) in self._seen

    def _see_dunders(self) -> None:
        """Remember the names and texts of functions and classes, if those are read."""
        for x in list(self._kept) if self._dunders else ():
            if isinstance(x, FunctionType | type) and not is_library(x.__module__):
                for key in sorted(self._dunders & {key for key in DUNDERS if hasattr(x, key)}):
                    held = getattr(x, key)
                    self.walk(held, f"{x.__name__}.{key}")
                    self._add(f"{x.__name__}.{key}", x, f"{{}}.{key}", held)

    def _parts(self, x: Any, name: str) -> Iterator[tuple[Any, str]]:
        if isinstance(x, Box):
            self.boxes[id(x)], self.names[id(x)] = x, name
        elif isinstance(x, np.ndarray):
            self.arrays[id(x)], self.names[id(x)] = x, name
            self._add(f"the shape of {name}", x, "({0}.shape, {0}.dtype)", (x.shape, x.dtype), EQUALS)
            if x.dtype.hasobject:
                yield from self._container(x, name)
            elif type(x) is not np.ndarray:
                yield from self._object(x, name)
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
            held = read_reference(x)
            self._add(name, x, "refers({})", held)
            yield held, name
        elif isinstance(x, ModuleType):
            yield from self._module(x, name)
        else:
            yield from self._container(x, name)

    def _module(self, x: ModuleType, name: str) -> Iterator[tuple[Any, str]]:
        """Remember all that a module has which stands in a list, say: what it is asked for is not known."""
        if not is_library(x.__name__):
            self._dict(vars(x), name, ".{}")
            if "__getattr__" in vars(x):
                yield vars(x)["__getattr__"], f"{name}.__getattr__"

    def _container(self, x: Any, name: str) -> Iterator[tuple[Any, str]]:
        """Remember what a container holds, and the attributes of any other object."""
        parts = contents_of(x)
        if isinstance(x, CACHE):
            self._caches.append((x, name))
        elif parts is not None:
            if type(x) in (dict, OrderedDict, defaultdict):
                self._dict(x, name, "[{!r}]")
            elif type(x) not in (tuple, frozenset):
                self._add(name, x, "[*{}]" if type(x) in (list, set, deque) else "parts({})", parts, EACH)
            labels = [*map(repr, x.keys())] * 2 if isinstance(x, Mapping) else range(len(parts))
            pairs = zip(labels, parts, strict=True)
            yield from ((part, f"{name}[{label}]") for label, part in pairs if not is_plain(part))
        elif hasattr(type(x), "__next__"):
            self.doubt = f"{name} is an iterator, which is another one at each call. Pass what it gives."
        if type(x) not in _BUILTIN:
            yield from self._object(x, name)

    def see_caches(self) -> None:
        """Remember what the caches of functions hold, now that the function has filled them."""
        for x, name in self._caches:
            parts = contents_of(x)
            self._add(f"the cache of {name}", x, "parts({})", parts, EACH)
            for part in parts or ():
                self.walk(part, name)

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
        yield from self._names_in(f, inside)

    def _names_in(self, f: FunctionType, inside: list[tuple[str, ModuleType]]) -> Iterator[tuple[Any, str]]:
        """Remember what stands under the names that code uses, in its module and in those that it has at hand."""
        names, modules = names_of(f.__code__), {id(np)}
        self._names |= names
        self._loads += loads_of(f.__code__)
        self._dunders |= names & DUNDERS
        if {"bit_generator", "get_state"} & names:
            self.doubt = self.doubt or "it looks into a random generator; do so in a function that is ag.opaque."
        for module, key, held in data_of_libraries(f):
            if held is sys.modules:
                self.doubt = self.doubt or "it looks into sys.modules. Import what it needs."
                continue
            self._name(vars(module), key, f"{module.__name__}.{key}", held)
            yield held, f"{module.__name__}.{key}"
        yield from self._space(f.__globals__, "", names, modules, globals_of(f.__code__))
        inside += [(label, sys.modules[label]) for label in sorted(names & sys.modules.keys())]  # imported inside
        for label, module in inside:
            if not is_library(module.__name__):
                if LOOKUPS & names or "__getattr__" in vars(module):
                    yield module, label
                if sys.modules.get(label) is module:
                    self._name(sys.modules, label, f"the module {label}", module)
                yield from self._space(vars(module), f"{label}.", names, modules)

    def _space(
        self, space: dict[str, Any], prefix: str, names: set[str], modules: set[int], here: set[str] | None = None
    ) -> Iterator[tuple[Any, str]]:
        """Remember what stands under ``names`` in a module (``here`` if given), and in the modules that stand there."""
        looked_up = names if here is None else here
        if absent := frozenset(looked_up - space.keys()):
            self._add(f"what {prefix or 'the module '}has", space, f"{self.facts.name(absent)}.isdisjoint({{}})", True)
            for name, held in added_builtins(set(absent)) if here is not None else ():
                self._name(vars(builtins), name, name, held)
                yield held, name
        for name in sorted(looked_up & space.keys()):
            held, label = space[name], prefix + name
            self._name(space, name, label, held)
            if not isinstance(held, ModuleType) or is_decimal(held):
                yield held, label
            elif id(held) not in modules and not is_library(held.__name__):
                modules.add(id(held))
                if LOOKUPS & names or "__getattr__" in vars(held):
                    yield held, label
                yield from self._space(vars(held), f"{label}.", names, modules)

    def _name(self, space: Any, name: str, label: str, held: Any) -> None:
        """Remember what stands under a name."""
        self._add(label, space, f"{{}}[{name!r}]", held)

    def _class(self, kind: type) -> Iterator[tuple[Any, str]]:
        """Remember the attributes of a class of the user's, and those of its bases."""
        yield from ((base, base.__name__) for base in (*kind.__bases__, type(kind)))
        if not isinstance(kind.__module__, str):  # Cython's functions have another thing
            return
        if is_library(kind.__module__):
            return
        self._add(f"the bases of {kind.__name__}", kind, "{}.__bases__", kind.__bases__)
        if isinstance(kind, ABCMeta):
            what = "what is registered with an abstract class"
            self._add(what, get_cache_token, "({}(),)", (get_cache_token(),), EQUALS)
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
                self._name(held, key, f"{name}.{key}", part)
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
        kind = type(x)
        if isinstance(held, dict) and not isinstance(x, type):
            self._add(f"the class of {name}", x, "{}.__class__", kind)
        if hasattr(kind, "forward") and id(kind) not in self._seen:  # of a layer, which people do replace
            self._add(f"{kind.__name__}.forward", kind, "{}.forward", kind.forward)
        yield kind, kind.__name__

    def _dict(self, x: Any, name: str, label: str, caches: Sequence[str] = ()) -> None:
        """Remember what a dict holds, without its ``caches``."""
        if len(x) > MANY or {*map(type, x)} - {str}:
            self._add(name, x, "parts({})", contents_of(x), EACH)
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
        """Return the arrays that a run may have to be taken back in, with copies of them."""
        return copies(self.arrays.values())

    def uses(self, key: int) -> int:
        """Return how often the user's code names an array that is reached: 0 where only a layer reads its own."""
        return sum(self._loads[name] if name else 1 for name in self._held[key])

    def _may_be_read(self, key: int) -> bool:
        """Tell whether the user's code can ask an array for its numbers: it names it, or looks names up."""
        return self.uses(key) > 0 or any(map(self._loads.__contains__, _LOOKUPS))

    def watch_contents(self, entering: set[int], written: set[int]) -> None:
        """Compare the contents of arrays, as their numbers may have decided something.

        Not of those that are ``written`` by the program, and of those ``entering`` it the small ones that the user's
        code names.
        """
        arrays = {key: a for key, a in self.arrays.items() if not a.dtype.hasobject and key not in written}
        others = [a for key, a in arrays.items() if key not in entering]
        if sum(a.nbytes for a in others) > SMALL:
            raise TraceError(
                "the function reaches large arrays that its program does not read; what was decided by their numbers "
                "could not be noticed. Pass them as arguments."
            )
        read = [a for key, a in arrays.items() if key in entering and a.nbytes <= SMALL and self._may_be_read(key)]
        for a in (*others, *read):
            self._add(f"an array of shape {a.shape}", a, "{}.tobytes()", a.tobytes(), EQUALS)


def _acts(x: Any) -> bool:
    """Tell whether something is called for what it does, and what it reads decides nothing (see ``ag.effect``)."""
    if isinstance(x, FunctionType):
        return "changes_values" in x.__dict__
    return bool(getattr(type(x), "_acts", False))


def _own(kind: type, names: Iterable[str]) -> list[str]:
    """Return those of the names in a class that a user wrote: Python puts some there itself, some of them late."""
    held = vars(kind)
    return [k for k in names if not k.startswith("__") or isinstance(held.get(k), _METHODS)]


def copies(arrays: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Return arrays that can be written into, with copies of them: no large ones."""
    arrays = [a for a in arrays if isinstance(a, np.ndarray) and a.flags.writeable and not a.dtype.hasobject]
    return [(a, a.copy()) for a in arrays if a.nbytes <= LARGE]
