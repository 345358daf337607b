"""The tables are sharp: what an engine that breaks a law would give is rejected by the row that holds it.

Here a law is broken from outside, by the public face: a conversion that lets numbers pass, an op whose rule forgets the
cut, a view that is a copy, a definition that loses a parent. The engine with a part gone is in test_laws_mutants.py.
"""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.cut_products import KEEP, PRODUCTS
from tests.autograd.laws.in_place.names import NAMES
from tests.autograd.laws.in_place.views import VIEWS
from tests.autograd.laws.oracle import FIRST_ORDER, Row, hold
from tests.autograd.laws.test_closures import PAIRS, number
from tests.autograd.laws.test_closures import hold as hold_pairs
from tests.autograd.laws.test_copies import COPIES
from tests.autograd.laws.test_numbers import LEAKS
from tests.autograd.laws.test_zero_times_inf import SLOPES


def rejected(row, way="backward", right=None):
    try:
        hold(row, FIRST_ORDER[way], row.gradient() if right is None else right)
    except (AssertionError, TypeError, ValueError):
        return True
    return False


LETS_PASS = ["element of a plain array", "element of a plain matrix", "filled with a number", "element by flat"]
LETS_PASS += ["math.exp", "math.fsum", "np.float64", "float in a product", "np.fromiter", "statistics.fmean"]


@pytest.mark.parametrize("name", LETS_PASS)
def test_a_float_that_passes_is_rejected(name, monkeypatch):
    monkeypatch.setattr(ag.Tensor, "__float__", lambda self: float(self.item()))
    assert rejected(LEAKS[name])


@pytest.mark.parametrize("name", ["copy.copy", "copy.deepcopy", "deepcopy of a list", "dataclasses.asdict"])
def test_a_copy_that_is_a_new_leaf_is_rejected(name, monkeypatch):
    fresh = lambda self, memo=None: ag.Tensor(self.detach().numpy(), requires_grad=True)  # noqa: E731
    monkeypatch.setattr(ag.Tensor, "__copy__", fresh, raising=False)
    monkeypatch.setattr(ag.Tensor, "__deepcopy__", fresh, raising=False)
    assert rejected(COPIES[name], "grad")


def forgetful_where(y):
    """Select as np.where does, with a rule that multiplies."""
    op = ag.op(lambda y: np.where(KEEP, y, 0.0), vjp=lambda g: g * KEEP, name="forgetful_where")
    return op(y)


@pytest.mark.parametrize(
    ("name", "f"),
    [("sqrt of zero", np.sqrt), ("sqrt of a negative", np.sqrt), ("exp", np.exp), ("1 / x", np.reciprocal)],
)
def test_a_mask_that_forgets_its_cut_is_rejected(name, f):
    row = PRODUCTS[f"where behind {name}"]
    assert rejected(Row(lambda x: forgetful_where(f(x)), row.at, accept=()), right=row.gradient())


def lazy_sqrt(x):
    """Take 0 · ∞ for 0."""
    op = ag.op(
        np.sqrt.__call__,
        inputs=["x"],
        vjp=lambda g, y: np.where(g == 0, 0.0, g / (2 * np.where(y == 0, 1.0, y))),
        name="lazy_sqrt",
    )
    return op(x)


def test_a_silent_zero_is_rejected():
    row = SLOPES["sqrt squared"]
    assert rejected(Row(lambda x: lazy_sqrt(x) ** 2, row.at, row.right, row.accept), right=row.right)


def copied_row(x):
    y = x * 1
    row = y[0].copy()
    row += 1
    return y


def renamed(x):
    a = x * 1
    b = a
    b = b + 1
    return a


@pytest.mark.parametrize(
    ("mutant", "row"),
    [(copied_row, VIEWS["row plus one"]), (renamed, NAMES["another name"])],
    ids=["a view that is a copy", "a name that is rebound"],
)
def test_a_write_that_does_not_arrive_is_rejected(mutant, row):
    assert rejected(Row(mutant, row.at, accept=row.accept, error=row.error), right=row.gradient())


def detached(x):
    return x.detach() if isinstance(x, ag.Tensor) else x


def test_a_definition_that_loses_a_parent_is_rejected():
    loses = ag.op(
        lambda a, b: a * b**2,
        vjp=lambda g, a, b: (g * b**2, 2 * g * a * b),
        definition=lambda a, b: a * detached(b) ** 2,
        name="loses_a_parent",
    )
    keeps = ag.op(
        lambda a, b: a * b**2,
        vjp=lambda g, a, b: (g * b**2, 2 * g * a * b),
        name="keeps_its_parents",
    )
    a, b = np.array([0.3, -0.5]), np.array([0.7, 0.4])
    hold_pairs(lambda a, b: number(keeps(a, b)), a, b, [("grad", "grad"), ("jvp", "grad")])
    for pair in PAIRS:
        with pytest.raises(AssertionError):
            hold_pairs(lambda a, b: number(loses(a, b)), a, b, [pair])
