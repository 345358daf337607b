"""The tracer: its cost grows as the steps; what it notes of transforms and plain functions."""

import time

import numpy as np
import pytest

import autograd as ag


def test_the_first_call_takes_time_in_proportion_to_the_ops():
    """Of 10,000 ops about a second; the limit is wide of that, and of what a step that looks at all others takes."""

    def f(x):
        for _ in range(5000):
            x = x * 1.0001 + 0.5
        return x

    start = time.process_time()
    ag.compile(f)(ag.Tensor(1.0, requires_grad=True)).backward()
    assert time.process_time() - start < 5


def test_what_a_plain_function_gives_may_be_none_at_times():
    """A mask where there is one to apply, and None where not: in either order, as labels of a loss are ignored."""

    @ag.opaque
    def positive(x):
        mask = np.asarray(x) > 0
        return np.asarray(x), None if mask.all() else mask

    def f(x, y):
        values, mask = positive(y)
        return ((x * values) if mask is None else np.where(mask, x * values, 0.0)).sum()

    some, every = np.array([1.0, -2.0]), np.array([1.0, 2.0])
    for order in ((some, every, some), (every, some, every)):
        compiled, x = ag.compile(f), ag.Tensor([3.0, 5.0], requires_grad=True)
        for y in order:
            assert compiled(x, y).item() == f(x, y).item()


def cube(z):
    return (z**3).sum()


@pytest.mark.parametrize(
    "transform",
    [
        ag.grad(cube), lambda x: ag.value_and_grad(cube)(x)[0] * x, lambda x: ag.jvp(cube, (x,), (x,))[1] * x,
        lambda x: ag.hvp(cube)(x, x), lambda x: ag.grad(lambda z: (z * z * x).sum())(np.ones(2)),
    ],
)  # fmt: skip
def test_no_gradient_flows_through_a_transform_where_nothing_is_recorded(transform):
    def f(x):
        with ag.no_grad():
            g = transform(x)
        return (g * x).sum()

    x = np.array([1.0, 2.0])
    compiled = ag.compile(ag.grad(f))
    for _ in range(2):
        np.testing.assert_allclose(compiled(x), ag.grad(f)(x))
    with ag.no_grad():
        assert not getattr(ag.compile(transform)(ag.Tensor(x, requires_grad=True)), "requires_grad", False)
