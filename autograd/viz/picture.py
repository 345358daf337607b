"""``draw(root)``: the picture of a graph, with every value and every gradient."""

import importlib
import io
import os
import pathlib
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from autograd.errors import ArgumentError, MissingExtra, MissingFile
from autograd.hints import unknown_of_view
from autograd.viz import data, dot, html, outline, table
from autograd.viz.engine import find_engine, lacks, layout
from autograd.viz.escape import spelled
from autograd.viz.fitting import prepare
from autograd.viz.kept import show_memory
from autograd.viz.model import View
from autograd.viz.snapshot import as_roots
from autograd.viz.svg import compact, finish
from autograd.viz.theme import palette

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".json", ".html", ".txt")
RANKDIRS = ("LR", "RL", "TB", "BT")
DPI, PRINT = 144, 300
SPELLED = "names in letters that this layout engine lacks stand by their code points; the SVG shows them"


class Picture:
    """Hold a drawn graph: the view model, and each output format made from it when it is asked for.

    ``print(picture)`` is the outline as text; in a notebook the picture shows itself. ``folded`` says what was left
    out.
    """

    def __init__(self, view: View, rankdir: str | None = None, theme: str = "auto") -> None:
        self.view, self.rankdir, self.theme = view, rankdir, theme

    @property
    def folded(self) -> list[str]:
        """Tell what was folded to keep the picture small; an empty list if nothing was."""
        return list(self.view.folded)

    @cached_property
    def source(self) -> str:
        """Return the DOT text."""
        return dot.write(self.view, self.rankdir, self.theme)

    @cached_property
    def svg(self) -> str:
        """Return the picture as an SVG element."""
        raw = layout(self.source, "svg").decode("utf-8")
        return compact(finish(raw, self.title, self.theme == "auto", outline.summary(self.view)))

    @property
    def title(self) -> str:
        """Tell in one line what is drawn."""
        roots = ", ".join(item.name or item.id for item in self.view.items if item.root) or "a folded result"
        return f"Graph of {roots}: {self.view.total:,} node{'s' * (self.view.total != 1)}"

    def png(self, dpi: int = DPI) -> bytes:
        """Return the picture as a PNG file.

        Where the engine lacks letters for a name (CJK, emoji), it stands by its code points and a note says so.
        """
        source = self._spelled("png")
        return layout(source.replace("graph [", f"graph [dpi={int(dpi)} ", 1), "png")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to ``path``; the suffix chooses: svg, png, pdf, dot, json, html or txt.

        A PDF has lines and letters where Graphviz's ``dot`` or pygraphviz is there, else pixels (by Pillow, of the
        extra ``plot``); without any of these MissingExtra is raised.
        """
        target = pathlib.Path(path)
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            raise ArgumentError(
                f"save: unknown suffix {suffix!r} of {target.name!r}; choose one of {', '.join(SUFFIXES)}."
            )
        content = self.render(suffix[1:])
        if not target.parent.is_dir():
            raise MissingFile(f"save: the folder {target.parent} does not exist. Create it first.")
        target.write_bytes(content)

    def render(self, format: str) -> bytes:
        """Return the bytes of the file that ``save`` writes for a format."""
        if format == "png":
            return self.png()
        if format == "pdf":
            return self._pdf()
        return self._text(format).encode("utf-8")

    def _spelled(self, format: str) -> str:
        """Return the DOT text in letters that the engine has."""
        lacking = lacks(self.source, format)
        if not lacking:
            return self.source
        noted = replace(self.view, problems=[*self.view.problems, SPELLED])
        return spelled(dot.write(noted, self.rankdir, self.theme), lacking)

    def _pdf(self) -> bytes:
        """Return a PDF of lines and letters; where no engine writes one, of pixels, by Pillow."""
        try:
            return layout(self._spelled("pdf"), "pdf")
        except MissingExtra as missing:
            if find_engine("png") is None:
                raise
            try:
                image = importlib.import_module("PIL.Image")
            except ImportError:
                raise missing from None
        drawn, file = self.png(PRINT), io.BytesIO()
        image.open(io.BytesIO(drawn)).convert("RGB").save(file, "PDF", resolution=PRINT)
        return file.getvalue()

    def _text(self, format: str) -> str:
        if format == "svg":
            return (
                self.svg.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
                if "xmlns:xlink" not in self.svg
                else self.svg
            )
        if format == "html":
            return html.whole_page(self.svg, self.title, str(self), theme=self.theme, values=table.write(self.view))
        return {"dot": lambda: self.source, "json": lambda: data.write(self.view), "txt": lambda: str(self)}[format]()

    def __str__(self) -> str:
        return outline.write(self.view)

    def __repr__(self) -> str:
        return "; ".join([f"<Picture of {self.view.total:,} nodes in {self.view.boxes:,} boxes", *self.folded]) + ">"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the picture in a notebook; without a layout engine the outline and a hint. Never raises."""
        try:
            shown = html.in_notebook(self.svg, self.title)
        except Exception as error:  # whatever happens, a notebook cell shows something
            shown = html.no_engine(self.source, str(self), str(error))
        return {"text/html": shown, "text/plain": str(self)}


def draw(
    root: Any,
    *,
    depth: int | None = None,
    rankdir: str | None = None,
    theme: str = "auto",
    max_nodes: int | None = None,
    names: Mapping[str, Any] | None = None,
    expand: Any = (),
    roll: bool = False,
    focus: Any = None,
    show: str = "",
) -> Picture:
    """Draw the graph of ``root`` (a Tensor, or several): every value, every gradient, and on each edge what it added.

    Works before and after backward, and changes nothing; arrays that the graph does not keep are computed again, where
    all that they came from is there, unchanged. ``names=locals()`` names the values. ``depth`` folds modules
    (0: the outermost is one box), ``expand`` opens fused ops into their definition (True, names of ops, Tensors),
    ``roll`` rolls repeated steps up, and a picture over ``max_nodes`` boxes is folded around ``focus`` and says so.
    ``show="memory"`` writes what each op keeps for backward. ``theme``: auto, light, dark, colorblind.

    >>> import autograd as ag
    >>> a, b = ag.Tensor(2.0, requires_grad=True, name="a"), ag.Tensor(3.0, requires_grad=True, name="b")
    >>> (a * b).backward()
    >>> print(ag.draw(a * b, names={}), end="")
    ! Gradients inside were not kept: this result's own backward has not run (or ran with create_graph=True).
    v0 a | data 2.0000 | grad 3.0000
    v1 b | data 3.0000 | grad 2.0000
    v2 = multiply(a, b) | data 6.0000 | grad –
    """
    palette(theme)
    if rankdir is not None and rankdir not in RANKDIRS:
        raise ArgumentError(f"rankdir must be one of {', '.join(RANKDIRS)}; got {rankdir!r}.")
    roots = as_roots(root, "draw")
    if show not in ("", "memory"):
        raise ArgumentError(f"draw: show must be 'memory' or '', got {show!r}.")
    builder, view = prepare(roots, names, depth, roll, max_nodes, focus, expand, rankdir)
    if show:
        show_memory(builder.snap.nodes, builder.place, view)
    return Picture(view, rankdir, theme)


setattr(Picture, "__getattr__", unknown_of_view)  # noqa: B010  # so that type checkers refuse unknown names
