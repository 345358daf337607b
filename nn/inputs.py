"""What layers and losses accept: Tensors, arrays, nested lists of numbers, brought to the dtype of the parameters."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, DTypeError, ShapeError
from nn.frames import is_column, is_frame, read_column, read_frame, read_objects


def as_input(x: Any, dtype: Any) -> Any:
    """Bring ``x`` to ``dtype``; a Tensor stays in its graph, and an array of that dtype is passed through.

    >>> as_input([[1, 2]], np.float32).dtype
    dtype('float32')
    """
    if isinstance(x, ag.Tensor):
        if x.dtype == dtype:
            return x
        y = x.astype(dtype)
        if x.name and y.is_leaf:
            y.name = x.name
        return y
    if type(x) is np.ndarray and x.dtype == dtype:
        return x
    refuse_results(x)
    return ag.Tensor(numbers(x, "x").astype(dtype), copy=False) if not holds_tensor(x) else np.stack(x).astype(dtype)


def as_float(x: Any) -> Any:
    """Bring ``x`` to a Tensor of its floating dtype, or float32 if it has none: for layers without parameters."""
    if isinstance(x, ag.Tensor):
        return x if x.dtype.kind == "f" else x.astype(np.float32)
    if type(x) is np.ndarray and x.dtype.kind == "f":
        return ag.Tensor(x)
    return as_input(x, x.dtype if isinstance(x, np.ndarray) and x.dtype.kind == "f" else np.dtype(np.float32))


def as_target(target: Any, dtype: "DTypeLike") -> Any:
    """Bring a target to the dtype of the output that it is compared with."""
    if isinstance(target, ag.Tensor):
        return target if target.dtype == dtype else target.astype(dtype)
    if type(target) is np.ndarray and target.dtype == dtype:
        return target
    return numbers(target, "target").astype(dtype)


def constant(x: ag.Tensor, name: str) -> NDArray[Any]:
    """Read a Tensor as plain numbers; one whose gradient would be lost by that is refused (Parameters are not)."""
    if x.requires_grad and ag.is_grad_enabled() and not (x.is_leaf and type(x) is not ag.Tensor):
        raise ConversionError(
            f"{place()}{name} carries a gradient, which would be lost: it is read as plain numbers. Pass it detached."
        )
    return x.data


def numbers(x: Any, name: str) -> NDArray[Any]:
    """Read an array of real numbers, or say what else it is; a table (pandas) is read column by column."""
    if x is None:
        raise DTypeError(f"{place()}{name} is None. Is a return missing in what made it?")
    if type(x) is not np.ndarray:
        refuse_masked(x, name)
        if is_frame(x):
            return read_frame(x, f"{place()}{name}:")
        if is_column(x):
            return read_column(x, f"{place()}{name}:")
        if hasattr(x, "tocsr"):
            raise DTypeError(
                f"{place()}{name} is a sparse matrix. Pass {name}.toarray(); a Trainer reads the rows of one by itself."
            )
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ShapeError(
            f"{place()}{name} is a ragged list: {str(error).rstrip('.')}. All rows must be of one length."
        ) from None
    except ag.AutogradError:
        raise
    except (TypeError, RuntimeError) as error:  # what an array of another library says, which NumPy cannot read
        raise DTypeError(f"{place()}{name} cannot be read as an array: {error}") from None
    if array.dtype.kind == "O":
        array = read_objects(array)
    if array.dtype.kind not in "biuf":
        ways = ("Read a file first: np.loadtxt", "Number the words: np.unique(words, return_inverse=True)[1]")
        hint = f" {ways[array.ndim > 0]}." if array.dtype.kind in "US" else ""
        raise DTypeError(f"{place()}{name} has dtype {array.dtype}; it must hold real numbers.{hint}")
    return array


def generator_of(rng: Any) -> np.random.Generator:
    """Make a Generator of a seed, None (fresh entropy) or a Generator."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"rng must be a Generator, a whole number, 0 or more, or None: {error}.") from None


def whole(value: Any, name: str, least: int = 1) -> None:
    """Refuse what is no whole number, or a smaller one than ``least``."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool):
        raise ArgumentError(f"{name} must be a whole number, got {value!r}.")
    if value < least:
        raise ArgumentError(f"{name} must be at least {least}, got {value}.")


def refuse_masked(x: Any, name: str) -> None:
    """Refuse an array with masked values (or a list of such), of which NumPy gives what lies under the mask."""
    if type(x) is np.ndarray:
        return
    if np.ma.is_masked(x) or (isinstance(x, list | tuple) and any(map(_holds_masked, x))):
        raise ArgumentError(
            f"{place()}{name} has masked values, and what lies under a mask is no data. Pass x.filled(value), or leave "
            "those samples out."
        )


def _holds_masked(x: Any) -> bool:
    return bool(isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x)) or x is np.ma.masked


def refuse_results(x: Any) -> None:
    """Say what to do with the tuple that a recurrent or attention layer gave."""
    if isinstance(x, tuple) and len(x) == 2 and isinstance(x[0], ag.Tensor) and x[0].ndim > 1:
        raise ArgumentError(
            f"{place()}x is a tuple, as RNN, LSTM, GRU and MultiheadAttention give one. Take its first part: y, _ = ..."
        )


def holds_tensor(x: Any) -> bool:
    """Tell whether ``x`` is a list or tuple with Tensors in it."""
    return isinstance(x, list | tuple) and any(isinstance(item, ag.Tensor) for item in x)


def place() -> str:
    """Say inside which module we are, for the start of a message: ``Linear 'encoder.0': `` or nothing."""
    scope = ag.current_scope()
    if scope is None:
        return ""
    return f"{scope.kind}: " if scope.parent is None else f"{scope.kind} {scope.path!r}: "


def who(module: Any) -> str:
    """Name a module for a message: its class, and its path where it has one."""
    scope = ag.current_scope()
    kind = type(module).__name__
    known = scope is not None and scope.parent is not None and scope.kind == kind
    return f"{kind} {scope.path!r}" if scope is not None and known else kind
