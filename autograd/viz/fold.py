"""Make a graph small enough to look at: fold modules, then repeated patterns, then what is far from the focus.

A fold is a set of nodes that is drawn as one box. Results, and what the user gave a name, are never folded
away: a named input stays outside, a named result of a folded module stands beside it. Nothing here looks at gradients.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from autograd.graph import Leaf
from autograd.modes import Scope
from autograd.viz.plans import HUB, Fold, Plan
from autograd.viz.repeats import fold_repeats, fold_stacks
from autograd.viz.snapshot import Snapshot

WIRE = 6  # what a picture of n boxes may have of wire, in steps of the layout per box: about 2 s for 500 boxes
SLIDE = 40  # a picture of more boxes fits no slide: it is folded without being laid out


def plan(snap: Snapshot, depth: int | None, roll: bool, max_nodes: int, focus: Any) -> Plan:
    """Fold as the caller asks (``depth``, ``roll``), then as far as ``max_nodes`` boxes and their wires demand.

    The time that a layout takes grows with the length of its wires: those of values with several uses become
    references, and if that is not enough, more is folded.
    """
    room, longest = max_nodes, WIRE * max(max_nodes, 100)
    while True:
        made = _plan(snap, depth, roll, room, focus)
        if (_shorten(made, longest) and made.boxes() <= max_nodes) or room < 16:
            return made
        room = room * 3 // 4


def candidates(snap: Snapshot, depth: int | None, roll: bool, focus: Any) -> Iterator[Plan]:
    """Yield plans for a slide, each folded further than the one before: the first whose picture fits is taken."""
    made = Plan(snap, cards=True)
    deepest = max((len(chain) for chain in made.chains.values()), default=0)
    if depth is None:
        yield _rolled(made, roll)
        made = Plan(snap, cards=True)
        if fold_stacks(made):
            yield made
        made = Plan(snap, cards=True)
        fold_repeats(made, SLIDE // 2)
        yield made
        before = made.boxes()
        made = Plan(snap, cards=True)
        fold_repeats(made, SLIDE // 4)
        if made.boxes() < before:
            yield made
    for level in range(deepest - 1, -1, -1) if depth is None else (depth,):
        made = Plan(snap, cards=True)
        if _fold_modules(made, level, calls=True):
            yield _rolled(made, roll)
        made = Plan(snap, cards=True)
        stacked = fold_stacks(made) if depth is None else False
        _fold_modules(made, level)
        yield _rolled(made, roll)
        if stacked:
            made = Plan(snap, cards=True)
            _fold_modules(made, level)
            yield made
    for room in (20, 14, 10, 6):
        made = Plan(snap, cards=True)
        if deepest or depth is not None:
            _fold_modules(made, depth or 0)
        if made.boxes() > room:
            fold_repeats(made, room)
        if made.boxes() > room:
            _fold_distant(made, room, focus)
        yield made


def _rolled(made: Plan, roll: bool) -> Plan:
    if roll:
        fold_repeats(made, None)
    return made


def _plan(snap: Snapshot, depth: int | None, roll: bool, max_nodes: int, focus: Any) -> Plan:
    made = Plan(snap)
    if depth is not None:
        _fold_modules(made, depth)
    elif made.boxes() > max_nodes:
        fold_repeats(made, max_nodes)  # steps of one module say more than the module as one box
        if made.boxes() > max_nodes:
            made = Plan(snap)
            _fold_modules_to_fit(made, max_nodes)
    if roll:
        fold_repeats(made, None)
    if made.boxes() > max_nodes:
        fold_repeats(made, max_nodes)
    if made.boxes() > max_nodes:
        _fold_distant(made, max_nodes, focus)
    return made


# ------------------------------------------------------------------------------------------------------------ wires


def _shorten(made: Plan, longest: int) -> bool:
    """Make values with several uses references, those with most wire first, until all wires together are short."""
    lengths = wires(made)
    total = sum(sum(spans) for spans in lengths.values())
    for i, spans in sorted(lengths.items(), key=lambda pair: -sum(pair[1])):
        if total <= longest:
            break
        if 3 <= len(spans) <= HUB and made.of[i] is None:
            made.hubs.add(i)
            made.cost[i] += len(spans)
            total -= sum(spans)
    return total <= longest


def wires(made: Plan) -> dict[int, list[int]]:
    """Tell how far the drawn edges of each value reach, in steps of the layout."""
    snap, nodes = made.snap, made.snap.nodes
    column: dict[int, int] = {}  # of what stands for a node, a leaf being drawn right before its first use

    def place(i: int) -> int:
        fold = made.of[i]
        return i if fold is None else -1 - fold.members[0]

    edges: dict[tuple[int, int, int], int] = {}
    for i, node in enumerate(nodes):
        if isinstance(node, Leaf):
            continue
        target = place(i)
        for k, parent in enumerate(snap.parents(node)):
            if parent is not None and (source := place(at := snap.at[parent])) != target:
                edges[source, target, k if source >= 0 and target >= 0 else -1] = at
                column[target] = max(column.get(target, 0), column.get(source, 0) + 2)
    first: dict[int, int] = {}
    for source, target, _ in edges:
        first[source] = min(first.get(source, column[target]), column[target])
    lengths: dict[int, list[int]] = {}
    for (source, target, _), at in edges.items():
        start = first[source] - 2 if isinstance(nodes[at], Leaf) else column.get(source, 0)
        lengths.setdefault(at, []).append(max(column[target] - start, 0))
    return {at: spans if len(spans) <= HUB else [] for at, spans in lengths.items()}


# ---------------------------------------------------------------------------------------------------------- modules


def _fold_modules(made: Plan, depth: int, calls: bool = False) -> bool:
    """Draw each module at ``depth`` (0: the outermost) as one box, or with ``calls`` each call of it that can be told.

    That is a run of its ops, one after the other; its weights are in the first. Tells if any module has several, and
    if that saves boxes: a box for each op is no better than its card.
    """
    folds: dict[Any, Fold] = {}
    runs: dict[Scope, int] = {}
    before: Scope | None = None
    for i, home in enumerate(made.snap.homes):
        chain = made.chains[home]
        scope = chain[depth] if len(chain) > depth else None
        if made.snap.nodes[i].op is not None:
            if scope is not None and scope is not before:
                runs[scope] = runs.get(scope, 0) + 1
            before = scope
        if scope is not None and made.may_fold(i) and made.of[i] is None:
            title = made.snap.called(scope)
            shown, run = scope.kind * (scope.kind != title), max(runs.get(scope, 1), 1) if calls else 1
            if made.snap.nodes[i].op is None:
                run = 1
            fold = folds.setdefault((scope, run), Fold("module", title, [], scope.parent, shown=shown))
            made.of[i] = fold
            fold.members.append(i)
    for scope, run in folds if calls else ():
        folds[scope, run].call = (run, runs[scope]) if runs.get(scope, 1) > 1 else None
    made.folds.extend(folds.values())
    made.absorb(largest=1)  # larger constants are the module's inputs: they show its shapes
    if folds:
        count = len({scope for scope, _ in folds})
        made.notes.append(f"{count} module{'s' * (count > 1)} folded at depth {depth}")
    ops = sum(made.snap.nodes[i].op is not None for fold in folds.values() for i in fold.members)
    return ops > len(folds) and any(fold.call for fold in folds.values())


def _fold_modules_to_fit(made: Plan, max_nodes: int) -> None:
    """Find the deepest level at which the picture fits, and fold there."""
    deepest = max((len(chain) for chain in made.chains.values()), default=0)
    for depth in range(deepest - 1, -1, -1):
        loose, closed = 0, set()
        for cost, home in zip(made.cost, made.snap.homes, strict=True):
            chain = made.chains[home]
            if len(chain) > depth:
                closed.add(chain[depth])
            else:
                loose += cost
        if loose + len(closed) <= max_nodes or depth == 0:
            _fold_modules(made, depth)
            return


# --------------------------------------------------------------------------------------------------------- distance


def _fold_distant(made: Plan, max_nodes: int, focus: Any) -> None:
    """Keep what is nearest to the focus (in edges, both ways), fold the rest into one box."""
    snap = made.snap
    starts = [snap.at[node] for node in ([focus] if focus is not None else snap.roots)]
    kept: set[int] = set()
    starts += [i for i in sorted(made.pinned) if i not in starts]
    seen = set(starts)
    queue = deque(starts)
    budget = max_nodes - 1
    while queue:
        i = queue.popleft()
        fold = made.of[i]
        price = 1 if fold is not None else made.cost[i]
        if price > budget:
            break
        budget -= price
        group = fold.members if fold is not None else [i]
        kept.update(group)
        seen.update(group)
        for j in group:
            for neighbour in _neighbours(snap, j):
                if neighbour not in seen:
                    seen.add(neighbour)
                    queue.append(neighbour)
    gone = [i for i in range(len(snap.nodes)) if i not in kept and made.may_fold(i)]
    if gone:
        made.folds = [fold for fold in made.folds if fold.members[0] in kept]
        made.close(Fold("rest", f"… {len(gone):,} more nodes", [], None), gone)
        where = "the focus" if focus is not None else "the root"
        made.notes.append(f"{len(gone):,} nodes farther from {where} folded")


def _neighbours(snap: Snapshot, i: int) -> Iterable[int]:
    for parent in snap.parents(snap.nodes[i]) if not isinstance(snap.nodes[i], Leaf) else ():
        if parent is not None:
            yield snap.at[parent]
    for user, _ in snap.users[i]:
        yield user
