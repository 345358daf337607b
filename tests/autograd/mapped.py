"""``vmap`` against a loop over the examples, for any row of the registry."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd.hints import full_name
from autograd.programs import lanewise
from autograd.tree import flatten
from tests.autograd.pushed import of_floats
from tests.autograd.rows import ROWS, numpy_names, samples

SIZE = 3


def examples(rng: np.random.Generator, x: Any) -> Any:
    """Give more examples of an argument: its own numbers, moved a little, in another order of magnitude each."""
    return np.stack(
        [x, *[x * (1 + 0.02 * rng.uniform(-1, 1, np.shape(x))).astype(x.real.dtype) for _ in range(SIZE - 1)]]
    )


def looped(f: Callable[..., Any], args: Sequence[Any], axes: Sequence[Any]) -> Any:
    """Apply ``f`` to example after example, and stack the results."""
    found = [
        f(*[x if axis is None else np.take(x, i, axis) for x, axis in zip(args, axes, strict=True)])
        for i in range(SIZE)
    ]
    values, rebuild = flatten(found[0])
    columns = [flatten(y)[0] for y in found]
    return rebuild([np.stack([column[k] for column in columns]) for k in range(len(values))])


def choices(count: int) -> list[tuple[Any, ...]]:
    """List where the examples may stand: in all arguments, in one, in all but one."""
    every = [axes for axes in product((0, None), repeat=count) if any(axis == 0 for axis in axes)]
    return every if count <= 2 else [axes for axes in every if axes.count(None) in (0, 1, count - 1)]


def hold(f: Callable[..., Any], floats: Sequence[Any], rtol: float = 1e-9, differentiate: bool = True) -> None:
    """Hold value and gradient for each choice of arguments with examples."""
    rng = np.random.default_rng(5)
    many = [examples(rng, x) for x in floats]

    def loss(*xs: Any) -> Any:
        parts = [part for part in flatten(f(*xs))[0] if part.dtype.kind in "fc"]
        total = sum([np.sum(part * np.cos(np.arange(part.size)).reshape(part.shape)) for part in parts], 0.0)
        return np.real(total) + 2 * np.imag(total) if np.iscomplexobj(total) else total

    for axes in choices(len(floats)):
        args = [xs if axis == 0 else x for x, xs, axis in zip(floats, many, axes, strict=True)]
        close(ag.vmap(f, in_axes=axes)(*args), looped(f, args, axes), rtol)
        if differentiate and axes == choices(len(floats))[0]:
            gradient = ag.grad(loss, argnums=tuple(range(len(floats))))
            close(ag.vmap(gradient, in_axes=axes)(*args), looped(gradient, args, axes), 1e2 * rtol)

            def total(*xs: Any, axes: Any = axes) -> Any:
                parts = flatten(ag.vmap(f, in_axes=axes)(*xs))[0]
                each = [part for part in parts if part.dtype.kind in "fc"]
                sums = sum(
                    [np.sum(part * np.cos(np.arange(part[0].size)).reshape(part.shape[1:])) for part in each], 0.0
                )
                return np.real(sums) + 2 * np.imag(sums) if np.iscomplexobj(sums) else sums

            inside = ag.grad(total, argnums=tuple(range(len(floats))))(*args)
            close(inside, looped(gradient, args, axes), 1e2 * rtol)


def close(found: Any, right: Any, rtol: float) -> None:
    """Compare trees of arrays, with shapes and dtypes."""
    for x, y in zip(flatten(found)[0], flatten(right)[0], strict=True):
        assert not isinstance(x, ag.Tensor)
        assert (np.shape(x), x.dtype) == (np.shape(y), y.dtype)
        scale = max(1.0, float(np.max(np.abs(y), initial=0, where=np.isfinite(y))))
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * scale)


def looped_functions() -> list[str]:
    """List the NumPy functions that run example by example, for some of their arguments at least."""
    found, plain = set(), lanewise.Run.one_by_one
    name = ""

    def one_by_one(self: Any, *args: Any) -> Any:
        found.add(name)
        return plain(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanewise.Run, "one_by_one", one_by_one)
        for row in ROWS:
            functions = numpy_names(row) if row != "polyint" else []
            for args, kwargs in samples(row) if functions else ():
                f, floats = of_floats(functions[0], args, kwargs, 1 if row == "quantile" else None)
                name = full_name(functions[0], np)[0]
                if floats:
                    ag.vmap(f)(*[examples(np.random.default_rng(5), x) for x in floats])
    return sorted(name.replace("_scimath_impl", "scimath") for name in found)  # as older NumPys call the module
