"""Derivatives of the incomplete gamma and beta functions by their shapes: series whose terms are all positive.

They are written in NumPy's functions and the ufuncs of ``scipy.special``, so that they can be differentiated again.
Their error is absolute, about 1e-14; for gammainc the number of terms grows with x.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sp

from autograd.box import unbox
from autograd.ops.axes import as_array
from autograd.scipy.declare import declare

_FIRST, _MOST = 64, 1 << 20


def _count(log_term: Callable[[Any], Any]) -> Any:
    """Find how many terms matter: the last one is below e⁻⁴⁰ and falls."""
    n = _FIRST
    while n < _MOST and np.any(log_term(n) > -40):
        n *= 2
    return np.arange(float(n))


def _wide(*inputs: Any) -> tuple[Any, list[Any]]:
    """Return the dtype that inputs have together, and the inputs in float64, in which the series are summed."""
    dtype = np.result_type(np.float32, *[x.dtype for x in inputs if hasattr(x, "dtype")])
    arrays = [as_array(x) for x in inputs]
    return dtype, [x if x.dtype == np.float64 else x.astype(np.float64) for x in arrays]


def _gammainc_shape(a: Any, x: Any) -> Any:
    """Compute ∂P(a, x)/∂a of P = Σₙ tₙ, tₙ = xᵃ⁺ⁿ e⁻ˣ / Γ(a + n + 1): Σₙ tₙ (log x − ψ(a + n + 1))."""
    dtype, (a, x) = _wide(a, x)
    plain = unbox(x)
    inside = (plain > 0) & np.isfinite(plain)
    a, x = np.expand_dims(a, -1), np.expand_dims(np.where(inside, x, 1.0), -1)
    top, shape = unbox(x), unbox(a)
    n = _count(lambda n: np.where(n < top, 0.0, (shape + n) * np.log(top) - top - sp.gammaln(shape + n + 1)))
    log_x = np.log(x)
    terms = np.exp((a + n) * log_x - x - sp.gammaln(a + n + 1))
    return np.where(inside, np.sum(terms * (log_x - sp.psi(a + n + 1)), axis=-1), 0.0).astype(dtype)


def _betainc_shapes(a: Any, b: Any, x: Any) -> tuple[Any, Any]:
    """Compute ∂I/∂a and ∂I/∂b of I = Σₙ tₙ, tₙ = xᵃ⁺ⁿ (1 − x)ᵇ Γ(a + b + n) / (Γ(b) Γ(a + n + 1)).

    Beyond the mean the series of 1 − I, with a and b exchanged, converges faster.
    """
    dtype, (a, b, x) = _wide(a, b, x)
    plain = unbox(x)
    inside = (plain > 0) & (plain < 1)
    x = np.where(inside, x, 0.5)
    flip = np.broadcast_to(unbox(x) > (unbox(a) + 1) / (unbox(a) + unbox(b) + 2), np.broadcast(*unbox((a, b, x))).shape)
    p, q, z = (np.expand_dims(np.where(flip, *pair), -1) for pair in ((b, a), (a, b), (1 - x, x)))
    log_z, log_rest = np.log(z), np.log1p(-z)
    p_, q_, log_, rest_ = unbox((p, q, log_z, log_rest))
    n = _count(
        lambda n: (p_ + n) * log_ + q_ * rest_ + sp.gammaln(p_ + q_ + n) - sp.gammaln(q_) - sp.gammaln(p_ + n + 1)
    )
    terms = np.exp((p + n) * log_z + q * log_rest + sp.gammaln(p + q + n) - sp.gammaln(q) - sp.gammaln(p + n + 1))
    both = sp.psi(p + q + n)
    first = np.sum(terms * (log_z + both - sp.psi(p + n + 1)), axis=-1)
    second = np.sum(terms * (log_rest + both - sp.psi(q)), axis=-1)
    by_a, by_b = np.where(flip, -second, first), np.where(flip, -first, second)
    return np.where(inside, by_a, 0.0).astype(dtype), np.where(inside, by_b, 0.0).astype(dtype)


gammainc_shape = declare(
    "special",
    "gammainc_by_a",
    _gammainc_shape,
    definition=_gammainc_shape,
    elementwise=True,
    domain=[(0.5, 2), (0.3, 2)],
)
betainc_shapes = declare(
    "special",
    "betainc_by_shapes",
    _betainc_shapes,
    definition=_betainc_shapes,
    elementwise=True,
    domain=[(0.5, 2), (0.5, 2), (0.1, 0.9)],
)
