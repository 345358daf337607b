"""Which layout engine is used: the user's, a dot on PATH, the wheel, pygraphviz, our own."""

import html
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from graphs import dense, neuron

import autograd as ag
from autograd.errors import ArgumentError, MissingExtra
from autograd.viz import compat, engine

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


@pytest.mark.graphviz
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


@pytest.mark.graphviz
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


def test_without_an_engine_pictures_are_laid_out_here(nothing):
    """All that is SVG: pictures, pages, replays, and those of other libraries."""
    assert engine.find_engine() == engine.BUILT_IN
    root, names = neuron()
    picture = ag.draw(root, names=names)
    assert picture.svg.startswith("<svg")
    for shown in (picture, ag.replay(root)):
        assert "data:image/svg+xml" in shown._repr_mimebundle_()["text/html"]


def test_without_an_engine_a_large_picture_is_its_outline_and_a_hint(nothing):
    picture = ag.draw(dense(60), max_nodes=500)
    shown = picture._repr_mimebundle_()["text/html"]
    assert 'python -m pip install "graphviz-pure' in html.unescape(shown)
    assert "tanh" in shown
    assert "digraph gradients" in shown
    assert "max_nodes=60" in ag.replay(dense(60), max_nodes=500)._repr_mimebundle_()["text/html"]


@pytest.mark.graphviz
def test_without_an_engine_a_digraph_shows_itself_or_the_hint(nothing):
    assert "<svg" in ag.draw_dot(neuron()[0])._repr_mimebundle_()["image/svg+xml"]
    assert "max_nodes=60" in ag.draw_dot(dense(60))._repr_mimebundle_()["text/plain"]


def test_a_digraph_needs_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "graphviz", None)
    compat.digraph_class.cache_clear()
    said = r'a graphviz\.Digraph needs graphviz 0\.20 or newer .*Install it: python -m pip install "graphviz>=0\.20"$'
    with pytest.raises(MissingExtra, match=said):
        ag.draw_dot(neuron()[0])


@pytest.mark.dot
def test_dot_on_path_comes_first(monkeypatch, tmp_path):
    monkeypatch.delenv(engine.VARIABLE, raising=False)
    assert engine.find_engine() == shutil.which("dot")
    ag.draw(neuron()[0]).save(tmp_path / "x.pdf")
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    assert ag.draw(neuron()[0]).svg.startswith("<svg")


@pytest.mark.graphviz
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
        ArgumentError, match=r"use_engine: 'nonsense' is neither dot, graphviz-pure, pygraphviz, built-in nor the path"
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


@pytest.mark.graphviz
def test_broken_source_is_an_error_with_a_reason():
    with pytest.raises(ArgumentError, match="could not draw this picture as svg"):
        engine.layout("digraph {", "svg")


def test_import_loads_no_drawing_code():
    code = (
        "import sys, autograd as ag; x = ag.Tensor(1.0, requires_grad=True); (x * x).backward();"
        "print([m for m in ('graphviz', 'autograd.viz') if m in sys.modules]); ag.draw(x).svg;"
        "print('graphviz' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.split("\n")[:2] == ["[]", "False"]
