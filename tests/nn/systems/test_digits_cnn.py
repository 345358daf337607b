"""System 6: a convolutional network reads real digits."""

import numpy as np
import pytest

import autograd as ag
import nn
from nn.datasets import load_digits, train_test_split


def cnn(side, *, kernel=3, padding=0, rng=0):
    """Conv 32 – ReLU – MaxPool – Flatten – 128 – 10 for images of ``side`` × ``side``; the same code at every size."""
    rng = np.random.default_rng(rng)
    pooled = (side + 2 * padding - kernel + 1) // 2
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel, padding=padding, rng=rng), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * pooled * pooled, 128, rng=rng), nn.ReLU(),
        nn.Linear(128, 10, rng=rng),
    )  # fmt: skip


@pytest.fixture(scope="module")
def digits():
    images, labels = load_digits()
    return train_test_split(images[:, None], labels, test_size=0.2, rng=0)  # (N, 1, 8, 8)


def accuracy(model, digits, target):
    """Train on four fifths, with the labels written as ``target`` says, and measure on the rest."""
    x, x_held, y, y_held = digits
    adam = nn.optim.Adam(model.parameters(), lr=2e-3)
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), adam, metrics=["accuracy"])
    trainer.fit(x, target(y), epochs=12, batch_size=32, rng=0, progress=False)
    return trainer.evaluate(x_held, y_held)["accuracy"]


TARGETS = {
    "indices": lambda y: y,
    "one-hot": lambda y: np.eye(10)[y],
    "probabilities": lambda y: 0.95 * np.eye(10)[y] + 0.005,
}


@pytest.mark.parametrize("target", TARGETS)
def test_held_out_accuracy(digits, target):
    assert accuracy(cnn(8, padding=1), digits, TARGETS[target]) >= 0.97


def test_one_hot_is_the_same_loss(digits):
    x, _, y, _ = digits
    model, criterion = cnn(8), nn.CrossEntropyLoss()
    losses = [criterion(model(x[:64]), target(y[:64])).item() for target in (TARGETS["indices"], TARGETS["one-hot"])]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def enlarged(images, labels):
    """Take the zeros and ones, three times as large and with a margin: (n, 1, 8, 8) -> (m, 1, 28, 28)."""
    few = np.isin(labels, (0, 1))
    margin = [(0, 0), (0, 0), (2, 2), (2, 2)]
    return np.pad(np.kron(images[few], np.ones((3, 3), np.float32)), margin), labels[few]


def test_same_code_on_28_by_28(digits):
    """The textbook's network, with 3 × 3 kernels and 693,962 parameters, tells zeros from ones after one epoch."""
    images, images_held, labels, labels_held = digits
    x, y = enlarged(images, labels)
    model = cnn(28)
    assert x.shape[1:] == (1, 28, 28)
    assert sum(p.size for p in model.parameters()) == 693_962
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters()), metrics=["accuracy"])
    trainer.fit(x, y, batch_size=32, rng=0, progress=False)
    assert trainer.evaluate(*enlarged(images_held, labels_held))["accuracy"] >= 0.97


def test_a_kernel_that_is_told_what_to_see():
    """The edge filters of image processing are convolutions with fixed weights."""
    image = np.zeros((1, 1, 5, 6), np.float32)
    image[..., 3:] = 1  # dark left, light right
    conv = nn.Conv2d(1, 1, 3, bias=False, rng=0)
    conv.weight.data[...] = [[-1, 0, 1]] * 3
    with ag.no_grad():
        assert conv(image).numpy()[0, 0].tolist() == [[0, 3, 3, 0]] * 3
