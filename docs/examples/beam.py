"""Shape a cantilever beam.

It shall be as stiff as can be with a given amount of material. The beam of height h(x) is fixed at the wall and pulled
down at its tip. Finite elements: K(h) u = f with a stiffness ∝ h³ for each element, and the work fᵀu is made small
while the mean of h stays 1. The derivative goes through the linear solve. The best beam of this kind has h ∝
√(distance from the tip). Haftka and Gürdal, *Elements of Structural Optimization* (1992).
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize

N = 20  # elements, each of length 1 / N
ELEMENT = np.array([[12, 6, -12, 6], [6, 4, -6, 2], [-12, -6, 12, -6], [6, 2, -6, 4]], float)
SCALE = np.array([1, 1 / N, 1, 1 / N])  # of a deflection and a slope at each end
STIFFNESS = ELEMENT * SCALE[:, None] * SCALE * N**3


def work(h):
    K = ag.Tensor(np.zeros((2 * N + 2, 2 * N + 2)))
    for i in range(N):
        own = slice(2 * i, 2 * i + 4)
        K[own, own] += h[i] ** 3 * STIFFNESS
    load = np.zeros(2 * N)
    load[-2] = 1.0
    return load @ np.linalg.solve(K[2:, 2:], load)  # the wall holds the first two


def main(axes=None):
    material = {"type": "eq", "fun": lambda h: h.mean() - 1}
    found = optimize.minimize(work, np.ones(N), bounds=[(0.05, None)] * N, constraints=material)
    print(f"uniform = {work(np.ones(N)):.6f}, shaped = {found.fun:.6f}, at the wall = {found.x[0]:.4f}")
    if axes is not None:
        middle = (np.arange(N) + 0.5) / N
        axes.bar(middle, found.x, 1 / N, bottom=-found.x / 2, label="found")
        x = np.linspace(0, 1, 200)
        for sign in (-1, 1):
            axes.plot(x, sign * 0.75 * np.sqrt(1 - x), color="C1", label="√" if sign > 0 else None)
        axes.legend()


if __name__ == "__main__":
    main()
