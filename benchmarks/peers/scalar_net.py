"""Write micrograd's net, a 2-16-16-1 MLP of scalar objects, once for every engine of scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.inputs import Inputs

Neuron = tuple[list[Any], Any]
Net = list[list[Neuron]]


def make(inputs: Inputs, leaf: Callable[[float], Any]) -> Net:
    """Make neurons (weights, bias) whose numbers are the engine's leaves."""
    net: Net = []
    for i in range(3):
        rows, biases = inputs.weights[f"{i}.weight"], inputs.weights[f"{i}.bias"]
        neurons = zip(rows.tolist(), biases.tolist(), strict=True)
        net.append([([leaf(w) for w in row], leaf(b)) for row, b in neurons])
    return net


def parameters(net: Net) -> list[Any]:
    """List all leaves."""
    return [p for layer in net for weights, bias in layer for p in (*weights, bias)]


def score(net: Net, x: list[Any], relu: Callable[[Any], Any]) -> Any:
    """Run the net on one point; ReLU follows all layers but the last."""
    for layer in net[:-1]:
        x = [relu(sum((w * v for w, v in zip(ws, x, strict=True)), b)) for ws, b in layer]
    weights, bias = net[-1][0]
    return sum((w * v for w, v in zip(weights, x, strict=True)), bias)


def hinge(net: Net, inputs: Inputs, relu: Callable[[Any], Any]) -> Any:
    """Return the mean of relu(1 - y score(x)) over the points."""
    ((points, labels),) = inputs.batches
    pairs = zip(points.tolist(), labels.tolist(), strict=True)
    losses = [relu(1 + -y * score(net, x, relu)) for x, y in pairs]
    return sum(losses[1:], losses[0]) * (1.0 / len(losses))


def first_gradients(net: Net, read: Callable[[Any], float]) -> list[float]:
    """Read the gradients of the first layer's weights, neuron by neuron."""
    return [read(w) for weights, _ in net[0] for w in weights]


def step_with_grad(
    inputs: Inputs,
    leaf: Callable[[float], Any],
    relu: Callable[[Any], Any],
    empty: Any = None,
    read: Callable[[Any], float] = lambda p: 0.0 if p.grad is None else float(p.grad),
    prepared: Callable[[Any], Any] = lambda f: f,
) -> Callable[[], tuple[Any, Callable[[], Any]]]:
    """Return a step for engines with ``loss.backward()`` and ``leaf.grad``."""
    net = make(inputs, leaf)
    leaves = parameters(net)
    compute = prepared(lambda: hinge(net, inputs, relu))

    def gradient() -> list[float]:
        return first_gradients(net, read)

    def step() -> tuple[Any, Callable[[], Any]]:
        for p in leaves:
            p.grad = empty
        loss = compute()
        loss.backward()
        return loss, gradient

    return step
