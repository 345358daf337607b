"""Embedding: a table of learnt vectors."""

from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn import init
from nn.functional.embedding import embedding
from nn.inputs import constant, numbers
from nn.linear import positive
from nn.module import Module, Parameter


class Embedding(Module):
    """Look up y[..., :] = weight[x[...], :] for integers x: (...) -> (..., embedding_dim).

    ``weight`` (num_embeddings, embedding_dim) starts as N(0, 1); the row ``padding_idx`` starts at 0 and gets no
    gradient. Raises DTypeError for numbers that are not whole, ArgumentError for one that the table has no row for.

    >>> import nn
    >>> nn.Embedding(10, 3, padding_idx=0, rng=0)([[1, 0]])[0, 1].tolist()
    [0.0, 0.0, 0.0]
    """

    _fixed = ("num_embeddings", "embedding_dim")

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        dtype: "DTypeLike" = np.float32,
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

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """Make an Embedding of a table (num_embeddings, embedding_dim) that is there, learnt on unless ``freeze``.

        The table is copied as it is, the row ``padding_idx`` too.

        >>> import nn
        >>> nn.Embedding.from_pretrained([[1.0, 2.0], [3.0, 4.0]])([1]).tolist()
        [[3.0, 4.0]]
        """
        read = constant if isinstance(embeddings, ag.Tensor) else numbers
        table = read(embeddings, "embeddings")
        if table.ndim != 2:
            raise ShapeError(
                f"Embedding.from_pretrained: the table must be (num_embeddings, embedding_dim), got {table.shape}."
            )
        rows, width = table.shape
        made = cls(rows, width, padding_idx, dtype=table.dtype if table.dtype.kind == "f" else np.float32, rng=0)
        made.weight.data[...] = table
        made.weight.requires_grad = not freeze
        return made

    def forward(self, x: Any) -> ag.Tensor:
        return embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings} -> {self.embedding_dim}" + (
            f", padding {self.padding_idx}" if self.padding_idx is not None else ""
        )
