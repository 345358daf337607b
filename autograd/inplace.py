"""Writing into Tensors: it means what it means in NumPy, for value and gradient, through views and other names.

An array that a graph has seen is never written into. A write makes a new array, with the layout of the old one, as the
result of an op, and every Tensor that looks at the old memory (its owner, its views, views of views) looks at the new
one from then on, at the same places. Floor 10: used by :mod:`autograd.tensor`.
"""

from collections.abc import Callable
from typing import Any, Generic, Self

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.application import misfit
from autograd.box import (
    Box,
    Result,
    Views,
    is_shared,
    leaf_of,
    needs_grad,
    shares_memory,
    small,
    unbox,
    views_of,
    watch,
    wrap,
)
from autograd.errors import DTypeError, InPlaceError, ShapeError
from autograd.graph import RETAINED, Alias, Detached, Leaf, Node, View, keep_site, node_of, origin
from autograd.modes import current, watched_by
from autograd.ops import casting, elementwise, indexing, products, shapes, sorting
from autograd.ops.axes import in_memory_order
from autograd.ops.places import overwrite, reread
from autograd.sharing import is_given


def read_only_view(what: str) -> InPlaceError:
    """Return the error for a write that NumPy refuses as well."""
    return InPlaceError(
        f"{what} a read-only view: what broadcast_to, diagonal and sliding_window_view give cannot be written into in "
        "NumPy, either, and .real and .imag cannot here. Use a copy."
    )


def _refuse_leaf(t: Box, what: str, *values: Any) -> None:
    """Raise InPlaceError where a write would change a value whose gradient is asked for, or spoil a graph."""
    root = origin(leaf_of(t))
    if is_shared(t):
        raise InPlaceError(
            f"{what} what was taken from a result without recording (by detach(), or as a view) would change that "
            "result as well. Use a copy (y.detach().copy()), or write into the result."
        )
    if (
        isinstance(t._node, View | Alias)
        and not isinstance(root, Detached)
        and type(t._array) is np.ndarray
        and not t._array.flags.writeable
    ):
        raise read_only_view(what)
    recording = current().recording
    if recording and isinstance(root, Leaf) and root.needs and (needs_grad(t) or any(map(needs_grad, values))):
        raise InPlaceError(
            f"{what} a leaf that requires grad would change the value whose gradient is asked for. "
            "Use a copy (y = x * 1; y[i] = v), or no_grad()."
        )
    if not recording and t._node is not None and t._node.op is not None:
        raise InPlaceError(
            f"{what} the result of {t._node.op.name!r} under no_grad() would spoil its graph. Use .detach() or a copy."
        )


def _refuse_overlap(t: Box, index: Any, value: Any) -> None:
    """Raise InPlaceError where what is assigned shows memory that the write changes, and that is lost in NumPy, too."""
    node = value._node if isinstance(value, Box) else None
    if not isinstance(node, View | Alias):
        return
    root = origin(node)
    known: Views | None = getattr(root, "views", None)
    if known is None or root is not origin(leaf_of(t)):
        return
    why = overlap(t, index, value, lambda: [each for seen in known.tensors if (each := seen()) is not None])
    if why:
        raise InPlaceError(f"assigning a view of a Tensor to {why}")


def overlap(t: Box, index: Any, value: Box, looking: Callable[[], list[Box]]) -> str:
    """Say where ``t[index] = value`` loses what it reads, both of one memory, at which ``looking()`` look; else "".

    ``t[i], t[j] = t[j], t[i]`` of rows loses one of them, as both are views; Generator.shuffle does it to what it does
    not know. ``t[::2] = t[:n]`` reads elements that it has written already.
    """
    if type(t._array) is not np.ndarray:
        return ""
    try:
        target = t._array[unbox(index, lambda box: box._array)]
    except IndexError:  # told by the write itself
        return ""
    if type(target) is not np.ndarray or _place(target) == _place(value._array):
        return ""
    if target.ndim == 1 and _is_read_late(target, value._array):
        return (
            "a place in its own memory, in other steps: NumPy reads some elements after it has written them. Use a "
            "copy (x[::2] = x[:n].copy())."
        )
    for each in looking() if t._array.ndim > 1 else ():
        if each is not t and _place(np.asarray(each._array)) == _place(target):
            return (
                "a place that another view of it shows, as in x[i], x[j] = x[j], x[i] or rng.shuffle(x), makes that "
                "view show the new value: in NumPy it is so, too. Use x[[i, j]] = x[[j, i]], x = "
                "x[rng.permutation(len(x))], or copies of the views."
            )
    return ""


def _is_read_late(target: Any, source: Any) -> bool:
    """Tell whether a copy within memory, of one axis and upwards (downwards if it starts above), reads what it wrote.

    NumPy looks for overlaps of more axes, and of opposite directions; equal steps it moves as a whole.
    """
    if source.shape != target.shape or source.strides[0] * target.strides[0] <= 0 or source.strides == target.strides:
        return False
    written, read = (
        a.__array_interface__["data"][0] + np.arange(a.size)[:: 1 if target.strides[0] > 0 else -1] * a.strides[0]
        for a in (target, source)
    )
    _, at_write, at_read = np.intersect1d(written, read, assume_unique=True, return_indices=True)
    return bool((at_write > at_read if read[0] < written[0] else at_write < at_read).any())


def _place(array: Any) -> Any:
    return array.__array_interface__["data"][0], array.shape, array.strides


def _is_plain(t: Box, *values: Any) -> bool:
    """Tell whether a write concerns no graph, so that NumPy can write into the array."""
    root = origin(leaf_of(t))
    return isinstance(root, Leaf) and not (current().recording and any(needs_grad(v) for v in values))


def _write(change: Callable[[], Any], name: str, *operands: Any) -> None:
    """Run a change of an array; raise ShapeError where the shapes do not fit."""
    try:
        change()
    except ValueError as error:
        raise misfit(name, [unbox(x) for x in operands], error, elementwise=True) from None


def _assign(t: Box, index: Any, value: Any) -> None:
    """Carry out ``t[index] = value`` as an op whose result all that look at the memory of ``t`` see."""
    if type(t._array) is np.ndarray and t._array.dtype.kind not in "fc" and needs_grad(value):
        raise DTypeError(
            f"writing into a Tensor of dtype {t._array.dtype} would lose the gradient of what is written. Use "
            ".astype(float)."
        )
    _replace(t, indexing.setitem(t, value, index))


def _update(t: Any, function: Callable[[Box, Any], Any], other: Any, ufunc: Any) -> Any:
    """Carry out ``t += other`` and its kin: a number is bound anew, an array changes for all that look at it."""
    value = function(t, other)
    if type(t._array) is not np.ndarray:
        return value
    if value._array.shape != t._array.shape:
        raise ShapeError(
            f"in-place {ufunc.__name__}: the result of shape {value._array.shape} does not fit into shape "
            f"{t._array.shape}. Write y = x + … for a new Tensor."
        )
    if value._array.dtype != t._array.dtype:
        if not np.can_cast(value._array.dtype, t._array.dtype, "same_kind"):
            raise DTypeError(
                f"in-place {ufunc.__name__}: the result of dtype {value._array.dtype} does not fit into "
                f"{t._array.dtype}. Write y = x + … for a new Tensor."
            )
        value = casting.astype(value, t._array.dtype)
    _replace(t, value)
    return t


def _replace(t: Box, value: Box) -> None:
    """Put the value that was written into ``t`` into it and into all that look at its memory."""
    node = leaf_of(t)
    root = origin(node)
    given = type(t._array) is np.ndarray and is_given(t._array)
    if given or (isinstance(root, Leaf) and isinstance(node, Alias) and node.needs):
        raise InPlaceError(
            "a value that carries a gradient cannot be written into memory that an array of yours (copy=False, "
            ".data =) or another Tensor has, too: it would not be seen there. Use a copy."
        )
    known: Views | None = None if isinstance(root, Detached) else getattr(root, "views", None)
    if known is None:
        _rebind(t, value._array, value._node)
        return
    array = known.array()
    if array is None:
        raise InPlaceError(
            f"a write into a view of the result of {root.op.name if root.op else 'a leaf'!r}, whose own array is gone, "
            "cannot be followed. Keep the array in a variable, or write into a copy."
        )
    seen, detached = _looking(known, root)
    if any(each._array.dtype != array.dtype for each in (*seen, *detached)):
        raise InPlaceError(
            "a write into memory that the .real or .imag of a Tensor looks at cannot be followed. Write into a copy."
        )
    ids = numbered(array)
    if node is root and value._array.strides == array.strides:
        changed = value
    else:
        changed = overwrite(wrap(array, root), value, places=places_of(t._array, array, ids))
    owners = seen if node is not root or any(each is t for each in seen) else [*seen, t]
    links = [(each, None if each._node is root else places_of(each._array, array, ids)) for each in owners]
    for each, places in links:
        if places is None:
            _rebind(each, changed._array, changed._node)
        else:
            _look(each, changed, places, array)
        watch(each, changed)
    for each in detached:
        _look_detached(each, changed, array)


def _looking(known: Views, root: Node) -> tuple[list[Box], list[Box]]:
    """Return the Tensors that look at the memory of ``root``: those of its graph, and detached ones."""
    tensors = [each for each in [tensor() for tensor in known.tensors] if each is not None]
    roots = [(each, origin(each._node)) for each in tensors if each._node is not None]
    detached = [each for each, at in roots if isinstance(at, Detached) and at.views is known]
    if any(isinstance(each._node, View) for each in detached):
        raise InPlaceError(
            "a write into a result, of which a Tensor that was detached and then requires grad has views, cannot be "
            "followed. Detach a copy."
        )
    return [each for each, at in roots if at is root], detached


def _rebind(t: Box, array: Any, node: Any) -> None:
    """Put another value into a Tensor, which keeps its name and ``retain_grad``."""
    old = t._node
    t._array, t._node = array, node
    if old is not None and node is not None and old is not node:
        node.name = old.name or node.name
        node.retain |= old.retain & RETAINED  # hooks stay with the value that they were registered on


def _look(t: Box, changed: Box, places: Any, old: Any) -> None:
    """Make ``t`` look at the memory of ``changed``, where it looked at that of ``old``."""
    with watched_by(None):
        made = reread(changed, places=places)._node
    fields = (made.op, made.parents, made.residuals, made.kwargs, made.shape, made.dtype, made.scope)
    node = node_of(made.parents[0], *fields)
    keep_site(made, node)
    _rebind(t, moved(t._array, changed._array, old), node)


def _look_detached(t: Box, changed: Box, old: Any) -> None:
    """Make a constant look at the memory of ``changed``, read-only."""
    t._array = moved(t._array, changed._array, old)
    t._array.flags.writeable = False
    root: Any = origin(leaf_of(t))
    root.views = views_of(changed, leaf_of(changed))
    leaf_of(t).residuals = (small(t._array),)
    watch(t, changed)


def moved(view: Any, changed: Any, old: Any) -> Any:
    """Return the view of ``changed`` that ``view`` is of an array of the same layout."""
    if changed.strides != old.strides:
        raise InPlaceError("a write into a view of an array with gaps cannot be followed. Write into a copy.")
    offset = _offset(view, old)
    flat = as_strided(changed, (changed.size,), (changed.itemsize,))
    return as_strided(flat[offset:], view.shape, view.strides, writeable=view.flags.writeable)


def _offset(view: Any, array: Any) -> int:
    distance = view.__array_interface__["data"][0] - array.__array_interface__["data"][0]
    return int(distance // array.itemsize)


def numbered(array: Any) -> Any:
    """Return the numbers of the elements, in NumPy's order, as an array with the layout of this one."""
    ids = np.empty_like(array, dtype=np.intp)
    ids[...] = np.arange(array.size).reshape(array.shape)
    return ids


def places_of(view: Any, array: Any, ids: Any) -> Any:
    """Find where in the flat array the elements of a view lie, by their addresses."""
    if in_memory_order(array) is None:
        raise InPlaceError("a write into a view of an array with gaps cannot be followed. Write into a copy.")
    flat = as_strided(ids, (ids.size,), (ids.itemsize,))
    offset = _offset(view, array)
    found = np.array(as_strided(flat[offset:], view.shape, [s // array.itemsize * ids.itemsize for s in view.strides]))
    found.flags.writeable = False
    return found


def set_shape(t: Box, shape: Any) -> None:
    """Set the shape of a Tensor: the same memory in another shape."""
    made = shapes.reshape(t, shape)
    if not shares_memory(made._array, t._array):
        raise InPlaceError("t.shape = … needs a copy here, as the elements do not lie in order. Use t = t.reshape(…).")
    t._array, t._node = made._array, made._node
    if made._node is not None:
        watch(t, made)


class Writing(Box, Generic[Result]):
    """Provide what writes into ndarrays: assignment, operators like ``+=``, and methods that change in place.

    ``Result`` is the type of the results, Tensor, which is defined above this floor.
    """

    __slots__ = ()

    def __setitem__(self, index: Any, value: Any) -> None:
        """Assign in place, as NumPy does: views of this Tensor see it, and gradients are those of what was written.

        On a leaf that requires grad it is an error while recording.
        """
        if current().tracer is not None and current().tracer.takes(self):
            self[index] = value
            return
        _refuse_leaf(self, "assigning into", value)
        _refuse_overlap(self, index, value)
        if _is_plain(self, value):
            tensor: Any = self
            array = tensor.data
            _write(lambda: array.__setitem__(unbox(index), unbox(value)), "setitem", array, value)
            tensor.data = array
        else:
            _assign(self, index, value)

    def fill(self, value: Any) -> None:
        """Set all elements to ``value``.

        >>> import autograd as ag
        >>> v = ag.Tensor([3.0, 1.0, 2.0])
        >>> v.fill(0)
        >>> v
        Tensor([0., 0., 0.])
        """
        self[...] = value

    def sort(self, axis: int = -1) -> None:
        """Sort in place, as ndarray.sort does; ``np.sort`` gives a sorted copy.

        >>> import autograd as ag
        >>> v = ag.Tensor([3.0, 1.0, 2.0])
        >>> v.sort()
        >>> v
        Tensor([1., 2., 3.])
        """
        self[...] = sorting.sort(self, axis=axis)

    def partition(self, kth: Any, axis: int = -1) -> None:
        """Partition in place, as ndarray.partition does.

        >>> import autograd as ag
        >>> v = ag.Tensor([3.0, 1.0, 2.0])
        >>> v.partition(1)
        >>> v
        Tensor([1., 2., 3.])
        """
        self[...] = sorting.partition(self, kth, axis=axis)

    def _in_place(self, other: Any, function: Any, ufunc: np.ufunc) -> Self:
        """Change this Tensor as NumPy changes an array: recorded, or, where no graph is concerned, in its memory."""
        tensor: Any = self
        if current().tracer is not None and current().tracer.takes(self):
            return tensor._in_place(other, function, ufunc)
        _refuse_leaf(self, f"in-place {ufunc.__name__} on", other)
        if not _is_plain(self, other):
            return _update(tensor, function, other, ufunc)
        if type(self._array) is not np.ndarray and self._node is not None and not self._node.needs:
            return function(self, other)
        array = tensor.data
        _write(lambda: ufunc(array, unbox(other), out=array, casting="same_kind"), ufunc.__name__, array, other)
        tensor.data = array
        return tensor

    def __iadd__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.add, np.add)

    def __isub__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.subtract, np.subtract)

    def __imul__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.multiply, np.multiply)

    def __itruediv__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.divide, np.divide)

    def __ipow__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.power, np.power)

    def __imod__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.remainder, np.remainder)

    def __ifloordiv__(self, other: Any) -> Self:
        return self._in_place(other, elementwise.floor_divide, np.floor_divide)

    def __imatmul__(self, other: Any) -> Self:
        return self._in_place(other, products.matmul, np.matmul)
