"""Several ops as one node: a chain is recorded and walked back as a whole, its nodes are made when somebody looks.

A :class:`Folded` node is the last node of its chain. What other nodes have from the start (parents, saved values) it
gets at the first question for it, together with the nodes before it: whoever looks sees the graph that the ops would
have recorded one by one. The walk does not ask.
"""

from collections.abc import Sequence
from threading import RLock
from typing import Any

import numpy as np

from autograd.box import SMALL, small
from autograd.graph import Leaf, Node, clock, make_node, tick
from autograd.plan import Plan
from autograd.rules import Shares

_NDARRAY = np.ndarray
_LATE = frozenset({"a", "b", "more", "saved", "kwargs"})
_unfolding = RLock()

# The node of the input, values from it to the output, arrays and nodes of the other inputs, keywords and scopes of the
# steps. A shape among the values stands for an array that no rule reads.
Held = tuple[Node | None, list[Any], list[Any], list[Node], Sequence[dict[str, Any]], Sequence[Any]]


class Folded(Node):
    """Be the last node of a chain; the nodes before it, and its own parents, are made when somebody asks for them."""

    __slots__ = ("at", "cots", "held", "plan")
    plan: Plan | None
    held: Held | None  # None once the nodes are there
    cots: dict[int, Any]
    at: int

    def __init__(self, plan: Plan, held: Held, shape: Any, dtype: Any) -> None:
        self.plan = plan
        self.held = held
        self.op = plan.ops[-1]
        self.shape = shape
        self.dtype = dtype
        self.scope = held[5][-1]
        self.order = tick()
        self.released = self.retain = False
        self.cot = self.grad = self.name = None
        self.cots = {}
        self.at = -1

    def pull(self, g: Any, release: bool) -> Shares | None:
        """Give the input of the chain and each leaf its share of ``g``; None: the nodes must be asked one by one."""
        plan, held = self.plan, self.held
        if plan is None or held is None or plan.backward is None or self.released:
            return None
        source, values, others, leaves, keywords, _ = held
        if clock.changed < self.order and any(
            node is not None and node.changed < self.order for node in (source, *leaves)
        ):
            return None
        if release:  # from here on the arrays go, also if a rule raises
            with _unfolding:
                if self.released:
                    return None
                self.released = True
        try:
            shares = plan.backward(g, self, values, others, leaves, keywords, release)
        except Exception as error:
            self.at = _step_of(error)
            raise
        if shares is None:
            return None
        pairs: Shares
        pairs, g = shares
        if source is not None and plan.needs[0][0]:
            pairs.append((source, g))
        if release:
            x = values[0]
            if x.__class__ is _NDARRAY and x.size > SMALL:
                values[0] = x.shape
            others[:] = [a if a is not None and a.size <= SMALL else None for a in others]
        return pairs

    @property
    def where(self) -> tuple[Any, Any]:
        """Give op and scope of the step at which an error came up."""
        plan, held = self.plan, self.held
        return (self.op, self.scope) if plan is None or held is None else (plan.ops[self.at], held[5][self.at])

    def __getattr__(self, name: str) -> Any:
        if name in _LATE:
            self.unfold()
        return object.__getattribute__(self, name)

    def unfold(self) -> None:
        """Make the nodes of the chain; doing it twice is harmless."""
        with _unfolding:
            if self.plan is not None and self.held is not None:
                self._unfold(self.plan, self.held)

    def _unfold(self, plan: Plan, held: Held) -> None:
        """Make the nodes that ops applied one by one would have made; the last of them is this one."""
        source, values, others, leaves, keywords, scopes = held
        last, x = len(plan.ops) - 1, values[0]
        node = source
        if node is None:  # a constant, older than the nodes of the chain
            node = Leaf(_value(x), _shape(x), self.dtype, False)
            node.order = self.order + (last + 0.5) / (last + 1)
        for i, op in enumerate(plan.ops):
            at, keep, y = plan.others[i], plan.kept[i], values[i + 1]
            saved = [_stays(v, k in keep.inputs) for k, v in enumerate((values[i], *others[at]))]
            saved.append(_stays(y, keep.output))
            made = make_node(Node, op, (node, *leaves[at]), tuple(saved), keywords[i], _shape(y), self.dtype, scopes[i])
            if i < last:
                made.order = self.order + (last - i) / (last + 1)  # after the node before the chain, before this one
                made.released, made.cot = self.released, self.cots.get(i + 1)
                node = made
        self.a, self.b, self.more, self.saved, self.kwargs = made.a, made.b, made.more, made.saved, made.kwargs
        self.plan = self.held = None


def _step_of(error: Exception) -> int:
    """Tell at which step the generated code was; in a function of its own, as a frame kept by a local is a cycle."""
    inner: Any = error.__traceback__ and error.__traceback__.tb_next
    at: int = inner.tb_frame.f_locals.get("at", -1)
    return at


def _shape(value: Any) -> Any:
    return value if value.__class__ is tuple else value.shape


def _value(value: Any) -> Any:
    return None if value.__class__ is tuple else small(value)


def _stays(value: Any, kept: bool) -> Any:
    return value if value is not None and value.__class__ is not tuple and (kept or value.size <= SMALL) else None
