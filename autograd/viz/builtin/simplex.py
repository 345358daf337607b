"""Network simplex: the one solver behind ranks and coordinates.

Source: Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs" (1993), section 2.
"""

from collections.abc import Sequence

Edge = tuple[int, int, int, int]  # tail, head, least length, weight
PIVOTS = 40  # for each variable: more than any picture took; whatever is reached then is feasible


def simplex(count: int, edges: Sequence[Edge]) -> list[int]:
    """Minimize Σ weight · (x[head] − x[tail]) with every x[head] − x[tail] ≥ least, over whole numbers.

    A spanning tree of tight edges is changed edge by edge. The cut value of one of its edges says what the sum gains
    if both sides part: where it is negative the edge goes, and that comes which the parting makes tight first. It is
    the net weight that flows out of the subtree below. The graph must have no cycle.

    >>> simplex(3, [(0, 1, 1, 1), (1, 2, 1, 2), (0, 2, 5, 1)])
    [0, 4, 5]
    """
    root, pull = count, [0] * (count + 1)
    heads = {head for _, head, _, _ in edges}
    edges = [*edges, *((root, k, 0, 0) for k in range(count) if k not in heads)]  # so that the graph is connected
    touching: list[list[int]] = [[] for _ in range(count + 1)]
    for e, (tail, head, _, weight) in enumerate(edges):
        pull[tail] += weight
        pull[head] -= weight
        touching[tail].append(e)
        touching[head].append(e)
    x = _longest_paths(edges, touching)
    tree, start = _tight_tree(x, edges, touching, root), 0
    for _ in range(PIVOTS * count):
        parent, order = _walk(tree, root)
        flow = list(pull)
        for k in reversed(order[1:]):
            flow[parent[k][0]] += flow[k]
        found = _leaving(flow, parent, order, edges, start)
        if found is None:
            break
        at, is_up = found
        below, leaving, start = _subtree(order, parent, at), parent[order[at]][1], at
        entering, slack = _entering(below, is_up, x, edges, touching)
        for k in below:
            x[k] += -slack if is_up else slack
        for k in edges[leaving][:2]:
            del tree[k][leaving]
        for k in edges[entering][:2]:
            tree[k][entering] = sum(edges[entering][:2]) - k
    low = min(x[:count], default=0)
    return [each - low for each in x[:count]]


def _longest_paths(edges: Sequence[Edge], touching: list[list[int]]) -> list[int]:
    """Return the least value of each variable that its inputs allow."""
    x, left = [0] * len(touching), [0] * len(touching)
    for _, head, _, _ in edges:
        left[head] += 1
    ready = [k for k, count in enumerate(left) if not count]
    for k in ready:
        for tail, head, least, _ in (edges[e] for e in touching[k]):
            if tail == k:
                x[head] = max(x[head], x[k] + least)
                left[head] -= 1
                if not left[head]:
                    ready.append(head)
    return x


def _tight_tree(x: list[int], edges: Sequence[Edge], touching: list[list[int]], root: int) -> list[dict[int, int]]:
    """Grow a tree of tight edges from the root; where none leads out, all of it moves until one does.

    It comes as the edges at each variable, with the variable at their other end.
    """
    inside: dict[int, None] = {root: None}
    tree: list[dict[int, int]] = [{} for _ in x]
    fresh = [root]
    while True:
        while fresh:
            k = fresh.pop()
            for e in touching[k]:
                tail, head, least, _ = edges[e]
                other = head if tail == k else tail
                if other not in inside and x[head] - x[tail] == least:
                    inside[other] = None
                    tree[k][e], tree[other][e] = other, k
                    fresh.append(other)
        if len(inside) == len(x):
            return tree
        slack, e = min(
            (x[head] - x[tail] - least, e)
            for e, (tail, head, least, _) in enumerate(edges)
            if (tail in inside) != (head in inside)
        )
        shift = slack if edges[e][0] in inside else -slack
        for k in inside:
            x[k] += shift
        fresh = [k for k in edges[e][:2] if k in inside]


def _walk(tree: list[dict[int, int]], root: int) -> tuple[list[tuple[int, int]], list[int]]:
    """Return the parent of each variable with the edge to it, and all in the order of a walk from the root."""
    parent, order, stack = [(-1, -1)] * len(tree), [], [root]
    while stack:
        k = stack.pop()
        order.append(k)
        came = parent[k][1]
        for e, other in tree[k].items():
            if e != came:
                parent[other] = k, e
                stack.append(other)
    return parent, order


def _leaving(
    flow: list[int], parent: list[tuple[int, int]], order: list[int], edges: Sequence[Edge], start: int
) -> tuple[int, bool] | None:
    """Find an edge with a negative cut value: where in the order it hangs, and whether it runs up to the root.

    The search goes on where the last one ended, so that no edge is looked at again and again.
    """
    for step in range(len(order) - 1):
        at = 1 + (start + step) % (len(order) - 1)
        k = order[at]
        is_up = edges[parent[k][1]][0] == k
        if (flow[k] if is_up else -flow[k]) < 0:
            return at, is_up
    return None


def _subtree(order: list[int], parent: list[tuple[int, int]], at: int) -> dict[int, None]:
    """Return what hangs below a place in the order: in a walk it comes right behind."""
    below = {order[at]: None}
    for k in order[at + 1 :]:
        if parent[k][0] not in below:
            break
        below[k] = None
    return below


def _entering(
    below: dict[int, None], is_up: bool, x: list[int], edges: Sequence[Edge], touching: list[list[int]]
) -> tuple[int, int]:
    """Find the edge with the least slack that leads back across the cut; there is one, as no variable is free."""
    found = []
    for k in below:
        for e in touching[k]:
            tail, head, least, _ = edges[e]
            inner, outer = (head, tail) if is_up else (tail, head)
            if inner == k and outer not in below:
                found.append((x[head] - x[tail] - least, e))
    slack, e = min(found)
    return e, slack
