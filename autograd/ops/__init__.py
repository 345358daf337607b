"""The tables of ops, one file per family; importing the package declares them all."""

from autograd.ops import (
    activations,
    decompositions,
    einsum,
    elementwise,
    indexing,
    joining,
    linalg,
    norms,
    padding,
    products,
    quantiles,
    reductions,
    sampled,
    shapes,
    sorting,
    statistics,
)

__all__ = [
    "activations",
    "decompositions",
    "einsum",
    "elementwise",
    "indexing",
    "joining",
    "linalg",
    "norms",
    "padding",
    "products",
    "quantiles",
    "reductions",
    "sampled",
    "shapes",
    "sorting",
    "statistics",
]
