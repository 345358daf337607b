"""Train a pre-norm causal transformer by hand: embeddings, encoder blocks, norm, head.

Tokens are rows of (batch x length, width), so every weight gradient is one GEMM; attention works
on strided views of the one (tokens, 3 width) projection.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from benchmarks.inputs import Array, Inputs
from benchmarks.peers.handwritten.adam import Parameters, transposed
from benchmarks.peers.handwritten.losses import cross_entropy
from benchmarks.peers.handwritten.parts import Gelu, LayerNorm, Linear


class Attention:
    """Compute causal softmax(q kT / sqrt(d)) v on views of the joint projection."""

    def __init__(self, batch: int, length: int, width: int, heads: int) -> None:
        each = width // heads
        self.scale = np.array(each**-0.5, np.float32)
        self.qkv, self.dqkv = (np.empty((batch * length, 3 * width), "f4") for _ in range(2))
        self.q, self.k, self.v = self.views(self.qkv, batch, length, heads)
        self.dq, self.dk, self.dv = self.views(self.dqkv, batch, length, heads)
        self.y, self.dy = (np.empty((batch * length, width), "f4") for _ in range(2))
        by_head = (batch, length, heads, each)
        self.out = self.y.reshape(by_head).swapaxes(1, 2)
        self.dout = self.dy.reshape(by_head).swapaxes(1, 2)
        scores = (batch, heads, length, length)
        self.P, self.dP, self.t = (np.empty(scores, "f4") for _ in range(3))
        self.row = np.empty((batch, heads, length, 1), "f4")
        self.ones = np.ones((length, 1), "f4")
        self.mask = np.triu(np.full((length, length), -np.inf, "f4"), 1)

    @staticmethod
    def views(qkv: Array, batch: int, length: int, heads: int) -> list[Array]:
        """Return q, k, v as (batch, heads, length, each) views."""
        joint = qkv.reshape(batch, length, 3, heads, -1)
        return [joint[:, :, i].swapaxes(1, 2) for i in range(3)]

    def forward(self) -> Array:
        """Write the heads' outputs side by side into ``y``; softmax is in place."""
        P, row = self.P, self.row
        np.multiply(self.q, self.scale, out=self.q)
        np.matmul(self.q, self.k.swapaxes(2, 3), out=P)
        np.add(P, self.mask, out=P)
        np.maximum.reduce(P, axis=3, keepdims=True, out=row)
        np.subtract(P, row, out=P)
        np.exp(P, out=P)
        np.matmul(P, self.ones, out=row)
        np.divide(P, row, out=P)
        np.matmul(P, self.v, out=self.out)
        return self.y

    def backward(self) -> Array:
        """Write the projection's gradient from ``dy``; dS = P (dP - rowsum(P dP))."""
        P, dP, row = self.P, self.dP, self.row
        np.matmul(P.swapaxes(2, 3), self.dout, out=self.dv)
        np.matmul(self.dout, self.v.swapaxes(2, 3), out=dP)
        np.vecdot(P, dP, out=row[..., 0])
        np.subtract(dP, row, out=dP)
        np.multiply(dP, P, out=dP)
        np.matmul(dP, self.k, out=self.dq)
        np.multiply(self.dq, self.scale, out=self.dq)
        np.matmul(dP.swapaxes(2, 3), self.q, out=self.dk)
        return self.dqkv


class Block:
    """Run x + attention(norm(x)), then x + feed-forward(norm(x)), in place on x."""

    def __init__(self, store: Parameters, name: str, sizes: dict[str, int]) -> None:
        batch, length, width = sizes["batch"], sizes["length"], sizes["width"]
        rows = batch * length
        self.norm1 = LayerNorm(store, f"{name}.norm1", rows)
        self.norm2 = LayerNorm(store, f"{name}.norm2", rows)
        self.project = Linear(store, f"{name}.self_attn.in_proj_", rows)
        self.attention = Attention(batch, length, width, sizes["heads"])
        self.mix = Linear(store, f"{name}.self_attn.out_proj.", rows)
        self.up = Linear(store, f"{name}.linear1.", rows)
        self.gelu = Gelu(rows, 4 * width)
        self.down = Linear(store, f"{name}.linear2.", rows)
        self.t = np.empty((rows, width), "f4")

    def forward(self, x: Array) -> None:
        """Update the stream ``x`` (tokens, width) in place."""
        self.project.forward(self.norm1.forward(x), self.attention.qkv)
        np.add(x, self.mix.forward(self.attention.forward(), self.t), out=x)
        self.up.forward(self.norm2.forward(x), self.gelu.x)
        np.add(x, self.down.forward(self.gelu.forward(), self.t), out=x)

    def backward(self, dx: Array) -> None:
        """Update the gradient ``dx`` of the stream in place and fill the weights' gradients."""
        dhidden = self.gelu.backward(self.down.backward(self.gelu.y, dx, self.gelu.dy))
        self.norm2.backward_(self.up.backward(self.norm2.y, dhidden, self.t), dx)
        self.mix.backward(self.attention.y, dx, self.attention.dy)
        dqkv = self.attention.backward()
        self.norm1.backward_(self.project.backward(self.norm1.y, dqkv, self.t), dx)


class Embedding:
    """Add token and position vectors; the tokens' gradient is a one-hot GEMM."""

    def __init__(self, store: Parameters, sizes: dict[str, int]) -> None:
        self.token, self.position = store.p["token.weight"], store.p["position.weight"]
        self.dtoken, self.dposition = store.g["token.weight"], store.g["position.weight"]
        self.batch, self.rows = sizes["batch"], np.arange(sizes["batch"] * sizes["length"])
        self.one_hot = np.zeros((self.rows.size, sizes["vocabulary"]), "f4")

    def forward(self, tokens: Array, x: Array) -> None:
        """Write the stream's start into ``x``."""
        np.take(self.token, tokens.reshape(-1), axis=0, out=x, mode="clip")
        stream = x.reshape(self.batch, -1, x.shape[1])
        np.add(stream, self.position, out=stream)

    def backward(self, tokens: Array, dx: Array) -> None:
        """Fill both tables' gradients."""
        self.one_hot[...] = 0
        self.one_hot[self.rows, tokens.reshape(-1)] = 1
        np.dot(self.one_hot.T, dx, out=self.dtoken)
        np.add.reduce(dx.reshape(self.batch, -1, dx.shape[1]), axis=0, out=self.dposition)


def build(inputs: Inputs) -> Callable[[], float]:
    """Return one training step."""
    sizes = inputs.sizes
    rows = sizes["batch"] * sizes["length"]
    tables = {k: v for k, v in inputs.weights.items() if k.startswith(("token", "position"))}
    store = Parameters(transposed(inputs.weights) | tables)
    embedding = Embedding(store, sizes)
    blocks = [Block(store, f"blocks.{i}", sizes) for i in range(sizes["blocks"])]
    norm, head = LayerNorm(store, "norm", rows), Linear(store, "head.", rows)
    loss_into = cross_entropy(rows, sizes["vocabulary"])
    x, dx, t = (np.empty((rows, sizes["width"]), "f4") for _ in range(3))
    z, dz = (np.empty((rows, sizes["vocabulary"]), "f4") for _ in range(2))
    batches = cycle(inputs.batches)

    def step() -> float:
        tokens, target = next(batches)
        embedding.forward(tokens, x)
        for block in blocks:
            block.forward(x)
        loss = loss_into(head.forward(norm.forward(x), z), target.reshape(-1), dz)
        dx[...] = 0
        norm.backward_(head.backward(norm.y, dz, t), dx)
        for block in reversed(blocks):
            block.backward(dx)
        embedding.backward(tokens, dx)
        store.adam.step()
        return loss

    return step
