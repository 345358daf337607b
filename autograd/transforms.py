"""Functions of functions: gradients, products with Jacobians and Hessians, to any order.

Each takes a function of arrays (or nested tuples, lists and dicts of them) and gives a function of the same. Results
are arrays, unless something outside records: then they are Tensors, and can be differentiated again. Every call makes
nodes of its own, so nested derivatives with respect to different variables cannot be confused.

Floor 13: public.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.accumulate import add_up
from autograd.box import Box, needs_grad, plain, wrap
from autograd.differentiate import differentiate, differentiate_recorded
from autograd.errors import ArgumentError, DTypeError, GraphError, ShapeError
from autograd.forward import GraphNeeded, ask_for_graph
from autograd.graph import Node, ancestors, leading_to
from autograd.hints import told
from autograd.modes import current
from autograd.tensor import Tensor
from autograd.trace import Function, Trace, Transformed, check_function, places_of, seed_of
from autograd.tree import flatten, values_like
from autograd.vjp import bundle_node


@told
def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Return a function that returns ``(f(x), ∇f(x))`` for a scalar-valued ``f``.

    ``argnums`` (int or tuple) chooses the arguments; the gradient has the form of the argument, or is a tuple of such.
    None, words and truth values in a tree have the gradient None. With ``has_aux`` the function returns ``(value,
    aux)``, and the result is ``((value, aux), gradient)``. The gradient has the shape of x, or its form where x is a
    tree. Raises ShapeError where f does not give one number, DTypeError for integers.

    >>> value_and_grad(lambda x: x**2)(3.0)
    (np.float64(9.0), np.float64(6.0))
    """
    return Transformed(_both(f, argnums, has_aux, "value_and_grad"), value_and_grad, f, argnums, has_aux)


def _both(f: Function, argnums: int | Sequence[int], has_aux: bool, who: str) -> Function:
    """Return what ``value_and_grad`` returns, and calls itself ``who`` in errors."""
    check_function(who, f)
    numbers, single = places_of(argnums)

    def both(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, numbers, kwargs, who, has_aux)
        if len(trace.outputs) != 1 or np.size(plain(trace.outputs[0])) != 1:
            shapes = [np.shape(plain(y)) for y in trace.outputs]
            raise ShapeError(
                f"{who}: the function must return one scalar, got {shapes}. Use jacobian, or reduce with .sum()."
            )
        y = trace.outputs[0]
        if getattr(y, "dtype", np.dtype(float)).kind == "c":
            raise DTypeError(
                f"{who}: the function returned {y.dtype}, and only a real number has a gradient. Return .real, .imag "
                "or abs() of it; for f'(z) of a holomorphic function use jacobian(f, holomorphic=True)."
            )
        seed = np.ones(np.shape(plain(y)), getattr(y, "dtype", float))[()]
        gradient = trace.shape(trace.vjp([seed], trace.outside), single)
        return trace.with_aux(trace.value(), has_aux), gradient

    return both


@told
def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """Return the gradient function ∇f of a scalar-valued ``f``; with ``has_aux`` it returns ``(gradient, aux)``.

    ``grad(f)(x)`` has the shape of x, or its form where x is a tree. Raises ShapeError where f does not give one
    number, DTypeError for integers.

    >>> import numpy as np
    >>> grad(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> grad(grad(lambda x: x**3))(2.0)
    np.float64(12.0)
    >>> grad(lambda x: (x**2, "seen"), has_aux=True)(3.0)
    (np.float64(6.0), 'seen')
    """
    return Transformed(_gradient(f, argnums, has_aux, "grad"), grad, f, argnums, has_aux)


def _gradient(f: Function, argnums: int | Sequence[int], has_aux: bool, who: str) -> Function:
    """Return what ``grad`` returns, and calls itself ``who`` in errors."""
    both = _both(f, argnums, has_aux, who)

    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, found = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


@told
def gradient(y: Any, xs: Any, upstream: Any = None, *, create_graph: bool = False, retain_graph: bool = False) -> Any:
    """Return the gradients of a recorded result with respect to chosen Tensors; no ``.grad`` is touched.

    ``xs`` is a Tensor or a tree of Tensors, leaves or results, and the gradients have its form. ``y`` may be several
    Tensors; ``upstream`` has its form (may be omitted for single numbers: 1). With ``create_graph`` the gradients can
    be differentiated again; the graph is released unless that or ``retain_graph`` is given. Raises GraphError where
    ``y`` does not depend on one of ``xs``. ∂y/∂x has the shape of x.

    >>> from autograd import Tensor
    >>> x, w = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    >>> gradient(w * x**2, {"x": x, "w": w})
    {'x': Tensor(12.0), 'w': Tensor(9.0)}
    """
    ask_for_graph()
    outputs, targets = flatten(y)[0], flatten(xs)[0]
    for what, values in (("y", outputs), ("xs", targets)):
        wrong = next((x for x in values if not isinstance(x, Tensor)), None)
        if wrong is not None or not values:
            raise ArgumentError(
                f"gradient: {what} must be Tensors, got {type(wrong).__name__}. For a function use ag.grad(f)(x)."
            )
    roots: list[Any] = [part._node for part in outputs]
    if not any(needs_grad(part) for part in outputs):
        raise GraphError("gradient: y needs no gradient: no input had requires_grad=True, or it was detached.")
    given = [None] * len(outputs) if upstream is None else values_like(y, upstream, "gradient(upstream=)")
    seeds = [part.seed(u) for part, u in zip(outputs, given, strict=True)]
    root: Any = roots[0] if len(roots) == 1 else bundle_node(roots)
    behind = set(ancestors(root, lambda node: bool(node.needs)))
    for i, x in enumerate(targets):
        if not needs_grad(x) or x._node not in behind:
            raise GraphError(
                f"gradient: y does not depend on xs[{i}]{f' ({x.name})' if x.name else ''} of shape {x.shape}, or the "
                "way is detached. ag.depends_on(y, [x]) tells beforehand, ag.why_none(x) tells why."
            )
    seed = seeds[0] if len(roots) == 1 else tuple(seeds)
    groups = _apart({x._node for x in targets})
    found: dict[Node, Any] = {}
    for k, own in enumerate(groups):
        wanted = leading_to(root, own)
        if create_graph:
            start = wrap(seed) if not isinstance(seed, Box | tuple) else _boxed(seed)
            found |= {
                node: g for node, g in differentiate_recorded({root: start}, own, wanted=wanted).items() if node in own
            }
        else:
            release = not retain_graph and k == len(groups) - 1
            start = tuple(map(plain, seed)) if isinstance(seed, tuple) else plain(seed)
            found |= {
                node: g
                for node, g in differentiate({root: start}, own, wanted=wanted, release=release).items()
                if node in own
            }
    made = [add_up(None, found[x._node]) for x in targets]
    return flatten(xs)[1]([g if isinstance(g, Box) else wrap(g) for g in made])


def _boxed(seed: Any) -> Any:
    return tuple([part if isinstance(part, Box) else wrap(part) for part in seed]) if isinstance(seed, tuple) else seed


def _apart(nodes: set[Node]) -> list[set[Node]]:
    """Group nodes so that none stands behind another of its group: a pass ends at what it is asked for."""
    if all(node.op is None for node in nodes):
        return [nodes]
    hidden = {node for node in nodes for each in ancestors(node) if each is not node and each in nodes}
    return [nodes] if not hidden else [{node} for node in nodes]


def vjp(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """Return ``(f(*args), pullback)`` with pullback(u) = uᵀ · J: one gradient for one argument, else a tuple.

    With ``has_aux`` the function returns ``(value, aux)``, and the result is ``(value, pullback, aux)``. u has the
    shape of the result, the gradient that of its argument. Raises ShapeError for another u, DTypeError for integers.

    >>> import numpy as np
    >>> y, pullback = vjp(np.sin, 0.0)
    >>> pullback(2.0)
    np.float64(2.0)
    """
    check_function("vjp", f)
    trace = Trace(f, args, range(len(args)), {}, "vjp", has_aux)

    def pullback(cotangents: Any) -> Any:
        return _pulled_back(trace, cotangents, len(args) == 1, "pullback")

    if has_aux:
        value, aux = trace.with_aux(trace.value(), True)
        return value, pullback, aux
    return trace.value(), pullback


def _pulled_back(trace: Trace, cotangents: Any, single: bool, who: str) -> Any:
    """Return the gradients of the arguments of a run, given those of its outputs."""
    given, _ = flatten(cotangents)
    if len(given) != len(trace.outputs):
        raise ShapeError(f"{who}: expected {len(trace.outputs)} gradients, one per output, got {len(given)}.")
    given = values_like(trace.rebuild_output(trace.outputs), cotangents, who)
    seeds = [seed_of(u, y, who) for u, y in zip(given, trace.outputs, strict=True)]
    traced = current().recording and (trace.outside or any(needs_grad(u) for u in seeds))
    if not traced:
        seeds = [plain(u) for u in seeds]
    return trace.shape(trace.vjp(seeds, traced), single)


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """Return ``(f(*args), J · tangents)`` by one pass forwards, with ``has_aux`` the aux of ``f`` as well.

    The tangents have the form of the arguments. It costs about two evaluations, whatever the number of outputs, and
    keeps no graph: each tangent is computed beside its value. Only where ``f`` reads the graph itself (by ``backward``
    or ``gradient``), or a nan may be what a mask cut off, ``f`` runs again and keeps it. Raises ShapeError for a
    tangent of another shape than its argument, DTypeError for integers.

    >>> import numpy as np
    >>> jvp(lambda x: x**2, (np.array([1.0, 2.0]),), (np.array([1.0, 10.0]),))
    (array([1., 4.]), array([ 2., 40.]))
    """
    check_function("jvp", f)
    if not isinstance(args, tuple | list) or not isinstance(tangents, tuple | list):
        raise ArgumentError(
            "jvp: args and tangents must be tuples with one entry per argument, as in jvp(f, (x,), (t,))."
        )
    trace, pushed = _pushed_along(f, args, tuple(tangents), has_aux)
    if has_aux:
        value, aux = trace.with_aux(trace.value(), True)
        return value, pushed, aux
    return trace.value(), pushed


def _pushed_along(f: Function, args: Sequence[Any], tangents: tuple[Any, ...], has_aux: bool) -> tuple[Trace, Any]:
    """Run a function and push tangents with it; where the graph turns out to be needed, run it again and keep that."""
    places = range(len(args))
    try:
        trace: Any = Trace(f, args, places, {}, "jvp", has_aux, along=tangents)
        pushed = trace.streamed()
    except GraphNeeded:
        trace, pushed = None, None
    if pushed is None and (trace is None or trace.stream is not None):
        trace = Trace(f, args, places, {}, "jvp", has_aux)
    return trace, trace.push(tangents, "jvp") if pushed is None else pushed


def linearize(f: Function, *args: Any, has_aux: bool = False) -> Any:
    """Return ``(f(*args), pushforward)`` with pushforward(*tangents) = J · tangents: f runs once, for many directions.

    With ``has_aux`` the function returns ``(value, aux)``, and the result is ``(value, pushforward, aux)``. Raises
    ShapeError for a tangent of another shape than its argument, DTypeError for integers.

    >>> import numpy as np
    >>> y, pushforward = linearize(np.sin, np.array([0.0, np.pi]))
    >>> pushforward(np.array([1.0, 1.0])), pushforward(np.array([3.0, 0.0]))
    (array([ 1., -1.]), array([ 3., -0.]))
    """
    check_function("linearize", f)
    trace = Trace(f, args, range(len(args)), {}, "linearize", has_aux)

    def pushforward(*tangents: Any) -> Any:
        return trace.push(tangents, "pushforward")

    if has_aux:
        value, aux = trace.with_aux(trace.value(), True)
        return value, pushforward, aux
    return trace.value(), pushforward


def hvp(f: Function) -> Function:
    """Return the function ``(x, v) -> H(x) · v`` for a scalar-valued ``f`` of one argument, without building H.

    Raises ShapeError where f does not give one number, or v has not the shape of x.

    >>> import numpy as np
    >>> hvp(lambda x: (x**3).sum())(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    gradient = Transformed(_gradient(f, 0, False, "hvp"), grad, f)

    def product(x: Any, v: Any, *more: Any) -> Any:
        if more:
            raise ArgumentError(
                f"hvp: takes x and v of a function of one argument, got {2 + len(more)} values. Put several arguments "
                "into a tuple: hvp(lambda x: f(*x))((a, b), (u, v))."
            )
        trace = Trace(gradient, (x,), (0,), {}, "hvp")
        return _pulled_back(trace, v, True, "hvp: v")  # H is symmetric, so vᵀ · H is H · v

    return Transformed(product, hvp, f)
