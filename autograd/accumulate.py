"""Adding gradients up in leaves: nothing is lost between threads, and nobody else's array is held.

Floor 10: used by ``backward`` and the transforms.
"""

from _thread import allocate_lock
from collections.abc import Callable
from sys import getrefcount
from typing import Any

import numpy as np

from autograd.box import ARRAYS, SMALL, Box, wrap
from autograd.gathering import is_gathered
from autograd.graph import Leaf, Node, next_order
from autograd.modes import enable_grad
from autograd.ops import elementwise as ew
from autograd.vjp import identity_node

_accumulate = allocate_lock()
_F64, _NDARRAY = np.float64, np.ndarray


def add_up(old: Any, g: Any) -> Any:
    """Return ``g`` added to the gradient ``old``: an array that nobody else holds, or a recorded Tensor."""
    if old is None:
        if isinstance(g, Box):  # the pass hands one Tensor to both inputs of an addition: each gets one of its own
            return wrap(g._array.copy()) if g._node is None else wrap(g._array, identity_node(g._node))
        if g.__class__ is not _NDARRAY:
            return g
        # The pass hands the same array to both inputs of an addition, and rules may return views of what they kept.
        alone = is_gathered(g) if g.base is not None else getrefcount(g) <= _ALONE and g.flags.writeable
        return g if alone else g.copy()
    if isinstance(g, Box):
        with enable_grad():
            return ew.add(old, g)
    held: Any = old._array if isinstance(old, Box) else old
    return held + g


def accumulate_grads(found: dict[Node, Any], store: Callable[[Any, Any], Any] | None = None) -> None:
    """Store the gradient of each leaf, letting go of it here first, so that ``add_up`` can see who else holds it."""
    store = store or add_up
    with _accumulate:
        now = next_order()
        while found:
            node, g = found.popitem()
            if node.grad is None:
                node.since = now
            if g.__class__ is _F64 and node.grad is None:
                node.cotangent = node.grad = g if store is add_up else store(None, g)
                continue
            if g.__class__ is _F64 or (isinstance(g, ARRAYS) and g.size <= SMALL):
                node.cotangent = g
            node.grad = store(node.grad, g)


# What a gradient that nobody else holds counts, by the same calls (newer Pythons do not count borrowed references).
_probe = Leaf(None, (), None, True)
accumulate_grads({_probe: np.zeros(SMALL + 1)}, lambda old, g: getrefcount(g))
_ALONE: int = _probe.grad
