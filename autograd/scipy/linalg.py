"""``scipy.linalg``: matrix functions, systems and equations, factorizations, structured matrices.

Where SciPy reads one triangle of a matrix, the gradient lies in that triangle. ``overwrite_a`` and its kin are accepted
and change nothing: what an op was given is never written into.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import linalg
>>> ag.grad(lambda a: linalg.expm(a).sum())(np.zeros((2, 2)))
array([[1., 1.],
       [1., 1.]])
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np
from scipy import linalg as sp

from autograd.box import is_recording, unbox
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import as_array
from autograd.ops.decompositions import adjoint, flip, mirrored
from autograd.primitive import implements
from autograd.scipy.declare import Samples, by_numbers, constant, declare, float_like, without_rule
from autograd.scipy.structured import block_diag as block_diag
from autograd.scipy.structured import circulant as circulant
from autograd.scipy.structured import hankel as hankel
from autograd.scipy.structured import toeplitz as toeplitz
from autograd.vjp import unbroadcast


def _declare(name: str, forward: Any, **declared: Any) -> Any:
    return declare("linalg", name, forward, **declared)


def _near(rng: np.random.Generator, m: int, n: int, size: float) -> Any:
    return rng.uniform(-0.5, 0.5, (m, n)) + size * np.eye(m, n)


# ----------------------------------------------------------------------------------------------------- matrix functions


def _square(rng: np.random.Generator) -> Samples:
    for n in (1, 3):
        yield (_near(rng, n, n, 1.5),), {}


def _real(y: Any, a: Any, name: str) -> Any:
    """Return a result in the dtype of the input, and refuse one that is not real."""
    if np.iscomplexobj(y) and not np.iscomplexobj(a):
        if np.any(np.abs(y.imag) > 1e-9 * np.max(np.abs(y), initial=1e-300)):
            raise ArgumentError(f"scipy.linalg.{name}: the result is complex, which has no gradient here.")
        y = y.real
    return float_like(y, a)


def _floating(a: Any) -> Any:
    """Copy to the width in which SciPy computes: some of its functions write into what they are given."""
    return np.array(a, complex if np.iscomplexobj(a) else float)


def _matrix_function(name: str) -> Any:
    """Declare f(A) with the gradient L(Aᵀ, G), a block of f([[Aᵀ, G], [0, Aᵀ]]) (Mathias 1996): right to any order."""
    there = getattr(sp, name)

    def rule(g: Any, a: Any) -> Any:
        n, at = a.shape[-1], flip(a)
        upper = np.concatenate([at, g], axis=-1)
        lower = np.concatenate([np.zeros(a.shape, a.dtype), at], axis=-1)
        return declared(np.concatenate([upper, lower], axis=-2))[..., :n, n:]

    declared: Any = _declare(
        name, lambda a: _real(there(_floating(a)), a, name), inputs=["a"], vjp=rule, domain=_square
    )
    return declared


expm, logm = _matrix_function("expm"), _matrix_function("logm")
sinm, cosm, sinhm, coshm = (_matrix_function(name) for name in ("sinm", "cosm", "sinhm", "coshm"))
sqrtm = _declare(
    "sqrtm",
    lambda a: _real(sp.sqrtm(_floating(a)), a, "sqrtm"),
    vjp=lambda g, y: solve_sylvester(flip(y), flip(y), g),  # X dX + dX X = dA
    domain=_square,
)

# ------------------------------------------------------------------------------------------------------- linear systems


def _columns(b: Any) -> tuple[Any, bool]:
    b = as_array(b)
    return (np.expand_dims(b, -1), True) if b.ndim == 1 else (b, False)


def _solve_samples(rng: np.random.Generator) -> Samples:
    yield (_near(rng, 3, 3, 2), rng.uniform(-1, 1, (3, 2))), {}


_solve: Any = _declare(
    "solve",
    lambda a, b, assume_a="gen": float_like(sp.solve(a, b, assume_a=assume_a), a, b),
    vjp=lambda g, a, y, assume_a, shapes, needs: _solve_rule(_solve(flip(a), g, assume_a=assume_a), y, shapes, needs),
    domain=_solve_samples,
)


def _solve_rule(u: Any, y: Any, shapes: Any, needs: Any) -> Any:
    """Compute Ā = −U Yᵀ and B̄ = U, where Aᵀ U = G, summed over what was broadcast."""
    a = unbroadcast(-(u @ flip(y)), shapes[0]) if needs[0] else None
    return a, unbroadcast(u, shapes[1]) if needs[1] else None


_READS = {
    "general": lambda a, lower: a,
    "symmetric": lambda a, lower: _part(a, lower) + flip(np.tril(a, -1) if lower else np.triu(a, 1)),
    "hermitian": lambda a, lower: mirrored(a, "L" if lower else "U"),
    "positive definite": lambda a, lower: mirrored(a, "L" if lower else "U"),
    "upper triangular": lambda a, lower: np.triu(a),
    "lower triangular": lambda a, lower: np.tril(a),
    "diagonal": lambda a, lower: a * np.eye(a.shape[-1], dtype=a.dtype),
}
_LONG = {
    None: "general",
    "gen": "general",
    "sym": "symmetric",
    "her": "hermitian",
    "pos": "positive definite",
}


def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: str | None = None,
    transposed: bool = False,
) -> Any:
    """Solve A x = b for b (n,) or (n, k), reading of A what ``assume_a`` says; with ``transposed`` Aᵀ x = b."""
    kind = _LONG.get(assume_a, assume_a)
    if kind not in _READS:
        raise ArgumentError(
            f"scipy.linalg.solve: assume_a={assume_a!r} has no gradient; use one of {', '.join(_READS)}."
        )
    matrix = _READS[kind](as_array(a), lower)
    columns, single = _columns(b)
    short = {"symmetric": "sym", "hermitian": "her", "positive definite": "pos"}.get(kind, "gen")
    x = _solve(flip(matrix) if transposed else matrix, columns, assume_a=short)
    return np.squeeze(x, -1) if single else x


def _conjugated(a: Any) -> Any:
    return np.conj(a) if a.dtype.kind == "c" else a


def _part(a: Any, lower: bool) -> Any:
    return np.tril(a) if lower else np.triu(a)


def _triangular_rule(g: Any, a: Any, y: Any, lower: bool, shapes: Any, needs: Any) -> Any:
    u = _triangular(flip(_part(a, lower)), g, lower=not lower)
    of_a, of_b = _solve_rule(u, y, shapes, needs)
    return _part(of_a, lower) if needs[0] else None, of_b


_triangular = _declare(
    "solve_triangular",
    lambda a, b, lower=False: float_like(sp.solve_triangular(a, b, lower=lower), a, b),
    vjp=_triangular_rule,
    domain=lambda rng: ((args, {"lower": lower}) for lower in (False, True) for args, _ in _solve_samples(rng)),
)


def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Any:
    """Solve A x = b with A triangular, Aᵀ x = b for ``trans`` 1 or "T", Aᴴ x = b for 2 or "C".

    The other triangle is not read.
    """
    a = as_array(a) if trans not in (2, "C") else _conjugated(as_array(a))
    if unit_diagonal:
        a = np.tril(a, -1) + np.triu(a, 1) + np.eye(a.shape[-1], dtype=a.dtype)
    columns, single = _columns(b)
    turned = trans not in (0, "N")
    x = _triangular(flip(_part(a, lower)), columns, lower=not lower) if turned else _triangular(a, columns, lower=lower)
    return np.squeeze(x, -1) if single else x


# ------------------------------------------------------------------------------------------------------ factorizations


def _definite(rng: np.random.Generator) -> Samples:
    for lower in (False, True):
        yield (_near(rng, 3, 3, 3),), {"lower": lower}


@implements(domain=_definite, name="scipy.linalg.cholesky")
def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Factor a positive definite A = UᵀU, reading its upper triangle; with ``lower`` A = L Lᵀ, reading the lower."""
    return np.linalg.cholesky(as_array(a)) if lower else flip(np.linalg.cholesky(flip(as_array(a))))


def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, bool]:
    """Return ``(c, lower)`` for ``cho_solve``: the factor of ``cholesky``, with zeros where SciPy leaves anything."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """Solve A x = b, given the factor of A that ``cho_factor`` returns."""
    c, lower = c_and_lower
    first, second = (0, 2) if lower else (2, 0)  # A = L Lᴴ, or UᴴU
    return solve_triangular(c, solve_triangular(c, b, first, lower), second, lower)


def _lu_forward(a: Any) -> Any:
    p, lower, upper = sp.lu(a, p_indices=True)
    return np.asarray(p), lower, upper


def _lu_rule(g: Any, y: Any) -> Any:
    """Compute L⁻ᵀ (tril(LᵀL̄, −1) + triu(ŪUᵀ)) U⁻ᵀ; rows or columns beyond the square follow from their solutions."""
    (rows, lower, upper), (_, gl, gu) = y, g
    n = min(lower.shape[-2], upper.shape[-1])
    square, side, below, beside = lower[..., :n, :], lower[..., n:, :], None, None
    if side.shape[-2]:
        below = flip(np.linalg.solve(upper, flip(gl[..., n:, :])))
        gu = gu - flip(side) @ below
    elif upper.shape[-1] > n:
        beside = np.linalg.solve(flip(lower), gu[..., n:])
        gl, gu, upper = gl - beside @ flip(upper[..., n:]), gu[..., :n], upper[..., :n]
    m = np.tril(flip(square) @ gl[..., :n, :], -1) + np.triu(gu @ flip(upper))
    b = flip(np.linalg.solve(upper, flip(np.linalg.solve(flip(square), m))))
    parts = [b] if below is None else [b, below]
    whole = np.concatenate(parts, axis=-2) if beside is None else np.concatenate([b, beside], axis=-1)
    return np.take_along_axis(whole, np.expand_dims(unbox(rows), -1), axis=-2)


def _rectangles(rng: np.random.Generator) -> Samples:
    for m, n in ((3, 3), (4, 2), (2, 4)):
        yield (_near(rng, m, n, 1)[::-1].copy(),), {}


_lu = _declare("lu", _lu_forward, inputs=["a"], vjp=_lu_rule, domain=_rectangles)


@by_numbers()
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    """Factor A = P L U with rows exchanged; ``permute_l`` gives (P L, U), ``p_indices`` P as the order of the rows."""
    rows, lower, upper = _lu(as_array(a))
    order = unbox(rows)
    if permute_l:
        return np.take_along_axis(lower, np.expand_dims(order, -1), axis=-2), upper
    if p_indices:
        return order, lower, upper
    return np.eye(order.shape[-1], dtype=lower.dtype)[order], lower, upper


@by_numbers()
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Any, Any]:
    """Return ``(lu, piv)`` for ``lu_solve``: L below the diagonal, U on and above it, and the exchanges of rows."""
    _, lower, upper = _lu(as_array(a))
    n = min(lower.shape[-2], upper.shape[-1])
    if lower.shape[-2] != upper.shape[-1] and is_recording(a):
        raise MissingRule(f"scipy.linalg.lu_factor of shape {np.shape(unbox(a))} has no gradient rule. Use lu.")
    pivots = sp.lu_factor(unbox(a))[1]
    return np.tril(lower[..., :n], -1) + upper, pivots


@by_numbers()
def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True) -> Any:
    """Solve A x = b, Aᵀ x = b for ``trans=1``, or Aᴴ x = b for 2, given what ``lu_factor`` returns."""
    factors, pivots = lu_and_piv
    order = np.arange(len(pivots))
    for i, j in enumerate(pivots):
        order[[i, j]] = order[[j, i]]
    if trans:
        y = solve_triangular(factors, solve_triangular(factors, b, trans), trans, True, True)
        return y[np.argsort(order)]
    return solve_triangular(factors, solve_triangular(factors, as_array(b)[order], 0, True, True))


def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """Factor A = Q R; ``mode`` "full", "economic" or "r" ((R,) alone), ``pivoting`` adds the order of the columns.

    The full Q of a tall matrix has columns that can be turned freely, so it has no gradient: use "economic".
    """
    a = as_array(a)
    m, n = a.shape[-2:]
    if mode not in ("full", "economic", "r") or (mode == "full" and m > n):
        return constant(sp.qr, f"scipy.linalg.qr(mode={mode!r})", "Use mode='economic'.")(
            a, mode=mode, pivoting=pivoting
        )
    order = sp.qr(unbox(a), mode="r", pivoting=True)[1] if pivoting else None
    q, r = np.linalg.qr(a if order is None else a[..., order])
    if mode == "r":
        below = np.zeros((*a.shape[:-2], max(m - n, 0), n), r.dtype)
        parts: tuple[Any, ...] = (np.concatenate([r, below], axis=-2) if m > n else r,)
    else:
        parts = (q, r)
    return parts if order is None else (*parts, order)


# ----------------------------------------------------------------------------------------------------- matrix equations


def _sylvester_rule(g: Any, a: Any, b: Any, y: Any, needs: Any) -> Any:
    """Compute Q̄ = S with AᵀS + S Bᵀ = G, Ā = −S Xᵀ and B̄ = −XᵀS."""
    s = solve_sylvester(flip(a), flip(b), g)
    return -(s @ flip(y)) if needs[0] else None, -(flip(y) @ s) if needs[1] else None, s if needs[2] else None


def _sylvester_samples(rng: np.random.Generator) -> Samples:
    yield (_near(rng, 3, 3, 2), _near(rng, 2, 2, 1), rng.uniform(-1, 1, (3, 2))), {}


solve_sylvester: Any = _declare(
    "solve_sylvester",
    lambda a, b, q: float_like(sp.solve_sylvester(a, b, q), a, b, q),
    vjp=_sylvester_rule,
    domain=_sylvester_samples,
)


def _lyapunov_samples(rng: np.random.Generator) -> Samples:
    yield (_near(rng, 3, 3, 2), rng.uniform(-1, 1, (3, 3))), {}


@implements(domain=_lyapunov_samples, name="scipy.linalg.solve_continuous_lyapunov")
def solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    """Solve A X + X Aᴴ = Q."""
    return solve_sylvester(as_array(a), adjoint(as_array(a)), q)


def _discrete_rule(g: Any, a: Any, y: Any, needs: Any) -> Any:
    """Compute Q̄ = S with AᴴS A − S + G = 0, and Ā = S A Xᴴ + SᴴA X."""
    s = _discrete_lyapunov(adjoint(a), g)
    return s @ a @ adjoint(y) + adjoint(s) @ a @ y if needs[0] else None, s if needs[1] else None


_discrete_lyapunov = _declare(
    "solve_discrete_lyapunov",
    lambda a, q: float_like(sp.solve_discrete_lyapunov(a, q), a, q),
    vjp=_discrete_rule,
    holomorphic=False,
    domain=lambda rng: iter([((0.5 * rng.uniform(-1, 1, (3, 3)), rng.uniform(-1, 1, (3, 3))), {})]),
)


def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """Solve A X Aᴴ − X + Q = 0."""
    return _discrete_lyapunov(as_array(a), as_array(q))


# --------------------------------------------------------------------------------------- what NumPy has under that name


def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Invert a matrix, as ``np.linalg.inv``."""
    return np.linalg.inv(as_array(a))


def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """Compute the determinant, as ``np.linalg.det``."""
    return np.linalg.det(as_array(a))


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Compute U, the singular values and Vᵀ, as ``np.linalg.svd``."""
    return tuple(np.linalg.svd(as_array(a), full_matrices)) if compute_uv else np.linalg.svdvals(as_array(a))


def eigh(a: Any, *, lower: bool = True, eigvals_only: bool = False) -> Any:
    """Compute eigenvalues and eigenvectors of a symmetric matrix, as ``np.linalg.eigh``."""
    triangle: Any = "L" if lower else "U"
    return np.linalg.eigvalsh(as_array(a), triangle) if eigvals_only else tuple(np.linalg.eigh(as_array(a), triangle))


def eigvalsh(a: Any, *, lower: bool = True) -> Any:
    """Compute the eigenvalues of a symmetric matrix, as ``np.linalg.eigvalsh``."""
    return eigh(a, lower=lower, eigvals_only=True)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, check_finite: bool = True) -> Any:
    """Compute a norm, as ``np.linalg.norm``."""
    return np.linalg.norm(as_array(a), ord, axis, keepdims)


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.linalg``, for plain arrays."""
    return without_rule("linalg", name)
