"""What every function of a layer does with its input first: convert it once, and say where a wrong shape arrived."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ShapeError
from nn import inputs


def as_input(x: Any, like: Any = None) -> Any:
    """Give ``x`` the dtype of ``like`` (without one its own if floating, else float32); arrays stay arrays."""
    if like is None and isinstance(x, ag.Tensor | np.ndarray) and x.dtype.kind == "f":
        return x
    dtype = np.dtype(np.float32) if like is None else like.dtype
    return inputs.as_input(x, dtype)


def place(name: str) -> str:
    """Say where we are: ``Conv2d 'features.0' (3 -> 8)`` inside a module of that kind, else the function's ``name``."""
    scope = ag.current_scope()
    if scope is None or not scope.kind or scope.kind.lower() != name.replace("_", "").lower():
        return name
    text = scope.info.get("text")
    path = f" {scope.path!r}" if scope.parent is not None else ""
    return f"{scope.kind}{path}" + (f" ({text})" if text else "")


def wrong_shape(name: str, x: Any, expected: str, argument: str = "x") -> ShapeError:
    """Make the error for an argument whose shape does not fit: where, what came, what was expected."""
    return ShapeError(f"{place(name)} got {argument} of shape {tuple(x.shape)}; {expected}")
