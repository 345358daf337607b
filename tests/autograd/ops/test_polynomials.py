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
