"""``autograd.scipy.signal``: every mode and axis has SciPy's values, and derivatives to order two."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, MissingRule, ShapeError
from tests.autograd.rows import second
from tests.autograd.scipy.table import check_row, rows

theirs = pytest.importorskip("scipy.signal")
ours = pytest.importorskip("autograd.scipy.signal")
ROWS = rows("signal")
RNG = np.random.default_rng(6)
MODES = ["full", "same", "valid"]
SHAPES = [
    ((6,), (3,)),
    ((6,), (2,)),
    ((3,), (6,)),
    ((2,), (5,)),
    ((4, 5), (2, 3)),
    ((2, 2), (3, 4)),
    ((2, 3, 4), (1, 2, 2)),
]


@pytest.mark.parametrize("name", ROWS)
def test_derivatives_to_order_two(name):
    check_row(ROWS[name])
    check_row(ROWS[name], second)


def same(name, *args, **kwargs):
    """Compare a function with SciPy's, in value and by finite differences."""
    found, expected = getattr(ours, name)(*args, **kwargs), getattr(theirs, name)(*args, **kwargs)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)
    ag.check_grads(lambda *args: getattr(ours, name)(*args, **kwargs), *args)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", ["convolve", "correlate", "fftconvolve", "oaconvolve"])
def test_modes(name, shapes, mode):
    same(name, *[RNG.uniform(-1, 1, shape) for shape in shapes], mode=mode)


@pytest.mark.parametrize("method", ["auto", "direct", "fft"])
@pytest.mark.parametrize("name", ["convolve", "correlate"])
def test_methods(name, method):
    same(name, RNG.uniform(-1, 1, (4, 3)), RNG.uniform(-1, 1, (2, 2)), mode="same", method=method)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", [0, 1, -1, (0,), (1, 0), [0, 1]])
@pytest.mark.parametrize("name", ["fftconvolve", "oaconvolve"])
def test_axes(name, axes, mode):
    listed = [axes % 2] if isinstance(axes, int) else list(axes)
    kernel = tuple(2 if i in listed else 1 for i in range(2))
    same(name, RNG.uniform(-1, 1, (4, 3)), RNG.uniform(-1, 1, kernel), mode=mode, axes=axes)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shapes", [((1, 4), (3, 2)), ((3, 4), (1, 2)), ((3, 4), (3, 2))], ids=str)
def test_other_axes_broadcast(shapes, mode):
    same("fftconvolve", *[RNG.uniform(-1, 1, shape) for shape in shapes], mode=mode, axes=1)


def test_integers_stay_integers():
    assert ours.convolve([1, 2, 3], [0, 1, 1]).dtype.kind == "i"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("boundary", ["fill", "wrap", "symm"])
@pytest.mark.parametrize("kernel", [(2, 3), (3, 2)])
def test_boundaries(boundary, mode, kernel):
    same("convolve2d", RNG.uniform(-1, 1, (4, 5)), RNG.uniform(-1, 1, kernel), mode=mode, boundary=boundary)
    if boundary == "fill":
        args = RNG.uniform(-1, 1, (4, 5)), RNG.uniform(-1, 1, kernel)
        same("convolve2d", *args, mode=mode, boundary=boundary, fillvalue=0.5)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_filters(axis):
    b, a = np.array([0.5, 0.2, -0.1]), np.array([1.5, -0.4, 0.3])
    same("lfilter", b, a, RNG.uniform(-1, 1, (5, 6)), axis=axis)
    same("lfilter", b, np.array([2.0]), RNG.uniform(-1, 1, 5))
    same("lfilter", np.array([1.0]), a, RNG.uniform(-1, 1, 2))


def test_float32_stays_float32():
    for name in ("convolve", "fftconvolve", "oaconvolve"):
        leaf = ag.Tensor(np.ones(4, np.float32), requires_grad=True)
        y = getattr(ours, name)(leaf, np.ones(2, np.float32))
        y.sum().backward()
        assert (y.dtype, leaf.grad.dtype) == (np.float32, np.float32)


def test_what_does_not_fit_is_named():
    with pytest.raises(
        ShapeError, match=r"fftconvolve: inputs must have as many axes as each other, got \(3,\), \(1, 2\)"
    ):
        ours.fftconvolve(np.ones(3), np.ones((1, 2)))
    with pytest.raises(ShapeError, match=r"mode 'valid' wants one input at least as long"):
        ours.convolve(np.ones((2, 5)), np.ones((3, 4)), mode="valid")
    with pytest.raises(ArgumentError, match=r"convolve: mode must be 'full', 'same' or 'valid', got 'half'"):
        ours.convolve(np.ones(2), np.ones(2), mode="half")
    with pytest.raises(ArgumentError, match=r"convolve2d: mode must be 'full', 'same' or 'valid', got 'half'"):
        ours.convolve2d(np.ones((2, 2)), np.ones((2, 2)), mode="half", boundary="wrap")
    with pytest.raises(ArgumentError, match=r"boundary must be one of wrap, symm, fill, got 'none'"):
        ours.convolve2d(np.ones((2, 2)), np.ones((2, 2)), boundary="none")
    with pytest.raises(ShapeError, match=r"convolve2d: inputs must be matrices, got \(2,\) and \(2, 2\)"):
        ours.convolve2d(np.ones(2), np.ones((2, 2)))
    with pytest.raises(MissingRule, match=r"scipy\.signal\.hilbert has no gradient rule"):
        ours.hilbert(ag.Tensor(np.ones(3), requires_grad=True))
