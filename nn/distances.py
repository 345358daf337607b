"""Losses on embeddings as modules: of pairs, and of triplets."""

from typing import Any

import autograd as ag
from nn.functional import distances as F
from nn.losses import Loss, tensor


class CosineEmbeddingLoss(Loss):
    """Measure 1 − cos(x₁, x₂) for pairs that belong together (target 1), max(0, cos(x₁, x₂) − margin) else (−1).

    x₁, x₂: (N, D) and target (N,), or (D,) and (). Raises ShapeError where shapes do not fit, ArgumentError for other
    targets.

    >>> import nn
    >>> nn.CosineEmbeddingLoss()([[1.0, 0.0]], [[0.0, 2.0]], [1]).item()
    1.0
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> ag.Tensor:
        return F.cosine_embedding_loss(tensor(input1), input2, target, self.margin, self.reduction)


class TripletMarginLoss(Loss):
    """Measure max(0, d(a, p) − d(a, n) + margin): the anchor shall be closer to the positive than to the negative.

    d(x, y) = ‖x − y + eps‖_p; anchor, positive, negative: (N, D) or (D,). ``swap`` takes the smaller one of d(a, n) and
    d(p, n). Raises ShapeError where the three do not have one shape, (N, D) or (D,).

    >>> import autograd as ag, nn
    >>> anchor = ag.Tensor([[0.0, 0.0]], requires_grad=True)
    >>> loss = nn.TripletMarginLoss()(anchor, [[1.0, 0.0]], [[0.0, 1.5]])
    >>> round(loss.item(), 4)
    0.5
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> ag.Tensor:
        options = (self.margin, self.p, self.eps, self.swap, self.reduction)
        return F.triplet_margin_loss(tensor(anchor), positive, negative, *options)
