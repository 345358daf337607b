"""Differentiate the 2-16-16-1 net of the scalar graph by hand, on whole layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.inputs import Array, Inputs


def build(inputs: Inputs) -> Callable[[], tuple[float, Array]]:
    """Return loss and gradient of the hinge loss on two points; nothing is updated."""
    (W1, b1), (W2, b2), (W3, b3) = [(inputs.weights[f"{i}.weight"], inputs.weights[f"{i}.bias"]) for i in range(3)]
    ((X, y),) = inputs.batches
    grads: list[Any] = [np.empty_like(a) for a in (W1, b1, W2, b2, W3, b3)]

    def step() -> tuple[float, Array]:
        h1 = X @ W1.T + b1
        h1 *= h1 > 0
        h2 = h1 @ W2.T + b2
        h2 *= h2 > 0
        margin = 1 - y * (h2 @ W3[0] + b3)
        active = margin > 0
        ds = active * y * -0.5
        d2 = ds[:, None] * W3
        d2 *= h2 > 0
        d1 = d2 @ W2
        d1 *= h1 > 0
        grads[:] = d1.T @ X, d1.sum(0), d2.T @ h1, d2.sum(0), ds @ h2, ds.sum()
        return float((margin * active).sum() * 0.5), grads[0]

    return step
