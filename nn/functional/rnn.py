"""One plain recurrent layer in one direction (Elman 1990), as one op: h' = tanh(W x + b + U h + d), or ReLU."""

from typing import Any

import numpy as np

import autograd as ag
from nn.functional.steps import Steps, Sums, join, unrolled


def _forward(
    x: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    lengths: Any,
    *,
    reverse: bool,
    relu: bool,
) -> Any:
    T, N, width = x.shape
    steps = Steps(T, N, reverse, lengths)
    W = join(weight_ih, bias_ih + bias_hh, weight_hh)  # (H, I + 1 + H)
    columns = steps.columns(x, h0)
    h = columns[:, width + 1 :]
    for _, at, to, n in steps.forwards():
        now = np.matmul(W, columns[at, :, :n], out=h[to, :, :n])
        np.maximum(now, 0, out=now) if relu else np.tanh(now, out=now)
    return (steps.outputs(h), steps.last(h)), columns


def _backward(
    g: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_hh: Any,
    reverse: bool,
    lengths: Any,
    relu: bool,
    columns: Any,
    needs: Any,
) -> Any:
    """Go back through time: dz = dh · (1 − h'²), or dh where h' > 0."""
    (N, H), width, T = h0.shape, weight_ih.shape[1], len(columns) - 1
    steps, h = Steps(T, N, reverse, lengths), columns[:, width + 1 :]
    dy, dh = steps.upstream(g[0]), np.array(steps.sort(g[1]), order="C")
    parts = [(slice(None), slice(None))] if any(needs[2:]) else []
    sums = Sums(steps, columns, H, parts, np.ascontiguousarray(weight_ih.T) if needs[0] else None)
    scratch, U = np.empty((H, N), h.dtype), np.ascontiguousarray(weight_hh.T)
    for t, _, to, n in steps.backwards():
        dz, dht, now = scratch[:, :n], dh[:, :n], h[to, :, :n]
        dht += dy[t, :, :n]
        if relu:
            np.multiply(dht, now > 0, out=dz)
        else:
            np.multiply(now, now, out=dz)
            np.subtract(1, dz, out=dz)
            dz *= dht
        sums.add(t, dz)
        np.matmul(U, dz, out=dht)
    grads: list[Any] = [sums.input_gradient(), steps.unsort(dh), None, None, None, None, None]
    if parts:
        joined = sums.totals[0]
        bias = joined[:, width] if isinstance(bias_hh, np.ndarray) else None
        grads[2:-1] = joined[:, :width], joined[:, width + 1 :], bias, bias
    return grads


def _definition(
    x: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    lengths: Any,
    *,
    reverse: bool,
    relu: bool,
) -> Any:
    """Compute h' = tanh(W x + b + U h + d), or ReLU, step by step, by plain ops."""

    def cell(x: Any, h: Any) -> tuple[Any]:
        z = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh
        return (ag.relu(z) if relu else np.tanh(z),)

    return unrolled(cell, x, (h0,), reverse, lengths)


def _samples(rng: np.random.Generator) -> Any:
    shapes = ((3, 2, 2), (2, 3), (3, 2), (3, 3), (3,), (3,))
    for reverse, lengths, relu in (
        (False, 0, False),
        (True, 0, True),
        (False, np.array([2, 3]), False),
        (True, np.array([1, 3]), False),
    ):
        args = [rng.uniform(-0.5, 0.5, s) for s in shapes]
        if relu:
            args[4] = np.array([2.0, -2.0, 2.0])  # away from the kink
        yield [*args, lengths], {"reverse": reverse, "relu": relu}


# (x, h0, weight_ih, weight_hh, bias_ih, bias_hh, lengths, *, reverse, relu) -> y, h_n; x: (T, N, I), h0: (N, H)
rnn_layer = ag.op(
    _forward, name="rnn", vjp=_backward, definition=_definition, cache=("columns",), domain=_samples, selects=True
)
