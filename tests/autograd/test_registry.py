"""One table for all ops: each is held against NumPy and against finite differences on samples from its own domain."""

import sys

import numpy as np
import pytest

import autograd as ag
from autograd.errors import AutogradError
from autograd.primitive import dispatch
from autograd.vjp import fit
from tests.autograd.rows import (
    ELEMENTWISE,
    ROWS,
    arrays,
    backward,
    domain_of,
    draw,
    in_dtype,
    is_float,
    numpy_names,
    ranges_of,
    samples,
    second,
    tensors,
    vary,
)

table = pytest.mark.parametrize("name", ROWS)
elementwise = pytest.mark.parametrize("name", ELEMENTWISE)


def strided(x):
    """Give the same values with gaps in memory and the axes in reversed order."""
    wide = np.empty((*x.shape[::-1], 2), x.dtype)
    out = wide[..., 1].T
    out[...] = x
    return out


def assert_equal(ours, theirs):
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@table
def test_has_a_domain(name):
    assert domain_of(ROWS[name]) is not None


def test_without_a_domain_is_refused():
    careless = ag.op(lambda x: x * 2, name="careless", vjp=lambda g: g * 2)
    with pytest.raises(AutogradError, match="'careless' has no domain="):
        domain_of(careless)


@table
def test_value_is_that_of_plain_arrays(name):
    for args, kwargs in samples(name):
        plain = ROWS[name](*args, **kwargs)
        assert not any(isinstance(part, ag.Tensor) for part in (plain if isinstance(plain, tuple | list) else [plain]))
        inputs, _ = tensors(args)
        y = ROWS[name](*inputs, **kwargs)
        assert type(y) is (type(plain) if isinstance(plain, tuple | list) else ag.Tensor)
        assert_equal(arrays(y), arrays(plain))


def numpy_functions():
    """List what NumPy dispatches to us; deprecated aliases only warn and call the same, counts are plain."""
    functions = [f for f, ours in dispatch.items() if not ours.__name__.startswith("scipy.")]
    return [f for f in functions if f.__name__ not in ("row_stack", "fix") and not f.__name__.startswith("histogram")]


@pytest.mark.parametrize("function", numpy_functions(), ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_numpy_function_is_dispatched(function, dtype):
    """np.f(tensor) has the value that NumPy itself gives for arrays, and is recorded."""
    rows = [name for name in ROWS if dispatch[function] is ROWS[name]]
    for args, kwargs in samples(rows[0]) if rows else [((np.array([0.5, -1.5]),), {})]:
        if function in (np.heaviside, np.floor_divide):
            args = (*args, 0.5)
        if function is np.full_like:
            args = (*args, 2.0)
        if function is getattr(np, "astype", None):
            args = (*args, np.float32)
        args = vary(args, lambda x: in_dtype(x, dtype))
        theirs = function(*args, **kwargs)
        inputs, _ = tensors(args)
        y = function(*inputs, **kwargs)
        if function is np.empty_like:
            assert y.shape == theirs.shape
            continue
        for ours, expected in zip(arrays(y), arrays(theirs), strict=True):
            assert ours.shape == expected.shape
            assert ours.dtype == expected.dtype
            eps = np.finfo(dtype).eps
            np.testing.assert_allclose(ours, expected, rtol=50 * eps, atol=50 * eps)
        parts = y if isinstance(y, tuple | list) else [y]
        assert all(isinstance(part, ag.Tensor) for part in parts)
        assert any(part.requires_grad for part in parts) == bool(rows or function is getattr(np, "astype", None))


@table
def test_gradients_to_order_two(name):
    for args, kwargs in samples(name):
        ag.check_grads(lambda *varied, kwargs=kwargs: ROWS[name](*varied, **kwargs), *args)


@table
def test_gradients_of_one_element(name):
    """What an op has to do with each element of its inputs decides what stays cut off behind an index."""
    for args, kwargs in samples(name):
        ag.check_grads(lambda *varied, kwargs=kwargs: second(ROWS[name](*varied, **kwargs)), *args, rtol=1e-4)


@table
def test_gradient_has_shape_and_dtype_of_input(name):
    for args, kwargs in samples(name):
        inputs, leaves = tensors(args)
        backward(ROWS[name](*inputs, **kwargs))
        for leaf in leaves:
            assert leaf.grad is not None
            assert leaf.grad.shape == leaf.shape
            assert leaf.grad.dtype == leaf.dtype


@table
def test_strided_input_is_like_contiguous(name):
    for args, kwargs in samples(name):
        if kwargs.get("order", "C") in "AK":
            continue  # asks for the order in memory
        found = []
        for change in (np.ascontiguousarray, strided):
            values, leaves = tensors(args)
            for leaf in leaves:
                leaf.data = change(leaf.data) if leaf.ndim else leaf.data
            y = ROWS[name](*values, **kwargs)
            backward(y)
            found.append([*arrays(y), *[leaf.grad.data for leaf in leaves]])
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14)


NARROW = (np.float32, np.complex64)


def widened(run):
    """List what was cast to float32 while ``run()`` ran: each call of ``fit`` that was given something wider."""
    found = []

    def watch(frame, event, argument):
        if event == "call" and frame.f_code is fit.__code__:
            cotangent, parent = frame.f_locals["cotangent"], frame.f_locals["parent"]
            if getattr(cotangent, "dtype", parent.dtype) not in (parent.dtype, *NARROW) and parent.dtype in NARROW:
                found.append((frame.f_locals["op"].name, cotangent.dtype))

    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


@table
def test_float32_stays_float32(name):
    """Also inside: no rule computes in float64 and is cast back by the engine."""
    for args, kwargs in samples(name):
        args = vary(args, lambda x: in_dtype(x, np.float32))
        inputs, leaves = tensors(args)
        y = ROWS[name](*inputs, **kwargs)
        wide = any(is_float(v) for v in kwargs.values()) or "dtype" in kwargs or name in IN_FLOAT64
        for part in arrays(y):
            assert part.dtype.kind not in "fc" or part.dtype in (np.float32, np.complex64) or wide
        cast = widened(lambda y=y: backward(y))
        assert all(leaf.grad.dtype == leaf.dtype for leaf in leaves)
        assert wide or not cast


@table
def test_label(name):
    row = ROWS[name]
    assert row.__name__
    if hasattr(row, "op"):
        assert row.op.name == name
        assert row.op.symbol
        assert row.op.symbol.isprintable()


IN_FLOAT64 = (
    "float_power",
    "interp",
    "bincount",
    "vander",
    "polyfit",
    "polyder",
    "polyint",
    "geomspace",
    "cov",
    "corrcoef",
    "sort_complex",
    "roots",
)  # whatever goes in, as in NumPy
BROADCASTS = [[(2, 3), (3,)], [(2, 1), (1, 3)], [(), (2,)], [(2,), ()], [(), ()], [(1, 1), (2,)]]


@elementwise
def test_elementwise_broadcasts(name):
    """Also down to 0-d inputs; gradients come back in the shapes of the inputs."""
    row, rng = ROWS[name], np.random.default_rng(3)
    count = len(ranges_of(row))
    for shapes in [[(3,)], [()], [(1,)]] if count == 1 else BROADCASTS:
        args = draw(row, shapes, rng)
        y = row(*[ag.Tensor(x, True) for x in args])
        assert y.shape == np.broadcast_shapes(*shapes)
        ag.check_grads(row, *args)


@elementwise
def test_elementwise_on_empty_arrays(name):
    row, rng = ROWS[name], np.random.default_rng(3)
    count = len(ranges_of(row))
    for shapes in [[(0,)], [(2, 0)]] if count == 1 else [[(0,), (0,)], [(0, 3), (3,)], [(2, 0), (1,)], [(), (0, 2)]]:
        leaves = [ag.Tensor(x, requires_grad=True) for x in draw(row, shapes, rng)]
        y = row(*leaves)
        assert y.shape == np.broadcast_shapes(*shapes)
        y.sum().backward()
        for leaf in leaves:
            np.testing.assert_array_equal(leaf.grad.data, np.zeros(leaf.shape))


@elementwise
def test_elementwise_takes_numbers_and_lists(name):
    """A plain operand is a constant, a Python number stays weak in float32."""
    row, rng = ROWS[name], np.random.default_rng(4)
    args = draw(row, [(3,)] * len(ranges_of(row)), rng)
    if len(args) == 1:
        assert isinstance(row(args[0].tolist()), np.ndarray)
        return
    for i, x in enumerate(args):
        t = ag.Tensor(x, requires_grad=True)
        other = args[1 - i]
        for given in (other, other.tolist(), ag.Tensor(other)):
            y = row(*((t, given) if i == 0 else (given, t)))
            np.testing.assert_array_equal(y.data, row(*args))
        t32, number = ag.Tensor(x.astype(np.float32), requires_grad=True), float(other[0])
        y = row(*((t32, number) if i == 0 else (number, t32)))
        assert y.dtype == (np.float64 if name == "float_power" else np.float32)
        y.sum().backward()
        assert t32.grad.dtype == np.float32


@pytest.mark.parametrize("name", [name for name in ROWS if numpy_names(name)])
def test_needs_no_gradient_when_no_input_does(name):
    for args, kwargs in samples(name):
        y = ROWS[name](*vary(args, ag.Tensor), **kwargs)
        assert not any(part.requires_grad for part in (y if isinstance(y, tuple | list) else [y]))
