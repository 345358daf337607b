"""Where inf and nan come from: the first op, forwards or backwards, that made one of finite numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.graph import Leaf, Node, site_of
from autograd.viz.advice import advice, on_input
from autograd.viz.ledger import Ledger
from autograd.viz.local import made_by, title
from autograd.viz.numbers import shape_text, short
from autograd.viz.snapshot import Snapshot, as_roots, is_multiple, is_output
from autograd.vjp import PLUMBING

FORWARD, BACKWARD, INPUT = "forward", "backward", "input"


@dataclass(frozen=True, slots=True)
class NonFinite:
    """Tell where an inf or nan arose: ``kind`` is forward, backward or input, ``element`` where in the array.

    ``op`` and ``module`` name the place, ``operands`` the numbers that the op had there, ``at`` is the number of the
    node (``v3``) in pictures, ``path`` the ops from there to the result, ``advice`` what usually helps. ``line`` is the
    user's (``train.py:12: y = np.log(p)``) where the value was made inside ``detect_anomaly``. ``report`` is all of it.
    """

    kind: str
    op: str
    value: Any  # a float, or a complex number
    element: tuple[int, ...]
    operands: dict[str, float]
    module: str
    at: str
    text: str
    line: str = ""
    path: tuple[str, ...] = ()
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.line})" if self.line else self.text

    @property
    def report(self) -> str:
        """Return the sentence, the path to the result and what usually helps, each on a line of its own."""
        lines = [f"{self}."]
        lines += [f"On its way to the result: {' → '.join(_few(self.path))}."] * (len(self.path) > 1)
        return "\n".join([*lines, *([self.advice] if self.advice else [])])

    def _repr_markdown_(self) -> str:
        return str(self)


def _few(path: tuple[str, ...]) -> tuple[str, ...]:
    return path if len(path) <= 9 else (*path[:4], f"… {len(path) - 8} more …", *path[-4:])


def find_nonfinite(root: Any, *, names: Mapping[str, Any] | None = None) -> NonFinite | None:
    """Find the first op that made inf or nan of finite numbers, forwards or (if the result is finite) backwards.

    None where all is finite. Works before and after backward; values that nobody holds any more are computed again
    where their inputs are there. What was computed inside ``detect_anomaly`` knows the line that made it.

    >>> import autograd as ag
    >>> q = ag.Tensor([4.0, 0.0], requires_grad=True, name="q")
    >>> print(find_nonfinite(np.sqrt(q).sum()))
    backward of v1 = sqrt(q) made inf of finite numbers: at element [1] q is 0
    """
    snap = Snapshot(as_roots(root, "find_nonfinite"), names)
    found = forward_origin(snap, Values(snap))
    if found is not None:
        return found
    return backward_origin(snap, ledger_of(snap)) if any(node.needs for node in snap.roots) else None


def ledger_of(snap: Snapshot) -> Ledger:
    """Return the ledger of the last backward; before it, that of one from each root."""
    roots = [node for node in snap.roots if node.needs]
    ran = any(node.cotangent is not None for node in roots)
    seeds = {node: np.ones(node.shape or (), node.dtype)[()] for node in roots if not is_multiple(node)}
    return Ledger(snap, range(len(snap.nodes)), None if ran else seeds, fresh=not ran)


class Values:
    """Look up the values of nodes; what nobody holds is computed again from what its inputs were."""

    def __init__(self, snap: Snapshot) -> None:
        self.snap = snap
        self._known: dict[int, Any] = {}

    def __getitem__(self, i: int) -> Any:
        stack = [i]
        while stack:  # inputs first, without recursion
            at = stack[-1]
            if at not in self._known:
                held = self.snap.used(at)
                missing = [] if held is not None else [j for j in self._inputs(at) if j not in self._known]
                if missing:
                    stack.extend(missing)
                    continue
                self._known[at] = held if held is not None else self._again(at)
            stack.pop()
        return self._known[i]

    def _inputs(self, i: int) -> list[int]:
        node = self.snap.nodes[i]
        return [] if node.op is None else [self.snap.at[p] for p in self.snap.parents(node) if p is not None]

    @np.errstate(all="ignore")
    def _again(self, i: int) -> Any:
        node = self.snap.nodes[i]
        if node.op is None:
            return None
        inputs = [
            node.residuals[k] if parent is None else self._known[self.snap.at[parent]]
            for k, parent in enumerate(self.snap.parents(node))
        ]
        if any(value is None for value in inputs):
            return None
        if is_output(node):
            return inputs[0][node.kwargs["index"]]
        try:
            y = node.op.forward(*inputs, **(node.kwargs or {}))
        except Exception:  # a keyword that backward let go of, or a forward that needs what it closes over
            return None
        return y[0] if node.op.cache else y


def forward_origin(snap: Snapshot, values: Any) -> NonFinite | None:
    """Trace a result that is not finite back to the op that made it so; None if all results are finite.

    A nan is followed before an inf: of ``0 · inf`` and its inputs the nan is what reached the result.
    """
    bad = Bad(snap, values)
    stack = [snap.at[node] for node in snap.roots if bad(snap.at[node])]
    seen = set(stack)
    made: list[int] = []  # of finite numbers
    mixed: list[int] = []  # a nan of infinities
    unsure: list[int] = []  # nobody holds what it was made of
    inputs: list[int] = []
    while stack:
        i = stack.pop()
        node = snap.nodes[i]
        if node.op is None:
            inputs.append(i)
            continue
        parents = [snap.at[parent] for parent in snap.parents(node) if parent is not None]
        follow = [j for j in parents if bad(j) == "nan" == bad(i)]
        if not follow and bad(i) == "nan" and any(map(bad, parents)):
            mixed.append(i)
        follow = follow or [j for j in parents if bad(j)]
        given = [node.residuals[k] for k, parent in enumerate(node.parents) if parent is None]
        if not follow and all(np.isfinite(x) for x in given):
            (unsure if any(values[j] is None for j in parents) else made).append(i)
        stack += [j for j in follow if j not in seen]
        seen.update(follow)
    for found in (made, mixed, inputs, unsure):
        if found:
            return _forward_text(snap, values, min(found), bad(min(found)))
    return None


class Bad:
    """Tell whether a node holds ``"nan"``, ``"inf"`` or neither (``""``), each looked at once."""

    def __init__(self, snap: Snapshot, values: Any) -> None:
        self.values, self.known = values, dict[int, str]()

    def __call__(self, i: int) -> str:
        if i not in self.known:
            self.known[i] = kind_of_bad(self.values[i])
        return self.known[i]


def kind_of_bad(x: Any) -> str:
    """Tell whether an array (or one of several) holds nan, inf, or neither."""
    if type(x) is np.float64:
        return "" if isfinite(x) else "nan" if x != x else "inf"
    if isinstance(x, tuple):
        kinds = {kind_of_bad(part) for part in x}
        return "nan" if "nan" in kinds else "inf" if "inf" in kinds else ""
    if x is None or np.asarray(x).dtype.kind not in "fc" or np.isfinite(x).all():
        return ""
    return "nan" if np.isnan(x).any() else "inf"


def backward_origin(snap: Snapshot, ledger: Ledger) -> NonFinite | None:
    """Trace a gradient that is not finite towards the results, to the op whose derivative made it so."""
    stack = [i for i, g in ledger.grads.items() if snap.nodes[i].op is None and _is_bad(g)]
    seen, made = set(stack), []
    while stack:
        for user, k in snap.users[stack.pop()]:
            if not _is_bad(ledger.shares.get((user, k))):
                continue
            if user in ledger.grads and not _is_bad(ledger.grads[user]):
                made.append((user, k))
            elif user not in seen:
                seen.add(user)
                stack.append(user)
    return _backward_text(snap, max(made), ledger.shares[max(made)]) if made else None


def _is_bad(g: Any) -> bool:
    return kind_of_bad(tuple(g.parts.values()) if hasattr(g, "parts") else g) != ""


def _number(x: Any) -> Any:
    return complex(x) if np.iscomplexobj(x) else float(x)


def _forward_text(snap: Snapshot, values: Any, i: int, what: str) -> NonFinite:
    node, value = snap.nodes[i], values[i]
    wrong: Callable[[Any], Any] = np.isnan if what == "nan" else np.isinf
    if isinstance(value, tuple):
        value = next(part for part in value if wrong(part).any())
    element = _first(wrong(value))
    number = _number(np.asarray(value)[element])
    if node.op is None:
        text = f"{title(snap, i)} holds {number}{_place(element)}: it is an input, no op made it"
        return NonFinite(INPUT, "", number, element, {}, "", f"v{i}", text, "", _path(snap, i), on_input())
    operands = {} if is_multiple(node) else _operands(snap, node, element, np.shape(value), values.__getitem__)
    given = [values[snap.at[parent]] for parent in snap.parents(node) if parent is not None]
    known = all(x is not None for x in given)
    of = " of finite numbers" if known and not any(map(kind_of_bad, given)) else " of infinite ones" if known else ""
    text = f"{_made(snap, i, node)} made {number}{of}{_where(snap, node, element, operands)}"
    text += "" if known else ", or was given it: backward let go of its inputs (retain_graph=True keeps them)"
    return _found(snap, i, FORWARD, number, element, operands, text)


def _backward_text(snap: Snapshot, edge: tuple[int, int], share: Any) -> NonFinite:
    i, _ = edge
    node = snap.nodes[i]
    share = next(part for part in share.parts.values() if kind_of_bad(part)) if hasattr(share, "parts") else share
    element = _first(~np.isfinite(share))
    number = _number(np.asarray(share)[element])
    operands = _operands(snap, node, element, np.shape(share), snap.value) if not is_output(node) else {}
    held = [snap.value(i), *(snap.value(snap.at[parent]) for parent in snap.parents(node) if parent is not None)]
    of = "" if any(map(kind_of_bad, held)) else " of finite numbers"
    text = f"backward of {_made(snap, i, node)} made {number}{of}{_where(snap, node, element, operands)}"
    return _found(snap, i, BACKWARD, number, element, operands, text)


def _found(
    snap: Snapshot, i: int, kind: str, number: float, element: Any, operands: dict[str, float], text: str
) -> NonFinite:
    node = snap.nodes[i]
    op = snap.parents(node)[0].op.name if is_output(node) else node.op.name
    module = node.scope.path if node.scope is not None else ""
    site, what = site_of(node), advice(op, kind == BACKWARD)
    return NonFinite(kind, op, number, element, operands, module, f"v{i}", text, str(site or ""), _path(snap, i), what)


def _path(snap: Snapshot, i: int) -> tuple[str, ...]:
    """List the ops from a node to the result: at each step the first that uses it."""
    path = []
    while True:
        node = snap.nodes[i]
        if node.op is not None and node.op not in PLUMBING:
            path.append(node.op.name)
        if node in snap.roots or not snap.users[i]:
            return tuple(path)
        i = snap.users[i][0][0]


def _made(snap: Snapshot, i: int, node: Node) -> str:
    return made_by(snap, i) + (f" in {node.scope.path}" if node.scope is not None else "")


def _where(snap: Snapshot, node: Node, element: tuple[int, ...], operands: dict[str, float]) -> str:
    if operands:
        known = " and ".join(f"{name} is {short(x)}" for name, x in operands.items())
        return f": at element {_index(element)} {known}" if element else f": {known}"
    inputs = [parent for parent in snap.parents(node) if parent is not None and not is_multiple(parent)]
    shapes = ", ".join(
        f"{title(snap, snap.at[p])} {shape_text(p.shape) if p.shape else 'scalar'}" for p in inputs if p.needs
    )
    return f"{_place(element)}, from {shapes}" if shapes else _place(element)


def _operands(snap: Snapshot, node: Node, element: Any, shape: Any, value: Callable[[int], Any]) -> dict[str, float]:
    """Return the numbers that an elementwise op had at an element; of other ops no single one is to blame."""
    if not node.op.elementwise or shape != node.shape:
        return {}
    found = {}
    for k, parent in enumerate(snap.parents(node)):
        x = node.residuals[k] if parent is None else value(snap.at[parent])
        if x is not None and parent is not None and not (isinstance(parent, Leaf) and np.asarray(x).dtype.kind == "b"):
            at = np.broadcast_to(np.asarray(plain(x)), node.shape)[element]
            found[title(snap, snap.at[parent])] = _number(at)
    return found


def _first(wrong: Any) -> tuple[int, ...]:
    return tuple(int(n) for n in np.argwhere(wrong)[0]) if np.ndim(wrong) else ()


def _index(element: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, element))}]"


def _place(element: tuple[int, ...]) -> str:
    return f" at element {_index(element)}" if element else ""
