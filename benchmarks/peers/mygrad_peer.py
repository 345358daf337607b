"""Write every workload but the second derivative for MyGrad, memory guard off (its fast mode)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.activations import leaky_relu, relu
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy

from benchmarks.inputs import Inputs
from benchmarks.peers import scalar_net

mg.turn_memory_guarding_off()
C = np.float32  # a Python float would turn a float32 graph into float64
Step = Callable[[], Any]
Params = dict[str, Any]


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"MyGrad": mg.__version__, "numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return value.data if isinstance(value, mg.Tensor) else np.asarray(value)


class Adam:
    """Update the data of tensors in place; MyGrad brings no optimizer."""

    def __init__(self, p: Params, lr: float = 1e-3, b1: float = 0.9, b2: float = 0.999) -> None:
        self.tensors, self.lr, self.b1, self.b2, self.t = list(p.values()), lr, b1, b2, 0
        self.m = [np.zeros_like(p.data) for p in self.tensors]
        self.v = [np.zeros_like(p.data) for p in self.tensors]

    def step(self) -> None:
        """Make one step of Adam."""
        self.t += 1
        c1, c2 = 1 - self.b1**self.t, 1 - self.b2**self.t
        for p, m, v in zip(self.tensors, self.m, self.v, strict=True):
            m += (1 - self.b1) * (p.grad - m)
            v += (1 - self.b2) * (p.grad**2 - v)
            p.data -= self.lr * (m / c1) / (np.sqrt(v / c2) + 1e-8)


def tensors(weights: dict[str, Any], prefix: str = "") -> Params:
    """Turn arrays into tensors."""
    return {k: mg.tensor(v) for k, v in weights.items() if k.startswith(prefix)}


def train(loss: Callable[..., Any], inputs: Inputs) -> Step:
    """Return one training step of ``loss(parameters, *batch)``."""
    p = tensors(inputs.weights)
    optimizer = Adam(p)
    batches = cycle(inputs.batches)

    def step() -> Any:
        value = loss(p, *next(batches))
        value.backward()
        optimizer.step()
        return value

    return step


def linear(p: Params, name: str, x: Any) -> Any:
    """Compute x W^T + b."""
    return mg.matmul(x, p[f"{name}.weight"].T) + p[f"{name}.bias"]


def sigmoid(x: Any) -> Any:
    """Compute the sigmoid."""
    return mg.nnet.activations.sigmoid(x)


def bce(z: Any, y: Any) -> Any:
    """Compute mean binary cross-entropy with logits."""
    return mg.mean(mg.logaddexp(C(0), z) - z * y)


def cross_entropy(z: Any, y: Any) -> Any:
    """Compute mean cross-entropy with class numbers."""
    return softmax_crossentropy(z.reshape(-1, z.shape[-1]), y.reshape(-1))


def stack(p: Params, x: Any, count: int, prefix: str = "", hidden: Callable[..., Any] = relu) -> Any:
    """Run Linear, activation, ..., Linear."""
    for i in range(count - 1):
        x = hidden(linear(p, f"{prefix}{2 * i}", x))
    return linear(p, f"{prefix}{2 * count - 2}", x)


def mlp(inputs: Inputs) -> Step:
    """Train a stack of Linear and ReLU."""
    criterion = {"bce": bce, "cross_entropy": cross_entropy}[inputs.sizes["loss"]]
    count = len(inputs.sizes["layers"]) - 1
    return train(lambda p, x, y: criterion(stack(p, x, count), y), inputs)


def cnn(inputs: Inputs) -> Step:
    """Train the small convolution net."""

    def loss(p: Params, x: Any, y: Any) -> Any:
        x = relu(conv_nd(x, p["0.weight"], stride=1) + p["0.bias"].reshape(1, 32, 1, 1))
        x = max_pool(x, (2, 2), 2)
        x = relu(linear(p, "4", x.reshape(len(x), -1)))
        return cross_entropy(linear(p, "6", x), y)

    return train(loss, inputs)


def lstm_layer(p: Params, name: str, x: list[Any]) -> list[Any]:
    """Run one LSTM layer over a list of (N, I)."""
    W, U = p[f"{name}.weight_ih_l0"].T, p[f"{name}.weight_hh_l0"].T
    b = p[f"{name}.bias_ih_l0"] + p[f"{name}.bias_hh_l0"]
    H = U.shape[0]
    h = c = np.zeros((x[0].shape[0], H), "f4")
    outputs = []
    for part in x:
        z = mg.matmul(part, W) + mg.matmul(h, U) + b
        i, f, g, o = (z[:, k * H : (k + 1) * H] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * mg.tanh(g)
        h = sigmoid(o) * mg.tanh(c)
        outputs.append(h)
    return outputs


def lstm(inputs: Inputs) -> Step:
    """Train two LSTM layers."""

    def loss(p: Params, x: Any, y: Any) -> Any:
        outputs = lstm_layer(p, "first", list(x.swapaxes(0, 1)))
        return bce(linear(p, "head", lstm_layer(p, "second", outputs)[-1]), y)

    return train(loss, inputs)


def gan(inputs: Inputs) -> Step:
    """Train discriminator and generator once each."""
    pG, pD = tensors(inputs.weights, "G."), tensors(inputs.weights, "D.")
    adam_g, adam_d = Adam(pG, 2e-4, 0.5), Adam(pD, 2e-4, 0.5)
    batches = cycle(inputs.batches)

    def judge(x: Any) -> Any:
        return stack(pD, x, 3, "D.", lambda z: leaky_relu(z, 0.2))

    def step() -> Any:
        noise, real = next(batches)
        fake = mg.tanh(stack(pG, noise, 3, "G."))
        loss_d = bce(judge(real), 1) + bce(judge(fake.data), 0)
        loss_d.backward()
        adam_d.step()
        loss_g = bce(judge(fake), 1)
        loss_g.backward()
        adam_g.step()
        return loss_d.data + loss_g.data

    return step


def layer_norm(p: Params, name: str, x: Any) -> Any:
    """Normalize the last axis."""
    x = x - mg.mean(x, axis=-1, keepdims=True)
    x = x / mg.sqrt(mg.mean(x * x, axis=-1, keepdims=True) + C(1e-5))
    return x * p[f"{name}.weight"] + p[f"{name}.bias"]


def gelu(x: Any) -> Any:
    """Compute the tanh form of GELU."""
    return C(0.5) * x * (C(1) + mg.tanh(C(0.7978845608) * (x + C(0.044715) * x * x * x)))


def block(p: Params, name: str, x: Any, heads: int, mask: Any) -> Any:
    """Run one pre-norm encoder layer."""
    n, t, d = x.shape
    h = layer_norm(p, f"{name}.norm1", x)
    qkv = mg.matmul(h, p[f"{name}.self_attn.in_proj_weight"].T)
    qkv = qkv + p[f"{name}.self_attn.in_proj_bias"]
    q, k, v = (mg.swapaxes(qkv[:, :, i * d : (i + 1) * d].reshape(n, t, heads, -1), 1, 2) for i in range(3))
    scores = mg.matmul(q, mg.swapaxes(k, 2, 3)) * C((d // heads) ** -0.5) + mask
    scores = mg.nnet.activations.softmax(scores)
    h = mg.swapaxes(mg.matmul(scores, v), 1, 2).reshape(n, t, d)
    x = x + linear(p, f"{name}.self_attn.out_proj", h)
    h = gelu(linear(p, f"{name}.linear1", layer_norm(p, f"{name}.norm2", x)))
    return x + linear(p, f"{name}.linear2", h)


def transformer(inputs: Inputs) -> Step:
    """Train the character model."""
    s = inputs.sizes
    mask = np.triu(np.full((s["length"], s["length"]), -np.inf, "f4"), 1)

    def loss(p: Params, tokens: Any, y: Any) -> Any:
        x = p["token.weight"][tokens] + p["position.weight"]
        for i in range(s["blocks"]):
            x = block(p, f"blocks.{i}", x, s["heads"], mask)
        return cross_entropy(linear(p, "head", layer_norm(p, "norm", x)), y)

    return train(loss, inputs)


def elementwise(inputs: Inputs) -> Step:
    """Differentiate a long expression."""
    x = mg.tensor(inputs.batches[0][0])

    def step() -> tuple[Any, Any]:
        square = x**2
        y = mg.sum(mg.tanh(x) * sigmoid(x) + mg.exp(-square) / (C(1) + square))
        y.backward()
        return y, x.grad

    return step


def scalar(inputs: Inputs) -> Step:
    """Differentiate the 2-16-16-1 net of scalars."""
    net = scalar_net.make(inputs, mg.tensor)

    def gradient() -> list[float]:
        return scalar_net.first_gradients(net, lambda p: float(p.grad))

    def step() -> tuple[Any, Callable[[], Any]]:
        loss = scalar_net.hinge(net, inputs, relu)
        loss.backward()
        return loss, gradient

    return step


def chain(inputs: Inputs) -> Step:
    """Differentiate a long chain of scalar ops."""
    pairs = inputs.sizes["ops"] // 2

    def step() -> tuple[Any, Any]:
        x = mg.tensor(1.5)
        y = x
        for _ in range(pairs):
            y = y * 0.999999
            y = y + 0.000001
        y.backward()
        return y, x.grad

    return step


BUILDERS: dict[str, Callable[[Inputs], Step]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": lstm,
    "gan": gan,
    "transformer": transformer,
    "elementwise": elementwise,
    "scalar": scalar,
    "chain": chain,
}
