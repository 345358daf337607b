"""Which layout engine is used: the user's, a dot on PATH, the wheel, pygraphviz; and what happens without any."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from graphs import neuron

import autograd as ag
from autograd.errors import ArgumentError, MissingExtra
from autograd.viz import engine

ROOT = Path(ag.__file__).parent.parent


@pytest.fixture
def no_path(monkeypatch, tmp_path):
    """A machine without dot: PATH leads nowhere."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(engine.VARIABLE, raising=False)


@pytest.fixture
def nothing(no_path, monkeypatch, tmp_path):
    """A machine without any layout engine."""
    monkeypatch.setattr(engine.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(engine, "_has_pygraphviz", lambda: False)


def test_wheel_alone_draws_svg_and_png(no_path):
    found = engine.find_engine()
    assert found is not None
    assert Path(found).name.startswith("graphviz-pure")
    picture = ag.draw(neuron()[0])
    assert picture.svg.startswith("<svg")
    assert picture.png().startswith(b"\x89PNG")


def test_without_an_engine_for_it_a_pdf_is_made_of_pixels(no_path, monkeypatch, tmp_path):
    pytest.importorskip("PIL")
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    ag.draw(neuron()[0]).save(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_pdf_without_an_engine_for_it(no_path, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    monkeypatch.setattr(engine, "_has_pygraphviz", lambda: False)
    with pytest.raises(
        MissingExtra, match=r"PDF needs an engine.*`dot` is on PATH.*pip install pygraphviz.*SVG and PNG"
    ):
        ag.draw(neuron()[0]).save(tmp_path / "x.pdf")
    engine.use_engine(engine.WHEEL)
    try:
        with pytest.raises(MissingExtra, match="PDF needs an engine"):
            engine.layout("digraph {a}", "pdf")
    finally:
        engine.use_engine(None)


def test_no_engine_shows_outline_and_source_with_a_hint(nothing):
    picture = ag.draw(neuron()[0])
    with pytest.raises(MissingExtra, match=r"no layout engine was found: pip install graphviz-pure.*picture\.source"):
        _ = picture.svg
    shown = picture._repr_mimebundle_()["text/html"]
    assert "pip install graphviz-pure" in shown
    assert "tanh" in shown
    assert "digraph gradients" in shown
    assert "pip install graphviz-pure" in ag.replay(neuron()[0])._repr_mimebundle_()["text/html"]
    assert "pip install graphviz-pure" in ag.draw_dot(neuron()[0])._repr_mimebundle_()["text/plain"]


@pytest.mark.dot
def test_dot_on_path_comes_first(monkeypatch, tmp_path):
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    assert engine.find_engine() == shutil.which("dot")
    ag.draw(neuron()[0]).save(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    assert ag.draw(neuron()[0]).svg.startswith("<svg")


def test_setting_of_the_user_comes_before_dot(monkeypatch):
    wheel = engine._locate(engine.WHEEL)
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    assert engine.find_engine() == wheel
    monkeypatch.setenv(engine.VARIABLE, "no-such-program")
    with pytest.raises(ArgumentError, match=r"AUTOGRAD_DOT='no-such-program' names no program"):
        engine.find_engine()
    engine.use_engine(wheel)
    try:
        assert engine.find_engine() == wheel
    finally:
        engine.use_engine(None)
    with pytest.raises(
        ArgumentError, match=r"use_engine: 'nonsense' is neither dot, graphviz-pure, pygraphviz nor the path"
    ):
        engine.use_engine("nonsense")


def test_pygraphviz_is_the_last_choice(no_path, monkeypatch, tmp_path):
    monkeypatch.setattr(engine.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(engine, "_has_pygraphviz", lambda: True)
    asked = []

    class AGraph:
        def __init__(self, string):
            asked.append(string)

        def draw(self, format, prog):
            asked.append((format, prog))
            return b"drawn"

    monkeypatch.setitem(sys.modules, "pygraphviz", type(sys)("pygraphviz"))
    sys.modules["pygraphviz"].AGraph = AGraph
    assert engine.layout("digraph {a}", "pdf") == b"drawn"
    assert asked == ["digraph {a}", ("pdf", "dot")]


def test_setting_of_the_graphviz_package_is_given_back(monkeypatch):
    command = importlib.import_module("graphviz.backend.dot_command")
    before = command.DOT_BINARY
    ag.draw(neuron()[0]).png()
    assert before == command.DOT_BINARY


def test_broken_source_is_an_error_with_a_reason():
    with pytest.raises(ArgumentError, match="could not draw this picture as svg"):
        engine.layout("digraph {", "svg")


def test_import_loads_no_drawing_code():
    code = (
        "import sys, autograd as ag; x = ag.Tensor(1.0, requires_grad=True); (x * x).backward();"
        "print([m for m in ('graphviz', 'autograd.viz') if m in sys.modules]); ag.draw(x).source;"
        "print('graphviz' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split("\n")[:2] == ["[]", "False"]
