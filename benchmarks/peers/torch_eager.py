"""Write every workload as a PyTorch user would, in eager mode; fused Adam by a variable."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import cycle, pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.inputs import Inputs
from benchmarks.peers import scalar_net, torch_shapes

torch.set_num_threads(int(os.environ.get("CHAINRULE_BENCH_THREADS", "1")))
FUSED = "CHAINRULE_BENCH_FUSED" in os.environ
Step = Callable[[], Any]


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"torch": torch.__version__, "numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def adam(model: nn.Module, lr: float = 1e-3, **options: Any) -> torch.optim.Adam:
    """Make Adam over a model, fused if asked for."""
    return torch.optim.Adam(model.parameters(), lr=lr, fused=FUSED or None, **options)


def load(model: nn.Module, inputs: Inputs, prefix: str = "") -> nn.Module:
    """Give a model the common initial weights."""
    weights = {k.removeprefix(prefix): v for k, v in inputs.weights.items() if k.startswith(prefix)}
    model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in weights.items()}, strict=False)
    return model


def train(model: nn.Module, loss: Callable[..., Any], inputs: Inputs) -> Step:
    """Return one training step of a model on the batches in turn."""
    load(model, inputs)
    optimizer = adam(model)
    batches = cycle([tuple(torch.from_numpy(a) for a in batch) for batch in inputs.batches])

    def step() -> Any:
        x, y = next(batches)
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return value

    return step


def stack(layers: tuple[int, ...]) -> nn.Sequential:
    """Make Linear, ReLU, ..., Linear."""
    modules: list[nn.Module] = []
    for before, after in pairwise(layers):
        modules += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def mlp(inputs: Inputs) -> Step:
    """Train a stack of Linear and ReLU."""
    losses = {"bce": nn.BCEWithLogitsLoss(), "cross_entropy": nn.CrossEntropyLoss()}
    return train(stack(inputs.sizes["layers"]), losses[inputs.sizes["loss"]], inputs)


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

    def forward(self, x: torch.Tensor) -> Any:
        """Map (N, T, features) to logits (N, 1)."""
        x, _ = self.first(x)
        x, _ = self.second(x)
        return self.head(x[:, -1])


def recurrent(kind: Any, inputs: Inputs) -> Step:
    """Train two recurrent layers."""
    features = inputs.batches[0][0].shape[2]
    return train(Recurrent(kind, features), nn.BCEWithLogitsLoss(), inputs)


def gan(inputs: Inputs) -> Step:
    """Train discriminator and generator once each, as in PyTorch's DCGAN tutorial."""
    G = nn.Sequential(nn.Linear(100, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 28), nn.Tanh())
    D = nn.Sequential(
        nn.Linear(28, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
    )  # fmt: skip
    load(G, inputs, "G.")
    load(D, inputs, "D.")
    optimizer_g, optimizer_d = (adam(m, 2e-4, betas=(0.5, 0.999)) for m in (G, D))
    batch = inputs.sizes["batch"]
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
    criterion = nn.BCEWithLogitsLoss()
    batches = cycle([tuple(torch.from_numpy(a) for a in batch) for batch in inputs.batches])

    def step() -> Any:
        noise, real = next(batches)
        optimizer_d.zero_grad()
        fake = G(noise)
        loss_d = criterion(D(real), ones) + criterion(D(fake.detach()), zeros)
        loss_d.backward()
        optimizer_d.step()
        optimizer_g.zero_grad()
        loss_g = criterion(D(fake), ones)
        loss_g.backward()
        optimizer_g.step()
        return (loss_d + loss_g).detach()

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
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        self.register_buffer("mask", mask, persistent=False)
        self.register_buffer("places", torch.arange(length), persistent=False)

    def forward(self, tokens: torch.Tensor) -> Any:
        """Map tokens (N, T) to logits (N, T, vocabulary)."""
        x = self.token(tokens) + self.position(self.places)
        for block in self.blocks:
            x = block(x, src_mask=self.mask, is_causal=True)
        return self.head(self.norm(x))


def transformer(inputs: Inputs) -> Step:
    """Train the character model."""
    criterion = nn.CrossEntropyLoss()

    def loss(logits: torch.Tensor, target: torch.Tensor) -> Any:
        return criterion(logits.reshape(-1, logits.shape[-1]), target.reshape(-1))

    return train(Transformer(inputs.sizes), loss, inputs)


def elementwise(inputs: Inputs) -> Step:
    """Differentiate a long expression."""
    x = torch.from_numpy(inputs.batches[0][0]).requires_grad_()

    def step() -> tuple[Any, Any]:
        x.grad = None
        square = x**2
        y: Any = (torch.tanh(x) * torch.sigmoid(x) + torch.exp(-square) / (1 + square)).sum()
        y.backward()
        return y, x.grad

    return step


def hvp(inputs: Inputs) -> Step:
    """Multiply the Hessian of Rosenbrock's function with a vector."""
    x, v = (torch.from_numpy(a) for a in inputs.batches[0])
    x.requires_grad_()

    def step() -> tuple[Any, ...]:
        y = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        return torch.autograd.grad(g, x, v)

    return step


def scalar(inputs: Inputs) -> Step:
    """Differentiate the 2-16-16-1 net of scalars."""

    def leaf(value: float) -> torch.Tensor:
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    return scalar_net.step_with_grad(inputs, leaf, torch.relu)


def chain(inputs: Inputs) -> Step:
    """Differentiate a long chain of scalar ops."""
    pairs = inputs.sizes["ops"] // 2

    def step() -> tuple[Any, Any]:
        x = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
        y: Any = x
        for _ in range(pairs):
            y = y * 0.999999
            y = y + 0.000001
        y.backward()
        return y, x.grad

    return step


def inference(inputs: Inputs) -> Step:
    """Run the MLP forward."""
    return torch_shapes.inference(load(stack(inputs.sizes["layers"]), inputs), inputs)


BUILDERS: dict[str, Callable[[Inputs], Step]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": partial(recurrent, nn.LSTM),
    "gru": partial(recurrent, nn.GRU),
    "gan": gan,
    "transformer": transformer,
    "elementwise": elementwise,
    "hvp": hvp,
    "scalar": scalar,
    "chain": chain,
    **{k: partial(f, train) for k, f in torch_shapes.TRAINED.items()},
    "inference": inference,
}
