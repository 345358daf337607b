"""Pooling: compare or add strided views of the image, one per position in the window."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import Array, Pads, Pair, Windows, read, show

BLOCK = 192 * 1024  # numbers per block: smaller ones cost more calls than they save memory traffic


def _windows(x: Any, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Windows:
    return Windows(kernel, stride, pads, dilation, x.shape[2], x.shape[3])


def _fold(ufunc: np.ufunc, views: list[Array], out: Array) -> None:
    """Combine equally shaped views into ``out``."""
    if len(views) == 1:
        out[...] = views[0]
    else:
        ufunc(views[0], views[1], out=out)
    for view in views[2:]:
        ufunc(out, view, out=out)


def _blocks(image: Array) -> Iterator[slice]:
    """Cut the channels of (C, H, W, N) into blocks that stay in the cache."""
    step = max(1, BLOCK // max(1, image[0].size)) if len(image) else 1
    return (slice(at, at + step) for at in range(0, len(image), step))


def _separable(ufunc: np.ufunc, image: Array, w: Windows) -> Array:
    """Combine the rows of each window of (C, H, W, N), then its columns: 2k − 2 passes instead of k² − 1."""
    down = [rows for _, j, (rows, _) in w.taps() if j == 0]
    across = [columns for i, _, (_, columns) in w.taps() if i == 0]
    y = np.empty((len(image), *w.out, image.shape[3]), image.dtype)
    for at in _blocks(image):
        block = image[at]
        tall = np.empty((len(block), w.out[0], *block.shape[2:]), image.dtype)
        _fold(ufunc, [block[:, rows] for rows in down], tall)
        _fold(ufunc, [tall[:, :, columns] for columns in across], y[at])
    return y


def _crop(dx: Array, w: Windows) -> Array:
    rows, columns = w.inner()
    return show(dx[:, rows, columns])


# -------------------------------------------------------------------------------------------------------------- maximum


def _max_forward(x: Any, *, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Any:
    w = _windows(x, kernel, stride, pads, dilation)
    return show(_separable(np.maximum, w.pad(x, -np.inf), w))


def _max_backward(g: Any, x: Any, y: Any, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Any:
    """Give each window's gradient to its first maximum in reading order."""
    w = _windows(x, kernel, stride, pads, dilation)
    image, y, g = w.pad(x, -np.inf), y.transpose(1, 2, 3, 0), g.transpose(1, 2, 3, 0)
    full = (
        w.apart
        and w.stride == w.kernel
        and all(n * k == size for n, k, size in zip(w.out, w.kernel, w.padded, strict=True))
    )
    dx = np.empty_like(image) if full else np.zeros_like(image)
    for at in _blocks(image):
        _give(np.array(g[at], order="C"), image[at], y[at], dx[at], w)
    return _crop(dx, w)


def _give(left: Array, image: Array, y: Array, dx: Array, w: Windows) -> None:
    """Hand out the gradient ``left``; what an element got is taken off: of equal maxima only the first gets any."""
    won, share = np.empty(left.shape, bool), np.empty_like(left)
    last = (w.kernel[0] - 1, w.kernel[1] - 1)
    for i, j, (rows, columns) in w.taps():
        target = dx[:, rows, columns]
        given = left  # the last element takes what nobody else took
        if (i, j) != last:
            np.equal(image[:, rows, columns], y, out=won)
            given = np.multiply(left, won, out=target if w.apart else share)
            left -= given
        if not w.apart:
            target += given
        elif given is left:
            target[...] = left


def _taps(x: Any, w: Windows, value: float) -> Any:
    padded = np.pad(x, ((0, 0), (0, 0), *w.pads), constant_values=value) if any(map(sum, w.pads)) else x
    return np.stack(
        [padded[:, :, rows, columns] for _, _, (rows, columns) in w.taps()], axis=-1
    )  # (N, C, oh, ow, kh·kw)


def _max_definition(x: Any, *, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Any:
    """Gather from each window of x[n, c, s·p + d·i, s·q + d·j] the element at its argmax over (i, j)."""
    taps = _taps(x, _windows(x, kernel, stride, pads, dilation), -np.inf)
    first = np.argmax(taps, axis=-1)
    return np.take_along_axis(taps, first[..., None], axis=-1)[..., 0]


def _max_samples(rng: np.random.Generator) -> Any:
    for kernel, stride, pad, dilation in [((2, 2), (2, 2), 0, (1, 1)), ((3, 2), (2, 1), 1, (1, 2))]:
        x = rng.permutation(2 * 2 * 6 * 6).reshape(2, 2, 6, 6) / 10.0  # no two are close: away from the kinks
        yield [x], {"kernel": kernel, "stride": stride, "pads": ((pad, pad),) * 2, "dilation": dilation}


_max_pool = ag.op(
    _max_forward, name="max_pool", vjp=_max_backward, definition=_max_definition, domain=_max_samples, selects=True
)


# -------------------------------------------------------------------------------------------------------------- average


def _counts(w: Windows, include: bool, dtype: Any) -> Array:
    """Count the elements of each window (oh, ow, 1), padding counted or not."""
    if include:
        return np.full((1, 1, 1), w.kernel[0] * w.kernel[1], dtype)
    inside = np.zeros((1, *w.padded, 1), dtype)
    rows, columns = w.inner()
    inside[:, rows, columns] = 1
    counts: Array = _separable(np.add, inside, w)[0]
    return counts


def _average_forward(x: Any, *, kernel: Pair, stride: Pair, pads: Pads, include: bool) -> Any:
    w = _windows(x, kernel, stride, pads, (1, 1))
    total = _separable(np.add, w.pad(x), w)
    total /= _counts(w, include, total.dtype)
    return show(total)


def _average_backward(g: Any, x: Any, kernel: Pair, stride: Pair, pads: Pads, include: bool) -> Any:
    """Give each element its part of the windows that it lies in."""
    w = _windows(x, kernel, stride, pads, (1, 1))
    part = g.transpose(1, 2, 3, 0) / _counts(w, include, g.dtype)
    dx = np.zeros((x.shape[1], *w.padded, x.shape[0]), g.dtype)
    for _, _, (rows, columns) in w.taps():
        dx[:, rows, columns] += part
    return _crop(dx, w)


def _average_definition(x: Any, *, kernel: Pair, stride: Pair, pads: Pads, include: bool) -> Any:
    """Compute y[n, c, p, q] = 1/count · Σ_ij x[n, c, s·p + i, s·q + j] by plain ops."""
    w = _windows(x, kernel, stride, pads, (1, 1))
    return np.sum(_taps(x, w, 0.0), axis=-1) / _counts(w, include, x.dtype)[..., 0]


def _average_samples(rng: np.random.Generator) -> Any:
    for kernel, stride, pad, include in [((2, 2), (2, 2), 0, True), ((3, 2), (1, 2), 1, False)]:
        yield (
            [rng.standard_normal((2, 2, 5, 6))],
            {"kernel": kernel, "stride": stride, "pads": ((pad, pad),) * 2, "include": include},
        )


_average_pool = ag.op(
    _average_forward, name="avg_pool", vjp=_average_backward, definition=_average_definition, domain=_average_samples
)


# ------------------------------------------------------------------------------------------------------------ functions


def max_pool2d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Any:
    """Take the maximum of each window: y[n, c, p, q] = max over (i, j) of x[n, c, s·p + d·i, s·q + d·j].

    x: (N, C, H, W) or (C, H, W); ``stride`` is ``kernel_size`` unless given; padding stands for −∞ and is at most
    half the kernel. The gradient goes to the first maximum in reading order, as in PyTorch. Raises ShapeError if a
    window does not fit.

    >>> import numpy as np, nn
    >>> nn.functional.max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    return _pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation=dilation)


def avg_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, *, count_include_pad: bool = True
) -> Any:
    """Take the mean of each window: y[n, c, p, q] = 1/k² · Σ_ij x[n, c, s·p + i, s·q + j].

    x: (N, C, H, W) or (C, H, W); ``stride`` is ``kernel_size`` unless given; zeros of the padding count unless
    ``count_include_pad=False``. Raises ShapeError if a window does not fit.

    >>> import nn
    >>> nn.functional.avg_pool2d([[[1.0, 3.0], [5.0, 7.0]]], 2).tolist()
    [[[4.0]]]
    """
    return _pool("avg_pool2d", 2, input, kernel_size, stride, padding, include=bool(count_include_pad))


def max_pool1d(input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> Any:
    """Take the maximum of each window of (N, C, L) or (C, L); see :func:`max_pool2d`.

    y[n, c, p] = max over i of x[n, c, s·p + d·i]. Raises ShapeError if a window does not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[1.0, 3.0, 7.0, 5.0]], requires_grad=True)
    >>> y = nn.functional.max_pool1d(x, 2)
    >>> y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([[3.0, 7.0]], [[0.0, 1.0, 1.0, 0.0]])
    """
    return _pool("max_pool1d", 1, input, kernel_size, stride, padding, dilation=dilation)


def avg_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, *, count_include_pad: bool = True
) -> Any:
    """Take the mean of each window of (N, C, L) or (C, L); see :func:`avg_pool2d`.

    y[n, c, p] = 1/k · Σ_i x[n, c, s·p + i]. Raises ShapeError if a window does not fit.

    >>> import nn
    >>> nn.functional.avg_pool1d([[1.0, 3.0, 5.0, 7.0]], 2).tolist()
    [[2.0, 6.0]]
    """
    return _pool("avg_pool1d", 1, input, kernel_size, stride, padding, include=bool(count_include_pad))


def _pool(
    name: str,
    axes: int,
    x: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any = None,
    include: bool | None = None,
) -> Any:
    x = as_input(x)
    if x.ndim not in (axes + 1, axes + 2):
        sizes = "(N, C, H, W) or (C, H, W)" if axes == 2 else "(N, C, L) or (C, L)"
        raise wrong_shape(name, x, f"it must be {sizes}.")
    size = read(kernel, f"{name}: kernel_size", axes)
    steps = size if stride is None else read(stride, f"{name}: stride", axes)
    pads = read(padding, f"{name}: padding", axes, 0)
    if any(2 * p > k for p, k in zip(pads, size, strict=True)):
        raise ArgumentError(f"{place(name)}: padding may be at most half of kernel_size {kernel}, got {padding}.")
    image = x if x.ndim == axes + 2 else x[None]
    image = image if axes == 2 else image.reshape(*image.shape, 1)  # a sequence is an image of width 1
    options: dict[str, Any] = {"kernel": size, "stride": steps, "pads": ((pads[0],) * 2, (pads[1],) * 2)}
    spread = (1, 1) if dilation is None else read(dilation, f"{name}: dilation", axes)
    _windows(image, size, steps, options["pads"], spread).check(place(name), x.shape, axes)
    y = (
        _max_pool(image, **options, dilation=spread)
        if include is None
        else _average_pool(image, **options, include=include)
    )
    y = y if axes == 2 else y.reshape(y.shape[:3])
    return y if x.ndim == axes + 2 else y[0]
