"""Forward mode: every op against two reverse passes and finite differences, nesting, and what no op has made."""

import contextlib
import tracemalloc

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError, RuleError, ShapeError
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


def test_columns_through_a_rule_that_is_transposed_cost_a_run_for_each_row():
    """A Jacobian of an op with fewer outputs than columns is built from its rows: also where it is recorded."""
    runs = []

    def rule(g, a):
        runs.append(1)
        return np.outer(g, np.cos(a)) * np.arange(1.0, 3.0)[:, None]

    def sums(a):
        return np.arange(1.0, 3.0) * np.sin(a).sum()

    weighted = ag.op(sums, name="weighted", vjp=lambda g, a: rule(g, a).sum(0))
    x = np.linspace(0, 1, 20)
    np.testing.assert_allclose(ag.jacfwd(weighted)(x), np.outer([1, 2], np.cos(x)))
    assert len(runs) == 2
    third = ag.jacfwd(ag.hessian(lambda x: (weighted(x) ** 2).sum()))(x[:4])
    plain = ag.jacfwd(ag.hessian(lambda x: (sums(x) ** 2).sum()))(x[:4])
    np.testing.assert_allclose(third, plain, atol=1e-12)


HESSIANS = {
    "log-sum-exp": lambda x: np.log(np.exp(x - np.max(x)).sum()) + np.max(x),
    "sorted": lambda x: (np.sort(x)[:3] ** 2).sum() * np.min(x),
    "norm": lambda x: np.linalg.norm(x) * np.std(x),
    "log of a determinant": lambda x: np.linalg.slogdet(x.reshape(3, 3) + 5 * np.eye(3))[1],
    "a solution": lambda x: (np.linalg.solve(x.reshape(3, 3) + 5 * np.eye(3), np.ones(3)) ** 2).sum(),
    "rows of maxima": lambda x: (x.reshape(3, 3).max(axis=0) ** 3).sum() + (x.reshape(3, 3).min(axis=(0, 1)) ** 2),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_a_compiled_hessian_is_a_program(name):
    """Rules that look where a maximum stood, or whether a matrix is regular, are steps of it, at each call anew."""
    f, x = HESSIANS[name], np.array([0.3, -1.2, 0.8, 2.1, 0.1, -0.4, 1.7, 0.9, -2.0])
    compiled = ag.compile(ag.hessian(f))
    for each in (x, x[::-1].copy()):
        expected = ag.jacobian(ag.grad(f))(each)
        np.testing.assert_allclose(ag.hessian(f)(each), expected, atol=1e-9)
        np.testing.assert_allclose(compiled(each), expected, atol=1e-9)
    assert not compiled.why
    xs = np.stack([x, x[::-1]])
    np.testing.assert_allclose(ag.vmap(ag.hessian(f))(xs), [ag.hessian(f)(each) for each in xs], atol=1e-9)


# ------------------------------------------------------------------------------------------------------ without a graph

A = np.array([[0.2, 1.0, 0.1], [-1.0, 0.3, 0.4], [0.5, -0.2, 0.9]])
POINT, ALONG = np.array([0.5, 1.2, 0.3]), np.array([1.0, -1.0, 2.0])


def test_a_jvp_keeps_no_graph():
    """A chain of a thousand ops on a megabyte holds a few arrays, whatever its length."""

    def peak(steps):
        def chain(x):
            for _ in range(steps):
                x = np.tanh(x) * 1.01 + x[::-1]
            return x.sum()

        x = np.ones(131072)
        tracemalloc.start()
        ag.jvp(chain, (x,), (x,))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    def peak_beside_a_parameter(steps):
        w = ag.Tensor(np.ones(131072), requires_grad=True)

        def chain(x):
            for _ in range(steps):
                x = np.tanh(x * w) + 2 * w
            return x.sum()

        x = np.ones(131072)
        tracemalloc.start()
        with ag.no_grad():
            ag.jvp(chain, (x,), (x,))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak_beside_a_parameter(50) < peak_beside_a_parameter(5) + 2**20
    peak(1)
    assert peak(250) < peak(5) + 2**20
    assert peak(5) < 14 * 2**20


def _written(x):
    y = x * 1
    for i in range(9):
        y[i % 3] *= np.sin(y[(i + 1) % 3])
        y += x[0]
    back = y[::-1]
    back[0] = back[1] * 2
    return (y**2).sum()


def _asks(x):
    y = x**3
    slope = ag.gradient(y.sum(), x, create_graph=True) if isinstance(x, ag.Tensor) else 3 * x**2
    return slope @ x


def _goes_back(x):
    if not isinstance(x, ag.Tensor):
        return (2 * x * x).sum()
    y = ag.Tensor(2.0, requires_grad=True)
    (y * x.detach() * x.detach()).sum().backward()
    return (2 * x * x).sum() + 0 * y.grad


def _later(x):
    value, pullback = ag.vjp(lambda z: np.sin(z * x), x * 2)
    return pullback(np.sum(x) * np.ones(3)) @ x + value[0]


def _closes_over(x):
    k = (x * 2).sum()
    return ag.grad(lambda w: (w * k) ** 2)(3.0)


def _eigen(x):
    w, v = np.linalg.eigh(np.outer(x, x) + A + A.T)
    return (w * v[:, 0] ** 2).sum()


WATCHED = {
    "in place": _written,
    "views": lambda x: (np.stack([row * 2 for row in np.outer(x, x)]) ** 2).sum(),
    "a gradient inside": lambda x: ag.grad(lambda w: ((w * x * 2) ** 3).sum())(2.0) * x[0],
    "a gradient that closes over a result": _closes_over,
    "a pullback called later": _later,
    "a jvp inside": lambda x: ag.jvp(lambda z: (z**3 * x).sum(), (x * 2,), (x,))[1],
    "a jvp of constants inside": lambda x: ag.jvp(lambda z: (z**3 * x).sum(), (np.ones(3),), (ALONG,))[1],
    "a hessian inside": lambda x: ag.hessian(lambda z: (z**4 * x).sum())(x).sum(),
    "vmap": lambda x: ag.vmap(lambda z: np.sin(z) * x)(x * 2).sum(),
    "checkpoint": lambda x: ag.checkpoint(lambda z: np.sin(z) * x)(x * 2).sum(),
    "compile": lambda x: ag.compile(lambda z: np.sin(z) * 2)(x * 2).sum(),
    "several outputs": _eigen,
    "transposed": lambda x: np.linalg.solve(np.outer(x, x) + A, x).sum() + np.max(x) * np.std(x),
    "a mask": lambda x: np.where(x > 0.4, np.sqrt(np.abs(x - 0.4)), 0).sum(),
    "gradient() inside": _asks,
    "backward() inside": _goes_back,
}


@pytest.mark.parametrize("name", WATCHED)
def test_what_a_jvp_meets_while_it_pushes(name):
    f = WATCHED[name]
    value, pushed_along = ag.jvp(f, (POINT,), (ALONG,))
    np.testing.assert_allclose(value, f(POINT))
    h = 1e-6
    np.testing.assert_allclose(pushed_along, (f(POINT + h * ALONG) - f(POINT - h * ALONG)) / (2 * h), rtol=1e-6)
    np.testing.assert_allclose(pushed_along, ag.linearize(f, POINT)[1](ALONG), rtol=1e-9)


def test_a_jvp_beside_a_parameter_can_be_differentiated():
    w = ag.Tensor(np.array([1.0, 2.0, 3.0]), requires_grad=True)

    def f(x, w=w):
        return np.tanh(w * (x * 2) * x).sum()

    _, along = ag.jvp(f, (POINT,), (ALONG,))
    along.backward()
    right = ag.grad(lambda w: ag.grad(lambda x: f(x, w))(POINT) @ ALONG)(w.data)
    np.testing.assert_allclose(w.grad.data, right)
    with ag.no_grad():
        assert type(ag.jvp(f, (POINT,), (ALONG,))[1]) is np.float64


def test_a_jvp_runs_its_function_once_unless_a_mask_may_have_cut_off_a_nan():
    runs = []

    def f(x, masked):
        runs.append(1)
        return np.sqrt(np.where(x > 0, x, 0) if masked else x).sum()

    assert ag.jvp(lambda x: f(x, True), (np.array([4.0, 1.0]),), (np.ones(2),))[1] == 0.75
    assert len(runs) == 1
    assert ag.jvp(lambda x: f(x, True), (np.array([4.0, -1.0]),), (np.ones(2),))[1] == 0.25
    assert len(runs) == 3
    assert np.isnan(ag.jvp(lambda x: f(x, False), (np.array([4.0, 0.0]),), (np.array([1.0, 0.0]),))[1])
    assert len(runs) == 4


def test_a_caught_call_for_the_graph_is_heard():
    def f(x):
        y = (x**3).sum()
        with contextlib.suppress(ag.AutogradError):
            return ag.gradient(y, x, create_graph=True) @ x
        return 0 * y

    np.testing.assert_allclose(ag.jvp(f, (POINT,), (ALONG,))[1], 9 * POINT**2 @ ALONG)
