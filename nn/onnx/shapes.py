"""How ops on shapes and indexing are said in ONNX."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from nn.onnx.graph import Graph, Translation
from nn.onnx.lengths import Size
from nn.onnx.plan import Item, Step

# --------------------------------------------------------------------------------------------------------------- shapes


def _reshape(g: Graph, s: Step) -> Any:
    if s.kwargs["order"] != "C":
        g.refuse(f"order={s.kwargs['order']!r} has no translation; transpose and use the order C")
    return g.reshape(g.tensor(s.inputs[0]), s.outputs[0].shape)


def _squeeze(g: Graph, s: Step) -> Any:
    shape, axis = s.inputs[0].shape, s.kwargs["axis"]
    axes = (
        [int(a) % len(shape) for a in np.atleast_1d(axis)]
        if axis is not None
        else np.flatnonzero([n == 1 for n in shape])
    )
    axes = list(axes)
    return g.node("Squeeze", s.inputs[0], np.asarray(axes, np.int64)) if axes else g.node("Identity", s.inputs[0])


def _expand_dims(g: Graph, s: Step) -> Any:
    axes = [int(a) % len(s.outputs[0].shape) for a in np.atleast_1d(s.kwargs["axis"])]
    return g.node("Unsqueeze", s.inputs[0], np.asarray(axes, np.int64))


def _transpose(g: Graph, s: Step) -> Any:
    n, axes = len(s.inputs[0].shape), s.kwargs["axes"]
    axes = range(n - 1, -1, -1) if axes is None else axes
    return g.node("Transpose", s.inputs[0], perm=[int(a) % n for a in axes])


def _flip(g: Graph, s: Step) -> Any:
    ndim, axis = len(s.inputs[0].shape), s.kwargs["axis"]
    axes = list(range(ndim)) if axis is None else [int(a) % ndim for a in np.atleast_1d(axis)]
    start, stop, step = (np.full(len(axes), value, np.int64) for value in (-1, np.iinfo(np.int64).min, -1))
    return g.node("Slice", s.inputs[0], start, stop, np.asarray(axes, np.int64), step)


def _roll(g: Graph, s: Step) -> Any:
    """Cut each axis in two and put the last piece first."""
    x, axis = g.tensor(s.inputs[0]), s.kwargs["axis"]
    if axis is None:
        x = g.node("Reshape", x, np.asarray([-1], np.int64))
    pairs = zip(np.atleast_1d(s.kwargs["shift"]), np.atleast_1d(0 if axis is None else axis), strict=False)
    for shift, a in pairs:
        n = s.inputs[0].shape[a] if axis is not None else math.prod(s.inputs[0].shape)
        if isinstance(n, Size):
            g.refuse("rolling along an axis whose length varies has no translation")
        cut, at = (-int(shift)) % n, np.asarray([a], np.int64)
        pieces = [g.node("Slice", x, np.asarray([low]), np.asarray([high]), at) for low, high in ((cut, n), (0, cut))]
        x = g.node("Concat", *pieces, axis=int(a))
    return g.node("Reshape", x, g.ints(s.outputs[0].shape)) if axis is None else x


def _tile(g: Graph, s: Step) -> Any:
    reps, shape, ndim = s.kwargs["reps"], s.inputs[0].shape, len(s.outputs[0].shape)
    x = g.reshape(g.tensor(s.inputs[0]), (1,) * (ndim - len(shape)) + shape) if len(shape) < ndim else s.inputs[0]
    return g.node("Tile", x, g.ints((1,) * (ndim - len(reps)) + tuple(reps)))


def _repeat(g: Graph, s: Step) -> Any:
    """Give each element an axis of its own, repeat along that, and merge."""
    axis, times, shape = s.kwargs["axis"], s.kwargs["repeats"], s.inputs[0].shape
    at = len(shape) if axis is None else int(axis) % len(shape) + 1
    x = g.node("Unsqueeze", s.inputs[0], np.asarray([at], np.int64))
    x = g.node("Tile", x, g.ints([times if i == at else 1 for i in range(len(shape) + 1)]))
    return g.reshape(x, s.outputs[0].shape)


def _pad(g: Graph, s: Step) -> Any:
    widths, dtype = s.kwargs["widths"], s.outputs[0].dtype
    pads = g.ints([before for before, _ in widths] + [after for _, after in widths])
    return g.node("Pad", s.inputs[0], pads, np.asarray(s.kwargs["constant_values"], dtype))


def _triangle(g: Graph, s: Step) -> Any:
    x = s.inputs[0]
    if len(x.shape) == 1:  # NumPy makes a square of a row of numbers first
        x = g.node("Expand", x, g.ints(s.outputs[0].shape))
    return g.node("Trilu", x, np.asarray(s.kwargs["k"], np.int64), upper=int(s.op == "triu"))


def _joined(g: Graph, s: Step) -> list[str]:
    return [g.tensor(x, s.outputs[0].dtype) for x in s.inputs]


def _stack(g: Graph, s: Step) -> Any:
    axis = int(s.kwargs["axis"]) % len(s.outputs[0].shape)
    return g.node("Concat", *[g.node("Unsqueeze", x, np.asarray([axis], np.int64)) for x in _joined(g, s)], axis=axis)


def _split(g: Graph, s: Step) -> Any:
    bounds, at = s.kwargs["bounds"], np.asarray([s.kwargs["axis"]], np.int64)
    x = g.tensor(s.inputs[0])
    return tuple(g.node("Slice", x, g.ints([low]), g.ints([high]), at) for low, high in pairwise(bounds))


def _unstack(g: Graph, s: Step) -> Any:
    x, axis = g.tensor(s.inputs[0]), int(s.kwargs["axis"])
    return tuple(g.node("Gather", x, np.asarray(i, np.int64), axis=axis) for i in range(len(s.outputs)))


# ------------------------------------------------------------------------------------------------------------- indexing


def _getitem(g: Graph, s: Step) -> Any:
    """Slice by ranges, gather by single numbers and arrays, and add the axes of None."""
    index, ndim = s.kwargs["index"], len(s.inputs[0].shape)
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(part, Item) for part in parts):
        return _gather_computed(g, s, parts)
    named = sum(part is not None and part is not Ellipsis for part in parts)
    if Ellipsis not in [part for part in parts if not isinstance(part, np.ndarray)]:
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    parts[at : at + 1] = [slice(None)] * (ndim - named)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    mixed = bool(arrays) and any(isinstance(part, int) for part in parts)
    if mixed or len(arrays) > 1 or any(part.dtype.kind == "b" for part in arrays):
        return _gather_all(g, s, parts)
    axes = [part for part in parts if part is not None]
    x = _slices(g, g.tensor(s.inputs[0]), axes)
    for axis in reversed(range(ndim)):
        if isinstance(axes[axis], int | np.ndarray):
            x = g.node("Gather", x, np.asarray(axes[axis], np.int64), axis=axis)
    added, at = [], 0  # where the axes of None stand in the result
    for part in parts:
        if part is None:
            added.append(at)
        at += part.ndim if isinstance(part, np.ndarray) else not isinstance(part, int)
    return g.node("Unsqueeze", x, np.asarray(added, np.int64)) if added else x


def _gather_computed(g: Graph, s: Step, parts: list[Any]) -> Any:
    """Read rows by an index that the model computes."""
    if len(parts) > 1 or parts[0].dtype.kind not in "iu":
        g.refuse("an index that is computed has a translation where it chooses rows, by integers: x[i]")
    return g.node("Gather", s.inputs[0], g.tensor(parts[0], np.int64), axis=0)


def _slices(g: Graph, x: str, parts: list[Any]) -> str:
    """Cut the axes of which a range is taken."""
    cuts = []
    for axis, part in enumerate(parts):
        if isinstance(part, Size):
            g.refuse(f"the index {part} depends on lengths that vary; index from the end, such as x[-1]")
        if isinstance(part, slice) and part != slice(None):
            step = 1 if part.step is None else part.step
            low, high = (0, np.iinfo(np.int64).max) if step > 0 else (-1, np.iinfo(np.int64).min)
            start, stop = low if part.start is None else part.start, high if part.stop is None else part.stop
            cuts.append((axis, start, stop, step))
    if not cuts:
        return x
    axes, starts, stops, steps = zip(*cuts, strict=True)
    return str(g.node("Slice", x, g.ints(starts), g.ints(stops), g.ints(axes), g.ints(steps)))


def _gather_all(g: Graph, s: Step, parts: list[Any]) -> Any:
    """Read by integer arrays for the first axes."""
    arrays = [part for part in parts if not (isinstance(part, slice) and part == slice(None))]
    leading = parts[: len(arrays)]
    if not all(isinstance(part, np.ndarray | int) and np.asarray(part).dtype.kind == "i" for part in leading):
        g.refuse("this mix of index arrays has no translation; index one axis after the other, or use np.where")
    grid = np.stack(np.broadcast_arrays(*[np.asarray(part, np.int64) for part in leading]), axis=-1)
    return g.node("GatherND", s.inputs[0], grid)


SHAPES: dict[str, Translation] = {
    "reshape": _reshape,
    "ravel": _reshape,
    "squeeze": _squeeze,
    "expand_dims": _expand_dims,
    "transpose": _transpose,
    "flip": _flip,
    "roll": _roll,
    "tile": _tile,
    "repeat": _repeat,
    "pad": _pad,
    "tril": _triangle,
    "triu": _triangle,
    "stack": _stack,
    "split": _split,
    "unstack": _unstack,
    "broadcast_to": lambda g, s: g.node("Expand", s.inputs[0], g.ints(s.outputs[0].shape)),
    "concatenate": lambda g, s: g.node("Concat", *_joined(g, s), axis=int(s.kwargs["axis"])),
    "getitem": _getitem,
    "gather": _getitem,
}
