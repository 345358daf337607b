"""Curves through points, and where their ends lie on the side of a box."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from autograd.viz.builtin.parts import Point

_SHARES = [((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3) for t in (i / 8 for i in range(9))]


def spread(wanted: Sequence[float], step: float, room: float) -> list[float]:
    """Move places, given in order, so that they are ``step`` apart within ±room, and none further than it must.

    >>> spread([0.0, 1.0, 20.0], 7.0, 15.0)
    [-3.0, 4.0, 15.0]
    """
    runs: list[tuple[float, int]] = []  # the middle of places that touch, and how many they are
    for place in wanted:
        middle, size = place, 1
        while True:
            reach = max(room - step * (size - 1) / 2, 0.0)
            middle = min(max(middle, -reach), reach)
            if not runs or middle - runs[-1][0] >= step * (runs[-1][1] + size) / 2 - 1e-9:
                break
            other, count = runs.pop()
            middle, size = (other * count + middle * size) / (count + size), count + size
        runs.append((middle, size))
    return [middle + step * (k - (size - 1) / 2) for middle, size in runs for k in range(size)]


def smooth(stations: Sequence[Point]) -> list[Point]:
    """Draw a curve through points, as control points of cubic pieces; between any two it goes no further than they.

    The slopes are those of Fritsch and Butland, "A method for constructing local monotone piecewise cubic
    interpolants" (1984): the harmonic mean of both sides, 0 at a turn; at an end they are those of a parabola.

    >>> smooth([(0.0, 0.0), (3.0, 3.0)])
    [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    """
    points = [stations[0]]
    points += [point for point in stations[1:-1] if points[0][0] + 1 < point[0] < stations[-1][0] - 1]
    points.append(stations[-1])
    rises = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]
    inner = [2 * a * b / (a + b) if a * b > 0 else 0.0 for a, b in pairwise(rises)]
    first, last = (inner[0], inner[-1]) if inner else (rises[0], rises[0])
    slopes = [(3 * rises[0] - first) / 2, *inner, (3 * rises[-1] - last) / 2]
    curve = [points[0]]
    for ((x0, y0), s0), ((x1, y1), s1) in pairwise(zip(points, slopes, strict=True)):
        third = (x1 - x0) / 3
        curve += [(x0 + third, y0 + s0 * third), (x1 - third, y1 - s1 * third), (x1, y1)]
    return curve


def walk(curve: Sequence[Point]) -> Iterator[Point]:
    """Return points of a curve, eight of each piece."""
    for k in range(0, len(curve) - 1, 3):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = curve[k : k + 4]
        for a, b, c, d in _SHARES:
            yield a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3
