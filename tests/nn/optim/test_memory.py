"""An optimizer and the memory of others: whoever holds an array of a parameter sees what PyTorch would show."""

import numpy as np
import pytest

import nn
from nn.optim.flat import BLOCK

optim = nn.optim
KINDS = {
    "SGD": lambda ps: optim.SGD(ps, lr=0.5),
    "momentum": lambda ps: optim.SGD(ps, lr=0.5, momentum=0.9, weight_decay=0.1),
    "Adam": lambda ps: optim.Adam(ps, lr=0.5),
    "AdamW": lambda ps: optim.AdamW(ps, lr=0.5, weight_decay=0.1),
    "RMSprop": lambda ps: optim.RMSprop(ps, lr=0.5, centered=True),
    "Adagrad": lambda ps: optim.Adagrad(ps, lr=0.5, weight_decay=0.1),
}
kinds = pytest.mark.parametrize("kind", KINDS)


def swapped(ps):
    ps[0].data, ps[1].data = ps[1].data, ps[0].data


def swapped_with_an_average(ps):
    average = nn.Parameter(np.full((2, 3), 7.0))
    ps[0].data, average.data = average.data, ps[0].data
    return average.data


def kept(ps):
    held = ps[0].data
    ps[0].data = ps[0].data * 2
    return held


def kept_in_part(ps):
    held = ps[0].data[0]
    ps[0].data = ps[0].data * 2
    return held


def tied(ps):
    ps[1].data = ps[0].data


def tied_in_part(ps):
    ps[2].data = ps[0].data[1]


def tied_to_a_user(ps):
    whole = np.arange(9.0)
    ps[0].data, ps[1].data = whole[:6].reshape(2, 3), whole[3:].reshape(2, 3)
    return whole


def strided(ps):
    whole = np.arange(12.0).reshape(2, 6)
    ps[0].data, ps[3].data = whole[:, ::2], np.arange(2.0 * BLOCK + 10)[::2]
    return whole


def turned(ps):
    ps[0].data = np.asfortranarray(ps[0].data)
    ps[1].data = np.arange(6.0).reshape(3, 2).T


def read_only(ps):
    held = np.ones((2, 3))
    held.flags.writeable = False
    ps[0].data = held
    return held


CHANGES = [
    swapped, swapped_with_an_average, kept, kept_in_part, tied, tied_in_part, tied_to_a_user, strided, turned,
    read_only,
]  # fmt: skip
SHAPES = ((2, 3), (2, 3), (3,), (BLOCK + 5,), ())


def parameters():
    rng = np.random.default_rng(0)
    return [nn.Parameter(rng.standard_normal(shape)) for shape in SHAPES]


def run(ps, optimizers, change, when):
    """Take five steps and call ``change`` before one of them; the second parameter has no gradient in the third."""
    held, rng = None, np.random.default_rng(1)
    for step in range(5):
        if step == when:
            held = change(ps)
        for i, p in enumerate(ps):
            p.grad = None if step == 2 and i == 1 else rng.standard_normal(p.shape)
        for optimizer in optimizers:
            optimizer.step()
    return [p.data.copy() for p in ps] + [held if held is None else held.copy()]


@kinds
@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("when", [0, 1, 4])
def test_all_at_once_is_one_after_the_other(kind, change, when):
    """A buffer for all parameters does what a loop over them does, which changes each where it lies."""
    ps, qs = parameters(), parameters()
    outside = [q.data for q in qs]  # held, so that no buffer takes them over
    together = run(ps, [KINDS[kind](ps)], change, when)
    alone = run(qs, [KINDS[kind]([q]) for q in qs], change, when)
    assert len(outside) == len(qs)
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a, b)


def test_values_of_the_cases():
    a, b = nn.Parameter([1.0]), nn.Parameter([2.0])
    sgd = optim.SGD([a, b], lr=0.5)
    a.data, b.data = b.data, a.data
    a.grad, b.grad = [0.0], [0.0]
    sgd.step()
    assert (a.item(), b.item()) == (2.0, 1.0)
    best, a.data = a.data, a.data * 2
    sgd.step()
    assert (best.item(), a.item()) == (2.0, 4.0)
    a.data = b.data  # tied: both gradients count
    a.grad, b.grad = [1.0], [3.0]
    sgd.step()
    assert a.item() == b.item() == -1.0


HOLDERS = {
    "the array": lambda p: p.data,
    "numpy": lambda p: p.numpy(),
    "a row": lambda p: p.data[0],
    "its transpose": lambda p: p.data.T,
    "a view of another dtype": lambda p: p.data.view(np.int64),
    "a memoryview": lambda p: np.asarray(memoryview(p.data)),
    "a detached Tensor": lambda p: p.detach(),
    "another Parameter": lambda p: nn.Parameter(p.data, copy=False),
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
@pytest.mark.parametrize("shape", [(2, 3), (30, 40)], ids=["small", "large"])
@pytest.mark.parametrize("before", [True, False], ids=["taken before", "taken after"])
def test_who_holds_the_memory_sees_the_steps(hold, shape, before):
    p, q = nn.Parameter(np.ones(shape)), nn.Parameter(np.ones(shape))
    held = hold(p) if before else None
    sgd = optim.SGD([q, p], lr=0.5)
    held = hold(p) if held is None else held
    for _ in range(2):
        p.grad = np.ones(shape)
        sgd.step()
    seen = np.asarray(held.data if isinstance(held, nn.Parameter) else held)
    assert not (seen.view(np.float64) if seen.dtype.kind == "i" else seen).any()


def test_the_memory_of_a_user():
    own = np.ones((2, 3))
    p = nn.Parameter(own, copy=False)
    sgd = optim.SGD([p], lr=0.5)
    p.grad = np.ones((2, 3))
    sgd.step()
    np.testing.assert_array_equal(own, np.full((2, 3), 0.5))


@pytest.mark.parametrize("shape", [(1,), (30, 40)], ids=["small", "large"])
def test_an_optimizer_may_be_made_between_forward_and_backward(shape):
    w = nn.Parameter(np.full(shape, 2.0))
    loss = (w * w).sum()
    sgd = optim.SGD([w], lr=0.5)
    loss.backward()
    sgd.step()
    assert not w.data.any()


@pytest.mark.parametrize("model", [nn.Linear(3, 2), nn.MLP(2, [4, 1]), nn.Conv2d(1, 2, 3), nn.LSTM(3, 4), nn.Neuron(2)])
def test_a_new_model_moves_into_the_buffer(model):
    optim.Adam(model.parameters())
    assert len({id(p.data.base) for p in model.parameters()}) == 1


def test_a_loaded_state_leaves_the_buffer_where_it_is():
    model = nn.Linear(3, 2)
    adam = optim.Adam(model.parameters())
    homes = [p.data for p in model.parameters()]
    adam.load_state_dict(adam.state_dict())
    assert all(p.data is home for p, home in zip(model.parameters(), homes, strict=True))
