"""Distributions of vectors: ``multivariate_normal`` and ``dirichlet``."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import log, pi
from typing import Any

import numpy as np
from scipy import stats

from autograd.errors import UnknownName
from autograd.ops.axes import as_array
from autograd.scipy.declare import Samples, constant, declare, float_like
from autograd.scipy.distribution import Frozen
from autograd.scipy.gammas import gammaln
from autograd.scipy.special import xlogy


class _Vectors:
    """Hold what distributions of vectors have in common; the other methods are SciPy's, for plain arrays."""

    name: str

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the logarithm of the density."""
        raise NotImplementedError

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the density."""
        return np.exp(self.logpdf(x, *args, **kwds))

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """Return the distribution with its parameters fixed, Tensors among them."""
        return Frozen(self, args, kwds)

    def __getattr__(self, name: str) -> Any:
        there = getattr(stats, self.name)
        if name.startswith("_") or not hasattr(there, name):
            raise UnknownName(f"scipy.stats.{self.name} has no attribute {name!r}.")
        return constant(getattr(there, name), f"scipy.stats.{self.name}.{name}")


# ------------------------------------------------------------------------------------------------- the normal one


def _normal_forward(x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
    y = stats.multivariate_normal.logpdf(x - mean, np.zeros(np.shape(cov)[0]), cov, allow_singular=allow_singular)
    return float_like(np.reshape(y, np.shape(x - mean)[:-1]), x, mean, cov)


def _normal_definition(x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
    """Compute −(n log 2π + log|Σ| + ‖L⁻¹(x − μ)‖²) / 2 with Σ = L Lᵀ, of which the lower triangle is read."""
    factor = np.linalg.cholesky(cov)
    away = x - mean
    n = cov.shape[-1]
    z = np.linalg.solve(factor, np.swapaxes(np.reshape(away, (-1, n)), 0, 1))
    half = np.sum(np.log(np.diagonal(factor)))
    return np.reshape(-0.5 * np.sum(z * z, axis=0) - half - 0.5 * n * log(2 * pi), away.shape[:-1])


def _normal_samples(rng: np.random.Generator) -> Samples:
    a = rng.uniform(-0.5, 0.5, (3, 3))
    cov = a @ a.T + np.eye(3)
    yield (rng.uniform(-1, 1, 3), rng.uniform(-1, 1, 3), cov), {}
    yield (rng.uniform(-1, 1, (2, 4, 3)), rng.uniform(-1, 1, 3), cov), {}


_normal = declare(
    "stats",
    "multivariate_normal.logpdf",
    _normal_forward,
    inputs=["x", "mean", "cov"],
    definition=_normal_definition,
    domain=_normal_samples,
)


class MultivariateNormal(_Vectors):
    """Return the density of a normal vector: ``mean`` (n,), ``cov`` a matrix, its diagonal, or a number."""

    name = "multivariate_normal"

    def logpdf(self, x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
        """Compute the logarithm of the density of vectors along the last axis; gradients want a regular ``cov``."""
        x, cov = as_array(x), as_array(cov)
        n = np.shape(mean)[0] if np.ndim(mean) else cov.shape[-1] if cov.ndim else 1
        if not cov.ndim:
            cov = cov * np.eye(n)
        elif cov.ndim == 1:
            cov = np.diag(cov)
        if n == 1 and (not x.ndim or x.shape[-1] != 1):
            x = np.expand_dims(x, -1)
        elif x.ndim == 0:
            x = np.reshape(x, (1,))
        mean = np.zeros(n, cov.dtype) if mean is None else as_array(mean)
        return _normal(x, np.reshape(mean, (n,)), cov, allow_singular=allow_singular)


# ------------------------------------------------------------------------------------------------------- the Dirichlet


def _dirichlet_definition(x: Any, alpha: Any) -> Any:
    """Compute Σ (αᵢ − 1) log xᵢ − Σ log Γ(αᵢ) + log Γ(Σ αᵢ); the last xᵢ may be left out, as they sum to 1."""
    if x.shape[0] == alpha.shape[0] - 1:
        x = np.concatenate([x, 1 - np.sum(x, axis=0, keepdims=True)])
    powers = np.reshape(alpha - 1, (-1,) + (1,) * (x.ndim - 1))
    return np.sum(xlogy(powers, x), axis=0) - np.sum(gammaln(alpha)) + gammaln(np.sum(alpha))


def _dirichlet_samples(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(0.1, 0.3, 2), rng.uniform(0.5, 3, 3)), {}
    yield (rng.uniform(0.1, 0.3, (2, 4)), rng.uniform(0.5, 3, 3)), {}


_dirichlet = declare(
    "stats",
    "dirichlet.logpdf",
    lambda x, alpha: float_like(stats.dirichlet.logpdf(x, alpha), x, alpha),
    inputs=["x", "alpha"],
    definition=_dirichlet_definition,
    domain=_dirichlet_samples,
)


class Dirichlet(_Vectors):
    """Return the density of probabilities (K,) or (K, N), or of all but the last of them, with ``alpha`` (K,)."""

    name = "dirichlet"

    def logpdf(self, x: Any, alpha: Any) -> Any:
        """Compute the logarithm of the density."""
        return _dirichlet(as_array(x), as_array(alpha))


multivariate_normal, dirichlet = MultivariateNormal(), Dirichlet()
