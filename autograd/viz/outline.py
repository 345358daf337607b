"""Write the view model as text: one line per value, in the order of creation, indented by module."""

from collections.abc import Iterator

from autograd.viz.escape import shorten
from autograd.viz.model import NOT_KEPT, Arrow, Group, Item, Part, View
from autograd.viz.numbers import literal, one_line, shape_text
from autograd.viz.theme import STATES
from autograd.viz.wording import edge_label, grad_text


def write(view: View) -> str:
    """Return the outline of a view."""
    return "\n".join(_lines(view)) + "\n"


def summary(view: View, most: int = 12) -> str:
    """Tell in sentences what a picture shows, for those who cannot see it: what was made of what, its gradient."""
    values = [item for item in view.items if item.kind in ("value", "fold")]
    told = []
    for item in reversed(values[-most:]):
        name = shorten(item.name or item.id)
        made = f" = {shorten(item.says)}" if item.says else ""
        grad = "" if item.kind == "fold" or item.state == "const" else f", gradient {shorten(grad_text(item))}"
        told.append(f"{name}{made}{grad}.")
    more = len(values) - most
    return " ".join([*told, *([f"{more} more boxes."] if more > 0 else [])])


def _lines(view: View) -> Iterator[str]:
    inputs: dict[str, list[Arrow]] = {}
    uses: dict[str, list[Arrow]] = {}
    items = {item.id: item for item in view.items}
    for arrow in view.arrows:
        inputs.setdefault(arrow.target, []).append(arrow)
        source = items[arrow.source]
        uses.setdefault(source.note if source.kind == "ref" else source.id, []).append(arrow)
    groups = {group.id: group for group in view.groups}
    if view.banner:
        yield f"! {view.banner}"
    where = ""
    for item in view.items:
        if item.kind in ("const", "ref"):
            continue
        if item.module != where:
            yield from _headings(groups, where, item.module)
            where = item.module
        indent = "  " * (groups[where].depth + 1 if where else 0)
        for part in item.parts:
            shape = f" {shape_text(part.shape)} {part.dtype}" if part.shape else ""
            data = NOT_KEPT if part.value is None else one_line(part.value)
            note = f" ({part.note})" if part.note else ""
            name = f" {shorten(part.name)}" if part.name else ""
            yield f"{indent}{part.id}{name}{shape} | data {data} | grad {grad_text(part)}{note}"
        yield indent + _line(item, inputs.get(item.id, []), uses.get(item.id, []), items)
    things: list[Item | Part] = [item for item in view.items if item.kind == "value"]
    things += [part for item in view.items for part in item.parts]
    if any(thing.value is None or thing.state == "lost" for thing in things):
        yield f"note: {STATES['lost'][4]}"
    for note in [*view.folded, *view.problems]:
        yield f"folded: {note}" if note in view.folded else f"note: {note}"


def _headings(groups: dict[str, Group], before: str, now: str) -> Iterator[str]:
    """Write the modules that are entered between two lines, and the one that is come back to."""
    around, chain, at = set(), [], before
    while at:
        around.add(at)
        at = groups[at].parent
    at = now
    while at and (at == now or at not in around):
        chain.append(groups[at])
        at = groups[at].parent
    for group in reversed(chain):
        kind = f" ({shorten(group.kind)})" if group.kind not in ("", group.path) else ""
        yield f"{'  ' * group.depth}[{shorten(group.path, 60)}{kind}]"


def _line(item: Item, inputs: list[Arrow], uses: list[Arrow], items: dict[str, Item]) -> str:
    if item.kind == "fold":
        facts = ", ".join(f"{word} {text}" for word, text in item.facts)
        return f"{item.id} [{shorten(item.name, 60)}] <- {_sources(inputs, items)}  {facts}"
    sources = ", ".join(map(shorten, item.call)) if item.call else _sources(inputs, items)
    made = f" = {item.op}({sources})" if item.op else f" = {_sources(inputs, items)}" if inputs else ""
    head = f"{item.id}{' ' + shorten(item.name) if item.name not in ('', item.id) else ''}{made}"
    if item.kind == "outputs":
        return head
    shape = f" {shape_text(item.shape)} {item.dtype}" if item.shape else ""
    data = NOT_KEPT if item.value is None else one_line(item.value)
    line = f"{head}{shape} | data {data} | grad {grad_text(item)}"
    if item.total is not None:
        line += f" | .grad {one_line(item.total)}"
    added = [edge_label(arrow) for arrow in uses if arrow.share is not None]
    if len(added) > 1:
        line += f" = {' '.join(added[:6])}" + (f" … ({len(added)} edges)" if len(added) > 6 else "")
    said = ", ".join(text for text in (item.note, item.alarm) if text)
    return line + (f" ({said})" if said else "") + (f"  # {shorten(item.line, 80)}" if item.line else "")


def _sources(arrows: list[Arrow], items: dict[str, Item]) -> str:
    texts = []
    for arrow in arrows:
        item = items[arrow.source]
        text = (
            literal(item.value)
            if item.kind == "const"
            else shorten(item.name)
            if item.name and item.kind in ("value", "ref")
            else item.id
        )
        texts.append(
            text + (f" output {arrow.argument}" if arrow.argument.startswith("[") and item.kind == "outputs" else "")
        )
    return ", ".join(texts)
