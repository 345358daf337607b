"""Transposed convolution layers: they enlarge what a convolution with the same numbers makes smaller."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.functional.transposed import conv_transpose1d, conv_transpose2d
from nn.functional.windows import read
from nn.linear import positive
from nn.module import Module, Parameter


class _ConvTranspose(Module):
    """Hold weight (C, O/groups, *kernel) and bias (O,), from U(−1/√n, 1/√n) with n = O/groups · kernel elements."""

    axes = 2
    _fixed = ("in_channels", "out_channels", "kernel_size")

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
        dtype: DTypeLike = np.float32,
        rng: init.Rng = None,
    ) -> None:
        kind = type(self).__name__
        positive(kind, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{kind}: groups must divide in_channels {in_channels} and out_channels {out_channels}, got {groups}."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = (
            read(value, f"{kind}: {name}", self.axes)[: self.axes]
            for name, value in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation))
        )
        self.padding, self.output_padding = (
            read(value, f"{kind}: {name}", self.axes, 0)[: self.axes]
            for name, value in (("padding", padding), ("output_padding", output_padding))
        )
        rng, shape = np.random.default_rng(rng), (in_channels, out_channels // groups, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = init.uniform_(Parameter(np.empty(shape, dtype)), -bound, bound, rng=rng)
        self.bias = init.uniform_(Parameter(np.empty(out_channels, dtype)), -bound, bound, rng=rng) if bias else None

    def forward(self, x: Any) -> ag.Tensor:
        function = conv_transpose2d if self.axes == 2 else conv_transpose1d
        where = (self.stride, self.padding, self.output_padding, self.groups, self.dilation)
        return function(x, self.weight, self.bias, *where)

    def extra_repr(self) -> str:
        plain = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        sizes = [(name, getattr(self, name)) for name, usual in plain.items() if set(getattr(self, name)) != {usual}]
        extras = [f"{name} {value[0] if len(set(value)) == 1 else value}" for name, value in sizes]
        extras += [f"groups {self.groups}"] * (self.groups > 1) + ["no bias"] * (self.bias is None)
        kernel = "×".join(map(str, self.kernel_size))
        return ", ".join([f"{self.in_channels} -> {self.out_channels}", f"kernel {kernel}", *extras])


class ConvTranspose2d(_ConvTranspose):
    """Lay a kernel down for each pixel and add up: the gradient of a Conv2d by its image, as a layer.

    x: (N, C, H, W) or (C, H, W); y: (N, O, oh, ow) with oh = (H − 1)·stride − 2·padding + dilation·(kernel − 1) +
    output_padding + 1. Weights start as PyTorch's do.

    >>> import numpy as np, nn
    >>> nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, rng=0)(np.ones((2, 8, 7, 7))).shape
    (2, 1, 14, 14)
    """


class ConvTranspose1d(_ConvTranspose):
    """Lay a kernel down for each step of a sequence (N, C, L) -> (N, O, ol); see :class:`ConvTranspose2d`."""

    axes = 1
