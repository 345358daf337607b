"""What a program is made of: values, and the steps that compute them.

A :class:`Value` is a name for an array that is computed anew at each call; anything else among the inputs of a step is
a constant.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.ops.indices import as_tuple

_NESTED = (tuple, list, dict, slice)
INPUT, CLOSED, ARRAY, RESULT, NOTHING = "input", "closed", "array", "result", "nothing"


class Value:
    """Name an array of the program: an argument, a closed-over Tensor or array, or what a step gave.

    ``array`` is what it was in the traced call. ``boxed`` tells whether the function itself would have a Tensor there,
    and ``needs`` whether a gradient flows through it. ``seen`` tells whether the code that has it in hand would have a
    Tensor there (as inside ``ag.grad`` of an array); None where that is not known while it runs.
    """

    __slots__ = ("array", "boxed", "dtype", "kind", "letter", "name", "needs", "of", "seen", "shape", "source", "step")

    def __init__(
        self,
        kind: str,
        array: Any,
        needs: bool = False,
        boxed: bool = True,
        source: Any = None,
        seen: bool | None = None,
    ) -> None:
        self.kind, self.array, self.needs, self.boxed, self.source = kind, array, needs, boxed, source
        self.seen = seen
        self.shape: Any = getattr(array, "shape", None)  # None of what is no array: a plain function gave it
        self.dtype: Any = getattr(array, "dtype", None)
        self.step: Step | None = None
        self.name = ""
        self.letter: str | None = (
            None  # how the lines of an op call it; None of what comes from none, "" where it has no name
        )
        self.of: Value | None = None  # whose gradient it is

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} {self.dtype} {self.shape}>"


class Step:
    """Compute ``outputs`` by ``function(*inputs, **kwargs)``; inputs and keywords may hold Values, also inside tuples.

    ``op`` is the declaration behind it, if there is one: only then a gradient flows through. ``effect`` marks a step
    that must run once per call and in its place: it draws random numbers or writes into arrays. ``dynamic`` marks one
    whose results may change their form with the data, ``packed`` one that returns a tuple, ``nested`` one whose
    outputs are a tuple inside that, before what its op caches. ``fits`` marks a sum that brings a cotangent to the
    shape of what was broadcast, ``number`` a function that gives an array without axes, which is taken as a number.
    """

    __slots__ = (
        "dynamic", "effect", "fits", "function", "inner", "inputs", "inside", "kwargs", "label", "line", "nested",
        "number", "op", "out", "outputs", "packed", "recorded", "scope", "turned",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        label: str,
        inputs: tuple[Any, ...],
        kwargs: dict[str, Any],
        outputs: tuple[Value, ...],
        *,
        op: Any = None,
        packed: bool = False,
        effect: bool = False,
        dynamic: bool = False,
        number: bool = False,
        nested: bool = False,
        recorded: bool = False,
        scope: Any = None,
        line: tuple[str, int] | None = None,
    ) -> None:
        self.function, self.label, self.op, self.inputs, self.kwargs = function, label, op, inputs, kwargs
        self.outputs, self.packed, self.effect, self.recorded = outputs, packed, effect, recorded
        self.dynamic, self.nested, self.number, self.fits = dynamic, nested, number, False
        self.out: Value | None = None  # whose memory the result is written into, transposed if ``turned``
        self.turned = False
        self.inner: list[Step] = []  # of a loop: what it does for each block
        self.inside = False  # whether it is written inside the line of the step that reads it
        self.scope, self.line = scope, line
        for value in outputs:
            value.step = self

    def copy(self) -> "Step":
        """Return a step that passes may change; it computes the same values."""
        made = object.__new__(Step)
        for name in Step.__slots__:
            setattr(made, name, getattr(self, name))
        return made

    def values(self) -> Iterator[Value]:
        """Yield the Values that the step reads."""
        for x in self.inputs:
            if x.__class__ is Value:
                yield x
            elif isinstance(x, _NESTED):
                yield from values_in(x)
        if self.kwargs:
            yield from values_in(self.kwargs)

    def __repr__(self) -> str:
        return f"<step {self.label}>"


def values_in(tree: Any) -> Iterator[Value]:
    """Yield the Values in nested tuples, lists, dicts and slices."""
    if isinstance(tree, Value):
        yield tree
    elif isinstance(tree, tuple | list):
        for item in tree:
            yield from values_in(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from values_in(item)
    elif isinstance(tree, slice):
        yield from values_in((tree.start, tree.stop, tree.step))


def replaced(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Return ``tree`` with ``change`` applied to everything in its tuples, lists, dicts and slices."""
    if isinstance(tree, tuple):
        parts = [replaced(item, change) for item in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    if isinstance(tree, list):
        return [replaced(item, change) for item in tree]
    if isinstance(tree, dict):
        return {key: replaced(item, change) for key, item in tree.items()}
    if isinstance(tree, slice):
        return slice(*[replaced(part, change) for part in (tree.start, tree.stop, tree.step)])
    return change(tree)


def names_places(index: Any) -> bool:
    """Tell whether an index holds arrays of numbers: only they can name an element twice."""
    return any(getattr(part, "dtype", np.dtype(bool)).kind in "iu" for part in as_tuple(index))


def is_write(step: Step) -> bool:
    """Tell whether a step puts values into a copy just as NumPy's ``x[index] = v`` does."""
    if step.op is None or step.op.name != "setitem" or step.op.forward is not step.function:
        return False
    return not names_places(step.kwargs["index"]) or len(getattr(step.inputs[1], "shape", None) or ()) < 2
