"""Normalizations made of others: over groups of channels (by LayerNorm), and by the root mean square alone."""

import math
from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.normalization import layer_norm


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalize each group of channels of each sample: y = (x − E[x]) / √(Var[x] + ε) · w + b.

    input: (N, C, *), weight and bias: (C,). Wu & He, "Group normalization" (2018). Raises ShapeError where ``weight``
    or ``bias`` do not fit, ArgumentError where ``num_groups`` does not divide C.

    >>> import nn
    >>> nn.functional.group_norm([[1.0, 3.0, 2.0, 6.0]], 2).numpy().round(3)
    array([[-1.,  1., -1.,  1.]], dtype=float32)
    """
    x = as_input(input, weight)
    if x.ndim < 2:
        raise wrong_shape("group_norm", x, "it must be (N, C, ...).")
    n, channels, *rest = x.shape
    if not isinstance(num_groups, int | np.integer) or num_groups < 1 or channels % num_groups:
        raise ArgumentError(
            f"{place('group_norm')}: num_groups must divide the {channels} channels, got {num_groups!r}."
        )
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != (channels,):
            raise wrong_shape("group_norm", value, f"it must be ({channels},), one number per channel.", name)
    width = channels // num_groups * math.prod(rest)
    if not width:
        raise wrong_shape("group_norm", x, "there must be something to normalize.")
    y = layer_norm(x.reshape(n, num_groups, width), width, eps=eps).reshape(x.shape)
    beside = (channels, *(1,) * len(rest))
    y = y if weight is None else y * weight.reshape(beside)
    return y if bias is None else y + bias.reshape(beside)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """Divide by the root mean square of the last axes: y = x / √(E[x²] + ε) · w.

    input: (*, *normalized_shape), weight: normalized_shape; ``eps`` is that of the dtype unless given. Zhang &
    Sennrich, "Root mean square layer normalization" (2019). Raises ShapeError if the last axes do not fit. The result
    has the shape of x.

    >>> import numpy as np, nn
    >>> nn.functional.rms_norm(np.array([[3.0, 4.0]]), 2).round(3)
    array([[0.849, 1.131]])
    """
    shape = (int(normalized_shape),) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    x = as_input(input, weight)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        raise wrong_shape("rms_norm", x, f"the last axes must be {shape}.")
    if weight is not None and tuple(weight.shape) != shape:
        raise wrong_shape("rms_norm", weight, f"it must be {shape}.", "weight")
    eps = float(np.finfo(x.dtype).eps) if eps is None else eps
    y = x / np.sqrt(np.mean(np.square(x), axis=tuple(range(-len(shape), 0)), keepdims=True) + eps)
    return y if weight is None else y * weight
