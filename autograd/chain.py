"""Several ops in a row, each on the result of the one before: recorded one by one, applied without detours between.

>>> import numpy as np, autograd as ag
>>> w = ag.Tensor([2.0, -1.0], requires_grad=True)
>>> double_and_cut = Chain([(np.multiply, (w,), {}, None), (ag.relu, (), {}, None)])
>>> double_and_cut(ag.Tensor([3.0, 3.0]))
Tensor([6., 0.], op=relu)
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any

import numpy as np

from autograd.box import SMALL, Box, as_raw, keeps_values, leaf_of, wrap
from autograd.errors import ArgumentError
from autograd.folded import Folded
from autograd.modes import Scope, State, current, scope
from autograd.plan import Plan, plan_for
from autograd.primitive import dispatch
from autograd.rules import Op

_NDARRAY = np.ndarray


class Chain:
    """Apply ops one after the other: what it records is what they would record, for half the price.

    Each step is (op, other inputs, keywords, scope or None): the op is called with the result of the step before, then
    with its other inputs, which are Tensors. Raises ArgumentError for a function that is no op of one output.
    """

    def __init__(
        self, steps: Iterable[tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any], scope | None]]
    ) -> None:
        self._ops: list[Op] = []
        self._keywords: list[dict[str, Any]] = []
        self._tensors: list[Box] = []
        self._places: list[scope | None] = []
        self._plans: dict[tuple[bool, ...], tuple[int, Plan | None]] = {}
        self._known: tuple[Any, list[Scope | None]] | None = None
        for function, tensors, keywords, place in steps:
            op: Any = getattr(dispatch.get(function, function), "op", None)
            if not isinstance(op, Op) or op.cache or op.view or op.variadic or len(op.inputs) != 1 + len(tensors):
                raise ArgumentError(
                    f"Chain: {getattr(function, '__name__', function)!r} must be an op with one output and "
                    f"{1 + len(tensors)} inputs, declared with autograd.op."
                )
            self._ops.append(op)
            self._keywords.append({**op.keywords, **keywords})
            self._tensors += tensors
            self._places.append(place)

    def __call__(self, x: Any) -> Any:
        """Apply all steps to ``x``; give NotImplemented where a result is no array of the dtype of ``x``."""
        data, node = (x._array, x._node) if isinstance(x, Box) else (as_raw(x, "Chain"), None)
        others, state = [t._array for t in self._tensors], current()
        if not state.recording:
            y = self._apply(data, others, len(self._ops))
            return y if y is NotImplemented else wrap(y)
        leaves = [t._node or leaf_of(t) for t in self._tensors]
        needs = (node is not None and node.needs, *[leaf.needs for leaf in leaves])
        known = self._plans.get(needs)
        start, plan = self._plan(needs) if known is None else known
        keywords, scopes = self._keywords, self._scopes(state)
        if start:
            data, node = self._apply(data, others, start), None
            if plan is None:
                return data if data is NotImplemented else wrap(data)
            skip = len(others) - plan.others[-1].stop
            others, leaves, keywords, scopes = others[skip:], leaves[skip:], keywords[start:], scopes[start:]
        if plan is None or data.__class__ is not _NDARRAY or data.dtype.kind != "f":
            return NotImplemented
        if not start and not isinstance(x, Box) and (plan.reads[0] or data.size <= SMALL):
            data = data.copy()  # its owner may change it
        result = plan.forward(data, *others, keywords)
        if result is None:
            return NotImplemented
        given, (data, values) = data, result
        for j in plan.unread:
            if others[j].size > SMALL:
                others[j] = None
        run = Folded(plan, (node, values, others, leaves, keywords, scopes), data.shape, data.dtype)
        if keeps_values():
            values[0] = given if isinstance(x, Box) else given.copy()
            run.unfold()
        return wrap(data, run)

    def _plan(self, needs: tuple[bool, ...]) -> tuple[int, Plan | None]:
        """Find how many steps come before anything that needs a gradient, and the plan of the rest."""
        ends = [0, *accumulate(len(op.inputs) - 1 for op in self._ops)]  # where the other inputs of each step end
        ops = tuple(zip(self._ops, map(bool, self._keywords), strict=True))
        start, plan = len(ops), None
        if True in needs:
            start = 0 if needs[0] else bisect_right(ends, needs.index(True) - 1) - 1
            plan = plan_for(ops[start:], (needs[0], *needs[1 + ends[start] :]))
        self._plans[needs] = start, plan
        return start, plan

    def _scopes(self, state: State) -> list[Scope | None]:
        """Give the place of each step, were it called from here; remembered for the next call from the same place."""
        known = self._known
        if known is None or known[0] is not state.scope:
            scopes = [state.scope if place is None else place.inside(state).scope for place in self._places]
            known = self._known = state.scope, scopes
        return known[1]

    def _apply(self, data: Any, others: list[Any], count: int) -> Any:
        """Apply the first ``count`` steps, which nobody records."""
        at = 0
        for op, keywords in zip(self._ops[:count], self._keywords, strict=False):
            before, end = data, at + len(op.inputs) - 1
            data = op.forward(before, *others[at:end], **keywords)
            at = end
            if data.__class__ is not _NDARRAY or data is before:
                return NotImplemented
        return data
