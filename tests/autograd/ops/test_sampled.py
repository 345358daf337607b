"""Functions given by samples: PyTorch as the oracle, NumPy for values, kinks, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, ShapeError
from tests.autograd.ops.oracle import same_as_torch

RNG = np.random.default_rng(1)
X = RNG.uniform(-2, 2, (2, 3, 5))
W = RNG.uniform(0.5, 2, (2, 3, 5))
AT = np.array([0.0, 0.3, 1.0, 1.1, 2.5])

TORCH = {
    "diff": (lambda x: np.diff(x, 2), lambda torch, x: torch.diff(x, 2), [X]),
    "diff_joined": (
        lambda x, first: np.diff(x, axis=1, prepend=first, append=0.5),
        lambda torch, x, first: torch.diff(x, dim=1, prepend=first, append=torch.full((2, 1, 5), 0.5)),
        [X, W[:, :2]],
    ),
    "trapezoid": (lambda y, x: np.trapezoid(y, x), lambda torch, y, x: torch.trapezoid(y, x), [X, np.arange(5.0) ** 2]),
    "trapezoid_axis": (
        lambda y: np.trapezoid(y, dx=0.5, axis=0),
        lambda torch, y: torch.trapezoid(y, dx=0.5, dim=0),
        [X],
    ),
    "gradient": (lambda x: np.gradient(x), lambda torch, x: torch.gradient(x), [X]),
    "gradient_ends": (
        lambda x: np.gradient(x, 0.5, axis=(1, 2), edge_order=2),
        lambda torch, x: torch.gradient(x, spacing=0.5, dim=(1, 2), edge_order=2),
        [X],
    ),
    "gradient_at": (
        lambda x: np.gradient(x, AT, axis=-1),
        lambda torch, x: torch.gradient(x, spacing=(torch.tensor(AT),), dim=-1)[0],
        [X],
    ),
}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_same_as_torch(name):
    ours, theirs, arrays = TORCH[name]
    same_as_torch(ours, theirs, *arrays)


def test_diff_of_fewer_elements_than_differences():
    x = ag.Tensor(np.ones((2, 2)), requires_grad=True)
    y = np.diff(x, 5)
    assert y.shape == (2, 0)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.zeros((2, 2)))


def test_diff_joined_at_one_end():
    x = np.array([1.0, 4.0])
    np.testing.assert_array_equal(np.diff(ag.Tensor(x), prepend=0).data, [1, 3])
    np.testing.assert_array_equal(np.diff(ag.Tensor(x), append=[9.0, 9.0]).data, [3, 5, 0])


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_is_that_of_numpy(edge_order):
    for args, kwargs in [
        ((X,), {}),
        ((X, 2), {"axis": 1}),
        ((X, 2.0, AT), {"axis": (0, 2)}),
        ((X[0, 0].astype(np.float32), AT + 1e6), {}),
        ((np.arange(5) ** 2, AT), {}),
    ]:
        if edge_order == 2 and (kwargs.get("axis") == (0, 2) or not args[1:]):
            continue  # two samples along the first axis
        expected = np.gradient(*args, **kwargs, edge_order=edge_order)
        found = np.gradient(ag.Tensor(args[0]), *args[1:], **kwargs, edge_order=edge_order)
        assert type(found) is (tuple if isinstance(expected, tuple) else ag.Tensor)
        for a, b in zip(
            found if isinstance(found, tuple) else [found],
            expected if isinstance(expected, tuple) else [expected],
            strict=True,
        ):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a.data, b, rtol=1e-5 if a.dtype == np.float32 else 1e-12, atol=1e-12)


def test_gradient_by_tensors_as_coordinates():
    ag.check_grads(lambda f, h, x: np.gradient(f, h, x, edge_order=2), X[0], np.array(0.5), AT)


ERRORS = {
    "number": (lambda x: np.gradient(x, 1, 2), TypeError, r"gradient: 2 distances for 3 axes; give none, one, or one"),
    "shared": (lambda x: np.gradient(x, AT), ShapeError, r"gradient: coordinates in one array for several axes; give"),
    "order": (lambda x: np.gradient(x, edge_order=3), ArgumentError, r"gradient: edge_order must be 1 or 2, got 3\."),
    "short": (
        lambda x: np.gradient(x, axis=0, edge_order=2),
        ArgumentError,
        r"gradient: axis 0 has 2 samples; edge_order=2 needs at least 3\.",
    ),
    "length": (
        lambda x: np.gradient(x, AT, axis=1),
        ShapeError,
        r"gradient: coordinates of shape \(5,\) for axis 1 of length 3\.",
    ),
    "interp": (
        lambda x: np.interp(x, [1.0, 2.0], [1.0]),
        ShapeError,
        r"interp: xp and fp must be vectors of one length > 0, got shapes \(2,\) and \(1,\)\.",
    ),
    "period": (lambda x: np.interp(x, [1.0], [1.0], period=0), ArgumentError, r"interp: period must not be 0\."),
}


@pytest.mark.parametrize("name", ERRORS)
def test_messages(name):
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call(ag.Tensor(X, requires_grad=True))


def test_interp_at_its_points_and_outside():
    """At a point the slope is that of the line to its right; outside, and right of the last point, it is 0."""
    slope = ag.grad(lambda x: np.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 3.0]).sum())
    assert slope(np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0])).tolist() == [0, 2, 2, 0.5, 0.5, 0, 0]
    assert np.isnan(np.interp(ag.Tensor(np.nan), [0.0, 1.0], [2.0, 3.0]).data)


def test_interp_gives_each_height_its_share():
    heights = ag.grad(lambda fp: np.interp(ag.Tensor([0.25, 5.0]), [0.0, 1.0, 3.0], fp).sum())(np.ones(3))
    assert heights.tolist() == [0.75, 0.25, 1]
    ends = ag.grad(
        lambda end: np.interp(ag.Tensor([-1.0, 0.5, 9.0]), [0.0, 1.0], [2.0, 3.0], left=end, right=2 * end).sum()
    )
    assert ends(np.array(7.0)) == 3


def test_unwrap_adds_constants():
    x = np.array([0.0, 3.0, 6.5, -6.0])
    y = np.unwrap(ag.Tensor(x, requires_grad=True))
    np.testing.assert_allclose(y.data, np.unwrap(x))
    assert ag.grad(lambda x: np.unwrap(x).sum())(x).tolist() == [1, 1, 1, 1]


def test_ediff1d_keeps_the_dtype_of_its_ends():
    x = ag.Tensor([1, 4, 9], dtype=np.float32)
    y = np.ediff1d(x, to_begin=-1.0, to_end=[7.0])
    assert y.data.tolist() == [-1, 3, 5, 7]
    assert y.dtype == np.float32
