"""Write docs/examples.md and its pictures anew: ``python docs/examples.py``, or with the names of some programs.

The programs of ``docs/examples/`` are the source: the page takes title, text and first lines from them, and what they
print and draw when they are run here. What the pictures are made of is stored beside them, so that a test can tell
whether they are still those that the programs draw.
"""

import ast
import contextlib
import importlib.util
import io
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

FOLDER = Path(__file__).parent / "examples"
PAGE = FOLDER.with_suffix(".md")
PICTURES = FOLDER / "pictures"
STRUCTURE = PICTURES / "structure.json"
PROGRAMS = {path.stem: path for path in sorted(FOLDER.glob("*.py"))}
LONGEST = 16  # lines of a program that the page shows
SIZE, DPI, COLOURS = (5.6, 3.4), 110, 64
THEMES = {
    "light": {"figure.facecolor": "#fefefe", "axes.facecolor": "#fefefe"},
    "dark": {
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "legend.facecolor"), "#131416"),
        **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), "#d0d0d0"),
    },
}
HEAD = """# Examples

Short programs of science, statistics and learning, each of which prints numbers that prove it: the suite runs them all
and holds what they print against closed forms, SciPy, finite differences or PyTorch. Each runs by itself, as
`python docs/examples/{first}.py`, and draws if its `main` gets Matplotlib's axes to draw on: `main(plt.gca())`.
"""


def loaded(name: str) -> ModuleType:
    """Import a program."""
    spec = importlib.util.spec_from_file_location(name, PROGRAMS[name])
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, axes: Any = None) -> str:
    """Run a program and give what it prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        loaded(name).main(axes)
    return said.getvalue()


def structure(axes: Any) -> dict[str, Any]:
    """Tell what a picture is made of: kinds of things, their sizes and names, texts at the axes."""
    legend = axes.get_legend()
    return {
        "lines": [len(line.get_xdata()) for line in axes.lines],
        "images": [list(image.get_array().shape) for image in axes.images],
        "areas": [type(area).__name__ for area in axes.collections],
        "bars": len(axes.patches),
        "axes": [axes.get_xlabel(), axes.get_ylabel()],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
    }


def drawn(name: str, theme: str) -> tuple[bytes, dict[str, Any], str]:
    """Run a program and give its picture in the colours of a theme, what that is made of, and what was printed."""
    import matplotlib.pyplot as plt
    from PIL import Image

    with plt.rc_context({**THEMES[theme], "font.size": 9, "figure.constrained_layout.use": True}):
        figure, axes = plt.subplots(figsize=SIZE)
        said = run(name, axes)
        file, small = io.BytesIO(), io.BytesIO()
        figure.savefig(file, dpi=DPI)
        plt.close(figure)
    Image.open(file).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue(), structure(axes), said


def text_of(name: str) -> tuple[str, str]:
    """Give the title of a program, the first sentence of its docstring, and what follows that."""
    title, _, rest = (ast.get_docstring(ast.parse(PROGRAMS[name].read_text(encoding="utf-8"))) or "").partition("\n")
    return title.rstrip("."), "\n\n".join(" ".join(part.split()) for part in rest.strip().split("\n\n"))


def heart(name: str) -> str:
    """Give the first lines after the imports, as many whole statements as fit."""
    lines = PROGRAMS[name].read_text(encoding="utf-8").splitlines()
    body = [each for each in ast.parse("\n".join(lines)).body if not isinstance(each, ast.Import | ast.ImportFrom)][1:]
    starts = [min([each.lineno, *(d.lineno for d in getattr(each, "decorator_list", []))]) for each in body]
    ends = [each.end_lineno or 0 for each in body]
    end = max([ends[0], *(e for e in ends if e - starts[0] < LONGEST)])
    return "\n".join(lines[starts[0] - 1 : end])


def section(name: str, said: str) -> str:
    """Write the part of the page about one program."""
    title, rest = text_of(name)
    return f"""
## {title}

{rest}

<picture>
<source media="(prefers-color-scheme: dark)" srcset="examples/pictures/{name}-dark.png">
<img src="examples/pictures/{name}-light.png" alt="{title}">
</picture>

[`{name}.py`](examples/{name}.py) begins with

```py
{heart(name)}
```

and prints

```text
{said}```
"""


def page(said: dict[str, str]) -> str:
    """Write the page, given what each program prints."""
    return HEAD.format(first=next(iter(PROGRAMS))) + "".join(section(name, said[name]) for name in PROGRAMS)


def printed() -> dict[str, str]:
    """Read from the page what each program printed when it was written."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:] if PAGE.exists() else []
    return {part.split("examples/pictures/")[1].split("-dark")[0]: part.split("```text\n")[1][:-4] for part in parts}


def main() -> None:
    """Run and draw all, or those that are named."""
    os.environ.setdefault("MPLBACKEND", "agg")
    PICTURES.mkdir(exist_ok=True)
    found = json.loads(STRUCTURE.read_text(encoding="utf-8")) if STRUCTURE.exists() else {}
    said = printed()
    for name in sys.argv[1:] or PROGRAMS:
        for theme in THEMES:
            png, found[name], said[name] = drawn(name, theme)
            (PICTURES / f"{name}-{theme}.png").write_bytes(png)
    found = {name: found[name] for name in PROGRAMS}
    STRUCTURE.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(said), encoding="utf-8")


if __name__ == "__main__":
    main()
