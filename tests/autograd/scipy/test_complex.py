"""Complex numbers through ``autograd.scipy``: SciPy's values and derivatives to order two, or a refusal by name."""

from importlib import import_module

import numpy as np
import pytest

import autograd as ag
from autograd.errors import DTypeError

scipy = pytest.importorskip("scipy")
from autograd.scipy import integrate, optimize, special  # noqa: E402

RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.normal(size=shape) + 1j * RNG.normal(size=shape)


A, B, Q, U, V = random(3, 3) + 2 * np.eye(3), random(3, 2), random(3, 3), random(3), random(5)
H = A @ A.conj().T + np.eye(3)
CALLS = {
    **{f"linalg.{name}": (A / 2,) for name in "expm logm sqrtm sinm cosm sinhm coshm inv det norm".split()},  # noqa: SIM905
    "linalg.solve": (A, B),
    "linalg.solve, hermitian": (H, B, {"assume_a": "her"}),
    "linalg.solve, hermitian, lower": (H, B, {"assume_a": "her", "lower": True}),
    "linalg.solve, symmetric": (A + A.T, B, {"assume_a": "sym"}),
    "linalg.solve, positive definite": (H, B, {"assume_a": "pos"}),
    "linalg.solve_triangular": (A, B),
    "linalg.solve_triangular, transposed": (A, B, {"trans": "T"}),
    "linalg.solve_triangular, conjugated": (A, U, {"trans": "C", "lower": True}),
    "linalg.cholesky": (H,),
    "linalg.cholesky, lower": (H, {"lower": True}),
    "linalg.solve_sylvester": (A, A + 1, Q),
    "linalg.solve_continuous_lyapunov": (A, Q),
    "linalg.solve_discrete_lyapunov": (A / 4, Q),
    "linalg.toeplitz": (U,),
    "linalg.toeplitz, both": (U, random(4)),
    "linalg.circulant": (U,),
    "linalg.hankel": (U,),
    "linalg.block_diag": (A, B),
    "linalg.eigvalsh": (H,),
    "signal.convolve": (V, U),
    "signal.convolve, one real": (V.real, U),
    "signal.convolve2d": (A, B, {"mode": "same"}),
    "signal.correlate": (V, U),
    "signal.correlate, valid": (V, U, {"mode": "valid"}),
    "signal.correlate, the longer last": (U, V, {"mode": "valid"}),
    "signal.correlate, fft": (V, U, {"method": "fft"}),
    "signal.fftconvolve": (V, U),
    "signal.lfilter": (U, U / 4 + [1, 0, 0], V),
    "special.logsumexp": (A,),
    "special.logsumexp, an axis": (A, {"axis": 0, "keepdims": True}),
    "special.logsumexp, weights": (A, {"axis": 1, "b": random(3, 3)}),
    "integrate.trapezoid": (V,),
    "integrate.simpson": (V,),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_scipys_value_and_its_derivatives(name):
    path, *args = name.partition(",")[0], *CALLS[name]
    kwargs = args.pop() if isinstance(args[-1], dict) else {}
    module, function = path.split(".")
    ours = getattr(import_module(f"autograd.scipy.{module}"), function)
    theirs = getattr(import_module(f"scipy.{module}"), function)
    np.testing.assert_allclose(ours(*args, **kwargs), theirs(*args, **kwargs), rtol=1e-11, atol=1e-12)
    ag.check_grads(lambda *args: ours(*args, **kwargs), *args)


FACTORED = {
    "cho_solve": (lambda m, a, b: m.cho_solve(m.cho_factor(a), b), H),
    "cho_solve, lower": (lambda m, a, b: m.cho_solve(m.cho_factor(a, lower=True), b), H),
    **{f"lu_solve, {k}": (lambda m, a, b, k=k: m.lu_solve(m.lu_factor(a), b, trans=k), A) for k in range(3)},
    "qr": (lambda m, a, b: m.qr(a, mode="economic")[1] @ b, A),
}


@pytest.mark.parametrize("name", FACTORED)
def test_systems_by_factors(name):
    f, a = FACTORED[name]
    ours, theirs = import_module("autograd.scipy.linalg"), import_module("scipy.linalg")
    np.testing.assert_allclose(f(ours, a, B), f(theirs, a, B), rtol=1e-11)
    ag.check_grads(lambda a, b: f(ours, a, b), a, B)


@pytest.mark.parametrize("name", ["CubicSpline", "interp1d", "make_interp_spline"])
def test_interpolation_of_complex_values(name):
    def f(module, y):
        return getattr(module, name)(np.arange(5.0), y)(np.array([0.3, 2.5]))

    np.testing.assert_allclose(
        f(import_module("autograd.scipy.interpolate"), V), f(import_module("scipy.interpolate"), V), rtol=1e-12
    )
    ag.check_grads(lambda y: f(import_module("autograd.scipy.interpolate"), y), V)


def turn(t, y):
    return 1j * y


SOLVERS = {
    "odeint": lambda: integrate.odeint(turn, V, [0.0, 1.0], tfirst=True),
    "solve_ivp": lambda: integrate.solve_ivp(turn, (0, 1), V),
    "quad": lambda: integrate.quad(lambda t: np.exp(1j * t), 0, 1),
    "quad_vec": lambda: integrate.quad_vec(lambda t: np.exp(1j * t * np.arange(3)), 0, 1),
    "minimize": lambda: optimize.minimize(lambda z: abs(z).sum(), V),
    "minimize, the result": lambda: optimize.minimize(lambda x: 1j * x.sum(), np.ones(2)),
    "least_squares": lambda: optimize.least_squares(lambda x: 1j * x, np.ones(2)),
    "root": lambda: optimize.root(lambda z: z, V),
    "fixed_point": lambda: optimize.fixed_point(np.cos, 1j),
    "brentq": lambda: optimize.brentq(lambda x: 1j * x, -1, 1),
}


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_refuse_complex_numbers(name):
    with pytest.raises(DTypeError, match=r"complex numbers, and solvers take real ones here\. Solve for real"):
        SOLVERS[name]()


def test_the_sign_of_a_complex_sum_is_refused():
    with pytest.raises(DTypeError, match="return_sign is for real numbers"):
        special.logsumexp(V, return_sign=True)
