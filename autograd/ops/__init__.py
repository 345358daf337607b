"""The tables of ops, one file per family; importing the package declares all but those of np.fft and np.emath."""

from autograd.ops import (
    activations,
    applying,
    decompositions,
    einsum,
    elementwise,
    grids,
    histograms,
    indexing,
    joining,
    linalg,
    norms,
    padding,
    parts,
    picking,
    places,
    polynomials,
    products,
    quantiles,
    reductions,
    running,
    sampled,
    shapes,
    sorting,
    statistics,
    ufuncs,
    windows,
)

__all__ = [
    "activations", "applying", "decompositions", "einsum", "elementwise", "grids", "histograms", "indexing",
    "joining", "linalg", "norms", "padding", "parts", "picking", "places", "polynomials", "products", "quantiles",
    "reductions", "running", "sampled", "shapes", "sorting", "statistics", "ufuncs", "windows",
]  # fmt: skip
