"""Fold what repeats: numbered modules of one form (``blocks.0 … 5``), and runs of the same ops in the same order."""

import re
from typing import Any

import numpy as np

from autograd.graph import Leaf
from autograd.modes import Scope
from autograd.viz.plans import Fold, Plan

MIN_REPEATS, ROUNDS = 3, 60


def fold_stacks(made: Plan) -> bool:
    """Fold numbered modules of one form that follow each other: ``blocks.0 … 5 (×6)``; tell whether there were any."""
    forms: dict[Scope, list[Any]] = {}
    for i, node in enumerate(made.snap.nodes):
        for scope in made.chains[made.snap.homes[i]] if node.op is not None else ():
            forms.setdefault(scope, []).append((node.op.name, node.shape if scope is made.snap.homes[i] else None))
    stacks: list[list[Scope]] = []
    latest: dict[Scope | None, list[Scope]] = {}  # the stack that goes on, in each module
    for scope, form in forms.items():
        if _number(scope) is None:
            continue
        stack = latest.get(scope.parent)
        if stack is not None and _follows(stack[-1], scope) and forms[stack[-1]] == form:
            stack.append(scope)
        else:
            latest[scope.parent] = stack = [scope]
            stacks.append(stack)
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


def fold_repeats(made: Plan, max_nodes: int | None) -> None:
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
