"""Choose a kernel by its leave-one-out error.

f = Σ αᵢ k(·, xᵢ) with α = (K + λI)⁻¹ y. The error at each point, left out, needs no second fit: eᵢ = αᵢ / [(K +
λI)⁻¹]ᵢᵢ. Its mean square is differentiated through the inverse. Schölkopf and Smola, *Learning with Kernels* (2002);
the identity is Allen's PRESS (1974).
"""

import numpy as np

from autograd.scipy import optimize


def left_out_error(p, x, y):
    width, penalty = np.exp(p)
    inverse = np.linalg.inv(kernel(x, x, width) + penalty * np.eye(len(x)))
    return ((inverse @ y / np.diag(inverse)) ** 2).mean()


def kernel(a, b, width):
    return np.exp(-abs(a[:, None] - b) / width)


def data():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, 40))
    return x, np.sign(np.sin(7 * x)) + 0.3 * rng.normal(size=40)


def main(axes=None):
    x, y = data()
    found = optimize.minimize(left_out_error, np.log([0.1, 0.1]), args=(x, y), tol=1e-8)
    width, penalty = np.exp(found.x)
    print(f"error = {found.fun:.6f}, penalty / width = {penalty / width:.4f}")
    if axes is not None:
        new = np.linspace(0, 1, 201)
        alpha = np.linalg.solve(kernel(x, x, width) + penalty * np.eye(len(x)), y)
        axes.plot(x, y, ".", label="data")
        axes.plot(new, kernel(new, x, width) @ alpha, label="fit")
        axes.legend()


if __name__ == "__main__":
    main()
