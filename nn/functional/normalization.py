"""Normalization: over the features of each row (LayerNorm), over the batch per channel (BatchNorm).

Both run over blocks that stay in the L2 cache, sums are products with a vector of ones (BLAS), and nothing but mean
and 1/σ is kept for the way back, where x̂ is computed again.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

import autograd as ag
from nn.functional.checks import as_input, wrong_shape
from nn.functional.windows import Array

BLOCK = 16 * 1024  # numbers per block: with output and scratch 200 KiB


def _blocks(count: int, width: int) -> Iterator[slice]:
    step = max(1, BLOCK // max(1, width))
    return (slice(at, min(at + step, count)) for at in range(0, count, step))


# ------------------------------------------------------------------------------------------------------------ LayerNorm


def _layer_forward(x: Any, weight: Any, bias: Any, *, shape: tuple[int, ...], eps: float) -> Any:
    width = math.prod(shape)
    rows = np.ascontiguousarray(x).reshape(x.size // width, width)
    y, share = np.empty_like(rows), np.full((width, 1), 1 / width, rows.dtype)
    mean, rstd = (np.empty((len(rows), 1), rows.dtype) for _ in range(2))
    w, b = (p.reshape(-1) if isinstance(p, np.ndarray) else None for p in (weight, bias))
    for at in _blocks(len(rows), width):
        xhat, m, r = y[at], mean[at], rstd[at]
        np.dot(rows[at], share, out=m)
        np.subtract(rows[at], m, out=xhat)
        np.vecdot(xhat, xhat, out=r[:, 0])
        r /= width
        r += eps
        np.sqrt(r, out=r)
        np.reciprocal(r, out=r)
        xhat *= r
        if w is not None:
            xhat *= w
        if b is not None:
            xhat += b
    return y.reshape(x.shape), mean, rstd


def _layer_backward(g: Any, x: Any, weight: Any, shape: tuple[int, ...], mean: Any, rstd: Any, needs: Any) -> Any:
    """Return dx = 1/σ · (d − mean(d) − x̂ · mean(d · x̂)) with d = g · w; dw = Σ g · x̂, db = Σ g."""
    width = math.prod(shape)
    rows, g = (
        np.ascontiguousarray(x).reshape(x.size // width, width),
        np.ascontiguousarray(g).reshape(x.size // width, width),
    )
    dx = np.empty_like(rows) if needs[0] else None
    dw, db = (np.zeros(width, rows.dtype) if need else None for need in needs[1:])
    share, ones = np.full((width, 1), 1 / width, rows.dtype), np.ones(len(rows), rows.dtype)
    step = min(len(rows), max(1, BLOCK // max(1, width)))
    xhats, scratch = np.empty((2, step, width), rows.dtype)
    for at in _blocks(len(rows), width):
        d, one = g[at], ones[at]
        xhat, t = xhats[: len(d)], scratch[: len(d)]
        if db is not None:
            db += np.dot(one, d)
        np.subtract(rows[at], mean[at], out=xhat)
        xhat *= rstd[at]
        if dw is not None:
            np.multiply(d, xhat, out=t)
            dw += np.dot(one, t)
        if dx is not None:
            d = np.multiply(d, weight.reshape(-1), out=t) if isinstance(weight, np.ndarray) else d
            _center(d, xhat, share, rstd[at], dx[at])
    return tuple(
        part if part is None else part.reshape(like) for part, like in ((dx, x.shape), (dw, shape), (db, shape))
    )


def _center(d: Array, xhat: Array, share: Array, rstd: Array, out: Array) -> None:
    """Write 1/σ · (d − mean(d) − x̂ · mean(d · x̂)) into ``out``; ``xhat`` is overwritten."""
    slope = np.vecdot(d, xhat)[:, None]
    slope *= share[0]
    np.multiply(xhat, slope, out=xhat)
    np.subtract(d, np.dot(d, share), out=out)
    out -= xhat
    out *= rstd


def _layer_definition(x: Any, weight: Any, bias: Any, *, shape: tuple[int, ...], eps: float) -> Any:
    """Compute y = (x − E[x]) / √(Var[x] + ε) · w + b over the last axes by plain ops."""
    axes = tuple(range(-len(shape), 0))
    centered = x - np.mean(x, axis=axes, keepdims=True)
    return centered / np.sqrt(np.mean(centered * centered, axis=axes, keepdims=True) + eps) * weight + bias


def _layer_samples(rng: np.random.Generator) -> Any:
    yield [rng.standard_normal(s) for s in ((3, 5), (5,), (5,))], {"shape": (5,), "eps": 1e-5}
    yield [rng.standard_normal(s) for s in ((2, 2, 3), (2, 3), (2, 3))], {"shape": (2, 3), "eps": 1e-2}


_layer_norm = ag.op(
    _layer_forward,
    name="layer_norm",
    holomorphic=None,
    vjp=_layer_backward,
    definition=_layer_definition,
    cache=("mean", "rstd"),
    domain=_layer_samples,
)


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Normalize over the last axes: y = (x − E[x]) / √(Var[x] + ε) · w + b, with the variance over n (not n − 1).

    input: (*, *normalized_shape); weight and bias: normalized_shape. Ba, Kiros, Hinton, "Layer normalization" (2016).
    Raises ShapeError if the last axes are not ``normalized_shape``. The result has the shape of x.

    >>> import numpy as np, nn
    >>> nn.functional.layer_norm(np.array([[1.0, 3.0]]), 2).round(3)
    array([[-1.,  1.]])
    """
    shape = (int(normalized_shape),) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    x = as_input(input, weight)
    if not shape or tuple(x.shape[-len(shape) :]) != shape:
        axis = "the last axis must be" if len(shape) == 1 else f"the last {len(shape)} axes must be"
        raise wrong_shape("layer_norm", x, f"{axis} {shape[0] if len(shape) == 1 else shape}.")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and tuple(value.shape) != shape:
            raise wrong_shape("layer_norm", value, f"it must be {shape}.", name)
    return _layer_norm(x, 1.0 if weight is None else weight, 0.0 if bias is None else bias, shape=shape, eps=eps)
