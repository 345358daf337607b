"""What stands for a value refuses what no program can hold, with the line."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import TraceError
from tests.autograd.programs.functions import VECTORS

REFUSED = {
    "if": (lambda x: x if x.sum() > 0 else -x, "reading the numbers"),
    "float": (lambda x: x * float(x[0]), "reading the numbers"),
    "item": (lambda x: x * x[0].item(), "reading the numbers"),
    "numpy": (lambda x: x * np.asarray(x.numpy()), "reading the numbers"),
    "into an array": (lambda x: np.array([x[0], x[1]]), "reading the numbers"),
    "a write into an argument": (lambda x: x.__setitem__(0, 1.0), "a write into an argument"),
    "a leaf made inside": (lambda x: x * ag.Tensor([1.0] * 4, requires_grad=True), "is made inside"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_cannot_hold_is_refused_with_the_line(name):
    function, message = REFUSED[name]
    with pytest.raises(TraceError, match=f"{message}.*test_traced.py"):
        ag.compile(function)(ag.Tensor(VECTORS[0][0]))
