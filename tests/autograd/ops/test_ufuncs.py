"""Methods of ufuncs: value of NumPy's, gradient of what they are loops over, to second order."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import AutogradError, InPlaceError, MissingRule

RNG = np.random.default_rng(0)
A = RNG.uniform(0.3, 2, (3, 4))
V = RNG.uniform(0.3, 2, 4)
UFUNCS = [np.add, np.subtract, np.multiply, np.divide, np.logaddexp, np.hypot, np.fmax, np.minimum]
over = pytest.mark.parametrize("ufunc", UFUNCS, ids=lambda f: f.__name__)


def leaf(x):
    return Tensor(x, requires_grad=True)


def same(f, *args, order=2):
    """Hold value, dtype and gradients of ``f`` against NumPy's and against differences."""
    ours, theirs = f(*map(leaf, args)), f(*args)
    assert isinstance(ours, Tensor)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.data, theirs, rtol=1e-13)
    ag.check_grads(f, *args, order=order)


@over
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize(("method", "args"), [("reduce", ()), ("accumulate", ()), ("reduceat", ([0, 2, 1],))])
def test_folds(ufunc, axis, method, args):
    same(lambda x: getattr(ufunc, method)(x, *args, axis=axis), A)


@over
def test_reduce_options(ufunc):
    same(lambda x: ufunc.reduce(x, axis=1, keepdims=True), A)
    same(lambda x: ufunc.reduce(x, axis=0, initial=1.5, where=A > 0.8), A)
    if ufunc is np.minimum:
        with pytest.raises(MissingRule, match=r"np\.minimum\.reduce\(…, dtype=…\) .*Use x\.astype"):
            ufunc.reduce(leaf(A), 1, np.float32)
    else:
        same(lambda x: ufunc.reduce(x, 1, np.float64), A)


@pytest.mark.parametrize("ufunc", [np.logaddexp, np.hypot, np.fmin], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [None, (0, 1), (1, 0), ()])
def test_several_axes(ufunc, axis):
    same(lambda x: ufunc.reduce(x, axis=axis), A)


@pytest.mark.parametrize("ufunc", [np.power, np.arctan2], ids=lambda f: f.__name__)
def test_a_fold_is_the_loop_that_it_stands_for_or_refused(ufunc):
    """In some NumPys the fast loops of these two give another number along the last axis."""
    same(lambda x: ufunc.reduce(x), A)
    same(lambda x: ufunc.accumulate(x), A)
    right = ufunc(ufunc(V[0], V[1]), V[2])
    if np.isclose(ufunc.reduce(V[:3]), right):
        np.testing.assert_allclose(ufunc.reduce(leaf(V[:3])).data, right)
    else:
        with pytest.raises(MissingRule, match=r"is not the fold that it stands for\. Write a loop over the axis"):
            ufunc.reduce(leaf(V[:3]))


def test_empty_and_refused_as_numpy_refuses():
    assert np.logaddexp.reduce(leaf(np.zeros((2, 0))), axis=1).data.tolist() == [-np.inf, -np.inf]
    assert np.logaddexp.accumulate(leaf(np.zeros(0))).shape == (0,)
    with pytest.raises(ValueError, match="reorderable"):
        np.subtract.reduce(leaf(A), axis=None)
    with pytest.raises(ValueError, match="no identity"):
        np.fmax.reduce(leaf(np.zeros(0)))
    with pytest.raises(IndexError):
        np.divide.reduceat(leaf(V), [0, 9])


PLACES = [([0, 0, 2, 0], [1, 1, 3, 1]), ([0, 2], [1, 1]), (slice(0, 2),), (np.array([1, 1]),), (Ellipsis, [2, 2, 0])]


@over
@pytest.mark.parametrize("places", PLACES, ids=str)
def test_at(ufunc, places):
    """Once for each time that an element is named, one after the other."""

    def changed(x, v):
        y = x * 1
        ufunc.at(y, places, v)
        return y

    shape, rng = A[places].shape, np.random.default_rng(2)  # none near a kink, in any order of tests
    same(changed, A, rng.uniform(0.3, 2, shape))
    same(changed, A, rng.uniform(0.3, 2, shape[-1:]))


def test_at_of_one_argument_and_through_a_view():
    def changed(x):
        y = x * 1
        row = y[1]
        np.exp.at(row, [0, 0, 3])
        return y

    same(changed, A / 2)


def test_at_changes_a_constant_and_refuses_a_leaf():
    t = Tensor(V)
    np.add.at(t, [0, 0], [1.0, 2.0])
    np.testing.assert_array_equal(t.data, V + np.array([3, 0, 0, 0]))
    with pytest.raises(InPlaceError, match="a leaf that requires grad"):
        np.add.at(leaf(V), [0], 1.0)
    with pytest.raises(MissingRule, match=r"np\.multiply\.at has no gradient rule\. .*Tensor"):
        np.multiply.at(V.copy(), [0], leaf([1.0]))


@pytest.mark.parametrize("method", ["reduce", "accumulate"])
def test_a_ufunc_without_a_rule_is_refused_by_name(method):
    with pytest.raises(MissingRule, match=rf"np\.nextafter\.{method} has no gradient rule"):
        getattr(np.nextafter, method)(leaf(V))


@pytest.mark.parametrize("method", ["reduce", "accumulate", "reduceat"])
def test_out_is_refused(method):
    args = ([0],) if method == "reduceat" else ()
    with pytest.raises(AutogradError, match="lose the gradient"):
        getattr(np.hypot, method)(leaf(A), *args, out=np.zeros_like(A))
