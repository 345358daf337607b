"""The backward pass: the order of visits, complete cotangents, where it starts and ends, what it says."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
from autograd.backward import UnderWay, backward_pass
from autograd.errors import GraphError, ShapeError
from autograd.graph import Leaf, Node
from tests.autograd.tools import leaf, no_collector

X = np.array([0.5, -1.0, 2.0])


def test_diamond():
    """In b = a + a; c = b + b node b is visited once, with its gradient complete."""
    visits = []
    traced = ag.op(lambda x: x * 1.0, name="visited", vjp=lambda g: (visits.append(float(g)), g)[1])
    a = leaf(3.0)
    b = traced(a + a)
    (b + b).backward()
    assert visits == [2.0]
    assert a.grad.item() == 4.0


def test_diamond_with_a_long_and_a_short_arm():
    x = leaf(2.0)
    long = x
    for _ in range(10):
        long = long * 1.5
    (long * x).backward()
    assert x.grad.item() == pytest.approx(2 * 2.0 * 1.5**10)


def test_two_parents_that_get_one_array():
    """An addition hands the same array to both sides; what one side gathers besides must not reach the other."""
    x, w = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    p, q = x * 1.0, w * 1.0
    early = p * 3.0
    late = p + q
    (early + late).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [4, 4])
    np.testing.assert_array_equal(w.grad.data, [1, 1])


def test_fanout():
    x = leaf(2.0)
    total = sum(x * float(k) for k in range(100))
    total.backward()
    assert x.grad.item() == sum(range(100))


def test_same_leaf_as_both_inputs():
    x = leaf([1.0, 2.0])
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 4])


def test_one_leaf_as_root():
    x = leaf(2.0)
    x.backward()
    x.backward()
    assert x.grad.item() == 2.0


def test_several_leaves_and_constants():
    x, y, c = leaf([1.0, 2.0]), leaf(3.0), ag.Tensor([5.0, 7.0])
    ((x * y + c) ** 2).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * (np.array([8.0, 13.0])) * 3)
    assert y.grad.item() == 2 * (8 * 1 + 13 * 2)
    assert c.grad is None


def test_wide_sum():
    leaves = [leaf(float(k)) for k in range(1000)]
    np.stack(leaves).sum().backward()
    assert all(x.grad.item() == 1 for x in leaves)


def test_deep_chain():
    """A million ops: forward, backward and freeing without recursion."""
    x, first = leaf(1.0), ag.Tensor(np.ones(100))
    kept = weakref.ref(first.data)
    y = (x * first).sum() / 100
    del first
    for _ in range(1_000_000):
        y = y * 1.000001
    y.backward(retain_graph=True)
    assert x.grad.item() == pytest.approx(np.e, rel=1e-5)
    with no_collector():
        assert kept() is not None
        del y
        assert kept() is None  # so the chain is gone to its first op


def test_backward_pass_runs_on_plain_floats():
    """Graph and backward pass know no arrays: here are two nodes by hand, x² and y = x² · x² + x."""
    x = Leaf(3.0, (), float, True)
    op = SimpleNamespace(name="by hand")
    square = Node(op, (x,), (6.0,), None, (), float, None)
    y = Node(op, (square, square, x), (9.0, 9.0, 1.0), None, (), float, None)

    def vjp(node, g):
        return [(parent, g * d) for parent, d in zip(node.parents, node.residuals, strict=True)]

    assert backward_pass({y: 1.0}, vjp) == {x: 109.0}
    assert backward_pass({y: 2.0}, vjp, {square}) == {square: 36.0, x: 2.0}
    assert backward_pass({x: 5.0}, vjp) == {x: 5.0}


def test_backward_of_a_vector_needs_a_gradient():
    x = leaf([1.0, 2.0])
    with pytest.raises(GraphError, match=r"needs one element, got shape \(2,\)\. Reduce it .* or pass gradient="):
        (x * 2).backward()
    (x * 2).backward([1.0, 10.0])
    np.testing.assert_array_equal(x.grad.data, [2, 20])
    with pytest.raises(ShapeError, match=r"expected shape \(2,\), got \(3,\)"):
        (x * 2).backward(np.ones(3))


def test_backward_of_one_element_of_any_shape():
    x = leaf([[2.0]])
    (x * x).backward()
    np.testing.assert_array_equal(x.grad.data, [[4.0]])


@pytest.mark.parametrize("make", [lambda: ag.Tensor(1.0), lambda: leaf(1.0).detach(), lambda: np.sign(leaf(1.0))])
def test_backward_without_a_graph(make):
    with pytest.raises(GraphError, match="no input had requires_grad=True"):
        make().backward()


def test_backward_is_all_or_nothing():
    """When a rule fails half-way, no leaf has been touched."""

    def fail(g):
        raise ZeroDivisionError

    broken = ag.op(lambda x: x * 1.0, name="broken", vjp=fail)
    x, y = leaf(1.0), leaf(2.0)
    with pytest.raises(ZeroDivisionError):
        (broken(x) * y).backward()
    assert x.grad is None
    assert y.grad is None


def test_error_inside_a_rule_says_where():
    broken = ag.op(lambda x: x * 2.0, name="broken_rule", vjp=lambda g: next(iter(())))
    with pytest.raises(StopIteration) as caught, ag.scope("block"):
        broken(leaf(X) * 2.0).sum().backward()
    assert caught.value.__notes__ == ["while backward was at 'broken_rule' in block"]


# ----------------------------------------------------------------------- graphs by hand: parents with ∂node/∂parent


def by_hand(edges):
    """Make nodes, oldest first, from {name: {parent: derivative}}: those without parents are leaves."""
    nodes = {}
    for name, parents in edges.items():
        if parents is None:
            nodes[name] = Leaf(None, (), float, True, name)
        else:
            op = SimpleNamespace(name=name, selects=False)
            given = tuple(nodes[parent] for parent in parents)
            nodes[name] = Node(op, given, tuple(parents.values()), None, (), float, None)
            nodes[name].name = name
    return nodes


def run(nodes, seeds, targets=(), stop="", at=None):
    """Run a backward pass; return what it found and the order of its visits, by name; note the cotangents at a stop."""
    visited, state = [], UnderWay()

    def vjp(node, g):
        visited.append(node.name)
        if node.name == stop:
            at.update({each.name: h for each, h in state.at(node, g).items()})
        return [(parent, g * d) for parent, d in zip(node.parents, node.residuals, strict=True)]

    cotangents = {nodes[name]: g for name, g in seeds.items()}
    found = backward_pass(cotangents, vjp, {nodes[name] for name in targets}, state)
    return {node.name: g for node, g in found.items()}, visited


CHAIN = {"x": None, "a": {"x": 2.0}, "b": {"a": 3.0}, "c": {"b": 5.0}}
DIAMOND = {"x": None, "a": {"x": 2.0}, "b": {"a": 3.0}, "c": {"a": 5.0}, "d": {"b": 1.0, "c": 1.0}}
SKIPS = {"x": None, "a": {"x": 1.0}, "b": {"a": 2.0}, "c": {"b": 3.0, "a": 1.0}, "d": {"c": 1.0, "a": 4.0, "x": 1.0}}
TWO = {"x": None, "y": None, "a": {"x": 2.0, "y": 1.0}, "b": {"y": 3.0}}
FAN = {"x": None, **{f"a{k}": {"x": float(k)} for k in range(5)}, "s": {f"a{k}": 1.0 for k in (3, 0, 4, 1, 2)}}

# name: (graph, cotangents, what is found, order of the visits)
GRAPHS = {
    "a chain": (CHAIN, {"c": 1.0}, {"x": 30.0}, "cba"),
    "from the middle": (CHAIN, {"b": 1.0}, {"x": 6.0}, "ba"),
    "from two nodes of one chain": (CHAIN, {"a": 1.0, "c": 1.0}, {"x": 32.0}, "cba"),
    "a diamond": (DIAMOND, {"d": 1.0}, {"x": 16.0}, "dcba"),
    "short ways and long ones": (SKIPS, {"d": 1.0}, {"x": 12.0}, "dcba"),
    "two roots": (TWO, {"a": 1.0, "b": 10.0}, {"x": 2.0, "y": 31.0}, "ba"),
    "two roots, given in the other order": (TWO, {"b": 10.0, "a": 1.0}, {"x": 2.0, "y": 31.0}, "ba"),
    "a leaf": (CHAIN, {"x": 7.0}, {"x": 7.0}, ""),
    "a leaf and a node": (CHAIN, {"x": 7.0, "a": 1.0}, {"x": 9.0}, "a"),
    "nothing": (CHAIN, {}, {}, ""),
    "a fan": (FAN, {"s": 1.0}, {"x": 10.0}, ["s", "a4", "a3", "a2", "a1", "a0"]),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_newest_first_and_each_once(name):
    edges, seeds, found, order = GRAPHS[name]
    assert run(by_hand(edges), seeds) == (found, list(order))


# name: (graph, targets, what is found, order)
TARGETS = {
    "the root": (CHAIN, "c", {"c": 1.0}, ""),
    "in the middle": (CHAIN, "b", {"b": 5.0}, "c"),
    "behind another target": (CHAIN, "ab", {"b": 5.0}, "c"),
    "of a diamond": (DIAMOND, "a", {"a": 8.0}, "dcb"),
    "beside a way to a leaf": (SKIPS, "b", {"b": 3.0, "x": 6.0}, "dca"),
    "not reached": (TWO, "b", {"x": 2.0, "y": 1.0}, "a"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_pass_ends_at_targets(name):
    edges, targets, found, order = TARGETS[name]
    root = "a" if edges is TWO else list(edges)[-1]
    assert run(by_hand(edges), {root: 1.0}, targets=targets) == (found, list(order))


@pytest.mark.parametrize("edges", [CHAIN, DIAMOND, SKIPS, FAN])
def test_taken_up_again(edges):
    """Wherever a pass is, another one that starts from its cotangents comes to the same."""
    nodes, root = by_hand(edges), list(edges)[-1]
    whole, order = run(nodes, {root: 1.0})
    for stop in order:
        at = {}
        assert run(nodes, {root: 1.0}, stop=stop, at=at) == (whole, order)
        assert stop in at
        assert run(nodes, at) == (whole, order[order.index(stop) :])


NOTES = [(None, "while backward was at 'broken'"), ("encoder", "while backward was at 'broken' in encoder")]


@pytest.mark.parametrize(("scope", "note"), NOTES)
@pytest.mark.parametrize("kind", [ValueError, KeyError, GraphError, RecursionError])
@pytest.mark.parametrize("create_graph", [False, True])
def test_an_error_in_a_rule_is_the_same_with_a_note(scope, note, kind, create_graph):
    error = kind("told")

    def fail(g):
        raise error

    f = ag.op(lambda x: x * 1.0, name="broken", vjp=fail)
    with ag.scope(scope) if scope else ag.enable_grad():
        y = f(leaf([1.0, 2.0]) * 2.0)
    with pytest.raises(kind) as caught:
        y.sum().backward(create_graph=create_graph)
    assert caught.value is error
    assert error.__notes__ == [note]
