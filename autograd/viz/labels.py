"""The inside of boxes as HTML-like labels: values, cards with what stands in them, folds, constants."""

from typing import Any

import numpy as np

from autograd.viz.arrange import has_bars, is_flat
from autograd.viz.cards import LONG
from autograd.viz.escape import extra_width, label
from autograd.viz.markup import bars, cell, font, row, table, tag
from autograd.viz.model import MEASURES, NOT_KEPT, Item, Part, View
from autograd.viz.nonfinite import kind_of_bad
from autograd.viz.numbers import FEW, WIDE, grid, literal, one_line, rows, shape_text, spread, spread_counts
from autograd.viz.theme import SMALL_SIZE, STATES

BINS, BAR = 15, (4, 11)  # columns of a chart; width and height of one in points


class Labels:
    """Write the label of an item: what it needs is the view, its direction and the colours."""

    def __init__(self, view: View, rankdir: str, colours: dict[str, str]) -> None:
        self.view, self.rankdir, self.c = view, rankdir, colours

    def constant(self, item: Item) -> str:
        c = self.c
        text = font(label(literal(item.value)), c["muted"])
        return table(row(cell(text)), border=1, padding=3, style="ROUNDED", color=c["moduleline"], bgcolor=c["const"])

    def reference(self, item: Item) -> str:
        c = self.c
        return table(
            row(cell(tag("i", label(item.name)))),
            border=1,
            padding=3,
            style="ROUNDED,DASHED",
            color=c["line"],
            bgcolor=c["leaf"],
        )

    def value(self, item: Item) -> str:
        c = self.c
        fill = "root" if item.root else "const" if item.state == "const" else "leaf" if item.leaf else "value"
        bad = item.state == "bad" or item.alarm
        line, border = ("bad", 2) if bad else ("rootline", 2) if item.root else ("line", 1)
        line, border = ("now", 3) if item.id in self.view.now else (line, border)
        style = {"dashed": "ROUNDED,DASHED", "dotted": "ROUNDED,DOTTED"}.get(STATES[item.state][2], "ROUNDED")
        if (item.says or item.place) and not is_flat(item, self.rankdir):
            return self.card(item, border, style, c[line], c[fill])
        cells = [*self.head(item), self.name_cell(item), self.data_cell(item), *filter(None, [self.grad_cell(item)])]
        uses = next((text for word, text in item.facts if word == "uses"), "")
        if uses:
            cells.append(cell(font(f"{uses} uses", c["muted"], SMALL_SIZE)))
        body = [row(text) for text in cells] if item.shape else [row("<VR/>".join(cells))]
        return table(*body, border=border, padding=4, style=style, color=c[line], bgcolor=c[fill])

    def card(self, item: Item, border: int, style: str, line: str, fill: str) -> str:
        """Write a value with the op that made it: what it is, what stands inside, then its data and its gradient."""
        c, lines = self.c, []
        if item.place:
            lines.append(cell(font(label(item.place, 40), c["moduleink"], SMALL_SIZE)))
        lines += [*self.head(item), self.name_cell(item)]
        if item.parts:
            lines.append(self.inside(item))
        if item.value is None and item.state == "lost":
            lines.append(cell(font(f"data, grad {NOT_KEPT}", c["muted"], SMALL_SIZE)))
        else:
            lines += [self.data_cell(item), *filter(None, [self.grad_cell(item)])]
        uses = next((text for word, text in item.facts if word == "uses"), "")
        if uses:
            lines.append(cell(font(f"{uses} uses", c["muted"], SMALL_SIZE)))
        return table(*map(row, lines), border=border, padding=3, style=style, color=line, bgcolor=fill)

    def outputs(self, item: Item) -> str:
        """Write the card of an op with several results, which stand beside it: what it is, and what stands inside."""
        place = [cell(font(label(item.place, 40), self.c["moduleink"], SMALL_SIZE))] if item.place else []
        lines = [*place, *self.head(item), self.inside(item)]
        line = self.c["now" if item.id in self.view.now else "line"]
        return table(*map(row, lines), border=1, padding=3, style="ROUNDED", color=line, bgcolor=self.c["value"])

    def inside(self, item: Item) -> str:
        """Write the rows of the leaves that stand in a card."""
        rows = [row(*cells) for part in item.parts for cells in (self.part(part), self.bars(part)) if cells]
        return cell(table(*rows, padding=2, bgcolor=self.c["leaf"], style="ROUNDED"))

    def head(self, item: Item) -> list[str]:
        """Write what a card is: the op in the words of its call."""
        if not item.says:
            return []
        fill, ink = (self.c["bad"], self.c["badink"]) if item.alarm else (self.c["op"], self.c["opink"])
        return [cell(plate(font(label(item.says, LONG), ink), fill), cellpadding=1)]

    def part(self, part: Part) -> list[str]:
        """Write a leaf in a card: name and shape, its values, its gradient on the ground of its size."""
        c = self.c
        shape = font(label(f" {shape_text(part.shape)}"), c["muted"]) if part.shape else ""
        mark = "&nbsp;" + font(part.id, c["muted"], SMALL_SIZE) if part.unnamed else ""
        head = font(tag("b", label(part.name.rsplit(".", 1)[-1] or part.id, 24)), None, SMALL_SIZE) + mark
        head += font(shape, None, SMALL_SIZE) if shape else ""
        data = (
            NOT_KEPT if part.value is None else one_line(part.value) if np.size(part.value) <= 3 else spread(part.value)
        )
        said = f"{data} ({part.note})" if part.note else data
        cells = [cell(head, align="LEFT"), cell(font(label(said, 60), c["ink"], SMALL_SIZE), align="RIGHT")]
        if part.state == "const":
            return [*cells, cell("")]
        _, ink, _, words, _ = STATES[part.state]
        g = part.grad
        text = words if words or g is None else one_line(g) if np.size(g) <= 3 else spread(g)
        step = self.view.step(part.size) if part.state == "ok" else None
        ground = c[f"s{step}"] if step is not None else c[STATES[part.state][0] or "none"]
        return [*cells, cell(font(f"∂ {label(text, 60)}", c[ink], SMALL_SIZE), align="LEFT", bgcolor=ground, width=85)]

    def bars(self, part: Part) -> list[str]:
        """Draw how the elements of a weight and of its gradient spread, from minus to plus the largest."""
        if not has_bars(part.shape) or part.state == "const":
            return []
        step = self.view.step(part.size) if part.state == "ok" else None
        ground = self.c[f"s{step}"] if step is not None else self.c[STATES[part.state][0] or "none"]
        line = self.c["wire" if step is None else f"e{step}"]
        told = part.grad is not None and not self.view.played
        value = "" if part.value is None else _chart(part.value, self.c["wire"])
        return [
            cell(""),
            cell(value, align="RIGHT", cellpadding=1),
            cell(
                _chart(part.grad, line) if told else "",
                align="LEFT",
                bgcolor=None if self.view.played else ground,
                cellpadding=1,
            ),
        ]

    def name_cell(self, item: Item) -> str:
        muted = self.c["muted"]
        parts = [tag("b", label(item.name)) if item.name else font(item.id, muted, SMALL_SIZE)]
        if item.shape:
            parts.append(font(f"{label(shape_text(item.shape))} {item.dtype}", muted, SMALL_SIZE))
        if item.note:
            parts.append(font(label(item.note), muted, SMALL_SIZE))
        if item.alarm:
            parts.append(font(tag("b", label(item.alarm)), self.c["bad"], SMALL_SIZE))
        width = extra_width(item.name)
        return cell("&nbsp; ".join(parts), width=width + 8 if width else None)

    def data_cell(self, item: Item) -> str:
        ink = "bad" if item.value is not None and kind_of_bad(item.value) else "ink"
        return cell(self.lettered("data", NOT_KEPT if item.value is None else item.value, ink, "muted"))

    def grad_cell(self, item: Item) -> str:
        if item.state == "const":
            return ""
        fill, ink, _, words, _ = STATES[item.state]
        step = self.view.step(item.size) if item.state == "ok" else None
        colour = self.c[f"s{step}"] if step is not None else self.c[fill] if fill else None
        shown = item.grad if item.grad is not None and not words else words
        inner = self.lettered("grad", shown, ink, ink if step is not None else None)
        held = (
            ""
            if item.total is None
            else font(f"&nbsp;.grad {label(one_line(item.total), 60)}&nbsp;", self.c[ink], SMALL_SIZE)
        )
        if colour is None:  # what .grad holds stands below in a row of its own: a gradient may be a table
            return cell(inner if not held else table(row(cell(inner)), row(cell(held)), padding=0))
        return cell(plate(inner, colour, more=held), cellpadding=2)

    def lettered(self, word: str, value: Any, ink: str, wordink: str | None = None) -> str:
        """Write ``data 4.0000``; a small matrix or a long vector stands under the word, in columns."""
        muted, colour = self.c[wordink or ("muted" if ink == "ink" else ink)], self.c[ink]
        if not isinstance(value, str) and 1 < np.size(value) <= FEW and len(lines := columns(value)) > 1:
            body = [row(*(cell(font(f"&nbsp;{text}", colour), align="RIGHT") for text in line)) for line in lines]
            return table(row(cell(font(word, muted), colspan=len(lines[0]))), *body, padding=2)
        text = value if isinstance(value, str) else rows(value)[0]
        return font(f"{word} ", muted) + font(label(text, 60), colour)

    def fold(self, item: Item) -> str:
        c = self.c
        step = self.view.step(item.size) if item.state == "ok" else None
        measured = next((word for word in MEASURES if word in dict(item.facts)), None)
        kind = "&nbsp;" + font(label(item.symbol), c["muted"]) if item.symbol else ""
        body = [row(cell(tag("b", label(item.name, 60)) + kind, align="LEFT", colspan=2))]
        for word, text in item.facts:
            shown = font(f"{label(text, 60)}&nbsp;", None, SMALL_SIZE)
            if step is not None and word == measured:
                shown = plate(shown, c[f"s{step}"], padding=0)
            if item.alarm and word in (item.alarm, ""):  # it may go on in rows without a word
                shown = font(shown, c["bad"])
            body.append(row(cell(font(label(word), c["muted"], SMALL_SIZE), align="LEFT"), cell(shown, align="LEFT")))
        line, border = ("now", 3) if item.id in self.view.now else ("bad" if item.alarm else "foldline", 2)
        return table(*body, border=border, padding=3, style="ROUNDED", color=c[line], bgcolor=c["fold"])


def _chart(array: Any, colour: str) -> str:
    counts = spread_counts(array, BINS)
    top = max(counts) or 1
    return bars([-(-count * BAR[1] // top) for count in counts], colour, *BAR)


def plate(inner: str, colour: str, padding: int = 2, more: str = "") -> str:
    """Colour the ground of a text with round corners: a coloured cell would stick out of those of the box."""
    lines = [row(cell(text)) for text in (inner, more) if text]
    return table(*lines, padding=padding, style="ROUNDED", bgcolor=colour)


def columns(array: Any) -> list[list[str]]:
    """Write a small array in rows; a vector that is too long for one goes on in a second."""
    lines = grid(array)
    if len(lines) == 1 and sum(len(text) + 2 for text in lines[0]) > WIDE:
        half = (len(lines[0]) + 1) // 2
        return [lines[0][:half], lines[0][half:]]
    return lines
