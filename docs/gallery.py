"""Draw the pictures of docs/gallery.md anew: ``python docs/gallery.py``.

The page is the source: each section has one program, which makes ``picture``, and shows it in light and dark. What the
pictures are made of is stored beside them, so that a test can tell whether they are still those that the programs draw.
"""

import io
import json
import os
import re
from pathlib import Path

from PIL import Image

import autograd as ag
from autograd.viz import engine
from autograd.viz.frames import gif
from autograd.viz.picture import Picture

PAGE = Path(__file__).parent / "gallery.md"
FOLDER = PAGE.with_suffix("")
STRUCTURE = FOLDER / "structure.json"
THEMES = ("light", "dark")
SECTION = re.compile(r'srcset="gallery/([\w-]+)-dark\.png".*?```python\n(.*?)```', re.DOTALL)
DPI, COLOURS, FILM = 100, 128, "expression"


def programs() -> dict[str, str]:
    """Give the program of each picture, after what the page imports first."""
    text = PAGE.read_text(encoding="utf-8")
    first = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    return {name: first + code for name, code in SECTION.findall(text)}


def picture(code: str) -> Picture:
    """Run a program of the page and give its picture."""
    names: dict = {}
    exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - a page of ours
    return names["picture"]


def structure(drawn: Picture) -> dict:
    """Tell what a picture is made of: boxes, what cards say and hold, edges, rows, what was folded."""
    view = drawn.view
    return {
        "boxes": [
            [item.id, item.kind, item.name, item.says, [part.name for part in item.parts]] for item in view.items
        ],
        "edges": [[arrow.source, arrow.target, arrow.wraps, arrow.skip] for arrow in view.arrows],
        "rows": [view.rankdir, *view.starts],
        "folded": view.folded,
        "notes": view.problems,
    }


def png(drawn: Picture, theme: str) -> bytes:
    """Write a picture in the colours of a theme, small."""
    shown = Picture(drawn.view, drawn.rankdir, theme).png(DPI)
    file = io.BytesIO()
    Image.open(io.BytesIO(shown)).convert("RGB").quantize(COLOURS).save(file, "PNG", optimize=True)
    return file.getvalue()


def film(code: str) -> bytes:
    """Replay backward of a program's result ``y`` as a film."""
    names: dict = {}
    exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - a page of ours
    return gif(ag.replay(names["y"], names=names).frames("png"))


def main() -> None:
    """Draw all, with the engine that is the same everywhere."""
    os.environ[engine.VARIABLE] = engine.WHEEL
    FOLDER.mkdir(exist_ok=True)
    found = {}
    for name, code in programs().items():
        drawn = picture(code)
        found[name] = structure(drawn)
        for theme in THEMES:
            (FOLDER / f"{name}-{theme}.png").write_bytes(png(drawn, theme))
        if name == FILM:
            (FOLDER / f"{name}.gif").write_bytes(film(code))
    STRUCTURE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
