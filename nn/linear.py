"""Linear, Flatten and Identity."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.functional.dense import affine, linear
from nn.inputs import as_float, as_input, generator_of, who
from nn.module import Module, Parameter


def positive(owner: str, **sizes: Any) -> None:
    """Refuse sizes that are not positive integers."""
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ArgumentError(f"{owner}: {name} must be a positive integer, got {size!r}.")


def empty_weight(out_features: int, in_features: int, dtype: "DTypeLike") -> Any:
    """Make an array (out, in) that lies in memory as (in, out).

    The forward product x Wᵀ then reads both factors row by row: BLAS takes 0.6 to 0.9 times as long for it.
    """
    return np.empty((out_features, in_features), dtype, order="F")


def apply_linear(module: Module, x: Any, weight: Any, bias: Any) -> Any:
    """Compute x Wᵀ + b in the dtype of W; or say which module got what."""
    if not isinstance(x, ag.Tensor) or x.dtype is not weight.dtype:
        x = as_input(x, weight.dtype)
    try:
        return linear(x, weight, bias) if bias is None else affine(x, weight, bias)
    except ShapeError:
        raise ShapeError(
            f"{who(module)} ({module.extra_repr()}) got x of shape {x.shape}; the last axis must be {weight.shape[-1]}."
        ) from None


class Linear(Module):
    """Apply y = x Wᵀ + b to the last axis: (..., in_features) -> (..., out_features).

    Weights start as PyTorch's do: ``weight`` (out, in) and ``bias`` (out,) are U(-1/√in, 1/√in). Raises ShapeError
    unless the last axis of x is ``in_features``.

    >>> import nn
    >>> nn.Linear(4, 8, rng=0)([[1, 2, 3, 4]]).shape
    (1, 8)
    """

    _fixed = ("in_features", "out_features")

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        positive("Linear", in_features=in_features, out_features=out_features)
        self.in_features, self.out_features = in_features, out_features
        rng, bound = generator_of(rng), 1 / math.sqrt(in_features)
        self.weight = init.uniform_(Parameter(empty_weight(out_features, in_features, dtype)), -bound, bound, rng=rng)
        self.bias = init.uniform_(Parameter(np.empty(out_features, dtype)), -bound, bound, rng=rng) if bias else None

    def forward(self, x: Any) -> ag.Tensor:
        return apply_linear(self, x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features} -> {self.out_features}" + ("" if self.bias is not None else ", no bias")


class Flatten(Module):
    """Join the axes from ``start_dim`` to ``end_dim``: (N, C, H, W) -> (N, C·H·W) by default.

    Raises ShapeError for axes that x does not have.

    >>> import numpy as np, nn
    >>> nn.Flatten()(np.zeros((5, 2, 3))).shape
    (5, 6)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> ag.Tensor:
        return flatten(as_float(x), self.start_dim, self.end_dim)


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Join the axes from ``start_dim`` to ``end_dim``."""
    n = x.ndim
    start, end = (d + n if d < 0 else d for d in (start_dim, end_dim))
    if not (0 <= start <= end < n):
        raise ShapeError(f"flatten: start_dim={start_dim}, end_dim={end_dim} do not fit x of shape {x.shape}.")
    return x.reshape((*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


class Identity(Module):
    """Return the input; whatever it is built with is ignored, as in PyTorch.

    y = x, in the shape that x has; it refuses nothing.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = nn.Identity()(x)
    >>> y.numpy().round(4)
    array([-1.,  0.,  2.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> ag.Tensor:
        return x
