"""Batching rules: each against a loop, by the op itself; what has no rule gives None and is looped."""

import numpy as np
import pytest

import autograd as ag
from autograd import lanes
from autograd.lanes import Call, Own, batch, loop
from autograd.ops import indexing, products, reductions, shapes

X, W = np.arange(12.0).reshape(4, 3) + 1, np.array([1.0, -1.0, 2.0])


def _put(y, index, value):
    y[index] = value
    return y


INDICES = {
    "a slice": lambda x, i: x[1:],
    "a list": lambda x, i: x[[0, 2, 0]],
    "apart": lambda x, i: np.stack([x, 2 * x, 3 * x])[[0, 1], :, None][:, [0, 2]],
    "lists apart": lambda x, i: np.multiply.outer(x, np.multiply.outer(W, x))[[0, 1], :, [1, 2]],
    "its own place": lambda x, i: x[i],
    "its own row": lambda x, i: np.multiply.outer(x, W)[i],
    "its own column": lambda x, i: np.multiply.outer(W, x)[:, i],
    "its own column of three axes": lambda x, i: np.multiply.outer(W, np.multiply.outer(W, x))[:, 1:, i],
    "two of its own": lambda x, i: np.multiply.outer(W, x)[i, i],
    "its own list": lambda x, i: x[np.stack([i, i - 1])],
    "its own lists": lambda x, i: np.multiply.outer(W, x)[np.stack([i, i]), np.stack([0 * i, i])],
    "its own and a list": lambda x, i: np.multiply.outer(W, x)[i, [0, 1]],
    "a table for all": lambda x, i: np.multiply.outer(W, W)[i] * x if isinstance(i, int) else _table(i) * x,
    "written": lambda x, i: _put(x * 1.0, (slice(0, 2),), 5.0),
    "written to its own place": lambda x, i: _put(x * 1.0, i, 7.0),
    "written with its own": lambda x, i: _put(x * 1.0, i, x[0] * 2),
    "written to its own column": lambda x, i: _put(np.multiply.outer(W, x), (slice(None), i), W),
    "take": lambda x, i: np.take(x, i),
    "take_along_axis": lambda x, i: np.take_along_axis(x, np.argsort(-x), 0),
    "a matrix's diagonal": lambda x, i: np.diagonal(np.multiply.outer(x, x)),
}


def _table(i):
    return ag.Tensor(np.multiply.outer(W, W))[i]


@pytest.mark.parametrize("name", INDICES)
def test_indices(name):
    """At the same places for all, and at others for each example; also differentiated."""
    f, places = INDICES[name], np.array([0, 2, 1, 2])
    args = [(ag.Tensor(x), int(i)) for x, i in zip(X, places, strict=True)]
    right = np.stack([np.asarray(f(*each)) for each in args])
    np.testing.assert_allclose(ag.vmap(f)(X, places), right)

    def loss(x, i):
        return (f(x, i) ** 2).sum()

    gradients = [ag.grad(loss)(x, int(i)) for x, i in zip(X, places, strict=True)]
    np.testing.assert_allclose(ag.vmap(ag.grad(loss))(X, places), gradients)
    np.testing.assert_allclose(ag.grad(lambda x: ag.vmap(loss)(x, places).sum())(X), gradients)


RULES = {  # an op, its inputs (with lanes or not), keywords
    "sum of all": (reductions._sum, [(X, True)], {"axis": None, "dtype": None, "keepdims": False}),
    "sum of an axis": (reductions._sum, [(np.stack([X, -X]), True)], {"axis": -1, "dtype": None, "keepdims": True}),
    "transpose": (shapes._transpose, [(np.stack([X, -X]), True)], {"axes": None}),
    "reshape": (shapes._reshape, [(np.stack([X, -X]), True)], {"shape": (6, 2), "order": "C"}),
    "vector times matrix": (products.matmul, [(X, True), (np.outer(W, W), False)], {}),
    "matrix times vectors": (products.matmul, [(X, False), (np.stack([W, -W]), True)], {}),
    "vectors": (products.matmul, [(X, True), (2 * X, True)], {}),
    "stacks": (products.matmul, [(np.stack([[X, X], [X, -X]]), True), (np.stack([X.T, -X.T]), True)], {}),
    "read": (indexing.gather, [(X, True)], {"index": (np.array([2, 0]),), "unique": False}),
    "read elsewhere": (indexing.gather, [(X, True)], {"index": (Own(np.array([2, 0, 1, 1])),), "unique": False}),
    "add into zeros": (
        indexing.scatter,
        [(X, True)],
        {"shape": (5,), "index": (np.array([2, 0, 2]),), "unique": False},
    ),
    "elementwise": (np.add, [(X, True), (W, False)], {}),
}


@pytest.mark.parametrize("name", RULES)
def test_rules(name):
    row, pairs, kwargs = RULES[name]
    op = (ag.primitive.dispatch[row] if isinstance(row, np.ufunc) else row).op
    size = next(len(x) for x, own in pairs if own)

    def lane(i):
        given = {key: _own(value, i) for key, value in kwargs.items()}
        y = op.forward(*[x[i] if own else x for x, own in pairs], **given)
        return y[0] if op.cache else y

    right = loop(lane, size, [((), float)])
    examples = [np.shape(x)[1:] if own else np.shape(x) for x, own in pairs]
    call = Call(op.forward, [x for x, _ in pairs], [own for _, own in pairs], examples, [right.shape[1:]], size)
    np.testing.assert_allclose(batch(op, call, kwargs), right)


def _own(value, i):
    if isinstance(value, tuple):
        return tuple(_own(part, i) for part in value)
    return value.array[i] if isinstance(value, Own) else value


def test_no_rule_is_no_answer():
    plain = ag.op(lambda x: x[::-1] * 1, name="turned_around", vjp=lambda g: g[::-1]).op
    assert batch(plain, Call(plain.forward, [X], [True], [(3,)], [(3,)], 4), {}) is None
    flat = ag.op(  # over a flattened array it has none
        lambda x, axis=None: np.cumsum(x, axis), name="run", vjp=lambda g: g, batch=lanes.along_axis
    ).op
    call = Call(flat.forward, [np.stack([X, X])], [True], [(4, 3)], [(12,)], 2)
    assert batch(flat, call, {"axis": None}) is None


def test_a_result_of_another_shape_is_no_answer():
    """An op that calls itself elementwise and is not is looped."""
    odd = ag.op(lambda x: np.ravel(x), name="flattened", vjp=lambda g: g, elementwise=True).op
    assert batch(odd, Call(odd.forward, [X], [True], [(3,)], [(3,)], 4), {}) is None


def test_loop_of_nothing():
    assert loop(None, 0, [((2,), np.float32)]).shape == (0, 2)
    assert [y.shape for y in loop(None, 0, [((2,), float), ((), float)])] == [(0, 2), (0,)]
