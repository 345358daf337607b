"""The inside of boxes: texts and the tables of HTML-like labels, their sizes, and how they are drawn.

Sizes of texts are those of Helvetica, which the stand-ins of most machines share.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from xml.etree import ElementTree as ET

from autograd.errors import ArgumentError
from autograd.viz.builtin.parts import Point
from autograd.viz.builtin.reading import Look, lines
from autograd.viz.markup import cell, row, table

NBSP = "\u00a0"  # a blank that does not break
# Letters by their width, in thousandths of the size.
WIDTHS = {letter: width for width, letters in {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft·", 333: "-()`r", 355: '"', 389: "*", 469: "^",
    500: "Jckxyzsv", 556: "0123456789abdeghnopqu#$?_L", 584: "+<=>~−±×≥≤", 611: "FTZ", 667: "ABEKPSVXY&",
    722: "CDHNRUw", 778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "…—→", 1015: "@",
}.items() for letter in letters}  # fmt: skip
OTHER, EAST_ASIAN, ROOM, BOLD = 600, 1050, 1.03, 1.1  # other letters; room for fonts that stand in; bold ones are wider
BASELINE = 0.34  # of the size: how far below the middle of a line its letters stand
DASHES = {"dashed": "5,2", "dotted": "1,5"}


def shown(text: str) -> str:
    """Escape text for SVG; blanks stay, also where there are several."""
    return escape(text).replace("  ", f" {NBSP}").replace(NBSP, "&#160;")


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a text is, in points, with a little room for fonts that stand in for Helvetica."""
    wide = sum(WIDTHS.get(c, EAST_ASIAN if c >= "\u2e80" else OTHER) for c in text.replace(NBSP, " "))
    return wide * size / 1000 * (BOLD if bold else ROOM)


@dataclass(slots=True)
class Run:
    """Hold a piece of text of one look."""

    text: str
    size: float
    colour: str
    bold: bool = False
    italic: bool = False

    @property
    def wide(self) -> float:
        return width_of(self.text, self.size, self.bold)

    def write(self, size: float, ink: str, bold: bool, italic: bool) -> str:
        """Write the text, with what is not as in its line."""
        look = f' font-size="{self.size:.2f}"' * (self.size != size)
        look += ' font-weight="bold"' * (self.bold > bold) + ' font-style="italic"' * (self.italic > italic)
        look += f' fill="{self.colour}"' * (self.colour != ink)
        return f"<tspan{look}>{shown(self.text)}</tspan>" if look else shown(self.text)


@dataclass(slots=True)
class Line:
    """Hold a line of text, in which most has the colour ``ink``."""

    runs: list[Run]
    ink: str

    @property
    def size(self) -> Point:
        return sum(run.wide for run in self.runs), max((run.size * 1.2 for run in self.runs), default=0.0)

    def draw(self, x: float, y: float, width: float, height: float, align: str = "") -> Iterator[str]:
        """Draw the line in one element, with a part of its own for each look."""
        if not self.runs:
            return
        size, low = max(run.size for run in self.runs), y + height / 2
        ink = self.ink if any(run.colour == self.ink for run in self.runs) else self.runs[0].colour
        anchor, x = {"LEFT": ("start", x), "RIGHT": ("end", x + width)}.get(align, ("middle", x + width / 2))
        bold, italic = (all(getattr(run, name) for run in self.runs) for name in ("bold", "italic"))
        look = ' font-weight="bold"' * bold + ' font-style="italic"' * italic
        inner = "".join(run.write(size, ink, bold, italic) for run in self.runs)
        yield (
            f'<text text-anchor="{anchor}" x="{x:.2f}" y="{low + size * BASELINE:.2f}" font-size="{size:.2f}"'
            f'{look} fill="{ink}">{inner}</text>'
        )


@dataclass(slots=True)
class Cell:
    """Hold a cell of a table: what stands in it and how it looks."""

    inner: "Table | Line"
    look: Look
    column: int
    span: int
    padding: float

    def number(self, key: str) -> float:
        return float(self.look.get(key, 0))

    @property
    def size(self) -> Point:
        wide, high = self.number("WIDTH"), self.number("HEIGHT")
        if self.look.get("FIXEDSIZE") == "TRUE":
            return wide, high
        inner = self.inner.size
        extra = 2 * (self.padding + self.number("BORDER"))
        return max(inner[0] + extra, wide), max(inner[1] + extra, high)

    def draw(self, x: float, y: float, width: float, height: float) -> Iterator[str]:
        yield from ground(self.look, x, y, width, height)
        p, align = self.padding, self.look.get("ALIGN", "")
        yield from self.inner.draw(x + p, y + p, width - 2 * p, height - 2 * p, align)


class Table:
    """Hold a table of an HTML-like label, with the sizes of its columns and rows."""

    def __init__(self, element: ET.Element, like: Run) -> None:
        self.look = element.attrib
        self.border, self.spacing = float(self.look.get("BORDER", 1)), float(self.look.get("CELLSPACING", 2))
        padding = float(self.look.get("CELLPADDING", 2))
        self.cells: list[list[Cell]] = []
        self.rules: list[tuple[int, int]] = []  # before which column of which row a line stands
        for tr in element:
            column, cells = 0, []
            for each in tr:
                if each.tag == "VR":
                    self.rules.append((len(self.cells), column))
                    continue
                look, inner = each.attrib, content(each, like)
                span = int(look.get("COLSPAN", 1))
                cells.append(Cell(inner, look, column, span, float(look.get("CELLPADDING", padding))))
                column += span
            self.cells.append(cells)
        self.columns = [0.0] * max((one.column + one.span for line in self.cells for one in line), default=0)
        self.rows = [max((one.size[1] for one in line), default=0.0) for line in self.cells]
        for one in sorted((one for line in self.cells for one in line), key=lambda one: one.span):
            over = slice(one.column, one.column + one.span)
            lacks = one.size[0] - sum(self.columns[over]) - self.spacing * (one.span - 1)
            if lacks > 0:
                self.columns[over] = [wide + lacks / one.span for wide in self.columns[over]]

    @property
    def size(self) -> Point:
        wide = sum(self.columns) + self.spacing * (len(self.columns) + 1) + 2 * self.border
        high = sum(self.rows) + self.spacing * (len(self.rows) + 1) + 2 * self.border
        return max(wide, float(self.look.get("WIDTH", 0))), max(high, float(self.look.get("HEIGHT", 0)))

    def draw(self, x: float, y: float, width: float, height: float, align: str = "") -> Iterator[str]:
        """Draw the table; a larger place is shared out among columns and rows, unless its size is fixed."""
        own = self.size
        if self.look.get("FIXEDSIZE") == "TRUE":
            x += {"LEFT": 0.0, "RIGHT": width - own[0]}.get(align, (width - own[0]) / 2)
            y += (height - own[1]) / 2
            width, height = own
        wide = (width - own[0]) / max(len(self.columns), 1)
        high = (height - own[1]) / max(len(self.rows), 1)
        lefts, tops = [x + self.border + self.spacing], [y + self.border + self.spacing]
        for column in self.columns:
            lefts.append(lefts[-1] + column + wide + self.spacing)
        for own_height in self.rows:
            tops.append(tops[-1] + own_height + high + self.spacing)
        yield from ground({**self.look, "BORDER": str(self.border)}, x, y, width, height)
        for k, line in enumerate(self.cells):
            for one in line:
                left, right = lefts[one.column], lefts[one.column + one.span] - self.spacing
                yield from one.draw(left, tops[k], right - left, tops[k + 1] - self.spacing - tops[k])
        for k, column in self.rules:
            colour, middle = self.look.get("COLOR", "#000000"), lefts[column] - self.spacing / 2
            low, end = (y if k == 0 else tops[k]), (y + height if k + 1 == len(self.rows) else tops[k + 1])
            yield f'<path stroke="{colour}" d="M{middle:.2f},{low:.2f}V{end:.2f}"/>'


def ground(look: Look, x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw what lies under a cell or a table: its ground and its border."""
    border, style = float(look.get("BORDER", 0)), look.get("STYLE", "").lower()
    if not look.get("BGCOLOR") and not border:
        return
    half = border / 2
    line = f' stroke="{look.get("COLOR", "#000000")}"' if border else ""
    line += f' stroke-width="{border:g}"' if border > 1 else ""
    line += next((f' stroke-dasharray="{dash}"' for name, dash in DASHES.items() if name in style and border), "")
    corner = f' rx="{min(12.0, height / 3):.2f}"' if "rounded" in style else ""
    yield (
        f'<rect fill="{look.get("BGCOLOR", "none")}"{line} x="{x + half:.2f}" y="{y + half:.2f}" '
        f'width="{width - border:.2f}" height="{height - border:.2f}"{corner}/>'
    )


def _pieces(each: ET.Element, like: Run) -> Iterator["Table | Run"]:
    """Return the texts and tables in an element, each text with the look of what stands around it."""
    if each.tag == "FONT":
        look = each.attrib
        like = replace(like, size=float(look.get("POINT-SIZE", like.size)), colour=look.get("COLOR", like.colour))
    like = replace(like, bold=like.bold or each.tag == "B", italic=like.italic or each.tag == "I")
    if each.text:
        yield replace(like, text=each.text)
    for inner in each:
        if inner.tag == "TABLE":
            yield Table(inner, like)
        else:
            yield from _pieces(inner, like)
        if inner.tail:
            yield replace(like, text=inner.tail)


def content(element: ET.Element, like: Run) -> "Table | Line":
    """Read what stands in a cell or a label: a table, or a line of text."""
    pieces = list(_pieces(element, like))
    tables = [piece for piece in pieces if isinstance(piece, Table)]
    return tables[0] if tables else Line([piece for piece in pieces if isinstance(piece, Run)], like.colour)


def markup(text: str, like: Run) -> "Table | Line":
    """Read an HTML-like label."""
    try:
        return content(ET.fromstring(f"<X>{text.replace('&nbsp;', NBSP)}</X>"), like)
    except ET.ParseError as error:
        raise ArgumentError(f"the built-in layout cannot read the label {text[:60]!r}: {error}.") from None


def record(text: str, like: Run, is_row: bool) -> "Table | Line":
    """Read the label of a record: fields between ``|``, which lie the other way in braces."""
    if text.startswith("{"):
        text, is_row = text[1:-1], not is_row
    fields = (" ".join(lines(field.strip())) for field in re.split(r"(?<!\\)\|", text))
    cells = [cell(escape(field)) for field in fields]
    return markup(table(*([row("<VR/>".join(cells))] if is_row else map(row, cells)), border=1, padding=6), like)


def label(look: Look, like: Run, is_row: bool) -> "Table | Line":
    """Read the label of a node, cluster or graph: HTML-like, of a record, or plain lines."""
    text = look.get("label", "")
    like = replace(like, size=float(look.get("fontsize", like.size)), colour=look.get("fontcolor", like.colour))
    if text.startswith("<"):
        return markup(text[1:], like)
    if look.get("shape") == "record":
        return record(text.strip(), like, is_row)
    if len(found := lines(text)) > 1:
        return markup(table(*(row(cell(escape(each))) for each in found), padding=0), like)
    return Line([replace(like, text=text)] if (text := found[0]) else [], like.colour)
