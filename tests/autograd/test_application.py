"""What a recorded op keeps: copies of what others may change, no more than its rules name."""

import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ConversionError, DTypeError, RuleError
from tests.autograd.tools import MB, chain, leaf, measured

X = np.array([0.5, -1.0, 2.0])

CAPTURES = {
    "multiply": lambda x, a: x * a,
    "reflected": lambda x, a: a * x,
    "divide": lambda x, a: x / a,
    "power": lambda x, a: x**a,
    "matmul": lambda x, a: x @ a,
    "maximum": np.maximum,
    "where": lambda x, a: np.where(a > 1.5, x, x * 2),
    "where condition": lambda x, a: np.where(a, x, 0.0),
    "numpy multiply": lambda x, a: np.multiply(a, x),
    "arctan2": np.arctan2,
    "tensordot": lambda x, a: np.tensordot(x, a, 1),
    "clip": lambda x, a: np.clip(x, a - 10, a),
    "take": lambda x, a: np.take(x, (a * 0).astype(int) + 1),
    "getitem": lambda x, a: x[a > 0],
    "concatenate": lambda x, a: np.concatenate([x, a]) ** 2,
}


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("size", [3, 100])
def test_captured_array_may_change_later(name, size):
    """A NumPy array that an op has seen and that is changed afterwards does not change the gradient."""
    f = CAPTURES[name]
    expected = ag.grad(lambda x: f(x, np.full(size, 2.0)).sum())(np.full(size, 3.0))
    x, captured = leaf(np.full(size, 3.0)), np.full(size, 2.0)
    y = f(x, captured).sum()
    captured[:] = -5
    y.backward()
    np.testing.assert_array_equal(x.grad.data, expected)


def test_captured_list_may_change_later():
    x, shift, weights = leaf(np.arange(6.0).reshape(2, 3)), [1, 2], np.arange(6.0).reshape(2, 3)
    y = (np.roll(x, shift, axis=[0, 1]) * weights).sum()
    shift[:] = 0, 0
    y.backward()
    np.testing.assert_array_equal(x.grad.data, np.roll(weights, (-1, -2), (0, 1)))


def test_captured_keyword_may_change_later():
    """Also where arrays stand in lists and tuples."""
    weigh = ag.op(lambda x, w=(): x * w[0] * w[1][0], name="weigh", vjp=lambda g, w: g * w[0] * w[1][0])
    x, a, b = leaf(np.ones(3)), np.full(3, 2.0), [np.full(3, 3.0)]
    for w in ([a, b], (a, b)):
        y = weigh(x, w=w).sum()
        a[:], b[0][:] = 0, 0
        y.backward()
        np.testing.assert_array_equal(x.grad.data, np.full(3, 6.0))
        x.zero_grad()
        a[:], b[0][:] = 2, 3


def test_captured_file_may_change_later(tmp_path):
    """A memmap is a subclass of ndarray that changes with its file."""
    x, mapped = leaf([1.0, 2.0]), np.memmap(tmp_path / "array", dtype=float, mode="w+", shape=(2,))
    mapped[:] = 2.0
    y = (x * mapped).sum() + x @ mapped
    mapped[:] = 7.0
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [4, 4])


def test_captured_index_may_change_later():
    x = leaf(np.arange(4.0))
    for make in (lambda: np.array([0, 1]), lambda: [0, 1], lambda: np.array([True, True, False, False])):
        index = make()
        y = x[index].sum()
        index[0] = index[1] = 3 if not isinstance(index, np.ndarray) or index.dtype != bool else False
        x.zero_grad()
        y.backward()
        np.testing.assert_array_equal(x.grad.data, [1, 1, 0, 0])


def test_captured_condition_may_change_later():
    x, mask = leaf(np.ones(100)), np.ones(100, bool)
    y = np.where(mask, x, 0.0).sum()
    mask[:] = False
    y.backward()
    np.testing.assert_array_equal(x.grad.data, np.ones(100))


def test_arrays_that_mean_something_else_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(DTypeError, match=r"multiply got a MaskedArray, whose mask would be lost\. Use \.filled\(v\)"):
        leaf([1.0, 2.0]) * masked
    with pytest.raises(ConversionError, match="would turn a Tensor that requires grad into a plain array"):
        masked * leaf([1.0, 2.0])  # NumPy's masked arrays look for an attribute _data, and would take it
    with pytest.raises(DTypeError, match=r"Tensor of a MaskedArray: its mask would be lost"):
        ag.Tensor(masked)
    with pytest.raises(
        DTypeError, match=r"multiply got a matrix, whose \* is another one\. Pass np\.asarray\(…\) of it"
    ):
        leaf(np.eye(2)) * np.eye(2).view(np.matrix)


@pytest.mark.parametrize(
    ("step", "kept"),
    [
        (lambda y: y + 1.0, 1),
        (lambda y: y - 1.0, 1),
        (lambda y: 2.0 * y, 1),
        (lambda y: -y, 1),
        (lambda y: np.exp(y * 0.01), 10),
        (np.tanh, 10),
        (np.sin, 10),
        (lambda y: y / 2.0, 1),
        (ag.relu, 10),
    ],
)
def test_saved_memory(step, kept):
    """Ten chained ops of 10 MB keep what their rules name, no more: an add keeps no array, an exp its output."""
    x = leaf(np.zeros(10 * MB // 8))
    used, y = measured(lambda: chain(step, x, 10))
    assert used < 10 * kept + 11, f"{used:.1f} MB"
    assert y.requires_grad


def test_multiply_keeps_only_what_is_needed():
    """∂(c · x)/∂x needs c alone: the intermediate x is not kept when c needs no gradient."""
    c = ag.Tensor(np.ones(10 * MB // 8))
    x = leaf(np.zeros(10 * MB // 8))
    used, _ = measured(lambda: chain(lambda y: y * c, x, 10))
    assert used < 25, f"{used:.1f} MB"


@pytest.mark.parametrize("f", [np.matmul, np.dot, np.inner, np.outer, np.kron, lambda a, b: np.einsum("i,i->i", a, b)])
def test_products_keep_only_what_is_needed(f):
    """For ∂(a · b)/∂a the values of a are not kept."""
    a, b = leaf(np.ones(100)), ag.Tensor(np.full(100, 2.0))
    watched = weakref.ref(a.data)
    y = f(a, b)
    del a
    assert watched() is None
    y.sum().backward()


@pytest.mark.parametrize(("returns", "what"), [(None, "NoneType"), ("text", "str"), ([1, "a"], "list"), ({}, "dict")])
def test_wrong_forward(returns, what):
    broken = ag.op(lambda x: returns, name="broken_forward", vjp=lambda g: g)
    with pytest.raises(
        RuleError,
        match=rf"op 'broken_forward': the forward returned {what}; it must return an array or a tuple of arrays",
    ):
        broken(leaf(X))


@pytest.mark.parametrize("dtype", [int, bool])
@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("elementwise", [False, True])
def test_forward_that_gives_no_floats(dtype, shape, elementwise):
    """Gradients of integers would be cut to integers."""
    rules = {"a": lambda g: g, "b": lambda g: g}
    cast = ag.op(lambda x: x.astype(dtype), name="cast", vjp=lambda g: g, elementwise=elementwise)
    both = ag.op(lambda a, b: (a + b).astype(dtype), name="cast", vjp=rules, elementwise=elementwise)
    x = leaf(np.ones(shape))
    for f in (cast, lambda x: both(x, x)):
        with pytest.raises(RuleError, match=r"op 'cast': the forward returned (dtype )?(int64|bool)[,;]"):
            f(x)
    assert cast(ag.Tensor(np.ones(shape))).dtype == dtype


def test_integers_among_several_outputs_are_constants():
    top = ag.op(
        lambda x: (x.max(), x.argmax()),
        name="top",
        vjp=lambda g, x, y: g[0] * (np.arange(x.size) == y[1]),
    )
    x = leaf(X)
    value, place = top(x)
    assert (value.requires_grad, place.requires_grad, place.item()) == (True, False, 2)
    (value + place * 0.5).backward()
    np.testing.assert_array_equal(x.grad.data, [0, 0, 1])
    ag.check_grads(lambda x: top(x)[0], X)


def test_forward_that_gives_its_input_back():
    """The result is read-only, the leaf that it came from stays writable, and each has its own place in the graph."""
    same = ag.op(lambda x: x, name="same", vjp=lambda g: g * 3)
    for start in (X, 2.0):
        x = leaf(start)
        y = same(x)
        assert not y.data.flags.writeable
        x.data += 1
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.data, np.full(x.shape, 3.0))
    assert same(X) is not None
