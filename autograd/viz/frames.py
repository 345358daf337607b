"""The frames of a replay: one picture for each step, all on one layout, as SVG for slides or as a GIF.

The whole picture is laid out once. Each frame is written anew, with what is known at its step, and its boxes and edges
are pinned where those of the whole picture stand.
"""

import io
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from autograd.errors import ArgumentError, missing
from autograd.viz import dot
from autograd.viz.engine import lacks, layout
from autograd.viz.escape import label, spelled
from autograd.viz.ledger import kind_of
from autograd.viz.markup import cell, font, row, table, tag
from autograd.viz.model import Arrow, Item, Part, View
from autograd.viz.numbers import rms
from autograd.viz.svg import compact, finish
from autograd.viz.theme import palette

MOST, PACE, REST = 150, 1400, 3200  # frames of a film; milliseconds of a step, and of the last one
LINES, LINE, LETTER, NARROWEST = 3, 17, 7.6, 480  # the caption: lines, their height, width of a letter, least width
UNTIL_THEN = ("rms", "skip")  # facts of a fold that come with backward


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold what one step does: along which edge, from which op, to which value (``v7/1``: in a card), and its sum."""

    arrow: str
    op: str
    target: str
    total: Any
    last: bool


def moment_view(view: View, moments: Sequence[Moment], k: int) -> View:
    """Return the view as it is after step ``k``: only what has arrived is there."""
    arrived = {moment.target: moment for moment in moments[: k + 1]}
    to_come = {moment.arrow for moment in moments[k + 1 :]}
    items = [_item(item, arrived, to_come) for item in view.items]
    arrows = [_arrow(arrow, to_come) for arrow in view.arrows]
    now = frozenset({moments[k].arrow, moments[k].op, moments[k].target.split("/")[0]} - {""})
    return replace(view, items=items, arrows=arrows, now=now, banner="", problems=[])


def _arrow(arrow: Arrow, to_come: set[str]) -> Arrow:
    return replace(arrow, share=None, state="none", size=None, masked=0) if arrow.id in to_come else arrow


def _item(item: Item, arrived: dict[str, Moment], to_come: set[str]) -> Item:
    if item.kind in ("const", "ref", "outputs"):
        return item
    parts, n = [], 0
    for part in item.parts:
        parts.append(part if part.state == "const" else _filled(part, arrived.get(f"{item.id}/{n}")))
        n += part.state != "const"
    if item.kind == "fold":
        facts = [(word, "–" if word.startswith(UNTIL_THEN) else text) for word, text in item.facts]
        return item if item.id in arrived else replace(item, facts=facts, state="none", size=None)
    item = replace(item, parts=parts)
    return item if item.state == "const" else _filled(item, arrived.get(item.id))


def _filled(thing: Any, moment: Moment | None) -> Any:
    """Give a value or a part its gradient of this moment."""
    kept = {"total": None, "alarm": ""} if isinstance(thing, Item) else {}
    if moment is None:
        return replace(thing, grad=None, state="none", size=None, **kept)
    if moment.last:
        return thing
    kind = kind_of(moment.total)
    return replace(thing, grad=moment.total, state=kind, size=rms(moment.total) if kind == "ok" else None, **kept)


# ----------------------------------------------------------------------------------------------------------- places


@dataclass(slots=True)
class Places:
    """Hold where everything stands: ``nodes`` and ``frames`` by name, ``edges`` by their id or their two ends."""

    nodes: dict[str, str]
    frames: dict[str, str]
    edges: dict[str, tuple[str, str]]
    width: float
    height: float
    foot: float  # the height of the legend


def places(source: str) -> Places:
    """Lay a picture out and read where everything stands."""
    found = json.loads(layout(source, "json0"))
    objects = found.get("objects", [])
    by_number = {each["_gvid"]: each["name"] for each in objects}
    edges = {}
    for edge in found.get("edges", []):
        ends = f"{by_number[edge['tail']]} -> {by_number[edge['head']]}"
        if "pos" in edge:
            edges[edge.get("id", ends)] = edge["pos"], edge.get("lp", "")
    _, _, width, height = (float(x) for x in found["bb"].split(","))
    return Places(
        {each["name"]: each["pos"] for each in objects if "pos" in each},
        {each["name"]: each["bb"] for each in objects if "bb" in each},
        edges, width, height, 72 * float(found.get("lheight", 0)),
    )  # fmt: skip


def pinned(source: str, at: Places) -> str:
    """Write into each statement where its box, frame or edge stands; what only ordered the rows goes."""
    lines = []
    for line in source.split("\n"):
        if box := re.match(r"(\w+) \[(?=id=)", line):
            line = line.replace("[", f'[pos="{at.nodes[box[1]]}" ', 1)
        elif frame := re.match(r"subgraph (cluster_\w+) ", line):
            line = line.replace(" label=<", f' bb="{at.frames[frame[1]]}" label=<', 1)
        elif ends := re.match(r"(\w+ -> \w+) \[", line):
            key = re.search(r"\bid=(e\d+) ", line)
            found = at.edges.get(key[1] if key else ends[1])
            if found is None or "style=invis" in line:
                continue
            spot = f'lp="{found[1]}" ' if found[1] else ""
            line = line.replace("[", f'[pos="{found[0]}" {spot}', 1)
        lines.append(line)
    return "\n".join(lines)


def captioned(source: str, at: Places, said: Sequence[str], ink: str, muted: str) -> str:
    """Add what a step says above the picture, in a box of one size for all steps."""
    width = max(at.width, NARROWEST)
    letters = int(width / LETTER)
    lines = [font(tag("b", label(text, 400)), ink) for text in textwrap.wrap(said[0], letters)]
    lines += [font(label(text, 400), muted) for text in textwrap.wrap(" ".join(said[1:]), letters)]
    lines = [*lines, *["&nbsp;"] * LINES][:LINES]
    high = LINES * LINE
    body = table(*(row(cell(text, align="LEFT")) for text in lines), padding=0, width=int(width), height=high)
    fixed = body.replace("<TABLE", '<TABLE FIXEDSIZE="TRUE"', 1)
    pos = f"{width / 2:.1f},{at.height + high / 2 + 10:.1f}"
    corners = "".join(  # a box that is marked is a little larger: nothing else may move by it
        f'corner{k} [shape=point width=0.01 style=invis pos="{x:.1f},{at.foot:.1f}"]\n'
        for k, x in enumerate((-4, width + 4))
    )
    return source.rstrip()[:-1] + corners + f'caption [id=caption shape=plain pos="{pos}" label=<{fixed}>]\n}}\n'


def draw_frames(
    view: View, moments: Sequence[Moment], said: Sequence[Sequence[str]], theme: str, format: str
) -> Iterator[bytes]:
    """Draw one frame for each step, as ``svg`` or ``png``."""
    if len(moments) > MOST:
        raise ArgumentError(
            f"replay: {len(moments):,} steps are too many for a film or single pictures (at most {MOST}). Save the "
            "page as .html, or fold the graph with max_nodes=."
        )
    c, at = palette(theme), places(dot.write(view, None, theme))
    for k, texts in enumerate(said):
        source = dot.write(moment_view(view, moments, k), None, theme)
        source = captioned(pinned(source, at), at, texts, c["ink"], c["muted"])
        if format == "png":
            source = spelled(source, lacks(source, "png"))
            yield layout(source.replace("graph [", "graph [dpi=120 ", 1), "png", pinned=True)
        else:
            raw = layout(source, "svg", pinned=True).decode("utf-8")
            yield compact(finish(raw, texts[0], dark=theme == "auto")).encode("utf-8")


def gif(pictures: Iterator[bytes]) -> bytes:
    """Join PNG files into a film."""
    first = next(pictures)  # where no engine is that draws it, Pillow would not help
    try:
        from PIL import Image
    except ImportError:
        raise missing("replay: a .gif", "plot", part=1) from None
    frames = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in chain([first], pictures)]
    size = max(frame.width for frame in frames), max(frame.height for frame in frames)
    if any(frame.size != size for frame in frames):  # a caption that an engine made wider
        ground = frames[0].getpixel((0, 0))
        frames = [_padded(frame, size, ground, Image) for frame in frames]
    colours = frames[-1].quantize(192)  # those of the last frame, in which all has arrived
    drawn = [frame.quantize(palette=colours, dither=Image.Dither.NONE) for frame in frames]
    file = io.BytesIO()
    times = [PACE] * (len(drawn) - 1) + [REST]
    drawn[0].save(file, "GIF", save_all=True, append_images=drawn[1:], duration=times, loop=0, optimize=False)
    return file.getvalue()


def _padded(frame: Any, size: tuple[int, int], ground: Any, image: Any) -> Any:
    whole = image.new("RGB", size, ground)
    whole.paste(frame, (0, 0))
    return whole


__all__ = ["Moment", "Part", "captioned", "draw_frames", "gif", "moment_view", "pinned", "places"]
