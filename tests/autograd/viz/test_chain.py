"""The chain rule of arrays: each op between arrays says what it gives its inputs, with shapes, numbers, and LaTeX."""

import numpy as np
import pytest
from graphs import leaf
from test_formulas import WHOLE

import autograd as ag
import nn
from autograd.errors import GraphError
from nn import functional as F

SHAPES = {
    **dict(A=(2, 3), B=(3, 4), x=(4, 3), W=(2, 3), b=(2,), z=(4, 3), t=(4, 3), p=(4, 3), c=(3,)),
    **dict(images=(2, 1, 4, 4), K=(3, 1, 3, 3), q=(2, 1, 3, 4), k=(2, 1, 5, 4), v=(2, 1, 5, 4), qkv=(2, 3, 12)),
}
NAMED = {name: np.random.default_rng(k).normal(size=shape) for k, (name, shape) in enumerate(SHAPES.items())}
NAMED["p"] = 1 / (1 + np.exp(-NAMED["p"]))
LABELS = np.array([0, 2, 1, 1])
S = "softmax(q @ kᵀ·0.5 + 0)"
dS = "dP = g @ vᵀ, dS = P·(dP − Σ each row(P·dP))"
# op: what is computed from named leaves, of which leaf the gradient is explained, and what is said of it
CASES = {
    "matmul, left": ("matmul", lambda A, B: A @ B, "A", "g @ Bᵀ"),
    "matmul, right": ("matmul", lambda A, B: A @ B, "B", "Aᵀ @ g"),
    "matmul, many by one": ("matmul", lambda q, k: q @ k[0, 0].T, "q", "g @ v3ᵀ"),
    "linear, input": ("linear", lambda x, W, b: F.linear(x, W, b), "x", "g @ W"),
    "linear, weight": ("linear", lambda x, W, b: F.linear(x, W, b), "W", "gᵀ @ x"),
    "linear, bias": ("linear", lambda x, W, b: F.linear(x, W, b), "b", "Σ rows(g)"),
    "linear without bias": ("linear_no_bias", lambda x, W: F.linear(x, W), "W", "gᵀ @ x"),
    "conv, kernel": ("conv", lambda images, K, c: F.conv2d(images, K, c), "K", "correlate(images, g)"),
    "conv, padded": ("conv", lambda images, K, c: F.conv2d(images, K, c, padding=(1, 2)), "K", "correlate(images, g)"),
    "conv, image": ("conv", lambda images, K, c: F.conv2d(images, K, c, padding=1), "images", "convolve(g, K)"),
    "conv, bias": ("conv", lambda images, K, c: F.conv2d(images, K, c), "c", "Σ each channel(g)"),
    "mean": ("mean", lambda x: x.mean(), "x", "g/12"),
    "mean of rows": ("mean", lambda x: x.mean(axis=1, keepdims=True), "x", "g/3"),
    "MSE": ("mse_loss", lambda x, t: F.mse_loss(x, t), "x", "g·2·(x − t)/12"),
    "MSE, target": ("mse_loss", lambda x, t: F.mse_loss(x, t), "t", "g·2·(t − x)/12"),
    "MSE, summed": ("mse_loss", lambda x, t: F.mse_loss(x, t, reduction="sum"), "x", "g·2·(x − t)/1"),
    "BCE": (
        "binary_cross_entropy",
        lambda p: F.binary_cross_entropy(p, np.ones((4, 3))),
        "p",
        "g·(p − v1)/(p·(1 − p))/12",
    ),
    "BCE of logits": (
        "binary_cross_entropy_with_logits",
        lambda z: F.binary_cross_entropy_with_logits(z, np.ones((4, 3))),
        "z",
        "g·(σ(z) − v1)/12",
    ),
    "cross entropy": ("cross_entropy", lambda z: F.cross_entropy(z, LABELS), "z", "g·(softmax(z) − onehot(index))/4"),
    "cross entropy, soft": (
        "cross_entropy_soft",
        lambda z: F.cross_entropy(z, np.full((4, 3), 1 / 3)),
        "z",
        "g·(softmax(z) − v1)/4",
    ),
    "softmax": ("softmax", lambda z: ag.softmax(z, -1), "z", "v1·(g − Σ each row(g·v1))"),
    "log_softmax": ("log_softmax", lambda z: ag.log_softmax(z, -1), "z", "g − exp(v1)·Σ each row(g)"),
    "attention, value": (
        "attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        "v",
        f"Pᵀ @ g where P = {S}",
    ),
    "attention, query": (
        "attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        "q",
        f"dS @ k·0.5 where P = {S}, {dS}",
    ),
    "attention, key": (
        "attention",
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v),
        "k",
        f"dSᵀ @ q·0.5 where P = {S}, {dS}",
    ),
    "attention of heads": (
        "self_attention",
        lambda qkv: ag.primitive.registry["self_attention"](qkv, 0.0, heads=2, keep=None, batch_first=True),
        "qkv",
        "join(dS @ k, dSᵀ @ q, Pᵀ @ h) where q = heads(qkv, 0), k = heads(qkv, 1), v = heads(qkv, 2), h = heads(g, 0), "
        "P = softmax(q @ kᵀ/√(2) + 0), dP = h @ vᵀ, dS = P·(dP − Σ each row(P·dP))/√(2)",
    ),
    "a factor, element by element": ("tanh", lambda x: np.tanh(x), "x", "g·(1 − v1²)"),
    "relu": ("relu", lambda x: ag.relu(x), "x", "g·[x > 0]"),
    "broadcast": ("multiply", lambda x, c: x * c, "c", "Σ g·x"),
    "sum": ("sum", lambda x: x.sum(), "x", "g"),
    "reshape": ("reshape", lambda x: x.reshape(2, 6), "x", "g, back in its places"),
}  # fmt: skip


def explained(case):
    op, f, of, _ = CASES[case]
    code = f.__code__
    leaves = {name: leaf(NAMED[name], name) for name in code.co_varnames[: code.co_argcount]}
    y = f(**leaves)
    weight = np.random.default_rng(9).normal(size=y.shape)
    explanation = ag.explain((y * weight).sum() * 1.5 if y.ndim else y * 1.5, leaves[of], index=(0,) * leaves[of].ndim)
    (local,) = {local for path in explanation.paths for local in path.locals if local.op == op and local.x == of} or {
        local for path in explanation.paths for local in path.locals if local.op == op
    }
    return explanation, local


@pytest.mark.parametrize("case", CASES)
def test_what_an_op_says_of_its_gradient(case):
    explanation, local = explained(case)
    assert local.chain is not None
    assert local.chain.text == CASES[case][3]
    assert local.text() in str(explanation)
    assert local.chain.latex in explanation._repr_latex_()
    assert r"\mathbb{R}^{" in explanation._repr_latex_()


@pytest.mark.parametrize("case", CASES)
def test_finite_differences_stand_beside_it(case):
    explanation, _ = explained(case)
    assert explanation.measured == pytest.approx(explanation.total, rel=1e-6, abs=1e-8)
    assert "by finite differences" in str(explanation)


def test_every_formula_of_arrays_is_tried_here():
    assert WHOLE.keys() <= {op for op, *_ in CASES.values()}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_formula_that_is_not_the_rule_is_not_said(name, monkeypatch):
    """What stands in a declaration is computed before it is shown."""
    case = next(case for case, (op, *_) in CASES.items() if op == name)
    wrong = tuple(rule and f"1.01 * ({rule.rsplit(';', 1)[-1]})" for rule in WHOLE[name].formula)
    full = tuple(
        rule and "; ".join([*rule.split(";")[:-1], bad]) for rule, bad in zip(WHOLE[name].formula, wrong, strict=True)
    )
    monkeypatch.setattr(WHOLE[name], "formula", full)
    _, local = explained(case)
    assert local.chain is None
    assert f"the rule of {name}" in local.text()


def strided(x):
    return F.conv2d(NAMED["images"], x, stride=2)


def weighed(x):
    return F.cross_entropy(x, LABELS, weight=np.array([1.0, 2.0, 3.0]))


def smoothed(x):
    return F.cross_entropy(x, LABELS, label_smoothing=0.1)


def along_columns(x):
    return ag.softmax(x, 0)


NOT_TOLD = {
    "a stride": (strided, "K", "conv"),
    "weights of classes": (weighed, "z", "cross_entropy"),
    "smoothed labels": (smoothed, "z", "cross_entropy"),
    "another axis": (along_columns, "z", "softmax"),
}


@pytest.mark.parametrize("case", NOT_TOLD)
def test_a_case_that_a_formula_does_not_tell_of_is_left_to_the_rule(case):
    f, name, op = NOT_TOLD[case]
    x = leaf(NAMED[name], name)
    y = f(x)
    explanation = ag.explain((y * np.random.default_rng(1).normal(size=y.shape)).sum(), x)
    (local,) = {local for path in explanation.paths for local in path.locals if local.op == op}
    assert local.chain is None


def test_numbers_stand_in_it_where_they_are_few():
    w = leaf(np.ones((3, 2)), "w")
    text = str(ag.explain(((np.ones((1, 3)) @ w) ** 2).sum(), w, index=(0, 0)))
    assert "∂v4/∂w = v1ᵀ @ g → (3, 2) = [[6  6], [6  6], [6  6]]" in text
    assert "g = ∂v4/∂v2 (1, 2), v1 (1, 3)" in text
    assert "g = [6  6]; v1 = [1  1  1]" in text
    assert (
        r"\begin{pmatrix} 6 & 6 \\ 6 & 6 \\ 6 & 6 \end{pmatrix}"
        in ag.explain(((np.ones((1, 3)) @ w) ** 2).sum(), w, index=(0, 0))._repr_latex_()
    )


def test_after_a_plain_backward_all_is_computed_again():
    x = leaf(np.linspace(0.1, 1.0, 100), "x")
    y = (x * x).sum()
    y.backward()
    explanation = ag.explain(y, x, index=3)
    assert explanation.total == pytest.approx(x.grad[3].item())
    assert "g·x" in str(explanation)


def test_what_cannot_be_computed_again_asks_for_retain_graph():
    x = leaf(np.ones(100), "x")
    y = (x * np.arange(100.0)).sum()  # of which nobody holds the second
    y.backward()
    with pytest.raises(GraphError, match=r"explain needs arrays that are gone.*retain_graph=True"):
        ag.explain(y, x)


def test_single_precision_is_measured_in_double():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1))
    x = np.ones((5, 3), "f")
    loss = model(x).mean()
    explanation = ag.explain(loss, model[0].weight, index=(0, 0))
    assert abs(explanation.measured - explanation.total) < 1e-6 * abs(explanation.total) + 1e-9


def test_where_the_op_runs_but_once_nothing_is_measured():
    calls = []

    def once(x):
        calls.append(1)
        if len(calls) > 1:
            raise OSError("the file is gone")
        return x * 2.0

    x = leaf(1.5, "x")
    explanation = ag.explain(ag.op(once, vjp=lambda g: g * 2.0, name="once_only")(x) * 1.0, x)
    assert explanation.measured is None
    assert "finite differences" not in str(explanation)
