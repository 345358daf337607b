"""The compiler, for one op: what it writes has the forward's signature, shows in tracebacks, and says what is wrong."""

import inspect
import linecache
import traceback

import numpy as np
import pytest

import autograd as ag
from autograd.compiler import select
from autograd.errors import RuleError, ShapeError
from tests.autograd.tools import leaf

CALLS = [
    ((), {}, r"f\(\) missing 2 required positional arguments: 'a' and 'b'"),
    ((1.0,), {}, r"f\(\) missing 1 required positional argument: 'b'"),
    ((1.0, 2.0), {"c": 3}, r"f\(\) got an unexpected keyword argument 'c'"),
    ((1.0, 2.0, 3, 4), {}, r"f\(\) takes from 2 to 3 positional arguments but 4 were given"),
    ((1.0, 2.0), {"a": 3.0}, r"f\(\) got multiple values for argument 'a'"),
]


@pytest.mark.parametrize(("args", "kwargs", "message"), CALLS)
def test_wrong_call(args, kwargs, message):
    f = ag.op(lambda a, b, k=1: a * b * k, name="f", vjp=dict(a=lambda g, b, k: g * b * k, b=lambda g, a, k: g * a * k))
    with pytest.raises(TypeError, match=message):
        f(*args, **kwargs)


A = np.array([0.5, 2.0, 4.0])
product = dict(a=lambda g, b: g * b, b=lambda g, a: g * a)

SIGNATURES = {
    "inputs": (lambda a, b: a, "(a, b)"),
    "keywords": (lambda a, k=2, flag=True: a, "(a, k=2, flag=True)"),
    "a keyword by name alone": (lambda a, k=2, *, flag=True: a, "(a, k=2, *, flag=True)"),
    "a keyword without default": (lambda a, *, k: a, "(a, *, k)"),
    "any number": (lambda *parts: parts[0], "(*parts)"),
    "any number, keywords": (lambda *parts, k=1: parts[0], "(*parts, k=1)"),
    "an axis": (lambda a, axis=None: a, "(a, axis=None)"),  # what names PyTorch's words is no parameter
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_once_it_has_been_called(name):
    forward, expected = SIGNATURES[name]
    f = ag.op(forward, name="f", vjp=lambda g: (g,))
    f(*[A] * (2 if name == "inputs" else 1), **({"k": 1} if "k)" in expected else {}))
    assert str(inspect.signature(f)) == expected
    assert f.__name__ == f.__qualname__ == "f"


def broken(*args):
    raise KeyError("broken")


FAILING = {
    "forward, one input": (dict(forward=lambda x: broken(x), vjp=lambda g: g), 1, "_output = _forward(x_data)"),
    "forward, two inputs": (
        dict(forward=lambda a, b: broken(a, b), vjp=product),
        2,
        "_output = _forward(a_data, b_data)",
    ),
    "forward, any number": (dict(forward=lambda *p: broken(p), vjp=lambda g: (g,)), 2, "_output = _forward(*_data)"),
    "rule, one input": (dict(forward=lambda x: x * 1, vjp=lambda g: broken(g)), 1, "cotangent = _rule_0(g)"),
    "rule, second input": (
        dict(forward=lambda a, b: a * b, vjp=dict(a=lambda g: g, b=lambda g, a: broken(g))),
        2,
        "cotangent = _rule_1(g, a_residual)",
    ),
    "rule, joint": (
        dict(forward=lambda a, b: a * b, vjp=lambda g, a: broken(g)),
        2,
        "cotangents = _rule(g, residuals[0])",
    ),
    "mask": (
        dict(forward=lambda x: x * 1, vjp=lambda g: g, selects=lambda y: broken(y), elementwise=True),
        1,
        "cotangent = _select(_mask_0(y_residual), cotangent)",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_traceback_shows_the_written_line(name):
    declared, count, line = FAILING[name]
    f = ag.op(**declared, name="failing")
    with pytest.raises(KeyError, match="broken") as caught:
        f(*[leaf(A)] * count).sum().backward()
    shown = "".join(traceback.format_exception(caught.value))
    assert line in shown
    assert "of failing" in shown
    assert "broken" in shown
    linecache.checkcache()  # as a debugger does
    assert line in "".join(traceback.format_exception(caught.value))


def test_shapes_that_do_not_fit_are_told_with_the_op():
    f = ag.op(lambda a, b: a + b, name="plus", vjp=dict(a=lambda g: g, b=lambda g: g), elementwise=True)
    with pytest.raises(ShapeError, match=r"plus got \(3,\) and \(2,\): .*Elementwise ops broadcast: counted from the"):
        f(leaf(A), A[:2])


def test_cached_floats_need_a_definition():
    f = ag.op(lambda x: (x * 2, x * 3), name="caching", cache=["triple"], vjp=lambda g, triple: g * 2)
    with pytest.raises(RuleError, match=r"op 'caching': cache='triple' holds float64, a constant to second deriv"):
        f(leaf(A))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 7.0])
@pytest.mark.parametrize("layout", [lambda a: a, lambda a: a[::-1], lambda a: a.reshape(1, -1).T])
def test_select(dtype, bad, layout):
    g = layout(np.array([1.0, bad, -2.0, bad], dtype))
    mask = layout(np.array([True, False, True, False]))
    found = select(mask, g)
    np.testing.assert_array_equal(found, layout(np.array([1.0, 0.0, -2.0, 0.0], dtype)))
    assert found.dtype == dtype
    np.testing.assert_array_equal(select(mask, leaf(g)).data, found)
    assert select(np.False_, dtype(bad)) == 0
    assert select(np.True_, dtype(2.0)) == 2
