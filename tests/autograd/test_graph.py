"""The graph: what nodes say of themselves, who depends on whom, and that a dropped root frees it."""

import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.box import leaf_of
from autograd.errors import InPlaceError
from autograd.graph import Leaf, Node, ancestors, leading_to, note_change, origin, reaches_other_leaf
from tests.autograd.tools import chain, leaf, no_collector


def test_nodes_say_what_they_are():
    x = leaf([1.0, 2.0], name="x")
    assert repr(leaf_of(x * 2)) == "<Node multiply (2,)>"
    assert repr(leaf_of(x)) == "<Leaf x (2,)>"
    assert repr(leaf_of(x[:1])) == "<View getitem (1,)>"


def test_ancestors_and_leading_to():
    x, y = leaf(1.0), leaf(2.0)
    a, b = x * 2, y * 3
    c = a * b
    assert {*ancestors(leaf_of(c))} >= {leaf_of(t) for t in (x, y, a, b, c)}
    assert leading_to(leaf_of(c), {leaf_of(x)}) == {leaf_of(t) for t in (x, a, c)}


def test_deep_chain_of_views():
    """Each is asked for the owner of its memory: in all as many steps as there are views, not their square."""
    x = y = leaf([1.0, 2.0])
    for _ in range(30_000):
        y = y[...]
    z = (y * y).sum()
    z.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad.data, [2, 4])
    node, steps = leaf_of(y), 0
    while node is not leaf_of(x):
        node, steps = node.root, steps + 1
    assert steps < 100
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
        watched = [weakref.ref(node) for node in ancestors(leaf_of(y)) if node is not leaf_of(x)]
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
        watched.append(weakref.ref(leaf_of(y)))
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


def node_of(*parents):
    """Make a node by hand."""
    return Node(None, parents, (), None, (), float, None)


def test_order_of_creation():
    """Parents are older than their users; orders fall, so that a min-heap yields the newest first."""
    x = leaf(1.0)
    orders = [leaf_of(t).order for t in (x, x * 2, x * 3)]
    assert orders == sorted(orders, reverse=True)
    assert len(set(orders)) == 3


def test_ancestors_may_be_cut_short():
    a = node_of()
    b = node_of(a, None)
    c, d = node_of(b), node_of(b, b)
    e = node_of(c, d, a)
    assert sorted(map(id, ancestors(e))) == sorted(map(id, (a, b, c, d, e)))
    assert set(ancestors(d, lambda node: node is not b)) == {d, b}
    assert list(ancestors(a)) == [a]


def test_reaches_other_leaf():
    x, y, c = leaf(1.0), leaf(2.0), ag.Tensor(3.0)
    inner = x * 2
    z = inner * (y * c)
    assert reaches_other_leaf([leaf_of(z)], set())
    assert reaches_other_leaf([leaf_of(z)], {leaf_of(x)})
    assert not reaches_other_leaf([leaf_of(z)], {leaf_of(x), leaf_of(y)})
    assert not reaches_other_leaf([leaf_of(z)], set(), lambda leaf: False)
    assert not reaches_other_leaf([None, leaf_of(inner * 3)], {leaf_of(inner)})  # what is behind an own node is its own
    assert not reaches_other_leaf([], set())


def test_leading_to_takes_no_constants():
    x, c = leaf(1.0), ag.Tensor(2.0)
    frozen = c * 3
    z = x * frozen
    assert leading_to(leaf_of(z), {leaf_of(x)}) == {leaf_of(x), leaf_of(z)}
    assert leading_to(leaf_of(z), set()) == set()
    assert leading_to(leaf_of(x), {leaf_of(x)}) == {leaf_of(x)}


LOOKS = {
    "itself": lambda x: x,
    "a view": lambda x: x[1:],
    "a view of a view": lambda x: x[1:][0][:1],
    "a reshaped part": lambda x: x[1:].reshape(2, 2, 1)[0],
    "a transpose": lambda x: x.T,
    "one part of several": lambda x: np.split(x, 3)[1],
    "forty views": lambda x: chain(lambda y: y[...], x, 40),
}
DETACHED = {"detached": lambda x: x.detach(), "a view of the detached": lambda x: x.detach().detach()[1:]}


@pytest.mark.parametrize("name", LOOKS)
def test_origin_owns_the_memory(name):
    x = leaf(np.ones((3, 2)))
    y = x * 1
    assert origin(leaf_of(LOOKS[name](x))) is leaf_of(x)
    assert origin(leaf_of(LOOKS[name](y))) is leaf_of(y)


@pytest.mark.parametrize("name", DETACHED)
def test_origin_of_the_detached_is_the_leaf(name):
    x = leaf(np.ones((3, 2)))
    assert origin(leaf_of(DETACHED[name](x))) is leaf_of(x)


COPIES = {
    "a product": lambda x: x * 1,
    "a copy": lambda x: x.copy(),
    "picked": lambda x: x[[0, 1]],
    "reshaped by a copy": lambda x: x.T.reshape(-1),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_its_own_origin(name):
    y = COPIES[name](leaf(np.ones((3, 2))))
    assert origin(leaf_of(y)) is leaf_of(y)


def test_a_change_is_newer_than_the_nodes_before_it():
    a, b = Leaf(None, (), float, True), Leaf(None, (), float, True)
    before = node_of(a, b)
    note_change([a, None])
    after = node_of(a, b)
    assert before.order > a.version > after.order  # orders fall
    assert b.version > before.order
