"""Batching rules: one op on many examples at once, with the axis of the examples (the lanes) in front.

A rule gets a :class:`Call` and the keywords of the op, and gives what the op would give for each example, stacked, or
None where it does not know how: then the examples are computed one after the other. Elementwise ops need no rule.
Floor 7: used where ops are declared (``batch=``), by forward mode and by ``vmap``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.box import Box

Shape = tuple[int, ...]
BatchRule = Callable[..., Any]


class Call:
    """Hold one application of an op to ``size`` examples: ``batched[i]`` tells whether input ``i`` has lanes in front.

    ``shapes`` are those of the inputs for one example, ``outs`` those of the outputs. ``run`` applies the op itself.
    """

    __slots__ = ("batched", "inputs", "outs", "run", "shapes", "size")

    def __init__(
        self, run: Any, inputs: Sequence[Any], batched: Sequence[bool], shapes: Any, outs: Sequence[Shape], size: int
    ) -> None:
        self.run, self.inputs, self.batched = run, list(inputs), list(batched)
        self.shapes, self.outs, self.size = list(shapes), list(outs), size

    def aligned(self, ndim: int) -> list[Any]:
        """Return the inputs with axes of length 1 behind the lanes, so that they broadcast as the examples do."""
        return [
            np.reshape(x, (self.size, *(1,) * (ndim - len(shape)), *shape)) if own and len(shape) < ndim else x
            for x, own, shape in zip(self.inputs, self.batched, self.shapes, strict=True)
        ]

    def spread(self) -> list[Any]:
        """Return the inputs so that all have lanes."""
        return [
            x if own else np.broadcast_to(x, (self.size, *shape))
            for x, own, shape in zip(self.inputs, self.batched, self.shapes, strict=True)
        ]


class Own:
    """Mark an array among the keywords that has lanes in front."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array = array


_LISTS = (np.ndarray, list, Box, Own)


def _holds_own(x: Any) -> bool:
    return any(map(_holds_own, x)) if isinstance(x, tuple | list) else isinstance(x, Own)


def batch(op: Any, call: Call, kwargs: dict[str, Any]) -> Any:
    """Apply an op to all lanes by its rule, or return None."""
    rule, own = op.batch, [name for name, value in kwargs.items() if _holds_own(value)]
    if own and rule is not None and rule not in TAKES_OWN:
        return None
    if rule is not None:
        y = rule(call, **kwargs)
    elif op.elementwise and len(call.outs) == 1:
        ndim = len(call.outs[0])
        for name in own:
            x = getattr(kwargs[name], "array", None)
            if x is None:
                return None
            kwargs = {**kwargs, name: np.reshape(x, (call.size, *(1,) * (ndim - np.ndim(x) + 1), *np.shape(x)[1:]))}
        try:
            y = call.run(*call.aligned(ndim), **kwargs)
        except ValueError:  # a forward asks a keyword, which is a number in each example, whether it is positive
            if not own:
                raise
            return None
    else:
        return None
    if y is None:
        return None
    if y.__class__ is np.ndarray and len(call.outs) == 1:
        return y if y.shape == (call.size, *call.outs[0]) else None
    parts = y if isinstance(y, tuple) else (y,)
    right = len(parts) == len(call.outs) and all(
        np.shape(part) == (call.size, *shape) for part, shape in zip(parts, call.outs, strict=True)
    )
    return y if right else None


# ----------------------------------------------------------------------------------------------------- rules for axes


def shifted(axis: Any, ndim: int) -> Any:
    """Return where axes stand behind the lanes."""
    if isinstance(axis, tuple | list):
        return tuple([i % ndim + 1 for i in axis])
    return axis % ndim + 1


def along(*names: str, whole: bool = False, new: int = 0) -> BatchRule:
    """Make the rule of an op of one input that works along axes, the keywords ``names``.

    ``whole`` says that None means all axes; ``new`` axes stand in the result beside those of the input, and count.
    """

    def rule(call: Call, **kwargs: Any) -> Any:
        (shape,), x = call.shapes, call.inputs[0]
        ndim = len(shape) + new
        for name in names:
            axis = kwargs[name]
            if axis is None and whole:
                kwargs[name] = tuple(range(1, ndim + 1))
            elif axis is None and ndim == 1:
                kwargs[name] = 1
            elif axis is None or not (ndim or axis == ()):
                return None
            else:
                kwargs[name] = shifted(axis, ndim)
        return call.run(x, **kwargs)

    return rule


along_axis, over_axis = along("axis"), along("axis", whole=True)


def stacked(call: Call, **kwargs: Any) -> Any:
    """Apply an op that works on the last axes of one input, and takes stacks."""
    return call.run(call.inputs[0], **kwargs)


def reshaped(call: Call, order: Any = "C", **_: Any) -> Any:
    """Keep the lanes, and give the rest its new shape."""
    return np.reshape(call.inputs[0], (call.size, *call.outs[0])) if order == "C" else None


def transposed(call: Call, axes: Any = None) -> Any:
    """Permute the axes behind the lanes."""
    ndim = len(call.shapes[0])
    axes = tuple(range(ndim))[::-1] if axes is None else axes
    return call.run(call.inputs[0], axes=(0, *[axis % ndim + 1 for axis in axes]))


def broadcast(call: Call, shape: Any = None) -> Any:
    """Repeat behind the lanes."""
    return np.broadcast_to(call.aligned(len(call.outs[0]))[0], (call.size, *call.outs[0]))


def tiled(call: Call, reps: Any = ()) -> Any:
    """Repeat whole examples."""
    ndim = len(call.outs[0])
    return call.run(call.aligned(ndim)[0], reps=(1, *(1,) * (ndim - len(reps)), *reps))


def joined(new: int) -> BatchRule:
    """Make the rule of what joins inputs along an axis; ``new`` is 1 where that axis is a new one."""

    def rule(call: Call, axis: Any = 0, **kwargs: Any) -> Any:
        return call.run(*call.spread(), axis=shifted(axis, len(call.shapes[0]) + new), **kwargs)

    return rule


def leading(call: Call, **kwargs: Any) -> Any:
    """Broadcast along all axes but the last ones, which belong together."""
    return call.run(*call.aligned(max(map(len, call.shapes))), **kwargs)


def on_shape(*names: str) -> BatchRule:
    """Make the rule of an op with axes as keywords and ``shape``, the shape of its result."""

    def rule(call: Call, shape: Any = (), **kwargs: Any) -> Any:
        moved = {name: shifted(axis, len(shape)) if name in names else axis for name, axis in kwargs.items()}
        return call.run(call.inputs[0], shape=(call.size, *shape), **moved)

    return rule


# ----------------------------------------------------------------------------------------------- products of matrices


def product(call: Call) -> Any:
    """Multiply matrices, vectors and stacks: one large product where one side is the same for all lanes."""
    (a, b), (of_a, of_b), (shape_a, shape_b) = call.inputs, call.batched, call.shapes
    if not of_b and len(shape_b) <= 2:
        return call.run(a, b)
    if not of_a and len(shape_a) <= 2:
        if len(shape_b) == 1:
            return call.run(b, a if len(shape_a) == 1 else np.transpose(a))
        if len(shape_b) == 2:
            return call.run(a, b)
    ndim = max(2, len(shape_a), len(shape_b))
    left = _matrix(a, of_a, (1, *shape_a) if len(shape_a) == 1 else shape_a, ndim, call.size)
    right = _matrix(b, of_b, (*shape_b, 1) if len(shape_b) == 1 else shape_b, ndim, call.size)
    return np.reshape(call.run(left, right), (call.size, *call.outs[0]))


def _matrix(x: Any, own: bool, shape: Shape, ndim: int, size: int) -> Any:
    return np.reshape(x, (*((size,) if own else ()), *(1,) * (ndim - len(shape) if own else 0), *shape))


def contraction(call: Call, subscripts: str) -> Any:
    """Give the lanes a letter of their own."""
    letter = next(each for each in "zyxwvutsrqponmlkjihgfedcbaABCDEFGHIJKLMNOPQRSTUVWXYZ" if each not in subscripts)
    ins, out = subscripts.split("->")
    parts = [letter + part if own else part for part, own in zip(ins.split(","), call.batched, strict=True)]
    return call.run(*call.inputs, subscripts=f"{','.join(parts)}->{letter}{out}")


def solved(call: Call) -> Any:
    """Solve with stacks of matrices; a vector becomes a matrix of one column."""
    (a, b), (of_a, of_b), (shape_a, shape_b) = call.inputs, call.batched, call.shapes
    ndim = max(2, len(shape_a), len(shape_b))
    left = _matrix(a, of_a, shape_a, ndim, call.size)
    right = _matrix(b, of_b, (*shape_b, 1) if len(shape_b) == 1 else shape_b, ndim, call.size)
    return np.reshape(call.run(left, right), (call.size, *call.outs[0]))


# -------------------------------------------------------------------------------------------------------------- index


def _behind(index: Any, size: int) -> tuple[Any, int]:
    """Return the index of all lanes, and how many axes NumPy puts in front of those that belong to the lanes' own.

    (None, 0) where there is none. Lists of places that differ from lane to lane stand beside the numbers of the lanes.
    """
    parts = index if isinstance(index, tuple) else (index,)
    lists = [isinstance(part, _LISTS) for part in parts]
    if True not in lists:
        return (slice(None), *parts), 0
    places = [i for i, part in enumerate(parts) if lists[i] or isinstance(part, int | np.integer)]
    together = places == list(range(places[0], places[-1] + 1))
    if together and not any(isinstance(part, Own) for part in parts):
        return (slice(None), *parts), 0
    arrays = [parts[i].array if isinstance(parts[i], Own) else parts[i] for i in places]
    if any(getattr(getattr(x, "dtype", None), "kind", "") == "b" for x in arrays):
        return None, 0
    shapes = [x.shape[1:] if isinstance(parts[i], Own) else np.shape(x) for i, x in zip(places, arrays, strict=True)]
    ndim = max(map(len, shapes))
    moved = list(parts)
    for i, x, shape in zip(places, arrays, shapes, strict=True):
        if isinstance(parts[i], Own):
            moved[i] = np.reshape(x, (size, *(1,) * (ndim - len(shape)), *shape))
    before = sum(part is not None for part in parts[: places[0]]) + sum(part is None for part in parts[: places[0]])
    return (np.arange(size).reshape(-1, *(1,) * ndim), *moved), before if together else 0


def read(call: Call, index: Any = (), **kwargs: Any) -> Any:
    """Read in all lanes, at the same places or at others in each."""
    moved, before = _behind(index, call.size)
    if moved is None or (before and Ellipsis in [part for part in moved if part.__class__ is type(Ellipsis)]):
        return None
    if not call.batched[0]:  # the places alone differ
        moved = moved[1:]
    y = call.inputs[0][moved]
    if not before:
        return y
    places = next(np.ndim(part) for part in moved if np.ndim(part))
    lists = range(1, places)  # the axes of the places stand in front: those before them belong there
    return np.moveaxis(y, list(lists), [axis + before for axis in lists])


def scattered(call: Call, shape: Any = (), index: Any = (), **kwargs: Any) -> Any:
    """Add into zeros at the same places in all lanes, or at others in each."""
    moved, before = _behind(index, call.size)
    if moved is None or before:
        return None
    (g,) = call.spread()
    return call.run(g, shape=(call.size, *shape), index=_frozen(moved), **kwargs)


def written(call: Call, index: Any = ()) -> Any:
    """Write to the same places in all lanes, or to others in each."""
    moved, before = _behind(index, call.size)
    if moved is None or before:
        return None
    x, v = call.spread()
    ndim = np.empty((call.size, *call.shapes[0]), bool)[tuple(map(_unread, moved))].ndim - 1
    shape = call.shapes[1]
    if len(shape) > ndim:  # NumPy ignores leading axes of length 1
        shape = shape[len(shape) - ndim :]
    return call.run(x, np.reshape(v, (call.size, *(1,) * (ndim - len(shape)), *shape)), index=_frozen(moved))


def _unread(part: Any) -> Any:
    """Return what selects as many axes: the places in a Tensor that is traced cannot be read."""
    return np.zeros(part._array.shape, part._array.dtype) if isinstance(part, Box) else part


TAKES_OWN = (read, scattered, written)


def _frozen(index: Any) -> Any:
    for part in index:
        if isinstance(part, np.ndarray):
            part.flags.writeable = False
    return index


# --------------------------------------------------------------------------------------------------- one by one


def loop(run: Callable[[int], Any], size: int, outs: Sequence[Any]) -> Any:
    """Compute lane after lane and stack the results; of no lane at all shapes and dtypes are those of ``outs``."""
    found = [run(i) for i in range(size)]
    if not found:
        made = tuple([np.zeros((0, *shape), dtype) for shape, dtype in outs])
        return made if len(outs) > 1 else made[0]
    if isinstance(found[0], tuple):
        return tuple([_stack([y[k] for y in found]) for k in range(len(found[0]))])
    return _stack(found)


def _stack(parts: list[Any]) -> Any:
    return np.stack(parts) if any(isinstance(part, Box) for part in parts) else np.stack([*map(np.asarray, parts)])
