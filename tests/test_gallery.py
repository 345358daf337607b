"""The gallery shows what its programs draw: at least twelve pictures, in light and dark, none of another day."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "docs"))
import gallery  # noqa: E402

Image = pytest.importorskip("PIL.Image")
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
PROGRAMS = gallery.programs()
if os.environ.get("UPDATE_GOLDEN"):
    subprocess.run([sys.executable, str(ROOT / "docs" / "gallery.py")], check=True, cwd=ROOT, env=ENV)
STORED = json.loads(gallery.STRUCTURE.read_text(encoding="utf-8"))


def test_there_are_at_least_twelve():
    assert len(PROGRAMS) >= 12
    assert gallery.PAGE.read_text(encoding="utf-8").count("\n## ") == len(PROGRAMS) + 1  # each section, and the film


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_picture_is_made_of_what_was_stored(name):
    drawn = gallery.picture(PROGRAMS[name])
    assert json.loads(json.dumps(gallery.structure(drawn))) == STORED[name], "python docs/gallery.py draws it anew"


@pytest.mark.parametrize("theme", gallery.THEMES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_file_is_a_picture_in_its_colours(name, theme):
    shown = Image.open(io.BytesIO((gallery.FOLDER / f"{name}-{theme}.png").read_bytes())).convert("L")
    width, height = shown.size
    assert 0.7 <= width / height <= 2.8
    pixels = np.asarray(shown)
    assert (pixels[2, 2] > 200) == (theme == "light")
    assert pixels.std() > 10


def test_nothing_else_lies_there():
    stored = {path.name for path in gallery.FOLDER.iterdir()}
    named = {f"{name}-{theme}.png" for name in PROGRAMS for theme in gallery.THEMES}
    assert stored == named | {gallery.STRUCTURE.name, f"{gallery.FILM}.gif"}


def test_the_film_moves():
    film = Image.open(io.BytesIO((gallery.FOLDER / f"{gallery.FILM}.gif").read_bytes()))
    assert film.n_frames == 5
