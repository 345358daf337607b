"""Modules that hold modules: a chain and a list."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Self, overload

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.hints import unknown_attribute
from nn.members import BOOKS, ITEMS
from nn.module import Module, Structure


class _Container(Module):
    """Hold child modules by name in a dict of their own."""

    _books = BOOKS | {ITEMS}
    _items: dict[str, Module]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)
        vars(self)["_items"] = {}
        return self

    def _set(self, name: str, module: Any) -> None:
        if not isinstance(module, Module):
            got = f"the class {module.__name__}; call it" if isinstance(module, type) else f"{type(module).__name__}"
            what = (
                f"Unpack it: {type(self).__name__}(*items)"
                if isinstance(module, list | tuple)
                else "An activation by name is a module, such as nn.ReLU()"
                if isinstance(module, str)
                else "Wrap a function in a Module with a forward"
            )
            raise TypeError(f"{type(self).__name__} holds modules; item {name!r} is {got}. {what}.")
        self._items[name] = module
        Structure.version += 1

    def _replace(self, modules: Iterable[Any]) -> None:
        """Hold exactly ``modules``, named 0, 1, 2, …"""
        old, self._items = self._items, {}
        try:
            for i, module in enumerate(modules):
                self._set(str(i), module)
        except TypeError:
            self._items = old
            raise
        Structure.version += 1

    def _key(self, index: int) -> str:
        """Find the name of item ``index``, which may be negative."""
        names = list(self._items)
        if not isinstance(index, int | np.integer):
            raise TypeError(
                f"{type(self).__name__} takes a number or a slice, got {index!r}. By name: dict(m.named_children())."
            )
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} modules; there is no index {index}.")
        return names[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items.values())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> "Module | Self":
        if isinstance(index, slice):
            return type(self)._of(dict(list(self._items.items())[index]))
        return self._items[self._key(index)]

    @classmethod
    def _of(cls, items: dict[str, Module]) -> Self:
        raise TypeError(f"{cls.__name__} cannot be sliced")

    def __setitem__(self, index: int, module: Module) -> None:
        self._set(self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        items = list(self._items.items())
        del items[index]
        self._arrange(items)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.insert(len(self), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        self._arrange([*self._items.items(), *((None, module) for module in modules)])
        return self

    def insert(self, index: int, module: Module) -> None:
        """Put a module before position ``index``."""
        items: list[tuple[str | None, Module]] = list(self._items.items())
        items.insert(index, (None, module))
        self._arrange(items)

    def _arrange(self, items: Sequence[tuple[str | None, Module]]) -> None:
        """Hold these modules: numbered anew, or if they have names of their own, with a free number for a new one."""
        if all(name is None or name.isdigit() for name, _ in items):
            self._replace([module for _, module in items])
            return
        free = (name for name in map(str, count(len(self))) if name not in self._items)
        old, self._items = self._items, {}
        try:
            for name, module in items:
                self._set(next(free) if name is None else name, module)
        except TypeError:
            self._items = old
            raise
        Structure.version += 1


class Sequential(_Container):
    """Chain modules: the output of each is the input of the next.

    Takes modules, or one dict of them whose keys become their names. Raises TypeError for what is no module; a
    ShapeError names the one that x did not fit.

    >>> import nn
    >>> nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    Sequential                  49  parameters
      0: Linear(4 -> 8)         40  weight (8, 4), bias (8,)
      1: ReLU
      2: Linear(8 -> 1)          9  weight (1, 8), bias (1,)
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                if not name or "." in name:
                    raise ArgumentError(f"Sequential: {name!r} cannot name a module; use a name without dots.")
                self._set(name, module)
        else:
            self._replace(modules)

    @classmethod
    def _of(cls, items: dict[str, Module]) -> Self:
        names = [str(i) for i in range(len(items))]
        plain = all(name.isdigit() for name in items)
        return cls(dict(zip(names, items.values(), strict=True)) if plain else items)

    def __getattr__(self, name: str) -> Module:
        try:
            return self._items[name]
        except KeyError:
            return unknown_attribute(self, name)

    def forward(self, x: Any) -> ag.Tensor:
        for module in self:
            x = module(x)
        return x


class ModuleList(_Container):
    """Hold modules like a Python list; a plain list does as well, this one also has a place in the tree's picture.

    Raises TypeError for what is no module; it is not called itself.

    >>> import nn
    >>> layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    >>> len(layers), len(layers[1:])
    (3, 2)
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._replace(modules)

    @classmethod
    def _of(cls, items: dict[str, Module]) -> Self:
        return cls(items.values())

    def __contains__(self, module: object) -> bool:
        return any(module is item for item in self)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            "ModuleList only holds modules. Call its items in the forward of the module that owns it, or use "
            "Sequential."
        )
