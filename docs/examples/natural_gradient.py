"""Follow the natural gradient.

It fits a gamma distribution, whose two parameters mean very different things. θ ← θ + F⁻¹ ∇ℓ(θ), with Fisher's
information F(θ) = ∂²KL(p_θ ‖ p_θ′)/∂θ′² at θ′ = θ: the Hessian of a divergence measures how far a step goes in
distributions, not in numbers. Amari, *Natural Gradient Works Efficiently in Learning* (1998).
"""

import numpy as np

import autograd as ag
from autograd.scipy.special import digamma, gammaln
from autograd.scipy.stats import gamma


def natural_gradient(theta, x):
    slope = ag.grad(lambda theta: gamma.logpdf(x, theta[0], scale=1 / theta[1]).mean())(theta)
    fisher = ag.hessian(lambda other: divergence(theta, other))(theta)
    return slope, np.linalg.solve(fisher, slope)


def divergence(p, q):
    """KL(p ‖ q) of two gamma distributions, given as (shape, rate)."""
    (a, b), (c, d) = p, q
    return (a - c) * digamma(a) - gammaln(a) + gammaln(c) + c * (np.log(b) - np.log(d)) + a * (d - b) / b


def data():
    return np.random.default_rng(0).gamma(5.0, 1 / 20.0, size=400)


def main(axes=None):
    x = data()
    theta = plain = np.array([2.0, 4.0])
    natural_path, plain_path = [theta], [plain]
    for _ in range(40):
        theta = theta + 0.5 * natural_gradient(theta, x)[1]
        natural_path.append(theta)
    for _ in range(400):
        plain = plain + 0.5 * natural_gradient(plain, x)[0]
        plain_path.append(plain)
    print(f"shape = {theta[0]:.5f}, rate = {theta[1]:.5f}")
    if axes is not None:
        axes.plot(*np.transpose(plain_path), ".-", label="400 steps along the gradient")
        axes.plot(*np.transpose(natural_path), "o-", label="40 along the natural gradient")
        axes.set_xlabel("shape")
        axes.set_ylabel("rate")
        axes.legend()


if __name__ == "__main__":
    main()
