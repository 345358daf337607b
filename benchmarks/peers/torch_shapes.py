"""Write the other shapes for PyTorch: deeper CNN, dropout, inference, 1-d convolution."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, pairwise
from typing import Any

import torch
from torch import nn

from benchmarks.inputs import Inputs

Train = Callable[[nn.Module, Callable[..., Any], Inputs], Callable[[], Any]]


def deep_cnn(train: Train, inputs: Inputs) -> Callable[[], Any]:
    """Train three blocks of Conv with padding, BatchNorm, ReLU and MaxPool."""
    modules: list[nn.Module] = []
    for before, after in [(3, 32), (32, 64), (64, 64)]:
        modules += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
        modules += [nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*modules, nn.Flatten(), nn.Linear(64 * 4 * 4, 10))
    return train(model, nn.CrossEntropyLoss(), inputs)


def conv1d(train: Train, inputs: Inputs) -> Callable[[], Any]:
    """Train two 1-d convolutions and a Linear."""
    length = inputs.sizes["length"]
    model = nn.Sequential(
        nn.Conv1d(8, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * length, 10),
    )  # fmt: skip
    return train(model, nn.CrossEntropyLoss(), inputs)


def dropout(train: Train, inputs: Inputs) -> Callable[[], Any]:
    """Train a wide MLP with dropout."""
    layers = inputs.sizes["layers"]
    modules: list[nn.Module] = []
    for before, after in pairwise(layers):
        modules += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.5)]
    return train(nn.Sequential(*modules[:-2]), nn.CrossEntropyLoss(), inputs)


def inference(model: nn.Module, inputs: Inputs) -> Callable[[], Any]:
    """Run a model forward without gradients."""
    model.eval()
    batches = cycle([torch.from_numpy(x) for x, _ in inputs.batches])

    def step() -> Any:
        with torch.no_grad():
            return model(next(batches))

    return step


TRAINED = {"deep_cnn": deep_cnn, "conv1d": conv1d, "dropout": dropout}
