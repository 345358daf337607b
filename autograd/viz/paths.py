"""The strongest paths of the chain rule, by dynamic programming: nothing enumerates exponentially many paths.

The gradient is a sum over paths of products of local derivatives. Going from the root, newest node first, each node
keeps the ``k`` partial products of largest size. Between scalars a factor scales all of them alike, so the ``k`` best
of a node can only come from the ``k`` best of its users, and the result is exact. Between arrays the partial product
is a row vector; then up to ``BEAM`` of them are kept, and the result says whether anything had to be dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.errors import GraphError
from autograd.graph import Node
from autograd.pull import Cotangents
from autograd.viz.ledger import Edge, shares_by_input
from autograd.viz.numbers import norm
from autograd.viz.snapshot import Snapshot, is_multiple, size

BEAM, ELEMENTS = 256, 4_000_000
RELEASED = (
    "{what} needs arrays that are gone: backward released those of {op!r}, or one was changed in place since. Call "
    "backward(retain_graph=True), or {what} before backward."
)


@dataclass(slots=True)
class Partial:
    """Hold the product of local derivatives along one path from the root so far."""

    strength: float
    product: Any
    edge: Edge | None
    before: "Partial | None"

    def edges(self) -> list[Edge]:
        """List the edges from the root on."""
        found, at = [], self
        while at.edge is not None and at.before is not None:
            found.append(at.edge)
            at = at.before
        return found[::-1]


def between(snap: Snapshot, root: int, target: int) -> list[int]:
    """List the nodes on some path from ``root`` to ``target``, newest first."""
    up, down = {target}, {root}
    for i in range(target + 1, root + 1):
        node = snap.nodes[i]
        if node.needs and node.op is not None and any(p is not None and snap.at[p] in up for p in snap.parents(node)):
            up.add(i)
    for i in range(root, target, -1):
        if i in down and i in up:
            down.update(snap.at[p] for p in snap.parents(snap.nodes[i]) if p is not None)
    return sorted(up & down, reverse=True)


def count_paths(snap: Snapshot, inside: Sequence[int]) -> int:
    """Count the paths from the first to the last of ``inside`` exactly."""
    if not inside:
        return 0
    ways, members = {inside[0]: 1}, set(inside)
    for i in inside[:-1]:
        for parent in snap.parents(snap.nodes[i]):
            if parent is not None and snap.at[parent] in members:
                at = snap.at[parent]
                ways[at] = ways.get(at, 0) + ways[i]
    return ways.get(inside[-1], 0)


def strongest(snap: Snapshot, inside: Sequence[int], seed: Any, k: int, direction: Any) -> tuple[list[Partial], bool]:
    """Find the ``k`` strongest paths through ``inside`` (root first, target last), and whether that is certain."""
    waiting: dict[int, list[Partial]] = {inside[0]: [Partial(norm(seed), seed, None, None)]}
    members, exact = set(inside), True
    for i in inside[:-1]:
        node, partials = snap.nodes[i], waiting.pop(i)
        scalar = size(node) == 1 and not is_multiple(node)
        room = k if scalar else max(k, min(BEAM, ELEMENTS // max(size(node), 1)))
        partials.sort(key=_strength)
        exact = exact and (scalar or len(partials) <= room)
        for edge, spread in _extend(snap, i, node, partials[:room], scalar, members):
            waiting.setdefault(edge, []).extend(spread)
    found = waiting.get(inside[-1], [])
    for partial in found:
        partial.product = float(np.sum(np.asarray(partial.product, np.float64) * direction))
        partial.strength = abs(partial.product)
    found.sort(key=_strength)
    return found[:k], exact


def _strength(partial: Partial) -> float:
    return -partial.strength if partial.strength == partial.strength else float("-inf")


def _extend(
    snap: Snapshot, i: int, node: Node, partials: list[Partial], scalar: bool, members: set[int]
) -> list[tuple[int, list[Partial]]]:
    """Carry partial products over the op of one node; between scalars the rule is asked once."""
    parents = snap.parents(node)
    ones = np.ones(node.shape, node.dtype)[()] if scalar else None
    once = _shares(node, ones) if scalar else None
    grown: dict[int, list[Partial]] = {}
    for partial in partials:
        shares = once if once is not None else _shares(node, partial.product)
        for k, share in shares.items():
            at = snap.at[parents[k]]
            if at in members:
                product = _times(partial.product, share) if once is not None else share
                grown.setdefault(at, []).append(Partial(_size(product), product, (i, k), partial))
    return list(grown.items())


def _shares(node: Node, g: Any) -> dict[int, Any]:
    shares = shares_by_input(node, g)
    if not shares:
        raise GraphError(RELEASED.format(what="explain", op=node.op.name))
    return shares


def _times(product: Any, share: Any) -> Any:
    """Multiply a scalar by a local derivative; where nothing flows, an infinite derivative brings nothing either."""
    factor = np.asarray(product).reshape(())[()]
    if isinstance(share, Cotangents):
        return Cotangents({k: _times(product, part) for k, part in share.parts.items()})
    if factor == 0:
        return np.zeros_like(share)
    return factor * share


def _size(product: Any) -> float:
    if isinstance(product, Cotangents):
        return float(np.sqrt(sum(norm(part) ** 2 for part in product.parts.values())))
    return norm(product)
