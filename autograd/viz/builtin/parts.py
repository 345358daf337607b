"""What a layout is given and gives back: boxes, edges, clusters; and the vertices that it works on.

Along is the direction in which edges run, across the other one.
"""

from dataclasses import dataclass, field

Point = tuple[float, float]


@dataclass(slots=True)
class Box:
    """Hold the size of a box and the cluster in which it stands; ``at`` is where its middle came to stand."""

    along: float
    across: float
    home: str = ""
    is_round: bool = False
    at: Point = (0.0, 0.0)


@dataclass(slots=True)
class Wire:
    """Hold an edge and the room for its label: along, and across on both sides of the line.

    ``curve`` are the points that it came to run through, as control points of cubic pieces, ``spot`` is the middle of
    its label. A hidden one only holds boxes in their order.
    """

    tail: str
    head: str
    least: int = 1
    weight: int = 1
    along: float = 0.0
    before: float = 0.0
    after: float = 0.0
    hidden: bool = False
    curve: list[Point] = field(default_factory=list)
    spot: Point = (0.0, 0.0)


@dataclass(slots=True)
class Cluster:
    """Hold a frame: its parent, what its title takes along and across before the first box, and how long it must be.

    ``corners`` are where it came to stand: the first along and across, the last along and across.
    """

    parent: str
    before: Point = (0.0, 0.0)
    least: Point = (0.0, 0.0)
    corners: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Vertex:
    """Hold what stands in one rank: a box, a piece of a long edge, or the room of a cluster that has nothing there.

    ``path`` are the clusters around it, outermost first; ``before`` and ``after`` are how far it reaches across;
    ``line`` is its variable, shared by the pieces of an edge that runs straight, and ``place`` where that stands.
    """

    rank: int
    path: tuple[str, ...]
    before: float = 0.0
    after: float = 0.0
    along: float = 0.0
    box: str = ""
    is_piece: bool = False
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    line: int = -1
    place: float = 0.0


def positions(layers: list[list[int]]) -> dict[int, int]:
    """Return the position of each vertex in its rank."""
    return {k: i for layer in layers for i, k in enumerate(layer)}
