"""Random programs over all registered ops: value, gradient and second order against NumPy and against each other."""

import numpy as np
import pytest

import autograd as ag
from autograd.errors import InPlaceError
from tests.autograd.laws.oracle import plain
from tests.autograd.laws.random_programs import NAMES, NARROW, PROGRAMS, STOPS, WRITES, Run

every = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))


def tensors(program):
    return [ag.Tensor(x, requires_grad=True) for x in program.leaves()]


def followed(f, program):
    """Run f; a program that writes in place may be refused."""
    try:
        return f()
    except InPlaceError:
        if not program.has(WRITES):
            raise
        return None


def gradients(leaves):
    taken = [np.zeros(x.shape) if x.grad is None else plain(x.grad) for x in leaves]
    for x in leaves:
        x.grad = None
    return taken


def near(found, right, scale, program, digits=1e-6):
    tolerance = 5e-3 if program.has(NARROW) else digits
    assert abs(found - right) <= tolerance * (scale + abs(right)) + 1e-7, f"{found!r}, right is {right!r}: {program}"


@every
def test_value_and_gradient(program):
    """The value is NumPy's; the gradient, along one direction, is the difference of the program on arrays."""
    base, leaves = Run(), tensors(program)
    right = [float(plain(y)) for y in program.numbers(base, program.leaves(), numpy=True)]
    found = followed(lambda: program.numbers(Run(), leaves), program)
    if found is None:
        return
    for a, b in zip(found, right, strict=True):
        near(float(plain(a)), b, 1.0, program)
    sum(found).backward()
    rng = np.random.default_rng(3)
    directions = [rng.uniform(0.5, 1.5, x.shape) * rng.choice([-1.0, 1.0], x.shape) for x in leaves]
    shares = [g * v for g, v in zip(gradients(leaves), directions, strict=True)]

    def at(t):
        moved = [x + t * v for x, v in zip(program.leaves(), directions, strict=True)]
        return float(plain(sum(program.numbers(Run(base.seen), moved, numpy=True))))

    step = 1e-4
    slope = sum(c / step * at(k * step) for k, c in STENCIL)
    near(sum(share.sum() for share in shares), slope, np.sqrt(sum((s**2).sum() for s in shares)), program, 1e-5)


@pytest.mark.parametrize("program", list(PROGRAMS.values())[::2], ids=list(PROGRAMS)[::2])
def test_all_ways_back_agree(program):
    """retain_graph, a second time, create_graph, several roots one by one, and the transform."""
    leaves = tensors(program)
    numbers = followed(lambda: program.numbers(Run(), leaves), program)
    if numbers is None:
        return
    roots = [y for y in numbers if isinstance(y, ag.Tensor) and y.requires_grad]
    if not roots:
        return
    total = sum(roots)
    total.backward(retain_graph=True)
    first = gradients(leaves)
    total.backward(retain_graph=True)
    ways = {"a second time": gradients(leaves)}
    total.backward(create_graph=True)
    ways["create_graph"] = gradients(leaves)
    for root in roots:
        root.backward(retain_graph=True)
    ways["root by root"] = gradients(leaves)
    total.backward()
    ways["at last"] = gradients(leaves)
    numbers_of = lambda *xs: sum(program.numbers(Run(), list(xs)))  # noqa: E731
    ways["ag.grad"] = [plain(g) for g in ag.grad(numbers_of, tuple(range(len(leaves))))(*program.leaves())]
    digits = 2e-3 if program.has(NARROW) else 1e-9
    largest = max(np.max(np.abs(g), initial=0.0) for g in first)
    for way, found in ways.items():
        for a, b in zip(found, first, strict=True):
            assert np.allclose(a, b, rtol=digits, atol=digits * (1.0 + largest), equal_nan=True), f"{way}: {program}"


SMOOTH = {name: program for name, program in PROGRAMS.items() if not program.has(STOPS | NARROW)}


@pytest.mark.parametrize(
    "name", [*list(SMOOTH)[::6], *(pytest.param(name, marks=pytest.mark.whole) for name in list(SMOOTH)[3::6])]
)
def test_second_order(name):
    """check_grads to order two, on every third program in which nothing is cut off on purpose."""
    program = SMOOTH[name]
    f = lambda *xs: sum(program.numbers(Run(), list(xs)))  # noqa: E731
    followed(lambda: ag.check_grads(f, *program.leaves(), order=2), program)


def test_every_op_with_a_domain_has_its_program():
    assert {program.steps[0].name for program in PROGRAMS.values()} == set(NAMES)
    assert len(NAMES) > 200


def test_most_programs_with_writes_are_followed():
    """InPlaceError is honest, but it is not the answer to everything."""
    writing = [program for program in PROGRAMS.values() if program.has(WRITES)]
    done = sum(followed(lambda p=p: p.numbers(Run(), tensors(p)), p) is not None for p in writing)
    assert done >= 0.75 * len(writing)
