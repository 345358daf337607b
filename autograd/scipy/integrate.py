"""``scipy.integrate``: differential equations by their adjoint, integrals by Leibniz' rule.

Gradients reach the initial value, the times or limits, ``args``, and every Tensor that the function reads from outside.
They are as exact as the solver's tolerances. The functions are called with arrays forwards, with Tensors in backward.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import integrate
>>> decay = lambda y, t, rate: -rate * y
>>> end = lambda rate: integrate.odeint(decay, np.ones(1), np.array([0.0, 1.0]), args=(rate,))[-1, 0]
>>> round(float(ag.grad(end)(2.0)), 4)  # of exp(-rate)
-0.1353
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from scipy import integrate as sp

from autograd.box import Box, is_recording, needs_grad, unbox
from autograd.errors import ArgumentError, MissingRule, ShapeError
from autograd.graph import Node
from autograd.modes import no_grad
from autograd.ops.axes import as_array
from autograd.ops.joining import array
from autograd.scipy.declare import by_numbers, without_rule
from autograd.scipy.solutions import as_real, closed_over, joined, solution, value_and_vjp, values
from autograd.tree import is_nested, ravel, tree_map

Function = Callable[..., Any]

# ---------------------------------------------------------------------------------------------- differential equations


def _flow(name: str, solver: Function, f: Function, y0: Any, t: Any, value: Any = None) -> Any:
    """Solve y' = f(y, t) at the times ``t``, of which the first is that of ``y0``: shape (times, n)."""
    nodes = closed_over(f, y0, unbox(t)[0])
    value = solver(values(f), unbox(y0), unbox(t)) if value is None else value

    def rule(g: Any, y: Any, inputs: Sequence[Any]) -> list[Any]:
        with nullcontext() if isinstance(g, Box) else no_grad():
            return _adjoint(name, solver, f, nodes, g, y, inputs[1])

    return solution(name, value, {"y0": y0, "t": t}, nodes, rule, f, value[-1], unbox(t)[-1])


def _adjoint(name: str, solver: Function, f: Function, nodes: Sequence[Node], g: Any, y: Any, t: Any) -> list[Any]:
    """Solve a' = −a · ∂f/∂y backwards, together with y and with the gradients of what f closes over (Pontryagin).

    Each interval starts from the value that was found there, so that errors of y do not grow backwards.
    """
    n, steps = y.shape[1], len(unbox(t))
    sizes = [int(np.prod(node.shape)) for node in nodes]
    a, cotangents = g[steps - 1], np.zeros(sum(sizes))
    times: list[Any] = [np.zeros(())] * steps

    def back(state: Any, time: Any) -> Any:
        slope, gradients = value_and_vjp(f, (state[:n], time), state[n : 2 * n], nodes)
        return np.concatenate([slope, -gradients[0], *[-np.ravel(each) for each in gradients[2:]]])

    for i in range(steps - 1, 0, -1):
        times[i] = np.sum(g[i] * joined(f(y[i], t[i])))
        if unbox(t[i]) != unbox(t[i - 1]):
            state = np.concatenate([y[i], a, cotangents])
            state = _flow(name, solver, back, state, np.stack([t[i], t[i - 1]]))[1]
            a, cotangents = state[n : 2 * n], state[2 * n :]
        if i > 1:
            a = a + g[i - 1]
    times[0] = -np.sum(a * joined(f(y[0], t[0]))) if steps > 1 else np.zeros(())
    start = a + g[0] if steps > 1 else a
    ends = np.cumsum([0, *sizes])
    parts = [np.reshape(cotangents[ends[k] : ends[k + 1]], node.shape) for k, node in enumerate(nodes)]
    return [start, np.stack(times), *parts]


@by_numbers(solves=True)
def odeint(
    func: Function,
    y0: Any,
    t: Any,
    args: Any = (),
    *,
    rtol: Any = None,
    atol: Any = None,
    tfirst: bool = False,
    **more: Any,
) -> Any:
    """Solve y' = func(y, t, *args) at the times t from y(t[0]) = y0 by LSODA: shape (len(t), n).

    ``y0`` may be a tree of arrays: ``func`` gets and gives such trees, and the times stand in front in each array of
    the result. ``tfirst`` swaps y and t. ``more`` are SciPy's other options (``mxstep``, ``hmax`` …), except
    ``full_output``.
    """
    if more.get("full_output"):
        raise ArgumentError("scipy.integrate.odeint: full_output has no place here. Leave it out.")
    args = args if isinstance(args, tuple) else (args,)
    if _is_tree(y0):
        vector, unravel = ravel(y0)

        def flat(y: Any, t: Any) -> Any:
            slope = func(t, unravel(y), *args) if tfirst else func(unravel(y), t, *args)
            return ravel(tree_map(lambda _, part: part, unravel(y), slope))[0]

        found = odeint(flat, vector, t, rtol=rtol, atol=atol, **more)
        return tree_map(lambda *rows: np.stack(rows), *[unravel(row) for row in found])
    y0, t = _vector(y0, "odeint"), as_array(t)
    options = dict(rtol=rtol, atol=atol)
    rest = {key: value for key, value in more.items() if key in ("mxstep", "hmax", "h0", "mxordn", "mxords")}

    def solver(f: Function, y0: Any, t: Any) -> Any:
        return sp.odeint(f, y0, t, **options, **rest)

    def f(y: Any, t: Any) -> Any:
        return joined(func(t, y, *args) if tfirst else func(y, t, *args))

    first = sp.odeint(values(f), unbox(y0), unbox(t), **options, **more)
    return _flow("scipy.integrate.odeint", solver, f, y0, t, first)


def _is_tree(y0: Any) -> bool:
    """Tell whether an initial value is a tree, other than a list of numbers, which is a vector."""
    return is_nested(y0) and (
        not isinstance(y0, tuple | list) or any(is_nested(part) or np.ndim(unbox(part)) for part in y0)
    )


def _vector(y0: Any, name: str) -> Any:
    y0 = np.atleast_1d(as_real(as_array(array(y0) if isinstance(y0, list | tuple) else y0), f"y0 of {name} has"))
    if y0.ndim != 1:
        raise ShapeError(f"scipy.integrate.{name}: y0 must have one axis, got shape {y0.shape}. Use y0.ravel().")
    return y0 if y0.dtype.kind == "f" else y0.astype(float)


@by_numbers(solves=True)
def solve_ivp(
    fun: Function,
    t_span: Any,
    y0: Any,
    method: Any = "RK45",
    t_eval: Any = None,
    dense_output: bool = False,
    events: Any = None,
    vectorized: bool = False,
    args: Any = None,
    **options: Any,
) -> Any:
    """Solve y' = fun(t, y, *args) over ``t_span``: SciPy's result, whose ``y`` (n, times) is differentiable.

    Without ``t_eval`` the times between the ends are the solver's own, and constants. ``dense_output`` and ``events``
    have no gradient.
    """
    name, y0, more = "scipy.integrate.solve_ivp", _vector(y0, "solve_ivp"), tuple(args) if args is not None else ()

    def f(y: Any, t: Any) -> Any:
        return joined(fun(t, y, *more))

    def solver(g: Function, y0: Any, t: Any) -> Any:
        kept = {key: value for key, value in options.items() if key in ("rtol", "atol", "max_step")}
        ends = (float(t[0]), float(t[-1]))
        found = sp.solve_ivp(lambda t, y: g(y, t), ends, y0, method, t_eval=t, **kept)
        if not found.success:
            raise ArgumentError(f"scipy.integrate.solve_ivp: the adjoint equation was not solved: {found.message}")
        return found.y.T

    plain = values(f)
    spans = [unbox(each) for each in t_span]
    found = sp.solve_ivp(
        lambda t, y: plain(y, t),
        [float(each) for each in spans],
        unbox(y0),
        method,
        None if t_eval is None else unbox(t_eval),
        dense_output,
        events,
        False,
        **{key: unbox(value) for key, value in options.items()},
    )
    recording = is_recording(y0, *t_span, t_eval) or closed_over(f, y0, spans[0])
    if recording and (dense_output or events is not None or not found.success):
        why = found.message if not found.success else "dense_output and events have no gradient rule"
        raise MissingRule(f"scipy.integrate.solve_ivp: {why}. Detach what is recorded, or leave them out.")
    if t_eval is None:
        inner = list(found.t[1:-1])
        times = array([t_span[0], *inner, t_span[1]]) if len(found.t) > 1 else array([t_span[0]])
        found.t, found.y = _ended(times, found.t), np.transpose(_flow(name, solver, f, y0, times, found.y.T))
        return found
    times = np.concatenate([np.reshape(as_array(t_span[0]) * 1.0, (1,)), as_array(t_eval)])
    rows = np.concatenate([unbox(y0)[None], found.y.T])
    found.t, found.y = _ended(times[1:], found.t), np.transpose(_flow(name, solver, f, y0, times, rows)[1:])
    return found


def _ended(times: Any, plain: Any) -> Any:
    """Keep the times that the user gave as they are where they record."""
    return times if needs_grad(times) else plain


# ----------------------------------------------------------------------------------------------------------- integrals


def _integral(name: str, evaluate: Function, f: Function, a: Any, b: Any) -> Any:
    """Integrate f from a to b: the limits have the gradients ∓f there, what f closes over the integral of its own."""
    low, high = float(unbox(a)), float(unbox(b))
    middle = (low + high) / 2 if np.isfinite([low, high]).all() else max(low, min(high, 0.0)) + 0.5
    middle = min(max(middle, low), high)
    nodes = closed_over(f, middle)
    value = evaluate(values(f), low, high)

    def ends(g: Any, limit: Any) -> Any:
        return np.sum(g * joined(f(limit))) if np.isfinite(unbox(limit)) else np.zeros(())

    def rule(g: Any, y: Any, inputs: Sequence[Any]) -> list[Any]:
        with nullcontext() if isinstance(g, Box) else no_grad():
            low, high = inputs
            cotangents: list[Any] = [-ends(g, low), ends(g, high)]
            if not nodes:
                return cotangents

            def gradients(x: Any) -> Any:
                return np.concatenate([np.ravel(each) for each in value_and_vjp(f, (x,), g, nodes)[1][1:]])

            flat, at = _integral(name, _by_vectors, gradients, low, high), 0
            for node in nodes:
                size = int(np.prod(node.shape))
                cotangents.append(np.reshape(flat[at : at + size], node.shape))
                at += size
            return cotangents

    return solution(name, value, {"a": a, "b": b}, nodes, rule, f, middle)


def _by_vectors(f: Function, a: float, b: float) -> Any:
    return sp.quad_vec(f, a, b, epsabs=1e-12, epsrel=1e-10)[0]


@by_numbers(solves=True)
def quad(func: Function, a: Any, b: Any, args: Any = (), **options: Any) -> tuple[Any, Any]:
    """Integrate func(x, *args) from a to b: ``(value, error)``; limits may be infinite.

    ``options`` are SciPy's; ``weight``, ``full_output`` and ``complex_func`` have no place here. A jump of the function
    must not move with what is differentiated: integrate up to it instead.
    """
    refused = [key for key in ("weight", "full_output", "complex_func") if options.get(key)]
    if refused:
        raise ArgumentError(f"scipy.integrate.quad: {refused[0]} has no place here. Put a weight into the function.")
    args = args if isinstance(args, tuple) else (args,)
    error: list[Any] = []

    def evaluate(f: Function, low: float, high: float) -> Any:
        y, estimate = sp.quad(lambda x: float(f(x)), low, high, **options)
        error.append(estimate)
        return np.float64(y)

    y = _integral("scipy.integrate.quad", evaluate, lambda x: joined(func(x, *args)), _number(a), _number(b))
    return y, error[0]


def _number(x: Any) -> Any:
    return x if isinstance(x, Box) else np.float64(x)


@by_numbers(solves=True)
def quad_vec(f: Function, a: Any, b: Any, epsabs: float = 1e-200, epsrel: float = 1e-8, *, args: Any = ()) -> Any:
    """Integrate a function with values of any shape: ``(value, error)``."""
    error: list[Any] = []

    def evaluate(f: Function, low: float, high: float) -> Any:
        y, estimate = sp.quad_vec(f, low, high, epsabs, epsrel)
        error.append(estimate)
        return y

    y = _integral("scipy.integrate.quad_vec", evaluate, lambda x: joined(f(x, *args)), _number(a), _number(b))
    return y, error[0]


# ------------------------------------------------------------------------------------------------------------- samples


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate samples by the trapezoidal rule, as ``np.trapezoid``."""
    return np.trapezoid(as_array(y), x, dx, axis)


def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, initial: Any = None) -> Any:
    """Integrate samples up to each of them; ``initial=0`` sets a 0 in front."""
    y = np.moveaxis(as_array(y), axis, -1)
    step = dx if x is None else np.diff(x) if np.ndim(x) == 1 else np.moveaxis(np.diff(x, axis=axis), axis, -1)
    total = np.cumsum(step * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)
    if initial is not None:
        total = np.concatenate([np.full((*y.shape[:-1], 1), float(initial), y.dtype), total], axis=-1)
    return np.moveaxis(total, -1, axis)


def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: int = -1) -> Any:
    """Integrate samples by Simpson's rule; it is linear in them. The places ``x`` are constants."""
    y = np.moveaxis(as_array(y), axis, -1)
    if is_recording(x, dx):
        raise MissingRule("scipy.integrate.simpson: the places have no gradient rule. Use trapezoid.")
    weights = sp.simpson(np.eye(y.shape[-1]), x=None if x is None else unbox(x), dx=unbox(dx), axis=0)
    return y @ weights.astype(y.dtype)


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.integrate``, for plain arrays."""
    return without_rule("integrate", name)
