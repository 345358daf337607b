"""Batch normalization: per channel, over the batch and all positions.

Channels are rows of a (C, N·positions) array, the layout in which convolution and pooling leave their results; plain
(N, C) input keeps its layout, with channels as columns. Blocks stay in the cache, and sums are products with a vector
of ones. Ioffe, Szegedy, "Batch normalization: accelerating deep network training" (2015).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import Array
from nn.inputs import constant

BLOCK = 32 * 1024


class _Channels:
    """View an array as blocks of channels: rows (C, M) for images, columns (M, C) for plain features."""

    def __init__(self, x: Array) -> None:
        self.shape, self.rows = x.shape, x.ndim > 2
        self.count, self.size = x.shape[1], x.size // max(1, x.shape[1])
        self.column = (-1, 1) if self.rows else (1, -1)  # the shape of per-channel numbers
        self.ones = np.ones(self.size, x.dtype)

    def flat(self, x: Array) -> Array:
        """Return (C, M) or (M, C); no copy where the batch is last in memory already."""
        if self.rows:
            x = x.transpose(*range(1, x.ndim), 0)
        return np.ascontiguousarray(x).reshape(*((self.count, self.size) if self.rows else (self.size, self.count)))

    def unflat(self, y: Array) -> Array:
        """Undo :meth:`flat`."""
        if not self.rows:
            return y
        return y.reshape(*self.shape[1:], self.shape[0]).transpose(-1, *range(len(self.shape) - 1))

    def blocks(self) -> Iterator[tuple[slice, Any]]:
        """Yield, per block, the channels and the index that cuts them out of a flat array."""
        step = max(1, BLOCK // max(1, self.size))
        for start in range(0, self.count, step):
            at = slice(start, min(start + step, self.count))
            yield at, at if self.rows else (slice(None), at)

    def total(self, x: Array) -> Array:
        """Sum each channel."""
        totals: Array = x @ self.ones if self.rows else self.ones @ x
        return totals

    def inner(self, a: Array, b: Array) -> Array:
        """Sum a · b for each channel."""
        totals: Array = np.vecdot(a, b) if self.rows else self.ones @ (a * b)
        return totals


class _Running:
    """Hold running statistics, which move in place: an op copies the arrays that it is given as keywords."""

    def __init__(self, mean: Array, var: Array, momentum: float | Array) -> None:
        self.mean, self.var, self.momentum = mean, var, momentum

    def follow(self, mean: Array, var: Array) -> None:
        """Move towards the statistics of a batch."""
        momentum = self.momentum
        if isinstance(momentum, np.ndarray):
            momentum += 1
            momentum = 1 / int(momentum)
        self.mean += momentum * (mean - self.mean)
        self.var += momentum * (var - self.var)


def _parameters(weight: Any, bias: Any, at: slice) -> tuple[Any, Any]:
    weight, bias = (p[at] if isinstance(p, np.ndarray) else p for p in (weight, bias))
    return weight, bias


def _forward(x: Any, weight: Any, bias: Any, *, mean: Any, var: Any, eps: float, running: Any) -> Any:
    """Normalize with the given statistics, or the batch's, which ``running`` then follows."""
    c = _Channels(x)
    flat = c.flat(x)
    y = np.empty_like(flat)
    own = mean is None
    mean = np.empty(c.count, x.dtype) if own else mean
    var = np.empty(c.count, x.dtype) if own else var
    for at, cut in c.blocks():
        if own:
            mean[at] = c.total(flat[cut]) / c.size
        np.subtract(flat[cut], mean[at].reshape(c.column), out=y[cut])
        if own:
            var[at] = c.inner(y[cut], y[cut]) / c.size
        w, b = _parameters(weight, bias, at)
        y[cut] *= (w / np.sqrt(var[at] + eps)).reshape(c.column)
        if isinstance(bias, np.ndarray):
            y[cut] += b.reshape(c.column)
    if own and running is not None:
        running.follow(mean, var * (c.size / (c.size - 1)))
    return c.unflat(y), mean, var


def _backward(g: Any, x: Any, weight: Any, mean: Any, eps: float, mu: Any, sigma2: Any, needs: Any) -> Any:
    """Return dx = w/σ · (g − E[g] − x̂ · E[g·x̂]); with given statistics dx = w/σ · g. dw = Σ g·x̂, db = Σ g."""
    c = _Channels(x)
    flat, upstream = c.flat(x), c.flat(g)
    dx = np.empty_like(flat) if needs[0] else None
    dw, db = np.empty((2, c.count), x.dtype)
    for at, cut in c.blocks():
        d, rstd = upstream[cut], 1 / np.sqrt(sigma2[at] + eps)
        db[at] = c.total(d)
        centered = flat[cut] - mu[at].reshape(c.column)
        dw[at] = c.inner(d, centered) * rstd
        if dx is None:
            continue
        w = weight[at] if isinstance(weight, np.ndarray) else weight
        if mean is None:
            centered *= (dw[at] * rstd / c.size).reshape(c.column)
            np.subtract(d, centered, out=dx[cut])
            dx[cut] -= (db[at] / c.size).reshape(c.column)
            d = dx[cut]
        np.multiply(d, (w * rstd).reshape(c.column), out=dx[cut])
    return None if dx is None else c.unflat(dx), dw if needs[1] else None, db if needs[2] else None


def _definition(x: Any, weight: Any, bias: Any, *, mean: Any, var: Any, eps: float, running: Any) -> Any:
    """Compute y = (x − μ) / √(σ² + ε) · w + b per channel by plain ops."""
    axes, column = (0, *range(2, x.ndim)), (-1,) + (1,) * (x.ndim - 2)
    if mean is None:
        centered = x - np.mean(x, axis=axes, keepdims=True)
        var = np.mean(centered * centered, axis=axes, keepdims=True)
    else:
        centered, var = x - mean.reshape(column), var.reshape(column)
    w, b = (p if isinstance(p, float) else p.reshape(column) for p in (weight, bias))
    return centered / np.sqrt(var + eps) * w + b


def _samples(rng: np.random.Generator) -> Any:
    for shape in ((4, 3), (3, 2, 4), (2, 3, 2, 2)):
        args = [rng.standard_normal(s) for s in (shape, shape[1:2], shape[1:2])]
        yield args, {"mean": None, "var": None, "eps": 1e-5, "running": None}
        yield (
            args,
            {"mean": rng.standard_normal(shape[1]), "var": rng.uniform(0.5, 2, shape[1]), "eps": 1e-3, "running": None},
        )


_copied = ag.opaque(np.copy)
_batch_norm = ag.op(
    _forward,
    name="batch_norm",
    holomorphic=None,
    vjp=_backward,
    definition=_definition,
    cache=("mu", "sigma2"),
    domain=_samples,
)


def batch_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float | Array = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Normalize each channel over batch and positions: y = (x − μ) / √(σ² + ε) · w + b.

    input: (N, C), (N, C, L) or (N, C, H, W); the others: (C,). While training μ and σ² are those of the batch, and
    the running arrays move towards them in place by ``momentum`` (σ² over n − 1); otherwise they are the running
    arrays. An integer array as ``momentum`` counts the batches, and the running arrays are the means over all of them.
    Raises ShapeError for shapes that do not fit, or a batch of one number per channel while training.

    >>> import nn
    >>> nn.functional.batch_norm([[1.0, 2.0], [3.0, 6.0]], training=True).numpy().round(3)
    array([[-1., -1.],
           [ 1.,  1.]], dtype=float32)
    """
    x = as_input(input, weight)
    name = place_of(x)
    if x.ndim < 2:
        raise wrong_shape(name, x, "it must be (N, C), (N, C, L) or (N, C, H, W).")
    channels = x.shape[1]
    for label, value in (
        ("weight", weight),
        ("bias", bias),
        ("running_mean", running_mean),
        ("running_var", running_var),
    ):
        if value is not None and tuple(value.shape) != (channels,):
            raise wrong_shape(
                name, x, f"axis 1 (channels) must be {value.shape[0]}, as {label} has shape {tuple(value.shape)}."
            )
    w, b = 1.0 if weight is None else weight, 0.0 if bias is None else bias
    mean, var = (
        constant(v, "a running statistic") if isinstance(v, ag.Tensor) else v for v in (running_mean, running_var)
    )
    if not training:
        if mean is None or var is None:
            raise ArgumentError(f"{place(name)}: running_mean and running_var are needed unless training=True.")
        return _batch_norm(x, w, b, mean=_copied(mean), var=_copied(var), eps=eps, running=None)
    if x.size <= channels:
        raise wrong_shape(
            name,
            x,
            "training needs more than one value per channel. Use a larger "
            "batch, leave a last one of one sample out (fit(drop_last=True)), or eval().",
        )
    running = None if mean is None or var is None else _Running(mean, var, momentum)
    return _batch_norm(x, w, b, mean=None, var=None, eps=eps, running=running)


def place_of(x: Any) -> str:
    """Name the layer for inputs like ``x``."""
    return "batch_norm" if x.ndim not in (2, 3, 4) else "batch_norm2d" if x.ndim == 4 else "batch_norm1d"
