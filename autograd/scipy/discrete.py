"""Distributions on the integers: logarithm of the probability, and the cdf. Counts have no gradient, parameters have.

``values`` are the counts on which a row is tested, ``ranges`` those of the parameters.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

import numpy as np

from autograd.scipy.distribution import Discrete
from autograd.scipy.gammas import betainc, betaincc, betaln, gammainc, gammaincc, gammaln
from autograd.scipy.special import xlog1py, xlogy

UNIT, POSITIVE = (0.1, 0.9), (0.3, 2.5)

bernoulli = Discrete(
    "bernoulli",
    "p",
    values=[(0,), (1,)],
    ranges=[UNIT],
    logpmf=lambda k, p: xlogy(k, p) + xlog1py(1 - k, -p),
    cdf=lambda k, p: 1 - p * (np.floor(k) < 1),
    sf=lambda k, p: p * (np.floor(k) < 1),
)
binom = Discrete(
    "binom",
    "n p",
    counts=["n"],
    values=[(0, 4), (2, 4), (4, 4)],
    ranges=[UNIT],
    logpmf=lambda k, n, p: (
        gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0) + xlogy(k, p) + xlog1py(n - k, -p)
    ),
    cdf=lambda k, n, p: betaincc(np.floor(k) + 1.0, np.maximum(n - np.floor(k), 1e-300), p),
    sf=lambda k, n, p: betainc(np.floor(k) + 1.0, np.maximum(n - np.floor(k), 1e-300), p),
)
betabinom = Discrete(
    "betabinom",
    "n a b",
    counts=["n"],
    values=[(0, 4), (2, 4), (4, 4)],
    ranges=[POSITIVE, POSITIVE],
    logpmf=lambda k, n, a, b: betaln(k + a, n - k + b) - betaln(a, b) - np.log(n + 1.0) - betaln(n - k + 1.0, k + 1.0),
)
poisson = Discrete(
    "poisson",
    "mu",
    values=[(0,), (3,)],
    ranges=[POSITIVE],
    logpmf=lambda k, mu: xlogy(k, mu) - mu - gammaln(k + 1.0),
    cdf=lambda k, mu: gammaincc(np.floor(k) + 1.0, mu),
    sf=lambda k, mu: gammainc(np.floor(k) + 1.0, mu),
)
geom = Discrete(
    "geom",
    "p",
    values=[(1,), (3,)],
    ranges=[UNIT],
    logpmf=lambda k, p: xlog1py(k - 1, -p) + np.log(p),
    cdf=lambda k, p: -np.expm1(np.floor(k) * np.log1p(-p)),
    sf=lambda k, p: np.exp(np.floor(k) * np.log1p(-p)),
    logsf=lambda k, p: np.floor(k) * np.log1p(-p),
)
nbinom = Discrete(
    "nbinom",
    "n p",
    values=[(0,), (3,)],
    ranges=[POSITIVE, UNIT],
    logpmf=lambda k, n, p: gammaln(n + k) - gammaln(k + 1.0) - gammaln(n) + n * np.log(p) + xlog1py(k, -p),
    cdf=lambda k, n, p: betainc(n, np.floor(k) + 1.0, p),
    sf=lambda k, n, p: betaincc(n, np.floor(k) + 1.0, p),
)
logser = Discrete(
    "logser",
    "p",
    values=[(1,), (4,)],
    ranges=[UNIT],
    logpmf=lambda k, p: k * np.log(p) - np.log(k) - np.log(-np.log1p(-p)),
)
planck = Discrete(
    "planck",
    "lambda_",
    values=[(0,), (3,)],
    ranges=[POSITIVE],
    logpmf=lambda k, lambda_: np.log(-np.expm1(-lambda_)) - lambda_ * k,
    cdf=lambda k, lambda_: -np.expm1(-lambda_ * (np.floor(k) + 1)),
    sf=lambda k, lambda_: np.exp(-lambda_ * (np.floor(k) + 1)),
    logsf=lambda k, lambda_: -lambda_ * (np.floor(k) + 1),
)
dlaplace = Discrete(
    "dlaplace",
    "a",
    values=[(0,), (3,), (-2,)],
    ranges=[POSITIVE],
    logpmf=lambda k, a: np.log(np.tanh(a / 2)) - a * np.abs(k),
    cdf=lambda k, a: np.where(
        np.floor(k) < 0,
        np.exp(-a * np.abs(np.floor(k) + 1)) / (np.exp(a) + 1),
        1 - np.exp(-a * np.abs(np.floor(k))) / (np.exp(a) + 1),
    ),
)
