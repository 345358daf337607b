"""Solvers, and what else reads numbers, inside ``vmap`` and ``compile``: the function runs as itself from there on."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.errors import MissingRule

pytest.importorskip("scipy")
integrate = pytest.importorskip("autograd.scipy.integrate")
interpolate = pytest.importorskip("autograd.scipy.interpolate")
linalg = pytest.importorskip("autograd.scipy.linalg")
optimize = pytest.importorskip("autograd.scipy.optimize")

X = np.array([[1.0, 2.0, 0.5], [1.1, 1.9, 0.6]])
KNOTS = np.arange(3.0)


def positive(p):
    return np.outer(p, p) + 3 * np.eye(3)


READERS = {
    "root": lambda p: (optimize.root(lambda x, p: x**3 + p * x - 1, np.ones(3), args=(p,)).x ** 2).sum(),
    "root of a closure": lambda p: (optimize.root(lambda x: x**3 + p * x - 1, np.ones(3)).x ** 2).sum(),
    "fixed_point": lambda p: (optimize.fixed_point(lambda z: np.cos(z / 2 + p), np.zeros(3)) ** 2).sum(),
    "brentq": lambda p: optimize.brentq(lambda x: x**3 + p[0] * x - p[1], 0.0, 3.0),
    "minimize": lambda p: (optimize.minimize(lambda z: ((z - p) ** 2).sum(), np.zeros(3), tol=1e-9).x ** 2).sum(),
    "least_squares": lambda p: (optimize.least_squares(lambda z: z - p, np.zeros(3), xtol=1e-12).x ** 3).sum(),
    "quad": lambda p: integrate.quad(lambda x: np.exp(-p[0] * x**2), 0.0, p[2])[0],
    "odeint": lambda p: integrate.odeint(lambda y, t: -p[:1] * y, p[1:2], np.array([0.0, 0.5]))[-1, 0],
    "solve_ivp": lambda p: integrate.solve_ivp(lambda t, y: -p[:1] * y, (0, 0.5), p[1:2], rtol=1e-6).y[0, -1],
    "CubicSpline": lambda p: interpolate.CubicSpline(KNOTS, p)(p[0] * 0.2 + 0.3),
    "interp1d": lambda p: interpolate.interp1d(KNOTS, p)(p[0] * 0.2 + 0.3),
    "make_interp_spline": lambda p: interpolate.make_interp_spline(KNOTS, p, k=2)(p[1] * 0.3),
    "lu": lambda p: (linalg.lu(positive(p))[2] ** 2).sum(),
    "lu_solve": lambda p: (linalg.lu_solve(linalg.lu_factor(positive(p)), p) ** 2).sum(),
    "np.interp": lambda p: np.interp(p[0] * 0.2 + 0.3, KNOTS, p),
    "np.roots": lambda p: (np.roots(p).real ** 2).sum(),
    "np.polyfit": lambda p: (np.polyfit(KNOTS, p, 1) ** 2).sum(),
    "np.linalg.lstsq": lambda p: (np.linalg.lstsq(positive(p), p, rcond=None)[0] ** 2).sum(),
    "np.linalg.eigvals": lambda p: (np.linalg.eigvals(positive(p)).real ** 2).sum(),
    "np.piecewise": lambda p: np.piecewise(p, [p < 1, p >= 1], [lambda x: x**2, lambda x: x**3]).sum(),
    "np.histogram": lambda p: (np.histogram([0.1, 0.2, 0.9], 2, weights=p)[0] ** 2).sum(),
}


@pytest.mark.parametrize("name", READERS)
def test_mapped(name):
    """Also where the solver's function reads what is the same for all examples, through values of the trace."""
    f = READERS[name]
    gradient = ag.grad(f)
    expected = np.stack([gradient(x) for x in X])
    np.testing.assert_allclose(ag.vmap(f)(X), np.stack([f(x) for x in X]), rtol=1e-9)
    np.testing.assert_allclose(ag.vmap(gradient)(X), expected, rtol=1e-9)
    np.testing.assert_allclose(ag.grad(lambda xs: ag.vmap(f)(xs).sum())(X), expected, rtol=1e-9)
    scaled = ag.grad(lambda w: ag.vmap(lambda k: k * f(2 * w))(np.array([1.0, 3.0])).sum())(X[0] / 2)
    np.testing.assert_allclose(scaled, 8 * expected[0], rtol=1e-6)  # solvers of equations choose other steps


@pytest.mark.parametrize("name", READERS)
def test_compiled(name):
    """It runs uncompiled, is right, and the warning says why."""
    gradient = ag.grad(READERS[name])
    compiled = ag.compile(gradient)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for x in X:
            np.testing.assert_allclose(compiled(x), gradient(x), rtol=1e-9)
    assert [str(each.message).partition("uncompiled: ")[2].endswith(" reads numbers.") for each in caught] in (
        [True],
        [],
    )
    if name in ("root", "odeint", "lu", "np.interp"):
        assert compiled.why.endswith(f"{name.rpartition('.')[2]} reads numbers.")


def test_second_derivatives_that_read_numbers_run_uncompiled():
    compiled = ag.compile(ag.hessian(lambda p: np.linalg.eigvalsh(np.outer(p, p) + np.diag(p))[0]))
    with pytest.warns(RuntimeWarning, match=r"runs uncompiled: the gradient of \w+ reads numbers\."):
        found = compiled(X[0])
    np.testing.assert_allclose(found, found.T, atol=1e-9)


def test_what_has_no_rule_is_mapped_example_by_example():
    found = ag.vmap(linalg.pinv)(np.stack([positive(x) for x in X]))
    np.testing.assert_allclose(found, [np.linalg.inv(positive(x)) for x in X], rtol=1e-9)
    with pytest.raises(MissingRule, match=r"scipy\.linalg\.pinv has no gradient rule"):
        ag.vmap(ag.grad(lambda p: linalg.pinv(positive(p)).sum()))(X)
