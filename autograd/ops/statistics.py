"""Statistics built on reductions: medians, weighted averages, covariances, sums that skip nan."""

from __future__ import annotations  # numpy.random is loaded when it is first used

import warnings
from functools import wraps
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import (
    Axis,
    add_reduce,
    as_array,
    check_dtype,
    conjugated,
    count,
    draw,
)
from autograd.ops.reductions import max, mean, min, prod, root, sum, var
from autograd.ops.running import cumprod, cumsum
from autograd.primitive import implements

# ---------------------------------------------------------------------------------------------- weighted averages


def _average_samples(rng: np.random.Generator) -> Any:
    x, w = draw(rng, (3, 4)), rng.uniform(0.5, 2, (3, 4))
    yield (x,), {"axis": 1, "keepdims": True}
    yield (x, 1, w[0]), {}
    yield (x, -2), {"weights": w[:, 0]}
    yield (x,), {"weights": w}
    yield (x,), {"weights": w, "axis": 0, "keepdims": True}


@implements(np.average, domain=_average_samples)
def average(a: Any, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """Compute the weighted average Σwx / Σw over ``axis``, with ``returned`` also Σw; both can be differentiated.

    ``weights`` has the shape of ``a``, or that of the axes averaged over. Raises ShapeError otherwise, and
    ZeroDivisionError where the weights add up to 0, as NumPy does.
    """
    a = as_array(a)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        total = np.full(y.shape, count(a.shape, axis), y.dtype)
        return (y, total) if returned else y
    w = _fitted_weights(as_array(weights), a.shape, axis)
    total = sum(w * np.ones(a.shape, w.dtype) if w.shape != a.shape else w, axis, keepdims=keepdims)
    if np.any(total == 0):
        raise ZeroDivisionError(f"average: the weights add up to 0 over axis={axis}; the average is not defined.")
    y = sum(a * w, axis, keepdims=keepdims) / total
    return (y, total) if returned else y


def _fitted_weights(w: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """Return the weights with as many axes as the array has."""
    if w.shape == shape:
        return w
    axes = () if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, len(shape), "axis")
    if not axes or w.shape != tuple(shape[i] for i in axes):
        raise ShapeError(
            f"average: weights have shape {w.shape}, the array {shape}, axis={axis}. "
            "Give weights of the array's shape, or of the lengths of the axes averaged over."
        )
    order = tuple(sorted(range(len(axes)), key=lambda i: axes[i]))
    return w.transpose(order).reshape(tuple(n if i in axes else 1 for i, n in enumerate(shape)))


# ---------------------------------------------------------------------------------------------------- covariances


def _cov_samples(rng: np.random.Generator) -> Any:
    x, w = draw(rng, (2, 4)), rng.uniform(0.5, 2, 4)
    yield (x,), {}
    yield (x.T.copy(), x[0]), {"rowvar": False, "bias": True}
    yield (x,), {"aweights": w, "fweights": [1, 2, 1, 3]}
    yield (x[0],), {"ddof": 0, "aweights": w}


@implements(np.cov, domain=_cov_samples)
def cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    """Compute the covariances of the rows of ``m`` and ``y`` (columns if not ``rowvar``), in float64 by default.

    Σ wₖ (xᵢₖ - x̄ᵢ) (xⱼₖ - x̄ⱼ)* / (n - ddof); ``fweights`` count repetitions, ``aweights`` weigh observations.
    """
    check_dtype("cov", m, dtype)
    rows = [_variables(x, rowvar, dtype) for x in ((m,) if y is None else (m, y))]
    x = rows[0] if y is None else np.concatenate(rows)
    weights = [_observation_weights(w, x.shape[1]) for w in (fweights, aweights) if w is not None]
    ddof = (0 if bias else 1) if ddof is None else ddof
    if weights:
        w = prod(np.stack(weights), 0)
        total = sum(w)
        center = sum(x * w, 1, keepdims=True) / total
        number = total - ddof * (1 if aweights is None or not ddof else sum(w * weights[-1]) / total)
    else:
        w, number = 1.0, np.float64(x.shape[1] - ddof)
        center = mean(x, 1, keepdims=True)
    if not number > 0:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=2)
        number = np.float64(0.0)
    x = x - center
    return np.squeeze((x @ conjugated((x * w).T)) * (1 / number))


def _variables(x: Any, rowvar: bool, dtype: Any) -> Any:
    x = as_array(x)
    if x.ndim > 2:
        raise ShapeError(f"cov: takes at most two axes, got shape {x.shape}.")
    x = np.atleast_2d(x.astype(np.promote_types(x.dtype, float) if dtype is None else dtype))
    return x if rowvar or x.shape[0] == 1 else x.T


def _observation_weights(w: Any, n: int) -> Any:
    w = as_array(w)
    if w.shape != (n,) or np.any(w < 0):
        raise ArgumentError(f"cov: weights must be {n} numbers >= 0, one per observation, got shape {w.shape}.")
    return w.astype(np.promote_types(w.dtype, float))


@implements(
    np.corrcoef,
    domain=lambda rng: iter([((draw(rng, (2, 4)),), {}), ((draw(rng, (3, 2)), draw(rng, (3, 1))), {"rowvar": False})]),
)
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    """Compute the correlations of the rows of ``x`` and ``y``: their covariances over their standard deviations."""
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    scale = np.sqrt(np.diagonal(c).real)
    c = c / np.expand_dims(scale, 1) / scale
    return np.clip(c.real, -1, 1) + 1j * np.clip(c.imag, -1, 1) if c.dtype.kind == "c" else np.clip(c, -1, 1)


# ------------------------------------------------------------------------------------------ reductions that skip nan


def _some_nans(*rows: dict[str, Any]) -> Any:
    """Make a domain of arrays in which some elements are nan (never all of a row or column)."""

    def samples(rng: np.random.Generator) -> Any:
        for kwargs in rows:
            x = draw(rng, (3, 4))
            x[0, 1] = x[2, 3] = np.nan
            yield (x,), kwargs

    return samples


_NAN_ROWS: tuple[dict[str, Any], ...] = ({}, {"axis": 0}, {"axis": -1, "keepdims": True}, {"axis": (0, 1)})


def _instead_of_nan(neutral: int, function: Any, name: str, doc: str) -> Any:
    """Make ``function``, with its parameters, of arrays in which a neutral element stands for nan."""

    @wraps(function)
    def found(a: Any, *args: Any, **kwargs: Any) -> Any:
        return function(np.where(np.isnan(a), neutral, a), *args, **kwargs)

    found.__name__, found.__doc__ = name, doc
    return found


nansum = implements(np.nansum, domain=_some_nans(*_NAN_ROWS))(
    _instead_of_nan(0, sum, "nansum", "Add the elements that are not nan; nan elements get gradient 0.")
)
nanprod = implements(np.nanprod, domain=_some_nans(*_NAN_ROWS))(
    _instead_of_nan(1, prod, "nanprod", "Multiply the elements that are not nan; nan elements get gradient 0.")
)
nancumsum = implements(np.nancumsum, domain=_some_nans({}, {"axis": 0}))(
    _instead_of_nan(0, cumsum, "nancumsum", "Compute running sums in which nan counts as 0.")
)
nancumprod = implements(np.nancumprod, domain=_some_nans({}, {"axis": 0}))(
    _instead_of_nan(1, cumprod, "nancumprod", "Compute running products in which nan counts as 1.")
)


@implements(np.nanmean, domain=_some_nans(*_NAN_ROWS))
def nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """Average the elements that are not nan; nan elements get gradient 0."""
    return mean(a, axis, dtype, out, keepdims, where=~np.isnan(a) & where)


@implements(np.nanvar, domain=_some_nans(*_NAN_ROWS, {"axis": 1, "ddof": 1}))
def nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: float | None = None,
) -> Any:
    """Compute the variance of the elements that are not nan, and nan where there are no more than ``ddof``."""
    chosen = ~np.isnan(a) & where
    y = var(a, axis, dtype, out, ddof, keepdims, where=chosen, mean=mean, correction=correction)
    enough = add_reduce(chosen, axis=axis, keepdims=keepdims) > (ddof if correction is None else correction)
    return y if np.all(enough) else np.where(enough, y, np.nan)


@implements(np.nanstd, domain=_some_nans(*_NAN_ROWS))
@wraps(nanvar, assigned=())  # its parameters
def nanstd(*args: Any, **kwargs: Any) -> Any:
    """Compute the standard deviation of the elements that are not nan; at 0 the gradient is 0, the second nan."""
    return root(nanvar(*args, **kwargs))


def _nan_extreme(
    extreme: Any, a: Any, axis: Axis, out: Any, keepdims: bool, initial: Any, where: Any, never: float
) -> Any:
    """Take an extreme of the elements that are not nan; where all are nan, give nan and NumPy's warning."""
    nans = np.isnan(a)
    if not nans.any():
        return extreme(a, axis, out, keepdims, initial, where)
    y = extreme(np.where(nans, never, a), axis, out, keepdims, initial, where)
    empty = np.all(nans, axis=axis, keepdims=keepdims)
    if initial is not None or not np.any(empty):
        return y
    warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=3)
    return np.where(empty, np.nan, y)


@implements(np.nanmax, domain=_some_nans(*_NAN_ROWS))
def nanmax(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Return the largest element that is not nan; equal ones share the gradient equally."""
    return _nan_extreme(max, a, axis, out, keepdims, initial, where, -np.inf)


@implements(np.nanmin, domain=_some_nans(*_NAN_ROWS))
def nanmin(
    a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True
) -> Any:
    """Return the smallest element that is not nan; equal ones share the gradient equally."""
    return _nan_extreme(min, a, axis, out, keepdims, initial, where, np.inf)
