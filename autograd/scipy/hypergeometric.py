"""Hypergeometric functions, and what they give the derivatives of: elliptic integrals and orthogonal polynomials."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import pi
from typing import Any

import numpy as np

from autograd.scipy.declare import Samples, elementwise, ordered

UNIT, INSIDE = (0.1, 0.9), (-0.8, 0.8)

hyp0f1: Any = elementwise(
    "hyp0f1", ordered((0.5, 2.0), -1, 1), dict(x=lambda g, v, x: g * (hyp0f1(v + 1, x) / v)), inputs=["v", "x"]
)
hyp1f1: Any = elementwise(
    "hyp1f1",
    lambda rng: iter([((a, b, rng.uniform(-2, 2, (2, 3))), {}) for a, b in ((0.5, 1.5), (2.0, 3.0))]),
    dict(x=lambda g, a, b, x: g * (a / b * hyp1f1(a + 1.0, b + 1.0, x))),
    inputs=["a", "b", "x"],
)
hyp2f1: Any = elementwise(
    "hyp2f1",
    lambda rng: iter([((0.5, b, 1.5, rng.uniform(-0.7, 0.7, (2, 3))), {}) for b in (0.5, 2.0)]),
    dict(x=lambda g, a, b, c, x: g * (a * b / c * hyp2f1(a + 1.0, b + 1.0, c + 1.0, x))),
    inputs=["a", "b", "c", "x"],
)
ellipk = elementwise("ellipk", INSIDE, lambda g, x: g * (pi / 8 * hyp2f1(1.5, 1.5, 2.0, x)))
ellipkm1 = elementwise("ellipkm1", (0.2, 1.8), lambda g, x: -g * (pi / 8 * hyp2f1(1.5, 1.5, 2.0, 1 - x)))
ellipe = elementwise("ellipe", INSIDE, lambda g, x: -g * (pi / 8 * hyp2f1(0.5, 1.5, 2.0, x)))


def _ellipkinc_m(g: Any, y: Any, phi: Any, m: Any) -> Any:
    root = np.sqrt(1 - m * np.sin(phi) ** 2)
    return g * (ellipeinc(phi, m) / (2 * m * (1 - m)) - y / (2 * m) - np.sin(2 * phi) / (4 * (1 - m) * root))


ellipkinc = elementwise(
    "ellipkinc",
    [(-1.4, 1.4), UNIT],
    dict(phi=lambda g, phi, m: g / np.sqrt(1 - m * np.sin(phi) ** 2), m=_ellipkinc_m),
)
ellipeinc = elementwise(
    "ellipeinc",
    [(-1.4, 1.4), UNIT],
    dict(
        phi=lambda g, phi, m: g * np.sqrt(1 - m * np.sin(phi) ** 2),
        m=lambda g, y, phi, m: g * ((y - ellipkinc(phi, m)) / (2 * m)),
    ),
)

# --------------------------------------------------------------------------------------------- orthogonal polynomials


def _polynomial(name: str, rule: Any, *more: str) -> Any:
    """Declare a family of polynomials of degree n; ``more`` are its constants."""
    constants = {"alpha": 0.5, "a": 0.5, "b": 1.5}

    def samples(rng: np.random.Generator) -> Samples:
        for n in (0, 1, 2, 4):
            yield (n, *[constants[each] for each in more], rng.uniform(-0.9, 0.9, (2, 3))), {}

    return elementwise(name, samples, dict(x=rule), inputs=["n", *more, "x"])


def _less(n: Any) -> Any:
    """Return the degree below, an integer as ``eval_hermite`` wants it."""
    return np.maximum(np.asarray(n).astype(np.int64) - 1, 0)


eval_jacobi: Any = _polynomial(
    "eval_jacobi",
    lambda g, n, a, b, x: g * ((n > 0) * (n + a + b + 1.0) / 2 * eval_jacobi(_less(n), a + 1.0, b + 1.0, x)),
    "a",
    "b",
)
eval_legendre = _polynomial(
    "eval_legendre", lambda g, n, x: g * ((n > 0) * (n + 1.0) / 2 * eval_jacobi(_less(n), 1.0, 1.0, x))
)
eval_gegenbauer: Any = _polynomial(
    "eval_gegenbauer",
    lambda g, n, alpha, x: g * ((n > 0) * 2 * alpha * eval_gegenbauer(_less(n), alpha + 1.0, x)),
    "alpha",
)
eval_chebyt = _polynomial("eval_chebyt", lambda g, n, x: g * ((n > 0) * n * eval_chebyu(_less(n), x)))
eval_chebyu: Any = _polynomial("eval_chebyu", lambda g, n, x: g * ((n > 0) * 2 * eval_gegenbauer(_less(n), 2.0, x)))
eval_hermite: Any = _polynomial("eval_hermite", lambda g, n, x: g * ((n > 0) * 2 * n * eval_hermite(_less(n), x)))
eval_hermitenorm: Any = _polynomial(
    "eval_hermitenorm", lambda g, n, x: g * ((n > 0) * n * eval_hermitenorm(_less(n), x))
)
eval_laguerre = _polynomial("eval_laguerre", lambda g, n, x: -g * ((n > 0) * eval_genlaguerre(_less(n), 1.0, x)))
eval_genlaguerre: Any = _polynomial(
    "eval_genlaguerre", lambda g, n, alpha, x: -g * ((n > 0) * eval_genlaguerre(_less(n), alpha + 1.0, x)), "alpha"
)

hyperu: Any = elementwise(
    "hyperu",
    ordered([(0.5, 1.5), (2.0, 0.5)], 0.5, 2),
    dict(x=lambda g, a, b, x: -g * (a * hyperu(a + 1.0, b + 1.0, x))),
    inputs=["a", "b", "x"],
)


def _ellipj_rule(g: Any, y: Any, m: Any) -> Any:
    sn, cn, dn = y[0], y[1], y[2]
    return g[0] * (cn * dn) - g[1] * (sn * dn) - g[2] * (m * sn * cn) + g[3] * dn


ellipj = elementwise(
    "ellipj",
    lambda rng: iter([((rng.uniform(-2, 2, (2, 3)), 0.5), {})]),
    dict(u=_ellipj_rule),
    inputs=["u", "m"],
)
