"""What formulas of arrays are made of: small, slow functions that say what a gradient is, not how it is computed."""

from collections.abc import Mapping
from typing import Any

import numpy as np

WITH_KEYWORDS = ("onehot", "head", "side_by_side", "correlate", "convolve")  # these also read the keywords of the op


def transposed(x: Any) -> Any:
    """Exchange the last two axes."""
    return np.swapaxes(x, -1, -2) if np.ndim(x) > 1 else x


def softmax(x: Any) -> Any:
    """Compute exp x / Σ exp x along the last axis."""
    e = np.exp(x - np.max(x, -1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sum_rows(x: Any) -> Any:
    """Add up all rows: over every axis but the last."""
    return np.sum(x, tuple(range(np.ndim(x) - 1)))


def row_sums(x: Any) -> Any:
    """Add up each row, and keep its axis."""
    return np.sum(x, -1, keepdims=True)


def sum_channels(x: Any) -> Any:
    """Add up each channel of (N, C, …)."""
    return np.sum(x, (0, *range(2, np.ndim(x))))


def onehot(index: Any, keywords: Mapping[str, Any]) -> Any:
    """Return 1 at each index and 0 elsewhere, in the shape of ``z``."""
    z = keywords["z"]
    return np.eye(z.shape[-1])[np.ravel(index)].reshape(z.shape)


def head(x: Any, k: int, keywords: Mapping[str, Any]) -> Any:
    """Cut the k-th of the parts of (N, L, parts · E) into heads: (N, heads, L, E / heads)."""
    width, heads = keywords["qkv"].shape[-1] // 3, keywords["heads"]
    part = x[..., k * width : (k + 1) * width]
    part = part if keywords["batch_first"] else np.swapaxes(part, 0, 1)
    return np.swapaxes(part.reshape(*part.shape[:2], heads, -1), 1, 2)


def side_by_side(*parts: Any) -> Any:
    """Undo :func:`head` for several, whose keywords come last."""
    *arrays, keywords = parts
    joined = [np.swapaxes(x, 1, 2).reshape(x.shape[0], x.shape[2], -1) for x in arrays]
    x = np.concatenate(joined, -1)
    return x if keywords["batch_first"] else np.swapaxes(x, 0, 1)


def correlate(x: Any, g: Any, keywords: Mapping[str, Any]) -> Any:
    """Slide g (N, O, …) over the padded x (N, C, …): the gradient of a kernel (O, C, …) that has stride 1."""
    _refuse(keywords)
    x = np.pad(x, ((0, 0), (0, 0), *_pads(keywords, np.ndim(x) - 2)))
    axes = tuple(range(2, np.ndim(x)))
    windows = np.lib.stride_tricks.sliding_window_view(x, g.shape[2:], axes)  # (N, C, k…, out…)
    inner = (0, *range(len(axes) + 2, 2 * len(axes) + 2))
    return np.tensordot(g, windows, ((0, *axes), inner))


def convolve(g: Any, weight: Any, keywords: Mapping[str, Any]) -> Any:
    """Spread each element of g over the window that it came from, by the kernel; what was padding is cut off."""
    _refuse(keywords)
    kernel = weight.shape[2:]
    g = np.pad(g, ((0, 0), (0, 0), *((k - 1, k - 1) for k in kernel)))
    axes = tuple(range(2, np.ndim(g)))
    windows = np.lib.stride_tricks.sliding_window_view(g, kernel, axes)  # (N, O, in…, k…)
    turned = np.flip(weight, axes)
    inner = (1, *range(len(axes) + 2, 2 * len(axes) + 2))
    x = np.moveaxis(np.tensordot(windows, turned, (inner, (0, *axes))), -1, 1)
    cut = (slice(low, x.shape[k + 2] - high) for k, (low, high) in enumerate(_pads(keywords, len(axes))))
    return x[(slice(None), slice(None), *cut)]


def _pads(keywords: Mapping[str, Any], axes: int) -> list[tuple[int, int]]:
    return [tuple(pair) for pair in keywords.get("pads", ())][-axes:] or [(0, 0)] * axes


def _refuse(keywords: Mapping[str, Any]) -> None:
    steps = (*keywords.get("stride", (1,)), *keywords.get("dilation", (1,)), keywords.get("groups", 1))
    if any(step != 1 for step in steps):
        raise ValueError("only a plain convolution has this formula")
