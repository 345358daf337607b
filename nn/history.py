"""History: what was measured in each epoch of a training run."""

import math
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from autograd.errors import ArgumentError, UnknownName, printable
from nn.figure import new_figure


class History(Mapping[str, list[float]]):
    """Map names (``loss``, ``val_loss`` …) to one value per epoch; ``interrupted`` tells of a run ended by Ctrl-C.

    Raises KeyError for a name that it has not, and says which there are.

    >>> history = History()
    >>> history.append({"loss": 0.5, "val_loss": 0.6}); history.append({"loss": 0.25, "val_loss": 0.5})
    >>> history["loss"], history.best("val_loss")
    ([0.5, 0.25], 1)
    """

    def __init__(self, values: Mapping[str, list[float]] | None = None) -> None:
        self._values: dict[str, list[float]] = {name: list(v) for name, v in (values or {}).items()}
        self.interrupted = False

    def append(self, row: Mapping[str, float]) -> None:
        """Add the values of one epoch; a name that is new gets NaN for the epochs before."""
        epochs = self.epochs
        for name in {**self._values, **row}:
            self._values.setdefault(name, [float("nan")] * epochs).append(float(row.get(name, float("nan"))))

    @property
    def epochs(self) -> int:
        """Count the epochs."""
        return max((len(v) for v in self._values.values()), default=0)

    def best(self, name: str, mode: str = "min") -> int:
        """Return the epoch (from 0) with the smallest or, with ``mode="max"``, largest value."""
        if mode not in ("min", "max"):
            raise ArgumentError(f"History.best: mode must be 'min' or 'max', got {mode!r}.")
        values = [(v, i) for i, v in enumerate(self._values[name]) if not math.isnan(v)]
        if not values:
            raise ArgumentError(f"History.best: {name!r} has no value that is a number.")
        return min(values, key=lambda pair: pair[0] if mode == "min" else -pair[0])[1]

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._values:
            raise KeyError(f"no {name!r} in the history, which has {', '.join(self._values) or 'no epoch yet'}.")
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def plot(self, names: str | list[str] | None = None) -> Any:
        """Draw the curves with matplotlib, training and validation of one name in one panel, and give the figure."""
        names = [names] if isinstance(names, str) else names
        shown = names or [name for name in self if not name.startswith("val_")]
        unknown = [name for name in shown if name not in self]
        if unknown:
            there = ", ".join(self) or "no epoch yet"
            raise ArgumentError(f"History.plot: there is no {unknown[0]!r}; the history has {there}.")
        figure = new_figure("History.plot", 4.2 * max(1, len(shown)), 3.2)
        panels = figure.subplots(1, max(1, len(shown)), squeeze=False)[0]
        for panel, name in zip(panels, shown, strict=False):
            for key, style in ((name, "-"), (f"val_{name}", "--")):
                if key in self:
                    panel.plot(range(1, len(self[key]) + 1), self[key], style, label=key)
            panel.set(xlabel="epoch", title=name)
            panel.grid(alpha=0.3)
            panel.legend()
        return figure

    def __repr__(self) -> str:
        last = "  ".join(f"{printable(name)} {values[-1]:.4g}" for name, values in self._values.items() if values)
        return f"History({self.epochs} epochs{': ' + last if last else ''})"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(printable(name))}</th>" for name in self)
        rows = []
        for i in range(self.epochs):
            if self.epochs > 12 and 5 <= i < self.epochs - 6:
                if i == 5:
                    rows.append(f"<tr><td>⋮</td>{'<td>⋮</td>' * len(self)}</tr>")
                continue
            cells = "".join(f"<td>{values[i]:.4g}</td>" for values in self._values.values())
            rows.append(f"<tr><td>{i + 1}</td>{cells}</tr>")
        return f"<table><thead><tr><th>epoch</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _refuse_name(history: History, name: str) -> Any:
    """Raise for an attribute that a History has not; of its values it is itself the mapping."""
    said = f"'History' object has no attribute {name!r}"
    if name == "history" or name in vars(history).get("_values", ()):
        raise UnknownName(f"{said}: it is the mapping itself, history[{('loss' if name == 'history' else name)!r}].")
    raise UnknownName(f"{said}.", name, History)


setattr(History, "__getattr__", _refuse_name)  # noqa: B010  # so that type checkers refuse unknown names
