"""Where a module keeps its parts: attributes, slots, its class, and whatever container Python programs put them in.

Used by ``nn.module`` only. A container with an order (mapping, sequence, view of a dict, dataclass, namespace, array of
objects) is looked into; one without (a set, modules as keys) is refused, as its parts would have no names.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, MappingView, Sequence, Set, ValuesView
from functools import lru_cache
from types import MemberDescriptorType, SimpleNamespace
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from autograd.errors import ArgumentError

T = TypeVar("T")
Kinds = tuple[type, ...]
BOOKS = frozenset({"_buffers", "_hooks"})  # attributes that every module has, and that hold no parts
ITEMS = "_items"  # where containers keep modules that bear names of their own
Part = tuple[str, str, Any]  # the dotted name, where it stands in Python's words, the parameter or module
_PLAIN = (str, bytes, bytearray, memoryview, range)  # sequences of characters and numbers
_WEAK = (WeakKeyDictionary, WeakValueDictionary)  # these say themselves that what they hold is not theirs


def _by_type(function: Callable[[type], T]) -> Callable[[Any], T]:
    """Remember what ``function`` says of a type."""
    return lru_cache(maxsize=4096)(function)


def is_container(value: Any) -> bool:
    """Tell whether ``value`` is a container that could hold modules."""
    kind = _kind(type(value))
    return bool(kind) and (kind != "array" or value.dtype == object)


def parts(owner: Any, own: Kinds) -> Iterator[Part]:
    """Yield what ``owner`` holds of the kinds ``own``, in the order in which it was set; its slots and class follow."""
    attributes, books = vars(owner), owner._books
    for name, value in attributes.items():
        if isinstance(value, own):
            yield name, name, value
        elif name not in books and _kind(type(value)):
            yield from _inside(owner, name, name, value, own, ())
    if not _is_ours(type(owner)):
        held = {n: slot.__get__(owner) for n, slot in _slots(type(owner)).items() if _is_set(slot, owner)}
        for name, value in {**_of_class(type(owner)), **held}.items():
            if name not in attributes:
                yield from _inside(owner, "", "", {name: value}, own, ())
    if ITEMS in books:
        items = attributes.get(ITEMS, {}).items()
        yield from ((name, f"{ITEMS}[{name!r}]", module) for name, module in items if isinstance(module, own))


def places(module: Any, own: Kinds) -> Iterator[tuple[str, str]]:
    """Yield dotted name and place of every parameter, buffer and module of the tree, for messages."""
    stack: list[tuple[str, str, Any, tuple[int, ...]]] = [("", "", module, (id(module),))]
    while stack:
        name, place, holder, above = stack.pop()
        below = []
        buffers = [(buffer, buffer, None) for buffer in getattr(holder, "_buffers", ())]
        for inner, where, value in [*parts(holder, own), *buffers]:
            dotted, there = f"{name}.{inner}" if name else inner, f"{place}.{where}" if place else where
            yield dotted, there
            if hasattr(value, "named_modules") and id(value) not in above:
                below.append((dotted, there, value, (*above, id(value))))
        stack.extend(reversed(below))


def _inside(owner: Any, name: str, place: str, value: Any, own: Kinds, above: tuple[int, ...]) -> Iterator[Part]:
    """Yield the parameters and modules in a container and in those that it contains."""
    if id(value) in above:
        return
    for key, where, item in _items(owner, place, value, own):
        inner = f"{name}.{key}" if name else str(key)
        if isinstance(item, own):
            yield inner, where, item
        elif _kind(type(item)):
            yield from _inside(owner, inner, where, item, own, (*above, id(value)))


def _items(owner: Any, place: str, value: Any, own: Kinds) -> Iterator[tuple[Any, str, Any]]:
    """Yield key, place and value of the items of a container."""
    kind = _kind(type(value))
    if kind == "fields":
        named = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)} if _is_record(value) else {}
        yield from ((key, f"{place}.{key}", item) for key, item in {**named, **getattr(value, "__dict__", {})}.items())
    elif kind == "mapping":
        for key, item in value.items():
            if isinstance(key, own):
                _refuse(owner, place, "has modules as its keys. Let them be its values")
            yield key, f"{place}[{key!r}]" if place else str(key), item
    elif kind == "set":
        if any(isinstance(item, own) for item in value):
            _refuse(owner, place, f"is a {type(value).__name__}, which has no order. Use a list or a dict")
    elif kind == "sequence" or value.dtype == object:
        yield from ((i, f"{place}[{i}]", item) for i, item in enumerate(value.ravel() if kind == "array" else value))


def _refuse(owner: Any, place: str, why: str) -> None:
    raise ArgumentError(f"{type(owner).__name__}.{place} {why}: the modules in it have no names as it is.")


@_by_type
def _kind(kind: type) -> str:
    """Say how values of a type are looked into ("" where they hold nothing)."""
    if issubclass(kind, np.ndarray):
        return "array"
    if issubclass(kind, (*_PLAIN, *_WEAK)):
        return ""
    if issubclass(kind, Mapping):
        return "mapping"
    if issubclass(kind, Sequence | ValuesView):
        return "sequence"
    if issubclass(kind, Set | MappingView):
        return "set"
    return "fields" if dataclasses.is_dataclass(kind) or issubclass(kind, SimpleNamespace) else ""


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


@_by_type
def _is_ours(kind: type) -> bool:
    """Tell whether all of a class is this library's, whose modules keep their parts as attributes."""
    return all(base.__module__.startswith(("nn.", "builtins")) for base in kind.__mro__)


@_by_type
def _slots(kind: type) -> dict[str, Any]:
    found = {name: slot for base in reversed(kind.__mro__) for name, slot in vars(base).items()}
    return {name: slot for name, slot in found.items() if isinstance(slot, MemberDescriptorType)}


def _is_set(slot: Any, owner: Any) -> bool:
    try:
        slot.__get__(owner)
    except AttributeError:
        return False
    return True


def _of_class(kind: type) -> dict[str, Any]:
    """Return what the classes of a user keep for all instances; nothing is remembered, as a class may change."""
    bases = [base for base in reversed(kind.__mro__) if not _is_ours(base)]
    found = {name: value for base in bases for name, value in vars(base).items()}
    return {name: value for name, value in found.items() if not name.startswith("__")}
