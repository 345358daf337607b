"""Gradients add up in leaves: no addition is lost between threads, and no array is held that is somebody else's."""

import threading
import time

import numpy as np
import pytest

import autograd as ag
from autograd import accumulate
from tests.autograd.tools import chain, leaf


def test_accumulation():
    x = leaf([1.0, 2.0])
    for _ in range(3):
        (x * 2).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [6, 6])
    x.zero_grad()
    assert x.grad is None


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
    shared = chain(np.tanh, x * 0.5, 20)
    expected = ag.grad(lambda x: chain(np.tanh, x * 0.5, 20).sum())(np.ones(50))

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
