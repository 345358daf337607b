"""The long tail exports: onnxruntime gives what the module gives, and so does what is read back."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.nn.onnx.runtime import check, session
from tests.nn.tail import LAYERS, draw, make

EXPORTED = [label for label, row in LAYERS.items() if row.onnx]
NODES = {  # where ONNX has the op itself, it is one node
    "transposed": "ConvTranspose",
    "transposed 1d": "ConvTranspose",
    "prelu, channels": "PRelu",
    "lstm cell": "LSTM",
    "gru cell": "GRU",
    "adaptive": "ReduceMean",
    "adaptive, divides": "AveragePool",
    "group norm": "LayerNormalization",
}


class Called(nn.Module):
    """Call a module with its states as one argument, where there are two."""

    def __init__(self, module):
        self.module = module

    def forward(self, *x):
        return self.module(x[0], x[1:]) if isinstance(self.module, nn.LSTMCell) else self.module(*x)


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


@pytest.mark.parametrize("label", EXPORTED)
def test_layer(label, tmp_path):
    row = LAYERS[label]
    inputs = tuple(x.astype(np.float32) for x in draw(row))
    loaded = check(Called(make(row, np.float32)), inputs, tmp_path / "model.onnx")
    if label in NODES:
        assert NODES[label] in [node.op_type for node in loaded.graph.node]


def test_encoder(tmp_path):
    layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, rng=0)
    model = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8))
    check(model, np.random.default_rng(0).standard_normal((3, 5, 8)).astype(np.float32), tmp_path / "model.onnx")


def test_a_transposed_convolution_padded_on_one_side_is_read(tmp_path):
    """Such a file comes from elsewhere: what we write is padded alike on both sides."""
    import onnx

    model, x = nn.ConvTranspose1d(2, 3, 4, stride=2, rng=0), np.ones((1, 2, 5), np.float32)
    nn.onnx.export(model, x, tmp_path / "model.onnx")
    loaded = onnx.load(tmp_path / "model.onnx")
    next(item for item in loaded.graph.node[0].attribute if item.name == "pads").ints[:] = [0, 3]
    del loaded.graph.output[0].type.tensor_type.shape.dim[2]
    loaded.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 9
    (tmp_path / "model.onnx").write_bytes(loaded.SerializeToString())
    np.testing.assert_allclose(nn.onnx.load(tmp_path / "model.onnx")(x).data, model(x).data[..., :-3], rtol=1e-6)


class Branches(nn.Module):
    """Choose a layer by name."""

    def __init__(self):
        self.branches = nn.ModuleDict({"left": nn.Linear(3, 4, rng=0), "right": nn.Linear(4, 2, rng=1)})

    def forward(self, x):
        return self.branches["right"](ag.relu(self.branches["left"](x)))


def averaged():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 2, rng=1))
    average = nn.AveragedModel(model, avg_fn=nn.get_ema_avg_fn(0.9), use_buffers=True)
    for _ in range(3):
        model(np.random.default_rng(0).standard_normal((5, 3)))
        average.update_parameters(model)
    return average


CONTAINERS = {
    "ModuleDict": (Branches, np.ones((2, 3), np.float32)),
    "AveragedModel": (averaged, np.ones((2, 3), np.float32)),
    "Embedding.from_pretrained": (
        lambda: nn.Embedding.from_pretrained(np.arange(12, dtype=np.float32).reshape(4, 3), freeze=False),
        np.array([[0, 3], [1, 1]]),
    ),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_container(name, tmp_path):
    make_model, x = CONTAINERS[name]
    check(make_model(), x, tmp_path / "model.onnx")


def test_frozen_embeddings_are_exported(tmp_path):
    words = np.array([[0, 3], [1, 1]])
    model = nn.Embedding.from_pretrained(np.arange(12, dtype=np.float32).reshape(4, 3))
    nn.onnx.export(model, words, tmp_path / "model.onnx")
    runtime = session(tmp_path / "model.onnx")
    found = runtime.run(None, {runtime.get_inputs()[0].name: words[:1]})[0]
    np.testing.assert_array_equal(found, model(words[:1]).numpy())


def test_every_name_is_exported():
    names = (
        "ConvTranspose1d ConvTranspose2d AdaptiveAvgPool1d AdaptiveAvgPool2d GroupNorm RMSNorm LSTMCell GRUCell "
        "TransformerEncoder TransformerDecoderLayer Upsample PReLU Mish Hardswish GLU"
    )
    exported = {LAYERS[label].name for label in EXPORTED} | {"TransformerEncoder"}
    assert set(names.split()) <= exported
