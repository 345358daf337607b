"""Make the weights and the data that every peer starts from.

One seeded NumPy generator per workload, so that the losses of all peers can be compared.
Weights carry PyTorch's names, shapes and default ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Rng = np.random.Generator
SEED = 20_26


@dataclass(frozen=True)
class Inputs:
    """Hold what one workload starts from: weights by name, batches in order, sizes by name."""

    weights: dict[str, Array]
    batches: list[tuple[Array, ...]]
    sizes: dict[str, Any]


def uniform(rng: Rng, shape: tuple[int, ...], fan_in: int) -> Array:
    """Draw U(-1/sqrt(fan_in), 1/sqrt(fan_in)) in float32, PyTorch's default start."""
    bound = fan_in**-0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def normal(rng: Rng, *shape: int) -> Array:
    """Draw standard normal float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def linear(rng: Rng, name: str, out_features: int, in_features: int) -> dict[str, Array]:
    """Make the weight and bias of one Linear layer."""
    weight = uniform(rng, (out_features, in_features), in_features)
    return {f"{name}.weight": weight, f"{name}.bias": uniform(rng, (out_features,), in_features)}


def stack(rng: Rng, sizes: tuple[int, ...], prefix: str = "", step: int = 2) -> dict[str, Array]:
    """Make the Linear layers of a Sequential where every ``step``-th module is a Linear."""
    weights: dict[str, Array] = {}
    for i in range(len(sizes) - 1):
        weights |= linear(rng, f"{prefix}{i * step}", sizes[i + 1], sizes[i])
    return weights


def targets(rng: Rng, loss: str, batch: int, classes: int) -> Array:
    """Draw 0/1 float labels for BCE-with-logits, class numbers for cross-entropy."""
    if loss == "bce":
        return rng.integers(0, 2, (batch, 1)).astype(np.float32)
    return rng.integers(0, classes, batch)


def mlp(layers: tuple[int, ...], batch: int, loss: str = "cross_entropy", count: int = 4, step: int = 2) -> Inputs:
    """Make a stack of Linear layers and ``count`` batches; ``step`` leaves room between layers."""
    rng = np.random.default_rng(SEED)
    batches: list[tuple[Array, ...]] = [
        (normal(rng, batch, layers[0]), targets(rng, loss, batch, layers[-1])) for _ in range(count)
    ]
    sizes = {"layers": tuple(layers), "batch": batch, "loss": loss}
    return Inputs(stack(rng, tuple(layers), step=step), batches, sizes)


def cnn(batch: int = 32) -> Inputs:
    """Make Conv 1-32, ReLU, MaxPool, Flatten, Linear 128, ReLU, Linear 10 on 28 x 28 images."""
    rng = np.random.default_rng(SEED)
    weights = {"0.weight": uniform(rng, (32, 1, 3, 3), 9), "0.bias": uniform(rng, (32,), 9)}
    weights |= linear(rng, "4", 128, 32 * 13 * 13) | linear(rng, "6", 10, 128)
    batches: list[tuple[Array, ...]] = [(normal(rng, batch, 1, 28, 28), rng.integers(0, 10, batch)) for _ in range(2)]
    return Inputs(weights, batches, {"batch": batch})


def recurrent(rng: Rng, name: str, gates: int, features: int, hidden: int) -> dict[str, Array]:
    """Make one recurrent layer in PyTorch's layout, gates stacked in rows."""
    rows = gates * hidden
    shapes = {"weight_ih_l0": (rows, features), "weight_hh_l0": (rows, hidden)}
    biases = {"bias_ih_l0": (rows,), "bias_hh_l0": (rows,)}
    return {f"{name}.{k}": uniform(rng, s, hidden) for k, s in (shapes | biases).items()}


def lstm(features: int = 100, steps: int = 100, batch: int = 32, gates: int = 4) -> Inputs:
    """Make two recurrent layers (128 over the sequence, 64 to its end) and a Linear to 1."""
    rng = np.random.default_rng(SEED)
    weights = recurrent(rng, "first", gates, features, 128)
    weights |= recurrent(rng, "second", gates, 128, 64) | linear(rng, "head", 1, 64)
    batches: list[tuple[Array, ...]] = [
        (normal(rng, batch, steps, features), targets(rng, "bce", batch, 1)) for _ in range(2)
    ]
    return Inputs(weights, batches, {"steps": steps, "batch": batch})


def gan(batch: int = 64) -> Inputs:
    """Make a generator 100-128-64-28, a discriminator 28-128-64-1, noise and real batches."""
    rng = np.random.default_rng(SEED)
    weights = stack(rng, (100, 128, 64, 28), "G.") | stack(rng, (28, 128, 64, 1), "D.")
    batches: list[tuple[Array, ...]] = [(normal(rng, batch, 100), np.tanh(normal(rng, batch, 28))) for _ in range(4)]
    return Inputs(weights, batches, {"batch": batch})


def encoder_block(rng: Rng, name: str, width: int) -> dict[str, Array]:
    """Make one TransformerEncoderLayer with a feed-forward part of 4 x width."""
    weights = linear(rng, f"{name}.self_attn.in_proj_", 3 * width, width)
    weights = {k.replace("_.", "_"): v for k, v in weights.items()}
    weights |= linear(rng, f"{name}.self_attn.out_proj", width, width)
    weights |= linear(rng, f"{name}.linear1", 4 * width, width)
    weights |= linear(rng, f"{name}.linear2", width, 4 * width)
    return weights | norm(f"{name}.norm1", width) | norm(f"{name}.norm2", width)


def norm(name: str, width: int) -> dict[str, Array]:
    """Make the scale and shift of a normalization layer."""
    return {f"{name}.weight": np.ones(width, "f4"), f"{name}.bias": np.zeros(width, "f4")}


def transformer(vocabulary: int = 65, width: int = 128, blocks: int = 2, length: int = 64, batch: int = 16) -> Inputs:
    """Make a pre-norm causal character model: embeddings, encoder blocks, norm, head."""
    rng = np.random.default_rng(SEED)
    weights = {
        "token.weight": normal(rng, vocabulary, width) * np.float32(0.02),
        "position.weight": normal(rng, length, width) * np.float32(0.02),
    }
    for i in range(blocks):
        weights |= encoder_block(rng, f"blocks.{i}", width)
    weights |= norm("norm", width) | linear(rng, "head", vocabulary, width)
    texts = [rng.integers(0, vocabulary, (batch, length + 1)) for _ in range(4)]
    batches: list[tuple[Array, ...]] = [
        (np.ascontiguousarray(t[:, :-1]), np.ascontiguousarray(t[:, 1:])) for t in texts
    ]
    sizes = {
        "vocabulary": vocabulary, "width": width, "heads": 4, "blocks": blocks,
        "length": length, "batch": batch,
    }  # fmt: skip
    return Inputs(weights, batches, sizes)


def elementwise(size: int = 1_000_000) -> Inputs:
    """Make one long float32 vector."""
    rng = np.random.default_rng(SEED)
    return Inputs({}, [(normal(rng, size),)], {"size": size})


def hvp(size: int = 1_000) -> Inputs:
    """Make a float64 point of the Rosenbrock function and a direction."""
    rng = np.random.default_rng(SEED)
    return Inputs({}, [(rng.standard_normal(size), rng.standard_normal(size))], {"size": size})


def scalar() -> Inputs:
    """Make a 2-16-16-1 net of float64 scalars and two labelled points."""
    rng = np.random.default_rng(SEED)
    weights = {k: v.astype(np.float64) for k, v in stack(rng, (2, 16, 16, 1), step=1).items()}
    points = rng.uniform(-1, 1, (2, 2))
    return Inputs(weights, [(points, np.array([1.0, -1.0]))], {})


def chain(ops: int = 1_000_000) -> Inputs:
    """Make the length of a chain of scalar products and sums."""
    return Inputs({}, [], {"ops": ops})


def deep_cnn(batch: int = 16) -> Inputs:
    """Make three blocks Conv 3x3 padding 1, BatchNorm, ReLU, MaxPool on 3 x 32 x 32 images."""
    rng = np.random.default_rng(SEED)
    weights: dict[str, Array] = {}
    for i, (before, after) in enumerate([(3, 32), (32, 64), (64, 64)]):
        weights[f"{4 * i}.weight"] = uniform(rng, (after, before, 3, 3), 9 * before)
        weights[f"{4 * i}.bias"] = uniform(rng, (after,), 9 * before)
        weights |= norm(f"{4 * i + 1}", after)
        weights[f"{4 * i + 1}.running_mean"] = np.zeros(after, "f4")
        weights[f"{4 * i + 1}.running_var"] = np.ones(after, "f4")
    weights |= linear(rng, "13", 10, 64 * 4 * 4)
    batches: list[tuple[Array, ...]] = [(normal(rng, batch, 3, 32, 32), rng.integers(0, 10, batch)) for _ in range(2)]
    return Inputs(weights, batches, {"batch": batch})


def conv1d(batch: int = 32, length: int = 256) -> Inputs:
    """Make Conv1d 8-32 width 5 padding 2, ReLU, Conv1d 32-32, ReLU, Flatten, Linear 10."""
    rng = np.random.default_rng(SEED)
    weights = {"0.weight": uniform(rng, (32, 8, 5), 40), "0.bias": uniform(rng, (32,), 40)}
    weights |= {"2.weight": uniform(rng, (32, 32, 5), 160), "2.bias": uniform(rng, (32,), 160)}
    weights |= linear(rng, "5", 10, 32 * length)
    batches: list[tuple[Array, ...]] = [(normal(rng, batch, 8, length), rng.integers(0, 10, batch)) for _ in range(2)]
    return Inputs(weights, batches, {"batch": batch, "length": length})
