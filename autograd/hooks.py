"""Hooks: functions that see, or replace, the gradient of a value when it is complete.

A node with hooks says so in ``retain``, where the backward pass looks anyway. Floor 3: used by that and by Tensors.
"""

from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

import numpy as np

from autograd.box import Box, wrap
from autograd.errors import ShapeError
from autograd.graph import HOOKED, Node, ancestors

Hook = Callable[[Any], Any]


_hooked: WeakSet[Node] = WeakSet()  # while there is none, nobody asks


class Handle:
    """Undo the registration of a hook."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away again; doing it twice is harmless."""
        self._hooks.pop(self._key, None)


def register(node: Node, hook: Hook) -> Handle:
    """Call ``hook`` with the gradient of ``node`` in each pass to come."""
    hooks = getattr(node, "hooks", None)
    if hooks is None:
        hooks = node.hooks = {}
    node.retain |= HOOKED
    key = max(hooks, default=-1) + 1
    hooks[key] = hook
    _hooked.add(node)
    return Handle(hooks, key)


def any_registered() -> bool:
    """Tell whether a hook is registered anywhere."""
    return len(_hooked) > 0


def are_met(roots: Iterable[Node]) -> bool:
    """Tell whether a pass from these nodes meets a node with hooks: one elsewhere must not change how it rounds."""
    if not _hooked:
        return False
    return any(node in _hooked and node.hooks for root in roots for node in ancestors(root, lambda node: node.needs))


def run(node: Node, g: Any) -> Any:
    """Return the gradient after all hooks of ``node``, in the order of their registration."""
    traced = isinstance(g, Box)
    for hook in tuple(node.hooks.values()):
        replaced = hook(g if traced else wrap(g))
        if replaced is None:
            continue
        shape = np.shape(replaced)
        if shape != node.shape:
            raise ShapeError(
                f"a hook returned a gradient of shape {shape} for a value of shape {node.shape}. Return one of that "
                "shape, or None to leave it as it is."
            )
        array = replaced._array if isinstance(replaced, Box) else np.asarray(replaced, node.dtype)
        g = (replaced if isinstance(replaced, Box) else wrap(array[()])) if traced else array.astype(node.dtype)[()]
    return g
