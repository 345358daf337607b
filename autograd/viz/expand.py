"""Open fused ops into their definition: the same maths in plain ops, drawn in a frame in place of the op."""

from typing import Any

from autograd.box import Box, plain, wrap
from autograd.differentiate import GONE
from autograd.errors import ArgumentError
from autograd.graph import Leaf, Node, ancestors, keep_site
from autograd.modes import Scope, enable_grad
from autograd.viz.snapshot import DEFINITION, Opened, Snapshot, is_multiple, is_output


def open_ops(snap: Snapshot, what: Any) -> Opened | None:
    """Run the definition of every chosen op again (``True``: all; names; Tensors); note what stands for what.

    A program that was compiled is opened in any case. None where there is nothing to open.

    An op whose inputs backward has released stays closed, and a note says so.
    """
    opened, chosen = Opened(), _chooser(what or ())
    if not what and not any(map(_is_program, snap.nodes)):
        return None
    for i, node in enumerate(snap.nodes):
        fused = node.op is not None and getattr(node.op, "definition", None) is not None
        if not fused or not (chosen(node) or _is_program(node)):
            continue
        count = len(node.parents) - node.op.closed_over(node)
        gone = any(value is GONE for value in (node.kwargs or {}).values())
        if gone or any(value is None for value in node.residuals[:count]):
            opened.notes.append(
                f"{node.op.name} stays closed: backward released its inputs (retain_graph=True keeps them)"
            )
            continue
        _open(snap, opened, i, node, count)
    return opened


def _is_program(node: Node) -> bool:
    return getattr(node.op, "unfolds", False)


def _chooser(what: Any) -> Any:
    if what is True:
        return lambda node: True
    wanted = [what] if isinstance(what, str | Box) else list(what)
    if not all(isinstance(each, str | Box) for each in wanted):
        raise ArgumentError("expand must be True, names of ops, or Tensors that fused ops made.")
    names = {each for each in wanted if isinstance(each, str)}
    nodes = {each._node for each in wanted if isinstance(each, Box)}
    nodes |= {node.parents[0] for node in nodes if node is not None and is_output(node)}
    return lambda node: node.op.name in names or node in nodes


def _open(snap: Snapshot, opened: Opened, i: int, node: Node, count: int) -> None:
    inputs = list(node.residuals[:count])
    for k, parent in enumerate(node.parents[:count]):
        if parent is not None:
            stand_in = Leaf(inputs[k], parent.shape, parent.dtype, parent.needs)
            opened.alias[stand_in] = opened.alias.get(parent, parent)
            inputs[k] = wrap(inputs[k], stand_in)
    with enable_grad():
        result = node.op.definition(*inputs, **(node.kwargs or {}))
    scope = Scope(f"{node.scope.path}.{node.op.name}" if node.scope else node.op.name, DEFINITION, node.scope, {})
    outputs = result if isinstance(result, tuple) else (result,)
    roots = [part._node if isinstance(part, Box) else None for part in outputs]
    seen: set[Node] = set()
    for root in roots:
        for inner in ancestors(root) if root is not None else ():
            if inner not in opened.alias and inner.order < node.order and inner not in seen and inner not in snap.at:
                seen.add(inner)
                inner.scope = scope
                keep_site(node, inner)
    for age, inner in enumerate(sorted(seen, key=lambda each: -each.order)):
        opened.ages[inner] = (-node.order, age)
    originals = _outputs(snap, i, node)
    for k, original in originals.items():
        root = roots[k]
        if root is not None:
            opened.alias[original] = root
            if original.cotangent is not None:
                opened.given[root] = plain(original.cotangent)


def _outputs(snap: Snapshot, i: int, node: Node) -> dict[int, Node]:
    """List the nodes that stand for the outputs of an op, by position."""
    if not is_multiple(node):
        return {0: node}
    return {
        snap.nodes[user].kwargs["index"]: snap.nodes[user] for user, _ in snap.users[i] if is_output(snap.nodes[user])
    }
