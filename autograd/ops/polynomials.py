"""Polynomials, given by their coefficients from the highest power down."""

from __future__ import annotations  # numpy.random is loaded when it is first used

import warnings
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, MissingRule, ShapeError
from autograd.ops.axes import as_array, cases, draw
from autograd.ops.linalg import inv, lstsq
from autograd.primitive import implements


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
