"""The notebooks are healthy: the tools of the debugger say nothing but where they show a fault."""

import contextlib
import io
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd.errors import LintWarning, NonFiniteError

nbformat = pytest.importorskip("nbformat", reason="no nbformat (pip install nbformat)")
NOTEBOOKS = sorted((Path(__file__).parents[3] / "notebooks").glob("*.ipynb"))
SHOWN = {  # the faults that notebooks show on purpose: the op that is named
    "02_tensors_and_rules": ["backward of v1 = sqrt(v0)"],
    "09_regularisation_and_initialisation": ["layers.1 made -inf"],
}
BRIEF = ("01", "02")  # the others train for seconds and more


def rows():
    """List the notebooks but those whose fault is the subject, and twins of one in another language: the same code."""
    for path in NOTEBOOKS:
        if "bug" not in path.stem and not path.stem.endswith(".zh"):
            yield pytest.param(path, id=path.stem, marks=() if path.stem.startswith(BRIEF) else pytest.mark.whole)


def results(space):
    """List the small graphs that a notebook leaves behind whole."""
    made = [x for x in space.values() if isinstance(x, ag.Tensor) and not x.is_leaf and x.size]
    return [x for x in made if (held := ag.who_holds(x)) and not held[0].released and held[0].ops < 200]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", list(rows()))
def test_nothing_is_found_in_a_healthy_notebook(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    space, found = {"__name__": "__main__", "display": lambda *args: None}, []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        source = "\n".join(line for line in cell.source.splitlines() if not line.startswith(("%", "!")))
        code = compile(source, f"<{path.stem}>", "exec")
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("error", LintWarning)
            try:
                with ag.detect_anomaly():
                    exec(code, space)  # noqa: S102
            except NonFiniteError as error:
                found.append(str(error))
                exec(code, space)  # noqa: S102
    for y in results(space) if path.stem not in SHOWN else ():
        assert ag.find_nonfinite(y) is None
        assert not ag.diff(y, y)
        with np.errstate(all="ignore"):
            ag.check_grads(y)
    assert len(found) == len(SHOWN.get(path.stem, ()))
    for message, said in zip(found, SHOWN.get(path.stem, ()), strict=True):
        assert said in message
