"""DistributedTrainer: the Trainer on many ranks, each with its rows of every batch.

A step is forward and backward on the rank's rows, one Allreduce over one flat buffer (loss, metrics, running statistics
and gradients, each weighted by the rank's share of the batch), and the same optimizer step on all ranks (Li et al.,
"PyTorch Distributed", 2020, describe the family).
"""

import copy
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, TrainingError
from nn import checkpoint, metrics
from nn.batches import Batch
from nn.callbacks import Callback
from nn.distributed import facts
from nn.distributed.exchange import Exchange
from nn.distributed.lazy import LazyBatches
from nn.distributed.shares import rows, share
from nn.distributed.world import World, listed
from nn.history import History
from nn.module import Module
from nn.normalization import BatchNorm1d, BatchNorm2d
from nn.optim import Optimizer
from nn.trainer import Trainer

Array = NDArray[Any]
# The mean over a batch is the mean over its parts, weighted by their samples; other metrics see the whole batch.
MEANS = (metrics.accuracy, metrics.top_k_accuracy, metrics.mse, metrics.mae)


class DistributedTrainer(Trainer):
    """Train as ``Trainer`` does, on all ranks of an MPI job: ``mpiexec -n 4 python -m mpi4py train.py``.

    N ranks give the result of one process with the same ``batch_size`` to rounding, and the same bytes again at the
    same N. All run the same script on the same data, which is checked; weights, optimizer and random state are those of
    rank 0 at first. ``fit``, ``train_on_batch`` and ``load`` are called by all ranks together, ``evaluate`` and
    ``predict`` by whom you like; ``save``, ModelCheckpoint, CSVLogger and progress act on rank 0 only. Batch
    normalization uses the rows of the rank; its running statistics follow the mean over ranks. Dropout draws other
    numbers on each rank. Alone it is a Trainer.
    """

    def __init__(
        self,
        model: Module,
        loss: Any,
        optimizer: Optimizer,
        *,
        metrics: Any = (),
        callbacks: Any = (),
        clip_grad_norm: float | None = None,
        accumulate: int = 1,
        comm: Any = None,
    ) -> None:
        self.world = World(comm)
        self.rank, self.size = self.world.rank, self.world.size
        options: dict[str, Any] = {"clip_grad_norm": clip_grad_norm, "accumulate": accumulate}
        super().__init__(model, loss, optimizer, metrics=metrics, callbacks=callbacks, **options)
        self._whole = [name for name, one in self.metrics.items() if getattr(one, "func", one) not in MEANS]
        self._least = 2 if any(isinstance(m, BatchNorm1d | BatchNorm2d) for m in model.modules()) else 1
        self._interrupt = self._checked = self._summed = False
        self._call_number = 0
        if self.size > 1:
            self.batches = LazyBatches
            with self.world.together("DistributedTrainer"):
                self.world.same("the program", facts.of_program(self))
                self._synchronize()

    # ------------------------------------------------------------------------------------------------------- training

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        rng: Any = None,
        progress: Any = "auto",
        validation_data: Any = None,
        **options: Any,
    ) -> History:
        """Train as ``Trainer.fit`` does, on all ranks together; ``rng`` of rank 0 orders the batches of all.

        ``batch_size`` counts the samples of all ranks. Raises, on all ranks alike, when data or arguments differ.
        """
        if self.size == 1:
            return super().fit(x, y, rng=rng, progress=progress, validation_data=validation_data, **options)
        with self.world.together("fit") as self._call_number, self._interrupts_of_all():
            generator = np.random.default_rng(rng)
            kind = type(generator.bit_generator).__name__
            given = {"x": x, "y": y, "rng": kind, "validation_data": validation_data, **options}
            self.world.same("what fit was given", facts.of_fit(given))
            self.world.same("what training starts from", facts.of_state(self))
            self._checked = False
            return super().fit(
                facts.in_step(self.world, x) if y is None else x,
                y,
                rng=generator,
                progress=progress if self.rank == 0 else False,
                validation_data=facts.in_step(self.world, validation_data),
                **options,
            )

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> dict[str, float]:
        """Take one step on one batch, of which each rank takes its rows; give its loss and metrics."""
        if self.size == 1:
            return super().train_on_batch(x, y, sample_weight)
        with self.world.together("train_on_batch"):
            facts.same_batch(self.world, "train_on_batch", (x, y, sample_weight))
            self.world.same("the optimizer", facts.of_options(self))
            return super().train_on_batch(np.asarray(_data(x)), y, sample_weight)

    def _train(self, batch: Batch, run: dict[str, Any], last: bool) -> None:
        if self.size == 1:
            super()._train(batch, run, last)
            return
        self._seed(run)
        at = rows(len(batch), self.rank, self.size, self._least)
        part = Batch(batch.x[at], batch.y[at], None if batch.weight is None else batch.weight[at])
        output = self.model(part.x) if len(part) else None
        value = self._backward(output, batch, part)
        self.at_step = last or run["batch"] % self.accumulate == 0
        totals = self._reduce(value, output, batch, part)
        if not np.isfinite(totals["loss"]):
            raise TrainingError(self._diagnose_all(value, part, run))
        if self.at_step:
            self._summed = True
            self._update()
        self._note(run, totals, len(batch))

    def _backward(self, output: Any, batch: Batch, part: Batch) -> float:
        """Push this rank's share of the loss back, and give it."""
        if output is None:
            return 0.0
        weight = share(self.loss, batch, part, output)
        if not weight:  # none of its targets count; their mean would be 0/0
            return 0.0
        loss = self._loss(output, part)
        value = loss.item() * weight
        if np.isfinite(value):
            (loss * (weight / self.accumulate)).backward()
        return float(value)

    def _reduce(self, value: float, output: Any, batch: Batch, part: Batch) -> dict[str, Any]:
        """Sum loss, metrics, running statistics and, before a step, gradients; give the batch's loss and metrics."""
        fraction = len(part) / len(batch)
        predicted = None if output is None else _data(output)
        means = [name for name in self.metrics if name not in self._whole]
        good = predicted is not None and bool(np.isfinite(value))  # else all ranks are to say that the loss is not
        own = [float(self.metrics[n](part.y, predicted)) * len(part) if good else 0.0 for n in means]
        total, *sums = self._exchange.sum([value, *own], fraction, self.at_step)
        totals: dict[str, Any] = {"loss": total} | {
            name: one / len(batch) for name, one in zip(means, sums, strict=True)
        }
        if (self._whole or not self._checked) and np.isfinite(total):
            outputs = np.concatenate([rows for rows in self.world.gather(predicted) if rows is not None])
            totals |= self._measure(self._whole, np.asarray(batch.y), outputs)
            if not self._checked:
                self._check_loss(totals["loss"], outputs, batch)
        return {name: totals.get(name) for name in ("loss", *self.metrics)}

    def _update(self) -> None:
        if self.size > 1 and not self._summed:  # the last batch of an iterable of unknown length
            self._exchange.sum([0.0] * self._exchange.numbers, float(self.rank == 0), True)
        self._summed = False
        super()._update()

    def _check_loss(self, value: float, outputs: Array, batch: Batch) -> None:
        """Refuse a loss that the losses of parts do not make up: a fit's first batch is brought together for that."""
        self._checked = True
        with ag.no_grad():
            whole = self._loss(ag.Tensor(outputs), Batch(batch.x, np.asarray(batch.y), batch.weight)).item()
        if np.isfinite(value) and not np.isclose(whole, value, rtol=1e-3, atol=1e-6):
            raise ArgumentError(
                f"DistributedTrainer: the loss of the first batch is {whole:.6g}, but the losses of its parts make "
                f"{value:.6g}. {getattr(self.loss, '__name__', type(self.loss).__name__)} must be a mean over samples, "
                "or a sum, and say so by an attribute reduction = 'sum'."
            )

    def _evaluate_on(self, data: Any, batch_size: int) -> dict[str, float]:
        """Evaluate every N-th batch here; all ranks get the numbers that one process would get."""
        if self.size == 1:
            return super()._evaluate_on(data, batch_size)
        x, y, weight = (*data, None)[:3] if isinstance(data, tuple) and len(data) in (2, 3) else (data, None, None)
        batches = LazyBatches(x, y, batch_size, None if weight is None else np.asarray(weight, np.float64), "evaluate")
        own, truths = [], []
        with self._restored_modes(), ag.no_grad():
            self.model.eval()
            for number, batch in enumerate(batches.walk(None)):
                batch = Batch(batch.x, np.asarray(batch.y), batch.weight)
                truths.append(batch.y)
                if number % self.size == self.rank:
                    output = self.model(np.asarray(batch.x))
                    size = float(len(batch) if batch.weight is None else batch.weight.sum())
                    own.append((number, self._loss(output, batch).item() * size, size, _data(output)))
        found = sorted((row for rank in self.world.gather(own) for row in rank), key=lambda row: row[0])
        if not found:
            raise ArgumentError("evaluate: there are no batches.")
        y_true, y_pred = np.concatenate(truths), np.concatenate([row[3] for row in found])
        loss = sum(row[1] for row in found) / sum(row[2] for row in found)
        return {"loss": loss, **{name: float(metric(y_true, y_pred)) for name, metric in self.metrics.items()}}

    # ------------------------------------------------------------------------------------------------------------ state

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the whole training state to one file, on rank 0; the other ranks do nothing.

        The file is that of a Trainer: it can be continued on any number of ranks, bit for bit on as many.
        """
        if self.rank == 0:
            super().save(path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Take over a state that rank 0 reads, on all ranks together."""
        if self.size == 1:
            super().load(path)
            return
        with self.world.together("load"):
            self.world.from_first(lambda: super(DistributedTrainer, self).load(path))
            self._synchronize()

    def _resume(self, resume: Any, rng: np.random.Generator) -> dict[str, Any] | None:
        """Read the file on rank 0; then let all ranks be as rank 0 is, with a file or without."""
        if self.size == 1:
            return super()._resume(resume, rng)

        def first() -> tuple[dict[str, Any] | None, Mapping[str, Any]]:
            return super(DistributedTrainer, self)._resume(resume, rng), rng.bit_generator.state

        run, order = self.world.from_first(first)
        self._synchronize()
        rng.bit_generator.state = order
        return run

    def _synchronize(self) -> None:
        """Take over weights, buffers, optimizer, callbacks, random state and place from rank 0."""
        if self.size == 1:
            return
        tree = self.world.from_first(lambda: checkpoint.state(self))
        if self.rank:
            checkpoint.restore(self, tree, "rank 0")
        self.optimizer.zero_grad()
        self.at_step = True
        self._generators = checkpoint.generators(self.model)
        self._exchange = Exchange(self.world, self.model, 1 + len(self.metrics) - len(self._whole))

    def _seed(self, run: dict[str, Any]) -> None:
        """Start the generators of the layers afresh for this batch and rank, from keys that are saved with the run.

        So ranks draw different numbers, and a resumed run draws the same again, though rank 0 alone writes the file.
        """
        for i, generator in enumerate(self._generators):
            keys = run.setdefault("streams", [])
            if i == len(keys):
                keys.append(copy.deepcopy(generator).integers(0, 2**63, 2).tolist())
            seed = np.random.SeedSequence([*keys[i], self.epoch, run["batch"], self.rank])
            kind: Any = type(generator.bit_generator)
            generator.bit_generator.state = kind(seed).state

    # ---------------------------------------------------------------------------------------------------------- helpers

    def _call(self, name: str) -> None:
        if self.size > 1 and name == "on_epoch_end":
            self._check_equal()
        if name == "on_fit_end":  # the ranks no longer wait for each other
            self.world.presence.over(self._call_number)
        for callback in self.callbacks:
            if self.rank == 0 or not (isinstance(callback, Callback) and callback.first_rank):
                getattr(callback, name)(self)
        if self.size > 1 and name in ("on_batch_end", "on_epoch_end"):
            self.stop, interrupt = self.world.any(self.stop, self._interrupt)  # one rank's wish is the wish of all
            if interrupt:
                raise KeyboardInterrupt

    def _check_equal(self) -> None:
        """Find ranks whose weights or running statistics are no longer those of rank 0."""
        model = self.model
        sums = self.world.gather(facts.checksum([*(p.data for p in model.parameters()), *model.buffers()]))
        wrong = [f"rank {rank}" for rank, one in enumerate(sums) if one != sums[0]]
        if wrong:
            raise TrainingError(
                f"after epoch {self.epoch} the weights or buffers of {', '.join(wrong[:8])} are not those of rank 0. A "
                "callback or module changed them on some ranks only, a buffer of integers counted the rank's own "
                "samples, or the processors round differently."
            )

    def _diagnose_all(self, value: float, part: Batch, run: Mapping[str, Any]) -> str:
        own = "" if np.isfinite(value) else self._diagnose(value, part, run)
        return listed([f"rank {rank}: {text}" for rank, text in enumerate(self.world.gather(own)) if text])

    @contextmanager
    def _interrupts_of_all(self) -> Iterator[None]:
        """Note a Ctrl-C and let all ranks act on it after the batch: one alone would leave the others waiting."""
        self._interrupt = False
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def note(number: int, frame: Any) -> None:
            if self._interrupt:  # the second: this rank stops now, without the others
                self.world.presence.leave(self._call_number, KeyboardInterrupt("for the second time"))
                raise KeyboardInterrupt
            self._interrupt = True

        before = signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


def _data(x: Any) -> Array:
    return np.asarray(x.data if isinstance(x, ag.Tensor) else x)
