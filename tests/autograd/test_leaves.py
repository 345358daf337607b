"""What an optimizer asks of leaves, and which Tensors a result depends on."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError


def test_what_an_optimizer_needs_of_leaves():
    x, y = ag.Tensor([1.0, 2.0], True), ag.Tensor([3.0], True)
    (x * x).sum().backward()
    arrays, grads = ag.leaf_arrays([x, y])
    assert arrays[0] is x.data
    assert grads[1] is None
    np.testing.assert_array_equal(grads[0], [2.0, 4.0])
    loss = (x * x).sum()
    arrays[0][...] = 5.0
    ag.mark_changed([x])
    with pytest.raises(InPlaceError, match="was changed in place"):
        loss.backward()


def test_depends_on():
    x, y, z = (ag.Tensor([1.0, 2.0], requires_grad=True) for _ in range(3))
    constant = ag.Tensor([1.0, 2.0])
    result = (x * constant).sum() + y[0]
    assert ag.depends_on(result, [x, y, z, constant]) == [True, True, False, False]
    assert ag.depends_on(constant, [x]) == [False]
    assert ag.depends_on(x, [x, y]) == [True, False]
    assert ag.depends_on(x.detach() * y, [x, y]) == [False, True]
    deep = x
    for _ in range(5000):
        deep = deep + 1
    assert ag.depends_on(deep, [x, y]) == [True, False]
    y.requires_grad = False
    assert ag.depends_on(result, [x, y]) == [True, False]
