"""Writing into Tensors: leaves, constants, results and views, each by every spelling of a write."""

import operator

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import InPlaceError
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
