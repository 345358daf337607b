"""A traced value put into a model, or given as a setting, carries its gradient, or is refused where it happens."""

import copy

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from tests.autograd.laws.oracle import FIRST_ORDER, Table, close, differences, hold, plain

STATE = Table()
W = [[1.0, 2.0]]
X = np.array([[1.0, 3.0], [0.5, -1.0]])
Z, T = np.array([[-1.0, 2.0], [0.3, 1.0]]), np.array([1, 0])
POINTS = np.array([[0.3, -0.5], [1.2, 0.7], [0.1, 0.4]])


def linear():
    return nn.Linear(2, 1, rng=0).astype(float)


# ------------------------------------------------------------------------------------------------- weights and buffers


@STATE.row(W, right=[[1.5, 2.0]])
def load_state_dict(w):
    m = linear()
    m.load_state_dict({"weight": w, "bias": np.zeros(1)})
    return m(X).sum()


@STATE.row(W)
def load_state_dict_of_a_part(w):
    m = nn.Sequential(linear(), nn.Tanh())
    m.load_state_dict({"0.weight": w * 2, "0.bias": np.zeros(1)})
    return m(X).sum()


@STATE.row(W)
def load_state_dict_not_strict(w):
    m = linear()
    m.load_state_dict({"weight": w}, strict=False)
    return (m(X) ** 2).sum()


@STATE.row(W)
def weight_data(w):
    m = linear()
    m.weight.data = w
    return (m(X) ** 2).sum()


@STATE.row(W)
def weight_data_of_a_result(w):
    m = linear()
    m.weight.data = w * w
    return (m(X) ** 2).sum()


@STATE.row(W)
def element_of_weight_data(w):
    m = linear()
    m.weight.data[...] = w
    return (m(X) ** 2).sum()


@STATE.row(W, wrapped=(ValueError,))
def number_into_weight_data(w):
    m = linear()
    m.weight.data[0, 0] = w[0, 1]
    return (m(X) ** 2).sum()


OF_DATA = differences(weight_data, W)  # what an array cannot be assigned to directly, but is put into .data


@STATE.row(W, right=OF_DATA)
def weight_replaced(w):
    m = linear()
    m.weight = w
    return (m(X) ** 2).sum()


@STATE.row(W)
def weight_made_a_parameter(w):
    m = linear()
    m.weight = nn.Parameter(w)
    return (m(X) ** 2).sum()


@STATE.row(W, right=OF_DATA)
def attribute_set_by_name(w):
    m = linear()
    setattr(m, "weight", w * 1.0)  # noqa: B010
    return (m(X) ** 2).sum()


@STATE.row(W)
def parameter_of_a_traced_value(w):
    p = nn.Parameter(w)
    return (p * p).sum()


@STATE.row(W)
def tensor_of_a_traced_value(w):
    return (ag.Tensor(w) ** 2).sum()


@STATE.row(W)
def tensor_that_requires_grad_of_a_traced_value(w):
    return (ag.Tensor(w, requires_grad=True) ** 2).sum()


@STATE.row(W)
def tensor_of_a_list_of_traced_values(w):
    return (ag.Tensor([w[0, 0], w[0, 1]]) ** 2).sum()


@STATE.row(W)
def data_of_a_leaf(w):
    t = ag.Tensor(np.zeros((1, 2)))
    t.data = w
    return (t * t).sum()


@STATE.row(W)
def data_of_a_leaf_in_place(w):
    t = ag.Tensor(np.ones((1, 2)))
    t.data += w
    return (t * t).sum()


@STATE.row(W)
def gradient_set(w):
    p = nn.Parameter(np.ones((1, 2)))
    p.grad = w * 2
    return (p.grad * p.grad).sum()


@STATE.row(W)
def buffer_registered(w):
    m = linear()
    m.register_buffer("scale", w)
    return (m.scale * m.scale).sum()


@STATE.row(W)
def buffer_replaced(w):
    m = linear()
    m.register_buffer("scale", np.zeros((1, 2)))
    m.scale = w
    return (m.scale * m.scale).sum()


@STATE.row(W)
def embedding_table(w):
    e = nn.Embedding(1, 2, rng=0).astype(float)
    e.load_state_dict({"weight": w})
    return (e(np.array([0, 0])) ** 2).sum()


@STATE.row(0.5)
def init_with_a_traced_bound(x):
    p = nn.Parameter(np.zeros(3))
    nn.init.uniform_(p, -1.0, x, rng=0)
    return (p * p).sum()


@STATE.row(0.5)
def init_with_a_traced_scale(x):
    p = nn.Parameter(np.zeros(3))
    nn.init.normal_(p, 0.0, x, rng=0)
    return (p * p).sum()


@STATE.row([0.5, 2.0])
def running_mean(s):
    m = nn.BatchNorm1d(2).astype(float).eval()
    m.running_mean = s
    return (m(POINTS) ** 2).sum()


@STATE.row([0.5, 2.0])
def running_var_loaded(s):
    m = nn.BatchNorm1d(2).astype(float).eval()
    m.load_state_dict({**m.state_dict(), "running_var": s})
    return (m(POINTS) ** 2).sum()


@STATE.row([0.5, 2.0])
def running_statistics_of_the_function(s):
    return (F.batch_norm(POINTS, s, s + 1, training=False) ** 2).sum()


# ------------------------------------------------------------------------------------------------------------ settings

SETTINGS = {
    # name: (program, point)
    "cross_entropy weight": (lambda s: F.cross_entropy(Z, T, weight=np.stack([s, 1 - s])), 0.3),
    "cross_entropy weight, none": (
        lambda s: F.cross_entropy(Z, T, weight=np.stack([s, 1 - s]), reduction="none").sum(),
        0.3,
    ),
    "cross_entropy soft, weight": (
        lambda s: F.cross_entropy(Z, np.array([[0.2, 0.8], [0.6, 0.4]]), weight=np.stack([s, 1 - s])),
        0.3,
    ),
    "cross_entropy label_smoothing": (lambda s: F.cross_entropy(Z, T, label_smoothing=s), 0.3),
    "cross_entropy target": (lambda s: F.cross_entropy(Z, np.stack([np.stack([s, 1 - s])] * 2)), 0.3),
    "CrossEntropyLoss(weight=)": (lambda s: nn.CrossEntropyLoss(weight=np.stack([s, 1 - s]))(Z, T), 0.3),
    "CrossEntropyLoss(label_smoothing=)": (lambda s: nn.CrossEntropyLoss(label_smoothing=s)(Z, T), 0.3),
    "nll_loss weight": (lambda s: F.nll_loss(-np.abs(Z), T, weight=np.stack([s, 1 - s])), 0.3),
    "NLLLoss(weight=)": (lambda s: nn.NLLLoss(weight=np.stack([s, 1 - s]))(-np.abs(Z), T), 0.3),
    "binary_cross_entropy weight": (
        lambda s: F.binary_cross_entropy(np.array([0.2, 0.7]), np.array([0.0, 1.0]), weight=np.stack([s, 2 * s])),
        0.3,
    ),
    "BCELoss(weight=)": (
        lambda s: nn.BCELoss(weight=np.stack([s, 2 * s]))(np.array([0.2, 0.7]), np.array([0.0, 1.0])),
        0.3,
    ),
    "binary_cross_entropy_with_logits weight": (
        lambda s: F.binary_cross_entropy_with_logits(Z[0], np.array([0.0, 1.0]), weight=np.stack([s, 2 * s])),
        0.3,
    ),
    "binary_cross_entropy_with_logits pos_weight": (
        lambda s: F.binary_cross_entropy_with_logits(Z[0], np.array([0.0, 1.0]), pos_weight=np.stack([s, 2 * s])),
        0.3,
    ),
    "BCEWithLogitsLoss(pos_weight=)": (
        lambda s: nn.BCEWithLogitsLoss(pos_weight=np.stack([s, 2 * s]))(Z[0], np.array([0.0, 1.0])),
        0.3,
    ),
    "mse_loss target": (lambda s: F.mse_loss(Z, s * np.ones((2, 2))), 0.3),
    "huber_loss delta": (lambda s: F.huber_loss(Z, np.zeros((2, 2)), delta=s), 0.7),
    "HuberLoss(delta=)": (lambda s: nn.HuberLoss(delta=s)(Z, np.zeros((2, 2))), 0.7),
    "hinge_loss margin": (lambda s: F.hinge_loss(Z, np.sign(Z), margin=s), 1.7),
    "HingeLoss(margin=)": (lambda s: nn.HingeLoss(margin=s)(Z, np.sign(Z)), 1.7),
    "leaky_relu slope": (lambda s: F.leaky_relu(Z, s).sum(), 0.3),
    "LeakyReLU(negative_slope=)": (lambda s: nn.LeakyReLU(s)(Z).sum(), 0.3),
    "elu alpha": (lambda s: F.elu(Z, s).sum(), 0.7),
    "ELU(alpha=)": (lambda s: nn.ELU(s)(Z).sum(), 0.7),
    "softplus beta": (lambda s: F.softplus(Z, s).sum(), 0.7),
    "Softplus(beta=)": (lambda s: nn.Softplus(s)(Z).sum(), 0.7),
    "layer_norm eps": (lambda s: (F.layer_norm(Z, (2,), eps=s) ** 2).sum(), 0.7),
    "layer_norm weight": (lambda s: (F.layer_norm(Z, (2,), np.stack([s, 2 * s])) ** 2).sum(), 0.7),
    "LayerNorm(eps=)": (lambda s: (nn.LayerNorm(2, eps=s).astype(float)(Z) ** 2).sum(), 0.7),
    "batch_norm eps": (lambda s: (F.batch_norm(POINTS, None, None, training=True, eps=s) ** 2).sum(), 0.7),
    "batch_norm momentum": (lambda s: momentum(s), 0.3),
    "BatchNorm1d(eps=)": (lambda s: (nn.BatchNorm1d(2, eps=s).astype(float)(POINTS) ** 2).sum(), 0.7),
    "dropout p": (lambda s: F.dropout(np.ones(5), s, rng=0).sum(), 0.4),
    "Dropout(p=)": (lambda s: nn.Dropout(s, rng=0)(np.ones(5)).sum(), 0.4),
    "attention scale": (lambda s: F.scaled_dot_product_attention(Z[None], Z[None], Z[None], scale=s).sum(), 0.7),
    "attention mask": (
        lambda s: (F.scaled_dot_product_attention(Z[None], Z[None], Z[None], attn_mask=s * np.eye(2)) ** 2).sum(),
        0.7,
    ),
    "SGD(lr=)": (lambda s: stepped(lambda p: nn.optim.SGD(p, lr=s)), 0.1),
    "SGD(momentum=)": (lambda s: stepped(lambda p: nn.optim.SGD(p, lr=0.1, momentum=s)), 0.5),
    "SGD(weight_decay=)": (lambda s: stepped(lambda p: nn.optim.SGD(p, lr=0.1, weight_decay=s)), 0.5),
    "Adam(lr=)": (lambda s: stepped(lambda p: nn.optim.Adam(p, lr=s)), 0.1),
    "Adam(eps=)": (lambda s: stepped(lambda p: nn.optim.Adam(p, lr=0.1, eps=s)), 0.3),
    "AdamW(weight_decay=)": (lambda s: stepped(lambda p: nn.optim.AdamW(p, lr=0.1, weight_decay=s)), 0.3),
    "RMSprop(lr=)": (lambda s: stepped(lambda p: nn.optim.RMSprop(p, lr=s)), 0.1),
    "Adagrad(lr=)": (lambda s: stepped(lambda p: nn.optim.Adagrad(p, lr=s)), 0.1),
    "optimizer.lr": (lambda s: stepped(lambda p: with_lr(nn.optim.SGD(p, lr=0.5), s)), 0.1),
    "param_groups": (lambda s: stepped(lambda p: with_group(nn.optim.SGD(p, lr=0.5), s)), 0.1),
    "StepLR(gamma=)": (lambda s: scheduled(lambda o: nn.optim.StepLR(o, 1, gamma=s)), 0.5),
    "ExponentialLR(gamma=)": (lambda s: scheduled(lambda o: nn.optim.ExponentialLR(o, gamma=s)), 0.5),
    "clip_grad_norm": (lambda s: clipped(s), 0.7),
}


def momentum(s):
    mean, var = np.zeros(2), np.ones(2)
    F.batch_norm(POINTS, mean, var, training=True, momentum=s)
    return (mean**2).sum()


def stepped(optimizer):
    """Take two steps from a fixed start; return what they lead to."""
    p = nn.Parameter(np.array([1.0, -2.0]))
    o = optimizer([p])
    for _ in range(2):
        p.grad = np.array([0.5, 2.0])
        o.step()
    return (p * p).sum()


def with_lr(optimizer, lr):
    optimizer.lr = lr
    return optimizer


def with_group(optimizer, lr):
    optimizer.param_groups[0]["lr"] = lr
    return optimizer


def scheduled(schedule):
    p = nn.Parameter(np.array([1.0, -2.0]))
    o = nn.optim.SGD([p], lr=0.2)
    s = schedule(o)
    for _ in range(2):
        p.grad = np.array([0.5, 2.0])
        o.step()
        s.step()
    return (p * p).sum()


def clipped(limit):
    p = nn.Parameter(np.array([1.0, -2.0]))
    p.grad = np.array([3.0, 4.0])
    nn.optim.clip_grad_norm([p], limit)
    return (p.grad * p.grad).sum()


for name, (f, x) in SETTINGS.items():
    # an optimizer writes its settings into an array, where NumPy puts a ValueError before the error of ours
    STATE.add(name, f, x, wrapped=(ValueError,) if "=)" in name or "param_groups" in name else ())


def test_the_table_is_long():
    assert len(STATE) >= 70


@STATE.every
def test_gradient_is_right_or_refused(row):
    hold(row, FIRST_ORDER["grad"], row.gradient(), rtol=1e-5)


def test_right_values_are_those_of_numpy():
    row = STATE["load state dict"]
    assert np.all(close(row.right, differences(row.program, row.at)))
    np.testing.assert_allclose(differences(SETTINGS["cross_entropy weight"][0], 0.3), 1.0546, atol=1e-4)


# -------------------------------------------------------------------------------- plain values go in as they always did


@pytest.mark.parametrize("value", [np.array(W), ag.Tensor(W), W], ids=["array", "Tensor", "list"])
def test_plain_values_are_loaded(value):
    m = linear()
    m.load_state_dict({"weight": value, "bias": np.zeros(1)})
    np.testing.assert_array_equal(plain(m.weight), W)
    m.weight.data = np.array(W) * 2
    np.testing.assert_array_equal(plain(m.weight), np.array(W) * 2)


def test_weights_are_copied_from_model_to_model():
    """By state_dict(), .data and .detach(); a Parameter itself is taken, or the message says how."""
    a, b = linear(), linear()
    b.load_state_dict(a.state_dict())
    b.weight.data = a.weight.data
    b.weight.data = a.weight.detach().numpy()
    message = ".data"
    try:
        b.load_state_dict(dict(a.named_parameters()))
    except ag.AutogradError as error:
        message = str(error)
    assert any(word in message for word in (".data", "detach()", "state_dict()"))
    np.testing.assert_array_equal(plain(b.weight), plain(a.weight))


def test_under_no_grad_a_traced_value_is_a_number():
    """Asked for by name, as in every training loop of one's own."""
    p, t = nn.Parameter(np.ones(2)), ag.Tensor([1.0, 2.0], requires_grad=True) * 2
    with ag.no_grad():
        p += t
        p[0] = t[1]
    np.testing.assert_array_equal(plain(p), [4, 5])


def test_gradients_that_carry_a_graph_are_stepped_with():
    """backward(create_graph=True), then step(): the step is made of numbers."""
    p = nn.Parameter(np.array([1.0, 2.0]))
    (p**3).sum().backward(create_graph=True)
    nn.optim.SGD([p], lr=0.1).step()
    np.testing.assert_allclose(plain(p), [0.7, 0.8])
    p.grad = None


def test_an_average_of_weights_under_no_grad_is_plain():
    a, b = linear(), copy.deepcopy(linear())
    with ag.no_grad():
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            q.data = 0.5 * (p.data + q.data)
            q *= 1.0
    np.testing.assert_array_equal(plain(b.weight), plain(a.weight))
