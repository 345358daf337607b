"""What a Trainer is made of, checked when it is made: model, loss, optimizer, callbacks, and metrics by name."""

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from numbers import Real
from typing import Any

import autograd as ag
from autograd.errors import ArgumentError
from nn import metrics as known_metrics
from nn import optim
from nn.callbacks import Callback, LRSchedule
from nn.inputs import whole
from nn.module import Module, Parameter
from nn.optim import Optimizer
from nn.reading import leaves

OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): kind
    for name, kind in vars(optim).items()
    if isinstance(kind, type) and issubclass(kind, Optimizer) and kind not in (Optimizer, optim.LBFGS, optim.Muon)
}  # LBFGS needs a closure, and Muon a choice of matrices

ELSEWHERE = {
    "lr": "set trainer.optimizer.lr",
    "learning_rate": "set trainer.optimizer.lr",
    "batch_size": "pass it to fit, evaluate or predict",
    **dict.fromkeys(("epochs", "max_epochs", "shuffle", "validation_data", "validation_split"), "pass it to fit"),
    **dict.fromkeys(("max_norm", "gradient_clip_val", "clip_value", "clipnorm"), "set trainer.clip_grad_norm"),
    **dict.fromkeys(("accumulate_grad_batches", "gradient_accumulation_steps"), "set trainer.accumulate"),
    "loss": "metrics and means go by it, so another one needs another Trainer",
    "metrics": "pass them when the Trainer is made",
}  # options that people look for at the Trainer, and where they are


def check_option(name: str, value: Any) -> None:
    """Refuse a value that an option of a Trainer cannot have."""
    if name == "accumulate":
        whole(value, "Trainer: accumulate")
    if name == "clip_grad_norm" and value is not None and not (isinstance(value, Real) and float(value) >= 0):
        raise ArgumentError(f"Trainer: clip_grad_norm must be None or a number that is not negative, got {value!r}.")


def optimizer_of(optimizer: Any, model: Any) -> Any:
    """Make an optimizer of the model's parameters by name, with its own defaults; one that is made is given back.

    >>> import nn
    >>> optimizer_of("adam", nn.Linear(2, 1)).lr
    0.001
    """
    if not isinstance(optimizer, str) or not isinstance(model, Module):
        return optimizer
    made = "one that is made, such as nn.optim.Adam(model.parameters())"
    return optimizer_kind(optimizer, "Trainer: ", made)(model.parameters())


def optimizer_kind(name: str, where: str, instead: str) -> type[Optimizer]:
    """Find the class of an optimizer by name, or say which there are and what may be passed instead."""
    if name.lower() in OPTIMIZERS:
        return OPTIMIZERS[name.lower()]
    near = get_close_matches(name.lower(), OPTIMIZERS, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ArgumentError(
        f"{where}unknown optimizer {name!r}.{hint} Known are {', '.join(sorted(OPTIMIZERS))}, or {instead}."
    )


def check_parts(model: Any, loss: Any, optimizer: Any, callbacks: Sequence[Any]) -> None:
    """Refuse what is no model, loss, optimizer or callback, and an optimizer that would never change the model."""
    wrong = [
        ("model must be a Module", model, isinstance(model, Module)),
        ("loss must be a function or an object such as nn.MSELoss()", loss, callable(loss)),
        ("optimizer must be one of nn.optim", optimizer, isinstance(optimizer, Optimizer)),
        *(("callbacks must be objects such as nn.EarlyStopping()", c, isinstance(c, Callback)) for c in callbacks),
    ]
    for what, value, fits in wrong:
        if isinstance(value, type):
            raise ArgumentError(f"Trainer: {what}, got the class {value.__name__}; call it.")
        if not fits:
            raise ArgumentError(f"Trainer: {what}, got {value!r}.")
    if isinstance(optimizer, optim.LBFGS):
        raise ArgumentError(
            "Trainer: LBFGS computes the loss several times in a step, of all data. Call optimizer.step(closure) in a "
            "loop of your own, or use Adam."
        )
    for kind, things in (
        ("the callback", callbacks),
        ("the schedule of a LRSchedule", [c.schedule for c in callbacks if isinstance(c, LRSchedule)]),
    ):
        if len({id(thing) for thing in things}) < len(things):
            raise ArgumentError(f"Trainer: {kind} is given twice, and would do everything twice. Make two, or one.")
    check_optimizer(model, optimizer, loss)


def check_optimizer(model: Module, optimizer: Optimizer, loss: Any = None) -> None:
    """Refuse an optimizer that lacks parameters of model or loss: they would never change, and nobody would be told."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    learnt = dict(model.named_parameters())
    own = learnt
    if isinstance(loss, Module):
        own = learnt | {f"loss.{name}": p for name, p in loss.named_parameters()}
    missing = [name for name, p in own.items() if p.requires_grad and id(p) not in held]
    if own and not held & {id(p) for p in own.values()}:
        raise ArgumentError(
            "Trainer: the optimizer has none of the model's parameters, so the model would never change. Make it with "
            "model.parameters() of this model."
        )
    if missing:
        strangers = len(held - {id(p) for p in own.values()})
        more = f" It has {strangers} that the model does not have: was a layer replaced?" if strangers else ""
        names = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
        raise ArgumentError(
            f"Trainer: the optimizer does not have the parameters {names}, which would never change.{more} Make it "
            f"with {'[*model.parameters(), *loss.parameters()]' if missing[0] not in learnt else 'model.parameters()'} "
            "when the model is complete, or freeze them: requires_grad_(False)."
        )


def lost_parameters(result: Any, model: Module, optimizer: Optimizer) -> list[Parameter]:
    """List the parameters that a result depends on and that neither the model nor the optimizer has."""
    own = {id(p) for group in optimizer.param_groups for p in group["params"]} | {id(p) for p in model.parameters()}
    others = [p for ref in Parameter.alive.valuerefs() if (p := ref()) is not None and id(p) not in own]
    reached = [ag.depends_on(y, others) for y in leaves(result) if isinstance(y, ag.Tensor)]
    return [p for p, *by in zip(others, *reached, strict=True) if any(by)]


def check_reached(output: Any, model: Module, optimizer: Optimizer) -> None:
    """Refuse outputs that depend on parameters of nobody's: they would never change, and nobody would be told."""
    if lost := lost_parameters(output, model, optimizer):
        shown = ", ".join(f"{p.name!r} of shape {p.shape}" for p in lost[:4])
        raise ArgumentError(
            f"Trainer: the outputs depend on parameters that neither the model nor the optimizer has: {shown}"
            f"{f' and {len(lost) - 4} more' if len(lost) > 4 else ''}. They would never change, and not be saved. Make "
            "their module an attribute of the model, or of a list or dict in it, or freeze it: requires_grad_(False)."
        )


def named_metrics(metrics: Any) -> dict[str, Callable[..., Any]]:
    """Map names to metrics."""
    if isinstance(metrics, Mapping):
        given = list(metrics.items())
    else:
        given = [(None, metric) for metric in ([metrics] if isinstance(metrics, str) or callable(metrics) else metrics)]
    named: dict[str, Callable[..., Any]] = {}
    for name, metric in given:
        function = known_metrics.get(metric)
        name = name or getattr(getattr(function, "func", function), "__name__", type(function).__name__)
        if name in named or name == "loss" or name.startswith("val_"):
            taken = "starts as those of the validation data do" if name.startswith("val_") else "is taken"
            raise ArgumentError(
                f"Trainer: the metric name {name!r} {taken}. Name them: metrics={{'my name': function}}."
            )
        named[name] = function
    return named
