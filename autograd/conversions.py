"""How a Tensor becomes a number, a text, an array or a copy: by name, or where no gradient is lost by it.

Python and NumPy call ``float(t)`` and its kin unasked, as in ``a[i] = t`` or ``math.exp(t)``: on a live graph they
raise. Floor 10: used by :mod:`autograd.tensor`.
"""

from copy import deepcopy
from math import trunc
from typing import Any, Self

import numpy as np

from autograd.box import Box, is_live, is_recording, leaf_of, result_type, unbox, values_of
from autograd.errors import ConversionError, GraphError, ShapeError
from autograd.graph import TracedLeaf
from autograd.hints import converted
from autograd.modes import current
from autograd.ops import casting


class Conversions(Box):
    """Provide what gives the values of a Tensor to Python and NumPy."""

    __slots__ = ()

    def item(self) -> Any:
        """Return the single value as a Python number.

        Raises ShapeError where there is not just one.

        >>> import autograd as ag
        >>> ag.Tensor([15.0]).item()
        15.0
        """
        if self._array.size != 1:
            raise ShapeError(f"item() needs a Tensor with one element, got shape {self._array.shape}.")
        return values_of(self).item()

    def tolist(self) -> Any:
        """Return the values as nested lists of Python numbers.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0], [4.0, 8.0]]).tolist()
        [[1.0, 2.0], [4.0, 8.0]]
        """
        return values_of(self).tolist()

    def _number(self, convert: Any) -> Any:
        """Return the value as a Python number; raise where its gradient is still to be computed."""
        if is_live(self):
            raise ConversionError(
                f"{convert.__name__}() of a Tensor whose gradient is still to be computed would lose that gradient: "
                "Python and NumPy call it unasked, as in a[i] = t, a.fill(t) or math.exp(t). Use np.stack([…]) to "
                "build arrays, np.exp and its kin in place of math's, and t.item() where a number is what you want."
            )
        return convert(self.item())

    def __float__(self) -> float:
        return self._number(float)

    def __int__(self) -> int:
        return self._number(int)

    def __trunc__(self) -> int:
        return self._number(trunc)

    def __complex__(self) -> complex:
        return self._number(complex)

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iu":
            raise TypeError(
                f"only an integer Tensor can be an index or a count, got dtype {self._array.dtype}. Use int(t.item())."
            )
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(values_of(self))

    def __contains__(self, value: Any) -> bool:
        return bool((values_of(self) == unbox(value)).any())

    def __format__(self, spec: str) -> str:
        if spec and self._array.size != 1:
            raise ShapeError(
                f"the format {spec!r} is for one number, and this Tensor has shape {self._array.shape}. Leave the "
                "format out, or pick a number, as in t[0]; np.array2string(t.numpy(), precision=2) writes all."
            )
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        text = np.array2string(np.asarray(self._array), separator=", ", prefix="Tensor(")
        parts = [text if self._array.ndim else repr(self._array.item())]
        if self._array.dtype not in (np.float64, np.complex128) and self._array.dtype.kind in "fc":
            parts.append(f"dtype={self._array.dtype}")
        node: Any = self._node
        if node is not None and node.op is not None:
            parts.append(f"op={node.op.name}")
        elif node is not None and node.needs:
            parts.append("requires_grad=True")
        if node is not None and node.name:
            parts.append(f"name={node.name!r}")
        return f"Tensor({', '.join(parts)})"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> object:
        """Return a copy of the values, or raise where their gradient would be lost.

        It is typed ``object``: to type checkers a Tensor is then no array-like, so that ``np.tanh(t)`` is found by
        ``__array_ufunc__`` (Any) and not taken for an array.
        """
        if is_recording(self):
            raise ConversionError(converted())
        array = values_of(self)
        return np.array(array, dtype=dtype) if copy is not False else np.asarray(array, dtype=dtype)

    def __copy__(self) -> Self:
        """Return a Tensor of its own: connected to this one inside a graph, else a new leaf."""
        if self._in_a_graph():
            return casting.copy(self)
        make, arguments, state = self.__reduce__()
        made: Self = make(*arguments)
        if state:
            made.__dict__.update(state)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return what ``copy.copy`` returns."""
        made = memo[id(self)] = self.__copy__()
        state = getattr(self, "__dict__", None)
        if state:
            made.__dict__.update(deepcopy(state, memo))
        return made

    def _in_a_graph(self) -> bool:
        node = self._node
        return node is not None and (node.op is not None or (isinstance(node, TracedLeaf) and current().recording))

    def __reduce__(self) -> Any:
        if self._in_a_graph():
            op = leaf_of(self).op
            what = "an argument that is differentiated" if op is None else f"the result of {op.name!r}"
            raise GraphError(
                f"{what} cannot be pickled: its graph stays here, so its gradient would be lost. Pickle t.detach() or "
                "t.numpy()."
            )
        leaf: Any = self
        grad = None if leaf.grad is None else np.array(leaf.grad._array)
        state = getattr(self, "__dict__", None) or None  # what a subclass adds
        return _rebuild, (type(self), np.array(self._array), leaf.requires_grad, leaf.name, grad), state


def _rebuild(kind: Any, data: Any, requires_grad: bool, name: str | None, grad: Any) -> Any:
    """Return a new leaf, without the ``__init__`` of a subclass."""
    made, tensor = kind.__new__(kind), result_type()
    tensor.__init__(made, data, requires_grad, name=name)  # type: ignore[call-arg]
    if grad is not None:
        made.grad = grad
    return made
