"""Systems 3 and 5: plain dense networks."""

import numpy as np

import nn


def test_1000_epochs_of_adam():
    """System 3: 10-50-50-1 with ReLU and binary cross-entropy from logits, the whole data in each step."""
    rng = np.random.default_rng(0)
    x, x_new = rng.normal(size=(400, 10)), rng.normal(size=(400, 10))
    y, y_new = (data[:, :1] * data[:, 1:2] > 0 for data in (x, x_new))  # do two of the ten inputs agree in sign?
    model = nn.MLP(10, [50, 50, 1], "relu", rng=0)
    criterion, optimizer = nn.BCEWithLogitsLoss(), nn.optim.Adam(model.parameters())
    losses = []
    for _ in range(1000):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.01 < 0.5 < losses[0]
    assert nn.metrics.accuracy(y_new, model(x_new), threshold=0.0) >= 0.8


def test_100_128_64_1():
    """System 5: a wide classifier on 100 inputs, of which ten matter."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 100)).astype(np.float32)
    y = (x[:, :10].sum(axis=1, keepdims=True) > 0).astype(np.float32)
    model = nn.MLP(100, [128, 64, 1], rng=0)
    adam = nn.optim.Adam(model.parameters(), weight_decay=1e-3)
    trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"])
    history = trainer.fit(x, y, epochs=8, validation_split=0.25, rng=0, progress=False)
    assert sum(p.size for p in model.parameters()) == 100 * 128 + 128 + 128 * 64 + 64 + 64 + 1
    assert history["accuracy"][-1] >= 0.97
    assert history["val_accuracy"][-1] >= 0.85
