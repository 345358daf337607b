"""A compiled step of training: what it does to gradients and parameters is what the same lines do uncompiled."""

import warnings

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, GraphError, TraceError

X, Y = np.linspace(-1.0, 1.0, 24).reshape(8, 3), np.linspace(0.0, 1.0, 8).reshape(8, 1)


class Setting:
    """Hold a model and what trains it."""

    def __init__(self, optimizer=nn.optim.Adam):
        self.model = nn.Sequential(nn.Linear(3, 5, rng=0), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 1, rng=1))
        self.criterion, self.optimizer = nn.MSELoss(), optimizer(self.model.parameters(), lr=0.1)
        self.schedule = nn.optim.ExponentialLR(self.optimizer, 0.5)
        self.average = ag.Tensor(np.zeros((5, 3), "f4"))
        self.seen = []

    def state(self):
        parts = [p.data for p in self.model.parameters()] + list(self.model.state_dict().values())
        parts += [p.grad.data for p in self.model.parameters() if p.grad is not None]
        parts += [x for each in self.optimizer.state_dict()["state"].values() for x in each.values()]
        return [np.array(x) for x in (*parts, self.optimizer.lr, self.average.data)]


def plain(s):
    def step(x, y):
        s.optimizer.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        s.optimizer.step()
        return loss

    return step


def late_zero(s):
    def step(x, y):
        out = s.model(x)
        loss = s.criterion(out, y)
        loss.backward()
        s.optimizer.step()
        s.model.zero_grad()
        return {"loss": loss, "error": np.abs(out - y).mean()}

    return step


def accumulated(s):
    def step(x, y):
        loss = s.criterion(s.model(x), y)
        loss.backward()
        return loss

    return step


def clipped(s):
    def step(x, y):
        s.optimizer.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        norm = nn.optim.clip_grad_norm(s.model.parameters(), 0.1)
        s.optimizer.step()
        s.schedule.step()
        return loss, norm

    return step


def normed(s):
    def step(x, y):
        s.optimizer.zero_grad()
        s.criterion(s.model(x), y).backward()
        norm = nn.optim.clip_grad_norm(s.model.parameters(), 0.1)
        s.optimizer.step()
        return norm

    return step


def averaged(s):
    @ag.effect
    def follow():
        s.average.data[...] = 0.5 * s.average.data + 0.5 * s.model[0].weight.data

    def step(x, y):
        for p in s.model.parameters():
            p.grad = None
        loss = s.criterion(s.model(x), y)
        loss.backward()
        s.optimizer.step()
        follow()
        return loss

    return step


def slower(s):
    def step(x, y):
        s.optimizer.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        s.optimizer.step()
        s.optimizer.lr = 0.01
        return loss

    return step


def weighted(s):
    def step(x, y):
        s.optimizer.zero_grad()
        loss = s.criterion(s.model(x), y) * s.optimizer.param_groups[0]["lr"]
        loss.backward()
        s.optimizer.step()
        return loss

    return step


STEPS = [plain, late_zero, accumulated, clipped, normed, averaged, slower, weighted]


def one_run(make, optimizer, wrap, between=lambda s, i: None):
    s = Setting(optimizer)
    step, found = wrap(make(s)), []
    for i in range(5):
        result = step(X * (i + 1), Y)
        found.append([np.array(x.data if isinstance(x, ag.Tensor) else x) for x in ag.tree.flatten(result)[0]])
        found.append(s.state())
        between(s, i)
    return found, step


def assert_same(a, b):
    for left, right in zip(a, b, strict=True):
        for x, y in zip(left, right, strict=True):
            np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("optimizer", [nn.optim.SGD, nn.optim.Adam, nn.optim.RMSprop])
@pytest.mark.parametrize("make", STEPS)
def test_a_compiled_step_is_the_step(make, optimizer):
    wanted, _ = one_run(make, optimizer, lambda f: f)
    found, step = one_run(make, optimizer, ag.compile)
    assert_same(found, wanted)
    assert (step.why, step.traces) == ("", 1)


def _rate(s, i):
    s.optimizer.lr = 0.1 / (i + 1)


def _frozen(s, i):
    s.model[0].weight.requires_grad = i % 2 == 0


def _hooked(s, i):
    if i == 1:
        s.model[3].weight.register_hook(lambda g: g * 0.5)


def _nan(s, i):
    if i == 2:
        s.model[3].bias.data[:] = np.nan


def _evaluated(s, i):
    s.model.train(i % 2 == 1)


def _replaced(s, i):
    s.model[3].bias.data = np.zeros(1, "f4")


def _stepping_twice(s, i):
    if i == 2:
        step = s.optimizer.step
        s.optimizer.step = lambda: [step(), step()][1]


@pytest.mark.parametrize("between", [_rate, _frozen, _hooked, _nan, _evaluated, _replaced, _stepping_twice])
@pytest.mark.parametrize("make", [plain, clipped, weighted])
def test_what_changes_between_two_steps_is_seen(make, between):
    wanted, _ = one_run(make, nn.optim.Adam, lambda f: f, between)
    found, _ = one_run(make, nn.optim.Adam, ag.compile, between)
    assert_same(found, wanted)


@pytest.mark.parametrize("there", [True, False])
def test_a_method_of_an_optimizer_that_is_replaced_in_its_class_is_seen(there):
    def run(wrap):
        kind = type("Own", (nn.optim.SGD,), {"step": ag.effect(lambda self: nn.optim.SGD.step(self))} if there else {})
        s = Setting(kind)
        step = wrap(plain(s))
        for i in range(3):
            if i == 1:
                kind.step = ag.effect(lambda self: [nn.optim.SGD.step(self), nn.optim.SGD.step(self)][1])
            step(X, Y)
        return s.state()

    assert_same([run(ag.compile)], [run(lambda f: f)])


def twice(s):
    def step(x, y):
        s.optimizer.zero_grad()
        s.criterion(s.model(x), y).backward()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        s.optimizer.step()
        return loss

    return step


def after(s):
    def step(x, y):
        plain(s)(x, y)
        return (s.model[0].weight ** 2).sum()

    return step


def detached_after(s):
    def step(x, y):
        plain(s)(x, y)
        return s.model[0].weight.detach() * 1.0

    return step


def detached_before(s):
    def step(x, y):
        before = s.model[0].weight.detach()
        plain(s)(x, y)
        return before * 1.0

    return step


def norm_read(s):
    def step(x, y):
        s.optimizer.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        if nn.optim.clip_grad_norm(s.model.parameters(), 0.1) > 0.2:
            s.optimizer.step()
        return loss

    return step


def by_hand(s):
    def step(x, y):
        s.model.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        with ag.no_grad():
            for p in s.model.parameters():
                p -= 0.1 * p.grad
        return loss

    return step


def made_inside(s):
    def step(x, y):
        s.model.zero_grad()
        loss = s.criterion(s.model(x), y)
        loss.backward()
        nn.optim.SGD(s.model.parameters(), lr=0.1, momentum=0.9).step()
        return loss

    return step


@pytest.mark.parametrize("make", [twice, after, detached_after, detached_before, norm_read, by_hand, made_inside])
def test_what_cannot_be_done_at_the_end_runs_as_itself(make):
    wanted, _ = one_run(make, nn.optim.SGD, lambda f: f)
    with pytest.warns(RuntimeWarning, match="runs uncompiled"):
        found, step = one_run(make, nn.optim.SGD, ag.compile)
    assert_same(found, wanted)
    assert step.why


def test_the_graph_of_a_result_is_released():
    s = Setting()
    step = ag.compile(plain(s))
    for _ in range(2):
        loss = step(X, Y)
        assert loss.requires_grad
        with pytest.raises(GraphError, match=r"released|retain_graph"):
            loss.backward()


def test_backward_goes_on_behind_an_argument():
    def run(wrap):
        w, v = ag.Tensor([2.0, 3.0], requires_grad=True), ag.Tensor([1.0, 5.0], requires_grad=True)

        def go(h):
            loss = (h * v * h).sum()
            loss.backward()
            return loss

        step = wrap(go)
        for _ in range(3):
            step(w * w)
        return [w.grad.data, v.grad.data]

    for x, y in zip(run(ag.compile), run(lambda f: f), strict=True):
        np.testing.assert_allclose(x, y)


def test_a_gradient_that_is_set_or_forgotten_is_so_at_each_call():
    w = ag.Tensor([1.0, 2.0], requires_grad=True)

    @ag.compile
    def f(x):
        w.grad = None
        return (x * w).sum()

    for _ in range(3):
        w.grad = np.ones(2)
        f(np.ones(2))
        assert w.grad is None


def test_an_error_of_an_effect_is_that_of_the_user_and_nothing_is_done_twice():
    w, calls = ag.Tensor([1.0], requires_grad=True), []

    @ag.effect
    def fail():
        calls.append(1)
        if len(calls) > 1:
            raise KeyError("mine")

    @ag.compile
    def step(x):
        loss = (x * w).sum()
        loss.backward()
        fail()
        return loss

    step(np.ones(1))
    with pytest.raises(KeyError, match="mine"):
        step(np.ones(1))
    assert calls == [1, 1]
    np.testing.assert_array_equal(w.grad.data, [2.0])


def test_the_first_reason_is_told():
    w = ag.Tensor([[1.0, 2.0]], requires_grad=True)

    @ag.compile
    def step(x):
        w.grad = None
        optimizer.step()
        return (x @ w.T).sum()

    optimizer = nn.optim.SGD([w])
    with pytest.warns(RuntimeWarning, match="it reads what an effect .* may have changed"):
        step(np.ones((1, 2)))


def test_what_a_schedule_knows_is_returned_as_it_is_after_its_step():
    def known(s):
        def step(x, y):
            plain(s)(x, y)
            s.schedule.step()
            return s.schedule.state_dict()

        return step

    wanted, _ = one_run(known, nn.optim.SGD, lambda f: f)
    found, step = one_run(known, nn.optim.SGD, ag.compile)
    assert_same(found, wanted)
    assert (step.why, step.traces) == ("", 1)


def test_what_is_masked_stays_cut_off_in_a_step():
    def run(wrap):
        w = ag.Tensor(np.array([1.0, 1000.0]), requires_grad=True)

        def go():
            loss = np.where(w < 50, np.log1p(np.exp(w)), w).sum()
            loss.backward()
            return loss

        step = wrap(go)
        for _ in range(3):
            with np.errstate(over="ignore"):
                step()
        return w.grad.data

    np.testing.assert_allclose(run(ag.compile), run(lambda f: f))


def test_backward_without_a_graph_is_the_same_error():
    with pytest.raises(GraphError, match="needs no gradient"):
        ag.compile(lambda x: x.sum().backward())(ag.Tensor([1.0]))


def test_a_result_of_an_effect_that_is_kept_is_none_of_the_trace():
    kept, w = [], ag.Tensor([1.0], requires_grad=True)
    count = ag.effect(lambda: 3.0)

    @ag.compile
    def step(x):
        kept.append(count())
        return (x * w).sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(TraceError, match="was not run a second time"):
            step(np.ones(1))


class Halving(nn.optim.Schedule):
    """A user's schedule with a step of its own."""

    def __init__(self, optimizer):
        self.counted = 0
        super().__init__(optimizer)

    def rate(self, base, t):
        return base * 0.5**t

    def step(self):
        self.counted += 1
        super().step()


class Signs(nn.optim.SGD):
    """A user's optimizer with a step of its own, and a method beside it."""

    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.data -= group["lr"] * np.sign(p.grad.data)

    def cool(self):
        for group in self.param_groups:
            group["lr"] *= 0.9


def scheduled(schedule):
    def make(s):
        s.schedule = schedule(s.optimizer)

        def step(x, y):
            s.optimizer.zero_grad()
            loss = s.criterion(s.model(x), y)
            loss.backward()
            s.optimizer.step()
            s.schedule.step()
            return loss

        return step

    return make


SCHEDULES = {
    "one cycle": lambda o: nn.optim.OneCycleLR(o, max_lr=0.1, total_steps=9),
    "a user's": Halving,
    "cosine": lambda o: nn.optim.CosineAnnealingLR(o, T_max=4),
    "in a row": lambda o: nn.optim.SequentialLR(o, [Halving(o), nn.optim.ExponentialLR(o, 0.5)], [2]),
}


@pytest.mark.parametrize("optimizer", [nn.optim.Adam, Signs])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_method_that_overrides_an_effect_is_one(schedule, optimizer):
    make = scheduled(SCHEDULES[schedule])
    if optimizer is Signs and schedule == "one cycle":
        make = scheduled(lambda o: nn.optim.OneCycleLR(o, max_lr=0.1, total_steps=9, cycle_momentum=False))
    wanted, _ = one_run(make, optimizer, lambda f: f)
    found, step = one_run(make, optimizer, ag.compile)
    assert_same(found, wanted)
    assert (step.why, step.traces) == ("", 1)


def test_a_check_of_an_overriding_step_is_made_at_each_call():
    s = Setting()
    step = ag.compile(scheduled(lambda o: nn.optim.OneCycleLR(o, max_lr=0.1, total_steps=3))(s))
    for _ in range(3):
        step(X, Y)
    with pytest.raises(ArgumentError, match="the cycle of 3 steps is over"):
        step(X, Y)


class Counted(nn.optim.SGD):
    """A user's optimizer with methods that are no effects."""

    def cool(self):
        for group in self.param_groups:
            group["lr"] *= 0.9

    def half(self, x):
        return x * 0.5


def test_what_a_function_changes_itself_is_not_seen_too_early_by_an_effect():
    s = Setting(Counted)

    @ag.compile
    def step(x, y):
        loss = plain(s)(x, y)
        s.optimizer.cool()
        return loss

    before = s.model[0].weight.data.copy()
    with pytest.raises(TraceError, match=r"changes .*\['lr'\] while it runs. An effect .* may see that"):
        step(X, Y)
    np.testing.assert_array_equal(s.model[0].weight.data, before)


def test_a_method_of_an_optimizer_that_computes_is_part_of_the_program():
    def halved(s):
        def step(x, y):
            s.optimizer.zero_grad()
            loss = s.optimizer.half(s.criterion(s.model(x), y))
            loss.backward()
            s.optimizer.step()
            return loss

        return step

    wanted, _ = one_run(halved, Counted, lambda f: f)
    found, step = one_run(halved, Counted, ag.compile)
    assert_same(found, wanted)
    assert (step.why, step.traces) == ("", 1)


def logged(s):
    @ag.effect(values=False)
    def look():
        s.seen.append(s.model[1].running_mean.copy())

    def step(x, y):
        look()
        return plain(s)(x, y)

    return step


def written(s):
    buffer = np.zeros(1)
    kept = ag.effect(lambda: s.seen.append(buffer.copy()))

    def step(x, y):
        kept()
        loss = plain(s)(x, y)
        buffer[:] += 1.0
        return loss

    return step


@pytest.mark.parametrize("make", [logged, written])
def test_an_effect_sees_an_array_as_it_is_in_its_place(make):
    def run(wrap):
        s = Setting(nn.optim.SGD)
        step = wrap(make(s))
        for _ in range(3):
            step(X, Y)
        return np.array(s.seen)

    with pytest.warns(RuntimeWarning, match="runs uncompiled"):
        found = run(ag.compile)
    np.testing.assert_array_equal(found, run(lambda f: f))


def test_an_optimizer_of_whole_matrices_and_one_with_a_closure_are_what_they_are():
    def run(wrap):
        w = ag.Tensor(np.linspace(-1, 1, 6).reshape(2, 3), requires_grad=True)
        muon = nn.optim.Muon([w], lr=0.1)

        @wrap
        def step(x):
            muon.zero_grad()
            loss = ((x @ w) ** 2).sum()
            loss.backward()
            muon.step()
            return loss

        losses = [step(np.ones((4, 2))).item() for _ in range(3)]
        bfgs = nn.optim.LBFGS([w], lr=0.5)

        def closure():
            bfgs.zero_grad()
            loss = ((w - 1.0) ** 2).sum()
            loss.backward()
            return loss

        @wrap
        def walk():
            return bfgs.step(closure)

        return losses + [float(walk()) for _ in range(2)], w.data

    for x, y in zip(run(ag.compile), run(lambda f: f), strict=True):
        np.testing.assert_array_equal(x, y)


def test_the_source_ends_with_what_happens_at_each_call():
    s = Setting()

    @ag.compile
    def step(x, y):
        s.optimizer.zero_grad()
        s.model[0].weight.grad = None
        loss = s.criterion(s.model(x), y)
        loss.backward()
        norm = nn.optim.clip_grad_norm(s.model.parameters(), 1.0)
        s.optimizer.step()
        s.optimizer.lr = 0.01
        return loss, norm

    step(X, Y)
    program = step.program(X, Y)
    assert [line.strip("# ") for line in program.source.partition("# At each call:\n")[2].splitlines()] == [
        "forward",
        "Adam.zero_grad()",
        "weight.grad = ...",
        "backward, whose gradients are added to .grad",
        "clip_grad_norm()",
        "Adam.step()",
        "Adam.lr = ...",
    ]
    assert repr(program).startswith("<program step: ")
    double = ag.compile(lambda x: x * 2)
    assert "At each call" not in double.program(np.ones(2)).source


def rate_after(change):
    def make(s):
        s.counted = [0]
        count = ag.effect(lambda: s.counted.__setitem__(0, s.counted[0] + 1))

        def step(x, y):
            s.optimizer.zero_grad()
            loss = s.criterion(s.model(x), y)
            loss.backward()
            s.optimizer.step()
            change(s, count)
            return loss, s.optimizer.param_groups[0]["lr"]

        return step

    return make


@pytest.mark.parametrize(
    "change",
    [
        lambda s, count: s.schedule.step(),
        lambda s, count: setattr(s.optimizer, "lr", 0.01),
        lambda s, count: s.optimizer.load_state_dict(s.optimizer.state_dict()),
        lambda s, count: count(),
    ],
)
def test_a_rate_that_is_read_after_an_effect_is_the_one_of_then(change):
    wanted, _ = one_run(rate_after(change), nn.optim.SGD, lambda f: f)
    with pytest.warns(RuntimeWarning, match="which .* may change|is given a"):
        found, _ = one_run(rate_after(change), nn.optim.SGD, ag.compile)
    assert_same(found, wanted)


def test_what_an_effect_of_the_users_changes_is_not_read_in_a_program():
    held = {"n": 0.0}

    @ag.effect
    def count():
        held["n"] += 1.0

    @ag.compile
    def f(x):
        y = x * held["n"]
        count()
        return y

    with pytest.warns(RuntimeWarning, match=r"an effect changes held\['n'\], of which this call read"):
        found = [f(np.ones(1)).item() for _ in range(3)]
    assert found == [0.0, 1.0, 2.0]
