"""Compute losses and their gradients by hand, into buffers made once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.inputs import Array

Loss = Callable[[Array, Array, Array], float]
HALF = np.array(0.5, np.float32)


def bce_with_logits(batch: int, outputs: int) -> Loss:
    """Return mean(softplus(z) - z t) and write (sigmoid(z) - t)/N; sigmoid z = 1/2 + tanh(z/2)/2."""
    shape, size = (batch, outputs), batch * outputs
    t, zero = np.empty(shape, "f4"), np.zeros((), "f4")
    half_mean, mean = np.array(0.5 / size, np.float32), np.array(1 / size, np.float32)
    ones, flat, scale = np.ones(size, "f4"), t.reshape(-1), 1.0 / size

    def loss_into(z: Array, target: Array, dz: Array) -> float:
        np.multiply(z, HALF, out=dz)
        np.tanh(dz, out=dz)
        np.multiply(dz, half_mean, out=dz)
        np.add(dz, half_mean, out=dz)
        np.multiply(target, mean, out=t)
        np.subtract(dz, t, out=dz)
        np.logaddexp(z, zero, out=t)
        loss = ones.dot(flat) - z.reshape(-1).dot(target.reshape(-1))
        return float(loss) * scale

    return loss_into


def cross_entropy(batch: int, classes: int) -> Loss:
    """Return mean(logsumexp(z) - z[target]) and write (softmax(z) - onehot)/N."""
    rows, ones = np.arange(batch), np.ones(classes, "f4")
    top, total = np.empty((batch, 1), "f4"), np.empty(batch, "f4")
    column = total[:, None]
    mean, scale = np.array(1 / batch, np.float32), 1.0 / batch

    def loss_into(z: Array, target: Array, dz: Array) -> float:
        np.maximum.reduce(z, axis=1, keepdims=True, out=top)
        np.subtract(z, top, out=z)
        picked = z[rows, target]
        np.exp(z, out=dz)
        np.dot(dz, ones, out=total)
        loss = float(np.add.reduce(np.log(total)) - np.add.reduce(picked)) * scale
        np.divide(mean, total, out=total)
        np.multiply(dz, column, out=dz)
        dz[rows, target] -= mean
        return loss

    return loss_into


LOSSES = {"bce": bce_with_logits, "cross_entropy": cross_entropy}
