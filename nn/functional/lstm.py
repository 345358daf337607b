"""One layer of LSTM in one direction (Hochreiter & Schmidhuber 1997), as one op.

    i, f, o = σ(W x + U h + b),  g = tanh(W x + U h + b),  c' = f · c + i · g,  h' = o · tanh(c')

σ(z) = ½ + ½ · tanh(z/2): with the ½ folded into the weights, one ``tanh`` call serves all four gates.
"""

from typing import Any, NamedTuple

import numpy as np

import autograd as ag
from nn.functional.steps import Steps, Sums, join, unrolled
from nn.functional.windows import Array


def _order(hidden: int) -> Array:
    """Bring PyTorch's rows i, f, g, o to o, i, f, g: the sigmoids side by side, and those that go through the cell."""
    return np.arange(4 * hidden).reshape(4, hidden)[[3, 0, 1, 2]].reshape(-1)


class _Step(NamedTuple):
    """Name the views that a step works on; "pre" is where the GEMM writes."""

    pre: Array
    sigmoids: Array  # o, i, f
    i_f: Array
    g_c: Array
    products: Array
    ig: Array
    fc: Array
    cell: Array  # where the next step reads c
    tanh_c: Array
    o: Array
    f: Array
    tc_g_c: Array
    tc_g: Array
    o_i: Array


class _Work:
    """Hold the arrays of one step in a row of blocks (H, N).

    tanh c' stands at 0, the gates o, i, f, g at 1 … 4, the earlier cell c at 8. What must be multiplied pairwise stands
    at equal distances, so that one call does it: (tanh c', g, c) are ``[0::4]``. Two such rows take turns: one step
    writes its cell where the next one reads it.
    """

    def __init__(self, c0: Array) -> None:
        self.rows = np.empty((2, 9, *c0.shape), c0.dtype)
        self.rows[:, 8] = c0
        self.steps: list[_Step] = []
        self.count = -1

    def take(self, t: int, n: int) -> _Step:
        """Return the views of step ``t`` on the first ``n`` sequences; they are made when ``n`` changes."""
        if n != self.count:
            self.count = n
            self.steps = [self._view(self.rows[k, :, :, :n], self.rows[1 - k, 8, :, :n]) for k in (0, 1)]
        return self.steps[t % 2]

    @staticmethod
    def _view(row: Array, cell: Array) -> _Step:
        pre = row[1:5].reshape(4 * row.shape[1], row.shape[2])  # a copy if sequences have ended: see ``activate``
        return _Step(
            pre, row[1:4], row[2:4], row[4::4], row[5:7], row[5], row[6], cell, row[0], row[1], row[3],
            row[0::4], row[0:5:4], row[1:3],
        )  # fmt: skip

    def activate(self, t: int, pre: Array) -> None:
        """Apply the tanh that serves all gates."""
        if self.count == self.rows.shape[3]:
            np.tanh(pre, out=pre)
        else:
            gates = self.rows[t % 2, 1:5, :, : self.count]
            np.tanh(pre.reshape(gates.shape), out=gates)


def _forward(
    x: Any,
    h0: Any,
    c0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_ih: Any,
    bias_hh: Any,
    lengths: Any,
    *,
    reverse: bool,
) -> Any:
    (T, N, width), H = x.shape, h0.shape[1]
    steps, learns = Steps(T, N, reverse, lengths), ag.is_grad_enabled()
    W = join(weight_ih, bias_ih + bias_hh, weight_hh, rows=_order(H))  # (4H, I + 1 + H)
    W[: 3 * H] *= 0.5
    columns, slopes = steps.columns(x, h0), np.empty((T if learns else 0, 6, H, N), x.dtype)
    h, work, c_n = columns[:, width + 1 :], _Work(steps.sort(c0)), np.array(steps.sort(c0), order="C")
    for t, at, to, n in steps.forwards():
        pre, sigmoids, i_f, g_c, products, ig, fc, c, tanh_c, o, f, tc_g_c, tc_g, o_i = work.take(t, n)
        np.matmul(W, columns[at, :, :n], out=pre)
        work.activate(t, pre)
        sigmoids *= 0.5
        sigmoids += 0.5
        np.multiply(i_f, g_c, out=products)
        np.add(ig, fc, out=c)
        np.tanh(c, out=tanh_c)
        np.multiply(o, tanh_c, out=h[to, :, :n])
        if np.ndim(lengths):
            np.copyto(c_n[:, :n], c)
        if learns:
            _slopes(slopes[t, :, :, :n], sigmoids, f, tc_g_c, tc_g, o_i)
    c_n = np.ascontiguousarray(c.T) if not np.ndim(lengths) else steps.unsort(c_n)
    return (steps.outputs(h), steps.last(h), c_n), columns, slopes


def _slopes(out: Array, sigmoids: Array, f: Array, tc_g_c: Array, tc_g: Array, o_i: Array) -> None:
    """Write what backward multiplies with, while all of it is in the cache.

    [tanh c' · o(1 − o), g · i(1 − i), c · f(1 − f), i · (1 − g²)] for dz, f for the earlier cell, o · (1 − tanh² c')
    for dc.
    """
    three, two = out[:3], out[5:2:-2]
    np.multiply(sigmoids, sigmoids, out=three)
    np.subtract(sigmoids, three, out=three)
    three *= tc_g_c
    np.multiply(tc_g, tc_g, out=two)
    np.subtract(1, two, out=two)
    two *= o_i
    out[4] = f


def _backward(
    g: Any,
    h0: Any,
    weight_ih: Any,
    weight_hh: Any,
    bias_hh: Any,
    reverse: bool,
    lengths: Any,
    columns: Any,
    slopes: Any,
    needs: Any,
) -> Any:
    """Go back through time: dc += dh · ∂h/∂c;  dz = [dh, dc, dc, dc] · slopes;  dh = Uᵀ dz;  dc *= f."""
    (T, _, H, N), width = slopes.shape, weight_ih.shape[1]
    steps, order = Steps(T, N, reverse, lengths), _order(H)
    dy, dh, dc = steps.upstream(g[0]), np.array(steps.sort(g[1]), order="C"), np.array(steps.sort(g[2]), order="C")
    U = np.ascontiguousarray(weight_hh[order].T)  # (H, 4H)
    parts = [(slice(None), slice(None))] if any(needs[3:]) else []
    sums = Sums(steps, columns, 4 * H, parts, np.ascontiguousarray(weight_ih[order].T) if needs[0] else None)
    scratch = np.empty((5, H, 0), slopes.dtype)
    for t, _, _, n in steps.backwards():
        if n != len(scratch[0, 0]):
            scratch = np.empty((5, H, n), slopes.dtype)
        slope, dht, dct = slopes[t, :, :, :n], dh[:, :n], dc[:, :n]
        dht += dy[t, :, :n]
        dct += np.multiply(slope[5], dht, out=scratch[4])
        np.multiply(slope[0], dht, out=scratch[0])
        np.multiply(slope[1:4], dct, out=scratch[1:4])
        dct *= slope[4]
        dz = scratch[:4].reshape(4 * H, n)
        sums.add(t, dz)
        np.matmul(U, dz, out=dht)
    grads: list[Any] = [sums.input_gradient(), steps.unsort(dh), steps.unsort(dc), None, None, None, None, None]
    if parts:
        joined = sums.totals[0][np.argsort(order)]  # (4H, I + 1 + H)
        bias = joined[:, width] if isinstance(bias_hh, np.ndarray) else None
        grads[3:-1] = joined[:, :width], joined[:, width + 1 :], bias, bias
    return grads


def _definition(
    x: Any,
    h0: Any,
    c0: Any,
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

    def cell(x: Any, h: Any, c: Any) -> tuple[Any, Any]:
        z = x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh
        i, f, o = (ag.sigmoid(z[:, k * H : (k + 1) * H]) for k in (0, 1, 3))
        g = np.tanh(z[:, 2 * H : 3 * H])
        c = f * c + i * g
        return o * np.tanh(c), c

    return unrolled(cell, x, (h0, c0), reverse, lengths)


def _samples(rng: np.random.Generator) -> Any:
    shapes = ((3, 2, 2), (2, 3), (2, 3), (12, 2), (12, 3), (12,), (12,))
    for reverse, lengths in ((False, 0), (True, 0), (False, np.array([2, 3])), (True, np.array([1, 3]))):
        yield [*(rng.standard_normal(s) / 2 for s in shapes), lengths], {"reverse": reverse}


# (x, h0, c0, weight_ih, weight_hh, bias_ih, bias_hh, lengths, *, reverse) -> y, h_n, c_n
# x: (T, N, I), h0 and c0: (N, H)
lstm_layer = ag.op(
    _forward, name="lstm", vjp=_backward, definition=_definition, cache=("columns", "slopes"), domain=_samples
)
