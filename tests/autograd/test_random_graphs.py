"""Random expressions over the table of ops: first and second derivatives, and the two modes against each other."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag

# Each op is smooth and maps tame values to tame values, so that any composition is both.
UNARY = {
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "arcsinh": np.arcsinh,
    "sigmoid": ag.sigmoid,
    "erf": ag.erf,
    "softplus": ag.softplus,
    "silu": ag.silu,
    "gelu": ag.gelu,
    "sinc": np.sinc,
    "negative": np.negative,
    "exp of -square": lambda x: np.exp(-np.square(x)),
    "log1p of square": lambda x: np.log1p(x * x),
    "sqrt": lambda x: np.sqrt(1 + x * x),
    "reciprocal": lambda x: np.reciprocal(2 + np.cos(x)),
    "softmax": ag.softmax,
    "log_softmax": ag.log_softmax,
    "mean over axis": lambda x: x - x.mean(axis=0),
    "logsumexp": lambda x: 0.5 * (x - ag.logsumexp(x, axis=-1, keepdims=True)),
    "cumsum": lambda x: np.tanh(np.cumsum(x, axis=-1)),
    "reversed": lambda x: x[..., ::-1],
    "rolled": lambda x: np.roll(x, 1, axis=-1),
    "picked": lambda x: x[..., [0, 0, 2]] * 0.5,
    "transposed": lambda x: np.swapaxes(np.swapaxes(x, 0, -1), -1, 0),
    "normalised": lambda x: x / np.sqrt(1 + (x * x).sum(axis=-1, keepdims=True)),
    "spread": lambda x: np.tanh(np.var(x, axis=-1, keepdims=True) + x),
    "half": lambda x: 0.5 * x,
    "shifted": lambda x: np.sin(x + 1.0),
    "squeezed": lambda x: np.expand_dims(x, 0)[0],
    "again": lambda x: np.stack([x, x])[1],
}
MIX = np.full((3, 3), 0.125, np.float32)
BINARY = {
    "add": lambda a, b: 0.5 * (a + b),
    "subtract": lambda a, b: 0.5 * (a - b),
    "multiply": lambda a, b: np.tanh(a * b),
    "divide": lambda a, b: a / (2 + np.sin(b)),
    "arctan2": lambda a, b: np.arctan2(np.sin(a), 2 + np.cos(b)),
    "hypot": lambda a, b: np.tanh(np.hypot(a, 1 + b * b)),
    "logaddexp": lambda a, b: np.tanh(np.logaddexp(a, b)),
    "power": lambda a, b: (1.5 + np.tanh(a)) ** np.tanh(b),
    "matmul": lambda a, b: np.tanh(a @ MIX * b),
    "where": lambda a, b: np.where(np.array([True, False, True]), a, b),
    "outer": lambda a, b: np.tanh(np.einsum("...i,...j->...i", a, b)),
    "joined": lambda a, b: np.concatenate([a + 0 * b, b + 0 * a], axis=-1)[..., 1:4],
}

SHAPES = [(3,), (2, 3), (1, 3)]
CALM = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@st.composite
def programs(draw):
    """Draw a list of steps over a growing list of values: (op, which values)."""
    leaves = draw(st.integers(1, 3))
    steps = []
    for k in range(draw(st.integers(1, 9))):
        value = st.integers(0, leaves + k - 1)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(sorted(UNARY))), draw(value)))
        else:
            steps.append((draw(st.sampled_from(sorted(BINARY))), draw(value), draw(value)))
    inputs = [
        np.random.default_rng(draw(st.integers(0, 999))).uniform(-1.5, 1.5, draw(st.sampled_from(SHAPES)))
        for _ in range(leaves)
    ]
    return steps, inputs


def runner(steps):
    """Make a function of the program; every value is part of the result, so that none is dead."""

    def f(*inputs):
        values = list(inputs)
        for name, *places in steps:
            op = UNARY.get(name) or BINARY[name]
            values.append(op(*[values[i] for i in places]))
        return sum((value * value * 0.3 + value).mean() for value in values)

    f.__name__ = " ".join(f"{name}{tuple(places)}" for name, *places in steps)
    return f


@CALM
@given(programs())
def test_gradients_to_order_two(program):
    steps, inputs = program
    ag.check_grads(runner(steps), *inputs)


@CALM
@given(programs(), st.integers(0, 99))
def test_forward_and_reverse_mode_agree(program, seed):
    """<J v, u> = <v, Jᵀ u>, also for the gradient: there J is the Hessian, which is symmetric."""
    steps, inputs = program
    rng = np.random.default_rng(seed)
    f = runner(steps)

    def gradient(*xs):
        shares = ag.grad(f, tuple(range(len(xs))))(*xs)
        return tuple(shares)

    v, u = ([rng.normal(size=x.shape) for x in inputs] for _ in range(2))
    for g, w in ((lambda *xs: (f(*xs),), [rng.normal()]), (gradient, u)):
        pushed = ag.jvp(g, tuple(inputs), tuple(v))[1]
        pulled = ag.vjp(g, *inputs)[1](tuple(w))
        pulled = (pulled,) if len(inputs) == 1 else pulled
        left = sum(np.sum(a * b) for a, b in zip(pushed, w, strict=True))
        right = sum(np.sum(a * b) for a, b in zip(pulled, v, strict=True))
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-11)


@settings(CALM, max_examples=40)
@given(programs(), st.integers(0, 2))
def test_vmap_agrees_with_a_loop(program, same):
    """Values, gradients of each example and of all, Hessians by columns; one input may be the same for all."""
    steps, inputs = program
    f, all_of = runner(steps), tuple(range(len(inputs)))
    axes = tuple(None if k == same and len(inputs) > 1 else 0 for k in all_of)
    many = [x if axis is None else np.stack([x, 0.9 * x, -x]) for x, axis in zip(inputs, axes, strict=True)]
    examples = [[x if axis is None else x[i] for x, axis in zip(many, axes, strict=True)] for i in range(3)]
    np.testing.assert_allclose(ag.vmap(f, axes)(*many), [f(*each) for each in examples], rtol=1e-10, atol=1e-12)
    gradients = [ag.grad(f, all_of)(*each) for each in examples]
    for k, found in enumerate(ag.vmap(ag.grad(f, all_of), axes)(*many)):
        np.testing.assert_allclose(found, np.stack([g[k] for g in gradients]), rtol=1e-9, atol=1e-11)
    for k, found in enumerate(ag.grad(lambda *xs: ag.vmap(f, axes)(*xs).sum(), all_of)(*many)):
        parts = np.stack([g[k] for g in gradients])
        np.testing.assert_allclose(found, parts.sum(0) if axes[k] is None else parts, rtol=1e-9, atol=1e-11)
    columns = [ag.jvp(ag.grad(f), tuple(inputs), (e.reshape(inputs[0].shape), *[0 * x for x in inputs[1:]]))[1]
               for e in np.eye(inputs[0].size)]  # fmt: skip
    h = ag.hessian(f)(*inputs).reshape(*inputs[0].shape, -1)
    np.testing.assert_allclose(h, np.stack(columns, axis=-1), rtol=1e-9, atol=1e-11)


@CALM
@given(programs())
def test_backward_equals_grad_equals_traced(program):
    """Three ways to the same numbers: transform, backward, backward with create_graph."""
    steps, inputs = program
    f = runner(steps)
    expected = ag.grad(f, tuple(range(len(inputs))))(*inputs)
    for options in ({}, {"retain_graph": True}, {"create_graph": True}):
        leaves = [ag.Tensor(x, requires_grad=True) for x in inputs]
        f(*leaves).backward(**options)
        for leaf, g in zip(leaves, expected, strict=True):
            np.testing.assert_allclose(leaf.grad.data, g, rtol=1e-12, atol=1e-14)
            leaf.grad = None


@CALM
@given(programs())
def test_checkpoint_changes_nothing(program):
    steps, inputs = program
    f = runner(steps)
    all_of = tuple(range(len(inputs)))
    for a, b in zip(ag.grad(ag.checkpoint(f), all_of)(*inputs), ag.grad(f, all_of)(*inputs), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


@CALM
@given(programs())
def test_float32_agrees_with_float64(program):
    steps, inputs = program
    f = runner(steps)
    leaves = [ag.Tensor(x.astype(np.float32), requires_grad=True) for x in inputs]
    y = f(*leaves)
    assert y.dtype == np.float32
    y.backward()
    exact = ag.grad(f, tuple(range(len(inputs))))(*inputs)
    for leaf, g in zip(leaves, exact, strict=True):
        assert leaf.grad.dtype == np.float32
        np.testing.assert_allclose(leaf.grad.data, g, rtol=2e-3, atol=2e-4)


@settings(CALM, max_examples=100)
@given(st.data())
def test_broadcast_shapes(data):
    """Any two shapes that NumPy broadcasts, empty ones included; each gradient has the shape of its input."""
    shape = data.draw(st.lists(st.integers(0, 3), max_size=3))
    pair = []
    for _ in range(2):
        kept = shape[data.draw(st.integers(0, len(shape))) :]
        pair.append(tuple(1 if data.draw(st.booleans()) else n for n in kept))
    rng = np.random.default_rng(0)
    a, b = (ag.Tensor(rng.uniform(0.5, 2, s), requires_grad=True) for s in pair)
    for op in (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum, np.arctan2):
        y = op(a, b)
        assert y.shape == np.broadcast_shapes(*pair)
        g = rng.normal(size=y.shape)
        a.zero_grad()
        b.zero_grad()
        y.backward(g)
        assert a.grad.shape == a.shape
        assert b.grad.shape == b.shape
        if op is np.add:
            np.testing.assert_allclose(a.grad.data.sum(), g.sum(), atol=1e-12)


INDEX_PARTS = st.one_of(
    st.integers(-2, 1),
    st.slices(2),
    st.just(Ellipsis),
    st.none(),
    st.lists(st.integers(-2, 1), min_size=1, max_size=3),
    st.just(np.array([True, False])),
)


@settings(CALM, max_examples=200)
@given(st.lists(INDEX_PARTS, max_size=4).map(tuple))
def test_indexing_like_numpy(index):
    """Any index that NumPy takes: the same value, and the exact transpose <x[i], v> = <x, scatter(v)>."""
    x = np.arange(1.0, 9.0).reshape(2, 2, 2)
    try:
        expected = x[index]
    except (IndexError, ValueError):
        return
    leaf = ag.Tensor(x, requires_grad=True)
    y = leaf[index]
    np.testing.assert_array_equal(y.data, expected)
    v = np.random.default_rng(1).normal(size=expected.shape)
    y.backward(v)
    np.testing.assert_allclose(np.sum(leaf.grad.data * x), np.sum(expected * v), atol=1e-12)
    positions = np.arange(8).reshape(2, 2, 2)[index]
    np.testing.assert_allclose(leaf.grad.data.ravel(), np.bincount(np.ravel(positions), np.ravel(v), minlength=8))
