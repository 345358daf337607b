"""Decompositions with (nearly) equal eigenvalues or singular values: the right gradient, nan, or an error.

The programs are smooth where the values meet (functions of the matrix, projectors, symmetric sums), so differences on
plain arrays give their gradients; what is finite must agree with them.
"""

import numpy as np
import pytest

import autograd as ag
from tests.autograd.laws.oracle import (
    FIRST_ORDER,
    Table,
    differences,
    hold,
    hold_all,
    plain,
    second_order,
    weigh_linearly,
)

M = np.arange(9.0).reshape(3, 3)
Q = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
P = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
WEIGHTS = np.array([[1.0, -0.5, 2.0], [0.3, 0.7, -1.1], [0.9, 0.2, 0.4]])


def symmetric(values):
    a = Q @ np.diag(values) @ Q.T
    return (a + a.T) / 2


def general(values):
    return Q @ np.diag(values) @ P.T


def spectral(f):
    """Return the matrix function V f(w) Vᵀ, as one writes it by hand."""

    def of(a):
        w, v = np.linalg.eigh((a + np.swapaxes(a, -1, -2)) / 2)
        return (v * f(w)) @ v.T

    return of


def projector(a):
    """Return the projector on the two smallest eigenvalues, be they equal or not."""
    _, v = np.linalg.eigh((a + a.T) / 2)
    return v[:, :2] @ v[:, :2].T


def top(a):
    _, v = np.linalg.eigh((a + a.T) / 2)
    return v[:, 2:] @ v[:, 2:].T


def polar(a):
    u, _, vt = np.linalg.svd(a)
    return u @ vt


def stretch(a):
    _, s, vt = np.linalg.svd(a)
    return (vt.T * s) @ vt


def soft(a):
    u, s, vt = np.linalg.svd(a)
    return (u * np.sqrt(s + 1)) @ vt


def put_together(a):
    u, s, vt = np.linalg.svd(a)
    return (u * s) @ vt


def thin_polar(a):
    u, _, vt = np.linalg.svd(a, full_matrices=False)
    return u @ vt


def thin_square(a):
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    return (u * s**2) @ vt


def low_rank(a):
    u, s, vt = np.linalg.svd(a)
    return (u[:, :2] * s[:2]) @ vt[:2]


SYMMETRIC = {
    "square root": spectral(np.sqrt),
    "inverse square root": spectral(lambda w: 1 / np.sqrt(w)),
    "exponential": spectral(lambda w: np.exp(w / 4)),
    "logarithm": spectral(np.log),
    "inverse": spectral(lambda w: 1 / w),
    "itself": spectral(lambda w: w),
    "trace of the square root": lambda a: np.sqrt(np.linalg.eigvalsh((a + a.T) / 2)).sum(),
    "log-determinant by eigenvalues": lambda a: np.log(np.linalg.eigvalsh((a + a.T) / 2)).sum(),
    "sum of squares of eigenvalues": lambda a: (np.linalg.eigh((a + a.T) / 2)[0] ** 2).sum(),
    "whitened quadratic form": lambda a: WEIGHTS @ spectral(lambda w: 1 / np.sqrt(w))(a) @ WEIGHTS.T,
}
TOP_APART = {
    "projector on two": projector,
    "projector on the largest": top,
    "largest eigenvalue": lambda a: np.linalg.eigvalsh((a + a.T) / 2)[2],
}
GENERAL = {
    "polar factor": polar,
    "stretch": stretch,
    "soft singular values": soft,
    "nuclear norm": lambda a: np.linalg.svd(a, compute_uv=False).sum(),
    "nuclear norm by norm": lambda a: np.linalg.norm(a, "nuc"),
    "squares of singular values": lambda a: (np.linalg.svd(a)[1] ** 2).sum(),
    "pseudo-inverse": np.linalg.pinv,
    "log of singular values": lambda a: np.log(np.linalg.svdvals(a)).sum(),
    "itself, put together": put_together,
}
SMALLEST_APART = {"best matrix of rank two": low_rank, "smallest singular value": lambda a: np.linalg.svdvals(a)[2]}

VALUES = {  # in rising order; the first two are (nearly) equal, or all three
    "equal": [4.0, 4.0, 9.0],
    "equal up to rounding": [4.0, 4.0 * (1 + 1e-15), 9.0],
    "gap of 1e-14": [4.0, 4.0 + 1e-14, 9.0],
    "gap of 1e-12": [4.0, 4.0 + 1e-12, 9.0],
    "gap of 1e-10": [4.0, 4.0 + 1e-10, 9.0],
    "gap of 1e-8": [4.0, 4.0 + 1e-8, 9.0],
    "gap of 1e-5": [4.0, 4.0 + 1e-5, 9.0],
    "gap of 0.1": [4.0, 4.1, 9.0],
    "all equal": [4.0, 4.0, 4.0],
    "small and equal": [4e-6, 4e-6, 9e-6],
    "large and equal": [4e6, 4e6, 9e6],
    "large with a small gap": [4e6, 4e6 + 1e-6, 9e6],
}
TIES = Table(accept=("nan", "refused late"))


def scaled(f, size):
    """Run a program in units of its values, so that differences have the right step."""
    return lambda x: f(x * size)


for kind, values in VALUES.items():
    size = max(1e-6, min(1e6, values[2] / 9)) if values[2] in (9e-6, 9e6) else 1.0
    units = np.array(values) / size
    for name, f in SYMMETRIC.items() if size == 1 else list(SYMMETRIC.items())[:2]:
        TIES.add(f"{name}, {kind}", scaled(f, size), symmetric(units))
    for name, f in TOP_APART.items():
        if kind != "all equal":
            TIES.add(f"{name}, {kind}", scaled(f, size), symmetric(units))
    for name, f in GENERAL.items() if size == 1 else list(GENERAL.items())[:2]:
        TIES.add(f"{name}, {kind}", scaled(f, size), general(units))
    for name, f in SMALLEST_APART.items():
        if kind != "all equal":
            TIES.add(f"{name}, {kind}", scaled(f, size), general(np.array([9.0, 9.0 + units[1] - units[0], 4.0])))

EXACT = {
    "identity, square root": (spectral(np.sqrt), np.eye(3)),
    "identity, exponential": (spectral(np.exp), np.eye(3)),
    "diagonal, square root": (spectral(np.sqrt), np.diag([4.0, 4.0, 9.0])),
    # what the vectors of equal values get happens to be 0 here, and is not cut off
    "identity, logarithm": (spectral(np.log), np.eye(3)),
    "two ones, logarithm": (spectral(np.log), np.diag([1.0, 1.0, 5.0])),
    "two zeros, cube": (spectral(lambda w: w**3 + w), np.diag([0.0, 0.0, 5.0])),
    "zeros, put together": (put_together, np.zeros((3, 3))),
    "two zeros, put together": (put_together, np.diag([5.0, 0.0, 0.0])),
    "identity, polar factor": (polar, np.eye(3)),
    "rotation, polar factor": (polar, Q),
    "diagonal, nuclear norm": (lambda a: np.linalg.norm(a, "nuc"), np.diag([4.0, 4.0, 9.0])),
    "batch, one tie": (
        lambda a: np.stack([spectral(np.sqrt)(a[0]), spectral(np.sqrt)(a[1])]),
        np.stack([symmetric([4.0, 4.0, 9.0]), symmetric([1.0, 4.0, 9.0])]),
    ),
    "tall with equal values": (
        thin_polar,
        general([2, 2, 3])[:, :2] * 1.0,
    ),
    "orthogonal columns": (
        thin_square,
        np.eye(3)[:, :2] * 2.0,
    ),
}
for name, (f, x) in EXACT.items():
    TIES.add(name, f, x)


def test_the_table_is_long():
    assert len(TIES) >= 200


@TIES.every
def test_gradient_is_right_nan_or_refused(row):
    """Two digits: a finite number that is off by rounding over a gap is wrong, not inexact."""
    ways = {name: FIRST_ORDER[name] for name in ("backward", "create_graph")}
    hold_all(row, ways, row.gradient(), rtol=1e-2)


@pytest.mark.parametrize("name", [name for name in TIES if "gap of 0.1" in name])
def test_well_apart_it_is_right(name):
    row = TIES[name]
    assert hold(row, FIRST_ORDER["backward"], row.gradient()) == "right"


@pytest.mark.parametrize(
    "name", [f"{name}, {kind}" for name in SYMMETRIC for kind in ("equal", "equal up to rounding", "gap of 1e-8")]
)
def test_second_order_is_right_nan_or_refused(name):
    row = TIES[name]
    hold(row, second_order, row.second(), rtol=1e-2)


@pytest.mark.parametrize("kind", VALUES)
def test_symmetric_sums_of_eigenvalues_are_right(kind):
    """No differences of values stand in their rule, so there is no reason for nan: Σw is the trace, Σw² the square."""
    a = symmetric(VALUES[kind])
    np.testing.assert_allclose(ag.grad(lambda a: np.linalg.eigvalsh(a).sum())(a), np.eye(3), atol=1e-9)
    found = ag.grad(lambda a: (np.linalg.eigvalsh(a) ** 2).sum())(a)
    np.testing.assert_allclose((found + found.T) / 2, 2 * a, rtol=1e-9, atol=1e-9 * np.abs(a).max())
    found = ag.grad(lambda a: (np.linalg.svdvals(a) ** 2).sum())(a)
    np.testing.assert_allclose(found, 2 * a, rtol=1e-9, atol=1e-9 * np.abs(a).max())


def projected(u):
    """Weigh a projector, which does not see the signs of vectors."""
    return (u @ u.T * M).sum()


CUT_OFF = {
    "an index": lambda v: (np.outer(v[:, 2], v[:, 2]) * M).sum(),
    "a slice": lambda v: projected(v[:, 2:]),
    "a condition": lambda v: projected(np.where(np.arange(3) == 2, v, 0.0)),
}


@pytest.mark.parametrize("name", CUT_OFF)
@pytest.mark.parametrize("vectors", ["eigh", "svd, left", "svd, right"])
@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_of_equal_values_whose_vectors_are_cut_off_others_have_their_gradient(name, vectors):
    """In every way; a nan tells nothing of the matrix, which is smooth there."""
    of = {
        "eigh": lambda a: np.linalg.eigh((a + a.T) / 2)[1],
        "svd, left": lambda a: np.linalg.svd(a)[0][:, ::-1],
        "svd, right": lambda a: np.linalg.svd(a)[2][::-1].T,
    }[vectors]
    f, a = (lambda a: CUT_OFF[name](of(a))), np.diag([1.0, 1.0, 5.0]) + 0.0
    right = differences(f, a)
    compiled = ag.compile(ag.grad(f))
    compiled(a)
    ways = ag.grad(f)(a), compiled(a), ag.vmap(ag.grad(f))(np.stack([a, a]))[1], ag.jacfwd(f)(a)
    for found in ways:
        np.testing.assert_allclose(found, right, atol=1e-6)


def test_the_program_of_the_issue():
    def root(a):
        w, v = np.linalg.eigh((a + a.T) / 2)
        return ((v * np.sqrt(w)) @ v.T * M).sum()

    a = symmetric([4.0, 4.0, 9.0])
    right = differences(root, a)
    np.testing.assert_allclose(right[0], [0.0037, 0.4933, 1.0178], atol=1e-4)
    try:
        found = plain(ag.grad(root)(a))
    except ag.AutogradError:
        return
    assert np.all(np.isclose(found, right, rtol=1e-3, atol=1e-3) | ~np.isfinite(found))


@pytest.mark.parametrize("values", [[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]], ids=str)
@pytest.mark.parametrize("batch", [1, 4])
def test_a_tie_spoils_its_own_matrix_only(values, batch):
    """In a stack of matrices, those without a tie have their right gradient whatever the others are."""
    a = np.stack([symmetric(values), *[symmetric([1.0, 2.0, 4.0 + k]) for k in range(batch)]])
    try:
        stacked = plain(ag.grad(lambda a: weigh_linearly(np.linalg.eigh(a)[1] ** 2))(a))
    except ag.AutogradError:
        return
    for k in range(1, batch + 1):
        one = np.zeros_like(a)
        one[k] = 1.0
        f = lambda m, k=k: weigh_linearly(np.concatenate([np.zeros((k, 3, 3)), np.linalg.eigh(m[None])[1] ** 2]))  # noqa: E731
        np.testing.assert_allclose(stacked[k], plain(ag.grad(f)(a[k])), rtol=1e-9, atol=1e-12)
