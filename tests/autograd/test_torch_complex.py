"""Complex gradients against PyTorch, whose convention they have: first order, and the gradient of a gradient."""

import numpy as np
import pytest

import autograd as ag

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

RNG = np.random.default_rng(2)
Z, W = (RNG.uniform(0.3, 1.5, (3, 3)) + 1j * RNG.uniform(-1, 1, (3, 3)) for _ in range(2))
X = RNG.uniform(0.5, 1.5, (3, 3))


def invariant(library):
    """Make of a decomposition what does not depend on phases."""
    linalg, absolute = library.linalg, library.abs
    return {
        "eigh": lambda a: absolute(linalg.eigh(a + a.conj().T)[1]) ** 3,
        "eig": lambda a: absolute(linalg.eig(a)[1]) ** 3,
        "svd": lambda a: absolute(linalg.svd(a)[0]) ** 3,
    }


OURS, THEIRS = invariant(np), invariant(torch)
# name: (ours, PyTorch's, inputs)
ROWS = {
    **{
        name: (getattr(np, name), getattr(torch, other), [Z])
        for name, other in [
            *[(f, f) for f in "exp log sqrt sin cos tan tanh sinh cosh abs angle conj square reciprocal log10".split()],  # noqa: SIM905
            *[("arcsin", "asin"), ("arccos", "acos"), ("arctan", "atan"), ("arcsinh", "asinh"), ("arctanh", "atanh")],
            *[("arccosh", "acosh"), ("sign", "sgn")],
        ]
    },
    "left of the cut of arccosh": (np.arccosh, torch.acosh, [-Z]),
    "power": (lambda a, b: a**b, lambda a, b: a**b, [Z, W]),
    "power of a real": (lambda a, b: a**b, lambda a, b: a**b, [X, W]),
    "real power": (lambda a, b: a**b, lambda a, b: a**b, [Z, X]),
    "divide": (np.divide, torch.divide, [Z, W]),
    "real by complex": (np.divide, torch.divide, [X, W]),
    "matmul": (np.matmul, torch.matmul, [Z, W]),
    "vdot": (lambda a, b: np.vdot(a[0], b[0]), lambda a, b: torch.vdot(a[0], b[0]), [Z, W]),
    "inv": (np.linalg.inv, torch.linalg.inv, [Z]),
    "det": (np.linalg.det, torch.linalg.det, [Z]),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], lambda a: torch.linalg.slogdet(a)[1], [Z]),
    "sign of slogdet": (lambda a: np.linalg.slogdet(a)[0], lambda a: torch.linalg.slogdet(a)[0], [Z]),
    "solve": (np.linalg.solve, torch.linalg.solve, [Z, W]),
    "pinv": (np.linalg.pinv, torch.linalg.pinv, [Z[:, :2]]),
    "norm": (np.linalg.norm, torch.linalg.norm, [Z]),
    "svdvals": (np.linalg.svdvals, torch.linalg.svdvals, [Z]),
    "eigvals": (lambda a: np.linalg.eigvals(a).sum(), lambda a: torch.linalg.eigvals(a).sum(), [Z]),
    "qr": (lambda a: np.linalg.qr(a)[0], lambda a: torch.linalg.qr(a)[0], [Z]),
    "prod": (np.prod, torch.prod, [Z]),
    "cumsum": (lambda a: np.cumsum(a, 0), lambda a: torch.cumsum(a, 0), [Z]),
    "var": (lambda a: np.var(a, ddof=1), torch.var, [Z]),
    "real": (np.real, torch.real, [Z]),
    "imag": (np.imag, torch.imag, [Z]),
    **{
        f"fft.{name}": (getattr(np.fft, name), getattr(torch.fft, name), [x])
        for name, x in [
            *[(f, Z) for f in ("fft", "ifft", "irfft", "hfft", "fft2", "ifft2", "irfft2", "fftn", "ifftn", "irfftn")],
            *[(f, X) for f in ("fft", "rfft", "ihfft", "rfft2", "rfftn")],
        ]
    },
    **{name: (OURS[name], THEIRS[name], [Z]) for name in OURS},
}


def weights(shape):
    return 1 + np.cos(np.arange(np.prod(shape, dtype=int))).reshape(shape) ** 2


def loss(y, w, is_complex):
    """Make a real number of what may be complex, the same in both libraries."""
    return ((y.real**2 + 0.5 * y.imag if is_complex else y**2) * w).sum()


@pytest.mark.parametrize("name", ROWS)
def test_gradients_of_both_orders(name):
    ours, theirs, inputs = ROWS[name]
    y = np.asarray(ours(*inputs))
    w, is_complex = weights(y.shape), y.dtype.kind == "c"
    leaves = [ag.Tensor(x, requires_grad=True) for x in inputs]
    loss(ours(*leaves), w, is_complex).backward(create_graph=True)
    first = [x.grad for x in leaves]
    others = [torch.tensor(x, requires_grad=True) for x in inputs]
    total = loss(theirs(*others), torch.tensor(w), is_complex)
    expected = torch.autograd.grad(total, others, create_graph=True)
    for a, b in zip(first, expected, strict=True):
        np.testing.assert_allclose(a.data, b.detach().resolve_conj().numpy(), rtol=1e-8, atol=1e-10)
    total = sum((abs(g) ** 2).sum() for g in first)
    for x in leaves:
        x.zero_grad()
    total.backward()
    seconds = torch.autograd.grad(sum((abs(g) ** 2).sum() for g in expected), others)
    for a, b in zip(leaves, seconds, strict=True):
        np.testing.assert_allclose(a.grad.data, b.resolve_conj().numpy(), rtol=1e-6, atol=1e-8)
