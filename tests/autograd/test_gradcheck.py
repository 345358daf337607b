"""The checker checked: it passes what is right, rejects what is wrong, and says what it saw."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, GradientError

X = np.array([0.5, -1.0, 2.0])


def product(name, a=lambda g, b: g * b, b=lambda g, a: g * a):
    return ag.op(lambda a, b: a * b, name=name, vjp=dict(a=a, b=b), elementwise=True)


@pytest.mark.parametrize(
    "f",
    [
        np.sin,
        np.exp,
        lambda x: x * 2 + 1,
        lambda x: x @ x,
        lambda x: np.outer(x, x),
        lambda x: (x, x**2, x.sum()),
        lambda x: {"y": [x * x]},
        lambda x: np.sign(x) * x,
        lambda x: x[::-1],
        lambda x: 3.0,
    ],
)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_right_gradients_pass(f, order):
    assert ag.check_grads(f, X, order=order) is None


WRONG = {
    "wrong factor": lambda g, b: g * b * 1.001,
    "wrong sign": lambda g, b: -g * b,
    "zero": lambda g, b: g * 0,
    "offset": lambda g, b: g * b + 0.01,
    "one element": lambda g, b: g * b * np.array([1, 1, 1.01]),
    "rolled": lambda g, b: np.roll(g, 1) * b,
    "not linear in g": lambda g, b: g * g * b,
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_rejected(name):
    with pytest.raises(GradientError, match="argument 0, order 1"):
        ag.check_grads(product("wrong", a=WRONG[name]), X, X + 3, order=1)


def doubled_in_place(g):
    g *= 2
    return g


def spoils_input(g, x):
    slope = g * np.cos(x)
    x += 1
    return slope


def spoils_output(g, y):
    share = g * y
    y *= 2
    return share


WRITING = {
    "g": (lambda x: 2 * x, doubled_in_place),
    "x": (lambda x: np.sin(x), spoils_input),
    "y": (lambda x: np.exp(x), spoils_output),
}


@pytest.mark.parametrize("what", WRITING)
def test_rule_that_writes_into_what_it_was_given(what):
    """Seen at the op itself by the write, further inside by a second backward that gives something else."""
    forward, rule = WRITING[what]
    writes = ag.op(lambda x: forward(x), name="writes", vjp=rule)
    with pytest.raises(
        GradientError, match=r"writes: something was written into an array .* \(while backward was at 'writes'\)"
    ):
        ag.check_grads(writes, X)
    if what != "g":
        with pytest.raises(GradientError, match=r"the gradient a second time is another: .* changes what it was given"):
            ag.check_grads(lambda x: writes(x * 2) * 3, X)


def test_function_that_writes_into_its_result():
    def f(x):
        y = x * 2
        y.data[0] = 1.0
        return y

    with pytest.raises(GradientError, match=r"written into an array that others hold \(in the function\)"):
        ag.check_grads(f, X)


def test_other_value_errors_pass_through():
    with pytest.raises(ValueError, match="could not be broadcast"):
        ag.check_grads(lambda x: x + np.ones(7), X)


def test_views():
    ag.check_grads(ag.op(lambda x: x[::-1], name="turned", vjp=lambda g: g[::-1]), X)
    ag.check_grads(lambda x: x[1:], X)


def test_rule_that_is_right_only_if_all_inputs_need_a_gradient():
    half = ag.op(lambda a, b: a * b, name="half", vjp=lambda g, a, b, needs: (g * b * needs[1], g * a))
    with pytest.raises(GradientError, match="half: the gradient for argument 0 alone is another"):
        ag.check_grads(half, X, X + 3)


def test_rule_that_is_wrong_in_float32_only():
    """By less than finite differences can tell there: the gradient in float64 tells."""
    narrow = ag.op(
        lambda x: np.sin(x), name="narrow", vjp=lambda g, x: g * np.cos(x) * (1.01 if x.dtype == np.float32 else 1)
    )
    with pytest.raises(GradientError, match="narrow: the gradient in float64 is another"):
        ag.check_grads(narrow, X.astype(np.float32))


def test_rule_that_is_wrong_for_one_output_only():
    both = ag.op(lambda x: (np.sin(x), np.cos(x)), name="both", vjp=lambda g, x: g[0] * np.cos(x) + g[1] * np.sin(x))
    with pytest.raises(GradientError, match="both, argument 0, order 1"):
        ag.check_grads(both, X)


def test_rule_that_is_transposed_for_square_inputs():
    turn = ag.op(lambda x: x.T.copy(), name="turn", vjp=lambda g: g)
    with pytest.raises(GradientError, match="turn, argument 0, order 1"):
        ag.check_grads(turn, np.outer(X, X))


DETACHED = {
    "other input": lambda g, b: g * b.detach() if isinstance(b, ag.Tensor) else g * b,
    "upstream": lambda g, b: (g.detach() if isinstance(g, ag.Tensor) else g) * b,
    "result": lambda g, b: (g * b).detach() if isinstance(g, ag.Tensor) else g * b,
}


@pytest.mark.parametrize("name", DETACHED)
def test_detached_gradients_pass_order_one_and_fail_order_two(name):
    f = product("detaching", a=DETACHED[name])
    ag.check_grads(f, X, X + 3, order=1)
    with pytest.raises(GradientError, match=r"gradient of detaching, .*order 2"):
        ag.check_grads(f, X, X + 3)


def test_order_three_finds_what_order_two_does_not():
    def second(g, y):
        return g * (2 * y.detach() if isinstance(y, ag.Tensor) else 2 * y)

    double = ag.op(lambda x: x * x, name="inner_slope", vjp=lambda g, x: g * slope(x), elementwise=True)
    slope = ag.op(lambda x: 2 * x, name="slope", vjp=lambda g, x: g * 2.0 + flat(x) * g, elementwise=True)
    flat = ag.op(lambda x: x * 0.0, name="flat", vjp=lambda g: g, elementwise=True)
    ag.check_grads(double, X, order=2)
    with pytest.raises(GradientError, match="order 3"):
        ag.check_grads(double, X, order=3)


def test_message_names_function_argument_shape_and_values():
    f = product("area", b=lambda g, a: 2 * g * a)
    with pytest.raises(GradientError) as caught:
        ag.check_grads(f, 3.0, 5.0)
    text = str(caught.value)
    assert text.startswith("check_grads: area, argument 1, order 1, shape (): analytic ")
    analytic, numeric = (
        float(part.split()[0].rstrip(".")) for part in text.partition("analytic ")[2].replace(",", "").split("numeric ")
    )
    assert analytic == pytest.approx(2 * numeric)
    assert "kink" not in text


def test_message_counts_nested_arguments_and_upstream_gradients():
    f = product("area", b=lambda g, a: 2 * g * a)
    with pytest.raises(GradientError, match="argument 2, order 1"):
        ag.check_grads(lambda p, n: f(p["x"], p["y"][0]) * p["z"], {"x": 1.0, "z": 2.0, "y": [3.0]}, 4, order=1)
    g = product("cut", a=DETACHED["upstream"])
    with pytest.raises(GradientError, match="upstream gradient 0, order 2"):
        ag.check_grads(g, 1.0, 2.0)


def test_integers_strings_and_none_are_constants():
    ag.check_grads(lambda x, n, mode, axis: (x**n).sum(axis) if mode == "sum" else x, X, 3, "sum", None)
    ag.check_grads(lambda x, index: x[index], X, np.array([0, 2]))


def test_tensors_are_read_as_arrays():
    x = ag.Tensor(X, requires_grad=True)
    ag.check_grads(np.sin, x)
    assert x.grad is None


def test_arguments_are_not_changed():
    x = X.copy()
    ag.check_grads(np.sin, x)
    np.testing.assert_array_equal(x, X)


def test_bad_calls():
    with pytest.raises(ArgumentError, match="order must be at least 1, got 0"):
        ag.check_grads(np.sin, X, order=0)
    with pytest.raises(ArgumentError, match="no floating-point argument to vary"):
        ag.check_grads(np.sin, 3)


def test_wrong_constant_is_found_through_a_non_differentiable_output():
    """Integer outputs are no part of the check; the others are."""
    ag.check_grads(lambda x: (x * 2, np.argmax(x), np.sign(x)), X)


def test_gradient_missing_because_of_detach():
    with pytest.raises(GradientError, match="analytic 0, numeric"):
        ag.check_grads(lambda x: x.detach() * 2.0 if isinstance(x, ag.Tensor) else x * 2.0, X)
