"""What slides along an axis: windows, and the products of their elements that convolutions are."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd import lanes
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import Axis, as_array, cases, conjugated, draw
from autograd.primitive import implements, op

_view_of = np.lib.stride_tricks.sliding_window_view

# ------------------------------------------------------------------------------------------------- the linear pair


def _overlap_add_forward(windows: Any, axis: int = 0) -> Any:
    """Add windows (the last axis) back to where they were cut from along ``axis``: the transpose of cutting."""
    front = np.moveaxis(windows, axis, 0)
    number, width = front.shape[0], front.shape[-1]
    out = np.zeros((number + width - 1, *front.shape[1:-1]), windows.dtype)
    for k in range(width):
        out[k : k + number] += front[..., k]
    return np.moveaxis(out, 0, axis)


_windows: Any = op(
    lambda x, width=1, axis=0: _view_of(x, width, axis),
    name="sliding_window_view",
    inputs=["x"],
    vjp=lambda g, axis: overlap_add(g, axis=axis),
    linear=True,
    batch=lanes.along_axis,
)
overlap_add: Any = op(
    _overlap_add_forward,
    name="overlap_add",
    vjp=lambda g, shapes, axis: _windows(g, shapes[0][-1], axis),
    domain=cases(((3, 2), {}), ((2, 4, 3), {"axis": 1})),
    linear=True,
    batch=lanes.along_axis,
)


@implements(_view_of, domain=cases(((5,), 3), ((3, 4), (2, 3)), ((3, 4), {"window_shape": 2, "axis": -1})))
def sliding_window_view(
    x: Any, window_shape: Any, axis: Axis = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    """Cut all windows of a shape from ``x``: their places stand where the axes were, their elements last."""
    x = as_array(x)
    widths = tuple(window_shape) if np.ndim(window_shape) else (window_shape,)
    axes = np.lib.array_utils.normalize_axis_tuple(
        range(x.ndim) if axis is None else axis, x.ndim, allow_duplicate=True
    )
    if len(axes) != len(widths):
        raise ShapeError(f"sliding_window_view: window_shape {window_shape} needs one length for each of axes {axes}.")
    for width, i in zip(widths, axes, strict=True):
        x = _windows(x, int(width), i)
    return x


# ----------------------------------------------------------------------------------------------------- convolutions

_convolve: Any = op(
    lambda a, v: np.convolve(a, v),
    name="convolve",
    symbol="∗",
    vjp=dict(
        a=lambda g, v: np.convolve(g, np.flip(v), "valid"),
        v=lambda g, a: np.convolve(g, np.flip(a), "valid"),
    ),
    linear="each",
)


def _pairs(*modes: str) -> Any:
    """Make a domain of pairs of vectors for each mode: of even and odd length, the shorter first and last."""

    def samples(rng: np.random.Generator) -> Any:
        for mode in modes:
            for n, m in ((5, 3), (2, 4), (4, 4)):
                yield (draw(rng, (n,)), draw(rng, (m,))), {"mode": mode}

    return samples


def _cut(full: Any, n: int, m: int, mode: str) -> Any:
    """Cut the part of ``mode`` out of a full convolution of vectors of lengths n and m."""
    long, short = (n, m) if n >= m else (m, n)
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolve, correlate: mode must be 'full', 'same' or 'valid', got {mode!r}.")
    if mode == "full":
        return full
    start, number = (short - 1, long - short + 1) if mode == "valid" else (short - 1 - short // 2, long)
    return full[start : start + number]


@implements(np.convolve, domain=_pairs("full", "same", "valid"))
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """Compute Σₘ a[m] v[n - m] for two vectors: everywhere they overlap, in the length of the longer, or inside it."""
    a, v = _vector(a), _vector(v)
    return _cut(_convolve(a, v), a.size, v.size, mode)


@implements(np.correlate, domain=_pairs("full", "same", "valid"))
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """Compute Σₘ a[m + n] v̄[m] for two vectors; complex ``v`` is conjugated."""
    a, v = _vector(a), conjugated(_vector(v))
    if a.size >= v.size:
        return convolve(a, np.flip(v), mode)
    return np.flip(convolve(v, np.flip(a), mode))


def _vector(x: Any) -> Any:
    x = np.atleast_1d(as_array(x))
    if x.ndim != 1 or not x.size:
        raise ShapeError(
            f"convolve, correlate: takes two vectors that are not empty, got shape {x.shape}. For images use "
            "nn.functional.conv2d."
        )
    return x
