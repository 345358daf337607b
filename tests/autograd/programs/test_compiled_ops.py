"""Every op, compiled: the same values, gradients and second order as without, on data that the trace did not see."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.errors import TraceError
from autograd.tree import flatten
from tests.autograd.rows import COMPLEX, MIXED, ROWS, arrays, backward, made_complex, samples, tensors

# These look at numbers to decide what to do: TraceError, or the function runs as itself.
BY_DATA = {
    "apply_along_axis", "average", "bincount", "block", "choose", "compress", "cond", "cov", "delete", "eig", "eigvals",
    "extract", "frexp", "geomspace", "histogram", "lstsq", "nanmax", "nanmin", "nanstd", "nanvar", "piecewise",
    "polyfit", "polydiv", "polymul", "polyval", "quantile", "repeat", "roots", "trim_zeros",
    *[name for name in ROWS if name.startswith("emath_")],
}  # fmt: skip
table = pytest.mark.parametrize("name", ROWS)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:numpy", "ignore:invalid value|divide by zero|overflow")


def pairs(name):
    """Yield two samples of one form, of which the second has other numbers."""
    yield from zip(samples(name, 7), samples(name, 8), strict=True)


def same(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


def run(f, args, kwargs):
    """Return the values and the gradients of all floating-point arguments."""
    given, leaves = tensors(args)
    y = f(*given, **kwargs)
    if any(isinstance(p, ag.Tensor) and p.requires_grad for p in flatten(y)[0]):
        backward(y)
    return arrays(y), [np.zeros(x.shape) if x.grad is None else x.grad.numpy() for x in leaves]


def attempt(compiled, args, kwargs):
    """Run a compiled op; None where it is refused, or runs as itself."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message=".*runs uncompiled")
            return run(compiled, args, kwargs)
    except (TraceError, RuntimeWarning):
        return None


@table
def test_value_and_gradient(name):
    f = ROWS[name]
    for first, second in pairs(name):
        compiled = ag.compile(f)
        for args, kwargs in (first, second, first):
            values, gradients = run(f, args, kwargs)
            found = attempt(compiled, args, kwargs)
            if found is None:
                assert name in BY_DATA
                break
            same(found[0], values)
            same(found[1], gradients)


@pytest.mark.parametrize("name", COMPLEX)
def test_value_and_gradient_of_complex_numbers(name):
    f = ROWS[name]
    for first, second in pairs(name):
        if "dtype" in first[1] or (name in MIXED and first[1].get("mode") in ("maximum", "minimum")):
            continue
        compiled = ag.compile(f)
        for args, kwargs in (first, second, first):
            given = made_complex(args)
            values, gradients = run(f, given, kwargs)
            found = attempt(compiled, given, kwargs)
            if found is None:
                assert name in BY_DATA | {"poly", "real_if_close"}
                break
            same(found[0], values)
            same(found[1], gradients)
