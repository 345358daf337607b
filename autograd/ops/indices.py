"""What an index is made of: Tensors, lists and foreign arrays are taken out, and its kind is told."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.box import Box
from autograd.primitive import opaque

_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})
_INTEGER = frozenset({int})
_ARRAYS = (np.ndarray, Box)


def freeze(index: Any) -> tuple[Any, bool]:
    """Return an index that holds no Tensor, list or array of someone else's, which may change before backward.

    Also tell whether it is basic: then it reads each element at most once, as a view.
    """
    if type(index) in _BASIC:
        return index, True
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple([part if type(part) in _BASIC else as_index(part) for part in parts])
    return parts, is_basic(parts)


@opaque
def as_index(part: Any) -> Any:
    """Return a part of an index as a number, or as an array of its own that nobody writes into."""
    if isinstance(part, np.integer):
        return int(part)
    if not isinstance(part, np.ndarray | np.bool_ | bool | Sequence) and hasattr(part, "__index__"):
        return part.__index__()
    array = np.array(part, order="C")
    if array.dtype.kind in "iu" or (not array.size and not isinstance(part, np.ndarray)):  # an empty list is float
        array = array.astype(np.intp, copy=False)
    if not array.ndim and array.dtype.kind == "i":
        return int(array)
    array.flags.writeable = False  # so the op need not copy it again
    return array


def _index_lanes(part: Any) -> Any:
    """Freeze what is an index for each of many examples."""
    array = np.array(part, order="C")
    return array.astype(np.intp, copy=False) if array.dtype.kind in "iu" else array


as_index.__wrapped__.lanes = _index_lanes


def is_basic(index: Any) -> bool:
    """Tell whether a frozen index is made of integers, slices, None and Ellipsis only."""
    return _BASIC.issuperset(map(type, as_tuple(index)))


def integer_arrays(index: Any) -> list[Any]:
    """List the integer arrays of an index: only they can name an element twice."""
    return [part for part in as_tuple(index) if isinstance(part, _ARRAYS) and as_dtype(part).kind in "iu"]


def as_dtype(part: Any) -> Any:
    """Return the dtype of an array or Tensor."""
    return part.dtype


def is_single(index: Any, ndim: int) -> bool:
    """Tell whether a frozen basic index reads a single number of an array with ``ndim`` axes."""
    parts = as_tuple(index)
    return len(parts) == ndim and _INTEGER.issuperset(map(type, parts))


def as_tuple(index: Any) -> tuple[Any, ...]:
    """List the parts of an index."""
    return index if type(index) is tuple else (index,)
