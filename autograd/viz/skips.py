"""Edges that go past a block: in ``x + f(x)`` the gradient comes back to x past f and through it."""

from typing import Any

from autograd.viz.ledger import Edge, Ledger, total
from autograd.viz.numbers import rms
from autograd.viz.snapshot import Snapshot, size

FAR = 300  # nodes that a block may have


def skips(snap: Snapshot) -> dict[Edge, list[Edge]]:
    """Map each edge past a block to those of the same value that lead into it; in modules only, and of arrays."""
    found: dict[Edge, list[Edge]] = {}
    for i, node in enumerate(snap.nodes):
        if node.op is None or node.op.name != "add" or snap.homes[i] is None or size(node) < 2:
            continue
        parents = [None if parent is None else snap.at[parent] for parent in snap.parents(node)]
        for k, (a, b) in enumerate((parents, parents[::-1])):
            if a is not None and b is not None and a < b and (through := _into(snap, a, b)):
                found[i, k] = through
    return found


def _into(snap: Snapshot, start: int, end: int) -> list[Edge]:
    """List the edges of ``start`` that lead on to ``end``."""
    seen, stack, found = {end}, [end], []
    while stack and len(seen) < FAR:
        i = stack.pop()
        for k, parent in enumerate(snap.parents(snap.nodes[i]) if snap.nodes[i].op is not None else ()):
            at = -1 if parent is None else snap.at[parent]
            if at == start:
                found.append((i, k))
            elif at > start and at not in seen:
                seen.add(at)
                stack.append(at)
    return found if not stack else []


def balance(ledger: Ledger, past: Edge, through: list[Edge]) -> float | None:
    """Return the part of the gradient that came past a block, 0 to 1, by root mean square; None where it is unknown."""
    shares: list[Any] = [ledger.shares.get(edge) for edge in (past, *through)]
    if any(share is None for share in shares):
        return None
    beside, inside = rms(shares[0]), rms(total(shares[1:]))
    return beside / (beside + inside) if beside + inside > 0 else None
