"""Losses between distributions: the divergence of Kullback and Leibler, and cross entropy of probabilities.

From logits use ``cross_entropy``: it stays exact where a probability rounds to 0 or 1.
"""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import targets
from nn.functional.classes import counted, logits_and_weight, nll_of
from nn.functional.losses import cut_log, pair, reduce
from nn.inputs import as_target, numbers


def _samples(rng: np.random.Generator) -> Any:
    yield [rng.uniform(0.1, 0.9, (3, 2))], {}


_cut_log = ag.op(
    cut_log,
    name="cut_log",
    symbol="log",
    vjp=lambda g, p: g / np.maximum(p, 1e-12),  # a probability of 0 is pulled up, as in binary_cross_entropy
    elementwise=True,
    inputs=["p"],
    domain=_samples,
)


def categorical_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    *,
    check: bool = True,
) -> Any:
    """Compute −Σ_c t_c log p_c for probabilities p along axis 1; the logarithms are cut at −100.

    input: (N, C), (C,) or (N, C, d1, …); ``target`` holds class indices, of its shape without C, or probabilities
    (one-hot too), of its shape; see ``cross_entropy`` for the rest. Raises ArgumentError where p or such a
    target is no distribution over the classes, unless ``check=False``.

    >>> import numpy as np, nn
    >>> round(float(nn.functional.categorical_cross_entropy(np.array([[0.25, 0.75]]), [1])), 4)
    0.2877
    """
    name = "categorical_cross_entropy"
    p, w = logits_and_weight(name, input, weight, reduction)
    axis = min(1, p.ndim - 1)
    if check:
        targets.swapped(name, p, target)
        targets.mixtures(name, p, "For logits use CrossEntropyLoss, for several labels per sample BCELoss.")
    target, logs = target if isinstance(target, ag.Tensor) else numbers(target, "target"), _cut_log(p)
    if target.shape != p.shape:
        logs, index, valid = counted(name, logs, target, ignore_index)
        return nll_of(logs, index=index, weight=w, valid=valid, reduction=reduction)
    t = as_target(target, p.dtype)
    if check:
        targets.mixtures(f"the target of {name}", t, "For several labels per sample use BCELoss.")
    if w is not None:
        t = t * w.reshape(-1, *(1,) * max(0, p.ndim - 2))
    return reduce(-np.sum(t * logs, axis=axis), reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False, *, check: bool = True) -> Any:
    """Compute t (log t − x), element by element, for log-probabilities x and probabilities t; 0 log 0 is 0.

    ``log_target`` says that t is given as its logarithm. ``reduction="batchmean"`` divides the sum by the length of the
    first axis, which makes it the divergence; ``"mean"`` divides by all elements, as in PyTorch. Raises ArgumentError
    for x above 0, which is no log-probability, and for t below 0, unless ``check=False``. Both have one shape.

    >>> import numpy as np, nn
    >>> float(nn.functional.kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), "batchmean").round(4))
    0.6931
    """
    if reduction not in ("mean", "sum", "none", "batchmean"):
        raise ArgumentError(f"kl_div: reduction must be 'mean', 'batchmean', 'sum' or 'none', got {reduction!r}.")
    x, t = pair("kl_div", input, target, "none")
    if check:
        targets.swapped("kl_div", x, t)
        targets.check_log_probabilities("kl_div", x)
        if log_target:
            targets.check_log_probabilities("the target of kl_div, with log_target=True,", t)
        else:
            targets.check_positive("kl_div", t, "For their logarithms pass log_target=True.")
    if log_target:
        values = np.exp(t) * (t - x)
    else:
        there = t > 0
        values = np.where(there, t * np.log(np.where(there, t, 1)), 0) - t * x
    if reduction == "batchmean":
        return np.sum(values) / (x.shape[0] if x.ndim else 1)
    return reduce(values, reduction)
