"""Write every workload for HIPS autograd: plain functions of dicts, ``value_and_grad``, Adam."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from typing import Any

import numpy as np

import autograd.numpy as anp
from autograd import grad, value_and_grad
from benchmarks.inputs import Inputs
from benchmarks.peers import scalar_net

Step = Callable[[], Any]
Params = dict[str, Any]


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"HIPS autograd": version("autograd"), "numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return np.asarray(value)


class Adam:
    """Update a dict of arrays, as ``autograd.misc.optimizers`` does."""

    def __init__(self, p: Params, lr: float = 1e-3, b1: float = 0.9, b2: float = 0.999) -> None:
        self.p, self.lr, self.b1, self.b2, self.t = p, lr, b1, b2, 0
        self.m = {k: np.zeros_like(v) for k, v in p.items()}
        self.v = {k: np.zeros_like(v) for k, v in p.items()}

    def step(self, gradients: Params) -> None:
        """Make one step of Adam."""
        self.t += 1
        c1, c2 = 1 - self.b1**self.t, 1 - self.b2**self.t
        for k, g in gradients.items():
            self.m[k] = self.b1 * self.m[k] + (1 - self.b1) * g
            self.v[k] = self.b2 * self.v[k] + (1 - self.b2) * g**2
            update = self.lr * (self.m[k] / c1) / (np.sqrt(self.v[k] / c2) + 1e-8)
            self.p[k] = self.p[k] - update


def train(loss: Callable[..., Any], inputs: Inputs) -> Step:
    """Return one training step of ``loss(parameters, *batch)``."""
    p = dict(inputs.weights)
    optimizer, both = Adam(p), value_and_grad(loss)
    batches = cycle(inputs.batches)

    def step() -> Any:
        value, gradients = both(p, *next(batches))
        optimizer.step(gradients)
        return value

    return step


def linear(p: Params, name: str, x: Any) -> Any:
    """Compute x W^T + b."""
    return anp.dot(x, p[f"{name}.weight"].T) + p[f"{name}.bias"]


def relu(x: Any) -> Any:
    """Compute max(x, 0)."""
    return anp.maximum(x, 0)


def sigmoid(x: Any) -> Any:
    """Compute 1/2 + tanh(x/2)/2."""
    return 0.5 * (anp.tanh(0.5 * x) + 1)


def bce(z: Any, y: Any) -> Any:
    """Compute mean binary cross-entropy with logits."""
    return anp.mean(anp.logaddexp(0, z) - z * y)


def cross_entropy(z: Any, y: Any) -> Any:
    """Compute mean cross-entropy with class numbers."""
    z = z.reshape((-1, z.shape[-1]))
    z = z - anp.max(z, axis=1, keepdims=True)
    picked = z[np.arange(z.shape[0]), y.reshape(-1)]
    return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - picked)


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
    """Train the small convolution net; im2col by slices (the own convolve is much slower)."""

    def loss(p: Params, x: Any, y: Any) -> Any:
        n = x.shape[0]
        taps = [x[:, 0, i : i + 26, j : j + 26] for i in range(3) for j in range(3)]
        columns = np.stack(taps, axis=1).reshape(n, 9, -1)
        x = anp.matmul(p["0.weight"].reshape((32, 9)), columns) + p["0.bias"][:, None]
        x = anp.max(relu(x).reshape((n, 32, 13, 2, 13, 2)), axis=(3, 5))
        x = relu(linear(p, "4", x.reshape((n, -1))))
        return cross_entropy(linear(p, "6", x), y)

    return train(loss, inputs)


def lstm_layer(p: Params, name: str, x: list[Any]) -> list[Any]:
    """Run one LSTM layer over a list of (N, I)."""
    W, U = p[f"{name}.weight_ih_l0"].T, p[f"{name}.weight_hh_l0"].T
    b = p[f"{name}.bias_ih_l0"] + p[f"{name}.bias_hh_l0"]
    h = c = np.zeros((x[0].shape[0], U.shape[0]), "f4")
    outputs = []
    for part in x:
        i, f, g, o = anp.split(anp.dot(part, W) + anp.dot(h, U) + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * anp.tanh(g)
        h = sigmoid(o) * anp.tanh(c)
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
    pG = {k: v for k, v in inputs.weights.items() if k[0] == "G"}
    pD = {k: v for k, v in inputs.weights.items() if k[0] == "D"}
    adam_g, adam_d = Adam(pG, 2e-4, 0.5), Adam(pD, 2e-4, 0.5)
    slope = np.float32(0.2)

    def judge(p: Params, x: Any) -> Any:
        return stack(p, x, 3, "D.", lambda z: anp.maximum(z, slope * z))

    def generate(p: Params, z: Any) -> Any:
        return anp.tanh(stack(p, z, 3, "G."))

    both_d = value_and_grad(lambda p, real, fake: bce(judge(p, real), 1) + bce(judge(p, fake), 0))
    both_g = value_and_grad(lambda p, z: bce(judge(pD, generate(p, z)), 1))
    batches = cycle(inputs.batches)

    def step() -> Any:
        z, real = next(batches)
        value_d, g = both_d(pD, real, generate(pG, z))
        adam_d.step(g)
        value_g, g = both_g(pG, z)
        adam_g.step(g)
        return value_d + value_g

    return step


def layer_norm(p: Params, name: str, x: Any) -> Any:
    """Normalize the last axis."""
    x = x - anp.mean(x, axis=-1, keepdims=True)
    x = x / anp.sqrt(anp.mean(x * x, axis=-1, keepdims=True) + 1e-5)
    return x * p[f"{name}.weight"] + p[f"{name}.bias"]


def gelu(x: Any) -> Any:
    """Compute the tanh form of GELU."""
    return 0.5 * x * (1 + anp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def block(p: Params, name: str, x: Any, heads: int, mask: Any) -> Any:
    """Run one pre-norm encoder layer."""
    n, t, d = x.shape
    h = layer_norm(p, f"{name}.norm1", x)
    qkv = anp.dot(h, p[f"{name}.self_attn.in_proj_weight"].T) + p[f"{name}.self_attn.in_proj_bias"]
    q, k, v = (anp.swapaxes(a.reshape((n, t, heads, -1)), 1, 2) for a in anp.split(qkv, 3, axis=2))
    scores = anp.matmul(q, anp.swapaxes(k, 2, 3)) * (d // heads) ** -0.5 + mask
    scores = anp.exp(scores - anp.max(scores, axis=-1, keepdims=True))
    scores = scores / anp.sum(scores, axis=-1, keepdims=True)
    h = anp.swapaxes(anp.matmul(scores, v), 1, 2).reshape((n, t, d))
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
    x = inputs.batches[0][0]

    def f(x: Any) -> Any:
        square = x**2
        return anp.sum(anp.tanh(x) * sigmoid(x) + anp.exp(-square) / (1 + square))

    both = value_and_grad(f)
    return lambda: both(x)


def hvp(inputs: Inputs) -> Step:
    """Multiply the Hessian of Rosenbrock's function with a vector, reverse over reverse."""
    x, v = inputs.batches[0]

    def f(x: Any) -> Any:
        return anp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    df = grad(f)
    product = grad(lambda x, v: anp.dot(df(x), v))
    return lambda: (product(x, v),)


def scalar(inputs: Inputs) -> Step:
    """Differentiate the 2-16-16-1 net of scalars."""
    net = scalar_net.make(inputs, float)
    both = value_and_grad(lambda net: scalar_net.hinge(net, inputs, relu))

    def step() -> tuple[Any, Callable[[], Any]]:
        value, gradient = both(net)
        return value, lambda: scalar_net.first_gradients(gradient, float)

    return step


def chain(inputs: Inputs) -> Step:
    """Differentiate a long chain of scalar ops."""
    pairs = inputs.sizes["ops"] // 2

    def f(x: Any) -> Any:
        for _ in range(pairs):
            x = x * 0.999999
            x = x + 0.000001
        return x

    both = value_and_grad(f)
    return lambda: both(1.5)


BUILDERS: dict[str, Callable[[Inputs], Step]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": lstm,
    "gan": gan,
    "transformer": transformer,
    "elementwise": elementwise,
    "hvp": hvp,
    "scalar": scalar,
    "chain": chain,
}
