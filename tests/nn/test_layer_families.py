"""What convolution, pooling, recurrence, attention, normalization and embedding promise beyond parity with PyTorch."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn.functional.attention import attend

F = nn.functional


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def leaf(*shape, seed=0):
    return ag.Tensor(normal(*shape, seed=seed), requires_grad=True)


# ------------------------------------------------------------------------------------------------------------ sequences

CELLS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
cells = pytest.mark.parametrize("kind", CELLS)


def final(kind, last):
    return last[0] if kind == "LSTM" else last


@cells
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_does_not_leak_into_states_or_gradients(kind, bidirectional):
    """A padded batch gives, sequence by sequence, what each gives alone; NaN in the padding is not even read."""
    model = CELLS[kind](3, 4, 2, bidirectional=bidirectional, batch_first=True, rng=0)
    lengths, data = [2, 5, 3], normal(3, 5, 3)
    for i, n in enumerate(lengths):
        data[i, n:] = np.nan
    x = ag.Tensor(data, requires_grad=True)
    y, last = model(x, lengths=lengths)
    ((y * y).sum() + (final(kind, last) ** 2).sum()).backward()
    found = {name: p.grad.numpy() for name, p in model.named_parameters()}
    model.zero_grad()
    for i, n in enumerate(lengths):
        alone = ag.Tensor(data[i, :n], requires_grad=True)
        z, end = model(alone)
        ((z * z).sum() + (final(kind, end) ** 2).sum()).backward()
        np.testing.assert_allclose(y.numpy()[i, :n], z.numpy(), atol=1e-6)
        assert not y.numpy()[i, n:].any()
        np.testing.assert_allclose(final(kind, last).numpy()[:, i], final(kind, end).numpy(), atol=1e-6)
        np.testing.assert_allclose(x.grad.numpy()[i, :n], alone.grad.numpy(), atol=1e-5)
        assert not x.grad.numpy()[i, n:].any()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(found[name], p.grad.numpy(), atol=2e-5)


@cells
def test_long_sequences_cross_the_blocks_of_backward(kind):
    """Gradients are summed over blocks of time; these sequences need several, the last one smaller."""
    model = CELLS[kind](2, 64, rng=0).astype(np.float64)
    x = np.random.default_rng(0).standard_normal((37, 50, 2))
    weight = dict(model.named_parameters())["weight_hh_l0"]

    def loss(w):
        weight.data[...] = w
        y, _ = model(x)
        return float((y.numpy() ** 3).sum())

    y, _ = model(x)
    (y**3).sum().backward()
    start, direction = weight.data.copy(), np.random.default_rng(1).standard_normal(weight.shape)
    numeric = (loss(start + 1e-6 * direction) - loss(start - 1e-6 * direction)) / 2e-6
    assert float((weight.grad.numpy() * direction).sum()) == pytest.approx(numeric, rel=1e-5)


@cells
def test_dropout_between_layers_comes_from_rng(kind):
    x = normal(6, 2, 3)
    runs = [CELLS[kind](3, 4, 2, dropout=0.5, rng=7)(x)[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*runs)
    model = CELLS[kind](3, 4, 2, dropout=0.5, rng=7)
    assert np.abs(model(x)[0].numpy() - model(x)[0].numpy()).max() > 0
    model.eval()
    np.testing.assert_array_equal(model(x)[0].numpy(), model(x)[0].numpy())


@cells
def test_evaluation_without_recording_gives_the_same(kind):
    model, x = CELLS[kind](3, 4, rng=0), normal(6, 2, 3)
    y = model(x)[0].numpy()
    with ag.no_grad():
        np.testing.assert_array_equal(model(x)[0].numpy(), y)


@cells
def test_backward_twice_over_retained_arrays(kind):
    model, x = CELLS[kind](3, 4, rng=0), leaf(6, 2, 3)
    loss = (model(x)[0] ** 2).sum()
    loss.backward(retain_graph=True)
    first = x.grad.numpy().copy()
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * first, rtol=1e-6)


# ---------------------------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("plain", [False, True])
def test_a_query_that_may_look_nowhere_gives_zero(plain):
    q, k, v = leaf(2, 3), leaf(4, 3), leaf(4, 5)
    mask = np.array([[True] * 4, [False] * 4])
    if plain:  # the definition, on which gradients of the weights and second derivatives rest
        hidden = np.where(mask, np.float32(0), -np.float32(np.inf))
        y = attend.op.definition(*[x[None, None] for x in (q, k, v)], hidden, keep=None, scale=1.0)[0, 0]
    else:
        y = F.scaled_dot_product_attention(q, k, v, mask)
    y.sum().backward()
    assert not y.numpy()[1].any()
    assert not q.grad.numpy()[1].any()
    assert np.isfinite(k.grad.numpy()).all()


def test_causal_attention_does_not_see_the_future():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, rng=0)
    x = leaf(1, 6, 8)
    layer(x, is_causal=True)[0, 2].sum().backward()
    seen = np.abs(x.grad.numpy()[0]).sum(axis=1) > 0
    assert seen.tolist() == [True, True, True, False, False, False]


@pytest.mark.parametrize("weights", [False, True])
def test_padded_keys_get_neither_weight_nor_gradient(weights):
    attention = nn.MultiheadAttention(8, 2, batch_first=True, rng=0)
    q, k = leaf(2, 3, 8), leaf(2, 4, 8, seed=1)
    hidden = np.array([[False, False, True, True], [False] * 4])
    y, w = attention(q, k, k, key_padding_mask=hidden, need_weights=weights)
    (y**2).sum().backward()
    assert not k.grad.numpy()[0, 2:].any()
    assert k.grad.numpy()[1].all()
    if weights:
        assert not w.numpy()[0, :, 2:].any()
        np.testing.assert_allclose(w.numpy().sum(axis=2), 1, rtol=1e-6)


def test_attention_dropout_is_fair_and_seeded():
    x = np.ones((1, 4000, 4), np.float32)
    model = nn.MultiheadAttention(4, 1, dropout=0.5, batch_first=True, rng=3)
    with ag.no_grad():
        kept = model(x[:, :400], x[:, :400], x[:, :400])[1].numpy()
    assert abs((kept > 0).mean() - 0.5) < 0.01
    assert kept.sum(axis=2).mean() == pytest.approx(1, abs=0.01)
    twins = [
        nn.MultiheadAttention(4, 2, dropout=0.5, rng=3)(*[normal(5, 2, 4)] * 3, need_weights=False)[0].numpy()
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*twins)


def test_fused_and_plain_attention_agree():
    model, x = nn.MultiheadAttention(8, 2, rng=0), leaf(5, 3, 8)
    mask = normal(3 * 2, 5, 5)
    a, b = (model(x, x, x, need_weights=w, attn_mask=mask)[0] for w in (False, True))
    np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)


# --------------------------------------------------------------------------------------------------- running statistics


def test_running_statistics_follow_the_batch_and_rule_in_evaluation():
    layer = nn.BatchNorm1d(1, momentum=0.5, eps=0.0)
    layer(np.array([[1.0], [3.0]]))
    np.testing.assert_allclose(
        [layer.running_mean[0], layer.running_var[0]], [1.0, 1.5]
    )  # ½·2 and ½·1 + ½·2, over n − 1
    layer.eval()
    np.testing.assert_allclose(layer(np.array([[1.0 + 1.5**0.5]])).numpy(), [[1.0]], rtol=1e-6)
    np.testing.assert_allclose([layer.running_mean[0], layer.running_var[0]], [1.0, 1.5])


def test_a_graph_made_in_evaluation_keeps_its_statistics():
    layer, x = nn.BatchNorm1d(2), leaf(4, 2)
    layer.eval()
    y = layer(x).sum()
    layer.train()
    layer(100 * normal(4, 2))
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 1 / np.sqrt(1 + 1e-5), rtol=1e-6)


def test_second_derivatives_do_not_move_the_statistics():
    layer, x = nn.BatchNorm1d(2), np.random.default_rng(0).standard_normal((4, 2))
    layer.astype(np.float64)
    ag.hvp(lambda v: (layer(v) ** 3).sum())(x, x)
    once = nn.BatchNorm1d(2).astype(np.float64)
    once(x)
    np.testing.assert_allclose(layer.running_mean, once.running_mean)


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.Conv2d(3, 4, 3, rng=0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_does_not_matter(layer, order):
    x = normal(2, 3, 6, 6)
    expected = layer(x)
    expected = expected.numpy() if isinstance(expected, ag.Tensor) else expected
    other = layer(np.array(x, order=order))
    other = other.numpy() if isinstance(other, ag.Tensor) else other
    np.testing.assert_allclose(other, expected, rtol=1e-6, atol=1e-6)


# ------------------------------------------------------------------------------------------------------- saving of work

WORK = [
    (lambda: nn.Conv2d(2, 3, 3, rng=0), (2, 2, 5, 5)),
    (lambda: nn.LayerNorm(4), (3, 4)),
    (lambda: nn.BatchNorm1d(4), (3, 4)),
    (lambda: nn.Linear(4, 3, rng=0), (3, 4)),
]


@pytest.mark.parametrize(("make", "shape"), WORK)
@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_parts_get_no_gradient(make, shape, frozen):
    model = make()
    model.requires_grad_(not frozen)
    x = ag.Tensor(normal(*shape), requires_grad=frozen)
    (model(x) ** 2).sum().backward()
    assert (x.grad is not None) == frozen
    assert all((p.grad is None) == frozen for p in model.parameters())


@pytest.mark.parametrize("kind", ["conv", "layer_norm", "batch_norm", "lstm", "gru", "rnn"])
def test_joint_rules_compute_nothing_for_inputs_that_need_nothing(kind):
    """The gradient of the data, and of frozen weights, is None: it was never computed."""
    from autograd.primitive import registry

    op, rng = registry[kind].op, np.random.default_rng(0)
    args, kwargs = next(iter(op.domain(rng)))
    out = op.forward(*args, **kwargs)
    y, extras = (out[0], out[1:]) if op.cache else (out, ())
    g = tuple(map(np.ones_like, y)) if isinstance(y, tuple) else np.ones_like(y)
    known = {**dict(zip(op.inputs, args, strict=True)), **kwargs, "y": y, **dict(zip(op.cache, extras, strict=True))}
    shares = op.joint.function(g, *[(False,) * len(args) if n == "needs" else known[n] for n in op.joint.names])
    free = {"h0", "c0"}  # falls out of the walk through time
    assert [name for name, share in zip(op.inputs, shares, strict=True) if share is not None and name not in free] == []


# ---------------------------------------------------------------------------------------------------------------- input


def test_lists_integers_and_float64_become_the_dtype_of_the_parameters():
    assert nn.Conv1d(1, 2, 2, rng=0)([[[1, 2, 3]]]).dtype == np.float32
    assert nn.LSTM(2, 3, rng=0)(np.ones((4, 2)))[0].dtype == np.float32
    assert nn.LayerNorm(2).astype(np.float64)([[1, 2]]).dtype == np.float64
    assert F.max_pool1d([[[1, 2, 3, 4]]], 2).tolist() == [[[2.0, 4.0]]]


def test_padding_row_of_an_embedding_stays():
    table = nn.Embedding(5, 2, padding_idx=-2, rng=0)
    assert table.padding_idx == 3
    assert not table.weight.numpy()[3].any()
    table([[3, 1], [3, 1]]).sum().backward()
    np.testing.assert_array_equal(table.weight.grad.numpy(), [[0, 0], [2, 2], [0, 0], [0, 0], [0, 0]])


def test_arrays_in_arrays_out():
    x = np.ones((1, 1, 4, 4))
    results = [
        F.conv2d(x, np.ones((1, 1, 2, 2))),
        F.max_pool2d(x, 2),
        F.avg_pool2d(x, 2),
        F.layer_norm(x, 4),
        F.gelu(x),
        F.embedding([0], x[0, 0]),
        F.scaled_dot_product_attention(x, x, x, is_causal=True),
        F.batch_norm(x, training=True),
    ]
    assert all(type(y) is np.ndarray for y in results)


MESSAGES = [
    (
        lambda: nn.Sequential(nn.Conv2d(3, 4, 3))(np.ones((2, 2, 8, 8))),
        ShapeError,
        "Conv2d '0' (3 -> 4, kernel 3×3) got x of shape (2, 2, 8, 8); axis -3 (channels) must be 3.",
    ),
    (
        lambda: nn.Conv2d(3, 4, 3)(np.ones((2, 3, 2, 8))),
        ShapeError,
        "Conv2d (3 -> 4, kernel 3×3) got x of shape (2, 3, 2, 8): axis -2 has 2 elements with padding, "
        "but one window spans 3. "
        "Use a smaller kernel or more padding.",
    ),
    (
        lambda: nn.Conv1d(3, 4, 3)(np.ones((2, 3))[0]),
        ShapeError,
        "Conv1d (3 -> 4, kernel 3) got x of shape (3,); it must be (N, C, L) or (C, L).",
    ),
    (
        lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"),
        ArgumentError,
        "Conv2d: padding='same' needs stride 1, got stride (2, 2). Pass numbers instead.",
    ),
    (
        lambda: nn.Conv2d(3, 4, 3, padding="full"),
        ArgumentError,
        "Conv2d: padding must be 'same', 'valid', an int or a tuple of ints, got 'full'.",
    ),
    (lambda: nn.Conv2d(3, 4, 0), ArgumentError, "Conv2d: kernel_size must be an int >= 1 or a pair of them, got 0."),
    (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        ArgumentError,
        "Conv2d: groups must divide in_channels 3 and out_channels 4, got 2.",
    ),
    (
        lambda: F.conv2d(np.ones((1, 3, 5, 5)), np.ones((4, 3, 3, 3)), groups=3),
        ArgumentError,
        "conv2d: groups must divide the 4 output channels, got 3.",
    ),
    (
        lambda: F.conv2d(np.ones((1, 3, 5, 5)), np.ones((4, 3, 3))),
        ShapeError,
        "conv2d got weight of shape (4, 3, 3); it must have 4 axes (out_channels, in_channels/groups, *kernel).",
    ),
    (
        lambda: F.conv2d(np.ones((1, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.ones(3)),
        ShapeError,
        "conv2d got bias of shape (3,); it must be (4,), one number per output channel.",
    ),
    (
        lambda: nn.MaxPool2d(3)(np.ones((1, 2, 2))),
        ShapeError,
        "MaxPool2d (kernel 3) got x of shape (1, 2, 2): axis -2 has 2 elements with padding, but one window spans 3.",
    ),
    (
        lambda: nn.MaxPool2d(2, padding=2)(np.ones((1, 4, 4))),
        ArgumentError,
        "padding may be at most half of kernel_size 2, got 2.",
    ),
    (
        lambda: nn.AvgPool2d(2)(np.ones(4)),
        ShapeError,
        "AvgPool2d (kernel 2) got x of shape (4,); it must be (N, C, H, W) or (C, H, W).",
    ),
    (
        lambda: nn.LSTM(3, 4)(np.ones((2, 2, 5))),
        ShapeError,
        "LSTM (3 -> 4) got x of shape (2, 2, 5); the last axis (features) must be 3.",
    ),
    (
        lambda: nn.GRU(3, 4)(np.ones((0, 2, 3))),
        ShapeError,
        "GRU (3 -> 4) got x of shape (0, 2, 3); it must be (time, batch, features) or (time, features), "
        "with at least one step.",
    ),
    (
        lambda: nn.LSTM(3, 4)(np.ones((2, 2, 3)), (np.ones((1, 2, 4)), np.ones((1, 3, 4)))),
        ShapeError,
        "LSTM (3 -> 4) got c0 of shape (1, 3, 4); it must be (1, 2, 4): layers · directions, batch, hidden_size.",
    ),
    (
        lambda: nn.LSTM(3, 4)(np.ones((2, 2, 3)), (np.ones((1, 2, 4)),)),
        ArgumentError,
        "the first state must be (h0, c0), got 1 arrays.",
    ),
    (
        lambda: nn.RNN(3, 4)(np.ones((2, 2, 3)), lengths=[1, 3]),
        ArgumentError,
        "RNN (3 -> 4): lengths must be in 1 … 2, as x has 2 steps, got 1 … 3.",
    ),
    (
        lambda: nn.RNN(3, 4)(np.ones((2, 2, 3)), lengths=[1.0, 2.0]),
        ArgumentError,
        "lengths must be 2 integers, one per sequence, got float64 of shape (2,).",
    ),
    (
        lambda: nn.RNN(3, 4)(np.ones((2, 3)), lengths=[2]),
        ArgumentError,
        "lengths need a batch; cut an unbatched sequence instead.",
    ),
    (lambda: nn.RNN(3, 4, nonlinearity="sin"), ArgumentError, "RNN: nonlinearity must be 'tanh' or 'relu', got 'sin'."),
    (lambda: nn.LSTM(3, 4, dropout=0.5), ArgumentError, "LSTM: dropout acts between layers, and there is only one."),
    (lambda: nn.GRU(3, 4, 2, dropout=1.5), ArgumentError, "GRU: dropout must be between 0 and 1, got 1.5."),
    (
        lambda: nn.Embedding(3, 4)([[1, 5]]),
        ArgumentError,
        "Embedding (3 -> 4) got index 5; indices must be in 0 … 2, as the table has 3 rows.",
    ),
    (lambda: nn.Embedding(3, 4)([-1]), ArgumentError, "Embedding (3 -> 4) got index -1;"),
    (
        lambda: nn.Embedding(3, 4)([0.5]),
        DTypeError,
        "Embedding (3 -> 4) got indices of dtype float64; pass integers, such as x.astype(int).",
    ),
    (lambda: nn.Embedding(3, 4, padding_idx=3), ArgumentError, "Embedding: padding_idx must be in -3 … 2, got 3."),
    (
        lambda: nn.BatchNorm2d(3)(np.ones((2, 3))),
        ShapeError,
        "BatchNorm2d (3) got x of shape (2, 3); it must be (N, C, H, W).",
    ),
    (
        lambda: nn.BatchNorm1d(3)(np.ones((2, 4))),
        ShapeError,
        "BatchNorm1d (3) got x of shape (2, 4); axis 1 (channels) must be 3, as weight has shape (3,).",
    ),
    (
        lambda: nn.BatchNorm1d(3)(np.ones((1, 3))),
        ShapeError,
        "training needs more than one value per channel. Use a larger batch, leave a last one of",
    ),
    (
        lambda: F.batch_norm(np.ones((2, 3))),
        ArgumentError,
        "running_mean and running_var are needed unless training=True.",
    ),
    (
        lambda: nn.LayerNorm(3)(np.ones((2, 4))),
        ShapeError,
        "LayerNorm (3) got x of shape (2, 4); the last axis must be 3.",
    ),
    (
        lambda: nn.LayerNorm((2, 3))(np.ones((2, 4))),
        ShapeError,
        "LayerNorm ((2, 3)) got x of shape (2, 4); the last 2 axes must be (2, 3).",
    ),
    (
        lambda: nn.MultiheadAttention(8, 3),
        ArgumentError,
        "MultiheadAttention: num_heads must divide embed_dim 8, got 3.",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[np.ones((2, 4))] * 3),
        ShapeError,
        "MultiheadAttention (8, 2 heads) got query of shape (2, 4); the last axis must be 8.",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(np.ones((2, 1, 8)), np.ones((3, 2, 8)), np.ones((3, 2, 8))),
        ShapeError,
        "got key of shape (3, 2, 8); axis 1 (batch) must be 1, as in query.",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[np.ones((2, 1, 8))] * 3, attn_mask=np.zeros((3, 2))),
        ShapeError,
        "got attn_mask of shape (3, 2); it must be (2, 2) or (2, 2, 2).",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[np.ones((2, 1, 8))] * 3, key_padding_mask=np.zeros((1, 3), bool)),
        ShapeError,
        "got key_padding_mask of shape (1, 3); it must be (1, 2).",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2)(*[np.ones((2, 1, 8))] * 3, attn_mask=np.zeros((2, 2), int)),
        DTypeError,
        "attention: attn_mask has dtype int64; it must be boolean, or floating point to be added to the scores.",
    ),
    (
        lambda: nn.MultiheadAttention(8, 2, dropout=2),
        ArgumentError,
        "the dropout probability must be between 0 and 1, got 2.",
    ),
    (
        lambda: F.scaled_dot_product_attention(np.ones((2, 3)), np.ones((4, 2)), np.ones((4, 2))),
        ShapeError,
        "scaled_dot_product_attention got key of shape (4, 2); its last axis must be 3, as in query.",
    ),
    (
        lambda: F.scaled_dot_product_attention(*[np.ones((2, 3))] * 3, np.zeros((2, 2)), is_causal=True),
        ArgumentError,
        "pass attn_mask or is_causal=True, not both.",
    ),
    (
        lambda: F.scaled_dot_product_attention(*[np.ones((2, 3))] * 3, np.zeros((3, 2))),
        ShapeError,
        "got attn_mask of shape (3, 2); it must broadcast to (2, 2).",
    ),
    (
        lambda: nn.TransformerEncoderLayer(8, 2, activation="swish"),
        ArgumentError,
        "TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, got 'swish'.",
    ),
    (lambda: F.gelu(np.ones(2), "erf"), ArgumentError, "gelu: approximate must be 'none' or 'tanh', got 'erf'."),
    (lambda: nn.LSTM(3, 4, proj_size=2), TypeError, "proj_size"),
    (lambda: nn.Conv2d(3, 4, 3, padding_mode="reflect"), TypeError, "padding_mode"),
    (lambda: F.max_pool2d(np.ones((1, 4, 4)), 2, ceil_mode=True), TypeError, "ceil_mode"),
]


@pytest.mark.parametrize(("call", "kind", "text"), MESSAGES)
def test_messages_say_where_what_and_which_axis(call, kind, text):
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


ACTIVATIONS = ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus", "Softmax", "LogSoftmax")
EMPTY = [
    (lambda: nn.Conv2d(4, 4, 3, padding=1, groups=2, rng=0), (0, 4, 5, 5)),
    (lambda: nn.Conv2d(4, 4, 3, stride=2, rng=0), (0, 4, 5, 5)),
    (lambda: nn.Conv2d(4, 4, 1, bias=False, rng=0), (0, 4, 5, 5)),
    (lambda: nn.MaxPool2d(2), (0, 3, 4, 4)),
    (lambda: nn.AvgPool2d(2), (0, 3, 4, 4)),
    (lambda: nn.LSTM(4, 3, 2, bidirectional=True, rng=0), (5, 0, 4)),
    (lambda: nn.GRU(4, 3, rng=0), (5, 0, 4)),
    (lambda: nn.RNN(4, 3, rng=0), (5, 0, 4)),
    (lambda: nn.LayerNorm(4), (0, 4)),
    (lambda: nn.BatchNorm1d(4).eval(), (0, 4)),
    (lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, rng=0), (5, 0, 4)),
    (lambda: nn.MultiheadAttention(4, 2, rng=0), (5, 0, 4)),
    (lambda: nn.MultiheadAttention(4, 2, rng=0), (0, 5, 4)),
    (lambda: nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, rng=0), (0, 5, 4)),
    (lambda: nn.Layer(4, 3, "gelu", rng=0), (0, 4)),
    (lambda: nn.MLP(4, [3, 2], "tanh", rng=0), (0, 4)),
    (lambda: nn.Sequential(nn.Linear(4, 3, rng=0), nn.GELU("tanh"), nn.Dropout(0.5, rng=0)), (0, 4)),
    *((getattr(nn, name), shape) for name in ACTIVATIONS for shape in ((0, 2), (2, 0), (0,))),
]


@pytest.mark.parametrize(("make", "shape"), EMPTY)
def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(make, shape):
    model, x = make(), ag.Tensor(np.zeros(shape, np.float32), requires_grad=True)
    y = model(x, x, x) if isinstance(model, nn.MultiheadAttention) else model(x)
    y = y[0] if isinstance(y, tuple) else y
    y.sum().backward()
    assert y.size == 0
    assert x.grad.shape == shape
    assert all(not p.grad.numpy().any() for p in model.parameters())


def test_an_empty_list_of_indices():
    table = nn.Embedding(200, 3, rng=0)
    y = table(np.zeros((0, 4), int))
    y.sum().backward()
    assert y.shape == (0, 4, 3)
    assert not table.weight.grad.numpy().any()
