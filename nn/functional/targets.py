"""What a loss refuses to compare: targets out of its range, swapped arguments. For ``nn.functional`` and ``nn.losses``.

Each is one pass over an array; ``check=False`` of a loss leaves it out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError
from nn.inputs import place

Array = NDArray[Any]
ROUNDING = 1e-4  # by which a mixture of labels may pass 0 or 1, and a logarithm of a probability 0
SUM_ROUNDING = 1e-3  # by which the sum of many may miss 1
OFF = "check=False takes them all the same."


def swapped(name: str, output: Any, target: Any) -> None:
    """Refuse a target that is to be learnt beside an output that is not: the arguments stand in Keras' order."""
    if isinstance(target, ag.Tensor) and target.requires_grad and not getattr(output, "requires_grad", False):
        raise ArgumentError(
            f"{place()}{name} takes (output, target), and here the target needs a gradient and the output none: the "
            f"arguments are swapped. If that is meant, pass check=False."
        )


@ag.opaque
def check_shares(name: str, target: Any) -> None:
    """Refuse targets outside [0, 1]: the minimum of binary cross entropy would be −∞."""
    values = np.asarray(target)
    low, high = _low(values), _high(values)
    if not (low >= -ROUNDING and high <= 1 + ROUNDING):
        wrong = values[~((values >= -ROUNDING) & (values <= 1 + ROUNDING))].flat[0]
        advice = (
            "Leave out what is missing, or give it weight 0"
            if np.isnan(wrong)
            else "For labels -1 and 1 pass (y + 1) / 2, or use HingeLoss"
            if -1 <= low < 0
            else "For masks of 0 and 255 pass y / 255"
            if high == 255
            else "For labels of several classes use CrossEntropyLoss"
        )
        raise ArgumentError(f"{place()}{name}: targets lie from 0 to 1, got {wrong:g}. {advice}. {OFF}")


@ag.opaque
def check_signs(name: str, target: Any) -> None:
    """Refuse targets other than -1 and 1."""
    values = np.asarray(target)
    fits = np.abs(values) == 1
    if not fits.all():
        raise ArgumentError(
            f"{place()}{name}: targets are -1 and 1, got {values[~fits].flat[0]:g}. For labels 0 and 1 pass 2 * y - 1."
        )


@ag.opaque
def check_probabilities(name: str, output: Any) -> None:
    """Refuse outputs outside [0, 1], whose logarithms are none."""
    values = np.asarray(output)
    low, high = _low(values), _high(values)
    if not (low >= 0 and high <= 1):
        wrong = values[~((values >= 0) & (values <= 1))].flat[0]
        raise ArgumentError(
            f"{place()}{name} takes probabilities from 0 to 1, got {wrong:g}. For logits use BCEWithLogitsLoss "
            "(binary_cross_entropy_with_logits)."
        )


@ag.opaque
def check_not_labels(name: str, output: Any, target: Any) -> None:
    """Refuse probabilities that are all 0 or 1 beside targets that lie between: the arguments are swapped."""
    values, wanted = np.asarray(output), np.asarray(target)
    crisp = _low(values) == 0 and _high(values) == 1 and bool(((values == 0) | (values == 1)).all())
    if crisp and ((wanted > 0) & (wanted < 1)).any():
        raise ArgumentError(
            f"{place()}{name} takes (output, target), and here all outputs are 0 or 1 and targets lie between: the "
            "arguments are swapped. If that is meant, pass check=False."
        )


@ag.opaque
def check_log_probabilities(name: str, output: Any) -> None:
    """Refuse outputs above 0, which are the logarithm of no probability."""
    values = np.asarray(output)
    high = _high(values)
    if high > ROUNDING:
        raise ArgumentError(
            f"{place()}{name} takes logarithms of probabilities, which are at most 0, got {high:g}. Pass "
            f"log_softmax(logits), np.log(probabilities), or logits to CrossEntropyLoss. {OFF}"
        )


@ag.opaque
def check_positive(name: str, target: Any, advice: str) -> None:
    """Refuse probabilities below 0."""
    values = np.asarray(target)
    if values.size and not _low(values) >= 0:
        raise ArgumentError(f"{place()}{name}: the target holds probabilities, got {_low(values):g}. {advice}")


@ag.opaque
def mixtures(name: str, given: Any, advice: str = "For several labels per sample use BCEWithLogitsLoss.") -> None:
    """Refuse rows, along the class axis, that are no distribution over the classes."""
    values = np.asarray(given)
    axis = min(1, values.ndim - 1)
    sums = np.asarray(values @ np.ones(values.shape[1], values.dtype) if values.ndim == 2 else values.sum(axis))
    low, high = _low(sums), _high(sums)
    if sums.size and not (low >= 1 - SUM_ROUNDING and high <= 1 + SUM_ROUNDING):
        wrong = high if high > 1 + SUM_ROUNDING else low
        raise ArgumentError(f"{place()}{name}: a row of probabilities sums to {wrong:g}; it must be 1. {advice} {OFF}")
    if _low(values) < -ROUNDING:
        raise ArgumentError(f"{place()}{name}: a probability is {_low(values):g}, below 0. {advice} {OFF}")


def weights(name: str, values: Array) -> None:
    """Refuse weights below 0, with which a loss has no minimum, and those that are not finite."""
    if values.size and not (values.min() >= 0 and values.max() < np.inf):
        place_in = tuple(int(i) for i in np.argwhere(~((values >= 0) & (values < np.inf)))[0])
        index = f"[{', '.join(map(str, place_in))}]" if place_in else ""
        raise ArgumentError(f"{place()}{name}{index} is {values[place_in]:g}; weights must be finite and not negative.")


def _low(values: Array) -> float:
    """Return the smallest number; nan where one is nan, and 0 of none."""
    return float(np.minimum.reduce(values, axis=None)) if values.size else 0.0


def _high(values: Array) -> float:
    return float(np.maximum.reduce(values, axis=None)) if values.size else 0.0
