"""Shares: which rows of a batch are a rank's, and how much its mean loss counts in that of the whole batch."""

from typing import Any

import numpy as np

from nn.batches import Batch
from nn.losses import CrossEntropyLoss, NLLLoss


def rows(count: int, rank: int, size: int, least: int = 1) -> slice:
    """Give the rows of a rank: ``count`` rows in ``size`` even parts, of at least ``least`` rows where it can be.

    >>> [rows(10, rank, 4) for rank in range(4)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 8, None), slice(8, 10, None)]
    >>> [rows(5, rank, 4, least=2) for rank in range(4)]  # two ranks have work
    [slice(0, 3, None), slice(3, 5, None), slice(5, 5, None), slice(5, 5, None)]
    """
    parts = max(1, min(size, count // least))
    if rank >= parts:
        return slice(count, count)
    base, extra = divmod(count, parts)
    start = rank * base + min(rank, extra)
    return slice(start, start + base + (rank < extra))


def share(loss: Any, batch: Batch, part: Batch, output: Any) -> float:
    """Give s_r such that the loss of the batch is Σ_r s_r · loss of rank r's part.

    Means are weighted by what they divide by: samples, weights, or the class weights of the targets that count. Sums
    just add.
    """
    if batch.weight is None and getattr(loss, "reduction", "mean") == "sum":
        return 1.0
    whole = _divisor(loss, batch, output)
    return _divisor(loss, part, output) / whole if whole else len(part) / len(batch)


def _divisor(loss: Any, batch: Batch, output: Any) -> float:
    """Give what the mean over a batch divides by."""
    if batch.weight is not None:
        return float(batch.weight.sum())
    if not isinstance(loss, CrossEntropyLoss | NLLLoss):
        return float(len(batch))
    y = np.asarray(batch.y)
    if y.shape[1:] == output.shape[1:]:  # probabilities
        return float(len(batch))
    labels = y[y != loss.ignore_index].astype(np.intp)
    return float(labels.size if loss.weight is None else np.asarray(loss.weight, np.float64)[labels].sum())
