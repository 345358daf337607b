"""Losses over many classes: cross entropy and negative log-likelihood."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, ShapeError
from nn.functional import targets
from nn.functional.dense import ones
from nn.functional.losses import REDUCTIONS, divide, output
from nn.inputs import as_target, numbers, place

Array = NDArray[Any]


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    *,
    check: bool = True,
) -> Any:
    """Compute -log softmax(z)[target] for logits z of shape (N, C), (C,) or (N, C, d1, …).

    ``target`` holds class indices, of z's shape without C, or probabilities (one-hot too), of z's shape. ``weight``
    (C,) weighs the classes, and the mean is then weighted; targets equal to ``ignore_index`` do not count;
    ``label_smoothing`` ε mixes the target with the uniform distribution: (1 - ε) t + ε / C (Szegedy et al. 2015).
    Raises for labels out of range, shapes that do not fit and a single class; unless ``check`` is False also for rows
    of probabilities that do not sum to 1 and swapped arguments. Raises ArgumentError for a class that there is not,
    ShapeError where shapes do not fit.

    >>> float(cross_entropy([[1e4, 0.0]], [0]))
    0.0
    """
    z, w = logits_and_weight("cross_entropy", input, weight, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing must be between 0 and 1, got {label_smoothing}.")
    if not isinstance(target, ag.Tensor):
        target = numbers(target, "target")
    if check:
        targets.swapped("cross_entropy", z, target)
    if target.shape == z.shape:
        t = as_target(_one_hot_if_integer(target), z.dtype)
        if check:
            targets.mixtures("cross_entropy", t)
        return _soft(z, t, weight=w, reduction=reduction, label_smoothing=label_smoothing)
    z, index, valid = counted("cross_entropy", z, target, ignore_index)
    if w is None and valid is None and not label_smoothing:
        return _hard(z, index=index, reduction=reduction)
    return _hard(z, index=index, weight=w, valid=valid, reduction=reduction, label_smoothing=label_smoothing)


def _one_hot_if_integer(target: Any) -> Any:
    """Return a target of the output's shape; integers must be one-hot."""
    _refuse_counts(target)
    return target


@ag.opaque
def _refuse_counts(values: Any) -> None:
    if values.dtype.kind in "iu" and not (
        (values >= 0).all() and (values.sum(axis=min(1, values.ndim - 1)) == 1).all()
    ):
        raise ArgumentError(
            f"{place()}cross_entropy: an integer target of the output's shape {values.shape} must be "
            "one-hot along the class axis. Pass class indices without that axis."
        )


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    *,
    check: bool = True,
) -> Any:
    """Compute -x[target] for log-probabilities x of shape (N, C), (C,) or (N, C, d1, …); see ``cross_entropy``.

    The mean is −Σ w[t] · x[n, t] / Σ w[t]. Raises ArgumentError, unless ``check`` is False, for outputs above 0.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([[-3.0, -2.0, -0.2]], requires_grad=True)
    >>> loss = nn.functional.nll_loss(x, [2])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.2, array([[ 0.,  0., -1.]]))
    """
    x, w = logits_and_weight("nll_loss", input, weight, reduction)
    if check:
        targets.check_log_probabilities("nll_loss", x)
    target = target if isinstance(target, ag.Tensor) else numbers(target, "target")
    x, index, valid = counted("nll_loss", x, target, ignore_index)
    return nll_of(x, index=index, weight=w, valid=valid, reduction=reduction)


def logits_and_weight(name: str, x: Any, weight: Any, reduction: str) -> tuple[Any, Any]:
    """Return the output as logits and the weight of each class; refuse what does not fit."""
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    x = output(x)
    if not x.ndim:
        raise ShapeError(f"{place()}{name} got a scalar output; it needs classes along axis 1 (or 0 for one sample).")
    classes = x.shape[0] if x.ndim == 1 else x.shape[1]
    if classes == 1:
        raise ArgumentError(
            f"{place()}{name} got an output of shape {x.shape}, one class, which is right whatever it says. For two "
            "classes in one column use BCEWithLogitsLoss."
        )
    if weight is None:
        return x, None
    w = np.array(numbers(weight, "weight"), x.dtype)
    if w.shape != (classes,):
        raise ShapeError(
            f"{place()}{name}: weight has shape {w.shape}; it needs one number for each of the {classes} classes."
        )
    targets.weights(f"{name}: weight", w)
    return x, w


def counted(name: str, x: Any, target: Any, ignore_index: int) -> tuple[Any, Any, Any]:
    """Return the output with the samples that are ignored cut off, the classes, and which samples count (None: all).

    What is ignored may hold anything: neither a nan of it, nor one behind it, is part of the loss.
    """
    index, valid = class_indices(name, target, x.shape, ignore_index)
    if valid is not None:
        x = np.where(valid.reshape(*x.shape[:1], 1, *x.shape[2:]) if x.ndim > 1 else valid, x, 0.0)
    return x, index, valid


@ag.opaque
def class_indices(name: str, index: Any, shape: tuple[int, ...], ignore_index: int) -> tuple[Array, Array | None]:
    """Check class indices: dtype, shape and range; give a flat copy, and which of them count (None: all do).

    An ignored index becomes 0, so that it can be used. It is a copy as its owner may change it before backward.
    """
    expected = shape[:1] + shape[2:] if len(shape) > 1 else ()
    classes = shape[1] if len(shape) > 1 else shape[0]
    if index.shape != expected:
        hint = " Pass target.squeeze(-1)." if index.shape == (*expected, 1) else ""
        raise ShapeError(
            f"{place()}{name} got an output of shape {shape} and a target of shape {index.shape}. "
            f"Class indices must have shape {expected}, probabilities {shape}.{hint}"
        )
    if index.dtype.kind not in "iu":
        raise DTypeError(
            f"{place()}{name}: class indices must be integers, got dtype {index.dtype}. Pass target.astype(int)."
        )
    index = np.array(index, np.intp).reshape(-1)
    valid = None
    wrong = index.view(np.uintp) >= classes  # negative ones are huge as unsigned numbers
    if wrong.any() or 0 <= ignore_index < classes:
        valid = index != ignore_index
        bad = index[wrong & valid]
        if bad.size:
            raise ArgumentError(
                f"{place()}{name}: target {bad[0]} is out of range for {classes} classes (0 to {classes - 1})."
            )
        index = np.where(valid, index, 0)
    return index, valid


def rows_of(x: Any) -> Any:
    """Bring classes to the last axis and make the rest one: (N, C, d1, …) -> (M, C)."""
    if x.ndim == 2:
        return x
    return np.moveaxis(x, 1, -1).reshape(-1, x.shape[1]) if x.ndim > 2 else x.reshape(1, -1)


def _unrows(rows: Array, shape: tuple[int, ...]) -> Any:
    """Undo ``rows_of``."""
    if len(shape) == 2:
        return rows
    return np.moveaxis(rows.reshape(shape[0], *shape[2:], shape[1]), -1, 1) if len(shape) > 2 else rows.reshape(shape)


def _softmax_rows(z: Array) -> tuple[Array, Array, Array]:
    """Return z - max z, its exponential and the sum of that by row; all are owned."""
    s = z - np.maximum.reduce(z, axis=1, keepdims=True)
    e = np.exp(s)
    return s, e, np.dot(e, ones(e.shape[1], e.dtype))


@lru_cache(maxsize=64)
def _row_numbers(n: int) -> Array:
    rows = np.arange(n)
    rows.flags.writeable = False
    return rows


def _sample_weights(index: Array, weight: Any, valid: Any, dtype: Any) -> Any:
    """Return the weight of each sample, or None where all are 1; ignored samples have 0."""
    if weight is None:
        return None if valid is None else valid.astype(dtype)
    return weight[index] if valid is None else weight[index] * valid


def _count(weights: Any, n: int, reduction: str) -> float:
    """Return what the sum is divided by."""
    return 1.0 if reduction != "mean" else float(n) if weights is None else float(weights.sum())


def _divisor(weights: Any, index: Array, valid: Any, reduction: str) -> float:
    """Return what the gradient is divided by: where every sample is ignored it is 0, though the mean of none is nan."""
    return 1.0 if valid is not None and not valid.any() else _count(weights, len(index), reduction)


def _lead(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape without the class axis."""
    return shape[:1] + shape[2:] if len(shape) > 1 else ()


def _scale(g: Any, count: float, dtype: Any) -> Any:
    """Return the upstream gradient of the samples as a column: (1, 1), or (M, 1) without reduction."""
    return (g / dtype.type(count)).reshape(-1, 1)


def _hard_forward(
    z: Any,
    index: Any = None,
    weight: Any = None,
    valid: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Compute log Σ e^s - s[target] with s = z - max z, for flat indices."""
    s, e, sums = _softmax_rows(rows_of(z))
    w = _sample_weights(index, weight, valid, s.dtype)
    logs = np.log(sums)
    values = logs - s[_row_numbers(len(index)), index]
    if w is not None:
        values *= w
    if label_smoothing:
        c = s.shape[1]
        smooth = c * logs - s.sum(1) if weight is None else logs * weight.sum() - np.dot(s, weight)
        if valid is not None:
            smooth *= valid
        values = (1 - label_smoothing) * values + (label_smoothing / c) * smooth
    if reduction == "none":
        return values.reshape(_lead(z.shape))[()], e, sums
    return divide(np.add.reduce(values), _count(w, len(index), reduction)), e, sums


def _hard_rule(
    g: Any, e: Any, sums: Any, shapes: Any, index: Any, weight: Any, valid: Any, reduction: str, label_smoothing: float
) -> Any:
    """Return (softmax(z) - target) · weight / count, with the target mixed where labels are smoothed."""
    w = _sample_weights(index, weight, valid, e.dtype)
    scale, at = _scale(g, _divisor(w, index, valid, reduction), e.dtype), (_row_numbers(len(index)), index)
    own = scale if w is None else scale * w[:, None]
    if not label_smoothing:
        dz = e * (own / sums[:, None])
        dz[at] -= own[:, 0]
        return _unrows(dz, shapes[0])
    each = (label_smoothing / e.shape[1]) * (np.ones(e.shape[1], e.dtype) if weight is None else weight)
    target = np.array(np.broadcast_to((scale if valid is None else scale * valid[:, None]) * each, e.shape), e.dtype)
    target[at] += (1 - label_smoothing) * own[:, 0]
    dz = e * (target.sum(1, keepdims=True) / sums[:, None])
    dz -= target
    return _unrows(dz, shapes[0])


def _hard_definition(
    z: Any,
    index: Any = None,
    weight: Any = None,
    valid: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    rows = rows_of(z)
    n, c = rows.shape
    counts = np.ones(n) if valid is None else valid.astype(float)
    each = np.ones(c) if weight is None else weight
    target = np.zeros((n, c))
    target[np.arange(n), index] = 1.0
    w = (target * each).sum(1) * counts
    target = ((1 - label_smoothing) * target + label_smoothing / c) * each * counts[:, None]
    values = -(ag.log_softmax(rows, axis=1) * target).sum(axis=1)
    if reduction == "none":
        return values.reshape(_lead(z.shape))
    return _mean(values.sum(), w, valid) if reduction == "mean" else values.sum()


def _mean(total: Any, weights: Any, valid: Any) -> Any:
    """Divide by the weights; where every sample is ignored the value is nan and the gradient 0, as in the fused op."""
    return total + np.nan if valid is not None and not valid.any() else total / weights.sum()


def _hard_samples(rng: np.random.Generator) -> Iterator[Any]:
    w, index = np.array([0.5, 2.0, 1.0]), np.array([0, 2, 1, 0])
    valid = np.array([True, True, True, False])
    for reduction in REDUCTIONS:
        for options in ({}, {"weight": w}, {"valid": valid}, {"weight": w, "valid": valid, "label_smoothing": 0.1}):
            yield (rng.normal(size=(4, 3)),), {"index": index, "reduction": reduction, **options}
    yield (rng.normal(size=3),), {"index": index[:1]}
    yield (rng.normal(size=(2, 3, 2)),), {"index": index, "weight": w, "label_smoothing": 0.2}


_hard = ag.op(
    _hard_forward,
    name="cross_entropy",
    inline="forward",
    symbol="cross entropy",
    cache=("e", "sums"),
    vjp=_hard_rule,
    definition=_hard_definition,
    formula="g * (softmax(z) - onehot(index)) / rows",
    domain=_hard_samples,
)


def _soft_forward(z: Any, t: Any, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    rows, target = rows_of(z), _mixed(rows_of(t), weight, label_smoothing)
    s, e, sums = _softmax_rows(rows)
    mass = target.sum(1)
    values = np.log(sums) * mass - (s * target).sum(1)
    if reduction == "none":
        return values.reshape(_lead(z.shape))[()], e, sums
    return divide(np.add.reduce(values), len(rows) if reduction == "mean" else 1.0), e, sums


def _mixed(t: Any, weight: Any, label_smoothing: float) -> Any:
    """Smooth the target and weigh its classes."""
    if label_smoothing:
        t = (1 - label_smoothing) * t + label_smoothing / t.shape[1]
    return t if weight is None else t * weight


def _soft_rule(
    g: Any,
    z: Any,
    t: Any,
    e: Any,
    sums: Any,
    weight: Any,
    reduction: str,
    label_smoothing: float,
    needs: tuple[bool, ...],
) -> tuple[Any, ...]:
    target = _mixed(rows_of(t), weight, label_smoothing)
    scale = _scale(g, len(e) if reduction == "mean" else 1.0, e.dtype)
    dz = dt = None
    if needs[0]:
        dz = e * (target.sum(1, keepdims=True) / sums[:, None])
        dz -= target
        dz = _unrows(dz * scale, z.shape)
    if needs[1]:
        logs = rows_of(z) - (np.max(rows_of(z), axis=1, keepdims=True) + np.log(sums)[:, None])
        dt = _unrows(-scale * (1 - label_smoothing) * (logs if weight is None else logs * weight), t.shape)
    return dz, dt


def _soft_definition(z: Any, t: Any, weight: Any = None, reduction: str = "mean", label_smoothing: float = 0.0) -> Any:
    rows = rows_of(z)
    values = -(ag.log_softmax(rows, axis=1) * _mixed(rows_of(t), weight, label_smoothing)).sum(axis=1)
    if reduction == "none":
        return values.reshape(_lead(z.shape))
    return values.sum() / (rows.shape[0] if reduction == "mean" else 1.0)


def _soft_samples(rng: np.random.Generator) -> Iterator[Any]:
    options: list[dict[str, Any]] = [{"reduction": reduction} for reduction in REDUCTIONS]
    options += [{"weight": np.array([0.5, 2.0, 1.0])}, {"label_smoothing": 0.1, "weight": np.array([0.5, 2.0, 1.0])}]
    for shape in ((4, 3), (3,), (2, 3, 2)):
        for keywords in options:
            yield (rng.normal(size=shape), rng.uniform(0, 1, shape)), keywords


_soft = ag.op(
    _soft_forward,
    name="cross_entropy_soft",
    inline="forward",
    symbol="cross entropy",
    cache=("e", "sums"),
    vjp=_soft_rule,
    definition=_soft_definition,
    formula=dict(z="g * (softmax(z) - t) / rows"),
    domain=_soft_samples,
)


def _nll_forward(x: Any, index: Any = None, weight: Any = None, valid: Any = None, reduction: str = "mean") -> Any:
    values = -rows_of(x)[_row_numbers(len(index)), index]
    w = _sample_weights(index, weight, valid, x.dtype)
    if w is not None:
        values *= w
    if reduction == "none":
        return values.reshape(_lead(x.shape))[()]
    return divide(np.add.reduce(values), _count(w, len(index), reduction))


def _nll_rule(g: Any, shapes: Any, index: Any, weight: Any, valid: Any, reduction: str) -> Any:
    """Return -weight / count at the target, 0 elsewhere."""
    (shape,), dtype = shapes, g.dtype
    w = _sample_weights(index, weight, valid, dtype)
    scale = _scale(g, _divisor(w, index, valid, reduction), dtype)[:, 0]
    dx = np.zeros((len(index), shape[1] if len(shape) > 1 else shape[0]), dtype)
    dx[_row_numbers(len(index)), index] = -scale if w is None else -scale * w
    return _unrows(dx, shape)


def _nll_definition(x: Any, index: Any = None, weight: Any = None, valid: Any = None, reduction: str = "mean") -> Any:
    rows = rows_of(x)
    w = (np.ones(rows.shape[1]) if weight is None else weight)[index] * (1.0 if valid is None else valid)
    values = -rows[np.arange(len(index)), index] * w
    if reduction == "none":
        return values.reshape(_lead(x.shape))
    return _mean(values.sum(), w, valid) if reduction == "mean" else values.sum()


def _nll_samples(rng: np.random.Generator) -> Iterator[Any]:
    for args, keywords in _hard_samples(rng):
        yield args, {name: value for name, value in keywords.items() if name != "label_smoothing"}


nll_of = ag.op(
    _nll_forward,
    name="nll_loss",
    symbol="NLL",
    vjp=_nll_rule,
    definition=_nll_definition,
    domain=_nll_samples,
    selects=True,
)
