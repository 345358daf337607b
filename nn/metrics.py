"""Metrics ``f(y_true, y_pred)``, in scikit-learn's argument order and with its values.

Classes may come as labels, one-hot rows or scores per class (the largest counts). Binary scores, of the shape of the
labels, are compared with ``threshold`` (0 for logits); without one, whole numbers are labels and others are compared
with what lies halfway between the labels, which are 0 and 1, or -1 and 1. With a threshold each of several labels per
sample counts by itself. Inside a Trainer the loss says what the scores are.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError, nearest
from nn.hints import SKLEARN, refusing
from nn.inputs import refuse_masked

__all__ = [
    "Undefined",
    "accuracy",
    "confusion_matrix",
    "f1",
    "get",
    "mae",
    "mse",
    "precision",
    "r2",
    "recall",
    "roc_auc",
    "top_k_accuracy",
]

globals()["__getattr__"] = refusing("nn.metrics", __all__, SKLEARN)

Array = NDArray[Any]
AVERAGES = ("binary", "macro", "micro", "weighted")


THRESHOLDS = {"logits": 0.0, "probabilities": 0.5}


class Undefined(ArgumentError):
    """Report a metric that has no value on these samples, though it may have one on more of them."""


class Unknown(ArgumentError):
    """Report outputs of which nobody says what they are."""


class Reading(NamedTuple):
    """Hold what is known of some outputs: one of ``nn.criterion.OUTPUTS``, or None and whom to ask."""

    outputs: str | None
    scores: Any
    loss: str


_known: ContextVar[Reading | None] = ContextVar("_known", default=None)


@contextmanager
def known(outputs: str | None, scores: Any, loss: str) -> Iterator[None]:
    """Let the metrics called inside know what ``scores`` are; of other arrays they know nothing."""
    token = _known.set(Reading(outputs, scores, loss))
    try:
        yield
    finally:
        _known.reset(token)


def accuracy(y_true: Any, y_pred: Any, *, threshold: float | None = None) -> float:
    """Compute the share of right predictions.

    Σ [y = ŷ] / N, from 0 to 1; ``y_true`` (N,), ``y_pred`` of the same shape or scores (N, C). Raises ShapeError where
    they do not fit.

    >>> accuracy([0, 1, 1], [0, 1, 0])
    0.6666666666666666
    >>> accuracy([0, 1], [[2.0, 1.0], [0.0, 3.0]])
    1.0
    """
    true, pred = _labels("accuracy", y_true, y_pred, threshold)
    return float(np.mean(true == pred))


def top_k_accuracy(y_true: Any, y_score: Any, k: int = 2) -> float:
    """Compute the share of samples with their class among the ``k`` highest scores; of ties the higher index wins.

    Σ [y in the top k] / N, from 0 to 1; ``y_true`` (N,), ``y_score`` (N, C). Raises ShapeError where they do not fit,
    ArgumentError for ``k`` outside of 1 … C.

    >>> import nn
    >>> nn.metrics.top_k_accuracy([0, 2], [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]], k=2)
    0.5
    """
    true, score = _array(y_true), _array(y_score)
    if score.ndim != 2 or true.shape != score.shape[:1]:
        raise ShapeError(f"top_k_accuracy needs labels (N,) and scores (N, C), got {true.shape} and {score.shape}.")
    if not 1 <= k <= score.shape[1]:
        raise ArgumentError(f"top_k_accuracy: k must be between 1 and the {score.shape[1]} classes, got {k}.")
    _readable("top_k_accuracy", true, score)
    best = np.argsort(score, axis=1, kind="stable")[:, ::-1][:, :k]
    return float(np.mean((best == true[:, None]).any(axis=1)))


def confusion_matrix(y_true: Any, y_pred: Any, *, threshold: float | None = None) -> NDArray[np.int64]:
    """Count samples by true class (row) and predicted class (column), over the sorted labels that occur.

    C[i, j] = Σ [y = i and ŷ = j], of shape (classes, classes). Raises ShapeError where the lengths differ.

    >>> confusion_matrix([0, 1, 1], [0, 1, 0])
    array([[1, 0],
           [1, 1]])
    """
    return _count(*(y.ravel() for y in _labels("confusion_matrix", y_true, y_pred, threshold)))[0]


def precision(y_true: Any, y_pred: Any, average: str = "binary", *, threshold: float | None = None) -> Any:
    """Compute TP / (TP + FP); 0 where nothing was predicted. For ``average`` see ``f1``.

    From 0 to 1; labels (N,), or scores (N, C). Raises ArgumentError for labels that are not binary without ``average``,
    ShapeError where the lengths differ.

    >>> import nn
    >>> y_true, y_pred = [0, 1, 1, 1], [0, 1, 1, 0]
    >>> nn.metrics.precision(y_true, y_pred)
    1.0
    """
    return _scores("precision", y_true, y_pred, average, threshold)[0]


def recall(y_true: Any, y_pred: Any, average: str = "binary", *, threshold: float | None = None) -> Any:
    """Compute TP / (TP + FN); 0 where no sample has the class. For ``average`` see ``f1``.

    From 0 to 1; labels (N,), or scores (N, C). Raises ArgumentError for labels that are not binary without ``average``,
    ShapeError where the lengths differ.

    >>> import nn
    >>> y_true, y_pred = [0, 1, 1, 1], [0, 1, 1, 0]
    >>> nn.metrics.recall(y_true, y_pred)
    0.6666666666666666
    """
    return _scores("recall", y_true, y_pred, average, threshold)[1]


def f1(y_true: Any, y_pred: Any, average: str = "binary", *, threshold: float | None = None) -> Any:
    """Compute 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    ``average``: "binary" (of class 1), "macro" (the mean over classes), "weighted" (by the classes' frequency), "micro"
    (over all counts) or None (one value per class). With several labels per sample (N, L) and a threshold "macro",
    "weighted" and None are over the labels, "binary" and "micro" over the counts of all of them. Raises ArgumentError
    for labels that are not binary without ``average``, ShapeError where the lengths differ.

    >>> import nn
    >>> y_true, y_pred = [0, 1, 1, 1], [0, 1, 1, 0]
    >>> nn.metrics.f1(y_true, y_pred)
    0.8
    """
    return _scores("f1", y_true, y_pred, average, threshold)[2]


def roc_auc(y_true: Any, y_score: Any) -> float:
    """Compute the area under the ROC curve: how often a positive sample scores higher than a negative one, ties half.

    Scores (N, C) for more than two classes give the mean over the classes of one against the rest (Fawcett 2006), and
    those of several labels (N, L) the mean over the labels. Logits of a Trainer's classes are compared as
    probabilities. P(s⁺ > s⁻) + P(s⁺ = s⁻) / 2, from 0 to 1. Raises Undefined where one class is missing, which is an
    ArgumentError.

    >>> import nn
    >>> nn.metrics.roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    true, score, outputs = _array(y_true), _array(y_score), _outputs_of(y_score)
    if true.shape == score.shape and true.ndim > 2:
        true, score = true.ravel(), score.ravel()
    if score.ndim == 2 and score.shape[1] == 1:
        true, score = true.reshape(len(score)) if true.size == len(score) else true, score[:, 0]
    if true.shape == score.shape and true.ndim == 2:
        _readable("roc_auc", true, score)
        if outputs != "classes" and np.array_equal(true, np.rint(true)):
            return float(np.mean([_auc(t > 0, s) for t, s in zip(true.T, score.T, strict=True)]))
        true = true.argmax(1)
    if score.ndim == 2 and score.size:
        score = _of_classes(score, outputs)
    if true.shape[:1] != score.shape[:1] or true.ndim != 1 or score.ndim > 2:
        raise ShapeError(
            f"roc_auc needs labels (N,) and scores (N,) or (N, C), got {_array(y_true).shape} and "
            f"{_array(y_score).shape}."
        )
    _readable("roc_auc", true, score)
    if score.ndim == 2:
        return float(np.mean([_auc(true == c, score[:, c]) for c in range(score.shape[1])]))
    classes = np.unique(true)
    if len(classes) > 2:
        raise ShapeError(
            f"roc_auc: {len(classes)} classes need scores of shape (N, {len(classes)}), got {score.shape}."
        )
    return _auc(true == classes[-1], score)


def _of_classes(score: Array, outputs: str | None) -> Array:
    """Return scores (N, C) that can be compared between samples, of two classes (N,): logits of one sample cannot."""
    two = score.shape[1] == 2
    if score.min() >= 0 and np.allclose(score.sum(1), 1, atol=1e-3):
        return score[:, 1] if two else score
    if two:
        difference: Array = score[:, 1] - score[:, 0]
        return difference
    if outputs != "classes":
        return score
    e = np.exp(score - score.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def mse(y_true: Any, y_pred: Any) -> float:
    """Compute the mean of (y - ŷ)².

    In the square of the unit of y; both have one shape, or a ShapeError says so.

    >>> import nn
    >>> nn.metrics.mse([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    0.3333333333333333
    """
    true, pred = _numbers("mse", y_true, y_pred)
    return float(np.mean((true - pred) ** 2))


def mae(y_true: Any, y_pred: Any) -> float:
    """Compute the mean of |y - ŷ|.

    Σ |y − ŷ| / n, in the unit of y; both have one shape, or a ShapeError says so.

    >>> import nn
    >>> nn.metrics.mae([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    0.3333333333333333
    """
    true, pred = _numbers("mae", y_true, y_pred)
    return float(np.mean(np.abs(true - pred)))


def r2(y_true: Any, y_pred: Any) -> float:
    """Compute R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)², the mean over columns; for constant y 1 if ŷ is exact, else 0.

    Without a unit, at most 1; both have one shape, (N,) or (N, K), or a ShapeError says so.

    >>> import nn
    >>> nn.metrics.r2([1.0, 2.0, 4.0], [1.0, 2.0, 3.0])
    0.7857142857142857
    """
    true, pred = _numbers("r2", y_true, y_pred)
    if len(true) < 2:
        raise Undefined("r2 needs at least 2 samples: the variance of one is 0.")
    true, pred = true.reshape(len(true), -1), pred.reshape(len(true), -1)
    left, whole = ((true - pred) ** 2).sum(0), ((true - true.mean(0)) ** 2).sum(0)
    constant = whole == 0
    values = np.where(constant, np.where(left == 0, 1.0, 0.0), 1 - left / np.where(constant, 1, whole))
    return float(values.mean())


NAMES: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (accuracy, top_k_accuracy, precision, recall, f1, roc_auc, mse, mae, r2)
}


def get(metric: Any) -> Callable[..., Any]:
    """Find a metric by name; a function is given back.

    Raises ArgumentError for an unknown name, and says which there are.

    >>> get("accuracy") is accuracy
    True
    """
    if callable(metric):
        return metric
    if metric in NAMES:
        return NAMES[metric]
    asked = str(metric).lower()
    begun = [name for name in NAMES if name.startswith(asked)]
    hint = nearest(asked, NAMES) or (f" Did you mean {begun[0]!r}?" if begun else "")
    raise ArgumentError(
        f"unknown metric {metric!r}.{hint} Known are {', '.join(NAMES)}, or a function f(y_true, y_pred)."
    )


# ---------------------------------------------------------------------------------------------- reading the input


def _array(y: Any) -> Array:
    refuse_masked(y, "a metric's argument")
    return np.asarray(y.data if isinstance(y, ag.Tensor) else y)


def _readable(name: str, true: Array, pred: Array) -> None:
    """Refuse no samples, and NaN: it compares as False with everything, so the result would be a number."""
    if not true.size:
        raise ArgumentError(f"{name}: there are no samples.")
    for label, y in (("y_true", true), ("y_pred", pred)):
        if y.dtype.kind == "f" and np.isnan(y).any():
            raise ArgumentError(f"{name}: {label} holds {np.isnan(y).sum()} NaN of {y.size} values.")


def _numbers(name: str, y_true: Any, y_pred: Any) -> tuple[Array, Array]:
    true, pred = _array(y_true).astype(np.float64), _array(y_pred).astype(np.float64)
    if true.shape != pred.shape:
        raise ShapeError(f"{name}: y_true has shape {true.shape} and y_pred {pred.shape}. They must be equal.")
    _readable(name, true, pred)
    return true, pred


def _labels(name: str, y_true: Any, y_pred: Any, threshold: float | None) -> tuple[Array, Array]:
    """Bring both to arrays of labels: (M,), or (N, L) where each sample has several."""
    true, pred = _array(y_true), _array(y_pred)
    _readable(name, true, pred)
    outputs = _outputs_of(y_pred) if threshold is None else None
    threshold = THRESHOLDS.get(outputs or "", threshold)
    if pred.ndim > 1 and pred.shape[-1] == 1 and true.shape in (pred.shape, pred.shape[:-1]):
        true, pred = true.reshape(pred.shape[:-1]), pred[..., 0]
    if true.shape == pred.shape and pred.dtype.kind == "f":
        if pred.ndim > 1 and pred.shape[1] > 1 and threshold is None:
            true = _classes_of_rows(name, true, outputs)
        elif outputs != "classes":
            pred = _above(name, true, pred, outputs, threshold)
    if pred.ndim > 1 and true.shape == pred.shape[:1] + pred.shape[2:]:
        true, pred = true.ravel(), pred.argmax(1).ravel()  # (N, C, ...), also where the last axis would fit as well
    elif pred.ndim > 1 and true.shape == pred.shape[:-1]:
        true, pred = true.ravel(), pred.argmax(-1).ravel()
    if true.shape != pred.shape:
        raise ShapeError(
            f"{name}: y_true of shape {_array(y_true).shape} does not fit y_pred of shape {_array(y_pred).shape}. "
            "Pass labels of one shape, or scores with one more axis for the classes."
        )
    several = true.ndim == 2 and true.shape[1] > 1
    true, pred = (np.rint(y).astype(np.int64) if y.dtype.kind in "fb" else y for y in (true, pred))
    return (true, pred) if several else (true.reshape(-1), pred.reshape(-1))


def _outputs_of(y_pred: Any) -> str | None:
    """Say what the scores are, where a Trainer handed them out: they, or a part of them, also as a copy."""
    reading = _known.get()
    if reading is None or not (isinstance(y_pred, np.ndarray) and isinstance(reading.scores, np.ndarray)):
        return None
    part = np.may_share_memory(y_pred, reading.scores) or bool(np.isin(y_pred, reading.scores).all())
    return reading.outputs or "" if part else None


def _classes_of_rows(name: str, true: Array, outputs: str | None) -> Array:
    """Read rows (N, C) of one-hot labels or probabilities as classes; several labels per sample are none."""
    if outputs in ("", "numbers"):
        raise Unknown(_ask(name, f"targets of the outputs' own shape {true.shape}"))
    axis = 1 if outputs == "classes" else -1
    if outputs is None and not (np.min(true) >= 0 and np.allclose(np.sum(true, axis=axis), 1, atol=1e-3)):
        raise ArgumentError(
            f"{name}: y_true has the shape {true.shape} of the scores, so its rows must be one-hot or probabilities. "
            "For several labels per sample pass threshold= (0 for logits, 0.5 for probabilities)."
        )
    labels: Array = true.argmax(axis)
    return labels


def _above(name: str, true: Array, pred: Array, outputs: str | None, threshold: float | None) -> Array:
    """Compare binary scores with the threshold, or with what lies halfway between the two labels."""
    if outputs == "":
        raise Unknown(_ask(name, "scores of two classes in one column"))
    whole = threshold is None and np.array_equal(pred, np.rint(pred))
    labels = set(np.unique(true).tolist()) if true.dtype.kind in "bif" else set()
    low = -1 if -1 in labels else 0
    if whole and (outputs is None or not labels <= {low, 1}) and not (labels <= {0, 1} and pred.min() < -1):
        return pred
    if threshold is None and not labels <= {low, 1}:
        raise ArgumentError(
            f"{name}: y_true holds {_few(labels)}, and scores that are no labels need 0 and 1, or -1 and 1."
        )
    if threshold is None and outputs is None and low == 0 and (pred.min() < 0 or pred.max() > 1):
        raise ArgumentError(
            f"{name}: scores from {pred.min():g} to {pred.max():g} are no probabilities. Pass threshold=0.0 for logits."
        )
    return np.where(pred > ((low + 1) / 2 if threshold is None else threshold), 1, low)


def _ask(name: str, what: str) -> str:
    """Say which argument tells what a Trainer's loss does not."""
    reading = _known.get()
    loss = reading.loss if reading else "the loss"
    return (
        f"Trainer: {loss} does not say what the outputs are, and {name} has to know for {what}. Pass outputs='logits' "
        "or 'probabilities' (each output is compared with 0 or 0.5), 'classes' (the largest along axis 1 wins) or, "
        "where one column estimates the label itself, 'numbers'."
    )


def _few(values: set[Any]) -> str:
    shown = sorted(values)[:4]
    return ", ".join(f"{v:g}" for v in shown) + (" …" if len(values) > 4 else "")


# ----------------------------------------------------------------------------------------------------- the counts


def _count(true: Array, pred: Array) -> tuple[NDArray[np.int64], Array]:
    """Return the confusion matrix and its labels."""
    labels, index = np.unique(np.concatenate([true, pred]), return_inverse=True)
    n = len(labels)
    return np.bincount(index[: len(true)] * n + index[len(true) :], minlength=n * n).reshape(n, n), labels


def _scores(name: str, y_true: Any, y_pred: Any, average: str | None, threshold: float | None) -> tuple[Any, Any, Any]:
    """Return precision, recall and F1."""
    if average is not None and average not in AVERAGES:
        raise ArgumentError(f"{name}: average must be one of {', '.join(AVERAGES)} or None, got {average!r}.")
    true, pred = _labels(name, y_true, y_pred, threshold)
    if true.ndim == 2:  # several labels: each by itself
        hits, predicted, actual = ((y == 1).sum(0) for y in ((true == 1) & (pred == 1), pred, true))
        if average in ("binary", "micro"):
            hits, predicted, actual = (np.array(x.sum()) for x in (hits, predicted, actual))
    else:
        matrix, labels = _count(true.ravel(), pred.ravel())
        hits, predicted, actual = np.diag(matrix), matrix.sum(0), matrix.sum(1)
        if average == "binary":
            if not any(set(labels.tolist()) <= pair for pair in ({0, 1}, {-1, 1})):
                raise ArgumentError(
                    f"{name}: labels {labels.tolist()} are not binary (0 and 1, or -1 and 1); choose average='macro', "
                    "'micro' or 'weighted'."
                )
            at = labels == 1
            hits, predicted, actual = (np.array(x[at].sum()) for x in (hits, predicted, actual))
        elif average == "micro":
            hits, predicted, actual = (np.array(x.sum()) for x in (hits, predicted, actual))

    def averaged(ratio: Array) -> Any:
        if average is None:
            return ratio
        return float(np.average(ratio, weights=actual) if average == "weighted" else np.mean(ratio))

    precision, recall = _ratio(hits, predicted), _ratio(hits, actual)
    return averaged(precision), averaged(recall), averaged(_ratio(2 * hits, predicted + actual))


def _ratio(a: Array, b: Array) -> Array:
    """Divide; 0 where the divisor is 0."""
    return np.where(b == 0, 0.0, a / np.where(b == 0, 1, b))


def _auc(positive: Array, score: Array) -> float:
    """Rank the scores (ties share their mean rank); the area is the normalised rank sum of the positives."""
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        raise Undefined("roc_auc needs samples of both classes; y_true has one only.")
    _, index, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[index]
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * m))
