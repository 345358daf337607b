"""The smallest program of each kind, as a user would meet it: the right value, or the refusal that its law allows."""

import copy
import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from tests.autograd.laws.oracle import family, plain

D = np.array([1.0, np.nan])
Q, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
TIED = (lambda a: (a + a.T) / 2)(Q @ np.diag([4.0, 4.0, 9.0]) @ Q.T)  # noqa: PLC3002
X = np.random.default_rng(0).standard_normal((40, 3)).astype("f4")


def written(p):
    a = np.zeros(3)
    a[1] = p[0] ** 2
    return (a * p).sum()


def row_written(x):
    y = x * 1
    row = y[0]
    row += 1
    return (y**2).sum()


def transpose_read(x):
    y = x * 1
    t = y.T
    y[0] = 0
    return (t**2).sum()


def root(a):
    w, v = np.linalg.eigh((a + a.T) / 2)
    return ((v * np.sqrt(w)) @ v.T * np.arange(9.0).reshape(3, 3)).sum()


def own(b):
    mine = ag.op(lambda a, b: a * b, vjp=lambda g, a, b: (g * b, g * a), definition=lambda a, b: a * b, name="mine")
    return ag.grad(lambda a: mine(a, b))(2.0) ** 2


def penalty(W):
    return (ag.grad(lambda z: F.linear(z, W).sum())(np.array([[1.0, 2.0]])) ** 2).sum()


def loaded(w):
    m = nn.Linear(2, 1, rng=0).astype(float)
    m.load_state_dict({"weight": w, "bias": np.zeros(1)})
    return m(np.array([[1.0, 3.0]])).sum()


def weighed(s):
    z, t = np.array([[-1.0, 2.0], [0.3, 1.0]]), np.array([1, 0])
    return F.cross_entropy(z, t, weight=np.stack([s, 1 - s]))


def layer_off(create_graph):
    layer = nn.Layer(1, 1, "relu", rng=0)
    layer.weight.data = np.array([[-1.0]], np.float32)
    t = ag.Tensor([[1.0]], requires_grad=True, dtype=np.float32)
    np.sqrt(layer(t)).sum().backward(create_graph=create_graph)
    gradient, t.grad = plain(t.grad), None
    return gradient


def changed_input():
    m = nn.Sequential(nn.Linear(3, 1, rng=0), nn.Tanh())
    x = ag.Tensor(X)
    y = m(x).sum()
    x += 1
    y.backward()
    return plain(m[0].weight.grad)


def one_by_one():
    m = nn.Sequential(nn.Linear(3, 1, rng=0), nn.Tanh())
    m[1](m[0](ag.Tensor(X))).sum().backward()
    return plain(m[0].weight.grad)


V, T = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5])


def closing(x):
    return x * ag.grad(lambda z: ((x * z) ** 2).sum())(1.0)


def shared():
    a = np.array([1.0, 2.0])
    x, y = ag.Tensor(a, requires_grad=True, copy=False), ag.Tensor(a, copy=False)
    loss = (x * x).sum()
    y += 1
    loss.backward()
    return plain(x.grad)


# name: (what is run, the right value, what is honest beside it)
SMALLEST = {
    "a number into an array": (lambda: ag.grad(written)(np.array([2.0, 3.0, 4.0])), [12, 4, 0], "refused"),
    "math.exp": (lambda: ag.grad(lambda x: x * math.exp(-x))(1.0), 0, "refused"),
    "initial=": (lambda: ag.grad(lambda x: np.sum(np.ones(3), initial=x))(0.7), 1, "refused"),
    "deepcopy": (lambda: ag.grad(lambda x: (copy.deepcopy(x) ** 2).sum())(np.array([1.0, 2.0])), [2, 4], "refused"),
    "a row": (lambda: ag.value_and_grad(row_written)(np.array([[1.0, 2], [3, 4]]))[1], [[4, 6], [6, 8]], "refused"),
    "a row, its value": (lambda: ag.value_and_grad(row_written)(np.array([[1.0, 2], [3, 4]]))[0], 38, "refused"),
    "a transpose": (lambda: ag.grad(transpose_read)(np.array([[1.0, 2], [3, 4]])), [[0, 0], [6, 8]], "refused"),
    "a transpose, its value": (lambda: plain(transpose_read(ag.Tensor([[1.0, 2], [3, 4]]))), 25, "refused"),
    "sqrt squared": (lambda: ag.grad(lambda x: np.sqrt(x) ** 2)(0.0), 1, "nan"),
    "norm squared": (lambda: ag.hessian(lambda x: np.linalg.norm(x) ** 2)(np.zeros(2)), 2 * np.eye(2), "nan"),
    "equal eigenvalues": (lambda: ag.grad(root)(TIED)[0], [0.0037, 0.4933, 1.0178], "nan refused"),
    "softplus by hand": (
        lambda: ag.grad(lambda x: np.where(x < 50, np.log1p(np.exp(x)), x).sum())(np.array([1000.0])),
        [1],
        "",
    ),
    "nansum": (lambda: ag.grad(lambda w: np.nansum((D - w) ** 2))(3.0), 4, ""),
    "penalty of a linear layer": (lambda: ag.grad(penalty)(np.array([[3.0, 4.0]])), [[6, 8]], ""),
    "penalty of an own op": (lambda: ag.grad(own)(3.0), 6, ""),
    "a layer that is off": (lambda: layer_off(False), [[0]], ""),
    "a layer that is off, create_graph": (lambda: layer_off(True), [[0]], ""),
    "a loaded weight": (lambda: ag.grad(loaded)(np.array([[1.0, 2.0]])), [[1, 3]], "refused"),
    "class weights": (lambda: ag.grad(weighed)(0.3), 1.0546, "refused"),
    "np.ix_": (lambda: ag.grad(lambda x: (np.ix_(x)[0] ** 2).sum())(np.array([1.0, 2.0])), [2, 4], "refused"),
    "an input that was changed": (changed_input, one_by_one(), "refused"),
    "jvp of a closure": (lambda: ag.jvp(closing, (V,), (T,))[1], [9.5, -23, 1.25], ""),
    "jvp of a checkpointed closure": (lambda: ag.jvp(ag.checkpoint(closing), (V,), (T,))[1], [9.5, -23, 1.25], ""),
    "jvp of a checkpointed jvp": (
        lambda: ag.jvp(ag.checkpoint(lambda x: ag.jvp(lambda z: np.sin(x * z), (np.ones(3),), (T,))[1]), (V,), (T,))[1],
        (np.cos(V) - V * np.sin(V)) * T * T,
        "",
    ),
    "two Tensors on one memory": (shared, [2, 4], "refused"),
    "division by zero": (lambda: gradient_of(lambda x: x / 0), np.inf, ""),
}


def gradient_of(f):
    x = ag.Tensor(1.0, requires_grad=True)
    f(x).backward()
    return plain(x.grad)


@pytest.mark.parametrize("name", SMALLEST)
def test_smallest_program(name):
    run, right, honest = SMALLEST[name]
    try:
        with np.errstate(all="ignore"):
            found = plain(run())
    except Exception as error:
        if "refused" in honest and family(error) is not None:
            return
        raise
    if "nan" in honest and np.isnan(found).any():
        return
    np.testing.assert_allclose(found, right, atol=1e-4)


def test_explain_prints_the_derivative_that_was_used():
    """At a tie np.maximum gives half to each: the formula that is printed has the value 0.5, which [1 > 1] has not."""
    a, b = ag.Tensor(1.0, requires_grad=True), ag.Tensor(1.0, requires_grad=True)
    text = str(ag.explain(np.maximum(a, b), a))
    assert "0.5" in text
    assert "[1 > 1] = 0.5" not in text


@pytest.mark.parametrize(
    ("f", "x", "used"),
    [
        (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
        (lambda x: np.minimum(x, 0.0), 0.0, 0.5),
        (ag.relu, 0.0, 0.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.clip(x, 0.0, 1.0), 1.0, 1.0),
        (ag.sigmoid, -800.0, 0.0),
        (ag.softplus, 800.0, 1.0),
        (np.tanh, 800.0, 0.0),
        (ag.silu, 800.0, 1.0),
    ],
    ids=["maximum", "minimum", "relu", "abs", "clip", "sigmoid", "softplus", "tanh", "silu"],
)
def test_explain_at_ties_and_where_a_naive_form_overflows(f, x, used):
    with np.errstate(all="raise", under="ignore"):
        leaf = ag.Tensor(x, requires_grad=True, name="x")
        text = str(ag.explain(f(leaf), leaf))
    assert ag.grad(f)(x) == used
    assert "nan" not in text
    assert "inf" not in text
    assert "[0 > 0] = 0.5" not in text
    assert "[0 < 0] = 0.5" not in text
