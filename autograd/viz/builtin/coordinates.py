"""Places across: the straightest edges that the order in the ranks leaves room for."""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import Any

from autograd.viz.builtin.parts import Cluster, Vertex, Wire, positions
from autograd.viz.builtin.simplex import simplex

MARGIN, NEAR = 10, 3  # around what a cluster holds; on both sides of an edge
STRAIGHT = (1, 2, 8)  # how much an edge wants to be straight: between boxes, at its ends, in between
Apart = dict[tuple[int, int], int]  # how far apart two variables are at least


def place_across(
    vertices: list[Vertex],
    layers: list[list[int]],
    chains: list[list[int]],
    wires: list[Wire],
    clusters: dict[str, Cluster],
    beside: float,
) -> dict[str, tuple[int, int]]:
    """Place each vertex, and return the two sides of each cluster that holds something."""
    count = _variables(vertices, layers, chains)
    held = dict.fromkeys(key for vertex in vertices for key in vertex.path)
    sides = {key: (count + 2 * k, count + 2 * k + 1) for k, key in enumerate(held)}
    count += 2 * len(sides)
    apart: Apart = {}
    for layer in layers:
        for (one, _, after), (two, before, _) in pairwise(_row(layer, vertices, sides, clusters, beside)):
            apart[one, two] = max(apart.get((one, two), 0), ceil(after + before))
    wanted = []
    for wire, chain in zip(wires, chains, strict=True):
        ends = [vertices[k] for k in chain]
        if ends[0].rank == ends[-1].rank and wire.along:  # the label of an edge within a rank
            room = ends[0].after + ends[-1].before + wire.before + wire.after + 2 * beside
            pair = ends[0].line, ends[-1].line
            apart[pair] = max(apart.get(pair, 0), ceil(room))
        elif ends[0].rank != ends[-1].rank and not wire.hidden:
            wanted += [
                (a.line, b.line, STRAIGHT[a.is_piece + b.is_piece] * wire.weight)
                for a, b in pairwise(ends)
                if a.line != b.line
            ]
    edges = [(one, two, least, 0) for (one, two), least in apart.items()]
    edges += [(one, two, ceil(clusters[key].least[1]), 8) for key, (one, two) in sides.items()]
    for k, (one, two, weight) in enumerate(wanted, count):  # |x − y|: a variable below both, pulled up
        edges += [(k, one, 0, weight), (k, two, 0, weight)]
    x = _centred(simplex(count + len(wanted), edges), apart, wanted)
    for vertex in vertices:
        vertex.place = float(x[vertex.line]) if vertex.line >= 0 else 0.0
    return {key: (x[one], x[two]) for key, (one, two) in sides.items()}


def _variables(vertices: list[Vertex], layers: list[list[int]], chains: list[list[int]]) -> int:
    """Write its variable into each vertex, and return how many there are.

    A long edge has one as far as it crosses no other and no cluster.
    """
    count, at = 0, positions(layers)
    for vertex in vertices:
        if vertex.box:
            vertex.line, count = count, count + 1
    passing: dict[int, dict[Any, tuple[int, int]]] = {}  # by rank and what runs on: its positions there and in the next
    for chain in chains:
        for one, two in pairwise(chain[1:-1]):
            passing.setdefault(vertices[one].rank, {})[one] = at[one], at[two]
    for rank, (layer, following) in enumerate(pairwise(layers)):
        first, then = ({key: at[k] for k in reversed(some) for key in vertices[k].path} for some in (layer, following))
        passing.setdefault(rank, {}).update({key: (first[key], then[key]) for key in first.keys() & then.keys()})
    for chain in chains:
        for before, k in pairwise(chain[:-1]):
            others = passing.get(vertices[before].rank, {}).items()
            if before != chain[0] and not any(
                (a - at[before]) * (b - at[k]) < 0 for key, (a, b) in others if key not in vertices[k].path
            ):
                vertices[k].line = vertices[before].line
            else:
                vertices[k].line, count = count, count + 1
    return count


def _row(
    layer: list[int],
    vertices: list[Vertex],
    sides: dict[str, tuple[int, int]],
    clusters: dict[str, Cluster],
    beside: float,
) -> Iterator[tuple[int, float, float]]:
    """Return what stands in a rank, with the sides of clusters: a variable, and how far it reaches to both sides."""
    around: tuple[str, ...] = ()
    for vertex in [*(vertices[k] for k in layer), Vertex(0, ())]:
        shared = 0
        while shared < min(len(around), len(vertex.path)) and around[shared] == vertex.path[shared]:
            shared += 1
        for key in reversed(around[shared:]):
            yield sides[key][1], MARGIN / 2, MARGIN / 2
        for key in vertex.path[shared:]:
            yield sides[key][0], MARGIN / 2, MARGIN / 2 + clusters[key].before[1]
        around = vertex.path
        if vertex.line >= 0:
            room = NEAR if vertex.is_piece else beside / 2
            yield vertex.line, vertex.before + room, vertex.after + room


def _centred(x: list[int], apart: Apart, wanted: list[tuple[int, int, int]]) -> list[int]:
    """Move what may stand here or there at the same cost to the middle of that."""
    pulls: dict[int, list[int]] = {}
    for one, two, weight in wanted:
        pulls.setdefault(one, []).extend([two] * weight)
        pulls.setdefault(two, []).extend([one] * weight)
    before: dict[int, list[tuple[int, int]]] = {}
    after: dict[int, list[tuple[int, int]]] = {}
    for (one, two), least in apart.items():
        after.setdefault(one, []).append((two, least))
        before.setdefault(two, []).append((one, least))
    for _ in range(4):
        for k, near in pulls.items():
            ends = sorted(x[other] for other in near)
            low = max([ends[(len(ends) - 1) // 2], *(x[other] + least for other, least in before.get(k, []))])
            high = min([ends[len(ends) // 2], *(x[other] - least for other, least in after.get(k, []))])
            if low <= high:
                x[k] = (low + high) // 2
    return x
