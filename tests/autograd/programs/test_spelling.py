"""One step is spelled as NumPy's users spell it."""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.programs.test_source import body

assert_same = np.testing.assert_array_equal
gauss = ag.op(lambda x: np.exp(-x * x), name="gauss", vjp=lambda g, x, y: -2 * g * x * y, elementwise=True)


def test_no_name_of_pythons_own_is_hidden():
    compiled = ag.compile(lambda x: np.max(x, axis=0).sum() + x.min() + np.sum(x) + abs(x).mean() + x.round().sum())
    program = compiled.program(ag.Tensor(np.ones((3, 2)), requires_grad=True))
    assert "max_and_ties(x" in program.source
    for name in ("sum", "max", "min", "abs", "round"):
        assert f"    {name} =" not in program.source


@pytest.mark.parametrize(
    ("f", "line"),
    [
        (lambda x: np.linalg.cholesky(x), "np.linalg.cholesky(x)"),
        (lambda x: np.expand_dims(x, 1), "x[:, None, :]"),
        (lambda x: np.tril(x), "np.tril(x)"),
        (lambda x: np.tril(x, -1), "np.tril(x, k=-1)"),
        (lambda x: np.abs(x), "np.abs(x)"),
        (lambda x: np.linalg.vector_norm(x), "np.linalg.vector_norm(x)"),
        (lambda x: np.var(x, axis=0), "np.var(x, axis=0)"),
        (lambda x: np.sum(x, axis=(0,), keepdims=True), "x.sum(axis=0, keepdims=True)"),
        (lambda x: x.mean(axis=1), "x.sum(axis=1) / 2"),
        (lambda x: np.concatenate([x, x], axis=1), "np.concatenate([x, x], axis=1)"),
        (lambda x: np.stack([x, x]), "np.stack([x, x])"),
        (lambda x: x.reshape(4, 1), "x.reshape(4, 1)"),
        (lambda x: x[np.array([0, 1])], "x[c]"),
        (lambda x: np.broadcast_to(x, (3, 2, 2)), "np.broadcast_to(x, (3, 2, 2))"),
        (gauss, "np.exp(-x * x)"),
    ],
)
def test_a_step_is_spelled_as_numpy_has_it(f, line):
    x = np.eye(2) * 2
    compiled = ag.compile(f)
    assert line in body(compiled, x)[0]
    assert_same(compiled(x), f(x))


def test_what_puts_a_part_into_an_array_takes_two_lines():
    def f(x):
        y = x * 2
        y[1:] = x[0]
        return y.sum()

    lines = body(ag.compile(ag.grad(f)), np.ones(3))
    assert any(line.startswith("dx = np.zeros((3,)") for line in lines)
    lines = body(ag.compile(f), np.ones(3))
    assert lines[:2] == ["y = x * c2", "y[1:] = x[0]"]


ROWS = np.array([0, 2])


def difference(y, x):
    y[ROWS] = y[ROWS] - x[0]


def product(y, x):
    y[ROWS] = y[ROWS] * x[1:]


def from_the_left(y, x):
    y[ROWS] = x[1:] - y[ROWS]


def one_more_axis(y, x):
    y[ROWS] = y[ROWS] - np.ones((1, 2))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (difference, "y[ROWS] -= x[0]"),
        (product, "y[ROWS] *= x[1:]"),
        (from_the_left, "y[ROWS] = x[1:] - y[ROWS]"),
        (one_more_axis, "diff = y[ROWS] - ones"),
    ],
)
def test_a_part_is_changed_where_it_lies(change, line):
    def f(x):
        y = x * x
        change(y, x)
        return y

    compiled, x = ag.compile(f), np.array([1.0, 3.0, 5.0])
    assert line in body(compiled, x)
    np.testing.assert_array_equal(compiled(x), f(x))
