"""The product in the chain rule: a masked element has gradient zero, even where the local derivative is not finite."""

from typing import Any

import numpy as np

from autograd.box import Box
from autograd.primitive import op

_F64 = np.float64


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
    """Give ``g`` where ``kept`` holds, else 0, also where ``g`` is not finite: √max(x, 0) at x < 0 has gradient 0."""
    return chain(kept, g) if isinstance(g, Box) else _chain(kept, g)
