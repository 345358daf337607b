"""Convolution: copy the windows of a few output rows side by side, and let one GEMM do the rest (im2col, blocked).

A last row of ones in the columns makes the bias, and its gradient, part of the GEMMs. The columns of one block fit
the cache, so they are written again on the way back instead of being kept: for a 3×3 kernel that is nine times less
memory. See Chellapilla, Puri, Simard, "High performance convolutional neural networks for document processing" (2006).
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import BLOCK, Array, Pads, Pair, Windows, read, read_pads, show

LONGEST = 2048  # positions per block: longer ones make the GEMM of the weight gradient twice as slow


class _Columns:
    """Write the windows of an image as columns (G, K, positions), one block of output rows after the other."""

    def __init__(self, x: Array, weight: Array, bias: Any, w: Windows, groups: int) -> None:
        self.w, self.groups = w, groups
        self.x = w.pad(x)  # (C, H, W, N)
        self.ones = isinstance(bias, np.ndarray)
        self.depth = int(np.prod(weight.shape[1:]))  # K without the row of ones
        self.line = w.out[1] * x.shape[0]  # positions per output row
        self.size = w.out[0] * self.line
        held = groups * (self.depth + 1) + weight.shape[0]
        self.step = max(1, min(w.out[0], min(BLOCK // held, LONGEST) // max(1, self.line)))

    def __iter__(self) -> Iterator[tuple[Array, slice]]:
        seen = self.w.view(self.x)  # (C, kh, kw, oh, ow, N)
        seen = seen.reshape(self.groups, len(seen) // self.groups, *seen.shape[1:])
        if self.w.kernel == (1, 1) == self.w.stride and not self.ones:  # the image is its own columns
            flat = self.x.reshape(self.groups, self.depth, self.size)
            yield from ((flat[:, :, at], at) for at in self.positions())
            return
        buffer = np.ones((self.groups, self.depth + self.ones, self.step * self.line), self.x.dtype)
        for at in self.positions():
            start, stop = at.start // self.line, at.stop // self.line
            columns = buffer[:, :, : at.stop - at.start]
            rows = seen[:, :, :, :, start:stop]
            np.copyto(columns[:, : self.depth].reshape(rows.shape), rows)
            yield columns, at

    def positions(self) -> Iterator[slice]:
        """Yield where each block lies among the output positions."""
        for start in range(0, self.w.out[0] if self.line else 0, self.step):
            yield slice(start * self.line, min(start + self.step, self.w.out[0]) * self.line)


def _images(x: Any) -> Any:
    """View a sequence as an image of width 1: blocks of rows are then blocks of time."""
    return x[:, :, :, None] if x.ndim == 3 else x


def _prepare(
    x: Array, weight: Array, bias: Any, stride: Pair, pads: Pads, dilation: Pair, groups: int
) -> tuple[_Columns, Array]:
    """Make the columns and the weights (G, O/G, K) that multiply them, the bias as last column."""
    w = Windows((weight.shape[2], weight.shape[3]), stride, pads, dilation, x.shape[2], x.shape[3])
    columns = _Columns(x, weight, bias, w, groups)
    rows = weight.reshape(groups, -1, columns.depth)
    if columns.ones:
        rows = np.concatenate([rows, bias.reshape(groups, -1, 1)], axis=2)
    return columns, rows


def _forward(x: Any, weight: Any, bias: Any, *, stride: Pair, pads: Pads, dilation: Pair, groups: int) -> Any:
    flat = x.ndim == 3
    x, weight = _images(x), _images(weight)
    columns, rows = _prepare(x, weight, bias, stride, pads, dilation, groups)
    y = np.empty((weight.shape[0], *columns.w.out, x.shape[0]), np.result_type(x, weight))  # (O, oh, ow, N)
    by_group = y.reshape(*rows.shape[:2], columns.size)
    for block, at in columns:
        np.matmul(rows, block, out=by_group[:, :, at])
    return show(y)[:, :, :, 0] if flat else show(y)


def _backward(
    g: Any, x: Any, weight: Any, bias: Any, stride: Pair, pads: Pads, dilation: Pair, groups: int, needs: Any
) -> Any:
    """Return dWᵀ = columns · gᵀ (and db with it), and dx = Wᵀ · g, added back to where the columns came from."""
    shapes = x.shape, weight.shape
    g, x, weight = _images(g), _images(x), _images(weight)
    columns, rows = _prepare(x, weight, bias, stride, pads, dilation, groups)
    g = np.ascontiguousarray(g.transpose(1, 2, 3, 0)).reshape(*rows.shape[:2], columns.size)  # (G, O/G, oh·ow·N)
    dx = dw = db = None
    if needs[1] or needs[2]:
        sums = np.zeros(
            (columns.groups, *rows.shape[:0:-1]), rows.dtype
        )  # (G, K, O/G): a third faster than its transpose
        for block, at in columns:
            sums += np.matmul(block, g[:, :, at].swapaxes(1, 2))
        dw = np.ascontiguousarray(sums[:, : columns.depth].swapaxes(1, 2)).reshape(shapes[1])
        db = sums[:, -1].reshape(-1) if columns.ones else None
    if needs[0]:
        dx = _input_gradient(g, weight, rows[:, :, : columns.depth], columns)
        dx = dx.reshape(*shapes[0][1:], shapes[0][0]).transpose(-1, *range(len(shapes[0]) - 1))
    return dx, dw, db


def _input_gradient(g: Array, weight: Array, rows: Array, columns: _Columns) -> Array:
    """Return the gradient (C, H, W, N) of the image from that of the output (G, O/G, positions).

    With stride 1 it is the convolution of the padded ``g`` with the turned kernel, which costs fewer passes than adding
    columns back, window position by window position.
    """
    w = columns.w
    spans = [d * (k - 1) for k, d in zip(w.kernel, w.dilation, strict=True)]
    if w.stride != (1, 1) or any(max(p) > span for p, span in zip(w.pads, spans, strict=True)):
        return _scatter(g, rows, columns)
    (top, bottom), (left, right) = w.pads
    pads = (spans[0] - top, spans[0] - bottom), (spans[1] - left, spans[1] - right)
    turned = weight.reshape(columns.groups, -1, *weight.shape[1:])[..., ::-1, ::-1].swapaxes(
        1, 2
    )  # (G, C/G, O/G, kh, kw)
    image = show(g.reshape(len(weight), *w.out, columns.x.shape[3]))
    dx: Array = _forward(
        image,
        turned.reshape(-1, *turned.shape[2:]),
        0.0,
        stride=(1, 1),
        pads=pads,
        dilation=w.dilation,
        groups=columns.groups,
    )
    return dx.transpose(1, 2, 3, 0)


def _scatter(g: Array, rows: Array, columns: _Columns) -> Array:
    """Add Wᵀ · g back to where the columns came from."""
    w, line = columns.w, columns.line
    dx = np.zeros_like(columns.x)
    grouped = dx.reshape(columns.groups, len(dx) // columns.groups, *dx.shape[1:])
    buffer = np.empty((columns.groups, columns.depth, columns.step * line), dx.dtype)
    for at in columns.positions():
        start, stop = at.start // line, at.stop // line
        block = np.matmul(rows.swapaxes(1, 2), g[:, :, at], out=buffer[:, :, : at.stop - at.start])
        parts = block.reshape(*grouped.shape[:2], *w.kernel, stop - start, w.out[1], dx.shape[3])
        for i, j, (down, across) in w.taps(start, stop):
            grouped[:, :, down, across] += parts[:, :, i, j]
    inner = w.inner()
    return dx[:, inner[0], inner[1]]


def _definition(x: Any, weight: Any, bias: Any, *, stride: Pair, pads: Pads, dilation: Pair, groups: int) -> Any:
    """Compute y[n, o, p, q] = b[o] + Σ w[o, c, i, j] · x[n, c, s·p + d·i, s·q + d·j] by plain ops."""
    if x.ndim == 3:
        images = _images(x), _images(weight)
        return _definition(*images, bias, stride=stride, pads=pads, dilation=dilation, groups=groups)[:, :, :, 0]
    n, outputs = x.shape[0], weight.shape[0]
    w = Windows((weight.shape[2], weight.shape[3]), stride, pads, dilation, x.shape[2], x.shape[3])
    padded = np.pad(x, ((0, 0), (0, 0), *pads)) if any(map(sum, pads)) else x
    taps = np.stack([padded[:, :, down, across] for _, _, (down, across) in w.taps()], axis=2)  # (N, C, kh·kw, oh, ow)
    columns = taps.reshape(n, groups, math.prod(weight.shape[1:]), math.prod(w.out))  # (N, G, K, P)
    y = np.matmul(weight.reshape(groups, outputs // groups, -1), columns).reshape(n, outputs, *w.out)
    return y if isinstance(bias, float) else y + bias.reshape(-1, 1, 1)


def _samples(rng: np.random.Generator) -> Any:
    shapes = [
        ((2, 3, 5, 4), (4, 3, 3, 2), (1, 1), ((1, 1), (0, 1)), (1, 1), 1),
        ((1, 4, 6, 5), (4, 2, 2, 2), (2, 1), ((0, 0),) * 2, (1, 2), 2),
        ((2, 2, 3, 3), (3, 2, 1, 1), (1, 1), ((0, 0),) * 2, (1, 1), 1),
    ]
    for x, weight, stride, pads, dilation, groups in shapes:
        args = [rng.standard_normal(shape) for shape in (x, weight, weight[:1])]
        yield args, {"stride": stride, "pads": pads, "dilation": dilation, "groups": groups}
    yield (
        [rng.standard_normal(s) for s in ((2, 2, 6), (3, 2, 3), (3,))],
        {"stride": (2, 1), "pads": ((1, 1), (0, 0)), "dilation": (1, 1), "groups": 1},
    )


# A missing bias is the Python number 0.0: an op's inputs are arrays or numbers.
_conv = ag.op(
    _forward,
    name="conv",
    vjp=_backward,
    definition=_definition,
    symbol="conv",
    domain=_samples,
    formula=dict(x="convolve(g, weight)", weight="correlate(x, g)", bias="sum_channels(g)"),
)


def conv2d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Slide ``weight`` over images: y[n, o] = b[o] + Σ_c w[o, c] ⋆ x[n, c], ⋆ the cross-correlation.

    x: (N, C, H, W) or (C, H, W), weight: (O, C/groups, kh, kw), bias: (O,); y: (N, O, oh, ow) with
    oh = ⌊(H + 2·padding − dilation·(kh − 1) − 1)/stride⌋ + 1. ``padding`` is an int, a pair, "valid" or "same".
    Raises ShapeError if channels or sizes do not fit.

    >>> import numpy as np, nn
    >>> nn.functional.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))[0, 0]
    array([[4., 4.],
           [4., 4.]])
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Slide ``weight`` over sequences: y[n, o, t] = b[o] + Σ w[o, c, i] · x[n, c, stride·t + dilation·i].

    x: (N, C, L) or (C, L), weight: (O, C/groups, k), bias: (O,); y: (N, O, ol). Otherwise as :func:`conv2d`. Raises
    ShapeError unless x has the channels of the weight and room for the kernel.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 2.0, 3.0, 4.0]], requires_grad=True)
    >>> nn.functional.conv1d(x, [[[1.0, -1.0]]]).tolist()
    [[-1.0, -1.0, -1.0]]
    """
    return _convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    name: str, axes: int, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    weight = as_input(weight)
    x = as_input(x, weight)
    if weight.ndim != axes + 2:
        raise wrong_shape(
            name, weight, f"it must have {axes + 2} axes (out_channels, in_channels/groups, *kernel).", "weight"
        )
    if x.ndim not in (axes + 1, axes + 2):
        sizes = "(N, C, H, W) or (C, H, W)" if axes == 2 else "(N, C, L) or (C, L)"
        raise wrong_shape(name, x, f"it must be {sizes}.")
    if not isinstance(groups, int | np.integer) or groups < 1 or weight.shape[0] % groups:
        raise ArgumentError(f"{place(name)}: groups must divide the {weight.shape[0]} output channels, got {groups!r}.")
    channels = weight.shape[1] * groups
    if x.shape[-axes - 1] != channels:
        raise wrong_shape(name, x, f"axis {-axes - 1} (channels) must be {channels}.")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise wrong_shape(name, bias, f"it must be ({weight.shape[0]},), one number per output channel.", "bias")
    steps, spread = (
        read(value, f"{name}: {what}", axes) for value, what in ((stride, "stride"), (dilation, "dilation"))
    )
    kernel = (*weight.shape[2:], 1)[:2]
    if axes == 1 and not isinstance(padding, str):
        padding = read(padding, f"{name}: padding", 1, 0)
    pads = read_pads(padding, kernel, steps, spread, name)
    Windows(kernel, steps, pads, spread, *(*x.shape[x.ndim - axes :], 1)[:2]).check(place(name), x.shape, axes)
    batched = x if x.ndim == axes + 2 else x[None]
    y = _conv(
        batched, weight, 0.0 if bias is None else bias, stride=steps, pads=pads, dilation=spread, groups=int(groups)
    )
    return y if x.ndim == axes + 2 else y[0]
