"""The notebooks: stored with their outputs, and each runs from the first cell to the last."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def faults(cell):
    """Say what is wrong with the outputs of a cell: an error, or something on stderr that looks like one."""
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"{output.ename}: {output.evalue}"
        elif output.output_type == "stream" and output.name == "stderr":
            yield output.text


def has_png(cell):
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


def has_picture(cell):
    """Tell whether Jupyter shows a picture: a plot, or a drawing of a graph, which is an SVG inside HTML."""
    kinds = {kind for output in cell.outputs for kind in output.get("data", {})}
    return bool(kinds & {"image/png", "image/svg+xml", "text/html"})


def test_there_are_notebooks():
    numbered = [path.stem for path in NOTEBOOKS if path.stem[0].isdigit()]
    assert [name[:2] for name in numbered] == [f"{i:02}" for i in range(1, len(numbered) + 1)]
    assert len(numbered) >= 9
    others = {"by-hand-by-machine", "find-the-bug", "five-articles", "five-articles.zh"}
    assert {path.stem for path in NOTEBOOKS} - set(numbered) == others


@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem.endswith(".zh")], ids=lambda path: path.stem)
def test_a_twin_has_the_same_program(path):
    """Another language has other prose, cell by cell, around the same code; both give the same numbers."""
    twins = [nbformat.read(p, as_version=4).cells for p in (path, path.with_name(path.name.replace(".zh.", ".")))]
    assert [cell.cell_type for cell in twins[0]] == [cell.cell_type for cell in twins[1]]
    for one, other in zip(*twins, strict=True):
        assert (one.source == other.source) == (one.cell_type == "code")
        for mine, theirs in zip(one.get("outputs", []), other.get("outputs", []), strict=True):
            assert mine.get("text") == theirs.get("text")
    prose = "".join(cell.source for cell in twins[0] if cell.cell_type == "markdown")
    assert sum("\u4e00" <= letter <= "\u9fff" for letter in prose) > 500


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_with_outputs(path):
    """All cells were executed in order, without an error, and the pictures are PNGs that every site shows."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), "run notebooks/refresh.py"
    for cell in cells:
        assert not list(faults(cell)), cell.source
        assert has_png(cell) or not re.search(r"\bplt\.show\(\)|\.plot\(\)$", cell.source), cell.source
    assert any(map(has_png, cells))
    assert not re.search(r"/home/|/root/|/tmp/|/Users/|[A-Z]:\\\\", path.read_text(encoding="utf-8"))


LONG = ("04", "07", "08", "09", "10", "five-articles")  # they train for ten seconds and more
ONE_LANGUAGE = [
    pytest.param(path, id=path.stem, marks=pytest.mark.whole if path.stem.startswith(LONG) else ())
    for path in NOTEBOOKS
    if not path.stem.endswith(".zh")
]


@pytest.mark.slow
@pytest.mark.parametrize("path", ONE_LANGUAGE)
def test_runs(path, monkeypatch):
    """Execute it afresh: no error, nothing on stderr, a picture wherever one is stored (a twin has the same code)."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("MPLBACKEND", raising=False)  # as in Jupyter, where figures come into the notebook
    notebook = nbformat.read(path, as_version=4)
    stored = [has_png(cell) for cell in code_cells(notebook)]
    where = {"metadata": {"path": str(path.parent)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where, allow_errors=True)
    client.execute()
    problems = [fault for cell in code_cells(notebook) for fault in faults(cell)]
    assert not problems, "\n".join(problems)
    for cell, had_picture in zip(code_cells(notebook), stored, strict=True):
        assert has_picture(cell) or not had_picture, cell.source
