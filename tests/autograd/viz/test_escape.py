"""Foreign text in names, labels and files: nothing gets out of its place, in any format."""

import json
import re
import xml.etree.ElementTree as ET

import hypothesis.strategies as st
import pytest
from graphs import HOSTILE, leaf
from hypothesis import given, settings

import autograd as ag
from autograd import viz
from autograd.viz import engine
from autograd.viz.escape import clean, extra_width, quoted, record, script, shorten


def picture(name):
    x = leaf(2.0, name)
    with ag.scope(name, name):
        y = ag.Tensor(3.0, name=name) * x
    y.backward()
    return ag.draw(y, names={name: y})


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(engine.WHEEL, marks=pytest.mark.graphviz),
        pytest.param("dot", marks=pytest.mark.dot),
        engine.BUILT_IN,
    ],
)
def test_hostile_names_stay_text(program, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, program)
    svg = picture(HOSTILE).svg
    tree = ET.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not tags & {"script", "foreignObject", "image"}
    assert all(not name.lower().startswith("on") for element in tree.iter() for name in element.attrib)
    shown = "".join(tree.itertext())
    assert "alert(1)" in shown
    assert "日本語" in shown


def test_html_has_one_script_of_ours():
    page = picture(HOSTILE).render("html").decode()
    assert page.count("<script") == 1
    assert page.count("</script") == 1
    replayed = ag.replay(leaf(2.0, HOSTILE) * 3.0).html
    assert replayed.count("<script") == 1
    assert "alert(1)</script" not in replayed


def test_notebook_output_has_one_script_of_ours():
    for thing in (picture(HOSTILE), ag.replay(leaf(2.0, HOSTILE) * 3.0)):
        shown = thing._repr_mimebundle_()["text/html"]
        assert len(re.findall(r"<script>", shown)) == 1
        assert shown.count("</script>") == 1


def test_json_and_text_survive():
    drawn = picture(HOSTILE)
    names = [node["name"] for node in json.loads(drawn.render("json"))["nodes"]]
    assert clean(HOSTILE) in names
    assert "\n<script>" not in str(drawn)


VIEWS = {
    "draw": lambda x, y: str(ag.draw(y)),
    "explain": lambda x, y: str(ag.explain(y, x)) + repr(ag.explain(y, x)) + ag.explain(y, x)._repr_latex_(),
    "replay": lambda x, y: repr(ag.replay(y)) + "".join(ag.replay(y).steps),
    "why_none": lambda x, y: str(ag.why_none(x)) + str(ag.why_none(x, y)),
    "find_nonfinite": lambda x, y: str(ag.find_nonfinite(y * float("inf"))),
    "title": lambda x, y: ag.draw(y).title + repr(ag.draw(y)),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("bad", ["\x1b[2J", "\x00", "\r", "\x9b1m", "\u2028"])
def test_no_control_character_reaches_a_terminal(view, bad):
    x = leaf(2.0, f"a{bad}b")
    text = VIEWS[view](x, x * x)
    assert bad not in text
    assert "a" in text


@pytest.mark.graphviz
@pytest.mark.parametrize("call", ["draw_dot", "make_dot", "plot_dot_graph", "build_graph"])
def test_compatible_calls_escape_too(call):
    x = leaf(2.0, HOSTILE)
    y = x * 3.0
    dot = getattr(viz, call)(y)
    tree = ET.fromstring(dot.pipe("svg"))
    assert "script" not in {element.tag.rpartition("}")[2] for element in tree.iter()}
    if call != "build_graph":
        assert "<script>" in "".join(tree.itertext())


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_any_name_draws(name):
    ET.fromstring(picture(name or "x").svg)


@given(st.text(max_size=30))
def test_script_data_comes_back(text):
    written = script({"t": text})
    assert "<" not in written
    assert json.loads(written) == {"t": text}


@given(st.text(max_size=60))
def test_shortened_text_is_one_short_line(text):
    line = shorten(text, 20)
    assert len(line) <= 20
    assert "\n" not in line


def test_pieces():
    assert clean("a\nb\x00\t") == "a⏎b\ufffd "
    assert quoted('say "hi"\\N\nthere') == '"say \\"hi\\"\\\\N\\nthere"'
    assert record("a|b {c}") == "a\\|b\\ \\{c\\}"
    assert shorten("x" * 50, 10) == "xxxxx…xxxx"
    assert extra_width("plain") == 0
    assert extra_width("日本") > 20


def test_no_file_but_the_one_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "a b; touch pwned $(touch pwned).svg"
    picture("x").save(target)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
