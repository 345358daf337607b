"""GradientFlow: watch weights, gradients, updates and dead units while a model learns."""

from typing import Any

import numpy as np

from autograd.errors import ArgumentError
from nn.activation import ReLU
from nn.callbacks import Callback
from nn.figure import new_figure
from nn.neuron import Layer

VANISHING, EXPLODING = 1e-7, 1e3  # root mean square of a gradient, below and above which it is flagged


class GradientFlow(Callback):
    """Record the norms of weights, gradients and updates per step, and per ReLU the share of dead units (or channels).

    ``records`` is a list of dicts (``step, name, weight, gradient, update, flag``), ``dead`` one of (``step, name,
    share``); ``every`` thins them out. A unit is dead when it is 0 for the whole batch. ``flag`` is "vanishing",
    "exploding", "not finite", "no gradient" or "".

    >>> import nn
    >>> flow = GradientFlow()
    >>> model = nn.MLP(2, [4, 1], rng=0)
    >>> trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1), callbacks=[flow])
    >>> _ = trainer.fit([[0.0, 1.0]], [[1.0]], progress=False)
    >>> sorted({record["name"] for record in flow.records})
    ['layers.0.bias', 'layers.0.weight', 'layers.1.bias', 'layers.1.weight']
    """

    def __init__(self, every: int = 1) -> None:
        if every < 1:
            raise ArgumentError(f"GradientFlow: every must be at least 1, got {every}.")
        self.every = every
        self.records: list[dict[str, Any]] = []
        self.dead: list[dict[str, Any]] = []
        self._before: dict[str, Any] = {}
        self._handles: list[Any] = []
        self._shares: dict[str, float] = {}

    def on_fit_start(self, trainer: Any) -> None:
        self.on_fit_end(trainer)  # a fit that failed has left its hooks
        for name, module in trainer.model.named_modules():
            if isinstance(module, ReLU) or (isinstance(module, Layer) and module.activation == "relu"):
                self._handles.append(module.register_forward_hook(self._watch(name)))

    def _watch(self, name: str) -> Any:
        def hook(module: Any, args: Any, output: Any) -> None:
            if module.training:
                values = np.moveaxis(output.data, 1, -1) if output.ndim == 4 else output.data  # (N, C, H, W): channels
                values = values.reshape(-1, values.shape[-1])
                self._shares[name] = float(np.mean((values <= 0).all(axis=0)))

        return hook

    def on_gradients(self, trainer: Any) -> None:
        self._before = {}
        if (trainer.step + 1) % self.every:
            return
        for name, parameter in trainer.model.named_parameters():
            gradient = None if parameter.grad is None else _norm(parameter.grad.data)
            self._before[name] = (parameter.data.copy(), gradient, _flag(gradient, parameter.size))

    def on_batch_end(self, trainer: Any) -> None:
        if not self._before or not trainer.at_step:
            return
        for name, parameter in trainer.model.named_parameters():
            old, gradient, flag = self._before[name]
            self.records.append({"step": trainer.step, "name": name, "weight": _norm(old), "gradient": gradient,
                                 "update": _norm(parameter.data - old), "flag": flag})  # fmt: skip
        self.dead += [{"step": trainer.step, "name": name, "share": share} for name, share in self._shares.items()]
        self._before = {}

    def on_fit_end(self, trainer: Any) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def flags(self) -> dict[str, set[str]]:
        """Map each flag that occurred to the names of the parameters."""
        found: dict[str, set[str]] = {}
        for record in self.records:
            if record["flag"]:
                found.setdefault(record["flag"], set()).add(record["name"])
        return found

    def plot(self) -> Any:
        """Draw gradient norms, update-to-weight ratios and dead units over the steps, with matplotlib."""
        figure = new_figure("GradientFlow.plot", 13, 3.6)
        gradient, ratio, dead = figure.subplots(1, 3)
        for name in dict.fromkeys(record["name"] for record in self.records):
            rows = [record for record in self.records if record["name"] == name and record["gradient"] is not None]
            steps = [row["step"] for row in rows]
            gradient.plot(steps, [row["gradient"] for row in rows], label=name)
            ratio.plot(steps, [row["update"] / max(row["weight"], 1e-12) for row in rows], label=name)
        for name in dict.fromkeys(record["name"] for record in self.dead):
            rows = [record for record in self.dead if record["name"] == name]
            dead.plot([row["step"] for row in rows], [row["share"] for row in rows], label=name)
        for panel, title in ((gradient, "norm of the gradient"), (ratio, "norm of the update / of the weight")):
            panel.set(title=title, xlabel="step", yscale="log")
        dead.set(title="share of dead units", xlabel="step", ylim=(-0.02, 1.02))
        for panel in (gradient, ratio, dead):
            panel.grid(alpha=0.3)
            if panel.lines and len(panel.lines) <= 10:
                panel.legend(fontsize=7)
        return figure


def _norm(array: Any) -> float:
    return float(np.linalg.norm(np.asarray(array, dtype=np.float64)))


def _flag(norm: float | None, size: int) -> str:
    if norm is None:
        return "no gradient"
    if not np.isfinite(norm):
        return "not finite"
    rms = norm / max(1, size) ** 0.5
    return "vanishing" if rms < VANISHING else "exploding" if rms > EXPLODING else ""
