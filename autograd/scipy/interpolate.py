"""``scipy.interpolate``: lines and splines, differentiable in their values and in the places where they are evaluated.

A spline is linear in its values: SciPy gives its coefficients for each unit vector, once. The knots are constants.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import interpolate
>>> x = np.arange(4.0)
>>> ag.grad(lambda y: interpolate.CubicSpline(x, y)(1.5))(x**2)
array([-0.0625,  0.5625,  0.5625, -0.0625])
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import factorial
from typing import Any

import numpy as np
from scipy import interpolate as sp

from autograd.box import is_recording, unbox
from autograd.errors import ArgumentError, MissingRule
from autograd.ops.axes import as_array
from autograd.scipy.declare import by_numbers, without_rule


class Piecewise:
    """Hold a piecewise polynomial: on [x[i], x[i + 1]] it is Σ c[j, i] (at − x[i])ᵏ⁻ʲ; c (k + 1, intervals, …)."""

    def __init__(self, c: Any, x: Any, axis: int = 0, extrapolate: Any = True) -> None:
        self.c, self.x, self.axis, self.extrapolate = c, x, axis, extrapolate

    @by_numbers()
    def __call__(self, x: Any, nu: int = 0, extrapolate: Any = None) -> Any:
        """Evaluate at ``x``, of any shape, or the ``nu``-th derivative there."""
        if nu:
            return self.derivative(nu)(x, extrapolate=extrapolate)
        x, more = as_array(x), self.extrapolate if extrapolate is None else extrapolate
        low, high = self.x[0], self.x[-1]
        if more == "periodic":
            x = low + np.mod(x - low, high - low)
        place = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        away = np.reshape(x - self.x[place], (*x.shape, *(1,) * (self.c.ndim - 2)))
        y = self.c[0][place]
        for row in range(1, self.c.shape[0]):
            y = y * away + self.c[row][place]
        if self.c.shape[0] == 1:
            y = y + 0 * away
        if not more:
            outside = np.reshape((x < low) | (x > high), away.shape)
            y = np.where(outside, np.nan, y)
        return _turned(y, x.ndim, self.axis)

    def derivative(self, nu: int = 1) -> Piecewise:
        """Return the ``nu``-th derivative, a piecewise polynomial too; a negative one is an antiderivative."""
        if nu < 0:
            return self.antiderivative(-nu)
        degree = self.c.shape[0] - 1
        if nu > degree:
            return Piecewise(0 * self.c[:1], self.x, self.axis, self.extrapolate)
        factors = np.array([factorial(k) // factorial(k - nu) for k in range(degree, nu - 1, -1)], float)
        c = self.c[: degree + 1 - nu] * _down(factors, self.c.ndim)
        return Piecewise(c, self.x, self.axis, self.extrapolate)

    def antiderivative(self, nu: int = 1) -> Piecewise:
        """Return the ``nu``-th antiderivative, which is continuous and 0 at the first knot."""
        if nu > 1:
            return self.antiderivative(nu - 1).antiderivative()
        powers = np.arange(self.c.shape[0], 0, -1)
        c = self.c / _down(powers.astype(float), self.c.ndim)
        width = np.diff(self.x)[None] ** powers[:, None]
        steps = np.sum(c * np.reshape(width, (*width.shape, *(1,) * (self.c.ndim - 2))), axis=0)
        start = np.concatenate([0 * steps[:1], np.cumsum(steps, axis=0)[:-1]])
        extrapolate = False if self.extrapolate == "periodic" else self.extrapolate
        return Piecewise(np.concatenate([c, start[None]]), self.x, self.axis, extrapolate)

    def integrate(self, a: Any, b: Any, extrapolate: Any = None) -> Any:
        """Integrate from a to b."""
        whole = self.antiderivative()
        return whole(b, extrapolate=extrapolate) - whole(a, extrapolate=extrapolate)


def _down(factors: Any, ndim: int) -> Any:
    return np.reshape(factors, (-1, *(1,) * (ndim - 1)))


def _turned(y: Any, ndim: int, axis: int) -> Any:
    """Put the axes of the places, which stand in front, where the axis of the values was."""
    return np.moveaxis(y, tuple(range(ndim)), tuple(range(axis, axis + ndim))) if axis and ndim else y


def _values(x: Any, y: Any, axis: int, name: str) -> tuple[Any, Any, int]:
    """Return knots, values with their axis in front, and that axis counted from the front."""
    if is_recording(x):
        raise MissingRule(f"scipy.interpolate.{name}: the knots x have no gradient rule, the values have. Detach x.")
    y = as_array(y)
    y = y if y.dtype.kind in "fc" else y.astype(float)
    axis = axis % y.ndim
    x = np.asarray(unbox(x), float)
    if x.ndim != 1 or len(x) != y.shape[axis]:
        raise ArgumentError(f"scipy.interpolate.{name}: x of shape {x.shape} does not fit y of shape {y.shape}.")
    return x, np.moveaxis(y, axis, 0), axis


def _mapped(basis: Any, y: Any) -> Any:
    """Apply the coefficients (…, values) of the unit vectors to values (values, …)."""
    return np.tensordot(basis.astype(y.dtype), y, axes=1)


class CubicSpline(Piecewise):
    """Fit a cubic spline through (x, y), twice continuously differentiable.

    ``bc_type`` is "not-a-knot", "natural", "clamped", "periodic", or a pair of (order, value) for the two ends.
    """

    @by_numbers()
    def __init__(self, x: Any, y: Any, axis: int = 0, bc_type: Any = "not-a-knot", extrapolate: Any = None) -> None:
        x, y, axis = _values(x, y, axis, "CubicSpline")
        n, ends, offset = len(x), bc_type, None
        if isinstance(bc_type, str):
            periodic = bc_type == "periodic"
        else:
            periodic = any(each == "periodic" for each in bc_type)
            if any(not isinstance(each, str) for each in bc_type):
                ends = [each if isinstance(each, str) else (each[0], np.zeros(n)) for each in bc_type]
                offset = sp.CubicSpline(x, np.zeros(y.shape), bc_type=bc_type).c
        unit = np.eye(n)
        if periodic:
            if not np.allclose(unbox(y)[0], unbox(y)[-1], rtol=1e-15, atol=1e-15):
                raise ArgumentError(
                    "scipy.interpolate.CubicSpline: a periodic one wants the last value to be the first."
                )
            unit, y = np.concatenate([unit[:-1, :-1], unit[:1, :-1]]), y[:-1]
        c = _mapped(sp.CubicSpline(x, unit, bc_type=ends).c, y)
        usual = "periodic" if periodic else True
        super().__init__(c if offset is None else c + offset, x, axis, usual if extrapolate is None else extrapolate)


@by_numbers()
def make_interp_spline(x: Any, y: Any, k: int = 3, t: Any = None, bc_type: Any = None, axis: int = 0) -> Piecewise:
    """Fit a spline of degree k through (x, y): a piecewise polynomial, where SciPy gives a BSpline."""
    x, y, axis = _values(x, y, axis, "make_interp_spline")
    spline = sp.make_interp_spline(x, np.eye(len(x)), k, t, bc_type)
    parts = [sp.PPoly.from_spline((spline.t, row, spline.k)) for row in np.ascontiguousarray(spline.c.T)]
    knots = parts[0].x
    real = np.flatnonzero(np.diff(knots) > 0)
    basis = np.stack([part.c[:, real] for part in parts], axis=-1)
    return Piecewise(_mapped(basis, y), knots[[*real, real[-1] + 1]], axis)


class interp1d:
    """Interpolate (x, y) along an axis; ``kind`` "linear", "quadratic", "cubic", or the degree of a spline.

    Beyond the ends: ArgumentError, ``fill_value="extrapolate"``, or with ``bounds_error=False`` the value that it gives
    (a number, or a pair for below and above).
    """

    @by_numbers()
    def __init__(
        self,
        x: Any,
        y: Any,
        kind: Any = "linear",
        axis: int = -1,
        copy: bool = True,
        bounds_error: bool | None = None,
        fill_value: Any = np.nan,
        assume_sorted: bool = False,
    ) -> None:
        degree = {"linear": 1, "slinear": 1, "quadratic": 2, "cubic": 3}.get(kind, kind)
        if not isinstance(degree, int) or degree < 1:
            raise MissingRule(
                f"scipy.interpolate.interp1d: kind={kind!r} has no gradient rule. Use 'linear' or 'cubic'."
            )
        x, y, axis = _values(x, y, axis, "interp1d")
        if not assume_sorted:
            order = np.argsort(x, kind="stable")
            x, y = x[order], y if np.all(np.diff(order) == 1) else y[order]
        if degree == 1:
            slope = (y[1:] - y[:-1]) / _down(np.diff(x), y.ndim).astype(y.dtype)
            self._f = Piecewise(np.stack([slope, y[:-1]]), x, axis)
        else:
            self._f = make_interp_spline(x, y, degree)
            self._f.axis = axis
        self.x, self.axis, self._fill = x, axis, fill_value
        self._refuses = not isinstance(fill_value, str) if bounds_error is None else bounds_error

    @by_numbers()
    def __call__(self, x: Any) -> Any:
        """Evaluate at ``x``, of any shape."""
        x = as_array(x)
        at, low, high = unbox(x), self.x[0], self.x[-1]
        below, above = at < low, at > high
        if not (below.any() or above.any()) or isinstance(self._fill, str):
            return self._f(x)
        if self._refuses:
            raise ArgumentError(
                f"scipy.interpolate.interp1d: x reaches from {at.min()} to {at.max()}, the knots from {low} to {high}. "
                "Pass fill_value='extrapolate', or bounds_error=False and the fill_value for there."
            )
        under, over = self._fill if isinstance(self._fill, tuple) else (self._fill, self._fill)
        y = self._f(np.where(below | above, low, x))
        shape = [1] * self.axis + list(at.shape) + [1] * (y.ndim - at.ndim - self.axis)
        return np.where(np.reshape(below, shape), under, np.where(np.reshape(above, shape), over, y))


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.interpolate``, for plain arrays."""
    return without_rule("interpolate", name)
