"""Fit a mixture of Gaussians by gradients.

Textbooks use EM. log p(x) = log Σₖ πₖ N(x; μₖ, Lₖ Lₖᵀ), with π = softmax(a) and L lower triangular, so that any
numbers are allowed ones, and L-BFGS can climb. The summit is the one that EM finds. Murphy, *Machine Learning* (2012),
sections 11.2.1 and 11.4.
"""

import numpy as np

import autograd as ag
from autograd.scipy import optimize
from autograd.scipy.stats import multivariate_normal

K = 3


def log_likelihood(p, x):
    weights = ag.log_softmax(p["logits"])
    parts = [weights[k] + multivariate_normal.logpdf(x, p["means"][k], covariance(p["roots"][k])) for k in range(K)]
    return ag.logsumexp(np.stack(parts), axis=0).sum()


def covariance(root):
    L = np.tril(root, -1) + np.diag(np.exp(np.diag(root)))
    return L @ L.T


def data():
    rng = np.random.default_rng(0)
    roots = np.array([[[0.6, 0.0], [0.4, 0.3]], [[0.3, 0.0], [0.0, 0.7]], [[0.5, 0.0], [-0.5, 0.3]]])
    centres = np.array([[-2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    kinds = rng.choice(K, 150, p=[0.5, 0.2, 0.3])
    return centres[kinds] + np.einsum("nij,nj->ni", roots[kinds], rng.normal(size=(150, 2)))


def main(axes=None):
    x = data()
    start = {"logits": np.zeros(K), "means": x[[0, 50, 100]], "roots": np.zeros((K, 2, 2))}
    found = optimize.minimize(lambda p: -log_likelihood(p, x), start, method="L-BFGS-B").x
    weights = np.sort(ag.softmax(found["logits"]))
    print(f"log likelihood = {log_likelihood(found, x):.4f}")
    print(f"w1 = {weights[0]:.4f}, w2 = {weights[1]:.4f}, w3 = {weights[2]:.4f}")
    if axes is not None:
        axes.plot(*x.T, ".")
        circle = np.stack([np.cos(np.linspace(0, 2 * np.pi, 60)), np.sin(np.linspace(0, 2 * np.pi, 60))])
        for mean, root in zip(found["means"], found["roots"], strict=True):
            axes.plot(*(mean[:, None] + 2 * np.linalg.cholesky(covariance(root)) @ circle), color="C1")
        axes.set_aspect("equal")


if __name__ == "__main__":
    main()
