"""Normalization layers: BatchNorm with running statistics, LayerNorm, and what is made of it: GroupNorm, RMSNorm."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.batch_norm import batch_norm
from nn.functional.checks import wrong_shape
from nn.functional.groups import group_norm, rms_norm
from nn.functional.normalization import layer_norm
from nn.inputs import as_input
from nn.linear import positive
from nn.module import Module, Parameter


class BatchNorm(Module):
    """Hold weight (ones) and bias (zeros) if ``affine``, and running_mean (zeros), running_var (ones) if tracking."""

    axes: tuple[int, ...] = ()
    sizes = ""
    _fixed = ("num_features", "affine", "track_running_stats")

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
    ) -> None:
        positive(type(self).__name__, num_features=num_features)
        self.num_features, self.eps = num_features, eps
        self.momentum = None if momentum is None else float(momentum)
        self.affine, self.track_running_stats, self.dtype = affine, track_running_stats, np.dtype(dtype)
        self.weight = Parameter(np.ones(num_features, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_features, dtype)) if affine else None
        self.register_buffer("running_mean", np.zeros(num_features, dtype) if track_running_stats else None)
        self.register_buffer("running_var", np.ones(num_features, dtype) if track_running_stats else None)
        counted = momentum is None and track_running_stats
        self.register_buffer("num_batches_tracked", np.array(0) if counted else None)

    def forward(self, x: Any) -> ag.Tensor:
        held = self.weight if self.weight is not None else self.running_mean
        x = as_input(x, self.dtype if held is None else held.dtype)
        if x.ndim not in self.axes:
            raise wrong_shape(type(self).__name__, x, f"it must be {self.sizes}.")
        training = self.training or self.running_mean is None
        momentum = self.num_batches_tracked if self.momentum is None else self.momentum
        return batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, training, momentum, self.eps)

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any

    def extra_repr(self) -> str:
        extras = ["not affine"] * (not self.affine) + ["no running statistics"] * (not self.track_running_stats)
        return ", ".join([str(self.num_features), *extras])


class BatchNorm1d(BatchNorm):
    """Normalize each feature over the batch: y = (x − μ)/√(σ² + ε) · w + b for x (N, C) or (N, C, L).

    While training μ and σ² are those of the batch, and the running ones follow: r += momentum · (batch − r), σ² over n
    − 1; with ``momentum=None`` they are the mean over all batches. In evaluation the running ones are used. Ioffe &
    Szegedy (2015). Raises ShapeError where the channels do not fit, or training sees one value per channel.

    >>> import numpy as np, nn
    >>> nn.BatchNorm1d(1)(np.array([[1.0], [3.0]])).numpy().round(2).tolist()
    [[-1.0], [1.0]]
    """

    axes, sizes = (2, 3), "(N, C) or (N, C, L)"


class BatchNorm2d(BatchNorm):
    """Normalize each channel over batch and positions of x (N, C, H, W); see :class:`BatchNorm1d`.

    y = (x − μ) / √(σ² + ε) · w + b, with μ and σ² over N, H and W. Raises ShapeError where the channels do not fit, or
    training sees one value per channel.

    >>> import numpy as np, nn
    >>> y = nn.BatchNorm2d(3)(np.random.default_rng(0).normal(size=(8, 3, 4, 4)))
    >>> y.shape, y.numpy().mean((0, 2, 3)).round(4) + 0.0
    ((8, 3, 4, 4), array([0., 0., 0.], dtype=float32))
    """

    axes, sizes = (4,), "(N, C, H, W)"


class LayerNorm(Module):
    """Normalize over the last axes: y = (x − E[x])/√(Var[x] + ε) · w + b.

    x: (*, *normalized_shape); weight (ones) and bias (zeros): normalized_shape. Ba, Kiros, Hinton (2016). The result
    has the shape of x. Raises ShapeError unless its last axes are ``normalized_shape``.

    >>> import nn
    >>> nn.LayerNorm(3)([[1.0, 2.0, 3.0]]).numpy().round(3)
    array([[-1.225,  0.   ,  1.225]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
    ) -> None:
        sizes = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        positive("LayerNorm", **{f"normalized_shape[{i}]": n for i, n in enumerate(sizes)})
        self.normalized_shape, self.eps, self.elementwise_affine = tuple(sizes), eps, elementwise_affine
        self.dtype = np.dtype(dtype)
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(self.normalized_shape, dtype)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> ag.Tensor:
        x = as_input(x, self.weight.dtype if self.weight is not None else self.dtype)
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        shown = str(self.normalized_shape[0]) if len(self.normalized_shape) == 1 else str(self.normalized_shape)
        return shown + ("" if self.elementwise_affine else ", not affine")


class GroupNorm(Module):
    """Normalize each group of channels of each sample: y = (x − E[x])/√(Var[x] + ε) · w + b for x (N, C, *).

    weight (ones) and bias (zeros): (C,). One group is a LayerNorm over channels and positions, C groups are an instance
    normalization. Wu & He (2018). Raises ShapeError unless axis 1 of x is ``num_channels``, ArgumentError for groups of
    unequal size.

    >>> import numpy as np, nn
    >>> nn.GroupNorm(2, 4)(np.ones((3, 4, 5, 5))).shape
    (3, 4, 5, 5)
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
    ) -> None:
        positive("GroupNorm", num_groups=num_groups, num_channels=num_channels)
        if num_channels % num_groups:
            raise ArgumentError(f"GroupNorm: num_groups must divide num_channels {num_channels}, got {num_groups}.")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self.dtype = np.dtype(dtype)
        self.weight = Parameter(np.ones(num_channels, dtype)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, dtype)) if affine else None

    def forward(self, x: Any) -> ag.Tensor:
        x = as_input(x, self.dtype if self.weight is None else self.weight.dtype)
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise wrong_shape("GroupNorm", x, f"it must be (N, {self.num_channels}, ...).")
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups} groups, {self.num_channels}" + ("" if self.affine else ", not affine")


class RMSNorm(Module):
    """Divide by the root mean square of the last axes: y = x/√(E[x²] + ε) · w.

    x: (*, *normalized_shape); weight (ones): normalized_shape; ``eps`` is that of the dtype unless given. Zhang &
    Sennrich (2019). The result has the shape of x. Raises ShapeError unless its last axes are ``normalized_shape``.

    >>> import nn
    >>> nn.RMSNorm(2)([[3.0, 4.0]]).numpy().round(2)
    array([[0.85, 1.13]], dtype=float32)
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float | None = None,
        elementwise_affine: bool = True,
        *,
        dtype: "DTypeLike" = np.float32,
    ) -> None:
        sizes = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        positive("RMSNorm", **{f"normalized_shape[{i}]": n for i, n in enumerate(sizes)})
        self.normalized_shape, self.eps, self.elementwise_affine = tuple(sizes), eps, elementwise_affine
        self.dtype = np.dtype(dtype)
        self.weight = Parameter(np.ones(self.normalized_shape, dtype)) if elementwise_affine else None

    def forward(self, x: Any) -> ag.Tensor:
        x = as_input(x, self.weight.dtype if self.weight is not None else self.dtype)
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        shown = str(self.normalized_shape[0]) if len(self.normalized_shape) == 1 else str(self.normalized_shape)
        return shown + ("" if self.elementwise_affine else ", not affine")
