"""Measure how time and memory grow: with graph size, width, depth, batch and sequence length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.catalogue import Workload
from benchmarks.rounds import Cell, Crew, measure, peak_memory


@dataclass(frozen=True)
class Curve:
    """Vary one size of one family; ``unit`` divides the time (ops, columns, layers, rows, steps)."""

    name: str
    family: str
    sizes: tuple[int, ...]
    make: Any  # size -> arguments of the family

    def workload(self, size: int) -> Workload:
        """Return the workload of one point."""
        return Workload(f"{self.name} {size}", self.family, "", self.make(size))


def mlp(layers: tuple[int, ...], batch: int = 64) -> dict[str, Any]:
    """Return the arguments of an MLP of the growth curves."""
    return {"layers": layers, "batch": batch, "count": 1}


CURVES = [
    Curve("graph size", "chain", (1_000, 10_000, 100_000, 1_000_000), lambda n: {"ops": n}),
    Curve("width", "mlp", (32, 64, 128, 256, 512, 1024), lambda n: mlp((n, n, n, 10))),
    Curve("depth", "mlp", (2, 4, 8, 16, 32, 64), lambda n: mlp((64,) * n + (10,))),
    Curve("batch", "mlp", (1, 8, 64, 512, 4096), lambda n: mlp((64, 64, 64, 10), n)),
    Curve("sequence length", "lstm", (10, 25, 50, 100, 200), lambda n: {"steps": n}),
]
QUICK = {"graph size": (1_000, 10_000, 100_000), "width": (32, 128, 512), "depth": (2, 8, 32)}

Points = dict[int, dict[str, Cell]]


def sizes(curve: Curve, quick: bool) -> tuple[int, ...]:
    """Return the points of a curve, fewer in a quick run."""
    return QUICK.get(curve.name, curve.sizes[:-1]) if quick else curve.sizes


def times(curve: Curve, crew: Crew, quick: bool) -> Points:
    """Return the cells of every point of a curve."""
    return {size: measure(curve.workload(size), crew) for size in sizes(curve, quick)}


def bytes_per_op(crew: Crew, quick: bool) -> dict[int, dict[str, float | str]]:
    """Return peak memory per op of chains, where it is large against a page."""
    curve = CURVES[0]
    out: dict[int, dict[str, float | str]] = {}
    for size in sizes(curve, quick)[1:]:
        out[size] = {}
        for name, peer in crew.peers.items():
            peak = peak_memory(curve.workload(size), peer, crew.settings, crew.log)
            out[size][name] = peak if isinstance(peak, str) else peak / size
    return out
