"""Elementwise ops beyond the shared table: large, infinite and nan arguments, exponents of zero, filling."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.primitive import dispatch


def slopes(f, *points):
    """Give the gradients of f, summed, for each argument."""
    arrays = [np.asarray(x, dtype=float) for x in points]
    found = ag.grad(lambda *args: f(*args).sum(), argnums=tuple(range(len(arrays))))(*arrays)
    return [g.tolist() for g in found]


@pytest.mark.parametrize("f", [np.power, np.float_power])
def test_mixed_second_derivative_of_power_at_exponent_zero(f):
    """∂²(aᵇ)/∂a∂b at b = 0 is 1/a, in both orders."""
    a, b = np.array([0.5, 2.0]), np.zeros(2)
    in_a = ag.grad(lambda b: ag.grad(lambda a: f(a, b).sum())(a).sum())(b)
    in_b = ag.grad(lambda a: ag.grad(lambda b: f(a, b).sum())(b).sum())(a)
    np.testing.assert_allclose(in_a, 1 / a)
    np.testing.assert_allclose(in_b, 1 / a)


def test_power_at_zero_and_nan():
    with np.errstate(divide="ignore"):
        in_base, in_exponent = slopes(np.power, [0, 0, 0, np.nan], [0, 1, -1, 0])
    assert in_base == [0, 1, -np.inf, 0]
    assert in_exponent[:3] == [0, 0, -np.inf]


@pytest.mark.parametrize("f", [np.logaddexp, np.logaddexp2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logaddexp_of_large_numbers_shares_its_gradient(f, dtype):
    """Where log 2 is lost in the rounding of the result, the shares are still a half each."""
    for x in (1e4, 1e6, 1e18, -1e18):
        a, b = Tensor([x, x], True, dtype=dtype), Tensor([x, 0.0], True, dtype=dtype)
        f(a, b).sum().backward()
        assert a.grad.data.tolist() == [0.5, float(x > 0)]
        assert b.grad.data.tolist() == [0.5, float(x < 0)]


def test_nan_gets_the_gradient_of_maximum_and_minimum():
    for f in (np.maximum, np.minimum):
        assert slopes(f, [np.nan, 1], [1, np.nan]) == [[1, 1], [1, 1]]
    for f in (np.fmax, np.fmin):
        assert slopes(f, [np.nan, 1], [1, np.nan]) == [[0, 1], [1, 0]]


def test_ties_are_shared_equally():
    for f in (np.maximum, np.minimum, np.fmax, np.fmin):
        assert slopes(f, [2, 0, -np.inf], [2, 0, -np.inf]) == [[0.5] * 3] * 2


def test_sinc_far_away_has_a_second_derivative():
    second = ag.grad(lambda x: ag.grad(lambda x: np.sinc(x).sum())(x).sum())(np.array([0.0, 1e250]))
    np.testing.assert_allclose(second, [-(np.pi**2) / 3, 0], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [None, (4, 3), (2, 1, 3)])
def test_full_like_sums_the_gradient_of_the_fill_value(shape, dtype):
    a, value = Tensor(np.zeros((2, 3)), dtype=dtype), Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = np.full_like(a, value, shape=shape)
    expected = np.full_like(a.data, value.data, shape=shape)
    np.testing.assert_array_equal(y.data, expected)
    assert y.dtype == expected.dtype
    y.sum().backward()
    assert value.grad.data.tolist() == [expected.size / 3] * 3


def test_full_like_of_a_number():
    y = np.full_like(Tensor([1.5, 2.0], requires_grad=True), 7, dtype=int)
    assert type(y) is Tensor
    assert not y.requires_grad
    assert y.data.tolist() == [7, 7]
    assert y.dtype == int


def test_frexp_gives_a_mantissa_with_a_gradient_and_an_exponent_without():
    mantissa, exponent = np.frexp(Tensor([12.0, -0.3, np.inf, 0.0], requires_grad=True))
    assert mantissa.data.tolist() == [0.75, -0.6, np.inf, 0.0]
    assert exponent.data.tolist() == [4, -1, 0, 0]
    assert not exponent.requires_grad
    assert slopes(lambda x: np.frexp(x)[0], [12, -0.3]) == [[1 / 16, 2]]


def test_angle_is_piecewise_constant():
    y = np.angle(Tensor([1.0, -1.0], requires_grad=True))
    assert not y.requires_grad
    assert y.data.tolist() == [0, np.pi]


UFUNCS = [f for f, ours in dispatch.items() if isinstance(f, np.ufunc) and not ours.__name__.startswith("scipy.")]
BINARY = [f for f in UFUNCS if (f.nin, f.nout, f.signature) == (2, 1, None)]


@pytest.mark.parametrize("f", [f for f in BINARY if f is not np.ldexp], ids=lambda f: f.__name__)
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16])
@pytest.mark.parametrize("side", [0, 1])
def test_constants_of_small_integer_types_are_as_good_as_floats(f, kind, side):
    """Nothing overflows in a rule (120² in int8), and nothing is rounded to float16 (log 3)."""
    x, small = np.array([1.3, 2.7, 0.4]), np.array([120, 3, 7], kind)

    def gradients(constant):
        t = Tensor(x, requires_grad=True)
        y = f(t, constant) if side == 0 else f(constant, t)
        if y.requires_grad:
            y.sum().backward()
        return t.grad.data if y.requires_grad else 0 * x

    np.testing.assert_allclose(gradients(small), gradients(small.astype(float)), rtol=1e-14)
