"""The gradient of a graph: run the vjps, record them for higher orders, keep cut off what a mask cut off.

A mask (``where``, ``relu``, an index) takes some elements of its inputs and not others. The gradient of those others is
structurally zero, and stays so whatever stands behind the mask: 0 · inf is 0 there, and nan everywhere else. Rules know
nothing of it. The first-order pass runs the rules as they are; only if it meets a mask and ends in a nan it is taken up
again from that mask with a :class:`Masked` cotangent, and the elements that influence nothing alive are set to zero at
each node. A recorded pass masks from the first mask on, as a higher derivative may be infinite where this one is not.
Floor 7: used by ``backward`` and the transforms.
"""

import math
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd import hooks
from autograd.backward import VJP, InputCotangents, UnderWay, backward_pass
from autograd.box import ARRAYS, SMALL, Box, plain, wrap
from autograd.compiler import select
from autograd.gathering import memories
from autograd.graph import HOOKED, RETAINED, Node, TracedLeaf, ancestors, leading_to
from autograd.masking import Masked, any_dead, as_masked, random_like, reach, unmasked
from autograd.modes import current, enable_grad, watched_by
from autograd.rules import Op
from autograd.vjp import (
    PLUMBING,
    Cotangents,
    arguments_of,
    check,
    fit,
    identity_node,
    item_node,
    missing_rule,
)

GONE = object()  # stands among the keywords of a released node for a large array
_F64, _NDARRAY = np.float64, np.ndarray
_HOLD_NOTHING = {np.float64, np.float32, float, int, bool, str, type(None)}


def _visit(wanted: Any, release: bool, retained: Any, state: UnderWay, at_mask: dict[Node, Any], held: Any) -> VJP:
    """Return the function that runs the rules of a node on arrays; small gradients stay on the node, for pictures.

    From the first mask on nodes are ``held`` and not released: a nan that comes of it needs them, and the cotangents
    ``at_mask``, again.
    """

    def visit(node: Node, g: Any) -> InputCotangents:
        if g.__class__ is _F64 or (isinstance(g, ARRAYS) and g.size <= SMALL):
            node.cotangent = g
        if node.retain and retained is not None:  # hooks go another way: see below
            retained[node] = g
        op = node.op
        if op.selects and not at_mask:
            at_mask.update(state.at(node, g))
        cotangents: InputCotangents = op.vjp(node, node.residuals, g, wanted)
        if at_mask:
            held.append(node)
        elif release:
            node.released = True
            if node.shape or not op.elementwise:  # an elementwise op of numbers holds nothing large
                let_go(node)
        return cotangents

    return visit


def _visit_masked(wanted: Any, retained: dict[Node, Any] | None, traced: bool, met: list[Node] | None = None) -> VJP:
    """Return the function that runs the rules of a node on masked cotangents; ``met`` collects the nodes."""

    def visit(node: Node, g: Any) -> InputCotangents:
        if met is not None:
            met.append(node)
        if node.retain & HOOKED:
            g = Masked(hooks.run(node, g.g), g._alive)
        if node.retain or not traced:
            bare = unmasked(g)
            if isinstance(bare, ARRAYS) and bare.size <= SMALL:
                node.cotangent = bare
            if node.retain & RETAINED and retained is not None:
                retained[node] = bare
        return masked_vjp(node, g, wanted, traced)

    return visit


# An infinite derivative is a value here; pictures and messages show it. As a decorator errstate takes half the time.
@np.errstate(all="ignore")
def differentiate(
    cotangents: dict[Node, Any],
    targets: Collection[Node] = (),
    *,
    wanted: Any = None,
    release: bool = False,
    retained: dict[Node, Any] | None = None,
) -> dict[Node, Any]:
    """Return the gradients of all leaves (or ``targets``), as arrays, given cotangents of some nodes.

    ``wanted`` limits the pass to some nodes, ``release`` lets go of large arrays on the way.
    """
    if current().watcher is not None:
        return _watched(differentiate, cotangents, targets, release, wanted=wanted, retained=retained)
    if hooks.are_met(cotangents):  # a hook sees a gradient once: that of the pass which counts
        return _differentiate_hooked(cotangents, targets, wanted, release, retained)
    state, held = UnderWay(), list[Node]()
    at_mask: dict[Node, Any] = {}
    found = backward_pass(cotangents, _visit(wanted, release, retained, state, at_mask, held), targets, state)
    if at_mask and (_any_nan(found.values()) or (retained and _any_nan(retained.values()))):
        masked = {node: as_masked(g) for node, g in at_mask.items()}
        masked = backward_pass(masked, _visit_masked(wanted, retained, traced=False), targets)
        found = {node: unmasked(g) for node, g in masked.items()}
    if release:
        for node in held:
            let_go(node)
    return found


@np.errstate(all="ignore")
def differentiate_recorded(
    cotangents: dict[Node, Any],
    targets: Collection[Node] = (),
    *,
    wanted: Any = None,
    retained: dict[Node, Any] | None = None,
) -> dict[Node, Any]:
    """Return the gradients of all leaves (or ``targets``) as Tensors: the same rules, recorded."""
    if current().watcher is not None:
        return _watched(differentiate_recorded, cotangents, targets, False, wanted=wanted, retained=retained)
    with enable_grad():
        masked = {node: as_masked(g) for node, g in cotangents.items()}
        found = backward_pass(masked, _visit_masked(wanted, retained, traced=True), targets)
        return _ended({node: unmasked(g) for node, g in found.items()})


def _differentiate_hooked(
    cotangents: dict[Node, Any], targets: Any, wanted: Any, release: bool, retained: Any
) -> dict[Node, Any]:
    """Run one pass, masked from the start, so that each hook is called once."""
    met = list[Node]()
    visit = _visit_masked(wanted, retained, traced=False, met=met)
    found = backward_pass({node: as_masked(g) for node, g in cotangents.items()}, visit, targets)
    for node in met if release else ():
        let_go(node)
    return _ended({node: unmasked(g) for node, g in found.items()})


def _ended(found: dict[Node, Any]) -> dict[Node, Any]:
    """Run the hooks of leaves and targets on the gradients that a pass has found."""
    if hooks.any_registered():
        for node, g in found.items():
            if node.retain & HOOKED:
                found[node] = hooks.run(node, g)
    return found


def _watched(run: Any, cotangents: dict[Node, Any], targets: Any, release: bool, **kwargs: Any) -> dict[Node, Any]:
    """Run a pass and show its result to the debugger before arrays are released: it looks for the origin of a nan."""
    watcher = current().watcher
    with watched_by(None):
        found: dict[Node, Any] = run(cotangents, targets, **kwargs)
    watcher.differentiated(cotangents, found)
    if release:
        for root in cotangents:
            for node in ancestors(root, lambda node: node.needs and not node.released):
                if node.op is not None:
                    let_go(node)
    return found


def _any_nan(found: Collection[Any]) -> bool:
    numbers = [g for g in found if g.__class__ is _F64]
    if numbers and any(map(math.isnan, numbers)):
        return True
    return len(numbers) < len(found) and any(map(has_nan, memories(found)))


def has_nan(g: Any) -> bool:
    """Tell whether a cotangent holds nan: by the sum of its squares, which BLAS takes a third of ``sum``'s time for."""
    if g.__class__ is _F64:
        return bool(g != g)
    if not isinstance(g, _NDARRAY) or g.dtype.char not in "fd":
        return isinstance(g, ARRAYS) and bool(np.isnan(g).any())
    dense = g if g.flags.c_contiguous else g.T
    if not dense.flags.c_contiguous:  # axes in the order of memory, else vdot copies
        dense = g.transpose(sorted(range(g.ndim), key=lambda axis: -abs(g.strides[axis])))
    squares = np.vdot(dense, dense)
    return bool(squares != squares)


# ----------------------------------------------------------------------------------------------------------- releasing


def let_go(node: Node) -> None:
    """Release a node's large arrays; small ones stay, so that it can be drawn."""
    node.released = True
    if node.op.let_go is not None:  # it is known beforehand what is large
        node.op.let_go(node)
        return
    if not set(map(type, node.residuals)) <= _HOLD_NOTHING:
        several = node.shape.__class__ is list  # several outputs: a tuple of arrays
        node.residuals = tuple(
            [
                None if (x.__class__ is _NDARRAY and x.size > SMALL) or (several and not is_small(x)) else x
                for x in node.residuals
            ]
        )
    if node.kwargs:
        large = [key for key, value in node.kwargs.items() if not is_small(value)]
        if large:
            node.kwargs = {**node.kwargs, **dict.fromkeys(large, GONE)}


def is_small(x: Any) -> bool:
    """Tell whether something may stay on a released graph: no array of more than 64 elements, also inside tuples."""
    if isinstance(x, tuple):
        return set(map(type, x)) <= _HOLD_NOTHING or all(map(is_small, x))
    return not isinstance(x, _NDARRAY) or x.size <= SMALL


# ----------------------------------------------------------------------------------------------------------- recording


def recorded_vjp(node: Node, g: Any, wanted: Any = None) -> InputCotangents:
    """Return the cotangent of each parent as a Tensor that is part of the graph: the same rules, run on Tensors."""
    op: Op = node.op
    if op.definition is not None:
        return definition_vjp(node, node.residuals, g, wanted, traced=True)
    return op.vjp(node, node.residuals if op.reads_nothing else linked(node), g, wanted)


def linked(node: Node) -> tuple[Any, ...]:
    """Return the residuals of ``node`` that a rule reads as Tensors, standing where they stood in the graph."""
    check(node)
    op, parents, residuals = node.op, node.parents, list(node.residuals)
    for i in op.reads([p is not None and p.needs for p in parents]):
        parent = parents[i]
        if parent is not None and parent.needs:
            residuals[i] = wrap(residuals[i], parent)
    if op.reads_output:
        at = len(parents)
        y = residuals[at]
        if y is None:
            pass
        elif isinstance(y, tuple):
            residuals[at] = tuple([wrap(part, item_node(node, i, part)) for i, part in enumerate(y)])
        else:
            residuals[at] = wrap(y, node)
    return tuple(residuals)


def definition_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None, *, traced: bool = False) -> InputCotangents:
    """Run the definition of an op again, recorded, and go back through it.

    Inputs that nobody differentiates here stay linked to the graph when the pass itself is recorded. Inputs beyond
    those of the definition are nodes that it closes over; the pass stops there as well. ``g`` may be masked.
    """
    check(node)
    op, parents, own = node.op, node.parents, {}
    inputs = list(residuals[: len(parents) - op.closed_over(node)])
    for i, parent in enumerate(parents):
        if parent is None or not parent.needs:
            continue
        chosen = wanted is None or parent in wanted
        if i >= len(inputs):
            if chosen:
                own[parent] = i
        elif chosen:
            stand_in = identity_node(parent) if traced else TracedLeaf(None, parent.shape, parent.dtype)
            inputs[i] = wrap(inputs[i], stand_in)
            own[stand_in] = i
        elif traced:
            inputs[i] = wrap(inputs[i], parent)
    with enable_grad():
        y = op.definition(*inputs, **(node.kwargs or {}))
    outputs = y if isinstance(y, tuple) else (y,)
    parts = [g.parts.get(i) for i in range(len(outputs))] if isinstance(g, Cotangents) else [g]
    cotangents: dict[Node, Any] = {}
    for output, part in zip(outputs, parts, strict=True):
        root = output._node if isinstance(output, Box) else None
        if part is not None and root is not None and root.needs:
            cotangents[root] = cotangents[root] + part if root in cotangents else part
    inside = set[Node]().union(*[leading_to(root, set(own)) for root in cotangents])
    cotangents = {root: part for root, part in cotangents.items() if root in inside}
    if any(isinstance(part, Masked) for part in cotangents.values()):
        found = backward_pass(cotangents, lambda n, h: masked_vjp(n, h, inside, traced), own)
        return [(parents[i], found[at].fitted(parents[i], op, i)) for at, i in own.items() if at in found]
    run = differentiate_recorded if traced else differentiate
    found = run(cotangents, own, wanted=inside)
    return [(parents[i], fit(found[at], parents[i], op, i)) for at, i in own.items() if at in found]


# ------------------------------------------------------------------------------------------------------------- masking


def masked_vjp(node: Node, masked: Any, wanted: Any, traced: bool) -> InputCotangents:
    """Return the cotangent of each parent, set to zero where it influences nothing that is alive."""
    op: Op = node.op
    if not op.selects and op.__class__ is Op and masked.__class__ is Masked and masked._alive is None:  # mostly
        return _unmasked_vjp(node, masked.g, wanted, traced)
    if op in PLUMBING:
        return op.vjp(node, node.residuals, masked, wanted)
    if op.definition is not None and (op.selects or traced or any_dead(masked)):
        return definition_vjp(node, node.residuals, masked, wanted, traced=traced)
    if not op.selects and not any_dead(masked):
        return _unmasked_vjp(node, unmasked(masked), wanted, traced)
    check(node)
    needs = [p is not None and p.needs and (wanted is None or p in wanted) for p in node.parents]
    residuals = linked(node) if traced else node.residuals
    if op.elementwise and op.joint is None and masked.__class__ is Masked:
        return _elementwise(node, residuals, masked, needs)
    reached = cache(lambda: reach(node, masked, needs))
    places = iter([i for i, needed in enumerate(needs) if needed])
    if not any_dead(masked):  # all is alive that comes in: the rule leaves zeros where it chooses
        cotangents = op.vjp(node, residuals, unmasked(masked), wanted)
        return [
            (parent, Masked(cotangent, lambda i=i: reached()[i]))
            for (parent, cotangent), i in zip(cotangents, places, strict=True)
        ]
    alive = reached()
    if not op.selects:  # what selects by its values needs them as they are
        inputs = [_finite(x, each) for x, each in zip(residuals, alive, strict=False)]
        residuals = [*inputs, *residuals[len(alive) :]]
    cotangents = op.vjp(node, residuals, unmasked(masked), wanted)
    return [
        (parent, Masked(cotangent if alive[i] is None else select(alive[i], cotangent), alive[i]))
        for i, (parent, cotangent) in zip(places, cotangents, strict=True)
    ]


def _unmasked_vjp(node: Node, g: Any, wanted: Any, traced: bool) -> InputCotangents:
    """Return the cotangents where nothing is cut off."""
    cotangents = recorded_vjp(node, g, wanted) if traced else node.op.vjp(node, node.residuals, g, wanted)
    return [(parent, Masked(cotangent)) for parent, cotangent in cotangents]


def _elementwise(node: Node, residuals: Any, masked: Masked, needs: Sequence[bool]) -> InputCotangents:
    """Return the cotangents of an elementwise op, masked before the sum over broadcast axes."""
    op, pairs = node.op, []
    for i, parent in enumerate(node.parents):
        if not needs[i]:
            continue
        if i not in op.rules:
            missing_rule(op, i)
        alive = masked.alive
        cotangent = op.rules[i].function(masked.g, *arguments_of(op.rules[i], node, residuals, needs))
        if i in op.masks:
            chosen = op.masks[i].function(*arguments_of(op.masks[i], node, residuals, needs))
            chosen = np.broadcast_to(np.asarray(chosen, bool), node.shape)
            alive = chosen if alive is None else alive & chosen
        if alive is not None:
            cotangent = select(np.broadcast_to(alive, cotangent.shape), cotangent)
        pairs.append((parent, Masked(cotangent, alive).fitted(parent, op, i)))
    return pairs


def _finite(x: Any, alive: Any) -> Any:
    """Replace dead elements that are not finite by random numbers: their value does not matter."""
    array = plain(x)
    if alive is None or array is None:
        return x
    if array.dtype.kind not in "fc":
        return x
    dead = ~np.isfinite(array) & ~np.asarray(alive)
    if not dead.any():
        return x
    return select(~dead, x) + np.where(dead, random_like(array, np.random.default_rng(1)), 0).astype(array.dtype)
