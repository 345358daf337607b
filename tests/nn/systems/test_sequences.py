"""System 7: recurrent networks on a task that needs memory."""

import numpy as np
import pytest

import nn


class Stacked(nn.Module):
    """Two recurrent layers and a sigmoid: the first gives all its states to the second, whose last state is read."""

    def __init__(self, cell, features, wide, narrow, rng):
        rng = np.random.default_rng(rng)
        self.first = cell(features, wide, batch_first=True, rng=rng)
        self.second = cell(wide, narrow, batch_first=True, rng=rng)
        self.head = nn.Layer(narrow, 1, "sigmoid", rng=rng)

    def forward(self, x):
        states, _ = self.first(x)  # (N, T, wide)
        states, _ = self.second(states)  # (N, T, narrow)
        return self.head(states[:, -1])  # (N, 1)


def adding(n, length, rng):
    """The adding problem: numbers, two of them marked, one in each half; the answer is the mean of the two.

    Hochreiter & Schmidhuber (1997).
    """
    rng, rows = np.random.default_rng(rng), np.arange(n)
    values, marks = rng.random((n, length)), np.zeros((n, length))
    marks[rows, rng.integers(0, length // 2, n)] = 1
    marks[rows, rng.integers(length // 2, length, n)] = 1
    return np.stack([values, marks], axis=-1), (values * marks).sum(axis=1, keepdims=True) / 2


def remembered(cell):
    """Learn at lengths 10 and 25 before 50, as what is far apart is hard to find at first; give R² at length 50."""
    model = Stacked(cell, 2, 32, 16, rng=0)
    adam = nn.optim.Adam(model.parameters(), lr=0.01)
    trainer = nn.Trainer(model, nn.MSELoss(), adam, clip_grad_norm=1.0)
    for length, epochs in ((10, 4), (25, 2), (50, 4)):
        trainer.fit(*adding(1000, length, rng=length), epochs=epochs, batch_size=20, rng=0, progress=False)
    x, y = adding(500, 50, rng=1)
    return nn.metrics.r2(y, trainer.predict(x))


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_gates_remember_50_steps(cell):
    assert remembered(cell) >= 0.85


def test_a_plain_rnn_forgets():
    assert remembered(nn.RNN) < 0.5


def test_a_plain_rnn_learns_what_is_near():
    """Is the last number but one larger than the last?"""
    rng = np.random.default_rng(0)
    x = rng.random((1500, 12, 1))
    y = (x[:, -2] > x[:, -1]).astype(float)
    model = Stacked(nn.RNN, 1, 16, 8, rng=0)
    trainer = nn.Trainer(model, nn.BCELoss(), nn.optim.Adam(model.parameters(), lr=0.01), metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=10, validation_split=0.2, rng=0, progress=False)
    assert history["val_accuracy"][-1] >= 0.95


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU, nn.RNN])
def test_full_size(cell):
    """LSTM(128) – LSTM(64) – Dense(1) on (batch, 100, 100): shapes, and a gradient that reaches the first weight."""
    model = Stacked(cell, 100, 128, 64, rng=0)
    x = np.random.default_rng(0).normal(size=(4, 100, 100)).astype(np.float32)
    y = model(x)
    assert y.shape == (4, 1)
    assert ((y.numpy() > 0) & (y.numpy() < 1)).all()
    nn.BCELoss()(y, np.ones((4, 1))).backward()
    for name, parameter in model.named_parameters():
        assert np.isfinite(parameter.grad.numpy()).all(), name
        assert parameter.grad.numpy().any(), name
