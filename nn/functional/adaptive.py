"""Pooling to a size that is given, whatever the size of the input."""

from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.pooling import avg_pool2d


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Take means over windows so that the output is (N, C, *output_size): row i is over ⌊i·H/o⌋ … ⌈(i + 1)·H/o⌉ − 1.

    x: (N, C, H, W) or (C, H, W); ``output_size`` is an int or a pair, None keeps a length. The windows overlap where o
    does not divide H. Raises ShapeError unless x is (N, C, H, W) or (C, H, W).

    >>> import numpy as np, nn
    >>> nn.functional.adaptive_avg_pool2d(np.arange(6.0).reshape(1, 2, 3), (1, 2)).tolist()
    [[[2.0, 3.0]]]
    """
    return _pool("adaptive_avg_pool2d", 2, input, output_size)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Take means over windows so that the output is (N, C, output_size); see :func:`adaptive_avg_pool2d`.

    y[n, c, i] = mean of x[n, c, ⌊i·L/o⌋ … ⌈(i + 1)·L/o⌉ − 1]. Raises ShapeError unless x is (N, C, L) or (C, L).

    >>> import nn
    >>> nn.functional.adaptive_avg_pool1d([[1.0, 3.0, 5.0, 7.0]], 2).tolist()
    [[2.0, 6.0]]
    """
    return _pool("adaptive_avg_pool1d", 1, input, output_size)


def _pool(name: str, axes: int, x: Any, output_size: Any) -> Any:
    x = as_input(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise wrong_shape(name, x, f"it must be {'(N, C, H, W) or (C, H, W)' if axes == 2 else '(N, C, L) or (C, L)'}.")
    given = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * axes
    lengths = x.shape[-axes:]
    sizes = [n if size is None else size for size, n in zip(given, lengths, strict=False)]
    if len(given) != axes or not all(isinstance(n, int | np.integer) and n >= 1 for n in sizes):
        many = ", None or a pair of them" if axes == 2 else " or None"
        raise ArgumentError(f"{place(name)}: output_size must be an int >= 1{many}, got {output_size!r}.")
    if 0 in lengths:
        raise wrong_shape(name, x, "there must be something to take the mean of.")
    if all(size == 1 for size in sizes):  # of lengths that may vary, too, where a model is exported
        return x.mean(axis=tuple(range(-axes, 0)), keepdims=True)
    if axes == 2 and not any(n % size for n, size in zip(lengths, sizes, strict=True)):
        return avg_pool2d(x, (lengths[0] // sizes[0], lengths[1] // sizes[1]))
    for axis, size in zip(range(-axes, 0), sizes, strict=True):  # the mean over a rectangle, rows first
        x = _means(x, axis, int(size))
    return x


def _means(x: Any, axis: int, size: int) -> Any:
    """Take ``size`` means along one of the last two axes."""
    n, behind = x.shape[axis], (slice(None),) * (-axis - 1)
    if size == n:
        return x
    windows = [slice(i * n // size, -(-(i + 1) * n // size)) for i in range(size)]
    return np.stack([np.mean(x[(..., window, *behind)], axis=axis) for window in windows], axis=axis)
