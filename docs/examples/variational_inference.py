"""Find a posterior by the evidence lower bound.

Samples are reparametrised. ELBO = E log p(x, z) − log q(z), z = μ + L ε with ε ~ N(0, 1), so that the gradient goes
through the samples. With the parameters of log q held still where it is evaluated, the noise of the gradient vanishes
as q comes near the posterior. Kingma and Welling, *Auto-Encoding Variational Bayes* (2014), section 2.4; Roeder, Wu
and Duvenaud, *Sticking the Landing* (2017).
"""

import numpy as np

import autograd as ag
from autograd.scipy.stats import multivariate_normal, norm


def elbo(q, noise, x, y):
    z = q["mean"] + noise @ np.tril(q["root"]).T
    mean, root = q["mean"].detach(), np.tril(q["root"]).detach()
    log_joint = norm.logpdf(y, z @ x, 0.5).sum(axis=1) + norm.logpdf(z).sum(axis=1)
    return (log_joint - multivariate_normal.logpdf(z, mean, root @ root.T)).mean()


def data():
    rng = np.random.default_rng(0)
    x = np.stack([np.ones(20), rng.uniform(-1, 2, 20)])
    return x, np.array([0.5, -1.0]) @ x + 0.5 * rng.normal(size=20)


def main(axes=None):
    rng, (x, y) = np.random.default_rng(1), data()
    q, bounds = {"mean": np.zeros(2), "root": np.eye(2)}, []
    for _ in range(300):
        bound, slope = ag.value_and_grad(elbo)(q, rng.normal(size=(16, 2)), x, y)
        q = {name: q[name] + 0.01 * slope[name] for name in q}
        bounds.append(bound)
    deviations = np.linalg.norm(np.tril(q["root"]), axis=1)
    print(f"slope = {q['mean'][1]:.4f}, its deviation = {deviations[1]:.4f}, bound = {bounds[-1]:.4f}")
    if axes is not None:
        axes.plot(bounds[:40])
        axes.set_ylim(bounds[-1] - 6, bounds[-1] + 1)
        axes.set_xlabel("step")
        axes.set_ylabel("evidence lower bound")


if __name__ == "__main__":
    main()
