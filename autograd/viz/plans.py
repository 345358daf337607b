"""What is drawn and what is folded away: a fold is a set of nodes that is drawn as one box."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from autograd.graph import Leaf
from autograd.modes import Scope
from autograd.viz.cards import inside
from autograd.viz.snapshot import Snapshot, chain_of, is_multiple, is_output, size

HUB = 12  # a value used more often than this is drawn once, and its uses as small references: long wires hide the rest


@dataclass(slots=True)
class Fold:
    """Name a set of nodes that is drawn as one box: a ``module``, ``stack`` of modules, ``repeat`` or the ``rest``.

    One of several calls of a module says which, and of how many.
    """

    kind: str
    title: str
    members: list[int] = field(default_factory=list)
    scope: Scope | None = None
    repeats: int = 0
    period: int = 0
    shown: str = ""
    call: tuple[int, int] | None = None


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

    def shares_weight(self, i: int, fold: Fold | None) -> bool:
        """Tell whether a leaf is a weight that another call of the same module uses, in whose box it is."""
        home = self.of[i]
        if fold is None or home is None or home is fold or not (fold.call and home.call):
            return False
        return isinstance(self.snap.nodes[i], Leaf) and (home.title, home.scope) == (fold.title, fold.scope)

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
