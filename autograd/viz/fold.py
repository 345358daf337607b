"""Make a graph small enough to look at: fold modules, then repeated patterns, then what is far from the focus.

A fold is a set of nodes that is drawn as one box. Results, and what the user gave a name, are never folded
away: a named input stays outside, a named result of a folded module stands beside it. Nothing here looks at gradients.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.graph import Leaf
from autograd.modes import Scope
from autograd.viz.cards import inside
from autograd.viz.snapshot import Snapshot, chain_of, is_multiple, is_output, size

MIN_REPEATS, ROUNDS = 3, 60
WIRE = 6  # what a picture of n boxes may have of wire, in steps of the layout per box: about 2 s for 500 boxes
SLIDE = 40  # a picture of more boxes fits no slide: it is folded without being laid out
HUB = 12  # a value used more often than this is drawn once, and its uses as small references: long wires hide the rest


@dataclass(slots=True)
class Fold:
    """Name a set of nodes that is drawn as one box: a ``module``, ``stack`` of modules, ``repeat`` or the ``rest``."""

    kind: str
    title: str
    members: list[int] = field(default_factory=list)
    scope: Scope | None = None
    repeats: int = 0
    period: int = 0
    shown: str = ""


class Plan:
    """Decide what is drawn and what is folded: ``of[i]`` is the fold of node ``i`` or None; ``notes`` say why."""

    def __init__(self, snap: Snapshot, cards: bool = False) -> None:
        self.snap, self.cards = snap, cards
        self.within = inside(snap) if cards else {}  # leaves that stand inside the card of the op that uses them
        self.of: list[Fold | None] = [None] * len(snap.nodes)
        self.folds: list[Fold] = []
        self.notes: list[str] = []
        self.hubs: set[int] = set()  # values whose uses are drawn as references, as their wires would be long
        self.chains: dict[Scope | None, tuple[Scope, ...]] = {None: ()}
        for home in snap.homes:
            if home not in self.chains:
                self.chains[home] = chain_of(home)
        self.cost = [1] * len(snap.nodes) if cards else [_cost(snap, node) for node in snap.nodes]
        for i in self.within:
            self.cost[i] = 0
        self.pinned = {i for i, node in enumerate(snap.nodes) if node in snap.roots or snap.is_named(i)}

    def boxes(self) -> int:
        """Count the boxes of the picture as planned."""
        loose = sum(cost for cost, fold in zip(self.cost, self.of, strict=True) if fold is None)
        return loose + len(self.folds) + sum(self.stands_beside(i) for i in self.pinned)

    def parts(self, i: int) -> list[int]:
        """List the leaves that stand inside the card of an op."""
        found = [self.snap.at[p] for p in self.snap.parents(self.snap.nodes[i]) if p is not None]
        return [at for at in found if at in self.within and self.of[at] is None]

    def stands_beside(self, i: int) -> bool:
        """Tell whether a value is drawn though the op that made it is folded."""
        return i in self.pinned and self.of[i] is not None

    def may_fold(self, i: int) -> bool:
        """Tell whether a node may go into a fold: of what is pinned only ops, whose result then stands beside it."""
        return i not in self.pinned or not isinstance(self.snap.nodes[i], Leaf)

    def close(self, fold: Fold, members: Iterable[int]) -> None:
        """Put nodes into a new fold."""
        for i in members:
            self.of[i] = fold
            fold.members.append(i)
        self.folds.append(fold)

    def is_pinned(self, members: Iterable[int]) -> bool:
        """Tell whether any of these nodes must be seen in its place; the newest are, as they are not rolled."""
        return any(i in self.pinned and self.snap.users[i] for i in members)

    def absorb(self, largest: int | None = None) -> None:
        """Fold leaves that only folds use: constants up to ``largest`` elements, or (None) all, and weights."""
        for i, user in self.within.items():
            if self.of[i] is None and (fold := self.of[user]) is not None:
                self.of[i] = fold
                fold.members.append(i)
        for i, node in enumerate(self.snap.nodes):
            if self.of[i] is not None or not isinstance(node, Leaf) or not self.snap.users[i] or not self.may_fold(i):
                continue
            if largest is not None and (node.needs or size(node) > largest):
                continue
            fold = self.of[self.snap.users[i][-1][0]]  # that of the newest user
            if fold is not None and all(self.of[user] is not None for user, _ in self.snap.users[i]):
                self.of[i] = fold
                fold.members.append(i)


def _cost(snap: Snapshot, node: Any) -> int:
    """Count the boxes of a node: its value, its op, constants in its call, and references to values with many uses."""
    if isinstance(node, Leaf):
        return 1
    own = 1 if is_multiple(node) or is_output(node) else 2
    return own + sum([parent is None or len(snap.users[snap.at[parent]]) > HUB for parent in snap.parents(node)])


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
        if _fold_stacks(made):
            yield made
        made = Plan(snap, cards=True)
        _fold_repeats(made, SLIDE // 2)
        yield made
    for level in range(deepest - 1, -1, -1) if depth is None else (depth,):
        made = Plan(snap, cards=True)
        stacked = _fold_stacks(made) if depth is None else False
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
            _fold_repeats(made, room)
        if made.boxes() > room:
            _fold_distant(made, room, focus)
        yield made


def _rolled(made: Plan, roll: bool) -> Plan:
    if roll:
        _fold_repeats(made, None)
    return made


def _plan(snap: Snapshot, depth: int | None, roll: bool, max_nodes: int, focus: Any) -> Plan:
    made = Plan(snap)
    if depth is not None:
        _fold_modules(made, depth)
    elif made.boxes() > max_nodes:
        _fold_repeats(made, max_nodes)  # steps of one module say more than the module as one box
        if made.boxes() > max_nodes:
            made = Plan(snap)
            _fold_modules_to_fit(made, max_nodes)
    if roll:
        _fold_repeats(made, None)
    if made.boxes() > max_nodes:
        _fold_repeats(made, max_nodes)
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


def _fold_modules(made: Plan, depth: int) -> None:
    """Draw each module at ``depth`` (0: the outermost) as one box."""
    folds: dict[Scope, Fold] = {}
    for i, home in enumerate(made.snap.homes):
        chain = made.chains[home]
        if len(chain) > depth and made.may_fold(i) and made.of[i] is None:
            scope = chain[depth]
            fold = folds.setdefault(
                scope, Fold("module", scope.path, [], scope.parent, shown=scope.kind * (scope.kind != scope.path))
            )
            made.of[i] = fold
            fold.members.append(i)
    made.folds.extend(folds.values())
    made.absorb(largest=1)  # larger constants are the module's inputs: they show its shapes
    if folds:
        made.notes.append(f"{len(folds)} module{'s' * (len(folds) > 1)} folded at depth {depth}")


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


def _fold_stacks(made: Plan) -> bool:
    """Fold numbered modules of one form that follow each other: ``blocks.0 … 5 (×6)``; tell whether there were any."""
    forms: dict[Scope, list[Any]] = {}
    for i, node in enumerate(made.snap.nodes):
        for scope in made.chains[made.snap.homes[i]] if node.op is not None else ():
            forms.setdefault(scope, []).append((node.op.name, node.shape if scope is made.snap.homes[i] else None))
    stacks: list[list[Scope]] = []
    for scope, form in forms.items():
        last = stacks[-1][-1] if stacks else None
        if _number(scope) is None:
            continue
        if last is not None and _follows(last, scope) and forms[last] == form:
            stacks[-1].append(scope)
        else:
            stacks.append([scope])
    stacks = [stack for stack in stacks if len(stack) >= MIN_REPEATS]
    for stack in stacks:
        first, last = stack[0], stack[-1]
        title = f"{first.path} … {_number(last)} (×{len(stack)})"
        fold = Fold("stack", title, [], first.parent, len(stack), shown=first.kind)
        held = set(stack)
        members = [
            i
            for i, home in enumerate(made.snap.homes)
            if made.of[i] is None and held & set(made.chains[home]) and made.may_fold(i)
        ]
        made.close(fold, members)
        made.notes.append(f"{len(stack)} {first.kind}s of one form: {title}")
    made.absorb()
    return bool(stacks)


def _number(scope: Scope) -> int | None:
    found = re.search(r"(\d+)$", scope.path)
    return int(found[1]) if found else None


def _follows(a: Scope, b: Scope) -> bool:
    """Tell whether two modules are neighbours in one list: ``blocks.1`` and ``blocks.2``."""
    n, m = _number(a), _number(b)
    bare = re.compile(r"\d+$")
    return (
        a.parent is b.parent and a.kind == b.kind and m == (n or 0) + 1 and bare.sub("", a.path) == bare.sub("", b.path)
    )


# ---------------------------------------------------------------------------------------------------------- repeats


def _fold_repeats(made: Plan, max_nodes: int | None) -> None:
    """Fold runs of a repeated pattern of ops, all but the newest repeat; to fit, or wherever they are."""
    units, signatures = _units(made)
    for _ in range(ROUNDS):
        boxes = made.boxes()
        if max_nodes is not None and boxes <= max_nodes:
            break
        start, period, repeats = _longest_run(np.array(signatures))
        least = 1 if max_nodes is None else max(4, (boxes - max_nodes) // 50)
        if repeats < MIN_REPEATS or (repeats - 1) * period < least:
            break
        stop = start + (repeats - 1) * period
        _roll(made, units[start:stop], repeats - 1, period)
        units[start:stop] = [units[start]]
        signatures[start:stop] = [-len(made.folds)]  # a fold of its own kind, so that it is not rolled again
    made.absorb()


def _units(made: Plan) -> tuple[list[list[int]], list[int]]:
    """List what can repeat, oldest first: ops, and folded modules as wholes; with a number for what each looks like."""
    units: list[list[int]] = []
    signatures: list[int] = []
    numbers: dict[Any, int] = {}
    seen: set[int] = set()
    for i, node in enumerate(made.snap.nodes):
        fold = made.of[i]
        if fold is not None:
            if id(fold) in seen:
                continue
            seen.add(id(fold))
            look: Any = (fold.kind, fold.title)
        elif isinstance(node, Leaf):
            continue
        else:
            home = made.snap.homes[i]
            look = (node.op.name, str(node.shape), re.sub(r"\d+", "#", home.path) if home else "")
        unit = fold.members if fold is not None else [i]
        if made.is_pinned(unit):
            look = i  # like no other, so that no pattern runs over it
        units.append(unit)
        signatures.append(numbers.setdefault(look, len(numbers)))
    return units, signatures


def _longest_run(ids: Any) -> tuple[int, int, int]:
    """Find the run of a repeated pattern that covers most: its start, the pattern's length, the repeats."""
    best = (0, 0, 0, 0)
    limit = min(len(ids) // MIN_REPEATS, 64 + 4_000_000 // max(len(ids), 1))
    for period in range(1, limit + 1):
        breaks = np.flatnonzero(ids[period:] != ids[:-period])
        edges = np.concatenate(([-1], breaks, [len(ids) - period]))
        lengths = np.diff(edges) - 1
        at = int(lengths.argmax())
        repeats = int(lengths[at]) // period + 1
        if repeats >= MIN_REPEATS and repeats * period > best[0]:
            best = (repeats * period, int(edges[at]) + 1 + int(lengths[at]) % period, period, repeats)
    return best[1:]


def _roll(made: Plan, units: list[list[int]], repeats: int, period: int) -> None:
    members = sorted({i for unit in units for i in unit})
    looks = []
    for unit in units[:period]:
        fold = made.of[unit[0]]
        looks.append(fold.title if fold else made.snap.nodes[unit[0]].op.symbol)
    title = f"{repeats:,} repeats of  " + "  ".join(looks[:5]) + (" …" if period > 5 else "")
    inner = {id(fold) for i in members if (fold := made.of[i]) is not None}
    made.folds = [fold for fold in made.folds if id(fold) not in inner]
    fold = Fold("repeat", title, [], _common(made, members), repeats, period)
    made.close(fold, members)
    made.notes.append(f"{repeats:,} repeats of {period} op{'s' * (period > 1)} rolled up")


def _common(made: Plan, members: list[int]) -> Scope | None:
    """Find the innermost module that holds all of these nodes."""
    chain = made.chains[made.snap.homes[members[0]]]
    for i in members:
        other = made.chains[made.snap.homes[i]]
        if other is not chain:
            chain = tuple(a for a, b in zip(chain, other, strict=False) if a is b)
    return chain[-1] if chain else None


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
