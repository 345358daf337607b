"""``autograd.scipy.optimize``: SciPy's solvers get their derivatives, solutions have theirs."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import MissingRule

theirs = pytest.importorskip("scipy.optimize")
ours = pytest.importorskip("autograd.scipy.optimize")
FINE = {"tol": 1e-13}


def rosenbrock(x, a=1.0):
    return (a - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


METHODS = ["BFGS", "CG", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG", "trust-ncg", "trust-krylov", "trust-constr", "dogleg"]
METHODS += ["trust-exact", "Nelder-Mead", "Powell", "COBYLA"]


@pytest.mark.parametrize("method", [None, *METHODS])
def test_minimize_passes_what_a_method_takes(method):
    found = ours.minimize(rosenbrock, np.array([1.2, 1.3]), method=method)
    np.testing.assert_allclose(found.x, 1, atol=0.5 if method == "COBYLA" else 1e-2)
    if method in METHODS[:5]:
        assert found.nfev < 80  # no differences of values


def test_a_tree_keeps_its_form():
    def loss(p):
        return ((p["w"] - np.arange(4.0).reshape(2, 2)) ** 2).sum() + (p["b"][0] + 1) ** 2 + (p["b"][1] - 2) ** 2

    for method in ("BFGS", "trust-ncg", "dogleg", "Powell"):
        found = ours.minimize(loss, {"w": np.zeros((2, 2)), "b": (0.0, 0.0)}, method=method, options={"maxiter": 5000})
        np.testing.assert_allclose(found.x["w"], np.arange(4.0).reshape(2, 2), atol=1e-3)
        np.testing.assert_allclose(found.x["b"], (-1, 2), atol=1e-3)


def test_derivatives_of_the_users_own_are_used():
    seen = []

    def slope(p, k):
        seen.append("jac")
        return {"a": 2 * k * (p["a"] - 1)}

    def product(p, q, k):
        seen.append("hessp")
        return {"a": 2 * k * q["a"]}

    found = ours.minimize(lambda p, k: k * (p["a"] - 1) ** 2, {"a": 0.0}, 3.0, "Newton-CG", slope, hessp=product)
    assert set(seen) == {"jac", "hessp"}
    np.testing.assert_allclose(found.x["a"], 1, atol=1e-6)
    found = ours.minimize(lambda x: (x**2).sum(), np.ones(2), method="trust-exact", hess=lambda x: 2 * np.eye(2))
    np.testing.assert_allclose(found.x, 0, atol=1e-6)


def test_callbacks_and_constraints_see_the_form():
    seen = []
    limit = {"type": "eq", "fun": lambda p: p["a"] + p["b"] - 1}
    found = ours.minimize(
        lambda p: p["a"] ** 2 + p["b"] ** 2,
        {"a": 0.0, "b": 3.0},
        method="SLSQP",
        constraints=limit,
        callback=seen.append,
    )
    np.testing.assert_allclose([found.x["a"], found.x["b"]], 0.5, atol=1e-6)
    assert seen[0].keys() == {"a", "b"}
    found = ours.minimize(rosenbrock, np.zeros(2), bounds=[(0, 0.5), (0, 2)], constraints=[])
    np.testing.assert_allclose(found.x, [0.5, 0.25], atol=1e-4)


def cubic(x, a):
    return np.array([[1.0, 0.2], [0.1, 1.5]]) @ x + x**3 - a


A = np.array([1.0, -0.5])
SOLUTIONS = {
    "root": lambda a: ours.root(cubic, np.zeros(2), a, **FINE).x,
    "root by lm": lambda a: ours.root(cubic, np.zeros(2), (a,), "lm", **FINE).x,
    "root by broyden1": lambda a: ours.root(cubic, np.zeros(2), a, "broyden1", options={"fatol": 1e-13}).x,
    "root of a tree": lambda a: ours.root(
        lambda p: {"u": p["u"] ** 3 + p["u"] - a[0] * p["v"], "v": p["v"] - a[1]}, {"u": 0.0, "v": 0.0}, **FINE
    ).x["u"],
    "root of closed over": lambda a: ours.root(lambda x: cubic(x, np.sin(a)), np.zeros(2), **FINE).x,
    "root of a list": lambda a: (
        ours.root(lambda x: [x[0] ** 3 + x[0] - a[0], x[1] - x[0] * a[1]], np.zeros(2), **FINE).x
    ),
    "fixed_point": lambda a: ours.fixed_point(lambda x, a: np.cos(a * x) / 2, np.array([0.3, 0.3]), (a,), xtol=1e-13),
    "fixed_point of a number": lambda a: ours.fixed_point(lambda x: np.cos(a[0] * x) / 2, 0.3, xtol=1e-13),
    "brentq": lambda a: ours.brentq(lambda x, a: x**3 + x - a[0], 0.0, 2.0, (a,)),
    "minimize": lambda a: (
        ours.minimize(
            lambda x: (x**4).sum() / 4 + (x**2).sum() - (a * x).sum(), np.zeros(2), method="trust-exact", **FINE
        ).x
    ),
    "minimize a tree": lambda a: ours.minimize(
        lambda p: (p["x"] - a[0]) ** 2 + (p["y"] - p["x"] * a[1]) ** 4 + p["y"] ** 2,
        {"x": 0.0, "y": 0.0},
        method="trust-exact",
        **FINE,
    ).x["y"],
    "the least value": lambda a: (
        ours.minimize(
            lambda x: ((x - a) ** 2).sum() + np.sin(a).sum() * x[0], np.zeros(2), method="trust-exact", **FINE
        ).fun
    ),
    "the least cost": lambda a: (
        ours.least_squares(
            lambda x: np.stack([x[0] - a[0], x[0] - a[1] ** 2]), np.zeros(1), xtol=1e-15, ftol=1e-15, gtol=1e-15
        ).cost
    ),
    "least_squares": lambda a: (
        ours.least_squares(
            lambda x, a: np.stack([x[0] - a[0], x[1] * x[0] - a[1], 0.5 * x[1] ** 2 - x[0]]),
            np.array([0.5, -0.5]),
            args=(a,),
            xtol=1e-15,
            ftol=1e-15,
            gtol=1e-15,
        ).x
    ),
}


@pytest.mark.parametrize("name", SOLUTIONS)
def test_solutions_have_gradients_to_order_two(name):
    ag.check_grads(SOLUTIONS[name], A)


def test_root_to_order_three():
    ag.check_grads(SOLUTIONS["root"], A, order=3)


def test_plain_arguments_give_scipys_results():
    found, expected = ours.root(cubic, np.zeros(2), A), theirs.root(cubic, np.zeros(2), A)
    assert type(found.x) is np.ndarray
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    f, start = lambda x: x - np.array([1.0, 2.0]), np.zeros(2)
    np.testing.assert_allclose(ours.least_squares(f, start).x, theirs.least_squares(f, start).x)
    np.testing.assert_allclose(
        ours.least_squares(f, start + 0.5, lambda x: np.eye(2), bounds=(0, 1.5)).x, [1, 1.5], atol=1e-6
    )
    assert ours.brentq(np.cos, 0, 3) == theirs.brentq(np.cos, 0, 3)


def test_a_tensor_from_outside_gets_its_gradient():
    a = ag.Tensor(A, requires_grad=True)
    ours.root(lambda x: cubic(x, a), np.zeros(2), **FINE).x.sum().backward()
    np.testing.assert_allclose(a.grad.data, ag.grad(lambda a: SOLUTIONS["root"](a).sum())(A), rtol=1e-10)


def test_what_has_no_gradient_says_so():
    a = ag.Tensor(A, requires_grad=True)
    with pytest.raises(
        MissingRule, match=r"minimize: under bounds or constraints the solution has no gradient rule\. Det"
    ):
        ours.minimize(lambda x: ((x - a) ** 2).sum(), np.zeros(2), bounds=[(0, 1), (0, 1)])
    with pytest.raises(MissingRule, match=r"least_squares: with bounds or a loss the solution has no gradient rule"):
        ours.least_squares(lambda x: x - a, np.zeros(2), bounds=(0, 1))
    with pytest.raises(MissingRule, match=r"least_squares: with bounds or a loss"):
        ours.least_squares(lambda x: x - a, np.zeros(2), loss="soft_l1")
    with pytest.raises(
        MissingRule, match=r"root: the solution is off by about .*Solve with a smaller tolerance, or from"
    ):
        ours.root(lambda x: x**2 + 1 + a**2, np.ones(2)).x.sum().backward()
    loose = ours.minimize(lambda x: ((x - a) ** 2).sum(), np.zeros(2), method="Nelder-Mead", options={"maxiter": 3})
    with pytest.raises(MissingRule, match=r"minimize: the solution is off by about .*Solve with a smaller tolerance"):
        loose.x.sum().backward()
    with pytest.raises(
        MissingRule, match=r"minimize: the equations are singular at the solution, so it has no gradient"
    ):
        ours.minimize(lambda x: (x - a[0]).sum() ** 2, np.zeros(2)).x.sum().backward()
