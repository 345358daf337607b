"""Decompositions: PyTorch as the oracle to order two, triangles that are read, equal eigenvalues, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, MissingRule, ShapeError
from tests.autograd.ops.second_order import parts, same_to_order_two

RNG = np.random.default_rng(13)


def draw(*shape):
    return RNG.uniform(-1, 1, shape)


def regular(*shape):
    """Draw matrices that are far from singular, with distinct eigenvalues and singular values."""
    return 0.3 * draw(*shape) + np.eye(*shape[-2:]) * np.arange(2.0, 2.0 + shape[-1])


def symmetric(a):
    return (a + np.swapaxes(a, -1, -2)) / 2


# ------------------------------------------------------------------------------------------------------------- PyTorch


def positive(xp, a):
    return a @ a.mT + xp.eye(a.shape[-1], dtype=xp.float64)


def decay(xp, a):
    """Give exp(-A), a function of the matrix that does not depend on the signs of the vectors."""
    w, v = xp.linalg.eigh(positive(xp, a))
    return (v * xp.exp(-w)[..., None, :]) @ v.mT


def polar(xp, a):
    u, _, vt = xp.linalg.svd(a, full_matrices=False)
    return u @ vt


def low_rank(xp, a):
    u, s, vt = xp.linalg.svd(a, full_matrices=False)
    return (u[..., :2] * s[..., None, :2]) @ vt[..., :2, :]


FUNCTIONS = {
    "cholesky": (lambda xp, a: xp.linalg.cholesky(positive(xp, a)), regular(2, 3, 3)),
    "cholesky_upper": (lambda xp, a: xp.linalg.cholesky(positive(xp, a), upper=True), regular(3, 3)),
    "eigh_values": (lambda xp, a: xp.linalg.eigh(positive(xp, a))[0], regular(2, 3, 3)),
    "eigh_matrix_function": (decay, regular(2, 3, 3)),
    "eigvalsh_upper": (lambda xp, a: xp.linalg.eigvalsh(positive(xp, a), UPLO="U"), regular(3, 3)),
    "svd_values": (lambda xp, a: xp.linalg.svdvals(a), regular(2, 3, 4)),
    "svd_polar_tall": (polar, regular(4, 3)),
    "svd_polar_wide": (polar, regular(2, 2, 3)),
    "svd_low_rank": (low_rank, regular(2, 3, 5)),
    "qr_tall": (lambda xp, a: xp.linalg.qr(a), regular(2, 4, 3)),
    "qr_wide": (lambda xp, a: xp.linalg.qr(a), regular(3, 5)),
    "qr_square": (lambda xp, a: xp.linalg.qr(a, mode="complete"), regular(3, 3)),
}


@pytest.mark.torch
@pytest.mark.parametrize(("f", "a"), FUNCTIONS.values(), ids=FUNCTIONS)
def test_same_as_torch_to_order_two(f, a):
    same_to_order_two(lambda a: f(np, a), f, a)


# ---------------------------------------------------------------------------------------------------- kinds of results


@pytest.mark.parametrize(("name", "kind"), {"eigh": "EighResult", "svd": "SVDResult", "qr": "QRResult"}.items())
def test_results_are_numpys_named_tuples(name, kind):
    for shape in ((3, 3),) if name == "eigh" else ((3, 3), (2, 3)):
        for a in (regular(*shape), ag.Tensor(regular(*shape)), ag.Tensor(regular(*shape), requires_grad=True)):
            y = getattr(np.linalg, name)(a)
            assert type(y).__name__ == kind
            assert all(isinstance(part, ag.Tensor) for part in y) == isinstance(a, ag.Tensor)


def test_qr_in_other_modes_without_a_gradient():
    a = regular(3, 2)
    q, r = np.linalg.qr(ag.Tensor(a), "complete")
    assert (q.shape, r.shape, type(q)) == ((3, 3), (3, 2), ag.Tensor)
    h, tau = np.linalg.qr(ag.Tensor(a), "raw")
    assert (h.shape, tau.shape) == ((2, 3), (2,))


# ---------------------------------------------------------------------------------------------- triangles that are read

SYMMETRIC = {
    "cholesky": (np.linalg.cholesky, "L"),
    "cholesky_upper": (lambda a: np.linalg.cholesky(a, upper=True), "U"),
    "eigh": (lambda a: np.linalg.eigh(a)[0], "L"),
    "eigh_upper": (lambda a: np.linalg.eigh(a, "U")[1] ** 2, "U"),
    "eigvalsh_lowercase": (lambda a: np.linalg.eigvalsh(a, "u"), "U"),
    "pinv": (lambda a: np.linalg.pinv(a, hermitian=True), "L"),
    "svd": (lambda a: np.linalg.svd(a, hermitian=True)[1], "L"),
}


@pytest.mark.parametrize(("f", "triangle"), SYMMETRIC.values(), ids=SYMMETRIC)
def test_gradient_lies_in_the_triangle_that_is_read(f, triangle):
    """The other triangle does not matter to NumPy, so its gradient is 0; a symmetric change sees the whole gradient."""
    a, change = symmetric(regular(3, 3)), symmetric(draw(3, 3))
    y, pullback = ag.vjp(f, a)
    g = draw(*y.shape)
    gradient, other = pullback(g), np.triu(np.ones((3, 3)), 1)
    other = other if triangle == "L" else other.T
    np.testing.assert_array_equal(gradient * other, np.zeros((3, 3)))
    np.testing.assert_array_equal(f(a + 5 * other), f(a))
    slope = np.sum(g * (f(a + 1e-6 * change) - f(a - 1e-6 * change))) / 2e-6
    np.testing.assert_allclose(np.sum(gradient * change), slope, rtol=1e-6)


# ------------------------------------------------------------------------------------------- equal values, zero values


@pytest.mark.parametrize("f", [lambda a: np.linalg.eigvalsh(a).sum(), lambda a: np.linalg.eigh(a).eigenvalues.sum()])
def test_sum_of_equal_eigenvalues(f):
    """The vectors of equal eigenvalues are not defined, but the trace is: its gradient is the identity."""
    for a in (np.eye(3), np.zeros((3, 3)), np.diag([2.0, 2.0, 5.0]), np.stack([np.eye(3)] * 2)):
        np.testing.assert_allclose(ag.grad(f)(a), np.broadcast_to(np.eye(3), a.shape), atol=1e-15)


def test_vector_of_another_eigenvalue():
    """A loss on the vector of the single eigenvalue is right although the two others are equal."""
    q = np.linalg.qr(draw(3, 3))[0]
    a, change = (q * [2.0, 2.0, 5.0]) @ q.T, draw(3, 3)

    def projector(a):
        v = np.linalg.eigh(symmetric(a))[1][:, 2:]
        return v @ v.T

    gradient = ag.grad(lambda a: (projector(a) * q).sum())(a)
    slope = np.sum((projector(a + 1e-6 * change) - projector(a - 1e-6 * change)) * q) / 2e-6
    np.testing.assert_allclose(np.sum(gradient * change), slope, rtol=1e-6)


VECTORS = {
    "eigh": lambda a: np.linalg.eigh(a)[1],
    "svd_left": lambda a: np.linalg.svd(a)[0],
    "svd_right": lambda a: np.linalg.svd(a)[2],
    "matrix_function": lambda a: (np.linalg.eigh(a)[1] * 2) @ np.linalg.eigh(a)[1].T,
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("f", VECTORS.values(), ids=VECTORS)
def test_vectors_of_equal_eigenvalues_have_no_gradient(f, create_graph):
    """They can be turned freely; the answer is not a number, never one that looks right."""
    a = ag.Tensor(np.eye(3), requires_grad=True)
    with np.errstate(invalid="ignore"):
        f(a).sum().backward(create_graph=create_graph)
    assert not np.isfinite(a.grad.data).all()


def test_sum_of_equal_singular_values():
    """Its gradient is U Vᵀ, whatever vectors were chosen."""
    q = np.linalg.qr(draw(3, 3))[0]
    for f in (lambda a: np.linalg.svd(a)[1].sum(), lambda a: np.linalg.svdvals(a).sum()):
        np.testing.assert_allclose(ag.grad(f)(2 * q), q, atol=1e-14)


def test_largest_singular_value_of_rank_one():
    u, v = draw(4, 1), draw(1, 3)
    gradient = ag.grad(lambda a: np.linalg.svd(a, full_matrices=False)[1][0])(u @ v)
    np.testing.assert_allclose(gradient, (u @ v) / np.linalg.norm(u) / np.linalg.norm(v), atol=1e-14)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_full_svd_has_the_gradient_of_the_thin_one(shape):
    a, left, right = regular(*shape), draw(shape[0], 2), draw(2, shape[1])

    def loss(a, full):
        u, s, vt = np.linalg.svd(a, full_matrices=full)
        return (u[:, :2] ** 2 * left * s).sum() + (vt[:2] ** 2 * right).sum()

    np.testing.assert_allclose(ag.grad(loss)(a, True), ag.grad(loss)(a, False), rtol=1e-12, atol=1e-14)
    ag.check_grads(lambda a: loss(a, True), a)


# ------------------------------------------------------------------------------------------------------------ messages

MESSAGES = {
    "indefinite": (lambda a: np.linalg.cholesky(-a), (2, 2), np.linalg.LinAlgError, "not positive definite"),
    "cholesky": (np.linalg.cholesky, (2, 3), ShapeError, r"cholesky: a must hold square .* got shape \(2, 3\)"),
    "eigh": (np.linalg.eigh, (3,), ShapeError, r"eigh: a must hold square matrices \(…, N, N\), got shape \(3,\)"),
    "eigvalsh": (np.linalg.eigvalsh, (2, 3), ShapeError, "eigvalsh: a must hold square"),
    "symmetric": (lambda a: np.linalg.svd(a, hermitian=True), (2, 3), ShapeError, "a symmetric matrix: a must hold"),
    "left": (lambda a: np.linalg.svd(a)[0], (3, 2), MissingRule, "so they have no gradient. Use full_matrices=False"),
    "right": (lambda a: np.linalg.svd(a)[2], (2, 3), MissingRule, "turned freely, so .* Use full_matrices=False"),
    "dependent": (
        lambda a: np.linalg.qr(a * [1.0, 0.0]),
        (2, 2),
        ArgumentError,
        "qr: the gradient needs linearly indep",
    ),
    "complete": (
        lambda a: np.linalg.qr(a, "complete"),
        (3, 2),
        MissingRule,
        r"qr\(mode='complete'\) of shape \(3, 2\)",
    ),
    "raw": (lambda a: np.linalg.qr(a, "raw"), (2, 2), MissingRule, "has no gradient rule. Use mode='reduced'"),
}


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_are_dependent_to_rounding(size, dtype):
    """R has a zero on its diagonal or the rounding of one, as the machine has it: the message is the same."""
    first = draw(4, 1).astype(dtype)
    a = np.concatenate([first, draw(4, 1), first * size], axis=1).astype(dtype)
    with pytest.raises(ArgumentError, match="linearly independent columns"):
        ag.grad(lambda a: np.linalg.qr(a)[1].sum())(a)
    a[:, 2] = draw(4, 5)[:, 4] * 1e-20  # small is not dependent
    assert np.isfinite(ag.grad(lambda a: np.linalg.qr(a)[1][0].sum())(a)).all()


@pytest.mark.parametrize(("f", "shape", "error", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(f, shape, error, message):
    with pytest.raises(error, match=message):
        parts(f(ag.Tensor(np.ones(shape), requires_grad=True)))[-1].sum().backward()
