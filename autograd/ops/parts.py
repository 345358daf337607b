"""Parts of complex numbers: real and imaginary, angle and sign, the conjugate. None of these is holomorphic."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import read_only, unbox
from autograd.ops.axes import as_array
from autograd.ops.elementwise import absolute, arctan2, ratio, zeros_like
from autograd.primitive import dispatch, implements, nondifferentiable, op


def _real_numbers(rng: np.random.Generator) -> Any:
    yield (rng.uniform(-2, 2, (2, 3)),), {}


def _complex_numbers(rng: np.random.Generator) -> Any:
    yield (rng.uniform(0.5, 2, (2, 3)) + 1j * rng.uniform(-2, 2, (2, 3)),), {}


# read-only, as a write through a part could not be followed
_real = op(
    lambda x: read_only(x.real),
    name="real",
    symbol="Re",
    vjp=lambda g: g,
    domain=_complex_numbers,
    linear=True,
    batch=lanes.stacked,
)
_imag = op(
    lambda x: read_only(x.imag),
    name="imag",
    symbol="Im",
    vjp=lambda g: g * 1j,
    domain=_complex_numbers,
    linear=True,
    batch=lanes.stacked,
)
conjugate = op(
    np.conjugate,
    symbol="conj",
    elementwise=True,
    domain=(-2, 2),
    vjp=lambda g: np.conjugate(g),
    holomorphic=False,
    linear=True,
)


@implements(np.real, domain=_real_numbers, name="real_part")
def real(x: Any) -> Any:
    """Return the real part, which for real numbers is the very same Tensor or array.

    >>> import numpy as np, autograd as ag
    >>> ag.grad(lambda z: (z * z).real)(1 + 2j)
    np.complex128(2-4j)
    """
    x = as_array(x)
    return _real(x) if x.dtype.kind == "c" else x


@implements(np.imag, domain=_complex_numbers, name="imaginary_part")
def imag(x: Any) -> Any:
    """Return the imaginary part: of real numbers zeros, which need no gradient."""
    x = as_array(x)
    return _imag(x) if x.dtype.kind == "c" else zeros_like(x)


@implements(np.real_if_close, domain=_real_numbers)
def real_if_close(a: Any, tol: float = 100) -> Any:
    """Return the real part if all imaginary parts are below ``tol`` · eps, else ``a`` itself."""
    a = as_array(a)
    if a.dtype.kind != "c":
        return a
    bound = tol * np.finfo(a.dtype).eps if tol > 1 else tol
    return real(a) if bool(np.all(np.abs(unbox(a).imag) < bound)) else a


_sign_of_real, _angle_of_real = nondifferentiable(np.sign), nondifferentiable(np.angle)


@implements(np.angle, domain=_complex_numbers)
def angle(z: Any, deg: bool = False) -> Any:
    """Return the angle of complex numbers, arctan2(Im z, Re z); of real ones 0 or π, which needs no gradient."""
    z = as_array(z)
    if z.dtype.kind != "c":
        return _angle_of_real(z, deg)
    y = arctan2(imag(z), real(z))
    return y * (180 / np.pi) if deg else y


def sign(x: Any) -> Any:
    """Return -1, 0 or 1, which needs no gradient; of complex numbers z / |z|, which does."""
    x = as_array(x)
    return ratio(x, absolute(x)) if x.dtype.kind == "c" else _sign_of_real(x)


dispatch[np.sign] = sign

_nan_to_num = op(
    lambda x, copy=True, nan=0.0, posinf=None, neginf=None: np.nan_to_num(x, True, nan, posinf, neginf),
    name="nan_to_num",
    vjp=lambda g: g,
    selects=lambda x: np.isfinite(x),
    elementwise=True,
)


@implements(np.nan_to_num, domain=_real_numbers)
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Replace nan and ±inf by numbers, which get gradient 0; of complex numbers in each part."""
    if as_array(x).dtype.kind == "c":
        return _nan_to_num(real(x), copy, nan, posinf, neginf) + 1j * _nan_to_num(imag(x), copy, nan, posinf, neginf)
    return _nan_to_num(x, copy=copy, nan=nan, posinf=posinf, neginf=neginf)
