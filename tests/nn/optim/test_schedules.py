"""Schedules without PyTorch: known rates, resuming, composition, messages."""

import json

import pytest

import nn
from autograd.errors import ArgumentError

optim = nn.optim


def sgd(lr=1.0):
    return optim.SGD([nn.Parameter([1.0])], lr=lr)


def rates(schedule, steps):
    """List the rates before each step."""
    out = []
    for _ in range(steps):
        out.append(round(schedule.get_last_lr()[0], 6))
        schedule.step()
    return out


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: optim.StepLR(o, 2, 0.5), [1, 1, 0.5, 0.5, 0.25]),
        (lambda o: optim.ExponentialLR(o, 0.5), [1, 0.5, 0.25, 0.125, 0.0625]),
        (lambda o: optim.CosineAnnealingLR(o, 4, 0.2), [1, 0.882843, 0.6, 0.317157, 0.2]),
        (lambda o: optim.LinearWarmup(o, 4), [0, 0.25, 0.5, 0.75, 1.0]),
        (
            lambda o: optim.SequentialLR(o, [optim.LinearWarmup(o, 2), optim.StepLR(o, 1, 0.5)], [2]),
            [0, 0.5, 1, 0.5, 0.25],
        ),
        (lambda o: optim.MultiStepLR(o, [3, 1], 0.5), [1, 0.5, 0.5, 0.25, 0.25]),
        (lambda o: optim.LambdaLR(o, lambda t: 1 + t), [1, 2, 3, 4, 5]),
        (lambda o: optim.LambdaLR(o, [lambda t: 0.5**t]), [1, 0.5, 0.25, 0.125, 0.0625]),
        (lambda o: optim.CosineAnnealingWarmRestarts(o, 2, 2, 0.2), [1, 0.6, 1, 0.882843, 0.6]),
        (
            lambda o: optim.OneCycleLR(o, 8.0, 5, pct_start=0.6, anneal_strategy="linear", div_factor=8),
            [1, 4.5, 8, 4.00005, 0.0001],
        ),
        (
            lambda o: optim.SequentialLR(o, [optim.LinearWarmup(o, 2), optim.LambdaLR(o, lambda t: 0.5**t)], [2]),
            [0, 0.5, 1, 0.5, 0.25],
        ),
    ],
)
def test_rates(make, expected):
    assert rates(make(sgd()), 5) == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda o: optim.StepLR(o, 2, 0.5),
        lambda o: optim.CosineAnnealingLR(o, 7),
        lambda o: optim.MultiStepLR(o, [2, 6]),
        lambda o: optim.LambdaLR(o, lambda t: 1 / (1 + t)),
        lambda o: optim.CosineAnnealingWarmRestarts(o, 3, 2),
        lambda o: optim.OneCycleLR(o, 3.0, 12),
        lambda o: optim.SequentialLR(o, [optim.LinearWarmup(o, 3), optim.ExponentialLR(o, 0.9)], [3]),
    ],
)
def test_a_loaded_state_continues_exactly(make):
    first, second = make(sgd()), make(sgd())
    rates(first, 5)
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    assert rates(first, 5) == rates(second, 5)


def test_plateau():
    optimizer = sgd()
    schedule = optim.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)
    seen = []
    for loss in (3, 2, 2, 2, 2, 2, 1):
        schedule.step(loss)
        seen.append(optimizer.lr)
    assert seen == [1, 1, 1, 0.5, 0.5, 0.25, 0.25]
    other = optim.ReduceLROnPlateau(sgd(), patience=1, factor=0.5)
    other.load_state_dict(schedule.state_dict())
    assert other.optimizer.lr == 0.25
    assert other.best == 1


def test_a_schedule_may_be_made_after_the_state_of_its_optimizer_was_loaded():
    optimizer = sgd(0.4)
    schedule = optim.LinearWarmup(optimizer, 4)
    schedule.step()
    fresh = sgd(0.7)
    fresh.load_state_dict(optimizer.state_dict())
    assert fresh.lr == pytest.approx(0.1)
    other = optim.LinearWarmup(fresh, 4)
    other.load_state_dict(schedule.state_dict())
    assert rates(other, 4) == rates(schedule, 4) == [0.1, 0.2, 0.3, 0.4]


def test_a_new_schedule_starts_from_the_rate_that_is_there():
    optimizer = sgd(1.0)
    rates(optim.ExponentialLR(optimizer, 0.5), 3)
    assert rates(optim.ExponentialLR(optimizer, 0.1), 3) == [0.125, 0.0125, 0.00125]
    optimizer.lr = 4.0
    assert rates(optim.StepLR(optimizer, 1, 0.5), 3) == [4.0, 2.0, 1.0]


def test_a_group_that_is_added_follows_from_its_own_rate():
    optimizer = sgd(1.0)
    schedule = optim.ExponentialLR(optimizer, 0.5)
    schedule.step()
    optimizer.add_param_group({"params": [nn.Parameter([1.0])], "lr": 0.2})
    schedule.step()
    assert schedule.get_last_lr() == [0.25, 0.1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optim.StepLR(sgd(), 0), "StepLR: step_size must be at least 1, got 0"),
        (lambda: optim.StepLR(3, 1), "StepLR needs an optimizer, got int"),
        (lambda: optim.CosineAnnealingLR(sgd(), 0), "CosineAnnealingLR: T_max must be at least 1, got 0"),
        (
            lambda: optim.MultiStepLR(sgd(), [-1]),
            r"MultiStepLR: milestones are numbers of steps, got \[-1\]",
        ),
        (lambda: optim.LambdaLR(sgd(), 0.5), "LambdaLR: lr_lambda must be a function, or 1 of them, one per group"),
        (
            lambda: optim.LambdaLR(sgd(), [abs, abs]),
            "LambdaLR: lr_lambda must be a function, or 1 of them, one per group",
        ),
        (
            lambda: optim.CosineAnnealingWarmRestarts(sgd(), 0),
            "CosineAnnealingWarmRestarts: T_0 and T_mult must be at least 1, got 0 and 1",
        ),
        (lambda: optim.OneCycleLR(sgd(), 1.0), "OneCycleLR: pass total_steps, or epochs and steps_per_epoch"),
        (
            lambda: optim.OneCycleLR(sgd(), 1.0, 5, anneal_strategy="exp"),
            "anneal_strategy must be 'cos' or 'linear' and pct_start between 0 and 1, got 'exp' and 0.3",
        ),
        (
            lambda: optim.OneCycleLR(sgd(), [1.0, 2.0], 5),
            "OneCycleLR: max_lr must be one number, or 1 of them, one per group",
        ),
        (
            lambda: optim.OneCycleLR(optim.Adagrad([nn.Parameter([1.0])]), 1.0, 5),
            "OneCycleLR: Adagrad has no momentum to cycle; pass cycle_momentum=False",
        ),
        (
            lambda: rates(optim.OneCycleLR(sgd(), 1.0, 3), 4),
            "OneCycleLR.step: the cycle of 3 steps is over. Make it as long as the training: one step per batch",
        ),
        (lambda: optim.LinearWarmup(sgd(), 0), "LinearWarmup: steps must be at least 1"),
        (lambda: optim.LinearWarmup(sgd(), 2, 1.5), "start_factor between 0 and 1, got 2 and 1.5"),
        (
            lambda: optim.SequentialLR(o := sgd(), [optim.StepLR(o, 1)], [3]),
            r"SequentialLR: 1 schedules need 0 rising milestones, got \[3\]",
        ),
        (lambda: optim.SequentialLR(sgd(), [optim.StepLR(sgd(), 1)], []), "must be made for the same optimizer"),
        (
            lambda: optim.ReduceLROnPlateau(sgd(), "low"),
            "mode must be 'min' or 'max' and threshold_mode 'rel' or 'abs', got 'low' and 'rel'",
        ),
        (lambda: optim.ReduceLROnPlateau(sgd(), factor=1.0), r"factor must be between 0 and 1 \(excluded\), got 1.0"),
        (lambda: optim.ReduceLROnPlateau(sgd()).step(), r"needs the watched value: schedule.step\(val_loss\)"),
        (
            lambda: optim.StepLR(sgd(), 1).load_state_dict({"x": 1}),
            "StepLR.load_state_dict: expected base_lrs, gamma, last_step, rates, step_size, got x",
        ),
        (
            lambda: optim.StepLR(sgd(), 1).load_state_dict(
                {"base_lrs": [1, 2], "gamma": 1, "last_step": 0, "rates": [1, 2], "step_size": 1}
            ),
            "the state has 2 groups, the optimizer 1",
        ),
    ],
)
def test_messages(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
