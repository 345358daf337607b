"""Measure how sharp a minimum is.

The largest eigenvalues of the Hessian say so. Lanczos' method needs only products H v, each for the price of a few
gradients, and never the matrix. Gradient descent with a rate above 2 / λmax leaves the minimum. Pearlmutter, *Fast
Exact Multiplication by the Hessian* (1994); Cohen and others, *Gradient Descent on Neural Networks Typically Occurs at
the Edge of Stability* (2021).
"""

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

import autograd as ag


def largest_eigenvalues(f, w, count):
    product = ag.hvp(f)
    H = LinearOperator((w.size, w.size), matvec=lambda v: product(w, v.ravel()), dtype=float)
    return np.sort(eigsh(H, k=count, v0=np.ones(w.size), return_eigenvectors=False))[::-1]


def loss(w, x, y):
    W, b, v = w[:10].reshape(10, 1), w[10:20], w[20:]
    return ((np.tanh(x[:, None] @ W.T + b) @ v - y) ** 2).mean() / 2


def data():
    x = np.linspace(-2, 2, 30)
    return np.random.default_rng(0).normal(size=30), x, np.sin(2 * x)


def main(axes=None):
    w, x, y = data()
    sharp = []
    for step in range(501):
        if step % 50 == 0:
            sharp.append(largest_eigenvalues(lambda w: loss(w, x, y), w, 3))
        w = w - 0.2 * ag.grad(loss)(w, x, y)
    print(f"largest = {sharp[-1][0]:.6f}, second = {sharp[-1][1]:.6f}, third = {sharp[-1][2]:.6f}")
    if axes is not None:
        axes.plot(np.arange(0, 501, 50), sharp, "o-")
        axes.axhline(2 / 0.2, color="C3", linestyle=":", label="2 / rate")
        axes.set_xlabel("step")
        axes.set_ylabel("eigenvalue")
        axes.legend()


if __name__ == "__main__":
    main()
