"""A saved program is a module that needs NumPy only, and computes the same values and gradients."""

import subprocess
import sys

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import TraceError

RNG = np.random.default_rng(0)


def net(*layers, loss=None, shape=(6, 4), target=(6, 1)):
    def make():
        model, criterion = nn.Sequential(*[layer() for layer in layers]), loss()
        x = RNG.standard_normal(shape).astype("f4")
        y = np.abs(RNG.standard_normal(target)).astype("f4") if isinstance(target, tuple) else target
        return ag.compile(lambda x, y: criterion(model(x), y)), (x, y), list(model.parameters())

    return make


def linear(a, b):
    return lambda: nn.Linear(a, b, rng=1)


def plain():
    w = ag.Tensor(RNG.standard_normal((4, 3)), requires_grad=True, name="w")
    b = ag.Tensor(np.zeros(3), requires_grad=True, name="b")

    @ag.compile
    def f(x, y):
        h = np.tanh(x @ w + b)
        part = np.where(h > 0, h, 0.5 * h)[1:]
        return (part**3).sum() + ag.softmax(h, axis=1).max() + np.exp(-(h**2)).mean() + y.sum() * 0

    return f, (RNG.standard_normal((5, 4)), np.ones(1)), [w, b]


def of_weights(function, *shapes):
    """Make a row of a function of x, y and weights."""

    def row():
        weights = [ag.Tensor(RNG.standard_normal(shape), requires_grad=True, name=f"w{k}") for k, shape in shapes]
        return ag.compile(lambda x, y: function(x, y, *weights)), (RNG.standard_normal((5, 4)), np.ones(1)), weights

    shapes = list(enumerate(shapes))
    return row


def springs(x, y, k):
    state = np.stack([x[0, 0], y[0]])
    for _ in range(2):
        state = state + 0.1 * np.stack([state[1], -k[0] * state[0] - k[1] * state[1]])
    return (state**2).sum()


def process(x, y, theta):
    distances = (x[:, :1] - x[:, 0]) ** 2
    covariance = np.exp(theta[0]) * np.exp(-distances) + np.exp(theta[1]) * np.eye(5)
    return x[:, 1] @ np.linalg.solve(covariance, x[:, 1]) + np.linalg.slogdet(covariance)[1]


def picked(x, y, table):
    rows = table[np.array([0, 2, 2, 1, 0])]
    rows[0] *= 2
    return ((rows * x).sum(axis=1) ** 2).mean() + np.fft.rfft(table[0]).real.sum() + rows.max()


def large(x, y, w):
    return (np.tanh(w * 2.0) * w + np.exp(-w)).sum() * x[0, 0]


LABELS = np.array([0, 2, 1, 2, 0, 1])
PROGRAMS = {
    "plain": plain,
    "springs": of_weights(springs, (2,)),
    "a Gaussian process": of_weights(process, (2,)),
    "rows of a table": of_weights(picked, (3, 4)),
    "in blocks": of_weights(large, (200_000,)),
    "binary": net(linear(4, 5), nn.ReLU, linear(5, 1), loss=nn.BCEWithLogitsLoss, target=np.ones((6, 1), "f4")),
    "classes": net(linear(4, 5), nn.GELU, linear(5, 3), loss=nn.CrossEntropyLoss, target=LABELS),
    "layer norm": net(linear(4, 5), lambda: nn.LayerNorm(5), nn.Tanh, linear(5, 1), loss=nn.MSELoss),
    "batch norm": net(linear(4, 5), lambda: nn.BatchNorm1d(5), nn.SiLU, linear(5, 1), loss=nn.HuberLoss),
    "dropout": net(linear(4, 5), lambda: nn.Dropout(0.5, rng=3), linear(5, 1), loss=nn.L1Loss),
    "convolution": net(
        lambda: nn.Conv2d(1, 2, 3, rng=0), nn.ReLU, lambda: nn.MaxPool2d(2), nn.Flatten, linear(8, 3),
        loss=nn.CrossEntropyLoss, shape=(6, 1, 6, 6), target=LABELS,
    ),
}  # fmt: skip
RUN = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import step
given = np.load(sys.argv[1] + "/given.npz")
outputs, saved = step.forward(given["x"], given["y"], **step.weights)
found = step.backward(outputs[0].dtype.type(1), *saved)
np.savez(sys.argv[1] + "/found.npz", outputs[0], *found)
print(sorted(m for m in sys.modules if m.partition(".")[0] in ("autograd", "nn")))
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_module_computes_the_same_with_numpy_alone(name, tmp_path):
    f, (x, y), leaves = PROGRAMS[name]()
    f(x, y)  # the traced call draws and counts as well
    f.program(x, y).save(tmp_path / "step.py")
    np.savez(tmp_path / "given.npz", x=x, y=y)
    done = subprocess.run(
        [sys.executable, "-I", "-c", RUN, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
    loss = f(x, y)
    loss.backward()
    found = list(np.load(tmp_path / "found.npz").values())
    np.testing.assert_allclose(found[0], loss.numpy(), rtol=1e-6)
    for leaf, g in zip(leaves, found[1:], strict=True):
        np.testing.assert_allclose(g, leaf.grad.numpy(), rtol=1e-5, atol=1e-7)


def test_a_program_without_gradient(tmp_path):
    f = ag.compile(lambda x: np.sin(x) * 2)
    f.program(np.ones(3)).save(tmp_path / "wave.py")
    space = {"__file__": str(tmp_path / "wave.py")}
    exec((tmp_path / "wave.py").read_text(encoding="utf-8"), space)  # noqa: S102
    np.testing.assert_array_equal(space["forward"](np.ones(3))[0][0], np.sin(np.ones(3)) * 2)
    assert [path.name for path in tmp_path.iterdir()] == ["wave.py"]  # no arrays, no second file


@pytest.mark.parametrize("name", ["step", "step.txt", "1step.py"])
def test_a_file_that_is_no_module(name, tmp_path):
    with pytest.raises(TraceError, match=r"a module is a file such as step\.py"):
        ag.compile(lambda x: x * 2).program(np.ones(3)).save(tmp_path / name)


def test_what_no_file_can_hold_is_named(tmp_path):
    handle = object()

    @ag.opaque
    def read(x, handle):
        return x + 1 if handle else x

    with pytest.raises(TraceError, match="the program uses object 'handle', which cannot be written into a module"):
        ag.compile(lambda x: read(x, handle=handle)).program(np.ones(3)).save(tmp_path / "step.py")


def test_memory_lists_what_a_call_makes():
    f, (x, y), _ = PROGRAMS["binary"]()
    memory = f.program(x, y).memory
    assert 6 * 5 * 4 in memory.values()
    assert memory["dweight_0"] == 5 * 4 * 4
    assert not any("." in name for name in memory)
