"""Fourier transforms: every length, norm and axis against NumPy and finite differences, and what they refuse."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ConversionError, DTypeError, ShapeError
from tests.autograd.tools import leaf

RNG = np.random.default_rng(5)
X = RNG.uniform(-2, 2, (4, 5))
Z = X + 1j * RNG.uniform(-2, 2, (4, 5))
LINES = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
PLANES = ["fft2", "ifft2", "rfft2", "irfft2", "fftn", "ifftn", "rfftn", "irfftn"]
NORMS = [None, "backward", "ortho", "forward"]


def given(name):
    """Give complex numbers, real ones to what takes no others."""
    return X if name.startswith("r") or name == "ihfft" else Z


def check(f, a):
    np.testing.assert_array_equal(f(ag.Tensor(a)).data, f(a))
    ag.check_grads(f, a)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("n", [None, 1, 2, 3, 4, 7, 8])
def test_lines_of_every_length(name, norm, n):
    for axis in (0, -1):
        check(lambda a, axis=axis: getattr(np.fft, name)(a, n, axis=axis, norm=norm), given(name))


@pytest.mark.parametrize("name", PLANES)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"s": (3, 6)},
        {"s": (6, -1)},
        {"axes": (1, 0)},
        {"axes": (0,), "norm": "ortho"},
        {"s": (2,), "axes": (-1,), "norm": "forward"},
        {"axes": (0, 0)},
    ],
)
def test_planes(name, options):
    if "s" in options and "axes" not in options and name.endswith("n"):
        options = options | {"axes": (-2, -1)}
    check(lambda a: getattr(np.fft, name)(a, **options), given(name))


@pytest.mark.parametrize("name", PLANES)
def test_stacks(name):
    check(lambda a: getattr(np.fft, name)(a, axes=(0, 2)), given(name).reshape(2, 2, 5))


@pytest.mark.parametrize("name", [*LINES, *PLANES])
def test_real_inputs_get_real_gradients(name):
    x = leaf(X)
    y = getattr(np.fft, name)(x)
    (abs(y) ** 2).sum().backward()
    assert x.grad.dtype == np.float64
    ag.check_grads(getattr(np.fft, name), X)


def test_power_spectrum():
    """By Parseval, Σ |X_k|² = n Σ x²: here with the frequencies of a real signal counted once."""
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ag.grad(lambda x: (abs(np.fft.rfft(x)) ** 2).sum())(x), [9, 12, 15])
    np.testing.assert_allclose(ag.grad(lambda x: (abs(np.fft.fft(x)) ** 2).sum())(x), 6 * x)


def test_convolution_theorem():
    """The gradient of a product in the frequency domain is that of the convolution."""
    a, b = X[0], X[1]

    def by_spectrum(a, b):
        return np.fft.irfft(np.fft.rfft(a, 9) * np.fft.rfft(b, 9), 9)

    for i in (0, 1):
        ours = ag.jacobian(by_spectrum, argnums=i)(a, b)
        np.testing.assert_allclose(ours, ag.jacobian(np.convolve, argnums=i)(a, b), atol=1e-12)


@pytest.mark.parametrize("name", [*LINES, *PLANES])
def test_single_precision_stays(name):
    a = leaf(given(name).astype(np.complex64 if np.iscomplexobj(given(name)) else np.float32))
    y = getattr(np.fft, name)(a)
    assert y.dtype in (np.float32, np.complex64)
    abs(y).sum().backward()
    assert a.grad.dtype == a.dtype


def test_derivatives_are_transforms_of_single_precision_too():
    ag.check_grads(lambda a: np.fft.rfft(a, norm="ortho"), np.float32(X))


@pytest.mark.parametrize("name", ["fft", "irfft2"])
def test_compiled(name):
    f = ag.grad(lambda a: (abs(getattr(np.fft, name)(a)) ** 3).sum())
    compiled = ag.compile(f)
    for a in (Z, 1j * Z):
        np.testing.assert_allclose(compiled(a), f(a))


MESSAGES = {
    "complex": (lambda: np.fft.rfft(leaf(Z)), DTypeError, r"rfft takes real numbers.*Use np\.fft\.fft, or a\.real"),
    "out": (lambda: np.fft.hfft(leaf(Z), out=X), ConversionError, r"np\.fft\.hfft\(…, out=…\)"),
    "out of planes": (lambda: np.fft.fftn(leaf(Z), out=Z), ConversionError, r"np\.fft\.fftn\(…, out=…\)"),
    "lengths": (lambda: np.fft.fft2(leaf(Z), s=(1,)), ShapeError, r"s=\(1,\) and axes=\[-2, -1\] must name one length"),
    "no axes": (lambda: np.fft.fftn(leaf(Z), axes=()), ShapeError, "and at least one"),
    "no points": (lambda: np.fft.fft(leaf(Z), 0), ShapeError, r"fft got \(4, 5\): Invalid number of FFT data points"),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(name):
    call, kind, message = MESSAGES[name]
    with pytest.raises(kind, match=message):
        call()
