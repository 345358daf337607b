"""The long tail exports: onnxruntime gives what the module gives, and so does what is read back."""

import numpy as np
import pytest

import nn
from tests.nn.onnx.runtime import check
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
