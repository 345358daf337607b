"""The engine by the shapes of graphs and by its laws: order of the walk, memory, threads, changes in place."""

import asyncio
import copy
import gc
import threading
import time
import tracemalloc
import weakref
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
from autograd import accumulate
from autograd.backward import backward_pass
from autograd.errors import ConversionError, DTypeError, GraphError, InPlaceError, ShapeError
from autograd.graph import Leaf, Node, ancestors, leading_to

MB = 1 << 20


def leaf(data, **kwargs):
    return ag.Tensor(data, requires_grad=True, **kwargs)


@contextmanager
def no_collector():
    """Freeze the garbage collector: what is freed inside is freed by reference counts alone."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------- shapes of graphs


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


def test_accumulation():
    x = leaf([1.0, 2.0])
    for _ in range(3):
        (x * 2).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [6, 6])
    x.zero_grad()
    assert x.grad is None


def test_several_leaves_and_constants():
    x, y, c = leaf([1.0, 2.0]), leaf(3.0), ag.Tensor([5.0, 7.0])
    ((x * y + c) ** 2).sum().backward()
    np.testing.assert_array_equal(x.grad.data, 2 * (np.array([8.0, 13.0])) * 3)
    assert y.grad.item() == 2 * (8 * 1 + 13 * 2)
    assert c.grad is None


def test_deep_chain():
    """A million ops: forward, backward and freeing without recursion."""
    x = leaf(1.0)
    y = x
    for _ in range(1_000_000):
        y = y * 1.000001
    y.backward()
    assert x.grad.item() == pytest.approx(np.e, rel=1e-5)
    watched = weakref.ref(y._node)
    with no_collector():
        del y
        assert watched() is None


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


def test_deep_chain_of_definitions_and_second_order():
    twice = ag.op(lambda x: x * 1.0001, name="by_definition", definition=lambda x: x * 1.0001)
    gradient = ag.grad(ag.grad(lambda x: _chain(twice, x, 3000) ** 2))
    assert gradient(1.0) == pytest.approx(2 * 1.0001**6000)


def _chain(f, x, n):
    for _ in range(n):
        x = f(x)
    return x


def test_wide_sum():
    leaves = [leaf(float(k)) for k in range(1000)]
    np.stack(leaves).sum().backward()
    assert all(x.grad.item() == 1 for x in leaves)


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


def test_ancestors_and_leading_to():
    x, y = leaf(1.0), leaf(2.0)
    a, b = x * 2, y * 3
    c = a * b
    assert {*ancestors(c._node)} >= {t._node for t in (x, y, a, b, c)}
    assert leading_to(c._node, {x._node}) == {t._node for t in (x, a, c)}


# ----------------------------------------------------------------------------------------------------------- backward


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


def test_upstream_gradient_may_be_recorded():
    x, u = leaf([1.0, 2.0]), leaf([3.0, 5.0])
    (x * x).backward(u, create_graph=True)
    inner = x.grad
    x.grad = None
    inner.sum().backward()
    np.testing.assert_array_equal(u.grad.data, [2, 4])


@pytest.mark.parametrize("make", [lambda: ag.Tensor(1.0), lambda: leaf(1.0).detach(), lambda: np.sign(leaf(1.0))])
def test_backward_without_a_graph(make):
    with pytest.raises(GraphError, match="no input had requires_grad=True"):
        make().backward()


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


# ----------------------------------------------------------------------------------------------------------- memory


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


def measured(compute):
    """Give what ``compute`` keeps alive, in MB, and its result."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    result = compute()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / MB, result


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
    used, y = measured(lambda: _chain(step, x, 10))
    assert used < 10 * kept + 11, f"{used:.1f} MB"
    assert y.requires_grad


def test_multiply_keeps_only_what_is_needed():
    """∂(c · x)/∂x needs c alone: the intermediate x is not kept when c needs no gradient."""
    c = ag.Tensor(np.ones(10 * MB // 8))
    x = leaf(np.zeros(10 * MB // 8))
    used, _ = measured(lambda: _chain(lambda y: y * c, x, 10))
    assert used < 25, f"{used:.1f} MB"


def test_backward_frees_saved_arrays():
    x = leaf(np.zeros(10 * MB // 8))

    def run():
        y = _chain(np.tanh, x, 10).sum()
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


# --------------------------------------------------------------------------------------------- only what is needed


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


def test_nothing_is_recorded_without_need():
    y = ag.Tensor([1.0, 2.0]) * 2 + 1
    assert y.is_leaf
    assert not y.requires_grad
    x = leaf(1.0)
    with ag.no_grad():
        assert (x * 2).is_leaf


# ----------------------------------------------------------------------------------------------------------- threads


def in_threads(count, work):
    errors = []

    def run(k):
        try:
            work(k)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_threads_lose_no_addition():
    x, w = leaf(np.ones(100)), leaf(2.0)

    def work(k):
        for _ in range(200):
            (x * w).sum().backward()

    in_threads(4, work)
    np.testing.assert_array_equal(x.grad.data, np.full(100, 4 * 200 * 2.0))
    assert w.grad.item() == 4 * 200 * 100


def test_threads_lose_no_addition_however_slow_it_is(monkeypatch):
    """The gradient is read, added to and written under one lock."""
    add_up = accumulate.add_up

    def slowly(old, g):
        time.sleep(0.001)
        return add_up(old, g)

    monkeypatch.setattr(accumulate, "add_up", slowly)
    x = leaf(1.0)
    in_threads(4, lambda k: [(x * 2).backward() for _ in range(10)])
    assert x.grad.item() == 4 * 10 * 2


def test_threads_share_nodes():
    """Gradients live in the walk, so that two threads may walk through the same nodes."""
    x = leaf(np.ones(50))
    shared = _chain(np.tanh, x * 0.5, 20)
    expected = ag.grad(lambda x: _chain(np.tanh, x * 0.5, 20).sum())(np.ones(50))

    def work(k):
        for _ in range(20):
            (shared * float(k + 1)).sum().backward(retain_graph=True)

    in_threads(3, work)
    np.testing.assert_allclose(x.grad.data, expected * 20 * (1 + 2 + 3))


def test_retained_gradients_lose_no_addition():
    x = leaf(1.0)
    y = x * 2
    y.retain_grad()
    z = y * 3
    in_threads(4, lambda k: [z.backward(retain_graph=True) for _ in range(200)])
    assert y.grad.item() == 4 * 200 * 3


def test_modes_hold_per_thread():
    inside, leave = threading.Event(), threading.Event()

    def silent(k):
        with ag.no_grad():
            inside.set()
            assert leave.wait(10)
            assert not ag.is_grad_enabled()

    thread = threading.Thread(target=silent, args=(0,))
    thread.start()
    assert inside.wait(10)
    assert ag.is_grad_enabled()
    assert (leaf(1.0) * 2).requires_grad
    leave.set()
    thread.join()


def test_modes_hold_per_task():
    async def silent(entered, go):
        with ag.no_grad():
            entered.set()
            await go.wait()
            return ag.is_grad_enabled()

    async def loud(entered, go):
        await entered.wait()
        recording = ag.is_grad_enabled()
        go.set()
        return recording

    async def both():
        entered, go = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(silent(entered, go), loud(entered, go))

    assert asyncio.run(both()) == [False, True]


# --------------------------------------------------------------------------------------------- who owns which array


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: (x + y).sum(),
        lambda x, y: (x + y + x).sum(),
        lambda x, y: (x - y).sum(),
        lambda x, y: (x.reshape(10, 10) + y.reshape(10, 10)).sum(),
        lambda x, y: np.stack([x, y]).sum(),
        lambda x, y: np.where(np.ones(100, bool), x, y).sum(),
        lambda x, y: np.concatenate([x, y]).sum(),
        lambda x, y: x[::2].sum() + x[1::2].sum() + y.sum(),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_leaf_gradients_never_alias(f, create_graph):
    x, y = leaf(np.ones(100)), leaf(np.ones(100))
    f(x, y).backward(create_graph=create_graph)
    with ag.no_grad():
        before = y.grad.data.copy()
        gradient = x.grad if not create_graph else x.grad.detach()
        assert not np.shares_memory(x.grad.data, y.grad.data) or not gradient.data.flags.writeable or create_graph
        if not create_graph:
            x.grad *= 0
        np.testing.assert_array_equal(y.grad.data, before)
    x.grad = y.grad = None


def test_gradient_does_not_alias_what_the_user_gave():
    x, upstream = leaf(np.ones(100)), np.ones(100)
    (x + 0.0).backward(upstream)
    x.grad.data[:] = 5
    assert upstream[0] == 1
    x.zero_grad()
    given = ag.Tensor(np.ones(100))
    (x + 0.0).backward(given)
    x.grad.data[:] = 5
    assert given.data[0] == 1


def test_gradient_does_not_alias_the_other_factor():
    """A rule may hand out a view of what it saved."""
    passing = ag.op(lambda x, w: (x * w).sum(), name="passing", vjp=dict(x=lambda g, w: w, w=lambda g, x: x))
    x, w = leaf(np.ones(100)), leaf(np.full(100, 2.0))
    passing(x, w).backward()
    x.grad.data[:] = 7
    assert w.data[0] == 2
    assert w.grad.data[0] == 1
    w.grad.data[:] = 9
    assert x.data[0] == 1


def test_accumulated_gradient_is_stable_for_its_holder():
    """A gradient taken before the next backward keeps its values."""
    x = leaf(np.ones(100))
    (x * 2).sum().backward()
    held = x.grad
    (x * 2).sum().backward()
    np.testing.assert_array_equal(held.data, np.full(100, 2.0))
    np.testing.assert_array_equal(x.grad.data, np.full(100, 4.0))


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


def test_result_can_not_be_overwritten():
    y = leaf(np.ones(3)) * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5
    with pytest.raises(InPlaceError, match="data of the result of 'multiply' cannot be replaced"):
        y.data = np.zeros(3)


# ----------------------------------------------------------------------------------------------- changed in place

CHANGES = {
    "t.data = …": lambda t: setattr(t, "data", np.zeros(3)),
    "t.data -= …": lambda t: setattr(t, "data", t.data.__isub__(1.0)),
    "t -= … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__isub__(1.0)),
    "t *= … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__imul__(2.0)),
    "t[0] = … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__setitem__(0, 9.0)),
    "detached -= …": lambda t: t.detach().__isub__(1.0),
    "detached.data = …": lambda t: _through(t.detach(), lambda d: setattr(d, "data", d.data.__iadd__(1.0))),
    "detached[0] = …": lambda t: t.detach().__setitem__(0, 1.0),
    "view under no_grad": lambda t: _under_no_grad(t, lambda t: t[:2].__isub__(1.0)),
    "detached view": lambda t: t.detach()[:2].__isub__(1.0),
    "reshaped detached view": lambda t: t.detach().reshape(3, 1).__imul__(3.0),
}


def _under_no_grad(t, change):
    with ag.no_grad():
        change(t)


def _through(t, change):
    change(t)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "build",
    [
        lambda t: (t * t).sum(),
        lambda t: (t[1:] * 2.0 * t[:2]).sum(),
        lambda t: np.sin(t.reshape(3, 1)).sum(),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_change_in_place_is_detected(name, build, create_graph):
    t = leaf([1.0, 2.0, 3.0], name="weight")
    y = build(t)
    CHANGES[name](t)
    with pytest.raises(InPlaceError, match=r"was changed in place after it was used\. Change it after backward"):
        y.backward(create_graph=create_graph)
    assert t.grad is None


def test_message_names_op_argument_and_tensor():
    t = leaf([1.0, 2.0, 3.0], name="weight")
    y = (t * t).sum()
    t.data -= 1
    with pytest.raises(InPlaceError, match=r"input 'a' 'weight' of 'multiply', shape \(3,\), was changed"):
        y.backward()


@pytest.mark.parametrize("name", CHANGES)
def test_change_that_no_rule_reads_is_allowed(name):
    """A sum does not need the values: nothing would be wrong."""
    t = leaf([1.0, 2.0, 3.0])
    y = (t * 2.0 + 1).sum()
    CHANGES[name](t)
    y.backward()
    np.testing.assert_array_equal(t.grad.data, [2, 2, 2])


@pytest.mark.parametrize("name", CHANGES)
def test_change_between_steps_is_allowed(name):
    t = leaf([1.0, 2.0, 3.0])
    (t * t).sum().backward()
    CHANGES[name](t)
    t.zero_grad()
    now = t.data.copy()
    (t * t).sum().backward()
    np.testing.assert_array_equal(t.grad.data, 2 * now)


def test_change_of_the_constant_operand_is_detected():
    x, c = leaf([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    y = (x * c).sum()
    c += 1
    with pytest.raises(InPlaceError):
        y.backward()


def test_change_through_a_shared_array_view_of_a_constant():
    c = ag.Tensor([3.0, 4.0])
    part = c[:1]
    x = leaf([1.0, 2.0])
    y = (x * c).sum()
    part += 10
    try:
        y.backward()
    except InPlaceError:
        return
    np.testing.assert_array_equal(x.grad.data, [3, 4])


def test_scalar_leaf_changed_in_place():
    x = leaf(3.0)
    y = x * x
    with ag.no_grad():
        x -= 1
    assert x.item() == 2.0
    with pytest.raises(InPlaceError):
        y.backward()


def test_in_place_on_a_result_changes_it_and_keeps_the_graph():
    x = leaf([1.0, 2.0])
    y = x * 2
    old = y
    y *= x
    assert old is y
    y += 1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, 4 * x.data)


def test_deepcopy_of_a_leaf_is_independent():
    x = leaf([1.0, 2.0], name="x")
    y = copy.deepcopy(x)
    (x * y).sum().backward()
    x.data -= 1
    np.testing.assert_array_equal(y.data, [1, 2])
    assert not np.shares_memory(x.grad.data, y.grad.data)


def test_retain_grad_while_the_graph_is_released():
    x = leaf([1.0, 2.0])
    y = x * 3
    y.retain_grad()
    big = leaf(np.ones(100)) * 2
    big.retain_grad()
    ((y * y).sum() + big.sum()).backward()
    np.testing.assert_array_equal(y.grad.data, [6, 12])
    np.testing.assert_array_equal(big.grad.data, np.ones(100))


def test_nodes_say_what_they_are():
    x = leaf([1.0, 2.0], name="x")
    assert repr((x * 2)._node) == "<Node multiply (2,)>"
    assert repr(x._node) == "<Leaf x (2,)>"
    assert repr(x[:1]._node) == "<View getitem (1,)>"


@pytest.mark.parametrize("f", [np.matmul, np.dot, np.inner, np.outer, np.kron, lambda a, b: np.einsum("i,i->i", a, b)])
def test_products_keep_only_what_is_needed(f):
    """For ∂(a · b)/∂a the values of a are not kept."""
    a, b = leaf(np.ones(100)) * 1.0, ag.Tensor(np.full(100, 2.0))
    watched = weakref.ref(a._array)
    y = f(a, b)
    del a
    assert watched() is None
    y.sum().backward()
