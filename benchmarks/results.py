"""Hold everything one run measured, as plain data."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.growth import Points
from benchmarks.rounds import Cell

CPUINFO = Path("/proc/cpuinfo")
Value = float | str


@dataclass
class Results:
    """Collect times per thread count and workload, memory, imports, growth and saved arrays."""

    peers: list[str]
    command: str = ""
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    times: dict[int, dict[str, dict[str, Cell]]] = field(default_factory=dict)
    memory: dict[str, dict[str, Value]] = field(default_factory=dict)
    imports: dict[str, Value] = field(default_factory=dict)
    growth: dict[str, Points] = field(default_factory=dict)
    chain_bytes: dict[int, dict[str, Value]] = field(default_factory=dict)
    saved: dict[str, Any] | str = ""
    first: dict[str, dict[str, Value]] = field(default_factory=dict)  # seconds of the first step
    tracing: dict[str, Any] | str = ""

    def save(self, path: Path) -> None:
        """Write all rounds as JSON, so that every number of the report can be checked."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1))

    def mismatches(self) -> list[str]:
        """List the cells whose losses differ from the reference."""
        return [
            f"{workload}, {name}: {cell.problem}"
            for rows in self.times.values()
            for workload, cells in rows.items()
            for name, cell in cells.items()
            if cell.problem.startswith("losses differ")
        ]


def machine() -> dict[str, str]:
    """Describe the machine without its name."""
    model = platform.processor() or platform.machine()
    if CPUINFO.exists():
        lines = CPUINFO.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    return {
        "processor": f"{model}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
    }


def command() -> str:
    """Return the command line that was typed, without paths of this machine."""
    return shlex.join(["python", "-m", "benchmarks", *map(without_folder, sys.argv[1:])])


def without_folder(argument: str) -> str:
    """Shorten an absolute path, alone or behind ``name=``, to its last part."""
    name, equals, path = argument.rpartition("=")
    return f"{name}{equals}{Path(path).name}" if Path(path).is_absolute() else argument
