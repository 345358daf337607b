"""Pooling layers."""

from typing import Any

import autograd as ag
from nn.functional import pooling as F
from nn.functional.adaptive import adaptive_avg_pool1d, adaptive_avg_pool2d
from nn.module import Module


class _Pool(Module):
    """Hold the geometry of a pooling; ``stride`` is ``kernel_size`` unless given."""

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def extra_repr(self) -> str:
        extras = [f"stride {self.stride}"] * (self.stride != self.kernel_size) + [f"padding {self.padding}"] * (
            self.padding != 0
        )
        return ", ".join([f"kernel {self.kernel_size}", *extras])


class _MaxPool(_Pool):
    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1) -> None:
        super().__init__(kernel_size, stride, padding)
        self.dilation = dilation


class _AvgPool(_Pool):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, *, count_include_pad: bool = True
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.count_include_pad = count_include_pad


class MaxPool2d(_MaxPool):
    """Take the maximum of each window: (N, C, H, W) -> (N, C, oh, ow); the first maximum gets the gradient.

    y[n, c, p, q] = max over (i, j) of x[n, c, s·p + d·i, s·q + d·j]. Raises ShapeError where a window does not fit into
    x, ArgumentError for padding over half of a window.

    >>> import numpy as np, nn
    >>> nn.MaxPool2d(2)(np.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation)


class MaxPool1d(_MaxPool):
    """Take the maximum of each window: (N, C, L) -> (N, C, ol).

    y[i] = max_j x[stride·i + j]; ``stride`` is ``kernel_size`` unless given. Raises ShapeError where a window does not
    fit into x, ArgumentError for padding over half of a window.

    >>> import nn
    >>> nn.MaxPool1d(2)([[1.0, 3.0, 7.0, 5.0]]).tolist()
    [[3.0, 7.0]]
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.max_pool1d(x, self.kernel_size, self.stride, self.padding, self.dilation)


class AvgPool2d(_AvgPool):
    """Take the mean of each window, padding included unless ``count_include_pad=False``: see :class:`MaxPool2d`.

    (N, C, H, W) -> (N, C, oh, ow): y[p, q] = 1/k² Σ_ij x[s·p + i, s·q + j]. Raises ShapeError where a window does not
    fit into x.

    >>> import nn
    >>> nn.AvgPool2d(2)([[[1.0, 3.0], [5.0, 7.0]]]).tolist()
    [[[4.0]]]
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad)


class AvgPool1d(_AvgPool):
    """Take the mean of each window: (N, C, L) -> (N, C, ol).

    y[i] = 1/k Σ_j x[stride·i + j]; ``stride`` is ``kernel_size`` unless given. Raises ShapeError where a window does
    not fit into x.

    >>> import nn
    >>> nn.AvgPool1d(2)([[1.0, 3.0, 5.0, 7.0]]).tolist()
    [[2.0, 6.0]]
    """

    def forward(self, x: Any) -> ag.Tensor:
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding, count_include_pad=self.count_include_pad)


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"to {self.output_size}"


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Take means over windows of whatever size gives (N, C, *output_size): 1 is the mean of each whole image.

    Row i is over the rows ⌊i·H/oh⌋ … ⌈(i + 1)·H/oh⌉ − 1. Raises ShapeError unless x is (N, C, H, W) or (C, H, W).

    >>> import numpy as np, nn
    >>> nn.AdaptiveAvgPool2d((2, None))(np.ones((1, 8, 7, 5))).shape
    (1, 8, 2, 5)
    """

    def forward(self, x: Any) -> ag.Tensor:
        return adaptive_avg_pool2d(x, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Take means over windows of whatever size gives (N, C, output_size).

    y[i] is the mean of x[⌊i L / n⌋ … ⌈(i + 1) L / n⌉ − 1], n the ``output_size``. Raises ShapeError unless x is (N, C,
    L) or (C, L).

    >>> import nn
    >>> nn.AdaptiveAvgPool1d(2)([[1.0, 3.0, 5.0, 7.0]]).tolist()
    [[2.0, 6.0]]
    """

    def forward(self, x: Any) -> ag.Tensor:
        return adaptive_avg_pool1d(x, self.output_size)
