"""Which program lays pictures out, and how it is called: never through a shell, never with a file of ours on disk.

The order: the user's setting (``use_engine`` or the environment variable ``AUTOGRAD_DOT``), a ``dot`` on PATH, the
binary of the ``graphviz-pure`` wheel, pygraphviz. PDF needs ``dot`` or pygraphviz.
"""

import contextlib
import functools
import importlib
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sysconfig
import threading
from collections.abc import Iterator
from typing import Any

from autograd.errors import ArgumentError, MissingExtra, command
from autograd.viz.escape import wide

WHEEL, PYGRAPHVIZ, VARIABLE = "graphviz-pure", "pygraphviz", "AUTOGRAD_DOT"
NO_PDF = (
    "PDF needs an engine that can write it: install Graphviz so that `dot` is on PATH (apt install graphviz, brew "
    f"install graphviz), or pip install pygraphviz, or (for one of pixels) {command('plot')}. SVG and PNG work without."
)
NO_ENGINE = (
    "no layout engine was found: pip install graphviz-pure, or install Graphviz so that `dot` is on PATH. "
    "picture.source is the DOT text, print(picture) the outline."
)
ASKED = 100  # so many characters are looked up one by one, about 20 ms each
_lock = threading.RLock()
_setting: list[str] = []


def use_engine(name: str | None) -> None:
    """Choose the layout engine of this process: dot, graphviz-pure, pygraphviz, a path, or None (automatic)."""
    if name is not None and name != PYGRAPHVIZ and _locate(name) is None:
        raise ArgumentError(
            f"use_engine: {name!r} is neither dot, graphviz-pure, pygraphviz nor the path of a program."
        )
    _setting[:] = [name] if name is not None else []


def _locate(name: str) -> str | None:
    """Find a program by name or path; the wheel's is looked for where this Python's scripts are, PATH or not."""
    if name == WHEEL:
        beside = pathlib.Path(sysconfig.get_path("scripts")) / (WHEEL + (".exe" if os.name == "nt" else ""))
        return str(beside) if beside.is_file() else shutil.which(WHEEL)
    return shutil.which(name)


def find_engine(format: str = "svg") -> str | None:
    """Return the path of the program that will draw ``format``, ``"pygraphviz"``, or None."""
    chosen = _setting[0] if _setting else os.environ.get(VARIABLE)
    if chosen:
        found = PYGRAPHVIZ if chosen == PYGRAPHVIZ else _locate(chosen)
        if found is None:
            raise ArgumentError(f"{VARIABLE}={chosen!r} names no program. Unset it for the automatic choice.")
        return found
    found = _locate("dot")
    if found is None and format != "pdf":
        found = _locate(WHEEL)
    return found if found is not None else PYGRAPHVIZ if _has_pygraphviz() else None


def _has_pygraphviz() -> bool:
    return importlib.util.find_spec(PYGRAPHVIZ) is not None


def lacks(text: str, format: str) -> frozenset[str]:
    """List the characters of a text that the engine which will draw ``format`` has no letters for, in a PNG or PDF.

    The wheel has none for East Asian names and emoji. Of Graphviz fontconfig knows, as far as it can be asked.
    """
    characters, engine = wide(text), find_engine(format)
    if format == "svg" or engine is None or not characters:
        return frozenset()
    if WHEEL in pathlib.Path(engine).name:
        return characters
    if _has_font(characters):
        return frozenset()
    return frozenset(c for c in sorted(characters)[:ASKED] if not _has_font(frozenset(c)))


@functools.lru_cache(maxsize=1024)
def _has_font(characters: frozenset[str]) -> bool:
    """Ask fontconfig whether a font of this machine has all of these; where it is not there: so it may be."""
    program = shutil.which("fc-list")
    if program is None:
        return True
    wanted = ":charset=" + " ".join(f"{ord(c):x}" for c in sorted(characters))
    try:
        said = subprocess.run([program, wanted, "family"], capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return said.returncode != 0 or bool(said.stdout.strip())


def layout(source: str, format: str, pinned: bool = False) -> bytes:
    """Lay DOT text out and give the bytes of an ``svg``, ``png`` or ``pdf`` file.

    With ``pinned`` everything stands already where its ``pos`` says.

    Raises MissingExtra when no engine is there (its text says what to install).
    """
    engine = find_engine(format)
    if engine is None or (format == "pdf" and WHEEL in pathlib.Path(engine).name):
        raise MissingExtra(NO_PDF if format == "pdf" else NO_ENGINE)
    if engine == PYGRAPHVIZ:
        how = {"prog": "neato", "args": "-n2"} if pinned else {"prog": "dot"}
        drawn = importlib.import_module(PYGRAPHVIZ).AGraph(string=source).draw(format=format, **how)
        return bytes(drawn)
    graphviz = importlib.import_module("graphviz")
    program, fixed = ("neato", {"neato_no_op": 2}) if pinned else ("dot", {})
    with engine_of_graphviz(engine):
        try:
            return bytes(graphviz.backend.pipe(program, format, source.encode(), quiet=True, **fixed))
        except subprocess.CalledProcessError as error:
            said = (error.stderr or b"").decode(errors="replace").strip()[:300]
            raise ArgumentError(
                f"{pathlib.Path(engine).name} could not draw this picture as {format}: {said or error}"
            ) from None


@contextlib.contextmanager
def engine_of_graphviz(engine: str) -> Iterator[Any]:
    """Hand a binary to the ``graphviz`` package for a while; the setting of other users of the package comes back."""
    command: Any = importlib.import_module("graphviz.backend.dot_command")
    with _lock:
        before = command.DOT_BINARY
        command.DOT_BINARY = pathlib.Path(engine)
        try:
            yield
        finally:
            command.DOT_BINARY = before
