"""Trainer: the loop of epochs and batches that people enjoy, and that resumes bit for bit."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, MissingFile, TrainingError
from nn import checkpoint, diagnosis
from nn.batches import Batch, Batches, as_evaluation, inputs_of, joined, read_batch, read_weight, size, split_off
from nn.callbacks import Callback, ModelCheckpoint, tell
from nn.compiled import Forward
from nn.criterion import ClassWeights, Criterion, Measured
from nn.forward import call, restored_modes
from nn.history import History
from nn.interrupts import Interrupts, held_back
from nn.meter import Meter, arrays_of, new_sums
from nn.module import Module
from nn.optim import clip_grad_norm
from nn.parts import ELSEWHERE, check_optimizer, check_parts, named_metrics, optimizer_of
from nn.progress import Progress
from nn.rollback import Rollback, same_batches

_NOTHING = "the iterable of batches is empty (a generator can be used for one epoch only; pass a list)."


class Trainer:
    """Train, evaluate and apply a model.

    ``loss`` and ``optimizer`` may be names (``"binary_crossentropy"``, ``"adam"``). ``metrics`` are names
    (``"accuracy"``) or functions ``f(y_true, y_pred)``, or a dict that names them; what the loss ignores they do not
    see, and what outputs are (``nn.criterion``) they learn from it, or for a loss of one's own from ``outputs=``
    ("logits", "probabilities", "classes", "numbers"). ``clip_grad_norm`` limits the common norm of the gradients;
    ``accumulate`` adds the gradients of so many batches before each step, as if they were one batch. Forward and loss
    are compiled (``ag.compile``) where they can be: ``compile="auto"`` runs them as they are where not, and one line of
    the log "nn.trainer" says why (``trainer.forward.why``); True raises TraceError there, and False never compiles.

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
        optimizer: Any,
        *,
        metrics: Any = (),
        callbacks: Sequence[Callback] = (),
        clip_grad_norm: float | None = None,
        accumulate: int = 1,
        outputs: str | None = None,
        compile: bool | str = "auto",
    ) -> None:
        if accumulate < 1:
            raise ArgumentError(f"Trainer: accumulate must be at least 1, got {accumulate}.")
        callbacks = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
        optimizer = optimizer_of(optimizer, model)
        self.criterion = Criterion(loss, outputs)
        check_parts(model, self.criterion.loss, optimizer, callbacks)
        self.model, self.optimizer = model, optimizer
        self.forward = Forward(model, self.criterion, compile)
        self.meter = Meter(self.criterion, named_metrics(metrics))
        self.callbacks = sorted(callbacks, key=lambda callback: callback.last)
        self.clip_grad_norm, self.accumulate = clip_grad_norm, accumulate
        self._ranks = 1  # that share a batch
        self.history = History()
        self.epoch = self.step = 0
        self.logs: dict[str, float] = {}
        self.stop = False
        self.at_step = True  # no gradients of earlier batches are waiting for the optimizer's step
        self.run: dict[str, Any] | None = None  # where an unfinished fit stands; saved with the rest
        self._torn = False  # the optimizer's step was interrupted in its middle
        self._counted = 0.0  # Σ w of the batches whose gradients are waiting
        self._interrupts = Interrupts()

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse names that look like an option and that nothing reads."""
        if name in ELSEWHERE:
            raise ArgumentError(f"Trainer.{name} has no effect: {ELSEWHERE[name]}.")
        object.__setattr__(self, name, value)

    @property
    def loss(self) -> Any:
        """Give the loss; another one needs another Trainer, as metrics and means go by it."""
        return self.criterion.loss

    @property
    def metrics(self) -> dict[str, Any]:
        """Map names to metrics."""
        return self.meter.metrics

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
        class_weight: Any = None,
        sample_weight: Any = None,
        drop_last: bool = False,
        steps_per_epoch: int | None = None,
        rng: Any = None,
        progress: Any = "auto",
        resume: Any = None,
    ) -> History:
        """Train for ``epochs`` further epochs and give the history.

        ``x`` and ``y`` are arrays, frames, sparse matrices, Tensors or lists with one entry per sample, tuples or dicts
        of such for several inputs, or ``x`` is a source of ``(x, y)`` or ``(x, y, weights)`` batches: an iterable, such
        as PyTorch's DataLoader, or an object with ``__len__`` and ``__getitem__``. ``steps_per_epoch`` cuts one without
        an end. ``drop_last`` leaves a shorter last batch out.

        Losses are Σ w l / Σ w over what counts. ``sample_weight`` has one entry per sample, or per element of ``y``;
        ``class_weight`` is "balanced", a dict by label or an array. ``rng`` (Generator or seed) orders the batches.
        ``resume=path`` continues an interrupted fit to its total of epochs (``"auto"``: from the newest file of the
        ModelCheckpoint callback, if there is one). The mode of the model is left as it was found, also after Ctrl-C,
        which ends the run after the present batch, with model and history usable.

        Raises ArgumentError or ShapeError for data that cannot work, TrainingError when a loss or gradient is no longer
        finite. Whatever is raised, a step that was not made leaves nothing behind.
        """
        if not isinstance(epochs, int | np.integer) or epochs < 0:
            raise ArgumentError(f"fit: epochs must be a whole number, 0 or more, got {epochs!r}.")
        check_optimizer(self.model, self.optimizer)
        if y is None and not (sample_weight is None and class_weight is None):
            raise ArgumentError("fit: an iterable brings its own weights. Let each batch be (x, y, weights).")
        x, y, held_out = split_off(x, y, validation_split)
        data = self.batches(x, y, batch_size, None, "fit", drop_last=drop_last, steps=steps_per_epoch)
        if data.source is None:
            held_out = self._weigh(data, sample_weight, class_weight, held_out)
        several = data.source is None and isinstance(data.x, tuple | dict)
        given = held_out if validation_data is None else as_evaluation(validation_data, several)
        validation = None if given is None else self._read(self.batches, *given, batch_size, "fit: validation_data")
        self.criterion.check(*(part.y for part in (data, validation) if part is not None and part.source is None))
        generator = np.random.default_rng(rng)
        run = self._resume(resume, generator) or self.new_run(int(epochs))
        same_batches(run, data.describe() | {"shuffle": bool(shuffle)})
        data.skip_epochs(self.epoch - run["start"])
        self.run = run
        self.stop, self.history.interrupted = False, False
        bar = Progress(progress, run["target"])
        with restored_modes(self.model), held_back() as self._interrupts:
            self._call("on_fit_start")
            try:
                with self._whole_steps():
                    while self.epoch < run["target"] and not self.stop:
                        self._epoch(data, shuffle, generator, run, validation, bar)
                        self._interrupts.check()
                self.run = None
            except KeyboardInterrupt:
                self.history.interrupted, self._interrupts.asked = True, False
            finally:
                bar.close()
            self._call("on_fit_end")
        return self.history

    def new_run(self, epochs: int) -> dict[str, Any]:
        """Say where a fit starts, where it ends, and what has been seen of its present epoch."""
        place = {"start": self.epoch, "target": self.epoch + epochs, "batch": 0, "data": None}
        return {**place, **new_sums()}

    def _weigh(self, data: Batches, sample_weight: Any, class_weight: Any, held_out: Any) -> Any:
        """Read the weights of arrays, and give the part that is held out with its own."""
        n = size(data.y)
        if sample_weight is not None:
            total = n + (size(held_out[1]) if held_out else 0)
            weight = read_weight(sample_weight, data.y, "sample_weight", "fit", total)
            if not weight[:n].any():
                raise ArgumentError("fit: weights must be finite and not negative, and not all of them 0.")
            data.weight, held_out = weight[:n], (*held_out[:2], weight[n:]) if held_out else None
        if class_weight is not None:
            ignored = getattr(self.loss, "ignore_index", None) if self.criterion.outputs == "classes" else None
            data.classes = ClassWeights(class_weight, data.y, ignored)
        return held_out

    def _epoch(
        self,
        data: Batches,
        shuffle: bool,
        rng: np.random.Generator,
        run: dict[str, Any],
        validation: Batches | None,
        bar: Progress,
    ) -> None:
        self.model.train()
        run["rng"] = rng.bit_generator.state  # a resumed run draws the same order again
        order = data.order(shuffle, rng)
        bar.start(self.epoch, data.count(), run["batch"])
        if not run["batch"]:
            self._call("on_epoch_start")
        for batch, last in self._marked(data, order, run["batch"]):
            if self.at_step:
                self._clean()  # a callback may have looked at gradients of its own
            self._rollback.remember(run)
            run["batch"] += 1
            self._train(batch, run, last)
            bar.batch(self.logs.get("loss", np.nan))
            self._call("on_batch_end")
            if self.at_step:
                self._interrupts.check()
            if self.stop:
                break
        if not self.at_step:
            self._update()
        self._check_parameters()
        logs = self._result(data, run, strict=False)
        if validation is not None:
            found = self._validate(validation)
            logs |= {f"val_{name}": value for name, value in found.items()}
        self.history.append(logs)
        self.logs = logs
        run.update(batch=0, rng=rng.bit_generator.state, **new_sums())
        self.epoch += 1
        bar.end(self.epoch - 1, logs)
        self._call("on_epoch_end")

    def _marked(self, data: Batches, order: Any, skip: int) -> Iterator[tuple[Batch, bool]]:
        """Yield batches, and whether each is the last; where gradients wait for the last, look one batch ahead."""
        if data.source is None or self.accumulate == 1:
            count = data.count()
            for number, batch in enumerate(data.walk(order, skip), skip + 1):
                yield batch, number == count
            return
        held: Batch | None = None
        for following in data.walk(order, skip):
            if held is not None:
                yield held, False
            held = following
        if held is not None:
            yield held, True

    def _train(self, batch: Batch, run: dict[str, Any], last: bool) -> None:
        """Take one batch: forward, backward, and a step if it is time for one."""
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite gets an error that says more
            output, measured = self.forward(batch)
        if not np.isfinite(measured.total):
            value = measured.loss.item()
            raise TrainingError(diagnosis.of_loss(self.model, value, batch, self._place()))
        numbers, kept = self.meter.numbers(measured, batch.y, output)
        self._push(measured)
        self._note(run, numbers, kept, len(batch))
        self.at_step = last or run["batch"] % self.accumulate == 0
        if self.at_step:
            self._update()

    def _push(self, measured: Measured) -> None:
        """Add the gradients of a batch; where several make a step those of Σ w l, which Σ w divides in the end."""
        if measured.loss is not None:
            (measured.loss * measured.mass if self._divides else measured.loss).backward()
            self._counted += measured.mass

    @property
    def _divides(self) -> bool:
        """Tell whether gradients are sums until the step."""
        return self._ranks * self.accumulate > 1 and not self.criterion.summed

    def _note(self, run: dict[str, Any], numbers: Sequence[float], kept: Any, rows: int) -> None:
        """Add what was measured on a batch to the sums of the epoch; the logs are the means so far."""
        self.meter.add(run, numbers, kept, rows)
        self.logs = self.meter.so_far(run)

    def _update(self) -> None:
        """Make the optimizer's step, unless a gradient is not finite."""
        if self._divides and self._counted:
            for p in self._parameters:
                if p.grad is not None:
                    p.grad = ag.Tensor(p.grad.data * p.dtype.type(1 / self._counted), copy=False)
        own = [p for group in self.optimizer.param_groups for p in group["params"]]
        if self.clip_grad_norm is not None:
            clip_grad_norm(own, self.clip_grad_norm)
        self._call("on_gradients")
        if problem := diagnosis.of_gradients(self.model, own, self._place()):
            raise TrainingError(problem)
        self._torn = True
        self.optimizer.step()
        self._clean()
        self.step += 1
        self._rollback.forget()
        self._torn = False

    @contextmanager
    def _whole_steps(self) -> Iterator[None]:
        """Start without gradients, and undo what a step that is not made leaves behind."""
        self._parameters = list(self.model.parameters())
        self._rollback, self._torn = Rollback(self.model), False
        self._clean()
        try:
            yield
        finally:
            if not self._torn:
                self._rollback.undo()
            self._clean()

    def _clean(self) -> None:
        """Forget all gradients, also of parameters that the optimizer does not have."""
        self.optimizer.zero_grad()
        for p in self._parameters:
            p.grad = None
        self._counted, self.at_step = 0.0, True

    def _check_parameters(self) -> None:
        """Refuse to go on from parameters and statistics that the last step has made inf or nan."""
        if broken := diagnosis.of_parameters(self.model) or self._rollback.broken(self.model):
            what = "buffer" if broken in dict(self.model.named_buffers()) else "parameter"
            raise TrainingError(
                f"the {what} {broken!r} is not finite any more after step {self.step}. Load a checkpoint. "
                f"{diagnosis.ADVICE}"
            )

    def _place(self) -> str:
        batch = self.run["batch"] if self.run else 1
        return f"step {self.step + 1} (epoch {self.epoch + 1}, batch {batch})"

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Take one step on one batch; give its loss and metrics."""
        batch = read_batch((x, y, sample_weight), "train_on_batch")
        self.criterion.check(batch.y)
        run = self.new_run(0) | {"batch": 1}
        with restored_modes(self.model), self._whole_steps():
            self.model.train()
            self._rollback.remember(run)
            self._train(batch, run, last=True)
        return self.meter.result(run, strict=False)

    # -------------------------------------------------------------------------------------------------- using the model

    def evaluate(self, x: Any, y: Any = None, *, batch_size: int = 256, sample_weight: Any = None) -> dict[str, float]:
        """Give loss and metrics on data, in evaluation mode: those of all samples at once, whatever the batch size."""
        if y is None and sample_weight is not None:
            raise ArgumentError("evaluate: an iterable brings its own weights. Let each batch be (x, y, weights).")
        data = self._read(Batches, x, y, sample_weight, batch_size, "evaluate")
        self.criterion.check(*([data.y] if data.source is None else []))
        return self._measured(data)

    def _read(self, kind: type[Batches], x: Any, y: Any, weight: Any, batch_size: int, who: str) -> Batches:
        """Read what is only measured: batches, or arrays with weights."""
        found = kind(x, y, batch_size, None, who)
        if found.source is None:
            found.weight = None if weight is None else read_weight(weight, found.y, "sample_weight", who)
        return found

    def _measured(self, batches: Batches) -> dict[str, float]:
        """Give loss and metrics over all batches."""
        run = new_sums()
        with restored_modes(self.model), ag.no_grad():
            self.model.eval()
            for batch in batches.walk(None):
                self._interrupts.check()
                output = call(self.model, batch.x)
                numbers, kept = self.meter.numbers(self.criterion.measure(output, batch), batch.y, output)
                self.meter.add(run, numbers, kept, len(batch))
        return self._result(batches, run)

    def _validate(self, batches: Batches) -> dict[str, float]:
        return self._measured(batches)

    def _result(self, batches: Batches, run: dict[str, Any], *, strict: bool = True) -> dict[str, float]:
        if "loss" not in run["sums"]:
            nothing = "no target counts: all weights are 0, or all targets are ignored."
            raise ArgumentError(f"{batches.who}: {nothing if run['seen'] else _NOTHING}")
        return self.meter.result(run, strict=strict)

    def predict(self, x: Any, *, batch_size: int = 256) -> Any:
        """Give the outputs of the model for all samples, in evaluation mode: an array, or a tuple or dict of them.

        ``x`` is what ``fit`` takes, or an iterator of batches: x, or (x, y) of which y is left out.
        """
        with restored_modes(self.model), ag.no_grad():
            self.model.eval()
            outputs = [arrays_of(call(self.model, batch), size(batch)) for batch in inputs_of(x, batch_size)]
        if not outputs:
            raise ArgumentError("predict: there are no samples.")
        return joined(outputs)

    # ------------------------------------------------------------------------------------------------------------ state

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole training state to one file of data, all or nothing (see ``nn.checkpoint``)."""
        if self._torn:
            raise ArgumentError(
                "Trainer.save: the optimizer's step was interrupted in its middle, so that a part of the parameters is "
                "new and a part old. Load a checkpoint."
            )
        checkpoint.save(self, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over a state from ``save``; a file that does not fit raises and changes nothing."""
        checkpoint.load(self, path)
        self._torn = False

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
        run = self.new_run(0) | (self.run or {})
        if "rng" in run:
            rng.bit_generator.state = run["rng"]
        return run

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _call(self, name: str) -> None:
        tell(self.callbacks, name, self)
