"""The world outside a program: clocks, files and random numbers are no constants; what runs by chance is none of it."""

import gc
import io
import itertools
import os
import random
import sys
import time
import uuid

import numpy as np
import pytest

import autograd as ag
from autograd.programs import outside

X = np.array([1.0, 2.0, 3.0])


def drawing(make, read):
    """Make a function that holds something which gives another number at each call."""

    def function():
        source = make()
        return lambda x: x * read(source)

    return function


ANEW = {
    "an iterator": drawing(lambda: itertools.count(1), next),
    "a generator": drawing(lambda: (i for i in range(1, 9)), next),
    "Python's random numbers": drawing(lambda: None, lambda _: random.gauss(0, 1)),
    "a Random of one's own": drawing(lambda: random.Random(0), lambda rng: rng.random()),
    "a RandomState": drawing(lambda: np.random.RandomState(0), lambda rng: rng.rand()),
    "the clock": drawing(lambda: None, lambda _: time.perf_counter()),
    "a generator without a seed": drawing(lambda: None, lambda _: np.random.default_rng().normal()),
    "bits of a generator": drawing(lambda: np.random.PCG64(0), lambda bits: np.random.Generator(bits).normal()),
    "children of a seed": drawing(
        lambda: np.random.SeedSequence(0), lambda seed: np.random.default_rng(seed.spawn(1)[0]).normal()
    ),
    "children of a generator": drawing(lambda: np.random.default_rng(0), lambda rng: rng.spawn(1)[0].normal()),
    "a method of a generator": drawing(lambda: np.random.default_rng(0).normal, lambda draw: draw()),
    "random bytes": drawing(lambda: None, lambda _: int.from_bytes(os.urandom(4))),
    "a number that is never the same": drawing(lambda: None, lambda _: uuid.uuid4().int % 1000003),
}


@pytest.mark.parametrize("name", ANEW)
def test_what_is_another_at_each_call_is_no_constant(name):
    compiled = ag.compile(ANEW[name]())
    with pytest.warns(RuntimeWarning, match="runs uncompiled"):
        found = [compiled(X).tobytes() for _ in range(4)]
    assert len(set(found)) == 4


@pytest.mark.parametrize("read", [np.load, np.fromfile, lambda path: 1.0 + path.with_name("b").exists()])
def test_a_file_is_read_at_each_call(tmp_path, read):
    path = tmp_path / "a"

    def write(number):
        with path.open("wb") as file:
            np.save(file, np.full(3, number)) if read is np.load else np.full(3, number).tofile(file)

    write(2.0)
    compiled = ag.compile(lambda x: x * read(path), quiet=True)
    compiled(X)
    write(3.0)
    (tmp_path / "b").touch()
    np.testing.assert_array_equal(compiled(X), X * read(path))


def test_a_clock_that_the_garbage_collector_reads_is_none_of_the_program():
    def timed(phase, info):
        time.perf_counter()

    gc.callbacks.append(timed)
    try:

        @ag.compile
        def function(x):
            gc.collect()
            return x * 2

        assert (function(X) == X * 2).all()
        assert not function.why
    finally:
        gc.callbacks.remove(timed)


CALLS = {
    "a generator of Python's": (random.Random(0).random, "Python's random numbers"),
    "a clock": (time.perf_counter, "the clock"),
    "a pause": (time.sleep, ""),
    "a file": (open, "or writes a file"),
    "text that is written": (io.StringIO().write, "or writes a file"),
    "np.fromfile": (np.fromfile, "or writes a file"),
    "print": (print, "or writes a file"),
    "a folder": (os.stat, "the file system"),
    "a path": (os.fspath, ""),
    "bytes of the system": (os.urandom, "random numbers of the system"),
    "a name": (globals, "names by globals(), eval or exec"),
    "a length": (len, ""),
    "a ufunc's inside": (np.dot, ""),
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_call_asks_of_the_world(name):
    called, source = CALLS[name]
    assert outside.outside_world(called) == source


def test_the_variables_whose_type_is_asked_for():
    def f(x, y, z):
        return type(x) is float or isinstance(y, int) or type(x + z)

    assert outside.types_asked(f.__code__) == {"x"}


def test_what_an_import_or_the_collector_does_is_incidental():
    found = []

    def look(*args):
        found.append(outside.is_incidental(sys._getframe()))

    look()
    gc.callbacks.append(look)
    try:
        gc.collect()
    finally:
        gc.callbacks.remove(look)
    assert found[0] is False
    assert all(found[1:])


def test_whose_a_line_is():
    assert outside.is_ours(outside.__file__)
    assert not outside.is_ours(__file__)
    assert outside.user_line()[0] == __file__
    assert not outside.is_numpys(sys._getframe())
