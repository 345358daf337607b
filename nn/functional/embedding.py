"""Embedding: read rows of a table; the gradient adds into the rows that were read."""

import math
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, DTypeError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import Array
from nn.inputs import refuse_masked

# Up to so many rows a GEMM with a one-hot matrix beats sorting: 103 against 127 µs at 1,024 indices into 65 rows.
ONE_HOT = 128


def _forward(index: Any, weight: Any, *, padding_idx: int | None) -> Any:
    return np.take(weight, index, axis=0, mode="wrap")  # the index is in range: "wrap" only spares the check


def _backward(g: Any, index: Any, shapes: Any, padding_idx: int | None) -> Any:
    rows, width = shapes[1]
    index, g = np.asarray(index).reshape(-1), g.reshape(math.prod(g.shape[:-1]), width)
    dw = _by_gemm(g, index, rows) if rows <= ONE_HOT else _by_sorting(g, index, rows)
    if padding_idx is not None:
        dw[padding_idx] = 0
    return None, dw


def _by_gemm(g: Array, index: Array, rows: int) -> Array:
    hot = np.zeros((index.size, rows), g.dtype)
    hot[np.arange(index.size), index] = 1
    return hot.T @ g


def _by_sorting(g: Array, index: Array, rows: int) -> Array:
    """Bring equal indices together and add each run at once: ``np.add.at`` takes twice as long."""
    dw = np.zeros((rows, g.shape[1]), g.dtype)
    if index.size:
        order = np.argsort(index, kind="stable")
        ordered = index[order]
        starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
        dw[ordered[starts]] = np.add.reduceat(g[order], starts, axis=0)
    return dw


def _definition(index: Any, weight: Any, *, padding_idx: int | None) -> Any:
    """Read y = W[index]; the row ``padding_idx`` is read as a constant."""
    y = weight[index]
    if padding_idx is None:
        return y
    constant: Any = weight.detach() if isinstance(weight, ag.Tensor) else weight
    return np.where((np.asarray(index) == padding_idx)[..., None], constant[index], y)


def _samples(rng: np.random.Generator) -> Any:
    yield [np.array([[0, 2], [2, 3]]), rng.standard_normal((4, 3))], {"padding_idx": None}
    yield [np.array([1, 1, 140]), rng.standard_normal((150, 2))], {"padding_idx": 7}


lookup = ag.op(_forward, name="embedding", vjp=_backward, definition=_definition, domain=_samples, selects=True)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """Look up y[..., :] = weight[input[...], :].

    input: integers in 0 … V−1 of any shape, weight: (V, D); y: (*input.shape, D). The row ``padding_idx`` gets no
    gradient. Raises DTypeError for an input that is not of integers, ArgumentError for one out of range.

    >>> import numpy as np, nn
    >>> nn.functional.embedding([2, 0], np.array([[1.0], [2.0], [3.0]]))
    array([[3.],
           [1.]])
    """
    weight = as_input(weight)
    if weight.ndim != 2:
        raise wrong_shape("embedding", weight, "it must be (num_embeddings, embedding_dim).", "weight")
    refuse_masked(input, f"{place('embedding')}: input")
    index = _indices(input, weight.shape[0])
    rows = weight.shape[0]
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError(
                f"{place('embedding')}: padding_idx must be in {-rows} … {rows - 1}, got {padding_idx}."
            )
        padding_idx = int(padding_idx) % rows
    return lookup(index, weight, padding_idx=padding_idx)


@ag.opaque
def _indices(input: Any, rows: int) -> Array:
    """Read indices into a table, and refuse those that it has no row for."""
    data = np.asarray(input.data if isinstance(input, ag.Tensor) else input)
    if data.dtype.kind not in "iu" and data.size:
        raise DTypeError(
            f"{place('embedding')} got indices of dtype {data.dtype}; pass integers, such as x.astype(int)."
        )
    if data.size and (data.min() < 0 or data.max() >= rows):
        wrong = int(data.min() if data.min() < 0 else data.max())
        raise ArgumentError(
            f"{place('embedding')} got index {wrong}; indices must be in 0 … {rows - 1}, as the table has {rows} rows."
        )
    return data.astype(np.intp, copy=False)
