"""What an optimizer asks of leaves, and which Tensors a result depends on.

Floor 12: public as ``autograd.leaf_arrays`` and its kin.

>>> from autograd import Tensor
"""

from collections.abc import Iterable
from typing import Any

from autograd.box import Box
from autograd.effects import effect
from autograd.errors import ArgumentError
from autograd.graph import ancestors, note_change
from autograd.modes import current
from autograd.tensor import Tensor


def leaf_arrays(leaves: Iterable[Tensor]) -> tuple[list[Any], list[Any]]:
    """List the arrays and the gradients (None where there is none) of leaves: what an optimizer reads, in one call.

    The arrays are the leaves' own. After a change in place tell it with :func:`mark_changed`.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> x.sum().backward()
    >>> leaf_arrays([x])
    ([array([1., 2.])], [array([1., 1.])])
    """
    if current().tracer is not None:
        current().tracer.reads_state("the arrays of leaves")
    arrays, grads = [], []
    for leaf in leaves:
        node: Any = leaf._node
        g = None if node is None else node.grad
        arrays.append(leaf._array)
        grads.append(g._array if isinstance(g, Box) else g)
    return arrays, grads


def depends_on(result: Tensor, tensors: Iterable[Tensor]) -> list[bool]:
    """Tell of each Tensor whether ``result`` was computed from it, so that a gradient would reach it.

    >>> x, y = Tensor(1.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    >>> depends_on(x * x, [x, y])
    [True, False]
    """
    if not isinstance(result, Tensor):
        raise ArgumentError(f"depends_on takes a result and a list of Tensors, got {type(result).__name__} first.")
    root = result._node
    below = set() if root is None else set(ancestors(root, lambda node: bool(node.needs)))
    return [tensor._node in below and tensor.requires_grad for tensor in tensors]


@effect
def mark_changed(leaves: Iterable[Tensor]) -> None:
    """Say that the arrays of these leaves were changed in place: graphs that need the old values then refuse them.

    >>> import autograd as ag
    >>> w = ag.Tensor([1.0, 2.0], requires_grad=True)
    >>> y = (w * w).sum()
    >>> w.data[:] = 0.0
    >>> ag.mark_changed([w])
    >>> try:
    ...     y.backward()
    ... except ag.errors.InPlaceError as error:
    ...     print(error)
    input 'a' of 'multiply', shape (2,), was changed in place after it was used. ...
    """
    note_change([leaf._node for leaf in leaves])
