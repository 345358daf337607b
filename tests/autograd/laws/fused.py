"""Ops that have a definition, with inputs of their own domains: what the registry says is read here only."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import nn  # declares its ops
from autograd.primitive import dispatch, registry

assert nn


def definition(row: Any) -> Any:
    """Return what an op does in plain ops, or None."""
    return getattr(getattr(row, "op", None), "definition", None)


def domain(row: Any) -> Any:
    """Return the inputs on which a row of the registry is tested: a generator of samples, or ranges."""
    return row.op.domain if hasattr(row, "op") else getattr(row, "domain", None)


def samples(row: Any, rng: np.random.Generator) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Give arguments and keywords from an op's own domain."""
    given = domain(row)
    if callable(given):
        yield from given(rng)
    elif given is not None:
        ranges = given if isinstance(given, list) else [given]
        yield tuple(rng.uniform(*bounds, (2, 3)) for bounds in ranges), {}


def is_float(x: Any) -> bool:
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f" and x.size > 0


OURS = {name: row for name, row in registry.items() if not name.startswith("scipy.")}
WITH_DEFINITION = {name: row for name, row in OURS.items() if definition(row) is not None and row.op.domain}
WITH_DOMAIN = {name: row for name, row in OURS.items() if domain(row) is not None}


def numpy_of(name: str) -> Any:
    """Return the NumPy function of an op's own name, as the oracle of its value; the op itself where there is none."""
    found = [f for f, ours in dispatch.items() if ours is registry[name] and getattr(f, "__name__", "") == name]
    return found[0] if len(found) == 1 else registry[name]
