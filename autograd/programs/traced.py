"""What stands for a value while a function is traced: a Tensor that knows its place in the program.

Whatever reads its numbers raises TraceError, so nothing computed from them outside the program can grow stale.
"""

import operator
from sys import _getframe
from typing import Any

import numpy as np

from autograd.box import Box
from autograd.errors import TraceError
from autograd.graph import Symbol
from autograd.hints import unknown_attribute
from autograd.inplace import overlap, read_only_view
from autograd.modes import current
from autograd.ops import casting, indexing, sorting
from autograd.primitive import opaque
from autograd.programs.outside import is_numpys, is_ours, user_line
from autograd.programs.values import INPUT, RESULT
from autograd.tensor import Tensor

_and, _or, _xor, _invert = map(opaque, (operator.and_, operator.or_, operator.xor, operator.invert))


class Traced(Tensor):
    """Stand for a value of the program while it is traced."""

    __slots__ = ()

    @property
    def _array(self) -> Any:
        """Return the array of the traced call, to the run that is traced and to no other."""
        node: Any = self._node
        node.tracer.check_use()
        return _ARRAY_OF.__get__(self)

    @_array.setter
    def _array(self, array: Any) -> None:
        _ARRAY_OF.__set__(self, array)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return what ``isinstance`` asks for: an array where the function itself would have one."""
        if self._is_array(_getframe(1)):
            return type(_ARRAY_OF.__get__(self))
        return Traced

    def _is_array(self, frame: Any) -> bool:
        """Tell whether the code of the user's that runs in ``frame`` would have an array in place of this Tensor."""
        node: Any = self._node
        return node.value.seen is False and not is_ours(frame.f_code.co_filename) and not is_numpys(frame)

    def __getattr__(self, name: str) -> Any:
        if hasattr(np.ndarray, name) and not name.startswith("__") and self._is_array(_getframe(1)):
            _tracer().give_up(f"it asks an array for {name!r}, which a Tensor does not have.")
        raise unknown_attribute(Tensor, name)

    def __hash__(self) -> int:
        if self._is_array(_getframe(1)):  # a number by its value, and an array not at all
            _tracer().read(self)
        return object.__hash__(self)

    def __repr__(self) -> str:
        node: Any = self._node
        node.tracer.writes_out()
        return f"Traced(shape={node.shape}, dtype={node.dtype})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def detach(self) -> Any:
        return _tracer().identity(self, "detach", needs=False)

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        _tracer().goes_back(self, gradient, retain_graph, create_graph)

    def retain_grad(self) -> None:
        raise refusal("retain_grad() inside", "Return the value as well, or use ag.grad.")

    def register_hook(self, hook: Any) -> Any:
        tracer = _tracer()
        if tracer.loops:
            raise tracer.as_itself("register_hook() sees the numbers of one example.")
        raise refusal("register_hook() inside", "Register it on a Tensor outside, or leave that part out.")

    def _in_place(self, other: Any, function: Any, ufunc: Any) -> Any:
        value = function(self, other)
        if type(self._array) is not np.ndarray:  # a number is bound anew: another name keeps the old one
            return value
        if value.shape != self.shape or value.dtype != self.dtype:
            raise refusal("an in-place change of shape or dtype in", "Write y = x + … for a new Tensor.")
        return self._become(value)

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(value, Box) and np.may_share_memory(self._array, value._array):
            tracer = _tracer()
            if overlap(self, index, value, tracer.looking):
                raise tracer.as_itself("assigning a view of a value to a place in its own memory is followed outside.")
        self._become(indexing.setitem(self, value, index))

    def fill(self, value: Any) -> None:
        self[...] = value

    def sort(self, axis: int = -1) -> None:
        self._become(sorting.sort(self, axis=axis))

    def partition(self, kth: Any, axis: int = -1) -> None:
        self._become(sorting.partition(self, kth, axis=axis))

    def _become(self, value: Any) -> Any:
        """Take on the value that was written, unless another name may look at the same memory."""
        mine, tracer, array = self._node.value, _tracer(), self._array  # type: ignore[union-attr]
        if mine.kind == RESULT and type(array) is np.ndarray and not array.flags.writeable:
            raise read_only_view("writing into")
        if mine.kind != RESULT or tracer.is_shared(mine):
            if mine.kind == RESULT and not tracer.is_given(mine):
                if not tracer.loops and tracer.write(self, value):
                    return self
                raise tracer.as_itself("a write into memory that another array may share is followed in one example.")
            raise refusal(
                "a write into an argument, or into memory that another array may share, in",
                "Write into a copy (y = x.copy()), or leave the write out.",
            )
        self._array, self._node = value._array, value._node
        return self

    def __and__(self, other: Any) -> Any:
        return _and(self, other)

    def __rand__(self, other: Any) -> Any:
        return _and(other, self)

    def __or__(self, other: Any) -> Any:
        return _or(self, other)

    def __ror__(self, other: Any) -> Any:
        return _or(other, self)

    def __xor__(self, other: Any) -> Any:
        return _xor(self, other)

    def __invert__(self) -> Any:
        return _invert(self)

    def __copy__(self) -> Any:
        value: Any = self._node.value  # type: ignore[union-attr]
        if value.kind == INPUT and value.needs:
            _tracer().give_up("it copies an argument that requires a gradient: the copy is a leaf of its own.")
        return casting.copy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__copy__()

    def __reduce__(self) -> Any:
        raise refusal("pickling a value of", "Pickle the result of the compiled function.")


PROGRAM = "a function that is being compiled"
_ARRAY_OF: Any = Box.__dict__["_array"]  # the slot
_CLASS_OF: Any = object.__dict__["__class__"]


class _OfTensors:
    """Notice who asks an array for what only Tensors have: ``hasattr(x, "detach")``."""

    def __init__(self, name: str, found: Any) -> None:
        self.name, self.found = name, found

    def __get__(self, box: Any, kind: Any = None) -> Any:
        if box is not None and box._is_array(_getframe(1)):
            _tracer().give_up(f"it asks an array for {self.name!r}, which only Tensors have.")
        return self.found.__get__(box, kind)

    def __set__(self, box: Any, value: Any) -> None:
        self.found.__set__(box, value)


_TENSORS = "backward detach grad is_leaf name numpy register_hook requires_grad retain_grad zero_grad"
for _name in _TENSORS.split():
    setattr(Traced, _name, _OfTensors(_name, vars(Traced).get(_name, getattr(Tensor, _name))))


def refusal(what: str, advice: str) -> TraceError:
    """Return the error for something that a program cannot hold: what, where, and the way out."""
    line, tracer = user_line(), current().tracer
    place = f" (line {line[1]} of {line[0]})" if line else ""
    if tracer is not None:  # in case somebody catches the error and goes on
        tracer.give_up(f"{what} it cannot be part of a program. {advice}")
    inside = getattr(tracer, "what", PROGRAM)
    return TraceError(f"{what} {inside}{place} cannot be part of the program. {advice}")


class RunsAsItself(TraceError):
    """Report what no program can hold, though the function does nothing wrong: whoever traces it runs it as itself."""


def _tracer() -> Any:
    tracer = current().tracer
    if tracer is None:
        raise TraceError("a value of a function that was compiled is used after the trace. Return what is needed.")
    return tracer


def take(box: Any, value: Any, tracer: Any) -> None:
    """Make a stand-in of a Tensor that was made in the trace."""
    box._node = Symbol(value, tracer)
    _CLASS_OF.__set__(box, Traced)


def become(box: Any, x: Any) -> None:
    """Make an ordinary Tensor of a value that outlives the trace."""
    if type(box) is Traced:
        box._node, box._array = (x._node, x._array) if isinstance(x, Box) else (None, x)
        _CLASS_OF.__set__(box, Tensor)
