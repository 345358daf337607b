"""The tables of ops, one file per family; importing the package declares them all."""

from autograd.ops import (
    activations,
    elementwise,
    indexing,
    joining,
    padding,
    products,
    reductions,
    shapes,
    sorting,
    statistics,
)

__all__ = [
    "activations",
    "elementwise",
    "indexing",
    "joining",
    "padding",
    "products",
    "reductions",
    "shapes",
    "sorting",
    "statistics",
]
