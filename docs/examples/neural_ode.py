"""Learn the law of a spiral: a neural ODE.

All it sees are points of the spiral. y′ = V tanh(W y³ + b), solved by LSODA from each point to the next two; the
gradient of the misses in every weight comes from the adjoint equation, solved backwards. Chen, Rubanova, Bettencourt
and Duvenaud, *Neural Ordinary Differential Equations* (2018), section 2.
"""

import numpy as np

from autograd.scipy import optimize
from autograd.scipy.integrate import odeint

TIMES = np.linspace(0, 4, 41)
TRUE = np.array([[-0.1, 2.0], [-2.0, -0.1]])
START = np.array([1.3, 0.0])


def loss(p, y, ahead=2):
    starts = y[:-ahead].ravel()  # all of them are solved at once
    paths = odeint(velocity, starts, TIMES[: ahead + 1], args=(p,), rtol=1e-6, atol=1e-6)
    targets = np.stack([y[k : len(y) - ahead + k].ravel() for k in range(ahead + 1)])
    return ((paths - targets) ** 2).mean()


def velocity(y, t, p):
    points = y.reshape(-1, 2)
    return (np.tanh(points**3 @ p["W"].T + p["b"]) @ p["V"].T).ravel()


def data(times=TIMES):
    return odeint(lambda y, t: TRUE @ y**3, START, times)


def main(axes=None):
    rng, y = np.random.default_rng(0), data()
    start = {"W": 0.3 * rng.normal(size=(16, 2)), "b": np.zeros(16), "V": 0.3 * rng.normal(size=(2, 16))}
    found = optimize.minimize(loss, start, args=(y,), method="BFGS", tol=1e-12, options=dict(maxiter=100))
    path = odeint(velocity, START, TIMES, args=(found.x,))
    print(f"x at the end = {path[-1, 0]:.3f}, y at the end = {path[-1, 1]:.3f}")
    if axes is not None:
        axes.plot(*y.T, ".", label="data")
        path = odeint(velocity, START, np.linspace(0, 4, 400), args=(found.x,))
        axes.plot(*path.T, label="learnt")
        axes.legend()


if __name__ == "__main__":
    main()
