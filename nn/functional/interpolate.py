"""Enlarging and shrinking images and sequences: by the nearest element, or linearly between neighbours."""

import math
from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from nn.functional.checks import as_input, place, wrong_shape
from nn.functional.windows import Array

_MODES = {"nearest": (1, 2), "linear": (1,), "bilinear": (2,)}  # and for how many axes behind the channels
_SIZES = {1: "(N, C, L)", 2: "(N, C, H, W)"}


def interpolate(
    input: Any, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Any:
    """Bring the axes behind the channels to ``size``, or to ``scale_factor`` times their lengths, rounded down.

    x: (N, C, L) or (N, C, H, W). ``mode`` is "nearest", "linear" (three axes) or "bilinear" (four); the last two read
    at (i + ½)/scale − ½, or with ``align_corners`` at i·(n − 1)/(size − 1), which keeps the ends where they are. Raises
    ArgumentError unless one of ``size`` and ``scale_factor`` is given, ShapeError where x does not fit the mode.

    >>> import numpy as np, nn
    >>> nn.functional.interpolate(np.array([[[0.0, 4.0]]]), scale_factor=2, mode="linear").tolist()
    [[[0.0, 1.0, 3.0, 4.0]]]
    """
    return resize("interpolate", input, size, scale_factor, mode, align_corners)


def resize(name: str, input: Any, size: Any, scale_factor: Any, mode: str, align_corners: bool | None) -> Any:
    """Do what :func:`interpolate` says, under the name that messages shall bear."""
    x = as_input(input)
    if mode not in _MODES:
        raise ArgumentError(f"{place(name)}: mode must be one of {', '.join(map(repr, _MODES))}, got {mode!r}.")
    axes = x.ndim - 2
    if axes not in _MODES[mode]:
        raise wrong_shape(name, x, f"for mode={mode!r} it must be {' or '.join(_SIZES[n] for n in _MODES[mode])}.")
    if align_corners is not None and mode == "nearest":
        raise ArgumentError(f"{place(name)}: align_corners is for the modes 'linear' and 'bilinear'; leave it out.")
    if 0 in x.shape[2:]:
        raise wrong_shape(name, x, "there must be something to read.")
    for axis, (target, scale) in enumerate(_targets(place(name), x.shape[2:], size, scale_factor), start=2):
        if mode == "nearest":
            x = _take(x, axis, _nearest(x.shape[axis], target, scale, axes))
        elif target != x.shape[axis]:  # an axis that keeps its length is left alone, whatever was rounded down
            x = _between(x, axis, target, scale, bool(align_corners))
    return x


def _targets(name: str, lengths: Any, size: Any, scale_factor: Any) -> list[tuple[int, float]]:
    """Return the length of each axis in the output, and by how much one step there is a step in the input."""
    if (size is None) == (scale_factor is None):
        raise ArgumentError(f"{name}: pass size or scale_factor, and not both.")
    given = scale_factor if size is None else size
    values = tuple(given) if isinstance(given, tuple | list) else (given,) * len(lengths)
    kinds: Any = (int, np.integer) if size is not None else (int, float, np.integer, np.floating)
    if len(values) != len(lengths) or not all(isinstance(v, kinds) and v > 0 and math.isfinite(v) for v in values):
        what = "size must be a positive int" if size is not None else "scale_factor must be a positive number"
        raise ArgumentError(f"{name}: {what}, or one for each of the {len(lengths)} axes, got {given!r}.")
    if size is not None:
        return [(int(v), n / v) for v, n in zip(values, lengths, strict=True)]
    targets = [(math.floor(n * v), 1 / v) for v, n in zip(values, lengths, strict=True)]
    if any(target < 1 for target, _ in targets):
        raise ArgumentError(f"{name}: scale_factor {scale_factor} leaves nothing of the lengths {tuple(lengths)}.")
    return targets


def _take(x: Any, axis: int, index: Array) -> Any:
    """Read along an axis; where each element is read k times in its place, that is a repeat, which is faster."""
    k, rest = divmod(len(index), x.shape[axis])
    if not rest and np.array_equal(index, np.arange(len(index)) // k):
        return x if k == 1 else np.repeat(x, k, axis)
    return x[(slice(None),) * axis + (index,)]


def _nearest(n: int, target: int, scale: float, axes: int) -> Array:
    """Return ⌊i·scale⌋ in float32, as PyTorch does, which keeps or doubles images whatever was rounded."""
    if axes == 2 and target in (n, 2 * n):
        return np.arange(target) // (target // n)
    index: Array = np.floor(np.arange(target, dtype=np.float32) * np.float32(scale)).astype(np.intp)
    return index.clip(max=n - 1)


def _between(x: Any, axis: int, target: int, scale: float, corners: bool) -> Any:
    """Read between two neighbours, with the weights 1 − λ and λ."""
    n, steps = x.shape[axis], np.arange(target)
    at = steps * ((n - 1) / max(1, target - 1)) if corners else np.maximum((steps + 0.5) * scale - 0.5, 0)
    low = np.minimum(at.astype(np.intp), n - 1)
    share = np.asarray(np.minimum(at - low, 1), x.dtype).reshape(-1, *(1,) * (x.ndim - axis - 1))
    return _take(x, axis, low) * (1 - share) + _take(x, axis, np.minimum(low + 1, n - 1)) * share
