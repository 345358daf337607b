"""The tracer: what it cannot follow is refused, with the line; its cost grows as the steps."""

import time

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
    "backward": (lambda x: x.sum().backward(), r"backward\(\) inside"),
    "a write into an argument": (lambda x: x.__setitem__(0, 1.0), "a write into an argument"),
    "a leaf made inside": (lambda x: x * ag.Tensor([1.0] * 4, requires_grad=True), "is made inside"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_cannot_hold_is_refused_with_the_line(name):
    function, message = REFUSED[name]
    with pytest.raises(TraceError, match=f"{message}.*test_tracing.py"):
        ag.compile(function)(ag.Tensor(VECTORS[0][0]))


def test_the_first_call_takes_time_in_proportion_to_the_ops():
    """Of 10,000 ops about a second; the limit is wide of that, and of what a step that looks at all others takes."""

    def f(x):
        for _ in range(5000):
            x = x * 1.0001 + 0.5
        return x

    start = time.process_time()
    ag.compile(f)(ag.Tensor(1.0, requires_grad=True)).backward()
    assert time.process_time() - start < 5


def test_what_a_plain_function_gives_may_be_none_at_times():
    """A mask where there is one to apply, and None where not: in either order, as labels of a loss are ignored."""

    @ag.opaque
    def positive(x):
        mask = np.asarray(x) > 0
        return np.asarray(x), None if mask.all() else mask

    def f(x, y):
        values, mask = positive(y)
        return ((x * values) if mask is None else np.where(mask, x * values, 0.0)).sum()

    some, every = np.array([1.0, -2.0]), np.array([1.0, 2.0])
    for order in ((some, every, some), (every, some, every)):
        compiled, x = ag.compile(f), ag.Tensor([3.0, 5.0], requires_grad=True)
        for y in order:
            assert compiled(x, y).item() == f(x, y).item()
