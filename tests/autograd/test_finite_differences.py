"""The numbers of the check: steps and tolerances fit dtype and size of the values; a kink is told from a mistake."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GradientError
from tests.autograd.test_gradcheck import WRONG, X, product


@pytest.mark.parametrize(
    ("f", "x"), [(np.abs, 0.0), (ag.relu, 0.0), (lambda x: np.maximum(x, 1.0), 1.0), (lambda x: x.max(), np.ones(2))]
)
def test_kink_hint(f, x):
    """At a kink the slopes differ; in the gradient there, which jumps, they grow as the step shrinks."""
    seen = r"The (one-sided slopes differ \(.* and .*\)|slope grows from .* to .* as the step shrinks)"
    with pytest.raises(GradientError, match=seen + ": the point may sit on a kink or a jump"):
        ag.check_grads(f, x)


def test_wrong_gradient_on_a_smooth_point_has_no_hint():
    with pytest.raises(GradientError) as caught:
        ag.check_grads(product("smooth", a=WRONG["wrong factor"]), X, X)
    assert "kink" not in str(caught.value)


def test_float32_and_empty():
    ag.check_grads(lambda x: np.sin(x) * x, X.astype(np.float32))
    ag.check_grads(np.sin, np.zeros((0, 3)))
    with pytest.raises(GradientError):
        ag.check_grads(product("half", a=lambda g, b: g * b * 1.5), X.astype(np.float32), X.astype(np.float32))


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e3])
def test_scale_of_values(scale):
    ag.check_grads(lambda x: scale * np.sin(x), X)
    with pytest.raises(GradientError):
        ag.check_grads(lambda x: scale * product("off", a=WRONG["wrong factor"])(x, 1.5), X)


def test_seed_is_fixed():
    """The same check gives the same message twice."""
    texts = set()
    for _ in range(2):
        with pytest.raises(GradientError) as caught:
            ag.check_grads(product("seeded", a=WRONG["wrong factor"]), X, X)
        texts.add(str(caught.value))
    assert len(texts) == 1


def test_tolerances_and_step():
    slightly = product("slightly", a=lambda g, b: g * b * (1 + 1e-6))
    ag.check_grads(slightly, X, X, order=1)
    with pytest.raises(GradientError):
        ag.check_grads(slightly, X, X, order=1, rtol=1e-8, atol=0)
    ag.check_grads(product("sloppy", a=lambda g, b: g * b * 1.05), X, X, order=1, rtol=0.5)
    ag.check_grads(np.sin, X, eps=1e-4, rng=3)
