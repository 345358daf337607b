"""Fit a picture to a slide: which way it runs, and into how many rows a long one is wrapped.

Everything is told from the structure of the picture, with nominal sizes of its boxes: so nothing changes its place
when backward fills numbers in, and no engine is asked. The next row starts where the first did: an edge into it that
would run back is given to the engine the other way round, so that it keeps the order of the rows.
"""

from dataclasses import dataclass
from math import prod

from autograd.viz.model import Arrow, Item, View
from autograd.viz.numbers import FEW

WIDE, HIGH = (
    1500.0,
    820.0,
)  # points, with room: on a slide of 1920 × 1080 pixels the smallest text, of 10 points, has 12 pixels
ASPECTS = (1.0, 1.9)  # width to height, with room: pictures end between 0.8 and 2.4
ROWS, EXTRA, CUT = 5, 0.9, 0.95  # most rows; what a picture with one more row, and with one more cut edge, is worth
LETTER, LINE, GAP, BESIDE = 6.2, 18.0, (92.0, 46.0), 14.0  # sizes in points; the gap between ranks: to the right, down
CHART = 13.0  # the height of a row with charts
LABEL, FOOTER, FRAME = 36.0, 60.0, 36.0  # what an edge says of an array is wider; the legend; a frame in each row


@dataclass(slots=True)
class Arrangement:
    """Hold how a view is laid out: its direction, the ``row`` of every item and what rows start with, and its size."""

    rankdir: str
    row: dict[str, int]
    column: dict[str, int]
    starts: list[str]
    width: float
    height: float

    @property
    def fits(self) -> bool:
        """Tell whether the text is large enough to be read on a slide."""
        return self.width <= WIDE and self.height <= HIGH

    def wraps(self, arrow: Arrow) -> str:
        """Tell how an edge lies that leads into another row; the engine gets one that runs back the other way round."""
        if self.row[arrow.source] == self.row[arrow.target]:
            return ""
        ahead = self.column[arrow.target] - self.column[arrow.source]
        return "" if ahead > 0 else "back" if ahead else "level"


def arrange(view: View, rankdir: str | None = None) -> Arrangement:
    """Choose direction and rows so that the text is as large as can be, within the aspects of a slide."""
    ranks = _ranks(view)
    frames = 26.0 * (1 + max((group.depth for group in view.groups), default=-1))
    best: tuple[float, Arrangement] = (0.0, Arrangement("LR", dict.fromkeys(ranks, 0), ranks, [], 0.0, 0.0))
    for way in (rankdir,) if rankdir else ("LR", "TB"):
        sizes = {item.id: nominal(item, way) for item in view.items}
        for rows in range(1, 1 + (ROWS if rankdir is None else 1)):
            row = _rows(view, ranks, sizes, way, rows)
            if len(set(row.values())) < rows:
                continue
            width, height = _extent(ranks, row, sizes, way)
            frame = frames if rows == 1 else 0.0  # rows stand without
            nested = FRAME * (rows == 1) * any(group.depth for group in view.groups)
            label = LABEL * max(len(set(ranks.values())) / rows - 1, 0) * any(item.shape for item in view.items)
            width, height = (width + label, height + nested) if way in ("LR", "RL") else (width + nested, height)
            height += FOOTER
            starts = _starts(row, ranks, view)
            column = {key: rank - ranks[starts[row[key]]] for key, rank in ranks.items()}
            made = Arrangement(way, row, column, starts, width + frame, height + frame)
            cuts = sum(row[arrow.source] != row[arrow.target] for arrow in view.arrows)
            worth = _worth(made) * EXTRA ** (rows - 1) * CUT ** max(cuts - rows + 1, 0)
            if worth > best[0] * 1.02:
                best = worth, made
    return best[1]


def _worth(made: Arrangement) -> float:
    """Return how large the text will be, made small outside the aspects of a slide; beyond a fifth more is no gain."""
    aspect = made.width / max(made.height, 1.0)
    off = max(ASPECTS[0] / aspect, aspect / ASPECTS[1], 1.0)
    return float(min(WIDE / made.width, HIGH / made.height, 1.2) / off**2)


def is_flat(item: Item, way: str) -> bool:
    """Tell whether a box has its texts side by side: that of a number, where the picture runs down."""
    return not item.shape and not item.parts and not item.place and way in ("TB", "BT")


def has_bars(shape: tuple[int, ...]) -> bool:
    """Tell whether a leaf in a card is drawn as a chart too: one whose elements are not all told."""
    return prod(shape) > FEW


def nominal(item: Item, way: str) -> tuple[float, float]:
    """Return the size that a box will have about, with or without gradients."""
    if item.kind in ("const", "ref"):
        return 60.0, 24.0
    if item.kind == "fold":
        return 220.0, 116.0
    if is_flat(item, way):
        return (len(item.name or item.id) + len(item.says)) * LETTER + 185.0, 26.0
    count, lines, wide = 1, 1, 118.0 if not item.shape else 165.0
    for extent in item.shape:
        count *= extent
    if 1 < count <= 9:
        columns = item.shape[-1] if len(item.shape) > 1 and item.shape[-1] > 1 else count
        lines, wide = 1 + count // max(columns, 1), max(80.0, 52.0 * columns + 16)
    letters = max(len(item.says), len(item.place), len(item.name) + 4 * len(item.shape) + 9 * bool(item.shape))
    charts = sum(has_bars(part.shape) and part.state != "const" for part in item.parts)
    heads = bool(item.says) + bool(item.place) + 1 + 2 * lines
    return max(letters * LETTER + 16, wide, 240.0 if item.parts else 0.0), LINE * (
        heads + len(item.parts)
    ) + CHART * charts + 6


def _starts(row: dict[str, int], ranks: dict[str, int], view: View) -> list[str]:
    """Name what each row starts with; these stand in one line, in order."""
    found: dict[int, str] = {}
    made = {arrow.target for arrow in view.arrows} | {item.id for item in view.items if item.kind == "fold"}
    for key in sorted(row, key=lambda key: (key not in made, ranks[key])):
        found.setdefault(row[key], key)
    return [found[k] for k in sorted(found)]


def _ranks(view: View) -> dict[str, int]:
    """Place each item behind all that it uses; what uses nothing stands right before its first use."""
    ranks: dict[str, int] = {item.id: 0 for item in view.items}
    inputs: dict[str, list[str]] = {}
    outputs: dict[str, list[str]] = {}
    for arrow in view.arrows:
        inputs.setdefault(arrow.target, []).append(arrow.source)
        outputs.setdefault(arrow.source, []).append(arrow.target)
    left = {item.id: len(inputs.get(item.id, [])) for item in view.items}
    ready = [key for key, count in left.items() if not count]
    while ready:
        key = ready.pop()
        for target in outputs.get(key, []):
            ranks[target] = max(ranks[target], ranks[key] + 1)
            left[target] -= 1
            if not left[target]:
                ready.append(target)
    for key in ranks:
        if not inputs.get(key) and outputs.get(key):
            ranks[key] = min(ranks[target] for target in outputs[key]) - 1
    low = min(ranks.values(), default=0)
    return {key: rank - low for key, rank in ranks.items()}


def _along(size: tuple[float, float], way: str) -> tuple[float, float]:
    return size if way in ("LR", "RL") else (size[1], size[0])


def _rows(
    view: View, ranks: dict[str, int], sizes: dict[str, tuple[float, float]], way: str, rows: int
) -> dict[str, int]:
    """Cut the ranks into rows of about one length; what uses nothing goes to the row of its first use."""
    last = max(ranks.values(), default=0)
    gap = GAP[way in ("TB", "BT")]
    lengths = [0.0] * (last + 1)
    used = {arrow.target for arrow in view.arrows}
    for key, rank in ranks.items():
        if key in used:  # what uses nothing comes with its first use
            lengths[rank] = max(lengths[rank], _along(sizes[key], way)[0] + gap)
    row_of = _cut(lengths, _prices(view, ranks, last), rows)
    row = {key: row_of[rank] for key, rank in ranks.items()}
    first: dict[str, int] = {}
    for arrow in view.arrows:
        first[arrow.source] = min(first.get(arrow.source, rows), row[arrow.target])
    return row | {key: first[key] for key in row if key not in used and key in first}


def _prices(view: View, ranks: dict[str, int], last: int) -> list[float]:
    """Return what it costs to cut before each rank: for every edge there, and more where it cuts a module in two."""
    homes = {item.id: item.module for item in view.items}
    prices = [0.0] * (last + 1)
    sources = {arrow.target for arrow in view.arrows}
    for arrow in view.arrows:
        low, high = ranks[arrow.source], ranks[arrow.target]
        inside = homes[arrow.source] == homes[arrow.target] != ""
        for rank in range(low + 1, high + 1):
            prices[rank] += (0.12 + 0.15 * inside) * (arrow.source in sources)
    return prices


def _cut(lengths: list[float], prices: list[float], rows: int) -> list[int]:
    """Cut a list into ``rows`` runs of about one length, at low prices: the row of each entry."""
    n, mean = len(lengths), max(sum(lengths) / rows, 1.0)
    costs: list[list[tuple[float, int]]] = [[(0.0 if k == 0 else float("inf"), 0) for k in range(n + 1)]]
    for _ in range(rows):
        line = [(float("inf"), 0)] * (n + 1)
        for stop in range(1, n + 1):
            length = 0.0
            for start in range(stop - 1, -1, -1):
                length += lengths[start]
                cost = costs[-1][start][0] + (length / mean) ** 2 + (prices[start] if start else 0.0)
                if cost < line[stop][0]:
                    line[stop] = cost, start
        costs.append(line)
    row_of, stop = [0] * n, n
    for k in range(rows, 0, -1):
        start = costs[k][stop][1]
        row_of[start:stop] = [k - 1] * (stop - start)
        stop = start
    return row_of


def _extent(
    ranks: dict[str, int], row: dict[str, int], sizes: dict[str, tuple[float, float]], way: str
) -> tuple[float, float]:
    """Return the width and height that the rows take together."""
    gap = GAP[way in ("TB", "BT")]
    cells: dict[tuple[int, int], tuple[float, float]] = {}
    for key, rank in ranks.items():
        along, across = _along(sizes[key], way)
        old = cells.get((row[key], rank), (0.0, 0.0))
        cells[row[key], rank] = max(old[0], along + gap), old[1] + across + BESIDE
    length: dict[int, float] = {}
    breadth: dict[int, float] = {}
    for (at, _), (along, across) in cells.items():
        length[at] = length.get(at, 0.0) + along
        breadth[at] = max(breadth.get(at, 0.0), across)
    long = max(length.values(), default=gap) - gap + 40
    broad = sum(breadth.values()) + 14 * (len(breadth) - 1) + 24
    return (long, broad) if way in ("LR", "RL") else (broad, long)
