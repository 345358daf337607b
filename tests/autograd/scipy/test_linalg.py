"""``autograd.scipy.linalg``: values are SciPy's, derivatives those of finite differences."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, MissingRule
from tests.autograd.rows import second
from tests.autograd.scipy.table import check_row, rows, samples

theirs = pytest.importorskip("scipy.linalg")
ours = pytest.importorskip("autograd.scipy.linalg")
ROWS = rows("linalg")
RNG = np.random.default_rng(8)
A = RNG.uniform(-0.5, 0.5, (3, 3)) + 2 * np.eye(3)
SMALL, TALL, WIDE = A / 4, RNG.uniform(-1, 1, (4, 2)), RNG.uniform(-1, 1, (2, 4))
B, V, Q = RNG.uniform(-1, 1, (3, 2)), RNG.uniform(-1, 1, 3), RNG.uniform(-1, 1, (3, 3))
STACK = RNG.uniform(-0.5, 0.5, (2, 3, 3))


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_to_order_two(name):
    check_row(ROWS[name])
    check_row(ROWS[name], second)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_scipys_value(name):
    for args, kwargs in samples(ROWS[name]):
        kwargs = kwargs | ({"p_indices": True} if name == "lu" else {})
        expected = getattr(theirs, name)(*args, **kwargs)
        found = getattr(ours, name)(*args, **kwargs)
        for a, b in zip(*(y if isinstance(y, tuple) else (y,) for y in (found, expected)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


CALLS = {
    "expm of a stack": (lambda m, a: m.expm(a), STACK),
    "solve": (lambda m, a, b: m.solve(a, b), A, B),
    "solve, a vector": (lambda m, a, b: m.solve(a, b), A, V),
    "solve, transposed": (lambda m, a, b: m.solve(a, b, transposed=True), A, V),
    "solve, symmetric": (lambda m, a, b: m.solve(a, b, assume_a="sym"), A, V),
    "solve, the lower triangle": (lambda m, a, b: m.solve(a, b, assume_a="sym", lower=True), A, B),
    "solve, positive definite": (lambda m, a, b: m.solve(a, b, assume_a="pos", lower=True), A, B),
    "triangular, a vector": (lambda m, a, b: m.solve_triangular(a, b), A, V),
    "triangular, turned": (lambda m, a, b: m.solve_triangular(a, b, trans=1), A, B),
    "triangular, lower and turned": (lambda m, a, b: m.solve_triangular(a, b, trans="T", lower=True), A, B),
    "triangular, ones": (lambda m, a, b: m.solve_triangular(a, b, lower=True, unit_diagonal=True), A, V),
    "cho_solve": (lambda m, a, b: m.cho_solve(m.cho_factor(a), b), A, B),
    "cho_solve, lower": (lambda m, a, b: m.cho_solve(m.cho_factor(a, lower=True), b), A, V),
    "lu": (lambda m, a: m.lu(a)[1:], Q),
    "lu, permuted": (lambda m, a: m.lu(a, permute_l=True), Q),
    "lu_solve": (lambda m, a, b: m.lu_solve(m.lu_factor(a), b), Q, B),
    "lu_solve, turned": (lambda m, a, b: m.lu_solve(m.lu_factor(a), b, trans=1), Q, V),
    "qr": (lambda m, a: m.qr(a), A),
    "qr of a wide one": (lambda m, a: m.qr(a), WIDE),
    "qr, economic": (lambda m, a: m.qr(a, mode="economic"), TALL),
    "qr, r alone": (lambda m, a: m.qr(a, mode="r"), TALL),
    "qr, pivoting": (lambda m, a: m.qr(a, mode="economic", pivoting=True)[:2], Q),
    "discrete lyapunov": (lambda m, a, q: m.solve_discrete_lyapunov(a, q), SMALL, Q),
    "toeplitz of a column": (lambda m, c: m.toeplitz(c), V),
    "hankel of a column": (lambda m, c: m.hankel(c), V),
    "block_diag with numbers": (lambda m, a, v: m.block_diag(a, v, 2.0), A, V),
    "inv": (lambda m, a: m.inv(a), A),
    "det": (lambda m, a: m.det(a), A),
    "svd": (lambda m, a: m.svd(a, full_matrices=False), WIDE),
    "eigvalsh": (lambda m, a: m.eigvalsh(a + np.diag([0.0, 2.0, 5.0])), A),
    "eigh": (lambda m, a: m.eigh(a + np.diag([0.0, 2.0, 5.0]))[0], A),
    "norm": (lambda m, a: m.norm(a, "fro"), A),
}


@pytest.mark.parametrize("name", CALLS)
def test_arguments_are_scipys(name):
    f, *args = CALLS[name]
    found, expected = f(ours, *args), f(theirs, *args)
    for a, b in zip(*(y if isinstance(y, tuple) else (y,) for y in (found, expected)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
    ag.check_grads(lambda *args: f(ours, *args), *args)


def test_the_permutation_puts_the_factors_together():
    p, lower, upper = ours.lu(Q)
    np.testing.assert_allclose(p @ lower @ upper, Q)
    order, lower, upper = ours.lu(TALL, p_indices=True)
    np.testing.assert_allclose(lower[order] @ upper, TALL)


def test_stacks():
    many, right = STACK + 2 * np.eye(3), RNG.uniform(-1, 1, (2, 3, 2))
    ag.check_grads(lambda a: ours.lu(a, p_indices=True)[1:], STACK)
    try:
        theirs.solve(many, right)
    except ValueError:
        pytest.skip("SciPy solves stacks since 1.17")
    for a, b in ((many, right), (A, right), (many, B)):
        ag.check_grads(ours.solve, a, b)
        ag.check_grads(ours.solve_triangular, a, b)


@pytest.mark.parametrize("name", ["expm", "logm", "sqrtm", "cosm"])
def test_float32_stays_float32(name):
    leaf = ag.Tensor(A.astype(np.float32), requires_grad=True)
    y = getattr(ours, name)(leaf)
    y.sum().backward()
    assert (y.dtype, leaf.grad.dtype) == (np.float32, np.float32)


def test_expm_to_order_three():
    ag.check_grads(ours.expm, SMALL, order=3)


def test_what_has_no_gradient_says_so():
    leaf = ag.Tensor(TALL, requires_grad=True)
    with pytest.raises(MissingRule, match=r"qr\(mode='full'\) has no gradient rule\. Use mode='economic'"):
        ours.qr(leaf)
    with pytest.raises(MissingRule, match=r"lu_factor of shape \(4, 2\) has no gradient rule\. Use lu"):
        ours.lu_factor(leaf)
    with pytest.raises(MissingRule, match=r"scipy\.linalg\.hessenberg has no gradient rule"):
        ours.hessenberg(ag.Tensor(A, requires_grad=True))
    with pytest.raises(ArgumentError, match=r"logm: the result is complex"):
        ours.logm(ag.Tensor(-np.eye(2), requires_grad=True))
    with pytest.raises(ArgumentError, match=r"assume_a='banded' has no gradient; use one of general"):
        ours.solve(A, V, assume_a="banded")
    assert ours.qr(TALL)[0].shape == (4, 4)
