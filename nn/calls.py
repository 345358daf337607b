"""Calls of a module with other parameters than its own, for gradients with respect to a tree of them.

>>> import autograd as ag, nn, numpy as np
>>> model = nn.Linear(2, 1, rng=0)
>>> params = {name: p.numpy() for name, p in model.named_parameters()}
>>> gradient = ag.grad(lambda params, x: (nn.functional_call(model, params, x) ** 2).sum())(params, np.ones((1, 2)))
>>> sorted(gradient), gradient["weight"].shape
(['bias', 'weight'], (1, 2))
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.module import Module, Parameter


def functional_call(model: Module, params: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Return ``model(*args, **kwargs)`` as it is with other parameters (and buffers), given by their dotted names.

    Those that are not named stay the model's own; a tied parameter is replaced wherever it stands. The model itself is
    as before after the call. Two threads need two models. Raises ArgumentError for a name that the model does not know,
    ShapeError for another shape.

    >>> import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> nn.functional_call(model, {"weight": [[1.0, 2.0]], "bias": [0.5]}, [[1.0, 1.0]])
    Tensor([[3.5]], dtype=float32)
    """
    who = f"functional_call({type(model).__name__})"
    if not isinstance(params, Mapping):
        raise ArgumentError(f"{who} takes a dict from dotted names to values, got {type(params).__name__}.")
    known = dict(model.named_parameters())
    buffers = dict(model.named_buffers())
    swap: dict[int, Any] = {}
    for name, value in params.items():
        old: Any = known.get(name, buffers.get(name))
        if old is None:
            first = ", ".join([*known, *buffers][:8])
            raise ArgumentError(f"{who}: the model has no parameter or buffer {name!r}. It has {first}.")
        new = value if isinstance(value, ag.Tensor) or name in buffers else ag.Tensor(value, dtype=_dtype(value, old))
        if np.shape(new) != old.shape:
            raise ShapeError(f"{who}: {name!r} has shape {np.shape(new)}, but the model's is {old.shape}.")
        swap[id(old)] = new
    with _swapped(model, swap, who):
        return model(*args, **kwargs)


def _dtype(value: Any, old: Any) -> Any:
    return getattr(value, "dtype", old.dtype)


@contextmanager
def _swapped(model: Module, swap: dict[int, Any], who: str) -> Iterator[None]:
    """Put other values into the attributes of the modules, and those that were there back again."""
    before: list[tuple[dict[str, Any], str, Any]] = []
    found: set[int] = set()

    def other(value: Any) -> Any:
        if id(value) in swap:
            found.add(id(value))
        return swap.get(id(value), value)

    try:
        for module in model.modules():
            held = vars(module)
            for name, value in tuple(held.items()):
                if isinstance(value, Parameter | np.ndarray):
                    new = other(value)
                elif type(value) in (list, tuple, dict) and name not in ("_buffers", "_hooks"):
                    inside: list[int] = []
                    ag.tree_map(lambda item, inside=inside: inside.append(id(item)), value)
                    new = ag.tree_map(other, value) if any(each in swap for each in inside) else value
                else:
                    continue
                if new is not value:
                    before.append((held, name, value))
                    held[name] = new
        if len(found) < len(swap):
            raise ArgumentError(
                f"{who}: a parameter is held in a container that cannot be replaced. Hold it as an attribute of its "
                "module, or in a list, tuple or dict."
            )
        yield
    finally:
        for held, name, value in reversed(before):
            held[name] = value
