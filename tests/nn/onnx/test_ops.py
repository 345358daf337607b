"""Each op alone, and indices, lengths and constants that depend on the batch, under onnxruntime."""

from functools import partial

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.primitive import registry
from nn.onnx import TRANSLATIONS
from nn.onnx.graph import Graph
from nn.onnx.lengths import BATCH, Axes
from nn.onnx.plan import make_plan
from tests.nn.onnx.runtime import Function, check, session

X = np.random.default_rng(0).uniform(0.1, 0.9, (4, 3, 5)).astype(np.float32)
UNARY = (
    *(
        "negative",
        "positive",
        "absolute",
        "fabs",
        "reciprocal",
        "sqrt",
        "square",
        "cbrt",
        "exp",
        "exp2",
        "expm1",
        "copy",
    ),
    *("log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("arcsinh", "arctanh", "deg2rad", "rad2deg", "radians", "degrees"),
)
BINARY = (
    *("add", "subtract", "multiply", "divide", "power", "float_power", "maximum", "minimum", "hypot", "logaddexp"),
    *("remainder", "fmod"),
)
OURS = ("relu", "leaky_relu", "elu", "sigmoid", "softplus", "silu", "gelu", "erf", "softmax", "log_softmax")


LARGE = np.arange(300, dtype=np.float32).reshape(3, 100)


def bounded(x):
    """Bring any input into 0.1 … 0.9, where all functions are defined."""
    return 0.1 + 0.8 * ag.sigmoid(x)


def gram(x):
    rows = x.reshape(x.shape[0], -1)
    return rows @ rows.T


def unary(f):
    return lambda x: f(bounded(x))


def binary(f):
    return lambda x: f(bounded(x), 1.5 * bounded(x[:, :1]))


def padded(x, lengths):
    return nn.functional.rnn(np.swapaxes(x[..., :2], 0, 1), None, RNN, lengths=lengths)[0].sum()


def plus(f, x):
    return x + f(x)


TABLE = np.arange(12, dtype=np.float32).reshape(4, 3)
CUT = {  # what no gradient flows through
    "operators": lambda x: 1.0 * (x > 0) + (x < 0.1) + (x >= 0.2) + (x <= 0.3) + (x == x[:, :1]) + (x != x[:, :1]),
    "ufuncs": lambda x: sum(f(x, x[:, :1]) * 1.0 for f in COMPARED),
    "where": lambda x: np.where(x > x.mean(axis=2, keepdims=True), x, 0.0),
    "sign": lambda x: np.sign(x) + np.floor(x) + np.ceil(x) + np.rint(x) + np.round(x),
    "argmax": lambda x: x.argmax(axis=2)[..., None] + np.argmin(x, axis=1, keepdims=True),
    "argmax of all": lambda x: x[:1].argmax() + np.argmin(x[:1]),
    "rows": lambda x: ag.Tensor(TABLE)[np.argmax(x, axis=2) % 4].sum(axis=2, keepdims=True),
    "gradient": lambda x: ag.grad(lambda x: (np.sin(x) * x).sum())(x),
    "checked": lambda x: (
        nn.functional.embedding(x.argmax(axis=2), TABLE5) + nn.functional.one_hot((x * 3).argmax(axis=2), 5)
    ),
    "lengths": lambda x: padded(x, x[:, 0].argmax(axis=1) % 3 + 1),
}
COMPARED = (np.greater, np.less, np.greater_equal, np.less_equal, np.equal, np.not_equal)
TABLE5 = np.arange(25, dtype=np.float32).reshape(5, 5)
RNN = [[np.full((2, 2), 0.5, np.float32), np.full((2, 2), 0.25, np.float32)]]
CASES = {
    **{name: unary(getattr(np, name)) for name in UNARY},
    **{name: binary(getattr(np, name)) for name in BINARY},
    **{name: getattr(ag, name) for name in OURS},
    "arccosh": lambda x: np.arccosh(1 + bounded(x)),
    "logit": lambda x: ag.logit(bounded(x)),
    "prelu": lambda x: nn.functional.prelu(x, np.array([0.1, 0.2, 0.3], np.float32)),
    "fused_gelu": lambda x: nn.functional.gelu(x),
    "linear_no_bias": lambda x: nn.functional.linear(x, np.ones((2, 5), np.float32)),
    "clip": lambda x: np.clip(x, -0.5, 0.5),
    "clip on one side": lambda x: np.clip(x, None, 0.5),
    "astype": lambda x: x.astype(np.float64),
    "where": lambda x: np.where(np.array([True, False, True, False, True]), x, 0.0),
    "where, all alike": lambda x: np.where(np.full((x.shape[0], 1, 1), False), x, 2 * x[:, :1]),
    "number of another dtype": lambda x: x * np.float64(2),
    "number that is a length": lambda x: np.sum(x, axis=0) / x.shape[0],
    "sum": lambda x: x.sum(),
    "sum over axes": lambda x: x.sum(axis=(1, -1), keepdims=True),
    "sum over none": lambda x: np.sum(x, axis=()),
    "mean": lambda x: x.mean(axis=0),
    "max": lambda x: x.max(axis=-1),
    "min": lambda x: x.min(axis=1, keepdims=True),
    "prod": lambda x: np.prod(x, axis=2),
    "var": lambda x: np.var(x, axis=2, ddof=1),
    "std": lambda x: np.std(x, axis=(0, 1)),
    "norm": lambda x: np.linalg.norm(x, axis=2),
    "norm of order 3": lambda x: np.linalg.norm(x, ord=3, axis=2),
    "logsumexp": lambda x: ag.logsumexp(x, axis=2),
    "cumsum": lambda x: np.cumsum(x, axis=1),
    "cumsum of all": lambda x: np.cumsum(x),
    "matmul": lambda x: x @ np.swapaxes(x, 1, 2),
    "matmul by a vector": lambda x: x @ np.ones(5, np.float32),
    "einsum": lambda x: np.einsum("nij,kj->nik", x, np.ones((2, 5), np.float32)),
    "reshape": lambda x: x.reshape(-1, 5),
    "reshape to the batch twice": lambda x: gram(x).reshape(x.shape[0], 1, -1),
    "ravel": lambda x: x.ravel(),
    "squeeze": lambda x: np.squeeze(x[:, :1], 1),
    "squeeze all": lambda x: np.squeeze(np.sum(x, axis=0)[:1]),
    "expand_dims": lambda x: np.expand_dims(x, (0, -1)),
    "transpose": lambda x: x.T,
    "transpose to": lambda x: np.transpose(x, (0, -1, 1)),
    "broadcast_to": lambda x: np.broadcast_to(np.sum(x, axis=0), (x.shape[0], 3, 5)),
    "flip": lambda x: np.flip(x, (1, 2)),
    "roll": lambda x: np.roll(x, (1, -2), (1, 2)),
    "tile": lambda x: np.tile(x, (2, 1, 3)),
    "tile to more axes": lambda x: np.tile(x, (2, 1, 1, 3)),
    "repeat": lambda x: np.repeat(x, 2, 1),
    "repeat all": lambda x: np.repeat(x, 2),
    "pad": lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), constant_values=3.0),
    "pad by reflection": lambda x: np.pad(x, ((0, 0), (1, 2), (0, 1)), mode="reflect"),
    "tril": lambda x: np.tril(x),
    "triu": lambda x: np.triu(x, 1),
    "stack": lambda x: np.stack([x, 2 * x], axis=-1),
    "concatenate": lambda x: np.concatenate([x, 2 * x], axis=2),
    "concatenate a constant": lambda x: np.concatenate([x, np.ones((x.shape[0], 1, 5), np.float32)], axis=1),
    "concatenate batches": lambda x: np.concatenate([x, x], axis=0),
    "split": lambda x: tuple(np.split(x, [1, 3], axis=2)),
    "split of the batch": lambda x: np.array_split(x, [1], axis=0)[0],
    "getitem": lambda x: x[:, -1],
    "gather": lambda x: x[:, [2, 0]],
    "index: ellipsis and step": lambda x: x[..., 1:4:2],
    "index: reversed": lambda x: x[:, None, 1, ::-1],
    "index: two numbers": lambda x: x[:, 1, -2],
    "index: to the end": lambda x: x[:, :-1],
    "index: last of the batch": lambda x: x[-1],
    "index: one element": lambda x: x[0, 1, 2],
    "index: length of the batch": lambda x: x[: x.shape[0]],
    "index: array with new axes": lambda x: x[:, [[0, 1], [2, 2]], None],
    "index: pairs": lambda x: np.transpose(x, (1, 2, 0))[[0, 2], [1, 3]],
    "unstack": lambda x: registry["unstack"](x, axis=1),
    "constant": lambda x: x + np.arange(15, dtype=np.float32).reshape(3, 5),
    "large constant": lambda x: np.repeat(x, 20, 2) + LARGE,
    "constant of batch length": lambda x: x + np.full((x.shape[0], 1, 5), 2.0, np.float32),
    "several outputs": lambda x: {"a": 2 * x, "b": (x + 1, [x])},
    "one output twice": lambda x: (2 * x,) * 2,
    "opened by its definition": lambda x: ag.checkpoint(lambda y: np.sin(y) * 2)(x),
    "detach is the value": lambda x: x * x.detach(),
    **{f"no gradient: {name}": partial(plus, f) for name, f in CUT.items()},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


@pytest.mark.parametrize("name", CASES)
def test_op(name, tmp_path):
    check(
        Function(CASES[name]), X, tmp_path / "model.onnx", gradients=name.split()[0] not in ("detach", "no")
    )  # ONNX knows no gradients


def test_every_translation_is_tried():
    """An op of the table that no test exports is an op that may be wrong."""
    seen = set()

    def note(name, translation, g, s):
        seen.add(name)
        return translation(g, s)

    def watched(table):
        return {name: partial(note, name, f) for name, f in table.items()}

    for function in CASES.values():
        plan = make_plan(function, [[X[:n]] for n in (2, 3)], Axes(({0: BATCH},), {BATCH: 4}), {}, TRANSLATIONS)
        Graph(17, watched(TRANSLATIONS)).build(plan, "test")
    layers = {
        "linear",
        "dense",
        "conv",
        "conv_transpose",
        "max_pool",
        "avg_pool",
        "embedding",
        "layer_norm",
        "batch_norm",
        "lstm",
        "gru",
        "rnn",
        "attention",
        "self_attention",
    }
    assert set(TRANSLATIONS) - seen - layers == set()


@pytest.mark.parametrize("opset", [17, 18])
def test_reductions_in_both_forms(opset, tmp_path):
    """Axes are an attribute up to opset 17 and an input after it."""
    check(
        Function(lambda x: (x.mean(axis=1), x.max(axis=(1, 2)), np.prod(x, axis=2))),
        X,
        tmp_path / "model.onnx",
        opset=opset,
    )


def test_softplus_does_not_overflow(tmp_path):
    nn.onnx.export(Function(ag.softplus), X, tmp_path / "model.onnx")
    (y,) = session(tmp_path / "model.onnx").run(None, {"input": np.full((1, 3, 5), 1000, np.float32)})
    np.testing.assert_allclose(y, 1000)
