"""DistributedTrainer: the Trainer on many ranks, each with its rows of every batch.

A step is forward and backward on the rank's rows, one Allreduce over one flat buffer (sums of losses, metrics and
gradients and what was counted; running statistics, weighted by the rank's share of the batch), and the same optimizer
step on all ranks (Li et al., "PyTorch Distributed", 2020, describe the family).
"""

import copy
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as ag
from autograd.errors import ArgumentError, TrainingError
from nn import checkpoint, diagnosis
from nn.batches import Batch, Batches
from nn.callbacks import tell
from nn.criterion import NOTHING, Measured
from nn.distributed import facts
from nn.distributed.exchange import Exchange
from nn.distributed.lazy import LazyBatches
from nn.distributed.shares import rows
from nn.distributed.world import World, listed
from nn.forward import call, restored_modes
from nn.history import History
from nn.inputs import generator_of
from nn.meter import new_sums
from nn.module import Module
from nn.normalization import BatchNorm1d, BatchNorm2d
from nn.reading import each, joined
from nn.trainer import Trainer

Array = NDArray[Any]


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
        optimizer: Any,
        *,
        metrics: Any = (),
        callbacks: Any = (),
        clip_grad_norm: float | None = None,
        accumulate: int = 1,
        outputs: str | None = None,
        compile: bool | str = "auto",
        lint: bool = True,
        comm: Any = None,
    ) -> None:
        self.world = World(comm)
        self.rank, self.size = self.world.rank, self.world.size
        options: dict[str, Any] = {"clip_grad_norm": clip_grad_norm, "accumulate": accumulate, "outputs": outputs}
        options |= {"compile": compile, "lint": lint}
        super().__init__(model, loss, optimizer, metrics=metrics, callbacks=callbacks, **options)
        self._least = 2 if any(isinstance(m, BatchNorm1d | BatchNorm2d) for m in model.modules()) else 1
        self._interrupt = self._checked = self._summed = False
        self._call_number = 0
        if self.size > 1:
            self.batches, self._ranks = LazyBatches, self.size
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
            generator = generator_of(rng)
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
            return super().train_on_batch(x, y, sample_weight)

    def _train(self, batch: Batch, run: dict[str, Any], last: bool) -> None:
        if self.size == 1:
            super()._train(batch, run, last)
            return
        self._seed(run)
        counted = self._counted
        part = batch.part(rows(len(batch), self.rank, self.size, self._least))
        output, measured = self.forward(part) if len(part) else (None, NOTHING)
        good = bool(np.isfinite(measured.total))
        numbers: list[float] = [measured.total, measured.mass] + [0.0] * (self._exchange.numbers - 2)
        kept = None
        if good and output is not None:
            numbers, kept = self.meter.numbers(measured, part.y, output)
            self._push(measured)
        at_step = last or run["batch"] % self.accumulate == 0
        numbers = self._exchange.sum(numbers, len(part) / len(batch), at_step)
        self._counted = counted + numbers[1]  # the same bits on all ranks
        if not np.isfinite(numbers[0]):
            raise TrainingError(self._diagnose_all(measured, part))
        gathered = self.world.gather(kept) if self.meter.whole else [None]
        whole = [pair for pair in gathered if pair is not None]
        if not self._checked:
            self._check_loss(numbers, output, batch)
        self._note(run, numbers, [joined([p[i] for p in whole]) for i in (0, 1)] if whole else None, len(batch))
        self.at_step = at_step
        if self.at_step:
            self._summed = True
            self._update()

    def _update(self) -> None:
        if self.size > 1 and not self._summed:  # the last batch of an iterable of unknown length
            self._exchange.sum([0.0] * self._exchange.numbers, float(self.rank == 0), True)
        self._summed = False
        super()._update()

    def _check_loss(self, numbers: list[float], output: Any, batch: Batch) -> None:
        """Refuse a loss that the losses of parts do not make up: a fit's first batch is brought together for that."""
        self._checked = True
        own = None if output is None else each(lambda x: x.data if isinstance(x, ag.Tensor) else x, output)
        found = [rows for rows in self.world.gather(own) if rows is not None]
        with ag.no_grad():
            outputs = each(ag.Tensor, joined(found))
            whole = self.criterion.measure(outputs, replace(batch, y=each(np.asarray, batch.y)))
        if not numbers[1] or not whole.mass:
            return
        value, expected = numbers[0] / numbers[1], whole.total / whole.mass
        if np.isfinite(value) and not np.isclose(expected, value, rtol=1e-3, atol=1e-6):
            raise ArgumentError(
                f"DistributedTrainer: the loss of the first batch is {expected:.6g}, but the losses of its parts make "
                f"{value:.6g}. {self.criterion.name} must be a mean over samples, or a sum, and say so by an attribute "
                "reduction = 'sum'."
            )

    def _validate(self, batches: Batches) -> dict[str, float]:
        """Evaluate every N-th batch here; all ranks get the numbers that one process would get."""
        if self.size == 1:
            return super()._validate(batches)
        own, run = [], new_sums()
        with restored_modes(self.model), ag.no_grad():
            self.model.eval()
            for number, batch in enumerate(batches.walk(None)):
                if number % self.size == self.rank:
                    part = batch.part(slice(None))
                    output = call(self.model, part.x)
                    measured = self.meter.numbers(self.criterion.measure(output, part), part.y, output)
                    own.append((number, *measured, len(part)))
        found = (row for rank in self.world.gather(own) for row in rank)
        for _, numbers, kept, count in sorted(found, key=lambda row: row[0]):
            self.meter.add(run, numbers, kept, count)
        return self._result(batches, run)

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

    def _resume(self, resume: Any, epochs: int, rng: np.random.Generator) -> dict[str, Any] | None:
        """Read the file on rank 0; then let all ranks be as rank 0 is, with a file or without."""
        if self.size == 1:
            return super()._resume(resume, epochs, rng)

        def first() -> tuple[dict[str, Any] | None, Mapping[str, Any]]:
            return super(DistributedTrainer, self)._resume(resume, epochs, rng), rng.bit_generator.state

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
        self._exchange = Exchange(self.world, self.model, 2 + 2 * len(self.meter.means))

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
        tell([c for c in self.callbacks if self.rank == 0 or not getattr(c, "first_rank", False)], name, self)
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

    def _diagnose_all(self, measured: Measured, part: Batch) -> str:
        own = ""
        if not np.isfinite(measured.total):
            self._batch = part
            own = diagnosis.of_loss(self.model, measured.loss.item(), part, self._place(), self._again)
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
