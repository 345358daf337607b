"""Matrix decompositions: cholesky, eigh, eig, svd and qr on stacks of real and complex matrices.

A gradient is that of NumPy's function as it is: where that reads one triangle of a symmetric matrix, the gradient lies
in that triangle (for a symmetric G, 2G below the diagonal and G on it).

What has no gradient: vectors that belong to equal eigenvalues or singular values can be turned into each other freely.
A loss that depends on the values only, or on other vectors, has its right gradient even then; one that depends on such
vectors gets nan, never a number that looks right. The sign of each vector is free too: a loss should not depend
on it. Of complex vectors the phase is free, and a loss that depends on it is refused.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.application import rebuild
from autograd.box import Box, is_recording, unbox, wrap
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import as_array
from autograd.ops.products import Samples, square_matrices
from autograd.primitive import implements, op

_QRResult = type(np.linalg.qr(np.eye(1)))


def flip(a: Any) -> Any:
    """Transpose the matrices of a stack."""
    return a.T if a.ndim == 2 else np.swapaxes(a, -1, -2)


def adjoint(a: Any) -> Any:
    """Transpose the matrices of a stack, and conjugate complex ones: Aᴴ, for real matrices Aᵀ."""
    return np.conjugate(flip(a)) if a.dtype.kind == "c" else flip(a)


def _half(a: Any, triangle: str) -> Any:
    """Take a triangle, and half of its diagonal."""
    part = np.tril(a) if triangle == "L" else np.triu(a)
    return part * (1 - 0.5 * np.eye(a.shape[-1])).astype(a.dtype)


def folded(g: Any, triangle: str) -> Any:
    """Move the gradient of a symmetric or Hermitian matrix into the triangle that was read."""
    if g.dtype.kind == "c":
        return _half(g + adjoint(g), triangle)
    return np.tril(g) + np.tril(flip(g), -1) if triangle == "L" else np.triu(g) + np.triu(flip(g), 1)


def mirrored(a: Any, triangle: str) -> Any:
    """Make a symmetric (complex: Hermitian) matrix of one triangle."""
    a = square_matrices(a, "a symmetric matrix")
    if a.dtype.kind == "c":
        half = _half(a, triangle)
        return half + adjoint(half)
    return np.tril(a) + flip(np.tril(a, -1)) if triangle == "L" else np.triu(a) + flip(np.triu(a, 1))


# 1 / gap, nan between equal values. Where values are close, the rounding of what it is multiplied with, which should
# vanish with the gap, makes the derivative meaningless.
_over: Any = op(
    lambda gap, equal=None, close=None: np.where(equal, np.nan, 1 / np.where(equal, 1.0, gap)).astype(gap.dtype),
    name="over_gap",
    symbol="1 ÷",
    elementwise=True,
    vjp=lambda g, y, close: -g * (y * y) * np.where(close, np.nan, 1.0).astype(g.dtype),
    domain=lambda rng: iter([((rng.uniform(1, 2, (2, 2)),), {"equal": np.False_, "close": np.zeros((2, 2), bool)})]),
)


def _over_gaps(gaps: Any, size: Any, *used: Any) -> Any:
    """Compute 1 / gap between values, 0 on the diagonal: nan for those that differ by rounding of the largest ``size``.

    It is 0, too, between values of whose vectors none is ``used``: a mask cut their gradients off. Gradients that
    happen to be 0 count, as those of log A = V diag(log w) Vᴴ at w = 1.
    """
    n, distance = gaps.shape[-1], np.abs(unbox(gaps))
    largest = np.expand_dims(np.max(np.abs(unbox(size)), -1, initial=0.0), (-2, -1))
    rounding = np.finfo(distance.dtype).eps
    equal, close = distance <= 1024 * n * rounding * largest, distance <= 64 * np.sqrt(rounding) * largest
    some = np.any(np.broadcast_arrays(*used), axis=0)
    pairs = (np.expand_dims(some, -1) | np.expand_dims(some, -2)) & ~np.eye(n, dtype=bool)
    apart = np.where(pairs | ~equal, gaps, 1.0)
    return np.where(pairs | (~equal & ~np.eye(n, dtype=bool)), _over(apart, equal=equal & pairs, close=close), 0.0)


def _used(n: int, arrived: bool, alive: Any, axis: int = -2) -> Any:
    """Tell which of ``n`` vectors get a gradient that no mask cut off; their elements stand along ``axis``."""
    return np.full(n, arrived) if alive is None else np.any(alive, axis=axis)


# ------------------------------------------------------------------------------------------------------------ cholesky


def _cholesky_rule(g: Any, y: Any) -> Any:
    """Compute L⁻ᴴ Φ(Lᴴ G) L⁻¹, folded; Φ takes the lower triangle and halves its diagonal (Murray 2016)."""
    lt = adjoint(y)
    halved = np.tril(np.ones(y.shape[-2:], y.dtype)) - 0.5 * np.eye(y.shape[-1], dtype=y.dtype)
    half = np.linalg.solve(lt, (lt @ g) * halved)
    return folded(adjoint(np.linalg.solve(lt, adjoint(half))), "L")


_cholesky = op(
    lambda a: np.linalg.cholesky(a), name="cholesky", vjp=_cholesky_rule, holomorphic=False, batch=lanes.stacked
)


def _positive(rng: np.random.Generator) -> Samples:
    for shape in ((1, 1), (3, 3), (2, 3, 3)):
        yield (rng.uniform(-0.5, 0.5, shape) + 3 * np.eye(shape[-1]),), {}
    yield (rng.uniform(-0.5, 0.5, (3, 3)) + 3 * np.eye(3),), {"upper": True}


@implements(np.linalg.cholesky, domain=_positive)
def cholesky(a: Any, *, upper: bool = False) -> Any:
    """Factor a positive definite A = L Lᴴ, reading its lower triangle; with ``upper`` A = UᴴU, reading the upper."""
    a = square_matrices(a, "cholesky")
    return adjoint(_cholesky(adjoint(a))) if upper else _cholesky(a)


def _check_phase(name: str, turned: Any, cotangent: Any) -> None:
    """Refuse a gradient that would change if a complex vector were multiplied with a number of size 1.

    ``turned`` are the parts of the derivative along these turns, which are 0 for a loss that does not see them.
    """
    if turned.dtype.kind != "c":
        return
    along, size = np.abs(unbox(turned).imag), np.max(np.abs(unbox(cotangent)), initial=0.0)
    eps = np.finfo(along.dtype).eps
    if np.any(along > np.sqrt(eps) * size + 1024 * eps):  # terms of size 1 that cancel leave their rounding
        raise ArgumentError(
            f"{name}: the loss depends on the phase of complex vectors, which can be turned freely (v and -v, v and iv "
            "are equally good), so it has no gradient. Use what does not depend on it: abs(v), or v @ v^H."
        )


def _columns(a: Any) -> Any:
    """Return the diagonals of a stack of matrices."""
    return np.diagonal(a, axis1=-2, axis2=-1)


# ---------------------------------------------------------------------------------------------------------------- eigh


def _eigh(a: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigh(a, UPLO)


def _eigh_rule(g: Any, y: Any, UPLO: str, arrived: Any, alive: Any) -> Any:
    """Compute V (diag(w̄) + F ∘ VᴴV̄) Vᴴ, F[i, j] = 1 / (w[j] − w[i]) (Giles 2008), in the triangle that was read."""
    (gw, gv), (w, v) = g, y
    vt = adjoint(v)
    inner = np.expand_dims(gw, -1) * vt
    if arrived[1]:
        gaps, m = np.expand_dims(w, -2) - np.expand_dims(w, -1), vt @ gv
        _check_phase("eigh", _columns(m), gv)
        inner = inner + (m * _over_gaps(gaps, w, _used(w.shape[-1], True, alive[1]))) @ vt
    return folded(v @ inner, UPLO.upper())


_eig = op(_eigh, name="eigh", vjp=_eigh_rule, holomorphic=False, batch=lanes.stacked)


def _eigenvalues(a: Any, UPLO: Any = "L") -> Any:
    return np.linalg.eigvalsh(a, UPLO)


def _eigenvalues_rule(g: Any, a: Any, UPLO: Any) -> Any:
    v = np.linalg.eigh(a, UPLO)[1]
    return folded((v * np.expand_dims(g, -2)) @ adjoint(v), UPLO.upper())


_eigvals = op(_eigenvalues, name="eigvalsh", vjp=_eigenvalues_rule, batch=lanes.stacked)


def _symmetric(rng: np.random.Generator) -> Samples:
    for shape in ((1, 1), (3, 3), (2, 3, 3)):
        yield (rng.uniform(-0.5, 0.5, shape) + np.diag([1.0, 3.0, 6.0][: shape[-1]]),), {}
    yield (rng.uniform(-0.5, 0.5, (3, 3)) + np.diag([1.0, 3.0, 6.0]), "U"), {}


@implements(np.linalg.eigh, domain=_symmetric)
def eigh(a: Any, UPLO: str = "L") -> Any:
    """Compute ``(eigenvalues, eigenvectors)`` of a Hermitian A = V diag(w) Vᴴ, of which the triangle ``UPLO`` is read.

    Where eigenvalues are equal, their sum is differentiable, their vectors are not (see the top of this file).
    """
    return _eig(square_matrices(a, "eigh"), UPLO=UPLO)


@implements(np.linalg.eigvalsh, domain=_symmetric)
def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Compute the eigenvalues of a symmetric matrix in ascending order; the vectors are worked out in backward only."""
    return _eigvals(square_matrices(a, "eigvalsh"), UPLO=UPLO)


# ----------------------------------------------------------------------------------------------------------------- eig


def _general(a: Any) -> Any:
    """Compute eigenvalues and eigenvectors as complex numbers, whatever they are."""
    w, v = np.linalg.eig(a)
    kind = np.result_type(w.dtype, np.complex64)
    return w.astype(kind), v.astype(kind)


def _general_rule(g: Any, y: Any, arrived: Any, alive: Any) -> Any:
    """Compute V⁻ᴴ (diag(w̄) + F ∘ (VᴴV̄ − VᴴV diag(VᴴV̄))) Vᴴ with F[i, j] = 1 / (w[j] − w[i])* (Boeddeker et al. 2017).

    The columns of V have length 1, which takes the second term off.
    """
    (gw, gv), (w, v) = g, y
    vt = adjoint(v)
    inner = np.expand_dims(gw, -1) * vt
    gaps = np.conjugate(np.expand_dims(w, -2) - np.expand_dims(w, -1))
    if arrived[1]:
        m = vt @ gv
        along = _columns(m)
        _check_phase("eig", along, gv)
        m = m - (vt @ v) * np.expand_dims(along.real, -2)
        inner = inner + (m * _over_gaps(gaps, w, _used(w.shape[-1], True, alive[1]))) @ vt
    else:  # the values alone: as their vectors meet where they are equal, so do their derivatives
        used = np.full(w.shape[-1], True) if alive[0] is None else alive[0]
        distinct = _over_gaps(gaps, w, used)
        inner = inner + 0.0 * np.sum(distinct, axis=-1, keepdims=True)
    return np.linalg.solve(vt, inner)


_general_eig = op(_general, name="eig", vjp=_general_rule, holomorphic=False, batch=lanes.stacked)
_EigResult = type(np.linalg.eig(np.eye(1)))


def all_real(a: Any, w: Any) -> bool:
    """Tell whether NumPy gives real numbers: for a real matrix that has real eigenvalues only."""
    return a.dtype.kind != "c" and not np.any(np.imag(unbox(w)))


def _real_spectrum(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(-0.2, 0.2, (2, 3, 3)) + np.diag([1.0, 3.0, 6.0]),), {}


@implements(np.linalg.eig, domain=_real_spectrum)
def eig(a: Any) -> Any:
    """Compute ``(eigenvalues, eigenvectors)`` of general matrices A V = V diag(w): complex, unless all are real.

    The eigenvalues must be distinct; of equal ones the gradient is nan. The vectors have length 1 and a free phase, on
    which a loss may not depend.
    """
    a = square_matrices(a, "eig")
    w, v = _general_eig(a)
    return _EigResult(*((w.real, v.real) if all_real(a, w) else (w, v)))


@implements(np.linalg.eigvals, domain=_real_spectrum)
def eigvals(a: Any) -> Any:
    """Compute the eigenvalues of general matrices: complex, unless all are real. They must be distinct."""
    a = square_matrices(a, "eigvals")
    w, _ = _general_eig(a)
    return w.real if all_real(a, w) else w


# ----------------------------------------------------------------------------------------------------------------- svd


def _thin_svd(a: Any) -> Any:
    return np.linalg.svd(a, full_matrices=False)


def _svd_rule(g: Any, y: Any, arrived: Any, alive: Any) -> Any:
    """Compute the gradient of the thin A = U S Vᴴ (Townsend 2016, "Differentiating the singular value decomposition").

    Ā = U [(F ∘ (UᴴŪ − ŪᴴU)) S + diag(s̄) + S (F ∘ (VᴴV̄ − V̄ᴴV))] Vᴴ + (I − UUᴴ) Ū S⁻¹ Vᴴ + U S⁻¹ V̄ᴴ (I − VVᴴ), where
    F[i, j] = 1 / (s[j]² − s[i]²); complex U turn V with them: U i Im(diag UᴴŪ) S⁻¹ Vᴴ (Wan & Zhang 2019).
    """
    (gu, gs, gvt), (u, s, vt) = g, y
    ut, v = adjoint(u), adjoint(vt)
    row, column = np.expand_dims(s, -2), np.expand_dims(s, -1)
    a = (u * np.expand_dims(gs, -2)) @ vt
    if not (arrived[0] or arrived[2]):
        return a
    k = s.shape[-1]
    used = _used(k, arrived[0], alive[0]), _used(k, arrived[2], alive[2], axis=-1)
    f = _over_gaps((row - column) * (row + column), s * s, *used)
    if u.dtype.kind == "c":
        turned = _columns(ut @ gu)
        _check_phase("svd", turned + _columns(vt @ adjoint(gvt)), np.concatenate([np.ravel(gu), np.ravel(gvt)]))
        a = a + (u * np.expand_dims(1j * turned.imag / s, -2)) @ vt
    if arrived[0]:
        m = ut @ gu
        turns = m * f
        a = a + u @ ((turns + adjoint(turns)) * row) @ vt
        if u.shape[-2] > u.shape[-1]:
            a = a + (gu - u @ m) / row @ vt
    if arrived[2]:
        m = vt @ adjoint(gvt)
        turns = m * f
        a = a + u @ (column * (turns + adjoint(turns))) @ vt
        if v.shape[-2] > v.shape[-1]:
            a = a + u @ ((gvt - adjoint(m) @ vt) / column)
    return a


_svd = op(_thin_svd, name="svd", vjp=_svd_rule, holomorphic=False, batch=lanes.stacked)


def _full_svd(a: Any) -> Any:
    return np.linalg.svd(a, full_matrices=True)


def _full_svd_rule(g: Any, y: Any, arrived: Any, alive: Any) -> Any:
    (gu, gs, gvt), (u, s, vt) = g, y
    k = s.shape[-1]
    if np.any(gu[..., k:] != 0) or np.any(gvt[..., k:, :] != 0):
        raise MissingRule(
            "svd(full_matrices=True): the vectors beyond the first min(M, N) can be turned freely, so they have no "
            "gradient. Use full_matrices=False."
        )
    thin = [part if part is None else part[..., :k] for part in alive[:2]]
    thin.append(alive[2] if alive[2] is None else alive[2][..., :k, :])
    return _svd_rule((gu[..., :k], gs, gvt[..., :k, :]), (u[..., :k], s, vt[..., :k, :]), arrived, thin)


_complete = op(_full_svd, name="svd", vjp=_full_svd_rule, holomorphic=False, batch=lanes.stacked)


def _svd_samples(rng: np.random.Generator) -> Samples:
    for m, n in ((3, 3), (4, 2), (2, 4)):
        yield (rng.uniform(-0.5, 0.5, (m, n)) + np.diag([1.0, 3.0, 6.0, 9.0])[:m, :n],), {"full_matrices": False}
    yield (rng.uniform(-0.5, 0.5, (2, 2, 2)) + np.diag([1.0, 3.0]),), {}
    yield (rng.uniform(-0.5, 0.5, (3, 2)) + np.eye(3, 2) * [1.0, 3.0],), {"compute_uv": False}


@implements(np.linalg.svd, domain=_svd_samples)
def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Compute ``(U, S, Vh)`` with A = U diag(S) Vh, or S alone for ``compute_uv=False``.

    Gradients flow through the first min(M, N) vectors. Where singular values are equal (or, for the vectors, zero),
    see the top of this file.
    """
    a = mirrored(a, "L") if hermitian else as_array(a)
    if not compute_uv:
        return svdvals(a)
    return _complete(a) if full_matrices and a.shape[-2:-1] != a.shape[-1:] else _svd(a)


def _singular_values(a: Any) -> Any:
    return np.linalg.svd(a, compute_uv=False)


def _singular_values_rule(g: Any, a: Any) -> Any:
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return (u * np.expand_dims(g, -2)) @ vt


def _rectangles(rng: np.random.Generator) -> Samples:
    for args, _ in _svd_samples(rng):
        yield args, {}


svdvals = op(_singular_values, name="svdvals", vjp=_singular_values_rule, domain=_rectangles, batch=lanes.stacked)
implements(np.linalg.svdvals, domain=_rectangles, name="svdvals")(svdvals)


# ------------------------------------------------------------------------------------------------------------------ qr


def _qr_rule(g: Any, y: Any) -> Any:
    """Compute (Q̄ + Q · M) R⁻ᴴ, M being R R̄ᴴ − Q̄ᴴQ mirrored from its lower triangle (Seeger et al. 2017)."""
    (gq, gr), (q, r) = g, y
    own, columns = np.abs(np.diagonal(r, axis1=-2, axis2=-1)), np.max(np.abs(r), axis=-2, initial=0.0)
    if (own <= r.shape[-1] * np.finfo(r.dtype).eps * columns).any():  # rounding decides whether it is exactly 0
        raise ArgumentError("qr: the gradient needs linearly independent columns, but R has a zero on its diagonal.")
    m = r @ adjoint(gr) - adjoint(gq) @ q
    return adjoint(np.linalg.solve(r, adjoint(gq + q @ mirrored(m, "L"))))


_qr = op(lambda a: np.linalg.qr(a), name="qr", vjp=_qr_rule, holomorphic=False, batch=lanes.stacked)


def _qr_samples(rng: np.random.Generator) -> Samples:
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2)):
        yield (rng.uniform(-1, 1, shape) + 2 * np.eye(*shape[-2:]),), {}
    yield (rng.uniform(-1, 1, (3, 2)) + 2 * np.eye(3, 2),), {"mode": "r"}


@implements(np.linalg.qr, domain=_qr_samples)
def qr(a: Any, mode: Any = "reduced") -> Any:
    """Factor A = Q R: orthonormal columns, upper triangle; ``mode`` "reduced", "r" (R alone) or "complete" (M <= N).

    A wide A = [X | Y] is factored through X = Q U with R = [U | QᵀY]. The first min(M, N) columns must be linearly
    independent.
    """
    a = as_array(a)
    m, n = a.shape[-2:]
    if mode not in ("reduced", "r", "complete") or (mode == "complete" and m > n):
        if is_recording(a):
            raise MissingRule(f"qr(mode={mode!r}) of shape {a.shape} has no gradient rule. Use mode='reduced'.")
        y: Any = np.linalg.qr(unbox(a), mode)
        return rebuild(y, [wrap(part) for part in y]) if isinstance(a, Box) else y
    if m < n:
        q, u = _qr(a[..., :m])
        y = _QRResult(q, np.concatenate([u, adjoint(q) @ a[..., m:]], axis=-1))
    else:
        y = _qr(a)
    return y[1] if mode == "r" else y
