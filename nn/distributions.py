"""The divergence of Kullback and Leibler as a module."""

from typing import Any

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import distributions as F
from nn.loss_names import FUNCTIONS
from nn.losses import Loss, tensor


class KLDivLoss(Loss):
    """Measure t (log t − x) of log-probabilities x and probabilities t, or their logarithms with ``log_target``.

    ``reduction="batchmean"`` gives the divergence per sample; ``"mean"`` divides by all elements, as in PyTorch. Both
    have one shape, or a ShapeError says so; an x above 0 is an ArgumentError.

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


FUNCTIONS[F.kl_div] = KLDivLoss  # entered here, as the story's table knows nothing of the long tail
