"""Build the documentation: the reference from the docstrings, the tutorials, the pages: ``make docs``.

The reference is pdoc's; a warning (a name in ``__all__`` that is not there, an annotation that does not resolve) is an
error. The notebooks are shown as they are stored, and not run.
"""

import argparse
import re
import shutil
import warnings
from pathlib import Path

import jinja2
import pdoc
from nbconvert import HTMLExporter
from nbconvert.filters import markdown2html

import autograd

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
# What users import from. The rest of each package is reached through these.
MODULES = (
    "autograd", "autograd.errors", "autograd.viz",
    "nn", "nn.datasets", "nn.distributed", "nn.functional", "nn.init", "nn.metrics", "nn.onnx", "nn.optim",
    "nn.sklearn",
)  # fmt: skip
PAGES = ("how-it-works", "coming-from", "features")


def reference(output: Path) -> None:
    """Write a page per public module."""
    for name in autograd.__all__:
        setattr(autograd, name, getattr(autograd, name))  # pictures load at first use; pdoc reads what is there
    pdoc.render.configure(
        docformat="markdown",
        template_directory=HERE,
        footer_text=f"{autograd.__distribution__} {autograd.__version__}",
    )
    pdoc.render.env.globals |= {"tutorials": list(map(heading, notebooks())), "pages": list(map(heading, pages()))}
    packages = [name for name in MODULES if "." not in name]
    inside = [name for name in MODULES if "." in name]
    pdoc.pdoc(*packages, r"!.*\..*", *inside, r"!.*\..*\..*", output_directory=output)


def notebooks() -> list[Path]:
    """List the tutorials in their order."""
    return sorted((ROOT / "notebooks").glob("*.ipynb"))


def pages() -> list[Path]:
    """List the pages of text."""
    return [ROOT / "docs" / f"{name}.md" for name in PAGES]


def heading(path: Path) -> tuple[str, str]:
    """Give the address of a tutorial or page on the site, and its first heading."""
    folder = "tutorials" if path.suffix == ".ipynb" else "pages"
    found = re.search(r"^(?:\s*\"?)# (.+?)(?:\\n\",?)?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return f"{folder}/{path.stem}.html", found[1] if found else path.stem


def convert(output: Path) -> None:
    """Write the tutorials and pages as HTML, with the pictures that they show."""
    for folder in ("tutorials", "pages"):
        (output / folder).mkdir()
    exporter = HTMLExporter(template_name="lab", embed_images=False)
    for path in notebooks():
        body, _ = exporter.from_filename(str(path))
        (output / "tutorials" / f"{path.stem}.html").write_text(relinked(body), encoding="utf-8")
    frame = jinja2.Template((HERE / "page.html.jinja2").read_text(encoding="utf-8"))
    for path in pages():
        body = relinked(markdown2html(path.read_text(encoding="utf-8")))
        page = frame.render(title=heading(path)[1], body=body)
        (output / "pages" / f"{path.stem}.html").write_text(page, encoding="utf-8")
    for file in (*(ROOT / "docs").glob("*.svg"), *(ROOT / "docs").glob("*.html")):
        shutil.copy(file, output / "pages")


def relinked(body: str) -> str:
    """Point links between notebooks and pages to their places on the site."""
    body = re.sub(r'href="(?:\.\./notebooks/)?(\d\d_\w+)\.ipynb', r'href="../tutorials/\1.html', body)
    body = re.sub(rf'href="(?:\.\./docs/)?({"|".join(PAGES)})\.md', r'href="../pages/\1.html', body)
    return body.replace('href="../docs/replay.html', 'href="../pages/replay.html')


def main() -> None:
    """Build the site from nothing, so that no stale page stays."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=ROOT / "build" / "docs")
    output = parser.parse_args().output
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    warnings.simplefilter("error")
    reference(output)
    convert(output)


if __name__ == "__main__":
    main()
