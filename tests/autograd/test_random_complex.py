"""Random programs of real and complex numbers: derivatives to second order, both modes, and compiled."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import autograd as ag

N = 3
SHIFT = np.exp(1j * np.arange(N))
# Each op is smooth and maps tame values to tame values, in the complex plane as on the real line.
UNARY = {
    "tame": lambda z: z / np.sqrt(1 + abs(z) ** 2),
    "exp": lambda z: np.exp(1j * np.tanh(z.real)) * 0.5,
    "sin of small": lambda z: np.sin(z / (1 + abs(z) ** 2)),
    "conj": np.conj,
    "times i": lambda z: 1j * z,
    "real part": np.real,
    "imaginary part": lambda z: (z * 1j).imag,
    "abs": lambda z: abs(z + 3) - 2,
    "angle": lambda z: np.angle(z + 4j),
    "sign": lambda z: np.sign(z / (1 + abs(z)) + 2j),
    "sqrt": lambda z: np.sqrt(4 + z / (1 + abs(z))),
    "log": lambda z: np.log(3 + z / (1 + abs(z))),
    "reciprocal": lambda z: 1 / (2 + z / (1 + abs(z))),
    "square": lambda z: 0.2 * (z * z) / (1 + abs(z)),
    "fft": lambda z: np.fft.fft(z) / N,
    "ifft": np.fft.ifft,
    "rfft of abs": lambda z: np.fft.irfft(np.fft.rfft(abs(z + 3)) * 0.5, N),
    "reversed": lambda z: z[::-1],
    "picked": lambda z: z[[0, 0, 2]] * 0.5,
    "rolled": lambda z: np.roll(z, 1),
    "solved": lambda z: np.linalg.solve(3 * np.eye(N) + np.outer(z, np.conj(z)), z + 1),
    "inverse": lambda z: np.linalg.inv(3 * np.eye(N) + 0.3 * np.outer(z / (1 + abs(z)), SHIFT))[0],
    "norm": lambda z: z / (1 + np.linalg.norm(z)),
    "cumsum": lambda z: np.cumsum(z) / N,
    "where": lambda z: np.where(np.array([True, False, True]), z, 1j),
    "masked": lambda z: np.where(np.array([True, False, True]), z, 0 * z),
}
BINARY = {
    "add": lambda a, b: 0.5 * (a + b),
    "multiply": lambda a, b: a * b / (1 + abs(a) * abs(b)),
    "divide": lambda a, b: a / (2 + b / (1 + abs(b))),
    "power": lambda a, b: (3 + a / (1 + abs(a))) ** (b / (1 + abs(b))) / 3,
    "dot": lambda a, b: (a @ b) / (N + abs(a @ b)) * SHIFT,
    "vdot": lambda a, b: np.vdot(a, b) / (1 + abs(np.vdot(a, b))) + a * 0,
    "einsum": lambda a, b: np.einsum("i,j->ij", a, b)[1] * 0.3,
    "joined": lambda a, b: np.concatenate([a, b])[1 : N + 1],
    "stacked": lambda a, b: np.stack([a, b]).mean(axis=0),
    "complex of parts": lambda a, b: 0.5 * (a.real + 1j * b.real),
    "convolve": lambda a, b: np.convolve(a, b, "same") / N,
    "mixed": lambda a, b: np.where(np.array([False, True, True]), a, b),
}
CALM = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)


@st.composite
def programs(draw):
    """Draw a list of steps over a growing list of values, and inputs of which some are complex."""
    leaves = draw(st.integers(1, 3))
    steps = []
    for k in range(draw(st.integers(1, 7))):
        value = st.integers(0, leaves + k - 1)
        if draw(st.booleans()):
            steps.append((draw(st.sampled_from(sorted(UNARY))), draw(value)))
        else:
            steps.append((draw(st.sampled_from(sorted(BINARY))), draw(value), draw(value)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    inputs = [
        rng.uniform(-1.2, 1.2, N) + (1j * rng.uniform(-1.2, 1.2, N) if draw(st.booleans()) else 0)
        for _ in range(leaves)
    ]
    return steps, inputs


def computed(steps, inputs):
    """Return all values of a program."""
    values = list(inputs)
    for name, *places in steps:
        op = UNARY.get(name) or BINARY[name]
        values.append(op(*[values[i] for i in places]))
    return values


def runner(steps):
    """Make a function of the program; every value is part of the result, so that none is dead."""

    def f(*inputs):
        values = computed(steps, inputs)
        return sum((abs(value + 4) + 0.3 * value.real**2 + 0.2 * value.imag).mean() for value in values)

    f.__name__ = " ".join(f"{name}{tuple(places)}" for name, *places in steps)
    return f


@CALM
@given(programs())
def test_gradients_to_order_two(program):
    steps, inputs = program
    # Finite differences tell nothing near a root's or a logarithm's singular point.
    assume(all(np.abs(value).min() > 0.05 for value in computed(steps, inputs)))
    ag.check_grads(runner(steps), *inputs)


@CALM
@given(programs(), st.integers(0, 99))
def test_forward_and_reverse_mode_agree(program, seed):
    """Re <u, J v> = Re <Jᵀ u, v>, also for the gradient: there J is symmetric as a map of real and imaginary parts."""
    steps, inputs = program
    rng = np.random.default_rng(seed)
    f = runner(steps)

    def gradient(*xs):
        return tuple(ag.grad(f, tuple(range(len(xs))))(*xs))

    v, u = (
        [rng.normal(size=N) + (1j * rng.normal(size=N) if x.dtype.kind == "c" else 0) for x in inputs] for _ in range(2)
    )
    pushed = ag.jvp(gradient, tuple(inputs), tuple(v))[1]
    pulled = ag.vjp(gradient, *inputs)[1](tuple(u))
    pulled = (pulled,) if len(inputs) == 1 else pulled
    left, right = (sum(np.vdot(a, b).real for a, b in zip(*pair, strict=True)) for pair in ((pushed, u), (pulled, v)))
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-10)


@CALM
@given(programs())
def test_all_ways_give_the_same(program):
    """Transform, backward, backward with create_graph; by real and imaginary parts; compiled."""
    steps, inputs = program
    f, numbers = runner(steps), tuple(range(len(inputs)))
    expected = ag.grad(f, numbers)(*inputs)
    for options in ({}, {"create_graph": True}):
        leaves = [ag.Tensor(x, requires_grad=True) for x in inputs]
        f(*leaves).backward(**options)
        for leaf, g in zip(leaves, expected, strict=True):
            np.testing.assert_allclose(leaf.grad.data, g, rtol=1e-11, atol=1e-13)
            leaf.grad = None
    parts = ag.grad(
        lambda p: f(*[x + 1j * y if z.dtype.kind == "c" else x for (x, y), z in zip(p, inputs, strict=True)])
    )([(z.real.copy(), z.imag.copy()) for z in inputs])
    for (x, y), g in zip(parts, expected, strict=True):
        np.testing.assert_allclose(x + 1j * y, g, rtol=1e-11, atol=1e-13)
    for a, b in zip(ag.compile(ag.grad(f, numbers))(*inputs), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_each_step_alone(name):
    rng = np.random.default_rng(3)
    z, w = (rng.uniform(-1, 1, N) + 1j * rng.uniform(-1, 1, N) for _ in range(2))
    ag.check_grads(*([UNARY[name], z] if name in UNARY else [BINARY[name], z, w]))
