"""Approximate a model's evidence by Laplace's method.

∫ exp(f(w)) dw ≈ exp(f(ŵ)) (2π)^(d/2) |−∇²f(ŵ)|^(−½): the summit ŵ, and how curved it is. Here f is the log of
likelihood and prior of a Poisson regression with two parameters, few enough to integrate numerically, too. MacKay,
*Information Theory, Inference, and Learning Algorithms* (2003), chapter 27.
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize
from autograd.scipy.stats import norm, poisson

YEARS = np.linspace(-1, 1, 12)
COUNTS = np.array([4, 2, 3, 6, 5, 4, 9, 8, 7, 12, 14, 11])


def log_evidence(f, start):
    found = optimize.minimize(lambda w: -f(w), start, method="trust-exact", tol=1e-10)
    curvature = -ag.hessian(f)(found.x)
    return f(found.x) + len(start) / 2 * np.log(2 * np.pi) - np.linalg.slogdet(curvature)[1] / 2, found.x, curvature


def log_joint(w):
    return poisson.logpmf(COUNTS, np.exp(w[0] + w[1] * YEARS)).sum() + norm.logpdf(w, 0.0, 2.0).sum()


def main(axes=None):
    value, best, curvature = log_evidence(log_joint, np.zeros(2))
    deviations = np.sqrt(np.diag(np.linalg.inv(curvature)))
    print(f"log evidence = {value:.3f}, slope = {best[1]:.5f}, its deviation = {deviations[1]:.5f}")
    if axes is not None:
        around = [b + 3.5 * d * np.linspace(-1, 1, 41) for b, d in zip(best, deviations, strict=True)]
        exact = np.array([[log_joint(np.stack([a, b])) for a in around[0]] for b in around[1]]) - log_joint(best)
        offset = np.stack(np.meshgrid(*around), -1) - best
        levels = [-4.5, -2.0, -0.5]
        axes.contour(*around, exact, levels, colors="C0", linestyles="solid")
        axes.contour(*around, -np.einsum("abi,ij,abj->ab", offset, curvature, offset) / 2, levels, colors="C1")
        axes.plot([], [], "C0", label="posterior")
        axes.plot([], [], "C1--", label="Laplace")
        axes.legend()


if __name__ == "__main__":
    main()
