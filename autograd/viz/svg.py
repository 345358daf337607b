"""Finish the SVG that the layout engine wrote: dark colours, a title for screen readers, fewer bytes."""

import base64
import re
from collections.abc import Callable
from functools import lru_cache

from autograd.errors import ArgumentError
from autograd.viz.escape import page
from autograd.viz.theme import DARK, LIGHT, dark_style

_HEAD = re.compile(r"<svg\b([^>]*)>")
_GEOMETRY = re.compile(r' (?:d|points|x|y|x1|x2|y1|y2|cx|cy|r|rx|ry|width|height)="[^"]*"')
_NUMBER = re.compile(r"-?\d+\.\d+")
_BOX = re.compile(  # it ends where it starts, and an edge of as many points does not
    r'<path((?: (?:fill|stroke|stroke-width|stroke-dasharray)="[^"]*")*)'
    r' d="(M([-\d.]+,[-\d.]+)[C ](?:[-\d.]+,[-\d.]+[C ]){23}\3)"/>'
)
_BORDER = re.compile(  # a box comes as filling, content, border: the border can be drawn with the filling
    r'(<rect fill="#\w+")( x="[^>]*/>)((?:(?!</g>).)*?)<rect fill="none" ((?:stroke[-\w]*="[^"]*" ?)+)\2'
)
_BAR = re.compile(r'<polygon fill="(#\w+)" points="([\d.-]+),([\d.-]+) \2,([\d.-]+) \2,\4 \2,\3(?: \2,\3)?"/>')
_WORD = re.compile(r'<text( x="[^"]*" y="([^"]*)") fill="(#\w+)">data </text><text x="[^"]*" y="\2"([^>]*)>')
_CURVE = re.compile(r' d="M((?:-?\d+,-?\d+[C ])+-?\d+,-?\d+)"')
_EDGE = re.compile(
    r'(<g id="[^"]*" class="edge) ok(?=">(?:(?!</g>).)*?<path stroke="(#\w+)"(?: stroke-width="([\d.]+)")?)'
    r'((?:(?!</g>|<path).)*<path) stroke="\2"(?: stroke-width="\3")?([^>]*>)'
    r'<polygon fill="\2" points="([^"]*)"(/><text[^>]*?) fill="(#\w+)"(.*?</g>)'
)
# What looks the same wherever it occurs: the group, the element, its property.
_UNIFORM = (
    ("op", "text", "fill"),
    ("op", "circle", "fill"),
    ("op", "rect", "fill"),
    ("made", "path", "stroke"),
    ("value \\w+", "tspan", "fill"),
)
STYLE = (
    ".chainrule .made path,.chainrule .edge path{fill:none}"
    ".chainrule .edge text,.chainrule .op text{text-anchor:middle}"
    f".chainrule .edge text{{font-size:10px}}.chainrule{{fill:{LIGHT['ink']}}}"
)
LARGE = 60_000  # an SVG over this many characters goes without decimals in its coordinates


def finish(svg: str, title: str, dark: bool, told: str = "") -> str:
    """Make the engine's file a stand-alone ``<svg>`` with a title, and with what it shows ``told`` in words.

    ``dark`` follows ``prefers-color-scheme``.
    """
    start = svg.find("<svg")
    if start < 0:
        raise ArgumentError("the layout engine gave no SVG.")
    body = re.sub(r"<!--.*?-->\s*", "", svg[start:], flags=re.DOTALL)
    body = re.sub(r"<title>[^<]*</title>\s*", "", body)
    style = f"<style>{STYLE}{scoped(dark_style(body)) if dark else ''}</style>"
    head = f'<svg\\1 class="chainrule" role="img" aria-label="{escape_backslash(page(title))}">'
    named = f"<title>{escape_backslash(page(title))}</title>"
    named += f"<desc>{escape_backslash(page(told))}</desc>" if told else ""
    return _HEAD.sub(head + named + escape_backslash(style), body, count=1)


def escape_backslash(text: str) -> str:
    """Protect text that stands in the replacement of a regular expression."""
    return text.replace("\\", "\\\\")


def scoped(style: str) -> str:
    """Let rules apply inside our pictures only: a style sheet in an inline SVG would otherwise reach the whole page."""
    return style.replace("}[", "}.chainrule [").replace("{[", "{.chainrule [")


# What the engines write and nobody sees; ``<``, ``&`` and quotes of names are escaped, so none of this can hit a name.
_DROPPED = (
    ' xml:space="preserve"',
    ' font-family="Helvetica,sans-Serif"',
    ' font-size="12.00"',
    ' text-anchor="start"',
    ' stroke="transparent"',
    ' stroke="none"',
    "</a></g>",
)
_SHORTER: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r'<g id="a_[^"]*"><a xlink:title="([^"]*)">'), lambda found: f"<title>{found[1]}</title>"),
    (re.compile(r'<g id="edge\d+" class="edge made">'), lambda found: '<g class="made">'),
    (_BOX, lambda found: _rectangle(found)),
    (_BORDER, lambda found: f"{found[1]} {found[4]}{found[2]}{found[3]}"),
    (re.compile(r'(<polygon fill="(#\w+)") stroke="\2"(?: stroke-width="[^"]*")?'), lambda found: found[1]),
    (re.compile(r'(<polygon fill="#\w+")(?: stroke-\w+="[^"]*")+(?= points)'), lambda found: found[1]),
    (_BAR, lambda found: f'<path stroke="{found[1]}" d="M{found[2]},{found[3]}V{found[4]}"/>'),
    (re.compile(r'(<path stroke="(#\w+)" d="M[^"]*V[^"]*)"/><path stroke="\2" d="(?=M[^"]*V)'), lambda found: found[1]),
    (re.compile(r'(<(?:polygon|ellipse|path|rect)[^>]*?) stroke="\w+" stroke-width="0"'), lambda found: found[1]),
    (re.compile(r'(<g id="[^"]*" class="edge [^>]*>.*?</g>)'), lambda found: _bare_edge(found)),
    (re.compile(r'(<g class="made">)<path fill="none"'), lambda found: f"{found[1]}<path"),
    (re.compile(r'(class="node op">(?:(?!</g>).)*<text) text-anchor="middle"'), lambda found: found[1]),
    (_WORD, lambda found: f'<text{found[1]}{found[4]}><tspan fill="{found[3]}">data </tspan>'),
    (re.compile(r'<ellipse([^>]*) rx="([^"]+)" ry="\2"/>'), lambda found: f'<circle{found[1]} r="{found[2]}"/>'),
    (re.compile(r'( points="([^" ]+) [^"]*) \2"'), lambda found: f'{found[1]}"'),  # a polygon closes by itself
)


def compact(svg: str) -> str:
    """Say the same with a third of the bytes: repeats said once, round boxes as ``<rect>``, hovers as ``<title>``."""
    svg = re.sub(r">\s+<", "><", svg)
    for dropped in _DROPPED:
        svg = svg.replace(dropped, "")
    svg = svg.replace("<svg ", '<svg font-family="Helvetica,Arial,sans-serif" font-size="12" ', 1)
    for pattern, shorter in _SHORTER:
        svg = pattern.sub(shorter, svg)
    svg = svg.replace("&#45;", "-").replace(f' fill="{LIGHT["ink"]}">', ">")
    large = len(svg) > LARGE
    rounded = _whole if large else _rounded
    svg = _GEOMETRY.sub(lambda found: _NUMBER.sub(rounded, found[0]), svg)
    return _named_looks(_CURVE.sub(_relative, svg)) if large else svg


def _relative(found: re.Match[str]) -> str:
    """Write a curve of whole numbers relative to where each piece starts: fewer digits, the same curve."""
    points = _points(found[1])
    starts = [points[k // 3 * 3] for k in range(len(points) - 1)]
    return f' d="M{points[0][0]},{points[0][1]}c{_steps(points[1:], starts)}"'


def _points(text: str) -> list[tuple[int, int]]:
    pairs = (point.split(",") for point in re.split("[C ]", text))
    return [(int(x), int(y)) for x, y in pairs]


def _steps(points: list[tuple[int, int]], starts: list[tuple[int, int]]) -> str:
    """Write points as seen from others, with no blank where a sign parts two numbers."""
    numbers = [step for (x, y), (x0, y0) in zip(points, starts, strict=True) for step in (x - x0, y - y0)]
    return "".join(str(step) if k == 0 or step < 0 else f" {step}" for k, step in enumerate(numbers))


def _named_looks(svg: str) -> str:
    """Say once, in the style sheet, how ops and the steps of the colour scale look, and not at each node and edge."""
    rules: list[tuple[str, str, str]] = []  # what is styled, the property, its value
    looks: dict[tuple[str, ...], str] = {}

    def name(found: re.Match[str]) -> str:
        head, line, width, before, curve, tip, text, ink, rest = found.groups()
        key = looks.setdefault((line, width or "1", ink), f"k{len(looks)}")
        corners = _points(tip)
        head_of_arrow = f"M{corners[0][0]},{corners[0][1]}l{_steps(corners[1:], corners[:-1])}z"
        return f'{head} {key}{before}{curve}<path d="{head_of_arrow}"{text}{rest}'

    svg = _EDGE.sub(name, svg)
    for (line, width, ink), key in looks.items():
        rules += [(f"{key} path", "stroke", line), (f"{key} path", "stroke-width", width)]
        rules += [(f"{key} path+path", "fill", line), (f"{key} text", "fill", ink)]
    for kind, element, look in _UNIFORM:
        shape = re.compile(rf'(class="(?:node )?{kind}">(?:(?!</g>).)*?<{element}[^>]*?) {look}="(#\w+)"')
        colours = {found[2] for found in shape.finditer(svg)}
        if len(colours) == 1:
            svg = shape.sub(r"\1", svg)
            rules.append((f"{kind.split()[0]} {element}", look, colours.pop()))
    twins = {colour: DARK[role] for role, colour in LIGHT.items()}
    style = "".join(f".chainrule .{what}{{{look}:{value}}}" for what, look, value in rules)
    if "prefers-color-scheme" in svg:
        dark = (f".chainrule .{what}{{{look}:{twins[value]}}}" for what, look, value in rules if value in twins)
        style += f"@media (prefers-color-scheme:dark){{{''.join(dark)}}}"
    return svg.replace("</style>", f"{style}</style>", 1).replace('class="node ', 'class="')


def _bare_edge(found: re.Match[str]) -> str:
    """Leave out of an edge what the style sheet says for all."""
    edge = re.sub(r"> ([^<]*) </text>", r">\1</text>", found[0])
    return edge.replace(' fill="none"', "").replace(' text-anchor="middle"', "").replace(' font-size="10.00"', "")


def _rounded(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.1f}"
    return "0" if float(text) == 0 else text.rstrip("0").rstrip(".")


def _whole(found: re.Match[str]) -> str:
    text = f"{float(found[0]):.0f}"
    return "0" if text == "-0" else text


def _rectangle(found: re.Match[str]) -> str:
    """Write a closed path of eight corners (a box with round corners) as a rectangle with the same look."""
    return f"<rect{found[1]} {_frame(found[2])}/>"


@lru_cache(maxsize=2)
def _frame(path: str) -> str:
    """Read place, size and rounding of a box off its outline, which comes twice in a row: for filling and border."""
    numbers = [float(number) for number in path[1:].replace("C", " ").replace(",", " ").split()]
    xs, ys = sorted(set(numbers[::2])), sorted(set(numbers[1::2]))
    radius = xs[2] - xs[0]  # from the corner: where its curve ends; half way there is what bends it
    return f'x="{xs[0]}" y="{ys[0]}" width="{xs[-1] - xs[0]:.2f}" height="{ys[-1] - ys[0]:.2f}" rx="{radius:.2f}"'


def data_uri(svg: str) -> str:
    """Write a picture as an address that an ``<img>`` can show."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode("ascii")
