"""Write every workload in JAX: one jitted function per step, Adam inside it."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
if os.environ.get("CHAINRULE_BENCH_THREADS", "1") != "1":
    del os.environ["XLA_FLAGS"]

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.inputs import Inputs
from benchmarks.peers import scalar_net

jax.config.update("jax_enable_x64", True)
Step = Callable[[], Any]
Params = dict[str, Any]


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"jax": jax.__version__, "numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return np.asarray(value)


def adam(p: Params, g: Params, state: Any, lr: float = 1e-3, b1: float = 0.9, b2: float = 0.999) -> Any:
    """Make one step of Adam over a dict of arrays."""
    m, v, t = state
    t = t + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
    c1, c2 = 1 - b1**t, 1 - b2**t
    p = jax.tree.map(lambda p, m, v: p - lr * (m / c1) / (jnp.sqrt(v / c2) + 1e-8), p, m, v)
    return p, (m, v, t)


def start(weights: dict[str, Any]) -> tuple[Params, Any]:
    """Return parameters and Adam's state on the device."""
    p = {k: jnp.asarray(v) for k, v in weights.items()}
    zeros = jax.tree.map(jnp.zeros_like, p)
    return p, (zeros, zeros, jnp.zeros((), jnp.float32))


def train(loss: Callable[..., Any], inputs: Inputs) -> Step:
    """Return one training step of ``loss(parameters, *batch)``."""
    p, state = start(inputs.weights)
    batches = cycle([tuple(jnp.asarray(a) for a in batch) for batch in inputs.batches])

    def update(p: Params, state: Any, *batch: Any) -> Any:
        value, g = jax.value_and_grad(loss)(p, *batch)
        return value, *adam(p, g, state)

    compiled = jax.jit(update, donate_argnums=(0, 1))

    def step() -> Any:
        nonlocal p, state
        value, p, state = compiled(p, state, *next(batches))
        return value

    # both moments start as one array, which cannot be donated twice
    state = (state[0], jax.tree.map(jnp.copy, state[1]), state[2])
    return step


def linear(p: Params, name: str, x: Any) -> Any:
    """Compute x W^T + b."""
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def bce(z: Any, y: Any) -> Any:
    """Compute mean binary cross-entropy with logits."""
    return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))


def cross_entropy(z: Any, y: Any) -> Any:
    """Compute mean cross-entropy with class numbers."""
    picked = jnp.take_along_axis(jax.nn.log_softmax(z), y[..., None], axis=-1)
    return -jnp.mean(picked)


def stack(p: Params, x: Any, count: int, prefix: str = "", hidden: Callable[..., Any] = jax.nn.relu) -> Any:
    """Run Linear, activation, ..., Linear."""
    for i in range(count - 1):
        x = hidden(linear(p, f"{prefix}{2 * i}", x))
    return linear(p, f"{prefix}{2 * count - 2}", x)


def mlp(inputs: Inputs) -> Step:
    """Train a stack of Linear and ReLU."""
    criterion = {"bce": bce, "cross_entropy": cross_entropy}[inputs.sizes["loss"]]
    count = len(inputs.sizes["layers"]) - 1
    return train(lambda p, x, y: criterion(stack(p, x, count), y), inputs)


def inference(inputs: Inputs) -> Step:
    """Run the MLP forward."""
    p, _ = start(inputs.weights)
    count = len(inputs.sizes["layers"]) - 1
    compiled = jax.jit(lambda p, x: stack(p, x, count))
    batches = cycle([jnp.asarray(x) for x, _ in inputs.batches])
    return lambda: compiled(p, next(batches))


def cnn(inputs: Inputs) -> Step:
    """Train the small convolution net."""

    def loss(p: Params, x: Any, y: Any) -> Any:
        x = jax.lax.conv_general_dilated(x, p["0.weight"], (1, 1), "VALID")
        x = jax.nn.relu(x + p["0.bias"][:, None, None])
        window = (1, 1, 2, 2)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        x = jax.nn.relu(linear(p, "4", x.reshape(x.shape[0], -1)))
        return cross_entropy(linear(p, "6", x), y)

    return train(loss, inputs)


def lstm_layer(p: Params, name: str, x: Any) -> Any:
    """Run one LSTM layer over (T, N, I) with ``scan``; the input GEMM is one for all steps."""
    U = p[f"{name}.weight_hh_l0"].T
    z = x @ p[f"{name}.weight_ih_l0"].T + (p[f"{name}.bias_ih_l0"] + p[f"{name}.bias_hh_l0"])
    zeros = jnp.zeros((x.shape[1], U.shape[0]), x.dtype)

    def cell(carry: Any, z: Any) -> Any:
        h, c = carry
        i, f, g, o = jnp.split(z + h @ U, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    return jax.lax.scan(cell, (zeros, zeros), z)[1]


def lstm(inputs: Inputs) -> Step:
    """Train two LSTM layers."""

    def loss(p: Params, x: Any, y: Any) -> Any:
        x = lstm_layer(p, "second", lstm_layer(p, "first", jnp.swapaxes(x, 0, 1)))
        return bce(linear(p, "head", x[-1]), y)

    return train(loss, inputs)


def gan(inputs: Inputs) -> Step:
    """Train discriminator and generator once each, in one compiled function."""
    pG, sG = start({k: v for k, v in inputs.weights.items() if k[0] == "G"})
    pD, sD = start({k: v for k, v in inputs.weights.items() if k[0] == "D"})

    def judge(p: Params, x: Any) -> Any:
        return stack(p, x, 3, "D.", lambda z: jax.nn.leaky_relu(z, 0.2))

    def generate(p: Params, z: Any) -> Any:
        return jnp.tanh(stack(p, z, 3, "G."))

    def update(pG: Params, sG: Any, pD: Params, sD: Any, z: Any, real: Any) -> Any:
        fake = generate(pG, z)

        def loss_d(p: Params) -> Any:
            return bce(judge(p, real), 1.0) + bce(judge(p, fake), 0.0)

        value_d, gD = jax.value_and_grad(loss_d)(pD)
        pD, sD = adam(pD, gD, sD, 2e-4, 0.5)
        value_g, gG = jax.value_and_grad(lambda p: bce(judge(pD, generate(p, z)), 1.0))(pG)
        pG, sG = adam(pG, gG, sG, 2e-4, 0.5)
        return value_d + value_g, pG, sG, pD, sD

    compiled = jax.jit(update)
    batches = cycle([tuple(jnp.asarray(a) for a in batch) for batch in inputs.batches])
    state: Any = (pG, sG, pD, sD)

    def step() -> Any:
        nonlocal state
        value, *state = compiled(*state, *next(batches))
        return value

    return step


def layer_norm(p: Params, name: str, x: Any) -> Any:
    """Normalize the last axis."""
    x = x - x.mean(-1, keepdims=True)
    variance = jnp.mean(x * x, -1, keepdims=True)
    return x * jax.lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]


def block(p: Params, name: str, x: Any, heads: int, mask: Any) -> Any:
    """Run one pre-norm encoder layer."""
    n, t, d = x.shape
    h = layer_norm(p, f"{name}.norm1", x)
    qkv = h @ p[f"{name}.self_attn.in_proj_weight"].T + p[f"{name}.self_attn.in_proj_bias"]
    q, k, v = (a.reshape(n, t, heads, -1).swapaxes(1, 2) for a in jnp.split(qkv, 3, axis=-1))
    scores = q @ k.swapaxes(2, 3) * (d // heads) ** -0.5 + mask
    h = (jax.nn.softmax(scores) @ v).swapaxes(1, 2).reshape(n, t, d)
    x = x + linear(p, f"{name}.self_attn.out_proj", h)
    h = linear(p, f"{name}.linear1", layer_norm(p, f"{name}.norm2", x))
    return x + linear(p, f"{name}.linear2", jax.nn.gelu(h, approximate=True))


def transformer(inputs: Inputs) -> Step:
    """Train the character model."""
    s = inputs.sizes
    mask = jnp.triu(jnp.full((s["length"], s["length"]), -jnp.inf, jnp.float32), 1)

    def loss(p: Params, tokens: Any, y: Any) -> Any:
        x = p["token.weight"][tokens] + p["position.weight"]
        for i in range(s["blocks"]):
            x = block(p, f"blocks.{i}", x, s["heads"], mask)
        return cross_entropy(linear(p, "head", layer_norm(p, "norm", x)), y)

    return train(loss, inputs)


def elementwise(inputs: Inputs) -> Step:
    """Differentiate a long expression."""
    x = jnp.asarray(inputs.batches[0][0])

    def f(x: Any) -> Any:
        square = x**2
        return jnp.sum(jnp.tanh(x) * jax.nn.sigmoid(x) + jnp.exp(-square) / (1 + square))

    compiled = jax.jit(jax.value_and_grad(f))
    return lambda: compiled(x)


def hvp(inputs: Inputs) -> Step:
    """Multiply the Hessian of Rosenbrock's function with a vector, forward over reverse."""
    x, v = (jnp.asarray(a) for a in inputs.batches[0])

    def f(x: Any) -> Any:
        return jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    compiled = jax.jit(lambda x, v: jax.jvp(jax.grad(f), (x,), (v,))[1])
    return lambda: (compiled(x, v),)


def scalar(inputs: Inputs) -> Step:
    """Differentiate the 2-16-16-1 net of scalars, 337 scalar arguments."""
    net = scalar_net.make(inputs, jnp.asarray)
    compiled = jax.jit(jax.value_and_grad(lambda n: scalar_net.hinge(n, inputs, jax.nn.relu)))

    def step() -> tuple[Any, Callable[[], Any]]:
        value, gradient = compiled(net)
        return value, lambda: scalar_net.first_gradients(gradient, float)

    return step


BUILDERS: dict[str, Callable[[Inputs], Step]] = {
    "mlp": mlp,
    "cnn": cnn,
    "lstm": lstm,
    "gan": gan,
    "transformer": transformer,
    "elementwise": elementwise,
    "hvp": hvp,
    "scalar": scalar,
    "inference": inference,
}
