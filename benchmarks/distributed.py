"""What data-parallel training costs and brings: ``python -m benchmarks.distributed`` (extra ``mpi``, an ``mpiexec``).

Every round starts one rank, then two (one thread each), on the same models and the same batches. Two ranks first do
their halves of the work without a word to each other: that is what the machine can give, whatever else it does then. A
time is the median step of a run, a ratio the median of the ratios within the rounds. Then the model on paper.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import nn
from nn.distributed import DistributedTrainer

ROOT = Path(__file__).parent.parent
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
# name: (layer sizes, samples in a batch over all ranks)
MODELS = {
    "digits": ([64, 64, 10], 64),
    "digits, large batch": ([64, 64, 10], 1024),
    "10^5 parameters": ([256, 256, 128, 10], 256),
    "10^6 parameters": ([784, 800, 400, 10], 512),
    "10^7 parameters": ([1024, 2400, 2400, 700, 10], 512),
}
COUNTS = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)


class Clock(nn.Callback):
    """Note when each step ended."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_batch_end(self, trainer: Any) -> None:
        self.ends.append(time.perf_counter())


def steps(sizes: list[int], batch: int, seconds: float, comm: Any = None) -> dict[str, float]:
    """Train for about so many seconds; give the median step and the median time within it spent on the exchange."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4 * batch, sizes[0])).astype(np.float32)
    y = rng.integers(0, sizes[-1], len(x))
    model = nn.MLP(sizes[0], sizes[1:], rng=0)
    clock, spent = Clock(), []
    optimizer = nn.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    trainer = DistributedTrainer(model, nn.CrossEntropyLoss(), optimizer, callbacks=[clock], comm=comm)
    trainer.fit(x, y, batch_size=batch, epochs=1, rng=0, progress=False)
    per_step = trainer.world.from_first(lambda: median(np.diff(clock.ends)))
    if trainer.size > 1:
        exchange = trainer._exchange
        inner = exchange.world.add

        def timed(array: Any) -> None:
            began = time.perf_counter()
            inner(array)
            spent.append(time.perf_counter() - began)

        trainer.world.add = timed  # type: ignore[method-assign]
    epochs = max(2, round(seconds / per_step / 4))
    clock.ends.clear()
    trainer.fit(x, y, batch_size=batch, epochs=epochs, rng=0, progress=False)
    parameters = sum(p.size for p in model.parameters())
    step = float(np.median(np.diff(clock.ends)))
    return {"parameters": parameters, "step": step, "exchange": float(np.median(spent)) if spent else 0.0}


def sums(seconds: float) -> dict[str, float]:
    """Time the sum of float32 arrays over the ranks, as the exchange makes it."""
    model = nn.Linear(1, 1)
    trainer = DistributedTrainer(model, nn.MSELoss(), nn.optim.SGD(model.parameters(), lr=1.0))
    found = {}
    for count in COUNTS:
        array, times = np.ones(count, np.float32), []
        for _ in range(max(5, min(200, int(seconds * 5e7 / count)))):
            trainer.world.comm.Barrier()
            began = time.perf_counter()
            trainer.world.add(array)
            times.append(time.perf_counter() - began)
        found[str(count)] = float(np.median(times))
    return found


def rank(seconds: float) -> None:
    """Measure as one of the ranks; rank 0 prints the numbers."""
    from mpi4py import MPI

    world = MPI.COMM_WORLD
    found: dict[str, Any] = {}
    for name, (sizes, batch) in MODELS.items():
        world.Barrier()
        silent = steps(sizes, batch // world.size, seconds, MPI.COMM_SELF)["step"]
        world.Barrier()
        found[name] = {**steps(sizes, batch, seconds), "silent": silent}
    found["sums"] = sums(seconds)
    if world.rank == 0:
        print(json.dumps(found))


def start(ranks: int, seconds: float) -> dict[str, Any]:
    """Run this file on so many ranks."""
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    mpiexec = shutil.which("mpiexec", path=here)
    if mpiexec is None:
        sys.exit("no mpiexec: pip install mpich")
    words = [mpiexec, "-n", str(ranks), sys.executable, "-m", "mpi4py", __file__, "--rank", "--seconds", str(seconds)]
    said = subprocess.run(words, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def report(rounds: list[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    """Print the two tables of what was measured."""
    print("| model | parameters | batch | 1 rank | 2 ranks | speed-up | of what two silent ranks reach | exchange |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, (_, batch) in MODELS.items():
        pairs = [(one[name], two[name]) for one, two in rounds]
        count = int(pairs[0][0]["parameters"])
        a, b = (median([pair[i]["step"] * 1e3 for pair in pairs]) for i in (0, 1))
        gain = median([one["step"] / two["step"] for one, two in pairs])
        reached = median([two["silent"] / two["step"] for _, two in pairs])
        share = median([two["exchange"] / two["step"] for _, two in pairs])
        print(f"| {name} | {count:,} | {batch} | {a:.2f} ms | {b:.2f} ms | {gain:.2f} | {reached:.0%} | {share:.0%} |")
    print("\n| float32 numbers | sum over 2 ranks |\n|--:|--:|")
    for count in COUNTS:
        print(f"| {count:,} | {median([two['sums'][str(count)] * 1e3 for _, two in rounds]):.3f} ms |")


def on_paper(parameters: int, compute: float, latency: float, bandwidth: float, ranks: int) -> tuple[float, float]:
    """Give (time of a ring Allreduce, efficiency) where every rank computes ``compute`` seconds per step.

    A ring takes 2 (N - 1) messages of n / N numbers: T = 2 (N - 1) (α + 4 n / (N β)); nothing overlaps.
    """
    ring = 2 * (ranks - 1) * (latency + 4 * parameters / (ranks * bandwidth))
    return ring, compute / (compute + ring)


def paper(latency: float, bandwidth: float, compute: float) -> None:
    """Print the model for 8 to 1,024 ranks."""
    sizes = (10**5, 10**6, 10**7, 10**8)
    print(f"\nα = {latency * 1e6:g} µs, β = {bandwidth / 1e9:g} GB/s, {compute * 1e3:g} ms of work per rank and step\n")
    print("| ranks | " + " | ".join(f"{n:,} parameters" for n in sizes) + " |")
    print("|--:|" + "--:|" * len(sizes))
    for ranks in (8, 16, 32, 64, 128, 256, 512, 1024):
        cells = [on_paper(n, compute, latency, bandwidth, ranks) for n in sizes]
        print(f"| {ranks:,} | " + " | ".join(f"{ring * 1e3:.2f} ms, {share:.0%}" for ring, share in cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="per model and run")
    parser.add_argument("--latency", type=float, default=2e-6, help="of a message between two machines, in seconds")
    parser.add_argument("--bandwidth", type=float, default=10e9, help="between two machines, in bytes per second")
    parser.add_argument("--work", type=float, default=0.05, help="seconds of forward and backward per rank and step")
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.rank:
        rank(arguments.seconds)
        return
    rounds = [(start(1, arguments.seconds), start(2, arguments.seconds)) for _ in range(arguments.rounds)]
    report(rounds)
    paper(arguments.latency, arguments.bandwidth, arguments.work)


if __name__ == "__main__":
    main()
