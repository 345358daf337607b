"""System 8: two networks against each other."""

import numpy as np
import pytest

import autograd as ag
import nn

LATENT = 100


def networks(outputs, dropout, rng):
    """Make the generator 100-128-64-n with tanh, and the discriminator n-128-64-1 that gives logits."""
    generator = nn.Sequential(
        nn.Linear(LATENT, 128, rng=rng), nn.ReLU(),
        nn.Linear(128, 64, rng=rng), nn.ReLU(),
        nn.Linear(64, outputs, rng=rng), nn.Tanh(),
    )  # fmt: skip
    discriminator = nn.Sequential(
        nn.Linear(outputs, 128, rng=rng), nn.LeakyReLU(0.2), nn.Dropout(dropout, rng=rng),
        nn.Linear(128, 64, rng=rng), nn.LeakyReLU(0.2), nn.Dropout(dropout, rng=rng),
        nn.Linear(64, 1, rng=rng),
    )  # fmt: skip
    return generator, discriminator


def sample(generator, n, rng):
    return generator(rng.normal(size=(n, LATENT)))


def play(real, *, steps, lr, batch=128, dropout=0.0, seed=0):
    """Let both learn in turns, and give the generator; the learning rates ``lr`` fall twice on the way."""
    rng = np.random.default_rng(seed)
    generator, discriminator = networks(real.shape[1], dropout, rng)
    makes = nn.optim.Adam(generator.parameters(), lr=lr[0], betas=(0.5, 0.999))
    judges = nn.optim.Adam(discriminator.parameters(), lr=lr[1], betas=(0.5, 0.999))
    criterion, true, false = nn.BCEWithLogitsLoss(), np.ones((batch, 1)), np.zeros((batch, 1))
    for step in range(steps):
        if step in (steps // 2, 3 * steps // 4):
            makes.lr *= 0.3
            judges.lr *= 0.3
        with ag.no_grad():
            fake = sample(generator, batch, rng)
        seen = real[rng.integers(0, len(real), batch)]
        loss = criterion(discriminator(seen), true) + criterion(discriminator(fake), false)
        judges.zero_grad()
        loss.backward()
        judges.step()

        discriminator.requires_grad_(False)
        loss = criterion(discriminator(sample(generator, batch, rng)), true)
        makes.zero_grad()
        loss.backward()
        makes.step()
        discriminator.requires_grad_(True)
    return generator


@pytest.mark.slow
def test_finds_the_modes_of_a_ring():
    """Eight clouds on a circle: a generator that fell for one of them would have collapsed."""
    points, _ = nn.datasets.ring(4096, noise=0.03, radius=0.7, rng=0)
    generator = play(points.astype(np.float32), steps=2000, lr=(1e-3, 3e-3))
    with ag.no_grad():
        made = sample(generator, 2000, np.random.default_rng(1)).numpy()
    centres, _ = nn.datasets.ring(8, noise=0.0, radius=0.7)
    distance = np.linalg.norm(made[:, None] - centres, axis=-1)  # (2000, 8)
    near = distance.min(axis=1) < 0.15
    assert near.mean() >= 0.6
    assert np.sum(np.bincount(distance.argmin(axis=1)[near], minlength=8) >= 20) >= 7


@pytest.mark.slow
def test_draws_digits_that_a_classifier_recognises():
    images, labels = nn.datasets.load_digits()
    x = images.reshape(-1, 64) * 2 - 1  # from -1 to 1, as tanh gives
    reader = nn.MLP(64, [64, 10], rng=0)
    nn.Trainer(reader, nn.CrossEntropyLoss(), nn.optim.Adam(reader.parameters(), lr=3e-3)).fit(
        x, labels, epochs=15, rng=0, progress=False
    )
    generator = play(x, steps=2000, lr=(2e-3, 2e-3), batch=64, dropout=0.3)

    def recognised(pictures):
        chances = ag.softmax(reader(pictures)).numpy()
        return np.mean(chances.max(axis=1) > 0.8), np.bincount(chances.argmax(axis=1), minlength=10)

    rng = np.random.default_rng(1)
    share, digits = recognised(sample(generator, 1000, rng))
    assert share >= 0.6
    assert np.sum(digits >= 20) >= 8  # most digits are drawn, not one over and over
    assert recognised(rng.uniform(-1, 1, (1000, 64)))[0] < 0.3  # noise is not taken for digits


def test_a_frozen_discriminator_does_not_learn():
    rng = np.random.default_rng(0)
    generator, discriminator = networks(2, 0.0, rng)
    discriminator.requires_grad_(False)
    nn.BCEWithLogitsLoss()(discriminator(sample(generator, 8, rng)), np.ones((8, 1))).backward()
    assert all(p.grad is None for p in discriminator.parameters())
    assert all(p.grad.numpy().any() for p in generator.parameters())
