"""What looks at a result without being recorded (``detach``, a view under no_grad) sees what is written into it.

What would be written *through* it changes the result, whose graph knows nothing of that: it is refused.
"""

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.laws.oracle import plain

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def quietly(f):
    """Return ``f`` run without recording."""
    return ag.no_grad()(f)


WAYS = {  # to a constant in the memory of y; the same on an array
    "detach": lambda y: y.detach(),
    "detach of a view": lambda y: y[1].detach(),
    "detach of a view of a view": lambda y: y.T[1:].detach(),
    "a view of detach": lambda y: y.detach()[:, ::2],
    "detach of detach": lambda y: y.detach().T.detach(),
    "a slice": quietly(lambda y: y[:1]),
    "transpose": quietly(lambda y: y.T),
    "reshape": quietly(lambda y: y.reshape(3, 2)),
    "diagonal": quietly(lambda y: np.diagonal(y)),
    "one of several": quietly(lambda y: np.split(y, 2)[1]),
    "a slice, detached": lambda y: quietly(lambda y: y[:1])(y).detach(),
    "a slice of a slice": lambda y: quietly(lambda y: y[1:])(y)[:, 1:],
    "one that requires grad": lambda y: leaf_in(y),
}
ON_ARRAYS = {
    "detach of a view": lambda y: y[1],
    "detach of a view of a view": lambda y: y.T[1:],
    "a view of detach": lambda y: y[:, ::2],
    "detach of detach": lambda y: y.T,
    "a slice, detached": lambda y: y[:1],
    "one that requires grad": lambda y: y,
    "detach": lambda y: y,
}
WRITES = {  # into y itself, a view, another name
    "+= 1": lambda y: y.__iadd__(1.0),
    "*= itself": lambda y: y.__imul__(y),
    "an element": lambda y: y.__setitem__((1, 0), 7.0),
    "a column through a view": lambda y: y.T.__setitem__(1, -1.0),
    "a row through a view": lambda y: y[1].__iadd__(y[0]),
    "sort": lambda y: y.sort(axis=0),
    "twice": lambda y: (y.__iadd__(1.0), y[0].__imul__(3.0)),
}


def leaf_in(y):
    d = y.detach()
    d.requires_grad = True
    return d


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("way", WAYS)
def test_a_write_into_the_result_is_seen(way, write):
    array = X * 1
    seen = ON_ARRAYS.get(way, WAYS[way])(array)
    WRITES[write](array)
    x = ag.Tensor(X, requires_grad=True)
    y = x * 1
    d = WAYS[way](y)
    WRITES[write](y)
    np.testing.assert_array_equal(plain(d), seen)
    np.testing.assert_array_equal(plain(y), array)
    assert not d.data.flags.writeable
    factor = np.arange(1.0, 1 + d.size).reshape(d.shape)
    (y.sum() + (d * factor).sum() * y[0, 0]).backward()  # d counts with its value alone

    def same(x):
        y = x * 1
        WRITES[write](y)
        return y.sum() + (seen * factor).sum() * y[0, 0]

    np.testing.assert_allclose(plain(x.grad), ag.grad(same)(X))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("recording", [True, False])
def test_a_write_through_it_is_refused_and_changes_nothing(way, recording):
    x = ag.Tensor(X, requires_grad=True)
    y = x * 1
    loss = (y * y).sum()
    d = WAYS[way](y)
    before = plain(d)
    for write in (lambda: d.__iadd__(1.0), lambda: d.__setitem__(0, 7.0), lambda: d.fill(7.0), lambda: d.sort()):
        with pytest.raises((InPlaceError, ValueError)) as caught, ag.enable_grad() if recording else ag.no_grad():
            write()
        assert "Use a copy" in str(caught.value)
    assert not d.data.flags.writeable
    np.testing.assert_array_equal(plain(d), before)
    np.testing.assert_array_equal(plain(y), X)
    loss.backward()
    np.testing.assert_array_equal(plain(x.grad), 2 * X)


def test_what_was_computed_before_the_write_keeps_its_gradient():
    w, x = ag.Tensor(X, requires_grad=True), ag.Tensor(X, requires_grad=True)
    y = x * 1
    d = y.detach()
    loss = (w * d).sum()
    y += 1
    loss.backward()
    np.testing.assert_array_equal(plain(w.grad), X)


def test_a_picture_shows_what_was_written():
    w, y = ag.Tensor([3.0], requires_grad=True), ag.Tensor([5.0], requires_grad=True) * 1
    d = y.detach()
    y *= 8.25
    assert "41.25" in ag.draw((w * d).sum()).source


def test_once_the_result_is_gone_the_memory_is_its_own():
    y = ag.Tensor(X, requires_grad=True) * 1
    y = y.detach()
    y += 1
    np.testing.assert_array_equal(plain(y), X + 1)
    y.data[0] = 0
    np.testing.assert_array_equal(plain(y), [[0, 0, 0], [5, 6, 7]])


def test_a_write_that_carries_a_gradient_into_memory_of_its_own():
    x = ag.Tensor(X, requires_grad=True)
    y = (x * 1).detach()
    y += x
    y[0] *= x[1]
    y.sum().backward()
    np.testing.assert_array_equal(plain(x.grad), [[4, 5, 6], [3, 5, 7]])


def test_memory_of_its_own_no_longer_follows():
    y = ag.Tensor(X, requires_grad=True) * 1
    d = y.detach()
    d.data = np.zeros((2, 3))
    y += 1
    np.testing.assert_array_equal(plain(d), 0)
    d += 2
    np.testing.assert_array_equal(plain(y), X + 1)


def test_a_leaf_made_of_it_can_be_trained():
    w = (ag.Tensor(X, requires_grad=True) * 1).detach()
    w.requires_grad = True
    (w * w).sum().backward()
    with ag.no_grad():
        w -= 0.5 * w.grad
    np.testing.assert_array_equal(plain(w), 0 * X)


def test_views_of_such_a_leaf_are_not_followed():
    y = ag.Tensor(X, requires_grad=True) * 1
    v = leaf_in(y)[0]
    with pytest.raises(InPlaceError, match=r"detached and then requires grad .* cannot be followed\. Detach a copy\."):
        y += 1
    np.testing.assert_array_equal(plain(v), X[0])
    np.testing.assert_array_equal(plain(y), X)


PARTS = {
    "imag": lambda z: quietly(lambda z: z.imag)(z),
    "imag, detached": lambda z: z.imag.detach(),
    "another dtype": lambda z: z.detach().real[::2].detach(),
    "recorded": lambda z: z.imag,
}


@pytest.mark.parametrize("name", PARTS)
def test_a_write_under_a_part_of_a_complex_number_is_refused(name):
    z = ag.Tensor(X * (1 + 2j), requires_grad=True) * 1
    part = PARTS[name](z)
    before = plain(part)
    with pytest.raises(InPlaceError, match=r"the \.real or \.imag of a Tensor looks at cannot be followed"):
        z += 1j
    np.testing.assert_array_equal(plain(part), before)


def test_it_holds_nothing_of_the_graph():
    x, c = ag.Tensor(X, requires_grad=True), ag.Tensor(np.ones_like(X))
    y = x * c
    d = y.detach()
    seen, kept = weakref.ref(y), weakref.ref(c.data)  # the graph keeps the factor for backward
    gc.disable()
    try:
        del c
        assert kept() is not None
        del y
        assert seen() is kept() is None
    finally:
        gc.enable()
    np.testing.assert_array_equal(plain(d), X)
