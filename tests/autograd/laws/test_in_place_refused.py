"""What NumPy refuses to write is refused here, and what shares memory by other ways spoils no graph."""

import itertools
import random

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.laws.oracle import plain

A = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
S = np.array([[1.0, 2.0], [3.0, 4.0]])
windows = np.lib.stride_tricks.sliding_window_view

# name: (what is written, the argument); each raises on arrays: memory that is read-only, shapes, dtypes, places
REFUSED = {
    "broadcast_to": (lambda y: np.broadcast_to(y, (2, 2, 3)).__setitem__(0, 5.0), A),
    "broadcast_to, in place": (lambda y: np.broadcast_to(y, (2, 2, 3)).__iadd__(5.0), A),
    "broadcast_to, one element": (lambda y: np.broadcast_to(y[0], (2, 3)).__setitem__((1, 2), 5.0), A),
    "view of broadcast_to": (lambda y: np.broadcast_to(y, (2, 2, 3))[0].__iadd__(5.0), A),
    "diagonal": (lambda y: np.diagonal(y).__iadd__(5.0), S),
    "diagonal, by index": (lambda y: np.diagonal(y).__setitem__(0, 5.0), S),
    "diagonal method": (lambda y: y.diagonal().__setitem__(0, 5.0), S),
    "diag of a matrix": (lambda y: np.diag(y).__iadd__(5.0), S),
    "linalg.diagonal": (lambda y: np.linalg.diagonal(y).__iadd__(5.0), S),
    "sliding windows": (lambda y: windows(y[0], 2).__setitem__(0, 5.0), A),
    "sliding windows, in place": (lambda y: windows(y[0], 2).__iadd__(5.0), A),
    "too many values": (lambda y: y.__setitem__(0, np.ones(4)), A),
    "too few rows": (lambda y: y.__setitem__(slice(None), np.ones((3, 3))), A),
    "a mask of another shape": (lambda y: y.__setitem__(np.array([True, False, True]), 5.0), A),
    "more values than a mask has": (lambda y: y.__setitem__(y > 3, np.ones(2)), A),
    "a row that is not there": (lambda y: y.__setitem__(2, 5.0), A),
    "a column that is not there": (lambda y: y.__setitem__((0, -4), 5.0), A),
    "a third axis": (lambda y: y.__setitem__((0, 0, 0), 5.0), A),
    "indices that are not there": (lambda y: y.__setitem__([0, 5], 5.0), A),
    "a fractional index": (lambda y: y.__setitem__(0.5, 5.0), A),
    "a text": (lambda y: y.__setitem__(0, "five"), A),
    "a larger array added": (lambda y: y.__iadd__(np.ones((2, 2, 3))), A),
    "a complex number added": (lambda y: y.__iadd__(1j), A),
    "a product of other shape": (lambda y: y.__imatmul__(np.ones((3, 2))), A),
    "sort by an axis that is not there": (lambda y: y.sort(axis=5), A),
    "a view of another shape": (lambda y: y[0].__iadd__(np.ones((2, 3))), A),
}


def results(x):
    """Return what a program may write into: a result, a constant, and one made without recording."""
    with ag.no_grad():
        quiet = ag.Tensor(x) * 1
    return {"a result": ag.Tensor(x, requires_grad=True) * 1, "a constant": ag.Tensor(x), "not recorded": quiet}


@pytest.mark.parametrize("kind", ["a result", "a constant", "not recorded"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_numpy_refuses_is_refused(name, kind):
    write, x = REFUSED[name]
    with pytest.raises((ValueError, TypeError, IndexError)):
        write(x.copy())
    y = results(x)[kind]
    with pytest.raises((ValueError, TypeError, IndexError, ag.AutogradError)):
        write(y)
    np.testing.assert_array_equal(plain(y), x)  # and nothing was written


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_write_leaves_the_graph_as_it_was(name):
    write, x = REFUSED[name]
    leaf = ag.Tensor(x, requires_grad=True)
    y = leaf * 2
    z = y * y
    with pytest.raises(Exception):  # noqa: B017, PT011 (which one is said above)
        write(y)
    (z.sum() + y.sum()).backward()
    np.testing.assert_array_equal(plain(leaf.grad), 8 * x + 2)


def without_recording(f):
    return lambda y: ag.no_grad()(f)(y)


SHARED = {  # ways to a second Tensor or array with the memory of a result
    "detach": lambda y: y.detach(),
    "detach of a view": lambda y: y[:].detach(),
    "a view of detach": lambda y: y.detach()[:],
    "transpose of detach": lambda y: y.detach().T,
    "Tensor of data": lambda y: ag.Tensor(y.data, copy=False),
    "Tensor of numpy()": lambda y: ag.Tensor(y.numpy(), copy=False),
    "data": lambda y: y.data,
    "numpy()": lambda y: y.numpy(),
    "numpy() of a view": lambda y: y[0].numpy(),
    "asarray without recording": without_recording(np.asarray),
    "view without recording": without_recording(lambda y: y[:]),
    "transpose without recording": without_recording(lambda y: y.T),
    "reshape without recording": without_recording(lambda y: y.reshape(-1)),
    "ravel without recording": without_recording(lambda y: y.ravel()),
    "buffer": lambda y: np.asarray(memoryview(y.numpy())),
}
WRITES = {
    "+=": lambda z: z.__iadd__(1.0),
    "[...] =": lambda z: z.__setitem__(..., 7.0),
    "first =": lambda z: z.__setitem__(0, 7.0),
    "fill": lambda z: z.fill(7.0) if hasattr(z, "fill") else z.__setitem__(..., 7.0),
    "without recording": lambda z: ag.no_grad()(lambda: z.__iadd__(1.0))(),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("share", SHARED)
def test_a_result_is_spoilt_by_no_other_way_to_its_memory(share, write):
    """The gradient is that of the values of the forward pass, or an error says what was changed."""
    x = ag.Tensor(A, requires_grad=True)
    y = x * 1
    loss = (y * y).sum()
    try:
        WRITES[write](SHARED[share](y))
        loss.backward()
    except (ag.AutogradError, ValueError):
        return
    np.testing.assert_array_equal(plain(x.grad), 2 * A)


OUTSIDE = {
    "an argument of vjp": lambda: pulled(lambda a, w: ag.vjp(lambda x: x * x, a), 0),
    "a value of vjp": lambda: pulled(lambda a, w: ag.vjp(np.exp, a), 2),
    "a constant of vjp": lambda: pulled(lambda a, w: ag.vjp(lambda x: x * w, a), 1),
    "an index of vjp": lambda: pulled(lambda a, w: ag.vjp(lambda x: x[w.astype(int) - 1] * x[0], a), 1),
    "a mask of vjp": lambda: pulled(lambda a, w: ag.vjp(lambda x: np.where(w > 1.5, x * x, x), a), 1),
}


def pulled(make, spoil):
    """Return the pullback at ones, after one of argument, constant and value was changed, and without that."""
    found = []
    for change in (False, True):
        a, w = np.array([1.0, 2.0]), np.array([1.0, 2.0])
        y, pullback = make(a, w)
        if change:
            (a, w, y)[spoil][...] = 1.0
        found.append(plain(pullback(np.ones(2))))
    return found


@pytest.mark.parametrize("name", OUTSIDE)
def test_arrays_that_change_after_the_forward_pass(name):
    try:
        right, found = OUTSIDE[name]()
    except (ag.AutogradError, ValueError):
        return
    np.testing.assert_array_equal(found, right)


def test_what_a_transform_gave_belongs_to_its_caller():
    gradient = ag.grad(lambda x: (x * x).sum())
    first = gradient(A)
    first += 100.0
    np.testing.assert_array_equal(gradient(A), 2 * A)


W = np.arange(9.0).reshape(3, 3)


def swapped(x, i, j):
    x[i], x[j] = x[j], x[i]


SWAPS = {
    "two rows": lambda x: swapped(x, 0, 1),
    "two columns": lambda x: swapped(x.T, 0, 2),
    "two rows by slices": lambda x: swapped(x, slice(0, 1), slice(1, 2)),
    "Generator.shuffle": lambda x: np.random.default_rng(0).shuffle(x),
    "RandomState.shuffle": lambda x: np.random.RandomState(1).shuffle(x),
    "random.shuffle": lambda x: random.Random(1).shuffle(x),
}
MAKE = {"a result": lambda x: ag.Tensor(x, requires_grad=True) * 1, "a constant": ag.Tensor}


@pytest.mark.filterwarnings("ignore:you are shuffling")
@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("name", SWAPS)
def test_rows_that_change_places_are_refused(name, make):
    """Row by row one of the two is lost, in NumPy, too; Generator.shuffle would do it to a Tensor alone."""
    y = make(W)
    with pytest.raises(InPlaceError, match=r"x\[i\], x\[j\] = x\[j\], x\[i\] .* Use x\[\[i, j\]\] = x\[\[j, i\]\]"):
        SWAPS[name](y)
    np.testing.assert_array_equal(plain(y), W)


def through_copies(x):
    x[0], x[1] = x[1].copy(), x[0].copy()


RIGHT = {
    "copies": through_copies,
    "by index": lambda x: x.__setitem__([0, 1], x[[1, 0]]),
    "an element": lambda x: swapped(x, (0, 1), (1, 0)),
    "a row with itself": lambda x: swapped(x, 1, 1),
    "numbers": lambda x: np.random.default_rng(1).shuffle(x.reshape(-1)),
    "one row": lambda x: x.__setitem__(0, x[1]),
}


@pytest.mark.filterwarnings("ignore:you are shuffling")
@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@pytest.mark.parametrize("name", RIGHT)
def test_what_changes_places_as_copies_is_right(name, make):
    y, right = make(W), W.copy()
    RIGHT[name](y)
    RIGHT[name](right)
    np.testing.assert_array_equal(plain(y), right)


def test_a_shuffled_copy():
    """Generator.permutation gives an array; its order, as an index, a Tensor with its gradient."""
    np.testing.assert_array_equal(np.sort(np.random.default_rng(0).permutation(ag.Tensor(S)), axis=0), S)
    with pytest.raises(ag.errors.ConversionError):
        np.random.default_rng(0).permutation(ag.Tensor(S, requires_grad=True))
    order = np.random.default_rng(0).permutation(2)
    np.testing.assert_array_equal(ag.grad(lambda x: (x[order] * S).sum())(S), S[np.argsort(order)])


OTHER_DTYPE = {
    "parts of complex numbers": (
        S[0] + 1j * S[1],
        lambda a: a.view(float),
        lambda g: np.ascontiguousarray(g).view(complex),
    ),
    "half of each number": (S[0], lambda a: a.view(np.float32)[1::2], lambda g: g.astype(float)),
}


@pytest.mark.parametrize("through", [True, False])
@pytest.mark.parametrize("name", OTHER_DTYPE)
def test_a_view_of_another_dtype_stops_a_write(name, through):
    x, forward, rule = OTHER_DTYPE[name]
    y = ag.Tensor(x, requires_grad=True) * 1
    v = ag.op(forward, vjp=rule, name="reinterpreted")(y)
    before = plain(v)
    with pytest.raises(InPlaceError, match=r"cannot be followed\. Write into a copy"):
        (v if through else y).__iadd__(1.0)
    np.testing.assert_array_equal(plain(y), x)
    np.testing.assert_array_equal(plain(v), before)


SLICES = [np.s_[i:j:k] for i in (None, 1, 2, 7) for j in (None, 0, 5, 6, 8) for k in (1, 2, 3, -1, -2, -3)]


def test_steps_within_one_memory_are_numpys_or_refused():
    """NumPy copies from one axis to itself element by element: ``x[::2] = x[:3]`` reads what it has written."""
    refused = 0
    for to, of in itertools.product(SLICES, SLICES):
        x = np.arange(9.0)
        if x[to].size != x[of].size:
            continue
        y, moved, right = ag.Tensor(x, requires_grad=True) * 1, x.copy(), x.copy()
        moved[to], right[to] = moved[of], right[of].copy()
        if np.array_equal(moved, right):
            y[to] = y[of]
            np.testing.assert_array_equal(plain(y), right)
        else:
            refused += 1
            with pytest.raises(InPlaceError, match="reads some elements after it has written them"):
                y[to] = y[of]
    assert refused


@pytest.mark.parametrize(
    "look",
    [
        np.diagonal,
        lambda y: np.broadcast_to(y, (2, 2, 3))[0],
        lambda y: windows(y, 2, axis=1)[0],
        lambda y: np.diagonal(y)[::-1],
    ],
    ids=["diagonal", "broadcast_to", "windows", "a view of one"],
)
def test_a_read_only_view_stays_one_when_its_base_is_written_into(look):
    y, a = ag.Tensor(A, requires_grad=True) * 1, A.copy()
    seen, right = look(y), look(a)
    y[0], a[0] = 7.0, 7.0
    np.testing.assert_array_equal(plain(seen), right)
    with pytest.raises(ValueError, match="read-only"):
        right[...] = 5.0
    with pytest.raises(InPlaceError, match="read-only"):
        seen[...] = 5.0
