# pyright: strict
"""A lesson as somebody types it, whole: data, a dense net by hand, a CNN, an own loss, callbacks, a loader, trees.

Nothing is there for the checkers but one line: NumPy's functions of several arguments (``np.maximum``, ``np.where``,
``np.stack``) are typed for arrays only, and ``xnp`` is NumPy without its types.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import autograd as ag
import nn
import nn.functional as F
from autograd import Tensor
from nn import optim
from nn.datasets import load_digits, train_test_split, two_moons
from nn.metrics import accuracy, confusion_matrix, f1

xnp: Any = np

# --------------------------------------------------------------------------------------------------- a loop by hand

images, labels = load_digits()
assert_type(images, NDArray[np.float32])
x, x_held, y, y_held = train_test_split(images.reshape(-1, 64)[:400], labels[:400], test_size=0.2, rng=0)
rng = np.random.default_rng(0)
dense = nn.Sequential(nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Dropout(0.1, rng=rng), nn.Linear(32, 10, rng=rng))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = optim.AdamW(dense.parameters(), lr=3e-3, weight_decay=1e-2)
warm, cosine = optim.LinearWarmup(optimizer, steps=2), optim.CosineAnnealingLR(optimizer, T_max=8)
schedule = optim.SequentialLR(optimizer, [warm, cosine], milestones=[2])
for epoch in range(10):
    total = 0.0
    for batch in np.array_split(rng.permutation(len(x)), 10):
        logits = dense(x[batch])
        loss = criterion(logits, y[batch])
        optimizer.zero_grad()
        loss.backward()
        assert_type(optim.clip_grad_norm(dense.parameters(), 1.0), float)
        optimizer.step()
        total += loss.item() * len(batch)
    schedule.step()
    print(f"{epoch} {total / len(x):.3f} {schedule.get_last_lr()[0]:.4f}")

first = dense[0]
assert isinstance(first, nn.Linear)
for name, p in dense.named_parameters():
    if p.grad is not None:
        print(name, p.shape, p.grad.std().item())
guess = dense.eval()(x_held).argmax(axis=1)
assert_type(guess, NDArray[np.intp])
assert_type(dense(x_held[0]).argmax(), np.intp)
print(accuracy(y_held, guess), f1(y_held, guess, average="macro"), confusion_matrix(y_held, guess).trace())
with ag.no_grad():
    for p in dense.parameters():
        p -= 0.01 * p
        p.data *= 0.5

# ------------------------------------------------------------------------------------------- a module of one's own


@dataclass
class Config:
    channels: tuple[int, ...] = (4, 8)
    classes: int = 10


class ConvNet(nn.Module):
    def __init__(self, config: Config, rng: np.random.Generator | int | None = None) -> None:
        super().__init__()
        rng = np.random.default_rng(rng)
        self.blocks = nn.ModuleList()
        channels = 1
        for width in config.channels:
            convolution = nn.Conv2d(channels, width, 3, padding="same", rng=rng)
            self.blocks.append(nn.Sequential(convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)))
            channels = width
        self.head = nn.Linear(channels * 4, config.classes, rng=rng)
        self.temperature = nn.Parameter(np.ones(1, np.float32))
        self.register_buffer("seen", np.zeros(1))

    def forward(self, images: Any) -> Tensor:
        h = images
        for block in self.blocks:
            h = block(h)
        return self.head(h.reshape(h.shape[0], -1)) / self.temperature


net = ConvNet(Config(), rng=0)
assert_type(net(images[:4, None]), Tensor)
print(nn.summary(net, images[:2, None]))

# ------------------------------------------------------------------------------- an own loss, callbacks, a metric


def focal(output: Tensor, target: NDArray[np.int64], gamma: float = 2.0) -> Tensor:
    log_p = ag.log_softmax(output, axis=1)[np.arange(len(target)), target]
    return -((1 - log_p.exp()) ** gamma * log_p).mean()


class Best(nn.Callback):
    def __init__(self) -> None:
        self.value = 0.0

    def on_epoch_end(self, trainer: nn.Trainer) -> None:
        self.value = max(self.value, trainer.history["val_accuracy"][-1])


def hits(y_true: NDArray[Any], y_pred: NDArray[Any]) -> float:
    return float((y_true == y_pred.argmax(axis=1)).mean())


adam, best = optim.Adam(net.parameters(), lr=1e-2), Best()
callbacks = [best, nn.EarlyStopping("val_loss", patience=3), nn.LRSchedule(optim.StepLR(adam, 2))]
trainer = nn.Trainer(net, focal, adam, outputs="classes", metrics=["accuracy", hits], callbacks=callbacks)
history = trainer.fit(images[:200, None], labels[:200], epochs=2, validation_split=0.2, rng=0, progress=False)
assert_type(history["loss"], list[float])
assert_type(trainer.evaluate(images[:9, None], labels[:9]), dict[str, float])
nn.save_model(net, Path("net.safetensors"))
missing, unexpected = nn.load_model(net, "net.safetensors")
assert_type(missing, list[str])


class Loader:
    def __init__(self, x: NDArray[Any], y: NDArray[Any], size: int = 32) -> None:
        self.x, self.y, self.size = x, y, size

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for start in range(0, len(self.x), self.size):
            yield self.x[start : start + self.size], self.y[start : start + self.size]


held = (images[:10, None], labels[:10])
trainer.fit(Loader(images[:100, None], labels[:100]), validation_data=held, progress=False)

# ------------------------------------------------------------------------------------------- functions and their trees

Params = dict[str, NDArray[np.float64]]


def mse(params: Params, inputs: NDArray[np.float64], targets: NDArray[np.float64]) -> Any:
    error: Any = np.tanh(inputs @ params["w"]) + params["b"] - targets
    return (error**2).mean()


params: Params = {"w": np.zeros((2, 1)), "b": np.zeros(1)}
data, target = two_moons(20, rng=0)
targets = target[:, None].astype(float)
step = ag.compile(ag.value_and_grad(mse))
for _ in range(3):
    value, gradient = step(params, data, targets)
    params = ag.tree_map(lambda p, g: p - 0.1 * g, params, gradient)
halved: Params = ag.tree_map(lambda p: p / 2, params)
flat, back = ag.ravel(params)
per_sample = ag.vmap(ag.grad(mse), in_axes=(None, 0, 0))(back(flat), data, targets)
print(per_sample["w"].shape, ag.hvp(np.sum)(np.ones(3), np.ones(3)))

w = Tensor(np.ones(3), requires_grad=True)
clipped = xnp.maximum(xnp.stack([w, 2 * w]), 0)
assert_type(ag.gradient(clipped.sum(), w), Tensor)
assert_type(ag.gradient((w * w).sum(), [w]), list[Tensor])
F.mse_loss(F.softmax(w, dim=0), np.zeros(3)).backward()
