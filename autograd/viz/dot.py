"""Write the view model as DOT: values as boxes, ops round, modules as frames, contributions on the edges."""

from collections.abc import Iterator
from itertools import pairwise

from autograd.viz.escape import clean, label, quoted, shorten
from autograd.viz.labels import Labels
from autograd.viz.legend import Legend
from autograd.viz.markup import font, tag
from autograd.viz.model import Arrow, Group, Item, View
from autograd.viz.theme import FONT, SIZE, SMALL_SIZE, WIDTHS, palette
from autograd.viz.wording import arrow_hover, edge_label, hover

MANY = 150  # in a picture of more boxes the short lines from an op to its result have no heads
BLANK = 32  # letters: as wide as what an edge says of an array
ROUND = 3  # symbols up to this length stand in a circle, longer ones in a pill


def write(view: View, rankdir: str | None = None, theme: str = "auto") -> str:
    """Return the DOT text of a view in the colours of ``theme``."""
    return "\n".join(_Writer(view, rankdir or view.rankdir, palette(theme)).lines()) + "\n"


class _Writer:
    """Hold what every line needs: the view and the colours."""

    def __init__(self, view: View, rankdir: str, colours: dict[str, str]) -> None:
        self.view, self.rankdir, self.c = view, rankdir, colours
        self.labels = Labels(view, rankdir, colours)
        self.children: dict[str, list[Group]] = {}
        self.inside: dict[str, list[Item]] = {}
        self.paths = {group.id: clean(group.path) for group in view.groups}
        self.made = "dir=none" if view.boxes > MANY else "arrowsize=0.5"
        for group in view.groups if view.framed else ():
            self.children.setdefault(group.parent, []).append(group)
        for item in view.items:
            self.inside.setdefault(item.module if view.framed else "", []).append(item)

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
        notes = Legend(self.view, c).footer()
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
            kind = "" if group.kind in ("", group.path) else "&nbsp;" + font(label(group.kind), c["muted"])
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
        where = self.paths.get(item.module) or item.place
        tip = quoted(hover(item) + (f"\nmodule {where}" if where else ""))
        if item.kind == "const":
            yield f"{item.id} [id={item.id} class=const tooltip={tip} label=<{self.labels.constant(item)}>]"
        elif item.kind == "ref":
            yield f"{item.id} [id={item.id} class=ref tooltip={tip} label=<{self.labels.reference(item)}>]"
        elif item.kind == "fold":
            yield f"{item.id} [id={item.id} class=fold tooltip={tip} label=<{self.labels.fold(item)}>]"
        elif item.kind == "outputs" and not item.parts:
            yield self.op(item, item.id)
        elif item.kind == "outputs":
            yield f"{item.id} [id={item.id} class=outputs tooltip={tip} label=<{self.labels.outputs(item)}>]"
        else:
            yield f'{item.id} [id={item.id} class="value {item.state}" tooltip={tip} label=<{self.labels.value(item)}>]'
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
        fill = c["now"] if key in self.view.now else fill
        return (
            f'{key} [id={key} class=op shape={shape} style="{style}" penwidth=0 fillcolor="{fill}" '
            f'fontcolor="{ink}" '
            f"fontsize={small} tooltip={quoted(item.op + facts)} label={quoted(symbol)}]"
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
        if arrow.id in self.view.now:
            line = c["now"]
            parts = [part for part in parts if not part.startswith(("color=", "penwidth="))]
            parts += [f'color="{line}"', "penwidth=3.5"]
        if arrow.wraps == "level":
            parts.append("minlen=0")
        text = edge_label(arrow)
        if arrow.share is None and self.view.starts and arrow.state not in ("const", "made"):
            text = text.ljust(BLANK)  # room for what backward will bring, so that nothing moves then
        if text:
            parts.append(f"label={quoted(f' {text} ')}")
        if arrow.wraps == "back":
            return f"{head} -> {arrow.source} [dir=back {' '.join(parts)}]"
        return f"{arrow.source} -> {head} [{' '.join(parts)}]"

    def is_bare(self, key: str) -> bool:
        if not hasattr(self, "_bare"):
            self._bare = {item.id for item in self.view.items if not item.op or item.says or item.kind != "value"}
        return key in self._bare
