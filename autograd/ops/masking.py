"""The product in the chain rule: a masked element has gradient zero, even where the local derivative is not finite."""

from typing import Any

import numpy as np

from autograd.box import Box
from autograd.primitive import op

_F64 = np.float64
WORDS: dict[Any, Any] = {
    np.dtype(np.float32): np.dtype(np.int32),
    np.dtype(np.float64): np.dtype(np.int64),
}  # as wide as each other


def _chain(u: Any, d: Any) -> Any:
    """Multiply an upstream gradient ``u`` by a local derivative ``d``: u·d, and 0 where u = 0 and d is not finite.

    ``where(x > 0, sqrt(x), x)`` at x < 0 so has gradient 1, where 0 · nan would have poisoned it.
    """
    product = u * d
    if type(product) is _F64:
        return product if product == product or u != 0 else _F64(0.0)
    if has_nan(product):
        product = np.where((u == 0) & ~np.isfinite(d), np.zeros((), product.dtype), product)
    return product


def has_nan(x: Any) -> bool:
    """Tell whether an array holds nan, by the sum of its squares: BLAS takes a third of the time of ``x.sum()``."""
    flat = x.ravel(order="K")
    squares = np.vdot(flat, flat)
    return bool(squares != squares)


chain: Any = op(
    _chain,
    name="chain",
    symbol="·",
    vjp={"u": lambda g, d: chain(g, d), "d": lambda g, u: chain(np.where((u == 0) & ~np.isfinite(g), 0.0, g), u)},
    elementwise=True,
    domain=[(-2, 2)] * 2,
)


def cut(g: Any, kept: Any) -> Any:
    """Give ``g`` where ``kept`` holds, else 0, also where ``g`` is not finite: √max(x, 0) at x < 0 has gradient 0.

    Arrays are masked by their bits: two thirds of the time of a product that is looked through for nan.
    """
    if isinstance(g, Box):
        return chain(kept, g)
    word = WORDS.get(g.dtype) if type(g) is type(kept) is np.ndarray else None
    if word is None or kept.shape != g.shape:
        return _chain(kept, g)
    bits = bits_of(kept, word)
    return np.bitwise_and(bits, g.view(word), out=bits).view(g.dtype)


def bits_of(kept: Any, word: Any) -> Any:
    """Give integers of the type ``word`` of which all bits are set where ``kept`` holds, else none."""
    bits = kept.view(np.int8).astype(word)
    return np.negative(bits, out=bits)
