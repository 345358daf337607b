"""Convolution layers."""

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn import init
from nn.functional.convolution import conv1d, conv2d
from nn.functional.windows import Pair, read, read_pads
from nn.inputs import generator_of
from nn.linear import positive
from nn.module import Module, Parameter


class Kernel(Module):
    """Hold weight and bias of a convolution or its transpose, from U(−1/√n, 1/√n) with n = numbers in weight[0]."""

    axes = 2
    _fixed = ("in_channels", "out_channels", "kernel_size")
    padding: Any

    def _read_sizes(self, in_channels: int, out_channels: int, groups: int, **sizes: Any) -> dict[str, Pair]:
        """Read channels, ``kernel_size``, ``stride`` and ``dilation``; give these as pairs."""
        kind = type(self).__name__
        positive(kind, in_channels=in_channels, out_channels=out_channels, groups=groups)
        if in_channels % groups or out_channels % groups:
            raise ArgumentError(
                f"{kind}: groups must divide in_channels {in_channels} and out_channels {out_channels}, got {groups}."
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        pairs = {name: read(value, f"{kind}: {name}", self.axes) for name, value in sizes.items()}
        self.kernel_size, self.stride, self.dilation = (
            pairs[name][: self.axes] for name in ("kernel_size", "stride", "dilation")
        )
        return pairs

    def _draw(self, rows: int, columns: int, bias: bool, dtype: "DTypeLike", rng: init.Rng) -> None:
        """Make weight (rows, columns, *kernel) and bias (out_channels,)."""
        rng, shape = generator_of(rng), (rows, columns, *self.kernel_size)
        bound = 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = init.uniform_(Parameter(np.empty(shape, dtype)), -bound, bound, rng=rng)
        self.bias = (
            init.uniform_(Parameter(np.empty(self.out_channels, dtype)), -bound, bound, rng=rng) if bias else None
        )

    def extra_repr(self) -> str:
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        held = [(name, getattr(self, name)) for name in usual if hasattr(self, name)]
        extras = [f"{name} {_short(value)}" for name, value in held if value != (usual[name],) * self.axes]
        extras += [f"groups {self.groups}"] * (self.groups > 1) + ["no bias"] * (self.bias is None)
        kernel = "×".join(map(str, self.kernel_size))
        return ", ".join([f"{self.in_channels} -> {self.out_channels}", f"kernel {kernel}", *extras])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else str(value[0]) if len(set(value)) == 1 else str(value)


class _Conv(Kernel):
    """Hold weight (O, C/groups, *kernel) and bias (O,)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
        rng: init.Rng = None,
    ) -> None:
        sizes = {"kernel_size": kernel_size, "stride": stride, "dilation": dilation}
        kind, pairs = type(self).__name__, self._read_sizes(in_channels, out_channels, groups, **sizes)
        if isinstance(padding, str):
            read_pads(padding, pairs["kernel_size"], pairs["stride"], pairs["dilation"], kind)
            self.padding = padding
        else:
            self.padding = read(padding, f"{kind}: padding", self.axes, 0)[: self.axes]
        self._draw(out_channels, in_channels // groups, bias, dtype, rng)

    def forward(self, x: Any) -> ag.Tensor:
        function = conv2d if self.axes == 2 else conv1d
        return function(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Conv2d(_Conv):
    """Slide a kernel over images: y[n, o] = b[o] + Σ_c w[o, c] ⋆ x[n, c].

    x: (N, C, H, W) or (C, H, W); y: (N, O, oh, ow) with oh = ⌊(H + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1.
    ``padding``: int, pair, "same" (stride 1) or "valid". Weights start as PyTorch's do. Raises ShapeError unless x has
    ``in_channels`` channels and room for the kernel.

    >>> import numpy as np, nn
    >>> nn.Conv2d(1, 4, 3, padding="same", rng=0)(np.ones((2, 1, 8, 8))).shape
    (2, 4, 8, 8)
    """


class Conv1d(_Conv):
    """Slide a kernel over sequences: y[n, o, t] = b[o] + Σ w[o, c, i] · x[n, c, stride·t + dilation·i − padding].

    x: (N, C, L) or (C, L); y: (N, O, ol). Arguments as in :class:`Conv2d`. Raises ShapeError unless x has
    ``in_channels`` channels and room for the kernel.

    >>> import numpy as np, nn
    >>> nn.Conv1d(3, 8, 5, padding=2, rng=0)(np.zeros((2, 3, 10))).shape
    (2, 8, 10)
    """

    axes = 1
