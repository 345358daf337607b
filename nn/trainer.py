"""Trainer: the loop of epochs and batches that people enjoy, and that resumes bit for bit."""

import copy
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, MissingFile, ShapeError, TrainingError
from nn import checkpoint
from nn import metrics as known_metrics
from nn.batches import Batch, Batches, inputs_of, split_off, weights_of
from nn.callbacks import Callback, ModelCheckpoint
from nn.history import History
from nn.module import Module
from nn.optim import Optimizer, clip_grad_norm
from nn.parts import check_optimizer, check_parts, means, named_metrics, number
from nn.progress import Progress

Array = NDArray[Any]
_NOTHING = "the iterable of batches is empty (a generator can be used for one epoch only; pass a list)."


class Trainer:
    """Train, evaluate and apply a model.

    ``metrics`` are names (``"accuracy"``) or functions ``f(y_true, y_pred)``, or a dict that names them;
    ``clip_grad_norm`` limits the common norm of the gradients; ``accumulate`` adds the gradients of so many batches
    before each step.

    >>> import nn
    >>> x, y = nn.datasets.xor()
    >>> model = nn.MLP(2, [8, 1], "tanh", rng=0)
    >>> adam = nn.optim.Adam(model.parameters(), lr=0.1)
    >>> trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"])
    >>> history = trainer.fit(x, y.reshape(-1, 1), epochs=60, rng=0, progress=False)
    >>> history["accuracy"][-1]
    1.0
    """

    batches: type[Batches] = Batches  # how the data of fit is read

    def __init__(
        self,
        model: Module,
        loss: Any,
        optimizer: Optimizer,
        *,
        metrics: Any = (),
        callbacks: Sequence[Callback] = (),
        clip_grad_norm: float | None = None,
        accumulate: int = 1,
    ) -> None:
        if accumulate < 1:
            raise ArgumentError(f"Trainer: accumulate must be at least 1, got {accumulate}.")
        callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
        check_parts(model, loss, optimizer, callbacks)
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.metrics = named_metrics(metrics, loss)
        self.callbacks = sorted(callbacks, key=lambda callback: callback.last)
        self.max_norm, self.accumulate = clip_grad_norm, accumulate
        self.history = History()
        self.epoch = self.step = 0
        self.logs: dict[str, float] = {}
        self.stop = False
        self.at_step = True  # no gradients of earlier batches are waiting for the optimizer's step
        self.run: dict[str, Any] | None = None  # where an unfinished fit stands; saved with the rest

    # ------------------------------------------------------------------------------------------------------- training

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int = 32,
        shuffle: bool = True,
        validation_data: Any = None,
        validation_split: float = 0.0,
        class_weight: Mapping[Any, float] | None = None,
        sample_weight: Any = None,
        rng: Any = None,
        progress: Any = "auto",
        resume: Any = None,
    ) -> History:
        """Train for ``epochs`` further epochs and give the history.

        ``x`` and ``y`` are arrays, Tensors or lists with one entry per sample, or ``x`` is an iterable of ``(x, y)``
        batches. Weighted losses are Σ w l / Σ w over a batch. ``rng`` (Generator or seed) orders the batches.
        ``resume=path`` continues an interrupted fit to its total of epochs (``"auto"``: from the newest file of the
        ModelCheckpoint callback, if there is one). The mode of the model is left as it was found, also after Ctrl-C,
        which ends the run with model and history usable.

        A metric that a batch leaves undefined (``roc_auc`` of one class) is the mean over the others. Raises
        ArgumentError or ShapeError for data that cannot work, TrainingError when the loss is no longer
        finite.
        """
        if not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ArgumentError(f"fit: epochs must be a whole number, 0 or more, got {epochs!r}.")
        check_optimizer(self.model, self.optimizer)
        if y is None and not (sample_weight is None and class_weight is None):
            raise ArgumentError("fit: an iterable brings its own weights. Let each batch be (x, y, weights).")
        whole = y
        x, y, held_out = split_off(x, y, validation_split)
        weight = weights_of(y, sample_weight, class_weight, whole) if y is not None else None
        data = self.batches(x, y, batch_size, weight, "fit")
        validation = validation_data if validation_data is not None else held_out
        generator = np.random.default_rng(rng)
        run = self._resume(resume, generator) or self.new_run(int(epochs))
        self.run = run
        self.stop, self.history.interrupted = False, False
        bar = Progress(progress, run["target"])
        with self._restored_modes():
            self._call("on_fit_start")
            try:
                while self.epoch < run["target"] and not self.stop:
                    self._epoch(data, shuffle, generator, run, validation, bar)
                self.run = None
            except KeyboardInterrupt:
                self.history.interrupted = True
                self.optimizer.zero_grad()
                self.at_step = True  # the gradients that waited are gone, and the state can be saved
            finally:
                bar.close()
            self._call("on_fit_end")
        return self.history

    def new_run(self, epochs: int) -> dict[str, Any]:
        """Say where a fit starts, where it ends, and what has been seen of its present epoch."""
        return {"start": self.epoch, "target": self.epoch + epochs, "batch": 0, "sums": {}, "seen": 0.0}

    def _epoch(
        self,
        data: Batches,
        shuffle: bool,
        rng: np.random.Generator,
        run: dict[str, Any],
        validation: Any,
        bar: Progress,
    ) -> None:
        self.model.train()
        run["rng"] = rng.bit_generator.state  # a resumed run draws the same order again
        order = data.order(shuffle, rng)
        bar.start(self.epoch, data.count(), run["batch"])
        if not run["batch"]:
            self._call("on_epoch_start")
        batches = data.count()
        for batch in data.walk(order, run["batch"]):
            run["batch"] += 1
            self._train(batch, run, last=run["batch"] == batches)
            bar.batch(self.logs["loss"])
            self._call("on_batch_end")
            if self.stop:
                break
        if not run["seen"]:
            raise ArgumentError(f"fit: {_NOTHING}")
        if not self.at_step:
            self._update()
        logs = means(run)
        if validation is not None:
            logs |= {f"val_{name}": value for name, value in self._evaluate_on(validation, data.batch_size).items()}
        self.history.append(logs)
        self.logs = logs
        run.update(batch=0, sums={}, seen=0.0, rng=rng.bit_generator.state)
        self.epoch += 1
        bar.end(self.epoch - 1, logs)
        self._call("on_epoch_end")

    def _train(self, batch: Batch, run: dict[str, Any], last: bool) -> None:
        """Take one batch: forward, backward, and a step if it is time for one."""
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite gets an error that says more
            output = self.model(batch.x)
            loss = self._loss(output, batch)
        value = loss.item()
        if not np.isfinite(value):
            raise TrainingError(self._diagnose(value, batch, run))
        (loss if self.accumulate == 1 else loss * (1 / self.accumulate)).backward()
        self.at_step = last or run["batch"] % self.accumulate == 0
        if self.at_step:
            self._update()
        self._note(run, {"loss": value, **self._measure(self.metrics, batch.y, _data(output))}, len(batch))

    def _measure(self, names: Iterable[str], y_true: Any, y_pred: Array) -> dict[str, float | None]:
        """Compute metrics of one batch; None stands for one that this batch alone does not define."""
        values: dict[str, float | None] = {}
        for name in names:
            try:
                values[name] = number(name, self.metrics[name](y_true, y_pred))
            except known_metrics.Undefined:
                values[name] = None
        return values

    def _note(self, run: dict[str, Any], values: Mapping[str, float | None], size: int) -> None:
        """Add the values of a batch to the sums of the epoch; the logs are the means so far."""
        run["seen"] += float(size)
        for name, value in values.items():
            if value is not None:
                total, count = run["sums"].get(name, (0.0, 0.0))
                run["sums"][name] = [total + value * size, count + size]
        self.logs = means(run)

    def _update(self) -> None:
        if self.max_norm is not None:
            clip_grad_norm(self.model.parameters(), self.max_norm)
        self._call("on_gradients")
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        self.at_step = True

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Take one step on one batch; give its loss and metrics."""
        batch = Batch(x, np.asarray(_data(y)), None if sample_weight is None else np.asarray(sample_weight))
        with self._restored_modes():
            self.model.train()
            run = self.new_run(0) | {"batch": 1}
            self._train(batch, run, last=True)
        return dict(self.logs)

    def _loss(self, output: Any, batch: Batch) -> Any:
        if batch.weight is None:
            loss = self.loss(output, batch.y)
            if isinstance(loss, ag.Tensor) and loss.size == 1:
                return loss
            got = f"shape {loss.shape}" if isinstance(loss, ag.Tensor) else f"a {type(loss).__name__}"
            raise ShapeError(f"Trainer: the loss gave {got}; it must give one number as a Tensor (reduction='mean').")
        if not hasattr(self.loss, "reduction"):
            raise ArgumentError(
                f"weights need a loss with a reduction, such as nn.MSELoss(); {type(self.loss).__name__} has none."
            )
        each = copy.copy(self.loss)
        each.reduction = "none"
        losses = each(output, batch.y)
        if losses.shape[0] != len(batch.weight):
            raise ShapeError(f"fit: {len(batch.weight)} weights for losses of shape {losses.shape}.")
        w = batch.weight.astype(losses.dtype)
        total = max(float(w.sum()), np.finfo(losses.dtype).tiny)
        rest = losses.size // max(1, losses.shape[0])
        return (losses * w.reshape(-1, *[1] * (losses.ndim - 1))).sum() / (total * rest)

    # -------------------------------------------------------------------------------------------------- using the model

    def evaluate(self, x: Any, y: Any = None, *, batch_size: int = 256, sample_weight: Any = None) -> dict[str, float]:
        """Give loss and metrics on data, in evaluation mode; metrics see all samples at once."""
        if y is None and sample_weight is not None:
            raise ArgumentError("evaluate: an iterable brings its own weights. Let each batch be (x, y, weights).")
        weight = weights_of(y, sample_weight, None) if y is not None else None
        data = Batches(x, y, batch_size, weight, "evaluate")
        total, seen, truths, outputs = 0.0, 0.0, [], []
        with self._restored_modes(), ag.no_grad():
            self.model.eval()
            for batch in data.walk(None):
                output = self.model(batch.x)
                size = float(len(batch) if batch.weight is None else batch.weight.sum())
                total, seen = total + self._loss(output, batch).item() * size, seen + size
                truths.append(batch.y)
                outputs.append(_data(output))
        if not seen:
            raise ArgumentError(f"evaluate: {_NOTHING if not outputs else 'all weights are 0.'}")
        y_true, y_pred = np.concatenate(truths), np.concatenate(outputs)
        return {"loss": total / seen, **{n: number(n, metric(y_true, y_pred)) for n, metric in self.metrics.items()}}

    def _evaluate_on(self, data: Any, batch_size: int) -> dict[str, float]:
        if isinstance(data, tuple) and len(data) in (2, 3):
            return self.evaluate(
                data[0], data[1], batch_size=batch_size, sample_weight=data[2] if len(data) == 3 else None
            )
        return self.evaluate(data, batch_size=batch_size)

    def predict(self, x: Any, *, batch_size: int = 256) -> Array:
        """Give the outputs of the model for all samples, in evaluation mode.

        ``x`` is an array, Tensor or list of samples, or an iterator of batches: x, or (x, y) of which y is left out.
        """
        with self._restored_modes(), ag.no_grad():
            self.model.eval()
            outputs = [_data(self.model(batch)) for batch in inputs_of(x, batch_size)]
        if not outputs:
            raise ArgumentError("predict: there are no samples.")
        return np.concatenate(outputs)

    # ------------------------------------------------------------------------------------------------------------ state

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole training state to one file of data, all or nothing (see ``nn.checkpoint``)."""
        checkpoint.save(self, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over a state from ``save``; a file that does not fit raises and changes nothing."""
        checkpoint.load(self, path)

    def _resume(self, resume: Any, rng: np.random.Generator) -> dict[str, Any] | None:
        if resume is None:
            return None
        if resume == "auto":
            savers = [c for c in self.callbacks if isinstance(c, ModelCheckpoint)]
            if not savers:
                raise ArgumentError(
                    "fit(resume='auto') needs a ModelCheckpoint callback, which knows where the files are."
                )
            files = [path for saver in savers for path in saver.files()]
            if not files:
                return None
            resume = max(files, key=ModelCheckpoint.steps_of)
        if not Path(resume).is_file():
            raise MissingFile(
                f"fit(resume={str(resume)!r}): there is no such file. Use resume='auto' to start fresh without one."
            )
        checkpoint.load(self, resume)
        run = self.run or self.new_run(0)
        if "rng" in run:
            rng.bit_generator.state = run["rng"]
        return run

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _call(self, name: str) -> None:
        for callback in self.callbacks:
            getattr(callback, name)(self)

    @contextmanager
    def _restored_modes(self) -> Iterator[None]:
        """Leave every module in the mode in which it was found."""
        modes = [(module, module.training) for module in self.model.modules()]
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training

    def _diagnose(self, value: float, batch: Batch, run: Mapping[str, Any]) -> str:
        """Run the batch again and find the first module whose output is not finite."""
        found: list[str] = []
        handles = []
        for name, module in self.model.named_modules():

            def hook(module: Module, args: Any, output: Any, name: str = name) -> None:
                parts = output if isinstance(output, tuple) else (output,)
                if not all(
                    np.isfinite(_data(part)).all() for part in parts if isinstance(part, ag.Tensor | np.ndarray)
                ):
                    found.append(f"{type(module).__name__} {name!r}" if name else type(module).__name__)

            handles.append(module.register_forward_hook(hook))
        try:
            with ag.no_grad(), np.errstate(all="ignore"):
                self.model(batch.x)
        finally:
            for handle in handles:
                handle.remove()
        where = (
            f"the first module whose output is not finite is {found[0]}"
            if found
            else "all outputs are finite, so it is the loss itself"
        )
        buffers = [
            name for name, one in self.model.named_buffers() if one.dtype.kind == "f" and not np.isfinite(one).all()
        ]
        lost = (
            f", but the running statistics {buffers[0]!r} are not finite any more: load a checkpoint" if buffers else ""
        )
        return (
            f"the loss is {value} at step {self.step + 1} (epoch {self.epoch + 1}, batch {run['batch']}): "
            f"{where}. The parameters are those of the last good step{lost}. Lower the learning "
            "rate, clip the gradients (clip_grad_norm=1.0), or look at the data."
        )


def _data(x: Any) -> Array:
    return np.asarray(x.data if isinstance(x, ag.Tensor) else x)
