"""Whole functions, compiled: transforms, models and losses give what they give without; each pass may be left out."""

import copy
import pickle
import threading
import time

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import NotAFunction, TraceError
from autograd.programs.program import PASSES
from autograd.tree import flatten
from nn import functional as F

rng = np.random.default_rng(0)
VECTORS = [(rng.normal(size=4),) for _ in range(3)]
PAIRS = [(a[0], b[0]) for a, b in zip(VECTORS, VECTORS[1:] + VECTORS[:1], strict=True)]
MATRICES = [(rng.normal(size=(3, 4)),) for _ in range(2)]
DENSE = nn.Sequential(nn.Linear(4, 8, rng=0), nn.Tanh(), nn.Linear(8, 2, rng=1)).astype(np.float64)


def f(x):
    return (np.sin(x) * x**3).sum()


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def written(x):
    y = x * 1.0
    y[1:3] = x[0] * 2
    y += 1
    return (y * y).sum()


def penalty(weight):
    return (ag.grad(lambda z: F.linear(z, weight).sum())(np.ones((2, 4))) ** 2).sum()


FUNCTIONS = {
    "value": (f, VECTORS),
    "grad": (ag.grad(f), VECTORS),
    "value_and_grad": (ag.value_and_grad(f), VECTORS),
    "grad of grad": (ag.grad(lambda x: ag.grad(lambda y: (y**4).sum())(x).sum()), VECTORS),
    "of a number": (ag.grad(ag.grad(lambda x: x**3)), [(2.0,), (3.0,)]),
    "hvp": (ag.hvp(rosenbrock), PAIRS),
    "hessian": (ag.hessian(f), VECTORS),
    "jacobian": (ag.jacobian(lambda x: np.tanh(x) * x[0]), VECTORS),
    "jvp": (lambda x: ag.jvp(f, (x,), (x * 2,)), VECTORS),
    "vjp": (lambda x: ag.vjp(np.exp, x)[1](x), VECTORS),
    "two pullbacks": (lambda x: [ag.vjp(np.exp, x)[1](k * x) for k in (1, 2)], VECTORS),
    "where": (ag.grad(lambda x: np.where(x < 0.5, np.log1p(np.exp(x)), x).sum()), VECTORS),
    "a mask": (lambda x: np.where((x > -1) & ~(x > 1), x, 0.0), VECTORS),
    "max": (ag.grad(lambda x: np.max(x) * 2 + x.min()), VECTORS),
    "sort": (ag.grad(lambda x: (np.sort(x) * np.arange(4)).sum()), VECTORS),
    "in place": (ag.grad(written), VECTORS),
    "an index": (ag.grad(lambda x: (x[np.argsort(x)[1:]] ** 2).sum()), VECTORS),
    "detach": (ag.grad(lambda x: (x * x.detach()).sum()), VECTORS),
    "checkpoint": (ag.grad(lambda x: ag.checkpoint(lambda z: np.sin(z) * z)(x).sum()), VECTORS),
    "a tree": (lambda t: {"sum": t["a"] + t["b"][0]}, [({"a": v[0], "b": [v[0] * 2]},) for v in VECTORS]),
    "closed over in a gradient": (ag.grad(penalty), MATRICES),
    "model": (DENSE, MATRICES),
    "model, by its input": (ag.grad(lambda x: DENSE(x).sum()), MATRICES),
    "no_grad inside": (lambda x: no_grad_inside(x), VECTORS),
}


def no_grad_inside(x):
    with ag.no_grad():
        scale = np.exp(x)
    return x * scale


def leaves(y):
    return [(type(x), np.asarray(x.data if isinstance(x, ag.Tensor) else x)) for x in flatten(y)[0]]


def assert_same(ours, theirs, rtol=1e-10):
    assert len(ours) == len(theirs)
    for (kind, a), (other, b) in zip(ours, theirs, strict=True):
        assert issubclass(kind, ag.Tensor) == issubclass(other, ag.Tensor)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("off", [(), *[(each.__name__,) for each in PASSES], tuple(each.__name__ for each in PASSES)])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name, off):
    function, inputs = FUNCTIONS[name]
    compiled = ag.compile(function, off=off)
    for args in (*inputs, inputs[0]):
        assert_same(leaves(compiled(*args)), leaves(function(*args)))


@pytest.mark.parametrize("name", ["value", "model", "in place", "where", "a mask", "sort"])
def test_gradient_of_the_result(name):
    function, inputs = FUNCTIONS[name]
    function = function if not isinstance(function, ag.transforms._Transformed) else function._recipe[1][0]
    compiled = ag.compile(function)
    for args in inputs:
        found = []
        for each in (function, compiled, compiled):
            x = ag.Tensor(args[0], requires_grad=True)
            (each(x) * 1.5).sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(found[1], found[0], rtol=1e-10)
        np.testing.assert_allclose(found[2], found[0], rtol=1e-10)


def test_second_order_of_the_result():
    compiled, x = ag.compile(lambda x: (np.tanh(x) ** 3).sum()), ag.Tensor(VECTORS[0][0], requires_grad=True)
    for function in (compiled, compiled):
        found = []
        for each in (function, lambda x: (np.tanh(x) ** 3).sum()):
            x.grad = None
            each(x).backward(create_graph=True)
            slope, x.grad = x.grad, None
            (slope * slope).sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_mask_holds_against_infinite_slopes():
    compiled = ag.compile(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum())
    for _ in range(2):
        x = ag.Tensor([0.0, 1.0], requires_grad=True)
        compiled(x).backward()
        assert x.grad.tolist() == [0.0, 0.5]


def pulled(f):
    return lambda x: ag.vjp(f, x)[1](1.0)


def prod_where(x):
    return np.prod(np.sqrt(x), where=x > 0)


BEHIND = {  # a nan or an infinite slope behind a mask: its gradient is 0, however it is computed
    "where": lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(),
    "relu": lambda x: ag.relu(np.sqrt(x) - 1.5).sum(),
    "minimum": lambda x: np.minimum(np.sqrt(x), -1.0).sum(),
    "nanmean": lambda x: np.nanmean(x * np.array([1.0, np.nan, 1.0])),
    "nanprod": lambda x: np.nanprod(x * np.array([1.0, np.nan, 1.0])),
    "prod, where=": prod_where,
    "an index": lambda x: np.sqrt(x)[1:].sum(),
}
X0 = np.array([0.0, 1.0, 4.0])


@pytest.mark.parametrize("name", BEHIND)
def test_a_mask_holds_in_a_gradient_that_is_compiled(name):
    f = BEHIND[name]
    with np.errstate(all="ignore"):
        right = ag.grad(f)(X0)
        assert np.isfinite(right).all()
        for way in (ag.grad(f), ag.grad(ag.compile(f)), pulled(f)):
            compiled = ag.compile(way)
            for k in (1, 2):
                np.testing.assert_array_equal(compiled(X0), right, err_msg=f"call {k}")
        np.testing.assert_allclose(ag.compile(ag.grad(f))(X0 + 1), ag.grad(f)(X0 + 1), rtol=1e-14)


def test_a_compiled_function_inside_another_is_walked_by_what_it_computes():
    """Not by the programs that it remembers: these change with each new kind of arguments."""
    inner = ag.compile(lambda x: (x * x).sum())
    outer = ag.compile(lambda x: inner(x) * 2)
    for k in range(1, 20):
        inner(np.ones(k))
        assert outer(X0) == 34.0  # a warning that it is traced anew would be an error


# ------------------------------------------------------------------------------------------------------------ models


class Recurrent(nn.Module):
    def __init__(self, kind):
        self.first, self.second = kind(3, 6, batch_first=True, rng=0), kind(6, 4, batch_first=True, rng=1)
        self.head = nn.Linear(4, 1, rng=2)

    def forward(self, x):
        x, _ = self.first(x)
        return self.head(self.second(x)[0][:, -1])


class Transformer(nn.Module):
    def __init__(self):
        self.token, self.position = nn.Embedding(7, 8, rng=0), nn.Embedding(5, 8, rng=5)
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True, rng=1)
        self.head = nn.Linear(8, 7, rng=2)
        self.mask, self.places = np.triu(np.full((5, 5), -np.inf, "f4"), 1), np.arange(5)

    def forward(self, x):
        x = self.token(x) + self.position(self.places)
        return self.head(self.block(x, src_mask=self.mask, is_causal=True)).reshape(-1, 7)


def small_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, rng=0), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.3, rng=3), nn.Linear(100, 3, rng=1),
    )  # fmt: skip


def beside(module):
    return nn.Sequential(nn.Linear(3, 3, rng=0), module)


IMAGES = [(rng.normal(size=(4, 1, 12, 12)).astype("f4"), rng.integers(0, 3, 4)) for _ in range(3)]
SERIES = [(rng.normal(size=(4, 5, 3)).astype("f4"), rng.integers(0, 2, (4, 1)).astype("f4")) for _ in range(3)]
TOKENS = [(rng.integers(0, 7, (3, 5)), rng.integers(0, 7, 15)) for _ in range(3)]
ROWS = [(rng.normal(size=(6, 3)).astype("f4"), rng.random((6, 3)).astype("f4")) for _ in range(3)]
MODELS = {
    "cnn": (small_cnn, nn.CrossEntropyLoss(), IMAGES),
    **{k.__name__: (lambda k=k: Recurrent(k), nn.BCEWithLogitsLoss(), SERIES) for k in (nn.LSTM, nn.GRU, nn.RNN)},
    "transformer": (Transformer, nn.CrossEntropyLoss(), TOKENS),
    "MLP": (lambda: nn.MLP(3, [8, 8, 3]), nn.MSELoss(), ROWS),
    **{
        type(m).__name__: (lambda m=m: beside(copy.deepcopy(m)), nn.MSELoss(), ROWS)
        for m in (
            nn.LayerNorm(3), nn.GroupNorm(1, 3), nn.RMSNorm(3), nn.BatchNorm1d(3), nn.PReLU(), nn.GELU(), nn.SiLU(),
            nn.Softmax(-1), nn.ELU(), nn.LeakyReLU(), nn.Dropout(0.5, rng=1),
        )
    },
    **{
        type(loss).__name__: (lambda: nn.Linear(3, 3, rng=0), loss, ROWS)
        for loss in (nn.L1Loss(), nn.HuberLoss(), nn.BCEWithLogitsLoss(), nn.MSELoss("sum"))
    },
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_training(name):
    """Loss, gradients, running statistics and random draws, step by step."""
    make, criterion, batches = MODELS[name]
    model = make()
    twin = copy.deepcopy(model)
    compiled = ag.compile(lambda x, y: criterion(twin(x), y))
    for x, y in (*batches, batches[0]):
        model.zero_grad()
        twin.zero_grad()
        plain, fast = criterion(model(x), y), compiled(x, y)
        np.testing.assert_allclose(fast.item(), plain.item(), rtol=1e-5)
        plain.backward()
        fast.backward()
        for p, q in zip(model.parameters(), twin.parameters(), strict=True):
            assert (p.grad is None) == (q.grad is None)
            if p.grad is not None:
                np.testing.assert_allclose(q.grad.numpy(), p.grad.numpy(), rtol=2e-4, atol=1e-6)
            p.data -= 0.1 * p.grad.numpy() if p.grad is not None else 0
            q.data -= 0.1 * q.grad.numpy() if q.grad is not None else 0
    for a, b in zip(model.buffers(), twin.buffers(), strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-4, atol=1e-6)


# ---------------------------------------------------------------------------------------------------------- behaviour


def test_results_are_never_overwritten_and_inputs_never_written():
    compiled = ag.compile(lambda x: (x * 2 + 1, x.T))
    first = compiled(MATRICES[0][0])
    kept = [a.copy() for a in first]
    given = MATRICES[1][0].copy()
    compiled(given)
    np.testing.assert_array_equal(given, MATRICES[1][0])
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    first[1][0, 0] = 9.0
    assert MATRICES[0][0][0, 0] != 9.0


def test_a_batch_changed_before_backward_is_not_read():
    w, x = ag.Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
    compiled = ag.compile(lambda x: (x * w).sum())
    for _ in range(2):
        w.grad, x[:] = None, [3.0, 4.0]
        y = compiled(x)
        x[:] = 0
        y.backward()
        assert w.grad.tolist() == [3.0, 4.0]


def test_a_weight_changed_before_backward_is_refused():
    w = ag.Tensor([1.0, 2.0], requires_grad=True)
    compiled = ag.compile(lambda x: (x * w).sum())
    for _ in range(2):
        y = compiled(ag.Tensor([3.0, 4.0], requires_grad=True))
        w.data = w.data * 2
        with pytest.raises(ag.errors.InPlaceError, match="was changed in place"):
            y.backward()


def test_an_exception_leaves_it_usable():
    compiled = ag.compile(lambda x: nn.BCEWithLogitsLoss()(x, x * 0 + 0.5))
    criterion = ag.compile(nn.BCEWithLogitsLoss())
    y = np.full((3, 1), 0.5)
    assert criterion(y, y) == criterion(y, y)
    with pytest.raises(ag.errors.ArgumentError, match="targets lie from 0 to 1, got 2"):
        criterion(y, y * 4)
    assert criterion(y, y) == criterion(y, y)
    assert compiled(y).item() > 0


def test_threads_share_a_compiled_function():
    compiled, found = ag.compile(ag.value_and_grad(f)), {}

    def work(i):
        found[i] = [compiled(np.full(4, i + k / 10)) for k in range(20)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, results in found.items():
        for k, (value, slope) in enumerate(results):
            right = ag.value_and_grad(f)(np.full(4, i + k / 10))
            np.testing.assert_allclose(value, right[0])
            np.testing.assert_allclose(slope, right[1])


def test_source_reads_like_numpy():
    program = ag.compile(lambda x: (np.tanh(x) * 2).sum()).program(ag.Tensor([1.0, 2.0], requires_grad=True))
    assert "np.tanh(x)" in program.source
    assert program.source.startswith("c2 = np.array(2.0, np.float64)\n")
    assert "\n\n\ndef forward(x):\n" in program.source
    assert "\n\n\ndef backward(" in program.source
    assert [step.label for step in program.forward] == ["tanh", "multiply", "sum"]


def test_programs_are_bounded():
    compiled = ag.compile(lambda x: x * 2)
    for n in range(1, 200):
        assert compiled(np.ones(n)).shape == (n,)
    assert len(compiled._entries) == 64


def test_pickled_and_bound():
    compiled = pickle.loads(pickle.dumps(ag.compile(rosenbrock)))
    np.testing.assert_allclose(compiled(VECTORS[0][0]), rosenbrock(VECTORS[0][0]))

    class Model:
        scale = 2.0

        @ag.compile
        def double(self, x):
            return x * self.scale

    assert Model().double(np.ones(2)).tolist() == [2.0, 2.0]


REFUSED = {
    "if": (lambda x: x if x.sum() > 0 else -x, "reading the numbers"),
    "float": (lambda x: x * float(x[0]), "reading the numbers"),
    "item": (lambda x: x * x[0].item(), "reading the numbers"),
    "numpy": (lambda x: x * np.asarray(x.numpy()), "reading the numbers"),
    "into an array": (lambda x: np.array([x[0], x[1]]), "reading the numbers"),
    "backward": (lambda x: x.sum().backward(), r"backward\(\) inside"),
    "a write into an argument": (lambda x: x.__setitem__(0, 1.0), "a write into an argument"),
    "a leaf made inside": (lambda x: x * ag.Tensor([1.0] * 4, requires_grad=True), "is made inside"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_program_cannot_hold_is_refused_with_the_line(name):
    function, message = REFUSED[name]
    with pytest.raises(TraceError, match=f"{message}.*test_compile.py"):
        ag.compile(function)(ag.Tensor(VECTORS[0][0]))


def test_no_function():
    with pytest.raises(NotAFunction, match="compile takes a function, got int"):
        ag.compile(3)


def test_the_first_call_takes_time_in_proportion_to_the_ops():
    """Of 10,000 ops about a second; the limit is wide of that, and of what a step that looks at all others takes."""

    def f(x):
        for _ in range(5000):
            x = x * 1.0001 + 0.5
        return x

    start = time.process_time()
    ag.compile(f)(ag.Tensor(1.0, requires_grad=True)).backward()
    assert time.process_time() - start < 5


def test_what_a_plain_function_gives_may_be_none_at_times():
    """A mask where there is one to apply, and None where not: in either order, as labels of a loss are ignored."""

    @ag.opaque
    def positive(x):
        mask = np.asarray(x) > 0
        return np.asarray(x), None if mask.all() else mask

    def f(x, y):
        values, mask = positive(y)
        return ((x * values) if mask is None else np.where(mask, x * values, 0.0)).sum()

    some, every = np.array([1.0, -2.0]), np.array([1.0, 2.0])
    for order in ((some, every, some), (every, some, every)):
        compiled, x = ag.compile(f), ag.Tensor([3.0, 5.0], requires_grad=True)
        for y in order:
            assert compiled(x, y).item() == f(x, y).item()


FACTORS = {  # name: (function, the lines of its program)
    "two numbers": (lambda x: (x * 2.0) * 3.0, ["y = x * c6"]),
    "a sign": (lambda x: -(x * 2.0), ["y = x * minus2"]),
    "two signs": (lambda x: (x * -1.0) * -1.0, []),
    "before a product": (
        lambda x: ((x * 5.0) * (x + 1)) * 3.0,
        ["s = x + one", "np.multiply(x, s, out=s)", "np.multiply(s, c15, out=s)"],
    ),
    "on both sides": (
        lambda x: (x * 5.0) * ((x + 1) * 3.0),
        ["s = x + one", "np.multiply(x, s, out=s)", "np.multiply(s, c15, out=s)"],
    ),
    "two signs in a product": (lambda x: (-x) * (-(x + 1)), ["s = x + one", "np.multiply(x, s, out=s)"]),
}


@pytest.mark.parametrize("name", FACTORS)
def test_numbers_are_multiplied_once(name):
    function, lines = FACTORS[name]
    x = np.array([0.5, -2.0, 3.0])
    compiled = ag.compile(function)
    body = compiled.program(x).source.partition("def forward(x):\n")[2].splitlines()[:-1]
    assert [line.strip() for line in body if "#" not in line] == lines
    np.testing.assert_allclose(compiled(x), function(x), rtol=1e-14)


def _twice(y):
    return y * y + y * 2.0


LARGE_OR_SMALL = {
    "a large number": lambda x: (x * 1e200) * 1e-200,
    "a small number before a product": lambda x: ((x * 1e-3) * x) * 2.0,
    "a number that is used twice": lambda x: _twice(x * 3.0),
    "zero": lambda x: (x * 0.0) * 5.0,
    "nothing is lost of inf": lambda x: (x * np.inf) * 0.5,
}


@pytest.mark.parametrize("name", LARGE_OR_SMALL)
def test_numbers_are_joined_only_where_nothing_overflows(name):
    x = np.array([1e160, -1.0, 1e-160, 0.0])
    function = LARGE_OR_SMALL[name]
    with np.errstate(all="ignore"):
        found = ag.compile(function).program(x)
        np.testing.assert_allclose(found([x]), function(x), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int64, bool])
@pytest.mark.parametrize("number", [2, 0.1, -0.0, True, np.float32(0.1), np.float64(0.1), np.int64(3), 2**10])
@pytest.mark.parametrize("f", [np.add, np.multiply, np.greater, np.maximum], ids=lambda f: f.__name__)
def test_a_number_beside_an_array_keeps_its_meaning(f, number, dtype):
    x = np.array([0, 1, 0], dtype)
    compiled = ag.compile(lambda x: f(x, number))
    compiled(x)
    found, right = compiled(x), f(x, number)
    assert found.dtype == right.dtype
    np.testing.assert_array_equal(found, right)
    assert found.tobytes() == right.tobytes()  # -0 is not 0


def test_constants_are_themselves():
    """The source begins with the constants that one line can make; zeros of both signs are none of these."""
    for c in (np.array([0.0, -0.0]), np.zeros(2), np.ones(2), np.full(2, 0.1), np.array([np.nan] * 2), np.float32(0.1)):
        compiled = ag.compile(lambda x, c=c: x * 0.0 + np.copysign(1.0, c) + c)
        compiled(np.ones(2))
        assert compiled(np.ones(2)).tobytes() == (np.ones(2) * 0.0 + np.copysign(1.0, c) + c).tobytes()


def test_gradients_of_a_weight_that_is_used_twice_are_added_where_they_lie():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.LeakyReLU(0.2), nn.Linear(4, 2, rng=1))
    x, y = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)

    def loss(x, y):
        return (model(x) ** 2).sum() + (model(y) * 3.0).sum() + model(x + y).sum()

    compiled = ag.compile(loss)
    assert "copyto" not in compiled.program(x, y).source
    found = []
    for f in (loss, compiled):
        model.zero_grad()
        f(x, y).backward()
        found.append([p.grad.numpy() for p in model.parameters()])
    for plain, fast in zip(*found, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-6)
