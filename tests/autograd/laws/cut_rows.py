"""Programs whose ops reach beyond an element (sums, products of matrices, rows, batches), with a part cut off.

What reaches no output that is left is cut off, and nothing else: where a masked number still has a say, its gradient is
that of NumPy's program, or nan where NumPy's program has none.
"""

import numpy as np

import autograd as ag
import nn.functional as F
from tests.autograd.laws.oracle import Table, differences

ROWS = Table(accept=())
NAN_ROW = [[np.nan, np.nan], [0.4, -0.3], [1.2, 0.7]]
ZERO_ROW = [[0.0, 0.0], [0.4, 0.9], [1.2, 0.5]]
HUGE_ROW = [[1000.0, 900.0], [0.4, -0.3], [1.2, 0.7]]
POINT = [[0.5, -0.2], [0.4, -0.3], [1.2, 0.7]]
LEFT = np.array([False, True, True])[:, None]
W = np.array([[0.5, -1.0, 2.0], [1.5, 0.3, -0.7]])
D = np.array([[np.nan, np.inf], [0.5, -1.0], [2.0, 0.3]])  # data with a row that is missing
T = np.array([1.0, 2.0, 3.0])

# name: (program that gives one row per row, argument whose first row is bad)
BY_ROW = {
    "sum": (lambda x: np.sum(np.log(x), axis=1), ZERO_ROW),
    "mean": (lambda x: np.mean(np.sqrt(x), axis=1), ZERO_ROW),
    "prod": (lambda x: np.prod(np.log(x), axis=1), ZERO_ROW),
    "var": (lambda x: np.var(x, axis=1), NAN_ROW),
    "std": (lambda x: np.std(x, axis=1), NAN_ROW),
    "std of equal numbers": (lambda x: np.std(x, axis=1), ZERO_ROW),
    "1 / std of equal numbers": (lambda x: 1 / np.std(x, axis=1), ZERO_ROW),
    "norm of zeros": (lambda x: np.linalg.norm(x, axis=1), ZERO_ROW),
    "divided by its norm": (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), ZERO_ROW),
    "divided by its sum": (lambda x: x / x.sum(axis=1, keepdims=True), ZERO_ROW),
    "softmax": (lambda x: ag.softmax(x, axis=1), NAN_ROW),
    "softmax by its formula": (lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True), HUGE_ROW),
    "log_softmax": (lambda x: ag.log_softmax(x, axis=1), NAN_ROW),
    "log of softmax": (lambda x: np.log(ag.softmax(x * 2, axis=1)), HUGE_ROW),
    "logsumexp": (lambda x: ag.logsumexp(x, axis=1), NAN_ROW),
    "logsumexp by its formula": (lambda x: np.log(np.exp(x).sum(axis=1)), HUGE_ROW),
    "logsumexp of logs of zero": (lambda x: ag.logsumexp(np.log(x), axis=1), ZERO_ROW),
    "logsumexp of infinity": (lambda x: ag.logsumexp(x, axis=1), [[800.0, np.inf], *POINT[1:]]),
    "logsumexp, removed": (lambda x: x - ag.logsumexp(x, axis=1, keepdims=True), [[-np.inf, np.inf], *POINT[1:]]),
    "softmax of infinity": (lambda x: ag.softmax(x, axis=1), [[800.0, np.inf], *POINT[1:]]),
    "log_softmax of infinity": (lambda x: ag.log_softmax(x, axis=1), [[np.inf, np.inf], *POINT[1:]]),
    "prod that overflows": (lambda x: np.prod(x, axis=1), [[1e200, 1e200], *POINT[1:]]),
    "prod of zero and infinity": (lambda x: x * np.prod(x, axis=1, keepdims=True), [[0.0, np.inf], *POINT[1:]]),
    "cumprod that overflows": (lambda x: np.cumprod(x, axis=1), [[1e200, -1e200], *POINT[1:]]),
    "cumprod of zero and nan": (lambda x: np.cumprod(x, axis=1), [[0.0, np.nan], *POINT[1:]]),
    "cumsum of infinities": (lambda x: np.cumsum(x * x, axis=1), [[np.inf, -np.inf], *POINT[1:]]),
    "var that overflows": (lambda x: np.var(x, axis=1), [[1e200, -1e200], *POINT[1:]]),
    "std of infinity": (lambda x: x / np.std(x, axis=1, keepdims=True), [[1.0, np.inf], *POINT[1:]]),
    "norm that overflows": (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), [[1e200, np.inf], *POINT[1:]]),
    "layer_norm of infinity": (lambda x: F.layer_norm(x * x, (2,)), [[1e200, np.inf], *POINT[1:]]),
    "sort of nan": (lambda x: np.sort(x * x, axis=1), [[np.nan, 1.0], *POINT[1:]]),
    "max of nan": (lambda x: np.max(x * x, axis=1), [[np.nan, 1.0], *POINT[1:]]),
    "max": (lambda x: np.max(np.exp(x), axis=1), HUGE_ROW),
    "cumsum": (lambda x: np.cumsum(np.log(x), axis=1), ZERO_ROW),
    "cumprod": (lambda x: np.cumprod(np.exp(x), axis=1), HUGE_ROW),
    "matmul": (lambda x: np.log(x) @ W, ZERO_ROW),
    "matmul of nan": (lambda x: x @ W, NAN_ROW),
    "matmul, weights from x": (lambda x: D @ np.sin(x[1:]) + x, POINT),
    "dot": (lambda x: np.dot(np.exp(x), W), HUGE_ROW),
    "einsum": (lambda x: np.einsum("ij,jk->ik", np.log(x), W), ZERO_ROW),
    "einsum of rows with themselves": (lambda x: np.einsum("ij,ij->i", np.exp(x), x), HUGE_ROW),
    "inner": (lambda x: np.inner(np.sqrt(x), W.T), ZERO_ROW),
    "tensordot": (lambda x: np.tensordot(np.exp(x), W, 1), HUGE_ROW),
    "vecdot": (lambda x: np.linalg.vecdot(np.exp(x), x), HUGE_ROW),
    "linear": (lambda x: F.linear(np.log(x), W.T), ZERO_ROW),
    "linear, then tanh": (lambda x: np.tanh(F.linear(np.exp(x), W.T)), HUGE_ROW),
    "linear of nan": (lambda x: F.linear(x, W.T), NAN_ROW),
    "layer_norm of nan": (lambda x: F.layer_norm(x, (2,)), NAN_ROW),
    "concatenate": (lambda x: np.concatenate([np.log(x), x], axis=1), ZERO_ROW),
    "stack": (lambda x: np.stack([np.exp(x), np.exp(2 * x)], axis=1), HUGE_ROW),
    "reshape": (lambda x: np.log(x).reshape(3, 2, 1), ZERO_ROW),
    "transpose": (lambda x: np.log(x.T).T, ZERO_ROW),
    "expand_dims": (lambda x: np.sqrt(np.expand_dims(x, 2)), ZERO_ROW),
    "broadcasting": (lambda x: np.log(x)[:, :, None] * np.ones(3), ZERO_ROW),
    "broadcast_to": (lambda x: np.broadcast_to(np.exp(x[:, :1]), (3, 2)), HUGE_ROW),
    "repeat": (lambda x: np.repeat(np.log(x), 2, axis=1), ZERO_ROW),
    "tile": (lambda x: np.tile(np.log(x), (1, 2)), ZERO_ROW),
    "flip and back": (lambda x: np.flip(np.log(np.flip(x, 0)), 0), ZERO_ROW),
    "roll along the row": (lambda x: np.roll(np.log(x), 1, axis=1), ZERO_ROW),
    "pad": (lambda x: np.pad(np.log(x), [(0, 0), (1, 1)]), ZERO_ROW),
    "sort": (lambda x: np.sort(np.exp(x), axis=1), HUGE_ROW),
    "diff": (lambda x: np.diff(np.exp(x), axis=1), HUGE_ROW),
    "outer by rows": (lambda x: np.exp(x)[:, :, None] * x[:, None, :], HUGE_ROW),
    "power of two arrays": (lambda x: x**x, ZERO_ROW),
    "divide of two arrays": (lambda x: x / (x * x), ZERO_ROW),
    "squared distance to data": (lambda x: (D - x) ** 2, POINT),
    "product with data": (lambda x: D * np.sin(x), POINT),
    "quotient with data": (lambda x: x / (D - D + 1), POINT),
    "sum of products with data": (lambda x: (D * x).sum(axis=1), POINT),
    "gelu": (lambda x: F.gelu(x), NAN_ROW),
    "silu": (lambda x: ag.silu(x), NAN_ROW),
    "softplus": (lambda x: ag.softplus(x), NAN_ROW),
    "sigmoid": (lambda x: ag.sigmoid(x), NAN_ROW),
    "erf": (lambda x: ag.erf(x), NAN_ROW),
    "arctan2": (lambda x: np.arctan2(x, x), ZERO_ROW),
    "hypot": (lambda x: np.hypot(x, 2 * x), ZERO_ROW),
    "logaddexp": (lambda x: np.logaddexp(x, 2 * x), NAN_ROW),
    "cross_entropy": (lambda x: F.cross_entropy(x, np.array([0, 1, 0]), reduction="none"), NAN_ROW),
    "mse_loss with missing targets": (lambda x: F.mse_loss(x, D, reduction="none"), POINT),
}
CUTS = {
    "x[1:]": lambda y: y[1:],
    "where": lambda y: np.where(LEFT.reshape(3, *[1] * (y.ndim - 1)), y, 0.0),
}
for name, (f, x) in BY_ROW.items():
    for cut, take in CUTS.items():
        ROWS.add(f"{cut} behind {name}", lambda x, f=f, take=take: take(f(x)), x)

# ----------------------------------------------------------------------------------------- a part of what an op reaches

PARTS = {  # name: (program, argument): no element is cut off whole, so none of their gradients is
    "softmax": (lambda x: np.where(LEFT[:, 0], ag.softmax(x), 0.0), [0.5, -1.0, 2.0]),
    "softmax, one output": (lambda x: ag.softmax(x)[0], [0.5, -1.0, 2.0]),
    "softmax of a score that is cut off": (lambda x: ag.softmax(np.where(LEFT[:, 0], x, -np.inf)), [0.5, -1.0, 2.0]),
    "softmax far apart": (lambda x: ag.softmax(x)[1:], [800.0, 0.0, 1.0]),
    "log_softmax": (lambda x: ag.log_softmax(x)[1:], [0.5, -1.0, 2.0]),
    "inv": (lambda x: np.linalg.inv(x)[0], [[2.0, 0.5], [0.3, 1.0]]),
    "inv, masked": (lambda x: np.where(np.eye(2, dtype=bool), np.linalg.inv(x), 0.0), [[2.0, 0.5], [0.3, 1.0]]),
    "solve": (lambda x: np.linalg.solve(x, np.ones(2))[1:], [[2.0, 0.5], [0.3, 1.0]]),
    "cumsum": (lambda x: np.cumsum(x)[2:], T),
    "cumprod": (lambda x: np.cumprod(x)[2:], T),
    "cumprod with a zero": (lambda x: np.cumprod(x)[1:], [2.0, 0.0, 3.0]),
    "prod with a zero": (lambda x: np.where(True, np.prod(x), 0.0), [2.0, 0.0, 3.0]),
    "columns of a product": (lambda x: (x @ W)[:, 1:], POINT),
    "rows and columns of a product": (lambda x: (np.log(x) @ W)[1:, 1:], ZERO_ROW),
    "a product, masked element by element": (lambda x: np.where(np.eye(3, dtype=bool), x @ W, 0.0), POINT),
    "triangle of a Gram matrix": (lambda x: np.tril(x @ x.T), POINT),
    "Gram matrix without a row": (lambda x: (np.exp(x) @ np.exp(x).T)[1:, 1:], HUGE_ROW),
    "einsum with a column cut": (lambda x: np.einsum("ij,jk->ik", x, W)[:, :1], POINT),
    "transposed product": (lambda x: (x.T @ np.ones((3, 2)))[1:], POINT),
    "mean removed": (lambda x: (x - x.mean())[1:], T),
    "scaled by its largest": (lambda x: (x / x.max())[:2], T),
    "std of a part": (lambda x: (x / np.std(x))[1:], T),
    "layer_norm": (lambda x: F.layer_norm(x, (2,))[:, 1:], POINT),
    "sorted, the smallest": (lambda x: np.sort(x)[0], [3.0, 1.0, 2.0]),
    "sorted with an overflow": (lambda x: np.sort(np.exp(x))[:2], [1000.0, 0.3, 0.5]),
    "median": (lambda x: np.median(x), [3.0, 1.0, 2.0]),
    "convolve": (lambda x: np.convolve(x, np.array([1.0, -2.0]))[1:-1], T),
    "diff": (lambda x: np.diff(x)[1:], T),
    "outer": (lambda x: np.outer(x, x)[1:, 0], T),
    "broadcast row": (lambda x: (x + np.zeros((2, 3)))[1:], T),
    "broadcast row with an overflow": (lambda x: (np.exp(x) + np.zeros((2, 3)))[:, 1:], [1000.0, 0.3, 0.5]),
    "used twice, once cut off": (lambda x: np.where(LEFT[:, 0], x * x, 0.0) + x, T),
    "used twice, once it overflows": (
        lambda x: np.where(x < 50, np.log1p(np.exp(x)), x),
        [1000.0, 0.3, -2.0],
    ),
    "reused mask": (lambda x: np.where(x > 1.5, x, 0.0) * np.where(x < 2.5, x, 0.0), T),
    "gathered twice": (lambda x: x[[0, 0, 2]][1:], T),
    "norm of a part": (lambda x: np.linalg.norm(x[1:]), [0.0, 3.0, 4.0]),
    "norm of what is left": (lambda x: np.linalg.norm(np.where(LEFT[:, 0], x, 0.0)), [5.0, 3.0, 4.0]),
    "det of a part": (lambda x: np.linalg.det(x)[1:], [[[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.5], [0.3, 1.0]]]),
    "slogdet of a part": (
        lambda x: np.linalg.slogdet(x)[1][1:],
        [[[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.5], [0.3, 1.0]]],
    ),
    "eigvalsh of a part": (
        lambda x: np.linalg.eigvalsh((x + np.swapaxes(x, -1, -2)) / 2)[1:],
        [[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.5, 1.0]]],
    ),
    "eigenvectors of a part": (
        lambda x: np.linalg.eigh((x + np.swapaxes(x, -1, -2)) / 2)[1][1:] ** 2,
        [[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.5], [0.5, 1.0]]],
    ),
}
for name, (f, x) in PARTS.items():
    ROWS.add(f"part of {name}", f, x)

# A nan of which something is left is none of the mask's business: the other rows are what they are without it, or nan
# (along a tangent the nan of the value is in every sum).
ROWS.add(
    "columns of a product with nan",
    lambda x: (x @ W)[:, 1:],
    NAN_ROW,
    right=np.where(LEFT, differences(lambda x: (x @ W)[:, 1:], POINT), np.nan),
    accept=("nan",),
)

# ------------------------------------------------------------------------------------------------ as people write them


@ROWS.row(POINT)
def pairwise_distances(x):
    gaps = x[:, None] - x[None]
    d = np.sqrt((gaps**2).sum(axis=-1))
    return np.where(np.eye(3, dtype=bool), 0.0, d)


@ROWS.row(POINT)
def pairs_above_the_diagonal(x):
    gaps = x[:, None] - x[None]
    return np.sqrt((gaps**2).sum(axis=-1))[np.triu_indices(3, 1)]


@ROWS.row([0.0, 0.25, 0.75], off=[True, False, False])
def entropy(p):
    return -np.where(p > 0, p * np.log(p), 0.0)


@ROWS.row([0.0, 0.25, 0.75], off=[True, False, False])
def kullback_leibler(p):
    return np.where(p > 0, p * np.log(p / np.array([0.5, 0.25, 0.25])), 0.0)


@ROWS.row(3.0, right=4)
def nansum_of_squares(w):
    return np.nansum((np.array([1.0, np.nan]) - w) ** 2)


@ROWS.row([2.0, 0.5])
def missing_targets(w):
    x, t = np.array([[1.0, 2.0], [np.nan, 1.0], [0.5, -1.0]]), np.array([1.0, 2.0, np.nan])
    return np.nanmean((x @ w - t) ** 2)


@ROWS.row([2.0, 0.5])
def rows_that_are_complete(w):
    x, t = np.array([[1.0, 2.0], [np.nan, 1.0], [0.5, -1.0]]), np.array([1.0, 2.0, 3.0])
    return ((x @ w - t) ** 2)[~np.isnan(x).any(axis=1)]


@ROWS.row([0.0, 0.0], right=[0, 0], off=True)
def safe_direction(x):
    n = np.sqrt((x**2).sum())
    return np.where(n > 0, x / n, 0.0)


@ROWS.row([1000.0, 0.3, -800.0])
def stable_sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-x)), np.exp(x) / (1 + np.exp(x)))


@ROWS.row([-3.0, 0.5, 2.0])
def piecewise_functions(x):
    return np.piecewise(x, [x < 0, x >= 0], [lambda v: v * 2, lambda v: np.sqrt(v)])


@ROWS.row([-3.0, 0.5, 2.0])
def select_of_three(x):
    return np.select([x < 0, x < 1], [x**2, np.sqrt(x)], np.log(x))


@ROWS.row([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]])
def attention_with_a_mask(s):
    allowed = np.array([[True, False, True], [True, True, False]])
    return ag.softmax(np.where(allowed, s, -np.inf), axis=-1) @ np.array([[1.0], [2.0], [np.pi]])


@ROWS.row([0.5, 0.3, 0.8])
def geometric_mean_of_positives(x):
    y = x * np.array([1.0, -1.0, 1.0])
    return np.exp(np.mean(np.log(y), where=np.array([True, False, True])))


@ROWS.row([0.3, 0.4, -0.2])
def division_where(x):
    d = np.array([1.0, 0.0, 2.0])
    return np.where(d != 0, x / d, 0.0)


@ROWS.row([[1.0, np.nan], [2.0, 3.0]])
def column_means_over_nan(x):
    return np.nanmean(x * x, axis=0)


@ROWS.row([2.0, 3.0])
def likelihood_of_a_truncated_normal(p):
    x = np.array([1.0, np.inf, 0.5])
    z = (x - p[0]) / p[1]
    return np.where(np.isfinite(x), -0.5 * z**2 - np.log(p[1]), 0.0)


@ROWS.row([[1.0, 2.0], [3.0, 4.0]])
def mask_of_a_chain(x):
    y = x
    for _ in range(4):
        y = np.exp(y)
    return np.where(np.isfinite(y), y, x)
