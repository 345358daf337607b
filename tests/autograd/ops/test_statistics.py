"""Averages, sums that skip nan: PyTorch as the oracle, kinks, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from tests.autograd.ops.oracle import same_as_torch

RNG = np.random.default_rng(1)
X = RNG.uniform(-2, 2, (2, 3, 5))
W = RNG.uniform(0.5, 2, (2, 3, 5))
NANS = X.copy()
NANS[0, 1, 2] = NANS[1, :, 0] = np.nan


def gradient(f, x):
    return ag.grad(f)(np.asarray(x, dtype=float))


TORCH = {
    "cov": (lambda x: np.cov(x[0]), lambda torch, x: torch.cov(x[0]), [X]),
    "cov_weights": (
        lambda x, w: np.cov(x[0], aweights=w[0, 0], fweights=[1, 2, 1, 3, 1], ddof=0),
        lambda torch, x, w: torch.cov(x[0], aweights=w[0, 0], fweights=torch.tensor([1, 2, 1, 3, 1]), correction=0),
        [X, W],
    ),
    "cov_ddof": (
        lambda x: np.cov(x[0], aweights=W[0, 0]),
        lambda torch, x: torch.cov(x[0], aweights=torch.tensor(W[0, 0])),
        [X],
    ),
    "corrcoef": (lambda x: np.corrcoef(x[0]), lambda torch, x: torch.corrcoef(x[0]), [X]),
    "nansum": (lambda x: np.nansum(x, (0, 2)), lambda torch, x: x.nansum((0, 2)), [NANS]),
    "nanmean": (lambda x: np.nanmean(x, -1, keepdims=True), lambda torch, x: x.nanmean(-1, keepdim=True), [NANS]),
    "average": (lambda x, w: np.average(x, 1, w), lambda torch, x, w: (x * w).sum(1) / w.sum(1), [X, W]),
    "average_row": (
        lambda x, w: np.average(x, -1, w, returned=True),
        lambda torch, x, w: ((x * w).sum(-1) / w.sum(), w.sum().expand(2, 3)),
        [X, W[0, 0]],
    ),
    "average_axes": (
        lambda x, w: np.average(x, (2, 0), w),
        lambda torch, x, w: (x * w.T[:, None]).sum((0, 2)) / w.sum(),
        [X, W[:, 0].T],
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, arrays = TORCH[name]
    same_as_torch(ours, theirs, *arrays)


@pytest.mark.parametrize(
    "f", [np.nansum, np.nanprod, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nancumsum, np.nancumprod]
)
def test_nan_elements_have_gradient_zero(f):
    g = gradient(lambda x: f(x).sum(), [1.0, np.nan, 2.0, 4.0])
    assert g[1] == 0
    plain = getattr(np, f.__name__.removeprefix("nan"))
    np.testing.assert_allclose(g[[0, 2, 3]], gradient(lambda x: plain(x).sum(), [1.0, 2.0, 4.0]) + _filled(f))


def _filled(f):
    """Running sums count a nan as 0 and so repeat the one before it: 1 more for the first element."""
    return {np.nancumsum: [1, 0, 0], np.nancumprod: [1, 0, 0]}.get(f, [0, 0, 0])


def test_all_nan():
    x = ag.Tensor([[np.nan, np.nan], [1.0, 2.0]], requires_grad=True)
    with pytest.warns(RuntimeWarning, match="All-NaN slice encountered"):
        y = np.nanmax(x, 1)
    np.testing.assert_array_equal(y.data, [np.nan, 2])
    np.testing.assert_array_equal(np.nanmin(x, 1, initial=5.0).data, [5, 1])
    np.testing.assert_array_equal(np.nansum(x, 1).data, [0, 3])
    with pytest.warns(RuntimeWarning):
        np.testing.assert_array_equal(np.nanvar(x, 1, ddof=1).data, [np.nan, 0.5])


COVARIANCES = {
    "columns": lambda x: np.cov(x[0], x[1, 0], rowvar=False),
    "bias": lambda x: np.cov(x[0], bias=True),
    "one": lambda x: np.cov(x[0, 0]),
    "two": lambda x: np.cov(x[0, 0], x[0, 1]),
    "two as columns": lambda x: np.cov(x[0, 0], x[0, 1], rowvar=False),
    "correlation of one": lambda x: np.corrcoef(x[0, 0]),
    "correlation of two": lambda x: np.corrcoef(x[0, 0], x[0, 1]),
}


@pytest.mark.parametrize("name", COVARIANCES)
def test_covariances_are_those_of_numpy(name):
    x = X.transpose(0, 2, 1)[:, :3].copy() if name == "columns" else X
    np.testing.assert_allclose(COVARIANCES[name](ag.Tensor(x)).data, COVARIANCES[name](x), rtol=1e-13)
    ag.check_grads(COVARIANCES[name], x)


def test_covariances_are_checked():
    x = ag.Tensor(X[0], requires_grad=True)
    with pytest.raises(
        ArgumentError, match=r"cov: weights must be 5 numbers >= 0, one per observation, got shape \(3,\)"
    ):
        np.cov(x, aweights=np.ones(3))
    with pytest.raises(ShapeError, match=r"cov: takes at most two axes, got shape \(2, 3, 5\)"):
        np.cov(ag.Tensor(X))
    with pytest.warns(RuntimeWarning, match="Degrees of freedom <= 0"), np.errstate(all="ignore"):
        assert not np.isfinite(np.cov(x[:, :1]).data).any()


def test_weights_are_checked():
    x = ag.Tensor(X[0], requires_grad=True)
    with pytest.raises(
        ShapeError, match=r"average: weights have shape \(4,\), the array \(3, 5\), axis=0. Give weights of the"
    ):
        np.average(x, 0, np.ones(4))
    with pytest.raises(ShapeError, match=r"average: weights have shape \(5,\), the array \(3, 5\), axis=None"):
        np.average(x, weights=np.ones(5))
    with pytest.raises(ZeroDivisionError, match=r"average: the weights add up to 0 over axis=0"):
        np.average(x, 0, np.zeros(3))


def test_running_sums_of_the_array_standard():
    if not hasattr(np, "cumulative_sum"):
        pytest.skip("NumPy >= 2.1")
    x = ag.Tensor(X[0], requires_grad=True)
    np.testing.assert_allclose(np.cumulative_sum(x, axis=1, include_initial=True).data[:, 1:], np.cumsum(X[0], 1))
    np.testing.assert_allclose(np.cumulative_prod(x, axis=0, include_initial=True).data[0], 1)
    with pytest.raises(ArgumentError, match=r"np.cumulative_prod: x has 2 axes; say along which one with axis="):
        np.cumulative_prod(x)
