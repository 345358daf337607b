"""What is read once and at once stands inside the line that reads it, and no bit changes."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.programs.functions import FUNCTIONS
from tests.autograd.programs.test_passes import leaves
from tests.autograd.programs.test_source import body


def twice(x):
    return np.exp(x) * np.exp(x)


def named_by_the_user(x):
    z = x * x
    return np.tanh(z)


LINES = {  # function: the lines of its forward, for three numbers
    "a product in a difference": (lambda x: 1 - x * x, ["y = one - x * x"]),
    "with brackets": (lambda x: x - (x - (x + 1.0)), ["y = x - (x - (x + one))"]),
    "a method": (lambda x: (x * 2.0).sum(), ["value = (x * c2).sum()"]),
    "a call": (lambda x: np.exp(-x), ["y = np.exp(-x)"]),
    "read twice": (twice, ["exp = np.exp(x)", "y = exp * exp"]),
    "named by the user": (named_by_the_user, ["z = x * x", "y = np.tanh(z)"]),
    "a part": (lambda x: x[1:] - x[:-1], ["y = x[1:] - x[:-1]"]),
    "a condition": (lambda x: np.where(x > 0, x, -x), ["y = np.where(x > zero, x, -x)"]),
    "a column": (lambda x: np.expand_dims(x, 1) * x, ["y = x[:, None] * x"]),
}


@pytest.mark.parametrize("name", LINES)
def test_lines(name):
    f, lines = LINES[name]
    x = np.array([0.5, -2.0, 3.0])
    compiled = ag.compile(f)
    assert body(compiled, x)[:-1] == lines
    np.testing.assert_array_equal(compiled(x), f(x))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_bit_depends_on_it(name):
    function, inputs = FUNCTIONS[name]
    with_it, without = ag.compile(function), ag.compile(function, off=["nested"])
    for args in (*inputs, inputs[0]):
        ours, theirs = leaves(with_it(*args)), leaves(without(*args))
        assert [y.tobytes() for _, y in ours] == [y.tobytes() for _, y in theirs]


def test_a_gradient_is_written_as_by_hand():
    w = ag.Tensor(np.ones((2, 3)), requires_grad=True)

    def loss(x):
        h = np.tanh(x @ w)
        return h.sum()

    lines = body(ag.compile(loss), np.ones((4, 2)))
    assert "z = np.dot(x, w)" in lines  # its gradient is called after it
    assert "dz = dloss * (one - h * h)" in lines


def test_large_arrays_go_on_in_the_memory_that_there_is():
    source = ag.compile(lambda x: 1 - np.tanh(x * 2.0)).program(np.ones(2000)).source
    assert source.count("out=") == 2


def test_draws_stay_in_their_order():
    def f(x):
        return nn.functional.dropout(x, 0.5, rng=rng) * 2.0 - nn.functional.dropout(x, 0.25, rng=rng) * 3.0

    x, found = np.ones(16), []
    for made in (f, ag.compile(f), ag.compile(f, off=["nested"])):
        rng = np.random.default_rng(0)
        found.append([np.asarray(made(x)).tobytes() for _ in range(3)])
    assert found[0] == found[1] == found[2]


def test_a_long_expression_has_a_line_of_its_own():
    def f(x):
        return x * 2.0 - (x * 3.0 - (x * 4.0 - (x * 5.0 - (x * 6.0 - (x * 7.0 - (x * 8.0 - x * x))))))

    lines = body(ag.compile(f), np.ones(3))
    assert len(lines) > 2
    assert max(map(len, lines)) <= 84
