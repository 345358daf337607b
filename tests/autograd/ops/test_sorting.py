"""Sorting: permutations, equal values, complex numbers."""

import numpy as np

import autograd as ag

RNG = np.random.default_rng(11)
SHAPE = (3, 4, 5)
X = RNG.uniform(-2, 2, SHAPE)


def whole(shape):
    """Draw whole numbers, whose sums are exact."""
    return RNG.integers(-9, 9, shape).astype(float)


def test_sort_of_equal_values_is_stable_on_request():
    x = np.array([1.0, 0.0, 1.0, 0.0])
    pullback = ag.vjp(lambda x: np.sort(x, stable=True), x)[1]
    np.testing.assert_array_equal(pullback(np.arange(4.0)), [2, 0, 3, 1])


def test_sort_is_a_permutation():
    x, g = X, whole(SHAPE)
    for axis in (0, 1, -1, None):
        y, pullback = ag.vjp(lambda x, axis=axis: np.sort(x, axis=axis), x)
        np.testing.assert_array_equal(y, np.sort(x, axis=axis))
        assert sorted(pullback(g.reshape(y.shape)).ravel()) == sorted(g.ravel())


def test_partition_puts_the_kth_in_its_place():
    y = np.partition(ag.Tensor(X), 2, axis=1)
    np.testing.assert_array_equal(y.data[:, 2], np.sort(X, axis=1)[:, 2])


def test_sort_of_complex_numbers():
    z = np.array([3 + 1j, 1 - 1j, 0.5 - 2j])
    for function in (np.sort, np.sort_complex):
        y = function(ag.Tensor(z, requires_grad=True))
        np.testing.assert_array_equal(y.data, function(z))
        ag.check_grads(function, z)
