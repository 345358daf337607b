"""Each law of the engine is held by programs of its table: with the part that keeps the law gone, every one goes wrong.

The written-out code of an op finds what it calls among its globals, so a part is taken from there or from its module.
"""

import functools
import importlib
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import accumulate, backward, box, conversions, differentiate, inplace, masking, tensor
from autograd.errors import InPlaceError
from autograd.primitive import registry
from autograd.rules import Op
from autograd.vjp import IDENTITY
from tests.autograd.laws.cut_products import PRODUCTS
from tests.autograd.laws.cut_rows import ROWS as CUTS
from tests.autograd.laws.in_place.names import NAMES
from tests.autograd.laws.in_place.views import VIEWS
from tests.autograd.laws.oracle import FIRST_ORDER, Row, hold
from tests.autograd.laws.test_copies import COPIES
from tests.autograd.laws.test_numbers import LEAKS
from tests.autograd.laws.test_small_keeps_no_large import test_what_stays_until_backward
from tests.autograd.rows import MODULES

VJP = importlib.import_module("autograd.vjp")  # the attribute of the package is the transform
WRONG = (AssertionError, TypeError, ValueError, RuntimeError, AttributeError, pytest.fail.Exception)


def leaf(data):
    return ag.Tensor(data, requires_grad=True)


def rows(table, *names, way="backward"):
    """List the programs of a table of laws, by name."""
    return {name: functools.partial(hold, table[name], FIRST_ORDER[way], table[name].gradient()) for name in names}


def in_all_ops(patch, name, replacement):
    """Replace what the written-out code of every op calls."""
    for module in MODULES:
        for row in vars(module).values():
            if isinstance(getattr(row, "op", None), Op):
                patch.setitem(row.__globals__, name, replacement)


# ------------------------------------------------------------------------- programs of laws that have no table of rows

A = np.array([0.3, -0.5])


def scaled(a, b):
    """Compute a · b² by an op with a rule and a definition."""
    rule = lambda g, a, b: (g * b**2, 2 * g * a * b)  # noqa: E731
    return ag.op(lambda a, b: a * b**2, vjp=rule, definition=lambda a, b: a * b**2, name="scaled")(a, b)


def penalty(inner):
    """Make a program whose inner transform closes over b, with the right value where b is an array."""
    return Row(lambda b: inner(b) if isinstance(b, ag.Tensor) else 2 * A * b**4, [0.7, 0.4], accept=())


CLOSURES = {
    "grad": penalty(lambda b: ag.grad(lambda a: (scaled(a, b) ** 2).sum())(A)),
    "value_and_grad": penalty(lambda b: ag.value_and_grad(lambda a: (scaled(a, b) ** 2).sum())(A)[1]),
    "vjp": penalty(lambda b: ag.vjp(lambda a: (scaled(a, b) ** 2).sum(), A)[1](1.0)),
}
CHOSEN = {
    "where": (lambda x: np.where(np.array([True, False, True]), x, 0.0), [1, 0, 1]),
    "relu": (ag.relu, [1, 0, 1]),
    "clip": (lambda x: np.clip(x, -1.0, 1.5), [1, 0, 0]),
    "nan_to_num": (lambda x: np.nan_to_num(x * np.array([1.0, np.inf, 1.0])), [1, 0, 1]),
}


def is_chosen(f, right):
    x = leaf([1.0, -3.0, 2.0])
    f(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, right)


# what is changed after it was used -> how
CHANGED = {
    "leaf": lambda x: setattr(x, "data", x.data - 1),
    "array of a leaf": lambda x: setattr(x, "data", x.data.__isub__(1.0)),
    "detached": lambda x: x.detach().__isub__(1.0),
    "view of the detached": lambda x: x.detach()[:1].__isub__(1.0),
}


def is_noticed(change):
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    change(x)
    with pytest.raises(InPlaceError, match="was changed in place after it was used"):
        y.backward()


def is_noticed_through(other_of):
    """Write through another Tensor that lies in the same memory."""
    array = np.array([1.0, 2.0, 3.0])
    x = ag.Tensor(array, requires_grad=True, copy=False)
    other = other_of(x, array)
    y = (x * x).sum()
    other += 1
    with pytest.raises(InPlaceError, match="was changed in place after it was used"):
        y.backward()


SHARED = {
    "two of one array": lambda x, array: ag.Tensor(array, copy=False),
    "a part of the array": lambda x, array: ag.Tensor(array[1:], copy=False),
    "data": lambda x, array: ag.Tensor(x.data, copy=False),
    "data assigned": lambda x, array: data_of(x),
}


def data_of(x):
    other = ag.Tensor([0.0, 0.0, 0.0])
    other.data = x.data
    return other


KEPT = {
    "an output": lambda x: np.exp(x).sum(),
    "inputs": lambda x: (x * 2.0) @ (x * 3.0),
    "in the middle": lambda x: np.log(np.exp(x * 2.0) + 1.0).sum(),
    "behind a mask": lambda x: np.where(np.arange(100) > 3, np.exp(x) * np.exp(x), 0.0).sum(),
}


def is_let_go(f):
    """After backward nothing large is left, though the root lives."""
    watched = []
    seen = ag.op(lambda x: x * 1.0, name="seen", vjp=lambda g: g)

    def spied(x):
        y = seen(x)
        watched.append(weakref.ref(y._array))
        return y

    y = f(spied(leaf(np.linspace(0.1, 1.0, 100))) * spied(leaf(np.ones(100))))
    assert all(ref() is not None for ref in watched)
    y.backward()
    assert all(ref() is None for ref in watched)


SMALL_VIEWS = ("a view, squared", "exp of a view", "a row", "product of two views")
BROADCAST = {
    "a row to a matrix": (lambda x: (x * np.ones((2, 3))).sum(), [2, 2, 2]),
    "a number to a row": (lambda x: (x[:1] + np.arange(3.0)).sum(), [3, 0, 0]),
    "a column": (lambda x: np.maximum(x[:, None], np.full((3, 2), -1.0)).sum(), [2, 2, 2]),
}


def is_summed(f, right):
    x = leaf(np.ones(3))
    f(x).backward()
    np.testing.assert_array_equal(x.grad.data, right)


CAPTURED = {
    "a factor": lambda x, a: x * a,
    "a factor on the left": lambda x, a: a * x,
    "a matrix product": lambda x, a: x @ a,
    "an exponent": lambda x, a: x**a,
}


def is_captured(f):
    """A raw array that an op has seen is changed by its owner."""
    x, a = leaf([3.0, 5.0]), np.array([2.0, 2.0])
    y = f(x, a).sum()
    a[:] = 7.0
    y.backward()
    right = ag.grad(lambda x: f(x, np.array([2.0, 2.0])).sum())(np.array([3.0, 5.0]))
    np.testing.assert_array_equal(x.grad.data, right)


OWNED = {
    "both sides of an addition": (lambda x, w: (x + w).sum(), 1.0),
    "a rule that hands on": (lambda x, w: (x - 0.0 + w).sum(), 1.0),
}


def is_owned(f, right):
    """A gradient is written into; that of another leaf stays as it is."""
    x, w = leaf(np.ones(100)), leaf(np.ones(100))
    f(x, w).backward(np.float64(1.0))
    try:
        x.grad.data[:] = 7.0
    except ValueError:  # a read-only view of one number: nobody can spoil it
        return
    np.testing.assert_array_equal(w.grad.data, np.full(100, right))


def waiting(b, far):
    """Use b early and late, so that it waits beside other users of its own."""
    users = [np.sin(b) for _ in range(far)]
    total = b
    for each in users:
        total = total + each
    return total


ORDERS = {
    "two users wait": lambda b: waiting(b, 2),
    "ten users wait": lambda b: waiting(b, 10),
    "products": lambda b: (b * np.sin(b)) * (np.cos(b) * b) * np.tanh(b),
}


def is_visited_once(f):
    visits = []
    spied = ag.op(lambda x: x * 1.0, name="spied", vjp=lambda g: (visits.append(1), g)[1])
    f(spied(leaf(2.0))).backward()
    assert visits == [1]


def programs(check, table):
    """Bind a check to each row of a table."""
    return {
        name: functools.partial(check, *(each if isinstance(each, tuple) else (each,))) for name, each in table.items()
    }


# ------------------------------------------------------------------------------------------------------------- mutants


def rules_select_all(patch):
    in_all_ops(patch, "_select", lambda mask, g: g)


def nothing_is_dead(patch):
    patch.setattr(masking.Masked, "alive", property(lambda self: None))


def parents_stay_arrays(patch):
    """Link only what is differentiated to the graph, not what a definition reads beside it."""

    def loses(array, node=None):
        foreign = node is not None and node.op is not None and node.op is not IDENTITY
        return box.wrap(array, None if foreign else node)

    patch.setattr(differentiate, "wrap", loses)


def views_stay_behind(patch):
    patch.setattr(inplace, "_look", lambda *args: None)


def writes_stay_in_the_view(patch):
    patch.setattr(inplace, "_replace", lambda t, value: inplace._rebind(t, value._array, value._node))


def numbers_pass(patch):
    patch.setattr(conversions, "is_live", lambda t: False)


def copies_are_new_leaves(patch):
    fresh = lambda self, memo=None: leaf(self.detach().numpy())  # noqa: E731
    patch.setattr(ag.Tensor, "__copy__", fresh, raising=False)
    patch.setattr(ag.Tensor, "__deepcopy__", fresh, raising=False)


def versions_are_not_read(patch):
    patch.setattr(VJP, "stale", lambda node: iter(()))


def sharing_is_not_noted(patch):
    patch.setattr(tensor, "register", lambda array, node: None)


def all_is_kept(patch):
    patch.setattr(differentiate, "let_go", lambda node: setattr(node, "released", True))


def views_keep_their_base(patch):
    in_all_ops(patch, "_owned", lambda array: array)


def broadcast_is_not_summed(patch):
    patch.setattr(VJP, "unbroadcast", lambda g, shape: np.resize(g, shape))


def captures_are_not_copied(patch):
    keep = registry["multiply"].__globals__["_keep_constant"]

    def as_it_is(x, data, read, dtype):
        node, kept = keep(x, data, read, dtype)
        return node, data if type(data) is np.ndarray else kept

    in_all_ops(patch, "_keep_constant", as_it_is)


def gradients_are_not_owned(patch):
    patch.setattr(accumulate, "add_up", lambda old, g: g if old is None else old + g)


def oldest_first(patch):
    patch.setattr(backward, "heappop", lambda queue: queue.pop(queue.index(max(queue))))


MUTANTS = {
    "the rule's own cut": (rules_select_all, programs(is_chosen, CHOSEN)),
    "the cut beside the cotangent": (
        nothing_is_dead,
        rows(PRODUCTS, "where behind sqrt of zero", "slice behind exp") | rows(CUTS, "x[1:] behind matmul"),
    ),
    "a parent of a definition": (parents_stay_arrays, rows(CLOSURES, *CLOSURES)),
    "the write-back": (
        writes_stay_in_the_view,
        rows(VIEWS, "row plus one", "transpose written", "rows in a loop") | rows(NAMES, "zip of two"),
    ),
    "the views of what is written": (
        views_stay_behind,
        rows(VIEWS, "transpose taken before", "diagonal read and base written"),
    ),
    "the refusal of a number": (numbers_pass, rows(LEAKS, "math.exp", "filled with a number", "np.float64")),
    "the refusal of a copy": (
        copies_are_new_leaves,
        rows(COPIES, "copy.copy", "copy.deepcopy", "deepcopy of a list", "dataclasses.asdict", way="grad"),
    ),
    "the version": (versions_are_not_read, programs(is_noticed, CHANGED)),
    "who shares memory": (sharing_is_not_noted, programs(is_noticed_through, SHARED)),
    "letting go": (all_is_kept, programs(is_let_go, KEPT)),
    "a small view of its own": (
        views_keep_their_base,
        programs(test_what_stays_until_backward, {name: name for name in SMALL_VIEWS}),
    ),
    "the sum over broadcast axes": (broadcast_is_not_summed, programs(is_summed, BROADCAST)),
    "the copy of what is captured": (captures_are_not_copied, programs(is_captured, CAPTURED)),
    "the gradient of one's own": (gradients_are_not_owned, programs(is_owned, OWNED)),
    "newest first": (oldest_first, programs(is_visited_once, ORDERS)),
}
EACH = [(mutant, name) for mutant, (_, held) in MUTANTS.items() for name in held]


@pytest.mark.parametrize(("mutant", "name"), EACH)
def test_program_goes_wrong_without(mutant, name, monkeypatch):
    mutate, held = MUTANTS[mutant]
    held[name]()
    with monkeypatch.context() as patch:
        mutate(patch)
        with pytest.raises(WRONG):
            held[name]()
    held[name]()  # the mutant leaves nothing behind
