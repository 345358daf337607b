"""Embedding: a table of learnt vectors."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.errors import ArgumentError
from nn import init
from nn.functional.embedding import embedding
from nn.linear import positive
from nn.module import Module, Parameter


class Embedding(Module):
    """Look up y[..., :] = weight[x[...], :] for integers x: (...) -> (..., embedding_dim).

    ``weight`` (num_embeddings, embedding_dim) starts as N(0, 1); the row ``padding_idx`` starts at 0 and gets no
    gradient.

    >>> import nn
    >>> nn.Embedding(10, 3, padding_idx=0, rng=0)([[1, 0]])[0, 1].tolist()
    [0.0, 0.0, 0.0]
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: DTypeLike = np.float32,
        rng: init.Rng = None,
    ) -> None:
        positive("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ArgumentError(
                f"Embedding: padding_idx must be in {-num_embeddings} … {num_embeddings - 1}, got {padding_idx}."
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else int(padding_idx) % num_embeddings
        self.weight = init.normal_(Parameter(np.empty((num_embeddings, embedding_dim), dtype)), rng=rng)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0

    def forward(self, x: Any) -> Any:
        return embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings} -> {self.embedding_dim}" + (
            f", padding {self.padding_idx}" if self.padding_idx is not None else ""
        )
