"""The template: every kind of op applies and goes back rightly, and its text reads well and is what runs."""

import ast
import linecache

import numpy as np
import pytest

import autograd as ag
from autograd.compiler import source
from tests.autograd.tools import leaf


def joined(g, parts):
    """Split a cotangent as the parts were joined."""
    return tuple(np.split(g, np.cumsum([part.shape[0] for part in parts])[:-1]))


def positive(x):
    return np.where(x > 0, x, 0.0), x > 0


# name: (declaration, first line of its code, inputs, value, gradients of Σ y)
A, B = np.array([0.5, 2.0, 4.0]), np.array([2.0, 1.0, -1.0])
ONE = np.ones(3)
product = dict(a=lambda g, b: g * b, b=lambda g, a: g * a)
TEMPLATES = {
    "elementwise, one input": (
        dict(forward=lambda x: x**2, vjp=lambda g, x: 2 * g * x, elementwise=True),
        "def apply(x):",
        [A],
        A**2,
        [2 * A],
    ),
    "elementwise, two inputs": (
        dict(forward=np.multiply.__call__, inputs=["a", "b"], vjp=product, elementwise=True),
        "def apply(a, b):",
        [A, B],
        A * B,
        [B, A],
    ),
    "elementwise, broadcast": (
        dict(forward=np.multiply.__call__, inputs=["a", "b"], vjp=product, elementwise=True),
        "def apply(a, b):",
        [A, np.array([[1.0], [2.0]])],
        A * np.array([[1.0], [2.0]]),
        [3 * ONE, np.full((2, 1), 6.5)],
    ),
    "elementwise, that selects": (
        dict(forward=lambda x: np.maximum(x, 0), vjp=lambda g: g, selects=lambda y: y > 0, elementwise=True),
        "def apply(x):",
        [B],
        np.maximum(B, 0),
        [np.array([1.0, 1.0, 0.0])],
    ),
    "keywords": (
        dict(forward=lambda x, k=3.0: x * k, vjp=lambda g, k: g * k),
        "def apply(x, k=_default_k):",
        [A],
        3 * A,
        [3 * ONE],
    ),
    "rules by input": (dict(forward=lambda a, b: a * b, vjp=product), "def apply(a, b):", [A, B], A * B, [B, A]),
    "one rule for all": (
        dict(forward=lambda a, b: a * b, vjp=lambda g, a, b: (g * b, g * a)),
        "def apply(a, b):",
        [A, B],
        A * B,
        [B, A],
    ),
    "any number of inputs": (
        dict(forward=lambda *parts: np.concatenate(parts), vjp=joined),
        "def apply(*parts):",
        [A, B, A[:1]],
        np.concatenate([A, B, A[:1]]),
        [ONE, ONE, ONE[:1]],
    ),
    "several outputs": (
        dict(forward=lambda x: (x * 2, x.sum()), vjp=lambda g, shapes: 2 * g[0] + g[1] * np.ones(shapes[0])),
        "def apply(x):",
        [A],
        (2 * A, A.sum()),
        [3 * ONE],
    ),
    "a cache": (
        dict(forward=positive, cache=["mask"], vjp=lambda g, mask: g * mask),
        "def apply(x):",
        [B],
        np.maximum(B, 0),
        [np.array([1.0, 1.0, 0.0])],
    ),
    "a view": (dict(forward=lambda x: x[::-1], vjp=lambda g: g[::-1]), "def apply(x):", [A], A[::-1], [ONE]),
    "a number of an array": (
        dict(forward=lambda x: (x * x).sum(), vjp=lambda g, x: 2 * g * x),
        "def apply(x):",
        [A],
        (A * A).sum(),
        [2 * A],
    ),
    "numbers": (
        dict(forward=np.multiply.__call__, inputs=["a", "b"], vjp=product, elementwise=True),
        "def apply(a, b):",
        [np.float64(2.0), np.float64(5.0)],
        10.0,
        [5.0, 2.0],
    ),
    "a definition only": (
        dict(forward=lambda x: x**2, definition=lambda x: x * x),
        "def apply(x):",
        [A],
        A**2,
        [2 * A],
    ),
}
table = pytest.mark.parametrize("name", TEMPLATES)


def parts_of(y):
    return y if isinstance(y, tuple) else (y,)


@table
def test_template(name):
    """Value and gradient are right, from arrays come arrays, and the second derivative is that of the rule."""
    declared, _, inputs, value, gradients = TEMPLATES[name]
    f = ag.op(**declared, name="written")
    for given in (inputs, [leaf(x) for x in inputs], [ag.Tensor(x) for x in inputs]):
        y = parts_of(f(*given))
        for part, right in zip(y, parts_of(value), strict=True):
            assert isinstance(part, ag.Tensor) == isinstance(given[0], ag.Tensor)
            np.testing.assert_array_equal(part.data if isinstance(part, ag.Tensor) else part, right)
    leaves = [leaf(x) for x in inputs]
    sum(part.sum() for part in parts_of(f(*leaves))).backward()
    for x, right in zip(leaves, gradients, strict=True):
        np.testing.assert_array_equal(x.grad.data, right)
    ag.check_grads(f, *inputs, order=2)


@table
def test_each_input_alone(name):
    """Where the others are constants, arrays or Tensors."""
    declared, _, inputs, _, gradients = TEMPLATES[name]
    f = ag.op(**declared, name="written")
    for i, right in enumerate(gradients):
        for constant in (np.asarray, ag.Tensor):
            given = [leaf(x) if i == k else constant(x) for k, x in enumerate(inputs)]
            sum(part.sum() for part in parts_of(f(*given))).backward()
            np.testing.assert_array_equal(given[i].grad.data, right)
            assert all(x.grad is None for k, x in enumerate(given) if k != i and isinstance(x, ag.Tensor))


@table
def test_source_is_python_that_reads_well(name):
    declared, first, *_ = TEMPLATES[name]
    op = ag.op(**declared, name="written").op
    text = source(op)
    functions = [each.name for each in ast.parse(text).body]
    assert functions == (["apply", "vjp"] if "vjp" in declared else ["apply"])
    assert text.splitlines()[0] == first
    assert max(map(len, text.splitlines())) <= 140


@table
def test_source_is_what_runs(name):
    """The lines that tracebacks and debuggers show are those of source()."""
    declared, _, inputs, _, _ = TEMPLATES[name]
    f = ag.op(**declared, name="written")
    f(*inputs)
    for function in (f, f.op.vjp) if "vjp" in declared else (f,):
        shown = "".join(linecache.getlines(function.__code__.co_filename))
        assert shown
        assert shown.strip() in source(f.op)
