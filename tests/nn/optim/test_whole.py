"""Muon and L-BFGS without PyTorch: what they promise, copies, state, and a loss that is not finite everywhere."""

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import InPlaceError, ShapeError, TrainingError

optim = nn.optim


def descent(function, start, **options):
    """Make a Parameter, its optimizer and the closure."""
    w = nn.Parameter(np.array(start))
    optimizer = optim.LBFGS([w], **options)

    def closure():
        optimizer.zero_grad()
        loss = function(w)
        loss.backward()
        return loss

    return w, optimizer, closure


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5)])
def test_muon_makes_singular_values_equal(shape):
    g = np.random.default_rng(0).standard_normal(shape)
    w = nn.Parameter(np.zeros(shape))
    w.grad = g
    optim.Muon([w], lr=1.0, momentum=0.0).step()
    u, s, vt = np.linalg.svd(-w.data / max(1, shape[0] / shape[1]) ** 0.5)
    assert ((s > 0.6) & (s < 1.3)).all()
    left, _, right = np.linalg.svd(g, full_matrices=False)
    np.testing.assert_allclose(u[:, : len(s)] @ vt[: len(s)], left @ right, atol=1e-6)


def test_muon_skips_what_has_no_gradient_and_trains_a_layer_beside_adam():
    model, rng = nn.MLP(2, [16, 16, 1], "tanh", rng=0), np.random.default_rng(0)
    x = rng.uniform(-1, 1, (64, 2)).astype(np.float32)
    y = np.sin(3 * x[:, :1]) * x[:, 1:]
    inner = model.layers[1].weight
    both = optim.Muon([inner], lr=0.02), optim.AdamW([p for p in model.parameters() if p is not inner], lr=0.01)
    before = inner.data.copy()
    both[0].step()
    np.testing.assert_array_equal(inner.data, before)
    assert both[0].state_dict()["state"] == {}
    for _ in range(150):
        model.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        for optimizer in both:
            optimizer.step()
    assert loss.item() < 0.01
    assert both[0].state_dict()["state"][0]["step"] == 150


def test_a_graph_that_used_the_old_values_raises():
    m = nn.Parameter([[2.0]])
    loss = (m * m).sum()
    m.grad = [[1.0]]
    optim.Muon([m]).step()
    with pytest.raises(InPlaceError, match="was changed in place"):
        loss.backward()


def test_lbfgs_fits_to_the_last_digit():
    """A least-squares problem that gradient descent needs thousands of steps for."""
    a = np.random.default_rng(0).standard_normal((30, 6)) * np.logspace(0, 2, 6)
    b = a @ np.arange(6.0)
    w, optimizer, closure = descent(
        lambda w: ((a @ w - b) ** 2).mean(), np.zeros(6), line_search_fn="strong_wolfe", max_iter=60,
        tolerance_change=1e-15, tolerance_grad=1e-10,
    )  # fmt: skip
    first = optimizer.step(closure)
    assert first.item() == pytest.approx((b**2).mean())
    np.testing.assert_allclose(w.data, np.arange(6.0), atol=1e-6)


@pytest.mark.parametrize("start", [1e-3, 50.0])
def test_a_search_turns_back_where_the_loss_is_not_finite(start):
    """The first steps lead below 0, where log gives nan."""
    w, optimizer, closure = descent(
        lambda w: (w - np.log(w)).sum(), [start], line_search_fn="strong_wolfe", lr=100.0, max_iter=50
    )
    with np.errstate(invalid="ignore"):
        optimizer.step(closure)
    assert w.item() == pytest.approx(1.0, abs=1e-4)


def test_a_closure_may_be_called_under_no_grad_and_give_a_number():
    w, optimizer, closure = descent(lambda w: (w * w).sum(), [3.0])
    with ag.no_grad():
        assert optimizer.step(lambda: closure().item()) == 9.0
    assert w.item() == pytest.approx(0.0, abs=1e-6)


def test_a_parameter_without_gradient_stays():
    w, v = nn.Parameter(np.array([3.0])), nn.Parameter(np.array([5.0]))
    optimizer = optim.LBFGS([w, v])

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert (w.item(), v.item()) == (pytest.approx(0.0, abs=1e-6), 5.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))], ids=["copy", "pickle"])
def test_a_copy_goes_on_like_the_original(copied):
    def bowl(w):
        return ((w - 1) ** 4).sum() + (w[0] * w[1]) ** 2

    w, optimizer, closure = descent(bowl, [3.0, -2.0], max_iter=3, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    v, other = copied((w, optimizer))

    def again():
        other.zero_grad()
        loss = bowl(v)
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)
        other.step(again)
    np.testing.assert_array_equal(w.data, v.data)
    assert optimizer.state_dict()["state"][0]["n_iter"] == other.state_dict()["state"][0]["n_iter"] == 6


def test_a_fresh_lbfgs_has_no_state_and_takes_none():
    _, optimizer, closure = descent(lambda w: (w * w).sum(), [3.0])
    empty = optimizer.state_dict()
    assert empty["state"] == {}
    optimizer.step(closure)
    assert optimizer.state_dict()["state"][0]["func_evals"] > 0
    optimizer.load_state_dict(empty)
    assert optimizer.state_dict()["state"] == {}


def test_a_state_of_other_parameters_changes_nothing():
    _, optimizer, closure = descent(lambda w: (w * w).sum(), [3.0, 1.0])
    optimizer.step(closure)
    before = optimizer.state_dict()
    bad = {"state": {0: {"n_iter": 7, "d": [1.0]}}, "param_groups": before["param_groups"]}
    with pytest.raises(ShapeError, match=r"LBFGS\.load_state_dict changed nothing: its vectors need 2 numbers"):
        optimizer.load_state_dict(bad)
    assert optimizer.state_dict()["state"][0]["n_iter"] == before["state"][0]["n_iter"]


def test_a_loss_that_is_not_finite_stops_before_the_step():
    w, optimizer, closure = descent(lambda w: (w - np.log(w)).sum(), [50.0], lr=1e6)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(TrainingError, match=r"the loss is nan after a step of 1e\+06 times"),
    ):
        optimizer.step(closure)
    assert w.item() == 50.0
    _, optimizer, closure = descent(lambda w: w.sum() * np.inf, [1.0])
    with pytest.raises(TrainingError, match=r"LBFGS\.step: the loss is inf before the first step; no step can help\."):
        optimizer.step(closure)


@pytest.mark.parametrize("line_search_fn", [None, "strong_wolfe"])
def test_an_interrupted_search_leaves_the_last_parameters(line_search_fn):
    w, optimizer, closure = descent(lambda w: ((w - 3) ** 4).sum(), [0.0], line_search_fn=line_search_fn, lr=0.5)
    seen = []

    def interrupted():
        seen.append(w.item())
        if len(seen) == 4:
            raise KeyboardInterrupt
        return closure()

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(interrupted)
    assert w.item() in seen[:3]
    assert w.item() != seen[3]
