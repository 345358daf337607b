"""``scipy.signal``: convolution and correlation in every mode along chosen axes, and recursive filters.

One op, the convolution in the modes "full" and "valid", stands behind all of them: it is linear in each input, and its
gradients are convolutions too.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import signal
>>> ag.grad(lambda kernel: signal.convolve(np.arange(4.0), kernel, "valid")[0])(np.ones(2))
array([1., 0.])
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from typing import Any

import numpy as np
from scipy import signal as sp

from autograd.errors import ArgumentError, ShapeError
from autograd.ops.axes import as_array
from autograd.scipy.declare import Samples, declare, float_like, without_rule
from autograd.vjp import unbroadcast


def _forward(in1: Any, in2: Any, axes: Any = (), method: str = "auto", mode: str = "full") -> Any:
    if method in ("fftconvolve", "oaconvolve"):
        y = getattr(sp, method)(in1, in2, mode, axes) if axes else in1 * in2
    else:
        y = sp.convolve(in1, in2, mode, method)
    return float_like(y, in1, in2)


def _rule(g: Any, in1: Any, in2: Any, axes: Any, method: str, mode: str, needs: Any) -> Any:
    """Correlate the gradient with the other input: the adjoint of "full" is "valid", for both.

    The adjoint of "valid" is "full" for the longer input, and "valid" for the shorter one.
    """
    valid, longer = mode == "valid", _is_longer(in1, in2, axes)

    def back(own: Any, other: Any, full: bool) -> Any:
        part = convolution(g, np.flip(other, axes), axes=axes, method=method, mode="full" if full else "valid")
        return unbroadcast(part, np.shape(own))

    return (
        back(in1, in2, valid and longer) if needs[0] else None,
        back(in2, in1, valid and not longer) if needs[1] else None,
    )


def _is_longer(in1: Any, in2: Any, axes: Any) -> bool:
    return all(in1.shape[i] >= in2.shape[i] for i in axes)


def _samples(rng: np.random.Generator) -> Samples:
    for method in ("direct", "fft", "fftconvolve", "oaconvolve"):
        yield (rng.uniform(-1, 1, 5), rng.uniform(-1, 1, 3)), {"axes": (0,), "method": method}
        yield (rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (2, 2))), {"axes": (0, 1), "method": method}
        valid: Any = {"method": method, "mode": "valid"}
        yield (rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (2, 4))), {"axes": (0, 1), **valid}
        yield (rng.uniform(-1, 1, 2), rng.uniform(-1, 1, 5)), {"axes": (0,), **valid}
    for method in ("fftconvolve", "oaconvolve"):
        yield (rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (1, 2))), {"axes": (1,), "method": method}
        yield (
            (rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (1, 2))),
            {"axes": (1,), "method": method, "mode": "valid"},
        )


convolution: Any = declare("signal", "convolve", _forward, symbol="∗", vjp=_rule, domain=_samples)


def _same(full: Any, shape: Any) -> Any:
    """Cut the middle, of the size of the first input, out of a full convolution."""
    starts = [(n - size) // 2 for n, size in zip(full.shape, shape, strict=True)]
    return full[tuple(slice(start, start + size) for start, size in zip(starts, shape, strict=True))]


def _check_mode(mode: str, name: str) -> None:
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"scipy.signal.{name}: mode must be 'full', 'same' or 'valid', got {mode!r}.")


def _convolved(in1: Any, in2: Any, mode: str, method: str, axes: Any, name: str) -> Any:
    in1, in2 = as_array(in1), as_array(in2)
    if in1.ndim != in2.ndim:
        raise ShapeError(
            f"scipy.signal.{name}: inputs must have as many axes as each other, got {in1.shape}, {in2.shape}."
        )
    _check_mode(mode, name)
    if not in1.ndim:
        return in1 * in2
    listed = range(in1.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    places = tuple(sorted(i % in1.ndim for i in listed))
    if mode == "valid" and not (_is_longer(in1, in2, places) or _is_longer(in2, in1, places)):
        raise ShapeError(
            f"scipy.signal.{name}: mode 'valid' wants one input at least as long as the other in each axis."
        )
    y = convolution(in1, in2, axes=places, method=method, mode="valid" if mode == "valid" else "full")
    return _same(y, in1.shape) if mode == "same" else y


def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Convolve two arrays along all axes; ``mode`` "full", "same" or "valid", ``method`` "auto", "direct" or "fft"."""
    return _convolved(in1, in2, mode, method, None, "convolve")


def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    """Correlate two arrays: convolve the first with the second turned round, and conjugated if complex."""
    turned = np.flip(as_array(in2))
    return _convolved(in1, np.conj(turned) if turned.dtype.kind == "c" else turned, mode, method, None, "correlate")


def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Convolve by FFT along ``axes`` (all by default); the others broadcast."""
    return _convolved(in1, in2, mode, "fftconvolve", axes, "fftconvolve")


def oaconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    """Convolve by the overlap-add method along ``axes`` (all by default); the others broadcast."""
    return _convolved(in1, in2, mode, "oaconvolve", axes, "oaconvolve")


_PADS = {"wrap": "wrap", "symm": "symmetric", "fill": "constant"}


def convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """Convolve two matrices; ``boundary`` "fill", "wrap" or "symm" says what lies around the first."""
    in1, in2 = as_array(in1), as_array(in2)
    if in1.ndim != 2 or in2.ndim != 2:
        raise ShapeError(f"scipy.signal.convolve2d: inputs must be matrices, got {in1.shape} and {in2.shape}.")
    if boundary not in _PADS:
        raise ArgumentError(f"scipy.signal.convolve2d: boundary must be one of {', '.join(_PADS)}, got {boundary!r}.")
    _check_mode(mode, "convolve2d")
    if mode == "valid" or (boundary == "fill" and isinstance(fillvalue, int | float) and fillvalue == 0):
        return _convolved(in1, in2, mode, "direct", None, "convolve2d")
    around = [(n - 1, n - 1) for n in in2.shape]
    fill = {"constant_values": fillvalue} if boundary == "fill" else {}
    padded: Any = np.pad(in1, around, _PADS[boundary], **fill)  # type: ignore[call-overload]
    full = _convolved(padded, in2, "full", "direct", None, "convolve2d")
    full = full[tuple(slice(n - 1, n - 1 + m + n - 1) for m, n in zip(in1.shape, in2.shape, strict=True))]
    return _same(full, in1.shape) if mode == "same" else full


# ------------------------------------------------------------------------------------------------------------- filters


def _recursion_rule(g: Any, a: Any, y: Any, axis: int, needs: Any) -> Any:
    """Compute W̄ by the same recursion backwards in time, and āₖ = −Σ w̄[n] y[n − k]."""
    w = np.flip(_recursion(a, np.flip(g, axis), axis=axis), axis)
    if not needs[0]:
        return None, w
    n = y.shape[axis]
    w, moved = np.moveaxis(w, axis, -1), np.moveaxis(y, axis, -1)
    rows = [-np.sum(w[..., k:] * moved[..., : max(n - k, 0)]) for k in range(1, a.shape[0])]
    return np.stack([np.zeros((), y.dtype), *rows]), np.moveaxis(w, -1, axis)


def _recursion_samples(rng: np.random.Generator) -> Samples:
    a = np.concatenate([[1.0], rng.uniform(-0.4, 0.4, 2)])
    for w, axis in ((rng.uniform(-1, 1, 6), 0), (rng.uniform(-1, 1, (2, 5)), 1)):
        yield (a, w), {"axis": axis}


_recursion: Any = declare(
    "signal",
    "lfilter",
    lambda a, w, axis=-1: float_like(sp.lfilter([1.0], [1.0, *a[1:]], w, axis=axis), a, w),
    vjp=_recursion_rule,
    domain=_recursion_samples,
)


def lfilter(b: Any, a: Any, x: Any, axis: int = -1) -> Any:
    """Filter x: a[0] y[n] = Σ b[k] x[n − k] − Σ a[k] y[n − k], along ``axis``, from rest."""
    b, a, x = np.atleast_1d(as_array(b)), np.atleast_1d(as_array(a)), as_array(x)
    axis = axis % x.ndim
    kernel = np.reshape(b / a[0], tuple(-1 if i == axis else 1 for i in range(x.ndim)))
    w = fftconvolve(x, kernel, axes=axis) if x.ndim > 1 else convolve(x, kernel, method="direct")
    taken = tuple(slice(x.shape[axis]) if i == axis else slice(None) for i in range(x.ndim))
    return _recursion(a / a[0], w[taken], axis=axis)


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.signal``, for plain arrays."""
    return without_rule("signal", name)
