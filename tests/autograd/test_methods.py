"""NumPy's operators and methods on Tensors: value, dtype and what is refused are those of arrays."""

import math
import operator

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import DTypeError, InPlaceError, MissingRule
from tests.autograd.tools import leaf

_CHOSEN = np.array([[True, False, True], [True, True, False]])
METHODS = [
    ("sum", (), {}),
    ("sum", (0,), {}),
    ("sum", (), {"axis": 1, "keepdims": True}),
    ("prod", (), {"axis": 1}),
    ("mean", (0,), {}),
    ("mean", (), {"axis": (0, 1), "keepdims": True}),
    ("max", (), {}),
    ("max", (1,), {}),
    ("min", (), {"axis": 0, "keepdims": True}),
    ("var", (), {}),
    ("var", (), {"axis": 0, "ddof": 1}),
    ("std", (), {"ddof": 1, "keepdims": True}),
    ("sum", (), {"axis": 0, "where": _CHOSEN, "initial": 2.0}),
    ("prod", (), {"where": _CHOSEN, "initial": 2.0}),
    ("mean", (), {"axis": 0, "where": _CHOSEN}),
    ("max", (), {"axis": 1, "where": _CHOSEN, "initial": 0.4}),
    ("min", (), {"initial": 0.4}),
    ("var", (), {"where": _CHOSEN, "ddof": 1}),
    ("std", (), {"mean": np.array(0.25), "dtype": np.float64}),
    ("trace", (), {"dtype": np.float64}),
    ("conjugate", (), {}),
    ("cumsum", (), {}),
    ("cumsum", (1,), {}),
    ("cumprod", (), {"axis": 1}),
    ("reshape", (3, 2), {}),
    ("reshape", ((3, 2),), {}),
    ("reshape", (-1,), {}),
    ("reshape", (6,), {"order": "F"}),
    ("transpose", (), {}),
    ("transpose", (1, 0), {}),
    ("transpose", ((1, 0),), {}),
    ("ravel", (), {}),
    ("ravel", ("F",), {}),
    ("flatten", (), {}),
    ("swapaxes", (0, 1), {}),
    ("squeeze", (), {}),
    ("repeat", (2,), {}),
    ("repeat", ([1, 2],), {"axis": 0}),
    ("diagonal", (), {}),
    ("trace", (), {}),
    ("take", ([0, 2],), {"axis": 1}),
    ("compress", ([True, False],), {"axis": 0}),
    ("dot", (np.ones((3, 2)),), {}),
    ("clip", (-0.5, 0.5), {}),
    ("clip", (), {"min": 0}),
    ("round", (1,), {}),
    ("conj", (), {}),
    ("astype", (np.float32,), {}),
    ("astype", (int,), {}),
    ("copy", (), {}),
    ("argsort", (), {}),
    ("argmax", (), {}),
    ("argmax", (1,), {}),
    ("argmin", (), {"axis": 0}),
    ("all", (), {}),
    ("any", (), {"axis": 0}),
    ("tolist", (), {}),
    ("sum", (0, np.float32), {}),
    ("cumsum", (0, np.float32), {}),
]


# ------------------------------------------------------------------------------------------------------- operators

BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.floordiv]
COMPARE = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]
OTHERS = [
    2,
    2.5,
    np.float64(2.5),
    np.float32(2.5),
    np.int64(2),
    np.array([2.0, 3.0]),
    np.array([2, 3]),
    [2.0, 3.0],
    [2, 3],
    np.array(2.0),
    np.array([2.0, 3.0], np.float32),
    (2.0, 3.0),
]


@pytest.mark.parametrize("other", OTHERS, ids=repr)
@pytest.mark.parametrize("f", BINARY)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_operators_like_numpy(f, other, dtype):
    """Both ways round, with numbers, NumPy scalars, arrays and lists: value, dtype and gradient dtype."""
    array = np.array([1.5, 2.5], dtype)
    plain = np.asarray(other) if isinstance(other, list | tuple) else other
    for ours, theirs in [((leaf(array), other), (array, plain)), ((other, leaf(array)), (plain, array))]:
        y, expected = f(*ours), f(*theirs)
        assert isinstance(y, Tensor)
        assert y.dtype == expected.dtype
        np.testing.assert_array_equal(y.data, expected)
        x = next(part for part in ours if isinstance(part, Tensor))
        assert y.requires_grad == (f is not operator.floordiv)
        if y.requires_grad:
            y.sum().backward()
            assert x.grad.dtype == dtype
            assert x.grad.shape == x.shape


@pytest.mark.parametrize("other", OTHERS, ids=repr)
@pytest.mark.parametrize("f", BINARY)
def test_operators_on_scalars_like_numpy(f, other):
    x = leaf(1.5)
    plain = np.asarray(other) if isinstance(other, list | tuple) else other
    for y, expected in [(f(x, other), f(np.float64(1.5), plain)), (f(other, x), f(plain, np.float64(1.5)))]:
        assert isinstance(y, Tensor)
        assert (y.shape, y.dtype) == (np.shape(expected), expected.dtype)
        np.testing.assert_array_equal(y.data, expected)


@pytest.mark.parametrize("f", COMPARE)
def test_comparisons_give_plain_arrays(f):
    array, x = np.array([1.0, 2.0, 3.0]), leaf([1.0, 2.0, 3.0])
    for other in (2, 2.0, np.float64(2), np.array([3.0, 2.0, 1.0]), [3.0, 2.0, 1.0]):
        for result, expected in [
            (f(x, other), f(array, np.asarray(other))),
            (f(other, x), f(np.asarray(other), array)),
        ]:
            assert type(result) is np.ndarray
            np.testing.assert_array_equal(result, expected)
    assert type(f(x, x)) is np.ndarray
    assert f(leaf(1.0), 1.0) == f(1.0, 1.0)
    assert f(np.float64(1), leaf(1.0)) == f(1.0, 1.0)


def test_comparison_with_what_is_no_number():
    x = leaf([1.0, 2.0])
    assert not np.any(operator.eq(x, None))
    assert np.all(x != "text")
    with pytest.raises(TypeError):
        _ = x < "text"


def test_unary_operators():
    x = leaf([-1.5, 2.5])
    for y, expected in [
        (-x, [1.5, -2.5]),
        (+x, [-1.5, 2.5]),
        (abs(x), [1.5, 2.5]),
        (round(x), [-2, 2]),
        (round(x, 1), [-1.5, 2.5]),
    ]:
        np.testing.assert_array_equal(y.data, expected)
    assert not round(x).requires_grad


def test_matmul_both_ways():
    a, b = np.arange(6.0).reshape(2, 3), np.arange(3.0)
    np.testing.assert_array_equal((leaf(a) @ b).data, a @ b)
    np.testing.assert_array_equal((a @ leaf(b)).data, a @ b)
    np.testing.assert_array_equal((leaf(b) @ b.tolist()).data, b @ b)
    np.testing.assert_array_equal((a.tolist() @ leaf(b)).data, a @ b)


def test_divmod():
    for quotient, rest in (divmod(leaf(7.5), 2), divmod(7.5, leaf(2.0)), divmod(np.array([7.5]), leaf(2.0))):
        assert quotient.item() == 3
        assert rest.item() == 1.5
        assert not quotient.requires_grad
        assert rest.requires_grad


def test_operators_refuse_what_is_no_number():
    x = leaf([1.0, 2.0])
    for bad in ("text", None, object(), {1: 2}):
        with pytest.raises(TypeError):
            _ = x + bad
        with pytest.raises(TypeError):
            _ = bad * x
    with pytest.raises(DTypeError, match=r"ragged"):
        operator.add(x, [[1.0], [1.0, 2.0]])


@pytest.mark.parametrize(
    ("f", "name"), [(operator.and_, "&"), (operator.or_, "|"), (operator.xor, "^"), (operator.lshift, "<<")]
)
def test_bit_operators_are_not_defined(f, name):
    with pytest.raises(TypeError):
        f(leaf([1.0]), 1)


# ---------------------------------------------------------------------------------------------------------- methods


@pytest.mark.parametrize(("name", "args", "kwargs"), METHODS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_methods_like_ndarray(name, args, kwargs, dtype):
    array = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]], dtype)
    y, expected = getattr(leaf(array), name)(*args, **kwargs), getattr(array, name)(*args, **kwargs)
    if isinstance(y, Tensor):
        assert y.dtype == expected.dtype
        assert y.shape == expected.shape
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(y.data, expected, rtol=4 * eps, atol=4 * eps)
        assert y.requires_grad == (name != "round" and y.dtype.kind == "f")
    else:
        assert type(y) is type(expected)
        np.testing.assert_array_equal(y, expected)


def test_methods_beyond_ndarray():
    x = leaf([0.5, 2.0])
    for y, expected in [
        (x.exp(), np.exp),
        (x.log(), np.log),
        (x.sqrt(), np.sqrt),
        (x.tanh(), np.tanh),
        (x.abs(), np.abs),
        (x.relu(), lambda a: a),
        (x.sigmoid(), lambda a: 1 / (1 + np.exp(-a))),
        (x.softmax(), lambda a: np.exp(a) / np.exp(a).sum()),
    ]:
        np.testing.assert_allclose(y.data, expected(x.data))
    np.testing.assert_array_equal(x.real.data, x.data)
    np.testing.assert_array_equal(x.nonzero()[0], [0, 1])
    assert x.searchsorted(1.0) == 1
    assert x.ptp().item() == 1.5
    y = x * 1
    assert y.sort() is None
    np.testing.assert_array_equal(y.data, np.sort(x.data))
    np.testing.assert_array_equal(Tensor([1, 0]).choose(leaf([[1.0, 2.0], [3.0, 4.0]])).data, [3, 2])


def test_methods_of_results_under_no_grad_share_safely():
    """A view made under no_grad lets no write through into a recorded result."""
    y = leaf([1.0, 2.0, 3.0]).exp()
    before = y.data.copy()
    with ag.no_grad():
        view = y[:2]
        with pytest.raises(InPlaceError, match=r"\(by detach\(\), or as a view\) would change that result as well"):
            view += 100
    np.testing.assert_array_equal(y.data, before)


def test_undeclared_method():
    with pytest.raises(AttributeError):
        leaf([1.0]).partition_in_place()


def test_keyword_tensors():
    with pytest.raises(
        MissingRule,
        match=r"leaky_relu\(\): keyword 'negative_slope' has no gradient rule\. Pass negative_slope=…\.detach\(\)",
    ):
        ag.leaky_relu(leaf(1.0), negative_slope=leaf(0.1))
    assert ag.leaky_relu(leaf(-1.0), negative_slope=Tensor(0.5)).item() == -0.5


def test_erf_of_integers():
    assert ag.erf(Tensor([0, 1])).dtype == np.float64
    assert ag.erf(1) == pytest.approx(math.erf(1))
    assert ag.erf(np.array([0.5])) == pytest.approx([math.erf(0.5)], rel=1e-15)


def test_astype_without_copy():
    x = leaf([1.0])
    assert x.astype(np.float64, copy=False) is x
    assert x.astype(np.float64) is not x
    assert x.astype(np.float32, copy=False).dtype == np.float32
