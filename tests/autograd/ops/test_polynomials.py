"""Polynomials and Bessel functions beyond the samples of the registry."""

import numpy as np
import pytest

import autograd as ag
from autograd.ops.special import bessel_i


def test_a_matrix_has_the_characteristic_polynomial_that_numpy_finds():
    a = np.random.default_rng(0).uniform(-1, 1, (6, 6))
    np.testing.assert_allclose(np.poly(ag.Tensor(a)).data, np.poly(a), atol=1e-12)


@pytest.mark.parametrize("p", [[0.0, 0.0, 1.0, 2.0], [0.0, 0.0], [3.0]])
def test_polymul_leaves_zeros_in_front_out(p):
    q = np.array([0.0, 1.0, 1.5])
    np.testing.assert_array_equal(np.polymul(ag.Tensor(p), q).data, np.polymul(p, q))


@pytest.mark.parametrize(("u", "v"), [([1.0, 3.0, 2.0], [1.0, 1.0]), ([2.0], [1.0, 1.0]), ([1.0, 0.0, 0.0], [2.0])])
def test_polydiv(u, v):
    for ours, theirs in zip(np.polydiv(ag.Tensor(u), v), np.polydiv(u, v), strict=True):
        np.testing.assert_allclose(ours.data, theirs, atol=1e-15)
        assert ours.shape == theirs.shape


def test_what_cannot_be_is_refused():
    t = ag.Tensor([1.0, 2.0])
    with pytest.raises(ag.AutogradError, match="polyder: how often must be a whole number >= 0, got -1"):
        np.polyder(t, -1)
    with pytest.raises(ag.AutogradError, match="polyint: 2 constants for 3 integrations"):
        np.polyint(t, 3, [1.0, 2.0])
    with pytest.raises(ag.AutogradError, match=r"poly: takes a vector of zeros or a square matrix, got shape \(2, 1\)"):
        np.poly(t.reshape((2, 1)))
    with pytest.raises(ag.AutogradError, match=r"polyadd: coefficients must form a vector, got shape \(1, 2\)"):
        np.polyadd(t[None], t)
    with pytest.raises(ag.AutogradError, match="trim_zeros: trim must be made of 'f' and 'b', got 'x'"):
        np.trim_zeros(t, "x")


@pytest.mark.parametrize("trim", ["fb", "f", "b", "B"])
@pytest.mark.parametrize("x", [[0.0, 0.0, 1.5, 0.0, 2.0, 0.0], [0.0, 0.0], [1.0]])
def test_trim_zeros(x, trim):
    np.testing.assert_array_equal(np.trim_zeros(ag.Tensor(x, True), trim).data, np.trim_zeros(np.array(x), trim))


def test_bessel_functions_against_their_integral():
    """Iₙ(x) is the mean of exp(x cos θ) cos nθ over a circle, which the trapezoidal rule finds exactly."""
    angle = np.arange(400) * (2 * np.pi / 400)
    for n in range(5):
        for x in (-26.0, -3.0, 0.5, 2.0, 24.9, 25.1, 60.0):
            np.testing.assert_allclose(bessel_i(x, n=n), np.mean(np.exp(x * np.cos(angle)) * np.cos(n * angle)), 1e-11)


def test_i0_at_zero_to_fourth_order():
    f = np.i0
    found = []
    for _ in range(5):
        found.append(float(f(0.0)))
        f = ag.grad(f)
    np.testing.assert_allclose(found, [1, 0, 1 / 2, 0, 3 / 8], rtol=1e-14)


ROOTS = {
    "real": [1.0, -3.0, -6.0, 8.0],
    "complex pair": [1.0, 2.0, 5.0],
    "zeros in front": [0.0, 1.0, 2.0, 5.0],
    "zeros behind": [1.0, 2.0, 5.0, 0.0],
    "complex": [1.0, 2j, 1 - 1j, 0.5],
    "line": [2.0, 3.0],
}


@pytest.mark.parametrize("name", ROOTS)
def test_roots(name):
    p = np.array(ROOTS[name])
    y = np.roots(ag.Tensor(p, requires_grad=True))
    assert y.dtype == np.roots(p).dtype
    np.testing.assert_array_equal(y.data, np.roots(p))
    if p[0]:
        ag.check_grads(np.roots, p)
    else:  # a term of a higher power would bring a root from infinity: differences know nothing of it
        np.testing.assert_allclose(
            ag.grad(lambda p: abs(np.roots(p)).sum())(p)[1:], ag.grad(lambda p: abs(np.roots(p)).sum())(p[1:])
        )


def test_roots_of_no_vector_and_of_integers():
    np.testing.assert_array_equal(np.roots(ag.Tensor([1, -3, 2])).data, [2, 1])
    with pytest.raises(ag.errors.ShapeError, match=r"roots: takes a vector of coefficients, got shape \(2, 2\)"):
        np.roots(ag.Tensor(np.ones((2, 2))))


def test_poly_of_conjugate_zeros_is_real():
    for zeros in ([1j, -1j, 2.0], [1 + 1j, 2.0]):
        y = np.poly(ag.Tensor(zeros))
        assert y.dtype == np.poly(zeros).dtype
        np.testing.assert_allclose(y.data, np.poly(zeros))
