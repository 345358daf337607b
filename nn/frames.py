"""Tables of columns (pandas, polars) and columns of their own types, read as arrays; for ``nn.inputs`` alone."""

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.errors import DTypeError

Array = NDArray[Any]


def is_frame(x: Any) -> bool:
    """Tell whether ``x`` is a table whose columns have names."""
    return hasattr(x, "columns") and hasattr(x, "__array__") and getattr(x, "ndim", 2) == 2


def is_column(x: Any) -> bool:
    """Tell whether ``x`` is one column, whose values may be of a type that NumPy lacks."""
    return hasattr(x, "__array__") and hasattr(x, "to_numpy") and hasattr(x, "name")


def read_frame(frame: Any, place: str) -> Array:
    """Read a table column by column, so that one of another type does not turn all into objects."""
    names = list(frame.columns)
    columns = [frame.iloc[:, i] if hasattr(frame, "iloc") else frame[name] for i, name in enumerate(names)]
    if not columns:
        return np.empty((len(frame), 0))
    return np.stack([read_column(c, f"{place} column {n!r}") for n, c in zip(names, columns, strict=True)], axis=1)


def read_column(column: Any, place: str) -> Array:
    """Read numbers and truth values, whatever they are kept as; a missing one is nan."""
    array = np.asarray(column)
    if array.dtype.kind in "biuf":
        return array
    array = read_objects(array, missing=True)
    if array.dtype.kind in "bf":
        return array
    example = array.flat[0] if array.size else ""
    raise DTypeError(
        f"{place} has dtype {getattr(column, 'dtype', array.dtype)} ({example!r}); it must hold real numbers. Encode "
        "it (pandas.get_dummies) or leave it out."
    )


def read_objects(array: Array, missing: bool = False) -> Array:
    """Read Python's numbers and truth values, as ``frame.values`` of mixed columns has them; others stay objects.

    With ``missing`` a value that is none is nan.
    """
    values = array.reshape(-1).tolist() if array.dtype.kind == "O" else []
    if not values or not all(isinstance(v, Real | np.bool_) or (missing and _is_missing(v)) for v in values):
        return array
    if all(isinstance(v, bool | np.bool_) for v in values):
        return array.astype(bool)
    return np.array([np.nan if _is_missing(v) else float(v) for v in values]).reshape(array.shape)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType"
