"""Writes into memory at which several values look mean in a program what they mean in NumPy."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError

A = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 4.0]])


def elimination(x):
    y = x * 1.0
    for i in range(len(y)):
        row = y[i]
        row /= row[i]
        for j in range(i + 1, len(y)):
            y[j] -= row * y[j, i]
    return (y * y).sum()


def rows(x):
    y = x * 1.0
    for row in y:
        row *= 2
    return (y * y).sum()


def turned(x):
    y = x * 1.0
    y.T[0] = 0
    return (y * y).sum()


def flat(x):
    y = x * 1.0
    z = y.reshape(-1)
    z[0] = 5.0
    return (y * y).sum()


def views_of_views(x):
    y = x * 1.0
    a = y.T
    b = a[1:]
    c = b[0]
    c += 1
    a *= 2
    b[0] = x[0]
    return (y * y).sum() + (a * x).sum() + (c**2).sum()


def steps(x):
    y = x * 1.0
    z, w = y[::2], y[:, ::-1]
    z *= 3
    w[0] += x[2]
    return (y * x).sum() + z.sum() + w.sum()


def parts(x):
    y = x * 1.0
    _, b, _ = np.split(y, 3)
    b *= 0
    return (y * y).sum()


def spread(x):
    y = x * 1.0
    z = np.broadcast_to(y[0], (2, 3))
    y[0] = 3.0
    return (z * 2).sum() + y.sum()


def one_row_to_another(x):
    y = x * 1.0
    a, b = y[0], y[1]
    a[:] = b
    b[:] = x[2] * 2
    return (y * y).sum() + (a * b).sum()


def diagonal(x):
    y = x * 1.0
    d = np.diagonal(y)
    y[0, 0] = x[1, 1] * 2
    return (d**2).sum() + (y * x).sum()


def axes(x):
    y = x * 1.0
    m, s = np.moveaxis(y, 0, 1), np.squeeze(y[None], 0)
    m[0] *= x[0]
    s[2] = x[1]
    return (y**2).sum() + (m * x).sum()


def filled(x):
    y = x * 1.0
    y[1].fill(2.0)
    y[2].sort()
    return (y * x).sum()


def an_array_of_its_own(x):
    y = ag.Tensor(np.zeros((3, 3)))
    for i in range(3):
        y[i] += x[i] * i
    last = y[2]
    last *= x[0]
    return (y * y).sum()


def made_alike(x):
    y, z = np.zeros_like(x), np.full_like(x, 2.0)
    y[0] = x[1]
    for i in range(1, 3):
        y[i] += y[i - 1] * x[i]
    z *= x
    w = np.full_like(x, x[0, 0])
    w -= y
    return (y * z).sum() + (w * np.empty_like(x, dtype=int).ndim).sum()


FOLLOWED = (elimination, rows, turned, flat, views_of_views, steps, parts, spread, one_row_to_another, diagonal, axes,
            filled, an_array_of_its_own, made_alike)  # fmt: skip
WAYS = {
    "gradient": ag.grad,
    "second order": lambda f: lambda x: ag.hvp(f)(x, x),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("f", FOLLOWED, ids=lambda f: f.__name__)
def test_a_write_is_seen_by_all_that_look_there(f, way):
    function = WAYS[way](f)
    for off in ((), ("in_place",), ("dead", "common")):
        compiled = ag.compile(function, off=off)
        for x in (A, A[::-1] * 1.1 + 0.1, A):
            np.testing.assert_allclose(compiled(x), function(x), rtol=1e-10)
        assert compiled.why == ""


@pytest.mark.parametrize("f", FOLLOWED, ids=lambda f: f.__name__)
def test_a_write_is_seen_in_each_example(f):
    xs = np.stack([A, A[::-1] * 1.1 + 0.1])
    for g in (f, ag.grad(f)):
        found = ag.vmap(g)(xs)
        np.testing.assert_allclose(found, np.stack([ag.value_and_grad(f)(x)[g is not f] for x in xs]), rtol=1e-10)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(ag.compile(ag.vmap(ag.grad(f)))(xs), found, rtol=1e-10)


def test_a_write_into_a_tensor_from_outside_is_seen_by_the_next_example():
    held = ag.Tensor([0.0, 0.0])

    def f(x):
        held[0] += x[0]
        return held.sum()

    np.testing.assert_array_equal(ag.vmap(f)(np.array([[1.0], [2.0], [3.0]])), [1.0, 3.0, 6.0])
    assert held.numpy().tolist() == [6.0, 0.0]


@pytest.mark.parametrize("f", [made_alike, lambda x: np.full_like(x, 2.0) + x], ids=["written into", "used"])
def test_an_array_that_is_made_alike_is_an_array_where_the_function_has_one(f):
    """``full_like`` was a Tensor in a program of arrays, and its result as well."""
    for x, kind in ((A, (np.ndarray, np.generic)), (ag.Tensor(A), ag.Tensor)):
        compiled = ag.compile(f)
        assert isinstance(compiled(x), kind)
        assert isinstance(compiled(x), kind)
        assert isinstance(f(x), kind)


@pytest.mark.parametrize("f", FOLLOWED, ids=lambda f: f.__name__)
def test_backward_through_a_program_that_writes(f):
    compiled = ag.compile(f)
    for k in (1.0, 1.1, 1.2):
        x, z = (ag.Tensor(A * k, requires_grad=True) for _ in range(2))
        loss = compiled(x)
        assert loss.item() == pytest.approx(f(z).item(), rel=1e-12)
        loss.backward()
        f(z).backward()
        np.testing.assert_allclose(x.grad.numpy(), z.grad.numpy(), rtol=1e-10)
        np.testing.assert_array_equal(x.numpy(), A * k)  # an argument is not written into


def test_the_source_writes_as_a_person_does():
    def f(x):
        y = x * 2
        part = y[1:]
        part += x[0]
        return y.sum(), part

    source = ag.compile(f).program(np.ones(3)).source
    assert ".copy('K')\n" in source
    assert "[1:] = " in source


def detached(x):
    y = x * 1.0
    d = y.detach()
    y[0] = 5.0
    return (d * y).sum()


def looked_at_without_recording(x):
    y = x * 1.0
    with ag.no_grad():
        r = y[0]
    y[0] = x[1]
    return (y * y).sum() + r.sum()


@pytest.mark.parametrize("f", [detached, looked_at_without_recording], ids=lambda f: f.__name__)
def test_where_it_cannot_be_followed_the_function_itself_runs(f):
    compiled, right = ag.compile(ag.grad(f)), ag.grad(f)(A)
    with pytest.warns(RuntimeWarning, match="a write into memory that another array may share"):
        np.testing.assert_allclose(compiled(A), right)
    np.testing.assert_allclose(compiled(A * 2), ag.grad(f)(A * 2))


def test_a_write_into_a_tensor_from_outside_is_seen_there():
    """It was lost: the program gave a new value, and the Tensor kept that of the first call."""
    held = ag.Tensor([1.0, 2.0])

    def f(x):
        held[0] = x[0]
        return held.sum()

    compiled = ag.compile(f)
    with pytest.warns(RuntimeWarning, match="a write into a Tensor from outside must be seen there"):
        compiled(ag.Tensor([5.0], requires_grad=True))
    compiled(ag.Tensor([7.0], requires_grad=True))
    assert held.numpy().tolist() == [7.0, 2.0]


def test_a_write_into_a_leaf_is_an_error_as_without():
    leaf = ag.Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(InPlaceError, match="a leaf that requires grad"):
        ag.compile(lambda x: leaf.__setitem__(0, x[0]), quiet=True)(np.ones(2))


def test_a_tensor_that_is_made_inside_gives_a_tensor():
    """An array came from arrays and a Tensor of the function's own, where the function itself gives a Tensor."""
    compiled = ag.compile(lambda x: x * ag.Tensor([1.0, 2.0]))
    for _ in range(2):
        assert isinstance(compiled(np.ones(2)), ag.Tensor)


def shuffled(x):
    y = x * 1.0
    np.random.default_rng(3).shuffle(y)
    return (y**3 * x).sum()


def read_after_it_was_written(x):
    y = np.concatenate([x[0], x[1]])
    y[::2] = y[:3]
    return (y**3).sum()


@pytest.mark.parametrize("way", [lambda f: ag.grad(ag.compile(f)), lambda f: ag.compile(ag.grad(f))])
@pytest.mark.filterwarnings("ignore:you are shuffling")
@pytest.mark.parametrize("f", [shuffled, read_after_it_was_written], ids=lambda f: f.__name__)
def test_what_a_write_overwrites_before_it_is_read_is_refused_as_without(f, way):
    """The program lost a row in silence."""
    for _ in range(2):
        with pytest.raises(InPlaceError, match="a view of"):
            way(f)(A)
    plainly = ag.compile(f, quiet=True)
    np.testing.assert_allclose(plainly(A), f(A))
    assert "in its own memory" in plainly.why


READ_ONLY = {
    "diagonal": np.diagonal,
    "broadcast_to": lambda y: np.broadcast_to(y[0], (2, 3)),
    "windows": lambda y: np.lib.stride_tricks.sliding_window_view(y, 2, axis=1),
}


@pytest.mark.parametrize("way", [ag.compile, lambda f: ag.grad(ag.compile(f)), lambda f: ag.compile(ag.grad(f))])
@pytest.mark.parametrize("look", READ_ONLY.values(), ids=READ_ONLY)
def test_a_view_that_numpy_does_not_write_into_is_refused(look, way):
    def f(x):
        y = x * 1.0
        look(y)[0] = 5.0
        return y.sum()

    with pytest.raises(ValueError, match="read-only"):
        f(A)
    for _ in range(2):
        with pytest.raises((InPlaceError, ValueError), match="read-only"):
            way(f)(A)
    with pytest.raises(InPlaceError, match="writing into a read-only view"):
        ag.vmap(f)(np.stack([A, A]))


def test_an_error_of_the_function_is_its_own_where_vmap_goes_one_by_one():
    """It comes up while the error that made that necessary is dealt with, and is not taken for it."""

    def f(x):
        y = x * 1.0
        y[0] += 1.0
        row = y[0]
        row *= 2.0
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        ag.vmap(f)(np.stack([A, A]))
