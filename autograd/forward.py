"""Forward mode over a recorded graph: tangents go from the arguments to the results, without a second table of rules.

The Jacobian of an elementwise op is diagonal, so its rule is its own jvp: what it does to a cotangent it does to a
tangent. An op that is linear in its inputs (``linear=`` in its declaration) applies itself. An op with a definition is
walked through that. For all others the rule, which is linear in the cotangent, is transposed: the vjp of the vjp.
Floor 8: used by the transforms.
"""

from collections.abc import Sequence
from math import prod
from typing import Any
from weakref import WeakSet

import numpy as np

from autograd.box import Box, plain, wrap
from autograd.compiler import select
from autograd.differentiate import (
    differentiate,
    differentiate_recorded,
    has_nan,
    linked,
    recorded_vjp,
)
from autograd.errors import ArgumentError, GraphError
from autograd.graph import Leaf, Node, TracedLeaf, ancestors, leading_to, versions
from autograd.lanes import Call, batch, loop
from autograd.masking import Masked, reach
from autograd.modes import current, enable_grad, no_grad, unseen, watched_by
from autograd.rules import Op, conjugate
from autograd.vjp import (
    BUNDLE,
    IDENTITY,
    ITEM,
    PUSHED,
    Cotangents,
    arguments_of,
    bundle_node,
    check,
    identity_node,
    missing_rule,
)

Tangents = dict[Node, Any]


@np.errstate(all="ignore")
def push(tangents: Tangents, roots: Sequence[Node | None], *, traced: bool, lanes: int | None = None) -> list[Any]:
    """Return the tangent of each root, given those of some nodes: None where no way leads from these to it.

    With ``traced`` tangents are Tensors, and what is computed is recorded. With ``lanes`` there are so many directions
    at once, along the first axis of each tangent.
    """
    if current().watcher is not None:
        with watched_by(None):
            return push(tangents, roots, traced=traced, lanes=lanes)
    with enable_grad() if traced else no_grad():
        return Pusher(traced, lanes).push(tangents, roots)


class GraphNeeded(GraphError):
    """Report to a jvp that pushes while its function runs that this asks for the graph."""


def ask_for_graph() -> None:
    """Let a jvp around this keep the graph: somebody goes back through it."""
    watcher = current().watcher
    if isinstance(watcher, Stream):
        watcher.give_up()


class Stream:
    """Push tangents while a function runs, node by node, and cut off what has its tangent: no graph is kept.

    It watches as a debugger does. A node is cut off when all that it came of has a tangent; what reads the graph
    itself (the argument of another transform, a Tensor from outside that requires a gradient) is ``kept`` with all that
    depends on it, and pushed at the end. Where nothing outside is ``recorded``, Tensors from there are constants.
    """

    def __init__(self, tangents: Tangents, recorded: bool) -> None:
        self._recorded = recorded
        for node, t in tangents.items():
            node.tangent = self, t
        self.kept: WeakSet[Node] = WeakSet()
        self.masked = False  # whether an op took some elements and not others, so that a nan may be a zero
        self.failed = False
        self._pusher, self._waiting, self._bytes = Pusher(False, None), list[Node](), 0

    def knows(self, node: Node | None) -> bool:
        """Tell whether a node has its tangent, or needs none."""
        if node is None or not node.needs or getattr(node, "tangent", _UNKNOWN)[0] is self:
            return True
        return not self._recorded and node.op is None and not isinstance(node, TracedLeaf)

    def of(self, node: Node | None) -> Any:
        """Return the tangent of a node, or None."""
        owner, t = getattr(node, "tangent", _UNKNOWN)
        return t if owner is self else None

    def recorded(self, y: Any, data: Any) -> Any:
        """Push what an op gave: at once where arrays are large, else some together, which takes half the time."""
        for part in y if isinstance(y, tuple) else (y,):
            if part._node is not None and part._node.op is not None:
                self._waiting.append(part._node)
                self._bytes += part._array.nbytes
        if self._bytes > _LARGE or len(self._waiting) >= _MANY:
            self.finish()
        return y

    def finish(self) -> None:
        """Push what still waits."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        try:
            unseen(self._settle_all, waiting)
        except ArgumentError:  # a rule refuses a value that a mask may cut off
            self.give_up()

    @np.errstate(all="ignore")
    def _settle_all(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            self._settle(node)

    def computed(self, *facts: Any) -> None:
        """See an op of constants."""

    def differentiated(self, *facts: Any) -> None:
        """See a pass of another transform."""

    def give_up(self) -> None:
        """Stop: the graph itself is wanted, so the function must run again and keep it."""
        self.failed = True
        raise GraphNeeded("jvp keeps no graph, and is started again with one; do not catch this error.")

    def _settle(self, node: Node) -> None:
        """Push all that leads to a node and was not pushed yet: mostly the node alone."""
        if all(map(self.knows, node.parents)):
            self._push(node)
            return
        if node in self.kept or self.knows(node):
            return
        inside = ancestors(node, lambda n: not self.knows(n) and n not in self.kept)
        behind = [n for n in inside if not self.knows(n)]
        if any(n in self.kept or not n.parents for n in behind):
            self.kept.update(behind)
            return
        for each in sorted(behind, key=lambda n: -n.order):
            self._push(each)

    def _push(self, node: Node) -> None:
        if node.op is PUSHED:
            return
        given = [self.of(parent) for parent in node.parents]
        if node.op is IDENTITY or all(t is None for t in given):
            t = given[0]
        else:
            t = given[0][node.kwargs["index"]] if node.op is ITEM else self._pusher.of_op(node, given)
        node.tangent = self, t
        self.masked = self.masked or bool(node.op.selects)
        node.op, node.parents, node.residuals, node.kwargs = PUSHED, (), (None,), None

    def ended(self, roots: Sequence[Node | None], *, traced: bool) -> list[Any] | None:
        """Return the tangent of each root, or None where a nan may be what a mask cut off."""
        tangents: Tangents = {}
        for node in ancestors(bundle_node(roots), lambda node: not self.knows(node)):
            t = self.of(node)
            if t is not None:
                tangents[node] = wrap(t) if traced and not isinstance(t, tuple) else t
        try:
            made = push(tangents, roots, traced=traced)
        except ArgumentError:
            return None
        nan = any(t is not None and has_nan(plain(t)) for t in made)
        return None if nan and (self.masked or self.kept) else made


_UNKNOWN = (None, None)
_LARGE, _MANY = 1 << 20, 64  # so many bytes, or nodes, wait to be pushed together


class Pusher:
    """Push tangents forwards: one direction, or several at once."""

    def __init__(self, traced: bool, lanes: int | None) -> None:
        self.traced, self.lanes = traced, lanes
        self.front: tuple[int, ...] = () if lanes is None else (lanes,)

    def push(self, tangents: Tangents, roots: Sequence[Node | None]) -> list[Any]:
        own = set(tangents)
        between = leading_to(bundle_node(roots), own) - own
        found = dict(tangents)
        for node in sorted(between, key=lambda node: -node.order):  # oldest first: parents before their users
            if node.op is not BUNDLE:
                found[node] = self.tangent(node, found)
        return [None if root is None else found.get(root) for root in roots]

    def tangent(self, node: Node, found: Tangents) -> Any:
        """Compute the tangent of a node (a tuple, if its op has several outputs) from those of its parents."""
        op, parents = node.op, node.parents
        if op is IDENTITY:
            return found[parents[0]]
        if op is ITEM:
            return found[parents[0]][node.kwargs["index"]]
        if node.released or versions.latest < node.order:
            check(node)
        return self.of_op(node, [None if parent is None else found.get(parent) for parent in parents])

    def of_op(self, node: Node, given: Sequence[Any]) -> Any:
        """Compute the tangent of what an op gives from those of its inputs; None for one that does not move."""
        op: Any = node.op
        diagonal = op.__class__ is Op and op.elementwise and op.rules and node.shape.__class__ is not list
        if diagonal and (op.definition is None or not self.traced) and not _changes_field(node, given):
            return self.elementwise(node, given)
        if op.__class__ is Op and op.linear is not None and not op.closed_over(node):
            made = self.applied(node, given)
            if made is not None:
                return made
        if op.definition is not None and (self.traced or not diagonal):
            return self.through_definition(node, given)
        return self.transposed(node, given)

    def linked(self, node: Node) -> Any:
        """Return what a rule may ask for, as Tensors where the push is recorded."""
        return linked(node) if self.traced and not node.op.reads_nothing else node.residuals

    def transposed(self, node: Node, given: Sequence[Any]) -> Any:
        """Transpose the rule: for each direction anew, or, where the output has fewer elements, for each of these."""
        if self.lanes is None:
            return _transposed(node, given, self.traced)
        if _has_few_rows(node, given, self.lanes):
            return self.by_rows(node, given)
        return self.one_by_one(node, given, lambda lane: _transposed(node, lane, self.traced))

    def by_rows(self, node: Node, given: Sequence[Any]) -> Any:
        """Multiply all tangents by the Jacobian of the op, whose rows its rule gives."""
        tangents = {p: t for p, t in zip(node.parents, given, strict=True) if t is not None}
        rows: list[dict[Node, Any]] = []
        for unit in np.eye(prod(node.shape), dtype=node.dtype):
            u = np.reshape(unit, node.shape)[()]
            row: dict[Node, Any] = {}
            for parent, share in recorded_vjp(node, wrap(u), tangents) if self.traced else _vjp(node, u, tangents):
                row[parent] = row[parent] + share if parent in row else share
            rows.append(row)
        total: Any = None
        for parent, t in tangents.items():
            matrix = np.reshape(np.stack([row[parent] for row in rows]), (len(rows), -1))
            share = np.reshape(t, (*self.front, -1)) @ np.transpose(matrix)
            total = share if total is None else total + share
        return self.fitted(np.reshape(total, (*self.front, *node.shape)), node.shape, node.dtype)

    def fitted(self, t: Any, shape: Any, dtype: Any) -> Any:
        """Return a tangent in the shape and dtype of the value it belongs to."""
        shape = self.front + shape
        if t.shape != shape:
            t = np.broadcast_to(t, shape)
        if t.dtype != dtype:
            t = (t.real if t.dtype.kind == "c" and dtype.kind != "c" else t).astype(dtype)
        return t

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """Return the tangent of what does not move; it takes no memory."""
        return np.broadcast_to(np.zeros((), dtype), self.front + shape)[()]

    def outputs(self, node: Node, y: Any) -> Any:
        """Fit the tangents of all outputs."""
        if isinstance(y, tuple):
            return tuple([self.fitted(part, *facts) for part, *facts in zip(y, node.shape, node.dtype, strict=True)])
        return self.fitted(y if isinstance(y, Box | np.ndarray) else np.asarray(y)[()], node.shape, node.dtype)

    def applied(self, node: Node, given: Sequence[Any]) -> Any:
        """Apply a linear op to the tangents, a multilinear one to the tangent of one input after the other."""
        op = node.op
        if op.linear != "each":
            inputs = [
                t if t is not None else 0.0 if parent is None else _zeros(parent.shape, parent.dtype)
                for t, parent in zip(given, node.parents, strict=True)
            ]
            return self.outputs(node, self.run(node, inputs, [t is not None for t in given]))
        residuals = self.linked(node)
        changed, count = [i for i, t in enumerate(given) if t is not None], len(given)
        if any(residuals[k] is None for i in changed for k in range(count) if k != i):
            return None  # nobody kept the factor: the rule tells without it
        total: Any = None
        for i in changed:
            inputs = [given[k] if k == i else residuals[k] for k in range(count)]
            y = self.run(node, inputs, [k == i for k in range(count)])
            total = y if total is None else total + y
        return self.outputs(node, total)

    def run(self, node: Node, inputs: list[Any], moving: list[bool]) -> Any:
        """Apply the op of a node to tangents."""
        op, kwargs = node.op, node.kwargs or {}
        run = op.apply if self.traced and any(isinstance(x, Box) for x in inputs) else op.forward
        if self.lanes is None:
            return run(*inputs, **kwargs)
        shapes = [() if parent is None else parent.shape for parent in node.parents]
        outs = node.shape if isinstance(node.shape, list) else [node.shape]
        y = batch(op, Call(run, inputs, moving, shapes, outs, self.lanes), kwargs)
        if y is not None:
            return y
        dtypes = node.dtype if isinstance(node.dtype, list) else [node.dtype]
        facts = [*zip(outs, dtypes, strict=True)]
        return loop(
            lambda lane: run(*[x[lane] if own else x for x, own in zip(inputs, moving, strict=True)], **kwargs),
            self.lanes,
            facts,
        )

    def elementwise(self, node: Node, given: Sequence[Any]) -> Any:
        """Run the rule on the tangents: the Jacobian is diagonal."""
        op, shape = node.op, self.front + node.shape
        residuals = self.linked(node)
        needs = [t is not None for t in given]
        twin = node.dtype.kind == "c" and op.takes_complex and not op.as_written
        total: Any = None
        for i, t in enumerate(given):
            if t is None:
                continue
            if i not in op.rules:
                missing_rule(op, i)
            if t.shape != shape:
                if t.ndim < len(shape):  # the lanes stand in front
                    t = np.reshape(t, (*self.front, *(1,) * (len(shape) - t.ndim), *t.shape[len(self.front) :]))
                t = np.broadcast_to(t, shape)
            rule = op.rules[i]
            t = conjugate(t) if twin else t  # the rules of a complex result are conjugated, and back
            share = rule.function(t, *arguments_of(rule, node, residuals, needs))
            share = conjugate(share) if twin else share
            if i in op.masks:
                mask = op.masks[i].function(*arguments_of(op.masks[i], node, residuals, needs))
                mask = mask if isinstance(mask, Box) else np.broadcast_to(np.asarray(mask, bool), shape)[()]
                share = select(mask, self.fitted(_array(share), node.shape, node.dtype))
            total = share if total is None else total + share
        return self.fitted(_array(total), node.shape, node.dtype)

    def through_definition(self, node: Node, given: Sequence[Any]) -> Any:
        """Run the definition of an op again, recorded, and push the tangents through that."""
        op, parents = node.op, node.parents
        inputs = list(node.residuals[: len(parents) - op.closed_over(node)])
        own: Tangents = {}
        for i, (parent, t) in enumerate(zip(parents, given, strict=True)):
            if parent is None:
                continue
            if i >= len(inputs):
                if t is not None:
                    own[parent] = t
            elif t is not None:
                stand_in = identity_node(parent) if self.traced else Leaf(None, parent.shape, parent.dtype, True)
                inputs[i], own[stand_in] = wrap(inputs[i], stand_in), t
            elif self.traced and parent.needs:
                inputs[i] = wrap(inputs[i], parent)
        with enable_grad():
            y = op.definition(*inputs, **(node.kwargs or {}))
        several = isinstance(y, tuple)
        made = self.push(own, [part._node if isinstance(part, Box) else None for part in (y if several else (y,))])
        shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
        filled = [
            self.zeros(shape, dtype) if t is None else self.fitted(t, shape, dtype)
            for t, shape, dtype in zip(made, shapes, dtypes, strict=True)
        ]
        return tuple(filled) if several else filled[0]

    def one_by_one(self, node: Node, given: Sequence[Any], run: Any) -> Any:
        """Push lane after lane."""
        shapes, dtypes = (node.shape, node.dtype) if isinstance(node.shape, list) else ([node.shape], [node.dtype])
        facts = [*zip(shapes, dtypes, strict=True)]
        return loop(lambda lane: run([t if t is None else t[lane] for t in given]), self.front[0], facts)


def _array(x: Any) -> Any:
    return x if hasattr(x, "dtype") else np.asarray(x)[()]


def _zeros(shape: Any, dtype: Any) -> Any:
    return np.broadcast_to(np.zeros((), dtype), shape)[()]


def _fitted(t: Any, shape: Any, dtype: Any) -> Any:
    return _PLAIN.fitted(t, shape, dtype)


_PLAIN = Pusher(False, None)


def _has_few_rows(node: Node, given: Sequence[Any], lanes: int) -> bool:
    """Tell whether the Jacobian of an op is worth building: that of one real output, no longer than it has tangents."""
    if isinstance(node.shape, list) or not 0 < prod(node.shape) <= lanes:
        return False
    moving = [(p, t) for p, t in zip(node.parents, given, strict=True) if p is not None and t is not None]
    if any(dtype.kind != "f" for dtype in (node.dtype, *[p.dtype for p, _ in moving])):
        return False  # complex rules are probed elsewhere
    return all(np.isfinite(t._array if isinstance(t, Box) else t).all() for _, t in moving)  # 0 · inf is no 0


def _changes_field(node: Node, given: Sequence[Any]) -> bool:
    """Tell whether the rule for complex numbers is another one forwards: abs and conj are not holomorphic."""
    if node.dtype.kind == "c":
        return bool(node.op.as_written)
    pairs = zip(node.parents, given, strict=True)
    return any(t is not None and p is not None and p.dtype.kind == "c" for p, t in pairs)


def _transposed(node: Node, given: Sequence[Any], traced: bool) -> Any:
    """Differentiate <uᵀ J, t> with respect to u: that is J t, whatever the rule is.

    At u = 1, as a rule may leave out what an output that got no cotangent would tell (vectors of equal eigenvalues);
    of complex numbers at 0, as a rule may refuse what turns with the phase.
    """
    several = isinstance(node.shape, list)
    shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
    cotangents = [
        wrap(probe(shape, dtype), TracedLeaf(None, shape, dtype)) if dtype.kind in "fc" else None
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]
    u = Cotangents({i: part for i, part in enumerate(cotangents) if part is not None}) if several else cotangents[0]
    tangents = dict(_alive(node, u, given, traced))
    with enable_grad():
        shares = (recorded_vjp if traced else _vjp)(node, u, set(tangents))
    seeds: Tangents = {}
    for parent, share in shares:
        root = share._node if isinstance(share, Box) else None
        if root is not None and root.needs:
            t = tangents[parent]
            seeds[root] = seeds[root] + t if root in seeds else t
    own = {part._node for part in cotangents if part is not None}
    inside = set[Node]().union(*[leading_to(root, own) for root in seeds])
    seeds = {root: t for root, t in seeds.items() if root in inside}
    found = (differentiate_recorded if traced else differentiate)(seeds, own, wanted=inside)
    made = [
        _zeros(shape, dtype) if part is None or part._node not in found else _fitted(found[part._node], shape, dtype)
        for part, shape, dtype in zip(cotangents, shapes, dtypes, strict=True)
    ]
    return tuple(made) if several else made[0]


def probe(shape: Any, dtype: Any) -> Any:
    """Return where a rule, which is linear in its cotangent, is transposed."""
    return (np.zeros if dtype.kind == "c" else np.ones)(shape, dtype)[()]


def _vjp(node: Node, u: Any, wanted: Any) -> Any:
    return node.op.vjp(node, node.residuals, u, wanted)


def _alive(node: Node, u: Any, given: Sequence[Any], traced: bool) -> Any:
    """Yield parents and tangents; what an op does not select is set to zero, where 0 · inf would make a nan of it."""
    alive: Any = None
    for i, (parent, t) in enumerate(zip(node.parents, given, strict=True)):
        if t is None:
            continue
        plain = t._array if isinstance(t, Box) else t
        if node.op.selects and not node.op.masks and not np.all(np.isfinite(plain)):
            if alive is None:
                masked = (
                    Cotangents({k: Masked(g) for k, g in u.parts.items()}) if isinstance(u, Cotangents) else Masked(u)
                )
                alive = reach(node, masked, [each is not None for each in given])
            if alive[i] is not None:
                t = select(alive[i], t)
        yield parent, t
