"""Where nothing was masked, 0 · ∞ is the right value, nan or an error; a silent 0 is none of these.

Closed forms give the right values, one-sided differences on plain arrays confirm them.
"""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import FIRST_ORDER, Table, close, differences, fresh, hold_all, plain, weigh

HONEST = ("nan", "refused late")
Z2, Z3 = [0.0, 0.0], [0.0, 0.0, 0.0]
SLOPES, CURVES = Table(accept=HONEST), Table(accept=HONEST)
L = np.array([0.5, -1.0, 0.2])
SIDE = {}  # from which side differences are taken, where it is not the right one


def total(y):
    return np.sum(y)


def twice(y):
    return y * y


# ---------------------------------------------------------------------------- first order: f = g(infinite slope)

SLOPE_ROWS = {
    # name: (program, point, right gradient)
    "sqrt squared": (lambda x: np.sqrt(x) ** 2, 0.0, 1.0),
    "square of sqrt": (lambda x: np.square(np.sqrt(x)), 0.0, 1.0),
    "sqrt times sqrt": (lambda x: np.sqrt(x) * np.sqrt(x), 0.0, 1.0),
    "one sqrt, used twice": (lambda x: twice(np.sqrt(x)), 0.0, 1.0),
    "fourth power of sqrt": (lambda x: np.sqrt(x) ** 4 + x, 0.0, 1.0),
    "sqrt of a fourth power": (lambda x: np.sqrt(x**4) + x, 0.0, 1.0),
    "root by power, squared": (lambda x: (x**0.5) ** 2, 0.0, 1.0),
    "third root by power, cubed": (lambda x: (x ** (1 / 3)) ** 3, 0.0, 1.0),
    "float_power, squared": (lambda x: np.float_power(x, 0.5) ** 2, 0.0, 1.0),
    "cbrt cubed": (lambda x: np.cbrt(x) ** 3, 0.0, 1.0),
    "cbrt times its square": (lambda x: np.cbrt(x) * np.cbrt(x * x), 0.0, 1.0),
    "exp of log": (lambda x: np.exp(np.log(x)), 0.0, 1.0),
    "exp2 of log2": (lambda x: np.exp2(np.log2(x)), 0.0, 1.0),
    "expm1 of log1p": (lambda x: np.expm1(np.log1p(x)), -1.0, 1.0),
    "exp of half a log, squared": (lambda x: np.exp(0.5 * np.log(x)) ** 2, 0.0, 1.0),
    "log1p of exp of log": (lambda x: np.log1p(np.exp(np.log(x))), 0.0, 1.0),
    "softplus of log": (lambda x: ag.softplus(np.log(x)), 0.0, 1.0),
    "logaddexp of log": (lambda x: np.logaddexp(np.log(x), 0.0), 0.0, 1.0),
    "sigmoid of log": (lambda x: ag.sigmoid(np.log(x)), 0.0, 1.0),
    "sigmoid of logit": (lambda x: ag.sigmoid(ag.logit(x)), 0.0, 1.0),
    "tanh of arctanh": (lambda x: np.tanh(np.arctanh(x)), -1.0, 1.0),
    "reciprocal twice": (lambda x: np.reciprocal(np.reciprocal(x)), 0.0, 1.0),
    "1 / (1 / x)": (lambda x: 1 / (1 / x), 0.0, 1.0),
    "arctan of 1 / x": (lambda x: -np.arctan(1 / x), 0.0, 1.0),
    "tanh of log": (lambda x: (1 + np.tanh(0.5 * np.log(x))) / 2, 0.0, 1.0),
    "sin of sqrt, squared": (lambda x: np.sin(np.sqrt(x)) ** 2, 0.0, 1.0),
    "sqrt times sin of sqrt": (lambda x: np.sqrt(x) * np.sin(np.sqrt(x)), 0.0, 1.0),
    "cos of sqrt": (lambda x: np.cos(np.sqrt(x)), 0.0, -0.5),
    "cosh of sqrt": (lambda x: np.cosh(np.sqrt(x)), 0.0, 0.5),
    "sinc of sqrt": (lambda x: np.sinc(np.sqrt(x)), 0.0, -(np.pi**2) / 6),
    "tanh of sqrt, squared": (lambda x: np.tanh(np.sqrt(x)) ** 2, 0.0, 1.0),
    "erf of sqrt, squared": (lambda x: ag.erf(np.sqrt(x)) ** 2, 0.0, 4 / np.pi),
    "silu of sqrt times sqrt": (lambda x: ag.silu(np.sqrt(x)) * np.sqrt(x), 0.0, 0.5),
    "gelu of sqrt times sqrt": (lambda x: ag.gelu(np.sqrt(x)) * np.sqrt(x), 0.0, 0.5),
    "arccos squared": (lambda x: np.arccos(x) ** 2, 1.0, -2.0),
    "cos of arccos": (lambda x: np.cos(np.arccos(x)), 1.0, 1.0),
    "sin of arcsin": (lambda x: np.sin(np.arcsin(x)), 1.0, 1.0),
    "arccosh squared": (lambda x: np.arccosh(x) ** 2, 1.0, 2.0),
    "cosh of arccosh": (lambda x: np.cosh(np.arccosh(x)), 1.0, 1.0),
    "circle squared": (lambda x: np.sqrt(1 - x * x) ** 2, 1.0, -2.0),
    "prod of square roots": (lambda x: np.prod(np.stack([np.sqrt(x), np.sqrt(x)])), 0.0, 1.0),
    "cumprod of square roots": (lambda x: np.cumprod(np.stack([np.sqrt(x), np.sqrt(x)]))[1], 0.0, 1.0),
    "dot of square roots": (lambda x: np.dot(np.sqrt(x), np.sqrt(x)), Z2, [1, 1]),
    "matmul of square roots": (lambda x: np.sqrt(x) @ np.sqrt(x), Z2, [1, 1]),
    "einsum of square roots": (lambda x: np.einsum("i,i->", np.sqrt(x), np.sqrt(x)), Z2, [1, 1]),
    "outer of square roots": (lambda x: np.trace(np.outer(np.sqrt(x), np.sqrt(x))), Z2, [1, 1]),
    "norm of square roots, squared": (lambda x: np.linalg.norm(np.sqrt(x)) ** 2, Z2, [1, 1]),
    "det of square roots": (lambda x: np.linalg.det(np.sqrt(x) * np.eye(2)), 0.0, 1.0),
    "mean of squares": (lambda x: np.mean(np.sqrt(x) ** 2), Z2, [0.5, 0.5]),
    "var of square roots": (lambda x: np.var(np.sqrt(x)), Z2, [0.25, 0.25]),
    "polyval of sqrt": (lambda x: np.polyval(np.array([1.0, 0.0, 2.0]), np.sqrt(x)), 0.0, 1.0),
    "hypot of square roots, squared": (lambda x: np.hypot(np.sqrt(x), np.sqrt(x)) ** 2, 0.0, 2.0),
    "average with weights": (lambda x: np.average(np.sqrt(x) ** 2, weights=np.array([1.0, 3.0])), Z2, [0.25, 0.75]),
    "logsumexp of log w + l": (
        lambda w: ag.logsumexp(np.log(w) + L),
        [0.0, 1.0, 2.0],
        np.exp(L) / (np.exp(L) @ [0.0, 1.0, 2.0]),
    ),
    "mixture by its formula": (
        lambda w: np.log(np.exp(np.log(w) + L).sum()),
        [0.0, 1.0, 2.0],
        np.exp(L) / (np.exp(L) @ [0.0, 1.0, 2.0]),
    ),
    "softmax of log w": (lambda w: ag.softmax(np.log(w)) @ L, [0.0, 1.0, 2.0], (L - L @ [0, 1 / 3, 2 / 3]) / 3),
    "log_softmax of log w": (
        lambda w: np.exp(ag.log_softmax(np.log(w))) @ L,
        [0.0, 1.0, 2.0],
        (L - L @ [0, 1 / 3, 2 / 3]) / 3,
    ),
    "all of a where": (lambda x: np.where(x > -1, np.sqrt(x), 0.0) ** 2, 0.0, 1.0),
    "nothing to clip": (lambda x: np.clip(np.sqrt(x), -1.0, 1.0) ** 2, 0.0, 1.0),
    "nothing for maximum to do": (lambda x: np.maximum(np.sqrt(x), -1.0) ** 2, 0.0, 1.0),
    "nothing for minimum to do": (lambda x: np.minimum(np.sqrt(x), 1.0) ** 2, 0.0, 1.0),
    "nothing for fmax to do": (lambda x: np.fmax(np.sqrt(x), -1.0) ** 2, 0.0, 1.0),
    "all of an index": (lambda x: total(np.sqrt(x)[[0, 1]] ** 2), Z2, [1, 1]),
    "all of a mask": (lambda x: total(np.sqrt(x)[np.array([True, True])] ** 2), Z2, [1, 1]),
    "all of a slice": (lambda x: total(np.sqrt(x)[:2] ** 2), Z2, [1, 1]),
    "nansum without nan": (lambda x: np.nansum(np.sqrt(x) ** 2), Z2, [1, 1]),
    "sum(where=) of all": (lambda x: np.sum(np.sqrt(x) ** 2, where=np.array([True, True])), Z2, [1, 1]),
    "relu that is on": (lambda x: (ag.relu(np.sqrt(x) + 1) - 1) ** 2, 0.0, 1.0),
    "max of one": (lambda x: np.max(np.sqrt(x)[None]) ** 2, 0.0, 1.0),
    "sorted": (lambda x: total(np.sort(np.sqrt(x)) ** 2), [0.0, 4.0], [1, 1]),
    "one element masked, another not": (
        lambda x: total(np.where(np.array([True, False]), np.sqrt(x), 0.0) ** 2),
        Z2,
        [1, 0],
    ),
    "a constant factor of zero": (
        lambda x: total(np.sqrt(x) * np.array([0.0, 1.0]) + np.sqrt(x) ** 2),
        [0.0, 4.0],
        [1, 1.25],
    ),
}
for name, (f, x, right) in SLOPE_ROWS.items():
    SLOPES.add(name, f, x, right=right)
SIDE = dict.fromkeys(["arccos squared", "cos of arccos", "sin of arcsin", "circle squared"], -1)


def test_the_tables_are_long():
    assert len(SLOPES) >= 60
    assert len(CURVES) >= 20


@pytest.mark.parametrize("name", SLOPES)
def test_right_slopes_are_those_of_numpy(name):
    row = SLOPES[name]
    if name == "a constant factor of zero":
        return  # 0 · sqrt is 0 on arrays as everywhere; the difference of 0 · sqrt(h) is 0
    found = differences(row.program, row.at, 1e-6, SIDE.get(name, 1))
    np.testing.assert_allclose(found, row.right, rtol=1e-3, atol=1e-3)


@SLOPES.every
def test_slope_is_right_or_honest(row):
    hold_all(row, FIRST_ORDER, row.gradient(), rtol=1e-5)


# --------------------------------------------------------------------------------- second order: f has a kink inside

ONE = [1.0, 1.0, 1.0]
SPREAD = 2 / 3 * (np.eye(3) - 1 / 3)  # the Hessian of a variance of three numbers

CURVE_ROWS = {
    "norm squared": (lambda x: np.linalg.norm(x) ** 2, Z2, 2 * np.eye(2)),
    "norm times norm": (lambda x: np.linalg.norm(x) * np.linalg.norm(x), Z2, 2 * np.eye(2)),
    "square of norm": (lambda x: np.square(np.linalg.norm(x)), Z2, 2 * np.eye(2)),
    "norm away from a centre": (lambda x: np.linalg.norm(x - np.array([1.0, 2.0])) ** 2, [1.0, 2.0], 2 * np.eye(2)),
    "exp of norm squared": (lambda x: np.exp(np.linalg.norm(x) ** 2), Z2, 2 * np.eye(2)),
    "cosh of norm": (lambda x: np.cosh(np.linalg.norm(x)), Z2, np.eye(2)),
    "cos of norm": (lambda x: np.cos(np.linalg.norm(x)), Z2, -np.eye(2)),
    "vector_norm squared": (lambda x: np.linalg.vector_norm(x) ** 2, Z2, 2 * np.eye(2)),
    "matrix_norm squared": (lambda x: np.linalg.matrix_norm(x.reshape(1, 2)) ** 2, Z2, 2 * np.eye(2)),
    "Frobenius norm squared": (lambda x: np.linalg.norm(x.reshape(2, 1), "fro") ** 2, Z2, 2 * np.eye(2)),
    "norms of rows, squared": (lambda x: total(np.linalg.norm(x[:, None], axis=1) ** 2), Z2, 2 * np.eye(2)),
    "norm with keepdims": (lambda x: total(np.linalg.norm(x, axis=0, keepdims=True) ** 2), Z2, 2 * np.eye(2)),
    "3-norm to the third and a square": (lambda x: np.linalg.norm(x, 3) ** 3 + total(x * x), Z2, 2 * np.eye(2)),
    "sqrt of a sum of squares, squared": (lambda x: np.sqrt(total(x * x)) ** 2, Z2, 2 * np.eye(2)),
    "hypot squared": (lambda x: np.hypot(x[0], x[1]) ** 2, Z2, 2 * np.eye(2)),
    "hypot of hypot, squared": (lambda x: np.hypot(np.hypot(x[0], x[1]), x[2]) ** 2, Z3, 2 * np.eye(3)),
    "std squared": (lambda x: np.std(x) ** 2, ONE, SPREAD),
    "std times std": (lambda x: np.std(x) * np.std(x), ONE, SPREAD),
    "nanstd squared": (lambda x: np.nanstd(x) ** 2, ONE, SPREAD),
    "std with ddof, squared": (lambda x: np.std(x, ddof=1) ** 2, ONE, 1.5 * SPREAD),
    "std over an axis, squared": (lambda x: total(np.std(x[None], axis=1) ** 2), ONE, SPREAD),
    "sqrt squared and a square": (lambda x: total(np.sqrt(x) ** 2 + x * x), Z2, 2 * np.eye(2)),
    "cbrt cubed and a square": (lambda x: total(np.cbrt(x) ** 3 + x * x), Z2, 2 * np.eye(2)),
    "fourth power of sqrt": (lambda x: total(np.sqrt(x) ** 4), Z2, 2 * np.eye(2)),
    "exp of two logs": (lambda x: total(np.exp(2 * np.log(x))), Z2, 2 * np.eye(2)),
    "x to a power that is an array": (lambda x: total(x ** np.array([2.0, 2.0])), Z2, 2 * np.eye(2)),
    "x to a power that is a Tensor": (lambda x: total(x ** (2.0 + 0 * x)), [0.0, 0.0], 2 * np.eye(2)),
    "float_power": (lambda x: total(np.float_power(x, 2)), Z2, 2 * np.eye(2)),
    "prod with a zero": (lambda x: np.prod(x), [0.0, 0.0, 3.0], [[0, 3, 0], [3, 0, 0], [0, 0, 0]]),
    "cumprod with a zero": (lambda x: np.cumprod(x)[2], [0.0, 2.0, 3.0], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
    "determinant of a singular matrix": (
        lambda x: np.linalg.det(x.reshape(2, 2)),
        [0.0, 0.0, 0.0, 0.0],
        [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]],
    ),
    "determinant of rank one": (
        lambda x: np.linalg.det(x.reshape(2, 2)),
        [1.0, 2.0, 2.0, 4.0],
        [[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]],
    ),
}
for name, (f, x, right) in CURVE_ROWS.items():
    CURVES.add(name, f, x, right=right)


def by_rows(product, f, x):
    """Put together a matrix from its products with the axes."""
    return np.stack([plain(product(f, x, axis)) for axis in np.eye(np.size(x))])


def double_backward(f, x):
    rows = []
    for i in range(np.size(x)):
        leaf = ag.Tensor(fresh(x), requires_grad=True)
        f(leaf).backward(create_graph=True)
        gradient, leaf.grad = leaf.grad, None
        (gradient[i] * 1.0).backward()
        rows.append(np.zeros(leaf.shape) if leaf.grad is None else plain(leaf.grad))
        leaf.grad = None
    return np.stack(rows)


SECOND = {
    "hessian": lambda f, x: ag.hessian(f)(fresh(x)),
    "hvp": lambda f, x: by_rows(lambda f, x, v: ag.hvp(f)(fresh(x), v), f, x),
    "jvp of grad": lambda f, x: by_rows(lambda f, x, v: ag.jvp(ag.grad(f), (fresh(x),), (v,))[1], f, x),
    "vjp of grad": lambda f, x: by_rows(lambda f, x, v: ag.vjp(ag.grad(f), fresh(x))[1](v), f, x),
    "backward twice": double_backward,
}


@pytest.mark.parametrize("name", CURVES)
def test_right_curves_are_those_of_numpy(name):
    """The function is (a quadratic form) + O(h³) around its point: differences of second order show it."""
    row, h = CURVES[name], 1e-4
    f, x, n = row.program, fresh(row.at), np.size(row.at)

    def at(v):
        with np.errstate(all="ignore"):
            return float(plain(f(np.array(v))))

    def two(i, j):
        a, b = h * np.eye(n)[i], h * np.eye(n)[j]
        return (at(x + 2 * a + 2 * b) - at(x + 2 * a) - at(x + 2 * b) + at(x)) / (4 * h * h)

    found = [[two(i, j) for j in range(n)] for i in range(n)]
    np.testing.assert_allclose(found, row.right, atol=5e-3)


@CURVES.every
def test_curve_is_right_or_honest(row):
    hold_all(row, SECOND, row.right, rtol=1e-5)


KINKS = {
    "norm": (np.linalg.norm, Z2),
    "norm of a row": (lambda x: total(np.linalg.norm(x[None], axis=1)), Z2),
    "hypot": (lambda x: np.hypot(x[0], x[1]), Z2),
    "std": (np.std, ONE),
    "nanstd": (np.nanstd, ONE),
    "sqrt of a sum of squares": (lambda x: np.sqrt(total(x * x)), Z2),
    "norm plus a square": (lambda x: np.linalg.norm(x) + total(x * x), Z2),
}


@pytest.mark.parametrize("way", SECOND)
@pytest.mark.parametrize("name", KINKS)
def test_where_there_is_no_second_derivative_it_is_not_zero(name, way):
    f, x = KINKS[name]
    try:
        with np.errstate(all="ignore"):
            found = plain(SECOND[way](f, x))
    except ag.AutogradError:
        return
    assert not np.isfinite(found).all(), f"a silent {found.tolist()}"


@pytest.mark.parametrize("name", ["norm", "hypot", "std", "nanstd"])
def test_at_a_kink_the_first_derivative_is_zero(name):
    f, x = KINKS[name]
    np.testing.assert_array_equal(ag.grad(f)(fresh(x)), np.zeros(np.shape(x)))


@pytest.mark.parametrize("x", [[1e-200, 0.0], [1e-170, 1e-170], [0.0, 5e-324]], ids=str)
def test_near_zero_a_norm_squared_is_honest_too(x):
    """Squares that underflow: the Hessian is 2I, nan or inf there, and never 0."""
    with np.errstate(all="ignore"):
        found = plain(ag.hessian(lambda x: np.linalg.norm(x) ** 2)(np.array(x)))
    assert np.all(close(found, 2 * np.eye(2)) | ~np.isfinite(found))


@pytest.mark.parametrize("u", [0.0, 1.0])
def test_the_slope_by_the_cotangent_is_kept_where_it_happens_to_be_zero(u):
    """vjp is linear in its cotangent u, so its derivative is the slope at u = 0 too; so jvp is never cut."""
    pulled = ag.grad(lambda u: weigh(ag.vjp(np.sqrt, np.array([4.0, 9.0]))[1](u)))(np.array([u, u]))
    pull = np.array([0.25, 1 / 6])
    np.testing.assert_allclose(pulled, pull * (1 + pull * u) * np.cos([1.0, 2.0]), rtol=1e-12)
    np.testing.assert_allclose(ag.jvp(lambda x: np.sqrt(x) * (x - 4.0), (4.0,), (1.0,))[1], 2.0)
