"""``vmap``: every op against a loop over the examples, then axes, nesting, what it composes with, what it refuses."""

import concurrent.futures
import contextlib
import struct

import numpy as np
import pytest

import autograd as ag
from autograd.errors import TraceError
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


def with_a_branch_that_is_swallowed(x):
    with contextlib.suppress(Exception):
        if x[0] > 1:
            return x * 3
    return x


def in_another_thread(x):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: x * 2).result()


REFUSED = {
    "a branch": lambda x: x if x[0] > 1 else x * 2,
    "a number in C": lambda x: x * struct.unpack("d", struct.pack("d", x[0]))[0],
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_one_example_would_decide_for_all_is_refused(name):
    with pytest.raises((TraceError, struct.error)):
        ag.vmap(REFUSED[name])(np.array([[0.5, 2.0], [1.5, 1.0]]))


def test_values_can_be_written_out():
    found = []
    ag.vmap(lambda x: found.append(str(x)) or x * 2)(np.ones((3, 2)))
    assert "shape=(2,)" in found[0]


def reads_and_catches(x):
    try:
        return x * 2 if x[0] > 1 else x * 3
    except Exception:
        return x * 100


OWN_WAYS = [with_a_branch_that_is_swallowed, in_another_thread, reads_and_catches]


@pytest.mark.parametrize("f", OWN_WAYS, ids=lambda f: f.__name__)
def test_a_function_that_goes_its_own_ways_runs_example_by_example(f):
    x = np.array([[0.5, 2.0], [1.5, 1.0]])
    np.testing.assert_array_equal(ag.vmap(f)(x), np.stack([f(row) for row in x]))
    ways = ag.grad(lambda x: ag.vmap(f)(x).sum())(x)
    np.testing.assert_array_equal(ways, np.stack([f(row) for row in x]) / x)
