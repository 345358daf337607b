"""``vmap``: every op against a loop over the examples, then axes, nesting, what it composes with, what it refuses."""

import numpy as np
import pytest

import autograd as ag
from tests.autograd import mapped, pushed
from tests.autograd.laws.fused import WITH_DEFINITION
from tests.autograd.laws.fused import samples as fused_samples
from tests.autograd.rows import ROWS, numpy_names, samples


@pytest.mark.parametrize("name", ROWS)
def test_every_op(name):
    """Values, gradients of each example, and the gradient of all: examples in all arguments, in one, in all but one."""
    for args, kwargs in samples(name):
        names = numpy_names(name) if name != "polyint" else []  # of whose k NumPy does not know that it may be a Tensor
        row = next(iter(names), ROWS[name])  # by NumPy's name, as users call it
        f, floats = pushed.of_floats(row, args, kwargs, 1 if name == "quantile" else None)
        if floats:
            mapped.hold(f, floats)


@pytest.mark.parametrize("name", [name for name in WITH_DEFINITION if name not in ROWS])
def test_every_fused_op(name):
    rng = np.random.default_rng(7)
    for args, kwargs in list(fused_samples(WITH_DEFINITION[name], rng))[:2]:
        f, floats = pushed.of_floats(WITH_DEFINITION[name], args, kwargs)
        mapped.hold(f, floats)


def reads_and_catches(x):
    try:
        return x * 2 if x > 0 else x * 3
    except Exception:
        return x * 100


def writes_out(x):
    return x * len(f"{x:.1f}")


@pytest.mark.parametrize(("f", "right"), [(reads_and_catches, [2.0, -3.0]), (writes_out, [3.0, -4.0])])
def test_a_function_that_goes_its_own_ways_runs_example_by_example(f, right):
    x = np.array([1.0, -1.0])
    np.testing.assert_array_equal(ag.vmap(f)(x), right)
    np.testing.assert_array_equal(ag.grad(lambda x: ag.vmap(f)(x).sum())(x), right / x)
