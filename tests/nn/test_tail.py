"""The long tail in one table: order 2, float32, an empty batch, lists; and what each name promises beyond."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.nn.tail import LAYERS, ROWS, apply, draw, leaves, make

F = nn.functional
rows = pytest.mark.parametrize("label", ROWS)
BATCHED = [label for label, row in LAYERS.items() if row.batch is not None]


@rows
def test_gradients_to_order_two(label):
    """With respect to the inputs and to all weights."""
    row = ROWS[label]
    model, inputs = make(row), draw(row)
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
    parameters = list(model.parameters())
    if label.startswith(("kl div", "categorical")):  # a step along one probability leaves the simplex
        model.check = False

    def function(*given):
        for i, x in zip(floats, given, strict=False):
            inputs[i] = x
        parts = apply(row, model, inputs)
        return parts[0] if len(parts) == 1 else np.concatenate([part.ravel() for part in parts])

    ag.check_grads(function, *[inputs[i] for i in floats], order=2)
    names = [name for name, _ in model.named_parameters()]
    x = [np.asarray(value) for value in draw(row)]
    for name, p in zip(names, parameters, strict=True):
        owner = model
        *above, last = name.split(".")
        for part in above:
            owner = owner[int(part)] if part.isdigit() else getattr(owner, part)

        def along(value, owner=owner, last=last):
            vars(owner)[last] = value
            parts = apply(row, model, x)
            return parts[0] if len(parts) == 1 else np.concatenate([part.ravel() for part in parts])

        ag.check_grads(along, p.data.copy(), order=1 if above else 2)
        vars(owner)[last] = p


@rows
def test_float32_stays_float32(label):
    row = ROWS[label]
    exact, rough = make(row), make(row, np.float32)
    xs, zs = leaves(draw(row)), leaves(draw(row), np.float32)
    for y, z in zip(apply(row, exact, xs), apply(row, rough, zs), strict=True):
        assert z.dtype == np.float32
        np.testing.assert_allclose(z.data, y.data, rtol=2e-4, atol=2e-5)
        y.sum().backward(retain_graph=True)
        z.sum().backward(retain_graph=True)
    for x, z in zip([*xs, *exact.parameters()], [*zs, *rough.parameters()], strict=True):
        if isinstance(x, ag.Tensor):
            assert z.grad.dtype == np.float32
            np.testing.assert_allclose(z.grad.data, x.grad.data, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("label", BATCHED)
def test_an_empty_batch_gives_an_empty_result_and_zero_gradients(label):
    row, model = LAYERS[label], make(LAYERS[label])
    xs = leaves(draw(row, batch=0))
    for y, full in zip(apply(row, model, xs), apply(row, model, draw(row)), strict=True):
        shape = list(full.shape)
        shape[row.batch] = 0
        assert y.shape == tuple(shape)
        y.sum().backward(retain_graph=True)
    assert all(x.grad.shape == x.shape for x in xs)
    assert not any(p.grad.data.any() for p in model.parameters())


@pytest.mark.parametrize("label", LAYERS)
def test_lists_and_arrays_give_what_tensors_give(label):
    row, model = LAYERS[label], make(LAYERS[label])
    inputs = draw(row)
    for y, z in zip(apply(row, model, leaves(inputs)), apply(row, model, [x.tolist() for x in inputs]), strict=True):
        np.testing.assert_allclose(np.asarray(z.data if isinstance(z, ag.Tensor) else z), y.data, rtol=1e-5, atol=1e-5)


# ------------------------------------------------------------------------------------------------- what each promises


def test_copies_of_an_encoder_layer_draw_different_dropout():
    """A copied Generator would drop the same elements in each layer."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, rng=0)
    encoder = nn.TransformerEncoder(layer, 2)
    first, second = encoder.layers
    assert first.dropout.rng is second.dropout.rng is layer.dropout.rng
    assert first.linear1.weight is not second.linear1.weight
    np.testing.assert_array_equal(first.linear1.weight.data, second.linear1.weight.data)
    x = np.ones((4, 1, 16), np.float32)
    assert (first.dropout(x).data != second.dropout(x).data).any()


@pytest.mark.parametrize("masked", [True, False])
def test_a_causal_encoder_does_not_see_the_future(masked):
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True, rng=0), 2)
    x = ag.Tensor(np.random.default_rng(0).standard_normal((1, 6, 8)), requires_grad=True)
    hidden = np.triu(np.ones((6, 6), bool), 1) if masked else None
    encoder(x, hidden, is_causal=None if masked else True)[0, 2].sum().backward()
    assert (np.abs(x.grad.data[0]).sum(axis=1) > 0).tolist() == [True] * 3 + [False] * 3


def test_a_decoder_sees_its_past_and_what_of_the_memory_is_not_hidden():
    layer = nn.TransformerDecoderLayer(8, 2, 16, dropout=0.0, batch_first=True, rng=0)
    rng = np.random.default_rng(0)
    x, memory = (ag.Tensor(rng.standard_normal((1, n, 8)), requires_grad=True) for n in (5, 4))
    hidden = np.array([[False, False, True, True]])
    layer(x, memory, memory_key_padding_mask=hidden, tgt_is_causal=True)[0, 1].sum().backward()
    assert (np.abs(x.grad.data[0]).sum(axis=1) > 0).tolist() == [True, True, False, False, False]
    assert (np.abs(memory.grad.data[0]).sum(axis=1) > 0).tolist() == [True, True, False, False]


def test_a_loop_over_a_cell_is_the_layer():
    layer, cell = nn.LSTM(3, 4, rng=0), nn.LSTMCell(3, 4, rng=1)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x, state, ys = np.random.default_rng(0).standard_normal((6, 2, 3)), None, []
    for step in x:
        state = cell(step, state)
        ys.append(state[0])
    np.testing.assert_allclose(np.stack(ys).data, layer(x)[0].data, atol=1e-6)


def test_a_pretrained_table_is_copied_and_frozen():
    table = np.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(table, padding_idx=-1)
    assert (frozen.num_embeddings, frozen.embedding_dim, frozen.padding_idx) == (3, 2, 2)
    assert frozen.weight.dtype == np.float64
    assert not frozen.weight.requires_grad
    table[...] = 0
    assert frozen([2]).tolist() == [[4.0, 5.0]]
    learnt = nn.Embedding.from_pretrained(ag.Tensor([[1, 2]]), freeze=False)
    assert learnt.weight.requires_grad
    assert learnt.weight.dtype == np.float32


def test_one_hot():
    assert F.one_hot([[0, 2], [1, 0]]).tolist() == [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [1, 0, 0]]]
    assert F.one_hot(ag.Tensor([1]), 3).tolist() == [[0, 1, 0]]
    assert F.one_hot(np.array(2, np.uint8), 3).tolist() == [0, 0, 1]
    assert F.one_hot([], 3).shape == (0, 3)
    assert F.one_hot([0]).dtype == np.int64


def test_probabilities_and_logits_give_one_loss():
    z, y = np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 3, 1, -100, 2, 2])
    weight = np.array([1.0, 2.0, 0.5, 1.0])
    for target in (y, np.eye(4)[np.abs(y) % 4]):
        a, b = ag.Tensor(z, requires_grad=True), ag.Tensor(z, requires_grad=True)
        F.cross_entropy(a, target, weight).backward()
        F.categorical_cross_entropy(ag.softmax(b, axis=1), target, weight).backward()
        np.testing.assert_allclose(b.grad.data, a.grad.data, atol=1e-12)


def test_a_probability_of_zero_is_pulled_up():
    """As in binary cross entropy: the loss is cut at 100, the slope is not 0."""
    p = ag.Tensor([[0.0, 1.0]], requires_grad=True)
    loss = F.categorical_cross_entropy(p, [0])
    loss.backward()
    assert loss.item() == 100
    assert p.grad.data[0, 0] <= -1e12


def test_a_target_of_zero_adds_nothing_to_the_divergence():
    x, t = ag.Tensor([[-1.0, -2.0]], requires_grad=True), ag.Tensor([[1.0, 0.0]], requires_grad=True)
    loss = F.kl_div(x, t, "sum")
    loss.backward()
    assert loss.item() == 1.0
    assert x.grad.tolist() == [[-1.0, 0.0]]
    assert np.isfinite(t.grad.data).all()


def test_vectors_of_length_zero_have_a_finite_gradient():
    x = ag.Tensor(np.zeros((1, 3)), requires_grad=True)
    F.cosine_embedding_loss(x, np.ones((1, 3)), [1]).backward()
    assert np.isfinite(x.grad.data).all()
    a = ag.Tensor(np.ones((1, 3)), requires_grad=True)
    F.triplet_margin_loss(a, a.data, a.data, eps=0.0).backward()
    assert np.isfinite(a.grad.data).all()


def test_prelu_leaves_nan_behind_the_other_piece():
    x, w = ag.Tensor([2.0, -2.0], requires_grad=True), ag.Tensor([0.5], requires_grad=True)
    y = F.prelu(x, w)
    with np.errstate(invalid="ignore"):
        np.where(np.array([True, False]), np.log(y), y).sum().backward()
    np.testing.assert_allclose(x.grad.data, [0.5, 0.5])
    assert w.grad.tolist() == [-2.0]


@pytest.mark.parametrize("name", ["mish", "hardswish"])
def test_layers_ask_for_activations_by_name(name):
    x = np.float32([[-1.0, 2.0]])
    plain = nn.Layer(2, 3, rng=0)
    np.testing.assert_allclose(nn.Layer(2, 3, name, rng=0)(x).data, getattr(F, name)(plain(x)).data, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e4, 30.0])
def test_mish_and_hardswish_at_large_numbers(scale):
    for f in (F.mish, F.hardswish):
        x = ag.Tensor(np.float32([-scale, scale]), requires_grad=True)
        y = f(x)
        y.sum().backward()
        np.testing.assert_allclose(y.data, [0, scale], atol=1e-6)
        np.testing.assert_allclose(x.grad.data, [0, 1], atol=1e-6)
