"""Elementwise functions and their derivatives: a table to be read like the one in a calculus book.

``chain(g, d)`` is the product g · d in which a masked element (g = 0) stays zero where d is not finite. At kinks:
``abs`` has derivative 0 at 0, ``maximum`` and ``minimum`` share ties equally, ``clip`` has 1 at its bounds.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import Box, unbox, wrap
from autograd.ops.activations import sigmoid
from autograd.ops.axes import no_out
from autograd.ops.casting import astype
from autograd.ops.masking import chain, cut
from autograd.primitive import dispatch, implements, nondifferentiable, op

LN2, LN10 = np.log(2.0).item(), np.log(10.0).item()


def _unary(forward: Any, vjp: Any, domain: Any, symbol: str | None = None) -> Any:
    return op(forward, vjp=vjp, elementwise=True, domain=domain, symbol=symbol)


def _binary(forward: Any, a: Any, b: Any, domain: Any, symbol: str | None = None) -> Any:
    return op(forward, vjp=dict(a=a, b=b), elementwise=True, domain=domain, symbol=symbol)


# -------------------------------------------------------------------------------------------- arithmetic and powers

_ANY, _AWAY, _POSITIVE = (-2, 2), (0.5, 2), (0.3, 2)

add = _binary(np.add, lambda g: g, lambda g: g, [_ANY, _ANY], "+")
subtract = _binary(np.subtract, lambda g: g, lambda g: -g, [_ANY, _ANY], "-")
multiply = _binary(np.multiply, lambda g, b: g * b, lambda g, a: g * a, [_ANY, _ANY], "×")
divide = _binary(np.divide, lambda g, b: chain(g, 1 / b), lambda g, y, b: chain(g, -y / b), [_ANY, _AWAY], "÷")
negative = _unary(np.negative, lambda g: -g, _ANY, "neg")
positive = _unary(np.positive, lambda g: g, _ANY, "pos")
reciprocal = _unary(np.reciprocal, lambda g, y: chain(chain(g, y), -y), _AWAY)
square = _unary(np.square, lambda g, x: g * (2 * x), _ANY, "²")
sqrt = _unary(np.sqrt, lambda g, y: chain(g, 0.5 / y), _POSITIVE)
cbrt = _unary(np.cbrt, lambda g, y: chain(g, 1 / (3 * y * y)), _POSITIVE)
absolute = _unary(np.absolute, lambda g, x: g * np.sign(x), _AWAY, "abs")
fabs = _unary(np.fabs, lambda g, x: g * np.sign(x), _AWAY)


_PYTHON = (int, float)


def _power_base(g: Any, a: Any, b: Any) -> Any:
    """∂(aᵇ)/∂a = b · aᵇ⁻¹, and 0 for b = 0 even at a = 0."""
    if isinstance(b, _PYTHON):
        return g * (2 * a) if b == 2 else chain(g, b * a ** (b - 1)) if b else g * 0
    return chain(g * b, a ** np.where((a == 0) & (b == 0), 1.0, b - 1))


def _power_exponent(g: Any, y: Any, a: Any) -> Any:
    """∂(aᵇ)/∂b = aᵇ · ln a, and 0 for a = 0 (but -∞ where aᵇ is infinite)."""
    if isinstance(a, _PYTHON) and a:
        return chain(chain(g, y), np.log(a).item())  # a Python number, so that float32 stays float32
    return chain(chain(g, y), np.log(np.where((a == 0) & np.isfinite(y), 1.0, a)))


power = _binary(np.power, _power_base, _power_exponent, [_POSITIVE, _ANY], "**")
float_power = _binary(np.float_power, _power_base, _power_exponent, [_POSITIVE, _ANY], "**")
hypot = _binary(np.hypot, lambda g, y, a: chain(g, a / y), lambda g, y, b: chain(g, b / y), [_AWAY, _AWAY])
remainder = _binary(
    np.remainder, lambda g: g, lambda g, a, b: -g * np.floor_divide(a, b), [(2.2, 2.4), (0.9, 1)], "mod"
)
fmod = _binary(np.fmod, lambda g: g, lambda g, a, b: -g * np.trunc(a / b), [(2.2, 2.4), (0.9, 1)])
copysign = _binary(np.copysign, lambda g, a, b: g * (np.sign(a) * np.copysign(1.0, b)), lambda g: g * 0, [_AWAY, _AWAY])

# ------------------------------------------------------------------------------------------- exponentials, logarithms

exp = _unary(np.exp, lambda g, y: g * y, _ANY)
exp2 = _unary(np.exp2, lambda g, y: g * (LN2 * y), _ANY)
expm1 = _unary(np.expm1, lambda g, y: g * (y + 1), _ANY)
log = _unary(np.log, lambda g, x: chain(g, 1 / x), _POSITIVE)
log2 = _unary(np.log2, lambda g, x: chain(g, 1 / (LN2 * x)), _POSITIVE)
log10 = _unary(np.log10, lambda g, x: chain(g, 1 / (LN10 * x)), _POSITIVE)
log1p = _unary(np.log1p, lambda g, x: chain(g, 1 / (x + 1)), _POSITIVE)
# ∂/∂a = eᵃ / (eᵃ + eᵇ) = σ(a - b); as exp(a - y) it would be wrong for large a, where y is rounded
logaddexp = _binary(
    np.logaddexp, lambda g, a, b: chain(g, sigmoid(a - b)), lambda g, a, b: chain(g, sigmoid(b - a)), [_ANY, _ANY]
)
logaddexp2 = _binary(
    np.logaddexp2,
    lambda g, a, b: chain(g, sigmoid(LN2 * (a - b))),
    lambda g, a, b: chain(g, sigmoid(LN2 * (b - a))),
    [_ANY, _ANY],
)

# ------------------------------------------------------------------------------------------ trigonometry, hyperbolics

sin = _unary(np.sin, lambda g, x: g * np.cos(x), _ANY)
cos = _unary(np.cos, lambda g, x: -g * np.sin(x), _ANY)
tan = _unary(np.tan, lambda g, y: g * (1 + y * y), (-1, 1))
arcsin = _unary(np.arcsin, lambda g, x: chain(g, 1 / np.sqrt(1 - x * x)), (-0.8, 0.8))
arccos = _unary(np.arccos, lambda g, x: chain(g, -1 / np.sqrt(1 - x * x)), (-0.8, 0.8))
arctan = _unary(np.arctan, lambda g, x: g / (1 + x * x), _ANY)


def _squares(a: Any, b: Any) -> Any:
    """Give a² + b² in floats, as the square of a small integer type would overflow."""
    return np.square(1.0 * a) + np.square(1.0 * b)


arctan2 = _binary(
    np.arctan2,
    lambda g, a, b: chain(g, b / _squares(a, b)),
    lambda g, a, b: chain(-g, a / _squares(a, b)),
    [_AWAY, _AWAY],
)
sinh = _unary(np.sinh, lambda g, x: g * np.cosh(x), _ANY)
cosh = _unary(np.cosh, lambda g, x: g * np.sinh(x), _ANY)
tanh = _unary(np.tanh, lambda g, y: g * (1 - y * y), _ANY)
arcsinh = _unary(np.arcsinh, lambda g, x: g / np.sqrt(x * x + 1), _ANY)
arccosh = _unary(np.arccosh, lambda g, x: chain(g, 1 / np.sqrt(x * x - 1)), (1.5, 3))
arctanh = _unary(np.arctanh, lambda g, x: chain(g, 1 / (1 - x * x)), (-0.8, 0.8))
deg2rad = _unary(np.deg2rad, lambda g: g * (np.pi / 180), _ANY)
rad2deg = _unary(np.rad2deg, lambda g: g * (180 / np.pi), _ANY)
radians = _unary(np.radians, lambda g: g * (np.pi / 180), _ANY)
degrees = _unary(np.degrees, lambda g: g * (180 / np.pi), _ANY)

# ---------------------------------------------------------------------------------------------- choosing between values


def _apart(rng: np.random.Generator) -> Any:
    low, high = rng.uniform(-2, -0.1, (2, 3)), rng.uniform(0.1, 2, (2, 3))
    yield (low, high), {}
    yield (high, low[0]), {}


def _extremum(forward: Any, loses: Any) -> Any:
    """Give the gradient to the input that does not lose; a tie is shared equally."""
    return _binary(
        forward,
        lambda g, a, b: np.where(a == b, 0.5 * g, cut(g, ~loses(a, b))),
        lambda g, a, b: np.where(a == b, 0.5 * g, cut(g, ~loses(b, a))),
        _apart,
    )


# a nan loses against a number in fmax and fmin only; in maximum and minimum it is the result
maximum = _extremum(np.maximum, lambda a, b: a < b)
minimum = _extremum(np.minimum, lambda a, b: a > b)
fmax = _extremum(np.fmax, lambda a, b: (a < b) | np.isnan(a) & ~np.isnan(b))
fmin = _extremum(np.fmin, lambda a, b: (a > b) | np.isnan(a) & ~np.isnan(b))

_where = op(
    lambda if_true, if_false, condition=None: np.where(condition, if_true, if_false),
    name="where",
    vjp=dict(
        if_true=lambda g, condition: np.where(condition, g, 0.0),
        if_false=lambda g, condition: np.where(condition, 0.0, g),
    ),
    elementwise=True,
)


def _where_samples(rng: np.random.Generator) -> Any:
    x, y = rng.uniform(-2, 2, (3, 4)), rng.uniform(-2, 2, (1, 4))
    yield (rng.random((3, 4)) > 0.5, x, y), {}
    yield (np.array(True), x[0], y), {}


@implements(np.where, domain=_where_samples)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Choose ``x`` where the condition holds, else ``y``; the other gets gradient 0, even where it is not finite."""
    condition = unbox(condition)
    if x is None and y is None:
        return np.nonzero(condition)
    return _where(x, y, condition=np.asarray(condition))


_clip = op(
    lambda x, low, high: np.clip(x, low, high),
    name="clip",
    vjp=dict(
        x=lambda g, x, low, high: cut(g, (x >= low) & (x <= high)),
        low=lambda g, x, low, high: cut(g, (x < low) & (low <= high)),
        high=lambda g, x, low, high: cut(g, (x > high) | (low > high)),
    ),
    elementwise=True,
)


def _clip_samples(rng: np.random.Generator) -> Any:
    x = np.linspace(-2, 2, 9) + rng.uniform(-0.05, 0.05, 9)
    yield (x, -0.7, 0.8), {}
    yield (x,), {"a_min": None, "a_max": 0.7}
    yield (x, np.full(9, -0.7), np.full(9, 0.8)), {}


@implements(np.clip, domain=_clip_samples)
def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Limit values to [a_min, a_max]; derivative 1 inside and at the bounds, 0 outside."""
    no_out("clip", out)
    low, high = a_min if min is None else min, a_max if max is None else max
    return _clip(a, -np.inf if low is None else low, np.inf if high is None else high)


def _nan_to_num_samples(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}


nan_to_num = op(
    lambda x, copy=True, nan=0.0, posinf=None, neginf=None: np.nan_to_num(x, True, nan, posinf, neginf),
    name="nan_to_num",
    vjp=lambda g, x: g * np.isfinite(x),
    elementwise=True,
    domain=_nan_to_num_samples,
)
dispatch[np.nan_to_num] = nan_to_num

# sin(t)/t near 0: its slope by the power series, as the closed form cancels there (t = πx; error < 1e-12 for |t| < 0.5)
_SERIES = (-1 / 3, 1 / 30, -1 / 840, 1 / 45360, -1 / 3991680)


def _sinc_slope(x: Any, y: Any) -> Any:
    t = np.pi * x
    near = abs(t) < 0.5
    small: Any = np.where(near, t, 0.0)
    series = 0.0
    for c in reversed(_SERIES):
        series = series * (small * small) + c
    return np.where(near, np.pi * small * series, (np.cos(t) - y) / np.where(near, 1.0, x))


sinc = op(np.sinc, name="sinc", inputs=["x"], vjp=lambda g, y, x: g * _sinc_slope(x, y), elementwise=True, domain=_ANY)

# -------------------------------------------------------------------------------------- real numbers and constants


def _one(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}


@implements(np.real, np.real_if_close, np.conj, domain=_one)
def real(x: Any, tol: float = 100) -> Any:
    """Give the real part, which for real numbers is the number itself (so do ``conj`` and ``real_if_close``)."""
    return positive(x)


@implements(np.modf, domain=_one)
def modf(x: Any) -> Any:
    """Split into fractional and integral part; the integral part needs no gradient."""
    whole = trunc(x)
    return x - whole, whole


@implements(np.divmod, domain=lambda rng: iter([((rng.uniform(0.1, 0.4, 3), 0.5), {})]))
def divmod_(x: Any, y: Any) -> Any:
    """Give ``(x // y, x % y)``."""
    return floor_divide(x, y), remainder(x, y)


ldexp = op(
    np.ldexp,
    inputs=["x", "exponent"],
    vjp=dict(x=lambda g, exponent: np.ldexp(g, exponent)),
    elementwise=True,
    domain=lambda rng: iter([((rng.uniform(-2, 2, (2, 3)), [1, 0, -2]), {})]),
)


_exponent = nondifferentiable(lambda x: np.frexp(x)[1], name="exponent")


@implements(np.frexp, domain=lambda rng: iter([((rng.uniform(2.2, 3.8, (2, 3)),), {})]))
def frexp(x: Any) -> Any:
    """Split x = m · 2ᵉ into the mantissa m, 0.5 <= |m| < 1, and the integer exponent e, which needs no gradient."""
    exponent = _exponent(x)
    return ldexp(x, -unbox(exponent)), exponent


sign, floor, ceil, trunc, rint, heaviside, floor_divide, spacing, angle = (
    nondifferentiable(f)
    for f in (np.sign, np.floor, np.ceil, np.trunc, np.rint, np.heaviside, np.floor_divide, np.spacing, np.angle)
)
round_ = nondifferentiable(np.round, name="round")
dispatch[np.around] = round_
dispatch[np.fix] = trunc  # an older name
zeros_like, ones_like, empty_like = (nondifferentiable(f) for f in (np.zeros_like, np.ones_like, np.empty_like))


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None
) -> Any:
    """Fill an array of the shape and dtype of ``a`` with ``fill_value``, which gets the sum of the gradient."""
    if not isinstance(fill_value, Box):
        y = np.full_like(unbox(a), fill_value, dtype, order, subok, shape)
        return wrap(y) if isinstance(a, Box) else y
    kind = np.asarray(unbox(a)).dtype if dtype is None else dtype
    return np.broadcast_to(astype(fill_value, kind), np.shape(a) if shape is None else shape)


dispatch[np.full_like] = full_like
