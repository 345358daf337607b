"""What a function asks of the world is noticed: in doubt it runs as itself."""

import cProfile
import decimal
import importlib
import inspect
import logging
import sqlite3
import sys
import threading
import time

import numpy as np
import pytest

import autograd as ag

X = np.array([1.0, 2.0, 3.0])


class Named:
    """A class."""


LEAF = ag.Tensor(1.0, requires_grad=True, name="leaf")
TIMES = np.frompyfunc(lambda x: x * 2, 1, 1)
DATABASE = sqlite3.connect(":memory:")
TEXT = np.array([1.25])
ITSELF = {  # what f asks for: (f, what the reason says)
    "decimal": (lambda x: x * float(decimal.Decimal(1) / 3), "decimal, whose context may change"),
    "the text of an array": (lambda x: x * float(str(TEXT)[1:-1]), "the text of an array"),
    "errors of NumPy": (lambda x: x * len(np.geterr()), "how NumPy treats errors"),
    "a buffer": (lambda x: x * np.getbufsize(), "the size of a buffer"),
    "a gradient": (lambda x: x * (2.0 if LEAF.grad is None else 3.0), "the grad of a Tensor"),
    "a name": (lambda x: x * len(LEAF.name), "the name of a Tensor"),
    "a logger": (lambda x: x * logging.getLogger().level, "a logger"),
    "a thread": (lambda x: x * len(threading.current_thread().name), "threads"),
    "a computed module": (lambda x: x * importlib.import_module("ma" + "th").pi, "a module by a name that is computed"),
    "hooks": (lambda x: x * (2.0 if sys.getprofile() is None else 3.0), "a state of Python's"),
    "a limit": (lambda x: x * sys.getrecursionlimit(), "a state of Python's"),
    "the calls": (lambda x: x * len(inspect.stack()[0].function), "the calls that are running"),
    "classes": (lambda x: x * len(Named.__subclasses__()), "a state of Python's"),
    "a database": (
        lambda x: x * DATABASE.execute("select 2").fetchone()[0],
        "DATABASE, a sqlite3.Connection",
    ),
    "a ufunc of one's own": (lambda x: x * TIMES(2.0), "TIMES, a numpy.ufunc, of which is not known what it reads"),
    "a generator's state": (lambda x: x * (2.0 if RNG.bit_generator.state else 3.0), "looks into a random generator"),
    "modules": (lambda x: x * len(sys.modules["math"].__name__), "looks into sys.modules"),
}
RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", ITSELF)
def test_in_doubt_the_function_itself_runs(name):
    f, why = ITSELF[name]
    compiled = ag.compile(f)
    with pytest.warns(RuntimeWarning, match=why):
        compiled(X)
    for _ in range(2):
        np.testing.assert_array_equal(compiled(X), f(X))


@pytest.mark.parametrize("make", [cProfile.Profile, None], ids=["cProfile", "a function"])
def test_a_profiler_that_runs_hides_nothing(make):
    """While another profiler ran, a clock that f read became a constant of its program."""
    compiled, calls = ag.compile(lambda x: x * time.perf_counter(), quiet=True), []
    profiler = make() if make else None
    if profiler is not None:
        profiler.enable()
    else:
        sys.setprofile(lambda *event: calls.append(event))
    try:
        compiled(X)
        runs = sys.getprofile() is not None or sys.version_info >= (3, 12)
    finally:
        if profiler is not None:
            profiler.disable()
        sys.setprofile(None)
    assert compiled.why.startswith("it reads the clock itself")
    assert runs
