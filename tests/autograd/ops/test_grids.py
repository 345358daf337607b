"""Evenly spaced numbers between Tensors: NumPy for values and dtypes, ends, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError

A, B = np.array([0.5, 2.0]), np.array([[3.0], [1.0], [4.0]])


@pytest.mark.parametrize("f", [np.linspace, np.logspace, np.geomspace])
@pytest.mark.parametrize("num", [0, 1, 2, 5])
@pytest.mark.parametrize("endpoint", [True, False])
def test_values_and_dtypes_are_those_of_numpy(f, num, endpoint):
    for start, stop in [(A, B), (A.astype(np.float32), 3), (np.array(1), 2.0), (A, B.astype(np.float32)), (2, B)]:
        for axis in (0, -1):
            found = f(*[Tensor(x) if isinstance(x, np.ndarray) else x for x in (start, stop)], num, endpoint, axis=axis)
            expected = f(start, stop, num, endpoint, axis=axis)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found.data, expected, rtol=1e-5 if found.dtype == np.float32 else 1e-13)


def test_step():
    y, step = np.linspace(Tensor(A, requires_grad=True), 3, 4, retstep=True)
    np.testing.assert_allclose(step.data, (3 - A) / 3)
    step.sum().backward()
    assert y.requires_grad
    assert np.isnan(np.linspace(Tensor(A), 3, 1, retstep=True)[1].data).all()


def test_ends_get_their_parts():
    start, stop = ag.grad(lambda a, b: np.linspace(a, b, 5)[1], argnums=(0, 1))(2.0, 4.0)
    assert (start, stop) == (0.75, 0.25)


def test_ends_are_exact():
    y = np.linspace(Tensor(0.1), 0.7, 4)
    assert y.data[0] == 0.1
    assert y.data[-1] == 0.7


def test_integers_and_base():
    assert np.linspace(Tensor(0.0), 5.0, 3, dtype=int).data.tolist() == [0, 2, 5]
    np.testing.assert_allclose(np.logspace(Tensor(1.0), 2.0, 2, base=np.array([2, 3]), axis=1).data, [[2, 4], [3, 9]])
    ag.check_grads(lambda a, b, base: np.logspace(a, b, 3, base=base), A, B, np.array(2.5))


ERRORS = {
    "integers": (lambda x: np.linspace(x, 1, dtype=int), DTypeError, r"np.linspace\(…, dtype=int64\): integers"),
    "number": (lambda x: np.linspace(x, 1, -1), ArgumentError, "num must not be negative, got -1"),
    "zero": (lambda x: np.geomspace(x, 0), ArgumentError, "geomspace: no end may be 0, as no ratio leads there"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_messages(name):
    call, error, message = ERRORS[name]
    with pytest.raises(error, match=message):
        call(Tensor(A, requires_grad=True))
