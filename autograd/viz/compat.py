"""The picture calls of micrograd, torchviz, DeZero and MyGrad, so that a lecture runs by changing one import.

All give a ``graphviz.Digraph`` that draws itself with whatever layout engine is there (see ``engine``), not only with
a ``dot`` on PATH.
"""

import functools
import importlib
import os
import pathlib
from collections.abc import Mapping
from typing import Any, ClassVar

from autograd.errors import ArgumentError, missing
from autograd.viz.engine import layout
from autograd.viz.escape import clean, quoted, record, shorten
from autograd.viz.fitting import build
from autograd.viz.model import NOT_KEPT, Item, View
from autograd.viz.numbers import number, one_line, shape_text, short, spread
from autograd.viz.snapshot import as_roots
from autograd.viz.theme import FONT, MONO


@functools.cache
def digraph_class() -> Any:
    """Make the Digraph that finds its own layout engine; the ``graphviz`` package loads here, at the first picture."""
    try:
        graphviz = importlib.import_module("graphviz")
    except ImportError as error:
        raise missing("a graphviz.Digraph", "digraph", error) from None

    class Digraph(graphviz.Digraph):  # type: ignore[misc, name-defined]
        """Be a ``graphviz.Digraph`` that needs no ``dot`` on PATH and never raises in a notebook."""

        folded: ClassVar[list[str]] = []

        def pipe(self, format: str | None = None, *args: Any, encoding: str | None = None, **kwargs: Any) -> Any:
            """Return the drawn bytes (or text, with ``encoding``)."""
            data = layout(self.source, format or self.format)
            return data if encoding is None else data.decode(encoding)

        def render(
            self,
            filename: Any = None,
            directory: Any = None,
            view: bool = False,
            cleanup: bool = False,
            format: str | None = None,
            *args: Any,
            outfile: Any = None,
            **kwargs: Any,
        ) -> str:
            """Write the picture, and the DOT text beside it unless ``cleanup``; ``view`` is ignored."""
            kind = format or (pathlib.Path(outfile).suffix[1:] if outfile else "") or self.format
            base = pathlib.Path(directory or ".") / (filename or self.filename)
            target = pathlib.Path(outfile) if outfile else base.with_name(f"{base.name}.{kind}")
            target.write_bytes(layout(self.source, kind))
            if not cleanup and not outfile:
                base.write_text(self.source, encoding="utf-8")
            return str(target)

        def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **kwargs: Any) -> dict[str, Any]:
            try:
                return {"image/svg+xml": self.pipe("svg", encoding="utf-8"), "text/plain": self.source}
            except Exception as error:  # whatever happens, a notebook cell shows something
                return {"text/plain": f"{error}\n\n{self.source}"}

    return Digraph


def _digraph(format: str, view: View, **attributes: str) -> Any:
    if format not in ("svg", "png", "pdf"):
        raise ArgumentError(f"format must be svg, png or pdf; got {format!r}.")
    graph = digraph_class()(
        format=format, graph_attr=attributes, node_attr={"fontname": FONT}, edge_attr={"fontname": FONT}
    )
    graph.folded = list(view.folded)
    if view.folded:
        graph.attr(label=_string("folded: " + "; ".join(view.folded)), labelloc="b")
    return graph


def _string(text: Any) -> str:
    """Escape text for a label for the graphviz package: shown literally, line breaks kept, never HTML."""
    shown = "\\n".join(clean(line).replace("\\", "\\\\") for line in str(text).split("\n"))
    return f"\u200b{shown}" if shown.startswith("<") else shown


def _view(root: Any, what: str, max_nodes: int, names: Mapping[str, Any] | None = None) -> View:
    return build(as_roots(root, what), names=names, max_nodes=max_nodes)


def draw_dot(
    root: Any, format: str = "svg", rankdir: str = "LR", *, max_nodes: int = 500, names: Mapping[str, Any] | None = None
) -> Any:
    """Draw as micrograd does: boxes ``name | data 4.0000 | grad 138.8338`` and op nodes, in a ``graphviz.Digraph``.

    A gradient that backward has not computed is ``grad –``, never 0; arrays show their numbers, or mean ± standard
    deviation.

    >>> import autograd as ag
    >>> a = ag.Tensor(2.0, requires_grad=True, name="a")
    >>> print("a | data 2.0000" in ag.draw_dot(a * 3.0).source)
    True
    """
    if rankdir not in ("LR", "TB"):
        raise ArgumentError(f"rankdir must be 'LR' or 'TB', got {rankdir!r}.")
    view = _view(root, "draw_dot", max_nodes, names)
    dot = _digraph(format, view, rankdir=rankdir)
    for item in view.items:
        if item.kind == "outputs":
            dot.node(item.id, label=_string(item.symbol))
            continue
        dot.node(item.id, label=_record(item), shape="record")
        if item.kind == "value" and item.op:
            dot.node(item.id + "o", label=_string(item.symbol))
            dot.edge(item.id + "o", item.id)
    for source, target in _wires(view):
        dot.edge(source, target)
    return dot


def _record(item: Item) -> str:
    if item.kind == "ref":
        return record(item.name)
    name = record(item.name) if item.name else ""
    if item.kind == "fold":
        facts = [record(f"{word} {text}") for word, text in item.facts[:4]]
        return f"{{ {' | '.join([name, *facts])} }}"
    data = NOT_KEPT if item.value is None else number(item.value) if not item.shape else one_line(item.value)
    grad = (
        "–" if item.state in ("none", "lost", "const") else number(item.grad) if not item.shape else one_line(item.grad)
    )
    return f"{{ {name} | data {record(data)} | grad {record(grad)} }}"


def _wires(view: View) -> list[tuple[str, str]]:
    ops = {item.id for item in view.items if item.kind == "value" and item.op}
    return [(arrow.source, arrow.target + ("o" if arrow.target in ops else "")) for arrow in view.arrows]


def make_dot(
    var: Any,
    params: Mapping[str, Any] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    *,
    max_nodes: int = 500,
) -> Any:
    """Draw the backward graph as torchviz does: blue leaves, green result, grey ops, orange saved arrays.

    ``params`` names tensors (``dict(model.named_parameters())``); ``show_attrs`` lists an op's keywords,
    ``show_saved`` what it keeps.

    >>> import autograd as ag
    >>> a = ag.Tensor(2.0, requires_grad=True)
    >>> print("MultiplyBackward" in ag.make_dot(a * 3.0, dict(a=a)).source)
    True
    """
    view = _view(var, "make_dot", max_nodes, params)
    dot = _digraph("svg", view)
    dot.attr(
        "node",
        style="filled",
        shape="box",
        align="left",
        fontsize="10",
        ranksep="0.1",
        height="0.2",
        fontname=MONO,
    )
    for item in view.items:
        if item.kind == "const" or (item.leaf and item.state == "const" and not (show_saved or item.root)):
            continue
        shape = shape_text(item.shape)
        if item.leaf:
            fill = "orange" if item.state == "const" else "lightblue"
            dot.node(item.id, label=_string(f"{item.name}\n {shape}"), fillcolor=fill)
            continue
        if item.kind == "fold":
            dot.node(item.id, label=_string(item.name), fillcolor="lightgrey", style="filled,dashed")
            continue
        facts = [f"{word}: {text}" for word, text in item.facts] if show_attrs else []
        if show_saved and item.value is not None:
            facts.append(f"result: {shape}")
        name = "".join(part.capitalize() for part in item.op.split("_")) + "Backward" if item.op else "output"
        dot.node(item.id, label=_string("\n".join([name, *facts])), fillcolor="lightgrey")
        if item.root:
            dot.node(item.id + "y", label=_string(f"{item.name}\n {shape}"), fillcolor="darkolivegreen1")
            dot.edge(item.id, item.id + "y")
    drawn = {
        item.id
        for item in view.items
        if not (item.kind == "const" or (item.leaf and item.state == "const" and not (show_saved or item.root)))
    }
    for arrow in view.arrows:
        if arrow.source in drawn:
            dot.edge(arrow.source, arrow.target)
    return dot


def get_dot_graph(
    output: Any, verbose: bool = True, *, max_nodes: int = 500, names: Mapping[str, Any] | None = None
) -> str:
    """Write DeZero's DOT text: orange ellipses for variables, light blue boxes for functions."""
    view = _view(output, "plot_dot_graph", max_nodes, names)
    lines = ["digraph g {", f'node [fontname="{FONT}"]']
    for item in view.items:
        if item.kind != "outputs":
            text = item.name or (short(item.value) if item.kind == "const" else "")
            if verbose and item.kind == "value":
                text += (": " if text else "") + f"{shape_text(item.shape)} {item.dtype}"
            lines.append(f"{item.id} [label={quoted(shorten(text, 80))}, color=orange, style=filled]")
        if item.op and item.kind != "fold":
            key = item.id if item.kind == "outputs" else item.id + "o"
            lines.append(f"{key} [label={quoted(item.op)}, color=lightblue, style=filled, shape=box]")
            lines += [f"{key} -> {item.id}"] * (key != item.id)
    lines += [f"{source} -> {target}" for source, target in _wires(view)]
    return "\n".join([*lines, "}"]) + "\n"


def plot_dot_graph(
    output: Any,
    verbose: bool = True,
    to_file: str | os.PathLike[str] | None = None,
    *,
    max_nodes: int = 500,
    names: Mapping[str, Any] | None = None,
) -> Any:
    """Draw as DeZero does; ``to_file`` writes the picture (suffix svg, png, pdf). Gives a ``graphviz.Digraph``."""
    view = _view(output, "plot_dot_graph", max_nodes, names)
    dot = _digraph("svg", view)
    dot.body.extend(
        f"\t{line}\n" for line in get_dot_graph(output, verbose, max_nodes=max_nodes, names=names).splitlines()[1:-1]
    )
    if to_file is not None:
        target = pathlib.Path(to_file)
        if target.suffix not in (".svg", ".png", ".pdf"):
            raise ArgumentError(f"plot_dot_graph: to_file must end in .svg, .png or .pdf, got {target.name!r}.")
        target.write_bytes(dot.pipe(target.suffix[1:]))
    return dot


def build_graph(
    fin: Any,
    names: Mapping[str, Any] | None = None,
    *,
    render: bool = True,
    save: bool = False,
    dims: bool = False,
    dtypes: bool = False,
    sum_stats: bool = False,
    max_nodes: int = 500,
) -> Any:
    """Draw as MyGrad does, with names from ``names=locals()``; ``dims dtypes sum_stats`` say more per value.

    ``render`` is there for compatibility: the returned Digraph shows itself in a notebook. ``save`` writes
    ``computational_graph.svg``.
    """
    view = _view(fin, "build_graph", max_nodes, names)
    dot = _digraph("svg", view, rankdir="LR")
    for item in view.items:
        lines = [
            item.name or (short(item.value) if item.kind == "const" else "Intermediary" if item.op else "Constant")
        ]
        if item.kind == "value":
            lines += [f"dims: {shape_text(item.shape)}"] if dims else []
            lines += [f"dtype: {item.dtype}"] if dtypes else []
            lines += [f"data: {spread(item.value)}"] if sum_stats and item.value is not None else []
        if item.kind != "outputs":
            dot.node(item.id, label=_string("\n".join(lines)))
        if item.op and item.kind != "fold":
            key = item.id if item.kind == "outputs" else item.id + "o"
            dot.node(key, label=_string(item.op), style="filled", fillcolor="red", fontcolor="white")
            if key != item.id:
                dot.edge(key, item.id)
    for source, target in _wires(view):
        dot.edge(source, target)
    if save:
        pathlib.Path("computational_graph.svg").write_bytes(dot.pipe("svg"))
    return dot


__all__ = ["build_graph", "digraph_class", "draw_dot", "get_dot_graph", "make_dot", "plot_dot_graph"]
