"""Start ranks for a test: ``mpiexec`` with a time limit, one thread each."""

import os
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import beside

ROOT = Path(__file__).parents[3]
SOON = 20  # seconds from a failure to the end of the job, on a machine that does other things too
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
PRELUDE = """
import os, signal, sys, time
import numpy as np
import nn
from nn.distributed import DistributedTrainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(103, 5)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int)


def trainer(*callbacks, model=None, loss=None, **options):
    parts = (nn.Linear(5, 8, rng=1), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3, rng=2), nn.Linear(8, 2, rng=3))
    model = model or nn.Sequential(*parts)
    adam = nn.optim.Adam(model.parameters(), lr=options.pop("lr", 0.01))
    schedule = nn.LRSchedule(nn.optim.ExponentialLR(adam, 0.99), per="step")
    options = {"callbacks": [schedule, *callbacks], "metrics": ["accuracy"], **options}
    return DistributedTrainer(model, loss or nn.CrossEntropyLoss(), adam, **options)


class On(nn.Callback):
    def __init__(self, event, act):
        setattr(self, event, act)
"""


@dataclass
class Run:
    """Hold what a run gave."""

    code: int
    out: str
    err: str
    ended: float  # time.time()


def command(ranks: int, script: Path, *arguments: str, module: str = "mpi4py") -> list[str]:
    """Give the words of a command; warnings are errors where it is started as it should be."""
    start = [beside("mpiexec") or "mpiexec", "-n", str(ranks)] if ranks else []
    python = [sys.executable, *(["-W", "error"] if module else []), *(["-m", module] if module and ranks else [])]
    return [*start, *python, str(script), *arguments]


def environment(**more: str) -> dict[str, str]:
    """Give one thread per rank, and bytecode that is kept: ranks start by the dozen."""
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "", **more}


def write(folder: Path, code: str, name: str = "train.py") -> Path:
    script = folder / name
    script.write_text(PRELUDE + textwrap.dedent(code), encoding="utf-8")
    return script


def run(ranks: int, script: Path, *arguments: str, module: str = "mpi4py", timeout: float = 180, **env: str) -> Run:
    """Run a program on so many ranks (0: without mpiexec); raise where it takes too long, as a hang would."""
    with subprocess.Popen(
        command(ranks, script, *arguments, module=module), cwd=script.parent, env=environment(**env),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.terminate()  # mpiexec takes its ranks along
            out, err = process.communicate(timeout=10)
            raise AssertionError(f"still running after {timeout} s\n{out}\n{err}") from None
    return Run(process.returncode, out, err, time.time())
