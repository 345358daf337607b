"""How a model is called: on one input, several in order or by name; and that it is left in the mode it was found in."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from autograd.errors import ArgumentError
from nn.module import Module


def call(model: Any, x: Any) -> Any:
    """Return ``model(x)``, ``model(*x)`` of a tuple or ``model(**x)`` of a dict."""
    args, named = (x, {}) if isinstance(x, tuple) else ((), x) if isinstance(x, Mapping) else ((x,), {})
    try:
        return model(*args, **named)
    except TypeError:
        _check_inputs(model.forward, args, named, type(model).__name__)
        raise


def _check_inputs(forward: Any, args: Any, named: Any, who: str) -> None:
    """Refuse inputs that ``forward`` does not take, by number or by name."""
    signature = inspect.signature(forward)
    try:
        signature.bind(*args, **named)
    except TypeError as error:
        given = f"inputs named {', '.join(map(repr, named))}" if named else f"{len(args)} in order"
        raise ArgumentError(
            f"{who}.forward{signature} does not take what x holds, {given}: {error}. x is an array, a tuple in the "
            "order of forward's parameters, or a dict by their names."
        ) from None


@contextmanager
def restored_modes(model: Module) -> Iterator[None]:
    """Leave every module in the mode in which it was found."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module._set_mode(training)
