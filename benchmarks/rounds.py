"""Measure workloads in interleaved rounds: A B C A B C, every peer in its own process.

A process lives through all rounds of one workload, and no longer.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.catalogue import FAMILIES, Workload
from benchmarks.client import Client, Unavailable
from benchmarks.environments import Peer

SLOW = ("hips", "mygrad", "micrograd")  # engines that need or fail at 10^6 nodes: one round is enough


@dataclass
class Cell:
    """Hold what one peer gave for one workload: seconds per step in each round, or the problem."""

    rounds: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)
    problem: str = ""

    @property
    def seconds(self) -> float | None:
        """Return the median over the rounds."""
        return statistics.median(self.rounds) if self.rounds else None


@dataclass
class Settings:
    """Say how long to measure."""

    rounds: int = 7
    seconds: float = 0.5
    threads: int = 1
    timeout: float = 300.0


class Crew:
    """Keep one worker per peer and start it again when it has died."""

    def __init__(self, peers: Iterable[Peer], settings: Settings, log: Path) -> None:
        self.peers = {peer.name: peer for peer in peers}
        self.settings, self.log = settings, log
        self.clients: dict[str, Client] = {}
        self.versions: dict[str, dict[str, str]] = {}

    def client(self, name: str) -> Client:
        """Return a living worker of the peer."""
        known = self.clients.get(name)
        if known is not None and known.alive():
            return known
        if known is not None:
            known.close()
        settings = self.settings
        made = Client(self.peers[name], settings.threads, self.log, settings.timeout)
        self.clients[name] = made
        self.versions[name] = made.versions
        return made

    def close(self) -> None:
        """End all workers."""
        for client in self.clients.values():
            client.close()
        self.clients.clear()


def measure(workload: Workload, crew: Crew) -> dict[str, Cell]:
    """Check that all peers do the same work, then time them in turn."""
    crew.close()  # what ran before changes malloc's thresholds: every workload has new processes
    cells = {name: Cell() for name in crew.peers}
    values: dict[str, list[list[float]]] = {}
    for name, cell in cells.items():
        try:
            crew.client(name).build(workload)
        except Unavailable as problem:
            cell.problem = f"not available: {problem}"
            continue
        try:
            steps = FAMILIES[workload.family].check_steps
            values[name] = crew.client(name).ask("check", steps=steps)["values"]
        except Unavailable as problem:
            cell.problem = f"failed: {problem}"
    compare(workload, values, cells)
    active = [name for name, cell in cells.items() if not cell.problem]
    for round_number in range(crew.settings.rounds):
        for name in active:
            if round_number == 0 or not (workload.name == "chain" and name in SLOW):
                sample(cells[name], crew, name)
    return cells


def sample(cell: Cell, crew: Crew, name: str) -> None:
    """Add one round to a cell; a peer that fails now keeps its problem."""
    if cell.problem:
        return
    try:
        answer = crew.client(name).ask("time", seconds=crew.settings.seconds)
    except Unavailable as problem:
        cell.problem = f"failed: {problem}"
        cell.rounds.clear()
        return
    cell.rounds.append(answer["seconds"])
    cell.medians.append(answer["median"])


def compare(workload: Workload, values: dict[str, list[list[float]]], cells: dict[str, Cell]) -> None:
    """Mark every peer whose first losses differ from the first peer's (hand-written NumPy)."""
    if len(values) < 2:
        return
    reference, *others = values
    expected = values[reference]
    for name in others:
        words = difference(expected, values[name], FAMILIES[workload.family].rtol)
        if words:
            cells[name].problem = f"losses differ from {reference}: {words}"


def difference(expected: list[list[float]], got: list[list[float]], rtol: float) -> str:
    """Say where two runs differ by more than ``rtol`` of the largest number, or nothing."""
    for step, (left, right) in enumerate(zip(expected, got, strict=True)):
        a, b = np.array(left), np.array(right)
        if a.shape != b.shape:
            return f"step {step} gave {b.size} numbers instead of {a.size}"
        # the loss (first) and the gradient (the others) have scales of their own
        for x, y in ((a[:1], b[:1]), (a[1:], b[1:])):
            if x.size and not np.abs(x - y).max() <= rtol * max(np.abs(x).max(), 1e-12):
                return f"step {step}: {b[:3].tolist()} instead of {a[:3].tolist()}"
    return ""


def fresh(workload: Workload, peer: Peer, settings: Settings, log: Path, do: str, **request: Any) -> Any:
    """Ask a fresh process, in which the workload is set up, for one thing; return its answer, or the problem."""
    try:
        client = Client(peer, settings.threads, log, settings.timeout)
    except Unavailable as problem:
        return str(problem)
    try:
        client.build(workload)
        return client.ask(do, **request)
    except Unavailable as problem:
        return str(problem)
    finally:
        client.close()


def peak_memory(workload: Workload, peer: Peer, settings: Settings, log: Path) -> int | str:
    """Return peak bytes above import over some steps in a fresh process, or the problem."""
    answer = fresh(workload, peer, settings, log, "peak", steps=1 if workload.family == "chain" else 5)
    return answer if isinstance(answer, str) else int(answer["bytes"])


def first_step(workload: Workload, peer: Peer, settings: Settings, log: Path) -> float | str:
    """Return the median seconds of the first step in fresh processes, or the problem."""
    answers = [fresh(workload, peer, settings, log, "first") for _ in range(settings.rounds)]
    problem = next((answer for answer in answers if isinstance(answer, str)), None)
    return problem or statistics.median(answer["seconds"] for answer in answers)


def ratio(cells: dict[str, Cell], name: str, against: str) -> float | None:
    """Return the median over rounds of the ratio of two peers in the same round."""
    mine, other = cells.get(name, Cell()), cells.get(against, Cell())
    if not mine.rounds or not other.rounds or mine.problem or other.problem:
        return None
    return statistics.median(a / b for a, b in zip(mine.rounds, other.rounds, strict=False))
