"""The gamma and beta functions, complete and incomplete, and the distribution functions that are those."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import log, pi
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.box import unbox
from autograd.primitive import nondifferentiable
from autograd.scipy.declare import declare, elementwise, float_like, ordered, without_rule
from autograd.scipy.series import betainc_shapes, gammainc_shape

AWAY, POSITIVE, UNIT = (0.5, 2), (0.3, 2), (0.1, 0.9)


_polygamma: Any = declare(
    "special",
    "polygamma",
    lambda x, n=0: float_like(sp.polygamma(n, x), x),
    elementwise=True,
    vjp=lambda g, x, n: g * _polygamma(x, n=n + 1),
    domain=lambda rng: iter([((rng.uniform(0.5, 3, (2, 3)),), {"n": n}) for n in (0, 1, 2)]),
)


def polygamma(n: Any, x: Any) -> Any:
    """Compute the n-th derivative of ψ(x) = d log Γ(x) / dx, for integers n."""
    return _polygamma(x, n=unbox(n))


psi = elementwise("psi", (0.5, 3), lambda g, x: g * _polygamma(x, n=1))
digamma = psi
gamma = elementwise("gamma", (0.5, 3), lambda g, y, x: g * (y * psi(x)))
gammaln = elementwise("gammaln", (0.5, 3), lambda g, x: g * psi(x))
loggamma = elementwise("loggamma", (0.5, 3), lambda g, x: g * psi(x))
rgamma = elementwise("rgamma", (0.5, 3), lambda g, y, x: -g * (y * psi(x)))
gammasgn = nondifferentiable(sp.gammasgn, name="scipy.special.gammasgn")
poch = elementwise(
    "poch",
    (0.5, 3),
    dict(a=lambda g, y, a, m: g * (y * (psi(a + m) - psi(a))), m=lambda g, y, a, m: g * (y * psi(a + m))),
)
beta = elementwise(
    "beta",
    (0.5, 3),
    dict(a=lambda g, y, a, b: g * (y * (psi(a) - psi(a + b))), b=lambda g, y, a, b: g * (y * (psi(b) - psi(a + b)))),
)
betaln = elementwise(
    "betaln",
    (0.5, 3),
    dict(a=lambda g, a, b: g * (psi(a) - psi(a + b)), b=lambda g, a, b: g * (psi(b) - psi(a + b))),
)
binom = elementwise(
    "binom",
    [(3.2, 5), (0.5, 2)],
    dict(
        n=lambda g, y, n, k: g * (y * (psi(n + 1) - psi(n - k + 1))),
        k=lambda g, y, n, k: g * (y * (psi(n - k + 1) - psi(k + 1))),
    ),
)


def multigammaln(a: Any, d: int) -> Any:
    """Compute log Γ_d(a) = d (d − 1) / 4 · log π + Σⱼ log Γ(a − j / 2), for a > (d − 1) / 2."""
    return d * (d - 1) / 4 * log(pi) + sum(gammaln(a - j / 2) for j in range(d))


_zeta: Any = declare(
    "special",
    "zeta",
    lambda q, s=2: float_like(sp.zeta(s, q), q),
    elementwise=True,
    vjp=lambda g, q, s: -g * (s * _zeta(q, s=s + 1)),
    domain=lambda rng: iter([((rng.uniform(0.5, 3, (2, 3)),), {"s": s}) for s in (2, 3.5)]),
)


def zeta(x: Any, q: Any = 1.0) -> Any:
    """Compute the Hurwitz zeta function Σ (k + q)⁻ˣ; differentiable in q, not in the exponent."""
    return _zeta(q, s=unbox(x) if not getattr(x, "requires_grad", False) else x)


# ----------------------------------------------------------------------------------------- incomplete gamma and beta


def _gamma_density(a: Any, x: Any) -> Any:
    return np.exp((a - 1) * np.log(x) - x - gammaln(a))


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - betaln(a, b))


gammainc = elementwise(
    "gammainc",
    POSITIVE,
    dict(a=lambda g, a, x: g * gammainc_shape(a, x), x=lambda g, a, x: g * _gamma_density(a, x)),
)
gammaincc = elementwise(
    "gammaincc",
    POSITIVE,
    dict(a=lambda g, a, x: -g * gammainc_shape(a, x), x=lambda g, a, x: -g * _gamma_density(a, x)),
)
gammaincinv = elementwise(
    "gammaincinv",
    [AWAY, UNIT],
    dict(
        a=lambda g, y, a: -g * (gammainc_shape(a, y) / _gamma_density(a, y)),
        p=lambda g, y, a: g / _gamma_density(a, y),
    ),
)
gammainccinv = elementwise(
    "gammainccinv",
    [AWAY, UNIT],
    dict(
        a=lambda g, y, a: -g * (gammainc_shape(a, y) / _gamma_density(a, y)),
        p=lambda g, y, a: -g / _gamma_density(a, y),
    ),
)
_BETAINC: dict[str, Any] = dict(
    a=lambda g, a, b, x: g * betainc_shapes(a, b, x)[0],
    b=lambda g, a, b, x: g * betainc_shapes(a, b, x)[1],
    x=lambda g, a, b, x: g * _beta_density(a, b, x),
)
betainc = elementwise("betainc", [POSITIVE, POSITIVE, UNIT], _BETAINC)
betaincc = elementwise(
    "betaincc",
    [POSITIVE, POSITIVE, UNIT],
    dict(
        a=lambda g, a, b, x: -g * betainc_shapes(a, b, x)[0],
        b=lambda g, a, b, x: -g * betainc_shapes(a, b, x)[1],
        x=lambda g, a, b, x: -g * _beta_density(a, b, x),
    ),
)
betaincinv = elementwise(
    "betaincinv",
    [AWAY, AWAY, (0.2, 0.8)],
    dict(
        a=lambda g, y, a, b: -g * (betainc_shapes(a, b, y)[0] / _beta_density(a, b, y)),
        b=lambda g, y, a, b: -g * (betainc_shapes(a, b, y)[1] / _beta_density(a, b, y)),
        p=lambda g, y, a, b: g / _beta_density(a, b, y),
    ),
)


def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Compute the binomial coefficient as a smooth function of N and k; ``exact=True`` is for integers."""
    if exact:
        return without_rule("special", "comb")(N, k, exact=True, repetition=repetition)
    return binom(N + k - 1, k) if repetition else binom(N, k)


def factorial(n: Any, exact: bool = False) -> Any:
    """Compute n! = Γ(n + 1) as a smooth function of n; ``exact=True`` is for integers."""
    return without_rule("special", "factorial")(n, exact=True) if exact else gamma(n + 1)


# ------------------------------------------------------------------------ distribution functions, by their short names

_COUNTS = ordered([(2,), (3,)], 0.3, 2)
chdtr = elementwise("chdtr", [(1, 4), POSITIVE], inputs=["v", "x"], definition=lambda v, x: gammainc(v / 2, x / 2))
chdtrc = elementwise("chdtrc", [(1, 4), POSITIVE], inputs=["v", "x"], definition=lambda v, x: gammaincc(v / 2, x / 2))
_GAMMA = ["a", "b", "x"]
gdtr = elementwise("gdtr", [AWAY, AWAY, POSITIVE], inputs=_GAMMA, definition=lambda a, b, x: gammainc(b, a * x))
gdtrc = elementwise("gdtrc", [AWAY, AWAY, POSITIVE], inputs=_GAMMA, definition=lambda a, b, x: gammaincc(b, a * x))
pdtr = elementwise("pdtr", _COUNTS, inputs=["k", "m"], definition=lambda k, m: gammaincc(np.floor(k) + 1.0, m))
pdtrc = elementwise("pdtrc", _COUNTS, inputs=["k", "m"], definition=lambda k, m: gammainc(np.floor(k) + 1.0, m))
_FISHER = ["m", "n", "x"]


def _ratio(m: Any, n: Any, x: Any) -> Any:
    return m * x / (m * x + n)


fdtr = elementwise(
    "fdtr",
    [(1, 4), (1, 4), POSITIVE],
    inputs=_FISHER,
    definition=lambda m, n, x: betainc(m / 2, n / 2, _ratio(m, n, x)),
)
fdtrc = elementwise(
    "fdtrc",
    [(1, 4), (1, 4), POSITIVE],
    inputs=_FISHER,
    definition=lambda m, n, x: betaincc(m / 2, n / 2, _ratio(m, n, x)),
)


def _student(df: Any, t: Any) -> Any:
    half = 0.5 * betainc(df / 2, 0.5, df / (df + t * t))
    return np.where(t > 0, 1 - half, half)


stdtr = elementwise("stdtr", [(1, 4), POSITIVE], inputs=["df", "t"], definition=_student)
