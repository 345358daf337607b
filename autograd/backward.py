"""The backward pass: reverse-mode differentiation over any graph of nodes, whatever the cotangents are made of.

Floor 2: knows nodes, ``+`` and nothing of arrays.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from autograd.graph import Node

InputCotangents = Sequence[tuple[Node, Any]]  # the inputs of an op that want a cotangent, each with its own
VJP = Callable[[Node, Any], InputCotangents]


class UnderWay:
    """Hold the cotangents of a pass that is under way."""

    __slots__ = ("found", "waiting")

    def __init__(self) -> None:
        self.found: dict[Node, Any] = {}  # of leaves and targets: here the pass ends
        self.waiting: dict[int, list[Any]] = {}  # of the others, by their age, until their turn comes

    def at(self, node: Node, g: Any) -> dict[Node, Any]:
        """Return the cotangents from which a pass can be taken up again when the turn of ``node`` has come."""
        return self.found | dict(self.waiting.values()) | {node: g}


def backward_pass(
    cotangents: dict[Node, Any], vjp: VJP, targets: Collection[Node] = (), state: UnderWay | None = None
) -> dict[Node, Any]:
    """Push the cotangents of some nodes to every leaf and return those of the leaves: one vjp per node.

    ``vjp(node, g)`` gives for each parent that wants one its cotangent (∂node/∂parent)ᵀ g. The schedule is newest node
    first, so all users of a node are done when its turn comes: in ``b = a + a; c = b + b`` node ``b`` is visited once,
    with dc/db = 2 complete, where a plain recursion would visit it twice. The pass ends at leaves and at ``targets``.
    Cotangents live here (in ``state``, for a vjp that wants to see the others), not on the nodes, and are dropped as
    the pass goes on.
    """
    state = state or UnderWay()
    found, waiting = state.found, state.waiting
    queue: list[int] = []
    arriving: Iterable[tuple[Node, Any]] = cotangents.items()
    while True:
        node: Any = None  # the newest that is reached now: mostly it is next, and needs no place in the queue
        g = None
        for parent, cotangent in arriving:
            if parent.op is None or parent in targets:
                found[parent] = found[parent] + cotangent if parent in found else cotangent
            elif parent is node:
                g = g + cotangent
            elif (entry := waiting.get(parent.order)) is not None:
                entry[1] = entry[1] + cotangent
            elif node is None:
                node, g = parent, cotangent
            else:
                if parent.order < node.order:
                    node, g, parent, cotangent = parent, cotangent, node, g
                waiting[parent.order] = [parent, cotangent]
                heappush(queue, parent.order)
        if queue and (node is None or queue[0] < node.order):
            if node is not None:
                waiting[node.order] = [node, g]
                heappush(queue, node.order)
            node, g = waiting.pop(heappop(queue))
        if node is None:
            return found
        try:
            arriving = vjp(node, g)
        except Exception as error:  # a rule may be a user's own: say where it was
            error.add_note(f"while backward was at {node.op.name!r}{f' in {node.scope.path}' if node.scope else ''}")
            raise
