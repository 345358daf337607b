"""The box: an array with its place in the graph, and how arrays enter and leave it.

:class:`Box` is the bare Tensor: ``tensor.py`` adds the operators and methods, and registers itself as the type of
results.

Floor 2: used by all of the engine that knows arrays.
"""

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from weakref import ref

import numpy as np

from autograd.errors import DTypeError
from autograd.graph import Alias, Detached, Leaf, Node, origin
from autograd.modes import current

ARRAYS = (np.ndarray, np.generic)  # what NumPy's functions give
SMALL = 64  # arrays of at most this many elements stay on the graph after backward, so that it can be drawn
KINDS = "biufc"  # booleans, integers, floats, complex numbers
_new = object.__new__
Result = TypeVar("Result")  # the type of results, Tensor, for classes of which it is made


class Box:
    """Hold an array (or NumPy scalar) and the node that made it (None: a constant that nothing has recorded yet)."""

    __slots__ = ("__weakref__", "_array", "_node")
    _array: Any
    _node: Node | None


_result_type: type[Box] = Box


def set_result_type(kind: type[Box]) -> None:
    """Make ops give results of this type; called once by the module that defines Tensor."""
    global _result_type
    _result_type = kind


def result_type() -> type[Box]:
    """Return the type of the results of ops: Tensor, once it is defined."""
    return _result_type


def wrap(data: Any, node: Node | None = None) -> Any:
    """Put a value into a Tensor without any check: ops use it for their results."""
    box = _new(_result_type)
    box._array = data
    box._node = node
    return box


def leaf_of(box: Box) -> Node:
    """Return the node of ``box``; a constant gets one when it is used in a graph for the first time."""
    node = box._node
    if node is None:
        data = box._array
        node = box._node = Leaf(small(data), data.shape, data.dtype, False)
        node.holder = ref(box) if data.size > SMALL else None
    return node


def constant(data: Any, note: str) -> Any:
    """Wrap a value that needs no gradient; ``note`` says what cut it off from its graph."""
    return wrap(data, Leaf(small(data), data.shape, data.dtype, False, note=note))


def small(data: Any) -> Any:
    """Return ``data`` if it may stay on the graph after backward, else None."""
    return data if data.size <= SMALL else None


def needs_grad(x: Any) -> bool:
    """Tell whether ``x`` is a Tensor through which a gradient flows."""
    return isinstance(x, Box) and x._node is not None and x._node.needs


class Views:
    """Track the array of a memory and the Tensors that look at it, without keeping any of them alive."""

    __slots__ = ("array", "limit", "tensors")

    def __init__(self, owner: Box) -> None:
        self.array = weakref.ref(owner._array)
        self.tensors = [weakref.ref(owner)]
        self.limit = 16

    def others(self, tensor: Box) -> bool:
        """Tell whether a Tensor other than this one looks at the memory."""
        return any(each is not None and each is not tensor for each in [seen() for seen in self.tensors])

    def add(self, tensor: Box) -> None:
        """Note one more; those that are gone are dropped now and then."""
        self.tensors.append(weakref.ref(tensor))
        if len(self.tensors) > self.limit:
            self.tensors = [each for each in self.tensors if each() is not None]
            self.limit = 2 * len(self.tensors) + 16


def watch(view: Any, source: Box) -> Any:
    """Return ``view``, and note that it looks at the memory of ``source``: what is written into one is seen by both."""
    known = views_of(source, origin(view._node))
    if known is not None:
        known.add(view)
    return view


def views_of(source: Box, root: Node) -> Views | None:
    """Return the Tensors that look at the memory of ``source``, owned by ``root``; None if that is no array."""
    known: Views | None = getattr(root, "views", None)
    if known is None and source._node is root and type(source._array) is np.ndarray:
        known = root.views = Views(source)
    return known


def is_shared(box: Box) -> bool:
    """Tell whether ``box`` lies in the memory of a result, and another Tensor does as well."""
    root = origin(leaf_of(box))
    return isinstance(root, Detached) and root.views is not None and root.views.others(box)


def leave(box: Box) -> None:
    """Note that ``box`` has memory of its own from here on."""
    root = origin(leaf_of(box))
    if isinstance(root, Detached):
        root.views = None


def shares_memory(view: Any, source: Any) -> bool:
    """Tell whether the output of an op looks at the memory of its input."""
    base = view.base
    if base is None or type(source) is not np.ndarray:
        return False
    return base is source or base is source.base or bool(np.may_share_memory(view, source))


def looked_at(y: Any, inputs: Sequence[Any], data: Sequence[Any]) -> tuple[Any, int | None]:
    """Return an output that shares memory with Tensors only, and which input that is, if any.

    What looks at an array of the user's is copied; the memory of an input that comes first counts.
    """
    for i, array in enumerate(data):
        if y is array and type(y) is np.ndarray:
            y = y[...]
        if shares_memory(y, array):
            return (y, i) if isinstance(inputs[i], Box) else (y.copy(), None)
    return (y, None) if y.ndim else (y[()], None)


def alias(data: Any, source: Box, note: str) -> Any:
    """Wrap ``data``, which shares memory with ``source``, as a constant.

    If a leaf owns that memory, a change through either is noticed by graphs that use the other. The memory of a result
    is read-only: the alias looks at the new one when the result is written into, and copies it before a write of its
    own.
    """
    if type(data) is not np.ndarray:
        return constant(data, note)
    root = origin(leaf_of(source))
    if isinstance(root, Leaf) and not isinstance(root, Detached):
        return watch(wrap(data, Alias(root, small(data), data.shape, data.dtype, note)), source)
    data = read_only(data)
    leaf = Detached(small(data), data.shape, data.dtype, False, note=note)
    leaf.views = views_of(source, root)
    return watch(wrap(data, leaf), source)


def as_raw(x: Any, what: str) -> Any:
    """Turn an operand that is not a Tensor into a number or array that rules can work with.

    Python numbers stay as they are, so that they remain weak in NumPy's promotion (``float32 * 2.0`` is float32).
    """
    kind = type(x)
    if kind is float or kind is int or kind is bool or kind is complex:
        return x
    if kind is not np.ndarray:  # plain from here on, so that a memmap is copied where an array is
        if isinstance(x, np.ndarray) and np.any(getattr(x, "mask", False)):
            raise DTypeError(f"{what} got a {kind.__name__}, whose mask would be lost. Use .filled(v), or np.where.")
        if isinstance(x, np.matrix):
            raise DTypeError(f"{what} got a matrix, whose * is another one. Pass np.asarray(…) of it, and use @.")
        try:
            x = np.asarray(x)
        except ValueError as error:
            raise DTypeError(f"{what} got a ragged or unreadable {kind.__name__}: {error}") from None
    if x.dtype.kind not in KINDS:
        raise DTypeError(f"{what} got dtype {x.dtype} from {kind.__name__}: only numbers have gradients. Pass numbers.")
    return x if x.ndim else x[()]


def values_of(box: Box) -> Any:
    """Return the array of ``box`` to read its numbers, which are not known in a function that is being traced.

    Raises TraceError there: what was computed from them would be stale at the next call.
    """
    tracer = current().tracer
    if tracer is not None:
        tracer.read(box)
    return box._array


def unbox(x: Any, read: Callable[[Box], Any] = values_of) -> Any:
    """Return the array inside a Tensor, reaching into tuples, lists and dicts; anything else as it is."""
    if isinstance(x, Box):
        return read(x)
    if type(x) is tuple or type(x) is list:
        return type(x)([unbox(item, read) for item in x])
    if type(x) is dict:
        return {key: unbox(item, read) for key, item in x.items()}
    return x


def plain(x: Any) -> Any:
    """Return the array inside a Tensor, anything else as it is."""
    return x._array if isinstance(x, Box) else x


def read_only(data: Any) -> Any:
    """Return a view of an array through which nothing can be written; a NumPy scalar as it is."""
    if type(data) is np.ndarray:
        data = data.view()
        data.flags.writeable = False
    return data


def contains_box(x: Any, counts: Callable[[Any], bool] = lambda x: isinstance(x, Box)) -> bool:
    """Tell whether ``x`` is a Tensor that ``counts``, or holds one in tuples, lists and dicts."""
    if isinstance(x, tuple | list | dict):
        return any(contains_box(item, counts) for item in (x.values() if isinstance(x, dict) else x))
    return counts(x)


def is_recording(*boxes: Any) -> bool:
    """Tell whether an op on these inputs would be recorded."""
    return current().recording and any(needs_grad(x) for x in boxes)


def is_live(box: Box) -> bool:
    """Tell whether the gradient of ``box`` is still to be computed: recorded, and its graph not yet released."""
    node = box._node
    return node is not None and node.needs and not node.released and current().recording
