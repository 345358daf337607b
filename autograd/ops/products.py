"""Products of vectors, matrices and stacks of them: matmul does the work, the others are written in it.

The rules call BLAS on views: for ``y = x @ w`` the gradients are ``g @ w.T`` and ``x.T @ g``, and for a stack times one
matrix they are one large product each, not a loop over the stack.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from autograd import lanes
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array, conjugated, no_out
from autograd.ops.einsum import tensordot
from autograd.primitive import dispatch, implements, op
from autograd.vjp import unbroadcast

Samples = Iterator[tuple[tuple[Any, ...], dict[str, Any]]]


def _pairs(*shapes: tuple[tuple[int, ...], tuple[int, ...]], **kwargs: Any) -> Any:
    """Make a domain of pairs of arrays of the given shapes."""

    def samples(rng: np.random.Generator) -> Samples:
        for a, b in shapes:
            yield (rng.uniform(-2, 2, a), rng.uniform(-2, 2, b)), dict(kwargs)

    return samples


# ------------------------------------------------------------------------------------------------------------- matmul


def _left(g: Any, b: Any, shapes: Any) -> Any:
    """Compute g bᵀ, summed over the stack where a was broadcast."""
    shape = shapes[0]
    if b.ndim == 2:
        if len(shape) == 2:
            return g @ b.T
        if len(shape) == 1:
            return b @ g
        return (g.reshape(prod(shape[:-1]), b.shape[1]) @ b.T).reshape(shape)
    if b.ndim == 1:
        return g * b if len(shape) == 1 else np.expand_dims(g, -1) * b
    if len(shape) == 1:
        return unbroadcast(np.squeeze(b @ np.expand_dims(g, -1), -1), shape)
    return unbroadcast(g @ np.swapaxes(b, -1, -2), shape)


def _right(g: Any, a: Any, shapes: Any) -> Any:
    """Compute aᵀ g, summed over the stack where b was broadcast."""
    shape = shapes[1]
    if len(shape) == 2 and a.ndim == 2:
        return a.T @ g
    if len(shape) <= 2 and a.ndim > 1:
        rows = a.reshape(prod(a.shape[:-1]), a.shape[-1])
        return rows.T @ g.reshape(rows.shape[0], *shape[1:])
    if a.ndim == 1:
        return g * a if len(shape) == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    return unbroadcast(np.swapaxes(a, -1, -2) @ g, shape)


def _matmul(a: Any, b: Any) -> Any:
    try:
        return np.matmul(a, b)
    except ValueError:
        raise ShapeError(
            f"matmul: a of shape {np.shape(a)} does not fit b of shape {np.shape(b)}: the last axis of a must be as "
            "long as the last but one of b (or the only one of a vector), and the axes before these must broadcast."
        ) from None


matmul: Any = op(
    _matmul,
    name="matmul",
    symbol="@",
    vjp=dict(a=_left, b=_right),
    formula=dict(a="g @ b.T", b="a.T @ g"),
    domain=_pairs(
        *[((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((0, 3), (3, 2))],
        *[((2, 4, 3), (3, 2)), ((2, 4, 3), (3,)), ((3,), (2, 3, 2)), ((2, 3), (2, 3, 2)), ((2, 1, 2, 3), (1, 2, 3, 2))],
    ),
    linear="each",
    batch=lanes.product,
)
dispatch[np.matmul] = dispatch[np.linalg.matmul] = matmul


# ------------------------------------------------------------------------------------------- what NumPy derives from it


_DOTS: Any = (((2, 3), (3, 4)), ((3,), (3,)), ((), (2, 3)), ((2, 3), ()), ((2, 3), (2, 3, 4)), ((3,), (2, 3, 2)))


@implements(np.dot, domain=_pairs(*_DOTS))
def dot(a: Any, b: Any, out: Any = None) -> Any:
    """Compute Σₖ a[…, k] b[…, k, n] for all leading indices: ``matmul`` up to two axes, ``multiply`` for a number."""
    no_out("dot", out)
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    return matmul(a, b) if b.ndim <= 2 or a.ndim == 1 else tensordot(a, b, (-1, -2))


@implements(np.inner, domain=_pairs(((3,), (3,)), ((2, 3), (3,)), ((2, 3), (4, 2, 3)), ((), (2, 2))))
def inner(a: Any, b: Any) -> Any:
    """Compute Σₖ a[…, k] b[…, k] over all pairs of leading indices."""
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return np.multiply(a, b)
    return matmul(a, b) if a.ndim == b.ndim == 1 else tensordot(a, b, (-1, -1))


@implements(np.vdot, domain=_pairs(((3,), (3,)), ((2, 3), (3, 2)), ((), ())))
def vdot(a: Any, b: Any) -> Any:
    """Compute Σ āᵢ bᵢ over the flattened arrays; complex ``a`` is conjugated."""
    return matmul(conjugated(np.ravel(a)), np.ravel(b))


@implements(np.outer, domain=_pairs(((2,), (3,)), ((2, 2), (3,)), ((), (3,))))
def outer(a: Any, b: Any, out: Any = None) -> Any:
    """Compute aᵢ bⱼ of the flattened arrays."""
    no_out("outer", out)
    return np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1)))


@implements(np.linalg.outer, domain=_pairs(((2,), (3,))), name="linalg_outer")
def linalg_outer(x1: Any, x2: Any) -> Any:
    """Compute aᵢ bⱼ of two vectors."""
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ShapeError(f"linalg.outer takes two vectors, got shapes {np.shape(x1)} and {np.shape(x2)}. Use np.outer.")
    return outer(x1, x2)


@implements(np.kron, domain=_pairs(((2, 3), (2, 2)), ((2,), (2, 3)), ((2, 1, 2), (3,)), ((), (2,))))
def kron(a: Any, b: Any) -> Any:
    """Compute the Kronecker product: each element of ``a`` times the whole of ``b``."""
    sa, sb = np.shape(a), np.shape(b)
    n = max(len(sa), len(sb))
    sa, sb = (1,) * (n - len(sa)) + sa, (1,) * (n - len(sb)) + sb
    left = np.reshape(a, [size for k in sa for size in (k, 1)])
    right = np.reshape(b, [size for k in sb for size in (1, k)])
    return np.reshape(np.multiply(left, right), [k * m for k, m in zip(sa, sb, strict=True)])


_cross: Any = op(
    lambda a, b: np.cross(a, b),
    name="cross",
    symbol="cross",
    vjp=dict(
        a=lambda g, b, shapes: unbroadcast(_cross(b, g), shapes[0]),
        b=lambda g, a, shapes: unbroadcast(_cross(g, a), shapes[1]),
    ),
    linear="each",
    batch=lanes.leading,
)


def _cross_samples(rng: np.random.Generator) -> Samples:
    a, b = rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, 3)
    yield (a, b), {}
    yield (a, b), {"axisa": 1, "axisb": 0, "axisc": 0}
    yield (np.ascontiguousarray(a.T), rng.uniform(-2, 2, (3, 2))), {"axis": 0}


@implements(np.cross, domain=_cross_samples)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Compute the vector product a × b of 3-vectors; the gradients are b × g and g × a."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _last(a, axisa), _last(b, axisb)
    if a.shape[-1:] != (3,) or b.shape[-1:] != (3,):
        raise ShapeError(
            f"cross takes 3-vectors, got shapes {a.shape} and {b.shape} (vectors last). For 2-vectors write "
            "a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]."
        )
    y = _cross(a, b)
    return y if axisc in (-1, y.ndim - 1) else np.moveaxis(y, -1, axisc)


def _last(x: Any, axis: int) -> Any:
    x = as_array(x)
    return x if axis in (-1, x.ndim - 1) else np.moveaxis(x, axis, -1)


@implements(np.linalg.cross, domain=_pairs(((2, 3), (3,)), ((2, 3), (2, 3))), name="linalg_cross")
def linalg_cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """Compute the vector product of 3-vectors along one axis."""
    return cross(x1, x2, axis=axis)


# --------------------------------------------------------------------------------------------------- stacks of vectors


def _vecdot_samples(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, 3)), {}
    yield (rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, (2, 3))), {"axis": 0}


@implements(np.vecdot, np.linalg.vecdot, domain=_vecdot_samples)
def vecdot(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """Compute Σₖ ā[…, k] b[…, k] for each pair of vectors in two stacks that broadcast."""
    a, b = _last(x1, axis), _last(x2, axis)
    if a.shape[-1:] != b.shape[-1:] or not a.ndim:
        raise ShapeError(f"vecdot: vectors must have one length, got shapes {a.shape} and {b.shape} (vectors last).")
    return np.sum(np.multiply(conjugated(a), b), axis=-1)


def matvec(x1: Any, x2: Any) -> Any:
    """Compute A v for stacks of matrices (…, M, N) and vectors (…, N)."""
    return np.squeeze(matmul(x1, np.expand_dims(x2, -1)), -1)


def vecmat(x1: Any, x2: Any) -> Any:
    """Compute vᴴ A for stacks of vectors (…, M) and matrices (…, M, N)."""
    return np.squeeze(matmul(np.expand_dims(conjugated(x1), -2), x2), -2)


implements(*filter(None, [getattr(np, "matvec", None)]), domain=_pairs(((2, 3), (3,)), ((2, 2, 3), (2, 3))))(matvec)
implements(*filter(None, [getattr(np, "vecmat", None)]), domain=_pairs(((2,), (2, 3)), ((2, 2), (2, 2, 3))))(vecmat)


# --------------------------------------------------------------------------------------------------------- one matrix


def _matrices(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(-2, 2, (2, 3)),), {}
    yield (rng.uniform(-2, 2, (2, 2, 3)),), {}


@implements(np.matrix_transpose, np.linalg.matrix_transpose, domain=_matrices)
def matrix_transpose(x: Any) -> Any:
    """Swap the last two axes."""
    if np.ndim(x) < 2:
        raise ShapeError(f"matrix_transpose needs at least two axes, got shape {np.shape(x)}.")
    return np.swapaxes(x, -1, -2)


def _power_samples(rng: np.random.Generator) -> Samples:
    a = rng.uniform(-1, 1, (2, 3, 3)) + 2 * np.eye(3)
    for n in (0, 1, 2, 5, -2):
        yield (a, n), {}


@implements(np.linalg.matrix_power, domain=_power_samples)
def matrix_power(a: Any, n: int) -> Any:
    """Compute Aⁿ for an integer n by repeated squaring; for n < 0 of the inverse."""
    if not isinstance(n, int | np.integer):
        raise ArgumentError(f"matrix_power: n must be an integer, got {type(n).__name__}.")
    a = square_matrices(a, "matrix_power")
    if n == 0:  # the identity, still linked to a: its gradient is 0
        return np.where(True, np.eye(a.shape[-1], dtype=a.dtype), a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    y = None
    while n:
        if n & 1:
            y = a if y is None else matmul(y, a)
        n >>= 1
        if n:
            a = matmul(a, a)
    return y


def square_matrices(a: Any, name: str) -> Any:
    """Return ``a`` as an array or Tensor of shape (…, N, N), or say that it is not."""
    a = as_array(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{name}: a must hold square matrices (…, N, N), got shape {a.shape}.")
    return a


def _chain_samples(rng: np.random.Generator) -> Samples:
    shapes = ((2, 3), (3, 1), (1, 4), (4, 2))
    yield ([rng.uniform(-2, 2, shape) for shape in shapes],), {}
    yield ([rng.uniform(-2, 2, shape) for shape in ((3,), *shapes[1:], (2,))],), {}


@implements(np.linalg.multi_dot, domain=_chain_samples)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    """Multiply a chain of matrices in the cheapest order (Cormen et al., Introduction to Algorithms, §15.2).

    The first and last may be vectors. Raises ShapeError for fewer than two arrays or for stacks.
    """
    no_out("multi_dot", out)
    chain = [as_array(a) for a in arrays]
    if len(chain) < 2:
        raise ShapeError(f"multi_dot: needs at least two arrays, got {len(chain)}.")
    if any(a.ndim != 2 for a in chain[1:-1]) or any(a.ndim not in (1, 2) for a in (chain[0], chain[-1])):
        raise ShapeError(f"multi_dot: takes matrices, and vectors at its ends, got shapes {[a.shape for a in chain]}.")
    cut = _cheapest_cuts([_size(chain[0], 0), *[_size(a, -2) for a in chain[1:]], _size(chain[-1], 1)])

    def product(i: int, j: int) -> Any:
        """Multiply the arrays i … j."""
        return chain[i] if i == j else matmul(product(i, cut[i, j]), product(cut[i, j] + 1, j))

    return product(0, len(chain) - 1)


def _size(a: Any, axis: int) -> int:
    """Return the length of a matrix along an axis; a vector is a row at the start of a chain, a column at its end."""
    if a.ndim == 2:
        return int(a.shape[axis])
    return a.shape[0] if axis == -2 else 1


def _cheapest_cuts(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Find where to cut each part of the chain, matrix i having the shape (sizes[i], sizes[i + 1])."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    cut: dict[tuple[int, int], int] = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            best = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j))
            cost[i, j], cut[i, j] = best
    return cut
