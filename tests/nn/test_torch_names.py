"""Names that people look for and that no table of layers or optimizers holds, against PyTorch in float64."""

import copy

import numpy as np
import pytest

import autograd as ag
import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
F, TF = nn.functional, torch.nn.functional
RNG = np.random.default_rng(0)


def close(ours, theirs):
    ours = np.asarray(getattr(ours, "data", ours))
    assert ours.shape == tuple(theirs.shape)
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-10, atol=1e-12)


# ------------------------------------------------------------------------------ cross entropy of probabilities, one-hot

LOGITS = RNG.normal(size=(6, 4))
STEPS = RNG.normal(size=(3, 4, 5))
LABELS, OF_STEPS = RNG.integers(0, 4, 6), RNG.integers(0, 4, (3, 5))
MIXED = RNG.dirichlet(np.ones(4), 6)
WEIGHT = np.array([1.0, 2.0, 0.5, 3.0])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("logits", "target", "options"),
    [
        (LOGITS, LABELS, {}),
        (LOGITS, LABELS, {"weight": WEIGHT}),
        (LOGITS, np.where(LABELS == 2, -100, LABELS), {"weight": WEIGHT}),
        (LOGITS, LABELS, {"ignore_index": 1}),
        (STEPS, OF_STEPS, {"weight": WEIGHT, "ignore_index": 3}),
        (LOGITS, MIXED, {}),
        (LOGITS, MIXED, {"weight": WEIGHT}),
        (LOGITS, np.eye(4)[LABELS], {}),
    ],
)
def test_categorical_cross_entropy(logits, target, options, reduction):
    """That of the probabilities is PyTorch's of the logits that they come from, and so are the gradients."""
    z, theirs = ag.Tensor(logits, requires_grad=True), torch.tensor(logits, requires_grad=True)
    converted = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
    expected = TF.cross_entropy(theirs, torch.tensor(target), reduction=reduction, **converted)
    found = F.categorical_cross_entropy(ag.softmax(z, axis=1), target, reduction=reduction, **options)
    close(found, expected)
    found.sum().backward()
    expected.sum().backward()
    close(z.grad, theirs.grad)
    loss = nn.CategoricalCrossEntropyLoss(reduction=reduction, **options)
    close(loss(ag.softmax(z, axis=1), target), expected)


@pytest.mark.parametrize(
    ("labels", "classes"), [([0, 2, 1], -1), ([0, 2, 1], 5), ([[0, 1], [2, 0]], -1), (3, 4), (np.zeros((0,), int), 3)]
)
def test_one_hot(labels, classes):
    found = F.one_hot(labels, classes)
    expected = TF.one_hot(torch.tensor(labels), classes)
    assert np.array_equal(found, expected.numpy())


# ---------------------------------------------------------------------------------------------- containers, embeddings


def test_module_dict():
    layers = {"b": (4, 3), "a": (3, 2)}
    ours = nn.ModuleDict({name: nn.Linear(*sizes, rng=0) for name, sizes in layers.items()}).astype(np.float64)
    theirs = torch.nn.ModuleDict({name: torch.nn.Linear(*sizes) for name, sizes in layers.items()}).double()
    ours.load_state_dict(theirs.state_dict())
    for both in (
        lambda d: list(d.state_dict()),
        lambda d: list(d),
        lambda d: list(d.keys()),
        lambda d: [type(module).__name__ for module in d.values()],
        lambda d: [name for name, _ in d.items()],
        lambda d: [name for name, _ in d.named_parameters()],
        lambda d: ("a" in d, "z" in d, len(d)),
        lambda d: (d.pop("b"), list(d))[1],
        lambda d: (d.clear(), len(d))[1],
    ):
        assert both(ours) == both(theirs)


@pytest.mark.parametrize("padding_idx", [None, 1])
@pytest.mark.parametrize("freeze", [True, False])
def test_embedding_from_pretrained(freeze, padding_idx):
    table, words = RNG.normal(size=(5, 3)), np.array([[0, 1, 4], [1, 1, 2]])
    ours = nn.Embedding.from_pretrained(table, freeze, padding_idx)
    theirs = torch.nn.Embedding.from_pretrained(torch.tensor(table), freeze, padding_idx)
    close(ours(words), theirs(torch.tensor(words)))
    assert ours.weight.requires_grad == theirs.weight.requires_grad == (not freeze)
    if not freeze:
        (ours(words) ** 2).sum().backward()
        (theirs(torch.tensor(words)) ** 2).sum().backward()
        close(ours.weight.grad, theirs.weight.grad)


# ----------------------------------------------------------------------------------------------------- averaged weights


def pair():
    ours = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 2, rng=1)).astype(np.float64)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("decay", [None, 0.9])
def test_averaged_model(decay, use_buffers):
    swa = torch.optim.swa_utils
    ours, theirs = pair()
    mine = nn.AveragedModel(ours, avg_fn=decay and nn.get_ema_avg_fn(decay), use_buffers=use_buffers)
    other = swa.AveragedModel(theirs, avg_fn=decay and swa.get_ema_avg_fn(decay), use_buffers=use_buffers)
    rng = np.random.default_rng(1)
    for _ in range(5):
        for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
            p.data = rng.normal(size=p.shape)
            q.data = torch.tensor(p.data.copy())
        x = rng.normal(size=(6, 3))
        ours(x)
        theirs(torch.tensor(x))
        mine.update_parameters(ours)
        other.update_parameters(theirs)
    expected = dict(other.module.state_dict())
    for name, value in mine.module.state_dict().items():
        np.testing.assert_allclose(value, expected[name].numpy(), rtol=1e-9, atol=1e-12, err_msg=name)
    batches = [rng.normal(size=(6, 3)) for _ in range(3)]
    nn.update_bn(batches, mine)
    swa.update_bn([torch.tensor(b) for b in batches], other)
    close(mine.module[1].running_mean, other.module[1].running_mean)
    close(mine.module[1].running_var, other.module[1].running_var)
    mine.eval()
    other.eval()
    close(mine(batches[0]), other(torch.tensor(batches[0])))


# -------------------------------------------------------------------------------------------------------- Lion, summary


@pytest.mark.parametrize("options", [{}, {"lr": 0.03, "betas": (0.5, 0.7)}, {"lr": 0.01, "weight_decay": 0.4}])
def test_lion(options):
    """PyTorch has none: the authors' program (Chen et al. 2023), in PyTorch."""
    start = RNG.normal(size=(4, 3))
    ours, theirs = nn.Parameter(start.copy()), torch.tensor(start.copy())
    optimizer = nn.optim.Lion([ours], **options)
    lr, (b1, b2), decay = (
        options.get(name, usual) for name, usual in (("lr", 1e-4), ("betas", (0.9, 0.99)), ("weight_decay", 0.0))
    )
    average = torch.zeros_like(theirs)
    for _ in range(10):
        g = RNG.normal(size=(4, 3))
        ours.grad = g
        optimizer.step()
        grad = torch.tensor(g)
        theirs.mul_(1 - lr * decay)
        theirs.add_((average * b1 + grad * (1 - b1)).sign(), alpha=-lr)
        average.mul_(b2).add_(grad, alpha=1 - b2)
        close(ours, theirs)


def test_summary_counts_and_shapes():
    ours, theirs = pair()
    x, shapes = RNG.normal(size=(6, 3)), []
    for module in theirs:
        module.register_forward_hook(lambda module, args, output: shapes.append(tuple(output.shape)))
    theirs(torch.tensor(x))
    text = str(nn.summary(copy.deepcopy(ours), x))
    lines = [line for line in text.splitlines() if line.startswith("  ")]
    for line, shape, module in zip(lines, shapes, theirs, strict=True):
        assert str(shape) in line
        assert line.split()[-1].replace(",", "") == str(sum(p.numel() for p in module.parameters()))
    assert str(sum(p.numel() for p in theirs.parameters())) in text.splitlines()[1]
