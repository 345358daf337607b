"""Keep all parameters in one flat buffer and update them in blocks that fit the L2 cache."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from benchmarks.inputs import Array

BLOCK = 32_768  # 5 float32 arrays of this length are 640 KiB


def flatten(arrays: dict[str, Array]) -> tuple[Array, dict[str, Array]]:
    """Copy arrays into one float32 buffer; return it and a view per name."""
    buffer = np.concatenate([a.ravel() for a in arrays.values()], dtype=np.float32)
    views, start = {}, 0
    for name, array in arrays.items():
        views[name] = buffer[start : start + array.size].reshape(array.shape)
        start += array.size
    return buffer, views


class Adam:
    """Update flat parameters from flat gradients.

    With M = m/(1-b1) and V = v/(1-b2) the two decays need one pass fewer each:
    M = b1 M + g, V = b2 V + g^2, p -= step * M / (sqrt(V) + eps'); 10 calls per block.
    """

    def __init__(self, p: Array, g: Array, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.lr, self.betas, self.eps, self.t = lr, betas, 1e-8, 0
        self.M, self.V = np.zeros_like(p), np.zeros_like(p)
        scratch = np.empty(min(p.size, BLOCK), np.float32)
        self.blocks: list[tuple[Array, ...]] = []
        for start in range(0, p.size, BLOCK):
            part = slice(start, start + BLOCK)
            views = (p[part], g[part], self.M[part], self.V[part])
            self.blocks.append((*views, scratch[: views[0].size]))
        self.decay = [np.array(b, np.float32) for b in betas]
        self.step_size, self.epsilon = np.zeros((), "f4"), np.zeros((), "f4")

    def step(self) -> None:
        """Make one step of Adam (Kingma & Ba 2015, algorithm 1)."""
        self.t += 1
        b1, b2 = self.betas
        scale = math.sqrt((1 - b2) / (1 - b2**self.t))  # sqrt(v_hat) = scale * sqrt(V)
        self.step_size[()] = self.lr * (1 - b1) / (1 - b1**self.t) / scale
        self.epsilon[()] = self.eps / scale
        decay1, decay2 = self.decay
        for p, g, M, V, t in self.blocks:
            update_block(p, g, M, V, t, decay1, decay2, self.step_size, self.epsilon)


def update_block(
    p: Array, g: Array, M: Array, V: Array, t: Array,
    b1: Array, b2: Array, step: Array, eps: Array,
) -> None:  # fmt: skip
    """Update one block in place; ``t`` is scratch, ``step`` and ``eps`` are 0-d float32."""
    np.multiply(M, b1, out=M)
    np.add(M, g, out=M)
    np.multiply(V, b2, out=V)
    np.multiply(g, g, out=t)
    np.add(V, t, out=V)
    np.sqrt(V, out=t)
    np.add(t, eps, out=t)
    np.divide(M, t, out=t)
    np.multiply(t, step, out=t)
    np.subtract(p, t, out=p)


class Parameters:
    """Hold values ``p`` and gradients ``g`` by name, each a view into one flat buffer."""

    def __init__(self, weights: dict[str, Array], **options: Any) -> None:
        flat_p, self.p = flatten(weights)
        flat_g, self.g = flatten({k: np.zeros_like(v) for k, v in weights.items()})
        self.adam = Adam(flat_p, flat_g, **options)


def transposed(weights: dict[str, Array]) -> dict[str, Array]:
    """Turn every 2-d weight (out, in) into (in, out): plain row-major GEMMs, forward and back."""
    return {k: np.ascontiguousarray(v.T) if v.ndim == 2 else v for k, v in weights.items()}
