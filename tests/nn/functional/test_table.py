"""One table for the fused ops of nn: each is held against its definition and against finite differences."""

import functools
import importlib
import pkgutil

import numpy as np
import pytest

import autograd as ag
import nn.functional
from autograd.errors import GradientError
from autograd.primitive import registry
from tests.autograd.rows import redeclared

MODULES = [
    importlib.import_module(f"nn.functional.{info.name}") for info in pkgutil.iter_modules(nn.functional.__path__)
]
ROWS = {
    name: row
    for name, row in registry.items()
    if hasattr(row, "op") and (getattr(row.op.forward, "__module__", None) or "").startswith("nn.")  # a ufunc has none
}
table = pytest.mark.parametrize("name", ROWS)


def samples(name):
    return list(ROWS[name].op.domain(np.random.default_rng(7)))


def as_tuple(y):
    return y if isinstance(y, tuple) else (y,)


def is_float(x):
    return isinstance(x, np.ndarray | np.generic) and x.dtype.kind == "f"


def gradients(function, args, kwargs, dtype=np.float64):
    """Give values, and the gradients of one random combination of the outputs."""
    rng = np.random.default_rng(3)
    inputs = [ag.Tensor(a, requires_grad=True, dtype=dtype) if is_float(a) else a for a in args]
    kwargs = {k: v.astype(dtype) if is_float(v) else v for k, v in kwargs.items()}
    outputs = as_tuple(function(*inputs, **kwargs))
    total = sum((y * rng.normal(size=y.shape).astype(dtype)).sum() for y in outputs if y.requires_grad)
    total.backward()
    return [y.data for y in outputs], [x.grad.data for x in inputs if isinstance(x, ag.Tensor) and x.grad is not None]


@pytest.mark.parametrize("name", [name for name in ROWS if ROWS[name].op.definition is not None])
def test_equals_its_definition(name):
    op = ROWS[name].op
    for args, kwargs in samples(name):
        fast, slow = (gradients(f, args, kwargs) for f in (ROWS[name], op.definition))
        for ours, theirs in zip(fast[0] + fast[1], slow[0] + slow[1], strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@table
def test_gradients_to_order_two(name):
    for args, kwargs in samples(name):
        ag.check_grads(lambda *xs, kwargs=kwargs: ROWS[name](*xs, **kwargs), *args, order=2)


@table
def test_plain_arrays_give_the_same_values(name):
    for args, kwargs in samples(name):
        values, _ = gradients(ROWS[name], args, kwargs)
        for ours, plain in zip(values, as_tuple(ROWS[name](*args, **kwargs)), strict=True):
            assert not isinstance(plain, ag.Tensor)
            np.testing.assert_array_equal(ours, plain)


@table
def test_float32_stays_float32(name):
    for args, kwargs in samples(name):
        values, grads = gradients(ROWS[name], args, kwargs, np.float32)
        exact, exact_grads = gradients(ROWS[name], args, kwargs)
        for ours, theirs in zip(values + grads, exact + exact_grads, strict=True):
            if theirs.dtype == np.float64:
                assert ours.dtype == np.float32
                np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=2e-5)


@table
def test_gradient_has_its_own_memory(name):
    """What a rule returns may be kept as .grad: changing it must not change the input."""
    for args, kwargs in samples(name)[:2]:
        copies = [np.array(a) for a in args]
        _, grads = gradients(ROWS[name], args, kwargs)
        for g in grads:
            g[...] = 7.0
        for a, copy in zip(args, copies, strict=True):
            np.testing.assert_array_equal(a, copy)


MUTANTS = {"scaled": lambda g: g * 1.001, "wrong sign": lambda g: -g}


@table
@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutants_are_rejected(name, mutant):
    op = ROWS[name].op
    (args, kwargs), change = samples(name)[0], MUTANTS[mutant]

    def mutated(rule):
        @functools.wraps(rule)
        def changed(*values):
            shares = rule(*values)
            many = isinstance(shares, tuple | list)
            return tuple(None if s is None else change(s) for s in shares) if many else change(shares)

        return changed

    if op.rules or op.joint:
        wrong = redeclared(op, mutated)
        with pytest.raises(GradientError):
            ag.check_grads(lambda *xs: wrong(*xs, **kwargs), *args, order=1)
