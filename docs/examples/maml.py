"""Learn to learn: MAML.

From the weights that are sought one gradient step fits a new sine wave. The loss after θ′ = θ − α ∇L(θ) on one half of
a task's points is taken on the other half, and differentiated in θ through the step, second derivatives and all. Finn,
Abbeel and Levine, *Model-Agnostic Meta-Learning* (2017), section 5.1.
"""

import numpy as np

import autograd as ag
import nn


def loss_after_a_step(params, task, alpha=0.05):
    (x, y), (new_x, new_y) = task
    slope = ag.grad(loss)(params, x, y)
    return loss([p - alpha * g for p, g in zip(params, slope, strict=True)], new_x, new_y)


def loss(params, x, y):
    return ((predict(params, x) - y) ** 2).mean()


def predict(params, x):
    W1, b1, W2, b2, w3 = params
    return np.tanh(np.tanh(x[:, None] * W1 + b1) @ W2 + b2) @ w3


def waves(rng, count, points=10):
    """Draw tasks: points of a wave of its own amplitude and phase to learn from, and others to be tested on."""
    for _ in range(count):
        amplitude, phase = rng.uniform(0.5, 2), rng.uniform(0, np.pi)
        x = rng.uniform(-4, 4, (2, points))
        yield [(x[k], amplitude * np.sin(x[k] + phase)) for k in range(2)]


def main(axes=None):
    rng = np.random.default_rng(0)
    shapes = [(16,), (16,), (16, 16), (16,), (16,)]
    params = [ag.Tensor(rng.normal(size=s) / np.sqrt(s[0] if len(s) > 1 else 1), requires_grad=True) for s in shapes]
    optimizer = nn.optim.Adam(params, lr=0.01)
    for _ in range(500):
        optimizer.zero_grad()
        for task in waves(rng, 4):
            loss_after_a_step(params, task).backward()
        optimizer.step()
    learnt = [p.numpy() for p in params]
    tasks = list(waves(rng, 50))
    before = np.mean([loss(learnt, *new) for _, new in tasks])
    print(f"before = {before:.4f}, after a step = {np.mean([loss_after_a_step(learnt, t) for t in tasks]):.4f}")
    if axes is not None:
        x, ((few_x, few_y), _) = np.linspace(-4, 4, 100), tasks[0]
        slope = ag.grad(loss)(learnt, few_x, few_y)
        axes.plot(x, predict(learnt, x), label="before")
        axes.plot(x, predict([p - 0.05 * g for p, g in zip(learnt, slope, strict=True)], x), label="after a step")
        axes.plot(few_x, few_y, "o", label="what it saw")
        axes.legend()


if __name__ == "__main__":
    main()
