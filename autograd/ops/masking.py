"""The product in the chain rule: a masked element has gradient zero, even where the local derivative is not finite."""

from typing import Any

import numpy as np

from autograd.primitive import op

_F64 = np.float64


def _chain(u: Any, d: Any) -> Any:
    """Multiply an upstream gradient ``u`` by a local derivative ``d``: u·d, and 0 where u = 0 and d is not finite.

    ``where(x > 0, sqrt(x), x)`` at x < 0 so has gradient 1, where 0 · nan would have poisoned it.
    """
    product = u * d
    if type(product) is _F64:
        return product if product == product or u != 0 else _F64(0.0)
    if np.isnan(product.sum()):  # one cheap pass finds the rare case (inf - inf also gets here, and is kept)
        product = np.where((u == 0) & ~np.isfinite(d), np.zeros((), product.dtype), product)
    return product


chain: Any = op(
    _chain,
    name="chain",
    symbol="·",
    vjp={"u": lambda g, d: chain(g, d), "d": lambda g, u: chain(np.where((u == 0) & ~np.isfinite(g), 0.0, g), u)},
    elementwise=True,
    domain=[(-2, 2)] * 2,
)
