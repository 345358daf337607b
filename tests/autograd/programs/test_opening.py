"""An op with ``inline="forward"`` stands in a program in the lines of its forward and its rule, with the same bits."""

import cProfile
import sys

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import RuleError

F = nn.functional
RNG = np.random.default_rng(0)
X = RNG.uniform(-2, 2, (4, 3)).astype(np.float32)
SHARES = RNG.uniform(0, 1, (4, 3)).astype(np.float32)
SIGNS = np.sign(X[::-1]).astype(np.float32)
LOSSES = {
    "mse_loss": SHARES,
    "l1_loss": SHARES,
    "huber_loss": SHARES,
    "hinge_loss": SIGNS,
    "binary_cross_entropy_with_logits": SHARES,
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (1, 1), (), (0, 3)], ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_lines_have_the_bits_of_the_kernel(name, shape, reduction):
    x, t = (np.resize(a, shape).astype(np.float32) for a in (X, LOSSES[name]))
    weight = np.resize(SHARES, shape if reduction == "none" else ())

    def loss(x, t):
        return (getattr(F, name)(x, t, reduction=reduction) * weight).sum()

    compiled = ag.compile(loss)
    found = []
    for f in (loss, compiled, compiled):
        leaf = ag.Tensor(x, requires_grad=True)
        with np.errstate(invalid="ignore"):  # the mean of nothing
            y = f(leaf, t)
            y.backward()
        found.append((y.numpy().tobytes(), leaf.grad.numpy().tobytes()))
    assert found[0] == found[1] == found[2]
    assert compiled.why == ""


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smooth", [0.0, 0.1])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 3, 2), (1, 3)], ids=str)
@pytest.mark.parametrize("soft", [False, True], ids=["labels", "mixtures"])
def test_classes_have_the_bits_of_the_kernel(soft, shape, smooth, reduction):
    x = np.resize(X, shape).astype(np.float32)
    labels = np.resize([0, 2, 1, 2, 0], shape[:1] + shape[2:] if len(shape) > 1 else ())
    axis = 1 if len(shape) > 1 else 0
    mixtures = np.moveaxis(np.eye(3, dtype=np.float32)[labels] * 0.7 + 0.1, -1, axis)
    criterion = nn.CrossEntropyLoss(reduction=reduction, label_smoothing=smooth)

    def loss(x, t):
        return (criterion(x, t) * 0.5).sum()

    compiled = ag.compile(loss)
    found = []
    for f in (loss, compiled, compiled):
        leaf = ag.Tensor(x, requires_grad=True)
        y = f(leaf, mixtures if soft else labels)
        y.backward()
        found.append((y.numpy().tobytes(), leaf.grad.numpy().tobytes()))
    assert found[0] == found[1] == found[2]
    assert compiled.why == ""


@pytest.mark.parametrize("t", [np.array([0, 2, 1, 0]), np.full((4, 3), 1 / 3, np.float32)], ids=["labels", "mixtures"])
def test_cross_entropy_is_written_as_by_hand(t):
    source = ag.compile(lambda z, t: F.cross_entropy(z, t)).program(ag.Tensor(X, requires_grad=True), t).source
    assert "np.max(z, axis=1, keepdims=True)" in source
    assert "_vjp(" not in source
    assert ".copy(" not in source  # what is written into is the program's own


@pytest.mark.parametrize("name", LOSSES)
def test_the_kernel_is_not_called(name):
    compiled = ag.compile(lambda x, t: getattr(F, name)(x, t))
    source = compiled.program(ag.Tensor(X, requires_grad=True), LOSSES[name]).source
    lines = [line for line in source.splitlines() if "check_" not in line]
    assert not any(f"{name}(" in line or f"{name}_vjp" in line for line in lines)


def test_both_gradients_and_the_second_derivative():
    loss = ag.compile(F.mse_loss)
    given = ag.grad(loss, argnums=(0, 1))(X, SHARES)
    np.testing.assert_allclose(given[0], 2 * (X - SHARES) / 12, rtol=1e-6)
    np.testing.assert_allclose(given[1], -given[0], rtol=1e-6)
    np.testing.assert_allclose(ag.hvp(lambda x: loss(x, SHARES))(X, SHARES), 2 * SHARES / 12, rtol=1e-5)


def doubled(x, *, by=2.0):
    return x * by


def reads(x):
    return x * 2.0 if float(x.sum()) > 0 else x * 3.0


@pytest.mark.parametrize(("forward", "slope"), [(doubled, 2.0), (reads, 2.0)])
def test_what_cannot_be_written_in_lines_stays_a_call(forward, slope):
    own = ag.op(
        forward, name=forward.__name__, vjp=lambda g: g * slope, definition=lambda x: x * slope, inline="forward"
    )
    compiled = ag.compile(lambda x: own(x).sum())
    x = ag.Tensor(np.abs(X), requires_grad=True)
    for _ in range(2):
        x.grad = None
        compiled(x).backward()
        assert x.grad.numpy().tolist() == np.full(X.shape, slope).tolist()
    assert compiled.why == ""
    assert (f"{forward.__name__}(" in compiled.program(x).source) is (forward is not doubled)


def test_another_word_is_refused():
    with pytest.raises(RuleError, match="op 'own': inline= is 'definition' or 'forward', got True"):
        ag.op(lambda x: x, name="own", vjp=lambda g: g, inline=True)


def test_values_have_the_names_of_the_lines_that_they_come_from():
    program = ag.compile(lambda z, t: F.mse_loss(z, t)).program(ag.Tensor(X, requires_grad=True), SHARES)
    forward, backward = program.source.split("\ndef backward")
    for line in ("d = z - t", "flat = d.reshape(-1)", "s = flat @ flat"):
        assert f"    {line}\n" in forward
    assert "dz = d * (2 * (dloss / c12))" in backward


def test_names_of_the_user_come_first():
    def f(x, t):
        flat = x * 2.0
        return F.mse_loss(flat, t) + flat.sum()

    source = ag.compile(f).program(ag.Tensor(X, requires_grad=True), SHARES).source
    assert "    flat = x * c2\n" in source
    assert "    flat_2 = d.reshape(-1)\n" in source


def test_a_profiler_that_runs_goes_on():
    profile = cProfile.Profile()
    profile.enable()
    try:
        compiled = ag.compile(lambda z, t: F.mse_loss(z, t))
        compiled(ag.Tensor(X, requires_grad=True), SHARES).backward()
        assert sys.getprofile() is profile
    finally:
        profile.disable()
    assert compiled.why == ""
