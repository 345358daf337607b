"""Writing and reading at places of the flat array: what a write through a view is made of (see inplace.py)."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from math import prod
from typing import Any

import numpy as np

from autograd.ops.indexing import Samples, scatter
from autograd.primitive import op
from autograd.vjp import unbroadcast


def _overwrite_samples(rng: np.random.Generator) -> Samples:
    x, v, places = rng.uniform(-2, 2, (2, 3)), rng.uniform(-2, 2, 2), np.array([[4, 0], [1, 5]])
    yield (x, v), {"places": places}
    yield (x, v[0]), {"places": places[0]}


def _overwrite(x: Any, v: Any, places: Any = None) -> Any:
    y = np.array(x, order="K")
    y.flat[places.reshape(-1)] = np.broadcast_to(v, places.shape).reshape(-1)
    return y


def _reread(x: Any, places: Any = None) -> Any:
    return x.reshape(-1)[places]


# Each is the other's gradient.
overwrite: Any = op(
    _overwrite,
    name="overwrite",
    symbol="[ ] =",
    selects=True,
    vjp=dict(
        x=lambda g, places: overwrite(g, 0.0, places=places),
        v=lambda g, places, shapes: _summed(reread(g, places=places), shapes[1]),
    ),
    domain=_overwrite_samples,
    linear=True,
)
reread: Any = op(
    _reread,
    name="reread",
    symbol="[ ]",
    selects=True,
    vjp=lambda g, places, shapes: _added(g, places, shapes[0]),
    domain=lambda rng: iter([((rng.uniform(-2, 2, (2, 3)),), {"places": np.array([[4, 0], [1, 5]])})]),
    linear=True,
)


def _summed(g: Any, shape: tuple[int, ...]) -> Any:
    return unbroadcast(g, shape) if g.shape != shape else g


def _added(g: Any, places: Any, shape: tuple[int, ...]) -> Any:
    size = prod(shape)
    return np.reshape(scatter(g.reshape(-1), shape=(size,), index=places.reshape(-1)), shape)
