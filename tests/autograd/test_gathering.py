"""Gradients that lie one behind the other: taken at once, and never written over while somebody holds one."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.gathering import Gathered, memories

FORMS = [((2, 3), True), ((3,), False), ((1, 2), False)]


def test_views_lie_one_behind_the_other():
    both = Gathered(FORMS, np.float32)
    both.flat[:] = range(11)
    np.testing.assert_array_equal(both.views[0], [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(both.views[1], [6, 7, 8])
    np.testing.assert_array_equal(both.views[2], [[9, 10]])
    assert [len(a) for a in memories([*both.views, np.ones(4)])] == [11, 4]


@pytest.mark.parametrize(
    ("of", "turned", "size"),
    [
        (lambda v: v, (True, False, False), 11),
        (lambda v: v[:2], (True, False), 9),
        (lambda v: v[1:], (False, False), 5),
        (lambda v: v, (False, False, False), None),
        (lambda v: v[::-1], (False, False, True), None),
        (lambda v: [v[0], v[2]], (True, False), None),
        (lambda v: [v[0], v[1].copy()], (True, False), None),
        (lambda v: [v[0][:], v[1]], (True, False), None),
        (lambda v: [None, v[1]], (True, False), None),
        (lambda v: [np.float32(1)], (False,), None),
    ],
)
def test_a_run_is_found_only_as_it_lies(of, turned, size):
    both = Gathered(FORMS, np.float32)
    found = ag.gathered(of(both.views), turned)
    assert (None if found is None else found.size) == size
    assert found is None or np.shares_memory(found, both.flat)


def test_who_holds_a_part_is_seen():
    both = Gathered(FORMS, np.float32)
    assert both.is_free()
    for hold in (lambda v: v[0], lambda v: v[1][1:], lambda v: v[2].T, lambda v: [v[0]]):
        held = hold(both.views)
        assert not both.is_free()
        del held
        assert both.is_free()


def net():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1))
    return model, ag.compile(lambda x: (model(x) ** 2).sum())


def test_gradients_that_are_held_are_never_written_over():
    model, loss = net()
    x = np.ones((2, 3), np.float32)
    kept, copies = [], []
    for _ in range(4):
        model.zero_grad()
        loss(x).backward()
        kept.append([p.grad for p in model.parameters()])
        copies.append([p.grad.numpy().copy() for p in model.parameters()])
        x = x + 1
    for grads, were in zip(kept, copies, strict=True):
        for g, was in zip(grads, were, strict=True):
            np.testing.assert_array_equal(g.numpy(), was)


def test_memory_is_used_again_when_nobody_holds_it():
    model, loss = net()
    x = np.ones((2, 3), np.float32)
    places = set()
    for _ in range(6):
        model.zero_grad()
        loss(x).backward()
        places.add(ag.leaf_arrays(model.parameters())[1][0].ctypes.data)
    assert len(places) <= 2


def test_gradients_add_up():
    model, loss = net()
    x = np.ones((2, 3), np.float32)
    loss(x).backward()
    once = [p.grad.numpy().copy() for p in model.parameters()]
    loss(x).backward()
    for p, g in zip(model.parameters(), once, strict=True):
        np.testing.assert_allclose(p.grad.numpy(), 2 * g, rtol=1e-6)


def test_what_goes_on_to_several_leaves_is_nobodys_memory():
    """A parameter that is computed from two leaves hands its gradient to both: each has one of its own."""
    w = [ag.Tensor(np.ones(3), requires_grad=True) for _ in range(4)]
    held = list(w[:2])
    f = ag.compile(lambda: (held[0] * held[1]).sum())
    f().backward()
    held[0] = w[2] + w[3]
    f().backward()
    w[2].grad.data[:] = 7
    np.testing.assert_array_equal(w[3].grad.numpy(), np.ones(3))


@pytest.mark.parametrize("optimizer", [nn.optim.Adam, nn.optim.SGD, nn.optim.RMSprop])
def test_an_optimizer_takes_them_as_it_takes_others(optimizer):
    results = []
    for compiled in (False, True):
        model, loss = net()
        loss = loss if compiled else loss.function
        steps = optimizer(model.parameters(), lr=0.05)
        for i in range(5):
            steps.zero_grad()
            loss(np.full((2, 3), 0.1 * i, np.float32)).backward()
            if i == 3:
                model[0].bias.grad = model[0].bias.grad * 2  # one of another memory
            steps.step()
        results.append([p.numpy() for p in model.parameters()])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
