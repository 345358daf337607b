"""The compiler, for one op: how it is applied and how it is walked back, written out as Python at its first use.

``apply`` runs the forward on arrays and leaves a node that keeps what the rules name; ``vjp`` runs the rules and gives
each parent its cotangent. Both come from the one template below for every op, elementwise or not, of one input or many,
of numbers or arrays; :func:`source` shows them. Floor 6: used by :mod:`autograd.primitive`.

>>> import autograd as ag
>>> print(source(ag.relu.op).splitlines()[0])
def apply(x):
"""

import linecache
import operator
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from autograd import box, recorded
from autograd.box import SMALL, Box
from autograd.graph import Node, View, next_order, versions
from autograd.hints import unexpected_keyword
from autograd.modes import current
from autograd.rules import PLAIN, Op, Rule
from autograd.vjp import Cotangents, check, fit, joint_shares, missing_rule

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
    "_adopt": recorded.adopt,
    "_as_raw": box.as_raw,
    "_check": check,
    "_checked": recorded.checked,
    "_constants": recorded.constants,
    "_current": current,
    "_failed": recorded.failed,
    "_finish": recorded.finish,
    "_fit": fit,
    "_joint": joint_shares,
    "_missing_rule": missing_rule,
    "_ndarray": np.ndarray,
    "_new": object.__new__,
    "_next_order": next_order,
    "_own": recorded.own,
    "_several": recorded.several,
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
    space["_standing"] = standing
    space["_apply"] = apply = op.apply = FunctionType(_first_apply.__code__, space, op.name)
    return apply


def standing(op: Op, *dtypes: Any) -> Op:
    """Return what stands on the node of results of other dtypes than float64 and float32: for complex ones a twin.

    The rules of the twin are conjugated, as the gradient of a real L is ∂L/∂Re + i ∂L/∂Im. An op that is not
    holomorphic has rules that are right for complex numbers as they are, and so has one that only moves elements.
    Raises DTypeError for an op of real numbers.
    """
    for dtype in dtypes:
        recorded.floating(op, dtype)
    if op.as_written or not any(dtype.kind == "c" for dtype in dtypes):
        return op
    if op.holomorphic is None:
        raise recorded.real_only(op.name)
    twin = getattr(op, "conjugated", None)
    if twin is None:
        twin = op.with_conjugated_rules()
        compiled(twin)
        op.conjugated = twin.conjugated = twin
    return twin


def _first_apply(*args: Any, **kwargs: Any) -> Any:
    return _write(_op, _apply)(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821


def _first_vjp(node: Any, residuals: Any, g: Any, wanted: Any = None) -> Any:
    _write(_op, _apply)  # type: ignore[name-defined]  # noqa: F821
    return _vjp(node, residuals, g, wanted)  # type: ignore[name-defined]  # noqa: F821


def _write(op: Op, apply: FunctionType) -> FunctionType:
    """Write both functions of ``op`` into those that stand for them: whoever holds these need not know."""
    space = apply.__globals__
    if op.rules or op.joint:
        op.vjp.__code__, op.vjp.__defaults__ = _executed(op, "vjp", _vjp_lines(op), space)[:2]
    made = _executed(op, "apply", _apply_lines(op), space)
    apply.__code__, apply.__defaults__, apply.__kwdefaults__ = made
    return apply


def source(op: Op) -> str:
    """Return the code of ``apply`` and ``vjp`` of an op, as it runs."""
    rules = ["", "", *_vjp_lines(op)] if op.rules or op.joint else []
    return "\n".join([*_apply_lines(op), *rules])


def _executed(op: Op, name: str, lines: Iterator[str], space: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Run generated lines; ``linecache`` holds them, so that a traceback shows them and a debugger steps through."""
    text, file = "\n".join(lines) + "\n", f"<autograd {name} of {op.name} {id(op):x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space.update({f"_rule_{i}": rule.function for i, rule in op.rules.items()})
    space.update({f"_mask_{i}": rule.function for i, rule in _masks(op).items()})
    space.update({f"_default_{key}": value for key, value in op.keywords.items()})
    space.update(_forward=_OPERATORS.get(op.forward, op.forward), _rule=op.joint and op.joint.function)
    space["_tensor"] = box.result_type()
    found: dict[str, Any] = {}
    exec(compile(text, file, "exec"), space, found)  # noqa: S102
    function = found[name]
    return function.__code__, function.__defaults__, function.__kwdefaults__


def _masks(op: Op) -> dict[int, Rule]:
    return op.selects if isinstance(op.selects, dict) else {}


# --------------------------------------------------------------------------------------------------------------- apply


def _apply_lines(op: Op) -> Iterator[str]:
    yield f"def apply({_signature(op)}):"
    if "axis" in op.keywords:
        yield "    if _unknown: raise _unexpected_keyword(_op.name, _unknown)"
    for key in op.keywords:
        yield f"    if {key}.__class__ not in _PLAIN: {key} = _op.constant({key!r}, {key})"
    keywords = "{" + ", ".join(f"{key!r}: {key}" for key in op.keywords) + "}" if op.keywords else "None"
    passed = ", ".join(["*_data" if op.variadic else _list(f"{x}_data" for x in op.inputs), *_passed(op)]).strip(", ")
    yield from _variadic_inputs(op) if op.variadic else _inputs(op)
    inputs, data, nodes, needs, kept = (
        ("_inputs", "_data", "_nodes", "True in _needs", "_kept")
        if op.variadic
        else (
            _tuple(op.inputs),
            _tuple(f"{x}_data" for x in op.inputs),
            _tuple(f"{x}_node" for x in op.inputs),
            " or ".join(f"{x}_needs" for x in op.inputs),
            _list(f"{x}_kept" for x in op.inputs),
        )
    )
    yield f"    try: _output = _forward({passed})"
    yield f"    except Exception as error: raise _failed(error, _op, {data}) from None"
    yield "    _state = _current()"
    yield f"    if _state.recording is not True or not ({needs}):"
    yield f"        return _finish(_op, {inputs}, {data}, _output, {keywords})"
    if op.cache:
        yield f"    _output, {', '.join(f'{name}_cached' for name in op.cache)} = _output"
        if op.definition is None:
            yield f"    _constants(_op, {_tuple(f'{name}_cached' for name in op.cache)})"
    extras = "".join(f", {name}_cached" for name in op.cache)
    views = not isinstance(op.forward, np.ufunc)  # the others give an array of their own
    numbers = op.elementwise and not op.variadic and not op.cache  # a number comes of numbers only
    residuals = f"({'*_kept' if op.variadic else kept}, _output{extras})"
    yield "    _standing_op = _op"
    if views:
        yield "    _source = None"
    yield "    if _output.__class__ is _F64:"
    yield "        _shape, _dtype = (), _D64"
    if numbers:
        for i, x in enumerate(op.inputs):
            adopted = f"_adopt({x}, {x}_data, {_reading(op, i) or False}, _dtype)"
            yield f"        if {x}_node is None: {x}_node, {x}_kept = {adopted}"
            yield f"        else: {x}_kept = {x}_data"
        yield f"        _residuals = {residuals}"
    yield "    else:"
    yield "        if _output.__class__ is not _ndarray:"
    yield "            _output = _checked(_op, _output)"
    yield (
        f"            if isinstance(_output, tuple): "
        f"return _several(_op, _standing, {inputs}, {data}, _output, {keywords}, ({extras[2:]}{',' if extras else ''}))"
    )
    if views:
        same = "any([x is _output for x in _data])" if op.variadic else _or(f"_output is {x}_data" for x in op.inputs)
        yield f"        if _output.base is not None or {same}:"
        yield f"            _output, _source = _looked_at(_output, {inputs}, {data})"
        yield "        elif _output.__class__ is _ndarray and not _output.ndim: _output = _output[()]"
    else:
        yield "        elif not _output.ndim: _output = _output[()]"
    yield "        _shape, _dtype = _output.shape, _output.dtype"
    yield "        if _dtype is not _D64 and _dtype is not _D32: _standing_op = _standing(_op, _dtype)"
    read = _reading(op, "y")
    size = "" if read == "True" else f" if {f'{read} or ' if read else ''}_output.size <= {SMALL} else None"
    indent = "    " if numbers else ""
    yield from (indent + line for line in (_variadic_kept(op) if op.variadic else _kept(op)))
    # A small view must not keep the large array behind it.
    output = "(_output if _source is None else _own(_output))" if views else "_output"
    yield f"{indent}    _residuals = {residuals.replace('_output', output + size, 1)}"
    yield f"    _node = _new({'_Node if _source is None else _View' if views else '_Node'})"
    yield "    _node.op = _standing_op"
    yield f"    _node.parents = {nodes if not op.variadic else 'tuple(_nodes)'}"
    yield "    _node.residuals = _residuals"
    yield f"    _node.kwargs = {keywords}"
    yield "    _node.shape = _shape"
    yield "    _node.dtype = _dtype"
    yield "    _node.scope = _state.scope"
    yield "    _node.order = _next_order()"
    yield "    _node.released, _node.retain = False, 0"
    yield "    _node.cotangent = _node.grad = _node.name = None"
    yield "    _result = _new(_tensor)"
    yield "    _result._array = _output"
    yield "    _result._node = _node"
    if views:
        yield "    if _source is not None:"
        yield "        _node.root = _node.parents[_source]"
        yield f"        return _watch(_result, {inputs}[_source])"
    yield "    return _result"


def _signature(op: Op) -> str:
    keywords = [key if key in op.required else f"{key}=_default_{key}" for key in op.keywords]
    if op.keyword_only and not op.variadic:
        keywords.insert(len(keywords) - len(op.keyword_only), "*")
    unknown = ["**_unknown"] if "axis" in op.keywords else []  # dim=, out of habit, is told NumPy's word
    return ", ".join([f"*{op.inputs[0]}" if op.variadic else ", ".join(op.inputs), *keywords, *unknown])


def _passed(op: Op) -> list[str]:
    return [f"{key}={key}" for key in op.keywords]


def _inputs(op: Op) -> Iterator[str]:
    for x in op.inputs:
        yield f"    if isinstance({x}, _Box):"
        yield f"        {x}_data = {x}._array"
        yield f"        {x}_node = {x}._node"
        yield f"        {x}_needs = {x}_node is not None and {x}_node.needs"
        yield "    else:"
        yield f"        {x}_data, {x}_node, {x}_needs = _as_raw({x}, _op.name), None, False"


def _kept(op: Op) -> Iterator[str]:
    """Keep what a rule that will run reads, and small values for pictures; constants get a node and a copy."""
    for i, x in enumerate(op.inputs):
        read = _reading(op, i)
        small = f"{x}_data.__class__ is _F64 or {x}_data.size <= {SMALL}"
        keep = f"{x}_data" if read == "True" else f"{x}_data if {f'{read} or ' if read else ''}{small} else None"
        yield f"    if {x}_node is None: {x}_node, {x}_kept = _adopt({x}, {x}_data, {read or 'False'}, _dtype)"
        yield "    else:"
        yield f"        {x}_kept = {keep}"
        yield f"        if {x}_node.__class__ is _View: {x}_kept = _own({x}_kept)"


def _reading(op: Op, value: int | str) -> str:
    """Write when the value of an input (or ``"y"``) is read in backward: "" for never."""

    def reads(rule: Rule) -> bool:
        return value in rule.reads if isinstance(value, int) else value in rule.names

    if op.definition is not None and isinstance(value, int):
        return "True"
    if op.joint is not None:
        return "True" if reads(op.joint) else ""
    every = [[rules[k] for rules in (op.rules, _masks(op)) if k in rules] for k in range(len(op.inputs))]
    chosen = [x for x, rules in zip(op.inputs, every, strict=True) if any(map(reads, rules))]
    return "True" if len(chosen) == len(op.inputs) else " or ".join(f"{x}_needs" for x in chosen)


def _variadic_inputs(op: Op) -> Iterator[str]:
    yield f"    _inputs = {op.inputs[0]}"
    yield "    _data = [x._array if isinstance(x, _Box) else _as_raw(x, _op.name) for x in _inputs]"
    yield "    _nodes = [x._node if isinstance(x, _Box) else None for x in _inputs]"
    yield "    _needs = [node is not None and node.needs for node in _nodes]"


def _variadic_kept(op: Op) -> Iterator[str]:
    read = bool(op.reads([True]))
    yield "    _kept = []"
    yield "    for _i, (_x, _array) in enumerate(zip(_inputs, _data)):"
    yield "        if _nodes[_i] is None:"
    yield f"            _nodes[_i], _array = _adopt(_x, _array, {read}, _dtype)"
    yield "        else:"
    if not read:
        yield f"            if _array.size > {SMALL}: _array = None"
    yield "            if _nodes[_i].__class__ is _View: _array = _own(_array)"
    yield "        _kept.append(_array)"


# ----------------------------------------------------------------------------------------------------------------- vjp


def _vjp_lines(op: Op) -> Iterator[str]:
    yield "def vjp(node, residuals, g, wanted=None):"
    yield "    if node.released or _versions.latest < node.order: _check(node)"
    if "arrived" in _asked(op):
        yield "    arrived = g.arrived(node) if g.__class__ is _Cotangents else (True,) * len(node.shape)"
    yield "    if g.__class__ is _Cotangents: g = g.fill(node)"
    asked = _asked(op)
    if op.variadic:
        yield "    parents = node.parents"
        yield "    needs = tuple([p is not None and p.needs and (wanted is None or p in wanted) for p in parents])"
    elif "needs" in asked or op.joint is not None:
        yield f"    {_list(f'{x}_node' for x in op.inputs)}, = node.parents"
        for x in op.inputs:
            yield f"    {x}_needs = {x}_node is not None and {x}_node.needs and (wanted is None or {x}_node in wanted)"
        yield f"    needs = {_tuple(f'{x}_needs' for x in op.inputs)}"
    if "shapes" in asked:
        yield "    shapes = tuple([() if p is None else p.shape for p in node.parents])"
    if asked & {*op.keywords}:
        yield "    kwargs = node.kwargs"
    if op.joint is not None:
        yield f"    shares = _rule({', '.join(['g', *_arguments(op, op.joint)])})"
        if op.variadic:
            yield "    return _joint(_op, shares, parents, needs)"
            return
        yield f"    if shares.__class__ is not tuple or len(shares) != {len(op.inputs)}:"
        yield "        return _joint(_op, shares, node.parents, needs)"
        yield "    pairs = []"
        for i, x in enumerate(op.inputs):
            yield f"    if {x}_needs:"
            yield f"        node, share = {x}_node, shares[{i}]"
            yield from ("        " + line for line in _fitted(i))
            yield "        pairs.append((node, share))"
        yield "    return pairs"
        return
    yield f"    {_list(f'{x}_kept' for x in (*op.inputs, 'y', *op.cache))} = residuals"
    if len(op.inputs) == 1:  # a node is recorded and visited only where an input wants a cotangent: this one
        yield "    (node,) = node.parents"
        yield from ("    " + line for line in _share(op, 0))
        yield "    return ((node, share),)"
        return
    yield f"    {_list(f'{x}_node' for x in op.inputs)} = node.parents"
    yield "    shares = []"
    for i, x in enumerate(op.inputs):
        yield f"    node = {x}_node"
        yield "    if node is not None and node.needs and (wanted is None or node in wanted):"
        yield from ("        " + line for line in _share(op, i))
        yield "        shares.append((node, share))"
    yield "    return shares"


def _share(op: Op, i: int) -> Iterator[str]:
    """Write the cotangent of input ``i``, which belongs to ``node``, in that input's shape and dtype."""
    if i not in op.rules:
        yield f"_missing_rule(_op, {i})"
        return
    yield f"share = _rule_{i}({', '.join(['g', *_arguments(op, op.rules[i])])})"
    if i in _masks(op):
        yield f"share = _select(_mask_{i}({', '.join(_arguments(op, _masks(op)[i]))}), share)"
    yield from _fitted(i)


def _fitted(i: int) -> Iterator[str]:
    yield "if share.__class__ is _F64:"
    yield f"    if node.shape or node.dtype is not _D64: share = _fit(share, node, _op, {i})"
    yield "elif share.__class__ is not _ndarray or share.dtype is not node.dtype or share.shape != node.shape:"
    yield f"    share = _fit(share, node, _op, {i})"


def _asked(op: Op) -> set[str]:
    rules = [*op.rules.values(), *_masks(op).values(), *([op.joint] if op.joint else [])]
    return {name for rule in rules for name in rule.names}


def _arguments(op: Op, rule: Rule) -> Iterator[str]:
    """Write where each thing that a rule asks for stands."""
    split = op.joint is None
    for name in rule.names:
        if name in op.inputs and op.variadic:
            yield "tuple(residuals[:len(parents)])"
        elif name in op.inputs:
            yield f"{name}_kept" if split else f"residuals[{op.inputs.index(name)}]"
        elif name in ("y", *op.cache):
            at = ("y", *op.cache).index(name)
            yield f"{name}_kept" if split else f"residuals[{at - 1 - len(op.cache)}]"
        else:
            yield f"kwargs[{name!r}]" if name in op.keywords else name


def _list(items: Any) -> str:
    return ", ".join(items)


def _tuple(items: Any) -> str:
    items = list(items)
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _or(items: Any) -> str:
    return " or ".join(items)


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
