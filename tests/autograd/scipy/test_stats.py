"""``autograd.scipy.stats``: each method has SciPy's value, and gradients in x and in every parameter."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, MissingRule, UnknownName
from tests.autograd.scipy.table import leaves_of, rows, samples

theirs = pytest.importorskip("scipy.stats")
ours = pytest.importorskip("autograd.scipy.stats")
distribution = pytest.importorskip("autograd.scipy.distribution")
ROWS = rows("stats")
NAMES = sorted({name.partition(".")[0] for name in ROWS} - {"multivariate_normal", "dirichlet"})
CONTINUOUS = [name for name in NAMES if not isinstance(getattr(ours, name), distribution.Discrete)]
DISCRETE = [name for name in NAMES if name not in CONTINUOUS]
METHODS = ["logpdf", "pdf", "cdf", "sf", "logcdf", "logsf"]


def test_the_table_is_long():
    assert len(CONTINUOUS) >= 30
    assert len(DISCRETE) >= 9


def finite_samples(row):
    """Give the samples at which a logarithm is finite: where it is -inf there is nothing to compare."""
    with np.errstate(divide="ignore"):
        found = [(args, kwargs) for args, kwargs in samples(row) if np.isfinite(row(*args, **kwargs)).all()]
    assert found
    return found


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_to_order_two(name):
    row = ROWS[name]
    for args, kwargs in finite_samples(row):
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray)]
        if name.startswith("vonmises.") and name != "vonmises.logpdf":
            places = [0]  # kappa has no rule

        def f(*varied, args=args, kwargs=kwargs, places=places):
            filled = dict(enumerate(args)) | dict(zip(places, varied, strict=True))
            return row(*filled.values(), **kwargs)

        ag.check_grads(f, *[args[i] for i in places])


@pytest.mark.parametrize("name", ROWS)
def test_the_formula_is_the_function(name):
    """What gives the derivatives has SciPy's values."""
    op = ROWS[name].op
    for args, kwargs in finite_samples(ROWS[name]):
        if op.definition is not None:
            np.testing.assert_allclose(
                op.definition(*args, **kwargs), op.forward(*args, **kwargs), rtol=1e-9, atol=1e-14
            )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_location_and_scale(name, method):
    """Also frozen, with keywords, in float32, and beyond the support."""
    (args, _), *_ = samples(ROWS[f"{name}.logpdf"])
    x, *shapes = args
    x = 0.3 + 1.4 * x
    there, here = getattr(getattr(theirs, name), method), getattr(getattr(ours, name), method)
    np.testing.assert_allclose(here(x, *shapes, 0.3, 1.4), there(x, *shapes, 0.3, 1.4), rtol=1e-12)
    np.testing.assert_allclose(here(x, *shapes, scale=1.4, loc=0.3), there(x, *shapes, 0.3, 1.4), rtol=1e-12)
    np.testing.assert_allclose(here(x, *shapes), there(x, *shapes), rtol=1e-12)
    frozen = getattr(getattr(ours, name)(*shapes, loc=0.3, scale=1.4), method)
    np.testing.assert_allclose(frozen(x), there(x, *shapes, 0.3, 1.4), rtol=1e-12)
    ag.check_grads(lambda x, loc, scale: here(x, *shapes, loc, scale), x, 0.3, 1.4)
    single = [np.float32(part) for part in (x, *shapes)]
    assert here(*single).dtype == np.float32


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONTINUOUS)
def test_beyond_the_support(name, method):
    """SciPy's value there, and a gradient of 0, never nan."""
    (args, _), *_ = samples(ROWS[f"{name}.logpdf"])
    shapes = [part[0] for part in args[1:]]
    low, high = getattr(theirs, name).support(*shapes)
    x = np.stack([np.broadcast_to(low - 1.0, 3), args[0][0], np.broadcast_to(high + 1.0, 3)])
    x = x[[np.isfinite(row).all() for row in x]]
    with np.errstate(divide="ignore"):
        inputs, leaves = leaves_of([x, *shapes])
        if name == "vonmises":
            inputs, leaves = [inputs[0], *shapes], leaves[:1]
        y = getattr(getattr(ours, name), method)(*inputs)
        np.testing.assert_allclose(y.data, getattr(getattr(theirs, name), method)(x, *shapes), rtol=1e-12)
        np.where(np.isfinite(y.data), y, 0.0).sum().backward()
    assert all(np.isfinite(leaf.grad.data).all() for leaf in leaves)
    if len(x) == 3 and method != "logsf":
        np.testing.assert_array_equal(leaves[0].grad.data[[0, 2]], 0)


def has(name, method):
    return f"{name}.{method.replace('pdf', 'pmf')}" in ROWS or method == "pdf"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_ones(name, method):
    method = method.replace("pdf", "pmf")
    there, here = getattr(getattr(theirs, name), method), getattr(getattr(ours, name), method)
    k = np.arange(-2, 8)
    (args, _), *_ = samples(ROWS[f"{name}.logpmf"])
    shapes = [part if isinstance(part, int) else part[0, 0] for part in args[1:]]
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(here(k, *shapes, loc=1), there(k, *shapes, loc=1), rtol=1e-12)
        np.testing.assert_allclose(getattr(getattr(ours, name)(*shapes), method)(k), there(k, *shapes), rtol=1e-12)
        if f"{name}.{method}" not in ROWS and method != "pmf":
            with pytest.raises(
                MissingRule, match=rf"scipy\.stats\.{name}\.{method} has no gradient rule\. Its formula"
            ):
                here(k, *[ag.Tensor(part, requires_grad=True) if isinstance(part, float) else part for part in shapes])
            return
        inputs = [ag.Tensor(part, requires_grad=True) if isinstance(part, float) else part for part in shapes]
        y = here(k, *inputs)
        np.where(np.isfinite(y.data), y, 0.0).sum().backward()
    assert all(np.isfinite(part.grad.data).all() for part in inputs if isinstance(part, ag.Tensor))


def test_counts_have_no_gradient():
    k = ag.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(
        MissingRule, match=r"scipy\.stats\.poisson: k counts, so it has no gradient\. Use k\.detach\(\)"
    ):
        ours.poisson.logpmf(k, 2.0)
    with pytest.raises(MissingRule, match=r"scipy\.stats\.binom: n counts"):
        ours.binom.logpmf(1, k, 0.5)
    with pytest.raises(UnknownName, match=r"'logpdf': it is discrete\. Use logpmf"):
        ours.poisson.logpdf(1, 2.0)


def test_wrong_arguments_name_the_right_ones():
    with pytest.raises(ArgumentError, match=r"scipy\.stats\.gamma: missing .*'a'; its parameters are a, loc, scale\."):
        ours.gamma.logpdf(1.0)
    with pytest.raises(ArgumentError, match=r"scipy\.stats\.norm: .*'sigma'"):
        ours.norm.cdf(1.0, sigma=2)
    with pytest.raises(UnknownName, match=r"scipy\.stats\.norm has no attribute 'logpmf'"):
        ours.norm.logpmf  # noqa: B018


def test_scipys_other_methods_work_on_arrays():
    assert ours.norm.ppf(0.975, 1, 2) == theirs.norm.ppf(0.975, 1, 2)
    assert ours.norm(1, 2).std() == 2
    assert ours.norm(1, 2).ppf(0.5) == 1
    assert ours.describe([1.0, 2.0]).mean == 1.5
    with pytest.raises(MissingRule, match=r"scipy\.stats\.norm\.ppf has no gradient rule"):
        ours.norm.ppf(0.5, ag.Tensor(1.0, requires_grad=True))


def test_the_t_distribution_is_smooth_in_its_middle():
    ag.check_grads(ours.t.cdf, np.array([0.0, 1e-3, -1.0]), np.array([2.0, 3.0, 4.0]))


@pytest.mark.parametrize("name", ["norm", "logistic", "lognorm", "weibull_max", "gumbel_r"])
def test_the_logarithm_of_the_cdf_holds_far_out(name):
    """Where the cdf itself is 0, its logarithm still has its gradient."""
    far = {"norm": (-60.0,), "logistic": (-900.0,), "lognorm": (1e-20, 1.0), "weibull_max": (-50.0, 2.0)}
    args = far.get(name, (-7.0,))
    slope = ag.grad(lambda x: getattr(ours, name).logcdf(x, *args[1:]))(args[0])
    h = 1e-5 * abs(args[0])
    f = getattr(theirs, name).logcdf
    np.testing.assert_allclose(slope, (f(args[0] + h, *args[1:]) - f(args[0] - h, *args[1:])) / (2 * h), rtol=1e-5)


EDGES = {
    "the middle of laplace": (lambda: ag.grad(ours.laplace.cdf)(0.0), 0.5),
    "its logarithm": (lambda: ag.grad(ours.laplace.logcdf)(0.0), 1.0),
    "genpareto at c = 0": (lambda: ag.grad(ours.genpareto.logpdf, 1)(1.0, 0.0), -0.5),
    "genextreme at c = 0": (lambda: ag.grad(ours.genextreme.logcdf, 1)(1.0, 0.0), 0.5 * np.exp(-1)),
    "bernoulli, certain": (lambda: ag.grad(lambda p: ours.bernoulli.logpmf(1, p))(1.0), 1.0),
    "poisson of nothing": (lambda: ag.grad(lambda mu: ours.poisson.logpmf(0, mu))(0.0), -1.0),
    "the location of expon": (lambda: ag.grad(ours.expon.logpdf, 1)(1.0, 1.0, 2.0), 0.5),
    "a shape that makes no sense": (lambda: ag.grad(ours.lognorm.logpdf, 1)(1.0, -1.0), np.nan),
    "a scale that makes no sense": (lambda: ag.grad(ours.norm.cdf, 2)(1.0, 0.0, -1.0), np.nan),
    "its value": (lambda: ours.norm.cdf(1.0, 0.0, -1.0), np.nan),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(name):
    f, expected = EDGES[name]
    np.testing.assert_allclose(f(), expected, rtol=1e-9)


COVARIANCES = {
    "a number": 2.0,
    "a diagonal": np.array([1.0, 2.0, 3.0]),
    "a matrix": np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 3.0]]),
}


@pytest.mark.parametrize("kind", COVARIANCES)
def test_multivariate_normal(kind):
    cov, mean = COVARIANCES[kind], np.array([0.5, -1.0, 0.2])
    for x in (np.array([0.3, 0.1, -0.4]), np.random.default_rng(2).normal(size=(4, 3))):
        y = ours.multivariate_normal.logpdf(x, mean, cov)
        np.testing.assert_allclose(y, theirs.multivariate_normal.logpdf(x, mean, cov), rtol=1e-12)
        np.testing.assert_allclose(ours.multivariate_normal(mean, cov).pdf(x), np.exp(y), rtol=1e-12)
        ag.check_grads(ours.multivariate_normal.logpdf, x, mean, cov)


def test_multivariate_normal_with_defaults():
    x = np.array([[0.3, 0.1], [1.0, 2.0]])
    for args in ((np.array([1.0, 2.0]),), (None, np.eye(2))):
        found, expected = ours.multivariate_normal.logpdf(x, *args), theirs.multivariate_normal.logpdf(x, *args)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    line = np.array([0.3, 0.1, 2.0])
    np.testing.assert_allclose(
        ours.multivariate_normal.logpdf(line), theirs.multivariate_normal.logpdf(line), rtol=1e-12
    )


def test_dirichlet():
    alpha, z = np.array([0.5, 2.0, 3.0]), np.array([0.3, -0.2, 0.1])
    p = ag.softmax(z).data if isinstance(ag.softmax(z), ag.Tensor) else ag.softmax(z)
    np.testing.assert_allclose(ours.dirichlet.logpdf(p, alpha), theirs.dirichlet.logpdf(p, alpha), rtol=1e-12)
    np.testing.assert_allclose(ours.dirichlet(alpha).pdf(p), theirs.dirichlet.pdf(p, alpha), rtol=1e-12)
    ag.check_grads(lambda z, alpha: ours.dirichlet.logpdf(ag.softmax(z), alpha), z, alpha)


@pytest.mark.parametrize("method", ["logpdf", "pdf", "cdf", "logsf"])
def test_numbers_of_pythons_have_no_say_in_the_dtype(method):
    """They widen no float32, and are float64 by themselves."""
    for name, shapes in (("norm", ()), ("gamma", (2.0,)), ("t", (3.0,))):
        f = getattr(getattr(ours, name), method)
        assert f(ag.Tensor(np.ones(2, np.float32), requires_grad=True), *shapes, 0.0, 2.0).dtype == np.float32
        assert f(0.3, *shapes) == pytest.approx(getattr(getattr(theirs, name), method)(0.3, *shapes), rel=1e-14)
