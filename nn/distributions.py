"""Losses between distributions as modules: KLDivLoss, and cross entropy of probabilities."""

from typing import Any

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import distributions as F
from nn.losses import _Loss, tensor


class CategoricalCrossEntropyLoss(_Loss):
    """Measure −Σ t log p of probabilities p (N, C, ...), as a softmax gives them; from logits use CrossEntropyLoss.

    The target holds class indices (N, ...), or one-hot rows or probabilities (N, C, ...).

    >>> import nn
    >>> round(nn.CategoricalCrossEntropyLoss()([[0.5, 0.5]], [1]).item(), 4)
    0.6931
    """

    outputs = "classes"  # of which the largest wins

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", *, check: bool = True
    ) -> None:
        super().__init__(reduction)
        self._buffer("weight", weight)
        self.ignore_index, self.check = ignore_index, check

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.categorical_cross_entropy(
            tensor(input), target, self.weight, self.ignore_index, self.reduction, check=self.check
        )


class KLDivLoss(_Loss):
    """Measure t (log t − x) of log-probabilities x and probabilities t, or their logarithms with ``log_target``.

    ``reduction="batchmean"`` gives the divergence per sample; ``"mean"`` divides by all elements, as in PyTorch.

    >>> import numpy as np, nn
    >>> round(nn.KLDivLoss("batchmean")(np.log([[0.5, 0.5]]), [[1.0, 0.0]]).item(), 4)
    0.6931
    """

    outputs = "classes"

    def __init__(self, reduction: str = "mean", log_target: bool = False, *, check: bool = True) -> None:
        if reduction not in ("mean", "batchmean", "sum", "none"):
            raise ArgumentError(
                f"KLDivLoss: reduction must be 'mean', 'batchmean', 'sum' or 'none', got {reduction!r}."
            )
        self.reduction, self.log_target, self.check = reduction, log_target, check

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.kl_div(tensor(input), target, self.reduction, self.log_target, check=self.check)
