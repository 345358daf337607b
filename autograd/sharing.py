"""Which leaves lie in the same memory: a change in place of one is then a change of the others.

Tensors share memory where the user says so: ``Tensor(array, copy=False)``, ``x.data = y.data``. Arrays are found by
their owner and their addresses; nothing here keeps them alive. Floor 2: used by :mod:`autograd.tensor`.
"""

import weakref
from typing import Any

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autograd.errors import InPlaceError
from autograd.graph import Node, origin

_Span = tuple[int, int, "weakref.ref[Node]", bool]  # from where to where, which leaf, whether the user gave the array
_spans: dict[int, tuple[Any, list[_Span]]] = {}  # id of an owner of memory -> (reference to it, who lies where)
_foreign: list[_Span] = []  # who lies in memory that is no array's: a buffer, a mapped file


def _owner(array: Any) -> Any:
    base = array.base
    while isinstance(base, np.ndarray) or isinstance(getattr(base, "base", None), np.ndarray):  # as_strided's
        array = base if isinstance(base, np.ndarray) else base.base
        base = array.base
    return array


def _known(array: Any) -> list[_Span]:
    """List the leaves that lie in the memory of which ``array`` is a part."""
    owner = _owner(array)
    if owner.base is not None:  # each array over one buffer is an owner of its own
        return _foreign
    key = id(owner)
    known = _spans.get(key)
    if known is None or known[0]() is not owner:
        known = _spans[key] = (weakref.ref(owner, lambda _: _spans.pop(key, None)), [])
    return known[1]


def register(array: Any, leaf: Node, given: bool = False) -> None:
    """Note that ``leaf`` lies in the memory of ``array``, which the user has, too, if it is ``given``."""
    spans, (low, high) = _known(array), byte_bounds(array)
    given = given or any(span[3] for span in spans if span[2]() is leaf)
    spans[:] = [span for span in spans if span[2]() is not None and span[2]() is not leaf]
    spans.append((low, high, weakref.ref(leaf), given))


def forget(array: Any, leaf: Node | None) -> None:
    """Note that ``leaf`` no longer lies in this memory."""
    if type(array) is np.ndarray:
        spans = _known(array)
        spans[:] = [span for span in spans if span[2]() is not leaf]


def _overlapping(array: Any) -> list[_Span]:
    low, high = byte_bounds(array)
    return [span for span in _known(array) if span[0] < high and low < span[1] and span[2]() is not None]


def is_given(array: Any) -> bool:
    """Tell whether an array of the user's lies in the memory of ``array``: as a Tensor that shares it, too."""
    return any(span[3] for span in _overlapping(array))


def lying_in(array: Any, but: Node | None = None) -> Node | None:
    """Find the leaf that owns the memory of ``array``, in part at least, other than ``but``.

    Raises InPlaceError where two that share nothing so far would be joined.
    """
    leaves = [span[2]() for span in _overlapping(array)]
    roots = {origin(leaf) for leaf in leaves if leaf is not None and leaf is not but}
    if len(roots) > 1:
        raise InPlaceError(
            f"an array of shape {array.shape} lies in the memory of {len(roots)} Tensors; a change of it could not be "
            "told to all. Use a copy."
        )
    return roots.pop() if roots else None
