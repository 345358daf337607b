"""``np.emath`` inside and outside of the real domains."""

import numpy as np
import pytest

import autograd as ag

INSIDE, OUTSIDE = np.array([0.3, 0.7, 0.5]), np.array([-0.3, 0.7, -2.5])


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
@pytest.mark.parametrize("name", ["sqrt", "log", "log2", "log10", "arccos", "arcsin", "arctanh"])
def test_of_one_argument(name, dtype):
    f = getattr(np.emath, name)
    for x in (INSIDE.astype(dtype), OUTSIDE.astype(dtype), np.array([0.5, -3]).astype(dtype)):
        y = f(ag.Tensor(x, requires_grad=True))
        assert y.dtype == f(x).dtype
        np.testing.assert_allclose(y.data, f(x), rtol=1e-6)
        if dtype == np.float64:
            ag.check_grads(f, x)
        elif dtype == np.complex128:
            ag.check_grads(f, x + 0.2j)  # beside the cut


@pytest.mark.parametrize("f", [np.emath.logn, np.emath.power])
def test_of_two_arguments(f):
    for a in (INSIDE, -INSIDE):
        for b in (INSIDE, OUTSIDE):
            np.testing.assert_allclose(f(ag.Tensor(a), ag.Tensor(b)).data, f(a, b))
            ag.check_grads(f, a, b)
    np.testing.assert_array_equal(np.emath.power(ag.Tensor([2, 4]), -2).data, [0.25, 0.0625])
