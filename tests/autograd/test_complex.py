"""Complex numbers: every op has its complex derivative, to second order, or refuses by name; conventions and edges."""

import warnings

import numpy as np
import pytest

import autograd as ag
from autograd.errors import ArgumentError, DTypeError, GraphError, InPlaceError
from autograd.primitive import dispatch
from tests.autograd.rows import COMPLEX, MIXED, REAL_ONLY, ROWS, arrays, made_complex, samples, vary
from tests.autograd.tools import leaf

RNG = np.random.default_rng(4)
Z, W = (RNG.uniform(0.5, 2, (3, 3)) + 1j * RNG.uniform(-1, 1, (3, 3)) for _ in range(2))
X = RNG.uniform(0.5, 2, (3, 3))


@pytest.mark.parametrize("name", COMPLEX)
def test_derivatives_to_order_two(name):
    for args, kwargs in samples(name):
        if "dtype" in kwargs:
            kwargs = kwargs | {"dtype": np.complex128}
        args = made_complex(args)
        if name in MIXED and kwargs.get("mode") in ("maximum", "minimum"):
            continue
        ag.check_grads(lambda *varied, kwargs=kwargs: ROWS[name](*varied, **kwargs), *args)


@pytest.mark.parametrize("name", sorted(REAL_ONLY))
def test_real_only_is_refused_by_name(name):
    for args, kwargs in samples(name):
        inputs = vary(made_complex(args), lambda x: leaf(x))
        with pytest.raises(DTypeError, match=r"is for real numbers|takes real numbers|would lose the imaginary part"):
            ROWS[name](*inputs, **kwargs)


@pytest.mark.parametrize("function", [f for f in dispatch if any(dispatch[f] is ROWS[name] for name in COMPLEX)])
def test_values_are_numpys(function):
    """Also where NumPy conjugates: vdot, correlate, cov."""
    name = next(name for name in COMPLEX if dispatch[function] is ROWS[name])
    for args, kwargs in samples(name):
        args = made_complex(args)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # names on their way out
            try:
                theirs = function(*args, **kwargs)
            except TypeError:
                continue  # NumPy has no such function of complex numbers
            if name == "cond" and np.lib.NumpyVersion(np.__version__) < "2.3.0":
                theirs = np.real(theirs)  # older ones give a complex ratio of real numbers
            try:
                ours = function(*vary(args, ag.Tensor), **kwargs)
            except DTypeError:
                assert name in MIXED
                continue
        for a, b in zip(arrays(ours), arrays(theirs), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


# One input is real, the other complex: the gradient of the real one is real.
MIXES = {
    "times": lambda x, z: x * z,
    "quotient": lambda x, z: x / z + z / x,
    "power of a real": lambda x, z: x**z,
    "power of a negative": lambda x, z: (-x) ** z,
    "real power": lambda x, z: z**x,
    "matmul": lambda x, z: x @ z @ x,
    "solve": lambda x, z: np.linalg.solve(x + 3 * np.eye(3), z),
    "einsum": lambda x, z: np.einsum("ij,kj->ik", x, z),
    "where": lambda x, z: np.where(X > 1, x, z),
    "concatenate": lambda x, z: np.concatenate([x, z]),
    "setitem": lambda x, z: ag.array([x[0], z[1]]),
    "polar": lambda x, z: x * np.exp(1j * np.angle(z)),
    "cast": lambda x, z: x.astype(complex) * z,
    "sums in complex": lambda x, z: np.sum(x, axis=0, dtype=complex) * z,
    "parts": lambda x, z: (x + 1j * z.real) * z.imag,
    "outer": lambda x, z: np.outer(x, z),
    "vecdot": lambda x, z: np.vecdot(z, x),
    "det": lambda x, z: np.linalg.det(x + z),
    "eigvals of a rotation": lambda x, z: np.linalg.eigvals(x[:2, :2] * [[1, 1], [-1, 1]]) * z[0, :2],
    "power spectrum": lambda x, z: abs(np.cumsum(x * z)) ** 2,
    "polyval": lambda x, z: np.polyval(x[0], z),
    "interp": lambda x, z: np.interp(x[0], [0.0, 1.3, 3.0], z[0]),
    "cov": lambda x, z: np.cov(x, z),
    "ldexp of parts": lambda x, z: np.ldexp(z.real, 2) + x,
}


@pytest.mark.parametrize("name", MIXES)
def test_real_and_complex_inputs(name):
    ag.check_grads(MIXES[name], X, Z)
    x, z = leaf(X), leaf(Z)
    abs(MIXES[name](x, z)).sum().backward()
    assert (x.grad.dtype, z.grad.dtype) == (np.float64, np.complex128)


def dagger(a):
    return np.conj(np.swapaxes(a, -1, -2))


def of_eigh(a, triangle="L"):
    w, v = np.linalg.eigh(a, triangle)
    return np.abs(v), v * np.exp(w)[..., None, :] @ dagger(v), w


def of_eig(a):
    w, v = np.linalg.eig(a)
    return np.abs(v), v * np.exp(w)[..., None, :] @ np.linalg.inv(v), v @ dagger(v), w


def of_svd(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return np.abs(u), u * np.sqrt(s)[..., None, :] @ vh, np.abs(vh), s


HERMITIAN = Z + dagger(Z) + np.diag([1.0, 5.0, 9.0])
STACK = np.stack([Z + np.diag([1.0, 4.0, 8.0]), W + np.diag([2.0, 5.0, 7.0])])
DECOMPOSED = {
    "eigh": (of_eigh, HERMITIAN),
    "eigh of a lower triangle": (of_eigh, STACK),
    "eigh of an upper triangle": (lambda a: of_eigh(a, "U"), STACK),
    "eig": (of_eig, STACK),
    "eig of real matrices": (of_eig, X * [[1, 2, 1], [-2, 1, 3], [1, -1, 1]]),
    "svd": (of_svd, STACK),
    "svd of tall": (of_svd, STACK[..., :2]),
    "svd of wide": (of_svd, STACK[:, :2]),
    "svd hermitian": (lambda a: np.linalg.svd(a, hermitian=True)[1], HERMITIAN),
    "cholesky upper": (lambda a: np.linalg.cholesky(a @ dagger(a), upper=True), STACK),
    "sign of slogdet": (lambda a: np.linalg.slogdet(a)[0], STACK),
    "pinv hermitian": (lambda a: np.linalg.pinv(a, hermitian=True), HERMITIAN),
}


@pytest.mark.parametrize("name", DECOMPOSED)
def test_decompositions(name):
    f, a = DECOMPOSED[name]
    ag.check_grads(f, a)


PHASED = {
    "eigh": lambda a: np.linalg.eigh(a + dagger(a))[1][2, 0].imag,
    "svd": lambda a: np.linalg.svd(a)[0][1, 1].imag,
    "eig": lambda a: np.linalg.eig(a)[1][1, 0].imag,
}


@pytest.mark.parametrize("name", PHASED)
def test_loss_that_depends_on_the_phase_is_refused(name):
    with pytest.raises(ArgumentError, match=rf"{name}: the loss depends on the phase of complex vectors.*abs\(v\)"):
        ag.grad(PHASED[name])(STACK[0])


def test_equal_eigenvalues_of_a_general_matrix_give_nan():
    assert np.isnan(ag.grad(lambda a: np.linalg.eigvals(a)[0])(np.eye(2))).all()


def test_real_eigenvalues_stay_real():
    w, v = np.linalg.eig(leaf(np.diag([1.0, 2.0])))
    assert (w.dtype, v.dtype) == (np.float64, np.float64)
    assert type(np.linalg.eig(leaf(X))).__name__ == "EigResult"


# --------------------------------------------------------------------------------------------------------- convention


def test_gradient_is_that_of_real_and_imaginary_part():
    def loss(z):
        return (abs(np.exp(z) * z[0]) ** 2 + np.angle(z)).sum()

    z = np.array([0.3 + 0.4j, 1 - 0.5j])
    by_parts = ag.grad(lambda p: loss(p[0] + 1j * p[1]))(np.stack([z.real, z.imag]))
    np.testing.assert_allclose(ag.grad(loss)(z), by_parts[0] + 1j * by_parts[1])


def test_gradient_descent_needs_no_conjugate():
    z, target = leaf([1 + 1j, -2j]), np.array([3 - 1j, 0.5j])
    for _ in range(60):
        z.zero_grad()
        (abs(z - target) ** 2).sum().backward()
        z.data = z.data - 0.2 * z.grad.data
    np.testing.assert_allclose(z.data, target, atol=1e-6)


def test_abs_at_zero():
    assert ag.grad(abs)(0j) == 0
    assert np.isnan(ag.hvp(abs)(0j, 1 + 0j))


def test_jacobians():
    z = np.array([1 + 2j, 3.0])
    np.testing.assert_allclose(ag.jacobian(lambda z: z**2, holomorphic=True)(z), np.diag(2 * z))
    np.testing.assert_allclose(ag.jacobian(lambda x: x * 1j + x**2)(z.real), np.diag(1j + 2 * z.real))
    np.testing.assert_allclose(ag.jacobian(abs)(z), np.diag(z / abs(z)))
    with pytest.raises(DTypeError, match=r"only for a holomorphic function: say jacobian\(f, holomorphic=True\)"):
        ag.jacobian(np.conj)(z)
    with pytest.raises(
        DTypeError, match=r"jacobian\(holomorphic=True\): from float64 to complex128; both must be complex"
    ):
        ag.jacobian(lambda x: x * 1j, holomorphic=True)(1.0)
    with pytest.raises(DTypeError, match="only for a holomorphic function"):
        ag.hessian(lambda z: abs(z) ** 2)(z[0])


def test_products_with_derivatives():
    y, tangent = ag.jvp(lambda z: z * z, (1 + 2j,), (1j,))
    assert (y, tangent) == (-3 + 4j, -4 + 2j)
    assert ag.vjp(lambda z: z * z, 1 + 2j)[1](1 + 0j) == 2 - 4j
    np.testing.assert_allclose(ag.hvp(lambda z: abs(z) ** 4)(1 + 1j, 1j), 8 + 16j)


def test_trees_of_real_and_complex():
    gradient = ag.grad(lambda p: abs(p["z"] * p["x"]).sum())({"z": Z, "x": X})
    assert (gradient["z"].dtype, gradient["x"].dtype) == (np.complex128, np.float64)


def test_a_complex_result_needs_a_gradient():
    z = leaf(1 + 2j)
    with pytest.raises(
        GraphError, match=r"backward\(\) of a complex result, dtype complex128, needs gradient=.*\.real"
    ):
        (z * z).backward()
    (z * z).backward(1j)
    assert z.grad.item() == 1j * np.conj(2 * (1 + 2j))


# -------------------------------------------------------------------------------------------------------- dtypes, views


def test_dtypes_follow_numpy():
    z = leaf(Z.astype(np.complex64))
    y = (z * 1j + 2.0) @ np.float32(X)
    assert y.dtype == np.complex64
    abs(y).sum().backward()
    assert z.grad.dtype == np.complex64
    x = leaf(np.float32(X))
    assert (x * 1j).dtype == np.complex64
    assert repr(leaf([1 + 2j], dtype=np.complex64)) == "Tensor([1.+2.j], dtype=complex64, requires_grad=True)"
    assert repr(ag.Tensor(1j)) == "Tensor(1j)"


def test_parts_of_tensors():
    z, x = leaf(Z), leaf(X)
    np.testing.assert_array_equal([z.real.data, z.imag.data, z.conj().data], [Z.real, Z.imag, Z.conj()])
    assert x.real is x
    assert x.conj() is x
    assert not x.imag.requires_grad
    assert np.real_if_close(leaf([1 + 1e-16j])).dtype == np.float64
    assert np.real_if_close(z) is z


def test_no_imaginary_part_is_lost_in_silence():
    z, x = leaf(Z), leaf(X) * 1
    for call in (
        lambda: z.astype(np.float32),
        lambda: ag.Tensor(Z, dtype=float),
        lambda: np.mean(z, dtype=float),
        lambda: x.__setitem__(0, 1j),
        lambda: x.__setitem__(0, z[0]),
        lambda: x.__iadd__(z),
    ):
        with pytest.raises(DTypeError):
            call()


def test_writes_through_parts_are_refused():
    z = leaf(Z) * 1
    part = z.real
    with pytest.raises(InPlaceError, match=r"read-only view: .* \.real and \.imag cannot here"):
        part += 1
    with pytest.raises(InPlaceError, match=r"memory that the \.real or \.imag of a Tensor looks at"):
        z[0] = 0


def written(z):
    y = z * 1
    y[0] = y[1] * 1j
    y += z
    y *= 2j
    reversed_rows = y[::-1]
    reversed_rows[0] = 5j * z[0]
    return abs(y**2)


def parts_set(z):
    y = z * (1 + 1j)
    y.real = z.imag
    y.imag[...]
    y.imag = y.real * z.real
    return abs(y**2)


@pytest.mark.parametrize("f", [written, parts_set])
def test_in_place(f):
    np.testing.assert_allclose(f(ag.Tensor(Z)).data, f(Z))
    ag.check_grads(f, Z)


def test_parts_are_set_as_in_numpy():
    z, x = ag.Tensor(Z), ag.Tensor(X)
    z.imag, x.real = X, 2 * X
    np.testing.assert_array_equal(z.data, Z.real + 1j * X)
    np.testing.assert_array_equal(x.data, 2 * X)
    with pytest.raises(DTypeError, match=r"imag of a Tensor of dtype float64 cannot be set. Use x.astype\(complex\)"):
        x.imag = X
    with pytest.raises(InPlaceError):
        leaf(Z).real = X


def test_a_cut_stays_cut():
    z = np.array([0j, 1 + 1j])
    with np.errstate(all="ignore"):
        g = ag.grad(lambda z: abs(np.where(z == 0, 0, 1 / z)).sum())(z)
    np.testing.assert_allclose(g, [0, -z[1] / abs(z[1]) ** 3])


# -------------------------------------------------------------------------------------------------------------- own ops


def test_own_ops():
    cube = ag.op(lambda z: z**3, vjp=lambda g, z: 3 * g * z**2, elementwise=True, name="cube")
    size = ag.op(lambda z: (z * np.conj(z)).real, vjp=lambda g, z: 2 * g * z, elementwise=True, name="size")
    turned = ag.op(
        lambda z: 1j * np.conj(z), vjp=lambda g: 1j * np.conj(g), elementwise=True, name="turned", holomorphic=False
    )
    product = ag.op(lambda a, b: a * b, vjp=lambda g, a, b: (g * b, g * a), name="product")
    by_parts = ag.op(lambda z: np.exp(z) * 2, definition=lambda z: np.exp(z) * 2, name="by_parts")
    for f in (cube, size, turned, by_parts):
        ag.check_grads(f, Z)
        ag.check_grads(f, X)
    ag.check_grads(product, Z, X)
    ag.check_grads(lambda z: product(z, z), Z)


def test_wrong_own_ops_are_caught():
    careless = ag.op(lambda z: 1j * np.conj(z), vjp=lambda g: 1j * np.conj(g), elementwise=True, name="careless")
    with pytest.raises(ag.errors.GradientError):
        ag.check_grads(careless, Z)
    real = ag.op(lambda x: x * 2, vjp=lambda g: g * 2, elementwise=True, name="real", holomorphic=None)
    ag.check_grads(real, X)
    with pytest.raises(DTypeError, match="real is for real numbers and has no complex derivative"):
        real(leaf(Z))


# -------------------------------------------------------------------------------------------------------------- compile


def energy(z):
    return (abs(np.exp(z) * (z @ np.conj(z)) / (2 + z)) ** 2).sum() + np.sum(z.imag * z.real**2)


COMPILED = {
    "value and gradient": lambda f: ag.value_and_grad(f),
    "second": lambda f: lambda z: ag.hvp(f)(z, 1j * z),
    "jacobian": lambda f: ag.jacobian(lambda z: z * z + z[0], holomorphic=True),
    "jvp": lambda f: lambda z: ag.jvp(lambda z: z / (1 + z), (z,), (z * 1j,)),
    "solve": lambda f: ag.grad(lambda z: abs(np.linalg.solve(z[:, None] * z + np.eye(3), z)).sum()),
    "eigh": lambda f: ag.grad(
        lambda z: (abs(np.linalg.eigh(z[:, None] * np.conj(z) + np.diag([1, 3, 9]))[1]) ** 3).sum()
    ),
}


@pytest.mark.parametrize("name", COMPILED)
def test_compiled_is_as_eager(name):
    f = COMPILED[name](energy)
    compiled = ag.compile(f)
    for z in (Z[0], W[1], Z[2] * 1j):
        for a, b in zip(arrays(compiled(z)), arrays(f(z)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_compiled_function_in_a_graph():
    compiled, z = ag.compile(energy), leaf(Z[0])
    for _ in range(2):
        z.zero_grad()
        compiled(z).backward()
        np.testing.assert_allclose(z.grad.data, ag.grad(energy)(Z[0]))


def test_eigenvalues_whose_dtype_depends_on_numbers_are_not_compiled():
    gradient = ag.grad(lambda a: abs(np.linalg.eigvals(a)).sum())
    with pytest.warns(RuntimeWarning, match=r"runs uncompiled: eigvals reads numbers\."):
        found = ag.compile(gradient)(X)
    np.testing.assert_array_equal(found, gradient(X))


# ------------------------------------------------------------------------------------------------------------- pictures


def test_pictures_show_both_parts(tmp_path):
    z = leaf([1 + 2j, 3 - 1j], name="z")
    y = abs(np.exp(z) * (1 + 1j)).sum() + abs(leaf(np.arange(20) * (1 + 1j))).sum()
    for _ in range(2):
        source = ag.draw(y).source
        assert "1+2j" in source
        assert "9.50 ± 5.77 and 9.50 ± 5.77 · j" in ag.draw(y, max_nodes=500).source
        ag.draw(y).save(tmp_path / "y.json")
        assert '"(1+2j)"' in (tmp_path / "y.json").read_text()
        assert "1+2j" in ag.replay(y).html
        y.backward(retain_graph=True)
    w = leaf(1 + 2j, name="w")
    assert "∂v1/∂w" in ag.replay(abs(w * w)).html
    with pytest.raises(DTypeError, match="explain tells of real numbers: along a path of complex ones"):
        ag.explain(abs(w * w), w)
    x = leaf(2.0)
    assert ag.explain(x * x + abs(w), x).total == 4
