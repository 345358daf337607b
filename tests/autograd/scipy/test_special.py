"""``autograd.scipy.special``: each row has SciPy's values, and its derivatives are those of finite differences."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ConversionError, MissingRule, UnknownName
from tests.autograd.rows import arrays, second
from tests.autograd.scipy.table import check_row, leaves_of, rows, samples

special = pytest.importorskip("scipy.special")
ours = pytest.importorskip("autograd.scipy.special")
ROWS = rows("special")
UFUNCS = [name for name, row in ROWS.items() if hasattr(row, "op") and isinstance(row.op.forward, np.ufunc)]


def test_the_table_is_long():
    assert len(ROWS) >= 120
    assert {"gammaln", "erf", "jv", "beta", "gammainc", "xlogy", "entr", "logsumexp", "softmax", "ndtr"} <= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_to_order_two(name):
    check_row(ROWS[name])
    check_row(ROWS[name], second)


@pytest.mark.parametrize("name", UFUNCS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_ufunc_takes_tensors_by_its_own_name(name, dtype):
    ufunc = ROWS[name].op.forward
    for args, _ in samples(ROWS[name]):
        args = [x.astype(dtype) if isinstance(x, np.ndarray) else x for x in args]
        inputs, leaves = leaves_of(args)
        y = ufunc(*inputs)
        for found, expected in zip(arrays(y), arrays(ufunc(*args)), strict=True):
            assert found.dtype == expected.dtype
            np.testing.assert_array_equal(found, expected)
        sum(part.sum() for part in (y if isinstance(y, tuple) else (y,))).backward()
        assert [leaf.grad.dtype for leaf in leaves] == [dtype] * len(leaves)


@pytest.mark.parametrize("name", UFUNCS)
def test_the_module_has_scipys_names(name):
    assert getattr(ours, name).op.forward is getattr(special, name)


FUNCTIONS = {
    "polygamma": lambda m, x: m.polygamma(1, x),
    "zeta": lambda m, x: m.zeta(2.5, x),
    "digamma": lambda m, x: m.digamma(x),
    "jn": lambda m, x: m.jn(2, x),
    "softplus": lambda m, x: m.softplus(x),
    "multigammaln": lambda m, x: m.multigammaln(x + 2.0, 3),
    "logsumexp of all": lambda m, x: m.logsumexp(x),
    "logsumexp weighed": lambda m, x: m.logsumexp(x, axis=1, b=np.array([0.5, 2.0, 1.0])),
    "logsumexp kept": lambda m, x: m.logsumexp(x, axis=0, keepdims=True),
    "logsumexp signed": lambda m, x: m.logsumexp(x, axis=0, b=np.array([[-0.5], [0.25]]), return_sign=True)[0],
    "softmax": lambda m, x: m.softmax(x, axis=1),
    "log_softmax": lambda m, x: m.log_softmax(x, axis=0),
    "jvp": lambda m, x: m.jvp(1, x, 2),
    "yvp": lambda m, x: m.yvp(1, x),
    "ivp": lambda m, x: m.ivp(2, x, 2),
    "kvp": lambda m, x: m.kvp(1, x),
    "spherical_jn": lambda m, x: m.spherical_jn(2, x),
    "its derivative": lambda m, x: m.spherical_jn(2, x, derivative=True),
    "spherical_yn": lambda m, x: m.spherical_yn(1, x),
    "sinc": lambda m, x: m.sinc(x),
    "comb": lambda m, x: m.comb(x + 4, x),
    "comb with repetition": lambda m, x: m.comb(x + 4, x, repetition=True),
    "factorial": lambda m, x: m.factorial(x),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_made_of_rows(name):
    if name == "softplus" and not hasattr(special, name):
        pytest.skip("SciPy has it since 1.17")
    x = np.random.default_rng(5).uniform(0.5, 2, (2, 3))
    np.testing.assert_allclose(FUNCTIONS[name](ours, x), FUNCTIONS[name](special, x), rtol=1e-12)
    ag.check_grads(lambda x: FUNCTIONS[name](ours, x), x)


def test_the_sign_of_gamma_is_piecewise_constant():
    y = special.gammasgn(ag.Tensor([-0.5, 0.5], requires_grad=True))
    assert (y.data.tolist(), y.requires_grad) == ([-1.0, 1.0], False)


def test_a_negative_sum_has_no_logarithm():
    assert np.isnan(ours.logsumexp(np.zeros(2), b=np.array([1.0, -2.0])))


def test_where_an_order_records_it_is_named():
    order = ag.Tensor(1.5, requires_grad=True)
    with pytest.raises(MissingRule, match=r"scipy\.special\.jv.*\bv\b"):
        special.jv(order, 2.0).backward()
    with pytest.raises(MissingRule, match=r"scipy\.special\.zeta"):
        ours.zeta(order, 2.0)


def test_other_names_are_scipys_for_plain_arrays():
    assert ours.bernoulli(3)[2] == special.bernoulli(3)[2]
    assert ours.kolmogorov is special.kolmogorov
    with pytest.raises(MissingRule, match=r"^scipy\.special\.bernoulli has no gradient rule\. Use x\.detach\(\)"):
        ours.bernoulli(ag.Tensor(3.0, requires_grad=True))
    with pytest.raises(
        UnknownName, match=r"'autograd\.scipy\.special' has no attribute 'gama', nor has scipy\.special"
    ):
        ours.gama  # noqa: B018


EDGES = {
    "xlogy": (lambda: ag.grad(special.xlogy, 1)(0.0, 0.0), 0.0),
    "xlog1py": (lambda: ag.grad(special.xlog1py, 1)(0.0, -1.0), 0.0),
    "inv_boxcox at 0": (lambda: ag.grad(special.inv_boxcox, 1)(0.3, 0.0), -0.045 * np.exp(0.3)),
    "boxcox at 0": (lambda: ag.grad(special.boxcox, 1)(2.0, 0.0), np.log(2) ** 2 / 2),
    "log_expit far out": (lambda: ag.grad(special.log_expit)(-800.0), 1.0),
    "log_ndtr far out": (lambda: ag.grad(special.log_ndtr)(-1e4), 1e4),
    "j1 at 0": (lambda: ag.grad(special.j1)(0.0), 0.5),
    "logsumexp with a zero": (lambda: ag.grad(ours.logsumexp)(np.array([-np.inf, 1.0])), [0, 1]),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    f, expected = EDGES[name]
    np.testing.assert_allclose(f(), expected, rtol=1e-7)


def test_into_a_plain_array_is_refused_by_the_full_name():
    with pytest.raises(ConversionError, match=r"^scipy\.special\.gammaln into a plain array would lose the gradient"):
        special.gammaln(ag.Tensor([1.0], requires_grad=True), out=np.zeros(1))


SHAPE_DERIVATIVES = [(0.5, 0.2), (2.0, 30.0), (30.0, 25.0), (3.0, 0.0), (100.0, 120.0), (1e-3, 1.0)]


@pytest.mark.parametrize(("a", "x"), SHAPE_DERIVATIVES)
def test_the_derivative_of_gammainc_by_its_shape_holds_far_out(a, x):
    h = 1e-3 * a
    f = lambda a: special.gammainc(a, x)  # noqa: E731
    expected = (8 * (f(a + h) - f(a - h)) - (f(a + 2 * h) - f(a - 2 * h))) / (12 * h)
    np.testing.assert_allclose(ag.grad(lambda a: special.gammainc(a, x))(a), expected, rtol=1e-6, atol=1e-11)


@pytest.mark.parametrize(("a", "b", "x"), [(0.5, 0.5, 0.01), (30.0, 2.0, 0.9), (2.0, 80.0, 0.05), (5.0, 5.0, 0.0)])
def test_the_derivatives_of_betainc_by_its_shapes_hold_far_out(a, b, x):
    h = 1e-3
    f = special.betainc
    by_a = (8 * (f(a + h, b, x) - f(a - h, b, x)) - (f(a + 2 * h, b, x) - f(a - 2 * h, b, x))) / (12 * h)
    by_b = (8 * (f(a, b + h, x) - f(a, b - h, x)) - (f(a, b + 2 * h, x) - f(a, b - 2 * h, x))) / (12 * h)
    found = ag.grad(lambda a, b: special.betainc(a, b, x), argnums=(0, 1))(a, b)
    np.testing.assert_allclose(found, (by_a, by_b), rtol=1e-6, atol=1e-11)
