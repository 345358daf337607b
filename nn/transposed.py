"""Transposed convolution layers: they enlarge what a convolution with the same numbers makes smaller."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from nn import init
from nn.conv import Kernel
from nn.functional.transposed import conv_transpose1d, conv_transpose2d
from nn.functional.windows import read


class _ConvTranspose(Kernel):
    """Hold weight (C, O/groups, *kernel) and bias (O,)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        kind = type(self).__name__
        self._read_sizes(in_channels, out_channels, groups, kernel_size=kernel_size, stride=stride, dilation=dilation)
        self.padding = read(padding, f"{kind}: padding", self.axes, 0)[: self.axes]
        self.output_padding = read(output_padding, f"{kind}: output_padding", self.axes, 0)[: self.axes]
        self._draw(in_channels, out_channels // groups, bias, dtype, rng)

    def forward(self, x: Any) -> ag.Tensor:
        function = conv_transpose2d if self.axes == 2 else conv_transpose1d
        where = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return function(x, self.weight, self.bias, *where)


class ConvTranspose2d(_ConvTranspose):
    """Lay a kernel down for each pixel and add up: the gradient of a Conv2d by its image, as a layer.

    x: (N, C, H, W) or (C, H, W); y: (N, O, oh, ow) with oh = (H − 1)·stride − 2·padding + dilation·(kernel − 1) +
    output_padding + 1. Weights start as PyTorch's do. Raises ShapeError unless x has ``in_channels`` channels.

    >>> import numpy as np, nn
    >>> nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=0)(np.ones((2, 8, 7, 7))).shape
    (2, 1, 14, 14)
    """


class ConvTranspose1d(_ConvTranspose):
    """Lay a kernel down for each step of a sequence (N, C, L) -> (N, O, ol); see :class:`ConvTranspose2d`.

    ol = (L − 1) · stride − 2 · padding + dilation · (k − 1) + output_padding + 1. Raises ShapeError unless x has
    ``in_channels`` channels.

    >>> import numpy as np, nn
    >>> nn.ConvTranspose1d(8, 3, 4, stride=2, padding=1, rng=0)(np.zeros((2, 8, 5))).shape
    (2, 3, 10)
    """

    axes = 1
