"""An array that an op was given may be changed later: the gradient is that of the forward's values, or refused."""

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from tests.autograd.laws.oracle import plain

X = np.array([0.4, 1.3, 2.2])
M = np.array([[2.0, 0.3, 0.1], [0.3, 3.0, 0.2], [0.1, 0.2, 4.0]])


def floats(*numbers):
    return np.array(numbers, float)


# name: (a program of x and an array, that array, what is written into it)
GIVEN = {
    "factor": (lambda x, a: x * a, floats(1, 2, 3), 0.0),
    "divisor": (lambda x, a: a / x, floats(1, 2, 3), 0.0),
    "exponent": (lambda x, a: x**a, floats(1, 2, 3), 0.0),
    "base": (lambda x, a: a**x, floats(1, 2, 3), 1.0),
    "matrix": (lambda x, a: a @ x, M.copy(), 0.0),
    "dot": (lambda x, a: np.dot(x, a), floats(1, 2, 3), 0.0),
    "outer": (lambda x, a: np.outer(a, x), floats(1, 2, 3), 0.0),
    "einsum": (lambda x, a: np.einsum("ij,j,j->i", a, x, x), M.copy(), 0.0),
    "tensordot": (lambda x, a: np.tensordot(a, x, 1), M.copy(), 0.0),
    "kron": (lambda x, a: np.kron(x, a), floats(1, 2), 0.0),
    "convolve": (lambda x, a: np.convolve(x, a), floats(1, 2), 0.0),
    "cross": (lambda x, a: np.cross(x, a), floats(1, 2, 3), 0.0),
    "solve": (lambda x, a: np.linalg.solve(a, x), M.copy(), np.eye(3)),
    "index": (lambda x, a: x[a], np.array([2, 0]), 1),
    "index of two axes": (lambda x, a: np.outer(x, x)[a, 1], np.array([2, 0]), 1),
    "mask as an index": (lambda x, a: x[a], np.array([True, False, True]), False),
    "take": (lambda x, a: np.take(x, a), np.array([2, 0]), 1),
    "take along an axis": (lambda x, a: np.take_along_axis(x, a, 0), np.array([2, 0]), 1),
    "where": (lambda x, a: np.where(a, x * x, x), np.array([True, False, True]), False),
    "where, a value": (lambda x, a: np.where(x > 1, x * a, a), floats(1, 2, 3), 0.0),
    "where=": (lambda x, a: np.sum(x * x, where=a), np.array([True, False, True]), False),
    "choose": (lambda x, a: np.choose(a, [x, x * x]), np.array([0, 1, 0]), 1),
    "select": (lambda x, a: np.select([a], [x * x], x), np.array([True, False, True]), False),
    "compress": (lambda x, a: np.compress(a, x), np.array([True, False, True]), False),
    "maximum": (lambda x, a: np.maximum(x, a), floats(1, 1, 3), -9.0),
    "clip": (lambda x, a: np.clip(x, a, 2), floats(1, 1, 0), -9.0),
    "hypot": (lambda x, a: np.hypot(x, a), floats(1, 2, 3), 0.0),
    "arctan2": (lambda x, a: np.arctan2(a, x), floats(1, 2, 3), 0.0),
    "logaddexp": (lambda x, a: np.logaddexp(x, a), floats(1, 2, 3), 0.0),
    "copysign": (lambda x, a: np.copysign(x, a), floats(-1, 1, -1), 1.0),
    "mod": (lambda x, a: np.mod(a, x), floats(1, 2, 3), 0.0),
    "ldexp": (lambda x, a: np.ldexp(x, a), np.array([1, 2, 3]), 0),
    "average": (lambda x, a: np.average(x * x, weights=a), floats(1, 2, 3), 1.0),
    "cov": (lambda x, a: np.cov(x, aweights=a), floats(1, 2, 3), 1.0),
    "quantile": (lambda x, a: np.quantile(x, a), floats(0.2, 0.7), 0.5),
    "interp, xp": (lambda x, a: np.interp(x, a, [0.0, 1.0, 5.0]), floats(0, 1, 3), [0.0, 2.0, 9.0]),
    "interp, fp": (lambda x, a: np.interp(x, [0.0, 1.0, 3.0], a), floats(0, 1, 5), 0.0),
    "interp, x": (lambda x, a: np.interp(a, [0.0, 1.0, 3.0], x), floats(0.5, 2), 0.0),
    "polyval": (lambda x, a: np.polyval(a, x), floats(1, 2, 3), 0.0),
    "trapezoid": (lambda x, a: np.trapezoid(x, a), floats(0, 1, 3), 0.0),
    "gradient": (lambda x, a: np.gradient(x, a), floats(0, 1, 3), [0.0, 5.0, 6.0]),
    "bincount": (lambda x, a: np.bincount(a, weights=x), np.array([0, 1, 1]), 0),
    "histogram": (lambda x, a: np.histogram(a, bins=3, weights=x)[0], floats(0, 1, 3), 0.0),
    "repeat": (lambda x, a: np.repeat(x, a), np.array([1, 2, 0]), 1),
    "roll": (lambda x, a: np.roll(np.outer(x, x), a, (0, 1)), np.array([1, 2]), 0),
    "reshape": (lambda x, a: np.outer(x, x).reshape(a), np.array([9, 1]), 3),
    "transpose": (lambda x, a: np.outer(x, x * x).transpose(a), np.array([1, 0]), [0, 1]),
    "pad": (lambda x, a: np.pad(x, a), np.array([1, 2]), 0),
    "insert": (lambda x, a: np.insert(x, a, 0.5), np.array([1, 2]), 0),
    "delete": (lambda x, a: np.delete(x, a), np.array([1]), 0),
    "diff": (lambda x, a: np.diff(x * x, prepend=a), floats(1), 0.0),
    "split": (lambda x, a: np.split(x, a)[1], np.array([1]), 2),
    "reduceat": (lambda x, a: np.multiply.reduceat(x, a), np.array([0, 2]), 0),
    "setitem, the index": (lambda x, a: put(x, a, 5.0), np.array([0, 2]), 1),
    "setitem, the value": (lambda x, a: put(x, slice(2), a) * x, floats(7, 8), 0.0),
    "unwrap": (lambda x, a: np.unwrap(x * 4 + a), floats(0, 1, 3), 0.0),
    "cross entropy": (lambda x, a: F.cross_entropy(np.outer(x, x), a), np.array([2, 0, 1]), 0),
    "class weights": (
        lambda x, a: F.cross_entropy(np.outer(x, x), np.array([2, 0, 1]), weight=a),
        floats(1, 2, 3),
        1.0,
    ),
    "linear": (lambda x, a: F.linear(np.outer(x, x), a), M.copy(), 0.0),
    "mean squared error": (lambda x, a: F.mse_loss(x, a), floats(1, 2, 3), 0.0),
    "embedding": (lambda x, a: F.embedding(a, np.outer(x, x)), np.array([2, 0]), 1),
    "an op of one's own": (lambda x, a: TIMES(x, a), floats(1, 2, 3), 0.0),
    "a keyword of one's own": (lambda x, a: SCALED(x, by=a), floats(1, 2, 3), 0.0),
    "a definition": (lambda x, a: DEFINED(x, a), floats(1, 2, 3), 0.0),
}
TIMES = ag.op(lambda x, a: x * a, vjp=lambda g, x, a: (g * a, g * x), name="times")
SCALED = ag.op(lambda x, by=None: x * by, vjp=lambda g, by: g * by, name="scaled")
DEFINED = ag.op(lambda x, a: x * x * a, definition=lambda x, a: x * x * a, name="defined")


def put(x, index, value):
    y = x * x
    y[index] = value
    return y


def weighed(y):
    return (np.cos(np.arange(1.0, 1 + np.size(y))).reshape(np.shape(y)) * y).sum()


GIVE = {
    "an array": lambda a: a,
    "a view of one": lambda a: a[...],
    "a constant Tensor": lambda a: ag.Tensor(a, copy=False),
}


def change(given, array, value):
    if isinstance(given, ag.Tensor):
        given[...] = value
    else:
        array[...] = value


@pytest.mark.parametrize("way", ["backward", "create_graph", "vjp"])
@pytest.mark.parametrize("give", GIVE)
@pytest.mark.parametrize("name", GIVEN)
def test_gradient(name, give, way):
    f, array, value = GIVEN[name]
    right = ag.grad(lambda x: weighed(f(x, array.copy())))(X)
    a = array.copy()
    given = GIVE[give](a)
    try:
        if way == "vjp":
            _, pullback = ag.vjp(lambda x: weighed(f(x, given)), X)
            change(given, a, value)
            found = pullback(1.0)
        else:
            x = ag.Tensor(X, requires_grad=True)
            y = weighed(f(x, given))
            change(given, a, value)
            y.backward(create_graph=way == "create_graph")
            found, x.grad = x.grad, None
    except ag.AutogradError as error:
        assert give == "a constant Tensor"  # of an array nobody knows that it is changed
        assert isinstance(error, ag.errors.InPlaceError) or "keyword" in str(error)  # noqa: PT017
        return
    np.testing.assert_allclose(plain(found), right, rtol=1e-12)
