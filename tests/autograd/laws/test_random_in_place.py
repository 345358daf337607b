"""Random in-place programs: value and gradient are those of the same program on arrays, or InPlaceError."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.laws.in_place.random import draw
from tests.autograd.laws.oracle import close, plain, value, weigh
from tests.autograd.laws.test_closures import INNER, OUTER, mixed

SEEDS = range(200)
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def slope(f, x, v, h=1e-5):
    """Differentiate the weighed program along v, on arrays."""
    return sum(c / h * value(f, x + k * h * v) for k, c in STENCIL)


def by_backward(f, x, create_graph=False):
    leaf = ag.Tensor(x, requires_grad=True)
    weigh(f(leaf)).backward(create_graph=create_graph)
    gradient, leaf.grad = leaf.grad, None
    return np.zeros(x.shape) if gradient is None else plain(gradient)


@pytest.mark.parametrize("seed", SEEDS)
def test_program(seed):
    source, f, x = draw(seed)
    right = value(f, x)
    assert np.isfinite(right)
    ways = {
        "without recording": lambda: ag.no_grad()(f)(ag.Tensor(x)),
        "a constant": lambda: f(ag.Tensor(x)),
        "recording": lambda: f(ag.Tensor(x, requires_grad=True)),
    }
    for way, run in ways.items():
        try:
            found = float(plain(weigh([plain(part) for part in run()])))
        except InPlaceError:
            continue
        assert close(found, right), f"value, {way}: {found!r}, right is {right!r}\n{source}"
    v = np.random.default_rng(seed).uniform(0.5, 1.5, x.shape)
    right = slope(f, x, v)
    for create_graph in (False, True):
        try:
            found = (by_backward(f, x, create_graph) * v).sum()
        except InPlaceError:
            continue
        assert close(found, right, 1e-5, 1e-6), f"{create_graph=}: {found!r}, right is {right!r}\n{source}"


@pytest.mark.parametrize("seed", SEEDS[::10])
def test_second_order(seed):
    """By check_grads, which runs the program on Tensors only: beside the test above this is about the second order."""
    source, f, x = draw(seed)
    try:
        ag.check_grads(lambda x: weigh(f(x)), x, order=2)
    except InPlaceError:
        return
    except ag.AutogradError as error:
        raise AssertionError(f"{error}\n{source}") from error


@pytest.mark.parametrize("seed", [seed for seed in range(1, 150) if seed % 5 in (1, 2, 4)][::2])
def test_a_program_that_closes_over_another_argument(seed):
    """The inner transform differentiates one half of the argument, the outer one the other half."""
    source, f, x = draw(seed)
    loss = lambda a, b: weigh(f(np.stack([a, b])))  # noqa: E731
    (a, b), rng = x, np.random.default_rng(seed)
    v, u = rng.uniform(0.5, 1.5, a.shape), rng.uniform(0.5, 1.5, b.shape)
    right, other = (mixed(loss, a, b, (0, v), (1, u), step=h) for h in (2e-4, 4e-4))
    if not close(right, other, 1e-4, 1e-5):
        return  # a comparison of values changes its mind here
    for inner, outer in (("grad", "grad"), ("jvp", "grad"), ("grad", "jvp"), ("grad of checkpoint", "backward")):
        try:
            found = OUTER[outer](lambda b, inner=inner: INNER[inner](lambda a: loss(a, b), a, v), b, u)
        except InPlaceError:
            continue
        assert close(float(plain(found)), right, 1e-4, 1e-5), f"{outer} of {inner}: {found}, right is {right}\n{source}"


def test_most_programs_are_followed():
    refused = 0
    for seed in SEEDS:
        _, f, x = draw(seed)
        try:
            by_backward(f, x)
        except InPlaceError:
            refused += 1
    assert refused <= 0.25 * len(SEEDS)


def test_programs_are_the_same_every_time():
    assert draw(17)[0] == draw(17)[0]
    np.testing.assert_array_equal(draw(17)[2], draw(17)[2])
