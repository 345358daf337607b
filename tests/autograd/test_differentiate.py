"""The gradient of a graph: what is released, retained and recorded, and that only what is needed runs."""

import numpy as np
import pytest

import autograd as ag
from autograd.box import leaf_of
from autograd.differentiate import has_nan
from autograd.errors import GraphError
from autograd.graph import ancestors
from tests.autograd.laws.oracle import plain
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
    y = make(x, c)
    y.backward()
    assert x.grad is not None
    assert c.grad is None
    assert [item.grad for item in ag.draw(y, max_nodes=500).view.items if item.value == 3.0] == [None]


def test_gradients_of_numbers_stay_for_pictures():
    x = leaf(2.0)
    y = x * 3
    z = y * y
    z.backward()
    assert {item.value: item.grad for item in ag.draw(z, max_nodes=500).view.items} == {2: 36, 3: None, 6: 12, 36: 1}


def test_backward_frees_saved_arrays():
    x = leaf(np.zeros(10 * MB // 8))

    def run():
        y = chain(np.tanh, x, 10).sum()
        y.backward()
        return y

    used, y = measured(run)
    assert used < 15, f"{used:.1f} MB"  # only x.grad
    with pytest.raises(GraphError, match="released"):
        y.backward()


def test_skeleton_stays_after_backward():
    """Ops, shapes and small values stay while the root lives, so that the graph can still be drawn."""
    x = leaf([1.0, 2.0], name="x")
    big = leaf(np.ones(100))
    y = (np.exp(x) * 2).sum() + (big * big).sum()
    y.backward()
    nodes = list(ancestors(leaf_of(y)))
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


# ------------------------------------------------------------------------------------------- how often a rule is asked


quiet = np.errstate(all="ignore")


def counting(name, log):
    return ag.op(lambda x: x * 1.0, vjp=lambda g: (log.append(name), g)[1], elementwise=True, name=name)


KEEP = np.array([False, True])
# name: (program of "front" and "back", which rules run in which order, in first order; and where the pass is recorded)
VISITS = {
    "no mask": (lambda front, back, x: front(back(x)), "front back", "front back"),
    "a nan, no mask": (lambda front, back, x: front(np.sqrt(back(x))), "front back", "front back"),
    "a mask, no nan": (
        lambda front, back, x: front(np.where(KEEP, back(x), 0.0)),
        "front back",
        "front back",
    ),
    "a nan behind a mask": (
        lambda front, back, x: front(np.where(KEEP, np.sqrt(back(x)), 0.0)),
        "front back back",
        "front back",
    ),
    "a mask behind a nan": (
        lambda front, back, x: front(np.sqrt(np.where([True, True], back(x), 0.0))),
        "front back back",
        "front back",
    ),
    "a nan beside a newer mask": (
        lambda front, back, x: front(np.sqrt(back(x))) + np.where(KEEP, x, 0.0),
        "front back front back",
        "front back",
    ),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", VISITS)
@quiet
def test_a_rule_runs_again_only_for_a_nan_behind_a_mask(name, create_graph):
    program, first, recorded = VISITS[name]
    log = []
    y = program(counting("front", log), counting("back", log), leaf([-1.0, 4.0]))
    y.sum().backward(create_graph=create_graph)
    assert sorted(log) == sorted((recorded if create_graph else first).split())


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("retain_graph", [False, True])
@quiet
def test_retained_gradients_are_cut_off_with_the_others(create_graph, retain_graph):
    x = leaf([-1.0, 4.0])
    behind = np.sqrt(x)
    deep = x * 1.0
    masked = np.where(KEEP, behind * np.sqrt(deep), 0.0)
    front = masked * 3.0
    for t in (behind, deep, masked, front):
        t.retain_grad()
    front.sum().backward(create_graph=create_graph, retain_graph=retain_graph)
    for t, right in ((front, [1, 1]), (masked, [3, 3]), (behind, [0, 6]), (deep, [0, 1.5]), (x, [0, 3])):
        np.testing.assert_allclose(t.grad.data, right)
        t.grad = None


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("behind_a_mask", [False, True])
def test_retained_gradients_are_written_all_or_none(create_graph, behind_a_mask):
    def fail(g):
        raise ZeroDivisionError

    x = leaf([1.0, 4.0])
    broken = ag.op(lambda x: x * 1.0, name="broken", vjp=fail)(x)
    cut = np.where(KEEP, broken, 0.0) if behind_a_mask else broken
    front = cut * 3.0
    for t in (cut, front):
        t.retain_grad()
    with pytest.raises(ZeroDivisionError):
        front.sum().backward(create_graph=create_graph)
    assert (front.grad, cut.grad, x.grad) == (None, None, None)


# ---------------------------------------------------------------------------------------------- what a release lets go

LARGE = np.linspace(0.1, 1.0, 100)
# name: (program, may it be walked again)
RELEASED = {
    "elementwise": lambda x: x * x,
    "a view": lambda x: x[10:90] * 2.0,
    "a large index": lambda x: x[np.arange(99)],
    "a condition": lambda x: np.where(LARGE > 0.5, x, 0.0),
    "a definition": lambda x: ag.logsumexp(x),
    "several outputs": lambda x: np.linalg.eigh(x.reshape(10, 10) + x.reshape(10, 10).T)[0],
    "behind a mask and a nan": lambda x: np.where(LARGE > 0.5, np.sqrt(x - 0.5), 0.0),
}


def large_arrays(x):
    """List the arrays of more than 64 elements in nested tuples, lists and dicts."""
    if isinstance(x, np.ndarray):
        return [x] if x.size > 64 else []
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, tuple | list) else ()
    return [array for part in parts for array in large_arrays(part)]


@pytest.mark.parametrize("name", RELEASED)
@quiet
def test_release_lets_go_of_what_is_large(name):
    x = leaf(LARGE)
    y = RELEASED[name](x * 1.0).sum()
    nodes = [node for node in ancestors(leaf_of(y)) if node.op is not None]
    y.backward()
    assert all(node.released for node in nodes)
    assert [node for node in nodes if large_arrays((node.residuals, node.kwargs))] == []
    with pytest.raises(GraphError, match="were released by an earlier backward"):
        y.backward()


@pytest.mark.parametrize("name", RELEASED)
@quiet
def test_retained_graph_keeps_all(name):
    x = leaf(LARGE)
    y = RELEASED[name](x * 1.0).sum()
    y.backward(retain_graph=True)
    first = x.grad.data.copy()
    x.grad = None
    y.backward()
    np.testing.assert_array_equal(x.grad.data, first)


NANS = {
    "none": ([1.0, 2.0], False),
    "nan": ([1.0, np.nan], True),
    "inf": ([1.0, np.inf], False),
    "both infinities": ([-np.inf, np.inf], False),
    "nan and inf": ([np.nan, np.inf], True),
    "squares that overflow": ([1e30, -1e30], False),
    "zero": ([0.0, -0.0], False),
}
LAYOUTS = [
    lambda a: a,
    lambda a: a[::-1],
    lambda a: np.stack([a, a]).T,
    lambda a: np.repeat(a, 2)[::2],
    lambda a: np.broadcast_to(a, (3, 2)),
    lambda a: np.stack([a] * 6).reshape(2, 3, 2).transpose(1, 0, 2),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
@pytest.mark.parametrize("name", NANS)
def test_has_nan(name, dtype):
    numbers, has = NANS[name]
    with np.errstate(all="ignore"):
        array = np.array(numbers).astype(dtype)
        assert [has_nan(layout(array)) for layout in LAYOUTS] == [has] * len(LAYOUTS)
        assert has_nan(array[1]) == bool(np.isnan(array[1]))
    assert not has_nan(np.zeros((0, 3), dtype))


# ------------------------------------------------------------------------------- which inputs a pass gives cotangents


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
@pytest.mark.parametrize("declared", ["rules", "joint", "definition"])
def test_transforms_ask_for_their_arguments_only(argnums, declared):
    """The result is the same, whoever else needs a gradient."""
    ways = {
        "rules": dict(vjp=dict(a=lambda g, b: g * b, b=lambda g, a: g * a)),
        "joint": dict(vjp=lambda g, a, b: (g * b, g * a)),
        "definition": dict(definition=lambda a, b: a * b),
    }
    product = ag.op(lambda a, b: a * b, name="product", **ways[declared])
    other = leaf([10.0, 20.0])
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    found = ag.grad(lambda a, b: product(product(a, b), other).sum(), argnums)(a, b)
    right = (b * [10, 20], a * [10, 20])
    found, right = (found, right) if argnums == (0, 1) else ((found,), (right[argnums],))
    for gradient, values in zip(found, right, strict=True):
        np.testing.assert_array_equal(plain(gradient), values)
    assert other.grad is None
