"""Check gradients against finite differences, in one random direction, to any order.

The check of order n is the check of order 1 of the function (x, u) -> uᵀ · J(x), of order n - 1: so a rule that gives
the right numbers but is detached from its inputs *or from its upstream gradient* is caught at order 2.

Floor 15: public as ``autograd.check_grads``.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.box import Box, unbox, wrap
from autograd.differentiate import GONE
from autograd.errors import ArgumentError, GradientError, GraphError
from autograd.finite_differences import Case, Tolerances, check_derivatives, is_float, locked
from autograd.graph import Node, site_of
from autograd.tree import flatten
from autograd.viz.fitting import prepare
from autograd.viz.local import made_by
from autograd.viz.nonfinite import Values
from autograd.viz.picture import Picture
from autograd.viz.snapshot import Snapshot
from autograd.vjp import PLUMBING

_FINE = 1e-6  # a step that seldom reaches over a kink
_PARTS = 64  # so many parts of the elements are moved one after the other


def check_grads(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    rng: Any = 0,
    eps: float | None = None,
    rtol: float | None = None,
    atol: float | None = None,
) -> None:
    """Raise GradientError unless the gradients of ``f`` at ``args`` agree with finite differences, up to ``order``.

    Floating-point and complex arrays, numbers and Tensors among the arguments (also nested) are varied; integers,
    strings and others are constants. For each argument i the derivative along a random direction v is compared:
    vᵀ · vjp(u) against the change of uᵀ · f; of complex numbers both parts vary. The tolerance is ``rtol`` of the
    gradient, and ``atol`` for gradients that vanish (1e-7, less where the values of ``f`` are below 1).

    A rule that gives another gradient when it runs again or for one argument alone, or that writes into arrays it was
    given, is an error too.

    Given a Tensor in place of ``f``, every op of its graph is checked where it stands, oldest first, by its first
    derivative: the error names the first op whose local derivative is wrong, ``error.at`` is its number in pictures,
    and ``error.picture`` the picture in which it is marked. An op whose inputs nobody holds any more is passed over.

    >>> import numpy as np
    >>> check_grads(lambda x, y: np.sin(x) * y, 0.3, np.array([1.0, 2.0]))
    """
    if order < 1:
        raise ArgumentError(f"check_grads: order must be at least 1, got {order}.")
    if isinstance(f, Box):
        _check_graph(f, args, rng, Tolerances(eps, rtol, atol))
        return
    values, rebuild = flatten(unbox(args))
    places = [i for i, x in enumerate(values) if is_float(x)]
    if not places:
        raise ArgumentError("check_grads: no floating-point argument to vary.")

    name = getattr(f, "__name__", type(f).__name__)

    def g(*varied: Any) -> tuple[Any, ...]:
        filled = list(values)
        for i, x in zip(places, varied, strict=True):
            filled[i] = locked(x)
        return tuple([locked(y) for y in flatten(f(*rebuild(filled)))[0]])

    points = [np.array(values[i]) for i in places]
    labels = [f"argument {k}" for k in range(len(places))]
    try:
        check_derivatives(Case(g, name, points, labels), order, np.random.default_rng(rng), Tolerances(eps, rtol, atol))
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        where = "; ".join(getattr(error, "__notes__", ["in the function"]))
        raise GradientError(
            f"check_grads: {name}: something was written into an array that others hold ({where}). Compute a new array."
        ) from error


def _check_graph(root: Box, args: tuple[Any, ...], rng: Any, given: Tolerances) -> None:
    """Check every op of a graph at the values that it was given, in double precision, oldest first."""
    if args:
        raise ArgumentError(
            f"check_grads: a Tensor takes no arguments, got {len(args)}. Pass a function, or the Tensor."
        )
    snap = Snapshot([root])
    values = Values(snap)
    for i, node in enumerate(snap.nodes):
        apply = getattr(node.op, "apply", None) if node.op not in PLUMBING else None
        if apply is None:
            continue
        parents = snap.parents(node)
        inputs = [node.residuals[k] if p is None else _given(p, values[snap.at[p]]) for k, p in enumerate(parents)]
        if any(x is None for x in inputs) or any(value is GONE for value in (node.kwargs or {}).values()):
            if not node.released:
                continue  # nobody holds what it was given
            raise GraphError(
                f"check_grads: backward let go of what {made_by(snap, i)} was given. Check before backward(), or call "
                "it with retain_graph=True."
            )
        places = [k for k, p in enumerate(parents) if p is not None and p.needs]
        try:
            _check_op(node, apply, inputs, places, rng, given)
        except GradientError as error:
            raise _wrong(snap, i, str(error)) from None


def _given(parent: Node, value: Any) -> Any:
    """Return the value of an input; of an array that the graph does not keep, from its Tensor, if that still exists."""
    holder = getattr(parent, "holder", None)
    found = holder() if value is None and holder is not None else value
    return found if isinstance(found, np.ndarray | np.generic) else None


def _check_op(node: Node, apply: Any, inputs: list[Any], places: list[int], rng: Any, given: Tolerances) -> None:
    """Check one op by the inputs that want a gradient.

    A rule that is wrong is so for every step and beside the point as well; at a kink one of these tries agrees. Where
    many elements are near one (a pool behind a relu) some are always met, so the elements are moved a part at a time.
    """
    for beside, eps in ((0.0, given.eps), (0.0, _FINE), (1e-2, given.eps), (1e-2, _FINE)):
        filled = _beside(inputs, places, beside, np.random.default_rng(rng))

        def local(*varied: Any, filled: list[Any] = filled) -> Any:
            for k, x in zip(places, varied, strict=True):
                filled[k] = x
            return apply(*filled, **(node.kwargs or {}))

        local.__name__ = node.op.name
        try:
            check_grads(local, *[filled[k] for k in places], order=1, rng=rng, **given._replace(eps=eps)._asdict())
        except GradientError as error:
            last = error
        else:
            return
    draw, fine = np.random.default_rng(rng), given._replace(eps=_FINE)
    parts = [(k, part) for k in places for part in range(min(_PARTS, np.size(inputs[k])))]
    if not all(_agrees_in_part(node, apply, inputs, places, k, part, draw, fine) for k, part in parts):
        raise last


def _beside(inputs: list[Any], places: list[int], far: float, draw: np.random.Generator) -> list[Any]:
    """Return the inputs in double precision, those under check moved a little at random."""
    moved = list(inputs)
    for k in places:
        x = np.asarray(inputs[k], np.result_type(inputs[k], np.float64))
        moved[k] = x + far * draw.uniform(0.5, 1.5, x.shape) * draw.choice([-1, 1], x.shape)
    return moved


def _agrees_in_part(
    node: Node,
    apply: Any,
    inputs: list[Any],
    places: list[int],
    k: int,
    part: int,
    draw: np.random.Generator,
    given: Tolerances,
) -> bool:
    """Check an op by some elements of one input: at one of several nearby points it must agree."""
    for far in (0.0, *[1e-2] * 6):
        moved = _beside(inputs, places, far, draw)
        whole = np.asarray(moved[k])
        mine = np.arange(whole.size).reshape(whole.shape) % _PARTS == part
        index = np.where(mine, np.arange(whole.size).reshape(whole.shape) // _PARTS, 0)

        def local(some: Any, moved: list[Any] = moved, whole: Any = whole, mine: Any = mine, index: Any = index) -> Any:
            filled = [*moved[:k], np.where(mine, some[index], whole), *moved[k + 1 :]]
            return apply(*filled, **(node.kwargs or {}))

        local.__name__ = node.op.name
        try:
            check_grads(local, whole[mine], order=1, rng=draw, **given._asdict())
        except GradientError:
            continue
        return True
    return False


def _wrong(snap: Snapshot, i: int, said: str) -> GradientError:
    """Return the error for an op of a graph, with the picture in which it is marked."""
    node = snap.nodes[i]
    where = f" in {node.scope.path}" if node.scope is not None else ""
    line = f" ({site_of(node)})" if site_of(node) else ""
    error = GradientError(
        f"check_grads: the first op whose local derivative is wrong is {made_by(snap, i)}{where}{line}: "
        f"{said.removeprefix('check_grads: ')}"
    )
    builder, view = prepare([wrap(None, root) for root in snap.roots])
    for item in view.items:
        if item.id == builder.place(i):
            item.alarm = "wrong derivative"
    error.at, error.picture = f"v{i}", Picture(view)
    return error
