"""A row that is cut off has no say, whatever stood in it: random chains of ops that work row by row, and then a mask.

The gradient by the other rows is the one with harmless numbers in the bad row; that by the bad row is 0.
"""

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from tests.autograd.laws.oracle import close, differences, plain, weigh, weigh_linearly

W = np.array([[0.5, -1.0, 0.3, 0.2], [1.5, 0.3, -0.7, 0.1], [0.2, 0.4, 0.6, -0.5], [-0.3, 0.8, 0.1, 0.9]])
ROW = np.array([0.5, 1.5, 1.0, 0.7])


def written(y):
    y = y * 1
    y[:, 1] = y[:, 0] * y[:, 2]
    return y


def scaled_in_place(y):
    y = y * 1
    y -= y.mean(axis=1, keepdims=True)
    y += 1.0
    return y


# each takes (3, 4) to (3, 4) and no row into another
STEPS = {
    "exp": lambda y: np.exp(y * 0.5),
    "log": lambda y: np.log(y),
    "log of squares": lambda y: np.log(y * y + 0.1),
    "sqrt": lambda y: np.sqrt(y),
    "square": lambda y: np.square(y),
    "cube": lambda y: 0.3 * y**3,
    "power": lambda y: y**1.5,
    "reciprocal": lambda y: 1 / y,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sinh": np.sinh,
    "arctan": np.arctan,
    "log1p": np.log1p,
    "expm1": lambda y: np.expm1(y * 0.5),
    "abs": np.abs,
    "sigmoid": ag.sigmoid,
    "softplus": ag.softplus,
    "gelu": lambda y: F.gelu(y),
    "silu": ag.silu,
    "arctan2": lambda y: np.arctan2(y, y[:, ::-1] + 2.0),
    "hypot": lambda y: np.hypot(y, y[:, ::-1]),
    "logaddexp": lambda y: np.logaddexp(y, 0.5 * y[:, ::-1]),
    "times a row": lambda y: y * ROW,
    "divided by a row": lambda y: y / ROW,
    "softmax": lambda y: ag.softmax(y, axis=1),
    "log_softmax": lambda y: -ag.log_softmax(y, axis=1),
    "minus logsumexp": lambda y: y - ag.logsumexp(y, axis=1, keepdims=True) + 3.0,
    "minus mean": lambda y: y - y.mean(axis=1, keepdims=True) + 1.0,
    "over std": lambda y: y / np.std(y, axis=1, keepdims=True),
    "over var": lambda y: y / (np.var(y, axis=1, keepdims=True) + 0.1),
    "over norm": lambda y: y / np.linalg.norm(y, axis=1, keepdims=True),
    "over max": lambda y: y / y.max(axis=1, keepdims=True),
    "over sum": lambda y: y / np.abs(y).sum(axis=1, keepdims=True),
    "times prod": lambda y: y * np.prod(y, axis=1, keepdims=True),
    "cumsum": lambda y: 0.3 * np.cumsum(y, axis=1),
    "cumprod": lambda y: np.cumprod(y, axis=1),
    "sort": lambda y: np.sort(y, axis=1),
    "matmul": lambda y: y @ W,
    "linear": lambda y: F.linear(y, W, ROW),
    "einsum": lambda y: np.einsum("ij,kj->ik", y, W),
    "tensordot": lambda y: np.tensordot(y, W, 1),
    "inner": lambda y: np.inner(y, W),
    "outer by rows": lambda y: (y[:, :, None] * y[:, None, :]).sum(axis=2),
    "einsum with itself": lambda y: np.einsum("ij,ik->ij", y, y),
    "layer_norm": lambda y: F.layer_norm(y, (4,)),
    "flipped": lambda y: y[:, ::-1],
    "rolled": lambda y: np.roll(y, 1, axis=1),
    "picked": lambda y: y[:, [0, 0, 3, 2]],
    "reshaped": lambda y: y.reshape(3, 2, 2).transpose(0, 2, 1).reshape(3, 4),
    "transposed": lambda y: (y.T * ROW[:, None]).T,
    "concatenated": lambda y: np.concatenate([y[:, 2:], np.sin(y[:, :2])], axis=1),
    "stacked": lambda y: np.stack([y, y * y], axis=2).sum(axis=2),
    "padded": lambda y: np.pad(y, [(0, 0), (1, 1)])[:, :4],
    "diff": lambda y: np.concatenate([np.diff(y, axis=1), y[:, :1]], axis=1),
    "split": lambda y: np.concatenate(np.split(y, 2, axis=1)[::-1], axis=1),
    "repeated": lambda y: np.repeat(y[:, :2], 2, axis=1),
    "written": written,
    "scaled in place": scaled_in_place,
    "clipped": lambda y: np.clip(y, -3.0, 3.0),
    "relu": lambda y: ag.relu(y) + 0.1 * y,
    "maximum": lambda y: np.maximum(y, 0.4 * y),
    "checkpointed": lambda y: ag.checkpoint(lambda y: np.sin(y) * y)(y) if isinstance(y, ag.Tensor) else np.sin(y) * y,
}
LEFT = np.array([False, True, True])


def row_written(y):
    y = y * 1
    y[0] = 0.25
    return y


def rows_written(y):
    y = y * 1
    y[~LEFT] *= 0.0
    y[~LEFT] = 0.5
    return y


CUTS = {
    "y[1:]": lambda y: y[1:],
    "y[LEFT]": lambda y: y[LEFT],
    "y[[1, 2]]": lambda y: y[[1, 2]],
    "y[::-1][:2]": lambda y: y[::-1][:2],
    "where": lambda y: np.where(LEFT[:, None], y, 0.0),
    "where of the others": lambda y: np.where(~LEFT[:, None], 0.5, y),
    "row written": row_written,
    "rows written": rows_written,
    "delete": lambda y: np.delete(y, 0, axis=0),
    "compress": lambda y: np.compress(LEFT, y, axis=0),
    "take": lambda y: np.take(y, [2, 1], axis=0),
    "split": lambda y: np.split(y, [1])[1],
    "two of three": lambda y: np.stack([y[1], y[2]]),
    "unpacked": lambda y: np.concatenate(list(y)[1:]),
    "sum(where=)": lambda y: np.sum(y, axis=0, where=LEFT[:, None]),
    "select": lambda y: np.select([LEFT[:, None] & np.ones((3, 4), bool)], [y], 0.0),
    "tril": lambda y: np.tril(y[:, :3], -1),
    "where isfinite": lambda y: np.where(LEFT[:, None] & np.isfinite(y), y, 0.0),
}
AFTER = {
    "nothing": lambda y: y,
    "tanh": np.tanh,
    "across the rows": lambda y: y.T @ np.ones((len(y), 2)) if np.ndim(y) == 2 else y * 2.0,
    "softmax of all": lambda y: ag.softmax(y.reshape(-1)),
    "times its sum": lambda y: y * y.sum() * 0.1,
    "std of all": lambda y: np.std(y),
}
BAD = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e200, -1e200, 800.0, -800.0, 1.0]


def draw(seed):
    """Return name, program and the argument without its bad row, such that the other rows are finite and tame."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.4, 1.4, (3, 4))
    while True:
        names = [str(n) for n in rng.choice(list(STEPS), rng.integers(1, 5))]
        cut, after = str(rng.choice(list(CUTS))), str(rng.choice(list(AFTER)))

        def f(x, names=names, cut=cut, after=after):
            for name in names:
                x = STEPS[name](x)
            return AFTER[after](CUTS[cut](x))

        with np.errstate(all="ignore"):
            sizes = [np.max(np.abs(plain(f(x + t)))) for t in (0.0, 1e-3, -1e-3)]
        if np.all(np.isfinite(sizes)) and max(sizes) < 50 and max(sizes) > 0:
            return f"{' > '.join(names)} > {cut} > {after}", f, x, rng


def first(f, x, create_graph):
    leaf = ag.Tensor(x, requires_grad=True)
    weigh(f(leaf)).backward(create_graph=create_graph)
    gradient, leaf.grad = plain(leaf.grad), None
    return gradient


def second(f, x):
    return plain(ag.grad(lambda x: weigh_linearly(ag.grad(lambda x: weigh(f(x)))(x)))(x))


@pytest.mark.parametrize("seed", range(140))
def test_a_cut_row_has_no_say(seed):
    name, f, clean, rng = draw(seed)
    bad = clean.copy()
    bad[0] = rng.choice(BAD, 4)
    with np.errstate(all="ignore"):
        right = differences(f, clean, 1e-4, off=~LEFT[:, None])
        ways = {"backward": first(f, bad, False), "create_graph": first(f, bad, True)}
        for way, found in ways.items():
            assert np.all(close(found, right, 1e-5, 1e-6)), f"{way} of {name} at {bad[0]}: {found}, right is {right}"
        found, right = second(f, bad), second(f, clean)
        assert np.all(close(found[1:], right[1:], 1e-7)), (
            f"second order of {name} at {bad[0]}: {found}, right is {right}"
        )
        assert not found[0].any(), f"second order of {name} at {bad[0]}: {found[0]} in the row that is cut off"


def test_the_draws_use_every_step_and_every_cut():
    names = " > ".join(draw(seed)[0] for seed in range(140))
    assert not [name for name in (*STEPS, *CUTS, *AFTER) if name not in names]


@pytest.mark.parametrize("seed", range(0, 140, 4))
def test_a_cut_row_has_no_say_in_a_penalty(seed):
    """The gradient by weights, first of the program, then of the squares of its gradient by the data."""
    name, f, clean, rng = draw(seed)
    bad = clean.copy()
    bad[0] = rng.choice(BAD, 4)

    def first(w, x):
        return weigh(f(x * w))

    def penalty(w, x):
        return (ag.grad(lambda x: first(w, x))(x)[1:] ** 2).sum()

    w = np.array([1.0, 0.9, 1.1, 0.95])
    with np.errstate(all="ignore"):
        for loss in (first, penalty):
            found, right = (plain(ag.grad(loss)(w, x)) for x in (bad, clean))
            if np.all(np.isfinite(right)):
                assert np.all(close(found, right, 1e-7)), (
                    f"{loss.__name__}, {name} at {bad[0]}: {found}, right is {right}"
                )
