"""Measure chaos by Lyapunov exponents.

Tangent vectors are pushed along the flow of Lorenz' system. Forward mode carries a small displacement through each
step; QR keeps three of them apart, and the mean logarithm of their growth per time are the exponents. They add up to
the trace of the Jacobian, −(σ + 1 + β), everywhere the same. Benettin and others (1980); Sprott, *Chaos and
Time-Series Analysis* (2003), has 0.9056 for the largest.
"""

import numpy as np

import autograd as ag

SIGMA, RHO, BETA = 10.0, 28.0, 8 / 3


def grown(x, Q, h):
    pushed = [ag.jvp(lambda x: step(x, h), (x,), (Q[:, :, k],)) for k in range(3)]
    Q, R = np.linalg.qr(np.stack([tangent for _, tangent in pushed], axis=-1))
    return pushed[0][0], Q, np.log(abs(np.diagonal(R, axis1=1, axis2=2)))


def step(x, h):
    k1 = flow(x)
    k2 = flow(x + h / 2 * k1)
    k3 = flow(x + h / 2 * k2)
    k4 = flow(x + h * k3)
    return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def flow(points):
    x, y, z = points.T
    return np.stack([SIGMA * (y - x), x * (RHO - z) - y, x * y - BETA * z], axis=1)


def main(axes=None):
    h, x = 0.02, np.random.default_rng(0).normal(size=(50, 3)) + np.array([0, 0, 25])
    for _ in range(2000):
        x = step(x, h)  # onto the attractor
    push = ag.compile(grown)
    Q, path, rates = np.tile(np.eye(3), (50, 1, 1)), [], []
    for _ in range(1200):
        x, Q, growth = push(x, Q, h)
        path.append(x)
        rates.append(growth.mean(axis=0) / h)
    found = np.mean(rates[400:], axis=0)
    print(f"largest = {found[0]:.3f}, sum = {found.sum():.4f}")
    if axes is not None:
        x, _, z = np.stack(path)[:700, :4].T
        axes.plot(x.T, z.T, linewidth=0.5, color="C0")
        axes.set_xlabel("x")
        axes.set_ylabel("z")


if __name__ == "__main__":
    main()
