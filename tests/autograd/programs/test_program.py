"""What a program gives behaves as what the function itself gives: memory, gradients, later changes."""

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.programs.functions import BELOW, MATRICES, VECTORS


@pytest.mark.parametrize("name", BELOW)
def test_gradient_of_the_result(name):
    function = BELOW[name]
    compiled = ag.compile(function)
    for args in MATRICES if name == "model" else VECTORS:
        found = []
        for each in (function, compiled, compiled):
            x = ag.Tensor(args[0], requires_grad=True)
            (each(x) * 1.5).sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
        np.testing.assert_allclose(found[2], found[0], rtol=1e-10)


def test_results_are_never_overwritten_and_inputs_never_written():
    compiled = ag.compile(lambda x: (x * 2 + 1, x.T))
    first = compiled(MATRICES[0][0])
    kept = [a.copy() for a in first]
    given = MATRICES[1][0].copy()
    compiled(given)
    np.testing.assert_array_equal(given, MATRICES[1][0])
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    first[1][0, 0] = 9.0
    assert MATRICES[0][0][0, 0] != 9.0


def test_a_batch_changed_before_backward_is_not_read():
    w, x = ag.Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
    compiled = ag.compile(lambda x: (x * w).sum())
    for _ in range(2):
        w.grad, x[:] = None, [3.0, 4.0]
        y = compiled(x)
        x[:] = 0
        y.backward()
        assert w.grad.tolist() == [3.0, 4.0]


def test_a_weight_changed_before_backward_is_refused():
    w = ag.Tensor([1.0, 2.0], requires_grad=True)
    compiled = ag.compile(lambda x: (x * w).sum())
    for _ in range(2):
        y = compiled(ag.Tensor([3.0, 4.0], requires_grad=True))
        w.data = w.data * 2
        with pytest.raises(ag.errors.InPlaceError, match="was changed in place"):
            y.backward()


def test_a_call_that_fails_leaves_draws_and_statistics_as_the_function_itself_does():
    draw = ag.opaque(lambda rng: rng.normal(size=2))
    x, singular = np.array([[1.0, 2], [3, 5], [0, 1]]), np.array([[1.0, 2], [2, 4], [0, 1]])
    found = []
    for wrapped in (lambda f: f, ag.compile):
        rng, norm = np.random.default_rng(0), nn.BatchNorm1d(2).astype(float)
        f = wrapped(lambda x, rng=rng, norm=norm: np.linalg.inv(x[:2]) @ (norm(x) + draw(rng))[:2])
        f(x), f(x)
        with pytest.raises(np.linalg.LinAlgError):
            f(singular)
        found.append((np.asarray(f(x).data), norm.running_mean.copy()))
    np.testing.assert_allclose(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


CUT = {  # what is cut off at x = 0, where the slope is infinite
    "a part of a result": lambda x: np.sqrt(x)[1:].sum(),
    "a part of the input": lambda x: np.sqrt(x[1:]).sum(),
    "by a condition": lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(),
}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_what_is_cut_off_inside_a_transform_is_0(name):
    """Whether a nan may come of a mask is asked where something was computed before it, and not of an input's parts."""
    x, v = np.array([0.0, 4.0, 9.0]), np.ones(3)
    slope, curvature = ag.compile(ag.grad(CUT[name])), ag.compile(ag.hvp(CUT[name]))
    for _ in range(2):  # traced, then run
        np.testing.assert_array_equal(slope(x), [0, 1 / 4, 1 / 6])
        np.testing.assert_allclose(curvature(x, v), [0, -1 / 32, -1 / 108], rtol=1e-15)
