"""Large elementwise runs go block by block, and give what they give in one piece."""

import numpy as np
import pytest

import autograd as ag
from autograd.programs.blocks import BLOCK, LARGE, added, parts

N = LARGE + 1234  # the last block is a part of one
RNG = np.random.default_rng(0)
X = RNG.standard_normal(N)
TWO = X[: 2 * (N // 2)].reshape(2, -1)

FUNCTIONS = {
    "one run and its sum": lambda x: (np.tanh(x) * ag.sigmoid(x) + np.exp(-(x**2)) / (1 + x**2)).sum(),
    "no sum": lambda x: np.sin(x) * x - np.exp(-x * x),
    "mean": lambda x: ((x * 2 - 1) ** 2 + np.cos(x)).mean(),
    "two sums": lambda x: (x * x * np.sin(x)).sum() * (np.cos(x) + x * 3).sum(),
    "a number of the sum goes on": lambda x: np.log(1 + (np.sin(x) ** 2 * x * x).sum()),
    "a result beside": lambda x: ((x * x + 1) * np.sin(x), (x * 3 - 1) / 2),
    "masked": lambda x: np.where(x > 0.5, np.sqrt(np.abs(x) + 1) * x, 0.5 * x).sum(),
    "relu": lambda x: (ag.relu(x - 0.2) * x + ag.softplus(x) * 2).sum(),
    "kept apart by a roll": lambda x: (np.roll(np.sin(x) * x + 1, 1) * np.cos(x) * 2).sum(),
    "maximum": lambda x: (np.maximum(x, 0.1) * np.minimum(x * x, 2) + np.abs(x)).sum(),
}


def run(f, x):
    t = ag.Tensor(x, requires_grad=True)
    y = f(t)
    parts = y if isinstance(y, tuple) else (y,)
    sum((part * 1.5).sum() for part in parts).backward()
    return [part.numpy() for part in parts], t.grad.numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("x", [X, TWO, TWO.T, X.astype("f4"), X[:-7][::-1], X[:1000]], ids=range(6))
def test_values_and_gradients(name, x):
    f = FUNCTIONS[name]
    compiled = ag.compile(f)
    tolerance = {"rtol": 2e-4, "atol": 1e-3} if x.dtype == "f4" else {"rtol": 1e-10, "atol": 1e-9}
    for factor in (1.0, -0.7, 1.3):
        (values, gradient), (found, other) = run(f, factor * x), run(compiled, factor * x)
        for a, b in zip(values, found, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, **tolerance)
        np.testing.assert_allclose(other, gradient, **tolerance | {"atol": tolerance["rtol"] * np.abs(gradient).max()})


def test_a_run_is_written_as_a_loop_and_only_a_large_one():
    compiled = ag.compile(FUNCTIONS["one run and its sum"])
    large, small = (compiled.program(ag.Tensor(x, requires_grad=True)).source for x in (X, X[:1000]))
    assert large.count("for part in parts(") == 1  # the gradient is computed in the same blocks
    assert "for part" not in small
    for off in ("blocks", "ahead"):
        source = (
            ag.compile(FUNCTIONS["one run and its sum"], off=[off]).program(ag.Tensor(X, requires_grad=True)).source
        )
        assert source.count("for part in parts(") == {"blocks": 0, "ahead": 2}[off]


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_parts_cover_all_once(size):
    seen = np.zeros(size, int)
    for part in parts(size):
        seen[part] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, LARGE, LARGE + 1234, 3 * LARGE + 5])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_sums_of_blocks_add_up_to_the_bits_of_one_sum(size, dtype):
    x = RNG.standard_normal(size).astype(dtype)
    total = added(iter([np.add.reduce(x[part]) for part in parts(size)]), size)
    np.testing.assert_allclose(total, x.sum(), rtol=1e-4 if dtype == "f4" else 1e-12)
    if np.lib.NumpyVersion(np.__version__) >= "2.3.0":  # before, NumPy's sum took other halves
        assert total == x.sum()


def test_a_variable_of_the_users_is_not_the_block_of_a_loop():
    """``x[1:]`` is called part in the source of a program, as the block of a loop is."""
    f = ag.compile(lambda x, y: (np.tanh(x) * x + np.exp(-x * x)).sum() * (y[1:] ** 2).sum(), quiet=True)
    y = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    f(ag.Tensor(X, requires_grad=True), y).backward()
    assert np.isfinite(y.grad.numpy()).all()
    assert f.why == ""


def test_backward_again_and_to_second_order():
    f = FUNCTIONS["one run and its sum"]
    compiled = ag.compile(f)
    t, u = (ag.Tensor(X, requires_grad=True) for _ in range(2))
    compiled(t)
    y = compiled(t)
    y.backward(np.array(2.0), retain_graph=True)
    held = t.grad.numpy().copy()
    y.backward(np.array(-2.0))
    np.testing.assert_allclose(t.grad.numpy(), 0, atol=1e-12)
    f(u).backward(np.array(2.0))
    np.testing.assert_allclose(held, u.grad.numpy(), rtol=1e-10)
    second = [ag.grad(lambda x, g=g: (ag.grad(g)(x) * X).sum())(X) for g in (f, compiled)]
    np.testing.assert_allclose(second[1], second[0], rtol=1e-9, atol=1e-9)


def test_what_a_mask_cuts_off_stays_cut_off():
    f = lambda x: (np.where(x > 0, np.sqrt(np.where(x > 0, x, 0.0)), 0.0) * 2 + x * 0).sum()  # noqa: E731
    compiled = ag.compile(f)
    compiled(ag.Tensor(X, requires_grad=True))
    found = run(compiled, X)[1]
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, run(f, X)[1])
