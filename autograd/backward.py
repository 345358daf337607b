"""The walk: reverse-mode differentiation over any graph of nodes, whatever the gradients are made of."""

from collections.abc import Callable, Collection, Iterable
from heapq import heappop, heappush, heapreplace
from math import inf
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
    pending: dict[float, Any] = {inf: (None, None)}  # the end
    heap = [inf]
    found: dict[Node, Any] = {}
    node, g = root, seed
    try:
        while node is not None:
            newest = arrived = None  # of the parents met for the first time: mostly the one to visit next, at once
            for parent, share in pull(node, g):
                if parent.op is None or (targets and parent in targets):  # needs no place in the queue
                    found[parent] = found[parent] + share if parent in found else share
                elif parent is newest:
                    arrived = arrived + share
                elif (entry := pending.get(parent.order)) is not None:
                    entry[1] = entry[1] + share
                elif newest is None:
                    newest, arrived = parent, share
                else:
                    if parent.order < newest.order:
                        parent, newest, share, arrived = newest, parent, arrived, share
                    pending[parent.order] = [parent, share]
                    heappush(heap, parent.order)
            if newest is None:
                node, g = pending.pop(heappop(heap))
            elif heap[0] < newest.order:
                pending[newest.order] = [newest, arrived]
                node, g = pending.pop(heapreplace(heap, newest.order))
            else:
                node, g = newest, arrived
    except Exception as error:  # a rule may be a user's own: say where it was
        op, scope = node.where
        error.add_note(f"while backward was at {op.name!r}{f' in {scope.path}' if scope else ''}")
        raise
    return found
