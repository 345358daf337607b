"""Values and steps: found and replaced anywhere in what a step reads."""

from typing import NamedTuple

import numpy as np
import pytest

from autograd.programs.values import INPUT, RESULT, Step, Value, replaced, values_in


class Pair(NamedTuple):
    first: object
    second: object


A, B = Value(INPUT, np.ones(3)), Value(INPUT, np.float32(2))
TREES = {
    "a value": (A, [A]),
    "none": ((1.0, "text", None), []),
    "a tuple in a list": ([1, (A, 2, [B])], [A, B]),
    "a dictionary": ({"x": A, "y": (B, B)}, [A, B, B]),
    "a slice": (slice(A, None, B), [A, B]),
    "a slice in an index": ((slice(None, A), 0), [A]),
    "a named tuple": (Pair(A, 2), [A]),
}


@pytest.mark.parametrize("name", TREES)
def test_values_in(name):
    tree, right = TREES[name]
    assert list(values_in(tree)) == right


@pytest.mark.parametrize("name", TREES)
def test_replaced_keeps_the_form(name):
    tree, right = TREES[name]
    assert replaced(tree, lambda x: x) == tree
    other = Value(INPUT, np.zeros(1))
    changed = replaced(tree, lambda x: other if x is A else x)
    assert type(changed) is type(tree)
    assert list(values_in(changed)) == [other if x is A else x for x in right]


def test_a_value_knows_its_array_and_the_step_that_made_it():
    y = Value(RESULT, np.ones(3, "f4"))
    assert (y.shape, y.dtype, y.step) == ((3,), np.float32, None)
    step = Step(np.add, "add", (A, B), {"where": A}, (y,))
    assert y.step is step
    assert list(step.values()) == [A, B, A]
    y.name = "y"
    assert (repr(y), repr(step)) == ("<result y float32 (3,)>", "<step add>")


def test_a_copy_of_a_step_may_be_changed():
    y = Value(RESULT, np.ones(3))
    step = Step(np.add, "add", (A, B), {}, (y,), effect=True)
    copy = step.copy()
    copy.function, copy.inputs = np.subtract, (B, A)
    assert (step.function, step.inputs) == (np.add, (A, B))
    assert (copy.outputs, copy.effect, copy.label) == ((y,), True, "add")
    assert y.step is step
