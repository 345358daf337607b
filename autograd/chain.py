"""Several ops in a row, each on the result of the one before: recorded one by one, applied without detours between.

>>> import numpy as np, autograd as ag
>>> w = ag.Tensor([2.0, -1.0], requires_grad=True)
>>> double_and_cut = Chain([(np.multiply, (w,), {}, None), (ag.relu, (), {}, None)])
>>> double_and_cut(ag.Tensor([3.0, 3.0]))
Tensor([6., 0.], op=relu)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autograd.box import SMALL, Box, as_raw, leaf_of, small, wrap
from autograd.errors import ArgumentError
from autograd.graph import Leaf, Node, make_node
from autograd.modes import State, current, scope
from autograd.primitive import dispatch
from autograd.pull import floating
from autograd.rules import Op

_NDARRAY = np.ndarray


class _Link(NamedTuple):
    """Hold one op of a chain: where its other inputs stand among those of all steps, and where it is in the model."""

    op: Op
    forward: Callable[..., Any]
    at: slice
    keywords: dict[str, Any]
    place: scope | None


class Chain:
    """Apply ops one after the other: what it records is what they would record, for half the price.

    Each step is (op, other inputs, keywords, scope or None): the op is called with the result of the step before, then
    with its other inputs, which are Tensors. Raises ArgumentError for a function that is no op of one output.
    """

    def __init__(
        self, steps: Iterable[tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any], scope | None]]
    ) -> None:
        self._links: list[_Link] = []
        self._tensors: list[Box] = []
        for function, tensors, keywords, place in steps:
            op: Any = getattr(dispatch.get(function, function), "op", None)
            if not isinstance(op, Op) or op.cache or op.view or op.variadic or len(op.inputs) != 1 + len(tensors):
                raise ArgumentError(
                    f"Chain: {getattr(function, '__name__', function)!r} must be an op with one output and "
                    f"{1 + len(tensors)} inputs, declared with autograd.op."
                )
            at = slice(len(self._tensors), len(self._tensors) + len(tensors))
            self._links.append(_Link(op, op.forward, at, {**op.keywords, **keywords}, place))
            self._tensors += tensors

    def __call__(self, x: Any) -> Any:
        """Apply all steps to ``x``; give NotImplemented where a result is a number or a tuple and not an array."""
        state, node = current(), None
        if isinstance(x, Box):
            data, node = x._array, x._node
        else:
            data = as_raw(x, "Chain")
            data = data.copy() if state.recording and type(data) is _NDARRAY else data  # its owner may change it
        arrays = [t._array for t in self._tensors]
        leaves = [t._node or leaf_of(t) for t in self._tensors] if state.recording else []
        for link in self._links:
            before = data
            data = link.forward(before, *arrays[link.at], **link.keywords)
            if data.__class__ is not _NDARRAY or data is before:
                return NotImplemented
            if state.recording:
                node = _node(link, (node, *leaves[link.at]), [before, *arrays[link.at]], data, state)
        return wrap(data, node)


def _node(link: _Link, parents: tuple[Any, ...], saved: list[Any], y: Any, state: State) -> Any:
    """Record one step; give None where nothing needs a gradient."""
    op, _, _, keywords, place = link
    needs = tuple([p is not None and p.needs for p in parents])
    if True not in needs:
        return None
    keep = op.kept_for(needs)
    if parents[0] is None:
        x = saved[0]
        parents = (Leaf(small(x), x.shape, x.dtype, False), *parents[1:])
    if not keep.whole:
        saved = [v if i in keep.inputs or v.size <= SMALL else None for i, v in enumerate(saved)]
    saved.append(y if keep.output or y.size <= SMALL else None)
    floating(op.name, y.dtype)
    where = state.scope if place is None else place.inside(state).scope
    return make_node(Node, op, parents, tuple(saved), keywords, y.shape, y.dtype, where)
