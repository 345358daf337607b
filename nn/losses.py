"""Losses as modules: ``criterion(output, target)``; the maths is in ``nn.functional``.

A loss says by ``outputs`` what it takes the outputs of a model for, as ``nn.criterion`` explains. ``check=False``
leaves the look at the targets out.
"""

from typing import Any, ClassVar, Self

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError
from nn.functional import classes as C
from nn.functional import distributions as D
from nn.functional import losses as F
from nn.functional import targets
from nn.inputs import constant, numbers
from nn.module import Module


class Loss(Module):
    """Hold the reduction: ``"mean"``, ``"sum"`` or ``"none"``."""

    outputs: ClassVar[str] = "numbers"
    check = False  # nothing to look at in the targets

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if len(args) > 1 and all(isinstance(x, ag.Tensor | np.ndarray) for x in args):
            name = cls.__name__
            raise ArgumentError(f"{name} is made first, and then called with arrays: {name}()(output, target).")
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, reduction: str = "mean") -> None:
        if not isinstance(reduction, str) or reduction not in ("mean", "sum", "none"):
            raise ArgumentError(f"{type(self).__name__}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
        self.reduction = reduction

    def check_targets(self, target: Any) -> None:
        """Refuse targets that no output could fit, before the first output is there."""

    reduction: str
    weight: Any
    pos_weight: Any

    def _buffer(self, name: str, value: Any) -> None:
        """Keep class weights with the module, in float32 unless they have a floating dtype."""
        if value is None:
            self.register_buffer(name, None)
            return
        where = f"{type(self).__name__}: {name}"
        given = constant(value, where) if isinstance(value, ag.Tensor) else numbers(value, where)
        array = given if getattr(value, "dtype", np.dtype(int)).kind == "f" else given.astype(np.float32)
        targets.weights(where, array)
        self.register_buffer(name, array)

    def extra_repr(self) -> str:
        return "" if self.reduction == "mean" else self.reduction


class MSELoss(Loss):
    """Measure (x - t)².

    Input and target are of one shape, or a ShapeError says so: (N, 1) is never stretched over (N,).

    >>> import nn
    >>> nn.MSELoss()([1.0, 2.0], [1.0, 4.0]).item()
    2.0
    """

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.mse_loss(tensor(input), target, self.reduction)


class L1Loss(Loss):
    """Measure |x - t|.

    Output and target have one shape; ``reduction`` is mean, sum or none. Raises ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.L1Loss()(x, [0.0, 3.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.75, array([ 0.5, -0.5]))
    """

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.l1_loss(tensor(input), target, self.reduction)


class HuberLoss(Loss):
    """Measure d²/2 where |d| = |x - t| <= delta, else delta (|d| - delta/2).

    Output and target have one shape; ``reduction`` is mean, sum or none. Raises ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.HuberLoss()(x, [0.0, 0.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.8125, array([0.25, 0.5 ]))
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.huber_loss(tensor(input), target, self.reduction, self.delta)


class HingeLoss(Loss):
    """Measure max(0, margin - t x) for targets -1 and 1.

    Output and target have one shape; ``reduction`` is mean, sum or none. Raises ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.HingeLoss()(x, [1.0, -1.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (1.75, array([-0.5,  0.5]))
    """

    outputs = "logits"

    def __init__(self, reduction: str = "mean", margin: float = 1.0, *, check: bool = True) -> None:
        super().__init__(reduction)
        self.check = check
        self.margin = margin

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.hinge_loss(tensor(input), target, self.reduction, self.margin, check=self.check)

    def check_targets(self, target: Any) -> None:
        targets.check_signs(type(self).__name__, target)


class BCELoss(Loss):
    """Measure the cross entropy of probabilities against targets in [0, 1]; from logits use BCEWithLogitsLoss.

    -(t log p + (1 − t) log(1 − p)). Output and target have one shape; ``reduction`` is mean, sum or none. Raises
    ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.9, 0.2], requires_grad=True)
    >>> loss = nn.BCELoss()(x, [1.0, 0.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.1643, array([-0.5556,  0.625 ]))
    """

    outputs = "probabilities"

    def __init__(self, weight: Any = None, reduction: str = "mean", *, check: bool = True) -> None:
        super().__init__(reduction)
        self.check = check
        self._buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.binary_cross_entropy(tensor(input), target, self.weight, self.reduction, check=self.check)

    def check_targets(self, target: Any) -> None:
        targets.check_shares(type(self).__name__, target)


class BCEWithLogitsLoss(Loss):
    """Measure the cross entropy of logits against targets in [0, 1], exact at any logit.

    ``pos_weight`` multiplies the loss of positives, ``weight`` that of each element. Input and target are of one shape,
    or a ShapeError says so; targets outside of [0, 1] are an ArgumentError.

    >>> import nn
    >>> nn.BCEWithLogitsLoss()([1e4, -1e4], [1, 0]).item()
    0.0
    """

    outputs = "logits"

    def __init__(
        self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None, *, check: bool = True
    ) -> None:
        super().__init__(reduction)
        self.check = check
        self._buffer("weight", weight)
        self._buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return F.binary_cross_entropy_with_logits(
            tensor(input), target, self.weight, self.reduction, self.pos_weight, check=self.check
        )

    def check_targets(self, target: Any) -> None:
        targets.check_shares(type(self).__name__, target)


class NLLLoss(Loss):
    """Measure -x[target] of log-probabilities x (N, C, ...) for class indices (N, ...).

    Of log_softmax it is the cross entropy; see :class:`CrossEntropyLoss` for the arguments. Raises ArgumentError for a
    class that there is not, DTypeError for indices that are not whole.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[-3.0, -2.0, -0.2]], requires_grad=True)
    >>> loss = nn.NLLLoss()(x, [2])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.2, array([[ 0.,  0., -1.]]))
    """

    outputs = "classes"

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", *, check: bool = True
    ) -> None:
        super().__init__(reduction)
        self.check = check
        self._buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return C.nll_loss(tensor(input), target, self.weight, self.ignore_index, self.reduction, check=self.check)


class CrossEntropyLoss(Loss):
    """Measure -log softmax(z)[target] of logits z (N, C, ...).

    The target holds class indices (N, ...), or one-hot rows or probabilities (N, C, ...). Raises ArgumentError for a
    class that there is not, ShapeError where shapes do not fit, DTypeError for indices that are not whole.

    >>> import nn
    >>> round(nn.CrossEntropyLoss()([[0.0, 0.0]], [1]).item(), 4)
    0.6931
    """

    outputs = "classes"

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
        *,
        check: bool = True,
    ) -> None:
        super().__init__(reduction)
        self.check = check
        if not 0 <= label_smoothing <= 1:
            raise ArgumentError(f"CrossEntropyLoss: label_smoothing must be between 0 and 1, got {label_smoothing}.")
        self._buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> ag.Tensor:
        return C.cross_entropy(
            tensor(input),
            target,
            self.weight,
            self.ignore_index,
            self.reduction,
            self.label_smoothing,
            check=self.check,
        )

    def check_targets(self, target: Any) -> None:
        if target.ndim > 1 and target.dtype.kind == "f":
            targets.mixtures(type(self).__name__, target)


class CategoricalCrossEntropyLoss(Loss):
    """Measure −Σ t log p of probabilities p (N, C, ...), as a softmax gives them; from logits use CrossEntropyLoss.

    The target holds class indices (N, ...), or one-hot rows or probabilities (N, C, ...). Raises ArgumentError where a
    row does not sum to 1, ShapeError where shapes do not fit.

    >>> import nn
    >>> round(nn.CategoricalCrossEntropyLoss()([[0.5, 0.5]], [1]).item(), 4)
    0.6931
    """

    outputs = "classes"  # of which the largest wins

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", *, check: bool = True
    ) -> None:
        super().__init__(reduction)
        self._buffer("weight", weight)
        self.ignore_index, self.check = ignore_index, check

    def check_targets(self, target: Any) -> None:
        if target.ndim > 1 and target.dtype.kind == "f":
            targets.mixtures(type(self).__name__, target, "For several labels per sample use BCELoss.")

    def forward(self, input: Any, target: Any) -> Any:
        return D.categorical_cross_entropy(
            tensor(input), target, self.weight, self.ignore_index, self.reduction, check=self.check
        )


def tensor(x: Any) -> Any:
    """Make a Tensor of an output that is none yet, so that a loss is always a Tensor."""
    return x if isinstance(x, ag.Tensor) else ag.Tensor(F.output(x))
