"""The backward pass: reverse-mode differentiation over any graph of nodes, whatever the cotangents are made of.

Floor 2: knows nodes, ``+`` and nothing of arrays.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush
from typing import Any

from autograd.graph import Node

InputCotangents = Sequence[tuple[Node, Any]]  # the inputs of an op that want a cotangent, each with its own
VJP = Callable[[Node, Any], InputCotangents]


def backward_pass(
    cotangents: dict[Node, Any], vjp: VJP, targets: Collection[Node] = (), pause: bool = False
) -> dict[Node, Any]:
    """Push the cotangents of some nodes to every leaf and return those of the leaves: one vjp per node.

    ``vjp(node, g)`` gives for each parent that wants one its cotangent (∂node/∂parent)ᵀ g. The schedule is newest node
    first, so all users of a node are done when its turn comes: in ``b = a + a; c = b + b`` node ``b`` is visited once,
    with dc/db = 2 complete, where a plain recursion would visit it twice. The pass ends at leaves and at ``targets``;
    with ``pause`` also before the first node whose op selects, and then it can be taken up again from what it returns.
    Cotangents live here, not on the nodes, and are dropped as the pass goes on.
    """
    found: dict[Node, Any] = {}  # of leaves and targets: here the pass ends
    waiting: dict[int, list[Any]] = {}  # of the others, by their age, until their turn comes
    queue: list[int] = []
    arriving: Iterable[tuple[Node, Any]] = cotangents.items()
    while True:
        node: Any = None  # the newest that is reached now: mostly it is next, and needs no place in the queue
        g = None
        for parent, cotangent in arriving:
            if parent.op is None or (targets and parent in targets):
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
        if node is None or (pause and node.op.selects is not None):
            return found | dict(waiting.values()) | ({} if node is None else {node: g})
        try:
            arriving = vjp(node, g)
        except Exception as error:  # a rule may be a user's own: say where it was
            error.add_note(f"while backward was at {node.op.name!r}{f' in {node.scope.path}' if node.scope else ''}")
            raise
