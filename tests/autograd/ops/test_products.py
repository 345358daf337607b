"""Products and Einstein summation: PyTorch and NumPy as oracles, exact adjoints, what is kept, messages."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd.errors import ArgumentError, ConversionError, ShapeError
from autograd.ops import products
from autograd.ops.einsum import contract, einsum
from tests.autograd.ops.oracle import same_as_torch

RNG = np.random.default_rng(12)


def draw(*shapes):
    return [RNG.uniform(-2, 2, shape) for shape in shapes]


def whole(shape):
    """Draw whole numbers as floats: sums and products of them are exact."""
    return RNG.integers(-9, 10, shape).astype(float)


# ------------------------------------------------------------------------------------------------------------- matmul

MATMULS = [
    ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((5, 2, 3), (3, 4)), ((6, 5, 2, 3), (3, 4)),
    ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((2, 3), (5, 3, 2)), ((5, 2, 3), (5, 3, 2)), ((5, 1, 2, 3), (6, 3, 2)),
    ((1, 2, 3), (5, 3, 2)), ((5, 2, 3), (1, 3, 2)), ((1, 1), (1, 1)), ((2, 3), (3, 0)), ((0, 3), (3, 2)),
    ((2, 0), (0, 3)), ((4, 0, 3), (3, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), MATMULS, ids=str)
def test_matmul_rules_are_exact_adjoints(a, b):
    """<a b, g> = <a, g bᵀ> = <b, aᵀ g>, exactly, for every pairing of vectors, matrices and stacks."""
    a, b = whole(a), whole(b)
    y, pullback = ag.vjp(np.matmul, a, b)
    g = whole(np.shape(y))
    ga, gb = pullback(g)
    assert np.sum(y * g) == np.sum(a * ga) == np.sum(b * gb)


@pytest.mark.torch
@pytest.mark.parametrize(("a", "b"), MATMULS, ids=str)
def test_matmul_is_that_of_torch(a, b):
    same_as_torch(lambda a, b: a @ b, lambda torch, a, b: a @ b, *draw(a, b))


def test_operators_on_either_side():
    a, b = draw((2, 3), (3, 4))
    for y in (ag.Tensor(a) @ b, a @ ag.Tensor(b), a.tolist() @ ag.Tensor(b), ag.Tensor(a).dot(b)):
        np.testing.assert_array_equal(y.data, a @ b)


def test_only_what_a_gradient_needs_is_kept():
    """For the gradient of a, matmul keeps b, not a."""
    for needs in (0, 1):
        tensors = [ag.Tensor(x, requires_grad=i == needs) for i, x in enumerate(draw((20, 30), (30, 40)))]
        kept = [weakref.ref(x.data) for x in tensors]
        y = tensors[0] @ tensors[1]
        del tensors
        assert [array() is not None for array in kept] == [needs == 1, needs == 0]
        assert y.shape == (20, 40)


def test_weight_gradients_call_blas_once_for_a_stack():
    """A stack times one matrix: both gradients are single products of two matrices."""
    x, w = ag.Tensor(draw((5, 4, 3))[0], requires_grad=True), ag.Tensor(draw((3, 2))[0], requires_grad=True)
    y = x @ w
    shapes = []

    class Spy(np.ndarray):
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            if ufunc is np.matmul:
                shapes.append(tuple(np.shape(z) for z in inputs))
            return getattr(ufunc, method)(*[np.asarray(z) for z in inputs], **kwargs)

    g = np.ones((5, 4, 2)).view(Spy)
    left, right = [products.matmul.op.rules[i].function for i in (0, 1)]
    left(g, w.data, (x.shape, w.shape))
    right(g, x.data, (x.shape, w.shape))
    assert shapes == [((20, 2), (2, 3)), ((3, 20), (20, 2))]
    assert y.shape == (5, 4, 2)


# --------------------------------------------------------------------------------------------- the others by PyTorch

A, B, C, D = draw((2, 3), (3, 4), (4, 5), (2, 3))
U, V = draw(3, 3)
CUBE, BLOCK = draw((2, 3, 4), (4, 3, 5))
TORCH = {
    "dot": (np.dot, lambda torch, a, b: torch.tensordot(a, b, ([2], [1])), [CUBE, draw((3, 4, 5))[0]]),
    "inner": (np.inner, lambda torch, a, b: torch.inner(a, b), [A, D]),
    "outer": (np.outer, lambda torch, a, b: torch.outer(a, b), [U, V]),
    "vdot": (np.vdot, lambda torch, a, b: torch.vdot(a, b), [U, V]),
    "kron": (np.kron, lambda torch, a, b: torch.kron(a, b), [A, C]),
    "kron_of_vectors": (np.kron, lambda torch, a, b: torch.kron(a, b), [U, A]),
    "cross": (np.cross, lambda torch, a, b: torch.linalg.cross(a, b), [A, D]),
    "cross_axis": (
        lambda a, b: np.cross(a, b, axis=0),
        lambda torch, a, b: torch.linalg.cross(a, b, dim=0),
        draw((3, 2), (3, 2)),
    ),
    "multi_dot": (
        lambda *x: np.linalg.multi_dot(x),
        lambda torch, *x: torch.linalg.multi_dot(x),
        [A, B, C, draw((5, 2))[0]],
    ),
    "multi_dot_vectors": (
        lambda *x: np.linalg.multi_dot(x),
        lambda torch, *x: torch.linalg.multi_dot(x),
        [U, B, C, draw(5)[0]],
    ),
    "matrix_power": (
        lambda a: np.linalg.matrix_power(a, 5),
        lambda torch, a: torch.linalg.matrix_power(a, 5),
        draw((4, 3, 3)),
    ),
    "matrix_power_negative": (
        lambda a: np.linalg.matrix_power(a, -3),
        lambda torch, a: torch.linalg.matrix_power(a, -3),
        [draw((2, 3, 3))[0] + 4 * np.eye(3)],
    ),
    "vecdot": (np.vecdot, lambda torch, a, b: torch.linalg.vecdot(a, b), [A, V]),
    "tensordot": (
        lambda a, b: np.tensordot(a, b, axes=([1, 2], [1, 0])),
        lambda torch, a, b: torch.tensordot(a, b, ([1, 2], [1, 0])),
        [CUBE, BLOCK],
    ),
    "matrix_transpose": (np.matrix_transpose, lambda torch, a: a.mT, [CUBE]),
}


@pytest.mark.torch
@pytest.mark.parametrize(("ours", "theirs", "arrays"), TORCH.values(), ids=TORCH)
def test_same_as_torch(ours, theirs, arrays):
    same_as_torch(ours, theirs, *arrays, tolerance=1e-11)


def shapes(function, *of):
    """List the shapes of what is computed from matrices of these shapes, step by step."""
    matrices = [ag.Tensor(x, requires_grad=True) for x in draw(*of)]
    return [step.outputs[0].shape for step in ag.record(lambda *given: function(given), *matrices).steps]


def test_multi_dot_takes_the_cheapest_order():
    """The textbook chain of six matrices (Cormen et al., §15.2) is cut as (A (B C)) ((D E) F)."""
    assert shapes(np.linalg.multi_dot, (30, 35), (35, 15), (15, 5), (5, 10), (10, 20), (20, 25)) == [
        (35, 5), (30, 5), (5, 20), (5, 25), (30, 25),
    ]  # fmt: skip
    assert shapes(np.linalg.multi_dot, (2, 9), (9, 1), (1, 8)) == [(2, 1), (2, 8)]


def test_matrix_power_zero_is_a_constant():
    """A⁰ is the identity, of gradient 0 even where A is not finite."""
    a = ag.Tensor(np.full((2, 2), np.inf), requires_grad=True)
    y = np.linalg.matrix_power(a, 0)
    np.testing.assert_array_equal(y.data, np.eye(2))
    y.sum().backward()
    np.testing.assert_array_equal(a.grad.data, np.zeros((2, 2)))


# -------------------------------------------------------------------------------------------------------------- einsum


@st.composite
def einsums(seed):
    """Draw subscripts over up to three arrays, with repeats, axes of length 1, and an output or none."""
    letters = "abcd"
    size = {c: seed(st.integers(1, 3)) for c in letters}
    terms, shapes = [], []
    for _ in range(seed(st.integers(1, 3))):
        term = seed(st.text(letters, max_size=4))
        once = {c: seed(st.booleans()) and term.count(c) == 1 for c in letters}
        terms.append(term)
        shapes.append(tuple(1 if once[c] else size[c] for c in term))
    output = "".join(seed(st.permutations(sorted(set("".join(terms))))))
    arrow = "->" + output[: seed(st.integers(0, len(output)))] if seed(st.booleans()) else ""
    return ",".join(terms) + arrow, shapes


@settings(max_examples=120, deadline=None, derandomize=True)
@given(einsums(), st.sampled_from([False, True, "optimal"]))
def test_any_einsum_is_that_of_numpy(case, optimize):
    """Value as NumPy; the op is linear in each array, so <y, g> = <x, gx> exactly for whole numbers."""
    subscripts, shapes = case
    arrays = [whole(shape) for shape in shapes]
    y, pullback = ag.vjp(lambda *x: np.einsum(subscripts, *x, optimize=optimize), *arrays)
    np.testing.assert_array_equal(y, np.einsum(subscripts, *arrays))
    g = whole(np.shape(y))
    gradients = pullback(g)
    for x, gx in zip(arrays, gradients if len(arrays) > 1 else [gradients], strict=True):
        assert gx.shape == x.shape
        assert np.sum(y * g) == np.sum(x * gx)


EINSUMS = {
    "attention": ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)),
    "ellipsis": ("...ij,...kj->...ik", (4, 2, 3), (5, 3)),
    "bilinear": ("bi,oij,bj->bo", (2, 3), (4, 3, 5), (2, 5)),
    "trace": ("bii->b", (4, 3, 3)),
    "diagonal_times": ("ii,ij->j", (3, 3), (3, 2)),
    "sum_of_one": ("ij,k->k", (2, 3), (4,)),
    "implicit": ("ba,cb", (2, 3), (4, 2)),
    "outer": ("i,j,k->kji", (2,), (3,), (4,)),
    "four": ("ab,bc,cd,de->ae", (2, 3), (3, 4), (4, 5), (5, 2)),
}


@pytest.mark.torch
@pytest.mark.parametrize(("subscripts", "shapes"), [(s, shapes) for s, *shapes in EINSUMS.values()], ids=EINSUMS)
def test_einsum_is_that_of_torch(subscripts, shapes):
    same_as_torch(
        lambda *x: np.einsum(subscripts, *x),
        lambda torch, *x: torch.einsum(subscripts, *x),
        *draw(*shapes),
        tolerance=1e-11,
    )


def test_einsum_forms_of_one_product():
    """Spaces, implicit output, lists of subscripts, a given path, a Tensor or a list of numbers: the same number."""
    a, b = draw((2, 3), (3, 2))
    t, expected = ag.Tensor(a, requires_grad=True), np.einsum("ij,jk->ik", a, b)
    for y in (
        np.einsum(" ij , jk -> ik ", t, b),
        np.einsum("ij,jk", t, b),
        np.einsum(t, [0, 1], b, [1, 2], [0, 2]),
        np.einsum(t, [0, 1], b, [1, 2]),
        np.einsum(t, [..., 1], b, [1, 2], [..., 2]),
        np.einsum("ij,jk->ik", t, b.tolist()),
        np.einsum("ij,jk,->ik", t, b, 1.0, optimize=["einsum_path", (0, 2), (0, 1)]),
        np.einsum("ij,jk,->ik", t, b, 1.0, optimize="optimal"),
    ):
        np.testing.assert_allclose(y.data, expected, rtol=1e-14)


def test_einsum_of_three_never_forms_the_outer_product():
    """The pairs are chosen by cost: no intermediate has more than 100 elements; the full loop has 10,000 steps."""
    found = shapes(lambda given: np.einsum("ij,jk,kl->il", *given), (10, 5), (5, 20), (20, 10))
    assert found == [(5, 10), (10, 10)]


def test_einsum_sums_a_lone_subscript_before_it_multiplies():
    """In "ij,jk->i" k is summed in b first: the largest array in the graph is the input."""
    assert shapes(lambda given: np.einsum("ij,jk->i", *given), (4, 3), (3, 100)) == [(3,), (4,)]


def test_contraction_is_float32_throughout():
    a, b = [x.astype(np.float32) for x in draw((2, 3), (3, 4))]
    y, pullback = ag.vjp(lambda a, b: contract(a, b, subscripts="ij,jk->ik"), a, b)
    assert {y.dtype, *[g.dtype for g in pullback(np.ones((2, 4), np.float32))]} == {np.dtype(np.float32)}


# ------------------------------------------------------------------------------------------------------------ messages

M = ag.Tensor(np.ones((2, 3)))
MESSAGES = {
    "matmul": (
        lambda: M @ np.ones((4, 2)),
        ShapeError,
        r"a of shape \(2, 3\) does not fit b of shape \(4, 2\): the last axis",
    ),
    "matmul_number": (lambda: M @ 2.0, ShapeError, r"a of shape \(2, 3\) does not fit b of shape \(\)"),
    "dot_out": (lambda: np.dot(M, np.ones(3), out=np.ones(2)), ConversionError, "without out="),
    "outer": (lambda: np.linalg.outer(M, np.ones(3)), ShapeError, r"takes two vectors, got shapes \(2, 3\) and \(3,\)"),
    "cross": (
        lambda: np.cross(M.T, np.ones(2)),
        ShapeError,
        r"3-vectors, got shapes \(3, 2\) and \(2,\).*For 2-vectors write",
    ),
    "vecdot": (lambda: np.vecdot(M, np.ones(2)), ShapeError, r"one length, got shapes \(2, 3\) and \(2,\)"),
    "transpose": (lambda: np.matrix_transpose(M[0]), ShapeError, r"at least two axes, got shape \(3,\)"),
    "power_square": (
        lambda: np.linalg.matrix_power(M, 2),
        ShapeError,
        r"matrix_power: a must hold square .* got shape \(2, 3\)",
    ),
    "power_integer": (lambda: np.linalg.matrix_power(M, 2.0), ArgumentError, "n must be an integer, got float"),
    "chain_short": (lambda: np.linalg.multi_dot([M]), ShapeError, "at least two arrays, got 1"),
    "chain_stack": (
        lambda: np.linalg.multi_dot([M, M, np.ones((2, 3, 2))]),
        ShapeError,
        r"got shapes \[\(2, 3\), \(2, 3\), \(2,",
    ),
    "chain_out": (lambda: np.linalg.multi_dot([M, M.T], out=np.ones((2, 2))), ConversionError, "without out="),
    "tensordot_sizes": (
        lambda: np.tensordot(M, np.ones((2, 2)), 1),
        ShapeError,
        r"axes \[1\] of a, .* axes \[0\] of b, shape",
    ),
    "tensordot_twice": (lambda: np.tensordot(M, M, ([0, 0], [0, 0])), ShapeError, "do not fit"),
    "tensordot_missing": (lambda: np.tensordot(M, M, ([2], [0])), ShapeError, r"axes \[2\] of a, shape \(2, 3\)"),
    "einsum_nothing": (lambda: einsum(), ShapeError, "needs subscripts"),
    "einsum_count": (lambda: np.einsum("ij,jk", M), ShapeError, "'ij,jk': subscripts for 2 arrays, but 1 were given"),
    "einsum_axes": (lambda: np.einsum("ijk->i", M), ShapeError, "array 0 has 2 axes, which 'ijk' does not fit"),
    "einsum_more_axes": (lambda: np.einsum("i->i", M), ShapeError, "array 0 has 2 axes, which 'i' does not fit"),
    "einsum_letter": (lambda: np.einsum("i1->i", M), ShapeError, "'1' is not a subscript"),
    "einsum_output": (lambda: np.einsum("ij->ik", M), ShapeError, "an input must have it; see 'k'"),
    "einsum_output_twice": (lambda: np.einsum("ij->ii", M), ShapeError, "name a subscript once, .*; see 'i'"),
    "einsum_ellipsis": (
        lambda: np.einsum("...i->i", M),
        ShapeError,
        "the output needs '...' too, which stands for 1 axes",
    ),
    "einsum_sizes": (
        lambda: np.einsum("ij,jk", M, np.ones((2, 2))),
        ShapeError,
        r"'j' has length 2 in array 1 .*, but 3 before",
    ),
    "einsum_diagonal": (
        lambda: np.einsum("ii", np.ones((1, 3)) * M[:1]),
        ShapeError,
        "'i' has length 3 in array 0 .*, but 1 before",
    ),
    "einsum_out": (lambda: np.einsum("ij->i", M, out=np.ones(2)), ConversionError, "without out="),
}


@pytest.mark.parametrize(("call", "error", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(call, error, message):
    with pytest.raises(error, match=message):
        call()
