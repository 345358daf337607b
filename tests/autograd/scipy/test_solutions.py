"""What all solvers share: functions that read Tensors from outside, and the laws of the engine for their solutions."""

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GraphError, InPlaceError

pytest.importorskip("scipy")
integrate = pytest.importorskip("autograd.scipy.integrate")
optimize = pytest.importorskip("autograd.scipy.optimize")

SOLVERS = {
    "odeint": lambda f: integrate.odeint(lambda y, t: -f(y), np.ones(2), np.linspace(0, 1, 3), rtol=1e-10, atol=1e-10)[
        -1
    ],
    "solve_ivp": lambda f: integrate.solve_ivp(lambda t, y: -f(y), (0, 1), np.ones(2), rtol=1e-9, atol=1e-9).y[:, -1],
    "quad": lambda f: integrate.quad(lambda x: f(x * np.ones(2)).sum(), 0.5, 1)[0],
    "quad_vec": lambda f: integrate.quad_vec(lambda x: f(x * np.ones(2)), 0.5, 1)[0],
    "root": lambda f: optimize.root(lambda x: f(x) - 1, np.ones(2)).x,
    "fixed_point": lambda f: optimize.fixed_point(lambda x: x + 1 - f(x), np.full(2, 0.7), xtol=1e-11),
    "brentq": lambda f: optimize.brentq(lambda x: f(x * np.ones(2)).sum() - 2, 0.1, 3),
    "minimize": lambda f: optimize.minimize(lambda x: ((f(x) - 1) ** 2).sum(), np.ones(2), method="BFGS", tol=1e-9).x,
    "least_squares": lambda f: optimize.least_squares(lambda x: f(x) - 1, np.ones(2)).x,
}
W = np.array([1.2, 0.8])
every = pytest.mark.parametrize("name", SOLVERS)


def solve(name, w):
    return SOLVERS[name](lambda x: w * x + 0.1 * np.sin(w) * x**2)


@every
def test_a_tensor_from_outside_and_what_was_made_of_it(name):
    leaf = ag.Tensor(W, requires_grad=True)
    twice = 2 * leaf
    y = SOLVERS[name](lambda x: leaf * x + 0.1 * (twice / 2) * x**2)
    y.sum().backward()
    h = 1e-5
    numeric = [
        (
            np.sum(SOLVERS[name](lambda x, w=W + h * v: w * x + 0.1 * w * x**2))
            - np.sum(SOLVERS[name](lambda x, w=W - h * v: w * x + 0.1 * w * x**2))
        )
        / (2 * h)
        for v in np.eye(2)
    ]
    np.testing.assert_allclose(leaf.grad.data, numeric, rtol=1e-4)


@every
def test_without_recording_arrays_come_out(name):
    assert not isinstance(solve(name, W), ag.Tensor)
    with ag.no_grad():
        assert not isinstance(solve(name, ag.Tensor(W, requires_grad=True)), ag.Tensor)
    assert not isinstance(solve(name, ag.Tensor(W)), ag.Tensor)


@every
def test_the_graph_is_freed_at_once(name):
    leaf = ag.Tensor(W, requires_grad=True)
    middle = np.exp(leaf)
    y = solve(name, middle)
    gone = weakref.ref(middle)
    gc.collect()
    gc.disable()
    try:
        del middle, y
        assert gone() is None
    finally:
        gc.enable()


@every
def test_backward_twice_and_changed_leaves_are_refused(name):
    leaf = ag.Tensor(W, requires_grad=True)
    y = solve(name, leaf).sum()
    y.backward()
    with pytest.raises(GraphError, match="released"):
        y.backward()
    y = solve(name, leaf).sum()
    leaf.data = leaf.data + 1
    with pytest.raises(InPlaceError, match="changed in place"):
        y.backward()


@every
def test_what_is_read_at_some_points_only_is_refused(name):
    a, b = ag.Tensor(W, requires_grad=True), ag.Tensor(W, requires_grad=True)
    calls = []

    def f(x):
        calls.append(x)
        return (a if len(calls) < found else b) * x

    found = 10**9
    SOLVERS[name](f)
    found, calls[:] = len(calls) + 1, []
    y = SOLVERS[name](f)
    with pytest.raises(GraphError, match="reads a Tensor at some points only"):
        y.sum().backward()


@every
def test_an_array_that_changed_before_backward_is_noticed(name):
    scale, leaf = np.ones(2), ag.Tensor(W, requires_grad=True)
    y = SOLVERS[name](lambda x: scale * leaf * x).sum()
    scale *= 1.1
    with pytest.raises(GraphError, match=r"gives another value in backward than it gave before.*make it give the same"):
        y.backward()


@every
def test_solutions_can_be_drawn_and_explained(name):
    leaf = ag.Tensor(W, requires_grad=True, name="w")
    y = solve(name, leaf).sum()
    assert name.partition("_vec")[0] in ag.draw(y).source
    assert ag.explain(y, leaf).paths


@every
def test_a_jacobian_and_a_hessian(name):
    rows = ag.jacobian(lambda w: solve(name, w))(W)
    curved = ag.hessian(lambda w: solve(name, w).sum())(W)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(curved, curved.T, rtol=1e-4, atol=1e-6)
