"""Whole Jacobians and Hessians: of several arguments, of trees, of matrices, and of each other."""

import numpy as np
import pytest

import autograd as ag

X = np.array([0.5, -1.0, 2.0])


def polynomial(x):
    return (x**3).sum() + x[0] * x[1] * x[2]


def polynomial_hessian(x):
    return np.diag(6 * x) + np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])


def test_hessian():
    h = ag.hessian(polynomial)(X)
    np.testing.assert_allclose(h, polynomial_hessian(X), atol=1e-12)
    assert type(h) is np.ndarray
    assert ag.hessian(lambda x: x**3)(2.0) == 12


def test_hessian_of_two_arguments():
    def f(x, y):
        return (x**2 * y).sum()

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (xx, xy), (yx, yy) = ag.hessian(f, (0, 1))(x, y)
    np.testing.assert_allclose(xx, np.diag(2 * y))
    np.testing.assert_allclose(xy, np.diag(2 * x))
    np.testing.assert_allclose(yx, np.diag(2 * x))
    np.testing.assert_array_equal(yy, np.zeros((2, 2)))
    np.testing.assert_allclose(ag.hessian(f, 1)(x, y), yy)


def test_hessian_of_a_matrix_argument():
    w = np.arange(6.0).reshape(2, 3)
    h = ag.hessian(lambda w: (w @ w.T).sum())(w)
    assert h.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(h.reshape(6, 6), h.reshape(6, 6).T)


def test_third_order_through_jacobian_of_hessian():
    third = ag.jacobian(ag.hessian(lambda x: (x**4).sum()))(X)
    assert third.shape == (3, 3, 3)
    for i in range(3):
        assert third[i, i, i] == pytest.approx(24 * X[i])
    assert np.count_nonzero(third) == 3


def test_jacobian():
    w = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ag.jacobian(lambda x: w @ x)(X), w)
    np.testing.assert_array_equal(ag.jacobian(lambda x: x * 2)(3.0), 2)
    j = ag.jacobian(lambda w: np.tanh(w @ X))(w)
    assert j.shape == (2, 2, 3)
    assert ag.jacobian(lambda x: (x**2).sum())(X).shape == (3,)


def test_jacobian_of_several_arguments_and_results():
    def f(x, y):
        return x * y, {"s": x.sum()}

    one, two = ag.jacobian(f, (0, 1))(X, X + 1)
    np.testing.assert_array_equal(one[0], np.diag(X + 1))
    np.testing.assert_array_equal(one[1], np.diag(X))
    np.testing.assert_array_equal(two["s"][0], np.ones(3))
    np.testing.assert_array_equal(two["s"][1], np.zeros(3))


def test_jacobian_of_nested_arguments():
    j = ag.jacobian(lambda p: p["a"] * p["b"])({"a": X, "b": 2.0})
    np.testing.assert_array_equal(j["a"], 2 * np.eye(3))
    np.testing.assert_array_equal(j["b"], X)


def test_jacobian_of_empty_and_constant_outputs():
    assert ag.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    np.testing.assert_array_equal(ag.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))


@pytest.mark.parametrize("transform", [ag.jacobian, lambda f: ag.hessian(lambda x: f(x).sum())])
def test_forward_runs_once(transform):
    calls = []

    def f(x):
        calls.append(1)
        return np.tanh(x) ** 2

    assert transform(f)(np.ones(50)).shape == (50, 50)
    assert len(calls) == 1
