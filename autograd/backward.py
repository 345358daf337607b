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
    grads, nodes, heap, found = {root.order: seed}, {root.order: root}, [root.order], {}
    while heap:
        at = heappop(heap)
        node, g = nodes.pop(at), grads.pop(at)
        if node.op is None or node in targets:
            found[node] = g
            continue
        for parent, share in pull(node, g):
            at = parent.order
            if at in grads:
                grads[at] = grads[at] + share
            else:
                grads[at], nodes[at] = share, parent
                heappush(heap, at)
    return found
