"""What backward does at each node besides its rule: keep small gradients for pictures, let go of arrays, add up."""

from sys import getrefcount
from threading import Lock
from typing import Any

import numpy as np

from autograd.backward import walk
from autograd.box import SMALL, Box, small
from autograd.graph import Leaf, Node
from autograd.modes import enable_grad
from autograd.ops import elementwise as ew

_accumulate = Lock()
_F64, _NDARRAY, _ARRAYS = np.float64, np.ndarray, (np.ndarray, np.generic)


# An infinite derivative is a value here; pictures and messages show it. As a decorator errstate takes half the time.
quiet_walk = np.errstate(all="ignore")(walk)


def pull_and_keep(node: Node, g: Any) -> Any:
    """Pull one node; the gradient of a small value stays for pictures."""
    if g.__class__ is _F64 or (isinstance(g, _ARRAYS) and g.size <= SMALL):
        node.cot = g
    if node.retain:
        _retain(node, g)
    if node.pull is not None and (shares := node.pull(g, release=False)) is not None:
        return shares
    return node.op.pull(node, g)


def _retain(node: Node, g: Any) -> None:
    with _accumulate:
        node.grad = add_up(node.grad, g)


def pull_and_release(node: Node, g: Any) -> Any:
    """Pull one node and let go of its large arrays."""
    if node.scalar and not node.retain:  # there is nothing to let go of
        node.cot = g
        shares = node.op.pull_number(node, g)
        node.released = True
        return shares
    if g.__class__ is _F64 or (isinstance(g, _ARRAYS) and g.size <= SMALL):
        node.cot = g
    if node.retain:
        _retain(node, g)
    if node.pull is not None and (shares := node.pull(g, release=True)) is not None:
        return shares
    shares = node.op.pull(node, g)
    node.released, saved = True, node.saved
    if node.shape.__class__ is list:  # several outputs: a tuple of arrays
        node.saved = tuple([_only_small(x) for x in saved])
    else:
        node.saved = tuple([None if x.__class__ is _NDARRAY and x.size > SMALL else x for x in saved])
    if node.kwargs:
        for value in node.kwargs.values():
            if value.__class__ is _NDARRAY or value.__class__ is tuple:
                node.kwargs = {k: _only_small(v) for k, v in node.kwargs.items()}
                break
    return shares


def _only_small(x: Any) -> Any:
    """Give back what may stay on a released graph: no array of more than 64 elements, also inside tuples."""
    if isinstance(x, np.ndarray):
        return small(x)
    if isinstance(x, tuple) and any(_only_small(part) is None and part is not None for part in x):
        return None
    return x


def retaining(pull: Any) -> Any:
    """Make a pull keep the gradients that ``retain_grad`` asked for, as recorded Tensors."""

    def retaining(node: Node, g: Any) -> Any:
        if node.retain:
            node.grad = add_up(node.grad, g)
        return pull(node, g)

    return retaining


def add_up(old: Any, g: Any) -> Any:
    """Accumulate ``g`` onto the gradient ``old``: as an array that nobody else holds, or as a recorded Tensor."""
    if old is None:
        if g.__class__ is not _NDARRAY:
            return g
        # The walk hands the same array to both inputs of an addition, and rules may return views of what they saved.
        return g if g.base is None and getrefcount(g) <= _ALONE and g.flags.writeable else g.copy()
    if isinstance(g, Box):
        with enable_grad():
            return ew.add(old, g)
    held: Any = old._array if isinstance(old, Box) else old
    return held + g


def drain(found: dict[Node, Any], store: Any = None) -> None:
    """Store the gradient of each leaf, letting go of it here first, so that ``add_up`` can see who else holds it."""
    store = store or add_up
    with _accumulate:
        while found:
            node, g = found.popitem()
            if g.__class__ is _F64:
                node.cot = g
                node.grad = g if node.grad is None else store(node.grad, g)
                continue
            if isinstance(g, _ARRAYS) and g.size <= SMALL:
                node.cot = g
            node.grad = store(node.grad, g)


# What a gradient that nobody else holds counts, by the same calls (newer Pythons do not count borrowed references).
_probe = Leaf(None, (), None, True)
drain({_probe: np.zeros(SMALL + 1)}, lambda old, g: getrefcount(g))
_ALONE: int = _probe.grad
