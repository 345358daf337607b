"""Trainer: the loop of epochs and batches that people enjoy, and that resumes bit for bit."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import autograd as ag
from autograd.errors import ArgumentError, MissingFile
from nn import checkpoint
from nn.batches import Batch, Batches, inputs_of, read_batch
from nn.callbacks import Callback, ModelCheckpoint
from nn.criterion import ClassWeights, Criterion
from nn.forward import call, restored_modes
from nn.hints import TRAINER, hinted, unknown_attribute
from nn.history import History
from nn.inputs import generator_of, whole
from nn.interrupts import Interrupts, held_back
from nn.meter import Meter, arrays_of, new_sums
from nn.module import Module
from nn.parts import ELSEWHERE, check_optimizer, check_option, check_parts, named_metrics, optimizer_of
from nn.progress import Progress
from nn.reading import as_evaluation, columns_of, joined, read_weight, same_columns, same_rows, size, split_off
from nn.rollback import same_batches
from nn.steps import Steps

MEASURED = 256  # samples at a time where nothing is learnt
_NOTHING = "the iterable of batches is empty (a generator can be used for one epoch only; pass a list)."


class Trainer(Steps):
    """Train, evaluate and apply a model.

    ``loss`` and ``optimizer`` may be names (``"binary_crossentropy"``, ``"adam"``). ``metrics`` are names
    (``"accuracy"``) or functions ``f(y_true, y_pred)``, or a dict that names them; what the loss ignores they do not
    see, and what outputs are (``nn.criterion``) they learn from it, or for a loss of one's own from ``outputs=``
    ("logits", "probabilities", "classes", "numbers"). ``clip_grad_norm`` limits the common norm of the gradients;
    ``accumulate`` adds the gradients of so many batches before each step, as if they were one batch. Forward and loss
    are compiled (``ag.compile``) where they can be: ``compile="auto"`` runs them as they are where not, and one line of
    the log "nn.trainer" says why (``trainer.forward.why``); True raises TraceError there, and False never compiles.
    ``fit`` warns (LintWarning) of what ``ag.lint`` finds on the first batch of epochs 1, 2, 4, 8, …: ``lint=False``
    silences it.

    >>> import nn
    >>> x, y = nn.datasets.xor()
    >>> model = nn.MLP(2, [8, 1], "tanh", rng=0)
    >>> adam = nn.optim.Adam(model.parameters(), lr=0.1)
    >>> trainer = nn.Trainer(model, nn.BCEWithLogitsLoss(), adam, metrics=["accuracy"])
    >>> history = trainer.fit(x, y.reshape(-1, 1), epochs=60, rng=0, progress=False)
    >>> history["accuracy"][-1]
    1.0
    """

    _elsewhere: ClassVar[Mapping[str, str]] = TRAINER
    batches: type[Batches] = Batches  # how the data of fit is read

    @hinted
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
        lint: bool = True,
    ) -> None:
        callbacks = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
        optimizer = optimizer_of(optimizer, model)
        self.criterion = Criterion(loss, outputs)
        check_parts(model, self.criterion.loss, optimizer, callbacks)
        meter = Meter(self.criterion, named_metrics(metrics))
        super().__init__(model, optimizer, meter, callbacks, clip_grad_norm, accumulate, compile, lint)
        self.history = History()
        self.stop = False
        self._running = False
        self._columns: list[Any] = []  # of the tables that fit had
        self._interrupts = Interrupts()

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse names that look like an option and that nothing reads, and options that cannot be."""
        if name in ELSEWHERE:
            raise ArgumentError(f"Trainer.{name} has no effect: {ELSEWHERE[name]}.")
        if name == "model" and "model" in vars(self) and value is not self.model:
            raise ArgumentError("Trainer.model cannot be replaced, as all parts go by it: make another Trainer.")
        check_option(name, value)
        object.__setattr__(self, name, value)

    @property
    def loss(self) -> Any:
        """Return the loss; another one needs another Trainer, as metrics and means go by it."""
        return self.criterion.loss

    @property
    def metrics(self) -> dict[str, Any]:
        """Map names to metrics."""
        return self.meter.metrics

    # ------------------------------------------------------------------------------------------------------- training

    @hinted
    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
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
        an end. ``batch_size`` (32) cuts arrays, and ``drop_last`` leaves a shorter last batch out. Frames keep the
        columns of the first fit; rows of two frames are paired by their place, and one index in two orders is refused.

        Losses are Σ w l / Σ w over what counts. ``sample_weight`` has one entry per sample, or per element of ``y``;
        ``class_weight`` is "balanced", a dict by label or an array. ``rng`` (Generator or seed) orders the batches.
        ``resume=path`` continues a fit to its total of epochs, or to ``epochs`` in all where that is more (``"auto"``:
        from the newest file of the ModelCheckpoint callback, if there is one). The mode of the model is left as it was
        found, also after Ctrl-C, which ends the run after the present batch, with model and history usable.

        Raises ArgumentError or ShapeError for data that cannot work, TrainingError when a loss or gradient is no longer
        finite. Whatever is raised, a step that was not made leaves nothing behind.
        """
        whole(epochs, "fit: epochs", 0)
        _check_switches(shuffle=shuffle, drop_last=drop_last)
        if validation_data is not None and validation_split:
            raise ArgumentError(
                "fit: validation_split would hold samples out, and validation_data be used instead. Pass one of them."
            )
        if self._running:
            raise ArgumentError("fit: this Trainer is in the middle of a fit. Call it when that has ended.")
        check_optimizer(self.model, self.optimizer, self.loss)
        self._looked = False
        if y is None and not (sample_weight is None and class_weight is None):
            raise ArgumentError("fit: an iterable brings its own weights. Let each batch be (x, y, weights).")
        self._same_columns(x, "fit")
        if y is not None:
            same_rows(x, {"y": y, "sample_weight": sample_weight}, "fit")
        x, y, held_out = split_off(x, y, validation_split)
        data = self.batches(x, y, batch_size, None, "fit", drop_last=drop_last, steps=steps_per_epoch)
        if data.source is None:
            held_out = self._weigh(data, sample_weight, class_weight, held_out)
        several = data.source is None and isinstance(data.x, tuple | dict)
        given = held_out if validation_data is None else as_evaluation(validation_data, several)
        validation = None
        if given is not None:
            own_size = None if given[1] is None else batch_size
            validation = self._read(self.batches, *given, own_size, "fit: validation_data")
        self.criterion.check(*(part.y for part in (data, validation) if part is not None and part.source is None))
        generator = generator_of(rng)
        run = self._resume(resume, int(epochs), generator) or self.new_run(int(epochs))
        same_batches(run, data.describe() | {"shuffle": bool(shuffle)})
        data.skip_epochs(self.epoch - run["start"])
        self._run_epochs(data, shuffle, generator, run, validation, Progress(progress, run["target"]))
        return self.history

    def _run_epochs(
        self,
        data: Batches,
        shuffle: bool,
        rng: np.random.Generator,
        run: dict[str, Any],
        validation: Batches | None,
        bar: Progress,
    ) -> None:
        """Train to the target of the run, or until somebody stops it."""
        self.run = run
        self.stop, self.history.interrupted = False, False
        with restored_modes(self.model), held_back() as self._interrupts:
            try:
                self._running = True
                self._call("on_fit_start")
                with self._whole_steps():
                    while self.epoch < run["target"] and not self.stop:
                        self._epoch(data, shuffle, rng, run, validation, bar)
                        self._interrupts.check()
                self.run, self.order = None, rng.bit_generator.state
            except KeyboardInterrupt:
                self.history.interrupted, self._interrupts.asked = True, False
            finally:
                self._running = False
                bar.close()
            self._call("on_fit_end")

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
        self._lints = self.lint and not run["batch"] and not self.epoch & (self.epoch + 1)
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
            with self._kept_gradients():
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

    @hinted
    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Take one step on one batch; give its loss and metrics."""
        if self._running:
            raise ArgumentError("train_on_batch: this Trainer is in the middle of a fit. Call it when that has ended.")
        batch = read_batch((x, y, sample_weight), "train_on_batch")
        self.criterion.check(batch.y)
        run = self.new_run(0) | {"batch": 1}
        with restored_modes(self.model), self._whole_steps():
            self.model.train()
            self._rollback.remember(run)
            self._train(batch, run, last=True)
        return self.meter.result(run, strict=False)

    # -------------------------------------------------------------------------------------------------- using the model

    @hinted
    def evaluate(
        self, x: Any, y: Any = None, *, batch_size: int | None = None, sample_weight: Any = None
    ) -> dict[str, float]:
        """Return loss and metrics in evaluation mode: those of all samples at once, whatever the batch size."""
        if y is None and sample_weight is not None:
            raise ArgumentError("evaluate: an iterable brings its own weights. Let each batch be (x, y, weights).")
        if batch_size is None and y is not None:
            batch_size = MEASURED
        data = self._read(Batches, x, y, sample_weight, batch_size, "evaluate")
        self.criterion.check(*([data.y] if data.source is None else []))
        return self._measured(data)

    def _same_columns(self, x: Any, who: str) -> None:
        """Refuse tables that have other columns than those of fit, or the same in another order."""
        found = columns_of(x)
        same_columns(self._columns, found, who)
        self._columns = self._columns or found

    def _read(self, kind: type[Batches], x: Any, y: Any, weight: Any, batch_size: int | None, who: str) -> Batches:
        """Read what is only measured: batches, or arrays with weights."""
        same_columns(self._columns, columns_of(x), who)
        if y is not None:
            same_rows(x, {"sample_weight": weight}, who)
        found = kind(x, y, batch_size, None, who)
        if found.source is None:
            found.weight = None if weight is None else read_weight(weight, found.y, "sample_weight", who)
        return found

    def _measured(self, batches: Batches) -> dict[str, float]:
        """Return loss and metrics over all batches."""
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

    @hinted
    def predict(self, x: Any, *, batch_size: int = MEASURED) -> Any:
        """Return the outputs of the model for all samples, in evaluation mode: an array, or a tuple or dict of them.

        ``x`` is what ``fit`` takes, or an iterator of batches: x, or (x, y) of which y is left out.
        """
        same_columns(self._columns, columns_of(x), "predict")
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

    def _resume(self, resume: Any, epochs: int, rng: np.random.Generator) -> dict[str, Any] | None:
        if resume is None:
            return None
        if not isinstance(resume, str | os.PathLike):
            raise ArgumentError(f"fit: resume must be None, 'auto' or the path of a file, got {resume!r}.")
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
        run = self.new_run(max(0, epochs - self.epoch)) | (self.run or {})
        if self.run:
            run["target"] = max(run["target"], run["start"] + epochs)
        if (order := run.get("rng", self.order)) is not None:
            rng.bit_generator.state = order
        return run


def _check_switches(**switches: Any) -> None:
    for name, switch in switches.items():
        if not isinstance(switch, bool | np.bool_):
            raise ArgumentError(f"fit: {name} must be True or False, got {switch!r}.")


# Not in the class, where type checkers would then take every name for a good one.
setattr(Trainer, "__getattr__", unknown_attribute)  # noqa: B010
