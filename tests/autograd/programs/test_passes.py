"""Each pass may be left out: what is computed stays the same."""

import numpy as np
import pytest

import autograd as ag
import nn
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


NONE, *EACH, ALL = (), *[(each.__name__,) for each in PASSES], tuple(each.__name__ for each in PASSES)


def pairs():
    """List each function with all passes, with none, and without each one: a third of these here, the rest in CI."""
    for i, name in enumerate(FUNCTIONS):
        yield from ((name, NONE), (name, ALL))
        for j, off in enumerate(EACH):
            yield pytest.param(name, off, marks=pytest.mark.whole if (i + j) % 3 else ())


@pytest.mark.parametrize(("name", "off"), list(pairs()))
def test_function(name, off):
    function, inputs = FUNCTIONS[name]
    compiled = ag.compile(function, off=off)
    for args in (*inputs, inputs[0]):
        assert_same(leaves(compiled(*args)), leaves(function(*args)))


def test_gradients_of_a_weight_that_is_used_twice_are_added_where_they_lie():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.LeakyReLU(0.2), nn.Linear(4, 2, rng=1))
    x, y = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)

    def loss(x, y):
        return (model(x) ** 2).sum() + (model(y) * 3.0).sum() + model(x + y).sum()

    compiled = ag.compile(loss)
    assert "[...]" not in compiled.program(x, y).source
    found = []
    for f in (loss, compiled):
        model.zero_grad()
        f(x, y).backward()
        found.append([p.grad.numpy() for p in model.parameters()])
    for plain, fast in zip(*found, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-6)


MAXIMA = {
    "of all": lambda x: np.exp(x - np.max(x)).sum(),
    "of rows": lambda x: (x * np.max(x, axis=1, keepdims=True)).sum(),
    "of rows, without their axis": lambda x: np.max(x, axis=1).sum() * x.min(),
    "of two axes": lambda x: (x * x.max(axis=(0, 1), keepdims=True)).sum(),
}


@pytest.mark.parametrize("name", MAXIMA)
def test_where_the_largest_elements_stand_is_seen_by_comparing(name):
    f = MAXIMA[name]
    compiled, nan = ag.compile(ag.grad(f)), np.array([[1.0, np.nan], [2.0, 0.0]])
    assert ("max_and_ties" in compiled.program(np.eye(2)).source) is ("without" in name)
    for x in (np.eye(2), np.array([[1.0, 2.0], [2.0, -1.0]]), np.full((2, 2), -np.inf), nan):
        with np.errstate(invalid="ignore"):
            assert compiled(x).tobytes() == ag.grad(f)(x).tobytes()
