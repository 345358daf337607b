"""Small graphs that several tests draw."""

from typing import Any

import numpy as np

import autograd as ag


def leaf(value: Any, name: str | None = None, **options: Any) -> ag.Tensor:
    return ag.Tensor(value, requires_grad=True, name=name, **options)


def on(x: Any, f: Any) -> Any:
    """Use ``x`` more than once in one expression."""
    return f(x)


def expression() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """micrograd's own example: additions, products, a power, a masked branch."""
    a, b = leaf(-4.0, "a"), leaf(2.0, "b")
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    d = d + d * 2 + np.maximum(b + a, 0)
    e = c - d
    f = e**2
    g = f / 2.0
    return g, dict(a=a, b=b, c=c, d=d, e=e, f=f, g=g)


def neuron() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """The neuron of the lecture: tanh(x1 w1 + x2 w2 + b)."""
    x1, x2, w1, w2 = leaf(2.0, "x1"), leaf(0.0, "x2"), leaf(-3.0, "w1"), leaf(1.0, "w2")
    b = leaf(6.8813735870195432, "b")
    n = x1 * w1 + x2 * w2 + b
    o = np.tanh(n)
    return o, dict(x1=x1, x2=x2, w1=w1, w2=w2, b=b, n=n, o=o)


def double() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """A value used twice by one op, and once more."""
    a = leaf(3.0, "a")
    y = (a + a) * a
    return y, dict(a=a, y=y)


def layers() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """Two layers in scopes, entered by hand, on arrays."""
    x, rng = ag.Tensor(np.linspace(-1.0, 1.2, 12).reshape(4, 3), name="x"), np.random.default_rng(0)

    def linear(name: str, x: ag.Tensor, n: int, m: int) -> ag.Tensor:
        with ag.scope(name, "Linear"):
            weight, bias = leaf(rng.normal(size=(n, m)).round(2), "weight"), leaf(np.zeros(m), "bias")
            return x @ weight + bias

    with ag.scope("MLP", "MLP"):
        y = linear("layers.1", ag.relu(linear("layers.0", x, 3, 2)), 2, 1)
    loss = (y * y).mean()
    return loss, dict(x=x, loss=loss)


def states() -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """Every state that a gradient can be in, but "not computed"."""
    x, z, u, w = leaf(-1.0, "x"), leaf(0.5, "z"), leaf(0.0, "u"), leaf(2.0, "w")
    k, big = ag.Tensor(3.0, name="k"), leaf(np.linspace(0.0, 1.0, 100), "big")
    y = (
        ag.relu(x * w) + z * 0.0 + k * w + np.sqrt(u) + np.exp(np.sin(big) + np.zeros(100)).sum()
    )  # nobody holds the zeros
    return y, dict(x=x, z=z, u=u, w=w, k=k, big=big, y=y)


def dense(n: int, seed: int = 0) -> ag.Tensor:
    """Some ``n`` scalar ops on any two earlier values each: as many edges as a graph can have."""
    rng = np.random.default_rng(seed)
    values = [leaf(rng.normal(), f"x{i}") for i in range(20)]
    ops = [lambda a, b: a * b, lambda a, b: a + b, lambda a, b: np.tanh(a - b)]
    for i in range(n):
        a, b = rng.integers(0, len(values), 2)
        values.append(ops[i % 2 if i % 7 else 2](values[a], values[b]))
    return sum(values[-39:], values[-40])


def chain(n: int) -> ag.Tensor:
    """A recurrence of ``n`` ops with one shared weight."""
    w, h = leaf(0.5, "w"), leaf(0.1, "h0")
    for _ in range(n // 3):
        h = np.tanh(w * h + 0.1)
    return h


GRAPHS = {"expression": expression, "neuron": neuron, "double": double, "layers": layers, "states": states}
HOSTILE = 'a"b\\N\\"\n<script>alert(1)</script>&amp;\'日本語 😀 {|}]]>-->\x00\x1b'
