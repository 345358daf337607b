"""The template: the one text of ``apply`` and ``vjp`` that all ops share, filled in for an op.

``apply`` takes the arrays out of Tensors, runs the forward and leaves a node that keeps what the rules name; ``vjp``
runs the rules and gives each parent its cotangent. In the text ``x_data`` is the array of input ``x``, ``x_node`` its
node, ``x_needs`` whether a gradient flows through it, ``x_residual`` what is kept of it; of ``*args`` they are lists.
Names of the engine's own start with an underscore. Floor 4: used by :mod:`autograd.compiler`, which runs the text.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.box import SMALL
from autograd.rules import Op, Rule


class _Texts(NamedTuple):
    """Hold the expressions for all inputs together."""

    inputs: str
    data: str
    nodes: str
    needs: str  # whether any needs a gradient
    residuals: str  # one after the other


def _texts(op: Op) -> _Texts:
    if op.variadic:
        return _Texts("_inputs", "_data", "tuple(_nodes)", "True in _needs", "*_input_residuals")
    data, nodes, needs, residuals = (
        [f"{x}_{what}" for x in op.inputs] for what in ("data", "node", "needs", "residual")
    )
    return _Texts(_tuple(op.inputs), _tuple(data), _tuple(nodes), " or ".join(needs), ", ".join(residuals))


# --------------------------------------------------------------------------------------------------------------- apply


def apply_lines(op: Op) -> Iterator[str]:
    """Write ``apply``."""
    yield f"def apply({_signature(op)}):"
    for part in (_check_keywords, _read_list if op.variadic else _read_inputs, _run_forward, _keep, _make_node):
        yield from _indented(part(op))


def _signature(op: Op) -> str:
    keywords = [key if key in op.required else f"{key}=_default_{key}" for key in op.keywords]
    if op.keyword_only and not op.variadic:
        keywords.insert(len(keywords) - len(op.keyword_only), "*")
    unknown = ["**_unknown"] if "axis" in op.keywords else []  # dim=, out of habit, is told NumPy's word
    return ", ".join([f"*{op.inputs[0]}" if op.variadic else ", ".join(op.inputs), *keywords, *unknown])


def _check_keywords(op: Op) -> Iterator[str]:
    if "axis" in op.keywords:
        yield "if _unknown: raise _unexpected_keyword(_op.name, _unknown)"
    for key in op.keywords:
        yield f"if {key}.__class__ not in _PLAIN: {key} = _op.constant({key!r}, {key})"


def _read_inputs(op: Op) -> Iterator[str]:
    for x in op.inputs:
        yield f"if isinstance({x}, _Box):"
        yield f"    {x}_data = {x}._array"
        yield f"    {x}_node = {x}._node"
        yield f"    {x}_needs = {x}_node is not None and {x}_node.needs"
        yield "else:"
        yield f"    {x}_data, {x}_node, {x}_needs = _as_raw({x}, _op.name), None, False"


def _read_list(op: Op) -> Iterator[str]:
    yield f"_inputs = {op.inputs[0]}"
    yield "_data = [x._array if isinstance(x, _Box) else _as_raw(x, _op.name) for x in _inputs]"
    yield "_nodes = [x._node if isinstance(x, _Box) else None for x in _inputs]"
    yield "_needs = [node is not None and node.needs for node in _nodes]"


def _run_forward(op: Op) -> Iterator[str]:
    """Write the call of the forward, and the return of an output that needs no gradient."""
    texts = _texts(op)
    data = ["*_data"] if op.variadic else [f"{x}_data" for x in op.inputs]
    given = f"({', '.join([*data, *[f'{key}={key}' for key in op.keywords]])})"
    apart = "" if _is_numpys(op.forward) else f" if _current().tracer is None else _apart{given}"
    yield f"try: _output = _forward{given}{apart}"
    yield f"except Exception as error: raise _forward_error(error, _op, {texts.data}) from None"
    yield "_state = _current()"
    yield f"if _state.recording is not True or not ({texts.needs}):"
    yield f"    return _not_recorded(_op, {texts.inputs}, {texts.data}, _output, {_kwargs(op)})"
    if op.cache:
        yield f"_output, {', '.join(_cached(op))} = _output"
        if op.definition is None:
            yield f"_check_cache(_op, {_tuple(_cached(op))})"


def _is_numpys(forward: Any) -> bool:
    """Tell whether a forward is NumPy's own: one of ours, or of a user's, may apply ops itself."""
    return isinstance(forward, np.ufunc) or (getattr(forward, "__module__", None) or "").partition(".")[0] == "numpy"


def _keep(op: Op) -> Iterator[str]:
    """Write how shape, dtype and residuals are found: a short way for numbers from numbers, another for arrays."""
    numbers = op.elementwise and not op.variadic and not op.cache
    yield "_node_op = _op"
    if _may_look(op):
        yield "_source = None"
    yield "if _output.__class__ is _F64:"
    yield "    _shape, _dtype = (), _D64"
    if numbers:
        yield from _indented(_keep_numbers(op))
    yield "else:"
    yield from _indented(_read_output(op))
    kept = _keep_arrays(op)
    yield from _indented(kept) if numbers else kept


def _keep_numbers(op: Op) -> Iterator[str]:
    for i, x in enumerate(op.inputs):
        adopted = f"_keep_constant({x}, {x}_data, {_is_read(op, i) or False}, _dtype)"
        yield f"if {x}_node is None: {x}_node, {x}_residual = {adopted}"
        yield f"else: {x}_residual = {x}_data"
    yield f"_residuals = ({_texts(op).residuals}, _output)"


def _read_output(op: Op) -> Iterator[str]:
    """Write the tests of the output: several of them, a view of an input, a number, another dtype."""
    texts, extras = _texts(op), _tuple(_cached(op))
    yield "if _output.__class__ is not _ndarray:"
    yield "    _output = _as_arrays(_op, _output)"
    several = f"_record_outputs(_op, _op_for, {texts.inputs}, {texts.data}, _output, {_kwargs(op)}, {extras})"
    yield f"    if isinstance(_output, tuple): return {several}"
    if _may_look(op):
        alone = " or ".join(f"_output is {x}_data" for x in op.inputs)
        same = "any([x is _output for x in _data])" if op.variadic else alone
        yield f"if _output.base is not None or {same}:"
        yield f"    _output, _source = _looked_at(_output, {texts.inputs}, {texts.data})"
        yield "elif _output.__class__ is _ndarray and not _output.ndim: _output = _output[()]"
    else:
        yield "elif not _output.ndim: _output = _output[()]"
    yield "_shape, _dtype = _output.shape, _output.dtype"
    yield "if _dtype is not _D64 and _dtype is not _D32: _node_op = _op_for(_op, _dtype)"


def _keep_arrays(op: Op) -> Iterator[str]:
    """Write what is kept: what a rule that will run reads, and small values for pictures."""
    if op.variadic:
        yield "_input_residuals = _keep_inputs(_op, _inputs, _data, _nodes, _needs, _dtype)"
    else:
        yield from _keep_each(op)
    output = "(_output if _source is None else _owned(_output))" if _may_look(op) else "_output"
    read = _is_read(op, "y")
    if read != "True":
        output += f" if {f'{read} or ' if read else ''}_output.size <= {SMALL} else None"
    yield f"_residuals = ({', '.join([_texts(op).residuals, output, *_cached(op)])})"


def _keep_each(op: Op) -> Iterator[str]:
    """Write what is kept of each input: constants get a node and a copy, and a small view an array of its own."""
    for i, x in enumerate(op.inputs):
        read = _is_read(op, i)
        small = f"{x}_data.__class__ is _F64 or {x}_data.size <= {SMALL}"
        keep = f"{x}_data" if read == "True" else f"{x}_data if {f'{read} or ' if read else ''}{small} else None"
        yield f"if {x}_node is None: {x}_node, {x}_residual = _keep_constant({x}, {x}_data, {read or 'False'}, _dtype)"
        yield "else:"
        yield f"    {x}_residual = {keep}"
        yield f"    if {x}_node.__class__ is _View: {x}_residual = _owned({x}_residual)"


def _make_node(op: Op) -> Iterator[str]:
    """Write the node and the Tensor field by field: calls of ``Node`` and ``wrap`` would take twice the time."""
    texts, looks = _texts(op), _may_look(op)
    yield f"_node = _new({'_Node if _source is None else _View' if looks else '_Node'})"
    yield "_node.op = _node_op"
    yield f"_node.parents = {texts.nodes}"
    yield "_node.residuals = _residuals"
    yield f"_node.kwargs = {_kwargs(op)}"
    yield "_node.shape = _shape"
    yield "_node.dtype = _dtype"
    yield "_node.scope = _state.scope"
    yield "_node.order = _next_order()"
    yield "_node.released, _node.retain = False, 0"
    yield "_node.cotangent = _node.grad = _node.name = None"
    yield "_result = _new(_tensor)"
    yield "_result._array = _output"
    yield "_result._node = _node"
    if looks:
        yield "if _source is not None:"
        yield "    _node.root = _node.parents[_source]"
        yield f"    return _watch(_result, {texts.inputs}[_source])"
    yield "return _result"


def _may_look(op: Op) -> bool:
    """Tell whether the output may look at the memory of an input: a ufunc gives an array of its own."""
    return not isinstance(op.forward, np.ufunc)


def _is_read(op: Op, value: int | str) -> str:
    """Write when the value of an input (or ``"y"``) is read in backward: "" for never."""

    def reads(rule: Rule) -> bool:
        return value in rule.reads if isinstance(value, int) else value in rule.names

    if op.definition is not None and isinstance(value, int):
        return "True"
    chosen = [x for k, x in enumerate(op.inputs) if any(map(reads, op.rules_for(k)))]
    return "True" if len(chosen) == len(op.inputs) else " or ".join(f"{x}_needs" for x in chosen)


def _kwargs(op: Op) -> str:
    return "{" + ", ".join(f"{key!r}: {key}" for key in op.keywords) + "}" if op.keywords else "None"


def _cached(op: Op) -> list[str]:
    return [f"{name}_cached" for name in op.cache]


# ----------------------------------------------------------------------------------------------------------------- vjp


def vjp_lines(op: Op) -> Iterator[str]:
    """Write ``vjp``: the cotangents of the parents that want one, by one rule for each input, or one for all."""
    rules = _run_joint_rule if op.joint is not None else _run_rule if len(op.inputs) == 1 else _run_rules
    yield "def vjp(node, residuals, g, wanted=None):"
    for part in (_read_node, rules):
        yield from _indented(part(op))


def _read_node(op: Op) -> Iterator[str]:
    """Write the check that nothing is gone, and what the rules ask for besides values."""
    asked = {name for rule in [*op.rules.values(), *op.masks.values(), op.joint] if rule for name in rule.names}
    yield "if node.released or _versions.latest < node.order: _check(node)"
    if "arrived" in asked:
        yield "arrived = g.arrived(node) if g.__class__ is _Cotangents else (True,) * len(node.shape)"
    if "alive" in asked:
        yield "alive = g.alive(node) if g.__class__ is _Cotangents else (None,) * len(node.shape)"
    yield "if g.__class__ is _Cotangents: g = g.fill(node)"
    if op.variadic:
        yield "parents = node.parents"
        yield "needs = tuple([p is not None and p.needs and (wanted is None or p in wanted) for p in parents])"
    elif "needs" in asked or op.joint is not None:
        yield f"{', '.join(f'{x}_node' for x in op.inputs)}, = node.parents"
        for x in op.inputs:
            yield f"{x}_needs = {x}_node is not None and {x}_node.needs and (wanted is None or {x}_node in wanted)"
        yield f"needs = {_tuple(f'{x}_needs' for x in op.inputs)}"
    if "shapes" in asked:
        yield "shapes = tuple([() if p is None else p.shape for p in node.parents])"
    if asked & {*op.keywords}:
        yield "kwargs = node.kwargs"


def _run_joint_rule(op: Op) -> Iterator[str]:
    joint: Any = op.joint
    yield f"cotangents = _rule({', '.join(['g', *_arguments(op, joint)])})"
    if op.variadic:
        yield "return _joint(_op, cotangents, parents, needs)"
        return
    yield f"if cotangents.__class__ is not tuple or len(cotangents) != {len(op.inputs)}:"
    yield "    return _joint(_op, cotangents, node.parents, needs)"
    yield "pairs = []"
    for i, x in enumerate(op.inputs):
        yield f"if {x}_needs:"
        yield f"    node, cotangent = {x}_node, cotangents[{i}]"
        yield from _indented(_fit(i))
        yield "    pairs.append((node, cotangent))"
    yield "return pairs"


def _run_rule(op: Op) -> Iterator[str]:
    """Write the one rule: a node is recorded and visited only where an input wants a cotangent, this one."""
    yield _unpack_residuals(op)
    yield "(node,) = node.parents"
    yield from _cotangent(op, 0)
    yield "return ((node, cotangent),)"


def _run_rules(op: Op) -> Iterator[str]:
    yield _unpack_residuals(op)
    yield f"{', '.join(f'{x}_node' for x in op.inputs)} = node.parents"
    yield "pairs = []"
    for i, x in enumerate(op.inputs):
        yield f"node = {x}_node"
        yield "if node is not None and node.needs and (wanted is None or node in wanted):"
        yield from _indented(_cotangent(op, i))
        yield "    pairs.append((node, cotangent))"
    yield "return pairs"


def _unpack_residuals(op: Op) -> str:
    return f"{', '.join(f'{x}_residual' for x in (*op.inputs, 'y', *op.cache))} = residuals"


def _cotangent(op: Op, i: int) -> Iterator[str]:
    """Write the cotangent of input ``i``, which belongs to ``node``, in that input's shape and dtype."""
    if i not in op.rules:
        yield f"_missing_rule(_op, {i})"
        return
    yield f"cotangent = _rule_{i}({', '.join(['g', *_arguments(op, op.rules[i])])})"
    if i in op.masks:
        yield f"cotangent = _select(_mask_{i}({', '.join(_arguments(op, op.masks[i]))}), cotangent)"
    yield from _fit(i)


def _fit(i: int) -> Iterator[str]:
    fitted = f"cotangent = _fit(cotangent, node, _op, {i})"
    yield "if cotangent.__class__ is _F64:"
    yield f"    if node.shape or node.dtype is not _D64: {fitted}"
    yield (
        "elif cotangent.__class__ is not _ndarray or cotangent.dtype is not node.dtype "
        "or cotangent.shape != node.shape:"
    )
    yield f"    {fitted}"


def _arguments(op: Op, rule: Rule) -> Iterator[str]:
    """Write where each thing that a rule asks for stands."""
    for source, key in rule.sources:
        if source == "residuals":
            yield f"residuals[{key}]" if op.joint is not None else f"{(*op.inputs, 'y', *op.cache)[key]}_residual"
        elif source == "inputs":
            yield "tuple(residuals[:len(parents)])"
        else:
            yield f"kwargs[{key!r}]" if source == "kwargs" else source


def _tuple(items: Iterable[str]) -> str:
    items = list(items)
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _indented(lines: Iterable[str]) -> Iterator[str]:
    return ("    " + line for line in lines)
