"""Padding, tiling and resizing: PyTorch as the oracle, NumPy's forms of ``pad_width``, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError
from tests.autograd.ops.oracle import same_as_torch

X = np.random.default_rng(4).uniform(-2, 2, (2, 3, 4, 5))
WIDTHS = ((0, 0), (0, 0), (2, 1), (0, 3))

TORCH = {
    "constant": (
        lambda x: np.pad(x, WIDTHS, constant_values=1.5),
        lambda torch, x: torch.nn.functional.pad(x, (0, 3, 2, 1), value=1.5),
    ),
    "edge": (
        lambda x: np.pad(x, WIDTHS, "edge"),
        lambda torch, x: torch.nn.functional.pad(x, (0, 3, 2, 1), "replicate"),
    ),
    "reflect": (
        lambda x: np.pad(x, WIDTHS, "reflect"),
        lambda torch, x: torch.nn.functional.pad(x, (0, 3, 2, 1), "reflect"),
    ),
    "wrap": (
        lambda x: np.pad(x, WIDTHS, mode="wrap"),
        lambda torch, x: torch.nn.functional.pad(x, (0, 3, 2, 1), "circular"),
    ),
    "symmetric": (
        lambda x: np.pad(x, WIDTHS, "symmetric"),
        lambda torch, x: torch.cat([x[:, :, [1, 0]], x, x[:, :, [3]]], 2)[..., [0, 1, 2, 3, 4, 4, 3, 2]],
    ),
    "tile": (lambda x: np.tile(x, (3, 1, 2)), lambda torch, x: torch.tile(x, (3, 1, 2))),
    "tile_more_axes": (lambda x: np.tile(x[0, 0], (2, 1, 3)), lambda torch, x: torch.tile(x[0, 0], (2, 1, 3))),
    "resize": (lambda x: np.resize(x[0, 0], (5, 5)), lambda torch, x: x[0, 0].reshape(-1).tile(2)[:25].reshape(5, 5)),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs = TORCH[name]
    same_as_torch(ours, theirs, X)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [2, (1, 3), ((1, 0), (0, 2)), [[1], [2]], np.array([[0, 3], [4, 0]]), ((7, 8),), 0])
def test_forms_of_pad_width(mode, width):
    x = X[0, 0]
    y = np.pad(ag.Tensor(x, requires_grad=True), width, mode)
    np.testing.assert_array_equal(y.data, np.pad(x, width, mode))
    ag.check_grads(lambda x: np.pad(x, width, mode), x)


def test_pad_width_by_axis():
    x = ag.Tensor(X[0, 0])
    np.testing.assert_array_equal(np.pad(x, {0: 1, -1: (0, 2)}).data, np.pad(X[0, 0], ((1, 1), (0, 2))))


def test_padding_keeps_integers():
    assert np.pad(ag.Tensor([1, 2]), 1).dtype == np.pad([1, 2], 1).dtype
    for mode in ("mean", "linear_ramp", "median"):
        np.testing.assert_array_equal(
            np.pad(ag.Tensor([1, 2, 4]), 2, mode).data, np.pad([1, 2, 4], 2, mode), strict=True
        )
    assert np.resize(ag.Tensor(np.zeros((0,), np.float32)), (2,)).dtype == np.float32


MESSAGES = {
    "mode": (
        lambda x: np.pad(x, 1, "spiral"),
        ArgumentError,
        "pad: mode='spiral' is not one; modes are constant, edge, .* or a function",
    ),
    "unknown": (
        lambda x: np.pad(x, 1, "edge", constant_values=1),
        ArgumentError,
        "pad: mode='edge' takes no constant_values",
    ),
    "unknown_for_constant": (
        lambda x: np.pad(x, 1, stat_length=1),
        TypeError,
        "unexpected keyword argument 'stat_length'",
    ),
    "float": (lambda x: np.pad(x, 1.5), ArgumentError, "pad: pad_width must be made of integers, got dtype float64"),
    "negative": (lambda x: np.pad(x, -1), ArgumentError, "pad: pad_width must not be negative, got -1. Slice to cut"),
    "shape": (
        lambda x: np.pad(x, ((1, 1),) * 3),
        ArgumentError,
        r"pad: pad_width of shape \(3, 2\) does not fit an array with 2 axes; give a number, \(before, after\), or 2",
    ),
    "empty": (lambda x: np.pad(x[:0], 1, "edge"), ValueError, "can't extend empty axis 0"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    call, kind, message = MESSAGES[name]
    with pytest.raises(kind, match=message):
        call(ag.Tensor(X[0, 0], requires_grad=True))


PADS = {
    "ramp to a Tensor": lambda x: np.pad(x * 1, 2, "linear_ramp", end_values=x[0, 0]),
    "constant of a Tensor": lambda x: np.pad(x, ((1, 2), (0, 1)), constant_values=x[0, 0]),
    "ends": lambda x: np.pad(x, ((1, 2), (3, 1)), "linear_ramp", end_values=((1.0, 2.0), (3.0, -1.0))),
    "odd and long": lambda x: np.pad(x, 11, "reflect", reflect_type="odd"),
    "odd and long, symmetric": lambda x: np.pad(x, 11, "symmetric", reflect_type="odd"),
    "odd, one element": lambda x: np.pad(x[:1], 2, "reflect", reflect_type="odd"),
    "lengths": lambda x: np.pad(x, 2, "mean", stat_length=(1, 2)),
    "a function": lambda x: np.pad(x, ((1, 1), (2, 0)), _mirror),
}


def _mirror(vector, width, axis, kwargs):
    """Write the negative of the nearest element into both ends."""
    n = vector.shape[0]
    vector[: width[0]] = -vector[width[0]]
    if width[1]:
        vector[n - width[1] :] = -vector[n - width[1] - 1]


@pytest.mark.parametrize("name", PADS)
def test_pads(name):
    f, x = PADS[name], np.random.default_rng(5).uniform(-2, 2, (3, 4))
    np.testing.assert_allclose(f(ag.Tensor(x, requires_grad=True)).data, f(x), rtol=1e-12, atol=1e-13)
    ag.check_grads(f, x)


def test_empty_has_the_shape_and_no_gradient_at_its_ends():
    x = np.ones((2, 3))
    y = np.pad(ag.Tensor(x, requires_grad=True), 1, "empty")
    assert y.shape == (4, 5)
    np.testing.assert_array_equal(ag.grad(lambda x: np.pad(x, 1, "empty").sum())(x), x)
