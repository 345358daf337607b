"""One-hot rows: labels as vectors with one 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, DTypeError
from nn.hints import hinted
from nn.inputs import numbers


@hinted
def one_hot(tensor: Any, num_classes: int = -1) -> NDArray[np.int64]:
    """Make rows of ``num_classes`` zeros with a 1 at each label: (...) -> (..., num_classes), an array of int64.

    y[..., k] = 1 where x[...] = k. Without ``num_classes`` there are as many as the largest label asks for. Raises
    ArgumentError for a label outside.

    >>> import nn
    >>> nn.functional.one_hot([0, 2], 3)
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    labels = tensor if isinstance(tensor, ag.Tensor) else numbers(tensor, "tensor")
    rows: NDArray[np.int64] = _one_hot(labels, num_classes)
    return rows


@ag.opaque
def _one_hot(labels: Any, num_classes: int) -> NDArray[np.int64]:
    if labels.dtype.kind not in "iu" and labels.size:
        raise DTypeError(f"one_hot: labels must be integers, got dtype {labels.dtype}. Pass labels.astype(int).")
    if num_classes < 1 and (num_classes != -1 or not labels.size):
        raise ArgumentError(
            f"one_hot: num_classes must be at least 1, or -1 to read it from the labels, got {num_classes}."
        )
    count = int(labels.max()) + 1 if num_classes == -1 else num_classes
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        low, high = labels.min(), labels.max()
        raise ArgumentError(f"one_hot: labels must be in 0 … num_classes − 1 = {count - 1}, got {low} … {high}.")
    rows: NDArray[np.int64] = (labels[..., None] == np.arange(count)).astype(np.int64)
    return rows
