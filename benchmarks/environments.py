"""Name the peers and make the virtual environment of each under ``.bench/``."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".bench"
NUMPY = "numpy>=2.0"


@dataclass(frozen=True)
class Peer:
    """Describe one peer: its column title, its module, what to install and which Python runs it."""

    name: str
    title: str
    module: str
    installs: tuple[str, ...] = ()
    home: str = ""
    python: Path = Path(sys.executable)

    def variables(self, threads: int) -> dict[str, str]:
        """Return the extra environment variables of the worker."""
        extra = {"CHAINRULE_BENCH_THREADS": str(threads)}
        if self.module == "chainrule":
            extra["PYTHONPATH"] = str(ROOT)
        if self.name == "compiled":
            extra["CHAINRULE_BENCH_COMPILED"] = "1"
        if self.name == "torch-fused":
            extra["CHAINRULE_BENCH_FUSED"] = "1"
        if self.name == "jax":  # the size of XLA's own thread pool
            extra |= {"NPROC": str(threads), "JAX_PLATFORMS": "cpu"}
        return extra


PEERS = {
    peer.name: peer
    for peer in [
        Peer("numpy", "hand-written NumPy", "handwritten"),
        Peer("chainrule", "chainrule", "chainrule"),
        Peer("compiled", "chainrule, compiled", "chainrule"),
        Peer("torch-fused", "PyTorch, fused Adam", "torch_eager", ("torch==2.13.0", NUMPY), "torch"),
        Peer("torch", "PyTorch eager", "torch_eager", ("torch==2.13.0", NUMPY), "torch"),
        Peer("jax", "JAX jit", "jax_jit", ("jax==0.10.2", NUMPY), "jax"),
        Peer("hips", "HIPS autograd", "hips", ("autograd==1.9.1", "scipy", NUMPY), "hips"),
        Peer("mygrad", "MyGrad", "mygrad_peer", ("mygrad==2.5.0", NUMPY), "mygrad"),
        Peer("micrograd", "micrograd", "micrograd_peer", ("micrograd==0.1.0", NUMPY), "micrograd"),
    ]
}
OWN = ("numpy", "chainrule", "compiled")


def prepared(name: str, pythons: Mapping[str, Path]) -> Peer:
    """Return the peer with a Python that has it: the given one, our own, or a new environment."""
    peer = PEERS[name]
    given = pythons.get(peer.name) or pythons.get(peer.home)
    if given is not None:
        python = given
    elif not peer.installs:
        python = peer.python
    else:
        python = make_environment(peer)
    return Peer(peer.name, peer.title, peer.module, peer.installs, peer.home, python)


def make_environment(peer: Peer) -> Path:
    """Create ``.bench/<home>`` once, install the peer's packages and return its Python."""
    folder = HOME / peer.home
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.txt"
    wanted = "\n".join(peer.installs)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    prepare_home()
    venv.create(folder, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *peer.installs]
    subprocess.run(command, check=True, cwd=HOME)
    stamp.write_text(wanted)
    return python


def prepare_home() -> Path:
    """Create ``.bench/`` with a file that hides it from git."""
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    return HOME
