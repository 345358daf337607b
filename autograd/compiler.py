"""The compiler, for one op: its ``apply`` and its ``vjp``, written out as Python at its first use.

Both functions, ``apply`` and ``vjp``, come from the one :mod:`autograd.template` for every op, elementwise or not, of
one input or many, of numbers or arrays; :func:`source` shows them. Floor 6: used by :mod:`autograd.primitive`.

>>> import autograd as ag
>>> print(source(ag.relu.op).splitlines()[0])
def apply(x):
"""

import linecache
import operator
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any
from weakref import finalize

import numpy as np

from autograd import application, box
from autograd.box import Box
from autograd.graph import Node, View, next_order, versions
from autograd.hints import unexpected_keyword
from autograd.modes import current
from autograd.rules import PLAIN, Op
from autograd.template import apply_lines, vjp_lines
from autograd.vjp import Cotangents, check, fit, joint_cotangents, missing_rule

# On NumPy scalars the operator costs 40 ns where the ufunc costs 470; on arrays they are the same loop.
_OPERATORS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
    np.positive: operator.pos,
}
_SHARED: dict[str, Any] = {
    "_Box": Box,
    "_Cotangents": Cotangents,
    "_D32": np.dtype(np.float32),
    "_D64": np.dtype(np.float64),
    "_F64": np.float64,
    "_Node": Node,
    "_View": View,
    "_PLAIN": PLAIN,
    "_keep_constant": application.keep_constant,
    "_keep_inputs": application.keep_inputs,
    "_as_raw": box.as_raw,
    "_check": check,
    "_as_arrays": application.as_arrays,
    "_check_cache": application.check_cache,
    "_current": current,
    "_forward_error": application.forward_error,
    "_not_recorded": application.not_recorded,
    "_fit": fit,
    "_joint": joint_cotangents,
    "_missing_rule": missing_rule,
    "_ndarray": np.ndarray,
    "_new": object.__new__,
    "_next_order": next_order,
    "_owned": application.owned,
    "_record_outputs": application.record_outputs,
    "_unexpected_keyword": unexpected_keyword,
    "_versions": versions,
    "_looked_at": box.looked_at,
    "_watch": box.watch,
}


def compiled(op: Op) -> Callable[..., Any]:
    """Return the function that applies ``op``, and give the op its ``vjp``; both are written out when first called.

    An op that has only a definition gets no ``vjp`` here: :func:`autograd.differentiate.definition_vjp` is its.
    """
    space: dict[str, Any] = {**_SHARED, "_op": op, "_write": _write, "_select": select, "__builtins__": __builtins__}
    if op.rules or op.joint:
        space["_vjp"] = op.vjp = FunctionType(_first_vjp.__code__, space, f"{op.name}_vjp", (None,))
    space["_op_for"] = op_for
    space["_apply"] = apply = op.apply = FunctionType(_first_apply.__code__, space, op.name)
    return apply


def op_for(op: Op, *dtypes: Any) -> Op:
    """Return the op for results of these dtypes: itself, or for complex ones a twin with conjugated rules.

    The gradient of a real L is ∂L/∂Re + i ∂L/∂Im, hence the conjugates. An op that is not holomorphic has rules that
    are right for complex numbers as they are, and so has one that only moves elements.
    Raises DTypeError for an op of real numbers.
    """
    for dtype in dtypes:
        application.floating(op, dtype)
    if op.as_written or not any(dtype.kind == "c" for dtype in dtypes):
        return op
    if op.holomorphic is None:
        raise application.real_only(op.name)
    twin = getattr(op, "conjugated", None)
    if twin is None:
        twin = op.with_conjugated_rules()
        compiled(twin)
        op.conjugated = twin.conjugated = twin
    return twin


# What stands for both functions until the first call runs in the globals of its op, where these have values.
_op: Any = None
_apply: Any = None
_vjp: Any = None


def _first_apply(*args: Any, **kwargs: Any) -> Any:
    return _write(_op, _apply)(*args, **kwargs)


def _first_vjp(node: Any, residuals: Any, g: Any, wanted: Any = None) -> Any:
    _write(_op, _apply)
    return _vjp(node, residuals, g, wanted)


def _write(op: Op, apply: FunctionType) -> FunctionType:
    """Put the generated code of ``op`` into its two functions, so that references to them stay valid."""
    space = apply.__globals__
    if op.rules or op.joint:
        op.vjp.__code__, op.vjp.__defaults__ = _executed(op, "vjp", vjp_lines(op), space)[:2]
    made = _executed(op, "apply", apply_lines(op), space)
    apply.__code__, apply.__defaults__, apply.__kwdefaults__ = made
    return apply


def source(op: Op) -> str:
    """Return the code of ``apply`` and ``vjp`` of an op, as it runs."""
    rules = ["", "", *vjp_lines(op)] if op.rules or op.joint else []
    return "\n".join([*apply_lines(op), *rules])


def run(text: str, name: str, owner: Any, space: dict[str, Any], found: dict[str, Any] | None = None) -> dict[str, Any]:
    """Run generated Python and return what it defines, in ``space`` unless ``found`` takes it.

    While its owner lives ``linecache`` holds the text: a traceback shows its lines, and a debugger steps through them.
    """
    file = f"<autograd {name} {id(owner):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    finalize(owner, linecache.cache.pop, file, None)
    found = space if found is None else found
    exec(compile(text, file, "exec"), space, found)  # noqa: S102
    return found


def _executed(op: Op, name: str, lines: Iterator[str], space: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Run the generated lines of a function of ``op``."""
    space.update({f"_rule_{i}": rule.function for i, rule in op.rules.items()})
    space.update({f"_mask_{i}": rule.function for i, rule in op.masks.items()})
    space.update({f"_default_{key}": value for key, value in op.keywords.items()})
    space.update(_forward=_OPERATORS.get(op.forward, op.forward), _apart=application.apart(op.forward))
    space["_rule"] = op.joint and op.joint.function
    space["_tensor"] = box.result_type()
    function = run("\n".join(lines) + "\n", f"{name} of {op.name}", op, space, {})[name]
    return function.__code__, function.__defaults__, function.__kwdefaults__


# -------------------------------------------------------------------------------------------------------------- select

WORDS: dict[Any, Any] = {np.dtype(np.float32): np.dtype(np.int32), np.dtype(np.float64): np.dtype(np.int64)}


def select(mask: Any, g: Any) -> Any:
    """Return ``g`` where ``mask`` holds, else 0, also where ``g`` is not finite.

    Arrays are masked by their bits: two thirds of the time of a product.
    """
    if isinstance(g, Box):
        return _traced_select(g, mask)
    word = WORDS.get(g.dtype) if type(g) is type(mask) is np.ndarray else None
    if word is None or mask.shape != g.shape:
        return np.where(mask, g, np.zeros((), g.dtype))[()]
    bits = bits_of(mask, word)
    return np.bitwise_and(bits, g.view(word), out=bits).view(g.dtype)


def bits_of(mask: Any, word: Any) -> Any:
    """Return integers of the type ``word`` of which all bits are set where ``mask`` holds, else none."""
    bits = mask.view(np.int8).astype(word)
    return np.negative(bits, out=bits)


_traced_select = compiled(
    Op(
        lambda x, mask=None: select(mask, x),
        "select",
        elementwise=True,
        vjp=lambda g: g,
        selects=lambda mask: mask,
    )
)
