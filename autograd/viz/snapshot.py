"""What stands below some roots: nodes in the order of their creation, their users, names and values."""

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, plain
from autograd.errors import ArgumentError
from autograd.graph import Leaf, Node, cast_of
from autograd.modes import Scope
from autograd.viz.escape import clean
from autograd.vjp import ITEM

LISTED = 1_000  # of a longer list the first are looked through for names
DEFINITION = "definition"  # the kind of the frame around an op that was opened


class Opened:
    """Hold what replaces ops that are drawn as their definition, or run again: stand-ins, their age, what is known."""

    def __init__(self) -> None:
        self.alias: dict[Node, Node] = {}
        self.given: dict[Node, Any] = {}
        self.values: dict[Node, Any] = {}
        self.ages: dict[Node, tuple[float, int]] = {}
        self.notes: list[str] = []

    def age(self, node: Node) -> tuple[float, int]:
        """Order nodes as they were created; what an op was opened into comes in its place."""
        return self.ages.get(node, (-node.order, 0))


class Snapshot:
    """Hold the nodes below ``roots``, oldest first: the position of a node is its stable number.

    ``users[i]`` lists who uses node ``i`` as ``(position of the user, which input)``; ``names`` and ``data`` come
    from Tensors that the caller holds. A value is the one that was used: see :meth:`used` and :meth:`changed`.
    """

    def __init__(
        self, roots: Sequence[Box], names: Mapping[str, Any] | None = None, opened: "Opened | None" = None
    ) -> None:
        self.opened = opened or Opened()
        self.roots = [self.opened.alias.get(node, node) for node in map(leaf_of, roots)]
        self._same: dict[Node, Node] = {}
        below = self._below()
        self._merge(below)
        self.nodes = sorted(below - self._same.keys(), key=self.opened.age if opened else _age)
        self.at = {node: i for i, node in enumerate(self.nodes)}
        self.users: list[list[tuple[int, int]]] = [[] for _ in self.nodes]
        for i, node in enumerate(self.nodes):
            if node.op is not None:
                for k, parent in enumerate(self.parents(node)):
                    if parent is not None:
                        self.users[self.at[parent]].append((i, k))
        self.data = {node: root._array for node, root in zip(self.roots, roots, strict=True)} | self.opened.values
        self._casts: dict[Node, list[Node]] = {}
        for node in self.nodes:
            if (source := cast_of(node)) is not None:
                self._casts.setdefault(source, []).append(node)
        self.names: dict[Node, str] = {}
        self._modules: dict[int, str] = {}
        self._read_names(names or {})
        self.homes = _homes(self)

    def parents(self, node: Node) -> tuple[Any, ...]:
        """List the nodes of a node's inputs, as drawn: through opened ops, and one node for each array."""
        parents: tuple[Any, ...] = node.parents
        for alias in (self.opened.alias, self._same):
            if alias:
                parents = tuple([alias.get(parent, parent) for parent in parents])
        return parents

    def _merge(self, below: set[Node]) -> None:
        """Let an array that several ops were given be one node, unless it was changed in between."""
        held = {n for n in below if isinstance(n, Leaf) and _held_by(n) and not n.needs and n not in self.roots}
        values: dict[Any, Any] = {node: node.residuals[0] for node in held}
        for user in below:
            for parent, saved in zip(self.parents(user), user.residuals, strict=False):
                if values.get(parent, saved) is None:
                    values[parent] = saved
        first: dict[int, Node] = {}
        for node in sorted(held, key=_age):
            same = first.setdefault(_held_by(node), node)
            a, b = values[same], values[node]
            if same is not node and (a is None or b is None or np.array_equal(a, b, equal_nan=True)):
                self._same[node] = same

    def _below(self) -> set[Node]:
        seen, stack = set(self.roots), list(self.roots)
        while stack:
            node = stack.pop()
            for parent in self.parents(node) if node.op is not None else ():
                if parent is not None and parent not in seen:
                    seen.add(parent)
                    stack.append(parent)
        return seen

    def _read_names(self, names: Mapping[str, Any]) -> None:
        """Take names from ``locals()``: of Tensors, of what lists hold (``h[3]``), and of modules.

        A hidden name (``_h``) counts only if there is no other. What a notebook calls its last outputs (``_``, ``__``,
        ``_7``, ``_oh``) is no name that anybody gave.
        """
        if not isinstance(names, Mapping):
            raise ArgumentError(
                f"names must be a dict of Tensors by name, such as locals() or {{'x': x}}, got {type(names).__name__}."
            )
        listed: list[tuple[str, Any]] = []
        for name in sorted(names, key=lambda name: str(name).startswith("_")):
            if re.fullmatch(r"_+(\d*|i+\d*|oh|ih|dh)", str(name)) or name in ("Out", "In"):
                continue
            value = names[name]
            if isinstance(value, list | tuple):
                listed += [(f"{name}[{k}]", part) for k, part in enumerate(value[:LISTED])]
            elif isinstance(value, dict):
                listed += [(f"{name}[{key!r}]", part) for key, part in itertools.islice(value.items(), LISTED)]
            self._read_name(str(name), value)
        for name, value in listed:  # a name of its own comes before a place in a list
            self._read_name(name, value)

    def _read_name(self, name: str, value: Any) -> None:
        """Note what a Tensor, or the module of a scope, is called."""
        if not isinstance(value, Box):
            if hasattr(type(value), "named_parameters"):  # asked of the class: anything may stand in locals()
                self._modules.setdefault(id(value), name)
            return
        node = self.opened.alias.get(value._node, value._node) if value._node is not None else None
        if node is not None and node in self.at:
            self.data.setdefault(node, value._array)
            self.names.setdefault(node, name)
        for converted in self._casts.get(node, ()) if node is not None else ():
            self.names.setdefault(converted, name)

    def called(self, scope: Scope) -> str:
        """Return the name of a module: the caller's for an outermost one, else its path."""
        known = self._modules.get(id(module_of(scope)), "") if scope.parent is None else ""
        return clean(known) or scope.path

    def name(self, i: int) -> str:
        """Return the name of a node: the caller's, else its own, dotted when it belongs to a module, else nothing.

        Names are cleaned here: a control character in one would reach the terminal of whoever prints it.
        """
        name = self._name(i)
        return name if name.isprintable() else clean(name)

    def _name(self, i: int) -> str:
        node = self.nodes[i]
        given = self.names.get(node)
        if given is not None or not node.name:
            return given or ""
        home = self.homes[i]
        if home is None or home.parent is None or not isinstance(node, Leaf) or node.name.startswith(home.path + "."):
            return node.name
        return f"{home.path}.{node.name}"

    def is_named(self, i: int) -> bool:
        """Tell whether the user gave a node its name; what stands in a module has its own name from there."""
        node = self.nodes[i]
        return node in self.names or bool(node.name and self.homes[i] is None)

    def value(self, i: int) -> Any:
        """Find the value of a node where somebody still holds it: the one that was used, else today's; or None."""
        used = self.used(i)
        return self.now(i) if used is None and self.changed(i) else used

    def used(self, i: int) -> Any:
        """Find the value of a node that its users saw, or None: also of a leaf that was changed in place since."""
        if not self.changed(i):
            found = self.now(i)
            return found if found is not None else self._saved(i, lambda saved: True)
        today = self.now(i)
        return self._saved(i, lambda saved: not np.may_share_memory(saved, today))

    def changed(self, i: int) -> bool:
        """Tell whether a leaf was changed in place since it was used."""
        node = self.nodes[i]
        return node.op is None and any(node.version < self.nodes[user].order for user, _ in self.users[i])

    def now(self, i: int) -> Any:
        """Find the value that a node has today, or None."""
        node = self.nodes[i]
        found = self.data.get(node)
        if found is None and isinstance(node, Leaf):
            found = node.residuals[0]
            holder = node.holder() if found is None and node.holder is not None else None
            found = holder._array if isinstance(holder, Box) and holder._node is node else found
        elif found is None and len(node.residuals) > len(node.parents):
            found = node.residuals[len(node.parents)]
        return None if found is None or isinstance(found, tuple) else plain(found)

    def _saved(self, i: int, fits: Callable[[Any], bool]) -> Any:
        """Find the value of a node among what its users saved for backward."""
        for user, k in self.users[i]:
            saved = self.nodes[user].residuals
            if k < len(saved) and saved[k] is not None and fits(plain(saved[k])):
                return plain(saved[k])
        return None


def _held_by(node: Leaf) -> Any:
    """Name the Tensor or array that a constant is, or was converted from; None for one of its own."""
    source = cast_of(node)
    return (id(source), node.dtype) if source is not None else node.holder and id(node.holder)


def _age(node: Node) -> float:
    return -node.order


def is_output(node: Node) -> bool:
    """Tell whether a node is one output of an op that has several."""
    return node.op is ITEM


def is_multiple(node: Node) -> bool:
    """Tell whether a node stands for several outputs, each with a node of its own."""
    return isinstance(node.shape, list)


def size(node: Node) -> int:
    """Count the elements of a node's value."""
    return 0 if is_multiple(node) or node.shape is None else math.prod(node.shape)


def chain_of(scope: Scope | None) -> tuple[Scope, ...]:
    """List the scopes around a node, outermost first."""
    chain = []
    while scope is not None:
        chain.append(scope)
        scope = scope.parent
    return tuple(reversed(chain))


def _homes(snap: Snapshot) -> list[Scope | None]:
    """Find the module each node is drawn in: that of the op; for a parameter the innermost that holds all its users."""
    homes: list[Scope | None] = []
    chains: dict[Scope | None, tuple[Scope, ...]] = {None: ()}
    owned: dict[Scope, Any] = {}
    for i, node in enumerate(snap.nodes):
        if node.op is not None or not node.needs or not snap.users[i]:
            homes.append(node.scope)
            continue
        common: tuple[Scope, ...] | None = None
        for user, _ in snap.users[i]:
            scope = snap.nodes[user].scope
            if scope not in chains:
                chains[scope] = chain_of(scope)
            chain = chains[scope]
            common = chain if common is None else tuple(a for a, b in zip(common, chain, strict=False) if a is b)
        while common and not _owns(common[-1], node, owned):
            common = common[:-1]
        homes.append(common[-1] if common else None)
    return homes


def _owns(scope: Scope, leaf: Node, known: dict[Scope, Any]) -> bool:
    """Tell whether a parameter belongs to the module of a scope; a scope opened by hand owns what only it uses."""
    if scope.kind == DEFINITION:  # an op that was opened; its weights belong to the module around it
        return False
    if scope not in known:
        module = module_of(scope)
        known[scope] = {p._node for p in module.parameters()} if hasattr(module, "parameters") else None
    return known[scope] is None or leaf in known[scope]


def module_of(scope: Scope) -> Any:
    """Return the module that opened a scope while it lives, else None."""
    reference = scope.info.get("module") if scope.info else None
    return reference() if callable(reference) else None


def as_roots(root: Any, what: str) -> list[Box]:
    """Accept a Tensor or a sequence of them as what to draw."""
    roots = list(root) if isinstance(root, tuple | list) else [root]
    for tensor in roots:
        if not isinstance(tensor, Box):
            hint = " Pass the result of the model, not the model." if callable(tensor) else ""
            raise ArgumentError(f"{what} needs a Tensor (or a list of them), got {type(tensor).__name__}.{hint}")
    if not roots:
        raise ArgumentError(f"{what} needs at least one Tensor, got an empty {type(root).__name__}.")
    return roots
