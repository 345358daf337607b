"""How a model is called: on one input, several in order or by name; and that it is left in the mode it was found in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nn.module import Module


def call(model: Any, x: Any) -> Any:
    """Give ``model(x)``, ``model(*x)`` of a tuple or ``model(**x)`` of a dict."""
    if isinstance(x, tuple):
        return model(*x)
    if isinstance(x, Mapping):
        return model(**x)
    return model(x)


@contextmanager
def restored_modes(model: Module) -> Iterator[None]:
    """Leave every module in the mode in which it was found."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
