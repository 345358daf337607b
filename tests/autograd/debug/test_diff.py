"""``diff``: each edit of a graph is found and named, equal graphs give nothing."""

import numpy as np
import pytest

import autograd as ag
import nn

X = np.random.default_rng(0).normal(size=(8, 3))


def leaf(value, name=None):
    return ag.Tensor(value, requires_grad=True, name=name)


A, B = leaf(0.5, "a"), leaf(1.5, "b")


def loss(model):
    return nn.MSELoss()(model(X), X[:, :1])


def net(*layers, seed=0):
    return nn.Sequential(nn.Linear(3, 4, rng=seed), *layers, nn.Linear(4, 1, rng=1))


PLANTED = {  # two graphs, and what must be said
    "tanh became relu": (
        lambda: (np.tanh(A * B), ag.relu(A * B)),
        [("v3 = tanh(v2)", "v3 = relu(v2)")], [], [],
    ),
    "an op more": (lambda: (np.tanh(A * B), np.tanh(A * B) * 2.0), [], ["v4 = v3 × 2"], []),
    "an op less": (lambda: (np.tanh(A) + B, A + B), [], [], ["v2 = tanh(a)"]),
    "another number": (lambda: (A * 2.0 + B, A * 3.0 + B), [("v2 = a × 2", "v2 = a × 3")], [], []),
    "another exponent": (lambda: ((A * B) ** 2, (A * B) ** 3), [("v3 = v2 ** 2", "v3 = v2 ** 3")], [], []),
    "another axis": (
        lambda: (shaped().sum(axis=0).sum(), shaped().sum(axis=1).sum()),
        [("v1 = sum(m) (3,)", "v1 = sum(m) (3,)")], [], [],
    ),
    "inputs the other way round": (lambda: (A - B, B - A), [("v2 = a - b", "v2 = b - a")], [], []),
    "a value used in place of another": (
        lambda: ((A * B) + A, (A * B) + B),
        [("v3 = v2 + a", "v3 = v2 + b")], [], [],
    ),
    "a layer more": (
        lambda: (loss(net()), loss(net(nn.Tanh()))),
        None, None, None,
    ),
    "an activation": (
        lambda: (loss(net(nn.ReLU())), loss(net(nn.Tanh()))),
        [("v6 = relu(v5) (8, 4) in 1", "v6 = tanh(v5) (8, 4) in 1")], [], [],
    ),
}  # fmt: skip


def shaped():
    return leaf(np.arange(9.0).reshape(3, 3), "m")


@pytest.mark.parametrize("name", PLANTED)
def test_an_edit_is_found(name):
    make, became, new, gone = PLANTED[name]
    found = ag.diff(*make())
    assert found
    if became is None:
        assert len(found.new) + len(found.became) >= 1
        assert any("tanh" in text for text in found.new)
        return
    assert [pair for pair in found.became if pair[0].split(" = ")[0] == became[0][0].split(" = ")[0]] == became or (
        not became and not found.became
    )
    assert list(found.new) == new
    assert list(found.gone) == gone
    back = ag.diff(*make()[::-1])
    assert list(back.new) == gone
    assert list(back.gone) == new


EQUAL = {
    "the same graph": lambda: (lambda y: (y, y))(np.tanh(A * B)),  # noqa: PLC3002
    "made twice": lambda: (np.tanh(A * B), np.tanh(A * B)),
    "a model on the same data": lambda: (lambda m: (loss(m), loss(m)))(net(nn.ReLU())),  # noqa: PLC3002
    "two models of one seed": lambda: (loss(net(nn.ReLU())), loss(net(nn.ReLU()))),
    "an LSTM": lambda: tuple(nn.LSTM(3, 2, rng=0)(X)[0].sum() for _ in range(2)),
    "several results": lambda: ([A * 2.0, B * 2.0], [A * 2.0, B * 2.0]),
    "one that backward has been through": lambda: tuple(map(differentiated, (np.tanh(A * B), np.tanh(A * B)))),
}


def differentiated(y):
    y.backward(retain_graph=True)
    return y


@pytest.mark.parametrize("name", EQUAL)
def test_equal_graphs_give_nothing(name):
    found = ag.diff(*EQUAL[name]())
    assert not found, str(found)
    assert str(found).startswith("no difference in ")


def test_gradients_that_changed_come_with_their_size():
    first, second = net(nn.ReLU()), net(nn.ReLU())
    second[2].weight.data[0] *= -3.0
    found = ag.diff(loss(first), loss(second))
    assert not found.became
    assert not found.new
    assert not found.gone
    changed = {change.name: change for change in found.gradients}
    assert {"0.weight", "0.bias", "2.weight", "2.bias"} <= {*changed}
    bias = changed["2.bias"]
    for model in (first, second):
        loss(model).backward()
    assert bias.before == pytest.approx(abs(first[2].bias.grad.item()), rel=1e-5)
    assert bias.after == pytest.approx(abs(second[2].bias.grad.item()), rel=1e-5)
    assert found.gradients[0].relative == max(change.relative for change in found.gradients)
    assert "Δ gradient of 2.bias: " in str(found)


def test_complex_gradients():
    z = leaf(np.array([1 + 1j, 2j]), "z")
    (change,) = [each for each in ag.diff(abs(z * 2).sum(), abs(z * 3).sum()).gradients if each.name == "z"]
    assert change.relative == pytest.approx(1 / 3)


def test_two_seeds():
    found = ag.diff(loss(net(nn.ReLU(), seed=0)), loss(net(nn.ReLU(), seed=5)))
    assert not found.became
    assert any(change.name == "0.weight" for change in found.gradients)


def test_a_tolerance_leaves_small_changes_out():
    a, b = leaf(1.0, "x"), leaf(1.0 + 1e-4, "x")
    assert ag.diff(a**3, b**3).gradients
    assert not ag.diff(a**3, b**3, rtol=1e-3)


def test_what_was_released_is_said_to_be_unknown():
    model = net(nn.ReLU())
    first = loss(model)
    first.backward()
    found = ag.diff(first, loss(model))
    assert found.unknown
    assert "one side is not known any more" in str(found)


def test_long_lists_are_cut():
    y = A
    for _ in range(40):
        y = np.tanh(y)
    found = ag.diff(A * 1.0, y)
    assert "… and " in str(found)
    assert len(str(found).splitlines()) < 40


def test_what_is_refused():
    with pytest.raises(ag.AutogradError, match="diff needs a Tensor"):
        ag.diff(A * 1.0, 3.0)
