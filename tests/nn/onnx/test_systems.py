"""The systems that people build export, and onnxruntime gives what the module gives, at batch sizes 1 and 7."""

from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
import nn
from tests.nn.onnx.runtime import check, session

RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


class Recurrent(nn.Module):
    """Stack two recurrent layers and read the last state."""

    def __init__(self, kind, bidirectional=False):
        ways = 1 + bidirectional
        self.first = kind(100, 24, batch_first=True, bidirectional=bidirectional, rng=0)
        self.second = kind(24 * ways, 12, batch_first=True, bidirectional=bidirectional, rng=1)
        self.head = nn.Linear(12 * ways, 1, rng=2)

    def forward(self, x):
        y, _ = self.first(x)
        y, _ = self.second(y)
        return nn.functional.sigmoid(self.head(y[:, -1]))


class Transformer(nn.Module):
    """Predict the next character."""

    def __init__(self, letters=20, length=12, width=16):
        self.token = nn.Embedding(letters, width, rng=0)
        self.place = nn.Embedding(length, width, rng=1)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 32, activation="gelu", norm_first=True, batch_first=True, rng=i)
            for i in range(2)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, letters, bias=False, rng=2)

    def forward(self, x):
        y = self.token(x) + self.place(np.arange(x.shape[1]))
        for block in self.blocks:
            y = block(y, is_causal=True)
        return self.head(self.norm(y))


class Ensemble(nn.Module):
    """Average the probabilities of several models."""

    def __init__(self):
        self.models = [nn.MLP(4, [8, 3], rng=i) for i in range(3)]

    def forward(self, x):
        return np.mean(np.stack([ag.softmax(model(x)) for model in self.models]), axis=0)


def dense(*sizes, last=None):
    layers = [layer for i, (a, b) in enumerate(pairwise(sizes)) for layer in (nn.Linear(a, b, rng=i), nn.ReLU())]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, rng=0),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 13 * 13, 128, rng=1),
        nn.ReLU(),
        nn.Linear(128, 10, rng=2),
    )


def normalized():
    return nn.Sequential(
        nn.Linear(6, 8, rng=0),
        nn.BatchNorm1d(8),
        nn.GELU(),
        nn.Dropout(0.5, rng=0),
        nn.LayerNorm(8),
        nn.Linear(8, 8, rng=1),
        nn.LeakyReLU(),
        nn.Linear(8, 3, rng=2),
        nn.Softmax(dim=1),
    )


def images():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding="same", rng=0),
        nn.BatchNorm2d(4),
        nn.SiLU(),
        nn.AvgPool2d(2, padding=1, count_include_pad=False),
        nn.Conv2d(4, 6, (3, 2), stride=2, padding=1, dilation=(1, 2), groups=2, bias=False, rng=1),
        nn.MaxPool2d(2, stride=1, padding=1),
    )


def sequences():
    return nn.Sequential(
        nn.Conv1d(3, 4, 3, padding=1, rng=0),
        nn.BatchNorm1d(4),
        nn.ReLU(),
        nn.MaxPool1d(2),
        nn.AvgPool1d(2),
        nn.Flatten(),
    )


def generator():
    return dense(100, 128, 64, 8, last=nn.Tanh())


SYSTEMS = {
    "1 xor": lambda: (nn.MLP(2, [2, 1], rng=0), floats(4, 2)),
    "2 moons": lambda: (nn.MLP(2, [16, 16, 1], activation="tanh", rng=0), floats(5, 2)),
    "3 dense 10-50-50-1": lambda: (nn.MLP(10, [50, 50, 1], rng=0), floats(5, 10)),
    "4 sequential": lambda: (dense(8, 10, 8, 1, last=nn.Sigmoid()), floats(5, 8)),
    "5 dense 100-128-64-1": lambda: (dense(100, 128, 64, 1), floats(5, 100)),
    "6 cnn": lambda: (cnn(), floats(2, 1, 28, 28)),
    "6 layers of images": lambda: (images(), floats(2, 2, 9, 8)),
    "6 layers of sequences": lambda: (sequences(), floats(2, 3, 16)),
    "7 lstm": lambda: (Recurrent(nn.LSTM), floats(2, 100, 100)),
    "7 gru": lambda: (Recurrent(nn.GRU), floats(2, 20, 100)),
    "7 rnn": lambda: (Recurrent(nn.RNN), floats(2, 20, 100)),
    "7 lstm, both ways": lambda: (Recurrent(nn.LSTM, True), floats(2, 20, 100)),
    "7 gru, both ways": lambda: (Recurrent(nn.GRU, True), floats(2, 20, 100)),
    "7 rnn, both ways": lambda: (Recurrent(nn.RNN, True), floats(2, 20, 100)),
    "8 generator": lambda: (generator(), floats(3, 100)),
    "8 discriminator": lambda: (dense(8, 128, 64, 1), floats(3, 8)),
    "9 transformer": lambda: (Transformer(), RNG.integers(0, 20, (3, 12))),
    "10 regularised": lambda: (normalized(), floats(5, 6)),
    "10 ensemble": lambda: (Ensemble(), floats(5, 4)),
}


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


@pytest.mark.parametrize("name", SYSTEMS)
def test_system(name, tmp_path):
    model, example = SYSTEMS[name]()
    if example.dtype.kind == "f":
        model.train()(example)  # running statistics that are not 0 and 1
    for i, p in enumerate(model.parameters()):
        p.data += np.random.default_rng(i).normal(0, 0.05, p.shape).astype(p.dtype)  # biases that are not 0
    loaded = check(model, example, tmp_path / "model.onnx")
    assert loaded.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert not any(array.external_data for array in loaded.graph.initializer)


LAYERS = {
    **{
        repr(layer): (layer, (4, 3))
        for layer in (
            nn.ReLU(),
            nn.LeakyReLU(0.2),
            nn.ELU(0.7),
            nn.GELU(),
            nn.GELU("tanh"),
            nn.SiLU(),
            nn.Sigmoid(),
            nn.Tanh(),
            nn.Softplus(),
            nn.Softplus(beta=2.0),
            nn.Softmax(dim=-1),
            nn.LogSoftmax(dim=1),
            nn.Identity(),
            nn.Dropout(0.5),
            nn.Flatten(0),
            nn.Neuron(3, "tanh", rng=0),
        )
    },
    "layer norm over two axes": (nn.LayerNorm((3, 4)), (2, 3, 4)),
    "layer norm without weights": (nn.LayerNorm(4, elementwise_affine=False), (2, 3, 4)),
    "batch norm of sequences": (nn.BatchNorm1d(3), (2, 3, 5)),
    "linear on sequences": (nn.Linear(4, 2, rng=0), (2, 3, 4)),
    "lstm without bias": (nn.LSTM(3, 4, bias=False, batch_first=True, rng=0), (2, 5, 3)),
    "lstm with all states": (nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True, rng=0), (2, 5, 3)),
    "gru without bias": (nn.GRU(3, 4, bias=False, batch_first=True, rng=0), (2, 5, 3)),
    "rnn with relu": (nn.RNN(3, 4, nonlinearity="relu", batch_first=True, rng=0), (2, 5, 3)),
    "time first, any length": (nn.GRU(3, 4, rng=0), (5, 2, 3)),
    "encoder layer, time first": (nn.TransformerEncoderLayer(8, 2, 16, rng=0), (5, 2, 8)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, tmp_path):
    model, shape = LAYERS[name]
    check(model, floats(*shape), tmp_path / "model.onnx")


class Attention(nn.Module):
    """Attend from one sequence to another."""

    def __init__(self, **masks):
        self.attention, self.masks = nn.MultiheadAttention(8, 2, batch_first=True, rng=0), masks

    def forward(self, query, key):
        return self.attention(query, key, key, need_weights=False, **self.masks)[0]


@pytest.mark.parametrize("mask", [None, np.triu(np.ones((4, 6), bool), 2), np.array([[True] * 6, *[[False] * 6] * 3])])
def test_attention_with_two_inputs(mask, tmp_path):
    """A query that may look nowhere gives 0, not NaN."""
    loaded = check(Attention(attn_mask=mask), (floats(2, 4, 8), floats(2, 6, 8)), tmp_path / "model.onnx")
    assert [info.name for info in loaded.graph.input] == ["input_0", "input_1"]
    assert "Softmax" in {node.op_type for node in loaded.graph.node}


@pytest.mark.parametrize("average", [True, False])
def test_attention_with_its_weights(average, tmp_path):
    class Weighted(nn.Module):
        def __init__(self):
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)

        def forward(self, x):
            return self.attention(x, x, x, average_attn_weights=average, is_causal=True)

    check(Weighted(), floats(2, 5, 8), tmp_path / "model.onnx")


def test_first_states_that_are_given(tmp_path):
    start = np.arange(4, dtype=np.float32).reshape(1, 1, 4)

    class Started(nn.Module):
        def __init__(self):
            self.gru = nn.GRU(3, 4, batch_first=True, rng=0)

        def forward(self, x):
            return self.gru(x, np.broadcast_to(start, (1, x.shape[0], 4)))

    check(Started(), floats(2, 5, 3), tmp_path / "model.onnx")


@pytest.mark.parametrize("opset", [17, 18, 20, 21])
def test_every_opset(opset, tmp_path):
    loaded = check(normalized(), floats(5, 6), tmp_path / "model.onnx", opset=opset)
    assert loaded.opset_import[0].version == opset
    assert loaded.ir_version == {17: 8, 18: 8, 20: 9, 21: 10}[opset]


def test_float64(tmp_path):
    import onnx

    nn.onnx.export(nn.MLP(3, [4, 2], rng=0).astype(np.float64), floats(2, 3), tmp_path / "model.onnx")
    assert onnx.load(tmp_path / "model.onnx").graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.DOUBLE


def test_fixed_batch(tmp_path):
    loaded = check(nn.MLP(3, [4, 2], rng=0), floats(5, 3), tmp_path / "model.onnx", batches=(5,), dynamic_batch=False)
    assert [dim.dim_value for dim in loaded.graph.input[0].type.tensor_type.shape.dim] == [5, 3]
    check(nn.Linear(3, 2, rng=0), floats(3), tmp_path / "one.onnx", batches=(3,), dynamic_batch=False)


ESTIMATORS = {
    "classes": ({}, 3),
    "two classes": ({}, 2),
    "against the rest": (dict(loss="bce"), 3),
    "two classes in one": (dict(loss="bce"), 2),
    "several labels": ({}, (8, 3)),
    "margins": (dict(loss="hinge"), 3),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_classifiers(name, dtype, tmp_path):
    """What the file gives is what the estimator gives, probabilities included."""
    pytest.importorskip("sklearn")
    from nn.sklearn import NNClassifier

    options, kinds = ESTIMATORS[name]
    x = np.random.default_rng(0).standard_normal((8, 4)).astype(dtype)
    y = np.random.default_rng(1).integers(0, 2, kinds) if isinstance(kinds, tuple) else np.arange(8) % kinds
    made = NNClassifier((5,), epochs=2, random_state=0, **options).fit(x, y)
    nn.onnx.export(made, x, tmp_path / "m.onnx")
    (found,) = session(tmp_path / "m.onnx").run(None, {"input": x})
    expected = made.decision_function(x) if name == "margins" else made.predict_proba(x)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("targets", [(8,), (8, 2)])
def test_regressors(targets, tmp_path):
    pytest.importorskip("sklearn")
    from nn.sklearn import NNRegressor

    x, y = np.random.default_rng(0).standard_normal((8, 4)), np.random.default_rng(1).standard_normal(targets)
    made = NNRegressor((5,), "tanh", epochs=2, random_state=0).fit(x, y)
    nn.onnx.export(made, x, tmp_path / "m.onnx")
    (found,) = session(tmp_path / "m.onnx").run(None, {"input": x})
    np.testing.assert_allclose(found, made.predict(x), rtol=1e-6)
    assert next(iter(nn.onnx.load(tmp_path / "m.onnx").state_dict())) == "module_.0.weight"
