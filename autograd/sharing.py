"""Which leaves lie in the same memory: a change in place of one is then a change of the others.

Tensors share memory where the user says so: ``Tensor(array, copy=False)``, ``x.data = y.data``. Arrays are found by
their owner and their addresses; nothing here keeps them alive. Floor 2: used by :mod:`autograd.tensor`.
"""

import weakref
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autograd.errors import InPlaceError
from autograd.graph import Leaf, Node, origin

_Span = tuple[int, int, "weakref.ref[Node]"]
_spans: dict[int, tuple[Any, list[_Span]]] = {}  # id of an owner of memory -> (reference to it, who lies where)


def _owner(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def register(array: Any, leaf: Node) -> None:
    """Note that ``leaf`` lies in the memory of ``array``."""
    owner = _owner(array)
    known = _spans.get(id(owner))
    if known is None or known[0]() is not owner:
        key = id(owner)
        known = _spans[key] = (weakref.ref(owner, lambda _: _spans.pop(key, None)), [])
    low, high = byte_bounds(array)
    known[1][:] = [span for span in known[1] if span[2]() is not None and span[2]() is not leaf]
    known[1].append((low, high, weakref.ref(leaf)))


def forget(array: Any, leaf: Node | None) -> None:
    """Note that ``leaf`` lies in this memory no more."""
    known = _spans.get(id(_owner(array))) if type(array) is np.ndarray else None
    if known is not None:
        known[1][:] = [span for span in known[1] if span[2]() is not leaf]


def lying_in(array: Any, but: Node | None = None) -> Leaf | None:
    """Find the leaf that owns the memory of ``array``, in part at least, other than ``but``.

    Raises InPlaceError where two that share nothing so far would be joined.
    """
    owner = _owner(array)
    known = _spans.get(id(owner))
    if known is None or known[0]() is not owner:
        return None
    low, high = byte_bounds(array)
    leaves = [span[2]() for span in known[1] if span[0] < high and low < span[1]]
    roots = {origin(leaf) for leaf in leaves if leaf is not None and leaf is not but}
    if len(roots) > 1:
        raise InPlaceError(
            f"an array of shape {array.shape} lies in the memory of {len(roots)} Tensors; a change of it could not be "
            "told to all. Use a copy."
        )
    return roots.pop() if roots else None  # type: ignore[return-value]
