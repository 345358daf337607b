"""Elementwise functions and their derivatives: a table to be read like the one in a calculus book.

``vjp`` gives the rule by input, ``formula`` the same derivative as it is shown with numbers, ``selects`` which elements
of the output come from an input where an op chooses; the engine masks with it. At kinks: ``abs`` has derivative 0 at 0,
``maximum`` and ``minimum`` share ties equally, ``clip`` has 1 at its bounds.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import Box, needs_grad, unbox
from autograd.ops.activations import sigmoid
from autograd.ops.axes import as_array, no_out
from autograd.ops.casting import astype, copy
from autograd.primitive import dispatch, implements, nondifferentiable, op, opaque

LN2, LN10 = np.log(2.0).item(), np.log(10.0).item()


def _declare(forward: Any, *, domain: Any, **declared: Any) -> Any:
    return op(forward, elementwise=True, domain=domain, **declared)


_ANY, _AWAY, _POSITIVE, _UNIT = (-2, 2), (0.5, 2), (0.3, 2), (-0.8, 0.8)

# -------------------------------------------------------------------------------------------- arithmetic and powers

add = _declare(
    np.add, symbol="+", domain=[_ANY, _ANY], vjp=dict(a=lambda g: g, b=lambda g: g), formula=dict(a="1", b="1")
)
subtract = _declare(
    np.subtract, symbol="-", domain=[_ANY, _ANY], vjp=dict(a=lambda g: g, b=lambda g: -g), formula=dict(a="1", b="-1")
)
multiply = _declare(
    np.multiply,
    symbol="×",
    domain=[_ANY, _ANY],
    vjp=dict(a=lambda g, b: g * b, b=lambda g, a: g * a),
    formula=dict(a="b", b="a"),
)
divide = _declare(
    np.divide,
    symbol="÷",
    domain=[_ANY, _AWAY],
    vjp=dict(a=lambda g, b: g / b, b=lambda g, y, b: -g * (y / b)),
    formula=dict(a="1 / b", b="-y / b"),
)
negative = _declare(np.negative, symbol="neg", domain=_ANY, vjp=lambda g: -g, formula="-1")
positive = _declare(np.positive, symbol="pos", domain=_ANY, vjp=lambda g: g, formula="1")
reciprocal = _declare(np.reciprocal, domain=_AWAY, vjp=lambda g, y: -g * (y * y), formula="-y**2")
square = _declare(np.square, symbol="²", domain=_ANY, vjp=lambda g, x: g * (2 * x), formula="2 * x")
sqrt = _declare(np.sqrt, domain=_POSITIVE, vjp=lambda g, y: g * (0.5 / y), formula="1 / (2 * y)")
cbrt = _declare(np.cbrt, domain=_POSITIVE, vjp=lambda g, y: g / (3 * y * y), formula="1 / (3 * y**2)")


def _absolute_rule(g: Any, x: Any) -> Any:
    """∂|x|/∂x = sign(x); |z| grows fastest towards z / |z|, which ``np.sign`` gives, in five times the time."""
    if type(x) is np.ndarray and x.dtype.kind == "c":
        size = np.abs(x)
        return x * (g / np.where(size == 0, 1, size)) if np.isfinite(size).all() else g * np.sign(x)
    return g * np.sign(x)


absolute = _declare(np.absolute, symbol="abs", domain=_AWAY, vjp=_absolute_rule, formula="sign(x)")
fabs = _declare(np.fabs, domain=_AWAY, vjp=lambda g, x: g * np.sign(x), formula="sign(x)")


def _power_base(g: Any, a: Any, b: Any) -> Any:
    """∂(aᵇ)/∂a = b · aᵇ⁻¹, and 0 for b = 0 at any a."""
    if isinstance(b, np.number) and b != 0:
        return g * (2 * a if b == 2 else b * a ** (b - 1))
    constant = (b == 0) & ~(np.isfinite(a) & (a != 0))
    return g * (b * np.where(constant, 1.0, a) ** np.where(constant, 1.0, b - 1))


def _power_exponent(g: Any, y: Any, a: Any) -> Any:
    """∂(aᵇ)/∂b = aᵇ · ln a, and 0 for a = 0 (but -∞ where aᵇ is infinite)."""
    if y.dtype.kind == "c" and a.dtype.kind != "c":
        a = a.astype(y.dtype)  # of a negative number the logarithm is complex
    return g * (y * np.log(np.where((a == 0) & np.isfinite(y), 1.0, a)))


_POWER: dict[str, Any] = dict(
    domain=[_POSITIVE, _ANY],
    vjp=dict(a=_power_base, b=_power_exponent),
    formula=dict(a="b * a**(b - 1)", b="y * log(a)"),
)
power = _declare(np.power, symbol="**", **_POWER)
float_power = _declare(np.float_power, symbol="**", **_POWER)


def _ratio(a: Any, b: Any) -> Any:
    """Compute a / b, and 0 where both are 0: the direction of a vector, which is taken to be 0 for the vector 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.divide(a, b)
    return np.where((a == 0) & (b == 0), np.zeros((), y.dtype), y)[()]


# At 0 / 0 the value is a convention; it has no derivative there, and the rules give inf or nan.
ratio = op(
    _ratio,
    name="ratio",
    symbol="÷",
    elementwise=True,
    domain=[_ANY, _AWAY],
    vjp=dict(a=lambda g, b: g / b, b=lambda g, a, b: -g * (a / b / b)),
    formula=dict(a="1 / b", b="-a / b**2"),
)

hypot = _declare(
    np.hypot,
    domain=[_AWAY, _AWAY],
    vjp=dict(a=lambda g, y, a: g * ratio(a, y), b=lambda g, y, b: g * ratio(b, y)),
    formula=dict(a="a / y", b="b / y"),
)
remainder = _declare(
    np.remainder,
    symbol="mod",
    domain=[(2.2, 2.4), (0.9, 1)],
    vjp=dict(a=lambda g: g, b=lambda g, a, b: -g * np.floor_divide(a, b)),
)
fmod = _declare(np.fmod, domain=[(2.2, 2.4), (0.9, 1)], vjp=dict(a=lambda g: g, b=lambda g, a, b: -g * np.trunc(a / b)))
copysign = _declare(
    np.copysign,
    domain=[_AWAY, _AWAY],
    vjp=dict(a=lambda g, a, b: g * (np.sign(a) * np.copysign(1.0, b)), b=lambda g: g * 0),
)

# ------------------------------------------------------------------------------------------- exponentials, logarithms

exp = _declare(np.exp, domain=_ANY, vjp=lambda g, y: g * y, formula="y")
exp2 = _declare(np.exp2, domain=_ANY, vjp=lambda g, y: g * (LN2 * y), formula="log(2) * y")
expm1 = _declare(np.expm1, domain=_ANY, vjp=lambda g, x: g * np.exp(x), formula="exp(x)")
log = _declare(np.log, domain=_POSITIVE, vjp=lambda g, x: g / x, formula="1 / x")
log2 = _declare(np.log2, domain=_POSITIVE, vjp=lambda g, x: g / (LN2 * x), formula="1 / (x * log(2))")
log10 = _declare(np.log10, domain=_POSITIVE, vjp=lambda g, x: g / (LN10 * x), formula="1 / (x * log(10))")
log1p = _declare(np.log1p, domain=_POSITIVE, vjp=lambda g, x: g / (x + 1), formula="1 / (1 + x)")
# ∂/∂a = eᵃ / (eᵃ + eᵇ) = σ(a - b); as exp(a - y) it would be wrong for large a, where y is rounded
logaddexp = _declare(
    np.logaddexp,
    domain=[_ANY, _ANY],
    vjp=dict(a=lambda g, a, b: g * sigmoid(a - b), b=lambda g, a, b: g * sigmoid(b - a)),
    formula=dict(a="sigmoid(a - b)", b="sigmoid(b - a)"),
)
logaddexp2 = _declare(
    np.logaddexp2,
    domain=[_ANY, _ANY],
    vjp=dict(a=lambda g, a, b: g * sigmoid(LN2 * (a - b)), b=lambda g, a, b: g * sigmoid(LN2 * (b - a))),
    formula=dict(a="sigmoid(log(2) * (a - b))", b="sigmoid(log(2) * (b - a))"),
)

# ------------------------------------------------------------------------------------------ trigonometry, hyperbolics

sin = _declare(np.sin, domain=_ANY, vjp=lambda g, x: g * np.cos(x), formula="cos(x)")
cos = _declare(np.cos, domain=_ANY, vjp=lambda g, x: -g * np.sin(x), formula="-sin(x)")
tan = _declare(np.tan, domain=(-1, 1), vjp=lambda g, y: g * (1 + y * y), formula="1 + y**2")
arcsin = _declare(np.arcsin, domain=_UNIT, vjp=lambda g, x: g / np.sqrt(1 - x * x), formula="1 / sqrt(1 - x**2)")
arccos = _declare(np.arccos, domain=_UNIT, vjp=lambda g, x: -g / np.sqrt(1 - x * x), formula="-1 / sqrt(1 - x**2)")
arctan = _declare(np.arctan, domain=_ANY, vjp=lambda g, x: g / (1 + x * x), formula="1 / (1 + x**2)")


def _arccosh_rule(g: Any, x: Any) -> Any:
    """∂ arccosh(x)/∂x = 1 / √(x² - 1); with two roots, as the one has another sign for complex x left of 0."""
    return g / (np.sqrt(x - 1) * np.sqrt(x + 1))


def _squares(a: Any, b: Any) -> Any:
    """Compute a² + b² in floats, as the square of a small integer type would overflow."""
    return np.square(1.0 * a) + np.square(1.0 * b)


arctan2 = _declare(
    np.arctan2,
    domain=[_AWAY, _AWAY],
    vjp=dict(a=lambda g, a, b: g * (b / _squares(a, b)), b=lambda g, a, b: -g * (a / _squares(a, b))),
    formula=dict(a="b / (a**2 + b**2)", b="-a / (a**2 + b**2)"),
)
sinh = _declare(np.sinh, domain=_ANY, vjp=lambda g, x: g * np.cosh(x), formula="cosh(x)")
cosh = _declare(np.cosh, domain=_ANY, vjp=lambda g, x: g * np.sinh(x), formula="sinh(x)")
tanh = _declare(np.tanh, domain=_ANY, vjp=lambda g, y: g * (1 - y * y), formula="1 - y**2")
arcsinh = _declare(np.arcsinh, domain=_ANY, vjp=lambda g, x: g / np.sqrt(x * x + 1), formula="1 / sqrt(x**2 + 1)")
arccosh = _declare(np.arccosh, domain=(1.5, 3), vjp=_arccosh_rule, formula="1 / sqrt(x**2 - 1)")
arctanh = _declare(np.arctanh, domain=_UNIT, vjp=lambda g, x: g / (1 - x * x), formula="1 / (1 - x**2)")
deg2rad = _declare(np.deg2rad, domain=_ANY, vjp=lambda g: g * (np.pi / 180), formula="pi / 180")
rad2deg = _declare(np.rad2deg, domain=_ANY, vjp=lambda g: g * (180 / np.pi), formula="180 / pi")
radians = _declare(np.radians, domain=_ANY, vjp=lambda g: g * (np.pi / 180), formula="pi / 180")
degrees = _declare(np.degrees, domain=_ANY, vjp=lambda g: g * (180 / np.pi), formula="180 / pi")

# ---------------------------------------------------------------------------------------------- choosing between values


def _apart(rng: np.random.Generator) -> Any:
    low, high = rng.uniform(-2, -0.1, (2, 3)), rng.uniform(0.1, 2, (2, 3))
    yield (low, high), {}
    yield (high, low[0]), {}


def _extremum(forward: Any, loses: Any, sign: str) -> Any:
    """Declare an op that takes the input that does not lose; a tie is shared equally."""
    return _declare(
        forward,
        domain=_apart,
        vjp=dict(a=lambda g, a, b: np.where(a == b, 0.5 * g, g), b=lambda g, a, b: np.where(a == b, 0.5 * g, g)),
        selects=dict(a=lambda a, b: ~loses(a, b), b=lambda a, b: ~loses(b, a)),
        holomorphic=None,
        formula=dict(a=f"[a {sign} b] + [a == b] / 2", b=f"[b {sign} a] + [a == b] / 2"),
    )


# a nan loses against a number in fmax and fmin only; in maximum and minimum it is the result
maximum = _extremum(np.maximum, lambda a, b: a < b, ">")
minimum = _extremum(np.minimum, lambda a, b: a > b, "<")
fmax = _extremum(np.fmax, lambda a, b: (a < b) | np.isnan(a) & ~np.isnan(b), ">")
fmin = _extremum(np.fmin, lambda a, b: (a > b) | np.isnan(a) & ~np.isnan(b), "<")

_where = op(
    lambda if_true, if_false, condition=None: np.where(condition, if_true, if_false),
    name="where",
    vjp=dict(if_true=lambda g: g, if_false=lambda g: g),
    selects=dict(if_true=lambda condition: condition, if_false=lambda condition: ~condition),
    elementwise=True,
)


def _where_samples(rng: np.random.Generator) -> Any:
    x, y = rng.uniform(-2, 2, (3, 4)), rng.uniform(-2, 2, (1, 4))
    yield (rng.random((3, 4)) > 0.5, x, y), {}
    yield (np.array(True), x[0], y), {}


_truth = opaque(np.asarray)


@implements(np.where, domain=_where_samples)
def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """Choose ``x`` where the condition holds, else ``y``; the other gets gradient 0, even where it is not finite."""
    if x is None and y is None:
        return np.nonzero(condition)
    return _where(x, y, condition=_truth(condition, bool))


_clip = op(
    lambda x, low, high: np.clip(x, low, high),
    name="clip",
    vjp=dict(x=lambda g: g, low=lambda g: g, high=lambda g: g),
    selects=dict(
        x=lambda x, low, high: (x >= low) & (x <= high),
        low=lambda x, low, high: (x < low) & (low <= high),
        high=lambda x, low, high: (x > high) | (low > high),
    ),
    elementwise=True,
    holomorphic=None,
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

# ------------------------------------------------------------------------------------------ whole numbers and constants


def _one(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}


@implements(np.modf, domain=_one)
def modf(x: Any) -> Any:
    """Split into fractional and integral part; the integral part needs no gradient."""
    whole = trunc(x)
    return x - whole, whole


@implements(np.divmod, domain=lambda rng: iter([((rng.uniform(0.1, 0.4, 3), 0.5), {})]))
def divmod_(x: Any, y: Any) -> Any:
    """Compute ``(x // y, x % y)``."""
    return floor_divide(x, y), remainder(x, y)


ldexp = op(
    np.ldexp,
    inputs=["x", "exponent"],
    vjp=dict(x=lambda g, exponent: np.ldexp(g, np.asarray(exponent, int))),
    elementwise=True,
    domain=lambda rng: iter([((rng.uniform(-2, 2, (2, 3)), [1, 0, -2]), {})]),
)


_exponent = nondifferentiable(lambda x: np.frexp(x)[1], name="exponent")


@implements(np.frexp, domain=lambda rng: iter([((rng.uniform(2.2, 3.8, (2, 3)),), {})]))
def frexp(x: Any) -> Any:
    """Split x = m · 2ᵉ into the mantissa m, 0.5 <= |m| < 1, and the integer exponent e, which needs no gradient."""
    exponent = _exponent(x)
    return ldexp(x, -unbox(exponent)), exponent


_step = nondifferentiable(np.heaviside, name="heaviside")


def heaviside(x1: Any, x2: Any) -> Any:
    """Return the step function: 0 for x < 0, 1 for x > 0, and ``x2`` at 0, which alone can get a gradient."""
    if not needs_grad(x2):
        return _step(x1, x2)
    return np.where(np.equal(x1, 0), x2, _step(x1, 0.0))


dispatch[np.heaviside] = heaviside


floor, ceil, trunc, rint, floor_divide, spacing = (
    nondifferentiable(f) for f in (np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.spacing)
)
round_ = nondifferentiable(np.round, name="round")
dispatch[np.around] = round_


def fix(x: Any, out: Any = None) -> Any:
    """Round towards 0; an older name of ``trunc``."""
    no_out("fix", out)
    return trunc(x)


dispatch[np.fix] = fix
zeros_like, ones_like, empty_like, _filled = (
    nondifferentiable(f) for f in (np.zeros_like, np.ones_like, np.empty_like, np.full_like)
)


def full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None
) -> Any:
    """Fill an array of the shape and dtype of ``a`` with ``fill_value``, which gets the sum of the gradient."""
    if not isinstance(fill_value, Box):
        return _filled(a, fill_value, dtype, order, subok, shape)
    kind = as_array(a).dtype if dtype is None else dtype
    value = astype(fill_value, kind)
    return copy(np.broadcast_to(value, np.shape(a) if shape is None else shape))


dispatch[np.full_like] = full_like
