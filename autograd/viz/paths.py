"""The strongest paths of the chain rule, by dynamic programming: nothing enumerates exponentially many paths.

The gradient is a sum over paths of products of local derivatives. Going from the root, newest node first, each node
keeps the ``k`` partial products of largest size. Between scalars a factor scales all of them alike, so the ``k`` best
of a node can only come from the ``k`` best of its users, and the result is exact. Between arrays the partial product
is a row vector, and a short one may still end as the strongest. So a first sweep keeps the ``BEAM`` longest of a node.
If it had to drop any, a second one keeps all but those that cannot come among the ``k`` found so far: the elements of
a partial product times what any path from there can make of them (the largest over the paths of |J₁| |J₂| … |d|) bound
its end. The result says whether that was enough to be certain.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler import select
from autograd.errors import GraphError
from autograd.graph import Node
from autograd.masking import Masked, as_masked, unmasked
from autograd.viz.ledger import Edge, is_mask, is_masked, shares_by_input
from autograd.viz.numbers import norm
from autograd.viz.snapshot import Snapshot, is_multiple, is_output, size
from autograd.vjp import Cotangents

BEAM, ELEMENTS = 256, 4_000_000
ROWS, KEPT = (
    5_000,
    2_000,
)  # the second sweep gives up beyond: rows of Jacobians to bound with, partial products of a node
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
    """Find the ``k`` strongest paths through ``inside`` (root first, target last), and whether that is certain.

    Where a path meets a mask and ends in a nan, all are followed again as backward does it: knowing what was cut off.
    """
    found, exact = _sweep(snap, inside, seed, k, direction)
    if any(p.product != p.product for p in found) and any(is_mask(snap.nodes[i]) for i in inside):
        return _sweep(snap, inside, as_masked(seed), k, direction)
    bounds = None if exact else _bounds(snap, inside, direction)
    if bounds is None:
        return found, exact
    least = found[-1].strength * 0.999  # room for rounding
    better, exact = _sweep(snap, inside, seed, k, direction, bounds, least)
    return (better, True) if exact else (found, False)


def _sweep(
    snap: Snapshot,
    inside: Sequence[int],
    seed: Any,
    k: int,
    direction: Any,
    bounds: Mapping[int, Any] | None = None,
    least: float = 0.0,
) -> tuple[list[Partial], bool]:
    """Carry partial products from the root to the target: the longest of each node, or all that may reach ``least``."""
    most = BEAM if bounds is None else KEPT
    waiting: dict[int, list[Partial]] = {inside[0]: [Partial(_size(seed), seed, None, None)]}
    members, exact = set(inside), True
    for i in inside[:-1]:
        node, partials = snap.nodes[i], waiting.pop(i)
        scalar = size(node) == 1 and not is_multiple(node)
        room = k if scalar else max(k, min(most, ELEMENTS // max(size(node), 1)))
        if bounds is not None:
            partials = [p for p in partials if not float(np.sum(np.abs(p.product) * bounds[i])) < least]
        partials.sort(key=_strength)
        exact = exact and (scalar or len(partials) <= room)
        if bounds is not None and not exact:
            break
        for at, grown in _extend(snap, i, node, partials[:room], scalar, members):
            waiting.setdefault(at, []).extend(grown)
    found = waiting.get(inside[-1], [])
    for partial in found:
        partial.product = along_direction(partial.product, direction)
        partial.strength = abs(partial.product)
    found.sort(key=_strength)
    return found[:k], exact


def _bounds(snap: Snapshot, inside: Sequence[int], direction: Any) -> dict[int, Any] | None:
    """Bound what any path from a node to the target can make of each element of a gradient; None: too much work."""
    members, bounds, rows = set(inside), {inside[-1]: np.abs(direction)}, 0
    for i in reversed(inside[:-1]):
        node = snap.nodes[i]
        parents = {k: snap.at[p] for k, p in enumerate(snap.parents(node)) if p is not None and snap.at[p] in members}
        if is_multiple(node) or is_output(node):
            return None
        bound = np.zeros(node.shape)
        alike = node.op.elementwise and all(snap.nodes[at].shape == node.shape for at in parents.values())
        rows += 1 if alike else size(node)
        if rows > ROWS:
            return None
        if alike:  # each element of the result depends on one of the input: one row holds the whole Jacobian
            for k, share in _shares(node, np.ones(node.shape, node.dtype)[()]).items():
                if k in parents:
                    bound = np.maximum(bound, np.abs(share) * bounds[parents[k]])
        else:
            for place in np.ndindex(node.shape):
                unit = np.zeros(node.shape, node.dtype)
                unit[place] = 1
                reached = _shares(node, unit[()]).items()
                bound[place] = max(
                    float(np.sum(np.abs(share) * bounds[parents[k]])) for k, share in reached if k in parents
                )
        bounds[i] = np.nan_to_num(bound, nan=np.inf, posinf=np.inf)
    return bounds


def _strength(partial: Partial) -> float:
    return -partial.strength if partial.strength == partial.strength else float("-inf")


def _extend(
    snap: Snapshot, i: int, node: Node, partials: list[Partial], scalar: bool, members: set[int]
) -> list[tuple[int, list[Partial]]]:
    """Carry partial products over the op of one node; between scalars the rule is asked once."""
    parents = snap.parents(node)
    ones = np.ones(node.shape, node.dtype)[()] if scalar else None
    once = _shares(node, as_masked(ones) if partials and is_masked(partials[0].product) else ones) if scalar else None
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
    """Multiply a scalar by a local derivative; what a mask cut off stays zero, however steep the rest of its path."""
    if isinstance(share, Cotangents):
        return Cotangents({k: _times(product, part) for k, part in share.parts.items()})
    if isinstance(product, Masked):
        alive = None if product.alive is None else np.broadcast_to(product.alive, np.shape(share.g))
        alive = share.alive if alive is None else alive if share.alive is None else alive & share.alive
        g = _times(product.g, share.g)
        return Masked(g if alive is None else select(np.broadcast_to(alive, np.shape(g)), g), alive)
    return np.asarray(product).reshape(())[()] * share


def _size(product: Any) -> float:
    if isinstance(product, Cotangents):
        return float(np.sqrt(sum(_size(part) ** 2 for part in product.parts.values())))
    return norm(unmasked(product) if isinstance(product, Masked) else product)


def along_direction(product: Any, direction: Any) -> float:
    """Return what a path adds to the derivative along a direction: elements that are not moved do not count."""
    g = np.asarray(product.g if isinstance(product, Masked) else product, np.float64)
    return float(np.sum(np.where(direction == 0, 0.0, g * direction)))
