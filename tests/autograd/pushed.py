"""Forward mode against its oracles, for any row of the registry: two reverse passes, and finite differences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd.tree import flatten
from tests.autograd.rows import is_float

Sample = tuple[tuple[Any, ...], dict[str, Any]]


def of_floats(row: Any, args: Any, kwargs: Any, only: int | None = None) -> tuple[Callable[..., Any], list[Any]]:
    """Return a row as a function of the floating-point arrays among its arguments (the first ``only``), and these."""
    values, rebuild = flatten(args)
    places = [i for i, value in enumerate(values) if is_float(value)][:only]

    def f(*floats: Any) -> Any:
        filled = list(values)
        for i, x in zip(places, floats, strict=True):
            filled[i] = x
        return tuple([part for part in flatten(row(*rebuild(filled), **kwargs))[0] if part.dtype.kind in "fc"])

    return f, [values[i] for i in places]


def twice_back(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Push tangents by two reverse passes: the derivative of uᵀ J with respect to u, along t."""
    y, pullback = ag.vjp(f, *args)
    zeros = ag.tree_map(lambda part: part * 0, y)
    pushed = ag.vjp(pullback, zeros)[1](tuple(tangents) if len(args) > 1 else tangents[0])
    return ag.tree_map(lambda t: t.data if isinstance(t, ag.Tensor) else t, pushed)


def differences(f: Callable[..., Any], args: Sequence[Any], tangents: Sequence[Any], h: float = 1e-6) -> Any:
    """Push tangents by central differences."""
    plus, minus = ([x + step * t for x, t in zip(args, tangents, strict=True)] for step in (h, -h))
    return ag.tree_map(lambda a, b: (a - b) / (2 * h), f(*plus), f(*minus))


def random_like(rng: np.random.Generator, x: Any) -> Any:
    """Draw a direction in the shape and dtype of ``x``."""
    t = rng.uniform(-1, 1, np.shape(x))
    return (t + 1j * rng.uniform(-1, 1, np.shape(x)) if x.dtype.kind == "c" else t).astype(x.dtype)[()]


def close(found: Any, right: Any, rtol: float) -> None:
    """Compare trees of arrays; the scale is the largest number of each."""
    for x, y in zip(flatten(found)[0], flatten(right)[0], strict=True):
        scale = max(1.0, float(np.max(np.abs(y), initial=0, where=np.isfinite(y))))
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * scale)


def hold(f: Callable[..., Any], floats: Sequence[Any], *, smooth: bool = True, rtol: float = 1e-9) -> None:
    """Hold forward mode: value, first order, and forward over reverse, in shapes and dtypes of the results."""
    rng = np.random.default_rng(3)
    tangents = tuple(random_like(rng, x) for x in floats)
    y, pushed = ag.jvp(f, tuple(floats), tangents)
    close(y, f(*floats), rtol)
    close(pushed, twice_back(f, floats, tangents), rtol)
    if smooth and all(x.dtype.itemsize >= 8 for x in floats):
        close(pushed, differences(f, floats, tangents), 1e-5)
    facts = [[(np.shape(part), np.result_type(part)) for part in flatten(tree)[0]] for tree in (y, pushed)]
    assert facts[0] == facts[1]
    if y:
        weights = tuple(random_like(rng, part) for part in y)

        def gradient(*xs: Any) -> Any:
            return ag.vjp(f, *xs)[1](weights)

        close(ag.jvp(gradient, tuple(floats), tangents)[1], twice_back(gradient, floats, tangents), 1e2 * rtol)
