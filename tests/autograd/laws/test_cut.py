"""What a mask cut off stays cut off, and nothing else does: in first and second order, by every way to the gradient."""

import warnings

import numpy as np
import pytest

import autograd as ag
import nn
from tests.autograd.laws.cut_products import PRODUCTS
from tests.autograd.laws.cut_rows import ROWS
from tests.autograd.laws.oracle import (
    THREE_WAYS,
    close,
    differences,
    fresh,
    hold,
    hold_all,
    plain,
    second_order,
    weigh,
)

PROGRAMS = {**PRODUCTS, **ROWS}
every = pytest.mark.parametrize("row", PROGRAMS.values(), ids=PROGRAMS)


def test_the_table_is_long_and_no_name_stands_twice():
    assert len(PROGRAMS) == len(PRODUCTS) + len(ROWS) >= 300


@every
def test_first_order(row):
    """By backward, backward with create_graph, and jvp: a tangent is never cut off wrongly either."""
    hold_all(row, THREE_WAYS, row.gradient())


@every
def test_a_compiled_gradient(row):
    """A program cuts off by products, and leaves what is nan to the function; so does one that vmap runs."""
    compiled = ag.compile(ag.grad(lambda x: weigh(row.program(x))))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".* runs uncompiled: .* reads numbers")
        hold(row, lambda f, x: compiled(fresh(x)), row.gradient())
        hold(row, lambda f, x: compiled(fresh(x)), row.gradient())  # by the program, if there is one


@every
def test_second_order(row):
    if not np.all(np.isfinite(row.gradient())):
        pytest.skip("has no first derivative")
    hold(row, second_order, row.second(), rtol=1e-4)


@pytest.mark.parametrize(
    "name", [name for name, row in PROGRAMS.items() if row.right is not None and np.all(np.isfinite(row.right))]
)
def test_right_values_are_those_of_numpy(name):
    row = PROGRAMS[name]
    assert np.all(close(row.right, differences(row.program, row.at, off=row.off)))


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("behind", [np.sqrt, np.cbrt, lambda y: y**0.5], ids=["sqrt", "cbrt", "power"])
@pytest.mark.parametrize(
    "model",
    [
        lambda: nn.Layer(1, 1, "relu", rng=0),
        lambda: nn.Sequential(nn.Linear(1, 1, rng=0), nn.ReLU()),
        lambda: nn.MLP(1, [1], "relu", "relu", rng=0),
    ],
    ids=["Layer", "Sequential", "MLP"],
)
def test_a_relu_in_a_layer_is_the_same_mask(model, behind, create_graph):
    """A layer that is off passes nothing back: 0 both with create_graph and without, for weights and input."""
    model = model()
    for name, p in model.named_parameters():
        p.data = np.full(p.shape, -1.0 if name.endswith("weight") else 0.0, np.float32)
    x = ag.Tensor([[1.0]], requires_grad=True, dtype=np.float32)
    with np.errstate(all="ignore"):
        behind(model(x)).sum().backward(create_graph=create_graph)
    for leaf in (x, *model.parameters()):
        np.testing.assert_array_equal(plain(leaf.grad), np.zeros(leaf.shape))
        leaf.grad = None


def test_a_mask_costs_a_float32_graph_no_dtype():
    x = ag.Tensor(np.array([1000.0, 0.5], np.float32), requires_grad=True)
    with np.errstate(all="ignore"):
        np.where(x < 50, np.log1p(np.exp(x)), x).sum().backward()
    assert x.grad.dtype == np.float32
    np.testing.assert_allclose(x.grad.data, [1.0, 1 / (1 + np.exp(-0.5))], rtol=1e-6)
