"""A number leaves a live graph only when it is asked for by name: no ``__float__`` behind the user's back.

Python and NumPy turn Tensors into numbers where nobody sees it. In each program the gradient is right, or an error of
ours comes up at that place.
"""

import cmath
import decimal
import fractions
import itertools
import math
import random
import statistics
import struct
import warnings
from importlib.util import find_spec

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.numbers_written import WRITTEN, P
from tests.autograd.laws.oracle import FIRST_ORDER, Table, by_grad, by_jvp, close, differences, hold, raised_in

LEAKS = Table()
LEAKS.update(WRITTEN)


# one table for what is one expression: name -> (program, point)
def matrix_of(x):
    """Make a matrix; NumPy warns of the class before it looks at what it is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return np.asmatrix(x)


EXPRESSIONS = {
    # NumPy functions that write into a plain array, or take numbers as settings
    "np.put": (lambda p: (put(np.put, [1], p[0]) ** 2).sum(), P),
    "np.place": (lambda p: (put(np.place, np.array([True, False, True]), p[:2]) ** 2).sum(), P),
    "np.putmask": (lambda p: (put(np.putmask, np.array([True, False, True]), p) ** 2).sum(), P),
    "np.copyto": (lambda p: (put(np.copyto, p * p) ** 2).sum(), P),
    "np.fill_diagonal": (lambda p: (put(np.fill_diagonal, p[0], shape=(2, 2)) ** 2).sum(), P),
    "np.put_along_axis": (lambda p: (put(np.put_along_axis, np.array([1]), p[0], 0) ** 2).sum(), P),
    "np.add.at": (lambda p: (put(np.add.at, [0, 0, 1], p) ** 2).sum(), P),
    "np.sum(initial=)": (lambda x: np.sum(np.ones(3), initial=x), 0.7),
    "np.prod(initial=)": (lambda x: np.prod(np.full(3, 2.0), initial=x), 0.7),
    "np.max(initial=)": (lambda x: np.max(np.zeros(3), initial=x), 0.7),
    "np.min(initial=)": (lambda x: np.min(np.zeros(3), initial=x), -0.7),
    "np.add.reduce(initial=)": (lambda x: np.add.reduce(np.ones(3), initial=x), 0.7),
    "np.interp(left=)": (lambda x: np.interp(-1.0, [0.0, 1.0], [2.0, 3.0], left=x), 0.7),
    "np.interp(right=)": (lambda x: np.interp(9.0, [0.0, 1.0], [2.0, 3.0], right=x), 0.7),
    "np.interp(period=)": (lambda x: np.interp(5.0, [0.0, 1.0], [2.0, 3.0], period=x), 3.2),
    "np.full": (lambda x: (np.full(3, x) ** 2).sum(), 0.7),
    "np.full_like": (lambda x: (np.full_like(np.ones(3), x) ** 2).sum(), 0.7),
    "np.linspace from": (lambda x: (np.linspace(x, 5.0, 4) ** 2).sum(), 0.7),
    "np.linspace to": (lambda x: (np.linspace(0.0, x, 4) ** 2).sum(), 0.7),
    "np.geomspace": (lambda x: np.geomspace(x, 5.0, 4).sum(), 0.7),
    "np.logspace(base=)": (lambda x: np.logspace(0.0, 2.0, 3, base=x).sum(), 0.7),
    "np.arange step": (lambda x: (np.arange(0.0, 2.0, x) ** 2).sum(), 0.7),
    "np.arange start": (lambda x: (np.arange(x, 3.0) ** 2).sum(), 0.7),
    "np.tri of a number": (lambda x: (np.tri(2) * np.float64(x)).sum(), 0.7),
    "np.pad(constant_values=)": (lambda x: (np.pad(np.ones(2), 1, constant_values=x) ** 2).sum(), 0.7),
    "np.nan_to_num(nan=)": (lambda x: np.nan_to_num(np.array([np.nan, 1.0]), nan=x).sum(), 0.7),
    "clip of a plain array": (lambda p: (np.array([0.1, 2.5, 5.0]).clip(p - 1.0, p) ** 2).sum(), P),
    "clip of a plain array from above": (lambda p: (np.array([0.1, 2.5, 5.0]).clip(max=p) ** 2).sum(), P),
    "np.clip bounds of a plain array": (lambda x: (np.clip(np.array([0.1, 2.0]), 0.0, x) ** 2).sum(), 0.7),
    "np.histogram(density=)": (lambda p: np.histogram(p, bins=2, density=True)[0].sum(), P),
    "np.histogram(weights=)": (lambda p: (np.histogram([1.0, 1.5, 4.0], [0, 2, 9], weights=p)[0] ** 2).sum(), P),
    "np.histogram edges": (lambda p: (np.histogram([1.0, 2.5], bins=p)[1] ** 2).sum(), P),
    "np.bincount weights": (lambda p: (np.bincount([0, 1, 1], p) ** 2).sum(), P),
    "np.digitize": (lambda p: p.sum() * np.digitize(3.5, p), P),
    "np.average weights": (lambda p: np.average(np.array([1.0, 5.0, 2.0]), weights=p), P),
    "np.trapezoid(dx=)": (lambda x: np.trapezoid(np.array([1.0, 2.0]), dx=x), 0.7),
    "np.gradient spacing": (lambda x: np.gradient(np.array([1.0, 2.0, 5.0]), x).sum(), 0.7),
    "np.piecewise value": (lambda x: np.piecewise(np.ones(2), [np.array([True, False])], [x, 0.0]).sum(), 0.7),
    "np.select default": (lambda x: np.select([np.array([True, False])], [np.ones(2)], x).sum(), 0.7),
    "np.quantile of plain data": (lambda x: np.quantile(np.array([1.0, 2.0, 5.0]), x), 0.7),
    "np.vectorize": (lambda p: np.vectorize(lambda v: v * v)(p).sum(), P),
    "np.vectorize of a closure": (lambda x: np.vectorize(lambda v: v * x)(np.ones(2)).sum(), 0.7),
    "np.frompyfunc": (lambda x: np.frompyfunc(lambda v: v * x, 1, 1)(np.ones(2)).astype(float).sum(), 0.7),
    "np.fromiter": (lambda p: np.fromiter((v * v for v in p), float).sum(), P),
    "np.fromiter of a closure": (lambda x: np.fromiter((x * k for k in range(3)), float).sum(), 0.7),
    "np.fromfunction": (lambda x: np.fromfunction(lambda i: i * x, (3,)).sum(), 0.7),
    "np.apply_along_axis of a closure": (
        lambda x: np.apply_along_axis(lambda v: np.float64(v.sum() * x), 0, np.ones((2, 2))).sum(),
        0.7,
    ),
    "np.float64": (lambda x: np.float64(x) ** 2, 0.7),
    "np.float32": (lambda x: np.float32(x) * 1.0, 0.5),
    "np.array": (lambda p: (np.array(p) ** 2).sum(), P),
    "np.array of numbers": (lambda p: (np.array([p[0], p[1] * 2]) ** 2).sum(), P),
    "np.asarray": (lambda p: (np.asarray(p) ** 2).sum(), P),
    "np.ascontiguousarray": (lambda p: (np.ascontiguousarray(p) ** 2).sum(), P),
    "np.ix_": (lambda p: (np.ix_(p)[0] ** 2).sum(), P),
    "np.r_": (lambda p: (np.r_[p, 1.0] ** 2).sum(), P),
    "np.c_": (lambda p: (np.c_[p, p] ** 2).sum(), P),
    "np.diag of a list": (lambda p: (np.diag([p[0], p[1]]) ** 2).sum(), P),
    "np.matrix": (lambda p: (np.asarray(matrix_of(p)) ** 2).sum(), P),
    "np.ma.array": (lambda p: (np.ma.array(p) ** 2).sum(), P),
    "np.nditer": (lambda p: sum(float(v) ** 2 for v in np.nditer(p)), P),
    "np.poly1d": (lambda p: np.poly1d(p)(2.0), P),
    "np.random scale": (lambda x: np.random.default_rng(0).normal(0.0, x, 3).sum(), 0.7),
    "np.random location": (lambda x: np.random.default_rng(0).normal(x, 1.0, 3).sum(), 0.7),
    "np.random.uniform": (lambda x: np.random.default_rng(0).uniform(0.0, x, 3).sum(), 0.7),
    # Python's own functions
    **{
        f"math.{f.__name__}": (lambda x, f=f: x * f(x), 0.7)
        for f in (math.exp, math.log, math.sin, math.sqrt, math.tanh, math.erf, math.lgamma, math.cbrt, math.fabs)
    },
    "math.pow": (lambda x: math.pow(x, 3.0), 0.7),
    "math.hypot": (lambda p: math.hypot(p[0], p[1]), P),
    "math.atan2": (lambda p: math.atan2(p[0], p[1]), P),
    "math.dist": (lambda p: math.dist([p[0], p[1]], [0.0, 0.0]), P),
    "math.fsum": (lambda p: math.fsum([p[0], p[1] * 2]), P),
    "math.prod": (lambda p: math.prod([p[0], p[1], p[2]]), P),
    "math.sumprod of plain weights": (
        lambda p: math.sumprod([1.0, 2.0], [p[0], p[1]]) if hasattr(math, "sumprod") else p[0],
        P,
    ),
    "math.fmod": (lambda x: math.fmod(x, 0.4) * 2, 0.7),
    "math.copysign": (lambda x: math.copysign(x, -1.0), 0.7),
    "math.ldexp": (lambda x: math.ldexp(x, 3), 0.7),
    "math.modf": (lambda x: math.modf(x)[0], 0.7),
    "math.radians": (lambda x: math.radians(x), 0.7),
    "cmath.exp": (lambda x: cmath.exp(x).real, 0.7),
    "complex": (lambda x: abs(complex(x)) ** 2, 0.7),
    "complex of two": (lambda p: abs(complex(p[0], p[1])) ** 2, P),
    "float": (lambda x: float(x) * 2, 0.7),
    "float in a product": (lambda x: float(x) * x, 0.7),
    "divmod": (lambda x: divmod(x, 0.4)[1], 0.7),
    "pow": (lambda x: pow(x, 2), 0.7),
    "sum": (lambda p: sum(p), P),
    "max": (lambda p: max(p), P),
    "sorted": (lambda p: sorted(p)[1] * 2, P),
    "statistics.fmean": (lambda p: statistics.fmean([p[0], p[1]]), P),
    "statistics.mean": (lambda p: statistics.mean([p[0], p[1]]), P),
    "statistics.pvariance": (lambda p: statistics.pvariance([p[0], p[1]]), P),
    "statistics.stdev": (lambda p: statistics.stdev([p[0], p[1], p[2]]), P),
    "statistics.NormalDist": (lambda x: statistics.NormalDist(x, 1.0).cdf(1.0), 0.7),
    "statistics.geometric_mean": (lambda p: statistics.geometric_mean([p[0], p[1]]), P),
    "fractions.Fraction": (lambda x: float(fractions.Fraction(x)) * 2, 0.75),
    "decimal.Decimal": (lambda x: float(decimal.Decimal(float(x))) * 2, 0.75),
    "random.gauss": (lambda x: random.Random(0).gauss(x, 1.0), 0.7),
    "random.uniform": (lambda x: random.Random(0).uniform(0.0, x), 0.7),
    "itertools.accumulate": (lambda p: list(itertools.accumulate(p))[-1] * 2, P),
    "struct.pack": (lambda x: struct.unpack("d", struct.pack("d", x))[0] * 2, 0.7),
    "operator.index as a factor": (lambda p: p.sum() * len(range(math.floor(p[0]))), P),
}
WRAPPED = {  # what NumPy and Python raise in place of an error of __float__, or where there is nothing to call
    "np.fromiter": ValueError,
    "np.fromiter of a closure": ValueError,
    "np.frompyfunc": ValueError,
    "np.nditer": TypeError,
    "statistics.mean": TypeError,
    "statistics.pvariance": TypeError,
    "statistics.stdev": TypeError,
    "fractions.Fraction": TypeError,
    "struct.pack": struct.error,
    "scipy.optimize.minimize": ValueError,
    "scipy.optimize.brentq": Exception,  # it goes on while the error is pending, and any call may be what fails then
    # NumPy reads initial= as an element that is written into an array
    **dict.fromkeys([f"np.{f}(initial=)" for f in ("sum", "prod", "max", "min", "add.reduce")], ValueError),
}


def add_all(table):
    for name, (program, at) in table.items():
        LEAKS.add(name, program, at, wrapped=(WRAPPED[name],) if name in WRAPPED else ())


add_all(EXPRESSIONS)


def put(write, *args, shape=(3,)):
    """Let a NumPy function write into a plain array, and return that."""
    a = np.zeros(shape)
    write(a, *args)
    return a


# step functions of the argument: what comes of a whole number has gradient 0, so the refusal or 0 is right
STEPS = {
    "int": (lambda x: int(x) * 1.5, 2.3),
    "int of a product": (lambda x: x * int(x), 2.3),
    "math.floor": (lambda x: x * math.floor(x), 2.3),
    "math.ceil": (lambda x: x * math.ceil(x), 2.3),
    "math.trunc": (lambda x: x * math.trunc(x), 2.3),
    "round to a whole number": (lambda x: x * round(x), 2.3),
    "bool": (lambda x: x * bool(x), 2.3),
    "comparison": (lambda x: x * 2 if x > 1 else x, 2.3),
    "a // b": (lambda x: x * (x // 1), 2.3),
}
add_all(STEPS)

if find_spec("scipy"):
    from scipy import integrate, interpolate, optimize, special, stats

    SCIPY = {
        "scipy.integrate.quad": (lambda x: integrate.quad(lambda t: t * x, 0.0, 1.0)[0], 0.7),
        "scipy.integrate.quad to x": (lambda x: integrate.quad(lambda t: t, 0.0, x)[0], 0.7),
        "scipy.integrate.solve_ivp": (
            lambda x: integrate.solve_ivp(lambda t, y: [x], (0.0, 1.0), [0.0]).y[0, -1],
            0.7,
        ),
        "scipy.integrate.simpson": (lambda p: integrate.simpson(p), P),
        "scipy.optimize.brentq": (lambda x: optimize.brentq(lambda t: t**2 - x, 0.0, 2.0), 0.7),
        "scipy.optimize.newton": (lambda x: optimize.newton(lambda t: t**2 - x, 1.0), 0.7),
        "scipy.optimize.minimize": (lambda x: optimize.minimize(lambda t: (t[0] - x) ** 2, [0.0]).x[0], 0.7),
        "scipy.special.gammaln": (lambda x: special.gammaln(x), 0.7),
        "scipy.special.erf": (lambda x: special.erf(x), 0.7),
        "scipy.special.logsumexp": (lambda p: special.logsumexp(p), P),
        "scipy.stats.norm.logpdf": (lambda x: stats.norm.logpdf(1.0, x, 2.0), 0.7),
        "scipy.interpolate.interp1d": (lambda x: interpolate.interp1d([0.0, 1.0], [2.0, 5.0])(x), 0.7),
        "scipy.interpolate.CubicSpline": (lambda p: interpolate.CubicSpline([0.0, 1.0, 2.0], p)(0.5), P),
    }
    add_all(SCIPY)

if find_spec("pandas"):
    import pandas as pd

    @LEAKS.row(P, wrapped=(ValueError,))
    def cell_of_a_data_frame(p):
        frame = pd.DataFrame({"a": [0.0, 1.0]})
        frame.loc[0, "a"] = p[0]
        return (frame["a"].to_numpy(float) ** 2).sum()

    @LEAKS.row(P)
    def column_of_a_data_frame(p):
        return (pd.DataFrame({"a": p})["a"].to_numpy(float) ** 2).sum()

    @LEAKS.row(P)
    def series_of_numbers(p):
        return (pd.Series([p[0], p[1]], dtype=float).to_numpy() ** 2).sum()


def test_the_table_is_long():
    assert len(LEAKS) >= 100


EXACT = {name: row for name, row in LEAKS.items() if row.right is not None}


@pytest.mark.parametrize("row", EXACT.values(), ids=EXACT)
def test_right_values_are_those_of_numpy(row):
    assert np.all(close(row.right, differences(row.program, row.at)))


@pytest.mark.parametrize("way", ["grad", "backward"])
@LEAKS.every
def test_gradient_is_right_or_refused(row, way):
    hold(row, FIRST_ORDER[way], row.gradient(), rtol=1e-5)


TOLD = {name: row for name, row in WRITTEN.items() if row.wrapped and name != "element by flat"}  # there it is lost


@pytest.mark.parametrize("row", TOLD.values(), ids=TOLD)
def test_in_a_transform_the_error_is_ours_and_bears_the_line(row):
    for transform in (by_grad, by_jvp):  # NumPy tells a[1] = t as "setting an array element with a sequence"
        with pytest.raises(ag.AutogradError) as caught:
            transform(row.program, row.at)
        assert raised_in(row.program, caught.value)


def test_an_error_of_the_users_own_comes_through():
    def f(x):
        try:
            np.zeros(2)[0] = x
        except ValueError as error:
            raise LookupError("no such cell") from error

    with pytest.raises(LookupError, match="no such cell"):
        ag.grad(f)(0.7)
