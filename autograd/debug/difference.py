"""``diff``: two graphs side by side: what became another op, what is new or gone, which gradients changed."""

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.graph import Node, site_of
from autograd.viz.ledger import Ledger
from autograd.viz.local import made_by, title
from autograd.viz.nonfinite import ledger_of
from autograd.viz.numbers import norm, shape_text, short
from autograd.viz.snapshot import Snapshot, as_roots, is_multiple

MANY = 12  # so many lines of a kind are written out


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one gradient in both graphs: its size (root mean square) and by how much it changed, from 0 to 2."""

    name: str
    before: float
    after: float
    relative: float

    def __str__(self) -> str:
        return f"gradient of {self.name}: {short(self.before)} → {short(self.after)}, changed by {self.relative:.1%}"


@dataclass(frozen=True, slots=True)
class Diff:
    """Hold what differs: pairs that ``became`` something else, what is ``new``, what is ``gone``, and ``gradients``.

    False where nothing does. ``unknown`` counts gradients that one of the graphs has let go of.
    """

    became: tuple[tuple[str, str], ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    gradients: tuple[Change, ...]
    same: int
    unknown: int

    def __bool__(self) -> bool:
        return bool(self.became or self.new or self.gone or self.gradients)

    def __str__(self) -> str:
        left = f"; of {self.unknown} one side is not known any more" if self.unknown else ""
        if not self:
            return f"no difference in {self.same} nodes{left}"
        head = (
            f"{len(self.became)} changed, {len(self.new)} new, {len(self.gone)} gone, {self.same} the same; "
            f"{len(self.gradients)} gradients differ{left}"
        )
        lines = _few([f"~ {a}  became  {b}" for a, b in self.became])
        lines += _few([f"+ {text}" for text in self.new]) + _few([f"- {text}" for text in self.gone])
        return "\n".join([head, *lines, *_few([f"Δ {change}" for change in self.gradients])])

    __repr__ = __str__


def _few(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MANY else [*lines[:MANY], f"  … and {len(lines) - MANY} more"]


def diff(a: Any, b: Any, *, rtol: float = 1e-6) -> Diff:
    """Compare the graphs of two results: two seeds, two steps, or a model before and after an edit.

    Ops are matched in their order, by module, op and shape. A gradient that changed by more than ``rtol`` of its norm
    is listed, the largest change first. The gradients are those of each result's own backward, which need not have run;
    of a graph that backward released only small ones are known, and those of parameters are not (retain_graph=True).

    >>> import numpy as np, autograd as ag
    >>> x = ag.Tensor([0.5, -1.0], requires_grad=True, name="x")
    >>> print(ag.diff(np.tanh(x * 2.0).sum(), ag.relu(x * 2.0).sum()))
    1 changed, 0 new, 0 gone, 3 the same; 2 gradients differ
    ~ v2 = tanh(v1) (2,)  became  v2 = relu(v1) (2,)
    Δ gradient of x: 0.6023 → 1.414, changed by 58.4%
    Δ gradient of v1: 0.3011 → 0.7071, changed by 58.4%
    """
    one, two = (Snapshot(as_roots(x, "diff")) for x in (a, b))
    matcher = SequenceMatcher(None, _signatures(one), _signatures(two), autojunk=False)
    pairs: dict[int, int] = {}
    became: list[tuple[int, int]] = []
    gone: list[int] = []
    new: list[int] = []
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            pairs.update(zip(range(i1, i2), range(j1, j2), strict=True))
        elif i2 - i1 == j2 - j1:
            became += zip(range(i1, i2), range(j1, j2), strict=True)
        else:
            gone += range(i1, i2)
            new += range(j1, j2)
    became += [(i, j) for i, j in pairs.items() if _edited(one, two, i, j, pairs)]
    known = {**pairs, **dict(became)}
    gradients, unknown = _gradients(one, two, known, rtol)
    return Diff(
        tuple((_say(one, i), _say(two, j)) for i, j in sorted(became)),
        tuple(_say(two, j) for j in new),
        tuple(_say(one, i) for i in gone),
        gradients,
        len([i for i in pairs if (i, pairs[i]) not in became]),
        unknown,
    )


def _signatures(snap: Snapshot) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for i, node in enumerate(snap.nodes):
        inner = node.scope is not None and node.scope.parent is not None
        path = node.scope.path if inner else ""  # the outermost is named by its class, which an edit may rename
        shape = tuple(map(tuple, node.shape)) if is_multiple(node) else tuple(node.shape or ())
        name = node.op.name if node.op is not None else f"leaf {snap.name(i)}"
        found.append((path, name, shape, str(node.dtype)))
    return found


def _edited(one: Snapshot, two: Snapshot, i: int, j: int, pairs: dict[int, int]) -> bool:
    """Tell whether an op was given other inputs, numbers or keywords, though it is the same op of the same shape."""
    a, b = one.nodes[i], two.nodes[j]
    if a.op is None:
        return False
    for k, (p, q) in enumerate(zip(one.parents(a), two.parents(b), strict=False)):
        if (p is None) != (q is None):
            return True
        if p is None:
            if not np.array_equal(plain(a.residuals[k]), plain(b.residuals[k]), equal_nan=True):
                return True
        elif one.at[p] in pairs and pairs[one.at[p]] != two.at[q]:
            return True
    return not _same_keywords(a, b)


def _same_keywords(a: Node, b: Node) -> bool:
    first, second = a.kwargs or {}, b.kwargs or {}
    small = (int, float, str, bool, tuple, type(None))
    return all(
        first[key] == second.get(key)
        for key in first
        if isinstance(first[key], small) and isinstance(second.get(key), small) and not _holds_arrays(first[key])
    )


def _holds_arrays(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(part, np.ndarray) or _holds_arrays(part) for part in value)


def _gradients(one: Snapshot, two: Snapshot, pairs: dict[int, int], rtol: float) -> tuple[tuple[Change, ...], int]:
    """Compare the gradients of what was matched; a pass of its own tells those of a leaf that both use apart."""
    before, after = _ledger(one), _ledger(two)
    found, unknown = [], 0
    for i, j in pairs.items():
        a, b = one.nodes[i], two.nodes[j]
        if not (a.needs and b.needs) or is_multiple(a) or is_multiple(b):
            continue
        g, h = before.get(i), after.get(j)
        if g is None or h is None or np.shape(g) != np.shape(h):
            unknown += 1
            continue
        change = norm(np.subtract(h, g, dtype=np.result_type(h, g, np.float64))) / (max(norm(g), norm(h)) or 1.0)
        if not change <= rtol:
            count = max(1, np.size(g)) ** 0.5
            found.append(Change(title(two, j), norm(g) / count, norm(h) / count, float(change)))
    return tuple(sorted(found, key=lambda each: -each.relative)), unknown


def _ledger(snap: Snapshot) -> dict[int, Any]:
    """Return the gradients of a graph's own backward: by a pass of its own, or those that were kept on its ops."""
    if any(root.released for root in snap.roots):
        grads = ledger_of(snap).grads
        return {i: g for i, g in grads.items() if snap.nodes[i].op is not None}
    roots = [node for node in snap.roots if node.needs]
    seeds = {node: np.ones(node.shape or (), node.dtype)[()] for node in roots if not is_multiple(node)}
    return Ledger(snap, range(len(snap.nodes)), seeds, fresh=True).grads if seeds else {}


def _say(snap: Snapshot, i: int) -> str:
    node = snap.nodes[i]
    if node.op is None:
        return f"{title(snap, i)} {shape_text(node.shape) if node.shape else ''}".rstrip()
    where = f" in {node.scope.path}" if node.scope is not None else ""
    shape = f" {shape_text(node.shape)}" if node.shape and not is_multiple(node) else ""
    line = f" ({site_of(node)})" if site_of(node) else ""
    return f"{made_by(snap, i)}{shape}{where}{line}"
