"""Figures show themselves in a notebook, and say what to install where matplotlib is missing."""

import subprocess
import sys
from pathlib import Path

import pytest

import nn
from autograd.errors import ArgumentError, MissingExtra
from nn.figure import new_figure
from nn.progress import Progress

HISTORY = nn.History({"loss": [0.5, 0.25], "val_loss": [0.6, 0.5]})


def test_shows_itself_without_pyplot():
    """IPython asks an object for its PNG; matplotlib's own figures answer only after pyplot was imported."""
    pytest.importorskip("matplotlib")
    assert HISTORY.plot()._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


def test_names_of_the_history():
    """NaN, of a name that came later, is the best of nothing."""
    pytest.importorskip("matplotlib")
    assert len(HISTORY.plot("loss").axes) == len(HISTORY.plot(["val_loss"]).axes) == 1
    late = nn.History({"loss": [2.0, 1.0, 3.0], "f1": [float("nan"), 0.5, 0.7], "r2": [float("nan")] * 3})
    assert (late.best("loss"), late.best("f1"), late.best("f1", "max")) == (1, 1, 2)
    for call, message in (
        (lambda: late.best("r2"), "History.best: 'r2' has no value that is a number"),
        (lambda: late.best("loss", "least"), "History.best: mode must be 'min' or 'max', got 'least'"),
        (lambda: late.plot("los"), "History.plot: there is no 'los'; the history has loss, f1, r2"),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()


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
    with pytest.raises(MissingExtra, match=rf"^{who} needs matplotlib .* or newer\. Install it: .*\"matplotlib>=.*\"$"):
        draw()


def test_size_is_in_inches():
    pytest.importorskip("matplotlib")
    assert new_figure("a test", 3, 2).get_size_inches().tolist() == [3, 2]


def test_control_characters_in_names_of_metrics_are_written_out(capsys):
    history = nn.History({"a\x1b[2J": [0.5]})
    progress = Progress("lines", 1)
    progress.start(0, 1, 0)
    progress.end(0, {"a\x1b[2J": 0.5})
    for text in (repr(history), history._repr_html_(), capsys.readouterr().out):
        assert r"a\x1b[2J" in text
        assert "\x1b" not in text
