"""The side-by-side page is true: its chainrule column runs, and so does PyTorch's where PyTorch is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "coming-from.md").read_text(encoding="utf-8")
HEAD, *PARTS = re.split(r"^## (.+)\n", PAGE, flags=re.MULTILINE)
SECTIONS = dict(zip(PARTS[::2], PARTS[1::2], strict=True))


def rows(section):
    """List the rows of a section's table, as their cells."""
    return [row.split(" | ") for row in re.findall(r"^\| (`.+) \|$", SECTIONS[section], re.MULTILINE)]


def lines(section, column):
    """List the code of one column, cell by cell; a cell may show two ways."""
    return [code for row in rows(section) for code in re.findall(r"`([^`]+)`", row[column])]


def setup(section, column):
    """Give what the page imports and the section prepares."""
    torch = "import torch\nimport torch.utils.checkpoint\n" if (section, column) == ("PyTorch", 0) else ""
    return torch + "".join(re.findall(r"```python\n(.*?)```", HEAD + SECTIONS[section], re.DOTALL))


def run(section, column, folder, *options):
    """Run one column of a section as one program, and give what it prints."""
    script = folder / "column.py"
    script.write_text(setup(section, column) + "\n".join(lines(section, column)), encoding="utf-8")
    said = subprocess.run(
        [sys.executable, "-W", "error", *options, script.name], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return said.stdout


LIBRARIES = ["micrograd", "PyTorch", "Keras", "scikit-learn", "HIPS autograd"]


def test_the_page_has_its_sections():
    assert list(SECTIONS) == [*LIBRARIES, "Order and counts"]
    assert all(len(lines(section, 1)) >= 10 for section in LIBRARIES)


@pytest.mark.parametrize("section", LIBRARIES)
def test_every_row_has_two_columns(section):
    assert [row for row in rows(section) if len(row) != 2] == []
    assert [row for row in rows(section) if "`" not in row[1]] == []


@pytest.mark.parametrize("section", LIBRARIES)
def test_the_chainrule_column_runs(section, tmp_path):
    if section == "scikit-learn":
        pytest.importorskip("sklearn")
    run(section, 1, tmp_path)


def test_scikit_learns_column_runs(tmp_path):
    pytest.importorskip("sklearn")
    run("scikit-learn", 0, tmp_path, "-W", "ignore::UserWarning")


@pytest.mark.torch
def test_pytorch_counts_as_the_page_says():
    torch = pytest.importorskip("torch")
    x = torch.tensor([1.0, 2.0, 4.0])
    assert f"{x.std().item():.3f}" in SECTIONS["Order and counts"]


@pytest.mark.torch
def test_the_pytorch_column_runs(tmp_path):
    run("PyTorch", 0, tmp_path, "-W", "ignore::DeprecationWarning")
