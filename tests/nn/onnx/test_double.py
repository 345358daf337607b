"""Models in float64: onnxruntime runs what is written, or the export refuses the op by name."""

import re

import numpy as np
import pytest

import autograd as ag
import nn
import nn.onnx
from autograd.errors import ArgumentError
from tests.nn.onnx.runtime import Function, check
from tests.nn.onnx.test_ops import CASES, X

CASES = {name: f for name, f in CASES.items() if not any(word in name for word in ("float64", "detach", "no gradient"))}


class First(nn.Module):
    """Give the first output of a module."""

    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x)[0]


LAYERS = {
    "Linear": (nn.Linear(3, 2, rng=0), (2, 3)),
    "MLP": (nn.MLP(3, [4, 2], "tanh", rng=0), (2, 3)),
    "LayerNorm": (nn.LayerNorm(3), (2, 3)),
    "BatchNorm1d": (nn.BatchNorm1d(3), (2, 3)),
    "Embedding": (nn.Embedding(5, 2, rng=0), None),
    "Conv1d": (nn.Conv1d(3, 2, 2, rng=0), (2, 3, 4)),
    "Conv2d": (nn.Conv2d(3, 2, 2, rng=0), (2, 3, 4, 4)),
    "MaxPool2d": (nn.MaxPool2d(2), (2, 3, 4, 4)),
    "AvgPool2d": (nn.AvgPool2d(2), (2, 3, 4, 4)),
    "RNN": (First(nn.RNN(3, 2, batch_first=True, rng=0)), (2, 4, 3)),
    "GRU": (First(nn.GRU(3, 2, batch_first=True, rng=0)), (2, 4, 3)),
    "LSTM": (First(nn.LSTM(3, 2, batch_first=True, rng=0)), (2, 4, 3)),
    "TransformerEncoderLayer": (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, rng=0), (2, 3, 4)),
    "GELU": (nn.GELU(), (2, 3)),
    "ELU": (nn.ELU(), (2, 3)),
    "Softplus": (nn.Softplus(), (2, 3)),
    "LeakyReLU": (nn.LeakyReLU(), (2, 3)),
}
REFUSED = {"Conv1d", "Conv2d", "AvgPool2d", "RNN", "GRU", "LSTM", "GELU", "ELU", "Softplus"}


@pytest.fixture(autouse=True)
def _tools(require):
    require("onnx")


def runs(model, example, path, **options):
    """Export and run; tell whether it was refused, by a name and with a way out."""
    try:
        check(model, example, path, **options)
    except ArgumentError as error:
        if re.search(r'onnxruntime has no \w+ in float64; export model.astype\("float32"\)\.$', str(error)):
            return False
        raise
    return True


@pytest.mark.parametrize("opset", [17, 18, 21])
@pytest.mark.parametrize("name", CASES)
def test_ops(name, opset, tmp_path):
    model = Function(lambda x: CASES[name](x * ag.Tensor(np.ones(()))))
    model.dtype = nn.Parameter(np.ones(()))
    runs(model, X.astype(np.float64), tmp_path / "m.onnx", opset=opset, gradients=False)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name, tmp_path):
    layer, shape = LAYERS[name]
    example = np.ones((2, 3), int) if shape is None else np.random.default_rng(0).standard_normal(shape)
    model = nn.Sequential(layer, nn.Identity()).astype(np.float64)
    model.one = nn.Parameter(np.ones(()))
    assert runs(model, example, tmp_path / "m.onnx", gradients=False) == (name not in REFUSED)


def test_the_message_says_where(tmp_path):
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.GELU()).astype("float64")
    message = r"gelu' in GELU '1': onnxruntime has no Erf in float64; export model.astype\(\"float32\"\)\.$"
    with pytest.raises(ArgumentError, match=message):
        nn.onnx.export(model, np.ones((2, 3)), tmp_path / "m.onnx")
    nn.onnx.export(model.astype("float32"), np.ones((2, 3)), tmp_path / "m.onnx")
