"""From the graph to the view model: read nodes, fold, work out the ledger, describe what is drawn."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.differentiate import GONE
from autograd.graph import Leaf, Node, site_of
from autograd.modes import Scope
from autograd.viz.cards import call, says
from autograd.viz.ledger import Ledger, accumulated, kind_of, parts_of, total
from autograd.viz.model import MEASURES, NOT_KEPT, Arrow, Group, Item, Part, View, measure
from autograd.viz.nonfinite import BACKWARD, Values, backward_origin, forward_origin, kind_of_bad
from autograd.viz.numbers import one_line, rms, shape_text, short
from autograd.viz.plans import HUB, Fold, Plan
from autograd.viz.skips import balance, skips
from autograd.viz.snapshot import Snapshot, chain_of, is_multiple, is_output, size

WHOLE = 2_000  # up to this many nodes the ledger is worked out for all, beyond only for what is drawn
NOT_YET = "Gradients are not computed yet: call .backward() on the result, then draw again."
ELSEWHERE = "Gradients inside were not kept: this result's own backward has not run (or ran with create_graph=True)."
STALE = "Another backward passed through here since: some gradients are not the sum of their edges (marked ≠)."


class Builder:
    """Build a :class:`View` step by step; the parts share the snapshot, the plan and the ledger."""

    def __init__(
        self,
        snap: Snapshot,
        made: Plan,
        given: dict[Node, Any] | None = None,
        fresh: bool = False,
    ) -> None:
        self.snap, self.plan = snap, made
        self.ledger = Ledger(snap, range(len(snap.nodes)) if fresh else self._chosen(), given, fresh)
        self.fold_ids = {id(fold): f"f{min(fold.members)}" for fold in made.folds}
        self.group_ids: dict[Scope, str] = {}
        self.groups: list[Group] = []
        self.items: list[Item] = []
        self.arrows: dict[tuple[str, str, int], Arrow] = {}
        self.skips = skips(snap) if made.cards else {}

    def _chosen(self) -> Sequence[int]:
        """List the nodes whose gradients and edges are wanted: the drawn ones and who uses them."""
        n = len(self.snap.nodes)
        if n <= WHOLE:
            return range(n)
        drawn = [i for i in range(n) if self.plan.of[i] is None]
        users = {user for i in drawn for user, _ in self.snap.users[i]}
        return sorted({*drawn, *(users if len(users) <= WHOLE else ())})

    def view(self, problems: list[str]) -> View:
        """Describe everything, oldest first."""
        done: set[int] = set()
        for i, node in enumerate(self.snap.nodes):
            fold = self.plan.of[i]
            if fold is not None and id(fold) not in done:
                done.add(id(fold))
                self._fold(fold)
            if (fold is None and i not in self.plan.within) or self.plan.stands_beside(i):
                self._value(i, node, fold)
        for i, node in enumerate(self.snap.nodes):
            if not isinstance(node, Leaf):
                self._edges(i, node)
        self._refer()
        problems = [*problems, *self._alarm()]
        banner = self._banner()
        view = View(
            self.items, list(self.arrows.values()), self.groups, self.plan.notes, banner, problems, len(self.snap.nodes)
        )
        for k, arrow in enumerate(view.arrows):
            arrow.id = f"e{k}"
        measure(view)
        return view

    def _alarm(self) -> list[str]:
        """Mark where the first inf or nan arose, in the values or in the gradients: the op, or what it is folded in."""
        bad = any(kind_of_bad(x) for x in self.snap.data.values())
        found = forward_origin(self.snap, Values(self.snap)) if bad else None
        if found is None and "bad" in self.ledger.states.values():
            found = backward_origin(self.snap, self.ledger)
        if found is None:
            return []
        at = int(found.at[1:])
        place = self.place(self.plan.within.get(at, at))
        for item in self.items:
            if item.id == place:
                item.alarm = f"first {found.value:g}{' in backward' if found.kind == BACKWARD else ''}"
                item.facts += [(item.alarm, str(found))] * (item.kind == "fold")
        return [str(found)]

    def _banner(self) -> str:
        if self.ledger.mismatches:
            return STALE
        roots = self.snap.roots
        if self.ledger.ran or not any(root.needs for root in roots):
            return ""
        return (
            ELSEWHERE
            if any(node.op is None and node.needs and node.grad is not None for node in self.snap.nodes)
            else NOT_YET
        )

    # ----------------------------------------------------------------------------------------------------- items

    def _value(self, i: int, node: Node, fold: Fold | None) -> None:
        multiple, output = is_multiple(node), is_output(node)
        kind = "outputs" if multiple else "value"
        op = "" if node.op is None or output or fold is not None else node.op.name
        item = Item(
            f"v{i}",
            kind,
            self.snap.name(i),
            op,
            node.op.symbol if op else "",
            () if multiple else tuple(node.shape or ()),
            "" if multiple else str(node.dtype),
            self.snap.value(i),
            None if multiple else self.ledger.grads.get(i),
            self.ledger.states.get(i, "none"),
            self._group(self.snap.homes[i] if fold is None else fold.scope),
            isinstance(node, Leaf),
            node in self.snap.roots,
        )
        if isinstance(node, Leaf):
            item.note = node.note if node.note != "no_grad" else ""  # also that of views of constants
            item.total = accumulated(node, item.grad)
        if i in self.ledger.mismatches:
            item.note = "≠"
        if self.snap.changed(i):  # what stands here is what was used where that is known, else what is there today
            today = self.snap.now(i)
            known = self.snap.used(i) is not None and today is not None
            item.note = f"now {one_line(today)}" if known else "changed since"
        if self.plan.cards and node.op is not None and fold is None:
            item.says, item.call = says(self.snap, i, self.plan.within), call(self.snap, i)
            item.parts = [self._part(at) for at in self.plan.parts(i)]
        if op and node.kwargs:
            item.facts = [(key, _brief(value)) for key, value in node.kwargs.items() if value is not None]
        item.line = str(site_of(node) or "")
        self.items.append(item)

    def _part(self, i: int) -> Part:
        """Describe a leaf that stands inside the card of its op."""
        node, (user, k) = self.snap.nodes[i], self.snap.users[i][0]
        op = self.snap.nodes[user].op  # without a name it has that of the input: but a and b of an operator say nothing
        name = self.snap.name(i) or ("" if op.elementwise else _argument(self.snap.nodes[user], k))
        g = self._known(node)
        state = self.ledger.states.get(i, "none")
        if g is not None and state in ("none", "lost"):
            state = kind_of(g)
        today = self.snap.now(i)
        known = self.snap.used(i) is not None and today is not None
        note = "" if not self.snap.changed(i) else f"now {one_line(today)}" if known else "changed since"
        unnamed = bool(name) and not self.snap.name(i)
        shape, dtype = tuple(node.shape or ()), str(node.dtype)
        return Part(f"v{i}", name, shape, dtype, self.snap.value(i), g, state, note, unnamed=unnamed)

    def _constant(self, i: int, k: int, value: Any) -> str:
        key = f"v{i}c{k}"
        self.items.append(
            Item(
                key,
                "const",
                "",
                "",
                "",
                (),
                type(value).__name__,
                value,
                None,
                "const",
                self._group(self.snap.homes[i]),
            )
        )
        return key

    def _group(self, scope: Scope | None) -> str:
        """Return the frame of a module; open it and those around it, outermost first."""
        if scope is None:
            return ""
        if scope not in self.group_ids:
            for depth, each in enumerate(chain_of(scope)):
                if each not in self.group_ids:
                    self.group_ids[each] = key = f"m{len(self.groups)}"
                    parent = self.group_ids[each.parent] if each.parent is not None else ""
                    text = str((each.info or {}).get("text", ""))
                    self.groups.append(Group(key, self.snap.called(each), each.kind, parent, depth, text))
        return self.group_ids[scope]

    def _fold(self, fold: Fold) -> None:
        nodes = self.snap.nodes
        item = Item(
            self.fold_ids[id(fold)],
            "fold",
            fold.title,
            fold.kind,
            fold.shown,
            module=self._group(fold.scope),
            state="none",
        )
        weights = [nodes[i] for i in fold.members if isinstance(nodes[i], Leaf) and nodes[i].needs]
        ops = sum(not isinstance(nodes[i], Leaf) for i in fold.members)
        inside, outside = self._border(fold)
        if fold.kind == "module":
            across = ("in → out", f"{_shapes(inside)} → {_shapes(outside)}") if inside else ("out", _shapes(outside))
            item.facts.append(across)
        if fold.call:
            item.facts.append(("call", f"{fold.call[0]} of {fold.call[1]}"))
        item.facts.append(("ops", f"{ops:,}"))
        if weights:
            item.facts.append(("parameters", f"{sum(size(w) for w in weights):,}"))
            known = [g for w in weights if (g := self._known(w)) is not None]
            if len(known) == len(weights):
                _measured(item, MEASURES[2], known)
            times = {sum(self.plan.of[user] is fold for user, _ in self.snap.users[self.snap.at[w]]) for w in weights}
            if len(times) == 1 and max(times) > 1:
                item.facts.append(("each used", f"{max(times)} times"))
                item.facts += self._first_and_last_use(weights[0], fold)
        else:
            used = {p for i in fold.members for p in self.snap.parents(nodes[i]) if p is not None}
            shared = [p for p in used if self.plan.shares_weight(self.snap.at[p], fold)]
            item.facts += [("parameters", f"{sum(map(size, shared)):,}, those of call 1")] * bool(shared)
        if fold.kind == "repeat":
            self._per_repeat(fold, item)
        self._skips(fold, item)
        self._border_gradient(item, inside, outside)
        self.items.append(item)

    def _border(self, fold: Fold) -> tuple[list[Node], list[Node]]:
        """Find what flows into a fold from outside, and what flows out of it."""
        inside: dict[Node, None] = {}
        outside: dict[Node, None] = {}
        for i in fold.members:
            node = self.snap.nodes[i]
            for parent in self.snap.parents(node) if not isinstance(node, Leaf) else ():
                at = -1 if parent is None else self.snap.at[parent]
                if at >= 0 and self.plan.of[at] is not fold and not self.plan.shares_weight(at, fold):
                    inside[parent] = None
            users = {id(other): other for user, _ in self.snap.users[i] if (other := self.plan.of[user]) is not fold}
            if node in self.snap.roots or any(not self.plan.shares_weight(i, other) for other in users.values()):
                outside[node] = None
        return list(inside), list(outside)

    def _border_gradient(self, item: Item, inside: list[Node], outside: list[Node]) -> None:
        for what, side in ((MEASURES[1], inside), (MEASURES[0], outside)):
            grads = [g for node in side if node.needs and (g := self._known(node)) is not None]
            if grads:
                _measured(item, what, grads)

    def _skips(self, fold: Fold, item: Item) -> None:
        """Tell how much of the gradient comes past the blocks in a fold and how much through them, oldest to newest."""
        members = set(fold.members)
        parts = [balance(self.ledger, past, into) for past, into in self.skips.items() if past[0] in members]
        known = [f"{100 * part:.0f} : {100 - 100 * part:.0f} %" for part in parts if part is not None]
        if known:
            item.facts.append(("skip : main path", " … ".join(dict.fromkeys([known[0], known[-1]]))))

    def _known(self, node: Node) -> Any:
        g = self.ledger.grads.get(self.snap.at[node], plain(node.cotangent))
        if g is None and node.op is None:
            g = plain(node.grad)  # a leaf of many elements keeps its gradient only there
        return None if g is None or is_multiple(node) else g

    def _first_and_last_use(self, weight: Node, fold: Fold) -> list[tuple[str, str]]:
        """Tell how the gradient changes over the calls of a module: how large it is where a weight is used."""
        uses = sorted(user for user, _ in self.snap.users[self.snap.at[weight]] if self.plan.of[user] is fold)
        ends = [self.ledger.grads.get(i) for i in (uses[0], uses[-1])]
        if any(g is None for g in ends):
            return []
        return [("rms grad first … last use", " … ".join(short(rms(*parts_of(g))) for g in ends))]

    def _per_repeat(self, fold: Fold, item: Item) -> None:
        """Tell how the gradient changes from the first repeat to the last."""
        ops = [i for i in fold.members if not isinstance(self.snap.nodes[i], Leaf)]
        ends = [self._known(self.snap.nodes[i]) for i in (ops[:: fold.period][:1] + ops[-1:])] if ops else []
        if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
            item.facts.append(("rms grad oldest … newest", f"{short(rms(ends[0]))} … {short(rms(ends[1]))}"))

    # ----------------------------------------------------------------------------------------------------- edges

    def _edges(self, i: int, node: Node) -> None:
        target = self.place(i)
        if self.plan.stands_beside(i):
            self.arrows[target, f"v{i}", -1] = Arrow("", target, f"v{i}", state="made")
        for k, parent in enumerate(self.snap.parents(node)):
            if parent is None:
                if self.plan.of[i] is None and not self.plan.cards:
                    self._add(self._constant(i, k, node.residuals[k]), target, node, i, k, merge=False)
                continue
            at = self.snap.at[parent]
            if (at in self.plan.within and self.plan.of[at] is None) or self.plan.shares_weight(at, self.plan.of[i]):
                continue
            source = self.value_place(at)
            if self.place(at) != target or target[0] == "v":
                self._add(source, target, node, i, k, merge=source[0] == "f" or target[0] == "f")

    def _refer(self) -> None:
        """Let a value with many drawn uses stand once; each use gets a small reference beside it."""
        uses: dict[str, list[Arrow]] = {}
        for arrow in self.arrows.values():
            uses.setdefault(arrow.source, []).append(arrow)
        items = {item.id: item for item in self.items}
        for source, arrows in uses.items():
            hub = source[0] == "v" and source[1:].isdigit() and int(source[1:]) in self.plan.hubs
            if not (hub or len(arrows) > HUB) or items[source].kind == "fold":
                continue
            for n, arrow in enumerate(arrows):
                target, name = items[arrow.target], items[source].name or source
                self.items.append(
                    Item(f"{source}r{n}", "ref", name, state=items[source].state, module=target.module, note=source)
                )
                arrow.source = f"{source}r{n}"
            items[source].facts.append(("uses", f"{len(arrows)}"))

    def place(self, i: int) -> str:
        """Return the id of what stands for a node in the picture."""
        fold = self.plan.of[i]
        return f"v{i}" if fold is None else self.fold_ids[id(fold)]

    def value_place(self, i: int) -> str:
        """Return the id of what shows the value of a node: it may stand beside the fold that its op is in."""
        return f"v{i}" if self.plan.stands_beside(i) else self.place(i)

    def _add(self, source: str, target: str, node: Node, i: int, k: int, merge: bool) -> None:
        share, state = self.ledger.shares.get((i, k)), self.ledger.edge_states.get((i, k), "none")
        parent = self.snap.parents(node)[k]
        if parent is None or not parent.needs:
            state = "const"
        elif share is None and self.ledger.ran:
            state = "lost"
        if is_multiple(parent) if parent is not None else False:
            share = None  # the tuple of an op's outputs has no gradient of its own
        key = (source, target, -1 if merge else k)
        old = self.arrows.get(key)
        if old is None:
            argument = f"[{node.kwargs['index']}]" if is_output(node) else "" if merge else _argument(node, k)
            cut, skip = self.ledger.cuts.get((i, k), 0), (i, k) in self.skips and not merge
            self.arrows[key] = Arrow("", source, target, argument, share, state, masked=cut, skip=skip)
            return
        old.count += 1
        old.share = None if old.share is None or share is None or source[0] == "f" else total([old.share, share])
        old.state = _merged(old.state, state) if old.share is not None or source[0] == "f" else "none"


def _measured(item: Item, what: str, grads: list[Any]) -> None:
    """Note the size of several gradients together; the one that is noted last colours the box."""
    item.size = rms(*grads)
    item.facts.append((what, short(item.size)))
    item.state = "zero" if item.size == 0 else "ok" if np.isfinite(item.size) else "bad"


def _merged(a: str, b: str) -> str:
    return a if a == b else next((state for state in ("bad", "ok", "none", "masked", "zero") if state in (a, b)), a)


def _argument(node: Node, k: int) -> str:
    op = node.op
    return op.argument(k) if hasattr(op, "argument") and (op.variadic or k < len(op.inputs)) else ""


def _brief(value: Any) -> str:
    if value is GONE:
        return NOT_KEPT
    shape = getattr(value, "shape", None)
    return f"array{shape_text(shape)}" if shape else str(value)


def _shapes(nodes: list[Node]) -> str:
    shapes = dict.fromkeys(
        shape_text(node.shape) if node.shape else "scalar" for node in nodes if not is_multiple(node)
    )
    texts = list(shapes)
    return " ".join(texts[:3]) + (" …" if len(texts) > 3 else "") if texts else "–"
