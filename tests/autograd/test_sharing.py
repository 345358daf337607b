"""Tensors that lie in the same memory: a change of one is a change of the others, or there is none."""

import copy

import numpy as np

from tests.autograd.tools import leaf


def test_deepcopy_of_a_leaf_is_independent():
    x = leaf([1.0, 2.0], name="x")
    y = copy.deepcopy(x)
    (x * y).sum().backward()
    x.data -= 1
    np.testing.assert_array_equal(y.data, [1, 2])
    assert not np.shares_memory(x.grad.data, y.grad.data)
