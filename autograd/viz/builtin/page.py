"""Lay a graph out and write it as SVG, in the form in which Graphviz does."""

from collections.abc import Iterable, Iterator

from autograd.viz.builtin.layered import lay_out
from autograd.viz.builtin.parts import Box, Cluster, Point, Wire
from autograd.viz.builtin.reading import Graph, Look, lines
from autograd.viz.builtin.tables import BASELINE, DASHES, Line, Run, Table, ground, label, shown, width_of

INCH, LEGEND, TITLE = 72, 8, 8  # points; the room above a legend, and on both sides of a cluster's title
COLOURS = {"darkolivegreen1": "#caff70"}  # a name that X11 has and SVG has not
HEAD = 10  # the length of an arrow head of size 1


def write(graph: Graph) -> bytes:
    """Lay a graph out and return the bytes of an SVG file."""
    return _Page(graph).svg().encode("utf-8")


class _Page:
    def __init__(self, graph: Graph) -> None:
        self.graph, look = graph, graph.look
        self.way = look.get("rankdir", "TB")
        self.level = self.way in ("LR", "RL")
        self.like = Run("", 14.0, look.get("fontcolor", "black"))
        self.labels = {key: self.label(each) for key, each in graph.nodes.items()}
        self.sizes = {key: self.size(key) for key in graph.nodes}
        self.titles = {
            key: self.label({"fontsize": look.get("fontsize", "14"), **each}) for key, each in graph.clusters.items()
        }
        self.foot = self.label({"label": look.get("label", "")})
        self.boxes = {key: self.box(key) for key in graph.nodes}
        self.wires = [self.wire(*edge) for edge in graph.edges]
        self.clusters = {key: self.cluster(key) for key in graph.clusters}
        beside, gap = (float(look.get(name, least)) * INCH for name, least in (("nodesep", 0.25), ("ranksep", 0.5)))
        self.extent = self.turned(lay_out(self.boxes, self.wires, self.clusters, beside, gap))

    # ------------------------------------------------------------------------------------------- what is to be laid out

    def turned(self, pair: Point) -> Point:
        """Turn along and across into x and y, and back."""
        return pair if self.level else (pair[1], pair[0])

    def label(self, look: Look) -> Table | Line:
        return label(look, self.like, not self.level)

    def size(self, key: str) -> Point:
        """Return the width and height of a node: what its label needs, in its shape."""
        look, (wide, high) = self.graph.nodes[key], self.labels[key].size
        shape = look.get("shape", "ellipse")
        least = [float(look.get(name, 0)) * INCH for name in ("width", "height")]
        if look.get("fixedsize") == "true":
            return least[0], least[1] or least[0]
        if shape in ("plain", "record"):
            return wide, high
        margin = [float(each) * INCH for each in look.get("margin", "0.11,0.055").split(",")]
        wide, high = wide + 2 * margin[0], high + 2 * margin[-1]
        if shape == "ellipse":
            wide, high = max(wide * 1.25, 40.0), max(high * 1.3, 26.0)
        return max(wide, least[0]), max(high, least[1])

    def box(self, key: str) -> Box:
        is_round = self.graph.nodes[key].get("shape") == "circle"
        return Box(*self.turned(self.sizes[key]), self.graph.parents[key], is_round)

    def wire(self, tail: str, head: str, look: Look) -> Wire:
        hidden = look.get("style") == "invis"
        wire = Wire(tail, head, int(look.get("minlen", 1)), int(look.get("weight", 1)), hidden=hidden)
        if look.get("label", "").strip() and not hidden:
            size = float(look.get("fontsize", 14))
            wide, high = width_of(look["label"], size), size * 1.3
            wire.along, wire.before, wire.after = (wide, high, 3.0) if self.level else (high, 3.0, wide)
        return wire

    def cluster(self, key: str) -> Cluster:
        wide, high = self.titles[key].size
        return Cluster(self.graph.parents[key], self.turned((0.0, high)), self.turned((wide + 2 * TITLE, 0.0)))

    # ------------------------------------------------------------------------------------------------- what is drawn

    def at(self, point: Point) -> Point:
        """Return where a point along and across lies: in the middle of what the legend makes wider."""
        x, y = self.turned(point)
        x, y = self.extent[0] - x if self.way == "RL" else x, self.extent[1] - y if self.way == "BT" else y
        return x + max(self.foot.size[0] - self.extent[0], 0.0) / 2, y

    def svg(self) -> str:
        """Write the picture, with its legend below."""
        foot, pad = self.foot.size, float(self.graph.look.get("pad", 0.06)) * INCH
        width, height = max(self.extent[0], foot[0]), self.extent[1] + (foot[1] + LEGEND if foot[1] else 0.0)
        box = f'width="{width + 2 * pad:.2f}" height="{height + 2 * pad:.2f}"'
        parts = [
            f'<svg width="{width + 2 * pad:.0f}pt" height="{height + 2 * pad:.0f}pt"\n'
            f' viewBox="0.00 0.00 {width + 2 * pad:.2f} {height + 2 * pad:.2f}" '
            'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">',
            f'<g id="graph0" class="graph" transform="translate({pad:g} {pad:g})" '
            'font-family="Helvetica,sans-Serif" font-size="12.00">',
            f'<rect fill="{self.graph.look.get("bgcolor", "white")}" x="{-pad:.2f}" y="{-pad:.2f}" {box}/>',
            *self.foot.draw(0.0, self.extent[1] + LEGEND, *foot, "LEFT"),
        ]
        for key, look in self.graph.clusters.items():
            parts += self.group("cluster", key, look, self.frame(key))
        for wire, (tail, head, look) in zip(self.wires, self.graph.edges, strict=True):
            parts += self.group("edge", f"{tail}_{head}", look, self.edge(wire, look)) if wire.curve else []
        for key, look in self.graph.nodes.items():
            parts += self.group("node", key, look, self.node(key)) if look.get("style") != "invis" else []
        return "".join([*parts, "</g></svg>\n"])

    def group(self, kind: str, key: str, look: Look, parts: Iterable[str]) -> Iterator[str]:
        """Put parts into a group with an id, a class, and what shows on hover."""
        tip = "&#10;".join(map(shown, lines(look.get("tooltip", ""))))
        yield f'<g id="{shown(look.get("id", key))}" class="{(kind + " " + look.get("class", "")).strip()}">'
        yield f'<g id="a_{shown(key)}"><a xlink:title="{tip}">' if tip else ""
        yield from parts
        yield "</a></g></g>" if tip else "</g>"

    def frame(self, key: str) -> Iterator[str]:
        look, corners = self.graph.clusters[key], self.clusters[key].corners
        (x0, y0), (x1, y1) = self.at(corners[:2]), self.at(corners[2:])
        left, top = min(x0, x1), min(y0, y1)
        border = {
            "BGCOLOR": look.get("fillcolor", ""),
            "BORDER": "1",
            "COLOR": look.get("color", "black"),
            "STYLE": look.get("style", ""),
        }
        yield from ground(border, left, top, abs(x1 - x0), abs(y1 - y0))
        yield from self.titles[key].draw(left + TITLE, top + 4, *self.titles[key].size, "LEFT")

    def node(self, key: str) -> Iterator[str]:
        look, (wide, high), (x, y) = self.graph.nodes[key], self.sizes[key], self.at(self.boxes[key].at)
        shape, style, color = look.get("shape", "ellipse"), look.get("style", ""), look.get("color", "black")
        fill = look.get("fillcolor", look.get("color", "lightgrey")) if "filled" in style else "none"
        fill, is_bare = COLOURS.get(fill, fill), look.get("penwidth") == "0"
        if shape in ("circle", "ellipse"):
            line = "" if is_bare else f' stroke="{color}"'
            yield f'<ellipse fill="{fill}"{line} cx="{x:.2f}" cy="{y:.2f}" rx="{wide / 2:.2f}" ry="{high / 2:.2f}"/>'
        elif shape == "box":
            border = {"BGCOLOR": fill, "BORDER": "0" if is_bare else "1", "COLOR": color, "STYLE": style}
            yield from ground(border, x - wide / 2, y - high / 2, wide, high)
        inner = self.labels[key].size
        yield from self.labels[key].draw(x - inner[0] / 2, y - inner[1] / 2, *inner)

    def edge(self, wire: Wire, look: Look) -> Iterator[str]:
        color, pen, way = look.get("color", "black"), float(look.get("penwidth", 1)), look.get("dir", "forward")
        points, size = (
            [self.at(point) for point in wire.curve],
            HEAD * float(look.get("arrowsize", 1)) + 0.6 * (pen - 1),
        )
        heads = []
        for wanted in (("forward", "both"), ("back", "both")):
            heads += [_head(points, size)] if way in wanted else []
            points.reverse()
        first, rest = (" ".join(f"{x:.2f},{y:.2f}" for x, y in some) for some in (points[:1], points[1:]))
        line = f' stroke-width="{pen:g}"' * (pen != 1)
        line += f' stroke-dasharray="{DASHES[look["style"]]}"' if look.get("style") in DASHES else ""
        yield f'<path fill="none" stroke="{color}"{line} d="M{first}C{rest}"/>'
        for corners in heads:
            yield f'<polygon fill="{color}" points="{" ".join(f"{x:.2f},{y:.2f}" for x, y in corners)}"/>'
        if wire.along:
            size, (x, y) = float(look.get("fontsize", 14)), self.at(wire.spot)
            text = shown(" ".join(lines(look["label"])))
            yield (
                f'<text text-anchor="middle" x="{x:.2f}" y="{y + size * BASELINE:.2f}" font-size="{size:.2f}" '
                f'fill="{look.get("fontcolor", self.like.colour)}">{text}</text>'
            )


def _head(points: list[Point], size: float) -> list[Point]:
    """Return the corners of an arrow head at the end of a curve, and let the curve end where the head begins."""
    (x1, y1), (x0, y0) = points[-1], points[-2]
    far = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    ux, uy = (x1 - x0) / far, (y1 - y0) / far
    bx, by, half = x1 - ux * size, y1 - uy * size, size * 0.35
    points[-1] = bx + ux, by + uy
    points[-2] = x0 - ux * size / 2, y0 - uy * size / 2
    return [(bx - uy * half, by + ux * half), (x1, y1), (bx + uy * half, by - ux * half)]
