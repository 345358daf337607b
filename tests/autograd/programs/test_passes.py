"""Each pass may be left out: what is computed stays the same."""

import numpy as np
import pytest

import autograd as ag
from autograd.programs.program import PASSES
from autograd.tree import flatten
from tests.autograd.programs.functions import FUNCTIONS


def leaves(y):
    return [(type(x), np.asarray(x.data if isinstance(x, ag.Tensor) else x)) for x in flatten(y)[0]]


def assert_same(ours, theirs, rtol=1e-10):
    assert len(ours) == len(theirs)
    for (kind, a), (other, b) in zip(ours, theirs, strict=True):
        assert issubclass(kind, ag.Tensor) == issubclass(other, ag.Tensor)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("off", [(), *[(each.__name__,) for each in PASSES], tuple(each.__name__ for each in PASSES)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, off):
    function, inputs = FUNCTIONS[name]
    compiled = ag.compile(function, off=off)
    for args in (*inputs, inputs[0]):
        assert_same(leaves(compiled(*args)), leaves(function(*args)))
