"""A line search for the strong Wolfe conditions: how far to go along a direction (Nocedal & Wright 2006, chapter 3)."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

SUFFICIENT, FLAT = 1e-4, 0.9  # c₁: how much of the first slope's promise is kept; c₂: how flat it is at the end


class Point(NamedTuple):
    """Hold what is known ``t`` steps along the direction: value, gradient, and slope along the direction."""

    t: float
    value: float
    gradient: NDArray[Any]
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point], start: Point, t: float, size: float, tolerance: float, most: int
) -> tuple[Point, int]:
    """Find a point with value ≤ start + c₁ t slope and |slope| ≤ c₂ |slope at the start|; give how many were looked at.

    First the steps grow until such a point is passed, then cubic interpolation closes in on it. ``size`` is the largest
    element of the direction: a bracket below ``tolerance`` in the parameters, or ``most`` evaluations, end the search.
    A value that is not finite counts as infinitely high, so that the search turns back from it.
    """

    def too_high(point: Point) -> bool:
        return point.value > start.value + SUFFICIENT * point.t * start.slope

    def flat_enough(point: Point) -> bool:
        return abs(point.slope) <= -FLAT * start.slope

    last, new, looked = start, evaluate(t), 1
    bracket, done = [start, new], False
    for tried in range(most):
        if too_high(new) or (tried > 1 and new.value >= last.value):
            bracket = [last, new]
            break
        if flat_enough(new):
            return new, looked
        if new.slope >= 0:
            bracket = [last, new]
            break
        t = _cubic(last, new, new.t + 0.01 * (new.t - last.t), new.t * 10)
        last, new, looked = new, evaluate(t), looked + 1
        bracket = [start, new]
    low, high = _order(bracket)
    stuck = False
    while not done and looked <= most:
        ends = sorted(point.t for point in bracket)
        if (ends[1] - ends[0]) * size < tolerance:
            break
        t, stuck = _inside(_cubic(bracket[0], bracket[1], *ends), ends, stuck)
        new, looked = evaluate(t), looked + 1
        if too_high(new) or new.value >= bracket[low].value:
            bracket[high] = new
            low, high = _order(bracket)
        else:
            done = flat_enough(new)
            if not done and new.slope * (bracket[high].t - bracket[low].t) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    return bracket[low], looked


def _order(bracket: list[Point]) -> tuple[int, int]:
    """Say which end is the lower one."""
    return (0, 1) if bracket[0].value <= bracket[1].value else (1, 0)


def _inside(t: float, ends: list[float], stuck: bool) -> tuple[float, bool]:
    """Keep off the ends of the bracket: the second time in a row that t is near one, move it a tenth away."""
    low, high = ends
    near = 0.1 * (high - low)
    if min(high - t, t - low) >= near:
        return t, False
    if stuck or t >= high or t <= low:
        return (high - near if abs(t - high) < abs(t - low) else low + near), False
    return t, True


def _cubic(a: Point, b: Point, low: float, high: float) -> float:
    """Return the minimum of the cubic through values and slopes of two points, within bounds; else the middle."""
    if a.t > b.t:
        a, b = b, a
    middle = (low + high) / 2
    if a.t == b.t or not (math.isfinite(a.value) and math.isfinite(b.value)):
        return middle
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return middle
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below), low), high) if below else middle
