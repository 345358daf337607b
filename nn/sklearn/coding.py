"""How classes become targets of a loss, and outputs of the network become classes again."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import softmax
from nn.losses import BCEWithLogitsLoss, CrossEntropyLoss, HingeLoss
from nn.sklearn import parts

Array = NDArray[Any]
LOSSES: dict[str, Callable[[], Any]] = {
    "cross_entropy": CrossEntropyLoss,
    "bce": BCEWithLogitsLoss,
    "hinge": HingeLoss,
}


class Coding:
    """Let the K outputs be logits of classes that exclude each other: targets are class numbers (N,)."""

    probabilities = True

    def __init__(self, classes: int) -> None:
        self.classes = self.outputs = classes

    def targets(self, index: Array, dtype: Any) -> Array:
        """Turn class numbers into what the loss compares with."""
        return index

    def decision(self, output: Array) -> Array:
        """Return scores (N, K) whose largest wins or, for two classes, (N,) where the second wins above 0."""
        return output[:, 1] - output[:, 0] if self.classes == 2 else output

    def predict(self, output: Array) -> Array:
        """Return class numbers."""
        scores = self.decision(output)
        return scores.argmax(1) if scores.ndim == 2 else (scores > 0).astype(np.intp)

    def proba(self, output: Array) -> Array:
        """Return probabilities (N, K)."""
        return np.asarray(self.shares(output))

    def shares(self, output: Any) -> Any:
        """Compute probabilities, of a Tensor too."""
        return softmax(output, -1)


class Binary(Coding):
    """Let each class have an output against the rest, and two classes share one: targets 0 and 1 (N, outputs)."""

    low = 0

    def __init__(self, classes: int) -> None:
        self.classes, self.outputs = classes, 1 if classes == 2 else classes

    def targets(self, index: Array, dtype: Any) -> Array:
        hot = index[:, None] == (np.arange(self.classes) if self.outputs > 1 or self.classes == 1 else 1)
        return np.where(hot, 1, self.low).astype(dtype)

    def decision(self, output: Array) -> Array:
        return output[:, 0] if self.classes == 2 else output

    def shares(self, output: Any) -> Any:
        p = ag.sigmoid(output)
        if self.classes == 2:
            return np.concatenate([1 - p, p], 1)
        return p / np.maximum(p.sum(1, keepdims=True), np.finfo(p.dtype).tiny)


class Margin(Binary):
    """Do the same with targets -1 and 1; such outputs are no probabilities."""

    low, probabilities = -1, False


class MultiLabel(Binary):
    """Let each of K labels be there or not, by a logit of its own: targets and predictions are (N, K) of 0 and 1."""

    def __init__(self, classes: int) -> None:
        self.classes = self.outputs = classes

    def targets(self, index: Array, dtype: Any) -> Array:
        return np.where(index, 1, self.low).astype(dtype)

    def decision(self, output: Array) -> Array:
        return output

    def predict(self, output: Array) -> Array:
        return (output > 0).astype(np.intp)

    def shares(self, output: Any) -> Any:
        return ag.sigmoid(output)


class MultiLabelMargin(MultiLabel):
    """Do the same with targets -1 and 1."""

    low, probabilities = -1, False


def choose(loss: Any, classes: int, multilabel: bool) -> tuple[Any, Coding | None]:
    """Find the loss and the coding that belongs to it; None where the loss cannot do it."""
    if isinstance(loss, str) and loss == "auto":
        loss = "bce" if multilabel else "cross_entropy"
    found = parts.choose(loss, LOSSES)
    if isinstance(found, BCEWithLogitsLoss):
        return found, (MultiLabel if multilabel else Binary)(classes)
    if isinstance(found, HingeLoss):
        return found, (MultiLabelMargin if multilabel else Margin)(classes)
    return found, None if multilabel else Coding(classes)


def class_weights(given: Any, classes: Array, index: Array, weight: Array) -> Array:
    """Return one weight per class: from a dict by label (1 for those not in it), or so that all weigh the same."""
    if isinstance(given, str) and given == "balanced":
        totals = np.bincount(index, weights=weight, minlength=len(classes))
        balanced: Array = weight.sum() / (len(classes) * np.where(totals == 0, 1, totals))
        return balanced
    if not isinstance(given, Mapping):
        raise ArgumentError(f"class_weight must be a dict by label, 'balanced' or None, got {given!r}.")
    labels = classes.tolist()
    for label, value in given.items():
        if label not in labels:
            raise ArgumentError(f"class_weight has the label {label!r}, which is not among the classes {labels}.")
        if value < 0:
            raise ArgumentError(f"class_weight must not be negative, got {value} for label {label!r}.")
    return np.array([given.get(label, 1.0) for label in labels], np.float64)
