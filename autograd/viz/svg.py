"""Finish the SVG that the layout engine wrote: dark colours, a title for screen readers, fewer bytes."""

import base64
import re

from autograd.errors import ArgumentError
from autograd.viz.escape import page
from autograd.viz.theme import dark_style

_HEAD = re.compile(r"<svg\b([^>]*)>")
_GEOMETRY = re.compile(r' (?:d|points|x|y|x1|x2|y1|y2|cx|cy|rx|ry)="[^"]*"')
_NUMBER = re.compile(r"(-?\d+)\.(\d)\d+")


def finish(svg: str, title: str, dark: bool) -> str:
    """Make the engine's file a stand-alone ``<svg>`` element with a text twin; ``dark`` follows ``prefers-color-scheme``."""
    start = svg.find("<svg")
    if start < 0:
        raise ArgumentError("the layout engine gave no SVG.")
    body = re.sub(r"<!--.*?-->\s*", "", svg[start:], flags=re.DOTALL)
    body = re.sub(r"<title>[^<]*</title>\s*", "", body)
    style = f"<style>{scoped(dark_style())}</style>" if dark else ""
    head = f'<svg\\1 class="chainrule" role="img" aria-label="{escape_backslash(page(title))}">'
    return _HEAD.sub(head + f"<title>{escape_backslash(page(title))}</title>{escape_backslash(style)}", body, count=1)


def escape_backslash(text: str) -> str:
    """Protect text that stands in the replacement of a regular expression."""
    return text.replace("\\", "\\\\")


def scoped(style: str) -> str:
    """Let rules apply inside our pictures only: a style sheet in an inline SVG would otherwise reach the whole page."""
    return style.replace("}[", "}.chainrule [").replace("{[", "{.chainrule [")


def compact(svg: str) -> str:
    """Drop what the reader does not see: repeated font names, blanks, the second decimal of coordinates."""
    for repeated in (
        ' xml:space="preserve"',
        ' font-family="Helvetica,sans-Serif"',
        ' font-size="12.00"',
        ' text-anchor="start"',
    ):
        svg = svg.replace(repeated, "")
    svg = svg.replace("<svg ", '<svg font-family="Helvetica,Arial,sans-serif" font-size="12" ', 1)
    return re.sub(r">\s+<", "><", _GEOMETRY.sub(lambda found: _NUMBER.sub(r"\1.\2", found[0]), svg))


def data_uri(svg: str) -> str:
    """Write a picture as an address that an ``<img>`` can show."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
