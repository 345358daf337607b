"""What stands below a picture: a banner, the colour scale, the states that occur in it, what was folded."""

from autograd.viz.arrange import has_bars
from autograd.viz.escape import label
from autograd.viz.markup import cell, font, row, table
from autograd.viz.model import View
from autograd.viz.theme import LOWEST, SMALL_SIZE, STATES, STEPS

SPARE = 12  # empty cells, which share what a row is wider than its samples: those would be stretched

MANY = 3  # states in a legend that make it wider than the scale above it
CHARTS = "charts: how many elements lie where, from minus to plus the largest"


class Legend:
    """Write the legend of a view in the colours of a theme."""

    def __init__(self, view: View, colours: dict[str, str]) -> None:
        self.view, self.c = view, colours

    def banner(self) -> str:
        text = font(label(self.view.banner, 200), self.c["noticeink"])
        return table(row(cell(text)), padding=6, bgcolor=self.c["notice"])

    def footer(self) -> str:
        """Write the legend of what occurs in this picture, the colour scale, and what was folded."""
        muted, present = self.c["muted"], {item.state for item in self.view.items if item.kind == "value"}
        parts = [self.legend(state) for state in STATES if state != "ok" and state in present]
        states = [*(item.state for item in self.view.items), *(arrow.state for arrow in self.view.arrows)]
        lines = [row(cell(self.banner(), align="LEFT"))] if self.view.banner else []
        legends = [self.scale(SPARE * (len(parts) > MANY))] * ("ok" in states) + [
            "".join(parts) + cell("") * SPARE
        ] * bool(parts)
        lines += [row(cell(table(row(legend), spacing=3), align="LEFT", balign="LEFT")) for legend in legends]
        charts = [CHARTS] * any(
            has_bars(part.shape) for item in self.view.items for part in item.parts if part.state != "const"
        )
        folded = [f"folded: {'; '.join(self.view.folded)}"] if self.view.folded else []
        lines += [
            row(cell(font(label(text, 240), muted, SMALL_SIZE), align="LEFT"))
            for text in [*charts, *folded, *self.view.problems]
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

    def scale(self, spare: int = 0) -> str:
        low, high, gap = 10.0 ** (LOWEST + 1), 10.0 ** (LOWEST + STEPS - 1), "&nbsp;&nbsp;"
        swatches = [cell("", bgcolor=self.c[f"s{k}"], width=15) for k in range(STEPS)]
        before, after = (
            font(text, self.c["muted"], 9)
            for text in (
                f"size of the gradient (root mean square){gap}&lt; {low:g}",
                f"≥ {high:g}{gap}{gap}an edge says what it adds{gap}",
            )
        )
        return cell(before) + "".join(swatches) + cell(after) + cell("") * spare
