"""Tensor: an array and its place in the graph, with NumPy's operators and methods and PyTorch's ``backward``.

Floor 11: used by the transforms and views.
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from sys import _getframe
from typing import Any
from weakref import ref

import numpy as np

from autograd import hooks, inplace, protocols, reading
from autograd.accumulate import accumulate_grads
from autograd.box import (
    SMALL,
    Box,
    alias,
    is_shared,
    leaf_of,
    leave,
    read_only,
    set_result_type,
    small,
    unbox,
    values_of,
    wrap,
)
from autograd.conversions import Conversions
from autograd.differentiate import differentiate, differentiate_recorded
from autograd.effects import effect
from autograd.errors import ArgumentError, GraphError, InPlaceError, ShapeError
from autograd.forward import ask_for_graph
from autograd.graph import RETAINED, Alias, DetachSite, Leaf, Node, TracedLeaf, note_change, origin
from autograd.hints import told, unknown_attribute
from autograd.inplace import Writing
from autograd.methods import Methods
from autograd.modes import current, printable
from autograd.ops import indexing
from autograd.sharing import forget, lying_in, register

_released = attrgetter("released")


class Tensor(Methods["Tensor"], Writing["Tensor"], Conversions):
    """Hold an array and record what is computed from it, so that ``backward`` can give its gradient.

    ``data`` is anything that NumPy can read, and is copied (``copy=False`` shares an array). With
    ``requires_grad=True`` Python ints become floats; integer arrays raise DTypeError. Tensors hash by identity; ``==``
    compares values.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    Tensor([2., 4.])
    """

    __slots__ = ()

    @told
    def __init__(
        self,
        data: Any,
        requires_grad: bool = False,
        *,
        dtype: "np.typing.DTypeLike | None" = None,
        copy: bool = True,
        name: str | None = None,
    ) -> None:
        if requires_grad is not False and requires_grad is not True:
            reading.check_switch(requires_grad)
        array = reading.read(data, dtype, copy, requires_grad)
        self._array, self._node = array, None
        if requires_grad or name:
            name = None if name is None else printable(str(name))
            self._node = Leaf(small(array), array.shape, array.dtype, requires_grad, name)
        if current().tracer is not None:
            current().tracer.made(self)
        if not copy and type(array) is np.ndarray:
            self._settle(array)
        if self._node is not None and array.size > SMALL:
            self._node.holder = ref(self)

    def _settle(self, array: Any) -> None:
        """Register this leaf among those that lie in the same memory, and share their version."""
        node = leaf_of(self)
        other = lying_in(array, node)
        if other is not None:
            self._node = Alias(other, small(array), array.shape, array.dtype, "")
            self._node.needs, self._node.name, self._node.grad = node.needs, node.name, node.grad
        register(array, leaf_of(self), given=True)

    # ---------------------------------------------------------------------------------------------- what it holds

    @property
    def data(self) -> "np.typing.NDArray[Any]":
        """Return the array: writable for a leaf, read-only for the result of an op and for what looks at one.

        Assigning (also ``t.data -= …``) is noticed by graphs that need the old value: their backward raises
        InPlaceError. A write *into* the array (``t.data[0] = …``) between forward and backward is the one change that
        nothing can notice.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0]).data
        array([1., 2.])
        """
        array = values_of(self)
        if self._node is not None and self._node.op is not None:
            return read_only(np.asarray(array))
        if type(array) is not np.ndarray or not array.flags.writeable:
            if is_shared(self):
                return array
            leave(self)
            array = self._array = np.array(array)
            if self._node is not None:
                self._node.residuals = (small(array),)
        register(array, leaf_of(self))
        return array

    @data.setter
    @effect
    def data(self, value: Any) -> None:
        node = self._node
        if node is not None and node.op is not None:
            raise InPlaceError(
                f"data of the result of {node.op.name!r} cannot be replaced; compute a new Tensor, or use .detach()."
            )
        if value is self._array and node is not None:  # changed in place: only its time is new
            note_change([node])
            return
        array = value if value is self._array else reading.read(value, None, False, self.requires_grad)
        if node is not None:
            forget(self._array, node)
            leave(self)
            node = self._node = self._renewed(node, array)
            note_change([node])
            node.residuals, node.dtype = (small(array),), array.dtype
        self._array = array
        if type(array) is np.ndarray and not isinstance(node, TracedLeaf):
            self._settle(array)

    def _renewed(self, node: Node, array: Any) -> Node:
        """Return the node for a new ``array``: a new one if the shape differs, as graphs may rely on the old shape."""
        if array.shape == node.shape:
            return node
        if isinstance(node, TracedLeaf):
            raise ShapeError(
                f"data of shape {array.shape} for the argument of a function that is differentiated, of shape "
                f"{node.shape}. Compute a new Tensor from it instead."
            )
        note_change([node])
        node.released = True
        return Leaf(None, array.shape, array.dtype, node.needs, node.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the length of each axis; can be set, as that of an array.

        >>> import autograd as ag
        >>> ag.Tensor([[1.0, 2.0]]).shape
        (1, 2)
        """
        return self._array.shape

    @shape.setter
    def shape(self, value: Any) -> None:
        inplace.set_shape(self, value)

    @property
    def grad(self) -> "Tensor | None":
        """Return the accumulated gradient of a leaf (or of a result after ``retain_grad``), or None.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        Tensor([2., 4.])
        """
        node: Any = self._node
        if current().tracer is not None:
            current().tracer.reads_state("the grad of a Tensor")
        if node is None or node.grad is None or (node.op is not None and not node.retain & RETAINED):
            return None
        if not isinstance(node.grad, Box):
            node.grad = wrap(node.grad)
        grad: Any = node.grad
        return grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if current().tracer is not None:  # as ``effect`` has it, which costs more
            current().tracer.does(Tensor.grad.fset, (self, value), {}, False)  # type: ignore[attr-defined]
            return
        if value is None:
            if self._node is not None:
                self._node.grad = None
            return
        value = reading.as_seed(value, self.dtype, "grad")
        value = value if isinstance(value, Box) else wrap(np.array(value))
        if value._array.shape != self.shape:
            raise ShapeError(f"grad must have the shape of the Tensor, {self.shape}, got {value._array.shape}.")
        leaf_of(self).grad = value

    @property
    def requires_grad(self) -> bool:
        """Tell whether gradients flow to or through this Tensor; can be set on leaves.

        >>> import autograd as ag
        >>> ag.Tensor(1.0, requires_grad=True).requires_grad
        True
        """
        return self._node is not None and self._node.needs

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        reading.check_switch(value)
        node: Any = self._node
        if node is not None and node.op is not None:
            if not value:
                raise GraphError(
                    f"requires_grad of the result of {node.op.name!r} cannot be switched off; use .detach()."
                )
            return
        if value:
            reading.check_float(self._array.dtype)
        if node is None or isinstance(node, TracedLeaf):
            leaf_of(self).needs = bool(value)
        elif node.needs != bool(value):  # a node of its own from here on: graphs keep what was true at their time
            known = getattr(node, "other", None)
            made = None if known is None else known()  # that of a graph which is still there gets its gradient
            if made is None or (made.shape, made.dtype) != (node.shape, node.dtype):
                made = Alias(origin(node), node.residuals[0], node.shape, node.dtype, "")
                made.needs, made.other, node.other = bool(value), ref(node), ref(made)
            made.name, made.grad, self._node = node.name, node.grad, made

    @property
    def name(self) -> str | None:
        """Return the name that pictures and messages show.

        >>> import autograd as ag
        >>> ag.Tensor(1.0, name="w").name
        'w'
        """
        return None if self._node is None else self._node.name

    @name.setter
    def name(self, value: str | None) -> None:
        leaf_of(self).name = None if value is None else printable(str(value))

    @property
    def is_leaf(self) -> bool:
        """Tell whether no recorded op made this Tensor.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> x.is_leaf, (x * 2).is_leaf
        (True, False)
        """
        return self._node is None or self._node.op is None

    def numpy(self) -> "np.typing.NDArray[Any]":
        """Return the array without its history: the leaf's own array, or a read-only one for a result.

        >>> import autograd as ag
        >>> ag.Tensor([1.0, 2.0]).numpy()
        array([1., 2.])
        """
        return self.data

    def detach(self) -> "Tensor":
        """Return a Tensor with the same values, outside the graph and without gradient; memory is shared.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).detach()
        Tensor([1., 4.])
        """
        tracer = current().tracer
        if tracer is not None and tracer.made_inside(self) is False:
            return tracer.identity(self, "detach", needs=False)  # read at each call, as the Tensor is
        caller = _getframe(1)
        cut = DetachSite("detach", caller.f_code.co_filename, caller.f_lineno)
        return alias(self._array, self, cut)

    # ------------------------------------------------------------------------------------------------- gradients

    @effect(values=False)
    def backward(self, gradient: Any = None, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add the gradient of this Tensor with respect to every leaf that requires one to the leaf's ``.grad``.

        ``gradient`` is the upstream gradient (same shape; may be omitted for one element: 1). Saved arrays are released
        on the way unless ``retain_graph``; with ``create_graph`` the gradients are themselves recorded and can be
        differentiated again. Raises GraphError when nothing was recorded or the arrays are gone. All leaves are written
        after the pass, or none.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        Tensor([2., 4.])
        """
        root: Any = self._node
        check_needs(root is not None and root.needs)
        ask_for_graph()
        seed = self.seed(gradient)
        retained: dict[Node, Any] = {}
        if create_graph:
            seed = seed if isinstance(seed, Box) else wrap(seed)
            found = differentiate_recorded({root: seed}, retained=retained)
        else:
            found = differentiate({root: unbox(seed)}, release=not retain_graph, retained=retained)
        if any(map(_released, found)):
            leaf = next(filter(_released, found))
            raise InPlaceError(
                f"backward reached leaf {leaf.name or '(no name)'} of shape {leaf.shape}, which has data of "
                "another shape by now. Assign such data after backward, or make a new Tensor."
            )
        accumulate_grads(found)
        accumulate_grads(retained)

    def seed(self, gradient: Any = None) -> Any:
        """Return an upstream gradient for this Tensor, checked: 1 by default for a single number.

        Raises GraphError where one must be given, ShapeError where it does not fit.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> x.sum().seed(), x.seed([1.0, 0.0])
        (np.float64(1.0), array([1., 0.]))
        """
        if gradient is None:
            array = self._array
            if array.dtype.kind == "c":
                raise GraphError(
                    f"backward() of a complex result, dtype {array.dtype}, needs gradient=: only a real number is a "
                    "loss. Take .real, .imag or abs() of it, or pass the upstream gradient."
                )
            if array.size != 1:
                raise GraphError(
                    f"backward() without gradient= needs one element, got shape {self.shape}. Reduce it (.sum(), "
                    ".mean()), "
                    "or pass gradient= of that shape."
                )
            return array.dtype.type(1) if not array.ndim else np.ones(array.shape, array.dtype)
        gradient = reading.as_seed(gradient, self.dtype, "backward(gradient=)")
        if gradient.shape != self.shape:
            raise ShapeError(f"backward(gradient=): expected shape {self.shape}, got {gradient.shape}.")
        return gradient if isinstance(gradient, Box) else np.array(gradient)[()]

    @effect(values=False)
    def zero_grad(self) -> None:
        """Forget the accumulated gradient: ``.grad`` becomes None.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> x.sum().backward()
        >>> x.zero_grad()
        >>> print(x.grad)
        None
        """
        if self._node is not None:
            self._node.grad = None

    def retain_grad(self) -> None:
        """Make ``.grad`` available on the result of an op after the next backward.

        >>> import autograd as ag
        >>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
        >>> h = x * x
        >>> h.retain_grad()
        >>> h.sum().backward()
        >>> h.grad
        Tensor([1., 1.])
        """
        if not self.requires_grad:
            raise GraphError("retain_grad() on a Tensor that needs no gradient.")
        if not self.is_leaf:
            leaf_of(self).retain |= RETAINED

    @effect(values=False)
    def register_hook(self, hook: Callable[[Any], Any]) -> hooks.Handle:
        """Call ``hook(g)`` with the gradient of this value when a pass has completed it; ``.remove()`` ends that.

        ``g`` is a Tensor. What the hook returns, if not None, takes its place: for what is before this value, and in
        ``.grad``. Hooks run in the order of their registration, also in the passes of transforms.

        >>> x = Tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g.clip(-3, 3))
        >>> (x**2 * 2).sum().backward()
        >>> x.grad
        Tensor([3., 3.])
        >>> handle.remove()
        """
        if not self.requires_grad:
            raise GraphError("register_hook() on a Tensor that needs no gradient. Set requires_grad first.")
        if not callable(hook):
            raise ArgumentError(f"register_hook takes a function of a gradient, got {type(hook).__name__}: {hook!r}.")
        return hooks.register(leaf_of(self), hook)

    # -------------------------------------------------------------------------------------------------- indexing

    def __getitem__(self, index: Any) -> "Tensor":
        return indexing.getitem(self, index)

    def __iter__(self) -> Iterator["Tensor"]:
        if not self.ndim:
            raise TypeError("iteration over a 0-d Tensor; use .item() for its number.")
        return (self[i] for i in range(len(self)))

    # ----------------------------------------------------------------------------------------- Python's protocols

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return protocols.array_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return protocols.array_function(function, types, args, kwargs)


def check_needs(needs: bool) -> None:
    """Refuse to run backward where no gradient flows."""
    if not needs:
        raise GraphError(
            "backward() on a Tensor that needs no gradient: no input had requires_grad=True, or it was computed "
            "under no_grad() or detached."
        )


def _refuse_name(self: Tensor, name: str) -> Any:
    """Raise, and name what replaces an attribute of PyTorch's."""
    raise unknown_attribute(type(self), name)


def _refuse_label(self: Tensor, value: Any = None) -> Any:
    """Raise: the word is ``name``."""
    raise unknown_attribute(type(self), "label")


# Not in the class, where type checkers would then take every name for a good one, and editors offer ``label``.
setattr(Tensor, "__getattr__", _refuse_name)  # noqa: B010
setattr(Tensor, "label", property(_refuse_label, _refuse_label))  # noqa: B010
set_result_type(Tensor)
