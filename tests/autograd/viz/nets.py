"""Ten graphs that a teacher shows: each gives its results and the names in it, as ``locals()`` would."""

from typing import Any

import graphs
import numpy as np
from graphs import leaf, neuron

import autograd as ag
import nn

Net = tuple[Any, dict[str, Any]]
RNG = 0


def numbers(*shape: int, seed: int = RNG) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def expression() -> Net:
    """The README's: y = h · tanh(h), h = w · x."""
    x, w = ag.Tensor(2.0), leaf(0.6)
    h = w * x
    y = np.tanh(h) * h
    return y, dict(x=x, w=w, h=h, y=y)


def micrograd() -> Net:
    return graphs.expression()


def mlp() -> Net:
    model, x, target = nn.MLP(2, [16, 16, 1], rng=RNG), ag.Tensor(numbers(32, 2)), numbers(32, 1, seed=1)
    loss = nn.MSELoss()(model(x), target)
    return loss, dict(model=model, x=x, loss=loss)


class Scalars(nn.Module):
    """An MLP of neurons that see one number at a time."""

    def __init__(self, count: int, *sizes: int) -> None:
        super().__init__()
        inputs = (count, *sizes[:-1])
        self.layers = nn.ModuleList(
            [nn.ModuleList([nn.Neuron(i, "relu", rng=k) for k in range(o)]) for i, o in zip(inputs, sizes, strict=True)]
        )

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = [neuron(x) for neuron in layer]
        return x[0]


def twin() -> Net:
    """The same net, one number at a time: a graph of a thousand ops."""
    model, a, b = Scalars(2, 16, 16, 1), ag.Tensor(0.5), ag.Tensor(-1.0)
    loss = (model([a, b]) - 0.5) ** 2
    return loss, dict(model=model, a=a, b=b, loss=loss)


def cnn() -> Net:
    layers = [nn.Conv2d(1, 6, 3, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 12, 3, rng=1), nn.ReLU()]
    model = nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 10, rng=2))
    x = ag.Tensor(numbers(8, 1, 14, 14))
    loss = nn.CrossEntropyLoss()(model(x), np.arange(8))
    return loss, dict(model=model, x=x, loss=loss)


def lstm() -> Net:
    """An LSTM that reads ten steps, and a linear layer on the last."""
    cell, head, x = nn.LSTMCell(4, 8, rng=0), nn.Linear(8, 1, rng=1), ag.Tensor(numbers(10, 3, 4))
    state = None
    for step in range(10):
        state = cell(x[step], state)
    loss = nn.MSELoss()(head(state[0]), numbers(3, 1, seed=1))
    return loss, dict(cell=cell, head=head, x=x, loss=loss)


class Block(nn.Module):
    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        self.norm, self.up = nn.LayerNorm(width), nn.Linear(width, 2 * width, rng=seed)
        self.down = nn.Linear(2 * width, width, rng=seed + 100)

    def forward(self, x: Any) -> Any:
        return x + self.down(ag.relu(self.up(self.norm(x))))


class ResNet(nn.Module):
    def __init__(self, width: int = 8, count: int = 6) -> None:
        super().__init__()
        self.stem = nn.Linear(4, width, rng=99)
        self.blocks = nn.ModuleList([Block(width, seed) for seed in range(count)])
        self.head = nn.Linear(width, 3, rng=98)

    def forward(self, x: Any) -> Any:
        h = self.stem(x)
        for block in self.blocks:
            h = block(h)
        return self.head(h)


def residual() -> Net:
    model, x = ResNet(), ag.Tensor(numbers(16, 4))
    loss = nn.CrossEntropyLoss()(model(x), np.arange(16) % 3)
    return loss, dict(model=model, x=x, loss=loss)


def transformer() -> Net:
    model, x = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, rng=0), ag.Tensor(numbers(2, 5, 8))
    loss = nn.MSELoss()(model(x), numbers(2, 5, 8, seed=1))
    return loss, dict(model=model, x=x, loss=loss)


def gan() -> tuple[list[Any], dict[str, Any]]:
    generator = nn.Sequential(nn.Linear(2, 8, rng=0), nn.ReLU(), nn.Linear(8, 2, rng=1))
    judge = nn.Sequential(nn.Linear(2, 8, rng=2), nn.LeakyReLU(), nn.Linear(8, 1, rng=3))
    bce, noise, real = nn.BCEWithLogitsLoss(), ag.Tensor(numbers(16, 2)), ag.Tensor(numbers(16, 2, seed=1))
    fake = generator(noise)
    loss_d = bce(judge(real), np.ones((16, 1))) + bce(judge(fake.detach()), np.zeros((16, 1)))
    loss_g = bce(judge(fake), np.ones((16, 1)))
    return [loss_d, loss_g], dict(
        generator=generator, judge=judge, noise=noise, real=real, fake=fake, loss_d=loss_d, loss_g=loss_g
    )


def xor() -> Net:
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1), nn.Sigmoid())
    x = ag.Tensor(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32))
    loss = nn.BCELoss()(model(x), np.array([[0], [1], [1], [0]], np.float32))
    return loss, dict(model=model, x=x, loss=loss)


NETS = {f.__name__: f for f in (expression, micrograd, neuron, mlp, twin, cnn, lstm, residual, transformer, gan, xor)}


def backward(roots: Any) -> None:
    """Run backward from one result, or from each of a list."""
    for root in roots if isinstance(roots, list) else [roots]:
        root.backward()
