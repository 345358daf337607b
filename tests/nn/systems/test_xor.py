"""System 1: XOR, first by gradient steps written out by hand, then with a model and an optimizer."""

import numpy as np
import pytest

import autograd as ag
import nn

X, LABELS = nn.datasets.xor()
Y = LABELS.reshape(-1, 1)


def test_by_hand():
    """A 2-2-1 ReLU network: four Tensors, a loss, and p -= lr · p.grad."""
    rng = np.random.default_rng(1)
    w1, w2 = (ag.Tensor(rng.normal(size=shape), requires_grad=True) for shape in ((2, 2), (2, 1)))
    b1, b2 = (ag.Tensor(np.zeros(n), requires_grad=True) for n in (2, 1))
    for _ in range(1000):
        hidden = ag.relu(X @ w1 + b1)
        loss = ((hidden @ w2 + b2 - Y) ** 2).mean()
        loss.backward()
        with ag.no_grad():
            for p in (w1, b1, w2, b2):
                p -= 0.1 * p.grad
                p.grad = None
    assert loss.item() < 0.01


def test_mlp_and_sgd():
    model = nn.MLP(2, [2, 1], rng=4)
    criterion, optimizer = nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(1000):
        loss = criterion(model(X), Y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01
    assert (np.round(model(X)) == Y).all()


@pytest.mark.parametrize(("batch_size", "steps"), [(4, 300), (2, 600), (1, 1200)], ids=["full", "mini", "single"])
def test_batch_sizes(batch_size, steps):
    """Full-batch, mini-batch and single-sample descent all get there; only the number of steps per epoch differs."""
    model = nn.MLP(2, [2, 1], rng=8)
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1))
    history = trainer.fit(X, Y, epochs=300, batch_size=batch_size, rng=0, progress=False)
    assert history["loss"][-1] < 0.01
    assert trainer.step == steps
