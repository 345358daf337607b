"""Gradient clipping."""

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


def _square(flat: Any) -> float:
    return float(np.dot(flat, flat))
