"""The demo that a newcomer runs first: it learns, and its pictures are there and can be read."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Run ``python -m nn.demo`` as a newcomer does; give what it printed and the folder that it filled."""
    home = tmp_path_factory.mktemp("demo")
    said = subprocess.run(
        [sys.executable, "-W", "error", "-m", "nn.demo"], cwd=home, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    return said.stdout, home / "out"


def words(picture: Path) -> set[str]:
    """Read the words of an SVG picture."""
    return set(" ".join(ET.parse(picture).getroot().itertext()).split())


def test_learns_real_digits(demo):
    said, _ = demo
    (accuracy,) = re.findall(r"^Held-out accuracy ([\d.]+) after", said, re.MULTILINE)
    assert float(accuracy) >= 0.95


def test_shows_progress(demo):
    said, _ = demo
    losses = [float(loss) for loss in re.findall(r"^epoch +\d+/\d+ .* loss ([\d.]+) ", said, re.MULTILINE)]
    assert len(losses) == 20
    assert losses[-1] < 0.1 * losses[0]


def test_prints_the_gradient_of_the_expression(demo):
    said, _ = demo
    h = 0.6 * 2.0
    t = np.tanh(h)
    assert f"h = w·x = {h:.4f}   y = h·tanh(h) = {h * t:.4f}   dy/dw = {2 * (t + h * (1 - t * t)):.4f}" in said


@pytest.mark.graphviz
def test_writes_its_pictures(demo):
    said, folder = demo
    assert "Wrote out/expression.svg\nWrote out/expression.png\n" in said.replace(os.sep, "/")
    assert {"w", "x", "h", "y", "tanh(h)", "2.3994", "+0.3660", "+0.8337"} <= words(folder / "expression.svg")
    assert (folder / "expression.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_picture_in_the_readme_is_the_one_that_it_writes(demo):
    _, folder = demo
    assert words(ROOT / "docs" / "expression.svg") == words(folder / "expression.svg")
