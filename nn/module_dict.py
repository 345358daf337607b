"""A dict of modules."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd.errors import ArgumentError
from nn.members import BOOKS, ITEMS
from nn.module import Module


class ModuleDict(Module):
    """Hold modules like a Python dict; a plain dict does as well, this one also has a place in the tree's picture.

    Raises ArgumentError for a name with a dot, TypeError for what is no module.

    >>> import nn
    >>> heads = nn.ModuleDict({"age": nn.Linear(8, 1, rng=0), "sex": nn.Linear(8, 2, rng=1)})
    >>> list(heads), heads["sex"].out_features
    (['age', 'sex'], 2)
    """

    _books = BOOKS | {ITEMS}

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self._items: dict[str, Module] = {}
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules, or replace those of the same names."""
        new = dict(modules)
        for name, module in new.items():
            if not isinstance(name, str) or not name or "." in name:
                raise ArgumentError(f"ModuleDict: {name!r} cannot name a module; use a string without dots.")
            if not isinstance(module, Module):
                got = f"the class {module.__name__}; call it" if isinstance(module, type) else type(module).__name__
                raise TypeError(f"ModuleDict holds modules; item {name!r} is {got}.")
        self._items = {**self._items, **new}

    def __getitem__(self, name: str) -> Module:
        if name not in self._items:
            raise KeyError(f"ModuleDict has no module {name!r}, only {', '.join(map(repr, self._items)) or 'none'}.")
        return self._items[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.update({name: module})

    def __delitem__(self, name: str) -> None:
        self.pop(name)

    def pop(self, name: str) -> Module:
        """Take a module out and give it."""
        module = self[name]
        self._items = {key: value for key, value in self._items.items() if key != name}
        return module

    def clear(self) -> None:
        """Take all modules out."""
        self._items = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._items.keys()

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return self._items.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return the pairs of name and module."""
        return self._items.items()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            "ModuleDict only holds modules. Call its items in the forward of the module that owns it."
        )
