"""The gradient of a graph: run the vjps, record them for higher orders, keep cut off what a mask cut off.

A mask (``where``, ``relu``, an index) takes some elements of its inputs and not others. The gradient of those others is
structurally zero, and stays so whatever stands behind the mask: 0 · inf is 0 there, and nan everywhere else. Rules know
nothing of it. The first-order pass runs the rules as they are; only if it meets a mask and ends in a nan it is taken up
again from that mask with a :class:`Masked` cotangent, and the elements that influence nothing alive are set to zero at
each node. A recorded pass masks from the first mask on, as a higher derivative may be infinite where this one is not.
Floor 7: used by ``backward`` and the transforms.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from autograd.backward import VJP, backward_pass
from autograd.box import SMALL, Box, wrap
from autograd.compiler import select
from autograd.gathering import memories
from autograd.graph import Node, TracedLeaf, ancestors, leading_to, versions
from autograd.modes import current, enable_grad, watched_by
from autograd.rules import Op, Shares
from autograd.vjp import (
    PLUMBING,
    Cotangents,
    arguments_of,
    check,
    fit,
    identity_node,
    item_node,
    missing_rule,
    unbroadcast,
)

GONE = object()  # stands among the keywords of a released node for a large array
_F64, _NDARRAY, _ARRAYS = np.float64, np.ndarray, (np.ndarray, np.generic)


def _visit(wanted: Any, release: bool, retained: dict[Node, Any] | None) -> VJP:
    """Make what runs the rules of a node on arrays: gradients of small values stay on it, for pictures."""

    def visit(node: Node, g: Any) -> Shares:
        if g.__class__ is _F64 or (isinstance(g, _ARRAYS) and g.size <= SMALL):
            node.cotangent = g
        if node.retain and retained is not None:
            retained[node] = g
        op = node.op
        shares: Shares = op.vjp(node, node.residuals, g, wanted)
        if release:
            node.released = True
            if node.shape or not op.elementwise:  # an elementwise op of numbers holds nothing large
                let_go(node)
        return shares

    return visit


def _visit_masked(wanted: Any, retained: dict[Node, Any] | None, traced: bool) -> VJP:
    """Make what runs the rules of a node where some elements are structurally zero."""

    def visit(node: Node, g: Any) -> Shares:
        if node.retain or not traced:
            plain = unmasked(g)
            if isinstance(plain, _ARRAYS) and plain.size <= SMALL:
                node.cotangent = plain
            if node.retain and retained is not None:
                retained[node] = plain
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
    found = backward_pass(cotangents, _visit(wanted, release, retained), targets, pause=True)
    if _is_done(found, targets):
        return found
    at_mask, visited, visit = dict(found), list[Node](), _visit(wanted, False, retained)

    def visit_and_note(node: Node, g: Any) -> Shares:
        visited.append(node)  # nothing is let go of before it is known that no nan came of the mask
        return visit(node, g)  # type: ignore[return-value]

    found = backward_pass(found, visit_and_note, targets)
    if _any_nan([*found.values(), *(retained or {}).values()]):
        masked = {node: as_masked(g) for node, g in at_mask.items()}
        masked = backward_pass(masked, _visit_masked(wanted, retained, traced=False), targets)
        found = {node: unmasked(g) for node, g in masked.items()}
    if release:
        for node in visited:
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

    def visit(node: Node, g: Any) -> Shares:
        if node.retain and retained is not None:
            retained[node] = g
        return recorded_vjp(node, g, wanted)

    with enable_grad():
        found = backward_pass(cotangents, visit, targets, pause=True)
        if not _is_done(found, targets):
            masked = {node: as_masked(g) for node, g in found.items()}
            masked = backward_pass(masked, _visit_masked(wanted, retained, traced=True), targets)
            found = {node: unmasked(g) for node, g in masked.items()}
    return found


def _watched(run: Any, cotangents: dict[Node, Any], targets: Any, release: bool, **kwargs: Any) -> dict[Node, Any]:
    """Run a pass, show what it found to the debugger, and only then let go: it says where a nan in there comes from."""
    watcher = current().watcher
    with watched_by(None):
        found: dict[Node, Any] = run(cotangents, targets, **kwargs)
    watcher.walked(cotangents, found)
    if release:
        for root in cotangents:
            for node in ancestors(root, lambda node: node.needs and not node.released):
                if node.op is not None:
                    let_go(node)
    return found


def _is_done(found: dict[Node, Any], targets: Collection[Node]) -> bool:
    return all(node.op is None or node in targets for node in found)


def _any_nan(found: list[Any]) -> bool:
    numbers = [g for g in found if g.__class__ is _F64]
    if numbers and not math.isfinite(sum(numbers)) and any(map(has_nan, numbers)):
        return True
    return len(numbers) < len(found) and any(map(has_nan, memories(found)))


def has_nan(g: Any) -> bool:
    """Tell whether a cotangent holds nan: by the sum of its squares, which BLAS takes a third of ``sum``'s time for."""
    if g.__class__ is _F64:
        return bool(g != g)
    if not isinstance(g, _NDARRAY) or g.dtype.char not in "fd":
        return isinstance(g, _ARRAYS) and bool(np.isnan(g).any())
    dense = g if g.flags.c_contiguous else g.T
    squares = np.vdot(dense, dense)
    return bool(squares != squares)


# ----------------------------------------------------------------------------------------------------------- releasing


def let_go(node: Node) -> None:
    """Let go of a node's large arrays; small ones stay, so that it can be drawn."""
    node.released = True
    several = node.shape.__class__ is list  # several outputs: a tuple of arrays
    node.residuals = tuple(
        [
            None if (x.__class__ is _NDARRAY and x.size > SMALL) or (several and not is_small(x)) else x
            for x in node.residuals
        ]
    )
    if node.kwargs:
        for value in node.kwargs.values():
            if value.__class__ is _NDARRAY or value.__class__ is tuple:
                node.kwargs = {key: value if is_small(value) else GONE for key, value in node.kwargs.items()}
                break


def is_small(x: Any) -> bool:
    """Tell whether something may stay on a released graph: no array of more than 64 elements, also inside tuples."""
    if isinstance(x, _NDARRAY):
        return bool(x.size <= SMALL)
    return not isinstance(x, tuple) or all(map(is_small, x))


# ----------------------------------------------------------------------------------------------------------- recording


def recorded_vjp(node: Node, g: Any, wanted: Any = None) -> Shares:
    """Return the cotangent of each parent as a Tensor that is part of the graph: the same rules, run on Tensors."""
    op = node.op
    if op.definition is not None:
        return definition_vjp(node, node.residuals, g, wanted, traced=True)
    return op.vjp(node, node.residuals if op.linear else linked(node), g, wanted)  # type: ignore[no-any-return]


def linked(node: Node) -> tuple[Any, ...]:
    """Return the residuals of ``node`` that a rule reads as Tensors, standing where they stood in the graph."""
    if node.released or versions.latest < node.order:
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


def definition_vjp(node: Node, residuals: Any, g: Any, wanted: Any = None, *, traced: bool = False) -> Shares:
    """Run the definition of an op again, recorded, and go back through it.

    Inputs that nobody differentiates here stay linked to the graph when the pass itself is recorded. Inputs beyond
    those of the definition are nodes that it closes over; the pass stops there as well. ``g`` may be masked.
    """
    if node.released or versions.latest < node.order:
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


class Masked:
    """Hold a cotangent and which of its elements are alive: None for all; the others are structurally zero.

    ``alive`` may be given as a function that tells when somebody asks.
    """

    __slots__ = ("_alive", "g")

    def __init__(self, g: Any, alive: Any = None) -> None:
        self.g = g
        self._alive = alive

    @property
    def alive(self) -> Any:
        """Return which elements are alive, or None for all."""
        alive = self._alive
        if alive is not None:
            alive = alive() if callable(alive) else alive
            self._alive = alive = None if alive is None or np.all(alive) else alive
        return alive

    def __add__(self, other: "Masked") -> "Masked":
        if self._alive is None or other._alive is None:
            return Masked(self.g + other.g)
        return Masked(self.g + other.g, lambda: _either(self.alive, other.alive))

    def fitted(self, parent: Node, op: Any, i: int) -> "Masked":
        """Return it in the shape and dtype of input ``i``; an element is alive there if it is anywhere on its way."""
        g = fit(self.g, parent, op, i)
        alive = self.alive
        if alive is not None and np.shape(alive) != parent.shape:
            alive = unbroadcast(np.asarray(alive, int), parent.shape) > 0
        return Masked(g, alive)


def _either(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a | b


def as_masked(g: Any) -> Any:
    """Return a cotangent as a masked one of which all is alive."""
    if isinstance(g, Cotangents):
        return Cotangents({i: as_masked(part) for i, part in g.parts.items()})
    return tuple(None if part is None else as_masked(part) for part in g) if isinstance(g, tuple) else Masked(g)


def unmasked(g: Any) -> Any:
    """Return the cotangent in a masked one."""
    return Cotangents({i: unmasked(part) for i, part in g.parts.items()}) if isinstance(g, Cotangents) else g.g


def masked_vjp(node: Node, masked: Any, wanted: Any, traced: bool) -> Shares:
    """Return the cotangent of each parent, set to zero where it influences nothing that is alive."""
    op, parents = node.op, node.parents
    if op.selects is None and op.__class__ is Op and masked.__class__ is Masked and masked._alive is None:  # mostly
        g = masked.g
        shares = recorded_vjp(node, g, wanted) if traced else op.vjp(node, node.residuals, g, wanted)
        return [(parent, Masked(share)) for parent, share in shares]
    if op in PLUMBING:
        return op.vjp(node, node.residuals, masked, wanted)  # type: ignore[no-any-return]
    if op.definition is not None and (op.selects is not None or traced or _any_dead(masked)):
        return definition_vjp(node, node.residuals, masked, wanted, traced=traced)
    if op.selects is None and not _any_dead(masked):
        g = unmasked(masked)
        shares = recorded_vjp(node, g, wanted) if traced else op.vjp(node, node.residuals, g, wanted)
        return [(parent, Masked(share)) for parent, share in shares]
    if node.released or versions.latest < node.order:
        check(node)
    needs = [p is not None and p.needs and (wanted is None or p in wanted) for p in parents]
    residuals = linked(node) if traced else node.residuals
    if op.elementwise and op.joint is None:
        return _elementwise(node, residuals, masked, needs)
    reach = cache(lambda: _reach(node, masked))
    places = iter([i for i, needed in enumerate(needs) if needed])
    if not _any_dead(masked):  # all is alive that comes in: the rule leaves zeros where it chooses
        shares = op.vjp(node, residuals, unmasked(masked), wanted)
        return [
            (parent, Masked(share, lambda i=i: reach()[i])) for (parent, share), i in zip(shares, places, strict=True)
        ]
    alive = reach()
    if op.selects is None:  # what selects by its values needs them as they are
        inputs = [_finite(x, each, traced) for x, each in zip(residuals, alive, strict=False)]
        residuals = [*inputs, *residuals[len(alive) :]]
    shares = op.vjp(node, residuals, unmasked(masked), wanted)
    pairs: Shares = []
    for (parent, share), i in zip(shares, places, strict=True):
        pairs.append((parent, Masked(share if alive[i] is None else select(alive[i], share), alive[i])))
    return pairs


def _any_dead(masked: Any) -> bool:
    if isinstance(masked, Cotangents):
        return any(part.alive is not None for part in masked.parts.values())
    return masked.alive is not None


def _elementwise(node: Node, residuals: Any, masked: Masked, needs: Sequence[bool]) -> Shares:
    """Mask before the sum over broadcast axes: an element of the output is alive, or it is not."""
    op, pairs = node.op, []
    for i, parent in enumerate(node.parents):
        if not needs[i]:
            continue
        if i not in op.rules:
            missing_rule(op, i)
        alive = masked.alive
        share = op.rules[i].function(masked.g, *arguments_of(op.rules[i], node, residuals, needs, (True,)))
        if op.selects is not None and i in op.selects:
            chosen = op.selects[i].function(*arguments_of(op.selects[i], node, residuals, needs, (True,)))
            chosen = np.broadcast_to(np.asarray(chosen, bool), node.shape)
            alive = chosen if alive is None else alive & chosen
        if alive is not None:
            share = select(np.broadcast_to(alive, share.shape), share)
        pairs.append((parent, Masked(share, alive).fitted(parent, op, i)))
    return pairs


def _reach(node: Node, masked: Any) -> list[Any]:
    """Tell for each input which elements influence an output that is alive: by what its rules make of random probes.

    An element is alive if any probe finds it: with the values that are there, with random ones, so that no derivative
    is zero by chance, and with values drawn from those that are there, as a rule may refuse others. An op that selects
    by its values is probed with these alone. Where no probe succeeds, all is taken to be alive.
    """
    op, rng = node.op, np.random.default_rng(0)
    seed, arrived = _probe_of(node, masked, rng)
    found: list[Any] = []
    for residuals in _probed_residuals(node, rng):
        try:
            shares = _shares_of_all(node, residuals, seed, arrived)
        except Exception:  # a rule may refuse what it is probed with
            continue
        alive: list[Any] = [None] * len(node.parents)
        for i, share in shares:
            alive[i] = np.asarray(share) != 0
            if op.selects is None:  # 0 · inf tells nothing
                alive[i] &= ~np.isnan(share)
        found.append(alive)
    each = [[alive[i] for alive in found] for i in range(len(node.parents))]
    return [None if not masks or masks[0] is None or np.all(m := np.any(masks, 0)) else m for masks in each]


def _probe_of(node: Node, masked: Any, rng: Any) -> tuple[Any, tuple[bool, ...]]:
    """Make a random cotangent that is 0 where the given one is dead."""

    def probe(shape: Any, dtype: Any, part: Any) -> Any:
        g = rng.uniform(1, 2, shape).astype(dtype)
        return np.zeros(shape, dtype) if part is None else g if part.alive is None else g * part.alive

    if not isinstance(masked, Cotangents):
        return probe(node.shape, node.dtype, masked)[()], (True,)
    shapes = zip(node.shape, node.dtype, strict=True)
    parts = tuple(probe(shape, dtype, masked.parts.get(k)) for k, (shape, dtype) in enumerate(shapes))
    return parts, masked.arrived(node)


def _probed_residuals(node: Node, rng: Any) -> Iterator[Sequence[Any]]:
    """Yield residuals to probe with; a value that no rule of the pass reads was not kept, and is a random one."""

    def random(a: Any) -> Any:
        return rng.uniform(1, 2, np.shape(a)).astype(a.dtype)

    def drawn(a: Any) -> Any:
        usable = np.ravel(a)[np.isfinite(np.ravel(a)) & (np.ravel(a) != 0)]
        return rng.choice(usable, np.shape(a)).astype(a.dtype) if usable.size else random(a)

    kept = list(node.residuals)
    for i, parent in enumerate(node.parents):
        if kept[i] is None and parent is not None and parent.dtype.kind in "fc":
            kept[i] = rng.uniform(1, 2, parent.shape).astype(parent.dtype)
    if node.op.selects is not None:
        yield kept
        return
    yield [_finite(x, False, False, rng) for x in kept]
    if not node.op.linear:
        yield [_map(x, random) for x in kept]
        yield [_map(x, drawn) for x in kept]


def _shares_of_all(node: Node, residuals: Any, g: Any, arrived: Any) -> list[tuple[int, Any]]:
    """Run all rules, also those of constants, on arrays."""
    op, parents = node.op, node.parents
    needs = [parent is not None and parent.dtype.kind in "fc" for parent in parents]
    if op.joint is not None:
        shares = op.joint.function(g, *arguments_of(op.joint, node, residuals, needs, arrived))
        return [(i, share) for i, share in enumerate(shares) if needs[i] and share is not None]
    return [
        (i, rule.function(g, *arguments_of(rule, node, residuals, needs, arrived)))
        for i, rule in op.rules.items()
        if needs[i]
    ]


def _map(x: Any, change: Callable[[Any], Any]) -> Any:
    """Change a floating-point array, or each in a tuple."""
    if isinstance(x, tuple):
        return tuple([_map(part, change) for part in x])
    return change(x) if isinstance(x, _ARRAYS) and x.dtype.kind in "fc" else x


def _finite(x: Any, alive: Any, traced: bool, rng: Any = None) -> Any:
    """Replace what is not finite and influences nothing alive by a number: what it is does not matter."""
    array = x._array if isinstance(x, Box) else x
    if alive is None or array is None:
        return x
    if isinstance(array, tuple):
        return tuple([_finite(part, alive, traced, rng) for part in x])
    if array.dtype.kind not in "fc":
        return x
    dead = ~np.isfinite(array) & ~np.asarray(alive)
    if not dead.any():
        return x
    filler = np.where(dead, (rng or np.random.default_rng(1)).uniform(1, 2, array.shape), 0.0).astype(array.dtype)
    return select(~dead, x) + filler
