"""A distribution of ``scipy.stats`` as a few ops: what its table row says becomes methods with SciPy's signatures."""

from __future__ import annotations  # numpy.random is loaded when it is first used

import math
from collections.abc import Callable, Sequence
from functools import cache
from inspect import Parameter, Signature
from typing import Any

import numpy as np
from scipy import stats

from autograd.box import is_recording, unbox
from autograd.errors import ArgumentError, MissingRule, UnknownName
from autograd.primitive import opaque
from autograd.scipy.declare import Samples, constant, declare, float_like

Formula = Callable[..., Any]


def places(support: Formula, below: float, above: float) -> Formula:
    """Return a function of arrays, x and shapes: where x is inside, a place that is, values outside, 1 or nan for x.

    Where the shapes make no sense the support is nan, and so are value and derivatives.
    """

    def found(x: Any, *shapes: Any) -> tuple[Any, ...]:
        low, high = support(*shapes)
        number = np.asarray(x)
        kind = number.dtype if number.dtype.kind == "f" else np.dtype(float)
        left, right = np.isfinite(low), np.isfinite(high)
        low_, high_ = np.where(left, low, 0.0), np.where(right, high, 0.0)
        middle = np.where(left & right, (low_ + high_) / 2, low_ + left + high_ - right).astype(kind)
        outside = np.where(number < low, below, above).astype(kind)
        return ~((number < low) | (number > high)), middle, outside, np.where(np.isnan(low), np.nan, 1.0).astype(kind)

    return opaque(found)  # type: ignore[no-any-return]


class Distribution:
    """Hold the ops of a distribution in standard form, f(z; shapes) with z = (x - loc) / scale.

    ``rules`` replaces the formula of the cdf where only some inputs have a derivative.
    """

    def __init__(
        self,
        name: str,
        shapes: str = "",
        *,
        ranges: Sequence[tuple[float, float]],
        logpdf: Formula,
        cdf: Formula | None = None,
        sf: Formula | None = None,
        logcdf: Formula | None = None,
        logsf: Formula | None = None,
        rules: dict[str, Any] | None = None,
    ) -> None:
        self._there = getattr(stats, name)
        self._name, self._shapes, self._ranges = name, shapes.split(), list(ranges)
        self._ops = {"logpdf": self._op("logpdf", self._bounded(logpdf, -np.inf, -np.inf))}
        if cdf is None and rules is None:
            return
        declared = dict(vjp=rules) if cdf is None else dict(definition=self._bounded(cdf, 0.0, 1.0))
        cumulative = self._ops["cdf"] = self._op("cdf", **declared)
        given = {"sf": (sf, 1.0, 0.0), "logcdf": (logcdf, -np.inf, 0.0), "logsf": (logsf, 0.0, -np.inf)}
        for method, (formula, below, above) in given.items():
            definition = self._bounded(formula, below, above) if formula else self._by_cdf(method, cumulative, sf)
            self._ops[method] = self._op(method, definition)

    def _op(self, method: str, definition: Any = None, **declared: Any) -> Any:
        there = getattr(self._there, method)
        inputs = ["x", *self._shapes]
        if definition is not None:
            declared["definition"] = definition
        return declare(
            "stats",
            f"{self._name}.{method}",
            lambda *args: float_like(there(*args), *args),
            inputs=inputs,
            elementwise=True,
            domain=self._ranges,
            **declared,
        )

    def _bounded(self, formula: Formula, below: float, above: float) -> Formula:
        fixed = None if self._shapes else self._there.support()
        if fixed == (-np.inf, np.inf):
            return formula
        find = places(self._there.support if fixed is None else lambda: fixed, below, above)

        def definition(x: Any, *shapes: Any) -> Any:
            within, middle, outside, sense = find(x, *shapes)
            return np.where(within, formula(np.where(within, x * sense, middle), *shapes), outside)

        return definition

    def _by_cdf(self, method: str, cumulative: Any, sf: Formula | None) -> Formula:
        upper = self._ops["sf"] if sf and method == "logsf" else None
        if method == "logcdf":
            return lambda *args: np.log(cumulative(*args))
        if upper is not None:
            return lambda *args: np.log(upper(*args))
        return (lambda *args: 1 - cumulative(*args)) if method == "sf" else (lambda *args: np.log1p(-cumulative(*args)))

    def _standard(self, x: Any, args: Any, kwds: Any) -> tuple[Any, list[Any], Any]:
        """Read SciPy's arguments: give z, the shapes and the scale."""
        *shapes, loc, scale = arguments(self._name, (*self._shapes, "loc", "scale"), args, kwds)
        if isinstance(x, list | tuple):
            x = np.asarray(x, float)
        moved = x if isinstance(loc, int) and loc == 0 else x - loc
        if isinstance(scale, int | float):
            scale = scale if scale > 0 else np.nan
            return (moved if scale == 1 else moved / scale), shapes, scale
        scale = scale * np.where(scale > 0, 1.0, np.nan).astype(scale.dtype)
        return moved / scale, shapes, scale

    def _method(self, method: str, x: Any, args: Any, kwds: Any) -> Any:
        if method not in self._ops:
            advice = "Its formula is not closed; use .detach() for constants."
            return constant(getattr(self._there, method), f"scipy.stats.{self._name}.{method}", advice)(
                x, *args, **kwds
            )
        z, shapes, _ = self._standard(x, args, kwds)
        return self._ops[method](z, *shapes)

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the logarithm of the density."""
        z, shapes, scale = self._standard(x, args, kwds)
        y = self._ops["logpdf"](z, *shapes)
        if isinstance(scale, int | float):  # a number of Python's, which widens no float32
            return y if scale == 1 else y - math.log(scale)
        return y - np.log(scale)

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the density."""
        return np.exp(self.logpdf(x, *args, **kwds))

    def cdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the probability of values up to x."""
        return self._method("cdf", x, args, kwds)

    def sf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the probability of values beyond x."""
        return self._method("sf", x, args, kwds)

    def logcdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the logarithm of the cdf."""
        return self._method("logcdf", x, args, kwds)

    def logsf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the logarithm of the sf."""
        return self._method("logsf", x, args, kwds)

    def __call__(self, *args: Any, **kwds: Any) -> Frozen:
        """Return the distribution with its parameters fixed, Tensors among them."""
        return Frozen(self, args, kwds)

    def __getattr__(self, name: str) -> Any:
        """Return SciPy's other methods, for plain arrays."""
        if name.startswith("_") or not hasattr(self._there, name):
            raise UnknownName(f"scipy.stats.{self._name} has no attribute {name!r}.")
        return constant(getattr(self._there, name), f"scipy.stats.{self._name}.{name}")

    def __repr__(self) -> str:
        return f"<scipy.stats.{self._name} with gradients>"


class Discrete(Distribution):
    """Hold the ops of a distribution on the integers; ``counts`` names the shapes that are integers, too."""

    def __init__(self, name: str, shapes: str, *, counts: Sequence[str] = (), logpmf: Formula, **row: Any) -> None:
        self._counts = {"k", *counts}
        self._values = row.pop("values")
        super().__init__(name, shapes, logpdf=logpmf, ranges=row.pop("ranges"), **row)

    def _op(self, method: str, definition: Any = None, **declared: Any) -> Any:
        there = getattr(self._there, method.replace("pdf", "pmf"))
        shapes, counts, ranges, values = self._shapes, self._counts, self._ranges, self._values

        def samples(rng: np.random.Generator) -> Samples:
            for constants in values:
                given = iter([rng.uniform(*each, (2, 3)) for each in ranges])
                found = iter(constants)
                yield tuple(next(found) if each in counts else next(given) for each in ["k", *shapes]), {}

        def forward(*args: Any) -> Any:
            return float_like(
                there(*args), *[x for x, each in zip(args[1:], shapes, strict=True) if each not in counts]
            )

        return declare(
            "stats",
            f"{self._name}.{method.replace('pdf', 'pmf')}",
            forward,
            inputs=["k", *shapes],
            elementwise=True,
            domain=samples,
            definition=definition,
        )

    def _standard(self, x: Any, args: Any, kwds: Any) -> tuple[Any, list[Any], Any]:
        *shapes, loc = arguments(self._name, (*self._shapes, "loc"), args, kwds)
        for name, value in [("k", x), *zip(self._shapes, shapes, strict=True), ("loc", loc)]:
            if name in {*self._counts, "loc"} and is_recording(value):
                raise MissingRule(
                    f"scipy.stats.{self._name}: {name} counts, so it has no gradient. Use {name}.detach()."
                )
        return np.asarray(unbox(x)) - unbox(loc), shapes, 1

    def logpmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the logarithm of the probability of k."""
        return super().logpdf(k, *args, **kwds)

    def pmf(self, k: Any, *args: Any, **kwds: Any) -> Any:
        """Compute the probability of k."""
        return np.exp(self.logpmf(k, *args, **kwds))

    def logpdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Refuse: integers have no density."""
        raise UnknownName(f"scipy.stats.{self._name} has no attribute 'logpdf': it is discrete. Use logpmf.")

    def pdf(self, x: Any, *args: Any, **kwds: Any) -> Any:
        """Refuse: integers have no density."""
        raise UnknownName(f"scipy.stats.{self._name} has no attribute 'pdf': it is discrete. Use pmf.")


class Frozen:
    """Hold a distribution and its parameters: ``norm(loc, scale).logpdf(x)``."""

    def __init__(self, distribution: Any, args: Any, kwds: Any) -> None:
        self.dist, self.args, self.kwds = distribution, args, kwds

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise UnknownName(f"a frozen distribution has no attribute {name!r}.")
        method = getattr(self.dist, name)
        first = name in ("rvs", "stats", "entropy", "mean", "median", "var", "std", "support", "interval", "expect")
        if first:
            return lambda *args, **kwds: method(*args, *self.args, **self.kwds, **kwds)
        return lambda x, **kwds: method(x, *self.args, **self.kwds, **kwds)


@cache
def _signature(names: tuple[str, ...]) -> Signature:
    kind, defaults = Parameter.POSITIONAL_OR_KEYWORD, {"loc": 0, "scale": 1}
    return Signature([Parameter(each, kind, default=defaults.get(each, Parameter.empty)) for each in names])


def arguments(name: str, names: tuple[str, ...], args: Any, kwds: Any) -> list[Any]:
    """Bind SciPy's positional and keyword parameters to their names; lists become arrays."""
    try:
        bound = _signature(names).bind(*args, **kwds)
    except TypeError as error:
        raise ArgumentError(f"scipy.stats.{name}: {error}; its parameters are {', '.join(names)}.") from None
    bound.apply_defaults()
    values = [bound.arguments[each] for each in names]
    return [np.asarray(value, float) if isinstance(value, list | tuple) else value for value in values]
