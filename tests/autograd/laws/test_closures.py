"""An inner transform keeps what its function closes over: the outer one differentiates it, in every op, by every way.

All values are mixed derivatives ∂²L/∂a∂b along one direction each, by differences of the op on plain arrays.
"""

import itertools

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from tests.autograd.laws.fused import WITH_DEFINITION, is_float, samples
from tests.autograd.laws.oracle import close, plain

# ------------------------------------------------------------------------------------------------------ differences

STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def mixed(loss, a, b, *along, step=2e-3):
    """Differentiate loss(a, b) on arrays once along each direction, (0, v) of a or (1, v) of b."""
    total = 0.0
    for combination in itertools.product(STENCIL, repeat=len(along)):
        moved, weight = [np.array(a), np.array(b)], 1.0
        for (k, c), (which, v) in zip(combination, along, strict=True):
            moved[which] = moved[which] + k * step * v
            weight *= c / step
        total += weight * float(plain(loss(*moved)))
    return total


def dot(g, v):
    return (g * v).sum()


# name: (loss of a alone, point, direction) -> the derivative along it, a number
INNER = {
    "grad": lambda f, a, v: dot(ag.grad(f)(a), v),
    "value_and_grad": lambda f, a, v: dot(ag.value_and_grad(f)(a)[1], v),
    "vjp": lambda f, a, v: dot(ag.vjp(f, a)[1](1.0), v),
    "jvp": lambda f, a, v: ag.jvp(f, (a,), (v,))[1],
    "jacobian": lambda f, a, v: dot(ag.jacobian(f)(a), v),
    "grad of checkpoint": lambda f, a, v: dot(ag.grad(ag.checkpoint(f))(a), v),
    "checkpoint of grad": lambda f, a, v: ag.checkpoint(lambda a: dot(ag.grad(f)(a), v))(a),
}


def by_backward(h, b, u):
    leaf = ag.Tensor(b, requires_grad=True)
    y = h(leaf)
    if isinstance(y, ag.Tensor) and y.requires_grad:
        y.backward()
    return 0.0 if leaf.grad is None else dot(plain(leaf.grad), u)


OUTER = {
    "grad": lambda h, b, u: dot(ag.grad(h)(b), u),
    "vjp": lambda h, b, u: dot(ag.vjp(h, b)[1](1.0), u),
    "jvp": lambda h, b, u: ag.jvp(h, (b,), (u,))[1],
    "backward": by_backward,
    "grad of checkpoint": lambda h, b, u: dot(ag.grad(ag.checkpoint(h))(b), u),
}
PAIRS = [(i, o) for i in INNER for o in OUTER if i == "grad" or o in ("grad", "jvp")]


def number(y):
    """Weigh what an op gives to one number, in which no second derivative is lost."""
    parts = y if isinstance(y, tuple | list) else (y,)
    total = 0.0
    for part in parts:
        if is_float(part) or isinstance(part, ag.Tensor):
            w = np.cos(np.arange(1.0, 1 + np.size(part))).reshape(np.shape(part))
            total = total + (w * part + 0.25 * part * part).sum()
    return total


def cases(row, seed=3):
    """Give (loss of two inputs, a, b) for each ordered pair of floating-point inputs of the first and last sample."""
    found = list(samples(row, np.random.default_rng(seed)))
    for args, kwargs in (found[0], found[-1])[: len(found)]:
        places = [i for i, x in enumerate(args) if is_float(x)]
        for i, j in itertools.permutations(places, 2):

            def loss(a, b, i=i, j=j, args=args, kwargs=kwargs):
                given = list(args)
                given[i], given[j] = a, b
                return number(row(*given, **kwargs))

            yield f"{i} closed over {j}", loss, args[i], args[j]


def hold(loss, a, b, pairs, seed=0):
    """Compare every pair of transforms with the differences of the loss."""
    rng, wrong = np.random.default_rng(seed), []
    v, u = rng.uniform(0.5, 1.5, np.shape(a)), rng.uniform(0.5, 1.5, np.shape(b))
    right = mixed(loss, a, b, (0, v), (1, u))
    for inner, outer in pairs:
        try:
            found = float(plain(OUTER[outer](lambda b, inner=inner: INNER[inner](lambda a: loss(a, b), a, v), b, u)))
        except Exception as error:
            found = error
        if isinstance(found, Exception) or not close(found, right, 1e-5, 1e-6):
            wrong.append(f"{outer} of {inner}: {found!r}, right is {right!r}")
    assert not wrong, "\n".join(wrong)


MANY = {name for name, row in WITH_DEFINITION.items() if any(True for _ in cases(row))}


def test_every_op_with_a_definition_is_in_the_table():
    assert {
        "linear",
        "attention",
        "layer_norm",
        "batch_norm",
        "conv",
        "gru",
        "lstm",
        "rnn",
        "mse_loss",
    } <= MANY


@pytest.mark.parametrize("name", sorted(MANY))
def test_grad_of_grad_for_each_pair_of_inputs(name):
    wrong = []
    for which, loss, a, b in cases(WITH_DEFINITION[name]):
        try:
            hold(loss, a, b, [("grad", "grad")])
        except AssertionError as error:
            wrong.append(f"input {which}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", sorted(MANY))
def test_every_transform_in_every_transform(name):
    _, loss, a, b = next(cases(WITH_DEFINITION[name]))
    hold(loss, a, b, PAIRS)


@pytest.mark.parametrize("name", sorted(MANY))
def test_hvp_keeps_what_it_closes_over(name):
    """The third derivative ∂³L/∂a²∂b: the outer transform through a Hessian-vector product."""
    rng = np.random.default_rng(1)
    _, loss, a, b = next(cases(WITH_DEFINITION[name]))
    v, w, u = (rng.uniform(0.5, 1.5, np.shape(x)) for x in (a, a, b))
    right = mixed(loss, a, b, (0, v), (0, w), (1, u), step=5e-3)
    for outer in ("grad", "jvp"):
        found = OUTER[outer](lambda b: dot(ag.hvp(lambda a: loss(a, b))(a, v), w), b, u)
        np.testing.assert_allclose(float(plain(found)), right, rtol=2e-4, atol=2e-5)


# ------------------------------------------------------------------------------------------------------- ops of users


def own_ops():
    """Declare ops as users do; the registry forgets them after the test."""
    joint = ag.op(lambda a, b: a * b, vjp=lambda g, a, b: (g * b, g * a), definition=lambda a, b: a * b, name="joint")
    named = ag.op(
        lambda a, b: a * np.exp(b),
        vjp={"a": lambda g, b: g * np.exp(b), "b": lambda g, y: g * y},
        definition=lambda a, b: a * np.exp(b),
        name="named",
    )
    alone = ag.op(lambda a, b: a * np.sin(b), definition=lambda a, b: a * np.sin(b), name="alone")
    elementwise = ag.op(
        lambda a, b: a * b * b,
        vjp=dict(a=lambda g, b: g * b * b, b=lambda g, a, b: 2 * g * a * b),
        definition=lambda a, b: a * b * b,
        elementwise=True,
        name="elementwise",
    )
    without = ag.op(
        lambda a, b: a * b**3, vjp=dict(a=lambda g, b: g * b**3, b=lambda g, a, b: 3 * g * a * b**2), name="without"
    )
    tuples = ag.op(
        lambda a, b: (a * b, a + b * b),
        vjp=lambda g, a, b: (g[0] * b + g[1], g[0] * a + 2 * g[1] * b),
        definition=lambda a, b: (a * b, a + b * b),
        name="tuples",
    )
    cached = ag.op(
        lambda a, b: (a * np.tanh(b), np.tanh(b)),
        vjp=lambda g, a, t: (g * t, g * a * (1 - t * t)),
        definition=lambda a, b: a * np.tanh(b),
        cache=("t",),
        name="cached",
    )
    nested = ag.op(lambda a, b: a * b * np.exp(b), definition=lambda a, b: joint(named(a, b), b), name="nested")
    keyword = ag.op(
        lambda a, b, *, power=2: a * b**power,
        vjp=dict(a=lambda g, b, power: g * b**power, b=lambda g, a, b, power: power * g * a * b ** (power - 1)),
        definition=lambda a, b, *, power=2: a * b**power,
        name="keyword",
    )
    return {
        "joint": joint,
        "named": named,
        "alone": alone,
        "elementwise": elementwise,
        "without": without,
        "tuples": tuples,
        "cached": cached,
        "nested": nested,
        "keyword": lambda a, b: keyword(a, b, power=3),
    }


OWN = ["joint", "named", "alone", "elementwise", "without", "tuples", "cached", "nested", "keyword"]


@pytest.mark.parametrize("name", OWN)
def test_own_ops(name):
    op = own_ops()[name]
    hold(lambda a, b: number(op(a, b)), np.array([0.3, -0.5, 1.2]), np.array([0.7, 0.4, -0.9]), PAIRS)


@pytest.mark.parametrize("name", ["joint", "named", "alone", "elementwise", "nested", "cached", "keyword"])
def test_own_ops_of_numbers(name):
    op = own_ops()[name]
    hold(lambda a, b: number(op(a, b)), np.float64(0.3), np.float64(0.7), PAIRS)


def test_a_definition_in_terms_of_a_fused_op():
    op = ag.op(lambda a, b: a @ np.swapaxes(b, 0, 1), definition=lambda a, b: F.linear(a, b), name="by_linear")
    a, b = np.array([[0.3, -0.5, 1.2]]), np.array([[0.7, 0.4, -0.9], [0.1, -0.2, 0.3]])
    hold(lambda a, b: number(op(a, b)), a, b, PAIRS)
    hold(lambda b, a: number(op(a, b)), b, a, PAIRS)


def test_the_smallest_programs():
    z, W = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    inner = lambda W: ag.grad(lambda z: F.linear(z, W).sum())(z)  # noqa: E731
    np.testing.assert_allclose(ag.grad(lambda W: (inner(W) ** 2).sum())(W), 2 * W)
    mine = own_ops()["joint"]
    assert ag.grad(lambda b: ag.grad(lambda a: mine(a, b))(2.0) ** 2)(3.0) == 6


def test_three_levels():
    """d/dc of d/db of d/da, each closing over the next."""
    op = own_ops()["nested"]
    f = lambda a, b, c: op(op(a, b), c)  # noqa: E731 (a b e^b c e^c)
    level_1 = lambda b, c: ag.grad(lambda a: f(a, b, c))(0.3)  # noqa: E731
    level_2 = lambda c: ag.grad(lambda b: level_1(b, c))(0.7)  # noqa: E731
    np.testing.assert_allclose(ag.grad(level_2)(0.2), (1 + 0.7) * np.exp(0.7) * (1 + 0.2) * np.exp(0.2), rtol=1e-12)


# --------------------------------------------------------------------------------------- gradient penalties of modules

MODULES = {
    "Linear": (lambda: nn.Linear(3, 2, rng=0), (2, 3)),
    "Sequential": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 1, rng=1)), (2, 3)),
    "Sequential with softplus": (
        lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.Softplus(), nn.Linear(4, 1, rng=1)),
        (2, 3),
    ),
    "Sequential with GELU": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.GELU(), nn.Linear(4, 1, rng=1)), (2, 3)),
    "Sequential in Sequential": (
        lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 3, rng=0), nn.Sigmoid()), nn.Linear(3, 1, rng=1)),
        (2, 3),
    ),
    "MLP": (lambda: nn.MLP(3, [4, 1], "tanh", rng=0), (2, 3)),
    "MLP with relu": (lambda: nn.MLP(3, [4, 1], "relu", rng=0), (2, 3)),
    "Layer": (lambda: nn.Layer(3, 2, "sigmoid", rng=0), (2, 3)),
    "Neuron": (lambda: nn.Neuron(3, "tanh", rng=0), (3,)),
    "LayerNorm": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.LayerNorm(4)), (2, 3)),
    "BatchNorm1d": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4)), (5, 3)),
    "Conv1d": (lambda: nn.Conv1d(2, 3, 2, rng=0), (1, 2, 4)),
    "RNN": (lambda: First(nn.RNN(2, 3, rng=0)), (3, 1, 2)),
    "LSTM": (lambda: First(nn.LSTM(2, 2, rng=0)), (3, 1, 2)),
    "GRU": (lambda: First(nn.GRU(2, 2, rng=0)), (3, 1, 2)),
    "MultiheadAttention": (lambda: Itself(nn.MultiheadAttention(4, 2, rng=0)), (3, 1, 4)),
}


class First(nn.Module):
    def __init__(self, part):
        self.part = part

    def forward(self, x):
        return self.part(x)[0]


class Itself(First):
    def forward(self, x):
        return self.part(x, x, x)[0]


@pytest.mark.parametrize("way", ["create_graph", "grad"])
@pytest.mark.parametrize("name", MODULES)
def test_gradient_penalty(name, way):
    """The gradient by the input, differentiated by the parameters, against differences of the module on arrays."""
    made, shape = MODULES[name]
    model, rng = made().astype(float), np.random.default_rng(5)
    x, v = rng.normal(size=shape), rng.uniform(0.5, 1.5, shape)
    parameters = list(model.parameters())
    directions = [rng.uniform(0.5, 1.5, p.shape) for p in parameters]
    start = [plain(p) for p in parameters]

    def loss(x, t):
        for p, value, u in zip(parameters, start, directions, strict=True):
            p.data = value + t * u
        return number(model(ag.Tensor(x)))

    right = mixed(loss, x, np.float64(0.0), (0, v), (1, 1.0))
    loss(x, 0.0)
    if way == "grad":
        penalty = dot(ag.grad(lambda x: number(model(x)))(x), v)
    else:
        leaf = ag.Tensor(x, requires_grad=True)
        number(model(leaf)).backward(create_graph=True)
        model.zero_grad()
        penalty, leaf.grad = dot(leaf.grad, v), None
    penalty.backward()
    found = sum(dot(plain(p.grad), u) for p, u in zip(parameters, directions, strict=True) if p.grad is not None)
    np.testing.assert_allclose(found, right, rtol=1e-5, atol=1e-7)


# ------------------------------------------------------------------- what a closure belongs to, asked when it is called

X, T = np.array([0.5, 1.0, 2.0]), np.array([1.0, -2.0, 0.5])
CLOSING = {
    # name: (function of x that uses a transform inside, and closes over x there; its derivative along T)
    "grad": (lambda x: x * ag.grad(lambda z: ((x * z) ** 2).sum())(1.0), [9.5, -23.0, 1.25]),
    "jvp": (lambda x: ag.jvp(lambda z: np.sin(x * z), (np.ones(3),), (T,))[1], (np.cos(X) - X * np.sin(X)) * T * T),
    "vjp": (lambda x: ag.vjp(lambda z: np.sin(x * z), np.ones(3))[1](T), (np.cos(X) - X * np.sin(X)) * T * T),
    "hvp": (lambda x: ag.hvp(lambda z: ((x * z) ** 3).sum())(np.ones(3), T), 18 * X**2 * T * T),
    "jacobian": (lambda x: ag.jacobian(lambda z: x * z**2)(np.ones(3)).sum(axis=0), 2 * T),
    "value_and_grad": (
        lambda x: x * ag.value_and_grad(lambda z: (x * z).sum())(2.0)[0],
        2 * (T * X.sum() + X * T.sum()),
    ),
    "grad of linear": (lambda x: ag.grad(lambda z: F.linear(z, (x * x)[None]).sum())(np.ones((1, 3)))[0], 2 * X * T),
    "checkpoint inside": (lambda x: ag.grad(lambda z: ag.checkpoint(lambda z: (x * z**2).sum())(z))(np.ones(3)), 2 * T),
    "grad of grad": (lambda x: ag.grad(lambda y: ag.grad(lambda z: (x * y * z**3).sum())(1.0).sum())(X), 3 * T),
    "no transform": (lambda x: x**3, 3 * X**2 * T),
}


def as_definition(h):
    return ag.op(lambda x: np.array(plain(h(x))), definition=h, name="by_definition")


WRAPPERS = {
    "plain": lambda h: h,
    "checkpoint": ag.checkpoint,
    "checkpoint of checkpoint": lambda h: ag.checkpoint(ag.checkpoint(h)),
    "definition": as_definition,
    "checkpoint of a lambda": lambda h: ag.checkpoint(lambda x: h(x * 1.0)),
}
ALONG = {
    "jvp": lambda h, x, t: ag.jvp(h, (x,), (t,))[1],
    "jacobian": lambda h, x, t: ag.jacobian(h)(x) @ t,
    "vjp of vjp": lambda h, x, t: ag.grad(lambda u: (ag.vjp(h, x)[1](u) * t).sum())(np.zeros(3)),
    "pullback of a Tensor": lambda h, x, t: pulled_by_a_tensor(h, x, t),
    "grad, one by one": lambda h, x, t: np.stack([ag.grad(lambda x, i=i: h(x)[i])(x) @ t for i in range(3)]),
    "backward": lambda h, x, t: np.stack([backward_of(h, x, i) @ t for i in range(3)]),
}


def pulled_by_a_tensor(h, x, t):
    u = ag.Tensor(np.zeros(3), requires_grad=True)
    (ag.vjp(h, x)[1](u) * t).sum().backward()
    return plain(u.grad)


def backward_of(h, x, i):
    leaf = ag.Tensor(x, requires_grad=True)
    h(leaf)[i].backward()
    return plain(leaf.grad)


@pytest.mark.parametrize("along", ALONG)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", CLOSING)
def test_a_closure_belongs_to_the_call_in_which_it_was_made(name, wrapper, along):
    h, right = CLOSING[name]
    found = ALONG[along](WRAPPERS[wrapper](h), X, T)
    np.testing.assert_allclose(plain(found), right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CLOSING)
def test_right_values_are_those_of_differences(name):
    """The inner transform by itself is trusted here (other tests hold it); the outer derivative is by differences."""
    h, right = CLOSING[name]
    found = sum(c / 1e-3 * np.asarray(plain(h(X + k * 1e-3 * T)), float) for k, c in STENCIL)
    np.testing.assert_allclose(found, right, rtol=1e-7, atol=1e-8)


def test_a_closed_over_leaf_gets_its_gradient_too():
    w = ag.Tensor(2.0, requires_grad=True)
    g = ag.grad(lambda z: (w * z**3).sum())(np.array([1.0, 2.0]))
    g.sum().backward()
    assert w.grad.item() == 15.0
