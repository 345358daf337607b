"""``np.fft``: transforms are linear, and the gradient of each is another one, with the other direction's scale.

In PyTorch's convention g goes back through the conjugate transpose: that of ``fft`` is ``ifft`` without its 1/n, so
``norm`` changes sides ("backward" and "forward"); numbers that were cut off or padded with zeros get zeros or are cut.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from operator import index
from typing import Any

import numpy as np

from autograd import lanes
from autograd.errors import DTypeError, ShapeError
from autograd.ops.axes import Axis, as_array, cases, conjugated, no_out
from autograd.primitive import implements, op

_OTHER: dict[Any, Any] = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _resized(z: Any, shape: tuple[int, ...]) -> Any:
    """Cut what is longer than ``shape``, and pad what is shorter with zeros, at the end of each axis."""
    z = z[tuple([slice(n) for n in shape])] if any(n < m for n, m in zip(shape, z.shape, strict=True)) else z
    return z if z.shape == shape else np.pad(z, [(0, n - m) for n, m in zip(shape, z.shape, strict=True)])


# --------------------------------------------------------------------------------------------------- along one axis


def _rfft_forward(a: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    if np.iscomplexobj(a):
        raise DTypeError("rfft takes real numbers: the imaginary parts would be lost. Use np.fft.fft, or a.real.")
    return np.fft.rfft(a, n, axis, norm)


def _weighted(z: Any, n: int, axis: int, weight: float) -> Any:
    """Multiply the frequencies that stand for their conjugates as well: all but 0 and, for even ``n``, the last."""
    weights = np.full(z.shape[axis], weight)
    weights[0] = 1.0
    if n % 2 == 0:
        weights[n // 2 :] = 1.0
    shape = [1] * z.ndim
    shape[axis] = z.shape[axis]
    return z * weights.astype(z.real.dtype).reshape(shape)


def _rfft_rule(g: Any, shapes: Any, n: Any, axis: int, norm: Any) -> Any:
    n = shapes[0][axis] if n is None else n
    return _resized(np.fft.irfft(_weighted(g, n, axis, 0.5), n, axis, _OTHER[norm]), shapes[0])


def _irfft_rule(g: Any, shapes: Any, axis: int, norm: Any) -> Any:
    return _resized(_weighted(np.fft.rfft(g, None, axis, _OTHER[norm]), g.shape[axis], axis, 2.0), shapes[0])


def _inverse(back: Any) -> Any:
    return lambda g, shapes, axis, norm: _resized(back(g, None, axis, _OTHER[norm]), shapes[0])


_fft = op(
    lambda a, n=None, axis=-1, norm=None: np.fft.fft(a, n, axis, norm),
    name="fft",
    vjp=_inverse(np.fft.ifft),
    holomorphic=False,
    linear=True,
    batch=lanes.along_axis,
)
_ifft = op(
    lambda a, n=None, axis=-1, norm=None: np.fft.ifft(a, n, axis, norm),
    name="ifft",
    vjp=_inverse(np.fft.fft),
    holomorphic=False,
    linear=True,
    batch=lanes.along_axis,
)
_rfft = op(_rfft_forward, name="rfft", vjp=_rfft_rule, holomorphic=False, linear=True, batch=lanes.along_axis)
_irfft = op(
    lambda a, n=None, axis=-1, norm=None: np.fft.irfft(a, n, axis, norm),
    name="irfft",
    vjp=_irfft_rule,
    holomorphic=False,
    linear=True,
    batch=lanes.along_axis,
)

_LINES = cases(
    ((5,), {}), ((3, 4), 6, 0), ((2, 4), {"n": 3, "norm": "ortho"}), ((3, 2), {"axis": 0, "norm": "forward"})
)


@implements(np.fft.fft, domain=_LINES)
def fft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Compute the frequencies of a signal, Σ aₘ exp(-2πi mk / n)."""
    no_out("fft.fft", out)
    return _fft(a, n=n, axis=axis, norm=norm)


@implements(np.fft.ifft, domain=_LINES)
def ifft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Undo ``fft``."""
    no_out("fft.ifft", out)
    return _ifft(a, n=n, axis=axis, norm=norm)


@implements(np.fft.rfft, domain=_LINES)
def rfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Compute the frequencies of a real signal: the first half, as the others are their conjugates.

    >>> import autograd as ag
    >>> ag.grad(lambda x: (abs(np.fft.rfft(x)) ** 2).sum())(np.array([1.0, 2.0, 3.0]))
    array([ 9., 12., 15.])
    """
    no_out("fft.rfft", out)
    return _rfft(a, n=n, axis=axis, norm=norm)


@implements(np.fft.irfft, domain=_LINES)
def irfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Undo ``rfft``: the real signal of ``n`` numbers that has these frequencies."""
    no_out("fft.irfft", out)
    return _irfft(a, n=n, axis=axis, norm=norm)


@implements(np.fft.hfft, domain=_LINES)
def hfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Transform half of a Hermitian signal into its real spectrum."""
    no_out("fft.hfft", out)
    return irfft(conjugated(a), n=n, axis=axis, norm=_OTHER[norm])


@implements(np.fft.ihfft, domain=_LINES)
def ihfft(a: Any, n: Any = None, axis: int = -1, norm: Any = None, out: Any = None) -> Any:
    """Undo ``hfft``: half of the Hermitian signal that has a real spectrum."""
    no_out("fft.ihfft", out)
    return np.conjugate(rfft(a, n=n, axis=axis, norm=_OTHER[norm]))


# ------------------------------------------------------------------------------------------------ along several axes


def _steps(a: Any, s: Any, axes: Any, *, half: bool = False) -> list[tuple[Any, int]]:
    """List length and axis of each transform, the last one first; -1 stands for the length that is there."""
    if axes is None:
        axes = range(-(a.ndim if s is None else len(s)), 0)
    axes = [index(axis) for axis in axes]
    if s is None:
        lengths: list[Any] = [a.shape[axis] for axis in axes]
        if half and axes:
            lengths[-1] = 2 * (lengths[-1] - 1)
    else:
        lengths = [a.shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=False)]
    if not axes or len(lengths) != len(axes) or (s is not None and len(s) != len(axes)):
        raise ShapeError(f"fft: s={s} and axes={axes} must name one length for each axis, and at least one.")
    return list(zip(lengths, axes, strict=True))[::-1]


def _each(transform: Any, a: Any, steps: Any, norm: Any) -> Any:
    for n, axis in steps:
        a = transform(a, n=n, axis=axis, norm=norm)
    return a


def _several(name: str, default: Any) -> Any:
    """Declare a transform along several axes: one after the other, the real one last in ``axes``."""
    whole = fft if name in ("fft", "rfft") else ifft

    def transform(a: Any, s: Any = None, axes: Any = default, norm: Any = None, out: Any = None) -> Any:
        no_out(f"fft.{transform.__name__}", out)
        a = as_array(a)
        last, *others = steps = _steps(a, s, axes, half=name == "irfft")
        if name == "rfft":
            return _each(fft, rfft(a, n=last[0], axis=last[1], norm=norm), others, norm)
        if name == "irfft":
            return irfft(_each(ifft, a, others[::-1], norm), n=last[0], axis=last[1], norm=norm)
        return _each(whole, a, steps, norm)

    transform.__name__ = transform.__qualname__ = name + ("n" if default is None else "2")
    transform.__doc__ = f"Apply ``{name}`` along several axes."
    return implements(getattr(np.fft, transform.__name__), domain=_PLANES)(transform)


_PLANES = cases(
    ((2, 3), {}),
    ((2, 3, 2), {"s": (3, 2), "axes": (0, -1)}),
    ((2, 4, 3), {"s": (-1, 3), "axes": (1, 2), "norm": "ortho"}),
)

fft2, ifft2, rfft2, irfft2 = (_several(name, (-2, -1)) for name in ("fft", "ifft", "rfft", "irfft"))
fftn, ifftn, rfftn, irfftn = (_several(name, None) for name in ("fft", "ifft", "rfft", "irfft"))


# --------------------------------------------------------------------------------------------------------- shifts

_SHIFTS = cases(((5,), {}), ((3, 4), {}), ((3, 4), {"axes": 1}), ((2, 3, 5), {"axes": (0, -1)}))


def _rolled(x: Any, axes: Axis, sign: int) -> Any:
    x = as_array(x)
    chosen = tuple(range(x.ndim)) if axes is None else axes if isinstance(axes, tuple | list) else (axes,)
    shifts = [sign * (x.shape[i] // 2) for i in chosen]
    return np.roll(x, tuple(shifts), tuple(chosen))


@implements(np.fft.fftshift, domain=_SHIFTS)
def fftshift(x: Any, axes: Axis = None) -> Any:
    """Move the frequency 0 to the middle of each axis."""
    return _rolled(x, axes, 1)


@implements(np.fft.ifftshift, domain=_SHIFTS)
def ifftshift(x: Any, axes: Axis = None) -> Any:
    """Undo ``fftshift``."""
    return _rolled(x, axes, -1)
