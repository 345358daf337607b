"""Changing the dtype, and copying."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any
from weakref import ref

import numpy as np

from autograd.box import KINDS, Box, leaf_of
from autograd.errors import DTypeError
from autograd.primitive import dispatch, implements, nondifferentiable, op


def _astype(x: Any, dtype: Any = None, copy: bool = True) -> Any:
    if x.dtype.kind == "c" and np.dtype(dtype).kind in "iuf":
        raise DTypeError(f"astype({np.dtype(dtype)}) would lose the imaginary part. Use x.real, x.imag or abs(x).")
    return x.astype(dtype, copy=copy)


def _astype_samples(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {"dtype": np.float64}


# The engine gives every gradient the dtype of its input (of a real one the real part), so the rule is the identity.
_cast = op(_astype, name="astype", vjp=lambda g: g, elementwise=True, domain=_astype_samples, holomorphic=False)
_to_integers = nondifferentiable(_astype, name="astype_integer")


def astype(x: Any, dtype: Any, copy: bool = True) -> Any:
    """Convert to another dtype; a conversion to integers or booleans is piecewise constant and needs no gradient.

    With ``copy=False`` a Tensor that has the dtype already is given back as it is. Complex numbers do not become real
    ones in silence, as their imaginary part would be lost: DTypeError.
    """
    kind = np.dtype(dtype)
    if kind.kind not in KINDS:
        raise DTypeError(f"astype({kind}): a Tensor holds numbers.")
    if isinstance(x, Box) and x._array.dtype == kind and not copy:
        return x
    if kind.kind not in "fc":
        return _to_integers(x, kind)
    made = _cast(x, dtype=kind)
    if isinstance(x, Box) and isinstance(made, Box) and made._node is None:  # pictures call it what the caller calls x
        leaf_of(made).cast = ref(leaf_of(x))  # type: ignore[attr-defined]
    return made


if hasattr(np, "astype"):  # NumPy >= 2.1
    dispatch[np.astype] = astype


def _copy_samples(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}


_copy = op(
    lambda x, order="K": np.array(x, order=order),
    name="copy",
    vjp=lambda g: g,
    elementwise=True,
    domain=_copy_samples,
    holomorphic=False,
)


@implements(np.copy, domain=_copy_samples, name="copy_like_numpy")
def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """Return the values in memory of their own; gradients flow through."""
    return _copy(a, order=order)
