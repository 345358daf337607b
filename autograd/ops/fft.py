"""``np.fft``: what needs no complex numbers."""

from typing import Any

import numpy as np

from autograd.ops.axes import Axis, as_array, cases
from autograd.primitive import implements

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
