"""PyTorch as an oracle for convolution, pooling, recurrence, attention, normalization and embedding: a state dict loads
unchanged, outputs and all gradients agree to float32 rounding."""

import numpy as np
import pytest

import autograd as ag
import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
TF, F = torch.nn.functional, nn.functional


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def leaves(*arrays):
    return [ag.Tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]


def tied(name, *args, **kwargs):
    """Make our layer and PyTorch's with the same arguments and weights."""
    ours, theirs = getattr(nn, name)(*args, **kwargs), getattr(torch.nn, name)(*args, **kwargs)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def close(a, b, tol=2e-5):
    b = b.detach().numpy()
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol * max(1.0, float(abs(b).max(initial=0))))


def compare(outputs, expected, pairs, models=None):
    """Compare outputs, then the gradients of a fixed random combination of them."""
    total, other = 0, 0
    for i, (y, t) in enumerate(zip(outputs, expected, strict=True)):
        close(y.data, t)
        g = normal(*y.shape, seed=50 + i)
        total, other = total + (y * g).sum(), other + (t * torch.tensor(g)).sum()
    total.backward()
    other.backward()
    if models:
        ours, theirs = (dict(model.named_parameters()) for model in models)
        assert list(ours) == list(theirs)
        pairs = [*pairs, *[(ours[name], theirs[name]) for name in ours]]
    for a, b in pairs:
        close(a.grad.data, b.grad)


CONVOLUTIONS = [
    ("Conv2d", (3, 6, 3), {}, (2, 3, 8, 7)),
    ("Conv2d", (3, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}, (4, 3, 9, 8)),
    ("Conv2d", (4, 6, 3), {"groups": 2, "padding": "same"}, (5, 4, 9, 8)),
    ("Conv2d", (4, 6, (4, 2)), {"padding": "same", "dilation": 2, "bias": False}, (2, 4, 9, 8)),
    ("Conv2d", (3, 5, 1), {}, (2, 3, 8, 8)),
    ("Conv2d", (3, 5, 1), {"stride": 2, "bias": False}, (2, 3, 8, 8)),
    ("Conv2d", (4, 5, 1), {"bias": False}, (2, 4, 5, 5)),
    ("Conv2d", (4, 8, 3), {"groups": 4, "padding": 3}, (2, 4, 8, 8)),
    ("Conv2d", (3, 6, 3), {"padding": "valid"}, (3, 8, 8)),
    ("Conv2d", (3, 17, 3), {"padding": 1}, (64, 3, 30, 30)),
    ("Conv1d", (3, 5, 4), {"stride": 3, "padding": 2}, (2, 3, 19)),
    ("Conv1d", (4, 6, 3), {"dilation": 3, "padding": "same", "groups": 2}, (3, 4, 19)),
    ("Conv1d", (3, 5, 4), {}, (3, 9)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), CONVOLUTIONS)
def test_convolution(name, args, kwargs, shape):
    models = tied(name, *args, **kwargs)
    (x,), (t,) = leaves(normal(*shape))
    compare([models[0](x)], [models[1](t)], [(x, t)], models)


POOLS = [
    ("MaxPool2d", (2,), {}, (3, 4, 8, 9)),
    ("MaxPool2d", (3, 2, 1), {}, (3, 4, 8, 9)),
    ("MaxPool2d", ((3, 2), (1, 2)), {}, (2, 2, 8, 9)),
    ("MaxPool2d", (2,), {"dilation": 2}, (2, 2, 8, 9)),
    ("MaxPool2d", (2, 3), {}, (2, 8, 9)),
    ("MaxPool1d", (3, 2, 1), {}, (2, 3, 11)),
    ("MaxPool1d", (2,), {}, (3, 11)),
    ("AvgPool2d", (2,), {}, (3, 4, 8, 9)),
    ("AvgPool2d", ((3, 2), 2, 1), {}, (3, 4, 8, 9)),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False}, (3, 4, 8, 9)),
    ("AvgPool1d", (3, 2, 1), {}, (2, 3, 11)),
    ("AvgPool1d", (3, 1, 1), {"count_include_pad": False}, (3, 11)),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), POOLS)
def test_pooling_with_many_ties(name, args, kwargs, shape):
    x = np.random.default_rng(0).integers(0, 3, shape).astype(np.float32)
    (x,), (t,) = leaves(x)
    compare([getattr(nn, name)(*args, **kwargs)(x)], [getattr(torch.nn, name)(*args, **kwargs)(t)], [(x, t)])


RECURRENT = [
    (kind, first, both, layers, lengths)
    for kind in ("RNN", "LSTM", "GRU")
    for first in (False, True)
    for both in (False, True)
    for layers in (1, 2)
    for lengths in (None, (6, 2, 4, 1))
]


def run_packed(model, x, hx, lengths):
    """Run PyTorch's layer on the packed sequences."""
    rnn, first = torch.nn.utils.rnn, model.batch_first
    packed = rnn.pack_padded_sequence(x, list(lengths), batch_first=first, enforce_sorted=False)
    y, last = model(packed, hx)
    return rnn.pad_packed_sequence(y, batch_first=first, total_length=x.shape[1 if first else 0])[0], last


@pytest.mark.parametrize(("kind", "first", "both", "layers", "lengths"), RECURRENT)
def test_recurrent(kind, first, both, layers, lengths):
    models = tied(kind, 3, 5, layers, batch_first=first, bidirectional=both)
    states = 2 if kind == "LSTM" else 1
    shapes = [(4, 6, 3) if first else (6, 4, 3), *[(layers * (1 + both), 4, 5)] * states]
    (x, *h), (tx, *th) = leaves(*[normal(*shape, seed=i) for i, shape in enumerate(shapes)])
    y, last = models[0](x, tuple(h) if states == 2 else h[0], lengths=lengths)
    hx = tuple(th) if states == 2 else th[0]
    ty, tlast = models[1](tx, hx) if lengths is None else run_packed(models[1], tx, hx, lengths)
    ends = [(y, *last), (ty, *tlast)] if states == 2 else [(y, last), (ty, tlast)]
    compare(*ends, [(x, tx), *zip(h, th, strict=True)], models)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_recurrent_unbatched_without_bias_and_state(kind):
    models = tied(kind, 3, 5, 2, bias=False, bidirectional=True)
    (x,), (t,) = leaves(normal(7, 3))
    (y, last), (ty, tlast) = models[0](x), models[1](t)
    pairs = ([y, *last], [ty, *tlast]) if kind == "LSTM" else ([y, last], [ty, tlast])
    compare(*pairs, [(x, t)], models)


def test_rnn_with_relu():
    models = tied("RNN", 3, 5, nonlinearity="relu")
    (x,), (t,) = leaves(normal(7, 4, 3))
    compare(models[0](x), models[1](t), [(x, t)], models)


def masks(mask, padding, sizes):
    """Make an attention mask and a padding mask for (N, heads, L, S) scores."""
    rng, (n, heads, rows, columns) = np.random.default_rng(5), sizes
    attention = {
        None: None,
        "bool": rng.random((rows, columns)) < 0.4,
        "float": normal(rows, columns),
        "3d": normal(n * heads, rows, columns),
    }[mask]
    if mask == "bool":
        attention[:, 0] = False
    hidden = np.zeros((n, columns), bool)
    hidden[:, -1] = True
    if not padding:
        return attention, None
    return attention, hidden if mask in (None, "bool") else np.where(hidden, -np.inf, 0).astype(np.float32)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("mask", [None, "bool", "float", "3d"])
@pytest.mark.parametrize("padding", [False, True])
@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("cross", [False, True])
def test_multihead_attention(first, mask, padding, weights, cross):
    models = tied("MultiheadAttention", 8, 2, batch_first=first)
    n, rows, columns = 3, 5, 4 if cross else 5
    shapes = [(n, k, 8) if first else (k, n, 8) for k in ((rows, columns, columns) if cross else (rows,))]
    ours, theirs = leaves(*[normal(*shape, seed=i) for i, shape in enumerate(shapes)])
    attention, hidden = masks(mask, padding, (n, 2, rows, columns))
    y, w = models[0](*(ours if cross else ours * 3), hidden, weights, attention)
    arguments = [None if m is None else torch.tensor(m) for m in (hidden, attention)]
    ty, tw = models[1](*(theirs if cross else theirs * 3), arguments[0], weights, arguments[1])
    outputs = ([y, w], [ty, tw]) if weights else ([y], [ty])
    assert weights or w is None
    compare(*outputs, list(zip(ours, theirs, strict=True)), models)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("weights", [False, True])
def test_multihead_attention_causal_unbatched_per_head(first, weights):
    models = tied("MultiheadAttention", 8, 2, bias=False, batch_first=first)
    (x,), (t,) = leaves(normal(5, 8))
    y, w = models[0](x, x, x, need_weights=weights, average_attn_weights=False, is_causal=True)
    hidden = torch.ones(5, 5, dtype=torch.bool).triu(1)
    ty, tw = models[1](t, t, t, need_weights=weights, average_attn_weights=False, attn_mask=hidden)
    compare(*(([y, w], [ty, tw]) if weights else ([y], [ty])), [(x, t)], models)


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (2, 2, 3)])
@pytest.mark.parametrize("mask", [None, "bool", "float", "full", "causal"])
def test_scaled_dot_product_attention(lead, mask):
    rng, causal = np.random.default_rng(0), mask == "causal"
    ours, theirs = leaves(*[normal(*lead, n, e, seed=n * e) for n, e in ((4, 3), (5, 3), (5, 2))])
    given = {"bool": rng.random((4, 5)) < 0.7, "float": normal(4, 5), "full": normal(*lead, 4, 5)}.get(mask)
    pairs = list(zip(ours, theirs, strict=True))
    if mask == "bool":
        given[:, 0] = True
        a, b = given, torch.tensor(given)
    else:
        (a,), (b,) = ([None], [None]) if given is None else leaves(given)
        pairs += [(a, b)] if given is not None else []
    compare(
        [F.scaled_dot_product_attention(*ours, a, is_causal=causal)],
        [TF.scaled_dot_product_attention(*theirs, b, is_causal=causal)],
        pairs,
    )


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("first", [False, True])
def test_transformer_encoder_layer(norm_first, activation, first):
    options = dict(dropout=0.0, activation=activation, norm_first=norm_first, batch_first=first)
    models = tied("TransformerEncoderLayer", 8, 2, 16, **options)
    (x,), (t,) = leaves(normal(4, 4, 8))
    hidden, padding = torch.ones(4, 4, dtype=torch.bool).triu(1), np.zeros((4, 4), bool)
    padding[1, 2:] = True
    y = models[0](x, src_key_padding_mask=padding, is_causal=True)
    compare([y], [models[1](t, hidden, torch.tensor(padding))], [(x, t)], models)


def test_encoder_layer_in_evaluation_ignores_dropout():
    models = [model.eval() for model in tied("TransformerEncoderLayer", 8, 2, 16, dropout=0.5)]
    close(models[0](normal(4, 3, 8)).data, models[1](torch.tensor(normal(4, 3, 8))))


@pytest.mark.parametrize(
    ("name", "shape"), [("BatchNorm1d", (6, 4)), ("BatchNorm1d", (6, 4, 5)), ("BatchNorm2d", (6, 4, 5, 3))]
)
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("track", [True, False])
def test_batch_norm_in_training_and_evaluation(name, shape, affine, track):
    models = tied(name, 4, eps=1e-3, momentum=0.3, affine=affine, track_running_stats=track)
    for step, training in enumerate((True, True, False)):
        for model in models:
            model.train(training)
            model.zero_grad()
        (x,), (t,) = leaves(3 * normal(*shape, seed=step) + 1)
        compare([models[0](x)], [models[1](t)], [(x, t)], models)
        for ours, theirs in zip(models[0].buffers(), list(models[1].buffers())[:2], strict=True):
            close(ours, theirs)


@pytest.mark.parametrize(
    ("shape", "options"), [(5, {}), ((4, 5), {"eps": 1e-2}), (5, {"bias": False}), (5, {"elementwise_affine": False})]
)
def test_layer_norm(shape, options):
    models = tied("LayerNorm", shape, **options)
    (x,), (t,) = leaves(normal(3, 4, 5) + 2)
    compare([models[0](x)], [models[1](t)], [(x, t)], models)


@pytest.mark.parametrize("rows", [7, 300])
@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding(rows, padding):
    models = tied("Embedding", rows, 3, padding_idx=padding)
    index = np.random.default_rng(1).integers(0, rows, (4, 25))
    compare([models[0](index)], [models[1](torch.tensor(index))], [], models)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_is_at_least_as_exact_as_pytorch(approximate):
    x = np.linspace(-9, 9, 20_001).astype(np.float32)
    exact = TF.gelu(torch.tensor(x.astype(float)), approximate=approximate).numpy()
    theirs = abs(TF.gelu(torch.tensor(x), approximate=approximate).numpy() - exact).max()
    assert abs(F.gelu(x, approximate) - exact).max() <= max(theirs, 6e-7)


STARTS = [
    ("Conv2d", (3, 40, 5)),
    ("Conv1d", (3, 90, 5)),
    ("LSTM", (30, 40)),
    ("GRU", (30, 40)),
    ("RNN", (60, 50)),
    ("MultiheadAttention", (64, 4)),
    ("Embedding", (90, 40)),
    ("BatchNorm2d", (7,)),
    ("LayerNorm", (9,)),
    ("TransformerEncoderLayer", (32, 4, 64)),
    ("TransformerDecoderLayer", (32, 4, 64)),
    ("ConvTranspose2d", (5, 40, 5)),
    ("ConvTranspose1d", (5, 90, 5)),
    ("LSTMCell", (30, 40)),
    ("GRUCell", (30, 40)),
    ("GroupNorm", (2, 8)),
    ("RMSNorm", (9,)),
    ("PReLU", (7,)),
]


@pytest.mark.parametrize(("name", "args"), STARTS)
def test_weights_start_as_pytorchs_do(name, args):
    model = getattr(nn, name)(*args) if "Norm" in name or name == "PReLU" else getattr(nn, name)(*args, rng=0)
    for key, theirs in getattr(torch.nn, name)(*args).named_parameters():
        a, b = dict(model.named_parameters())[key].data, theirs.detach().numpy()
        assert a.shape == b.shape
        spread = max(float(b.std()), 1e-12)
        assert abs(a.mean() - b.mean()) < 6 * spread * (2 / a.size) ** 0.5 + 1e-9
        assert abs(a.std() - b.std()) < 6 * spread / a.size**0.5 + 1e-9
        if name != "Embedding":
            assert abs(a).max() <= abs(b).max() * 1.2 + 1e-9
