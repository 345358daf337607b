"""Start values: in place, seeded, with the right spread; and their messages."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, InPlaceError, ShapeError

init = nn.init
SHAPE = (40, 60)
BOUNDS = {
    "uniform_": lambda w, rng: (init.uniform_(w, -2, 2, rng=rng), 2),
    "xavier_uniform_": lambda w, rng: (init.xavier_uniform_(w, 2.0, rng=rng), 2 * (6 / 100) ** 0.5),
    "kaiming_uniform_": lambda w, rng: (init.kaiming_uniform_(w, 5**0.5, rng=rng), 1 / 60**0.5),
    "kaiming_uniform_ fan_out": lambda w, rng: (
        init.kaiming_uniform_(w, mode="fan_out", nonlinearity="relu", rng=rng),
        (6 / 40) ** 0.5,
    ),
}
SPREADS = {
    "normal_": lambda w, rng: (init.normal_(w, 0.0, 3.0, rng=rng), 3),
    "xavier_normal_": lambda w, rng: (init.xavier_normal_(w, rng=rng), (2 / 100) ** 0.5),
    "kaiming_normal_": lambda w, rng: (init.kaiming_normal_(w, nonlinearity="relu", rng=rng), (2 / 60) ** 0.5),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds(name):
    w = nn.Parameter(np.zeros(SHAPE, np.float32))
    array = w.data
    filled, bound = BOUNDS[name](w, 0)
    assert filled is w
    assert w.data is array
    assert np.abs(array).max() == pytest.approx(bound, rel=0.01)
    assert array.std() == pytest.approx(bound / 3**0.5, rel=0.05)


@pytest.mark.parametrize("name", SPREADS)
def test_spread(name):
    w, spread = SPREADS[name](ag.Tensor(np.zeros(SHAPE)), np.random.default_rng(0))
    assert w.data.std() == pytest.approx(spread, rel=0.05)


@pytest.mark.parametrize("shape", [(4, 7), (7, 4), (4, 2, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(nn.Parameter(np.zeros(shape)), 2.0, rng=0).data.reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-12)


def test_constants_and_plain_arrays():
    assert init.zeros_(nn.Parameter([1.0])).item() == 0
    assert init.ones_(nn.Parameter([0.0])).item() == 1
    assert init.constant_(np.zeros(2), 3.0).tolist() == [3, 3]


def test_same_seed_same_values():
    a, b = (init.normal_(ag.Tensor(np.zeros(5)), rng=4).data for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(init.normal_(ag.Tensor(np.zeros(5))).data, init.normal_(ag.Tensor(np.zeros(5))).data)


def test_a_graph_notices():
    w = nn.Parameter([1.0, 2.0])
    loss = (w * w).sum()
    init.ones_(w)
    with pytest.raises(InPlaceError):
        loss.backward()


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (
            lambda: init.xavier_uniform_(nn.Parameter([1.0])),
            ShapeError,
            r"xavier_uniform_: fan in and fan out need a weight of at least 2 axes",
        ),
        (lambda: init.orthogonal_(nn.Parameter([1.0])), ShapeError, "orthogonal_: fan in and fan out"),
        (
            lambda: init.kaiming_normal_(nn.Parameter([[1.0]]), mode="fan"),
            ArgumentError,
            "kaiming_normal_: mode must be 'fan_in' or 'fan_out', got 'fan'",
        ),
        (lambda: init.calculate_gain("rleu"), ArgumentError, r"unknown nonlinearity 'rleu'. Did you mean 'relu'\?"),
        (lambda: init.normal_(np.zeros(3, int)), ArgumentError, "fills floating-point Tensors, got dtype int64"),
    ],
)
def test_messages(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
