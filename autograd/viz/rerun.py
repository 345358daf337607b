"""Compute a graph anew that lacks arrays, so that a picture of it is not empty.

Of arrays of more than 64 elements a graph keeps what gradients will read, and after a plain backward none. What they
were computed from often still is there: the weights, and the arrays that the caller holds. So the ops run again, on a
graph of their own, and what comes out is taken only if it is what the first run left: every value and gradient that was
kept must come out again. A leaf that was changed since, a mask that is gone, an input that nobody holds any more: then
nothing is computed, and "not kept" says so.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.box import SMALL, Box, plain, wrap
from autograd.differentiate import GONE
from autograd.graph import RETAINED, Leaf, Node, keep_site
from autograd.modes import enable_grad
from autograd.viz.ledger import Ledger
from autograd.viz.snapshot import Opened, Snapshot, is_multiple, is_output, size

AGAIN = "arrays that the graph does not keep were computed again, and agree with what it keeps"
MOST_NODES, MOST_ELEMENTS = 2_000, 30_000_000  # a larger graph is not run again: about a second


def run_again(roots: Sequence[Box], snap: Snapshot) -> Opened | None:
    """Return what stands for the nodes of a graph that lacks values; None where none lacks, or they cannot be known."""
    lacking = (i for i, node in enumerate(snap.nodes) if node.op is not None and _is_large(node))
    if all(snap.value(i) is not None and not snap.nodes[i].released for i in lacking) or not _is_complete(snap):
        return None
    try:
        with enable_grad(), np.errstate(all="ignore"):
            opened = _run(snap)
    except Exception:  # an op of the user's that runs but once, a file that is gone: the picture does without
        return None
    return opened if opened is not None and _agrees(roots, snap, opened) else None


def _is_large(node: Node) -> bool:
    """Tell whether a result or what its rule reads is more than a graph keeps after backward."""
    return size(node) > SMALL or any(parent is not None and size(parent) > SMALL for parent in node.parents)


def _is_complete(snap: Snapshot) -> bool:
    """Tell whether all that the ops were given is there, unchanged."""
    nodes = snap.nodes
    if len(nodes) > MOST_NODES or sum(map(size, nodes)) > MOST_ELEMENTS:
        return False
    for i, node in enumerate(nodes):
        if isinstance(node, Leaf):
            if snap.changed(i) or _held(snap, i) is None:
                return False
        elif is_output(node):
            continue
        elif (
            not hasattr(node.op, "apply")
            or node.op.closed_over(node)
            or any(value is GONE for value in (node.kwargs or {}).values())
            or any(p is None and node.residuals[k] is None for k, p in enumerate(node.parents))
        ):
            return False
    return True


def _held(snap: Snapshot, i: int) -> Any:
    """Find the array of a leaf: on the graph, or with who holds it."""
    found, node = snap.now(i), snap.nodes[i]
    if found is None and isinstance(node, Leaf) and node.holder is not None:
        found = node.holder()
    return plain(found)


def slope_by_differences(roots: Sequence[Box], snap: Snapshot, at: int, direction: Any) -> float | None:
    """Move one value along a direction, both ways, and compute the result anew in double precision; None if it cannot.

    The central difference (f(x + h d) - f(x - h d)) / 2h is off by about h² f‴ / 6, and by rounding / h.
    """
    if not _is_complete(snap):
        return None
    value = snap.value(at)
    if value is None or np.iscomplexobj(value) or not np.isfinite(value).all():
        return None
    h = 6e-6 * max(1.0, float(np.abs(value).max(initial=0.0)))
    results = []
    for step in (h, -h):
        moved = np.asarray(value, np.float64) + step * np.asarray(direction, np.float64)
        try:
            with enable_grad(), np.errstate(all="ignore"):
                made = _apply(snap, {at: moved[()]}, np.dtype(np.float64))
        except Exception:  # an op that runs but once, or in one dtype only
            return None
        results.append(float(np.sum(made[snap.roots[0]]._array)))
    return (results[0] - results[1]) / (2 * h)


def _apply(snap: Snapshot, given: dict[int, Any], dtype: Any = None) -> dict[Node, Any]:
    """Run all ops again, on what the leaves hold, or on what is ``given`` in the place of a node.

    Leaves of their own stand for those of the graph, which note what looks at their memory: nothing of theirs changes.
    """
    made: dict[Node, Any] = {}
    for i, node in enumerate(snap.nodes):
        if i in given or isinstance(node, Leaf):
            array = given[i] if i in given else _held(snap, i)
            array = array if dtype is None or array.dtype.kind != "f" else np.asarray(array, dtype)[()]
            made[node] = wrap(array, Leaf(array, array.shape, array.dtype, bool(node.needs)))
            continue
        parents = snap.parents(node)
        inputs = [node.residuals[k] if parent is None else made[parent] for k, parent in enumerate(parents)]
        kwargs = node.kwargs or {}
        made[node] = inputs[0][kwargs["index"]] if is_output(node) else node.op.apply(*inputs, **kwargs)
    return made


def _run(snap: Snapshot) -> Opened | None:
    opened = Opened()
    opened.notes.append(AGAIN)
    made = _apply(snap, {})
    for node in snap.nodes:
        result = made[node]
        if isinstance(node, Leaf):
            opened.alias[result._node] = node
            continue
        fresh = result[0]._node.parents[0] if is_multiple(node) else result._node
        if fresh is None or fresh.op is not node.op or fresh is node:
            return None
        fresh.scope, fresh.name, fresh.retain = node.scope, node.name, node.retain & RETAINED
        keep_site(node, fresh)
        opened.alias[node] = fresh
        opened.ages[fresh] = opened.age(node)
        if not is_multiple(node):
            opened.values[fresh] = result._array
        if node.cotangent is not None:
            opened.given[fresh] = plain(node.cotangent)
    return opened


def _agrees(roots: Sequence[Box], snap: Snapshot, opened: Opened) -> bool:
    """Check that every value and every gradient that the first run left came out again."""
    for i, node in enumerate(snap.nodes):
        fresh = opened.alias.get(node)
        if fresh is None or is_multiple(node):
            continue
        kept = snap.now(i)
        if kept is not None and not _same(kept, opened.values[fresh]):
            return False
    again = Snapshot(roots, None, opened)
    ledger = Ledger(again, range(len(again.nodes)), opened.given)
    return all(isinstance(again.nodes[i], Leaf) for i in ledger.mismatches)  # a leaf may have got more from elsewhere


def _same(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    epsilon = 64 * float(np.finfo(b.dtype).eps)
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=epsilon, atol=epsilon * 1e-3, equal_nan=True))
