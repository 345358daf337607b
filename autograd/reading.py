"""What a Tensor, its gradient and its switches are made from: anything of the user's, read and checked.

Floor 10: used by :mod:`autograd.tensor` and the transforms.
"""

from numbers import Number
from typing import Any

import numpy as np

from autograd.box import KINDS, Box, as_raw, is_recording, needs_grad, values_of
from autograd.errors import ArgumentError, ConversionError, DTypeError, ShapeError
from autograd.modes import current
from autograd.ops import casting

_HOLDS = "a Tensor holds numbers. Pass a number, nested lists of numbers, or an array"


def read(data: Any, dtype: Any, copy: bool, requires_grad: bool) -> Any:
    """Return the array of a new leaf; 0-d values become NumPy scalars, whose arithmetic is ten times faster."""
    if isinstance(data, Box):
        if is_recording(data):
            raise ConversionError(
                "Tensor(tensor) would lose the gradient of the inner one. Use it as it is, or .detach() it."
            )
        data = values_of(data)
    plain = not isinstance(data, np.ndarray | np.generic)
    if not plain and np.any(getattr(data, "mask", False)):
        raise DTypeError(f"Tensor of a {type(data).__name__}: its mask would be lost. Use .filled(v) or .data.")
    if plain and dtype is None and type(data) is float:
        return np.float64(data)
    if isinstance(data, list | tuple) and any(needs_grad(x) for x in data) and current().recording:
        raise ConversionError("a list of Tensors that require grad would lose its gradients here; use ag.array(list).")
    array = _converted(data, dtype, copy)
    if array.dtype.kind not in KINDS:
        raise DTypeError(f"Tensor of dtype {array.dtype} from {type(data).__name__}: {_HOLDS}.")
    if requires_grad and array.dtype.kind not in "fc":
        if not plain or dtype is not None:
            check_float(array.dtype)
        array = array.astype(np.float64)
    return array if array.ndim or not copy else array[()]


def _converted(data: Any, dtype: Any, copy: bool) -> "np.typing.NDArray[Any]":
    """Return ``data`` as NumPy reads it, or raise an error that says what it is."""
    if data is None:  # NumPy would make nan of it
        raise DTypeError(f"Tensor of None: {_HOLDS}.")
    try:
        if dtype is not None and not isinstance(data, float | int):
            _check_numbers(data if isinstance(data, np.ndarray) else np.array(data), type(data).__name__, dtype)
        return (
            np.array(data, dtype=dtype) if copy or not isinstance(data, np.ndarray) else np.asarray(data, dtype=dtype)
        )
    except TypeError as error:
        if dtype is None or "data type" not in str(error):
            raise
        raise DTypeError(f"Tensor(dtype={dtype!r}): {error}. Pass NumPy's, such as float or np.float32.") from None
    except ValueError as error:
        if "inhomogeneous" not in str(error):
            raise DTypeError(f"Tensor of {type(data).__name__}: {error}; {_HOLDS}.") from None
        raise ShapeError(
            f"Tensor: the nested lists do not form an array: {str(error).rstrip('.')}. Make all rows of one length."
        ) from None


def _check_numbers(array: "np.typing.NDArray[Any]", given: str, dtype: Any) -> None:
    """Refuse words, and complex numbers where real ones are asked for: NumPy makes numbers of them with a dtype."""
    kind = array.dtype.kind
    if kind not in KINDS and not (kind == "O" and all(isinstance(x, Number) for x in array.flat)):
        raise DTypeError(f"Tensor of dtype {array.dtype} from {given}: {_HOLDS}.")
    if kind == "c" and np.dtype(dtype).kind in "iuf":
        raise DTypeError(
            f"Tensor(dtype={np.dtype(dtype)}) would lose the imaginary part of {array.dtype}. Pass data.real."
        )


def check_switch(value: Any) -> None:
    """Refuse what is no truth value, such as a second number where the brackets of a list were left out."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentError(
            f"requires_grad must be True or False, got {value!r}. Several numbers go into one list: Tensor([1.0, 2.0])."
        )


def check_float(dtype: np.dtype[Any]) -> None:
    """Refuse a dtype that has no gradients."""
    if dtype.kind not in "fc":
        raise DTypeError(
            f"only floating-point Tensors can require gradients, got dtype {dtype}. Use .astype(float) or dtype=float."
        )


def as_seed(gradient: Any, dtype: Any, who: str) -> Any:
    """Return an upstream gradient in the dtype of the value that it belongs to: a Tensor, or an array."""
    if isinstance(gradient, Box) and gradient._array.dtype == dtype:
        return gradient
    if not isinstance(gradient, Box):
        gradient = np.asarray(as_raw(gradient, who))
    if gradient.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{who} got dtype {gradient.dtype} for a value of dtype {dtype}. Pass a real one (.real).")
    return casting.astype(gradient, dtype) if isinstance(gradient, Box) else gradient.astype(dtype, copy=False)[()]
