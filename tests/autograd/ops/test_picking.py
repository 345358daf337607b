"""Functions that pick elements: broadcasting, masks, what does not fit."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, DTypeError, ShapeError

RNG = np.random.default_rng(11)
SHAPE = (3, 4, 5)
X = RNG.uniform(-2, 2, SHAPE)
MASK = RNG.random(SHAPE) > 0.6


def whole(shape):
    """Draw whole numbers, whose sums are exact."""
    return RNG.integers(-9, 9, shape).astype(float)


def test_choose_and_select_broadcast_like_numpy():
    a, x, y = np.array([[0], [1]]), whole((1, 3)), whole(())
    np.testing.assert_array_equal(np.choose(ag.Tensor(a), [ag.Tensor(x), y]).data, np.choose(a, [x, y]))
    np.testing.assert_array_equal(np.choose(a, ag.Tensor(whole((2, 3)) * 0)).data, np.zeros((2, 3)))
    np.testing.assert_array_equal(np.choose(np.zeros((2, 2), int), [ag.Tensor(1.0)]).data, np.ones((2, 2)))
    conditions = [np.array([[True], [False]]), np.array([True, False, True])]
    np.testing.assert_array_equal(np.select(conditions, [ag.Tensor(x), y], 5).data, np.select(conditions, [x, y], 5))


def test_masked_choice_has_gradient_zero():
    with np.errstate(all="ignore"):
        gradient = ag.grad(lambda x: np.select([x > 0], [np.log(x)]).sum())(np.array([-1.0, 2.0]))
    np.testing.assert_array_equal(gradient, [0, 0.5])


def test_compress_of_a_short_condition():
    np.testing.assert_array_equal(
        np.compress([False, True], ag.Tensor(X), axis=2).data, np.compress([False, True], X, axis=2)
    )


PICK_ERRORS = {
    "take_mode": (
        lambda: np.take(ag.Tensor(X), 0, mode="other"),
        ArgumentError,
        "mode must be 'raise', 'wrap' or 'clip'",
    ),
    "take_out": (lambda: np.take(ag.Tensor(X), 0, out=np.zeros(())), ConversionError, "without out="),
    "take_axis": (lambda: np.take(ag.Tensor(X), 0, 3), np.exceptions.AxisError, "axis 3 is out of bounds"),
    "along": (
        lambda: np.take_along_axis(ag.Tensor(X), np.zeros(3, int), 0),
        ShapeError,
        r"\(3,\) need as many axes as arr",
    ),
    "choose_range": (
        lambda: np.choose([2], [ag.Tensor(1.0), 2.0]),
        ArgumentError,
        "a holds 2 to 2, but there are 2 choices",
    ),
    "choose_type": (
        lambda: np.choose(np.array([0.5]), [ag.Tensor(1.0), 2.0]),
        DTypeError,
        "must hold integers, got float64",
    ),
    "choose_mode": (lambda: np.choose([0], [ag.Tensor(1.0)], mode="no"), ArgumentError, "mode must be 'raise', 'wrap'"),
    "choose_out": (lambda: np.choose([0], [ag.Tensor(1.0)], out=np.zeros(1)), ConversionError, "without out="),
    "select_length": (lambda: np.select([MASK], [ag.Tensor(X)] * 2), ArgumentError, "1 conditions for 2 choices"),
    "select_type": (
        lambda: np.select([X], [ag.Tensor(X)]),
        DTypeError,
        r"condlist\[0\] must hold booleans, got float64",
    ),
    "compress_axes": (lambda: np.compress(MASK, ag.Tensor(X)), ShapeError, r"one axis, got shape \(3, 4, 5\)"),
    "compress_out": (lambda: np.compress([True], ag.Tensor(X), out=np.zeros(1)), ConversionError, "without out="),
}


@pytest.mark.parametrize(("call", "error", "message"), PICK_ERRORS.values(), ids=PICK_ERRORS)
def test_pick_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_bincount_adds_weights_and_gives_them_their_gradient():
    places, weights = np.array([3, 0, 3, 1]), ag.Tensor([1.0, 2.0, 4.0, 8.0], requires_grad=True)
    y = np.bincount(places, weights, minlength=6)
    assert y.data.tolist() == [2, 8, 0, 5, 0, 0]
    places[:] = 0  # the caller's array may change
    (y * np.arange(6)).sum().backward()
    assert weights.grad.data.tolist() == [3, 0, 3, 1]
    assert np.bincount(ag.Tensor([1, 1, 0])).tolist() == [1, 2]


def test_bincount_of_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"bincount: weights of shape \(2,\) for numbers of shape \(3,\); they must"):
        np.bincount([0, 1, 2], ag.Tensor([1.0, 2.0]))
