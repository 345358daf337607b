"""Boxes: how plain values come in and out, what is recorded, whose memory a result looks at."""

import numpy as np
import pytest

import autograd as ag
from autograd.box import as_raw, contains_box, is_live, is_recording, leaf_of, needs_grad, small, unbox
from autograd.errors import DTypeError
from tests.autograd.tools import leaf

RAW = {  # name: given, what rules get
    "a float stays weak": (2.0, 2.0),
    "an int stays weak": (2, 2),
    "a bool": (True, True),
    "a complex number": (1j, 1j),
    "a NumPy number": (np.float32(2), np.float32(2)),
    "an array of no axes": (np.array(2.0), np.float64(2)),
    "an array": (np.ones(3, "f4"), np.ones(3, "f4")),
    "a list": ([1.0, 2.0], np.array([1.0, 2.0])),
    "a masked array that masks nothing": (np.ma.array([1.0, 2.0]), np.array([1.0, 2.0])),
}


@pytest.mark.parametrize("name", RAW)
def test_what_comes_in(name):
    given, right = RAW[name]
    found = as_raw(given, "add")
    assert type(found) is type(right)
    np.testing.assert_array_equal(found, right)


REFUSED = {
    "a masked array": (np.ma.array([1.0, 2.0], mask=[0, 1]), r"add got a MaskedArray, whose mask would be lost"),
    "a matrix": (np.ones((2, 2)).view(np.matrix), r"add got a matrix, whose \* is another one"),
    "ragged": ([[1.0], [1.0, 2.0]], "add got a ragged or unreadable list"),
    "text": ("two", "add got dtype <U3 from str: only numbers have gradients"),
    "objects": ([None], "add got dtype object from list"),
    "dates": (np.array(["2026-01-01"], "M8[D]"), "add got dtype datetime64"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_what_is_refused(name):
    given, message = REFUSED[name]
    with pytest.raises(DTypeError, match=message):
        as_raw(given, "add")


def test_unbox_reaches_into_nests():
    x = ag.Tensor([1.0, 2.0])
    found = unbox(({"x": x}, [x, 3], "text"))
    assert found[0]["x"] is x.data
    assert found[1][0] is x.data
    assert found[1][1:] == [3]
    assert found[2] == "text"
    assert contains_box([1, (x,)])
    assert not contains_box([1, (2,)])


def test_what_is_recorded():
    x, c = leaf([1.0, 2.0]), ag.Tensor([1.0, 2.0])
    y = x * c
    assert [needs_grad(t) for t in (x, c, y, 2.0)] == [True, False, True, False]
    assert is_recording(c, y)
    assert not is_recording(c, 2.0)
    assert is_live(y)
    assert not is_live(c)
    with ag.no_grad():
        assert not is_recording(x)
        assert not is_live(y)
    y.sum().backward()
    assert not is_live(y)


def test_a_constant_has_one_leaf():
    c = ag.Tensor([1.0, 2.0])
    assert leaf_of(c) is leaf_of(c)
    assert leaf_of(c) is not leaf_of(ag.Tensor([1.0, 2.0]))


def test_large_values_stay_only_where_somebody_reads_them():
    few, many = np.ones(64), np.ones(65)
    assert small(few) is few
    assert small(many) is None
