"""Whole functions, compiled: models and losses train as without; the compiled function is shared, bounded, pickled."""

import copy
import pickle
import random
import threading
import time
import warnings

import numpy as np
import pytest

import autograd as ag
import autograd.programs.compiled as compiled_module
import nn
from autograd.errors import NotAFunction
from tests.autograd.programs.functions import VECTORS, f, rosenbrock


def test_a_compiled_function_inside_another_is_walked_by_what_it_computes():
    """Not by the programs that it remembers: these change with each new kind of arguments."""
    inner = ag.compile(lambda x: (x * x).sum())
    outer = ag.compile(lambda x: inner(x) * 2)
    for k in range(1, 20):
        inner(np.ones(k))
        assert outer(np.array([0.0, 1.0, 4.0])) == 34.0  # a warning that it is traced anew would be an error


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


rng = np.random.default_rng(0)
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


def test_programs_are_bounded():
    compiled = ag.compile(lambda x: x * 2)
    for n in range(1, 200):
        assert compiled(np.ones(n)).shape == (n,)
    known = compiled.traces
    compiled(np.ones(199))
    assert compiled.traces == known  # the last are remembered
    compiled(np.ones(1))
    assert compiled.traces == known + 1  # the first is not


def test_pickled_and_bound():
    compiled = pickle.loads(pickle.dumps(ag.compile(rosenbrock)))
    np.testing.assert_allclose(compiled(VECTORS[0][0]), rosenbrock(VECTORS[0][0]))

    class Model:
        scale = 2.0

        @ag.compile
        def double(self, x):
            return x * self.scale

    assert Model().double(np.ones(2)).tolist() == [2.0, 2.0]


def test_no_function():
    with pytest.raises(NotAFunction, match="compile takes a function, got int"):
        ag.compile(3)


def test_the_kind_that_was_used_least_recently_goes_first(monkeypatch):
    monkeypatch.setattr(compiled_module, "KINDS", 3)
    double = ag.compile(lambda x: x * 2)
    for n in (1, 2, 3, 1, 4):  # 2 makes room for 4
        double(np.ones(n))
    assert double.traces == 4
    for n in (1, 3, 4):
        double(np.ones(n))
    assert double.traces == 4
    double(np.ones(2))
    assert double.traces == 5


def test_a_long_program_is_made_in_time_that_grows_with_its_length():
    def seconds(n):
        def f(x):
            for _ in range(n):
                x = x * 0.999 + 1e-3
            return x.sum()

        started = time.process_time()
        ag.compile(ag.value_and_grad(f))(np.ones(4))
        return time.process_time() - started

    seconds(100)
    assert min(seconds(2000) / seconds(200) for _ in range(3)) < 30


@pytest.mark.filterwarnings("ignore:.*runs uncompiled:RuntimeWarning")
def test_an_opaque_function_that_writes_into_an_argument():
    """What was read of it before counts, in value and gradient, in the call that is traced and in later ones."""

    @ag.opaque
    def cleared(y):
        y[:] = 0

    def f(x, y):
        z = np.sum(y * x)
        cleared(y)
        return z * z

    slope, value = ag.compile(ag.grad(f)), ag.compile(f)
    for _ in range(3):
        assert slope(np.array([1.0, 2.0]), np.array([3.0, 4.0])).tolist() == [66, 88]
        x, y = ag.Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
        value(x, y).backward()
        assert (x.grad.tolist(), y.tolist()) == ([66, 88], [0, 0])
    assert "writes into an argument of shape (2,)" in slope.why


def _global_numbers():
    return np.random.normal()  # noqa: NPY002


@pytest.mark.parametrize("draw", [_global_numbers, random.random, np.random.default_rng(0).random])
def test_a_function_that_runs_as_itself_draws_once(draw):
    w = ag.Tensor([1.0], requires_grad=True)

    def f(x):
        return x * draw() * (1.0 if w.grad is None else 2.0)

    def numbers(function):
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        if hasattr(draw, "__self__") and isinstance(draw.__self__, np.random.Generator):
            draw.__self__.bit_generator.state = np.random.default_rng(0).bit_generator.state
        return [function(ag.Tensor([1.0])).item() for _ in range(2)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert numbers(ag.compile(f)) == numbers(f)
