"""Transforms: gradients of functions, composed to any order, over nested arguments, without confusion."""

import functools
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, DTypeError, InPlaceError, ShapeError

X = np.array([0.5, -1.0, 2.0])


def polynomial(x):
    return (x**3).sum() + x[0] * x[1] * x[2]


def polynomial_hessian(x):
    return np.diag(6 * x) + np.array([[0, x[2], x[1]], [x[2], 0, x[0]], [x[1], x[0], 0]])


# ---------------------------------------------------------------------------------------------- grad, value_and_grad


def test_grad():
    gradient = ag.grad(polynomial)(X)
    assert type(gradient) is np.ndarray
    np.testing.assert_allclose(gradient, 3 * X**2 + [X[1] * X[2], X[0] * X[2], X[0] * X[1]])


@pytest.mark.parametrize("number", [3, 3.0, np.float64(3), np.array(3.0), Tensor(3.0)])
def test_grad_of_a_number(number):
    gradient = ag.grad(lambda x: x**2)(number)
    assert not isinstance(gradient, Tensor)
    assert np.ndim(gradient) == 0
    assert gradient == 6


def test_value_and_grad():
    value, gradient = ag.value_and_grad(lambda x: x**2)(3.0)
    assert (value, gradient) == (9, 6)
    assert not isinstance(value, Tensor)


def f3(x, y, z):
    return (x * y**2 + z * y).sum()


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 4.0),
        (1, 2 * 1 * 2 + 3),
        (2, 2.0),
        (-1, 2.0),
        (-3, 4.0),
        ((0,), (4.0,)),
        ((0, 2), (4.0, 2.0)),
        ((2, 0), (2.0, 4.0)),
        ([1, -1], (7.0, 2.0)),
    ],
)
def test_argnums(argnums, expected):
    assert ag.grad(f3, argnums)(1.0, 2.0, 3.0) == expected
    assert ag.value_and_grad(f3, argnums=argnums)(1.0, 2.0, 3.0) == (10, expected)


def test_argnums_out_of_range():
    with pytest.raises(ArgumentError, match="grad: argnums 3 but the function was called with 3 arguments"):
        ag.grad(f3, 3)(1.0, 2.0, 3.0)
    with pytest.raises(ArgumentError, match="jacobian: argnums -2"):
        ag.jacobian(lambda x: x, -2)(1.0)


@pytest.mark.parametrize(("argnums", "twice"), [((0, 0), 0), ((1, -2), 1), ((0, 2, -1), 2)])
def test_argument_named_twice(argnums, twice):
    with pytest.raises(ArgumentError, match=rf"grad: argnums \(.*\) name argument {twice} twice"):
        ag.grad(f3, argnums)(1.0, 2.0, 3.0)


@pytest.mark.parametrize("result", [None, "text", [None], object()])
def test_function_that_returns_no_numbers(result):
    """A forgotten return is no function with gradient zero."""
    kind = type(result[0] if isinstance(result, list) else result).__name__
    for name, call in [
        ("grad", lambda: ag.grad(lambda x: result)(1.0)),
        ("jacobian", lambda: ag.jacobian(lambda x: result)(1.0)),
        ("vjp", lambda: ag.vjp(lambda x: result, 1.0)),
        ("jvp", lambda: ag.jvp(lambda x: result, (1.0,), (1.0,))),
    ]:
        with pytest.raises(
            DTypeError, match=rf"{name}: the function returned {kind}; it must return numbers or arrays"
        ):
            call()


def test_gradients_of_scalars_are_scalars():
    for f in (np.sin, lambda x: np.maximum(x, 1.0), lambda x: np.where(x > 0, x, 0.0), lambda x: 3.0, lambda x: x[()]):
        assert type(ag.grad(f)(2.0)) is np.float64
        assert type(ag.jvp(f, (2.0,), (1.0,))[1]) is np.float64


def test_numpy_integer_as_argnums():
    assert ag.grad(f3, np.int64(1))(1.0, 2.0, 3.0) == 7.0


def test_arguments_not_chosen_are_passed_on():
    seen = []

    def f(x, mode, *, scale):
        seen.append((mode, scale))
        return x * scale

    assert ag.grad(f)(2.0, "mode", scale=5.0) == 5
    assert seen == [("mode", 5.0)]


def test_keeps_name_and_docstring():
    for transform in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian, ag.hvp, ag.checkpoint):
        assert transform(polynomial).__name__ == "polynomial"


def test_nested_arguments():
    """The gradient has the form of the argument."""
    params = {"layers": [(np.ones((2, 3)), np.zeros(2)), (np.full((1, 2), 2.0), 0.5)], "scale": 3.0}

    def f(p, x):
        for w, b in p["layers"]:
            x = w @ x + b
        return (p["scale"] * x).sum()

    gradient = ag.grad(f)(params, np.ones(3))
    assert list(gradient) == ["layers", "scale"]
    assert isinstance(gradient["layers"], list)
    assert isinstance(gradient["layers"][0], tuple)
    np.testing.assert_array_equal(gradient["layers"][0][0], np.full((2, 3), 6.0))
    np.testing.assert_array_equal(gradient["layers"][1][0], np.full((1, 2), 9.0))
    assert gradient["layers"][1][1] == 3
    assert gradient["scale"] == 12.5
    ag.check_grads(f, params, np.ones(3))


def test_named_tuples_and_empty_containers():
    from collections import namedtuple

    Point = namedtuple("Point", "x y")
    gradient = ag.grad(lambda p: p.x * p.y)(Point(2.0, 3.0))
    assert gradient == Point(3.0, 2.0)
    assert isinstance(gradient, Point)
    assert ag.grad(lambda p: p[0] * 2)((1.0, (), {})) == (2.0, (), {})


def test_argument_that_is_not_used():
    gradient = ag.grad(lambda x, y: (x * 2).sum(), (0, 1))(X, np.ones((2, 2)))
    np.testing.assert_array_equal(gradient[1], np.zeros((2, 2)))
    np.testing.assert_array_equal(ag.grad(lambda x: 3.0)(X), np.zeros(3))
    np.testing.assert_array_equal(ag.grad(lambda x: np.sign(x).sum())(X), np.zeros(3))


def test_dtype_of_the_argument():
    for dtype in (np.float32, np.float64):
        assert ag.grad(lambda x: (x * 2).sum())(X.astype(dtype)).dtype == dtype
        assert ag.jacobian(lambda x: x * 2)(X.astype(dtype)).dtype == dtype
        assert ag.hessian(polynomial)(X.astype(dtype)).dtype == dtype
        assert ag.hvp(polynomial)(X.astype(dtype), np.ones(3)).dtype == dtype
        assert ag.jvp(lambda x: x * 2, (X.astype(dtype),), (np.ones(3),))[1].dtype == dtype


def test_integers():
    assert ag.grad(lambda x: x**2)(3) == 6
    assert ag.grad(lambda p: p[0] * p[1])([2, 3]) == [3, 2]
    with pytest.raises(
        DTypeError,
        match=r"grad: arguments must be floating-point to be differentiated, got dtype int64\. Use \.astype\(float\)",
    ):
        ag.grad(lambda x: x.sum())(np.arange(3))
    with pytest.raises(
        DTypeError, match=r"grad: the function returned complex128, .* Return \.real, \.imag or abs\(\)"
    ):
        ag.grad(lambda x: x)(1j)


def test_result_must_be_one_scalar():
    for f in (lambda x: x, lambda x: (x.sum(), x.sum()), lambda x: x[:0]):
        with pytest.raises(
            ShapeError,
            match=r"grad: the function must return one scalar, got \[.*\]\. Use jacobian, or reduce with \.sum\(\)",
        ):
            ag.grad(f)(X)
    np.testing.assert_array_equal(ag.grad(lambda x: x.reshape(1, 1) * 2)(np.array([3.0])), [2])


def test_arguments_are_not_changed():
    x = X.copy()
    ag.grad(polynomial)(x)
    ag.hessian(polynomial)(x)
    np.testing.assert_array_equal(x, X)
    gradient = ag.grad(lambda x: (x * 1).sum())(x)
    gradient[:] = 7
    np.testing.assert_array_equal(x, X)


def test_results_do_not_alias():
    a, b = ag.grad(lambda x, y: (x + y).sum(), (0, 1))(np.ones(100), np.ones(100))
    assert not np.shares_memory(a, b) or not a.flags.writeable
    value, gradient = ag.value_and_grad(lambda x: x.sum())(np.ones(100))
    del value
    second = ag.grad(lambda x: x.sum())(np.ones(100))
    assert not np.shares_memory(gradient, second)


def test_gradients_are_writable():
    for f in (lambda x: x.sum(), lambda x: x.mean(), lambda x: (x * 2).sum(), lambda x: x[0] * 1.0):
        for size in (3, 10_000):
            gradient = ag.grad(f)(np.ones(size))
            gradient -= 1.0


# --------------------------------------------------------------------------------------------------- orders above one


@pytest.mark.parametrize("order", range(6))
def test_any_order(order):
    f = functools.reduce(lambda f, _: ag.grad(f), range(order), np.sin)
    expected = [math.sin, math.cos, lambda x: -math.sin(x), lambda x: -math.cos(x)][order % 4](0.7)
    assert float(f(0.7)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (np.exp, [np.exp] * 5),
        (np.tanh, [np.tanh, lambda x: 1 - np.tanh(x) ** 2, lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2)]),
        (
            lambda x: x**5,
            [
                lambda x: x**5,
                lambda x: 5 * x**4,
                lambda x: 20 * x**3,
                lambda x: 60 * x**2,
                lambda x: 120 * x,
                lambda x: 120.0,
            ],
        ),
        (np.log, [np.log, lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4]),
        (np.sqrt, [np.sqrt, lambda x: 0.5 * x**-0.5, lambda x: -0.25 * x**-1.5, lambda x: 0.375 * x**-2.5]),
    ],
)
def test_orders_of_elementary_functions(f, derivatives):
    for derivative in derivatives:
        assert float(f(1.3)) == pytest.approx(float(derivative(1.3)), rel=1e-10)
        f = ag.grad(f)


def test_check_grads_to_order_three():
    ag.check_grads(lambda x, y: np.tanh(x @ y) / (1 + np.exp(-x).sum()), X, np.array([0.1, 0.2, 0.3]), order=3)


def test_hessian():
    h = ag.hessian(polynomial)(X)
    np.testing.assert_allclose(h, polynomial_hessian(X), atol=1e-12)
    assert type(h) is np.ndarray
    assert ag.hessian(lambda x: x**3)(2.0) == 12


def test_hessian_of_two_arguments():
    def f(x, y):
        return (x**2 * y).sum()

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (xx, xy), (yx, yy) = ag.hessian(f, (0, 1))(x, y)
    np.testing.assert_allclose(xx, np.diag(2 * y))
    np.testing.assert_allclose(xy, np.diag(2 * x))
    np.testing.assert_allclose(yx, np.diag(2 * x))
    np.testing.assert_array_equal(yy, np.zeros((2, 2)))
    np.testing.assert_allclose(ag.hessian(f, 1)(x, y), yy)


def test_hessian_of_a_matrix_argument():
    w = np.arange(6.0).reshape(2, 3)
    h = ag.hessian(lambda w: (w @ w.T).sum())(w)
    assert h.shape == (2, 3, 2, 3)
    np.testing.assert_allclose(h.reshape(6, 6), h.reshape(6, 6).T)


def test_hvp():
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(ag.hvp(polynomial)(X, v), polynomial_hessian(X) @ v)
    assert ag.hvp(lambda x: x**3)(2.0, 3.0) == 36
    nested = ag.hvp(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0}, {"a": 1.0, "b": 0.0})
    assert nested == {"a": 6.0, "b": 4.0}


def test_third_order_through_jacobian_of_hessian():
    third = ag.jacobian(ag.hessian(lambda x: (x**4).sum()))(X)
    assert third.shape == (3, 3, 3)
    for i in range(3):
        assert third[i, i, i] == pytest.approx(24 * X[i])
    assert np.count_nonzero(third) == 3


# ----------------------------------------------------------------------------------------------------- vjp and jvp


def test_vjp():
    y, pullback = ag.vjp(lambda x: x**2, X)
    np.testing.assert_array_equal(y, X**2)
    for _ in range(2):  # it may be called again
        np.testing.assert_array_equal(pullback(np.array([1.0, 10.0, 100.0])), 2 * X * [1, 10, 100])


def test_vjp_of_several_arguments_and_results():
    (p, q), pullback = ag.vjp(lambda x, y: (x * y, x + y), 2.0, 3.0)
    assert (p, q) == (6, 5)
    assert pullback((1.0, 10.0)) == (13, 12)
    out, pullback = ag.vjp(lambda x: {"a": x * 2, "b": [x * 3, 7.0]}, 2.0)
    assert out == {"a": 4, "b": [6, 7.0]}
    assert pullback({"a": 1.0, "b": [10.0, 1.0]}) == 32


def test_vjp_messages():
    _, pullback = ag.vjp(lambda x: (x * 2, x), X)
    with pytest.raises(ShapeError, match="pullback: expected 2 gradients, one per output, got 1"):
        pullback(X)
    _, pullback = ag.vjp(lambda x: x * 2, X)
    with pytest.raises(ShapeError, match=r"pullback: expected shape \(3,\), got \(2,\)"):
        pullback(np.ones(2))


FUNCTIONS = {
    "sin": (np.sin, (X,)),
    "matmul": (lambda a, b: a @ b, (np.arange(6.0).reshape(2, 3), X)),
    "several": (lambda x, y: (x * y, np.exp(x).sum(), y), (X, X + 1)),
    "softmax": (ag.softmax, (X,)),
    "index": (lambda x: x[[0, 0, 2]] * x[1], (X,)),
    "unused": (lambda x, y: x * 2, (X, X)),
    "constant": (lambda x: 3.0, (X,)),
    "norm": (lambda x: np.sqrt((x * x).sum()), (X,)),
    "eigh": (lambda x: (np.outer(x, x) @ np.outer(x, x)).sum(0), (X,)),
    "linear": (lambda x: x * 2 + 1, (X,)),
    "dict": (lambda p: {"y": p["a"] * p["b"]}, ({"a": X, "b": X + 3},)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jvp_against_finite_differences(name):
    f, args = FUNCTIONS[name]
    rng = np.random.default_rng(0)
    flat, rebuild = ag_flatten(args)
    tangents = [rng.normal(size=np.shape(x)) for x in flat]
    value, pushed = ag.jvp(f, args, rebuild(tangents))
    eps = 1e-6
    ahead = f(*rebuild([x + eps * t for x, t in zip(flat, tangents, strict=True)]))
    behind = f(*rebuild([x - eps * t for x, t in zip(flat, tangents, strict=True)]))
    for v, p, a, b, now in zip(*[ag_flatten(z)[0] for z in (value, pushed, ahead, behind, f(*args))], strict=True):
        np.testing.assert_allclose(v, now)
        np.testing.assert_allclose(p, (np.asarray(a) - np.asarray(b)) / (2 * eps), atol=1e-8)
        assert not isinstance(p, Tensor)


def ag_flatten(tree):
    from autograd.tree import flatten

    return flatten(tree)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_jvp_and_vjp_are_each_others_transpose(name):
    """<J v, u> = <v, Jᵀ u>."""
    f, args = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    flat, rebuild = ag_flatten(args)
    v = [rng.normal(size=np.shape(x)) for x in flat]
    value, pullback = ag.vjp(f, *args)
    outs, rebuild_out = ag_flatten(value)
    u = [rng.normal(size=np.shape(y)) for y in outs]
    pulled = pullback(rebuild_out(u))
    pushed = ag_flatten(ag.jvp(f, args, rebuild(v))[1])[0]
    left = sum(np.sum(a * b) for a, b in zip(pushed, u, strict=True))
    right = sum(np.sum(a * b) for a, b in zip(ag_flatten(pulled)[0], v, strict=True))
    assert left == pytest.approx(right, rel=1e-12, abs=1e-12)


def test_jvp_messages():
    with pytest.raises(ShapeError, match="jvp: expected 1 tangents, one per argument, got 2"):
        ag.jvp(np.sin, (X,), (X, X))
    with pytest.raises(ShapeError, match=r"jvp tangent: expected shape \(3,\), got \(2,\)"):
        ag.jvp(np.sin, (X,), (np.ones(2),))


@pytest.mark.parametrize(("args", "tangents"), [(1.0, (1.0,)), ((1.0,), 1.0), (X, X)])
def test_jvp_takes_tuples(args, tangents):
    with pytest.raises(ArgumentError, match=r"jvp: args and tangents must be tuples .* jvp\(f, \(x,\), \(t,\)\)"):
        ag.jvp(np.sin, args, tangents)


def test_jvp_where_the_derivative_is_infinite():
    value, pushed = ag.jvp(np.sqrt, (0.0,), (1.0,))
    assert value == 0
    assert pushed == np.inf


def test_jvp_of_a_masked_element():
    x = np.array([-1.0, 4.0])
    with np.errstate(invalid="ignore"):
        _, pushed = ag.jvp(lambda x: np.where(x > 0, np.sqrt(x) * np.log(x), x), (x,), (np.ones(2),))
    assert pushed[0] == 1
    assert np.isfinite(pushed[1])


def test_values_can_not_spoil_the_pullback():
    """What a rule needs and the user holds can not be overwritten."""
    for f in (np.exp, lambda x: (x, x * x)):
        y, _ = ag.vjp(f, X)
        for part in y if isinstance(y, tuple) else [y]:
            with pytest.raises(ValueError, match="read-only"):
                part *= 0


# ------------------------------------------------------------------------------------------------------- jacobian


def test_jacobian():
    w = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(ag.jacobian(lambda x: w @ x)(X), w)
    np.testing.assert_array_equal(ag.jacobian(lambda x: x * 2)(3.0), 2)
    j = ag.jacobian(lambda w: np.tanh(w @ X))(w)
    assert j.shape == (2, 2, 3)
    assert ag.jacobian(lambda x: (x**2).sum())(X).shape == (3,)


def test_jacobian_of_several_arguments_and_results():
    def f(x, y):
        return x * y, {"s": x.sum()}

    one, two = ag.jacobian(f, (0, 1))(X, X + 1)
    np.testing.assert_array_equal(one[0], np.diag(X + 1))
    np.testing.assert_array_equal(one[1], np.diag(X))
    np.testing.assert_array_equal(two["s"][0], np.ones(3))
    np.testing.assert_array_equal(two["s"][1], np.zeros(3))


def test_jacobian_of_nested_arguments():
    j = ag.jacobian(lambda p: p["a"] * p["b"])({"a": X, "b": 2.0})
    np.testing.assert_array_equal(j["a"], 2 * np.eye(3))
    np.testing.assert_array_equal(j["b"], X)


def test_jacobian_of_empty_and_constant_outputs():
    assert ag.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    np.testing.assert_array_equal(ag.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))


@pytest.mark.parametrize("transform", [ag.jacobian, lambda f: ag.hessian(lambda x: f(x).sum())])
def test_forward_runs_once(transform):
    calls = []

    def f(x):
        calls.append(1)
        return np.tanh(x) ** 2

    assert transform(f)(np.ones(50)).shape == (50, 50)
    assert len(calls) == 1


# ---------------------------------------------------------------------------------- inside one another and outside


def test_perturbation_confusion():
    """d/dx (x · d/dy (x + y)) is 1, not 2 (Siskind and Pearlmutter 2005)."""
    assert ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert ag.grad(lambda x: x * ag.grad(lambda y: x * y)(2.0))(3.0) == 6
    assert ag.jvp(lambda x: x * ag.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1
    assert ag.grad(lambda x: ag.grad(lambda y: ag.grad(lambda z: x * y * z)(1.0))(1.0))(1.0) == 1


def test_inner_derivative_in_a_thread():
    """A thread does not inherit the context of the function that starts it; x is outside of it all the same."""

    def f(x):
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: ag.grad(lambda t: t * t * x)(3.0)).result()

    assert ag.value_and_grad(f)(2.0) == (12.0, 6.0)


def test_same_value_in_two_roles():
    assert ag.grad(lambda x: ag.grad(lambda y: y * x)(x))(3.0) == 1
    assert ag.grad(lambda x: ag.grad(lambda y: y * y * x)(x))(3.0) == 2 * 2 * 3


COMPOSED = {
    "grad of grad": lambda f: lambda x, v: ag.grad(lambda x: (ag.grad(f)(x) * v).sum())(x),
    "jvp of grad": lambda f: lambda x, v: ag.jvp(ag.grad(f), (x,), (v,))[1],
    "grad of jvp": lambda f: lambda x, v: ag.grad(lambda x: ag.jvp(f, (x,), (v,))[1])(x),
    "vjp of grad": lambda f: lambda x, v: ag.vjp(ag.grad(f), x)[1](v),
    "grad of vjp": lambda f: lambda x, v: ag.grad(lambda x: (ag.vjp(f, x)[1](1.0) * v).sum())(x),
    "hvp": lambda f: lambda x, v: ag.hvp(f)(x, v),
    "hessian": lambda f: lambda x, v: ag.hessian(f)(x) @ v,
    "jacobian of grad": lambda f: lambda x, v: ag.jacobian(ag.grad(f))(x) @ v,
    "jacobian of jacobian": lambda f: lambda x, v: ag.jacobian(ag.jacobian(f))(x) @ v,
    "jvp of jvp along v, e": lambda f: (
        lambda x, v: np.stack([ag.jvp(lambda x, e=e: ag.jvp(f, (x,), (e,))[1], (x,), (v,))[1] for e in np.eye(3)])
    ),
    "grad of checkpoint": lambda f: lambda x, v: ag.hvp(ag.checkpoint(f))(x, v),
    "value_and_grad": lambda f: lambda x, v: ag.value_and_grad(lambda x: (ag.value_and_grad(f)(x)[1] * v).sum())(x)[1],
}


@pytest.mark.parametrize("name", COMPOSED)
def test_compositions(name):
    def f(x):
        return (np.exp(x * 0.5) * x[::-1]).sum() + np.sin(x).prod()

    v = np.array([1.0, -2.0, 0.5])
    expected = np.array([ag.grad(lambda x, i=i: ag.grad(f)(x)[i])(X) for i in range(3)]) @ v
    result = COMPOSED[name](f)(X, v)
    assert not isinstance(result, Tensor)
    np.testing.assert_allclose(result, expected, rtol=1e-10)


@pytest.mark.parametrize("name", COMPOSED)
def test_compositions_are_differentiable_again(name):
    """Order three and four, through each composition."""
    v = np.array([1.0, -2.0, 0.5])

    def f(x):
        return (x**4).sum() + x.prod() ** 2

    def g(x):
        return (COMPOSED[name](f)(x, v) ** 2).sum()

    ag.check_grads(g, X + 0.1, order=2)


def test_closure_over_a_tensor():
    """A transform leaves .grad of Tensors outside alone; its result is a Tensor that they record."""
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    gradient = ag.grad(lambda x: (w * x**2).sum())(X)
    assert isinstance(gradient, Tensor)
    assert gradient.requires_grad
    assert w.grad is None
    np.testing.assert_array_equal(gradient.data, 2 * w.data * X)
    (gradient**2).sum().backward()
    np.testing.assert_allclose(w.grad.data, 8 * w.data * X**2)


@pytest.mark.parametrize(
    "transform",
    [
        lambda f: ag.value_and_grad(f)(X)[0],
        lambda f: ag.vjp(f, X)[0],
        lambda f: ag.vjp(f, X)[1](1.0),
        lambda f: ag.jacobian(f)(X),
        lambda f: ag.hessian(f)(X),
        lambda f: ag.hvp(f)(X, X),
        lambda f: ag.jvp(f, (X,), (X,))[0],
        lambda f: ag.jvp(f, (X,), (X,))[1],
    ],
)
def test_closures_record_through_every_transform(transform):
    w = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = transform(lambda x: (w**2 * x**3).sum())
    assert isinstance(y, Tensor)
    y.sum().backward()
    expected = ag.grad(lambda w: (transform(lambda x: (w**2 * x**3).sum()) * 1.0).sum())(w.data)
    np.testing.assert_allclose(w.grad.data, expected)
    with ag.no_grad():
        assert not isinstance(transform(lambda x: (w**2 * x**3).sum()), Tensor)


def test_argument_that_requires_grad():
    x = Tensor(X, requires_grad=True)
    gradient = ag.grad(polynomial)(x)
    assert gradient.requires_grad
    gradient.sum().backward()
    np.testing.assert_allclose(x.grad.data, polynomial_hessian(X).sum(0))


def test_constant_tensor_argument_gives_an_array():
    assert type(ag.grad(polynomial)(Tensor(X))) is np.ndarray


def test_grad_inside_no_grad_of_a_closure():
    w = Tensor(2.0, requires_grad=True)
    with ag.no_grad():
        result = ag.grad(lambda x: w * x**2)(3.0)
    assert not isinstance(result, Tensor)
    assert result == 12


def test_no_grad_inside_the_function_cuts():
    def f(x):
        with ag.no_grad():
            constant = x * x
        return constant * x

    assert ag.grad(f)(3.0) == 9
    assert ag.grad(lambda x: (x * x).detach() * x)(3.0) == 9


def test_data_dependent_control_flow():
    def f(x):
        while x < 100:
            x = x * x if x > 3 else x + 2
        return x

    assert ag.grad(f)(2.0) == 2 * 16 * 2 * 4


def test_in_place_assignment_inside():
    def f(x):
        y = x * 1
        y[0] = x[1] * x[2]
        y += x
        return (y**2).sum()

    ag.check_grads(f, X)


def test_argument_is_a_leaf_and_refuses_in_place_changes():
    def f(x):
        x += 1
        return x.sum()

    with pytest.raises(InPlaceError, match="in-place add on a leaf that requires grad"):
        ag.grad(f)(X)


def test_dynamic_exceptions_leave_no_state():
    with pytest.raises(ZeroDivisionError):
        ag.grad(lambda x: 1 / 0)(1.0)
    assert ag.is_grad_enabled()
