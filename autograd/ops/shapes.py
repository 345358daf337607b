"""Shapes: the same elements in another arrangement. What NumPy gives as a view is a view, forwards and backwards."""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from autograd import lanes
from autograd.box import Box, plain, unbox, wrap
from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import Axis, Shape, as_array, by_stride, cases, check_dtype, draw, inverse, no_out
from autograd.primitive import implements, op

_normal_axis = np.lib.array_utils.normalize_axis_index
_normal_axes = np.lib.array_utils.normalize_axis_tuple


def _restored(g: Any, shapes: Any) -> Any:
    """Reshape the gradient as the input: the rule of everything that only reshapes."""
    return g.reshape(shapes[0])


# --------------------------------------------------------------------------------------------------- another shape


def _reshape_vjp(g: Any, shapes: Any, order: Any) -> Any:
    return g.reshape(shapes[0]) if order == "C" else np.reshape(g, shapes[0], order=order)


def _memory_order(a: Any, order: Any) -> Any:
    """Tell what ``order="A"`` means for this array: "F" if it is stored in that order, else "C"."""
    return "F" if np.isfortran(np.asarray(plain(a))) else "C"


_reshape = op(
    lambda a, shape=None, order="C": (
        a.reshape(shape) if order == "C" and isinstance(a, np.ndarray) else np.reshape(a, shape, order=order)
    ),
    name="reshape",
    inputs=["a"],
    vjp=_reshape_vjp,
    linear=True,
    batch=lanes.reshaped,
)
_ravel = op(np.ravel, inputs=["a"], vjp=_reshape_vjp, linear=True, batch=lanes.reshaped)


@implements(
    np.reshape,
    domain=cases(
        ((2, 6), (3, -1)), ((2, 3), -1), ((2, 6), (4, 3), {"order": "F"}), ((), (1, 1)), ((1,), ()), ((0, 3), (3, 0, 2))
    ),
)
def reshape(a: Any, /, shape: Any, order: Any = "C", *, copy: bool | None = None) -> Any:
    """Return the elements in another shape; one length may be -1. ``copy=False`` raises where a copy is needed."""
    if copy is False:
        np.reshape(np.asarray(plain(a)), shape, order=order, copy=False)  # NumPy's own error
    y = _reshape(a, shape, _memory_order(a, order) if order == "A" else order)
    return np.copy(y) if copy else y


@implements(np.ravel, domain=cases(((2, 3), {}), ((), {}), ((2, 3), {"order": "F"}), ((0, 2), {})))
def ravel(a: Any, order: Any = "C") -> Any:
    """Flatten to one axis, in the order C, F, A (as stored, if that is F) or K (as stored)."""
    if order == "K":
        a = as_array(a)
        a, order = transpose(a, by_stride(np.asarray(plain(a)))), "C"
    return _ravel(a, _memory_order(a, order) if order == "A" else order)


expand_dims = op(
    np.expand_dims,
    inputs=["a"],
    vjp=_restored,
    linear=True,
    batch=lanes.reshaped,
    domain=cases(((2, 3), 1), ((2, 3), {"axis": -1}), ((2,), (0, 2)), ((), 0)),
)
squeeze = op(
    np.squeeze,
    vjp=_restored,
    linear=True,
    batch=lanes.reshaped,
    domain=cases(((1, 3, 1), {}), ((1, 3, 1), 0), ((1, 3, 1), {"axis": (0, -1)}), ((1, 1), {}), ((2,), {})),
)


def _leading(name: str, ndim: int, target: Any, place: Any) -> Any:
    """Make ``atleast_1d``, ``_2d`` and ``_3d``: ``place(shape)`` says where the new axes stand."""

    def atleast(*arys: Any) -> Any:
        raised = tuple(a if a.ndim >= ndim else _reshape(a, place(a.shape)) for a in map(as_array, arys))
        return raised[0] if len(raised) == 1 else raised

    atleast.__name__ = atleast.__qualname__ = name
    atleast.__doc__ = f"Give each array at least {ndim} axes; one array gives one array, several a tuple."
    return implements(target, domain=cases(((), {}), ((3,), {}), ((2, 3), {}), ((2, 1, 3), {})))(atleast)


atleast_1d = _leading("atleast_1d", 1, np.atleast_1d, lambda shape: (1,))
atleast_2d = _leading("atleast_2d", 2, np.atleast_2d, lambda shape: (1, *shape) if shape else (1, 1))
atleast_3d = _leading(
    "atleast_3d", 3, np.atleast_3d, lambda shape: (1, *(shape or (1,)), 1) if len(shape) < 2 else (*shape, 1)
)


# ---------------------------------------------------------------------------------------------------- order of axes


_transpose = op(
    lambda a, axes=None: np.transpose(a, axes),  # np.transpose itself stands in programs for .T
    name="transpose",
    symbol="ᵀ",
    vjp=lambda g, axes: g.transpose() if axes is None else g.transpose(inverse(axes)),
    linear=True,
    batch=lanes.transposed,
)


@implements(
    np.transpose,
    domain=cases(((2, 3), {}), ((2, 3, 4), (1, 2, 0)), ((2, 3, 4), {"axes": (-1, 0, -2)}), ((3,), {}), ((), {})),
)
def transpose(a: Any, axes: Any = None) -> Any:
    """Permute the axes; without ``axes`` reverse them."""
    axes = unbox(axes)
    if axes is not None and type(axes) is not tuple:
        axes = tuple(axes) if isinstance(axes, Sequence | np.ndarray) else (axes,)
    return _transpose(a, axes)


@implements(np.swapaxes, domain=cases(((2, 3), 0, 1), ((2, 3, 4), -1, 0), ((2, 3), 1, 1)))
def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes."""
    a = as_array(a)
    order = list(range(a.ndim))
    i, j = _normal_axis(axis1, a.ndim, "axis1"), _normal_axis(axis2, a.ndim, "axis2")
    order[i], order[j] = j, i
    return _transpose(a, tuple(order))


@implements(np.moveaxis, domain=cases(((2, 3, 4), 0, -1), ((2, 3, 4), [0, 1], [-1, 0]), ((2,), 0, 0)))
def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Move axes from ``source`` to ``destination``; the others keep their order."""
    a = as_array(a)
    moved, places = _normal_axes(source, a.ndim, "source"), _normal_axes(destination, a.ndim, "destination")
    if len(moved) != len(places):
        raise ArgumentError(f"moveaxis: source={source} and destination={destination} must name equally many axes.")
    order = [i for i in range(a.ndim) if i not in moved]
    for place, i in sorted(zip(places, moved, strict=True)):
        order.insert(place, i)
    return _transpose(a, tuple(order))


@implements(np.rollaxis, domain=cases(((2, 3, 4), 2), ((2, 3, 4), 0, 2), ((2, 3, 4), -2, {"start": 3})))
def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """Move one axis to stand before the axis at ``start`` (``moveaxis`` is easier to read)."""
    a = as_array(a)
    axis = _normal_axis(axis, a.ndim)
    start = _normal_axis(start, a.ndim + 1, "start")
    order = [i for i in range(a.ndim) if i != axis]
    order.insert(start - 1 if axis < start else start, axis)
    return _transpose(a, tuple(order))


# ----------------------------------------------------------------------------------------------------- broadcasting


def _broadcast_forward(array: Any, shape: Any = None) -> Any:
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise ShapeError(
            f"broadcast_to: shape {np.shape(array)} does not broadcast to {shape}; from the right, each length must be "
            "1 or the length asked for."
        ) from None


_broadcast_to = op(
    _broadcast_forward,
    name="broadcast_to",
    inputs=["array"],
    vjp=lambda g: g,
    elementwise=True,
    linear=True,
    batch=lanes.broadcast,
)


@implements(
    np.broadcast_to, domain=cases(((3,), (2, 3)), ((2, 1), (3, 2, 2)), ((), (2, 2)), ((1, 3), (0, 3)), ((2,), (2,)))
)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> Any:
    """Repeat along new axes and axes of length 1, without copying; the gradient is summed back."""
    return _broadcast_to(array, shape)


def _broadcast_samples(rng: np.random.Generator) -> Any:
    yield (draw(rng, (3, 1)), draw(rng, (1, 2))), {}
    yield (draw(rng, ()), draw(rng, (2,)), draw(rng, (2, 1))), {}


@implements(np.broadcast_arrays, domain=_broadcast_samples)
def broadcast_arrays(*args: Any, subok: bool = False) -> Any:
    """Broadcast arrays against each other; a tuple of their common shape."""
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*[a.shape for a in arrays])
    if any(isinstance(a, Box) for a in arrays):  # then all results are Tensors
        arrays = [a if isinstance(a, Box) else wrap(np.array(a)) for a in arrays]
    return tuple(_broadcast_to(a, shape) for a in arrays)


# ------------------------------------------------------------------------------------------------- order of elements


_flip = op(np.flip, vjp=lambda g, axis: np.flip(g, axis), linear=True, batch=lanes.over_axis)
_roll = op(
    np.roll,
    inputs=["a"],
    vjp=lambda g, shift, axis: np.roll(g, np.negative(shift), axis),
    linear=True,
    batch=lanes.along_axis,
)
_rot90 = op(np.rot90, vjp=lambda g, k, axes: np.rot90(g, -k, axes), linear=True, batch=lanes.along("axes"))


@implements(np.flip, domain=cases(((2, 3), {}), ((2, 3), 0), ((2, 3, 2), {"axis": (0, -1)}), ((), {}), ((0, 2), {})))
def flip(m: Any, axis: Axis = None) -> Any:
    """Reverse the order of the elements along ``axis`` (all by default)."""
    return _flip(m, tuple(axis) if isinstance(axis, list) else axis)


def _two_axes(name: str, m: Any, least: int) -> Any:
    if np.ndim(m) < least:
        raise ArgumentError(f"{name}: needs an array with at least {least} axes, got shape {np.shape(m)}.")
    return m


@implements(np.fliplr, domain=cases(((2, 3), {}), ((2, 3, 2), {})))
def fliplr(m: Any) -> Any:
    """Reverse the second axis."""
    return _flip(_two_axes("fliplr", m, 2), 1)


@implements(np.flipud, domain=cases(((2, 3), {}), ((3,), {})))
def flipud(m: Any) -> Any:
    """Reverse the first axis."""
    return _flip(_two_axes("flipud", m, 1), 0)


@implements(
    np.roll, domain=cases(((5,), 2), ((2, 3), -1), ((2, 3), 1, 1), ((2, 3), (1, -2), (0, 1)), ((2, 3), 7, {"axis": -1}))
)
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """Move the elements ``shift`` places on along ``axis`` (flattened by default), the last coming first."""
    return _roll(a, tuple(shift) if isinstance(shift, list) else shift, tuple(axis) if isinstance(axis, list) else axis)


@implements(np.rot90, domain=cases(((2, 3), {}), ((2, 3), 2), ((2, 3), -1), ((2, 3, 2), {"k": 3, "axes": (1, 2)})))
def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> Any:
    """Rotate by ``k`` · 90° in the plane of two axes, from the first towards the second."""
    return _rot90(m, k, tuple(axes))


def _repeat_vjp(g: Any, shapes: Any, repeats: int, axis: int | None) -> Any:
    """Sum over the copies, which are neighbours."""
    shape = shapes[0]
    if axis is None:
        return g.reshape((*shape, repeats)).sum(axis=-1)
    after = axis % len(shape) + 1
    return g.reshape((*shape[:after], repeats, *shape[after:])).sum(axis=after)


_repeat = op(np.repeat, inputs=["a"], vjp=_repeat_vjp, linear=True, batch=lanes.along_axis)


@implements(
    np.repeat,
    domain=cases(((2, 3), 2), ((2, 3), 3, -1), ((2, 3), [1, 0, 2], 1), ((3,), (0, 2, 1)), ((), 2), ((2, 2), [2], 0)),
)
def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Repeat each element along ``axis`` (flattened by default): all equally often, or each as often as said."""
    repeats = np.asarray(unbox(repeats))
    if repeats.size == 1 and repeats.dtype.kind in "iu":
        return _repeat(a, repeats.item(), axis)
    a = as_array(a)
    if axis is None:
        a, axis = ravel(a), 0
    return np.take(a, np.repeat(np.arange(a.shape[axis]), repeats), axis)


# ---------------------------------------------------------------------------------------- triangles and diagonals


# elementwise, as a row of numbers is repeated to a square first
_TRIANGLES = cases(((3, 3), {}), ((2, 4), 1), ((2, 3, 2), {"k": -1}), ((3,), {}))


def _below(shapes: Any, k: int) -> Any:
    """Tell which elements of a matrix lie on the diagonal ``k`` or below."""
    shape = shapes[0]
    return np.tri(shape[-2] if len(shape) > 1 else shape[-1], shape[-1], k, bool)


tril = op(
    np.tril,
    vjp=lambda g: g,
    selects=lambda shapes, k: _below(shapes, k),
    elementwise=True,
    domain=_TRIANGLES,
    linear=True,
    batch=lanes.stacked,
)
triu = op(
    np.triu,
    vjp=lambda g: g,
    selects=lambda shapes, k: ~_below(shapes, k - 1),
    elementwise=True,
    domain=_TRIANGLES,
    linear=True,
    batch=lanes.stacked,
)


def _on_diagonal_forward(d: Any, shape: Shape = (), offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Put ``d`` on a diagonal of zeros of ``shape``: the transpose of ``diagonal``."""
    full = np.zeros(shape, np.asarray(d).dtype)
    place = np.diagonal(full, offset, axis1, axis2)
    place.flags.writeable = True
    place[...] = d
    return full


on_diagonal = op(
    _on_diagonal_forward,
    name="on_diagonal",
    vjp=lambda g, offset, axis1, axis2: np.diagonal(g, offset, axis1, axis2),
    domain=cases(((2,), (2, 3)), ((2, 2), {"shape": (3, 2, 2), "offset": -1}), ((3,), {"shape": (4, 4), "offset": 1})),
    linear=True,
    batch=lanes.on_shape("axis1", "axis2"),
)
diagonal = op(
    np.diagonal,
    vjp=lambda g, shapes, offset, axis1, axis2: on_diagonal(g, shapes[0], offset, axis1, axis2),
    selects=True,
    linear=True,
    batch=lanes.along("axis1", "axis2"),
    domain=cases(((3, 3), {}), ((2, 4), 1), ((2, 3, 4), -1, 2, 0), ((2, 3, 4), {"axis1": -1, "axis2": 1})),
)


@implements(np.diag, domain=cases(((3,), {}), ((2,), -1), ((3, 3), {}), ((2, 4), {"k": 1})))
def diag(v: Any, k: int = 0) -> Any:
    """Return the diagonal of a matrix, or the matrix with this diagonal."""
    v = as_array(v)
    if v.ndim == 1:
        n = v.shape[0] + abs(index(k))
        return on_diagonal(v, (n, n), k)
    if v.ndim != 2:
        raise ArgumentError(
            f"diag: needs one or two axes, got shape {v.shape}. Use np.diagonal(x, axis1=…, axis2=…) for stacks."
        )
    return diagonal(v, k)


@implements(np.diagflat, domain=cases(((2, 2), {}), ((3,), 1)))
def diagflat(v: Any, k: int = 0) -> Any:
    """Return the matrix whose diagonal is the flattened array."""
    return diag(ravel(v), k)


@implements(
    np.trace, domain=cases(((3, 3), {}), ((2, 4), 1), ((2, 3, 4), {"axis1": 2, "axis2": 1}), ((2, 3, 4), -1, 0, 2))
)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Any:
    """Sum a diagonal."""
    no_out("trace", out)
    check_dtype("trace", a, dtype)
    return np.sum(diagonal(a, offset, axis1, axis2), -1, dtype)


def _mesh_samples(rng: np.random.Generator) -> Any:
    yield (draw(rng, (2,)), draw(rng, (3,))), {}


@implements(np.ix_, domain=_mesh_samples)
def ix_(*args: Any) -> Any:
    """Put each vector along an axis of its own: they broadcast to an open mesh; booleans stand for their places."""
    made = []
    for i, each in enumerate(map(as_array, args)):
        if each.ndim != 1:
            raise ShapeError(f"ix_ takes vectors, got shape {each.shape} in place {i}.")
        vector = np.nonzero(each)[0] if each.dtype.kind == "b" else each
        made.append(_reshape(vector, (1,) * i + (-1,) + (1,) * (len(args) - i - 1)))
    return tuple(made)
