"""Points in the plane that tell whether a network learns.

Each function returns ``x (n, 2)``, float64, and labels ``y (n,)``, int64. Classes take turns (0, 1, 0, 1, …), and the
points of a class jump along its curve, so that any slice of the rows is balanced and stands for the whole: the last
rows may be held back. ``noise`` is the standard deviation of what is added to both coordinates, and ``rng`` a NumPy
Generator or a seed.
"""

import numpy as np
from numpy.typing import NDArray

from autograd.errors import ArgumentError
from nn.hints import hinted
from nn.inputs import generator_of

Points = tuple[NDArray[np.float64], NDArray[np.int64]]
Rng = np.random.Generator | int | None


@hinted
def two_moons(n: int = 200, noise: float = 0.1, *, rng: Rng = None) -> Points:
    """Make two half circles that reach into each other: (cos t, sin t) and (1 − cos t, ½ − sin t) for t in [0, π].

    x: (n, 2), y: (n,). Raises ArgumentError for too few points or negative noise.

    >>> x, y = two_moons(100, noise=0.0)
    >>> x.shape, y[:4]
    ((100, 2), array([0, 1, 0, 1]))
    """
    y, rank, count = _classes(n, 2)
    t = np.pi * rank / np.maximum(count - 1, 1)
    x = np.where(y[:, None] == 0, _polar(1.0, t), np.array([1.0, 0.5]) - _polar(1.0, t))
    return _spread(_blurred(x, noise, rng), y), y


@hinted
def circles(n: int = 200, noise: float = 0.05, *, factor: float = 0.5, rng: Rng = None) -> Points:
    """Make a circle of radius 1 (class 0) around one of radius ``factor`` (class 1).

    x: (n, 2), y: (n,). Raises ArgumentError for a ``factor`` that is not between 0 and 1, or too few points.

    >>> x, y = circles(6, noise=0.0)
    >>> np.linalg.norm(x, axis=1).round(3)
    array([1. , 0.5, 1. , 0.5, 1. , 0.5])
    """
    if not 0 < factor < 1:
        raise ArgumentError(f"circles: factor={factor} must lie between 0 and 1, as class 1 is the inner circle.")
    y, rank, count = _classes(n, 2)
    x = _polar(np.where(y == 0, 1.0, factor), 2 * np.pi * rank / count)
    return _spread(_blurred(x, noise, rng), y), y


@hinted
def spirals(n: int = 300, noise: float = 0.02, *, arms: int = 3, turns: float = 0.75, rng: Rng = None) -> Points:
    """Make ``arms`` spirals that wind outwards from 0 to radius 1, one class each.

    The point of arm k at radius r stands at the angle 2π (k / arms + turns · r). x: (n, 2), y: (n,). Raises
    ArgumentError for too few points or negative noise.

    >>> x, y = spirals(6, noise=0.0)
    >>> x.shape, y
    ((6, 2), array([0, 1, 2, 0, 1, 2]))
    """
    y, rank, count = _classes(n, arms)
    radius = (rank + 1) / count
    x = _polar(radius, 2 * np.pi * (y / arms + turns * radius))
    return _spread(_blurred(x, noise, rng), y), y


@hinted
def ring(n: int = 512, noise: float = 0.05, *, modes: int = 8, radius: float = 1.0, rng: Rng = None) -> Points:
    """Make ``modes`` round clouds on a circle, of which a GAN should find all.

    x: (n, 2), y: (n,). Raises ArgumentError for too few points or negative noise.

    >>> x, y = ring(8, noise=0.0)
    >>> x[[0, 2]].round(6)
    array([[1., 0.],
           [0., 1.]])
    """
    y, _, _ = _classes(n, modes)
    return _blurred(_polar(radius, 2 * np.pi * y / modes), noise, rng), y


@hinted
def xor(n: int = 4, noise: float = 0.0, *, rng: Rng = None) -> Points:
    """Make the truth table of exclusive or, over and over: (0, 0) → 0, (0, 1) → 1, (1, 0) → 1, (1, 1) → 0.

    Raises ArgumentError for too few points or negative noise.

    >>> xor()[0].tolist(), xor()[1].tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    corner, _, _ = _classes(n, 4)
    left, right = corner // 2, corner % 2
    return _blurred(np.stack([left, right], axis=1).astype(np.float64), noise, rng), left ^ right


def _classes(n: int, classes: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give each of ``n`` points its class, its rank within the class, and how many points that class has."""
    if n < classes or classes < 1:
        raise ArgumentError(f"n={n} points cannot cover {classes} classes; ask for at least one point per class.")
    at = np.arange(n)
    y = at % classes
    return y, at // classes, (n - y + classes - 1) // classes


def _polar(radius: float | NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _blurred(x: NDArray[np.float64], noise: float, rng: Rng) -> NDArray[np.float64]:
    if not noise >= 0:
        raise ArgumentError(f"noise={noise} is a standard deviation; it must be 0 or more.")
    return x + generator_of(rng).normal(scale=noise, size=x.shape) if noise else x


def _spread(x: NDArray[np.float64], y: NDArray[np.int64]) -> NDArray[np.float64]:
    """Let each class visit its curve in jumps of a golden section of its length, which leave no gap for long."""
    out = np.empty_like(x)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        places = np.argsort(np.arange(len(rows)) * (np.sqrt(5) - 1) / 2 % 1)
        out[rows[places]] = x[rows]
    return out
