"""What each edge added to the gradient of its target, and what state each gradient is in.

The ledger is worked out from the last backward: the gradient that arrived at a node is pulled through the rules of
its op once more. Nothing on the nodes changes.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from autograd.box import SMALL
from autograd.differentiate import GONE
from autograd.graph import Leaf, Node
from autograd.rules import Shares
from autograd.viz.snapshot import Snapshot, plain, size
from autograd.vjp import PLUMBING, Cotangents, stale

Edge = tuple[int, int]  # (position of the user, which input of it)


class Ledger:
    """Hold gradients (``grads[i]``), states (``states[i]``), and of every edge ``[user, input]`` its share and state.

    ``cuts`` counts the elements that a mask (relu, where, …) cut off on an edge.

    ``given`` are gradients known from elsewhere; ``fresh`` leaves aside what backward recorded and starts from
    ``given`` alone.
    """

    def __init__(
        self, snap: Snapshot, chosen: Iterable[int], given: dict[Node, Any] | None = None, fresh: bool = False
    ) -> None:
        self.snap = snap
        self._given, self._fresh = given or {}, fresh
        self.ran = any(root.cotangent is not None or root in self._given for root in snap.roots)
        self.grads: dict[int, Any] = {}
        self.states: dict[int, str] = {}
        self.shares: dict[Edge, Any] = {}
        self.edge_states: dict[Edge, str] = {}
        self.cuts: dict[Edge, int] = {}
        self.mismatches: list[int] = []
        with np.errstate(all="ignore"):  # inf and nan are shown, not warned about
            for i in sorted(chosen, reverse=True):  # newest first: users are settled before what they use
                self._settle(i)

    def _settle(self, i: int) -> None:
        node = self.snap.nodes[i]
        g = self._gradient(i, node)
        if g is not None:
            self.grads[i] = g
        self.states[i] = self._state(i, node, g)
        if g is None or node.op is None:
            return
        pairs = shares_by_input(node, g)
        for k, share in pairs.items():
            self.shares[i, k] = share
            self.edge_states[i, k] = self._edge_state(i, node, g, share)
            if is_mask(node) and np.shape(share) and np.shape(share) == np.shape(g):
                self.cuts[i, k] = int(np.count_nonzero((np.asarray(share) == 0) & (np.asarray(g) != 0)))

    def _gradient(self, i: int, node: Node) -> Any:
        """Take the gradient that backward left, or the sum of the edges where all are known."""
        if not node.needs:
            return None
        users = self.snap.users[i]
        known = [self.shares[edge] for edge in users if edge in self.shares] if users else []
        whole = users and len(known) == len(users) and node not in self.snap.roots
        recorded = self._given.get(node)
        if recorded is None and self._fresh:
            return total(known) if whole else None
        recorded = plain(node.cotangent) if recorded is None else recorded
        if recorded is None and whole and self.ran:
            return total(known)
        if recorded is None and node.op is None:
            return plain(node.grad)
        if recorded is not None and whole and not _agree(recorded, known):
            self.mismatches.append(i)
        return recorded

    def _state(self, i: int, node: Node, g: Any) -> str:
        if not node.needs:
            return "const"
        if g is None:
            gone = self.ran and (node.released or node.op is None or size(node) > SMALL) and size(node) > SMALL
            return "released" if gone else "none"
        kind = kind_of(g)
        if kind != "zero":
            return kind
        edges = [self.edge_states.get(edge) for edge in self.snap.users[i]]
        return "masked" if "masked" in edges and all(e in ("masked", "zero", None) for e in edges) else "zero"

    def _edge_state(self, i: int, node: Node, g: Any, share: Any) -> str:
        kind = kind_of(share)
        if kind != "zero":
            return kind
        cut = is_mask(node) and kind_of(g) == "ok"
        return "masked" if cut or self.states[i] == "masked" else "zero"


def is_mask(node: Node) -> bool:
    """Tell whether an op may cut a gradient off on purpose: a zero that it makes is no accident then."""
    return node.op.selects is not None


def shares_by_input(node: Node, g: Any) -> dict[int, Any]:
    """Give the share of each input that wants a gradient; nothing where the arrays for it are gone."""
    pairs = peek(node, g)
    found: dict[int, Any] = {}
    if not pairs:
        return found
    at = 0
    for k, parent in enumerate(node.parents):
        if at < len(pairs) and parent is not None and pairs[at][0] is parent:
            found[k] = plain(pairs[at][1])
            at += 1
    return found


def peek(node: Node, g: Any) -> Shares | None:
    """Return what a node gives its parents, for a picture: of a released node too, while its small arrays are there.

    None means that an array which the rules need is gone, or was changed in place since.
    """
    op, parents = node.op, node.parents
    if op not in PLUMBING:
        read = op.reads([parent is not None and parent.needs for parent in parents])
        gone = any(node.residuals[i] is None for i in read) or next(stale(node), None) is not None
        gone = gone or any(part is None for part in node.residuals[len(parents) + (not op.reads_output) :])
        if gone or any(value is GONE for value in (node.kwargs or {}).values()):
            return None
        node = Node(op, parents, node.residuals, node.kwargs, node.shape, node.dtype, node.scope)
    shares: Shares = op.vjp(node, node.residuals, g)
    return shares


def kind_of(g: Any) -> str:
    """Say whether a gradient is finite, exactly zero or not finite."""
    if type(g) is np.float64:
        return "zero" if g == 0 else "ok" if isfinite(g) else "bad"
    if isinstance(g, Cotangents):
        kinds = {kind_of(part) for part in g.parts.values()}
        return "bad" if "bad" in kinds else "ok" if "ok" in kinds else "zero"
    a = np.asarray(g)
    if not np.isfinite(a).all():
        return "bad"
    return "ok" if a.any() else "zero"


def total(shares: Sequence[Any]) -> Any:
    """Add up shares in the order given."""
    result = shares[0]
    for share in shares[1:]:
        result = result + share
    return result


def _agree(recorded: Any, shares: Sequence[Any]) -> bool:
    """Check that a gradient is the sum of its edges, within rounding."""
    if len(shares) == 1 and shares[0] is recorded:
        return True
    if isinstance(recorded, Cotangents) or any(isinstance(share, Cotangents) for share in shares):
        return True
    if type(recorded) is np.float64:
        scale = sum([abs(share) for share in shares])
        gap = abs(recorded - total(shares))
        return bool(gap <= 1e-9 * scale or gap != gap or scale - scale != 0)
    epsilon = float(np.finfo(np.asarray(recorded).dtype).eps) if np.asarray(recorded).dtype.kind == "f" else 1e-12
    scale = total([np.abs(share) for share in shares])
    with np.errstate(invalid="ignore"):
        gap = np.abs(recorded - total(shares))
        return bool(np.all((gap <= 64 * epsilon * scale * len(shares)) | ~np.isfinite(gap) | ~np.isfinite(scale)))


def accumulated(node: Node, shown: Any) -> Any:
    """Give ``.grad`` of a leaf where it differs from what the last backward brought, else None."""
    if not isinstance(node, Leaf) or node.grad is None or shown is None:
        return None
    grad = plain(node.grad)
    if np.shape(grad) != np.shape(shown):
        return grad
    near = np.allclose(
        grad, shown, rtol=1e-5 if np.asarray(grad).dtype.itemsize < 8 else 1e-12, atol=0.0, equal_nan=True
    )
    return None if near else grad
