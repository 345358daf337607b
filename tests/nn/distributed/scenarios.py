"""Small trainings whose result must not depend on the number of ranks; as a program, on the ranks it is started on.

``python scenarios.py out.npz`` writes weights, history and logs of all; with ``--plain`` by a plain Trainer.
"""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import nn
from nn.distributed import DistributedTrainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 5))
LABELS = RNG.integers(0, 3, 103)
TARGETS = X[:, :2] * 2 + 1
MAPS = np.where(RNG.random((61, 4)) < 0.3, -100, RNG.integers(0, 3, (61, 4)))
MAPS[32:44] = -100  # whole parts of a batch without a target that counts
FIT: dict[str, Any] = {"epochs": 2, "rng": 7, "progress": False}
MAKE: Any = DistributedTrainer


class Batches:
    """Give batches without saying how many."""

    def __init__(self, *sizes):
        self.ends = np.cumsum(sizes)

    def __iter__(self):
        for start, end in zip([0, *self.ends], self.ends, strict=False):
            yield X[start:end], LABELS[start:end]


class Maps(nn.Module):
    """Score three classes at four places: (N, 3, 4)."""

    def __init__(self):
        self.linear = nn.Linear(5, 12, rng=0, dtype=np.float64)

    def forward(self, x):
        return self.linear(x).reshape(-1, 3, 4)


class Partly(nn.Module):
    """Hold a layer that is never used, a frozen one, and buffers of both kinds."""

    def __init__(self):
        self.used, self.unused, self.frozen = (nn.Linear(5, n, rng=n, dtype=np.float64) for n in (3, 4, 5))
        self.frozen.requires_grad_(False)

    def forward(self, x):
        return self.used(self.frozen(x))


class Scaled(nn.Module):
    """Scale by a buffer that stays as it is."""

    def __init__(self):
        self.linear = nn.Linear(5, 3, rng=0, dtype=np.float64)
        self.register_buffer("scale", np.full(3, 0.7))

    def forward(self, x):
        return self.linear(x) * self.scale


class Gamma(nn.Module):
    """Hold a float32 parameter beside float64 ones."""

    def __init__(self):
        self.linear, self.scale = nn.Linear(5, 2, rng=0, dtype=np.float64), nn.Parameter(1.0)

    def forward(self, x):
        return self.linear(x) * self.scale.astype(np.float64)


def mlp(sizes=(8, 3), kind=np.float64):
    return nn.MLP(5, list(sizes), rng=1).astype(kind)


def adam(model, **options):
    return nn.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.02, **options)


def classes(model, **options):
    return MAKE(model, options.pop("loss", nn.CrossEntropyLoss()), adam(model), **options)


def plain() -> Any:
    trainer = classes(mlp(), metrics=["accuracy", lambda y, p: nn.metrics.f1(y, p, average="macro")])
    trainer.fit(X, LABELS, batch_size=16, validation_split=0.3, **FIT)
    return trainer


def fewer_samples_than_ranks() -> Any:
    trainer = classes(mlp(), metrics=["accuracy"])
    trainer.fit(X, LABELS, batch_size=34, **FIT)  # 103 = 3 · 34 + 1
    return trainer


def float32() -> Any:
    trainer = classes(mlp(kind=np.float32), metrics=["accuracy"])
    trainer.fit(X, LABELS, batch_size=20, **FIT)
    return trainer


def weights() -> Any:
    trainer = classes(mlp())
    own = np.where(np.arange(103) % 3 == 0, 0.0, np.linspace(0.1, 2, 103))
    trainer.fit(X, LABELS, batch_size=7, sample_weight=own, class_weight={0: 1.0, 1: 0.2, 2: 3.0}, **FIT)
    return trainer


def class_weights() -> Any:
    trainer = classes(mlp(), loss=nn.CrossEntropyLoss(weight=np.array([0.2, 1.0, 5.0]), label_smoothing=0.1))
    trainer.fit(X, LABELS, batch_size=9, **FIT)
    return trainer


def ignored_targets() -> Any:
    trainer = classes(Maps(), loss=nn.CrossEntropyLoss(weight=np.array([0.2, 1.0, 5.0])))
    trainer.fit(X[:61], MAPS, batch_size=16, shuffle=False, **FIT)
    return trainer


def all_weights() -> Any:
    """Weights per place, per class and of the loss, ignored labels, uneven batches that accumulate, all metrics."""
    loss = nn.CrossEntropyLoss(weight=np.array([0.2, 1.0, 5.0]))
    trainer = classes(Maps(), loss=loss, accumulate=3, metrics=["accuracy", lambda y, p: nn.metrics.f1(y, p, "macro")])
    own = np.random.default_rng(1).uniform(0, 2, MAPS.shape)
    fit = {"sample_weight": own, "class_weight": "balanced", "validation_data": (X[:61], MAPS, own)}
    trainer.fit(X[:61], MAPS, batch_size=7, shuffle=False, **fit, **FIT)
    return trainer


def several_labels() -> Any:
    y = (X[:, :3] > 0.2).astype(float)
    model = mlp()
    trainer = MAKE(model, nn.BCEWithLogitsLoss(reduction="sum"), nn.optim.SGD(model.parameters(), lr=1e-3),
                   metrics=["accuracy", "f1", "roc_auc"])  # fmt: skip
    trainer.fit(X, y, batch_size=20, drop_last=True, validation_split=0.2, **FIT)
    return trainer


class Two(nn.Module):
    """Take two inputs and give two outputs."""

    def __init__(self):
        self.linear = nn.Linear(5, 2, rng=0, dtype=np.float64)

    def forward(self, a, b):
        return self.linear(a), self.linear(a) * b


def both(output, target):
    return sum(nn.functional.mse_loss(o, t) for o, t in zip(output, target, strict=True))


def several_inputs_and_outputs() -> Any:
    model = Two()
    metrics = {"error": lambda true, pred: float(np.abs(true[0] - pred[1]).max())}
    trainer = MAKE(model, both, adam(model), metrics=metrics, accumulate=2)
    data = {"a": X, "b": TARGETS}, (TARGETS, TARGETS)
    trainer.fit(*data, batch_size=20, validation_data=data, **FIT)
    return trainer


def probabilities() -> Any:
    trainer = classes(mlp(), loss=nn.CrossEntropyLoss(weight=np.array([0.2, 1.0, 5.0])))
    trainer.fit(X, np.eye(3)[LABELS] * 0.9 + 0.1 / 3, batch_size=9, **FIT)
    return trainer


def sums() -> Any:
    model = mlp((4, 2))
    trainer = MAKE(model, nn.MSELoss(reduction="sum"), nn.optim.SGD(model.parameters(), lr=1e-3), metrics=["r2", "mae"])
    trainer.fit(X, TARGETS, batch_size=25, **FIT)
    return trainer


def accumulated_and_clipped() -> Any:
    model = mlp((4, 2))
    sgd = nn.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    trainer = MAKE(model, nn.MSELoss(), sgd, accumulate=3, clip_grad_norm=0.5)
    trainer.fit(X, TARGETS, batch_size=10, **FIT)
    return trainer


def batches_of_unknown_number() -> Any:
    trainer = classes(Scaled(), accumulate=2, metrics=["accuracy"], callbacks=[nn.EarlyStopping(patience=1)])
    trainer.fit(Batches(20, 3, 30, 1, 12), validation_data=Batches(7, 8, 9), **FIT)
    return trainer


def unused_and_frozen() -> Any:
    model = Partly()
    decaying = nn.optim.AdamW([*model.used.parameters(), *model.unused.parameters()], lr=0.02, weight_decay=0.1)
    trainer = MAKE(model, nn.CrossEntropyLoss(), decaying, lint=False)
    trainer.fit(X, LABELS, batch_size=40, **FIT)
    return trainer


def two_dtypes() -> Any:
    model = Gamma()
    trainer = MAKE(model, nn.MSELoss(), adam(model))
    trainer.fit(X, TARGETS, batch_size=40, **FIT)
    return trainer


def single_steps() -> Any:
    trainer = classes(mlp(), metrics=["accuracy"])
    for start in range(0, 60, 20):
        trainer.train_on_batch(X[start : start + 20], LABELS[start : start + 20])
    return trainer


SCENARIOS: list[Callable[[], Any]] = [
    plain, fewer_samples_than_ranks, float32, weights, class_weights, ignored_targets, all_weights,
    several_labels, several_inputs_and_outputs, probabilities, sums,
    accumulated_and_clipped, batches_of_unknown_number, unused_and_frozen, two_dtypes, single_steps,
]  # fmt: skip


def results() -> dict[str, np.ndarray]:
    """Run all, and list weights, history, last logs and steps."""
    found = {}
    for scenario in SCENARIOS:
        trainer = scenario()
        numbers = {**trainer.model.state_dict(), "step": trainer.step}
        numbers |= {f"log {name}": value for name, value in trainer.logs.items()}
        numbers |= {f"history {name}": value for name, value in trainer.history.items()}
        found |= {f"{scenario.__name__} {name}": np.asarray(value) for name, value in numbers.items()}
    return found


if __name__ == "__main__":
    if "--plain" in sys.argv:
        MAKE = nn.Trainer
    found = results()
    if MAKE is nn.Trainer or classes(mlp()).rank == 0:
        np.savez(sys.argv[1], **found)
