"""The gradient of a graph: what is released, retained and recorded, and that only what is needed runs."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GraphError
from autograd.graph import ancestors
from tests.autograd.tools import MB, chain, leaf, measured


def test_backward_twice():
    x = leaf(np.arange(100.0))
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError, match=r"'(sum|multiply)', whose saved arrays were released .* retain_graph=True"):
        y.backward()
    np.testing.assert_array_equal(x.grad.data, 2 * np.arange(100.0))


def test_backward_twice_on_small_values_is_the_same_error():
    """Small arrays stay on the graph for pictures; the graph counts as released all the same."""
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(GraphError, match="released by an earlier backward"):
        y.backward()


def test_second_root_over_a_released_graph():
    x = leaf(2.0)
    shared = x.exp()
    (shared * 2).backward()
    with pytest.raises(GraphError, match="'exp'"):
        (shared * 3).backward()


def test_retain_graph():
    x = leaf(np.arange(100.0))
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, 4 * np.arange(100.0))


def test_create_graph():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.zero_grad()
    first.backward()
    assert x.grad.item() == pytest.approx(18)
    x.zero_grad()


def test_create_graph_accumulates_differentiably():
    x = leaf(3.0)
    (x**2).backward()
    (x**3).backward(create_graph=True)
    total = x.grad
    assert total.item() == pytest.approx(6 + 27)
    x.grad = None
    total.backward()
    assert x.grad.item() == pytest.approx(18)


def test_create_graph_under_no_grad_still_records():
    x = leaf(3.0)
    y = x**3
    with ag.no_grad():
        y.backward(create_graph=True)
    assert x.grad.requires_grad
    x.zero_grad()


def test_upstream_gradient_may_be_recorded():
    x, u = leaf([1.0, 2.0]), leaf([3.0, 5.0])
    (x * x).backward(u, create_graph=True)
    inner = x.grad
    x.grad = None
    inner.sum().backward()
    np.testing.assert_array_equal(u.grad.data, [2, 4])


def test_deep_chain_of_definitions_and_second_order():
    twice = ag.op(lambda x: x * 1.0001, name="by_definition", definition=lambda x: x * 1.0001)
    gradient = ag.grad(ag.grad(lambda x: chain(twice, x, 3000) ** 2))
    assert gradient(1.0) == pytest.approx(2 * 1.0001**6000)


def test_retain_grad():
    x = leaf(2.0)
    y = x * 3
    z = y * 5
    assert y.grad is None
    y.retain_grad()
    z.backward(retain_graph=True)
    assert y.grad.item() == 5
    z.backward(create_graph=True)
    assert y.grad.item() == 10
    assert z.grad is None
    x.zero_grad()
    x.retain_grad()  # nothing to do on a leaf
    with pytest.raises(GraphError, match="needs no gradient"):
        ag.Tensor(1.0).retain_grad()


def test_retain_grad_of_a_number_in_a_released_graph():
    x = leaf(2.0)
    y = x * 3
    y.retain_grad()
    (y * y).backward()
    assert (y.grad.item(), x.grad.item()) == (12, 36)


def test_retain_grad_while_the_graph_is_released():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    big = leaf(np.ones(100)) * 2
    big.retain_grad()
    ((y * y).sum() + big.sum()).backward()
    np.testing.assert_array_equal(y.grad.data, [6, 12])
    np.testing.assert_array_equal(big.grad.data, np.ones(100))


@pytest.mark.parametrize("make", [lambda x, c: x * c, lambda x, c: c * x, lambda x, c: x + c, lambda x, c: c / x])
def test_a_constant_number_gets_no_gradient(make):
    x, c = leaf(2.0), ag.Tensor(3.0)
    make(x, c).backward()
    assert x.grad is not None
    assert c.grad is None
    assert c._node.cotangent is None


def test_gradients_of_numbers_stay_for_pictures():
    x = leaf(2.0)
    y = x * 3
    (y * y).backward()
    assert y._node.cotangent == 12
    assert x._node.cotangent == 36


def test_backward_frees_saved_arrays():
    x = leaf(np.zeros(10 * MB // 8))

    def run():
        y = chain(np.tanh, x, 10).sum()
        y.backward()
        return y

    used, y = measured(run)
    assert used < 15, f"{used:.1f} MB"  # only x.grad
    assert y._node.released


def test_skeleton_stays_after_backward():
    """Ops, shapes and small values stay while the root lives, so that the graph can still be drawn."""
    x = leaf([1.0, 2.0], name="x")
    big = leaf(np.ones(100))
    y = (np.exp(x) * 2).sum() + (big * big).sum()
    y.backward()
    nodes = list(ancestors(y._node))
    assert {node.op.name for node in nodes if node.op} == {"exp", "multiply", "sum", "add"}
    kept = [part for node in nodes if node.op for part in node.residuals if part is not None]
    assert kept
    assert max(np.size(part) for part in kept) <= 64


def test_only_what_is_needed():
    """No rule runs for an input that needs no gradient."""
    ran = []
    product = ag.op(
        lambda a, b: a * b,
        name="spied",
        vjp=dict(a=lambda g, b: (ran.append("a"), g * b)[1], b=lambda g, a: (ran.append("b"), g * a)[1]),
    )
    product(leaf(2.0), ag.Tensor(3.0)).backward()
    assert ran == ["a"]
    product(4.0, leaf(3.0)).backward()
    assert ran == ["a", "b"]


def test_grad_of_one_argument_runs_no_rule_for_others():
    ran = []
    spied = ag.op(lambda x: x * 1.0, name="spied2", vjp=lambda g: (ran.append(1), g)[1])
    weight = leaf(3.0)
    assert ag.grad(lambda x: x * spied(weight))(2.0).item() == 3
    assert not ran
    assert weight.grad is None
