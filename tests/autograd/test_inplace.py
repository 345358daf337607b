"""Writing into Tensors: leaves, constants, results and views, each by every spelling of a write."""

import operator

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import DTypeError, InPlaceError
from tests.autograd.tools import leaf


def test_result_can_not_be_overwritten():
    y = leaf(np.ones(3)) * 2
    with pytest.raises(ValueError, match="read-only"):
        y.data[0] = 5
    with pytest.raises(InPlaceError, match="data of the result of 'multiply' cannot be replaced"):
        y.data = np.zeros(3)


def test_in_place_on_a_result_changes_it_and_keeps_the_graph():
    x = leaf([1.0, 2.0])
    y = x * 2
    old = y
    y *= x
    assert old is y
    y += 1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, 4 * x.data)


# ---------------------------------------------------------------------------------------------------------- in place

IN_PLACE = [
    operator.iadd,
    operator.isub,
    operator.imul,
    operator.itruediv,
    operator.ipow,
    operator.imod,
    operator.ifloordiv,
]


@pytest.mark.parametrize("f", IN_PLACE)
def test_in_place_on_a_leaf_that_requires_grad(f):
    x = leaf([1.0, 2.0])
    with pytest.raises(InPlaceError, match=r"on a leaf that requires grad would .*no_grad\(\)"):
        f(x, 2.0)


@pytest.mark.parametrize("f", IN_PLACE)
def test_in_place_under_no_grad_writes_into_the_leaf(f):
    for start in ([1.0, 2.0], 3.0):
        x = leaf(start)
        array = x.data
        with ag.no_grad():
            same = f(x, 2.0)
        assert same is x
        assert x.requires_grad
        assert np.shares_memory(x.data, array)
        np.testing.assert_array_equal(x.data, f(np.array(start), 2.0))


@pytest.mark.parametrize("f", IN_PLACE)
def test_in_place_on_a_constant(f):
    c = Tensor([1.0, 2.0])
    array = c.data
    assert f(c, 2.0) is c
    np.testing.assert_array_equal(array, f(np.array([1.0, 2.0]), 2.0))


@pytest.mark.parametrize("f", IN_PLACE)
def test_in_place_on_a_result_under_no_grad(f):
    y = leaf([1.0, 2.0]) * 2
    with (
        ag.no_grad(),
        pytest.raises(InPlaceError, match=r"on the result of 'multiply' under no_grad\(\) would spoil its graph"),
    ):
        f(y, 2.0)


@pytest.mark.parametrize("f", IN_PLACE[:5])
def test_in_place_with_a_tensor_that_needs_a_gradient_changes_the_constant(f):
    c, x = Tensor([1.0, 2.0]), leaf([2.0, 3.0])
    view = c[:1]
    y = f(c, x)
    assert y is c
    assert y.requires_grad
    np.testing.assert_array_equal(view.data, c.data[:1])
    assert view.requires_grad


def test_in_place_matmul():
    x = leaf(np.eye(2))
    with pytest.raises(InPlaceError):
        x @= x
    with ag.no_grad():
        kept = x
        x @= np.full((2, 2), 2.0)
    assert x is kept
    np.testing.assert_array_equal(x.data, np.full((2, 2), 2.0))


def test_in_place_keeps_dtype_or_refuses():
    c = Tensor(np.ones(2, np.float32))
    c += 0.5
    assert c.dtype == np.float32
    with pytest.raises(TypeError, match="same_kind"):
        operator.iadd(Tensor([1, 2]), 0.5)


def test_in_place_does_not_reshape():
    c = Tensor(np.ones(2))
    with pytest.raises(ValueError, match="broadcast"):
        c += np.ones((3, 2))


# ----------------------------------------------------------------------------------------------------------- setitem


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        slice(0, 2),
        [0, 2],
        np.array([True, False, True]),
        Ellipsis,
        (slice(None),),
        slice(None, None, 2),
        Tensor([0, 2]),
    ],
    ids=repr,
)
def test_setitem_is_differentiable_in_both(index):
    x, v = leaf([1.0, 2.0, 3.0]), leaf(10.0)
    y = x * 1
    y[index] = v
    (y * np.array([1.0, 10.0, 100.0])).sum().backward()
    mask, plain = np.zeros(3, bool), index.data if isinstance(index, Tensor) else index
    mask[plain] = True
    np.testing.assert_array_equal(x.grad.data, np.where(mask, 0, [1, 10, 100]))
    assert v.grad.item() == np.array([1, 10, 100])[mask].sum()
    np.testing.assert_array_equal(y.data, np.where(mask, 10, x.data))


def test_setitem_on_a_constant_makes_it_a_result():
    c, v = Tensor(np.zeros(3)), leaf(2.0)
    c[1] = v * v
    assert c.requires_grad
    c.sum().backward()
    assert v.grad.item() == 4


def test_setitem_reaches_views_and_leaves_users_as_they_were():
    x = leaf([1.0, 2.0, 3.0])
    y = x * 1
    first, double = y[:2], y * 2
    y[0] = 10.0
    np.testing.assert_array_equal(first.data, [10, 2])
    np.testing.assert_array_equal(double.data, [2, 4, 6])
    (first.sum() + double.sum() + y.sum()).backward()
    np.testing.assert_array_equal(x.grad.data, [2, 4, 3])


def test_setitem_keeps_name_and_retained_gradient():
    y = leaf([1.0, 2.0]) * 1
    y.name = "y"
    y.retain_grad()
    y[0] = 5.0
    (y * y).sum().backward()
    assert y.name == "y"
    np.testing.assert_array_equal(y.grad.data, [10, 4])


def test_setitem_refused():
    x = leaf([1.0, 2.0])
    with pytest.raises(InPlaceError, match=r"assigning into a leaf that requires grad"):
        x[0] = 5
    with ag.no_grad():
        x[0] = 5
        y = x * 1
    assert x.data[0] == 5
    y[0] = 3
    with ag.enable_grad():
        z = x * 1
    with ag.no_grad(), pytest.raises(InPlaceError, match=r"under no_grad\(\) would spoil its graph"):
        z[0] = 1


def test_setitem_on_plain_constants():
    c = Tensor([1, 2, 3])
    c[0] = 9.7
    assert c.tolist() == [9, 2, 3]
    c[Tensor([1, 2])] = Tensor([0, 0])
    assert c.tolist() == [9, 0, 0]
    with pytest.raises((ValueError, IndexError)):
        c[5] = 1
    with pytest.raises(ValueError, match="broadcast"):
        c[:2] = [1, 2, 3]


# ------------------------------------------------------------------------------ what a write cannot do without

PAIR, GRID = [1.0, 2.0], np.arange(400.0).reshape(20, 20)
turned = ag.op(lambda x: (x * 1).T, vjp=lambda g: g.T, name="turned")  # a view of an array that nobody else has
spaced = ag.op(lambda x: np.repeat(x, 2, axis=1)[:, ::2], vjp=lambda g: g, name="spaced")  # an array with gaps


def narrow():
    return Tensor(np.array(PAIR, np.float32), requires_grad=True)


def alias_that_needs_a_gradient():
    seen = ag.Tensor([1.0, 2.0]).detach()
    seen.requires_grad = True
    seen[0] = leaf(5.0)


def view_whose_array_is_gone():
    view = turned(leaf(GRID))[0]
    view += 1


def view_of_an_array_with_gaps():
    y = spaced(leaf(GRID))
    y[0] += 1


def array_with_gaps_that_a_view_looks_at():
    y = spaced(leaf(GRID))
    view = y[0]
    y += 1
    return view


NOT_FOLLOWED = {
    "an alias": (
        lambda: leaf(PAIR).detach().__setitem__(0, leaf(5.0)),
        InPlaceError,
        "assigning into a leaf",
    ),
    "an alias that needs a gradient": (alias_that_needs_a_gradient, InPlaceError, "or another Tensor has, too"),
    "whole numbers": (
        lambda: ag.Tensor([1, 2]).__setitem__(0, leaf(5.0)),
        DTypeError,
        "dtype int64 would lose the grad",
    ),
    "whole numbers, +=": (
        lambda: ag.Tensor([1, 2]).__iadd__(leaf(PAIR)),
        DTypeError,
        "float64 does not fit into int64",
    ),
    "complex numbers, +=": (
        lambda: (narrow() * 1).__iadd__(ag.Tensor([1j, 2j])),
        DTypeError,
        "dtype complex128 does not fit into float32",
    ),
    "an array that is gone": (view_whose_array_is_gone, InPlaceError, "result of 'turned', whose own array is gone"),
    "gaps": (view_of_an_array_with_gaps, InPlaceError, "array with gaps cannot be followed"),
    "gaps, seen by a view": (array_with_gaps_that_a_view_looks_at, InPlaceError, "array with gaps cannot be followed"),
}


@pytest.mark.parametrize(("write", "error", "message"), NOT_FOLLOWED.values(), ids=NOT_FOLLOWED)
def test_what_cannot_be_followed_says_why(write, error, message):
    with pytest.raises(error, match=message):
        write()


def test_a_wider_operand_leaves_the_dtype_as_it_is():
    x = narrow()
    y = x * 1
    y += np.array([0.5, 0.25])
    y.sum().backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)
    np.testing.assert_array_equal(y.data, np.float32([1.5, 2.25]))


@pytest.mark.parametrize(
    "change", [lambda y, x: y.__isub__(x), lambda y, x: y.__setitem__(..., y - x)], ids=["-=", "="]
)
def test_a_value_that_lies_in_another_order_reaches_the_views(change):
    """The result lies as its operands do, the old array the other way round: its layout stays."""
    found = []
    for x in (np.arange(6.0).reshape(2, 3), leaf(np.arange(6.0).reshape(2, 3))):
        y = x.T * 1
        view = y[0]
        change(y, x.reshape(3, 2))
        found.append(view)
    np.testing.assert_array_equal(found[1].data, found[0])


def test_a_result_that_a_recorded_backward_looked_at_is_written_into():
    """The rules look at it through Tensors of their own, which are gone by then."""
    x = leaf([[0.0, 1.0], [2.0, 3.0]])
    y = x * 2
    (y @ y).sum().backward(create_graph=True)
    x.grad = None
    y += 1
    np.testing.assert_array_equal(y.data, [[1.0, 3.0], [5.0, 7.0]])
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.full((2, 2), 2.0))
