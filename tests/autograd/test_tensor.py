"""The Tensor itself: how it is made, what it holds, how it behaves among Python's and NumPy's own types."""

import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.box import unbox
from autograd.errors import ConversionError, DTypeError, GraphError, InPlaceError, ShapeError
from tests.autograd.tools import leaf

# ------------------------------------------------------------------------------------------------------ making one


def test_data_is_copied_unless_shared():
    array = np.ones(3)
    copied, shared = Tensor(array), Tensor(array, copy=False)
    array[0] = 5
    assert copied.data[0] == 1
    assert shared.data[0] == 5
    assert shared.data is array


def test_zero_dimensional_array_can_be_shared():
    array = np.array(2.0)
    t = Tensor(array, copy=False)
    array[...] = 3
    assert t.item() == 3


def test_from_tensors():
    assert Tensor(Tensor([1.0, 2.0])).shape == (2,)
    assert Tensor(leaf(1.0).detach(), requires_grad=True).requires_grad
    with pytest.raises(ConversionError, match=r"Tensor\(tensor\) would lose the gradient .* \.detach\(\)"):
        Tensor(leaf(1.0))
    with pytest.raises(ConversionError, match=r"use ag.array\(list\)"):
        Tensor([leaf(1.0), leaf(2.0)])
    with pytest.raises(ConversionError, match=r"np\.stack|\.numpy\(\)"):
        Tensor([[leaf(1.0)], [leaf(2.0)]])
    np.testing.assert_array_equal(Tensor([Tensor(1.0), Tensor(2.0)]).data, [1, 2])
    with ag.no_grad():
        np.testing.assert_array_equal(Tensor([leaf(1.0), leaf(2.0)]).data, [1, 2])
        assert Tensor(leaf(1.0)).is_leaf


def test_name():
    t = Tensor(1.0, name="x")
    assert t.name == "x"
    assert not t.requires_grad
    t.name = "y"
    assert t.name == "y"
    assert Tensor(1.0).name is None
    other = Tensor(1.0)
    other.name = "late"
    assert other.name == "late"


# --------------------------------------------------------------------------------------------------- what it holds


def test_attributes():
    t = leaf(np.ones((2, 3), np.float32))
    assert (t.shape, t.ndim, t.size, t.dtype, t.nbytes, len(t)) == ((2, 3), 2, 6, np.float32, 24, 2)
    assert t.T.shape == (3, 2)
    assert leaf(np.ones((2, 3, 4))).T.shape == (4, 3, 2)
    assert leaf(np.ones((2, 3, 4))).mT.shape == (2, 4, 3)
    assert leaf(1.0).T.shape == ()


@pytest.mark.parametrize("name", ["data", "grad", "requires_grad", "name", "shape"])
def test_unknown_attributes_are_refused(name):
    with pytest.raises(AttributeError):
        setattr(Tensor(1.0), name + "s", 1)


def test_data_of_a_leaf_is_writable():
    t = leaf([1.0, 2.0])
    t.data[0] = 5
    t.data += 1
    np.testing.assert_array_equal(t.data, [6, 3])
    t.data = [1, 2, 3]
    assert t.shape == (3,)
    assert t.dtype == np.float64
    scalar = leaf(1.0)
    scalar.data[...] = 4
    assert scalar.item() == 4
    assert (scalar * 2).item() == 8


def test_data_assigned_shares_the_array():
    t, array = leaf([1.0]), np.array([2.0])
    t.data = array
    assert t.data is array


def test_data_refuses_what_the_constructor_refuses():
    t = leaf([1.0])
    with pytest.raises(DTypeError):
        t.data = np.arange(3)
    with pytest.raises(DTypeError):
        t.data = "text"
    np.testing.assert_array_equal(t.data, [1])


def test_data_of_another_shape():
    """A graph that used the old data raises, and nothing is accumulated; the old gradient is forgotten."""
    t, other = leaf([1.0, 2.0, 3.0], name="weight"), leaf(2.0)
    loss = ((t + 1) * other).sum()
    (t * 1).sum().backward()
    t.data = np.array([5.0])
    assert (t.shape, t.name, t.requires_grad, t.grad) == ((1,), "weight", True, None)
    with pytest.raises(InPlaceError, match=r"leaf weight of shape \(3,\), which has data of another shape by now"):
        loss.backward()
    assert other.grad is None
    (t * t).sum().backward()
    np.testing.assert_array_equal(t.grad.data, [10])
    with pytest.raises(ShapeError, match=r"shape \(2,\) for the argument of a function that is differentiated"):
        ag.grad(lambda x: setattr(x, "data", np.ones(2)))(np.ones(3))


def test_constant_of_another_shape():
    """A graph keeps the shape that it saw: here the rule of the assigned values asks for it."""
    t, v = Tensor(np.zeros(3)), leaf([1.0, 2.0])
    y = np.concatenate([t, v])
    t.data = np.zeros((7, 1))
    (y * np.arange(5.0)).sum().backward()
    np.testing.assert_array_equal(v.grad.data, [3, 4])


def test_data_of_a_result_is_read_only():
    y = leaf([1.0, 2.0]) * 2
    assert not y.data.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        y.data[:] = 0
    scalar = leaf(2.0) * 2
    with pytest.raises(ValueError, match="read-only"):
        scalar.data[...] = 0
    assert scalar.item() == 4


def test_detached_data_does_not_write_into_a_result():
    y = leaf([1.0, 2.0]).exp()
    d = y.detach()
    with pytest.raises(ValueError, match="read-only"):
        d.data[:] = 0
    with ag.no_grad(), pytest.raises(InPlaceError, match=r"would change that result as well\. Use a copy"):
        d += 5
    np.testing.assert_allclose(y.data, np.exp([1.0, 2.0]))


def test_grad_can_be_set():
    t = leaf([1.0, 2.0])
    t.grad = np.ones(2)
    assert isinstance(t.grad, Tensor)
    t.grad = Tensor([1.0, 5.0])
    np.testing.assert_array_equal(t.grad.data, [1, 5])
    t.grad = [2, 3]
    assert t.grad.dtype == np.float64
    with pytest.raises(ShapeError, match=r"grad must have the shape of the Tensor, \(2,\), got \(3,\)"):
        t.grad = np.ones(3)
    t.grad = None
    assert t.grad is None
    late = Tensor([1.0])
    assert late.grad is None
    late.grad = None
    late.zero_grad()
    late.grad = [1.0]
    assert late.grad.item() == 1


def test_grad_is_always_the_same_object_until_it_changes():
    t = leaf([1.0, 2.0])
    (t * t).sum().backward()
    assert t.grad is t.grad
    t.grad.data[:] = 0
    np.testing.assert_array_equal(t.grad.data, [0, 0])


def test_grad_of_float32_is_float32():
    t = leaf(np.ones(3, np.float32))
    (t * 2.0).sum().backward()
    assert t.grad.dtype == np.float32


def test_requires_grad_can_be_set_on_leaves():
    t = Tensor([1.0, 2.0])
    t.requires_grad = True
    (t * t).sum().backward()
    np.testing.assert_array_equal(t.grad.data, [2, 4])
    t.requires_grad = False
    assert not (t * t).requires_grad
    with pytest.raises(DTypeError, match="int64"):
        Tensor([1, 2]).requires_grad = True
    y = leaf(1.0) * 2
    y.requires_grad = True
    with pytest.raises(GraphError, match=r"result of 'multiply' cannot be switched off; use \.detach\(\)"):
        y.requires_grad = False


@pytest.mark.parametrize("size", [3, 100])
def test_requires_grad_holds_for_what_comes_after(size):
    """A graph keeps what was true when it was recorded, whatever is switched later."""
    w, x = Tensor(np.full(size, 2.0), name="w"), leaf(np.ones(size))
    constant = (w * x).sum()
    w.requires_grad = True
    assert w.name == "w"
    variable = (w * x).sum()
    constant.backward()
    assert w.grad is None
    variable.backward(retain_graph=True)
    np.testing.assert_array_equal(w.grad.data, x.data)
    w.requires_grad = False
    variable.backward()
    np.testing.assert_array_equal(w.grad.data, x.data)


@pytest.mark.parametrize("size", [2, 100])
def test_data_that_is_replaced_is_noticed(size):
    x = leaf(np.full(size, 2.0))
    needed, not_needed = (x * x).sum(), (x * 3.0).sum()
    x.data = np.ones(size)
    with pytest.raises(InPlaceError, match=r"was changed in place after it was used"):
        needed.backward()
    not_needed.backward()
    np.testing.assert_array_equal(x.grad.data, np.full(size, 3.0))


def test_a_gradient_arrives_when_requires_grad_was_switched_off_and_on_in_between():
    w = leaf([2.0, 3.0])
    first = (w * w).sum()
    for _ in range(3):
        w.requires_grad = False
        constant = (w * w).sum()
        w.requires_grad = True
    (first + (w * 1.0).sum() + constant).backward()
    np.testing.assert_array_equal(w.grad.data, [5, 7])
    w.requires_grad = False
    w.data = np.ones(3)
    w.requires_grad = True
    (w * w).sum().backward()
    np.testing.assert_array_equal(w.grad.data, [2, 2, 2])
    kept = (w * w).sum()
    w.requires_grad = False
    w.data, w.grad = np.ones(3, np.float32), None
    w.requires_grad = True
    (w * w).sum().backward()
    assert w.grad.dtype == np.float32
    assert kept.item() == 3


def test_changes_are_noticed_across_requires_grad():
    w, x = Tensor([2.0, 3.0]), leaf([1.0, 1.0])
    y = (w * x).sum()
    w.requires_grad = True
    with ag.no_grad():
        w += 1
    with pytest.raises(InPlaceError):
        y.backward()


def test_len_and_iteration():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    rows = list(x)
    assert [row.shape for row in rows] == [(2,), (2,)]
    rows[1].sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[0, 0], [1, 1]])
    a, b = leaf([1.0, 2.0])
    assert (a.item(), b.item()) == (1, 2)
    with pytest.raises(TypeError, match="iteration over a 0-d Tensor"):
        iter(leaf(1.0))
    with pytest.raises(TypeError):
        len(leaf(1.0))
    assert sum(leaf([1.0, 2.0])).item() == 3
    assert max(leaf([1.0, 2.0])).item() == 2


def test_hash_is_by_identity():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    assert hash(a) == hash(a)
    assert len({a, b, a}) == 2
    assert {a: 1, b: 2}[b] == 2


def test_weak_references():
    t = leaf(1.0)
    watched = weakref.ref(t)
    assert watched() is t
    del t
    assert watched() is None


def test_detach():
    x = leaf([1.0, 2.0])
    d = x.detach()
    assert not d.requires_grad
    assert d.is_leaf
    assert np.shares_memory(d.data, x.data)
    (x * d).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1, 2])
    assert leaf(2.0).detach().item() == 2
    assert Tensor(2.0).detach().item() == 2


# --------------------------------------------------------------------------- into arrays, and what others ask of it


def test_a_number_that_an_op_hands_through_stays_a_number():
    assert type(unbox(ag.relu(ag.Tensor(2.0, True)))) is np.float64
