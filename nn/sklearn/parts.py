"""What an estimator's parameters stand for: a network, an optimizer, callbacks and a random generator."""

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from autograd.errors import ArgumentError, nearest
from nn import optim
from nn.callbacks import Callback
from nn.container import Sequential
from nn.dropout import Dropout
from nn.module import Module
from nn.neuron import Layer
from nn.parts import optimizer_kind


def generator(random_state: Any) -> np.random.Generator:
    """Make a generator from None (fresh entropy), a seed, a Generator or, as scikit-learn has it, a RandomState.

    Generators and RandomStates are drawn from once, so that two fits with the same one differ.
    """
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(0, 2**32, 4, dtype=np.uint32))
    if isinstance(random_state, np.random.Generator):
        return np.random.default_rng(random_state.integers(0, 2**32, 4, dtype=np.uint32))
    if random_state is None or isinstance(random_state, int | np.integer):
        return np.random.default_rng(random_state)
    raise ArgumentError(
        f"random_state must be None, an integer, a RandomState or a Generator, got {type(random_state).__name__}."
    )


def per_layer(name: str, value: Any, layers: int) -> list[Any]:
    """Return one value for each hidden layer; a single one counts for all.

    >>> per_layer("dropout", 0.5, 2), per_layer("activation", ("relu", "tanh"), 2)
    ([0.5, 0.5], ['relu', 'tanh'])
    """
    if isinstance(value, str) or not isinstance(value, list | tuple | np.ndarray):
        return [value] * layers
    if len(value) != layers:
        raise ArgumentError(
            f"{name} has {len(value)} entries for {layers} hidden layers; give one for each, or one for all."
        )
    return list(value)


def layers(
    n_in: int, n_out: int, hidden: Any, activation: Any, dropout: Any, dtype: "DTypeLike", rng: np.random.Generator
) -> Sequential:
    """Chain hidden layers, each with its activation and dropout, and a linear layer at the end.

    >>> made = layers(4, 3, (8,), "relu", 0.5, "float32", np.random.default_rng(0))
    >>> [type(part).__name__ for part in made]
    ['Layer', 'Dropout', 'Layer']
    """
    sizes: list[Any] = [hidden] if isinstance(hidden, int | np.integer) else list(hidden)
    made: list[Module] = []
    width: Any = n_in
    rows = zip(
        sizes, per_layer("activation", activation, len(sizes)), per_layer("dropout", dropout, len(sizes)), strict=True
    )
    for size, function, p in rows:
        made.append(Layer(width, size, function, dtype=dtype, rng=rng))
        if p:
            made.append(Dropout(p, rng=rng))
        width = size
    return Sequential(*made, Layer(width, n_out, dtype=dtype, rng=rng))


def network(module: Any, n_in: int, n_out: int, dtype: "DTypeLike", rng: np.random.Generator) -> Module:
    """Make the user's network: ``module(n_in, n_out, rng)``, or a copy of a Module, in the dtype of the data."""
    made = (
        copy.deepcopy(module) if isinstance(module, Module) else module(n_in, n_out, rng) if callable(module) else None
    )
    if not isinstance(made, Module):
        got = type(module if made is None else made).__name__
        raise ArgumentError(f"module must be a Module, or a function (n_in, n_out, rng) that makes one; got {got}.")
    return made.astype(dtype)


def optimizer(kind: Any, model: Module, lr: float, weight_decay: float) -> optim.Optimizer:
    """Make an optimizer by name, or by calling ``kind(parameters, lr=, weight_decay=)``."""
    if isinstance(kind, str):
        kind = optimizer_kind(kind, "", "a class of nn.optim")
    if isinstance(kind, optim.Optimizer) or not callable(kind):
        raise ArgumentError(
            f"optimizer must be a name or a class such as nn.optim.SGD (with options: functools.partial(nn.optim.SGD, "
            f"momentum=0.9)), got {type(kind).__name__}."
        )
    made: optim.Optimizer = kind(model.parameters(), lr=lr, weight_decay=weight_decay)
    return made


def callbacks(given: Iterable[Any] | None, made: optim.Optimizer) -> list[Callback]:
    """Copy the callbacks, so that a fit leaves the parameters alone; call those that are functions of the optimizer."""
    found = [
        item(made) if callable(item) and not isinstance(item, Callback) else copy.deepcopy(item) for item in given or ()
    ]
    for item in found:
        if not isinstance(item, Callback):
            raise ArgumentError(
                f"callbacks must hold nn.Callback objects, or functions of the optimizer that make one; got "
                f"{type(item).__name__}."
            )
    return found


def choose(loss: Any, known: Mapping[str, Callable[[], Any]]) -> Any:
    """Find a loss by name, make one of a class, or copy the one that is given."""
    if isinstance(loss, str):
        if loss not in known:
            hint = nearest(loss.lower(), known)
            raise ArgumentError(
                f"unknown loss {loss!r}.{hint} Known are 'auto', {', '.join(map(repr, known))}, or a loss of nn."
            )
        return known[loss]()
    if not callable(loss):
        raise ArgumentError(
            f"loss must be a name, a loss of nn or a function (output, target), got {type(loss).__name__}."
        )
    return loss() if isinstance(loss, type) else copy.deepcopy(loss)
