"""What classifier and regressor share: parameters in, a Trainer inside, outputs of the network out."""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from autograd.errors import ArgumentError, ShapeError
from nn.callbacks import EarlyStopping
from nn.history import History
from nn.module import Module
from nn.sklearn import parts
from nn.trainer import Trainer

Array = NDArray[Any]
_MADE_WITH = ("hidden", "activation", "dropout", "module", "loss", "optimizer", "callbacks", "random_state")
FLOATS = (np.float64, np.float32)  # data of another dtype become the first


def _takes_pieces(estimator: "NetworkEstimator") -> bool:
    """Tell whether there is a ``partial_fit``; the message is what asking for it raises."""
    if estimator.early_stopping:
        raise AttributeError(
            "partial_fit sees the data piece by piece and cannot stop early: set early_stopping=False."
        )
    return True


# Given a type, so that the decorated method keeps one: scikit-learn has none.
if_pieces: Callable[[Callable[..., Any]], Callable[..., Any]] = available_if(_takes_pieces)


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Train a network by ``fit`` or ``partial_fit``; the subclasses say what the targets are."""

    module_: Module
    history_: History
    n_features_in_: int

    def __init__(
        self,
        hidden: Any = (100,),
        activation: Any = "relu",
        dropout: Any = 0.0,
        *,
        module: Any = None,
        loss: Any = "auto",
        optimizer: Any = "adam",
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        epochs: int = 100,
        batch_size: int = 64,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        callbacks: Any = (),
        random_state: Any = None,
        progress: Any = False,
    ) -> None:
        self.hidden, self.activation, self.dropout, self.module = hidden, activation, dropout, module
        self.loss, self.optimizer, self.lr, self.weight_decay = loss, optimizer, lr, weight_decay
        self.epochs, self.batch_size, self.early_stopping = epochs, batch_size, early_stopping
        self.validation_fraction, self.patience, self.callbacks = validation_fraction, patience, callbacks
        self.random_state, self.progress = random_state, progress

    # ------------------------------------------------------------------------------------------------------- training

    def _begin(self, x: Array, n_out: int, loss: Any) -> None:
        """Make a new network and its Trainer."""
        self._rng = parts.generator(self.random_state)
        if self.module is None:
            sizes = (x.shape[1], n_out, self.hidden, self.activation, self.dropout)
            model: Module = parts.layers(*sizes, dtype=x.dtype, rng=self._rng)
        else:
            model = parts.network(self.module, x.shape[1], n_out, x.dtype, self._rng)
        optimizer = parts.optimizer(self.optimizer, model, self.lr, self.weight_decay)
        callbacks = parts.callbacks(self.callbacks, optimizer)
        if self.early_stopping:
            callbacks.append(EarlyStopping(patience=self.patience))
        trainer = Trainer(model, loss, optimizer, callbacks=callbacks, lint=False)  # a search makes thousands
        given = trainer.predict(x[:1])
        if given.shape != (1, n_out):
            raise ShapeError(
                f"{type(self).__name__}: the module gives an output of shape {given.shape} for one sample; this task "
                f"with this loss needs (1, {n_out})."
            )
        self._trainer, self._dtype, self._n_out = trainer, x.dtype, n_out
        self._made_with = {name: _kept(getattr(self, name)) for name in (*_MADE_WITH, "lr", "weight_decay")}
        self.module_, self.history_ = model, trainer.history

    def _learn(self, x: Array, target: Array, weight: Array | None, epochs: int, strata: Array | None = None) -> Self:
        """Train for ``epochs``; leave out samples of weight 0, and hold out a part for ``early_stopping``."""
        self._follow_parameters()
        validation = None
        if weight is not None:
            kept = weight > 0
            x, target, weight = x[kept], target[kept], weight[kept]
            strata = None if strata is None else strata[kept]
        if self.early_stopping:
            rows, held = self._hold_out(len(x), strata)
            validation = (x[held], target[held]) if weight is None else (x[held], target[held], weight[held])
            x, target, weight = x[rows], target[rows], None if weight is None else weight[rows]
        history = self._trainer.fit(
            x.astype(self._dtype, copy=False),
            target,
            epochs=epochs,
            batch_size=self.batch_size,
            validation_data=validation,
            sample_weight=weight,
            rng=self._rng,
            progress=self.progress,
        )
        if history.interrupted:
            raise KeyboardInterrupt  # the Trainer has put all in order; a search around this fit has to end too
        return self

    def _follow_parameters(self) -> None:
        """Let the optimizer have a rate or decay that was set since the network was made; nothing else may change."""
        changed = [name for name, old in self._made_with.items() if not _equal(getattr(self, name), old)]
        fixed = [name for name in changed if name in _MADE_WITH]
        if fixed:
            raise ArgumentError(
                f"partial_fit goes on with the network that is there, which was made with {fixed[0]}="
                f"{self._made_with[fixed[0]]!r}. Set it back, or call fit to start anew."
            )
        optimizer = self._trainer.optimizer
        for name in changed:
            value = getattr(self, name)
            if name not in optimizer.defaults:
                raise ArgumentError(f"partial_fit: {name} cannot change, as {type(optimizer).__name__} has none.")
            for group in optimizer.param_groups:
                optimizer.check({**group, name: value})
                group[name] = value
            self._made_with[name] = value

    def _hold_out(self, n: int, strata: Array | None) -> tuple[Array, Array]:
        """Draw the rows to train on and those to hold out, with all classes on both sides where there are enough."""
        share = self.validation_fraction
        if not 0 < share < 1:
            raise ArgumentError(f"validation_fraction must be between 0 and 1, got {share}.")
        if strata is not None:
            counts = np.unique(strata, return_counts=True)[1]
            if counts.min() < 2 or len(counts) > min(np.ceil(n * share), np.floor(n * (1 - share))):
                strata = None
        seed = int(self._rng.integers(2**31))
        rows, held = train_test_split(np.arange(n), test_size=share, random_state=seed, stratify=strata)
        return rows, held

    def _weights(self, sample_weight: Any, x: Array) -> Array | None:
        """Read one weight per sample, none of them negative and not all of them 0."""
        if sample_weight is None:
            return None
        if isinstance(sample_weight, float | int | np.number):
            sample_weight = np.full(len(x), sample_weight)
        weight: Array = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
        if weight.ndim != 1:
            raise ShapeError(f"sample_weight must be a 1-D array, got shape {weight.shape}.")
        check_consistent_length(x, weight)
        if (weight < 0).any():
            raise ArgumentError("Negative values in data passed to `sample_weight`: weights must not be negative.")
        if not weight.any():
            raise ArgumentError("Sample weights must contain at least one non-zero number.")
        return weight

    # ---------------------------------------------------------------------------------------------------------- using

    def _outputs(self, x: Any) -> Array:
        """Return the outputs of the network, (samples, outputs)."""
        check_is_fitted(self, "module_")
        x = validate_data(self, x, dtype=FLOATS, reset=False)
        outputs: Array = self._trainer.predict(x.astype(self._dtype, copy=False))
        return outputs

    def as_module(self) -> Module:
        """Return a Module that computes what is predicted (of classes the probabilities), for ``nn.onnx.export``."""
        check_is_fitted(self, "module_")
        return Served(self.module_, self._finish)

    def _finish(self, outputs: Any) -> Any:
        """Turn the outputs of the network into what is predicted."""
        raise NotImplementedError


class Served(Module):
    """Compute what an estimator predicts, from the outputs of its network."""

    def __init__(self, module: Module, finish: Callable[[Any], Any]) -> None:
        self.module_, self.finish = module, finish

    def forward(self, x: Any) -> Any:
        return self.finish(self.module_(x))


def _kept(value: Any) -> Any:
    """Copy what could be changed in place."""
    return copy.copy(value) if isinstance(value, list | np.ndarray) else value


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(one, other)
    return one is other or bool(type(one) is type(other) and one == other)
