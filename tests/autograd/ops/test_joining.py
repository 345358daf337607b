"""Joining and cutting: PyTorch as the oracle, kinds of results, parts that nobody uses, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, ShapeError
from tests.autograd.ops.oracle import same_as_torch

RNG = np.random.default_rng(3)
A, B, C = RNG.uniform(-2, 2, (2, 3)), RNG.uniform(-2, 2, (2, 3)), RNG.uniform(-2, 2, (2, 1))
CUBE, ROW = RNG.uniform(-2, 2, (2, 4, 6)), RNG.uniform(-2, 2, 3)

TORCH = {
    "concatenate": (lambda a, b: np.concatenate([a, b], -1), lambda torch, a, b: torch.cat([a, b], -1), [A, C]),
    "concatenate_flat": (
        lambda a, b: np.concatenate((a, b), axis=None),
        lambda torch, a, b: torch.cat([a.ravel(), b.ravel()]),
        [A, C],
    ),
    "the_same_twice": (lambda a: np.concatenate([a, a]), lambda torch, a: torch.cat([a, a]), [A]),
    "stack": (lambda a, b: np.stack([a, b], 1), lambda torch, a, b: torch.stack([a, b], 1), [A, B]),
    "stack_last": (lambda a, b: np.stack((a, b), axis=-1), lambda torch, a, b: torch.stack([a, b], -1), [A, B]),
    "stack_scalars": (lambda a: np.stack([a[0], a[2]]), lambda torch, a: torch.stack([a[0], a[2]]), [ROW]),
    "hstack": (lambda a, b: np.hstack([a, b]), lambda torch, a, b: torch.hstack([a, b]), [A, C]),
    "hstack_rows": (lambda a: np.hstack([a, a]), lambda torch, a: torch.hstack([a, a]), [ROW]),
    "vstack": (lambda a, b: np.vstack([a, b]), lambda torch, a, b: torch.vstack([a, b]), [A, ROW]),
    "dstack": (lambda a, b: np.dstack([a, b]), lambda torch, a, b: torch.dstack([a, b]), [A, B]),
    "column_stack": (lambda a, b: np.column_stack([a, b]), lambda torch, a, b: torch.column_stack([a, b]), [ROW, A.T]),
    "append": (lambda a, b: np.append(a, b, 1), lambda torch, a, b: torch.cat([a, b], 1), [A, C]),
    "block": (
        lambda a, b, c: np.block([[a, c], [b, 2.0 * c]]),
        lambda torch, a, b, c: torch.cat([torch.cat([a, c], 1), torch.cat([b, 2 * c], 1)]),
        [A, B, C],
    ),
    "split": (lambda a: np.split(a, 3, 2), lambda torch, a: a.tensor_split(3, 2), [CUBE]),
    "split_at": (lambda a: np.split(a, [1, 5], axis=-1), lambda torch, a: a.tensor_split((1, 5), -1), [CUBE]),
    "array_split": (lambda a: np.array_split(a, 4, -1), lambda torch, a: a.tensor_split(4, -1), [CUBE]),
    "array_split_overlap": (
        lambda a: np.array_split(a, [4, 2], 2),
        lambda torch, a: [a[..., :4], a[..., 4:2], a[..., 2:]],
        [CUBE],
    ),
    "hsplit": (lambda a: np.hsplit(a, 2), lambda torch, a: a.hsplit(2), [CUBE]),
    "vsplit": (lambda a: np.vsplit(a, [1]), lambda torch, a: a.vsplit((1,)), [CUBE]),
    "dsplit": (lambda a: np.dsplit(a, 3), lambda torch, a: a.dsplit(3), [CUBE]),
    "meshgrid": (
        lambda a, b: np.meshgrid(a, b),
        lambda torch, a, b: torch.meshgrid(a, b, indexing="xy"),
        [ROW, A[0]],
    ),
    "insert": (
        lambda a, b: np.insert(a, 1, b, axis=1),
        lambda torch, a, b: torch.cat([a[:, :1], b[:, None], a[:, 1:]], 1),
        [A, C[:, 0]],
    ),
}  # torch's slices cannot be empty backwards, so [4:2] is written as NumPy reads it


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, arrays = TORCH[name]
    same_as_torch(ours, theirs, *arrays)


def test_kinds_of_results():
    x = ag.Tensor(CUBE, requires_grad=True)
    for cut in (np.split, np.array_split):
        assert type(cut(x, 2)) is list
    for cut in (np.hsplit, np.vsplit, np.dsplit):
        assert type(cut(x, [1])) is list
    if hasattr(np, "unstack"):
        assert type(np.unstack(x)) is tuple
    grid = np.meshgrid(x[0, 0], CUBE[0, 1])
    assert type(grid) is tuple
    assert [type(part) for part in grid] == [ag.Tensor, ag.Tensor]


def test_a_part_that_nobody_uses_has_gradient_zero():
    x = ag.Tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    _, second = np.split(x, 2)
    (second**2).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [0, 0, 6, 8])


def test_parts_used_twice_and_joined_again():
    x = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    first, rest = np.array_split(x, [1])
    (np.concatenate([rest, first, rest]) * np.arange(5.0)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 0 + 3, 1 + 4])


def test_arrays_numbers_and_tensors_mix():
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    y = np.concatenate([x, [3.0], np.array([4.0])])
    z = np.stack([x[0], 5.0, np.float64(6.0)])
    np.testing.assert_array_equal(y.data, [1, 2, 3, 4])
    np.testing.assert_array_equal(z.data, [1, 5, 6])
    (y.sum() + (z * z).sum()).backward()
    np.testing.assert_array_equal(x.grad.data, [1 + 2, 1])


def test_a_plain_array_may_be_changed_after_joining():
    x, plain = ag.Tensor([2.0], requires_grad=True), np.array([3.0])
    y = np.concatenate([x, plain])
    plain[:] = 100.0
    (y * y).sum().backward()
    np.testing.assert_array_equal(y.data, [2, 3])


@pytest.mark.parametrize("where", [1, -1, [0, 2], slice(0, 2), [1]])
def test_insert_before_positions_of_any_kind(where):
    y = np.insert(ag.Tensor(ROW, requires_grad=True), where, 7)
    np.testing.assert_array_equal(y.data, np.insert(ROW, where, 7))
    ag.check_grads(lambda x, v: np.insert(x, where, v), ROW, 0.5)


def test_insert_takes_a_mask_as_newer_numpy_does():
    """On arrays NumPy 2.0 reads a mask as the numbers 0 and 1, and warns that it will change."""
    x = ag.Tensor(ROW, requires_grad=True)
    y = np.insert(x, np.array([True, False, True]), 7)
    np.testing.assert_array_equal(y.data, np.insert(ROW, [0, 2], 7))
    (y * np.arange(5)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1, 2, 4])


def test_gradients_come_back_in_each_dtype():
    narrow, wide = ag.Tensor(np.ones(2, np.float32), True), ag.Tensor(np.ones(2), True)
    y = np.concatenate([narrow, wide])
    assert y.dtype == np.float64
    assert np.concatenate([narrow, narrow], dtype=np.float64).dtype == np.float64
    assert np.stack([narrow, wide]).dtype == np.float64
    y.sum().backward()
    assert (narrow.grad.dtype, wide.grad.dtype) == (np.float32, np.float64)


def test_join_many_scalars():
    scalars = [ag.Tensor(float(i), requires_grad=True) for i in range(200)]
    (np.stack(scalars) ** 2).sum().backward()
    assert [t.grad.item() for t in scalars] == [2.0 * i for i in range(200)]


def test_joining_the_rows_of_one_tensor():
    x = ag.Tensor(A, requires_grad=True)
    np.concatenate(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.ones((2, 3)))


MESSAGES = {
    "concatenate": (lambda x: np.concatenate([x, x[0]]), ValueError, "same number of dimensions"),
    "concatenate_lengths": (
        lambda x: np.concatenate([x, x[:, :2]]),
        ValueError,
        "must match exactly, but along dimension 1",
    ),
    "concatenate_axis": (lambda x: np.concatenate([x, x], 2), np.exceptions.AxisError, "axis 2 is out of bounds"),
    "stack": (lambda x: np.stack([x, x[0]]), ValueError, "same shape"),
    "split": (
        lambda x: np.split(x, 2, 1),
        ShapeError,
        r"split: axis 1 of length 3 cannot be cut into 2 equal parts \(shape \(2, 3\)\). Use np.array_split",
    ),
    "array_split": (
        lambda x: np.array_split(x, 0),
        ArgumentError,
        "array_split: the number of parts must be positive, got 0",
    ),
    "hsplit": (
        lambda x: np.hsplit(x.sum(), 1),
        ArgumentError,
        r"hsplit: needs an array with at least 1 axes, got shape \(\)",
    ),
    "vsplit": (
        lambda x: np.vsplit(x[0], 1),
        ArgumentError,
        r"vsplit: needs an array with at least 2 axes, got shape \(3,\)",
    ),
    "dsplit": (
        lambda x: np.dsplit(x, 1),
        ArgumentError,
        r"dsplit: needs an array with at least 3 axes, got shape \(2, 3\)",
    ),
    "block": (lambda x: np.block([[x], x]), ArgumentError, "block: the lists are nested to different depths"),
    "block_empty": (lambda x: np.block([[x], []]), ArgumentError, r"or one is empty. Use \[a\] for a single block"),
    "meshgrid": (
        lambda x: np.meshgrid(x, indexing="no"),
        ArgumentError,
        "meshgrid: indexing must be 'xy' or 'ij', got 'no'",
    ),
    "out": (lambda x: np.concatenate([x, x], out=np.ones((4, 3))), ConversionError, r"np.concatenate\(…, out=…\)"),
    "stack_out": (lambda x: np.stack([x, x], out=np.ones((2, 2, 3))), ConversionError, r"np.stack\(…, out=…\)"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    call, kind, message = MESSAGES[name]
    with pytest.raises(kind, match=message):
        call(ag.Tensor(A, requires_grad=True))


# ------------------------------------------------------------------------------------------------------ nested lists

t, s = np.array([0.5, -1.5]), np.array(2.0)
NESTED = {
    "numbers among Tensors": lambda t, s: [[s, 0.0], [1, s * s]],
    "rows": lambda t, s: [t, [s, 3], t * 2],
    "one": lambda t, s: [[[s]]],
    "tuples": lambda t, s: ((s, s), [t[0], t[1]]),
    "no list": lambda t, s: t,
    "arrays": lambda t, s: [[t, np.ones(2)], [np.zeros(2), t]],
}


@pytest.mark.parametrize("name", NESTED)
def test_array_is_np_array(name):
    build = NESTED[name]
    expected = np.array(build(t, s))
    y = ag.array(build(ag.Tensor(t, True), ag.Tensor(s, True)))
    np.testing.assert_array_equal(y.data, expected, strict=True)
    assert y.requires_grad
    plain = ag.array(build(t, s))
    assert type(plain) is np.ndarray
    np.testing.assert_array_equal(plain, expected, strict=True)
    ag.check_grads(lambda t, s: ag.array(build(t, s)), t, s)


def test_array_with_dtype_and_ragged_lists():
    x = ag.Tensor(2.0, requires_grad=True)
    assert ag.array([x, 1], dtype=np.float32).dtype == np.float32
    assert ag.array([], dtype=float).shape == (0,)
    with pytest.raises(ag.errors.ShapeError, match=r"array: the nested lists do not form an array: .*\(\), \(2,\)"):
        ag.array([x, [x, x]])
    with pytest.raises(ag.errors.ConversionError, match=r"np\.array .*would turn .* use ag\.array for nested lists"):
        np.array([x, x])
    with pytest.raises(ag.errors.ConversionError, match=r"np\.vectorize would turn .* call the function itself"):
        np.vectorize(lambda v: v * v)(ag.Tensor(t, True))
    with pytest.raises(ag.errors.MissingRule, match=r"np\.frompyfunc\(<lambda>\) .* the function itself on Tensors"):
        np.frompyfunc(lambda v: v * v, 1, 1)(ag.Tensor(t, True))
