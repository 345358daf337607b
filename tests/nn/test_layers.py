"""Linear, Flatten, Identity, activations and Dropout: inputs they take, start values, randomness, messages."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError

F = nn.functional


def test_linear_takes_arrays_lists_tensors_of_any_number_type():
    linear = nn.Linear(3, 2, rng=0)
    expected = linear(np.float32([[1, 2, 3]])).data
    x = ag.Tensor(1.0, requires_grad=True)
    for value in (
        [[1, 2, 3]],
        np.array([[1, 2, 3]]),
        np.array([[1.0, 2, 3]]),
        ag.Tensor([[1.0, 2, 3]]),
        ag.Tensor([[1, 2, 3]]),
    ):
        y = linear(value)
        assert y.dtype == np.float32
        np.testing.assert_array_equal(y.data, expected)
    np.testing.assert_array_equal(linear([x, 2 * x, 3 * x]).data, expected[0])
    linear([x, 2 * x, 3 * x]).sum().backward()
    assert x.grad.item() == pytest.approx((linear.weight.data.sum(0) * [1, 2, 3]).sum(), rel=1e-5)


def test_gradients_flow_through_the_conversion_to_float32():
    x = ag.Tensor(np.ones((1, 3)), requires_grad=True)
    nn.Linear(3, 2, rng=0)(x).sum().backward()
    assert x.grad.dtype == np.float64


def test_an_input_array_that_is_changed_later_does_not_change_the_gradient():
    linear, x = nn.Linear(3, 1, rng=0), np.ones((2, 3), np.float32)
    y = linear(x).sum()
    x[...] = 100
    y.backward()
    assert linear.weight.grad.data.tolist() == [[2, 2, 2]]


def test_linear_start_and_seed():
    a, b = nn.Linear(100, 50, rng=3), nn.Linear(100, 50, rng=3)
    assert a.weight.data.tobytes() == b.weight.data.tobytes()
    for p in a.parameters():
        assert np.abs(p.data).max() == pytest.approx(0.1, rel=0.05)
    assert nn.Linear(2, 2, dtype=np.float64).weight.dtype == np.float64


def test_linear_gradients_only_where_needed():
    linear = nn.Linear(3, 2)
    linear.weight.requires_grad = False
    x = ag.Tensor(np.ones((4, 3), np.float32))
    linear(x).sum().backward()
    assert linear.weight.grad is None
    assert linear.bias.grad.data.tolist() == [4, 4]


def test_second_derivative_through_a_net():
    model = nn.MLP(2, [3, 1], "tanh", rng=0, dtype=np.float64)
    ag.check_grads(lambda x: model(x), np.array([[0.3, -0.2], [1.0, 0.5]]), order=2)


def test_flatten():
    x = np.arange(24.0).reshape(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Flatten(-2)(ag.Tensor(x)).shape == (2, 12)
    with pytest.raises(ShapeError, match=r"flatten: start_dim=2, end_dim=1 do not fit x of shape \(2, 3, 4\)"):
        nn.Flatten(2, 1)(x)


def test_identity_ignores_its_arguments():
    x = object()
    assert nn.Identity(54, unused=1)(x) is x


@pytest.mark.parametrize(
    "name", ["ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus", "Softmax", "LogSoftmax"]
)
def test_activations_give_tensors_of_the_input_dtype(name):
    layer = getattr(nn, name)()
    for value, dtype in (
        ([1, -2], np.float32),
        ([0.5, -2.0], np.float32),
        (np.ones(2), np.float64),
        (ag.Tensor([1, -2]), np.float32),
    ):
        y = layer(value)
        assert isinstance(y, ag.Tensor)
        assert y.dtype == dtype
    for scale in (1e4, -1e4):
        x = ag.Tensor(np.float32([scale, scale / 2]), requires_grad=True)
        y = layer(x)
        y.sum().backward()
        assert np.isfinite(y.data).all()
        assert np.isfinite(x.grad.data).all()


def test_representations():
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(0.2)"
    assert repr(nn.ELU()) == "ELU(1.0)"
    assert repr(nn.GELU("tanh")) == "GELU(tanh)"
    assert repr(nn.Softplus(2.0)) == "Softplus(beta=2.0)"
    assert repr(nn.Softmax(1)) == "Softmax(dim=1)"
    assert repr(nn.LogSoftmax()) == "LogSoftmax"
    assert repr(nn.Dropout(0.1)) == "Dropout(p=0.1)"


def test_dropout_drops_the_right_share_and_keeps_the_mean():
    x = ag.Tensor(np.ones(20_000, np.float32), requires_grad=True)
    y = nn.Dropout(0.3, rng=0)(x)
    assert (y.data == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert y.data.mean() == pytest.approx(1, abs=0.02)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)
    assert y.dtype == np.float32


def test_dropout_masks_differ_by_call_and_agree_by_seed():
    a, b = nn.Dropout(rng=1), nn.Dropout(rng=1)
    first = a(np.ones(100)).data
    assert not np.array_equal(first, a(np.ones(100)).data)
    assert np.array_equal(first, b(np.ones(100)).data)
    assert F.dropout(np.ones(100), 0.5, rng=1).tobytes() == first.tobytes()


def test_dropout_at_its_ends_and_in_evaluation():
    x = ag.Tensor(np.ones(5))
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(0.5).eval()(x) is x
    assert F.dropout(x, training=False) is x
    assert nn.Dropout(1.0)(x).data.tolist() == [0] * 5


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.Linear(4, 8)(np.ones((32, 5))),
            ShapeError,
            r"^Linear \(4 -> 8\) got x of shape \(32, 5\); the last axis must be 4.$",
        ),
        (
            lambda: nn.Sequential({"encoder": nn.Sequential(nn.Linear(4, 8))})(np.ones((32, 5))),
            ShapeError,
            r"^Linear 'encoder.0' \(4 -> 8\) got x of shape \(32, 5\); the last axis must be 4.$",
        ),
        (lambda: nn.Linear(4, 8)(1.0), ShapeError, r"got x of shape \(\)"),
        (lambda: nn.Linear(0, 8), ArgumentError, "Linear: in_features must be a positive integer, got 0"),
        (lambda: nn.Linear(2, True), ArgumentError, "Linear: out_features must be a positive integer, got True"),
        (lambda: nn.Linear(2, 2)([[1.0, 2.0], [3.0]]), ShapeError, "Linear: x is a ragged list"),
        (lambda: nn.Linear(2, 2)(["a", "b"]), DTypeError, "Linear: x has dtype <U1; it must hold real numbers"),
        (lambda: nn.Linear(2, 2)(np.array([1j, 2])), DTypeError, "x has dtype complex128"),
        (
            lambda: F.linear(np.ones((2, 3)), np.ones((4, 5))),
            ShapeError,
            r"linear got x of shape \(2, 3\) and weight of shape \(4, 5\)",
        ),
        (
            lambda: F.linear(np.ones((2, 5)), np.ones((4, 5)), np.ones(5)),
            ShapeError,
            r"linear got bias of shape \(5,\) .* it must be \(4,\)",
        ),
        (lambda: nn.Dropout(1.5), ArgumentError, "Dropout: p must be between 0 and 1, got 1.5"),
        (lambda: F.dropout(np.ones(3), -0.5), ArgumentError, "dropout: p must be between 0 and 1, got -0.5"),
        (
            lambda: nn.Softmax()(np.ones((2, 3, 4))),
            ArgumentError,
            r"Softmax: softmax: which axis holds the classes of x of shape \(2, 3, 4\)\? Pass dim=-1 for the last",
        ),
        (
            lambda: nn.Sequential(nn.LSTM(2, 3), nn.Linear(3, 1))(np.ones((4, 1, 2))),
            ArgumentError,
            "Linear '1': x is a tuple, as RNN, LSTM, GRU and MultiheadAttention give one",
        ),
        (lambda: nn.BatchNorm1d(3)(np.ones((0, 3))), ShapeError, "training needs more than one value per channel"),
        (lambda: nn.GELU("fast"), ArgumentError, "GELU: approximate must be 'none' or 'tanh', got 'fast'"),
        (lambda: F.softplus(np.ones(3), 0), ArgumentError, "softplus: beta must be positive, got 0"),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
