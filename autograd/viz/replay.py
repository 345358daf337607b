"""``replay(root)``: one page that steps through backward edge by edge, forwards and backwards."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd.errors import ArgumentError, GraphError
from autograd.graph import Leaf, Node
from autograd.viz import html
from autograd.viz.build import Builder
from autograd.viz.escape import page
from autograd.viz.fold import plan
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

    In a notebook it is live where the notebook is trusted, and the static picture where not.
    """

    def __init__(self, picture: Picture, steps: list[list[Any]], said: list[str], name: str) -> None:
        self.picture, self._array, self._said, self._name = picture, steps, said, name

    @property
    def steps(self) -> list[str]:
        """List what each step says, as plain text; the first is the seed."""
        return [_plain(text) for text in self._said]

    @property
    def html(self) -> str:
        """Give the whole page: no network, all scripts inline."""
        outline = str(self.picture) if self.picture.view.total <= OUTLINE else ""
        return html.whole_page(self.picture.svg, self._title(), outline, self._said, self._array, self.picture.theme)

    def _title(self) -> str:
        return f"Backward from {self._name}, step by step"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to ``path`` (``.html``)."""
        target = pathlib.Path(path)
        if target.suffix.lower() not in (".html", ".htm"):
            raise ArgumentError(f"replay is a page: save it as .html, not {target.name!r}.")
        target.write_text(self.html, encoding="utf-8")

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
    root: Any, *, names: Mapping[str, Any] | None = None, rankdir: str = "LR", theme: str = "auto", max_nodes: int = 500
) -> Replay:
    """Replay backward from ``root``: the gradient 1 enters there, then one step per edge shows what each op adds where.

    Runs its own walk: backward need not have run, and no ``.grad`` changes. A root of many elements is seeded with
    ones, and so is each of several. A graph over ``max_nodes`` boxes is folded, and steps inside folded parts are left
    out. Raises GraphError when an earlier backward released large arrays.
    """
    palette(theme)
    tensors = as_roots(root, "replay")
    snap = Snapshot(tensors, names)
    for node in snap.roots:
        if not node.needs:
            which = f"{title(snap, snap.at[node])} of the results" if len(tensors) > 1 else "this result"
            raise GraphError(
                f"replay: {which} needs no gradient, so backward has nothing to do. Was an input made with "
                "requires_grad=True?"
            )
    seeds = {
        node: np.ones(tensor._array.shape, tensor._array.dtype)[()]
        for node, tensor in zip(snap.roots, tensors, strict=True)
    }
    with np.errstate(all="ignore"):
        builder = Builder(snap, plan(snap, None, False, max_nodes, None), seeds, fresh=True)
        view = builder.view([])
        data, said = _Steps(snap, builder, seeds).write()
    return Replay(Picture(view, rankdir, theme), data, said, ", ".join(title(snap, snap.at[node]) for node in seeds))


class _Steps:
    """Write the steps: newest op first, input by input, with sums as they grow."""

    def __init__(self, snap: Snapshot, builder: Builder, seeds: dict[Node, Any]) -> None:
        self.snap, self.builder, self.ledger = snap, builder, builder.ledger
        self.arrows = {key: arrow.id for key, arrow in builder.arrows.items()}
        self.sums: dict[int, Any] = {snap.at[node]: seed for node, seed in seeds.items()}
        self.left = {
            i: sum((user, k) in self.ledger.shares for user, k in snap.users[i]) for i in range(len(snap.nodes))
        }

    def write(self) -> tuple[list[list[Any]], list[str]]:
        data, said, hidden = [], [], 0
        for at, seed in self.sums.items():
            name, text = page(title(self.snap, at)), self.brief(seed)
            data.append(["", "", self.builder.value_place(at), text, int(not self.left[at])])
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
                data.append(self.step(i, at, arrow))
                said.append(self.say(i, k, at, before, share))
        if hidden:
            said[-1] += f"<small>{hidden:,} steps inside folded parts are not shown.</small>"
        return data, said

    def place(self, i: int) -> str:
        return self.builder.place(i)

    def arrow(self, i: int, k: int, at: int) -> str | None:
        source, target = self.builder.value_place(at), self.place(i)
        return self.arrows.get((source, target, k)) or self.arrows.get((source, target, -1))

    def step(self, i: int, at: int, arrow: str) -> list[Any]:
        place = self.place(i)
        bare = place[0] == "f" or is_output(self.snap.nodes[i]) or is_multiple(self.snap.nodes[i])
        op = place if bare else f"{place}o"
        return [arrow, op, self.builder.value_place(at), self.brief(self.sums[at]), int(not self.left[at])]

    def say(self, i: int, k: int, at: int, before: Any, share: Any) -> str:
        local = local_derivative(self.snap, i, k)
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
        more = f"{local.made}.{seen}{sums}{self.cut(i, k, local.op, share)}"
        return f"{page(local.text())}, {page(first)}<small>{page(more)}</small>"

    def cut(self, i: int, k: int, op: str, share: Any) -> str:
        """Say what became of the gradient where it is zero: only a mask cuts it off, other ops pass a zero on."""
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
    """Give the number in an array of one element."""
    return np.asarray(x).reshape(())[()]


def _sign(share: Any) -> str:
    text = signed(_single(share))
    return f"{'−' if text[0] == '-' else '+'} {text[1:]}" if text[0] in "+-" else f"+ {text}"


def _bracketed(value: float | None) -> str:
    text = number(value)
    return f"({text})" if text[0] == "-" else text
