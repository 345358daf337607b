"""``replay(root)``: one page that steps through backward edge by edge, forwards and backwards."""

import os
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd.box import leaf_of
from autograd.errors import ArgumentError, GraphError
from autograd.graph import Leaf, Node
from autograd.hints import unknown_of_view
from autograd.viz import html
from autograd.viz.build import Builder
from autograd.viz.escape import page
from autograd.viz.fitting import prepare
from autograd.viz.frames import Moment, draw_frames, gif
from autograd.viz.ledger import total
from autograd.viz.local import local_derivative, title
from autograd.viz.numbers import number, one_line, rows, signed
from autograd.viz.paths import RELEASED
from autograd.viz.picture import Picture
from autograd.viz.snapshot import Snapshot, as_roots, is_multiple, is_output
from autograd.viz.theme import palette
from autograd.vjp import Cotangents

OUTLINE = 100  # a page of more nodes goes without the outline: its steps are there as text


class Replay:
    """Hold the page: ``html`` is the text, ``save(path)`` writes it, ``steps`` are what it says, as text.

    ``frames()`` gives a picture for each step. In a notebook it is live where the notebook is trusted, and the static
    picture where not.
    """

    def __init__(self, picture: Picture, moments: list[Moment], texts: list[str], said: list[str], name: str) -> None:
        self.picture, self._moments, self._said, self._name = picture, moments, said, name
        self._array = [
            [moment.arrow, moment.op, moment.target, text, int(moment.last)]
            for moment, text in zip(moments, texts, strict=True)
        ]

    @property
    def steps(self) -> list[str]:
        """List what each step says, as plain text; the first is the seed."""
        return [_plain(text) for text in self._said]

    @property
    def html(self) -> str:
        """Return the whole page: no network, all scripts inline."""
        outline = str(self.picture) if self.picture.view.total <= OUTLINE else ""
        return html.whole_page(self.picture.svg, self._title(), outline, self._said, self._array, self.picture.theme)

    def _title(self) -> str:
        return f"Backward from {self._name}, step by step"

    def frames(self, format: str = "svg") -> Iterator[bytes]:
        """Draw a picture for each step, as ``svg`` or ``png``: what has arrived until then, all on one layout."""
        said = [[_plain(part) for part in text.split("<small>")] for text in self._said]
        theme = "light" if self.picture.theme == "auto" and format == "png" else self.picture.theme
        return draw_frames(self.picture.view, self._moments, said, theme, format)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page (``.html``), a film (``.gif``, by Pillow) or numbered pictures, one a step (``.svg``)."""
        target = pathlib.Path(path)
        suffix = target.suffix.lower()
        if suffix in (".html", ".htm"):
            target.write_text(self.html, encoding="utf-8")
        elif suffix == ".gif":
            target.write_bytes(gif(self.frames("png")))
        elif suffix in (".svg", ".png"):
            digits = len(str(len(self._moments)))
            for k, picture in enumerate(self.frames(suffix[1:])):
                target.with_name(f"{target.stem}-{k:0{digits}}{suffix}").write_bytes(picture)
        else:
            raise ArgumentError(
                f"replay: save as .html (a page), .gif (a film), .svg or .png (a picture for each step), not "
                f"{target.name!r}."
            )

    def __repr__(self) -> str:
        return f"<Replay of backward from {self._name}: {len(self._array) - 1} steps>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the player in a notebook. Never raises."""
        try:
            live = html.live_app(self._title(), str(self.picture), self._said, self._array, self.picture.theme)
            shown = html.in_notebook(self.picture.svg, self._title(), live)
        except Exception as error:  # whatever happens, a notebook cell shows something
            shown = html.no_engine(self.picture.source, str(self.picture), str(error))
        return {"text/html": shown, "text/plain": "\n".join(self.steps)}


def _plain(text: str) -> str:
    for written, meant in (
        ("<small>", " "),
        ("</small>", ""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", '"'),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ):
        text = text.replace(written, meant)
    return text


def replay(
    root: Any,
    *,
    names: Mapping[str, Any] | None = None,
    rankdir: str | None = None,
    theme: str = "auto",
    max_nodes: int | None = None,
) -> Replay:
    """Replay backward from ``root``: the gradient 1 enters there, then one step per edge shows what each op adds where.

    Runs its own walk: backward need not have run, and no ``.grad`` changes. A root of many elements is seeded with
    ones, and so is each of several. The picture is that of ``draw``: what is folded there, or over ``max_nodes`` boxes,
    is folded here, and steps inside folded parts are left out. Raises GraphError where an earlier backward released
    arrays that cannot be computed again.

    >>> import autograd as ag
    >>> a, b = ag.Tensor(2.0, requires_grad=True, name="a"), ag.Tensor(3.0, requires_grad=True, name="b")
    >>> for step in ag.replay(a * b).steps:
    ...     print(step)
    grad v2 = 1.0000 Seed: the gradient of v2 with respect to itself.
    ∂v2/∂a = b = 3.0000, adds 1.0000 × 3.0000 = +3.0000 to grad a v2 = a × b.
    ∂v2/∂b = a = 2.0000, adds 1.0000 × 2.0000 = +2.0000 to grad b v2 = a × b.
    """
    palette(theme)
    tensors = as_roots(root, "replay")
    for tensor in tensors:
        if tensor._node is None or not tensor._node.needs:
            snap = Snapshot(tensors, names)
            which = f"{title(snap, snap.at[leaf_of(tensor)])} of the results" if len(tensors) > 1 else "this result"
            raise GraphError(
                f"replay: {which} needs no gradient, so backward has nothing to do. Was an input made with "
                "requires_grad=True?"
            )
    given = {leaf_of(tensor): np.ones(tensor._array.shape, tensor._array.dtype)[()] for tensor in tensors}
    with np.errstate(all="ignore"):
        builder, view = prepare(tensors, names, None, False, max_nodes, None, (), rankdir, given)
        view.played = True
        seeds = dict(zip(builder.snap.roots, given.values(), strict=False))
        steps = _Steps(builder, seeds).write()
    name = ", ".join(title(builder.snap, builder.snap.at[node]) for node in seeds)
    return Replay(Picture(view, rankdir, theme), *steps, name)


class _Steps:
    """Write the steps: newest op first, input by input, with sums as they grow."""

    def __init__(self, builder: Builder, seeds: dict[Node, Any]) -> None:
        snap = builder.snap
        self.snap, self.builder, self.ledger = snap, builder, builder.ledger
        self.items = {item.id: item for item in builder.items}
        self.arrows = {key: arrow.id for key, arrow in builder.arrows.items()}
        self.sums: dict[int, Any] = {snap.at[node]: seed for node, seed in seeds.items()}
        self.left = {
            i: sum((user, k) in self.ledger.shares for user, k in snap.users[i]) for i in range(len(snap.nodes))
        }

    def write(self) -> tuple[list[Moment], list[str], list[str]]:
        """Return what each step does, the text of the gradient there, and what it says."""
        moments: list[Moment] = []
        texts: list[str] = []
        said: list[str] = []
        hidden = 0
        for at, seed in self.sums.items():
            name, text = page(title(self.snap, at)), self.brief(seed)
            moments.append(Moment("", "", self.builder.value_place(at), seed, not self.left[at]))
            texts.append(text)
            said.append(
                f"grad {name} = {page(text)}<small>Seed: the gradient of {name} with respect to itself.</small>"
            )
        for i in range(max(self.sums), -1, -1):
            node = self.snap.nodes[i]
            if isinstance(node, Leaf) or i not in self.ledger.grads:
                continue
            for k, parent in enumerate(self.snap.parents(node)):
                if parent is None or not parent.needs:
                    continue
                if (i, k) not in self.ledger.shares:
                    raise GraphError(RELEASED.format(what="replay", op=node.op.name))
                at = self.snap.at[parent]
                before, share = self.sums.get(at), self.ledger.shares[i, k]
                self.sums[at] = share if before is None else total([before, share])
                self.left[at] -= 1
                arrow = self.arrow(i, k, at)
                if arrow is None or is_multiple(parent):
                    hidden += arrow is None
                    continue
                moments.append(self.step(i, at, arrow))
                texts.append(self.brief(self.sums[at]))
                said.append(self.say(i, k, at, before, share))
        if hidden:
            said[-1] += f"<small>{hidden:,} steps inside folded parts are not shown.</small>"
        return moments, texts, said

    def place(self, i: int) -> str:
        return self.builder.place(i)

    def arrow(self, i: int, k: int, at: int) -> str | None:
        """Find the edge of a step; a value that stands in the card of its op has none, and one in a fold None."""
        plan = self.builder.plan
        if at in plan.within and plan.of[at] is None:
            return ""
        source, target = self.builder.value_place(at), self.place(i)
        return self.arrows.get((source, target, k)) or self.arrows.get((source, target, -1))

    def step(self, i: int, at: int, arrow: str) -> Moment:
        place, snap = self.place(i), self.snap
        bare = place[0] == "f" or is_output(snap.nodes[i]) or is_multiple(snap.nodes[i]) or self.items[place].says
        target = self.builder.value_place(at)
        if not arrow:  # a weight in the card of its op: which of those that have a gradient
            learned = [part for part in self.builder.plan.parts(i) if snap.nodes[part].needs]
            target = f"{place}/{learned.index(at)}"
        return Moment(arrow, place if bare else f"{place}o", target, self.sums[at], not self.left[at])

    def say(self, i: int, k: int, at: int, before: Any, share: Any) -> str:
        local = local_derivative(self.snap, i, k, self.ledger)
        x, y = local.x, local.y
        g = self.ledger.grads[i]
        scalar = local.value is not None
        product = f"{number(_single(g))} × {_bracketed(local.value)} = " if scalar else ""
        first = f"adds {product}{signed(_single(share)) if np.size(share) == 1 else self.brief(share)} to grad {x}"
        now = self.brief(self.sums[at])
        rest = f" ({self.left[at]} more to come)" if self.left[at] else ""
        sums = ""
        if before is not None or rest or not scalar:
            plus = f"{self.brief(before)} {_sign(share)} = " if before is not None and np.size(share) == 1 else ""
            sums = f" grad {x} = {plus}{now}{rest}."
        seen = "" if scalar else f" grad {y} = {self.brief(g)};"
        if local.chain is not None:
            given = local.chain.where.replace("g ", f"g = grad {y} ", 1)
            seen = f" {given}{'; ' if local.chain.numbers else ''}{local.chain.numbers};"
        made = f"{local.made} ({local.line})" if local.line else local.made
        more = f"{made}.{seen}{sums}{self.cut(i, k, local.op, share)}"
        return f"{page(local.text())}, {page(first)}<small>{page(more)}</small>"

    def cut(self, i: int, k: int, op: str, share: Any) -> str:
        """Tell what became of the gradient where it is zero: only a mask cuts it off, other ops pass a zero on."""
        lost = self.ledger.cuts.get((i, k), 0)
        if 0 < lost < np.size(share):
            return f" {op} cut {lost:,} of {np.size(share):,} elements off here."
        if self.ledger.edge_states[i, k] == "masked":
            return f" {op} cut the gradient off here."
        if self.ledger.edge_states[i, k] != "zero":
            return ""
        if self.ledger.states[i] == "masked":
            return f" {op} passes a zero on: the gradient was cut off before it got here."
        return f" {op} passes a zero on." if self.ledger.states[i] == "zero" else " Exactly zero."

    def brief(self, g: Any) -> str:
        if isinstance(g, Cotangents):  # of an op with several outputs
            return ", ".join(f"[{k}] {self.brief(part)}" for k, part in sorted(g.parts.items()))
        return rows(g)[0] if np.size(g) and len(rows(g)) == 1 else one_line(g)


def _single(x: Any) -> Any:
    """Return the number in an array of one element."""
    return np.asarray(x).reshape(())[()]


def _sign(share: Any) -> str:
    text = signed(_single(share))
    return f"{'−' if text[0] == '-' else '+'} {text[1:]}" if text[0] in "+-" else f"+ {text}"


def _bracketed(value: float | None) -> str:
    text = number(value)
    return f"({text})" if text[0] == "-" else text


setattr(Replay, "__getattr__", unknown_of_view)  # noqa: B010  # so that type checkers refuse unknown names
