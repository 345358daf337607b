"""The error function, which NumPy lacks, and the Bessel functions behind ``np.i0``.

erf: minimax fits made for this project from 40-digit values.

float64: relative error 4e-16. Near 0, erf(x) = x · P(x²); beyond 1, erfc(x) = exp(-x²) · Q(1 / (1 + x/2)).
float32: x · N(x²) / D(x²), absolute error 5e-7, a fifth of the passes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.primitive import implements, op

_P = (
    0.9654687386698673,
    -0.1405360890227171,
    0.019852496688983708,
    -0.0022854855611440673,
    0.00021751715604160108,
    -1.7537169441492004e-05,
    1.2233827383524026e-06,
    -7.511569160710623e-08,
    4.115800597661665e-09,
    -2.03524938661036e-10,
    9.167606748998164e-12,
    -3.7910973708931526e-13,
    1.4548169783352384e-14,
    -5.16472878942302e-16,
)
_Q = (
    0.13699945762506138,
    0.19430103657012873,
    0.07445456024899047,
    0.019925171509048316,
    0.0025365679740462967,
    -0.00044512526035243513,
    -0.0002156345736781904,
    1.1354652420395173e-05,
    1.8543487706711203e-05,
    -8.065799782516556e-07,
    -1.8989386109589912e-06,
    1.9877529084857912e-07,
    2.1274937374600036e-07,
    -5.096853584036395e-08,
    -2.190663804237835e-08,
    1.1142162216464187e-08,
    1.3286535954895461e-09,
    -2.0146928677315973e-09,
    1.1333926338516081e-10,
    2.7314736588040294e-10,
    -3.034078322554016e-11,
    -2.0734974435402075e-11,
)
_N32 = (
    1.1283791691179248,
    0.18507171989664462,
    0.05421443639456891,
    0.0038333769159069183,
    0.00037578464099834527,
    4.58382536718166e-06,
    -1.2658655608084862e-08,
)
_D32 = (
    1.0,
    0.49734894647471256,
    0.11382880329446657,
    0.015416026936125853,
    0.0012991690803104876,
    6.216213688525635e-05,
)
_END32 = 3.92  # erf is 1 to float32 from here on
SLOPE0 = 1.1283791670955126  # 2/√π


def _horner(coefficients: Sequence[float], z: Any) -> Any:
    y = np.full_like(z, coefficients[-1])
    for c in coefficients[-2::-1]:
        y *= z
        y += c
    return y


def _erf32(x: Any) -> Any:
    x = np.clip(x, -_END32, _END32)
    z = x * x
    y = _horner(_N32, z)
    y /= _horner(_D32, z)
    y *= x
    return np.clip(y, -1, 1, out=y)


def _erf64(x: Any) -> Any:
    size = np.abs(x)
    near = size <= 1
    inner = x * _horner(_P, 2 * np.where(near, x * x, 0.0) - 1)
    tail = _horner(_Q, 3 / (1 + np.where(near, 1.0, size) / 2) - 1)
    return np.where(near, inner, np.sign(x) * (1 - np.exp(-(np.minimum(size, 30.0) ** 2)) * tail))


def erf_array(x: Any) -> Any:
    """Compute erf of an array in its own precision (for fused ops that work on arrays)."""
    flat = np.atleast_1d(x)
    if flat.dtype.kind == "c":
        raise TypeError("erf of complex numbers")
    if flat.dtype.kind != "f":
        flat = flat.astype(np.float64)
    y = (
        _erf64(flat)
        if flat.dtype.itemsize > 4
        else _erf32(flat.astype(np.float32, copy=False)).astype(flat.dtype, copy=False)
    )
    return y.reshape(np.shape(x))[()]


def _erf(x: Any) -> Any:
    """Compute the error function erf(x) = 2/√π ∫₀ˣ exp(-t²) dt.

    Elementwise: the result has the shape of ``x``. Its derivative is 2/√π exp(-x²).

    >>> import autograd as ag
    >>> x = ag.Tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> y = ag.erf(x)
    >>> y.sum().backward()
    >>> y.numpy().round(4), x.grad.numpy().round(4)
    (array([-0.8427,  0.    ,  0.9953]), array([0.4151, 1.1284, 0.0207]))
    """
    return erf_array(x)


erf = op(_erf, name="erf", vjp=lambda g, x: g * (SLOPE0 * np.exp(-x * x)), elementwise=True, domain=(-2, 2))


# ------------------------------------------------------------------------------------------------------------- Bessel

_FAR = 25.0  # from here on the asymptotic series, whose smallest term is about exp(-2x), is exact


def _bessel_i(x: Any, n: int = 0) -> Any:
    """Compute the modified Bessel function Iₙ(x): Σ (x/2)²ᵏ⁺ⁿ / k! (k+n)!, and its asymptotic series for large |x|."""
    if np.asarray(x).dtype.kind == "c":
        raise TypeError("Bessel functions of complex numbers")
    kind = np.asarray(x).dtype if np.asarray(x).dtype.kind == "f" else np.dtype(float)
    if n == 0:
        return np.i0(np.asarray(x, kind))[()]
    z = np.asarray(x, float)
    size, sign = np.abs(z), np.where(z < 0, (-1.0) ** n, 1.0)
    near, far = np.minimum(size, _FAR), np.maximum(size, _FAR)
    term = total = np.cumprod([1.0, *(np.ones(n) / np.arange(1, n + 1))])[-1] * (near / 2) ** n
    for k in range(1, 60):
        term = term * (near * near / 4) / (k * (k + n))
        total = total + term
    tail = rest = np.ones_like(far)
    for k in range(1, 40):
        rest = rest * ((2 * k - 1) ** 2 - 4 * n * n) / (8 * k * far)
        tail = tail + rest
    with np.errstate(over="ignore"):
        large = np.exp(far) / np.sqrt(2 * np.pi * far) * tail
    return (sign * np.where(size <= _FAR, total, large)).astype(kind)[()]


bessel_i: Any = op(
    _bessel_i,
    name="bessel_i",
    symbol="I",
    elementwise=True,
    vjp=lambda g, x, n: g * (0.5 * (bessel_i(x, n=n + 1) + bessel_i(x, n=abs(n - 1)))),
    domain=lambda rng: iter(
        [((rng.uniform(-3, 3, (2, 3)),), {"n": n}) for n in (0, 1, 2)] + [((np.array([-26.5, 0.0, 24.9, 25.1]),), {})]
    ),
)


@implements(np.i0, domain=(-3, 3))
def i0(x: Any) -> Any:
    """Compute the modified Bessel function I₀, whose derivative is I₁."""
    return bessel_i(x)
