"""Matrices made of vectors and blocks: each element is one of those that were given, or 0."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.ops.axes import as_array, cases
from autograd.primitive import implements


def _row(name: str, *shapes: tuple[int, ...]) -> Callable[[Any], Any]:
    return implements(domain=lambda rng: ((tuple(each), kw) for (each,), kw in cases((list(shapes),))(rng)), name=name)


@_row("scipy.linalg.block_diag", (2, 2), (3,), (1, 2))
def block_diag(*arrs: Any) -> Any:
    """Set matrices along the diagonal of one; a vector is one row, a number a block of its own."""
    blocks = [np.atleast_2d(as_array(each)) for each in arrs] or [np.zeros((1, 0))]
    width, at, rows = sum(each.shape[1] for each in blocks), 0, []
    for block in blocks:
        m, n = block.shape
        parts = [np.zeros((m, at), block.dtype), block, np.zeros((m, width - at - n), block.dtype)]
        rows.append(np.concatenate(parts, axis=1))
        at += n
    return np.concatenate(rows)


@_row("scipy.linalg.toeplitz", (3,), (4,))
def toeplitz(c: Any, r: Any = None) -> Any:
    """Make the matrix with c[i − j] on and below the diagonal, r[j − i] above it; r is c̄ where it is not given."""
    c = np.ravel(as_array(c))
    r = np.ravel(as_array(r)) if r is not None else np.conj(c) if c.dtype.kind == "c" else c
    m, n = len(c), len(r)
    place = np.arange(m)[:, None] - np.arange(n)[None, :]
    return np.concatenate([c, r])[np.where(place >= 0, place, m - place)]


@_row("scipy.linalg.circulant", (4,))
def circulant(c: Any) -> Any:
    """Make the matrix whose columns are c, each turned one further."""
    c = np.ravel(as_array(c))
    n = np.arange(len(c))
    return c[(n[:, None] - n[None, :]) % len(c)]


@_row("scipy.linalg.hankel", (3,), (4,))
def hankel(c: Any, r: Any = None) -> Any:
    """Make the matrix with constant anti-diagonals: c is its first column, r its last row (0 where not given)."""
    c = np.ravel(as_array(c))
    r = np.zeros(len(c), c.dtype) if r is None else np.ravel(as_array(r))
    place = np.arange(len(c))[:, None] + np.arange(len(r))[None, :]
    return np.concatenate([c, r[1:]])[place]
