"""Clip the gradient of each sample.

Private training does so before it adds them up. g = Σ gᵢ min(1, C / |gᵢ|), with gᵢ the gradient of sample i in all
parameters, so that no single sample can move the model by more than C. Abadi and others, *Deep Learning with
Differential Privacy* (2016), algorithm 1.
"""

import numpy as np

import autograd as ag

MOST = 2.0


def clipped_sum(params, x, y, most):
    gradients = [ag.grad(loss)(params, *sample) for sample in zip(x, y, strict=True)]
    sizes = np.array([np.sqrt(sum((part**2).sum() for part in g)) for g in gradients])
    factors = np.minimum(1.0, most / sizes)
    return [np.tensordot(factors, np.stack(parts), 1) for parts in zip(*gradients, strict=True)], sizes


def loss(params, x, y):
    W, b, v = params
    return np.logaddexp(0.0, -y * (v @ np.tanh(W @ x + b)))


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)) * [2.0, 1.0]
    params = [rng.normal(size=(8, 2)), np.zeros(8), rng.normal(size=8)]
    return params, x, np.where(x[:, 0] * x[:, 1] > 0, 1.0, -1.0)


def main(axes=None):
    params, x, y = data()
    total, sizes = clipped_sum(params, x, y, MOST)
    norm = np.sqrt(sum((part**2).sum() for part in total))
    print(f"largest = {sizes.max():.6f}, clipped = {(sizes > MOST).sum()}, norm of the sum = {norm:.6f}")
    if axes is not None:
        axes.hist(sizes, 30)
        axes.axvline(MOST, color="C3", label="clipped to")
        axes.set_xlabel("norm of a sample's gradient")
        axes.legend()


if __name__ == "__main__":
    main()
