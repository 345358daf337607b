"""Classification: two classes, many, or several labels at once."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from autograd.errors import ArgumentError, ShapeError
from nn.losses import HingeLoss
from nn.sklearn import coding
from nn.sklearn.estimator import FLOATS, NetworkEstimator, if_pieces

Array = NDArray[Any]


def _has_probabilities(estimator: "NNClassifier") -> bool:
    """Tell whether the loss makes outputs that are probabilities; the message is what ``predict_proba`` raises."""
    loss = estimator.loss
    if loss == "hinge" or isinstance(loss, HingeLoss) or (isinstance(loss, type) and issubclass(loss, HingeLoss)):
        raise AttributeError(
            "predict_proba: a hinge loss gives no probabilities. Use decision_function, or another loss."
        )
    return True


# Given a type, so that the decorated method keeps one: scikit-learn has none.
_if_probabilities: Callable[[Callable[..., Array]], Callable[..., Array]] = available_if(_has_probabilities)


class NNClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Classify with a network of ``hidden`` layers, or with any ``nn`` module.

    ``activation`` and ``dropout`` are one for all hidden layers or a sequence with one for each. ``module`` replaces
    them: a function ``(n_in, n_out, rng) -> Module``, or a Module, of which each fit trains a copy.

    ``loss`` is "cross_entropy" (which "auto" means), "bce" (each class against the rest; "auto" for multilabel ``y``),
    "hinge" (no probabilities), a loss of ``nn``, or a function of (logits, class numbers). ``optimizer`` is "adam",
    "adamw", "sgd", "rmsprop", "adagrad" or a function of ``(parameters, lr=, weight_decay=)`` such as
    ``functools.partial(nn.optim.SGD, momentum=0.9)``.

    ``early_stopping`` holds ``validation_fraction`` of the samples out, stops after ``patience`` epochs without a
    better ``val_loss`` and keeps the best weights; there is no ``partial_fit`` then. ``callbacks`` are copied for each
    fit; a function among them is called with the optimizer and makes one (for ``nn.LRSchedule``). ``class_weight`` is
    a dict by label or "balanced". float32 data are trained in float32, all others in float64. ``progress`` is that of
    ``nn.Trainer.fit``.

    Weights are shares within a batch, Σ w l / Σ w: where an epoch is one batch, weight 2 is the same as the sample
    twice. After ``fit``: ``classes_``, ``module_``, ``history_`` (``nn.History``), ``n_features_in_``,
    ``feature_names_in_``.

    >>> import numpy as np
    >>> x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> xor = NNClassifier((8, 8), activation=("tanh", "relu"), lr=0.05, epochs=60, random_state=0)
    >>> xor.fit(x, ["no", "yes", "yes", "no"]).predict(x).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    classes_: Array

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
        class_weight: Any = None,
        callbacks: Any = (),
        random_state: Any = None,
        progress: Any = False,
    ) -> None:
        super().__init__(
            hidden,
            activation,
            dropout,
            module=module,
            loss=loss,
            optimizer=optimizer,
            lr=lr,
            weight_decay=weight_decay,
            epochs=epochs,
            batch_size=batch_size,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            callbacks=callbacks,
            random_state=random_state,
            progress=progress,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    # ------------------------------------------------------------------------------------------------------- training

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Start anew and train for ``epochs``; ``y`` holds labels (samples,) or 0 and 1 per label (samples, labels)."""
        x, y = self._read(X, y, reset=True)
        classes = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
        self._open(x, classes, multilabel=y.ndim == 2)
        return self._train(x, y, sample_weight, self.epochs)

    @if_pieces
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one more epoch, on these data; the first call names all ``classes`` that will come.

        ``lr`` and ``weight_decay`` may have been set meanwhile; what the network was made with may not.
        """
        if isinstance(self.class_weight, str):
            raise ArgumentError("partial_fit cannot know how often classes will come: pass class_weight as a dict.")
        first = not hasattr(self, "module_")
        if first and classes is None:
            raise ArgumentError("the first call of partial_fit needs classes, the list of all classes that will come.")
        x, y = self._read(X, y, reset=first)
        classes = self.classes_ if classes is None else np.unique(classes)
        if first:
            self._open(x, classes, multilabel=y.ndim == 2)
        elif not np.array_equal(classes, self.classes_):
            raise ArgumentError(
                f"partial_fit: classes are {classes.tolist()}; the first call had {self.classes_.tolist()}."
            )
        return self._train(x, y, sample_weight, 1)

    def _read(self, X: Any, y: Any, reset: bool) -> tuple[Array, Array]:
        """Read data and labels as arrays; ``y`` has two axes where it is multilabel."""
        x, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True, reset=reset)
        y = y.toarray() if hasattr(y, "toarray") else y
        check_classification_targets(y)
        return x, y if type_of_target(y) == "multilabel-indicator" else column_or_1d(y, warn=True)

    def _open(self, x: Array, classes: Array, multilabel: bool) -> None:
        if not multilabel and len(classes) < 2:
            raise ArgumentError(f"y holds one class, {classes.tolist()[0]!r}: a classifier needs two or more classes.")
        loss, code = coding.choose(self.loss, len(classes), multilabel)
        if code is None:
            raise ArgumentError(f"loss={self.loss!r} cannot learn several labels per sample; use 'bce' or 'hinge'.")
        if multilabel and self.class_weight is not None:
            raise ArgumentError(
                "class_weight is for one label per sample; for several pass loss=nn.BCEWithLogitsLoss(pos_weight=…)."
            )
        self._coding, self._multilabel = code, multilabel
        self._begin(x, code.outputs, loss)
        self.classes_ = classes

    def _train(self, x: Array, y: Array, sample_weight: Any, epochs: int) -> Self:
        weight = self._weights(sample_weight, x)
        if y.shape[1:] != (self.classes_.shape if self._multilabel else ()):
            kind = f"{len(self.classes_)} columns of 0 and 1" if self._multilabel else "one label per sample"
            raise ShapeError(f"partial_fit: y has shape {y.shape}; the first call said {kind}.")
        if self._multilabel:
            return self._learn(x, self._coding.targets(y, x.dtype), weight, epochs)
        index = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = y[self.classes_[index] != y].tolist()
        if unknown:
            raise ArgumentError(
                f"y has the label {unknown[0]!r}, which is not among the classes {self.classes_.tolist()}."
            )
        if self.class_weight is not None:
            weight = np.ones(len(y)) if weight is None else weight
            weight = weight * coding.class_weights(self.class_weight, self.classes_, index, weight)[index]
        return self._learn(x, self._coding.targets(index, x.dtype), weight, epochs, strata=index)

    # ---------------------------------------------------------------------------------------------------------- using

    def predict(self, X: Any) -> Array:
        """Return the most likely class of each sample, or 0 and 1 for each label."""
        found = self._coded(X, "predict")
        return found if self._multilabel else self.classes_[found]

    @_if_probabilities
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, (samples, classes) in the order of ``classes_``."""
        return self._coded(X, "proba")

    def decision_function(self, X: Any) -> Array:
        """Return scores (samples, classes), the largest wins; for two classes (samples,), the second wins above 0."""
        return self._coded(X, "decision")

    def _finish(self, outputs: Any) -> Any:
        return self._coding.shares(outputs) if self._coding.probabilities else outputs

    def _coded(self, X: Any, what: str) -> Array:
        check_is_fitted(self, "module_")
        found: Array = getattr(self._coding, what)(self._outputs(X))
        return found
