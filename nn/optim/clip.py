"""Gradient clipping: of the common norm, or element by element."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError
from nn.hints import hinted

Array = NDArray[Any]


@ag.effect(values=False)
@hinted
def clip_grad_norm(parameters: Iterable[Any] | ag.Tensor, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients by one factor so that their common norm is at most ``max_norm``; give the norm before.

    Call it between ``backward()`` and ``step()``. A norm that overflows is computed in another scale; one of inf or nan
    leaves the gradients as they are (Pascanu et al. 2013). Raises ArgumentError for a negative ``max_norm``.

    >>> import nn
    >>> p = nn.Parameter([0.0, 0.0]); p.grad = [3.0, 4.0]
    >>> clip_grad_norm([p], 1.0)
    5.0
    """
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(
            f"clip_grad_norm: max_norm must not be negative and norm_type positive, got {max_norm} and {norm_type}."
        )
    params = _listed("clip_grad_norm", parameters)
    held = [(p, p.grad.data) for p in params if p.grad is not None]
    norm = _norm([_flat(g, p.data) for p, g in held], norm_type)
    factor = max_norm / (norm + 1e-6)
    if factor < 1 and math.isfinite(norm):
        for p, g in held:  # a new array each: others may hold the old one
            p.grad = ag.Tensor(_scaled(g, factor), copy=False)
    return norm


@ag.effect(values=False)
@hinted
def clip_grad_value(parameters: Iterable[Any] | ag.Tensor, clip_value: float) -> None:
    """Bring each element of the gradients into -clip_value … clip_value, which may turn the step's direction.

    Raises ArgumentError for a negative ``clip_value``.

    >>> import nn
    >>> p = nn.Parameter([0.0, 0.0]); p.grad = [3.0, -0.5]
    >>> nn.optim.clip_grad_value([p], 1.0)
    >>> p.grad.tolist()
    [1.0, -0.5]
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value: clip_value must not be negative, got {clip_value}.")
    for p in _listed("clip_grad_value", parameters):
        if p.grad is not None:
            p.grad = ag.Tensor(np.clip(p.grad.data, -clip_value, clip_value), copy=False)


def _listed(name: str, parameters: Any) -> list[Any]:
    if isinstance(parameters, ag.Tensor):
        return [parameters]
    if not isinstance(parameters, Iterable) or isinstance(parameters, Mapping):
        raise ArgumentError(f"{name} got {type(parameters).__name__}, which lists none. Pass model.parameters().")
    return list(parameters)


def _flat(g: Array, p: Array) -> Array:
    """Give the elements in the order of the parameter's memory: a sum rounds by its order, and that of ``g`` varies."""
    return g.ravel(order="F" if p.flags.f_contiguous else "C")


def _norm(arrays: list[Array], p: float) -> float:
    """Compute (Σ |g|ᵖ)^(1/p); where powers overflow or vanish, of the arrays divided by the largest |g|."""
    if p == 2:
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            square = sum(float(np.vdot(g, g).real) for g in arrays)
        if 1e-30 < square < math.inf:
            return math.sqrt(square)
    largest = max((float(np.abs(g).max()) for g in arrays if g.size), default=0.0)
    if p == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    powers = [float((np.abs(g / g.dtype.type(largest)) ** p).sum(dtype=float)) for g in arrays]
    return float(largest * sum(powers) ** (1 / p))


def _scaled(g: Array, factor: float) -> Array:
    """Multiply, in the wider dtype where ``factor`` is too small for that of ``g``."""
    wide = g if factor > np.finfo(g.dtype).tiny else g.astype(np.float64)
    scaled: Array = np.multiply(wide, wide.dtype.type(factor)).astype(g.dtype, copy=False)
    return scaled
