"""Criterion: what a loss says about outputs, targets and means, decided once; Trainer, metrics and ranks ask it.

``outputs`` is what the loss takes the outputs of the model for:

- ``"classes"``: scores along axis 1, of which the largest wins (CrossEntropyLoss, NLLLoss);
- ``"logits"``: each output a label of its own, present above 0 (BCEWithLogitsLoss, HingeLoss);
- ``"probabilities"``: each a label of its own, present above 0.5 (BCELoss);
- ``"numbers"``: the outputs estimate the targets themselves (MSELoss, L1Loss, HuberLoss);
- None: a loss of one's own that does not say it. It may, by an attribute ``outputs``, and ``reduction``,
  ``ignore_index`` and ``weight`` as the losses of ``nn`` have them.
"""

import copy
import functools
import inspect
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn import loss_names
from nn.batches import Batch
from nn.inputs import numbers
from nn.reading import size

Array = NDArray[Any]
TRUE = ("y_true", "true", "actual", "truth", "target", "targets", "label", "labels", "y")
PREDICTED = ("y_pred", "pred", "predicted", "prediction", "predictions", "output", "outputs", "logits", "y_hat")
OUTPUTS = ("classes", "logits", "probabilities", "numbers")


class Measured(NamedTuple):
    """Hold the loss of a batch as the loss reduces it (None where nothing counts), Σ w l and Σ w."""

    loss: Any
    total: float
    mass: float


NOTHING = Measured(None, 0.0, 0.0)


class Criterion:
    """Measure outputs against targets by ``loss``, and say what counts by how much.

    >>> import nn
    >>> Criterion("mse").outputs, Criterion(nn.functional.binary_cross_entropy_with_logits).outputs
    ('numbers', 'logits')
    """

    def __init__(self, loss: Any, outputs: str | None = None) -> None:
        self.loss = _as_module(loss)
        self.name = getattr(loss, "__name__", type(loss).__name__)
        _refuse_signature(self.loss, self.name)
        self._labels: list[Array] = []  # targets that no output was seen for yet
        self.outputs: str | None = outputs or getattr(self.loss, "outputs", None)
        if self.outputs not in (*OUTPUTS, None):
            raise ArgumentError(
                f"Trainer: outputs must be one of {', '.join(map(repr, OUTPUTS))}, got {self.outputs!r}."
            )

    @property
    def summed(self) -> bool:
        """Tell whether the loss of a batch is a sum."""
        return bool(getattr(self.loss, "reduction", "mean") == "sum")

    def check(self, *targets: Any) -> None:
        """Refuse targets that the loss cannot take, before a weight moves; how many classes there may be, say outputs.

        So the labels of all that will be seen are looked at here, and held against the first outputs.
        """
        self._labels = []
        for target in targets:
            if isinstance(target, np.ndarray) and getattr(self.loss, "check", False):
                self.loss.check_targets(target)
            if isinstance(target, np.ndarray) and self.outputs == "classes" and target.dtype.kind in "iu":
                self._labels.append(target)

    def _check_labels(self, output: Any) -> None:
        """Refuse labels that these outputs have no class for."""
        labels, self._labels = self._labels, []
        classes = output.shape[min(1, output.ndim - 1)] if getattr(output, "ndim", 0) else 0
        ignored = getattr(self.loss, "ignore_index", None)
        for target in labels:
            wrong = (target < 0) | (target >= classes)
            if ignored is not None:
                wrong &= target != ignored
            if classes and target.ndim < output.ndim and wrong.any():
                raise ArgumentError(
                    f"Trainer: target {target[wrong][0]} is out of range for {classes} classes (0 to {classes - 1})."
                )

    # -------------------------------------------------------------------------------------------------------- the mean

    def measure(self, output: Any, batch: Batch, loss: Any = None) -> Measured:
        """Return the loss of a batch, and Σ w l and Σ w, of which means over any batches can be made.

        ``loss`` is that of the outputs where it is known already.
        """
        if self._labels:
            self._check_labels(output)
        if batch.weight is not None or batch.classes is not None:
            return self._measure_weighted(output, batch)
        own = self._own_weights(batch.y, output)
        mass = float(self._number_of_losses(batch, output) if own is None else own.sum())
        if not mass:
            return NOTHING
        loss = self.loss(output, batch.y) if loss is None else loss
        if not isinstance(loss, ag.Tensor) or loss.size != 1:
            got = f"shape {loss.shape}" if isinstance(loss, ag.Tensor) else f"a {type(loss).__name__}"
            raise ShapeError(f"Trainer: the loss gave {got}; it must give one number as a Tensor (reduction='mean').")
        value = loss.item()
        return Measured(loss, value if self.summed else value * mass, mass)

    def _measure_weighted(self, output: Any, batch: Batch) -> Measured:
        weight, own = self._sample_weights(batch, output), self._own_weights(batch.y, output)
        counts = weight if own is None else _laid(weight, own.ndim) * own
        if not counts.any():
            return NOTHING
        each = self._each(output, batch.y)
        if weight.shape != each.shape[: weight.ndim]:
            raise ShapeError(
                f"Trainer: weights of shape {weight.shape} for losses of shape {each.shape}. Give one per sample, "
                f"({size(batch.x)},), or one per loss."
            )
        mass = float(counts.sum() * (each.size / counts.size))
        total = (each * _laid(weight, each.ndim).astype(each.dtype)).sum()
        return Measured(total if self.summed else total * (1 / mass), total.item(), mass)

    def _each(self, output: Any, target: Any) -> Any:
        """Return the losses before they are reduced."""
        if not hasattr(self.loss, "reduction"):
            raise ArgumentError(f"weights need a loss with a reduction, such as nn.MSELoss(); {self.name} has none.")
        each = copy.copy(self.loss)
        each.reduction = "none"
        found = each(output, target)
        if self.outputs == "classes" and found.ndim == getattr(output, "ndim", 0) > 1:
            mean = getattr(self.loss, "reduction", "mean") == "mean"  # a loss by class: a sample's is their mean or sum
            return found.mean(axis=1) if mean else found.sum(axis=1)
        return found

    def _number_of_losses(self, batch: Batch, output: Any) -> int:
        target = batch.y
        if self.outputs is None or not isinstance(target, np.ndarray) or isinstance(output, tuple | dict | list):
            return size(batch.x)
        soft = self.outputs == "classes" and target.ndim == output.ndim
        return target.size // max(1, target.shape[1]) if soft and target.ndim > 1 else target.size

    def _own_weights(self, target: Any, output: Any) -> Array | None:
        """Return the weights that the loss itself has in the mean over labels of classes; None: all are 1."""
        if self.outputs != "classes" or not isinstance(target, np.ndarray) or target.ndim == output.ndim:
            return None
        ignored, weight = getattr(self.loss, "ignore_index", None), getattr(self.loss, "weight", None)
        if (ignored is None and weight is None) or target.dtype.kind not in "biu":
            return None
        counts = np.ones(target.shape, bool) if ignored is None else target != ignored
        if weight is None:
            return None if counts.all() else counts.astype(np.float64)
        per_class = np.asarray(getattr(weight, "data", weight), np.float64)
        inside = counts & (target >= 0) & (target < len(per_class))  # the loss refuses what is outside
        return np.where(inside, per_class[np.where(inside, target, 0)], 0.0)

    def _sample_weights(self, batch: Batch, output: Any) -> Array:
        """Join the weights that came with the batch and those of its classes."""
        weight = np.ones(size(batch.x)) if batch.weight is None else batch.weight
        if batch.classes is None:
            return weight
        soft = self.outputs == "classes" and batch.y.ndim == output.ndim
        if self.outputs is not None and self.outputs != "numbers":
            batch.classes.check(output.shape[min(1, output.ndim - 1)] if self.outputs == "classes" else 2)
        labels, ignored = batch.classes.of(batch.y, soft), getattr(self.loss, "ignore_index", None)
        if ignored is not None and not soft and self.outputs == "classes":
            labels = np.where(batch.y == ignored, 0.0, labels)
        deep = max(weight.ndim, labels.ndim)
        return _laid(weight, deep) * _laid(labels, deep)

    # ------------------------------------------------------------------------------------------------------ for metrics

    def counted(self, target: Any, output: Any) -> tuple[Any, Any]:
        """Return the targets that count and their outputs; over classes, those of steps or pixels become rows.

        So labels are (M,), or (M, C) where they are probabilities, and scores (M, C).
        """
        if self.outputs != "classes" or not isinstance(target, np.ndarray) or not isinstance(output, np.ndarray):
            return target, output
        if output.ndim > 2:
            rows = np.moveaxis(output, 1, -1).reshape(-1, output.shape[1])
            soft = target.ndim == output.ndim
            target = np.moveaxis(target, 1, -1).reshape(rows.shape) if soft else target.reshape(-1)
            output = rows
        ignored = getattr(self.loss, "ignore_index", None)
        if ignored is None or target.ndim == output.ndim or output.ndim != 2:
            return target, output
        counts = target != ignored
        return (target, output) if counts.all() else (target[counts], output[counts])


class ClassWeights:
    """Weigh labels: "balanced" (each class the same in sum), a dict by label, or an array with one per class.

    The labels of ``y`` are read when the first outputs say whether it holds them or one column per class.
    """

    def __init__(self, given: Any, y: Any, ignored: Any = None) -> None:
        if not isinstance(y, np.ndarray):
            raise ArgumentError("fit: class_weight needs targets in one array; pass sample_weight.")
        self.given, self.y, self.ignored = given, y, ignored
        self._tables: dict[bool, tuple[Array, Array]] = {}
        self._length: int | None = None
        if isinstance(given, str):
            if given != "balanced":
                raise ArgumentError(f"fit: class_weight must be 'balanced', a dict or an array, got {given!r}.")
            return
        items = given.items() if hasattr(given, "items") else enumerate(_one_per_class(given))
        self._length = None if hasattr(given, "items") else len(_one_per_class(given))
        self.given = {label: _number(label, weight) for label, weight in items}
        for label, weight in self.given.items():
            if not 0 <= weight < np.inf:
                raise ArgumentError(
                    f"fit: the class_weight of {label!r} is {weight:g}; weights must be finite and not negative."
                )

    def check(self, classes: int) -> None:
        """Refuse an array that has not one weight for each class that the outputs know."""
        if self._length not in (None, classes):
            raise ArgumentError(
                f"fit: class_weight has {self._length} numbers for {classes} classes. Give one for each, or a dict."
            )

    def of(self, target: Array, soft: bool) -> Array:
        """Return the weight of each label; ``soft``: axis 1 holds one column per class (of a mixture, the mean)."""
        if soft not in self._tables:
            self._tables[soft] = self._table(soft)
        labels, weights = self._tables[soft]
        if soft:
            return np.tensordot(np.moveaxis(target, 1, -1).astype(np.float64), weights, 1)
        at = np.searchsorted(labels, target).clip(max=len(labels) - 1)
        return np.where(labels[at] == target, weights[at], 0.0)

    def _table(self, soft: bool) -> tuple[Array, Array]:
        """Find the classes of all data and the weight of each, or say which has none."""
        if soft:
            labels: Array = np.arange(self.y.shape[1])
            counts = self.y.sum(axis=(0, *range(2, self.y.ndim)))
        else:
            known = self.y.ravel() if self.ignored is None else self.y[self.y != self.ignored]
            if known.dtype.kind == "f" and (part := known[known != np.rint(known)]).size:
                raise ArgumentError(
                    f"fit: class_weight weighs labels, and y holds {part[0]:g}, which is none. Pass sample_weight."
                )
            labels, counts = np.unique(known, return_counts=True)
        if isinstance(self.given, str):
            there = counts > 0
            return labels, np.where(there, counts.sum() / (there.sum() * np.where(there, counts, 1)), 0.0)
        occurring = labels[counts > 0]
        unknown = [label for label in occurring.tolist() if label not in self.given]
        if unknown:
            raise ArgumentError(
                f"fit: class_weight has no weight for class {unknown[0]}. Give one for each class that occurs"
                f"{'' if soft else f' in y of shape {self.y.shape}'}."
            )
        weights = np.array([self.given.get(label, 0.0) for label in labels.tolist()])
        if not weights[counts > 0].any():
            raise ArgumentError("fit: weights must be finite and not negative, and not all of them 0.")
        return labels, weights


def _number(label: Any, weight: Any) -> float:
    try:
        return float(weight)
    except (TypeError, ValueError):
        raise ArgumentError(f"fit: the class_weight of {label!r} must be a number, got {weight!r}.") from None


def _one_per_class(given: Any) -> Array:
    try:
        array = numbers(given, "fit: class_weight").astype(np.float64)
    except DTypeError:
        array = np.empty(0)
    if array.ndim != 1 or not array.size:
        raise ArgumentError(
            f"fit: class_weight must be 'balanced', a dict by label or one number per class, got {given!r}."
        )
    return array


def _refuse_signature(loss: Any, name: str) -> None:
    """Refuse a loss whose parameters say that it takes the targets first, or more than outputs and targets."""
    if isinstance(loss, type):  # a class that was not called is told as such
        return
    try:
        parameters = inspect.signature(getattr(loss, "forward", loss)).parameters
    except (TypeError, ValueError):
        return
    names = list(parameters)[:2]
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p.name for p in parameters.values() if p.kind in by_place and p.default is inspect.Parameter.empty]
    if len(needed) > 2:
        parts = "*output, target" if needed[-1].lower() in TRUE else "*output"
        raise ArgumentError(
            f"Trainer: the loss {name}({', '.join(needed)}) is called with (output, target). Let the model give a "
            f"tuple, and pass lambda output, target: loss({parts})."
        )
    if len(names) == 2 and names[0].lower() in TRUE and names[1].lower() in PREDICTED:
        raise ArgumentError(
            f"Trainer: the loss {name}({', '.join(names)}) takes the targets first, but is called with (output, "
            f"target). Swap its parameters, or pass lambda output, target: {name}(target, output)."
        )


def _laid(weight: Array, ndim: int) -> Array:
    """Lay weights along the first axes of an array with ``ndim`` axes."""
    return weight.reshape(weight.shape + (1,) * (ndim - weight.ndim))


def _as_module(loss: Any) -> Any:
    """Return the module of a name, or of a function of ``nn.functional`` with or without keywords; else the loss."""
    if isinstance(loss, str):
        return loss_names.get(loss)
    if isinstance(loss, functools.partial):
        kind = loss_names.FUNCTIONS.get(loss.func)
        return loss if kind is None or loss.args else kind(**loss.keywords)
    kind = loss_names.FUNCTIONS.get(loss) if type(loss) is type(_as_module) else None
    return loss if kind is None else kind()
