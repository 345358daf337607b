"""``autograd.scipy.interpolate``: SciPy's values, derivatives in the values and in the places to order two."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, MissingRule

theirs = pytest.importorskip("scipy.interpolate")
ours = pytest.importorskip("autograd.scipy.interpolate")
RNG = np.random.default_rng(11)
X = np.array([0.0, 0.7, 1.0, 1.9, 2.5, 3.2])
Y = RNG.uniform(-1, 1, 6)
TABLE = RNG.uniform(-1, 1, (6, 2))
ROUND = np.array([*Y[:-1], Y[0]])
AT = np.array([[0.1, 0.65], [1.3, 2.7], [3.1, 1.95]])
BEYOND = np.array([-0.4, 1.3, 3.8])

MAKES = {
    "CubicSpline": lambda m, y: m.CubicSpline(X, y),
    "natural": lambda m, y: m.CubicSpline(X, y, bc_type="natural"),
    "clamped": lambda m, y: m.CubicSpline(X, y, bc_type="clamped"),
    "two ends": lambda m, y: m.CubicSpline(X, y, bc_type=tuple((order, np.zeros(y.shape[1:])) for order in (2, 1))),
    "make_interp_spline": lambda m, y: m.make_interp_spline(X, y),
    "of degree 2": lambda m, y: m.make_interp_spline(X, y, k=2),
    "of degree 1": lambda m, y: m.make_interp_spline(X, y, k=1),
    "of degree 5": lambda m, y: m.make_interp_spline(X, y, k=5),
    "interp1d": lambda m, y: m.interp1d(X, y, axis=0),
    "interp1d, quadratic": lambda m, y: m.interp1d(X, y, "quadratic", axis=0),
    "interp1d, cubic": lambda m, y: m.interp1d(X, y, "cubic", axis=0),
}


@pytest.mark.parametrize("values", ["a vector", "a table"])
@pytest.mark.parametrize("name", MAKES)
def test_values_and_derivatives(name, values):
    make, y = MAKES[name], Y if values == "a vector" else TABLE
    for at in (0.8, AT[:, 0], AT):
        np.testing.assert_allclose(make(ours, y)(at), make(theirs, y)(at), rtol=1e-11, atol=1e-13)
        ag.check_grads(lambda y, at: make(ours, y)(at), y, at)


@pytest.mark.parametrize("name", [name for name in MAKES if "interp1d" not in name and "1" not in name])
def test_derivatives_and_integrals_of_splines(name):
    here, there = MAKES[name](ours, TABLE), MAKES[name](theirs, TABLE)
    for nu in (1, 2):
        np.testing.assert_allclose(here(AT, nu), there(AT, nu), rtol=1e-9, atol=1e-10)
        np.testing.assert_allclose(here.derivative(nu)(AT), there.derivative(nu)(AT), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(here.antiderivative()(AT), there.antiderivative()(AT), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(here.antiderivative(2)(AT), there.antiderivative(2)(AT), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(here.integrate(0.3, 2.9), there.integrate(0.3, 2.9), rtol=1e-9)
    ag.check_grads(lambda y, a, b: MAKES[name](ours, y).integrate(a, b), TABLE, 0.3, 2.9)
    assert not here.derivative(9)(AT).any()


def test_a_periodic_spline():
    here, there = (m.CubicSpline(X, ROUND, bc_type="periodic") for m in (ours, theirs))
    np.testing.assert_allclose(here(BEYOND), there(BEYOND), rtol=1e-11)
    ag.check_grads(lambda y, at: ours.CubicSpline(X, np.append(y, y[0]), bc_type="periodic")(at), Y[:-1], BEYOND)
    with pytest.raises(ArgumentError, match="a periodic one wants the last value to be the first"):
        ours.CubicSpline(X, Y, bc_type="periodic")


def test_ends_with_values():
    ends = ((1, 0.5), (2, -1.0))
    here, there = (m.CubicSpline(X, Y, bc_type=ends) for m in (ours, theirs))
    np.testing.assert_allclose(here(AT), there(AT), rtol=1e-11)
    ag.check_grads(lambda y: ours.CubicSpline(X, y, bc_type=ends)(AT), Y)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("at", [0.5, AT[:, 0], AT], ids=["a number", "a vector", "a matrix"])
def test_axes(axis, at):
    y = RNG.uniform(-1, 1, tuple(6 if i == axis % 3 else 2 for i in range(3)))
    for make in (lambda m: m.CubicSpline(X, y, axis), lambda m: m.interp1d(X, y, axis=axis)):
        np.testing.assert_allclose(make(ours)(at), make(theirs)(at), rtol=1e-11, atol=1e-13)
    ag.check_grads(lambda y: ours.interp1d(X, y, axis=axis)(at), y)


FILLS = [
    {"fill_value": "extrapolate"},
    {"fill_value": 2.0, "bounds_error": False},
    {"fill_value": (1.0, 2.0), "bounds_error": False},
    {"bounds_error": False},
]


@pytest.mark.parametrize("kwargs", FILLS, ids=str)
@pytest.mark.parametrize("kind", ["linear", "cubic"])
def test_beyond_the_ends(kind, kwargs):
    here, there = (m.interp1d(X, Y, kind, **kwargs) for m in (ours, theirs))
    np.testing.assert_allclose(here(BEYOND), there(BEYOND), rtol=1e-11)
    grad = ag.grad(lambda at: np.nansum(here(at)))(BEYOND)
    assert (grad[[0, 2]] == 0).all() == (kwargs != FILLS[0])


def test_splines_beyond_the_ends():
    for extrapolate in (True, False, None, "periodic"):
        here, there = (m.CubicSpline(X, Y)(BEYOND, extrapolate=extrapolate) for m in (ours, theirs))
        np.testing.assert_allclose(here, there, rtol=1e-11)


def test_knots_in_any_order():
    order = [2, 0, 1, 5, 3, 4]
    for kind in ("linear", "cubic"):
        f = ours.interp1d(X[order], Y[order], kind)
        np.testing.assert_allclose(f(AT), theirs.interp1d(X, Y, kind)(AT), rtol=1e-11)


def test_what_has_no_gradient_says_so():
    with pytest.raises(
        MissingRule, match=r"CubicSpline: the knots x have no gradient rule, the values have\. Detach x"
    ):
        ours.CubicSpline(ag.Tensor(X, requires_grad=True), Y)
    with pytest.raises(MissingRule, match=r"kind='nearest' has no gradient rule\. Use 'linear' or 'cubic'"):
        ours.interp1d(X, Y, "nearest")
    with pytest.raises(ArgumentError, match=r"x reaches from -0\.4 to 3\.8, the knots from 0\.0 to 3\.2\. Pass"):
        ours.interp1d(X, Y)(BEYOND)
    with pytest.raises(ArgumentError, match=r"x of shape \(6,\) does not fit y of shape \(2,\)"):
        ours.CubicSpline(X, Y[:2])
    assert ours.PchipInterpolator is theirs.PchipInterpolator
