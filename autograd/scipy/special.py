"""``scipy.special``: a table of functions and their derivatives, which are functions of the same table.

Orders and degrees (``n``, ``v``) are constants unless a rule is given for them. Values are SciPy's, so are their
precision and the points where they are infinite. The ufuncs work by SciPy's own name too: ``scipy.special.j0(t)``.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import log, pi, sqrt
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.box import unbox
from autograd.errors import DTypeError
from autograd.ops.axes import as_array
from autograd.ops.elementwise import ratio
from autograd.scipy.bessel import *  # noqa: F403
from autograd.scipy.declare import Samples, declare, elementwise, float_like, ordered, without_rule
from autograd.scipy.gammas import *  # noqa: F403
from autograd.scipy.hypergeometric import *  # noqa: F403
from autograd.scipy.hypergeometric import ellipk, hyp1f1, hyp2f1

SQRT_PI, SQRT_2PI, LOG_SQRT_2PI = sqrt(pi), sqrt(2 * pi), log(sqrt(2 * pi))
ANY, AWAY, POSITIVE, UNIT, INSIDE = (-2, 2), (0.5, 2), (0.3, 2), (0.1, 0.9), (-0.8, 0.8)


# -------------------------------------------------------------------------------- error functions, normal distribution

erf = elementwise("erf", ANY, lambda g, x: g * (2 / SQRT_PI * np.exp(-x * x)))
erfc = elementwise("erfc", ANY, lambda g, x: -g * (2 / SQRT_PI * np.exp(-x * x)))
erfcx = elementwise("erfcx", ANY, lambda g, y, x: g * (2 * x * y - 2 / SQRT_PI))
erfi = elementwise("erfi", ANY, lambda g, x: g * (2 / SQRT_PI * np.exp(x * x)))
dawsn = elementwise("dawsn", ANY, lambda g, y, x: g * (1 - 2 * x * y))
erfinv = elementwise("erfinv", INSIDE, lambda g, y: g * (SQRT_PI / 2 * np.exp(y * y)))
erfcinv = elementwise("erfcinv", (0.2, 1.8), lambda g, y: -g * (SQRT_PI / 2 * np.exp(y * y)), inputs=["x"])
ndtr = elementwise("ndtr", ANY, lambda g, x: g * (np.exp(-0.5 * x * x) / SQRT_2PI))
log_ndtr = elementwise("log_ndtr", ANY, lambda g, y, x: g * np.exp(-0.5 * x * x - y - LOG_SQRT_2PI))
ndtri = elementwise("ndtri", UNIT, lambda g, y: g * (SQRT_2PI * np.exp(0.5 * y * y)))
ndtri_exp = elementwise("ndtri_exp", (-2, -0.2), lambda g, y, x: g * np.exp(x + 0.5 * y * y + LOG_SQRT_2PI))
owens_t = elementwise(
    "owens_t",
    ANY,
    dict(
        h=lambda g, h, a: -g * (np.exp(-0.5 * h * h) * erf(a * h / sqrt(2)) / (2 * SQRT_2PI)),
        a=lambda g, h, a: g * (np.exp(-0.5 * h * h * (1 + a * a)) / (2 * pi * (1 + a * a))),
    ),
)
fresnel = elementwise(
    "fresnel", ANY, lambda g, x: g[0] * np.sin(pi / 2 * x * x) + g[1] * np.cos(pi / 2 * x * x)
)  # (S, C)

# ---------------------------------------------------------------------------------------------- exponential integrals

exp1 = elementwise("exp1", POSITIVE, lambda g, x: -g * (np.exp(-x) / x))
expi = elementwise("expi", POSITIVE, lambda g, x: g * (np.exp(x) / x))
expn: Any = elementwise(
    "expn",
    ordered((0, 1, 3), 0.3, 2),
    dict(x=lambda g, y, n, x: -g * np.where(n == 0, y * (1 + 1 / x), expn(np.maximum(n - 1, 0), x))),
    inputs=["n", "x"],
)
sici = elementwise("sici", POSITIVE, lambda g, x: g[0] * (np.sin(x) / x) + g[1] * (np.cos(x) / x))
shichi = elementwise("shichi", POSITIVE, lambda g, x: g[0] * (np.sinh(x) / x) + g[1] * (np.cosh(x) / x))
spence = elementwise("spence", POSITIVE, lambda g, x: g * (np.log(x) / (1 - x)))

# -------------------------------------------------------------------------------------------- logarithms and entropies

xlogy = elementwise("xlogy", POSITIVE, dict(a=lambda g, b: g * np.log(b), b=lambda g, a, b: g * ratio(a, b)))
xlog1py = elementwise("xlog1py", POSITIVE, dict(a=lambda g, b: g * np.log1p(b), b=lambda g, a, b: g * ratio(a, 1 + b)))
entr = elementwise("entr", POSITIVE, lambda g, x: -g * (np.log(x) + 1))
rel_entr = elementwise(
    "rel_entr", POSITIVE, dict(a=lambda g, a, b: g * (np.log(a / b) + 1), b=lambda g, a, b: -g * ratio(a, b))
)
kl_div = elementwise(
    "kl_div", POSITIVE, dict(a=lambda g, a, b: g * np.log(a / b), b=lambda g, a, b: g * (1 - ratio(a, b)))
)
expit = elementwise("expit", ANY, lambda g, y: g * (y * (1 - y)))
logit = elementwise("logit", UNIT, lambda g, x: g / (x * (1 - x)))
log_expit = elementwise("log_expit", ANY, lambda g, x: g * expit(-x))
log1p = elementwise("log1p", POSITIVE, lambda g, x: g / (1 + x))
expm1 = elementwise("expm1", ANY, lambda g, x: g * np.exp(x))
cosm1 = elementwise("cosm1", ANY, lambda g, x: -g * np.sin(x))
exp2 = elementwise("exp2", ANY, lambda g, y: g * (log(2) * y))
exp10 = elementwise("exp10", ANY, lambda g, y: g * (log(10) * y))
cbrt = elementwise("cbrt", POSITIVE, lambda g, y: g / (3 * y * y))
exprel = elementwise("exprel", ANY, lambda g, x: g * (0.5 * hyp1f1(2.0, 3.0, x)))
_LAMBDA = [AWAY, ANY]
boxcox = elementwise(
    "boxcox", _LAMBDA, inputs=["x", "lmbda"], definition=lambda x, lmbda: np.log(x) * exprel(lmbda * np.log(x))
)
boxcox1p = elementwise(
    "boxcox1p", _LAMBDA, inputs=["x", "lmbda"], definition=lambda x, lmbda: np.log1p(x) * exprel(lmbda * np.log1p(x))
)


def log1p_over(c: Any, x: Any) -> Any:
    """Compute log(1 + c x) / c, which is x at c = 0, so that its derivatives are right there too."""
    product = c * x
    return x * hyp2f1(1.0, 1.0, 2.0, -product).astype(product.dtype)


_INVERSE = [(0.1, 0.4), AWAY]
inv_boxcox = elementwise(
    "inv_boxcox", _INVERSE, inputs=["x", "lmbda"], definition=lambda x, lmbda: np.exp(log1p_over(lmbda, x))
)
inv_boxcox1p = elementwise(
    "inv_boxcox1p", _INVERSE, inputs=["x", "lmbda"], definition=lambda x, lmbda: np.expm1(log1p_over(lmbda, x))
)
huber = elementwise(
    "huber",
    lambda rng: iter(
        [((rng.uniform(*delta, (2, 3)), rng.uniform(0.5, 1, (2, 3))), {}) for delta in ((0.2, 0.4), (1.1, 1.4))]
    ),
    dict(
        delta=lambda g, delta, r: g * np.maximum(np.abs(r) - delta, 0),
        r=lambda g, delta, r: g * np.clip(r, -delta, delta),
    ),
)
pseudo_huber = elementwise(
    "pseudo_huber",
    [AWAY, ANY],
    inputs=["delta", "r"],
    definition=lambda delta, r: delta**2 * (np.sqrt(1 + (r / delta) ** 2) - 1),
)

# ---------------------------------------------------------------------------------------------- what follows from these

powm1 = elementwise("powm1", [AWAY, ANY], inputs=["x", "y"], definition=lambda x, y: np.expm1(y * np.log(x)))
agm = elementwise(
    "agm",
    [AWAY, AWAY],
    inputs=["a", "b"],
    definition=lambda a, b: pi / 4 * (a + b) / ellipk(((a - b) / (a + b)) ** 2),
)
_DEGREE = pi / 180
sindg = elementwise("sindg", (-90, 90), lambda g, x: g * (_DEGREE * cosdg(x)))
cosdg: Any = elementwise("cosdg", (-90, 90), lambda g, x: -g * (_DEGREE * sindg(x)))
tandg = elementwise("tandg", (-60, 60), lambda g, y: g * (_DEGREE * (1 + y * y)))
cotdg = elementwise("cotdg", (20, 160), lambda g, y: -g * (_DEGREE * (1 + y * y)))
wrightomega = elementwise("wrightomega", ANY, lambda g, y: g * (y / (1 + y)))


def sinc(x: Any) -> Any:
    """Compute sin(πx) / (πx), which is ``np.sinc``."""
    return np.sinc(x)


def softplus(x: Any) -> Any:
    """Compute log(1 + eˣ), without overflow."""
    return -log_expit(-x)


# ------------------------------------------------------------------------------------------------- along an axis


def _kept(z: Any, shape: Any, axis: Any) -> Any:
    """Put the axes that were summed over back, with length 1."""
    axes = range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    places = {i % len(shape) for i in axes} if shape else set()
    return z.reshape(tuple(1 if i in places else n for i, n in enumerate(shape)))


def _axes(rng: np.random.Generator) -> Samples:
    for keywords in ({}, {"axis": 0}, {"axis": (0, 1)}):
        yield (rng.uniform(-2, 2, (3, 2)),), dict(keywords)


def _signed_lse(a: Any, b: Any, axis: Any = None, keepdims: bool = False) -> Any:
    y, sign = sp.logsumexp(a, axis=axis, b=b, keepdims=keepdims, return_sign=True)
    return float_like(y, a, b), np.asarray(sign)[()]


def _lse_weights(y: Any, sign: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    if not keepdims:
        shape = np.shape(a)
        y, sign = _kept(y, shape, axis), _kept(sign, shape, axis)
    return np.exp(a - np.where(np.isfinite(y), y, 0.0)) * sign


def _spread(g: Any, a: Any, axis: Any, keepdims: bool) -> Any:
    return g if keepdims else _kept(g, np.shape(a), axis)


_logsumexp = declare(
    "special",
    "logsumexp",
    _signed_lse,
    vjp=dict(
        a=lambda g, y, a, b, axis, keepdims: (
            _spread(g[0], a, axis, keepdims) * b * _lse_weights(y[0], y[1], a, axis, keepdims)
        ),
        b=lambda g, y, a, axis, keepdims: (
            _spread(g[0], a, axis, keepdims) * _lse_weights(y[0], y[1], a, axis, keepdims)
        ),
    ),
    domain=lambda rng: iter(
        [
            ((rng.uniform(-2, 2, (3, 2)), rng.uniform(0.5, 2, (3, 2))), kw)
            for kw in ({}, {"axis": 0}, {"keepdims": True})
        ]
    ),
)


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """Compute log Σ b eᵃ over an axis (all by default); with ``return_sign`` the logarithm of |Σ| and its sign.

    >>> import autograd as ag
    >>> ag.grad(logsumexp)(np.zeros(4))
    array([0.25, 0.25, 0.25, 0.25])
    """
    a = as_array(a)
    weights = np.ones((), a.dtype) if b is None else b
    shape = np.broadcast_shapes(np.shape(a), np.shape(weights))
    if a.dtype.kind == "c" or np.iscomplexobj(unbox(weights)):
        if return_sign:
            raise DTypeError(
                "scipy.special.logsumexp: return_sign is for real numbers. The phase is that of the result."
            )
        top = np.max(unbox(a).real, axis=axis, keepdims=True)
        total = np.log(np.sum(weights * np.exp(a - top), axis=axis, keepdims=True)) + top
        return total if keepdims else np.squeeze(total, axis)
    y, sign = _logsumexp(np.broadcast_to(a, shape), np.broadcast_to(weights, shape), axis=axis, keepdims=keepdims)
    if return_sign:
        return y, unbox(sign)
    return y if b is None else np.where(sign < 0, np.nan, y)


softmax = declare(
    "special",
    "softmax",
    lambda x, axis=None: float_like(sp.softmax(x, axis=axis), x),
    vjp=lambda g, y, axis: y * (g - np.sum(g * y, axis=axis, keepdims=True)),
    domain=_axes,
)
log_softmax = declare(
    "special",
    "log_softmax",
    lambda x, axis=None: float_like(sp.log_softmax(x, axis=axis), x),
    vjp=lambda g, y, axis: g - np.exp(y) * np.sum(g, axis=axis, keepdims=True),
    domain=_axes,
)


def __getattr__(name: str) -> Any:
    """Return the other functions of ``scipy.special``, for plain arrays."""
    return without_rule("special", name)
