"""Polynomials, given by their coefficients from the highest power down."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import MissingRule, ShapeError
from autograd.ops.axes import as_array, cases, draw
from autograd.primitive import implements


def _polyval_samples(rng: np.random.Generator) -> Any:
    yield (draw(rng, (3,)), draw(rng, (2, 2))), {}
    yield (draw(rng, (1,)), draw(rng, ())), {}


@implements(np.polyval, domain=_polyval_samples)
def polyval(p: Any, x: Any) -> Any:
    """Give p[0] xⁿ⁻¹ + … + p[n - 1] by Horner's scheme, for all of ``x`` at once."""
    if isinstance(x, np.poly1d):
        raise MissingRule("np.polyval of a polynomial at a polynomial has no gradient rule. Pass x as an array.")
    p, x = as_array(p), as_array(x)
    y = np.zeros_like(unbox(x)) * x
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.vander, domain=cases(((3,), {}), ((3,), 4, {"increasing": True}), ((2,), {"N": 1})))
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """Give the matrix of powers: rows xᵢⁿ⁻¹ … xᵢ, 1, or the other way round."""
    x = as_array(x)
    if x.ndim != 1:
        raise ShapeError(f"vander: takes a vector, got shape {x.shape}.")
    dtype = np.promote_types(x.dtype, int)
    powers = np.arange(x.shape[0] if N is None else N)
    return np.expand_dims(x.astype(dtype), 1) ** (powers if increasing else powers[::-1]).astype(dtype)
