"""What each edge added to the gradient of its target, and what state each gradient is in.

The ledger is worked out from the last backward: the gradient that arrived at a node goes through the vjp of its op once
more. As in backward the rules run as they are; only if that meets a mask and makes a nan, it is done again with
cotangents that know which of their elements a mask cut off. Nothing on the nodes changes.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from autograd.backward import InputCotangents
from autograd.box import SMALL, plain
from autograd.differentiate import GONE, has_nan, masked_vjp
from autograd.graph import Leaf, Node
from autograd.masking import Masked, as_masked, unmasked
from autograd.viz.snapshot import Snapshot, size
from autograd.vjp import PLUMBING, Cotangents, stale

Edge = tuple[int, int]  # (position of the user, which input of it)


class Ledger:
    """Hold gradients (``grads[i]``), states (``states[i]``), and of every edge ``[user, input]`` its share and state.

    ``cuts`` counts on an edge the elements that the op itself cut off, as a mask (relu, where, …). ``given`` are
    gradients known from elsewhere; ``fresh`` leaves aside what backward recorded and starts from ``given`` alone.
    """

    def __init__(
        self, snap: Snapshot, chosen: Iterable[int], given: dict[Node, Any] | None = None, fresh: bool = False
    ) -> None:
        self.snap = snap
        self._given, self._fresh = given or {}, fresh
        self.ran = any(root.cotangent is not None or root in self._given for root in snap.roots)
        order = sorted(chosen, reverse=True)  # newest first: users are settled before what they use
        self._run(order, masked=False)
        masks = any(is_mask(snap.nodes[i]) for i in order)
        if masks and any(has_nan(part) for share in self.shares.values() for part in parts_of(share)):
            self._run(order, masked=True)

    @np.errstate(all="ignore")  # inf and nan are shown, not warned about
    def _run(self, order: Sequence[int], masked: bool) -> None:
        self.grads: dict[int, Any] = {}
        self.states: dict[int, str] = {}
        self.shares: dict[Edge, Any] = {}
        self.edge_states: dict[Edge, str] = {}
        self.cuts: dict[Edge, int] = {}
        self.mismatches: list[int] = []
        self._masked: dict[Edge, Any] | None = {} if masked else None
        self._unsure: set[int] = set()  # it is not known which elements of these gradients a mask cut off
        for i in order:
            self._settle(i)

    def _settle(self, i: int) -> None:
        node = self.snap.nodes[i]
        users = self.snap.users[i]
        whole = bool(users) and all(edge in self.shares for edge in users)
        whole = whole and (self._fresh or node not in self.snap.roots)
        g = self._gradient(i, node, [self.shares[edge] for edge in users] if whole else None)
        if g is not None:
            self.grads[i] = g
        self.states[i] = self._state(i, node, g)
        if g is not None and len(users) == 1 and users[0] not in self.shares:
            self._note_only_use(i, node, g, users[0])
        if g is None or node.op is None:
            return
        for k, share in self._pulled(i, node, g, whole).items():
            self.shares[i, k] = share
            if is_mask(node):
                self._note_cut(i, k, g, share)
            self.edge_states[i, k] = "masked" if kind_of(share) == "zero" and (i, k) in self.cuts else kind_of(share)

    def _note_only_use(self, i: int, node: Node, g: Any, edge: Edge) -> None:
        """Give an edge whose share cannot be worked out any more what its value got, if all of that came by it."""
        user = self.snap.nodes[edge[0]]
        if self._fresh or node.cotangent is None or node in self.snap.roots or not user.released:
            return
        cut = self.states[i] == "masked" and not is_mask(user)
        self.shares[edge], self.edge_states[edge] = g, "zero" if cut else self.states[i]

    def _pulled(self, i: int, node: Node, g: Any, whole: bool) -> dict[int, Any]:
        """Return the share of each input, as backward does where a mask stands and something is not finite."""
        if self._masked is None:
            return shares_by_input(node, g)
        users = self.snap.users[i]
        seed = [as_masked(self._given[node])] if self._fresh and node in self._given else []
        masked = total([*seed, *(self._masked[edge] for edge in users)]) if whole else as_masked(g)
        if whole and isinstance(masked, Masked):  # what is alive comes from the users, the numbers may be recorded ones
            masked = Masked(g, masked.alive)
        if (not whole and node not in self.snap.roots) or any(user in self._unsure for user, _ in users):
            self._unsure.add(i)
        found = {}
        for k, share in shares_by_input(node, masked).items():
            if i not in self._unsure or not any(map(has_nan, parts_of(unmasked(share)))):
                self._masked[i, k] = share
                found[k] = unmasked(share)
        return found

    def _note_cut(self, i: int, k: int, g: Any, share: Any) -> None:
        if isinstance(share, Cotangents) or isinstance(g, Cotangents):
            return
        if np.shape(share) == np.shape(g):
            lost = int(np.count_nonzero((np.asarray(share) == 0) & (np.asarray(g) != 0)))
        else:
            lost = np.size(share) * (kind_of(share) == "zero" != kind_of(g))
        if lost:
            self.cuts[i, k] = lost

    def _gradient(self, i: int, node: Node, known: list[Any] | None) -> Any:
        """Take the gradient that backward left, or the sum of the edges where all are ``known``."""
        if not node.needs:
            return None
        recorded = self._given.get(node)
        if self._fresh:  # what is given is what enters there
            parts = [*(() if recorded is None else (recorded,)), *(known or ())]
            return total(parts) if parts else None
        recorded = plain(node.cotangent) if recorded is None else recorded
        if recorded is None and known and self.ran:
            return total(known)
        if recorded is None and node.op is None:
            return plain(node.grad)
        if known and has_nan(recorded):  # a mask cut this nan off further on: backward went back and did without it
            return total(known)
        if recorded is not None and known and not _agree(recorded, known):
            if node.op is None and node.grad is not None and _agree(plain(node.grad), known):
                return total(known)  # each of several results has brought its part
            self.mismatches.append(i)
        return recorded

    def _state(self, i: int, node: Node, g: Any) -> str:
        if not node.needs:
            return "const"
        if g is None:
            return "lost" if self.ran and size(node) > SMALL else "none"
        kind = kind_of(g)
        return "masked" if kind == "zero" and self._is_cut_off(i) else kind

    def _is_cut_off(self, i: int) -> bool:
        """Tell whether a gradient is zero since masks cut off all that might have come, here or further on."""
        edges = self.snap.users[i]
        cut = [self.edge_states.get(edge) == "masked" or self.states.get(edge[0]) == "masked" for edge in edges]
        return any(cut) and all(self.edge_states.get(edge) in ("masked", "zero", None) for edge in edges)


def is_mask(node: Node) -> bool:
    """Tell whether an op may cut a gradient off on purpose: a zero that it makes is no accident then."""
    return node.op is not None and node.op.selects


def shares_by_input(node: Node, g: Any) -> dict[int, Any]:
    """Return the share of each input that wants a gradient; nothing where the arrays for it are gone."""
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


def peek(node: Node, g: Any) -> InputCotangents | None:
    """Return what a node gives its parents, for a picture: of a released node too, while its small arrays are there.

    ``g`` may be masked, and the shares are then. None means that an array which the rules need is gone, or was changed
    in place since.
    """
    op, parents = node.op, node.parents
    if op not in PLUMBING:
        needs = [parent is not None and parent.needs for parent in parents]
        read = op.reads(needs)
        gone = any(node.residuals[i] is None for i in read) or next(stale(node), None) is not None
        gone = gone or any(part is None for part in node.residuals[len(parents) + (not _reads_output(op, needs)) :])
        if gone or any(value is GONE for value in (node.kwargs or {}).values()):
            return None
        node = Node(op, parents, node.residuals, node.kwargs, node.shape, node.dtype, node.scope)
    return [*(masked_vjp(node, g, None, traced=False) if is_masked(g) else op.vjp(node, node.residuals, g))]


def _reads_output(op: Any, needs: Sequence[bool]) -> bool:
    """Tell whether a rule that will run reads the output: only then it was kept."""
    running = [rule for i, needed in enumerate(needs) if needed for rule in op.rules_for(i)] if op.reads_output else []
    return any("y" in rule.names for rule in running)


def is_masked(g: Any) -> bool:
    """Tell whether a cotangent knows which of its elements a mask cut off."""
    return isinstance(g, Masked) or (isinstance(g, Cotangents) and any(map(is_masked, g.parts.values())))


def parts_of(g: Any) -> Iterable[Any]:
    """List the arrays in a cotangent: one, or one for each output of an op that has several."""
    return g.parts.values() if isinstance(g, Cotangents) else (g,)


def kind_of(g: Any) -> str:
    """Tell whether a gradient is finite, exactly zero or not finite."""
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
    epsilon = float(np.finfo(np.asarray(recorded).dtype).eps) if np.asarray(recorded).dtype.kind in "fc" else 1e-12
    scale = total([np.abs(share) for share in shares])
    with np.errstate(invalid="ignore"):
        gap = np.abs(recorded - total(shares))
        return bool(np.all((gap <= 64 * epsilon * scale * len(shares)) | ~np.isfinite(gap) | ~np.isfinite(scale)))


def accumulated(node: Node, shown: Any) -> Any:
    """Return ``.grad`` of a leaf where it differs from what the last backward brought, else None."""
    if not isinstance(node, Leaf) or node.grad is None or shown is None:
        return None
    grad = plain(node.grad)
    if np.shape(grad) != np.shape(shown):
        return grad
    near = np.allclose(
        grad, shown, rtol=1e-5 if np.asarray(grad).dtype.itemsize < 8 else 1e-12, atol=0.0, equal_nan=True
    )
    return None if near else grad
