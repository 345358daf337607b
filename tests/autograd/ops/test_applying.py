"""Functions that apply functions, and polynomials: NumPy for values, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, MissingRule, ShapeError

X = np.random.default_rng(4).uniform(-2, 2, (2, 3, 4))


CALLS = {
    "numbers": lambda x: np.apply_along_axis(np.sum, 1, x),
    "vectors": lambda x: np.apply_along_axis(lambda row: row[::-1] * row.max(), 0, x),
    "matrices": lambda x: np.apply_along_axis(np.diag, -1, x),
    "arguments": lambda x: np.apply_along_axis(lambda row, k, power=1: row[:k] ** power, 2, x, 2, power=3),
    "over axes": lambda x: np.apply_over_axes(np.sum, x, [0, -1]),
    "over one axis": lambda x: np.apply_over_axes(np.mean, x, 1),
    "pieces": lambda x: np.piecewise(x, [x < -1, x > 1], [lambda z: z**2, np.sin, 0.5]),
    "pieces that overlap": lambda x: np.piecewise(x, [x > -1, x > 1], [lambda z: z**2, np.sin]),
    "one piece": lambda x: np.piecewise(x[0, 0], x[0, 0] > 0, [lambda z: z**2]),
    "pieces of a number": lambda x: np.piecewise(x[0, 0, 0], [x[0, 0, 0] < 9, x[0, 0, 0] > 9], [np.exp, np.log]),
    "no element": lambda x: np.piecewise(x, [x > 9], [np.linalg.inv, np.cos]),
    "polynomial": lambda x: np.polyval([3, 0, 1], x),
    "coefficients": lambda x: np.polyval(x[0, 0], np.arange(3.0)),
    "powers": lambda x: np.vander(x[0, 0], 3),
    "all powers": lambda x: np.vander(x[0, 0], increasing=True),
}


@pytest.mark.parametrize("name", CALLS)
def test_like_numpy(name):
    f = CALLS[name]
    y = f(Tensor(X, requires_grad=True))
    assert isinstance(y, Tensor)
    np.testing.assert_allclose(y.data, f(X), rtol=1e-14)
    ag.check_grads(f, X)


FITS = {
    "line": {"deg": 1},
    "columns": {"deg": 2, "y": X[0].T},
    "weights": {"deg": 1, "w": np.array([1.0, 2.0, 0.5, 1.0])},
    "covariances": {"deg": 1, "cov": True},
    "covariances of columns": {"deg": 1, "cov": True, "y": X[0].T},
    "unscaled": {"deg": 1, "cov": "unscaled", "w": [1, 2, 3, 4]},
    "unscaled columns": {"deg": 1, "cov": "unscaled", "y": X[0].T},
}


@pytest.mark.parametrize("name", FITS)
def test_polyfit_is_that_of_numpy(name):
    def fit(x, y):
        return np.polyfit(x, y, **{k: v for k, v in FITS[name].items() if k != "y"})

    x, y = X[1, 1], FITS[name].get("y", X[0, 0])
    found, expected = fit(Tensor(x), Tensor(y)), fit(x, y)
    for a, b in zip(*[z if isinstance(z, tuple) else (z,) for z in (found, expected)], strict=True):
        np.testing.assert_allclose(a.data, b, rtol=1e-10)
    ag.check_grads(fit, x, y)


def test_polyfit_in_full_and_at_too_few_points():
    found, expected = np.polyfit(Tensor(X[1, 1]), X[0, 0], 1, full=True), np.polyfit(X[1, 1], X[0, 0], 1, full=True)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.data if isinstance(a, Tensor) else a, b)
    with pytest.warns(np.exceptions.RankWarning, match="poorly conditioned"):
        np.polyfit(Tensor([1.0, 1.0]), [2.0, 3.0], 1)


def test_pieces_of_numbers_only():
    y = np.piecewise(Tensor(X, requires_grad=True), [X > 0], [1.0, 2.0])
    np.testing.assert_array_equal(y.data, np.where(X > 0, 1, 2))
    assert not y.requires_grad


def test_power_zero_of_zero_has_gradient_zero():
    assert ag.grad(lambda x: np.vander(x).sum())(np.array([0.0, 1.0])).tolist() == [1, 1]


ERRORS = {
    "polynomial": (
        lambda x: np.polyval(x[0, 0], np.poly1d([1, 2])),
        MissingRule,
        r"np\.polyval of a polynomial at a polynomial has no gradient rule\. Pass x as an array",
    ),
    "no vectors": (
        lambda x: np.apply_along_axis(np.sum, 0, x[:, :0]),
        ArgumentError,
        r"apply_along_axis: there is no vector along axis 0 in shape \(0, 4, 2\)",
    ),
    "fewer axes": (lambda x: np.apply_over_axes(lambda a, i: a[0, 0], x, 0), ShapeError, r"made shape .* of shape"),
    "pieces": (
        lambda x: np.piecewise(x, [x > 0], [1, 2, 3]),
        ArgumentError,
        "piecewise: 3 functions for 1 conditions; give as many, or one more",
    ),
    "fit": (
        lambda x: np.polyfit(x[0], x[0], 1),
        ShapeError,
        r"polyfit: takes x \(M,\), .* got shapes \(3, 4\) and \(3, 4\) and deg=1",
    ),
    "few points": (
        lambda x: np.polyfit(x[0, 0, :2], x[0, 0, :2], 1, cov=True),
        ArgumentError,
        "polyfit: covariances of 2 coefficients need more than 2 points",
    ),
    "powers": (lambda x: np.vander(x), ShapeError, r"vander: takes a vector, got shape \(2, 3, 4\)"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_messages(name):
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call(Tensor(X, requires_grad=True))
