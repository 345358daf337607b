"""Lay boxes out in layers: a rank behind all that a box uses, an order in each rank, coordinates, curves.

For pictures of some 60 boxes. It knows sizes only; in points, and mostly in whole numbers, so that the same picture
comes out on every machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from autograd.viz.builtin.coordinates import MARGIN, place_across
from autograd.viz.builtin.curves import smooth, spread, walk
from autograd.viz.builtin.ordering import order
from autograd.viz.builtin.parts import Box, Cluster, Point, Vertex, Wire
from autograd.viz.builtin.simplex import simplex

PORT, INSET, AIM = 7, 6, 20  # between ends of edges at a side, from its corners; how sharply they aim at their box
SHIFT = 6  # how far a label gives way to a steep edge


def lay_out(boxes: dict[str, Box], wires: list[Wire], clusters: dict[str, Cluster], beside: float, gap: float) -> Point:
    """Place all of these and return how far the picture goes along and across, from (0, 0).

    Boxes of a rank are ``beside`` apart, ranks ``gap``. An edge that closes a cycle runs back.
    """
    if not boxes:
        return 0.0, 0.0
    back = closing(boxes, wires)
    ahead = [replace(w, tail=w.head, head=w.tail) if k in back else w for k, w in enumerate(wires)]
    extent = _Layout(boxes, [w for w in ahead if w.tail != w.head], clusters, beside, gap).place()
    for k in back:
        wires[k].curve, wires[k].spot = ahead[k].curve[::-1], ahead[k].spot
    return extent


def closing(boxes: Iterable[str], wires: Sequence[Wire]) -> set[int]:
    """Find the edges that close a cycle: those that lead a walk back to where it is under way."""
    leaving: dict[str, list[int]] = {key: [] for key in boxes}
    for k, wire in enumerate(wires):
        if wire.tail != wire.head:
            leaving[wire.tail].append(k)
    entered = {wires[k].head for out in leaving.values() for k in out}
    found: set[int] = set()
    under_way: dict[str, bool] = {}
    for start in sorted(leaving, key=lambda key: key in entered):  # what uses nothing comes first
        stack = [] if start in under_way else [(start, iter(leaving[start]))]
        under_way.setdefault(start, bool(stack))
        while stack:
            key, out = stack[-1]
            for k in out:
                head = wires[k].head
                if head not in under_way:
                    under_way[head] = True
                    stack.append((head, iter(leaving[head])))
                    break
                if under_way[head]:
                    found.add(k)
            else:
                under_way[key] = False
                stack.pop()
    return found


class _Layout:
    """Hold what all steps need: the vertices, which is ``of`` which box, and the ``chains`` that edges run along."""

    def __init__(
        self, boxes: dict[str, Box], wires: list[Wire], clusters: dict[str, Cluster], beside: float, gap: float
    ) -> None:
        self.boxes, self.wires, self.clusters = boxes, wires, clusters
        step = 2 if any(wire.along for wire in wires) else 1  # labels stand in ranks of their own
        self.beside, self.gap = beside, gap / step
        number = {key: k for k, key in enumerate(boxes)}
        ranks = simplex(len(boxes), [(number[w.tail], number[w.head], w.least * step, w.weight) for w in self.wires])
        self.paths = {key: self.path(key) for key in ["", *clusters]}
        self.vertices: list[Vertex] = []
        self.of = number
        for (key, box), rank in zip(boxes.items(), ranks, strict=True):
            half = box.across / 2
            self.vertices.append(Vertex(rank, self.paths[box.home], half, half, box.along, key))
        self.chains = [self.chain(wire) for wire in self.wires]
        self.spans = self.filled()

    def place(self) -> Point:
        self.layers = order(self.vertices, self.flat(), self.beside)
        self.sides = place_across(self.vertices, self.layers, self.chains, self.wires, self.clusters, self.beside)
        return self.draw()

    # ------------------------------------------------------------------------------------ what stands in each rank

    def path(self, key: str) -> tuple[str, ...]:
        """Return a cluster with those around it, outermost first."""
        found: list[str] = []
        while key:
            found.append(key)
            key = self.clusters[key].parent
        return tuple(reversed(found))

    def chain(self, wire: Wire) -> list[int]:
        """Cut an edge into pieces, one in each rank between its ends; its label stands in the middle."""
        tail, head = self.of[wire.tail], self.of[wire.head]
        one, two = self.vertices[tail], self.vertices[head]
        shared = [a for a, b in zip(one.path, two.path, strict=False) if a == b]
        middle = one.rank + 1 + (two.rank - one.rank - 2) // 4 * 2  # a rank without boxes
        found = [tail]
        for rank in range(one.rank + 1, two.rank):
            piece = Vertex(rank, tuple(shared), 1, 1, is_piece=True)
            if rank == middle and wire.along:
                piece.before, piece.after, piece.along = wire.before, wire.after, wire.along
            found.append(len(self.vertices))
            self.vertices.append(piece)
        found.append(head)
        for a, b in pairwise(found) if one.rank < two.rank else ():
            self.vertices[a].outputs.append(b)
            self.vertices[b].inputs.append(a)
        return found

    def filled(self) -> dict[str, tuple[int, int]]:
        """Return the first and last rank of each cluster, and hold its place in ranks where it has nothing."""
        spans: dict[str, tuple[int, int]] = {}
        for vertex in self.vertices:
            for key in vertex.path:
                first, last = spans.get(key, (vertex.rank, vertex.rank))
                spans[key] = min(first, vertex.rank), max(last, vertex.rank)
        there = {(key, vertex.rank) for vertex in self.vertices for key in vertex.path}
        for key in sorted(spans, key=lambda key: -len(self.paths[key])):
            for rank in range(spans[key][0], spans[key][1] + 1):
                if (key, rank) not in there:
                    self.vertices.append(Vertex(rank, self.paths[key]))
                    there |= {(outer, rank) for outer in self.paths[key]}
        return spans

    def flat(self) -> dict[int, int]:
        """Rank what edges within a rank hold in order, by the longest chain of them before."""
        pairs = [(c[0], c[-1]) for c in self.chains if self.vertices[c[0]].rank == self.vertices[c[-1]].rank]
        found = {k: 0 for pair in pairs for k in pair}
        for _ in pairs:
            for tail, head in pairs:
                found[head] = max(found[head], found[tail] + 1)
        return found

    # ------------------------------------------------------------------------------------------ places and curves

    def draw(self) -> Point:
        """Place everything along, and write places, corners and curves into boxes, clusters and wires."""
        slabs = self.slabs()
        reach = [(v.place - v.before, v.place + v.after) for v in self.vertices if v.line >= 0]
        reach += self.sides.values()
        low, high = min(low for low, _ in reach), max(high for _, high in reach)
        for vertex in self.vertices:
            vertex.place -= low
            if vertex.box:
                self.boxes[vertex.box].at = sum(slabs[vertex.rank]) / 2, vertex.place
        for key, (first, last) in self.spans.items():
            start, end = slabs[first][0] - self.pad(key, 0), slabs[last][1] + self.pad(key, 1)
            end = max(end, start + self.clusters[key].least[0])
            self.clusters[key].corners = start, self.sides[key][0] - low, end, self.sides[key][1] - low
        self.ends = self.spread_ends()
        for k in range(len(self.wires)):
            self.curve(k, slabs)
        return max([slabs[-1][1], *(self.clusters[key].corners[2] for key in self.spans)]), high - low

    def pad(self, key: str, end: int) -> float:
        """Return the room that a cluster needs before its first rank (0) or behind its last (1), with those inside."""
        inner = [
            self.pad(other, end)
            for other in self.spans
            if self.clusters[other].parent == key and self.spans[other][end] == self.spans[key][end]
        ]
        return MARGIN + (0.0 if end else self.clusters[key].before[0]) + max(inner, default=0.0)

    def slabs(self) -> list[Point]:
        """Return where each rank begins and ends along."""
        slabs: list[Point] = []
        at = 0.0
        for rank, layer in enumerate(self.layers):
            opens, closes = (
                max((self.pad(key, end) for key, span in self.spans.items() if span[end] == rank), default=0.0)
                for end in (0, 1)
            )
            thick = max((self.vertices[k].along for k in layer), default=0.0)
            slabs.append((at + opens, at + opens + thick))
            at = slabs[-1][1] + closes + self.gap
        return slabs

    def curve(self, k: int, slabs: list[Point]) -> None:
        """Draw an edge through its stations: the ends, and where it passes the ranks between."""
        wire, chain = self.wires[k], [self.vertices[one] for one in self.chains[k]]
        if wire.hidden:
            return
        if chain[0].rank == chain[-1].rank:
            self.within(wire, chain[0].rank)
            return
        start, end = self.end(k, False), self.end(k, True)
        between: list[Point] = []
        for vertex in chain[1:-1]:
            first, last = slabs[vertex.rank]
            if any(self.vertices[other].box for other in self.layers[vertex.rank]):
                between += [(first, vertex.place), (last, vertex.place)]
            else:
                between.append(((first + last) / 2, vertex.place))
        wire.curve = smooth([start, *between, end])
        if self.hits(wire):  # a box beside one of its own, which reaches further along
            leave, arrive = (slabs[chain[0].rank][1], start[1]), (slabs[chain[-1].rank][0], end[1])
            wire.curve = smooth([start, leave, *between, arrive, end])
        for vertex in chain[1:-1]:
            if vertex.along:
                wire.spot = sum(slabs[vertex.rank]) / 2, self.clear(wire, vertex, sum(slabs[vertex.rank]) / 2)

    def clear(self, wire: Wire, vertex: Vertex, middle: float) -> float:
        """Return where across a label stands that its own edge does not run through."""
        near = [y for x, y in walk(wire.curve) if abs(x - middle) <= wire.along / 2] or [vertex.place]
        if wire.before > wire.after:
            return max(min(near), vertex.place - SHIFT) - wire.before / 2
        return min(max(near), vertex.place + SHIFT) + wire.after / 2

    def hits(self, wire: Wire) -> bool:
        """Tell whether an edge runs through a box that is not its own."""
        xs, ys = zip(*wire.curve, strict=True)
        near = [
            box
            for key, box in self.boxes.items()
            if key not in (wire.tail, wire.head)
            and min(xs) < box.at[0] + box.along / 2
            and max(xs) > box.at[0] - box.along / 2
            and min(ys) < box.at[1] + box.across / 2
            and max(ys) > box.at[1] - box.across / 2
        ]
        return bool(near) and any(
            abs(x - box.at[0]) < box.along / 2 and abs(y - box.at[1]) < box.across / 2
            for x, y in walk(wire.curve)
            for box in near
        )

    def spread_ends(self) -> dict[tuple[int, bool], float]:
        """Return how far from the middle of a side each edge ends: where it comes from, and none upon another."""
        sides: dict[tuple[str, bool], list[tuple[float, int]]] = {}
        for k, (wire, chain) in enumerate(zip(self.wires, self.chains, strict=True)):
            ends = ((wire.tail, False, chain[0], chain[1]), (wire.head, True, chain[-1], chain[-2]))
            for key, is_head, one, two in () if wire.hidden else ends:
                rise, half = self.vertices[two].place - self.vertices[one].place, self.boxes[key].along / 2
                sides.setdefault((key, is_head), []).append((rise * half / (half + AIM), k))
        found = {}
        for (key, is_head), wanted in sides.items():
            wanted.sort()
            box = self.boxes[key]
            room = box.across * 0.3 if box.is_round else box.across / 2 - INSET
            step = min(PORT, 2 * room / max(len(wanted) - 1, 1)) if is_head else 0.0
            for (_, k), place in zip(wanted, spread([at for at, _ in wanted], step, room), strict=True):
                found[k, is_head] = place
        return found

    def end(self, k: int, is_head: bool) -> Point:
        """Return where an edge meets its box."""
        box, port = self.boxes[self.wires[k].head if is_head else self.wires[k].tail], self.ends[k, is_head]
        reach = ((box.along / 2) ** 2 - port**2) ** 0.5 if box.is_round else box.along / 2
        return box.at[0] + (-reach if is_head else reach), box.at[1] + port

    def within(self, wire: Wire, rank: int) -> None:
        """Draw an edge within a rank: straight between neighbours, else around what is between them."""
        tail, head = self.boxes[wire.tail], self.boxes[wire.head]
        (x0, y0), (x1, y1) = tail.at, head.at
        boxes = [self.boxes[self.vertices[k].box] for k in self.layers[rank] if self.vertices[k].box]
        between = [box for box in boxes if y0 < box.at[1] < y1]
        if between:
            out = max(box.at[0] + box.along / 2 for box in [*between, tail, head]) + self.gap
            wire.curve = [(x0 + tail.along / 2, y0), (out, y0), (out, y1), (x1 + head.along / 2, y1)]
            wire.spot = out + wire.along / 2, (y0 + y1) / 2
            return
        start, end = y0 + tail.across / 2, y1 - head.across / 2
        wire.curve = [(x0, start), (x0, (2 * start + end) / 3), (x1, (start + 2 * end) / 3), (x1, end)]
        aside = wire.along / 2 + 3 if wire.before > wire.after else -wire.along / 2 - 1
        wire.spot = (x0 + x1) / 2 + aside, (start + end) / 2
