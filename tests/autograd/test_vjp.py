"""What every vjp shares: a cotangent fits its input, and values that were changed since are refused."""

from types import SimpleNamespace

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError, MissingRule, RuleError
from autograd.graph import Leaf
from autograd.vjp import Cotangents, fit, unbroadcast
from tests.autograd.tools import leaf

X = np.array([0.5, -1.0, 2.0])

CHANGES = {
    "t.data = …": lambda t: setattr(t, "data", np.zeros(3)),
    "t.data -= …": lambda t: setattr(t, "data", t.data.__isub__(1.0)),
    "t -= … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__isub__(1.0)),
    "t *= … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__imul__(2.0)),
    "t[0] = … under no_grad": lambda t: _under_no_grad(t, lambda t: t.__setitem__(0, 9.0)),
    "detached -= …": lambda t: t.detach().__isub__(1.0),
    "detached.data = …": lambda t: _through(t.detach(), lambda d: setattr(d, "data", d.data.__iadd__(1.0))),
    "detached[0] = …": lambda t: t.detach().__setitem__(0, 1.0),
    "view under no_grad": lambda t: _under_no_grad(t, lambda t: t[:2].__isub__(1.0)),
    "detached view": lambda t: t.detach()[:2].__isub__(1.0),
    "reshaped detached view": lambda t: t.detach().reshape(3, 1).__imul__(3.0),
}


def _under_no_grad(t, change):
    with ag.no_grad():
        change(t)


def _through(t, change):
    change(t)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    "build",
    [
        lambda t: (t * t).sum(),
        lambda t: (t[1:] * 2.0 * t[:2]).sum(),
        lambda t: np.sin(t.reshape(3, 1)).sum(),
    ],
)
@pytest.mark.parametrize("create_graph", [False, True])
def test_change_in_place_is_detected(name, build, create_graph):
    t = leaf([1.0, 2.0, 3.0], name="weight")
    y = build(t)
    CHANGES[name](t)
    with pytest.raises(InPlaceError, match=r"was changed in place after it was used\. Change it after backward"):
        y.backward(create_graph=create_graph)
    assert t.grad is None


def test_message_names_op_argument_and_tensor():
    t = leaf([1.0, 2.0, 3.0], name="weight")
    y = (t * t).sum()
    t.data -= 1
    with pytest.raises(InPlaceError, match=r"input 'a' 'weight' of 'multiply', shape \(3,\), was changed"):
        y.backward()


@pytest.mark.parametrize("name", CHANGES)
def test_change_that_no_rule_reads_is_allowed(name):
    """A sum does not need the values: nothing would be wrong."""
    t = leaf([1.0, 2.0, 3.0])
    y = (t * 2.0 + 1).sum()
    CHANGES[name](t)
    y.backward()
    np.testing.assert_array_equal(t.grad.data, [2, 2, 2])


@pytest.mark.parametrize("name", CHANGES)
def test_change_between_steps_is_allowed(name):
    t = leaf([1.0, 2.0, 3.0])
    (t * t).sum().backward()
    CHANGES[name](t)
    t.zero_grad()
    now = t.data.copy()
    (t * t).sum().backward()
    np.testing.assert_array_equal(t.grad.data, 2 * now)


def test_change_of_the_constant_operand_is_detected():
    x, c = leaf([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    y = (x * c).sum()
    c += 1
    with pytest.raises(InPlaceError):
        y.backward()


def test_change_through_a_shared_array_view_of_a_constant():
    c = ag.Tensor([3.0, 4.0])
    part = c[:1]
    x = leaf([1.0, 2.0])
    y = (x * c).sum()
    part += 10
    try:
        y.backward()
    except InPlaceError:
        return
    np.testing.assert_array_equal(x.grad.data, [3, 4])


def test_scalar_leaf_changed_in_place():
    x = leaf(3.0)
    y = x * x
    with ag.no_grad():
        x -= 1
    assert x.item() == 2.0
    with pytest.raises(InPlaceError):
        y.backward()


RULES = {
    "wrong shape": (
        lambda g, b: g[:2] * b[:2],
        r"op 'mine': the rule for 'a' returned shape \(2,\), but the input has shape \(3,\)",
    ),
    "more axes": (
        lambda g, b: (g * b)[None],
        r"op 'mine': the rule for 'a' returned shape \(1, 3\), but the input has shape \(3,\)",
    ),
    "nothing": (lambda g, b: None, r"op 'mine': the rule for 'a' returned NoneType, not an array"),
    "a list": (lambda g, b: [1.0], r"op 'mine': the rule for 'a' returned list, not an array"),
    "complex": (
        lambda g, b: g * 1j,
        r"op 'mine': the rule for 'a' returned dtype complex128 for a real input and output\. Take its re",
    ),
    "objects": (lambda g, b: np.array([None] * 3), r"op 'mine': the rule for 'a' returned dtype object"),
}


def run_first(f, *args):
    f(*args).sum().backward()


def run_transform(f, *args):
    ag.grad(lambda *args: f(*args).sum())(*[a.data if isinstance(a, ag.Tensor) else a for a in args])


@pytest.mark.parametrize("run", [run_first, run_transform])
@pytest.mark.parametrize("name", RULES)
def test_wrong_rule(name, run):
    rule, message = RULES[name]
    mine = ag.op(lambda a, b: a * b, name="mine", vjp=dict(a=rule, b=lambda g, a: g * a))
    with pytest.raises(RuleError, match=message):
        run(mine, leaf(X), X)


def test_wrong_shape_of_a_scalar_and_of_elementwise():
    wide = ag.op(lambda x: x.sum(), name="wide", vjp=lambda g, x: g * np.ones((2, 3)))
    with pytest.raises(
        RuleError, match=r"'wide': the rule for 'x' returned shape \(2, 3\), but the input has shape \(3,\)"
    ):
        wide(leaf(X)).backward()
    narrow = ag.op(lambda x: x * 2, name="narrow", vjp=lambda g: np.float64(2.0), elementwise=True)
    with pytest.raises(
        RuleError, match=r"'narrow': the rule for 'x' returned shape \(\), but the input has shape \(3,\)"
    ):
        narrow(leaf(X)).sum().backward()


JOINT = {
    "too few": (lambda g: (g,), r"op 'mine': the joint rule must return a tuple of 2 gradients, got 1"),
    "too many": (lambda g: (g, g, g), r"op 'mine': the joint rule must return a tuple of 2 gradients, got 3"),
    "no tuple": (lambda g: g, r"op 'mine': the joint rule must return a tuple of 2 gradients"),
    "nothing": (lambda g: None, r"op 'mine': the joint rule must return a tuple of 2 gradients"),
    "None where one is needed": (lambda g: (None, g), r"op 'mine': the rule for 'a' returned NoneType"),
    "wrong shape": (
        lambda g: (g, g[:1]),
        r"op 'mine': the rule for 'b' returned shape \(1,\), but the input has shape \(3,\)",
    ),
}


@pytest.mark.parametrize("name", JOINT)
def test_wrong_joint_rule(name):
    rule, message = JOINT[name]
    mine = ag.op(lambda a, b: a * b, name="mine", vjp=rule)
    with pytest.raises(RuleError, match=message):
        mine(leaf(X), leaf(X)).sum().backward()


def test_wrong_rule_of_many_inputs_names_the_place():
    many = ag.op(lambda *parts: parts[0] + parts[1], name="many", vjp=lambda g, parts: (g, g[:1]))
    with pytest.raises(RuleError, match=r"op 'many': the rule for 'parts\[1\]' returned shape \(1,\)"):
        many(leaf(X), leaf(X)).sum().backward()


def test_input_without_a_rule():
    half = ag.op(lambda a, b: a * b, name="half_ruled", vjp=dict(a=lambda g, b: g * b))
    half(leaf(X), X).sum().backward()
    with pytest.raises(MissingRule, match=r"op 'half_ruled' has no gradient rule for 'b'\. Pass it detached"):
        half(X, leaf(X)).sum().backward()


def test_gradients_have_the_dtype_of_the_input():
    wide = ag.op(lambda x: x * 2, name="widening", vjp=lambda g: g.astype(np.float64) * 2)
    x = leaf(X.astype(np.float32))
    wide(x).sum().backward()
    assert x.grad.dtype == np.float32


# ------------------------------------------------------------------------------------------------- fitting a cotangent

SHAPES = [
    ((3,), (3,)),
    ((), (3,)),
    ((1,), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (2, 3)),
    ((1, 3), (2, 3)),
    ((1, 1), (2, 3)),
    ((), (2, 3)),
    ((1,), (2, 1)),
    ((3, 1), (4, 3, 5)),
    ((1, 3, 1), (4, 3, 5)),
    ((0,), (2, 0)),
    ((1,), (0,)),
    ((), (0,)),
    ((1, 0), (3, 0)),
]


@pytest.mark.parametrize(("small", "large"), SHAPES)
def test_unbroadcast_is_the_transpose_of_broadcasting(small, large):
    """<broadcast(x), g> = <x, unbroadcast(g)>."""
    rng = np.random.default_rng(0)
    x, g = rng.integers(-3, 4, small).astype(float), rng.integers(-3, 4, large).astype(float)
    found = unbroadcast(g, small)
    assert found.shape == small
    assert (np.broadcast_to(x, large) * g).sum() == (x * found).sum()


ELEMENTWISE = SimpleNamespace(name="f", elementwise=True, argument=lambda i: "x")


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("small", "large"), [((3,), (3,)), ((), (2,)), ((1, 3), (2, 3))])
def test_fit_gives_shape_and_dtype_of_the_input(small, large, dtype):
    parent = Leaf(None, small, np.dtype(np.float32), True)
    for traced in (False, True):
        share = np.ones(large, dtype)
        found = fit(ag.Tensor(share) if traced else share, parent, ELEMENTWISE, 0)
        assert isinstance(found, ag.Tensor) == traced
        assert (found.shape, found.dtype) == (small, np.float32)


@pytest.mark.parametrize("share", [2, 2.0, True, np.float32(2)])
def test_fit_takes_numbers(share):
    found = fit(share, Leaf(None, (), np.dtype(float), True), ELEMENTWISE, 0)
    assert (found.shape, found.dtype, float(found)) == ((), np.float64, float(share))


def test_cotangents_of_several_outputs_meet():
    node = SimpleNamespace(shape=[(2,), (), (3,)], dtype=[np.dtype(float), np.dtype(float), np.dtype(np.float32)])
    a, b = Cotangents({0: np.ones(2)}), Cotangents({0: np.ones(2), 1: np.float64(3.0)})
    both = a + b
    assert both.arrived(node) == (True, True, False)
    first, second, third = both.fill(node)
    np.testing.assert_array_equal(first, [2, 2])
    assert second == 3
    np.testing.assert_array_equal(third, np.zeros(3, np.float32))
    assert third.dtype == np.float32
    assert a.arrived(node) == (True, False, False)  # nothing was added into it


@pytest.mark.parametrize("used", [(0,), (1,), (2,), (0, 2), (2, 1), (0, 1, 2)])
def test_outputs_that_are_not_used(used):
    """Their cotangent is zeros, and the rule may ask which ones arrived."""
    seen = []

    def rule(g, x, arrived):
        seen.append(arrived)
        return g[0] * 1.0 + g[1] * 2.0 * x + g[2] * 3.0

    f = ag.op(lambda x: (x, x**2, 3 * x), name="three", vjp=rule)
    x = leaf(X)
    y = f(x)
    sum(y[i].sum() for i in used).backward()
    np.testing.assert_array_equal(x.grad.data, sum([np.ones(3), 2 * X, np.full(3, 3.0)][i] for i in used))
    assert seen == [tuple(i in used for i in range(3))]
