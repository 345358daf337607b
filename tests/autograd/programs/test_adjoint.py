"""The adjoint of a program is differentiated again, and holds masks against infinite slopes."""

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import TraceError
from tests.autograd.programs.functions import VECTORS


def test_second_order_of_the_result():
    compiled, x = ag.compile(lambda x: (np.tanh(x) ** 3).sum()), ag.Tensor(VECTORS[0][0], requires_grad=True)
    for function in (compiled, compiled):
        found = []
        for each in (function, lambda x: (np.tanh(x) ** 3).sum()):
            x.grad = None
            each(x).backward(create_graph=True)
            slope, x.grad = x.grad, None
            (slope * slope).sum().backward()
            found.append(x.grad.numpy())
        np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_mask_holds_against_infinite_slopes():
    compiled = ag.compile(lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum())
    for _ in range(2):
        x = ag.Tensor([0.0, 1.0], requires_grad=True)
        compiled(x).backward()
        assert x.grad.tolist() == [0.0, 0.5]


def pulled(f):
    return lambda x: ag.vjp(f, x)[1](1.0)


def prod_where(x):
    return np.prod(np.sqrt(x), where=x > 0)


BEHIND = {  # a nan or an infinite slope behind a mask: its gradient is 0, however it is computed
    "where": lambda x: np.where(x > 0, np.sqrt(x), 0.0).sum(),
    "relu": lambda x: ag.relu(np.sqrt(x) - 1.5).sum(),
    "minimum": lambda x: np.minimum(np.sqrt(x), -1.0).sum(),
    "nanmean": lambda x: np.nanmean(x * np.array([1.0, np.nan, 1.0])),
    "nanprod": lambda x: np.nanprod(x * np.array([1.0, np.nan, 1.0])),
    "prod, where=": prod_where,
    "an index": lambda x: np.sqrt(x)[1:].sum(),
}
X0 = np.array([0.0, 1.0, 4.0])


@pytest.mark.parametrize("name", BEHIND)
def test_a_mask_holds_in_a_gradient_that_is_compiled(name):
    f = BEHIND[name]
    with np.errstate(all="ignore"):
        right = ag.grad(f)(X0)
        assert np.isfinite(right).all()
        for way in (ag.grad(f), ag.grad(ag.compile(f)), pulled(f)):
            compiled = ag.compile(way)
            for k in (1, 2):
                np.testing.assert_array_equal(compiled(X0), right, err_msg=f"call {k}")
        np.testing.assert_allclose(ag.compile(ag.grad(f))(X0 + 1), ag.grad(f)(X0 + 1), rtol=1e-14)


def test_a_function_that_keeps_something_is_not_run_twice_for_a_nan():
    kept = []

    def f(x):
        kept.append(np.sin(x))
        return ag.grad(BEHIND["where"])(x)

    with (
        np.errstate(all="ignore"),
        pytest.raises(TraceError, match=r"where a mask cuts off\. It changes kept"),
    ):
        ag.compile(f)(X0)


def test_draws_and_statistics_are_those_of_the_function_where_a_nan_makes_it_run():
    """The program has drawn and counted when the nan comes out: both are put back first."""

    def made(wrap):
        model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Dropout(0.5, rng=1)).astype("float64")

        def loss(parameters, x):
            norms = np.sqrt((nn.functional_call(model, parameters, x) ** 2).sum(axis=-1) * np.arange(5.0))
            return np.where(np.arange(5) > 0, norms, 0.0).sum()

        return wrap(ag.grad(loss)), model

    (plain, model), (compiled, twin) = made(lambda f: f), made(ag.compile)
    parameters = {name: p.numpy() for name, p in model.named_parameters()}
    for k in range(3):
        x = np.random.default_rng(k).normal(size=(5, 3))
        with np.errstate(all="ignore"):
            right, found = plain(parameters, x), compiled(parameters, x)
        for name, g in right.items():
            np.testing.assert_allclose(found[name], g, rtol=1e-10, err_msg=name)
        np.testing.assert_array_equal(twin[1].running_mean, model[1].running_mean)
