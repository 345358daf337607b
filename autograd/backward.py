"""The walk: reverse-mode differentiation over any graph of nodes, whatever the gradients are made of."""

from collections.abc import Callable, Collection, Iterable
from heapq import heappop, heappush
from typing import Any

from autograd.graph import Node

Pull = Callable[[Node, Any], Iterable[tuple[Node, Any]]]


def walk(root: Node, seed: Any, pull: Pull, targets: Collection[Node] = ()) -> dict[Node, Any]:
    """Push ``seed`` from ``root`` to every leaf: one vector-Jacobian product per node.

    ``pull(node, g)`` gives, for each parent that wants one, its share ∂node/∂parent ᵀ · g; shares meet by ``+``. Nodes
    are visited when all their users are done (newest first), so in ``b = a + a; c = b + b`` node ``b`` is visited once,
    with dc/db = 2 complete. A plain recursion would visit it twice. The gradients live here, not on the nodes, and are
    dropped as the walk goes on; what is returned are those of the leaves and of ``targets``, where the walk stops.
    """
    if root.op is None or root in targets:
        return {root: seed}
    pending, heap = {root.order: [root, seed]}, [root.order]
    found: dict[Node, Any] = {}
    node = root
    try:
        while heap:
            node, g = pending.pop(heappop(heap))
            for parent, share in pull(node, g):
                if parent.op is None or (targets and parent in targets):  # needs no place in the queue
                    found[parent] = found[parent] + share if parent in found else share
                elif (entry := pending.get(parent.order)) is not None:
                    entry[1] = entry[1] + share
                else:
                    pending[parent.order] = [parent, share]
                    heappush(heap, parent.order)
    except Exception as error:  # a rule may be a user's own: say where it was
        op, scope = node.where
        error.add_note(f"while backward was at {op.name!r}{f' in {scope.path}' if scope else ''}")
        raise
    return found
