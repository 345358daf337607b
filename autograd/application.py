"""What applying an op does off its main path: constants, several outputs, nothing to record, failed forwards.

Floor 5: the code that the compiler writes out calls these.
"""

from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any
from weakref import ref

import numpy as np

from autograd.box import (
    KINDS,
    SMALL,
    Box,
    alias,
    constant,
    leaf_of,
    looked_at,
    needs_grad,
    small,
    watch,
    wrap,
)
from autograd.errors import AutogradError, DTypeError, RuleError, ShapeError
from autograd.graph import Leaf, Node, View
from autograd.modes import WATCHED, current, traced_by
from autograd.rules import Op
from autograd.vjp import item_node

_NDARRAY = np.ndarray
_COMPLEX = (complex, np.dtype(np.complex64), np.dtype(np.complex128), np.dtype(np.clongdouble))


def keep_constant(x: Any, data: Any, read: bool, dtype: Any) -> tuple[Node | None, Any]:
    """Return a node for a constant, and the value to keep of it: a copy of a raw array, which its owner may change.

    The copy lies as the array does: a product rounds by how its factors lie. A Python number becomes one of NumPy's, in
    the dtype of the result: 1 / 0 is then inf, as everywhere in NumPy.
    """
    if isinstance(x, Box):
        return leaf_of(x), data if read or data.size <= SMALL else None
    if type(data) is not _NDARRAY:
        whole = dtype.kind not in "fc" or not isinstance(data, bool | int | float | complex)
        return None, data if whole else number_of(dtype, data)
    residual = data.copy(order="K") if read or data.size <= SMALL else None
    leaf = Leaf(None if residual is None else small(residual), data.shape, data.dtype, False)
    leaf.holder = ref(data)  # one and the same for each use of this array, also when it is gone
    return leaf, residual


def keep_inputs(
    op: Op, inputs: Sequence[Any], data: Sequence[Any], nodes: list[Any], needs: Sequence[bool], dtype: Any
) -> list[Any]:
    """Return what is kept of each input; constants get a place in ``nodes``, and a small view an array of its own."""
    read, residuals = op.reads(needs), []
    for i, (x, array) in enumerate(zip(inputs, data, strict=True)):
        if nodes[i] is None:
            nodes[i], value = keep_constant(x, array, i in read, dtype)
        else:
            value = array if i in read or array.size <= SMALL else None
            value = owned(value) if nodes[i].__class__ is View else value
        residuals.append(value)
    return residuals


def number_of(dtype: Any, x: Any) -> Any:
    """Return a Python number in the precision of ``dtype``; a real one stays real beside complex numbers."""
    kind = np.finfo(dtype).dtype if dtype.kind == "c" and not isinstance(x, complex) else dtype
    return kind.type(x)


def owned(array: Any) -> Any:
    """Return a small view as an array of its own, so that it does not keep the large array behind it alive."""
    if array is None or getattr(array.base, "nbytes", 0) <= 4 * array.nbytes + 4096:
        return array
    return array.copy(order="K")


def as_arrays(op: Op, y: Any) -> Any:
    """Return the output of a forward (a Python number, a tuple of arrays) as arrays, or raise RuleError."""
    if isinstance(y, tuple):
        return rebuild(y, [part if type(part) is _NDARRAY else as_arrays(op, part) for part in y])
    array = None if y is None else np.asarray(y)
    if array is None or array.dtype.kind not in KINDS:
        raise RuleError(
            f"op {op.name!r}: the forward returned {type(y).__name__}; it must return an array or a tuple of arrays."
        )
    return array if array.ndim else array[()]


def rebuild(like: Any, parts: list[Any]) -> Any:
    """Return ``parts`` as a tuple of the type of ``like`` (some of NumPy's results have named fields)."""
    return type(like)(*parts) if hasattr(like, "_fields") else tuple(parts)


def floating(op: Op, dtype: Any) -> None:
    """Refuse to record integers, whose gradients would be truncated."""
    if dtype.kind not in "fc":
        raise RuleError(
            f"op {op.name!r}: the forward returned dtype {dtype}, which has no gradient here. Return floating-point "
            "numbers, or declare it with nondifferentiable."
        )


def of_complex(error: TypeError, name: str, data: Sequence[Any]) -> Exception:
    """Return the error to raise for a TypeError: NumPy's own does not say that complex numbers are the reason."""
    return real_only(name) if any(getattr(x, "dtype", type(x)) in _COMPLEX for x in data) else error


def real_only(name: str) -> DTypeError:
    """Return the error for complex numbers in an op that has no complex derivative, or no meaning for them."""
    return DTypeError(
        f"{name} is for real numbers and has no complex derivative. Take x.real, x.imag, abs(x) or np.angle(x) first."
    )


def check_cache(op: Op, cached: Sequence[Any]) -> None:
    """Refuse to cache floating-point numbers without a definition: second derivatives would take them for constants."""
    for name, array in zip(op.cache, cached, strict=True):
        if array.dtype.kind not in "biu":
            raise RuleError(
                f"op {op.name!r}: cache={name!r} holds {array.dtype}, a constant to second derivatives. "
                "Cache integers or booleans, or give definition=."
            )


def apart(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a forward that runs apart from a trace: an op is one step of it, and the ops that it applies are none."""

    def run(*args: Any, **kwargs: Any) -> Any:
        with traced_by(None):
            return forward(*args, **kwargs)

    return run


def not_recorded(op: Op, inputs: Sequence[Any], data: Sequence[Any], y: Any, kwargs: Any) -> Any:
    """Return an output that needs no gradient: arrays from arrays, a Tensor where a Tensor went in.

    What looks at the memory of its input stays tied to it. While a function is traced its program takes the op, while a
    debugger watches it is recorded and shown to that.
    """
    state = current()
    if state.tracer is not None:
        return state.tracer.applied(op, inputs, data, y, kwargs or {})
    if state.recording is WATCHED:
        if any(map(needs_grad, inputs)):
            return state.watcher.recorded(_record(op, inputs, y, kwargs or {}), data)
        state.watcher.computed(op, inputs, data, y, kwargs)
    y = y[0] if op.cache else y
    y = y if type(y) is _NDARRAY or isinstance(y, np.generic) else as_arrays(op, y)
    if op.holomorphic is None and not isinstance(y, tuple) and y.dtype.kind == "c":
        raise real_only(op.name)
    if not any(isinstance(x, Box) for x in inputs):
        return y

    def wrapped(part: Any) -> Any:
        part, source = looked_at(part, inputs, data)
        return wrap(part) if source is None else alias(part, inputs[source], "no_grad")

    return rebuild(y, [wrapped(part) for part in y]) if isinstance(y, tuple) else wrapped(y)


def _record(op: Op, inputs: Sequence[Any], y: Any, kwargs: dict[str, Any]) -> Any:
    """Record an op whose output ``y`` is known: run its own code with a forward that returns ``y``."""
    apply: Any = op.apply
    state = current()._replace(recording=True)
    space = {**apply.__globals__, "_forward": lambda *_, **__: y, "_current": lambda: state}
    again = FunctionType(apply.__code__, space, op.name, apply.__defaults__)
    again.__kwdefaults__ = apply.__kwdefaults__
    return again(*inputs, **kwargs)


def record_outputs(
    op: Op, op_for: Any, inputs: Sequence[Any], data: Sequence[Any], y: Any, kwargs: Any, extras: tuple[Any, ...]
) -> Any:
    """Record an op of several outputs: one node for all, and one for each of them."""
    nodes = [x._node if isinstance(x, Box) else None for x in inputs]
    needs = [node is not None and node.needs for node in nodes]
    kept = keep_inputs(op, inputs, data, nodes, needs, y[0].dtype)
    residuals = (*kept, y if op.reads_output else None, *extras)
    shapes, dtypes = [part.shape for part in y], [part.dtype for part in y]
    op = op_for(op, *[dtype for dtype in dtypes if dtype.kind not in "biu"])
    node = Node(op, tuple(nodes), residuals, kwargs, shapes, dtypes, current().scope)
    return rebuild(y, [_output(op, node, i, *looked_at(part, inputs, data), inputs) for i, part in enumerate(y)])


def _output(op: Op, node: Node, i: int, part: Any, source: int | None, inputs: Sequence[Any]) -> Any:
    """Wrap output ``i`` of several; an integer one (the place of a maximum, say) is a constant."""
    if part.dtype.kind in "biu":
        return constant(part, op.name)
    if source is None:
        return wrap(part, item_node(node, i, part))
    return watch(wrap(part, item_node(node, i, part, node.parents[source])), inputs[source])


def forward_error(error: Exception, op: Op, data: Sequence[Any]) -> Exception:
    """Return the error to raise for a forward that failed: a ShapeError where the shapes do not fit."""
    tracer = current().tracer
    if tracer is not None:
        tracer.failed()
    if isinstance(error, AutogradError):
        return error
    if isinstance(error, TypeError | np.exceptions.AxisError):
        told = of_complex(error, op.name, data) if isinstance(error, TypeError) else error
        if told is error:  # NumPy's words name no place
            error.add_note(f"This was {op.name} of {' and '.join(str(np.shape(x)) for x in data)}.")
        return told
    if not isinstance(error, ValueError):
        return error
    if isinstance(error, np.linalg.LinAlgError) and "square" not in str(error) and "dimension" not in str(error):
        return error  # about the numbers
    return misfit(op.name, data, error, op.elementwise)


def misfit(name: str, data: Sequence[Any], error: Exception, elementwise: bool = False) -> ShapeError:
    """Return the error for inputs whose shapes do not fit: the op, the shapes, what NumPy says, and what would fit."""
    shapes = [str(np.shape(x)) for x in data]
    fits = (
        "Elementwise ops broadcast: counted from the right, lengths must be equal or 1."
        if elementwise
        else "Reshape or transpose an input so that they fit."
    )
    listed = " and ".join(shapes) if len(shapes) < 4 else ", ".join(shapes)
    return ShapeError(f"{name} got {listed}: {str(error).rstrip('. ')}. {fits}")
