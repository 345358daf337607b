"""Forward mode through SciPy's functions, and through solutions of equations, which no op has made."""

import numpy as np
import pytest

import autograd as ag
from tests.autograd import pushed

pytest.importorskip("scipy")
ours = pytest.importorskip("autograd.scipy")
rows = pytest.importorskip("tests.autograd.scipy.test_rows")


@pytest.mark.parametrize("name", [name for name in rows.ROWS if not rows.is_vonmises(name)])
def test_every_row(name):
    for args, kwargs in list(rows.samples(name))[:1]:
        places = [i for i, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype.kind in "fc"]

        def f(*floats, args=args, kwargs=kwargs, places=places):
            filled = list(args)
            for i, x in zip(places, floats, strict=True):
                filled[i] = x
            return tuple([y for y in ag.tree.flatten(rows.ROWS[name](*filled, **kwargs))[0] if y.dtype.kind in "fc"])

        pushed.hold(f, [args[i] for i in places], rtol=1e-7)


def decay(k):
    t = np.linspace(0, 1, 4)
    return ours.integrate.odeint(lambda y, t, k: -k * y, np.array([1.0, 2.0]), t, args=(k,), rtol=1e-10, atol=1e-10)


def closed_over(k):
    t = np.linspace(0, 1, 4)
    return ours.integrate.odeint(lambda y, t: -k * y, np.array([1.0, 2.0]), t, rtol=1e-10, atol=1e-10)


SOLUTIONS = {
    "odeint": decay,
    "odeint that closes over its argument": closed_over,
    "solve_ivp": lambda k: (
        ours.integrate.solve_ivp(
            lambda t, y: -k * y, (0, 1), np.array([1.0]), t_eval=[0.5, 1.0], rtol=1e-10, atol=1e-10
        ).y
    ),
    "root": lambda k: ours.optimize.root(lambda x: x**3 + x - k, np.array([1.0])).x,
    "minimize": lambda k: ours.optimize.minimize(lambda x: ((x - k) ** 2).sum() + (x**4).sum(), np.array([0.5])).x,
    "quad": lambda k: ours.integrate.quad(lambda x: np.exp(-k * x), 0, 1)[0],
}


@pytest.mark.parametrize("name", SOLUTIONS)
def test_solutions(name):
    """Their nodes were made without an op: no tangent of theirs is taken for zero."""
    f = SOLUTIONS[name]
    k = 1.3
    _, tangent = ag.jvp(f, (k,), (2.0,))
    step = 1e-5
    right = 2 * (np.asarray(f(k + step)) - np.asarray(f(k - step))) / (2 * step)
    assert np.any(right != 0)
    np.testing.assert_allclose(tangent, right, rtol=1e-4, atol=1e-7)
