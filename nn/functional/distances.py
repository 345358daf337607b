"""Losses on embeddings: what belongs together shall lie close, what does not shall lie apart by a margin."""

from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.functional.losses import output, reduce
from nn.inputs import as_target, place

_TINY = 1e-12  # beside the squared lengths, so that the zero vector has a cosine: 0


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """Compute 1 − cos(x₁, x₂) for pairs that belong together (target 1), max(0, cos(x₁, x₂) − margin) else (−1).

    input1, input2: (N, D) and target (N,), or (D,) and (). Raises ArgumentError for other targets.

    >>> import numpy as np, nn
    >>> float(nn.functional.cosine_embedding_loss(np.eye(2), np.eye(2), np.array([1, -1])))
    0.5
    """
    name = "cosine_embedding_loss"
    _check(name, reduction, margin)
    a, b = _alike(name, input1=input1, input2=input2)
    t = as_target(target, a.dtype)
    if t.shape != a.shape[:-1]:
        raise ShapeError(f"{place()}{name} got a target of shape {t.shape}; it must be {a.shape[:-1]}, one per pair.")
    _refuse_other_signs(name, t)
    squares = (np.sum(a * a, axis=-1) + _TINY) * (np.sum(b * b, axis=-1) + _TINY)
    cosine = np.sum(a * b, axis=-1) / np.sqrt(squares)
    return reduce(np.where(t == 1, 1 - cosine, np.clip(cosine - margin, 0, None)), reduction)


@ag.opaque
def _refuse_other_signs(name: str, t: Any) -> None:
    if not (np.abs(t) == 1).all():
        wrong = t[np.abs(t) != 1].reshape(-1)[0]
        raise ArgumentError(f"{place()}{name}: targets are 1 (alike) and -1 (not), got {wrong:g}. Pass 2 * same - 1.")


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """Compute max(0, d(a, p) − d(a, n) + margin) with d(x, y) = ‖x − y + ε‖_p (Balntas et al. 2016).

    anchor, positive, negative: (N, D) or (D,). ``swap`` takes the smaller one of d(a, n) and d(p, n). Raises ShapeError
    where the three do not have one shape.

    >>> import numpy as np, nn
    >>> round(float(nn.functional.triplet_margin_loss(*np.array([[[0.0]], [[1.0]], [[1.5]]]))), 4)
    0.5
    """
    name = "triplet_margin_loss"
    _check(name, reduction, margin)
    if not p > 0 or not margin > 0:
        raise ArgumentError(f"{name}: p and margin must be positive, got {p} and {margin}.")
    a, pos, neg = _alike(name, anchor=anchor, positive=positive, negative=negative)

    def distance(x: Any, y: Any) -> Any:
        return np.linalg.norm(x - y + eps, ord=p, axis=-1)

    apart = distance(a, neg)
    if swap:
        apart = np.minimum(apart, distance(pos, neg))
    return reduce(np.clip(distance(a, pos) - apart + margin, 0, None), reduction)


def _check(name: str, reduction: str, margin: float) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    if margin != margin:
        raise ArgumentError(f"{name}: margin must be a number, got {margin}.")


def _alike(name: str, **given: Any) -> list[Any]:
    """Bring vectors to one dtype, and refuse shapes that differ."""
    first, *others = given.values()
    first = output(first)
    read = [first, *(as_target(x, first.dtype) for x in others)]
    if not first.ndim or first.ndim > 2 or any(x.shape != first.shape for x in read):
        shapes = ", ".join(f"{key} of shape {tuple(x.shape)}" for key, x in zip(given, read, strict=True))
        raise ShapeError(f"{place()}{name} got {shapes}. They must be alike: (N, D), or (D,).")
    return read
