"""np.f(tensor): recorded where there is a rule, plain where no derivative exists, an error by name elsewhere."""

import inspect

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import AutogradError, ConversionError, DTypeError, InPlaceError, MissingRule
from autograd.primitive import dispatch
from autograd.protocols import PLAIN

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])


def leaf(data=A):
    return Tensor(data, requires_grad=True)


# ------------------------------------------------------------------------------------------------------ three ways


def test_declared_function_is_recorded():
    y = np.exp(leaf())
    assert isinstance(y, Tensor)
    assert y.requires_grad
    assert isinstance(np.exp(Tensor(A)), Tensor)
    assert not np.exp(Tensor(A)).requires_grad


PLAIN_CALLS = {
    "less": (leaf(), 1.0),
    "greater_equal": (1.0, leaf()),
    "equal": (leaf(), leaf()),
    "logical_and": (leaf(), True),
    "logical_not": (leaf(),),
    "isnan": (leaf(),),
    "isfinite": (leaf(),),
    "isinf": (leaf(),),
    "signbit": (leaf(),),
    "all": (leaf(),),
    "any": (leaf(), 0),
    "allclose": (leaf(), A),
    "isclose": (A, leaf()),
    "array_equal": (leaf(), leaf()),
    "array_equiv": (leaf(), A),
    "argmax": (leaf(), 1),
    "argmin": (leaf(),),
    "argsort": (leaf(),),
    "argpartition": (leaf(), 1),
    "nanargmax": (leaf(),),
    "nonzero": (leaf(),),
    "flatnonzero": (leaf(),),
    "argwhere": (leaf(),),
    "count_nonzero": (leaf(),),
    "shape": (leaf(),),
    "ndim": (leaf(),),
    "size": (leaf(),),
    "result_type": (leaf(), 1.0),
    "iscomplexobj": (leaf(),),
    "isrealobj": (leaf(),),
    "searchsorted": (leaf([1.0, 2.0]), 1.5),
    "digitize": (leaf(), [0.0, 1.0]),
    "isposinf": (leaf(),),
    "isin": (leaf(), [0.5]),
    "histogram": (leaf(), [0.0, 1.0, 9.0]),
    "array_repr": (leaf(),),
    "array_str": (leaf(),),
    "may_share_memory": (leaf(), A),
    "shares_memory": (leaf(), A),
    "min_scalar_type": (leaf(),),
    "isreal": (leaf(),),
    "isscalar": (leaf(),),
}


@pytest.mark.parametrize("name", PLAIN_CALLS)
def test_plain_results(name):
    """Indices, truth values and descriptions are plain, as code that uses them expects."""
    f = getattr(np, name)
    args = PLAIN_CALLS[name]
    y, expected = f(*args), f(*[x.data if isinstance(x, Tensor) else x for x in args])
    assert not isinstance(y, Tensor)
    assert type(y) is type(expected)
    if isinstance(expected, tuple):
        for ours, theirs in zip(y, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    elif not isinstance(expected, str):
        np.testing.assert_array_equal(y, expected)


def test_no_function_is_declared_two_ways():
    assert not PLAIN & set(dispatch)


@pytest.mark.parametrize(
    "name",
    [
        "sign",
        "floor",
        "ceil",
        "trunc",
        "rint",
        "round",
        "around",
        "heaviside",
        "floor_divide",
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
    ],
)
def test_piecewise_constant_functions(name):
    f = getattr(np, name)
    args = (2.0,) if name in ("heaviside", "floor_divide", "full_like") else ()
    y = f(leaf(), *args)
    assert isinstance(y, Tensor)
    assert not y.requires_grad
    if name != "empty_like":
        np.testing.assert_array_equal(y.data, f(A, *args))
    assert type(f(Tensor([1, 2]), *args)) is Tensor


def test_fix_is_trunc():
    np.testing.assert_array_equal(np.fix(leaf()).data, np.trunc(A))


UNDECLARED = {
    np.unique: r"np\.unique has no gradient rule\. The set of values has no derivative; use np\.sort",
    np.nextafter: r"np\.nextafter has no gradient rule\. Its result is x1 but for the last bit: use that",
}


@pytest.mark.parametrize("function", UNDECLARED, ids=lambda f: f.__name__)
def test_undeclared_function_raises_by_name(function):
    x = leaf(np.eye(2))
    args = (3,) if function is np.nextafter else ()
    with pytest.raises(MissingRule, match=UNDECLARED[function]):
        function(x, *args)


@pytest.mark.parametrize("function", [f for f in UNDECLARED if f is not np.nextafter], ids=lambda f: f.__name__)
def test_undeclared_function_works_where_no_gradient_is_lost(function):
    x = np.eye(2)
    expected = function(x)
    with ag.no_grad():
        results = [function(leaf(x)), function(Tensor(x))]
    for y in [*results, function(Tensor(x)), function(leaf(x).detach())]:
        pairs = zip(y, expected, strict=True) if isinstance(expected, tuple) else [(y, expected)]
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)


def test_options_of_newer_numpys_are_passed_on():
    x = leaf()
    if "descending" in inspect.signature(np.sort).parameters:
        np.testing.assert_array_equal(np.sort(x, descending=True).data, np.sort(A)[:, ::-1])
    else:
        with pytest.raises(TypeError, match="descending"):
            np.sort(x, descending=True)


def test_weights_of_a_histogram_are_not_lost_silently():
    counts, edges = np.histogram(leaf([0.2, 0.7, 0.9]), 2, (0, 1), weights=[1.0, 2.0, 3.0])
    assert counts.tolist() == [1, 5]
    assert edges.tolist() == [0, 0.5, 1]
    assert np.histogram(np.array([0.2, 0.7]), 2, weights=leaf([1.0, 2.0]))[0].requires_grad


def test_undeclared_with_the_tensor_inside_a_list_or_keyword():
    with pytest.raises(MissingRule, match="histogramdd"):
        np.histogramdd([leaf([1.0, 2.0])])
    with pytest.raises(MissingRule, match="unique"):
        np.unique(ar=leaf([1.0, 2.0]))


@pytest.mark.parametrize(
    "call",
    [
        lambda w: np.histogram([0.0, 1.0, 1.0], weights=w),
        lambda w: np.histogram([0.0, 1.0, 1.0], 2, None, False, w),
    ],
)
def test_counts_are_plain_but_weights_are_not_lost(call):
    assert call(leaf([1.0, 2.0, 3.0]))[0].requires_grad
    np.testing.assert_array_equal(call(Tensor([1.0, 2.0, 4.0]))[0], call(np.array([1.0, 2.0, 4.0]))[0])
    np.testing.assert_array_equal(np.histogram(leaf(), range=(0, 5))[0], np.histogram(A, range=(0, 5))[0])


@pytest.mark.parametrize(
    "call",
    [
        lambda x, a: np.copyto(a, x),
        lambda x, a: np.put_along_axis(a, np.zeros((2, 1), int), x[:, :1], 1),
        lambda x, a: np.put(a, [0], x),
        lambda x, a: np.fill_diagonal(a, x),
        lambda x, a: np.place(a, a > 0, x),
        lambda x, a: np.putmask(a, a > 0, x),
    ],
)
def test_writing_functions_are_refused(call):
    array = A.copy()
    with pytest.raises((MissingRule, ConversionError), match=r"has no gradient rule|lose its gradient"):
        call(leaf(), array)
    np.testing.assert_array_equal(array, A)


def test_writing_functions_say_the_alternative():
    with pytest.raises(
        MissingRule, match=r"np\.copyto has no gradient rule\. Write y = np\.where\(mask, source, target\) instead"
    ):
        np.copyto(A.copy(), leaf())


WRITERS = {
    "copyto": lambda t: np.copyto(t, 0.0),
    "put": lambda t: np.put(t, [0], 0.0),
    "put_along_axis": lambda t: np.put_along_axis(t, np.zeros((2, 1), int), 0.0, 1),
    "fill_diagonal": lambda t: np.fill_diagonal(t, 0.0),
    "place": lambda t: np.place(t, A > 0, 0.0),
    "putmask": lambda t: np.putmask(t, A > 0, 0.0),
    "nextafter.at": lambda t: np.nextafter.at(t, [0], 1.0),
}


@pytest.mark.parametrize("name", WRITERS)
def test_writing_into_a_tensor_is_never_silent(name):
    """No graph would notice: not of a constant, not of a leaf or a result under no_grad."""
    x = leaf()
    results = np.exp(x), np.multiply(x, 2.0)
    with ag.no_grad():
        for t in (Tensor(A), x, *results):
            before = t.data.copy()
            with pytest.raises(InPlaceError, match=rf"np\.{name} would write into a Tensor, unseen.* instead"):
                WRITERS[name](t)
            np.testing.assert_array_equal(t.data, before)


# -------------------------------------------------------------------------------------------------- ufunc methods


@pytest.mark.parametrize(
    ("ufunc", "axis"), [(f, axis) for f in (np.add, np.multiply, np.maximum, np.minimum) for axis in (0, 1, None)]
)
def test_reduce(ufunc, axis):
    x = leaf()
    y = ufunc.reduce(x, axis=axis)
    np.testing.assert_allclose(y.data, ufunc.reduce(A, axis=axis))
    ag.check_grads(lambda x: ufunc.reduce(x, axis=axis), A)
    np.testing.assert_allclose(ufunc.reduce(x).data, ufunc.reduce(A))
    np.testing.assert_allclose(ufunc.reduce(x, 1, keepdims=True).data, ufunc.reduce(A, 1, keepdims=True))


def test_reduce_with_dtype_and_start():
    x = leaf()
    assert np.add.reduce(x, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(np.add.reduce(x, 0, None, None, True).data, np.add.reduce(A, 0, None, None, True))
    np.testing.assert_allclose(np.add.reduce(x, initial=2.0).data, np.add.reduce(A, initial=2.0))
    np.testing.assert_allclose(np.add.reduce(x, where=A > 0).data, np.add.reduce(A, where=A > 0))


@pytest.mark.parametrize(("ufunc", "axis"), [(f, axis) for f in (np.add, np.multiply) for axis in (0, 1)])
def test_accumulate(ufunc, axis):
    y = ufunc.accumulate(leaf(), axis=axis)
    np.testing.assert_allclose(y.data, ufunc.accumulate(A, axis=axis))
    ag.check_grads(lambda x: ufunc.accumulate(x, axis=axis), A)
    np.testing.assert_allclose(ufunc.accumulate(leaf()).data, ufunc.accumulate(A))


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.divide, np.maximum, np.arctan2])
def test_outer(ufunc):
    a, b = np.array([1.0, 2.0, 3.5]), np.array([[0.5, 0.7]])
    for args in [(leaf(a), b), (a, leaf(b)), (leaf(a), leaf(b)), (leaf(a), 2.0), (2.0, leaf(b))]:
        y = ufunc.outer(*args)
        expected = ufunc.outer(*[x.data if isinstance(x, Tensor) else x for x in args])
        assert isinstance(y, Tensor)
        np.testing.assert_array_equal(y.data, expected)
    ag.check_grads(ufunc.outer, a, b)


def test_outer_with_options():
    a = leaf([1.0, 2.0])
    y = np.multiply.outer(a, [3.0, 4.0], dtype=np.float32)
    np.testing.assert_array_equal(y.data, np.array([[3, 4], [6, 8]], np.float32), strict=True)
    with pytest.raises(MissingRule, match="where"):
        np.multiply.outer(a, [3.0, 4.0], where=np.eye(2, dtype=bool))


def test_methods_without_a_rule_work_on_constants():
    np.testing.assert_array_equal(np.add.reduceat(Tensor(A), [0, 1]), np.add.reduceat(A, [0, 1]))
    np.testing.assert_array_equal(np.logaddexp.reduce(Tensor(A)), np.logaddexp.reduce(A))


def test_at_with_a_tensor_as_values():
    array = np.zeros(3)
    with pytest.raises(MissingRule, match=r"np\.add\.at"):
        np.add.at(array, [0, 1], leaf([1.0, 2.0]))
    np.testing.assert_array_equal(array, np.zeros(3))
    np.add.at(array, [0, 0], Tensor([1.0, 2.0]))
    np.testing.assert_array_equal(array, [3, 0, 0])


# ---------------------------------------------------------------------------------------------------- ufunc options


def test_out_into_an_array_would_lose_the_gradient():
    array = np.zeros_like(A)
    with pytest.raises(ConversionError, match=r"np\.add into a plain array would lose the gradient of a Tensor"):
        np.add(leaf(), 1.0, out=array)
    np.testing.assert_array_equal(np.add(Tensor(A), 1.0, out=array), A + 1)
    with ag.no_grad():
        np.multiply(leaf(), 2.0, out=array)
    np.testing.assert_array_equal(array, A * 2)
    np.add.reduce(Tensor(A), out=array[0])
    np.testing.assert_allclose(array[0], A.sum(0))


def test_out_into_a_tensor():
    for x in (leaf(), Tensor(A)):
        with pytest.raises(
            ConversionError, match=r"np\.exp\(…, out=tensor\): a Tensor cannot be an output\. Write t = np\.exp\(…\)"
        ):
            np.exp(A, out=x)
    with pytest.raises((ConversionError, TypeError)):
        np.sum(A, axis=0, out=Tensor(np.zeros(3)))


@pytest.mark.parametrize("function", [np.sum, np.mean, np.cumsum, np.max, np.prod])
def test_out_of_functions(function):
    with pytest.raises(ConversionError, match=rf"np\.{function.__name__}.*out"):
        function(leaf(), axis=0, out=np.zeros(3))


def test_dtype():
    x = leaf()
    y = np.add(x, 1, dtype=np.float32)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y.data, np.add(A, 1, dtype=np.float32))
    y.sum().backward()
    assert x.grad.dtype == np.float64
    assert np.exp(leaf(A.astype(np.float32)), dtype=np.float64).dtype == np.float64


def test_where_option():
    with pytest.raises(
        MissingRule, match=r"np\.exp\(…, where=…\) has no gradient rule\. Leave where out, or use np\.where"
    ):
        np.exp(leaf(), where=A > 0)
    assert np.exp(leaf(), where=True).requires_grad
    out = np.zeros_like(A)
    np.exp(Tensor(A), where=A > 0, out=out)
    np.testing.assert_array_equal(out, np.where(A > 0, np.exp(A), 0))


def test_casting_option():
    with pytest.raises(MissingRule, match="casting"):
        np.add(leaf(), 1, casting="no")
    np.testing.assert_array_equal(np.add(Tensor(A), 1, casting="same_kind"), A + 1)


# --------------------------------------------------------------------------------------- among other types of arrays


def test_functions_take_numpy_arguments_by_position_and_name():
    x = leaf()
    for ours, theirs in [
        (np.sum(x, 0), np.sum(A, 0)),
        (np.sum(a=x, axis=1), A.sum(1)),
        (np.sum(x, -1, None, None, True), A.sum(-1, keepdims=True)),
        (np.mean(x, (0, 1)), A.mean()),
        (np.var(x, 1, None, None, 1), np.var(A, 1, None, None, 1)),
        (np.std(x, axis=0, ddof=1), A.std(0, ddof=1)),
        (np.max(x, 1, None, True), A.max(1, keepdims=True)),
        (np.amax(x, axis=0), A.max(0)),
        (np.amin(a=x), A.min()),
        (np.reshape(x, (3, 2)), A.reshape(3, 2)),
        (np.reshape(x, -1), A.ravel()),
        (np.reshape(x, (3, 2), order="F"), A.reshape((3, 2), order="F")),
        (np.transpose(x), A.T),
        (np.transpose(x, axes=(1, 0)), A.T),
        (np.expand_dims(x, 0), A[None]),
        (np.expand_dims(x, axis=(0, 2)), A[None, :, None]),
        (np.squeeze(x[None], axis=0), A),
        (np.concatenate((x, A)), np.concatenate((A, A))),
        (np.concatenate([A, x], axis=1), np.hstack([A, A])),
        (np.concatenate([x, x], None), np.concatenate([A, A], None)),
        (np.stack([x, A], -1), np.stack([A, A], -1)),
        (np.clip(x, 0, 1), A.clip(0, 1)),
        (np.clip(x, 0, None), A.clip(0)),
        (np.clip(x, None, 1), A.clip(None, 1)),
        (np.clip(x, a_min=0, a_max=1), A.clip(0, 1)),
        (np.where(A > 0, x, 0), np.where(A > 0, A, 0)),
        (np.where(x > 0, 1.0, x), np.where(A > 0, 1.0, A)),
        (np.tile(x, 2), np.tile(A, 2)),
        (np.tile(x, (2, 1)), np.tile(A, (2, 1))),
        (np.repeat(x, 2, 0), np.repeat(A, 2, 0)),
        (np.roll(x, 1), np.roll(A, 1)),
        (np.roll(x, (1, 2), axis=(0, 1)), np.roll(A, (1, 2), axis=(0, 1))),
        (np.flip(x, 1), np.flip(A, 1)),
        (np.diff(x, n=1, axis=0), np.diff(A, axis=0)),
        (np.pad(x, 1), np.pad(A, 1)),
        (np.pad(x, ((1, 0), (0, 2)), "constant", constant_values=3), np.pad(A, ((1, 0), (0, 2)), constant_values=3)),
        (np.einsum("ij,kj->ik", x, A), A @ A.T),
        (np.dot(x, A.T), A @ A.T),
        (np.matmul(A.T, x), A.T @ A),
        (np.tensordot(x, A, axes=([1], [1])), A @ A.T),
        (np.trace(x), A.trace()),
        (np.tril(x, -1), np.tril(A, -1)),
        (np.triu(x), np.triu(A)),
        (np.diag(x[0]), np.diag(A[0])),
        (np.linalg.norm(x), np.linalg.norm(A)),
        (np.linalg.norm(x, 2, 1), np.linalg.norm(A, 2, 1)),
        (np.sort(x), np.sort(A)),
        (np.sort(x, axis=None), np.sort(A, axis=None)),
        (np.take(x, [0, 1], 1), A[:, :2]),
        (np.moveaxis(x, 0, -1), A.T),
        (np.average(x, axis=1, weights=[1, 2, 3]), np.average(A, axis=1, weights=[1, 2, 3])),
        (np.median(x, axis=1), np.median(A, axis=1)),
        (np.nan_to_num(x, copy=False), A),
        (np.power(x, 2), A**2),
        (np.round(x, 1), A.round(1)),
        (np.round(x, decimals=1), A.round(1)),
        (np.atleast_3d(x), np.atleast_3d(A)),
        (np.broadcast_to(x, (2, 2, 3)), np.broadcast_to(A, (2, 2, 3))),
        (np.cumsum(x, 1), A.cumsum(1)),
        (np.ptp(x, 0), np.ptp(A, 0)),
        (np.rot90(x, 3), np.rot90(A, 3)),
        (np.swapaxes(x, 0, 1), A.T),
        (np.ravel(x, order="F"), A.ravel("F")),
        (np.outer(x, [1, 2]), np.outer(A, [1, 2])),
        (np.prod(x, axis=(0, 1)), A.prod()),
        (np.select([A > 1, A < 0], [x, 2 * x], 7.0), np.select([A > 1, A < 0], [A, 2 * A], 7.0)),
        (np.trapezoid(x, dx=0.5), np.trapezoid(A, dx=0.5)),
        (np.trapezoid(x, [0, 1, 3]), np.trapezoid(A, [0, 1, 3])),
        (np.kron(x, [1, 2]), np.kron(A, [1, 2])),
        (np.nansum(x, 0), np.nansum(A, 0)),
        (np.linalg.multi_dot([x, A.T, x]), A @ A.T @ A),
        (np.cross(x, A[::-1]), np.cross(A, A[::-1])),
    ]:
        assert isinstance(ours, Tensor)
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-13)


def test_nested_lists_of_tensors():
    x, y = leaf(1.0), leaf(2.0)
    joined = np.stack([x, 3.0, y * 2])
    joined.sum().backward()
    assert (x.grad.item(), y.grad.item()) == (1, 2)
    np.testing.assert_array_equal(np.concatenate([leaf([1.0]), [2.0], np.array([3.0])]).data, [1, 2, 3])
    np.testing.assert_array_equal(np.array([leaf(1.0).detach(), 2.0]), [1, 2])


def test_unknown_array_type_may_answer():
    class Lazy:
        def __array_function__(self, function, types, args, kwargs):
            return "answered"

    assert np.union1d(Tensor([1.0]), Lazy()) == "answered"


def test_masked_arrays_as_operands():
    """A subclass of ndarray is read as the array it is, if that loses nothing (see test_application)."""
    y = leaf([1.0, 2.0]) * np.ma.masked_array([3.0, 4.0])
    assert isinstance(y, Tensor)
    np.testing.assert_array_equal(y.data, [3, 8])
    y.sum().backward()


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, np.array(["a"])),
        lambda x: x * np.array([None]),
    ],
)
def test_other_dtypes_raise(call):
    with pytest.raises((DTypeError, TypeError)):
        call(leaf())


def test_never_an_object_array():
    x = leaf([1.0, 2.0])
    for make in (
        lambda: np.array([x, x], dtype=object),
        lambda: np.asarray([x, 1.0], dtype=object),
        lambda: np.full(2, x),
    ):
        try:
            made = make()
        except (AutogradError, ValueError, TypeError):
            continue
        assert isinstance(made, Tensor)


def test_linspace_and_arange_from_numbers():
    np.testing.assert_array_equal(np.arange(Tensor(3)), [0, 1, 2])
    np.testing.assert_array_equal(np.zeros(Tensor(2)), [0, 0])


def test_everything_numpy_offers_is_decided():
    """Each function of NumPy gives a Tensor, a plain result, or one of our errors; never a silent detach."""
    silent = []
    x = leaf(np.array([[2.0, 0.5], [0.5, 3.0]]))
    for module in (np, np.linalg):
        for name in dir(module):
            f = getattr(module, name)
            if not callable(f) or isinstance(f, type) or name.startswith("_") or name in SKIP:
                continue
            try:
                with np.errstate(all="ignore"):
                    y = f(x)
            except (
                AutogradError,
                TypeError,
                ValueError,
                IndexError,
                AttributeError,
                np.linalg.LinAlgError,
                DeprecationWarning,
            ):
                continue
            parts = y if isinstance(y, tuple | list) else [y]
            if f not in PLAIN and any(isinstance(p, np.ndarray | np.floating) and p.dtype.kind in "fO" for p in parts):
                silent.append(name)
    assert silent == []


SKIP = {
    "asmatrix",
    "typename",
    "show_config",
    "show_runtime",
    "info",
    "test",
    "asarray",
    "save",
    "savez",
    "savez_compressed",
    "setbufsize",
    "seterr",
}


def parameters_of(function):
    """List the parameters that can be given by position, and all parameters."""
    if hasattr(function, "op"):
        return [*function.op.inputs, *function.op.keywords], [*function.op.inputs, *function.op.keywords]
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)], [p.name for p in found]


# NumPy's own x1, x2 can be given by position only; real and real_if_close share one function; einsum takes **kwargs;
# newshape and interpolation are older names, bias and ddof (of corrcoef) had no effect.
OTHER_NAMES = {"x1", "x2", "x", "val", "a", "kwargs", "device", "newshape", "interpolation", "bias", "ddof"}


@pytest.mark.parametrize("function", [f for f in dispatch if not isinstance(f, np.ufunc)], ids=lambda f: f.__name__)
def test_parameters_are_numpys(function):
    """Each argument that NumPy takes is taken under its name and at its place."""
    try:
        theirs, names = parameters_of(function)
    except ValueError:
        pytest.skip("NumPy tells no signature here")
    ours, accepted = parameters_of(dispatch[function])
    if accepted == ["args", "kwargs"] or function.__name__ == "real":
        return
    assert set(names) - set(accepted) <= OTHER_NAMES or "newer" in accepted
    for mine, numpys in zip(ours, theirs, strict=False):
        assert mine == numpys or numpys in OTHER_NAMES


def test_clip_into_an_array():
    with pytest.raises(ConversionError, match=r"np\.clip\(…, out=…\)"):
        np.clip(leaf(), 0, 1, out=np.zeros_like(A))


def test_einsum_with_lists_of_axes():
    ag.check_grads(lambda a: np.einsum(a, [0, 1], A, [2, 1], [0, 2]), A)
    np.testing.assert_allclose(np.einsum(leaf(), [0, 1], A, [2, 1], [0, 2]).data, A @ A.T)


@pytest.mark.parametrize("f", [np.diag_indices_from, np.tril_indices_from, np.triu_indices_from])
def test_indices_of_a_square(f):
    for ours, theirs in zip(f(leaf(np.eye(3))), f(np.eye(3)), strict=True):
        np.testing.assert_array_equal(ours, theirs)
