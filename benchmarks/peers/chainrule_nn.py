"""Write the workloads of neural nets as a chainrule user would."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import cycle, pairwise
from typing import Any

import numpy as np

import autograd as ag
import nn
from benchmarks.inputs import Inputs
from benchmarks.peers.chainrule import prepared
from nn import functional as F

Step = Callable[[], Any]


def load(model: nn.Module, inputs: Inputs, prefix: str = "") -> nn.Module:
    """Give a model the common initial weights."""
    weights = {k.removeprefix(prefix): v for k, v in inputs.weights.items() if k.startswith(prefix)}
    model.load_state_dict(weights)
    return model


def train(model: nn.Module, loss: Callable[..., Any], inputs: Inputs) -> Step:
    """Return one training step of a model on the batches in turn."""
    load(model, inputs)
    optimizer = nn.optim.Adam(model.parameters(), lr=1e-3)
    batches = cycle(inputs.batches)

    @prepared
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return lambda: step(*next(batches))


def stack(layers: tuple[int, ...]) -> nn.Module:
    """Make Linear, ReLU, ..., Linear."""
    modules: list[nn.Module] = []
    for before, after in pairwise(layers):
        modules += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def mlp(inputs: Inputs) -> Step:
    """Train a stack of Linear and ReLU."""
    losses = {"bce": nn.BCEWithLogitsLoss, "cross_entropy": nn.CrossEntropyLoss}
    return train(stack(inputs.sizes["layers"]), losses[inputs.sizes["loss"]](), inputs)


def cnn(inputs: Inputs) -> Step:
    """Train the small convolution net."""
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(32 * 13 * 13, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    return train(model, nn.CrossEntropyLoss(), inputs)


class Recurrent(nn.Module):
    """Run two recurrent layers and read the last step."""

    def __init__(self, kind: Any, features: int) -> None:
        super().__init__()
        self.first = kind(features, 128, batch_first=True)
        self.second = kind(128, 64, batch_first=True)
        self.head = nn.Linear(64, 1)

    def forward(self, x: Any) -> Any:
        """Map (N, T, features) to logits (N, 1)."""
        x, _ = self.first(x)
        x, _ = self.second(x)
        return self.head(x[:, -1])


def lstm(inputs: Inputs) -> Step:
    """Train two LSTM layers."""
    features = inputs.batches[0][0].shape[2]
    return train(Recurrent(nn.LSTM, features), nn.BCEWithLogitsLoss(), inputs)


def gru(inputs: Inputs) -> Step:
    """Train two GRU layers."""
    features = inputs.batches[0][0].shape[2]
    return train(Recurrent(nn.GRU, features), nn.BCEWithLogitsLoss(), inputs)


def gan(inputs: Inputs) -> Step:
    """Train discriminator and generator once each."""
    G = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 28), nn.Tanh())
    D = nn.Sequential(
        nn.Linear(28, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
    )  # fmt: skip
    load(G, inputs, "G.")
    load(D, inputs, "D.")
    optimizer_g, optimizer_d = (nn.optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999)) for model in (G, D))
    batch = inputs.sizes["batch"]
    ones, zeros = np.ones((batch, 1), "f4"), np.zeros((batch, 1), "f4")
    criterion = nn.BCEWithLogitsLoss()
    batches = cycle(inputs.batches)

    @prepared
    def judge(real: Any, fake: Any) -> Any:
        optimizer_d.zero_grad()
        loss = criterion(D(real), ones) + criterion(D(fake), zeros)
        loss.backward()
        optimizer_d.step()
        return loss

    @prepared
    def deceive(fake: Any) -> Any:
        optimizer_g.zero_grad()
        loss = criterion(D(fake), ones)
        loss.backward()
        optimizer_g.step()
        return loss

    make = prepared(G)

    def step() -> Any:
        noise, real = next(batches)
        fake = make(noise)
        loss_d = judge(real, fake.detach())
        loss_g = deceive(fake)
        return loss_d.detach() + loss_g.detach()

    return step


class Transformer(nn.Module):
    """Predict the next of 65 symbols."""

    def __init__(self, sizes: dict[str, int]) -> None:
        super().__init__()
        width, length = sizes["width"], sizes["length"]
        self.token = nn.Embedding(sizes["vocabulary"], width)
        self.position = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, sizes["heads"], 4 * width, dropout=0.0, batch_first=True, norm_first=True,
                activation=partial(F.gelu, approximate="tanh"),
            )
            for _ in range(sizes["blocks"])
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, sizes["vocabulary"])
        self.mask = np.triu(np.full((length, length), -np.inf, "f4"), 1)
        self.places = np.arange(length)

    def forward(self, tokens: Any) -> Any:
        """Map tokens (N, T) to logits (N, T, vocabulary)."""
        x = self.token(tokens) + self.position(self.places)
        for block in self.blocks:
            x = block(x, src_mask=self.mask, is_causal=True)
        return self.head(self.norm(x))


def transformer(inputs: Inputs) -> Step:
    """Train the character model."""
    criterion = nn.CrossEntropyLoss()

    def loss(logits: Any, target: Any) -> Any:
        return criterion(logits.reshape(-1, logits.shape[-1]), target.reshape(-1))

    return train(Transformer(inputs.sizes), loss, inputs)


def deep_cnn(inputs: Inputs) -> Step:
    """Train three blocks of Conv with padding, BatchNorm, ReLU and MaxPool."""
    modules: list[nn.Module] = []
    for before, after in [(3, 32), (32, 64), (64, 64)]:
        modules += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after)]
        modules += [nn.ReLU(), nn.MaxPool2d(2)]
    model = nn.Sequential(*modules, nn.Flatten(), nn.Linear(64 * 4 * 4, 10))
    return train(model, nn.CrossEntropyLoss(), inputs)


def conv1d(inputs: Inputs) -> Step:
    """Train two 1-d convolutions and a Linear."""
    model = nn.Sequential(
        nn.Conv1d(8, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * inputs.sizes["length"], 10),
    )  # fmt: skip
    return train(model, nn.CrossEntropyLoss(), inputs)


def dropout(inputs: Inputs) -> Step:
    """Train a wide MLP with dropout."""
    layers = inputs.sizes["layers"]
    modules: list[nn.Module] = []
    for before, after in pairwise(layers):
        modules += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(0.5)]
    return train(nn.Sequential(*modules[:-2]), nn.CrossEntropyLoss(), inputs)


def inference(inputs: Inputs) -> Step:
    """Run the MLP forward without gradients."""
    model = load(stack(inputs.sizes["layers"]), inputs).eval()
    batches = cycle([x for x, _ in inputs.batches])
    compute = prepared(model)

    def step() -> Any:
        with ag.no_grad():
            return compute(next(batches))

    return step
