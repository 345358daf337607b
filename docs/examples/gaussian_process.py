"""Fit a Gaussian process by its marginal likelihood.

log p(y) = −½ yᵀ K⁻¹ y − ½ log |K| − n/2 log 2π, with the kernel a² exp(−(x − x′)² / 2ℓ²) and noise σ² on its diagonal.
Its gradient in log a, log ℓ and log σ goes through the Cholesky factor of K. Rasmussen and Williams, *Gaussian
Processes for Machine Learning* (2006), equations 2.25, 2.26 and 2.30.
"""

import numpy as np

from autograd.scipy import optimize
from autograd.scipy.linalg import cho_factor, cho_solve


def negative_log_likelihood(p, x, y):
    K = kernel(p, x, x) + np.exp(2 * p["noise"]) * np.eye(len(x))
    factor, lower = cho_factor(K, lower=True)
    fit = y @ cho_solve((factor, lower), y) / 2
    return fit + np.log(np.diag(factor)).sum() + len(x) / 2 * np.log(2 * np.pi)


def kernel(p, a, b):
    return np.exp(2 * p["amplitude"] - (a[:, None] - b) ** 2 / (2 * np.exp(2 * p["length"])))


def predict(p, x, y, new):
    K = kernel(p, x, x) + np.exp(2 * p["noise"]) * np.eye(len(x))
    across = kernel(p, new, x)
    mean = across @ np.linalg.solve(K, y)
    variance = np.diag(kernel(p, new, new) - across @ np.linalg.solve(K, across.T))
    return mean, np.sqrt(variance)


def data():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(-4, 4, 25))
    return x, np.sin(x) + 0.2 * rng.normal(size=25)


def main(axes=None):
    x, y = data()
    start = {"amplitude": 0.0, "length": 0.0, "noise": 0.0}
    found = optimize.minimize(negative_log_likelihood, start, args=(x, y))
    length, noise = np.exp(found.x["length"]), np.exp(found.x["noise"])
    print(f"log likelihood = {-found.fun:.4f}, length = {length:.3f}, noise = {noise:.3f}")
    if axes is not None:
        new = np.linspace(-6, 6, 121)
        mean, sd = predict(found.x, x, y, new)
        axes.fill_between(new, mean - 2 * sd, mean + 2 * sd, alpha=0.3, label="± 2 standard deviations")
        axes.plot(new, mean, label="mean")
        axes.plot(x, y, ".", label="data")
        axes.legend()


if __name__ == "__main__":
    main()
