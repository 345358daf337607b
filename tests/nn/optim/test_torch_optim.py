"""Twenty steps of each optimizer, and the rates of each schedule, against PyTorch."""

import numpy as np
import pytest

import autograd as ag
import nn

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
optim, tlr = nn.optim, torch.optim.lr_scheduler

CASES = [
    ("SGD", dict(lr=0.1)),
    ("SGD", dict(lr=0.1, momentum=0.9, weight_decay=0.01)),
    ("SGD", dict(lr=0.1, momentum=0.9, dampening=0.3)),
    ("SGD", dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)),
    ("Adam", dict(lr=0.01)),
    ("Adam", dict(lr=0.01, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1)),
    ("AdamW", dict(lr=0.01)),
    ("AdamW", dict(lr=0.05, weight_decay=0.3)),
    ("Adam", dict(lr=0.05, amsgrad=True, weight_decay=0.1)),
    ("AdamW", dict(lr=0.05, amsgrad=True)),
    ("NAdam", {}),
    ("NAdam", dict(lr=0.05, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1, momentum_decay=0.1)),
    ("NAdam", dict(lr=0.05, weight_decay=0.3, decoupled_weight_decay=True)),
    ("RAdam", {}),
    ("RAdam", dict(lr=0.05, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1)),
    ("RAdam", dict(lr=0.05, betas=(0.9, 0.8), weight_decay=0.3, decoupled_weight_decay=True)),
    ("RMSprop", {}),
    ("RMSprop", dict(lr=0.02, alpha=0.9, weight_decay=0.1)),
    ("RMSprop", dict(momentum=0.9, centered=True)),
    ("RMSprop", dict(centered=True, eps=1e-3)),
    ("Adagrad", {}),
    ("Adagrad", dict(lr=0.1, lr_decay=0.1, weight_decay=0.1, initial_accumulator_value=0.2)),
]
SHAPES = [(3, 4), (4,), (), (200, 100), (130, 130), (5,)]
cases = pytest.mark.parametrize(("name", "options"), CASES, ids=lambda x: x if isinstance(x, str) else ",".join(x))


def make(name, options, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    start = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
    ours = [nn.Parameter(np.array(s)) for s in start]
    theirs = [torch.nn.Parameter(torch.tensor(s)) for s in start]
    return ours, theirs, getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)


def give_gradients(ours, theirs, step, skip=()):
    rng = np.random.default_rng(100 + step)
    for i, (p, q) in enumerate(zip(ours, theirs, strict=True)):
        g = np.asarray(rng.normal(size=p.shape), p.dtype)
        p.grad, q.grad = (None, None) if i in skip else (ag.Tensor(g), torch.tensor(g))


def assert_close(ours, theirs, rtol):
    for p, q in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=rtol, atol=rtol)


@cases
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["f8", "f4"])
def test_twenty_steps(name, options, dtype):
    ours, theirs, a, b = make(name, options, dtype)
    for step in range(20):
        give_gradients(ours, theirs, step)
        a.step()
        b.step()
    assert_close(ours, theirs, 1e-9 if dtype == np.float64 else 2e-5)


@cases
def test_parameters_without_gradient_are_skipped(name, options):
    """Their state does not advance either: each parameter counts its own steps."""
    ours, theirs, a, b = make(name, options)
    for step in range(20):
        give_gradients(ours, theirs, step, skip=[{0}, {0, 1, 3}, set(), {2, 4}][step % 4])
        a.step()
        b.step()
        assert_close(ours, theirs, 1e-9)


@cases
def test_state_of_pytorch_loads(name, options):
    ours, theirs, a, b = make(name, options)
    for step in range(3):
        give_gradients(ours, theirs, step, skip={1} if step == 0 else ())
        b.step()
    for p, q in zip(ours, theirs, strict=True):
        p.data = q.detach().numpy()
    a.load_state_dict(b.state_dict())
    for step in range(3, 8):
        give_gradients(ours, theirs, step)
        a.step()
        b.step()
    assert_close(ours, theirs, 1e-9)


def test_groups_decay_clipping_and_schedule_compose():
    ours, theirs, _, _ = make("SGD", {})
    a = optim.AdamW([{"params": ours[:2], "lr": 0.1}, {"params": ours[2:], "weight_decay": 0.0}], lr=0.01)
    b = torch.optim.AdamW([{"params": theirs[:2], "lr": 0.1}, {"params": theirs[2:], "weight_decay": 0.0}], lr=0.01)
    sa, sb = optim.CosineAnnealingLR(a, 20, 1e-3), tlr.CosineAnnealingLR(b, 20, 1e-3)
    for step in range(20):
        give_gradients(ours, theirs, step)
        norm = optim.clip_grad_norm(ours, 1.0)
        assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, 1.0)))
        for optimizer in (a, b):
            optimizer.step()
        for schedule in (sa, sb):
            schedule.step()
    assert_close(ours, theirs, 1e-7)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clip_grad_norm(norm_type, max_norm):
    ours, theirs, _, _ = make("SGD", {})
    give_gradients(ours, theirs, 0, skip={1})
    norm = optim.clip_grad_norm(iter(ours), max_norm, norm_type)
    assert norm == pytest.approx(float(torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)))
    for p, q in zip(ours, theirs, strict=True):
        if p.grad is not None:
            np.testing.assert_allclose(p.grad.data, q.grad.numpy(), rtol=1e-9)


def test_clip_grad_value():
    ours, theirs, _, _ = make("SGD", {})
    give_gradients(ours, theirs, 0, skip={1})
    optim.clip_grad_value(iter(ours), 0.3)
    torch.nn.utils.clip_grad_value_(theirs, 0.3)
    for p, q in zip(ours, theirs, strict=True):
        assert (p.grad is None) == (q.grad is None)
        if p.grad is not None:
            np.testing.assert_array_equal(p.grad.data, q.grad.numpy())


SCHEDULES = {
    "StepLR": (lambda o: optim.StepLR(o, 3, 0.5), lambda o: tlr.StepLR(o, 3, 0.5)),
    "ExponentialLR": (lambda o: optim.ExponentialLR(o, 0.8), lambda o: tlr.ExponentialLR(o, 0.8)),
    "CosineAnnealingLR": (lambda o: optim.CosineAnnealingLR(o, 8, 0.01), lambda o: tlr.CosineAnnealingLR(o, 8, 0.01)),
    "MultiStepLR": (lambda o: optim.MultiStepLR(o, [5, 2, 9, 9], 0.5), lambda o: tlr.MultiStepLR(o, [2, 5, 9, 9], 0.5)),
    "LambdaLR": (lambda o: optim.LambdaLR(o, lambda t: 0.9**t), lambda o: tlr.LambdaLR(o, lambda t: 0.9**t)),
    "CosineAnnealingWarmRestarts": (
        lambda o: optim.CosineAnnealingWarmRestarts(o, 2, 2, 0.01),
        lambda o: tlr.CosineAnnealingWarmRestarts(o, 2, 2, 0.01),
    ),
    "CosineAnnealingWarmRestarts, equal": (
        lambda o: optim.CosineAnnealingWarmRestarts(o, 3),
        lambda o: tlr.CosineAnnealingWarmRestarts(o, 3),
    ),
    "LinearWarmup": (lambda o: optim.LinearWarmup(o, 5, 0.1), lambda o: tlr.LinearLR(o, 0.1, 1.0, 5)),
    "SequentialLR": (
        lambda o: optim.SequentialLR(o, [optim.LinearWarmup(o, 4, 0.25), optim.ExponentialLR(o, 0.9)], [4]),
        lambda o: tlr.SequentialLR(o, [tlr.LinearLR(o, 0.25, 1.0, 4), tlr.ExponentialLR(o, 0.9)], [4]),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule(name):
    (p,), (q,) = [nn.Parameter([1.0])], [torch.nn.Parameter(torch.tensor([1.0]))]
    a, b = optim.SGD([{"params": [p], "lr": 0.3}], lr=0.1), torch.optim.SGD([{"params": [q], "lr": 0.3}], lr=0.1)
    ours, theirs = SCHEDULES[name][0](a), SCHEDULES[name][1](b)
    for _ in range(14):
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr(), rel=1e-12)
        b.step()
        ours.step()
        theirs.step()


PLAIN = [name for name in SCHEDULES if not name.startswith(("SequentialLR", "LambdaLR", "CosineAnnealingWarm"))]


@pytest.mark.parametrize("first", PLAIN)
@pytest.mark.parametrize("second", PLAIN)
def test_two_schedules_and_a_change_by_hand(first, second):
    """Each goes on from the rate that it finds (PyTorch's cosine does after T_max, too, but by another rule).

    Its LambdaLR and warm restarts overwrite what they find; they are not here.
    """
    a, b = optim.SGD([nn.Parameter([1.0])], lr=0.3), torch.optim.SGD([torch.nn.Parameter(torch.tensor([1.0]))], lr=0.3)
    ours, theirs = [SCHEDULES[n][0](a) for n in (first, second)], [SCHEDULES[n][1](b) for n in (first, second)]
    a.lr = b.param_groups[0]["lr"] = 0.2
    for t in range(7):
        b.step()
        for schedule in (*ours, *theirs):
            schedule.step()
        if t == 4:
            a.lr = b.param_groups[0]["lr"] = 0.07
        assert a.lr == pytest.approx(b.param_groups[0]["lr"], rel=1e-9)


ONE_CYCLES = [
    {},
    {"max_lr": [0.5, 0.1], "anneal_strategy": "linear"},
    {"three_phase": True, "pct_start": 0.4},
    {"cycle_momentum": False, "div_factor": 5.0, "final_div_factor": 10.0},
    {"base_momentum": 0.5, "max_momentum": 0.7, "pct_start": 0.0},
    {"total_steps": None, "epochs": 3, "steps_per_epoch": 5},
]


@pytest.mark.parametrize("options", ONE_CYCLES, ids=str)
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_one_cycle(kind, options):
    """Rates and momentum, to the last step of the cycle."""
    options = {"max_lr": 0.5, "total_steps": 15, **options}
    ps, qs = [nn.Parameter([1.0]) for _ in range(2)], [torch.nn.Parameter(torch.tensor([1.0])) for _ in range(2)]
    a, b = (getattr(o, kind)([{"params": [p]} for p in group], lr=0.3) for o, group in ((optim, ps), (torch.optim, qs)))
    ours, theirs = optim.OneCycleLR(a, **options), tlr.OneCycleLR(b, **options)
    for t in range(15):
        for group, other in zip(a.param_groups, b.param_groups, strict=True):
            assert group["lr"] == pytest.approx(other["lr"], rel=1e-9)
            momenta = [g["momentum"] if kind == "SGD" else g["betas"][0] for g in (group, other)]
            assert momenta[0] == pytest.approx(momenta[1], rel=1e-9)
        if t < 14:
            b.step()
            ours.step()
            theirs.step()


def test_lambdas_by_group():
    lambdas = [lambda t: 0.5**t, lambda t: 1 / (1 + t)]
    ps, qs = [nn.Parameter([1.0]) for _ in range(2)], [torch.nn.Parameter(torch.tensor([1.0])) for _ in range(2)]
    a = optim.SGD([{"params": [p], "lr": i + 1.0} for i, p in enumerate(ps)])
    b = torch.optim.SGD([{"params": [p], "lr": i + 1.0} for i, p in enumerate(qs)])
    ours, theirs = optim.LambdaLR(a, lambdas), tlr.LambdaLR(b, lambdas)
    for _ in range(5):
        assert ours.get_last_lr() == pytest.approx(theirs.get_last_lr())
        b.step()
        ours.step()
        theirs.step()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mode": "max"},
        {"threshold_mode": "abs", "threshold": 0.1},
        {"cooldown": 2},
        {"min_lr": 0.02},
        {"mode": "max", "threshold_mode": "abs"},
        {"patience": 0, "factor": 0.9},
    ],
    ids=str,
)
def test_reduce_on_plateau(options):
    options = {"patience": 2, "factor": 0.5, **options}
    a, b = optim.SGD([nn.Parameter([1.0])], lr=0.1), torch.optim.SGD([torch.nn.Parameter(torch.tensor([1.0]))], lr=0.1)
    ours, theirs = optim.ReduceLROnPlateau(a, **options), tlr.ReduceLROnPlateau(b, **options)
    for value in np.random.default_rng(0).normal(size=60) + np.linspace(3, 0, 60):
        ours.step(value)
        theirs.step(value)
        assert a.lr == pytest.approx(b.param_groups[0]["lr"])


PAIRS = {  # two schedules side by side, made in this order
    "warmup, decay": (
        lambda o, m: m.LinearWarmup(o, 4, 0.25) if m is optim else m.LinearLR(o, 0.25, 1.0, 4),
        lambda o, m: m.ExponentialLR(o, 0.8),
    ),
    "decay, warmup": (
        lambda o, m: m.ExponentialLR(o, 0.8),
        lambda o, m: m.LinearWarmup(o, 4, 0.25) if m is optim else m.LinearLR(o, 0.25, 1.0, 4),
    ),
    "two decays": (lambda o, m: m.StepLR(o, 2, 0.5), lambda o, m: m.MultiStepLR(o, [1, 3], 0.9)),
    "step, cosine": (lambda o, m: m.StepLR(o, 3, 0.5), lambda o, m: m.CosineAnnealingLR(o, 10)),
}


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("second_every", [1, 3])
def test_schedules_side_by_side(name, second_every):
    """Both multiply, from the first step on: making the second one does not undo the first."""
    rates = []
    for module, parameter, kind in (
        (optim, nn.Parameter(1.0), optim.SGD),
        (tlr, torch.nn.Parameter(torch.tensor(1.0)), torch.optim.SGD),
    ):
        optimizer = kind([parameter], lr=0.4)
        one, two = (make_one(optimizer, module) for make_one in PAIRS[name])
        seen = []
        for step in range(1, 9):
            seen.append(optimizer.param_groups[0]["lr"])
            one.step()
            if step % second_every == 0:
                two.step()
        rates.append(seen)
    np.testing.assert_allclose(*rates, rtol=1e-12)
