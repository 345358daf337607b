"""``np.emath``: real functions outside their real domain give complex numbers; the rules are those of the functions."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.ops.axes import as_array
from autograd.primitive import implements

_SINGLE = (np.dtype(np.float32), np.dtype(np.int8), np.dtype(np.int16), np.dtype(np.uint8), np.dtype(np.uint16))


def _below_zero(x: Any) -> Any:
    return x < 0


def _beyond_one(x: Any) -> Any:
    return np.abs(x) > 1


def _widened(x: Any, outside: Any) -> Any:
    """Make real numbers complex if any lies outside the domain of a function."""
    x = as_array(x)
    if x.dtype.kind == "c" or not np.any(outside(unbox(x))):
        return x
    return x.astype(np.complex64 if x.dtype in _SINGLE else np.complex128)


def _extended(name: str, outside: Any, inside: tuple[float, float]) -> Any:
    """Declare a function of ``np.emath`` by NumPy's function of real and complex numbers."""
    function, extended = getattr(np, name), getattr(np.emath, name)

    def samples(rng: np.random.Generator) -> Any:
        yield (rng.uniform(*inside, 3),), {}

    def compute(x: Any) -> Any:
        return function(_widened(x, outside))

    compute.__name__ = compute.__qualname__ = f"emath_{name}"
    compute.__doc__ = f"Compute ``np.{name}``, with complex results outside its real domain."
    return implements(extended, domain=samples)(compute)


sqrt, log, log2, log10 = (_extended(name, _below_zero, (0.3, 2)) for name in ("sqrt", "log", "log2", "log10"))
arccos, arcsin, arctanh = (_extended(name, _beyond_one, (-0.8, 0.8)) for name in ("arccos", "arcsin", "arctanh"))


def _pairs(rng: np.random.Generator) -> Any:
    yield (rng.uniform(1.2, 2, 3), rng.uniform(0.3, 2, 3)), {}


@implements(np.emath.logn, domain=_pairs, name="emath_logn")
def logn(n: Any, x: Any) -> Any:
    """Compute the logarithm of ``x`` with base ``n``."""
    return np.log(_widened(x, _below_zero)) / np.log(_widened(n, _below_zero))


@implements(np.emath.power, domain=_pairs, name="emath_power")
def power(x: Any, p: Any) -> Any:
    """Compute xᵖ, complex for negative ``x``."""
    x, p = _widened(x, _below_zero), as_array(p)
    return np.power(x, p * 1.0 if p.dtype.kind in "iu" and np.any(unbox(p) < 0) else p)
