"""Measure how long ``import`` takes, each time in a fresh process."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Mapping

from benchmarks.client import environment
from benchmarks.environments import Peer

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
# what is measured: (peer whose Python and environment are used, statement)
STATEMENTS = {
    "numpy": ("chainrule", "numpy"),
    "chainrule autograd": ("chainrule", "autograd"),
    "chainrule autograd, nn": ("chainrule", "autograd, nn"),
    "PyTorch": ("torch", "torch"),
    "JAX": ("jax", "jax, jax.numpy"),
    "HIPS autograd": ("hips", "autograd, autograd.numpy"),
    "MyGrad": ("mygrad", "mygrad"),
}


def measure(peers: Mapping[str, Peer], rounds: int) -> dict[str, float | str]:
    """Return the median seconds of each import, or the problem."""
    wanted = {k: v for k, v in STATEMENTS.items() if v[0] in peers}
    samples: dict[str, list[float]] = {k: [] for k in wanted}
    problems: dict[str, str] = {}
    for round_number in range(rounds + 1):
        for name, (peer, statement) in wanted.items():
            if name in problems:
                continue
            try:
                seconds = once(peers[peer], statement)
            except subprocess.CalledProcessError as problem:
                problems[name] = (problem.stderr or "").strip().splitlines()[-1]
                continue
            if round_number:  # the first round compiles and warms the file cache
                samples[name].append(seconds)
    medians = {k: statistics.median(v) for k, v in samples.items() if v}
    return medians | problems


def once(peer: Peer, statement: str) -> float:
    """Import in a new process and return the seconds."""
    command = [str(peer.python), "-P", "-c", CODE.format(statement)]
    done = subprocess.run(command, env=environment(peer, 1), capture_output=True, text=True, check=True, cwd=os.sep)
    return float(done.stdout)
