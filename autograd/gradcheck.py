"""Check gradients against finite differences, in one random direction, to any order.

The check of order n is the check of order 1 of the function (x, u) -> uᵀ · J(x), of order n - 1: so a rule that gives
the right numbers but is detached from its inputs *or from its upstream gradient* is caught at order 2.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.box import unbox
from autograd.errors import ArgumentError, GradientError
from autograd.transforms import vjp
from autograd.tree import flatten

# Fourth-order differences: the error is about eps⁴ · f⁽⁵⁾ + 1e-16 · |f| / eps, so 1e-11 in float64.
_STEP = {8: 2e-3, 4: 3e-2, 2: 2e-1, 16: 2e-3}
_RTOL = {8: 2e-5, 4: 2e-2, 2: 2e-1, 16: 2e-5}
_TRIES = 8


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    rng: Any = 0,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float = 1e-7,
) -> None:
    """Raise GradientError unless the gradients of ``f`` at ``args`` agree with finite differences, up to ``order``.

    Floating-point arrays, numbers and Tensors among the arguments (also nested) are varied; integers, strings and
    others are constants. For each argument i the derivative along a random direction v is compared: vᵀ · vjp(u) against
    the change of uᵀ · f.

    >>> import numpy as np
    >>> check_grads(lambda x, y: np.sin(x) * y, 0.3, np.array([1.0, 2.0]))
    """
    if order < 1:
        raise ArgumentError(f"check_grads: order must be at least 1, got {order}.")
    values, rebuild = flatten(unbox(args))
    places = [i for i, x in enumerate(values) if _is_float(x)]
    if not places:
        raise ArgumentError("check_grads: no floating-point argument to vary.")

    def g(*varied: Any) -> tuple[Any, ...]:
        filled = list(values)
        for i, x in zip(places, varied, strict=True):
            filled[i] = x
        return tuple(flatten(f(*rebuild(filled)))[0])

    name = getattr(f, "__name__", type(f).__name__)
    points = [np.array(values[i]) for i in places]
    labels = [f"argument {k}" for k in range(len(places))]
    _check(g, points, labels, name, order, np.random.default_rng(rng), eps, rtol, atol)


def _is_float(x: Any) -> bool:
    return isinstance(x, float) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f")


def _check(
    f: Callable[..., tuple[Any, ...]],
    points: list[Any],
    labels: list[str],
    name: str,
    order: int,
    rng: np.random.Generator,
    eps: float | None,
    rtol: float | None,
    atol: float,
) -> None:
    outputs, pullback = vjp(f, *points)
    kept = [k for k, y in enumerate(outputs) if _is_float(np.asarray(unbox(y)))]
    cotangents = [
        rng.uniform(0.5, 1.5, np.shape(unbox(outputs[k]))) * rng.choice([-1, 1], np.shape(unbox(outputs[k])))
        for k in kept
    ]

    def weighed(*varied: Any) -> float:
        ys = f(*varied)
        return sum(
            float(np.sum(u * np.asarray(unbox(ys[k]), dtype=float))) for u, k in zip(cotangents, kept, strict=True)
        )

    seeds = [np.zeros(np.shape(unbox(y))) for y in outputs]
    for u, k in zip(cotangents, kept, strict=True):
        seeds[k] = u
    gradients = pullback(tuple(seeds))
    gradients = (gradients,) if len(points) == 1 else gradients
    size = min(np.asarray(unbox(x)).dtype.itemsize for x in (*points, *[outputs[k] for k in kept]))
    step, tolerance = eps or _STEP[size], rtol or _RTOL[size]
    for i, (point, gradient) in enumerate(zip(points, gradients, strict=True)):
        _compare(
            weighed,
            points,
            i,
            np.asarray(unbox(gradient), dtype=float),
            f"{name}, {labels[i]}, order {_depth(name)}",
            rng,
            step,
            tolerance,
            atol,
            point,
        )
    if order > 1:
        count = len(points)

        def pulled(*varied: Any) -> tuple[Any, ...]:
            shares = vjp(f, *varied[:count])[1](_spread(varied[count:], kept, seeds))
            return shares if isinstance(shares, tuple) else (shares,)

        more = [f"upstream gradient {k}" for k in range(len(kept))]
        points = [
            *points,
            *[np.asarray(u, np.asarray(unbox(outputs[k])).dtype) for u, k in zip(cotangents, kept, strict=True)],
        ]
        _check(pulled, points, [*labels, *more], f"gradient of {name}", order - 1, rng, eps, rtol, atol)


def _spread(given: tuple[Any, ...], kept: list[int], seeds: list[Any]) -> tuple[Any, ...]:
    """Put the varied upstream gradients among the constant ones of integer outputs."""
    filled = list(seeds)
    for u, k in zip(given, kept, strict=True):
        filled[k] = u
    return tuple(filled)


def _depth(name: str) -> int:
    return name.count("gradient of ") + 1


def _compare(
    f: Callable[..., float],
    points: list[Any],
    i: int,
    gradient: Any,
    where: str,
    rng: np.random.Generator,
    step: float,
    rtol: float,
    atol: float,
    point: Any,
) -> None:
    """Compare one directional derivative; a direction in which the terms cancel says little, so another is drawn."""
    if not gradient.size:
        return
    for _ in range(_TRIES):
        v = rng.uniform(0.5, 1.5, np.shape(point)) * rng.choice([-1, 1], np.shape(point))
        analytic, scale = float(np.sum(gradient * v)), float(np.sqrt(np.sum((gradient * v) ** 2)))
        if abs(analytic) > 0.1 * scale:
            break

    def at(t: float) -> float:
        moved = list(points)
        moved[i] = np.asarray(point + t * v, dtype=point.dtype)
        return f(*moved)

    numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
    if abs(analytic - numeric) <= rtol * max(scale, abs(numeric)) + atol:
        return
    found = f"analytic {analytic:.10g}, numeric {numeric:.10g}.{_hint(at, step, atol)}"
    raise GradientError(f"check_grads: {where}, shape {np.shape(point)}: {found}")


def _hint(at: Callable[[float], float], step: float, atol: float) -> str:
    """Say so when the function is not smooth here: the slopes differ on both sides, or grow as the step shrinks."""
    right, left = (at(step) - at(0)) / step, (at(0) - at(-step)) / step
    if abs(right - left) > 0.05 * (abs(right) + abs(left)) + 100 * atol:
        return f" The one-sided slopes differ ({left:.6g} and {right:.6g}): the point may sit on a kink or a jump."
    far, near = (right + left) / 2, (at(step / 4) - at(-step / 4)) / (step / 2)
    if abs(near) > 2 * abs(far) + 100 * atol:
        return (
            f" The slope grows from {far:.6g} to {near:.6g} as the step shrinks: the point may sit on a kink or a jump."
        )
    return ""
