"""Draw samples by Hamiltonian Monte Carlo.

A hundred chains at once explore a curved density. A sample is a place x with a random momentum p. The leapfrog p ← p +
ε/2 ∇log p(x), x ← x + ε p keeps −log p(x) + p²/2 nearly constant over long ways, and what it does lose decides whether
the new place is taken. Neal, *MCMC using Hamiltonian dynamics* (2011), section 5.3.2.
"""

import numpy as np

import autograd as ag


def leapfrog(x, p, gradient, epsilon=0.25, steps=8):
    p = p + epsilon / 2 * gradient(x)
    for _ in range(steps - 1):
        x = x + epsilon * p
        p = p + epsilon * gradient(x)
    x = x + epsilon * p
    return x, p + epsilon / 2 * gradient(x)


def log_density(x):
    """Bend a Gaussian into a banana: x₀ ~ N(0, 1), and x₁ ~ N(x₀², 1)."""
    return -(x[:, 0] ** 2) / 2 - (x[:, 1] - x[:, 0] ** 2) ** 2 / 2


def main(axes=None):
    rng = np.random.default_rng(0)
    gradient = ag.grad(lambda x: log_density(x).sum())  # each chain has its own row
    x, samples, taken = rng.normal(size=(100, 2)), [], []
    for _ in range(400):
        p = rng.normal(size=x.shape)
        new, end = leapfrog(x, p, gradient)
        gain = log_density(new) - log_density(x) + ((p**2).sum(1) - (end**2).sum(1)) / 2
        accept = np.log(rng.uniform(size=len(x))) < gain
        x = np.where(accept[:, None], new, x)
        samples.append(x)
        taken.append(accept.mean())
    drawn = np.concatenate(samples[20:])
    print(f"mean of x0 = {drawn[:, 0].mean():.3f}, mean of x1 = {drawn[:, 1].mean():.3f}")
    print(f"variance of x0 = {drawn[:, 0].var():.3f}, variance of x1 = {drawn[:, 1].var():.3f}")
    print(f"accepted: {np.mean(taken):.0%}")
    if axes is not None:
        axes.plot(*drawn[::8].T, ".", markersize=2, alpha=0.5)
        axes.set_xlabel("$x_0$")
        axes.set_ylabel("$x_1$")


if __name__ == "__main__":
    main()
