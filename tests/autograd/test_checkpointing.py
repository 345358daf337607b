"""Checkpoints: a function keeps its inputs only and runs again; closures, nesting, memory, what is refused."""

import tracemalloc

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import GraphError, InPlaceError

X = np.array([0.5, -1.0, 2.0])


def block(x):
    return np.tanh(x * 2) + np.exp(-x * x)


def test_checkpoint_has_the_same_values_and_gradients():
    for f in (lambda x: block(x).sum(), lambda x: (block(block(x)) ** 2).sum()):
        np.testing.assert_array_equal(ag.grad(ag.checkpoint(f))(X), ag.grad(f)(X))
        np.testing.assert_allclose(ag.hessian(ag.checkpoint(f))(X), ag.hessian(f)(X))
    ag.check_grads(ag.checkpoint(block), X, order=3)


def test_checkpoint_runs_the_function_twice():
    calls = []

    def f(x):
        calls.append(1)
        return block(x)

    x = Tensor(X, requires_grad=True)
    y = ag.checkpoint(f)(x)
    assert len(calls) == 1
    y.sum().backward()
    assert len(calls) == 2


def test_checkpoint_of_closures():
    """Tensors from outside get their gradients, whether the argument needs one or not."""
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    for requires in (True, False):
        x = Tensor(X, requires_grad=requires)
        ag.checkpoint(lambda x: np.sin(w * x) * (w * 2))(x).sum().backward()
        expected = ag.grad(lambda w: (np.sin(w * X) * (w * 2)).sum())(w.data)
        np.testing.assert_allclose(w.grad.data, expected)
        w.zero_grad()
    hidden = w * 2
    ag.checkpoint(lambda x: hidden * x)(Tensor(X)).sum().backward()
    np.testing.assert_array_equal(w.grad.data, 2 * X)


def test_checkpoint_of_closures_to_second_order():
    w = Tensor(0.7, requires_grad=True)
    gradient = ag.grad(ag.checkpoint(lambda x: np.sin(w * x)))(0.5)
    gradient.backward()
    expected = ag.grad(lambda w: ag.grad(lambda x: np.sin(w * x))(0.5))(0.7)
    assert w.grad.item() == pytest.approx(expected)


def test_checkpoint_arguments_and_results():
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    p, q = ag.checkpoint(lambda xs, scale, *, shift: (xs["a"] * xs["b"] * scale, xs["a"] + shift))(
        {"a": x, "b": y}, 5.0, shift=y
    )
    assert (p.item(), q.item()) == (30, 5)
    (p + q).backward()
    assert (x.grad.item(), y.grad.item()) == (16, 11)


def test_checkpoint_without_recording_or_need():
    assert ag.checkpoint(lambda x: x * 2)(3.0) == 6
    y = ag.checkpoint(block)(Tensor(X))
    assert isinstance(y, Tensor)
    assert not y.requires_grad
    with ag.no_grad():
        assert not ag.checkpoint(block)(Tensor(X, requires_grad=True)).requires_grad


def test_checkpoint_nested():
    f = ag.checkpoint(lambda x: ag.checkpoint(block)(x) * ag.checkpoint(np.sin)(x))
    np.testing.assert_allclose(ag.grad(lambda x: f(x).sum())(X), ag.grad(lambda x: (block(x) * np.sin(x)).sum())(X))


def test_checkpoint_needs_a_deterministic_function():
    rng = np.random.default_rng(0)
    y = ag.checkpoint(lambda x: x * rng.normal())(Tensor(2.0, requires_grad=True))
    with pytest.raises(
        GraphError,
        match=r"second run gave other values, .*Make the function deterministic \(create random generators inside",
    ):
        y.backward()


def test_checkpoint_with_a_generator_made_inside():
    x = Tensor(2.0, requires_grad=True)
    ag.checkpoint(lambda x: x * np.random.default_rng(5).normal())(x).backward()
    assert x.grad.item() == np.random.default_rng(5).normal()


def test_checkpoint_result_must_be_a_tensor():
    with pytest.raises(
        GraphError,
        match=r"checkpoint\(<lambda>\): the function must return a Tensor or a tuple of Tensors, got (tuple|list)",
    ):
        ag.checkpoint(lambda x: (x, 3.0))(Tensor(1.0, requires_grad=True))


def test_checkpoint_detects_changes_in_place():
    x = Tensor(X, requires_grad=True)
    y = ag.checkpoint(block)(x).sum()
    x.data -= 1
    with pytest.raises(InPlaceError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("wrap", [ag.checkpoint, lambda f: f])
def test_checkpoint_saves_memory(wrap):
    """20 blocks of 10 ops on 1 MB: with checkpoints the inputs of the blocks are kept, not what is inside."""

    def ten(x):
        for _ in range(10):
            x = np.tanh(x)
        return x

    x = Tensor(np.zeros(1 << 17), requires_grad=True)
    tracemalloc.start()
    y = x
    for _ in range(20):
        y = wrap(ten)(y)
    used = tracemalloc.get_traced_memory()[0] / (1 << 20)
    y.sum().backward()
    peak = tracemalloc.get_traced_memory()[1] / (1 << 20)
    tracemalloc.stop()
    if wrap is ag.checkpoint:
        assert used < 25
        assert peak < 45
    else:
        assert used > 190  # the figure that is saved
