"""Train a Wasserstein GAN with gradient penalty.

A generator learns against a critic whose slope is kept at 1. The critic minimizes E D(fake) − E D(real) + λ E
(|∇D(x̂)| − 1)², with x̂ between a real and a fake point: a loss with a gradient in it, which is differentiated again.
Gulrajani and others, *Improved Training of Wasserstein GANs* (2017), algorithm 1.
"""

from itertools import pairwise

import numpy as np

import autograd as ag
import nn


def critic_loss(critic, real, fake, rng):
    part = rng.uniform(size=(len(real), 1))
    between = part * real + (1 - part) * fake
    slope = ag.grad(lambda x: critic(x).sum())(between)
    penalty = ((np.sqrt((slope**2).sum(axis=1)) - 1) ** 2).mean()
    return critic(fake).mean() - critic(real).mean() + 0.1 * penalty


def real_points(rng, count):
    return rng.choice([-2.0, 2.0], (count, 1)) + 0.5 * rng.normal(size=(count, 1))


def net(sizes, rng):
    layers = [nn.Linear(a, b, rng=rng) for a, b in pairwise(sizes)]
    return nn.Sequential(*[step for layer in layers for step in (layer, nn.Tanh())][:-1])


def main(axes=None):
    rng = np.random.default_rng(0)
    generator, critic = net([1, 32, 32, 1], rng), net([1, 32, 32, 1], rng)
    for_generator = nn.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.9))
    for_critic = nn.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
    average = nn.AveragedModel(generator, avg_fn=nn.get_ema_avg_fn(0.98))
    for _ in range(300):
        for _ in range(5):
            fake = generator(rng.normal(size=(128, 1))).detach()
            for_critic.zero_grad()
            critic_loss(critic, real_points(rng, 128), fake, rng).backward()
            for_critic.step()
        for_generator.zero_grad()
        (-critic(generator(rng.normal(size=(128, 1)))).mean()).backward()
        for_generator.step()
        average.update_parameters(generator)
    made = average(rng.normal(size=(2000, 1))).numpy()
    print(f"mean of |x| = {abs(made).mean():.3f}, mean of x^2 = {(made**2).mean():.3f}, mean of x = {made.mean():.3f}")
    if axes is not None:
        bins = np.linspace(-4, 4, 41)
        axes.hist(real_points(rng, 2000).ravel(), bins, label="real")
        axes.hist(made.ravel(), bins, alpha=0.7, label="made")
        axes.legend()


if __name__ == "__main__":
    main()
