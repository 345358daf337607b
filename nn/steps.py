"""Steps: batches become steps of the optimizer, each of which is made in whole or leaves nothing behind.

The base of ``nn.trainer.Trainer``, which adds epochs, data and files.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

import autograd as ag
from autograd.errors import TrainingError
from nn import diagnosis
from nn.batches import Batch
from nn.callbacks import Callback, tell
from nn.compiled import Forward
from nn.criterion import Measured
from nn.forward import call
from nn.meter import Meter
from nn.module import Module, Parameter
from nn.optim import Optimizer, clip_grad_norm
from nn.parts import check_optimizer, check_reached, lost_parameters
from nn.rollback import Rollback


class Steps:
    """Bring batches forward and backward, and make the optimizer's step of the gradients of ``accumulate`` of them."""

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        meter: Meter,
        callbacks: Sequence[Callback],
        clip_grad_norm: float | None,
        accumulate: int,
        compile: bool | str,
        lint: bool,
    ) -> None:
        self.model, self.optimizer, self.meter, self.criterion = model, optimizer, meter, meter.criterion
        self.forward = Forward(model, self.criterion, compile, self._look)
        self.callbacks = sorted(callbacks, key=lambda callback: callback.last)
        self.clip_grad_norm, self.accumulate = clip_grad_norm, accumulate
        self.epoch = self.step = 0
        self.logs: dict[str, float] = {}
        self.at_step = True  # no gradients of earlier batches are waiting for the optimizer's step
        self.run: dict[str, Any] | None = None  # where an unfinished fit stands; saved with the rest
        self.order: Any = None  # the state in which a fit that has ended left the generator of its batches
        self._ranks = 1  # that share a batch
        self._torn = False  # the optimizer's step was interrupted in its middle
        self._looked = False  # at the parameters that the outputs depend on
        self._counted = 0.0  # Σ w of the batches whose gradients are waiting
        self.lint, self._lints, self._warned = lint, False, set[str]()
        self._batch: Batch | None = None  # the last one, for a diagnosis

    def _train(self, batch: Batch, run: dict[str, Any], last: bool) -> None:
        """Take one batch: forward, backward, and a step if it is time for one."""
        looking = nullcontext() if self._looked else Parameter.kept_alive()
        with looking, np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite gets its own error
            output, measured = self.forward(batch)
        if not np.isfinite(measured.total):
            self._batch = batch
            value = measured.loss.item()
            raise TrainingError(diagnosis.of_loss(self.model, value, batch, self._place(), self._again))
        numbers, kept = self.meter.numbers(measured, batch.y, output)
        self._batch = batch
        if self._lints and measured.loss is not None:
            self._warn(measured.loss)
        self._push(measured)
        self._note(run, numbers, kept, len(batch))
        self.at_step = last or run["batch"] % self.accumulate == 0
        if self.at_step:
            self._update()

    def _warn(self, loss: Any) -> None:
        """Warn of what looks like a mistake in the graph of a batch; a program is one op, and shows nothing inside."""
        self._lints = False
        told = [code for callback in self.callbacks for code in callback.tells]
        with np.errstate(all="ignore"):
            loss = loss if self.forward.why else self._again()
        diagnosis.warn(self.model, loss, self._warned, told)

    def _again(self) -> Any:
        """Compute the loss of the last batch once more, op by op; the state of the model is then as before."""
        batch, before = self._batch, Rollback(self.model)
        before.remember({"sums": {}, "kept": []})
        try:
            return None if batch is None else self.criterion.measure(call(self.model, batch.x), batch).loss
        finally:
            before.undo()

    def _look(self, result: Any, outputs: Callable[[], Any] | None = None) -> None:
        """Refuse outputs that learnt parameters of nobody's have made; a loss may have such, say a discriminator's.

        Layers that the model made in its first forward are not the optimizer's, either.
        """
        if not self._looked:
            known = {id(p) for p in self._parameters}
            if any(id(p) not in known for p in self.model.parameters()):
                check_optimizer(self.model, self.optimizer, self.criterion.loss)
            if lost_parameters(result, self.model, self.optimizer):
                check_reached(outputs() if outputs else result, self.model, self.optimizer)
        self._looked = True

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
        if problem := diagnosis.of_gradients(self.model, own, self._place(), self._again):
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
            self._batch = None

    @contextmanager
    def _kept_gradients(self) -> Iterator[None]:
        """Let callbacks look at gradients of their own while others are waiting for the step."""
        waiting = [] if self.at_step else [(p, p.grad) for p in self._parameters]
        yield
        for p, g in waiting:
            p.grad = g

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

    def _call(self, name: str) -> None:
        """Tell all callbacks that something happens."""
        tell(self.callbacks, name, self)
