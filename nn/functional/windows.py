"""Where the windows of a convolution or a pooling lie: kernel, stride, padding and dilation over two axes.

Arrays are handled with the batch as *last* axis in memory, (C, H, W, N), and shown as (N, C, H, W) by a transposed
view. Every copy of a window row, every pooling comparison and every GEMM then runs over long contiguous memory, one
GEMM serves the whole batch, and no result is ever transposed: the next layer finds the layout that it wants.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.errors import ArgumentError, ShapeError

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]
Array = np.ndarray[Any, Any]

BLOCK = 160 * 1024  # numbers per block: columns and output of one block stay in the cache together


def read(value: Any, what: str, axes: int = 2, least: int = 1) -> Pair:
    """Read an int >= ``least``, or one per axis, as a pair; a sequence (one axis) is an image of width 1."""
    items = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(items) != axes or not all(isinstance(n, int | np.integer) and n >= least for n in items):
        many = " or a pair of them" if axes == 2 else ""
        raise ArgumentError(f"{what} must be an int >= {least}{many}, got {value!r}.")
    return int(items[0]), int(items[1]) if axes == 2 else least


def read_pads(padding: Any, kernel: Pair, stride: Pair, dilation: Pair, what: str) -> Pads:
    """Read ``padding``: an int, a pair, "valid", or "same" (stride 1 only; an odd row goes below and to the right)."""
    if padding == "valid":
        return (0, 0), (0, 0)
    if padding == "same":
        if stride != (1, 1):
            raise ArgumentError(f"{what}: padding='same' needs stride 1, got stride {stride}. Pass numbers instead.")
        total = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return (total[0] // 2, total[0] - total[0] // 2), (total[1] // 2, total[1] - total[1] // 2)
    if isinstance(padding, str):
        raise ArgumentError(f"{what}: padding must be 'same', 'valid', an int or a tuple of ints, got {padding!r}.")
    top, left = read(padding, f"{what}: padding", 2, 0)
    return (top, top), (left, left)


@dataclass(frozen=True)
class Windows:
    """Hold the geometry of all windows over an image of ``height`` by ``width``."""

    kernel: Pair
    stride: Pair
    pads: Pads
    dilation: Pair
    height: int
    width: int

    @cached_property
    def padded(self) -> Pair:
        """Return height and width with padding."""
        return self.height + sum(self.pads[0]), self.width + sum(self.pads[1])

    @cached_property
    def out(self) -> Pair:
        """Return height and width of the output: ⌊(size − dilation·(kernel − 1) − 1)/stride⌋ + 1."""
        rows, columns = [
            (size - d * (k - 1) - 1) // s + 1
            for size, k, s, d in zip(self.padded, self.kernel, self.stride, self.dilation, strict=True)
        ]
        return rows, columns

    @property
    def apart(self) -> bool:
        """Tell whether no element lies in two windows, so that each is written at most once on the way back."""
        return self.dilation == (1, 1) and all(s >= k for s, k in zip(self.stride, self.kernel, strict=True))

    def taps(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, int, tuple[slice, slice]]]:
        """Yield (i, j, slices) per kernel position: what it sees, over output rows start…stop, of the padded (H, W)."""
        (sh, sw), (dh, dw) = self.stride, self.dilation
        rows, columns = self.out
        stop = rows if stop is None else stop
        for i in range(self.kernel[0]):
            for j in range(self.kernel[1]):
                top, left = i * dh + start * sh, j * dw
                yield (
                    i,
                    j,
                    (slice(top, top + (stop - start - 1) * sh + 1, sh), slice(left, left + (columns - 1) * sw + 1, sw)),
                )

    def inner(self) -> tuple[slice, slice]:
        """Return the slices that cut the padding off."""
        (top, _), (left, _) = self.pads
        return slice(top, top + self.height), slice(left, left + self.width)

    def pad(self, x: Array, value: float = 0.0) -> Array:
        """Return (N, C, H, W) as contiguous (C, H, W, N) with its padding; no copy where it has that form already."""
        if not any(map(sum, self.pads)):
            return np.ascontiguousarray(x.transpose(1, 2, 3, 0))
        padded = np.empty((x.shape[1], *self.padded, x.shape[0]), x.dtype)
        rows, columns = self.inner()
        padded[:, : rows.start] = padded[:, rows.stop :] = value
        padded[:, rows, : columns.start] = padded[:, rows, columns.stop :] = value
        padded[:, rows, columns] = x.transpose(1, 2, 3, 0)
        return padded

    def view(self, padded: Array) -> Array:
        """View (C, H, W, N) as (C, kh, kw, oh, ow, N): every window, without a copy."""
        channels, _, _, batch = padded.shape
        (sh, sw), (dh, dw), (c, h, w, n) = self.stride, self.dilation, padded.strides
        return as_strided(
            padded, (channels, *self.kernel, *self.out, batch), (c, h * dh, w * dw, h * sh, w * sw, n), writeable=False
        )

    def check(self, what: str, shape: tuple[int, ...], axes: int) -> None:
        """Refuse an image (2 axes), or a sequence (1), that is smaller than one window."""
        for axis, size, k, d in zip((-axes, 1 - axes), self.padded, self.kernel, self.dilation, strict=True):
            if size < d * (k - 1) + 1:
                raise ShapeError(
                    f"{what} got x of shape {shape}: axis {axis} has {size} elements with padding, "
                    f"but one window spans "
                    f"{d * (k - 1) + 1}. Use a smaller kernel or more padding."
                )


def show(y: Array) -> Array:
    """Show (C, H, W, N) as (N, C, H, W)."""
    return y.transpose(3, 0, 1, 2)
