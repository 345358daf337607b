"""``vmap``: every op against a loop over the examples, then axes, nesting, what it composes with, what it refuses."""

import concurrent.futures
import contextlib
import functools
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd.errors import ArgumentError, InPlaceError, NotAFunction, ShapeError, TraceError
from tests.autograd import mapped, pushed
from tests.autograd.laws.fused import WITH_DEFINITION
from tests.autograd.laws.fused import samples as fused_samples
from tests.autograd.laws.random_programs import PROGRAMS, Run
from tests.autograd.rows import ROWS, numpy_names, samples


@pytest.mark.parametrize("name", ROWS)
def test_every_op(name):
    """Values, gradients of each example, and the gradient of all: examples in all arguments, in one, in all but one."""
    for args, kwargs in samples(name):
        names = numpy_names(name) if name != "polyint" else []  # of whose k NumPy does not know that it may be a Tensor
        row = next(iter(names), ROWS[name])  # by NumPy's name, as users call it
        f, floats = pushed.of_floats(row, args, kwargs, 1 if name == "quantile" else None)
        if floats:
            mapped.hold(f, floats)


@pytest.mark.parametrize("name", [name for name in WITH_DEFINITION if name not in ROWS])
def test_every_fused_op(name):
    rng = np.random.default_rng(7)
    for args, kwargs in list(fused_samples(WITH_DEFINITION[name], rng))[:2]:
        f, floats = pushed.of_floats(WITH_DEFINITION[name], args, kwargs)
        mapped.hold(f, floats)


# --------------------------------------------------------------------------------------------------------------- axes

X, W = np.arange(12.0).reshape(4, 3) + 1, np.array([1.0, -1.0, 2.0])

AXES = {
    "rows": (lambda x: x.sum(), 0, 0, (X,), X.sum(1)),
    "columns": (lambda x: x * 2, 1, 1, (X,), X * 2),
    "last axis": (lambda x: x * 2, -1, -1, (X,), X * 2),
    "turned": (lambda x: x * 2, 0, 1, (X,), 2 * X.T),
    "the same for all": (lambda x, w: x @ w, (0, None), 0, (X, W), X @ W),
    "a list": (lambda x, w: x @ w, [0, None], 0, (X, W), X @ W),
    "a number for all": (lambda x, k: x * k, (0, None), 0, (X, 3), X * 3),
    "a tree": (lambda p: p["x"] @ p["w"], ({"x": 0, "w": None},), 0, ({"x": X, "w": W},), X @ W),
    "one axis for a tree": (lambda p: p["x"] + p["y"][0], 0, 0, ({"x": X, "y": [X[:, 0]]},), X + X[:, :1]),
    "a tree with None": (lambda p: p["x"] * 1 if p["y"] is None else 0, 0, 0, ({"x": X, "y": None},), X),
    "words": (lambda x, how: x * 2 if how == "double" else x, (0, None), 0, (X, "double"), X * 2),
    "results that do not move": (lambda x: W * 1, 0, 0, (X,), np.stack([W] * 4)),
    "a result for all": (lambda x, w: w * 2, (0, None), None, (X, W), W * 2),
    "one example": (lambda x: x.sum(), 0, 0, (X[:1],), X[:1].sum(1)),
    "no example": (lambda x: np.tanh(x).sum(), 0, 0, (X[:0],), np.zeros(0)),
    "numbers": (lambda x: np.sin(x) * x, 0, 0, (W,), np.sin(W) * W),
    "integers": (lambda i, x: x[i] * i, 0, 0, (np.array([2, 0, 1, 1]), X), X[range(4), [2, 0, 1, 1]] * [2, 0, 1, 1]),
    "a table": (lambda i, t: t[i], (0, None), 0, (np.array([2, 0, 2]), X), X[[2, 0, 2]]),
    "float32": (lambda x: x * 2, 0, 0, (X.astype(np.float32),), (2 * X).astype(np.float32)),
    "booleans": (lambda b, x: np.where(b, x, 0.0), 0, 0, (X[:, 0] > 4, X), np.where(X[:, :1] > 4, X, 0)),
}


@pytest.mark.parametrize("name", AXES)
def test_axes(name):
    f, in_axes, out_axes, args, right = AXES[name]
    found = ag.vmap(f, in_axes, out_axes)(*args)
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (right.dtype, right.shape)
    np.testing.assert_allclose(found, right)


def test_results_that_are_trees():
    found = ag.vmap(lambda x: {"sum": x.sum(), "parts": (x, x[0], None, "word")}, out_axes=0)(X)
    np.testing.assert_array_equal(found["sum"], X.sum(1))
    assert found["parts"][2:] == (None, "word")
    a, b = ag.vmap(lambda x: (x, x.sum()), out_axes=(1, 0))(X)
    assert (a.shape, b.shape) == ((3, 4), (4,))
    a, b = ag.vmap(lambda x: ([x, x], x), out_axes=(1, 0))(X)
    assert [part.shape for part in a] == [(3, 4), (3, 4)]


def test_keywords_are_the_same_for_all():
    np.testing.assert_array_equal(ag.vmap(lambda x, *, w: x @ w)(X, w=W), X @ W)


def test_a_result_is_an_array_in_a_program_as_well():
    """A program gave a Tensor where one that needs no gradient is closed over."""
    t = ag.Tensor([1.0, 2.0, 3.0])
    for axis in (0, None):
        mapped = ag.vmap(lambda x, axis=axis: t * 2 if axis is None else x * t, out_axes=axis)
        assert type(mapped(np.ones((2, 3)))) is np.ndarray
        assert type(ag.compile(mapped)(np.ones((2, 3)))) is np.ndarray


@pytest.mark.parametrize("f", [ag.leaky_relu, ag.elu], ids=lambda f: f.__name__)
def test_a_keyword_of_each_example(f):
    """``leaky_relu`` asks its slope whether it is at most 1."""
    x, slopes = np.array([1.0, -3.0]), np.array([0.1, 0.2, 1.5])
    np.testing.assert_allclose(ag.vmap(lambda s: f(x, s))(slopes), np.stack([f(x, s) for s in slopes]))


def _put(y, index, value):
    y[index] = value
    return y


# --------------------------------------------------------------------------------------------------------- composition


def energy(x, w=W):
    return np.tanh(x @ w) * (x**2).sum() + np.sort(x)[0]


COMPOSED = {
    "grad inside": (ag.vmap(ag.grad(energy)), lambda x: np.stack([ag.grad(energy)(e) for e in x])),
    "jacobian inside": (ag.vmap(ag.jacobian(np.sin)), lambda x: np.stack([np.diag(np.cos(e)) for e in x])),
    "hessian inside": (ag.vmap(ag.hessian(energy)), lambda x: np.stack([ag.hessian(energy)(e) for e in x])),
    "jvp inside": (
        ag.vmap(lambda e: ag.jvp(energy, (e,), (W,))[1]),
        lambda x: np.stack([ag.jvp(energy, (e,), (W,))[1] for e in x]),
    ),
    "vjp inside": (ag.vmap(lambda e: ag.vjp(np.sin, e)[1](W)), lambda x: np.cos(x) * W),
    "hvp inside": (
        ag.vmap(lambda e: ag.hvp(energy)(e, W)),
        lambda x: np.stack([ag.hvp(energy)(e, W) for e in x]),
    ),
    "grad outside": (
        ag.grad(lambda x: (ag.vmap(energy)(x) ** 2).sum()),
        lambda x: ag.grad(lambda x: sum([energy(e) ** 2 for e in x]))(x),
    ),
    "jvp outside": (
        lambda x: ag.jvp(ag.vmap(energy), (x,), (np.cos(x),))[1],
        lambda x: np.stack([ag.jvp(energy, (e,), (np.cos(e),))[1] for e in x]),
    ),
    "hessian outside": (
        ag.hessian(lambda x: ag.vmap(energy)(x).sum()),
        lambda x: ag.hessian(lambda x: sum([energy(e) for e in x]))(x),
    ),
    "nested": (
        ag.vmap(ag.vmap(lambda a, b: a * b + a, (None, 0)), (0, None)),
        lambda x, y: np.einsum("ik,j->ijk", x, y) + x[:, None],
    ),
    "nested, closing over": (
        ag.vmap(lambda a: ag.vmap(lambda b: a @ b)(X)),
        lambda x: x @ X.T,
    ),
    "grad of a vmap in a vmap": (
        ag.vmap(ag.grad(lambda a: ag.vmap(lambda b: np.sin(a @ b))(X).sum())),
        lambda x: np.stack([(np.cos(X @ a)[:, None] * X).sum(0) for a in x]),
    ),
    "compiled": (ag.compile(ag.vmap(ag.grad(energy))), lambda x: np.stack([ag.grad(energy)(e) for e in x])),
    "of a compiled function": (ag.vmap(ag.compile(energy)), lambda x: np.stack([energy(e) for e in x])),
    "checkpoint inside": (ag.vmap(ag.checkpoint(energy)), lambda x: np.stack([energy(e) for e in x])),
    "in-place code": (ag.vmap(lambda x: _in_place(x)), lambda x: np.stack([_in_place(e * 1) for e in x])),
    "a loop over rows": (ag.vmap(lambda x: sum([v * k for k, v in enumerate(x)])), lambda x: x @ [0, 1, 2]),
}


def _in_place(x):
    y = x * 2
    y[0] = y[0] + y[1]
    y *= x
    return y


@pytest.mark.parametrize("name", COMPOSED)
def test_composes(name):
    f, right = COMPOSED[name]
    args = (X / 5, W)[: right.__code__.co_argcount]
    for _ in range(2):
        found = f(*args)
        assert not isinstance(found, ag.Tensor)
        np.testing.assert_allclose(found, right(*args), rtol=1e-10)


def test_closed_over_tensors_get_their_gradients():
    w = ag.Tensor(W, requires_grad=True)
    y = ag.vmap(lambda x: np.tanh(x @ w))(X / 9)
    assert isinstance(y, ag.Tensor)
    y.sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), ((1 - np.tanh(X / 9 @ W) ** 2)[:, None] * X / 9).sum(0))


def test_detached_and_no_grad_stay_so():
    def f(x):
        with ag.no_grad():
            y = x * 2
        return x * y + x.detach() * 3

    np.testing.assert_array_equal(ag.grad(lambda x: ag.vmap(f)(x).sum())(W), 2 * W)
    np.testing.assert_array_equal(ag.vmap(ag.grad(f))(W), 2 * W)


def test_what_a_mask_cut_off_stays_cut_off():
    f = lambda x: np.where(x < 50, np.log1p(np.exp(x)), x)  # noqa: E731
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(ag.vmap(ag.grad(f))(np.array([0.0, 1000.0])), [0.5, 1])
        np.testing.assert_allclose(ag.grad(lambda x: ag.vmap(f)(x).sum())(np.array([0.0, 1000.0])), [0.5, 1])


def test_what_is_the_same_for_all_may_be_read():
    assert ag.vmap(lambda x, w: x @ w if w.sum() > 0 else x.sum(), (0, None))(X, W).tolist() == (X @ W).tolist()
    scale = ag.Tensor(2.0)
    assert ag.vmap(lambda x: x * 3 if scale > 1 else x)(W).tolist() == (3 * W).tolist()


# -------------------------------------------------------------------------------------------------------------- refused

REFUSED = {
    "an if": (lambda: ag.vmap(lambda x: x if x.sum() > 0 else -x)(X), TraceError, r"np\.where in place of an if"),
    "a number": (lambda: ag.vmap(lambda x: x * float(x[0]))(X), TraceError, r"loop over the examples: np\.stack"),
    "numpy": (lambda: ag.vmap(lambda x: x * x.numpy())(X), TraceError, "reading the numbers of a Tensor in a function"),
    "backward": (lambda: ag.vmap(lambda x: x.sum().backward())(X), TraceError, "backward"),
    "a mask as an index": (lambda: ag.vmap(lambda x: x[x > 6])(X), ShapeError, "another shape for each example"),
    "other lengths": (
        lambda: ag.vmap(lambda x, w: x)(X, W),
        ShapeError,
        r"differ in their number of examples: argument 0 4 \(axis 0 of shape \(4, 3\)\), argument 1 3 \(axis",
    ),
    "no such axis": (lambda: ag.vmap(lambda x: x, 2)(X), ShapeError, r"argument 0 of shape \(4, 3\) has no axis 2"),
    "a number has no axis": (lambda: ag.vmap(lambda x, k: x)(X, 3.0), ShapeError, r"argument 1 of shape \(\) .* None"),
    "too few axes": (lambda: ag.vmap(lambda x, w: x, (0,))(X, W), ArgumentError, r"in_axes=\(0,\) has 1 entries"),
    "none at all": (lambda: ag.vmap(lambda x: x, None), ArgumentError, "in_axes=None maps nothing"),
    "none that counts": (lambda: ag.vmap(lambda x: x, (None,))(X), ArgumentError, "no argument has an axis"),
    "an axis that is a word": (lambda: ag.vmap(lambda x: x, "rows")(X), ArgumentError, "got 'rows'"),
    "another form": (lambda: ag.vmap(lambda p: p["x"], ({"y": 0},))({"x": X}), ShapeError, "in_axes of argument 0"),
    "out_axes": (lambda: ag.vmap(lambda x: x.sum(), out_axes=1)(X), ArgumentError, "out_axes=1 is no axis"),
    "out_axes None": (lambda: ag.vmap(lambda x: x, out_axes=None)(X), ArgumentError, "the same for all examples"),
    "out_axes of one value": (lambda: ag.vmap(lambda x: x, out_axes=(0, 0))(X), ArgumentError, "returns one value"),
    "no function": (lambda: ag.vmap(X), NotAFunction, "vmap takes a function"),
    "running statistics": (
        lambda: ag.vmap(nn.BatchNorm1d(3))(np.ones((2, 4, 3), np.float32)),
        TraceError,
        r"batch_norm writes into arrays under vmap .* Call eval\(\) on the model",
    ),
    "an argument written": (
        lambda: ag.vmap(lambda x: _put(x, 0, 1.0))(X),
        TraceError,
        r"a write into an argument, .*Write into a copy \(y = x\.copy\(\)\), or leave the write out\.",
    ),
    "a view of one": (lambda: ag.vmap(lambda x: _put(x[:2], 0, 1.0))(X), TraceError, "a write into an argument"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    run, error, text = REFUSED[name]
    with pytest.raises(error, match=text):
        run()


def test_batch_norm_in_evaluation():
    model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.BatchNorm1d(2)).eval()
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(ag.vmap(model)(x).data, np.stack([model(e).numpy() for e in x]), rtol=1e-5)


# --------------------------------------------------------------------------------------------------------------- layers

LAYERS = {
    "linear": (lambda: nn.Linear(3, 2, rng=0), (3,)),
    "MLP": (lambda: nn.MLP(3, [4, 2], "tanh", rng=0), (5, 3)),
    "conv1d": (lambda: nn.Conv1d(3, 2, 2, rng=0), (3, 5)),
    "conv2d": (lambda: nn.Conv2d(1, 2, 2, rng=0), (2, 1, 4, 4)),
    "max pool": (lambda: nn.MaxPool2d(2), (1, 4, 4)),
    "average pool": (lambda: nn.AvgPool2d(2), (1, 4, 4)),
    "layer norm": (lambda: nn.LayerNorm(3), (4, 3)),
    "group norm": (lambda: nn.GroupNorm(1, 2), (1, 2, 3)),
    "gelu": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.GELU()), (3,)),
    "relu": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU()), (3,)),
    "softmax": (lambda: nn.Sequential(nn.Linear(3, 4, rng=0), nn.Softmax(-1)), (3,)),
    "rnn": (lambda: _First(nn.RNN(3, 2, rng=0)), (4, 1, 3)),
    "lstm": (lambda: _First(nn.LSTM(3, 2, rng=0)), (4, 1, 3)),
    "gru": (lambda: _First(nn.GRU(3, 2, rng=0)), (4, 1, 3)),
    "attention": (lambda: _Self(nn.MultiheadAttention(4, 2, rng=0)), (3, 1, 4)),
    "encoder": (lambda: nn.TransformerEncoderLayer(4, 2, 8, 0.0, rng=0), (3, 1, 4)),
}


class _First(nn.Module):
    def __init__(self, inner):
        self.inner = inner

    def forward(self, x):
        return self.inner(x)[0]


class _Self(_First):
    def forward(self, x):
        return self.inner(x, x, x)[0]


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    """Values, gradients of each example with respect to the parameters, and the jvp, against a loop."""
    make, shape = LAYERS[name]
    model = make().astype(float)
    params = {key: p.numpy() for key, p in model.named_parameters()}
    x = np.random.default_rng(1).normal(size=(3, *shape))

    def loss(params, x):
        return (nn.functional_call(model, params, x) ** 2).sum()

    found = ag.vmap(ag.grad(loss, (0, 1)), in_axes=(None, 0))(params, x)
    each = [ag.grad(loss, (0, 1))(params, e) for e in x]
    for key in params:
        np.testing.assert_allclose(found[0][key], np.stack([e[0][key] for e in each]), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found[1], np.stack([e[1] for e in each]), rtol=1e-8, atol=1e-10)
    t = np.cos(x)
    _, pushed_forward = ag.jvp(lambda x: ag.vmap(lambda e: loss(params, e))(x), (x,), (t,))
    right = [float((g[1] * d).sum()) for g, d in zip(each, t, strict=True)]
    np.testing.assert_allclose(pushed_forward, right, rtol=1e-8)


LOSSES = {
    "mse": nn.MSELoss(),
    "l1": nn.L1Loss(),
    "huber": nn.HuberLoss(),
    "bce with logits": nn.BCEWithLogitsLoss(),
    "hinge": nn.HingeLoss(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    rng, loss = np.random.default_rng(2), LOSSES[name]
    y, t = rng.normal(size=(3, 4)), np.sign(rng.normal(size=(3, 4)))  # of two classes, -1 and 1, or 0 and 1
    t = t if name == "hinge" else (t + 1) / 2
    found = ag.vmap(ag.grad(loss))(y, t)
    np.testing.assert_allclose(found, np.stack([ag.grad(loss)(a, b) for a, b in zip(y, t, strict=True)]))


def test_cross_entropy_with_a_label_for_each():
    rng = np.random.default_rng(3)
    z, labels = rng.normal(size=(3, 2, 4)), rng.integers(0, 4, (3, 2))
    loss = nn.CrossEntropyLoss()
    found = ag.vmap(ag.grad(loss))(z, labels)
    np.testing.assert_allclose(found, np.stack([ag.grad(loss)(a, b) for a, b in zip(z, labels, strict=True)]))


# ------------------------------------------------------------------------------------------------------ random programs


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", list(PROGRAMS)[::4])
def test_random_programs(name):
    """In-place code, views, checkpoints, masks around any op of the registry: as in a loop, or refused."""
    program = PROGRAMS[name]

    def f(*leaves):
        return sum(program.numbers(Run(), list(leaves)), 0.0)

    many = [np.stack([x, x * 1.001, x * 0.999]).astype(x.dtype) for x in program.leaves()]
    try:
        found = ag.vmap(f)(*many)
    except (TraceError, InPlaceError):
        return
    right = [f(*[ag.Tensor(x[i]) for x in many]) for i in range(3)]
    found = found.data if isinstance(found, ag.Tensor) else found  # a model in the program requires gradients
    np.testing.assert_allclose(found, np.stack([np.asarray(y.data) for y in right]), rtol=1e-4, atol=1e-6)


def test_a_number_is_bound_anew():
    """In NumPy ``z *= 2`` leaves another name of a number as it was, and changes one of an array."""

    def f(x):
        y = x * 1
        z = y
        z *= 2.0
        return y

    assert ag.vmap(f)(W).tolist() == W.tolist()
    assert ag.vmap(f)(X).tolist() == (2 * X).tolist()
    assert ag.compile(f)(np.float64(3.0)) == 3


# ----------------------------------------------------------------------------------------------------- its own ways


def with_a_branch_that_is_swallowed(x):
    with contextlib.suppress(Exception):
        if x[0] > 1:
            return x * 3
    return x


def in_another_thread(x):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: x * 2).result()


def test_values_can_be_written_out():
    found = []
    ag.vmap(lambda x: found.append(str(x)) or x * 2)(np.ones((3, 2)))
    assert "shape=(2,)" in found[0]


def reads_and_catches(x):
    try:
        return x * 2 if x[0] > 1 else x * 3
    except Exception:
        return x * 100


OWN_WAYS = [with_a_branch_that_is_swallowed, in_another_thread, reads_and_catches]


@pytest.mark.parametrize("f", OWN_WAYS, ids=lambda f: f.__name__)
def test_a_function_that_goes_its_own_ways_runs_example_by_example(f):
    x = np.array([[0.5, 2.0], [1.5, 1.0]])
    np.testing.assert_array_equal(ag.vmap(f)(x), np.stack([f(row) for row in x]))
    ways = ag.grad(lambda x: ag.vmap(f)(x).sum())(x)
    np.testing.assert_array_equal(ways, np.stack([f(row) for row in x]) / x)


def exists(name):
    """Tell whether this NumPy has a function, by a name such as ``np.linalg.det``."""
    return functools.reduce(lambda space, part: getattr(space, part, None), name.split(".")[1:], np) is not None


def test_the_page_lists_what_runs_example_by_example():
    page = Path(__file__).parents[2] / "docs" / "transforms.md"
    listed = page.read_text(encoding="utf-8").partition("<!-- looped -->\n")[2].partition("\n<!-- end -->")[0]
    names = [name for name in listed.replace("`", "").split() if exists(name)]  # older NumPys have fewer
    assert names == mapped.looped_functions()


INSIDE = ag.op(
    lambda x: ag.sigmoid(x) * x + ag.softmax(x).sum(),
    vjp=lambda g, x: g * ag.sigmoid(x) * (1 + x * (1 - ag.sigmoid(x))),
    name="of_other_ops",
)


@pytest.mark.parametrize(
    "f", [INSIDE, F.gelu, F.silu, F.mish, ag.checkpoint(F.gelu)], ids=["own", "gelu", "silu", "mish", "checkpoint"]
)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda f: ag.vmap(ag.vmap(f)),
        lambda f: ag.compile(ag.vmap(ag.vmap(f))),
        lambda f: ag.vmap(ag.compile(ag.vmap(f))),
        lambda f: ag.vmap(lambda x: ag.jvp(ag.vmap(f), (x,), (np.zeros_like(x),))[0]),
    ],
    ids=["vmap of vmap", "compiled", "compiled inside", "jvp inside"],
)
def test_a_forward_that_applies_ops_is_one_step(f, wrap):
    """Those ops run on arrays of its own: they are no steps of the traces around it."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    right = np.stack([np.stack([np.asarray(f(row)) for row in part]) for part in x])
    mapped = wrap(f)
    for _ in range(2):
        np.testing.assert_allclose(mapped(x), right, rtol=1e-12)
