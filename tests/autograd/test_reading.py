"""What Tensors and upstream gradients are made from: dtypes follow NumPy, what is no number is refused."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import DTypeError, ShapeError
from tests.autograd.tools import leaf


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, np.float64),
        (2, np.int64),
        (True, np.bool_),
        ([1, 2], np.int64),
        ([1.0, 2], np.float64),
        (np.float32(1), np.float32),
        (np.ones(2, np.float16), np.float16),
        (np.arange(3), np.int64),
        ((1.0, 2.0), np.float64),
        ([[1.0], [2.0]], np.float64),
        (range(3), np.int64),
        (np.bool_(True), np.bool_),
        ([], np.float64),
        (np.longdouble(1), np.longdouble),
    ],
)
def test_dtypes_follow_numpy(data, dtype):
    t = Tensor(data)
    assert t.dtype == dtype
    assert t.shape == np.shape(data)
    np.testing.assert_array_equal(t.data, data)
    assert not t.requires_grad
    assert t.is_leaf


@pytest.mark.parametrize("data", [3, [1, 2], (1, 2), True, [[1], [2]], range(3)])
def test_python_integers_become_floats(data):
    assert leaf(data).dtype == np.float64


@pytest.mark.parametrize("data", [np.arange(3), np.int32(2), np.array(True), Tensor([1, 2])])
def test_integer_arrays_need_no_gradient(data):
    with pytest.raises(
        DTypeError, match=r"only floating-point Tensors can require gradients, got dtype (int|bool).*\.astype\(float\)"
    ):
        leaf(data)


def test_dtype_argument():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert leaf([1, 2], dtype="float32").dtype == np.float32
    assert leaf(1.5, dtype=np.float32).dtype == np.float32
    with pytest.raises(DTypeError, match="got dtype int64"):
        leaf([1, 2], dtype=int)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("text", "from str: a Tensor holds numbers"),
        ([object()], "from list: a Tensor holds numbers"),
        (None, "a Tensor holds numbers"),
        (np.array(["a"]), "from ndarray"),
        ([1.0, None], "dtype object"),
        (np.array(["2020"], "datetime64[D]"), "datetime64"),
    ],
)
def test_what_is_no_number_is_refused(data, message):
    with pytest.raises(DTypeError, match=message):
        Tensor(data)


def test_ragged_lists_are_refused():
    with pytest.raises(ShapeError, match="the nested lists do not form an array"):
        Tensor([[1.0, 2.0], [3.0]])


@pytest.mark.parametrize("gradient", [np.array([1, 2]), Tensor([1, 2]), Tensor([1.0, 2.0])])
def test_upstream_gradient_is_taken_in_the_dtype_of_the_result(gradient):
    for result in (lambda t: t, lambda t: t * 1):
        t = leaf(np.ones(2, np.float32))
        result(t).backward(gradient)
        assert t.grad.dtype == np.float32
        assert ag.vjp(result, np.ones(2, np.float32))[1](gradient).dtype == np.float32
    t.grad = gradient
    assert t.grad.dtype == np.float32


def test_complex_gradients_of_real_values_are_refused():
    t, given = leaf([1.0, 2.0]), np.array([1j, 2])
    with pytest.raises(DTypeError, match=r"backward\(gradient=\) got dtype complex128"):
        (t * 1).backward(given)
    with pytest.raises(DTypeError, match="pullback got dtype complex128"):
        ag.vjp(np.sin, t.data)[1](given)
    with pytest.raises(DTypeError, match="grad got dtype complex128"):
        t.grad = given
