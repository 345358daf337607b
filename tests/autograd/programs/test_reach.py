"""What lies behind what a function reaches: memory of C's, classes, modules, the state of Python and NumPy."""

import abc
import ctypes
import datetime as dt
import enum
import math
import mmap
import re
import sys
import threading
import types

import numpy as np
import pytest

import autograd as ag
import nn

X = np.array([1.0, 2.0, 3.0])


def seen(compiled, f, change, x=X):
    """Hold compiled against plain, before and after a change."""
    for k in range(4):
        if k == 2:
            change()
        found, right = np.asarray(compiled(x)), np.asarray(f(x))
        np.testing.assert_array_equal(found, right)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(right))


class Named:
    """A class with an attribute."""

    scale = 2.0


class Other:
    """Another one."""

    scale = 3.0


class Derived(Named):
    """A class whose base is exchanged."""


class Abstract(abc.ABC):  # noqa: B024
    """A class with which others are registered."""


class Late:
    """A class that is registered late."""


class Mode(enum.Enum):
    """Members of an enumeration are looked into."""

    A, B = 1.0, 2.0


class Struct(ctypes.Structure):
    """Memory of C's."""

    _fields_ = [("k", ctypes.c_double)]


def documented(x):
    """Ab."""
    return x * len(documented.__doc__)


def annotated(x):
    return x * annotated.__annotations__.get("k", 2.0)


class Array(np.ndarray):
    """An array with attributes."""


def array_with_an_attribute():
    a = np.ones(3).view(Array)
    a.k = 2.0
    return lambda x: x * a.k, lambda: setattr(a, "k", 5.0)


def module(name, **facts):
    made = types.ModuleType(name)
    vars(made).update(facts)
    return made


def class_of_an_object():
    a = Named()
    return lambda x: x * a.scale, lambda: setattr(a, "__class__", Other)


def class_of_a_layer():
    layer = nn.Tanh()
    return lambda x: layer(x), lambda: setattr(layer, "__class__", nn.ReLU)


def base_that_is_exchanged():
    Derived.__bases__ = (Named,)
    a = Derived()
    return lambda x: x * a.scale, lambda: setattr(Derived, "__bases__", (Other,))


def registered_late():
    late = type("Late", (), {})
    a = late()
    return lambda x: x * (2.0 if isinstance(a, Abstract) else 3.0), lambda: Abstract.register(late)


def values_of_a_dictionary():
    held = {"k": 2.0}
    view = held.values()
    return lambda x: x * sum(view), lambda: held.update(k=5.0)


def memory_of_c(make, put, get):
    def row():
        held = make()
        return lambda x: x * get(held), lambda: put(held)

    return row


def attributes_by_a_computed_name():
    made = module("made", k1=2.0)
    return lambda x: x * getattr(made, "k" + str(1)), lambda: setattr(made, "k1", 5.0)


def module_that_answers_itself():
    held = {"k": 2.0}
    made = module("made", __getattr__=lambda name: held[name])
    return lambda x: x * made.k, lambda: held.update(k=5.0)


def sign_of_zero():
    held = {"k": 0.0}
    return lambda x: np.copysign(x, held["k"]), lambda: held.update(k=-0.0)


def member_of_an_enumeration():
    held = [Mode.A]
    return lambda x: x * held[0].value, lambda: held.__setitem__(0, Mode.B)


SEEN = {
    "the class of an object": class_of_an_object,
    "the class of a layer": class_of_a_layer,
    "a base": base_that_is_exchanged,
    "what is registered with an abstract class": registered_late,
    "the values of a dictionary": values_of_a_dictionary,
    "a number of C's": memory_of_c(lambda: ctypes.c_double(2), lambda c: setattr(c, "value", 5), lambda c: c.value),
    "a struct": memory_of_c(lambda: Struct(2.0), lambda c: setattr(c, "k", 5.0), lambda c: c.k),
    "numbers of C's": memory_of_c(lambda: (ctypes.c_double * 2)(2, 3), lambda c: c.__setitem__(0, 5), lambda c: c[0]),
    "a memory map": memory_of_c(lambda: mmap.mmap(-1, 16), lambda c: c.__setitem__(0, 5), lambda c: c[0] + 1),
    "an attribute by a computed name": attributes_by_a_computed_name,
    "a module that answers itself": module_that_answers_itself,
    "an attribute of an array": array_with_an_attribute,
    "the sign of zero": sign_of_zero,
    "a member of an enumeration": member_of_an_enumeration,
    "a text": lambda: (documented, lambda: setattr(documented, "__doc__", documented.__doc__ + "c")),
    "annotations": lambda: (annotated, lambda: annotated.__annotations__.update(k=5.0)),
    "the name of a class": lambda: (lambda x: x * len(Late.__name__), lambda: setattr(Late, "__name__", "Later")),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_change_is_seen(name):
    f, change = SEEN[name]()
    compiled = ag.compile(f)
    seen(compiled, f, change)
    assert compiled.why == ""
    assert compiled.traces == 2


def test_what_is_put_into_a_library_is_seen(monkeypatch):
    for change, f in (
        (lambda: monkeypatch.setattr(math, "pi", 3.0), lambda x: x * math.pi),
        (lambda: monkeypatch.setattr(sys, "argv", ["a", "b", "c"]), lambda x: x * len(sys.argv)),
        (lambda: monkeypatch.setattr(nn.Tanh, "forward", lambda self, x: x * 2), nn.Tanh()),
    ):
        seen(ag.compile(f), f, change)


def test_a_module_that_takes_the_place_of_another(monkeypatch):
    monkeypatch.setitem(sys.modules, "made_for_this", module("made_for_this", k=2.0))

    def f(x):
        import made_for_this

        return x * made_for_this.k

    new = module("made_for_this", k=3.0)
    seen(ag.compile(f), f, lambda: monkeypatch.setitem(sys.modules, "made_for_this", new))


def test_a_name_that_somebody_puts_among_pythons_own(monkeypatch):
    space = {}
    exec("def f(x): return x * added_name", space)  # noqa: S102
    monkeypatch.setattr("builtins.added_name", 2.0, raising=False)
    seen(ag.compile(space["f"]), space["f"], lambda: monkeypatch.setattr("builtins.added_name", 3.0))


def test_what_holds_no_numbers_is_no_reason():
    pattern, lock, day = re.compile("a+"), threading.Lock(), dt.date(2020, 1, 2)

    @ag.compile
    def f(x):
        with lock:
            return x * len(pattern.match("aab").group()) * day.year

    np.testing.assert_array_equal(f(X), X * 2 * 2020)
    assert f.why == ""
