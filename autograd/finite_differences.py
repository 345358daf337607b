"""Derivatives of a function against finite differences, along random directions.

Floor 14: used by :mod:`autograd.gradcheck`.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.box import Box, unbox
from autograd.errors import GradientError
from autograd.tensor import Tensor
from autograd.transforms import vjp

# Fourth-order differences: the error is about eps⁴ · f⁽⁵⁾ + 1e-16 · |f| / eps, so 1e-11 in float64.
_STEP = {8: 2e-3, 4: 3e-2, 2: 2e-1, 16: 2e-3}
_RTOL = {8: 2e-5, 4: 2e-2, 2: 2e-1, 16: 2e-5}
_TRIES = 8


def locked(x: Any) -> Any:
    """Make the array read-only, and return it."""
    if isinstance(x, Box) and isinstance(x._array, np.ndarray):
        x._array.flags.writeable = False
    return x


def is_float(x: Any) -> bool:
    """Tell whether a derivative by this argument exists: a real or complex number, or an array of them."""
    return isinstance(x, float | complex) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc")


def _random(like: Any, rng: np.random.Generator) -> Any:
    """Draw numbers of size 0.5 to 1.5 and random sign; complex ones, in both parts, where ``like`` is complex."""
    like = np.asarray(unbox(like))
    parts = [
        rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1, 1], like.shape) for _ in range(1 + (like.dtype.kind == "c"))
    ]
    return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]


def _wide(x: Any) -> Any:
    """Return an array in double precision at least."""
    x = np.asarray(x)
    return x.astype(np.promote_types(x.dtype, np.float64), copy=False)


def _real_product(u: Any, y: Any) -> Any:
    """Multiply element by element so that the sum is the scalar product of the real and imaginary parts."""
    return (np.conjugate(u) * y).real


def _accuracy(x: Any) -> int:
    """Return the bytes of one real number."""
    dtype = np.asarray(unbox(x)).dtype
    return dtype.itemsize // (1 + (dtype.kind == "c"))


class Tolerances(NamedTuple):
    """Hold step and tolerances of the finite differences; None: what fits the dtype and the values."""

    eps: float | None
    rtol: float | None
    atol: float | None


class Case(NamedTuple):
    """Hold a function of arrays that gives a tuple, and the point at which its derivatives are checked."""

    f: Callable[..., tuple[Any, ...]]
    name: str
    points: list[Any]
    labels: list[str]
    depth: int = 1  # the order of the derivative of the user's function that this case checks


class _Upstream(NamedTuple):
    """Hold an upstream gradient for each output: a random one, and zeros for integers."""

    seeds: tuple[Any, ...]
    varied: list[int]  # which are random

    def filled(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Return the seeds with others in place of the random ones."""
        seeds = list(self.seeds)
        for u, k in zip(given, self.varied, strict=True):
            seeds[k] = u
        return tuple(seeds)


def check_derivatives(case: Case, order: int, rng: np.random.Generator, given: Tolerances) -> None:
    """Check the first derivative of a case, and, for a higher order, the case of its gradient."""
    outputs, pullback = vjp(case.f, *case.points)
    upstream = _drawn(outputs, rng)
    gradients = _tuple(pullback(upstream.seeds))
    if case.depth == 1:
        _same(gradients, pullback(upstream.seeds), f"{case.name}: the gradient a second time")
        _other_ways(case, upstream, gradients)
    tolerances = _chosen(given, case, outputs, upstream)

    def weighed(*varied: Any) -> float:
        ys = case.f(*varied)
        return sum(float(np.sum(_real_product(upstream.seeds[k], _wide(unbox(ys[k]))))) for k in upstream.varied)

    for i, gradient in enumerate(gradients):
        where = f"{case.name}, {case.labels[i]}, order {case.depth}"
        _compare(weighed, case.points, i, _wide(unbox(gradient)), where, rng, *tolerances)
    if order > 1:
        check_derivatives(_gradient_of(case, outputs, upstream), order - 1, rng, given)


def _drawn(outputs: Sequence[Any], rng: np.random.Generator) -> _Upstream:
    """Draw the upstream gradients; nobody may write into them."""
    varied = [k for k, y in enumerate(outputs) if is_float(np.asarray(unbox(y)))]
    upstream = _Upstream(tuple([np.zeros(np.shape(unbox(y))) for y in outputs]), varied)
    drawn = [_random(outputs[k], rng) for k in varied]
    for u in drawn:
        np.asarray(u).setflags(write=False)
    return upstream._replace(seeds=upstream.filled(drawn))


def _chosen(given: Tolerances, case: Case, outputs: Sequence[Any], upstream: _Upstream) -> tuple[float, float, float]:
    """Return step, relative and absolute tolerance."""
    size = min(_accuracy(x) for x in (*case.points, *[outputs[k] for k in upstream.varied]))
    atol = given.atol
    if atol is None:
        total = sum(float(np.sum(np.abs(unbox(outputs[k]) * upstream.seeds[k]))) for k in upstream.varied)
        atol = 1e-7 * min(1.0, total or 1.0)
    return given.eps or _STEP[size], given.rtol or _RTOL[size], atol


def _gradient_of(case: Case, outputs: Sequence[Any], upstream: _Upstream) -> Case:
    """Return the case of (x, u) -> uᵀ · J(x)."""
    count = len(case.points)

    def gradient(*varied: Any) -> tuple[Any, ...]:
        return _tuple(vjp(case.f, *varied[:count])[1](upstream.filled(varied[count:])))

    dtypes = [np.asarray(unbox(outputs[k])).dtype for k in upstream.varied]
    points = [np.asarray(upstream.seeds[k], dtype) for k, dtype in zip(upstream.varied, dtypes, strict=True)]
    labels = [f"upstream gradient {k}" for k in range(len(points))]
    return Case(gradient, f"gradient of {case.name}", [*case.points, *points], [*case.labels, *labels], case.depth + 1)


def _other_ways(case: Case, upstream: _Upstream, gradients: Sequence[Any]) -> None:
    """Compare with the gradient for each argument alone, and with that of float64 where the points are not."""
    points, seeds = case.points, upstream.seeds
    others = [Tensor(x) for x in points]
    for i in range(len(points) if len(points) > 1 else 0):
        alone = vjp(lambda x, i=i: case.f(*others[:i], x, *others[i + 1 :]), points[i])[1](seeds)
        _same(gradients[i : i + 1], alone, f"{case.name}: the gradient for {case.labels[i]} alone")
    if any(_accuracy(x) < 8 for x in points):
        wide = vjp(case.f, *[_wide(x) for x in points])[1](seeds)
        _same(gradients, wide, f"{case.name}: the gradient in float64")


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _same(gradients: Sequence[Any], others: Any, what: str) -> None:
    """Raise GradientError unless gradients agree up to rounding."""
    for a, b in zip(map(unbox, gradients), map(unbox, _tuple(others)), strict=True):
        rounding = 2e4 * np.finfo(a.dtype).eps * np.max(np.abs(a), initial=0.0)
        if not np.allclose(a, b, rtol=0, atol=rounding, equal_nan=True):
            raise GradientError(
                f"check_grads: {what} is another: {np.ravel(b)[:3]} instead of {np.ravel(a)[:3]}. A rule changes what "
                "it was given, or uses what is not kept or of another dtype."
            )


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
) -> None:
    """Compare one directional derivative; a direction in which the terms cancel says little, so another is drawn."""
    point = points[i]
    if not gradient.size:
        return
    for _ in range(_TRIES):
        v = _random(point, rng)
        terms = _real_product(gradient, v)
        analytic, scale = float(np.sum(terms)), float(np.sqrt(np.sum(terms**2)))
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
    """Return a sentence if the function is not smooth: its slopes differ on both sides, or grow as the step shrinks."""
    right, left = (at(step) - at(0)) / step, (at(0) - at(-step)) / step
    if abs(right - left) > 0.05 * (abs(right) + abs(left)) + 100 * atol:
        return f" The one-sided slopes differ ({left:.6g} and {right:.6g}): the point may sit on a kink or a jump."
    far, near = (right + left) / 2, (at(step / 4) - at(-step / 4)) / (step / 2)
    if abs(near) > 2 * abs(far) + 100 * atol:
        return (
            f" The slope grows from {far:.6g} to {near:.6g} as the step shrinks: the point may sit on a kink or a jump."
        )
    return ""
