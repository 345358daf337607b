"""Medians and quantiles: PyTorch as the oracle, NumPy for every method, ties, nans, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ConversionError, MissingRule
from tests.autograd.ops.oracle import same_as_torch

X = np.random.default_rng(1).uniform(-2, 2, (2, 3, 5))
NANS = X.copy()
NANS[0, 1, 2] = NANS[1, :, 0] = NANS[1, 2, 3] = np.nan

TORCH = {
    "median": (lambda x: np.median(x, -1), lambda torch, x: x.median(-1).values, [X]),
    "median_of_all": (lambda x: np.median(x[:, :, :3]), lambda torch, x: x[:, :, :3].quantile(0.5), [X]),
    "nanmedian": (lambda x: np.nanmedian(x, -1), lambda torch, x: x.nanquantile(0.5, -1), [NANS]),
    "quantile": (lambda x: np.quantile(x, 0.3), lambda torch, x: x.quantile(0.3), [X]),
    "quantiles": (
        lambda x: np.quantile(x, [0.0, 0.15, 1.0], axis=1),
        lambda torch, x: x.quantile(torch.tensor([0.0, 0.15, 1.0], dtype=x.dtype), 1),
        [X],
    ),
    "percentile": (
        lambda x: np.percentile(x, 85, axis=-1, keepdims=True),
        lambda torch, x: x.quantile(0.85, -1, keepdim=True),
        [X],
    ),
    "quantile_axes": (
        lambda x: np.quantile(x, 0.6, axis=(0, 2)),
        lambda torch, x: x.permute(1, 0, 2).reshape(3, 10).quantile(0.6, 1),
        [X],
    ),
    "lower": (
        lambda x: np.quantile(x, 0.6, axis=0, method="lower"),
        lambda torch, x: x.quantile(0.6, 0, interpolation="lower"),
        [X],
    ),
    "midpoint": (
        lambda x: np.quantile(x, 0.6, axis=2, method="midpoint"),
        lambda torch, x: x.quantile(0.6, 2, interpolation="midpoint"),
        [X],
    ),
    "nanquantile": (
        lambda x: np.nanquantile(x, [0.2, 0.7], axis=2),
        lambda torch, x: x.nanquantile(torch.tensor([0.2, 0.7], dtype=x.dtype), 2),
        [NANS],
    ),
    "nanpercentile": (lambda x: np.nanpercentile(x, 35), lambda torch, x: x.nanquantile(0.35), [NANS]),
}
METHODS = [
    *["inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull"],
    *["linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest"],
]


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, arrays = TORCH[name]
    same_as_torch(ours, theirs, *arrays)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("f", [np.quantile, np.nanquantile])
def test_every_method(f, method):
    x = NANS[1] if f is np.nanquantile else X[1]
    q = [0.07, 0.31, 0.77]
    y = f(Tensor(x, requires_grad=True), q, axis=1, method=method)
    np.testing.assert_array_equal(y.data, f(x, q, axis=1, method=method))
    ag.check_grads(lambda x: f(x, q, axis=1, method=method), x)


def gradient(f, x):
    return ag.grad(lambda x: f(x).sum())(np.asarray(x, dtype=float)).tolist()


def test_median_gives_its_gradient_to_the_middle():
    assert gradient(np.median, [3, 1, 2]) == [0, 0, 1]
    assert gradient(np.median, [4, 1, 3, 2]) == [0, 0, 0.5, 0.5]


def test_equal_elements_share_equally():
    assert gradient(np.median, [5, 2, 2, 2, 0]) == [0, 1 / 3, 1 / 3, 1 / 3, 0]
    assert gradient(lambda x: np.quantile(x, 0.75), [1, 3, 3, 7]) == [0, 0.375, 0.375, 0.25]  # 3 + (7 - 3) · 0.25
    assert gradient(lambda x: np.quantile(x, 1), [1, 7, 7]) == gradient(np.max, [1, 7, 7])


def test_nan_gets_the_gradient_of_a_nan_result_and_nothing_where_it_is_skipped():
    x = [[1, np.nan, 3], [1, 2, 4]]
    assert gradient(lambda x: np.median(x, 1), x) == [[0, 1, 0], [0, 1, 0]]
    assert gradient(lambda x: np.nanmedian(x, 1), x) == [[0.5, 0, 0.5], [0, 1, 0]]


def test_all_nan_row():
    x = Tensor([[np.nan, np.nan], [1.0, 2.0]], requires_grad=True)
    with pytest.warns(RuntimeWarning, match="All-NaN slice encountered"):
        y = np.nanmedian(x, axis=1)
    np.testing.assert_array_equal(y.data, [np.nan, 1.5])
    y[1].backward()
    assert x.grad.data.tolist() == [[0, 0], [0.5, 0.5]]


RANDOM = np.random.default_rng(0)
MIXED = RANDOM.permutation(12).reshape(3, 4) * 0.3 - 1
WEIGHTS = RANDOM.uniform(0.1, 1, (3, 4))
WEIGHED = {
    "all": {"q": 0.3, "weights": WEIGHTS},
    "several": {"q": [0.2, 0.7], "axis": 1, "weights": WEIGHTS},
    "rows": {"q": 0.4, "axis": 0, "weights": np.array([0.2, 0.3, 0.9]), "keepdims": True},
    "axes swapped": {"q": 0.4, "axis": (1, 0), "weights": WEIGHTS.T},
    "nothing counted": {"q": 0.4, "axis": (0,), "weights": np.array([0.2, 0.0, 0.9])},
}


@pytest.mark.parametrize("function", [np.quantile, np.nanquantile])
@pytest.mark.parametrize("name", WEIGHED)
def test_by_weights(name, function):
    options = WEIGHED[name] | {"method": "inverted_cdf"}
    if function is np.nanquantile and options["weights"].ndim == 1:
        pytest.skip("NumPy itself fails")
    np.testing.assert_array_equal(function(Tensor(MIXED), **options).data, function(MIXED, **options))
    ag.check_grads(lambda x: function(x, **options), MIXED)


def test_by_weights_where_elements_are_equal_nan_or_count_nothing():
    def share(x, *weights, f=np.quantile):
        return ag.grad(lambda x: f(x, 0.5, weights=weights, method="inverted_cdf"))(np.array(x)).tolist()

    assert share([1.0, 1.0, 1.0, 2.0], 1, 1, 0, 1) == [0.5, 0.5, 0, 0]
    assert share([np.nan, 3.0, 1.0], 5, 1, 2, f=np.nanquantile) == [0, 0, 1]
    w = Tensor(WEIGHTS, requires_grad=True)
    assert not np.quantile(MIXED, 0.3, weights=w, method="inverted_cdf").requires_grad


def test_weights_where_no_gradient_is_lost():
    with ag.no_grad():
        y = np.quantile(Tensor(X[0, 0], requires_grad=True), 0.4, weights=np.arange(1, 6), method="inverted_cdf")
    assert y.data == np.quantile(X[0, 0], 0.4, weights=np.arange(1, 6), method="inverted_cdf")
    plain = ag.primitive.dispatch[np.quantile](X[0, 0], 0.4, weights=np.arange(1, 6), method="inverted_cdf")
    assert plain == y.data


ERRORS = {
    "q": (lambda x: np.quantile(x, x[0, 0, 0]), MissingRule, r"np.quantile\(…, q=tensor\) .* for q\. Pass q\.detach"),
    "weights": (
        lambda x: np.percentile(x, 30, weights=np.ones(x.shape)),
        ArgumentError,
        r"percentile: weights= goes with method='inverted_cdf' only, as in NumPy, got 'linear'",
    ),
    "out": (lambda x: np.nanmedian(x, out=np.zeros(())), ConversionError, r"np.nanmedian\(…, out=…\)"),
    "range": (lambda x: np.quantile(x, 1.5), ValueError, "range"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_messages(name):
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call(Tensor(np.abs(X) / 4, requires_grad=True))
