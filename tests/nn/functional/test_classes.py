"""Losses of classes: what an index leaves out, an ignored sample or another class, is cut off whatever stands there."""

import numpy as np
import pytest

import autograd as ag
import nn.functional as F

LOGITS = np.array([[0.3, 0.5, 0.1], [np.nan, 1.0, 2.0], [-1.0, 0.2, 0.4], [np.inf, 0.0, -np.inf], [-3.0, -1.0, -2.0]])
LABELS = np.array([1, -100, 0, -100, 2])
COUNTS = LABELS >= 0


def log(z):
    """Give nan for what is below 0 behind the loss, and slopes that are infinite."""
    return np.log(np.where(np.isfinite(z), z + 3.0, -1.0))


LOSSES = {  # of logits
    "cross_entropy": F.cross_entropy,
    "cross_entropy, smooth": lambda z, y, **kw: F.cross_entropy(z, y, label_smoothing=0.1, **kw),
    "cross_entropy, weight": lambda z, y, **kw: F.cross_entropy(z, y, weight=[0.5, 2.0, 1.0], **kw),
    "cross_entropy behind log": lambda z, y, **kw: F.cross_entropy(log(z), y, **kw),
    "nll_loss": lambda z, y, **kw: F.nll_loss(ag.log_softmax(z), y, **kw),
    "nll_loss, weight": lambda z, y, **kw: F.nll_loss(ag.log_softmax(z), y, weight=[0.5, 2.0, 1.0], **kw),
    "nll_loss by its formula": lambda z, y, **kw: F.nll_loss(np.log(np.exp(z) / np.exp(z).sum(-1)[:, None]), y, **kw),
    "categorical_cross_entropy": lambda z, y, **kw: F.categorical_cross_entropy(ag.softmax(z), y, check=False, **kw),
}
WAYS = {
    "grad": lambda f, z: ag.value_and_grad(f)(z),
    "compile": lambda f, z: ag.compile(ag.value_and_grad(f))(z),
    "checkpoint": lambda f, z: ag.value_and_grad(ag.checkpoint(f))(z),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_ignored_samples_may_hold_anything(name, reduction, way):
    loss = LOSSES[name]
    with np.errstate(all="ignore"):
        value, g = WAYS[way](lambda z: loss(z, LABELS, reduction=reduction), LOGITS)
        right, expected = ag.value_and_grad(lambda z: loss(z, LABELS[COUNTS], reduction=reduction))(LOGITS[COUNTS])
    np.testing.assert_allclose(value, right, rtol=1e-12)
    np.testing.assert_allclose(g[COUNTS], expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(g[~COUNTS], 0.0)


@pytest.mark.parametrize("name", LOSSES)
def test_second_derivatives_of_what_counts(name):
    def f(z, y):
        return LOSSES[name](z, y)

    v = np.cos(np.arange(15.0)).reshape(5, 3)
    with np.errstate(all="ignore"):
        found = ag.hvp(lambda z: f(z, LABELS))(LOGITS, v)
        right = ag.hvp(lambda z: f(z, LABELS[COUNTS]))(LOGITS[COUNTS], v[COUNTS])
    np.testing.assert_allclose(found[COUNTS], right, rtol=1e-10, atol=1e-14)
    np.testing.assert_array_equal(found[~COUNTS], 0.0)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_pixels_are_ignored_one_by_one(name):
    z, y = LOGITS.T[None].copy(), LABELS[None]  # (1, 3, 5)
    loss = {"cross_entropy": F.cross_entropy, "nll_loss": lambda z, y: F.nll_loss(ag.log_softmax(z, axis=1), y)}[name]
    with np.errstate(all="ignore"):
        value, g = ag.value_and_grad(lambda z: loss(z, y))(z)
    right, expected = ag.value_and_grad(lambda z: loss(z, LABELS[COUNTS]))(LOGITS[COUNTS])
    np.testing.assert_allclose(value, right, rtol=1e-12)
    np.testing.assert_allclose(g[0].T[COUNTS], expected, rtol=1e-12)
    np.testing.assert_array_equal(g[0].T[~COUNTS], 0.0)


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_logarithm_of_a_probability_that_is_zero_and_not_asked_for(create_graph):
    p = ag.Tensor([[0.0, 0.7, 0.3], [0.5, 0.0, 0.5]], requires_grad=True)
    with np.errstate(divide="ignore"):
        F.nll_loss(np.log(p), [1, 2]).backward(create_graph=create_graph)
    np.testing.assert_allclose(p.grad.data, [[0.0, -0.5 / 0.7, 0.0], [0.0, 0.0, -1.0]])
    p.grad = None
