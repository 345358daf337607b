"""Nested tuples, lists and dicts of values, and classes that were registered: take them apart, put them together again.

Floor 2: used by transforms, checks, recordings and the NumPy protocols.
"""

from collections.abc import Callable
from itertools import accumulate
from math import prod
from operator import attrgetter
from typing import Any, TypeVar, overload

import numpy as np

from autograd.errors import ArgumentError, NotAFunction, ShapeError

_NESTED: tuple[type, ...] = (dict, tuple, list)  # made once: a union of types is made anew at each call
_registered: dict[type, tuple[Callable[[Any], Any], Callable[..., Any]]] = {}
C = TypeVar("C", bound=type)


def register_tree(
    cls: C,
    parts: Callable[[Any], Any] | None = None,
    build: Callable[..., Any] | None = None,
) -> C:
    """Register a class into whose objects transforms look, as into tuples and dicts; a decorator for dataclasses.

    ``parts(object)`` gives a tuple of what is inside, ``build(*parts)`` makes an object of such parts. A dataclass
    needs neither: its fields are its parts. Gradients are then objects of the class. Raises ArgumentError for a class
    that is neither a dataclass nor given ``parts`` and ``build``.

    >>> from dataclasses import dataclass
    >>> import numpy as np, autograd as ag
    >>> @ag.register_tree
    ... @dataclass
    ... class Line:
    ...     slope: float
    ...     offset: float
    >>> ag.grad(lambda line: line.slope * 3 + line.offset)(Line(2.0, 1.0))
    Line(slope=np.float64(3.0), offset=np.float64(1.0))
    """
    global _NESTED
    if parts is None or build is None:
        from dataclasses import fields, is_dataclass  # takes a millisecond to import

        if not isinstance(cls, type) or not is_dataclass(cls) or parts is not build:
            raise ArgumentError(
                f"register_tree: {getattr(cls, '__name__', cls)!r} is no dataclass. Pass parts= (a function that gives "
                "what is inside, as a tuple) and build= (one that makes an object of such parts)."
            )
        names = tuple(field.name for field in fields(cls))
        read = attrgetter(*names) if names else tuple
        parts = read if len(names) > 1 else lambda x: tuple(getattr(x, name) for name in names)
        build = _builder(cls, names)
    _registered[cls] = (parts, build)
    _NESTED = tuple({*_NESTED, cls})
    return cls


def _builder(cls: Any, names: tuple[str, ...]) -> Callable[..., Any]:
    """Return a function that makes an object by setting its fields; its ``__init__`` might refuse gradients."""

    def build(*values: Any) -> Any:
        made = object.__new__(cls)
        for name, value in zip(names, values, strict=True):
            object.__setattr__(made, name, value)
        return made

    return build


def flatten(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """List the values of ``tree`` in order and give the function that puts such a list back into its form.

    >>> values, rebuild = flatten({"w": [1, 2], "b": 3})
    >>> values, rebuild([10, 20, 30])
    ([1, 2, 3], {'w': [10, 20], 'b': 30})
    """
    if not isinstance(tree, _NESTED):
        return [tree], _only
    values: list[Any] = []
    form = _form(tree, values)
    return values, lambda replaced: _fill(form, iter(replaced))


def numbers_in(tree: Any, is_number: Callable[[Any], bool]) -> tuple[list[Any], Callable[..., Any]]:
    """List the numbers among the values of ``tree``, and give the function that puts such a list back.

    None, words and whatever else is no number stays at its place: as it is, or, if ``rebuild`` gets ``others``, that.
    """
    values, rebuild = flatten(tree)
    if not isinstance(tree, _NESTED) or all(map(is_number, values)):
        return values, lambda numbers, *others: rebuild(numbers)
    chosen = [is_number(value) for value in values]

    def filled(numbers: list[Any], *others: Any) -> Any:
        given = iter(numbers)
        rest = [others[0] if others else value for value in values]
        return rebuild([next(given) if own else other for own, other in zip(chosen, rest, strict=True)])

    return [value for value, own in zip(values, chosen, strict=True) if own], filled


@overload
def tree_map(function: Callable[[Any], Any], tree: Any) -> Any: ...
@overload
def tree_map(function: Callable[[Any, Any], Any], tree: Any, other: Any, /) -> Any: ...
@overload
def tree_map(function: Callable[..., Any], tree: Any, *more: Any) -> Any: ...
def tree_map(function: Callable[..., Any], tree: Any, *more: Any) -> Any:
    """Return ``tree`` with each value replaced by ``function(value)``; None stays None.

    More trees of the same form give the function more arguments. Raises ShapeError where the forms differ.

    >>> tree_map(lambda w, g: w - 0.1 * g, {"w": 1.0, "b": None}, {"w": 2.0, "b": None})
    {'w': 0.8, 'b': None}
    """
    if not callable(function):
        raise NotAFunction(f"tree_map takes a function first, then trees, got {type(function).__name__} first.")
    values, rebuild = flatten(tree)
    others = [values_like(tree, other, "tree_map") for other in more]
    return rebuild([None if x is None else function(x, *rest) for x, *rest in zip(values, *others, strict=True)])


def form_of(tree: Any) -> Any:
    """Return the nesting of a tree, to be compared or to be a key: classes, keys in their order, None for a value."""
    if not isinstance(tree, _NESTED):
        return None
    if isinstance(tree, dict):
        return dict, tuple([(key, form_of(part)) for key, part in tree.items()])
    return type(tree), tuple([form_of(part) for part in parts_of(tree)])


def is_nested(tree: Any) -> bool:
    """Tell whether ``tree`` is a container of values."""
    return isinstance(tree, _NESTED)


def ravel(tree: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return all numbers of a tree as one vector, and the function that puts such a vector back into its form.

    For optimizers and solvers that know vectors only. None and words stay where they are. Both ways can be
    differentiated. The way back raises ShapeError for a vector of another length.

    >>> vector, unravel = ravel({"w": [[1.0, 2.0], [3.0, 4.0]], "b": 5.0})
    >>> vector
    array([1., 2., 3., 4., 5.])
    >>> unravel(2 * vector)
    {'w': [[np.float64(2.0), np.float64(4.0)], [np.float64(6.0), np.float64(8.0)]], 'b': np.float64(10.0)}
    """
    values, rebuild = numbers_in(
        tree, lambda x: x is not None and not isinstance(x, str | bool) and hasattr(x, "__add__")
    )
    shapes = [np.shape(x) for x in values]
    dtypes = [getattr(x, "dtype", np.dtype(complex if isinstance(x, complex) else float)) for x in values]
    ends = list(accumulate([prod(shape) for shape in shapes], initial=0))
    vector: Any = np.concatenate([np.ravel(x) for x in values]) if values else np.zeros(0)

    def unravel(vector: Any) -> Any:
        if np.shape(vector) != (ends[-1],):
            raise ShapeError(f"unravel: expected a vector of {ends[-1]} numbers, got shape {np.shape(vector)}.")
        parts = [
            np.reshape(vector[start:stop], shape)
            for start, stop, shape in zip(ends[:-1], ends[1:], shapes, strict=True)
        ]
        return rebuild([_in_dtype(part, dtype) for part, dtype in zip(parts, dtypes, strict=True)])

    return vector if not values or vector.dtype.kind in "fc" else vector.astype(float), unravel


def _in_dtype(x: Any, dtype: Any) -> Any:
    x = x if x.ndim else x[()]
    return x if x.dtype == dtype or dtype.kind not in "fc" else x.astype(dtype)


def values_like(tree: Any, other: Any, who: str) -> list[Any]:
    """List the values of ``other`` in the order of ``tree``, whose form it must have: dicts are read by their keys.

    Raises ShapeError where the forms differ.
    """
    found: list[Any] = []
    if not _collect(tree, other, found):
        raise ShapeError(f"{who}: expected the form {describe(tree)}, got {describe(other)}.")
    return found


def _collect(tree: Any, other: Any, found: list[Any]) -> bool:
    if not isinstance(tree, _NESTED):
        found.append(other)
        return not isinstance(other, _NESTED)
    if isinstance(tree, dict):
        return (
            isinstance(other, dict)
            and tree.keys() == other.keys()
            and all(_collect(part, other[key], found) for key, part in tree.items())
        )
    if not isinstance(other, _NESTED) or isinstance(other, dict):
        return False
    mine, theirs = parts_of(tree), parts_of(other)
    alike = type(tree) is type(other) or not {type(tree), type(other)} - {tuple, list}
    return alike and len(mine) == len(theirs) and all(_collect(a, b, found) for a, b in zip(mine, theirs, strict=True))


def describe(tree: Any) -> str:
    """Write the form of a tree, with a star for each value.

    >>> describe({"w": [1, 2], "b": 3})
    "{'w': [*, *], 'b': *}"
    """
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {describe(item)}" for key, item in tree.items()) + "}"
    if not isinstance(tree, _NESTED):
        return "*"
    inside = ", ".join(map(describe, parts_of(tree)))
    return (
        f"[{inside}]"
        if type(tree) is list
        else f"({inside})"
        if type(tree) is tuple
        else f"{type(tree).__name__}({inside})"
    )


def parts_of(tree: Any) -> Any:
    """Return what a container other than a dict holds."""
    known = _registered.get(type(tree))
    return tuple(tree) if known is None else tuple(known[0](tree))


def _only(values: list[Any]) -> Any:
    return values[0]


def _form(tree: Any, values: list[Any]) -> Any:
    if isinstance(tree, _NESTED):
        known = _registered.get(type(tree))
        if known is not None:
            items, build = known[0](tree), known[1]
            return (lambda parts: build(*parts)), [_form(item, values) for item in items]
        if isinstance(tree, dict):
            return dict, {key: _form(item, values) for key, item in tree.items()}
        if isinstance(tree, tuple | list):
            kind = (lambda items: type(tree)(*items)) if hasattr(tree, "_fields") else type(tree)
            return kind, [_form(item, values) for item in tree]
    values.append(tree)
    return None


def _fill(form: Any, values: Any) -> Any:
    if form is None:
        return next(values)
    kind, parts = form
    if isinstance(parts, dict):
        return {key: _fill(part, values) for key, part in parts.items()}
    return kind([_fill(part, values) for part in parts])
