"""Activation functions under PyTorch's names and arguments; the maths is ``autograd``'s."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.gelu import gelu


def identity(x: Any) -> Any:
    """Give x."""
    return x


def relu(x: Any) -> Any:
    """Compute max(x, 0), with derivative 0 at 0."""
    return ag.relu(x)


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Compute x for x > 0, else negative_slope · x."""
    return ag.leaky_relu(x, negative_slope=negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Compute x for x > 0, else α (eˣ - 1)."""
    return ag.elu(x, alpha=alpha)


def silu(x: Any) -> Any:
    """Compute x σ(x)."""
    return ag.silu(x)


def sigmoid(x: Any) -> Any:
    """Compute σ(x) = 1 / (1 + e⁻ˣ)."""
    return ag.sigmoid(x)


def tanh(x: Any) -> Any:
    """Compute tanh x."""
    return np.tanh(x)


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """Compute log(1 + e^βx) / β; beyond ``βx > threshold`` it is x (they agree to 2·10⁻⁹ at the default)."""
    if not beta > 0:
        raise ArgumentError(f"softplus: beta must be positive, got {beta}.")
    if beta == 1 and threshold >= 20:
        return ag.softplus(x)
    return np.where(beta * x > threshold, x, ag.softplus(beta * x) / beta)


def softmax(x: Any, dim: int = -1) -> Any:
    """Compute eˣ / Σ eˣ along ``dim``."""
    return ag.softmax(x, axis=dim)


def log_softmax(x: Any, dim: int = -1) -> Any:
    """Compute x - log Σ eˣ along ``dim``."""
    return ag.log_softmax(x, axis=dim)


__all__ = [
    "elu",
    "gelu",
    "identity",
    "leaky_relu",
    "log_softmax",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]
