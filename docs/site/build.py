"""Build the site with Sphinx, ``make docs``: reference, tutorials and pages with one search, which need no network.

The pages lie where people read them in the repository, and the site has its folders. They are laid out beside the
generated reference in a folder of their own; a link to a source file becomes its text. A warning is an error, and so is
a link or an anchor that leads nowhere, or anything that a page would fetch from elsewhere.
"""

import argparse
import json
import re
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from docs.site import check, reference  # noqa: E402

MENU = {  # README.md is the first page; what is not named here but linked from a page comes last
    "Learn": [
        "docs/tour.md",
        "docs/gallery.md",
        "docs/examples.md",
        "docs/install.md",
        "docs/coming-from.md",
        "docs/debugging.md",
        "notebooks/*.ipynb",
    ],
    "Know": ["docs/how-it-works.md", "docs/transforms.md", "docs/compile.md", "docs/distributed.md"],
    "Functions": ["docs/numpy.md", "docs/scipy.md", "docs/complex.md"],
    "Compare": ["docs/features.md", "docs/speed.md", "benchmarks/*.md", "docs/left-out.md"],
    "Take part": ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs/releasing.md", "docs/adr/README.md"],
    "中文": ["README.zh.md"],
}
TITLES = {"benchmarks/README": "How we measure", "benchmarks/RESULTS": "What we measured", "README.zh": "首页"}
HIDDEN = ["docs/adr/[0-9]*.md"]
# Shown by pages, or handed out as they are.
FILES = ["docs/*.svg", "docs/img/*", "docs/gallery/*.gif", "docs/*.html", "docs/examples/*.py"]
# Named in HTML, where Sphinx does not look.
PLAIN = ["docs/gallery/*.png", "docs/gallery/*.gif", "docs/img/*", "docs/examples/pictures/*.png"]
LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]*)((?:#[^()\s]*)?)\)")


def found(patterns: list[str]) -> list[Path]:
    """List the files of the repository that patterns name, in their order."""
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def lay_out(source: Path) -> None:
    """Put all pages into one folder: those of the repository, those that are generated, and the menu."""
    menu = {caption: found(patterns) for caption, patterns in MENU.items()}
    pages = [ROOT / "README.md", *(path for paths in menu.values() for path in paths), *found(HIDDEN)]
    known = {*pages, *found(FILES), ROOT / "LICENSE"}
    for path in known:
        place = source / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".md", ".ipynb"):
            place.write_text(relinked(path, known), encoding="utf-8")
        else:
            shutil.copy(path, place)
    (source / "README.md").rename(source / "index.md")
    for name, text in reference.pages():
        place = source / "reference" / f"{name}.rst"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")
    with (source / "index.md").open("a", encoding="utf-8") as index:
        for caption, paths in menu.items():
            index.write(toctree(caption, list(map(entry, paths))))
            if caption == "Learn":
                index.write(toctree("Reference", [f"reference/{name}" for name, _ in reference.pages()]))
    with (source / "docs" / "adr" / "README.md").open("a", encoding="utf-8") as index:
        index.write(toctree("", [path.stem for path in found(HIDDEN)]))
    shutil.copy(HERE / "conf.py", source)
    shutil.copytree(HERE / "static", source / "_static")
    for path in found(PLAIN):
        place = source / "_extra" / path.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def entry(path: Path) -> str:
    """Give the line of the menu for a page: its place, and a title where its own does not tell it from another."""
    place = path.relative_to(ROOT).with_suffix("").as_posix()
    return f"{TITLES[place]} <{place}>" if place in TITLES else place


def toctree(caption: str, names: list[str]) -> str:
    """Write a part of the menu."""
    head = f":caption: {caption}\n" if caption else ""
    return "\n```{toctree}\n:hidden:\n" + head + "\n" + "\n".join(names) + "\n```\n"


def relinked(path: Path, known: set[Path]) -> str:
    """Give the text of a page; links to source files become their text, and those to the README the first page."""

    def link(match: re.Match[str]) -> str:
        text, to, anchor = match.groups()
        target = (path.parent / to).resolve()
        if not to or "://" in to or to.startswith("mailto:"):
            return match[0]
        if not target.exists():
            raise FileNotFoundError(f"{path.relative_to(ROOT)} links to {to}, which is not there.")
        if target == ROOT / "README.md":
            return f"[{text}]({to.removesuffix('README.md')}index.md{anchor})"
        return match[0] if target in known else text

    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return LINK.sub(link, text)
    book = json.loads(text)
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "markdown"]
    for cell in cells:
        cell["source"] = LINK.sub(link, "".join(cell["source"]))
    if sum(len(re.findall(r"^# ", cell["source"], re.MULTILINE)) for cell in cells) > 1:
        for cell in cells[1:]:  # one title for each page: the parts of a long notebook go one level down
            cell["source"] = re.sub(r"^#", "##", cell["source"], flags=re.MULTILINE)
    return json.dumps(book)


def main() -> int:
    """Build from nothing, so that no stale page stays."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path, nargs="?", default=ROOT / "build" / "docs")
    output = parser.parse_args().output.resolve()
    source = output.with_name(output.name + "-source")
    for folder in (output, source):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    lay_out(source)
    said = source / "warnings.txt"  # with -W, those of Sphinx's second process would not count
    failed = build_main(["-q", "-j", "2", "-w", str(said), "-d", str(source / ".cache"), str(source), str(output)])
    if failed:  # Sphinx has said why
        return 1
    wrong = [*said.read_text(encoding="utf-8").splitlines(), *check.problems(output)]
    print("\n".join(wrong) or f"{output / 'index.html'}", file=sys.stderr if wrong else sys.stdout)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
