"""Reading, adding and writing by index: exact adjoints for every kind of index, repeats, copies, messages, PyTorch."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import DTypeError, InPlaceError, ShapeError
from autograd.ops.indexing import getitem, scatter, setitem
from autograd.ops.indices import freeze
from tests.autograd.ops.oracle import same_as_torch

RNG = np.random.default_rng(11)
SHAPE = (3, 4, 5)
X = RNG.uniform(-2, 2, SHAPE)
MASK = RNG.random(SHAPE) > 0.6

INDICES = {
    "int": 1,
    "negative": -1,
    "ints": (1, -2, 3),
    "slice": slice(None, None, -2),
    "empty_slice": slice(2, 2),
    "slices": (slice(1, 3), slice(None, None, 2)),
    "ellipsis": (Ellipsis, 2),
    "none": (None, 1, None),
    "nothing": (),
    "numpy_int": np.int64(2),
    "int_array": np.array([2, 0, 1]),
    "repeated": np.array([0, 0, -1, 2, 0]),
    "repeated_2d": np.array([[1, 1], [0, 1]]),
    "list": [2, 2],
    "empty_list": [],
    "unsigned": np.array([2, 2], np.uint8),
    "range": range(2),
    "two_arrays": (np.array([0, 2, 0]), np.array([1, 3, 1])),
    "broadcast_arrays": (np.array([[0], [2]]), np.array([1, 1, -1])),
    "all_arrays": (np.array([0, 0]), np.array([1, 1]), np.array([2, 2])),
    "array_after_slice": (slice(None), np.array([3, 3, 0])),
    "array_between": (slice(0, 2), [1, 1], slice(None, None, -1)),
    "arrays_apart": ([0, 1, 1], slice(None), [4, 0, 0]),
    "array_and_int": (1, [0, 0, 2]),
    "array_and_none": (None, [0, 0], Ellipsis, 1),
    "mask": MASK,
    "mask_of_rows": np.array([True, False, True]),
    "mask_list": [False, True, True],
    "mask_first_two": MASK[..., 0],
    "mask_and_slice": (slice(None), np.array([True, False, True, True])),
    "mask_and_array": (np.array([True, False, True]), [3, 3]),
    "two_masks": (np.array([True, False, True]), np.array([False, True, True, False])),
    "nothing_true": np.zeros(SHAPE, bool),
    "true": True,
    "false": np.False_,
}
kinds = pytest.mark.parametrize("index", INDICES.values(), ids=INDICES)


def whole(shape):
    """Draw whole numbers as floats: sums and products of them are exact."""
    return RNG.integers(-9, 10, shape).astype(float)


def tensorised(index):
    """Put Tensors in place of the arrays of an index."""
    if isinstance(index, tuple):
        return tuple(tensorised(part) for part in index)
    return ag.Tensor(index) if isinstance(index, np.ndarray) else index


# ------------------------------------------------------------------------------------------------------------ reading


@kinds
def test_read_value_and_gradient(index):
    x = ag.Tensor(X, requires_grad=True)
    y = x[index]
    np.testing.assert_array_equal(y.data, X[index])
    g = whole(np.shape(X[index]))
    y.backward(g)
    expected = np.zeros(SHAPE)
    np.add.at(expected, index, g)
    np.testing.assert_array_equal(x.grad.data, expected)


@kinds
def test_read_and_scatter_are_adjoint(index):
    """<x[i], v> = <x, scatter(v, i)>, exactly; and the gradient of each is the other."""
    x, v = whole(SHAPE), whole(np.shape(X[index]))
    pulled = ag.vjp(lambda x: getitem(x, index), x)[1](v)
    assert np.sum(x[index] * v) == np.sum(x * pulled)
    value, pullback = ag.vjp(lambda v: scatter(v, shape=SHAPE, index=freeze(index)[0]), v)
    np.testing.assert_array_equal(value, pulled)
    np.testing.assert_array_equal(pullback(x), x[index])


@kinds
def test_read_to_order_two(index):
    ag.check_grads(lambda x: (x**2)[index] ** 2, X)


@kinds
def test_index_may_hold_tensors(index):
    x = ag.Tensor(X, requires_grad=True)
    np.testing.assert_array_equal(x[tensorised(index)].data, X[index])


def test_index_tensors_need_no_gradient():
    x, i = ag.Tensor(X, requires_grad=True), ag.Tensor([0, 2, 0])
    y = x[i][:, ag.Tensor(1) :, [ag.Tensor(0), 1]]
    assert y.shape == (3, 3, 2)
    y.sum().backward()
    assert i.grad is None
    assert x.grad.data[0, 1, 0] == 2


def test_index_array_changed_later():
    """The op keeps a copy, so the gradient is that of the index as it was."""
    for index in (np.array([0, 0, 2]), [0, 0, 2], np.array([True, False, True])):
        x = ag.Tensor(X, requires_grad=True)
        y = x[index]
        expected = np.zeros(SHAPE)
        np.add.at(expected, index, np.ones(y.shape))
        index[0], index[1] = 1, 1
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.data, expected)


def test_written_index_array_changed_later():
    index = np.array([0, 2])
    x, v = ag.Tensor(X, requires_grad=True), ag.Tensor(np.ones(5), requires_grad=True)
    y = setitem(x, v, index)
    index[:] = 1
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data[[0, 1, 2], 0, 0], [0, 1, 0])
    np.testing.assert_array_equal(v.grad.data, np.full(5, 8.0))


def test_slice_is_a_view_and_a_number_is_not():
    """A slice shares memory, so a change of the leaf is noticed; a number read from it is a copy."""
    x = ag.Tensor(X, requires_grad=True)
    part, number = x[0], x[0, 0, 0]
    assert np.shares_memory(part.data, x.data)
    y, z = part**2, number**2
    with ag.no_grad():
        x[0] = 7.0
    z.backward()
    assert x.grad.data[0, 0, 0] == 2 * X[0, 0, 0]
    with pytest.raises(InPlaceError):
        y.sum().backward()


@pytest.mark.parametrize("length", [50, 5000])
def test_many_rows_are_added_in_blocks(length):
    """Short tables, where rows are named many times, and long ones, where few are named twice."""
    index, g = RNG.integers(-length, length, (40, 50)), whole((40, 50, 64))
    expected = np.zeros((length, 64))
    np.add.at(expected, index, g)
    np.testing.assert_array_equal(scatter(g, shape=(length, 64), index=index), expected)


def test_index_of_another_type():
    class Third:
        def __index__(self):
            return 2

    assert ag.grad(lambda x: x[Third()] * x[Third(), None].sum())(np.array([1.0, 2.0, 3.0])).tolist() == [0, 0, 6]


def test_empty_axes():
    none = np.zeros((0, 3))
    assert ag.grad(lambda x: x[np.array([], int)].sum())(none).shape == (0, 3)
    assert ag.grad(lambda x: x[:, [0, 0]].sum())(none).shape == (0, 3)
    assert ag.grad(lambda x: x[[1, 1]].sum())(none.T).shape == (3, 0)


def test_bad_indices_are_errors():
    x = ag.Tensor(X, requires_grad=True)
    for index in (1.0, "a", np.array([0.5]), 3, [0, 3], np.zeros((2, 2), bool), (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            x[index]


# ------------------------------------------------------------------------------------------------------------ writing


@kinds
def test_write_value_and_exact_adjoint(index):
    """y = x with y[i] = v is linear: <y, g> = <x, gx> + <v, gv>, for v of the full shape, smaller ones and numbers."""
    full = np.shape(X[index])
    masked = isinstance(index, np.ndarray) and index.dtype == bool  # NumPy drops leading axes elsewhere
    for shape in {full, full[1:], (), (*full[:-1], 1) if full else (), full if masked or not full else (1, *full)}:
        x, v, g = whole(SHAPE), whole(shape), whole(SHAPE)
        expected = x.copy()
        expected[index] = v
        y, pullback = ag.vjp(lambda x, v: setitem(x, v, index), x, v)
        np.testing.assert_array_equal(y, expected)
        gx, gv = pullback(g)
        assert gv.shape == v.shape
        assert np.sum(y * g) == np.sum(x * gx) + np.sum(v * gv)


@kinds
def test_write_to_order_two(index):
    v = RNG.uniform(-2, 2, np.shape(X[index]))
    ag.check_grads(lambda x, v: setitem(x**2, v**2, index) ** 2, X, v)


def test_assignment_in_a_function():
    def f(x, v):
        y = x * 1
        y[:, 0] = v
        y[1, [0, 0]] = v[:2] * v[2]
        y[y > 1.5] = 0.0
        return y * y

    ag.check_grads(f, RNG.uniform(-1, 1, (3, 3)), np.array([0.5, -0.5, 0.25]))


def test_last_of_repeated_writes_wins():
    """Only the value that stays has a gradient, also where the values lie in memory in another order."""
    index = (np.array([[0, 0], [0, 1]]), np.array([[1, 1], [1, 2]]))
    for v in (whole((2, 2)), np.asfortranarray(whole((2, 2)))):
        y, pullback = ag.vjp(lambda v: setitem(np.zeros((3, 3)), v, index), v)
        assert y[0, 1] == v[1, 0]
        assert y[1, 2] == v[1, 1]
        np.testing.assert_array_equal(pullback(np.ones((3, 3))), [[0, 0], [1, 1]])
    assert ag.grad(lambda v: setitem(np.zeros(3), v, [1, 1]).sum())(5.0) == 1


def test_write_into_a_number():
    x, v = ag.Tensor(2.0, requires_grad=True), ag.Tensor(3.0, requires_grad=True)
    y = setitem(x, v, ())
    assert (y.shape, y.item()) == ((), 3.0)
    y.backward()
    assert (x.grad.item(), v.grad.item()) == (0, 1)


def test_write_keeps_the_dtype():
    x = ag.Tensor(np.zeros(3, np.float32), requires_grad=True)
    v = ag.Tensor(np.ones(2), requires_grad=True)
    y = setitem(x, v, slice(0, 2))
    assert y.dtype == np.float32
    y.sum().backward()
    assert (x.grad.dtype, v.grad.dtype) == (np.float32, np.float64)


def test_write_messages():
    with pytest.raises(
        ShapeError, match=r"v of shape \(2,\) does not fit x\[index\] of shape \(4, 5\), where x has .*Reshape"
    ):
        setitem(X, np.ones(2), 0)
    with pytest.raises(ShapeError, match=r"v of shape \(3,\) does not fit x\[index\] of shape \(2, 4, 5\)"):
        setitem(X, np.ones(3), [0, 1])
    with pytest.raises(ShapeError, match=r"v of shape \(1, 2\) does not fit .*0 or 1-dimensional input"):
        setitem(X, np.ones((1, 2)), MASK)
    with pytest.raises(DTypeError, match=r"x has dtype int64, so values written .* Use x.astype\(float\)"):
        setitem(ag.Tensor(np.arange(3)), ag.Tensor(1.0, requires_grad=True), 0)


# ------------------------------------------------------------------------------------------------------------- PyTorch

ROWS, COLUMNS = np.array([[0, 2], [2, 2]]), np.array([3, -1])
TORCH = {
    "slice": (lambda x: x[1:, ::2, None], lambda torch, x: x[1:, ::2, None]),
    "rows": (lambda x: x[ROWS], lambda torch, x: x[torch.tensor(ROWS)]),
    "pairs": (lambda x: x[ROWS, COLUMNS], lambda torch, x: x[torch.tensor(ROWS), torch.tensor(COLUMNS)]),
    "mixed": (lambda x: x[:, COLUMNS, 1:3], lambda torch, x: x[:, torch.tensor(COLUMNS), 1:3]),
    "mask": (lambda x: x[MASK], lambda torch, x: x[torch.tensor(MASK)]),
    "take": (lambda x: np.take(x, ROWS), lambda torch, x: torch.take(x, torch.tensor(ROWS))),
    "take_axis": (
        lambda x: x.take(COLUMNS, axis=1),
        lambda torch, x: torch.index_select(x, 1, torch.tensor(COLUMNS) % 4),
    ),
    "take_along_axis": (
        lambda x: np.take_along_axis(x, np.argsort(X, 1)[:, :2], 1),
        lambda torch, x: torch.gather(x, 1, torch.tensor(np.argsort(X, 1)[:, :2])),
    ),
    "sort": (lambda x: np.sort(x, 1), lambda torch, x: torch.sort(x, 1)[0]),
    "write_slice": (
        lambda x: setitem(x * x, x[0, 0], (slice(None), 1)),
        lambda torch, x: torch.cat([(x * x)[:, :1], x[0, 0].expand(3, 1, 5), (x * x)[:, 2:]], 1),
    ),
    "write_rows": (
        lambda x: setitem(x * x, x[:2], [2, 0]),
        lambda torch, x: torch.index_put(x * x, (torch.tensor([2, 0]),), x[:2]),
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize(("ours", "theirs"), TORCH.values(), ids=TORCH)
def test_same_as_torch(ours, theirs):
    same_as_torch(ours, theirs, X)
