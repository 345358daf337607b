"""A function that is marked as an effect is itself, and in a trace a thing to be done later."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import NotAFunction


def test_outside_of_a_trace_the_function_is_itself():
    @ag.effect
    def double(x, *, by=2):
        """Double."""
        return x * by

    assert (double(3), double(3, by=4), double.__name__, double.__doc__) == (6, 12, "double", "Double.")
    assert ag.effect(values=False)(max)(1, 2) == 2


def test_something_else_than_a_function_is_refused():
    with pytest.raises(NotAFunction, match="effect takes a function, got int"):
        ag.effect(3)


def test_a_recording_and_a_vmap_do_it_at_once():
    seen = []
    note = ag.effect(seen.append)
    ag.record(lambda x: (note("recorded"), x * 2)[1], ag.Tensor([1.0]))
    assert seen == ["recorded"]
    ag.vmap(lambda x: (note("mapped"), x * 2)[1])(np.ones((3, 2)))
    assert seen == ["recorded", "mapped"]
