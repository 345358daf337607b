"""Losses: values known without PyTorch, stability, conversions, and every message."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DTypeError, ShapeError

X = [[0.5, -1.0], [2.0, 0.25]]
T = [[1.0, 0.0], [0.0, 1.0]]

# The values of PyTorch 2.13 in float64, for machines without it.
STORED = {
    "MSELoss": (nn.MSELoss(), T, 1.453125),
    "L1Loss": (nn.L1Loss("sum"), T, 4.25),
    "HuberLoss": (nn.HuberLoss(delta=0.5), T, 0.40625),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), T, 0.872551525655),
    "pos_weight": (nn.BCEWithLogitsLoss(pos_weight=[2.0, 3.0]), T, 1.279040481639),
    "HingeLoss": (nn.HingeLoss(), [[1, -1], [-1, 1]], 1.0625),
    "CrossEntropyLoss": (nn.CrossEntropyLoss(), [0, 1], 1.055818714210),
    "smoothed": (nn.CrossEntropyLoss(label_smoothing=0.2, weight=[1.0, 3.0]), [0, 1], 1.466330888701),
    "probabilities": (nn.CrossEntropyLoss(), [[0.5, 0.5], [0.1, 0.9]], 1.343318714210),
}


@pytest.mark.parametrize("name", STORED)
def test_stored_values(name):
    criterion, target, expected = STORED[name]
    assert criterion(ag.Tensor(X), target).item() == pytest.approx(expected, abs=1e-11)


def test_bce_and_nll_stored_values():
    assert nn.BCELoss()(ag.Tensor([[0.2, 0.9]]), [[0, 1]]).item() == pytest.approx(0.164252033, abs=1e-9)
    assert nn.NLLLoss()(ag.Tensor(np.log([[0.2, 0.8], [0.5, 0.5]])), [1, 0]).item() == pytest.approx(
        0.458145366, abs=1e-9
    )


@pytest.mark.parametrize("scale", [1e4, -1e4])
@pytest.mark.parametrize(
    ("criterion", "target"),
    [
        (nn.BCEWithLogitsLoss(), [[1.0], [0.0]]),
        (nn.BCEWithLogitsLoss(pos_weight=[5.0]), [[1.0], [0.0]]),
        (nn.HingeLoss(), [[1], [-1]]),
        (nn.MSELoss(), [[0.0], [1.0]]),
        (nn.L1Loss(), [[0.0], [1.0]]),
        (nn.HuberLoss(), [[0.0], [1.0]]),
    ],
)
def test_stable_in_float32(criterion, target, scale):
    x = ag.Tensor(np.float32([[scale], [-scale]]), requires_grad=True)
    loss = criterion(x, target)
    loss.backward()
    assert loss.dtype == x.grad.dtype == np.float32
    assert np.isfinite(loss.data)
    assert np.isfinite(x.grad.data).all()


def test_cross_entropy_is_stable_and_exact_at_large_logits():
    z = ag.Tensor(np.float32([[1e4, 0], [1e4, 0], [-1e4, 1e4]]), requires_grad=True)
    loss = nn.CrossEntropyLoss(reduction="none")(z, [0, 1, 1])
    assert loss.data.tolist() == [0, 1e4, 0]
    loss.sum().backward()
    assert z.grad.data.tolist() == [[0, 0], [1, -1], [0, 0]]


def test_targets_and_outputs_are_converted():
    z = ag.Tensor(np.float32(X), requires_grad=True)
    for target in (T, np.array(T), np.array(T, int), np.array(T, bool), ag.Tensor(T), ag.Tensor(np.array(T, int))):
        assert nn.MSELoss()(z, target).dtype == np.float32
    assert nn.MSELoss()([1, 2], [1, 4]).dtype == np.float32
    assert nn.CrossEntropyLoss()(z, np.array([0, 1], np.uint8)).dtype == np.float32
    assert (
        nn.CrossEntropyLoss()(z, ag.Tensor([0, 1])).item()
        == nn.CrossEntropyLoss()(z, np.array([[1, 0], [0, 1]])).item()
    )


def test_a_changed_target_array_does_not_change_the_gradient():
    z, labels, target = ag.Tensor(X, requires_grad=True), np.array([0, 1]), np.array(T)
    for criterion, t in ((nn.CrossEntropyLoss(), labels), (nn.MSELoss(), target), (nn.BCEWithLogitsLoss(), target)):
        z.zero_grad()
        criterion(z, t).backward()
        expected = z.grad.data.copy()
        z.zero_grad()
        loss = criterion(z, t)
        t[...] = t[::-1].copy()
        loss.backward()
        np.testing.assert_array_equal(z.grad.data, expected)
        t[...] = t[::-1].copy()


def test_gradients_reach_targets_and_twice():
    shares = np.array([[0.2, 0.9], [0.5, 0.4]])
    t = ag.Tensor(T, requires_grad=True)
    nn.MSELoss("sum")(ag.Tensor(X), t).backward()
    np.testing.assert_allclose(t.grad.data, -2 * (np.array(X) - T))
    bce = nn.BCEWithLogitsLoss(check=False)  # a target that is learnt is refused otherwise
    ag.check_grads(lambda z, t: bce(z, t), np.array(X), shares, order=3)


def test_empty_batch_is_nan_in_the_mean_and_zero_in_the_sum():
    x = ag.Tensor(np.zeros((0, 2), np.float32))
    for kind in (nn.MSELoss, nn.L1Loss, nn.BCEWithLogitsLoss, nn.HuberLoss):
        assert np.isnan(kind()(x, np.zeros((0, 2))).item())
        assert kind(reduction="sum")(x, np.zeros((0, 2))).item() == 0
    assert nn.CrossEntropyLoss(reduction="sum")(x, np.zeros(0, int)).item() == 0


def test_weights_are_buffers():
    criterion = nn.CrossEntropyLoss(weight=[1, 2])
    assert list(criterion.state_dict()) == ["weight"]
    assert criterion.weight.dtype == np.float32
    assert nn.BCEWithLogitsLoss(pos_weight=ag.Tensor([3.0])).state_dict()["pos_weight"].tolist() == [3.0]


Z = np.float32(X)


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: nn.MSELoss()(Z[:, :1], Z[:, 0]),
            ShapeError,
            r"MSELoss: mse_loss got an output of shape \(2, 1\) and a target of shape \(2,\). They must be equal: pass "
            r"output.squeeze\(-1\)",
        ),
        (
            lambda: nn.L1Loss()(Z[:, 0], Z[:, :1]),
            ShapeError,
            r"l1_loss got .* pass target.squeeze\(-1\), or output\[..., None\]",
        ),
        (
            lambda: nn.BCEWithLogitsLoss()(Z, Z[:1]),
            ShapeError,
            r"shape \(2, 2\) and a target of shape \(1, 2\). They must be equal\.",
        ),
        (lambda: nn.HuberLoss(delta=0)(Z, Z), ArgumentError, "huber_loss: delta must be positive, got 0"),
        (lambda: nn.MSELoss("avg"), ArgumentError, "MSELoss: reduction must be 'mean', 'sum' or 'none', got 'avg'"),
        (lambda: nn.functional.mse_loss(Z, Z, "avg"), ArgumentError, "mse_loss: reduction must be"),
        (lambda: nn.functional.nll_loss(Z, [0, 1], reduction="avg"), ArgumentError, "nll_loss: reduction must be"),
        (
            lambda: nn.HingeLoss()(Z[:, 0], [0, 1]),
            ArgumentError,
            r"targets are -1 and 1, got 0. For labels 0 and 1 pass 2 \* y - 1",
        ),
        (
            lambda: nn.BCELoss()(Z[:, 0], [0, 1]),
            ArgumentError,
            "takes probabilities from 0 to 1, got 2. For logits use BCEWithLogitsLoss",
        ),
        (lambda: nn.BCELoss()([0.5], [-1.0]), ArgumentError, r"targets lie from 0 to 1, got -1.*pass \(y \+ 1\) / 2"),
        (
            lambda: nn.MSELoss()(nn.RNN(2, 3)(np.ones((4, 1, 2))), np.ones((4, 1, 3))),
            ArgumentError,
            "MSELoss: x is a tuple, as RNN, LSTM, GRU and MultiheadAttention give one. Take its first part: y, _ =",
        ),
        (lambda: nn.BCELoss()([np.nan], [1.0]), ArgumentError, "takes probabilities from 0 to 1, got nan"),
        (
            lambda: nn.BCEWithLogitsLoss(pos_weight=np.ones(3))(Z, Z > 0),
            ShapeError,
            r"pos_weight of shape \(3,\) does not broadcast to the output's shape \(2, 2\)",
        ),
        (
            lambda: nn.CrossEntropyLoss()(Z, [0, 2]),
            ArgumentError,
            r"cross_entropy: target 2 is out of range for 2 classes \(0 to 1\)",
        ),
        (lambda: nn.CrossEntropyLoss()(Z, [0, -1]), ArgumentError, "target -1 is out of range"),
        (
            lambda: nn.CrossEntropyLoss()(Z, [0.0, 1.0]),
            DTypeError,
            r"class indices must be integers, got dtype float64. Pass target.astype\(int\)",
        ),
        (
            lambda: nn.CrossEntropyLoss()(Z, [[0], [1]]),
            ShapeError,
            r"a target of shape \(2, 1\). Class indices must have shape \(2,\), probabilities \(2, 2\). Pass "
            r"target.squeeze\(-1\)",
        ),
        (lambda: nn.CrossEntropyLoss()(Z, [0, 1, 1]), ShapeError, r"Class indices must have shape \(2,\)"),
        (
            lambda: nn.CrossEntropyLoss()(Z, [[0, 2], [1, 0]]),
            ArgumentError,
            "an integer target of the output's shape .* must be one-hot along the class axis. Pass class indices",
        ),
        (
            lambda: nn.CrossEntropyLoss(weight=[1.0])(Z, [0, 1]),
            ShapeError,
            r"weight has shape \(1,\); it needs one number for each of the 2 classes",
        ),
        (
            lambda: nn.CrossEntropyLoss(label_smoothing=2),
            ArgumentError,
            "label_smoothing must be between 0 and 1, got 2",
        ),
        (
            lambda: nn.functional.cross_entropy(Z, [0, 1], label_smoothing=-1),
            ArgumentError,
            "label_smoothing must be between 0 and 1, got -1",
        ),
        (lambda: nn.CrossEntropyLoss()(1.0, 0), ShapeError, "cross_entropy got a scalar output"),
        (lambda: nn.MSELoss()(Z, [[1.0, 2.0], [3.0]]), ShapeError, "MSELoss: target is a ragged list"),
        (
            lambda: nn.MSELoss()(Z, [["a", "b"], ["c", "d"]]),
            DTypeError,
            "MSELoss: target has dtype <U1; it must hold real numbers",
        ),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("weight", [None, [1.0, 3.0]])
@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_where_every_target_is_ignored_the_gradient_is_zero(criterion, weight, create_graph):
    x = ag.Tensor(-np.abs(X), requires_grad=True)
    loss = criterion(weight=weight)(x, [-100, -100])
    loss.backward(create_graph=create_graph)
    assert np.isnan(loss.item())  # the mean of nothing, as in PyTorch
    np.testing.assert_array_equal(x.grad.numpy(), np.zeros((2, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pos_weight", [None, 2.0])
def test_a_single_logit_has_a_gradient(dtype, pos_weight):
    z = ag.Tensor(np.array(0.5, dtype), True)
    nn.functional.binary_cross_entropy_with_logits(z, 1.0, pos_weight=pos_weight).backward()
    expected = -(pos_weight or 1.0) * (1 - 1 / (1 + np.exp(-0.5)))
    np.testing.assert_allclose(z.grad.item(), expected, rtol=1e-6)
