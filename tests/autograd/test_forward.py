"""Forward mode: every op against two reverse passes and finite differences, nesting, and what no op has made."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, InPlaceError, RuleError, ShapeError
from tests.autograd import pushed
from tests.autograd.laws.fused import WITH_DEFINITION
from tests.autograd.laws.fused import samples as fused_samples
from tests.autograd.rows import COMPLEX, MIXED, ROWS, made_complex, samples
from tests.autograd.tools import no_collector

# ------------------------------------------------------------------------------------------------------- every op


@pytest.mark.parametrize("name", ROWS)
def test_every_op(name):
    for args, kwargs in samples(name):
        f, floats = pushed.of_floats(ROWS[name], args, kwargs, 1 if name == "quantile" else None)
        if floats:
            pushed.hold(f, floats)


@pytest.mark.parametrize("name", [name for name in COMPLEX if name not in {*MIXED, "astype"}])
def test_every_op_of_complex_numbers(name):
    for args, kwargs in samples(name):
        f, floats = pushed.of_floats(ROWS[name], made_complex(args), kwargs, 1 if name == "quantile" else None)
        if floats:
            pushed.hold(f, floats, smooth=False, rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in WITH_DEFINITION if name not in ROWS])
def test_every_fused_op(name):
    rng = np.random.default_rng(7)
    for args, kwargs in list(fused_samples(WITH_DEFINITION[name], rng))[:2]:
        f, floats = pushed.of_floats(WITH_DEFINITION[name], args, kwargs)
        pushed.hold(f, floats)


# ------------------------------------------------------------------------------------------------ nesting, closures

X, T = np.array([0.5, -1.0, 2.0]), np.array([1.0, -2.0, 0.5])


def g(x):
    return np.tanh(x) * x[0] + (x**2).sum()


def test_perturbations_are_not_confused():
    """d/da (a · d/db (a b)) = 2 a: the inner direction does not move what the outer one does."""
    inner = lambda a: ag.jvp(lambda b: a * b, (3.0,), (1.0,))[1]  # noqa: E731
    assert ag.jvp(lambda a: a * inner(a), (5.0,), (1.0,)) == (25.0, 10.0)
    assert ag.grad(lambda a: a * inner(a))(5.0) == 10
    assert ag.jvp(lambda x: x * ag.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1


MODES = {
    "forward": lambda f: lambda x: ag.jvp(f, (x,), (1.0,))[1],
    "reverse": ag.grad,
    "pullback": lambda f: lambda x: ag.vjp(f, x)[1](1.0),
    "linearized": lambda f: lambda x: ag.linearize(f, x)[1](1.0),
    "columns": ag.jacfwd,
    "rows": ag.jacobian,
    "mapped": lambda f: lambda x: ag.vmap(ag.grad(f))(np.reshape(x, (1,)))[0],
    "compiled": lambda f: ag.compile(ag.grad(f)),
}


@pytest.mark.parametrize("outer", MODES)
@pytest.mark.parametrize("inner", MODES)
def test_modes_nest(outer, inner):
    for third in ("forward", "reverse"):
        found = MODES[third](MODES[outer](MODES[inner](lambda x: np.sin(x) * x**2)))(0.7)
        x, s, c = 0.7, np.sin(0.7), np.cos(0.7)
        assert found == pytest.approx(-6 * x * s + 6 * c - x**2 * c)


def test_a_closed_over_tensor_gets_its_gradient():
    w = ag.Tensor(2.0, requires_grad=True)
    _, pushed = ag.jvp(lambda x: w * x**2, (3.0,), (1.0,))
    pushed.backward()
    assert (pushed.item(), w.grad.item()) == (12, 6)


def test_linearize():
    y, pushforward = ag.linearize(g, X)
    np.testing.assert_array_equal(y, g(X))
    for t in (T, 2 * T):
        np.testing.assert_allclose(pushforward(t), ag.jacobian(g)(X) @ t)
    _, pushforward = ag.linearize(lambda x, y: (x * y, x + y), 2.0, 3.0)
    assert pushforward(1.0, 10.0) == (23, 11)
    with pytest.raises(ShapeError, match="pushforward: expected 2 tangents, one per argument, got 1"):
        pushforward(1.0)
    with pytest.raises(ShapeError, match=r"pushforward tangent: expected shape \(\), got \(2,\)"):
        pushforward(np.ones(2), 1.0)


@pytest.mark.parametrize("number", [1, 2, 5])
def test_jacobian_by_either_direction(number):
    def f(x):
        return np.stack([np.sin(x).sum() * k + x[0] ** k for k in range(number)])

    both = ag.jacobian(f)(X), ag.jacfwd(f)(X)
    np.testing.assert_allclose(*both)
    np.testing.assert_allclose(
        both[0], [k * np.cos(X) + [k * X[0] ** (k - 1) if k else 0, 0, 0] for k in range(number)]
    )


def test_many_columns_come_in_blocks():
    x = np.linspace(-1, 1, 300)
    np.testing.assert_allclose(ag.jacfwd(np.sin)(x), np.diag(np.cos(x)))


def test_jacfwd_of_trees():
    found = ag.jacfwd(lambda p, y: {"s": p["a"] * y, "t": (p["b"].sum(),)}, argnums=(0, 1))({"a": 2.0, "b": X}, T)
    assert found["s"][0]["a"].shape == (3,)
    np.testing.assert_array_equal(found["s"][1], np.diag([2.0] * 3))
    np.testing.assert_array_equal(found["t"][0][0]["b"], np.ones(3))
    assert found["s"][0]["b"].shape == (3, 3)


def test_hessian_of_several_results():
    h = ag.hessian(lambda x: np.stack([x[0] ** 2 * x[1], x[1] ** 3]))(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(h, [[[4, 2], [2, 0]], [[0, 0], [0, 12]]])


HAS_AUX = {  # what gives a result and aux, and what makes the gradient of the result
    "grad": (lambda f: ag.grad(f, has_aux=True)(X), lambda found: found),
    "value_and_grad": (lambda f: ag.value_and_grad(f, has_aux=True)(X)[::-1], lambda found: found),
    "vjp": (lambda f: ag.vjp(f, X, has_aux=True)[1:], lambda pullback: pullback(1.0)),
    "jvp": (lambda f: ag.jvp(f, (X,), (T,), has_aux=True)[1:], lambda pushed: 3 * X**2 * (pushed / (3 * X**2 @ T))),
    "linearize": (lambda f: ag.linearize(f, X, has_aux=True)[1:], lambda push: np.stack([push(e) for e in np.eye(3)])),
    "jacobian": (lambda f: ag.jacobian(f, has_aux=True)(X), lambda found: found),
    "jacfwd": (lambda f: ag.jacfwd(f, has_aux=True)(X), lambda found: found),
    "hessian": (lambda f: ag.hessian(f, has_aux=True)(X), lambda h: np.diag(h) * X / 2),
}


@pytest.mark.parametrize("name", HAS_AUX)
def test_has_aux(name):
    run, gradient_of = HAS_AUX[name]
    found, aux = run(lambda x: ((x**3).sum(), {"y": 2 * x, "word": "seen"}))
    aux = aux[1] if isinstance(aux, tuple) else aux
    np.testing.assert_allclose(gradient_of(found), 3 * X**2)
    assert aux["word"] == "seen"
    assert not isinstance(aux["y"], ag.Tensor)
    np.testing.assert_array_equal(aux["y"], 2 * X)
    with pytest.raises(ArgumentError, match=r"has_aux=True\): the function must return a pair \(value, aux\), got "):
        run(lambda x: (x**3).sum())


# ------------------------------------------------------------------------------------- what forward mode knows not


def hidden(x):
    return ag.checkpoint(lambda x: np.sin(x) * x)(x)


only_defined = ag.op(lambda x: np.sin(x) * x, name="only_defined", definition=lambda x: np.sin(x) * x)
joint = ag.op(
    lambda a, b: np.outer(a, b), name="joint_of_two", vjp=lambda g, a, b: (g @ b, a @ g)
)  # fmt: skip
same = ag.op(lambda x: x, name="same_again", vjp=lambda g: g * 1.0)


def written(x):
    y = same(x * 1.0)
    y[0] = y[1] ** 2
    return y * x


def written_through_the_input(x):
    z = x * 2.0
    y = same(z)
    z[1] = z[0] * 3.0
    return y * x


UNKNOWN = {
    "checkpoint": hidden,
    "only a definition": lambda x: only_defined(x) * x,
    "a joint rule": lambda x: joint(x, x**2),
    "a joint rule, one input": lambda x: joint(T, x),
    "an input given back, written": written,
    "an input given back, and then written": written_through_the_input,
    "a view written": lambda x: _written_view(x * 1.0),
    "opaque": lambda x: x * ag.opaque(np.argsort)(x),
    "integers": lambda x: x[np.argsort(X)] * np.arange(3),
    "detached": lambda x: x * ag.Tensor(x).detach() if not isinstance(x, ag.Tensor) else x * x.detach(),
    "no_grad": lambda x: x * _unrecorded(x),
    "two outputs, one used": lambda x: np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2, 3]))[0],
    "nothing": lambda x: np.ones(2),
}


def _written_element(y):
    y[0] = y[1] ** 2
    return y


def _written_view(y):
    row = y[1:]
    row *= y[0]
    return y


def _unrecorded(x):
    with ag.no_grad():
        return x * 2


@pytest.mark.parametrize("name", UNKNOWN)
def test_nothing_is_taken_for_a_constant(name):
    f = UNKNOWN[name]
    np.testing.assert_allclose(ag.jvp(f, (X,), (T,))[1], pushed.twice_back(f, [X], [T]), rtol=1e-12)
    columns = ag.jacfwd(f)(X)
    each = [ag.jvp(f, (X,), (e,))[1] for e in np.eye(3)]
    np.testing.assert_allclose(columns, np.stack(each, axis=-1), rtol=1e-12)


def test_what_was_changed_is_refused():
    x = ag.Tensor(X, requires_grad=True)
    _, pushforward = ag.linearize(lambda y: y * x, T)
    x.data = X * 2
    with pytest.raises(InPlaceError, match="was changed in place after it was used"):
        pushforward(T)


def test_a_wrong_declaration_is_refused():
    with pytest.raises(RuleError, match="linear= is True, or 'each' for one linear in each input, got 'yes'"):
        ag.op(lambda x: x, name="wrong", vjp=lambda g: g, linear="yes")


@pytest.mark.parametrize("name", ["sqrt", "log", "power"])
def test_what_a_mask_cut_off_stays_cut_off(name):
    """Also before the op whose slope is infinite, and pushed with others."""
    steep = {"sqrt": np.sqrt, "log": lambda x: np.log(x) * x, "power": lambda x: x**0.5}[name]

    def f(x):
        return steep(np.where(x > 0, x, 0.0)) if name != "log" else np.where(x > 0, steep(np.maximum(x, 0)), 0.0)

    x = np.array([-1.0, 4.0])
    with np.errstate(all="ignore"):
        right = ag.jacobian(lambda x: np.sum(f(x)))(x)
        assert np.isfinite(right).all()
        np.testing.assert_allclose(ag.jvp(f, (x,), (np.ones(2),))[1], right)
        np.testing.assert_allclose(ag.jacfwd(f)(x), np.diag(right))


def test_a_zero_that_happens_is_a_number():
    with np.errstate(all="ignore"):
        assert np.isnan(ag.jvp(lambda x: np.sqrt(x) ** 2, (0.0,), (1.0,))[1])


def test_no_graph_is_left():
    """What a jvp gives holds nothing of the run."""
    with no_collector():
        before = len(list(ag.who_holds()))
        made = ag.jvp(g, (X,), (T,)), ag.jacfwd(g)(X)
        assert not any(isinstance(part, ag.Tensor) for part in (*made[0], made[1]))
        assert len(list(ag.who_holds())) == before


@pytest.mark.parametrize("transform", [ag.jacfwd, ag.jacobian, ag.hessian])
def test_compiled_columns_go_together(transform):
    """A program of a Jacobian has the steps of one column, and reads what it closes over at each call."""
    matrix = np.random.default_rng(0).normal(size=(40, 40)) / 10

    def f(x):
        y = np.tanh(matrix @ x) * x[::-1]
        y = np.where(y > 0, y, 0.5 * y)
        return (y**2).sum() if transform is ag.hessian else np.concatenate([y, x])

    compiled, x = ag.compile(transform(f)), np.linspace(-1, 1, 40)
    for k in range(3):
        np.testing.assert_allclose(compiled(x + k), transform(f)(x + k), atol=1e-12)
        matrix *= 1.5
    assert compiled.traces == 1
    assert len(compiled.program(x).steps) < 120


PUSHED = {
    "a definition": lambda x: nn.functional.gelu(x).sum() * x,
    "a checkpoint": lambda x: ag.checkpoint(np.sin)(x) * x,
    "a rule transposed": lambda x: ag.softmax(x) * np.linalg.inv(np.outer(x, x) + np.eye(3))[0],
    "split and joined": lambda x: np.concatenate(np.split(x, 3)[::-1]) * x,
    "complex": lambda x: np.abs(np.fft.fft(x) * 1j) ** 2,
    "a write": lambda x: _written_element(x * 1.0) * x,
    "integers": lambda x: x[np.argsort(x)],
    "no_grad": lambda x: x * _unrecorded(x),
    "a constant": lambda x: np.ones(3) * 2,
}


@pytest.mark.parametrize("name", PUSHED)
def test_forward_mode_in_a_program(name):
    f = PUSHED[name]
    for run in (lambda x, t: ag.jvp(f, (x,), (t,))[1], lambda x, t: ag.jacfwd(f)(x) @ t):
        right = run(X, T)
        np.testing.assert_allclose(ag.compile(run)(X, T), right, atol=1e-12)
        np.testing.assert_allclose(ag.vmap(run)(np.stack([X, X]), np.stack([T, T])), [right, right], atol=1e-12)
