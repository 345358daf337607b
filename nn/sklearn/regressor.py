"""Regression: one or several numbers per sample."""

from typing import Any, Self

from numpy.typing import NDArray
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from autograd.errors import ShapeError
from nn.losses import HuberLoss, L1Loss, MSELoss
from nn.sklearn import parts
from nn.sklearn.estimator import FLOATS, NetworkEstimator, if_pieces

Array = NDArray[Any]
LOSSES = {"mse": MSELoss, "l1": L1Loss, "huber": HuberLoss}


class NNRegressor(MultiOutputMixin, RegressorMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fit numbers with a network: ``y`` of shape (samples,) or (samples, outputs).

    ``loss`` is "mse" (which "auto" means), "l1", "huber", a loss of ``nn`` or a function of (output, target). All other
    parameters and the attributes are those of ``NNClassifier``. Scale the inputs, and targets far from ±1 (with
    scikit-learn's ``StandardScaler`` and ``TransformedTargetRegressor``).

    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 50)[:, None]
    >>> model = NNRegressor(hidden=(16, 16), activation="tanh", lr=0.02, epochs=200, random_state=0)
    >>> model.fit(x, np.sin(3 * x[:, 0])).score(x, np.sin(3 * x[:, 0])) > 0.98
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Start anew and train for ``epochs``."""
        x, target, weight = self._read(X, y, sample_weight, reset=True)
        self._begin(x, target.shape[1], self._loss())
        return self._learn(x, target, weight, self.epochs)

    @if_pieces
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these data, with the ``lr`` and ``weight_decay`` that are set by now."""
        first = not hasattr(self, "module_")
        x, target, weight = self._read(X, y, sample_weight, reset=first)
        if first:
            self._begin(x, target.shape[1], self._loss())
        if target.shape[1] != self._n_out:
            raise ShapeError(f"partial_fit: y has {target.shape[1]} outputs; the first call had {self._n_out}.")
        return self._learn(x, target, weight, 1)

    def predict(self, X: Any) -> Array:
        """Return the outputs, in the shape of the ``y`` of ``fit``."""
        found: Array = self._finish(self._outputs(X))
        return found

    def _finish(self, outputs: Any) -> Any:
        return outputs[:, 0] if self._single else outputs

    def _loss(self) -> Any:
        return parts.choose("mse" if isinstance(self.loss, str) and self.loss == "auto" else self.loss, LOSSES)

    def _read(self, X: Any, y: Any, sample_weight: Any, reset: bool) -> tuple[Array, Array, Array | None]:
        x, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True, y_numeric=True, reset=reset)
        if reset:
            self._single = y.ndim == 1
        return x, y.reshape(len(y), -1).astype(x.dtype), self._weights(sample_weight, x)
