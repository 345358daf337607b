"""Upsampling: images and sequences made larger."""

from typing import Any

import autograd as ag
from nn.functional.interpolate import resize
from nn.module import Module


class Upsample(Module):
    """Bring the axes behind the channels to ``size``, or to ``scale_factor`` times their lengths.

    x: (N, C, L) or (N, C, H, W). ``mode`` is "nearest", "linear" (three axes) or "bilinear" (four); ``align_corners``
    keeps the ends of the last two where they are. (N, C, L) -> (N, C, ⌊L · scale_factor⌋). Raises ArgumentError unless
    one of ``size`` and ``scale_factor`` is given, ShapeError where x does not fit the mode.

    >>> import numpy as np, nn
    >>> nn.Upsample(scale_factor=2)(np.array([[[1.0, 2.0]]])).tolist()
    [[[1.0, 1.0, 2.0, 2.0]]]
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
    ) -> None:
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x: Any) -> ag.Tensor:
        return resize("upsample", x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        target = f"to {self.size}" if self.size is not None else f"×{self.scale_factor}"
        return ", ".join([target, self.mode, *["align corners"] * bool(self.align_corners)])
