"""Writing into Tensors: leaves, constants, results and views, each by every spelling of a write."""

import numpy as np
import pytest

from autograd.errors import InPlaceError
from tests.autograd.tools import leaf


def test_result_can_not_be_overwritten():
    y = leaf(np.ones(3)) * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5
    with pytest.raises(InPlaceError, match="data of the result of 'multiply' cannot be replaced"):
        y.data = np.zeros(3)


def test_in_place_on_a_result_changes_it_and_keeps_the_graph():
    x = leaf([1.0, 2.0])
    y = x * 2
    old = y
    y *= x
    assert old is y
    y += 1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, 4 * x.data)
