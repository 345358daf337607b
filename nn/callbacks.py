"""Callbacks: what happens between the steps of a training run."""

import csv
import io
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from autograd.errors import ArgumentError
from nn.hints import Taken, refuse_call
from nn.inputs import whole
from nn.optim import ReduceLROnPlateau, Schedule
from nn.writing import write_bytes

_BETTER = {"min": ("loss", "mse", "mae", "error"), "max": ("acc", "precision", "recall", "f1", "auc", "r2")}


class Callback:
    """React to a Trainer: each method gets it; its ``epoch``, ``step``, ``logs`` and ``history`` say where it is.

    Set ``trainer.stop = True`` to end the run after the current batch. A callback with state gives it in ``state_dict``
    (arrays, numbers, texts, lists and dicts), so that an interrupted run resumes exactly. Where ``last`` is True it is
    called after all others; where ``first_rank`` is True, only by rank 0 of a DistributedTrainer (it writes a file,
    say). ``tells`` lists the kinds of :func:`autograd.lint` that it tells itself: the Trainer need not warn of them.
    What a method raises ends the run; arguments that the class does not take are a CallError.

    >>> import numpy as np, nn
    >>> class Stop(nn.Callback):
    ...     def on_epoch_end(self, trainer):
    ...         trainer.stop = trainer.epoch >= 2
    >>> x = np.ones((8, 2), np.float32)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> trainer = nn.Trainer(model, "mse", "sgd", callbacks=[Stop()])
    >>> len(trainer.fit(x, x[:, :1], epochs=9, progress=False)["loss"])
    2
    """

    last = first_rank = False
    tells: tuple[str, ...] = ()

    __signature__ = Taken()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        if args or kwargs:  # copies are made without any
            refuse_call(cls.__name__, cls.__init__, (cls, *args), kwargs)
        return super().__new__(cls)

    def on_fit_start(self, trainer: Any) -> None:
        """Act before the first epoch."""

    def on_epoch_start(self, trainer: Any) -> None:
        """Act before an epoch."""

    def on_gradients(self, trainer: Any) -> None:
        """Act between backward and the optimizer's step."""

    def on_batch_end(self, trainer: Any) -> None:
        """Act after a batch."""

    def on_epoch_end(self, trainer: Any) -> None:
        """Act after an epoch; its values are the last of ``trainer.history``."""

    def on_fit_end(self, trainer: Any) -> None:
        """Act at the end, also after Ctrl-C."""

    def state_dict(self) -> dict[str, Any]:
        """Return what must survive an interruption."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what ``state_dict`` gave."""


def tell(callbacks: Iterable[Callback], name: str, trainer: Any) -> None:
    """Call a method of each; where one raises KeyboardInterrupt the others still see what it has seen."""
    interrupt = None
    for callback in callbacks:
        try:
            getattr(callback, name)(trainer)
        except KeyboardInterrupt as error:
            interrupt = interrupt or error
    if interrupt is not None:
        raise interrupt


def watched(trainer: Any, monitor: str, who: str) -> float:
    """Return the last value of a watched name, or say which names there are."""
    if monitor not in trainer.history:
        known = ", ".join(trainer.history) or "nothing yet"
        hint = " Pass validation_data= or validation_split= to fit." if monitor.startswith("val_") else ""
        raise ArgumentError(f"{who}: there is no {monitor!r} in the history, which has {known}.{hint}")
    return float(trainer.history[monitor][-1])


def improves(value: float, best: float | None, mode: str, min_delta: float = 0.0) -> bool:
    """Tell whether ``value`` is better than ``best`` by more than ``min_delta``."""
    if best is None:
        return not math.isnan(value)
    return value < best - min_delta if mode == "min" else value > best + min_delta


def _mode(monitor: str, mode: str) -> str:
    if mode not in ("auto", "min", "max"):
        raise ArgumentError(f"mode must be 'auto', 'min' or 'max', got {mode!r}.")
    if mode != "auto":
        return mode
    for known, words in _BETTER.items():
        if any(word in monitor for word in words):
            return known
    raise ArgumentError(f"{monitor!r} does not tell whether it should fall or rise. Pass mode='min' or mode='max'.")


class EarlyStopping(Callback):
    """Stop when ``monitor`` has not improved by more than ``min_delta`` for ``patience`` epochs.

    ``restore_best`` puts the parameters of the best epoch back at the end. Losses and errors are to fall, the other
    metrics of ``nn.metrics`` to rise; for names of your own ``mode`` says "min" or "max". Each fit starts afresh.
    Raises ArgumentError for a ``monitor`` that the history has not, or of which ``mode`` cannot be told.

    >>> import numpy as np, nn
    >>> x = np.ones((8, 2), np.float32)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> stop = nn.EarlyStopping(patience=3, min_delta=1.0)
    >>> trainer = nn.Trainer(model, "mse", "sgd", callbacks=[stop])
    >>> history = trainer.fit(x, x[:, :1], epochs=50, validation_data=(x, x[:, :1]), progress=False)
    >>> len(history["loss"]) < 50
    True
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 5,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
    ) -> None:
        whole(patience, "EarlyStopping: patience", 0)
        self.monitor, self.patience, self.min_delta, self.restore_best = monitor, patience, min_delta, restore_best
        self.mode = _mode(monitor, mode)
        self.best: float | None = None
        self.best_epoch = self.waited = 0
        self.weights: dict[str, Any] | None = None

    def on_fit_start(self, trainer: Any) -> None:
        if trainer.epoch == trainer.run["start"]:
            self.best, self.best_epoch, self.waited, self.weights = None, 0, 0, None
        elif self.waited >= max(1, self.patience):
            trainer.stop = True  # the run that is resumed had ended here

    def on_epoch_end(self, trainer: Any) -> None:
        value = watched(trainer, self.monitor, "EarlyStopping")
        if improves(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch, self.waited = value, trainer.epoch, 0
            if self.restore_best:
                self.weights = trainer.model.state_dict()
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop = True

    def on_fit_end(self, trainer: Any) -> None:
        if self.restore_best and self.weights is not None and not trainer.history.interrupted:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited, "weights": self.weights}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best = None if state["best"] is None else float(state["best"])
        self.best_epoch, self.waited = int(state["best_epoch"]), int(state["waited"])
        self.weights = state["weights"]


class ModelCheckpoint(Callback):
    """Save the training state after each epoch or every ``every_steps`` steps, and keep the newest ``keep`` files.

    ``path`` such as ``runs/digits.safetensors`` gives ``runs/digits-00000150.safetensors`` (the number of steps). With
    ``monitor`` a file is written only when that value has improved. ``fit(resume="auto")`` continues from the newest
    file. Raises ArgumentError for ``keep`` or ``every_steps`` below 1.

    >>> import numpy as np, nn
    >>> import os, tempfile
    >>> x = np.ones((8, 2), np.float32)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save = nn.ModelCheckpoint(os.path.join(folder, "net.safetensors"))
    ...     _ = nn.Trainer(model, "mse", "sgd", callbacks=[save]).fit(x, x[:, :1], epochs=2, progress=False)
    ...     sorted(os.listdir(folder))
    ['net-00000001.safetensors', 'net-00000002.safetensors']
    """

    last = first_rank = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        monitor: str | None = None,
        every_steps: int | None = None,
        keep: int = 3,
        mode: str = "auto",
    ) -> None:
        whole(keep, "ModelCheckpoint: keep")
        if every_steps is not None:
            whole(every_steps, "ModelCheckpoint: every_steps")
        self.path, self.monitor, self.every_steps, self.keep = Path(path), monitor, every_steps, keep
        self.mode = _mode(monitor or "loss", mode)
        self.best: float | None = None

    def files(self) -> list[Path]:
        """List the files that are there by their steps, the one with the most last; no clock is asked."""
        pattern = re.compile(re.escape(self.path.stem) + r"-\d{8,}" + re.escape(self.path.suffix))
        return sorted((p for p in self.path.parent.glob("*") if pattern.fullmatch(p.name)), key=self.steps_of)

    @staticmethod
    def steps_of(path: Path) -> int:
        """Read the number of steps from the name of a file."""
        return int(path.stem.rpartition("-")[2])

    def on_fit_start(self, trainer: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_batch_end(self, trainer: Any) -> None:
        if self.every_steps and trainer.at_step and trainer.step % self.every_steps == 0:
            self._save(trainer)

    def on_epoch_end(self, trainer: Any) -> None:
        if self.monitor is not None:
            value = watched(trainer, self.monitor, "ModelCheckpoint")
            if not improves(value, self.best, self.mode):
                return
            self.best = value
        elif self.every_steps:
            return
        self._save(trainer)

    def _save(self, trainer: Any) -> None:
        trainer.save(self.path.with_name(f"{self.path.stem}-{trainer.step:08d}{self.path.suffix}"))
        # Files with more steps than there are by now are of an earlier run and go first, so never the one just written.
        files = sorted(self.files(), key=lambda file: (self.steps_of(file) <= trainer.step, self.steps_of(file)))
        for old in files[: -self.keep]:
            old.unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        return {} if self.monitor is None else {"best": self.best}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best = None if state["best"] is None else float(state["best"])


class LRSchedule(Callback):
    """Step a learning-rate schedule once per ``"epoch"`` or per ``"step"`` of the optimizer.

    ``ReduceLROnPlateau`` is told the value of ``monitor`` after each epoch. Raises ArgumentError for a schedule of
    another optimizer than the Trainer's.

    >>> import numpy as np, nn
    >>> x = np.ones((8, 2), np.float32)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> sgd = nn.optim.SGD(model.parameters(), lr=0.1)
    >>> rate = nn.LRSchedule(nn.optim.StepLR(sgd, step_size=2))
    >>> _ = nn.Trainer(model, "mse", sgd, callbacks=[rate]).fit(x, x[:, :1], epochs=2, progress=False)
    >>> round(sgd.param_groups[0]["lr"], 3)
    0.01
    """

    def __init__(self, schedule: Schedule, per: str = "epoch", monitor: str = "val_loss") -> None:
        if per not in ("epoch", "step"):
            raise ArgumentError(f"LRSchedule: per must be 'epoch' or 'step', got {per!r}.")
        if not isinstance(schedule, Schedule):
            what = schedule.__name__ if isinstance(schedule, type) else type(schedule).__name__
            raise ArgumentError(
                f"LRSchedule takes a schedule of the optimizer, such as nn.optim.StepLR(optimizer, 10), got {what}."
            )
        self.schedule, self.per, self.monitor = schedule, per, monitor
        self._steps = 0  # of the optimizer that the schedule has followed

    def on_fit_start(self, trainer: Any) -> None:
        if self.schedule.optimizer is not trainer.optimizer:
            raise ArgumentError(
                "LRSchedule: the schedule sets the learning rates of another optimizer than the Trainer's, so that it "
                "would have no effect. Make it with the Trainer's optimizer."
            )
        self._steps = trainer.step

    def on_batch_end(self, trainer: Any) -> None:
        if self.per == "step" and not isinstance(self.schedule, ReduceLROnPlateau):
            while self._steps < trainer.step:
                self._steps += 1
                self.schedule.step()

    def on_epoch_end(self, trainer: Any) -> None:
        self.on_batch_end(trainer)  # a run that stops between two steps makes the last one after its last batch
        if isinstance(self.schedule, ReduceLROnPlateau):
            self.schedule.step(watched(trainer, self.monitor, "LRSchedule"))
        elif self.per == "epoch":
            self.schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return self.schedule.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.schedule.load_state_dict(state)


class CSVLogger(Callback):
    """Write the history to a CSV file, a row per epoch: the whole file each time, so a resumed run repeats no row.

    Raises OSError where the file cannot be written.

    >>> import numpy as np, nn
    >>> import os, tempfile
    >>> x = np.ones((8, 2), np.float32)
    >>> model = nn.Linear(2, 1, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = nn.CSVLogger(os.path.join(folder, "run.csv"))
    ...     _ = nn.Trainer(model, "mse", "sgd", callbacks=[log]).fit(x, x[:, :1], epochs=2, progress=False)
    ...     os.listdir(folder)
    ['run.csv']
    """

    first_rank = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_fit_start(self, trainer: Any) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Any) -> None:
        history, text = trainer.history, io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *history])
        for i in range(history.epochs):
            writer.writerow([i + 1, *[repr(float(np.float64(history[name][i]))) for name in history]])
        write_bytes(self.path, text.getvalue().encode())
