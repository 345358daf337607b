"""Indexing: reading parts of an array, adding into them, writing them. Reading and adding are each other's gradient."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import Box, needs_grad, unbox
from autograd.errors import DTypeError, ShapeError
from autograd.ops.axes import as_array
from autograd.ops.indices import as_tuple, freeze, integer_arrays, is_basic, is_single
from autograd.primitive import implements, op
from autograd.vjp import unbroadcast

_BLOCK = 1 << 16  # positions written at a time: 0.5 MB of indices stays in cache

Samples = Iterator[tuple[tuple[Any, ...], dict[str, Any]]]

# ------------------------------------------------------------------------------------------------------ the linear pair


def _read(x: Any, index: Any = (), unique: bool = False) -> Any:
    return x[index]


def _scatter(g: Any, shape: tuple[int, ...] = (), index: Any = (), unique: bool = False) -> Any:
    out = np.zeros(shape, g.dtype)
    if unique or not integer_arrays(index):
        out[index] = g
    else:
        _add_at(out, index, g)
    return out if shape else out[()]


def _add_at(out: Any, index: Any, g: Any) -> None:
    """Add ``g`` into the zeros ``out[index]``, where elements may be named repeatedly."""
    parts, flat = as_tuple(index), out.reshape(-1)
    depth = len(parts)
    if len(integer_arrays(index)) < depth:  # slices or masks between the arrays: let NumPy find the positions
        np.add.at(flat, np.arange(out.size).reshape(out.shape)[index].reshape(-1), g.reshape(-1))
        return
    rows = np.ravel_multi_index(parts, out.shape[:depth], mode="wrap").reshape(-1)  # wraps negative indices only
    width = prod(out.shape[depth:])
    if width == 1:
        np.add.at(flat, rows, g.reshape(-1))
    else:
        _add_rows(out.reshape(prod(out.shape[:depth]), width), rows, g.reshape(rows.size, width))


def _add_rows(table: Any, rows: Any, values: Any) -> None:
    """Add rows into a table of zeros: ``np.add.at`` on flat positions is 5 times as fast as on rows.

    In a long table (an embedding) few rows are named twice: the last of each is assigned, 5 times as fast again.
    """
    if rows.size <= len(table):
        order, last = np.arange(rows.size), np.empty(len(table), np.intp)
        last[rows], table[rows] = order, values
        rest = np.flatnonzero(last[rows] != order)
        rows, values = rows[rest], values[rest]
    flat, width = table.reshape(-1), values.shape[1]
    columns, step = np.arange(width), max(1, _BLOCK // max(1, width))
    for start in range(0, rows.size, step):
        places = rows[start : start + step, None] * width + columns
        np.add.at(flat, places.reshape(-1), values[start : start + step].reshape(-1))


def _scatter_rule(g: Any, shapes: Any, index: Any, unique: bool) -> Any:
    put = scatter if isinstance(g, Box) else _scatter  # the op's own way in costs as much as the work
    return put(g, shape=shapes[0], index=index, unique=unique)


def _gather_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4, 2))
    yield (x, np.array([2, 0, 2, -1])), {}
    yield (x, (np.array([0, 1, 1]), slice(None), np.array([1, 1, 1]))), {}
    yield (x, (slice(None), np.array([[1, 1], [3, 0]]))), {}
    yield (x, (Ellipsis, np.array([True, False]))), {}
    yield (x, x > 0), {}


def _scatter_samples(rng: np.random.Generator) -> Samples:
    yield (rng.uniform(-2, 2, (4, 2)), (3, 2), np.array([2, 0, 2, -1])), {}
    yield (rng.uniform(-2, 2, (3, 1)), (4, 3), (slice(0, 3), slice(1, 2))), {}
    yield (rng.uniform(-2, 2, 3), (2, 2), np.array([[True, True], [False, True]])), {}
    yield (rng.uniform(-2, 2, (2, 3)), (3, 4), (slice(1, None), np.array([3, 0, 3]))), {}


_view: Any = op(_read, name="getitem", symbol="[ ]", vjp=_scatter_rule, selects=True, linear=True, batch=lanes.read)
gather: Any = op(
    _read,
    name="gather",
    symbol="[ ]",
    vjp=_scatter_rule,
    domain=_gather_samples,
    selects=True,
    linear=True,
    batch=lanes.read,
)
scatter: Any = op(
    _scatter,
    name="scatter",
    vjp=lambda g, index, unique: _pick(g, index, unique),
    domain=_scatter_samples,
    linear=True,
    batch=lanes.scattered,
)


def _pick(x: Any, index: Any, unique: bool = False, basic: bool | None = None) -> Any:
    """Read by a frozen index: a view for a basic one, unless a single number is read, which is a copy."""
    if not (is_basic(index) if basic is None else basic):
        return gather(x, index=index, unique=unique)
    return gather(x, index=index) if is_single(index, x.ndim) else _view(x, index=index)


def _getitem_samples(rng: np.random.Generator) -> Samples:
    x = rng.uniform(-2, 2, (3, 4))
    basic: tuple[Any, ...] = (1, (-1, 2), (slice(None, None, -2), None), (Ellipsis, slice(1, 3)), ())
    for index in (*basic, ([0, 0, 2], [1, 1, 3]), x > 0, (1, [3, 3])):
        yield (x, index), {}


@implements(domain=_getitem_samples)
def getitem(x: Any, index: Any) -> Any:
    """Read ``x[index]`` by any NumPy index; Tensors and lists inside the index carry no gradient and are copied.

    The gradient is zero outside and g inside, added up where an element is named repeatedly:
    <x[i], v> = <x, scatter(v, i)>.

    >>> import autograd as ag
    >>> ag.grad(lambda x: x[[0, 0, 2]].sum())(np.ones(3))
    array([2., 0., 1.])
    """
    if index.__class__ is slice:
        return _view(x, index=index)
    index, basic = freeze(index)
    return _pick(x, index, basic=basic)


# ------------------------------------------------------------------------------------------------------------- writing


def _write(x: Any, v: Any, index: Any = ()) -> Any:
    y = np.array(x, order="K")
    y[index] = np.ascontiguousarray(v) if np.ndim(v) > 1 else v  # in C order the last of repeated elements wins
    return y if y.ndim else y[()]


def _winners(shape: tuple[int, ...], index: Any) -> Any:
    """Tell which elements of ``v`` are still there after ``x[index] = v``; None means all."""
    if not integer_arrays(index):
        return None
    mark = np.empty(shape, np.intp)
    order = np.arange(mark[index].size).reshape(mark[index].shape)
    mark[index] = order
    won = mark[index] == order
    return None if won.all() else won


def _written(g: Any, shapes: Any, index: Any) -> Any:
    """Read the gradient of the written values at their places, and sum it over the axes that were broadcast."""
    read = _pick(g, index)
    won = _winners(shapes[0], index)
    if won is not None:
        read = np.where(won, read, 0.0)
    shape = shapes[1]
    inner = shape[max(0, len(shape) - read.ndim) :]  # NumPy ignores leading axes of length 1 in v
    return unbroadcast(read, inner).reshape(shape)


_assign: Any = op(
    _write,
    name="setitem",
    symbol="[ ] =",
    vjp=dict(x=lambda g, index: _assign(g, 0.0, index=index), v=_written),
    selects=True,
    linear=True,
    batch=lanes.written,
)


def _setitem_samples(rng: np.random.Generator) -> Samples:
    x, v = rng.uniform(-2, 2, (3, 4)), rng.uniform(-2, 2, 4)
    yield (x, v, 1), {}
    yield (x, v[:2], (slice(None), slice(0, None, 2))), {}
    yield (x, v[:3], (np.array([0, 2, 0]), np.array([1, 1, 1]))), {}
    yield (x, v[0], x > 0), {}
    yield (x, v[:1], [0, 0]), {}


@implements(domain=_setitem_samples)
def setitem(x: Any, v: Any, index: Any) -> Any:
    """Return a copy of ``x`` in which ``[index]`` is ``v`` (broadcast): the function behind ``x[index] = v``.

    Gradients: ``x`` gets g with zeros at the index, ``v`` gets g[index]; where an element is named repeatedly, the last
    one in C order is written and it alone gets the gradient. Raises ShapeError if ``v`` does not fit, DTypeError if
    ``x`` holds integers and ``v`` needs a gradient.

    >>> setitem(np.zeros(3), 5.0, [0, 2])
    array([5., 0., 5.])
    """
    index, _ = freeze(index)
    kind = as_array(x).dtype
    if kind.kind != "c" and getattr(v, "dtype", np.dtype(type(v) if isinstance(v, complex) else bool)).kind == "c":
        raise DTypeError(f"setitem: complex values do not fit into x of dtype {kind}. Use x.astype(complex) first.")
    if kind.kind not in "fc" and needs_grad(v):
        raise DTypeError(
            f"setitem: x has dtype {kind}, so values written into it would lose their gradient. Use x.astype(float)."
        )
    try:
        return _assign(x, v, index=index)
    except (ValueError, TypeError) as error:
        inside = np.shape(np.empty(np.shape(x), bool)[unbox(index)])
        raise ShapeError(
            f"setitem: v of shape {np.shape(v)} does not fit x[index] of shape {inside}, where x has shape "
            f"{np.shape(x)} ({error}). Reshape v so that it broadcasts."
        ) from None
