"""``who_holds``: the graphs that are alive, what they keep, and who keeps them."""

import gc
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from threading import get_ident
from types import CellType, FrameType, FunctionType, ModuleType
from typing import Any

from autograd.box import Box
from autograd.graph import Node, ancestors, site_of
from autograd.viz.kept import bytes_text, kept_bytes
from autograd.viz.numbers import shape_text
from autograd.viz.snapshot import as_roots

DEPTH, MANY = 6, 12  # how far up holders are looked for; so many graphs are written out
OUTPUTS = ("_", "__", "___", "Out", "_oh")  # where a notebook keeps what its cells gave


@dataclass(frozen=True, slots=True)
class LiveGraph:
    """Describe one graph: the op of its root, how many ops and bytes it keeps, who holds it, the line that made it."""

    op: str
    shape: tuple[int, ...]
    ops: int
    bytes: int
    holders: tuple[str, ...]
    line: str
    released: bool

    def __str__(self) -> str:
        shape = shape_text(self.shape) if self.shape else "of one number"
        ops = f"{self.ops:,} op{'s' * (self.ops != 1)}"
        kept = "released by backward, " * self.released + bytes_text(self.bytes)
        made = f", made at {self.line}" if self.line else ""
        return f"{self.op} {shape}: {ops}, {kept}, held by {' and '.join(self.holders)}{made}"


class LiveGraphs(tuple[LiveGraph, ...]):
    """Hold the graphs that are alive, the largest first; empty, and so false, where there is none."""

    __slots__ = ()

    @property
    def bytes(self) -> int:
        """Return what all keep together; what two share counts for both."""
        return sum(graph.bytes for graph in self)

    def __str__(self) -> str:
        head = f"{len(self)} live graph{'s' * (len(self) != 1)}, {bytes_text(self.bytes)} kept for backward"
        more = [f"… and {len(self) - MANY} more"] if len(self) > MANY else []
        return "\n  ".join([head, *map(str, self[:MANY]), *more])

    __repr__ = __str__


def who_holds(x: Any = None) -> LiveGraphs:
    """List the graphs that are alive: bytes, number of ops, the variables or containers that hold them, your line.

    With a Tensor only those that it is part of. A list of losses, or an output that a notebook remembers, keeps whole
    graphs: hold ``loss.item()`` instead. Lines are known of what was made inside ``detect_anomaly``.

    >>> import numpy as np, autograd as ag
    >>> x = ag.Tensor(np.ones(50_000), requires_grad=True)
    >>> history = [(np.tanh(x) ** 2).sum()]
    >>> print(ag.who_holds(x))
    1 live graph, 400.0 kB kept for backward
      sum of one number: 3 ops, 400.0 kB, held by history[0]
    """
    wanted = None if x is None else as_roots(x, "who_holds")[0]._node
    names = _names(sys._getframe(1))
    found, roots = [], _roots()
    referrers = _referrers(roots, names)
    for box in roots:
        root: Any = box._node
        nodes = sorted(ancestors(root), key=lambda node: -node.order)
        if x is not None and (wanted is None or wanted not in nodes):
            continue
        kept = kept_bytes(nodes)
        holders = tuple(dict.fromkeys(_holders(box, names, referrers))) or ("something out of sight",)
        shape = () if isinstance(root.shape, list) else tuple(root.shape)
        op = root.op.name if root.op.name != "item" else root.parents[0].op.name
        line = str(site_of(root) or "")
        found.append(LiveGraph(op, shape, len(kept), sum(kept.values()), holders[:3], line, root.released))
    return LiveGraphs(sorted(found, key=lambda graph: -graph.bytes))


def _roots() -> list[Box]:
    """List the Tensors that are alive, were made by ops, and stand in no graph of another; newest first."""
    boxes = [b for b in gc.get_objects() if issubclass(type(b), Box) and getattr(b, "_node", None) is not None]
    recorded = sorted((b for b in boxes if b._node.op is not None), key=lambda b: b._node.order)
    seen: set[Node] = set()
    roots: list[Box] = []
    for box in recorded:
        node: Any = box._node
        if node not in seen:
            roots.append(box)
            seen.update(ancestors(node, lambda each: each not in seen))
    return roots


def _names(frame: FrameType | None) -> dict[int, str]:
    """Map what variables refer to to their names: of all frames, the innermost first, and of their modules."""
    names: dict[int, str] = {}
    frames = [frame, *(f for thread, f in sys._current_frames().items() if thread != get_ident())]
    for start in frames:
        while start is not None:
            function = start.f_code.co_name
            inside = "" if function.startswith("<") else f" in {function}"
            variables = [(start.f_locals, inside)] if start.f_locals is not start.f_globals else []
            for scope, where in (*variables, (start.f_globals, "")):
                for name, value in sorted(scope.items(), key=lambda pair: str(pair[0]).startswith("_")):
                    if not isinstance(value, ModuleType | type) and not str(name).startswith("@"):
                        output = name in OUTPUTS or re.fullmatch(r"_\d+", str(name))
                        names.setdefault(id(value), "the notebook's outputs" if output else f"{name}{where}")
            start = start.f_back
    return names


def _referrers(objects: list[Any], names: dict[int, str]) -> dict[int, list[Any]]:
    """Map each object to what refers to it, and that too, up to what a variable names: one look at the heap a level."""
    found: dict[int, list[Any]] = {}
    level = {id(x): x for x in objects if id(x) not in names}
    own = {id(objects), id(found), id(names)}
    for _ in range(DEPTH):
        values, above = [*level.values()], dict[int, Any]()
        own |= {id(level), id(values), id(above)}
        for holder in gc.get_referrers(*values) if 0 < len(values) < 1000 else ():
            if id(holder) in own or isinstance(holder, FrameType | ModuleType):
                continue
            for x in gc.get_referents(holder):
                if id(x) in level and holder not in _Same(found.setdefault(id(x), [])):
                    own.add(id(found[id(x)]))
                    found[id(x)].append(holder)
                    if id(holder) not in names and id(holder) not in found:
                        above[id(holder)] = holder
        level = above
    return found


class _Same:
    """Look for an object in a list by identity: comparing may cost much, or do something."""

    def __init__(self, objects: list[Any]) -> None:
        self.objects = objects

    def __contains__(self, x: object) -> bool:
        return any(x is each for each in self.objects)


def _holders(
    x: Any, names: dict[int, str], referrers: dict[int, list[Any]], seen: frozenset[int] = frozenset()
) -> Iterator[str]:
    """Yield who refers to ``x``, as ``history[2]`` or ``model.last``."""
    if id(x) in names:
        yield names[id(x)]
        return
    seen = seen | {id(x)}
    for holder in referrers.get(id(x), ()):
        if id(holder) in seen:
            continue
        owners = [o for o in referrers.get(id(holder), ()) if getattr(o, "__dict__", None) is holder]
        for step in _steps(holder, x, attributes=bool(owners)):
            for owner in owners or [holder]:
                for name in _holders(owner, names, referrers, seen):
                    yield f"{name}{step}"


def _steps(holder: Any, x: Any, attributes: bool) -> Iterator[str]:
    """Tell how one gets from a holder to what it holds."""
    if isinstance(holder, dict):
        keys = [key for key, value in holder.items() if value is x]
        yield from (f".{key}" if attributes else f"[{key!r}]" for key in keys)
    elif isinstance(holder, list | tuple):
        inside = isinstance(x, CellType)  # the variables that a function closes over
        yield from ("" if inside else f"[{i}]" for i, value in enumerate(holder) if value is x)
    elif isinstance(holder, CellType):
        yield ""
    elif isinstance(holder, FunctionType):
        yield " (closed over)"
    else:
        named = [key for key, value in getattr(holder, "__dict__", {}).items() if value is x]
        yield f".{named[0]}" if named else f" (a {type(holder).__name__})"
