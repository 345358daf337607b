"""What the whole suite shares: tools that a machine may lack, and state that no test may leave behind.

A test that needs such a tool carries its marker (``@pytest.mark.dot``) or calls the fixture ``require("dot")``; without
the tool it is skipped and says so. ``CHAINRULE_REQUIRE="chromium dot torch"`` names tools that must be there: the suite
stops at once if one is not, so that CI skips nothing in silence. ``CHAINRULE_SAMPLE=40`` runs one row in 40 of each
table. ``CHAINRULE_WHOLE=1`` runs also what carries ``@pytest.mark.whole``, long rows of tables whose other rows hold
the same law; CI sets it.
"""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

import hypothesis
import numpy as np
import pytest

from autograd.modes import is_grad_enabled
from autograd.ops import emath, fft  # noqa: F401 - loaded late, and no ops of the test that is first to need them
from autograd.primitive import dispatch, registry

# The same examples on every run and machine, and no clock: a busy machine is not a failure.
hypothesis.settings.register_profile("chainrule", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("chainrule")
os.environ.setdefault("MPLBACKEND", "Agg")

# Where SciPy is missing its functions are not there either: NumPy alone runs the engine's tests.
collect_ignore = [] if find_spec("scipy") else ["autograd/scipy"]

TOOLS: dict[str, tuple[Callable[[], bool], str]] = {
    "chromium": (
        lambda: chromium() is not None and find_spec("playwright") is not None,
        "no Chromium on PATH (apt install chromium), or no playwright (pip install 'chainrule[test]')",
    ),
    "graphviz": (
        lambda: beside("graphviz-pure") is not None and find_spec("graphviz") is not None,
        "no graphviz-pure or no graphviz (pip install graphviz-pure graphviz)",
    ),
    "dot": (lambda: shutil.which("dot") is not None, "no dot on PATH (apt install graphviz)"),
    "onnx": (
        lambda: all(map(find_spec, ("onnx", "onnxruntime"))),
        "no onnx or onnxruntime (pip install 'chainrule[test]')",
    ),
    "mpi": (
        lambda: beside("mpiexec") is not None and find_spec("mpi4py") is not None,
        "no mpi4py or mpiexec (pip install mpi4py mpich)",
    ),
    "pyright": (lambda: beside("pyright") is not None, "no pyright (pip install 'pyright[nodejs]')"),
    "torch": (lambda: find_spec("torch") is not None, "no PyTorch (pip install torch==2.13.0)"),
}
MARKERS = {
    "browser": "chromium",
    "graphviz": "graphviz",
    "dot": "dot",
    "mpi": "mpi",
    "pyright": "pyright",
    "torch": "torch",
}


def chromium() -> str | None:
    """Find a Chromium or Chrome to open pages with."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


def beside(program: str) -> str | None:
    """Find a program that a package brings: the one of this environment, or one on PATH."""
    return shutil.which(program, path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


def pytest_configure(config: pytest.Config) -> None:
    """Stop when a tool is missing that this machine was said to have; let Ctrl-C be heard in the background, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in os.environ.get("CHAINRULE_REQUIRE", "").split():
        if name not in TOOLS:
            raise pytest.UsageError(f"CHAINRULE_REQUIRE names {name!r}; known are {', '.join(TOOLS)}.")
        found, advice = TOOLS[name]
        if not found():
            raise pytest.UsageError(f"CHAINRULE_REQUIRE names {name!r}, but there is {advice}.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one row in so many of each table, as ``CHAINRULE_SAMPLE`` says, and at least one: the same on every run.

    What takes long comes first.
    """
    if os.environ.get("CHAINRULE_WHOLE") != "1":
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("whole")])
        items[:] = [item for item in items if not item.get_closest_marker("whole")]
    every = int(os.environ.get("CHAINRULE_SAMPLE") or 1)
    tables: dict[str, list[pytest.Item]] = {}
    for item in items:
        tables.setdefault(item.nodeid.partition("[")[0], []).append(item)
    kept = [row for name, rows in tables.items() for row in rows[crc32(name.encode()) % min(every, len(rows)) :: every]]
    if len(kept) < len(items):
        chosen = set(map(id, kept))
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
        items[:] = [item for item in items if id(item) in chosen]
    slow = [item for item in items if item.get_closest_marker("slow")]  # first, so that no process ends with one
    items[:] = [*slow[::-1], *(item for item in items if not item.get_closest_marker("slow"))]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Hide the tests from the garbage collector: so many objects made each ``gc.collect()`` a second long."""
    gc.collect()
    gc.freeze()


def need(name: str) -> None:
    """Skip the running test unless the tool is there."""
    found, advice = TOOLS[name]
    if not found():
        pytest.skip(advice)


@pytest.fixture
def require() -> Callable[[str], None]:
    """Give ``require(name)``, which skips the running test where the tool is missing."""
    return need


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start one Chromium for the tests of a module."""
    playwright = pytest.importorskip("playwright.sync_api", reason=TOOLS["chromium"][1])
    need("chromium")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


BEFORE = pytest.StashKey[tuple[dict[Any, Any], dict[Any, Any], Any]]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember the ops that are declared and NumPy's error state; skip where a marker names a tool that is missing."""
    item.stash[BEFORE] = dict(registry), dict(dispatch), np.geterr()
    for marker, tool in MARKERS.items():
        if item.get_closest_marker(marker):
            need(tool)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fail a test that leaves a mode or NumPy's error state changed; forget the ops that it declared."""
    yield
    ops, functions, errors = item.stash[BEFORE]
    recording, after = is_grad_enabled(), np.geterr()
    np.seterr(**errors)
    for table, before in ((registry, ops), (dispatch, functions)):
        if table != before:
            table.clear()
            table.update(before)
    assert recording, "the test left recording off: a no_grad() was entered and never left"
    assert after == errors, f"the test left NumPy's error state as {after}"
