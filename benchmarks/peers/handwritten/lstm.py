"""Train LSTM, LSTM (last step), Linear by hand.

One GEMM for the input of all steps, one small GEMM per step, one ``tanh`` for all four gates
(sigmoid z = 1/2 + tanh(z/2)/2, with the 1/2 folded into the pre-activations), and one GEMM per
weight gradient at the end. Time is the first axis.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from benchmarks.inputs import Array, Inputs
from benchmarks.peers.handwritten.adam import Parameters
from benchmarks.peers.handwritten.losses import bce_with_logits

HALF, ONE = np.array(0.5, np.float32), np.array(1, np.float32)
ORDER = (0, 1, 3, 2)  # PyTorch's i, f, g, o to i, f, o, g: the three sigmoids side by side


def reordered(weights: dict[str, Array], layers: tuple[str, ...]) -> dict[str, Array]:
    """Return weights (features, 4H) with gates i, f, o, g and one bias per layer."""
    out = {}
    for name in layers:
        part = {
            k: np.concatenate([np.split(weights[f"{name}.{k}_l0"], 4)[i] for i in ORDER])
            for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        out[f"{name}.W"] = np.ascontiguousarray(part["weight_ih"].T)
        out[f"{name}.U"] = np.ascontiguousarray(part["weight_hh"].T)
        # PyTorch has two biases with one gradient; Adam moves each of them by the same amount.
        out[f"{name}.b"], out[f"{name}.b2"] = part["bias_ih"], part["bias_hh"]
    return out | {"head.weight": weights["head.weight"].T, "head.bias": weights["head.bias"]}


class Lstm:
    """Run one LSTM layer over (T, N, I), forwards and backwards, on buffers made once."""

    def __init__(self, store: Parameters, name: str, steps: int, batch: int) -> None:
        self.p = {k: store.p[f"{name}.{k}"] for k in ("W", "U", "b", "b2")}
        self.g = {k: store.g[f"{name}.{k}"] for k in ("W", "U", "b", "b2")}
        self.H = H = self.p["U"].shape[0]
        self.T, self.N = steps, batch
        self.gates = np.empty((steps, batch, 4 * H), "f4")
        self.h = np.zeros((steps + 1, batch, H), "f4")
        self.c = np.zeros((steps + 1, batch, H), "f4")
        self.tanh_c = np.empty((steps, batch, H), "f4")
        self.dz = np.empty((steps, batch, 4 * H), "f4")
        self.scale = np.concatenate([np.full(3 * H, 0.5, "f4"), np.ones(H, "f4")])
        self.shift = np.concatenate([np.full(3 * H, 0.5, "f4"), np.zeros(H, "f4")])
        self.U_half = np.empty_like(self.p["U"])
        self.W_half = np.empty_like(self.p["W"])
        self.t, self.dc = (np.empty((batch, H), "f4") for _ in range(2))
        self.z = np.empty((batch, 4 * H), "f4")
        self.ones = np.ones(steps * batch, "f4")

    def forward(self, x: Array) -> None:
        """Fill ``h`` and ``c`` (index t+1 holds step t) from x: (T, N, I)."""
        H, p, z, t = self.H, self.p, self.z, self.t
        np.multiply(p["W"], self.scale, out=self.W_half)
        np.multiply(p["U"], self.scale, out=self.U_half)
        flat = self.gates.reshape(self.T * self.N, 4 * H)
        np.dot(x.reshape(self.T * self.N, -1), self.W_half, out=flat)
        bias = (p["b"] + p["b2"]) * self.scale
        for step in range(self.T):
            a = self.gates[step]
            np.dot(self.h[step], self.U_half, out=z)
            np.add(z, bias, out=z)
            np.add(z, a, out=a)
            np.tanh(a, out=a)
            sigmoids = a[:, : 3 * H]
            np.multiply(sigmoids, HALF, out=sigmoids)
            np.add(sigmoids, HALF, out=sigmoids)
            i, f, o, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
            c = self.c[step + 1]
            np.multiply(f, self.c[step], out=c)
            np.multiply(i, g, out=t)
            np.add(c, t, out=c)
            np.tanh(c, out=self.tanh_c[step])
            np.multiply(o, self.tanh_c[step], out=self.h[step + 1])

    def local_derivatives(self) -> None:
        """Turn, for all steps at once, gates into what dc and dh are multiplied with.

        ``dz`` holds i(1-i) g | f(1-f) c_prev | o(1-o) tanh c | (1-g^2) i, ``tanh_c`` o (1-tanh^2 c).
        """
        H, dz, a = self.H, self.dz, self.gates
        for step in range(self.T):
            s, d, u = a[step, :, : 3 * H], dz[step, :, : 3 * H], a[step, :, 3 * H :]
            i, o, tc = a[step, :, :H], a[step, :, 2 * H : 3 * H], self.tanh_c[step]
            np.multiply(s, s, out=d)
            np.subtract(s, d, out=d)
            for k, other in enumerate((u, self.c[step], tc)):
                part = d[:, k * H : (k + 1) * H]
                np.multiply(part, other, out=part)
            last = dz[step, :, 3 * H :]
            np.multiply(u, u, out=last)
            np.subtract(ONE, last, out=last)
            np.multiply(last, i, out=last)
            np.multiply(tc, tc, out=tc)
            np.subtract(ONE, tc, out=tc)
            np.multiply(tc, o, out=tc)

    def backward(self, x: Array, dh: Array, dx: Array | None) -> None:
        """Fill the gradients; ``dh``: (T, N, H) upstream is overwritten; ``dx``: (T, N, I)."""
        self.local_derivatives()
        H, T, t, dc = self.H, self.T, self.t, self.dc
        UT = np.ascontiguousarray(self.p["U"].T)
        dc[...] = 0
        for step in range(T - 1, -1, -1):
            dz, d = self.dz[step], dh[step]
            np.multiply(d, self.tanh_c[step], out=t)
            np.add(dc, t, out=dc)
            i, f, o, g = dz[:, :H], dz[:, H : 2 * H], dz[:, 2 * H : 3 * H], dz[:, 3 * H :]
            np.multiply(i, dc, out=i)
            np.multiply(f, dc, out=f)
            np.multiply(o, d, out=o)
            np.multiply(g, dc, out=g)
            np.multiply(dc, self.gates[step, :, H : 2 * H], out=dc)
            if step:
                np.dot(dz, UT, out=t)
                np.add(dh[step - 1], t, out=dh[step - 1])
        rows = self.dz.reshape(T * self.N, 4 * H)
        np.dot(x.reshape(T * self.N, -1).T, rows, out=self.g["W"])
        np.dot(self.h[:-1].reshape(T * self.N, H).T, rows, out=self.g["U"])
        np.dot(self.ones, rows, out=self.g["b"])
        np.copyto(self.g["b2"], self.g["b"])
        if dx is not None:
            np.dot(rows, self.p["W"].T, out=dx.reshape(T * self.N, -1))


def build(inputs: Inputs) -> Callable[[], float]:
    """Return one training step."""
    steps, batch = inputs.sizes["steps"], inputs.sizes["batch"]
    store = Parameters(reordered(inputs.weights, ("first", "second")))
    first, second = (Lstm(store, name, steps, batch) for name in ("first", "second"))
    p, g = store.p, store.g
    loss_into = bce_with_logits(batch, 1)
    x = np.empty((steps, batch, inputs.batches[0][0].shape[2]), "f4")
    dh1, dh2 = np.empty((steps, batch, first.H), "f4"), np.empty((steps, batch, second.H), "f4")
    z, dz = np.empty((batch, 1), "f4"), np.empty((batch, 1), "f4")
    batches = cycle(inputs.batches)

    def step() -> float:
        sequences, target = next(batches)
        np.copyto(x, sequences.swapaxes(0, 1))
        first.forward(x)
        second.forward(first.h[1:])
        last = second.h[-1]
        np.dot(last, p["head.weight"], out=z)
        np.add(z, p["head.bias"], out=z)
        loss = loss_into(z, target, dz)
        np.dot(last.T, dz, out=g["head.weight"])
        np.add.reduce(dz, axis=0, out=g["head.bias"])
        dh2[:-1] = 0
        np.dot(dz, p["head.weight"].T, out=dh2[-1])
        second.backward(first.h[1:], dh2, dh1)
        first.backward(x, dh1, None)
        store.adam.step()
        return loss

    return step
