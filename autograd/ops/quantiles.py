"""Elements by rank: medians, quantiles and percentiles, with and without nan.

The result lies between two neighbours in sorted order, and they get the gradient by its place between them; elements
equal to one of them share its part equally.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.box import Box, is_recording, unbox, wrap
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import Axis, add_reduce, as_array, cases, draw, kept, merged, no_out, unmerged
from autograd.ops.reductions import ROWS
from autograd.primitive import implements, op


def _ranks(counts: Any, q: float, method: str) -> Any:
    """Tell where between the sorted elements 0 … n-1 the quantile is read, for rows of ``counts`` elements.

    For a method other than the usual one, NumPy itself tells, by the quantile of the numbers 0 … n-1.
    """
    if method == "linear":
        return q * np.maximum(counts - 1, 0)
    ranks = np.zeros(counts.shape)
    for n in np.unique(counts[counts > 0]):
        ranks[counts == n] = np.quantile(np.arange(n, dtype=float), q, method=method)  # type: ignore[call-overload]
    return ranks


def _shares(x: Any, q: float, method: str, skip_nan: bool, dtype: Any) -> Any:
    """Compute the derivative of the quantile of each row (the last axis) by its elements."""
    order, n, nans = np.argsort(x, axis=-1), x.shape[-1], np.isnan(x)  # nans stand last
    counts = np.full((*x.shape[:-1], 1), n)
    if not nans.any():
        place = _ranks(counts, q, method)
    elif skip_nan:
        place = _ranks(n - np.count_nonzero(nans, axis=-1, keepdims=True), q, method)
    else:  # a nan result comes from the nans
        place = np.where(nans.any(-1, keepdims=True), n - 1, _ranks(counts, q, method))
    lower, upper = np.floor(place).astype(int), np.ceil(place).astype(int)
    share = _equals(x, order, lower, dtype)
    if not np.any(lower != upper):
        return share
    part = (place - lower).astype(dtype)
    return (1 - part) * share + part * _equals(x, order, upper, dtype)


def _equals(x: Any, order: Any, rank: Any, dtype: Any) -> Any:
    """Share 1 equally among the elements of each row that equal the one of this rank."""
    value = np.take_along_axis(x, np.take_along_axis(order, rank, -1), -1)
    mask = x == value
    number = add_reduce(mask, axis=-1, dtype=dtype, keepdims=True)
    if not number.all():
        mask = mask | (np.isnan(x) & np.isnan(value))
        number = add_reduce(mask, axis=-1, dtype=dtype, keepdims=True)
    return mask / number


def _rule(scale: float, skip_nan: bool) -> Callable[..., Any]:
    def rule(g: Any, a: Any, shapes: Any, axis: Axis, q: Any, method: str) -> Any:
        x, qs, total = merged(a, axis), np.asarray(q, dtype=float) / scale, np.zeros(shapes[0], g.dtype)
        if x.shape[-1]:
            g = g.reshape((qs.size, *g.shape[qs.ndim :]))
            for i, rank in enumerate(qs.flat):
                weights = unmerged(_shares(x, rank, method, skip_nan, g.dtype), shapes[0], axis)
                total = total + kept(g[i], shapes[0], axis) * weights
        return total

    return rule


def _by_rank(name: str, read: Callable[..., Any], scale: float = 1.0, skip_nan: bool = False) -> Any:
    """Declare an op that reads each row at a rank."""

    def forward(a: Any, q: Any = 0.5, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Any:
        return read(a, q, axis, method=method, keepdims=keepdims)

    return op(forward, name=name, inputs=["a"], vjp=_rule(scale, skip_nan), selects=True)


def _call(core: Any, a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: bool, weights: Any = None) -> Any:
    name = core.op.name
    no_out(name, out)
    if is_recording(q):
        raise MissingRule(f"np.{name}(…, q=tensor) has no gradient rule for q. Pass q.detach().")
    axis = tuple(axis) if isinstance(axis, list) else axis
    if weights is not None:  # small changes of the weights choose the same element: no gradient goes there
        if method != "inverted_cdf":
            raise ArgumentError(f"{name}: weights= goes with method='inverted_cdf' only, as in NumPy, got {method!r}.")
        given: Any = weights
        weights = given.detach() if isinstance(weights, Box) else weights
        y = _WEIGHED[name](as_array(a), np.array(unbox(q)), axis, method, keepdims, weights)
        return wrap(y) if isinstance(weights, Box) and not isinstance(y, Box) else y
    if type(q) not in (int, float):  # Python's numbers take on the dtype of a
        q = np.array(unbox(q))
    return core(as_array(a), q, axis, method, keepdims)


def _by_weights(read: Callable[..., Any]) -> Any:
    """Declare an op that reads each row at a rank by weights: the elements equal to the result share its gradient."""

    def forward(
        a: Any, q: Any = 0.5, axis: Axis = None, method: str = "linear", keepdims: bool = False, weights: Any = None
    ) -> Any:
        return read(a, q, axis, method=method, keepdims=keepdims, weights=weights)

    def rule(g: Any, a: Any, y: Any, shapes: Any, axis: Axis, q: Any, weights: Any) -> Any:
        total, counted = np.zeros(shapes[0], g.dtype), _along(weights, shapes[0], axis) > 0
        g, y = (z.reshape((np.size(q), *z.shape[np.ndim(q) :])) for z in (g, y))
        for i in range(np.size(q)):
            value = kept(y[i], shapes[0], axis)
            mask = ((a == value) | (np.isnan(a) & np.isnan(value))) & counted
            number = add_reduce(mask, axis=axis, dtype=g.dtype, keepdims=True)
            total = total + kept(g[i], shapes[0], axis) * (mask / np.maximum(number, 1))
        return total

    return op(forward, name=read.__name__, inputs=["a"], vjp=rule, selects=True, holomorphic=None)


def _along(weights: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """Return weights of whole rows as they broadcast against the array."""
    weights = np.asarray(weights)
    if weights.shape == shape or axis is None:
        return weights
    axes = [i % len(shape) for i in (axis if isinstance(axis, tuple) else (axis,))]
    return weights.transpose(np.argsort(axes)).reshape([n if i in axes else 1 for i, n in enumerate(shape)])


_WEIGHED = {f.__name__: _by_weights(f) for f in (np.quantile, np.percentile, np.nanquantile, np.nanpercentile)}


# ------------------------------------------------------------------------------------------------------------ medians

_median = _by_rank("median", lambda a, q, axis, method, keepdims: np.median(a, axis, keepdims=keepdims))
_nanmedian = _by_rank(
    "nanmedian", lambda a, q, axis, method, keepdims: np.nanmedian(a, axis, keepdims=keepdims), skip_nan=True
)


@implements(np.median, domain=cases(*ROWS[:-1], ((5,), {}), ((3, 5), {"axis": 1})))
def median(a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Return the middle element over ``axis``, or the mean of the middle two (``overwrite_input`` is ignored)."""
    return _call(_median, a, 0.5, axis, out, "linear", keepdims)


def _with_nans(*rows: dict[str, Any]) -> Any:
    """Make a domain of arrays whose rows and columns have different numbers of nans, never all."""

    def samples(rng: np.random.Generator) -> Any:
        for kwargs in rows:
            x = draw(rng, (3, 4))
            x[0, 1] = x[2, 3] = x[2, 0] = np.nan
            yield (x,), kwargs

    return samples


@implements(np.nanmedian, domain=_with_nans({}, {"axis": 0}, {"axis": -1, "keepdims": True}))
def nanmedian(a: Any, axis: Axis = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Any:
    """Compute the median of the elements that are not nan; nan elements get gradient 0."""
    return _call(_nanmedian, a, 0.5, axis, out, "linear", keepdims)


# ---------------------------------------------------------------------------------------------------------- quantiles

_RANKS = cases(
    ((3, 4), {"q": 0.3}),
    ((3, 4), {"q": 1, "axis": 0}),
    ((2, 3, 2), {"q": 0.85, "axis": (0, -1), "keepdims": True}),
    ((3, 5), {"q": np.array([[0.1], [0.6]]), "axis": 1}),
    ((5,), {"q": 0.4, "method": "hazen"}),
    ((5,), {"q": 0.4, "method": "higher"}),
)


def _ranked(read: Any, doc: str, scale: float = 1.0, skip_nan: bool = False) -> Any:
    """Make one of NumPy's functions that read each row at a rank, of which ``scale`` is the last."""
    core = _by_rank(read.__name__, read, scale, skip_nan)

    def ranked(
        a: Any,
        q: Any,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Any:
        return _call(core, a, q, axis, out, method, keepdims, weights)

    ranked.__name__, ranked.__doc__ = read.__name__, doc
    return ranked


quantile = implements(np.quantile, domain=_RANKS)(
    _ranked(
        np.quantile,
        """Compute the value below which the share ``q`` of the elements lies, by any of NumPy's methods.

        >>> import numpy as np, autograd as ag
        >>> ag.grad(lambda x: np.quantile(x, 0.75))(np.array([0.0, 1.0, 5.0, 3.0]))
        array([0.  , 0.  , 0.25, 0.75])
        """,
    )
)
percentile = implements(np.percentile, domain=cases(((3, 4), {"q": 30.0, "axis": 1}), ((5,), {"q": 99})))(
    _ranked(np.percentile, "Compute the value below which ``q`` percent of the elements lie.", 100.0)
)
nanquantile = implements(
    np.nanquantile, domain=_with_nans({"q": 0.3}, {"q": 0.85, "axis": 0}, {"q": 0.3, "axis": 1, "keepdims": True})
)(
    _ranked(
        np.nanquantile,
        "Compute the quantile of the elements that are not nan; nan elements get gradient 0.",
        skip_nan=True,
    )
)
nanpercentile = implements(np.nanpercentile, domain=_with_nans({"q": 30}, {"q": 85, "axis": 0}))(
    _ranked(
        np.nanpercentile,
        "Compute the percentile of the elements that are not nan; nan elements get gradient 0.",
        100.0,
        skip_nan=True,
    )
)
