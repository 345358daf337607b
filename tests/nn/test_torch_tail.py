"""PyTorch as an oracle for the long tail, in float64: a state dict loads unchanged, values and all gradients agree."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.nn.tail import LAYERS, LOSSES, apply, draw, leaves, make

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
F, TF = nn.functional, torch.nn.functional
BOTH = {**LAYERS, **LOSSES}


def theirs(row):
    args = row.args
    if row.name == "TransformerEncoder":
        layer, count, *norm = args
        norm = [torch.nn.LayerNorm(n) for n in norm]
        args = (torch.nn.TransformerEncoderLayer(*layer, dropout=0.0), count, *norm)
        return torch.nn.TransformerEncoder(*args, enable_nested_tensor=False).double()
    return getattr(torch.nn, row.name)(*args, **row.kwargs).double()


def close(a, b):
    assert a.dtype == np.float64
    assert a.shape == tuple(b.shape)
    np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides:UserWarning")
@pytest.mark.parametrize("label", BOTH)
def test_values_and_gradients(label):
    row = BOTH[label]
    ours, other = make(row), theirs(row)
    if list(ours.state_dict()):
        ours.load_state_dict(other.state_dict())
        assert list(ours.state_dict()) == list(other.state_dict())
    inputs = draw(row)
    xs = leaves(inputs)
    ts = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in inputs]
    for i, (y, t) in enumerate(zip(apply(row, ours, xs), apply(row, other, ts), strict=True)):
        close(y.data, t)
        g = np.random.default_rng(i).standard_normal(y.shape)
        (y * g).sum().backward(retain_graph=True)
        (t * torch.tensor(g)).sum().backward(retain_graph=True)
    for x, t in zip(xs, ts, strict=True):
        if isinstance(x, ag.Tensor):
            close(x.grad.data, t.grad)
    named = dict(other.named_parameters())
    for name, p in ours.named_parameters():
        close(p.grad.data, named[name].grad)
