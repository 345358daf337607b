"""Build the documentation: the reference from the docstrings, the tutorials, the pages: ``make docs``.

The reference is pdoc's; a warning (a name in ``__all__`` that is not there, an annotation that does not resolve) is an
error, and so is a link that leads nowhere. The notebooks are shown as they are stored, and not run. The site has the
folders of the repository, so links between pages hold; those to source files, which it has not, become plain text.
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
PAGES = (
    "README.md",
    *(
        f"docs/{name}.md"
        for name in ("how-it-works", "coming-from", "features", "gallery", "compile", "left-out", "distributed")
    ),
)
MORE = ("docs/adr/*.md", "benchmarks/*.md", "CONTRIBUTING.md", "CHANGELOG.md")  # reached from these


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
    """List the pages of text that the index names: these in this order, and what else stands in ``docs``."""
    first = [ROOT / name for name in PAGES]
    return first + sorted(set((ROOT / "docs").glob("*.md")).difference(first))


def heading(path: Path) -> tuple[str, str]:
    """Give the address of a tutorial or page on the site, and its first heading."""
    found = re.search(r"^(?:\s*\"?)# (.+?)(?:\\n\",?)?$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return path.relative_to(ROOT).with_suffix(".html").as_posix(), found[1] if found else path.stem


def convert(output: Path) -> None:
    """Write the tutorials and pages as HTML, with the pictures that they show."""
    exporter = HTMLExporter(template_name="lab", embed_images=False)
    texts = [*pages(), *(path for pattern in MORE for path in sorted(ROOT.glob(pattern)))]
    known = {
        *notebooks(),
        *texts,
        *(ROOT / "docs").glob("*.svg"),
        *(ROOT / "docs").glob("*.html"),
        *(ROOT / "docs" / "gallery").glob("*.*"),
        ROOT / "LICENSE",
    }
    frame = jinja2.Template((HERE / "page.html.jinja2").read_text(encoding="utf-8"))
    for path in sorted(known):
        place = output / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix not in (".md", ".ipynb"):
            shutil.copy(path, place)
            continue
        if path.suffix == ".ipynb":
            body, _ = exporter.from_filename(str(path))
        else:
            text, top = markdown2html(path.read_text(encoding="utf-8")), "../" * len(path.relative_to(ROOT).parents[1:])
            body = frame.render(title=heading(path)[1], body=text, top=top)
        place.with_suffix(".html").write_text(relinked(body, path, known), encoding="utf-8")


def relinked(body: str, path: Path, known: set[Path]) -> str:
    """Point links between notebooks and pages to what they become; a link to a source file becomes its text."""

    def link(match: re.Match[str]) -> str:
        to, _, place = match["to"].partition("#")
        target = (path.parent / to).resolve()
        if not to or "://" in to or to.endswith("index.html") or target in known:
            to = re.sub(r"\.(md|ipynb)$", ".html", to) if "://" not in to else to
            return f'<a{match["before"]} href="{to}{"#" if place else ""}{place}"{match["after"]}>{match["text"]}</a>'
        if not target.exists():
            raise FileNotFoundError(f"{path.relative_to(ROOT)} links to {to}, which is not there.")
        return match["text"]

    found = r'<a(?P<before>[^>]*?) href="(?P<to>[^"]*)"(?P<after>[^>]*)>(?P<text>.*?)</a>'
    return re.sub(found, link, body, flags=re.DOTALL)


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
