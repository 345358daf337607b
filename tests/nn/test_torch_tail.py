"""PyTorch as an oracle for the long tail, in float64: a state dict loads unchanged, values and all gradients agree."""

import inspect

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


@pytest.mark.parametrize("mask", [None, "bool", "float", "causal"])
@pytest.mark.parametrize("padded", [False, True])
def test_masks_of_encoder_and_decoder(mask, padded):
    rng = np.random.default_rng(0)
    x, memory = rng.standard_normal((3, 4, 8)), rng.standard_normal((3, 5, 8))
    hidden = {"bool": rng.random((4, 4)) < 0.4, "float": rng.standard_normal((4, 4)), None: None}.get(mask)
    if mask == "bool":
        hidden[:, 0] = False
    elif mask == "causal":
        hidden = np.triu(np.ones((4, 4), bool), 1)
    across = None if hidden is None else np.concatenate([hidden, hidden[:, :1]], axis=1)
    own, other = (np.zeros((3, n), bool) for n in (4, 5))
    own[1, 2:] = other[2, 3:] = True
    if mask == "float":
        own, other = (np.where(p, -np.inf, 0.0) for p in (own, other))
    own, other = (own, other) if padded else (None, None)
    tensors = [None if m is None else torch.tensor(m) for m in (hidden, across, own, other)]
    row = LAYERS["decoder, batch first"]
    a, b = make(row), theirs(row)
    a.load_state_dict(b.state_dict())
    causal = mask == "causal"
    xs, ts = leaves([x, memory]), [torch.tensor(v, requires_grad=True) for v in (x, memory)]
    y = a(*xs, None if causal else hidden, across, own, other, tgt_is_causal=causal)
    t = b(*ts, *tensors)
    close(y.data, t)
    g = rng.standard_normal(y.shape)
    (y * g).sum().backward()
    (t * torch.tensor(g)).sum().backward()
    for ours, other in zip(xs, ts, strict=True):
        close(ours.grad.data, other.grad)
    layer = dict(d_model=8, nhead=2, dim_feedforward=12, dropout=0.0, batch_first=True)
    a = nn.TransformerEncoder(nn.TransformerEncoderLayer(**layer), 2, nn.LayerNorm(8)).astype(np.float64)
    b = torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(**layer), 2, torch.nn.LayerNorm(8), enable_nested_tensor=False
    ).double()
    a.load_state_dict(b.state_dict())
    close(a(x, None if causal else hidden, own, causal).data, b(ts[0], tensors[0], tensors[2]))


# ---------------------------------------------------------------------------------------------------------- arguments

OF_NN = (
    *(
        "ConvTranspose1d",
        "ConvTranspose2d",
        "AdaptiveAvgPool1d",
        "AdaptiveAvgPool2d",
        "GroupNorm",
        "RMSNorm",
        "LSTMCell",
    ),
    *("GRUCell", "TransformerEncoder", "TransformerDecoderLayer", "Upsample", "PReLU", "Mish", "Hardswish", "GLU"),
    *("KLDivLoss", "CosineEmbeddingLoss", "TripletMarginLoss"),
)
OF_F = (
    *("conv_transpose1d", "conv_transpose2d", "adaptive_avg_pool1d", "adaptive_avg_pool2d", "group_norm", "rms_norm"),
    *("interpolate", "prelu", "mish", "hardswish", "glu", "kl_div", "cosine_embedding_loss", "triplet_margin_loss"),
)
OF_OPTIM = ("Adam", "AdamW", "NAdam", "RAdam", "Muon", "LBFGS")
OF_RATES = ("MultiStepLR", "OneCycleLR", "LambdaLR", "CosineAnnealingWarmRestarts")
LEGACY = {"size_average", "reduce", "inplace", "device", "dtype", "rng", "check", "args", "kwargs"}
PAIRS = {
    **{f"nn.{name}": (getattr(nn, name), getattr(torch.nn, name)) for name in OF_NN},
    **{f"F.{name}": (getattr(F, name), getattr(TF, name)) for name in OF_F},
    **{f"optim.{name}": (getattr(nn.optim, name), getattr(torch.optim, name)) for name in OF_OPTIM},
    **{name: (getattr(nn.optim, name), getattr(torch.optim.lr_scheduler, name)) for name in OF_RATES},
    "from_pretrained": (nn.Embedding.from_pretrained, torch.nn.Embedding.from_pretrained),
    "encoder": (nn.TransformerEncoder.forward, torch.nn.TransformerEncoder.forward),
    "decoder": (nn.TransformerDecoderLayer.forward, torch.nn.TransformerDecoderLayer.forward),
}
# PyTorch reads these from C or gives them no names, or leaves them to the caller
UNREAD = {"F.conv_transpose1d", "F.conv_transpose2d", "F.adaptive_avg_pool1d", "F.prelu"}


def arguments(function):
    """List names and defaults."""
    found = inspect.signature(function).parameters.values()
    return [(p.name, getattr(p.default, "__name__", p.default)) for p in found if p.name not in LEGACY]


@pytest.mark.parametrize("name", [name for name in PAIRS if name not in UNREAD])
def test_arguments_and_defaults_are_pytorchs(name):
    """Ours are the first of PyTorch's, in its order; what we lack stands behind them."""
    ours, theirs = map(arguments, PAIRS[name])
    assert ours == theirs[: len(ours)]
