"""The text of five small pictures, letter by letter: DOT, and the outline. ``UPDATE_GOLDEN=1`` writes them anew."""

import os
from pathlib import Path

import pytest
from graphs import GRAPHS

import autograd as ag

GOLDEN = Path(__file__).parent / "golden"


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
