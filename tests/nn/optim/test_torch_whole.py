"""Muon and L-BFGS, which look at whole matrices or at all parameters at once, against PyTorch in float64."""

import copy

import numpy as np
import pytest

import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
optim = nn.optim

MUONS = [
    {},
    {"lr": 0.1, "nesterov": False, "weight_decay": 0.0},
    {"lr": 0.02, "momentum": 0.5, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
    {"lr": 0.02, "ns_coefficients": (3.0, -4.0, 2.0), "eps": 0.1, "adjust_lr_fn": "original"},
]


@pytest.fixture
def exact(monkeypatch):
    """Let PyTorch orthogonalize in float64, not in bfloat16."""
    monkeypatch.setattr(torch.Tensor, "bfloat16", lambda self: self.clone())


def matrices():
    rng = np.random.default_rng(0)
    start = [rng.standard_normal(shape) for shape in ((4, 6), (7, 3), (5, 5), (1, 2))]
    return [nn.Parameter(s) for s in start], [torch.nn.Parameter(torch.tensor(s)) for s in start]


def descend(ours, theirs, optimizers, steps):
    for step in steps:
        rng = np.random.default_rng(step)
        for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
            g = rng.standard_normal(p.shape)
            p.grad, q.grad = (None, None) if step % 3 == i == 1 else (g, torch.tensor(g))
        for optimizer in optimizers:
            optimizer.step()


def same(ours, theirs, rtol=1e-9):
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("options", MUONS, ids=str)
def test_muon(options, exact):
    ours, theirs = matrices()
    a, b = optim.Muon(ours, **options), torch.optim.Muon(theirs, **options)
    descend(ours, theirs, [a, b], range(12))
    same(ours, theirs)


def test_muon_takes_pytorchs_state(exact):
    ours, theirs = matrices()
    a, b = optim.Muon(ours), torch.optim.Muon(theirs)
    descend(ours, theirs, [b], range(4))
    for p, q in zip(ours, theirs, strict=True):
        p.data = q.detach().numpy().copy()
    a.load_state_dict(b.state_dict())
    descend(ours, theirs, [a, b], range(4, 8))
    same(ours, theirs)


BFGS = [
    {},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "max_iter": 7, "history_size": 3, "lr": 0.5},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 6},
    {"lr": 0.1, "max_iter": 6, "history_size": 2},
    {"tolerance_grad": 0.5, "line_search_fn": "strong_wolfe"},
]


def rosenbrock(x, y):
    return (1 - x[0]) ** 2 + 10 * ((x[1:] - x[:-1] ** 2) ** 2).sum() + ((y - 2) ** 4).sum() + (x[:2] * y[0]).sum()


def quadratic(x, y):
    return (x * x).sum() + 3 * ((y - 1) ** 2).sum() + x[0] * y[1, 1]


def problem(function, options):
    """Give, for us and PyTorch: parameters, optimizer and closure."""
    made = []
    for package, leaf in ((nn, nn.Parameter), (torch, lambda a: torch.nn.Parameter(torch.tensor(a)))):
        ps = [leaf(np.array([-1.2, 1.0, 0.5])), leaf(np.array([[0.3, 1.5], [2.5, -0.5]]))]
        optimizer = package.optim.LBFGS(ps, **options)

        def closure(ps=ps, optimizer=optimizer):
            optimizer.zero_grad()
            loss = function(*ps)
            loss.backward()
            return loss

        made.append((ps, optimizer, closure))
    return made


@pytest.mark.parametrize("function", [rosenbrock, quadratic])
@pytest.mark.parametrize("options", BFGS, ids=str)
def test_lbfgs(function, options):
    if function is rosenbrock and "line_search_fn" not in options:
        options = {**options, "lr": 0.01}  # full steps leave for infinity
    (ours, a, closure), (theirs, b, other) = problem(function, options)
    for _ in range(4):
        loss, expected = a.step(closure), b.step(other)
        assert loss.item() == pytest.approx(expected.item(), rel=1e-7, abs=1e-9)
        same(ours, theirs, 1e-6)
    state, reference = a.state_dict()["state"][0], b.state_dict()["state"][0]
    assert [state[key] for key in ("n_iter", "func_evals")] == [reference[key] for key in ("n_iter", "func_evals")]


def test_lbfgs_takes_pytorchs_state():
    options = {"line_search_fn": "strong_wolfe", "max_iter": 4}
    (ours, a, closure), (theirs, b, other) = problem(rosenbrock, options)
    b.step(other)
    for p, q in zip(ours, theirs, strict=True):
        p.data = q.detach().numpy().copy()
    a.load_state_dict(copy.deepcopy(b.state_dict()))
    for _ in range(3):
        a.step(closure)
        b.step(other)
        same(ours, theirs, 1e-7)
