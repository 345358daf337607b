"""Norms of vectors and matrices, of every order that NumPy has."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array, draw, kept
from autograd.ops.decompositions import svdvals
from autograd.ops.elementwise import ratio
from autograd.ops.products import Samples
from autograd.primitive import implements, op


def _vector(x: Any, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)


def _vector_rule(g: Any, x: Any, y: Any, axis: Any, ord: Any) -> Any:
    """Multiply g by sign(x) (|x| / y)ᵖ⁻¹, which is x / y for p = 2; 0 where y = 0."""
    g, y = kept(g, x.shape, axis), kept(y, x.shape, axis)
    if ord == 2:
        return g * ratio(x, y)
    size = np.abs(x) if ord >= 1 else np.where(x == 0, 1.0, np.abs(x))
    return g * (np.sign(x) * ratio(size, y) ** (ord - 1))


_power: Any = op(_vector, name="norm", symbol="‖·‖", vjp=_vector_rule, batch=lanes.over_axis)


def _of_vectors(x: Any, axis: Any, keepdims: bool, ord: Any) -> Any:
    """Compute the norm of the vectors along one or more axes."""
    if isinstance(ord, str) or np.ndim(ord):
        raise ArgumentError(f"norm: order {ord!r} is not one for vectors; use a number, np.inf or -np.inf.")
    if ord == 0:
        return np.sum(np.abs(np.sign(x)), axis=axis, keepdims=keepdims)  # counts x ≠ 0
    if ord == 1:
        return np.sum(np.abs(x), axis=axis, keepdims=keepdims)
    if abs(ord) == np.inf:
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    return _power(x, axis=axis, keepdims=keepdims, ord=ord)


def _of_matrices(x: Any, axis: tuple[int, int], keepdims: bool, ord: Any) -> Any:
    """Compute the norm of the matrices in two axes; singular values that are 0 get gradient 0 (by ``abs``)."""
    row, column = axis
    if len({row % x.ndim, column % x.ndim}) < 2:
        raise ShapeError(f"norm: the axes of a matrix must differ, got {axis}.")
    if ord in (None, "fro", "f"):
        return _power(x, axis=axis, keepdims=keepdims)
    kind: Any = ord if isinstance(ord, str) else float(ord)
    if kind not in ("nuc", 1.0, -1.0, 2.0, -2.0, np.inf, -np.inf):
        raise ArgumentError(
            f"norm: order {ord!r} is not one for matrices; use 'fro', 'nuc', 1, -1, 2, -2, np.inf or -np.inf."
        )
    matrices = np.moveaxis(x, axis, (-2, -1))
    if kind in ("nuc", 2.0, -2.0):
        values = np.abs(svdvals(matrices))
    else:
        values = np.sum(np.abs(matrices), axis=-2 if abs(kind) == 1 else -1)
    y = np.sum(values, axis=-1) if kind == "nuc" else (np.max if kind > 0 else np.min)(values, axis=-1)
    return np.expand_dims(y, tuple(sorted((row % x.ndim, column % x.ndim)))) if keepdims else y


def _norm_samples(rng: np.random.Generator) -> Samples:
    x = draw(rng, (3, 4))
    a = 0.2 * draw(rng, (2, 3, 3)) + np.diag([1.0, 3.0, 6.0])
    yield (x,), {}
    yield (x[0],), {"keepdims": True}
    yield (x,), {"axis": 1, "keepdims": True}
    orders: tuple[Any, ...] = (1, 2, 3, 1.5, 0.5, -1, -2, np.inf, -np.inf)
    for order in orders:
        yield (x,), {"ord": order, "axis": 0}
    for order in (None, "fro", "nuc", *orders[:2], -1, -2, np.inf, -np.inf):
        yield (a,), {"ord": order, "axis": (1, 2)}
    yield (a, "nuc", (2, 0)), {"keepdims": True}
    yield (a[0], 2), {}


@implements(np.linalg.norm, domain=_norm_samples)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Compute the norm of vectors (one axis), matrices (two axes), or the 2-norm of all elements.

    At norm 0 the gradient is 0, a convention; the second derivative does not exist there and is nan.
    Vectors: (Σ|x|ᵖ)^(1/p) for any p, the largest or smallest |x| for ±inf, the count of x ≠ 0 for 0 (no gradient).
    Matrices: "fro", "nuc", ±1, ±2, ±inf. Ties of the largest or smallest share the gradient equally. Raises
    ArgumentError for other orders.
    """
    x = as_array(x)
    if axis is None and ord is None:
        return _power(x, keepdims=keepdims)
    axes = tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return _of_vectors(x, axes[0], keepdims, 2 if ord is None else ord)
    if len(axes) == 2:
        return _of_matrices(x, (axes[0], axes[1]), keepdims, ord)
    raise ShapeError(
        f"norm: order {ord!r} needs one axis (vectors) or two (matrices), got {len(axes)} for shape {x.shape}."
    )


def _vector_samples(rng: np.random.Generator) -> Samples:
    x = draw(rng, (2, 3, 2))
    yield (x,), {}
    yield (x,), {"axis": (0, 2), "ord": 3}
    yield (x,), {"ord": np.inf, "keepdims": True}
    yield (x,), {"axis": 1, "ord": 1}


@implements(np.linalg.vector_norm, domain=_vector_samples)
def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Compute the norm of the vectors along one or more axes, or of all elements as one vector."""
    return _of_vectors(as_array(x), axis, keepdims, ord)


def _matrix_samples(rng: np.random.Generator) -> Samples:
    a = 0.2 * draw(rng, (2, 3, 3)) + np.diag([1.0, 3.0, 6.0])
    yield (a,), {}
    yield (a,), {"ord": "nuc", "keepdims": True}
    yield (a,), {"ord": -2}


@implements(np.linalg.matrix_norm, domain=_matrix_samples)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Compute the norm of the matrices in the last two axes."""
    x = as_array(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm needs at least two axes, got shape {x.shape}.")
    return _of_matrices(x, (-2, -1), keepdims, ord)
