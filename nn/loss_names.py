"""Losses by name, in PyTorch's and Keras' words, and by the function of ``nn.functional`` that computes them."""

from collections.abc import Callable
from typing import Any

from autograd.errors import ArgumentError, nearest
from nn.functional import classes as C
from nn.functional import distributions as D
from nn.functional import losses as F
from nn.losses import (
    BCELoss,
    BCEWithLogitsLoss,
    CategoricalCrossEntropyLoss,
    CrossEntropyLoss,
    HingeLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    F.mse_loss: MSELoss,
    F.l1_loss: L1Loss,
    F.huber_loss: HuberLoss,
    F.hinge_loss: HingeLoss,
    F.binary_cross_entropy: BCELoss,
    F.binary_cross_entropy_with_logits: BCEWithLogitsLoss,
    C.nll_loss: NLLLoss,
    C.cross_entropy: CrossEntropyLoss,
    D.categorical_cross_entropy: CategoricalCrossEntropyLoss,
}
NAMES: dict[str, Callable[[], Any]] = {
    "mse": MSELoss,
    "mean_squared_error": MSELoss,
    "l1": L1Loss,
    "mae": L1Loss,
    "mean_absolute_error": L1Loss,
    "huber": HuberLoss,
    "hinge": HingeLoss,
    "bce": BCELoss,
    "binary_crossentropy": BCELoss,
    "bce_with_logits": BCEWithLogitsLoss,
    "nll": NLLLoss,
    "cross_entropy": CrossEntropyLoss,
    "categorical_crossentropy": CategoricalCrossEntropyLoss,
    "sparse_categorical_crossentropy": CategoricalCrossEntropyLoss,
}


def get(name: str) -> Any:
    """Make a loss by name. Keras' names take what they take there: the cross entropies of probabilities.

    >>> get("binary_crossentropy")
    BCELoss
    """
    if name.lower() in NAMES:
        return NAMES[name.lower()]()
    hint = nearest(name.lower(), NAMES)
    raise ArgumentError(
        f"unknown loss {name!r}.{hint} Known are {', '.join(NAMES)}, or an object such as nn.MSELoss()."
    )
