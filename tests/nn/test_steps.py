"""Steps: what a step is made of, who is told of it, and that an interrupted one leaves nothing behind."""

import os
import signal
import threading

import numpy as np
import pytest

import nn
from autograd.errors import ArgumentError, FileError, TrainingError
from nn import checkpoint
from nn.interrupts import held_back

X = np.random.default_rng(0).standard_normal((40, 3)).astype("f4")
Y = X[:, :1]
FIT = {"batch_size": 8, "rng": 0, "progress": False}


def network():
    return nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4, rng=0), nn.Dropout(0.3, rng=1), nn.Linear(4, 1, rng=2))


def trainer(*callbacks, model=None, lr=0.01, schedule=None, **options):
    model = model or network()
    optimizer = nn.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    made = [] if schedule is None else [nn.LRSchedule(nn.optim.ExponentialLR(optimizer, 0.5), per=schedule)]
    return nn.Trainer(model, nn.MSELoss(), optimizer, callbacks=[*made, *callbacks], **options)


def same_state(one, other):
    np.testing.assert_equal({**checkpoint.state(one), "run": None}, {**checkpoint.state(other), "run": None})


class At(nn.Callback):
    """Do something at an event's n-th time."""

    def __init__(self, event, n, act):
        self.left, self.act = n, act
        setattr(self, event, self.count)

    def count(self, trainer):
        self.left -= 1
        if self.left == 0:
            self.act(trainer)


def interrupt(trainer=None):
    raise KeyboardInterrupt


# -------------------------------------------------------------------------------------------------- whole steps or none


class Cut(nn.Module):
    """Be the identity, and raise in the n-th call."""

    def __init__(self, n, error):
        self.n, self.error = n, error

    def forward(self, x):
        self.n -= 1
        if self.n == 0:
            raise self.error
        return x


def cut_in_forward(n, accumulate=1):
    return trainer(model=nn.Sequential(*network(), Cut(n, KeyboardInterrupt())), accumulate=accumulate, schedule="step")


def cut_by(event, n, accumulate=1):
    return trainer(
        At(event, n, interrupt), model=nn.Sequential(*network(), Cut(0, None)), accumulate=accumulate, schedule="step"
    )


class CutSource:
    """Give the batches of the data, and raise before the n-th of all."""

    def __init__(self, n=0):
        self.n = n

    def __iter__(self):
        for start in range(0, 40, 8):
            self.n -= 1
            if self.n == 0:
                raise KeyboardInterrupt
            yield X[start : start + 8], Y[start : start + 8]


INTERRUPTED = {
    **{f"forward {n}": (lambda n=n: cut_in_forward(n), None) for n in (1, 2, 5, 6, 9)},
    **{f"gradients {n}": (lambda n=n: cut_by("on_gradients", n), None) for n in (1, 3, 6)},
    **{f"batch end {n}": (lambda n=n: cut_by("on_batch_end", n), None) for n in (1, 3, 5, 7)},
    **{f"epoch end {n}": (lambda n=n: cut_by("on_epoch_end", n), None) for n in (1, 2)},
    **{f"accumulated forward {n}": (lambda n=n: cut_in_forward(n, 3), 3) for n in (2, 3, 4, 5, 8)},
    **{f"accumulated batch end {n}": (lambda n=n: cut_by("on_batch_end", n, 3), 3) for n in (1, 2, 3, 4, 6)},
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interrupted_run_is_the_same_run(name, tmp_path):
    """Weights, momentum, running statistics, random states, schedule and history are those of the whole run."""
    make, accumulate = INTERRUPTED[name]
    whole, cut, rest = cut_in_forward(0, accumulate or 1), make(), cut_in_forward(0, accumulate or 1)
    whole.fit(X, Y, epochs=3, **FIT)
    assert cut.fit(X, Y, epochs=3, **FIT).interrupted
    assert all(p.grad is None for p in cut.model.parameters())
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(X, Y, resume=tmp_path / "cut.safetensors", **FIT)
    same_state(whole, rest)


def test_a_frozen_mask_may_be_infinite():
    class Masked(nn.Module):
        def __init__(self):
            self.line = nn.Linear(3, 3, rng=0)
            self.mask = nn.Parameter(np.float32([0, 0, -np.inf]), requires_grad=False)

        def forward(self, x):
            return nn.functional.softmax(self.line(x) + self.mask, -1)[:, :1]

    t = trainer(model=Masked())
    t.optimizer = nn.optim.SGD(t.model.line.parameters(), lr=0.01)
    assert np.isfinite(t.fit(X, Y, **FIT)["loss"][0])


@pytest.mark.parametrize("n", [6, 7, 15])
def test_an_interrupted_validation_is_the_same_run(n, tmp_path):
    """Five batches, then one of validation: n counts all that go forward."""
    whole, cut, rest = cut_in_forward(0), cut_in_forward(n), cut_in_forward(0)
    fit = {**FIT, "epochs": 3, "validation_data": (X, Y)}
    whole.fit(X, Y, **fit)
    assert cut.fit(X, Y, **fit).interrupted
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(X, Y, resume=tmp_path / "cut.safetensors", **fit)
    same_state(whole, rest)


@pytest.mark.parametrize("n", [1, 3, 6, 8])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_an_interrupted_source_is_the_same_run(n, accumulate, tmp_path):
    whole, cut, rest = (trainer(accumulate=accumulate) for _ in range(3))
    whole.fit(CutSource(), epochs=3, rng=7, progress=False)
    assert cut.fit(CutSource(n), epochs=3, rng=7, progress=False).interrupted
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(CutSource(), resume=tmp_path / "cut.safetensors", rng=7, progress=False)
    same_state(whole, rest)


@pytest.mark.parametrize("when", ["forward", "gradients", "batch end"])
def test_ctrl_c_waits_for_the_end_of_the_batch(when, tmp_path):
    """A signal of the real kind, that comes anywhere, also inside a step."""

    def press(*_):
        os.kill(os.getpid(), signal.SIGINT)

    class Press(nn.Module):
        def __init__(self, n):
            self.n = n

        def forward(self, x):
            self.n -= 1
            if self.n == 0:
                press()
            return x

    def make(n):
        events = {"gradients": "on_gradients", "batch end": "on_batch_end"}
        callbacks = [At(events[when], n, press)] if when in events and n else []
        return trainer(
            *callbacks, model=nn.Sequential(*network(), Press(n if when == "forward" else 0)), schedule="step"
        )

    whole, cut, rest = make(0), make(7), make(0)
    whole.fit(X, Y, epochs=3, **FIT)
    assert cut.fit(X, Y, epochs=3, **FIT).interrupted
    assert cut.step == 7
    cut.save(tmp_path / "cut.safetensors")
    rest.fit(X, Y, resume=tmp_path / "cut.safetensors", **FIT)
    same_state(whole, rest)


def test_the_second_ctrl_c_does_not_wait():
    def press_twice(trainer):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)

    t = trainer(At("on_gradients", 2, press_twice))
    assert t.fit(X, Y, **FIT).interrupted
    assert t.step == 1


def test_handlers_of_others_are_left_alone():
    seen = []
    before = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        with held_back() as interrupts:
            os.kill(os.getpid(), signal.SIGINT)
            interrupts.check()
    finally:
        signal.signal(signal.SIGINT, before)
    assert seen == [1]
    t = trainer()
    thread = threading.Thread(target=lambda: t.fit(X, Y, **FIT))
    thread.start()
    thread.join()
    assert t.step == 5
    with pytest.raises(KeyboardInterrupt), held_back():
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_step_that_was_torn_is_not_saved(tmp_path):
    t = trainer()
    step = t.optimizer.step
    t.optimizer.step = interrupt
    assert t.fit(X, Y, **FIT).interrupted
    with pytest.raises(ArgumentError, match=r"the optimizer's step was interrupted in its middle.*Load a checkpoint"):
        t.save(tmp_path / "t.safetensors")
    t.optimizer.step = step
    t.fit(X, Y, **FIT)
    t.save(tmp_path / "t.safetensors")


class Boom(Exception):
    pass


@pytest.mark.parametrize("accumulate", [1, 4])
def test_an_exception_leaves_the_state_of_the_last_step(accumulate):
    def cut(n):
        return trainer(model=nn.Sequential(*network(), Cut(n, Boom())), accumulate=accumulate)

    t, good = cut(8), cut(0)
    with pytest.raises(Boom):
        t.fit(X, Y, batch_size=4, shuffle=False, progress=False)
    rows = 4 * (7 // accumulate * accumulate)
    good.fit(X[:rows], Y[:rows], batch_size=4, shuffle=False, progress=False)
    np.testing.assert_equal(t.model.state_dict(), good.model.state_dict())
    assert t.step == good.step
    assert [g.bit_generator.state for g in checkpoint.generators(t.model)] == [
        g.bit_generator.state for g in checkpoint.generators(good.model)
    ]


def test_train_on_batch_leaves_the_state_of_the_last_step():
    t = trainer(model=nn.Sequential(*network(), Cut(1, Boom())))
    before = t.model.state_dict()
    with pytest.raises(Boom):
        t.train_on_batch(X, Y)
    np.testing.assert_equal(t.model.state_dict(), before)
    t.train_on_batch(X, Y)
    before = t.model.state_dict()
    t.criterion.loss = lambda output, target: output.sum() * np.float32(np.nan)
    with pytest.raises(TrainingError, match="the loss is nan at step 2"):
        t.train_on_batch(X, Y)
    np.testing.assert_equal(t.model.state_dict(), before)


# --------------------------------------------------------------------------------------------- gradients of yesterday


def leave_backward(t):
    nn.MSELoss()(t.model(X), Y + 50).backward()


def leave_by_callback(t):
    t.callbacks.append(At("on_gradients", 1, boom))
    with pytest.raises(Boom):
        t.fit(X, Y, **FIT)
    t.callbacks.pop()


def leave_in_a_group(t):
    t.callbacks.append(At("on_batch_end", 1, boom))
    with pytest.raises(Boom):
        t.fit(X, Y, **FIT)
    t.callbacks.pop()


def leave_by_the_data(t):
    with pytest.raises(ArgumentError, match="is nan"):
        t.fit([(X, Y + 50), (X * np.nan, Y)], progress=False)


def leave_by_a_metric(t):
    t.meter.metrics["m"], t.meter.whole = boom, ["m"]
    with pytest.raises(Boom):
        t.fit(X, Y, **FIT)
    t.meter.metrics, t.meter.whole = {}, []


def leave_by_a_loss(t):
    with pytest.raises(TrainingError), np.errstate(all="ignore"):
        t.fit([(X, Y + 50), (X * np.float32(1e38), Y)], progress=False)


def boom(*_):
    raise Boom


LEFT = [leave_backward, leave_by_callback, leave_in_a_group, leave_by_the_data, leave_by_a_metric, leave_by_a_loss]


@pytest.mark.parametrize("start", ["fit", "train_on_batch"])
@pytest.mark.parametrize("leave", LEFT)
def test_training_starts_without_gradients(leave, start):
    """Whatever was left behind: the next step is that of a fresh run, also where it is clipped."""
    steps = []
    for look in (False, True):
        t = trainer(model=nn.Linear(3, 1, rng=0), accumulate=8, clip_grad_norm=0.1)
        state = t.model.state_dict()
        if look:
            leave(t)
        t.model.load_state_dict(state)
        t.optimizer = nn.optim.SGD(t.model.parameters(), lr=0.1)
        t.fit(X, Y, **FIT) if start == "fit" else t.train_on_batch(X, Y)
        steps.append(t.model.state_dict())
    np.testing.assert_equal(steps[0], steps[1])


@pytest.mark.parametrize("event", ["on_fit_start", "on_epoch_start", "on_batch_end", "on_epoch_end"])
def test_a_callback_may_look_at_gradients_of_its_own(event):
    found = []
    for look in (False, True):
        t = trainer(model=nn.Linear(3, 1, rng=0))
        if look:
            t.callbacks.append(At(event, 1, lambda t: leave_backward(t)))
        t.fit(X, Y, epochs=2, **FIT)
        found.append(t.model.state_dict())
    np.testing.assert_equal(found[0], found[1])


def test_what_the_optimizer_does_not_have_does_not_count():
    """A part that is unfrozen in the midst has gradients: not in the norm that clips, and not from step to step."""
    found = []
    for unfreeze in (False, True):
        model = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Linear(3, 1, rng=1))
        model[0].requires_grad_(False)
        seen = At("on_epoch_start", 1, lambda t, on=unfreeze: t.model[0].requires_grad_(on))
        sgd = nn.optim.SGD(model[1].parameters(), lr=0.1)
        nn.Trainer(model, nn.MSELoss(), sgd, clip_grad_norm=0.01, callbacks=[seen]).fit(X, Y, **FIT)
        assert all(p.grad is None for p in model.parameters())
        found.append(model.state_dict())
    np.testing.assert_equal(found[0], found[1])


# ------------------------------------------------------------------------------------------------------- who is told


class Stream:
    """Be walkable again, with a length that is right, wrong or not known."""

    def __init__(self, n, said=None):
        self.n = n
        if said is not None:
            self.said = said

    def __iter__(self):
        return iter([(X[i : i + 1], Y[i : i + 1]) for i in range(self.n)])


class Sized(Stream):
    def __len__(self):
        return self.said


SOURCES = {
    "arrays": lambda n: (X[:n], Y[:n]),
    "a list": lambda n: (list(Stream(n)),),
    "no length": lambda n: (Stream(n),),
    "too long a length": lambda n: (Sized(n, n + 2),),
    "too short a length": lambda n: (Sized(n, n - 2),),
    "a generator": lambda n: (iter(Stream(n)),),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("n", [5, 6])
def test_an_iterable_steps_and_logs_and_saves_as_arrays_do(source, n, tmp_path):
    """Five or six batches of one in groups of four: two steps, after batches 4 and n, of which all are told."""
    told, grads = [], []
    t = trainer(
        At("on_batch_end", 0, None),
        nn.ModelCheckpoint(tmp_path / "c.safetensors", every_steps=1),
        model=nn.Linear(3, 1, rng=0),
        accumulate=4,
        schedule="step",
        lr=1.0,
    )
    t.callbacks[1].count = lambda trainer: told.append((trainer.run["batch"], trainer.step, trainer.optimizer.lr))
    t.callbacks[1].on_batch_end = t.callbacks[1].count

    class Grads(nn.Callback):
        def on_gradients(self, trainer):
            grads.append(trainer.model.bias.grad.item())

    t.callbacks.append(Grads())
    arrays = {"batch_size": 1} if source == "arrays" else {}
    t.fit(*SOURCES[source](n), **arrays, shuffle=False, progress=False)
    lrs = [1.0] * 3 + [0.5] * (n - 4) + [0.25]
    assert told == [(i + 1, (i + 1) // 4 + (i + 1 == n), lrs[i]) for i in range(n)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c-00000001.safetensors", "c-00000002.safetensors"]
    whole = trainer(model=nn.Linear(3, 1, rng=0), lr=1.0)
    expected = []
    whole.callbacks.append(At("on_gradients", 1, lambda t: expected.append(t.model.bias.grad.item())))
    whole.fit(X[:4], Y[:4], batch_size=4, shuffle=False, progress=False)
    assert grads[0] == pytest.approx(expected[0], rel=1e-5)


def test_a_schedule_follows_the_step_of_a_run_that_is_stopped_between_two():
    def stop(trainer):
        trainer.stop = True

    t = trainer(At("on_batch_end", 6, stop), accumulate=4, schedule="step", lr=2**-8)
    t.fit(X, Y, **FIT | {"batch_size": 4})
    assert (t.step, t.optimizer.lr) == (2, 2**-10)
    t.fit(X, Y, **FIT | {"batch_size": 4})
    assert (t.step, t.optimizer.lr) == (5, 2**-13)


def test_the_tail_weighs_what_it_should():
    """The last group is shorter, and so may be the last batch in it."""
    for n, sizes in ((5, [4, 1]), (7, [4, 3]), (8, [4, 4]), (3, [3])):
        seen, expected = [], []

        class Look(nn.Callback):
            def __init__(self, to):
                self.to = to

            def on_gradients(self, trainer):
                self.to.append(trainer.model.weight.grad.numpy().copy())

        for to, options, batch in ((seen, {"accumulate": 2}, 2), (expected, {}, 4)):
            t = trainer(Look(to), model=nn.Linear(3, 1, rng=0), lr=0.0, **options)
            t.fit(X[:n], Y[:n], batch_size=batch, shuffle=False, progress=False)
        assert len(seen) == len(sizes)
        np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-6)


# ----------------------------------------------------------------------------------------------------- the same epoch


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 4}, "batch_size 8, here 4"),
        ({"shuffle": False}, "shuffle True, here False"),
        ({"drop_last": True}, "drop_last False, here True"),
        ({"validation_split": 0.2}, "samples 40, here 32"),
        ({"x": X + 1}, "checksum of the data"),
        ({"y": Y + 1}, "checksum of the data"),
        ({"sample_weight": np.ones(40)}, "checksum of the data"),
        ({"x": [(X, Y)], "y": None, "batch_size": None}, "batches None, here 1"),
    ],
)
def test_an_epoch_goes_on_with_the_same_batches_only(change, message, tmp_path):
    t, path = trainer(At("on_batch_end", 1, interrupt)), tmp_path / "t.safetensors"
    t.fit(X, Y, **FIT)
    t.save(path)
    other = {"x": X, "y": Y, **FIT, **change}
    with pytest.raises(
        FileError, match=rf"the saved run stands after batch 1 of its epoch.*{message}.*Resume with the"
    ):
        trainer().fit(**other, resume=path)
    same = trainer()
    assert same.fit(X, Y, resume=path, **FIT).epochs == 1
    assert same.step == 5


def test_between_epochs_other_data_may_come(tmp_path):
    t, path = trainer(At("on_epoch_end", 1, interrupt)), tmp_path / "t.safetensors"
    t.fit(X, Y, epochs=2, **FIT)
    t.save(path)
    u = trainer()
    u.fit(X[:16], Y[:16], resume=path, **FIT | {"batch_size": 4})
    assert u.step == 5 + 4
