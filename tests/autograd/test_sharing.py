"""Tensors that lie in the same memory: a change of one is a change of the others, or there is none."""

import array
import copy
import mmap
import pickle

import numpy as np
import pytest

from autograd import Tensor
from autograd.errors import InPlaceError
from tests.autograd.tools import leaf


def test_deepcopy_of_a_leaf_is_independent():
    x = leaf([1.0, 2.0], name="x")
    y = copy.deepcopy(x)
    (x * y).sum().backward()
    x.data -= 1
    np.testing.assert_array_equal(y.data, [1, 2])
    assert not np.shares_memory(x.grad.data, y.grad.data)


ARRAY = np.array([1.0, 2.0, 3.0])
WRITES = {
    "+=": lambda t, x: t.__iadd__(x),
    "*= into a view": lambda t, x: t[:2].__imul__(x[:2]),
    "an element": lambda t, x: t.__setitem__(0, x[0]),
    "an element of a view": lambda t, x: t[1:].__setitem__(0, x[0]),
    "fill": lambda t, x: t.fill(x[0]),
    "through the transpose": lambda t, x: t.T.__setitem__(slice(None), x),
}


def data_set(a):
    t = Tensor(np.zeros(3))
    t.data = a
    return t


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "share",
    [
        lambda a: Tensor(a, copy=False),
        lambda a: Tensor(a, copy=False).detach(),
        lambda a: Tensor(Tensor(a, copy=False).data, copy=False),
        lambda a: Tensor(a, copy=False, name="t").reshape(3),
        data_set,
    ],
    ids=["copy=False", "detach", "data of one", "reshape", "data ="],
)
def test_a_recorded_write_into_an_array_of_the_users_is_refused(share, write):
    """The array cannot hold the gradient, and would not see the value."""
    a = ARRAY.copy()
    t, x = share(a), leaf(ARRAY)
    t.data.sum()  # who reads it, does not change to whom it belongs
    with pytest.raises(InPlaceError, match=r"an array of yours \(copy=False, \.data =\) .* Use a copy\."):
        WRITES[write](t, x)
    np.testing.assert_array_equal(a, ARRAY)
    np.testing.assert_array_equal(t.data, ARRAY)


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize(
    "own",
    [lambda: Tensor(ARRAY), lambda: copy.deepcopy(Tensor(ARRAY)), lambda: pickle.loads(pickle.dumps(Tensor(ARRAY)))],
    ids=["made", "copied", "unpickled"],
)
def test_a_recorded_write_into_memory_of_its_own(own, write):
    t, x, right = own(), leaf(ARRAY), ARRAY.copy()
    WRITES[write](right, ARRAY)
    t.numpy()  # who only looked holds nothing back
    WRITES[write](t, x)
    np.testing.assert_array_equal(t.data, right)


OVER = {  # two arrays over one memory that is no array's
    "bytearray": lambda: [np.frombuffer(b) for b in [bytearray(ARRAY.tobytes())] * 2],
    "memoryview": lambda: [np.asarray(m.cast("d")) for m in [memoryview(bytearray(ARRAY.tobytes()))] * 2],
    "array.array": lambda: [np.frombuffer(b) for b in [array.array("d", ARRAY)] * 2],
    "mmap": lambda: [np.frombuffer(m) for m in [mapped()] * 2],
    "strided": lambda: [np.lib.stride_tricks.as_strided(a, (3,), (8,)) for a in [ARRAY.copy()] * 2],
    "strided, and the array": lambda: [
        f(a) for a in [ARRAY.copy()] for f in (np.asarray, np.lib.stride_tricks.as_strided)
    ],
    "an array, twice": lambda: [ARRAY.copy()] * 2,
}


def mapped():
    m = mmap.mmap(-1, 24)
    m[:] = ARRAY.tobytes()
    return m


@pytest.mark.parametrize("name", OVER)
def test_two_tensors_over_one_memory(name):
    """A change of one is a change of the other; which array object it came by is of no account."""
    a, b = OVER[name]()
    x, y = Tensor(a, requires_grad=True, copy=False), Tensor(b, copy=False)
    loss = (x * x).sum()
    y += 1
    np.testing.assert_array_equal(x.data, ARRAY + 1)
    with pytest.raises(InPlaceError, match="changed in place"):
        loss.backward()


def test_buffers_apart_are_not_confused():
    """Also after one is gone and another lies where it was."""
    for k in range(5):
        b = bytearray(np.concatenate([ARRAY, ARRAY]).tobytes())
        x = Tensor(np.frombuffer(b)[:3], requires_grad=True, copy=False)
        y = Tensor(np.frombuffer(b)[3:], copy=False)
        loss = (x * x).sum()
        y += k
        loss.backward()
        np.testing.assert_array_equal(x.grad.data, 2 * ARRAY)


def test_an_array_over_the_memory_of_two_tensors_is_refused():
    """A change of it would have to be told to both, and each has a version of its own."""
    a = np.arange(6.0)
    halves = Tensor(a[:3], copy=False), Tensor(a[3:], copy=False)
    with pytest.raises(InPlaceError, match=r"shape \(4,\) lies in the memory of 2 Tensors"):
        Tensor(a[1:5], copy=False)
    assert [half.data[0] for half in halves] == [0.0, 3.0]
