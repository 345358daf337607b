"""``scipy.optimize``: SciPy's solvers, given derivatives by themselves, over arrays of any shape and nested trees.

``minimize`` gets the gradient and, where its method takes one, products with the Hessian or the Hessian; ``root`` and
``least_squares`` get the Jacobian. The solution is differentiable in ``args`` and in whatever the function reads from
outside, by the implicit function theorem, as exactly as it was solved for: ask for a small ``tol``. So are ``fun`` and
``cost``; what else a result holds are plain arrays.

>>> import numpy as np, autograd as ag
>>> from autograd.scipy import optimize
>>> found = optimize.minimize(lambda p: (p["a"] - 1) ** 2 + (p["b"] - p["a"]) ** 2, {"a": 0.0, "b": 0.0})
>>> {name: round(float(value), 4) for name, value in found.x.items()}
{'a': 1.0, 'b': 1.0}
>>> root = lambda a: optimize.fixed_point(lambda x: (x + a / x) / 2, 1.0)
>>> root(2.0).round(6), ag.grad(root)(2.0).round(6)  # of the square root
(np.float64(1.414214), np.float64(0.353553))
"""

from __future__ import annotations  # numpy.random is loaded when it is first used

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
from scipy import optimize as sp

from autograd.box import Box, unbox
from autograd.errors import MissingRule
from autograd.graph import Node
from autograd.matrices import hessian, jacobian
from autograd.modes import no_grad
from autograd.scipy.declare import by_numbers, without_rule
from autograd.scipy.solutions import as_real, closed_over, joined, solution, value_and_vjp, values
from autograd.transforms import grad, value_and_grad, vjp
from autograd.tree import flatten

Function = Callable[..., Any]


class _Form:
    """Remember how a tree of arrays lies in one vector."""

    def __init__(self, x0: Any) -> None:
        leaves, self._rebuild = flatten(x0)
        arrays = [np.asarray(unbox(as_real(leaf, "x0 has"))) for leaf in leaves]
        self._shapes, self._sizes = [each.shape for each in arrays], [each.size for each in arrays]
        self.start = np.concatenate([np.ravel(each).astype(float) for each in arrays])
        self.plain = len(arrays) == 1 and arrays[0].ndim == 1 and not isinstance(x0, dict | tuple | list)

    def tree(self, vector: Any) -> Any:
        """Set a vector back into its form."""
        if self.plain:
            return vector
        ends = np.cumsum([0, *self._sizes])
        parts = [vector[ends[i] : ends[i + 1]] for i in range(len(self._sizes))]
        shaped = [np.reshape(part, shape) for part, shape in zip(parts, self._shapes, strict=True)]
        return self._rebuild([part if isinstance(part, Box) else part[()] for part in shaped])

    def vector(self, tree: Any) -> Any:
        """Lay a tree of the same form out as a vector."""
        return tree if self.plain else np.concatenate([np.ravel(joined(leaf)) for leaf in flatten(tree)[0]])


def _implicit(name: str, value: Any, equations: Function, nodes: Sequence[Node]) -> Any:
    """Make x with F(x) = 0 an op: a gradient g of x becomes −u · ∂F of what F closes over, with (∂F/∂x)ᵀ u = g."""

    def rule(g: Any, x: Any, inputs: Sequence[Any]) -> list[Any]:
        n = value.size
        with nullcontext() if isinstance(g, Box) else no_grad():
            slope = np.reshape(jacobian(equations)(x), (n, n))
            _check_solved(name, equations, slope, value)
            u = np.linalg.solve(np.swapaxes(slope, 0, 1), np.reshape(g, (n,)))
            return value_and_vjp(equations, (x,), -np.reshape(u, value.shape), nodes)[1][1:]

    return solution(name, np.asarray(value)[()], {}, nodes, rule, equations, value)


def _check_solved(name: str, equations: Function, slope: Any, x: Any) -> None:
    """Refuse what the theorem does not hold for: a singular ∂F/∂x, or an x that Newton's step would move visibly."""
    try:
        step = np.linalg.solve(unbox(slope), np.ravel(_apart(equations, x)))
    except np.linalg.LinAlgError:
        raise MissingRule(f"{name}: the equations are singular at the solution, so it has no gradient.") from None
    if not np.max(np.abs(step), initial=0.0) <= 1e-3 * (1 + np.max(np.abs(x), initial=0.0)):
        raise MissingRule(
            f"{name}: the solution is off by about {np.max(np.abs(step)):.2g}, so its gradient would be wrong. "
            "Solve with a smaller tolerance, or from a better start."
        )


# ----------------------------------------------------------------------------------------------------------- minimizing

_NO_GRADIENT = {"nelder-mead", "powell", "cobyla", "cobyqa"}
_PRODUCTS = {"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"}
_HESSIANS = {"dogleg", "trust-exact"}


@by_numbers(solves=True)
def minimize(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: Any = None,
    jac: Any = None,
    hess: Any = None,
    hessp: Any = None,
    bounds: Any = None,
    constraints: Any = (),
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    """Minimize fun(x, *args) over x, an array of any shape or a tree: SciPy's result, with ``x`` in the form of ``x0``.

    Derivatives that are not given are found. ``bounds`` are a pair for each number, in order; the functions of
    ``constraints`` take x in its form. With either the solution has no gradient.
    """
    form, args = _Form(x0), args if isinstance(args, tuple) else (args,)

    def f(v: Any) -> Any:
        return joined(fun(form.tree(v), *args)).sum()

    kind = method.lower() if isinstance(method, str) else ""
    derivatives = _given(form, args, jac, hess, hessp)
    if kind not in _NO_GRADIENT:
        if jac is None:
            derivatives["jac"] = _both(f)
        if hess is None and hessp is None:
            if kind in _PRODUCTS:
                derivatives["hessp"] = lambda v, direction: _apart(vjp(grad(f), v)[1], direction)
            elif kind in _HESSIANS:
                derivatives["hess"] = lambda v: _apart(hessian(f), v)
    plain, more = values(f), dict(method=method, bounds=bounds, tol=tol, options=options)
    if jac is None and "jac" in derivatives:
        plain, derivatives["jac"] = derivatives["jac"], True
    limits = [_constraint(form, each) for each in ([constraints] if isinstance(constraints, dict) else constraints)]
    told = None if callback is None else lambda v: callback(form.tree(v))
    found = sp.minimize(plain, form.start, constraints=limits, callback=told, **more, **derivatives)
    nodes = closed_over(f, found.x)
    if nodes and (bounds is not None or limits):
        raise MissingRule(
            "scipy.optimize.minimize: under bounds or constraints the solution has no gradient rule. "
            "Detach what the function reads."
        )
    x = _implicit("scipy.optimize.minimize", found.x, grad(f), nodes)
    found.x, found.fun = form.tree(x), f(x) if nodes else found.fun
    return found


def _apart(f: Function, *args: Any) -> Any:
    """Call a transform for SciPy: nothing around it records."""
    with no_grad():
        return unbox(f(*args))


def _both(f: Function) -> Function:
    def both(v: Any) -> Any:
        y, gradient = _apart(value_and_grad(f), v)
        return float(y), gradient

    return both


def _given(form: _Form, args: Any, jac: Any, hess: Any, hessp: Any) -> dict[str, Any]:
    """Let derivatives that the user gave work on vectors."""
    given: dict[str, Any] = {}
    if callable(jac):
        given["jac"] = lambda v: unbox(form.vector(jac(form.tree(v), *args)))
    elif jac is not None:
        given["jac"] = jac
    if hess is not None:
        given["hess"] = (lambda v: unbox(hess(form.tree(v), *args))) if callable(hess) else hess
    if hessp is not None:
        given["hessp"] = lambda v, p: unbox(form.vector(hessp(form.tree(v), form.tree(p), *args)))
    return given


def _constraint(form: _Form, limit: Any) -> Any:
    """Let a constraint in the form of a dict work on vectors, with its Jacobian."""
    if not isinstance(limit, dict):
        return limit
    args = limit.get("args", ())

    def f(v: Any) -> Any:
        return joined(limit["fun"](form.tree(v), *args))

    return dict(type=limit["type"], fun=values(f), jac=limit.get("jac") or (lambda v: _apart(jacobian(f), v)))


@by_numbers(solves=True)
def least_squares(
    fun: Function,
    x0: Any,
    jac: Any = None,
    bounds: Any = (-np.inf, np.inf),
    *,
    args: Any = (),
    kwargs: Any = None,
    **more: Any,
) -> Any:
    """Minimize Σ fun(x, *args)² / 2: SciPy's result, with ``x`` in the form of ``x0``; the Jacobian is found.

    With ``bounds`` or another ``loss`` than "linear" the solution has no gradient.
    """
    form, named = _Form(x0), kwargs or {}

    def f(v: Any) -> Any:
        return np.ravel(joined(fun(form.tree(v), *args, **named)))

    found_jac = jac if isinstance(jac, str) else lambda v: _apart(jacobian(f), v)
    if callable(jac):
        found_jac = lambda v: unbox(jac(form.tree(v), *args, **named))  # noqa: E731
    found = sp.least_squares(values(f), form.start, found_jac, bounds, **more)
    nodes = closed_over(f, found.x)
    if nodes and (
        np.isfinite(np.concatenate([np.ravel(each) for each in bounds])).any() or more.get("loss", "linear") != "linear"
    ):
        raise MissingRule(
            "scipy.optimize.least_squares: with bounds or a loss the solution has no gradient rule. "
            "Detach what the function reads."
        )
    half = grad(lambda v: (f(v) ** 2).sum() / 2)
    x = _implicit("scipy.optimize.least_squares", found.x, half, nodes)
    found.x = form.tree(x)
    if nodes:
        found.fun = f(x)
        found.cost = (found.fun**2).sum() / 2
    return found


# --------------------------------------------------------------------------------------------------------- zeros of f


@by_numbers(solves=True)
def root(
    fun: Function,
    x0: Any,
    args: Any = (),
    method: str = "hybr",
    jac: Any = None,
    tol: Any = None,
    callback: Any = None,
    options: Any = None,
) -> Any:
    """Find x with fun(x, *args) = 0: SciPy's result, with ``x`` in the form of ``x0``; the Jacobian is found.

    Raises MissingRule in backward where what was found is no solution.
    """
    form, args = _Form(x0), args if isinstance(args, tuple) else (args,)

    def f(v: Any) -> Any:
        return form.vector(fun(form.tree(v), *args)) if not form.plain else joined(fun(v, *args))

    given: Any = jac
    if callable(jac):
        given = lambda v: unbox(jac(form.tree(v), *args))  # noqa: E731
    elif jac is None and method in ("hybr", "lm"):
        given = lambda v: _apart(jacobian(f), v)  # noqa: E731
    found = sp.root(values(f), form.start, method=method, jac=given, tol=tol, callback=callback, options=options)
    nodes = closed_over(f, found.x)
    x = _implicit("scipy.optimize.root", found.x, f, nodes)
    found.x, found.fun = form.tree(x), f(x) if nodes else found.fun
    return found


@by_numbers(solves=True)
def fixed_point(
    func: Function, x0: Any, args: Any = (), xtol: float = 1e-8, maxiter: int = 500, method: str = "del2"
) -> Any:
    """Find x with func(x, *args) = x, near ``x0``, a number or an array."""
    args = args if isinstance(args, tuple) else (args,)

    def f(x: Any) -> Any:
        return joined(func(x, *args))

    start = np.asarray(unbox(as_real(x0, "x0 has")), float)[()]
    x = np.asarray(sp.fixed_point(values(f), start, (), xtol, maxiter, method))[()]
    return _implicit("scipy.optimize.fixed_point", x, lambda x: x - f(x), closed_over(f, x))


@by_numbers(solves=True)
def brentq(
    f: Function, a: Any, b: Any, args: Any = (), xtol: float = 2e-12, rtol: float = 8.9e-16, maxiter: int = 100
) -> Any:
    """Find a zero of f(x, *args) between two places where its signs differ; these are constants."""
    args = args if isinstance(args, tuple) else (args,)

    def g(x: Any) -> Any:
        return joined(f(x, *args))

    plain = values(g)
    x = np.float64(sp.brentq(lambda x: float(plain(x)), unbox(a), unbox(b), (), xtol, rtol, maxiter))
    return _implicit("scipy.optimize.brentq", x, g, closed_over(g, x))


def __getattr__(name: str) -> Any:
    """Return the rest of ``scipy.optimize``, for plain arrays."""
    return without_rule("optimize", name)
