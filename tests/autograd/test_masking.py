"""A masked element has gradient zero, at kinks the derivative is the documented one; so too where it is traced."""

import numpy as np
import pytest

import autograd as ag

BAD = np.array([-1.0, 0.0, 4.0])


def quietly(f):
    def g(*args):
        with np.errstate(all="ignore"):
            return f(*args)

    return g


def gradients(f, x):
    """Give the gradient of f, summed, as computed on arrays and as computed on Tensors."""
    f = quietly(f)
    leaf = ag.Tensor(x, requires_grad=True)
    f(leaf).sum().backward(create_graph=True)
    traced = leaf.grad.data.copy()
    leaf.grad = None
    plain = ag.grad(lambda x: f(x).sum())(x)
    np.testing.assert_array_equal(plain, traced)
    return plain


# name: (function that is not smooth everywhere, where it is masked, points)
MASKED = {
    "sqrt": (np.sqrt, lambda x: x > 0, BAD),
    "log": (np.log, lambda x: x > 0, BAD),
    "log2": (np.log2, lambda x: x > 0, BAD),
    "log10": (np.log10, lambda x: x > 0, BAD),
    "log1p": (np.log1p, lambda x: x > -1, np.array([-2.0, -1.0, 3.0])),
    "reciprocal": (np.reciprocal, lambda x: x != 0, BAD),
    "divide": (lambda x: 1 / x, lambda x: x != 0, BAD),
    "divide by itself": (lambda x: x / x, lambda x: x != 0, BAD),
    "power": (lambda x: x**0.5, lambda x: x > 0, BAD),
    "power of a negative": (lambda x: x**-1.5, lambda x: x > 0, BAD),
    "power, exponent": (lambda x: BAD**x, lambda x: BAD > 0, np.array([0.5, 1.0, 2.0])),
    "float_power": (lambda x: np.float_power(x, 0.5), lambda x: x > 0, BAD),
    "cbrt": (np.cbrt, lambda x: x != 0, BAD),
    "arccos": (np.arccos, lambda x: np.abs(x) < 1, np.array([-1.0, 1.0, 3.0, 0.5])),
    "arcsin": (np.arcsin, lambda x: np.abs(x) < 1, np.array([-1.0, 1.0, 3.0, 0.5])),
    "arctanh": (np.arctanh, lambda x: np.abs(x) < 1, np.array([-1.0, 1.0, 3.0, 0.5])),
    "arccosh": (np.arccosh, lambda x: x > 1, np.array([1.0, 0.5, 3.0])),
    "hypot": (lambda x: np.hypot(x, 0.0), lambda x: x != 0, BAD),
    "arctan2": (lambda x: np.arctan2(x, 0 * BAD), lambda x: x != 0, BAD),
    "logit": (ag.logit, lambda x: (x > 0) & (x < 1), np.array([0.0, 1.0, 0.5])),
    "log of log": (lambda x: np.log(np.log(x)), lambda x: x > 1, np.array([-1.0, 0.5, 3.0])),
    "sqrt of log": (lambda x: np.sqrt(np.log(x)), lambda x: x > 1, np.array([1.0, 0.5, 3.0])),
    "1 / sqrt": (lambda x: 1 / np.sqrt(x), lambda x: x > 0, BAD),
    "log of quotient": (lambda x: np.log(x / (x + 1)), lambda x: x > 0, BAD),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_element_has_gradient_zero(name):
    """where(mask, f(x), x) has gradient 1 where the mask is off, although the slope of f is inf or nan there."""
    f, mask, x = MASKED[name]
    found = gradients(lambda x: np.where(mask(x), f(x), x), x)
    off = ~np.asarray(mask(x))
    assert off.any()
    np.testing.assert_array_equal(found[off], np.ones(off.sum()))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", MASKED)
def test_masked_by_indexing_and_by_where_alike(name):
    f, mask, x = MASKED[name]
    on = np.asarray(mask(x))
    inside = gradients(lambda x: np.where(mask(x), f(x), 0.0), x)[on]
    np.testing.assert_array_equal(inside, gradients(lambda x: f(x)[on], x)[on])


@pytest.mark.parametrize("name", MASKED)
def test_masked_element_at_second_order(name):
    """The second derivative is finite too, and zero where it is masked."""
    f, mask, x = MASKED[name]
    second = quietly(ag.grad(lambda x: (ag.grad(lambda x: np.where(mask(x), f(x), x).sum())(x) ** 2).sum()))(x)
    off = ~np.asarray(mask(x))
    np.testing.assert_array_equal(second[off], np.zeros(off.sum()))


def test_scalars_are_masked_as_arrays_are():
    for f in (np.sqrt, np.log, np.reciprocal, np.cbrt):
        assert gradients(lambda x, f=f: np.where(x > 1, f(x), x), np.float64(0.0)) == 1


def test_only_masked_elements_are():
    """An infinite slope that does arrive stays infinite, a nan stays a nan."""
    assert gradients(np.sqrt, np.float64(0.0)) == np.inf
    assert gradients(np.log, np.float64(0.0)) == np.inf
    assert np.isnan(gradients(np.log, np.float64(np.nan)))
    assert np.isnan(gradients(lambda x: np.where(x > 0, np.sqrt(x), x) * np.nan, np.float64(-1.0)))


def test_masking_does_not_cut_the_graph_where_g_happens_to_be_zero():
    """At u = 0 the derivative with respect to u is still the slope."""
    _, pullback = ag.vjp(np.sqrt, np.array([4.0]))
    assert ag.grad(lambda u: ag.vjp(np.sqrt, np.array([4.0]))[1](u).sum())(np.zeros(1)) == 0.25
    assert pullback(np.zeros(1)) == 0


def test_float32_mask_stays_float32():
    x = ag.Tensor(BAD.astype(np.float32), requires_grad=True)
    with np.errstate(all="ignore"):
        np.where(x > 0, np.sqrt(x), x).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad.data, np.array([1, 1, 0.25], np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", [0.0, 0.01, -0.5, 1.0, 2.0])
@pytest.mark.parametrize("layout", [lambda a: a, lambda a: a.reshape(3, 8).T, lambda a: np.repeat(a, 2)[::2]])
def test_what_stands_on_either_side_of_zero_is_told_by_bits_as_by_comparison(dtype, slope, layout):
    tiny = np.finfo(dtype).tiny
    x = layout(np.resize(np.array([-np.inf, -1, -tiny, -0.0, 0.0, tiny, 1, np.inf], dtype), 24))
    x[x == -1] = -np.abs(dtype(np.nan))  # a nan with its sign bit set, as inf - inf is on many processors
    g = layout(np.repeat(np.array([-2.0, np.inf, np.nan], dtype), 8))
    t = ag.Tensor(x, True)
    with np.errstate(all="ignore"):
        (ag.relu(t) if slope == 0 else ag.leaky_relu(t, slope)).backward(g)
        np.testing.assert_array_equal(t.grad.data, np.where(x > 0, g, 0 if slope == 0 else g * dtype(slope)))
    assert t.grad.dtype == dtype


@pytest.mark.parametrize("f", [ag.relu, ag.leaky_relu])
def test_a_plain_gradient_meets_a_traced_value(f):
    """The rule of the op above does not depend on its gradient, so a create_graph walk hands an array down."""
    constant = ag.op(lambda x: x * 1.0, name="constant", vjp=lambda g, x: np.ones(x.shape, x.dtype))
    x = ag.Tensor(np.array([-1.0, 2.0, 3.0]), True)
    constant(f(x)).sum().backward(create_graph=True)
    np.testing.assert_array_equal(x.grad.numpy(), [0.0 if f is ag.relu else 0.01, 1, 1])


@pytest.mark.parametrize("slope", [0.1, np.float64(0.1), np.array(0.1), np.array([0.1]), ag.Tensor(0.1), 1])
def test_slopes_of_any_kind(slope):
    x = ag.Tensor(np.array([-1.0, 2.0, 0.0]), True)
    ag.leaky_relu(x, negative_slope=slope).sum().backward()
    s = float(np.ravel(slope.numpy() if isinstance(slope, ag.Tensor) else slope)[0])
    np.testing.assert_array_equal(x.grad.numpy(), [s, 1, s])


# ----------------------------------------------------------------------------------------------------------- kinks

KINKS = {
    "relu at 0": (ag.relu, [0.0], [0.0]),
    "leaky_relu at 0": (ag.leaky_relu, [0.0], [0.01]),
    "abs at 0": (np.abs, [0.0, -1.0], [0.0, -1.0]),
    "fabs at 0": (np.fabs, [0.0], [0.0]),
    "clip at its bounds": (lambda x: np.clip(x, 0, 1), [-0.1, 0.0, 0.5, 1.0, 1.1], [0, 1, 1, 1, 0]),
    "clip below only": (lambda x: np.clip(x, 0, None), [-1.0, 0.0, 2.0], [0, 1, 1]),
    "maximum with 0": (lambda x: np.maximum(x, 0), [-1.0, 0.0, 1.0], [0, 0.5, 1]),
    "minimum with 0": (lambda x: np.minimum(x, 0), [-1.0, 0.0, 1.0], [1, 0.5, 0]),
    "fmax with 0": (lambda x: np.fmax(x, 0), [0.0], [0.5]),
    "fmin with 0": (lambda x: np.fmin(0, x), [0.0], [0.5]),
    "maximum of itself": (lambda x: np.maximum(x, x), [2.0], [1]),
    "max shares ties": (np.max, [1.0, 3.0, 3.0, 2.0], [0, 0.5, 0.5, 0]),
    "max of three": (np.max, [3.0, 3.0, 3.0], [1 / 3] * 3),
    "min shares ties": (np.min, [1.0, 1.0, 3.0], [0.5, 0.5, 0]),
    "max along an axis": (lambda x: x.reshape(2, 2).max(1), [1.0, 1.0, 2.0, 5.0], [0.5, 0.5, 0, 1]),
    "ptp of equals": (np.ptp, [2.0, 2.0], [0, 0]),
    "norm at 0": (np.linalg.norm, [0.0, 0.0], [0, 0]),
    "norm of a masked vector": (lambda x: np.linalg.norm(x * np.array([1.0, 0.0])), [3.0, 4.0], [1, 0]),
    "std at 0": (np.std, [2.0, 2.0, 2.0], [0, 0, 0]),
    "var at 0": (np.var, [2.0, 2.0], [0, 0]),
    "hypot at 0": (lambda x: np.hypot(x, 3.0), [0.0], [0]),
    "sign": (lambda x: np.sign(x) + x, [0.0, 2.0], [1, 1]),
    "power 0 at 0": (lambda x: x**0, [0.0, 2.0], [0, 0]),
    "power 0.0 at 0": (lambda x: x**0.0, [0.0], [0]),
    "power 1 at 0": (lambda x: x**1, [0.0, -2.0], [1, 1]),
    "power 2 at 0": (lambda x: x**2, [0.0, -2.0], [0, -4]),
    "power 3 of a negative": (lambda x: x**3, [-2.0, 0.0], [12, 0]),
    "power with an array of exponents": (lambda x: x ** np.array([0.0, 1.0, 2.0]), [0.0, 0.0, 0.0], [0, 1, 0]),
    "exponent at base 0": (lambda b: np.float64(0.0) ** b, [2.0], [0]),
    "sinc at 0": (np.sinc, [0.0], [0]),
    "prod with a zero": (np.prod, [2.0, 0.0, 3.0], [0, 6, 0]),
    "prod with two zeros": (np.prod, [0.0, 0.0, 3.0], [0, 0, 0]),
    "cumprod with a zero": (np.cumprod, [2.0, 0.0, 3.0], [1, 8, 0]),
    "median of two": (np.median, [1.0, 3.0], [0.5, 0.5]),
    "nan_to_num": (np.nan_to_num, [np.nan, np.inf, 1.0], [0, 0, 1]),
    "where by itself": (lambda x: np.where(x > 0, x, -x), [0.0, 2.0], [-1, 1]),
    "softplus far out": (ag.softplus, [-1e4, 0.0, 1e4], [0, 0.5, 1]),
    "sigmoid far out": (ag.sigmoid, [-1e4, 1e4], [0, 0]),
    "silu far out": (ag.silu, [-1e4, 1e4], [0, 1]),
    "gelu far out": (ag.gelu, [-1e4, 1e4], [0, 1]),
    "elu far out": (ag.elu, [-1e4, 1e4], [0, 1]),
    "tanh far out": (np.tanh, [-1e4, 1e4], [0, 0]),
    "softmax far out": (lambda x: ag.softmax(x)[0], [1e4, -1e4], [0, 0]),
    "log_softmax far out": (lambda x: ag.log_softmax(x)[1], [1e4, -1e4], [-1, 1]),
    "logsumexp far out": (ag.logsumexp, [1e4, 1e4], [0.5, 0.5]),
    "logaddexp far out": (lambda x: np.logaddexp(x, 0.0), [-1e4, 1e4], [0, 1]),
}


@pytest.mark.parametrize("name", KINKS)
def test_kink(name):
    f, x, expected = KINKS[name]
    np.testing.assert_allclose(gradients(f, np.array(x)), expected, atol=1e-15)


@pytest.mark.parametrize("name", KINKS)
def test_kink_on_a_scalar(name):
    f, x, expected = KINKS[name]
    if len(x) == 1:
        assert gradients(f, np.float64(x[0])) == pytest.approx(expected[0], abs=1e-15)


NO_SECOND_DERIVATIVE = {"norm at 0", "std at 0"}


@pytest.mark.parametrize("name", KINKS)
def test_second_derivative_at_a_kink_is_finite(name):
    f, x, _ = KINKS[name]
    with np.errstate(all="ignore"):
        second = ag.grad(lambda x: (ag.grad(lambda x: f(x).sum())(x) ** 2).sum())(np.array(x))
    assert np.isfinite(second).all() == (name not in NO_SECOND_DERIVATIVE)


STABLE = [
    ag.sigmoid,
    ag.softplus,
    ag.silu,
    ag.gelu,
    ag.elu,
    ag.relu,
    ag.leaky_relu,
    ag.softmax,
    ag.log_softmax,
    ag.logsumexp,
    ag.erf,
    lambda x: ag.gelu(x, approximate="tanh"),
    np.tanh,
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("f", STABLE, ids=lambda f: f.__name__)
def test_stable_at_ten_thousand(f, dtype):
    """No overflow, no nan and no warning at ±10⁴, in value and both gradients."""
    x = ag.Tensor(np.array([-1e4, -1.0, 0.0, 1.0, 1e4], dtype), requires_grad=True)
    y = f(x)
    y.sum().backward(create_graph=True)
    first = x.grad
    x.grad = None
    assert np.isfinite(y.data).all()
    assert np.isfinite(first.data).all()
    if first.requires_grad:
        (first * first).sum().backward()
        assert np.isfinite(x.grad.data).all()


CUTTING = {
    "relu": ag.relu,
    "maximum": lambda x: np.maximum(x, 0.0),
    "minimum": lambda x: -np.minimum(0.0, -x),
    "fmax": lambda x: np.fmax(0.0, x),
    "clip": lambda x: np.clip(x, 0.0, 9.0),
    "clip by arrays": lambda x: np.clip(x, np.zeros(3), np.full(3, 9.0)),
}


@pytest.mark.parametrize("cut", CUTTING.values(), ids=CUTTING)
@pytest.mark.parametrize("steep", [np.sqrt, np.log, lambda x: 1 / x])
def test_an_infinite_slope_behind_a_cut_does_not_pass(cut, steep):
    """√max(x, 0) does not change with x < 0, however steep the root is at 0."""
    x = np.array([-1.0, -2.0, 4.0])
    np.testing.assert_array_equal(gradients(lambda x: steep(cut(x)), x), gradients(steep, np.full(3, 4.0)) * [0, 0, 1])
    second = ag.hessian(quietly(lambda x: steep(cut(x)).sum()))(x)
    np.testing.assert_allclose(second, ag.hessian(lambda x: steep(x).sum())(np.full(3, 4.0)) * np.diag([0, 0, 1]))


def test_behind_a_cut_the_rule_of_a_constant_does_not_run():
    """It may be dearer than all the rest: that of a small kernel convolves two images."""
    ran = []

    def of_b(g, a):
        ran.append(g)
        return a.T @ g

    product = ag.op(lambda a, b: a @ b, vjp=dict(a=lambda g, b: g @ b.T, b=of_b), name="product")
    x = np.arange(9.0).reshape(3, 3)
    found = ag.hvp(lambda x: (product(x, np.eye(3))[1:] ** 3).sum())(x, np.ones((3, 3)))
    np.testing.assert_array_equal(found, 6 * x * [[0], [1], [1]])
    assert ran == []
