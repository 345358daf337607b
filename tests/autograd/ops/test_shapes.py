"""Shapes beyond the shared table: PyTorch as the oracle, views, captured arguments, memory order, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, InPlaceError, ShapeError
from tests.autograd.ops.oracle import same_as_torch

X = np.random.default_rng(2).uniform(-2, 2, (2, 3, 4))
SQUARE = X[0, :, :3]

TORCH = {
    "reshape": (lambda x: np.reshape(x, (4, -1)), lambda torch, x: x.reshape(4, -1), X),
    "ravel": (lambda x: np.ravel(x.T), lambda torch, x: x.permute(2, 1, 0).ravel(), X),
    "reshape_fortran": (
        lambda x: np.reshape(x, (4, 6), order="F"),
        lambda torch, x: x.permute(2, 1, 0).reshape(6, 4).T,
        X,
    ),
    "transpose": (lambda x: np.transpose(x, (2, -3, 1)), lambda torch, x: x.permute(2, 0, 1), X),
    "swapaxes": (lambda x: np.swapaxes(x, -1, 0), lambda torch, x: x.swapaxes(-1, 0), X),
    "moveaxis": (lambda x: np.moveaxis(x, (0, 1), (-1, 0)), lambda torch, x: x.moveaxis((0, 1), (-1, 0)), X),
    "rollaxis": (lambda x: np.rollaxis(x, 2, 1), lambda torch, x: x.movedim(2, 1), X),
    "expand_dims": (lambda x: np.expand_dims(x, (0, -2)), lambda torch, x: x[None, :, :, None, :], X),
    "squeeze": (lambda x: np.squeeze(x[:, :1, :1], 1), lambda torch, x: x[:, :1, :1].squeeze(1), X),
    "broadcast_to": (
        lambda x: np.broadcast_to(x[:, :1], (5, 2, 3, 4)),
        lambda torch, x: x[:, :1].expand(5, 2, 3, 4),
        X,
    ),
    "broadcast_arrays": (
        lambda x: np.broadcast_arrays(x[:, :1], x[0], x[0, 0, 0]),
        lambda torch, x: torch.broadcast_tensors(x[:, :1], x[0], x[0, 0, 0]),
        X,
    ),
    "atleast": (lambda x: np.atleast_3d(x[0])[:, 0], lambda torch, x: torch.atleast_3d(x[0])[:, 0], X),
    "flip": (lambda x: np.flip(x, (0, -1)), lambda torch, x: x.flip((0, -1)), X),
    "fliplr": (lambda x: np.fliplr(x), lambda torch, x: x.fliplr(), X),
    "flipud": (lambda x: np.flipud(x), lambda torch, x: x.flipud(), X),
    "roll": (lambda x: np.roll(x, (1, -6), (0, 2)), lambda torch, x: x.roll((1, -6), (0, 2)), X),
    "roll_flat": (lambda x: np.roll(x, 5), lambda torch, x: x.roll(5), X),
    "rot90": (lambda x: np.rot90(x, 3, (2, 0)), lambda torch, x: x.rot90(3, (2, 0)), X),
    "repeat": (lambda x: np.repeat(x, 3, -2), lambda torch, x: x.repeat_interleave(3, -2), X),
    "repeat_flat": (lambda x: np.repeat(x, 2), lambda torch, x: x.repeat_interleave(2), X),
    "repeat_each": (
        lambda x: np.repeat(x, [2, 0, 3], axis=1),
        lambda torch, x: x.repeat_interleave(torch.tensor([2, 0, 3]), 1),
        X,
    ),
    "tril": (lambda x: np.tril(x, -1), lambda torch, x: x.tril(-1), X),
    "triu": (lambda x: np.triu(x, k=1), lambda torch, x: x.triu(1), X),
    "diagonal": (lambda x: np.diagonal(x, -1, 2, 0), lambda torch, x: x.diagonal(-1, 2, 0), X),
    "diag_of_vector": (lambda x: np.diag(x[0, 0], -2), lambda torch, x: x[0, 0].diag(-2), X),
    "diag_of_matrix": (lambda x: np.diag(x[0], 1), lambda torch, x: x[0].diag(1), X),
    "diagflat": (lambda x: np.diagflat(x[0], 1), lambda torch, x: torch.diagflat(x[0], 1), X),
    "trace": (lambda x: np.trace(x), lambda torch, x: x.trace(), SQUARE),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, x = TORCH[name]
    same_as_torch(ours, theirs, x)


# --------------------------------------------------------------------------------------------------------------- views

VIEWS = {
    "reshape": lambda x: np.reshape(x, (4, 6)),
    "ravel": lambda x: np.ravel(x),
    "transpose": lambda x: np.transpose(x),
    "swapaxes": lambda x: np.swapaxes(x, 0, 2),
    "moveaxis": lambda x: np.moveaxis(x, 0, -1),
    "rollaxis": lambda x: np.rollaxis(x, 2),
    "expand_dims": lambda x: np.expand_dims(x, 0),
    "squeeze": lambda x: np.squeeze(x),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3, 4)),
    "flip": lambda x: np.flip(x, 1),
    "rot90": lambda x: np.rot90(x),
    "diagonal": lambda x: np.diagonal(x),
    "atleast_1d": lambda x: np.atleast_1d(np.transpose(x)),
    "split": lambda x: np.split(x, 2)[1],
    "unstack": lambda x: np.moveaxis(x, 1, 0)[0],
}


@pytest.mark.parametrize("name", VIEWS)
def test_view_costs_no_memory_and_notices_changes(name):
    x = ag.Tensor(X, requires_grad=True)
    y = VIEWS[name](x)
    assert np.shares_memory(y.data, x.data)
    loss = (y * y).sum()
    x.data -= 1.0
    with pytest.raises(InPlaceError, match="was changed in place after it was used"):
        loss.backward()


@pytest.mark.parametrize("name", VIEWS)
def test_view_made_without_recording_notices_changes(name):
    x, w = ag.Tensor(X, requires_grad=True), ag.Tensor(2.0, requires_grad=True)
    with ag.no_grad():
        y = VIEWS[name](x)
    loss = (y * w).sum()
    x.data -= 1.0
    with pytest.raises(InPlaceError, match="was changed in place after it was used"):
        loss.backward()


# ----------------------------------------------------------------------------------------------- captured arguments

CAPTURED = {
    "roll": (lambda x, a: np.roll(x, a, (0, 1)), [1, 2]),
    "roll_axes": (lambda x, a: np.roll(x, (1, 1), a), [1, 2]),
    "flip": (lambda x, a: np.flip(x, a), [0, 1]),
    "rot90": (lambda x, a: np.rot90(x, 1, a), [0, 1]),
    "transpose": (lambda x, a: np.transpose(x, a), [1, 2, 0]),
    "moveaxis": (lambda x, a: np.moveaxis(x, a, [1, 2]), [0, 1]),
    "tile": (lambda x, a: np.tile(x, a), [2, 1]),
    "repeat": (lambda x, a: np.repeat(x, a, 1), np.array([1, 0, 2])),
    "pad": (lambda x, a: np.pad(x, a), [[1, 1], [0, 2], [2, 0]]),
    "split": (lambda x, a: np.split(x, a, 1)[0], [1, 2]),
    "insert": (lambda x, a: np.insert(x, a, 0.5, 1), np.array([0, 1])),
    "resize": (lambda x, a: np.resize(x, a), [5, 6]),
    "reshape": (lambda x, a: np.reshape(x, a), [4, 6]),
}


@pytest.mark.parametrize("name", CAPTURED)
def test_arguments_may_be_changed_after_the_call(name):
    f, argument = CAPTURED[name]
    expected = ag.grad(lambda x: (f(x, argument) ** 2).sum())(X)
    mine = argument.copy() if isinstance(argument, np.ndarray) else [*map(_copied, argument)]
    x = ag.Tensor(X, requires_grad=True)
    loss = (f(x, mine) ** 2).sum()
    if isinstance(mine[0], list):
        mine[0][:] = [0, 0]
    mine[:] = mine[::-1]
    loss.backward()
    np.testing.assert_array_equal(x.grad.data, expected)


def _copied(item):
    return list(item) if isinstance(item, list) else item


# --------------------------------------------------------------------------------------------------------- memory order


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize(
    "x", [X, X.T, X.transpose(1, 2, 0), np.asfortranarray(X[0])], ids=["C", "F", "mixed", "matrix"]
)
def test_memory_order(x, order):
    t = ag.Tensor(x, copy=False)
    np.testing.assert_array_equal(np.ravel(t, order).data, np.ravel(x, order))
    weights = np.arange(x.size)
    g = ag.vjp(lambda t: np.ravel(t, order), ag.Tensor(x, copy=False))[1](weights)
    np.testing.assert_array_equal(np.ravel(np.where(True, g, 0), "C"), np.ravel(_sown(x, order), "C"))
    if order != "K":
        np.testing.assert_array_equal(np.reshape(t, (2, -1), order=order).data, np.reshape(x, (2, -1), order=order))


def _sown(x, order):
    """Give each element the position at which ``ravel`` reads it."""
    places = np.empty_like(x)
    for place, value in enumerate(np.ravel(x, order)):
        places[x == value] = place
    return places


def test_reshape_that_would_copy_can_be_refused():
    x = ag.Tensor(X, requires_grad=True)
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("NumPy >= 2.1")
    assert np.reshape(x, (6, 4), copy=False).requires_grad
    with pytest.raises(ValueError, match="copy"):
        np.reshape(np.swapaxes(x, 0, 1), (6, 4), copy=False)


# ------------------------------------------------------------------------------------------------------ kinds, messages


def test_kinds_of_results():
    x, y = ag.Tensor(X[0], requires_grad=True), np.ones(4)
    several = np.broadcast_arrays(x, y)
    assert type(several) is tuple
    assert [type(part) for part in several] == [ag.Tensor, ag.Tensor]
    assert type(np.atleast_2d(x, y)) is tuple
    assert type(np.atleast_2d(x)) is ag.Tensor
    y[:] = 7
    np.testing.assert_array_equal(several[1].data, np.ones((3, 4)))


def test_methods_take_what_ndarrays_take():
    x = ag.Tensor(X, requires_grad=True)
    for call in (
        lambda x: x.reshape(4, 6),
        lambda x: x.reshape((4, -1)),
        lambda x: x.reshape(-1),
        lambda x: x.transpose(),
        lambda x: x.transpose(2, 0, 1),
        lambda x: x.transpose((2, 0, 1)),
        lambda x: x.T,
        lambda x: x.swapaxes(0, 1),
        lambda x: x.ravel(),
        lambda x: x.flatten(),
        lambda x: x[:1].squeeze(),
        lambda x: x.repeat(2, 1),
        lambda x: x.diagonal(1),
        lambda x: x.trace(),
    ):
        y = call(x)
        assert y.requires_grad
        np.testing.assert_array_equal(y.data, call(X))


MESSAGES = {
    "reshape": (lambda x: np.reshape(x, (5, 5)), ValueError, r"cannot reshape array of size 24 into shape \(5,5\)"),
    "transpose": (lambda x: np.transpose(x, (0, 1)), ValueError, "axes don't match array"),
    "swapaxes": (lambda x: np.swapaxes(x, 0, 3), np.exceptions.AxisError, "axis2: axis 3 is out of bounds"),
    "moveaxis": (lambda x: np.moveaxis(x, 3, 0), np.exceptions.AxisError, "source: axis 3 is out of bounds"),
    "moveaxis_count": (
        lambda x: np.moveaxis(x, (0, 1), 0),
        ArgumentError,
        r"moveaxis: source=\(0, 1\) and destination=0 must name equally many axes",
    ),
    "rollaxis": (lambda x: np.rollaxis(x, 0, 9), np.exceptions.AxisError, "start: axis 9 is out of bounds"),
    "squeeze": (lambda x: np.squeeze(x, 0), ValueError, "cannot select an axis to squeeze out"),
    "expand_dims": (lambda x: np.expand_dims(x, 9), np.exceptions.AxisError, "axis 9 is out of bounds"),
    "broadcast_to": (
        lambda x: np.broadcast_to(x, (3, 3)),
        ShapeError,
        r"broadcast_to: shape \(2, 3, 4\) does not broadcast to \(3, 3\); from the right",
    ),
    "broadcast_arrays": (lambda x: np.broadcast_arrays(x, np.ones(3)), ValueError, "shape mismatch"),
    "flip": (lambda x: np.flip(x, 3), np.exceptions.AxisError, "axis 3 is out of bounds"),
    "fliplr": (
        lambda x: np.fliplr(x[0, 0]),
        ArgumentError,
        r"fliplr: needs an array with at least 2 axes, got shape \(4,\)",
    ),
    "flipud": (
        lambda x: np.flipud(x.sum()),
        ArgumentError,
        r"flipud: needs an array with at least 1 axes, got shape \(\)",
    ),
    "rot90": (lambda x: np.rot90(x, 1, (0, 0)), ValueError, "Axes must be different"),
    "repeat": (lambda x: np.repeat(x, [1, 2], 1), ValueError, "could not be broadcast"),
    "diag": (
        lambda x: np.diag(x),
        ArgumentError,
        r"diag: needs one or two axes, got shape \(2, 3, 4\). Use np.diagonal",
    ),
    "diagonal": (lambda x: np.diagonal(x[0, 0]), ValueError, "at least two dimensions"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    call, kind, message = MESSAGES[name]
    with pytest.raises(kind, match=message):
        call(ag.Tensor(X, requires_grad=True))
