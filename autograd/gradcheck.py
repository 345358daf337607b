"""Check gradients against finite differences, in one random direction, to any order.

The check of order n is the check of order 1 of the function (x, u) -> uᵀ · J(x), of order n - 1: so a rule that gives
the right numbers but is detached from its inputs *or from its upstream gradient* is caught at order 2.

Floor 14: public as ``autograd.check_grads``.
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.box import Box, unbox, wrap
from autograd.differentiate import GONE
from autograd.errors import ArgumentError, GradientError, GraphError
from autograd.graph import Node, site_of
from autograd.tensor import Tensor
from autograd.transforms import vjp
from autograd.tree import flatten
from autograd.viz.fitting import prepare
from autograd.viz.local import made_by
from autograd.viz.nonfinite import Values
from autograd.viz.picture import Picture
from autograd.viz.snapshot import Snapshot
from autograd.vjp import PLUMBING

# Fourth-order differences: the error is about eps⁴ · f⁽⁵⁾ + 1e-16 · |f| / eps, so 1e-11 in float64.
_STEP = {8: 2e-3, 4: 3e-2, 2: 2e-1, 16: 2e-3}
_RTOL = {8: 2e-5, 4: 2e-2, 2: 2e-1, 16: 2e-5}
_TRIES = 8
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
        _check_graph(f, args, rng, _Tolerances(eps, rtol, atol))
        return
    values, rebuild = flatten(unbox(args))
    places = [i for i, x in enumerate(values) if _is_float(x)]
    if not places:
        raise ArgumentError("check_grads: no floating-point argument to vary.")

    name = getattr(f, "__name__", type(f).__name__)

    def g(*varied: Any) -> tuple[Any, ...]:
        filled = list(values)
        for i, x in zip(places, varied, strict=True):
            filled[i] = _locked(x)
        return tuple([_locked(y) for y in flatten(f(*rebuild(filled)))[0]])

    points = [np.array(values[i]) for i in places]
    labels = [f"argument {k}" for k in range(len(places))]
    try:
        _check(_Case(g, name, points, labels), order, np.random.default_rng(rng), _Tolerances(eps, rtol, atol))
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        where = "; ".join(getattr(error, "__notes__", ["in the function"]))
        raise GradientError(
            f"check_grads: {name}: something was written into an array that others hold ({where}). Compute a new array."
        ) from error


def _check_graph(root: Box, args: tuple[Any, ...], rng: Any, given: _Tolerances) -> None:
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
    """Return the value of an input; of an array that the graph does not keep, what it holds while somebody has it."""
    holder = getattr(parent, "holder", None)
    found = holder() if value is None and holder is not None else value
    return found if isinstance(found, np.ndarray | np.generic) else None


def _check_op(node: Node, apply: Any, inputs: list[Any], places: list[int], rng: Any, given: _Tolerances) -> None:
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
    """Move what is checked a little, in double precision."""
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
    given: _Tolerances,
) -> bool:
    """Check an op by some elements of one input; one of several points beside that of the graph must agree."""
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
    """Make the error for an op of a graph, with the picture in which it is marked."""
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


def _locked(x: Any) -> Any:
    """Make it an error to write into an array from here on."""
    if isinstance(x, Box) and isinstance(x._array, np.ndarray):
        x._array.flags.writeable = False
    return x


def _is_float(x: Any) -> bool:
    return isinstance(x, float | complex) or (isinstance(x, np.ndarray | np.generic) and x.dtype.kind in "fc")


def _random(like: Any, rng: np.random.Generator) -> Any:
    """Draw numbers of size 0.5 to 1.5 and random sign; complex ones, in both parts, where ``like`` is complex."""
    like = np.asarray(unbox(like))
    parts = [
        rng.uniform(0.5, 1.5, like.shape) * rng.choice([-1, 1], like.shape) for _ in range(1 + (like.dtype.kind == "c"))
    ]
    return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]


def _wide(x: Any) -> Any:
    """Return an array in double precision at least."""
    x = np.asarray(x)
    return x.astype(np.promote_types(x.dtype, np.float64), copy=False)


def _real_product(u: Any, y: Any) -> Any:
    """Multiply element by element so that the sum is the scalar product of the real and imaginary parts."""
    return (np.conjugate(u) * y).real


def _accuracy(x: Any) -> int:
    """Return the bytes of one real number."""
    dtype = np.asarray(unbox(x)).dtype
    return dtype.itemsize // (1 + (dtype.kind == "c"))


class _Tolerances(NamedTuple):
    """Hold step and tolerances of the finite differences; None: what fits the dtype and the values."""

    eps: float | None
    rtol: float | None
    atol: float | None


class _Case(NamedTuple):
    """Hold a function of arrays that gives a tuple, and the point at which its derivatives are checked."""

    f: Callable[..., tuple[Any, ...]]
    name: str
    points: list[Any]
    labels: list[str]
    depth: int = 1  # the order of the derivative of the user's function that this case checks


class _Upstream(NamedTuple):
    """Hold an upstream gradient for each output: a random one, and zeros for integers."""

    seeds: tuple[Any, ...]
    varied: list[int]  # which are random

    def filled(self, given: Sequence[Any]) -> tuple[Any, ...]:
        """Return the seeds with others in place of the random ones."""
        seeds = list(self.seeds)
        for u, k in zip(given, self.varied, strict=True):
            seeds[k] = u
        return tuple(seeds)


def _check(case: _Case, order: int, rng: np.random.Generator, given: _Tolerances) -> None:
    """Check the first derivative of a case, and, for a higher order, the case of its gradient."""
    outputs, pullback = vjp(case.f, *case.points)
    upstream = _drawn(outputs, rng)
    gradients = _tuple(pullback(upstream.seeds))
    if case.depth == 1:
        _same(gradients, pullback(upstream.seeds), f"{case.name}: the gradient a second time")
        _other_ways(case, upstream, gradients)
    tolerances = _chosen(given, case, outputs, upstream)

    def weighed(*varied: Any) -> float:
        ys = case.f(*varied)
        return sum(float(np.sum(_real_product(upstream.seeds[k], _wide(unbox(ys[k]))))) for k in upstream.varied)

    for i, gradient in enumerate(gradients):
        where = f"{case.name}, {case.labels[i]}, order {case.depth}"
        _compare(weighed, case.points, i, _wide(unbox(gradient)), where, rng, *tolerances)
    if order > 1:
        _check(_gradient_of(case, outputs, upstream), order - 1, rng, given)


def _drawn(outputs: Sequence[Any], rng: np.random.Generator) -> _Upstream:
    """Draw the upstream gradients; nobody may write into them."""
    varied = [k for k, y in enumerate(outputs) if _is_float(np.asarray(unbox(y)))]
    upstream = _Upstream(tuple([np.zeros(np.shape(unbox(y))) for y in outputs]), varied)
    drawn = [_random(outputs[k], rng) for k in varied]
    for u in drawn:
        np.asarray(u).setflags(write=False)
    return upstream._replace(seeds=upstream.filled(drawn))


def _chosen(given: _Tolerances, case: _Case, outputs: Sequence[Any], upstream: _Upstream) -> tuple[float, float, float]:
    """Return step, relative and absolute tolerance."""
    size = min(_accuracy(x) for x in (*case.points, *[outputs[k] for k in upstream.varied]))
    atol = given.atol
    if atol is None:
        total = sum(float(np.sum(np.abs(unbox(outputs[k]) * upstream.seeds[k]))) for k in upstream.varied)
        atol = 1e-7 * min(1.0, total or 1.0)
    return given.eps or _STEP[size], given.rtol or _RTOL[size], atol


def _gradient_of(case: _Case, outputs: Sequence[Any], upstream: _Upstream) -> _Case:
    """Return the case of (x, u) -> uᵀ · J(x)."""
    count = len(case.points)

    def gradient(*varied: Any) -> tuple[Any, ...]:
        return _tuple(vjp(case.f, *varied[:count])[1](upstream.filled(varied[count:])))

    dtypes = [np.asarray(unbox(outputs[k])).dtype for k in upstream.varied]
    points = [np.asarray(upstream.seeds[k], dtype) for k, dtype in zip(upstream.varied, dtypes, strict=True)]
    labels = [f"upstream gradient {k}" for k in range(len(points))]
    return _Case(gradient, f"gradient of {case.name}", [*case.points, *points], [*case.labels, *labels], case.depth + 1)


def _other_ways(case: _Case, upstream: _Upstream, gradients: Sequence[Any]) -> None:
    """Compare with the gradient for each argument alone, and with that of float64 where the points are not."""
    points, seeds = case.points, upstream.seeds
    others = [Tensor(x) for x in points]
    for i in range(len(points) if len(points) > 1 else 0):
        alone = vjp(lambda x, i=i: case.f(*others[:i], x, *others[i + 1 :]), points[i])[1](seeds)
        _same(gradients[i : i + 1], alone, f"{case.name}: the gradient for {case.labels[i]} alone")
    if any(_accuracy(x) < 8 for x in points):
        wide = vjp(case.f, *[_wide(x) for x in points])[1](seeds)
        _same(gradients, wide, f"{case.name}: the gradient in float64")


def _tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else (x,)


def _same(gradients: Sequence[Any], others: Any, what: str) -> None:
    """Compare gradients that must be equal, but for rounding."""
    for a, b in zip(map(unbox, gradients), map(unbox, _tuple(others)), strict=True):
        rounding = 2e4 * np.finfo(a.dtype).eps * np.max(np.abs(a), initial=0.0)
        if not np.allclose(a, b, rtol=0, atol=rounding, equal_nan=True):
            raise GradientError(
                f"check_grads: {what} is another: {np.ravel(b)[:3]} instead of {np.ravel(a)[:3]}. A rule changes what "
                "it was given, or uses what is not kept or of another dtype."
            )


def _compare(
    f: Callable[..., float],
    points: list[Any],
    i: int,
    gradient: Any,
    where: str,
    rng: np.random.Generator,
    step: float,
    rtol: float,
    atol: float,
) -> None:
    """Compare one directional derivative; a direction in which the terms cancel says little, so another is drawn."""
    point = points[i]
    if not gradient.size:
        return
    for _ in range(_TRIES):
        v = _random(point, rng)
        terms = _real_product(gradient, v)
        analytic, scale = float(np.sum(terms)), float(np.sqrt(np.sum(terms**2)))
        if abs(analytic) > 0.1 * scale:
            break

    def at(t: float) -> float:
        moved = list(points)
        moved[i] = np.asarray(point + t * v, dtype=point.dtype)
        return f(*moved)

    numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step)
    if abs(analytic - numeric) <= rtol * max(scale, abs(numeric)) + atol:
        return
    found = f"analytic {analytic:.10g}, numeric {numeric:.10g}.{_hint(at, step, atol)}"
    raise GradientError(f"check_grads: {where}, shape {np.shape(point)}: {found}")


def _hint(at: Callable[[float], float], step: float, atol: float) -> str:
    """Say so when the function is not smooth here: the slopes differ on both sides, or grow as the step shrinks."""
    right, left = (at(step) - at(0)) / step, (at(0) - at(-step)) / step
    if abs(right - left) > 0.05 * (abs(right) + abs(left)) + 100 * atol:
        return f" The one-sided slopes differ ({left:.6g} and {right:.6g}): the point may sit on a kink or a jump."
    far, near = (right + left) / 2, (at(step / 4) - at(-step / 4)) / (step / 2)
    if abs(near) > 2 * abs(far) + 100 * atol:
        return (
            f" The slope grows from {far:.6g} to {near:.6g} as the step shrinks: the point may sit on a kink or a jump."
        )
    return ""
