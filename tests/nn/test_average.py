"""Averaged weights: the mean of all or of the last, buffers, state, statistics, and PyTorch's numbers."""

import pickle

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, InPlaceError


def walk(model, step):
    """Move every weight and buffer somewhere else."""
    rng = np.random.default_rng(step)
    for p in model.parameters():
        p.data[...] = rng.standard_normal(p.shape)
    for b in model.buffers():
        b[...] = rng.uniform(1, 2, b.shape)


def network():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm1d(4), nn.Linear(4, 1, rng=1)).astype(np.float64)


def test_the_mean_of_all():
    model = network()
    average, seen = nn.AveragedModel(model), []
    for step in range(5):
        walk(model, step)
        average.update_parameters(model)
        seen.append(model.state_dict())
    for name, value in average.module.state_dict().items():
        plain = "running" not in name
        np.testing.assert_allclose(value, np.mean([s[name] for s in seen], axis=0) if plain else seen[-1][name])
    assert average.n_averaged == 5


def test_it_starts_as_a_copy_that_shares_nothing():
    model = network()
    model(np.ones((2, 3))).sum().backward()
    average = nn.AveragedModel(model)
    assert all(p.grad is None for p in average.parameters())
    x = np.random.default_rng(0).standard_normal((6, 3))
    np.testing.assert_array_equal(average.eval()(x).data, model.eval()(x).data)
    walk(model, 0)
    assert (average(x).data != model(x).data).any()
    assert list(average.state_dict())[:2] == ["n_averaged", "module.0.weight"]


def test_a_loaded_state_goes_on():
    model, first = network(), None
    first = nn.AveragedModel(model, nn.get_ema_avg_fn(0.5))
    for step in range(3):
        walk(model, step)
        first.update_parameters(model)
    second = nn.AveragedModel(network(), nn.get_ema_avg_fn(0.5))
    second.load_state_dict(first.state_dict())
    for average in (first, second):
        walk(model, 9)
        average.update_parameters(model)
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_copies_and_pickles():
    model = network()
    average = pickle.loads(pickle.dumps(nn.AveragedModel(model, nn.get_ema_avg_fn(0.5))))
    seen = []
    for step in range(2):
        walk(model, step)
        average.update_parameters(model)
        seen.append(model[0].weight.data.copy())
    np.testing.assert_allclose(average.module[0].weight.data, np.mean(seen, axis=0))


def test_it_follows_an_optimizer():
    model = nn.Linear(1, 1, bias=False, rng=0)
    average, optimizer = nn.AveragedModel(model), nn.optim.SGD(model.parameters(), lr=1.0)
    model.weight.data[...] = 0
    for _ in range(3):
        model.weight.grad = [[-1.0]]
        optimizer.step()
        average.update_parameters(model)
    assert (model.weight.item(), average.module.weight.item()) == (3.0, 2.0)


def test_a_graph_that_used_the_old_average_raises():
    model = nn.Linear(1, 1, bias=False, rng=0)
    average = nn.AveragedModel(model)
    y = (average.module.weight**2).sum()
    average.update_parameters(model)
    with pytest.raises(InPlaceError):
        y.backward()


def test_statistics_are_means_over_the_batches():
    model, rng = network(), np.random.default_rng(0)
    batches = [rng.standard_normal((5, 3)) * s for s in (1, 2, 3)]
    nn.update_bn([(x, None) for x in batches], model[:2])
    with ag.no_grad():
        means = [model[0](x).data.mean(axis=0) for x in batches]
        variances = [model[0](x).data.var(axis=0, ddof=1) for x in batches]
    np.testing.assert_allclose(model[1].running_mean, np.mean(means, axis=0))
    np.testing.assert_allclose(model[1].running_var, np.mean(variances, axis=0))
    assert model[1].momentum == 0.1


def test_statistics_leave_modes_as_they_were():
    model = network().eval()
    model[0].train()
    with pytest.raises(ValueError, match="the last axis must be 3"):
        nn.update_bn([np.ones((2, 4))], model)
    assert [m.training for m in model.modules()] == [False, True, False, False]
    assert model[1].momentum == 0.1


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: nn.AveragedModel(nn.Linear), "AveragedModel: model must be a Module, got type."),
        (lambda: nn.get_ema_avg_fn(1.5), "get_ema_avg_fn: decay must be between 0 and 1, got 1.5."),
        (
            lambda: nn.AveragedModel(nn.Linear(2, 1)).update_parameters(nn.Linear(3, 1, bias=False)),
            "AveragedModel.update_parameters: this is not the model that was copied; these came, went or changed their "
            "shapes: bias, weight.",
        ),
    ],
)
def test_messages(call, text):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.torch
@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("decay", [None, 0.9])
def test_pytorch_gives_the_same(use_buffers, decay):
    torch = pytest.importorskip("torch")
    utils = torch.optim.swa_utils
    ours = network()
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)).double()
    a = nn.AveragedModel(ours, decay and nn.get_ema_avg_fn(decay), use_buffers)
    b = utils.AveragedModel(theirs, avg_fn=decay and utils.get_ema_avg_fn(decay), use_buffers=use_buffers)
    for step in range(4):
        walk(ours, step)
        theirs.load_state_dict({k: torch.tensor(v) for k, v in ours.state_dict().items()}, strict=False)
        a.update_parameters(ours)
        b.update_parameters(theirs)
    batches = [np.random.default_rng(i).standard_normal((6, 3)) for i in range(3)]
    nn.update_bn(batches, a)
    utils.update_bn([torch.tensor(x) for x in batches], b)
    expected = b.state_dict()
    for name, value in a.state_dict().items():
        np.testing.assert_allclose(value, expected[name].numpy(), rtol=1e-10)
