"""How a model is called on what a batch holds: one input, several in order, or several by name."""

from collections.abc import Mapping
from typing import Any


def call(model: Any, x: Any) -> Any:
    """Give ``model(x)``, ``model(*x)`` of a tuple or ``model(**x)`` of a dict."""
    if isinstance(x, tuple):
        return model(*x)
    if isinstance(x, Mapping):
        return model(**x)
    return model(x)
