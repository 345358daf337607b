"""Which elements of a cotangent are structurally zero, and which elements of an op's inputs influence the others.

A :class:`Masked` cotangent is what a pass hands on behind a mask; how a node takes it stands in
:mod:`autograd.differentiate`. Floor 5: used by that and by the views of a backward pass.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd.box import ARRAYS
from autograd.graph import Node
from autograd.vjp import Cotangents, arguments_of, fit, unbroadcast


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
        """Return it in the shape and dtype of input ``i``: an element is alive if any that was summed into it is."""
        g = fit(self.g, parent, op, i)
        alive = self.alive
        if alive is not None and np.shape(alive) != parent.shape:
            alive = unbroadcast(np.asarray(alive, int), parent.shape) > 0
        return Masked(g, alive)


def _either(a: Any, b: Any) -> Any:
    return None if a is None or b is None else a | b


def as_masked(g: Any) -> Any:
    """Return a cotangent as a masked one with all elements alive."""
    if isinstance(g, Cotangents):
        return Cotangents({i: as_masked(part) for i, part in g.parts.items()})
    return tuple(None if part is None else as_masked(part) for part in g) if isinstance(g, tuple) else Masked(g)


def unmasked(g: Any) -> Any:
    """Return the cotangent in a masked one."""
    if isinstance(g, tuple):
        return tuple([None if part is None else unmasked(part) for part in g])
    if not isinstance(g, Cotangents):
        return g.g
    masks = {i: part.alive for i, part in g.parts.items()}
    return Cotangents({i: unmasked(part) for i, part in g.parts.items()}, masks)


def any_dead(masked: Any) -> bool:
    """Tell whether some elements of a masked cotangent are structurally zero."""
    if isinstance(masked, Cotangents):
        return any(part.alive is not None for part in masked.parts.values())
    return masked.alive is not None


# --------------------------------------------------------------------------------------------------------------- reach


def reach(node: Node, masked: Any, needs: Sequence[bool]) -> list[Any]:
    """Tell for each input which elements influence an output that is alive: by what its rules make of random probes.

    An element is alive if any probe finds it: with the values that are there, with random ones, so that no derivative
    is zero by chance, and with values drawn from those that are there, as a rule may refuse others. An op that selects
    by its values is probed with these alone. Where no probe succeeds, all is taken to be alive. The rules of constants
    are probed only where something is not finite: what is dead of it must be found then.
    """
    op, rng = node.op, np.random.default_rng(0)
    if not all(map(_all_finite, node.residuals)):
        needs = [parent is not None and parent.dtype.kind in "fc" for parent in node.parents]
    seed, facts = _probe_of(node, masked, rng)
    found: list[Any] = []
    for residuals in _probed_residuals(node, rng):
        try:
            cotangents = _run_rules(node, residuals, seed, needs, facts)
        except Exception:  # a rule may refuse what it is probed with
            continue
        alive: list[Any] = [None] * len(node.parents)
        for i, cotangent in cotangents:
            alive[i] = np.asarray(cotangent) != 0
            if not op.selects:  # 0 · inf tells nothing
                alive[i] &= ~np.isnan(cotangent)
        found.append(alive)
    each = [[alive[i] for alive in found] for i in range(len(node.parents))]
    return [None if not masks or masks[0] is None or np.all(m := np.any(masks, 0)) else m for masks in each]


def _probe_of(node: Node, masked: Any, rng: Any) -> tuple[Any, dict[str, Any]]:
    """Make a random cotangent that is 0 where the given one is dead, and say what a rule may ask of it."""

    def probe(shape: Any, dtype: Any, part: Any) -> Any:
        g = rng.uniform(1, 2, shape).astype(dtype)
        return np.zeros(shape, dtype) if part is None else g if part.alive is None else g * part.alive

    if not isinstance(masked, Cotangents):
        return probe(node.shape, node.dtype, masked)[()], {"arrived": (True,), "alive": (None,)}
    shapes = zip(node.shape, node.dtype, strict=True)
    parts = tuple(probe(shape, dtype, masked.parts.get(k)) for k, (shape, dtype) in enumerate(shapes))
    return parts, {"arrived": masked.arrived(node), "alive": unmasked(masked).alive(node)}


def _probed_residuals(node: Node, rng: Any) -> Iterator[Sequence[Any]]:
    """Yield residuals to probe with; a value that no rule of the pass reads was not kept, and is a random one."""

    def finite(a: Any) -> Any:
        found = np.isfinite(a)
        return a if found.all() else np.where(found, a, random_like(a, rng))[()]

    def random(a: Any) -> Any:
        return random_like(a, rng)

    def drawn(a: Any) -> Any:
        usable = np.ravel(a)[np.isfinite(np.ravel(a)) & (np.ravel(a) != 0)]
        return rng.choice(usable, np.shape(a)).astype(a.dtype) if usable.size else random(a)

    kept = list(node.residuals)
    for i, parent in enumerate(node.parents):
        if kept[i] is None and parent is not None and parent.dtype.kind in "fc":
            kept[i] = random_like(parent, rng)
    if node.op.selects:
        yield kept
        return
    yield [_map(x, finite) for x in kept]
    if not node.op.reads_nothing:
        yield [_map(x, random) for x in kept]
        yield [_map(x, drawn) for x in kept]


def _all_finite(x: Any) -> bool:
    if isinstance(x, tuple):
        return all(map(_all_finite, x))
    return not isinstance(x, ARRAYS) or x.dtype.kind not in "fc" or bool(np.isfinite(x).all())


def _run_rules(
    node: Node, residuals: Any, g: Any, needs: Sequence[bool], facts: dict[str, Any]
) -> list[tuple[int, Any]]:
    """Run the rules of the inputs in ``needs`` on arrays."""
    op = node.op
    if op.joint is not None:
        cotangents = op.joint.function(g, *arguments_of(op.joint, node, residuals, needs, **facts))
        return [(i, cotangent) for i, cotangent in enumerate(cotangents) if needs[i] and cotangent is not None]
    return [
        (i, rule.function(g, *arguments_of(rule, node, residuals, needs, **facts)))
        for i, rule in op.rules.items()
        if needs[i]
    ]


def _map(x: Any, change: Callable[[Any], Any]) -> Any:
    """Change a floating-point array, or each in a tuple."""
    if isinstance(x, tuple):
        return tuple([_map(part, change) for part in x])
    return change(x) if isinstance(x, ARRAYS) and x.dtype.kind in "fc" else x


def random_like(like: Any, rng: Any) -> Any:
    """Draw numbers of 1 to 2 in the shape and dtype of ``like``."""
    return rng.uniform(1, 2, like.shape).astype(like.dtype)
