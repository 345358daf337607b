"""The training loop: learning, weights, batches, modes, interruptions and exact resume."""

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.errors import ArgumentError, DTypeError, FileError, ShapeError, TrainingError
from nn import checkpoint
from nn.files import write_tree

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 5)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int)


class Raise(nn.Callback):
    """Fail or interrupt at a step."""

    def __init__(self, at, error=None):
        self.at, self.error = at, error or RuntimeError("killed")

    def on_batch_end(self, trainer):
        if trainer.step == self.at:
            raise self.error


def network():
    parts = (nn.Linear(5, 16, rng=1), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(0.3, rng=2), nn.Linear(16, 2, rng=3))
    return nn.Sequential(*parts)


def made(t, **parts):
    """Make another Trainer of the parts of ``t``, some of them replaced."""
    return nn.Trainer(**{"model": t.model, "loss": t.loss, "optimizer": t.optimizer, **parts})


def trainer(folder=None, *more, model=None, **options):
    model = model or network()
    optimizer = nn.optim.Adam(model.parameters(), lr=0.01)
    callbacks = [nn.LRSchedule(nn.optim.ExponentialLR(optimizer, 0.99), per="step"), *more]
    if folder is not None:
        callbacks += [nn.EarlyStopping(patience=50), nn.ModelCheckpoint(folder / "run.safetensors", every_steps=2)]
    return nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, metrics=["accuracy"], callbacks=callbacks, **options)


FIT = {"epochs": 4, "batch_size": 16, "validation_split": 0.2, "progress": False}


def same(a, b):
    return all(np.array_equal(a[name], b[name]) for name in a)


def test_fit_learns_and_says_so():
    history = trainer().fit(X, Y, rng=5, **{**FIT, "epochs": 12})
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["loss"][-1] < history["loss"][0] / 1.5
    assert history["val_accuracy"][-1] >= 0.85
    assert history.epochs == 12


def test_same_seed_same_bytes():
    one, two, other = (trainer() for _ in range(3))
    for t, seed in ((one, 5), (two, 5), (other, 6)):
        t.fit(X, Y, rng=seed, **FIT)
    assert same(one.model.state_dict(), two.model.state_dict())
    assert not same(one.model.state_dict(), other.model.state_dict())


@pytest.mark.parametrize("kill", [1, 2, 3, 6, 7, 17, 23])
def test_resume_is_exact(tmp_path, kill):
    whole = trainer(tmp_path / "a", Raise(-1))
    history = whole.fit(X, Y, rng=5, **FIT)
    with pytest.raises(RuntimeError, match="killed"):
        trainer(tmp_path / "b", Raise(kill)).fit(X, Y, rng=5, **FIT)
    resumed = trainer(tmp_path / "b", Raise(-1))
    again = resumed.fit(X, Y, rng=5, resume="auto", **FIT)
    assert same(whole.model.state_dict(), resumed.model.state_dict())
    assert dict(again) == dict(history)
    assert resumed.step == whole.step


@pytest.mark.slow
def test_kill_minus_nine_leaves_a_checkpoint(tmp_path):
    """A process killed without warning leaves a readable file, and the resumed run ends as the whole one."""
    script = tmp_path / "train.py"
    script.write_text(
        textwrap.dedent("""
        import sys, numpy as np, nn
        rng = np.random.default_rng(0)
        x = rng.normal(size=(400, 30)); y = (x.sum(1) > 0).astype(int)
        model = nn.Sequential(nn.Linear(30, 200, rng=1), nn.ReLU(), nn.Dropout(0.2, rng=2), nn.Linear(200, 2, rng=3))
        saver = nn.ModelCheckpoint(sys.argv[1], every_steps=1)
        t = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.Adam(model.parameters()), callbacks=[saver])
        print("ready", flush=True)
        t.fit(x, y, epochs=4, batch_size=8, rng=7, progress=False, resume="auto")
        np.savez(sys.argv[2], **model.state_dict())
    """)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(name):
        command = [sys.executable, str(script), str(tmp_path / name / "run.safetensors"), str(tmp_path / f"{name}.npz")]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    with start("whole") as process:
        assert process.wait(120) == 0
    for wait in (0.05, 0.2):
        with start("killed") as process:
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(wait)
            process.send_signal(signal.SIGKILL)
    with start("killed") as process:
        assert process.wait(120) == 0
    assert same(np.load(tmp_path / "whole.npz"), np.load(tmp_path / "killed.npz"))
    assert not list((tmp_path / "killed").glob("*.tmp"))


def test_ctrl_c_ends_cleanly():
    t = trainer(None, Raise(4, KeyboardInterrupt()))
    t.model.eval()
    history = t.fit(X, Y, rng=5, **FIT)
    assert history.interrupted
    assert not any(module.training for module in t.model.modules())
    assert t.predict(X).shape == (103, 2)
    assert all(p.grad is None for p in t.model.parameters())


@pytest.mark.parametrize("training", [True, False])
def test_mode_is_left_as_found(training):
    t = trainer()
    t.model.train(training)
    t.fit(X, Y, rng=0, **FIT)
    t.evaluate(X, Y)
    t.predict(X)
    assert all(module.training is training for module in t.model.modules())


def test_loss_is_the_mean_over_samples():
    """The last batch is smaller; with learning rate 0 the epoch's values are those of the whole data."""
    model = nn.Linear(5, 2, rng=0)
    t = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.0), metrics=["accuracy"])
    history = t.fit(X, Y, batch_size=30, progress=False)
    whole = t.evaluate(X, Y, batch_size=1000)
    assert history["loss"][0] == pytest.approx(whole["loss"], rel=1e-5)
    assert history["accuracy"][0] == pytest.approx(whole["accuracy"])
    assert t.evaluate(X, Y, batch_size=7)["loss"] == pytest.approx(whole["loss"], rel=1e-5)


def gradient(t, x, y, **options):
    seen = {}

    class Look(nn.Callback):
        def on_gradients(self, trainer):
            seen.update({name: p.grad.numpy().copy() for name, p in trainer.model.named_parameters()})

    t.callbacks.append(Look())
    t.fit(x, y, progress=False, shuffle=False, **options)
    return seen


def linear(**options):
    model = nn.Linear(5, 2, rng=0)
    return nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.0), **options)


def test_weights_are_as_repetition():
    """Weight 2 counts as two samples, 0 as none; a class weight is that weight for its samples."""
    twice = np.concatenate([X[:20], X[:5]]), np.concatenate([Y[:20], Y[:5]])
    weight = np.r_[np.full(5, 2.0), np.ones(15), np.zeros(3)]
    expected = gradient(linear(), *twice, batch_size=100)
    for name, g in gradient(linear(), X[:23], Y[:23], batch_size=100, sample_weight=weight).items():
        np.testing.assert_allclose(g, expected[name], rtol=1e-5, atol=1e-6)
    per_class = gradient(linear(), X, Y, batch_size=200, class_weight={0: 1.0, 1: 3.0})
    for name, g in gradient(linear(), X, Y, batch_size=200, sample_weight=np.where(Y == 1, 3.0, 1.0)).items():
        np.testing.assert_allclose(g, per_class[name], rtol=1e-6)


def test_accumulated_batches_are_one_batch():
    expected = gradient(linear(), X[:40], Y[:40], batch_size=40)
    for name, g in gradient(linear(accumulate=4), X[:40], Y[:40], batch_size=10).items():
        np.testing.assert_allclose(g, expected[name], rtol=1e-4, atol=1e-6)


def test_clipping():
    seen = gradient(linear(clip_grad_norm=0.01), X, Y)
    assert np.sqrt(sum((g**2).sum() for g in seen.values())) == pytest.approx(0.01, rel=1e-3)


def test_iterable_of_batches():
    pairs = [(X[i : i + 20], Y[i : i + 20]) for i in range(0, 100, 20)]
    t = trainer()
    assert t.fit(pairs, epochs=2, validation_data=pairs, progress=False).epochs == 2
    assert t.step == 10
    with pytest.raises(ArgumentError, match="a generator can be used for one epoch only"):
        t.fit(iter(pairs), epochs=2, progress=False)


class Script(nn.Callback):
    """Let the losses be these numbers, and keep the weights of each epoch."""

    def __init__(self, *values):
        self.values, self.kept = values, []

    def on_epoch_end(self, trainer):
        trainer.history["loss"][-1] = self.values[trainer.epoch - 1]
        self.kept.append(trainer.model.state_dict())


def scripted(script, *more):
    model = nn.Linear(5, 2, rng=0)
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    return nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, callbacks=[script, *more])


def test_early_stopping_restores_the_best():
    stop, script = nn.EarlyStopping("loss", patience=2), Script(3.0, 1.0, 2.0, 2.5, 4.0, 3.5, 3.6, 3.7)
    t = scripted(script, stop)
    t.fit(X, Y, epochs=6, progress=False)
    assert (t.epoch, stop.best, stop.best_epoch) == (4, 1.0, 2)
    assert same(t.model.state_dict(), script.kept[1])
    t.fit(X, Y, epochs=4, progress=False)  # a further fit has patience of its own
    assert (t.epoch, stop.best, stop.best_epoch) == (8, 3.5, 6)


@pytest.mark.parametrize("restore", [True, False])
@pytest.mark.parametrize(("patience", "end"), [(0, 3), (2, 4)])
def test_a_run_that_stops_early_does_so_too_when_resumed(tmp_path, restore, patience, end):
    """Whichever epoch it was killed after: also the last, between its checkpoint and the end of fit."""
    saver = nn.ModelCheckpoint(tmp_path / "m.safetensors", keep=9)

    def run(resume):
        stop = nn.EarlyStopping("loss", patience, restore_best=restore)
        t = scripted(Script(3.0, 1.0, 2.0, 2.5, 0.5, 0.4), stop, *[saver] * (resume is None))
        t.fit(X, Y, epochs=6, rng=0, progress=False, resume=resume)
        return t

    whole = run(None)
    assert len(saver.files()) == whole.epoch == end
    for file in saver.files():
        again = run(file)
        assert again.epoch == end
        assert same(whole.model.state_dict(), again.model.state_dict())


def test_callbacks_without_state_may_differ_on_resume(tmp_path):
    one, path = trainer(None, nn.GradientFlow(), nn.EarlyStopping("loss")), tmp_path / "run.safetensors"
    one.fit(X, Y, **FIT)
    one.save(path)
    other = trainer(None, nn.EarlyStopping("loss"), nn.CSVLogger(tmp_path / "a.csv"), nn.ModelCheckpoint(path))
    other.load(path)
    assert other.callbacks[1].best == one.callbacks[2].best
    with pytest.raises(
        FileError, match=r"the file has \['LRSchedule', 'EarlyStopping'\], this Trainer has \['LRSchedule'"
    ):
        trainer().load(path)


def test_a_new_run_in_an_old_folder_keeps_its_own_files(tmp_path):
    """The files of the old run have more steps in their names than there are by now: they go first."""
    path = tmp_path / "m.safetensors"
    trainer(None, nn.ModelCheckpoint(path, keep=2)).fit(X, Y, **FIT)
    saver = nn.ModelCheckpoint(path, keep=2)
    trainer(None, saver).fit(X, Y, **{**FIT, "epochs": 2})
    assert [p.name for p in saver.files()] == ["m-00000006.safetensors", "m-00000012.safetensors"]
    resumed = trainer(None, nn.ModelCheckpoint(path))
    resumed.fit(X, Y, resume="auto", **{**FIT, "epochs": 2})
    assert resumed.epoch == 2


@pytest.mark.parametrize("ended", [True, False])
def test_a_run_that_has_ended_goes_on_to_more_epochs(tmp_path, ended):
    """Those of the call are the total, as of a run that was interrupted; fewer than were made change nothing."""
    saver = nn.ModelCheckpoint(tmp_path / "m.safetensors")
    first, whole = trainer(None, saver), trainer(None)
    first.fit(X, Y, rng=5, **{**FIT, "epochs": 2})
    if ended:
        first.save(saver.files()[-1])
    whole.fit(X, Y, rng=5, **{**FIT, "epochs": 4})
    resumed = trainer(None)
    for epochs, total in ((1, 2), (4, 4), (4, 4)):
        resumed.fit(X, Y, rng=5, **{**FIT, "epochs": epochs}, resume=saver.files()[-1])
        assert resumed.epoch == total
    pairs = zip(resumed.model.parameters(), whole.model.parameters(), strict=True)
    assert all(np.array_equal(a.data, b.data) for a, b in pairs)  # the order of the batches goes on, too


def test_a_metric_that_some_batches_leave_undefined():
    """r2 needs two samples, and the last batch has one: it is computed over all of them."""
    model = nn.Linear(5, 1, rng=0)
    t = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.0), metrics=["r2", "mse"])
    target = X[:, :1]
    history = t.fit(X[:33], target[:33], shuffle=False, progress=False)
    assert history["r2"][0] == pytest.approx(nn.metrics.r2(target[:33], t.predict(X[:33])), rel=1e-6)
    assert history["mse"][0] == pytest.approx(history["loss"][0], rel=1e-4)


def test_metrics_by_name():
    five = functools.partial(nn.metrics.f1, average="macro")
    t = trainer()
    for metrics, names in ((five, ["f1"]), ({"macro": five, "f1": "f1"}, ["macro", "f1"]), ("accuracy", ["accuracy"])):
        made = nn.Trainer(t.model, t.loss, t.optimizer, metrics=metrics)
        assert list(made.train_on_batch(X, Y)) == ["loss", *names]


@pytest.mark.parametrize(("loss", "low"), [(nn.HingeLoss(), -1), (nn.BCEWithLogitsLoss(), 0)])
def test_accuracy_of_logits(loss, low):
    model = nn.Linear(5, 1, rng=0)
    t = nn.Trainer(model, loss, nn.optim.SGD(model.parameters(), lr=0.1), metrics=["accuracy"])
    assert t.fit(X, np.where(Y[:, None] == 1, 1, low), epochs=20, rng=0, progress=False)["accuracy"][-1] > 0.9


def test_predict_reads_what_fit_reads():
    t = trainer()
    whole = t.predict(X)
    for same_data in (
        X.tolist(),
        list(map(ag.Tensor, X)),
        ((X[i : i + 40], Y) for i in range(0, 103, 40)),
        iter([[X, Y]]),
    ):
        np.testing.assert_allclose(t.predict(same_data), whole, rtol=1e-5, atol=1e-6)


def test_state_can_be_saved_after_ctrl_c_between_two_steps(tmp_path):
    class Interrupt(nn.Callback):
        def on_batch_end(self, trainer):
            if not trainer.at_step:
                raise KeyboardInterrupt

    t = trainer(None, Interrupt(), accumulate=3)
    assert t.fit(X, Y, **FIT).interrupted
    t.save(tmp_path / "m.safetensors")
    trainer(accumulate=3).load(tmp_path / "m.safetensors")


def test_checkpoints_keep_the_newest_and_the_best(tmp_path):
    t = trainer(None, nn.ModelCheckpoint(tmp_path / "m.safetensors", keep=2))
    t.fit(X, Y, **FIT)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["m-00000018.safetensors", "m-00000024.safetensors"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_checkpoints_go_by_their_steps_and_not_by_the_clock(tmp_path, hours):
    """The machine that wrote them was ahead, or they were copied back."""
    saver = nn.ModelCheckpoint(tmp_path / "c.safetensors", keep=2)
    t = trainer(None, saver)
    t.fit(X, Y, **{**FIT, "epochs": 2})
    for i, path in enumerate(saver.files()):
        os.utime(path, (time.time() + hours * 3600 - i,) * 2)
    assert [p.name for p in saver.files()] == ["c-00000006.safetensors", "c-00000012.safetensors"]
    resumed = trainer(None, nn.ModelCheckpoint(tmp_path / "c.safetensors"))
    resumed.fit(X, Y, resume="auto", **{**FIT, "epochs": 2})
    assert resumed.step == 12
    t.fit(X, Y, **{**FIT, "epochs": 2})
    assert [p.name for p in saver.files()] == ["c-00000018.safetensors", "c-00000024.safetensors"]


def test_csv_logger(tmp_path):
    history = trainer(None, nn.CSVLogger(tmp_path / "new" / "log.csv")).fit(X, Y, **FIT)
    rows = (tmp_path / "new" / "log.csv").read_text().splitlines()
    assert rows[0] == "epoch,loss,accuracy,val_loss,val_accuracy"
    assert len(rows) == 5
    assert float(rows[4].split(",")[1]) == history["loss"][3]


def test_gradient_flow_flags_a_frozen_and_a_vanishing_layer():
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.ReLU(), nn.Linear(4, 2, rng=1))
    model[0].weight.data = np.zeros_like(model[0].weight.data)
    model[0].bias.data = np.full(4, -1.0, np.float32)
    model[2].bias.requires_grad = False
    flow = nn.GradientFlow()
    optimizer = nn.optim.SGD(model.parameters(), lr=0.1)
    nn.Trainer(model, nn.CrossEntropyLoss(), optimizer, callbacks=[flow]).fit(X, Y, progress=False)
    assert flow.flags()["no gradient"] == {"2.bias"}
    assert flow.flags()["vanishing"] == {"0.weight", "0.bias", "2.weight"}
    assert flow.dead[0]["share"] == 1.0


def test_plots():
    pytest.importorskip("matplotlib")
    flow = nn.GradientFlow(every=2)
    history = trainer(None, flow).fit(X, Y, **FIT)
    assert len(history.plot().axes) == 2
    assert len(flow.plot().axes) == 3
    assert "<th>val_loss</th>" in history._repr_html_()


def test_progress_in_plain_lines(capsys):
    trainer().fit(X, Y, **{**FIT, "epochs": 2, "progress": "lines"})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("epoch 2/2  loss 0.")
    assert "val_accuracy" in lines[1]


def test_loss_that_is_not_finite_names_the_module():
    model = nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2, rng=0), Blow(3))
    t = trainer(model=model)
    with pytest.raises(TrainingError, match=r"step 3 \(epoch 1, batch 3\): the first module .* is Blow '2'. The param"):
        t.fit(X, Y, progress=False, shuffle=False)
    good = trainer(model=nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 2, rng=0), Blow(99)))
    good.fit(X[:64], Y[:64], progress=False, shuffle=False)
    assert t.step == good.step == 2
    assert same(good.model.state_dict(), model.state_dict()), "running statistics too are those of the last good step"


class Blow(nn.Module):
    """Give inf from the n-th call on."""

    def __init__(self, n):
        self.n = n

    def forward(self, x):
        self.n -= self.training
        return x * np.float32(np.inf) if self.n <= 0 else x


def test_gradient_or_parameter_that_is_not_finite():
    cliff = Cliff()
    t = nn.Trainer(cliff, nn.MSELoss(), nn.optim.SGD(cliff.parameters(), lr=0.1))
    with pytest.raises(TrainingError, match=r"gradient of 'w' is not finite at step 1 .* those of the last good step"):
        t.fit(np.ones((4, 1)), np.ones((4, 1)), progress=False)
    assert cliff.w.item() == 0
    line = nn.Linear(1, 1, rng=0)
    t = nn.Trainer(line, nn.MSELoss(), nn.optim.SGD(line.parameters(), lr=3e38))
    lost = r"the parameter 'weight' is not finite any more after step 1\. Load a checkpoint"
    with np.errstate(over="ignore"), pytest.raises(TrainingError, match=lost):
        t.fit(np.full((4, 1), 9.0), np.ones((4, 1)), progress=False)


def test_statistics_that_overflow_are_told():
    """The outputs are finite, as the variance of the batch, which is infinite, divides them to 0."""
    norm = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 1, rng=0))
    t = nn.Trainer(norm, nn.MSELoss(), nn.optim.SGD(norm.parameters(), lr=0.1))
    with (
        np.errstate(over="ignore"),
        pytest.raises(TrainingError, match=r"the buffer '0.running_var' is not finite any"),
    ):
        t.fit(np.float32([[1e30], [-1e30]]), np.ones((2, 1)), progress=False)


class Cliff(nn.Module):
    """Have a finite loss and an infinite gradient at w = 0."""

    def __init__(self):
        self.w = nn.Parameter([0.0])

    def forward(self, x):
        return np.sqrt(np.abs(self.w) * x)


NAN = X.copy()
NAN[3, 1] = np.nan


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.fit(X, Y[:5]), ShapeError, "x has 103 samples and y has 5"),
        (lambda t: t.fit(X[:0], Y[:0]), ArgumentError, "there are no samples"),
        (lambda t: t.fit(NAN, Y), ArgumentError, r"x\[3, 1\] is nan"),
        (lambda t: t.fit(X, Y.astype(str)), DTypeError, "must hold real numbers"),
        (lambda t: t.fit(X, Y + 1), ArgumentError, "2"),
        (lambda t: t.fit(X[:, :4], Y), ShapeError, r"Linear '0' \(5 -> 16\).*\(32, 4\)"),
        (lambda t: t.fit(X), ArgumentError, "y is missing"),
        (lambda t: t.fit(3), ArgumentError, "an iterable of"),
        (lambda t: t.fit([X]), ArgumentError, r"each batch must be \(x, y\)"),
        (lambda t: t.fit((X,)), ArgumentError, r"each batch must be \(x, y\)"),
        (lambda t: t.fit(X, Y, batch_size=0), ArgumentError, "batch_size must be at least 1"),
        (lambda t: t.fit(X, Y, validation_split=1.5), ArgumentError, r"must be in \[0, 1\)"),
        (lambda t: t.fit(X, Y, validation_split=1e-9), ArgumentError, "leaves one side empty"),
        (lambda t: t.fit(X, Y, class_weight={0: 1.0}), ArgumentError, "no weight for class 1"),
        (lambda t: t.fit(X, Y, sample_weight=[1.0]), ShapeError, "sample_weight must be 103 numbers"),
        (lambda t: t.fit(X, Y, sample_weight=np.ones(104)), ShapeError, "sample_weight must be 103 numbers"),
        (
            lambda t: t.fit(X, Y, sample_weight=np.ones(82), validation_split=0.2),
            ShapeError,
            "sample_weight must be 103 numbers",
        ),
        (lambda t: t.fit(X, Y, progress="loud"), ArgumentError, "progress must be"),
        (lambda t: t.fit(X, Y, resume="auto"), ArgumentError, "needs a ModelCheckpoint"),
        (lambda t: t.fit(X, Y, resume="nowhere"), FileNotFoundError, "there is no such file"),
        (lambda t: t.predict(X[:0]), ArgumentError, "no samples"),
        (lambda t: t.predict(3.0), ShapeError, "predict: x is a single number"),
        (lambda t: t.predict([X[:3], X[3:]]), ShapeError, "predict: x is a list of arrays of several shapes"),
        (lambda t: t.predict(X, batch_size=0), ArgumentError, "predict: batch_size must be at least 1"),
        (lambda t: t.fit(X, Y, batch_size=2.5), ArgumentError, "batch_size must be a whole number or None, got 2.5"),
        (lambda t: t.fit(X, Y, epochs=-1), ArgumentError, "epochs must be at least 0, got -1"),
        (lambda t: t.fit(X, Y, sample_weight=np.zeros(103)), ArgumentError, "not all of them 0"),
        (lambda t: t.fit(X, Y, class_weight={0: 1.0, 1: -1.0}), ArgumentError, "finite and not negative"),
        (lambda t: t.fit([(X, Y)], sample_weight=np.ones(103)), ArgumentError, r"be \(x, y, weights\)"),
        (lambda t: t.fit([(X, Y)], class_weight={0: 1, 1: 2}), ArgumentError, r"be \(x, y, weights\)"),
        (lambda t: t.evaluate([(X, Y)], sample_weight=np.ones(103)), ArgumentError, r"be \(x, y, weights\)"),
        (lambda t: t.evaluate([(X, Y, np.zeros(103))]), ArgumentError, "evaluate: no target counts: all weights are 0"),
        (lambda t: t.evaluate(iter([])), ArgumentError, "evaluate: the iterable of batches is empty"),
        (
            lambda t: made(t, metrics=[lambda a, b: 1.0] * 2),
            ArgumentError,
            "metric name '<lambda>' is taken. Name them",
        ),
        (lambda t: made(t, metrics={"loss": "mse"}), ArgumentError, "metric name 'loss' is taken"),
        (
            lambda t: made(t, metrics=[lambda a, b: b]).evaluate(X, Y),
            ShapeError,
            r"must give one number, got.*\(103, 2\)",
        ),
        (lambda t: made(t, loss=nn.MSELoss), ArgumentError, "Trainer: loss must be.*got the class MSELoss; call it"),
        (lambda t: made(t, loss=3), ArgumentError, r"loss must be a function or an object such as nn.MSELoss\(\)"),
        (lambda t: made(t, loss="mze"), ArgumentError, "unknown loss 'mze'. Did you mean 'mse'"),
        (
            lambda t: made(t, loss="categorical_crossentropy").fit(np.ones((4, 5)), [0, 1, 0, 1], progress=False),
            ArgumentError,
            "For logits use CrossEntropyLoss",
        ),
        (
            lambda t: made(t, outputs="scores"),
            ArgumentError,
            "outputs must be one of 'classes'.* got 'scores'",
        ),
        (lambda t: made(t, loss=nn.CrossEntropyLoss(reduction="none")).fit(X, Y), ShapeError, r"gave shape \(32,\)"),
        (lambda t: made(t, loss=lambda a, b: 1.0).fit(X, Y), ShapeError, "the loss gave a float"),
        (lambda t: made(t, optimizer=3), ArgumentError, "optimizer must be one of nn.optim, got 3"),
        (lambda t: made(t, optimizer="adan"), ArgumentError, "unknown optimizer 'adan'. Did you mean 'adam'"),
        (lambda t: made(t, model=network()), ArgumentError, "the optimizer has none of the model's parameters"),
        (lambda t: made(t, callbacks=[nn.EarlyStopping]), ArgumentError, "got the class EarlyStopping; call it"),
        (lambda t: nn.EarlyStopping("val_perplexity"), ArgumentError, "Pass mode='min' or mode='max'"),
        (lambda t: trainer(accumulate=0), ArgumentError, "accumulate must be at least 1"),
        (
            lambda t: trainer(None, nn.EarlyStopping()).fit(X, Y, progress=False),
            ArgumentError,
            "no 'val_loss' in the history.*validation",
        ),
    ],
)
def test_bad_input(call, error, message):
    t = trainer()
    before = t.model.state_dict()
    with pytest.raises(error, match=message) as caught:
        call(t)
    assert isinstance(caught.value, ag.AutogradError)
    after = t.model.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name, _ in t.model.named_parameters())


def test_a_layer_that_no_optimizer_has_is_an_error():
    model = nn.Sequential(nn.Linear(5, 4, rng=0), nn.Linear(4, 3, rng=1))
    adam = nn.optim.Adam(model.parameters())
    model[1] = nn.Linear(4, 1, rng=2)
    lacks = "the optimizer does not have the parameters 1.weight, 1.bias, which would never change"
    with pytest.raises(ArgumentError, match=f"{lacks}. It has 2 that the model does not have: was a layer replaced?"):
        nn.Trainer(model, nn.MSELoss(), adam)
    adam.add_param_group({"params": list(model[1].parameters())})
    t = nn.Trainer(model, nn.MSELoss(), adam)
    before = model[1].weight.data.copy()
    t.fit(X, X[:, :1], progress=False)
    assert not np.array_equal(before, model[1].weight.data)
    model.append(nn.Linear(1, 1))  # between two fits
    with pytest.raises(ArgumentError, match=r"the parameters 2.weight, 2.bias, .* or freeze them: requires_grad_"):
        t.fit(X, X[:, :1], progress=False)
    model[2].requires_grad_(False)
    t.fit(X, X[:, :1], progress=False)


def test_train_on_batch():
    t = trainer()
    first = t.train_on_batch(X, Y)
    assert set(first) == {"loss", "accuracy"}
    assert t.train_on_batch(X, Y)["loss"] < first["loss"]


def test_a_file_of_another_optimizer_is_refused(tmp_path):
    trainer().save(tmp_path / "adam.safetensors")
    model = network()
    other = nn.Trainer(model, nn.CrossEntropyLoss(), nn.optim.SGD(model.parameters(), lr=0.5))
    before = model.state_dict()
    with pytest.raises(FileError, match="optimizer: the file has Adam, this Trainer has SGD"):
        other.load(tmp_path / "adam.safetensors")
    assert other.optimizer.lr == 0.5
    assert same(before, model.state_dict())


WRONG_PARTS = {
    "callbacks": (5, "callbacks: 'int', needs 'list'"),
    "callbacks/0": (1, "callbacks/0: 'int', needs 'dict'"),
    "callbacks/0/state/last_step": ("x", "ExponentialLR.load_state_dict: last_step must be a number, got 'x'"),
    "callbacks/1/state/waited": ([1], r"int\(\) argument must be a string"),
    "callbacks/1/state/best": ("low", "could not convert string to float"),
    "optimizer": ([], "optimizer: 'list', needs 'dict'"),
    "optimizer/state/0/step": (-1, "parameter 0: step is -1, needs 1 or more"),
    "optimizer/param_groups/0/lr": (None, "Adam: lr must be a number, got None"),
    "optimizer/param_groups/0/betas": ([0.9], r"betas must be two numbers in \[0, 1\), got"),
    "generators": (7, "generators: 'int', needs 'list'"),
    "generators/0/bit_generator": ("rand", "generators/0 makes no sense"),
    "generators/0/state": ({"state": 2**200, "inc": 1}, "generators/0 makes no sense"),
    "epoch": (2**80, "epoch makes no sense"),
    "step": (True, "step: 'bool', needs 'int'"),
    "history/loss": (["x"], "history/loss makes no sense"),
    "order": (7, "order makes no sense"),
    "run/batch": (-1, "run/batch makes no sense"),
    "run/target": (1.5, "run/target: 'float', needs 'int'"),
    "run/seen": (float("nan"), "run/seen makes no sense"),
    "run/kept": ([1], "run/kept makes no sense"),
    "run/sums/loss": ([1.0], "run/sums/loss makes no sense"),
    "run/rng/bit_generator": ("PCG63", "run/rng makes no sense"),
}


@pytest.mark.parametrize("where", WRONG_PARTS)
def test_parts_of_a_wrong_kind_are_refused(tmp_path, where):
    """A file that is whole, but made by hand: all of it is looked at before anything is changed."""
    path, (value, message) = tmp_path / "run.safetensors", WRONG_PARTS[where]
    one = trainer(None, nn.EarlyStopping("loss"), Raise(9))
    with pytest.raises(RuntimeError, match="killed"):
        one.fit(X, Y, **FIT)
    part = tree = checkpoint.state(one)
    *way, last = [int(name) if name.isdigit() and where.startswith(("c", "g")) else name for name in where.split("/")]
    for name in way:
        part = part[int(name)] if isinstance(part, list) else part[name]
    part[last] = value
    write_tree(path, tree, checkpoint.KIND)
    other = trainer(None, nn.EarlyStopping("loss"))
    before = checkpoint.state(other)
    with pytest.raises((FileError, ArgumentError, ShapeError), match=message):
        other.load(path)
    np.testing.assert_equal(checkpoint.state(other), before)


class Between(nn.Module):
    """Hold two layers, and an op between them that may fail."""

    def __init__(self, f):
        super().__init__()
        self.a, self.b, self.f = nn.Linear(2, 4, rng=0), nn.Linear(4, 1, rng=1), f

    def forward(self, x):
        return self.b(self.f(self.a(x)))


@pytest.mark.parametrize(
    ("f", "place"),
    [
        (np.sqrt, "sqrt in Between"),
        (np.log, "log in Between"),
        (lambda x: np.exp(x * 1e5), "exp in Between"),
        (lambda x: nn.functional.softmax(x * np.inf), "softmax in Between"),
        (lambda x: 1.0 / (x * 0.0), "divide in Between"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_op_between_modules_is_blamed_and_not_the_next_module(f, place):
    x = np.random.default_rng(0).normal(size=(64, 2))
    model = Between(f)
    trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.01))
    with pytest.raises(TrainingError, match=f"the first op whose output is not finite is {place}: "):
        trainer.fit(x, x[:, :1], progress=False)


@pytest.mark.parametrize("name", ["lr", "learning_rate", "batch_size", "epochs", "shuffle", "loss", "metrics"])
def test_options_that_a_trainer_does_not_read(name):
    t = trainer()
    with pytest.raises(ArgumentError, match=f"Trainer.{name} has no effect: "):
        setattr(t, name, 1)


def test_what_may_be_set_is_read():
    """The limit of the gradients, the optimizer and the callbacks may change between two fits."""
    t, seen = trainer(), []

    class Look(nn.Callback):
        def on_gradients(self, trainer):
            norms = [np.square(p.grad.numpy()).sum() for p in trainer.model.parameters()]
            seen.append(np.sqrt(sum(norms)))

    t.clip_grad_norm, t.callbacks = 1e-3, [Look()]
    t.optimizer = nn.optim.SGD(t.model.parameters(), lr=0.0)
    before = [p.numpy().copy() for p in t.model.parameters()]
    t.fit(X, Y, progress=False)
    assert max(seen) <= 1e-3
    assert all(map(np.array_equal, before, (p.numpy() for p in t.model.parameters())))


class Root(nn.Module):
    def forward(self, output, target):
        below = (output - target) ** 2 - 1e6
        return np.sqrt(below).mean()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("compile", [False, "auto"])
def test_the_line_is_named_in_a_module_and_in_a_loss(compile):
    def log_of(x):
        y = x * 0.0
        return np.log(y - 1.0)

    x = np.random.default_rng(0).normal(size=(8, 2))
    for model, loss, message in (
        (Between(log_of), nn.MSELoss(), r"log in Between: .*test_trainer.py:\d+: return np.log\(y - 1.0\)\)"),
        (nn.Linear(2, 1, rng=0), Root(), r"the loss itself: .*sqrt.*test_trainer.py:\d+: return np.sqrt\(below\)"),
    ):
        before = model.state_dict()
        with pytest.raises(TrainingError, match=message):
            nn.Trainer(model, loss, "sgd", compile=compile).fit(x, x[:, :1], progress=False)
        assert all(np.array_equal(before[name], value) for name, value in model.state_dict().items())
