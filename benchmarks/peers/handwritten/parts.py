"""Hold the row-wise parts of the transformer: Linear, LayerNorm, GELU, blocked to the cache."""

from __future__ import annotations

import math

import numpy as np

from benchmarks.inputs import Array
from benchmarks.peers.handwritten.adam import Parameters

BLOCK = 16_384
ONE, HALF = np.array(1, "f4"), np.array(0.5, "f4")


class Linear:
    """Compute y = x W + b with W (in, out), into buffers of the caller."""

    def __init__(self, store: Parameters, prefix: str, rows: int) -> None:
        self.W, self.b = store.p[f"{prefix}weight"], store.p[f"{prefix}bias"]
        self.dW, self.db = store.g[f"{prefix}weight"], store.g[f"{prefix}bias"]
        self.ones = np.ones(rows, "f4")

    def forward(self, x: Array, y: Array) -> Array:
        """Write the output into ``y`` and return it."""
        np.dot(x, self.W, out=y)
        np.add(y, self.b, out=y)
        return y

    def backward(self, x: Array, dy: Array, dx: Array) -> Array:
        """Fill the weights' gradients, write the input's into ``dx`` and return it."""
        np.dot(x.T, dy, out=self.dW)
        np.dot(self.ones, dy, out=self.db)
        np.dot(dy, self.W.T, out=dx)
        return dx


class LayerNorm:
    """Compute y = (x - mean)/sqrt(var + 1e-5) * weight + bias for each row, in blocks of rows."""

    def __init__(self, store: Parameters, name: str, rows: int) -> None:
        self.weight, self.bias = store.p[f"{name}.weight"], store.p[f"{name}.bias"]
        self.dweight, self.dbias = store.g[f"{name}.weight"], store.g[f"{name}.bias"]
        width = self.weight.size
        self.y, self.xhat = (np.empty((rows, width), "f4") for _ in range(2))
        self.rstd = np.empty((rows, 1), "f4")
        self.mean = np.full((width, 1), 1 / width, "f4")
        self.count, self.epsilon = np.array(width, "f4"), np.array(1e-5, "f4")
        per_block = max(1, BLOCK // width)
        self.parts = [slice(i, i + per_block) for i in range(0, rows, per_block)]
        self.t, self.row = np.empty((per_block, width), "f4"), np.empty((per_block, 1), "f4")
        self.ones = np.ones(per_block, "f4")

    def forward(self, x: Array) -> Array:
        """Return the normalized rows."""
        for part in self.parts:
            xhat, y, rstd = self.xhat[part], self.y[part], self.rstd[part]
            np.dot(x[part], self.mean, out=rstd)
            np.subtract(x[part], rstd, out=xhat)
            np.vecdot(xhat, xhat, out=rstd[:, 0])
            np.divide(rstd, self.count, out=rstd)
            np.add(rstd, self.epsilon, out=rstd)
            np.sqrt(rstd, out=rstd)
            np.divide(ONE, rstd, out=rstd)
            np.multiply(xhat, rstd, out=xhat)
            np.multiply(xhat, self.weight, out=y)
            np.add(y, self.bias, out=y)
        return self.y

    def backward_(self, dy: Array, dx: Array) -> None:
        """Add the input's gradient to ``dx``; ``dy`` is overwritten.

        dx = rstd (d - mean(d) - xhat mean(d xhat)) with d = dy * weight.
        """
        self.dweight[...] = 0
        self.dbias[...] = 0
        for part in self.parts:
            d, xhat, rstd = dy[part], self.xhat[part], self.rstd[part]
            t, row, ones = self.t[: len(d)], self.row[: len(d)], self.ones[: len(d)]
            self.dbias += np.dot(ones, d)
            np.multiply(d, xhat, out=t)
            self.dweight += np.dot(ones, t)
            np.multiply(d, self.weight, out=d)
            np.vecdot(d, xhat, out=row[:, 0])
            np.divide(row, self.count, out=row)
            np.multiply(xhat, row, out=t)
            np.dot(d, self.mean, out=row)
            np.add(t, row, out=t)
            np.subtract(d, t, out=d)
            np.multiply(d, rstd, out=d)
            np.add(dx[part], d, out=dx[part])


class Gelu:
    """Compute x (1 + tanh u)/2 with u = sqrt(2/pi) (x + 0.044715 x^3), and its derivative.

    The derivative is finished in the forward pass, while the block is in the cache.
    """

    def __init__(self, rows: int, width: int) -> None:
        self.x, self.y, self.d, self.dy = (np.empty((rows, width), "f4") for _ in range(4))
        per_block = max(1, BLOCK // width)
        self.parts = [slice(i, i + per_block) for i in range(0, rows, per_block)]
        self.t = np.empty((per_block, width), "f4")
        c = math.sqrt(2 / math.pi)
        self.c, self.c3 = np.array(c, "f4"), np.array(c * 0.044715, "f4")
        self.c_half, self.c3_half = np.array(c / 2, "f4"), np.array(1.5 * c * 0.044715, "f4")

    def forward(self) -> Array:
        """Return the activation of ``x``; ``d`` receives (1 + t)/2 + x (1 - t^2) u'/2."""
        for part in self.parts:
            x, y, d = self.x[part], self.y[part], self.d[part]
            square, t = d, self.t[: len(x)]
            np.multiply(x, x, out=square)
            np.multiply(square, self.c3, out=t)
            np.add(t, self.c, out=t)
            np.multiply(t, x, out=t)
            np.tanh(t, out=t)
            np.multiply(d, self.c3_half, out=d)
            np.add(d, self.c_half, out=d)
            np.multiply(d, x, out=d)
            np.multiply(t, t, out=y)
            np.subtract(ONE, y, out=y)
            np.multiply(d, y, out=d)
            np.multiply(t, HALF, out=t)
            np.add(t, HALF, out=t)
            np.add(d, t, out=d)
            np.multiply(x, t, out=y)
        return self.y

    def backward(self, dy: Array) -> Array:
        """Multiply ``dy`` by the derivative, in place."""
        np.multiply(dy, self.d, out=dy)
        return dy
