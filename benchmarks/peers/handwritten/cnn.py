"""Train Conv 3x3, ReLU, MaxPool 2, Linear, ReLU, Linear by hand, with the batch as last axis.

(channels, height, width, batch): every im2col copy, pooling view and GEMM then runs over
contiguous memory, and Linear takes the pooled array as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle, product

import numpy as np

from benchmarks.inputs import Array, Inputs
from benchmarks.peers.handwritten.adam import Parameters
from benchmarks.peers.handwritten.losses import cross_entropy

SHIFT = np.array(31, np.int32)


class Conv:
    """Convolve (28, 28, N) to (32, 26, 26, N): nine strided copies, then one GEMM per image row.

    A tenth row of ones in the columns makes the bias and its gradient part of the GEMMs.
    """

    def __init__(self, W: Array, dW: Array, batch: int) -> None:
        self.W, self.dW = W, dW  # (32, 10): nine taps and the bias
        self.x = np.empty((28, 28, batch), "f4")
        self.columns = np.ones((10, 26, 26, batch), "f4")
        self.y, self.dy = (np.empty((32, 26, 26, batch), "f4") for _ in range(2))
        self.taps = [(self.columns[3 * i + j], self.x[i : i + 26, j : j + 26]) for i, j in product(range(3), range(3))]
        rows = (26, 26 * batch)
        self.row_columns = self.columns.reshape(10, *rows).swapaxes(0, 1)
        self.row_columns_T = self.row_columns.swapaxes(1, 2)
        self.row_y = self.y.reshape(32, *rows).swapaxes(0, 1)
        self.row_dy = self.dy.reshape(32, *rows).swapaxes(0, 1)
        self.parts = np.empty((26, 32, 10), "f4")
        self.zeros = np.zeros(26 * 26 * batch, "f4")
        self.bits = np.empty(self.y.shape, np.int32)

    def forward(self, images: Array) -> None:
        """Write relu(conv(images)) into ``y``."""
        np.copyto(self.x, images[:, 0].transpose(1, 2, 0))
        for column, tap in self.taps:
            np.copyto(column, tap)
        np.matmul(self.W, self.row_columns, out=self.row_y)
        flat = self.y.reshape(32, -1)
        np.maximum(flat, self.zeros, out=flat)

    def backward(self) -> None:
        """Write the gradient of weight and bias from ``dy``; images need none."""
        bits, word = self.bits, self.dy.view(np.int32)
        np.negative(self.y.view(np.int32), out=bits)
        np.right_shift(bits, SHIFT, out=bits)
        np.bitwise_and(word, bits, out=word)
        np.matmul(self.row_dy, self.row_columns_T, out=self.parts)
        np.add.reduce(self.parts, axis=0, out=self.dW)


class MaxPool:
    """Pool (32, 26, 26, N) to (32, 13, 13, N) by comparing strided views."""

    def __init__(self, y: Array, dy: Array, batch: int) -> None:
        pairs = (32, 13, 2, 26, batch)
        rows = y.reshape(pairs)
        self.upper, self.lower = rows[:, :, 0], rows[:, :, 1]
        self.tall = np.empty((32, 13, 26, batch), "f4")
        columns = self.tall.reshape(32, 13, 13, 2, batch)
        self.left, self.right = columns[:, :, :, 0], columns[:, :, :, 1]
        self.p, self.dp = (np.empty((32, 13, 13, batch), "f4") for _ in range(2))
        self.mask = np.empty(self.p.shape, bool)
        windows = (32, 13, 2, 13, 2, batch)
        y6, dy6 = y.reshape(windows), dy.reshape(windows)
        corners = product(range(2), range(2))
        self.corners = [(y6[:, :, i, :, j], dy6[:, :, i, :, j]) for i, j in corners]

    def forward(self) -> None:
        """Write the maxima into ``p``."""
        np.maximum(self.upper, self.lower, out=self.tall)
        np.maximum(self.left, self.right, out=self.p)

    def backward(self) -> None:
        """Send ``dp`` to where the maximum was (ties of ReLU zeros are masked below)."""
        for y, dy in self.corners:
            np.equal(y, self.p, out=self.mask)
            np.multiply(self.dp, self.mask, out=dy)


class Head:
    """Run Linear, ReLU, Linear on (features, N) and back."""

    def __init__(self, store: Parameters, batch: int, x: Array, dx: Array) -> None:
        self.p, self.g, self.x, self.dx = store.p, store.g, x, dx
        self.h, self.dh = (np.empty((128, batch), "f4") for _ in range(2))
        self.z = np.empty((10, batch), "f4")
        self.zeros, self.mask = np.zeros_like(self.h), np.empty(self.h.shape, bool)

    def forward(self) -> Array:
        """Return the logits (10, N)."""
        p = self.p
        np.dot(p["4.weight"], self.x, out=self.h)
        np.add(self.h, p["4.bias"][:, None], out=self.h)
        np.maximum(self.h, self.zeros, out=self.h)
        np.dot(p["6.weight"], self.h, out=self.z)
        np.add(self.z, p["6.bias"][:, None], out=self.z)
        return self.z

    def backward(self, dz: Array) -> None:
        """Fill the gradients and write the input's into ``dx``; dz: (10, N)."""
        p, g = self.p, self.g
        np.dot(dz, self.h.T, out=g["6.weight"])
        np.add.reduce(dz, axis=1, out=g["6.bias"])
        np.dot(p["6.weight"].T, dz, out=self.dh)
        np.greater(self.h, self.zeros, out=self.mask)
        np.multiply(self.dh, self.mask, out=self.dh)
        np.dot(self.dh, self.x.T, out=g["4.weight"])
        np.add.reduce(self.dh, axis=1, out=g["4.bias"])
        np.dot(p["4.weight"].T, self.dh, out=self.dx)


def build(inputs: Inputs) -> Callable[[], float]:
    """Return one training step."""
    batch: int = inputs.sizes["batch"]
    w = inputs.weights
    joined = {"conv": np.concatenate([w["0.weight"].reshape(32, 9), w["0.bias"][:, None]], axis=1)}
    store = Parameters(joined | {k: v for k, v in w.items() if k[0] != "0"})
    conv = Conv(store.p["conv"], store.g["conv"], batch)
    pool = MaxPool(conv.y, conv.dy, batch)
    head = Head(store, batch, pool.p.reshape(-1, batch), pool.dp.reshape(-1, batch))
    loss_into = cross_entropy(batch, 10)
    logits, dlogits = (np.empty((batch, 10), "f4") for _ in range(2))
    dz = np.empty((10, batch), "f4")
    batches = cycle(inputs.batches)

    def step() -> float:
        images, target = next(batches)
        conv.forward(images)
        pool.forward()
        np.copyto(logits, head.forward().T)
        loss = loss_into(logits, target, dlogits)
        np.copyto(dz, dlogits.T)
        head.backward(dz)
        pool.backward()
        conv.backward()
        store.adam.step()
        return loss

    return step
