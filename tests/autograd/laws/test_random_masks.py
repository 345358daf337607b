"""Nothing but what a mask cut off is cut off: masks in the midst of ops that mix all elements, on finite numbers.

The gradient is that of differences of the program on arrays, the second order that of differences of the gradient.
"""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import close, differences, plain, weigh, weigh_linearly
from tests.autograd.laws.test_random_cuts import ROW, STEPS, W, second

M = np.array([[True, False, True, True], [False, False, True, True], [True, True, False, True]])


def part_written(y):
    y = y * 1
    y[0, 1:3] = 0.3
    return y


def part_zeroed_by_a_view(y):
    y = y * 1
    column = y[:, 2]
    column *= 0.0
    return y


def nowhere(y):
    y = y * 1
    y[np.zeros((3, 4), bool)] = 7.0
    return y


MASKS = {
    "where": lambda y: np.where(M, y, 0.2),
    "where of two": lambda y: np.where(M, y, 0.5 * y * y),
    "where by value": lambda y: np.where(y > 0.8, y, 0.3 * y),
    "where of zero": lambda y: np.where(M, y, 0.0),
    "times a mask": lambda y: y * M,
    "times zero": lambda y: y * np.array([0.0, 1.0, 2.0, 0.0]) + 0.1 * y,
    "part written": part_written,
    "part zeroed by a view": part_zeroed_by_a_view,
    "written nowhere": nowhere,
    "every other column": lambda y: np.repeat(y[:, ::2], 2, axis=1),
    "one row thrice": lambda y: y[[1, 1, 0]],
    "row left out": lambda y: np.concatenate([y[1:], 0.5 * ROW[None]]),
    "boolean rows": lambda y: y[np.array([True, False, True])][[0, 1, 0]],
    "relu": lambda y: ag.relu(y - 0.4),
    "maximum": lambda y: np.maximum(y, 0.6),
    "minimum": lambda y: np.minimum(y, 0.9),
    "fmax": lambda y: np.fmax(y, 0.5),
    "clip": lambda y: np.clip(y, 0.5, 1.1),
    "tril": lambda y: np.tril(y),
    "triu": lambda y: np.triu(y, 1),
    "nan_to_num": lambda y: np.nan_to_num(y),
    "nansum": lambda y: y / (1 + np.nansum(y * y, axis=0)),
    "sum(where=)": lambda y: y + 0.1 * np.sum(y, axis=0, where=M),
    "max(where=)": lambda y: y * np.max(y, axis=1, where=M, initial=0.0, keepdims=True),
    "compress": lambda y: np.compress([True, False, True, True], y, axis=1)[:, [0, 1, 2, 2]],
    "select": lambda y: np.select([y > 1.0, y > 0.6], [y, y * y], 0.1),
    "dropped columns": lambda y: np.pad(y[:, 1:3], [(0, 0), (1, 1)]),
}
MIXES = {
    "softmax down": lambda y: ag.softmax(y, axis=0),
    "softmax of all": lambda y: ag.softmax(y.reshape(-1)).reshape(3, 4) * 5.0,
    "cumsum down": lambda y: 0.5 * np.cumsum(y, axis=0),
    "minus mean of all": lambda y: y - y.mean() + 1.0,
    "over std of all": lambda y: y / (np.std(y) + 0.2),
    "over norm of all": lambda y: y / (np.linalg.norm(y) + 0.1),
    "Gram matrix": lambda y: np.tanh(y @ y.T) @ np.ones((3, 4)) * ROW,
    "inverse": lambda y: np.linalg.inv(np.tanh(y[:, :3]) + 3.0 * np.eye(3)) @ y,
    "solve": lambda y: np.linalg.solve(np.tanh(y[:, 1:]) + 3.0 * np.eye(3), y),
    "determinant": lambda y: y * np.linalg.det(np.tanh(y[:, :3]) + 2.0 * np.eye(3)) * 0.1,
    "transposed product": lambda y: (y.T @ np.sin(y))[:3] * 0.3,
    "columns sorted": lambda y: np.sort(y, axis=0),
    "einsum": lambda y: np.einsum("ij,kj,kl->il", y, y, y) * 0.1,
    "convolved": lambda y: np.convolve(y.reshape(-1), [0.5, 1.0, -0.3], "same").reshape(3, 4),
    "logsumexp": lambda y: y - ag.logsumexp(y) + 3.0,
    "product of columns": lambda y: y * np.prod(y, axis=0),
}
ALL = {**{f"step {k}": f for k, f in STEPS.items()}, **MASKS, **MIXES}


def draw(seed):
    """Return a chain with a mask in its midst, at a point where differences are sharp."""
    rng = np.random.default_rng(5000 + seed)
    x = rng.uniform(0.3, 1.4, (3, 4))
    while True:
        steps, masks, mixes = (list(table) for table in (STEPS, MASKS, MIXES))
        names = [
            *[f"step {k}" for k in rng.choice(steps, rng.integers(0, 3))],
            str(rng.choice(mixes)),
            str(rng.choice(masks)),
            *[f"step {k}" for k in rng.choice(steps, rng.integers(0, 2))],
            str(rng.choice(mixes)),
            *([str(rng.choice(masks))] if rng.random() < 0.5 else []),
        ]

        def f(x, names=names):
            for name in names:
                x = ALL[name](x)
            return x

        with np.errstate(all="ignore"):
            a, b = differences(f, x, 1e-4), differences(f, x, 3e-4)
        if np.all(np.isfinite(a)) and 1e-3 < np.max(np.abs(a)) < 1e3 and np.all(close(a, b, 1e-6)):
            return " > ".join(names), f, x, a


@pytest.mark.parametrize("seed", range(80))
def test_masks_among_finite_numbers(seed):
    name, f, x, right = draw(seed)
    leaf = ag.Tensor(x, requires_grad=True)
    y = weigh(f(leaf))
    y.backward(retain_graph=True)
    found, leaf.grad = plain(leaf.grad), None
    y.backward(create_graph=True)
    traced, leaf.grad = plain(leaf.grad), None
    assert np.all(close(found, right, 1e-5)), f"{name}: {found}, right is {right}"
    assert np.all(close(traced, right, 1e-5)), f"create_graph, {name}: {traced}, right is {right}"
    v = np.cos(np.arange(12.0)).reshape(3, 4)
    pushed = ag.jvp(lambda x: weigh(f(x)), (x,), (v,))[1]
    assert close(pushed, (right * v).sum(), 1e-5, 1e-6), f"jvp, {name}"
    if seed % 3 == 0:
        gradient = lambda x: weigh_linearly(plain(ag.grad(lambda x: weigh(f(x)))(x)))  # noqa: E731
        assert np.all(close(second(f, x), differences(gradient, x, 1e-4), 1e-4, 1e-5)), f"second order, {name}"


def test_the_shapes_of_the_table():
    x = np.random.default_rng(0).uniform(0.5, 1.0, (3, 4))
    assert W.shape == (4, 4)
    for name, f in ALL.items():
        assert f(x).shape == (3, 4), name
