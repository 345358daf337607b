"""Gradient clipping: of the common norm, or element by element."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError


def clip_grad_norm(parameters: Iterable[Any] | ag.Tensor, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients by one factor so that their common norm is at most ``max_norm``; give the norm before.

    Call it between ``backward()`` and ``step()``. A norm that is not finite leaves the gradients as they are (Pascanu
    et al. 2013).

    >>> import nn
    >>> p = nn.Parameter([0.0, 0.0]); p.grad = [3.0, 4.0]
    >>> clip_grad_norm([p], 1.0)
    5.0
    """
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(
            f"clip_grad_norm: max_norm must not be negative and norm_type positive, got {max_norm} and {norm_type}."
        )
    params = [parameters] if isinstance(parameters, ag.Tensor) else list(parameters)
    held = [(p, p.grad.data) for p in params if p.grad is not None]
    if norm_type == 2:
        norm = math.sqrt(sum(_square(g.ravel(order="K")) for _, g in held))
    elif norm_type == math.inf:
        norm = max((float(np.abs(g).max()) for _, g in held if g.size), default=0.0)
    else:
        norm = sum(float((np.abs(g) ** norm_type).sum()) for _, g in held) ** (1 / norm_type)
    factor = max_norm / (norm + 1e-6)
    if factor < 1 and math.isfinite(norm):
        for p, g in held:
            p.grad = ag.Tensor(g * g.dtype.type(factor), copy=False)  # a new array: others may hold the old one
    return norm


def clip_grad_value(parameters: Iterable[Any] | ag.Tensor, clip_value: float) -> None:
    """Bring each element of the gradients into -clip_value … clip_value, which may turn the step's direction.

    >>> import nn
    >>> p = nn.Parameter([0.0, 0.0]); p.grad = [3.0, -0.5]
    >>> nn.optim.clip_grad_value([p], 1.0)
    >>> p.grad.tolist()
    [1.0, -0.5]
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value: clip_value must not be negative, got {clip_value}.")
    for p in [parameters] if isinstance(parameters, ag.Tensor) else parameters:
        if p.grad is not None:
            p.grad = ag.Tensor(np.clip(p.grad.data, -clip_value, clip_value), copy=False)


def _square(flat: Any) -> float:
    return float(np.dot(flat, flat))
