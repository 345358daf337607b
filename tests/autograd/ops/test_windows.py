"""Sliding windows and convolutions of vectors: NumPy for values, PyTorch for gradients, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, ShapeError
from tests.autograd.ops.oracle import same_as_torch

A, V = np.random.default_rng(3).uniform(-2, 2, (2, 6))


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("f", [np.convolve, np.correlate])
def test_all_lengths_are_like_numpy(f, mode):
    for n in range(1, 6):
        for m in range(1, 6):
            y = f(Tensor(A[:n]), Tensor(V[:m]), mode)
            np.testing.assert_allclose(y.data, f(A[:n], V[:m], mode), atol=1e-14)
            ag.check_grads(lambda a, v: f(a, v, mode), A[:n], V[:m])


@pytest.mark.torch
def test_same_as_torch():
    def theirs(torch, a, v):
        return torch.nn.functional.conv1d(a[None, None], v.flip(0)[None, None], padding=3)[0, 0]

    same_as_torch(np.convolve, theirs, A, V[:4])
    same_as_torch(
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 3, axis=0),
        lambda torch, x: x.unfold(0, 3, 1),
        A.reshape(6, 1) * V,
    )


def test_convolution_of_a_number():
    np.testing.assert_allclose(np.convolve(Tensor(2.0), Tensor([1.0, 3.0])).data, [2, 6])


@pytest.mark.parametrize("axis", [None, (1, 0), -1, (0, 0)])
def test_windows_are_those_of_numpy(axis):
    x = A.reshape(6, 1) * V
    shape = (2, 3) if axis != -1 else 4
    view = np.lib.stride_tricks.sliding_window_view
    np.testing.assert_array_equal(view(Tensor(x), shape, axis).data, view(x, shape, axis))
    ag.check_grads(lambda x: view(x, shape, axis), x)


def test_windows_share_the_memory_of_their_array():
    x = Tensor(A, requires_grad=True)
    assert np.shares_memory(np.lib.stride_tricks.sliding_window_view(x, 2).data, x.data)


ERRORS = {
    "mode": (lambda x: np.convolve(x, x, "most"), ArgumentError, "mode must be 'full', 'same' or 'valid', got 'most'"),
    "image": (lambda x: np.convolve(x.reshape(2, 3), x), ShapeError, r"not empty, got shape \(2, 3\)\. For images use"),
    "empty": (lambda x: np.correlate(x, x[:0]), ShapeError, r"takes two vectors that are not empty, got shape \(0,\)"),
    "windows": (
        lambda x: np.lib.stride_tricks.sliding_window_view(x, (2, 2)),
        ShapeError,
        r"sliding_window_view: window_shape \(2, 2\) needs one length for each of axes \(0,\)\.",
    ),
    "wide": (lambda x: np.lib.stride_tricks.sliding_window_view(x, 9), ValueError, "larger than"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_messages(name):
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call(Tensor(A, requires_grad=True))
