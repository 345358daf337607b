"""Reductions beyond the shared table: PyTorch as the oracle, kinks, zeros in products, dtypes, positions, messages."""

import warnings
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, DTypeError, InPlaceError, MissingRule, ShapeError
from autograd.ops.axes import spread
from tests.autograd.ops.oracle import same_as_torch

X = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4))
ZEROS = X.copy()
ZEROS[0, 0, 1] = ZEROS[1, :, 2] = ZEROS[1, 2, :2] = 0.0
TIES = np.round(X)


def gradient(f, x):
    return ag.grad(f)(np.asarray(x, dtype=float))


TORCH = {
    "sum": (lambda x: np.sum(x), lambda torch, x: x.sum(), X),
    "sum_axes": (lambda x: np.sum(x, (0, -1)), lambda torch, x: x.sum((0, -1)), X),
    "sum_keepdims": (lambda x: np.sum(x, 1, keepdims=True), lambda torch, x: x.sum(1, keepdim=True), X),
    "prod": (lambda x: np.prod(x, -1), lambda torch, x: x.prod(-1), X),
    "prod_with_zeros": (lambda x: np.prod(x, -1), lambda torch, x: x.prod(-1), ZEROS),
    "prod_of_all": (lambda x: np.prod(x), lambda torch, x: x.prod(), ZEROS),
    "mean": (lambda x: np.mean(x, 0), lambda torch, x: x.mean(0), X),
    "mean_axes": (lambda x: np.mean(x, (1, 2), keepdims=True), lambda torch, x: x.mean((1, 2), keepdim=True), X),
    "var": (lambda x: np.var(x, -1), lambda torch, x: x.var(-1, correction=0), X),
    "var_ddof": (lambda x: np.var(x, (0, 2), ddof=1), lambda torch, x: x.var((0, 2), correction=1), X),
    "std": (lambda x: np.std(x, 1, ddof=1), lambda torch, x: x.std(1), X),
    "std_of_all": (lambda x: np.std(x, correction=2), lambda torch, x: x.std(correction=2), X),
    "max_with_ties": (lambda x: np.max(x, (0, 2)), lambda torch, x: x.amax((0, 2)), TIES),
    "min_with_ties": (lambda x: np.min(x, 1, keepdims=True), lambda torch, x: x.amin(1, keepdim=True), TIES),
    "max_of_all": (lambda x: np.max(x), lambda torch, x: x.amax(), X),
    "cumsum": (lambda x: np.cumsum(x, -2), lambda torch, x: x.cumsum(-2), X),
    "cumsum_flat": (lambda x: np.cumsum(x), lambda torch, x: x.reshape(-1).cumsum(0), X),
    "cumprod": (lambda x: np.cumprod(x, 1), lambda torch, x: x.cumprod(1), X),
    "cumprod_with_zeros": (lambda x: np.cumprod(x, -1), lambda torch, x: x.cumprod(-1), ZEROS),
    "cumprod_flat": (lambda x: np.cumprod(x), lambda torch, x: x.reshape(-1).cumprod(0), ZEROS),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, x = TORCH[name]
    same_as_torch(ours, theirs, x)


# --------------------------------------------------------------------------------------------------------------- kinks


def test_max_and_min_share_ties_equally():
    np.testing.assert_array_equal(gradient(np.max, [1.0, 3.0, 3.0, 2.0]), [0, 0.5, 0.5, 0])
    np.testing.assert_array_equal(gradient(np.min, [[1.0, 1.0], [1.0, 2.0]]), [[1 / 3, 1 / 3], [1 / 3, 0]])


def test_ptp_of_equal_elements_has_gradient_zero():
    np.testing.assert_array_equal(gradient(np.ptp, [2.0, 2.0, 2.0]), [0, 0, 0])


def test_maximum_that_is_nan_gives_its_gradient_to_the_nan():
    np.testing.assert_array_equal(gradient(np.max, [1.0, np.nan, 3.0]), [0, 1, 0])


def test_infinite_upstream_gradient_stays_on_the_maximum():
    """√max at 0 has slope ∞ there and 0 elsewhere, not nan."""
    np.testing.assert_array_equal(gradient(lambda x: np.sqrt(np.max(x)), [-1.0, 0.0]), [0, np.inf])


@pytest.mark.parametrize(
    "std", [np.std, np.nanstd, lambda x: np.std(x, where=x > 0), lambda x: np.std(x, mean=np.array([2.0]))]
)
def test_std_has_gradient_zero_where_it_is_zero(std):
    x = np.full(4, 2.0)
    np.testing.assert_array_equal(gradient(std, x), np.zeros(4))


# ------------------------------------------------------------------------------------------------------------- products


def test_prod_is_right_at_zeros_to_third_order():
    x = np.array([0.0, 0.0, 3.0])
    np.testing.assert_array_equal(gradient(np.prod, x), [0, 0, 0])
    np.testing.assert_array_equal(ag.hessian(np.prod)(x), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])
    third = ag.jacobian(ag.hessian(np.prod))(x)
    assert sorted(third.ravel()) == [0] * 21 + [1] * 6


def test_cumprod_is_right_at_zeros_to_second_order():
    def last(x):
        return np.cumprod(x)[-1]

    np.testing.assert_array_equal(gradient(last, [0.0, 2.0, 3.0]), [6, 0, 0])
    np.testing.assert_array_equal(ag.hessian(last)(np.array([0.0, 0.0, 3.0])), [[0, 3, 0], [3, 0, 0], [0, 0, 0]])


def test_prod_does_not_divide_by_what_underflows():
    np.testing.assert_allclose(gradient(np.prod, [1e-200, 1e-200, 1e150]), [1e-50, 1e-50, 0], rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 7, 8, 33])
def test_products_of_any_length(n):
    x = np.linspace(0.5, 1.5, n)
    ones = np.ones(n)
    np.testing.assert_allclose(gradient(np.prod, x), np.prod(x) / x * ones, rtol=1e-12)
    from_here = [sum(np.prod(x[:k]) / x[i] for k in range(i + 1, n + 1)) for i in range(n)]
    np.testing.assert_allclose(gradient(lambda x: np.sum(np.cumprod(x)), x), from_here, rtol=1e-12)


# --------------------------------------------------------------------------------------------- where=, initial=, mean=


@pytest.mark.parametrize(
    "f", [np.sum, np.mean, np.prod, np.var, np.std, lambda x, where: np.max(x, initial=-1.0, where=where)]
)
def test_what_where_leaves_out_has_gradient_zero_even_if_not_finite(f):
    chosen = np.array([True, True, False, False])
    whole = gradient(lambda x: f(x, where=chosen), [1.0, 2.0, np.nan, np.inf])
    np.testing.assert_array_equal(whole[2:], [0, 0])
    np.testing.assert_allclose(whole[:2], gradient(lambda x: f(x, where=np.ones(2, bool)), [1.0, 2.0]))


def test_where_may_be_changed_after_the_call():
    x, chosen = ag.Tensor([1.0, 2.0], requires_grad=True), np.array([True, False])
    y = np.sum(x, where=chosen)
    chosen[:] = [False, True]
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [1, 0])


def test_where_must_fit():
    with pytest.raises(ShapeError, match=r"where= of shape \(3, 2\) does not broadcast to the array's shape \(2,\)"):
        np.sum(ag.Tensor([1.0, 2.0]), where=np.ones((3, 2), bool))


def test_initial_has_a_gradient():
    x, start = ag.Tensor([2.0, 3.0]), np.array(5.0)
    assert ag.grad(lambda s: np.sum(x, initial=s))(start) == 1
    assert ag.grad(lambda s: np.prod(x, initial=s))(start) == 6
    assert ag.grad(lambda s: np.max(x, initial=s))(start) == 1
    assert ag.grad(lambda s: np.min(x, initial=s))(start) == 0
    assert np.max(ag.Tensor(np.zeros((0,))), initial=1.5).item() == 1.5


@pytest.mark.parametrize("f", [np.sum, np.prod, np.max, np.min])
def test_initial_takes_the_dtype_of_the_result(f):
    for x in (np.ones(2, np.float32), np.array([1, 2]), np.array([True, False])):
        y, expected = f(ag.Tensor(x), initial=np.float64(1.5)), f(x, initial=np.float64(1.5))
        assert y.dtype == expected.dtype
        assert y.shape == expected.shape


def test_var_around_a_given_mean():
    """The mean is an input of its own; given the true one, its gradient is 0."""
    x = X[0]
    center = x.mean(1, keepdims=True)
    f = lambda x, m: np.var(x, 1, mean=m).sum()  # noqa: E731
    np.testing.assert_allclose(ag.grad(f, 1)(x, center), 0, atol=1e-12)
    np.testing.assert_allclose(ag.grad(f)(x, center), gradient(lambda x: np.var(x, 1).sum(), x), rtol=1e-12)


# ------------------------------------------------------------------------------------------------- dtypes and positions


@pytest.mark.parametrize("f", [np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod, np.nansum])
def test_dtype_of_the_result_and_of_the_gradient(f):
    x = ag.Tensor(X.astype(np.float32), requires_grad=True)
    y = f(x, dtype=np.float64)
    assert y.dtype == np.float64
    y.sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad.data, gradient(lambda x: f(x).sum(), X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [np.sum, np.prod, np.mean, np.var, np.std, np.cumsum, np.cumprod, np.trace])
def test_dtype_without_gradients_is_refused(f):
    name, x = f.__name__, ag.Tensor(X[0], requires_grad=True)
    with pytest.raises(
        DTypeError, match=rf"np.{name}\(…, dtype=int64\): integers and booleans carry no gradient. Pass a float"
    ):
        f(x, dtype=np.int64)
    with pytest.raises(DTypeError, match=rf"np.{name}\(…, dtype=float64\) would lose the imaginary part. Pass x.real"):
        f(x * 1j, dtype=float)
    with pytest.raises(DTypeError, match=rf"np.{name}\(…, dtype=object\): only numbers have gradients"):
        f(x.detach(), dtype=object)


def test_integers_reduce_as_in_numpy():
    x = np.array([[1, 2], [3, 5]], np.int8)
    for f in (np.sum, np.prod, np.mean, np.max, np.var, np.median, np.cumsum):
        y = f(ag.Tensor(x))
        assert y.dtype == f(x).dtype
        assert not y.requires_grad
        np.testing.assert_array_equal(y.data, f(x))


POSITIONAL = {
    "sum": (lambda x: np.sum(x, 1, None, None, True), X[0].sum(1, keepdims=True)),
    "sum_by_name": (lambda x: np.sum(a=x, axis=0), X[0].sum(0)),
    "prod": (lambda x: np.prod(x, -1, None, None, True, 2.0), 2 * X[0].prod(-1, keepdims=True)),
    "mean": (lambda x: np.mean(x, 0, None, None, True), X[0].mean(0, keepdims=True)),
    "var": (lambda x: np.var(x, 0, None, None, 1, True), X[0].var(0, ddof=1, keepdims=True)),
    "std": (lambda x: np.std(x, 0, None, None, 1), X[0].std(0, ddof=1)),
    "max": (lambda x: np.max(x, 1, None, True), X[0].max(1, keepdims=True)),
    "min": (lambda x: np.min(x, 1, None, False, -9.0), np.full(3, -9.0)),
    "ptp": (lambda x: np.ptp(x, 1, None, True), np.ptp(X[0], 1, keepdims=True)),
    "cumsum": (lambda x: np.cumsum(x, 1), X[0].cumsum(1)),
    "reduce": (lambda x: np.add.reduce(x), X[0].sum(0)),
    "reduce_max": (lambda x: np.maximum.reduce(x, axis=-1, keepdims=True), X[0].max(-1, keepdims=True)),
    "accumulate": (lambda x: np.multiply.accumulate(x), X[0].cumprod(0)),
    "method": (lambda x: x.sum(-1, keepdims=True), X[0].sum(-1, keepdims=True)),
}


@pytest.mark.parametrize("name", POSITIONAL)
def test_arguments_stand_where_numpy_has_them(name):
    call, expected = POSITIONAL[name]
    y = call(ag.Tensor(X[0], requires_grad=True))
    assert y.requires_grad
    np.testing.assert_allclose(y.data, expected, rtol=1e-13)


# ----------------------------------------------------------------------------------------------------- memory, messages


@pytest.mark.parametrize("f", [np.sum, np.mean, np.cumsum, lambda x: np.sum(x, (0, 1), keepdims=True)])
def test_the_input_is_not_kept(f):
    x = ag.Tensor(np.ones((10, 10)), requires_grad=True) + 1.0
    y, array = f(x), weakref.ref(x.data)
    del x
    assert array() is None
    y.sum().backward()


@pytest.mark.parametrize("f", [np.prod, np.var, np.std, np.median, np.cumprod])
def test_the_input_must_not_change_before_backward(f):
    x = ag.Tensor([1.0, 2.0, 4.0], requires_grad=True)
    y = f(x).sum()
    x.data -= 1.0
    with pytest.raises(InPlaceError, match=rf"input 'a' of '{f.__name__}', shape \(3,\), was changed in place"):
        y.backward()


def test_large_sums_spread_their_gradient_without_memory():
    g = ag.vjp(lambda x: np.sum(x, 1), np.zeros((100, 100)))[1](np.arange(100.0))
    np.testing.assert_array_equal(g, np.repeat(np.arange(100.0)[:, None], 100, 1))
    assert spread(np.arange(100.0), (100, 100), 1).strides[1] == 0


REDUCTIONS = [
    np.sum,
    np.prod,
    np.mean,
    np.var,
    np.std,
    np.max,
    np.min,
    np.ptp,
    np.median,
    np.cumsum,
    np.cumprod,
    np.nansum,
    np.nanmax,
]


@pytest.mark.parametrize("f", REDUCTIONS)
def test_bad_axis(f):
    with pytest.raises(np.exceptions.AxisError, match="axis 5 is out of bounds for array of dimension 2"):
        f(ag.Tensor(X[0], requires_grad=True), axis=5)


@pytest.mark.parametrize("f", [*REDUCTIONS[:-2], np.trace])
def test_out_is_refused(f):
    with pytest.raises(
        ConversionError, match=rf"np.{f.__name__}\(…, out=…\): .* Write y = np.{f.__name__}\(…\) without out=."
    ):
        f(ag.Tensor(X[0]), out=np.zeros(3))


def test_messages():
    x = ag.Tensor(X[0], requires_grad=True)
    with pytest.raises(
        ArgumentError, match=r"np.max\(…, where=…\) needs initial=, the result where nothing is chosen."
    ):
        np.max(x, where=X[0] > 0)
    with pytest.raises(ArgumentError, match=r"np.min\(…, where=…\) needs initial="):
        np.min(x, where=X[0] > 0)
    with pytest.raises(ArgumentError, match="var: ddof=1 and correction=1 are the same thing; pass one of them"):
        np.var(x, ddof=1, correction=1)
    with pytest.raises(MissingRule, match="'axis' has no gradient"):
        np.sum(x, x)


CHOICES = (
    {},
    {"where": np.array([[True, False], [True, True]])},
    {"axis": 0, "where": [True, False], "keepdims": True},
)


@pytest.mark.parametrize("kwargs", CHOICES, ids=["all", "where", "axis and where"])
@pytest.mark.parametrize("dtype", "efdgFDGi?")
@pytest.mark.parametrize("name", ["sum", "prod", "mean", "var", "std", "nansum", "nanmean", "nanvar", "nanstd"])
def test_dtypes_are_numpys(name, dtype, kwargs):
    a, f = np.array([[1.5, 0.5], [0.25, 2.0]]).astype(dtype), getattr(np, name)
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings(action="ignore"):
        right, found = f(a, **kwargs), f(ag.Tensor(a), **kwargs)
    assert found.dtype == right.dtype
    np.testing.assert_allclose(found.data, right)
