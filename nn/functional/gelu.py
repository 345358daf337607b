"""GELU as one op: x · Φ(x), in blocks that stay in the cache, the derivative finished while the block is there.

Φ(x) = ½ + ½ · tanh(x · P(x²)). The tanh form has P = √(2/π) · (1 + 0.044715 x²) (Hendrycks & Gimpel 2016); the exact
one, in float32, a polynomial P of degree 6 fitted for this project to artanh(erf(x/√2))/x on [0, 5.5] (weighted
minimax): Φ to 1.3e-7 and x · Φ to 5.5e-7 over all x, half the error of PyTorch's, with one SIMD ``tanh`` in place of
an ``erf`` that NumPy lacks.
"""

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input
from nn.functional.windows import Array

BLOCK = 32 * 1024
_EXACT = (
    0.7978842161433297,
    0.03633428346333577,
    -3.312996386650296e-05,
    -5.524016611547449e-05,
    3.969110393247758e-06,
    -1.3344646258313356e-07,
    1.805617538827974e-09,
)
_END = 5.5**2  # beyond x = 5.5 Φ is 1 in float32, and the polynomial is no longer fitted
_C = math.sqrt(2 / math.pi)
_TANH = (_C, _C * 0.044715)
_DENSITY = 1 / math.sqrt(2 * math.pi)


def _distribution(x: Array, square: Array, approximate: str, out: Array) -> None:
    """Write Φ(x) into ``out``."""
    if approximate == "none" and x.dtype != np.float32:
        np.multiply(ag.erf(x * math.sqrt(0.5)), 0.5, out=out)
    else:
        coefficients = _EXACT if approximate == "none" else _TANH
        z = np.minimum(square, x.dtype.type(_END)) if approximate == "none" else square
        np.multiply(z, coefficients[-1], out=out)
        for c in coefficients[-2:0:-1]:
            out += c
            out *= z
        out += coefficients[0]
        out *= x
        np.tanh(out, out=out)
        out *= 0.5
    out += 0.5


def _slope(x: Array, square: Array, phi: Array, approximate: str, out: Array) -> None:
    """Write the derivative of x · Φ(x) into ``out``: Φ + x · Φ'; ``square`` is overwritten."""
    if approximate == "none":  # Φ' = exp(−x²/2)/√(2π)
        square *= -0.5
        np.exp(square, out=out)
        out *= _DENSITY
    else:  # Φ' = 2 Φ (1 − Φ) · (x · P(x²))'
        square *= 6 * _TANH[1]
        square += 2 * _TANH[0]
        np.multiply(phi, phi, out=out)
        np.subtract(phi, out, out=out)
        out *= square
    out *= x
    out += phi


def _forward(x: Any, *, approximate: str) -> Any:
    flat = np.asarray(x).reshape(-1)
    recording = ag.is_grad_enabled()
    y, slope = np.empty_like(flat), np.empty(flat.size if recording else 0, flat.dtype)
    square = np.empty(min(flat.size, BLOCK), flat.dtype)
    for start in range(0, flat.size, BLOCK):
        at = slice(start, start + BLOCK)
        block, phi = flat[at], y[at]
        z = np.multiply(block, block, out=square[: block.size])
        _distribution(block, z, approximate, phi)
        if slope.size:
            _slope(block, z, phi, approximate, slope[at])
        phi *= block
    return y.reshape(np.shape(x)), slope.reshape(np.shape(x) if recording else 0)


def _samples(rng: np.random.Generator) -> Any:
    yield [rng.uniform(-2, 2, (2, 3))], {"approximate": "none"}
    yield [rng.uniform(-2, 2, 4)], {"approximate": "tanh"}


_gelu = ag.op(
    _forward,
    name="fused_gelu",
    symbol="GELU",
    vjp=lambda g, slope: g * slope,
    domain=_samples,
    cache=("slope",),
    definition=lambda x, *, approximate: ag.gelu(x, approximate=approximate),
)


def gelu(input: Any, approximate: str = "none") -> Any:
    """Compute x · Φ(x), Φ the normal distribution function, or with ``approximate="tanh"`` a tanh that is close to it.

    Elementwise: the result has the shape of x. Raises ArgumentError for another ``approximate``.

    >>> import numpy as np, nn
    >>> nn.functional.gelu(np.array([-1.0, 0.0, 1.0])).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}.")
    return _gelu(as_input(input), approximate=approximate)
