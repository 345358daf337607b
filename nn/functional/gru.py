"""One layer of GRU in one direction (Cho et al. 2014, in the variant of cuDNN and PyTorch), as one op.

    r, z = σ(W x + b + U h + d),  n = tanh(W x + b + r · (U h + d)),  h' = (1 − z) · n + z · h

Columns are [x, 1, h]: the gates r and z read all of them, the two halves of n the first and the last part.
"""

from typing import Any

import numpy as np

import autograd as ag
from nn.functional.steps import Steps, Sums, join, unrolled
from nn.functional.windows import Array


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
) -> Any:
    (T, N, width), H = x.shape, h0.shape[1]
    steps, last = Steps(T, N, reverse, lengths), slice(2 * H, 3 * H)
    b, d = (bias if isinstance(bias, np.ndarray) else np.zeros(3 * H, x.dtype) for bias in (bias_ih, bias_hh))
    W_rz = join(weight_ih, b + d, weight_hh)[: 2 * H]  # (2H, I + 1 + H)
    W_rz *= 0.5  # σ(z) = ½ + ½ · tanh(z/2)
    W_n, U_n = join(weight_ih[last], b[last]), join(d[last], weight_hh[last])  # (H, I + 1), (H, 1 + H)
    columns, gates = steps.columns(x, h0), np.empty((T, 4 * H, N), x.dtype)  # r, z, n, U h + d
    h = columns[:, width + 1 :]
    for t, at, to, k in steps.forwards():
        column, now = columns[at, :, :k], h[to, :, :k]
        rz, n, inner = gates[t, : 2 * H, :k], gates[t, last, :k], gates[t, 3 * H :, :k]
        np.matmul(W_rz, column, out=rz)
        np.tanh(rz, out=rz)
        rz *= 0.5
        rz += 0.5
        np.matmul(W_n, column[: width + 1], out=n)
        np.matmul(U_n, column[width:], out=inner)
        n += np.multiply(rz[:H], inner, out=now)
        np.tanh(n, out=n)
        np.subtract(column[width + 1 :], n, out=now)  # h' = n + z · (h − n)
        now *= rz[H:]
        now += n
    return (steps.outputs(h), steps.last(h)), columns, gates


def _backward(
    g: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_hh: Any,
    reverse: bool,
    lengths: Any,
    columns: Any,
    gates: Any,
    needs: Any,
) -> Any:
    """Go back through time; dz holds the rows (U h + d of n), r, z, (W x + b of n)."""
    (T, _, N), H, width = gates.shape, h0.shape[1], weight_ih.shape[1]
    steps = Steps(T, N, reverse, lengths)
    dy, dh = steps.upstream(g[0]), np.array(steps.sort(g[1]), order="C")
    order = np.concatenate([np.arange(2 * H, 3 * H), np.arange(2 * H)])  # n, r, z
    U = np.ascontiguousarray(weight_hh[order].T)  # (H, 3H)
    parts = [(slice(H, None), slice(0, width + 1)), (slice(0, 3 * H), slice(width, None))] if any(needs[2:]) else []
    sums = Sums(steps, columns, 4 * H, parts, np.ascontiguousarray(weight_ih.T) if needs[0] else None)
    scratch = np.empty((5 * H, N), gates.dtype)
    for t, at, _, n in steps.backwards():
        dz, kept, dht = scratch[: 4 * H, :n], scratch[4 * H :, :n], dh[:, :n]
        dht += dy[t, :, :n]
        _local(gates[t, :, :n], columns[at, width + 1 :, :n], dht, dz, kept)
        sums.add(t, dz)
        np.matmul(U, dz[: 3 * H], out=dht)
        dht += kept
    grads: list[Any] = [sums.input_gradient(), steps.unsort(dh), None, None, None, None, None]
    if parts:
        outer, inner = sums.totals[0], sums.totals[1][np.argsort(order)]
        biases = (outer[:, width], inner[:, 0]) if isinstance(bias_hh, np.ndarray) else (None, None)
        grads[2:-1] = outer[:, :width], inner[:, 1:], *biases
    return grads


def _local(gates: Array, h: Array, dh: Array, dz: Array, kept: Array) -> None:
    """Write dz from dh, and into ``kept`` what goes straight to the earlier state.

    dn = dh · (1 − z) · (1 − n²);  dz = [dn · r, dn · (U h + d) · r(1 − r), dh · (h − n) · z(1 − z), dn];  kept = dh · z
    """
    H = len(h)
    rz, n, inner = gates[: 2 * H], gates[2 * H : 3 * H], gates[3 * H :]
    slopes, dn, r, z = dz[H : 3 * H], dz[3 * H :], rz[:H], rz[H:]
    np.multiply(dh, z, out=kept)
    np.subtract(dh, kept, out=dn)
    np.multiply(n, n, out=dz[:H])
    np.subtract(1, dz[:H], out=dz[:H])
    dn *= dz[:H]
    np.multiply(rz, rz, out=slopes)
    np.subtract(rz, slopes, out=slopes)
    slopes[:H] *= dn
    slopes[:H] *= inner
    slopes[H:] *= dh
    slopes[H:] *= np.subtract(h, n, out=dz[:H])
    np.multiply(dn, r, out=dz[:H])


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
) -> Any:
    """Compute the formulas at the top of this file, step by step, by plain ops."""
    H = h0.shape[1]

    def cell(x: Any, h: Any) -> tuple[Any]:
        a, b = x @ weight_ih.T + bias_ih, h @ weight_hh.T + bias_hh
        r, z = (ag.sigmoid(a[:, k * H : (k + 1) * H] + b[:, k * H : (k + 1) * H]) for k in (0, 1))
        n = np.tanh(a[:, 2 * H :] + r * b[:, 2 * H :])
        return ((1 - z) * n + z * h,)

    return unrolled(cell, x, (h0,), reverse, lengths)


def _samples(rng: np.random.Generator) -> Any:
    shapes = ((3, 2, 2), (2, 3), (9, 2), (9, 3), (9,), (9,))
    for reverse, lengths in ((False, 0), (True, 0), (False, np.array([2, 3])), (True, np.array([1, 3]))):
        yield [*(rng.standard_normal(s) / 2 for s in shapes), lengths], {"reverse": reverse}


# (x, h0, weight_ih, weight_hh, bias_ih, bias_hh, lengths, *, reverse) -> y, h_n; x: (T, N, I), h0: (N, H)
gru_layer = ag.op(
    _forward, name="gru", vjp=_backward, definition=_definition, cache=("columns", "gates"), domain=_samples
)
