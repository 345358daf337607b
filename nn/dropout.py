"""Dropout as a layer, which keeps its random generator."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.dropout import dropout
from nn.inputs import as_float, generator_of
from nn.module import Module


class Dropout(Module):
    """Set each element to 0 with probability ``p`` while training, and scale the others by 1 / (1 - p).

    ``rng`` is a Generator, a seed, or None for fresh entropy; the layer keeps the Generator, and a Trainer saves its
    state. The result has the shape of x. Raises ArgumentError for ``p`` outside of [0, 1].

    >>> import numpy as np, nn
    >>> y = nn.Dropout(0.5, rng=0)(np.ones(1000))
    >>> sorted(set(y.tolist()))
    [0.0, 2.0]
    """

    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None) -> None:
        if not 0 <= p <= 1:
            raise ArgumentError(f"Dropout: p must be between 0 and 1, got {p}.")
        self.p = p
        self.rng = generator_of(rng)

    def forward(self, x: Any) -> ag.Tensor:
        return dropout(as_float(x), self.p, self.training, rng=self.rng)

    def extra_repr(self) -> str:
        return f"p={self.p}"
