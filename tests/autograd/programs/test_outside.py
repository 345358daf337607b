"""What a builtin function asks of the world outside, and what code asks about the types of its variables."""

import gc
import io
import os
import random
import sys
import time

import numpy as np
import pytest

from autograd.programs import outside

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
