"""Forward and loss of a batch as one compiled function where that can be, and as they are where it cannot.

What a run computes must not depend on which of its calls was traced, or a resumed one would end with other bits: the
traced call of each kind is made again, as a program, from the state that it started from.
"""

import logging
from collections.abc import Callable
from typing import Any

import autograd as ag
from autograd.errors import ArgumentError, TraceError
from nn.batches import Batch
from nn.criterion import Criterion, Measured
from nn.forward import call
from nn.module import Module
from nn.reading import each
from nn.rollback import Rollback

log = logging.getLogger("nn.trainer")
# passes that round otherwise: a compiled run must have the bits of a plain one
ROUNDING = ("factors", "products", "quotients")


class Forward:
    """Compute the outputs and the loss of batches; ``compile`` is "auto", True (or raise where it cannot) or False.

    ``look`` is given outputs with their graph, or the loss, and how to get the outputs with theirs. ``why`` says why a
    batch was not compiled: "" where it was.
    """

    def __init__(
        self,
        model: Module,
        criterion: Criterion,
        compile: bool | str,
        look: Callable[..., None],
    ) -> None:
        if compile not in ("auto", True, False):
            raise ArgumentError(f"Trainer: compile must be 'auto', True or False, got {compile!r}.")
        self.model, self.criterion, self.compile, self.look = model, criterion, compile, look
        self.why = "" if compile else "compile=False"
        joined = _Joined(model, criterion.loss)
        self._function: Any = None if compile is False else ag.compile(joined, off=ROUNDING, quiet=True)

    def __call__(self, batch: Batch) -> tuple[Any, Measured]:
        """Return the outputs of a batch and what was measured on them."""
        output, loss = None, None
        if self._function is not None and batch.weight is None and batch.classes is None:
            output, loss = self._compiled(batch.x, batch.y)
        if loss is None:
            output = call(self.model, batch.x)
            self.look(output)
        else:
            self.look(loss, lambda: self._again(batch.x))
        return output, self.criterion.measure(output, batch, loss)

    def _compiled(self, x: Any, y: Any) -> tuple[Any, Any]:
        function, before = self._function, Rollback(self.model)
        before.remember({"sums": {}, "kept": []})
        known = function.traces
        try:
            found = function(x, y)
        except TraceError as error:
            before.undo()
            self._give_up(str(error))
            return None, None
        if function.traces != known:
            if function.why:
                self._give_up(function.why)
            else:
                before.undo()
                found = function(x, y)
        return found

    def _again(self, x: Any) -> Any:
        """Return the outputs uncompiled, and leave everything as it was."""
        before = Rollback(self.model)
        before.remember({"sums": {}, "kept": []})
        try:
            return call(self.model, x)
        finally:
            before.undo()

    def _give_up(self, why: str) -> None:
        if self.compile is True:
            raise TraceError(f"Trainer(compile=True): {why}")
        self.why, self._function = why, None
        log.info("the loss runs uncompiled: %s", why)


class _Joined:
    """Call a model, and a loss on its outputs; no gradient flows through the outputs that it gives."""

    __name__ = "loss"

    def __init__(self, model: Module, criterion: Any) -> None:
        self.model, self.criterion = model, criterion

    def __call__(self, x: Any, y: Any) -> tuple[Any, Any]:
        output = call(self.model, x)
        loss = self.criterion(output, y)
        return each(lambda part: part.detach() if isinstance(part, ag.Tensor) else part, output), loss
