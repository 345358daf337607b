"""A chain records what its ops would record one by one."""

import contextlib
import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, GraphError, InPlaceError, RuleError
from autograd.folded import Folded
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
        (n.op and n.op.name, n.shape, n.dtype, n.scope and n.scope.path, n.kwargs or {}, [v is None for v in n.saved],
         n.released, n.cot, [p and (p.op and p.op.name, p.shape) for p in n.parents])
        for n in nodes
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("needs", [True, False])
@pytest.mark.parametrize("rows", [2, 40])  # below and above the size up to which values and gradients stay for pictures
@pytest.mark.parametrize("looked_at", [True, False])
@pytest.mark.parametrize("retain_graph", [True, False])
def test_records_the_same_graph(dtype, needs, rows, looked_at, retain_graph):
    results = []
    for tensors, run in ((leaves(dtype), None), (leaves(dtype), one_by_one)):
        x = ag.Tensor(np.linspace(-1, 1, rows * 4).reshape(rows, 4), needs, dtype=dtype)
        y = run(x, *tensors) if run else ag.Chain(steps(*tensors))(x)
        before = trail(y) if looked_at else None
        y.sum().backward(retain_graph=retain_graph)
        results.append((before, trail(y), y.numpy(), x.grad, *[t.grad.numpy() for t in tensors]))
    (*ours, y, dx, dw, db, dc), (*theirs, y2, dx2, dw2, db2, dc2) = results
    assert [sorted(map(repr, part or ())) for part in ours] == [sorted(map(repr, part or ())) for part in theirs]
    for value, other in ((y, y2), (dx, dx2), (dw, dw2), (db, db2), (dc, dc2)):
        np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("kind", [np.asarray, ag.Tensor])
def test_a_constant_input_is_numbered_before_what_is_made_of_it(kind):
    """Pictures name values in their order: a constant that comes late would change the names of all."""
    tensors = leaves()
    y = ag.Chain(steps(*tensors))(kind(np.ones((2, 4))))
    after = np.tanh(ag.Tensor(1.0, True))
    first, *rest = sorted((n for n in ancestors(y._node) if n.op or not n.needs), key=lambda node: -node.order)
    assert [n.op.name for n in rest] == ["matmul", "add", "leaky_relu", "multiply", "tanh"]
    assert first.op is None
    assert all(n.order > after._node.order for n in rest)
    assert all(n.order < t._node.order for n in (first, *rest) for t in tensors)


def test_without_a_look_backward_makes_no_nodes():
    tensors = leaves()
    y = ag.Chain(steps(*tensors))(ag.Tensor(np.ones((2, 4))))
    y.sum().backward()
    assert isinstance(y._node, Folded)
    assert y._node.held is not None
    assert [n.op.name for n in ancestors(y._node) if n.op] == ["tanh", "multiply", "leaky_relu", "add", "matmul"]
    assert y._node.held is None


def test_arrays_are_let_go_on_the_way_back():
    seen = []
    look = ag.op(lambda x: x + 1, vjp=lambda g: seen.append([type(v) for v in held()]) or g, name="look")
    y = ag.Chain([(f, (), {}, None) for f in (np.exp, look, np.exp, np.exp)])(ag.Tensor(np.zeros(100), True))

    def held():
        return y._node.held[1]

    assert [type(v) for v in held()] == [tuple, np.ndarray, tuple, np.ndarray, np.ndarray]
    y.sum().backward()
    assert seen == [[tuple, np.ndarray, tuple, tuple, tuple]]  # when the second op is at its turn
    assert held() == [(100,)] * 5


def test_large_arrays_of_other_inputs_are_let_go():
    w, small = ag.Tensor(np.full(100, 2.0), True), ag.Tensor(np.full(1, 3.0), True)
    y = ag.Chain([(np.multiply, (w,), {}, None), (np.multiply, (small,), {}, None)])(ag.Tensor(np.ones(100), True))
    y.sum().backward()
    assert [v is None for v in y._node.held[2]] == [True, False]


def test_a_change_of_another_leaf_does_not_matter():
    tensors, other = leaves(), ag.Tensor(1.0, True)
    y = ag.Chain(steps(*tensors))(ag.Tensor(np.ones((2, 4))))
    other.data = np.float64(2.0)
    y.sum().backward()
    assert y._node.held is not None


def test_the_place_is_that_of_the_call():
    chain = ag.Chain(steps(*leaves()))
    for name in ("here", "there"):
        with ag.scope("net"), ag.scope(name):
            y = chain(np.ones((2, 4)))
        assert {n.scope.path for n in ancestors(y._node) if n.op} == {name, f"{name}.first", f"{name}.second"}


def test_a_recording_keeps_what_a_chain_was_given():
    w, b, c = leaves()
    given = np.arange(400.0).reshape(100, 4) / 400
    run = ag.record(lambda t: ag.Chain(steps(w, b, c))(given).sum() + t, ag.Tensor(1.0))
    (product,) = [step for step in run.steps if step.op == "matmul"]
    np.testing.assert_array_equal(product.inputs[0].array, given)
    wide = np.arange(300.0).reshape(100, 3)
    run = ag.record(
        lambda t: ag.Chain([(np.add, (b,), {}, None), (np.tanh, (), {}, None)])(wide).sum() + t, ag.Tensor(1.0)
    )
    (addition,) = [step for step in run.steps if step.op == "add" and step.outputs[0].shape]
    np.testing.assert_array_equal(addition.inputs[0].array, wide)  # which no rule reads
    assert not np.shares_memory(addition.inputs[0].array, wide)


def test_an_op_without_rules_is_walked_back_by_its_definition():
    defined = ag.op(lambda x: x * x, definition=lambda x: x * x, name="defined")
    x = ag.Tensor([3.0, 4.0], True)
    ag.Chain([(np.negative, (), {}, None), (defined, (), {}, None)])(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [6, 8])


def test_backward_twice_is_an_error_and_retain_graph_is_not():
    tensors = leaves()
    y = ag.Chain(steps(*tensors))(ag.Tensor(np.ones((40, 4))))
    y.backward(np.ones(y.shape), retain_graph=True)
    first = [t.grad.numpy().copy() for t in tensors]
    y.backward(np.ones(y.shape))
    for t, once in zip(tensors, first, strict=True):
        np.testing.assert_allclose(t.grad.numpy(), 2 * once)
    with pytest.raises(GraphError, match="backward reached 'tanh', whose saved arrays were released"):
        y.backward(np.ones(y.shape))


def test_a_rule_that_fails_is_named_with_its_place():
    def rule(g, x):
        raise ValueError("no way back")

    broken = ag.op(lambda x: x * 2, vjp=rule, name="broken")
    chain = ag.Chain([(broken, (), {}, ag.scope("inner")), (np.tanh, (), {}, None)])
    with ag.scope("outer"), ag.scope("net"):
        y = chain(ag.Tensor(np.ones(3), True))
    with pytest.raises(ValueError, match="no way back") as caught:
        y.sum().backward()
    assert caught.value.__notes__ == ["while backward was at 'broken' in net.inner"]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (lambda g, x, w: g, "op 'wrong': the joint rule must return a tuple of 2 gradients, got ndarray"),
        (lambda g, x, w: (g, g, g), "the joint rule must return a tuple of 2 gradients, got 3 values"),
        (lambda g, x, w: (g[:1], w), r"the rule for 'x' returned shape \(1,\), but the input has shape \(3,\)"),
        (lambda g, x, w: (g, w[:2]), r"the rule for 'w' returned shape \(2,\), but the input has shape \(3,\)"),
    ],
)
def test_a_wrong_rule_is_refused(rule, message):
    wrong = ag.op(lambda x, w: x * w, vjp=rule, name="wrong")
    y = ag.Chain([(np.tanh, (), {}, None), (wrong, (ag.Tensor(np.ones(3), True),), {}, None)])(
        ag.Tensor(np.ones(3), True)
    )
    with pytest.raises(RuleError, match=message):
        y.sum().backward()


def test_rules_that_ask_for_shapes_or_give_lists_and_other_dtypes():
    halve = ag.op(
        lambda x, w: x * w, vjp=lambda g, x, w: [(g * w).astype(np.float64), np.sum(g * x)], name="by_a_number"
    )
    shaped = ag.op(lambda x: x * 1.0, vjp=lambda g, shapes: g.reshape(shapes[0]), name="asks_for_shapes")
    w = ag.Tensor(np.float32(3.0), True)
    x = ag.Tensor(np.ones(3, np.float32), True)
    for last in (np.tanh, shaped):
        x.zero_grad()
        w.zero_grad()
        ag.Chain([(np.negative, (), {}, None), (halve, (w,), {}, None), (last, (), {}, None)])(x).sum().backward()
        slope = 1 - np.tanh(np.float32(-3.0)) ** 2 if last is np.tanh else 1
        np.testing.assert_allclose(x.grad.numpy(), np.full(3, -3 * slope), rtol=1e-5)
        np.testing.assert_allclose(w.grad.numpy(), -3 * slope, rtol=1e-5)
        assert x.grad.dtype == w.grad.dtype == np.float32


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("looked_at", [True, False])
def test_a_chain_left_in_the_middle_is_released(error, looked_at):
    """Its arrays are half gone: going back once more would read shapes in their place."""
    calls = []

    def rule(g, y):
        calls.append(1)
        if len(calls) == 1:
            raise error
        return g * (1 - y * y)

    bad = ag.op(lambda x: np.tanh(x), vjp=rule, name="bad")
    w = ag.Tensor(np.ones((100, 2)), True)
    y = ag.Chain([(np.multiply, (w,), {}, None), (bad, (), {}, None), (np.exp, (), {}, None)])(np.ones((100, 2)))
    with pytest.raises(error):
        y.backward(np.ones((100, 2)))
    if looked_at:
        assert ag.draw(y).source
    with pytest.raises(GraphError, match="saved arrays were released by an earlier backward"):
        y.backward(np.ones((100, 2)))
    assert w.grad is None


def test_a_failed_backward_leaves_no_cycle():
    def rule(g, y):
        raise ValueError("boom")

    bad = ag.op(lambda x: np.tanh(x), vjp=rule, name="bad")
    y = ag.Chain([(bad, (), {}, None), (np.tanh, (), {}, None)])(ag.Tensor(np.ones((100, 100)), True)).sum()
    alive = weakref.ref(y._node)
    gc.collect()
    gc.disable()
    try:
        with contextlib.suppress(ValueError):
            y.backward()
        del y
        assert alive() is None
    finally:
        gc.enable()


def test_an_input_that_no_rule_reads_is_let_go():
    w, t = ag.Tensor(np.ones(1000), True), ag.Tensor(np.ones(1000))
    y = ag.Chain([(np.multiply, (w,), {}, None), (np.add, (t,), {}, None)])(ag.Tensor(np.ones(1000)))
    array = weakref.ref(t._array)
    del t
    assert array() is None
    assert [n.shape for n in ancestors(y._node)] == [(1000,)] * 5


def test_a_graph_that_another_thread_lets_go_of_is_not_read():
    """The other thread begins after this one has found the arrays there, and before it has read them."""
    y = ag.Chain([(np.tanh, (), {}, None), (np.exp, (), {}, None)])(ag.Tensor(np.ones(100), True))
    node, plan = y._node, y._node.plan
    node.released = True
    held = node.held
    assert plan.backward(np.ones(100), node, held[1], held[2], held[3], held[4], False) is None


def test_threads_may_go_back_through_one_chain():
    tensors = leaves()
    y = ag.Chain(steps(*tensors))(ag.Tensor(np.ones((40, 4))))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: (y * 1).sum().backward(retain_graph=True), range(40)))
    got = [t.grad.numpy() / 40 for t in tensors]
    again = leaves()
    one_by_one(np.ones((40, 4)), *again).sum().backward()
    for ours, theirs in zip(got, again, strict=True):
        np.testing.assert_allclose(ours, theirs.grad.numpy())


def test_chains_of_the_same_ops_share_their_plan():
    first, second = ag.Chain(steps(*leaves())), ag.Chain(steps(*leaves()))
    x = ag.Tensor(np.ones((2, 4)))
    assert first(x)._node.plan is second(x)._node.plan


def test_second_derivatives():
    tensors = leaves()
    chain = ag.Chain(steps(*tensors))
    ag.check_grads(chain, np.linspace(-1, 1, 8).reshape(2, 4))


@pytest.mark.parametrize("kind", [np.ndarray, type("Subclass", (np.ndarray,), {})])
def test_an_array_given_as_input_may_be_changed_afterwards(kind):
    w, b, c = leaves()
    x = np.ones((20, 4)).view(kind)
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


COUNT = ag.op(lambda x: (x > 0).astype(int), vjp=lambda g: g, name="count_positive")
WIDEN = ag.op(lambda x: x.astype(np.float64), vjp=lambda g: g, name="widen")


@pytest.mark.parametrize(("function", "x"), [(np.tanh, 2.0), (SPLIT, np.ones(3))])
def test_numbers_and_tuples_are_left_to_the_ops_themselves(function, x):
    assert ag.Chain([(ag.relu, (), {}, None), (function, (), {}, None)])(x) is NotImplemented


@pytest.mark.parametrize("function", [COUNT, WIDEN])
def test_a_change_of_dtype_is_left_to_the_op_itself(function):
    x = ag.Tensor(np.ones(3, np.float32), True)
    assert ag.Chain([(ag.relu, (), {}, None), (function, (), {}, None)])(x) is NotImplemented


@pytest.mark.parametrize("function", [np.sort, np.sign, np.concatenate, np.add, len])
def test_refuses_what_cannot_be_a_step(function):
    with pytest.raises(
        ArgumentError, match=rf"Chain: '{function.__name__}' must be an op with one output and 1 inputs"
    ):
        ag.Chain([(function, (), {}, None)])
