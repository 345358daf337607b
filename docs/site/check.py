"""Look at a built site as a browser without a network does: links and anchors lead somewhere, nothing is fetched."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHES = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "srcset"),
    ("video", "src"),
}


class Page(HTMLParser):
    """Collect what a page links to, what it fetches, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif tag == "a" and name == "href" and value:
                self.links.append(value)
            elif (tag, name) in FETCHES and value and not value.startswith("data:"):
                self.fetched.append(value)


@cache
def page(path: Path) -> Page:
    """Read a page once."""
    return Page(path)


def problems(site: Path) -> Iterator[str] | list[str]:
    """List what is wrong, one line for each."""
    wrong = []
    for path in sorted(site.rglob("*.html")):
        for kind, addresses in (("links to", page(path).links), ("fetches", page(path).fetched)):
            wrong += [
                f"{path.relative_to(site)} {kind} {to}: {why}" for to in addresses if (why := _fault(path, to, kind))
            ]
    for path in site.rglob("*.css"):
        wrong += [
            f"{path.relative_to(site)} fetches {to}"
            for to in re.findall(r"url\([\"']?(https?:[^)\"']+)", path.read_text(encoding="utf-8"))
        ]
    return wrong


def _fault(path: Path, to: str, kind: str) -> str:
    parts = urlsplit(to)
    if parts.scheme or parts.netloc:
        return "it is not on this site" if kind == "fetches" else ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "there is no such file"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page(target).anchors:
        return "there is no such anchor"
    return ""
