"""List the workloads: which family each belongs to, at which sizes, and how losses compare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks import inputs
from benchmarks.inputs import Inputs


@dataclass(frozen=True)
class Family:
    """Name one kind of work: a peer has one builder per family."""

    make: Callable[..., Inputs]
    check_steps: int = 10
    rtol: float = 2e-3


@dataclass(frozen=True)
class Workload:
    """Name one row of the table: a family at fixed sizes."""

    name: str
    family: str
    text: str
    sizes: dict[str, Any] = field(default_factory=dict)
    optimizer: bool = True


FAMILIES = {
    "mlp": Family(inputs.mlp),
    "cnn": Family(inputs.cnn, check_steps=5),
    "lstm": Family(inputs.lstm, check_steps=5),
    "gan": Family(inputs.gan),
    "transformer": Family(inputs.transformer, check_steps=5),
    "elementwise": Family(inputs.elementwise, check_steps=1, rtol=1e-4),
    "hvp": Family(inputs.hvp, check_steps=1, rtol=1e-9),
    "scalar": Family(inputs.scalar, check_steps=2, rtol=1e-9),
    "chain": Family(inputs.chain, check_steps=1, rtol=1e-6),
    "deep_cnn": Family(inputs.deep_cnn, check_steps=5),
    "gru": Family(inputs.lstm, check_steps=5),
    "conv1d": Family(inputs.conv1d, check_steps=5),
    "dropout": Family(inputs.mlp, check_steps=0),
    "inference": Family(inputs.mlp, check_steps=4),
}

MNIST = {"layers": (784, 256, 128, 10), "batch": 128}

TABLE = [
    Workload(
        "mlp_small", "mlp", "10-50-50-1, BCE-with-logits, Adam, batch 32",
        {"layers": (10, 50, 50, 1), "batch": 32, "loss": "bce"},
    ),
    Workload("mlp_mnist", "mlp", "784-256-128-10, cross-entropy, Adam, batch 128", MNIST),
    Workload("cnn", "cnn", "Conv 1-32 3x3, ReLU, MaxPool 2, 128, 10, batch 32 of 28x28"),
    Workload("lstm", "lstm", "100-128 (sequences)-64 (last)-1, batch 32, 100 steps"),
    Workload("gan", "gan", "G 100-128-64-28, D 28-128-64-1, batch 64, one full step"),
    Workload("transformer", "transformer", "65 symbols, d 128, 4 heads, 2 layers, T 64, batch 16"),
    Workload(
        "elementwise", "elementwise", "sum(tanh x * sigmoid x + exp(-x^2)/(1+x^2)), 10^6 float32",
        optimizer=False,
    ),
    Workload("hvp", "hvp", "Rosenbrock, n = 1,000, float64", optimizer=False),
    Workload("scalar", "scalar", "2-16-16-1 of scalars, two points, float64", optimizer=False),
    Workload("chain", "chain", "10^6 scalar ops, float64", {"ops": 1_000_000}, optimizer=False),
]  # fmt: skip

SHAPES = [
    Workload("deep_cnn", "deep_cnn", "3 x (Conv 3x3 padding 1, BatchNorm, ReLU, pool), 16 of 32x32"),
    Workload("gru", "gru", "GRU 100-128-64-1, batch 32, 50 steps", {"gates": 3, "steps": 50}),
    Workload(
        "dropout", "dropout", "512-1024-1024-10, ReLU, dropout 0.5, batch 128",
        {"layers": (512, 1024, 1024, 10), "batch": 128, "step": 3},
    ),
    Workload(
        "inference", "inference", "784-256-128-10 forward without gradients, batch 1",
        {**MNIST, "batch": 1}, optimizer=False,
    ),
    Workload("conv1d", "conv1d", "Conv1d 8-32-32 width 5 padding 2, Linear 10, 32 of 256"),
]  # fmt: skip

WORKLOADS = {workload.name: workload for workload in [*TABLE, *SHAPES]}
