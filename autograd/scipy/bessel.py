"""Bessel, Airy and Struve functions: their derivatives are those of neighbouring orders. Orders are constants."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import pi
from typing import Any

import numpy as np

from autograd.scipy.declare import elementwise, ordered

_V = (0, 1, 2.5)


def _bessel(name: str, rule: Any, orders: Any = _V, low: float = 0.5, high: float = 4.0) -> Any:
    return elementwise(name, ordered(orders, low, high), dict(x=rule), inputs=["v", "x"])


jv: Any = _bessel("jv", lambda g, v, x: g * (0.5 * (jv(v - 1, x) - jv(v + 1, x))))
jn = jv
yv: Any = _bessel("yv", lambda g, v, x: g * (0.5 * (yv(v - 1, x) - yv(v + 1, x))))
yn = _bessel("yn", lambda g, v, x: g * (0.5 * (yv(v - 1, x) - yv(v + 1, x))), (0, 1, 2))
iv: Any = _bessel("iv", lambda g, v, x: g * (0.5 * (iv(v - 1, x) + iv(v + 1, x))))
kv: Any = _bessel("kv", lambda g, v, x: g * (-0.5 * (kv(v - 1, x) + kv(v + 1, x))))
kn = _bessel("kn", lambda g, v, x: g * (-0.5 * (kv(v - 1, x) + kv(v + 1, x))), (0, 1, 2))
ive: Any = _bessel("ive", lambda g, y, v, x: g * (0.5 * (ive(v - 1, x) + ive(v + 1, x)) - np.sign(x) * y))
kve: Any = _bessel("kve", lambda g, y, v, x: g * (y - 0.5 * (kve(v - 1, x) + kve(v + 1, x))))
jve: Any = _bessel("jve", lambda g, v, x: g * (0.5 * (jve(v - 1, x) - jve(v + 1, x))))
yve: Any = _bessel("yve", lambda g, v, x: g * (0.5 * (yve(v - 1, x) - yve(v + 1, x))))
j0 = elementwise("j0", (-2, 2), lambda g, x: -g * j1(x))
j1: Any = elementwise("j1", (-2, 2), lambda g, x: g * (0.5 * (j0(x) - jv(2, x))))
y0 = elementwise("y0", (0.5, 2), lambda g, x: -g * y1(x))
y1: Any = elementwise("y1", (0.5, 2), lambda g, x: g * (0.5 * (y0(x) - yv(2, x))))
i0 = elementwise("i0", (-2, 2), lambda g, x: g * i1(x))
i1: Any = elementwise("i1", (-2, 2), lambda g, x: g * (0.5 * (i0(x) + iv(2, x))))
k0 = elementwise("k0", (0.5, 2), lambda g, x: -g * k1(x))
k1: Any = elementwise("k1", (0.5, 2), lambda g, x: g * (-0.5 * (k0(x) + kv(2, x))))
i0e = elementwise("i0e", (0.5, 2), lambda g, y, x: g * (i1e(x) - np.sign(x) * y))
i1e: Any = elementwise("i1e", (0.5, 2), lambda g, y, x: g * (0.5 * (i0e(x) + ive(2, x)) - np.sign(x) * y))
k0e = elementwise("k0e", (0.5, 2), lambda g, y, x: g * (y - k1e(x)))
k1e: Any = elementwise("k1e", (0.5, 2), lambda g, y, x: g * (y - 0.5 * (k0e(x) + kve(2, x))))
# Ai, its derivative, Bi and its derivative: both solve w'' = x w
airy = elementwise("airy", (-2, 2), lambda g, y, x: g[0] * y[1] + g[1] * (x * y[0]) + g[2] * y[3] + g[3] * (x * y[2]))
struve: Any = _bessel("struve", lambda g, y, v, x: g * (struve(v - 1, x) - v * (y / x)))
modstruve: Any = _bessel("modstruve", lambda g, y, v, x: g * (modstruve(v - 1, x) - v * (y / x)))


def jvp(v: Any, z: Any, n: int = 1) -> Any:
    """Compute the n-th derivative of Jᵥ(z) by z."""
    return 0.5 * (jvp(v - 1, z, n - 1) - jvp(v + 1, z, n - 1)) if n else jv(v, z)


def yvp(v: Any, z: Any, n: int = 1) -> Any:
    """Compute the n-th derivative of Yᵥ(z) by z."""
    return 0.5 * (yvp(v - 1, z, n - 1) - yvp(v + 1, z, n - 1)) if n else yv(v, z)


def ivp(v: Any, z: Any, n: int = 1) -> Any:
    """Compute the n-th derivative of Iᵥ(z) by z."""
    return 0.5 * (ivp(v - 1, z, n - 1) + ivp(v + 1, z, n - 1)) if n else iv(v, z)


def kvp(v: Any, z: Any, n: int = 1) -> Any:
    """Compute the n-th derivative of Kᵥ(z) by z."""
    return -0.5 * (kvp(v - 1, z, n - 1) + kvp(v + 1, z, n - 1)) if n else kv(v, z)


def spherical_jn(n: Any, z: Any, derivative: bool = False) -> Any:
    """Compute √(π / 2z) · J of order n + ½, for z > 0, or its derivative."""
    if derivative:
        return spherical_jn(n, z) * (n / z) - spherical_jn(n + 1, z)
    return np.sqrt(pi / 2 / z) * jv(n + 0.5, z)


def spherical_yn(n: Any, z: Any, derivative: bool = False) -> Any:
    """Compute √(π / 2z) · Y of order n + ½, for z > 0, or its derivative."""
    if derivative:
        return spherical_yn(n, z) * (n / z) - spherical_yn(n + 1, z)
    return np.sqrt(pi / 2 / z) * yv(n + 0.5, z)
