"""Histograms with weights that record: NumPy's values, and a gradient to second order."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import MissingRule, ShapeError

RNG = np.random.default_rng(0)
X, Y, W = RNG.uniform(0, 4, 12), RNG.uniform(0, 2, 12), RNG.uniform(0.5, 2, 12)
X[0] = 4.0  # the right end of the last bin
EDGES = np.array([0.0, 0.5, 2.0, 4.0])
FORMS = {
    "number of bins": lambda w: np.histogram(X, 3, weights=w)[0],
    "edges": lambda w: np.histogram(X, EDGES, weights=w)[0],
    "range": lambda w: np.histogram(X, 4, (1.0, 3.0), weights=w)[0],
    "density": lambda w: np.histogram(X, EDGES, density=True, weights=w)[0],
    "squares": lambda w: np.histogram(X, EDGES, weights=w * w)[0],
    "2d": lambda w: np.histogram2d(X, Y, 3, weights=w)[0],
    "2d edges": lambda w: np.histogram2d(X, Y, [EDGES, 2], density=True, weights=w)[0],
    "2d one set of edges": lambda w: np.histogram2d(X, Y, EDGES, weights=w)[0],
    "dd rows": lambda w: np.histogramdd(np.stack([X, Y], 1), (2, 3), weights=w)[0],
    "dd by axis": lambda w: np.histogramdd([X, Y, X], 2, density=True, weights=w)[0],
}


@pytest.mark.parametrize("name", FORMS)
def test_weights(name):
    f = FORMS[name]
    np.testing.assert_allclose(f(ag.Tensor(W, True)).data, f(W), rtol=1e-13)
    ag.check_grads(f, W)


@pytest.mark.parametrize("name", FORMS)
def test_dtype_of_weights(name):
    w = W.astype(np.float32)
    assert FORMS[name](ag.Tensor(w, True)).dtype == FORMS[name](w).dtype


def test_edges_that_would_move_are_refused():
    t = ag.Tensor(X, requires_grad=True)
    for call in (
        lambda: np.histogram(t, 3),
        lambda: np.histogram(t, 3, weights=W),
        lambda: np.histogram2d(t, Y),
        lambda: np.histogramdd([t, Y], (2, 2), weights=ag.Tensor(W, True)),
        lambda: np.histogram(X, ag.Tensor(EDGES, True)),
        lambda: np.histogram2d(X, Y, ag.Tensor(EDGES, True)),
        lambda: np.histogramdd([X, Y], [EDGES, ag.Tensor(EDGES, True)], weights=W),
    ):
        with pytest.raises(MissingRule, match=r"np\.histogram\w* has no gradient rule for its edges\. Give edges, or"):
            call()
    np.testing.assert_array_equal(np.histogram2d(t, Y, [EDGES, EDGES])[0], np.histogram2d(X, Y, [EDGES, EDGES])[0])
    np.testing.assert_array_equal(np.histogram(t, EDGES, density=True)[0], np.histogram(X, EDGES, density=True)[0])


def test_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"histogram: 12 values need as many weights, got shape \(2,\)"):
        np.histogram(X, 3, weights=ag.Tensor([1.0, 2.0], True))
