"""Linear systems: inverses, determinants and solutions, on stacks of matrices.

The rules are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), written with NumPy's functions, so that they can be differentiated again.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import prod
from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import Box, wrap
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array
from autograd.ops.decompositions import adjoint, flip, mirrored, svdvals
from autograd.ops.norms import norm
from autograd.ops.products import Samples, square_matrices
from autograd.primitive import implements, op, opaque
from autograd.vjp import unbroadcast

_SMALL = 4  # up to this size a cofactor is cheap as a determinant of its own


def _regular(rng: np.random.Generator) -> Samples:
    for shape in ((1, 1), (3, 3), (2, 2, 2)):
        yield (rng.uniform(-1, 1, shape) + 3 * np.eye(shape[-1]),), {}


# ------------------------------------------------------------------------------------------------------------ inverses

inv = op(np.linalg.inv, symbol="⁻¹", vjp=lambda g, y: -(flip(y) @ g @ flip(y)), domain=_regular, batch=lanes.stacked)


def _pinv(a: Any, rcond: Any = None, rtol: Any = ...) -> Any:
    return np.linalg.pinv(a, rcond) if rtol is ... else np.linalg.pinv(a, rcond, rtol=rtol)


def _pinv_rule(g: Any, y: Any, a: Any) -> Any:
    """Compute −Yᴴ G Yᴴ + (I − AY) Gᴴ Y Yᴴ + Yᴴ Y Gᴴ (I − YA) for Y = A⁺ (Golub & Pereyra 1973; constant rank)."""
    yt, gt = adjoint(y), adjoint(g)
    p, q = gt @ y @ yt, yt @ y @ gt
    return (p - a @ (y @ p)) + (q - (q @ y) @ a) - yt @ g @ yt


_pseudo = op(_pinv, name="pinv", symbol="⁺", vjp=_pinv_rule, holomorphic=False, batch=lanes.stacked)


def _pinv_samples(rng: np.random.Generator) -> Samples:
    for shape in ((3, 2), (2, 3), (2, 3, 3)):
        yield (rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:]),), {}
    yield (rng.uniform(-1, 1, (2, 2)) + 2 * np.eye(2),), {"hermitian": True}


@implements(np.linalg.pinv, domain=_pinv_samples)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = ...) -> Any:
    """Compute the Moore-Penrose inverse A⁺; the gradient holds where the rank stays as it is under small changes.

    ``hermitian=True`` reads the lower triangle only, and the gradient lies there.
    """
    return _pseudo(mirrored(a, "L") if hermitian else a, rcond=rcond, rtol=rtol)


# -------------------------------------------------------------------------------------------------------- determinants


def _det_rule(g: Any, y: Any, a: Any) -> Any:
    """Multiply g by the cofactors of A: det A · A⁻ᵀ where A is regular, determinants where it may be singular."""
    n = a.shape[-1]
    g, det = np.expand_dims(g, (-2, -1)), np.expand_dims(y, (-2, -1))
    if n > _SMALL and not (np.any(y == 0) and np.any(np.linalg.slogdet(a)[0] == 0)):
        return (g * det) * flip(np.linalg.inv(a))
    return g * _cofactors(a) if n else g * a


def _cofactors(a: Any) -> Any:
    """Compute (−1)ⁱ⁺ʲ times the determinant without row i and column j: n² of them, right at every rank and order."""
    n = a.shape[-1]
    keep = np.array([[k for k in range(n) if k != i] for i in range(n)], dtype=np.intp).reshape(n, n - 1)
    minors = a[..., keep[:, None, :, None], keep[None, :, None, :]]
    checkers = (1 - 2 * (np.indices((n, n)).sum(0) % 2)).astype(a.dtype)
    return np.linalg.det(minors) * checkers


def _det_samples(rng: np.random.Generator) -> Samples:
    yield from _regular(rng)
    yield (np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]),), {}
    yield (rng.uniform(-1, 1, (2, 5, 5)) + 2 * np.eye(5),), {}


det = op(np.linalg.det, vjp=_det_rule, domain=_det_samples, batch=lanes.stacked)


@opaque
def _singular_among(sign: Any, upstream: Any) -> Any:
    """Tell which matrices are singular: their gradient is refused unless nobody asks for it."""
    singular = sign == 0
    if np.any(singular & (upstream != 0)):
        raise ArgumentError("slogdet: a is singular, so log|det a| = -inf has no gradient. Mask it, or use det.")
    return singular


def _slogdet_rule(g: Any, y: Any, a: Any) -> Any:
    """Multiply the gradient of log|det A| by A⁻ᴴ; a real sign is piecewise constant, a complex one turns."""
    upstream = g[1]
    singular = _singular_among(y[0], upstream)
    a = np.where(np.expand_dims(singular, (-2, -1)), np.eye(a.shape[-1], dtype=a.dtype), a)
    if y[0].dtype.kind == "c":
        upstream = upstream + 1j * (g[0] * np.conjugate(y[0])).imag
    return np.expand_dims(upstream, (-2, -1)) * adjoint(np.linalg.inv(a))


slogdet = op(np.linalg.slogdet, vjp=_slogdet_rule, domain=_regular, holomorphic=False, batch=lanes.stacked)


# ----------------------------------------------------------------------------------------------------------- solutions


def _solve_rule(g: Any, a: Any, y: Any, shapes: Any, needs: Any) -> Any:
    """Compute Ā = −B̄ Yᵀ and B̄ = A⁻ᵀ G, where A Y = B."""
    b = np.linalg.solve(flip(a), g)
    return (
        unbroadcast(-(b @ flip(y)), shapes[0]) if needs[0] else None,
        unbroadcast(b, shapes[1]) if needs[1] else None,
    )


def _solution(a: Any, b: Any) -> Any:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise
    except ValueError:
        raise ShapeError(
            f"solve: a of shape {np.shape(a)} does not fit b of shape {np.shape(b)}: b must have as many rows as a."
        ) from None


_solve = op(_solution, name="solve", vjp=_solve_rule, batch=lanes.solved)


def _solve_samples(rng: np.random.Generator) -> Samples:
    a, b = rng.uniform(-1, 1, (2, 3, 3)) + 3 * np.eye(3), rng.uniform(-2, 2, (2, 3, 2))
    yield (a[0], b[0]), {}
    yield (a[0], b[0, :, 0]), {}
    yield (a, b), {}
    yield (a, b[0]), {}
    yield (a[0], b), {}
    yield (a, b[0, :, 0]), {}


@implements(np.linalg.solve, domain=_solve_samples)
def solve(a: Any, b: Any) -> Any:
    """Solve A x = b for stacks of square matrices; ``b`` with one axis is a vector, else it is a stack (…, M, K)."""
    a, b = square_matrices(a, "solve"), as_array(b)
    return np.squeeze(_solve(a, np.expand_dims(b, -1)), -1) if b.ndim == 1 else _solve(a, b)


def _least_squares(a: Any, b: Any, rcond: Any = None) -> Any:
    return np.linalg.lstsq(a, b, rcond)[0]


def _least_squares_rule(g: Any, a: Any, b: Any, y: Any, rcond: Any, needs: Any) -> Any:
    """Compute Ā = −U Yᴴ + (B − AY)(A⁺U)ᴴ + A⁺ᴴY (G − AᴴU)ᴴ and B̄ = U = A⁺ᴴ G, where Y = A⁺ B: from the rule of A⁺."""
    p = np.linalg.pinv(a, _cutoff(a, rcond))
    u = adjoint(p) @ g
    if not needs[0]:
        return None, u
    return (b - a @ y) @ adjoint(p @ u) + (adjoint(p) @ y) @ adjoint(g - adjoint(a) @ u) - u @ adjoint(y), u


def _cutoff(a: Any, rcond: Any) -> float:
    """Return the ratio of singular values below which ``lstsq`` takes them for zero."""
    eps = np.finfo(a.dtype if a.dtype.kind == "f" else float).eps
    return float(eps * max(a.shape) if rcond is None else max(rcond, eps))


_lstsq = op(_least_squares, name="lstsq", vjp=_least_squares_rule, holomorphic=False)


def _lstsq_samples(rng: np.random.Generator) -> Samples:
    for m, n in ((4, 2), (2, 4), (3, 3)):
        a = rng.uniform(-1, 1, (m, n)) + 2 * np.eye(m, n)
        yield (a, rng.uniform(-2, 2, m)), {}
        yield (a, rng.uniform(-2, 2, (m, 2))), {}


@implements(np.linalg.lstsq, domain=_lstsq_samples)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """Compute ``(x, residuals, rank, s)``: the least-squares solution of A x = b with the smallest norm, ‖b − A x‖², …

    Gradients hold where the rank stays as it is under small changes. ``a`` is one matrix (M, N), ``b`` (M,) or (M, K).
    """
    a, b = as_array(a), as_array(b)
    if a.ndim != 2 or b.ndim not in (1, 2):
        raise ShapeError(f"lstsq: a must be one matrix and b a vector or matrix, got shapes {a.shape} and {b.shape}.")
    columns = np.expand_dims(b, -1) if b.ndim == 1 else b
    x = _lstsq(a, columns, rcond=rcond)
    s = svdvals(a)
    rank = np.int32(np.sum(s > _cutoff(a, rcond) * s[0])) if min(a.shape) else np.int32(0)
    full = a.shape[0] > a.shape[1] == rank
    residuals = np.sum(np.abs(columns - a @ x) ** 2, axis=0) if full else np.zeros(0, s.dtype)
    if isinstance(x, Box):
        rank, residuals = wrap(rank), residuals if full else wrap(residuals)
    return (np.squeeze(x, -1) if b.ndim == 1 else x, residuals, rank, s)


# --------------------------------------------------------------------------------------------- what follows from these


def _cond_samples(rng: np.random.Generator) -> Samples:
    a = rng.uniform(-1, 1, (2, 3, 3)) + np.diag([2.0, 4.0, 7.0])
    for p in (None, 2, -2, "fro", 1, np.inf):
        yield (a,), {"p": p}


@implements(np.linalg.cond, domain=_cond_samples)
def cond(x: Any, p: Any = None) -> Any:
    """Compute the condition number ‖A‖ ‖A⁻¹‖; for p None, 2 or -2 the ratio of the extreme singular values."""
    if p not in (None, 2, -2):
        x = square_matrices(x, "cond")
        return norm(x, p, axis=(-2, -1)) * norm(inv(x), p, axis=(-2, -1))
    s = svdvals(x)
    return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]


def _tensorsolve_samples(rng: np.random.Generator) -> Samples:
    a = (rng.uniform(-1, 1, (6, 6)) + 4 * np.eye(6)).reshape(2, 3, 3, 2)
    yield (a, rng.uniform(-2, 2, (2, 3))), {}
    yield (np.moveaxis(a, 2, 0), rng.uniform(-2, 2, (2, 3))), {"axes": (0,)}


@implements(np.linalg.tensorsolve, domain=_tensorsolve_samples)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    """Solve Σ a[…, j] x[j] = b for x; j are the last axes of ``a``, to which those in ``axes`` are moved first."""
    a, b = as_array(a), as_array(b)
    if axes is not None:
        a = np.moveaxis(a, axes, range(a.ndim - len(axes), a.ndim))
    shape = a.shape[b.ndim :]
    if a.size != b.size * b.size or prod(shape) != b.size:
        raise ShapeError(f"tensorsolve: a of shape {a.shape} is not square for b of shape {b.shape}.")
    return np.reshape(solve(np.reshape(a, (b.size, b.size)), np.ravel(b)), shape)


def _tensorinv_samples(rng: np.random.Generator) -> Samples:
    a = rng.uniform(-1, 1, (6, 6)) + 4 * np.eye(6)
    yield (a.reshape(2, 3, 3, 2),), {}
    yield (a.reshape(6, 3, 2),), {"ind": 1}


@implements(np.linalg.tensorinv, domain=_tensorinv_samples)
def tensorinv(a: Any, ind: int = 2) -> Any:
    """Invert the map from the last axes of ``a`` to the first ``ind`` ones."""
    shape = np.shape(a)
    left, right = shape[:ind], shape[ind:]
    if ind <= 0 or prod(left) != prod(right):
        raise ShapeError(f"tensorinv: a of shape {shape} is not square when its first {ind} axes are one side.")
    return np.reshape(inv(np.reshape(a, (prod(left), prod(right)))), (*right, *left))


def _stacks(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(-2, 2, (2, 3, 4)),), {"offset": 1}
    yield (rng.uniform(-2, 2, (3, 3)),), {}


@implements(np.linalg.trace, domain=_stacks, name="linalg_trace")
def linalg_trace(x: Any, *, offset: int = 0, dtype: Any = None) -> Any:
    """Sum a diagonal of each matrix in a stack (…, M, N)."""
    return np.trace(x, offset, -2, -1, dtype=dtype)


@implements(np.linalg.diagonal, domain=_stacks, name="linalg_diagonal")
def linalg_diagonal(x: Any, *, offset: int = 0) -> Any:
    """Return a diagonal of each matrix in a stack (…, M, N)."""
    return np.diagonal(x, offset, -2, -1)
