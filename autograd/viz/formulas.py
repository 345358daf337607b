"""Local derivatives in symbols and in numbers: the ``formula`` of an op's declaration, written as text and as LaTeX.

A formula is a Python expression. The names in it are those of the op's inputs, ``y`` is its output; ``[a > b]`` is 1
where it holds and 0 elsewhere. One in which ``g`` stands, the gradient that arrived, says the whole gradient of an
input and not a factor of it: ``g.T @ x``, with ``n`` or ``rows`` for how many elements or rows a mean is over.
Assignments may stand before it: ``P = softmax(q @ k.T); P.T @ g``. A test holds every formula against the rule that
stands beside it.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd.viz import matrices

_SIGNS: dict[type[ast.AST], tuple[str, str, int, Callable[[Any, Any], Any]]] = {
    ast.Add: (" + ", " + ", 1, operator.add), ast.Sub: (" − ", " - ", 1, operator.sub),
    ast.Mult: ("·", r" \cdot ", 2, operator.mul),
    ast.Div: ("/", "", 2, operator.truediv), ast.Pow: ("^", "", 4, operator.pow),
    ast.MatMult: (" @ ", r"\, ", 2, operator.matmul),
}  # fmt: skip
_FUNCTIONS: dict[str, tuple[str, str, Callable[..., Any]]] = {
    "log": ("ln", r"\ln", np.log), "exp": ("exp", r"\exp", np.exp), "sin": ("sin", r"\sin", np.sin),
    "cos": ("cos", r"\cos", np.cos),
    "sinh": ("sinh", r"\sinh", np.sinh), "cosh": ("cosh", r"\cosh", np.cosh), "sqrt": ("√", r"\sqrt", np.sqrt),
    "sign": ("sign", r"\operatorname{sign}", np.sign), "sigmoid": ("σ", r"\sigma", lambda x: 1 / (1 + np.exp(-x))),
    "softmax": ("softmax", r"\operatorname{softmax}", matrices.softmax),
    "sum_rows": ("Σ rows", r"\textstyle\sum_{\text{rows}}", matrices.sum_rows),
    "row_sums": ("Σ each row", r"\textstyle\sum_{\text{each row}}", matrices.row_sums),
    "sum_channels": ("Σ each channel", r"\textstyle\sum_{\text{each channel}}", matrices.sum_channels),
    "onehot": ("onehot", r"\operatorname{onehot}", matrices.onehot),
    "head": ("heads", r"\operatorname{heads}", matrices.head),
    "side_by_side": ("join", r"\operatorname{join}", matrices.side_by_side),
    "correlate": ("correlate", r"\operatorname{correlate}", matrices.correlate),
    "convolve": ("convolve", r"\operatorname{convolve}", matrices.convolve),
}  # fmt: skip
_SUPERSCRIPT = {"2": "²", "3": "³"}


def as_text(expression: str, words: Mapping[str, str]) -> str:
    """Write a formula as plain text, with ``words`` in place of its names.

    >>> as_text("1 - y**2", {"y": "tanh"}), as_text("-a / b**2", {"a": "-2", "b": "3"})
    ('1 − tanh²', '−(-2)/3²')
    """
    where, last = _parse(expression)
    words = dict(words) | {name: name for name, _ in where}
    rest = ", ".join(f"{name} = {_text(part, words)[0]}" for name, part in where)
    return _text(last, words)[0] + (f" where {rest}" if rest else "")


def as_latex(expression: str, words: Mapping[str, str]) -> str:
    """Write a formula as LaTeX, with ``words`` in place of its names."""
    where, last = _parse(expression)
    words = dict(words) | {name: name for name, _ in where}
    rest = r",\; ".join(f"{name} = {_latex(part, words)[0]}" for name, part in where)
    return _latex(last, words)[0] + (rf" \quad \text{{where }} {rest}" if rest else "")


def evaluate(expression: str, values: Mapping[str, Any]) -> Any:
    """Compute a formula from numbers."""
    where, last = _parse(expression)
    known = dict(values)
    for name, part in where:
        known[name] = _value(part, known)
    return _value(last, known)


def names(expression: str) -> list[str]:
    """List the names that a formula reads, in order: functions and what it assigns itself are none."""
    where, last = _parse(expression)
    own = {name for name, _ in where} | _FUNCTIONS.keys() | {"pi"}
    found = [
        node.id for part in (*(p for _, p in where), last) for node in ast.walk(part) if isinstance(node, ast.Name)
    ]
    return [name for name in dict.fromkeys(found) if name not in own]


def is_whole(expression: str) -> bool:
    """Tell whether a formula is the whole gradient of an input, made from the one that arrived."""
    return "g" in names(expression)


def _parse(expression: str) -> tuple[list[tuple[str, ast.expr]], ast.expr]:
    """Return the assignments of a formula, and its last expression."""
    *before, last = ast.parse(expression).body
    if not isinstance(last, ast.Expr):
        raise ValueError(f"formula {expression!r} ends in no expression")
    where = []
    for line in before:
        if not isinstance(line, ast.Assign) or not isinstance(line.targets[0], ast.Name):
            raise ValueError(f"formula part {ast.dump(line)} is not supported")
        where.append((line.targets[0].id, line.value))
    return where, last.value


def _wrap(part: tuple[str, int], least: int, brackets: str = "()") -> str:
    return part[0] if part[1] >= least else f"{brackets[0]}{part[0]}{brackets[1]}"


def _text(node: ast.expr, words: Mapping[str, str]) -> tuple[str, int]:
    """Write a part and say how tightly it binds (1: sum, 2: product, 3: sign, 4: power, 5: a word)."""
    if isinstance(node, ast.Name):
        word = words.get(node.id, "π" if node.id == "pi" else node.id)
        return word, 5 if word[:1] not in "-−" and " " not in word else 0
    if isinstance(node, ast.Constant):
        return str(node.value), 5
    if isinstance(node, ast.UnaryOp):
        return "−" + _wrap(_text(node.operand, words), 2), 2
    if isinstance(node, ast.BinOp):
        sign, _, binds, _ = _SIGNS[type(node.op)]
        left, right = _text(node.left, words), _text(node.right, words)
        if isinstance(node.op, ast.Pow):
            return _wrap(left, 5) + (_SUPERSCRIPT.get(right[0]) or f"^{_wrap(right, 5)}"), 4
        return _wrap(left, binds) + sign + _wrap(right, binds + (isinstance(node.op, ast.Div | ast.Sub))), binds
    if isinstance(node, ast.List):
        return f"[{_compare(node, lambda part: _text(part, words)[0])}]", 5
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return _wrap(_text(node.value, words), 5) + "ᵀ", 5
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return f"{_FUNCTIONS[node.func.id][0]}({', '.join(_text(arg, words)[0] for arg in node.args)})", 5
    raise ValueError(f"formula part {ast.dump(node)} is not supported")


def _latex(node: ast.expr, words: Mapping[str, str]) -> tuple[str, int]:
    if isinstance(node, ast.Name):
        word = words.get(node.id, r"\pi" if node.id == "pi" else node.id)
        return word, 5 if word[:1] != "-" else 0
    if isinstance(node, ast.Constant):
        return str(node.value), 5
    if isinstance(node, ast.UnaryOp):
        return "-" + _wrap(_latex(node.operand, words), 2), 2
    if isinstance(node, ast.BinOp):
        _, sign, binds, _ = _SIGNS[type(node.op)]
        left, right = _latex(node.left, words), _latex(node.right, words)
        if isinstance(node.op, ast.Div):
            return rf"\frac{{{left[0]}}}{{{right[0]}}}", 5
        if isinstance(node.op, ast.Pow):
            return f"{_wrap(left, 5)}^{{{right[0]}}}", 4
        return _wrap(left, binds) + sign + _wrap(right, binds + isinstance(node.op, ast.Sub)), binds
    if isinstance(node, ast.List):
        return f"[{_compare(node, lambda part: _latex(part, words)[0])}]", 5
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return _wrap(_latex(node.value, words), 5) + r"^{\top}", 5
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inner, command = ", ".join(_latex(arg, words)[0] for arg in node.args), _FUNCTIONS[node.func.id][1]
        return f"{command}{{{inner}}}" if command == r"\sqrt" else f"{command}({inner})", 5
    raise ValueError(f"formula part {ast.dump(node)} is not supported")


def _compare(node: ast.List, write: Callable[[ast.expr], str]) -> str:
    test = node.elts[0]
    if not isinstance(test, ast.Compare):
        raise ValueError("brackets hold one comparison")
    sign = {ast.Gt: " > ", ast.Lt: " < ", ast.Eq: " = "}[type(test.ops[0])]
    return write(test.left) + sign + write(test.comparators[0])


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return np.pi if node.id == "pi" else values[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp):
        return -_value(node.operand, values)
    if isinstance(node, ast.BinOp):
        return _SIGNS[type(node.op)][3](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.List) and isinstance(node.elts[0], ast.Compare):
        left, right = (_value(part, values) for part in (node.elts[0].left, node.elts[0].comparators[0]))
        test = {ast.Gt: operator.gt, ast.Lt: operator.lt, ast.Eq: operator.eq}[type(node.elts[0].ops[0])]
        return np.asarray(test(left, right), np.float64)[()]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return matrices.transposed(_value(node.value, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        function, inner = _FUNCTIONS[node.func.id][2], [_value(arg, values) for arg in node.args]
        return function(*inner, values) if node.func.id in matrices.WITH_KEYWORDS else function(*inner)
    raise ValueError(f"formula part {ast.dump(node)} is not supported")
