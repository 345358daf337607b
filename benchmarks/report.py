"""Turn the results of a run into one Markdown page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from benchmarks.bars import (
    CHAIN_BYTES,
    CHAIN_GROWTH,
    COMPILED,
    FIRST_SECONDS,
    IMPORT_SECONDS,
    LIMITS,
    MEANS,
    NOT_IN_MEANS,
    TRACE_SECONDS,
)
from benchmarks.catalogue import SHAPES, TABLE, WORKLOADS
from benchmarks.environments import PEERS
from benchmarks.growth import Points
from benchmarks.results import Results, Value
from benchmarks.rounds import Cell, ratio

MET, MISSED = "met", "**missed**"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Format a Markdown table, numbers to the right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (head, marks, *rows)]


def verdict(value: float | None, limit: float | None) -> str:
    """Format a ratio with its bar."""
    if value is None:
        return "–" if limit is None else f"not measured (≤ {limit:g})"
    if limit is None:
        return f"{value:.2f}"
    return f"{value:.2f} (≤ {limit:g}, {MET if value <= limit else MISSED})"


def microseconds(cell: Cell | None) -> str:
    """Format the time of one cell."""
    if cell is None:
        return ""
    if cell.problem:
        return "n/a" if cell.problem.startswith("not available") else "**fails**"
    seconds = cell.seconds
    return "" if seconds is None else number(seconds * 1e6)


def number(value: float) -> str:
    """Format a number with three or four meaningful digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def times(results: Results, threads: int, names: Sequence[str]) -> list[str]:
    """Show microseconds per step, one row per workload, one column per peer."""
    rows = results.times[threads]
    head = ["workload (µs per step)", *(PEERS[p].title for p in results.peers)]
    body = [
        [f"{name}: {WORKLOADS[name].text}", *(microseconds(rows[name].get(p)) for p in results.peers)] for name in names
    ]
    return table(head, body)


def compiled_bars(results: Results, names: Sequence[str]) -> list[str]:
    """Show the ratios of compiled functions to the peers beside their bars, and the geometric means."""
    rows = results.times[1]
    against = [p for p in ("numpy", "jax", "torch-fused", "micrograd") if p in results.peers]
    head = ["compiled ÷", *(PEERS[p].title for p in against)]
    body = [
        [name, *(verdict(ratio(rows[name], "compiled", p), COMPILED.get((name, p, "time"))) for p in against)]
        for name in names
    ]
    means = []
    for peer in against:
        counted = [n for n in names if n not in NOT_IN_MEANS and (peer, n) != ("jax", "scalar")]
        found = [r for r in (ratio(rows[n], "compiled", peer) for n in counted) if r]
        mean = math.exp(math.fsum(map(math.log, found)) / len(found)) if len(found) == len(counted) else None
        means.append(verdict(mean, MEANS.get(peer)) if found else "–")
    return table(head, [*body, ["geometric mean", *means]])


def bars(results: Results, names: Sequence[str]) -> list[str]:
    """Show the ratios of chainrule to the peers beside their bars, in time and in memory."""
    rows = results.times[1]
    against = [p for p in ("torch-fused", "jax", "numpy", "micrograd") if p in results.peers]
    heavy = [p for p in ("torch-fused", "numpy") if p in results.peers]
    head = ["chainrule ÷", *(PEERS[p].title for p in against)]
    head += [f"memory ÷ {PEERS[p].title}" for p in heavy]
    body = []
    for name in names:
        cells = [verdict(ratio(rows[name], "chainrule", p), LIMITS.get((name, p, "time"))) for p in against]
        cells += [verdict(memory_ratio(results, name, p), LIMITS.get((name, p, "memory"))) for p in heavy]
        body.append([name, *cells])
    return table(head, body)


def memory_ratio(results: Results, name: str, against: str) -> float | None:
    """Return chainrule's peak memory above import over a peer's."""
    row = results.memory.get(name, {})
    mine, other = row.get("chainrule"), row.get(against)
    if isinstance(mine, str) or isinstance(other, str) or not mine or not other:
        return None
    return mine / other


def memory(results: Results) -> list[str]:
    """Show peak memory above import in MB."""
    head = ["workload (peak MB above import)", *(PEERS[p].title for p in results.peers)]
    body = [[name, *(megabytes(row.get(p)) for p in results.peers)] for name, row in results.memory.items()]
    return table(head, body)


def megabytes(value: Value | None) -> str:
    """Format bytes, or the fact that there are none."""
    if value is None or isinstance(value, str):
        return "" if value is None else "n/a"
    return f"{value / 1e6:.1f}"


def imports(results: Results) -> list[str]:
    """Show import times and the bar of ours beyond NumPy's own."""
    rows = [[k, v if isinstance(v, str) else f"{v * 1e3:.0f}"] for k, v in results.imports.items()]
    lines = table(["import", "ms"], rows)
    ours, numpy = results.imports.get("chainrule autograd"), results.imports.get("numpy")
    if isinstance(ours, float) and isinstance(numpy, float):
        beyond = ours - numpy
        word = MET if beyond <= IMPORT_SECONDS else MISSED
        lines += ["", f"`import autograd` beyond NumPy: {beyond * 1e3:.0f} ms (≤ 25, {word})."]
    return lines


def growth(results: Results) -> list[str]:
    """Show the curves: microseconds per step, per op for graph size."""
    lines: list[str] = []
    for curve, points in results.growth.items():
        peers = list(next(iter(points.values())))
        per_op = curve == "graph size"
        unit = "µs per op" if per_op else "µs per step"
        head = [f"{curve} ({unit})", *(PEERS[p].title for p in peers)]
        body = []
        for size, cells in points.items():
            scale = 1e6 / size if per_op else 1e6
            seconds = [cells[p].seconds for p in peers]
            body.append([f"{size:,}", *("n/a" if s is None else number(s * scale) for s in seconds)])
        lines += [*table(head, body), ""]
        lines += [chain_line(results) if per_op else exponents(points, peers), ""]
    if results.chain_bytes:
        lines += chain_bytes(results)
    return lines


def exponents(points: Points, peers: Sequence[str]) -> str:
    """Say with which power of the size the time grows over the last step of a curve."""
    (small, before), (large, after) = list(points.items())[-2:]
    words = []
    for peer in peers:
        a, b = before[peer].seconds, after[peer].seconds
        if a and b:
            power = math.log(b / a) / math.log(large / small)
            words.append(f"{PEERS[peer].title} {power:.2f}")
    return f"Power of the size from {small:,} to {large:,}: {', '.join(words)}."


def chain_line(results: Results) -> str:
    """Compare a chain of 10^6 ops with one of 10^4, per op."""
    points = results.growth["graph size"]
    short, long = (points.get(n, {}).get("chainrule", Cell()).seconds for n in (10_000, 1_000_000))
    if short is None or long is None:
        return f"10^6 against 10^4 ops, per op: not measured (≤ {CHAIN_GROWTH:g})."
    return f"10^6 against 10^4 ops, per op: {verdict(long / short / 100, CHAIN_GROWTH)}."


def chain_bytes(results: Results) -> list[str]:
    """Show the memory of chains per op and the bar."""
    peers = list(next(iter(results.chain_bytes.values())))
    body = [
        [f"{size:,}", *(v if isinstance(v := row[p], str) else number(v) for p in peers)]
        for size, row in results.chain_bytes.items()
    ]
    lines = table(["graph size (peak bytes per op)", *(PEERS[p].title for p in peers)], body)
    value = results.chain_bytes.get(1_000_000, {}).get("chainrule")
    if isinstance(value, float):
        word = MET if value <= CHAIN_BYTES else MISSED
        lines += ["", f"Chain of 10^6 ops: {value:.0f} bytes per op (≤ {CHAIN_BYTES:.0f}, {word})."]
    return lines


def saved(results: Results) -> list[str]:
    """Show how many 10 MB arrays ten chained ops keep."""
    if isinstance(results.saved, str):
        return [results.saved]
    body = []
    for op, row in results.saved.items():
        kept, after = row["forward"], row["after backward"]
        word = MET if abs(kept - row["expected"]) < 0.5 and after < 1.5 else MISSED
        body.append([op, f"{row['expected']}", f"{kept:.1f} ({word})", f"{after:.1f}"])
    head = ["ten chained", "arrays its rule names (and the result)", "kept", "after backward (the result)"]
    return table(head, body)


def first(results: Results) -> list[str]:
    """Show the seconds of the first step, what compiling adds to it, and the programs that are kept."""
    peers = list(next(iter(results.first.values())))
    body = []
    for name, row in results.first.items():
        plain, compiled = row.get("chainrule"), row.get("compiled")
        both = isinstance(plain, float) and isinstance(compiled, float)
        more = verdict(compiled - plain, FIRST_SECONDS) if both else "–"  # type: ignore[operator]
        body.append([name, *(f"{v:.3f}" if isinstance(v := row[p], float) else "n/a" for p in peers), more])
    lines = table(["first step (s)", *(PEERS[p].title for p in peers), "compiled − chainrule"], body)
    if isinstance(results.tracing, dict):
        found = results.tracing
        lines += ["", f"First call of a function of 10^4 ops: {verdict(found['seconds'], TRACE_SECONDS)} s."]
        lines += [f"Memory from the 100th to the 200th shape: {found['grown'] / 1e6:.1f} MB more."]
    return lines


def problems(results: Results) -> list[str]:
    """List why cells are empty."""
    lines = [
        f"- {workload}, {PEERS[name].title}, {threads} threads: {cell.problem}"
        for threads, rows in results.times.items()
        for workload, cells in rows.items()
        for name, cell in cells.items()
        if cell.problem and "not written for this peer" not in cell.problem
    ]
    return lines or ["None."]


def pauses(results: Results, names: Sequence[str]) -> list[str]:
    """Show the rows where the mean is far above the median: pauses of Python's collector."""
    body = []
    for name in names:
        for peer, cell in results.times[1][name].items():
            median = sorted(cell.medians)[len(cell.medians) // 2] if cell.medians else 0.0
            if cell.seconds and cell.seconds > 1.3 * median:
                body.append([name, PEERS[peer].title, number(median * 1e6), number(cell.seconds * 1e6)])
    return table(["workload", "peer", "median µs", "mean µs"], body) if body else ["None."]


def page(results: Results) -> str:
    """Return the whole page."""
    versions = {f"{k} {v}" for found in results.versions.values() for k, v in found.items()}
    lines = ["# Benchmarks", "", "Lower is better everywhere. " + METHOD, ""]
    lines += [f"- {k}: {v}" for k, v in results.machine.items()]
    lines += [f"- versions: {', '.join(sorted(versions))}", f"- command: `{results.command}`"]
    for threads, rows in results.times.items():
        main = [w.name for w in TABLE if w.name in rows]
        other = [w.name for w in SHAPES if w.name in rows]
        title = f"{threads} thread" + "s" * (threads > 1)
        if threads == 1 and main:
            lines += section("Bars, 1 thread", bars(results, main))
            if "compiled" in results.peers:
                lines += section("Bars of compiled functions, 1 thread", compiled_bars(results, main))
        if main:
            lines += section(f"Times, {title}", times(results, threads, main))
        if other:
            lines += section(f"Other shapes, {title}", times(results, threads, other))
    if 1 in results.times:
        lines += section("Means far above the median, 1 thread", pauses(results, list(results.times[1])))
    if results.memory:
        lines += section("Memory", memory(results))
    if results.imports:
        lines += section("Import", imports(results))
    if results.growth:
        lines += section("Growth, 1 thread", growth(results))
    if results.saved:
        lines += section("Saved arrays of 10 MB", saved(results))
    if results.first:
        lines += section("First step, 1 thread", first(results))
    lines += section("Not available or failed", problems(results))
    return "\n".join(lines) + "\n"


def section(title: str, lines: list[str]) -> list[str]:
    """Put a heading above lines."""
    return ["", f"## {title}", "", *lines]


METHOD = (
    "Every peer runs in a process of its own; rounds are interleaved (A B C A B C); a time is the "
    "median over rounds of a round's mean step, the garbage collector's pauses included; a ratio is the "
    "median over rounds of the ratio in the "
    "same round. All peers start from the same weights and data; first losses (and gradients, where "
    "nothing is trained) must agree with hand-written NumPy, or the row fails. chainrule's programs begin "
    "with `autograd.reuse_memory()`, its documented switch that lets glibc keep freed arrays."
)
