"""Talk to one worker process; a crash or a silence becomes an ``Unavailable`` with its reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

from benchmarks.catalogue import Workload
from benchmarks.environments import Peer

WORKER = Path(__file__).with_name("worker.py")
# The last would make every process compile what it imports, which is no part of an import on a user's machine.
REMOVED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class Unavailable(Exception):
    """Say why a peer gave no answer."""


def environment(peer: Peer, threads: int) -> dict[str, str]:
    """Return the worker's environment: thread counts set, OpenBLAS overrides removed."""
    kept = {k: v for k, v in os.environ.items() if k not in REMOVED}
    for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"):
        kept[f"{name}_NUM_THREADS"] = str(threads)
    return kept | peer.variables(threads)


class Client:
    """Own one worker process of one peer."""

    def __init__(self, peer: Peer, threads: int, log: Path, timeout: float = 300.0) -> None:
        self.peer, self.timeout = peer, timeout
        with log.open("a") as errors:
            self.process = subprocess.Popen(
                [str(peer.python), "-P", str(WORKER), peer.module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(peer, threads),
                cwd=log.parent,
            )
        try:
            self.versions: dict[str, str] = self.receive()["versions"]
        except Unavailable:
            self.close()
            raise

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Send one request and return its answer."""
        try:
            print(json.dumps({"do": do, **request}), file=self.pipe(1), flush=True)
        except OSError:
            raise Unavailable(self.last_words()) from None
        return self.receive()

    def receive(self) -> dict[str, Any]:
        """Read one answer; a worker that stays silent for ``timeout`` seconds is killed."""
        timer = threading.Timer(self.timeout, self.process.kill)
        timer.start()
        line = self.pipe(0).readline()
        silent = not timer.is_alive()
        timer.cancel()
        if not line:
            words = f"no answer in {self.timeout:.0f} s" if silent else self.last_words()
            raise Unavailable(words)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise Unavailable(answer["error"])
        return answer

    def build(self, workload: Workload) -> None:
        """Set up a workload in the worker."""
        self.ask("build", family=workload.family, sizes=workload.sizes)

    def pipe(self, which: int) -> Any:
        """Return the pipe from (0) or to (1) the worker."""
        return self.process.stdin if which else self.process.stdout

    def last_words(self) -> str:
        """Say how the process ended."""
        code = self.process.wait(timeout=10)
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the process ended ({name})"

    def alive(self) -> bool:
        """Tell whether the process still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """End the worker."""
        self.process.kill()
        self.process.wait()
        for which in (0, 1):
            self.pipe(which).close()
