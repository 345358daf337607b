"""Trees: nested tuples, lists and dicts are taken apart in order and put together in their form."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

from autograd.tree import flatten


class Pair(NamedTuple):
    first: object
    second: object


TREES = {  # name: tree, its values, the tree of their tenfold
    "a value": (3, [3], 30),
    "a NumPy number is a value": (np.float64(3), [3], np.float64(30)),
    "a tuple": ((1, 2), [1, 2], (10, 20)),
    "a tuple of one": ((1,), [1], (10,)),
    "a list in a dict": ({"b": [1, 2], "a": 3}, [1, 2, 3], {"b": [10, 20], "a": 30}),
    "a named tuple": (Pair(1, [2]), [1, 2], Pair(10, [20])),
    "empty ones": ([(), {}, [], 1], [1], [(), {}, [], 10]),
    "deep": ([[[[[1]]]]], [1], [[[[[10]]]]]),
    "an ordered dict is a dict": (OrderedDict(b=1, a=2), [1, 2], {"b": 10, "a": 20}),
}


@pytest.mark.parametrize("name", TREES)
def test_flatten_and_rebuild(name):
    tree, values, tenfold = TREES[name]
    found, rebuild = flatten(tree)
    assert found == values
    again = rebuild([10 * value for value in found])
    assert type(again) is type(tenfold)
    assert repr(again) == repr(tenfold)  # the order of a dict, too


def test_values_are_not_copied():
    value = np.ones(3)
    found, rebuild = flatten(({"x": value}, None))
    assert found[0] is value
    assert found[1] is None  # a value like any other
    assert rebuild(found)[0]["x"] is value


def test_a_tree_is_rebuilt_as_often_as_one_likes():
    _, rebuild = flatten([1, (2,)])
    assert [rebuild([k, k]) for k in (0, 1)] == [[0, (0,)], [1, (1,)]]
