"""Whole Jacobians and Hessians: rows or columns, blocks, trees, several results, and programs of them."""

import numpy as np
import pytest

import autograd as ag

X, T = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.0, 0.5])


@pytest.mark.parametrize("number", [1, 2, 5])
def test_jacobian_by_either_direction(number):
    def f(x):
        return np.stack([np.sin(x).sum() * k + x[0] ** k for k in range(number)])

    both = ag.jacobian(f)(X), ag.jacfwd(f)(X)
    np.testing.assert_allclose(*both)
    np.testing.assert_allclose(
        both[0], [k * np.cos(X) + [k * X[0] ** (k - 1) if k else 0, 0, 0] for k in range(number)]
    )


def test_many_columns_come_in_blocks():
    x = np.linspace(-1, 1, 300)
    np.testing.assert_allclose(ag.jacfwd(np.sin)(x), np.diag(np.cos(x)))


def test_jacfwd_of_trees():
    found = ag.jacfwd(lambda p, y: {"s": p["a"] * y, "t": (p["b"].sum(),)}, argnums=(0, 1))({"a": 2.0, "b": X}, T)
    assert found["s"][0]["a"].shape == (3,)
    np.testing.assert_array_equal(found["s"][1], np.diag([2.0] * 3))
    np.testing.assert_array_equal(found["t"][0][0]["b"], np.ones(3))
    assert found["s"][0]["b"].shape == (3, 3)


def test_hessian_of_several_results():
    h = ag.hessian(lambda x: np.stack([x[0] ** 2 * x[1], x[1] ** 3]))(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(h, [[[4, 2], [2, 0]], [[0, 0], [0, 12]]])


@pytest.mark.parametrize("transform", [ag.jacfwd, ag.jacobian, ag.hessian])
def test_compiled_columns_go_together(transform):
    """A program of a Jacobian has the steps of one column, and reads what it closes over at each call."""
    matrix = ag.Tensor(np.random.default_rng(0).normal(size=(40, 40)) / 10)

    def f(x):
        y = np.tanh(matrix @ x) * x[::-1]
        y = np.where(y > 0, y, 0.5 * y)
        return (y**2).sum() if transform is ag.hessian else np.concatenate([y, x])

    compiled, x = ag.compile(transform(f)), np.linspace(-1, 1, 40)
    for k in range(3):
        np.testing.assert_allclose(compiled(x + k), transform(f)(x + k), atol=1e-12)
        matrix *= 1.5
    assert compiled.traces == 1
    assert len(compiled.program(x).steps) < 120


@pytest.mark.parametrize("transform", [ag.hessian, lambda f: ag.jacfwd(ag.grad(f)), lambda f: ag.jacobian(ag.grad(f))])
def test_equal_eigenvalues_give_what_is_right_or_nan(transform):
    """Σ λ² = Σ aᵢⱼ² has the Hessian 2; a rule that leaves out vectors without a cotangent must not make it another."""
    f = lambda a: (np.linalg.eigvalsh(a) ** 2).sum()  # noqa: E731
    found = transform(f)(2 * np.eye(3))
    diagonal = np.array([found[i, i, i, i] for i in range(3)])
    assert np.all(np.isnan(diagonal) | np.isclose(diagonal, 2))
    apart = transform(f)(np.diag([1.0, 2.0, 4.0]))
    np.testing.assert_allclose([apart[i, i, i, i] for i in range(3)], 2, rtol=1e-10)
