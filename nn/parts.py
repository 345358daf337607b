"""What a Trainer is made of, checked when it is made: model, loss, optimizer, callbacks, and metrics by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd.errors import ArgumentError, nearest
from nn import metrics as known_metrics
from nn import optim
from nn.callbacks import Callback
from nn.module import Module
from nn.optim import Optimizer

OPTIMIZERS: dict[str, type[Optimizer]] = {
    name.lower(): kind
    for name, kind in vars(optim).items()
    if isinstance(kind, type) and issubclass(kind, Optimizer) and kind is not Optimizer
}

ELSEWHERE = {
    "lr": "set trainer.optimizer.lr",
    "learning_rate": "set trainer.optimizer.lr",
    "batch_size": "pass it to fit, evaluate or predict",
    "epochs": "pass it to fit",
    "shuffle": "pass it to fit",
    "loss": "metrics and means go by it, so another one needs another Trainer",
    "metrics": "pass them when the Trainer is made",
}  # options that people look for at the Trainer, and where they are


def optimizer_of(optimizer: Any, model: Any) -> Any:
    """Make an optimizer of the model's parameters by name, with its own defaults; one that is made is given back.

    >>> import nn
    >>> optimizer_of("adam", nn.Linear(2, 1)).lr
    0.001
    """
    if not isinstance(optimizer, str) or not isinstance(model, Module):
        return optimizer
    if optimizer.lower() in OPTIMIZERS:
        return OPTIMIZERS[optimizer.lower()](model.parameters())
    hint = nearest(optimizer.lower(), OPTIMIZERS)
    raise ArgumentError(
        f"Trainer: unknown optimizer {optimizer!r}.{hint} Known are {', '.join(sorted(OPTIMIZERS))}, or one that is "
        "made, such as nn.optim.Adam(model.parameters())."
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
    check_optimizer(model, optimizer)


def check_optimizer(model: Module, optimizer: Optimizer) -> None:
    """Refuse an optimizer that lacks parameters of the model: they would never change, and nobody would be told."""
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    own = dict(model.named_parameters())
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
            "with model.parameters() when the model is complete, or freeze them: requires_grad_(False)."
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
        if name in named or name == "loss":
            raise ArgumentError(
                f"Trainer: the metric name {name!r} is taken. Name them: metrics={{'my name': function}}."
            )
        named[name] = function
    return named
