"""Nested tuples, lists and dicts of values: take them apart and put them together again.

Floor 0: used by transforms, checks, recordings and the NumPy protocols.
"""

from collections.abc import Callable
from typing import Any

_NESTED = (dict, tuple, list)  # made once: a union of types is made anew at each call


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


def _only(values: list[Any]) -> Any:
    return values[0]


def _form(tree: Any, values: list[Any]) -> Any:
    if isinstance(tree, dict):
        return dict, {key: _form(item, values) for key, item in tree.items()}
    if isinstance(tree, _NESTED):
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
