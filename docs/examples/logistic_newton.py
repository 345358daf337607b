"""Fit a logistic regression by Newton's method.

L(w) = Σ log(1 + exp(−yᵢ xᵢ·w)), w ← w − H⁻¹ ∇L, with gradient and Hessian from L itself. L is convex, and the method
doubles the right digits in each step. Bishop, *Pattern Recognition and Machine Learning* (2006), section 4.3.3.
"""

import numpy as np

import autograd as ag


def loss(w, x, y):
    return np.logaddexp(0.0, -y * (x @ w)).sum()


def newton(w, x, y, tolerance=1e-10):
    gradient, hessian = ag.grad(loss), ag.hessian(loss)
    sizes = []
    while not sizes or sizes[-1] > tolerance:
        step = np.linalg.solve(hessian(w, x, y), gradient(w, x, y))
        w = w - step
        sizes.append(np.linalg.norm(step))
    return w, sizes


def data():
    rng = np.random.default_rng(0)
    x = np.column_stack([np.ones(200), rng.normal(size=(200, 2))])
    return x, np.where(rng.uniform(size=200) < 1 / (1 + np.exp(-x @ [0.5, 2.0, -1.0])), 1.0, -1.0)


def main(axes=None):
    x, y = data()
    w, sizes = newton(np.zeros(3), x, y)
    print(f"w0 = {w[0]:.6f}, w1 = {w[1]:.6f}, w2 = {w[2]:.6f}, loss = {loss(w, x, y):.6f}, steps = {len(sizes)}")
    if axes is not None:
        axes.semilogy(range(1, len(sizes) + 1), sizes, "o-")
        axes.set_xlabel("step")
        axes.set_ylabel("its length")


if __name__ == "__main__":
    main()
