"""``why_none(x, root)``: why is the gradient of ``x`` None, or zero?"""

import linecache
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import leaf_of, plain
from autograd.graph import RETAINED, Alias, DetachSite, Leaf, Node, origin
from autograd.viz.escape import clean
from autograd.viz.ledger import Ledger, is_mask, kind_of
from autograd.viz.local import made_at
from autograd.viz.nonfinite import Values, backward_origin, forward_origin, ledger_of
from autograd.viz.paths import between
from autograd.viz.rerun import run_again
from autograd.viz.snapshot import Snapshot, as_roots


@dataclass(frozen=True, slots=True)
class Reason:
    """Tell why a gradient is missing: ``kind`` is one word, ``text`` a sentence, ``at`` says where it happened.

    Kinds: ``computed``, ``not_required``, ``detached``, ``not_backward``, ``not_kept``, ``not_reached``, ``cleared``,
    ``masked``, ``zero``, ``not_finite``.
    """

    kind: str
    text: str
    at: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def why_none(x: Any, root: Any = None, *, names: Mapping[str, Any] | None = None) -> Reason:
    """Tell why ``x.grad`` is None or zero: not required, detached, not reached, masked, or backward not called.

    ``root`` is the result on which ``backward()`` was (or will be) called; with it the answer names the place.

    >>> import autograd as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> print(why_none(x))
    x.grad is None because no backward() has reached x yet: call backward() on a result that is computed from it.
    """
    as_roots(x, "why_none")
    node = leaf_of(x)
    snap = Snapshot(as_roots(root, "why_none"), names) if root is not None else None
    name = (snap.name(snap.at[node]) if snap is not None and node in snap.at else "") or clean(
        node.name or "this Tensor"
    )
    if not node.needs:
        return _not_required(node, name)
    grad = plain(node.grad)
    if snap is None:
        return _without_root(node, name, grad)
    if node not in snap.at:
        return _not_reached(snap, node, name)
    found = _reached(snap, snap.at[node], name, grad)
    return found or _lost(_whole(snap, root, names), node, name)


def _not_required(node: Node, name: str) -> Reason:
    note = getattr(node, "note", "")
    if note == "detach":
        return Reason(
            "detached",
            f"{name} was made by detach(){_line(note)}: it is a constant, and no gradient is computed for it.",
            ("detach",),
        )
    if note == "no_grad":
        text = (
            f"{name} was computed under no_grad(), or from values that need no gradient: nothing was recorded for it."
        )
        return Reason("detached", text, ("no_grad",))
    if note:
        return Reason(
            "detached",
            f"{name} comes from {note}, which is piecewise constant: no gradient passes through it.",
            (note,),
        )
    return Reason(
        "not_required",
        f"{name} does not require a gradient: it was made without requires_grad=True, computed from values that do "
        "not require one, or computed under no_grad().",
    )


def _line(note: str) -> str:
    """Quote the line of the user's program that cut the graph, where it is known and can be read."""
    source = linecache.getline(note.file, note.line).strip() if isinstance(note, DetachSite) else ""
    return f" (line {note.line}: {source})" if isinstance(note, DetachSite) and source else ""


def _without_root(node: Node, name: str, grad: Any) -> Reason:
    if grad is not None:
        return _value(name, grad)
    if node.op is not None and not node.retain & RETAINED:
        if node.cotangent is not None:
            return Reason(
                "not_kept",
                f"backward computed the gradient of {name}, but results of ops keep no .grad: call "
                f"{name}.retain_grad() "
                "before backward (pictures show it anyway).",
            )
        return Reason(
            "not_kept",
            f"{name} is the result of {node.op.name}: results keep no .grad unless {name}.retain_grad() is called "
            f"before "
            "backward, and no backward() has left a gradient here.",
        )
    if node.cotangent is not None:
        return Reason(
            "cleared",
            f"backward computed a gradient for {name}, but it was cleared since (zero_grad(), or .grad = None).",
        )
    return Reason(
        "not_backward",
        f"{name}.grad is None because no backward() has reached {name} yet: call backward() on a result that is "
        "computed from it.",
    )


def _value(name: str, grad: Any) -> Reason:
    kind = kind_of(grad)
    if kind == "zero":
        return Reason(
            "zero",
            f"{name}.grad is computed and exactly zero; why_none({name}, result) says where the gradient was lost.",
        )
    if kind == "bad":
        return Reason(
            "not_finite",
            f"{name}.grad is computed but not finite: find_nonfinite(result) says which op made the first inf or nan, "
            "and draw(result) marks it.",
        )
    return Reason("computed", f"{name}.grad is there: it is neither None nor zero.")


def _not_reached(snap: Snapshot, node: Node, name: str) -> Reason:
    root = _root(snap)
    owner = origin(node)
    cuts = [leaf for leaf in snap.nodes if isinstance(leaf, Leaf) and not leaf.needs and leaf.note]
    for leaf in cuts:
        if isinstance(leaf, Alias) and origin(leaf) is owner:
            users = _users(snap, leaf)
            return Reason(
                "detached",
                f"{root} uses a copy of {name} cut off by {leaf.note}(){users}{_line(leaf.note)}: no gradient gets "
                f"back to {name}.",
                (leaf.note,),
            )
    if not snap.roots[0].needs:
        return Reason(
            "not_reached",
            f"{root} needs no gradient at all: it was computed under no_grad(), or from detached values only.",
        )
    if cuts:
        where = ", ".join(dict.fromkeys(f"{leaf.note}{_users(snap, leaf)}{_line(leaf.note)}" for leaf in cuts))
        return Reason(
            "detached",
            f"{root} does not depend on {name} through the graph. The graph is cut at: {where}; {name} may lie "
            f"behind it.",
            tuple(leaf.note for leaf in cuts),
        )
    return Reason(
        "not_reached",
        f"{root} does not depend on {name}: {name} was not used in it, or only through .detach(), .data, "
        ".numpy(), float() or values computed under no_grad().",
    )


def _root(snap: Snapshot) -> str:
    return snap.name(snap.at[snap.roots[0]]) or "the result"


def _users(snap: Snapshot, leaf: Node) -> str:
    users = [made_at(snap, user) for user, _ in snap.users[snap.at[leaf]]][:2]
    return f" in {' and '.join(users)}" if users else ""


def _reached(snap: Snapshot, i: int, name: str, grad: Any) -> Reason | None:
    """Tell what became of the gradient of a value in the graph; None if it is zero, and the graph has to tell where."""
    node, start, root = snap.nodes[i], snap.at[snap.roots[0]], _root(snap)
    inside = between(snap, start, i)
    if not inside or inside[0] != start:
        return Reason("not_reached", f"{root} uses {name}, but on no path that carries a gradient.")
    recorded = grad if grad is not None else plain(node.cotangent)
    if snap.roots[0].cotangent is None and grad is None:
        return Reason(
            "not_backward",
            f"{name}.grad is None because backward() was not called on {root}, which depends on {name}. "
            "Call backward() on it.",
        )
    if recorded is None:
        return _without_root(node, name, grad)
    if kind_of(recorded) != "zero":
        if grad is None:
            return _without_root(node, name, grad)
        return _not_finite(snap, name) if kind_of(recorded) == "bad" else _value(name, grad)
    return None


def _not_finite(snap: Snapshot, name: str) -> Reason:
    found = forward_origin(snap, Values(snap)) or backward_origin(snap, ledger_of(snap))
    if found is None:  # the gradient came with another backward, or from one that let its arrays go
        return Reason("not_finite", f"{name}.grad is not finite, but nothing that is still held of the result is.")
    return Reason("not_finite", f"{name}.grad is computed but not finite: {found}.", (found.at,))


def _whole(snap: Snapshot, root: Any, names: Mapping[str, Any] | None) -> Snapshot:
    """Return a graph with the arrays that it lacks computed again, where that can be done."""
    roots = as_roots(root, "why_none")
    opened = run_again(roots, snap)
    return snap if opened is None else Snapshot(roots, names, opened)


def _lost(snap: Snapshot, node: Node, name: str) -> Reason:
    """Find where on the paths to a value its gradient became zero: at masks, or by a factor that is zero."""
    start, root = snap.roots[0], _root(snap)
    inside = between(snap, snap.at[start], snap.at[snap.opened.alias.get(node, node)])
    seed = np.ones(start.shape or (), start.dtype)[()]
    given = snap.opened.given or ({} if start.cotangent is not None else {start: seed})
    ledger = Ledger(snap, range(inside[-1], inside[0] + 1), given)
    members = set(inside)
    places: set[int] = set()
    for (user, k), state in ledger.edge_states.items():
        parent = snap.parents(snap.nodes[user])[k]
        if (
            user in members
            and parent is not None
            and snap.at[parent] in members
            and state in ("masked", "zero")
            and kind_of(ledger.grads[user]) == "ok"
        ):
            places.add(user)
    masked = [made_at(snap, user) for user in sorted(places) if is_mask(snap.nodes[user])]
    others = [made_at(snap, user) for user in sorted(places) if not is_mask(snap.nodes[user])]
    if masked:
        return Reason(
            "masked",
            f"the gradient of {name} is zero because it is masked at {_list(masked)}: the input is on the side that "
            f"the op "
            f"cuts off.{f' A factor is zero at {_list(others)}.' if others else ''}",
            tuple(masked),
        )
    if others:
        return Reason(
            "zero",
            f"the gradient of {name} is exactly zero: the local derivative is zero at {_list(others)}.",
            tuple(others),
        )
    if any(user in members and (user, k) not in ledger.shares for i in inside for user, k in snap.users[i]):
        return Reason(
            "zero",
            f"the gradient of {name} is exactly zero. Where it was lost cannot be told, as backward let go of the "
            "arrays: call backward(retain_graph=True), or hold the inputs.",
        )
    return Reason(
        "zero",
        f"the gradient of {name} is exactly zero: its paths from {root} cancel, or the incoming gradient is zero.",
    )


def _list(texts: list[str]) -> str:
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more places" if len(texts) > 3 else "")
