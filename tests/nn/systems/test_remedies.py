"""System 10: what helps when a network remembers instead of learning, and when it does not start to learn at all."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import TrainingError

# Sixty noisy points, and thousands of weights to remember them with.
X, Y = nn.datasets.two_moons(60, noise=0.3, rng=0)
OTHERS = nn.datasets.two_moons(60, noise=0.3, rng=1)  # to decide when to stop
NEW = nn.datasets.two_moons(1000, noise=0.3, rng=2)


def network(dropout=0.0):
    rng = np.random.default_rng(0)
    return nn.Sequential(
        nn.Linear(2, 100, rng=rng), nn.ReLU(), nn.Dropout(dropout, rng=rng),
        nn.Linear(100, 100, rng=rng), nn.ReLU(), nn.Dropout(dropout, rng=rng),
        nn.Linear(100, 2, rng=rng),
    )  # fmt: skip


def train(loss=None, *, dropout=0.0, optimizer=nn.optim.Adam, callbacks=(), validation=None, **options):
    model = network(dropout)
    trainer = nn.Trainer(
        model, loss(model) if loss else nn.CrossEntropyLoss(), optimizer(model.parameters(), lr=0.01, **options),
        callbacks=callbacks,
    )  # fmt: skip
    trainer.fit(X, Y, epochs=300, batch_size=60, validation_data=validation, progress=False)
    return model, trainer


def cross_entropy(trainer, x, y):
    return nn.CrossEntropyLoss()(trainer.predict(x), y).item()


def l1(model, strength=1e-3):
    criterion = nn.CrossEntropyLoss()
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
    return lambda output, target: criterion(output, target) + strength * sum(np.abs(w).sum() for w in weights)


def l2(model, strength=3e-3):
    criterion = nn.CrossEntropyLoss()
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
    return lambda output, target: criterion(output, target) + strength * sum((w * w).sum() for w in weights)


REMEDIES = {
    "L1": {"loss": l1},
    "L2": {"loss": l2},
    "weight decay": {"optimizer": nn.optim.AdamW, "weight_decay": 3.0},
    "dropout": {"dropout": 0.4},
    "early stopping": {"callbacks": "early"},
    "label smoothing": {"loss": lambda model: nn.CrossEntropyLoss(label_smoothing=0.2)},
}


@pytest.fixture(scope="module")
def without():
    """Train without any remedy."""
    return train()


def test_without_a_remedy_it_overfits(without):
    _, trainer = without
    assert cross_entropy(trainer, X, Y) < 0.01
    assert cross_entropy(trainer, *NEW) > 0.6


@pytest.mark.parametrize("remedy", REMEDIES)
def test_remedy(remedy, without):
    options = dict(REMEDIES[remedy])
    if options.get("callbacks"):
        options.update(callbacks=[nn.EarlyStopping(patience=20)], validation=OTHERS)
    _, trainer = train(**options)
    assert cross_entropy(trainer, *NEW) < 0.75 * cross_entropy(without[1], *NEW)


def test_l1_empties_weights(without):
    """Count the weights between the hidden layers that are close to 0."""

    def small(model):
        return np.mean(np.abs(model[3].weight.numpy()) < 1e-2)

    assert small(train(loss=l1)[0]) > 0.8 > 0.1 > small(without[0])


def test_l2_in_the_loss_is_weight_decay_in_sgd():
    """The gradient of λ/2 · ‖w‖² is λ w, which is what SGD(weight_decay=λ) adds."""
    one, two = nn.MLP(2, [8, 2], rng=0), nn.MLP(2, [8, 2], rng=0)
    plain, decayed = nn.optim.SGD(one.parameters(), lr=0.1), nn.optim.SGD(two.parameters(), lr=0.1, weight_decay=0.01)
    criterion = nn.CrossEntropyLoss()
    for _ in range(20):
        for model, optimizer in ((one, plain), (two, decayed)):
            loss = criterion(model(X), Y)
            if model is one:
                loss = loss + 0.005 * sum((p * p).sum() for p in model.parameters())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    for p, q in zip(one.parameters(), two.parameters(), strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-4, atol=1e-6)


def test_early_stopping_gives_the_best_epoch():
    stop = nn.EarlyStopping(patience=20)
    _, trainer = train(callbacks=[stop], validation=OTHERS)
    history = trainer.history
    assert history.epochs == history.best("val_loss") + 1 + 20 < 300
    assert trainer.evaluate(*OTHERS)["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-5)


# ------------------------------------------------------------------------------------------------------- initialisation

STARTS = {
    "uniform": lambda w, rng: nn.init.uniform_(w, -1, 1, rng=rng),
    "normal": lambda w, rng: nn.init.normal_(w, rng=rng),
    "too small": lambda w, rng: nn.init.normal_(w, std=0.01, rng=rng),
    "too large": lambda w, rng: nn.init.normal_(w, std=3.0, rng=rng),
    "Xavier": lambda w, rng: nn.init.xavier_normal_(w, rng=rng),
    "He": lambda w, rng: nn.init.kaiming_normal_(w, nonlinearity="relu", rng=rng),
}


def flow(activation, start):
    """Give the standard deviations of activations and of weight gradients in ten layers of 100."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 100)), rng.integers(0, 100, 200)
    model = nn.MLP(100, [100] * 10, activation, init=STARTS[start], rng=0)
    stds = []
    for layer in model.layers:
        layer.register_forward_hook(lambda layer, inputs, output: stds.append(float(output.numpy().std())))
    nn.CrossEntropyLoss()(model(x), y).backward()
    return np.array(stds), np.array([layer.weight.grad.numpy().std() for layer in model.layers])


@pytest.mark.parametrize(("activation", "start"), [("relu", "He"), ("tanh", "Xavier")])
def test_a_good_start_keeps_the_signal(activation, start):
    activations, gradients = flow(activation, start)
    assert 0.2 < activations[:-1].min() <= activations[:-1].max() < 2
    assert gradients[:-1].max() / gradients[:-1].min() < 10


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_start_that_is_too_small_lets_it_vanish(activation):
    activations, gradients = flow(activation, "too small")
    assert activations[-1] < 1e-8 * activations[0]
    assert gradients.max() < 1e-9


@pytest.mark.parametrize("start", ["uniform", "normal", "too large"])
def test_a_start_that_is_too_large(start):
    """ReLU explodes; tanh saturates at ±1."""
    activations, _ = flow("relu", start)
    assert activations[-1] > 1e4 * activations[0]
    activations, _ = flow("tanh", start)
    assert activations[:-1].min() > 0.9


def test_only_the_good_start_learns():
    """Ten layers on digits, two epochs."""
    images, labels = nn.datasets.load_digits()
    accuracy = {}
    for start in ("too small", "He"):
        model = nn.MLP(64, [64] * 9 + [10], "relu", init=STARTS[start], rng=0)
        sgd = nn.optim.SGD(model.parameters(), lr=0.05)
        trainer = nn.Trainer(model, nn.CrossEntropyLoss(), sgd, metrics=["accuracy"], lint=False)
        history = trainer.fit(images.reshape(-1, 64), labels, epochs=2, rng=0, progress=False)
        accuracy[start] = history["accuracy"][-1]
    assert accuracy["too small"] < 0.15
    assert accuracy["He"] > 0.6


# --------------------------------------------------------------------------------------- learning rate, and many models


def test_learning_rate_range_test():
    """Raise the rate a little in every step: the loss falls, then explodes; a rate below the explosion learns."""
    images, labels = nn.datasets.load_digits()
    x, rng = images.reshape(-1, 64), np.random.default_rng(0)
    model, criterion = nn.MLP(64, [64, 10], rng=0), nn.CrossEntropyLoss()
    optimizer = nn.optim.SGD(model.parameters(), lr=1e-4)
    schedule = nn.optim.ExponentialLR(optimizer, 10 ** (6 / 200))  # from 1e-4 to 100 in 200 steps
    rates, losses = [], []
    for _ in range(200):
        batch = rng.integers(0, len(x), 64)
        loss = criterion(model(x[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rates.append(optimizer.lr)
        losses.append(loss.item())
        schedule.step()
    smooth = np.convolve(losses, np.ones(10) / 10, "valid")
    best = rates[int(np.argmin(smooth))]
    assert 0.05 < best < 10
    assert smooth.min() < 0.6 * smooth[0]
    assert losses[-1] > 2 * losses[0]

    accuracy = {}
    for rate in (1e-4, best / 3):
        model = nn.MLP(64, [64, 10], rng=0)
        trainer = nn.Trainer(model, criterion, nn.optim.SGD(model.parameters(), lr=rate), metrics=["accuracy"])
        accuracy[rate] = trainer.fit(x, labels, epochs=3, rng=0, progress=False)["accuracy"][-1]
    assert accuracy[best / 3] > 0.9 > 0.5 > accuracy[1e-4]


def test_a_rate_that_is_far_too_high_says_so():
    model = nn.MLP(2, [16, 1], rng=0)
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=1e4))
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingError, match=r"the loss is (inf|nan) at step \d+ .* Lower the learning rate"),
    ):
        trainer.fit(100 * X, Y[:, None], epochs=100, rng=0, progress=False)


@pytest.fixture(scope="module")
def ensemble():
    """Train ten small networks from different seeds on 400 digits; give their probabilities (10, n, 10) on the rest."""
    images, labels = nn.datasets.load_digits()
    x, x_held, y, y_held = nn.datasets.train_test_split(images.reshape(-1, 64), labels, test_size=1397, rng=0)
    chances = []
    for seed in range(10):
        model = nn.MLP(64, [8, 10], rng=seed)
        trainer = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters(), lr=0.01))
        trainer.fit(x, y, epochs=30, rng=seed, progress=False)
        chances.append(ag.softmax(trainer.predict(x_held)))
    return np.array(chances), y_held


def test_ensembles(ensemble):
    """The average of the probabilities, and the vote, are better than a member, by a fifth of its mistakes."""
    chances, truth = ensemble
    single = [nn.metrics.accuracy(truth, one) for one in chances]
    averaged = nn.metrics.accuracy(truth, chances.mean(axis=0))
    votes = np.eye(10)[chances.argmax(axis=-1)].sum(axis=0)  # (n, 10)
    voted = nn.metrics.accuracy(truth, votes)
    assert 1 - averaged < 0.8 * (1 - np.mean(single))
    assert 1 - voted < 0.8 * (1 - np.mean(single))
