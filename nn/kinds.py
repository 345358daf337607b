"""Compare data from a file with what it is to replace: by kind, part by part, before anything is used."""

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np

BIT_GENERATORS = ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64")


def misfits(own: Any, saved: Any, place: str) -> Iterator[str]:
    """Say where ``saved`` is of another kind than ``own``; None stands for anything, and lists may differ in length.

    >>> list(misfits({"step": 3, "rates": [0.1]}, {"step": "3", "rates": [0.1, 0.2]}, "schedule"))
    ["schedule/step: 'str', needs 'int'"]
    """
    if own is None:
        return
    kind = _kind(own)
    if _kind(saved) != kind and not (kind == "float" and _kind(saved) == "int"):
        yield f"{place}: {_kind(saved)!r}, needs {kind!r}"
    elif kind == "dict":
        for name in own:
            if name in saved:
                yield from misfits(own[name], saved[name], f"{place}/{name}" if place else name)
    elif kind == "list" and len(own):
        for i, item in enumerate(saved):
            yield from misfits(own[min(i, len(own) - 1)], item, f"{place}/{i}")


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "bool"
    for name, kinds in (
        ("int", int | np.integer),
        ("float", float | np.floating),
        ("dict", Mapping),
        ("list", list | tuple),
    ):
        if isinstance(value, kinds):
            return name
    return type(value).__name__


def kind(value: Any) -> str:
    """Say what an option is, whatever type of Python or NumPy stands for it: a number, bool, text, row of numbers.

    >>> kind(1), kind(np.float32(0.5)), kind((0.9, 0.999)), kind(None)
    ('number', 'number', 'row of numbers', 'other')
    """
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, Real):
        return "number"
    if isinstance(value, str):
        return "text"
    return "row of numbers" if isinstance(value, list | tuple) and all(kind(x) == "number" for x in value) else "other"


def is_count(value: Any) -> bool:
    """Tell whether ``value`` counts something: an integer, 0 or more, that a machine could reach."""
    return _kind(value) == "int" and 0 <= value < 2**62


def is_mean(pair: Any) -> bool:
    """Tell whether ``pair`` is a sum and the positive number of what was summed."""
    return (
        _kind(pair) == "list"
        and len(pair) == 2
        and all(_kind(number) in ("int", "float") for number in pair)
        and 0 < pair[1] < math.inf
    )


def is_kept(value: Any) -> bool:
    """Tell whether ``value`` lists pairs of the targets and outputs that metrics wait for: arrays, or trees of them."""

    def arrays(tree: Any) -> bool:
        parts = tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list | tuple) else None
        return isinstance(tree, np.ndarray) if parts is None else all(map(arrays, parts))

    return _kind(value) == "list" and all(_kind(pair) == "list" and len(pair) == 2 and arrays(pair) for pair in value)


def is_generator_state(value: Any) -> bool:
    """Tell whether a NumPy bit generator takes ``value`` as its state."""
    if not isinstance(value, Mapping) or value.get("bit_generator") not in BIT_GENERATORS:
        return False
    try:
        getattr(np.random, value["bit_generator"])().state = value
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
        return False
    return True
