"""Linear systems: PyTorch as the oracle to order two, deficient ranks, determinants of singular matrices, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from tests.autograd.ops.second_order import parts, same_to_order_two

RNG = np.random.default_rng(15)


def draw(*shape):
    return RNG.uniform(-1, 1, shape)


def regular(*shape):
    """Draw matrices that are far from singular."""
    return 0.3 * draw(*shape) + np.eye(*shape[-2:]) * np.arange(2.0, 2.0 + shape[-1])


def least_squares(torch, a, b):
    x = torch.linalg.lstsq(a, b)[0]
    return x, ((b - a @ x) ** 2).sum(0)


def norm_ratio(torch, a):  # torch.linalg.cond(a, "fro") itself cannot be differentiated twice
    return torch.linalg.matrix_norm(a) * torch.linalg.matrix_norm(torch.linalg.inv(a))


TORCH = {
    "inv": (np.linalg.inv, lambda t, a: t.linalg.inv(a), [regular(2, 3, 3)]),
    "pinv_tall": (np.linalg.pinv, lambda t, a: t.linalg.pinv(a), [regular(4, 2)]),
    "pinv_wide": (np.linalg.pinv, lambda t, a: t.linalg.pinv(a), [regular(2, 2, 4)]),
    "det": (np.linalg.det, lambda t, a: t.linalg.det(a), [regular(2, 3, 3)]),
    "det_large": (np.linalg.det, lambda t, a: t.linalg.det(a), [regular(6, 6)]),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], lambda t, a: t.linalg.slogdet(a)[1], [regular(2, 3, 3)]),
    "solve": (np.linalg.solve, lambda t, a, b: t.linalg.solve(a, b), [regular(2, 3, 3), draw(2, 3, 2)]),
    "solve_vector": (np.linalg.solve, lambda t, a, b: t.linalg.solve(a, b), [regular(3, 3), draw(3)]),
    "solve_one_a": (np.linalg.solve, lambda t, a, b: t.linalg.solve(a, b), [regular(3, 3), draw(2, 3, 2)]),
    "solve_one_b": (np.linalg.solve, lambda t, a, b: t.linalg.solve(a, b), [regular(2, 3, 3), draw(1, 3, 2)]),
    "lstsq": (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[:2], least_squares, [regular(5, 3), draw(5, 2)]),
    "lstsq_wide": (
        lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0],
        lambda t, a, b: t.linalg.pinv(a) @ b,
        [regular(2, 4), draw(2)],
    ),
    "cond": (np.linalg.cond, lambda t, a: t.linalg.cond(a), [regular(3, 3)]),
    "cond_fro": (lambda a: np.linalg.cond(a, "fro"), norm_ratio, [regular(2, 3, 3)]),
    "tensorsolve": (
        np.linalg.tensorsolve,
        lambda t, a, b: t.linalg.tensorsolve(a, b),
        [regular(6, 6).reshape(2, 3, 6), draw(2, 3)],
    ),
    "tensorinv": (np.linalg.tensorinv, lambda t, a: t.linalg.tensorinv(a), [regular(6, 6).reshape(3, 2, 6)]),
}


@pytest.mark.torch
@pytest.mark.parametrize(("ours", "theirs", "arrays"), TORCH.values(), ids=TORCH)
def test_same_as_torch_to_order_two(ours, theirs, arrays):
    same_to_order_two(ours, theirs, *arrays)


# ------------------------------------------------------------------------------------------------------- least squares


def test_lstsq_gives_residuals_only_for_full_rank():
    tall = np.column_stack([np.arange(4.0), np.ones(4)])
    for a, rank, size in ((tall, 2, 1), (tall[:, [0, 0]], 1, 0), (tall.T, 2, 0)):
        b = draw(len(a))
        x, residuals, found, s = np.linalg.lstsq(ag.Tensor(a, requires_grad=True), b, rcond=None)
        expected = np.linalg.lstsq(a, b, rcond=None)
        assert (int(found), residuals.size) == (rank, size) == (expected[2], expected[1].size)
        np.testing.assert_allclose(x.data, expected[0], rtol=1e-12)
        np.testing.assert_allclose(s.data, expected[3], rtol=1e-12, atol=1e-15)


DEFICIENT = {
    "lstsq": lambda u, v, b: np.linalg.lstsq(u @ v, b, rcond=1e-6)[0],
    "pinv": lambda u, v, b: np.linalg.pinv(u @ v, 1e-6) * b,
    "pinv_rtol": lambda u, v, b: np.linalg.pinv(u @ v, rtol=1e-6) * b,
}


@pytest.mark.parametrize("f", DEFICIENT.values(), ids=DEFICIENT)
def test_deficient_rank(f):
    """Along changes that keep the rank (here: 1) the gradient is right."""
    ag.check_grads(f, draw(4, 1), draw(1, 3), draw(4))


def test_lstsq_for_the_right_side_only():
    a, weight = regular(4, 2), draw(2)
    gradient = ag.grad(lambda b: (np.linalg.lstsq(a, b, rcond=-1)[0] * weight).sum())(draw(4))
    np.testing.assert_allclose(gradient, weight @ np.linalg.pinv(a), rtol=1e-12)


def test_lstsq_of_empty_matrices():
    x, residuals, rank, s = np.linalg.lstsq(ag.Tensor(np.zeros((0, 2))), np.zeros(0), rcond=None)
    assert (x.shape, residuals.shape, int(rank), s.shape) == ((2,), (0,), 0, (0,))


# -------------------------------------------------------------------------------------------------------- determinants

SINGULAR = {
    "rank_0": np.zeros((2, 2)),
    "rank_1": np.array([[1.0, 2.0], [2.0, 4.0]]),
    "rank_1_of_3": np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
    "rank_2_of_3": np.arange(9.0).reshape(3, 3),
    "not_quite": np.array([[0.1, 0.2], [0.3, 0.6]]),
    "number": np.zeros((1, 1)),
    "stack": np.stack([np.eye(3), np.diag([1.0, 2.0, 0.0]), np.zeros((3, 3))]),
    "large": np.diag([3.0, 2.0, 1.0, 4.0, 0.0]) + np.eye(5, k=1),
    "large_of_rank_3": np.diag([3.0, 2.0, 1.0, 0.0, 0.0]),
}


@pytest.mark.parametrize("a", SINGULAR.values(), ids=SINGULAR)
def test_determinant_of_singular_matrices(a):
    """The determinant is a polynomial: its gradient is the matrix of cofactors, everywhere and to any order."""
    ag.check_grads(np.linalg.det, a)


def test_determinant_that_underflows():
    """0.001¹⁵⁰ is 0 in float64, but the matrix is not singular: no 150² determinants are worked out."""
    gradient = ag.grad(np.linalg.det)(1e-3 * np.eye(150))
    np.testing.assert_array_equal(gradient, np.zeros((150, 150)))


def test_determinant_of_nothing():
    assert ag.grad(np.linalg.det)(np.zeros((0, 0))).shape == (0, 0)


def test_slogdet_is_a_named_tuple_with_a_constant_sign():
    y = np.linalg.slogdet(ag.Tensor(-np.eye(3), requires_grad=True))
    assert (type(y).__name__, y.sign.item(), y.logabsdet.item()) == ("SlogdetResult", -1, 0)
    ag.check_grads(np.linalg.slogdet, -np.eye(3))


def test_masked_slogdet():
    """A singular matrix whose log-determinant is not used has gradient 0."""

    def loss(a):
        sign, logdet = np.linalg.slogdet(a)
        return np.where(sign != 0, logdet, 0.0).sum()

    gradient = ag.grad(loss)(np.stack([np.eye(2) * 2, np.zeros((2, 2))]))
    np.testing.assert_array_equal(gradient, np.stack([np.eye(2) / 2, np.zeros((2, 2))]))


# ------------------------------------------------------------------------------------------------------------ messages

SOLVE = np.linalg.solve
SINGLE = np.linalg.LinAlgError
MESSAGES = {
    "solve_rows": (
        lambda a: SOLVE(a, np.ones(3)),
        (2, 2),
        ShapeError,
        r"shape \(2, 2\) does not fit b of shape \(3, 1\)",
    ),
    "solve_square": (lambda a: SOLVE(a, np.ones(3)), (2, 3), ShapeError, "solve: a must hold square matrices"),
    "solve_singular": (lambda a: SOLVE(a, np.ones(2)), (2, 2), SINGLE, "Singular matrix"),
    "inv_singular": (np.linalg.inv, (2, 2), SINGLE, "Singular matrix"),
    "slogdet_singular": (
        np.linalg.slogdet,
        (2, 2),
        ArgumentError,
        "a is singular, so .* gradient. Mask it, or use det",
    ),
    "lstsq_stack": (
        lambda a: np.linalg.lstsq(a, np.ones(2)),
        (2, 2, 2),
        ShapeError,
        r"a must be one matrix .* \(2, 2, 2\) and \(2,\)",
    ),
    "pinv": (lambda a: np.linalg.pinv(a, hermitian=True), (2, 3), ShapeError, "a symmetric matrix: a must hold"),
    "cond": (lambda a: np.linalg.cond(a, 1), (2, 3), ShapeError, "cond: a must hold square matrices"),
    "tensorsolve": (
        lambda a: np.linalg.tensorsolve(a, np.ones(3)),
        (2, 2),
        ShapeError,
        r"\(2, 2\) is not square for b of shape \(3,\)",
    ),
    "tensorinv": (lambda a: np.linalg.tensorinv(a, ind=1), (2, 3), ShapeError, "not square when its first 1 axes"),
}


@pytest.mark.parametrize(("f", "shape", "error", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(f, shape, error, message):
    with pytest.raises(error, match=message):
        parts(f(ag.Tensor(np.ones(shape), requires_grad=True)))[-1].sum().backward()
