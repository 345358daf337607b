"""A Tensor as a number, a text, an array or a copy: given where asked for by name, refused where a gradient is lost."""

import copy
import math
import operator
import pickle

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ConversionError, GraphError, ShapeError
from tests.autograd.tools import leaf


def test_numbers_out():
    t = leaf([[3.5]])
    with ag.no_grad():
        assert (t.item(), float(t.sum()), int(t.sum())) == (3.5, 3.5, 3)
    assert type(t.item()) is float
    assert Tensor(3).item() == 3
    assert t.tolist() == [[3.5]]
    assert t.numpy() is t.data
    with pytest.raises(ConversionError, match=r"float\(\) of a Tensor whose gradient is still to be computed"):
        math.sin(leaf(0.5))
    with pytest.raises(ShapeError, match=r"item\(\) needs a Tensor with one element, got shape \(2,\)"):
        leaf([1.0, 2.0]).item()
    with pytest.raises(ShapeError, match="one element"):
        float(Tensor([1.0, 2.0]))


@pytest.mark.parametrize("convert", [float, int, complex, math.trunc, math.floor, math.ceil])
def test_a_number_leaves_a_live_graph_by_no_conversion(convert):
    x = leaf(2.5)
    y = x * 1
    for live in (x, y):
        with pytest.raises(ConversionError, match="whose gradient is still to be computed would lose that gradient"):
            convert(live)
    y.backward()
    assert convert(y) == convert(2.5)


def test_as_an_index():
    assert [10, 20, 30][Tensor(1)] == 20
    assert list(range(Tensor(2))) == [0, 1]
    with pytest.raises(TypeError, match="only an integer Tensor can be an index or a count, got dtype float64"):
        operator.index(Tensor(1.0))


def test_truth():
    assert Tensor(1.0)
    assert not leaf(0.0)
    assert leaf([2.0])
    with pytest.raises(ValueError, match="ambiguous"):
        bool(leaf([1.0, 2.0]))


def test_membership():
    t = leaf([1.0, 2.0])
    assert 2 in t
    assert 3.0 not in t
    assert leaf(1.0) in t


def test_format():
    t = leaf(3.14159)
    assert f"{t:.2f}" == "3.14"
    assert f"{t}" == str(t) == repr(t)
    with pytest.raises(ShapeError):
        f"{leaf([1.0, 2.0]):.2f}"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Tensor([1.0, 2.0]), "Tensor([1., 2.])"),
        (lambda: Tensor(2.0), "Tensor(2.0)"),
        (lambda: leaf(2.0), "Tensor(2.0, requires_grad=True)"),
        (lambda: Tensor([1, 2]), "Tensor([1, 2])"),
        (lambda: leaf(np.ones(1, np.float32), name="w"), "Tensor([1.], dtype=float32, requires_grad=True, name='w')"),
        (lambda: leaf(2.0) * 2, "Tensor(4.0, op=multiply)"),
        (lambda: Tensor([[1.0, 2.0], [3.0, 4.0]]), "Tensor([[1., 2.],\n        [3., 4.]])"),
        (lambda: Tensor([]), "Tensor([])"),
        (lambda: Tensor([True]), "Tensor([ True])"),
    ],
)
def test_repr(make, text):
    assert repr(make()) == text


def test_array_conversion():
    x = leaf([1.0, 2.0])
    message = r"would turn a Tensor that requires grad into a plain array .*np\.stack.*\.numpy\(\), \.item\(\)"
    for convert in (np.asarray, np.array, lambda t: np.array([t, t]), lambda t: np.asarray([t]), memoryview):
        with pytest.raises((ConversionError, TypeError), match=None if convert is memoryview else message):
            convert(x)
    c = Tensor([1.0, 2.0])
    np.testing.assert_array_equal(np.asarray(c), [1, 2])
    np.testing.assert_array_equal(np.asarray(x.detach()), [1, 2])
    assert np.asarray(c, dtype=np.float32).dtype == np.float32
    assert np.array([Tensor(1.0), Tensor(2.0)]).dtype == np.float64
    with ag.no_grad():
        np.testing.assert_array_equal(np.array([x, x]), [[1, 2], [1, 2]])
    copied = np.array(c)
    copied[0] = 9
    assert c.data[0] == 1


def test_writing_a_tensor_into_an_array():
    array, x = np.zeros(3), leaf(2.0)
    with pytest.raises((ConversionError, ValueError)):
        array[:2] = leaf([1.0, 2.0])
    array[0] = x.item()
    assert array[0] == 2
    array += Tensor([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(array, [3, 1, 1])


def test_augmented_assignment_of_an_array_with_a_tensor():
    array, x = np.zeros(2), leaf([1.0, 2.0])
    with pytest.raises(
        ConversionError, match=r"would lose the gradient of a Tensor.* write a = a \+ t instead of a \+= t"
    ):
        array += x
    np.testing.assert_array_equal(array, [0, 0])


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_of_leaves(duplicate):
    t = leaf(np.ones(3, np.float32), name="w")
    (t * 2).sum().backward()
    other = duplicate(t)
    assert (other.dtype, other.requires_grad, other.name) == (np.float32, True, "w")
    np.testing.assert_array_equal(other.grad.data, t.grad.data)
    other.data[0] = 5
    other.grad.data[0] = 5
    assert t.data[0] == 1
    assert t.grad.data[0] == 2
    assert not duplicate(Tensor([1, 2])).requires_grad
    assert duplicate(leaf(2.0)).shape == ()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copies_of_results_stay_connected(duplicate):
    x = leaf([1.0, 2.0])
    y = x * 2
    z = duplicate(y)
    y[0] = 9
    (z * z).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [8, 16])


def test_results_can_not_be_pickled():
    with pytest.raises(GraphError, match=r"the result of 'multiply' cannot be pickled: .*Pickle t\.detach\(\)"):
        pickle.dumps(leaf(1.0) * 2)


def test_deepcopy_keeps_sharing():
    t = leaf([1.0])
    a, b = copy.deepcopy([t, t])
    assert a is b


def test_subclasses_copy_as_themselves():
    class Weight(Tensor):
        __slots__ = ()

    w = Weight([1.0], requires_grad=True)
    assert type(copy.deepcopy(w)) is Weight
    assert type(w * 2) is Tensor


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_keep_what_a_subclass_adds(duplicate):
    t = Tagged([1.0, 2.0])
    t.tag = ["a"]
    copied = duplicate(t)
    assert (type(copied), copied.tag, copied.requires_grad) == (Tagged, ["a"], False)


class Tagged(Tensor):
    """A subclass has a dictionary."""
