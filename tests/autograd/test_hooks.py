"""Hooks on Tensors, and gradients of chosen Tensors: seen once, when complete, and replaced for what stands before."""

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.errors import ArgumentError, GraphError, ShapeError, TraceError

X = np.array([1.0, -2.0, 3.0])


def leaf():
    return Tensor(X, requires_grad=True)


# --------------------------------------------------------------------------------------------------------------- hooks


def test_a_result_shows_its_whole_gradient_once():
    x, seen = leaf(), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.numpy().tolist()))
    (y * y + 3 * y).sum().backward()
    assert seen == [(2 * 2 * X + 3).tolist()]
    np.testing.assert_array_equal(x.grad.numpy(), 2 * (4 * X + 3))


def test_what_a_hook_returns_takes_its_place():
    x = leaf()
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: np.asarray(g.data) + 1)  # an array will do; hooks run in order
    x.register_hook(lambda g: -g)
    y.sum().backward()
    np.testing.assert_array_equal(y.grad.numpy(), [11, 11, 11])
    np.testing.assert_array_equal(x.grad.numpy(), [-22, -22, -22])


def test_remove():
    x, seen = leaf(), []
    handle = x.register_hook(seen.append)
    other = x.register_hook(lambda g: g * 2)
    handle.remove()
    handle.remove()
    x.sum().backward()
    assert seen == []
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])
    other.remove()
    x.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3, 3, 3])


def test_hooks_may_come_and_go_while_they_run():
    x, seen = Tensor([1.0, 2.0], requires_grad=True), list[str]()

    def once(g):
        seen.append("once")
        handle.remove()
        x.register_hook(lambda g: seen.append("later"))

    handle = x.register_hook(once)
    for _ in range(2):
        (x * 2).sum().backward()
    assert seen == ["once", "later"]
    np.testing.assert_array_equal(x.grad.data, [4.0, 4.0])


def test_in_a_recorded_pass_it_is_part_of_the_graph():
    x = leaf()
    y = x**2
    y.register_hook(lambda g: g * x)
    g = ag.gradient(y.sum(), x, create_graph=True)
    np.testing.assert_array_equal(g.numpy(), 2 * X * X)
    np.testing.assert_array_equal(ag.gradient(g.sum(), x).numpy(), 4 * X)


def test_inside_a_transform():
    def f(x):
        y = np.tanh(x)
        y.register_hook(lambda g: g * 3)
        return y.sum()

    np.testing.assert_allclose(ag.grad(f)(X), 3 * (1 - np.tanh(X) ** 2))
    argument = ag.grad(lambda x: (x.register_hook(lambda g: g * 2), x.sum())[1])
    np.testing.assert_array_equal(argument(X), [2, 2, 2])


def test_functions_of_several_results_do_not_mind_a_hook_elsewhere():
    watched = Tensor([1.0], requires_grad=True)
    watched.register_hook(lambda g: None)
    x = np.array([0.5, 2.0])
    squares, sines = ag.jacobian(lambda x: (x**2, np.sin(x)))(x)
    np.testing.assert_allclose(squares, np.diag(2 * x))
    np.testing.assert_allclose(sines, np.diag(np.cos(x)))


def test_behind_a_mask_it_is_called_once():
    x, seen = Tensor([-1.0, 4.0], requires_grad=True), []
    with np.errstate(invalid="ignore"):
        y = np.sqrt(x)
    y.register_hook(lambda g: seen.append(g.numpy().tolist()))
    np.where(x > 0, y, x).sum().backward()
    assert seen == [[0, 1]]
    np.testing.assert_array_equal(x.grad.numpy(), [1, 0.25])


def test_of_a_write_the_hook_stays_with_the_value():
    x, seen = leaf(), []
    y = x * 1
    y.register_hook(lambda g: seen.append(g.numpy().tolist()))
    y[0] = 5.0
    (y * 2).sum().backward()
    assert seen == [[0, 2, 2]]


def test_a_released_graph_takes_its_hooks_along():
    x = leaf()
    y = x * 2
    seen = weakref.ref(hook := lambda g: None)
    y.register_hook(hook)
    del hook, y
    gc.collect()
    assert seen() is None


def test_hooks_release_what_a_pass_releases():
    x = leaf()
    y = np.exp(x)
    y.register_hook(lambda g: None)
    z = (y * y).sum()
    z.backward()
    with pytest.raises(GraphError, match="released by an earlier backward"):
        z.backward()


MISTAKES = {
    "needs no gradient": (lambda: Tensor(1.0).register_hook(print), GraphError, "needs no gradient"),
    "no function": (lambda: leaf().register_hook(3), ArgumentError, "takes a function of a gradient, got int: 3"),
    "another shape": (lambda: hooked(lambda g: g[:2]), ShapeError, r"shape \(2,\) for a value of shape \(3,\)"),
    "compiled": (
        lambda: ag.compile(lambda x: (x.register_hook(print), x * 2)[1])(leaf()),
        TraceError,
        r"register_hook\(\) inside",
    ),
}


def hooked(hook):
    x = leaf()
    x.register_hook(hook)
    x.sum().backward()


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(name):
    run, error, text = MISTAKES[name]
    with pytest.raises(error, match=text):
        run()


# ------------------------------------------------------------------------------------------------------------ gradient


def test_gradient_touches_no_grad():
    x, w = leaf(), Tensor(2.0, requires_grad=True)
    g = ag.gradient((w * x**2).sum(), {"x": x, "w": [w]})
    np.testing.assert_array_equal(g["x"].numpy(), 4 * X)
    assert g["w"][0].item() == (X**2).sum()
    assert x.grad is None
    assert w.grad is None
    assert not g["x"].requires_grad


def test_gradient_of_results_and_of_what_is_behind_them():
    x = leaf()
    h = x * 2
    y = (h * h).sum()
    of_h, of_x, again = ag.gradient(y, (h, x, h), retain_graph=True)
    np.testing.assert_array_equal(of_h.numpy(), 2 * 2 * X)
    np.testing.assert_array_equal(of_x.numpy(), 8 * X)
    np.testing.assert_array_equal(again.numpy(), of_h.numpy())
    assert ag.gradient(y, y).item() == 1


def test_gradient_with_upstream_and_several_results():
    x = leaf()
    np.testing.assert_array_equal(ag.gradient(x**2, x, X).numpy(), 2 * X * X)
    y = {"a": x * 2, "b": x.sum()}
    np.testing.assert_array_equal(ag.gradient(y, x, {"b": 10.0, "a": X}).numpy(), 2 * X + 10)


def test_gradient_to_any_order():
    x = Tensor(0.5, requires_grad=True)
    g = np.sin(x)
    for k in range(1, 5):
        g = ag.gradient(g, x, create_graph=True)
        assert g.item() == pytest.approx(np.sin(0.5 + k * np.pi / 2))


def test_gradient_releases_unless_told():
    x = leaf()
    y = np.exp(x).sum()
    ag.gradient(y, x, retain_graph=True)
    ag.gradient(y, x)
    with pytest.raises(GraphError, match="released by an earlier backward"):
        ag.gradient(y, x)


GRADIENT = {
    "not used": (lambda x: (x.sum(), [x, leaf()]), GraphError, r"y does not depend on xs\[1\] of shape \(3,\)"),
    "detached": (lambda x: (x.sum(), x.detach()), GraphError, r"does not depend on xs\[0\]"),
    "no graph": (lambda x: (x.detach().sum(), x), GraphError, "y needs no gradient"),
    "an array": (
        lambda x: (x.sum(), X),
        ArgumentError,
        r"must be Tensors, got ndarray\. For a function use ag\.grad",
    ),
    "a function": (lambda x: (np.sin, x), ArgumentError, "y must be Tensors, got ufunc"),
    "nothing": (lambda x: (x.sum(), []), ArgumentError, "xs must be Tensors"),
    "no upstream": (lambda x: (x * 2, x), GraphError, r"needs one element, got shape \(3,\)"),
}


@pytest.mark.parametrize("name", GRADIENT)
def test_gradient_messages(name):
    arguments, error, text = GRADIENT[name]
    with pytest.raises(error, match=text):
        ag.gradient(*arguments(leaf()))
