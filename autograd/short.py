"""The gradient side of one node again, in fewer steps: for ops whose rules ask for nothing unusual.

Each function makes the pull of one op, which gives what :func:`general_pull` would give.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from autograd.graph import Node, clock
from autograd.pull import Cotangents, check, fit, general_pull, joint_shares
from autograd.rules import Op, Rule, Shares

_F64 = np.float64
_NDARRAY = np.ndarray


def joint_pull(op: Op) -> Callable[..., Shares]:
    """Make the pull of an op with one joint rule: the fused ops, of which a small net has few, so each call counts."""
    joint = op.joint
    at = None if joint is None else places(op, joint)
    if joint is None or at is None:
        return general_pull
    pick = picker(at)

    def pull(node: Node, g: Any, wanted: Any = None) -> Shares:
        if node.released or clock.changed < node.order:
            check(node)
        if g.__class__ is Cotangents:
            g = g.fill(node)
        parents = node.more or node.parents
        if wanted is None:
            needs = tuple([p is not None and p.needs for p in parents])
        else:
            needs = tuple([p is not None and p.needs and p in wanted for p in parents])
        shares = joint.function(g, *pick((*node.saved, *node.kwargs.values(), needs)))
        if shares.__class__ is not tuple or len(shares) != len(parents):
            return joint_shares(op, shares, node, wanted)
        pairs: Shares = []
        for i, needed in enumerate(needs):
            if needed:
                parent, share = parents[i], shares[i]
                if share.__class__ is not _NDARRAY or share.dtype is not parent.dtype or share.shape != parent.shape:
                    share = fit(share, parent, op, i)
                pairs.append((parent, share))
        return pairs

    return pull


def single_pull(op: Op) -> Callable[..., Shares]:
    """Make the pull of an op of one input with keywords: sums, reshapes, slices."""
    rule = op.rules[0]
    at = places(op, rule)
    if at is None:
        return general_pull
    pick = picker(at)

    def pull(node: Node, g: Any, wanted: Any = None) -> Shares:
        parent = node.a
        if node.released or clock.changed < node.order:
            check(node)
        if g.__class__ is Cotangents:
            g = g.fill(node)
        share = rule.function(g, *pick((*node.saved, *node.kwargs.values(), (True,), (parent.shape,))))
        if share.__class__ is not _NDARRAY or share.dtype is not parent.dtype or share.shape != parent.shape:
            share = fit(share, parent, op, 0)
        return [(parent, share)]

    return pull


def places(op: Op, rule: Rule) -> list[int] | None:
    """Tell where a rule's arguments stand in (*inputs, y, *cache, *keywords, needs, shapes); None if not all do.

    ``shapes`` is there for ops of one input only.
    """
    names = [*op.inputs, "y", *op.cache, *op.keywords, "needs", *(["shapes"] if len(op.inputs) == 1 else [])]
    if op.variadic or any(name not in names for name in rule.names):
        return None
    return [names.index(name) for name in rule.names]


def picker(at: list[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    """Make the function that picks these places of a tuple, as a tuple."""
    if len(at) > 1:
        return itemgetter(*at)
    return lambda values: tuple([values[i] for i in at])


def fast_pull(op: Op) -> Callable[..., Shares]:
    """Make the pull of an elementwise op with one or two inputs and no keywords.

    Nodes of numbers, of which a graph of scalars has thousands, have a shorter one in ``op.pull_number``.
    """
    rules = [op.rules[i] for i in range(len(op.inputs))]
    places = [[op.inputs.index(name) if name in op.inputs else len(op.inputs) for name in rule.names] for rule in rules]
    op.pull_number = general_pull
    if any(name in ("shapes", "needs") for rule in rules for name in rule.names):
        return general_pull
    op.short = [(rule.function, at) for rule, at in zip(rules, places, strict=True)]
    rules_at = [_one_value(function, at) for function, at in op.short]
    op.pull_number = _pull_number(op, rules_at)
    if len(rules_at) == 1:
        ((only, k),) = rules_at

        def pull_one(node: Node, g: Any, wanted: Any = None) -> Shares:
            if node.released or clock.changed < node.order:
                check(node)
            return [(node.a, fit(only(g) if k is None else only(g, node.saved[k]), node.a, op, 0))]

        return pull_one
    (rule_a, at_a), (rule_b, at_b) = rules_at

    def pull_two(node: Node, g: Any, wanted: Any = None) -> Shares:
        if node.released or clock.changed < node.order:
            check(node)
        a, b, pairs = node.a, node.b, []
        if a is not None and a.needs and (wanted is None or a in wanted):
            pairs.append((a, fit(rule_a(g) if at_a is None else rule_a(g, node.saved[at_a]), a, op, 0)))
        if b is not None and b.needs and (wanted is None or b in wanted):
            pairs.append((b, fit(rule_b(g) if at_b is None else rule_b(g, node.saved[at_b]), b, op, 1)))
        return pairs

    return pull_two


def _pull_number(op: Op, rules_at: Sequence[Any]) -> Callable[[Node, Any], Shares]:
    """Make the pull of a ScalarNode: its inputs and shares are float64 numbers, or the rule is wrong."""
    (rule_a, at_a), *rest = rules_at
    rule_b, at_b = rest[0] if rest else (rule_a, at_a)

    def pull_one(node: Node, g: Any) -> Shares:
        if node.released or clock.changed < node.order:
            check(node)
        share = rule_a(g) if at_a is None else rule_a(g, node.saved[at_a])
        return [(node.a, share if share.__class__ is _F64 else fit(share, node.a, op, 0))]

    def pull_two(node: Node, g: Any) -> Shares:
        if node.released or clock.changed < node.order:
            check(node)
        a, b = node.a, node.b
        if a is None or not a.needs:
            share = rule_b(g) if at_b is None else rule_b(g, node.saved[at_b])
            return [(b, share if share.__class__ is _F64 else fit(share, b, op, 1))]
        share = rule_a(g) if at_a is None else rule_a(g, node.saved[at_a])
        if share.__class__ is not _F64:
            share = fit(share, a, op, 0)
        if b is None or not b.needs:
            return [(a, share)]
        other = rule_b(g) if at_b is None else rule_b(g, node.saved[at_b])
        return [(a, share), (b, other if other.__class__ is _F64 else fit(other, b, op, 1))]

    return pull_two if rest else pull_one


def _one_value(function: Callable[..., Any], at: Sequence[int]) -> tuple[Callable[..., Any], Any]:
    """Give the rule and the place of the one saved value that it reads, None for none; several are handed over as one.

    A rule of several values is called through a lambda with the whole of what is saved, a slice.
    """
    if len(at) < 2:
        return function, at[0] if at else None
    return lambda g, saved: function(g, *[saved[k] for k in at]), slice(None)
