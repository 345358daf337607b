"""Differentiate a layer that solves an equation.

The steps that solved it are not kept. z = tanh(W z + U x + b) is solved for z; by the implicit function theorem dz =
(I − D W)⁻¹ D d(Ux + b) with D = diag(1 − z²), however z was found. Trained here to tell whether more than half of the
bits are set. Bai, Kolter and Koltun, *Deep Equilibrium Models* (2019), theorem 1.
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize


def layer(p, x):
    def f(z):
        return np.tanh(z @ p["W"].T + x @ p["U"].T + p["b"])

    return optimize.fixed_point(f, np.zeros((len(x), 6)), xtol=1e-12, method="iteration")


def loss(p, x, y):
    return np.logaddexp(0, -y * (layer(p, x) @ p["out"])).mean()


def data():
    x = np.array([[i >> k & 1 for k in range(5)] for i in range(32)], float)
    return x, np.where(x.sum(1) > 2, 1.0, -1.0)


def main(axes=None):
    rng, (x, y) = np.random.default_rng(0), data()
    p = {"W": 0.1 * rng.normal(size=(6, 6)), "U": 0.5 * rng.normal(size=(6, 5)), "b": np.zeros(6)}
    p["out"] = rng.normal(size=6)
    losses = []
    for _ in range(60):
        value, slope = ag.value_and_grad(loss)(p, x, y)
        p = {name: p[name] - 0.5 * slope[name] for name in p}
        losses.append(value)
    right = (np.sign(layer(p, x) @ p["out"]) == y).sum()
    print(f"loss = {value:.6f}, slope in b0 = {slope['b'][0]:.8f}, right = {right} of 32")
    if axes is not None:
        axes.semilogy(losses)
        axes.set_xlabel("step")
        axes.set_ylabel("loss")


if __name__ == "__main__":
    main()
