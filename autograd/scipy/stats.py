"""``scipy.stats``: densities and distribution functions with gradients in x and in every parameter.

``logpdf pdf cdf sf logcdf logsf`` (``logpmf pmf`` of the discrete ones) take SciPy's arguments, frozen or not.
Beyond the support gradients are 0; at an end of it where the density is 0, that of ``pdf`` is nan.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import stats
>>> data = np.array([1.0, 2.0, 6.0])
>>> ag.grad(lambda mean: stats.norm.logpdf(data, mean, 1.0).sum())(3.0)
np.float64(0.0)
"""

from typing import Any

from autograd.scipy.continuous import *  # noqa: F403
from autograd.scipy.declare import without_rule
from autograd.scipy.discrete import *  # noqa: F403
from autograd.scipy.multivariate import dirichlet as dirichlet
from autograd.scipy.multivariate import multivariate_normal as multivariate_normal


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.stats``, for plain arrays."""
    return without_rule("stats", name)
