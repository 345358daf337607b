"""``check_grads`` on a graph: the first op whose local derivative is wrong is named and marked."""

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, GradientError, GraphError

MANY = np.random.default_rng(1).normal(size=(100, 16))
X = np.random.default_rng(0).normal(size=(4, 3))


def leaf(value, name=None):
    return ag.Tensor(value, requires_grad=True, name=name)


def wrong(forward, name, **rules):
    return ag.op(forward, name=name, **rules)


def cube():
    return wrong(lambda x: x**3, "cube", vjp=lambda g, x: 2 * g * x**2, elementwise=True)


def blend():
    rules = {"a": lambda g: g * 0.3, "b": lambda g: g * 0.3}
    return wrong(lambda a, b: 0.3 * a + 0.7 * b, "blend", vjp=rules, elementwise=True)


def flipped():
    return wrong(lambda x: -np.tanh(x), "flipped", vjp=lambda g, y: g * (1 - y * y), elementwise=True)


def scaled():
    return wrong(lambda x: x.sum(axis=0), "scaled", vjp=lambda g, x: np.broadcast_to(g, x.shape) / len(x))


def stack2():
    return wrong(lambda x: (x * 2.0, x * 3.0), "pair", vjp=lambda g: g[0] * 2.0 + g[1] * 2.0)


def kinked():
    return wrong(lambda x: np.maximum(x, 0.0), "kinked", vjp=lambda g, x: g * (x < 0), elementwise=True)


class Net(nn.Module):
    def __init__(self, f):
        self.a, self.b, self.f = nn.Linear(3, 4, rng=0), nn.Linear(4, 1, rng=1), f

    def forward(self, x):
        return self.b(self.f(self.a(x)))


PLANTED = {  # program -> op, argument or value that the message speaks of, module
    "a factor": (lambda: cube()(np.sin(leaf(0.7, "x"))) * 2.0, "cube", "v2 = cube(v1)", ""),
    "one of two inputs": (lambda: blend()(leaf(1.0, "a"), leaf(2.0, "b")), "blend", "argument 1", ""),
    "a sign": (lambda: np.exp(flipped()(leaf([0.3, 0.4], "x"))).sum(), "flipped", "v1 = flipped(x)", ""),
    "a reduction": (lambda: scaled()(leaf(X, "x")).sum(), "scaled", "v1 = scaled(x)", ""),
    "one of two outputs": (lambda: sum(stack2()(leaf([1.0, 2.0], "x"))).sum(), "pair", "pair", ""),
    "in a module": (lambda: Net(cube())(X).sum(), "cube", "in Net", "Net"),
    "in a module, float32": (lambda: Net(flipped())(X.astype("f")).sum(), "flipped", "in Net", "Net"),
    "the older of two": (lambda: blend()(cube()(leaf(0.5, "x")), 1.0), "cube", "v1 = cube(x)", ""),
    "beside a kink": (lambda: kinked()(leaf([0.0, 1.0, -1.0], "x")).sum(), "kinked", "kinked(x)", ""),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_first_wrong_op_is_named_and_marked(name):
    program, op, says, module = PLANTED[name]
    y = program()
    with pytest.raises(GradientError, match="the first op whose local derivative is wrong is ") as caught:
        ag.check_grads(y)
    message = str(caught.value)
    assert op in message.partition(": analytic")[0]
    assert says in message
    assert "analytic" in message
    assert "numeric" in message
    marked = [item for item in caught.value.picture.view.items if item.alarm == "wrong derivative"]
    assert [item.id for item in marked] == [caught.value.at]
    assert "wrong derivative" in caught.value.picture.source
    assert not module or module in message


def test_the_line_is_told_where_somebody_watched():
    bad = cube()
    with ag.detect_anomaly():
        y = bad(leaf(0.7, "x")) * 2.0
    with pytest.raises(GradientError, match=r"test_check_graph\.py:\d+: y = bad\(leaf\(0\.7"):
        ag.check_grads(y)


HEALTHY = {
    "an expression": lambda: np.sin(leaf(0.3)) * leaf(2.0) ** 3,
    "at a kink": lambda: ag.relu(leaf([0.0, 1.0, -1.0])).sum(),
    "a maximum with ties": lambda: np.maximum(leaf([1.0, 2.0]), leaf([1.0, 3.0])).sum(),
    "an MLP": lambda: nn.MSELoss()(nn.MLP(3, [4, 1], rng=0)(X), X[:, :1]),
    "many values near kinks": lambda: ag.relu(leaf(MANY) * 1.0).sum(),
    "a pool of many ties": lambda: nn.MaxPool2d(2)(leaf(np.zeros((8, 16, 16, 16)))).sum(),
    "a large array that the graph does not keep": lambda: (leaf(MANY) + np.ones((100, 16))).sum(),
    "an MLP of relus at zero": lambda: nn.MSELoss()(nn.MLP(3, [4, 1], rng=0)(np.zeros((2, 3))), np.ones((2, 1))),
    "cross-entropy": lambda: nn.CrossEntropyLoss()(nn.MLP(3, [4, 3], rng=0)(X), np.array([0, 1, 2, 0])),
    "dropout": lambda: nn.Dropout(0.5, rng=0)(leaf(np.ones(20))).sum(),
    "batch norm": lambda: nn.BatchNorm1d(3)(leaf(X)).sum(),
    "a convolution": lambda: nn.Conv2d(1, 2, 3, rng=0)(np.ones((1, 1, 5, 5), "f")).sum(),
    "an LSTM": lambda: nn.LSTM(3, 2, rng=0)(X.reshape(4, 1, 3))[0].sum(),
    "attention": lambda: F.scaled_dot_product_attention(*[leaf(X[None, None])] * 3).sum(),
    "indices and a split": lambda: np.split(leaf(X)[np.array([0, 0, 1, 2])], 2)[1].sum(),
    "complex numbers": lambda: abs(leaf(np.array([1 + 1j, 2j]), "z") * 2.0).sum(),
    "where": lambda: np.where(X > 0, leaf(X), 0.0).sum(),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_right_is_passed(name):
    y = HEALTHY[name]()
    before = y.data.tobytes()
    ag.check_grads(y)
    assert y.data.tobytes() == before
    y.backward()


def test_what_is_refused():
    y = (np.exp(leaf(np.ones(100))) ** 2).sum()
    with pytest.raises(ArgumentError, match="a Tensor takes no arguments, got 1"):
        ag.check_grads(y, 1.0)
    y.backward()
    with pytest.raises(GraphError, match=r"Check before backward\(\), or call it with retain_graph=True"):
        ag.check_grads(y)
