"""Solutions of equations as ops: a solver of SciPy gives the value, a rule written for the equation the gradient.

The functions that users pass may read Tensors from outside: these are found by one recorded run, stand among the
parents of the solution, and get their gradients like arguments.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.box import Box, leaf_of, needs_grad, small, unbox, wrap
from autograd.differentiate import differentiate, differentiate_recorded
from autograd.errors import DTypeError, GraphError, InPlaceError
from autograd.graph import Leaf, Node, ancestors, leading_to, next_order, reaches_other_leaf, versions
from autograd.modes import current, enable_grad, no_grad, watched_by
from autograd.ops.joining import array
from autograd.rules import Op
from autograd.tree import flatten
from autograd.vjp import check, fit, identity_node

Function = Callable[..., Any]


def values(f: Function) -> Function:
    """Make of a user's function one of arrays, for SciPy: nothing is recorded, lists of numbers become an array."""

    def plain(*args: Any) -> Any:
        with no_grad():
            return unbox(joined(f(*args)))

    return plain


def joined(y: Any) -> Any:
    """Make one array, or one Tensor, of what a function returned."""
    y = as_real(array(y) if isinstance(y, tuple | list) else y, "a function given to a solver returned")
    return y if isinstance(y, Box) else np.asarray(y, float)


def as_real(x: Any, who: str) -> Any:
    """Refuse complex numbers: solvers, and the rules of their solutions, are those of real ones."""
    if np.iscomplexobj(unbox(x)):
        raise DTypeError(
            f"autograd.scipy: {who} complex numbers, and solvers take real ones here. Solve for real and imaginary "
            "parts, as in np.concatenate([z.real, z.imag])."
        )
    return x


def closed_over(f: Function, *sample: Any) -> list[Node]:
    """Find what ``f`` reads besides its arguments and what needs a gradient, by one recorded run."""
    if not current().recording:
        return []
    start = next_order()
    with watched_by(None):  # a jvp around this would cut the graph that is read here
        y = f(*[_leaf(x) for x in sample])
    roots = [part._node for part in flatten(y)[0] if needs_grad(part)]
    found: dict[Node, None] = {}
    for root in roots:
        for node in ancestors(root, lambda node: node.order < start):
            if node.order > start and node.needs:
                found[node] = None
    return list(found)


def _leaf(x: Any) -> Any:
    data = np.asarray(unbox(x), float)[()]
    return wrap(data, Leaf(None, data.shape, data.dtype, True))


def value_and_vjp(f: Function, args: Sequence[Any], g: Any, nodes: Sequence[Node] = ()) -> tuple[Any, list[Any]]:
    """Return f(*args) and the gradients of Σ g · f, for each argument and then for each of ``nodes``.

    They are Tensors where an argument or ``g`` is one that is being recorded, else arrays.
    """
    traced = current().recording and any(isinstance(x, Box) for x in (*args, g))
    boxes = [wrap(x._array, identity_node(x._node)) if traced and needs_grad(x) else _leaf(x) for x in args]
    own = [*[box._node for box in boxes], *nodes]
    start = next_order()
    with enable_grad():
        y = joined(f(*boxes))
    found: dict[Node, Any] = {}
    if needs_grad(y):
        if reaches_other_leaf([y._node], set(own), lambda leaf: leaf.order > start):
            raise GraphError(
                "a function given to a solver reads a Tensor at some points only, so its gradient would be lost. "
                "Read it at all points, as in np.where(…), or detach it."
            )
        seed = wrap(g) if traced and not isinstance(g, Box) else g if traced else unbox(g)
        run = differentiate_recorded if traced else differentiate
        found = run({y._node: seed}, set(own), wanted=leading_to(y._node, set(own)))
    gradients = [found[node] if node in found else np.zeros(node.shape, node.dtype)[()] for node in own]
    return (y if traced else unbox(y)), gradients


class Solution(Op):
    """Declare one solution: ``rule(g, y, inputs)`` gives the gradients of the inputs, then of the nodes closed over.

    ``probe`` is a function that the rule will call again, and a point at which it must give the same value then.
    """

    __slots__ = ("probe", "rule", "said")

    def __init__(self, name: str, inputs: Sequence[str], rule: Function, probe: tuple[Any, ...]) -> None:
        super().__init__(_unused, name, symbol=name.rpartition(".")[2], inputs=list(inputs), vjp=lambda g, y: (None,))
        self.rule, self.vjp, self.probe, self.said = rule, _solution_vjp, probe, _asked(probe)

    def reads(self, needs: Sequence[bool]) -> frozenset[int]:
        """Read the inputs; of what the functions close over nothing is kept, they read it again in backward."""
        return frozenset(range(len(self.inputs)))


def _asked(probe: tuple[Any, ...]) -> Any:
    f, *point = probe
    return np.array(values(f)(*point))


def _unused(*args: Any) -> Any:
    raise NotImplementedError


def _solution_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None) -> Any:
    if node.released or versions.latest < node.order:
        check(node)
        changed = [each for each in node.parents[len(node.op.inputs) :] if each.version < node.order]
        if changed:
            raise InPlaceError(
                f"a Tensor of shape {changed[0].shape} that the function of {node.op.name!r} reads was changed in "
                "place after it was used. Change it after backward, or use a new Tensor."
            )
    op, parents = node.op, node.parents
    if not np.array_equal(op.said, _asked(op.probe), equal_nan=True):
        raise GraphError(
            f"the function of {op.name!r} gives another value in backward than it gave before, so its gradient would "
            "be wrong. An array that it reads was changed, or it is random: make it give the same for the same "
            "arguments."
        )
    cotangents = op.rule(g, residuals[len(parents)], residuals[: len(op.inputs)])
    return [
        (parent, fit(cotangent, parent, op, i))
        for i, (parent, cotangent) in enumerate(zip(parents, cotangents, strict=True))
        if parent is not None and parent.needs and (wanted is None or parent in wanted)
    ]


def solution(name: str, value: Any, inputs: dict[str, Any], nodes: Sequence[Node], rule: Function, *probe: Any) -> Any:
    """Return the value of a solution, recorded if an input or a node that it closes over needs a gradient."""
    boxed = list(inputs.values())
    if not current().recording or not (nodes or any(needs_grad(x) for x in boxed)):
        return wrap(value) if any(isinstance(x, Box) for x in boxed) else value
    value = np.asarray(value)[()]
    op = Solution(name, list(inputs), rule, (probe[0], *[np.array(x)[()] for x in probe[1:]]))
    data = [np.array(unbox(x))[()] for x in boxed]
    parents = (*[_node(x, kept) for x, kept in zip(boxed, data, strict=True)], *nodes)
    residuals = (*data, *[None] * len(nodes), value)
    return wrap(value, Node(op, parents, residuals, None, value.shape, value.dtype, current().scope))


def _node(x: Any, data: Any) -> Node | None:
    if isinstance(x, Box):
        return leaf_of(x)
    return Leaf(small(data), data.shape, data.dtype, False) if data.ndim else None
