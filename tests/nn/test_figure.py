"""Figures show themselves in a notebook, and say what to install where matplotlib is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

import nn
from autograd.errors import MissingExtra
from nn.figure import new_figure

HISTORY = nn.History({"loss": [0.5, 0.25], "val_loss": [0.6, 0.5]})


def test_shows_itself_without_pyplot():
    """IPython asks an object for its PNG; matplotlib's own figures answer only after pyplot was imported."""
    pytest.importorskip("matplotlib")
    assert HISTORY.plot()._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


def test_pyplot_is_not_imported():
    """A library that imports pyplot chooses a backend for its user."""
    pytest.importorskip("matplotlib")
    code = (
        "import sys, nn; nn.History({'loss': [1.0]}).plot()._repr_png_(); sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


@pytest.mark.parametrize(
    ("draw", "who"), [(HISTORY.plot, "History.plot"), (nn.GradientFlow().plot, "GradientFlow.plot")]
)
def test_says_what_to_install(draw, who, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(
        MissingExtra, match=rf"{who} draws with matplotlib\. Install it: pip install 'chainrule\[plot\]'\."
    ):
        draw()


def test_size_is_in_inches():
    pytest.importorskip("matplotlib")
    assert new_figure("a test", 3, 2).get_size_inches().tolist() == [3, 2]
