"""The gradient side of one node: give each parent its share of the gradient.

The same rules serve every order: :func:`general_pull` gives them arrays; :func:`traced_pull` gives them Tensors that
are linked to the graph, so that what they compute is itself recorded.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.backward import walk
from autograd.box import Box, wrap
from autograd.errors import GraphError, InPlaceError, MissingRule, RuleError
from autograd.graph import ABSENT, Leaf, Node, View, clock, make_node
from autograd.modes import enable_grad
from autograd.rules import Kept, Op, Shares

_F64 = np.float64
_D64 = np.dtype(np.float64)
_NDARRAY = np.ndarray
_ARRAYS = (np.ndarray, np.generic)


class _Plumbing:
    """Be an op of the engine's own: no user calls it, it only passes gradients on."""

    elementwise, joint, definition, cache, view, linear = False, None, None, (), False, False
    inputs = ("x",)
    short = ()  # no short rules: see fast_pull

    def __init__(self, name: str, pull: Callable[[Node, Any, Any], Shares]) -> None:
        self.name = self.symbol = name
        self.pull = pull

    def kept(self, parents: Sequence[Node | None]) -> Kept:
        """Keep nothing."""
        return Kept(frozenset(), False, False)


class Cotangents:
    """Gather the gradients of a multi-output op: they arrive output by output and meet by ``+``."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: "Cotangents") -> "Cotangents":
        merged = dict(self.parts)
        for i, g in other.parts.items():
            merged[i] = merged[i] + g if i in merged else g
        return Cotangents(merged)

    def fill(self, node: Node) -> tuple[Any, ...]:
        """List the gradients of all outputs; one that did not arrive is zeros (which take no memory)."""
        zeros = [
            np.broadcast_to(np.zeros((), dtype), shape) for shape, dtype in zip(node.shape, node.dtype, strict=True)
        ]
        return tuple(self.parts.get(i, zero) for i, zero in enumerate(zeros))


def _pull_item(node: Node, g: Any, wanted: Any = None) -> Shares:
    return [(node.a, Cotangents({node.kwargs["index"]: g}))]


def _pull_identity(node: Node, g: Any, wanted: Any = None) -> Shares:
    return [(node.a, g)]


def _pull_bundle(node: Node, g: Any, wanted: Any = None) -> Shares:
    pairs = zip(node.parents, g, strict=True)
    return [
        (parent, part)
        for parent, part in pairs
        if parent is not None and parent.needs and part is not None and (wanted is None or parent in wanted)
    ]


ITEM: Any = _Plumbing("item", _pull_item)
IDENTITY: Any = _Plumbing("identity", _pull_identity)
BUNDLE: Any = _Plumbing("bundle", _pull_bundle)


def item_node(node: Node, i: int, part: Any) -> Node:
    """Make the node of output ``i`` of a multi-output node (a view if that is one)."""
    kind = View if isinstance(node, View) else Node
    return kind(
        ITEM,
        node,
        ABSENT,
        None,
        (None, part if part.size <= 64 else None),
        {"index": i},
        part.shape,
        part.dtype,
        node.scope,
    )


def identity_node(parent: Node) -> Node:
    """Make a node that stands for ``parent`` in one place only: the gradient for that place can be told apart."""
    return Node(IDENTITY, parent, ABSENT, None, (None, None), None, parent.shape, parent.dtype, parent.scope)


def bundle_node(nodes: Sequence[Node | None]) -> Node:
    """Make one root of several, to walk from with a tuple of gradients."""
    return make_node(Node, BUNDLE, tuple(nodes), (None,) * (len(nodes) + 1), None, (), None, None)


# --------------------------------------------------------------------------------------------------- fitting a share


def unbroadcast(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum ``g`` over the axes along which an input of ``shape`` was broadcast."""
    extra = g.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1)
    g = g.sum(axis=axes, keepdims=True) if axes else g
    return g.reshape(shape) if extra else g


def fit(share: Any, parent: Node, op: Op, i: int) -> Any:
    """Make the share of input ``i`` have the input's shape and dtype, or say which rule is wrong."""
    kind = type(share)
    if kind is np.ndarray and share.dtype is parent.dtype and share.shape == parent.shape:
        return share
    if kind is _F64 and parent.dtype is _D64 and not parent.shape:
        return share
    inner = share._array if isinstance(share, Box) else share  # its attributes cost less than the Tensor's properties
    if not isinstance(inner, _ARRAYS):
        if not isinstance(inner, int | float):
            raise RuleError(
                f"op {op.name!r}: the rule for {op.argument(i)!r} returned {type(share).__name__}, not an array."
            )
        share = inner = np.asarray(share)
    shape, dtype = inner.shape, inner.dtype
    if shape != parent.shape:
        if not op.elementwise or not _broadcasts(parent.shape, shape):
            raise RuleError(
                f"op {op.name!r}: the rule for {op.argument(i)!r} returned shape {shape}, but the input has "
                f"shape {parent.shape}."
            )
        share = unbroadcast(share, parent.shape)
    if dtype is not parent.dtype and dtype != parent.dtype:
        if dtype.kind not in "biuf":
            raise RuleError(f"op {op.name!r}: the rule for {op.argument(i)!r} returned dtype {dtype}.")
        share = share.astype(parent.dtype)
    return share


def floating(name: str, dtype: Any) -> Any:
    """Give ``dtype`` back, or refuse to record it: gradients of integers would be cut, of complex numbers cast."""
    if dtype.kind != "f":
        raise RuleError(
            f"op {name!r}: the forward returned dtype {dtype}, which has no gradient here. Return floating-point "
            "numbers, or declare it with nondifferentiable."
        )
    return dtype


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    return len(small) <= len(large) and all(n in (1, m) for n, m in zip(reversed(small), reversed(large), strict=False))


# --------------------------------------------------------------------------------------------------------- the pulls


def check(node: Node) -> None:
    """Refuse to differentiate a node whose values are gone or were changed."""
    if node.released:
        raise GraphError(
            f"backward reached {node.op.name!r}, whose saved arrays were released by an earlier backward. "
            "Call the first backward with retain_graph=True, or compute the loss again."
        )
    for i, parent in enumerate(node.parents):
        if parent is not None and parent.changed < node.order and i in node.op.kept(node.parents).inputs:
            who = f" {parent.name!r}" if parent.name else ""
            raise InPlaceError(
                f"input {node.op.argument(i)!r}{who} of {node.op.name!r}, shape {parent.shape}, was changed in place "
                "after it was used. Change it after backward, or use a new Tensor."
            )


def _shares(node: Node, g: Any, saved: Sequence[Any], wanted: Any) -> Shares:
    """Run the rules of the inputs that want a gradient."""
    op: Op = node.op
    if op.joint is not None:
        return joint_shares(op, op.joint(g, node, saved), node, wanted)
    pairs: Shares = []
    for i, parent in enumerate(node.parents):
        if parent is not None and parent.needs and (wanted is None or parent in wanted):
            rule = op.rules.get(i)
            if rule is None:
                raise MissingRule(f"op {op.name!r} has no gradient rule for {op.argument(i)!r}. Pass it detached.")
            pairs.append((parent, fit(rule(g, node, saved), parent, op, i)))
    return pairs


def as_many(op: Op, shares: Any, count: int) -> Any:
    """Give the shares of a joint rule back, or refuse what are not ``count`` of them."""
    if not isinstance(shares, tuple | list) or len(shares) != count:
        said = f"{len(shares)} values" if isinstance(shares, tuple | list) else type(shares).__name__
        raise RuleError(f"op {op.name!r}: the joint rule must return a tuple of {count} gradients, got {said}.")
    return shares


def joint_shares(op: Op, shares: Any, node: Node, wanted: Any) -> Shares:
    """Pair what a joint rule gave with the inputs that want a gradient."""
    parents = node.parents
    return [
        (parent, fit(share, parent, op, i))
        for i, (parent, share) in enumerate(zip(parents, as_many(op, shares, len(parents)), strict=True))
        if parent is not None and parent.needs and (wanted is None or parent in wanted)
    ]


def general_pull(node: Node, g: Any, wanted: Any = None) -> Shares:
    """Give each parent its share of ``g``, as arrays."""
    if node.released or clock.changed < node.order:
        check(node)
    op: Op = node.op
    if isinstance(g, Cotangents):
        g = g.fill(node)
    if op.joint is None and not op.rules:
        return pull_definition(node, g, wanted, traced=False)
    return _shares(node, g, node.saved, wanted)


def peek(node: Node, g: Any) -> Shares | None:
    """Give each parent its share of ``g`` for a picture: of a released node too, while its small arrays are there.

    None means that an array which the rules need is gone, or was changed in place since.
    """
    op = node.op
    if not isinstance(op, Op):
        pairs: Shares = op.pull(node, g, None)
        return pairs
    parents = node.parents
    kept = op.kept(parents)
    for i in kept.inputs:
        parent = parents[i]
        if node.saved[i] is None or (parent is not None and parent.changed < node.order):
            return None
    if any(part is None for part in node.saved[len(parents) :][0 if kept.output else 1 :]):
        return None
    if isinstance(g, Cotangents):
        g = g.fill(node)
    if op.joint is None and not op.rules:
        return pull_definition(node, g, None, traced=False)
    return _shares(node, g, node.saved, None)


def traced_pull(node: Node, g: Any, wanted: Any = None) -> Shares:
    """Give each parent its share of ``g`` as Tensors that are part of the graph: the same rules, recorded."""
    if node.released or clock.changed < node.order:
        check(node)
    op = node.op
    if op is ITEM or op is BUNDLE or op is IDENTITY:
        pairs: Shares = op.pull(node, g, wanted)
        return pairs
    if isinstance(g, Cotangents):
        g = g.fill(node)
    if op.definition is not None:
        return pull_definition(node, g, wanted, traced=True)
    if op.linear:
        return op.pull(node, g, wanted)  # type: ignore[no-any-return]
    if op.short:
        return _short_shares(op, node, g, wanted)
    return _shares(node, g, linked(node), wanted)


def _short_shares(op: Op, node: Node, g: Any, wanted: Any) -> Shares:
    """Trace the rules of an elementwise op, linking only the values that they read."""
    pairs: Shares = []
    parents, saved = node.parents, node.saved
    for i, parent in enumerate(parents):
        if parent is not None and parent.needs and (wanted is None or parent in wanted):
            function, places = op.short[i]
            values = []
            for at in places:
                source = parents[at] if at < len(parents) else node
                values.append(wrap(saved[at], source) if source is not None and source.needs else saved[at])
            pairs.append((parent, fit(function(g, *values), parent, op, i)))
    return pairs


def linked(node: Node) -> tuple[Any, ...]:
    """Give the saved values of ``node`` as Tensors that stand where they stood in the graph."""
    saved = list(node.saved)
    for i, parent in enumerate(node.parents):
        if parent is not None and parent.needs and saved[i] is not None:
            saved[i] = wrap(saved[i], parent)
    at = len(node.parents)
    if isinstance(saved[at], tuple):
        saved[at] = tuple(wrap(part, item_node(node, i, part)) for i, part in enumerate(saved[at]))
    elif saved[at] is not None:
        saved[at] = wrap(saved[at], node)
    return tuple(saved)


def pull_definition(node: Node, g: Any, wanted: Any, *, traced: bool) -> Shares:
    """Run the definition again, recorded, and walk back through it.

    Inputs beyond those of the definition are nodes that it closes over; the walk stops there as well.
    """
    op = node.op
    own = {}
    inputs = list(node.saved[: len(node.parents) - node.op.closed(node)])
    for i, parent in enumerate(node.parents):
        if parent is None or not parent.needs or (wanted is not None and parent not in wanted):
            continue
        if i >= len(inputs):
            own[parent] = i
            continue
        stand_in = identity_node(parent) if traced else Leaf(None, parent.shape, parent.dtype, True)
        inputs[i] = wrap(inputs[i], stand_in)
        own[stand_in] = i
    with enable_grad():
        y = op.definition(*inputs, **(node.kwargs or {}))
        if isinstance(y, tuple):
            root = bundle_node([part._node if isinstance(part, Box) else None for part in y])
        elif isinstance(y, Box) and y._node is not None and y._node.needs:
            root = y._node
        else:
            return []
        found = walk(root, g, traced_pull if traced else lambda n, h: n.op.pull(n, h, None), own)
    return [(node.parents[i], fit(found[at], node.parents[i], op, i)) for at, i in own.items() if at in found]
