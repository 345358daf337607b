"""Norms: PyTorch as the oracle to order two, gradients at zero and at ties, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from tests.autograd.ops.second_order import same_to_order_two

RNG = np.random.default_rng(14)
X, A = RNG.uniform(-1, 1, (3, 4)), 0.3 * RNG.uniform(-1, 1, (2, 3, 4)) + np.eye(3, 4) * [2.0, 3.0, 4.0, 0.0]

TORCH = {
    "of_all": (np.linalg.norm, lambda t, x: t.linalg.norm(x), X),
    "p": (
        lambda x: np.linalg.norm(x, 2.5, axis=1, keepdims=True),
        lambda t, x: t.linalg.vector_norm(x, 2.5, dim=1, keepdim=True),
        X,
    ),
    "p_below_one": (lambda x: np.linalg.norm(x, 0.5, axis=0), lambda t, x: t.linalg.vector_norm(x, 0.5, dim=0), X),
    "p_negative": (lambda x: np.linalg.norm(x, -2, axis=1), lambda t, x: t.linalg.vector_norm(x, -2, dim=1), X),
    "vector_norm": (
        lambda x: np.linalg.vector_norm(x, axis=(0, 2), ord=3),
        lambda t, x: t.linalg.vector_norm(x, 3, dim=(0, 2)),
        A,
    ),
    "frobenius": (np.linalg.matrix_norm, lambda t, x: t.linalg.matrix_norm(x), A),
    "nuclear": (
        lambda x: np.linalg.norm(x, "nuc", axis=(1, 2)),
        lambda t, x: t.linalg.matrix_norm(x, "nuc"),
        A,
    ),
    "nuclear_transposed": (
        lambda x: np.linalg.norm(x, "nuc", axis=(2, 0), keepdims=True),
        lambda t, x: t.linalg.matrix_norm(x, "nuc", dim=(2, 0), keepdim=True),
        A,
    ),
    "spectral": (lambda x: np.linalg.norm(x, 2), lambda t, x: t.linalg.matrix_norm(x, 2), A[0]),
    "smallest": (lambda x: np.linalg.norm(x, -2), lambda t, x: t.linalg.matrix_norm(x, -2), A[0]),
    "columns": (lambda x: np.linalg.matrix_norm(x, ord=1), lambda t, x: t.linalg.matrix_norm(x, 1), A),
    "rows": (lambda x: np.linalg.matrix_norm(x, ord=-np.inf), lambda t, x: t.linalg.matrix_norm(x, -np.inf), A),
}


@pytest.mark.torch
@pytest.mark.parametrize(("ours", "theirs", "x"), TORCH.values(), ids=TORCH)
def test_same_as_torch_to_order_two(ours, theirs, x):
    same_to_order_two(ours, theirs, x)


@pytest.mark.parametrize("order", [None, 1, 2, 3, 1.5, 0.5, np.inf, -np.inf])
def test_norm_of_zero_has_gradient_zero(order):
    x = np.array([[0.0, 0.0, 0.0], [1.0, -2.0, 2.0]])
    gradient = ag.grad(lambda x: np.linalg.norm(x, order, axis=1).sum())(x)
    np.testing.assert_array_equal(gradient[0], np.zeros(3))
    assert np.isfinite(gradient).all()
    assert gradient[1].any()


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norm_of_a_zero_matrix_has_gradient_zero(order):
    zero = np.zeros((3, 2))
    np.testing.assert_array_equal(ag.grad(lambda a: np.linalg.norm(a, order, (0, 1)))(zero), zero)


@pytest.mark.parametrize("order", [-1, -2])
def test_norm_of_negative_order_with_a_zero(order):
    """NumPy's value is 0 (with its warning of a division), and so is the gradient."""
    with np.errstate(divide="ignore"):
        value, gradient = ag.value_and_grad(lambda x: np.linalg.norm(x, order))(np.array([0.0, 2.0]))
    assert value == 0
    np.testing.assert_array_equal(gradient, np.zeros(2))


def test_norm_that_is_masked():
    """The norm of an infinite vector has no slope; where it is not used, the gradient is 0."""
    gradient = ag.grad(lambda x: np.where([False, True], np.linalg.norm(x, axis=1), 1.0).sum())
    np.testing.assert_allclose(gradient(np.array([[np.inf, 1.0], [3.0, 4.0]])), [[0, 0], [0.6, 0.8]], rtol=1e-15)


def test_slope_of_an_infinite_norm_is_not_hidden():
    gradient = ag.grad(lambda x: np.linalg.norm(x))
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(gradient(np.array([np.inf, 1.0])), [np.nan, 0])


def test_second_derivative_at_norm_zero_is_none():
    second = ag.grad(lambda x: ag.grad(lambda x: np.linalg.norm(x, axis=1).sum())(x).sum())
    with np.errstate(all="ignore"):
        found = second(np.array([[0.0, 0.0], [3.0, 4.0]]))
    assert not np.isfinite(found[0]).any()
    np.testing.assert_allclose(found[1], [4 / 125, -3 / 125])


def test_ties_share_the_gradient_of_the_largest():
    gradient = ag.grad(lambda x: np.linalg.norm(x, np.inf))(np.array([3.0, -3.0, 1.0]))
    np.testing.assert_array_equal(gradient, [0.5, -0.5, 0])


def test_count_of_nonzeros_has_no_gradient():
    y = np.linalg.norm(ag.Tensor([[0.0, 2.0], [1.0, -3.0]], requires_grad=True), 0, axis=1)
    np.testing.assert_array_equal(y.data, [1, 2])
    assert not y.requires_grad


MESSAGES = {
    "order_of_vectors": (lambda x: np.linalg.norm(x, "fro", 0), ArgumentError, "order 'fro' is not one for vectors"),
    "order_of_matrices": (lambda x: np.linalg.norm(x, 3), ArgumentError, "order 3 is not one for matrices; use 'fro'"),
    "name_of_matrices": (lambda x: np.linalg.norm(x, "big"), ArgumentError, "order 'big' is not one for matrices"),
    "three_axes": (lambda x: np.linalg.norm(x[None], 2), ShapeError, r"needs one axis .* got 3 for shape \(1, 3, 4\)"),
    "same_axis": (lambda x: np.linalg.norm(x, 2, (0, -2)), ShapeError, r"must differ, got \(0, -2\)"),
    "one_axis": (lambda x: np.linalg.matrix_norm(x[0]), ShapeError, r"at least two axes, got shape \(4,\)"),
}


@pytest.mark.parametrize(("call", "error", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call(ag.Tensor(X, requires_grad=True))
