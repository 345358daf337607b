"""Values that PyTorch 2.13 gave in float64 for fixed weights and inputs: parity without PyTorch installed.

``layer_references.json`` holds, per case, one number for the output and one per gradient: its product with a
fixed wave. To write it anew: ``python tests/nn/test_layer_references.py`` with PyTorch installed.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn

STORE = Path(__file__).with_name("layer_references.json")
CASES = {
    "conv2d": ("Conv2d", (3, 4, 3), {"stride": 2, "padding": 1}, (2, 3, 7, 6)),
    "conv2d grouped": ("Conv2d", (4, 4, (3, 2)), {"groups": 2, "dilation": 2, "padding": "same"}, (2, 4, 6, 5)),
    "conv1d": ("Conv1d", (3, 4, 5), {"padding": 2}, (2, 3, 9)),
    "max pool": ("MaxPool2d", (3, 2, 1), {}, (2, 2, 7, 6)),
    "avg pool": ("AvgPool2d", (2,), {}, (2, 2, 7, 6)),
    "rnn": ("RNN", (3, 4), {"num_layers": 2}, (5, 2, 3)),
    "lstm": ("LSTM", (3, 4), {"num_layers": 2, "bidirectional": True, "batch_first": True}, (2, 5, 3)),
    "gru": ("GRU", (3, 4), {"bidirectional": True}, (5, 2, 3)),
    "attention": ("MultiheadAttention", (8, 2), {"batch_first": True}, (2, 5, 8)),
    "encoder": (
        "TransformerEncoderLayer",
        (8, 2, 12),
        {"dropout": 0.0, "activation": "gelu", "norm_first": True},
        (5, 2, 8),
    ),
    "batch norm 1d": ("BatchNorm1d", (3,), {}, (6, 3)),
    "batch norm 2d": ("BatchNorm2d", (3,), {}, (4, 3, 2, 2)),
    "layer norm": ("LayerNorm", ((3, 4),), {}, (2, 3, 4)),
    "transposed": ("ConvTranspose2d", (3, 4, 3, 2, 1, 1), {}, (2, 3, 5, 4)),
    "transposed 1d": ("ConvTranspose1d", (4, 6, 3), {"stride": 2, "groups": 2, "dilation": 2}, (2, 4, 5)),
    "adaptive pool": ("AdaptiveAvgPool2d", ((3, 2),), {}, (2, 2, 7, 6)),
    "group norm": ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    "rms norm": ("RMSNorm", (4,), {}, (3, 5, 4)),
    "lstm cell": ("LSTMCell", (3, 4), {}, (5, 3)),
    "gru cell": ("GRUCell", (3, 4), {}, (5, 3)),
    "nearest": ("Upsample", (), {"scale_factor": 1.7}, (2, 2, 4, 3)),
    "bilinear": ("Upsample", ((7, 5),), {"mode": "bilinear", "align_corners": True}, (2, 2, 4, 3)),
    "prelu": ("PReLU", (3,), {}, (2, 3, 4)),
    "mish": ("Mish", (), {}, (2, 3, 4)),
    "hardswish": ("Hardswish", (), {}, (2, 3, 4)),
    "glu": ("GLU", (1,), {}, (2, 4, 3)),
    "embedding": ("Embedding", (6, 3), {"padding_idx": 1}, (2, 4)),
}


def wave(shape, start):
    """Make numbers in (-1, 1) without two equal ones."""
    return np.sin(1.7 * np.arange(int(np.prod(shape))) + start).reshape(shape)


def inputs(name, shape):
    return np.arange(8).reshape(2, 4) % 6 if name == "embedding" else wave(shape, 0.3)


def summary(model, parameters, x, backward, name):
    """Run a model, ours or PyTorch's, and give {"y": …, "x": …, "weight": …, …}."""
    for i, (_, p) in enumerate(parameters):
        p.data[...] = backward.array(0.4 * wave(tuple(p.shape), i))
    y = model(x, x, x) if name == "attention" else model(x)
    ys = [y] if not isinstance(y, tuple) else [y[0], *(y[1] if isinstance(y[1], tuple) else [y[1]])]
    total = sum((part * backward.array(wave(tuple(part.shape), 1 + i))).sum() for i, part in enumerate(ys))
    total.backward()
    leaves = [*parameters] if name == "embedding" else [("x", x), *parameters]
    gradients = {key: backward.numbers(p.grad) for key, p in leaves}
    return {
        "y": float(backward.numbers(total.detach())),
        **{key: float((g * wave(g.shape, 2)).sum()) for key, g in gradients.items()},
    }


class Ours:
    array = staticmethod(np.asarray)
    numbers = staticmethod(lambda g: g.data)


def ours(name):
    kind, args, kwargs, shape = CASES[name]
    model = (
        getattr(nn, kind)(*args, **kwargs).astype(np.float64)
        if "Pool" not in kind
        else getattr(nn, kind)(*args, **kwargs)
    )
    x = inputs(name, shape)
    x = x if name == "embedding" else ag.Tensor(x, requires_grad=True)
    return summary(model, list(model.named_parameters()), x, Ours, name)


def pytorchs(name):
    import torch

    class Theirs:
        array = staticmethod(torch.tensor)
        numbers = staticmethod(lambda g: g.numpy())

    kind, args, kwargs, shape = CASES[name]
    model = getattr(torch.nn, kind)(*args, **kwargs).double()
    x = torch.tensor(inputs(name, shape), requires_grad=name != "embedding")
    return summary(model, list(model.named_parameters()), x, Theirs, name)


@pytest.mark.parametrize("name", CASES)
def test_layer_gives_the_stored_values(name):
    stored = json.loads(STORE.read_text())[name]
    assert ours(name) == pytest.approx(stored, rel=1e-9, abs=1e-9)


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_stored_values_are_pytorchs(name):
    pytest.importorskip("torch")
    assert pytorchs(name) == pytest.approx(json.loads(STORE.read_text())[name], rel=1e-9, abs=1e-9)


if __name__ == "__main__":
    STORE.write_text(json.dumps({name: pytorchs(name) for name in CASES}, indent=1) + "\n")
