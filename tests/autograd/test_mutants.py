"""The checker is sharp: for every gradient rule of every op, three wrong versions of it are rejected by check_grads."""

import functools
import importlib
import math

import numpy as np
import pytest

import autograd as ag
from autograd.errors import GradientError
from autograd.rules import Op
from tests.autograd.rows import MODULES, ROWS, domain_of, draw, ranges_of, redeclared, samples


def all_ops():
    """Find every declared op with rules, also those that only a function of the registry uses: (name, place, op)."""
    found = {}
    for module in MODULES:
        for attribute, value in vars(module).items():
            op = getattr(value, "op", None)
            if isinstance(op, Op) and (op.rules or op.joint):
                found.setdefault(id(op), (op, []))[1].append((module.__name__, attribute))
    return list(found.values())


def rules_of(op):
    return {op.argument(i): rule for i, rule in op.rules.items()} or {"all inputs": op.joint}


OPS = {f"{op.name} {places[0][1]}": (op, places) for op, places in all_ops()}
RULES = [(key, label) for key, (op, _) in OPS.items() for label in rules_of(op)]


def detached(x):
    return x.detach() if isinstance(x, ag.Tensor) else x


def each(change):
    """Apply ``change`` to a gradient, or to each gradient of a joint rule."""
    return lambda share: (
        tuple(map(each(change), share)) if isinstance(share, tuple) else None if share is None else change(share)
    )


def after(change):
    """Make a mutation that changes what the rule returns."""
    return lambda rule: functools.wraps(rule)(lambda *args: each(change)(rule(*args)))


def without_upstream(rule):
    """Cut the upstream gradient off: right numbers, wrong at second order."""
    cut = functools.partial(each, detached)()
    return functools.wraps(rule)(lambda g, *args: rule(cut(g), *args))


MUTATIONS = {
    "times 1.001": after(lambda share: share * 1.001),
    "wrong sign": after(lambda share: -share),
    "detached": after(detached),
    "detached upstream": without_upstream,
}
# Ops that no row reaches as a whole: the columns beyond the rank are free, only the others have a gradient.
USES = {"svd _complete": lambda op: lambda a: (op(a)[0][:, :2], op(a)[1], op(a)[2])}
TALL = np.array([[1.0, 0.2], [-0.3, 3.0], [0.1, 0.4]])

# The derivative is zero, so that it has no wrong sign.
ZERO = {("copysign copysign", "b")}


def mutant_of(op, label, mutate):
    """Declare the op again with one rule mutated."""
    return redeclared(op, mutate, None if op.joint else label)


def calls(key, mutant, monkeypatch):
    """Give the function and inputs on which a mutant is tried: its own domain, or the rows that use it from inside."""
    op, places = OPS[key]
    if key in USES:
        yield USES[key](mutant), (TALL,), {}
        return
    for module, attribute in places:
        monkeypatch.setattr(importlib.import_module(module), attribute, mutant)
    if op.domain is not None:
        if callable(op.domain):
            yield from ((mutant, args, kwargs) for args, kwargs in op.domain(np.random.default_rng(7)))
        else:
            yield mutant, draw(mutant, [(2, 3)] * len(ranges_of(mutant)), np.random.default_rng(7)), {}
    else:
        names = [op.name] if op.name in ROWS else [name for name, row in ROWS.items() if row.__module__ == places[0][0]]
        for name in names:
            yield from ((ROWS[name], args, kwargs) for args, kwargs in samples(name))


def rejected(key, mutant, monkeypatch):
    for function, args, kwargs in calls(key, mutant, monkeypatch):
        try:
            ag.check_grads(lambda *varied, f=function, kwargs=kwargs: f(*varied, **kwargs), *args)
        except GradientError:
            return True
    return False


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize(("key", "label"), RULES)
def test_mutant_is_rejected(key, label, mutation, monkeypatch):
    op, _ = OPS[key]
    if op.definition is not None and "detached" in mutation:
        pytest.skip("second derivatives come from the definition, not from this rule")
    mutant = mutant_of(op, label, MUTATIONS[mutation])
    assert rejected(key, mutant, monkeypatch) != ((key, label) in ZERO)


def test_every_declared_rule_is_here():
    """A row of the registry that has rules is among the mutated ops."""
    mutated = {id(op) for op, _ in OPS.values()}
    for name, row in ROWS.items():
        if hasattr(row, "op") and (row.op.rules or row.op.joint):
            assert id(row.op) in mutated, name
        assert domain_of(row) is not None


def test_unchanged_copy_passes(monkeypatch):
    """The machinery itself rejects nothing: redeclared as they are, ops pass."""
    for key, label in RULES[:: max(1, math.ceil(len(RULES) / 40))]:
        with monkeypatch.context() as patch:
            assert not rejected(key, mutant_of(OPS[key][0], label, lambda rule: rule), patch)
