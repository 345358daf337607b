"""Write the workloads of the engine as a chainrule user would; those of nn are in chainrule_nn."""

from __future__ import annotations

import gc
import importlib
import os
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd as ag
from benchmarks.inputs import Inputs
from benchmarks.memory import resident
from benchmarks.peers import scalar_net

Step = Callable[[], Any]
prepared: Callable[[Any], Any] = ag.compile if "CHAINRULE_BENCH_COMPILED" in os.environ else lambda f: f
ag.reuse_memory()  # the documented switch for programs on large arrays
TEN_MEGABYTES = 10_000_000


def versions() -> dict[str, str]:
    """Name the versions that matter."""
    return {"chainrule": ag.__version__, "numpy": np.__version__}


def as_array(value: Any) -> Any:
    """Return ``value`` as an array of numbers."""
    return value.numpy() if isinstance(value, ag.Tensor) else np.asarray(value)


def elementwise(inputs: Inputs) -> Step:
    """Differentiate a long expression."""
    x = ag.Tensor(inputs.batches[0][0], requires_grad=True)

    @prepared
    def f(x: Any) -> Any:
        square = x**2
        return (np.tanh(x) * ag.sigmoid(x) + np.exp(-square) / (1 + square)).sum()

    def step() -> tuple[Any, Any]:
        x.grad = None
        y = f(x)
        y.backward()
        return y, x.grad

    return step


def hvp(inputs: Inputs) -> Step:
    """Multiply the Hessian of Rosenbrock's function with a vector."""
    x, v = inputs.batches[0]

    def f(x: Any) -> Any:
        return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()

    product = prepared(ag.hvp(f))
    return lambda: (product(x, v),)


def leaf(value: float) -> Any:
    """Make one scalar that asks for its gradient."""
    return ag.Tensor(value, requires_grad=True)


def scalar(inputs: Inputs) -> Step:
    """Differentiate the 2-16-16-1 net of scalars."""
    return scalar_net.step_with_grad(inputs, leaf, ag.relu, prepared=prepared)


def chain(inputs: Inputs) -> Step:
    """Differentiate a long chain of scalar ops."""
    pairs = inputs.sizes["ops"] // 2

    def step() -> tuple[Any, Any]:
        x = ag.Tensor(1.5, requires_grad=True)
        y = x
        for _ in range(pairs):
            y = y * 0.999999
            y = y + 0.000001
        y.backward()
        return y, x.grad

    return step


def late(name: str) -> Callable[[Inputs], Step]:
    """Return a builder of chainrule_nn that is looked up when it is used."""

    def build(inputs: Inputs) -> Step:
        step: Step = getattr(importlib.import_module("benchmarks.peers.chainrule_nn"), name)(inputs)
        return step

    return build


NN = (
    "mlp", "cnn", "lstm", "gru", "gan", "transformer", "deep_cnn", "conv1d", "dropout", "inference"
)  # fmt: skip

BUILDERS: dict[str, Callable[[Inputs], Step]] = {
    "elementwise": elementwise,
    "hvp": hvp,
    "scalar": scalar,
    "chain": chain,
    **{name: late(name) for name in NN},
}


def tracing() -> dict[str, Any]:
    """Time the first call of 10^4 ops, and measure how memory grows from 100 to 200 shapes."""

    def long(x: Any) -> Any:
        for _ in range(5_000):
            x = x * 0.999999 + 1e-6
        return x.sum()

    started = time.perf_counter()
    ag.compile(ag.value_and_grad(long))(np.ones(4))
    seconds = time.perf_counter() - started
    many = ag.compile(ag.value_and_grad(lambda x: (np.tanh(x) @ np.exp(x).T).sum()))
    bytes_at = []
    for n in range(1, 201):
        many(np.ones((n, 3)))
        if n in (100, 200):
            gc.collect()
            bytes_at.append(resident())
    return {"rows": {"seconds": seconds, "grown": max(0, bytes_at[1] - bytes_at[0])}}


def saved_memory() -> dict[str, Any]:
    """Count how many 10 MB arrays ten chained ops keep alive, before and after backward.

    The leaf is not counted, the result ``y`` is. By their rules ten sums keep 1 (y itself), ten
    exponentials 10 (each keeps its output, the last is y), ten products with one array 10 (nine
    inputs and y).
    """
    ops: dict[str, tuple[Callable[[Any], Any], int]] = {
        "add": (lambda y: y + 1.0, 1),
        "exp": (np.exp, 10),
        "multiply by a leaf": (lambda y: y * factor, 10),
    }
    factor = ag.Tensor(np.ones(TEN_MEGABYTES // 8), requires_grad=True)
    rows = {}
    for name, (op, expected) in ops.items():
        x = ag.Tensor(np.full(TEN_MEGABYTES // 8, -30.0), requires_grad=True)
        tracemalloc.start()
        with np.errstate(all="ignore"):  # ten exponentials overflow; only their memory counts
            y = op(x)
            for _ in range(9):
                y = op(y)
            alive = tracemalloc.get_traced_memory()[0] / TEN_MEGABYTES
            y.sum().backward()
        x.grad = factor.grad = None
        after = tracemalloc.get_traced_memory()[0] / TEN_MEGABYTES
        tracemalloc.stop()
        rows[name] = {"expected": expected, "forward": alive, "after backward": after}
    return {"rows": rows}
