"""Continuous distributions in standard form: log density, and the cdf with what is known better than through it.

``ranges`` are those of x and of the shapes on which a row is tested. Outside of the support gradients are 0.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import log, pi, sqrt
from typing import Any

import numpy as np

from autograd.scipy.bessel import i0e
from autograd.scipy.declare import declare, float_like
from autograd.scipy.distribution import Distribution
from autograd.scipy.gammas import betainc, betaincc, betaln, gammainc, gammaincc, gammaln, psi
from autograd.scipy.series import betainc_shapes
from autograd.scipy.special import (
    cosm1,
    erf,
    erfc,
    expit,
    log1p_over,
    log_expit,
    log_ndtr,
    ndtr,
    owens_t,
    xlog1py,
    xlogy,
)
from autograd.transforms import vjp

LN2, LN_PI, LOG_SQRT_2PI = log(2.0), log(pi), log(sqrt(2 * pi))
ANY, POSITIVE, UNIT, SHAPE = (-2, 2), (0.3, 2.5), (0.1, 0.9), (0.6, 3)


def _gaussian(x: Any) -> Any:
    return -0.5 * x * x - LOG_SQRT_2PI


def _with_sign(x: Any, y: Any) -> Any:
    """Give ``y`` the sign of x: a cdf about its middle."""
    return np.where(x < 0, -y, y)


norm = Distribution(
    "norm",
    ranges=[ANY],
    logpdf=_gaussian,
    cdf=lambda x: ndtr(x),
    sf=lambda x: ndtr(-x),
    logcdf=lambda x: log_ndtr(x),
    logsf=lambda x: log_ndtr(-x),
)
halfnorm = Distribution(
    "halfnorm",
    ranges=[POSITIVE],
    logpdf=lambda x: LN2 + _gaussian(x),
    cdf=lambda x: erf(x / sqrt(2)),
    sf=lambda x: erfc(x / sqrt(2)),
)
lognorm = Distribution(
    "lognorm",
    "s",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, s: _gaussian(np.log(x) / s) - np.log(s * x),
    cdf=lambda x, s: ndtr(np.log(x) / s),
    sf=lambda x, s: ndtr(-np.log(x) / s),
    logcdf=lambda x, s: log_ndtr(np.log(x) / s),
    logsf=lambda x, s: log_ndtr(-np.log(x) / s),
)
skewnorm = Distribution(
    "skewnorm",
    "a",
    ranges=[ANY, ANY],
    logpdf=lambda x, a: LN2 + _gaussian(x) + log_ndtr(a * x),
    cdf=lambda x, a: ndtr(x) - 2 * owens_t(x, a),
)


def _log_between(a: Any, b: Any) -> Any:
    """Compute log(Φ(b) − Φ(a)), on the side where both are small."""
    low, high = np.where(a > 0, -b, a), np.where(a > 0, -a, b)
    upper = log_ndtr(high)
    return upper + np.log1p(-np.exp(log_ndtr(low) - upper))


truncnorm = Distribution(
    "truncnorm",
    "a b",
    ranges=[(-0.8, 0.8), (-2, -1), (1, 2)],
    logpdf=lambda x, a, b: _gaussian(x) - _log_between(a, b),
    cdf=lambda x, a, b: np.exp(_log_between(a, x) - _log_between(a, b)),
    sf=lambda x, a, b: np.exp(_log_between(x, b) - _log_between(a, b)),
)
invgauss = Distribution(
    "invgauss",
    "mu",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, mu: -LOG_SQRT_2PI - 1.5 * np.log(x) - (x / mu - 1) ** 2 / (2 * x),
    cdf=lambda x, mu: ndtr((x / mu - 1) / np.sqrt(x)) + np.exp(2 / mu + log_ndtr(-(x / mu + 1) / np.sqrt(x))),
)
expon = Distribution(
    "expon",
    ranges=[POSITIVE],
    logpdf=lambda x: -x,
    cdf=lambda x: -np.expm1(-x),
    sf=lambda x: np.exp(-x),
    logsf=lambda x: -x,
)
truncexpon = Distribution(
    "truncexpon",
    "b",
    ranges=[(0.1, 0.9), (1, 3)],
    logpdf=lambda x, b: -x - np.log(-np.expm1(-b)),
    cdf=lambda x, b: np.expm1(-x) / np.expm1(-b),
)
uniform = Distribution("uniform", ranges=[UNIT], logpdf=lambda x: 0 * x, cdf=lambda x: +x, sf=lambda x: 1 - x)
loguniform = Distribution(
    "loguniform",
    "a b",
    ranges=[(1, 2), (0.3, 0.9), (2.1, 3)],
    logpdf=lambda x, a, b: -np.log(x) - np.log(np.log(b / a)),
    cdf=lambda x, a, b: np.log(x / a) / np.log(b / a),
)


def _triangle(x: Any, c: Any) -> Any:
    left = x < c
    return np.log(2 * np.where(left, x, 1 - x) / np.where(left, c, 1 - c))


triang = Distribution(
    "triang",
    "c",
    ranges=[(0.1, 0.45), (0.5, 0.9)],
    logpdf=_triangle,
    cdf=lambda x, c: np.where(x < c, x * x / c, 1 - (1 - x) ** 2 / (1 - c)),
)
powerlaw = Distribution(
    "powerlaw",
    "a",
    ranges=[UNIT, SHAPE],
    logpdf=lambda x, a: np.log(a) + xlogy(a - 1, x),
    cdf=lambda x, a: x**a,
    logcdf=lambda x, a: a * np.log(x),
)
arcsine = Distribution(
    "arcsine",
    ranges=[UNIT],
    logpdf=lambda x: -LN_PI - 0.5 * np.log(x * (1 - x)),
    cdf=lambda x: 2 / pi * np.arcsin(np.sqrt(x)),
)
gamma = Distribution(
    "gamma",
    "a",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, a: xlogy(a - 1, x) - x - gammaln(a),
    cdf=lambda x, a: gammainc(a, x),
    sf=lambda x, a: gammaincc(a, x),
)
chi2 = Distribution(
    "chi2",
    "df",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, df: xlogy(df / 2 - 1, x) - x / 2 - gammaln(df / 2) - LN2 / 2 * df,
    cdf=lambda x, df: gammainc(df / 2, x / 2),
    sf=lambda x, df: gammaincc(df / 2, x / 2),
)
chi = Distribution(
    "chi",
    "df",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, df: LN2 - LN2 / 2 * df - gammaln(df / 2) + xlogy(df - 1, x) - x * x / 2,
    cdf=lambda x, df: gammainc(df / 2, x * x / 2),
    sf=lambda x, df: gammaincc(df / 2, x * x / 2),
)
maxwell = Distribution(
    "maxwell",
    ranges=[POSITIVE],
    logpdf=lambda x: LN2 - LOG_SQRT_2PI + 2 * np.log(x) - x * x / 2,
    cdf=lambda x: gammainc(1.5, x * x / 2),
    sf=lambda x: gammaincc(1.5, x * x / 2),
)
rayleigh = Distribution(
    "rayleigh",
    ranges=[POSITIVE],
    logpdf=lambda x: np.log(x) - x * x / 2,
    cdf=lambda x: -np.expm1(-x * x / 2),
    sf=lambda x: np.exp(-x * x / 2),
    logsf=lambda x: -x * x / 2,
)
invgamma = Distribution(
    "invgamma",
    "a",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, a: -(a + 1) * np.log(x) - gammaln(a) - 1 / x,
    cdf=lambda x, a: gammaincc(a, 1 / x),
    sf=lambda x, a: gammainc(a, 1 / x),
)
beta = Distribution(
    "beta",
    "a b",
    ranges=[UNIT, SHAPE, SHAPE],
    logpdf=lambda x, a, b: xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b),
    cdf=lambda x, a, b: betainc(a, b, x),
    sf=lambda x, a, b: betaincc(a, b, x),
)
f = Distribution(
    "f",
    "dfn dfd",
    ranges=[POSITIVE, (1, 4), (1, 4)],
    logpdf=lambda x, dfn, dfd: (
        dfn / 2 * np.log(dfn)
        + dfd / 2 * np.log(dfd)
        + xlogy(dfn / 2 - 1, x)
        - (dfn + dfd) / 2 * np.log(dfd + dfn * x)
        - betaln(dfn / 2, dfd / 2)
    ),
    cdf=lambda x, dfn, dfd: betainc(dfn / 2, dfd / 2, dfn * x / (dfn * x + dfd)),
    sf=lambda x, dfn, dfd: betainc(dfd / 2, dfn / 2, dfd / (dfn * x + dfd)),
)


def _beta_half(df: Any) -> Any:
    """Compute −log B(df / 2, ½)."""
    return gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * LN_PI


def _student_log_density(x: Any, df: Any) -> Any:
    return _beta_half(df) - 0.5 * np.log(df) - (df + 1) / 2 * np.log1p(x * x / df)


def _student_df(x: Any, df: Any) -> Any:
    """Differentiate ½ + sign(x) (1 − I_w(df / 2, ½)) / 2, w = df / (df + x²), by df."""
    square = df + x * x
    w = df / square
    moved = x * np.exp((df / 2 - 1) * np.log(w) + _beta_half(df)) / (square * np.sqrt(square))
    return -0.5 * (_with_sign(x, 0.5 * betainc_shapes(df / 2, 0.5, w)[0]) + moved)


def _student_mixed(g: Any, x: Any, df: Any) -> Any:
    """Differentiate the density by df: what the function above has as derivative by x, also at x = 0."""
    r = x * x / df
    slope = 0.5 * (psi((df + 1) / 2) - psi(df / 2) - 1 / df - np.log1p(r) + (df + 1) * r / (df * (1 + r)))
    return g * (np.exp(_student_log_density(x, df)) * slope)


_cdf_by_df = declare(
    "stats",
    "t.cdf_by_df",
    lambda x, df: float_like(_student_df(x, df), x, df),
    elementwise=True,
    vjp=dict(
        x=_student_mixed, df=lambda g, x, df: vjp(lambda df: _student_df(x, df), np.broadcast_to(df, g.shape))[1](g)
    ),
    domain=[ANY, (1, 4)],
)
t: Any = Distribution(
    "t",
    "df",
    ranges=[ANY, (1, 4)],
    logpdf=_student_log_density,
    rules=dict(x=lambda g, x, df: g * t.pdf(x, df), df=lambda g, x, df: g * _cdf_by_df(x, df)),
)
vonmises: Any = Distribution(
    "vonmises",
    "kappa",
    ranges=[ANY, POSITIVE],
    logpdf=lambda x, kappa: kappa * cosm1(x) - log(2 * pi) - np.log(i0e(kappa)),
    rules=dict(x=lambda g, x, kappa: g * vonmises.pdf(x, kappa)),
)


def _below(x: Any) -> Any:
    return np.where(x < 0, x, 0.0)


def _above(x: Any) -> Any:
    return np.where(x < 0, 0.0, x)


laplace = Distribution(
    "laplace",
    ranges=[(0.1, 2)],
    logpdf=lambda x: -LN2 - np.abs(x),
    cdf=lambda x: np.where(x < 0, 0.5 * np.exp(_below(x)), 1 - 0.5 * np.exp(-_above(x))),
    sf=lambda x: np.where(x < 0, 1 - 0.5 * np.exp(_below(x)), 0.5 * np.exp(-_above(x))),
    logcdf=lambda x: np.where(x < 0, x - LN2, np.log1p(-0.5 * np.exp(-_above(x)))),
    logsf=lambda x: np.where(x < 0, np.log1p(-0.5 * np.exp(_below(x))), -x - LN2),
)
logistic = Distribution(
    "logistic",
    ranges=[ANY],
    logpdf=lambda x: log_expit(x) + log_expit(-x),
    cdf=lambda x: expit(x),
    sf=lambda x: expit(-x),
    logcdf=lambda x: log_expit(x),
    logsf=lambda x: log_expit(-x),
)
halflogistic = Distribution(
    "halflogistic", ranges=[POSITIVE], logpdf=lambda x: LN2 + log_expit(x) + log_expit(-x), cdf=lambda x: np.tanh(x / 2)
)
hypsecant = Distribution(
    "hypsecant",
    ranges=[ANY],
    logpdf=lambda x: LN2 - LN_PI - np.logaddexp(x, -x),
    cdf=lambda x: 2 / pi * np.arctan(np.exp(x)),
    sf=lambda x: 2 / pi * np.arctan(np.exp(-x)),
)
cauchy = Distribution(
    "cauchy",
    ranges=[ANY],
    logpdf=lambda x: -LN_PI - np.log1p(x * x),
    cdf=lambda x: np.arctan2(1, -x) / pi,
    sf=lambda x: np.arctan2(1, x) / pi,
)
halfcauchy = Distribution(
    "halfcauchy",
    ranges=[POSITIVE],
    logpdf=lambda x: LN2 - LN_PI - np.log1p(x * x),
    cdf=lambda x: 2 / pi * np.arctan(x),
    sf=lambda x: 2 / pi * np.arctan2(1, x),
)
weibull_min = Distribution(
    "weibull_min",
    "c",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, c: np.log(c) + xlogy(c - 1, x) - x**c,
    cdf=lambda x, c: -np.expm1(-(x**c)),
    sf=lambda x, c: np.exp(-(x**c)),
    logsf=lambda x, c: -(x**c),
)
weibull_max = Distribution(
    "weibull_max",
    "c",
    ranges=[(-2.5, -0.3), SHAPE],
    logpdf=lambda x, c: np.log(c) + xlogy(c - 1, -x) - (-x) ** c,
    cdf=lambda x, c: np.exp(-((-x) ** c)),
    sf=lambda x, c: -np.expm1(-((-x) ** c)),
    logcdf=lambda x, c: -((-x) ** c),
)
gumbel_r = Distribution(
    "gumbel_r",
    ranges=[ANY],
    logpdf=lambda x: -x - np.exp(-x),
    cdf=lambda x: np.exp(-np.exp(-x)),
    sf=lambda x: -np.expm1(-np.exp(-x)),
    logcdf=lambda x: -np.exp(-x),
)
gumbel_l = Distribution(
    "gumbel_l",
    ranges=[ANY],
    logpdf=lambda x: x - np.exp(x),
    cdf=lambda x: -np.expm1(-np.exp(x)),
    sf=lambda x: np.exp(-np.exp(x)),
    logsf=lambda x: -np.exp(x),
)
genextreme = Distribution(
    "genextreme",
    "c",
    ranges=[(-0.9, 0.9), (0.2, 0.9)],
    logpdf=lambda x, c: -np.log1p(-c * x) - log1p_over(-c, x) - np.exp(-log1p_over(-c, x)),
    cdf=lambda x, c: np.exp(-np.exp(-log1p_over(-c, x))),
    sf=lambda x, c: -np.expm1(-np.exp(-log1p_over(-c, x))),
    logcdf=lambda x, c: -np.exp(-log1p_over(-c, x)),
)
genpareto = Distribution(
    "genpareto",
    "c",
    ranges=[POSITIVE, (0.2, 2)],
    logpdf=lambda x, c: -np.log1p(c * x) - log1p_over(c, x),
    cdf=lambda x, c: -np.expm1(-log1p_over(c, x)),
    sf=lambda x, c: np.exp(-log1p_over(c, x)),
    logsf=lambda x, c: -log1p_over(c, x),
)
pareto = Distribution(
    "pareto",
    "b",
    ranges=[(1.1, 3), SHAPE],
    logpdf=lambda x, b: np.log(b) - (b + 1) * np.log(x),
    cdf=lambda x, b: -np.expm1(-b * np.log(x)),
    sf=lambda x, b: np.exp(-b * np.log(x)),
    logsf=lambda x, b: -b * np.log(x),
)
lomax = Distribution(
    "lomax",
    "c",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, c: np.log(c) - (c + 1) * np.log1p(x),
    cdf=lambda x, c: -np.expm1(-c * np.log1p(x)),
    sf=lambda x, c: np.exp(-c * np.log1p(x)),
    logsf=lambda x, c: -c * np.log1p(x),
)
fisk = Distribution(
    "fisk",
    "c",
    ranges=[POSITIVE, SHAPE],
    logpdf=lambda x, c: np.log(c) - np.log(x) + log_expit(c * np.log(x)) + log_expit(-c * np.log(x)),
    cdf=lambda x, c: expit(c * np.log(x)),
    sf=lambda x, c: expit(-c * np.log(x)),
    logcdf=lambda x, c: log_expit(c * np.log(x)),
    logsf=lambda x, c: log_expit(-c * np.log(x)),
)
