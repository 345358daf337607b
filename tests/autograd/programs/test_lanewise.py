"""Steps of one example, run on all: what has no rule for lanes runs one after the other, each with its own draws."""

import numpy as np
import pytest

import autograd as ag
import nn


def _rows_doubled(x):
    y = x * 1
    for row in y:
        row *= 2
    return (y**2).sum()


def _row_added(x):
    y = x * 1
    y[0] += x[1]
    return (y**2).sum()


def _turned_and_written(x):
    y = x * 1
    turned = y.T
    turned[0] = 0
    turned += 1
    return (y**3).sum()


def _written_at_a_mask(x):
    y = x * 1
    y[y > 6.5] = 1
    return (y**3).sum()


def _elsewhere(x):
    def change(z):
        z += 1
        z[0] = 5

    y = x + 1
    change(y)
    other = y
    other *= 2
    return (y * x).sum()


def _hooked(x):
    y = x**2
    if isinstance(y, ag.Tensor):
        y.register_hook(lambda g: 2 * g)
    return (y * x).sum()


EACH = {
    "a view written into": _row_added,
    "rows in a loop": _rows_doubled,
    "a view of a view": _turned_and_written,
    "a mask": _written_at_a_mask,
    "another name": _elsewhere,
    "a hook": _hooked,
    "a fold": lambda x: (np.logaddexp.reduce(x, axis=1) ** 2).sum(),
    "a running fold": lambda x: (np.hypot.accumulate(x, axis=1) * x).sum() + np.maximum.accumulate(x[1])[2] ** 2,
    "a fold of segments": lambda x: (np.multiply.reduceat(x[0], [0, 2]) ** 2).sum(),
    "max": lambda x: np.max(x) * np.min(x),
    "largest of rows": lambda x: (x.max(axis=1) ** 3).sum(),
    "a norm": lambda x: np.linalg.norm(x, 2) + np.ptp(x) ** 2,
    "a histogram": lambda x: (np.histogram([0.1, 0.2, 0.9], 2, weights=x[0])[0] ** 3).sum(),
}


@pytest.mark.parametrize("name", EACH)
def test_what_is_followed_in_one_example_only(name):
    """In-place writes mean what they mean in NumPy, for each example; what looks at numbers is right to order two."""
    f, xs = EACH[name], np.arange(12.0).reshape(2, 2, 3) + 1.2
    for g in (f, ag.grad(f), ag.hessian(f)):
        np.testing.assert_allclose(ag.vmap(g)(xs), np.stack([g(x) for x in xs]), rtol=1e-9, atol=1e-9)
    inside = ag.grad(lambda xs: (ag.vmap(f)(xs) * np.array([1.0, 2.0])).sum())(xs)
    np.testing.assert_allclose(inside, np.stack([(k + 1) * ag.grad(f)(x) for k, x in enumerate(xs)]), rtol=1e-9)


def test_a_mask_cuts_off_a_tangent_of_each_example():
    def f(x):
        return np.sqrt(np.where(x > 0, x, 0)).sum()

    xs, ones = np.array([[4.0, -1.0], [0.0, 1.0]]), np.ones(2)
    along = ag.vmap(lambda x: ag.jvp(f, (x,), (ones,))[1])
    np.testing.assert_allclose(along(xs), [0.25, 0.5])
    rows = (
        (along, xs, [0.25, 0.5]),
        (lambda x: ag.jvp(f, (x,), (ones,))[1], xs[0], 0.25),
        (ag.vmap(ag.grad(f)), xs, [[0.25, 0], [0, 0.5]]),
    )
    for g, x, right in rows:
        compiled = ag.compile(g)
        with np.errstate(all="ignore"):
            for _ in range(2):
                np.testing.assert_allclose(compiled(x), right)


def test_a_generator_draws_once_where_the_examples_run_apart():
    rng, other = np.random.default_rng(3), np.random.default_rng(3)

    @ag.opaque
    def noise(rng):
        return rng.normal()

    def f(x):
        y = x * noise(rng)
        y[0] += 1
        return y

    xs = np.ones((2, 2, 3))
    expected = np.stack([np.ones((2, 3)) * other.normal() + np.array([[1.0], [0.0]]) for _ in xs])
    np.testing.assert_array_equal(ag.vmap(f)(xs), expected)


def test_each_example_draws_its_own():
    rng = np.random.default_rng(0)
    drop = ag.vmap(lambda x: nn.functional.dropout(x, 0.5, rng=rng))(np.ones((200, 10), np.float32))
    assert len({tuple(row) for row in drop.tolist()}) > 150
    assert 0.4 < (drop == 0).mean() < 0.6
    again = ag.vmap(lambda x: nn.functional.dropout(x, 0.5, rng=rng))(np.ones((200, 10), np.float32))
    assert (drop != again).any()
    first = np.random.default_rng(0)
    same = ag.vmap(lambda x: nn.functional.dropout(x, 0.5, rng=first))(np.ones((200, 10), np.float32))
    np.testing.assert_array_equal(drop, same)
