"""Run the benchmarks and print (and write) their table."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import growth, imports, report, results
from benchmarks.catalogue import SHAPES, TABLE, WORKLOADS, Workload
from benchmarks.client import Unavailable
from benchmarks.environments import OWN, PEERS, Peer, prepare_home, prepared
from benchmarks.results import Results
from benchmarks.rounds import Cell, Crew, Settings, first_step, measure, peak_memory

SECTIONS = ("times", "memory", "imports", "growth", "saved", "first")
FIRST = ("chainrule", "compiled", "torch-fused", "jax")
HEAVY = ("mlp_mnist", "cnn", "transformer", "chain")


def say(text: str) -> None:
    """Report progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def parser() -> argparse.ArgumentParser:
    """Make the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument(
        "--peers",
        nargs="+",
        choices=list(PEERS),
        default=list(OWN),
        metavar="PEER",
        help=f"which of {', '.join(PEERS)} (default: {' '.join(OWN)})",
    )
    made.add_argument("--all-peers", action="store_true", help="all of them")
    made.add_argument(
        "--workloads",
        nargs="+",
        choices=list(WORKLOADS),
        metavar="NAME",
        default=list(WORKLOADS),
        help=f"which of {', '.join(WORKLOADS)}",
    )
    made.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    made.add_argument("--threads", nargs="+", type=int, default=[1], help="thread counts")
    made.add_argument("--rounds", type=int, default=7)
    made.add_argument("--seconds", type=float, default=0.5, help="per peer, workload and round")
    made.add_argument("--timeout", type=float, default=300.0, help="seconds before a peer is given up")
    made.add_argument("--quick", action="store_true", help="3 rounds of 0.1 s, short growth curves")
    made.add_argument(
        "--python",
        nargs="+",
        default=[],
        metavar="PEER=PATH",
        help="use this Python for a peer instead of an environment under .bench/",
    )
    made.add_argument("--output", type=Path, help="also write the page to this file")
    return made  # fmt: skip


def peers_of(options: argparse.Namespace) -> dict[str, Peer]:
    """Prepare the environments of the wanted peers, NumPy (the reference) first."""
    wanted = list(PEERS) if options.all_peers else [p for p in PEERS if p in options.peers]
    pythons = {k: Path(v) for k, v in (item.split("=", 1) for item in options.python)}
    made = {}
    for name in wanted:
        say(f"preparing {name}")
        try:
            made[name] = prepared(name, pythons)
        except (subprocess.CalledProcessError, OSError) as problem:
            say(f"no environment for {name}, left out: {problem}")
    return made


def run_times(found: Results, crew: Crew, workloads: Sequence[Workload]) -> None:
    """Time every workload with one crew."""
    rows: dict[str, dict[str, Cell]] = {}
    found.times[crew.settings.threads] = rows
    everyone = crew.peers
    for workload in workloads:
        # without an optimizer both kinds of PyTorch do the same: measure one
        twice = not workload.optimizer and {"torch", "torch-fused"} <= everyone.keys()
        crew.peers = {k: v for k, v in everyone.items() if not (twice and k == "torch")}
        rows[workload.name] = cells = measure(workload, crew)
        if twice:
            cells["torch"] = cells["torch-fused"]
        shown = (f"{k} {report.microseconds(v)}" for k, v in cells.items() if not v.problem)
        say(f"{workload.name}: {', '.join(shown)}")
    crew.peers = everyone


def run_memory(found: Results, crew: Crew, workloads: Sequence[Workload]) -> None:
    """Measure the peak of the heavy workloads, each in a fresh process."""
    for workload in workloads:
        if workload.name in HEAVY:
            found.memory[workload.name] = {
                name: peak_memory(workload, peer, crew.settings, crew.log) for name, peer in crew.peers.items()
            }
            say(f"memory of {workload.name} done")


def run_growth(found: Results, crew: Crew, quick: bool) -> None:
    """Measure the growth curves of chainrule, NumPy and PyTorch."""
    few = {k: v for k, v in crew.peers.items() if k in (*OWN, "torch-fused")}
    everyone, crew.peers = crew.peers, few
    for curve in growth.CURVES:
        found.growth[curve.name] = growth.times(curve, crew, quick)
        say(f"growth with {curve.name} done")
    found.chain_bytes = growth.bytes_per_op(crew, quick)
    crew.peers = everyone


def run_saved(found: Results, crew: Crew) -> None:
    """Count what ten chained ops of chainrule keep."""
    try:
        found.saved = crew.client("chainrule").ask("call", name="saved_memory")["rows"]
    except Unavailable as problem:
        found.saved = f"not available: {problem}"


def run_first(found: Results, crew: Crew, workloads: Sequence[Workload]) -> None:
    """Time the first step of each workload, in which a compiler traces and writes, and what tracing itself takes."""
    chosen = {k: v for k, v in crew.peers.items() if k in FIRST}
    for workload in workloads:
        if workload.name != "chain":
            found.first[workload.name] = {
                name: first_step(workload, peer, crew.settings, crew.log) for name, peer in chosen.items()
            }
            say(f"first step of {workload.name} done")
    if "compiled" in crew.peers:
        try:
            found.tracing = crew.client("compiled").ask("call", name="tracing")["rows"]
        except Unavailable as problem:
            found.tracing = f"not available: {problem}"


def run(options: argparse.Namespace) -> Results:
    """Measure all that is asked for."""
    home = prepare_home()
    peers = peers_of(options)
    found = Results(list(peers), results.command(), results.machine())
    workloads = [w for w in (*TABLE, *SHAPES) if w.name in options.workloads]
    rounds, seconds = (3, 0.1) if options.quick else (options.rounds, options.seconds)
    for threads in options.threads:
        settings = Settings(rounds, seconds, threads, options.timeout)
        crew = Crew(peers.values(), settings, home / "workers.log")
        try:
            if "times" in options.sections:
                run_times(found, crew, workloads)
            if threads == 1:
                run_rest(found, crew, options, workloads)
        finally:
            crew.close()
        found.versions |= crew.versions
    if "imports" in options.sections:
        found.imports = imports.measure(peers, rounds)
    found.save(home / "results.json")
    return found


def run_rest(found: Results, crew: Crew, options: argparse.Namespace, workloads: Sequence[Workload]) -> None:
    """Measure memory, growth and saved arrays, once and on one thread."""
    if "memory" in options.sections:
        run_memory(found, crew, workloads)
    if "growth" in options.sections:
        run_growth(found, crew, options.quick)
    if "saved" in options.sections and "chainrule" in crew.peers:
        run_saved(found, crew)
    if "first" in options.sections:
        run_first(found, crew, workloads)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the page, and return 1 if any peer's losses differ from the reference."""
    options = parser().parse_args(arguments)
    found = run(options)
    page = report.page(found)
    print(page)
    if options.output:
        options.output.write_text(page, encoding="utf-8")
    for line in found.mismatches():
        say(f"mismatch: {line}")
    return 1 if found.mismatches() else 0


if __name__ == "__main__":
    sys.exit(main())
