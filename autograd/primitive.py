"""How an op is declared once and applied: forward, gradient rules, what is kept, NumPy dispatch, label and test domain.

Floor 8: used by the tables of ops; public as ``autograd.op``.

>>> import numpy as np, autograd as ag
>>> cube = ag.op(lambda x: x**3, vjp=lambda g, x: 3 * g * x**2, elementwise=True, name="cube")
>>> x = ag.Tensor([1.0, 2.0], requires_grad=True)
>>> cube(x).sum().backward()
>>> x.grad
Tensor([ 3., 12.])
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autograd.application import of_complex, rebuild
from autograd.box import Box, constant, plain, unbox
from autograd.compiler import compiled
from autograd.differentiate import definition_vjp
from autograd.errors import MissingRule, NotAFunction, RuleError
from autograd.hints import full_name
from autograd.modes import current
from autograd.rules import Op

registry: dict[str, Any] = {}  # every declared op by name: tests, docs and tables read it
dispatch: dict[Any, Callable[..., Any]] = {}  # NumPy function -> ours, for the two NumPy protocols


def op(
    forward: Callable[..., Any],
    *,
    vjp: Callable[..., Any] | Mapping[str, Callable[..., Any]] | None = None,
    definition: Callable[..., Any] | None = None,
    inputs: Sequence[str] | None = None,
    elementwise: bool = False,
    symbol: str | None = None,
    domain: Any = None,
    name: str | None = None,
    cache: Sequence[str] = (),
    selects: Any = None,
    formula: str | Mapping[str, str] | None = None,
    inline: str = "",
    holomorphic: bool | None = True,
    linear: Any = None,
    batch: Callable[..., Any] | None = None,
) -> Any:
    """Declare a differentiable op and return the function that applies it.

    ``forward`` works on arrays: a ufunc or a function; its parameters without default are the inputs (``inputs`` names
    those of a ufunc), the others are keywords. ``vjp`` maps input names to rules, or is the rule of a one-input op, or
    one joint rule that returns a tuple in input order. A rule's first parameter is ``g``, the gradient of the output;
    the others are named and decide what is kept until backward: an input, a keyword, ``y`` (the output), a name in
    ``cache``, or one of ``shapes`` (of the inputs), ``needs`` (which inputs want a gradient; for joint rules) and, of
    several outputs, ``arrived`` (which got a gradient) and ``alive`` (which elements no mask cut off; None: all).

    ``definition`` is the same function in plain ops: it gives second derivatives to a rule that is not itself
    traceable, or replaces ``vjp``. With ``cache=("mask",)`` the forward returns ``(y, mask)``: the extras are kept for
    the rules only. An output that looks at the memory of an input, as a slice does, is a view here, too. A forward that
    returns a tuple makes a multi-output op. Where ``elementwise`` holds, gradients are un-broadcast by the engine. A
    NumPy function given as ``forward`` is dispatched to this op.

    ``selects`` says of an op that chooses which elements of the output come from an input: one rule that gives a mask,
    or a dict of rules by input. The engine masks the cotangent with it, and what is cut off stays cut off. An op that
    chooses but is not elementwise says ``selects=True``: its rule leaves zeros, or its definition chooses. ``formula``
    is the derivative as it is shown, by input, in Python's notation: a factor, or, where ``g`` stands in it, the whole
    gradient (``g.T @ x``). With ``inline="definition"`` a compiled program holds the definition in the op's place, as
    it is as fast as the fused forward; with ``inline="forward"`` the lines of forward and rule themselves, as they are
    NumPy to be read.

    Where the output is complex, a rule says g · f'(x), as in a table of derivatives, and the engine conjugates it; with
    ``holomorphic=False`` (``conj``, ``svd``) rules get and give gradients as ∂L/∂Re + i ∂L/∂Im themselves, as they
    do where the output is real (``abs``). ``None`` says that complex numbers have no meaning here (``maximum``).

    ``linear=True`` says that the forward is linear in all inputs together (a sum, a transpose), ``"each"`` that it is
    so in each (a product of matrices): forward mode applies it to tangents, in place of transposing its rule.
    ``batch`` applies the op to many examples at once, for ``vmap``; an elementwise op needs none, and what has none is
    computed example by example: see :mod:`autograd.lanes`.

    Raises RuleError at declaration for a rule that names something unknown.

    >>> import autograd as ag
    >>> cube = ag.op(lambda x: x**3, vjp=lambda g, x: 3.0 * g * x**2, elementwise=True, name="cube")
    >>> x = ag.Tensor(2.0, requires_grad=True)
    >>> y = cube(x)
    >>> y.backward()
    >>> y.item(), x.grad.item()
    (8.0, 12.0)
    >>> ag.check_grads(cube, x)
    """
    label = name or getattr(forward, "__name__", None) or type(forward).__name__
    if label == "<lambda>":
        raise RuleError("op: a lambda has no name; pass name='…'.")
    declared = Op(
        forward,
        label,
        symbol=symbol,
        inputs=inputs,
        elementwise=elementwise,
        definition=definition,
        cache=tuple(cache),
        domain=domain,
        vjp=vjp,
        selects=True if selects is None and vjp is None else selects,  # what is only defined may choose in there
        formula=formula,
        inline=inline,
        holomorphic=holomorphic,
        linear=linear,
        batch=batch,
    )
    apply: Any = compiled(declared)
    if not (declared.rules or declared.joint):
        declared.vjp = definition_vjp
    apply.op = declared
    apply.__wrapped__ = forward  # inspect.signature and editors show its parameters
    registry[label] = apply
    return _named(apply, declared.name, forward)


def _named(apply: Any, name: str, forward: Any) -> Any:
    """Return ``apply`` with its name and docstring; where ``forward`` is NumPy's, it is dispatched to that."""
    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = forward.__doc__
    if isinstance(forward, np.ufunc) or (getattr(forward, "__module__", None) or "").startswith("numpy"):
        dispatch[forward] = apply
    return apply


def implements(*functions: Any, domain: Any = None, name: str | None = None) -> Callable[[Any], Any]:
    """Register a plain function over ops as the implementation of NumPy ``functions``; it is a row of the registry too.

    The function is traced through, so it needs no rule of its own.

    >>> import numpy as np, autograd as ag
    >>> def cosine_sum(values):  # stands for a function of another library that dispatches as NumPy's do
    ...     return np.cos(values).sum()
    >>> @ag.implements(cosine_sum, name="cosine_sum")
    ... def _cosine_sum(values):
    ...     return np.sum(np.cos(values))
    >>> ag.Tensor([0.0, 0.0]).__array_function__(cosine_sum, (ag.Tensor,), (ag.Tensor([0.0, 0.0]),), {}).item()
    2.0
    """

    def register(function: Any) -> Any:
        function.domain = domain
        registry[name or function.__name__] = function
        for target in functions:
            dispatch[target] = function
        return function

    return register


def nondifferentiable(forward: Callable[..., Any], *, name: str | None = None) -> Any:
    """Declare a piecewise-constant function: Tensors in, a Tensor that needs no gradient out.

    >>> import numpy as np, autograd as ag
    >>> np.sign(ag.Tensor([-2.0, 3.0], requires_grad=True))
    Tensor([-1.,  1.])
    """
    if not callable(forward):
        raise NotAFunction(f"nondifferentiable takes a function, got {type(forward).__name__}.")
    label = name or forward.__name__

    def apply(*args: Any, **kwargs: Any) -> Any:
        boxed = next((x for x in (*args, *kwargs.values()) if isinstance(x, Box)), None)
        tracer = current().tracer
        if tracer is not None:
            return tracer.called(forward, args, kwargs, boxed=boxed is not None)
        data = [plain(x) for x in args]
        try:
            y = forward(*data, **{k: plain(x) for k, x in kwargs.items()})
        except TypeError as error:
            raise of_complex(error, label, data) from None
        return y if boxed is None else _cut_off(label, y, data)

    return _named(apply, label, forward)


def opaque(function: Any) -> Any:
    """Return ``function`` of plain arrays: Tensors among its arguments come as arrays, and no gradient goes through it.

    In a function that is being compiled its call becomes one step of the program, whose results are computed anew at
    each call: for what reads numbers as they are (a check of labels, a random draw, an order).

    >>> import numpy as np, autograd as ag
    >>> order = ag.opaque(np.argsort)
    >>> order(ag.Tensor([3.0, 1.0, 2.0]))
    array([1, 2, 0])
    """
    if not callable(function):
        raise NotAFunction(f"opaque takes a function, got {type(function).__name__}.")

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        tracer = current().tracer
        if tracer is not None:
            return tracer.called(function, args, kwargs)
        return function(*unbox(args), **unbox(kwargs))

    return called


def _cut_off(label: str, y: Any, data: Sequence[Any]) -> Any:
    """Wrap the output of a piecewise-constant function as constants with memory of their own."""
    if isinstance(y, tuple):
        return rebuild(y, [_cut_off(label, part, data) for part in y])
    if type(y) is not np.ndarray and not isinstance(y, np.generic):
        y = np.asarray(y)
    if type(y) is np.ndarray and (y.base is not None or any(y is x for x in data)):
        y = y.copy()
    return constant(y, label)


def missing(function: Any, advice: str = "", method: str = "") -> MissingRule:
    """Return the error for a NumPy function, ufunc or method of a ufunc that has no gradient rule."""
    name, counterpart = full_name(function, np)
    label = ".".join([name, *([method] if method else [])])
    usual = f"Use {counterpart}." if counterpart else ""
    hint = advice or usual or "Use x.detach() for a constant, or declare a rule with autograd.op(...)."
    return MissingRule(f"{label} has no gradient rule. {hint}")
