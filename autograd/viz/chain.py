"""The chain rule of arrays: the gradient that one op gives an input, as its declaration writes it.

What is said is checked at once: the formula is computed, and left out where it is not what the rule gives (a reduction,
a stride, a mask that it does not tell of).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.box import plain
from autograd.graph import Node, View
from autograd.viz.formulas import as_latex, as_text, evaluate, is_whole, names
from autograd.viz.ledger import Ledger
from autograd.viz.numbers import FEW, literal, rows, shape_text
from autograd.viz.snapshot import Snapshot, is_multiple, is_output, size
from autograd.vjp import Cotangents

UPSTREAM = "g"


@dataclass(frozen=True, slots=True)
class Chain:
    """Hold how an op makes the gradient of an input: ``gᵀ @ x``, what each name stands for, and the numbers if few."""

    text: str
    where: str
    result: str
    numbers: str
    latex: str
    spaces: str


@np.errstate(all="ignore")
def chain_rule(snap: Snapshot, ledger: Ledger, i: int, k: int, title: Any, latex_title: Any) -> Chain | None:
    """Describe ∂root/∂(input k of node i) from ∂root/∂(node i); None between numbers, and where no formula is right."""
    node, parent = snap.nodes[i], snap.parents(snap.nodes[i])[k]
    g, share = ledger.grads.get(i), ledger.shares.get((i, k))
    if g is None or share is None or isinstance(g, Cotangents) or isinstance(share, Cotangents) or is_output(node):
        return None
    rule = node.op.formula[k] if k < len(node.op.formula) else None
    if rule is None and isinstance(node, View) and not is_multiple(parent):
        moved, shape = r"g \text{, back in its places}", shape_text(np.shape(share))
        here = f"{UPSTREAM} {shape_text(np.shape(g))}"
        return Chain("g, back in its places", here, shape, "", moved, _space(UPSTREAM, np.shape(g)))
    if rule is None or is_multiple(parent) or (size(node) <= 1 and size(parent) <= 1):
        return None
    whole = rule if is_whole(rule) else UPSTREAM if rule == "1" else f"g * ({rule})"
    known = _known(snap, i) | {UPSTREAM: plain(g)}
    made, summed = _computed(whole, known, np.asarray(share))
    if made is None:
        return None
    read = sorted((name for name in names(whole) if name in known), key=lambda name: name != UPSTREAM)
    fixed = {UPSTREAM: UPSTREAM} | {name: str(known[name]) for name in ("n", "rows", "d") if name in known}
    words, symbols = ({name: _word(snap, node, name, how) for name in read} | fixed for how in (title, latex_title))
    arrays = {words[name]: np.asarray(known[name]) for name in read if np.ndim(known[name])}
    first = [f"{UPSTREAM} = {literal(g)}"] if UPSTREAM in read and not np.ndim(g) else []
    where = ", ".join([*first, *(f"{name} {shape_text(a.shape)}" for name, a in arrays.items())])
    spaces = [_space(symbols[name], np.shape(known[name])) for name in read if np.ndim(known[name])]
    own = _space(latex_title(snap, snap.at[parent]), np.shape(share))
    spaces += [own] if np.ndim(share) and own not in spaces else []
    few = all(a.size <= FEW for a in (*arrays.values(), made))
    numbers = "; ".join(f"{name} = {_lines(a)}" for name, a in arrays.items()) if few else ""
    text, latex = as_text(whole, words), as_latex(whole, symbols)
    if summed:
        text, latex = f"Σ {text}", rf"\textstyle\sum {latex}"
    result = f"{shape_text(made.shape) if made.ndim else 'number'}" + (f" = {_lines(made)}" if made.size <= FEW else "")
    latex += f" = {_matrix(made)}" if few and made.ndim else ""
    return Chain(text, where, result, numbers, latex, r",\; ".join(spaces))


def _known(snap: Snapshot, i: int) -> dict[str, Any]:
    """Return the values of all names that a formula may read."""
    node = snap.nodes[i]
    known = dict(node.kwargs or {})
    for k, parent in enumerate(snap.parents(node)):
        name = node.op.argument(k)
        known[name] = plain(node.residuals[k]) if parent is None else snap.used(snap.at[parent])
    known["y"] = snap.used(i)
    first = next((np.size(x) for x in (known.get(name) for name in node.op.inputs) if x is not None), 1)
    averaged = known.get("reduction", "mean") == "mean"
    known["n"] = first // max(size(node), 1) if averaged else 1
    classes = snap.nodes[i].parents[0].shape[-1:] if snap.nodes[i].parents and snap.nodes[i].parents[0] else ()
    known["rows"] = first // max(*classes, 1) if averaged and classes else 1
    if "heads" in known and known.get("qkv") is not None:
        known["d"] = known["qkv"].shape[-1] // 3 // known["heads"]
    return known


def _computed(rule: str, known: dict[str, Any], share: Any) -> tuple[Any, bool]:
    """Compute a formula, and tell whether it is summed where an input was broadcast; None if it is not the rule's."""
    try:
        made = np.asarray(evaluate(rule, known))
    except Exception:  # what a formula needs is gone, or it does not tell of this case
        return None, False
    if "c" in (made.dtype.kind, share.dtype.kind):  # a complex one is conjugated
        return None, False
    made = made.astype(np.float64, copy=False)
    summed = False
    if made.size > share.size:
        extra = tuple(range(made.ndim - share.ndim))
        same = tuple(k for k, n in enumerate(share.shape, len(extra)) if n == 1 and made.shape[k] != 1)
        made, summed = made.sum(extra + same, keepdims=False).reshape(share.shape), True
    try:
        made = np.broadcast_to(made, share.shape)
    except ValueError:
        return None, False
    epsilon = 1e4 * float(np.finfo(share.dtype).eps)
    near = np.allclose(made, share, rtol=epsilon, atol=epsilon * float(np.abs(share).max(initial=0.0)), equal_nan=True)
    return (made, summed) if near else (None, False)


def _word(snap: Snapshot, node: Node, name: str, title: Any) -> str:
    """Name what stands at an input: the value there, a number, or else the name of the keyword."""
    if name == "y":
        return str(title(snap, snap.at[node]))
    inputs = [node.op.argument(k) for k in range(len(node.parents))]
    if name not in inputs:
        value = (node.kwargs or {}).get(name)
        return literal(value) if isinstance(value, int | float) and not isinstance(value, bool) else name
    k = inputs.index(name)
    parent = snap.parents(node)[k]
    return str(title(snap, snap.at[parent])) if parent is not None else literal(plain(node.residuals[k]))


def _space(symbol: str, shape: tuple[int, ...]) -> str:
    """Write in LaTeX of what shape an array is."""
    times = r" \times ".join(map(str, shape))
    return rf"{symbol} \in \mathbb{{R}}^{{{times}}}"


def _lines(a: Any) -> str:
    lines = rows(a)
    return lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"


def _matrix(a: Any) -> str:
    """Write a small array as a LaTeX matrix."""
    a = a.reshape(1, -1) if a.ndim == 1 else a.reshape(a.shape[0], -1)
    body = r" \\ ".join(" & ".join(f"{x:.4g}" for x in line) for line in a)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"
