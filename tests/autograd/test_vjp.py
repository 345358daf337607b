"""What every vjp shares: a cotangent fits its input, and values that were changed since are refused."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.tools import leaf

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
