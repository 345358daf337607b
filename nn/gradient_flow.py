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
    "exploding", "not finite", "no gradient" or "". Raises ArgumentError for ``every`` below 1.

    >>> import nn
    >>> flow = GradientFlow()
    >>> model = nn.MLP(2, [4, 1], rng=0)
    >>> trainer = nn.Trainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=0.1), callbacks=[flow])
    >>> _ = trainer.fit([[0.0, 1.0]], [[1.0]], progress=False)
    >>> sorted({record["name"] for record in flow.records})
    ['layers.0.bias', 'layers.0.weight', 'layers.1.bias', 'layers.1.weight']
    """

    tells = ("no-gradient", "dead-relu", "saturated")

    def __init__(self, every: int = 1) -> None:
        if not isinstance(every, int):
            got = type(every).__name__
            raise ArgumentError(f"GradientFlow: every counts steps, got a {got}. A Trainer takes it: callbacks=[flow].")
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
        """Draw gradient norms, update-to-weight ratios and dead units over the steps, with matplotlib.

        What is exactly 0 has no place on a logarithmic axis: it is a cross at the foot of its panel, a row for each
        parameter. A weight that is 0 has no ratio. Each line is named beside the panels; its colour runs from the first
        parameter to the last.
        """
        names = list(dict.fromkeys(record["name"] for record in self.records))
        units = list(dict.fromkeys(record["name"] for record in self.dead))
        figure = new_figure("GradientFlow.plot", 15, max(3.6, 0.16 * (len(names) + len(units))))
        gradient, ratio, dead = figure.subplots(1, 3)
        norms, ratios = [], []
        for name in names:
            rows = [row for row in self.records if row["name"] == name and row["gradient"] is not None]
            norms.append([(row["step"], row["gradient"]) for row in rows])
            ratios.append([(row["step"], row["update"] / row["weight"]) for row in rows if row["weight"] > 0])
        for panel, lines in ((gradient, norms), (ratio, ratios)):
            _on_logarithms(panel, lines, names)
        for name, colour in zip(units, _colours(len(units)), strict=True):
            shares = [row for row in self.dead if row["name"] == name]
            label = f"dead units of {name or 'the model'}"
            dead.plot(
                [row["step"] for row in shares], [row["share"] for row in shares], "--", color=colour, label=label
            )
        gradient.set(title="norm of the gradient (×: exactly 0)", xlabel="step")
        ratio.set(title="norm of the update / of the weight", xlabel="step")
        dead.set(title="share of dead units", xlabel="step", ylim=(-0.02, 1.02))
        for panel in (gradient, ratio, dead):
            panel.grid(alpha=0.3)
        if names or units:
            lines = [line for panel in (gradient, dead) for line in panel.lines if line.get_label()[0] != "_"]
            figure.legend(handles=lines, loc="outside right upper", fontsize=7)
        return figure


def _on_logarithms(panel: Any, lines: list[list[tuple[int, float]]], names: list[str]) -> None:
    """Draw lines on a logarithmic axis, and a cross below them wherever one is exactly 0."""
    lowest = min((y for line in lines for _, y in line if y > 0), default=1.0)
    for k, (line, name, colour) in enumerate(zip(lines, names, _colours(len(names)), strict=True)):
        panel.plot([x for x, y in line if y > 0], [y for _, y in line if y > 0], color=colour, label=name)
        zeros = [x for x, y in line if y == 0]
        if zeros:
            panel.plot(zeros, [lowest / 10 ** (1 + 0.1 * k)] * len(zeros), "x", color=colour)
    panel.set(yscale="log")


def _colours(count: int) -> list[Any]:
    """List colours from dark to bright: neighbours in the model look alike, and none comes twice."""
    import matplotlib as mpl

    scale = mpl.colormaps["viridis"]
    return [scale(0.9 * k / max(count - 1, 1)) for k in range(count)]


def _norm(array: Any) -> float:
    return float(np.linalg.norm(np.asarray(array, dtype=np.float64)))


def _flag(norm: float | None, size: int) -> str:
    if norm is None:
        return "no gradient"
    if not np.isfinite(norm):
        return "not finite"
    rms = norm / max(1, size) ** 0.5
    return "vanishing" if rms < VANISHING else "exploding" if rms > EXPLODING else ""
