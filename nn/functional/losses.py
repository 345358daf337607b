"""Losses, each one op with its gradient in closed form, stable at ±10⁴ in float32.

All take the output first, then the target, and ``reduction``: ``"mean"`` over elements (cross entropy: over samples),
``"sum"`` or ``"none"``. Output and target must have one shape: ``(N, 1)`` against ``(N,)`` is an error, never a
broadcast.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from nn.functional import targets
from nn.inputs import as_target, numbers, place, refuse_results

Array = NDArray[Any]
REDUCTIONS = ("mean", "sum", "none")
_ARRAYS = (ag.Tensor, np.ndarray)


def pair(name: str, x: Any, target: Any, reduction: str) -> tuple[Any, Any]:
    """Bring the target to the dtype of the output, and refuse shapes that differ."""
    if reduction not in REDUCTIONS:
        raise ArgumentError(f"{name}: reduction must be 'mean', 'sum' or 'none', got {reduction!r}.")
    x = output(x)
    target = as_target(target, x.dtype)
    if x.shape != target.shape:
        raise _shapes_differ(name, x.shape, target.shape)
    return x, target


def _shapes_differ(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> ShapeError:
    advice = "They must be equal."
    if a == (*b, 1):
        advice = "They must be equal: pass output.squeeze(-1), or target[..., None]."
    elif b == (*a, 1):
        advice = "They must be equal: pass target.squeeze(-1), or output[..., None]."
    return ShapeError(f"{place()}{name} got an output of shape {a} and a target of shape {b}. {advice}")


def output(x: Any) -> Any:
    """Bring an output to floating point (float32 where it is a list or integers)."""
    if isinstance(x, _ARRAYS):
        return x if x.dtype.kind == "f" else x.astype(np.float32)
    refuse_results(x)
    return numbers(x, "output").astype(np.float32)


def reduce(values: Any, reduction: str) -> Any:
    """Reduce by plain ops."""
    return values if reduction == "none" else values.mean() if reduction == "mean" else values.sum()


def total(values: Array, reduction: str) -> Any:
    """Reduce an array; ``np.add.reduce`` is half the price of ``values.mean()``."""
    if reduction == "none":
        return values
    s = np.add.reduce(values, axis=None)
    return divide(s, values.size) if reduction == "mean" else s


def divide(s: Any, count: float) -> Any:
    """Divide a sum by what was counted; the mean of nothing is nan."""
    return s / s.dtype.type(count) if count else s * np.nan


def spread(g: Any, size: int, reduction: str, dtype: Any) -> Any:
    """Return the upstream gradient of each element: a number, or with ``"none"`` an array."""
    if reduction == "none":
        return g
    return g / dtype.type(size) if reduction == "mean" and size else g


def _samples(low: float = -2.0, high: float = 2.0, **more: list[Any]) -> Any:
    """Make the test domain of a loss: every reduction, and every value of its own keywords."""

    def samples(rng: np.random.Generator) -> Iterator[Any]:
        for reduction in REDUCTIONS:
            yield (rng.uniform(low, high, (3, 2)), rng.uniform(low, high, (3, 2))), {"reduction": reduction}
        for name, values in more.items():
            for value in values:
                yield (rng.uniform(low, high, (3, 2)), rng.uniform(low, high, (3, 2))), {name: value}

    return samples


# ----------------------------------------------------------------------------------------------------- regression


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Compute (x - t)².

    Raises ShapeError where the shapes differ.

    >>> float(mse_loss([1.0, 2.0], [1.0, 4.0]))
    2.0
    """
    x, t = pair("mse_loss", input, target, reduction)
    return _mse(x, t, reduction=reduction)


def _mse_forward(x: Any, t: Any, reduction: str = "mean") -> Any:
    d = x - t
    if reduction == "none":
        return d * d, d
    flat = d.reshape(-1)
    s = np.dot(flat, flat)
    return divide(s, d.size) if reduction == "mean" else s, d


def _mse_rule(g: Any, d: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    return _both(d * (2 * spread(g, d.size, reduction, d.dtype)), needs)


def _both(dx: Any, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    """Return the gradients of output and target of a loss of their difference."""
    return dx if needs[0] else None, -dx if needs[1] else None


def _mse_definition(x: Any, t: Any, reduction: str = "mean") -> Any:
    return reduce(np.square(x - t), reduction)


_mse = ag.op(
    _mse_forward,
    name="mse_loss",
    inline="forward",
    symbol="MSE",
    cache=("d",),
    vjp=_mse_rule,
    definition=_mse_definition,
    formula=dict(x="g * 2 * (x - t) / n", t="g * 2 * (t - x) / n"),
    domain=_samples(),
)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Compute |x - t|, with derivative 0 where they are equal.

    Output and target have one shape; ``reduction`` is mean, sum or none. Raises ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.functional.l1_loss(x, [0.0, 3.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.75, array([ 0.5, -0.5]))
    """
    x, t = pair("l1_loss", input, target, reduction)
    return _l1(x, t, reduction=reduction)


def _l1_forward(x: Any, t: Any, reduction: str = "mean") -> Any:
    d = x - t
    return total(np.abs(d), reduction), d


def _l1_rule(g: Any, d: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    return _both(np.sign(d) * spread(g, d.size, reduction, d.dtype), needs)


def _l1_definition(x: Any, t: Any, reduction: str = "mean") -> Any:
    return reduce(np.abs(x - t), reduction)


_l1 = ag.op(
    _l1_forward,
    name="l1_loss",
    symbol="L1",
    cache=("d",),
    vjp=_l1_rule,
    definition=_l1_definition,
    domain=_samples(),
    inline="forward",
)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Compute d²/2 where |d| <= delta, else delta · (|d| - delta/2), with d = x - t (Huber 1964).

    Output and target have one shape; ``reduction`` is mean, sum or none. Raises ShapeError where they do not fit.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.functional.huber_loss(x, [0.0, 0.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.8125, array([0.25, 0.5 ]))
    """
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta must be positive, got {delta}.")
    x, t = pair("huber_loss", input, target, reduction)
    return _huber(x, t, reduction=reduction, delta=delta)


def _huber_forward(x: Any, t: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    d = x - t
    c = np.clip(d, -delta, delta)  # c (d - c/2) is both branches
    return total(c * (d - 0.5 * c), reduction), c


def _huber_rule(g: Any, c: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    return _both(c * spread(g, c.size, reduction, c.dtype), needs)


def _huber_definition(x: Any, t: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    d = x - t
    size = np.abs(d)
    return reduce(np.where(size <= delta, 0.5 * d * d, delta * (size - 0.5 * delta)), reduction)


_huber = ag.op(
    _huber_forward,
    name="huber_loss",
    inline="forward",
    symbol="Huber",
    cache=("c",),
    vjp=_huber_rule,
    definition=_huber_definition,
    domain=_samples(delta=[0.5, 3.0]),
)


# -------------------------------------------------------------------------------------------------- two classes


def hinge_loss(input: Any, target: Any, reduction: str = "mean", margin: float = 1.0, *, check: bool = True) -> Any:
    """Compute max(0, margin - t x) for targets -1 and 1 (the max-margin loss of micrograd's demo).

    Raises ArgumentError for other targets, unless ``check`` is False. Input and target have one shape.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.5, 2.0], requires_grad=True)
    >>> loss = nn.functional.hinge_loss(x, [1.0, -1.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (1.75, array([-0.5,  0.5]))
    """
    x, t = pair("hinge_loss", input, target, reduction)
    if check:
        targets.check_signs("hinge_loss", t)
    return _hinge(x, t, reduction=reduction, margin=margin)


def _hinge_forward(x: Any, t: Any, reduction: str = "mean", margin: float = 1.0) -> Any:
    m = np.maximum(margin - t * x, 0)
    return total(m, reduction), m > 0


def _hinge_rule(g: Any, x: Any, t: Any, active: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    s = -spread(g, active.size, reduction, x.dtype) * active
    return s * t if needs[0] else None, s * x if needs[1] else None


def _hinge_definition(x: Any, t: Any, reduction: str = "mean", margin: float = 1.0) -> Any:
    return reduce(ag.relu(margin - t * x), reduction)


_hinge = ag.op(
    _hinge_forward,
    name="hinge_loss",
    inline="forward",
    symbol="hinge",
    cache=("active",),
    vjp=_hinge_rule,
    definition=_hinge_definition,
    domain=_samples(-0.9, 0.9, margin=[2.0]),
    selects=True,
)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", *, check: bool = True
) -> Any:
    """Compute -(t log p + (1 - t) log(1 - p)) for probabilities p; the logarithms are cut at -100, as in PyTorch.

    From logits use ``binary_cross_entropy_with_logits``: it stays exact where p rounds to 0 or 1. Raises ArgumentError
    where p is not in [0, 1] and, unless ``check`` is False, where t is not or the two are swapped. Input and target
    have one shape.

    >>> import autograd as ag, nn
    >>> x = ag.Tensor([0.9, 0.2], requires_grad=True)
    >>> loss = nn.functional.binary_cross_entropy(x, [1.0, 0.0])
    >>> loss.backward()
    >>> round(loss.item(), 4), x.grad.numpy().round(4)
    (0.1643, array([-0.5556,  0.625 ]))
    """
    name = "binary_cross_entropy"
    p, t = pair(name, input, target, reduction)
    if check:
        targets.swapped(name, p, t)
        targets.check_shares(name, t)
    targets.check_probabilities(name, p)
    if check:
        targets.check_not_labels(name, p, t)
    return _bce(p, t, weight=_constant(weight, p, "weight"), reduction=reduction)


def _constant(weight: Any, like: Any, name: str) -> Any:
    """Read a weight as an array of its own (its owner may change it before backward) that broadcasts to the output."""
    if weight is None:
        return None
    array = np.array(numbers(weight, name), like.dtype)
    targets.weights(name, array)
    try:
        fits = np.broadcast_shapes(array.shape, like.shape) == like.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{place()}{name} of shape {array.shape} does not broadcast to the output's shape {like.shape}."
        )
    return array


def cut_log(p: Any) -> Any:
    """Compute log p, at least -100."""
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


def _bce_forward(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    values = np.asarray(-(t * cut_log(p) + (1 - t) * cut_log(1 - p)))
    return total(values if weight is None else values * weight, reduction)


def _bce_rule(g: Any, p: Any, t: Any, weight: Any, reduction: str, needs: tuple[bool, ...]) -> tuple[Any, ...]:
    s = spread(g, p.size, reduction, p.dtype)
    s = s if weight is None else s * weight
    dp = s * (p - t) / np.maximum(p * (1 - p), 1e-12) if needs[0] else None
    return dp, s * (cut_log(1 - p) - cut_log(p)) if needs[1] else None


def _bce_definition(p: Any, t: Any, weight: Any = None, reduction: str = "mean") -> Any:
    values = -(t * np.log(p) + (1 - t) * np.log1p(-p))
    return reduce(values if weight is None else values * weight, reduction)


_bce = ag.op(
    _bce_forward,
    name="binary_cross_entropy",
    symbol="BCE",
    vjp=_bce_rule,
    definition=_bce_definition,
    formula=dict(p="g * (p - t) / (p * (1 - p)) / n"),
    domain=_samples(0.1, 0.9, weight=[np.array([0.5, 2.0])]),
)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
    *,
    check: bool = True,
) -> Any:
    """Compute -(t log σ(z) + (1 - t) log σ(-z)) = log(1 + e^z) - t z for logits z, exact at any z.

    ``pos_weight`` multiplies the first term: more than 1 trades precision for recall; ``weight`` multiplies each
    element. Raises ArgumentError, unless ``check`` is False, for targets outside [0, 1] and swapped arguments. Input
    and target have one shape.

    >>> float(binary_cross_entropy_with_logits([1e4], [1.0]))
    0.0
    """
    name = "binary_cross_entropy_with_logits"
    z, t = pair(name, input, target, reduction)
    if check:
        targets.swapped(name, z, t)
        targets.check_shares(name, t)
    if weight is None and pos_weight is None:
        return _logits(z, t) if reduction == "mean" else _logits(z, t, reduction=reduction)
    weight, pos_weight = _constant(weight, z, "weight"), _constant(pos_weight, z, "pos_weight")
    return _logits(z, t, weight=weight, reduction=reduction, pos_weight=pos_weight)


def _logits_forward(z: Any, t: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    """Compute max(z, 0) - t z + log(1 + e^-|z|): the small last term is not lost in a large first one."""
    zero = z.dtype.type(0)
    small = np.logaddexp(-np.abs(z), zero)
    if pos_weight is None:
        values = np.maximum(z, zero) - t * z + small
    else:  # -log σ(z) = max(-z, 0) + small, -log σ(-z) = max(z, 0) + small
        values = pos_weight * t * (np.maximum(-z, zero) + small) + (1 - t) * (np.maximum(z, zero) + small)
    return total(values if weight is None else values * weight, reduction)


def _logits_rule(
    g: Any, z: Any, t: Any, weight: Any, reduction: str, pos_weight: Any, needs: tuple[bool, ...]
) -> tuple[Any, ...]:
    """Return (σ(z) - t) / n for the logits, and -z / n for the target."""
    s = spread(g, z.size, reduction, z.dtype)
    s = s if weight is None else s * weight
    dz = dt = None
    if needs[0]:
        dz = _sigmoid(z)
        if pos_weight is None:
            dz -= t
        else:
            dz *= pos_weight * t + (1 - t)
            dz -= pos_weight * t
        dz *= s
    if needs[1]:
        dt = -z * s if pos_weight is None else s * ((pos_weight - 1) * np.logaddexp(z, 0) - pos_weight * z)
    return dz, dt


def _sigmoid(z: Any) -> Any:
    """Compute 1 / (1 + e⁻ᶻ), exact to a few ulp where it is small too (½ + ½ tanh(z/2) is 0 at -20 in float32).

    Where e⁻ᶻ is ∞ this is 0, which is right; backward does not warn of it.
    """
    p = np.exp(-z)
    p += z.dtype.type(1)
    return np.reciprocal(p)


def _logits_definition(z: Any, t: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> Any:
    positive, negative = t * ag.softplus(-z), (1 - t) * ag.softplus(z)
    values = (positive if pos_weight is None else pos_weight * positive) + negative
    return reduce(values if weight is None else values * weight, reduction)


_logits = ag.op(
    _logits_forward,
    name="binary_cross_entropy_with_logits",
    inline="forward",
    symbol="BCE(logits)",
    vjp=_logits_rule,
    definition=_logits_definition,
    formula=dict(z="g * (sigmoid(z) - t) / n"),
    domain=_samples(weight=[np.array([0.5, 2.0])], pos_weight=[np.array([3.0]), np.array([0.5, 2.0])]),
)
