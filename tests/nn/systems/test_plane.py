"""System 2: two moons and spirals, which no straight line can separate."""

import numpy as np

import nn


def test_two_moons():
    x, y = nn.datasets.two_moons(200, noise=0.1, rng=0)
    x_new, y_new = nn.datasets.two_moons(200, noise=0.1, rng=1)
    model = nn.MLP(2, [16, 16, 1], rng=0)
    adam = nn.optim.Adam(model.parameters(), lr=0.02)
    trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"])
    trainer.fit(x, y[:, None], epochs=60, rng=0, progress=False)
    assert trainer.evaluate(x_new, y_new[:, None])["accuracy"] >= 0.99


def test_a_straight_line_cannot():
    x, y = nn.datasets.two_moons(200, noise=0.1, rng=0)
    model = nn.MLP(2, [1], rng=0)
    adam = nn.optim.Adam(model.parameters(), lr=0.02)
    trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"])
    trainer.fit(x, y[:, None], epochs=100, rng=0, progress=False)
    assert trainer.evaluate(x, y[:, None])["accuracy"] < 0.92


def test_spirals():
    x, y = nn.datasets.spirals(300, rng=0)
    x_new, y_new = nn.datasets.spirals(300, rng=1)
    model = nn.MLP(2, [32, 32, 3], "tanh", rng=0)
    adam = nn.optim.Adam(model.parameters(), lr=0.02)
    trainer = nn.Trainer(model, nn.CrossEntropyLoss(), adam, metrics=["accuracy"])
    trainer.fit(x, y, epochs=60, rng=0, progress=False)
    assert trainer.evaluate(x_new, y_new)["accuracy"] >= 0.96


def test_the_boundary_runs_between_the_moons():
    """On a grid, what a picture of the decision boundary draws: each moon's arc on its side."""
    x, y = nn.datasets.two_moons(200, noise=0.1, rng=0)
    model = nn.MLP(2, [16, 16, 1], rng=0)
    adam = nn.optim.Adam(model.parameters(), lr=0.02)
    nn.Trainer(model, nn.BCEWithLogitsLoss(), adam).fit(x, y[:, None], epochs=60, rng=0, progress=False)
    across, up = np.meshgrid(np.linspace(-1.5, 2.5, 41), np.linspace(-1, 1.5, 26))
    inside = model(np.stack([across, up], axis=-1)).numpy()[..., 0] > 0  # a grid of points is just more leading axes
    assert inside.shape == across.shape
    arcs, side = nn.datasets.two_moons(40, noise=0.0)
    columns, rows = np.round((arcs + np.array([1.5, 1.0])) * 10).astype(int).T
    assert np.mean(inside[rows, columns] == (side == 1)) >= 0.97
