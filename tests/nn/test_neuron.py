"""Neuron, Layer and MLP: the story, its start values, and micrograd's demo."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, ShapeError


def op_names(root):
    """List the ops between a result and its leaves."""
    return [item.op for item in ag.draw(root, max_nodes=500).view.items if item.op]


def test_neuron_computes_w_x_plus_b():
    neuron = nn.Neuron(3, "tanh", rng=0)
    neuron.b.data[...] = 0.5
    x = np.float32([[1, 2, 3], [0, -1, 1]])
    np.testing.assert_allclose(neuron(x).data, np.tanh(x @ neuron.w.data + 0.5), rtol=1e-6)
    assert neuron.w.shape == (3,)
    assert neuron.b.shape == ()
    assert [name for name, _ in neuron.named_parameters()] == ["w", "b"]


def test_neuron_of_scalars_draws_the_textbook_graph():
    neuron = nn.Neuron(2, "tanh", rng=0)
    x = [ag.Tensor(2.0, name="x0", dtype=np.float32), 0.5]
    y = neuron(x)
    assert y.shape == ()
    names = op_names(y)
    assert [names.count(name) for name in ("multiply", "add", "tanh", "linear")] == [2, 2, 1, 0]
    assert y.item() == pytest.approx(neuron(np.float32([2.0, 0.5])).item(), rel=1e-6)
    y.backward()
    slope = 1 - y.item() ** 2
    np.testing.assert_allclose(neuron.w.grad.data, [2 * slope, 0.5 * slope], rtol=1e-5)
    assert neuron.b.grad.item() == pytest.approx(slope, rel=1e-5)


def test_layer_is_one_fused_op_and_holds_its_neurons():
    layer = nn.Layer(3, 2, "relu", rng=0)
    x = np.float32(np.random.default_rng(0).normal(size=(5, 3)))
    y = layer(x)
    assert y.shape == (5, 2)
    for i, neuron in enumerate(layer.neurons):
        np.testing.assert_allclose(neuron(x).data, y.data[:, i], rtol=1e-6)


def test_neurons_share_row_of_weight_and_gradient():
    layer = nn.Layer(3, 2, rng=0)
    neuron = layer.neurons[1]
    assert neuron.w.grad is None
    assert np.shares_memory(neuron.w.data, layer.weight.data)
    neuron.w.data[0] = 7.0
    assert layer.weight.data[1, 0] == 7.0
    neuron.b.data = 4.0
    assert layer.bias.data.tolist() == [0.0, 4.0]
    (neuron([1.0, 2.0, 3.0]) * 1.0).backward()
    assert layer.weight.grad.data.tolist() == [[0, 0, 0], [1, 2, 3]]
    assert neuron.w.grad.data.tolist() == [1, 2, 3]
    assert neuron.b.grad.item() == 1
    assert list(neuron.parameters()) == []
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


def test_neurons_follow_an_optimizer():
    layer = nn.Layer(3, 2, rng=0)
    neuron = layer.neurons[0]
    nn.optim.Adam(layer.parameters())
    layer.weight.data = np.ones((2, 3), np.float32)
    assert neuron.w.data.tolist() == [1, 1, 1]
    with pytest.raises(AttributeError, match="no attribute 'v'"):
        _ = neuron.v


def test_mlp():
    model = nn.MLP(2, [16, 16, 1], rng=0)
    assert list(model.state_dict()) == [f"layers.{i}.{name}" for i in range(3) for name in ("weight", "bias")]
    assert [layer.activation for layer in model.layers] == ["relu", "relu", None]
    assert model(np.zeros((4, 2))).shape == (4, 1)
    assert nn.MLP(2, 3)([1.0, 2.0]).shape == (3,)
    assert nn.MLP(2, [4, 3], "tanh", "softmax")(np.ones((1, 2))).data.sum() == pytest.approx(1)
    module = nn.MLP(2, [4, 1], nn.LeakyReLU(0.5))
    assert module([1, 2]).shape == (1,)
    assert next(iter(module.state_dict())) == "layers.0.weight"
    assert nn.MLP(2, [4, 1], np.tanh, dtype=np.float64)([1, 2]).dtype == np.float64


def test_same_seed_same_bytes():
    a, b = (nn.MLP(3, [4, 2], rng=5).state_dict() for _ in range(2))
    assert all(a[name].tobytes() == b[name].tobytes() for name in a)
    model = nn.MLP(3, [3, 3], rng=5)
    assert not np.array_equal(model.layers[0].weight.data, model.layers[1].weight.data)


@pytest.mark.parametrize(
    ("activation", "init", "bound"),
    [
        ("relu", None, (6 / 100) ** 0.5),
        ("gelu", None, (6 / 100) ** 0.5),
        ("tanh", None, (6 / 150) ** 0.5),
        (None, None, (6 / 150) ** 0.5),
        ("relu", "uniform", 1.0),
        ("relu", "zeros", 0.0),
        ("relu", "xavier", (6 / 150) ** 0.5),
        ("tanh", "he", (6 / 100) ** 0.5),
    ],
)
def test_start_values(activation, init, bound):
    layer = nn.Layer(100, 50, activation, init=init, rng=0)
    assert np.abs(layer.weight.data).max() == pytest.approx(bound, rel=0.01)
    assert not layer.bias.data.any()


def test_own_start_values():
    layer = nn.Layer(3, 2, init=lambda w, rng: nn.init.constant_(w, 0.25))
    assert (layer.weight.data == 0.25).all()
    assert nn.Neuron(1000, init="normal", rng=0).w.data.std() == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.Layer(2, 3, "rleu"),
            ArgumentError,
            r"Layer: unknown activation 'rleu'. Did you mean 'relu'\? Known are identity",
        ),
        (lambda: nn.Neuron(2, 5), ArgumentError, "Neuron: activation must be a name, a function or a module, got 5"),
        (lambda: nn.Neuron(2, nn.ReLU), ArgumentError, "Neuron: activation must be a name, a function or a module"),
        (
            lambda: nn.Layer(2, 3, init="unifrom"),
            ArgumentError,
            r"Layer: unknown init 'unifrom'. Did you mean 'uniform'\?",
        ),
        (lambda: nn.Layer(2, 0), ArgumentError, "Layer: out_features must be a positive integer, got 0"),
        (lambda: nn.Neuron(2.0), ArgumentError, "Neuron: in_features must be a positive integer, got 2.0"),
        (lambda: nn.MLP(2, []), ArgumentError, "MLP: sizes is empty"),
        (
            lambda: nn.MLP(2, [3, 1])(np.ones((5, 3))),
            ShapeError,
            r"Layer 'layers.0' \(2 -> 3, relu\) got x of shape \(5, 3\); the last axis must be 2",
        ),
        (lambda: nn.Neuron(2)([1.0]), ShapeError, r"Neuron \(2\) got 1 numbers; it takes 2"),
        (
            lambda: nn.Neuron(2)(np.ones((4, 3))),
            ShapeError,
            r"Neuron \(2\) got x of shape \(4, 3\); the last axis must be 2",
        ),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_xor_by_hand_written_steps():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([[0], [1], [1], [0.0]])
    model = nn.MLP(2, [4, 1], "tanh", rng=1, dtype=np.float64)
    for _ in range(500):
        loss = nn.MSELoss()(model(x), y)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= 0.5 * p.grad.data
    assert loss.item() < 0.01


def test_micrograd_demo_on_two_moons():
    """Hinge loss + L2, 100 steps with micrograd's own rates and start: 100 % on at least 11 of 12 seeds."""
    x, labels = nn.datasets.two_moons(100, noise=0.1, rng=0)
    y = np.where(labels > 0, 1, -1)[:, None]
    perfect = 0
    for seed in range(12):
        model = nn.MLP(2, [16, 16, 1], "relu", init="uniform", rng=seed)
        optimizer, criterion = nn.optim.SGD(model.parameters(), lr=1.0), nn.HingeLoss()
        for k in range(100):
            optimizer.lr = 1.0 - 0.9 * k / 100
            loss = criterion(model(x), y) + 1e-4 * sum((p * p).sum() for p in model.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        perfect += bool(((model(x).data > 0) == (y > 0)).all())
    assert perfect >= 11


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "gelu", None])
def test_a_layer_is_the_linear_layer_and_then_its_activation(activation):
    layer = nn.Layer(3, 2, activation, rng=0)
    y = layer(np.ones((1, 3)))
    assert len(op_names(y)) == 1 + (activation is not None)
    expected = nn.Linear(3, 2)
    expected.load_state_dict(layer.state_dict())
    name = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, None: nn.Identity}[activation]
    np.testing.assert_allclose(y.data, name()(expected(np.ones((1, 3)))).data, rtol=1e-6)
