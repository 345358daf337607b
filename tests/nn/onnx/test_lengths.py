"""Lengths that vary: formulas from runs, the axes that a user names, and models of other lengths under onnxruntime."""

import numpy as np
import pytest

import nn
import nn.onnx
from autograd.errors import ArgumentError, GraphError
from nn.onnx.lengths import Axes, read_axes
from tests.nn.onnx.runtime import Function, flat, ours, session

F = nn.functional
RNG = np.random.default_rng(0)
TWO = Axes(({0: "batch", 1: "time"},), {"batch": 4, "time": 5})


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda n, t: n, "batch"),
        (lambda n, t: t - 1, "time-1"),
        (lambda n, t: 2 * n * t + n - 3, "2*batch*time+batch-3"),
        (lambda n, t: 7 - n, "-batch+7"),
        (lambda n, t: (n + 1) * (t - 2), "batch*time-2*batch+time-2"),
    ],
)
def test_a_length_is_found_from_its_values(formula, text):
    size = TWO.solve([formula(p["batch"], p["time"]) for p in TWO.grid])
    assert str(size) == text
    assert size.at({"batch": 11, "time": 13}) == formula(11, 13)


def test_three_lengths():
    axes = Axes(({0: "a", 1: "b", 2: "c"},), {"a": 3, "b": 1, "c": 2})
    size = axes.solve([p["a"] * p["b"] * p["c"] + 2 * p["b"] - p["c"] for p in axes.grid])
    assert size.at({"a": 5, "b": 7, "c": 11}) == 5 * 7 * 11 + 14 - 11
    assert len(axes.grid) == 8


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({0: "batch", -1: "time"}, ({0: "batch", 1: "time"},) * 2),
        ({"input_0": {0: "batch"}}, ({0: "batch"}, {})),
        ({"input_0": [0], "input_1": [1]}, ({0: "input_0_axis_0"}, {1: "input_1_axis_1"})),
        ({}, ({}, {})),
    ],
)
def test_axes(given, names):
    assert read_axes(given, ["input_0", "input_1"], [(2, 3), (2, 3)]).names == names


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({2: "time"}, r"maps axis 2 of input, of shape \(2, 3\), to 'time'; give the number of an axis and a name"),
        ({0: "two words"}, "maps axis 0 of input, .* to 'two words'"),
        ({"output": {0: "batch"}}, "dynamic_axes names 'output'; the inputs are input, and the lengths of outputs"),
        ({0: "n", 1: "n"}, "the axes called 'n' have the lengths 2 and 3 in the example; one name stands for one"),
    ],
)
def test_axes_that_make_no_sense(given, message):
    with pytest.raises(ArgumentError, match=f"onnx.export: .*{message}"):
        read_axes(given, ["input"], [(2, 3)])


def test_too_many_axes():
    with pytest.raises(ArgumentError, match="dynamic_axes has 4 names, and at most 3 are tried"):
        read_axes(dict(enumerate("abcd")), ["input"], [(1, 2, 3, 4)])


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        self.inner = kind(3, 4, batch_first=True, rng=0, **options)

    def forward(self, x):
        return self.inner(x)


class Classifier(nn.Module):
    """Read letters, and mean over time."""

    def __init__(self):
        self.token = nn.Embedding(10, 6, rng=0)
        self.inner = nn.GRU(6, 5, batch_first=True, rng=1)
        self.head = nn.Linear(5, 3, rng=2)

    def forward(self, x):
        return self.head(self.inner(self.token(x))[0].mean(axis=1))


class Causal(nn.Module):
    """Attend to what came before, under a mask that depends on the length."""

    def __init__(self):
        self.block = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, rng=0)

    def forward(self, x):
        return self.block(x)


class Padded(nn.Module):
    """Read sequences up to lengths that are an input of their own."""

    def __init__(self, kind, **options):
        self.kind = kind(3, 4, batch_first=True, rng=0, **options)

    def forward(self, x, lengths):
        return self.kind(x, lengths=lengths)


class Cells(nn.Module):
    """Run cells step by step: nodes that leave their y out, and after them nodes that leave bias or lengths out."""

    def __init__(self, bias):
        self.first, self.second = nn.LSTMCell(3, 4, bias=bias, rng=0), nn.GRUCell(4, 2, bias=bias, rng=1)

    def forward(self, x):
        states = h = None
        for t in range(3):
            states = self.first(x[:, t], states)
            h = self.second(states[0], h)
        return h


class Rows(nn.Module):
    """Read a table of floats: one column chooses a row of an Embedding, another is a length."""

    def __init__(self):
        self.kinds, self.steps = nn.Embedding(10, 2, rng=0), nn.GRU(1, 2, batch_first=True, rng=1)

    def forward(self, x):
        first, _ = self.steps(x[:, 2:, None], lengths=x[:, 1].astype(np.int64) % 3 + 1)
        return np.concatenate([x, self.kinds(x[:, 0].astype(int)), first[:, 0]], axis=1)


class Columns(nn.Module):
    """Give each column of integers an Embedding of its own, and see them as numbers and as one-hot rows, too."""

    def __init__(self):
        self.parts, self.head = [nn.Embedding(10, 2, rng=i) for i in range(3)], nn.Linear(3, 2, rng=3)

    def forward(self, x):
        found = [part(x[:, i].astype(np.int32)) for i, part in enumerate(self.parts)]
        hot = nn.functional.one_hot((2 * x[:, 0] + 1) % 4, 4) * 0.5
        return np.concatenate([*found, self.head(x), hot], axis=1)


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


BOTH = {0: "batch", 1: "time"}
PADDED = {"input_0": BOTH, "input_1": {0: "batch"}}
STEPS = nn.RNN(3, 2, batch_first=True, rng=0)
MODELS = {
    "RNN": (Recurrent(nn.RNN), floats(2, 5, 3), BOTH),
    "GRU": (Recurrent(nn.GRU), floats(2, 5, 3), BOTH),
    "LSTM, both directions": (Recurrent(nn.LSTM, bidirectional=True), floats(2, 5, 3), BOTH),
    "two layers": (Recurrent(nn.GRU, num_layers=2), floats(1, 1, 3), BOTH),
    "only the time": (Recurrent(nn.GRU), floats(2, 5, 3), {1: "time"}),
    "letters": (Classifier(), RNG.integers(0, 10, (2, 5)), BOTH),
    "attention": (Causal(), floats(2, 5, 4), BOTH),
    "dense on rows": (nn.Linear(3, 2, rng=0), floats(2, 5, 3), BOTH),
    "merged": (Function(lambda x: x.reshape(-1, 3) * 2), floats(2, 5, 3), BOTH),
    "merged and parted": (Function(lambda x: (x.reshape(-1, 3) * 2).reshape(x.shape)), floats(2, 5, 3), BOTH),
    "a mean by the length": (Function(lambda x: x.sum(axis=1) / x.shape[1]), floats(2, 5, 3), BOTH),
    "convolution": (nn.Conv1d(3, 2, 3, rng=0), floats(2, 3, 9), {0: "batch", 2: "time"}),
    "images of any size": (nn.Conv2d(1, 2, 3, padding=1, rng=0), floats(2, 1, 6, 5), {0: "n", 2: "h", 3: "w"}),
    "images of any size, one mean each": (
        nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3, rng=1)),
        floats(2, 1, 6, 5),
        {0: "n", 2: "h", 3: "w"},
    ),
    "shorter by a step": (nn.Conv1d(3, 2, 3, stride=2, rng=0), floats(2, 3, 9), {0: "batch", 2: "time"}),
    "lengths, RNN": (Padded(nn.RNN), (floats(3, 5, 3), np.array([5, 2, 3])), PADDED),
    "lengths, GRU": (Padded(nn.GRU), (floats(3, 5, 3), np.array([5, 2, 3])), PADDED),
    "lengths, LSTM": (
        Padded(nn.LSTM, num_layers=2, bidirectional=True), (floats(3, 5, 3), np.array([5, 2, 3])), PADDED,
    ),
    "lengths that are all the same": (
        Function(lambda x: STEPS(x, lengths=[2] * x.shape[0])[0]), floats(2, 5, 3), {0: "batch"},
    ),
    "cells": (Cells(True), floats(2, 3, 3), {0: "batch"}),
    "cells without bias": (Cells(False), floats(2, 3, 3), {0: "batch"}),
    "integers in a table of floats": (Rows(), np.abs(floats(4, 5)) * 3, {0: "batch"}),
    "columns of integers": (Columns(), RNG.integers(0, 10, (4, 3)), {0: "batch"}),
    "two inputs": (
        Function(lambda a, b: np.concatenate([a, b], axis=1)),
        (floats(2, 3, 2), floats(2, 5, 2)),
        {"input_0": {0: "batch", 1: "s"}, "input_1": {0: "batch", 1: "t"}},
    ),
}  # fmt: skip


@pytest.fixture
def _tools(require):
    require("onnx")


@pytest.mark.usefixtures("_tools")
@pytest.mark.parametrize("name", MODELS)
def test_models_of_other_lengths(name, tmp_path):
    model, example, given = MODELS[name]
    nn.onnx.export(model, example, tmp_path / "m.onnx", dynamic_axes=given)
    runtime, loaded = session(tmp_path / "m.onnx"), nn.onnx.load(tmp_path / "m.onnx")
    examples = example if isinstance(example, tuple) else (example,)
    axes = read_axes(given, [info.name for info in runtime.get_inputs()], [x.shape for x in examples])
    for add in (0, 1, 3, 8):
        lengths = {key: n + (i + 1) * add for i, (key, n) in enumerate(axes.example.items())}
        inputs = []
        for x, named in zip(examples, axes.names, strict=True):
            shape = tuple(lengths[named[axis]] if axis in named else n for axis, n in enumerate(x.shape))
            made = np.abs(floats(*shape)) if "integers" in name else floats(*shape)
            low, high = (1, lengths.get("time", 0) + 1) if "lengths, " in name else (0, 10)
            inputs.append(made if x.dtype.kind == "f" else RNG.integers(low, high, shape))
        found = runtime.run(None, {info.name: x for info, x in zip(runtime.get_inputs(), inputs, strict=True)})
        y = loaded(*inputs)
        for one, two, mine in zip(found, flat(y), ours(model, inputs), strict=True):
            np.testing.assert_allclose(one, mine, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(two, mine, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("_tools")
def test_the_file_says_which_lengths_vary(tmp_path):
    import onnx

    nn.onnx.export(nn.Conv1d(3, 2, 3, rng=0), floats(2, 3, 9), tmp_path / "m.onnx", dynamic_axes={0: "n", 2: "time"})
    graph = onnx.load(tmp_path / "m.onnx").graph
    dims = [[d.dim_param or d.dim_value for d in i.type.tensor_type.shape.dim] for i in (*graph.input, *graph.output)]
    assert dims == [["n", 3, "time"], ["n", 2, "time-2"]]
    halved = nn.Conv1d(3, 2, 3, stride=2, rng=0)
    nn.onnx.export(halved, floats(2, 3, 9), tmp_path / "m.onnx", dynamic_axes={0: "n", 2: "time"})
    last = onnx.load(tmp_path / "m.onnx").graph.output[0].type.tensor_type.shape.dim[2]
    assert (last.dim_param, last.dim_value) == ("", 0)  # half the time, rounded down


@pytest.mark.usefixtures("_tools")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            lambda x: nn.functional.max_pool1d(np.swapaxes(x, 1, 2), 2),
            r"reference implementation fails: .*\. A length may be no sum of products .* pass fewer dynamic_axes",
        ),
        (lambda x: x.reshape(2, 5, 3), r"not at other lengths .*cannot reshape.*or pass fewer dynamic_axes"),
        (lambda x: x + np.arange(x.shape[1], dtype="f4")[:, None], "a constant of shape .* changes with the input"),
        (lambda x: sum(x[:, i] for i in range(x.shape[1])), "the model takes other steps for another input"),
        (lambda x: np.broadcast_to(x.mean(axis=1, keepdims=True), (x.shape[0], x.shape[1] // 2, 3)), "in ONNX, but"),
    ],
)
def test_what_depends_on_a_length_otherwise_is_refused(function, message, tmp_path):
    with pytest.raises((ArgumentError, GraphError), match=message):
        nn.onnx.export(Function(function), floats(2, 5, 3), tmp_path / "m.onnx", dynamic_axes=BOTH)
