"""Meter: loss and metrics over batches, as one pass over all samples would give them.

The loss is Σ w l / Σ w. Metrics that are means over samples are summed up; all others (F1, R², AUC, functions of one's
own) are computed over the outputs of all batches, which are kept for them. For ``nn.trainer`` and ``nn.distributed``.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn import metrics as known_metrics
from nn.criterion import Criterion, Measured
from nn.reading import each, joined, leaves, size

MEANS = (known_metrics.accuracy, known_metrics.top_k_accuracy, known_metrics.mse, known_metrics.mae)


class Meter:
    """Measure batches: ``numbers`` of each are sums that may be added up, also over ranks."""

    def __init__(self, criterion: Criterion, metrics: Mapping[str, Callable[..., Any]]) -> None:
        self.criterion, self.metrics = criterion, dict(metrics)
        means = MEANS if criterion.outputs != "numbers" else MEANS[1:]  # which labels there are only all samples tell
        self.means = [name for name, one in metrics.items() if _plain(one) in means]
        self.whole = [name for name in metrics if name not in self.means]
        self._tried = criterion.outputs not in (None, "numbers")

    def numbers(self, measured: Measured, target: Any, output: Any) -> tuple[list[float], Any]:
        """Return total and count of the loss and of each mean, and what to keep for the other metrics."""
        numbers = [measured.total, measured.mass]
        if not self.metrics:
            return numbers, None
        pair = self.criterion.counted(target, arrays_of(output, size(target)))
        count = float(leaves(pair[0])[0].size)
        for name in self.means:
            numbers += [self._value(name, *pair) * count if count else 0.0, count]
        if not self.whole or not count:
            return numbers, None
        if not self._tried:
            self._try(pair)
        return numbers, list(each(np.array, pair))  # copies, as a source of batches may use its arrays again

    def add(self, run: dict[str, Any], numbers: Sequence[float], kept: Any, rows: int) -> None:
        """Add what :meth:`numbers` gave of so many rows to the sums of a run, which are ready for a file."""
        run["seen"] += float(rows)
        for i, name in enumerate(["loss", *self.means]):
            total, count = numbers[2 * i : 2 * i + 2]
            if count:
                sums = run["sums"].get(name, (0.0, 0.0))
                run["sums"][name] = [sums[0] + total, sums[1] + count]
        if kept is not None:
            run["kept"].append(kept)

    def so_far(self, run: Mapping[str, Any]) -> dict[str, float]:
        """Return the means over what was counted."""
        return {name: total / count for name, (total, count) in run["sums"].items()}

    def result(self, run: Mapping[str, Any], *, strict: bool = True) -> dict[str, float]:
        """Return loss and metrics over all; unless ``strict``, one that these samples leave undefined is left out."""
        found = self.so_far(run)
        if self.whole and run["kept"]:
            pair = tuple(joined([kept[i] for kept in run["kept"]]) for i in (0, 1))
            for name in self.whole:
                try:
                    found[name] = self._value(name, *pair)
                except known_metrics.Undefined:
                    if strict:
                        raise
        return {name: found[name] for name in ("loss", *self.metrics) if name in found}

    def _try(self, pair: Any) -> None:
        """Let metrics over all samples say on the first batch, before a step, that they cannot read the outputs."""
        self._tried = True
        for name in self.whole:
            try:
                self._value(name, *pair)
            except known_metrics.Unknown:
                self._tried = False
                raise
            except Exception:  # what one batch is too little for, all samples may be enough for
                continue

    def _refused(self, name: str, error: Exception) -> str:
        """Say what a function of somebody else's was given, and how it gets labels."""
        labels = _AS_LABELS.get(self.criterion.outputs or "")
        wrap = f" For labels pass metrics={{{name!r}: lambda target, output: {name}(target, {labels})}}."
        return (
            f"Trainer: the metric {name!r} was given the targets and the outputs as they are"
            f"{f', {self.criterion.outputs}' if self.criterion.outputs else ''}, and says: {error}"
            f"{wrap if labels else ''}"
        )

    def _value(self, name: str, target: Any, output: Any) -> float:
        metric = self.metrics[name]
        own = _plain(metric) in known_metrics.NAMES.values()
        if own and not (isinstance(target, np.ndarray) and isinstance(output, np.ndarray)):
            raise ArgumentError(
                f"Trainer: {name} compares one output with one target, and there are several. Pick them by a function, "
                f"such as metrics={{{name!r}: lambda target, output: nn.metrics.{_plain(metric).__name__}(target[0], "
                "output[0], threshold=0.0)}."
            )
        try:
            with known_metrics.known(self.criterion.outputs, output, self.criterion.name):
                value = metric(target, output)
        except (ValueError, TypeError) as error:
            if own or isinstance(error, ag.AutogradError):
                raise
            raise ArgumentError(self._refused(name, error)) from error
        if isinstance(value, float):
            return value
        if np.size(value) != 1:
            raise ShapeError(f"Trainer: the metric {name!r} must give one number, got shape {np.shape(value)}.")
        return float(np.asarray(value).reshape(()))


def arrays_of(outputs: Any, n: int) -> Any:
    """Return the arrays of the outputs for ``n`` samples; where there are several each has a row for every sample."""
    found = each(lambda x: np.asarray(x.data if isinstance(x, ag.Tensor) else x), outputs)
    if not isinstance(found, tuple | dict) and not found.ndim:
        raise ShapeError(f"the model gives one value for {n} samples: {found!r}. They stand along axis 0 of an output.")
    for array in leaves(found) if isinstance(found, tuple | dict) else ():
        if array.shape[:1] != (n,):
            got = "None" if array.dtype == object else f"one of shape {array.shape}"
            raise ShapeError(
                f"the model gives several outputs, among them {got} for {n} samples, so that batches cannot be put "
                "together. Let forward return what is to be used, with the samples along axis 0."
            )
    return found


_AS_LABELS = {"classes": "output.argmax(1)", "logits": "output > 0", "probabilities": "output > 0.5"}


def _plain(metric: Any) -> Any:
    return metric.func if isinstance(metric, functools.partial) else metric


def new_sums() -> dict[str, Any]:
    """Return the sums of no batches."""
    return {"sums": {}, "kept": [], "seen": 0.0}
