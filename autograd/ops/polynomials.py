"""Polynomials, given by their coefficients from the highest power down."""

from __future__ import annotations  # numpy.random is loaded when it is first used

import warnings
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, MissingRule, ShapeError
from autograd.ops.axes import as_array, cases, draw
from autograd.ops.decompositions import all_real
from autograd.ops.linalg import inv, lstsq
from autograd.ops.products import matmul
from autograd.ops.windows import convolve
from autograd.primitive import implements, op


def _polyval_samples(rng: np.random.Generator) -> Any:
    yield (draw(rng, (3,)), draw(rng, (2, 2))), {}
    yield (draw(rng, (1,)), draw(rng, ())), {}


@implements(np.polyval, domain=_polyval_samples)
def polyval(p: Any, x: Any) -> Any:
    """Compute p[0] xⁿ⁻¹ + … + p[n - 1] by Horner's scheme, for all of ``x`` at once."""
    if isinstance(x, np.poly1d):
        raise MissingRule("np.polyval of a polynomial at a polynomial has no gradient rule. Pass x as an array.")
    p, x = as_array(p), as_array(x)
    y = np.zeros_like(unbox(x)) * x
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.vander, domain=cases(((3,), {}), ((3,), 4, {"increasing": True}), ((2,), {"N": 1})))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Return the matrix of powers: rows xᵢⁿ⁻¹ … xᵢ, 1, or the other way round."""
    x = as_array(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: takes a vector, got shape {x.shape}.")
    dtype = np.promote_types(x.dtype, int)
    powers = np.arange(x.shape[0] if N is None else N)
    return np.expand_dims(x.astype(dtype), 1) ** (powers if increasing else powers[::-1]).astype(dtype)


def _polyfit_samples(rng: np.random.Generator) -> Any:
    x, y, w = draw(rng, (5,)), draw(rng, (5, 2)), rng.uniform(0.5, 2, 5)
    yield (x, y[:, 0], 2), {}
    yield (x, y, 1), {"w": w}
    yield (x, y, 1), {"cov": True}


@implements(np.polyfit, domain=_polyfit_samples)
def polyfit(
    x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Any:
    """Fit a polynomial of degree ``deg`` to points by least squares of w (p(x) - y); ``y`` may hold several columns.

    Gives the coefficients; with ``full`` also the other results of ``lstsq`` and ``rcond``, with ``cov`` the
    coefficients and their covariances.
    """
    x, y = as_array(x), as_array(y)
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[:1] != x.shape or not x.size or deg < 0:
        raise ShapeError(
            f"polyfit: takes x (M,), y (M,) or (M, K) with M > 0 and deg >= 0, got shapes {x.shape} and {y.shape} and "
            f"deg={deg}."
        )
    powers = vander(x, int(deg) + 1)
    if w is not None:
        powers, y = (powers.T * w).T, (y.T * w).T
    rcond = x.size * np.finfo(x.dtype if x.dtype.kind == "f" else float).eps if rcond is None else rcond
    scale = np.sqrt(np.sum(powers * powers, 0))
    powers = powers / scale
    solution, residuals, rank, s = lstsq(powers, y, rcond)
    solution = (solution.T / scale).T
    if full:
        return solution, residuals, rank, s, rcond
    if rank != powers.shape[1]:
        warnings.warn("Polyfit may be poorly conditioned", np.exceptions.RankWarning, stacklevel=2)
    if not cov:
        return solution
    base = inv(powers.T @ powers) / (np.expand_dims(scale, 1) * scale)
    if cov != "unscaled":
        if x.size <= powers.shape[1]:
            raise ArgumentError(
                f"polyfit: covariances of {powers.shape[1]} coefficients need more than {x.size} points."
            )
        spread = residuals / (x.size - powers.shape[1])
        base = base * spread if y.ndim == 1 else np.expand_dims(base, -1) * spread
    elif y.ndim == 2:
        base = np.expand_dims(base, -1)
    return solution, base


# ---------------------------------------------------------------------------------------- arithmetic of polynomials


def _coefficients(p: Any, name: str) -> Any:
    p = np.atleast_1d(as_array(p))
    if p.ndim != 1:
        raise ShapeError(f"{name}: coefficients must form a vector, got shape {p.shape}.")
    return p


def _two(rng: np.random.Generator) -> Any:
    yield (draw(rng, (3,)), draw(rng, (2,))), {}
    yield (draw(rng, (2,)), draw(rng, (4,))), {}


@implements(np.polyadd, domain=_two)
def polyadd(a1: Any, a2: Any) -> Any:
    """Add two polynomials."""
    a, b = _coefficients(a1, "polyadd"), _coefficients(a2, "polyadd")
    n = max(a.size, b.size)
    a, b = (np.concatenate([np.zeros(n - p.size, p.dtype), p]) if p.size < n else p for p in (a, b))
    return a + b


@implements(np.polysub, domain=_two)
def polysub(a1: Any, a2: Any) -> Any:
    """Subtract two polynomials."""
    return polyadd(a1, -_coefficients(a2, "polysub"))


@implements(np.polymul, domain=_two)
def polymul(a1: Any, a2: Any) -> Any:
    """Multiply two polynomials; zeros before the highest power are left out."""
    return convolve(*[_without_zeros(_coefficients(p, "polymul")) for p in (a1, a2)])


def _without_zeros(p: Any) -> Any:
    found = np.flatnonzero(unbox(p))
    return p[found[0] if found.size else p.size - 1 :]


def _division(rng: np.random.Generator) -> Any:
    yield (draw(rng, (4,)), np.array([1.5, -0.7])), {}
    yield (draw(rng, (2,)), draw(rng, (3,))), {}


@implements(np.polydiv, domain=_division)
def polydiv(u: Any, v: Any) -> Any:
    """Divide two polynomials: ``(quotient, remainder)``; zeros before the remainder's highest power are left out."""
    u, v = _coefficients(u, "polydiv") + 0.0, _coefficients(v, "polydiv") + 0.0
    r, q, n = u + v[0] * 0, list[Any](), v.size
    for k in range(u.size - n + 1):
        d = (1.0 / v[0]) * r[k]
        q.append(d)
        r = np.concatenate([r[:k], r[k : k + n] - d * v, r[k + n :]])
    while r.size > 1 and np.allclose(r[0], 0, rtol=1e-14):
        r = r[1:]
    return np.stack(q) if q else r[:1] * 0, r


_TIMES = cases(((4,), {}), ((4,), 2), ((3,), {"m": 0}), ((2,), 3))


@implements(np.polyder, domain=_TIMES)
def polyder(p: Any, m: Any = 1) -> Any:
    """Differentiate a polynomial ``m`` times."""
    p, m = _coefficients(p, "polyder"), _times("polyder", m)
    for _ in range(m):
        p = p[:-1] * np.arange(p.size - 1, 0, -1)
    return p if m else p[...]


def _integrals(rng: np.random.Generator) -> Any:
    yield from _TIMES(rng)
    yield (draw(rng, (3,)), 2, draw(rng, (2,))), {}
    yield (draw(rng, (3,)), 2, draw(rng, ())), {}


@implements(np.polyint, domain=_integrals)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    """Integrate a polynomial ``m`` times; ``k`` are the constants of integration (one for all, or one for each)."""
    p, m = _coefficients(p, "polyint"), _times("polyint", m)
    constants = np.zeros(m) if k is None else np.atleast_1d(as_array(k))
    if constants.size == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if constants.size < m:
        raise ArgumentError(f"polyint: {constants.size} constants for {m} integrations; give one, or one for each.")
    for i in range(m):
        p = np.concatenate([p / np.arange(p.size, 0, -1), constants[i : i + 1]])
    return p if m else p[...]


def _times(name: str, m: Any) -> int:
    if int(m) != m or m < 0:
        raise ArgumentError(f"{name}: how often must be a whole number >= 0, got {m}.")
    return int(m)


def _zeros_of(rng: np.random.Generator) -> Any:
    yield (draw(rng, (3,)),), {}
    yield (draw(rng, (3, 3)),), {}


@implements(np.poly, domain=_zeros_of)
def poly(seq_of_zeros: Any) -> Any:
    """Return the polynomial that has these zeros, or the characteristic polynomial of a square matrix.

    That of a matrix is found by Faddeev and LeVerrier's recursion: Mₖ = A Mₖ₋₁ + cₖ₋₁ I, cₖ = -tr(A Mₖ) / k.
    """
    a = np.atleast_1d(as_array(seq_of_zeros))
    if a.ndim == 2 and a.shape[0] == a.shape[1] and a.size:
        n = a.shape[0]
        eye = np.eye(n, dtype=a.dtype)
        m, found = eye, [np.ones((), a.dtype)]
        for k in range(1, n + 1):
            product = matmul(a, m)
            found.append(np.trace(product) / -k)
            m = product + found[-1] * eye
        return np.stack(found)
    if a.ndim != 1:
        raise ShapeError(f"poly: takes a vector of zeros or a square matrix, got shape {a.shape}.")
    y: Any = np.ones(1, a.dtype)
    for zero in a:
        y = convolve(y, np.stack([np.ones((), a.dtype), -zero]))
    if a.dtype.kind == "c" and np.array_equal(np.sort(unbox(a)), np.sort(unbox(a).conj())):
        return y.real  # as NumPy does for pairs of conjugate zeros
    return y


def _roots_forward(p: Any) -> Any:
    """Find all roots as complex numbers, whatever they are."""
    y = np.roots(p)
    return y.astype(np.result_type(y.dtype, np.complex64))


def _roots_rule(g: Any, p: Any, y: Any) -> Any:
    """Move with p(r) = 0: ∂r/∂pₖ = -rⁿ⁻ᵏ / p'(r)."""
    return -matmul(g / polyval(polyder(p), y), vander(y, p.shape[0]))


_roots = op(_roots_forward, name="roots", vjp=_roots_rule)


def _equations(rng: np.random.Generator) -> Any:
    yield (np.array([1.0, -3.0, -6.0, 8.0]) + rng.uniform(-0.02, 0.02, 4),), {}
    yield (np.array([2.0, 3.0, 0.5, 0.0]),), {}


@implements(np.roots, domain=_equations)
def roots(p: Any) -> Any:
    """Find the roots of a polynomial: complex, unless all are real. Where two are equal the gradient is infinite.

    >>> import autograd as ag
    >>> ag.jacobian(np.roots)(np.array([1.0, 0.0, -4.0]))
    array([[ 1.  , -0.5 ,  0.25],
           [-1.  , -0.5 , -0.25]])
    """
    p = as_array(p)
    if p.ndim != 1:
        raise ShapeError(f"roots: takes a vector of coefficients, got shape {p.shape}.")
    y = _roots(p if p.dtype.kind in "fc" else p.astype(float))
    return y.real if all_real(p, y) else y
