"""Histograms: piecewise constant in the data, differentiable in the weights."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np

from autograd.box import is_recording, unbox
from autograd.errors import MissingRule, ShapeError
from autograd.ops.axes import as_array
from autograd.ops.casting import astype
from autograd.primitive import dispatch
from autograd.tree import flatten

_FIXED = "Give edges, or range=: edges that move with the data have no gradient here."


def _weighed(places: list[Any], edges: list[Any], weights: Any, density: Any, dtype: Any = float) -> Any:
    """Add the weights up by the bin of their place, in ``dtype``; the last bin of each axis holds its right end."""
    inside, bins = np.ones(len(places[0]), bool), []
    for x, edge in zip(places, edges, strict=True):
        found = np.searchsorted(edge, x, "right") - 1
        found[x == edge[-1]] = len(edge) - 2
        inside &= (found >= 0) & (found < len(edge) - 1)
        bins.append(found)
    shape = tuple(len(edge) - 1 for edge in edges)
    index = np.ravel_multi_index([found[inside] for found in bins], shape)
    y = astype(np.reshape(np.bincount(index, weights[inside], int(np.prod(shape))), shape), dtype, copy=False)
    if density:
        total = y.sum()
        for i, edge in enumerate(edges):
            y = y / np.diff(edge).reshape([-1 if k == i else 1 for k in range(len(shape))])
        y = y / total
    return y


def _weights(name: str, weights: Any, count: int) -> Any:
    w = np.ravel(as_array(weights))
    if w.shape != (count,):
        raise ShapeError(f"{name}: {count} values need as many weights, got shape {np.shape(weights)}.")
    return w


def _check_edges(name: str, data: Any, fixed: bool, bins: Any, range: Any) -> None:
    """Refuse edges that record, and those that move with data that record."""
    if any(is_recording(x) for x in flatten((bins, range) if fixed else (data, bins, range))[0]):
        raise MissingRule(f"np.{name} has no gradient rule for its edges. {_FIXED}")


def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Return ``(histogram, edges)``; weights that record get their gradient, and the counts alone are plain.

    >>> import autograd as ag
    >>> ag.grad(lambda w: np.histogram([0.2, 0.7, 0.9], [0, 0.5, 1], weights=w)[0] @ [1.0, 5.0])(np.ones(3))
    array([1., 5., 5.])
    """
    _check_edges("histogram", a, np.ndim(unbox(bins)) == 1 or range is not None, bins, range)
    a, bins, range = unbox(a), unbox(bins), unbox(range)
    if weights is None or not is_recording(weights):
        return np.histogram(a, bins, range, density, unbox(weights))
    x = np.ravel(as_array(a))
    w = _weights("histogram", weights, x.size)
    edges = np.histogram_bin_edges(x, bins, range, unbox(w))
    return _weighed([x], [edges], w, density, w.dtype), edges


def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """Return ``(histogram, edges of each axis)`` of points, which are rows or given by axis."""
    return _of_points("histogramdd", sample, bins, range, density, weights)


def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[Any, Any, Any]:
    """Return ``(histogram, edges of x, edges of y)``."""
    if hasattr(bins, "__len__") and len(bins) not in (1, 2):  # one set of edges for both
        bins = [bins] * 2
    h, edges = _of_points("histogram2d", [x, y], bins, range, density, weights)
    return h, edges[0], edges[1]


def _of_points(name: str, sample: Any, bins: Any, range: Any, density: Any, weights: Any) -> Any:
    axes = bins if isinstance(bins, list | tuple) else ()
    _check_edges(name, sample, range is not None or all(np.ndim(unbox(e)) for e in axes or [0]), bins, range)
    sample, bins, range = unbox(sample), unbox(bins), unbox(range)
    if weights is None or not is_recording(weights):
        return np.histogramdd(sample, bins, range, density, unbox(weights))
    points = np.asarray(sample).T if isinstance(sample, np.ndarray) else np.atleast_2d(np.asarray(sample))
    w = _weights(name, weights, points.shape[-1])
    edges = list(np.histogramdd(points.T, bins, range)[1])
    return _weighed(list(points), edges, w, density), edges


dispatch[np.histogram], dispatch[np.histogram2d], dispatch[np.histogramdd] = histogram, histogram2d, histogramdd
