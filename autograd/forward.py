"""Forward mode over a recorded graph: tangents go from the arguments to the results, without a second table of rules.

The Jacobian of an elementwise op is diagonal, so its rule is its own jvp: what it does to a cotangent it does to a
tangent. An op that is linear in its inputs (``linear=`` in its declaration) applies itself. An op with a definition is
walked through that. For all others the rule, which is linear in the cotangent, is transposed: the vjp of the vjp.
Floor 8: used by the transforms.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.box import Box, wrap
from autograd.compiler import select
from autograd.differentiate import (
    Masked,
    differentiate,
    differentiate_recorded,
    linked,
    reach,
    recorded_vjp,
)
from autograd.graph import Leaf, Node, TracedLeaf, leading_to, versions
from autograd.modes import current, enable_grad, no_grad, watched_by
from autograd.rules import Op, conjugate
from autograd.vjp import BUNDLE, IDENTITY, ITEM, Cotangents, arguments_of, bundle_node, check, identity_node

Tangents = dict[Node, Any]


@np.errstate(all="ignore")
def push(tangents: Tangents, roots: Sequence[Node | None], *, traced: bool) -> list[Any]:
    """Return the tangent of each root, given those of some nodes: None where no way leads from these to it.

    With ``traced`` tangents are Tensors, and what is computed is recorded.
    """
    if current().watcher is not None:
        with watched_by(None):
            return push(tangents, roots, traced=traced)
    with enable_grad() if traced else no_grad():
        return _push(tangents, roots, traced)


def _push(tangents: Tangents, roots: Sequence[Node | None], traced: bool) -> list[Any]:
    own = set(tangents)
    between = leading_to(bundle_node(roots), own) - own
    found = dict(tangents)
    for node in sorted(between, key=lambda node: -node.order):  # oldest first: parents before their users
        if node.op is not BUNDLE:
            found[node] = _tangent(node, found, traced)
    return [None if root is None else found.get(root) for root in roots]


def _tangent(node: Node, found: Tangents, traced: bool) -> Any:
    """Compute the tangent of a node (a tuple, if its op has several outputs) from those of its parents."""
    op, parents = node.op, node.parents
    if op is IDENTITY:
        return found[parents[0]]
    if op is ITEM:
        return found[parents[0]][node.kwargs["index"]]
    if node.released or versions.latest < node.order:
        check(node)
    given = [None if parent is None else found.get(parent) for parent in parents]
    if op.__class__ is Op and op.linear is not None and not op.closed_over(node):
        made = _applied(node, given, traced)
        if made is not None:
            return made
    diagonal = op.__class__ is Op and op.elementwise and op.rules and not isinstance(node.shape, list)
    if op.definition is not None and (traced or not diagonal):
        return _through_definition(node, given, traced)
    if diagonal and not _changes_field(node, given):
        return _elementwise(node, given, traced)
    return _transposed(node, given, traced)


def _fitted(t: Any, shape: Any, dtype: Any) -> Any:
    """Return a tangent in the shape and dtype of the value it belongs to."""
    if np.shape(t) != shape:
        t = np.broadcast_to(t, shape)
    if t.dtype != dtype:
        t = (t.real if t.dtype.kind == "c" and dtype.kind != "c" else t).astype(dtype)
    return t


def _zeros(shape: Any, dtype: Any) -> Any:
    return np.broadcast_to(np.zeros((), dtype), shape)[()]


def _total(parts: Any) -> Any:
    total: Any = None
    for part in parts:
        total = part if total is None else total + part
    return total


def _applied(node: Node, given: Sequence[Any], traced: bool) -> Any:
    """Apply a linear op to the tangents, a multilinear one to the tangent of one input after the other."""
    op, kwargs = node.op, node.kwargs or {}
    run = op.apply if traced or any(isinstance(t, Box) for t in given) else op.forward
    if op.linear == "each":
        residuals = linked(node) if traced else node.residuals
        changed = [i for i, t in enumerate(given) if t is not None]
        count = len(given)
        if any(residuals[k] is None for i in changed for k in range(count) if k != i):
            return None  # nobody kept the factor: the rule tells without it
        y = _total(run(*[given[k] if k == i else residuals[k] for k in range(count)], **kwargs) for i in changed)
    else:
        inputs = [
            t if t is not None else 0.0 if parent is None else _zeros(parent.shape, parent.dtype)
            for t, parent in zip(given, node.parents, strict=True)
        ]
        y = run(*inputs, **kwargs)
    if isinstance(y, tuple):
        return tuple([_fitted(part, *facts) for part, *facts in zip(y, node.shape, node.dtype, strict=True)])
    return _fitted(y if isinstance(y, Box) else np.asarray(y)[()], node.shape, node.dtype)


def _changes_field(node: Node, given: Sequence[Any]) -> bool:
    """Tell whether the rule for complex numbers is another one forwards: abs and conj are not holomorphic."""
    kinds = {node.dtype.kind, *[p.dtype.kind for p, t in zip(node.parents, given, strict=True) if p and t is not None]}
    return "c" in kinds and (node.op.as_written or node.dtype.kind != "c")


def _elementwise(node: Node, given: Sequence[Any], traced: bool) -> Any:
    op = node.op
    residuals = linked(node) if traced and not op.reads_nothing else node.residuals
    needs = [t is not None for t in given]
    parts = []
    for i, t in enumerate(given):
        if t is None:
            continue
        if i not in op.rules:
            return _transposed(node, given, traced)  # which says what is missing
        if np.shape(t) != node.shape:
            t = np.broadcast_to(t, node.shape)
        rule, twin = op.rules[i], op.takes_complex and not op.as_written
        t = conjugate(t) if twin else t  # the rules of a complex result are conjugated, and back
        share = rule.function(t, *arguments_of(rule, node, residuals, needs, (True,)))
        share = conjugate(share) if twin else share
        if isinstance(op.selects, dict) and i in op.selects:
            mask = op.selects[i].function(*arguments_of(op.selects[i], node, residuals, needs, (True,)))
            share = select(
                np.broadcast_to(np.asarray(mask, bool), node.shape)[()], _fitted(share, node.shape, node.dtype)
            )
        parts.append(share)
    return _fitted(np.asarray(t)[()] if not hasattr(t := _total(parts), "dtype") else t, node.shape, node.dtype)


def _through_definition(node: Node, given: Sequence[Any], traced: bool) -> Any:
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
            stand_in = identity_node(parent) if traced else Leaf(None, parent.shape, parent.dtype, True)
            inputs[i], own[stand_in] = wrap(inputs[i], stand_in), t
        elif traced and parent.needs:
            inputs[i] = wrap(inputs[i], parent)
    with enable_grad():
        y = op.definition(*inputs, **(node.kwargs or {}))
    several = isinstance(y, tuple)
    outputs = y if several else (y,)
    made = _push(own, [part._node if isinstance(part, Box) else None for part in outputs], traced)
    shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
    filled = [
        _zeros(shape, dtype) if t is None else _fitted(t, shape, dtype)
        for t, shape, dtype in zip(made, shapes, dtypes, strict=True)
    ]
    return tuple(filled) if several else filled[0]


def _transposed(node: Node, given: Sequence[Any], traced: bool) -> Any:
    """Differentiate <uᵀ J, t> with respect to u: that is J t, whatever the rule is."""
    several = isinstance(node.shape, list)
    shapes, dtypes = (node.shape, node.dtype) if several else ([node.shape], [node.dtype])
    cotangents = [
        wrap(np.zeros(shape, dtype)[()], TracedLeaf(None, shape, dtype)) if dtype.kind in "fc" else None
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


def _vjp(node: Node, u: Any, wanted: Any) -> Any:
    return node.op.vjp(node, node.residuals, u, wanted)


def _alive(node: Node, u: Any, given: Sequence[Any], traced: bool) -> Any:
    """Yield parents and tangents; what an op does not select is set to zero, where 0 · inf would make a nan of it."""
    alive: Any = None
    for i, (parent, t) in enumerate(zip(node.parents, given, strict=True)):
        if t is None:
            continue
        plain = t._array if isinstance(t, Box) else t
        if node.op.selects is True and not np.all(np.isfinite(plain)):
            if alive is None:
                masked = (
                    Cotangents({k: Masked(g) for k, g in u.parts.items()}) if isinstance(u, Cotangents) else Masked(u)
                )
                alive = reach(node, masked)
            if alive[i] is not None:
                t = select(alive[i], t)
        yield parent, t
