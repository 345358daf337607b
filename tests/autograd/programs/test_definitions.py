"""Definitions are found again: of one lambda among others, and of what is one expression."""

import ast
import math

import numpy as np
import pytest

from autograd.programs.definitions import definition_of, expression_of, place_of

FIRST, SECOND = (lambda x: np.exp(x) + 1, lambda x: np.exp(x) + 2)


def documented(x, k=0):
    """Say so."""
    return np.tril(x, k)


def branching(x):
    return x if x is None else np.exp(x)


def summing(x):
    return sum(v for v in x)


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (FIRST, "np.exp(x) + 1"),
        (SECOND, "np.exp(x) + 2"),
        (documented, "np.tril(x, k)"),
        (branching, None),
        (summing, None),
        (np.exp, None),
        (lambda x: math.exp(x), None),
        (lambda x: documented(x), None),
        (eval("lambda x: np.exp(x)"), None),  # noqa: S307
    ],
    ids=["first on its line", "second", "documented", "branching", "summing", "np.exp", "math", "a call", "eval"],
)
def test_what_a_function_consists_of(f, text):
    found = expression_of(f)
    assert (None if found is None else ast.unparse(found)) == text


def test_a_definition_that_is_nowhere():
    assert definition_of(eval("lambda x: x")) is None  # noqa: S307


@pytest.mark.parametrize(
    ("x", "name"),
    [
        (np.exp, "np.exp"),
        (np.add.reduce, "np.add.reduce"),
        (np.linalg.solve, "np.linalg.solve"),
        (np.fft.rfft, "np.fft.rfft"),
        (math.exp, "math.exp"),
        (len, "len"),
        (np, "np"),
        (documented, ""),
        (3, ""),
    ],
)
def test_the_name_that_numpy_or_python_has_for_an_object(x, name):
    assert place_of(x) == name
