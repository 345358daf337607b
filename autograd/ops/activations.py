"""Activation functions beyond NumPy, stable at ±10⁴ in float32. ``relu`` has derivative 0 at 0."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from functools import lru_cache
from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from autograd.ops.axes import in_memory_order
from autograd.ops.special import SLOPE0, erf
from autograd.primitive import op

_F64 = np.float64
_ZERO = np.float64(0.0)
_SQRT_HALF = 0.5**0.5
_PDF0 = SLOPE0 * _SQRT_HALF / 2  # 1/√(2π)
_TANH_C = (2 / np.pi) ** 0.5
_SIDES = (-2, 2)


BLOCK = 1 << 14  # elements: small enough for the L1 and L2 caches


@lru_cache(maxsize=64)
def zero_block(dtype: Any, shape: Any = BLOCK) -> Any:
    """Return zeros that nobody can write into, made once."""
    block = np.zeros(shape, dtype)
    block.flags.writeable = False
    return block


def _relu(x: Any) -> Any:
    """Compute max(x, 0).

    Against zeros, large arrays block by block: NumPy's ``maximum`` with a number takes two to four times as long.

    Elementwise: the result has the shape of ``x``. Its derivative is [x > 0]. Complex numbers are refused (DTypeError).

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.relu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0., 0., 2.]), array([0., 0., 1.]))
    """
    if type(x) is _F64:
        return _ZERO if x <= 0 else x
    if type(x) is not np.ndarray or x.dtype.char not in "fd":
        return np.maximum(x, 0)
    if x.size <= BLOCK:
        return np.maximum(x, zero_block(x.dtype, x.shape))
    flat = in_memory_order(x)
    if flat is None:
        return np.maximum(x, 0)
    y, zeros = np.empty_like(x), zero_block(x.dtype)
    out = in_memory_order(y)
    for start in range(0, flat.size, BLOCK):
        part = flat[start : start + BLOCK]
        np.maximum(part, zeros[: part.size], out=out[start : start + BLOCK])
    return y


relu = op(
    _relu,
    name="relu",
    symbol="ReLU",
    vjp=lambda g: g,
    selects=lambda y: y > 0,
    formula="[x > 0]",
    elementwise=True,
    domain=[(0.1, 2)],
    holomorphic=None,
)


def _leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Compute x for x > 0, else negative_slope · x.

    A slope up to 1 needs no choice per element, which costs NumPy four times as much: it is the larger of the two.

    Elementwise: the result has the shape of ``x``.

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.leaky_relu(x, 0.1)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.1,  0. ,  2. ]), array([0.1, 0.1, 1. ]))
    """
    return np.maximum(x, negative_slope * x) if 0 <= negative_slope <= 1 else np.where(x > 0, x, negative_slope * x)


def _slope(x: Any, negative_slope: Any) -> Any:
    """Return 1 where x is positive, else ``negative_slope``: as a sum, a third of the time of a choice."""
    return (x > 0) * np.asarray(1 - negative_slope, x.dtype) + np.asarray(negative_slope, x.dtype)


leaky_relu = op(
    _leaky_relu,
    name="leaky_relu",
    vjp=lambda g, x, negative_slope: g * _slope(x, negative_slope),
    elementwise=True,
    domain=[(0.1, 2)],
    holomorphic=None,
)


def _elu(x: Any, alpha: float = 1.0) -> Any:
    """Compute x for x > 0, else α · (eˣ - 1) (Clevert et al. 2015).

    Elementwise: the result has the shape of ``x``.

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.elu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.6321,  0.    ,  2.    ]), array([0.3679, 1.    , 1.    ]))
    """
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


elu = op(
    _elu,
    name="elu",
    vjp=lambda g, x, alpha: g * np.where(x > 0, 1.0, alpha * np.exp(np.where(x > 0, 0.0, x))),
    elementwise=True,
    domain=[(-2, -0.1)],
    holomorphic=None,
)


def _sigmoid(x: Any) -> Any:
    """Compute 1 / (1 + e⁻ˣ).

    Elementwise: the result has the shape of ``x``. Its derivative is σ (1 − σ).

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.sigmoid(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0.2689, 0.5   , 0.8808]), array([0.1966, 0.25  , 0.105 ]))
    """
    with np.errstate(over="ignore"):  # e⁻ˣ = ∞ gives 0, which is right
        if type(x) is not np.ndarray or x.dtype.kind != "f":
            return 1 / (1 + np.exp(-x))
        y = np.negative(x)
        np.exp(y, out=y)
        y += 1
        return np.reciprocal(y, out=y)


sigmoid = op(
    _sigmoid,
    name="sigmoid",
    symbol="σ",
    vjp=lambda g, y: g * (y * (1 - y)),
    formula="y * (1 - y)",
    elementwise=True,
    domain=_SIDES,
)


def _softplus(x: Any) -> Any:
    """Compute log(1 + eˣ) = max(x, 0) + log(1 + e^-|x|).

    Elementwise: the result has the shape of ``x``. Its derivative is the sigmoid.

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.softplus(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([0.3133, 0.6931, 2.1269]), array([0.2689, 0.5   , 0.8808]))
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


softplus = op(
    _softplus,
    name="softplus",
    vjp=lambda g, x: g * sigmoid(x),
    formula="sigmoid(x)",
    elementwise=True,
    domain=_SIDES,
    holomorphic=None,
)


def _silu(x: Any) -> Any:
    """Compute x · σ(x), also called swish (Elfwing et al. 2017).

    Elementwise: the result has the shape of ``x``.

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.silu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.2689,  0.    ,  1.7616]), array([0.0723, 0.5   , 1.0908]))
    """
    return x * _sigmoid(x)


def _silu_slope(x: Any) -> Any:
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


silu = op(
    _silu,
    name="silu",
    symbol="SiLU",
    vjp=lambda g, x: g * _silu_slope(x),
    formula="sigmoid(x) * (1 + x * (1 - sigmoid(x)))",
    elementwise=True,
    domain=_SIDES,
)


def _gelu(x: Any, approximate: str = "none") -> Any:
    """Compute x · Φ(x) with the normal distribution function Φ, or its tanh approximation (Hendrycks & Gimpel 2016).

    Elementwise: the result has the shape of ``x``.

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.gelu(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.1587,  0.    ,  1.9545]), array([-0.0833,  0.5   ,  1.0852]))
    """
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(_TANH_C * (x + 0.044715 * x * x * x)))
    if approximate != "none":
        raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")
    return 0.5 * x * (1 + erf(_SQRT_HALF * x))


def _gelu_slope(x: Any, approximate: str) -> Any:
    if approximate == "none":
        return 0.5 * (1 + erf(_SQRT_HALF * x)) + x * (_PDF0 * np.exp(-0.5 * x * x))
    t = np.tanh(_TANH_C * (x + 0.044715 * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_TANH_C * (1 + 0.134145 * x * x))


def _gelu_samples(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}
    yield (rng.uniform(-2, 2, 4),), {"approximate": "tanh"}


gelu = op(
    _gelu,
    name="gelu",
    symbol="GELU",
    vjp=lambda g, x, approximate: g * _gelu_slope(x, approximate),
    elementwise=True,
    domain=_gelu_samples,
    holomorphic=None,
)


def _logit(x: Any) -> Any:
    """Compute log(x / (1 - x)), the inverse of the sigmoid.

    Elementwise: the result has the shape of ``x``. Outside of [0, 1] it is nan.

    >>> import autograd as ag
    >>> x = ag.Tensor([0.1, 0.5, 0.9], requires_grad=True)
    >>> y = ag.logit(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-2.1972,  0.    ,  2.1972]), array([11.1111,  4.    , 11.1111]))
    """
    return np.log(x) - np.log1p(-x)


logit = op(
    _logit,
    name="logit",
    vjp=lambda g, x: g / (x * (1 - x)),
    formula="1 / (x * (1 - x))",
    elementwise=True,
    domain=(0.2, 0.8),
)


def _axis_samples(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (3, 4)),), {}
    yield (rng.uniform(-2, 2, (2, 3, 2)),), {"axis": 1}


def _softmax(x: Any, axis: int = -1) -> Any:
    """Compute eˣ / Σ eˣ along an axis.

    The result has the shape of ``x`` and sums to 1 along ``axis``; gᵀ ∂y/∂x = y · (g − Σ g y). Raises AxisError for an
    axis that ``x`` does not have.

    >>> import autograd as ag
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> p = ag.softmax(x, axis=-1)
    >>> p[0, 2].backward()
    >>> p.numpy().round(4), x.grad.numpy().round(4)
    (array([[0.09  , 0.2447, 0.6652]]), array([[-0.0599, -0.1628,  0.2227]]))
    """
    y = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    y /= y.sum(axis=axis, keepdims=True)
    return y


softmax = op(
    _softmax,
    name="softmax",
    vjp=lambda g, y, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),
    formula="y * (g - row_sums(g * y))",
    domain=_axis_samples,
)


def _log_softmax(x: Any, axis: int = -1) -> Any:
    """Compute log(eˣ / Σ eˣ) along an axis.

    The result has the shape of ``x``; gᵀ ∂y/∂x = g − eʸ Σ g. Raises AxisError for an axis that ``x`` does not have.

    >>> import autograd as ag
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> y = ag.log_softmax(x, axis=-1)
    >>> y[0, 2].backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([[-2.4076, -1.4076, -0.4076]]), array([[-0.09  , -0.2447,  0.3348]]))
    """
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)) if x.size else shifted


log_softmax = op(
    _log_softmax,
    name="log_softmax",
    vjp=lambda g, y, axis: g - np.exp(y) * g.sum(axis=axis, keepdims=True),
    formula="g - exp(y) * row_sums(g)",
    domain=_axis_samples,
)


def _logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Compute log Σ eˣ over an axis, all axes by default.

    Its derivative is the softmax. No exponential overflows: the largest x is taken out first. (N, C) -> (N,) for
    ``axis=1``. Raises AxisError for an axis that ``x`` does not have.

    >>> import autograd as ag
    >>> x = ag.Tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    >>> y = ag.logsumexp(x)
    >>> y.backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (np.float64(3.4076), array([[0.09  , 0.2447, 0.6652]]))
    """
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0).astype(top.dtype)
    with np.errstate(divide="ignore", over="ignore"):
        y = np.log(np.exp(x - top).sum(axis=axis, keepdims=True)) + top
    return y if keepdims else y.reshape(np.sum(x, axis=axis).shape)[()]


def _logsumexp_rule(g: Any, y: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    if not keepdims:
        axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        shape = tuple(1 if i in {a % x.ndim for a in axes} else n for i, n in enumerate(x.shape))
        g, y = g.reshape(shape), y.reshape(shape)
    return g * np.exp(x - np.where(np.isfinite(y), y, 0.0))  # all of a row -inf: gradient 0


def _logsumexp_samples(rng: np.random.Generator) -> Any:
    for keywords in ({}, {"axis": 0}, {"axis": (0, -1), "keepdims": True}):
        yield (rng.uniform(-2, 2, (3, 2)),), keywords


logsumexp = op(_logsumexp, name="logsumexp", vjp=_logsumexp_rule, domain=_logsumexp_samples)
