"""Bars where they can be drawn, lines elsewhere."""

import sys
from importlib import util
from types import ModuleType

import pytest

from nn import progress
from nn.progress import Progress


@pytest.fixture
def place(monkeypatch):
    """Set up where we are: a notebook or not, a terminal or not, with widgets or not."""

    def set_up(*, notebook=False, terminal=False, widgets=False):
        if notebook:
            monkeypatch.setitem(sys.modules, "ipykernel", ModuleType("ipykernel"))
        else:
            monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr(progress, "find_spec", lambda name: util.find_spec("sys") if widgets else None)

    return set_up


def test_lines_in_a_notebook_without_widgets(place, capsys):
    """There tqdm would warn that widgets are missing, and write its bars as red text."""
    place(notebook=True)
    Progress("auto", 1).end(0, {"loss": 0.5})
    said = capsys.readouterr()
    assert said.out.startswith("epoch 1/1  loss 0.5000  ")
    assert not said.err


@pytest.mark.parametrize("mode", ["auto", "bar", True])
def test_text_bar_in_a_terminal(place, capsys, mode):
    pytest.importorskip("tqdm")
    place(terminal=True)
    shown = Progress(mode, 3)
    shown.start(0, 2, 0)
    shown.batch(0.25)
    shown.batch(0.125)
    shown.end(0, {"loss": 0.1875})
    said = capsys.readouterr()
    assert "epoch 1/3: 100%" in said.err
    assert "loss 0.1875" in said.err
    assert not said.out


def test_nothing(place, capsys):
    place(terminal=True)
    shown = Progress(False, 1)
    shown.start(0, 2, 0)
    shown.batch(0.5)
    shown.end(0, {"loss": 0.5})
    assert capsys.readouterr() == ("", "")
