"""Diagnosis: where a number that is not finite is first seen, and what looks like a mistake, for a Trainer to say."""

import math
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import LintWarning
from nn.batches import Batch
from nn.forward import call
from nn.module import Module
from nn.reading import leaves

ADVICE = "Lower the learning rate, clip the gradients (clip_grad_norm=1.0), or look at the data."
UNDONE = "The parameters and running statistics are those of the last good step."


def of_loss(model: Module, value: float, batch: Batch, where: str, again: Callable[[], Any]) -> str:
    """Say what made the loss of a batch not finite: a parameter, a module or the loss; the batch is run again.

    ``again`` computes the loss once more.
    """
    start = f"the loss is {value} at {where}: "
    broken = of_parameters(model)
    if broken:
        return f"{start}the parameter {broken!r} is not finite any more. Load a checkpoint. {ADVICE}"
    outputs, first = _forward(model, batch)
    found = ag.find_nonfinite(outputs) if outputs else None
    if found is not None and found.kind == "forward":  # between modules too, where none of them is to blame
        place = f"{found.op} in {found.module}" if found.module else found.op
        what = f"the first op whose output is not finite is {place}: {found}"
    elif first:
        what = f"the first module whose output is not finite is {first}"
    else:
        with np.errstate(all="ignore"), ag.detect_anomaly(check_nan=False):
            loss = again()
        found = ag.find_nonfinite(loss) if loss is not None and loss.requires_grad else None
        inside = f": {found}" if found is not None and found.kind == "forward" else ""
        what = f"all outputs are finite, so it is the loss itself{inside}"
    return f"{start}{what}. {UNDONE} {ADVICE}"


def _forward(model: Module, batch: Batch) -> tuple[list[ag.Tensor], str]:
    """Run a batch again; return what came out, and the first module whose output is not finite."""
    first: list[str] = []
    handles = []
    for name, module in model.named_modules():

        def hook(module: Module, args: Any, output: Any, name: str = name) -> None:
            parts = (part for part in leaves(output) if isinstance(part, ag.Tensor | np.ndarray))
            if not all(np.isfinite(part.data if isinstance(part, ag.Tensor) else part).all() for part in parts):
                first.append(f"{type(module).__name__} {name!r}" if name else type(module).__name__)

        handles.append(module.register_forward_hook(hook))
    try:
        with np.errstate(all="ignore"), ag.detect_anomaly(check_nan=False):  # so that each op knows its line
            outputs = leaves(call(model, batch.x))
    finally:
        for handle in handles:
            handle.remove()
    return [y for y in outputs if isinstance(y, ag.Tensor) and y.requires_grad], first[0] if first else ""


def of_gradients(model: Module, parameters: Sequence[Any], where: str, again: Callable[[], Any]) -> str:
    """Say which gradient is not finite, or nothing; ``again`` computes the loss of the last batch once more."""
    gradients = ag.leaf_arrays(list(parameters))[1]
    if all_finite([g for g in gradients if g is not None]):
        return ""
    bad = next(p for p, g in zip(parameters, gradients, strict=True) if g is not None and not np.isfinite(g).all())
    name = next((name for name, p in model.named_parameters() if p is bad), bad.name)
    with np.errstate(all="ignore"), ag.detect_anomaly(check_nan=False):
        loss = again()
    found = ag.find_nonfinite(loss) if loss is not None and loss.requires_grad else None
    cause = f": {found}. {found.advice}" if found is not None else "."
    return f"the gradient of {name!r} is not finite at {where}, though the loss is{cause} {UNDONE} {ADVICE}"


def of_parameters(model: Module) -> str:
    """Name the first parameter that is learnt and has a value that is not finite, or nothing."""
    named = {name: p for name, p in model.named_parameters() if p.requires_grad}  # a frozen mask may hold -inf
    if all_finite([p.data for p in named.values()]):
        return ""
    return next(name for name, p in named.items() if not np.isfinite(p.data).all())


def warn(model: Module, loss: Any, known: set[str], told: Collection[str]) -> None:
    """Warn once of each mistake that raises no error but shows in the graph of a batch, unless somebody tells it."""
    for finding in ag.lint(model, loss, ignore=told):
        if f"{finding.code} {finding.place}" not in known:
            known.add(f"{finding.code} {finding.place}")
            warnings.warn(f"{finding} (Trainer(lint=False) silences this.)", LintWarning, stacklevel=_outside())


def all_finite(arrays: Sequence[Any]) -> bool:
    """Look by products of BLAS, at the speed of memory; only where squares overflow, value by value."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for array in arrays:
            flat = array.ravel(order="K")
            total += float(np.dot(flat, flat))
    return math.isfinite(total) or all(np.isfinite(array).all() for array in arrays)


def _outside() -> int:
    """Count the frames from the caller to the first one that is the user's: where a warning belongs."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("nn", "autograd"):
        frame, level = frame.f_back, level + 1
    return level
