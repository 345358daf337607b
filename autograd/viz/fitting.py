"""From roots to a view that fits: what is folded, in which rows it stands, and which frames are drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from autograd.box import Box
from autograd.errors import ArgumentError
from autograd.graph import Node
from autograd.viz.arrange import Arrangement, arrange
from autograd.viz.build import Builder
from autograd.viz.expand import open_ops
from autograd.viz.fold import SLIDE, candidates, plan
from autograd.viz.model import Group, Item, View
from autograd.viz.plans import Plan
from autograd.viz.rerun import run_again
from autograd.viz.snapshot import Snapshot


def build(
    roots: Sequence[Box],
    *,
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    roll: bool = False,
    max_nodes: int | None = 500,
    focus: Any = None,
    expand: Any = (),
    rankdir: str | None = None,
) -> View:
    """Build the view model of the graph below ``roots``; see :func:`autograd.draw` for the arguments."""
    return prepare(roots, names, depth, roll, max_nodes, focus, expand, rankdir)[1]


def prepare(
    roots: Sequence[Box],
    names: Mapping[str, Any] | None = None,
    depth: int | None = None,
    roll: bool = False,
    max_nodes: int | None = None,
    focus: Any = None,
    expand: Any = (),
    rankdir: str | None = None,
    seeds: dict[Node, Any] | None = None,
) -> tuple[Builder, View]:
    """Return the view and its builder; ``seeds`` ask for a pass of its own, ``max_nodes=None`` for a slide's size."""
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise ArgumentError(f"depth must be None (open all modules) or a number from 0 on, got {depth!r}.")
    if max_nodes is not None and (not isinstance(max_nodes, int) or max_nodes < 2):
        raise ArgumentError(f"max_nodes must be at least 2, got {max_nodes!r}.")
    snap = Snapshot(roots, names)
    opened = open_ops(snap, expand)
    snap = snap if opened is None else Snapshot(roots, names, opened)
    again = None if expand or (opened and opened.alias) else run_again(roots, snap)
    if again is not None:
        snap, opened = Snapshot(roots, names, again), again
        seeds = None if seeds is None else {opened.alias.get(node, node): seed for node, seed in seeds.items()}
    near = None
    if focus is not None:
        near = focus._node if isinstance(focus, Box) else None
        near = snap.opened.alias.get(near, near) if near is not None else None
        if near is None or near not in snap.at:
            raise ArgumentError("focus must be a Tensor that the drawn result depends on.")
    given = seeds if seeds is not None else opened.given if opened else None
    notes, fresh = opened.notes if opened else [], seeds is not None
    if max_nodes is not None:
        builder = Builder(snap, plan(snap, depth, roll, max_nodes, near), given, fresh)
        view = builder.view(notes)
        view.rankdir = rankdir or "LR"
        return builder, view
    return _fitted(snap, depth, roll, near, given, fresh, notes, rankdir)


def _fitted(
    snap: Snapshot,
    depth: int | None,
    roll: bool,
    near: Any,
    given: Any,
    fresh: bool,
    notes: list[str],
    rankdir: str | None,
) -> tuple[Builder, View]:
    """Fold until the picture fits a slide."""

    def attempt(made: Plan) -> tuple[Builder, View, Arrangement]:
        builder = Builder(snap, made, given, fresh)
        view = builder.view(notes)
        _unframe(view)
        return builder, view, arrange(view, rankdir)

    found = None
    for made in candidates(snap, depth, roll, near):
        if made.boxes() > SLIDE:
            last = made
            continue
        found = attempt(made)
        if found[2].fits:
            break
    builder, view, made_up = found or attempt(last)
    view.rankdir, view.starts = made_up.rankdir, made_up.starts
    for arrow in view.arrows:
        arrow.wraps = made_up.wraps(arrow)
    if not view.framed:
        _say_places(view)
    return builder, view


def _unframe(view: View) -> None:
    """Let a module of one card stand in the head of the card, and not as a frame around it."""
    for group in reversed(list(view.groups)):
        held = [item for item in view.items if item.module == group.id]
        if len(held) == 1 and not any(other.parent == group.id for other in view.groups):
            item = held[0]
            item.place = item.place or _name(group)
            _prefix(item, group)
            item.module = group.parent
            view.groups.remove(group)


def _say_places(view: View) -> None:
    """Let each card say its module, where no frames do."""
    groups = {group.id: group for group in view.groups}
    for item in view.items:
        chain, at = [], item.module
        while at:
            chain.append(groups[at])
            at = groups[at].parent
        if item.says and chain:
            model = chain[-1].path if chain[-1].path != chain[-1].kind else ""  # what the caller calls it
            own = item.place or _name(chain[0]) * (len(chain) > 1 or not model)
            item.place = ".".join(filter(None, (model, own))) if own else _name(chain[0])
        elif chain:
            _prefix(item, chain[-1])


def _prefix(item: Item, model: Group) -> None:
    """Put the name that the caller gave a model before that of a folded part of it."""
    if item.kind == "fold" and item.op in ("module", "stack") and not model.parent and model.path != model.kind:
        item.name = f"{model.path}.{item.name}"


def _name(group: Group) -> str:
    return group.path + (f" {group.kind}" if group.kind != group.path else "")
