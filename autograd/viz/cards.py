"""What a card says: the op in the words of its call, and which leaves stand inside it, without boxes of their own."""

import re
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.graph import Leaf, Node
from autograd.viz.numbers import literal
from autograd.viz.snapshot import Snapshot, is_output

LONG = 44  # what a card says is cut here
SIGNS = {"×": "·", "÷": "/", "-": "−", "**": "^"}
_POWERS = {"2": "²", "3": "³"}


def inside(snap: Snapshot) -> dict[int, int]:
    """Map each leaf that stands inside a card to the op of that card: weights of modules, and targets, used once."""
    found: dict[int, int] = {}
    for i, node in enumerate(snap.nodes):
        if not isinstance(node, Leaf) or len(snap.users[i]) != 1 or node in snap.roots or snap.is_named(i):
            continue
        user, k = snap.users[i][0]
        if node.needs and snap.homes[i] is not None:
            found[i] = user
        elif not node.needs and k > 0 and snap.parents(snap.nodes[user])[0] is not None:
            found[i] = user  # what an op is given beside its first input: a target, a mask, a state to start with
    return found


def says(snap: Snapshot, i: int, within: dict[int, int]) -> str:
    """Write the call that made a value, with names: ``relu(x)``, ``einsum ij,jk→ik``, ``x[2:5]``, ``h · x``."""
    node = snap.nodes[i]
    kwargs: dict[str, Any] = node.kwargs or {}
    words = call(snap, i)
    for k, parent in enumerate(snap.parents(node)):
        if parent is not None and snap.at[parent] in within:  # it stands in the card, under this name
            words[k] = snap.name(snap.at[parent]).rsplit(".", 1)[-1] or node.op.argument(k)
    if is_output(node):
        return f"{words[0]}[{kwargs['index']}]"
    name, symbol = str(node.op.name), str(node.op.symbol)
    if name == "getitem":
        return f"{words[0]}[{_index(kwargs.get('index'))}]"
    if name == "einsum":
        return f"einsum {str(kwargs.get('subscripts', '')).replace('->', '→')}".strip()
    if "(" in symbol or "Wᵀ" in symbol:  # a formula: x Wᵀ + b, in an activation or alone
        activation = kwargs.get("activation")
        said = symbol.replace("f(", f"{activation}(", 1) if activation else symbol
        return re.sub(r"\bx\b", lambda _: words[0], said) if list(node.op.inputs[:1]) == ["x"] else said
    if symbol == "**" and len(words) == 2:
        return words[0] + _POWERS.get(words[1], f"^{words[1]}")
    if len(words) == 2 and symbol and not symbol[0].isalpha() and len(symbol) <= 2:
        return f"{words[0]} {SIGNS.get(symbol, symbol)} {words[1]}"
    called = name if not symbol.isascii() or symbol.lower() == name else symbol
    return f"{called}({', '.join(words)}{_shape(kwargs)})"


def _shape(kwargs: dict[str, Any]) -> str:
    """Say the numbers that describe a window or a new shape; the rest stands in the hover."""
    for key in ("kernel", "axis", "subscripts"):
        value = kwargs.get(key)
        if isinstance(value, int | str) or (isinstance(value, tuple) and value):
            return f", {key}={'×'.join(map(str, value)) if isinstance(value, tuple) else value}"
    return ""


def call(snap: Snapshot, i: int) -> list[str]:
    """Name what an op was called with, input by input: names, ``v3`` where there is none, numbers."""
    return [_word(snap, snap.nodes[i], k) for k in range(len(snap.nodes[i].parents))]


def _word(snap: Snapshot, node: Node, k: int) -> str:
    parent = snap.parents(node)[k]
    if parent is None:
        value = plain(node.residuals[k]) if k < len(node.residuals) else None
        return literal(value) if value is not None and np.size(value) == 1 else "·"
    return snap.name(snap.at[parent]) or f"v{snap.at[parent]}"


def _index(index: Any) -> str:
    """Write an index as the user did: ``2:5, :, None``."""
    if isinstance(index, tuple):
        return ", ".join(map(_index, index))
    if isinstance(index, slice):
        parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
        return ":".join(parts) + (f":{index.step}" if index.step is not None else "")
    if index is Ellipsis:
        return "…"
    return str(index) if index is None or isinstance(index, int | np.integer) else f"index{_dims(index)}"


def _dims(index: Any) -> str:
    shape = np.shape(index)
    return f" ({', '.join(map(str, shape))})" if shape else ""
