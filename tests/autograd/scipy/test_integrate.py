"""``autograd.scipy.integrate``: SciPy's values; gradients by adjoint and by Leibniz' rule, held against differences."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, MissingRule, ShapeError

theirs = pytest.importorskip("scipy.integrate")
ours = pytest.importorskip("autograd.scipy.integrate")
T = np.array([0.0, 0.4, 1.0])
Y0 = np.array([1.0, 0.5])
TIGHT = {"rtol": 1e-11, "atol": 1e-12}


def pendulum(y, t, length=1.0, push=0.3):
    return [y[1], -np.sin(y[0]) / length + push * np.cos(t)]


def swapped(t, y, *args):
    return pendulum(y, t, *args)


SOLVERS = {
    "odeint": lambda y0, t, *args: ours.odeint(pendulum, y0, t, args, **TIGHT),
    "odeint, time first": lambda y0, t, *args: ours.odeint(swapped, y0, t, args, tfirst=True, **TIGHT),
    "RK45": lambda y0, t, *args: ours.solve_ivp(swapped, (t[0], t[-1]), y0, t_eval=t, args=args, **TIGHT).y.T,
    "DOP853": lambda y0, t, *args: ours.solve_ivp(swapped, (0, 1), y0, "DOP853", t[1:], args=args, **TIGHT).y.T,
    "Radau": lambda y0, t, *args: ours.solve_ivp(swapped, (0, 1), y0, "Radau", t, args=args, rtol=1e-9, atol=1e-10).y.T,
}


@pytest.mark.parametrize("name", SOLVERS)
def test_solutions_have_gradients_to_order_two(name):
    """In the initial value, the times and the arguments."""
    found = SOLVERS[name](Y0, T, 1.3, 0.2)
    expected = theirs.odeint(pendulum, Y0, T, (1.3, 0.2), **TIGHT)
    np.testing.assert_allclose(found, expected[-len(found) :], rtol=1e-7)
    order = 1 if name == "Radau" else 2
    together = np.array([*Y0, 1.3, 0.2])  # one argument: solvers take other steps for each choice of several
    ag.check_grads(lambda p: SOLVERS[name](p[:2], T, p[2], p[3]), together, order=order)
    if "first" not in name and name not in ("DOP853", "Radau"):
        ag.check_grads(lambda t: SOLVERS[name](Y0, t, 1.3, 0.2), T)


def test_plain_arguments_give_scipys_arrays():
    found = ours.odeint(pendulum, Y0, T)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, theirs.odeint(pendulum, Y0, T))
    found, expected = ours.solve_ivp(swapped, (0, 2), Y0), theirs.solve_ivp(swapped, (0, 2), Y0)
    np.testing.assert_array_equal(found.y, expected.y)
    assert (found.nfev, found.message) == (expected.nfev, expected.message)


def test_tensors_from_outside_get_their_gradients():
    """A matrix that the function closes over, and one that it was computed from."""

    def end(weight):
        twice = 2 * weight
        return ours.odeint(lambda y, t: np.tanh(weight @ y) + twice[0] * t, Y0, T, **TIGHT)[-1]

    ag.check_grads(end, np.array([[0.1, -0.7], [0.5, 0.2]]))
    weight = ag.Tensor([[0.1, -0.7], [0.5, 0.2]], requires_grad=True)
    end(weight).sum().backward()
    np.testing.assert_allclose(weight.grad.data, ag.grad(lambda w: end(w).sum())(weight.data), rtol=1e-8)


def test_a_model_as_the_field_of_an_equation():
    """The parameters of a module of ``nn`` are among what the function reads."""
    model = nn.MLP(2, [4, 2], activation="tanh", rng=0).astype(np.float64)

    def loss():
        return (ours.odeint(lambda y, t: model(y[None])[0], Y0, T, **TIGHT) ** 2).sum()

    loss().backward()
    for parameter in model.parameters():
        direction, old, h = np.random.default_rng(1).normal(size=parameter.shape), parameter.data.copy(), 1e-5
        analytic, ends = (parameter.grad.data * direction).sum(), []
        for sign in (1, -1):
            parameter.data[...] = old + sign * h * direction
            ends.append(loss().item())
        parameter.data[...] = old
        np.testing.assert_allclose(analytic, (ends[0] - ends[1]) / (2 * h), rtol=1e-6)


def test_times_of_the_solvers_own():
    def last(y0, end):
        return ours.solve_ivp(swapped, (0.0, end), y0, **TIGHT).y[:, -1]

    ag.check_grads(last, Y0, 1.2, order=1)
    end = ag.Tensor(1.2, requires_grad=True)
    ours.solve_ivp(swapped, (0.0, end), Y0).t[-1].backward()
    assert end.grad.item() == 1


def test_a_linear_equation_has_the_exponential_as_its_gradient():
    a = np.array([[0.2, 1.0], [-1.0, -0.3]])
    linalg = pytest.importorskip("scipy.linalg")
    found = ag.jacobian(lambda y0: ours.odeint(lambda y, t: a @ y, y0, np.array([0.0, 1.5]), **TIGHT)[-1])(Y0)
    np.testing.assert_allclose(found, linalg.expm(1.5 * a), rtol=1e-8)


def test_odeint_of_a_tree():
    """An oscillator whose place and speed stand in arrays of their own: cos(√k t)."""
    t = np.array([0.0, 0.4, 1.0])

    def field(y, t, k):
        return {"speed": -k * y["place"], "place": y["speed"]}

    def path(k, start):
        return ours.odeint(field, {"place": start, "speed": np.zeros((1, 2)) * k}, t, (k,), **TIGHT)["place"]

    start, k = np.array([[1.0, 0.5]]), 2.0
    expected = np.cos(np.sqrt(k) * t)[:, None, None] * start
    np.testing.assert_allclose(path(k, start), expected, rtol=1e-7)
    by_k, by_start = ag.grad(lambda k, start: path(k, start)[-1].sum(), (0, 1))(k, start)
    np.testing.assert_allclose(by_k, -np.sin(np.sqrt(k)) * 1.5 / (2 * np.sqrt(k)), rtol=1e-6)
    np.testing.assert_allclose(by_start, np.full((1, 2), np.cos(np.sqrt(k))), rtol=1e-6)
    _, b = ours.odeint(lambda t, y: (y[1], -y[0]), (np.ones(2), np.zeros(2)), t, tfirst=True)
    np.testing.assert_allclose(b, -np.sin(t)[:, None] * np.ones(2), atol=1e-6)
    with pytest.raises(ShapeError, match=r"expected the form"):
        ours.odeint(lambda y, t: (y[0],), (np.ones(2), np.ones(2)), t)


def test_what_equations_refuse():
    leaf = ag.Tensor(Y0, requires_grad=True)
    with pytest.raises(MissingRule, match=r"solve_ivp: dense_output and events have no gradient rule\. Detach"):
        ours.solve_ivp(swapped, (0, 1), leaf, dense_output=True)
    with pytest.raises(ShapeError, match=r"odeint: y0 must have one axis, got shape \(1, 2\)\. Use y0\.ravel\(\)"):
        ours.odeint(pendulum, Y0[None], T)
    with pytest.raises(ArgumentError, match="full_output has no place here"):
        ours.odeint(pendulum, Y0, T, full_output=True)
    assert ours.solve_ivp(swapped, (0, 1), Y0, dense_output=True).sol(0.5).shape == (2,)


INTEGRALS = {
    "limits": (lambda a, b: ours.quad(np.sin, a, b)[0], 0.2, 1.5),
    "an argument": (lambda k: ours.quad(lambda x, k: np.exp(-k * x * x), 0, 1, args=(k,))[0], 0.7),
    "all of it": (lambda a, b, k: ours.quad(lambda x: np.sin(k * x) * x, a, b)[0], 0.2, 1.5, 1.3),
    "to infinity": (lambda a, k: ours.quad(lambda x: np.exp(-k * x * x), a, np.inf)[0], 0.3, 0.7),
    "from infinity": (lambda b, k: ours.quad(lambda x: np.exp(-k * x * x), -np.inf, b)[0], 0.3, 0.7),
    "a vector of arguments": (
        lambda c: ours.quad(lambda x: (c * x ** np.arange(3)).sum() ** 2, 0, 1)[0],
        np.array([1.0, 2.0, 0.5]),
    ),
    "values of a shape": (lambda b, c: ours.quad_vec(lambda x: np.sin(c * x), 0, b)[0], 1.2, np.array([1.0, 2.0])),
}


@pytest.mark.parametrize("name", INTEGRALS)
def test_integrals_have_gradients_to_order_two(name):
    f, *args = INTEGRALS[name]
    ag.check_grads(f, *args)


def test_an_integral_in_an_integral():
    def f(k):
        return ours.quad(lambda x: ours.quad(lambda y: np.exp(-k * x * y), 0, x)[0], 0, 1)[0]

    ag.check_grads(f, 0.7, order=1)


def test_an_integral_is_scipys():
    assert ours.quad(np.sin, 0.2, 1.5) == theirs.quad(np.sin, 0.2, 1.5)
    np.testing.assert_allclose(ag.grad(lambda k: ours.quad(lambda x: x**k, 0, 1)[0])(2.0), -1 / 9, rtol=1e-9)
    with pytest.raises(ArgumentError, match="weight has no place here"):
        ours.quad(np.sin, 0, 1, weight="cos", wvar=2)


@pytest.mark.parametrize("n", [4, 5])
def test_samples(n):
    rng = np.random.default_rng(n)
    y, x = rng.uniform(-1, 1, (2, n)), np.sort(rng.uniform(0, 1, n))
    for name in ("simpson", "trapezoid", "cumulative_trapezoid"):
        f, g = getattr(ours, name), getattr(theirs, name)
        for kwargs in ({}, {"x": x}, {"dx": 0.5}, {"axis": 0, "dx": 2.0}):
            np.testing.assert_allclose(f(y, **kwargs), g(y, **kwargs), rtol=1e-12)
            ag.check_grads(lambda y, f=f, kwargs=kwargs: f(y, **kwargs), y)
    np.testing.assert_allclose(
        ours.cumulative_trapezoid(y, x, initial=0), theirs.cumulative_trapezoid(y, x, initial=0), rtol=1e-12
    )
    with pytest.raises(MissingRule, match="the places have no gradient rule"):
        ours.simpson(y, x=ag.Tensor(x, requires_grad=True))
