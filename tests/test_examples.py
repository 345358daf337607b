"""The programs of ``docs/examples`` print what is true, draw what the page shows, and are short."""

import ast
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from autograd.scipy import integrate, linalg, optimize, signal, special, stats  # noqa: F401 - no ops of a test
from tests.examples_truths import TRUTHS, maml_in_torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import examples  # noqa: E402

os.environ.setdefault("MPLBACKEND", "agg")
SOURCES = {name: path.read_text(encoding="utf-8") for name, path in examples.PROGRAMS.items()}


def numbers(said):
    """List what stands behind equals signs."""
    return [float(number) for number in re.findall(r" = (-?[\d.]+(?:e[+-]\d+)?)", said)]


def words(text):
    return re.sub(r"-?\d[\d.]*(e[+-]\d+)?", "0", text)


@pytest.mark.parametrize("name", examples.PROGRAMS)
def test_a_program_prints_what_is_true_and_draws_what_the_page_shows(name):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots()
    said, found = examples.run(name, axes), examples.structure(axes)
    plt.close(figure)
    right, far = TRUTHS[name](examples.loaded(name))
    for shown in (said, examples.printed()[name]):
        np.testing.assert_array_less(abs(np.array(numbers(shown)) - right), np.broadcast_to(far, len(right)) + 1e-12)
    assert found == json.loads(examples.STRUCTURE.read_text(encoding="utf-8"))[name]


def test_the_page_is_that_of_the_programs():
    page = examples.PAGE.read_text(encoding="utf-8")
    assert page == examples.page(examples.printed()), "python docs/examples.py writes it anew"


@pytest.mark.parametrize("name", examples.PROGRAMS)
def test_a_program_is_short_says_what_it_does_and_needs_nothing_to_draw(name):
    source = SOURCES[name]
    assert 25 <= len(source.splitlines()) <= 70
    title, rest = examples.text_of(name)
    assert 15 < len(title) < 60
    assert re.search(r"\(\d{4}\)|tutorial", rest), "it names where the idea is from"
    imported = {
        alias.name for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Import) for alias in each.names
    }
    assert not any("matplotlib" in each for each in imported)
    assert source.endswith('\n\nif __name__ == "__main__":\n    main()\n')
    assert 3 <= len(examples.heart(name).splitlines()) <= examples.LONGEST


def test_there_are_pictures_of_each_in_light_and_dark_and_nothing_else():
    stored = {path.name for path in examples.PICTURES.iterdir()}
    assert stored == {f"{name}-{theme}.png" for name in SOURCES for theme in examples.THEMES} | {
        examples.STRUCTURE.name
    }
    assert len(SOURCES) >= 22


@pytest.mark.torch
def test_what_was_written_down_of_pytorch_is_what_it_gives():
    program = examples.loaded("maml")
    np.testing.assert_allclose(maml_in_torch(program), TRUTHS["maml"](program)[0], atol=5e-6)


def test_every_program_has_its_truth():
    assert set(TRUTHS) == set(SOURCES)
