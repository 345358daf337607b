"""Small building blocks of DOT's HTML-like labels."""

from collections.abc import Sequence
from typing import Any


def tag(name: str, inner: str = "", **attributes: Any) -> str:
    """Write an element; attributes that are None or empty are left out, ``_`` in their names stands for ``-``.

    >>> tag("td", "x", align="left", bgcolor=None)
    '<TD ALIGN="left">x</TD>'
    """
    pairs = (
        f' {key.upper().replace("_", "-")}="{value}"' for key, value in attributes.items() if value not in (None, "")
    )
    return f"<{name.upper()}{''.join(pairs)}>{inner}</{name.upper()}>"


def font(inner: str, color: str | None = None, size: Any = None) -> str:
    """Colour and size a piece of text; engines refuse an element around nothing."""
    return tag("font", inner, color=color, point_size=size) if inner else ""


def cell(inner: str, **attributes: Any) -> str:
    """Write a table cell."""
    return tag("td", inner, **attributes)


def row(*cells: str) -> str:
    """Write a table row."""
    return tag("tr", "".join(cells))


def table(*rows: str, border: int = 0, padding: int = 2, spacing: int = 0, **attributes: Any) -> str:
    """Write a table without inner borders."""
    return tag(
        "table", "".join(rows), border=border, cellborder=0, cellspacing=spacing, cellpadding=padding, **attributes
    )


def bars(heights: Sequence[int], color: str, width: int, height: int) -> str:
    """Write a bar chart of a table: columns of ``width`` points, up to ``height`` points high."""

    def block(high: int, ground: str | None = None) -> str:
        return row(cell("", fixedsize="TRUE", width=width, height=high, bgcolor=ground)) if high else ""

    columns = [table(block(height - high) + block(high, color), padding=0) for high in heights]
    inside = row(*(cell(column, fixedsize="TRUE", width=width, height=height) for column in columns))
    return table(inside, padding=0, fixedsize="TRUE", width=width * len(columns), height=height)
