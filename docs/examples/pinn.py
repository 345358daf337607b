"""Solve a differential equation with a net.

−u″ + u³ = f on (−1, 1) with u(±1) = 0: the loss is the mean square of what is left over when the net stands for u,
with its own second derivative in it; no values of u are ever shown to it. Raissi, Perdikaris and Karniadakis,
*Physics-informed neural networks* (2019).
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize


def residual(p, x):
    slope = ag.grad(lambda x: u(p, x).sum())
    curvature = ag.grad(lambda x: slope(x).sum())(x)
    return -curvature + u(p, x) ** 3 - force(x)


def u(p, x):
    hidden = np.tanh(x[:, None] * p["w1"] + p["b1"])
    return (1 - x**2) * (hidden @ p["w2"])  # zero at both ends, whatever the net says


def force(x):
    """Give the force under which u = sin(πx) is the solution."""
    return np.pi**2 * np.sin(np.pi * x) + np.sin(np.pi * x) ** 3


def main(axes=None):
    rng, x = np.random.default_rng(0), np.linspace(-1, 1, 40)
    start = {"w1": 2 * rng.normal(size=12), "b1": rng.normal(size=12), "w2": 0.1 * rng.normal(size=12)}
    found = optimize.minimize(lambda p: (residual(p, x) ** 2).mean(), start, method="BFGS", options=dict(maxiter=150))
    places = np.array([-0.5, 0.25, 0.5])
    values = u(found.x, places)
    print(f"u(-1/2) = {values[0]:.4f}, u(1/4) = {values[1]:.4f}, u(1/2) = {values[2]:.4f}")
    if axes is not None:
        fine = np.linspace(-1, 1, 200)
        axes.plot(fine, u(found.x, fine), label="net")
        axes.plot(fine, 1e5 * (u(found.x, fine) - np.sin(np.pi * fine)), label="10⁵ × its error")
        axes.legend()


if __name__ == "__main__":
    main()
