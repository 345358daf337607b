"""Read and reset the resident memory of this process (Linux; elsewhere only the peak)."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def field(name: str) -> int:
    """Return one field of /proc/self/status in bytes."""
    for line in STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


def resident() -> int:
    """Return the memory that is resident now (the peak so far where that is unknown)."""
    return field("VmRSS:") if STATUS.exists() else peak()


def peak() -> int:
    """Return the peak of resident memory since the last reset."""
    if STATUS.exists():
        return field("VmHWM:")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak() -> None:
    """Let the peak start again from what is resident now, where the kernel can."""
    if CLEAR.exists():
        CLEAR.write_text("5")
