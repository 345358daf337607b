"""Dropout: a random half of the units is silent in each step of training."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input
from nn.inputs import generator_of


def dropout(input: Any, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | int | None = None) -> Any:
    """Set each element to 0 with probability ``p`` and scale the others by 1 / (1 - p) (Srivastava et al. 2014).

    In evaluation (``training=False``) x comes back as it is.

    The result has the shape of x. Raises ArgumentError for ``p`` outside of [0, 1].

    >>> import numpy as np, autograd as ag, nn
    >>> x = ag.Tensor(np.ones(6), requires_grad=True)
    >>> nn.functional.dropout(x, 0.5, rng=0).tolist()
    [2.0, 2.0, 2.0, 0.0, 0.0, 0.0]
    """
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p must be between 0 and 1, got {p}.")
    if not training or p == 0:
        return input
    x, p = as_input(input), float(p)
    return _masked(x, mask=make_mask(rng, x.shape, x.dtype, p))


@ag.opaque
def make_mask(rng: np.random.Generator | int | None, shape: tuple[int, ...], dtype: Any, p: float) -> Any:
    """Draw an array that is 0 with probability ``p`` and 1 / (1 - p) elsewhere."""
    mask = (generator_of(rng).random(shape, np.float32) >= p).astype(dtype)
    mask *= 1 / (1 - p) if p < 1 else 0.0
    return mask


def _forward(x: Any, mask: Any = None) -> Any:
    return x * mask


def _samples(rng: np.random.Generator) -> Any:
    yield (rng.normal(size=(3, 4)),), {"mask": make_mask(rng, (3, 4), np.dtype(float), 0.5)}


_masked = ag.op(
    _forward,
    name="dropout",
    vjp=lambda g, mask: g * mask,
    selects=lambda mask: mask != 0,
    elementwise=True,
    domain=_samples,
)
