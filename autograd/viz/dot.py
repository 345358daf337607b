"""Write the view model as DOT: values as boxes, ops round, modules as frames, contributions on the edges."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from autograd.viz.arrange import is_flat
from autograd.viz.cards import LONG
from autograd.viz.escape import clean, extra_width, label, quoted, shorten
from autograd.viz.markup import cell, font, row, table, tag
from autograd.viz.model import MEASURES, NOT_KEPT, Arrow, Group, Item, Part, View
from autograd.viz.nonfinite import kind_of_bad
from autograd.viz.numbers import FEW, WIDE, grid, one_line, rows, shape_text, short, signed, spread
from autograd.viz.theme import FONT, LOWEST, MONO, SIZE, SMALL_SIZE, STATES, STEPS, WIDTHS, palette

SHOWN = 40  # longer names are cut in the picture; the hover has all of it
MANY = 150  # in a picture of more boxes the short lines from an op to its result have no heads
BLANK = " " * 32  # as wide as what an edge says of an array
ROUND = 3  # symbols up to this length stand in a circle, longer ones in a pill


def write(view: View, rankdir: str | None = None, theme: str = "auto") -> str:
    """Give the DOT text of a view in the colours of ``theme``."""
    return "\n".join(_Writer(view, rankdir or view.rankdir, palette(theme)).lines()) + "\n"


class _Writer:
    """Hold what every line needs: the view and the colours."""

    def __init__(self, view: View, rankdir: str, colours: dict[str, str]) -> None:
        self.view, self.rankdir, self.c = view, rankdir, colours
        self.children: dict[str, list[Group]] = {}
        self.inside: dict[str, list[Item]] = {}
        self.paths = {group.id: clean(group.path) for group in view.groups}
        self.made = "dir=none" if view.boxes > MANY else "arrowsize=0.5"
        for group in view.groups:
            self.children.setdefault(group.parent, []).append(group)
        for item in view.items:
            self.inside.setdefault(item.module, []).append(item)

    def lines(self) -> Iterator[str]:
        c = self.c
        yield "digraph gradients {"
        yield (
            f'graph [rankdir={self.rankdir} bgcolor="{c["page"]}" fontname="{FONT}" fontsize={SIZE} '
            f'fontcolor="{c["ink"]}" '
            'pad="0.25" nodesep="0.18" ranksep="0.26" labelloc=b labeljust=l]'
        )
        yield f'node [fontname="{FONT}" fontsize={SIZE} fontcolor="{c["ink"]}" shape=plain]'
        yield (
            f'edge [fontname="{FONT}" fontsize={SMALL_SIZE} fontcolor="{c["ink"]}" '
            f'color="{c["wire"]}" arrowsize=0.6 penwidth=1]'
        )
        notes = self.footer()
        if notes:
            yield f"label=<{notes}>"
        yield from self.body()
        for arrow in self.view.arrows:
            yield self.arrow(arrow)
        for before, after in pairwise(self.view.starts):  # what rows start with stands in one line, in order
            yield f"{before} -> {after} [style=invis minlen=0 weight=50]"
        yield "}"

    # ------------------------------------------------------------------------------------------------- the frames

    def body(self) -> Iterator[str]:
        """Write items and frames, nested; with a stack of our own, so that any depth works."""
        for item in self.inside.get("", []):
            yield from self.item(item)
        stack: list[Group | None] = list(reversed(self.children.get("", [])))
        while stack:
            group = stack.pop()
            if group is None:
                yield "}"
                continue
            c = self.c
            kind = "" if group.kind in ("", group.path) else " " + font(label(group.kind), c["muted"])
            head = font(tag("b", label(group.path, 60)), c["moduleink"]) + kind
            tip = quoted(" ".join(text for text in (group.path, group.kind, group.text) if text))
            fill = c[f"module{min(group.depth, 2)}"]
            yield (
                f"subgraph cluster_{group.id} "
                f'{{ id={group.id} class=module style="rounded,filled" peripheries=1 penwidth=1 labelloc=t labeljust=l '
                f'margin=10 color="{c["moduleline"]}" fillcolor="{fill}" tooltip={tip} label=<{head}>'
            )
            for item in self.inside.get(group.id, []):
                yield from self.item(item)
            stack.append(None)
            stack.extend(reversed(self.children.get(group.id, [])))

    # -------------------------------------------------------------------------------------------------- the items

    def item(self, item: Item) -> Iterator[str]:
        where = self.paths.get(item.module)
        tip = quoted(hover(item) + (f"\nmodule {where}" if where else ""))
        if item.kind == "const":
            yield f"{item.id} [id={item.id} class=const tooltip={tip} label=<{self.constant(item)}>]"
        elif item.kind == "ref":
            yield f"{item.id} [id={item.id} class=ref tooltip={tip} label=<{self.reference(item)}>]"
        elif item.kind == "fold":
            yield f"{item.id} [id={item.id} class=fold tooltip={tip} label=<{self.fold(item)}>]"
        elif item.kind == "outputs":
            yield self.op(item, item.id)
        else:
            yield f'{item.id} [id={item.id} class="value {item.state}" tooltip={tip} label=<{self.value(item)}>]'
            if item.op and not item.says:
                yield self.op(item, f"{item.id}o")
                yield f"{item.id}o -> {item.id} [class=made {self.made}]"

    def op(self, item: Item, key: str) -> str:
        c, symbol = self.c, shorten(item.symbol, 24)
        shape = (
            "circle width=0.34 fixedsize=true"
            if len(symbol) <= ROUND
            else 'box width=0.3 height=0.28 margin="0.09,0.03"'
        )
        style = "filled" if len(symbol) <= ROUND else "rounded,filled"
        small = SIZE if len(symbol) < ROUND else "9" if len(symbol) == ROUND else SMALL_SIZE
        facts = "".join(f", {key}={value}" for key, value in item.facts)
        facts += f", {item.alarm}" if item.alarm else ""
        fill, ink = (c["bad"], c["badink"]) if item.alarm else (c["op"], c["opink"])
        return (
            f'{key} [id={key} class=op shape={shape} style="{style}" penwidth=0 fillcolor="{fill}" '
            f'fontcolor="{ink}" '
            f"fontsize={small} tooltip={quoted(item.op + facts)} label={quoted(symbol)}]"
        )

    def constant(self, item: Item) -> str:
        c = self.c
        text = font(label(short(item.value)), c["muted"])
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
            rows = [row(*self.part(part)) for part in item.parts]
            lines.append(cell(table(*rows, padding=2, bgcolor=c["leaf"], style="ROUNDED")))
        if item.value is None and item.state == "lost":
            lines.append(cell(font(f"data, grad {NOT_KEPT}", c["muted"], SMALL_SIZE)))
        else:
            lines += [self.data_cell(item), *filter(None, [self.grad_cell(item)])]
        uses = next((text for word, text in item.facts if word == "uses"), "")
        if uses:
            lines.append(cell(font(f"{uses} uses", c["muted"], SMALL_SIZE)))
        return table(*map(row, lines), border=border, padding=3, style=style, color=line, bgcolor=fill)

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
        head = font(tag("b", label(part.name.rsplit(".", 1)[-1] or part.id, 24)) + shape, None, SMALL_SIZE)
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
        kind = " " + font(label(item.symbol), c["muted"]) if item.symbol else ""
        body = [row(cell(tag("b", label(item.name, 60)) + kind, align="LEFT", colspan=2))]
        for word, text in item.facts:
            shown = font(f"{label(text, 60)}&nbsp;", None, SMALL_SIZE)
            if step is not None and word == measured:
                shown = plate(shown, c[f"s{step}"], padding=0)
            if word == item.alarm:
                shown = font(shown, c["bad"])
            body.append(row(cell(font(label(word), c["muted"], SMALL_SIZE), align="LEFT"), cell(shown, align="LEFT")))
        return table(
            *body, border=2, padding=3, style="ROUNDED", color=c["bad" if item.alarm else "foldline"], bgcolor=c["fold"]
        )

    # -------------------------------------------------------------------------------------------------- the edges

    def arrow(self, arrow: Arrow) -> str:
        head = arrow.target if arrow.target[0] == "f" or self.is_bare(arrow.target) else f"{arrow.target}o"
        c, step = self.c, self.view.step(arrow.size) if arrow.state == "ok" else None
        parts = [f"id={arrow.id}", f"class={arrow.state}", f"tooltip={quoted(arrow_hover(arrow))}"]
        if step is not None:
            line, ink = c[f"e{step}"], c[f"t{step}"]
            parts += [f'color="{line}"', f"penwidth={WIDTHS[step]}", f'fontcolor="{ink}"']
        elif arrow.state in ("masked", "zero"):
            style, ink = "dashed" if arrow.state == "masked" else "dotted", c["maskedink"]
            parts += [f"style={style}", f'fontcolor="{ink}"']
        elif arrow.state == "bad":
            ink = c["bad"]
            parts += [f'color="{ink}"', "penwidth=2.5", f'fontcolor="{ink}"']
        elif arrow.state in ("const", "made"):
            line = c["moduleline"]
            parts.append(f'color="{line}"')
        if arrow.wraps:
            parts.append("constraint=false")
        text = edge_label(arrow)
        if not text and self.view.starts and arrow.state not in ("const", "made"):
            text = BLANK  # room for what backward will bring, so that nothing moves then
        if text:
            parts.append(f"label={quoted(f' {text} ')}")
        return f"{arrow.source} -> {head} [{' '.join(parts)}]"

    def is_bare(self, key: str) -> bool:
        if not hasattr(self, "_bare"):
            self._bare = {item.id for item in self.view.items if not item.op or item.says or item.kind != "value"}
        return key in self._bare

    # --------------------------------------------------------------------------------------- banner, legend, notes

    def banner(self) -> str:
        text = font(label(self.view.banner, 200), self.c["noticeink"])
        return table(row(cell(text)), padding=6, bgcolor=self.c["notice"])

    def footer(self) -> str:
        """Write the legend of what occurs in this picture, the colour scale, and what was folded."""
        muted, present = self.c["muted"], {item.state for item in self.view.items if item.kind == "value"}
        parts = [self.legend(state) for state in STATES if state != "ok" and state in present]
        states = [*(item.state for item in self.view.items), *(arrow.state for arrow in self.view.arrows)]
        lines = [row(cell(self.banner(), align="LEFT"))] if self.view.banner else []
        legends = [self.scale()] * ("ok" in states) + ["".join(parts) + cell("")] * bool(parts)
        lines += [row(cell(table(row(legend), spacing=3), align="LEFT", balign="LEFT")) for legend in legends]
        folded = [f"folded: {'; '.join(self.view.folded)}"] if self.view.folded else []
        lines += [
            row(cell(font(label(text, 240), muted, SMALL_SIZE), align="LEFT"))
            for text in [*folded, *self.view.problems]
        ]
        return table(*lines, padding=0) if lines else ""

    def legend(self, state: str) -> str:
        fill, ink, border, words, meaning = STATES[state]
        sample = {"bad": "nan", "const": "data", "zero": "0", "masked": "0"}.get(state, words)
        look = dict(
            border=1,
            color=self.c["bad" if state == "bad" else "line"],
            bgcolor=self.c[fill],
            style={"dashed": "DASHED", "dotted": "DOTTED"}.get(border),
        )
        return cell(font(label(sample), self.c[ink], 9), **look) + cell(
            font(f"{label(meaning, 80)}&nbsp;&nbsp;", self.c["muted"], 9)
        )

    def scale(self) -> str:
        low, high, gap = 10.0 ** (LOWEST + 1), 10.0 ** (LOWEST + STEPS - 1), "&nbsp;&nbsp;"
        swatches = [cell("", bgcolor=self.c[f"s{k}"], width=15) for k in range(STEPS)]
        before, after = (
            font(text, self.c["muted"], 9)
            for text in (
                f"size of the gradient (root mean square){gap}&lt; {low:g}",
                f"≥ {high:g}{gap}{gap}an edge says what it adds{gap}",
            )
        )
        return cell(before) + "".join(swatches) + cell(after)


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


def edge_label(arrow: Arrow) -> str:
    """Say what an edge added: the number, or mean ± spread of an array; nothing before backward."""
    text = f"{arrow.count:,}× " if arrow.count > 1 else ""
    if arrow.argument.startswith("["):
        return arrow.argument
    if arrow.share is None:
        return text.strip()
    if arrow.state == "masked":
        return text + "0 masked"
    if arrow.state == "zero":
        return text + "0"
    if not np.ndim(arrow.share):
        return text + signed(arrow.share)
    few = arrow.share.size <= 3 and arrow.share.ndim == 1
    shown = rows(arrow.share)[0] if few else spread(arrow.share)
    text += f"+{shown}" if shown[0] in "[(" else f"+({shown})"
    return text + (f", {arrow.masked} of {arrow.share.size} masked" if arrow.masked else "")


def hover(item: Item) -> str:
    """Write what a hover over an item shows: all that is known, line by line."""
    lines = [item.name] if len(item.name) > SHOWN or item.kind == "fold" else []
    if item.kind == "value":
        lines.append(f"shape {shape_text(item.shape)} {item.dtype}" if item.shape else "scalar")
        lines.append(f"data {NOT_KEPT if item.value is None else one_line(item.value)}")
        lines.append(f"grad {grad_text(item)}" + (f", rms {short(item.size)}" if item.shape and item.size else ""))
        if item.total is not None:
            lines.append(f".grad (accumulated) {one_line(item.total)}")
    for part in item.parts:
        data = NOT_KEPT if part.value is None else one_line(part.value)
        shape = f"shape {shape_text(part.shape)} {part.dtype}, " if part.shape else ""
        lines.append(f"{part.name}: {shape}data {data}, grad {grad_text(part)}")
    if item.kind == "ref":
        return f"a use of {item.name} ({item.note})"
    if item.kind == "const":
        lines = [f"constant {short(item.value)}"]
    lines += [item.alarm] if item.alarm and item.kind != "fold" else []
    lines += [f"{word} {text}" for word, text in item.facts]
    if item.note:
        lines.append(item.note)
    return "\n".join(lines)


def grad_text(item: Item | Part) -> str:
    """Write the gradient of an item in words and numbers."""
    words = STATES[item.state][3]
    if item.state == "const":
        return "not needed"
    return words if words or item.grad is None else one_line(item.grad)


def arrow_hover(arrow: Arrow) -> str:
    """Write what a hover over an edge shows."""
    where = f"{arrow.argument}: " if arrow.argument and not arrow.argument.startswith("[") else ""
    if arrow.share is None:
        return where + {
            "const": "needs no gradient",
            "lost": "not kept after backward (retain_graph=True keeps it)",
        }.get(arrow.state, "not computed")
    return f"{where}adds {one_line(arrow.share)}" + (" (masked)" if arrow.state == "masked" else "")


__all__ = ["MONO", "arrow_hover", "edge_label", "grad_text", "hover", "write"]
