"""A chain records what its ops would record one by one."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, InPlaceError, RuleError
from autograd.graph import ancestors

SPLIT = ag.op(lambda x: (x, x), vjp=lambda g, x: g[0] + g[1], name="split_in_two")


def leaves(dtype=float):
    rng = np.random.default_rng(0)
    return [ag.Tensor(rng.uniform(0.5, 1.5, shape), True, dtype=dtype) for shape in ((4, 3), (3,), (3,))]


def steps(w, b, c):
    return [
        (np.matmul, (w,), {}, ag.scope("first")),
        (np.add, (b,), {}, None),
        (ag.leaky_relu, (), {"negative_slope": 0.1}, ag.scope("second")),
        (np.multiply, (c,), {}, None),
        (np.tanh, (), {}, None),
    ]


def one_by_one(x, w, b, c):
    with ag.scope("first"):
        x = np.matmul(x, w)
    x = x + b
    with ag.scope("second"):
        x = ag.leaky_relu(x, negative_slope=0.1)
    return np.tanh(x * c)


def trail(y):
    nodes = sorted(ancestors(y._node), key=lambda node: -node.order)
    return [
        (n.op and n.op.name, n.shape, n.dtype, n.scope and n.scope.path, n.kwargs or {}, [v is None for v in n.saved])
        for n in nodes
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("needs", [True, False])
def test_records_the_same_graph(dtype, needs):
    x = ag.Tensor(np.linspace(-1, 1, 80).reshape(20, 4), needs, dtype=dtype)
    results = []
    for tensors, run in ((leaves(dtype), None), (leaves(dtype), one_by_one)):
        y = run(x, *tensors) if run else ag.Chain(steps(*tensors))(x)
        where = trail(y)
        y.sum().backward()
        results.append((where, y.numpy(), x.grad, *[t.grad.numpy() for t in tensors]))
        x.zero_grad()
    (ours, *values), (theirs, *expected) = results
    assert sorted(map(repr, ours)) == sorted(map(repr, theirs))
    for value, other in zip(values, expected, strict=True):
        np.testing.assert_array_equal(value, other)


def test_second_derivatives():
    tensors = leaves()
    chain = ag.Chain(steps(*tensors))
    ag.check_grads(chain, np.linspace(-1, 1, 8).reshape(2, 4))


def test_an_array_given_as_input_may_be_changed_afterwards():
    w, b, c = leaves()
    x = np.ones((20, 4))
    y = ag.Chain(steps(w, b, c))(x)
    x[...] = 7.0
    y.sum().backward()
    expected = one_by_one(ag.Tensor(np.ones((20, 4))), w.detach(), b, c)
    w.requires_grad = True
    np.testing.assert_allclose(y.numpy(), expected.numpy())
    again = ag.grad(lambda w: one_by_one(np.ones((20, 4)), w, b.detach(), c.detach()).sum())(w.numpy())
    np.testing.assert_allclose(w.grad.numpy(), again)


def test_steps_that_need_no_gradient_are_not_recorded():
    w, b, c = leaves()
    for frozen in (w, b):
        frozen.requires_grad = False
    y = ag.Chain(steps(w, b, c))(ag.Tensor(np.ones((2, 4))))
    assert [n.op.name for n in ancestors(y._node) if n.op] == ["tanh", "multiply"]
    c.requires_grad = False
    assert ag.Chain(steps(w, b, c))(np.ones((2, 4))).is_leaf
    with ag.no_grad():
        assert ag.Chain(steps(*leaves()))(np.ones((2, 4))).is_leaf


def test_a_change_in_place_is_noticed():
    w, b, c = leaves()
    y = ag.Chain(steps(w, b, c))(ag.Tensor(np.ones((2, 4))))
    c.data *= 2.0
    with pytest.raises(InPlaceError, match=r"input 'b' of 'multiply', shape \(3,\), was changed in place"):
        y.sum().backward()


@pytest.mark.parametrize(("function", "x"), [(np.tanh, 2.0), (SPLIT, np.ones(3))])
def test_numbers_and_tuples_are_left_to_the_ops_themselves(function, x):
    assert ag.Chain([(ag.relu, (), {}, None), (function, (), {}, None)])(x) is NotImplemented


@pytest.mark.parametrize("function", [np.sort, np.sign, np.concatenate, np.add, len])
def test_refuses_what_cannot_be_a_step(function):
    with pytest.raises(
        ArgumentError, match=rf"Chain: '{function.__name__}' must be an op with one output and 1 inputs"
    ):
        ag.Chain([(function, (), {}, None)])


def test_integers_are_refused_as_by_the_op_itself():
    count = ag.op(lambda x: (x > 0).astype(int), vjp=lambda g: g, name="count_positive")
    with pytest.raises(RuleError, match="op 'count_positive': the forward returned dtype int64"):
        ag.Chain([(ag.relu, (), {}, None), (count, (), {}, None)])(ag.Tensor(np.ones(3), True))
