"""Joining arrays and cutting them: each is the other's gradient."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from itertools import accumulate, pairwise
from operator import index
from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import Box, contains_box
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array, cases, draw, no_out
from autograd.ops.shapes import atleast_1d, atleast_2d, atleast_3d, broadcast_to, expand_dims, moveaxis, ravel, reshape
from autograd.primitive import implements, op

# ------------------------------------------------------------------------------------------------- the linear pairs


def _concat_vjp(g: Any, shapes: Any, axis: int) -> Any:
    bounds = tuple(accumulate([shape[axis] for shape in shapes], initial=0))
    return (_cut if isinstance(g, Box) else _cut_forward)(g, bounds, axis)  # on arrays a third of the op's time


def _cut_forward(a: Any, bounds: tuple[int, ...] = (), axis: int = 0) -> Any:
    before = (slice(None),) * (axis % a.ndim)
    return tuple([a[(*before, slice(start, stop))] for start, stop in pairwise(bounds)])


def _stack_forward(*arrays: Any, axis: int = 0, dtype: Any = None, casting: Any = "same_kind") -> Any:
    if axis in (0, -1) and dtype is None and {type(a) for a in arrays} == {np.float64}:
        return np.array(arrays)  # scalars: 16 of them in 0.5 µs, where np.stack takes 7
    return np.stack(arrays, axis, dtype=dtype, casting=casting)


def _stack_vjp(g: Any, axis: int) -> Any:
    return (_unstack if isinstance(g, Box) else _unstack_forward)(g, axis)


def _unstack_forward(a: Any, axis: int = 0) -> Any:
    return tuple(np.moveaxis(a, axis, 0))


_concat = op(
    lambda *arrays, axis=0, dtype=None, casting="same_kind": np.concatenate(arrays, axis, dtype=dtype, casting=casting),
    name="concatenate",
    vjp=_concat_vjp,
    linear=True,
    batch=lanes.joined(new=0),
)
_cut = op(
    _cut_forward,
    name="split",
    vjp=lambda g, axis: _concat(*g, axis=axis),
    selects=True,
    linear=True,
    batch=lanes.along_axis,
)
_stack = op(_stack_forward, name="stack", vjp=_stack_vjp, linear=True, batch=lanes.joined(new=1))
_unstack = op(
    _unstack_forward,
    name="unstack",
    vjp=lambda g, axis: _stack(*g, axis=axis),
    selects=True,
    linear=True,
    batch=lanes.along_axis,
)

# ---------------------------------------------------------------------------------------------------------- joining

_PAIRS = cases(
    ([(2, 3), (1, 3)], {}),
    ([(2, 3), (2, 1), (2, 2)], {"axis": -1}),
    ([(2,), (0,)], {}),
    ([(2, 2), (3,)], {"axis": None}),
)


@implements(np.concatenate, domain=_PAIRS)
def concatenate(
    arrays: Any, axis: int | None = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """Join arrays along an existing axis; ``axis=None`` flattens them first."""
    no_out("concatenate", out)
    if axis is None:
        arrays, axis = [ravel(a) for a in arrays], 0
    return _concat(*arrays, axis=axis) if dtype is None else _concat(*arrays, axis=axis, dtype=dtype, casting=casting)


_EQUALS = cases(
    ([(2, 3), (2, 3)], {}), ([(2, 3), (2, 3)], {"axis": 1}), ([(2,), (2,), (2,)], {"axis": -1}), ([(), ()], {})
)


@implements(np.stack, domain=_EQUALS)
def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join arrays of one shape along a new axis."""
    no_out("stack", out)
    return _stack(*arrays, axis=axis) if dtype is None else _stack(*arrays, axis=axis, dtype=dtype, casting=casting)


@implements(np.hstack, domain=cases(([(2, 3), (2, 1)], {}), ([(2,), (), (1,)], {})))
def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join along the second axis (along the only one, for arrays with one)."""
    arrays = [atleast_1d(a) for a in tup]
    return _concat(*arrays, axis=0 if arrays and arrays[0].ndim == 1 else 1, dtype=dtype, casting=casting)


@implements(np.vstack, domain=cases(([(2, 3), (1, 3)], {}), ([(3,), (3,)], {})))
def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """Join along the first axis; an array with one axis is a row."""
    return _concat(*[atleast_2d(a) for a in tup], dtype=dtype, casting=casting)


@implements(np.dstack, domain=cases(([(2, 3), (2, 3)], {}), ([(3,), (3,)], {}), ([(2, 3, 1), (2, 3)], {})))
def dstack(tup: Any) -> Any:
    """Join along the third axis."""
    return _concat(*[atleast_3d(a) for a in tup], axis=2)


@implements(np.column_stack, domain=cases(([(3,), (3,)], {}), ([(3,), (3, 2)], {})))
def column_stack(tup: Any) -> Any:
    """Join as columns; an array with one axis is one column."""
    arrays = [as_array(a) for a in tup]
    return _concat(*[a if a.ndim >= 2 else reshape(a, (-1, 1)) for a in arrays], axis=1)


@implements(
    np.append,
    domain=lambda rng: iter(
        [((draw(rng, (2, 2)), draw(rng, (3,))), {}), ((draw(rng, (2, 2)), draw(rng, (2, 1)), 1), {})]
    ),
)
def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Join ``values`` to the end of ``arr`` along ``axis``; by default both are flattened."""
    return concatenate([arr, values], axis)


def _block_samples(rng: np.random.Generator) -> Any:
    a, b, c, d = draw(rng, (2, 2)), draw(rng, (2, 1)), draw(rng, (3,)), draw(rng, ())
    yield ([[a, b], [c]],), {}
    yield ([c, d],), {}
    yield (a,), {}


@implements(np.block, domain=_block_samples)
def block(arrays: Any) -> Any:
    """Build an array from nested lists of blocks: the innermost lists join along the last axis, and so on outwards."""
    levels: list[tuple[Any, ...]] = [(arrays,)]  # level by level, as the depth is known only at the bottom
    while any(isinstance(item, list) for item in levels[-1]):
        if not all(isinstance(item, list) and item for item in levels[-1]):
            raise ArgumentError(
                "block: the lists are nested to different depths, or one is empty. Use [a] for a single block in a row."
            )
        levels.append(tuple(part for item in levels[-1] for part in item))
    depth, leaves = len(levels) - 1, [as_array(a) for a in levels[-1]]
    ndim = max([depth, *[a.ndim for a in leaves]])
    parts = iter([reshape(a, (1,) * (ndim - a.ndim) + a.shape) if a.ndim < ndim else a for a in leaves])
    for level in range(depth):
        parts = iter([_concat(*[next(parts) for _ in item], axis=-1 - level) for item in levels[depth - 1 - level]])
    (joined,) = parts
    return joined if depth else np.copy(joined)


def _nested_samples(rng: np.random.Generator) -> Any:
    a, b, c = draw(rng, (2,)), draw(rng, (2,)), draw(rng, ())
    yield ([[a, b], [b, [c, c]]],), {}
    yield ([c, c, c],), {}
    yield (a,), {}


@implements(domain=_nested_samples)
def array(nested: Any, dtype: Any = None) -> Any:
    """Build an array from nested lists of numbers, arrays and Tensors, as ``np.array`` does from plain ones.

    ``np.array`` itself gives no hook, and refuses Tensors that record. Raises ShapeError where the lists are ragged.

    >>> import autograd as ag
    >>> t = ag.Tensor(2.0, requires_grad=True)
    >>> array([[t, 0.0], [1.0, t * t]])
    Tensor([[2., 0.],
            [1., 4.]], op=reshape)
    """
    if not isinstance(nested, list | tuple):
        y = np.copy(as_array(nested))
        return y if dtype is None else y.astype(dtype)
    if not contains_box(nested):
        return np.array(nested, dtype)
    parts, leaves = [nested], list[Any]()
    while parts:  # one after the other, from the front
        part = parts.pop()
        if isinstance(part, list | tuple):
            parts.extend(reversed(part))
        else:
            leaves.append(ravel(as_array(part)))
    shape = _nested_shape(nested)
    y = leaves[0] if len(leaves) == 1 else _concat(*leaves)
    y = reshape(y, shape)
    return y if dtype is None else y.astype(dtype)


def _nested_shape(x: Any) -> tuple[int, ...]:
    """Return the shape of nested lists, which is one at each depth."""
    if not isinstance(x, list | tuple):
        return np.shape(x)
    shapes = {_nested_shape(part) for part in x}
    if len(shapes) > 1:
        raise ShapeError(f"array: the nested lists do not form an array: parts have shapes {sorted(shapes)}.")
    return (len(x), *(shapes.pop() if shapes else ()))


def _insert_samples(rng: np.random.Generator) -> Any:
    x = draw(rng, (2, 3))
    yield (x, 1, rng.uniform(-2, 2, (3,)), 0), {}
    yield (x, [0, 2], rng.uniform(-2, 2, (2, 1)), 1), {}
    yield (x, 4, 0.5), {}


@implements(np.insert, domain=_insert_samples)
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """Insert ``values`` before the positions ``obj`` along ``axis`` (of the flattened array by default)."""
    arr, values = as_array(arr), as_array(values)
    values = values.astype(arr.dtype, copy=False)
    if axis is None:
        arr, axis = ravel(arr), 0
    axis %= arr.ndim
    if values.ndim < arr.ndim:
        values = reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    n = arr.shape[axis]
    one = np.ndim(obj) == 0 and not isinstance(obj, slice)
    if one:
        values = moveaxis(values, 0, axis)
    places = np.arange(n)[obj] if isinstance(obj, slice) else np.asarray(obj)
    if not places.size:
        places = places.astype(np.intp)  # of an empty list
    if places.dtype == bool:
        places = np.flatnonzero(places)
    number = values.shape[axis] if one else places.size if places.size != 1 else values.shape[axis]
    shape = (*arr.shape[:axis], number, *arr.shape[axis + 1 :])
    order = np.insert(np.arange(n), places.reshape(()) if one else places, n + np.arange(number))
    return np.take(_concat(arr, broadcast_to(values, shape), axis=axis), order, axis)


# ---------------------------------------------------------------------------------------------------------- cutting


@implements(
    np.array_split, domain=cases(((7,), 3), ((2, 5), [1, 3], 1), ((2, 3), [2, 1], 1), ((4, 2), [-1]), ((2,), 3))
)
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut along ``axis``: at the given indices, or into so many parts of nearly equal length; a list of views."""
    ary = as_array(ary)
    n = ary.shape[axis]
    if np.ndim(indices_or_sections):
        bounds = [slice(None, int(i)).indices(n)[1] for i in indices_or_sections]
        return _cut_at(ary, (0, *bounds, n), axis)
    sections = index(indices_or_sections)
    if sections <= 0:
        raise ArgumentError(f"array_split: the number of parts must be positive, got {sections}.")
    each, extra = divmod(n, sections)
    return _cut_at(ary, tuple(accumulate([each + 1] * extra + [each] * (sections - extra), initial=0)), axis)


def _cut_at(ary: Any, bounds: tuple[int, ...], axis: int) -> Any:
    if all(start <= stop for start, stop in pairwise(bounds)):
        return list(_cut(ary, bounds, axis))
    before = (slice(None),) * (axis % ary.ndim)  # falling indices: the parts overlap or leave gaps
    return [ary[(*before, slice(start, stop))] for start, stop in pairwise(bounds)]


@implements(np.split, domain=cases(((6,), 3), ((2, 5), [1, 3], 1), ((4, 2), {"indices_or_sections": 2, "axis": 0})))
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Cut along ``axis``: at the given indices, or into so many parts of equal length; a list of views."""
    ary = as_array(ary)
    if not np.ndim(indices_or_sections) and ary.shape[axis] % indices_or_sections:
        raise ShapeError(
            f"split: axis {axis} of length {ary.shape[axis]} cannot be cut into {indices_or_sections} equal parts "
            f"(shape {ary.shape}). Use np.array_split for unequal parts."
        )
    return array_split(ary, indices_or_sections, axis)


def _enough(name: str, ary: Any, least: int) -> Any:
    ary = as_array(ary)
    if ary.ndim < least:
        raise ArgumentError(f"{name}: needs an array with at least {least} axes, got shape {ary.shape}.")
    return ary


@implements(np.hsplit, domain=cases(((2, 4), 2), ((4,), [1, 3])))
def hsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the second axis (the only one, for an array with one)."""
    ary = _enough("hsplit", ary, 1)
    return split(ary, indices_or_sections, 1 if ary.ndim > 1 else 0)


@implements(np.vsplit, domain=cases(((4, 2), 2)))
def vsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the first axis."""
    return split(_enough("vsplit", ary, 2), indices_or_sections, 0)


@implements(np.dsplit, domain=cases(((1, 2, 4), [1, 2])))
def dsplit(ary: Any, indices_or_sections: Any) -> Any:
    """Cut along the third axis."""
    return split(_enough("dsplit", ary, 3), indices_or_sections, 2)


@implements(
    *[np.unstack] if hasattr(np, "unstack") else [], domain=cases(((2, 3), {}), ((2, 3), {"axis": -1}), ((3,), {}))
)
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """Cut into the slices along ``axis``: a tuple, the opposite of ``stack``."""
    return _unstack(_enough("unstack", x, 1), axis)


# ----------------------------------------------------------------------------------------------------------- grids


def _meshgrid_samples(rng: np.random.Generator) -> Any:
    x, y = draw(rng, (2,)), draw(rng, (3,))
    yield (x, y), {}
    yield (x, y), {"indexing": "ij", "sparse": True}


@implements(np.meshgrid, domain=_meshgrid_samples)
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Return coordinate arrays of a grid from one array of coordinates per axis."""
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}.")
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = 1, 0
    lines = [expand_dims(ravel(x), tuple(j for j in range(len(xi)) if j != order[i])) for i, x in enumerate(xi)]
    grid = tuple(lines) if sparse else tuple(np.broadcast_arrays(*lines))
    return tuple(np.copy(each) for each in grid) if copy else grid
