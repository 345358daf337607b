"""Run one peer in a process of its own: a JSON request per line in, a JSON answer per line out.

Start it as ``python -P worker.py PEER``. The package ``benchmarks`` is loaded from its folder and
the project root stays off ``sys.path``, because PyPI's HIPS ``autograd`` has our import name;
only the chainrule peer is given the root, by PYTHONPATH.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

Answer = dict[str, Any]


def load_package() -> None:
    """Import this folder as the package ``benchmarks`` without a new entry on ``sys.path``."""
    here = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "benchmarks", here / "__init__.py", submodule_search_locations=[str(here)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load {here}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["benchmarks"] = module
    spec.loader.exec_module(module)


class Worker:
    """Hold the peer's module and the workload that is set up now."""

    def __init__(self, module: str) -> None:
        load_package()
        self.memory = importlib.import_module("benchmarks.memory")
        catalogue = importlib.import_module("benchmarks.catalogue")
        self.families = catalogue.FAMILIES
        self.peer: ModuleType = importlib.import_module(f"benchmarks.peers.{module}")
        self.resident = self.memory.resident()
        self.step: Callable[[], Any] = lambda: None

    def hello(self) -> Answer:
        """Report versions."""
        return {"versions": {"python": sys.version.split()[0], **self.peer.versions()}}

    def build(self, family: str, sizes: dict[str, Any]) -> Answer:
        """Set up one workload, or say why it is not available."""
        self.step = lambda: None
        gc.collect()
        builder = self.peer.BUILDERS.get(family)
        if builder is None:
            return {"error": "not written for this peer"}
        self.step = builder(self.families[family].make(**sizes))
        return {}

    def check(self, steps: int) -> Answer:
        """Make the first steps and return what they gave: losses, then parts of a gradient."""
        values = [numbers(self.peer, self.step()) for _ in range(steps)]
        return {"values": values}

    def time(self, seconds: float, chunk: float = 2e-4) -> Answer:
        """Repeat the step for about ``seconds``; return the mean and the median per step.

        Steps are timed in chunks of at least ``chunk`` seconds. The mean counts what a step costs in
        the long run: pauses of Python's garbage collector too, which the median step does not see.
        """
        count = 1
        while (once := self.run(count)) < chunk and count < 1_000:
            count *= 2
        samples = [self.run(count) for _ in range(max(1, min(2_000, round(seconds / once))))]
        mean = sum(samples) / len(samples)
        return {"seconds": mean / count, "median": statistics.median(samples) / count}

    def run(self, count: int) -> float:
        """Make ``count`` steps, wait for the last, and return the seconds."""
        started = time.perf_counter()
        for _ in range(count - 1):
            self.step()
        self.wait(self.step())
        return time.perf_counter() - started

    def first(self) -> Answer:
        """Return the seconds of the next step, which is the first if nothing was asked before."""
        return {"seconds": self.run(1)}

    def peak(self, steps: int) -> Answer:
        """Return the peak of resident memory over ``steps`` steps, above that after import."""
        gc.collect()
        self.memory.reset_peak()
        for _ in range(steps):
            self.wait(self.step())
        return {"bytes": max(0, self.memory.peak() - self.resident)}

    def call(self, name: str) -> Answer:
        """Run one of the peer's own measurements, by name."""
        answer: Answer = getattr(self.peer, name)()
        return answer

    def wait(self, result: Any) -> None:
        """Wait until ``result`` has been computed (JAX answers before it is done)."""
        first = result[0] if isinstance(result, tuple) else result
        if hasattr(first, "block_until_ready"):
            first.block_until_ready()


def numbers(peer: ModuleType, result: Any) -> list[float]:
    """Turn a loss, or (loss, gradient or a function that reads it), into a few floats."""
    parts = result if isinstance(result, tuple) else (result,)
    out: list[float] = []
    for part in parts:
        array = peer.as_array(part() if callable(part) else part).reshape(-1)
        stride = max(1, array.size // 20)
        out += [float(value) for value in array[::stride]]
    return out


def answer_to(worker: Worker, request: dict[str, Any]) -> Answer:
    """Do what one request asks; an exception becomes an answer."""
    try:
        answer: Answer = getattr(worker, request.pop("do"))(**request)
        return answer
    except Exception as problem:
        traceback.print_exc()
        text = str(problem).strip().splitlines() or [""]
        return {"error": f"{type(problem).__name__}: {text[0][:200]}"}


def serve(module: str, replies: TextIO) -> None:
    """Answer requests until standard input ends."""
    try:
        worker = Worker(module)
    except Exception as problem:
        traceback.print_exc()
        print(json.dumps({"error": f"{type(problem).__name__}: {problem}"}), file=replies)
        return
    print(json.dumps(worker.hello()), file=replies, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer_to(worker, json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    # Whatever a library prints goes to standard error; answers have the old standard output.
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        serve(sys.argv[1], answers)
