"""Averaged weights: a copy of a model that follows its training, as a mean of all (SWA) or of the last ones (EMA)."""

import copy
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError
from nn.module import Module
from nn.normalization import BatchNorm

Array = NDArray[Any]
Average = Callable[[Array, Array, int], Any]


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Make the rule of an exponential moving average: decay · average + (1 − decay) · current.

    Raises ArgumentError for ``decay`` outside of [0, 1].

    >>> import numpy as np, nn
    >>> average = nn.get_ema_avg_fn(0.9)
    >>> average(np.array([1.0]), np.array([2.0]), 1)
    array([1.1])
    """
    if not 0 <= decay <= 1:
        raise ArgumentError(f"get_ema_avg_fn: decay must be between 0 and 1, got {decay}.")
    return partial(_moving, decay)


def _moving(decay: float, averaged: Array, current: Array, count: int) -> Any:
    return decay * averaged + (1 - decay) * current


def _mean(averaged: Array, current: Array, count: int) -> Any:
    """Return the mean of all models so far."""
    return averaged + (current - averaged) / (count + 1)


class AveragedModel(Module):
    """Copy a model, and average its weights each time ``update_parameters(model)`` is called.

    The first call copies; after it ``avg_fn(averaged, current, number averaged)`` gives the new average, on arrays: the
    mean of all unless given (Izmailov et al. 2018), or ``get_ema_avg_fn(decay)``. Buffers are copied, or averaged with
    ``use_buffers``. Call it as the model, in evaluation mode. With ``avg_fn=None`` the average is equal: a ← a + (p −
    a)/(n + 1), in the shapes of the model. Raises ArgumentError for another model than the one that was copied.

    >>> import nn
    >>> model = nn.Linear(1, 1, bias=False, rng=0)
    >>> ema = nn.AveragedModel(model, nn.get_ema_avg_fn(0.9))
    >>> for w in (1.0, 2.0):
    ...     model.weight.data[...] = w
    ...     ema.update_parameters(model)
    >>> round(ema.module.weight.item(), 4)
    1.1
    """

    def __init__(self, model: Module, avg_fn: Average | None = None, use_buffers: bool = False) -> None:
        if not isinstance(model, Module):
            raise ArgumentError(f"AveragedModel: model must be a Module, got {type(model).__name__}.")
        self.module = copy.deepcopy(model)
        self.module.zero_grad()
        self.register_buffer("n_averaged", np.array(0))
        self.avg_fn, self.use_buffers = avg_fn or _mean, use_buffers

    n_averaged: Any

    def update_parameters(self, model: Module) -> None:
        """Take the weights of ``model`` into the average."""
        mine, theirs = (dict(m.named_parameters()) for m in (self.module, model))
        kept, new = (dict(m.named_buffers()) for m in (self.module, model))
        shapes = [[(name, x.shape) for name, x in found.items()] for found in (mine, theirs, kept, new)]
        if shapes[0] != shapes[1] or shapes[2] != shapes[3]:
            odd = sorted({name for name, _ in {*shapes[0], *shapes[2]} ^ {*shapes[1], *shapes[3]}})
            raise ArgumentError(
                "AveragedModel.update_parameters: this is not the model that was copied; these came, went or changed "
                f"their shapes: {', '.join(odd)}."
            )
        for name, p in mine.items():
            self._take(p.data, theirs[name].data)
        for name, buffer in kept.items():
            if self.use_buffers and buffer.dtype.kind == "f":
                self._take(buffer, new[name])
            else:
                buffer[...] = new[name]
        ag.mark_changed(list(mine.values()))
        self.n_averaged = np.array(int(self.n_averaged) + 1)

    def _take(self, averaged: Array, current: Array) -> None:
        count = int(self.n_averaged)
        averaged[...] = self.avg_fn(averaged, current, count) if count else current

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)


def update_bn(loader: Iterable[Any], model: Module) -> None:
    """Compute the running statistics of a model's BatchNorms anew, as the means over the batches of ``loader``.

    Averaged weights have seen no data: call this before evaluation. Of a batch that is a tuple or list its first part
    is the input. Raises what the model raises for a batch, such as ShapeError.

    >>> import numpy as np, nn
    >>> model = nn.BatchNorm1d(2)
    >>> nn.update_bn([np.ones((4, 2)), 3 * np.ones((4, 2))], model)
    >>> model.running_mean
    array([2., 2.], dtype=float32)
    """
    norms = [m for m in model.modules() if isinstance(m, BatchNorm) and m.running_mean is not None]
    modes, momenta = [(m, m.training) for m in model.modules()], [m.momentum for m in norms]
    try:
        model.train()
        with ag.no_grad():
            for count, batch in enumerate(loader, start=1):
                for norm in norms:
                    norm.momentum = 1 / count  # the first batch replaces what was there
                model(batch[0] if isinstance(batch, tuple | list) else batch)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, training in modes:
            module._set_mode(training)
