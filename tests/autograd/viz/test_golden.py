"""The text of five small pictures, letter by letter: DOT, and the outline. ``UPDATE_GOLDEN=1`` writes them anew."""

import os
from pathlib import Path

import pytest
from graphs import GRAPHS

import autograd as ag
from autograd.viz import engine
from nn.demo import draw_expression

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("suffix", ["dot", "txt"])
def test_golden(name, suffix):
    root, names = GRAPHS[name]()
    root.backward()
    text = ag.draw(root, names=names).render(suffix).decode()
    file = GOLDEN / f"{name}.{suffix}"
    if os.environ.get("UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_text_does_not_depend_on_what_was_made_before():
    """Ids come from the order of creation inside the graph, not from counters or addresses."""
    first = ag.draw(GRAPHS["neuron"]()[0]).source
    _ = [ag.Tensor(1.0, requires_grad=True) * 2.0 for _ in range(10)]
    assert ag.draw(GRAPHS["neuron"]()[0]).source == first


@pytest.mark.graphviz
def test_stored_pictures_are_those_this_code_makes(monkeypatch, tmp_path):
    """The README's picture, a neuron in light and dark, the replay page: drawn by the wheel, everywhere the same."""
    monkeypatch.setenv(engine.VARIABLE, engine.WHEEL)
    o, names = GRAPHS["neuron"]()
    o.backward()
    made = {
        f"img/neuron-{theme}.svg": ag.draw(o, names=names, theme=theme).render("svg") for theme in ("light", "dark")
    }
    made["replay.html"] = ag.replay(o, names=names).html.encode()
    made["expression.svg"] = draw_expression(tmp_path)[0].read_bytes()
    for name, content in made.items():
        file = DOCS / name
        if os.environ.get("UPDATE_GOLDEN"):
            file.write_bytes(content)
        assert file.read_bytes() == content, f"{name} is out of date: UPDATE_GOLDEN=1 writes it anew"
