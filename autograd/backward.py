"""The backward pass: reverse-mode differentiation over any graph of nodes, whatever the cotangents are made of.

Floor 2: knows nodes, ``+`` and nothing of arrays.
"""

from collections.abc import Callable, Collection, Iterable
from heapq import heapify, heappop, heappush
from typing import Any

from autograd.graph import Node

VJP = Callable[[Node, Any], Iterable[tuple[Node, Any]]]


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
    waiting = {node.order: node for node in cotangents if node.op is not None and node not in targets}
    newest = list(waiting)
    heapify(newest)
    while newest:
        node = waiting.pop(heappop(newest))
        if pause and node.op.selects is not None:
            break
        try:
            shares = vjp(node, cotangents.pop(node))
        except Exception as error:  # a rule may be a user's own: say where it was
            error.add_note(f"while backward was at {node.op.name!r}{f' in {node.scope.path}' if node.scope else ''}")
            raise
        for parent, share in shares:
            if parent in cotangents:
                cotangents[parent] = cotangents[parent] + share
            else:
                cotangents[parent] = share
                if parent.op is not None and not (targets and parent in targets):
                    waiting[parent.order] = parent
                    heappush(newest, parent.order)
    return cotangents
