"""Losses between distributions: the divergence of Kullback and Leibler, and cross entropy of probabilities.

From logits use ``cross_entropy``: it stays exact where a probability rounds to 0 or 1.
"""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional.classes import _indices, _logits_and_weight, _nll
from nn.functional.losses import pair, reduce
from nn.inputs import as_target, numbers, place

_ROUNDING = 1e-3  # by which probabilities of float32 or float16 may miss their sum


def _samples(rng: np.random.Generator) -> Any:
    yield [rng.uniform(0.1, 0.9, (3, 2))], {}


def _cut(p: Any) -> Any:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


_cut_log = ag.op(
    _cut,
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
    p, w = _logits_and_weight(name, input, weight, reduction)
    axis = min(1, p.ndim - 1)
    if check:
        _check_rows(name, p, axis, "For logits use CrossEntropyLoss, for several labels at once BCELoss.")
    target, logs = target if isinstance(target, ag.Tensor) else numbers(target, "target"), _cut_log(p)
    if target.shape != p.shape:
        index, valid = _indices(name, target, p.shape, ignore_index)
        return _nll(logs, index=index, weight=w, valid=valid, reduction=reduction)
    t = as_target(target, p.dtype)
    if check:
        _check_rows(f"the target of {name}", t, axis, "For several labels at once use BCELoss.")
    if w is not None:
        t = t * w.reshape(-1, *(1,) * max(0, p.ndim - 2))
    return reduce(-np.sum(t * logs, axis=axis), reduction)


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False, *, check: bool = True) -> Any:
    """Compute t (log t − x), element by element, for log-probabilities x and probabilities t; 0 log 0 is 0.

    ``log_target`` says that t is given as its logarithm. ``reduction="batchmean"`` divides the sum by the length of the
    first axis, which makes it the divergence; ``"mean"`` divides by all elements, as in PyTorch. Raises ArgumentError
    for x above 0, which is no log-probability, and for t below 0, unless ``check=False``.

    >>> import numpy as np, nn
    >>> float(nn.functional.kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), "batchmean").round(4))
    0.6931
    """
    if reduction not in ("mean", "sum", "none", "batchmean"):
        raise ArgumentError(f"kl_div: reduction must be 'mean', 'batchmean', 'sum' or 'none', got {reduction!r}.")
    x, t = pair("kl_div", input, target, "none")
    if check:
        _refuse_logs(x, "input")
        (_refuse_logs if log_target else _refuse_negative)(t, "target")
    if log_target:
        values = np.exp(t) * (t - x)
    else:
        there = t > 0
        values = np.where(there, t * np.log(np.where(there, t, 1)), 0) - t * x
    if reduction == "batchmean":
        return np.sum(values) / (x.shape[0] if x.ndim else 1)
    return reduce(values, reduction)


@ag.opaque
def _refuse_negative(values: Any, what: str) -> None:
    if values.size and not values.min() >= 0:
        raise ArgumentError(
            f"{place()}kl_div: the {what} holds probabilities, got {values.min():g}. For their logarithms pass "
            "log_target=True."
        )


@ag.opaque
def _refuse_logs(values: Any, what: str) -> None:
    if values.size and values.max() > _ROUNDING:
        raise ArgumentError(
            f"{place()}kl_div: the {what} holds log-probabilities, which are at most 0, got {values.max():g}. Pass "
            "log_softmax(logits), or the logarithm of probabilities."
        )


@ag.opaque
def _check_rows(name: str, p: Any, axis: int, advice: str) -> None:
    """Refuse what is no distribution along ``axis``."""
    if not p.size:
        return
    if not (p.min() >= -_ROUNDING and p.max() <= 1 + _ROUNDING):
        wrong = p[~((p >= -_ROUNDING) & (p <= 1 + _ROUNDING))].reshape(-1)[0]
        raise ArgumentError(f"{place()}{name} takes probabilities from 0 to 1, got {wrong:g}. {advice}")
    sums = p.sum(axis=axis).reshape(-1)
    if not (np.abs(sums - 1) <= _ROUNDING).all():
        raise ArgumentError(
            f"{place()}{name}: the probabilities of each sample must sum to 1 along axis {axis}, got "
            f"{sums[np.argmax(np.abs(sums - 1))]:g}. {advice}"
        )
