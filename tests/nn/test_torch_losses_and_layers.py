"""PyTorch as an oracle: same weights, same outputs and gradients to float32 rounding."""

import numpy as np
import pytest

import autograd as ag
import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
F, TF = nn.functional, torch.nn.functional
CLOSE = dict(rtol=2e-5, atol=2e-6)


def normal(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype(np.float32)


def both(x):
    """Give the array as our leaf and as PyTorch's."""
    return ag.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)


def assert_same(ours, theirs, pairs=(), **tolerance):
    np.testing.assert_allclose(ours.data, theirs.detach().numpy(), **(tolerance or CLOSE))
    assert ours.dtype == np.float32
    g = normal(*ours.shape, seed=9)
    ours.backward(g)
    theirs.backward(torch.tensor(g))
    for a, b in pairs:
        np.testing.assert_allclose(a.grad.data, b.grad.numpy(), **(tolerance or CLOSE))


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 5), (2, 0, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias):
    ours, theirs = nn.Linear(5, 3, bias=bias), torch.nn.Linear(5, 3, bias=bias)
    ours.load_state_dict(theirs.state_dict())
    x, tx = both(normal(*shape))
    pairs = [(x, tx), (ours.weight, theirs.weight), *([(ours.bias, theirs.bias)] if bias else [])]
    assert_same(ours(x), theirs(tx), pairs)


ACTIVATIONS = {
    "ReLU": {},
    "LeakyReLU": {"negative_slope": 0.2},
    "ELU": {"alpha": 0.7},
    "GELU": {},
    "SiLU": {},
    "Sigmoid": {},
    "Tanh": {},
    "Softplus": {"beta": 2.0, "threshold": 3.0},
    "Softmax": {"dim": 1},
    "LogSoftmax": {"dim": 0},
    "Identity": {},
}


@pytest.mark.parametrize("name", [*ACTIVATIONS, "GELU tanh", "Softplus plain"])
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_activation(name, scale):
    kind, _, variant = name.partition(" ")
    options = {"approximate": "tanh"} if variant == "tanh" else {} if variant else ACTIVATIONS[kind]
    x, tx = both(normal(4, 6, scale=scale))
    y, ty = getattr(nn, kind)(**options)(x), getattr(torch.nn, kind)(**options)(tx)
    assert_same(y, ty, [(x, tx)], rtol=1e-4, atol=2e-5 if scale < 1e4 else 1e-2)


def test_sequential_takes_a_state_dict():
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU(), torch.nn.Linear(8, 2))
    ours = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 2))
    ours.load_state_dict(theirs.state_dict())
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x, tx = both(normal(5, 4))
    assert_same(ours(x), theirs(tx), [(x, tx), *zip(ours.parameters(), theirs.parameters(), strict=True)])


ELEMENTWISE = {
    "mse_loss": {},
    "l1_loss": {},
    "huber_loss": {"delta": 0.5},
    "binary_cross_entropy_with_logits": {},
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ELEMENTWISE)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_elementwise_loss(name, reduction, scale):
    x, tx = both(normal(6, 3, scale=scale))
    t, tt = both(np.random.default_rng(4).uniform(size=(6, 3)).astype(np.float32))
    options = {**ELEMENTWISE[name], "reduction": reduction}
    ours, theirs = getattr(F, name)(x, t, **options), getattr(TF, name)(tx, tt, **options)
    assert_same(ours, theirs, [(x, tx), (t, tt)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weighted_binary_losses(reduction):
    weight, pos = np.array([0.5, 1.0, 2.0], np.float32), np.array([3.0, 1.0, 0.1], np.float32)
    target = np.random.default_rng(4).integers(0, 2, (6, 3)).astype(np.float32)
    x, tx = both(normal(6, 3, scale=5))
    ours = F.binary_cross_entropy_with_logits(x, target, weight, reduction, pos)
    theirs = TF.binary_cross_entropy_with_logits(
        tx, torch.tensor(target), torch.tensor(weight), reduction=reduction, pos_weight=torch.tensor(pos)
    )
    assert_same(ours, theirs, [(x, tx)])
    p, tp = both(np.array([[0.0, 0.2, 1.0], [1.0, 0.5, 0.0]], np.float32))
    t = np.array([[0.0, 1.0, 1.0], [0.0, 0.3, 1.0]], np.float32)
    assert_same(
        F.binary_cross_entropy(p, t, weight, reduction),
        TF.binary_cross_entropy(tp, torch.tensor(t), torch.tensor(weight), reduction=reduction),
        [(p, tp)],
    )


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ignore_index": 2},
        {"weight": True},
        {"label_smoothing": 0.1},
        {"weight": True, "ignore_index": 1, "label_smoothing": 0.2},
    ],
    ids=str,
)
@pytest.mark.parametrize("shape", [(7, 4), (4,), (3, 4, 5), (2, 4, 2, 3)], ids=str)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_cross_entropy_of_indices(shape, options, reduction, scale):
    weight = np.array([0.5, 1.0, 2.0, 0.1], np.float32)
    options = {**options, "reduction": reduction}
    target = np.random.default_rng(1).integers(0, 4, shape[:1] + shape[2:] if len(shape) > 1 else ())
    target = np.array(3) if len(shape) == 1 else target
    x, tx = both(normal(*shape, scale=scale))
    ours = F.cross_entropy(x, target, **{**options, **({"weight": weight} if "weight" in options else {})})
    theirs = TF.cross_entropy(
        tx, torch.tensor(target), **{**options, **({"weight": torch.tensor(weight)} if "weight" in options else {})}
    )
    assert_same(ours, theirs, [(x, tx)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"weight": True, "label_smoothing": 0.2}], ids=str)
@pytest.mark.parametrize("shape", [(7, 4), (4,), (3, 4, 5)], ids=str)
def test_cross_entropy_of_probabilities(shape, options, reduction):
    weight = np.array([0.5, 1.0, 2.0, 0.1], np.float32)
    options = {**options, "reduction": reduction}
    t, tt = both(np.random.default_rng(1).uniform(size=shape).astype(np.float32))
    x, tx = both(normal(*shape))
    ours = F.cross_entropy(x, t, check=False, **{**options, **({"weight": weight} if "weight" in options else {})})
    theirs = TF.cross_entropy(
        tx, tt, **{**options, **({"weight": torch.tensor(weight)} if "weight" in options else {})}
    )
    assert_same(ours, theirs, [(x, tx), (t, tt)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("weight", [None, np.array([0.5, 1.0, 2.0, 0.1], np.float32)], ids=["plain", "weighted"])
@pytest.mark.parametrize("shape", [(7, 4), (3, 4, 5)], ids=str)
def test_nll_loss(shape, weight, reduction):
    target = np.random.default_rng(1).integers(0, 4, shape[:1] + shape[2:])
    x, tx = both(normal(*shape))
    ours = F.nll_loss(x, target, weight, ignore_index=2, reduction=reduction, check=False)
    theirs = TF.nll_loss(
        tx, torch.tensor(target), None if weight is None else torch.tensor(weight), ignore_index=2, reduction=reduction
    )
    assert_same(ours, theirs, [(x, tx)])


def test_mean_of_nothing_is_nan_as_in_pytorch():
    x = normal(2, 3)
    assert np.isnan(F.cross_entropy(ag.Tensor(x), [-100, -100]).item())
    assert np.isnan(F.nll_loss(ag.Tensor(-np.abs(x)), [-100, -100]).item())
    assert torch.isnan(TF.cross_entropy(torch.tensor(x), torch.tensor([-100, -100])))


INITS = [
    "xavier_uniform_",
    "xavier_normal_",
    "kaiming_uniform_",
    "kaiming_normal_",
    "orthogonal_",
    "uniform_",
    "normal_",
]


@pytest.mark.parametrize("name", INITS)
@pytest.mark.parametrize("shape", [(60, 80), (40, 20, 3, 3)], ids=str)
def test_init_statistics(name, shape):
    ours = getattr(nn.init, name)(nn.Parameter(np.empty(shape)), rng=0).data
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, name)(torch.empty(shape)).numpy()
    spread = theirs.std()
    assert abs(ours.mean() - theirs.mean()) < 5 * spread / np.sqrt(ours.size)
    assert abs(ours.std() / spread - 1) < 0.05
    if "uniform" in name:
        assert abs(np.abs(ours).max() / np.abs(theirs).max() - 1) < 0.02


def test_gains():
    for name in ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    assert nn.init.calculate_gain("leaky_relu", 0.3) == pytest.approx(torch.nn.init.calculate_gain("leaky_relu", 0.3))


def test_linear_starts_as_in_pytorch():
    ours, theirs = nn.Linear(100, 200, rng=0), torch.nn.Linear(100, 200)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.abs(a.data).max() == pytest.approx(b.abs().max().item(), rel=0.05)
        assert a.data.std() == pytest.approx(b.std().item(), rel=0.15)
