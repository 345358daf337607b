"""Tell what one edge of the graph does to the gradient: ∂y/∂x in symbols, in numbers, and as a contribution."""

from dataclasses import dataclass
from math import isclose, isfinite
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.graph import Node, site_of
from autograd.viz.chain import Chain, chain_rule
from autograd.viz.formulas import as_latex, as_text, evaluate, is_whole
from autograd.viz.ledger import Ledger, shares_by_input
from autograd.viz.numbers import literal, number, short
from autograd.viz.snapshot import Snapshot, is_multiple, is_output, size


@dataclass(frozen=True, slots=True)
class Local:
    """Hold the derivative of one op by one input: names, formula, numbers; ``value`` is None for arrays."""

    y: str
    x: str
    op: str
    symbols: str
    numbers: str
    value: float | None
    latex: str
    made: str = ""
    line: str = ""  # of the user's program, where somebody watched
    convention: bool = False  # the formula has no value here, and the rule gives one
    chain: Chain | None = None  # between arrays, of which this is a part of the whole gradient
    root: str = ""

    def text(self) -> str:
        """Write ``∂y/∂x = formula = numbers = value``, without saying a thing twice."""
        if self.chain is not None:
            return f"∂{self.root}/∂{self.x} = {self.chain.text} → {self.chain.result}"
        if self.convention:
            return f"∂{self.y}/∂{self.x} = {number(self.value)} by convention ({self.symbols} has no value here)"
        last = "" if self.value is None else number(self.value)
        parts = [f"∂{self.y}/∂{self.x}", self.symbols, self.numbers, last]
        kept = [part for k, part in enumerate(parts) if part and (k == 0 or part != parts[k - 1])]
        if len(kept) > 2 and same(kept[-1], kept[-2]):
            kept.pop(-2)
        return " = ".join(kept) if len(kept) > 1 else f"{kept[0]}: the rule of {self.op}"


def same(a: str, b: str) -> bool:
    """Tell whether two texts are one number, written with more and with fewer digits."""
    try:
        return isclose(float(a), float(b), rel_tol=1e-3, abs_tol=1e-4)
    except ValueError:
        return False


def title(snap: Snapshot, i: int) -> str:
    """Name a node for formulas: its name, else ``v`` and its number."""
    return snap.name(i) or f"v{i}"


def local_derivative(snap: Snapshot, i: int, k: int, ledger: Ledger | None = None) -> Local:
    """Describe ∂(node i)/∂(its input k); with a ledger also what an op between arrays does to the gradient there."""
    node = snap.nodes[i]
    parent = snap.parents(node)[k]
    y, x = title(snap, i), title(snap, snap.at[parent])
    name = "output" if is_output(node) else node.op.name
    rule = node.op.formula[k] if k < len(node.op.formula) else None
    value, made, line = _slope(node, k), made_by(snap, i), str(site_of(node) or "")
    chain = None if ledger is None or value is not None else chain_rule(snap, ledger, i, k, title, latex_title)
    if chain is not None:
        return Local(
            y, x, name, "", "", None, chain.latex, made, line, chain=chain, root=title(snap, snap.at[snap.roots[0]])
        )
    if rule is not None and is_whole(rule):  # the gradient of an array, which is no factor
        rule = None
    if rule is None:
        return Local(y, x, name, "", "", value, "", made, line)
    names, words, numbers = node.op.inputs, {"y": y}, {"y": _written(snap.value(i))}
    for j, other in enumerate(snap.parents(node)):
        if j < len(names):
            words[names[j]] = title(snap, snap.at[other]) if other is not None else literal(node.residuals[j])
            held = literal(node.residuals[j]) if other is None else _written(snap.value(snap.at[other]))
            numbers[names[j]] = held
    known = all(text for text in numbers.values()) and value is not None
    convention = known and value is not None and isfinite(value) and not _has_value(rule, snap, i)
    tex = as_latex(rule, {key: latex_name(word) for key, word in words.items()})
    return Local(
        y,
        x,
        name,
        as_text(rule, words),
        as_text(rule, numbers) if known else "",
        value,
        rf"{number(value)} \quad \text{{by convention}}" if convention else tex,
        made,
        line,
        convention,
    )


def latex_title(snap: Snapshot, i: int) -> str:
    """Name a node for LaTeX."""
    return latex_name(title(snap, i))


@np.errstate(all="ignore")
def _has_value(rule: str, snap: Snapshot, i: int) -> bool:
    """Tell whether a formula has a finite value where an op was used: a / y has none where y is 0."""
    node = snap.nodes[i]
    parents = snap.parents(node)
    held = [node.residuals[k] if p is None else snap.value(snap.at[p]) for k, p in enumerate(parents)]
    known = dict(zip(node.op.inputs, held, strict=False)) | {"y": snap.value(i)}
    return bool(np.isfinite(evaluate(rule, {key: _element(x) for key, x in known.items()})))


def _element(x: Any) -> Any:
    return np.asarray(plain(x), np.float64).reshape(-1)[0]


def made_by(snap: Snapshot, i: int) -> str:
    """Write how a node was made: ``c = a + b`` for the operators, else ``y = tanh(x)``."""
    node = snap.nodes[i]
    if node.op is None:
        return title(snap, i)
    inputs = [
        literal(node.residuals[k]) if parent is None else title(snap, snap.at[parent])
        for k, parent in enumerate(snap.parents(node))
    ]
    if is_output(node):
        return f"{title(snap, i)} = output {node.kwargs['index']} of {inputs[0]}"
    symbol = node.op.symbol
    if len(inputs) == 2 and symbol and not symbol[0].isalpha():
        return f"{title(snap, i)} = {inputs[0]} {symbol} {inputs[1]}"
    return f"{title(snap, i)} = {node.op.name}({', '.join(inputs)})"


def made_at(snap: Snapshot, i: int) -> str:
    """Write how a node was made, and by which line of the user's where somebody watched."""
    site = site_of(snap.nodes[i])
    return f"{made_by(snap, i)} ({site})" if site else made_by(snap, i)


@np.errstate(all="ignore")
def _slope(node: Node, k: int) -> float | None:
    """Compute a local derivative between real scalars by the rule itself; None for arrays and complex numbers."""
    parent = node.parents[k]
    if is_multiple(node) or is_output(node) or is_multiple(parent) or size(node) != 1 or size(parent) != 1:
        return None
    if "c" in (node.dtype.kind, parent.dtype.kind):
        return None
    share = shares_by_input(node, np.ones(node.shape, node.dtype)[()]).get(k)
    return None if share is None else float(np.asarray(share).reshape(()))


def _written(value: Any) -> str:
    a = None if value is None else np.asarray(plain(value))
    return "" if a is None or a.size != 1 else short(a.reshape(()))


def latex_name(name: str) -> str:
    """Write a name for LaTeX: single letters with digits get an index, longer names stand upright."""
    if len(name) == 1 and name.isalpha():
        return name
    if name[:1].isalpha() and name[1:].isdigit():
        return f"{name[0]}_{{{name[1:]}}}"
    if name.replace(".", "").replace("-", "").replace("e", "").replace("+", "").isdigit():
        return name
    return rf"\mathrm{{{latex_words(name)}}}"


_SPECIAL = {
    "\\": r"\backslash ",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "^": r"\hat{}",
    "$": r"\$",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "~": r"\sim ",
    "<": r"\lt ",
    ">": r"\gt ",
}


def latex_words(text: str) -> str:
    """Escape text for LaTeX."""
    return "".join(_SPECIAL.get(c, c) for c in text)
