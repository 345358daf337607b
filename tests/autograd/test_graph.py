"""The graph: what nodes say of themselves, who depends on whom, and that a dropped root frees it."""

import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from autograd.graph import ancestors, leading_to
from tests.autograd.tools import leaf, no_collector


def test_nodes_say_what_they_are():
    x = leaf([1.0, 2.0], name="x")
    assert repr((x * 2)._node) == "<Node multiply (2,)>"
    assert repr(x._node) == "<Leaf x (2,)>"
    assert repr(x[:1]._node) == "<View getitem (1,)>"


def test_ancestors_and_leading_to():
    x, y = leaf(1.0), leaf(2.0)
    a, b = x * 2, y * 3
    c = a * b
    assert {*ancestors(c._node)} >= {t._node for t in (x, y, a, b, c)}
    assert leading_to(c._node, {x._node}) == {t._node for t in (x, a, c)}


def test_deep_chain_of_views():
    """Each is asked for the owner of its memory: in all as many steps as there are views, not their square."""
    x = y = leaf([1.0, 2.0])
    for _ in range(30_000):
        y = y[...]
    z = (y * y).sum()
    z.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad.data, [2, 4])
    with ag.no_grad():
        x += 1
    with pytest.raises(InPlaceError):
        z.backward()


def graph_of(x):
    return ((x * 2).exp() + x[1:3].sum() + np.stack([x, x]).mean() + ag.softmax(x)).sum()


@pytest.mark.parametrize("then", [lambda y: None, lambda y: y.backward(), lambda y: y.backward(retain_graph=True)])
def test_no_reference_cycle(then):
    """Dropping the loss frees the graph at once, without the collector."""
    x = leaf(np.arange(5.0))
    with no_collector():
        y = graph_of(x)
        then(y)
        watched = [weakref.ref(node) for node in ancestors(y._node) if node is not x._node]
        assert len(watched) > 5
        del y
        assert [ref() for ref in watched if ref() is not None] == []


@pytest.mark.parametrize(
    "transform",
    [
        ag.grad,
        ag.hessian,
        ag.jacobian,
        ag.value_and_grad,
        lambda f: lambda x: ag.hvp(f)(x, np.ones(5)),
        lambda f: lambda x: ag.jvp(f, (x,), (np.ones(5),)),
        lambda f: lambda x: ag.vjp(f, x)[1](1.0),
        lambda f: lambda x: ag.grad(ag.checkpoint(f))(x),
    ],
)
def test_transforms_leave_no_cycle(transform):
    watched = []

    def f(x):
        y = graph_of(x)
        watched.append(weakref.ref(y._node))
        return y

    with no_collector():
        transform(f)(np.arange(5.0))
        assert watched
        assert all(ref() is None for ref in watched)


def test_nothing_is_recorded_without_need():
    y = ag.Tensor([1.0, 2.0]) * 2 + 1
    assert y.is_leaf
    assert not y.requires_grad
    x = leaf(1.0)
    with ag.no_grad():
        assert (x * 2).is_leaf
