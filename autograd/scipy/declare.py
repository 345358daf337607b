"""How the tables of ``autograd.scipy`` declare a row: the public ``op``, under SciPy's own name."""

from __future__ import annotations  # numpy.random is loaded when it is first used

import importlib
from collections.abc import Callable, Iterator
from functools import wraps
from inspect import isroutine
from typing import Any

import numpy as np
from scipy import special

from autograd.box import Box, is_recording, unbox
from autograd.errors import MissingRule, UnknownName
from autograd.modes import current
from autograd.primitive import op
from autograd.tree import flatten

Samples = Iterator[tuple[tuple[Any, ...], dict[str, Any]]]
Domain = Callable[[np.random.Generator], Samples]


def declare(module: str, name: str, forward: Any, **declared: Any) -> Any:
    """Declare ``scipy.<module>.<name>``; pictures show the short name."""
    declared.setdefault("symbol", name)
    return op(forward, name=f"scipy.{module}.{name}", **declared)


def elementwise(name: str, domain: Any, vjp: Any = None, **declared: Any) -> Any:
    """Declare a ufunc of ``scipy.special``; its inputs are ``inputs``, those that the rules name, or x."""
    if callable(vjp):
        vjp = dict(x=vjp)
    inputs = declared.pop("inputs", None) or list(vjp)
    ranges = domain if callable(domain) or isinstance(domain, list) else [domain] * len(inputs)
    forward = getattr(special, name)
    return declare("special", name, forward, inputs=inputs, vjp=vjp, elementwise=True, domain=ranges, **declared)


def ordered(orders: Any, low: float, high: float) -> Domain:
    """Make samples of functions of an order (or a tuple of constants) and of x."""

    def samples(rng: np.random.Generator) -> Samples:
        for order in orders:
            yield (*(order if isinstance(order, tuple) else (order,)), rng.uniform(low, high, (2, 3))), {}

    return samples


def by_numbers(solves: bool = False) -> Callable[[Any], Any]:
    """Decorate a function of a module that reads numbers: a function that is traced runs as itself from there on.

    One that ``solves`` does so in any case: what it is given calls back, and closes over values of the trace.
    """

    def decorate(function: Any) -> Any:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            tracer = current().tracer
            if tracer is None:
                return function(*args, **kwargs)
            name = f"{function.__module__.partition('.')[2]}.{function.__qualname__}"
            if solves:
                raise tracer.as_itself(f"{name} reads numbers.")
            with tracer.names(name):
                return function(*args, **kwargs)

        return run

    return decorate


def constant(function: Any, name: str, advice: str = "Use x.detach() for a constant.") -> Any:
    """Return a function for plain arrays only: it refuses to lose a gradient, and says what to do."""

    def plain(*args: Any, **kwargs: Any) -> Any:
        values = flatten((args, kwargs))[0]
        if is_recording(*values):
            raise MissingRule(f"{name} has no gradient rule. {advice}")
        if current().tracer is not None and any(isinstance(x, Box) for x in values):
            raise current().tracer.as_itself(f"{name} reads numbers.")
        return function(*unbox(args), **unbox(kwargs))

    plain.__name__ = plain.__qualname__ = name.rpartition(".")[2]
    plain.__doc__ = function.__doc__
    return plain


def without_rule(module: str, name: str) -> Any:
    """Return what SciPy's module has under a name for which there is no rule here; a function refuses to record."""
    there = importlib.import_module(f"scipy.{module}")
    if name.startswith("_") or not hasattr(there, name):
        raise UnknownName(f"module 'autograd.scipy.{module}' has no attribute {name!r}, nor has scipy.{module}.")
    value = getattr(there, name)
    return constant(value, f"scipy.{module}.{name}") if isroutine(value) else value


def float_like(y: Any, *inputs: Any) -> Any:
    """Return ``y`` in the dtype that its floating-point inputs have together: SciPy widens here and there.

    Python's numbers have no say in that, as everywhere in NumPy; where there are no others, SciPy's dtype stays.
    """
    arrays = [x.dtype for x in inputs if isinstance(x, np.ndarray | np.generic)]
    if not any(dtype.kind in "fc" for dtype in arrays):
        return np.asarray(y)[()]
    python = [x for x in inputs if isinstance(x, int | float | complex) and not isinstance(x, np.generic)]
    return np.asarray(y, np.result_type(np.float32, *arrays, *python))[()]
