"""A small result keeps no large array alive until backward: not by a view of it, not by a rule that needs little."""

import gc
import tracemalloc

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import plain

N = 200_000
LARGE = 8 * N

# name: (program of a large result y, whose own rule keeps nothing; the largest share of y that may stay)
PROGRAMS = {
    "a view of one element": (lambda y: y[:1] * 0.0, 0.05),
    "a view, squared": (lambda y: y[:1] ** 2, 0.05),
    "exp of a view": (lambda y: np.exp(y[:3]), 0.05),
    "two elements": (lambda y: y[0] * y[1], 0.05),
    "a row": (lambda y: y.reshape(1000, -1)[0] ** 2, 0.05),
    "a column": (lambda y: y.reshape(1000, -1)[:, 0] ** 2, 0.05),
    "a transposed row": (lambda y: y.reshape(-1, 1000).T[0, :5] ** 2, 0.05),
    "every thousandth": (lambda y: y[::1000] * y[1::1000], 0.05),
    "a view of a view": (lambda y: y[:100][:10] ** 2, 0.05),
    "a view of a reversed one": (lambda y: y[::-1][:10] ** 2, 0.05),
    "one part of a split": (lambda y: np.split(y, 100)[3] ** 2, 0.05),
    "product of two views": (lambda y: y[:10] @ y[10:20], 0.05),
    "picked elements": (lambda y: y[[0, 5]] ** 2, 0.05),
    "sum": (lambda y: y.sum() ** 2, 0.05),
    "mean": (lambda y: np.mean(y), 0.05),
    "sum of a part": (lambda y: y[: N // 2].sum(), 0.05),
    "max": (lambda y: np.max(y), 0.3),
    "min": (lambda y: y.min(), 0.3),
    "max of rows": (lambda y: y.reshape(100, -1).max(axis=1), 0.3),
    "ptp": (lambda y: np.ptp(y), 0.6),
    "detached": (lambda y: y.detach()[:3] * 2.0, 0.05),
    "sign": (lambda y: np.sign(y[:3]) * y[:3], 0.05),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_stays_until_backward(name):
    program, share = PROGRAMS[name]
    x = ag.Tensor(np.linspace(-1.0, 1.0, N), requires_grad=True)
    program(x + 1.0)  # what is made once, is made
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        z = program(x + 1.0)
        stays = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert stays <= share * LARGE + 20_000, f"{stays / LARGE:.2f} of the large array stays"
    assert z is not None


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "detached"])
def test_its_gradient_is_right_all_the_same(name):
    """A small array in the place of the large one, along one direction."""
    program = PROGRAMS[name][0]
    x, v = np.linspace(-1.0, 1.0, N), np.cos(np.arange(N))
    leaf = ag.Tensor(x, requires_grad=True)
    np.sum(program(leaf + 1.0)).backward()
    at = lambda t: float(np.sum(program(x + t * v + 1.0)))  # noqa: E731
    h = 1e-5
    np.testing.assert_allclose((plain(leaf.grad) * v).sum(), (at(h) - at(-h)) / (2 * h), rtol=1e-4, atol=1e-4)
