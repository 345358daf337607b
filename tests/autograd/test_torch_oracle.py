"""Op by op against PyTorch: value, dtype, first and second gradient, on the same float64 and float32 inputs."""

import numpy as np
import pytest

import autograd as ag

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
A = RNG.uniform(0.2, 0.9, (3, 4))
S = RNG.uniform(-2, 2, (3, 4))
B = RNG.uniform(0.5, 2, (3, 4))
ROW = RNG.uniform(0.5, 2, (4,))
COLUMN = RNG.uniform(0.5, 2, (3, 1))
M = RNG.uniform(-1, 1, (3, 3)) + 3 * np.eye(3)
STACK = RNG.uniform(-1, 1, (2, 3, 3)) + 3 * np.eye(3)
CUBE = RNG.uniform(-2, 2, (2, 3, 4))
MASK = RNG.random((3, 4)) > 0.4
INDEX = np.array([2, 0, 2, 1])


def t(x):
    return torch.from_numpy(np.asarray(x))


# name: (ours, PyTorch's, inputs)
ELEMENTWISE = {
    name: (getattr(np, name), getattr(torch, other), [x])
    for names, x in [
        (
            "sin cos tan sinh cosh tanh arctan:atan arcsinh:asinh exp exp2 expm1 square negative absolute:abs deg2rad "
            "rad2deg sinc positive",
            S,
        ),
        ("sqrt log log2 log10 log1p reciprocal arcsin:asin arccos:acos arctanh:atanh", A),
    ]
    for name, other in ((word.split(":")[0], word.split(":")[-1]) for word in names.split())
}
F = torch.nn.functional
TABLE = ELEMENTWISE | {
    "arccosh": (np.arccosh, torch.acosh, [B + 1]),
    "cbrt": (np.cbrt, lambda x: x ** (1 / 3), [B]),
    "relu": (ag.relu, F.relu, [S]),
    "leaky_relu": (lambda x: ag.leaky_relu(x, 0.2), lambda x: F.leaky_relu(x, 0.2), [S]),
    "elu": (lambda x: ag.elu(x, 1.5), lambda x: F.elu(x, 1.5), [S]),
    "gelu": (ag.gelu, F.gelu, [S]),
    "gelu tanh": (lambda x: ag.gelu(x, approximate="tanh"), lambda x: F.gelu(x, approximate="tanh"), [S]),
    "silu": (ag.silu, F.silu, [S]),
    "sigmoid": (ag.sigmoid, torch.sigmoid, [S]),
    "softplus": (ag.softplus, F.softplus, [S]),
    "logit": (ag.logit, torch.logit, [A]),
    "erf": (ag.erf, torch.erf, [S]),
    "softmax": (ag.softmax, lambda x: torch.softmax(x, -1), [S]),
    "softmax axis": (lambda x: ag.softmax(x, axis=0), lambda x: torch.softmax(x, 0), [S]),
    "log_softmax": (ag.log_softmax, lambda x: torch.log_softmax(x, -1), [S]),
    "logsumexp": (lambda x: ag.logsumexp(x, axis=1), lambda x: torch.logsumexp(x, 1), [S]),
    "logsumexp all": (
        lambda x: ag.logsumexp(x, axis=(0, 1), keepdims=True),
        lambda x: torch.logsumexp(x, (0, 1), keepdim=True),
        [S],
    ),
    "add": (np.add, torch.add, [S, ROW]),
    "subtract": (np.subtract, torch.subtract, [COLUMN, S]),
    "multiply": (np.multiply, torch.multiply, [ROW, COLUMN]),
    "divide": (np.divide, torch.divide, [S, B]),
    "power": (np.power, torch.pow, [B, S]),
    "power of a number": (lambda x: 2.0**x, lambda x: 2.0**x, [S]),
    "power 3": (lambda x: x**3, lambda x: x**3, [S]),
    "power -2": (lambda x: x**-2.0, lambda x: x**-2.0, [S]),
    "hypot": (np.hypot, torch.hypot, [S, B]),
    "arctan2": (np.arctan2, torch.atan2, [S, B]),
    "logaddexp": (np.logaddexp, torch.logaddexp, [S, ROW]),
    "logaddexp2": (np.logaddexp2, torch.logaddexp2, [S, ROW]),
    "remainder": (lambda x: np.remainder(x, 0.7), lambda x: torch.remainder(x, 0.7), [S]),
    "remainder of two": (np.remainder, torch.remainder, [S, B]),
    "fmod": (np.fmod, torch.fmod, [S, B]),
    "maximum": (np.maximum, torch.maximum, [S, ROW - 1]),
    "minimum": (np.minimum, torch.minimum, [S, ROW - 1]),
    "maximum of equals": (np.maximum, torch.maximum, [S, S.copy()]),
    "fmax": (np.fmax, torch.fmax, [S, B - 1]),
    "copysign": (np.copysign, torch.copysign, [S, B]),
    "clip": (lambda x: np.clip(x, -0.5, 0.8), lambda x: torch.clamp(x, -0.5, 0.8), [S]),
    "clip by arrays": (np.clip, torch.clamp, [S, -A, A]),
    "where": (lambda x, y: np.where(MASK, x, y), lambda x, y: torch.where(t(MASK), x, y), [S, ROW]),
    "nan_to_num": (np.nan_to_num, torch.nan_to_num, [S]),
    "sum": (lambda x: np.sum(x, axis=(0, 2)), lambda x: x.sum((0, 2)), [CUBE]),
    "mean": (lambda x: np.mean(x, axis=1, keepdims=True), lambda x: x.mean(1, keepdim=True), [CUBE]),
    "prod": (lambda x: np.prod(x, axis=1), lambda x: x.prod(1), [S]),
    "var": (lambda x: np.var(x, axis=1, ddof=1), lambda x: x.var(1), [CUBE]),
    "std": (lambda x: np.std(x), lambda x: x.std(unbiased=False), [CUBE]),
    "max": (lambda x: np.max(x, axis=1), lambda x: torch.amax(x, 1), [CUBE]),
    "max with ties": (
        lambda x: np.max(np.round(x) + x * 0, axis=1),
        lambda x: torch.amax(torch.round(x).detach() + x * 0, 1),
        [CUBE],
    ),
    "min": (np.min, torch.amin, [S]),
    "median": (lambda x: np.median(x[:, :3], axis=1), lambda x: torch.median(x[:, :3], 1).values, [S]),
    "cumsum": (lambda x: np.cumsum(x, axis=1), lambda x: torch.cumsum(x, 1), [CUBE]),
    "cumprod": (lambda x: np.cumprod(x, axis=-1), lambda x: torch.cumprod(x, -1), [S]),
    "diff": (lambda x: np.diff(x, n=2), lambda x: torch.diff(x, n=2), [S]),
    "trapezoid": (lambda x: np.trapezoid(x, dx=0.3), lambda x: torch.trapezoid(x, dx=0.3), [S]),
    "nansum": (np.nansum, torch.nansum, [S]),
    "nanmean": (lambda x: np.nanmean(x, axis=0), lambda x: torch.nanmean(x, 0), [S]),
    "norm": (np.linalg.norm, torch.linalg.norm, [S]),
    "norm 1": (lambda x: np.linalg.norm(x, 1, axis=1), lambda x: torch.linalg.vector_norm(x, 1, 1), [S]),
    "norm 3": (lambda x: np.linalg.norm(x, 3, axis=0), lambda x: torch.linalg.vector_norm(x, 3, 0), [S]),
    "norm inf": (lambda x: np.linalg.norm(x, np.inf, axis=1), lambda x: torch.linalg.vector_norm(x, np.inf, 1), [S]),
    "norm nuc": (lambda x: np.linalg.norm(x, "nuc"), lambda x: torch.linalg.norm(x, "nuc"), [M]),
    "reshape": (lambda x: np.reshape(x, (4, 6)), lambda x: x.reshape(4, 6), [CUBE]),
    "transpose": (lambda x: np.transpose(x, (2, 0, 1)), lambda x: x.permute(2, 0, 1), [CUBE]),
    "moveaxis": (lambda x: np.moveaxis(x, 0, 2), lambda x: torch.movedim(x, 0, 2), [CUBE]),
    "concatenate": (lambda x, y: np.concatenate([x, y], axis=1), lambda x, y: torch.cat([x, y], 1), [S, M]),
    "stack": (lambda x, y: np.stack([x, y], axis=1), lambda x, y: torch.stack([x, y], 1), [S, B]),
    "split": (lambda x: np.split(x, [1, 3], axis=1)[1], lambda x: torch.tensor_split(x, [1, 3], 1)[1], [S]),
    "tile": (lambda x: np.tile(x, (2, 3)), lambda x: torch.tile(x, (2, 3)), [S]),
    "repeat": (lambda x: np.repeat(x, 3, axis=1), lambda x: torch.repeat_interleave(x, 3, 1), [S]),
    "flip": (lambda x: np.flip(x, (0, 2)), lambda x: torch.flip(x, (0, 2)), [CUBE]),
    "roll": (lambda x: np.roll(x, 2, axis=1), lambda x: torch.roll(x, 2, 1), [S]),
    "rot90": (np.rot90, torch.rot90, [S]),
    "pad": (lambda x: np.pad(x, ((1, 0), (2, 3))), lambda x: F.pad(x, (2, 3, 1, 0)), [S]),
    "pad edge": (
        lambda x: np.pad(x, ((0, 0), (2, 1)), mode="edge"),
        lambda x: F.pad(x[None], (2, 1), mode="replicate")[0],
        [S],
    ),
    "pad reflect": (
        lambda x: np.pad(x, ((0, 0), (2, 1)), mode="reflect"),
        lambda x: F.pad(x[None], (2, 1), mode="reflect")[0],
        [S],
    ),
    "pad wrap": (
        lambda x: np.pad(x, ((0, 0), (2, 1)), mode="wrap"),
        lambda x: F.pad(x[None], (2, 1), mode="circular")[0],
        [S],
    ),
    "tril": (lambda x: np.tril(x, 1), lambda x: torch.tril(x, 1), [S]),
    "triu": (np.triu, torch.triu, [M]),
    "diag": (np.diag, torch.diag, [M]),
    "diagonal": (lambda x: np.diagonal(x, 1, 1, 2), lambda x: torch.diagonal(x, 1, 1, 2), [CUBE]),
    "trace": (np.trace, torch.trace, [M]),
    "broadcast_to": (lambda x: np.broadcast_to(x, (2, 3, 4)), lambda x: torch.broadcast_to(x, (2, 3, 4)), [ROW]),
    "take": (lambda x: np.take(x, INDEX, axis=0), lambda x: x[t(INDEX)], [S]),
    "take_along_axis": (
        lambda x: np.take_along_axis(x, INDEX[None], 1),
        lambda x: torch.take_along_dim(x, t(INDEX)[None], 1),
        [S],
    ),
    "basic index": (lambda x: x[1:, ..., ::2], lambda x: x[1:, ..., ::2], [CUBE]),
    "fancy index": (lambda x: x[:, INDEX, [0, 1, 1, 0]], lambda x: x[:, t(INDEX), [0, 1, 1, 0]], [CUBE]),
    "boolean index": (lambda x: x[MASK], lambda x: x[t(MASK)], [S]),
    "sort": (lambda x: np.sort(x, axis=0), lambda x: torch.sort(x, 0).values, [S]),
    "matmul": (np.matmul, torch.matmul, [CUBE, S.T.copy()]),
    "matmul vectors": (np.matmul, torch.matmul, [ROW, ROW + 1]),
    "matmul vector matrix": (np.matmul, torch.matmul, [S, ROW]),
    "outer": (np.outer, torch.outer, [ROW, COLUMN.ravel()]),
    "inner": (np.inner, torch.inner, [S, B]),
    "tensordot": (
        lambda a, b: np.tensordot(a, b, ([2, 1], [1, 0])),
        lambda a, b: torch.tensordot(a, b, ([2, 1], [1, 0])),
        [CUBE, S],
    ),
    "einsum": (lambda a, b: np.einsum("bij,ij->bi", a, b), lambda a, b: torch.einsum("bij,ij->bi", a, b), [CUBE, S]),
    "einsum ellipsis": (
        lambda a, b: np.einsum("...ij,kj->...ki", a, b),
        lambda a, b: torch.einsum("...ij,kj->...ki", a, b),
        [CUBE, S],
    ),
    "einsum diagonal": (lambda a: np.einsum("bii->i", a), lambda a: torch.einsum("bii->i", a), [STACK]),
    "kron": (np.kron, torch.kron, [S, M]),
    "cross": (lambda a, b: np.cross(a, b), lambda a, b: torch.linalg.cross(a, b), [STACK + 1, STACK]),
    "matrix_power": (lambda x: np.linalg.matrix_power(x, 3), lambda x: torch.linalg.matrix_power(x, 3), [STACK / 3]),
    "inv": (np.linalg.inv, torch.linalg.inv, [STACK]),
    "pinv": (np.linalg.pinv, torch.linalg.pinv, [S]),
    "solve": (np.linalg.solve, torch.linalg.solve, [STACK, M]),
    "det": (np.linalg.det, torch.linalg.det, [STACK]),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], lambda x: torch.linalg.slogdet(x)[1], [STACK]),
    "cholesky": (
        lambda x: np.linalg.cholesky(x @ x.swapaxes(-1, -2)),
        lambda x: torch.linalg.cholesky(x @ x.swapaxes(-1, -2)),
        [STACK],
    ),
    "eigvalsh": (
        lambda x: np.linalg.eigvalsh(x + x.swapaxes(-1, -2)),
        lambda x: torch.linalg.eigvalsh(x + x.swapaxes(-1, -2)),
        [STACK],
    ),
    "svdvals": (lambda x: np.linalg.svd(x, compute_uv=False), torch.linalg.svdvals, [S]),
    "qr": (lambda x: np.abs(np.linalg.qr(x)[1]), lambda x: torch.abs(torch.linalg.qr(x)[1]), [M]),
    "lstsq": (
        lambda a, b: np.linalg.lstsq(a, b)[0],
        lambda a, b: torch.linalg.lstsq(a, b).solution,
        [S.T.copy(), B.T.copy()],
    ),
    "average": (lambda x, w: np.average(x, axis=1, weights=w), lambda x, w: (x * w).sum(1) / w.sum(1), [S, B]),
}


def by_torch(f, inputs):
    """Give value, gradients of a weighed sum, and gradients of the squares of these."""
    leaves = [torch.from_numpy(x.copy()).requires_grad_() for x in inputs]
    y = f(*leaves)
    weights = torch.cos(torch.arange(y.numel(), dtype=y.dtype)).reshape(y.shape)
    first = torch.autograd.grad((y * weights).sum(), leaves, create_graph=True, materialize_grads=True)
    total = sum((g * g).sum() for g in first)
    second = (
        torch.autograd.grad(total, leaves, materialize_grads=True)
        if total.requires_grad
        else [torch.zeros_like(x) for x in leaves]
    )
    return [z.numpy(force=True) for z in (y, *first, *second)]


def by_us(f, inputs):
    def weighed(*xs):
        y = f(*xs)
        return (y * np.cos(np.arange(y.size)).reshape(y.shape).astype(y.dtype)).sum()

    every = tuple(range(len(inputs)))
    second = ag.grad(lambda *xs: sum((g * g).sum() for g in ag.grad(weighed, every)(*xs)), every)
    return [f(*[ag.Tensor(x) for x in inputs]).data, *ag.grad(weighed, every)(*inputs), *second(*inputs)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", TABLE)
def test_same_as_torch(name, dtype):
    ours, theirs, inputs = TABLE[name]
    inputs = [np.asarray(x, dtype) for x in inputs]
    tolerance = 1e-9 if dtype is np.float64 else 5e-3
    for a, b in zip(by_us(ours, inputs), by_torch(theirs, inputs), strict=True):
        assert np.asarray(a).dtype == b.dtype == dtype
        assert np.shape(a) == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_accumulation_over_several_backwards():
    x, ours = torch.tensor([1.0, 2.0], requires_grad=True), ag.Tensor([1.0, 2.0], requires_grad=True)
    for leaf in (x, ours):
        for k in range(3):
            (leaf * float(k)).sum().backward()
    np.testing.assert_array_equal(ours.grad.data, x.grad.numpy())


def test_setitem_like_torch():
    def f(x, v, one, zeros):
        y = zeros + x
        y[1:, 0] = v
        y[one] = y[one] * 2
        return (y**2).sum()

    a, b = S.copy(), np.array([5.0, 7.0])
    x, v = torch.from_numpy(a).requires_grad_(), torch.from_numpy(b).requires_grad_()
    f(x, v, (2, 3), torch.zeros(3, 4, dtype=torch.float64)).backward()
    ours = ag.grad(lambda x, v: f(x, v, (2, 3), 0.0), (0, 1))(a, b)
    np.testing.assert_allclose(ours[0], x.grad.numpy())
    np.testing.assert_allclose(ours[1], v.grad.numpy())


def test_transforms_like_torch():
    def ours(x):
        return (np.tanh(x) @ M * x).sum() ** 2

    def theirs(x):
        return (torch.tanh(x) @ t(M) * x).sum() ** 2

    x, v = np.array([0.3, -0.5, 0.8]), np.array([1.0, 2.0, -1.0])
    tx, tv = t(x), t(v)
    hessian = torch.autograd.functional.hessian(theirs, tx).numpy()
    np.testing.assert_allclose(ag.hessian(ours)(x), hessian, rtol=1e-10)
    np.testing.assert_allclose(ag.jacobian(ag.grad(ours))(x), hessian, rtol=1e-10)
    np.testing.assert_allclose(ag.hvp(ours)(x, v), hessian @ v, rtol=1e-10)
    np.testing.assert_allclose(
        ag.jvp(ours, (x,), (v,))[1], torch.autograd.functional.jvp(theirs, tx, tv)[1].numpy(), rtol=1e-10
    )


def test_where_torch_gives_nan():
    """The mask that this project promises and PyTorch does not."""
    x = torch.tensor([-1.0], requires_grad=True)
    torch.where(x > 0, torch.sqrt(x), x).sum().backward()
    assert torch.isnan(x.grad).all()
    with np.errstate(invalid="ignore"):
        assert ag.grad(lambda x: np.where(x > 0, np.sqrt(x), x).sum())(np.array([-1.0])) == 1
